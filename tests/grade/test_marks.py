"""Marks stay right: after another submission, a new deadline, a decision of staff, a second release, or a failure halfway."""

import base64
import csv
import functools
import io
import re
import sqlite3
import time
from datetime import datetime

import pytest

from tito.grading import judge, verdicts, workers

DUE = "2026-01-10T12:00+00:00"
slowly = functools.partial(pytest.param, marks=pytest.mark.slow)
LATE = "c.LateSubmissionPlugin.penalty_method = 'zero'\n"


def stand_in(job, exercises):
    """Mark at once: a submission names the exercises that fail in it."""
    failed = base64.b64decode(job["data"]).decode().split()
    record = workers.nothing(exercises, None)
    for each in record["exercises"]:
        passed = each["id"] not in failed
        each.update(
            points=each["worth"] * passed, status="passed" if passed else "failed", told="" if passed else f"{each['id']}!"
        )
    return {**record, "points": sum(each["points"] for each in record["exercises"]), "answers": {"answer-01-1": "mine"}}


class Class:
    """A class whose submissions are marked at once by `stand_in`."""

    def __init__(self, classroom, module, grade):
        self.classroom, self.module, self.grade, self.folder = classroom, module, grade, classroom.folder

    def run(self, *words, status=0):
        done = self.grade(*words, "--course", self.folder)
        assert done.exit_code == status, done.output
        return done.output

    def hand_in(self, student, failed="", when=None):
        folder = self.classroom.path("submitted", self.module, student)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tensor.ipynb").write_text(failed, encoding="utf-8")
        if when:
            (folder / "timestamp.txt").write_text(f"{when}\n", encoding="utf-8")

    def autograde(self, module="01", *words, status=0):
        return self.run("autograde", module, "--unsafe-no-sandbox", "--workers", "1", *words, status=status)

    def score(self, student):
        return self.classroom.scores(self.module)[student]["score"]

    def total(self):
        return sum(self.classroom.points(self.module).values())

    def feedback(self, student):
        return (self.classroom.path("feedback", self.module, student) / "feedback.txt").read_text(encoding="utf-8")

    def configure(self, lines):
        path = self.folder / "nbgrader_config.py"
        path.write_text(path.read_text(encoding="utf-8") + lines, encoding="utf-8")

    def due(self, when=DUE):
        self.classroom.due(self.module, datetime.fromisoformat(when))

    def rows(self):
        self.run("export", "01")
        text = (self.folder / "grades_01_plain.csv").read_text(encoding="utf-8")
        return {row["student"]: row for row in csv.DictReader(io.StringIO(text))}


@pytest.fixture
def course(classroom, module, grade, monkeypatch):
    monkeypatch.setattr(workers, "mark", stand_in)
    monkeypatch.setattr(judge, "draw_seeds", lambda module, **options: (0, 1))
    return Class(classroom, module, grade)


@pytest.fixture
def with_questions(course):
    """The class, with questions of 2 points that are graded by hand."""
    course.run("release", "01", "--question-points", "2", "--due", DUE)
    return course


# Marking one exercise again.


def test_another_file_is_marked_whole_though_one_exercise_was_named(course):
    course.hand_in("erin", "01.1 01.2 01.3")
    course.autograde()
    course.hand_in("erin", "01.2")
    said = course.autograde("01.3", "--student", "erin")
    assert "all exercises are marked: it has changed since it was marked" in said
    right = course.total() - course.classroom.points(course.module)["check-01-2"]
    assert course.score("erin") == right and f"tensor.ipynb: {right:g} of {course.total():g} points" in course.feedback("erin")
    assert "1 of 1 have not changed" in course.autograde()


