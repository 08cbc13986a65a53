"""`tito grade collect`: put what a class handed in where nbgrader expects it."""

from pathlib import Path

import typer


def collect(
    module: str = typer.Argument(help="03, 3 or layers."),
    sources: list[Path] = typer.Argument(
        help="Folders, zips and notebooks: students' own, or exported by Moodle, Canvas or Gradescope."
    ),
    course: Path = typer.Option(Path("."), "--course", help="The class's folder."),
    timestamp: str = typer.Option(None, help="When all of it was handed in, where the export does not say."),
):
    """Collect submissions.

    A submission that is there already is kept in `collected/` when a new one replaces it. Links are never followed.
    """
    from tito import console
    from tito.checks import layout
    from tito.commands.grade import of, say_untimed
    from tito.commands.grade.release import deadline, enter
    from tito.grading import collecting

    chosen, classroom = enter(module, course)
    missing = [source for source in sources if not source.exists()]
    if missing:
        console.say(f"{missing[0]} does not exist")
        console.next_step(f"tito grade collect {chosen.number} FOLDER or ZIP{of(course)}")
        raise typer.Exit(2)
    for source in sources:
        refuse_own(source, classroom, chosen, of(course))
    when, students = deadline(timestamp), classroom.roster()
    gathered, skipped = collecting.gather(sources, collecting.Roster(students), chosen)
    counts = {"new": 0, "replaced": 0, "the same": 0, "kept": 0}
    for student, submission in sorted(gathered.items()):
        said = collecting.store(classroom, chosen, student, submission, when and when.isoformat())
        counts[said] += 1
        names = ", ".join(submission.files) or "no notebook" + "; the one from before stays" * (said == "kept")
        console.say(layout.clean(f"  {student:24} {said:9} {names}"))
        for note in submission.notes:
            console.say(layout.clean(f"  {'':24} {note[:300]}"), style="yellow")
    show("Not used:", skipped)
    if students:
        show("Stored, but not in the roster:", [name for name in sorted(gathered) if not gathered[name].known])
    elif gathered:
        console.say("\nNobody is in a roster yet: students have the names that the export gives them.")
        console.say(f"To match them with your list: tito grade roster FILE.csv{of(course)}, then collect again.")
    say_untimed(classroom, chosen)
    console.say(f"\n{counts['new']} new, {counts['replaced']} replaced, {counts['the same'] + counts['kept']} as before")
    if not gathered:
        console.next_step(f"do what is said above, then tito grade collect {chosen.number} FOLDER or ZIP{of(course)}")
        raise typer.Exit(1)
    console.next_step(f"tito grade autograde {chosen.number}{of(course)}")


def refuse_own(source, classroom, module, where):
    """Refuse a folder of the class itself in which nothing is handed in, such as its feedback; `where` ends the next command.

    Raises:
        typer.Exit: It is one, or the class's folder is in it.
    """
    from tito.commands.grade.autograde import refuse

    path, folder = source.resolve(), classroom.folder.resolve()
    made = [folder / name for name in ("source", "release", "autograded", "feedback", "verdicts", "reports")]
    if path in (folder, *folder.parents) or any(own in (path, *path.parents) for own in made):
        refuse(
            f"{source} has files that tito and nbgrader made for the class, not what students handed in",
            f"tito grade collect {module.number} FOLDER or ZIP{where}",
        )


def show(title, texts):
    """Print a list under a title; a long one is cut, and how much is said."""
    from tito import console
    from tito.checks import layout
    from tito.commands.grade import MOST

    if texts:
        console.say(f"\n{title}")
    for text in texts[:MOST]:
        console.say(layout.clean(f"  {text[:300]}"))
    if len(texts) > MOST:
        console.say(f"  and {len(texts) - MOST} more")
