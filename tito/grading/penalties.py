"""Late penalties, computed by nbgrader's plugin from the points, the due date and the time of hand-in.

Each of these may change after marking, so a penalty is computed again from all of them, and never adjusted.
"""

import math
import numbers

from tito.grading.gradebook import GradebookError, reason


def penalize(classroom, gradebook, submission):
    """Compute the penalty of a submission in the gradebook, by the plugin that the class's settings choose.

    Args:
        classroom: The `Classroom`.
        gradebook: Its gradebook, open for `changing`.
        submission: nbgrader's entry.

    Raises:
        GradebookError: The plugin returned no number.
    """
    gradebook.db.flush()  # the points of the submission are a sum that the database computes
    late = submission.total_seconds_late if submission.assignment.duedate else 0
    for notebook in submission.notebooks:
        points = notebook.score
        penalty = classroom.late_plugin.late_submission_penalty(submission.student_id, points, late) if late else None
        if penalty is not None and not (isinstance(penalty, numbers.Real) and math.isfinite(penalty)):
            raise GradebookError(f"the late penalty must be a number or None, and the class's plugin returned {penalty!r}")
        notebook.late_submission_penalty = None if penalty is None else min(max(float(penalty), 0.0), points)


def recompute(classroom, module, waiting=()):
    """Read again when each submission was handed in, and compute its penalty again.

    Args:
        classroom: The `Classroom`.
        module: The module.
        waiting: Students whose newest submission is not marked yet: its time does not belong to the mark.

    Returns:
        The students whose penalty changed, and a dict from student to the reason why it could not be computed.
    """
    changed, failed = [], {}
    with classroom.opened() as gradebook:
        for submission in gradebook.assignment_submissions(module.folder):
            student, before = submission.student_id, penalty_of(submission)
            try:
                with classroom.changing():
                    if student not in waiting and classroom.path("submitted", module, student).is_dir():
                        submission.timestamp = classroom.timestamp(module, student)
                    if before or submission.assignment.duedate and submission.total_seconds_late:
                        penalize(classroom, gradebook, submission)
            except Exception as error:  # the class's own plugin may raise anything
                failed[student] = reason(error)
                continue
            if penalty_of(submission) != before:
                changed.append(student)
    return changed, failed


def penalty_of(submission):
    """Return the penalty of a submission in the gradebook."""
    return sum(notebook.late_submission_penalty or 0.0 for notebook in submission.notebooks)
