"""Repair a notebook that cannot be exported, so that one slip costs no more than one exercise.

Copied cells, a cell turned into prose, a `%%time`, a syntax error: what can be used of each cell is kept, line numbers included.
Where an exercise is lost, the course's stub takes its place, so that the code around it can be imported. Lost given code is
replaced by the course's own. The result is for checking and marking; the export itself stays all or nothing.
"""

import ast
import re
from dataclasses import dataclass, field, replace

from tito.notebooks import strip
from tito.notebooks.export import assembled, joint_problem
from tito.notebooks.marks import EXPORT, EXPORTED
from tito.notebooks.parts import NOT_PYTHON, Part, compiled, exported_parts
from tito.notebooks.problems import SourceError
from tito.notebooks.refusals import allowed, line_of, refusals
from tito.notebooks.source import Notebook, definitions

LARGEST_CELL, MOST_LINES = 100_000, 3000  # characters and lines; the largest cell of the course has under 10,000 and 300
MOST_ROUNDS = 20  # of leaving out what does not compile together
HEAD = re.compile(r"[A-Za-z_@]")  # a line that may begin a statement
GOES_ON = re.compile(r"(else|elif|except|finally)\b")
GIVEN = 0  # the index of a cell that comes from the course


@dataclass(frozen=True)
class Salvaged:
    """What could be used.

    Attributes:
        notebook: The repaired notebook.
        text: The text that it exports.
        problems: Everything that would keep the notebook as it is from being exported, as `SourceError`.
        lost: Dict from the names of exercises that could not be used to the reason.
    """

    notebook: Notebook
    text: str
    problems: tuple = ()
    lost: dict = field(default_factory=dict)


def salvage(notebook, reference, label):
    """Return what can be used of a notebook, as a `Salvaged`.

    Args:
        notebook: The notebook.
        reference: The course's own source of the module.
        label: The notebook's path, as written into the exported file.
    """
    notebook, problems = without_giants(notebook)
    problems += refusals(notebook, exported_parts(notebook), reference)
    if not problems:
        text = assembled(exported_parts(notebook), label)
        try:
            compiled(text)
            return Salvaged(notebook, text)
        except NOT_PYTHON as error:
            problems = [joint_problem(notebook, exported_parts(notebook), text, error)]
    cells = code_cells(notebook, reference)
    cells = [replace(cell, text=usable(cell)) if cell.exported else cell for cell in cells]
    return completed(replace(notebook, cells=tuple(once(cells))), reference, label, problems, notebook)


def without_cell(salvaged, reference, label, index, reason):
    """Return what is left of a salvaged notebook without one of its cells, which fails when the module is imported.

    Args:
        salvaged: The `Salvaged`.
        reference: The course's own source of the module.
        label: The notebook's path, as written into the exported file.
        index: The cell's index.
        reason: What is wrong with it.
    """
    cells = tuple(cell for cell in salvaged.notebook.cells if cell.index != index)
    failing = next((cell for cell in salvaged.notebook.cells if cell.index == index), index)
    problem = SourceError(salvaged.notebook.path, reason, failing)
    rest = replace(salvaged.notebook, cells=cells)
    again = completed(rest, reference, label, [*salvaged.problems, problem], salvaged.notebook)
    return replace(again, lost={**again.lost, **salvaged.lost})


def is_giant(text):
    """Return whether a cell's text is far larger than any that a learner writes."""
    return len(text) > LARGEST_CELL or text.count("\n") > MOST_LINES


def without_giants(notebook):
    """Return a notebook without its giant cells, and the problems that name them."""
    giants = [cell for cell in notebook.cells if is_giant(cell.text)]
    limits = f"more than {LARGEST_CELL:,} characters or {MOST_LINES:,} lines"
    problems = [SourceError(notebook.path, f"has {limits}: shorten it", cell) for cell in giants[:20]]
    return replace(notebook, cells=tuple(cell for cell in notebook.cells if not is_giant(cell.text))), problems


def code_cells(notebook, reference):
    """Return a notebook's cells; those that lost their kind or their `#| export` have it again."""
    wanted = [name for part in exported_parts(reference) for name, _ in part.provided]
    exported = "\n".join(cell.text for cell in notebook.cells if cell.exported)
    missing = [name for name in wanted if not line_of(name, exported)]
    return [restored(cell, missing) for cell in notebook.cells]


def restored(cell, missing):
    """Return a cell as exported code if it was meant to be: it has the mark, or defines something that is missing."""
    if cell.exported or "answer" in cell.metadata:
        return cell
    if EXPORTED.match(cell.text):
        return replace(cell, kind="code")
    if any(line_of(name, cell.text) for name in missing):
        lines = [line for line in cell.text.split("\n") if not EXPORT.match(line.strip()) and not line.startswith("```")]
        return replace(cell, kind="code", text="\n".join(["#| export", *lines]))
    return cell


def usable(cell):
    """Return an exported cell's text with blank lines in place of what cannot be used."""
    parts = exported_parts(Notebook(None, (cell,)))
    if not parts:
        return cell.text
    (part,) = parts
    groups = [part.without_magics] if part.tree else chunks(part.without_magics)
    kept = dict(line for group in groups for line in statement_lines(group))
    lines = cell.text.split("\n")
    head = next(number for number, line in enumerate(lines, 1) if line.strip())
    return "\n".join("#| export" if number == head else kept.get(number, "") for number in range(1, len(lines) + 1))


