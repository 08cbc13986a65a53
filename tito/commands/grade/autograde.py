"""`tito grade autograde`: mark submissions."""

from pathlib import Path

import typer

SAYS_YES = "--unsafe-no-sandbox"


def autograde(
    module: str = typer.Argument(help="03, 3 or layers."),
    course: Path = typer.Option(Path("."), "--course", help="The class's folder."),
    student: str = typer.Option(None, "--student", help="Mark only this student's submission."),
    timeout: float = typer.Option(10.0, help="Seconds that each exercise may take."),
    unsafe: bool = typer.Option(
        False, SAYS_YES, help="Run submissions with your own rights: they can read and change your files."
    ),
):
    """Mark submissions.

    Marks go into the gradebook, and each student gets feedback.
    """
    from tito import console
    from tito.commands.grade.release import enter

    chosen, classroom = enter(module, course)
    waiting = handed_in(classroom, chosen, student)
    options = {"timeout": timeout, **confinement(unsafe)}
    options["seeds"] = draw(chosen, options)
    console.say(f"{'student':24}{'exercises':>12}{'points':>12}")
    unmarked = [name for name, path in waiting.items() if not mark(classroom, chosen, name, path, options)]
    if unmarked:
        console.say(f"\nNot marked: {', '.join(unmarked)}. Their gradebook entries are unchanged.", style="red")
        console.next_step(f"read why above, then tito grade autograde {chosen.number} --student {unmarked[0]}")
        raise typer.Exit(1)
    console.next_step(
        f"read {classroom.path('feedback', chosen, 'NAME').relative_to(classroom.folder).as_posix()}/feedback.txt, "
        "then nbgrader export"
    )


def handed_in(classroom, module, student):
    """Return the submissions to mark, by student.

    Raises:
        typer.Exit: There is none, or the class has no release of the module in its current form.
    """
    from tito.grading import assignment

    submissions = classroom.submissions(module)
    place = classroom.path("submitted", module, student or "NAME")
    if classroom.points(module) != assignment.points(module):
        refuse(
            f"{classroom.folder} has no release of module {module} with the course's current exercises and points",
            f"tito grade release {module.number}",
        )
    if not submissions or student and student not in submissions:
        refuse(f"nothing was handed in: there is no {place}", f"put {module.name}.ipynb there, then run the command again")
    return {student: submissions[student]} if student else submissions


def confinement(unsafe):
    """Return the options that run submissions in the sandbox, or without it if `unsafe`.

    Raises:
        typer.Exit: There is no sandbox here, and `unsafe` is not set.
    """
    from tito import console
    from tito.grading import sandbox

    if unsafe:
        console.say("No sandbox: a submission can read and change whatever you can.", style="red")
        return {}
    problem = sandbox.problem()
    if problem:
        refuse(
            f"Submissions are marked in a sandbox, and there is none: {problem}",
            f"fix that; or, if you trust every submission, add {SAYS_YES}",
        )
    return sandbox.options()


def draw(module, options):
    """Return the seeds for this run.

    Raises:
        typer.Exit: The course's own solutions do not pass here.
    """
    from tito.checks import checking, runner
    from tito.grading import judge

    try:
        return judge.draw_seeds(module, **options)
    except (judge.CourseBroken, checking.CheckBroken, runner.RunnerError) as error:
        refuse(str(error), f"fix the course: tito dev check {module.number}", 1)


def mark(classroom, module, student, path, options):
    """Mark one submission: gradebook, feedback, a line of the table.

    Returns:
        Whether it was marked. An error in one submission does not keep the others from being marked.
    """
    from tito import console
    from tito.checks import layout
    from tito.grading import assignment, judge

    try:
        judgement = judge.judge(module, path, **options)
        write_feedback(classroom.path("feedback", module, student), judge.feedback(judgement, module))
        classroom.enter(module, student, {assignment.grade_id(each.exercise.id): each.points for each in judgement.marks})
    except Exception as error:
        console.say(f"{student:24}  not marked: {type(error).__name__}: {error}", style="red")
        return False
    exercises, points = f"{len(judgement.passed)} of {len(judgement.marks)}", f"{judgement.points} of {judgement.maximum}"
    reason = layout.clean(judgement.reason.splitlines()[0]) if judgement.reason else ""
    console.say(f"{student:24}{exercises:>12}{points:>12}   {reason}".rstrip())
    return True


def write_feedback(folder, text):
    from tito.files import write_atomically

    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "feedback.txt", text)


def refuse(reason, next_step, status=2):
    """Print what is missing and what to do, and exit with a status."""
    from tito import console

    console.say(reason)
    console.next_step(next_step)
    raise typer.Exit(status)
