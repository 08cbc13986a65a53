"""`tito grade release`: a module as an assignment of nbgrader."""

from pathlib import Path

import typer


def release(
    module: str = typer.Argument(help="03, 3 or layers."),
    course: Path = typer.Option(Path("."), "--course", help="The class's folder, created if missing."),
    due: str = typer.Option(None, "--due", help="When it is due, such as 2026-10-01T23:59+02:00 or 2026-10-01 (end of the day)."),
    question_points: int = typer.Option(
        0, min=0, help="Points of each question, which you grade by hand in nbgrader formgrader."
    ),
):
    """Write a module's assignment.

    It goes into nbgrader's folders, and its points into the gradebook.
    """
    from tito import console
    from tito.commands.grade import of
    from tito.grading import assignment

    when = deadline(due)
    chosen, classroom = enter(module, course, create=True)
    path = classroom.path("source", chosen) / f"{chosen.name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    assignment.write(chosen, path, question_points)
    generate(classroom, chosen)
    leaks = assignment.leaks(classroom.path("release", chosen), chosen)
    if leaks:
        console.say("The release shows an answer:\n" + "\n".join(leaks[:5]), style="red")
        console.next_step(f"fix the course: tito dev check {chosen.number}")
        raise typer.Exit(1)
    if when:
        classroom.due(chosen, when)
    points = classroom.points(chosen)
    console.say(
        f"{path.relative_to(classroom.folder).as_posix()} and its release: {len(points)} graded cells, "
        f"{sum(points.values()):g} points"
    )
    console.say(f"Students receive {classroom.path('release', chosen) / path.name}")
    console.next_step(f"when they have handed in, tito grade collect {chosen.number} EXPORT.zip{of(course)}")


def deadline(text):
    """Return the time in an option, with a zone (this machine's, if it names none), or None.

    Raises:
        typer.BadParameter: It is no time.
    """
    from datetime import datetime, time

    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time: write 2026-10-01T23:59+02:00, or 2026-10-01") from None
    if len(text) <= 10:
        when = datetime.combine(when, time(23, 59, 59))
    return when.astimezone()


def enter(module, folder, create=False):
    """Return the module with this name, and the class in a folder.

    Args:
        module: The module's number or name.
        folder: The class's folder.
        create: Whether to make a class of a folder that is none yet.

    Raises:
        typer.Exit: nbgrader is not installed, or the folder is no class.
        WorkspaceError: The course does not have the module yet.
    """
    from tito import workspace

    chosen = workspace.Workspace(workspace.course_dir()).curriculum.module(module)
    workspace.check_released(chosen)
    return chosen, enter_class(folder, create)


def known_assignment(classroom, module):
    """Refuse to go on without a release of the module.

    Raises:
        typer.Exit: There is none.
    """
    from tito import console

    if not classroom.points(module):
        console.say(f"{classroom.folder} has no release of module {module}")
        console.next_step(f"tito grade release {module.number}")
        raise typer.Exit(2)


def enter_class(folder, create):
    """Return the class in a folder; see `enter`."""
    from tito import console
    from tito.grading import gradebook

    try:
        return gradebook.Classroom(folder, create)
    except gradebook.NoClass as error:
        console.say(str(error))
        console.next_step("give the class's folder with --course, or make one: tito grade release 01 --course FOLDER")
        raise typer.Exit(2) from None
    except gradebook.GradebookError as error:
        console.say(str(error))
        console.next_step('pip install "tinytorch-course[grade]"')
        raise typer.Exit(2) from None


def generate(classroom, module):
    """Let nbgrader make the release, and show its full message if it fails."""
    from tito import console
    from tito.grading import gradebook

    try:
        classroom.generate(module)
    except gradebook.GradebookError as error:
        console.say(str(error))
        console.next_step(f"fix what nbgrader names in {classroom.folder}, then tito grade release {module.number}")
        raise typer.Exit(1) from None
