"""A workspace of an older course, made from today's: given files are at the places they had, and cells say what they said."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tito import scaffold, workspace
from tito.notebooks import percent, source, strip
from tito.update import origin
from tito.update.moved import MOVED

fill = scaffold.fill

CHANGED = {  # today's prose, question and op, and what they were
    "Every number in a neural network": "In the older course, every number in a neural network",
    "**Predict**: how long": "**Predict**: for how long",
    "return a - b": "return -b + a",
}
MODULES = ("01", "02", "05")  # the courses of these tests: a whole one takes seconds for each update


@pytest.fixture(scope="session")
def older(tmp_path_factory):
    """Return a function that gives the folder of an open, untouched workspace of the older course, as ipynb or as py."""
    made = {}

    def folder(format):
        if format not in made:
            made[format] = tmp_path_factory.mktemp(format) / "older"
            shorter(made[format], format)
            age(workspace.Workspace(made[format]))
        return made[format]

    return folder


def shorter(folder, format):
    """Write a workspace of a course of few modules."""
    fill(folder, format, False)
    manifest = folder / workspace.MANIFEST
    head, *tables = manifest.read_text(encoding="utf-8").split("[[")
    modules = [table for table in tables if any(f'number = "{number}"' in table for number in MODULES)]
    text = head + "".join(f"[[{table}" for table in modules)
    manifest.write_text(re.sub('requires = .*"04".*', 'requires = ["02"]', text), encoding="utf-8")
    for path in (folder / "modules").iterdir():
        if path.is_dir() and path.name[:2] not in MODULES:
            shutil.rmtree(path)
    origin.keep(workspace.Workspace(folder))


@pytest.fixture(scope="session")
def today(tmp_path_factory):
    """Today's course of few modules as a workspace, which no test changes."""
    folder = tmp_path_factory.mktemp("today") / "fresh"
    shorter(folder, "ipynb")
    return folder


@pytest.fixture(autouse=True)
def short_course(today, monkeypatch):
    """Let an update in this process bring workspaces along to the course of few modules."""
    monkeypatch.setattr(origin, "OLDER", today / "none")  # the older course is in the workspace's own record
    monkeypatch.setattr(scaffold, "fill", lambda folder, format, solved: shutil.copytree(today, folder))


def age(space):
    """Turn a fresh workspace into one of an older course, and keep the record of it that this course would have kept."""
    package = space.package
    for old, new in MOVED.items():
        source_path = package / Path(*new.split("."))
        target = package / Path(*old.split("."))
        if source_path.is_dir() and old == "kernels":
            shutil.move(source_path, target)
        elif source_path.with_suffix(".py").is_file():
            target.parent.mkdir(exist_ok=True)
            shutil.move(source_path.with_suffix(".py"), target.with_suffix(".py"))
    for path in [*package.rglob("*.py"), *(space.root / "milestones").rglob("*.py"), *(space.root / "modules").rglob("*.*")]:
        if path.suffix in (".py", ".ipynb"):
            path.write_text(aged(path.read_text(encoding="utf-8")), encoding="utf-8")
    origin.keep(space)


def aged(text):
    """Return a text with the imports, a sentence and an op of the older course."""
    for old, new in MOVED.items():
        if new != "given":
            text = re.sub(rf"\btinytorch\.{re.escape(new)}\b", f"tinytorch.{old}", text)
    for today, older in CHANGED.items():
        text = text.replace(today, older)
    return text


class Learner:
    """A workspace that somebody works in: its notebooks' cells can be changed in either format."""

    def __init__(self, root, format):
        self.space, self.format = workspace.Workspace(Path(root)), format

    def module(self, number):
        return self.space.curriculum.module(number)

    def path(self, number):
        return self.space.notebook(self.module(number))

    def cells(self, number):
        return source.read(self.path(number)).cells

    def texts(self, number):
        return [cell.text for cell in self.cells(number)]

    def edit(self, number, change):
        """Put what `change` returns for a cell in its place: a text, or a list of (kind, text) of which the first is the cell."""
        path, records, shown = self.path(number), [], []
        document = json.loads(path.read_text(encoding="utf-8")) if self.format == "ipynb" else {"cells": []}
        for cell in self.cells(number):
            new = change(cell)
            first, *more = [(cell.kind, new)] if isinstance(new, str) else new
            for count, (kind, text) in enumerate([first, *more]):
                record = dict(document["cells"][cell.index - 1]) if document["cells"] and not count else {}
                shown.append(source.Cell(1, kind, text, cell.metadata if not count else {}))
                code = {"outputs": [printed(text)], "execution_count": 1} if kind == "code" else {}
                records.append(
                    {"id": f"own{cell.index}-{count}", "metadata": {}, **record, "cell_type": kind, "source": text, **code}
                )
        if self.format == "ipynb":
            path.write_text(json.dumps({**document, "cells": records}), encoding="utf-8")
        else:
            path.write_text(percent.render(shown), encoding="utf-8")

    def answer(self, number, only=None):
        """Answer a module's exercises as the reference does."""
        module = self.module(number)
        solved = strip.learner_cells(source.read(workspace.course_source(module)), solved=True)
        answers = {cell.exercise: aged(cell.text) for cell in solved if cell.exercise}
        self.edit(number, lambda cell: answers[cell.exercise] if cell.exercise and only in (None, cell.exercise) else cell.text)
        return answers

    def replace(self, number, old, new):
        assert sum(old in text for text in self.texts(number)) == 1, old
        self.edit(number, lambda cell: cell.text.replace(old, new))

    def add_below(self, number, mark, *cells):
        """Add cells, pairs of a kind and a text, below the first that holds a text."""
        first = next(cell.index for cell in self.cells(number) if mark in cell.text)
        self.edit(number, lambda cell: [(cell.kind, cell.text), *cells] if cell.index == first else cell.text)

    def outputs(self, number, mark):
        """Return the outputs of the one code cell that holds a text."""
        records = json.loads(self.path(number).read_text(encoding="utf-8"))["cells"]
        return next(
            record["outputs"] for record in records if record["cell_type"] == "code" and mark in "".join(record["source"])
        )

    def tito(self, *words):
        process = subprocess.run(
            [sys.executable, "-m", "tito", *words],
            cwd=self.space.root,
            text=True,
            encoding="utf-8",
            capture_output=True,
            check=False,
        )
        return process.returncode, process.stdout + process.stderr

    def files(self):
        """Return the bytes of all files, without what tito keeps for itself."""
        paths = (path for path in self.space.root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {self.space.label(path): path.read_bytes() for path in paths if ".tito" not in path.parts}


def printed(text):
    return {"name": "stdout", "output_type": "stream", "text": [f"printed by {text[:30]}"]}


@pytest.fixture(params=["ipynb", "py"])
def learner(request, older, tmp_path):
    """A workspace of the older course in which nothing has been written yet."""
    return Learner(shutil.copytree(older(request.param), tmp_path / "mine"), request.param)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """Return a function that gives the files of a workspace that today's course writes."""

    def files(format):
        folder = tmp_path_factory.mktemp("fresh") / format
        shorter(folder, format)
        return Learner(folder, format)

    return files
