"""Find files that show an answer: a line that occurs in solutions and nowhere else in the sources.

The marks are read here separately on purpose: a bug in stripping must not hide itself.
"""

import html
import json
import re
from dataclasses import dataclass
from pathlib import Path

from tito.notebooks.marks import SOLUTION
from tito.notebooks.strip import LEFTOVER

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
TAG = re.compile(r"<[^>]*>")
SHORTEST = 8  # `else:` and `return x` reveal nothing
TELLING = re.compile(r"(?!\w+\(\)$).*[^\w\s:]")  # nor does `function()`, which is in every script of a web page


@dataclass(frozen=True)
class Leak:
    """A file that shows a line of an exercise's solution, or a solution mark."""

    path: Path
    exercise: str
    line: str

    def __str__(self):
        return f"{self.path} shows the answer to {self.exercise}: {self.line}"


def secrets(notebooks):
    """Return the lines that identify each exercise's answer.

    Args:
        notebooks: The modules' sources, with marks.

    Returns:
        Dict from an exercise's id to lines that occur only in solutions.
    """
    halves = [(cell, *_halves(cell.text)) for notebook in notebooks for cell in notebook.cells]
    public = "\n".join(line for cell, outside, _ in halves if cell.hint is None for line in outside)
    by_exercise = {}
    for cell, _, inside in halves:
        lines = [line for line in inside if len(line) >= SHORTEST and TELLING.match(line) and not _shows(public, line)]
        by_exercise.setdefault(cell.exercise, []).extend(lines if cell.exercise else [])
    return {exercise: lines for exercise, lines in by_exercise.items() if exercise}


def leaks(folder, notebooks):
    """List the answers that the files below a folder show.

    Args:
        folder: Any folder: a site, a release, a workspace.
        notebooks: The modules' sources, with marks.

    Returns:
        List of `Leak`, paths relative to the folder.
    """
    known = [(exercise, line) for exercise, lines in secrets(notebooks).items() for line in lines]
    leaked = []
    for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
        text = readable(path)
        leaked += [Leak(path.relative_to(folder), exercise, line) for exercise, line in known if _shows(text, line)]
        leaked += [Leak(path.relative_to(folder), "an exercise", mark[0]) for mark in LEFTOVER.finditer(text)]
    return leaked


def readable(path):
    """Return the readable text of a file: with and without tags, or a notebook's strings; "" for a binary file."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""
    if path.suffix in (".ipynb", ".json"):
        text = "\n".join(_strings(json.loads(text)))
    text = COLOUR.sub("", text)
    views = (html.unescape(text), html.unescape(TAG.sub("", text)))
    return "\n".join(_squeezed(line) for view in views for line in view.split("\n"))


def _halves(text):
    """Split a cell's lines into those outside and inside solution regions."""
    outside, inside, solution = [], [], False
    for line in text.split("\n"):
        mark = SOLUTION.match(line)
        if mark:
            solution = mark[1] == "BEGIN"
        else:
            (inside if solution else outside).append(_squeezed(line))
    return outside, inside


def _squeezed(line):
    return " ".join(line.split())


def _shows(text, line):
    """Return whether a text contains a line as whole words: `return a * b` is not in `return a * bias`."""
    return line in text and bool(re.search(rf"(?<![\w.]){re.escape(line)}(?!\w)", text))


def _strings(value):
    """List every string in a JSON value; the lines of a notebook's cell are joined."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    if isinstance(value, list):
        whole = all(isinstance(item, str) for item in value)
        return ["".join(value)] if whole else [text for item in value for text in _strings(item)]
    return []
