"""Show how far a download is: a bar on a terminal, one line elsewhere."""

import sys
from contextlib import contextmanager


def note(text):
    """Print a line for the user on stderr, apart from the program's output.

    Args:
        text: the line.
    """
    print(text, file=sys.stderr, flush=True)


@contextmanager
def progress(title, done, total):
    """Show a download's progress while the `with` block runs.

    Args:
        title: what is downloaded, or from where.
        done: bytes downloaded before.
        total: bytes of the whole file, or None if the server does not say.

    Returns:
        A context manager; it gives a function to call with the size of each chunk in bytes.

    Example:
        >>> with progress("labels.gz", 0, 2) as advance:
        ...     advance(2)
    """
    columns = _bar_columns() if sys.stderr.isatty() else None
    if columns is None:
        note(f"{title}{f', {total / 1e6:.1f} MB' if total else ''}{f', from byte {done} on' if done else ''}")
        yield lambda size: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(title, completed=done, total=total)
        yield lambda size: bars.advance(task, size)


def _bar_columns():
    """Return the parts of the bar, or None without rich, which this package does not require."""
    try:
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    except ImportError:
        return None
    return [
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    ]
