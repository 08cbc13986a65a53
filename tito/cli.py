"""The entry point of tito: show the map or run a command from `tito/app.py`, and report errors."""

import errno
import os
import sys

REFUSED = {getattr(errno, name, None) for name in ("ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOTDIR", "ENAMETOOLONG")}


def main():
    """Run tito. Exit status: 0 passed, 1 failed, 2 wrong usage."""
    from tito.curriculum import CurriculumError, UnknownExercise, UnknownName
    from tito.notebooks.problems import SourceError
    from tito.workspace import WorkspaceError

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace", line_buffering=True)  # a log file shows each line when it is printed
    try:
        try:
            run()
        except SourceError as error:
            fail(error, 1)
        except (CurriculumError, UnknownExercise, UnknownName, WorkspaceError) as error:
            fail(error, 2)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # `tito | head`: the reader has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if error.errno not in REFUSED:
            raise
        fail(Refused(error), 2)


class Refused(Exception):
    """The system refused a write: the disk is full, or the folder is not writable."""

    remedy = "fix that, then run the command again"

    def __init__(self, error):
        super().__init__(error.strerror + (f": {error.filename}" if error.filename else ""))


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
    next_step(
        "fix that in the notebook and save it, then run the command again" if status == 1 else getattr(error, "remedy", "tito")
    )
    sys.exit(status)
