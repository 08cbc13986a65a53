"""`tito grade extend`: more time for one student."""

from pathlib import Path

import typer


def extend(
    module: str = typer.Argument(help="03, 3 or layers."),
    student: str = typer.Argument(help="The student's id."),
    days: float = typer.Option(0, min=0, max=3650, help="Days after the due date, at the same time of the day."),
    hours: float = typer.Option(0, min=0, max=87600, help="Hours after the due date."),
    course: Path = typer.Option(Path("."), "--course", help="The class's folder."),
):
    """Give a student more time.

    The last extension counts; 0 days and 0 hours take it back.
    """
    from tito import console
    from tito.commands.grade import of, refresh_penalties
    from tito.commands.grade.autograde import refuse
    from tito.commands.grade.release import enter, known_assignment, known_student, shown

    chosen, classroom = enter(module, course)
    known_assignment(classroom, chosen, of(course))
    known_student(classroom, chosen, student, of(course))
    with classroom.opened():
        if classroom.deadline(chosen) is None:
            refuse(
                f"{chosen.folder} has no due date, so there is nothing to extend",
                f"tito grade release {chosen.number} --due 2026-10-01T23:59+02:00{of(course)}",
            )
        classroom.extend(chosen, student, days, hours)
        console.say(f"{student}: {chosen.folder} is {shown(classroom.deadline(chosen, student))}")
        refresh_penalties(classroom, chosen)
    console.next_step(f"tito grade export {chosen.number}{of(course)}")
