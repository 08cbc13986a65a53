"""What learners get contains no answers: both formats of the notebook, the given files, the milestones."""

import tempfile
from pathlib import Path

from tito import workspace
from tito.lint.problem import Problem
from tito.notebooks import answers, strip


def answers_kept(course):
    """No stripped notebook, given file, milestone or README shows a line that occurs only in solutions."""
    notebooks = [course.notebook(module) for module in course.present]
    with tempfile.TemporaryDirectory(prefix="tito-") as name:
        hand_out(course, Path(name))
        for leak in answers.leaks(Path(name), notebooks):
            yield Problem(leak.path.as_posix(), f"shows the answer to {leak.exercise}: {leak.line}")


def hand_out(course, folder):
    """Write into a folder what a learner may see: stripped notebooks in both formats, and copies of the given files."""
    for module in course.present:
        cells = strip.learner_cells(course.notebook(module))
        for format in ("ipynb", "py"):
            path = folder / "modules" / module.folder / f"{module.name}.{format}"
            path.parent.mkdir(parents=True, exist_ok=True)
            strip.write(cells, path, format)
    for path in given_files(course):
        copy = folder / course.label(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())


def given_files(course):
    """List the Python files of the package that no module exports, and the milestones."""
    return sorted([*workspace.given_files(course.root / "tinytorch"), *(course.root / "milestones").rglob("*.py")])
