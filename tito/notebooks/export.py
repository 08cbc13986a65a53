"""Export a notebook to a file of the package: the marked cells, each under a comment that names it.

The comment replaces the cell's `#| export` line. So a line of the exported file has the same distance from the comment as from
the top of the cell, and the place of an error follows from the file alone.
"""

import re
from pathlib import Path

from tito.notebooks import titles
from tito.notebooks.parts import NOT_PYTHON, compiled, exported_parts
from tito.notebooks.problems import SourceError, SourceErrors, place, raise_all
from tito.notebooks.refusals import refusals
from tito.notebooks.source import read

HEADER = re.compile(r"^# Made by tito from (?P<label>[^:]+): edit that file")
COMMENT = re.compile(r"^# (?P<name>\S+\.(?:py|ipynb)), cell (?P<cell>\d+)$")


class ExportRefused(SourceErrors):
    """The notebook cannot be exported; `problems` lists all the reasons."""


def export_text(notebook, reference, label):
    """Return the text of the package's file.

    Args:
        notebook: The notebook to export.
        reference: The course's own source of the same module, which defines what is required.
        label: The notebook's path as written into the file, like `modules/01_tensor/tensor.ipynb`.

    Raises:
        ExportRefused: Something in the notebook cannot be exported, or is missing.
    """
    parts = exported_parts(notebook)
    raise_all(refusals(notebook, parts, reference), ExportRefused)
    text = assembled(parts, label)
    try:
        compiled(text)
    except NOT_PYTHON as error:
        raise ExportRefused([joint_problem(notebook, parts, text, error)]) from None
    return text


def origin_of(exported_path, line, root=None):
    """Return the place that a line of an exported file came from, like `tensor.ipynb, cell 4 (def mul), line 3`, or None.

    The notebook below `root` (by default the workspace of the exported file) is read if it exists, because an author's
    solution marks are dropped on export, which shifts the lines below them.
    """
    path = Path(exported_path)
    lines = path.read_text(encoding="utf-8").split("\n")
    header = HEADER.match(lines[0])
    number, cell = _comment_above(lines[:line])
    if not header or not cell or line > len(lines):
        return None
    notebook = Path(root or path.parent.parent) / header["label"]
    exact = _line_in_notebook(notebook, cell, line - number, lines[line - 1])
    following = next((at for at, text in enumerate(lines[number:], number) if COMMENT.match(text)), len(lines))
    label = titles.label(cell, "\n".join(lines[number:following]))
    return place(notebook, label, exact or line - number + 1)


def assembled(parts, label):
    """Return the text of the package's file made of these exported cells."""
    folder, _, name = label.rpartition("/")
    number = folder.rpartition("/")[2][:2]
    head = f"# Made by tito from {label}: edit that file, then run `tito module complete {number}`.\n"
    return "\n".join([head, "\n\n".join(f"# {name}, cell {part.cell.index}\n{part.text}\n" for part in parts)])


def _comment_above(lines):
    """Find the last comment that names a cell; return its line, counted from 1, and the cell."""
    for number in range(len(lines), 0, -1):
        comment = COMMENT.match(lines[number - 1])
        if comment:
            return number, int(comment["cell"])
    return None, None


def joint_problem(notebook, parts, text, error):
    """Return the problem of cells that compile separately but not together, like `from __future__` below the top."""
    line = getattr(error, "lineno", None) or 1
    number, cell = _comment_above(text.split("\n")[:line])
    reason = f"is not Python: {getattr(error, 'msg', None) or error}"
    part = next((part for part in parts if part.cell.index == cell), None)
    return SourceError(notebook.path, reason, part and part.cell, part and part.number(line - number))


def _line_in_notebook(path, cell, position, text):
    """Return an exported line's number in the notebook's cell, or None if the notebook is gone or has changed."""
    try:
        part = next((part for part in exported_parts(read(path)) if part.cell.index == cell), None)
    except SourceError:
        return None
    same = part and 0 < position <= len(part.lines) and part.lines[position - 1][1] == text
    return part.number(position) if same else None
