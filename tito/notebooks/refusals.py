"""All reasons to refuse an export, each with its cell and line."""

import ast
import builtins
import difflib
import itertools
import re

from tito.notebooks.marks import EXPORT
from tito.notebooks.parts import exported_parts, is_registration, other_parts
from tito.notebooks.problems import SourceError

ALLOWED = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
)
MOST_NAMES, LONGEST_NAME = 200, 60  # compared with what is missing, so that no notebook makes this slow
MOST_USES = 20  # reported per cell
DEFINED = re.compile(r"^(?:(?:async +)?def|class) +(\w+)", re.MULTILINE)


def refusals(notebook, parts, reference):
    """List all the problems that keep a notebook from being exported.

    Args:
        notebook: The notebook to export.
        parts: Its exported cells.
        reference: The course's own source, which defines what is required.
    """
    required = _required(reference)
    return [
        *_statements(notebook, parts),
        *_misplaced_marks(notebook),
        *_defined_twice(notebook, parts),
        *_missing(notebook, parts, required),
        *_left_behind(notebook, parts, required),
    ]


def _at(notebook, part, position, reason):
    return SourceError(notebook.path, reason, part.cell, part.number(position))


def _statements(notebook, parts):
    """Yield syntax errors, magics, and statements that are not allowed in an exported cell."""
    for part in parts:
        for position, reason in [*part.syntax_problems, *(_refused(part.tree) if part.tree else ())]:
            yield _at(notebook, part, position, reason)


def _refused(tree):
    """Yield top-level statements that run code on import, and relative imports anywhere."""
    for position, node in enumerate(tree.body):
        if not allowed(node, position):
            yield (
                node.lineno,
                (f"`{_first_line(node)}` would run whenever the package is imported: move it to a cell without `#| export`"),
            )
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield (
                node.lineno,
                (f"`{_first_line(node)}` works only inside a package: write the full name, `from tinytorch.tensor import ...`"),
            )


def allowed(node, position):
    """Return whether a top-level statement may be exported: a definition, an import, a registration, the first docstring."""
    return isinstance(node, ALLOWED) or is_registration(node) or (position == 0 and _is_text(node))


def _is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _first_line(node):
    text = ast.unparse(node).partition("\n")[0]
    return text if len(text) <= 50 else f"{text[:47]}..."


def _misplaced_marks(notebook):
    """Yield `#| export` lines below the first line, which would silently leave the cell out."""
    for cell in notebook.cells:
        if cell.kind != "code" or cell.exported:
            continue
        for number, line in enumerate(cell.text.split("\n"), 1):
            if EXPORT.match(line):
                yield SourceError(notebook.path, "`#| export` must be the first line of its cell", cell, number)


def _defined_twice(notebook, parts):
    first = {}
    for part in parts:
        for name, position in part.provided:
            if name in first and name.isidentifier() and name != "_":
                yield _at(notebook, part, position, f"`{name}` is already defined in {first[name]}: keep one of the two")
            first.setdefault(name, part.cell.label)


def _missing(notebook, parts, required):
    """Yield exercises and given names of the course that no exported cell defines."""
    present = {name for part in parts for name, _ in part.provided}
    new = _new_names(notebook, required)
    for name, title in required.items():
        unreadable = any(part.tree is None and line_of(name, part.text) for part in parts)
        if name not in present and not unreadable:
            yield _missing_problem(notebook, name, title, new)


def _required(reference):
    """Map each required name to its title: the exercise's name in its cell, all names in other cells."""
    exercises = {exercise.cell: exercise for exercise in reference.exercises()}
    required = {}
    for part in exported_parts(reference):
        exercise = exercises.get(part.cell.index)
        if exercise:
            required[exercise.name] = f"exercise {exercise.label}"
        else:
            required |= {name: f"`{name}`, which the course gives," for name, _ in part.provided}
    return required


def _missing_problem(notebook, name, title, new):
    """Return the problem of a missing name: its cell lost `#| export`, became prose, or is gone."""
    for cell in notebook.cells:
        line = None if cell.exported else line_of(name, cell.text)
        if line and cell.kind == "code":
            reason = f"{title} is not in an exported cell: the first line of this cell must be `#| export`"
            return SourceError(notebook.path, reason, cell, line)
        if line and EXPORT.search(cell.text):
            return SourceError(notebook.path, f"{title} is in a {cell.kind} cell: turn it back into code", cell, line)
    guess = difflib.get_close_matches(name, new, 1)
    renamed = f"; `{guess[0]}` looks like it: rename it back" if guess else ""
    return SourceError(notebook.path, f"{title} is missing: no cell defines it{renamed}")


def _new_names(notebook, required):
    """List the names that exported cells seem to define, but the course does not: the first `MOST_NAMES`, cut to a length."""
    names = (name[:LONGEST_NAME] for cell in notebook.cells if cell.exported for name in DEFINED.findall(cell.text))
    return list(itertools.islice((name for name in names if name not in required), MOST_NAMES))


def line_of(name, text):
    """Return the line on which a cell, valid Python or not, seems to define a name or make a registration."""
    callee, call, _ = name.partition("(")
    word = re.escape(callee)
    defined = rf"^(?:(?:async +)?def|class) +{word}\b|^{word}\s*(?::[^=\n]*)?=(?!=)"
    match = re.search(rf"^{word}\(" if call else defined, text, re.MULTILINE)
    return match and text.count("\n", 0, match.start()) + 1


def _left_behind(notebook, parts, required):
    """Yield exported code that uses names from cells that are not exported: it works in the notebook only."""
    inside = {name for part in parts for name in part.bound} | required.keys() | set(dir(builtins))
    outside = {name: other.cell.label for other in other_parts(notebook) for name in other.bound}
    for part in parts:
        for name in sorted(part.used & (outside.keys() - inside))[:MOST_USES]:
            yield _at(
                notebook,
                part,
                part.position_of(name),
                f"`{name}` comes from {outside[name]}, which is not exported: define or import it in an exported cell",
            )