def test_the_feedback_of_one_exercise_marked_again_is_that_of_the_gradebook(course, monkeypatch):
    course.hand_in("erin")
    course.autograde()
    monkeypatch.setattr(workers, "mark", lambda job, each: stand_in({"data": base64.b64encode(b"01.3 01.4")}, each))
    course.autograde("01.3")
    left = course.total() - course.classroom.points(course.module)["check-01-3"]
    told = course.feedback("erin")
    assert course.score("erin") == left and f": {left:g} of {course.total():g} points" in told
    assert "01.3!" in told and "01.4!" not in told and "  0 of 2  01.4" not in told


@pytest.mark.slow
def test_one_exercise_of_a_changed_course_leaves_the_others_to_be_marked(course, monkeypatch):
    course.hand_in("erin")
    course.autograde()
    monkeypatch.setattr(verdicts, "course_digest", lambda module: "f" * 64)
    course.autograde("01.3")
    assert "have not changed" not in course.autograde()


def test_an_exercise_that_does_not_exist_is_refused(course):
    course.hand_in("erin")
    assert "has no exercise 01.99: it has 01.1 to 01." in course.autograde("01.99", status=2)
    course.autograde()
    assert "has no exercise 01.99" in course.run("override", "01.99", "erin", "2", status=2)


# Late penalties.


@pytest.fixture
def late(course):
    """A class in which bob handed in a day late, and late submissions get no points."""
    course.due()
    course.configure(LATE)
    course.hand_in("bob", when="2026-01-11T12:00+00:00")
    course.autograde()
    assert course.score("bob") == 0
    return course


@pytest.mark.slow
def test_an_override_leaves_a_late_submission_without_points(late):
    late.run("override", "01.3", "bob", "1")
    assert late.score("bob") == 0 and ": 0 of " in late.feedback("bob") and "handed in late" in late.feedback("bob")


@pytest.mark.slow
def test_points_given_in_formgrader_leave_a_late_submission_without_points(late):
    with late.classroom.opened() as gradebook:
        gradebook.find_grade("check-01-1", "tensor", "01_tensor", "bob").extra_credit = 5
        gradebook.db.commit()
    assert late.rows()["bob"]["score"] == "0"


@pytest.mark.parametrize("command", ["export", slowly("feedback"), slowly("autograde")])
def test_a_later_deadline_takes_the_penalty_back(late, command):
    late.due("2026-01-12T12:00+00:00")
    said = late.autograde() if command == "autograde" else late.run(command, "01")
    assert "Late penalty changed: bob" in said
    assert late.score("bob") == late.total() and f": {late.total():g} of" in late.feedback("bob")


@pytest.mark.slow
def test_more_points_in_a_late_submission_are_taken_off_too(late):
    late.hand_in("bob", "01.1 01.2 01.3", when="2026-01-11T12:00+00:00")
    late.autograde()
    late.hand_in("bob", when="2026-01-11T12:00+00:00")
    assert "Late penalty changed" not in late.autograde(), "the points and the penalty belong together from the beginning"
    score = late.classroom.scores(late.module)["bob"]
    assert score["raw"] == score["penalty"] == late.total() and score["score"] == 0


@pytest.mark.slow
def test_a_time_that_is_given_later_counts(course, tmp_path):
    course.due()
    course.configure(LATE)
    (tmp_path / "bob").mkdir()
    (tmp_path / "bob" / "tensor.ipynb").write_text("", encoding="utf-8")
    for words, expected in (((), course.total()), (("--timestamp", "2026-01-11T12:00+00:00"), 0)):
        course.run("collect", "01", tmp_path / "bob", *words)
        course.autograde()
        assert course.score("bob") == expected


@pytest.mark.slow
def test_a_penalty_that_is_configured_later_counts(course):
    course.due()
    course.hand_in("bob", when="2026-01-11T12:00+00:00")
    course.autograde()
    course.configure(LATE)
    assert course.rows()["bob"]["score"] == "0" and ": 0 of " in course.feedback("bob")


