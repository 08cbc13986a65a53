"""The search for answers: what counts as one, and in which disguises it is found."""

import json

import pytest

from tito.notebooks import source
from tito.notebooks.answers import leaks, secrets

ANSWER = "return abs(product) if product < 0 else product"


@pytest.fixture
def notebooks(course):
    return [source.read(course.root / "modules" / "01_shapes" / "shapes.py")]


def test_an_answer_is_a_line_that_only_a_solution_holds(course, notebooks):
    assert secrets(notebooks) == {"01.1": ["product = width * height", ANSWER]}
    course.edit("01_shapes/shapes.py", "# Write it.", "# Write it. In a loop: `product = width * height`")
    edited = [source.read(notebooks[0].path)]
    assert secrets(edited) == {"01.1": [ANSWER]}


def test_a_hint_makes_no_answer_public(course, notebooks):
    course.edit("01_shapes/shapes.py", "# Multiply first.", "# product = width * height")
    assert "product = width * height" in secrets([source.read(notebooks[0].path)])["01.1"]


@pytest.mark.parametrize(
    "name, text",
    [
        ("page.py", f"def area(width, height):\n    {ANSWER}\n"),
        ("page.html", f"<pre><span>return</span> <b>abs</b>{ANSWER.replace('<', '&lt;')[10:]}</pre>"),
        ("page.html", f'<a title="{ANSWER.replace("<", "&lt;")}"></a>'),
        ("page.ipynb", json.dumps({"cells": [{"outputs": [{"text": ["def area\n", f"  {ANSWER}\n"]}]}]})),
        ("page.ipynb", json.dumps({"cells": [{"traceback": [f"\x1b[31m{ANSWER.replace(' if', chr(27) + '[0m if')}"]}]})),
        ("page.txt", "    ### BEGIN SOLUTION\n"),
        ("page.txt", "the region end_solution"),
    ],
    ids=["source", "coloured page", "attribute", "notebook", "traceback", "mark", "mark in disguise"],
)
def test_an_answer_is_found_in_every_disguise(name, text, tmp_path, notebooks):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert {leak.path.name for leak in leaks(tmp_path, notebooks)} == {name}


@pytest.mark.parametrize("text", ["return abs(product)", "my.product = width * height", "product = width * heights", "SOLUTION"])
def test_half_a_line_and_longer_names_are_no_answer(text, tmp_path, notebooks):
    (tmp_path / "page.txt").write_text(text, encoding="utf-8")
    assert leaks(tmp_path, notebooks) == []


def test_a_picture_is_passed_over(tmp_path, notebooks):
    (tmp_path / "page.png").write_bytes(b"\x89PNG\xff\xfe")
    assert leaks(tmp_path, notebooks) == []
