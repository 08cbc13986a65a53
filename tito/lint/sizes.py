"""Report sizes. They are guides: only a module's hours and a cell's width are limits."""

import ast

from tito.lint import measure
from tito.lint.problem import Problem
from tito.lint.staircase import all_parts
from tito.notebooks.export import COMMENT

CELL, CELL_MEDIAN = 25, 6  # lines of a code cell, docstrings left out
FUNCTION, FUNCTION_MEDIAN, FILE = 40, 10, 400  # lines
QUESTIONS = 4
MINUTES, WIDTH = 180, 100  # limits: of core work; columns that a notebook shows
OURS = ("tito", "tinytorch", "milestones")


def notebooks(course, module):
    """Report code cells over 25 lines, or over 6 in the median, and more than 4 questions."""
    questions = [cell for cell in course.notebook(module).cells if cell.question is not None]
    if len(questions) > QUESTIONS:
        yield course.at(
            module, f"asks {len(questions)} questions; {QUESTIONS} are usual at most", questions[QUESTIONS], warning=True
        )
    parts = all_parts(course, module)
    sizes = [len(measure.counted(texts(part), part.tree)) for part in parts]
    for part, size in zip(parts, sizes):
        if size > CELL:
            yield course.at(module, f"the cell has {size} lines; {CELL} are usual at most", part.cell, warning=True)
    if measure.median(sizes) > CELL_MEDIAN:
        yield course.at(module, f"half of the code cells have more than {CELL_MEDIAN} lines", warning=True)


def texts(part):
    """List the lines of a cell."""
    return [line for _, line in part.lines]


def width(course, module):
    """A line of a code cell, docstrings included, has at most 100 columns: a notebook clips longer lines."""
    for cell in course.notebook(module).cells:
        for number, line in enumerate(cell.text.split("\n"), 1):
            if cell.kind == "code" and len(line) > WIDTH:
                yield course.at(module, f"the line has {len(line)} columns, at most {WIDTH} are allowed", cell, number)


def minutes(course, module):
    """Core exercises take at most 180 minutes in all; each exercise has minutes and points."""
    exercises = course.exercises(module)
    core = sum(exercise.minutes for exercise in exercises if not exercise.extension)
    if core > MINUTES:
        yield course.at(module, f"core work takes {core} minutes, at most {MINUTES} are allowed")
    for exercise in exercises:
        if exercise.minutes < 1 or exercise.points < 1:
            yield course.at(module, f"{exercise.label} needs minutes and points of at least 1", course.cell(module, exercise))


def exported(course, module):
    """Report exports with functions over 40 lines, or over 10 in the median."""
    path, text = course.space.exported(module), course.text(module)
    text = "\n".join("" if COMMENT.match(line) else line for line in text.split("\n"))  # those comments are generated
    tree = ast.parse(text)
    for line, reason in [*long_functions(text, tree), *long_by_half([(text, tree)])]:
        yield Problem(course.label(path), reason, line, warning=True)


def code(course):
    """Report files of tito, the given package and the milestones over 400 lines, and functions over 40, or 10 in the median."""
    exports = {course.space.exported(module) for module in course.curriculum.modules}
    for folder in OURS:
        paths = sorted(path for path in (course.root / folder).rglob("*.py") if path not in exports)
        texts = [(path.read_text(encoding="utf-8"), course.tree(path)) for path in paths]
        for path, (text, tree) in zip(paths, texts):
            for line, reason in [*long_file(text, tree), *long_functions(text, tree)]:
                yield Problem(course.label(path), reason, line, warning=True)
        for _, reason in long_by_half(texts):
            yield Problem(folder, reason, warning=True)


def long_file(text, tree):
    """Yield line and reason if a text is long."""
    lines = len(measure.counted(text.split("\n"), tree))
    if lines > FILE:
        yield None, f"has {lines} lines; {FILE} are usual at most"


def long_functions(text, tree):
    """Yield line and reason for every long function in a text."""
    for function, size in measure.sizes(text, tree):
        if size > FUNCTION:
            yield function.lineno, f"{function.name} has {size} lines; {FUNCTION} are usual at most"


def long_by_half(texts):
    """Yield a reason if the median function of some texts is long."""
    if measure.median([size for text, tree in texts for _, size in measure.sizes(text, tree)]) > FUNCTION_MEDIAN:
        yield None, f"half of the functions have more than {FUNCTION_MEDIAN} lines"
