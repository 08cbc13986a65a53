"""Make mutants: reference solutions with one mistake planted in each, to count how many the learner's checks catch.

A check that misses a planted mistake would miss a learner's mistake too. Everything between the solution marks is mutated,
one place at a time: operators, comparisons, numbers, conditions, arguments, calls such as `max` for `min`, whole statements and
their order, `finally` and `with` blocks, dtypes, and recursive calls. Error messages are not mutated.
"""

import ast
import difflib
import tomllib
from dataclasses import dataclass

from tito.mutants.mutators import called, cast, exchangeable, not_deeper, replacements
from tito.notebooks.marks import SOLUTION


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
    """Return the entries of a survivors.toml, or none if the file does not exist."""
    return [Reason(**entry) for entry in entries(path, "survivor")]


def spared(path, exercise):
    """Return the names of the functions whose arguments change no result in an exercise, so that they are not mutated there."""
    return frozenset(entry["call"] for entry in entries(path, "spared") if entry.get("exercise", exercise) == exercise)


def entries(path, kind):
    """Return the tables of a kind in a survivors.toml."""
    table = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return table.get(kind, [])


def mutants(course, module, exercise):
    """List the mutants of an exercise, each text once.

    Args:
        course: The `Course`.
        module: The module.
        exercise: The exercise.
    """
    index, part = next((index, part) for index, part in enumerate(course.parts(module)) if part.cell.index == exercise.cell)
    tree, solution = ast.parse(part.text), solution_lines(part.cell)
    original, by_text = ast.unparse(tree), {}
    calls = spared(course.space.folder(module) / "survivors.toml", exercise.id)
    for text in mutated(tree, lambda node: part.number(node.lineno) in solution, calls):
        before, after = difference(original, text)
        by_text.setdefault(text, Mutant(exercise.id, before, after, index, text))
    by_text.pop(original, None)
    return list(by_text.values())


def solution_lines(cell):
    """Return the numbers of a cell's lines between solution marks."""
    numbers, inside = set(), False
    for number, line in enumerate(cell.text.split("\n"), 1):
        mark = SOLUTION.match(line)
        if mark:
            inside = mark[1] == "BEGIN"
        elif inside:
            numbers.add(number)
    return numbers


def mutated(tree, within, calls=frozenset()):
    """Yield the text of a syntax tree with one node replaced, for every replacement of every node accepted by `within`.

    Two neighbouring statements are also swapped if their order may matter. Calls of the functions named in `calls` stay as they
    are, or go as a whole.
    """
    inner = surroundings(tree)

    def is_within(node):
        return hasattr(placed(node), "lineno") and within(placed(node))

    for holder, key, node in places(tree, calls):
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
    """Return the replacements that depend on the function around a node: for an op's result, for a recursive call."""
    replaced = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            is_op = any(isinstance(decorator, ast.Name) and decorator.id == "op" for decorator in function.decorator_list)
            for node in ast.walk(function):
                if is_op and isinstance(node, ast.Return):
                    replaced[node] = cast(node)
                elif called(node) == function.name:
                    replaced[node] = not_deeper(node)
    return replaced


def placed(node):
    """Return the node with the line number of a node: a comprehension's `for` has none, so its target is used."""
    return node.target if isinstance(node, ast.comprehension) else node


def places(node, calls=frozenset()):
    """Yield every node below a node: the dict or list that holds it, its key there, and the node itself.

    Error messages are left out, and calls of the functions named in `calls`.
    """
    if isinstance(node, (ast.Raise, ast.JoinedStr)):
        return
    for field, value in list(ast.iter_fields(node)):
        for holder, key, item in [(vars(node), field, value)] if not isinstance(value, list) else numbered(value):
            if isinstance(item, ast.AST) and called(item) not in calls:
                yield holder, key, item
                if called(node) != "reshape" or ast.unparse(item) != "-1":  # NumPy works out a size for any negative number
                    yield from places(item, calls)


def numbered(items):
    return [(items, index, item) for index, item in enumerate(items)]


def difference(text, other):
    """Return the lines that differ between two texts, from each of them, without their indentation."""
    lines, others = text.split("\n"), other.split("\n")
    codes = difflib.SequenceMatcher(None, lines, others, autojunk=False).get_opcodes()
    changes = [code for code in codes if code[0] != "equal"]
    before = [line.strip() for _, start, end, _, _ in changes for line in lines[start:end]]
    after = [line.strip() for _, _, _, start, end in changes for line in others[start:end]]
    return "\n".join(before), "\n".join(after)
