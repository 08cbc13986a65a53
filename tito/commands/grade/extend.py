"""`tito grade extend`: more time for one student."""

from pathlib import Path

import typer


def extend(
    module: str = typer.Argument(help="03, 3 or layers."),
    student: str = typer.Argument(help="The student's id."),
    days: float = typer.Option(0, help="Days after the due date."),
    hours: float = typer.Option(0, help="Hours after the due date."),
    course: Path = typer.Option(Path("."), "--course", help="The class's folder."),
):
    """Give a student more time.

    The last extension counts; 0 days and 0 hours take it back.
    """
    from tito import console
    from tito.commands.grade import of
    from tito.commands.grade.release import enter, known_assignment

    chosen, classroom = enter(module, course)
    known_assignment(classroom, chosen)
    classroom.extend(chosen, student, days=days, hours=hours)
    console.say(f"{student}: {days:g} days and {hours:g} hours more for {chosen.folder}")
    console.next_step(f"tito grade autograde {chosen.number}{of(course)}")
