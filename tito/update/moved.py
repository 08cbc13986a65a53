"""Rewrite imports of given code that has moved since a workspace was made.

`MOVED` has a line for each file that moved. A name that is not in the new file is searched for in the other given files, so one
line is enough even for a file that was split.
"""

import ast
import re
from functools import cached_property
from pathlib import Path

from tito.notebooks.parts import NOT_PYTHON, Part, compiled
from tito.notebooks.source import definitions
from tito.workspace import given_files

MOVED = {
    "callbacks": "given.callbacks",
    "datasets.progress": "datasets.download_progress",
    "device": "given.device",
    "display": "given.printing",
    "figures": "drawing.training",
    "gradients": "given.walk",
    "graph": "drawing.graph",
    "imports": "given.imports",
    "io": "given",
    "kernels": "given.numba_kernels",
    "machine": "given.machine",
    "numeric": "given.gradient_check",
    "op": "given.op",
    "pictures": "given.image_sizes",
    "random": "given.random",
    "resume": "given.resuming",
    "roofline": "drawing.roofline",
    "watch": "given.profiling",
}
PACKAGE = "tinytorch"


def new_home(module):
    """Return the current name of a module of the package.

    Args:
        module: Its full name, such as ``tinytorch.kernels.products``.

    Returns:
        Its current full name, the same if it has not moved.

    Example:
        >>> new_home("tinytorch.kernels.products")
        'tinytorch.given.numba_kernels.products'
    """
    parts = module.split(".")
    if parts[0] != PACKAGE:
        return module
    for end in range(len(parts), 1, -1):
        moved = MOVED.get(".".join(parts[1:end]))
        if moved:
            return ".".join([PACKAGE, moved, *parts[end:]])
    return module


class Package:
    """The given names of the current package, read from its sources without importing them."""

    def __init__(self, folder):
        self.folder = Path(folder)

    @cached_property
    def trees(self):
        """Dict from each given module's full name to its syntax tree."""
        return {
            self._module(path): compiled(path.read_text(encoding="utf-8"), only_tree=True) for path in given_files(self.folder)
        }

    @cached_property
    def defined(self):
        """Dict from each given module's full name to the set of names that it defines."""
        return {module: {name for node in tree.body for name in definitions(node)} for module, tree in self.trees.items()}

    def _module(self, path):
        inside = path.relative_to(self.folder).with_suffix("").parts
        return ".".join([PACKAGE, *(inside[:-1] if inside[-1] == "__init__" else inside)])

    def home(self, module, name):
        """Return the module that a name is imported from today.

        Args:
            module: The module that the workspace imports it from.
            name: The name.
        """
        new = new_home(f"{module}.{name}")  # `from tinytorch import machine`: the name is itself a module that has moved
        if new != f"{new_home(module)}.{name}" and new.endswith(f".{name}"):
            return new.rpartition(".")[0]
        new = new_home(module)
        return new if self._holds(new, name) else self._only_home(name) or new

    def _holds(self, module, name):
        """Return whether a name can be imported from a module; assume so for modules that are not given."""
        if module not in self.trees or module == PACKAGE or f"{module}.{name}" in self.trees:
            return True
        is_folder = (self.folder / Path(*module.split(".")[1:])).is_dir()
        imported = {  # names imported in an `__init__.py` count; a file's imports do not
            alias.asname or alias.name
            for node in ast.walk(self.trees[module])
            if is_folder and isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
        }
        return name in self.defined[module] | imported

    def _only_home(self, name):
        """Return the only module below `given` or `drawing` that defines a name, or None if there is none or several."""
        floors = (f"{PACKAGE}.given", f"{PACKAGE}.drawing")
        homes = [module for module, names in self.defined.items() if name in names and module.startswith(floors)]
        return homes[0] if len(homes) == 1 else None


