"""A module as an assignment of nbgrader: the learner's notebook, its exercises and checks under nbgrader's metadata.

nbgrader's source folder holds no answers either: its notebook is the learner's, with the solutions stripped.
"""

from dataclasses import replace

from tito import workspace
from tito.notebooks import source, strip
from tito.notebooks.problems import SourceError, raise_all


def cells(module):
    """Return the cells of a module's assignment: those of the learner's notebook.

    An exercise's cell is marked as a solution, its check as a locked test worth the exercise's points.

    Raises:
        SourceError: An exercise has no check cell, or more than one: its points would not count, or count twice.
    """
    reference = source.read(workspace.course_source(module))
    points = {exercise.id: exercise.points for exercise in reference.exercises()}
    learner = strip.learner_cells(reference)
    checked = [cell.check for cell in learner if cell.check]
    raise_all(
        SourceError(reference.path, f"exercise {exercise} has {checked.count(exercise)} check cells: it needs one")
        for exercise in points
        if checked.count(exercise) != 1
    )
    return [replace(cell, metadata={**cell.metadata, **metadata(cell, points)}) for cell in learner]


def points(module):
    """Return the points of each exercise: a dict by its name in the gradebook."""
    exercises = source.read(workspace.course_source(module)).exercises()
    return {grade_id(exercise.id): exercise.points for exercise in exercises}


def metadata(cell, points):
    """Return nbgrader's metadata for a cell, empty for most."""
    if cell.exercise:
        return {"nbgrader": record(identity("exercise", cell.exercise), solution=True)}
    if cell.check in points:
        return {"nbgrader": record(grade_id(cell.check), grade=True, locked=True, points=points[cell.check])}
    return {}


def grade_id(exercise):
    """Return the name of an exercise's points in the gradebook."""
    return identity("check", exercise)


def identity(kind, exercise):
    """Return the name of a cell; nbgrader allows letters, digits and hyphens."""
    return f"{kind}-{exercise.replace('.', '-')}"


def record(name, **said):
    """Return a cell's metadata in nbgrader's schema 3."""
    return {"schema_version": 3, "grade_id": name, "grade": False, "solution": False, "locked": False, "task": False, **said}
