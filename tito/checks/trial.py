"""Check a module: the learner's notebook is exported into a package in a temporary folder, and its exercises run there."""

import contextlib
import shutil
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tito import leftovers, workspace
from tito.checks import blame, runner, wording
from tito.curriculum import UnknownExercise
from tito.notebooks import given, source
from tito.notebooks.export import export_text
from tito.update import origin


@dataclass(frozen=True)
class Trial:
    """The result: the notebook's path, the exported text, a verdict for each exercise, and given code that was changed."""

    path: Path
    label: str
    text: str
    verdicts: tuple
    changed: tuple = ()

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
        SourceError: The notebook cannot be exported.
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
        raise UnknownExercise(f"module {module} has no exercise {only}: it has {ids}")
    text = export_text(written, reference, space.label(path))

    def judged(text, exercises, files=None, tell=None):
        return check(space, module, text, exercises, files, timeout=timeout, tell=tell)

    verdicts = blame.named(judged(text, exercises, tell=tell), blame.Substitution(space, module, written, reference, judged))
    verdicts = tuple(with_second_definition(verdict, written) for verdict in verdicts)
    return Trial(path, space.label(path), text, verdicts, tuple(given.changed(written, reference)))


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
        shutil.copy(space.root / workspace.MANIFEST, folder / "modules")
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
