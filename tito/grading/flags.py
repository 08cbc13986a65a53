"""What an instructor should look at beside a mark. A flag takes no points: many have an innocent reason."""

import ast

from tito.checks.blame import cells_by_name
from tito.notebooks import given
from tito.notebooks.parts import exported_parts
from tito.notebooks.salvage import GIVEN, unwritten

MOST = 10  # names listed in one flag
REACHING = {  # what code of this course has no reason to use, and code that looks around or takes over does
    "_getframe", "_current_frames", "settrace", "setprofile", "modules", "meta_path", "displayhook", "excepthook", "f_globals",
    "f_back", "f_locals", "tb_frame", "gc", "ctypes", "inspect", "builtins", "__builtins__", "subprocess", "socket", "exec",
    "eval", "compile", "__import__", "importlib", "__subclasses__", "__globals__", "__code__", "open", "mmap", "signal", "atexit",
}  # fmt: skip


def flags(notebook, reference, verdicts):
    """Return the flags of a submission, a list of texts.

    Args:
        notebook: The submission's notebook, repaired.
        reference: The course's own source of the module.
        verdicts: The verdicts on its exercises.
    """
    return [
        *(f"{verdict.id} {verdict.name} returned a value that says it raised" for verdict in verdicts if verdict.disguised),
        *stubs_that_pass(notebook, verdicts),
        *changed_given_code(notebook, reference),
        *extra_code(notebook, reference),
        *replaced(notebook, reference),
        *replaced_while_running(verdicts),
        *reaching(notebook, reference),
    ]


def stubs_that_pass(notebook, verdicts):
    defining = cells_by_name(notebook)
    for verdict in verdicts:
        cell = defining.get(verdict.name)
        if verdict.status == "passed" and cell and any(map(unwritten, definitions_of(cell, verdict.name))):
            yield f"{verdict.id} {verdict.name} passes, but its cell {cell.index} still raises NotImplementedError"


def definitions_of(cell, name):
    """Return the top-level statements of a cell that define a name."""
    from tito.notebooks.parts import compiled
    from tito.notebooks.source import definitions

    return [node for node in compiled(cell.text, only_tree=True).body if name in definitions(node)]


def changed_given_code(notebook, reference):
    changed = [f"{name} (cell {cell})" for name, cell in given.changed(notebook, reference) if cell != GIVEN]
    if changed:
        yield f"given code was changed: {listed(changed)}"


def extra_code(notebook, reference):
    ours = {name for part in exported_parts(reference) for name, _ in part.provided}
    theirs = [(name, part.cell.index) for part in exported_parts(notebook) for name, _ in part.provided]
    extra = [f"{name[:40]} (cell {cell})" for name, cell in theirs if name not in ours]
    if extra:
        yield f"exported code that is not in the course's notebook: {listed(extra)}"


def replaced(notebook, reference):
    """Yield what code assigns to from outside: `np.allclose = ...`, `setattr(np, ...)`, `mul.forward = ...`."""
    ours = set(targets(reference))
    theirs = [target for target in dict.fromkeys(targets(notebook)) if target not in ours]
    if theirs:
        yield f"attributes replaced when the module is imported: {listed(theirs)}"


def replaced_while_running(verdicts):
    """Yield the functions of NumPy and Python that were others after an exercise ran, with the first such exercise."""
    first = {}
    for verdict in verdicts:
        for name in verdict.replaced:
            first.setdefault(name, verdict.id)
    if first:
        yield f"functions replaced while it ran: {listed([f'{name} ({exercise})' for name, exercise in first.items()])}"


def targets(notebook):
    """Yield the attributes that exported cells assign to: at the top level any, in functions those of what is imported."""
    for part in exported_parts(notebook):
        body = part.tree.body if part.tree else []
        imported = {alias.asname or alias.name.partition(".")[0] for node in body for alias in getattr(node, "names", ())}
        for statement in body:
            function = isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            for node in ast.walk(statement):
                if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
                    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                        leaves = [leaf for leaf in ast.walk(target) if isinstance(leaf, ast.Attribute)]
                        yield from (written(leaf) for leaf in leaves if root(leaf) and (not function or root(leaf) in imported))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("setattr", "delattr"):
                    yield written(node)


def root(node):
    """Return the name that a chain of attributes begins with, or None."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def reaching(notebook, reference):
    """Yield the names that reach out of the module."""
    found = sorted(set(reached(notebook)) - set(reached(reference)))
    if found:
        yield f"names that reach outside the module: {listed(found)}"


def reached(notebook):
    for part in exported_parts(notebook):
        for node in ast.walk(part.tree) if part.tree else ():
            for name in named(node):
                if name in REACHING:
                    yield name


def named(node):
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "").partition(".")[0], *(alias.name for alias in node.names)]
    return []


def written(node):
    """Return code as a short text."""
    try:
        return ast.unparse(node)[:60]
    except (RecursionError, ValueError):
        return "(code nested too deeply)"


def listed(names):
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more
