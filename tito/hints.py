"""Hints and solutions, read from the course's source; how many hints a learner has seen is kept in the workspace."""

import json

from tito import workspace
from tito.curriculum import UnknownExercise
from tito.files import write_atomically
from tito.notebooks import source, strip


def of(module, number):
    """Return the hints of an exercise, in order.

    Args:
        module: The module.
        number: The exercise's id.

    Raises:
        UnknownExercise: There is no such exercise.
    """
    found = [cell.text for cell in notebook(module, number).cells if cell.hint == number]
    return found or ["This exercise has no hint: read its docstring again, and the cell above it."]


def solution(module, number):
    """Return the reference solution of an exercise."""
    cells = strip.learner_cells(notebook(module, number), solved=True)
    text = next(cell.text for cell in cells if cell.exercise == number)
    return text.replace("#| export\n", "", 1)


def notebook(module, number):
    """Return the course's source of a module, once it is known to hold the exercise."""
    if workspace.is_to_come(module):
        raise workspace.WorkspaceError(f"module {module} is not in this release yet")
    reference = source.read(workspace.course_source(module))
    ids = [one.id for one in reference.exercises()]
    if number not in ids:
        raise UnknownExercise(f"module {module} has no exercise {number}: it has {', '.join(ids)}")
    return reference


def shown(space, number):
    """Return how many hints of an exercise the learner has seen."""
    try:
        return int(json.loads(path(space).read_text(encoding="utf-8"))[number])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def remember(space, number, count):
    """Keep how many hints of an exercise the learner has seen."""
    try:
        seen = dict(json.loads(path(space).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        seen = {}
    path(space).parent.mkdir(exist_ok=True)
    write_atomically(path(space), json.dumps({**seen, number: count}, indent=1, sort_keys=True) + "\n")


def path(space):
    return space.root / ".tito" / "hints.json"
