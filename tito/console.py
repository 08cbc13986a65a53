"""What tito prints: colour in a terminal, plain ASCII everywhere else, and always the one next command."""

import contextlib
import os
import re
import sys
import textwrap
import time

from tito.checks.layout import ASCII

# A sign says the same as the colour beside it, for those who see no colours, and for a printed page.
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
    """Say whether output must be plain: it is piped, `NO_COLOR` is set, or the terminal's encoding is not Unicode."""
    unicode = (sys.stdout.encoding or "ascii").lower().startswith("utf")
    return not sys.stdout.isatty() or bool(os.environ.get("NO_COLOR")) or not unicode


def say(text="", style=None):
    """Print a text, in a style such as "green" or "bold" where the output can show it.

    Args:
        text: What to print; it is printed as it is, no markup is read.
        style: A style of the library Rich.
    """
    if plain():
        print(to_ascii(text))
    elif style is None:
        print(text)
    else:
        from rich.console import Console

        Console(highlight=False).print(text, style=style, markup=False, soft_wrap=True)


def to_ascii(text):
    """Replace our own signs by ASCII's; a name of the user's stays as it is wherever the output can hold it."""
    encoding = sys.stdout.encoding or "ascii"
    return text.translate(PLAIN_SIGNS).translate(ASCII).encode(encoding, "replace").decode(encoding)


def pending(text=""):
    """Show in the last line of a terminal what is going on now; the next call replaces it, one without a text removes it."""
    if not plain():
        sys.stdout.write(f"\r\x1b[2K{text}")
        sys.stdout.flush()


@contextlib.contextmanager
def working(text):
    """Show that work goes on while the `with` block runs: in a terminal how long it has taken so far, elsewhere one line.

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
    """Show how far some work has come while the `with` block runs, and when it will end.

    Args:
        total: How many parts it has.
        unit: What a part is, in the plural.

    Returns:
        Context manager; it gives a function to call with a text before each part begins. In a terminal the text stands beside
        a bar; elsewhere it is a line, with the time left once that can be told.
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


def wrap(text, width=80):
    """Break prose into lines that fit. Paragraphs stay apart, a command in backticks stays whole, an indented line stays so."""
    lead = len(text) - len(text.lstrip(" "))
    fill = textwrap.TextWrapper(
        width, subsequent_indent=" " * (lead and lead + 2), break_long_words=False, break_on_hyphens=False
    ).fill
    text = re.sub("`[^`]*`", lambda command: command[0].replace(" ", "\0"), text)
    return "\n\n".join(fill(paragraph) for paragraph in text.split("\n\n")).replace("\0", " ")


def next_step(command):
    """Print the one next command, which closes every output.

    Args:
        command: What to type, or a sentence when there is nothing to type.
    """
    say()
    say(f"Next: {command}", style="bold")
