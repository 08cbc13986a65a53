"""Read a notebook's cells, from `.ipynb` or from a percent `.py` file."""

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tito.notebooks import ipynb, percent, titles
from tito.notebooks.marks import EXPORTED
from tito.notebooks.problems import SourceError, SourceErrors, raise_all

__all__ = ["Cell", "Exercise", "Notebook", "SourceError", "SourceErrors", "read"]

CONFLICT = re.compile(r"^(<{7}|>{7}) ")
EXERCISE_ID = re.compile(r"^\d\d\.[1-9]\d*$")


@dataclass(frozen=True)
class Cell:
    """One cell: `index` counts all cells from 1, `line` is the first line of its text in a `.py` file."""

    index: int
    kind: str
    text: str
    metadata: dict
    line: int | None = None

    @cached_property
    def exported(self):
        """Whether the cell's first line that is not blank is `#| export`."""
        return self.kind == "code" and bool(EXPORTED.match(self.text))

    @cached_property
    def label(self):
        """The cell as messages name it, like `cell 45 (def matmul)`."""
        return titles.label(self.index, self.text)

    @property
    def exercise(self):
        return self.metadata.get("exercise") if self.kind == "code" else None

    @property
    def check(self):
        return self.metadata.get("check")

    @property
    def hint(self):
        return self.metadata.get("hint")

    @property
    def question(self):
        return self.metadata.get("question")


@dataclass(frozen=True)
class Exercise:
    """An exercise's header, the name that its cell defines, and the cell's index."""

    id: str
    name: str
    minutes: int
    points: int
    extension: bool
    cell: int

    @cached_property
    def label(self):
        return f"{self.id} {self.name}"


@dataclass(frozen=True)
class Notebook:
    """The cells of one file."""

    path: Path
    cells: tuple[Cell, ...]

    def exercises(self):
        """List the exercises in the notebook's order.

        Raises:
            SourceError: A header lacks minutes or points, an id occurs twice, or a cell does not define exactly one name.
        """
        return self._exercises

    @cached_property
    def _exercises(self):
        by_id, first, problems = {}, {}, []
        for cell in self.cells:
            if cell.exercise is None:
                continue
            try:
                exercise = _exercise(cell)
                if exercise.id in by_id:
                    raise ValueError(f"exercise {exercise.id} is already in {first[exercise.id].label}")
                by_id[exercise.id], first[exercise.id] = exercise, cell
            except (ValueError, SyntaxError) as error:
                problems.append(SourceError(self.path, str(error), cell))
        raise_all(problems)
        return tuple(by_id.values())

    def exercise(self, name):
        """Return the exercise with this id or name, or None."""
        return next((exercise for exercise in self.exercises() if name in (exercise.id, exercise.name)), None)


def read(path):
    """Read a notebook, `.ipynb` or percent `.py`.

    Raises:
        SourceError: The file cannot be read as a notebook; the message names file, cell and line.
    """
    path = Path(path)
    text = _text(path)
    parse = ipynb.parse if path.suffix == ".ipynb" else percent.parse
    cells = parse(path, text)
    return Notebook(path, tuple(Cell(index, *fields) for index, fields in enumerate(cells, 1)))


def definitions(node):
    """List the names that a top-level statement defines; imports do not count."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.AnnAssign):
        targets = [node.target] if node.value else []
    else:
        targets = node.targets if isinstance(node, ast.Assign) else []
    return [
        name.id
        for target in targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    ]


def _text(path):
    """Decode a file as UTF-8, with or without a byte order mark, and with any line ends."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SourceError(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SourceError(path, "is not UTF-8: save it with that encoding", line=line) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    conflicts = [number for number, line in enumerate(text.split("\n"), 1) if CONFLICT.match(line)]
    if conflicts:
        reason = "there is a merge conflict here: keep one side and remove the lines <<<<<<<, ======= and >>>>>>>"
        raise SourceErrors([SourceError(path, reason, line=number) for number in conflicts])
    return text


def _exercise(cell):
    data = cell.metadata
    if not isinstance(cell.exercise, str) or not EXERCISE_ID.match(cell.exercise):
        raise ValueError(f'an exercise is named like "01.4", not {cell.exercise!r}')
    for key in ("minutes", "points"):
        if type(data.get(key)) is not int:
            raise ValueError(f"the header of exercise {cell.exercise} needs a whole number: {key}=…")
    names = [name for node in ast.parse(cell.text).body for name in definitions(node)]
    if len(names) != 1:
        raise ValueError(f"the cell of exercise {cell.exercise} must define one name, not {', '.join(names) or 'none'}")
    return Exercise(cell.exercise, names[0], data["minutes"], data["points"], bool(data.get("extension")), cell.index)
