"""`check` in a notebook: the same check and the same words as `tito module test`, on what the kernel holds now."""
import hashlib
import linecache
import sys
from pathlib import Path

from tito import checking, report, wire, worker
from tito.observation import Observations, place_in, read_result


class CheckFailed(Exception):
    """An exercise did not pass; the notebook shows the report, and no traceback."""

    def _render_traceback_(self):
        return str(self).splitlines()


class View:
    """The notebook's names as attributes, as if the notebook were a module already."""

    def __init__(self, names):
        self._names = names

    def __getattr__(self, name):
        try:
            return self._names[name]
        except KeyError:
            raise AttributeError(f"{name} is not defined: run the cell that defines it first") from None


def notebook(number):
    """Return the `check` function of a module's notebook.

    Args:
        number: The module's number, such as "03".

    Returns:
        `check("03.2")` checks one exercise, `check()` all that the notebook holds.
    """
    from tito import workspace

    space = workspace.find()
    module = space.curriculum.module(number)
    announce(module.number)
    return Checker(space, module, sys._getframe(1).f_globals)


def announce(number):
    """Tell the package which module is being written here; report a tinytorch that is not the workspace's."""
    from tito.stray import stray

    found = stray()
    if found:
        print(f"import tinytorch takes {found}, which is not your workspace's package: move it away, or see `tito doctor`")
        return
    from tinytorch import imports

    imports.writing(number)


class Checker:
    """Checks the exercises of one notebook."""

    def __init__(self, space, module, names):
        from tito import workspace

        self.space, self.module, self.names = space, module, names
        self.checks = checking.load(workspace.course_checks(module))
        self.seen = {}
        self.changed_files()

    def __call__(self, exercise=None):
        """Check one exercise, or all of the notebook.

        Args:
            exercise: Its id, such as "03.2", or its name.

        Raises:
            CheckFailed: It did not pass. One that is not written yet is said to be so, and raises nothing.
        """
        for name in self.changed_files():
            print(f"{name} has changed since this kernel imported it: restart the kernel to use it as it is now")
        chosen = [self.find(exercise)] if exercise else self.exercises()
        verdicts = [self.verdict(one) for one in chosen]
        for verdict in verdicts:
            if verdict.status in ("passed", "unwritten"):
                print(self.text(verdict))
        failed = [self.text(verdict) for verdict in verdicts if verdict.status not in ("passed", "unwritten")]
        if failed or not verdicts:
            raise CheckFailed("\n\n\n".join(failed) or f"{self.module.folder} holds no exercise: nothing was checked")

    def inputs(self, exercise, case=1):
        """Return the inputs of a case as a dict, to try things out on.

        Args:
            exercise: The exercise's id or name.
            case: The number of the case, from 1.
        """
        return checking.cases(self.checks.check(self.find(exercise).name))[case - 1].inputs

    def find(self, exercise):
        """Return the exercise of this id or name."""
        known = self.exercises()
        for one in known:
            if exercise in (one.id, one.name):
                return one
        raise CheckFailed(f"module {self.module.number} has no exercise {exercise}: "
                          f"it has {', '.join(f'{one.id} {one.name}' for one in known)}")

    def exercises(self):
        """Return the exercises of the saved notebook; those of the course if it cannot be read."""
        from tito import source, workspace

        try:
            return source.read(self.space.notebook(self.module)).exercises()
        except Exception:
            return source.read(workspace.course_source(self.module)).exercises()

    def verdict(self, exercise):
        """Observe and judge one exercise."""
        check = self.checks.check(exercise.name)
        cases = checking.cases(check)
        return checking.verdict(exercise, check, cases, self.observe(exercise, cases))

    def observe(self, exercise, cases):
        """Run an exercise's cases on the notebook's names; the values pass through the same wire as a worker's."""
        encoded = [{name: wire.encode(value) for name, value in case.inputs.items()} for case in cases]
        answer = worker.observe_exercise(exercise.name, View(self.names), vars(self.checks.module), encoded, self.place)
        seen = read_result(answer, self.name_place)
        if seen.problem == "missing":
            return Observations(problem="missing", text=f"{exercise.name} is not defined: run the cell that defines it first")
        return seen

    def place(self, file, names):
        """Return how messages name a file of code: the notebook's own cells, and the package."""
        path = Path(file)
        if path.is_relative_to(self.space.package):
            return path.relative_to(self.space.root).as_posix()
        return file if names is self.names else None

    def name_place(self, file, line):
        """Return how messages name a line, and whether it is a line of a notebook."""
        if file.startswith("tinytorch/"):
            return place_in(self.space.root)(file, line)
        cells = linecache.getlines(file)
        return self.cell_place("".join(cells), line), True

    def cell_place(self, text, line):
        """Return how messages name a line of a cell that ran: by the saved cell of the same text."""
        from tito import source

        path = self.space.notebook(self.module)
        cells = [cell.index for cell in source.read(path).cells if cell.text.strip() == text.strip()]
        return f"{path.name}, cell {cells[0]}, line {line}" if cells else f"line {line} of a cell that is not saved"

    def text(self, verdict):
        """Return the report on a verdict."""
        return report.text(verdict, self.where(verdict.id), report.IN_NOTEBOOK)

    def where(self, exercise):
        """Return the notebook and the cell of an exercise."""
        path = self.space.notebook(self.module)
        return report.place(self.space.label(path), self.find(exercise).cell)

    def changed_files(self):
        """Return the files of the package that differ from what they were when first seen here."""
        changed = []
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if name.partition(".")[0] == "tinytorch" and file and Path(file).is_file():
                digest = hashlib.sha256(Path(file).read_bytes()).digest()
                if self.seen.setdefault(file, digest) != digest:
                    changed.append(self.space.label(file))
        return changed
