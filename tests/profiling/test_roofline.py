"""The drawing: well-formed, everything inside of its frame, dots where the numbers are."""

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest

from tinytorch.drawing import roofline
from tinytorch.given.profiling import Row
from tinytorch.profiler import Machine

MACHINE = Machine(flops=1e11, memory=1e10, cache=5e10, threads=1, blas="")
SVG = "{http://www.w3.org/2000/svg}"


def row(name="matmul", seconds=0.1, flops=1e9, moved=1e8, **more):
    return Row(name, seconds, flops, moved, 1, **more)


def parsed(rows, machine=MACHINE):
    return ElementTree.fromstring(roofline.draw(rows, machine))


def box_of(text):
    """Return left, top, right and bottom of a text, at the width of a wide letter for each."""
    small = {"small", "number"} & set(text.get("class").split())
    size = 10 if small else 12
    width, kinds = 0.6 * size * len(text.text), text.get("class").split()
    shift = width / 2 if {"mid", "number"} & set(kinds) else width if "end" in kinds else 0
    x, y, angle, base = float(text.get("x")), float(text.get("y")), 0.0, (0.0, 0.0)
    turned = re.match(r"translate\((.*),(.*)\) rotate\((.*)\)", text.get("transform", ""))
    if turned:
        *base, angle = map(float, turned.groups())
    corners = [(x - shift + dx, y - dy) for dx in (0, width) for dy in (0, size)]
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    places = [(base[0] + a * cos - b * sin, base[1] + a * sin + b * cos) for a, b in corners]
    xs, ys = zip(*places)
    return min(xs), min(ys), max(xs), max(ys)


MANY = [
    row(f"cross_entropy backward: op number {i}", 0.1 / (i + 1), 10.0 ** (i % 5 + 6), 1e7, kernels="numba") for i in range(20)
]
HARD = {
    "one": ([row()], MACHINE),
    "many": (MANY, MACHINE),
    "all at one place": ([row(f"op {i}") for i in range(12)], MACHINE),
    "very slow": ([row(), row("div", 0.09, 1, 8)], MACHINE),
    "above every roof": ([row("relu", 1e-6, 1e9, 1e8)], MACHINE),
    "names of markup": ([row("<script>&\"' backward: mul")], MACHINE),
    "a huge machine": ([row()], Machine(3.1e15, 2.2e12, 9.9e13, 128, "")),
    "a tiny machine": ([row()], Machine(9.9e5, 1.1e5, 1.2e5, 1, "")),
    "a cache no faster than the memory": ([row()], Machine(1e11, 1e10, 1e10, 1, "")),
}


@pytest.mark.parametrize("rows, machine", HARD.values(), ids=HARD)
def test_everything_lies_within_the_frame(rows, machine):
    root = parsed(rows, machine)
    _, _, width, height = map(float, root.get("viewBox").split())
    texts = root.findall(f"{SVG}text")
    assert len(texts) > 10
    for text in texts:
        left, top, right, bottom = box_of(text)
        assert left >= 0 and top >= 0 and right <= width and bottom <= height, text.text
    for circle in root.findall(f"{SVG}circle"):
        x, y, r = (float(circle.get(name)) for name in ("cx", "cy", "r"))
        assert r <= x <= roofline.LEFT + roofline.WIDTH + r and 0 <= y - r and y + r <= height
    for line in root.findall(f"{SVG}polyline"):
        for point in line.get("points").split():
            x, y = map(float, point.split(","))
            assert roofline.LEFT - 0.1 <= x <= roofline.LEFT + roofline.WIDTH + 0.1
            assert roofline.TOP - 0.1 <= y <= roofline.TOP + roofline.HEIGHT + 0.1


@pytest.mark.parametrize("rows, machine", HARD.values(), ids=HARD)
def test_no_line_of_the_list_runs_into_its_numbers(rows, machine):
    texts = [text for text in parsed(rows, machine).findall(f"{SVG}text") if float(text.get("x")) > roofline.LEGEND]
    for a in texts:
        for b in texts:
            if a is not b and a.get("y") == b.get("y"):
                (left, _, right, _), (other, _, far, _) = box_of(a), box_of(b)
                assert right <= other or far <= left, (a.text, b.text)


