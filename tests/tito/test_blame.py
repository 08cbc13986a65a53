"""Whose fault it is: an exercise that passes with the course's own solution of an earlier one names that one."""

from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import pytest

from tito import workspace
from tito.checks import blame
from tito.checks.checking import Failure, Verdict
from tito.notebooks import source

Module = namedtuple("Module", "exports number")
HEAD = '# %% exercise="01.{0}" minutes=5 points=1\n#| export\ndef {1}():\n    return {2}\n\n'
NAMES = ("first", "second", "third")


def notebook(path, **bodies):
    path.write_text("".join(HEAD.format(i, name, bodies.get(name, "1")) for i, name in enumerate(NAMES, 1)), encoding="utf-8")
    return source.read(path)


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """Return a function of the learner's bodies and of what must hold of a module's text for an exercise to pass."""
    reference = notebook(tmp_path / "reference.py")
    monkeypatch.setattr(workspace, "course_dir", lambda: tmp_path / "course")
    (tmp_path / "course/tinytorch").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    for folder, text in (("course/tinytorch", "x = 1"), ("home", "x = 2")):
        (tmp_path / folder / "earlier.py").write_text(text, encoding="utf-8")
    earlier = Module("earlier.py", "00")
    curriculum = SimpleNamespace(prerequisites=lambda module: [earlier])
    space = SimpleNamespace(package=tmp_path / "home", curriculum=curriculum, label=lambda path: "modules/01_x/x.py")

    def made(passes, **bodies):
        def check(text, exercises, files):
            return [Verdict(one.id, one.name, "passed" if passes(one.name, text, files) else "failed") for one in exercises]

        return blame.Substitution(space, None, notebook(tmp_path / "learner.py", **bodies), reference, check)

    return made


FAILED = Verdict("01.3", "third", "failed", 0, 2, Failure((("got", "1"),), 1, "a misconception"))


def test_the_earlier_exercise_that_it_takes_is_named_and_the_misconception_is_not(trial):
    found = trial(lambda name, text, files: "return 2" not in text or name == "first", first="3", second="2")
    verdict = blame.named((FAILED,), found)[0]
    assert verdict.failure.rows[0][0] == "at fault" and verdict.failure.rows[0][1].startswith(
        "01.2 second: with the course's own"
    )
    assert verdict.failure.culprit == "01.2"
    assert verdict.failure.looks_like is None and verdict.failure.rows[1:] == FAILED.failure.rows


def test_an_exercise_that_fails_with_the_courses_own_too_is_at_fault_itself(trial):
    found = trial(lambda name, text, files: False, first="3", second="2")
    assert blame.named((FAILED,), found) == (FAILED,)


def test_an_earlier_module_is_named_by_its_file(trial):
    found = trial(lambda name, text, files: files.get("earlier.py") == "x = 1")
    number, sentence = found.culprit(FAILED)
    assert number == "00" and sentence.endswith("(tinytorch/earlier.py): with the course's own in its place, 01.3 third passes")


def test_of_earlier_exercises_those_that_are_the_courses_own_are_not_suspected(trial):
    asked = []

    def passes(name, text, files):
        asked.append(text)
        return False

    assert trial(passes, third="7").culprit(FAILED) is None
    assert len(asked) == 1  # with the earlier module's file alone


def test_what_passed_or_is_not_written_is_left_alone(trial):
    verdicts = (Verdict("01.1", "first", "passed"), Verdict("01.2", "second", "unwritten"))
    assert blame.named(verdicts, trial(lambda *_: pytest.fail("nothing is to be checked"))) == verdicts


def test_a_second_definition_is_found_exported_or_not(tmp_path):
    path = tmp_path / "twice.py"
    path.write_text(HEAD.format(1, "first", "1") + "# %%\ndef first():\n    return 2\n\n# %%\nfirst +\n", encoding="utf-8")
    assert blame.also_defined(source.read(path), "first") == [True, False]
    assert blame.also_defined(source.read(Path(path)), "second") == []
