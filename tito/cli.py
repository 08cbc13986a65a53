"""The entry point of tito: show the map or run a command from `tito/app.py`, and report errors."""

import os
import sys

FIX = "fix that in the notebook and save it, then run the command again"


def main():
    """Run tito. Exit status: 0 passed, 1 failed, 2 wrong usage, 130 stopped with Ctrl-C."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started this
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace", line_buffering=True)  # a log file shows each line when it is printed
    try:
        guarded()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `tito | head`: the reader has closed the pipe
        silence()
        sys.exit(1)
    except OSError as error:
        try:
            fail(Refused(error), 2)
        except OSError:  # there is no room for a message, either
            silence()
            sys.exit(2)


def guarded():
    """Run what was asked for, and report errors that the user can do something about."""
    from tito.curriculum import CurriculumError, UnknownExercise, UnknownName
    from tito.notebooks.problems import SourceError
    from tito.workspace import WorkspaceError

    try:
        check_place()
        run()
    except SourceError as error:
        fail(error, 1)
    except UnknownName as error:
        from tito.nearest import retyped

        error.remedy = error.nearest and retyped(error.given, error.nearest)
        fail(error, 2)
    except (CurriculumError, UnknownExercise, WorkspaceError) as error:
        fail(error, 2)
    finally:
        sys.stdout.flush()


def check_place():
    """Refuse to run in a folder that has been deleted."""
    from tito.workspace import WorkspaceError

    try:
        os.getcwd()
    except OSError:
        raise WorkspaceError("the folder that you are in has been deleted or moved: cd into another one") from None


def silence():
    """Let go of the output, so that Python does not fail on it at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Refused(Exception):
    """The system refused something: the disk is full, or a folder is not writable."""

    remedy = "fix that, then run the command again"

    def __init__(self, error):
        if error.strerror is None and error.args and isinstance(error.args[0], list):  # several, from `shutil.copytree`
            super().__init__(str(error.args[0][-1][-1]))
        else:
            super().__init__((error.strerror or str(error)) + (f": {error.filename}" if error.filename else ""))


def run():
    """Show the map for the bare `tito`, which must be fast and needs no option parser, or run a command."""
    if len(sys.argv) == 1:
        from tito.commands.overview import overview

        overview()
    else:
        from tito import leftovers
        from tito.app import app

        leftovers.end_in_order()
        app()


def fail(error, status):
    """Print what is wrong and what to do, and exit with a status."""
    from tito.console import next_step, say, wrap

    say("\n".join(wrap(line) for line in str(error).split("\n")))
    next_step(getattr(error, "remedy", None) or ("tito" if status == 2 else FIX))
    sys.exit(status)
