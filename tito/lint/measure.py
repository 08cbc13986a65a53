"""Count lines without docstrings, blank lines, solution marks and `#| export`."""

import ast
import statistics

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def docstring_lines(tree):
    """Return the numbers of all lines of docstrings."""
    lines = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS)) and body and is_text(body[0]):
            lines.update(range(body[0].lineno, body[0].end_lineno + 1))
    return lines


def is_text(node):
    """Return whether a statement is only a string."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def counted(lines, tree):
    """Return the numbers, from 1, of the lines that count.

    Args:
        lines: List of the text's lines.
        tree: Its syntax tree, or None if it is not Python.
    """
    skipped = docstring_lines(tree) if tree else set()
    return [number for number, line in enumerate(lines, 1) if line.strip() and number not in skipped]


def sizes(text, tree):
    """List the functions and methods of a text, each with its number of counted lines."""
    numbers = counted(text.split("\n"), tree)
    functions = [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
    return [(node, sum(node.lineno <= number <= node.end_lineno for number in numbers)) for node in functions]


def median(values):
    """Return the median of some numbers, or 0 if there are none."""
    return statistics.median(values) if values else 0
