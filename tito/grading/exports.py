"""How the path of a file in a folder or an export says whose it is: in the forms of LMSs, and in those of people."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from tito.grading import intake, parcel

MOODLE = re.compile(r"^(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)$")
CANVAS = re.compile(r"^(?P<name>[^_]+)(?P<late>_LATE)?_(?P<id>\d+)_\d+_(?P<file>.+)$")
GRADESCOPE = re.compile(r"^submission_(?P<id>\d+)$")
PATTERNS = {"moodle": MOODLE, "gradescope": GRADESCOPE, "canvas": CANVAS}
METADATA = "submission_metadata.yml"
OUTER = re.compile(r"^(submitted|assignment_\d+_export)$")
OWN = re.compile(r"^(\d\d_\w+|modules|milestones|tests?|data|old|backups?|archive|copy)$", re.IGNORECASE)  # folders of one's work
DEEPEST = 5  # folders around an export


@dataclass
class Owner:
    """Whose a file is: ids and names of the student, the file's path in the submission, and what one submission's files share."""

    ids: list
    names: list
    file: str
    origin: str
    note: str | None = None
    when: str | None = None
    asks: str = "id"
    grouped: bool = False


def form_of(paths, roster, module=None, is_folder=True):
    """Return how the paths of a source say whose they are, and how many folders are around those that say it.

    All folders at that depth must say it in the same way, and so must most of the files beside them: a student chooses the names
    of files and folders in a submission, and could choose those of another student's. So a folder that may be a student's is
    never looked into.

    Args:
        paths: Paths within the source.
        roster: The `Roster`.
        module: The module that is collected, or None.
        is_folder: Whether the source is a folder, which the instructor has made, and no zip, which a student may have made.

    Raises:
        Refused: It may be one student's work or a class's.
    """
    for depth in range(DEEPEST + 1):
        below = [PurePosixPath(*path.parts[depth:]) for path in paths if len(path.parts) > depth]
        form = lms(below) or by_files(below, roster, module, may_be_one=is_folder and depth == 0)
        tops = folders(below)
        if not form and len(tops) == 1:
            check_is_one(*tops, [PurePosixPath(*path.parts[1:]) for path in below if len(path.parts) > 1], roster)
        form = form or by_folders(below, roster)
        if form:
            return form, depth
        if len(tops) != 1 or roster.perhaps(*tops):
            break
    if not tops:
        check_are_one([path.name for path in below], module)
    tops = folders(paths)
    return "folders", int(bool(tops) and all(map(OUTER.match, tops)))


def check_is_one(name, paths, roster):
    """Refuse a source or a folder that is named like a student and has the work of several.

    Args:
        name: Its name.
        paths: The paths in it.
        roster: The `Roster`.

    Raises:
        Refused: It may be this student's, or a class's.
    """
    owner = roster.perhaps(name)
    for depth in range(DEEPEST * bool(owner)):
        names = {path.parts[depth] for path in paths if len(path.parts) > depth}
        inside = set().union(*map(roster.called, {key for each in names for key in keys(each)}))
        if len(inside) > 1:
            raise parcel.Refused(
                f"{name} could be the name of the student {' or '.join(sorted(owner))}, and it has files of "
                f"{parcel.shortened(sorted(inside))}: rename it, for example to submissions"
            )


def keys(name):
    """Return what a file's or a folder's name may say about its owner, in any form: a set of names and ids."""
    matches = filter(None, (pattern.match(name) for pattern in (MOODLE, CANVAS)))
    return {name, PurePosixPath(name).stem} | {match[key] for match in matches for key in ("name", "id")}


def check_are_one(names, module):
    """Refuse several notebooks outside folders whose names are neither students' nor like the module's.

    Raises:
        Refused: They may be one student's, or one of each student.
    """
    names = sorted(set(filter(intake.is_work, names)))
    if module and len(names) > 1 and not any(module.name in name.lower() for name in names):
        student = PurePosixPath(names[0]).stem
        raise parcel.Refused(
            f"it has {parcel.shortened(names)}, which are neither names of students in the roster nor like {module.name}.ipynb. "
            f"If each is a student's, read a roster with their ids first (tito grade roster FILE.csv), or put each into a folder "
            f"named like the student: {student}/{module.name}.ipynb"
        )


def by_files(paths, roster, module, may_be_one):
    """Return "files" if files outside folders are named like students, or some of them and the folders; else None.

    Args:
        paths: Paths within a source.
        roster: The `Roster`.
        module: The module that is collected, or None.
        may_be_one: Whether a file of one student is enough, if none beside it is named like the module's notebook.
    """
    loose = [path.name for path in paths if len(path.parts) == 1 and is_handed_in(path.name)]
    named = {name: student_in(name, roster, module) for name in loose}
    students = set().union(*map(roster.called, {*filter(None, named.values()), *folders(paths)}))
    submissions = [name for name in loose if not named[name] and module and module.name in name.lower()]
    if any(named.values()) and (len(students) > 1 or may_be_one and not submissions):
        return "files"
    return None


def is_handed_in(name):
    """Return whether a file's name is that of a notebook, a script or a zip."""
    return intake.plain_name(name).lower().endswith((*intake.KINDS, ".zip"))


