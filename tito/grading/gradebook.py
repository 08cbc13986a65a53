"""The folders and the gradebook of a class, in nbgrader's format. nbgrader is imported when a class is opened."""

import contextlib
import os
import sysconfig
import warnings
from importlib.util import find_spec
from pathlib import Path

CONFIG = """\
# The class's settings for nbgrader; made by tito, yours to edit.
# Use `tito grade autograde` for marks: nbgrader's own autograde gives full marks to a test that a submission has disabled.
c = get_config()
c.CourseDirectory.course_id = "tinytorch"
c.ClearSolutions.enabled = False  # source/ already holds the learner's notebook; keep its stubs
"""


class GradebookError(Exception):
    """Something is missing from the class's folder; the message says what to do."""


class Classroom:
    """A class: a folder with `source`, `release`, `submitted`, `feedback` and a gradebook.

    Args:
        folder: The class's folder; it and its configuration are created if missing.

    Raises:
        GradebookError: nbgrader is not installed.
    """

    def __init__(self, folder):
        if find_spec("nbgrader") is None:
            raise GradebookError('grading a class needs nbgrader: pip install "tinytorch-course[grade]"')
        self.folder = Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "nbgrader_config.py").exists():
            (self.folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
        with quiet():
            from nbgrader.coursedir import CourseDirectory
            from traitlets.config.loader import PyFileConfigLoader

            self.config = PyFileConfigLoader("nbgrader_config.py", path=str(self.folder)).load_config()
            self.config.CourseDirectory.root = str(self.folder)
            self.config.ClearSolutions.enabled = False
            self.directory = CourseDirectory(config=self.config)

    def path(self, step, module, student="."):
        """Return the folder of an assignment at a step: source, release, submitted or feedback."""
        named = getattr(self.directory, f"{step}_directory")
        return Path(self.directory.format_path(named, student, module.folder))

    def submissions(self, module):
        """Return the expected path of each student's notebook: a dict from student to path, in alphabetical order."""
        everybody = self.path("submitted", module, "*").parent.parent
        paths = {folder.parent.name: folder / f"{module.name}.ipynb" for folder in everybody.glob(f"*/{module.folder}")}
        return dict(sorted(paths.items()))

    def generate(self, module):
        """Let nbgrader make the release of an assignment from its source, and enter its cells into the gradebook.

        Raises:
            GradebookError: nbgrader refused; the message quotes it.
        """
        with quiet():
            from nbgrader.apps import NbGraderAPI

            answer = NbGraderAPI(config=self.config, coursedir=self.directory).generate_assignment(module.folder)
        if not answer["success"]:
            raise GradebookError(f"nbgrader did not make the release:\n{answer.get('log') or answer.get('error')}")

    def points(self, module):
        """Return the points of an assignment's cells in the gradebook: a dict by grade id, empty if there is none."""
        from nbgrader.api import MissingEntry

        with self.opened() as gradebook:
            try:
                notebook = gradebook.find_notebook(module.name, module.folder)
            except MissingEntry:
                return {}
            return {cell.name: cell.max_score for cell in notebook.grade_cells}

    def enter(self, module, student, points):
        """Enter a submission's points into the gradebook, replacing earlier ones.

        Args:
            module: The module.
            student: The student's id.
            points: Dict from grade id to points.
        """
        with self.opened() as gradebook:
            gradebook.update_or_create_student(student)
            gradebook.update_or_create_submission(module.folder, student)
            for identity, earned in points.items():
                grade = gradebook.find_grade(identity, module.name, module.folder, student)
                grade.auto_score, grade.needs_manual_grade = earned, False
            gradebook.db.commit()

    @contextlib.contextmanager
    def opened(self):
        """Open the gradebook for the length of a `with` block."""
        with quiet():
            from nbgrader.api import Gradebook

            with Gradebook(self.directory.db_url, self.directory.course_id) as gradebook:
                yield gradebook


@contextlib.contextmanager
def quiet():
    """Put `alembic`, which nbgrader calls by name, on the PATH, and silence SQLAlchemy's warnings."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), before])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.environ["PATH"] = before
