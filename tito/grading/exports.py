"""The forms in which LMSs export what a class handed in: how a file's path says whose it is."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from tito.grading import intake

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


def form_of(paths, roster):
    """Return how the paths of a source say whose they are, and how many folders are around those that say it.

    All folders at that depth must say it in the same way, and so must most of the files beside them: a student chooses the names
    of files and folders in a submission, and could choose those of another student's. So a folder that may be a student's is
    never looked into.
    """
    for depth in range(DEEPEST + 1):
        below = [PurePosixPath(*path.parts[depth:]) for path in paths if len(path.parts) > depth]
        form = lms(below) or by_folders(below, roster)
        if form:
            return form, depth
        tops = folders(below)
        if len(tops) != 1 or roster.someone(*tops):
            break
    tops = folders(paths)
    return "folders", int(bool(tops) and all(map(OUTER.match, tops)))


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
    if any(roster.with_id(name) or roster.named(name) for name in folders(paths)):
        return "folders"
    homes = {path.parts[0] for path in paths if 2 <= len(path.parts) <= 3 and intake.is_work(path.name)}
    return "folders" if len(homes) > 1 and not any(map(OWN.match, homes)) else None


def owners(path, form, metadata):
    """Return the `Owner`s of a file, from its path in an export and the export's form; [] if it does not say them."""
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
    if form == "folders" and file:
        return [Owner([part], [part], file, part)]
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
