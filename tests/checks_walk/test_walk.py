"""What learners write, wrong and right: the checks catch the wrong bodies, say why, and accept the right ones.

A file NN.json holds a list of {"id", "exercise", "expect": "fail" | "pass", "code", "why"}, and for some entries
"says", a text or a list of texts that the message holds; "also", {exercise: code} of other cells to replace; "or_says", the
number of the exercise that is at fault then; "compiled", true for what shows in compiled code only; and "slow", true for what
the marked test runs alone: one entry of a kind is enough for every run. Of the others, every run takes some of each exercise.

`python tests/checks_walk/test_walk.py FILE [ID ...]` prints every message, to be read as someone who does not know the answer.
"""

import dataclasses
import json
import sys
import tempfile
from pathlib import Path

import pytest

from tito.checks import layout, trial
from tito.lint.course import Course
from tito.mutants import planting, scoring
from tito.notebooks import ipynb

HERE = Path(__file__).parent
SOME = 8  # entries of an exercise in every run
ROOT = HERE.parents[1]
PATIENCE = 10  # seconds for an entry: more than for a mutant, because a busy machine must not make a right body wrong


def replay(course, entries):
    """Return a dict from each entry's id to its `Verdict`.

    Args:
        course: The `Course`.
        entries: Entries, each with an id of its own.
    """
    verdicts = {}
    for number in sorted({entry["exercise"][:2] for entry in entries}):
        module = course.curriculum.module(number)
        own = [entry for entry in entries if entry["exercise"][:2] == number]
        together = [entry for entry in own if "also" not in entry]
        for compiled in (False, True):
            some = [entry for entry in together if entry.get("compiled", False) == compiled]
            verdicts |= many(course, module, some, compiled) if some else {}
        verdicts |= {entry["id"]: alone(course, module, entry) for entry in own if entry not in together}
    return verdicts


def exercise(course, module, number):
    """Return a module's exercise of a number, such as "05.3"."""
    return next(one for one in course.exercises(module) if one.id == number)


def place(course, module, number):
    """Return which of the module's exported cells holds an exercise."""
    cell = exercise(course, module, number).cell
    return next(index for index, part in enumerate(course.parts(module)) if part.cell.index == cell)


def many(course, module, entries, compiled=False):
    """Judge entries in one process, which imports the package anew for each."""
    tasks = {}
    for entry in entries:
        number, code = entry["exercise"], entry["code"]
        body = planting.Mutant(number, "", "", place(course, module, number), code)
        tasks[entry["id"]] = exercise(course, module, number), body
    return scoring.verdicts(course, module, tasks, compiled=compiled, timeout=PATIENCE)


def alone(course, module, entry):
    """Judge an entry as `tito module test` does, which looks for the fault in earlier exercises as well."""
    cells, codes = list(course.notebook(module).cells), {**entry.get("also", {}), entry["exercise"]: entry["code"]}
    for number, code in codes.items():
        index = exercise(course, module, number).cell - 1
        cells[index] = dataclasses.replace(cells[index], text=f"#| export\n{code}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{module.name}.ipynb"
        path.write_text(ipynb.render(cells), encoding="utf-8")
        return trial.run(course.space, module, entry["exercise"], notebook=path).verdicts[0]


def problem(entry, verdict):
    """Say what is wrong with an entry's verdict, None if nothing is."""
    told = message(verdict)
    outcome = "pass" if verdict.status == "passed" else "fail"
    if outcome != entry["expect"] and not (outcome == "fail" and entry.get("or_says", "nothing") in told):
        return f"{entry['id']} should {entry['expect']}: {entry['why']}\n{told}"
    says = entry.get("says", [])
    missing = [
        text for text in ([says] if isinstance(says, str) else says) if " ".join(text.split()) not in " ".join(told.split())
    ]
    return f"{entry['id']}: the message lacks {missing}\n{told}" if missing else None


def message(verdict):
    """Return what the learner reads."""
    quiet = dataclasses.replace(verdict, printed="")
    return layout.text(quiet)


def read(path):
    """Return the entries of a file."""
    return json.loads(path.read_text(encoding="utf-8"))


def quick(entries):
    """Return the entries of every run: of those of an exercise that are not slow, some from all over the list."""
    by_exercise = {}
    for entry in entries:
        if not entry.get("slow") and not entry.get("compiled"):
            by_exercise.setdefault(entry["exercise"], []).append(entry)
    compiled = [entry for entry in entries if entry.get("compiled")][:2]
    return [entry for own in by_exercise.values() for entry in own[:: -(-len(own) // SOME)]] + compiled


@pytest.mark.parametrize("path", sorted(HERE.glob("*.json")), ids=lambda path: path.stem)
def test_wrong_bodies_are_caught_and_right_ones_accepted(path):
    judged(quick(read(path)))


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in sorted(HERE.glob("*.json")) if quick(read(path)) != read(path)], ids=lambda path: path.stem)  # fmt: skip
def test_the_others_are_caught_and_accepted_as_well(path):
    judged([entry for entry in read(path) if entry not in quick(read(path))])


def judged(entries):
    """Fail with every entry that is not caught, not accepted, or not explained as it should be."""
    verdicts = replay(Course(ROOT), entries)
    assert len(verdicts) == len(entries), "two entries have the same id"
    problems = [found for entry in entries if (found := problem(entry, verdicts[entry["id"]]))]
    assert not problems, f"{len(problems)} of {len(entries)}:\n\n" + "\n\n".join(problems)


if __name__ == "__main__":
    chosen = [
        entry
        for entry in read(Path(sys.argv[1]))
        if not sys.argv[2:]
        or entry["id"] in sys.argv[2:]
        or entry["exercise"] in sys.argv[2:]
        or entry["exercise"][:2] in sys.argv[2:]
    ]
    judged = replay(Course(ROOT), chosen)
    for entry in chosen:
        told = problem(entry, judged[entry["id"]])
        print(f"{'!!! ' if told else ''}--- {entry['id']} ({entry['expect']}): {entry['why']}\n{message(judged[entry['id']])}\n")
    print(sum(problem(entry, judged[entry["id"]]) is None for entry in chosen), "of", len(chosen), "as they should be")
