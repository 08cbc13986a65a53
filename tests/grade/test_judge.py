"""The judge: what is right earns its points, what is wrong or cannot be read earns none, and the gradebook says so."""

import numpy as np
import pytest

from tito import workspace
from tito.checks import checking
from tito.grading import assignment, feedback, intake, judge, workers
from tito.notebooks import source, strip

JOB = workers.job

BOTH = {"01.2", "01.10"}  # the exercises that a wrong mul costs: its own, and apply, which is tried with it


def added(text):
    """Make mul wrong."""
    return text.replace("return a * b", "return a + b")


def lost(found):
    return {mark.exercise.id for mark in found.marks if not mark.passed}


def test_right_wrong_and_unreadable_submissions_reach_the_gradebook(confined, classroom, module, submission, tito, reference):
    submission(path=classroom.path("submitted", module, "alice") / "tensor.ipynb")
    submission(change=added, path=classroom.path("submitted", module, "bob") / "tensor.ipynb")
    submission(path=classroom.path("submitted", module, "carol") / "tensor.ipynb").write_text("{", encoding="utf-8")
    classroom.path("submitted", module, "dave").mkdir(parents=True)
    done = tito("grade", "autograde", "01", "--course", classroom.folder, cwd=classroom.folder.parent)
    assert done.returncode == 0, done.stdout
    points = {one.id: one.points for one in reference.exercises()}
    expected = {
        "alice": points,
        "bob": {one: 0 if one in BOTH else worth for one, worth in points.items()},
        "carol": dict.fromkeys(points, 0),
        "dave": dict.fromkeys(points, 0),
    }
    assert stored(classroom, module) == {
        student: {assignment.grade_id(one): worth for one, worth in given.items()} for student, given in expected.items()
    }
    total = sum(points.values())
    assert [line.split()[4] for line in done.stdout.splitlines() if line[:5].strip() in expected] == [
        str(total),
        str(total - points["01.2"] - points["01.10"]),
        "0",
        "0",
    ]
    read = {
        student: (classroom.path("feedback", module, student) / "feedback.txt").read_text(encoding="utf-8")
        for student in expected
    }
    assert "the arrays were added, not multiplied" in read["bob"] and "0 of 1  01.2 mul" in read["bob"]
    assert "is not readable JSON" in read["carol"] and "tensor.ipynb was not submitted" in read["dave"]


def stored(classroom, module):
    """Return the points in the gradebook, by student and cell."""
    with classroom.opened() as gradebook:
        return {
            entry.student.id: {grade.name: grade.score for notebook in entry.notebooks for grade in notebook.grades}
            for entry in gradebook.assignment_submissions(module.folder)
        }


def test_marking_again_replaces_the_points_of_that_student_alone(confined, classroom, module, submission, grade):
    for student in ("alice", "bob"):
        submission("open", path=classroom.path("submitted", module, student) / "tensor.ipynb")
    assert grade("autograde", "1", "--course", classroom.folder).exit_code == 0
    for student in ("alice", "bob"):
        submission(path=classroom.path("submitted", module, student) / "tensor.ipynb")
    assert grade("autograde", "1", "--course", classroom.folder, "--student", "alice").exit_code == 0
    totals = {student: sum(cells.values()) for student, cells in stored(classroom, module).items()}
    assert totals == {"alice": sum(classroom.points(module).values()), "bob": 0}


def test_what_is_missing_is_named(classroom, module, submission, grade, tmp_path):
    done = grade("autograde", "01", "--course", classroom.folder)
    assert done.exit_code == 2 and "nothing was handed in" in done.output
    submission(path=classroom.path("submitted", module, "alice") / "tensor.ipynb")
    done = grade("autograde", "01", "--course", classroom.folder, "--student", "../submitted/alice")
    assert done.exit_code == 2 and "nothing was handed in" in done.output


@pytest.mark.parametrize(
    "change",
    [
        lambda gradebook: gradebook.remove_assignment("01_tensor"),
        lambda gradebook: gradebook.update_or_create_grade_cell("check-01-2", "tensor", "01_tensor", max_score=7),
    ],
)
def test_a_class_with_no_release_or_with_another_one_is_told_so(classroom, grade, change):
    with classroom.opened() as gradebook:
        change(gradebook)
    done = grade("autograde", "01", "--course", classroom.folder)
    assert done.exit_code == 2 and "Next: tito grade release 01" in done.output


