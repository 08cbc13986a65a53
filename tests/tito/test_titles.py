"""A cell is named by what an editor can search for."""

import pytest

from tinytorch.given import imports
from tito import workspace
from tito.notebooks import source, titles


@pytest.mark.parametrize(
    "text, title",
    [
        ("#| export\n@op\ndef mul(a, b):\n    return a * b", "def mul"),
        ("#| export\nlimit = 3\nclass Tree:\n    def grow(self): ...", "class Tree"),
        ("async def read(): ...", "async def read"),
        ("def", "def"),
        ("\n# a note\nx = 1", "a note"),
        ('#| export\n"""Layers and parameters."""\nimport math', "Layers and parameters."),
        ('x = "a"', 'x = "a"'),
        ("## Broadcasting\n\nLong ago", "Broadcasting"),
        ('<blockquote style="x"><b>Question 1</b></blockquote>\n\nWhy?', "Question 1"),
        ("y" * 50, "y" * 37 + "..."),
        ("#| export\n\n", ""),
        ("", ""),
    ],
)
def test_the_title_is_the_first_definition_or_the_first_line(text, title):
    assert titles.title(text) == title
    assert titles.label(7, text) == (f"cell 7 ({title})" if title else "cell 7")


def test_the_package_and_tito_name_a_line_alike():
    course = workspace.Workspace(workspace.course_dir())
    compared = 0
    for module in course.curriculum.modules:
        if workspace.is_to_come(module):
            continue
        labels = {cell.label for cell in source.read(workspace.course_source(module)).cells}
        path = course.exported(module)
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if line.startswith(("def ", "class ")):
                place = imports.origin_of(path, number)
                assert any(f", {label}, line " in place for label in labels), place
                compared += 1
    assert compared > 200
