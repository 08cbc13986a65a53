"""Digests of what a workspace was given, to tell the learner's changes from the course's.

`tito init` and `tito update` keep a record in the workspace. For workspaces made before there were records, the records of the
older courses are in `older/`.
"""

import ast
import hashlib
import json
from pathlib import Path

from tito import workspace
from tito.files import write_atomically
from tito.notebooks import cards, source
from tito.notebooks.given import without_docstrings
from tito.notebooks.parts import exported_parts
from tito.notebooks.percent import with_magics

RECORD = Path(".tito") / "given.json"
OLDER = Path(__file__).with_name("older")
NOT_GIVEN = {".tito", "__pycache__", ".git"}


def of(space):
    """Describe a workspace as it is; right after `tito init`, this describes the course.

    Args:
        space: The workspace.

    Returns:
        Dict of ``files``, from path to digest, and ``cells``, from a module's folder to the digests of its notebook.
    """
    notebooks = {module: space.notebook(module) for module in space.curriculum.modules if space.has_notebook(module)}
    files = [path for path in space.root.rglob("*") if path.is_file() and not NOT_GIVEN & {*path.relative_to(space.root).parts}]
    return {
        "files": {space.label(path): digest(path.read_bytes()) for path in sorted(set(files) - set(notebooks.values()))},
        "cells": {module.folder: sorted(digests(source.read(path))) for module, path in notebooks.items()},
    }


def digests(notebook):
    """Return the digests of a notebook's cells, of their code and of each exported statement."""
    parts = exported_parts(notebook)
    statements = [node for part in parts if part.tree for node in part.tree.body]
    code = {digest_of_code(part.tree.body) for part in parts if part.tree} - {None}
    return {digest_of_text(cell.text) for cell in notebook.cells} | code | {digest_of_statement(node) for node in statements}


def digest(data):
    """Return the digest of bytes: 12 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()[:12]


def digest_of_text(text):
    """Return the digest of a cell's text, which is the same for `.ipynb` and `.py`."""
    return digest("\n".join(line.rstrip() for line in with_magics(cards.plain(text)).strip("\n").split("\n")).encode())


def digest_of_code(statements):
    """Return the digest of statements, or None if they only import; docstrings, comments and layout do not count."""
    kept = [node for node in statements if not isinstance(node, (ast.Import, ast.ImportFrom))]
    return digest("\n".join(digest_of_statement(node) for node in kept).encode()) if kept else None


def digest_of_statement(node):
    """Return the digest of one statement and remove its docstrings; comments and layout do not count."""
    return digest(ast.dump(without_docstrings(node)).encode())


def known(space):
    """Collect what earlier courses gave: the one that made the workspace, and those from before there were records.

    Args:
        space: The workspace.

    Returns:
        Pair of dicts with sets of digests: by path for files, and by a module's folder for cells.
    """
    records = [load(space.root / RECORD), *(load(path) for path in sorted(OLDER.glob("*.json")))]
    files, cells = {}, {}
    for record in records:
        for path, value in record["files"].items():
            files.setdefault(path, set()).add(value)
        for folder, values in record["cells"].items():
            cells.setdefault(folder, set()).update(values)
    return files, cells


def is_older(space):
    """Return whether an older course wrote a workspace's package; the current checks cannot run with its given files.

    Args:
        space: The workspace.
    """
    if space.is_clone:
        return False
    package = workspace.course_dir() / "tinytorch"
    given = {f"tinytorch/{path.relative_to(package).as_posix()}": path for path in workspace.given_files(package)}
    record = load(space.root / RECORD)["files"]
    if record:
        return any(record.get(label) != digest(path.read_bytes()) for label, path in given.items())
    return any(not (space.root / label).is_file() for label in given)


def load(path):
    """Return a record, or an empty one if it is missing or damaged."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {"files": dict(record["files"]), "cells": dict(record["cells"])}
    except (OSError, ValueError, TypeError, KeyError):
        return {"files": {}, "cells": {}}


def text(record):
    """Return a record as the text of its file."""
    return json.dumps(record, indent=0, sort_keys=True) + "\n"


def keep(space):
    """Save the record of a workspace that was just made."""
    write_atomically(space.root / RECORD, text(of(space)))
