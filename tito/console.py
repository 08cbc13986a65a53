"""What tito prints: colour in a terminal, plain ASCII everywhere else, and always the one next command."""

import os
import re
import sys
import textwrap

from tito.checks.layout import ASCII


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
    return text.translate(ASCII).encode(encoding, "replace").decode(encoding)


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
