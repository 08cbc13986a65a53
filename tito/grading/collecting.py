"""Collect what a class handed in: from folders, from zips, and from the zips that Moodle, Canvas and Gradescope export."""

import re
import shutil
import time
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tito.files import replace_atomically
from tito.grading import intake, parcel

MOODLE = re.compile(r"^(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)$")
CANVAS = re.compile(r"^(?P<name>[^_]+)(?P<late>_LATE)?_(?P<id>\d+)_\d+_(?P<file>.+)$")
GRADESCOPE = re.compile(r"^submission_(?P<id>\d+)$")
METADATA = "submission_metadata.yml"
OUTER = re.compile(r"^(submitted|assignment_\d+_export)$")
MOST_OF_A_STUDENT = 20  # files


@dataclass
class Submission:
    """What one student handed in: files by name, when, and what was odd."""

    files: dict = field(default_factory=dict)
    when: str | None = None
    notes: list = field(default_factory=list)


class Roster:
    """Find a student by what an LMS knows: id, name, mail address.

    Args:
        students: Dict from student to a dict of first_name, last_name, email, lms_user_id.
    """

    def __init__(self, students):
        self.known = {}
        for student, about in students.items():
            first, last = about["first_name"] or "", about["last_name"] or ""
            keys = [student, about["lms_user_id"], about["email"], f"{first}{last}", f"{last}{first}", f"{last},{first}"]
            for key in filter(None, map(plain, keys)):
                self.known.setdefault(key, student)

    def student(self, *keys):
        """Return the student whom one of the keys names, else a name made of the last one, and whether it is in the roster."""
        for key in keys:
            if plain(key) in self.known:
                return self.known[plain(key)], True
        return safe(keys[-1]), False


def plain(key):
    """Return a key in lower case without blanks, accents and punctuation that LMSs drop from names."""
    text = unicodedata.normalize("NFKD", str(key or "")).lower()
    return "".join(letter for letter in text if letter.isalnum() or letter in "@")


def safe(name):
    """Return a name that is a folder's on every system."""
    text = "-".join(re.findall(r"[\w.@]+", unicodedata.normalize("NFKC", str(name))))[:80].strip(".")
    return text or "unnamed"


def gather(sources, roster):
    """Return what is in folders and zips: a dict from student to `Submission`, and texts on what could not be used.

    Args:
        sources: Paths of folders and zips.
        roster: The `Roster`.
    """
    gathered, skipped, unknown = {}, [], set()
    for source in sources:
        try:
            entries = from_folder(source) if source.is_dir() else parcel.files(source, skipped)
            gather_one(entries, source, roster, gathered, skipped, unknown)
        except parcel.Refused as error:
            skipped.append(f"{source.name}: {error}")
    if roster.known:
        skipped += [f"{student} is not in the roster" for student in sorted(unknown)]
    return gathered, skipped


def from_folder(folder):
    """Yield (path, bytes, None) for each file in a folder; links are left out."""
    waiting = [PurePosixPath()]
    while waiting:
        inside = waiting.pop()
        names = intake.folders(folder / inside)
        waiting += [inside / name for name in names]
        for path in sorted((folder / inside).iterdir()):
            if path.name not in names and not path.is_symlink() and wanted(path):
                yield inside / path.name, intake.content(path), None


def wanted(path):
    return path.suffix.lower() in (*intake.KINDS, ".zip") or path.name in (METADATA, "timestamp.txt")


def gather_one(entries, source, roster, gathered, skipped, unknown):
    """Add the files of one folder or zip to what is gathered."""
    metadata, plain_files, manifest = {}, [], {}
    for path, content, _ in entries:
        if path.name == METADATA:
            metadata = gradescope(content.decode("utf-8", "replace"))
        elif path.name == parcel.MANIFEST and len(path.parts) == 1:
            manifest = parcel.checked_manifest(content)
        elif path.suffix.lower() in (*intake.KINDS, ".zip") or path.name == "timestamp.txt":
            if "__MACOSX" not in path.parts:
                plain_files.append((path, content))
    for path, content in plain_files:
        keys, name, note = owner(path, metadata)
        keys = keys or [manifest.get("student") or source.stem]
        student, known = roster.student(*keys)
        if not known:
            unknown.add(student)
        submission = gathered.setdefault(student, Submission())
        if note:
            submission.notes.append(note)
        submission.when = metadata.get(path.parts[-2] if len(path.parts) > 1 else "", {}).get("when") or submission.when
        take(submission, name, content, skipped, student)


