"""Collect what a class handed in: from folders, from zips, and from the zips that Moodle, Canvas and Gradescope export."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from tito.grading import exports, intake, parcel, times
from tito.grading.roster import Ambiguous, Roster
from tito.grading.storing import store

__all__ = ["Ambiguous", "Roster", "Submission", "gather", "store"]

MOST_OF_A_STUDENT = 20  # files
NOBODYS = "its name does not say whose it is"
ASIDE = re.compile(r"(old|older|backups?|archived?|archive|cop(y|ies)|trash|previous|versions?)\b.*", re.IGNORECASE)  # folders


@dataclass
class Submission:
    """What one student handed in for a module.

    `found` has (path, bytes) of each notebook and script, and `others` the names of what is neither. `problems` are texts on what
    could not be read, and `notes` texts on what else the instructor should know.
    """

    module: object = None
    when: str | None = None  # the text of the time
    known: bool = True  # in the roster
    notes: list = field(default_factory=list)
    problems: list = field(default_factory=list)
    found: list = field(default_factory=list)
    others: list = field(default_factory=list)

    @property
    def files(self):
        """What counts: a dict from file name to bytes."""
        return choose(self.found, self.module)[0]

    def is_empty(self):
        """Return whether nothing in it could be meant as a submission; a damaged notebook could."""
        return not self.found and not self.problems

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


def safe_file(name):
    """Return a file's name without folders and control characters."""
    name = intake.plain_name(PurePosixPath(name).name)
    name = "".join(letter for letter in name if letter.isprintable() and letter not in '<>:"/\\|?*')
    stem, dot, suffix = name.rpartition(".")
    return f"{stem[:100]}{dot}{suffix[:10]}".lstrip(".") or "notebook.ipynb"


def distance(path, module):
    """Return how far a file is from a module's notebook, to sort by: its name, then its folders."""
    *inside, name = PurePosixPath(path).parts or ("",)
    near = intake.resemblance(intake.plain_name(name), module) if module else ()
    aside, elsewhere = any(map(ASIDE.fullmatch, inside)), bool(module) and module.folder not in inside
    return *near, aside, elsewhere, len(inside), path


def gather(sources, roster, module=None):
    """Return what is in folders, zips and notebooks: a dict from student to `Submission`, and texts on what could not be used.

    Args:
        sources: Paths of folders, zips and notebooks.
        roster: The `Roster`.
        module: The module that is collected; None takes any.
    """
    claims, skipped = {}, []
    for source in sources:
        before = len(skipped)
        try:
            entries = list(entries_of(source, skipped))
            gather_one(entries, source, roster, claims, skipped, module)
            if not entries and len(skipped) == before:
                skipped.append(f"{source.name}: there is no file in it")
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
        return [(PurePosixPath(source.name), *intake.content_or_problem(source))]
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
                yield path, *intake.content_or_problem(folder / path)
            else:
                yield path, None, None


def wanted(name):
    return parcel.is_needed(name) or name.lower().endswith(".zip") or name in (exports.METADATA, times.NAME)


@dataclass(frozen=True)
class Source:
    """A folder, a zip or a notebook, and how it says whose its files are."""

    path: Path
    form: str  # "one" if all is of one student, else what `exports.form_of` returns
    depth: int  # how many folders are around the part of a path that says whose a file is
    manifest: dict  # what `tito module submit` wrote into a zip, {} if it did not make it
    has_work: bool  # whether students' work is in it, so that a file of another kind beside that is nobody's

    @property
    def name(self):
        """The name of the folder, or of the file without its suffix."""
        return self.path.resolve().name if self.path.is_dir() else self.path.stem


def gather_one(entries, path, roster, claims, skipped, module):
    """Add the files of one source to what is claimed: a dict from student to a dict from origin to `Submission`."""
    source = examined(path, entries, roster, module)
    about = exports.gradescope(metadata(entries, source.depth)) if source.form == "gradescope" else {}
    for full, content, problem in entries:
        inner = PurePosixPath(*full.parts[min(source.depth, len(full.parts) - 1) :])
        if inner.name in (exports.METADATA, parcel.MANIFEST) or inner.name == times.NAME and not is_ours(inner, source):
            continue
        try:
            said = exports.owners(inner, source.form, about, roster, module)
            owners = said or [owner_by_source(inner, content, source, roster, module)]
        except parcel.Refused as error:
            skipped.append(f"{full}: {error}")
            continue
        for owner in owners:
            try:
                student, submission = claim(owner, path, roster, claims, module)
            except Ambiguous as error:
                skipped.append(f"{full}: {error}; collect it alone, from a folder named like the student")
                continue
            if content is None:
                leave(submission, owner.file, problem, skipped, student)
            else:
                take(submission, owner.file, content, skipped, student)


def is_ours(path, source):
    """Return whether a file with a time is nbgrader's or the instructor's: a student's own would choose the time."""
    return source.form in ("folders", "files") and source.path.is_dir() and len(path.parts) in (2, 3)


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


def examined(path, entries, roster, module):
    """Return the `Source` at a path.

    Raises:
        Refused: It is of another module, or may be one student's work or a class's.
    """
    manifest = {} if path.is_dir() else root_manifest(entries)
    if is_of_another(manifest, module):
        raise parcel.Refused(is_of_another(manifest, module))
    paths = [each for each, _, _ in entries]
    in_folders = any(len(each.parts) > 1 for each in paths)
    has_work = in_folders or path.is_dir() and any(intake.is_work(each.name) for each in paths)
    source = Source(path, "one", 0, manifest, has_work)
    if manifest:
        return source
    if is_notebook(path):
        named = exports.student_in(path.name, roster, module)
        if not named and module and module.name in path.name.lower():
            raise parcel.Refused(f"{NOBODYS}: name it like the student, or collect the folder with it")
        return replace(source, form="files") if named else source
    if source.name in roster.students or len(roster.named(source.name)) == 1:
        exports.check_is_one(source.name, paths, roster)
        return source
    form, depth = exports.form_of(paths, roster, module, path.is_dir())
    return replace(source, form=form, depth=depth)


def owner_by_source(path, content, source, roster, module):
    """Return the `Owner` of a file whose path does not say it: a student's own zip may say it, else the source's name does.

    Raises:
        Refused: It is nobody's, or a zip of another module.
    """
    is_zip = path.suffix.lower() == ".zip"
    if source.form == "one" or source.form == "folders" and not (is_zip and source.path.is_dir()):
        if source.form == "folders" and source.has_work and not intake.is_work(path.name):
            raise parcel.Refused(NOBODYS)
        manifest, name = source.manifest, source.name
    elif is_zip and source.form in ("folders", "files"):
        manifest, name = manifest_of(content), exports.student_in(path.name, roster, module) or path.stem
        if is_of_another(manifest, module):
            raise parcel.Refused(is_of_another(manifest, module))
    else:
        raise parcel.Refused(NOBODYS)
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
        submission.problems.append(problem)
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
