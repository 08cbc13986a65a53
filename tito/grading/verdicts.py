"""What the judge found about each submission, one JSON file a student: for feedback, reports, and to do no work twice."""

import hashlib
import json
import time

from tito import workspace
from tito.files import replace_atomically
from tito.grading import intake

FOLDER = "verdicts"


def path(classroom, module, student):
    """Return the file with what was found about a student's submission."""
    return classroom.folder / FOLDER / module.folder / f"{student}.json"


def load(classroom, module, student):
    """Return what was found, or {} if the submission was not marked, or the file is damaged."""
    try:
        found = json.loads(path(classroom, module, student).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("exercises"), list) else {}


def save(classroom, module, student, record):
    """Write what was found, atomically."""
    text = json.dumps({**record, "marked": time.time()}, ensure_ascii=False, indent=1) + "\n"
    replace_atomically(path(classroom, module, student), text.encode("utf-8", "replace"))


def students(classroom, module):
    """Return the students whose submissions were marked, in order."""
    return sorted(file.stem for file in (classroom.folder / FOLDER / module.folder).glob("*.json"))


def waiting(classroom, module):
    """Return the students whose submission was not marked yet, or has changed since."""
    return [
        student
        for student, folder in classroom.submissions(module).items()
        if not is_marked(load(classroom, module, student), digest(hand_in(folder, module)))
    ]


def is_marked(record, submission):
    """Return whether a record is about the submission with this hash, by whatever state of the course it was marked."""
    return bool(record) and of_submission(record) == submission


def of_submission(record):
    """Return the part of a record's digest that is of the submission; the rest is of the course."""
    return record.get("digest", "")[: hashlib.sha256().digest_size * 2]


def digest(handed):
    """Return the hash of a submission: of what it is, or of why it cannot be read."""
    data = handed if isinstance(handed, str) else handed.name + "\0" + "\0".join(handed.notes) + "\0"
    return hashlib.sha256(data.encode("utf-8", "surrogateescape") + (b"" if isinstance(handed, str) else handed.data)).hexdigest()


def course_digest(module):
    """Return the hash of what a module is marked by: its source and its checks."""
    source = workspace.course_source(module)
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(source.parent.rglob("*.py")))).hexdigest()


def hand_in(folder, module):
    """Return a submission's file as `intake.Handed`, or the reason why there is none, a text."""
    try:
        return intake.read(folder, module)
    except intake.Unreadable as error:
        return str(error)
