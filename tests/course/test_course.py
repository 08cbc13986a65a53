"""The course itself keeps the rules of the authors' lint, and its checks catch what is planted in its solutions."""

from pathlib import Path

import pytest

from tito.lint import RULES
from tito.lint.course import Course
from tito.mutants import scoring

ROOT = Path(__file__).resolve().parents[2]
MODULES = Course(ROOT).modules
QUICK = ("01", "02", "04")  # planting in the others takes minutes; `tito dev mutate` and `pytest -m slow` do it


@pytest.fixture(scope="module")
def course():
    return Course(ROOT)


def test_there_is_something_to_judge(course):
    assert {"01", "02", "03", "04"} <= {module.number for module in course.modules}
    assert all(course.exercises(module) for module in course.modules)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_course_keeps_the_rule(rule, course):
    problems = [str(problem) for problem in rule.problems(course) if not problem.warning]
    assert not problems, "\n".join(problems)


def planted(modules):
    """Return the modules as parameters of a test, those that take long with their mark."""
    return [pytest.param(module, marks=() if module.number in QUICK else pytest.mark.slow, id=str(module)) for module in modules]


@pytest.mark.parametrize("module", planted(MODULES))
def test_the_checks_catch_what_is_planted(module):
    scores = scoring.scores(Course(ROOT), module, Course(ROOT).exercises(module))
    total, caught = sum(score.total for score in scores), sum(score.caught for score in scores)
    survivors = [f"{one.exercise}: {one.before!r} -> {one.after!r}" for score in scores for one in score.survivors]
    assert total > 0 and caught >= scoring.GOAL * total, "\n".join([f"{caught} of {total} caught", *survivors])
    assert [score.outdated for score in scores if score.outdated] == []
