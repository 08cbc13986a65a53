"""The door to tito: the map, or one of the commands in `tito/app.py`; and what an error becomes."""
import sys


def main():
    """Run tito: exit status 0 passed, 1 failed, 2 misused."""
    from tito.curriculum import CurriculumError, UnknownExercise, UnknownName
    from tito.problems import SourceError
    from tito.workspace import WorkspaceError

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        run()
    except SourceError as error:
        fail(error, 1)
    except (CurriculumError, UnknownExercise, UnknownName, WorkspaceError) as error:
        fail(error, 2)


def run():
    """Show the map for the bare `tito`, which must be quick and needs no parser of options; else run a command."""
    if len(sys.argv) == 1:
        from tito.commands.overview import overview

        overview()
    else:
        from tito.app import app

        app()


def fail(error, status):
    """Print what is wrong and what to do, and end with a status."""
    from tito.console import next_step, say, wrap

    say("\n".join(wrap(line) for line in str(error).split("\n")))
    next_step("mend that in the notebook and save it, then run the command again" if status == 1 else getattr(error, "remedy", "tito"))
    sys.exit(status)