def brought_along(text, package, aliases=(PACKAGE,)):
    """Return a code cell with its imports updated, and everything else unchanged.

    Args:
        text: The cell's code, magics included.
        package: The current `Package`.
        aliases: Names for the package, such as ``tt`` after ``import tinytorch as tt``.

    Example:
        >>> from tito.workspace import course_dir
        >>> brought_along("from tinytorch.graph import draw", Package(course_dir() / "tinytorch"))
        'from tinytorch.drawing.graph import draw'
    """
    if PACKAGE not in text and not any(f"{alias}." in text for alias in aliases):
        return text
    lines = text.split("\n")
    tree = Part(None, tuple(enumerate(lines, 1))).tree
    if tree is not None:
        return _replaced(lines, _edits(tree, package, aliases))
    return "\n".join(_line_brought_along(line, package, aliases) for line in lines)


def aliases(texts):
    """Return the names that a notebook's cells use for the package."""
    return {PACKAGE} | {match[1] for text in texts for match in re.finditer(r"^\s*import tinytorch as (\w+)", text, re.MULTILINE)}


def _line_brought_along(line, package, aliases):
    """Update one line of a cell that cannot be parsed because another line of it is half written."""
    body = line.strip()
    try:
        tree = compiled(body, only_tree=True) if body.startswith(("from ", "import ")) else None
    except NOT_PYTHON:
        tree = None
    if tree is None:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    new = _replaced([body], _edits(tree, package, aliases))
    return "\n".join(indent + part for part in new.split("\n"))


def _edits(node, package, aliases):
    """Yield (node, new text as lines) for each import and each dotted name below a node whose target has moved."""
    new = None
    if isinstance(node, ast.ImportFrom):
        new = _import_from(node, package)
    elif isinstance(node, ast.Import):
        new = _import(node)
    elif isinstance(node, ast.Attribute):
        new = _dotted(node, package, aliases)
    if new:
        yield node, new
    else:
        for child in ast.iter_child_nodes(node):
            yield from _edits(child, package, aliases)


def _import_from(node, package):
    """Return the new lines for a `from` import: `from tinytorch.op import op, state` becomes two."""
    if node.level or (node.module or "").split(".")[0] != PACKAGE:
        return None
    homes = {}
    for alias in node.names:
        home = new_home(node.module) if alias.name == "*" else package.home(node.module, alias.name)
        homes.setdefault(home, []).append(alias)
    return (
        None if list(homes) == [node.module] else [ast.unparse(ast.ImportFrom(home, names, 0)) for home, names in homes.items()]
    )


def _import(node):
    moved = [ast.alias(new_home(alias.name), alias.asname) for alias in node.names]
    return [ast.unparse(ast.Import(moved))] if [a.name for a in moved] != [a.name for a in node.names] else None


def _dotted(node, package, aliases):
    """Return the new text of a dotted name, such as `tt.op.fallbacks`, whose module `tt.op` has moved."""
    first, *parts = _names(node)
    module, _, name = ".".join([PACKAGE, *parts]).rpartition(".")
    if first not in aliases or len(parts) < 2 or new_home(module) == module:
        return None
    return [".".join([first, *package.home(module, name).split(".")[1:], name])]


def _names(node):
    """Return the names of `a.b.c`; for anything else a list that begins with None."""
    names = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return [node.id if isinstance(node, ast.Name) else None, *names]


def _replaced(lines, edits):
    """Replace nodes by new texts, from last to first, so that earlier positions stay valid."""
    lines = list(lines)
    for node, new in sorted(edits, key=lambda edit: (edit[0].lineno, edit[0].col_offset), reverse=True):
        first, last = node.lineno - 1, node.end_lineno - 1
        before = lines[first].encode()[: node.col_offset].decode()
        after = lines[last].encode()[node.end_col_offset :].decode()
        alone = not before.strip() and not after.strip().startswith(";")
        text = f"\n{before}".join(new) if alone else "; ".join(new)
        lines[first : last + 1] = [before + text + after]
    return "\n".join(lines)
