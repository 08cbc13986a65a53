"""Check a module: the learner's notebook is exported into a package in a temporary folder, and its exercises run there.

A notebook that cannot be exported is repaired first, so that one slip does not hide the verdicts on the other exercises.
"""

import contextlib
import re
import shutil
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tito import leftovers, workspace
from tito.checks import blame, checking, runner, wording
from tito.curriculum import UnknownExercise
from tito.notebooks import given, salvage, source
from tito.update import origin

MOST_CELLS = 5  # left out because they fail when the module is imported; each costs a start of the process


@dataclass(frozen=True)
class Trial:
    """The result: the notebook's path, the text of its code, a verdict for each exercise, and given code that was changed.

    `problems` lists what keeps the notebook from being exported, as `SourceError`.
    """

    path: Path
    label: str
    text: str
    verdicts: tuple
    changed: tuple = ()
    problems: tuple = ()

    @property
    def passed(self):
        return [verdict.id for verdict in self.verdicts if verdict.status == "passed"]


def run(space, module, only=None, timeout=10.0, notebook=None, tell=None):
    """Check a module's notebook.

    Args:
        space: The workspace.
        module: The module.
        only: Id of one exercise; None for all.
        timeout: Seconds for each exercise.
        notebook: Path of the notebook; by default the workspace's.
        tell: Function called with each verdict as soon as it is known.

    Returns:
        The `Trial`.

    Raises:
        SourceError: The notebook cannot be read.
        WorkspaceError: The notebook does not exist in the workspace or in the course.
        UnknownExercise: The module has no exercise ``only``.
    """
    workspace.check_released(module)
    if origin.is_older(space):
        raise workspace.OlderWorkspace
    path = notebook or space.notebook(module)
    written, reference = source.read(path), source.read(workspace.course_source(module))
    known = reference.exercises()
    exercises = [exercise for exercise in known if only in (None, exercise.id)]
    if not exercises:
        ids = ", ".join(exercise.id for exercise in known)
        raise UnknownExercise(f"module {module} has no exercise {only}: it has {ids}", f"tito module start {module.number}")
    label = space.label(path)

    def judged(text, exercises, files=None, tell=None):
        return check(space, module, text, exercises, files, timeout=timeout, tell=tell)

    def substitution(notebook):
        return blame.Substitution(space, module, notebook, reference, judged)

    def elsewhere(verdict, notebook):
        return substitution(notebook).culprit(verdict) is not None

    saved = salvage.salvage(written, reference, label)
    saved, verdicts = survey(saved, reference, label, exercises, judged, tell, elsewhere)
    verdicts = blame.named(verdicts, substitution(saved.notebook))
    verdicts = tuple(with_second_definition(verdict, written) for verdict in verdicts)
    return Trial(path, label, saved.text, verdicts, tuple(given.changed(written, reference)), saved.problems)


def survey(saved, reference, label, exercises, check, tell=None, elsewhere=lambda verdict, notebook: False):
    """Check exercises of a salvaged notebook; a cell that fails when the module is imported is left out, and the rest goes on.

    Args:
        saved: The `salvage.Salvaged`.
        reference: The course's own source of the module.
        label: The notebook's path, as written into the exported file.
        exercises: The exercises to check.
        check: Function of a text, exercises, and `tell`, that returns verdicts.
        tell: Function called with each final verdict, in the order of the exercises.
        elsewhere: Function of a verdict and the notebook: whether an earlier module is at fault, so that no cell is left out.

    Returns:
        What could be used in the end, as a `Salvaged`, and a tuple with the verdict of each exercise.
    """
    for attempt in range(MOST_CELLS + 1):
        telling = Telling(exercises, saved.lost, tell, spare_import=attempt < MOST_CELLS)
        usable = [exercise for exercise in exercises if exercise.name not in saved.lost]
        verdicts = check(saved.text, usable, tell=telling.tell) if usable else ()
        cell = cell_failing_on_import(verdicts)
        if cell is None or attempt == MOST_CELLS:
            break
        if elsewhere(verdicts[0], saved.notebook):
            telling.spare_import = False
            for verdict in verdicts:
                telling.tell(verdict)
            break
        reason = f"fails when the module is imported: {dict(verdicts[0].failure.rows).get('raised', '')}"
        saved = salvage.without_cell(saved, reference, label, cell, reason)
    telling.rest()
    by_id = {verdict.id: verdict for verdict in verdicts}
    return saved, tuple(by_id.get(exercise.id) or lost(exercise, saved.lost[exercise.name]) for exercise in exercises)


