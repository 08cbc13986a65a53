"""The judge: marks for a notebook that somebody else wrote, by what its code returns and by nothing that it says.

The notebook is read here and never run here. Its code runs in the sandbox, on the course's own prerequisites, with inputs
drawn for this one run; what it returns is compared here. An exercise earns all of its points or none.
"""
import secrets
from dataclasses import dataclass

from tito import checking, report, source, trial, workspace
from tito.export import export_text
from tito.problems import SourceError

LARGEST = 64 * 2**20  # bytes of a notebook, its outputs included
FRESH = 2             # seeds drawn for each run


@dataclass(frozen=True)
class Mark:
    """One exercise of a submission; `verdict` is None if nothing could run."""

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
    """What came of a submission; `reason` says why nothing could run."""

    marks: tuple[Mark, ...]
    reason: str | None = None
    seeds: tuple[int, ...] = ()
    cells: dict | None = None

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
    """A submission that cannot even be read earns nothing, and this is why."""


def judge(module, path, timeout=10.0, **options):
    """Mark a submission.

    Args:
        module: The module.
        path: `pathlib.Path` of the notebook handed in.
        timeout: Seconds for each exercise.
        options: Further arguments of `runner.observe`, such as `sandbox.options()`.

    Returns:
        The `Judgement`.

    Raises:
        RunnerError: Not the submission's fault: the sandbox did not start.
    """
    reference = source.read(workspace.course_source(module))
    exercises = reference.exercises()
    try:
        written, text = exported(module, path, reference)
    except Unreadable as error:
        return Judgement(tuple(map(Mark, exercises)), reason=str(error))
    course = workspace.Workspace(workspace.course_dir())
    seeds = (*checking.SEEDS, *(secrets.randbits(32) for _ in range(FRESH)))
    verdicts = trial.check(course, module, text, exercises, timeout=timeout, seeds=seeds, **options)
    return Judgement(tuple(map(Mark, exercises, verdicts)), None, seeds, trial.cells(written))


def exported(module, path, reference):
    """Return a submission's notebook, and the text of the package's file that it makes.

    Raises:
        Unreadable: There is no such text.
    """
    if path.is_symlink() or not path.is_file():
        raise Unreadable(f"{path.name} is a link or no file: only a notebook itself is marked")
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
    """Return what a student reads: points, each exercise, and of what failed the call, the values and the likely reason."""
    label = f"{module.folder}/{module.name}.ipynb"
    head = f"{label}: {judgement.points} of {judgement.maximum} points"
    if judgement.reason:
        return report.clean(f"{head}\n\nNothing could be checked:\n{judgement.reason}\n")
    lines = [f"  {mark.points} of {mark.exercise.points}  {mark.exercise.label}" for mark in judgement.marks]
    drawn = "Inputs were drawn with the seeds " + ", ".join(map(str, judgement.seeds)) + "."
    failed = [mark.verdict for mark in judgement.marks if not mark.passed]
    reports = report.texts(failed, lambda verdict: place(judgement, verdict, label), next_step=report.IN_TERMINAL)
    return report.clean("\n".join([head, "", *lines, "", *(f"{text}\n" for text in reports), drawn]) + "\n")


def place(judgement, verdict, label):
    """Return the place of an exercise in the notebook handed in."""
    cell = judgement.cells.get(verdict.name)
    return report.place(label, cell) if cell else label
