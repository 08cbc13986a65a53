"""The learner's progress, derived from recorded results and the current files.

`.tito/progress.json` is a cache that may be lost at any moment. A record counts only while the notebook and the exported file
have not changed; without a record, the state is computed from them. Borrowed modules are recorded in separate files.
"""

import contextlib
import hashlib
from dataclasses import dataclass

from tito import records, workspace
from tito.files import write_atomically

FILE = "progress.json"
EXPORTED = "exported"  # the key of a record that says whether the package's file is what the notebook exports
BORROWED = "# Borrowed by tito from the reference of {folder}: write your own, then run `tito module complete {number}`."


@dataclass(frozen=True)
class Standing:
    """The state of a module: `done`, `borrowed`, `edited` (since it was completed), `open`, or `absent` from the course."""

    module: object
    state: str
    passed: tuple[str, ...] = ()

    @property
    def usable(self):
        """Whether later modules can build on it: something is exported."""
        return self.state in ("done", "borrowed", "edited")


def standings(space):
    """Return the standing of every module, in the order of the course.

    Args:
        space: The workspace.

    Returns:
        List of `Standing`.
    """
    known = load(space)
    all_standings = [standing(space, module, known) for module in space.curriculum.modules]
    new = [each for each in all_standings if each.state == "done" and not is_exported(known.get(each.module.number, {}))]
    if new:
        save(space, {**known, **{each.module.number: entry(space, each.module, each.passed, exported=True) for each in new}})
    return all_standings


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
    unchanged = is_exported(record) and all(record.get(key) == now[key] for key in now)
    same = unchanged or exports_to_the_same(space, module)
    return Standing(module, "done" if same else "edited", passed)


def is_exported(record):
    """Return whether a record says that the package's file is what the notebook exports."""
    return record.get(EXPORTED) is True


def passed_of(record):
    """Return the ids of the passed exercises in a record."""
    passed = record.get("passed")
    return tuple(number for number in passed if isinstance(number, str)) if isinstance(passed, list) else ()


def exports_to_the_same(space, module):
    """Return whether exporting the notebook would give the existing file."""
    from tito.notebooks import source
    from tito.notebooks.export import export_text
    from tito.notebooks.problems import SourceError

    try:
        path = space.notebook(module)
        text = export_text(source.read(path), source.read(workspace.course_source(module)), space.label(path))
    except (SourceError, workspace.WorkspaceError):
        return False
    return text == space.exported(module).read_text(encoding="utf-8", errors="replace")


def borrowed_text(module):
    """Return the reference's file of the package, with a first line that says that it is borrowed."""
    from tito.notebooks import source
    from tito.notebooks.export import export_text

    reference = source.read(workspace.course_source(module))
    text = export_text(reference, reference, f"modules/{module.folder}/{module.name}.py")
    head = BORROWED.format(folder=module.folder, number=module.number)
    return "\n".join([head, *text.split("\n")[1:]])


def fingerprint(space, module):
    """Return the hashes of a module's notebook and exported file; "" for a missing file."""
    try:
        notebook = space.notebook(module)
    except workspace.WorkspaceError:
        notebook = None
    return {"notebook": digest(notebook), "package": digest(space.exported(module))}


def digest(path):
    """Return the SHA-256 of a file in hexadecimal, or "" if it does not exist."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path and path.is_file() else ""


def record(space, module, passed):
    """Record which exercises passed for the current notebook.

    Args:
        space: The workspace.
        module: The module.
        passed: Ids of the exercises that passed.
    """
    exported = space.exported(module).is_file() and exports_to_the_same(space, module)
    save(space, {**load(space), module.number: entry(space, module, passed, exported)})


def entry(space, module, passed, exported):
    """Return the record of a module as it is now."""
    return {**fingerprint(space, module), EXPORTED: exported, "passed": sorted(passed)}


def borrow(space, module):
    """Mark a module as borrowed, permanently."""
    write_atomically(records.place(space, "borrowed", module.folder), "The package took this module from the reference.\n")


def is_borrowed(space, module):
    """Return whether a module was ever borrowed: by its marker file or, if that is lost, the export's first line."""
    if (space.root / ".tito" / "borrowed" / module.folder).exists():
        return True
    path = space.exported(module)
    head = BORROWED.format(folder=module.folder, number=module.number).encode("utf-8")
    if not path.is_file() or not path.read_bytes().startswith(head):
        return False
    with contextlib.suppress(OSError):  # the first line says it, too
        borrow(space, module)
    return True


def load(space):
    """Return the recorded results, a dict from module number; empty if the file is missing or damaged."""
    return {number: record for number, record in records.read(space, FILE).items() if isinstance(record, dict)}


def save(space, known):
    records.write(space, FILE, known)
