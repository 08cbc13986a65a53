"""Write a merged notebook in its original format; what did not change stays the same, byte for byte."""

import copy
import json

from tito.notebooks import percent
from tito.update.merge import same_code


def rewritten(notebook, text, entries):
    """Return the text of a notebook's file after a merge.

    Args:
        notebook: The learner's original `Notebook`.
        text: The text of its file.
        entries: The cells of the merged notebook, a list of `merge.Entry`.

    Returns:
        The text; the same as before if nothing has changed.
    """
    before = [(cell.kind, cell.text, cell.metadata) for cell in notebook.cells]
    if before == [(entry.cell.kind, entry.cell.text, entry.cell.metadata) for entry in entries]:
        return text
    return (_as_json if notebook.path.suffix == ".ipynb" else _as_percent)(notebook, text, entries)


def _as_json(notebook, text, entries):
    document = json.loads(text)
    records, ids = document["cells"], {record.get("id") for record in document["cells"]}
    prefix = notebook.path.parent.name.replace("_", "-", 1)
    cells = []
    for entry in entries:
        if entry.mine:
            record = _updated(copy.deepcopy(records[entry.mine - 1]), notebook.cells[entry.mine - 1], entry.cell)
        else:
            record = _fresh(entry.cell, _free_id(f"{prefix}-{entry.cell.index:03d}", ids))
        if (document["nbformat"], document.get("nbformat_minor", 0)) < (4, 5):
            record.pop("id", None)
        cells.append(record)
    return json.dumps({**document, "cells": cells}, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _updated(record, old, new):
    """Put a cell's new text into its record; keep its outputs unless the code changed."""
    record = {**record, "cell_type": new.kind, "metadata": new.metadata}
    if new.text != old.text:
        record["source"] = new.text.splitlines(keepends=True)
    if new.kind == "code" and not same_code(old, new):
        record |= {"outputs": [], "execution_count": None}
    return record


def _fresh(cell, identity):
    record = {"cell_type": cell.kind, "id": identity, "metadata": cell.metadata, "source": cell.text.splitlines(keepends=True)}
    return record | ({"execution_count": None, "outputs": []} if cell.kind == "code" else {})


def _free_id(identity, taken):
    """Return an id that no other cell has, because ids in a notebook must be unique."""
    free, count = identity, 2
    while free in taken:
        free, count = f"{identity}-{count}", count + 1
    taken.add(free)
    return free


def _as_percent(notebook, text, entries):
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    starts = [_start(lines, cell) for cell in notebook.cells]
    chunks = dict(enumerate(zip(starts, [*starts[1:], len(lines)]), 1))
    out = ["\n".join(lines[: starts[0]]).rstrip("\n") + "\n"] if starts else [percent.HEADER]
    for entry in entries:
        old = notebook.cells[entry.mine - 1] if entry.mine else None
        if old and (old.kind, old.text, old.metadata) == (entry.cell.kind, entry.cell.text, entry.cell.metadata):
            first, last = chunks[old.index]
            out.append("\n".join(lines[first:last]).rstrip("\n") + "\n")
        else:
            out.append(percent.render([entry.cell])[len(percent.HEADER) :].strip("\n") + "\n")
    return "\n".join(out)


def _start(lines, cell):
    """Return the line of a cell's marker, counted from 0, or of its text if it has no marker."""
    above = cell.line - 2
    return above if above >= 0 and percent.MARKER.match(lines[above]) else cell.line - 1
