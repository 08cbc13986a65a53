"""Turns that people take: each wrong body of an exercise is caught and told what it looks like, each right one is accepted.

`turns/NN.txt` holds them, a block each: a line `#### 01.2 wrong` (or `right`), what is said of a wrong one after a colon, or nothing
where no misconception names it, and below it the cell as a learner would write it.
"""

import re
from pathlib import Path

import pytest

from tito.lint.course import Course
from tito.mutants import planting, scoring

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((Path(__file__).parent / "turns").glob("*.txt"))
HEAD = re.compile(r"^#### (\d\d\.\d+) (right|wrong)(?:: (.*))?\n", re.MULTILINE)


def blocks(path):
    """Return (exercise, right or wrong, what is said, code) of each block of a file."""
    pieces = HEAD.split(path.read_text(encoding="utf-8"))[1:]
    return list(zip(pieces[::4], pieces[1::4], pieces[2::4], pieces[3::4]))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_wrong_turns_are_caught_and_named_and_right_ones_accepted(path):
    course = Course(ROOT)
    module = next(module for module in course.modules if module.number == path.stem)
    exercises = {one.id: one for one in course.exercises(module)}
    places = {part.cell.index: place for place, part in enumerate(course.parts(module))}
    turns = blocks(path)
    assert len(turns) >= 20
    tasks = {
        f"{number}-{index}": (exercises[number], planting.Mutant(number, "", "", places[exercises[number].cell], code))
        for index, (number, _, _, code) in enumerate(turns)
    }
    verdicts = scoring.verdicts(course, module, tasks, jobs=2)
    problems = [problem for turn, verdict in zip(turns, verdicts.values()) if (problem := judged(turn, verdict))]
    assert not problems, "\n\n".join(problems)


def judged(turn, verdict):
    """Return what is wrong with a verdict on a turn, None if nothing is."""
    number, kind, said, code = turn
    if kind == "right":
        return None if verdict.status == "passed" else f"{number} is right, and was refused: {verdict.failure}\n{code}"
    if verdict.status not in ("failed", "error", "timeout"):
        return f"{number} is wrong, and {verdict.status}:\n{code}"
    if said != verdict.failure.looks_like:
        return f"{number} looks like {verdict.failure.looks_like!r}, not {said!r}:\n{code}"
    return None


def test_there_are_turns_to_judge():
    assert FILES
