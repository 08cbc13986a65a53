"""The mutants that pass a module's checks, each with the reason why it is not a mistake."""

from tito.mutants import planting


def known(course, module):
    """Every entry of survivors.toml names a mutant that can still be made, and the reason why it may survive."""
    path = course.space.folder(module) / "survivors.toml"
    made = {mutant.key for exercise in course.exercises(module) for mutant in planting.mutants(course, module, exercise)}
    for entry in planting.reasons(path):
        label = f"{entry.exercise}: {entry.before!r} -> {entry.after!r}"
        if entry.key not in made:
            yield course.problem_in(path, f"{label} is not a mutant any more: remove it")
        if not entry.reason.strip():
            yield course.problem_in(path, f"{label} has no reason")
