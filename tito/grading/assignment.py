"""A module as an assignment of nbgrader: the learner's notebook, its exercises and checks under nbgrader's metadata.

nbgrader's source folder holds no answers either: its notebook is the learner's, with the solutions stripped.
"""

import re
from dataclasses import replace

from tito import workspace
from tito.files import write_atomically
from tito.notebooks import answers, cards, ipynb, source, strip
from tito.notebooks.problems import SourceError, raise_all

HIDDEN = re.compile(r"(BEGIN|END)[ _](HIDDEN TESTS|MARK SCHEME|SOLUTION)", re.IGNORECASE)
NAME = re.compile(r"[A-Za-z0-9-]+")


def write(module, path, question_points=0):
    """Write a module's assignment.

    Args:
        module: The module.
        path: `pathlib.Path` of the notebook.
        question_points: Points of each question, to be graded by hand; 0 leaves the questions out of the gradebook.

    Raises:
        SourceError: The assignment would be wrong, such as an exercise without points.
    """
    shown = assigned(module, question_points)
    validate(path, shown)
    write_atomically(path, ipynb.render(shown))


def assigned(module, question_points):
    """Return the cells of a module's assignment, its questions with the points that they earn."""
    return [with_points(cell, question_points) for cell in cards.dressed(cells(module))]


def graded(module, question_points):
    """Return the points of each cell that an assignment would grade: a dict by its name in the gradebook."""
    about = [cell.metadata["nbgrader"] for cell in assigned(module, question_points) if "nbgrader" in cell.metadata]
    return {each["grade_id"]: each["points"] for each in about if each["grade"]}


def with_points(cell, points):
    """Return a cell; an answer to a question is marked to be graded by hand, if it earns points."""
    question = cell.metadata.get("answer")
    if not (question and points):
        return cell
    marked = record(identity("answer", question), grade=True, solution=True, points=points)
    return replace(cell, metadata={**cell.metadata, "nbgrader": marked})


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


def validate(path, cells):
    """Refuse an assignment that nbgrader would grade wrongly, or that hides something in the notebook.

    Raises:
        SourceError: A name is used twice or not allowed, points are no positive number, or a mark of hidden tests is left.
    """
    raise_all(problems(path, cells))


def problems(path, cells):
    """Yield what is wrong with the cells of an assignment."""
    used = set()
    for cell in cells:
        if ipynb.BAD_METADATA in cell.metadata:
            yield SourceError(path, "has a header that is not key=value with values in JSON", cell.index)
        if hidden := HIDDEN.search(cell.text):
            yield SourceError(path, f"contains {hidden[0]!r}: nothing is hidden in a release", cell.index)
        marked = cell.metadata.get("nbgrader")
        if marked is None:
            continue
        name, points = marked["grade_id"], marked.get("points")
        if name in used or not NAME.fullmatch(name):
            yield SourceError(
                path, f"the name {name!r} is used twice, or has other characters than letters and digits", cell.index
            )
        if marked["grade"] and not (type(points) is int and points > 0):
            yield SourceError(path, f"{name} needs points, a whole number above 0, not {points!r}", cell.index)
        used.add(name)


def leaks(folder, module):
    """Return the answers that the files of a release show, a list of texts."""
    return [str(leak) for leak in answers.leaks(folder, [source.read(workspace.course_source(module))])]


def points(module):
    """Return the points of each exercise: a dict by its name in the gradebook."""
    return {grade_id(exercise.id): exercise.points for exercise in exercises(module)}


def exercises(module):
    """Return the module's exercises, from the course's own source."""
    return source.read(workspace.course_source(module)).exercises()


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
