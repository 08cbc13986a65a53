"""Hints and solutions from the course's source; the number of hints seen is kept in the workspace."""

from tito import records, workspace
from tito.curriculum import UnknownExercise
from tito.notebooks import source, strip

FILE = "hints.json"


def of(module, number):
    """Return the hints of an exercise, in order.

    Args:
        module: The module.
        number: The exercise's id.

    Raises:
        UnknownExercise: The module has no such exercise.
    """
    hints = [cell.text for cell in notebook(module, number).cells if cell.hint == number]
    return hints or ["This exercise has no hint: read its docstring again, and the cell above it."]


def solution(module, number):
    """Return the reference solution of an exercise."""
    cells = strip.learner_cells(notebook(module, number), solved=True)
    text = next(cell.text for cell in cells if cell.exercise == number)
    return text.replace("#| export\n", "", 1)


def notebook(module, number):
    """Return the course's source of a module; raise if it does not have the exercise."""
    workspace.check_released(module)
    reference = source.read(workspace.course_source(module))
    ids = [exercise.id for exercise in reference.exercises()]
    if number not in ids:
        raise UnknownExercise(
            f"module {module} has no exercise {number}: it has {', '.join(ids)}", f"tito module start {module.number}"
        )
    return reference


def shown(space, number):
    """Return how many hints of an exercise the learner has seen."""
    count = records.read(space, FILE).get(number)
    return count if type(count) is int and count >= 0 else 0


def remember(space, number, count):
    """Record how many hints of an exercise the learner has seen."""
    records.write(space, FILE, {**records.read(space, FILE), number: count})
