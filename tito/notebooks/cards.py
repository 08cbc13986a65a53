"""What shows in a notebook whose turn it is: cards above exercises and questions, places for answers, long given code folded.

A card is HTML with inline styles, without scripts. Its colours are partly transparent, so that they fit a light and a dark page.
Where an editor drops the styles, the block quote keeps its mark in the margin, and the words are the same.
"""

import re
from dataclasses import replace

EXERCISE, QUESTION = (31, 119, 180), (230, 145, 0)  # red, green, blue
ANSWER = "**Your answer:** *double-click here and write.*"
LONG = 25  # lines from which given code is folded
NAME = re.compile(r"^(?:def|class) (\w+)|^(\w+) *=", re.MULTILINE)


def dressed(cells, html=True):
    """Return a notebook's cells as they are written for a learner.

    Args:
        cells: The cells, as `strip.learner_cells` makes them.
        html: Whether the format shows HTML; a percent file keeps the plain lines.
    """
    shown = []
    for cell, after in zip(cells, [*cells[1:], None]):
        shown += [dress(cell, after) if html else cell, *place_for_answer(cell)]
    return [replace(cell, index=number) for number, cell in enumerate(shown, 1)]


def dress(cell, after):
    """Return a cell with its card or its fold; the cell after it tells whether it announces an exercise."""
    if after is not None and after.exercise:
        return replace(cell, text=cell.text.replace(line(after.metadata), exercise(after), 1))
    if cell.question:
        return replace(cell, text=f"{question(cell.question)}\n\n{cell.text}")
    if cell.exported and not cell.exercise and cell.text.count("\n") >= LONG:
        return replace(cell, metadata={**cell.metadata, "jupyter": {"source_hidden": True}})
    return cell


def place_for_answer(cell):
    """Return the cell to answer a question in, as a list of one cell or none."""
    if not cell.question:
        return []
    return [replace(cell, text=ANSWER, metadata={"answer": cell.question})]


def line(header):
    """Return what an exercise's header says, as Markdown: `**Exercise 01.4** · 15 minutes · core · 2 points`."""
    return f"**Exercise {header['exercise']}** · {takes(header)}"


def takes(header):
    """Return what an exercise takes and gives."""
    kind = "extension" if header.get("extension") else "core"
    return f"{count(header['minutes'], 'minute')} · {kind} · {count(header['points'], 'point')}"


def exercise(cell):
    """Return the card of an exercise, as HTML."""
    number, name = cell.exercise, NAME.search(cell.text)
    name = name and (name[1] or name[2])
    hints = f"Hints: <code>tito module hint {number}</code>"
    more = f"Write <code>{name}</code> in the next code cell, then run the check below it. {hints}"
    return card(EXERCISE, f"Your turn: exercise {number}", takes(cell.metadata), more)


def question(number):
    """Return the card of a question, as HTML."""
    return card(QUESTION, f"Question {number}", "write your answer below, then read on")


def card(colour, title, what, more=""):
    """Return a block with a mark in the margin: a title, what it takes, and a second line."""
    tone = ", ".join(map(str, colour))
    block = f"border-left: 8px solid rgb({tone}); background-color: rgba({tone}, 0.14); padding: 8px 14px; margin: 0 0 12px 0"
    second = f"<br>{more}" if more else ""
    return f'<blockquote style="{block}"><b>{title}</b> · {what}{second}</blockquote>'


def count(number, noun):
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
