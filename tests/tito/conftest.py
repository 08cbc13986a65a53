"""A small course and a learner's notebooks of it."""

import json
from pathlib import Path

import pytest

from tito.notebooks import source, strip

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def reference():
    """The source of the fixture module: solutions, marks, hints."""
    return source.read(FIXTURES / "modules" / "01_shapes" / "shapes.py")


@pytest.fixture
def learner(tmp_path, reference):
    """Write the learner's notebook into a workspace of its own, and return its path."""

    def written(format="ipynb", solved=True):
        path = tmp_path / "modules" / "01_shapes" / f"shapes.{format}"
        path.parent.mkdir(parents=True, exist_ok=True)
        strip.write(strip.learner_cells(reference, solved=solved), path, format=format)
        return path

    return written


@pytest.fixture
def edited(learner):
    """Write the learner's solved notebook with its cells changed by a function of the list of cells' records."""

    def written(change):
        path = learner()
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document["cells"])
        path.write_text(json.dumps(document), encoding="utf-8")
        return source.read(path)

    return written
