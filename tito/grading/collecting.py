"""Collect what a class handed in: from folders, from zips, and from the zips that Moodle, Canvas and Gradescope export."""

import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from tito.files import replace_atomically
from tito.grading import exports, intake, parcel, times
from tito.grading.roster import Ambiguous, Roster

__all__ = ["Ambiguous", "Roster", "Submission", "gather", "store"]

MOST_OF_A_STUDENT = 20  # files
ASIDE = re.compile(r"(old|older|backups?|archived?|archive|cop(y|ies)|trash|previous|versions?)\b.*", re.IGNORECASE)  # folders


@dataclass
class Submission:
    """What one student handed in for a module: notebooks and scripts, when, and what was odd about it.

    `found` has (path, bytes) of each notebook and script, and `others` the names of what is neither.
    """

    module: object = None
    when: str | None = None
    known: bool = True  # in the roster
    notes: list = field(default_factory=list)
    found: list = field(default_factory=list)
    others: list = field(default_factory=list)

    @property
    def files(self):
        """What counts: a dict from file name to bytes."""
        return choose(self.found, self.module)[0]

    def is_empty(self):
        """Return whether nothing in it could be meant as a submission."""
        return not self.found and not self.notes

    def not_used(self):
        """Return what is not used of it, a list of texts."""
        _, doubles, surplus = choose(self.found, self.module)
        reasons = {
            "left out, since another file of that name is more likely the one": doubles,
            f"left out, since only {MOST_OF_A_STUDENT} files of a student are taken": surplus,
            "not a notebook": self.others,
        }
        return [f"{reason}: {parcel.shortened(names)}" for reason, names in reasons.items() if names]


def choose(found, module):
    """Return the files that count, a dict from name to bytes, and the paths of others of these names, and of those too many.

    Args:
        found: List of (path, bytes).
        module: The module that is collected, or None.
    """
    files, taken, doubles, surplus = {}, {}, [], []
    for path, data in sorted(found, key=lambda each: distance(each[0], module)):
        name = safe_file(path)
        if taken.get(name.casefold()) == data:
            continue
        if name.casefold() in taken:  # on some systems, capitals do not tell two names apart
            doubles.append(path)
        elif len(files) == MOST_OF_A_STUDENT:
            surplus.append(path)
        else:
            files[name] = taken[name.casefold()] = data
    return files, doubles, surplus


def distance(path, module):
    """Return how far a file is from a module's notebook, to sort by: its name, then its folders."""
    *inside, name = PurePosixPath(path).parts or ("",)
    near = intake.resemblance(intake.plain_name(name), module) if module else ()
    aside, elsewhere = any(map(ASIDE.fullmatch, inside)), bool(module) and module.folder not in inside
    return *near, aside, elsewhere, len(inside), path


def gather(sources, roster, module=None):
    """Return what is in folders and zips: a dict from student to `Submission`, and texts on what could not be used.

    Args:
        sources: Paths of folders and zips.
        roster: The `Roster`.
        module: The module that is collected; None takes any.
    """
    claims, skipped = {}, []
    for source in sources:
        try:
            gather_one(list(entries_of(source, skipped)), source, roster, claims, skipped, module)
        except (parcel.Refused, OSError) as error:
            skipped.append(f"{source.name}: {error}")
    gathered = {}
    for student, origins in claims.items():
        first, *others = origins.values()
        if any(other.files != first.files for other in others):
            skipped.append(
                f"{student}: {' and '.join(origins)} are for the same student; none is used: collect the right one alone"
            )
            continue
        skipped += [f"{student}: {text}" for text in first.not_used()]
        if first.known or not first.is_empty():
            gathered[student] = first
    return gathered, skipped


def entries_of(source, skipped):
    """Return an iterable of (path, bytes, problem) for the files in a folder or a zip, or for a notebook itself."""
    if source.is_dir():
        return from_folder(source, skipped)
    if is_notebook(source):
        return [(PurePosixPath(source.name), *read(source))]
    return parcel.files(source, wanted)


def is_notebook(source):
    """Return whether a source is a notebook or a script itself."""
    return source.is_file() and PurePosixPath(intake.plain_name(source.name)).suffix.lower() in intake.KINDS


