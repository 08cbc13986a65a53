"""Show a verdict in a notebook: a block with a sign and a colour, or plain text if HTML is not shown."""

import html
import re

TONES = {"passed": (46, 160, 67), "unwritten": (130, 130, 130)}  # red, green, blue; every other status is a failure
FAILED = (215, 58, 73)
SIGNS = {"passed": "✓", "unwritten": "·"}
STUB = re.compile(r"\d\d\.\d+ \w+")


class Verdict:
    """A verdict that Jupyter shows as a block, and other programs as text.

    Args:
        text: The report.
        status: `checking.Verdict.status`.
    """

    def __init__(self, text, status):
        self.text, self.status = text, status

    def __repr__(self):
        return self.text

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": self.text, "text/html": self.block()}

    def block(self):
        """Return the report as HTML without scripts: its first line in bold, the rest preformatted."""
        tone = ", ".join(map(str, TONES.get(self.status, FAILED)))
        style = f"border-left: 8px solid rgb({tone}); background-color: rgba({tone}, 0.13); padding: 8px 14px"
        first, _, rest = self.text.partition("\n")
        name, *place = re.split(r" {2,}", html.escape(first.strip()))
        title = " · ".join([f"<b>{SIGNS.get(self.status, '✗')} {name}</b>", *place])
        rest, _, advice = rest.partition("\n  Next: ")
        if advice:
            rest, advice = rest.rstrip("\n"), f'<div style="margin-top: 6px"><b>Next:</b> {marked(advice)}</div>'
        pre = "margin: 6px 0 0 0; padding: 0; background-color: transparent; overflow-x: auto; line-height: 1.35"
        body = f'<pre style="{pre}">{html.escape(rest.strip(chr(10)))}</pre>' if rest.strip() else ""
        return f'<div style="{style}">{title}{body}{advice}</div>'


def marked(text):
    """Return a sentence as HTML, with the words between backticks as code."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", html.escape(text))


def show(text, status):
    """Show a report in the notebook, or print it without IPython."""
    if in_ipython():
        from IPython.display import display

        display(Verdict(text, status))
    else:
        print(text)


def in_ipython():
    """Return whether this runs in IPython, as a notebook's kernel does."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return get_ipython() is not None


def shorten_stubs():
    """Make IPython show an unwritten exercise as one line, because its traceback would not help."""
    if in_ipython():
        from IPython import get_ipython

        get_ipython().set_custom_exc((NotImplementedError,), _one_line)


def _one_line(shell, kind, error, traceback, tb_offset=None):
    """Show an error; IPython calls this instead of its own function."""
    if STUB.fullmatch(str(error)):
        words = f"{error} is not written yet: write it in its cell, run that cell, then run this one again"
        shell._showtraceback(kind, error, [words])
    else:
        shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
