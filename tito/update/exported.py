"""Update a file of the package that was exported from an older notebook, cell by cell, like the notebook."""

from tito.notebooks import marks
from tito.notebooks.export import COMMENT, HEADER
from tito.notebooks.source import Cell, Notebook
from tito.update.merge import merge

EXPORT = "#| export\n"


def updated(path, text, today, known, package, numbers):
    """Return the text of an exported file with the current given code and its own answers.

    Args:
        path: Path of the file.
        text: Its text.
        today: The cells of the current course's learner notebook, a list of `Cell`.
        known: Digests of what earlier courses gave in this module's notebook.
        package: The current `moved.Package`.
        numbers: Function from a cell to the number of the cell in the learner's notebook that defines the same, or None.

    Returns:
        The text, and a list of `merge.Beside` with what could not be merged.
    """
    head, cells, name = _read(text)
    merged = merge(Notebook(path, cells), [cell for cell in today if cell.exported], known, package)
    blocks = []
    for entry in merged.entries:
        body = marks.EXPORT.sub("", entry.cell.text, count=1).lstrip("\n").rstrip()
        number = numbers(entry.cell) or (entry.mine and cells[entry.mine - 1].line) or entry.cell.index
        blocks.append(f"# {name}, cell {number}\n{body}\n")
    return "\n".join([head, "\n\n".join(blocks)]), merged.beside


def _read(text):
    """Split a file at the comments that name its cells; return its first line, the cells, and the notebook's name.

    A cell's `line` is its number in the notebook.
    """
    lines = text.split("\n")
    label = HEADER.match(lines[0])
    marks = [number for number, line in enumerate(lines) if COMMENT.match(line)]
    above = "\n".join(lines[1 : marks[0] if marks else None]).strip("\n")
    cells = [Cell(1, "code", EXPORT + above, {})] if above else []
    for index, (first, last) in enumerate(zip(marks, [*marks[1:], len(lines)]), len(cells) + 1):
        body = "\n".join(lines[first + 1 : last]).rstrip()
        cells.append(Cell(index, "code", EXPORT + body, {}, int(COMMENT.match(lines[first])["cell"])))
    name = COMMENT.match(lines[marks[0]])["name"] if marks else label["label"].rpartition("/")[2]
    return lines[0] + "\n", tuple(cells), name


def can_be_read(text):
    """Return whether a file was exported by tito, and is not another file with the same name."""
    lines = text.split("\n")
    return bool(HEADER.match(lines[0])) and any(COMMENT.match(line) for line in lines)
