"""`tito grade report`: what a class gets wrong."""

from pathlib import Path

import typer

MOST_PAIRS = 30  # shown


def report(
    module: str = typer.Argument(help="03, 3 or layers."),
    course: Path = typer.Option(Path("."), "--course", help="The class's folder."),
    pairs: int = typer.Option(10, min=0, help="How many pairs of submissions that are alike to print."),
):
    """Show what a class gets wrong.

    Which wrong turn each exercise provoked, who is stuck where, and which submissions are alike.
    """
    import csv
    import io

    from tito import console
    from tito.checks import layout
    from tito.commands.grade import of
    from tito.commands.grade.release import enter
    from tito.files import replace_atomically
    from tito.grading import report as reports, similarity

    chosen, classroom = enter(module, course)
    records = reports.gathered(classroom, chosen)
    if not records:
        console.say("no submission was marked yet")
        console.next_step(f"tito grade autograde {chosen.number}{of(course)}")
        raise typer.Exit(2)
    alike = similarity.pairs({student: record.get("pieces", {}) for student, record in records.items()})[:MOST_PAIRS]
    for row in reports.exercises(records):
        console.say(layout.clean(f"  {row['id']:6}{row['name']:27} {row['passed']} of {row['of']} passed"))
        for turn, times in row["turns"].most_common():
            console.say(layout.clean(f"        {times:4} x {turn}"), style="dim")
    if alike and pairs:
        console.say("\nAlike, to look at (likeness from 0 to 1):")
        for likeness, one, other, count in alike[:pairs]:
            console.say(layout.clean(f"  {likeness:.2f}  {one}  {other}  ({count} pieces in common)"))
    folder = classroom.folder / "reports"
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(reports.table(records))
    replace_atomically(folder / f"{chosen.folder}.csv", text.getvalue().encode("utf-8"))
    page = reports.page(chosen, records, reports.ages(classroom, chosen), alike)
    replace_atomically(folder / f"{chosen.folder}.html", page.encode("utf-8", "replace"))
    console.next_step(f"open {folder / f'{chosen.folder}.html'}")
