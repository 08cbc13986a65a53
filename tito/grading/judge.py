"""The judge: marks for a notebook that somebody else wrote, based only on what its code returns.

The notebook is read in this process but never run in it. Its code runs in the sandbox, on the course's own prerequisites. The
inputs are drawn at marking time, the same for everyone marked together, and the results are compared here. An exercise earns all
of its points or none.
"""

import secrets
from dataclasses import dataclass

from tito import workspace
from tito.checks import checking, layout, trial
from tito.notebooks import source
from tito.notebooks.export import export_text
from tito.notebooks.problems import SourceError

LARGEST = 64 * 2**20  # bytes of a notebook, its outputs included
FRESH = 2  # seeds drawn for a class, besides the two public ones
TRIES = 20


@dataclass(frozen=True)
class Mark:
    """The mark for one exercise of a submission; `verdict` is None if nothing could run."""

    exercise: source.Exercise
    verdict: checking.Verdict | None = None

    @property
    def passed(self):
        return self.verdict is not None and self.verdict.status == "passed"

    @property
    def points(self):
        return self.exercise.points if self.passed else 0


@dataclass(frozen=True)
class Judgement:
    """The result of a submission; `reason` says why nothing could run."""

    marks: tuple[Mark, ...]
    reason: str | None = None
    seeds: tuple[int, ...] = ()

    @property
    def passed(self):
        return [mark for mark in self.marks if mark.passed]

    @property
    def points(self):
        return sum(mark.points for mark in self.marks)

    @property
    def maximum(self):
        return sum(mark.exercise.points for mark in self.marks)


class Unreadable(Exception):
    """A submission cannot be read and earns nothing; the message says why."""


class CourseBroken(Exception):
    """The course's own solutions do not pass here, so no submission can be marked."""


def draw_seeds(module, **options):
    """Draw seeds for a class with which the course's own solutions pass in the sandbox.

    If the exact result of a case is almost zero, rounding alone can exceed the tolerance. No student loses points to that.

    Args:
        module: The module.
        options: Further arguments of `runner.check`, such as `sandbox.options()`.

    Returns:
        Tuple of whole numbers.

    Raises:
        CourseBroken: The course's solutions fail with every draw.
    """
    reference = source.read(workspace.course_source(module))
    text = export_text(reference, reference, f"{module.folder}/{module.name}.py")
    for _ in range(TRIES):
        seeds = (*checking.SEEDS, *(secrets.randbits(32) for _ in range(FRESH)))
        failed = [verdict for verdict in observed(module, text, seeds, options) if verdict.status != "passed"]
        if not failed:
            return seeds
    raise CourseBroken(f"the course's own solutions do not pass:\n{layout.text(failed[0])}")


def observed(module, text, seeds, options):
    """Return the verdicts on a text used as the module's file, on the course's own prerequisites."""
    exercises = source.read(workspace.course_source(module)).exercises()
    return trial.check(workspace.Workspace(workspace.course_dir()), module, text, exercises, seeds=seeds, **options)


def judge(module, path, seeds, **options):
    """Mark a submission.

    Args:
        module: The module.
        path: `pathlib.Path` of the submitted notebook.
        seeds: Seeds to draw the inputs with, from `draw_seeds`.
        options: Further arguments of `runner.check`, such as `timeout` and `sandbox.options()`.

    Returns:
        The `Judgement`.

    Raises:
        RunnerError: The sandbox did not start, which is not the submission's fault.
    """
    reference = source.read(workspace.course_source(module))
    try:
        written, text = exported(module, path, reference)
    except Unreadable as error:
        return Judgement(tuple(map(Mark, reference.exercises())), reason=str(error))
    verdicts = observed(module, text, seeds, options)
    return Judgement(tuple(map(Mark, reference.exercises(), verdicts)), None, seeds)


def exported(module, path, reference):
    """Return a submission's notebook and the text that it exports.

    Raises:
        Unreadable: The notebook cannot be read or exported.
    """
    if not (path.is_symlink() or path.exists()):
        raise Unreadable(f"{path.name} was not submitted")
    if path.is_symlink() or not path.is_file():
        raise Unreadable(f"{path.name} is a link or not a file: submit the notebook itself")
    if path.stat().st_size > LARGEST:
        raise Unreadable(f"{path.name} is larger than {LARGEST // 2**20} MB: clear its outputs")
    try:
        written = source.read(path)
        return written, export_text(written, reference, f"{module.folder}/{path.name}")
    except SourceError as error:
        raise Unreadable(str(error)) from error
    except (RecursionError, MemoryError):
        raise Unreadable(f"{path.name} is nested too deeply to be read") from None


def feedback(judgement, module):
    """Return the feedback for a student: points, each exercise, and for failures the call, values and likely reason."""
    label = f"{module.folder}/{module.name}.ipynb"
    head = f"{label}: {judgement.points} of {judgement.maximum} points"
    if judgement.reason:
        return layout.clean(f"{head}\n\nNothing could be checked:\n{judgement.reason}\n")
    lines = [f"  {mark.points} of {mark.exercise.points}  {mark.exercise.label}" for mark in judgement.marks]
    drawn = "Inputs were drawn with the seeds " + ", ".join(map(str, judgement.seeds)) + "."
    failed = [mark.verdict for mark in judgement.marks if not mark.passed]
    reports = layout.texts(failed, label, next_step=layout.IN_TERMINAL)
    return layout.clean("\n".join([head, "", *lines, "", *(f"{text}\n" for text in reports), drawn]) + "\n")
