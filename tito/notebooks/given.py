"""Find given code that a learner has changed, which is allowed, and worth knowing when something fails."""

import ast

from tito.notebooks.parts import exported_parts


def changed(notebook, reference):
    """List the given names of a module that a notebook defines differently from the course.

    Comments, blank lines and docstrings do not count.

    Args:
        notebook: The learner's notebook.
        reference: The course's own source of the same module.

    Returns:
        List of pairs: a name, and the index of the cell that defines it in the notebook.
    """
    exercises = {exercise.cell for exercise in reference.exercises()}
    ours = _statements([part for part in exported_parts(reference) if part.cell.index not in exercises])
    theirs = _statements(exported_parts(notebook))
    return [(name, theirs[name][1]) for name, (code, _) in ours.items() if name in theirs and theirs[name][0] != code]


def _statements(parts):
    """Map the name that each top-level statement provides to its normalised code and the index of its cell."""
    by_name = {}
    for part in parts:
        at = {position: name for name, position in part.provided}
        for node in part.tree.body if part.tree else ():
            if node.lineno in at:
                by_name[at[node.lineno]] = ast.dump(without_docstrings(node)), part.cell.index
    return by_name


def without_docstrings(node):
    """Remove all docstrings in a node, and return it."""
    for inner in ast.walk(node):
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and ast.get_docstring(inner) is not None:
            inner.body = inner.body[1:] or [ast.Pass()]
    return node
