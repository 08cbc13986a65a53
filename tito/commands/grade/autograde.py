"""`tito grade autograde`: marks for what was handed in."""

from pathlib import Path

import typer

SAYS_YES = "--unsafe-no-sandbox"


def autograde(
    module: str = typer.Argument(help="03, 3 or layers."),
    course: Path = typer.Option(Path("."), "--course", help="The class's folder."),
    student: str = typer.Option(None, "--student", help="Mark this student's submission alone."),
    timeout: float = typer.Option(10.0, help="Seconds that each exercise may take."),
    unsafe: bool = typer.Option(
        False, SAYS_YES, help="Run submissions with your own rights: they can read and change your files."
    ),
):
    """Mark what was handed in.

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
        console.say(f"\nNot marked: {', '.join(unmarked)}. The gradebook holds for them what it held before.", style="red")
        console.next_step(f"read why above, then tito grade autograde {chosen.number} --student {unmarked[0]}")
        raise typer.Exit(1)
    console.next_step(
        f"read {classroom.path('feedback', chosen, 'NAME').relative_to(classroom.folder).as_posix()}/feedback.txt, "
        "then nbgrader export"
    )


def handed_in(classroom, module, student):
    """Return the submissions to mark, by student.

    Raises:
        typer.Exit: There is none, or this class was not given the module as the course has it.
    """
    from tito.grading import assignment

    found = classroom.submissions(module)
    place = classroom.path("submitted", module, student or "NAME")
    if classroom.points(module) != assignment.points(module):
        refuse(
            f"{classroom.folder} holds no release of module {module} with the exercises and points that the course has now",
            f"tito grade release {module.number}",
        )
    if not found or student and student not in found:
        refuse(f"nothing was handed in: there is no {place}", f"put {module.name}.ipynb there, then run the command again")
    return {student: found[student]} if student else found


def confinement(unsafe):
    """Return the options that run submissions in the sandbox, or without one if that was asked for.

    Raises:
        typer.Exit: There is no sandbox here, and nobody said to go without.
    """
    from tito import console
    from tito.grading import sandbox

    if unsafe:
        console.say("Without a sandbox: a submission can read and change whatever you can.", style="red")
        return {}
    problem = sandbox.problem()
    if problem:
        refuse(
            f"Submissions are marked in a sandbox, and there is none: {problem}",
            f"mend that; or, if you trust every submission, add {SAYS_YES}",
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
        refuse(str(error), f"mend the course, which tito dev check {module.number} examines", 1)


def mark(classroom, module, student, path, options):
    """Mark one submission: gradebook, feedback, a line of the table.

    Returns:
        Whether it was marked. Whatever goes wrong with one submission, the others are still to be marked.
    """
    from tito import console
    from tito.checks import layout
    from tito.grading import assignment, judge

    try:
        found = judge.judge(module, path, **options)
        write_feedback(classroom.path("feedback", module, student), judge.feedback(found, module))
        classroom.enter(module, student, {assignment.grade_id(one.exercise.id): one.points for one in found.marks})
    except Exception as error:
        console.say(f"{student:24}  not marked: {type(error).__name__}: {error}", style="red")
        return False
    exercises, points = f"{len(found.passed)} of {len(found.marks)}", f"{found.points} of {found.maximum}"
    reason = layout.clean(found.reason.splitlines()[0]) if found.reason else ""
    console.say(f"{student:24}{exercises:>12}{points:>12}   {reason}".rstrip())
    return True


def write_feedback(folder, text):
    from tito.files import write_atomically

    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "feedback.txt", text)


def refuse(reason, next_step, status=2):
    """Say what is missing and what to do, and end with a status."""
    from tito import console

    console.say(reason)
    console.next_step(next_step)
    raise typer.Exit(status)