def test_a_newer_submission_that_is_not_marked_yet_changes_no_mark_and_is_named(course):
    course.due()
    course.configure(LATE)
    course.hand_in("bob", when="2026-01-09T12:00+00:00")
    course.autograde()
    course.hand_in("bob", "01.3", when="2026-01-11T12:00+00:00")
    course.hand_in("dave")
    said = course.run("export", "01")
    assert "2 collected, not marked yet: bob, dave: tito grade autograde 01 --course" in said
    assert course.score("bob") == course.total()


# A failure of one student.


PLUGIN = """
from nbgrader.plugins import LateSubmissionPlugin

class Raises(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return {} [student_id] if student_id == 'alice' else float('nan') if student_id == 'bob' else 1

c.AssignLatePenalties.plugin_class = Raises
"""


@pytest.mark.slow
def test_a_penalty_that_cannot_be_computed_stops_nobody_else_and_enters_nothing(course):
    course.due()
    for student in ("alice", "bob", "carol"):
        course.hand_in(student, when="2026-01-11T12:00+00:00")
    course.autograde("01", "--student", "alice")
    course.configure(PLUGIN)
    course.hand_in("alice", "01.1 01.3", when="2026-01-11T12:00+00:00")
    said = course.autograde(status=1)
    assert "Not marked: alice, bob." in said and "returned nan" in said and "Traceback" not in said
    assert {name: score["score"] for name, score in course.classroom.scores(course.module).items()} == {
        "alice": course.total(),
        "carol": course.total() - 1,
    }
    assert "the late penalty stays as it was" in course.run("export", "01", status=1)


def test_a_gradebook_that_is_locked_stops_one_student_and_keeps_the_others(course, monkeypatch):
    from tito.grading import gradebook

    monkeypatch.setattr(gradebook, "PATIENCE", 0.05)
    for student in ("alice", "bob", "carol"):
        course.hand_in(student)
    with sqlite3.connect(course.folder / "gradebook.db", isolation_level=None, check_same_thread=False) as other:
        entered = course.classroom.__class__.enter_into

        def enter_into(self, book, module, student, *rest):
            if student == "bob":
                other.execute("begin exclusive")
            try:
                entered(self, book, module, student, *rest)
            finally:
                if student == "bob":
                    other.execute("rollback")

        monkeypatch.setattr(course.classroom.__class__, "enter_into", enter_into)
        said = course.autograde(status=1)
    assert "Not marked: bob." in said and "locked" in said
    assert {name: score["score"] for name, score in course.classroom.scores(course.module).items()} == dict.fromkeys(
        ("alice", "carol"), course.total()
    )


def test_a_gradebook_is_waited_for(course):
    from tito.grading.gradebook import patient

    url = patient(f"sqlite:///{course.folder}/gradebook.db")
    assert float(url.query["timeout"]) >= 30
    assert patient("postgresql+psycopg://user@host/class").query == {}


def test_a_release_that_is_gone_is_said_before_anything_is_marked(course):
    course.hand_in("alice")
    (course.classroom.path("release", course.module) / "tensor.ipynb").unlink()
    said = course.autograde(status=2)
    assert "tensor.ipynb is missing" in said and f"Next: tito grade release 01 --course {course.folder}" in said
    assert course.classroom.scores(course.module) == {}


def test_a_notebook_that_cannot_be_written_enters_no_points(course, monkeypatch):
    from tito.grading import marked

    def write(*words):
        raise OSError("no space left on device")

    monkeypatch.setattr(marked, "write", write)
    course.hand_in("alice")
    assert "no space left" in course.autograde(status=1)
    assert course.classroom.scores(course.module) == {} == course.classroom.students()


# A second release.


def files(course):
    return {
        path: path.read_bytes() for step in ("source", "release") for path in (course.folder / step).rglob("*") if path.is_file()
    }


