"""The package has three floors, and imports only go down; the package, the milestones and tito stay separate."""

from tito import workspace
from tito.lint.encoding import python_files
from tito.lint.problem import Problem
from tito.lint.staircase import imported

GIVEN, LEARNERS, ABOVE = range(3)
FLOORS = ("given", "the learner's", "above the learner's")
APART = {  # folder -> what its files must not import: the package runs without the tool, the tool without the package
    "tinytorch": ("tito", "common"),
    "milestones": ("tito.bench", "tito.checks", "tito.commands"),
}


def floor(inside):
    """Return the floor of a file of the package, or None for `__init__.py`, which may import from all floors.

    Args:
        inside: Path of the file within the package.
    """
    if not workspace.is_given(inside):
        return LEARNERS
    folder = inside.parts[0]
    return None if folder == "__init__.py" else GIVEN if folder == "given" else ABOVE


def kept(course):
    """A file of the package imports only from its own floor and those below; separate folders stay separate."""
    for path in python_files(course):
        for name, line in imported(course.tree(path)):
            for reason in refusals(path.relative_to(course.root), name, course):
                yield Problem(course.label(path), reason, line)
    package = course.root / "tinytorch"
    for path in sorted(package.glob("*.py")):
        if not workspace.is_given(path.name) and path.name not in exports(course):
            yield Problem(
                course.label(path), "is among the learner's files, but no module exports it: move it into tinytorch/given"
            )


def refusals(path, name, course):
    """Yield the reasons why a file must not import a name.

    Args:
        path: Path of the file within the course.
        name: Full name of what it imports, such as `tinytorch.tensor.Tensor`.
        course: The `Course`.
    """
    for apart in APART.get(path.parts[0], ()):
        if f"{name}.".startswith(f"{apart}."):
            yield f"imports {name}: {path.parts[0]}/ must not depend on {apart}"
    here = floor(path.relative_to("tinytorch")) if path.parts[0] == "tinytorch" else None
    there = floor_of_name(name, course)
    if here is not None and there is not None and there > here:
        yield f"imports {name}: this file is {FLOORS[here]}, that one is {FLOORS[there]}, and imports only go down"


def floor_of_name(name, course):
    """Return the floor of an imported name, or None if it is outside the package or is the package itself."""
    top, _, rest = name.partition(".")
    stem = rest.partition(".")[0]
    if top != "tinytorch" or not stem:
        return None
    if f"{stem}.py" in exports(course):
        return LEARNERS
    return (GIVEN if stem == "given" else ABOVE) if (course.root / "tinytorch" / stem).is_dir() else None


def exports(course):
    """Return the names of the files that modules export."""
    return {module.exports for module in course.curriculum.modules}
