"""`tito grade override`: points that staff decide."""

from pathlib import Path

import typer


def override(
    exercise: str = typer.Argument(help="03.2"),
    student: str = typer.Argument(help="The student's id."),
    points: float = typer.Argument(None, help="The points, from 0 to those that the exercise is worth."),
    comment: str = typer.Option(None, help="A comment for the student; without points, the points stay as they are."),
    remove: bool = typer.Option(False, "--remove", help="Remove the override: the judge's points count again."),
    course: Path = typer.Option(Path("."), "--course", help="The class's folder."),
):
    """Set the points of one exercise by hand, or comment on it.

    The points stay when the submission is marked again. The student's feedback is written again.
    """
    from tito import console, workspace
    from tito.commands.grade import of, refresh_penalties
    from tito.commands.grade.autograde import refuse
    from tito.commands.grade.release import enter, known_assignment, known_exercise, known_student
    from tito.grading import assignment, gradebook

    target, number = workspace.Workspace(workspace.course_dir()).curriculum.target(exercise)
    if number is None:
        raise typer.BadParameter(f"{exercise!r} is not an exercise: write {target.number}.1")
    if points is None and comment is None and not remove:
        raise typer.BadParameter("give the points, or --comment TEXT, or --remove to let the judge's points count again")
    if points is not None and remove:
        raise typer.BadParameter("give either points or --remove")
    chosen, classroom = enter(target.number, course)
    known_assignment(classroom, chosen, of(course))
    known_exercise(chosen, number)
    known_student(classroom, chosen, student, of(course))
    name = assignment.grade_id(number)
    with classroom.opened():
        if classroom.grades(chosen, student) is None:
            refuse(
                f"{student} has no mark in {chosen.folder}",
                f"tito grade autograde {chosen.number} --student {student}{of(course)}",
            )
        try:
            if points is not None or remove:
                classroom.override(chosen, student, name, points)
        except gradebook.GradebookError as error:
            refuse(str(error), f"tito grade override {number} {student} POINTS{of(course)}")
        if comment is not None:
            classroom.comment(chosen, student, name, comment)
        refresh_penalties(classroom, chosen)
        write_pages(classroom, chosen, student)
        cell = classroom.grades(chosen, student)["cells"][name]
    by = "set by hand" if cell["hand"] else "by the judge"
    console.say(f"{student}: {number} has {cell['score']:g} of {cell['maximum']:g} points, {by}")
    console.next_step(f"tito grade export {chosen.number}{of(course)}")


def write_pages(classroom, module, student):
    """Write a student's feedback again; nbgrader's page only if there is one already."""
    from tito import console
    from tito.grading import feedback, gradebook

    page = classroom.path("feedback", module, student) / f"{module.name}.html"
    try:
        if page.exists():
            classroom.generate_feedback(module, student)
    except gradebook.GradebookError as error:
        console.say(str(error), style="red")
    feedback.write(classroom, module, student)
