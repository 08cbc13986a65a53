"""`tito grade release`: a module as an assignment of nbgrader."""

from pathlib import Path

import typer


def release(
    module: str = typer.Argument(help="03, 3 or layers."),
    course: Path = typer.Option(Path("."), "--course", help="The class's folder, created if missing."),
    due: str = typer.Option(None, "--due", help="When it is due, such as 2026-10-01T23:59+02:00 or 2026-10-01 (end of the day)."),
    question_points: int = typer.Option(
        None, min=0, help="Points of each question, which you grade by hand in nbgrader formgrader; kept by later releases."
    ),
):
    """Write a module's assignment.

    It goes into nbgrader's folders, and its points into the gradebook. A later release can move the due date.
    """
    from tito import console
    from tito.commands.grade import of, refresh_penalties, say_untimed
    from tito.commands.grade.autograde import refuse

    when = deadline(due)
    chosen, classroom = enter(module, course, create=True)
    if question_points is None:
        question_points = points_of_questions(classroom.points(chosen))
    problem = changed_under_marks(classroom, chosen, question_points)
    if problem:
        refuse(*problem)
    make(classroom, chosen, question_points, of(course))
    if when:
        classroom.due(chosen, when)
    refresh_penalties(classroom, chosen)
    points = classroom.points(chosen)
    path = classroom.path("release", chosen) / f"{chosen.name}.ipynb"
    until = shown(classroom.deadline(chosen))
    console.say(f"{chosen.folder}: {len(points)} graded cells, {sum(points.values()):g} points, {until}")
    console.say(f"Students receive {path}")
    say_untimed(classroom, chosen)
    console.next_step(f"when they have handed in, tito grade collect {chosen.number} EXPORT.zip{of(course)}")


def points_of_questions(points):
    """Return the points of each question in the gradebook, 0 if the questions are not in it."""
    return int(max((worth for name, worth in points.items() if name.startswith("answer-")), default=0))


def changed_under_marks(classroom, module, question_points):
    """Return what a release would change under submissions that are in the gradebook, and what to do instead; or None."""
    from tito.grading import assignment

    before, after = classroom.points(module), assignment.graded(module, question_points)
    if not classroom.has_submissions(module):
        return None
    kept = points_of_questions(before)
    if kept != question_points:
        return (
            f"--question-points is {question_points}, and {module.folder} has submissions: its questions stay at {kept} points",
            "leave out --question-points, or release to another folder",
        )
    other = sorted(before.keys() ^ after.keys())
    if other:
        return (
            f"{module.folder} has submissions, so its exercises stay, and those of the course differ: {', '.join(other)}",
            "mark this class with the version of the course that you released, or release to another folder",
        )
    return None


def make(classroom, module, question_points, where):
    """Write the assignment and let nbgrader make its release, both aside; they take their places when both are right.

    Raises:
        typer.Exit: nbgrader refused, or the release shows an answer. The folders of the class are as they were.
    """
    import shutil
    import tempfile

    from tito.commands.grade.autograde import refuse
    from tito.grading import assignment, gradebook

    places = {step: classroom.path(step, module) for step in ("source", "release")}
    with tempfile.TemporaryDirectory(prefix=".release-", dir=classroom.folder) as aside:
        new = {step: Path(aside) / step / module.folder for step in places}
        if places["source"].is_dir():
            shutil.copytree(places["source"], new["source"])  # with what else you put there for your students
        assignment.write(module, new["source"] / f"{module.name}.ipynb", question_points)
        try:
            classroom.generate(module, aside)
        except gradebook.GradebookError as error:
            refuse(str(error), f"fix what nbgrader names, then tito grade release {module.number}{where}", 1)
        leaks = assignment.leaks(new["release"], module)
        if leaks:
            refuse("The release shows an answer:\n" + "\n".join(leaks[:5]), f"fix the course: tito dev check {module.number}", 1)
        classroom.note_release(module)
        for step, place in places.items():
            swap(new[step], place)


def swap(new, place):
    """Put a folder in the place of another, which stays there if that fails."""
    import shutil

    old = new.with_name(f"{new.name}.old")
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        place.rename(old)
    try:
        shutil.move(new, place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise


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


def shown(when):
    """Return when something is due, as words."""
    return f"due {when.isoformat(sep=' ', timespec='minutes')}" if when else "without a due date"


def known_assignment(classroom, module, where):
    """Refuse to go on without a release of the module; `where` ends the next command.

    Raises:
        typer.Exit: There is none.
    """
    from tito.commands.grade.autograde import refuse

    if not classroom.points(module):
        refuse(f"{classroom.folder} has no release of module {module}", f"tito grade release {module.number}{where}")


def known_exercise(module, exercise):
    """Refuse an exercise that the module does not have; None, for all of them, is accepted.

    Raises:
        typer.Exit: There is none.
    """
    from tito.commands.grade.autograde import refuse
    from tito.grading import assignment

    ids = [each.id for each in assignment.exercises(module)]
    if exercise not in (None, *ids):
        refuse(f"module {module} has no exercise {exercise}: it has {ids[0]} to {ids[-1]}", "run the command with one of them")


def known_student(classroom, module, student, where):
    """Refuse a student who is not in the class and has not handed in; `where` ends the next command.

    Raises:
        typer.Exit: There is none, perhaps because of a typing error.
    """
    import difflib

    from tito.commands.grade.autograde import refuse

    known = {*classroom.students(), *classroom.submissions(module)}
    if student not in known:
        near = difflib.get_close_matches(student, sorted(known), n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "it is in neither the roster nor submitted/"
        refuse(
            f"there is no student {student!r} in {classroom.folder}: {hint}", f"tito grade roster{where}, which shows the class"
        )


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
    except gradebook.BrokenConfig as error:
        console.say(str(error))
        console.next_step("fix that line, then run the command again")
        raise typer.Exit(2) from None
    except gradebook.GradebookError as error:
        console.say(str(error))
        console.next_step('pip install "tinytorch-course[grade]"')
        raise typer.Exit(2) from None
