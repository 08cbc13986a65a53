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
        self.ids, self.names = {}, {}
        for student, about in students.items():
            first, last = about["first_name"] or "", about["last_name"] or ""
            for key in filter(None, map(plain, (student, about["lms_user_id"], about["email"]))):
                self.ids.setdefault(key, student)
            for key in filter(None, map(plain, (f"{first}{last}", f"{last}{first}"))):
                self.names.setdefault(key, set()).add(student)

    def student(self, ids, names=()):
        """Return the student whom an id or a name means, else a name made of the last key, and whether it is in the roster.

        A name is never taken for an id: at most LMSs, students choose the name that is shown.

        Raises:
            Ambiguous: Several students have the name.
        """
        for key in map(plain, ids):
            if key in self.ids:
                return self.ids[key], True
        for name in names:
            students = self.names.get(plain(name), ())
            if len(students) > 1:
                raise Ambiguous(f"{name} is the name of {', '.join(sorted(students))}")
            if students:
                return min(students), True
        stranger = safe([*ids, *names][-1])
        return stranger + "-unknown" * (plain(stranger) in self.ids), False  # never another student's folder


class Ambiguous(Exception):
    """A name does not say who handed something in."""


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
    claims, skipped, unknown = {}, [], set()
    for source in sources:
        try:
            entries = from_folder(source) if source.is_dir() else parcel.files(source, skipped)
            gather_one(list(entries), source, roster, claims, skipped, unknown)
        except parcel.Refused as error:
            skipped.append(f"{source.name}: {error}")
    if roster.ids:
        skipped += [f"{student} is not in the roster" for student in sorted(unknown)]
    gathered = {}
    for student, origins in claims.items():
        first, *others = origins.values()
        if any(other.files != first.files for other in others):
            skipped.append(
                f"{student}: {' and '.join(origins)} are for the same student; none is used: collect the right one alone"
            )
        else:
            gathered[student] = first
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


def gather_one(entries, source, roster, claims, skipped, unknown):
    """Add the files of one folder or zip to what is claimed: a dict from student to a dict from origin to `Submission`."""
    metadata, manifest, files = {}, {}, []
    for path, content, _ in entries:
        path = without_outer(path)
        if path.name == METADATA and len(path.parts) == 1:
            metadata = gradescope(content.decode("utf-8", "replace"))
        elif path.name == parcel.MANIFEST and len(path.parts) == 1:
            manifest = parcel.checked_manifest(content)
        elif wanted(path) and path.name != METADATA and "__MACOSX" not in path.parts:
            files.append((path, content))
    form, depth = ("one", 0) if manifest else form_of([path for path, _ in files], roster)
    for path, content in files:
        about = owner(path, form, depth, metadata)
        if path.name == "timestamp.txt" and not (form == "folders" and source.is_dir() and len(path.parts) <= 3):
            continue  # a student's own, who would choose the time
        if not about.ids + about.names:
            about = unsaid(path, content, source, manifest)
        try:
            student, known = roster.student(about.ids, about.names)
        except Ambiguous as error:
            skipped.append(f"{path}: {error}; collect it alone, from a folder named like the student")
            continue
        if not known:
            unknown.add(student)
        submission = claims.setdefault(student, {}).setdefault(f"{source}/{about.origin}", Submission(when=about.when))
        if about.note and about.note not in submission.notes:
            submission.notes.append(about.note)
        take(submission, about.file, content, skipped, student)


def unsaid(path, content, source, manifest):
    """Return the `Owner` of a file whose path does not say it: a zip in a folder says it itself, else the source's name does."""
    own_zip = source.is_dir() and path.suffix.lower() == ".zip"
    if own_zip:
        try:
            manifest = parcel.unpack(content, [])[1]
        except parcel.Refused:
            manifest = {}
    name = path.stem if own_zip else source.stem
    student = manifest.get("student") or name
    return Owner([student], [name, student], path.name, name)  # the last is the folder's name of one who is not in the roster


def without_outer(path):
    """Return a path without the folder around a whole export."""
    return PurePosixPath(*path.parts[1:]) if len(path.parts) > 1 and OUTER.match(path.parts[0]) else path


def form_of(paths, roster):
    """Return how the paths of a source say whose they are, and in which part of the path.

    All must say it in the same way: a student chooses the names of files and folders in a submission, and could choose those of
    another student's.
    """
    for depth in (0, 1):
        parts = [path.parts[depth] if len(path.parts) > depth else "" for path in paths]
        around = {path.parts[0] for path in paths if depth}
        if not parts or len(around) > 1 or any(plain(name) in roster.ids for name in around):
            break
        for form, pattern in (("moodle", MOODLE), ("gradescope", GRADESCOPE)):
            if all(map(pattern.match, parts)):
                return form, depth
    if paths and all(len(path.parts) == 1 and CANVAS.match(path.name) for path in paths):
        return "canvas", 0
    return "folders", 0


@dataclass
class Owner:
    """Whose a file is: ids and names of the student, the file's own name, and what one student's files have in common."""

    ids: list
    names: list
    file: str
    origin: str
    note: str | None = None
    when: str | None = None


def owner(path, form, depth, metadata):
    """Return the `Owner` of a file, from its path in an export and the export's form; without ids and names if it says none."""
    part, file = path.parts[depth], path.name
    if form == "gradescope":
        about = metadata.get(part, {})
        ids = [key for key in (about.get("sid"), about.get("email")) if key]
        return Owner(ids, [about.get("name") or part], file, part, when=about.get("when"))
    if form == "moodle":
        match = MOODLE.match(part)
        return Owner([], [match["name"]], match["file"] if part == file else file, f"{match['name']}_{match['id']}")
    if form == "canvas":
        match = CANVAS.match(part)
        note = "Canvas says that it was late" if match["late"] else None
        return Owner([match["id"]], [match["name"]], match["file"], f"{match['name']}_{match['id']}", note)
    if form == "folders" and len(path.parts) > 1:
        return Owner([part], [part], file, part)
    return Owner([], [], file, "")


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
        if timestamp:
            replace_atomically(folder / "timestamp.txt", f"{timestamp}\n".encode())
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
