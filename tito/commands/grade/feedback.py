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
    from tito.commands.grade import of
    from tito.commands.grade.autograde import write_feedback
    from tito.commands.grade.release import enter, known_assignment
    from tito.grading import gradebook, verdicts

    chosen, classroom = enter(module, course)
    known_assignment(classroom, chosen)
    students = verdicts.students(classroom, chosen)
    if not students:
        console.say("no submission was marked yet")
        console.next_step(f"tito grade autograde {chosen.number}{of(course)}")
        raise typer.Exit(2)
    try:
        classroom.generate_feedback(chosen)
    except gradebook.GradebookError as error:
        console.say(str(error), style="red")
    for student in students:
        found = verdicts.load(classroom, chosen, student)
        if found:
            write_feedback(classroom.path("feedback", chosen, student), found["feedback"])
    place = classroom.path("feedback", chosen, "NAME").relative_to(classroom.folder).as_posix()
    console.say(f"{len(students)} students: {place}/{chosen.name}.html and feedback.txt")
    console.next_step(f"tito grade export {chosen.number}{of(course)}")
