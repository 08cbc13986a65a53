"""How long things may be: cells, functions, files, and the hours of a module."""
import ast

from tito.notebooks.export import COMMENT
from tito.lint import measure
from tito.lint.problem import Problem
from tito.lint.staircase import all_parts

CELLS, CELL, CELL_MEDIAN, WIDTH = 60, 25, 6, 100
FUNCTION, FUNCTION_MEDIAN, FILE = 40, 10, 300
MINUTES, QUESTIONS = 180, 4
OURS = ("tito", "tinytorch", "milestones")


def notebooks(course, module):
    """At most 60 cells without hints; a code cell has at most 25 lines, and 6 in the median; at most 4 questions."""
    cells = [cell for cell in course.notebook(module).cells if cell.hint is None]
    if len(cells) > CELLS:
        yield course.at(module, f"has {len(cells)} cells, at most {CELLS} are allowed")
    questions = [cell for cell in cells if cell.question is not None]
    if len(questions) > QUESTIONS:
        yield course.at(module, f"asks {len(questions)} questions, at most {QUESTIONS} are allowed", questions[QUESTIONS])
    parts = all_parts(course, module)
    sizes = [len(measure.counted(texts(part), part.tree)) for part in parts]
    for part, size in zip(parts, sizes):
        if size > CELL:
            yield course.at(module, f"the cell has {size} lines, at most {CELL} are allowed", part.cell)
    if measure.median(sizes) > CELL_MEDIAN:
        yield course.at(module, f"half of the code cells have more than {CELL_MEDIAN} lines")


def texts(part):
    """List the lines of a cell."""
    return [line for _, line in part.lines]


def width(course, module):
    """A line of a code cell, docstrings too, has at most 100 columns: a notebook clips what is longer."""
    for cell in course.notebook(module).cells:
        for number, line in enumerate(cell.text.split("\n"), 1):
            if cell.kind == "code" and len(line) > WIDTH:
                yield course.at(module, f"the line has {len(line)} columns, at most {WIDTH} are allowed", cell, number)


def minutes(course, module):
    """Core exercises take at most 180 minutes; each exercise takes some, and earns points."""
    exercises = course.exercises(module)
    core = sum(exercise.minutes for exercise in exercises if not exercise.extension)
    if core > MINUTES:
        yield course.at(module, f"core work takes {core} minutes, at most {MINUTES} are allowed")
    for exercise in exercises:
        if exercise.minutes < 1 or exercise.points < 1:
            yield course.at(module, f"{exercise.label} needs minutes and points of at least 1", course.cell(module, exercise))


def exported(course, module):
    """What a module exports has at most 300 lines; its functions at most 40, and 10 in the median."""
    path, text = course.space.exported(module), course.text(module)
    text = "\n".join("" if COMMENT.match(line) else line for line in text.split("\n"))  # nobody wrote those
    tree = ast.parse(text)
    for line, reason in [*too_long(text, tree), *too_long_by_half([(text, tree)])]:
        yield Problem(course.label(path), reason, line)


def code(course):
    """Files of tito, the given package and the milestones have at most 300 lines; functions 40, and 10 in the median."""
    exports = {course.space.exported(module) for module in course.curriculum.modules}
    for folder in OURS:
        paths = sorted(path for path in (course.root / folder).rglob("*.py") if path not in exports)
        texts = [(path.read_text(encoding="utf-8"), course.tree(path)) for path in paths]
        for path, (text, tree) in zip(paths, texts):
            for line, reason in too_long(text, tree):
                yield Problem(course.label(path), reason, line)
        for _, reason in too_long_by_half(texts):
            yield Problem(folder, reason)


def too_long(text, tree):
    """Yield line and reason of everything in a text that is longer than allowed."""
    numbers = measure.counted(text.split("\n"), tree)
    if len(numbers) > FILE:
        yield None, f"has {len(numbers)} lines, at most {FILE} are allowed"
    for function, size in measure.sizes(text, tree):
        if size > FUNCTION:
            yield function.lineno, f"{function.name} has {size} lines, at most {FUNCTION} are allowed"


def too_long_by_half(texts):
    """Yield the reason why the functions of some texts are too long as a whole."""
    if measure.median([size for text, tree in texts for _, size in measure.sizes(text, tree)]) > FUNCTION_MEDIAN:
        yield None, f"half of the functions have more than {FUNCTION_MEDIAN} lines"
