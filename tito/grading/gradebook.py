"""The folders and the gradebook of a class, in nbgrader's format. nbgrader is imported when a class is opened."""

import contextlib
import copy
import functools
import json
import logging
import os
import sysconfig
import time
import traceback
import warnings
from datetime import UTC, timedelta
from importlib.util import find_spec
from pathlib import Path

from tito.files import replace_atomically
from tito.grading import intake, times

CONFIG = """\
# The class's settings for nbgrader; made by tito, yours to edit.
# Use `tito grade autograde` for marks: nbgrader's own autograde gives full marks to a test that a submission has disabled.
c = get_config()
c.CourseDirectory.course_id = "tinytorch"
c.ClearSolutions.enabled = False  # source/ already holds the learner's notebook; keep its stubs
"""
RELEASES = "releases.json"
PATIENCE = 60  # seconds to wait while another program, such as formgrader, writes into an SQLite gradebook


class GradebookError(Exception):
    """Something is missing from the class's folder; the message says what to do."""


class BrokenConfig(GradebookError):
    """A class's nbgrader_config.py does not run."""


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
        BrokenConfig: Its nbgrader_config.py does not run.
    """

    def __init__(self, folder, create=True):
        if find_spec("nbgrader") is None:
            raise GradebookError('grading a class needs nbgrader: pip install "tinytorch-course[grade]"')
        self.folder, self.open_gradebook = Path(folder).absolute(), None
        if not create and not (self.folder / "nbgrader_config.py").exists():
            raise NoClass(f"{self.folder} is no class: it has no nbgrader_config.py")
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "nbgrader_config.py").exists():
            (self.folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
        with calling_nbgrader():
            from nbgrader.coursedir import CourseDirectory

            self.config = configuration(self.folder)
            self.config.CourseDirectory.root = str(self.folder)
            self.config.ClearSolutions.enabled = False
            self.directory = CourseDirectory(config=self.config)

    def path(self, step, module, student="."):
        """Return the folder of an assignment at a step: source, release, submitted, autograded or feedback."""
        named = getattr(self.directory, f"{step}_directory")
        return Path(self.directory.format_path(named, student, module.folder))

    def submissions(self, module):
        """Return the folder of each student's submission: a dict from student to path, in order. Links are not followed."""
        everybody = self.path("submitted", module, "*").parent.parent
        handed_in = {student: everybody / student / module.folder for student in intake.folders(everybody)}
        return {student: path for student, path in handed_in.items() if module.folder in intake.folders(everybody / student)}

    def timestamp(self, module, student):
        """Return when a submission was handed in, in UTC, or None if that is not known; see `untimed`."""
        try:
            return times.of(self.path("submitted", module, student))
        except times.NoTime:
            return None

    def untimed(self, module):
        """Return whose submissions count as in time because it is not known when they were handed in.

        Returns:
            Dict from the reason to a list of students; empty if the assignment has no due date, and so none is late.
        """
        reasons = {}
        if self.deadline(module) is None:
            return reasons
        for student, folder in self.submissions(module).items():
            try:
                times.of(folder)
            except times.NoTime as error:
                reasons.setdefault(str(error), []).append(student)
        return reasons

    def generate(self, module, root):
        """Let nbgrader make the release of an assignment from its source, and enter its cells into the gradebook.

        Args:
            module: The module.
            root: A folder with `source`, into which `release` is written.

        Raises:
            GradebookError: nbgrader refused; the message quotes it.
        """
        from nbgrader.coursedir import CourseDirectory

        config = copy.deepcopy(self.config)
        config.CourseDirectory = type(config)(
            {
                **config.CourseDirectory,
                "root": str(root),
                "db_url": self.directory.db_url,
                "source_directory": "source",
                "release_directory": "release",
                "directory_structure": os.path.join("{nbgrader_step}", "{student_id}", "{assignment_id}"),
            }
        )
        self.ask("generate_assignment", "make the release", config, CourseDirectory(config=config), module.folder)

    def generate_feedback(self, module, student=None):
        """Let nbgrader write its feedback pages from the gradebook and the marked notebooks, of one student or of all.

        Raises:
            GradebookError: nbgrader refused; the message quotes it.
        """
        self.ask("generate_feedback", "write the feedback", self.config, self.directory, module.folder, student)

    def ask(self, method, task, config, directory, *arguments):
        """Call a method of nbgrader's API.

        Raises:
            GradebookError: It failed; the message says at which task, and quotes nbgrader.
        """
        with calling_nbgrader():
            from nbgrader.apps import NbGraderAPI

            answer = getattr(NbGraderAPI(config=config, coursedir=directory), method)(*arguments)
        if not answer["success"]:
            raise GradebookError(f"nbgrader did not {task}:\n{answer.get('log') or answer.get('error')}")

    def note_release(self, module):
        """Record when an assignment was released for the first time."""
        recorded = self.releases()
        if module.folder not in recorded:
            released = self.path("release", module) / f"{module.name}.ipynb"  # of a class from before the times were kept
            when = released.stat().st_mtime if released.exists() else time.time()
            text = json.dumps({**recorded, module.folder: when}, indent=1) + "\n"
            replace_atomically(self.folder / RELEASES, text.encode())

    def releases(self):
        """Return when each assignment was first released: a dict from its folder to seconds since 1970."""
        try:
            recorded = json.loads((self.folder / RELEASES).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return recorded if isinstance(recorded, dict) else {}

    def has_submissions(self, module):
        """Return whether the gradebook has submissions of an assignment."""
        from nbgrader.api import Assignment, SubmittedAssignment

        with self.opened() as gradebook:
            rows = gradebook.db.query(SubmittedAssignment.id).join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
            return rows.filter(Assignment.name == module.folder).first() is not None

    def points(self, module):
        """Return the points of an assignment's cells in the gradebook: a dict by grade id, empty if there is none."""
        from nbgrader.api import MissingEntry

        with self.opened() as gradebook:
            try:
                notebook = gradebook.find_notebook(module.name, module.folder)
            except MissingEntry:
                return {}
            return {cell.name: cell.max_score for cell in notebook.grade_cells}

    def enter_into(self, gradebook, module, student, points, answers):
        """Enter a submission's points into the gradebook, replacing earlier ones; what staff entered by hand stays.

        The late penalty depends on them: compute it next, with `penalties.penalize`.

        Args:
            gradebook: The gradebook, open for `changing`.
            module: The module.
            student: The student's id.
            points: Dict from grade id to points.
            answers: Dict from the name of each answer graded by hand to whether the student has changed it.
        """
        gradebook.update_or_create_student(student)
        submission = gradebook.update_or_create_submission(module.folder, student)
        submission.timestamp = self.timestamp(module, student)
        notebook = gradebook.find_submission_notebook(module.name, module.folder, student)
        for grade in notebook.grades:
            if grade.name in points:
                grade.auto_score, grade.needs_manual_grade = points[grade.name], False
            elif grade.name in answers:
                grade.needs_manual_grade = grade.manual_score is None or answers[grade.name]

    @functools.cached_property
    def late_plugin(self):
        """nbgrader's plugin for late penalties."""
        from nbgrader.preprocessors import AssignLatePenalties

        penalties = AssignLatePenalties(config=self.config)
        penalties.init_plugin()
        return penalties.plugin_inst

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
        """Return the marks of an assignment: a dict from student to what `summary` returns.

        A student who has no mark yet is not in it, also if an extension has put one into the gradebook.
        """
        with self.opened() as gradebook:
            marked = with_a_mark(gradebook)
            entries = gradebook.assignment_submissions(module.folder)
            return {entry.student_id: summary(entry) for entry in entries if entry.id in marked}

    def grades(self, module, student):
        """Return what the gradebook has for a student's submission, or None if it has no mark.

        Returns:
            The dict of `summary`, with "cells": a dict from the name of each graded cell to a dict of "score", "maximum", whether
            it is "open" or set by "hand", and the "comment".
        """
        from nbgrader.api import MissingEntry

        with self.opened() as gradebook:
            gradebook.db.flush()
            gradebook.db.expire_all()  # the sums in it are of the time when they were read
            try:
                entry = gradebook.find_submission(module.folder, student)
            except MissingEntry:
                return None
            notebook = gradebook.find_submission_notebook(module.name, module.folder, student)
            if all(grade.auto_score is None and grade.manual_score is None for grade in notebook.grades):
                return None
            comments = {each.name: each.comment for each in notebook.comments}
            cells = {
                grade.name: {
                    "score": grade.score,
                    "maximum": grade.max_score,
                    "open": grade.needs_manual_grade,
                    "hand": grade.manual_score is not None,
                    "comment": comments.get(solution(grade.name)),
                }
                for grade in notebook.grades
            }
            return {**summary(entry), "cells": cells}

    def students(self):
        """Return everybody in the gradebook: a dict from student to a dict of names, mail address and the LMS's id."""
        with self.opened() as gradebook:
            fields = ("first_name", "last_name", "email", "lms_user_id")
            return {student.id: {name: getattr(student, name) for name in fields} for student in gradebook.students}

    def roster(self):
        """Return those of the students who were enrolled; the gradebook knows others from their submissions alone."""
        return {student: about for student, about in self.students().items() if any(text is not None for text in about.values())}

    def enroll(self, student, **about):
        """Add a student to the roster, or change what is known about one. A first name that is not known becomes "", not None."""
        with self.changing() as gradebook:
            entry = gradebook.update_or_create_student(student, **about)
            entry.first_name = entry.first_name or ""

    def due(self, module, when):
        """Set when an assignment is due: an aware `datetime`, or None."""
        with self.changing() as gradebook:
            gradebook.find_assignment(module.folder).duedate = when and when.astimezone(UTC).replace(tzinfo=None)

    def deadline(self, module, student=None):
        """Return when an assignment is due, for a student with an extension, as local time with its zone, or None."""
        from nbgrader.api import MissingEntry

        with self.opened() as gradebook:
            try:
                entry = gradebook.find_assignment(module.folder)
            except MissingEntry:  # it was not released yet
                return None
            if entry.duedate and student is not None:
                with contextlib.suppress(MissingEntry):
                    entry = gradebook.find_submission(module.folder, student)
            return entry.duedate and entry.duedate.replace(tzinfo=UTC).astimezone()

    def extend(self, module, student, days=0.0, hours=0.0):
        """Give a student more time; the last extension counts.

        Args:
            module: The module, which has a due date.
            student: The student's id.
            days: Days of the calendar: the time of day stays, also when the clocks change in between.
            hours: Hours.
        """
        due = self.deadline(module)
        until = (due.replace(tzinfo=None) + timedelta(days=days)).astimezone(UTC) + timedelta(hours=hours)
        with self.changing() as gradebook:
            gradebook.update_or_create_student(student)
            gradebook.update_or_create_submission(module.folder, student).extension = (until - due) or None

    def override(self, module, student, name, points):
        """Set the points of one exercise by hand, or take them back with None.

        Raises:
            GradebookError: The points are not between 0 and those that the exercise is worth.
        """
        with self.changing() as gradebook:
            grade = gradebook.find_grade(name, module.name, module.folder, student)
            if points is not None and not 0 <= points <= grade.max_score:
                raise GradebookError(
                    f"{points:g} points: the exercise is worth {grade.max_score:g}, so give 0 to {grade.max_score:g}"
                )
            grade.manual_score, grade.needs_manual_grade = points, False

    def comment(self, module, student, name, text):
        """Set the comment on one exercise, which nbgrader's feedback shows."""
        with self.changing() as gradebook:
            gradebook.find_comment(solution(name), module.name, module.folder, student).manual_comment = text

    @contextlib.contextmanager
    def changing(self):
        """Open the gradebook for changes that are committed together at the end of a `with` block.

        An error or a kill leaves the gradebook as it was. nbgrader's methods commit one by one; inside the block they flush.
        """
        with self.opened() as gradebook:
            session = gradebook.db
            if "commit" in vars(session):  # inside another block, which commits
                yield gradebook
                return
            session.commit = session.flush
            try:
                with unlogged():
                    yield gradebook
                    del session.commit
                    session.commit()
            except BaseException:
                vars(session).pop("commit", None)
                session.rollback()
                raise

    @contextlib.contextmanager
    def opened(self):
        """Open the gradebook for the length of a `with` block; inside another one it is the same."""
        if self.open_gradebook is not None:
            yield self.open_gradebook
            return
        with calling_nbgrader():
            from nbgrader.api import Gradebook

            with Gradebook(patient(self.directory.db_url), self.directory.course_id) as gradebook:
                self.open_gradebook = gradebook
                try:
                    yield gradebook
                finally:
                    self.open_gradebook = None


def configuration(folder):
    """Return a class's settings for nbgrader.

    Raises:
        BrokenConfig: Its nbgrader_config.py does not run.
    """
    from traitlets.config.loader import PyFileConfigLoader

    path = folder / "nbgrader_config.py"
    try:
        return PyFileConfigLoader(path.name, path=str(folder)).load_config()
    except Exception as error:  # it is Python, and may raise anything
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        raise BrokenConfig(
            f"{path}{f', line {line}' if line else ''}: {type(error).__name__}: {getattr(error, 'msg', error)}"
        ) from None


def patient(url):
    """Return the URL of a gradebook such that SQLite waits while another program writes."""
    from sqlalchemy.engine import make_url

    parts = make_url(url)
    sqlite = parts.get_backend_name() == "sqlite" and "timeout" not in parts.query
    return parts.update_query_dict({"timeout": str(PATIENCE)}) if sqlite else parts


def reason(error):
    """Return an error as one line."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__


def solution(name):
    """Return the name of the cell that a graded cell's comment belongs to: that of the exercise, or the answer itself."""
    return name.replace("check-", "exercise-", 1)


def summary(entry):
    """Return the points of a submission in the gradebook.

    Returns:
        Dict with "score" (the penalty taken off), "raw" (before that), "maximum", "penalty", "late" (seconds; None if it is not
        known when it was handed in), "timestamp" (in UTC), and "open" (whether something is still to be graded by hand).
    """
    timeless = entry.assignment.duedate and entry.timestamp is None
    return {
        "score": max(0.0, entry.score - (entry.late_submission_penalty or 0.0)),
        "raw": entry.score,
        "maximum": entry.max_score,
        "penalty": entry.late_submission_penalty or 0.0,
        "late": None if timeless else entry.total_seconds_late if entry.assignment.duedate else 0.0,
        "timestamp": entry.timestamp,
        "open": entry.needs_manual_grade,
    }


def with_a_mark(gradebook):
    """Return the gradebook's ids of the submissions in which something was marked."""
    from nbgrader.api import Grade, SubmittedNotebook

    rows = gradebook.db.query(SubmittedNotebook.assignment_id).join(Grade, Grade.notebook_id == SubmittedNotebook.id)
    return {name for (name,) in rows.filter(Grade.auto_score.isnot(None) | Grade.manual_score.isnot(None)).distinct()}


@contextlib.contextmanager
def calling_nbgrader():
    """Prepare calls of nbgrader in a `with` block: `alembic`, which it runs by name, is found, and SQLAlchemy does not warn."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), before])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.environ["PATH"] = before


@contextlib.contextmanager
def unlogged():
    """Keep nbgrader's log of a failed change off the screen: the error itself says it in one line."""
    log = logging.getLogger("tornado.application")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before
