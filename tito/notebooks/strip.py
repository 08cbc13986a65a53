"""Turn a module's source into the learner's notebook: stubs for solutions, no hints, and cards made from the headers."""

import ast
import re
from dataclasses import replace
from pathlib import Path

from tito.curriculum import Curriculum
from tito.files import write_atomically
from tito.notebooks import cards, ipynb, percent
from tito.notebooks.marks import SOLUTION
from tito.notebooks.problems import SourceError, raise_all
from tito.notebooks.source import definitions

LEFTOVER = re.compile(r"(BEGIN|END)[\s_-]*SOLUTION", re.IGNORECASE)


def learner_cells(notebook, solved=False):
    """Return the cells of the learner's notebook.

    Args:
        notebook: The module's source, read from `modules/NN_name/name.py` beside `curriculum.toml`.
        solved: Keep the reference solutions, without their marks.

    Raises:
        SourceError: The source would reveal an answer, or leave an exercise without its card.
    """
    module, curriculum = _module(notebook.path)
    exercises = {exercise.cell: exercise for exercise in notebook.exercises()}
    cells = [cell for cell in notebook.cells if cell.hint is None]
    texts = {cell.index: _stripped(notebook, cell, exercises.get(cell.index), solved) for cell in cells}
    _add_card(texts, _first_prose(notebook, cells), _module_card(module, curriculum, exercises.values()))
    for before, cell in zip(cells, cells[1:]):
        if cell.index in exercises:
            _require(notebook, cell, before.kind == "markdown", "an exercise needs a markdown cell directly before it")
            _add_card(texts, before, cards.line(cell.metadata))
    learner = [replace(cell, index=number, text=texts[cell.index], line=None) for number, cell in enumerate(cells, 1)]
    _refuse_leftovers(notebook, cells, texts)
    return learner


def write(cells, path, format="ipynb"):
    """Write cells as a notebook or a percent file, atomically and always with the same bytes."""
    if format not in ("ipynb", "py"):
        raise ValueError(f"a notebook is written as ipynb or py, not {format!r}")
    path = Path(path)
    render, html = (ipynb.render, True) if format == "ipynb" else (percent.render, False)
    write_atomically(path, render(cards.dressed(cells, html)))


def stub(text, label):
    """Replace each solution region by one raise at the region's indentation.

    Raises:
        ValueError: Regions are missing, nested or unbalanced.
    """
    lines, inside = [], False
    for line in text.split("\n"):
        mark = SOLUTION.match(line)
        if mark and (mark[1] == "BEGIN") == inside:
            raise ValueError(f"{mark[1]} SOLUTION is where the other mark is expected")
        if mark and not inside:
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f'{indent}raise NotImplementedError("{label}")')
        if mark:
            inside = not inside
        elif not inside:
            lines.append(line)
    if inside:
        raise ValueError("BEGIN SOLUTION has no END SOLUTION")
    return "\n".join(lines)


def _module(path):
    curriculum = Curriculum.load(path.parent.parent / "curriculum.toml")
    return curriculum.module(path.parent.name), curriculum


def _stripped(notebook, cell, exercise, solved):
    """Return the cell's text for the learner; an exercise must have a solution, and other cells must not."""
    marked = any(SOLUTION.match(line) for line in cell.text.split("\n"))
    if exercise is None:
        _require(notebook, cell, not marked, "solution marks are in a cell that is not an exercise")
        return cell.text
    _require(notebook, cell, marked, f"exercise {exercise.id} has no solution between marks")
    try:
        text = stub(cell.text, exercise.label)
        names = [name for node in ast.parse(text).body for name in definitions(node)]
    except (ValueError, SyntaxError) as error:
        raise SourceError(notebook.path, f"exercise {exercise.id}: {error}", cell) from None
    _require(
        notebook,
        cell,
        names == [exercise.name],
        f"the stub of {exercise.id} no longer defines {exercise.name}: the marks must be inside its body",
    )
    return _without_marks(cell.text) if solved else text


def _without_marks(text):
    return "\n".join(line for line in text.split("\n") if not SOLUTION.match(line)).rstrip()


def _first_prose(notebook, cells):
    for cell in cells:
        if cell.kind == "markdown":
            return cell
    raise SourceError(notebook.path, "needs a markdown cell that introduces the module")


def _add_card(texts, cell, card):
    """Put a card at the top of a markdown cell, below its heading if it starts with one."""
    first, _, rest = texts[cell.index].partition("\n")
    parts = [first, card, rest.strip("\n")] if first.startswith("#") else [card, texts[cell.index]]
    texts[cell.index] = "\n\n".join(part for part in parts if part)


def _module_card(module, curriculum, exercises):
    minutes = sum(exercise.minutes for exercise in exercises if not exercise.extension)
    needs = [needed.number for needed in curriculum.prerequisites(module)]
    parts = [f"Builds `tinytorch/{module.exports}`", f"core work {cards.count(minutes, 'minute')}"]
    return " · ".join(parts + ([f"needs {_numbers(needs)}"] if needs else []))


def _numbers(needs):
    whole_range = [f"{number:02d}" for number in range(int(needs[0]), int(needs[-1]) + 1)]
    return f"{needs[0]} to {needs[-1]}" if len(needs) > 2 and needs == whole_range else ", ".join(needs)


def _refuse_leftovers(notebook, cells, texts):
    """Raise if a solution mark is left, in any spelling: an answer may be left with it."""
    raise_all(
        [
            SourceError(notebook.path, "a solution mark is left after stripping", cell)
            for cell in cells
            if LEFTOVER.search(texts[cell.index])
        ]
    )


def _require(notebook, cell, fine, reason):
    if not fine:
        raise SourceError(notebook.path, reason, cell)