@pytest.mark.slow
def test_a_second_release_keeps_the_points_of_the_questions(with_questions):
    course = with_questions
    course.hand_in("alice")
    course.autograde()
    before, points = files(course), course.classroom.points(course.module)
    said = course.run("release", "01", "--due", "2026-02-10T12:00+00:00")
    assert files(course) == before and course.classroom.points(course.module) == points and "answer-01-1" in points
    assert course.classroom.deadline(course.module).isoformat(sep=" ", timespec="minutes") in said
    said = course.run("release", "01", "--question-points", "3", status=2)
    assert "its questions stay at 2 points" in said and "Traceback" not in said
    assert course.run("release", "01", "--question-points", "0", status=2)
    assert files(course) == before and course.classroom.points(course.module) == points
    course.autograde("01", "--force")


def test_a_release_that_fails_leaves_the_folders_as_they_were(course, monkeypatch):
    from tito.grading import gradebook

    def ask(*words):
        raise gradebook.GradebookError("nbgrader did not make the release")

    extra = course.classroom.path("source", course.module) / "data.csv"
    extra.write_text("1,2\n", encoding="utf-8")
    before = files(course)
    with monkeypatch.context() as patch:
        patch.setattr(gradebook.Classroom, "ask", ask)
        assert "did not make the release" in course.run("release", "01", "--question-points", "5", status=1)
    assert files(course) == before and not list(course.folder.glob(".release*"))


# Decisions of staff.


@pytest.mark.parametrize("points", ["nan", slowly("200"), slowly("inf"), slowly("2.5")])
def test_points_that_the_exercise_does_not_have_are_refused(course, points):
    course.hand_in("alice")
    course.autograde()
    said = course.run("override", "01.3", "alice", points, status=2)
    assert "the exercise is worth 2, so give 0 to 2" in said
    assert course.score("alice") == course.total()


@pytest.mark.slow
def test_a_comment_keeps_the_override_and_removing_it_is_said(course):
    course.hand_in("bob", "01.3")
    course.autograde()
    worth, left = course.total(), course.total() - 2
    assert "01.3 has 1 of 2 points, set by hand" in course.run("override", "01.3", "bob", "1")
    assert course.score("bob") == left + 1
    course.run("override", "01.3", "bob", "--comment", "well done")
    assert course.score("bob") == left + 1 and "well done" in course.feedback("bob")
    assert f": {left + 1:g} of {worth:g} points" in course.feedback("bob")
    assert "--remove" in course.run("override", "01.3", "bob", status=2) and course.score("bob") == left + 1
    assert course.run("override", "01.3", "bob", "1", "--remove", status=2)
    assert "by the judge" in course.run("override", "01.3", "bob", "--remove")
    assert course.score("bob") == left and f": {left:g} of {worth:g} points" in course.feedback("bob")


@pytest.mark.slow
def test_an_override_is_in_the_feedback_after_another_run(course):
    course.hand_in("bob", "01.3")
    course.autograde()
    course.run("override", "01.3", "bob", "1")
    course.autograde("01", "--force")
    assert f": {course.total() - 1:g} of" in course.feedback("bob") and "1 of 2  01.3" in course.feedback("bob")


@pytest.mark.slow
def test_the_page_the_text_and_the_gradebook_agree(with_questions):
    course = with_questions
    course.hand_in("bob", "01.3", when="2026-01-09T12:00+00:00")
    course.autograde()
    course.run("feedback", "01")

    def shown():
        page = (course.classroom.path("feedback", course.module, "bob") / "tensor.html").read_text(encoding="utf-8")
        return re.search(r"\(Score: ([\d.]+) / ([\d.]+)\)", page).groups(), course.feedback("bob").splitlines()[0]

    for words in (("1",), ("--remove",)):
        course.run("override", "01.3", "bob", *words)
        (score, maximum), head = shown()
        assert float(score) == course.score("bob") and float(maximum) == course.total()
        assert f": {float(score):g} of {float(maximum):g} points" in head


def test_a_name_that_a_spreadsheet_would_run_is_harmless(course):
    course.classroom.enroll("eve", first_name="=HYPERLINK(1)", last_name="@SUM(1)", email="+1", lms_user_id="-1")
    assert course.rows()["eve"] == {
        **course.rows()["eve"],
        "first_name": "'=HYPERLINK(1)",
        "last_name": "'@SUM(1)",
        "email": "'+1",
    }


