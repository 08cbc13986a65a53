"""How far the learner is: derived from recorded results for the files as they are now.

`.tito/progress.json` is a cache and may be lost at any moment: what it says counts only while the notebook and the exported
file are the ones that it speaks of, and what it does not say is worked out from them. That a module was borrowed is kept in a
file of its own.
"""

import hashlib
from dataclasses import dataclass

from tito import records, workspace
from tito.files import write_atomically
from tito.notebooks import source
from tito.notebooks.export import export_text
from tito.notebooks.problems import SourceError

FILE = "progress.json"
BORROWED = "# Borrowed by tito from the reference of {folder}: write your own, then run `tito module complete {number}`."


@dataclass(frozen=True)
class Standing:
    """Where a module stands: `done`, `borrowed`, `edited` (since it was completed), `open`, or `absent` from the course."""

    module: object
    state: str
    passed: tuple[str, ...] = ()

    @property
    def usable(self):
        """Later modules can build on it: something is exported."""
        return self.state in ("done", "borrowed", "edited")


def standings(space):
    """Return the standing of every module, in the order of the course.

    Args:
        space: The workspace.

    Returns:
        List of `Standing`.
    """
    known = load(space)
    found = [standing(space, module, known) for module in space.curriculum.modules]
    if any(module.state == "done" and module.module.number not in known for module in found):
        save(space, {**known, **{one.module.number: fingerprint(space, one.module) for one in found if one.state == "done"}})
    return found


def standing(space, module, known):
    """Return the standing of one module."""
    if workspace.is_to_come(module):
        return Standing(module, "absent")
    record = known.get(module.number, {})
    now = fingerprint(space, module)
    passed = passed_of(record) if record.get("notebook") == now["notebook"] else ()
    if is_borrowed(space, module):
        return Standing(module, "borrowed", passed)
    if not now["package"]:
        return Standing(module, "open", passed)
    same = all(record.get(key) == now[key] for key in now) or exports_to_the_same(space, module)
    return Standing(module, "done" if same else "edited", passed)


def passed_of(record):
    """Return the ids of the exercises that a record says passed."""
    passed = record.get("passed")
    return tuple(number for number in passed if isinstance(number, str)) if isinstance(passed, list) else ()


def exports_to_the_same(space, module):
    """Say whether exporting the notebook now would give the file that is there."""
    try:
        path = space.notebook(module)
        text = export_text(source.read(path), source.read(workspace.course_source(module)), space.label(path))
    except (SourceError, workspace.WorkspaceError):
        return False
    return text == space.exported(module).read_text(encoding="utf-8")


def borrowed_text(module):
    """Return the reference's file of the package, with a first line that says so."""
    reference = source.read(workspace.course_source(module))
    text = export_text(reference, reference, f"modules/{module.folder}/{module.name}.py")
    head = BORROWED.format(folder=module.folder, number=module.number)
    return "\n".join([head, *text.split("\n")[1:]])


def fingerprint(space, module):
    """Return the hashes of a module's notebook and of its exported file; empty for a file that is not there."""
    try:
        notebook = space.notebook(module)
    except workspace.WorkspaceError:
        notebook = None
    return {"notebook": digest(notebook), "package": digest(space.exported(module))}


def digest(path):
    """Return the SHA-256 of a file in hexadecimal; empty if there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path and path.is_file() else ""


def record(space, module, passed):
    """Record which exercises passed for the notebook as it is now.

    Args:
        space: The workspace.
        module: The module.
        passed: Ids of the exercises that passed.
    """
    save(space, {**load(space), module.number: {**fingerprint(space, module), "passed": sorted(passed)}})


def borrow(space, module):
    """Mark a module as borrowed, for ever."""
    write_atomically(records.place(space, "borrowed", module.folder), "The package took this module from the reference.\n")


def is_borrowed(space, module):
    """Say whether a module was borrowed ever: a file says so, and where that was lost, the exported file's first line."""
    if (space.root / ".tito" / "borrowed" / module.folder).exists():
        return True
    path = space.exported(module)
    head = BORROWED.format(folder=module.folder, number=module.number).encode("utf-8")
    if not path.is_file() or not path.read_bytes().startswith(head):
        return False
    borrow(space, module)
    return True


def load(space):
    """Return the recorded results, a dict from module number; empty if the file is missing or damaged."""
    return {number: record for number, record in records.read(space, FILE).items() if isinstance(record, dict)}


def save(space, found):
    records.write(space, FILE, found)
