"""Parse the exported cells of a notebook: what they define, use, and run on import."""

import ast
import re
import symtable
import warnings
from dataclasses import dataclass, field
from functools import cached_property

from tito.notebooks.marks import EXPORT, SOLUTION
from tito.notebooks.source import definitions

MAGIC = re.compile(r"""^\s*(%{1,2}[A-Za-z]|[!?]|[\w, ]+=\s*[%!])|^[^"'#]*\?\s*$""")
MOST_MAGICS = 20  # reported per cell
NOT_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True)
class Part:
    """One code cell: its exported lines, each with its number in the cell."""

    cell: object
    lines: tuple[tuple[int, str], ...] = field(repr=False)

    @property
    def text(self):
        return "\n".join(line for _, line in self.lines)

    def number(self, position):
        """Return the number in the cell of the line at `position`, both counted from 1."""
        return self.lines[min(max(position, 1), len(self.lines)) - 1][0]

    @property
    def tree(self):
        """The cell's syntax tree without its magics, or None if it is not Python."""
        return self._parsed[0]

    @property
    def syntax_problems(self):
        """Positions and reasons: every magic, and the first syntax error."""
        return self._parsed[1]

    @property
    def without_magics(self):
        """The cell's lines without its magics, as long as they could be removed."""
        return tuple((number, line) for (number, _), line in zip(self.lines, self._parsed[2]))

    @cached_property
    def _parsed(self):
        return _parse([line for _, line in self.lines])

    @cached_property
    def provided(self):
        """What the cell provides, with positions: the names that it defines, and its registrations."""
        body = self.tree.body if self.tree else []
        names = [(name, node.lineno) for node in body for name in definitions(node)]
        return names + [(_registration(node), node.lineno) for node in body if is_registration(node)]

    @cached_property
    def bound(self):
        """The names that the cell's top level binds, imports included."""
        return {
            symbol.get_name()
            for table in self._tables
            for symbol in table.get_symbols()
            if symbol.is_assigned() or symbol.is_imported()
        }

    @cached_property
    def used(self):
        """The names that the cell uses from the top level, its own or another cell's."""
        return {
            symbol.get_name()
            for top in self._tables
            for table in _all_tables(top)
            for symbol in table.get_symbols()
            if symbol.is_global() and symbol.is_referenced()
        }

    @cached_property
    def _tables(self):
        """A symbol table for each statement: in a single large one, Python's search for names is slow."""
        try:
            return [symtable.symtable(ast.unparse(node), "<cell>", "exec") for node in (self.tree.body if self.tree else ())]
        except NOT_PYTHON:
            return []

    def position_of(self, name):
        """Return the position of the first use of a name."""
        return min((node.lineno for node in ast.walk(self.tree) if isinstance(node, ast.Name) and node.id == name), default=1)


def exported_parts(notebook):
    """List the cells that go into the package, without their `#| export` and solution marks."""
    parts = [Part(cell, _below_export(cell.text)) for cell in notebook.cells if cell.exported]
    return [part for part in parts if part.lines]


def other_parts(notebook):
    """List the code cells that stay in the notebook."""
    return [
        Part(cell, tuple(enumerate(cell.text.split("\n"), 1)))
        for cell in notebook.cells
        if cell.kind == "code" and not cell.exported
    ]


def cell_of(notebook, name):
    """Return the index of the exported cell that defines a name, or None."""
    return next((part.cell.index for part in exported_parts(notebook) if name in dict(part.provided)), None)


def is_registration(node):
    """Return whether a statement is a registration like `matmul.register_vjp(rule)`, which exported cells may call."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    called = node.value.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name.startswith("register")


def compiled(text, only_tree=False):
    """Compile without warnings: the learner sees them when running the notebook."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(text, "<export>", "exec", ast.PyCF_ONLY_AST if only_tree else 0, dont_inherit=True)


def _below_export(text):
    """Number a cell's lines, and keep those below `#| export` (the first line that is not blank) without the marks."""
    lines = list(enumerate(text.rstrip().split("\n"), 1))
    top = next(number for number, line in lines if EXPORT.match(line))
    kept = [(number, line) for number, line in lines[top:] if not SOLUTION.match(line)]
    while kept and not kept[-1][1].strip():
        kept.pop()
    return tuple(kept)


def _parse(lines):
    """Parse a cell; report and blank out each magic that breaks it, then try again, up to `MOST_MAGICS` times."""
    problems = []
    while len(problems) < MOST_MAGICS:
        try:
            return compiled("\n".join(lines), only_tree=True), problems, lines
        except NOT_PYTHON as error:
            position = min(getattr(error, "lineno", None) or 1, len(lines))
            line = lines[position - 1]
            if not MAGIC.match(line):
                return None, [*problems, (position, f"is not Python: {getattr(error, 'msg', None) or error}")], lines
            problems.append((position, f"`{line.strip()}` works only in notebooks: move it to a cell without `#| export`"))
            indent = line[: len(line) - len(line.lstrip())]
            lines[position - 1] = f"{indent}pass" if indent else ""
    return None, problems, lines


def _registration(node):
    """Name a registration by its callee and a constant first argument: `matmul.register_kernel('numba')`."""
    call = node.value
    first = ast.unparse(call.args[0]) if call.args and isinstance(call.args[0], ast.Constant) else "..."
    return f"{ast.unparse(call.func)}({first})"


def _all_tables(table):
    return [table, *(inner for child in table.get_children() for inner in _all_tables(child))]