# Who is in the class.


def test_an_unknown_student_is_refused_and_the_close_one_is_named(course):
    course.classroom.enroll("alice", first_name="Alice")
    course.due()
    for words in (("extend", "01", "alcie", "--days", "2"), ("override", "01.3", "alcie", "1")):
        said = course.run(*words, status=2)
        assert "there is no student 'alcie'" in said and "did you mean alice?" in said
    assert list(course.classroom.students()) == ["alice"]


@pytest.mark.slow
def test_an_extension_is_no_mark(course):
    course.classroom.enroll("alice", first_name="Alice")
    assert "has no due date" in course.run("extend", "01", "alice", "--days", "2", status=2)
    course.due()
    course.run("extend", "01", "alice", "--days", "2")
    assert course.rows()["alice"]["score"] == "" and "graded by hand" not in course.run("export", "01")
    assert "alice has no mark in 01_tensor" in course.run("override", "01.3", "alice", "1", status=2)
    course.hand_in("alice", when="2026-01-11T12:00+00:00")
    course.configure(LATE)
    course.autograde()
    assert course.score("alice") == course.total()
    assert "Late penalty changed: alice" in course.run("extend", "01", "alice")
    assert course.score("alice") == 0 and ": 0 of" in course.feedback("alice")


def test_a_second_roster_takes_no_name_away(classroom):
    classroom.enroll("alice", first_name="Alice")
    classroom.enroll("alice", email="alice@example.org")
    classroom.enroll("plain")
    assert classroom.roster()["alice"]["first_name"] == "Alice" and "plain" in classroom.roster()


@pytest.mark.slow
def test_strangers_are_not_the_roster(course, tmp_path):
    course.hand_in("Alice-Archer")
    course.autograde()
    table = tmp_path / "students.csv"
    table.write_text("student_id,first_name,last_name\nalice,Alice,Archer\nplain,,\n", encoding="utf-8")
    assert "Alice-Archer             (not in the roster)" in course.run("roster", table)
    said = course.run("export", "01")
    assert "1 not in the roster, in rows of their own: Alice-Archer" in said
    assert set(course.rows()) == {"Alice-Archer", "alice", "plain"}
    stranger = tmp_path / "mallory" / "tensor.ipynb"
    stranger.parent.mkdir()
    stranger.write_text("", encoding="utf-8")
    for _ in range(2):
        said = course.run("collect", "01", tmp_path / "mallory")
        assert "not in the roster" in said and "mallory" in said
        course.autograde()


# Times.


@pytest.fixture
def berlin(monkeypatch):
    if not hasattr(time, "tzset"):
        pytest.skip("this system cannot change the time zone of a process")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    "due, hand_in", [("2026-10-24T23:59", "2026-10-31T23:30"), slowly("2026-03-25T23:59", "2026-04-01T23:30")]
)
def test_days_end_at_the_same_time_of_the_day_when_the_clocks_change(berlin, course, due, hand_in):
    course.classroom.enroll("alice", first_name="Alice")
    course.classroom.due(course.module, datetime.fromisoformat(due).astimezone())
    course.hand_in("alice", when=datetime.fromisoformat(hand_in).astimezone().isoformat())
    said = course.run("extend", "01", "alice", "--days", "7")
    assert f"alice: 01_tensor is due {hand_in[:10]} 23:59+0" in said
    course.autograde()
    assert course.classroom.scores(course.module)["alice"]["late"] == 0
    course.run("extend", "01", "alice", "--days", "6", "--hours", "23")
    assert course.classroom.scores(course.module)["alice"]["late"] == 1860


