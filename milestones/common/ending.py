"""How a script ends: in order, with a known error, or with Ctrl-C. It is imported first, so it imports nothing slow itself."""

import io
import sys


def run(main):
    """Run a milestone; a known error ends it with a message and status 1 or 2, Ctrl-C with 130."""
    from tito import leftovers

    leftovers.end_in_order()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not in a notebook
            stream.reconfigure(errors="replace")  # a folder's name may have characters that the output cannot show
    try:
        main()
    except KeyboardInterrupt:
        end(130, "stopped: --resume continues after the last saved epoch, if there is one")
    except MemoryError as error:
        end(1, f"there is not enough memory here: {error}".rstrip(": "))
    except Exception as error:
        if not is_known(error):
            raise
        end(1 if isinstance(error, FloatingPointError) else 2, str(error))


def is_known(error):
    """Return whether the message of an error is enough, because it says what to do."""
    if isinstance(error, ImportError):
        return is_not_built(error)
    from common.training_run import Misused
    from tinytorch.datasets import DataError

    return isinstance(error, (DataError, Misused, FloatingPointError))


def is_not_built(error):
    """Return whether an import failed because a module is not exported yet."""
    return isinstance(error, ImportError) and (error.name or "").startswith("tinytorch")


def end(status, text):
    """Print a text, and end the script with a status."""
    from tito.console import wrap

    print(*map(wrap, text.split("\n")), sep="\n", file=sys.stderr)
    raise SystemExit(status)


def end_imports(kind, error, traceback):
    """Report an exception that ends a script before `run`, while it imports: Ctrl-C and a module to be built take one line."""
    if issubclass(kind, KeyboardInterrupt):
        end(130, "stopped")
    if is_not_built(error):
        end(2, str(error))
    sys.__excepthook__(kind, error, traceback)


sys.excepthook = end_imports
