"""Read what a student handed in: find the file, never follow a link, decode and parse what can be parsed."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from tito.notebooks import ipynb, percent, salvage, source
from tito.notebooks.problems import SourceError

LARGEST = 64 * 2**20  # bytes of a notebook, its outputs included
MOST_CELLS = 5000
MOST_CODE = 500_000  # characters of all code cells that are not left out; the largest module has under 100,000
KINDS = (".ipynb", ".py")
COPY = re.compile(r"[ _-]*(\(\d+\)|copy\d*|checkpoint)$", re.IGNORECASE)  # `tensor (1)`, `tensor-Copy1`, `tensor_checkpoint`
SAVED_AS = re.compile(r"(?<=\.ipynb)\.(txt|json)$", re.IGNORECASE)  # what browsers add to a notebook's name
NOT_USED = "not_used.txt"  # why nothing of what a student handed in could be used
PROMPT = re.compile(r"^# In\[[ \d*]*\]:$", re.MULTILINE)  # the first line of a cell in a script downloaded from Jupyter


class Unreadable(Exception):
    """A submission cannot be read and earns nothing; the message says why."""


@dataclass(frozen=True)
class Handed:
    """The file that counts: its name, its bytes, and what was odd about it."""

    name: str
    data: bytes
    notes: tuple[str, ...] = ()


def folders(path):
    """Return the names of the folders in a folder; links are left out."""
    try:
        with os.scandir(path) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []


def read(folder, module):
    """Return the file of a module in a student's folder, as `Handed`.

    Args:
        folder: `pathlib.Path` of the folder, which is no link.
        module: The module.

    Raises:
        Unreadable: There is none, or it is a link or too large.
    """
    wanted = f"{module.name}.ipynb"
    files, links = contents(folder)
    if not files:
        linked = f": {links[0]} is a link or not a file, so submit the notebook itself" if links else ""
        raise Unreadable(f"{wanted} was not submitted{linked or unused(folder)}")
    name = min(files, key=lambda name: (*resemblance(name, module), -os.lstat(folder / name).st_mtime))
    notes = [] if name == wanted else [f"{wanted} was not there: {name} was marked"]
    if name.endswith(".py"):
        notes.append("a notebook, not a script, was asked for")
    others = [other for other in files if other != name]
    if others:
        notes.append(f"not looked at: {', '.join(others[:5])}")
    return Handed(name, content(folder / name), tuple(notes))


def unused(folder):
    """Return what `tito grade collect` wrote about a submission of which it could use nothing, "" if there is none."""
    try:
        text = content(folder / NOT_USED).decode("utf-8", "replace")[:1000]
    except Unreadable:
        return ""
    return f" ({''.join(letter for letter in '; '.join(text.splitlines()) if letter.isprintable())})"


def is_work(name):
    """Return whether a file's name is that of a notebook or of an archive that can be opened."""
    return plain_name(name).lower().endswith((".ipynb", ".zip"))


def plain_name(name):
    """Return a file's name without what a browser added to a notebook's."""
    return SAVED_AS.sub("", name)


def is_hidden(path):
    """Return whether a path within a submission is of a program, not of the student: a copy, a cache, an index."""
    return any(part == "__MACOSX" or part.startswith(".") and part != ".." for part in path.parts)


def contents(folder):
    """Return the names of the notebooks and scripts in a folder, and of those that are links or no files."""
    files, others = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if Path(entry.name).suffix.lower() in KINDS and not entry.name.startswith("."):
                (files if entry.is_file(follow_symlinks=False) else others).append(entry.name)
    return sorted(files), sorted(others)


def resemblance(name, module):
    """Return how far a file's name is from the module's, to sort by: the exact one, a copy, one that contains it, any other."""
    stem, suffix = os.path.splitext(name)
    near = [stem == module.name, original(stem).lower() == module.name, module.name in stem.lower(), True].index(True)
    return KINDS.index(suffix.lower()), near, suffix != suffix.lower()


def original(stem):
    """Return a file's name, given without its suffix, without what marks it as a copy."""
    while COPY.search(stem):
        stem = COPY.sub("", stem)
    return stem


def content(path):
    """Return the bytes of a regular file.

    Raises:
        Unreadable: It is a link, is not a file, or is too large.
    """
    flags = sum(getattr(os, name, 0) for name in ("O_RDONLY", "O_NONBLOCK", "O_NOFOLLOW", "O_BINARY"))
    try:
        with open(os.open(path, flags), "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise Unreadable(f"{path.name} is not a file: submit the notebook itself")
            if about.st_size > LARGEST:
                raise Unreadable(f"{path.name} is larger than {LARGEST // 2**20} MB: clear its outputs")
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        raise Unreadable(f"{path.name} was not submitted") from None
    except OSError as error:
        raise Unreadable(f"{path.name} is a link or cannot be read ({error.strerror}): submit the notebook itself") from None


def content_or_problem(path):
    """Return the bytes of a file and None, or None and a text that says why it cannot be read."""
    try:
        return content(path), None
    except Unreadable as error:
        return None, str(error)


def notebook(handed):
    """Return the notebook in a file, and what was wrong with it, a list of texts.

    Raises:
        Unreadable: It is no notebook, or far too large.
    """
    path = Path(Path(handed.name).name)
    text, notes = decoded(handed)
    try:
        if path.suffix.lower() == ".ipynb":
            cells, problems = ipynb.fields(path, text)
            notes += [str(problem) for problem in problems[:20]]
        else:
            cells = list(enumerate(percent.parse(path, as_percent(text)), 1))
    except SourceError as error:
        raise Unreadable(without_advice(str(error))) from None
    except (RecursionError, MemoryError):
        raise Unreadable(f"{path.name} is nested too deeply to be read") from None
    code = sum(len(fields[1]) for _, fields in cells if fields[0] != "markdown" and not salvage.is_giant(fields[1]))
    if len(cells) > MOST_CELLS or code > MOST_CODE:
        raise Unreadable(f"{path.name} has {len(cells):,} cells with {code:,} characters of code: far more than a module has")
    return source.Notebook(path, tuple(source.Cell(index, *fields) for index, fields in cells)), notes


def decoded(handed):
    """Return the text of a file in any common encoding, and notes on it."""
    data, notes = handed.data, list(handed.notes)
    encodings = ["utf-16"] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig"]
    for encoding in (*encodings, "cp1252", "latin-1"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "utf-8-sig":
            notes.append(f"the file is not UTF-8; it was read as {encoding}")
        return text.replace("\r\n", "\n").replace("\r", "\n"), notes
    raise AssertionError("latin-1 decodes everything")


def as_percent(text):
    """Return a script with the marks of cells, if it has those of Jupyter's download."""
    return text if re.search(r"^# ?%%", text, re.MULTILINE) else PROMPT.sub("# %%", text)


def without_advice(message):
    """Return a message about a file without the advice that is for a learner's workspace."""
    return message.partition(": the last copy of it is")[0].partition(": `tito module reset")[0]
