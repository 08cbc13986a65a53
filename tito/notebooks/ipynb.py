"""Read and write notebook format 4 as plain JSON: importing nbformat would take longer than the work itself."""

import collections
import json
import re

from tito.notebooks.copies import way_back
from tito.notebooks.marks import EXPORT
from tito.notebooks.percent import with_magics
from tito.notebooks.problems import SourceError, raise_all

BAD_METADATA = "incorrectly_encoded_metadata"
LONGEST_NUMBER = 1000  # digits
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def parse(path, text):
    """Read the cells of a notebook.

    Returns:
        One tuple for each cell: kind, text, metadata, and None (the line numbers of a notebook's JSON are of no use).

    Raises:
        SourceError: The text is not JSON, is not a notebook of format 4, or has an invalid cell.
    """
    cells, problems = fields(path, text)
    raise_all(problems)
    return [cell for _, cell in cells]


def fields(path, text):
    """Return the cells of a notebook that can be read, with their numbers, and the problems of the others.

    Raises:
        SourceError: The text is not JSON, or is not a notebook of format 4.
    """
    cells, problems = [], []
    for index, cell in enumerate(_cells(path, _json(path, text)), 1):
        try:
            cells.append((index, (*_fields(cell), None)))
        except ValueError as error:
            problems.append(SourceError(path, str(error), index))
    return cells, problems


def render(cells):
    """Write cells as a notebook without outputs, always with the same bytes; cell ids are names."""
    document = {
        "cells": [_record(cell, name) for cell, name in zip(cells, names(cells))],
        "metadata": KERNEL,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def names(cells):
    """Return a unique name for each cell: its exercise, check or question, else its first words.

    Jupyter allows letters, digits and hyphens, at most 64.
    """
    unique, times = [], collections.Counter()
    for cell in cells:
        kind = next((kind for kind in ("exercise", "check", "question", "answer") if cell.metadata.get(kind)), None)
        defined = re.search(r"^(?:def|class) +(\w+)|^(\w+) *=", cell.text, re.MULTILINE) if kind == "exercise" else None
        words = f"{kind} {cell.metadata[kind]} {defined[0] if defined else ''}" if kind else cell.text
        words = re.sub(r"\b(def|class)\b", " ", EXPORT.sub(" ", words))
        name = "-".join(re.findall(r"[A-Za-z0-9]+", re.sub("<[^>]*>", " ", words[:400]))[:8])[:50].strip("-").lower() or "cell"
        times[name] += 1
        unique.append(f"{name}-again-{times[name]}" if times[name] > 1 else name)
    return unique


def _json(path, text):
    if not text.strip():
        raise _unreadable(path, "is empty")
    try:
        return json.loads(text, parse_int=_whole)
    except json.JSONDecodeError as error:
        reason = f"is not readable JSON: {error.msg}, in column {error.colno}"
        raise _unreadable(path, reason, error.lineno) from None
    except RecursionError:
        raise _unreadable(path, "is nested too deeply to be a notebook") from None


def _whole(digits):
    """Return a whole number, or its digits if they are thousands, which Python refuses to convert."""
    return int(digits) if len(digits) < LONGEST_NUMBER else digits


def _unreadable(path, reason, line=None):
    """Return the problem of a file of which nothing can be read, with the command that restores it."""
    way, command = way_back(path)
    problem = SourceError(path, f"{reason}: {way}" if way else reason, line=line)
    problem.remedy = command
    return problem


def _cells(path, document):
    version = document.get("nbformat") if isinstance(document, dict) else None
    if not isinstance(version, int):
        raise _unreadable(path, "is JSON, but not a notebook: it has no `nbformat`")
    if version != 4:
        raise SourceError(
            path, f"is in notebook format {version}, but tito reads format 4: open it in Jupyter and save it, which converts it"
        )
    if not isinstance(document.get("cells"), list):
        raise _unreadable(path, "is JSON, but not a notebook: it has no list of `cells`")
    return document["cells"]


def _fields(cell):
    """Return kind, text and metadata of a cell's record."""
    if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
        raise ValueError("is not a cell: its `cell_type` is not code, markdown or raw")
    source, metadata = cell.get("source"), cell.get("metadata", {})
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str) or not isinstance(metadata, dict):
        raise ValueError("is not a cell: `source` must be text and `metadata` an object")
    if BAD_METADATA in metadata:
        raise ValueError(f"the cell's header was not key=value with values in JSON: {metadata[BAD_METADATA]!r}")
    return cell["cell_type"], source.replace("\r\n", "\n").replace("\r", "\n"), metadata


def _record(cell, identity):
    record = {"cell_type": cell.kind, "id": identity, "metadata": dict(cell.metadata)}
    text = cell.text
    if cell.kind == "code":
        record |= {"execution_count": None, "outputs": []}
        text = text if cell.exported else with_magics(text)
    return record | {"source": text.splitlines(keepends=True)}
