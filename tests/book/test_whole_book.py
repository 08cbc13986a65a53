"""The book of the course itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tito import workspace
from tito.curriculum import load
from tito.notebooks import source
from tito.notebooks.answers import secrets

pytest.importorskip("jupyter_book", reason="the extra `book` is not installed")
ROOT = Path(__file__).resolve().parents[2]
COURSE = load(ROOT / "modules" / "curriculum.toml")
HERE = [module for module in COURSE.modules if not workspace.is_to_come(module)]
REGION = re.compile(r"^ *### BEGIN SOLUTION\n(.*?)^ *### END SOLUTION", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """The site, built as an author builds it."""
    out = tmp_path_factory.mktemp("book") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "tito", "book", "build", "--out", str(out)],
        cwd=ROOT,
        text=True,
        encoding="utf-8",
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert str(out / "index.html") in done.stdout
    return out


def test_every_exercise_has_a_line_by_which_its_answer_is_known():
    notebooks = [source.read(workspace.course_source(module)) for module in HERE]
    known = secrets(notebooks)
    assert [one.id for notebook in notebooks for one in notebook.exercises() if not known.get(one.id)] == []


def test_there_is_one_page_for_every_module_that_exists(book):
    assert HERE and {path.stem for path in (book / "modules").glob("*.html")} == {module.folder for module in HERE}


def test_no_solution_stands_in_any_file(book, texts):
    """Whole regions here, apart from the tool's own search for lines: blanks aside, no file holds one of several lines."""
    squeezed = {name: re.sub(r"\s|\\n", "", text) for name, text in texts(book).items()}
    regions = [
        region for module in HERE for region in REGION.findall(workspace.course_source(module).read_text(encoding="utf-8"))
    ]
    wanted = [re.sub(r"\s", "", region) for region in regions if region.count("\n") > 1]
    assert len(regions) > 20 and len(wanted) > 10
    assert [(name, region) for name, text in squeezed.items() for region in wanted if region in text] == []
    assert [name for name, text in squeezed.items() if re.search(r"(BEGIN|END)_?SOLUTION", text)] == []


def test_every_module_shows_its_outputs(book, texts):
    shown = texts(book)
    for module in HERE:
        text, exercises = shown[f"modules/{module.folder}.html"], source.read(workspace.course_source(module)).exercises()
        assert [one.id for one in exercises if f"✓ {one.label}</b> · passed" not in text] == []


def test_a_browser_fetches_nothing_from_elsewhere(book, fetched_from_elsewhere):
    assert fetched_from_elsewhere(book) == []
