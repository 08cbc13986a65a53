"""Write what a student handed in into the class's folder; nothing that was there is lost."""

import shutil
import time

from tito.files import replace_atomically
from tito.grading import intake, times


def store(classroom, module, student, submission, timestamp=None):
    """Write a submission into the class's folder; what was there before is moved to `collected/`.

    A submission of which nothing can be used has a folder with the reason in it, so that it is listed when the class is marked.
    One with only files of other kinds, such as a PDF, does not replace a notebook that was handed in before.

    Args:
        classroom: The `Classroom`.
        module: The module.
        student: The student's id.
        submission: The `Submission`.
        timestamp: When it was handed in, if the export does not say it.

    Returns:
        What happened: "new", "replaced", "the same", or "kept" if what was there before stays.
    """
    folder = classroom.path("submitted", module, student)
    files = submission.files or {intake.NOT_USED: why_nothing(submission)}
    when = time_of(submission, timestamp)
    before = stored(folder)
    if before == files:
        keep_time(folder, when, submission)
        return "the same"
    if submission.is_empty() and before.keys() - {intake.NOT_USED}:
        return "kept"
    if folder.exists() or folder.is_symlink():
        move_aside(folder, classroom.folder / "collected" / module.folder / student)
    for name, data in files.items():
        replace_atomically(folder / name, data)
    if when:
        replace_atomically(folder / times.NAME, f"{when}\n".encode())
    return "replaced" if before else "new"


def move_aside(folder, history):
    """Move a submission into a folder of its own among the student's earlier ones, named by the time of now."""
    kept = history / time.strftime("%Y-%m-%d_%H-%M-%S")
    while kept.exists():
        kept = kept.with_name(kept.name + "_")
    history.mkdir(parents=True, exist_ok=True)
    shutil.move(folder, kept)


def stored(folder):
    """Return the files of a submission that is there: a dict from name to bytes, None for one that cannot be read."""
    if folder.is_symlink() or not folder.is_dir():
        return {}
    names = intake.contents(folder)[0] + [intake.NOT_USED] * (folder / intake.NOT_USED).exists()
    return {name: intake.content_or_problem(folder / name)[0] for name in names}


def why_nothing(submission):
    """Return the bytes of a text that says why nothing of a submission can be used."""
    lines = submission.problems + submission.notes + submission.not_used() or ["no file was in it"]
    return "\n".join(lines[:20]).encode("utf-8", "replace")


def time_of(submission, given):
    """Return the text with the time of a submission: what its source says, else what the instructor has given, else None.

    A time in the source that cannot be read is noted: without a time, the submission would count as in time.
    """
    if submission.when is None:
        return given
    try:
        times.parse(submission.when)
    except times.NoTime as error:
        submission.notes.append(f"its time of hand-in is not used: {error}")
        return given
    return submission.when


def keep_time(folder, when, submission):
    """Write when a submission was handed in beside it; a time that is there already stays, and a note says so."""
    if not when:
        return
    try:
        earlier = times.of(folder)
    except times.NoTime:
        replace_atomically(folder / times.NAME, f"{when}\n".encode())
        submission.notes.append(f"{times.NAME} is now {when}: late penalties follow it")
        return
    if earlier != times.parse(when):
        submission.notes.append(f"{times.NAME} keeps {earlier} UTC, not {when}; edit it to change it")