@pytest.mark.slow
def test_the_days_since_the_release_count_from_the_first_one_in_utc(berlin, course):
    from tito.grading import report

    released = datetime.fromisoformat("2026-07-01T12:00+02:00").timestamp()
    (course.folder / "releases.json").write_text(f'{{"01_tensor": {released}}}', encoding="utf-8")
    course.run("release", "01")
    course.hand_in("alice", when="2026-07-03T12:00+02:00")
    course.autograde()
    assert report.ages(course.classroom, course.module) == {"alice": pytest.approx(2)}


def test_a_hand_in_whose_time_cannot_be_read_is_listed_and_never_quietly_in_time(course):
    course.configure(LATE)
    for student, when in {"ann": "yesterday", "bob": "2026-01-11 12:00 +0000", "cleo": None, "dan": "10 pm"}.items():
        course.hand_in(student, when=when)
    assert "in time" not in course.autograde(), "nothing is late without a due date"
    for output in (course.run("release", "01", "--due", DUE), course.autograde(), course.run("export", "01")):
        said = " ".join(output.split())
        assert "ann: timestamp.txt: 'yesterday' is not a date with a time" in said
        assert "dan: timestamp.txt: '10 pm'" in said and "cleo: there is no timestamp.txt" in said and "bob:" not in said
    rows = course.rows()
    assert rows["bob"]["score"] == "0" and {rows[name]["seconds_late"] for name in ("ann", "cleo", "dan")} == {""}
    course.hand_in("ann", when="2026-01-09T12:00Z")
    assert course.rows()["ann"]["seconds_late"] == "0"


def test_a_time_in_an_export_that_cannot_be_read_is_told_when_it_is_collected(course, tmp_path):
    course.due()
    (tmp_path / "submitted" / "bob" / "01_tensor").mkdir(parents=True)
    for name, text in {"tensor.ipynb": "", "timestamp.txt": "2026-01-11 12:00 CEST"}.items():
        (tmp_path / "submitted" / "bob" / "01_tensor" / name).write_text(text, encoding="utf-8")
    said = course.run("collect", "01", tmp_path / "submitted")
    assert "its time of hand-in is not used: '2026-01-11 12:00 CEST'" in said and "the zone CEST is not known" in said
    assert "bob: there is no timestamp.txt" in said
    said = course.run("collect", "01", tmp_path / "submitted", "--timestamp", "2026-01-11T12:00+00:00")
    assert "timestamp.txt is now 2026-01-11T12:00:00+00:00" in said and "bob: there is no" not in said


# What the commands say.


@pytest.mark.slow
def test_the_hints_name_the_class(course, module):
    third = ["autograde 02", "export 02", "feedback 02", "override 02.1 alice 1", "extend 02 alice"]
    for words in [*third, "autograde 01", "report 01", "feedback 01", "extend 01 nobody", "release 01", "export 01", "roster"]:
        done = course.grade(*words.split(), "--course", course.folder)
        following = [line for line in done.output.splitlines() if line.startswith("Next: ")]
        assert following and all(f"--course {course.folder}" in line for line in following), (words, done.output)


@pytest.mark.slow
def test_feedback_names_whose_page_is_missing(course):
    for student in ("alice", "bob"):
        course.hand_in(student)
    course.autograde()
    (course.classroom.path("autograded", course.module, "bob") / "tensor.ipynb").unlink()
    said = course.run("feedback", "01", status=1)
    assert "1 of 2 students" in said and "no new page for bob" in said
    assert "--student bob --force" in said and course.feedback("bob")


@pytest.mark.parametrize(
    "line, says", [("c.x = = 1", "SyntaxError"), slowly("import nowhere", "ModuleNotFoundError"), slowly("c.y = z", "NameError")]
)
def test_a_broken_configuration_is_one_sentence(course, line, says):
    number = len((course.folder / "nbgrader_config.py").read_text(encoding="utf-8").splitlines()) + 1
    course.configure(line + "\n")
    said = course.run("export", "01", status=2)
    assert f"nbgrader_config.py, line {number}: {says}: " in said and "pip install" not in said and len(said.splitlines()) <= 4
