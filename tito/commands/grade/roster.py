"""`tito grade roster`: who is in the class."""

from pathlib import Path

import typer


def roster(
    table: Path = typer.Argument(None, help="A CSV with student_id, first_name, last_name, email, lms_user_id, or an LMS's."),
    course: Path = typer.Option(Path("."), "--course", help="The class's folder, created if missing."),
):
    """Read the roster, or show it.

    What a table does not have, such as the names, stays as it is.
    """
    from tito import console
    from tito.commands.grade import of
    from tito.commands.grade.release import enter_class
    from tito.grading import roster as rosters, rosterfile

    read = None
    if table is not None:
        try:
            read = rosterfile.read_roster(table)
        except ValueError as error:
            console.say(str(error))
            console.next_step(f"correct the table, then tito grade roster {console.typed(table)}{of(course)}")
            raise typer.Exit(2) from None
    classroom = enter_class(course, create=table is not None)
    if read:
        with classroom.changing():
            for student, about in read.students.items():
                said = {name: value for name, value in about.items() if value is not None}  # a table may have fewer columns
                classroom.enroll(student, **said)
        console.say(f"{table.name}: {len(read.students)} students; {used(read.columns)}")
    students, enrolled = classroom.students(), classroom.roster()
    for student, about in students.items():
        name = f"{about['first_name'] or ''} {about['last_name'] or ''}" if student in enrolled else "(not in the roster)"
        console.say(f"  {student:24} {name}".rstrip())
    for text in (read.odd if read else []) + rosters.doubles(students):
        console.say(text, style="yellow")
    console.next_step(f"tito grade release 01{of(course)}")


def used(columns):
    """Return from which columns of a table the roster was taken."""
    from tito.grading import rosterfile

    parts = {
        "ids": columns["student_id"][:1],
        "names": rosterfile.names_in(columns),
        "mail addresses": columns["email"][:1],
        "LMS ids": columns["lms_user_id"],
    }
    return ", ".join(f"{what} from {' and '.join(heads)}" for what, heads in parts.items() if heads)
