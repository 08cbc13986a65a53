"""Print output: colour in a terminal, plain ASCII everywhere else, and always one next command."""

import contextlib
import os
import re
import shlex
import shutil
import sys
import textwrap
import time
from pathlib import Path

from tito.checks.layout import ASCII

# Signs repeat the meaning of the colours, for readers who cannot see them and for paper.
SIGNS = {
    "passed": "✓",
    "done": "✓",
    "failed": "✗",
    "current": "▸",
    "ready": "▸",
    "borrowed": "◦",
    "edited": "~",
    "note": "!",
    "open": "·",
    "unwritten": "·",
    "absent": " ",
}
PLAIN_SIGNS = str.maketrans({"✓": "+", "✗": "x", "▸": ">", "◦": "o"})


def plain():
    """Return whether output must be plain: it is piped, `NO_COLOR` is set, or the terminal's encoding is not Unicode."""
    unicode = (sys.stdout.encoding or "ascii").lower().startswith("utf")
    return not sys.stdout.isatty() or bool(os.environ.get("NO_COLOR")) or not unicode


def say(text="", style=None):
    """Print a text, in a style such as "green" or "bold" if the output can show it.

    Args:
        text: The text, printed as it is, without markup. A terminal breaks a line that is too long for it between words.
        style: A style of the library Rich.
    """
    if plain():
        print(to_ascii(text))
    elif style is None:
        print(fitted(text))
    else:
        from rich.console import Console

        Console(highlight=False).print(fitted(text), style=style, markup=False, soft_wrap=True)


def fitted(text):
    """Return a text with the lines wrapped that are too long for the terminal."""
    width = shutil.get_terminal_size().columns
    return "\n".join(wrap(line, width) if len(line) > width else line for line in text.split("\n"))


def to_ascii(text):
    """Replace tito's signs by ASCII; the user's own names are kept if the output's encoding has them."""
    encoding = sys.stdout.encoding or "ascii"
    return text.translate(PLAIN_SIGNS).translate(ASCII).encode(encoding, "replace").decode(encoding)


def pending(text=""):
    """Show the current activity on a terminal's last line; the next call replaces it, an empty text removes it."""
    if not plain():
        sys.stdout.write(f"\r\x1b[2K{text}")
        sys.stdout.flush()


@contextlib.contextmanager
def working(text):
    """Show that work is going on during a `with` block: in a terminal with the time elapsed, elsewhere as one line.

    Args:
        text: What is being done, without a full stop.
    """
    if plain():
        print(to_ascii(f"  {text} ..."), flush=True)
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
    with Progress(*columns, console=Console(), transient=True, refresh_per_second=8) as shown:
        shown.add_task(text, total=None)
        yield


@contextlib.contextmanager
def bar(total, unit):
    """Show the progress of some work during a `with` block, and the time left.

    Args:
        total: Number of parts.
        unit: Name of a part, in the plural.

    Returns:
        Context manager that yields a function to call with a text before each part. A terminal shows the text beside a bar;
        elsewhere it is a line, with the time left once that is known.
    """
    began, count = time.monotonic(), 0
    if plain():

        def begin(text):
            nonlocal count
            left = (time.monotonic() - began) / count * (total - count) if count else 0
            count += 1
            print(to_ascii(f"  {count} of {total}: {text}" + (f", about {left:.0f} s left" if left >= 1 else "")), flush=True)

        yield begin
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(20),
        TextColumn("{task.completed:.0f} of {task.total:.0f} " + unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(), transient=True, refresh_per_second=8) as shown:
        task = shown.add_task("", total=total)

        def begin(text):
            nonlocal count
            shown.update(task, completed=count, description=text)
            count += 1

        yield begin


def text_width():
    """Return how wide prose is: 80 columns, or fewer in a terminal that is narrower."""
    return 80 if plain() else min(80, shutil.get_terminal_size().columns)


def wrap(text, width=None):
    """Wrap prose. Paragraphs stay separate, a command in backticks stays whole, an indented line stays indented."""
    lead = len(text) - len(text.lstrip(" "))
    fill = textwrap.TextWrapper(
        width or text_width(), subsequent_indent=" " * (lead and lead + 2), break_long_words=False, break_on_hyphens=False
    ).fill
    text = re.sub("`[^`]*`", lambda command: command[0].replace(" ", "\0"), text)
    return "\n\n".join(fill(paragraph) for paragraph in text.split("\n\n")).replace("\0", " ")


def typed(path):
    """Return a path as it has to be typed into a shell."""
    text = f"./{path}" if str(path).startswith("-") else str(path)
    if os.name == "posix":
        return shlex.quote(text)
    return f'"{text}"' if set(text) & set(" &()^;,") else text


def next_step(command, folder=None):
    """Print the next command, which ends every output.

    Args:
        command: What to type, or a sentence if there is nothing to type.
        folder: `pathlib.Path` of the folder to type it in, if that may be another one.
    """
    if folder is not None and folder.absolute() != Path.cwd():
        command = f"cd {typed(folder)}, then {command}"
    say()
    say(f"Next: {command}", style="bold")