def owner(path, metadata):
    """Return keys to find the student by, the file's own name, and a note, from a path in an LMS's export."""
    parts = [part for part in path.parts if not OUTER.match(part) and part not in ("..", ".", "/")]
    for part in parts[:-1]:
        if GRADESCOPE.match(part):
            about = metadata.get(part, {})
            return [about.get("sid"), about.get("email"), about.get("name") or part], parts[-1], None
        if match := MOODLE.match(part):
            return [match["name"]], parts[-1], None
    if match := MOODLE.match(parts[-1]):
        return [match["name"]], match["file"], None
    if match := CANVAS.match(parts[-1]):
        return [match["id"], match["name"]], match["file"], "Canvas says that it was late" if match["late"] else None
    return ([parts[0]] if len(parts) > 1 else []), parts[-1], None


def take(submission, name, content, skipped, student):
    """Add a file to what a student handed in; a zip's notebooks in its place."""
    if name == "timestamp.txt":
        submission.when = content.decode("utf-8", "replace").strip()[:100]
        return
    found = {name: content}
    if name.lower().endswith(".zip"):
        odd = []
        try:
            found, _ = parcel.unpack(content, odd)
        except parcel.Refused as error:
            odd.append(f"{name}: {error}")
            found = {}
        submission.notes += odd
        skipped += [f"{student}: {text}" for text in odd]
    for each, data in found.items():
        if len(submission.files) < MOST_OF_A_STUDENT:
            submission.files[safe_file(each)] = data


def safe_file(name):
    """Return a file's name without folders and control characters."""
    name = "".join(letter for letter in PurePosixPath(name).name if letter.isprintable() and letter not in '<>:"/\\|?*')
    stem, dot, suffix = name.rpartition(".")
    return f"{stem[:100]}{dot}{suffix[:10]}".lstrip(".") or "notebook.ipynb"


def gradescope(text):
    """Return what Gradescope's export says about each submission: a dict from folder to name, sid, email and time.

    The file is YAML of a fixed form, of which a few lines are needed.
    """
    about, current = {}, None
    for line in text.splitlines():
        if match := re.match(r"^(submission_\d+):", line):
            current = about.setdefault(match[1], {})
        elif current is not None and (match := re.match(r"^[\s-]*:(name|sid|email|created_at):\s*(.+?)\s*$", line)):
            key = {"created_at": "when"}.get(match[1], match[1])
            current.setdefault(key, match[2].strip("'\""))
    return about


def store(classroom, module, student, submission, timestamp=None):
    """Write a submission into the class's folder; what was there before is moved to `collected/`.

    Returns:
        What happened: "new", "replaced" or "the same".
    """
    folder = classroom.path("submitted", module, student)
    before = {name: intake.content(folder / name) for name in (intake.contents(folder)[0] if folder.is_dir() else [])}
    if before == submission.files:
        return "the same"
    if folder.exists() or folder.is_symlink():
        kept = classroom.folder / "collected" / module.folder / student / time.strftime("%Y-%m-%d_%H-%M-%S")
        while kept.exists():
            kept = kept.with_name(kept.name + "_")
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder, kept)
    for name, data in submission.files.items():
        replace_atomically(folder / name, data)
    when = timestamp or submission.when
    if when:
        replace_atomically(folder / "timestamp.txt", f"{when}\n".encode())
    return "replaced" if before else "new"


def read_roster(path):
    """Return the rows of a roster CSV: a dict from student to first_name, last_name, email, lms_user_id.

    nbgrader's own column names count, and those of the exports of Canvas and Moodle.

    Raises:
        ValueError: No column holds an id.
    """
    import csv

    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {plain(column): column for column in (rows[0] if rows else {}) if column}

    def value(row, *names):
        return next((row[columns[name]].strip() for name in names if name in columns and (row[columns[name]] or "").strip()), "")

    students = {}
    for row in rows:
        student = value(row, "studentid", "sisuserid", "idnumber", "sisloginid", "username", "id", "emailaddress", "email")
        if not student or value(row, "student") == "Points Possible":
            continue
        last, _, first = value(row, "student").partition(",")
        students[safe(student)] = {
            "first_name": value(row, "firstname") or first.strip() or None,
            "last_name": value(row, "lastname", "surname") or last.strip() or None,
            "email": value(row, "email", "emailaddress") or None,
            "lms_user_id": value(row, "lmsuserid", "id", "canvasid") or None,
        }
    if not students:
        raise ValueError(f"{Path(path).name} has no column student_id, or no row")
    return students
