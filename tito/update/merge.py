"""Merge a learner's notebook with the current one of the same module. "Today's" means the current course's.

The result has today's cells in today's order. If the learner answered an exercise or a question, it has the learner's cell. The
learner's own cells stay after the same cell as before. A given cell that the learner changed is kept if the course did not change
it; otherwise today's replaces it, and the learner's version goes into a file beside the notebook. A learner's cell is never
changed, except for its imports of code that has moved.
"""

import ast
import difflib
import functools
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

from tito.notebooks.parts import Part, exported_parts
from tito.notebooks.refusals import DEFINED
from tito.notebooks.source import Cell, Notebook, definitions
from tito.update import moved, origin

ALIKE = 0.6  # a cell this similar to a given one counts as a changed copy of it, not as the learner's own
OURS = ("exercise", "check", "question", "answer", "minutes", "points", "extension")  # metadata keys that the course writes
CHANGED_EXERCISE = (
    "Your answer is unchanged in the notebook. The course has changed the code around it; this is the current exercise."
)
CHANGED_TWICE = "You changed this given cell, and the course has changed it too. The notebook has the current one."
SECOND = "It defines the same as another cell of yours. The notebook has the other cell."


@dataclass(frozen=True)
class Entry:
    """One cell of the result, and the index of the learner's cell that it comes from and keeps the outputs of, or None."""

    cell: object
    mine: int | None = None


@dataclass(frozen=True)
class Beside:
    """A cell that could not be merged: its title, the reason, and its text."""

    title: str
    reason: str
    text: str


@dataclass
class Merge:
    """The cells of the result, the cells that could not be merged, and how many cells were kept of each kind."""

    entries: list = field(default_factory=list)
    beside: list = field(default_factory=list)
    kept: Counter = field(default_factory=Counter)


def merge(mine, today, known, package):
    """Merge the learner's notebook with today's.

    Args:
        mine: The learner's `Notebook`.
        today: The cells of the current course's learner notebook, a list of `Cell`.
        known: Set of digests of what earlier courses gave in this module's notebook.
        package: The current `moved.Package`.

    Returns:
        The `Merge`.
    """
    untouched = {cell.index for cell in mine.cells if origin.digest_of_text(cell.text) in known}
    aliases = moved.aliases(cell.text for cell in mine.cells)
    cells = [_brought_along(cell, package, aliases) for cell in mine.cells]
    course = Course(today, known | _moved_imports(mine, known, package), untouched)
    at = defaultdict(list)
    for cell, place in zip(cells, course.places(cells)):
        at[place.position].append((cell, place.kind))
    result = Merge()
    for position in range(-1, len(today)):
        if position >= 0:
            _settle(result, course, today[position], [cell for cell, kind in at[position] if kind == "same"])
        for cell, kind in at[position]:
            if kind == "own":
                result.entries.append(Entry(_untagged(cell), cell.index))
                result.kept["own cell"] += 1
    result.entries = [replace(entry, cell=replace(entry.cell, index=number)) for number, entry in enumerate(result.entries, 1)]
    return result


@dataclass(frozen=True)
class Place:
    """Where a learner's cell belongs: the `same` as today's cell at a position, their `own` cell after it, or `gone`."""

    kind: str
    position: int


class Course:
    """Today's cells, and the digests of cells that earlier courses gave."""

    def __init__(self, today, known, untouched):
        self.today, self.known, self.untouched = today, known, untouched
        self.names = {name: position for position, cell in enumerate(today) for name in _provided(cell)}
        self.tags = {tag: position for position, cell in enumerate(today) for tag in _tags(cell)}
        self.texts = defaultdict(list)
        for position, cell in enumerate(today):
            self.texts[origin.digest_of_text(cell.text)].append(position)

    def gave(self, cell):
        """Return whether a learner's cell is as the course gave it, today or earlier."""
        return cell.index in self.untouched or origin.digest_of_text(cell.text) in self.texts

    def changed(self, cell):
        """Return whether the course has changed a cell since; in code, docstrings and imports do not count."""
        return not {_code(cell), origin.digest_of_text(cell.text)} & self.known

    def places(self, cells):
        """Return a list with the `Place` of each of the learner's cells."""
        counterparts = [self.counterpart(cell) for cell in cells]
        first = {position: number for number, position in reversed(list(enumerate(counterparts)))}
        counterparts = [
            position if _provided(cell) or first[position] == number else None
            for number, (cell, position) in enumerate(zip(cells, counterparts))
        ]
        taken = set(counterparts)
        places, position = [], -1
        for number, cell in enumerate(cells):
            if counterparts[number] is not None:
                position = counterparts[number]
                places.append(Place("same", position))
                continue
            after = next((other for other in counterparts[number + 1 :] if other is not None), len(self.today))
            free = [between for between in range(position + 1, after) if between not in taken]
            alike = self.alike(cell, free)
            if alike is not None:
                taken.add(alike)
                position = alike
                places.append(Place("same", position))
            elif self.gave(cell):
                position = free[0] if free else position
                places.append(Place("gone", position))
            else:
                places.append(Place("own", position))
        return places

    def counterpart(self, cell):
        """Return the position of the cell today that a learner's cell is a copy of, or None if no id, text or name matches."""
        for tag in _tags(cell):
            if tag in self.tags:
                return self.tags[tag]
        same = self.texts.get(origin.digest_of_text(cell.text), [])
        named = [self.names[name] for name in _provided(cell) if name in self.names]
        return next(iter([*same, *named]), None)

    def alike(self, cell, positions):
        """Return the first of some positions where today's cell is similar to the learner's, or None."""
        for position in positions:
            other = self.today[position]
            comparable = (other.kind, other.exported) == (cell.kind, cell.exported) and not _tags(other)
            if comparable and difflib.SequenceMatcher(None, cell.text, other.text, autojunk=False).ratio() >= ALIKE:
                return position
        return None


