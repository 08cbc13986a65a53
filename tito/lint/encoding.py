"""Text is read and written as UTF-8 explicitly: other systems have other defaults."""

import ast

from tito.lint.problem import Problem
from tito.lint.staircase import all_parts

FOLDERS = ("tito", "tinytorch", "milestones", "tests", "benchmarks", "book")
METHODS = {"read_text": 0, "write_text": 1}  # position of the encoding among a path method's arguments
RUNS = {"run", "Popen", "check_output", "check_call", "call"}
BINARY_BY_DEFAULT = {"gzip", "bz2", "lzma"}
NOT_FILES = {"webbrowser", "archive", "os", "Image", "zipfile", "tarfile", "shelve"}


def explicit(course):
    """Every open, read_text, write_text and text-mode subprocess names its encoding."""
    for path in python_files(course):
        for line, reason in silent(course.tree(path)):
            yield Problem(course.label(path), reason, line)
    for module in course.present:
        for part in all_parts(course, module):
            for line, reason in silent(part.tree) if part.tree else ():
                yield course.at(module, reason, part.cell, part.number(line))


def python_files(course):
    """List all Python files except the modules' sources, which may hold magics and are read cell by cell."""
    sources = {course.source_path(module) for module in course.present}
    paths = [path for folder in (*FOLDERS, "modules") for path in (course.root / folder).rglob("*.py")]
    hidden = {path for path in paths if any(part.startswith(".") for part in path.relative_to(course.root).parts)}
    return sorted(set(paths) - sources - hidden)


def silent(tree):
    """Yield lines and reasons for the calls that leave the encoding to the system."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not named(node, "encoding") and not any(word.arg is None for word in node.keywords):
            reason = needs_encoding(node)
            if reason:
                yield node.lineno, f"{reason} without encoding="


def needs_encoding(call):
    """Return the name of a call that reads or writes text, or None."""
    name, owner = called(call)
    if name == "open" and owner not in NOT_FILES and opens_text(call, owner):
        return "open"
    if name in METHODS and owner is not None and len(call.args) <= METHODS[name]:
        return name
    text = any(named(call, key) and not is_false(named(call, key).value) for key in ("text", "universal_newlines"))
    return name if name in RUNS and text else None


def called(call):
    """Return the called name and its owner's name: "" for an expression, None for a bare name."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr, call.func.value.id if isinstance(call.func.value, ast.Name) else ""
    return getattr(call.func, "id", ""), None


def opens_text(call, owner):
    """Return whether a call of open is in text mode: its mode, or the default, has no b."""
    position = 1 if owner is None or owner in (*BINARY_BY_DEFAULT, "io") else 0
    mode = named(call, "mode").value if named(call, "mode") else dict(enumerate(call.args)).get(position)
    if mode is None:
        return owner not in BINARY_BY_DEFAULT
    literal = [node.value for node in ast.walk(mode) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    if owner in BINARY_BY_DEFAULT:
        return any("t" in text for text in literal)
    return not literal or any("b" not in text for text in literal)


def named(call, name):
    """Return a call's keyword argument, or None."""
    return next((word for word in call.keywords if word.arg == name), None)


def is_false(node):
    return isinstance(node, ast.Constant) and not node.value
