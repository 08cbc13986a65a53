"""A notebook's HTML in editors that remove some of it: every word stays, and so does the mark in the margin where styles are kept.

VS Code shows a notebook's HTML as it is in a workspace that is trusted. In another one, its Markdown renderer keeps the tags and
attributes below (extensions/markdown-language-features/notebook/index.ts, and microsoft/vscode#150228 for `b`, `br`, `details`).
JupyterLab's own rules are tried in a browser, by hand. Colab's are not published; the test without any tag stands for what is
worse than every editor.
"""

import re
from html.parser import HTMLParser

import pytest

from tito import notebook_view, workspace
from tito.notebooks import cards, source, strip

UNTRUSTED = {  # VS Code
    *(
        "a button blockquote code div h1 h2 h3 h4 h5 h6 hr img input label li p pre select small span strong textarea ul ol".split()
    ),
    *(
        "b br caption center col colgroup details em font i kbd sub summary sup table tbody tfoot thead td th tr tt u video".split()
    ),
}
EVERYWHERE = {"align", "class", "id", "style", "aria-hidden"}
REPORT = "01.2 mul      modules/01_tensor/tensor.ipynb\n\n  expected   [[1, 2], <3>]\n  got        [[0, 2], 3]\n\n  passed 0 of 8"


class Reader(HTMLParser):
    """The tags with their attributes, and the text that is left without them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.words += "\n" if tag in ("br", "div", "pre", "blockquote") else ""

    def handle_data(self, data):
        self.words += data


def course():
    space = workspace.Workspace(workspace.course_dir())
    return [module for module in space.curriculum.modules if not workspace.is_to_come(module)]


@pytest.fixture(scope="module")
def markdown():
    """The Markdown cells that a learner gets, by module, without code and formulas."""
    found = {}
    for module in course():
        cells = cards.dressed(strip.learner_cells(source.read(workspace.course_source(module))))
        found[module.number] = [
            re.sub(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$", "", cell.text, flags=re.DOTALL)
            for cell in cells
            if cell.kind == "markdown"
        ]
    return found


def blocks():
    return [notebook_view.Verdict(REPORT, status).block() for status in ("passed", "unwritten", "failed", "timeout")]


def test_only_tags_and_attributes_are_used_that_an_untrusted_workspace_keeps(markdown):
    texts = [text for cells in markdown.values() for text in cells] + blocks()
    used = [pair for text in texts for pair in Reader(text).tags]
    assert len(used) > 100
    for tag, attributes in used:
        assert tag in UNTRUSTED and set(attributes) <= EVERYWHERE, (tag, attributes)
        assert "url(" not in attributes.get("style", "") and "position" not in attributes.get("style", "")


def test_without_any_tag_a_card_says_the_same():
    for module in course():
        notebook = source.read(workspace.course_source(module))
        cells = {cell.index: cell for cell in notebook.cells}
        for exercise in notebook.exercises():
            title, more = Reader(cards.exercise(cells[exercise.cell])).words.strip().split("\n")
            kind = "extension" if exercise.extension else "core"
            assert title.startswith(f"Your turn: exercise {exercise.id} · {exercise.minutes} minute") and f" · {kind} · " in title
            assert more == (
                f"Write {exercise.name} in the next code cell, then run the check below it. Hints, in a terminal: tito module hint {exercise.id}"
            )
    assert Reader(cards.question("01.1")).words.strip() == "Question 01.1 · write your answer below, then read on"


@pytest.mark.parametrize("status", ["passed", "unwritten", "failed", "timeout"])
def test_without_any_tag_a_verdict_says_the_same(status):
    words = Reader(notebook_view.Verdict(REPORT, status).block()).words.split()
    assert [word for word in words if word not in "✓✗·"] == REPORT.split()
    assert words[0] in "✓✗·"


def test_without_styles_a_card_still_has_a_mark_in_the_margin():
    """Every editor draws a line beside a block quote."""
    assert Reader(cards.question("01.1")).tags[0][0] == "blockquote"