def _settle(result, course, today, mine):
    """Decide between one of today's cells and `mine`, the learner's copies of it."""
    mine = sorted(mine, key=course.gave)  # a written cell is preferred to a stub
    if not mine or course.gave(mine[0]):
        result.entries.append(Entry(today, mine[0].index if mine else None))
        return
    first, *others = mine
    merged = Entry(replace(first, metadata={**first.metadata, **today.metadata}), first.index)
    if today.exercise or today.question or "answer" in today.metadata:
        result.entries.append(merged)
        result.kept["answer"] += 1
        if today.exercise and course.changed(today):
            result.beside.append(Beside(f"Exercise {today.exercise}", CHANGED_EXERCISE, today.text))
    elif not course.changed(today) and _imported(today) <= _imported(first):
        result.entries.append(merged)
        result.kept["changed cell"] += 1
    else:
        result.entries.append(Entry(today, first.index))
        _leave(result, course, first, CHANGED_TWICE)
    for cell in others:
        if not course.gave(cell):
            _leave(result, course, cell, SECOND)


def _leave(result, course, cell, reason):
    """Put a learner's version of a given cell into the file beside, and keep what they added to it as their own cell."""
    result.beside.append(Beside(f"Cell {cell.index} of the notebook as it was", reason, cell.text))
    added = _added(course, cell)
    if added:
        result.entries.append(Entry(replace(cell, text="#| export\n" + "\n\n\n".join(added), metadata={})))
        result.kept["own cell"] += 1


def _added(course, cell):
    """List the texts of an exported cell's statements that the course never gave."""
    given = course.known | {origin.digest_of_statement(node) for other in course.today for node in _statements(other)}
    lines, added = cell.text.split("\n"), []
    top = len(lines) - len(_part(cell.text).lines) if _statements(cell) else 0
    for node in _statements(cell):
        names = definitions(node)
        is_new = isinstance(node, (ast.Import, ast.ImportFrom)) or (names and not course.names.keys() & {*names})
        if is_new and origin.digest_of_statement(node) not in given:
            first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
            added.append("\n".join(lines[top + first - 1 : top + node.end_lineno]))
    return added


def _moved_imports(mine, known, package):
    """Return the digests of the imports that the course gave, after updating them."""
    texts = [
        ast.unparse(node)
        for cell in mine.cells
        for node in _statements(cell)
        if isinstance(node, ast.ImportFrom) and origin.digest_of_statement(node) in known
    ]
    return {origin.digest_of_statement(node) for text in texts for node in ast.parse(moved.brought_along(text, package)).body}


def _tags(cell):
    """List what identifies a cell apart from its text: the name of its exercise, then the ids in its metadata."""
    names = [("exercise", name) for name in DEFINED.findall(cell.text)] if cell.exercise else []
    return names + [(kind, cell.metadata[kind]) for kind in OURS[:4] if isinstance(cell.metadata.get(kind), str)]


def _part(text):
    """Parse a code cell, or return None if it is empty."""
    return next(iter(_parts(text)), None)


@functools.cache
def _parts(text):
    cell = Cell(1, "code", text, {})
    if cell.exported:
        return exported_parts(Notebook(Path(), (cell,)))
    return [Part(cell, tuple(enumerate(text.split("\n"), 1)))]


def _statements(cell):
    """List the statements of an exported cell; other cells, and cells that are not Python, have none."""
    part = _part(cell.text) if cell.exported else None
    return part.tree.body if part and part.tree else []


def _provided(cell):
    """List the names and registrations that an exported cell provides."""
    part = _part(cell.text) if cell.exported else None
    return [name for name, _ in part.provided] if part else []


def _code(cell):
    """Return the digest of a code cell's code, or None for other cells, imports only, and what is not Python."""
    part = _part(cell.text) if cell.kind == "code" else None
    return origin.digest_of_code(part.tree.body) if part and part.tree else None


def _imported(cell):
    """Return the names that a code cell imports at the top level."""
    part = _part(cell.text) if cell.kind == "code" else None
    nodes = [node for node in (part.tree.body if part and part.tree else ()) if isinstance(node, (ast.Import, ast.ImportFrom))]
    return {(alias.asname or alias.name).split(".")[0] for node in nodes for alias in node.names}


def same_code(old, new):
    """Return whether two cells do the same, so that the outputs of the old one are valid for the new one."""
    return old.text == new.text or (_code(old) is not None and _code(old) == _code(new))


def _brought_along(cell, package, aliases):
    return replace(cell, text=moved.brought_along(cell.text, package, aliases)) if cell.kind == "code" else cell


def _untagged(cell):
    """Remove the course's metadata from a cell that is no longer part of the course."""
    return replace(cell, metadata={key: value for key, value in cell.metadata.items() if key not in OURS})