def chunks(lines):
    """Split the numbered lines of a cell that is not Python where a statement may begin, so that the others can be used."""
    parts, decorated = [], False
    for number, line in lines:
        begins = HEAD.match(line) and not GOES_ON.match(line) and not decorated
        if begins or not parts:
            parts.append([])
        parts[-1].append((number, line))
        decorated = line.startswith("@") or (decorated and not line.strip())
    return parts


def statement_lines(lines):
    """Return the numbered lines of the statements that may be exported; none if the lines are not Python."""
    part = Part(None, tuple(lines))
    body = part.tree.body if part.tree else ()
    ranges = [extent(node) for position, node in enumerate(body) if allowed(node, position)]
    return [lines[position - 1] for first, last in ranges for position in range(first, last + 1)]


def extent(node):
    """Return the first and last line of a statement, its decorators included."""
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))]), node.end_lineno


def once(cells):
    """Return the cells with one definition of each name: of several, the last one that is written."""
    defined = [(index, node) for index, cell in enumerate(cells) if cell.exported for node in body_of(cell) if definitions(node)]
    chosen = {}
    for _, node in defined:
        for name in definitions(node):
            if name not in chosen or not unwritten(node) or unwritten(chosen[name]):
                chosen[name] = node
    surplus = {}
    for index, node in defined:
        if not any(chosen[name] is node or name == "_" for name in definitions(node)):
            surplus.setdefault(index, []).append(node)
    return [blanked(cell, surplus.get(index, ())) for index, cell in enumerate(cells)]


def body_of(cell):
    """Return the statements of a repaired cell, with the cell's line numbers."""
    try:
        return compiled(cell.text, only_tree=True).body
    except NOT_PYTHON:
        return []


def unwritten(node):
    """Return whether a definition still is the course's stub."""
    raised = [inner.exc for inner in ast.walk(node) if isinstance(inner, ast.Raise) and inner.exc is not None]
    return any("NotImplementedError" in ast.dump(error) for error in raised)


def blanked(cell, nodes):
    """Return a cell with blank lines in place of some of its statements."""
    lines = cell.text.split("\n")
    for first, last in map(extent, nodes):
        lines[first - 1 : last] = [""] * (last - first + 1)
    return replace(cell, text="\n".join(lines))


def completed(notebook, reference, label, problems, original):
    """Return a `Salvaged` in which what is missing comes from the course, and everything compiles together."""
    for _ in range(MOST_ROUNDS):
        whole, lost = with_missing(notebook, reference)
        parts = exported_parts(whole)
        text = assembled(parts, label)
        try:
            compiled(text)
            break
        except NOT_PYTHON as error:
            problem = joint_problem(whole, parts, text, error)
            if not problem.cell:
                break
            problems = [*problems, problem]
            notebook = replace(notebook, cells=tuple(cell for cell in notebook.cells if cell.index != problem.cell))
    problems = list({str(problem): problem for problem in problems}.values())
    return Salvaged(whole, text, tuple(problems), {name: reason(name, title, problems, original) for name, title in lost.items()})


def reason(name, title, problems, original):
    """Return why an exercise was lost: the problem that names it, or the one of the cell that defines it."""
    texts = {cell.index: cell.text for cell in original.cells}
    naming = [problem for problem in problems if title in problem.reason]
    inside = [problem for problem in problems if problem.cell and line_of(name, texts.get(problem.cell, ""))]
    return str(next(iter([*naming, *inside]), f"{original.path.name}: no cell defines {title}"))


def with_missing(notebook, reference):
    """Return a notebook with the course's cells for missing names, and a dict from lost exercises to their ids and names."""
    exercises = {exercise.cell: exercise for exercise in reference.exercises()}
    theirs = exported_parts(notebook)
    provides = {id(part.cell): {name for name, _ in part.provided} for part in theirs}
    present, codes = set().union(*provides.values()), {ast.dump(part.tree) for part in theirs if part.tree}
    cells, lost, place = list(notebook.cells), {}, 0
    for part in exported_parts(reference):
        exercise = exercises.get(part.cell.index)
        wanted = {exercise.name} if exercise else {name for name, _ in part.provided}
        if wanted and wanted <= present or ast.dump(part.tree) in codes:
            place = max([place, *(at + 1 for at, cell in enumerate(cells) if wanted & provides.get(id(cell), set()))])
            continue
        text = strip.stub(part.cell.text, exercise.label) if exercise else only(part, present)
        cells.insert(place, replace(part.cell, index=GIVEN, text=text, metadata={}))
        place += 1
        if exercise:
            lost[exercise.name] = exercise.label
    return replace(notebook, cells=tuple(cells)), lost


def only(part, present):
    """Return the text of a given cell without the statements whose names are there already."""
    lines = [line for _, line in part.lines]
    for node in part.tree.body:
        if definitions(node) and set(definitions(node)) <= present:
            first, last = extent(node)
            lines[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(["#| export", *lines])
