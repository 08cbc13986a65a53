"""The judge: marks for a notebook that somebody else wrote, based only on what its code returns.

The notebook is read in this process but never run in it. Its code runs in the sandbox, on the course's own prerequisites. The
inputs are drawn at marking time, the same for everyone marked together, and the results are compared here. An exercise earns all
of its points or none. What cannot be exported is repaired first, so that one slip costs one exercise.
"""

import functools
import secrets
from dataclasses import dataclass, field

from tito import workspace
from tito.checks import blame, checking, layout, trial
from tito.grading import assignment, flags, intake, similarity
from tito.grading.intake import Handed, Unreadable
from tito.notebooks import salvage, source
from tito.notebooks.export import export_text

FRESH = 2  # seeds drawn for a class, besides the two public ones
TRIES = 20
LONGEST_ANSWER = 50_000  # characters of one cell that are shown to who grades by hand
MOST_NOTES = 20  # shown of what was repaired or left out


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
    """The result of a submission.

    Attributes:
        marks: A `Mark` for each exercise.
        reason: Why nothing could be read, or None.
        seeds: The seeds that the inputs were drawn with.
        cells: Dict from a name to the cell that defines it.
        notes: What was repaired or left out, for student and instructor.
        flags: What the instructor should look at.
        text: The code that was marked.
        answers: Dict from the names in the gradebook of exercises and questions to what the student wrote.
        own: The result on the student's own earlier modules, from `on_own_modules`, or None.
    """

    marks: tuple[Mark, ...]
    reason: str | None = None
    seeds: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    answers: dict = field(default_factory=dict, repr=False)
    own: dict | None = None

    @property
    def passed(self):
        return [mark for mark in self.marks if mark.passed]

    @property
    def points(self):
        return sum(mark.points for mark in self.marks)

    @property
    def maximum(self):
        return sum(mark.exercise.points for mark in self.marks)


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


def observed(module, text, seeds, options, exercises=None, files=None):
    """Return the verdicts on a text used as the module's file, on the course's own prerequisites, or on other `files`."""
    if exercises is None:
        exercises = source.read(workspace.course_source(module)).exercises()
    return trial.check(workspace.Workspace(workspace.course_dir()), module, text, exercises, files, seeds=seeds, **options)


def on_own_modules(module, text, verdicts, seeds, own, options):
    """Run the exercises that passed once more, on the student's own earlier modules. No points depend on it.

    Args:
        module: The module.
        text: The code that was marked.
        verdicts: The verdicts on it.
        seeds: Seeds to draw the inputs with.
        own: Dict from the names of files of the package, such as "tensor.py", to the student's texts.
        options: Further arguments of `runner.check`.

    Returns:
        Dict with the names of the files, and the ids and names of exercises that pass on the course's modules alone.
    """
    passed = {verdict.id for verdict in verdicts if verdict.status == "passed"}
    exercises = [each for each in source.read(workspace.course_source(module)).exercises() if each.id in passed]
    again = observed(module, text, seeds, options, exercises, own) if exercises else ()
    failing = [f"{verdict.id} {verdict.name}" for verdict in again if verdict.status != "passed"]
    return {"files": sorted(own), "ran": len(exercises), "failing": failing}


def judge(module, path, seeds, **options):
    """Mark the submission in a file; see `judge_file`."""
    try:
        handed = Handed(path.name, intake.content(path))
    except Unreadable as error:
        return unreadable(module, str(error))
    return judge_file(module, handed, seeds, **options)


