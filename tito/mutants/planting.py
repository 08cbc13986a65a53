"""Mutants: reference solutions with one mistake planted in each, and how many of them the learner's checks catch.

A check that lets a planted mistake pass would let a learner's pass too. Everything between the solution marks is mutated,
one place at a time: operators, comparisons, numbers, conditions, arguments, calls such as `max` for `min`, whole statements and
their order, what `finally` and `with` guard, dtypes, and what a function calls itself for.
What errors say is left alone but for the exception's being raised at all.
"""

import ast
import difflib
import tomllib
from dataclasses import dataclass

from tito.mutants.mutators import cast, exchangeable, not_deeper, replacements
from tito.notebooks.parts import MARK


@dataclass(frozen=True)
class Mutant:
    """One mutated exercise: the lines that differ, and the text of its cell. `part` counts the module's exported cells."""

    exercise: str
    before: str
    after: str
    part: int
    text: str

    @property
    def key(self):
        return self.exercise, self.before, self.after


@dataclass(frozen=True)
class Reason:
    """An entry of survivors.toml: a mutant that no check can catch, and why."""

    exercise: str
    before: str
    after: str
    reason: str = ""

    @property
    def key(self):
        return self.exercise, self.before, self.after


def reasons(path):
    """Return the entries of a survivors.toml; a file that is not there has none."""
    table = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return [Reason(**entry) for entry in table.get("survivor", ())]


def mutants(course, module, exercise):
    """List the mutants of an exercise, each text once.

    Args:
        course: The `Course`.
        module: The module.
        exercise: The exercise.
    """
    index, part = next((index, part) for index, part in enumerate(course.parts(module)) if part.cell.index == exercise.cell)
    tree, solution = ast.parse(part.text), solution_lines(part.cell)
    original, found = ast.unparse(tree), {}
    for text in mutated(tree, lambda node: part.number(node.lineno) in solution):
        before, after = difference(original, text)
        found.setdefault(text, Mutant(exercise.id, before, after, index, text))
    found.pop(original, None)
    return list(found.values())


def solution_lines(cell):
    """Return the numbers of the lines of a cell that stand between solution marks."""
    numbers, inside = set(), False
    for number, line in enumerate(cell.text.split("\n"), 1):
        mark = MARK.match(line)
        if mark:
            inside = mark[1] == "BEGIN"
        elif inside:
            numbers.add(number)
    return numbers


def mutated(tree, within):
    """Yield the text of a syntax tree with one node replaced, for every replacement of every node that is within.

    Of two statements whose order may matter, the order is changed as well.
    """
    inner = surroundings(tree)

    def is_within(node):
        return hasattr(placed(node), "lineno") and within(placed(node))

    for holder, key, node in places(tree):
        if not is_within(node):
            continue
        for replacement in [*replacements(node, holder), *inner.get(node, ())]:
            holder[key] = replacement
            yield ast.unparse(tree)
        holder[key] = node
        following = holder[key + 1] if isinstance(holder, list) and key + 1 < len(holder) else None
        if isinstance(following, ast.stmt) and is_within(following) and exchangeable(node, following):
            holder[key : key + 2] = following, node
            yield ast.unparse(tree)
            holder[key : key + 2] = node, following


def surroundings(tree):
    """Return the replacements of nodes that depend on the function around them: an op's result, a call of itself."""
    found = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            is_op = any(isinstance(one, ast.Name) and one.id == "op" for one in function.decorator_list)
            for node in ast.walk(function):
                if is_op and isinstance(node, ast.Return):
                    found[node] = cast(node)
                elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", None)) == function.name:
                    found[node] = not_deeper(node)
    return found


def placed(node):
    """Return the node that knows on which line a node stands: the `for` of a comprehension has none of its own."""
    return node.target if isinstance(node, ast.comprehension) else node


def places(node):
    """Yield where every node below one stands: a dict or list that holds it, its key there, and itself.

    What errors say is left out.
    """
    if isinstance(node, (ast.Raise, ast.JoinedStr)):
        return
    for field, value in list(ast.iter_fields(node)):
        if isinstance(value, ast.AST):
            yield vars(node), field, value
            yield from places(value)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield value, index, item
                    yield from places(item)


def difference(one, other):
    """Return the lines that two texts do not share, of either, without their indentation."""
    lines, others = one.split("\n"), other.split("\n")
    codes = difflib.SequenceMatcher(None, lines, others, autojunk=False).get_opcodes()
    changes = [code for code in codes if code[0] != "equal"]
    before = [line.strip() for _, start, end, _, _ in changes for line in lines[start:end]]
    after = [line.strip() for _, _, _, start, end in changes for line in others[start:end]]
    return "\n".join(before), "\n".join(after)
