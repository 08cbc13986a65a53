"""A module uses what its prerequisites built, and nothing from later modules."""

import ast
import builtins
import re
import sys

from tito.notebooks import parts

EXTRAS = {"10": {"numba"}, "11": {"numba"}, "12": {"numba"}}  # third-party packages besides NumPy, by module
CODE_SPAN = re.compile(r"`+([^`]+)`+")


def imports(course, module):
    """Cells import from prerequisites only; exported cells may add NumPy and the standard library, and nothing else."""
    later = later_exports(course, module)
    for part in all_parts(course, module):
        for name, line in imported(part.tree):
            reason = refusal(course, module, later, name, part.cell.exported)
            if reason:
                yield course.at(module, reason, part.cell, part.number(line))


def later_exports(course, module):
    """Map the files that a module must not import, its own included, to the modules that export them."""
    known = course.curriculum.prerequisites(module)
    return {other.package_name: other for other in course.curriculum.modules if other not in known}


def refusal(course, module, later, name, exported):
    """Return why a cell must not import a name, or None if it may."""
    top, _, rest = name.partition(".")
    stem = rest.partition(".")[0]
    if top == "tinytorch" and stem in later:
        own = later[stem] == module
        return f"imports {name}, which this notebook writes" if own else f"imports {name}, which module {later[stem]} builds"
    allowed = {"numpy", "tinytorch", *EXTRAS.get(module.number, ()), *sys.stdlib_module_names}
    if exported and top not in allowed:
        return f"imports {name} in an exported cell: the package depends on NumPy only"
    return None


def imported(tree):
    """Yield the full names that a syntax tree imports, and their lines: `tinytorch.tensor.Tensor` for a name from a module."""
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def all_parts(course, module):
    """List the code cells of a module's source, exported or not."""
    notebook = course.notebook(module)
    return sorted([*parts.exported_parts(notebook), *parts.other_parts(notebook)], key=lambda part: part.cell.index)


def forward_names(course, module):
    """No cell uses a name that a later module exports first, and no prose names it after `tinytorch.`."""
    foreign = foreign_names(course, module)
    own = {name for part in all_parts(course, module) for name in part.bound}
    for part in all_parts(course, module):
        for name, line in mentions(part, own):
            if name in foreign:
                reason = f"uses {name}, which module {foreign[name]} exports first"
                yield course.at(module, reason, part.cell, part.number(line))
    yield from promised(course, module, foreign)


def foreign_names(course, module):
    """Map each name exported only by modules that are not prerequisites, and each such file's name, to its module."""
    known = [*course.curriculum.prerequisites(module), module]
    later = {other.package_name: other for other in course.curriculum.modules if other not in known}
    for other in course.present:
        if other not in known:
            later.update((name, other) for name in exported_names(course, other))
    available = {name for other in course.present if other in known for name in exported_names(course, other)}
    return {name: other for name, other in later.items() if name not in available and not hasattr(builtins, name)}


def exported_names(course, module):
    """Return the public names that a module's exported cells define."""
    names = {name for part in course.parts(module) for name, _ in part.provided}
    return {name for name in names if name.isidentifier() and not name.startswith("_")}


def mentions(part, own):
    """Yield the names that a cell takes from elsewhere, from `tinytorch` or an alias of it, and their lines in the part."""
    yield from ((name, part.position_of(name)) for name in sorted(part.used - own))
    nodes = list(ast.walk(part.tree)) if part.tree else []
    imports = [node for node in nodes if isinstance(node, ast.Import)]
    aliases = {alias.asname or "tinytorch" for node in imports for alias in node.names if is_ours(alias.name)}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            yield node.attr, node.lineno
        elif isinstance(node, ast.ImportFrom) and is_ours(node.module or ""):
            yield from ((alias.name, node.lineno) for alias in node.names)


def is_ours(name):
    """Return whether an imported name belongs to the package that the course builds."""
    return name.partition(".")[0] == "tinytorch"


def promised(course, module, foreign):
    """Prose may look ahead, but code in backticks that begins with `tinytorch.` looks like something to type now."""
    for cell in course.notebook(module).cells:
        for number, line in enumerate(cell.text.split("\n") if cell.kind == "markdown" else (), 1):
            for name in re.findall(r"\btinytorch\.(\w+)", " ".join(CODE_SPAN.findall(line))):
                if name in foreign:
                    reason = f"names tinytorch.{name}, which module {foreign[name]} exports first"
                    yield course.at(module, reason, cell, number)
