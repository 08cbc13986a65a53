"""Docstrings: those of exercises specify everything, those of given names have at least one sentence."""

import ast
import inspect
import itertools
import re

from tito.checks.compare import arrays_in
from tito.lint.handout import given_files
from tito.lint.measure import FUNCTIONS
from tito.lint.problem import Problem

SECTION = re.compile(r"^(Args|Returns|Yields|Raises|Example|Examples|Source):\s*$", re.MULTILINE)
SHAPE = re.compile(r"shape|size|dimension|\(\w*,|\(\.\.\.|scalar|one number|of ints|of that", re.IGNORECASE)
NOT_A_COMMAND = re.compile(r"^(This|The|A|An|It|Function|Method|\w*[^s\W]s)\b")
REFERENCE = re.compile(r"\b(1[89]|20)\d\d\b|[\"“]\w|section|chapter", re.IGNORECASE)  # a year, a title, a place in a book
FROM_PAPERS = "02"  # from this module on, exercises come from the literature; those of 01 come from NumPy


def exercises(course, module):
    """An exercise's docstring begins with an imperative and has Args, Returns with shapes, Raises and Example."""
    for exercise in course.exercises(module):
        cell = course.cell(module, exercise)
        node = next(statement for statement in ast.parse(cell.text).body if getattr(statement, "name", None) == exercise.name)
        for function, text in described(node, cell):
            for reason in lacks(text, function, node, bool(arrays_in_draws(course, module, exercise))):
                yield course.at(module, f"the docstring of {function.name} {reason}", cell, function.lineno)


def sources(course, module):
    """From module 02 on, a module names where its ideas come from; a Source gives a year, a title or a section."""
    texts = [
        (cell, number, text)
        for cell in course.notebook(module).cells
        if cell.exported
        for number, text in source_sections(cell.text)
    ]
    for cell, number, text in texts:
        if not REFERENCE.search(text):
            yield course.at(module, f"the source {text.strip()!r} has no year, title or section", cell, number)
    if module.number >= FROM_PAPERS and not texts:
        yield course.at(module, "names no Source in any docstring")


def source_sections(text):
    """Yield the line number and the text of every section `Source:` in a cell."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if line.strip() == "Source:":
            depth = len(line) - len(line.lstrip())
            below = itertools.takewhile(lambda line: line.strip() and len(line) - len(line.lstrip()) > depth, lines[number:])
            yield number, " ".join(line.strip() for line in below)


def described(node, cell):
    """List the functions of an exercise that the learner writes, each with its docstring.

    For a class these are its methods. If the class specifies `__init__` and `forward`, they need no docstring.
    """
    if isinstance(node, FUNCTIONS):
        return [(node, docstring(node))]
    lines = cell.text.split("\n")
    methods = [
        method
        for method in node.body
        if isinstance(method, FUNCTIONS)
        and any("BEGIN SOLUTION" in line for line in lines[method.lineno - 1 : method.end_lineno])
    ]
    implied = [method for method in methods if method.name in ("__init__", "forward") and not docstring(method)]
    described = [(method, docstring(method)) for method in methods if method not in implied]
    return described + [(method, docstring(node)) for method in implied if method.name == "__init__"]


def docstring(node):
    """Return a docstring without its indentation; "" if there is none."""
    return inspect.cleandoc(ast.get_docstring(node) or "")


def arrays_in_draws(course, module, exercise):
    """List the arrays drawn for an exercise."""
    return [array for case in course.cases(module, exercise.name) for array in arrays_in(case.inputs)]


def lacks(text, function, owner, draws_arrays):
    """Yield what is missing from a docstring. `owner` is the function itself, or the class around it."""
    sections = split(text)
    yield from summary(sections[""], of_class=function.name == "__init__")
    yield from arguments(sections.get("Args"), function)
    if returns_value(function) and "Returns" not in sections:
        yield "has no Returns"
    if draws_arrays and not SHAPE.search(text):
        yield "gives no shape"
    if raises(function) and "Raises" not in sections:
        yield "has no Raises, and the solution raises"
    if ">>>" not in text + docstring(owner):
        yield "has no Example"


def split(text):
    """Split a docstring into its sections; "" has the text before the first."""
    pieces = SECTION.split(text)
    return {"": pieces[0], **dict(zip(pieces[1::2], pieces[2::2]))}


def summary(text, of_class=False):
    """Yield what is wrong with the first line: it must be a sentence, and an imperative unless it is a class's."""
    first = text.strip().split("\n")[0]
    if not first:
        yield "is missing"
    elif not first.endswith("."):
        yield "needs a first line that ends with a full stop"
    elif not of_class and NOT_A_COMMAND.match(first):
        yield f'begins with "{first.split()[0]}": say what to do, as in "Return ..."'


def arguments(section, function):
    """Yield the parameters that Args leaves out, and names in Args that are not parameters."""
    spec = function.args
    parameters = (*spec.posonlyargs, *spec.args, spec.vararg, *spec.kwonlyargs, spec.kwarg)
    names = [parameter.arg for parameter in parameters if parameter and parameter.arg not in ("self", "cls")]
    described = re.findall(r"^ {4}\**(\w+(?:, \**\w+)*):", section or "", re.MULTILINE)
    described = [name.strip("* ") for group in described for name in group.split(",")]
    for name in names:
        if name not in described:
            yield f"does not describe the parameter {name}"
    for name in described:
        if name not in names:
            yield f"describes {name}, which is not a parameter"


def returns_value(function):
    """Return whether a function returns or yields a value."""
    return any(
        isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)) and getattr(node, "value", None) is not None
        for node in ast.walk(function)
    )


def raises(function):
    """Return whether a function raises an exception that it creates."""
    return any(isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) for node in ast.walk(function))


def given(course):
    """Public functions and classes have a docstring; functions of one statement and `forward` in a class need none."""
    for path in given_files(course):
        for name, line in undocumented(course.tree(path).body):
            yield Problem(course.label(path), f"{name} has no docstring", line)
    for module in course.modules:
        for part in course.parts(module):
            for name, line in undocumented(part.tree.body if part.tree else ()):
                yield course.at(module, f"{name} has no docstring", part.cell, part.number(line))


def undocumented(body, owner=""):
    """Yield the public names without a docstring in a body of statements, and their lines."""
    for node in body:
        if not isinstance(node, (ast.ClassDef, *FUNCTIONS)) or node.name.startswith("_"):
            continue
        brief = isinstance(node, FUNCTIONS) and len(node.body) == 1 and "body" not in node.body[0]._fields
        if not ast.get_docstring(node) and not brief and not (owner and node.name == "forward"):
            yield owner + node.name, node.lineno
        if isinstance(node, ast.ClassDef):
            yield from undocumented(node.body, f"{node.name}.")
