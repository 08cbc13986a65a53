"""A term of an instructor with real nbgrader: release, hand in, collect, autograde, feedback, tables."""

import csv
import io
import json
import zipfile
from datetime import datetime

import pytest
from typer.testing import CliRunner

from tito.app import app

pytestmark = pytest.mark.slow  # a minute
SEVEN = {  # what each student hands in: a change of the solved notebook, and the exercises that it costs
    "right": (lambda text: text, set()),
    "partly": (lambda text: text.replace("return a * b", "return a + b"), {"01.2", "01.10"}),
    "syntax": (lambda text: text.replace("return a * b", "return a * * b"), {"01.2", "01.10"}),
    "endless": (lambda text: text.replace("return a * b", "while True: pass"), {"01.2", "01.10"}),
    "stub": (None, None),
    "warns": (lambda text: text.replace("return a * b", "import sys, warnings; warnings.warn('w'); sys.stderr.write('x'); return a * b"), set()),
    "crashes": (lambda text: text.replace("return a * b", "import os; os.abort()"), {"01.2", "01.10"}),
}  # fmt: skip


def stored(classroom, module):
    with classroom.opened() as gradebook:
        return {
            entry.student.id: {grade.name: grade.score for notebook in entry.notebooks for grade in notebook.grades}
            for entry in gradebook.assignment_submissions(module.folder)
        }


@pytest.fixture(scope="module")
def term(nbgrader, confined, module, notebooks, tmp_path_factory):
    """A class after one assignment: due long ago, one extension, one override, everything marked twice."""
    from tito.grading.gradebook import Classroom

    folder = tmp_path_factory.mktemp("term")
    course = folder / "class"

    def ran(*words):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == 0, done.output + repr(done.exception)
        return done.output

    roster = "student_id,first_name,last_name,email,lms_user_id\n"
    roster += "".join(f"{name},{name.title()},Surname,{name}@example.org,{900 + at}\n" for at, name in enumerate(SEVEN))
    (folder / "roster.csv").write_text(roster, encoding="utf-8")
    ran("grade", "roster", folder / "roster.csv", "--course", course)
    ran("grade", "release", "01", "--course", course, "--due", "2026-01-10", "--question-points", "2")
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text(encoding="utf-8") + "c.LateSubmissionPlugin.penalty_method = 'zero'\n", encoding="utf-8")
    with zipfile.ZipFile(folder / "moodle.zip", "w") as archive:
        for at, (name, (change, _)) in enumerate(SEVEN.items()):
            text = notebooks["open"] if change is None else change(notebooks["solved"])
            document = json.loads(text)
            for cell in document["cells"]:
                if cell["metadata"].get("answer") == "01.1":
                    cell["source"] = f"what {name} thinks"
            archive.writestr(f"{name.title()} Surname_{at}_assignsubmission_file_/tensor (1).ipynb", json.dumps(document))
    ran("grade", "collect", "01", folder / "moodle.zip", "--course", course, "--timestamp", "2026-01-11T12:00")
    ran("grade", "extend", "01", "right", "--days", "3", "--course", course)
    said = ran("grade", "autograde", "01", "--course", course, "--timeout", "10", "--workers", "2")
    return Classroom(course), said, ran


def test_the_marks_of_seven_submissions_are_as_expected(term, module, reference):
    classroom, said, _ = term
    points = {one.id: one.points for one in reference.exercises()}
    marks = stored(classroom, module)
    for name, (_, cost) in SEVEN.items():
        for one, worth in points.items():
            expected = 0 if cost is None or one in cost else worth
            assert marks[name][f"check-{one.replace('.', '-')}"] == expected, (name, one)
    assert "tensor.ipynb was not there: tensor (1).ipynb was marked" in said


def test_a_late_submission_is_penalised_unless_it_has_an_extension(term, module):
    scores = term[0].scores(module)
    assert scores["right"]["penalty"] == 0 and scores["right"]["score"] > 0
    assert scores["warns"]["late"] == pytest.approx(12 * 3600, abs=2) and scores["warns"]["score"] == 0 < scores["warns"]["raw"]


def test_an_override_and_a_hand_grade_survive_a_second_run(term, module):
    classroom, _, ran = term
    ran("grade", "override", "01.2", "partly", "1", "--comment", "explained at the board", "--course", classroom.folder)
    with classroom.opened() as gradebook:
        answer = gradebook.find_grade("answer-01-1", module.name, module.folder, "right")
        assert answer.max_score == 2 and answer.needs_manual_grade
        answer.manual_score, answer.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    assert "7 of 7 have not changed" in ran("grade", "autograde", "01", "--course", classroom.folder)
    ran("grade", "autograde", "01", "--course", classroom.folder, "--force", "--student", "partly")
    ran("grade", "autograde", "01", "--course", classroom.folder, "--force", "--student", "right")
    marks = stored(classroom, module)
    assert marks["partly"]["check-01-2"] == 1 and marks["right"]["answer-01-1"] == 1.5
    with classroom.opened() as gradebook:
        assert not gradebook.find_grade("answer-01-1", module.name, module.folder, "right").needs_manual_grade


