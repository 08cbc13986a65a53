"""How alike submissions are: pairs to look at, never a mark.

Code is compared as syntax trees in which the student's own names are all the same, so that renaming, reformatting and another
order of functions or statements change little. What the course gives, and its solutions, are taken out; of the rest, a piece
of code weighs the more the fewer students have it.
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
        known: Names that are not the student's, which are kept: what is imported, and what the course defines.
    """
    try:
        tree = compiled(text, only_tree=True)
    except NOT_PYTHON:
        return {}
    found = {}
    for statement in tree.body:
        if not isinstance(statement, (ast.Import, ast.ImportFrom)):
            collect(statement, known, found)
    largest = sorted(found.items(), key=lambda item: -item[1])[:MOST_PIECES]
    return dict(largest)


def collect(top, known, found):
    """Add every piece below a node, from the leaves upward and without recursion: the code may be nested deeply."""
    forms, order, waiting = {}, [], [top]
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting.extend(children(node))
    for node in reversed(order):
        below = [forms[id(child)] for child in children(node)]
        size = 1 + sum(inner for _, inner in below)
        parts = "".join(code for code, _ in below) if ordered(node) else "".join(sorted(code for code, _ in below))
        code = hashlib.blake2b(f"{label(node, known)}({parts})".encode(), digest_size=6).hexdigest()
        forms[id(node)] = code, size
        if size >= SMALLEST and isinstance(node, (ast.stmt, ast.expr)):
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


def ordered(node):
    """Return whether the order below a node matters: not that of the statements of a body."""
    return not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module))


def label(node, known):
    """Return what a node is, without the names that the student chose."""
    kind = type(node).__name__
    if isinstance(node, ast.Name):
        return f"{kind} {node.id if node.id in known else '_'}"
    if isinstance(node, ast.Attribute):
        return f"{kind} {node.attr}"
    if isinstance(node, ast.Constant):
        return f"{kind} {node.value if isinstance(node.value, (int, float, bool, type(None))) else 'text'!r}"[:60]
    if isinstance(node, ast.keyword):
        return f"{kind} {node.arg}"
    return kind


def known_names(reference_text):
    """Return the names that are not a student's own: built-in ones, and those at the top level of the course's file."""
    tree = compiled(reference_text, only_tree=True)
    imported = {
        alias.asname or alias.name for node in tree.body for alias in getattr(node, "names", ()) if hasattr(alias, "name")
    }
    defined = {getattr(node, "name", None) for node in tree.body} | {
        name.id for node in tree.body if isinstance(node, ast.Assign) for name in node.targets if isinstance(name, ast.Name)
    }
    return imported | (defined - {None}) | set(dir(builtins)) | {"self", "np"}


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