def from_folder(folder, skipped):
    """Yield (path, bytes, problem) for each file in a folder, like `parcel.files`; links are left out."""
    waiting = [PurePosixPath()]
    while waiting:
        inside = waiting.pop()
        try:
            names = sorted(path.name for path in (folder / inside).iterdir() if not path.is_symlink())
        except OSError as error:
            skipped.append(f"{folder.name}/{inside} cannot be read: {error.strerror}")
            continue
        for path in [inside / name for name in names]:
            if intake.is_hidden(path):
                continue
            if (folder / path).is_dir():
                waiting.append(path)
            elif wanted(path.name):
                yield path, *read(folder / path)
            else:
                yield path, None, None


def read(path):
    """Return the bytes of a file and None, or None and why it cannot be read."""
    try:
        return intake.content(path), None
    except intake.Unreadable as error:
        return None, str(error)


def wanted(name):
    return parcel.is_needed(name) or name.lower().endswith(".zip") or name in (exports.METADATA, times.NAME)


def gather_one(entries, source, roster, claims, skipped, module):
    """Add the files of one folder or zip to what is claimed: a dict from student to a dict from origin to `Submission`."""
    manifest = {} if source.is_dir() else root_manifest(entries)
    if is_of_another(manifest, module):
        raise parcel.Refused(is_of_another(manifest, module))
    form, depth = form_of(entries, source, roster, manifest, module)
    about = exports.gradescope(metadata(entries, depth)) if form == "gradescope" else {}
    is_stray = strays(form, source, entries)
    for path, content, problem in entries:
        inner = PurePosixPath(*path.parts[min(depth, len(path.parts) - 1) :])
        if inner.name in (exports.METADATA, parcel.MANIFEST):
            continue
        if inner.name == times.NAME and not (form == "folders" and source.is_dir() and len(inner.parts) in (2, 3)):
            continue  # a student's own, who would choose the time
        owners = exports.owners(inner, form, about, roster, module)
        try:
            if not owners and is_stray(inner.name):
                raise parcel.Refused("its name does not say whose it is")
            owners = owners or [unsaid(inner, content, source, form, manifest, roster, module)]
        except parcel.Refused as error:
            skipped.append(f"{path}: {error}")
            continue
        for owner in owners:
            try:
                student, submission = claim(owner, source, roster, claims, module)
            except Ambiguous as error:
                skipped.append(f"{path}: {error}; collect it alone, from a folder named like the student")
                continue
            if content is None:
                leave(submission, owner.file, problem, skipped, student)
            else:
                take(submission, owner.file, content, skipped, student)


def claim(owner, source, roster, claims, module):
    """Return the student whose a file is, and the `Submission` that it belongs to, among what is claimed.

    Raises:
        Ambiguous: Several students may be meant.
    """
    student, known = roster.student(owner.ids, owner.names, owner.asks, owner.grouped)
    origins = claims.setdefault(student, {})
    submission = origins.setdefault(f"{source}/{owner.origin}", Submission(module, owner.when, known))
    if owner.note and owner.note not in submission.notes:
        submission.notes.append(owner.note)
    return student, submission


def root_manifest(entries):
    """Return what `tito module submit` wrote into a zip, {} if it is another one."""
    contents = [content for path, content, _ in entries if str(path) == parcel.MANIFEST and content]
    return parcel.checked_manifest(contents[0]) if contents else {}


def metadata(entries, depth):
    """Return the text of Gradescope's own file, "" without it; a file of that name in a submission is a student's."""
    where = [
        content for path, content, _ in entries if path.name == exports.METADATA and len(path.parts) == depth + 1 and content
    ]
    return where[0].decode("utf-8", "replace") if where else ""


def is_of_another(manifest, module):
    """Return a text if a zip was packed for another module than the one that is collected, else ""."""
    packed = manifest.get("module")
    if module is None or packed in (None, module.folder):
        return ""
    return f"it is of module {packed}, and {module.folder} is collected: ask for the zip of `tito module submit {module.number}`"


def form_of(entries, source, roster, manifest, module):
    """Return how a source says whose its files are, and in which part of their paths; "one" if all are of one student.

    Raises:
        Refused: It may be one student's work or a class's.
    """
    if manifest:
        return "one", 0
    paths = [path for path, _, _ in entries]
    if is_notebook(source):
        named = exports.student_in(source.name, roster, module)
        if not named and module and module.name in source.name.lower():
            raise parcel.Refused("its name does not say whose it is: name it like the student, or collect the folder with it")
        return "files" if named else "one", 0
    if called(source) in roster.students or len(roster.named(called(source))) == 1:
        exports.check_is_one(called(source), paths, roster)
        return "one", 0
    return exports.form_of(paths, roster, module, source.is_dir())


