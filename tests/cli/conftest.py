"""A learner's workspace, and tito run in it as a learner runs it: as a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def run(*words, cwd, env=None, python=()):
    """Run tito and return the finished process, its output as text; what is next is said once at most."""
    environment = {name: value for name, value in os.environ.items() if name not in ("TINYTORCH_WORKSPACE", "NO_COLOR")}
    done = subprocess.run(
        [sys.executable, *python, "-m", "tito", *map(str, words)],
        cwd=cwd,
        env={**environment, "PYTHONIOENCODING": "utf-8", **(env or {})},
        text=True,
        encoding="utf-8",
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.count("Next: ") <= 1, done.stdout
    return done


@pytest.fixture(scope="session")
def tito():
    return run


@pytest.fixture(scope="session")
def templates(tmp_path_factory):
    """Workspaces made once and copied for each test: open and solved, as ipynb and as py."""
    folder = tmp_path_factory.mktemp("templates")
    for name, *options in (
        ("open",),
        ("solved", "--solved"),
        ("open_py", "--format", "py"),
        ("solved_py", "--solved", "--format", "py"),
    ):
        made = run("init", name, *options, cwd=folder)
        assert made.returncode == 0, made.stdout + made.stderr
    return folder


@pytest.fixture
def workspace(templates, tmp_path):
    """Return a function that copies a template workspace."""

    def copy(name="open"):
        return Path(shutil.copytree(templates / name, tmp_path / name))

    return copy


@pytest.fixture(scope="session")
def edit():
    """Return a function that changes a notebook: `change` gets a cell's text and record, and returns the text, None to delete it."""

    def edit(notebook, change):
        data = json.loads(notebook.read_text(encoding="utf-8"))
        cells = [
            ({**cell, "source": text}) for cell in data["cells"] if (text := change("".join(cell["source"]), cell)) is not None
        ]
        notebook.write_text(json.dumps({**data, "cells": cells}), encoding="utf-8")

    return edit


@pytest.fixture(scope="session")
def replace(edit):
    """Return a function that replaces a text which stands in exactly one cell of a notebook."""

    def replace(notebook, old, new):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        found = [cell for cell in cells if old in "".join(cell["source"])]
        assert len(found) == 1, f"{old!r} stands in {len(found)} cells"
        edit(notebook, lambda text, cell: text.replace(old, new))

    return replace