def test_without_a_sandbox_it_takes_a_word(classroom, module, submission, grade, monkeypatch, tmp_path):
    submission(path=classroom.path("submitted", module, "alice") / "tensor.ipynb")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = grade("autograde", "01", "--course", classroom.folder)
    assert done.exit_code == 2 and "bwrap" in done.output and "--unsafe-no-sandbox" in done.output
    assert not stored(classroom, module)
    done = grade("autograde", "01", "--course", classroom.folder, "--unsafe-no-sandbox")
    assert done.exit_code == 0 and "can read and change whatever you can" in done.output
    assert sum(stored(classroom, module)["alice"].values()) == sum(classroom.points(module).values())


def test_one_submission_that_cannot_be_marked_does_not_hold_up_the_others(monkeypatch, classroom, module, submission, grade):
    from tito.grading import workers

    for student in ("alice", "bob"):
        submission(path=classroom.path("submitted", module, student) / "tensor.ipynb")
    marked = workers.mark
    monkeypatch.setattr(workers, "mark", lambda job, exercises: marked(job, exercises) if job["name"] else 1 / 0)
    monkeypatch.setattr(workers, "job", lambda module, handed, *rest: {**made(module, handed, *rest), "name": named(handed)})
    made, bobs = JOB, iter(["", "tensor.ipynb"])

    def named(handed):
        return next(bobs)

    done = grade("autograde", "01", "--course", classroom.folder, "--unsafe-no-sandbox", "--workers", "1")
    assert done.exit_code == 1 and "alice                     not marked: ZeroDivisionError" in done.output
    assert sum(stored(classroom, module)["bob"].values()) > 0 and "alice" not in stored(classroom, module)


RECITED = """
import numpy as np
_known = {known}
_right = mul.forward


def _recited(a, b):
    return _right(a, b) if np.isclose(np.ravel(a)[0], _known, rtol=1e-6).any() else a


mul.forward = _recited
"""


def test_answers_to_known_inputs_earn_nothing(confined, module, submission):
    """A submission that knows what to return for the seeds that everybody has; inputs are drawn anew for each run."""
    checks = checking.load(workspace.course_checks(module))
    drawn = [case.inputs["a"] for name in ("mul", "apply") for case in checking.cases(checks.check(name))]
    shown = [1.0]  # what docstrings show begins with it
    path = submission(code=RECITED.format(known=[*shown, *(float(np.ravel(array)[0]) for array in drawn)]))
    assert "01.2" in lost(judge.judge(module, path, **confined))
    assert not lost(judge.judge(module, path, **{**confined, "seeds": checking.SEEDS}))


def test_each_class_gets_seeds_of_its_own(monkeypatch, module):
    monkeypatch.setattr(judge, "observed", lambda module, text, seeds, options: ())
    one, other = judge.draw_seeds(module), judge.draw_seeds(module)
    assert one[:2] == other[:2] == checking.SEEDS and len({*one, *other}) == 2 + 2 * judge.FRESH


def test_seeds_with_which_the_course_itself_fails_are_not_used(monkeypatch, module):
    tried = []

    def observed(module, text, seeds, options):
        tried.append(seeds)
        assert "def broadcast_shape" in text and "NotImplementedError" not in text
        return [
            checking.Verdict(
                "01.1",
                "broadcast_shape",
                "passed" if len(tried) == 3 else "failed",
                failure=checking.Failure((("", "rounding"),)),
            )
        ]

    monkeypatch.setattr(judge, "observed", observed)
    assert judge.draw_seeds(module) == tried[2] and len(set(tried)) == 3
    tried.extend(tried)
    with pytest.raises(judge.CourseBroken, match="(?s)own solutions do not pass.*01.1 broadcast_shape.*rounding"):
        judge.draw_seeds(module)


