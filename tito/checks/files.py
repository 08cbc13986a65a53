"""The files of a module's checks: checks.py, or a folder `checks` of several files that import from each other.

They share one namespace, as one file would: a name is defined in one of them. An import between them, such as
`from .graphs import build`, says where a name comes from, and makes the other file come first.
"""

import ast
import graphlib
from pathlib import Path


def beside(source):
    """Return the path of the checks beside a module's source: the folder, or the file."""
    folder = source.with_name("checks")
    return folder if folder.is_dir() else source.with_name("checks.py")


def of(path) -> list[Path]:
    """List the files of some checks, each after those that it imports from.

    Args:
        path: `pathlib.Path` of checks.py, or of the folder.
    """
    if not path.is_dir():
        return [path]
    trees = {file.stem: ast.parse(file.read_text(encoding="utf-8")) for file in sorted(path.glob("*.py"))}
    graph = {name: [node.module for node in imports(tree)] for name, tree in trees.items()}
    return [path / f"{name}.py" for name in graphlib.TopologicalSorter(graph).static_order()]


def imports(tree):
    """List the statements of a file that import from the other files."""
    return [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.level]


def text(file):
    """Return a file's text with the imports from the other files blanked; lines keep their numbers."""
    whole = file.read_text(encoding="utf-8")
    blank = {number for node in imports(ast.parse(whole)) for number in range(node.lineno, node.end_lineno + 1)}
    return "\n".join("" if number in blank else line for number, line in enumerate(whole.split("\n"), 1))


def joined(path):
    """Return the texts of all files as one."""
    return "\n".join(map(text, of(path)))
