"""`check` in a notebook: the same check and report as `tito module test`, for the current state of the kernel."""

import _thread
import contextlib
import hashlib
import linecache
import re
import sys
import textwrap
import threading
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from tito import notebook_view
from tito.checks import blame, checking, layout, learner_process, wording
from tito.checks.observation import Observations, Place, place_in, read_error, read_result
from tito.notebooks import titles

LIMIT = 10.0  # seconds for one exercise


class CheckFailed(Exception):
    """An exercise did not pass; a notebook shows the report, and one line instead of a traceback."""

    def _render_traceback_(self):  # IPython calls it more than once
        return ["not passed: the report is above"]


def failure(report):
    """Show a report on a failure if this is a notebook, and return it as an exception to raise."""
    if notebook_view.in_ipython():
        notebook_view.show(report, "failed")
    return CheckFailed(report)


class View:
    """The notebook's names as attributes, as if the notebook were a module."""

    def __init__(self, names):
        self.__dict__ = names

    def __getattr__(self, name):
        raise AttributeError(f"{name} {wording.not_run(None)}")


def notebook(number):
    """Return the `check` function of a module's notebook.

    Args:
        number: The module's number, such as "03".

    Returns:
        `check("03.2")` checks one exercise, `check()` all exercises of the notebook.
    """
    from tito import workspace

    space = workspace.find()
    module = space.curriculum.module(number)
    announce(module.number)
    notebook_view.shorten_stubs()
    return Checker(space, module, sys._getframe(1).f_globals)


def announce(number):
    """Tell the package which module is being written; warn about a tinytorch that is not the workspace's."""
    from tito.stray import stray

    path = stray()
    if path:
        print(f"`import tinytorch` imports {path}, which is not your workspace's: move it away, or see `tito doctor`")
        return
    from tinytorch.given import imports

    imports.writing(number)


class Progress:
    """The progress of an exercise, and an interrupt for endless code: a notebook has no process to kill.

    `too_long` is True if this interrupted the code, not the learner.
    """

    def __init__(self):
        self.case, self.too_long = None, False
        self.timer = threading.Timer(LIMIT, self.interrupt)
        self.timer.daemon = True

    def announce(self, name, data):
        if name == "now":
            self.case = data
        else:  # compiled: the time starts here
            self.timer.start()

    def interrupt(self):
        self.too_long = True
        _thread.interrupt_main()

    @contextlib.contextmanager
    def limited(self):
        try:
            yield
        finally:
            self.timer.cancel()


def with_row(verdict, label, text, first=False):
    """Return a verdict with one more row in its failure."""
    row, rows = ((label, text),), verdict.failure.rows
    return replace(verdict, failure=replace(verdict.failure, rows=row + rows if first else rows + row))