def called(source):
    """Return the name of a folder, or of a zip without its suffix."""
    return source.resolve().name if source.is_dir() else source.stem


def strays(form, source, entries):
    """Return a function that says of a file's name whether it is nobody's, if it does not say whose it is.

    It is if it is beside an LMS's export, or beside students' work and no work itself.
    """
    folders = any(len(path.parts) > 1 for path, _, _ in entries)
    works = source.is_dir() and any(intake.is_work(path.name) for path, _, _ in entries)
    if form in ("one", "folders"):
        return lambda name: form == "folders" and (folders or works) and not intake.is_work(name)
    return lambda name: form != "files" or not name.lower().endswith(".zip")  # a student's own zip may say it itself


def unsaid(path, content, source, form, manifest, roster, module):
    """Return the `Owner` of a file whose path does not say it: a zip in a folder says it itself, else the source's name does.

    Raises:
        Refused: It is a zip of another module.
    """
    own_zip = (form == "files" or form == "folders" and source.is_dir()) and path.suffix.lower() == ".zip"
    if own_zip:
        manifest = manifest_of(content)
        if is_of_another(manifest, module):
            raise parcel.Refused(is_of_another(manifest, module))
    name = exports.student_in(path.name, roster, module) or path.stem if own_zip else called(source)
    student = manifest.get("student") or name
    return exports.Owner([student], [name, student], str(path), name)  # the last names the folder of one who is not in the roster


def manifest_of(content):
    """Return the manifest in the bytes of a zip, {} if it has none or cannot be read."""
    try:
        return parcel.unpack(content or b"", [])[1]
    except parcel.Refused:
        return {}


def leave(submission, name, problem, skipped, student):
    """Note a file of a student that cannot be used: because of a problem, or because it is no notebook."""
    if problem:
        submission.notes.append(problem)
        skipped.append(f"{student}: {problem}")
    else:
        submission.others.append(name)


def take(submission, name, content, skipped, student):
    """Add a file to what a student handed in; a zip's notebooks in its place."""
    if PurePosixPath(name).name == times.NAME:
        submission.when = content.decode("utf-8", "replace").strip()[:100]
        return
    found = {name: content}
    if name.lower().endswith(".zip"):
        found, odd = opened(name, content, submission.module)
        for text in odd:
            leave(submission, name, text, skipped, student)
    submission.found += found.items()


def opened(name, content, module):
    """Return the notebooks in a student's zip, a dict from path to bytes, and what was odd about it, a list of texts."""
    odd, file = [], PurePosixPath(name).name
    try:
        found, manifest = parcel.unpack(content, odd)
        if is_of_another(manifest, module):
            raise parcel.Refused(is_of_another(manifest, module))
    except parcel.Refused as error:
        return {}, [f"{file}: {error}"]
    return {f"{name}/{path}": data for path, data in found.items()}, [f"{file}: {text}" for text in odd]


def safe_file(name):
    """Return a file's name without folders and control characters."""
    name = intake.plain_name(PurePosixPath(name).name)
    name = "".join(letter for letter in name if letter.isprintable() and letter not in '<>:"/\\|?*')
    stem, dot, suffix = name.rpartition(".")
    return f"{stem[:100]}{dot}{suffix[:10]}".lstrip(".") or "notebook.ipynb"


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
    files = submission.files or {intake.NOT_USED: reason(submission)}
    when = time_of(submission, timestamp)
    before = stored(folder)
    if before == files:
        keep_time(folder, when, submission)
        return "the same"
    if submission.is_empty() and before.keys() - {intake.NOT_USED}:
        return "kept"
    if folder.exists() or folder.is_symlink():
        kept = classroom.folder / "collected" / module.folder / student / time.strftime("%Y-%m-%d_%H-%M-%S")
        while kept.exists():
            kept = kept.with_name(kept.name + "_")
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder, kept)
    for name, data in files.items():
        replace_atomically(folder / name, data)
    if when:
        replace_atomically(folder / times.NAME, f"{when}\n".encode())
    return "replaced" if before else "new"


def stored(folder):
    """Return the files of a submission that is there: a dict from name to bytes, None for one that cannot be read."""
    if folder.is_symlink() or not folder.is_dir():
        return {}
    names = intake.contents(folder)[0] + [intake.NOT_USED] * (folder / intake.NOT_USED).exists()
    return {name: read(folder / name)[0] for name in names}


def reason(submission):
    """Return the bytes of a text that says why nothing of a submission can be used."""
    lines = submission.notes + submission.not_used() or ["no file was in it"]
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