class Telling:
    """Pass verdicts on in the order of the exercises, those on lost exercises among them."""

    def __init__(self, exercises, lost, tell, spare_import):
        self.waiting, self.lost, self.hear, self.spare_import = list(exercises), lost, tell, spare_import

    def tell(self, verdict):
        if self.hear and not (self.spare_import and cell_failing_on_import([verdict])):
            self.rest(verdict.id)
            self.waiting.pop(0)
            self.hear(verdict)

    def rest(self, until=None):
        """Pass on the verdicts on lost exercises, up to the one with an id."""
        while self.hear and self.waiting and self.waiting[0].id != until:
            exercise = self.waiting.pop(0)
            self.hear(lost(exercise, self.lost[exercise.name]))


def lost(exercise, reason):
    """Return the verdict on an exercise that could not be used."""
    return checking.Verdict(exercise.id, exercise.name, "error", failure=checking.Failure((("", reason),)))


def cell_failing_on_import(verdicts):
    """Return the number of the cell whose statement raised when the module was imported, or None."""
    failure = verdicts[0].failure if verdicts else None
    if not failure or not failure.shared:
        return None
    cells = re.findall(r"cell (\d+)", dict(failure.rows).get("at", ""))
    return int(cells[-1]) if cells else None


def with_second_definition(verdict, written):
    """Return a verdict; a failed one mentions a second cell that defines the exercise, and which of the two was checked."""
    defining = blame.also_defined(written, verdict.name) if verdict.status in blame.WRONG else []
    if not any(defining):
        return verdict
    note = wording.twice(verdict.name, defining, wording.EXPORTED_COUNTS)
    return replace(verdict, failure=replace(verdict.failure, rows=(*verdict.failure.rows, ("defined twice", note))))


def check(space, module, text, exercises, files=None, **options):
    """Check exercises on a package with ``text`` as the module's file.

    Args:
        space: The workspace whose package gives the other files.
        module: The module.
        text: Text of the module's file.
        exercises: The exercises to check.
        files: Dict from the names of other files of the package to their replacement texts.
        options: Passed on to `runner.check`, such as ``timeout`` in seconds or ``seeds``.

    Returns:
        Tuple of `checking.Verdict`.
    """
    with package(space, module, text) as parent:
        for name, other in (files or {}).items():
            (parent / "tinytorch" / name).write_text(other, encoding="utf-8")
        return tuple(
            runner.check(parent, f"tinytorch.{module.package_name}", workspace.course_checks(module), exercises, **options)
        )


@contextlib.contextmanager
def package(space, module, text):
    """Make a folder with a `tinytorch`: the given files, the exports of the prerequisites, and the module's file.

    The exports of other modules are left out, because a module uses only what its prerequisites built.
    """
    needed = {prerequisite.exports for prerequisite in space.curriculum.prerequisites(module)}
    with leftovers.folder() as folder:
        workspace.copy_package(space.package, folder / "tinytorch", needed)
        (folder / "modules").mkdir()
        shutil.copyfile(space.root / workspace.MANIFEST, folder / workspace.MANIFEST)
        (folder / "tinytorch" / module.exports).write_text(text, encoding="utf-8")
        yield folder


def saved(path):
    """Return when a notebook was last saved: `saved 2026-03-01 14:02:11, 3 minutes ago`."""
    when = datetime.fromtimestamp(path.stat().st_mtime)
    seconds = (datetime.now() - when).total_seconds()
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            count = int(seconds // size)
            return f"saved {when:%Y-%m-%d %H:%M:%S}, {count} {unit}{'s' if count > 1 else ''} ago"
    return f"saved {when:%Y-%m-%d %H:%M:%S}, now"
