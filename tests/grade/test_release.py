"""A release is the learner's notebook: nbgrader knows its exercises and points, and it holds no answer."""

import json

import pytest

from tito.grading import assignment
from tito.notebooks import source
from tito.notebooks.marks import SOLUTION
from tito.notebooks.problems import SourceError


@pytest.fixture
def released(classroom, module):
    return classroom.path("release", module) / "tensor.ipynb"


def texts(path):
    return ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def answers(reference):
    """Return the lines that stand in solutions and nowhere else in the source."""
    inside, outside = set(), set()
    for cell in reference.cells:
        solving = False
        for line in cell.text.split("\n"):
            mark = SOLUTION.match(line)
            solving = mark[1] == "BEGIN" if mark else solving
            if not mark and len(line.strip()) > 8:
                (inside if solving else outside).add(line.strip())
    return inside - outside


def test_the_release_is_the_learners_notebook(released, classroom, module, notebooks, tmp_path):
    learners = tmp_path / "open.ipynb"
    learners.write_text(notebooks["open"], encoding="utf-8")
    assert texts(released) == texts(learners)
    assert texts(classroom.path("source", module) / "tensor.ipynb") == texts(learners)


def test_no_answer_is_in_any_file(released, classroom, reference):
    lines = answers(reference)
    assert len(lines) > 20
    files = [path for path in classroom.folder.rglob("*") if path.is_file()]
    assert {"gradebook.db", "tensor.ipynb"} <= {path.name for path in files}
    for path in files:
        data = path.read_bytes().decode("utf-8", "replace")
        written = {
            line.strip()
            for text in [data.replace("\\n", "\n"), *(texts(path) if path.suffix == ".ipynb" else [])]
            for line in text.splitlines()
        }
        assert not lines & written, path
        assert not [word for word in ("SOLUTION", "oracle", "misconception") if word in data], path


def test_nbgrader_knows_the_points_of_the_headers(released, classroom, module, reference):
    assert classroom.points(module) == {assignment.grade_id(one.id): one.points for one in reference.exercises()}


def test_nbgrader_reads_the_release_and_check_cells_are_locked(released, reference):
    from nbgrader.nbgraderformat import read

    cells = read(str(released), as_version=4).cells
    locked = {cell.metadata.check for cell in cells if cell.metadata.get("editable") is False}
    assert locked == {one.id for one in reference.exercises()}
    marked = [cell.metadata.nbgrader for cell in cells if "nbgrader" in cell.metadata]
    assert (
        sum(mark.solution and not mark.locked for mark in marked)
        == sum(mark.grade and mark.locked for mark in marked)
        == len(locked)
    )


def test_a_second_release_changes_nothing(released, classroom, module, grade):
    (classroom.folder / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'tinytorch'\n", encoding="utf-8"
    )
    before, points = released.read_bytes(), classroom.points(module)
    done = grade("release", "tensor", "--course", classroom.folder)
    assert done.exit_code == 0 and "tito grade collect 01 EXPORT.zip" in done.output
    assert released.read_bytes() == before and classroom.points(module) == points
    assert "ClearSolutions" not in (classroom.folder / "nbgrader_config.py").read_text(encoding="utf-8")


def test_an_exercise_without_its_check_cell_is_refused(monkeypatch, module, reference):
    cells = tuple(cell for cell in reference.cells if cell.check != "01.3")
    monkeypatch.setattr(source, "read", lambda path: source.Notebook(reference.path, cells))
    with pytest.raises(SourceError, match="exercise 01.3 has 0 check cells"):
        assignment.cells(module)


WITHOUT = "import sys; sys.modules['nbgrader'] = None; from tito.cli import main; main()"


@pytest.mark.parametrize(
    "words, says",
    [
        (("release", "01"), 'Next: pip install "tinytorch-course[grade]"'),
        (("autograde", "01"), 'Next: pip install "tinytorch-course[grade]"'),
        (("release", "tensr"), "did you mean tensor?"),
    ],
)
def test_misuse_ends_with_two_and_says_what_to_do(tito, tmp_path, words, says):
    done = tito("grade", *words, cwd=tmp_path, python=("-c", WITHOUT))
    assert done.returncode == 2 and says in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words", ["autograde 01", "export 01", "report 01", "feedback 01", "roster", "override 01.3 alice 1", "extend 01 alice"]
)
def test_a_folder_that_is_no_class_is_left_as_it_is(nbgrader, grade, tmp_path, words):
    done = grade(*words.split(), "--course", tmp_path)
    assert done.exit_code == 2 and "is no class" in done.output and "--course" in done.output
    assert not list(tmp_path.iterdir())
