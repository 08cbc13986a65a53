"""`tito grade override`: points that staff decide."""

from pathlib import Path

import typer


def override(
    exercise: str = typer.Argument(help="03.2"),
    student: str = typer.Argument(help="The student's id."),
    points: float = typer.Argument(None, help="The points; without them the judge's count again."),
    comment: str = typer.Option(None, help="A comment for the student, in nbgrader's feedback."),
    course: Path = typer.Option(Path("."), "--course", help="The class's folder."),
):
    """Set the points of one exercise by hand. They stay when the submission is marked again."""
    from tito import console, workspace
    from tito.commands.grade import of
    from tito.commands.grade.release import enter, known_assignment
    from tito.grading import assignment, gradebook

    target, number = workspace.Workspace(workspace.course_dir()).curriculum.target(exercise)
    if number is None:
        raise typer.BadParameter(f"{exercise!r} is not an exercise: write {target.number}.1")
    chosen, classroom = enter(target.number, course)
    known_assignment(classroom, chosen)
    try:
        classroom.override(chosen, student, assignment.grade_id(number), points, comment)
    except gradebook.GradebookError as error:
        console.say(str(error))
        console.next_step(f"tito grade autograde {chosen.number} --student {student}{of(course)}")
        raise typer.Exit(2) from None
    console.say(f"{student}: {number} " + ("counts as the judge marked it" if points is None else f"has {points:g} points"))
    console.next_step(f"tito grade export {chosen.number}{of(course)}")
