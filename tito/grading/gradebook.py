"""The folders and the gradebook of a class, in nbgrader's format. nbgrader is imported when a class is opened."""

import contextlib
import os
import sysconfig
import warnings
from importlib.util import find_spec
from pathlib import Path

from tito.grading import intake

CONFIG = """\
# The class's settings for nbgrader; made by tito, yours to edit.
# Use `tito grade autograde` for marks: nbgrader's own autograde gives full marks to a test that a submission has disabled.
c = get_config()
c.CourseDirectory.course_id = "tinytorch"
c.ClearSolutions.enabled = False  # source/ already holds the learner's notebook; keep its stubs
"""


class GradebookError(Exception):
    """Something is missing from the class's folder; the message says what to do."""


class NoClass(GradebookError):
    """A folder is not that of a class."""


class Classroom:
    """A class: a folder with `source`, `release`, `submitted`, `feedback` and a gradebook.

    Args:
        folder: The class's folder.
        create: Whether it and its configuration are created if missing.

    Raises:
        GradebookError: nbgrader is not installed.
        NoClass: There is no class, and none is to be created.
    """

    def __init__(self, folder, create=True):
        if find_spec("nbgrader") is None:
            raise GradebookError('grading a class needs nbgrader: pip install "tinytorch-course[grade]"')
        self.folder, self.book = Path(folder).absolute(), None
        if not create and not (self.folder / "nbgrader_config.py").exists():
            raise NoClass(f"{self.folder} is no class: it has no nbgrader_config.py")
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
        """Return the folder of each student's submission: a dict from student to path, in order. Links are not followed."""
        everybody = self.path("submitted", module, "*").parent.parent
        handed_in = {student: everybody / student / module.folder for student in intake.folders(everybody)}
        return {student: path for student, path in handed_in.items() if module.folder in intake.folders(everybody / student)}

    def timestamp(self, module, student):
        """Return when a submission was handed in, as nbgrader's file beside it says, or None."""
        try:
            path = self.path("submitted", module, student) / "timestamp.txt"
            text = intake.content(path).decode("utf-8")
            return dateutil_parsed(text.strip()[:100])
        except (intake.Unreadable, UnicodeDecodeError, ValueError, OverflowError):
            return None

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

    def generate_feedback(self, module):
        """Let nbgrader write its feedback pages from the gradebook and the marked notebooks.

        Raises:
            GradebookError: nbgrader refused; the message quotes it.
        """
        with quiet():
            from nbgrader.apps import NbGraderAPI

            answer = NbGraderAPI(config=self.config, coursedir=self.directory).generate_feedback(module.folder)
        if not answer["success"]:
            raise GradebookError(f"nbgrader did not write the feedback:\n{answer.get('log') or answer.get('error')}")

    def points(self, module):
        """Return the points of an assignment's cells in the gradebook: a dict by grade id, empty if there is none."""
        from nbgrader.api import MissingEntry

        with self.opened() as gradebook:
            try:
                notebook = gradebook.find_notebook(module.name, module.folder)
            except MissingEntry:
                return {}
            return {cell.name: cell.max_score for cell in notebook.grade_cells}

    def enter(self, module, student, points, answers=None):
        """Enter a submission's points into the gradebook, replacing earlier ones; what staff entered by hand stays.

        Args:
            module: The module.
            student: The student's id.
            points: Dict from grade id to points.
            answers: Dict from grade id to the hash of what the student wrote, for what is graded by hand.
        """
        with self.opened() as gradebook:
            self.enter_into(gradebook, module, student, points, answers or {})

    def enter_into(self, gradebook, module, student, points, answers):
        """Enter a submission's points into an open gradebook; one commit, so that a kill leaves all of them or none."""
        gradebook.update_or_create_student(student)
        submission = gradebook.update_or_create_submission(module.folder, student)
        submission.timestamp = self.timestamp(module, student)
        notebook = gradebook.find_submission_notebook(module.name, module.folder, student)
        for grade in notebook.grades:
            if grade.name in points:
                grade.auto_score, grade.needs_manual_grade = points[grade.name], False
            elif grade.name in answers:
                grade.needs_manual_grade = grade.manual_score is None or answers[grade.name]
        gradebook.db.flush()
        notebook.late_submission_penalty = self.late_penalty(submission, notebook, student)
        gradebook.db.commit()

    def late_penalty(self, submission, notebook, student):
        """Return the penalty of a late submission by nbgrader's plugin, which the class's settings choose, or None."""
        from nbgrader.preprocessors import AssignLatePenalties

        if submission.assignment.duedate is None or submission.total_seconds_late <= 0:
            return None
        penalties = AssignLatePenalties(config=self.config)
        penalties.init_plugin()
        penalty = penalties.plugin_inst.late_submission_penalty(student, notebook.score, submission.total_seconds_late)
        return None if penalty is None else min(max(penalty, 0.0), notebook.score)

    def marked(self, module):
        """Return the students whose submissions have all their points in the gradebook."""
        from nbgrader.api import Assignment, BaseCell, Grade, SubmittedAssignment, SubmittedNotebook

        with self.opened() as gradebook:
            rows = (  # one query: through nbgrader's objects it would be one for each exercise of each student
                gradebook.db.query(SubmittedAssignment.student_id, Grade.auto_score)
                .select_from(Grade)
                .join(BaseCell, Grade.cell_id == BaseCell.id)
                .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
                .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
                .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
                .filter(Assignment.name == module.folder, BaseCell.name.startswith("check-"))
                .all()
            )
        return {student for student, _ in rows} - {student for student, points in rows if points is None}

    def scores(self, module):
        """Return a dict from student to the points of a submission: score, maximum, late penalty, whether grading is open."""
        with self.opened() as gradebook:
            return {
                entry.student.id: {
                    "score": max(0.0, entry.score - (entry.late_submission_penalty or 0.0)),
                    "raw": entry.score,
                    "maximum": entry.max_score,
                    "penalty": entry.late_submission_penalty or 0.0,
                    "late": entry.total_seconds_late if entry.assignment.duedate else 0.0,
                    "timestamp": entry.timestamp,
                    "open": entry.needs_manual_grade,
                }
                for entry in gradebook.assignment_submissions(module.folder)
            }

    def students(self):
        """Return the roster: a dict from student to a dict of names, mail address and the LMS's id."""
        with self.opened() as gradebook:
            fields = ("first_name", "last_name", "email", "lms_user_id")
            return {student.id: {name: getattr(student, name) for name in fields} for student in gradebook.students}

    def enroll(self, student, **about):
        """Add a student to the roster, or change what is known about one."""
        with self.opened() as gradebook:
            gradebook.update_or_create_student(student, **about)

    def due(self, module, when):
        """Set when an assignment is due: an aware `datetime`, or None."""
        from datetime import UTC

        with self.opened() as gradebook:
            gradebook.find_assignment(module.folder).duedate = when and when.astimezone(UTC).replace(tzinfo=None)
            gradebook.db.commit()

    def extend(self, module, student, **time):
        """Give a student more time, and compute the penalty again; the last extension counts.

        Args:
            module: The module.
            student: The student's id.
            time: weeks, days, hours, minutes; none takes an extension back.
        """
        with self.opened() as gradebook:
            gradebook.update_or_create_student(student)
            submission = gradebook.update_or_create_submission(module.folder, student)
            gradebook.grant_extension(module.folder, student, **time)
            for notebook in submission.notebooks:
                notebook.late_submission_penalty = self.late_penalty(submission, notebook, student)
            gradebook.db.commit()

    def override(self, module, student, name, points, comment=None):
        """Set the points of one exercise by hand; they stay until they are taken back with None.

        Raises:
            GradebookError: The student has no mark for the exercise.
        """
        from nbgrader.api import MissingEntry

        with self.opened() as gradebook:
            try:
                grade = gradebook.find_grade(name, module.name, module.folder, student)
            except MissingEntry:
                raise GradebookError(f"{student} has no mark in {module.folder}: grade the submission first") from None
            grade.manual_score, grade.needs_manual_grade = points, False
            if comment is not None:
                solution = name.replace("check-", "exercise-", 1)
                gradebook.find_comment(solution, module.name, module.folder, student).manual_comment = comment
            gradebook.db.commit()

    @contextlib.contextmanager
    def opened(self):
        """Open the gradebook for the length of a `with` block; inside another one it is the same."""
        if self.book is not None:
            yield self.book
            return
        with quiet():
            from nbgrader.api import Gradebook

            with Gradebook(self.directory.db_url, self.directory.course_id) as gradebook:
                self.book = gradebook
                try:
                    yield gradebook
                finally:
                    self.book = None


def dateutil_parsed(text):
    """Return the time in one of nbgrader's timestamps, in UTC without a zone, as the gradebook stores it."""
    from nbgrader.utils import parse_utc

    return parse_utc(text)


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
