"""The mutants that pass a module's checks, each with the reason why it is not a mistake."""

import ast

from tito.mutants import planting
from tito.mutants.mutators import called


def known(course, module):
    """Every entry of survivors.toml names a mutant that can still be made, or a call that is there, and gives the reason."""
    path = course.space.folder(module) / "survivors.toml"
    made = {mutant.key for exercise in course.exercises(module) for mutant in planting.mutants(course, module, exercise)}
    calls = {called(node) for exercise in course.exercises(module) for node in solution(course, module, exercise)}
    for entry in planting.entries(path, "spared"):
        if entry["call"] not in calls:
            yield course.problem_in(path, f"no solution calls {entry['call']}: remove it")
        if not entry["reason"].strip():
            yield course.problem_in(path, f"{entry['call']} has no reason")
    for entry in planting.reasons(path):
        label = f"{entry.exercise}: {entry.before!r} -> {entry.after!r}"
        if entry.key not in made:
            yield course.problem_in(path, f"{label} is not a mutant any more: remove it")
        if not entry.reason.strip():
            yield course.problem_in(path, f"{label} has no reason")


def solution(course, module, exercise):
    """Return the nodes of the exercise's cell."""
    return ast.walk(ast.parse(next(part.text for part in course.parts(module) if part.cell.index == exercise.cell)))
