"""A term of an instructor with real nbgrader: release, hand in, collect, autograde, feedback, tables."""

import csv
import io
import re
import shlex
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tito.app import app
from tito.grading import assignment, sample

pytestmark = pytest.mark.slow  # a minute
SEVEN = sample.STUDENTS
PAGE = Path(__file__).parents[2] / "book" / "instructor_commands.md"


def stored(classroom, module):
    with classroom.opened() as gradebook:
        return {
            entry.student.id: {grade.name: grade.score for notebook in entry.notebooks for grade in notebook.grades}
            for entry in gradebook.assignment_submissions(module.folder)
        }


@pytest.fixture(scope="module")
def term(nbgrader, confined, module, tmp_path_factory):
    """A class after one assignment: due long ago, one extension, one override, everything marked twice."""
    from tito.grading.gradebook import Classroom

    folder = tmp_path_factory.mktemp("term")
    course = folder / "class"

    def ran(*words):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == 0, done.output + repr(done.exception)
        return done.output

    ran("grade", "sample", folder)
    ran("grade", "roster", folder / "students.csv", "--course", course)
    ran("grade", "release", "01", "--course", course, "--due", "2026-01-10", "--question-points", "2")
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text(encoding="utf-8") + "c.LateSubmissionPlugin.penalty_method = 'zero'\n", encoding="utf-8")
    ran("grade", "collect", "01", folder / "moodle-export.zip", "--course", course, "--timestamp", "2026-01-11T12:00")
    ran("grade", "extend", "01", "alice", "--days", "3", "--course", course)
    said = ran("grade", "autograde", "01", "--course", course, "--timeout", "10", "--workers", "2")
    return Classroom(course), said, ran


def test_the_marks_of_seven_submissions_are_as_expected(term, module, reference):
    classroom, said, _ = term
    points = {one.id: one.points for one in reference.exercises()}
    marks = stored(classroom, module)
    for name, about in SEVEN.items():
        for one, worth in points.items():
            expected = 0 if about.costs is None or one in about.costs else worth
            assert marks[name][f"check-{one.replace('.', '-')}"] == expected, (name, one)
    assert "tensor.ipynb was not there: tensor (1).ipynb was marked" in said


def test_a_late_submission_is_penalised_unless_it_has_an_extension(term, module):
    scores = term[0].scores(module)
    assert scores["alice"]["penalty"] == 0 and scores["alice"]["score"] > 0
    assert scores["frank"]["late"] == pytest.approx(12 * 3600, abs=2) and scores["frank"]["score"] == 0 < scores["frank"]["raw"]


def test_an_override_and_a_hand_grade_survive_a_second_run(term, module):
    classroom, _, ran = term
    ran("grade", "override", "01.2", "bob", "1", "--comment", "explained at the board", "--course", classroom.folder)
    with classroom.opened() as gradebook:
        answer = gradebook.find_grade("answer-01-1", module.name, module.folder, "alice")
        assert answer.max_score == 2 and answer.needs_manual_grade
        answer.manual_score, answer.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    assert "7 of 7 have not changed" in ran("grade", "autograde", "01", "--course", classroom.folder)
    ran("grade", "autograde", "01", "--course", classroom.folder, "--force", "--student", "bob")
    ran("grade", "autograde", "01", "--course", classroom.folder, "--force", "--student", "alice")
    marks = stored(classroom, module)
    assert marks["bob"]["check-01-2"] == 1 and marks["alice"]["answer-01-1"] == 1.5
    with classroom.opened() as gradebook:
        assert not gradebook.find_grade("answer-01-1", module.name, module.folder, "alice").needs_manual_grade


def test_marking_one_exercise_again_changes_that_one_alone(term, module):
    classroom, _, ran = term
    with classroom.opened() as gradebook:
        for name in ("check-01-3", "check-01-4"):
            gradebook.find_grade(name, module.name, module.folder, "frank").auto_score = 0
        gradebook.db.commit()
    ran("grade", "autograde", "01.3", "--course", classroom.folder, "--student", "frank")
    marks = stored(classroom, module)["frank"]
    assert marks["check-01-3"] > 0 and marks["check-01-4"] == 0
    ran("grade", "autograde", "01", "--course", classroom.folder, "--student", "frank", "--force")


