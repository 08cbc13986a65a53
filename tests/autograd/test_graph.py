"""The drawing of a graph: every tensor once, safe text, no surprises."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from tinytorch.autograd import walk
from tinytorch.drawing.graph import draw
from tinytorch.tensor import Tensor, cat

SVG = "{http://www.w3.org/2000/svg}"


def texts(drawing):
    return [element.text for element in ElementTree.fromstring(drawing).iter(f"{SVG}text")]


def boxes(drawing):
    return [
        {key: float(element.get(key)) for key in ("x", "y", "width", "height")}
        for element in ElementTree.fromstring(drawing).iter(f"{SVG}rect")
        if element.get("x")
    ]


def test_every_tensor_has_a_box_and_every_use_a_line():
    x, b = Tensor(np.ones((2, 3)), requires_grad=True), Tensor([1.0, 2.0, 3.0])
    y = x + b
    drawing = draw((y * y).sum() * 2, x=x, b=b)
    assert texts(drawing) == ["x", "(2, 3)", "b", "(3,)", "add", "(2, 3)", "mul", "(2, 3)", "reduce_sum", "58", "2", "mul", "116"]
    assert drawing.count("<path") == 7 and drawing._repr_svg_() == drawing


def test_boxes_do_not_overlap_and_lie_inside():
    leaves = [Tensor(np.ones((2, n + 1)), requires_grad=True) for n in range(5)]
    joined = cat(*leaves, dim=1)
    drawing = draw((joined.exp() + joined * joined).sum() + (joined[0] * 3).mean())
    placed, root = boxes(drawing), ElementTree.fromstring(drawing)
    for i, one in enumerate(placed):
        assert 0 <= one["x"] and one["x"] + one["width"] <= float(root.get("width"))
        assert 0 <= one["y"] and one["y"] + one["height"] <= float(root.get("height"))
        for other in placed[:i]:
            apart = abs(one["x"] - other["x"]) >= one["width"] or abs(one["y"] - other["y"]) >= one["height"]
            assert apart, (one, other)


def test_gradients_are_written_in_red():
    x = Tensor(3.0, requires_grad=True)
    y = x * x
    gradients = {y: Tensor(1.0)}
    walk(gradients, keep_graph=True, watched={y})
    assert [text for text in texts(draw(y, gradients)) if text.startswith("grad")] == ["grad 6", "grad 1"]
    y.backward()
    assert texts(draw(x, x=x)) == ["x", "3", "grad 6"]


def test_names_are_text_and_files_are_written(tmp_path):
    x = Tensor([1.0], requires_grad=True)
    drawing = draw(x * 2, **{"<b>&": x})
    assert "<b>&" in texts(drawing)
    drawing.save(tmp_path / "graph.svg")
    assert (tmp_path / "graph.svg").read_text(encoding="utf-8") == drawing


def test_the_same_graph_gives_the_same_drawing_and_a_huge_one_is_refused():
    def graph(length):
        y = Tensor([1.0], requires_grad=True)
        for _ in range(length):
            y = y + 1
        return y

    assert draw(graph(9)) == draw(graph(9))
    with pytest.raises(ValueError, match="more than 200 boxes"):
        draw(graph(2_000))
