"""Show learners where it is their turn: cards above exercises and questions, cells for answers, long given code collapsed.

A card is HTML with inline styles and no scripts. Its colours are partly transparent, so that they suit light and dark pages.
If an editor drops the styles, the block quote still has its mark in the margin, and the words are the same.
"""

import re
import textwrap
from dataclasses import replace

from tito.notebooks.marks import EXPORT

EXERCISE, QUESTION = (31, 119, 180), (230, 145, 0)  # red, green, blue
ANSWER = "**Your answer:** *double-click here and write.*"
LONG = 25  # given code of at least this many lines is collapsed
WIDEST = 75  # characters of the names in its first line
CARDS = {  # a card in HTML, and what a percent file has in its place
    re.compile(r"<blockquote [^>]*><b>Your turn: exercise ([\d.]+)</b> · (.*?)<br>.*?</blockquote>"): r"**Exercise \1** · \2",
    re.compile(r"<blockquote [^>]*><b>Question [\d.]+</b>.*?</blockquote>\n\n"): "",
    re.compile(r"\A#\| export \(given[^)\n]*\)$", re.MULTILINE): "#| export",
}
NAME = re.compile(r"^(?:def|class) (\w+)|^(\w+) *=", re.MULTILINE)


def dressed(cells, html=True):
    """Return a notebook's cells with cards and cells for answers.

    Args:
        cells: The cells from `strip.learner_cells`.
        html: Whether the format shows HTML; a percent file keeps the plain lines.
    """
    shown = []
    for cell, after in zip(cells, [*cells[1:], None]):
        shown += [dress(cell, after) if html else cell, *place_for_answer(cell)]
    return [replace(cell, index=number) for number, cell in enumerate(shown, 1)]


def dress(cell, after):
    """Return a cell with its card, or collapsed; a cell before an exercise gets the exercise's card."""
    if after is not None and after.exercise:
        return replace(cell, text=cell.text.replace(line(after.metadata), exercise(after), 1))
    if cell.question:
        return replace(cell, text=f"{question(cell.question)}\n\n{cell.text}")
    return given(cell) if cell.exported and not cell.exercise else cell


def given(cell):
    """Return a cell of given code: its first line says what it defines, and a long cell is collapsed to that line."""
    names = re.findall(r"^(?:def|class) (\w+)", cell.text, re.MULTILINE)
    words = f"given: {', '.join(names)}" if names else "given"
    label = textwrap.shorten(words, WIDEST, placeholder=", ...").replace(",, ...", ", ...")
    hidden = {"jupyter": {"source_hidden": True}} if cell.text.count("\n") >= LONG else {}
    text = EXPORT.sub(f"#| export ({label})", cell.text, count=1)
    return replace(cell, text=text, metadata={**cell.metadata, **hidden})


def place_for_answer(cell):
    """Return a list with the cell to answer a question in, or an empty list."""
    if not cell.question:
        return []
    return [replace(cell, text=ANSWER, metadata={"answer": cell.question})]


def plain(text):
    """Return a cell's text with its card as a percent file has it."""
    for card, words in CARDS.items():
        text = card.sub(words, text)
    return text


def line(header):
    """Return an exercise's header as Markdown: `**Exercise 01.4** · 15 minutes · core · 2 points`."""
    return f"**Exercise {header['exercise']}** · {takes(header)}"


def takes(header):
    """Return an exercise's minutes, kind and points."""
    kind = "extension" if header.get("extension") else "core"
    return f"{count(header['minutes'], 'minute')} · {kind} · {count(header['points'], 'point')}"


def exercise(cell):
    """Return the card of an exercise, as HTML."""
    number, name = cell.exercise, NAME.search(cell.text)
    name = name and (name[1] or name[2])
    hints = f'Hints, in a terminal: <code style="white-space: nowrap">tito module hint {number}</code>'
    more = f"Write <code>{name}</code> in the next code cell, then run the check below it. {hints}"
    return card(EXERCISE, f"Your turn: exercise {number}", takes(cell.metadata), more)


def question(number):
    """Return the card of a question, as HTML."""
    return card(QUESTION, f"Question {number}", "write your answer below, then read on")


def card(colour, title, what, more=""):
    """Return a block with a mark in the margin: a title, a description, and a second line."""
    tone = ", ".join(map(str, colour))
    block = f"border-left: 8px solid rgb({tone}); background-color: rgba({tone}, 0.14); padding: 8px 14px; margin: 0 0 12px 0"
    second = f"<br>{more}" if more else ""
    return f'<blockquote style="{block}"><b>{title}</b> · {what}{second}</blockquote>'


def count(number, noun):
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
