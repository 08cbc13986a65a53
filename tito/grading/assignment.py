"""A module as an assignment of nbgrader: the learner's notebook, its exercises and checks under nbgrader's metadata.

nbgrader's source folder holds no answers either: its notebook is the learner's, stripped as everywhere else.
"""

from dataclasses import replace

from tito import workspace
from tito.notebooks import source, strip
from tito.notebooks.problems import SourceError, raise_all


def cells(module):
    """Return the cells of a module's assignment: those of the learner's notebook.

    An exercise's cell is marked as a solution, its check as a locked test that carries the exercise's points.

    Raises:
        SourceError: An exercise has no check cell, or more than one: its points would count never, or twice.
    """
    reference = source.read(workspace.course_source(module))
    points = {one.id: one.points for one in reference.exercises()}
    learner = strip.learner_cells(reference)
    checked = [cell.check for cell in learner if cell.check]
    raise_all(
        SourceError(reference.path, f"exercise {one} has {checked.count(one)} check cells: it needs one")
        for one in points
        if checked.count(one) != 1
    )
    return [replace(cell, metadata={**cell.metadata, **metadata(cell, points)}) for cell in learner]


def points(module):
    """Return what each exercise is worth: a dict by the gradebook's name for it."""
    return {grade_id(one.id): one.points for one in source.read(workspace.course_source(module)).exercises()}


def metadata(cell, points):
    """Return what nbgrader must know of a cell, nothing for most."""
    if cell.exercise:
        return {"nbgrader": record(identity("exercise", cell.exercise), solution=True)}
    if cell.check in points:
        return {"nbgrader": record(grade_id(cell.check), grade=True, locked=True, points=points[cell.check])}
    return {}


def grade_id(exercise):
    """Return the name under which the gradebook keeps an exercise's points."""
    return identity("check", exercise)


def identity(kind, exercise):
    """Return the name of a cell; nbgrader takes letters, digits and hyphens."""
    return f"{kind}-{exercise.replace('.', '-')}"


def record(name, **said):
    """Return a cell's metadata in nbgrader's schema 3."""
    return {"schema_version": 3, "grade_id": name, "grade": False, "solution": False, "locked": False, "task": False, **said}
