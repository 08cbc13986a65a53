"""`tito grade export`: the marks as a table that an LMS imports."""

import csv
import io
from pathlib import Path

import typer

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # a spreadsheet would run what begins with one of these
COLUMNS = {
    "canvas": ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"],
    "moodle": ["ID number", "Email address"],
    "plain": ["student", "last_name", "first_name", "email"],
}


def export(
    module: str = typer.Argument(help="03, 3 or layers."),
    course: Path = typer.Option(Path("."), "--course", help="The class's folder."),
    format: str = typer.Option("plain", help="plain, canvas or moodle."),
    to: Path = typer.Option(None, help="The file; by default grades_NN_FORMAT.csv in the class's folder."),
):
    """Write the marks as a CSV file, late penalties taken off."""
    from tito import console
    from tito.commands.grade import of, refresh_penalties, say_untimed
    from tito.commands.grade.release import enter, known_assignment
    from tito.files import check_output, replace_atomically

    if format not in COLUMNS:
        raise typer.BadParameter(f"{format!r} is not plain, canvas or moodle")
    check_output(to, ".csv", "--to")
    chosen, classroom = enter(module, course)
    known_assignment(classroom, chosen, of(course))
    with classroom.opened():
        current = refresh_penalties(classroom, chosen)
        scores, students = classroom.scores(chosen), classroom.students()
        maximum = sum(classroom.points(chosen).values())
    path = to or classroom.folder / f"grades_{chosen.number}_{format}.csv"
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(table(format, chosen, scores, students, maximum))
    replace_atomically(path, text.getvalue().encode("utf-8"))
    console.say(f"{path}: {len(scores)} of {len(students)} students")
    for line in remarks(classroom, chosen, scores, of(course)):
        console.say(line)
    say_untimed(classroom, chosen)
    console.next_step(f"tito grade report {chosen.number}{of(course)}")
    raise typer.Exit(0 if current else 1)


def remarks(classroom, module, scores, where):
    """Yield what the instructor should know about the marks; `where` ends a command."""
    from tito.commands.grade import named
    from tito.grading import verdicts

    waiting = verdicts.waiting(classroom, module)
    by_hand = sorted(student for student, score in scores.items() if score["open"])
    late = sorted(student for student, score in scores.items() if score["late"])
    roster = classroom.roster()
    strangers = sorted(classroom.students().keys() - roster.keys()) if roster else []
    if waiting:
        yield f"{len(waiting)} collected, not marked yet: {named(waiting)}: tito grade autograde {module.number}{where}"
    if by_hand:
        yield f"{len(by_hand)} still have answers to be graded by hand, in nbgrader formgrader: {named(by_hand)}"
    if late:
        yield f"{len(late)} late: {named(late)}"
    if strangers:
        yield f"{len(strangers)} not in the roster, in rows of their own: {named(strangers)}"


def table(format, module, scores, students, maximum):
    """Return the rows of the table, its head first."""
    name = f"{module.number} {module.title}"
    if format == "canvas":
        rows = [[*COLUMNS["canvas"], name], ["Points Possible", "", "", "", "", f"{maximum:g}"]]
    elif format == "moodle":
        rows = [[*COLUMNS["moodle"], name]]
    else:
        rows = [[*COLUMNS["plain"], "score", "max_score", "late_penalty", "seconds_late", "needs_manual_grade"]]
    for student, about in sorted(students.items()):
        score = scores.get(student)
        points = f"{score['score']:g}" if score else ""
        first, last = about["first_name"] or "", about["last_name"] or ""
        if format == "canvas":
            row = [f"{last}, {first}".strip(", ") or student, about["lms_user_id"] or "", student, student, "", points]
        elif format == "moodle":
            row = [student, about["email"] or "", points]
        else:
            late = f"{score['late']:g}" if score and score["late"] is not None else ""
            rest = [f"{score['penalty']:g}", late, str(score["open"])] if score else ["", "", ""]
            row = [student, last, first, about["email"] or "", points, f"{maximum:g}", *rest]
        rows.append([harmless(cell) for cell in row])
    return rows


def harmless(cell):
    """Return a cell that a spreadsheet shows and does not run."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