class Checker:
    """Checks the exercises of one notebook."""

    def __init__(self, space, module, names):
        from tito import workspace

        self.space, self.module, self.names = space, module, names
        self.checks = checking.load(workspace.course_checks(module))
        self.digests = {}
        self.changed_files()

    def __call__(self, exercise=None):
        """Check one exercise, or all exercises of the notebook.

        Args:
            exercise: Its id, such as "03.2", or its name.

        Raises:
            CheckFailed: It did not pass. An exercise that is not written yet is only reported.
        """
        for file in self.changed_files():
            print(f"{file} has changed since this kernel imported it: restart the kernel to use the new version")
        chosen = [self.find(exercise)] if exercise else self.exercises
        verdicts = [self.verdict(exercise) for exercise in chosen]
        for verdict in verdicts:
            if layout.is_well(verdict):
                notebook_view.show(self.text(verdict), verdict.status)
        if len(chosen) == 1:
            verdicts = [self.with_earlier(chosen[0], verdicts[0])]
        failed = [self.text(verdict) for verdict in verdicts if not layout.is_well(verdict)]
        if failed or not verdicts:
            nothing = f"module {self.module.number} has no exercise: nothing was checked"
            raise failure(layout.join(failed) or nothing)

    def inputs(self, exercise, case=1):
        """Return the inputs of a case as a dict, for experiments.

        Args:
            exercise: The exercise's id or name.
            case: The number of the case, from 1.
        """
        return checking.cases(self.checks.check(self.find(exercise).name))[case - 1].inputs

    @cached_property
    def exercises(self):
        """The module's exercises, from the course: the notebook's own cells may be half written."""
        from tito import workspace
        from tito.notebooks import source

        return source.read(workspace.course_source(self.module)).exercises()

    def find(self, exercise):
        """Return the exercise with this id (the leading zero is optional, as in "2.1") or this name."""
        for known in self.exercises:
            if exercise in (known.id, known.id.lstrip("0"), known.name):
                return known
        labels = ", ".join(known.label for known in self.exercises)
        text = f"module {self.module.number} has no exercise {exercise!r}: it has {labels}"
        raise failure(textwrap.fill(text, layout.WIDTH))

    def verdict(self, exercise):
        """Observe and judge one exercise."""
        check = self.checks.check(exercise.name)
        cases = checking.all_cases(check)
        return checking.verdict(exercise, check, cases, self.observe(exercise, cases))

    def with_earlier(self, exercise, verdict):
        """Return a verdict; a failed one names what may cause it: another module, or earlier exercises that fail as well."""
        if verdict.status not in (*blame.WRONG, "timeout"):
            return verdict
        raised_in = re.match(r"(\w+\.(?:ipynb|py)), cell ", dict(verdict.failure.rows).get("at", ""))
        if raised_in and raised_in[1] != self.path.name:
            said = with_row(verdict, "perhaps", wording.in_another_module(raised_in[1], exercise.id))
            return replace(said, failure=replace(said.failure, culprit=exercise.id))
        if verdict.status == "timeout":
            return verdict
        compiled = vars(self.checks.module)  # skip exercises that compile first: the learner would have to wait
        before = self.exercises[: self.exercises.index(exercise)]
        earlier = [other for other in before if f"prepare_{other.name}" not in compiled]
        failing = [other.label for other in earlier if self.verdict(other).status in blame.WRONG]
        if not failing:
            return verdict
        return with_row(verdict, "start with", wording.failing_too(failing), first=True)

    def observe(self, exercise, cases):
        """Run an exercise's cases on the notebook's names; values are encoded as in a worker."""
        encoded = [case.encoded for case in cases]
        progress = Progress()
        try:
            with progress.limited():
                answer = learner_process.observe_exercise(
                    exercise.name, View(self.names), vars(self.checks.module), encoded, self.file, progress.announce
                )
        except KeyboardInterrupt as error:
            if not progress.too_long:
                raise
            raised = read_error(learner_process.describe(error, self.file), self.place)
            return Observations(
                problem="timeout", text=wording.endless(wording.YOUR_CODE, LIMIT), case=progress.case, where=raised.where
            )
        seen = read_result(answer, self.place)
        if seen.problem == "missing":
            return replace(seen, text=wording.not_run(self.defining_cell(exercise.name)))
        return seen

    def file(self, file, names):
        """Return the file of an exception's place, if it is in the package or a cell of this notebook."""
        path = Path(file)
        if path.is_relative_to(self.space.package):
            return path.relative_to(self.space.root).as_posix()
        return file if names is self.names else None

    def place(self, file, line):
        """Return the `Place` of a line of this notebook, or of the package."""
        if file.startswith("tinytorch/"):
            return place_in(self.space.root)(file, line)
        ran = "".join(linecache.getlines(file)).strip()
        cell = self.cell(lambda cell: cell.text.strip() == ran)
        where = f"{self.path.name}, {cell.label}" if cell else f"the cell ({titles.title(ran)}), which is not saved"
        return Place(f"{where}, line {line}", own=True)

    @property
    def path(self):
        """The saved notebook."""
        return self.space.notebook(self.module)

    def cell(self, fits):
        """Return the first saved cell that fits, or None if none does or the file cannot be read."""
        from tito.notebooks import source

        try:
            return next((cell for cell in source.read(self.path).cells if fits(cell)), None)
        except source.SourceError:
            return None

    def text(self, verdict):
        """Return the report on a verdict, with a note if a second cell defines the exercise."""
        note = self.second_definition(verdict.name)
        if note and not layout.is_well(verdict):
            verdict = with_row(verdict, "defined twice", note)
        elif note and verdict.status == "passed":
            return f"{layout.text(verdict)}; {note}"
        return layout.text(verdict, next_step=layout.IN_NOTEBOOK)

    def second_definition(self, name):
        """Return the note on several saved cells that define a name, or None."""
        from tito.notebooks import source

        try:
            defining = blame.also_defined(source.read(self.path), name)
        except source.SourceError:
            return None
        return wording.twice(name, defining, wording.last_run_counts(defining)) if defining else None

    def defining_cell(self, name):
        """Return the label of the saved cell that defines a name, or None."""
        definition = re.compile(rf"^(def|class) {name}\b|^{name} *=", re.MULTILINE)
        cell = self.cell(lambda cell: cell.kind == "code" and definition.search(cell.text))
        return cell and cell.label

    def changed_files(self):
        """Return the files of the package that have changed since they were first seen here."""
        changed = []
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None) if name.partition(".")[0] == "tinytorch" else None
            if file and Path(file).is_file():
                digest = hashlib.sha256(Path(file).read_bytes()).digest()
                if self.digests.setdefault(file, digest) != digest:
                    changed.append(self.space.label(file))
        return changed