def test_marking_one_exercise_again_changes_that_one_alone(term, module):
    classroom, _, ran = term
    with classroom.opened() as gradebook:
        for name in ("check-01-3", "check-01-4"):
            gradebook.find_grade(name, module.name, module.folder, "warns").auto_score = 0
        gradebook.db.commit()
    ran("grade", "autograde", "01.3", "--course", classroom.folder, "--student", "warns")
    marks = stored(classroom, module)["warns"]
    assert marks["check-01-3"] > 0 and marks["check-01-4"] == 0
    ran("grade", "autograde", "01", "--course", classroom.folder, "--student", "warns", "--force")


def test_nbgrader_writes_its_feedback_and_formgrader_has_what_it_shows(term, module):
    classroom, _, ran = term
    ran("grade", "feedback", "01", "--course", classroom.folder)
    folder = classroom.path("feedback", module, "partly")
    page = (folder / "tensor.html").read_text(encoding="utf-8")
    assert "the arrays were added, not multiplied" in page and "what partly thinks" in page
    assert "the arrays were added, not multiplied" in (folder / "feedback.txt").read_text(encoding="utf-8")
    with classroom.opened() as gradebook:
        assert gradebook.find_submission_notebook(module.name, module.folder, "partly").score > 0
        assert {entry["name"] for entry in gradebook.submission_dicts(module.folder)} == {module.folder}


@pytest.mark.parametrize("format", ["canvas", "moodle", "plain"])
def test_the_tables_have_a_row_for_each_student(term, module, format):
    classroom, _, ran = term
    ran("grade", "export", "01", "--format", format, "--course", classroom.folder)
    text = (classroom.folder / f"grades_01_{format}.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text)))
    score = classroom.scores(module)["right"]["score"]
    assert any(row for row in rows if "right" in row and f"{score:g}" in row)
    assert len(rows) == len(SEVEN) + (2 if format == "canvas" else 1)
    if format == "canvas":
        assert rows[0][:4] == ["Student", "ID", "SIS User ID", "SIS Login ID"] and rows[1][0] == "Points Possible"


def test_the_report_names_the_wrong_turns(term, module):
    classroom, _, ran = term
    said = ran("grade", "report", "01", "--course", classroom.folder)
    assert "the arrays were added, not multiplied" in said
    page = (classroom.folder / "reports" / "01_tensor.html").read_text(encoding="utf-8")
    assert "stub" in page and "Who is stuck where" in page
    rows = list(csv.reader((classroom.folder / "reports" / "01_tensor.csv").open(encoding="utf-8", newline="")))
    assert ["01.2", "mul", "2", "7", "the arrays were added, not multiplied", "1"] in rows


def test_a_submission_that_cannot_be_read_replaces_an_older_mark_by_zero_and_is_listed(term, module, notebooks):
    classroom, _, ran = term
    path = classroom.path("submitted", module, "crashes") / "tensor (1).ipynb"
    before = path.read_bytes()
    try:
        path.write_text("{", encoding="utf-8")
        said = ran("grade", "autograde", "01", "--course", classroom.folder)
        assert "Not readable, and so without points" in said and "is not readable JSON" in said
        assert sum(value for name, value in stored(classroom, module)["crashes"].items() if name.startswith("check")) == 0
    finally:
        path.write_bytes(before)


def test_the_learners_zip_is_collected(nbgrader, classroom, module, tito, tmp_path):
    space = tmp_path / "mine"
    assert tito("init", space, cwd=tmp_path).returncode == 0
    done = tito("module", "submit", "01", "--name", "alice", cwd=space)
    assert done.returncode == 0 and "01_tensor.zip holds modules/01_tensor/tensor.ipynb" in done.stdout, done.stdout
    done = tito("grade", "collect", "01", space / "01_tensor.zip", "--course", classroom.folder, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    collected = classroom.path("submitted", module, "alice") / "tensor.ipynb"
    assert collected.read_bytes() == (space / "modules" / "01_tensor" / "tensor.ipynb").read_bytes()


def test_a_deadline_without_a_time_is_the_end_of_the_day():
    from tito.commands.grade.release import deadline

    assert deadline("2026-10-01").time().isoformat() == "23:59:59" and deadline(None) is None
    assert deadline("2026-10-01T12:00+02:00") == datetime.fromisoformat("2026-10-01T12:00+02:00")