def judge_file(module, handed, seeds, spared=None, begin=lambda what: None, own=None, **options):
    """Mark a submission.

    Args:
        module: The module.
        handed: The submitted file, as `intake.Handed`.
        seeds: Seeds to draw the inputs with, from `draw_seeds`.
        spared: Dict from the ids of exercises that are not to be run to the reason: they earn nothing.
        begin: Function called with "reading", and with each exercise's id, before the work on it begins; with "own" before the
            run on the student's own earlier modules, and with "reporting".
        own: Dict from the names of files of the package to the student's own texts: see `on_own_modules`.
        options: Further arguments of `runner.check`, such as `timeout` and `sandbox.options()`.

    Returns:
        The `Judgement`.

    Raises:
        RunnerError: The sandbox did not start, which is not the submission's fault.
    """
    begin("reading")
    reference = source.read(workspace.course_source(module))
    label = f"{module.folder}/{module.name}.ipynb"
    try:
        written, notes = intake.notebook(handed)
    except Unreadable as error:
        return unreadable(module, str(error))
    saved = salvage.salvage(written, reference, label)
    spared, exercises = spared or {}, reference.exercises()

    def check(text, exercises, tell):
        return observed(module, text, seeds, {**options, "begin": lambda each: begin(each.id)}, exercises)

    run = [exercise for exercise in exercises if exercise.id not in spared]
    saved, verdicts = trial.survey(saved, reference, label, run, check) if run else (saved, ())
    integration = None
    if own:
        begin("own")
        integration = on_own_modules(module, saved.text, verdicts, seeds, own, options)
    begin("reporting")
    by_id = {verdict.id: verdict for verdict in verdicts}
    verdicts = [by_id.get(each.id) or trial.lost(each, spared[each.id]) for each in exercises]
    verdicts = [trial.with_second_definition(verdict, written) for verdict in verdicts]
    notes = (*notes, *map(str, saved.problems))
    more = f"and {len(notes) - MOST_NOTES} more" if len(notes) > MOST_NOTES else None
    return Judgement(
        tuple(map(Mark, exercises, verdicts)),
        None,
        tuple(seeds),
        (*notes[:MOST_NOTES], *([more] if more else [])),
        tuple(flags.flags(saved.notebook, reference, verdicts)),
        saved.text,
        answers(saved.notebook, exercises),
        integration,
    )


def answers(notebook, exercises):
    """Return what a student wrote: the text of the cell of each exercise, and of each answer to a question."""
    defining = blame.cells_by_name(notebook)
    written = {each.id: defining[each.name].text for each in exercises if each.name in defining}
    by_id = {assignment.identity("exercise", number): text[:LONGEST_ANSWER] for number, text in written.items()}
    for cell in notebook.cells:
        question = cell.metadata.get("answer")
        if isinstance(question, str) and question[:2].isdecimal():
            by_id[assignment.identity("answer", question[:10])] = cell.text[:LONGEST_ANSWER]
    return by_id


def unreadable(module, reason):
    """Return the judgement on a submission that could not be read."""
    exercises = source.read(workspace.course_source(module)).exercises()
    return Judgement(tuple(map(Mark, exercises)), reason=reason)


def record(judgement, module):
    """Return a judgement as JSON data."""
    return {
        "reason": judgement.reason,
        "points": judgement.points,
        "maximum": judgement.maximum,
        "exercises": [line(mark, f"{module.folder}/{module.name}.ipynb") for mark in judgement.marks],
        "notes": list(judgement.notes),
        "flags": list(judgement.flags),
        "seeds": list(judgement.seeds),
        "text": judgement.text,
        "answers": judgement.answers,
        "pieces": own_pieces(judgement, module),
        "own": judgement.own,
    }


def own_pieces(judgement, module):
    """Return the pieces of a submission's code that are not the course's, for `similarity.pairs`."""
    reference = source.read(workspace.course_source(module))
    known, ours = course_pieces(module, export_text(reference, reference, module.name))
    return {piece: size for piece, size in similarity.pieces(judgement.text, known).items() if piece not in ours}


@functools.lru_cache(maxsize=4)
def course_pieces(module, text):
    """Return the names and the pieces of the course's own file, solutions included."""
    known = similarity.known_names(text)
    return known, frozenset(similarity.pieces(text, known))


def line(mark, where):
    """Return the mark for one exercise as JSON data; `told` is for the student, `report` beside the cell in the notebook."""
    verdict = mark.verdict
    failure = verdict.failure if verdict else None
    return {
        "id": mark.exercise.id,
        "name": mark.exercise.name,
        "points": mark.points,
        "worth": mark.exercise.points,
        "status": verdict.status if verdict else "unread",
        "passed": verdict.passed if verdict else 0,
        "total": verdict.total if verdict else 0,
        "looks_like": failure.looks_like if failure else None,
        "report": layout.text(verdict)[:4000] if verdict else "",
        "told": layout.text(verdict, where, layout.IN_TERMINAL) if verdict and not mark.passed else "",
    }
