"""`tito grade collect`: put what a class handed in where nbgrader expects it."""

from pathlib import Path

import typer


def collect(
    module: str = typer.Argument(help="03, 3 or layers."),
    sources: list[Path] = typer.Argument(help="Folders and zips: students' own, or exported by Moodle, Canvas or Gradescope."),
    course: Path = typer.Option(Path("."), "--course", help="The class's folder."),
    timestamp: str = typer.Option(None, help="When all of it was handed in, where the export does not say."),
):
    """Collect submissions.

    A submission that is there already is kept in `collected/` when a new one replaces it. Links are never followed.
    """
    from tito import console
    from tito.checks import layout
    from tito.commands.grade import of
    from tito.commands.grade.release import deadline, enter
    from tito.grading import collecting

    chosen, classroom = enter(module, course)
    missing = [source for source in sources if not source.exists()]
    if missing:
        console.say(f"{missing[0]} does not exist")
        console.next_step(f"tito grade collect {chosen.number} FOLDER or ZIP{of(course)}")
        raise typer.Exit(2)
    when = deadline(timestamp)
    gathered, skipped = collecting.gather(sources, collecting.Roster(classroom.roster()))
    counts = {"new": 0, "replaced": 0, "the same": 0}
    for student, submission in sorted(gathered.items()):
        said = collecting.store(classroom, chosen, student, submission, when and when.isoformat())
        counts[said] += 1
        names = ", ".join(submission.files) or "no notebook"
        console.say(layout.clean(f"  {student:24} {said:9} {names}"))
        for note in submission.notes:
            console.say(layout.clean(f"  {'':24} {note[:200]}"), style="yellow")
    if skipped:
        console.say("\nNot used:")
        for text in skipped[:50]:
            console.say(layout.clean(f"  {text[:200]}"))
    console.say(f"\n{counts['new']} new, {counts['replaced']} replaced, {counts['the same']} as before")
    console.next_step(f"tito grade autograde {chosen.number}{of(course)}")
    raise typer.Exit(0 if gathered else 1)
