"""How alike submissions are: pairs to look at, never a mark.

Code is compared as syntax trees in which the student's own names are all the same, so that renaming and reformatting change
nothing. The pieces are statements and expressions. A function, a class, a loop or a branch is no piece itself, because another
order or one more line in it would change it. What the course gives, and its solutions, are taken out; of the rest, a piece weighs
the more the fewer students have it.
"""

import ast
import builtins
import collections
import hashlib
import itertools
import math

from tito.notebooks.parts import NOT_PYTHON, compiled

SMALLEST = 6  # nodes of a piece of code that counts
MOST_PIECES = 4000  # kept of one submission
COMMON = 0.2  # of the class: a piece that more have weighs nothing


def pieces(text, known):
    """Return the pieces of some code: a dict from a short hash to the size in nodes.

    Args:
        text: Python code.
        known: Names that are not the student's, from `known_names`; they are kept.
    """
    try:
        tree = compiled(text, only_tree=True)
    except NOT_PYTHON:
        return {}
    found, names = {}, Names(tree, known)
    for statement in tree.body:
        if not isinstance(statement, (ast.Import, ast.ImportFrom)):
            collect(statement, names, found)
    largest = sorted(found.items(), key=lambda item: -item[1])[:MOST_PIECES]
    return dict(largest)


class Names:
    """What the names in a submission are called here: as the library or the course calls them, or `_` if they are the student's.

    Args:
        tree: The submission's syntax tree.
        known: From `known_names`.
    """

    def __init__(self, tree, known):
        nodes = list(ast.walk(tree))
        self.known, self.imported = known, dict(pair for node in nodes for pair in imports(node))
        self.own = {name for node in nodes for name in members(node)} - known.keys()

    def name(self, name):
        return self.imported.get(name) or self.known.get(name, "_")

    def attribute(self, name):
        return "_" if f".{name}" in self.own else name


def imports(node):
    """Return the names that an import makes, each with what it stands for, however the student calls it."""
    if isinstance(node, ast.Import):
        return [(alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2 for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [(alias.asname or alias.name, alias.name) for alias in node.names]
    return []


def members(node):
    """Return the attributes that a node gives to an object or a class, each after a dot."""
    if isinstance(node, ast.ClassDef):
        return [f".{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)]
    return [f".{node.attr}"] if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) else []


def collect(top, names, found):
    """Add every piece below a node, from the leaves upward and without recursion: the code may be nested deeply."""
    forms, order, waiting = {}, [], [top]
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting.extend(children(node))
    for node in reversed(order):
        below = [forms[id(child)] for child in children(node)]
        size = 1 + sum(inner for _, inner in below)
        parts = "".join(code for code, _ in below)
        code = hashlib.blake2b(f"{label(node, names)}({parts})".encode(), digest_size=6).hexdigest()
        forms[id(node)] = code, size
        if size >= SMALLEST and (isinstance(node, ast.expr) or isinstance(node, ast.stmt) and not hasattr(node, "body")):
            found[code] = size


def children(node):
    """Return the nodes directly below one that count: no docstrings, annotations or contexts."""
    skipped = {"returns", "annotation", "ctx", "type_params", "decorator_list"}
    below = []
    for name, value in ast.iter_fields(node):
        if name in skipped:
            continue
        items = value if isinstance(value, list) else [value]
        below += [item for item in items if isinstance(item, ast.AST) and not is_text(item)]
    return below


def is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def label(node, names):
    """Return what a node is, without the names that the student chose."""
    kind = type(node).__name__
    if isinstance(node, ast.Name):
        return f"{kind} {names.name(node.id)}"
    if isinstance(node, ast.Attribute):
        return f"{kind} {names.attribute(node.attr)}"
    if isinstance(node, ast.Constant):
        return f"{kind} {node.value if isinstance(node.value, (int, float, bool, type(None))) else 'text'!r}"[:60]
    if isinstance(node, ast.keyword):
        return f"{kind} {node.arg}"
    return "Assign" if isinstance(node, ast.AnnAssign) else kind


def known_names(reference_text):
    """Return the names that are not a student's own, built-in ones and the course's, in a dict to what they stand for.

    Attributes and methods come after a dot, such as ".forward".
    """
    tree = compiled(reference_text, only_tree=True)
    defined = {getattr(node, "name", None) for node in tree.body} | {
        name.id for node in tree.body if isinstance(node, ast.Assign) for name in node.targets if isinstance(name, ast.Name)
    }
    attributes = {name for node in ast.walk(tree) for name in members(node)}
    kept = (defined - {None}) | attributes | set(dir(builtins)) | {"self"}
    return {**dict(zip(kept, kept)), "np": "numpy", **dict(pair for node in tree.body for pair in imports(node))}


def pairs(submissions):
    """Return the pairs of students, the most alike first: (likeness from 0 to 1, student, student, pieces in common).

    Args:
        submissions: Dict from student to pieces, from `pieces`, without the course's own.
    """
    count = collections.Counter(piece for some in submissions.values() for piece in some)
    most = max(2, math.floor(COMMON * len(submissions)))
    weight = {
        piece: math.log(len(submissions) / number) if len(submissions) > number else 0.0
        for piece, number in count.items()
        if number <= most
    }
    weights = {
        student: {piece: size * weight[piece] for piece, size in some.items() if piece in weight}
        for student, some in submissions.items()
    }
    totals = {student: sum(some.values()) for student, some in weights.items()}
    owners = collections.defaultdict(list)
    for student, some in weights.items():
        for piece in some:
            owners[piece].append(student)
    shared, number = collections.Counter(), collections.Counter()
    for piece, students in owners.items():
        for one, other in itertools.combinations(sorted(students), 2):
            shared[one, other] += weights[one][piece]
            number[one, other] += 1
    usual = sorted(totals.values())[len(totals) // 2] if totals else 0.0
    ranked = [
        (value / (math.sqrt(totals[one] * totals[other]) + 0.25 * usual or 1.0), one, other, number[one, other])
        for (one, other), value in shared.items()
    ]
    return sorted(ranked, key=lambda pair: (-pair[0], pair[1:3]))