NEAR = [
    row("conv2d_weight", 0.2, 1.5e10, 4e8),
    row("convolution", 0.19, 1.5e10, 4.1e8),
    row("relu", 0.02, 5e6, 4e7),
    row("mul", 0.02, 1.6e8, 1e9),
    row("matmul", 0.01, 9e8, 1.8e8),
    row("linear", 0.1, 8e9, 2e8),
    row("linear_weight", 0.05, 4e9, 1e8),
]


def test_numbers_stand_beside_the_roofs_and_their_words():
    texts = parsed(NEAR).findall(f"{SVG}text")
    (roof,) = (box_of(text) for text in texts if text.text.startswith("matrix product"))
    numbers = [text for text in texts if text.get("class") == "number" and float(text.get("x")) < roofline.LEGEND]
    assert len(numbers) == len(NEAR)
    boxes = [(left, top, right, bottom - 2) for left, top, right, bottom in map(box_of, numbers)]  # a digit has no descender
    for number, (left, top, right, bottom) in zip(numbers, boxes):
        assert not (left < roof[2] and roof[0] < right and top < roof[3] and roof[1] < bottom), number.text
        assert not top < roofline.Plot(NEAR, MACHINE).y(MACHINE.flops) < bottom, number.text
    for circle in parsed(NEAR).findall(f"{SVG}circle"):
        x, y, r = (float(circle.get(name)) for name in ("cx", "cy", "r"))
        assert all(math.dist((x, y), ((left + right) / 2, (top + bottom) / 2)) > r + 4 for left, top, right, bottom in boxes)
    assert all(a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1] for i, a in enumerate(boxes) for b in boxes[:i])


def test_each_op_has_a_dot_and_a_line_and_they_stand_where_the_numbers_are():
    root = parsed([row(), row("relu", 0.05, 1e6, 8e6)])
    dots = root.findall(f"{SVG}circle")
    assert len(dots) == 2
    plot = roofline.Plot([row(), row("relu", 0.05, 1e6, 8e6)], MACHINE)
    assert float(dots[1].get("cx")) == pytest.approx(plot.x(1 / 8), abs=0.1)
    assert float(dots[1].get("cy")) == pytest.approx(plot.y(2e7), abs=0.1)
    assert float(dots[0].get("r")) > float(dots[1].get("r"))
    words = [text.text for text in root.findall(f"{SVG}text")]
    assert words.index("relu") > words.index("matmul")
    assert "10 G" in words and "20 M" in words


def test_the_roofs_meet_where_the_rates_say():
    plot = roofline.Plot([row()], MACHINE)
    cache, memory = [
        [tuple(map(float, point.split(","))) for point in line.get("points").split()]
        for line in parsed([row()]).findall(f"{SVG}polyline")
    ]
    assert memory[1] == pytest.approx((plot.x(10), plot.y(1e11)), abs=0.1)
    assert cache[1] == pytest.approx((plot.x(2), plot.y(1e11)), abs=0.1)
    assert memory[2][1] == cache[2][1] == pytest.approx(plot.y(1e11), abs=0.1)


def test_what_takes_no_time_or_has_no_flops_has_no_dot():
    rows = [row(), row("transpose", 0.2, 0, 0), row("tiny", 1e-6), Row("Python between the ops", 3.0)]
    assert len(parsed(rows).findall(f"{SVG}circle")) == 1
    with pytest.raises(ValueError, match="none of these has all three"):
        roofline.draw(rows[1:2], MACHINE)
    with pytest.raises(ValueError, match="a roofline needs ops"):
        roofline.draw([], MACHINE)


def test_it_is_saved_as_a_file(tmp_path):
    roofline.draw([row()], MACHINE).save(tmp_path / "roofline.svg")
    assert (tmp_path / "roofline.svg").read_text(encoding="utf-8").startswith("<svg")
