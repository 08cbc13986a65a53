"""Code that the course gives, and that a learner has changed: allowed, and worth knowing when something fails."""

import ast

from tito.notebooks.parts import exported_parts


def changed(notebook, reference):
    """List the given names of a module that a notebook defines in another way than the course does.

    Comments, blank lines and docstrings do not count.

    Args:
        notebook: The learner's notebook.
        reference: The course's own source of the same module.

    Returns:
        List of pairs: a name, and the index of the cell that defines it in the notebook.
    """
    exercises = {one.cell for one in reference.exercises()}
    ours = _statements([part for part in exported_parts(reference) if part.cell.index not in exercises])
    theirs = _statements(exported_parts(notebook))
    return [(name, theirs[name][1]) for name, (code, _) in ours.items() if name in theirs and theirs[name][0] != code]


def _statements(parts):
    """Map what each top-level statement provides to its code in a normal form, and the index of its cell."""
    found = {}
    for part in parts:
        at = {position: name for name, position in part.provided}
        for node in part.tree.body if part.tree else ():
            if node.lineno in at:
                found[at[node.lineno]] = ast.dump(without_docstrings(node)), part.cell.index
    return found


def without_docstrings(node):
    """Return the node, its docstrings and those of what it holds taken out."""
    for inner in ast.walk(node):
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and ast.get_docstring(inner) is not None:
            inner.body = inner.body[1:] or [ast.Pass()]
    return node