def student_in(file, roster, module):
    """Return the name or id of a student of the roster that is in a file's name, None if there is none.

    It may be beside the module's name, as in `tensor_alice.ipynb`, and it may be a copy, as in `alice (1).ipynb`.
    """
    stem = intake.original(PurePosixPath(intake.plain_name(file)).stem)
    names = [stem]
    if module:
        own = f"({re.escape(module.folder)}|{re.escape(module.name)})"
        names.append(re.sub(rf"^{own}[ _-]+|[ _-]+{own}$", "", stem, flags=re.IGNORECASE))
    return next(filter(roster.called, names), None)


def folders(paths):
    """Return the names of the folders that paths begin with, a set."""
    return {path.parts[0] for path in paths if len(path.parts) > 1}


def lms(paths):
    """Return the name of the LMS that made an export's paths, or None. A few files that somebody put beside them may differ."""
    inside = folders(paths)
    files = {path.name for path in paths if len(path.parts) == 1}
    matching = {form: set(filter(pattern.match, files | inside)) for form, pattern in PATTERNS.items()}
    matching["canvas"] -= inside  # Canvas exports no folders
    form = max(PATTERNS, key=lambda form: len(matching[form]))
    others = inside | set(filter(intake.is_work, files))
    if len(matching[form]) <= len(others - matching[form]) or form != "canvas" and not inside <= matching[form]:
        return None
    return form


def by_folders(paths, roster):
    """Return "folders" if paths begin with students' folders: one of the roster's, or several that hold notebooks; else None."""
    if any(map(roster.called, folders(paths))):
        return "folders"
    homes = {path.parts[0] for path in paths if 2 <= len(path.parts) <= 3 and intake.is_work(path.name)}
    return "folders" if len(homes) > 1 and not any(map(OWN.match, homes)) else None


def owners(path, form, metadata, roster, module):
    """Return the `Owner`s of a file, from its path in an export and the export's form; [] if it does not say them.

    Args:
        path: The path, without the folders around the class.
        form: How paths say it, from `form_of`.
        metadata: What Gradescope's own file says, from `gradescope`.
        roster: The `Roster`.
        module: The module that is collected, or None.
    """
    part, file = path.parts[0], "/".join(path.parts[1:])
    match = PATTERNS[form].match(part) if form in PATTERNS else None
    if form == "gradescope" and match:
        about = metadata.get(part, {"submitters": [{}]})
        return [submitter(who, part, file, about.get("when")) for who in about["submitters"] or [{}]]
    if form == "moodle" and match:
        origin, grouped = f"{match['name']}_{match['id']}", "-" in match["name"] and not CANVAS.match(part)
        return [Owner([], [match["name"]], file or match["file"], origin, grouped=grouped)]
    if form == "canvas" and match:
        note = "Canvas says that it was late" if match["late"] else None
        origin = f"{match['name']}_{match['id']}"
        return [Owner([match["id"]], [match["name"]], match["file"], origin, note, asks="lms_user_id")]
    if form in ("folders", "files") and file:
        return [Owner([part], [part], file, part)]
    if form == "files" and path.suffix.lower() != ".zip" and (name := student_in(part, roster, module)):
        suffix = PurePosixPath(intake.plain_name(part)).suffix
        is_notebook = module and suffix.lower() in intake.KINDS
        stored = f"{module.name}{suffix}" if is_notebook else part  # the name that the grader looks for
        return [Owner([name], [name], stored, f"{name}{suffix}")]
    return []


def submitter(who, part, file, when):
    """Return the `Owner` of a file at Gradescope; each of a group that submits together has it."""
    return Owner([who[key] for key in ("sid", "email") if who.get(key)], [who.get("name") or part], file, part, when=when)


def gradescope(text):
    """Return what Gradescope's export says about each submission: a dict from folder to `when` and `submitters`.

    The file is YAML of a fixed form, of which a few lines are needed.
    """
    about, current, section = {}, {}, None
    for line in text.splitlines():
        if match := re.match(r"^(submission_\d+):", line):
            current, section = about.setdefault(match[1], {"submitters": []}), None
        elif match := re.match(r"^  :(\w+):\s*(.*?)\s*$", line):
            section = match[1]
            if section == "created_at" and current:
                current.setdefault("when", match[2].strip("'\""))
        elif current and section == "submitters" and (match := re.match(r"^ +(- )?\s*:(name|sid|email):\s*(.*?)\s*$", line)):
            if match[1]:
                current["submitters"].append({})
            if current["submitters"]:
                current["submitters"][-1].setdefault(match[2], match[3].strip("'\""))
    return about
