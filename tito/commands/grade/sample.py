"""`tito grade sample`: a made-up class to practise on."""

from pathlib import Path

import typer


def sample(folder: Path = typer.Argument(help="The folder, created if missing.")):
    """Write a made-up class to practise on.

    Seven students hand in module 01: a roster, and a zip as Moodle exports it.
    """
    from tito import console
    from tito.files import replace_atomically
    from tito.grading import sample as samples

    replace_atomically(folder / "students.csv", samples.roster().encode())
    replace_atomically(folder / "moodle-export.zip", samples.export())
    for student, about in samples.STUDENTS.items():
        console.say(f"  {student:10} {about.what}")
    console.next_step("tito grade roster students.csv --course class", folder)