def test_nbgrader_writes_its_feedback_and_formgrader_has_what_it_shows(term, module):
    classroom, _, ran = term
    ran("grade", "feedback", "01", "--course", classroom.folder)
    folder = classroom.path("feedback", module, "bob")
    page = (folder / "tensor.html").read_text(encoding="utf-8")
    assert "the arrays were added, not multiplied" in page and "What bob thinks." in page
    assert "the arrays were added, not multiplied" in (folder / "feedback.txt").read_text(encoding="utf-8")
    with classroom.opened() as gradebook:
        assert gradebook.find_submission_notebook(module.name, module.folder, "bob").score > 0
        assert {entry["name"] for entry in gradebook.submission_dicts(module.folder)} == {module.folder}


@pytest.mark.parametrize("format", ["canvas", "moodle", "plain"])
def test_the_tables_have_a_row_for_each_student(term, module, format):
    classroom, _, ran = term
    ran("grade", "export", "01", "--format", format, "--course", classroom.folder)
    text = (classroom.folder / f"grades_01_{format}.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text)))
    score = classroom.scores(module)["alice"]["score"]
    assert any(row for row in rows if "alice" in row and f"{score:g}" in row)
    assert len(rows) == len(SEVEN) + (2 if format == "canvas" else 1)
    if format == "canvas":
        assert rows[0][:4] == ["Student", "ID", "SIS User ID", "SIS Login ID"] and rows[1][0] == "Points Possible"


def test_the_report_names_the_wrong_turns(term, module):
    classroom, _, ran = term
    said = ran("grade", "report", "01", "--course", classroom.folder)
    assert "the arrays were added, not multiplied" in said
    page = (classroom.folder / "reports" / "01_tensor.html").read_text(encoding="utf-8")
    assert "erin" in page and "Who is stuck where" in page
    rows = list(csv.reader((classroom.folder / "reports" / "01_tensor.csv").open(encoding="utf-8", newline="")))
    assert ["01.2", "mul", "2", "7", "the arrays were added, not multiplied", "1"] in rows


def test_a_submission_that_cannot_be_read_replaces_an_older_mark_by_zero_and_is_listed(term, module, notebooks):
    classroom, _, ran = term
    path = classroom.path("submitted", module, "grace") / "tensor (1).ipynb"
    before = path.read_bytes()
    try:
        path.write_text("{", encoding="utf-8")
        said = ran("grade", "autograde", "01", "--course", classroom.folder)
        assert "Not readable, and so without points" in said and "is not readable JSON" in said
        assert sum(value for name, value in stored(classroom, module)["grace"].items() if name.startswith("check")) == 0
    finally:
        path.write_bytes(before)


def test_the_learners_zip_is_collected(nbgrader, classroom, module, tito, tmp_path):
    space = tmp_path / "mine"
    assert tito("init", space, cwd=tmp_path).returncode == 0
    done = tito("module", "submit", "01", "--name", "alice", cwd=space)
    assert done.returncode == 0 and "01_tensor.zip contains modules/01_tensor/tensor.ipynb" in done.stdout, done.stdout
    done = tito("grade", "collect", "01", space / "01_tensor.zip", "--course", classroom.folder, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    collected = classroom.path("submitted", module, "alice") / "tensor.ipynb"
    assert collected.read_bytes() == (space / "modules" / "01_tensor" / "tensor.ipynb").read_bytes()


def test_a_deadline_without_a_time_is_the_end_of_the_day():
    from tito.commands.grade.release import deadline

    assert deadline("2026-10-01").time().isoformat() == "23:59:59" and deadline(None) is None
    assert deadline("2026-10-01T12:00+02:00") == datetime.fromisoformat("2026-10-01T12:00+02:00")


def test_the_page_of_the_commands_works_on_the_practice_class(nbgrader, confined, module, tito, tmp_path):
    """Every command of the page, in its order, in the folder that the page says."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    commands = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    assert len(commands) >= 13 and commands[0][:3] == ["tito", "grade", "sample"] and commands[1][0] == "cd"
    folder, said = tmp_path, []
    for program, *words in commands:
        if program == "cd":
            folder = folder / words[0]
            continue
        done = tito(*words, cwd=folder)
        assert program == "tito" and done.returncode == 0, done.stdout
        said.append(done.stdout)
        following = [line for line in done.stdout.splitlines() if line.startswith("Next: ") and "tito grade " in line]
        assert all("--course class" in line for line in following), "the next command works in the same folder"
    assert not (folder / "nbgrader_config.py").exists(), "each command names the class"
    from tito.grading.gradebook import Classroom

    marks = stored(Classroom(folder / "class"), module)
    assert set(marks) == set(SEVEN)
    assert all(marks["alice"][name] == worth for name, worth in assignment.points(module).items())
