"""The percent format: a notebook as a Python file whose cells begin with `# %%`.

The tool `jupytext` reads and writes the same files, and the tests compare this reader with it. It is not used here because
importing it takes over a second, `tito module test` reads such a file each time, and it does not report the line of a cell.
"""

import itertools
import json
import re

from tito.notebooks.problems import SourceError, raise_all

MARKER = re.compile(r"^# ?%%(?=\s|$)[ \t]*(?P<options>.*)$")
KIND = re.compile(r"^\[(?P<kind>markdown|md|raw)\]\s*")
KEY = re.compile(r"(?P<key>[A-Za-z_][\w.-]*)=")
MAGIC_COMMENT = re.compile(r"^# (?=%{1,2}[A-Za-z]|![A-Za-z./])", re.MULTILINE)
STRINGS = re.compile(
    r'''#[^\n]*|(?P<quote>"""|\'\'\')(?:\\.|(?!(?P=quote)).)*?(?P<end>(?P=quote)|\Z)'''
    r"""|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?""",
    re.DOTALL,
)
HEADER = """\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---
"""


def parse(path, text):
    """Split a percent file into cells.

    Returns:
        One tuple for each cell: kind, text, metadata, and the line of the file on which its text begins.

    Raises:
        SourceError: A cell's header is not `# %% [kind] key=value`, with values in JSON.
    """
    lines = text.split("\n")
    start = _after_header(lines)
    cells, problems = [], []
    for index, (first, last) in enumerate(_spans(lines, start), 1):
        marker = MARKER.match(lines[first])
        try:
            kind, metadata = _options(marker["options"] if marker else "")
        except ValueError as error:
            problems.append(SourceError(path, f"{error} (line {first + 1} of the file)", index))
            continue
        begin = first + bool(marker)
        cells.append((kind, _body(kind, lines[begin:last]), metadata, begin + 1))
    raise_all(problems)
    return cells


def render(cells):
    """Write cells as one percent file that `parse` and jupytext read back."""
    return "\n".join([HEADER, *(f"{_marker(cell)}\n{_commented(cell)}\n" for cell in cells)])


def with_magics(text):
    """Turn `# %timeit f(x)`, the form in a Python file, into the notebook's `%timeit f(x)`."""
    return MAGIC_COMMENT.sub("", text)


def _after_header(lines):
    """Return the first line after the YAML that jupytext keeps between two lines `# ---`."""
    if lines and lines[0].rstrip() == "# ---":
        for number, line in enumerate(lines[1:], 1):
            if line.rstrip() == "# ---":
                return number + 1
    return 0


def _spans(lines, start):
    """Yield the first line of each cell and the one after its last; text before the first marker is a cell unless blank."""
    marks = [number for number in range(start, len(lines)) if MARKER.match(lines[number])]
    if "".join(lines[start : marks[0] if marks else None]).strip():
        marks.insert(0, start)
    bounds, text, number = [*marks, len(lines)], "\n".join(lines), 0
    starts = [0, *itertools.accumulate(len(line) + 1 for line in lines)]  # position of each line in the text
    places = [starts[bound] for bound in bounds]
    while number < len(marks):
        following = _after_open_string(text, places, number)
        yield bounds[number], bounds[following]
        number = following


def _after_open_string(text, places, number):
    """Find the end of a cell, skipping markers inside triple-quoted strings; an unclosed string does not swallow the file.

    Args:
        text: The file.
        places: The position of each marker in it, and of its end.
        number: Index of the cell's marker.

    Returns:
        Index of the first marker after the cell.
    """
    following = number + 1
    for string in STRINGS.finditer(text, places[number]):
        if places[following] <= string.start():
            break
        if string["quote"] and not string["end"]:
            return number + 1
        while string["quote"] and places[following] < string.end():
            following += 1
    return following


def _options(text):
    """Parse what follows `# %%`: an optional title, the kind, and metadata as key=value."""
    text = text.strip()
    title = re.match(r"[^\[{=]*(?=\[(?:markdown|md|raw)\])", text)
    text = text[title.end() :] if title else text
    kind = KIND.match(text)
    rest = text[kind.end() :] if kind else text
    name = {"md": "markdown", None: "code"}.get(kind and kind["kind"], kind and kind["kind"])
    return name, _metadata(rest.strip())


def _metadata(text):
    """Parse `key=value key=value`; words without a value are a title."""
    if text.startswith("{"):
        value, rest = _value(text)
        return value if not rest else _refuse(rest)
    first = KEY.search(text)
    if not first and not text.endswith("=") and "{" not in text:
        return {}
    text, metadata = text[first.start() :] if first else text, {}
    while text:
        key = KEY.match(text) or _refuse(text)
        metadata[key["key"]], text = _value(text[key.end() :])
    return metadata


def _value(text):
    """Parse one JSON value, and return it with the text after it."""
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError:
        _refuse(text)
    return value, text[end:].lstrip()


def _refuse(text):
    raise ValueError(f"the cell's header is not key=value with values in JSON, from {text!r} on")


def _body(kind, lines):
    """Remove the blank lines that separate cells, and the comment signs of prose."""
    while lines and not lines[-1].strip():
        lines.pop()
    if kind != "code":
        lines = [re.sub(r"^# ?", "", line) for line in lines]
    return "\n".join(lines)


def _marker(cell):
    kind = [] if cell.kind == "code" else [f"[{cell.kind}]"]
    options = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in cell.metadata.items()]
    return " ".join(["# %%", *kind, *options])


def _commented(cell):
    if cell.kind == "code":
        return cell.text
    return "\n".join(f"# {line}".rstrip() for line in cell.text.split("\n"))
