"""One notebook's cells: the learner's, and today's of the same module.

The result has today's cells in today's order. Where the learner has answered an exercise or a question, it has their cell. Their
own cells come after the cell that they came after. A given cell that they changed stays theirs while the course has not changed
it; else today's takes its place, and theirs is left beside. Nothing is ever written into a learner's cell but the new places of
what it imports.
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

ALIKE = 0.6  # a cell that shares this much of its text with a given one is a changed copy of it, not the learner's own
OURS = ("exercise", "check", "question", "minutes", "points", "extension")  # what the course writes into a cell's metadata
CHANGED_EXERCISE = (
    "Your answer is in the notebook as it was. The course has changed the code around it; this is today's exercise."
)
CHANGED_TWICE = "You changed this cell, which the course gives, and the course has changed it too. The notebook holds today's."
SECOND = "It defines again what another cell of yours defines. The notebook holds the other one."


@dataclass(frozen=True)
class Entry:
    """One cell of the result, and the index of the learner's cell that it comes from, whose outputs it keeps; else None."""

    cell: object
    mine: int | None = None


@dataclass(frozen=True)
class Beside:
    """A cell that could not be merged: what it is, why it is left out, and its text."""

    title: str
    reason: str
    text: str


@dataclass
class Merge:
    """The cells of the result, what is left beside, and how many cells were kept of each kind."""

    entries: list = field(default_factory=list)
    beside: list = field(default_factory=list)
    kept: Counter = field(default_factory=Counter)


def merge(mine, today, known, package):
    """Merge the learner's notebook with today's.

    Args:
        mine: The learner's `Notebook`.
        today: The cells that today's course gives to a learner, a list of `Cell`.
        known: Digests of what the course gave before, in this module's notebook, a set.
        package: Today's `moved.Package`.

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
    """Where a learner's cell belongs: it is the `same` as today's cell at a position, their `own` after it, or `gone`."""

    kind: str
    position: int


class Course:
    """Today's cells, and what is known of those that the course gave before."""

    def __init__(self, today, known, untouched):
        self.today, self.known, self.untouched = today, known, untouched
        self.names = {name: position for position, cell in enumerate(today) for name in _provided(cell)}
        self.tags = {tag: position for position, cell in enumerate(today) for tag in _tags(cell)}
        self.texts = defaultdict(list)
        for position, cell in enumerate(today):
            self.texts[origin.digest_of_text(cell.text)].append(position)

    def gave(self, cell):
        """Say whether one of the learner's cells is as the course gave it, today or before."""
        return cell.index in self.untouched or origin.digest_of_text(cell.text) in self.texts

    def changed(self, cell):
        """Say whether the course has changed one of today's cells since; of code, docstrings and imports do not count."""
        return not {_code(cell), origin.digest_of_text(cell.text)} & self.known

    def places(self, cells):
        """Return the place of each of the learner's cells, a list of `Place`."""
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
        """Return the position of today's cell that a learner's cell is a copy of; None if nothing but its text could tell."""
        for tag in _tags(cell):
            if tag in self.tags:
                return self.tags[tag]
        same = self.texts.get(origin.digest_of_text(cell.text), [])
        named = [self.names[name] for name in _provided(cell) if name in self.names]
        return next(iter([*same, *named]), None)

    def alike(self, cell, positions):
        """Return the first of some positions whose cell of today's is much like the learner's; None if there is none."""
        for position in positions:
            other = self.today[position]
            comparable = (other.kind, other.exported) == (cell.kind, cell.exported) and not _tags(other)
            if comparable and difflib.SequenceMatcher(None, cell.text, other.text, autojunk=False).ratio() >= ALIKE:
                return position
        return None


def _settle(result, course, today, mine):
    """Decide what comes in the place of one of today's cells; `mine` are the learner's cells that are copies of it."""
    mine = sorted(mine, key=course.gave)  # what they wrote comes before a stub that they left
    if not mine or course.gave(mine[0]):
        result.entries.append(Entry(today, mine[0].index if mine else None))
        return
    first, *others = mine
    merged = Entry(replace(first, metadata={**first.metadata, **today.metadata}), first.index)
    if today.exercise or today.question:
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
    """Leave a learner's version of a given cell beside, and keep what they added to it as a cell of their own."""
    result.beside.append(Beside(f"Cell {cell.index} of the notebook as it was", reason, cell.text))
    added = _added(course, cell)
    if added:
        result.entries.append(Entry(replace(cell, text="#| export\n" + "\n\n\n".join(added), metadata={})))
        result.kept["own cell"] += 1


def _added(course, cell):
    """List the statements of an exported cell that the course does not give, today or before, as texts."""
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
    """Return the digests of the imports that the course gave, as they are once they were brought along."""
    texts = [
        ast.unparse(node)
        for cell in mine.cells
        for node in _statements(cell)
        if isinstance(node, ast.ImportFrom) and origin.digest_of_statement(node) in known
    ]
    return {origin.digest_of_statement(node) for text in texts for node in ast.parse(moved.brought_along(text, package)).body}


def _tags(cell):
    """List what tells today's counterpart of a cell whatever its text: the name of its exercise, then the ids in its metadata."""
    names = [("exercise", name) for name in DEFINED.findall(cell.text)] if cell.exercise else []
    return names + [(kind, cell.metadata[kind]) for kind in OURS[:3] if isinstance(cell.metadata.get(kind), str)]


def _part(text):
    """Parse an exported cell; None if it holds nothing."""
    return next(iter(_parts(text)), None)


@functools.cache
def _parts(text):
    cell = Cell(1, "code", text, {})
    if cell.exported:
        return exported_parts(Notebook(Path(), (cell,)))
    return [Part(cell, tuple(enumerate(text.split("\n"), 1)))]


def _statements(cell):
    """List the statements of an exported cell; none of another, or of what is not Python."""
    part = _part(cell.text) if cell.exported else None
    return part.tree.body if part and part.tree else []


def _provided(cell):
    """List what an exported cell gives the package: names and registrations."""
    part = _part(cell.text) if cell.exported else None
    return [name for name, _ in part.provided] if part else []


def _code(cell):
    """Return the digest of a code cell's code, None for other cells, what only imports, and what is not Python."""
    part = _part(cell.text) if cell.kind == "code" else None
    return origin.digest_of_code(part.tree.body) if part and part.tree else None


def _imported(cell):
    """Return the names that a code cell imports at its top."""
    part = _part(cell.text) if cell.kind == "code" else None
    nodes = [node for node in (part.tree.body if part and part.tree else ()) if isinstance(node, (ast.Import, ast.ImportFrom))]
    return {(alias.asname or alias.name).split(".")[0] for node in nodes for alias in node.names}


def same_code(old, new):
    """Say whether two cells do the same, so that what the old one printed is what the new one prints."""
    return old.text == new.text or (_code(old) is not None and _code(old) == _code(new))


def _brought_along(cell, package, aliases):
    return replace(cell, text=moved.brought_along(cell.text, package, aliases)) if cell.kind == "code" else cell


def _untagged(cell):
    """A cell that the course has no longer is a cell like any other."""
    return replace(cell, metadata={key: value for key, value in cell.metadata.items() if key not in OURS})
