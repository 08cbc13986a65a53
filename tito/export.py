"""From a notebook to a file of the package: the marked cells, compact, each under a comment that names it.

The comment takes the place of the cell's `#| export` line. A line of the exported file is therefore as far from the
comment as it is from the top of the cell, and an error's place can be told from the file alone.
"""
import ast
import os
import re
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tito.problems import SourceError, SourceErrors, place, raise_all
from tito.source import EXPORT, definitions, read

HEADER = re.compile(r"^# Made by tito from (?P<label>[^:]+): edit that file")
COMMENT = re.compile(r"^# (?P<name>\S+\.(?:py|ipynb)), cell (?P<cell>\d+)$")
MARK = re.compile(r"^\s*#+ *(BEGIN|END) SOLUTION *$")
MAGIC = re.compile(r"^\s*(%{1,2}[A-Za-z]|!|\?)|\?\s*$")
ALLOWED = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef,
           ast.Assign, ast.AnnAssign, ast.AugAssign)


class ExportRefused(SourceErrors):
    """The notebook cannot become a file of the package; `problems` says all that stands in the way."""


@dataclass(frozen=True)
class Part:
    """An exported cell: its lines that are kept, each with its number in the cell."""

    cell: object
    lines: tuple[tuple[int, str], ...] = field(repr=False)

    @property
    def text(self):
        return "\n".join(line for _, line in self.lines)

    def number(self, position):
        """Give the line of the cell that stands on line `position` of the kept text, both counted from 1."""
        return self.lines[min(max(position, 1), len(self.lines)) - 1][0] if self.lines else 1

    @cached_property
    def tree(self):
        return _quietly(lambda: compile(self.text, "<cell>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True))


def export_text(notebook, reference, label):
    """Return the text of the package's file.

    Args:
        notebook: The notebook to export.
        reference: The course's own source of the same module, which says what must be there.
        label: The notebook's path as the file shall name it, like `modules/01_tensor/tensor.ipynb`.

    Raises:
        ExportRefused: Something in the notebook cannot be exported, or is missing.
    """
    parts = exported_parts(notebook)
    problems = [problem for part in parts for problem in _cell_problems(notebook, part)]
    if not problems or reference is not notebook:
        problems += _missing(notebook, parts, reference)
    problems += _defined_twice(notebook, parts) + _misplaced_marks(notebook)
    raise_all(problems, ExportRefused)
    text = _assemble(parts, label)
    raise_all(_whole_file_problems(notebook, parts, text), ExportRefused)
    return text


def exported_parts(notebook):
    """List the cells that go into the package, without their `#| export` and solution marks."""
    return [Part(cell, _kept(cell.text)) for cell in notebook.cells if cell.exported]


def origin_of(exported_path, line):
    """Name the notebook, cell and line from which a line of an exported file came, or None.

    The notebook's cell is compared when it is there: solution marks are dropped on export, and shift what follows.
    """
    lines = Path(exported_path).read_text(encoding="utf-8").split("\n")
    header = HEADER.match(lines[0])
    comments = [(number, COMMENT.match(text)) for number, text in enumerate(lines[:line], 1) if COMMENT.match(text)]
    if not header or not comments or line > len(lines):
        return None
    number, comment = comments[-1]
    label = Path(header["label"])
    exact = _line_in_notebook(Path(exported_path).parent.parent / label, int(comment["cell"]), line - number, lines[line - 1])
    return place(label, int(comment["cell"]), exact or line - number + 1)


def write_atomically(path, text):
    """Write a text so that a kill at any moment leaves either the old file or the new one.

    A Python file is compiled first; a file that already holds the text is left alone, and permissions are kept.
    """
    path = Path(os.path.realpath(path))
    if path.suffix == ".py":
        _quietly(lambda: compile(text, str(path), "exec", dont_inherit=True))
    data = text.encode("utf-8")
    if path.is_file() and path.read_bytes() == data:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(temporary, path.stat().st_mode & 0o7777)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _kept(text):
    """Number the lines of a cell and drop the marks; the `#| export` line is the first that is not blank."""
    lines = list(enumerate(text.rstrip().split("\n"), 1))
    first = next(position for position, (_, line) in enumerate(lines) if EXPORT.match(line))
    return tuple((number, line) for number, line in lines[first + 1:] if not MARK.match(line))


def _assemble(parts, label):
    name = label.rpartition("/")[2]
    number = label.rpartition("/")[0].rpartition("/")[2][:2]
    head = f"# Made by tito from {label}: edit that file, then run `tito module complete {number}`.\n"
    cells = [f"# {name}, cell {part.cell.index}\n{part.text}\n" for part in parts]
    return "\n".join([head, "\n\n".join(cells)])


def _cell_problems(notebook, part):
    try:
        tree = part.tree
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return _syntax_problems(notebook, part, error)
    return [SourceError(notebook.path, reason, part.cell.index, part.number(line)) for line, reason in _refused(tree)]


def _syntax_problems(notebook, part, error):
    """A magic is a syntax error with a better name; a file that opens with one may hold several."""
    magics = [(number, line) for number, line in part.lines if MAGIC.search(line.partition("#")[0])]
    if magics:
        return [SourceError(notebook.path, f"`{line.strip()}` is for notebooks only: move it to a cell without `#| export`",
                            part.cell.index, number) for number, line in magics]
    number = part.number(getattr(error, "lineno", None) or 1)
    reason = getattr(error, "msg", None) or str(error)
    return [SourceError(notebook.path, f"is not Python: {reason}", part.cell.index, number)]


def _refused(tree):
    """Find top-level statements that do something on import, and relative imports anywhere."""
    for position, node in enumerate(tree.body):
        if not isinstance(node, ALLOWED) and not _is_registration(node) and not (position == 0 and _is_text(node)):
            yield node.lineno, (f"`{_first_line(node)}` would run whenever the package is imported: "
                                "move it to a cell without `#| export`")
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield node.lineno, f"`{_first_line(node)}` is relative to a file: write `from tinytorch... import ...`"


def _is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_registration(node):
    """`register_engine(run)` and `matmul.register_vjp(rule)` are what an exported cell may call."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    called = node.value.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name.startswith("register")


def _first_line(node):
    text = ast.unparse(node).partition("\n")[0]
    return text if len(text) <= 50 else text[:47] + "..."


def _provided(part):
    """What an exported cell gives the package: the names that it defines, and its registrations."""
    try:
        body = part.tree.body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    names = [(name, node.lineno) for node in body for name in definitions(node)]
    return names + [(_registration(node), node.lineno) for node in body if _is_registration(node)]


def _registration(node):
    call = node.value
    first = [ast.unparse(call.args[0])] if call.args and isinstance(call.args[0], ast.Constant) else []
    return f"{ast.unparse(call.func)}({', '.join(first)})"


def _missing(notebook, parts, reference):
    """Exercises and given names of the course that the notebook's exported cells do not define."""
    present = {name for part in parts for name, _ in _provided(part)}
    exercises = {exercise.name: exercise for exercise in reference.exercises()}
    names = dict.fromkeys(name for part in exported_parts(reference) for name, _ in _provided(part))
    return [_missing_problem(notebook, name, exercises.get(name)) for name in names if name not in present]


def _missing_problem(notebook, name, exercise):
    title = f"exercise {exercise.label}" if exercise else f"`{name}`, which the course gives,"
    pattern = re.compile(rf"^(?:(?:async +)?def +|class +)?{re.escape(name)}\b(?=[\s(:=\[])", re.MULTILINE)
    for cell in notebook.cells:
        found = pattern.search(cell.text) if cell.kind == "code" else None
        if found and not cell.exported:
            reason = f"{title} is not in an exported cell: the first line of this cell must be `#| export`"
            return SourceError(notebook.path, reason, cell.index, cell.text.count("\n", 0, found.start()) + 1)
        if found:
            return SourceError(notebook.path, f"{title} cannot be read here before the rest of the cell is", cell.index)
    return SourceError(notebook.path, f"{title} is missing from the exported cells")


def _defined_twice(notebook, parts):
    seen, problems = {}, []
    for part in parts:
        for name, line in _provided(part):
            if name in seen and name.isidentifier() and name != "_":
                reason = f"`{name}` is already defined in cell {seen[name]}: keep one of the two"
                problems.append(SourceError(notebook.path, reason, part.cell.index, part.number(line)))
            seen.setdefault(name, part.cell.index)
    return problems


def _misplaced_marks(notebook):
    """`#| export` below the first line would leave the cell out without a word."""
    return [SourceError(notebook.path, "`#| export` must be the first line of its cell", cell.index, number)
            for cell in notebook.cells if cell.kind == "code" and not cell.exported
            for number, line in enumerate(cell.text.split("\n"), 1) if EXPORT.match(line)]


def _whole_file_problems(notebook, parts, text):
    """Cells that compile alone may not compile together (`from __future__` below the top)."""
    try:
        _quietly(lambda: compile(text, "<export>", "exec", dont_inherit=True))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        lines = text.split("\n")[:getattr(error, "lineno", None) or 1]
        above = [(number, COMMENT.match(line)) for number, line in enumerate(lines, 1) if COMMENT.match(line)]
        cells = {part.cell.index: part for part in parts}
        if not above:
            return [SourceError(notebook.path, f"is not Python: {error}")]
        number, comment = above[-1]
        part = cells[int(comment["cell"])]
        return [SourceError(notebook.path, f"is not Python: {getattr(error, 'msg', error)}", part.cell.index,
                            part.number(len(lines) - number))]
    return []


def _line_in_notebook(path, cell, position, text):
    """Find a line's number in the notebook's cell; None when the cell is gone or has changed."""
    try:
        found = [part for part in exported_parts(read(path)) if part.cell.index == cell]
    except SourceError:
        return None
    if found and position <= len(found[0].lines) and found[0].lines[position - 1][1] == text:
        return found[0].number(position)
    return None


def _quietly(action):
    """A learner's warnings belong to their notebook, not to the tool."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return action()