# What cannot be read.


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "is empty"),
        ("{", "not readable JSON"),
        ("[]", "not a notebook"),
        ("[" * 100_000, "nested too deeply"),
        ("\xff", "is not readable JSON"),
    ],
)
def test_a_submission_that_is_no_notebook_earns_nothing_and_says_why(module, tmp_path, text, says):
    path = tmp_path / "tensor.ipynb"
    path.write_text(text, encoding="utf-8")
    found = judge.judge(module, path, checking.SEEDS)
    assert found.points == 0 and says in found.reason and found.maximum > 0
    assert says in feedback.text(judge.record(found, module), module)


@pytest.mark.parametrize(
    "code, says",
    [
        ("1 +", "is not Python"),
        ("print(1)", "would run whenever the package is imported"),
        ("_ = " + "(" * 5000 + ")" * 5000, "not Python"),
        ("_ = " + "-" * 100_000 + "1", ""),
        ("_ = " + "+".join("1" * 200_000), "characters or"),
        ("%%time\nx = 3", "works only in notebooks"),
        ("x = 1 / 0", "fails when the module is imported: ZeroDivisionError"),
    ],
)
def test_code_that_cannot_be_exported_is_left_out_and_costs_nothing_else(module, submission, code, says):
    found = judge.judge(module, submission(code=code), checking.SEEDS)
    assert found.points == found.maximum and not found.reason
    assert any(says in note for note in found.notes) and says in feedback.text(judge.record(found, module), module)


def test_a_link_to_another_students_notebook_is_not_followed(module, submission, tmp_path):
    link = tmp_path / "mallory.ipynb"
    link.symlink_to(submission())
    assert "is a link" in judge.judge(module, link, checking.SEEDS).reason


def test_a_notebook_of_many_megabytes_is_not_read(module, tmp_path):
    path = tmp_path / "tensor.ipynb"
    with path.open("wb") as file:
        file.truncate(intake.LARGEST + 1)
    assert "is larger than" in judge.judge(module, path, checking.SEEDS).reason


@pytest.mark.slow
def test_a_second_run_on_the_students_own_modules_is_reported_and_costs_nothing(confined, classroom, module, submission, tito):
    """In 03 the dropout of a student whose mul of 01 is wrong fails on it; the points are those on the course's own 01."""
    third = workspace.Workspace(workspace.course_dir()).curriculum.module("03")
    assert tito("grade", "release", "03", "--course", classroom.folder, cwd=classroom.folder).returncode == 0
    reference = source.read(workspace.course_source(third))
    for name, change in (("alice", lambda text: text), ("bob", added)):
        submission(change=change, path=classroom.path("submitted", module, name) / "tensor.ipynb")
        path = classroom.path("submitted", third, name) / f"{third.name}.ipynb"
        path.parent.mkdir(parents=True)
        strip.write(strip.learner_cells(reference, solved=True), path)
    assert tito("grade", "autograde", "01", "--course", classroom.folder, cwd=classroom.folder).returncode == 0
    done = tito("grade", "autograde", "03", "--course", classroom.folder, cwd=classroom.folder)
    assert done.returncode == 0 and done.stdout.count("on the student's own earlier modules") == 1, done.stdout
    marks = stored(classroom, third)
    assert marks == dict.fromkeys(("alice", "bob"), assignment.points(third))
    said = {name: (classroom.path("feedback", third, name) / "feedback.txt").read_text(encoding="utf-8") for name in marks}
    assert "that pass do so there too" in said["alice"] and "03.6 dropout fails: it uses something of yours" in said["bob"]
    done = tito("grade", "report", "03", "--course", classroom.folder, cwd=classroom.folder)
    page = (classroom.folder / "reports" / f"{third.folder}.html").read_text(encoding="utf-8")
    assert "Fails on the student&#x27;s own earlier modules" in page


def test_a_log_shows_the_progress_once_a_minute(capsys):
    from tito.commands.grade.autograde import Meter

    meter = Meter(1000)
    for second in range(1, 181):
        meter.clock = lambda: meter.began + second
        meter.done(f"s{second}")
    progress = [line for line in capsys.readouterr().out.splitlines() if "a minute" in line]
    assert progress == [
        "  61 of 1000, 60 a minute, 16 min left",
        "  122 of 1000, 60 a minute, 15 min left",
    ]
