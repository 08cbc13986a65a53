"""`tito grade feedback`: what each student gets back."""

from pathlib import Path

import typer


def feedback(
    module: str = typer.Argument(help="03, 3 or layers."),
    course: Path = typer.Option(Path("."), "--course", help="The class's folder."),
):
    """Write the feedback of a class.

    nbgrader's page has the points and the comments; the judge's text is beside it.
    """
    from tito import console
    from tito.commands.grade import named, of, refresh_penalties
    from tito.commands.grade.autograde import refuse
    from tito.commands.grade.release import enter, known_assignment
    from tito.grading import feedback as texts, gradebook, verdicts

    chosen, classroom = enter(module, course)
    known_assignment(classroom, chosen, of(course))
    students = verdicts.students(classroom, chosen)
    if not students:
        refuse("no submission was marked yet", f"tito grade autograde {chosen.number}{of(course)}")
    with classroom.opened():
        current = refresh_penalties(classroom, chosen)
    before, failed = pages(classroom, chosen, students), False
    try:
        classroom.generate_feedback(chosen)
    except gradebook.GradebookError as error:
        console.say(str(error), style="red")
        failed = True
    with classroom.opened():
        for student in students:
            texts.write(classroom, chosen, student)
    after = pages(classroom, chosen, students)
    missing = [student for student in students if after[student] in (None, before[student])]
    place = classroom.path("feedback", chosen, "NAME").relative_to(classroom.folder).as_posix()
    console.say(f"{len(students) - len(missing)} of {len(students)} students: {place}/{chosen.name}.html and feedback.txt")
    if missing:
        refuse(
            f"no new page for {named(missing)}, only feedback.txt: the marked notebook, in autograded/, is missing or damaged",
            f"tito grade autograde {chosen.number} --student {missing[0]} --force{of(course)}",
            1,
        )
    console.next_step(f"tito grade export {chosen.number}{of(course)}")
    raise typer.Exit(0 if current and not failed else 1)


def pages(classroom, module, students):
    """Return when nbgrader's page of each student was written, None where there is none."""
    files = {student: classroom.path("feedback", module, student) / f"{module.name}.html" for student in students}
    return {student: file.stat().st_mtime_ns if file.exists() else None for student, file in files.items()}
