"""Run mutants against the learner's checks, many in one process, and count those that are caught."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tito.checks import checking, runner
from tito.mutants import mutant_process, planting
from tito.notebooks.problems import SourceError, raise_all

TIMEOUT = 3.0  # seconds per mutant: an endless loop counts as caught
GOAL = 0.95  # share of the mutants that a module's checks must catch


@dataclass(frozen=True)
class Named:
    """An entry of a worker's job: the id of a mutant, and the exercise's name."""

    id: str
    name: str


@dataclass(frozen=True)
class Score:
    """The result of an exercise's mutants."""

    module: object
    exercise: object
    total: int
    survivors: tuple
    excused: tuple  # survivors with a reason in survivors.toml
    outdated: tuple  # reasons for mutants that no longer survive

    @property
    def caught(self):
        return self.total - len(self.survivors)


def scores(course, module, exercises, jobs=2):
    """Run the mutants of some exercises of a module.

    Args:
        course: The `Course`.
        module: The module.
        exercises: The exercises.
        jobs: Number of processes.

    Returns:
        List with a `Score` for each exercise.

    Raises:
        SourceError: The reference itself does not pass, so its mutants would say nothing.
    """
    made = {exercise: planting.mutants(course, module, exercise) for exercise in exercises}
    tasks = {
        f"{exercise.id}-{index}": (exercise, mutant)
        for exercise, mutants in made.items()
        for index, mutant in enumerate([original(course, module, exercise), *mutants])
    }
    statuses = judge(course, module, tasks, jobs)
    raise_all(
        SourceError(course.source_path(module), f"the reference of {exercise.label} does not pass its check", exercise.cell)
        for exercise in exercises
        if statuses[f"{exercise.id}-0"] != "passed"
    )
    lived = {mutant for task, (_, mutant) in tasks.items() if statuses[task] == "passed" and not task.endswith("-0")}
    return [score(course, module, exercise, mutants, lived) for exercise, mutants in made.items()]


def original(course, module, exercise):
    """Return the reference itself, as a mutant that must pass."""
    parts = course.parts(module)
    index = next(index for index, part in enumerate(parts) if part.cell.index == exercise.cell)
    return planting.Mutant(exercise.id, "", "", index, parts[index].text)


def score(course, module, exercise, mutants, lived):
    """Sort an exercise's mutants into caught ones and survivors, with or without a reason."""
    entries = planting.reasons(course.space.folder(module) / "survivors.toml")
    reasons = {entry.key: entry.reason for entry in entries if entry.exercise == exercise.id}
    survivors = tuple(mutant for mutant in mutants if mutant in lived)
    keys = {mutant.key for mutant in survivors}
    excused = tuple((mutant, reasons[mutant.key]) for mutant in survivors if mutant.key in reasons)
    return Score(module, exercise, len(mutants), survivors, excused, tuple(key for key in reasons if key not in keys))


def judge(course, module, tasks, jobs):
    """Return the status of each task: "passed" means that the mutant was not caught."""
    return {task: verdict.status for task, verdict in verdicts(course, module, tasks, jobs).items()}


def verdicts(course, module, tasks, jobs=1, compiled=False, timeout=TIMEOUT):
    """Check mutated exercises, many in one process.

    Args:
        course: The `Course`.
        module: The module.
        tasks: Dict from an id to an exercise and the `planting.Mutant` that replaces its cell.
        jobs: Number of processes.
        compiled: Compile kernels, which is slow, instead of running them as Python.
        timeout: Seconds for a task; ten times as many if kernels are compiled.

    Returns:
        Dict from id to `checking.Verdict`.
    """
    checks = course.checks(module)
    cases = {
        exercise.id: [*course.cases(module, exercise.name), *checks.check(exercise.name).examples]
        for exercise, _ in tasks.values()
    }
    encoded = {number: [case.encoded for case in drawn] for number, drawn in cases.items()}
    with course.package(module, course.text(module)) as parent, ThreadPoolExecutor(jobs) as pool:
        shares = [dict(list(tasks.items())[start::jobs]) for start in range(jobs)]
        seen = list(
            pool.map(lambda share: observe(course, module, parent, share, encoded, compiled, timeout), filter(None, shares))
        )
    answers = {task: observations for part in seen for task, observations in part.items()}
    return {
        task: checking.verdict(exercise, checks.check(exercise.name), cases[exercise.id], answers[task])
        for task, (exercise, _) in tasks.items()
    }


def observe(course, module, parent, tasks, encoded, compiled, timeout):
    """Run some tasks in one process, or in more if a mutant ends it or hangs; kernels as Python, or compiled."""
    mutants = {task: [mutant.part, mutant.text, exercise.id, exercise.name] for task, (exercise, mutant) in tasks.items()}
    data = {"parts": [part.text for part in course.parts(module)], "cases": encoded, "mutants": mutants, "compile": compiled}

    def prepare(folder):
        (folder / "mutants.json").write_text(json.dumps(data), encoding="utf-8")

    # The command prefix replaces the worker's own command; the cases are in mutants.json, once for all mutants.
    command = (sys.executable, "-P", "-X", "utf8", mutant_process.__file__, "{job}")
    named = [Named(task, exercise.name) for task, (exercise, _) in tasks.items()]
    return runner.observe(
        parent,
        f"tinytorch.{module.package_name}",
        course.checks_path(module),
        named,
        dict.fromkeys(tasks, ()),
        timeout=timeout * (10 if compiled else 1),
        command_prefix=command,
        prepare=prepare,
    )
