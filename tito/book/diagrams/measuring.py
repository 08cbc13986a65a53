"""Diagrams of measuring: times, spans, the roofline."""

import numpy as np

from tito.book.svg import BLUE, GREEN, INK, ORANGE, RED, SOFT, Drawing


def roofline():
    """Draw which roof stops an op: the memory's, or the arithmetic's."""
    title = (
        "A roofline. Across: FLOPs for each byte; up: FLOPs a second; both grow by powers of ten. A sloped "
        "roof is as fast as memory brings "
        "bytes, a flat roof as fast as the processor computes. Adding two arrays, a twelfth of a FLOP a "
        "byte, is below the sloped roof; a "
        "large matrix product is below the flat one."
    )
    sheet = Drawing(520, 300, title)
    sheet.line((60, 250), (500, 250), arrow=True)
    sheet.line((60, 250), (60, 20), arrow=True)
    sheet.line((70, 230), (280, 80), (490, 80), colour=INK, weight=2.5)
    sheet.line((280, 80), (280, 250), dashed=True)
    sheet.text(150, 140, "memory", 14, bold=True)
    sheet.text(390, 70, "arithmetic", 14, bold=True)
    for x, y, words, colour in ((120, 210, "add", ORANGE), (410, 100, "matmul", BLUE)):
        sheet.raw(f'<circle cx="{x}" cy="{y}" r="8" fill="{colour}" stroke="#ffffff"/>')
        sheet.text(x + 14, y + 18, words, 14, anchor="start", mono=True)
    sheet.text(280, 290, "FLOPs for each byte (each step: 10 times)", 13)
    sheet.raw(
        f'<text transform="translate(24,140) rotate(-90)" font-size="13" text-anchor="middle" style="fill:{INK}">'
        "FLOPs a second</text>"
    )
    sheet.text(170, 268, "faster memory helps", 12, colour=SOFT)
    sheet.text(390, 268, "faster arithmetic helps", 12, colour=SOFT)
    return sheet


def timings():
    """Draw thirty times of one call: where the median, the quartiles and the mean are."""
    rng = np.random.default_rng(3)
    times = np.concatenate([100 + rng.gamma(2, 13, 28), [255, 405]]).round()
    low, median, high = np.quantile(times, [0.25, 0.5, 0.75])
    mean = times.mean()
    title = (
        f"Thirty times of one call, in microseconds. Most are between {times.min():.0f} and {np.sort(times)[-3]:.0f}; two are "
        f"{times[-2]:.0f} and {times[-1]:.0f}, because the machine did something else. The median is {median:.0f}, half of all "
        f"times are between {low:.0f} and {high:.0f}. The mean, {mean:.0f}, is above the upper quartile."
    )
    sheet = Drawing(520, 226, title)
    place = lambda time: 20 + (time - 90) * 470 / 330
    sheet.box(place(low), 44, place(high) - place(low), 108, BLUE, radius=2)
    heights = {}
    for time in np.sort(times):  # times that would cover each other are put on top of each other
        column = round(place(time) / 8)
        heights[column] = heights.get(column, -1) + 1
        colour = RED if time in times[-2:] else INK
        sheet.raw(f'<circle cx="{8 * column}" cy="{142 - 9 * heights[column]}" r="3.6" fill="{colour}"/>')
    sheet.line((place(median), 38), (place(median), 152), colour=BLUE, weight=2.5)
    sheet.text(place(median), 32, f"median {median:.0f}", 13, colour=BLUE, bold=True)
    sheet.line((place(mean), 60), (place(mean), 152), colour=RED, dashed=True, weight=2)
    sheet.text(place(mean) + 8, 70, f"mean {mean:.0f}: above three quarters of them", 12.5, anchor="start", colour=RED)
    sheet.text(place(340), 124, "something else ran", 12, colour=RED)
    sheet.line((20, 152), (505, 152), arrow=True)
    for time in (100, 200, 300, 400):
        sheet.text(place(time), 172, time, 12)
    sheet.text(505, 172, "µs", 12, anchor="end")
    words = f"blue: from quartile to quartile, {low:.0f} to {high:.0f}; half of the times"
    sheet.text(20, 206, words, 12.5, anchor="start", colour=BLUE)
    return sheet


def spans():
    """Draw the spans of a small backward pass, nested, with the time that each has for itself."""
    made = [  # name, depth, beginning, end; in microseconds
        ("linear", 0, 0, 60),
        ("relu", 0, 64, 90),
        ("backward", 0, 96, 240),
        ("relu backward", 1, 104, 150),
        ("mul", 2, 116, 142),
        ("linear backward", 1, 156, 232),
        ("matmul", 2, 166, 226),
    ]
    inside = lambda span: sum(d - c for _, depth, c, d in made if depth == span[1] + 1 and span[2] <= c and d <= span[3])
    own = {span[0]: span[3] - span[2] - inside(span) for span in made}
    backward = made[2]
    title = (
        "Spans on a timeline. At depth 0: linear, relu, backward. Inside backward, at depth 1: relu backward and linear "
        "backward. Inside those, at depth 2: mul and matmul. A span's own time is its duration without the spans directly "
        "inside it, in microseconds: " + ", ".join(f"{name} {time}" for name, time in own.items()) + "."
    )
    sheet = Drawing(520, 236, title)
    place = lambda time: 64 + time * 436 / 240
    for name, depth, began, ended in made:
        y = 30 + 50 * depth
        sheet.box(place(began), y, place(ended) - place(began), 38, (BLUE, ORANGE, GREEN)[depth])
        wide = place(ended) - place(began)
        sheet.text(place(began) + wide / 2, y + 16, name, 11)
        sheet.text(place(began) + wide / 2, y + 32, f"own {own[name]}", 11, colour=SOFT)
    for depth in range(3):
        sheet.text(8, 54 + 50 * depth, f"depth {depth}", 12, anchor="start", colour=SOFT)
    sheet.line((64, 184), (505, 184), arrow=True)
    for time in (0, 60, 120, 180, 240):
        sheet.text(place(time), 202, time, 12, anchor="end" if time == 240 else "middle")
    sheet.text(8, 202, "µs", 12, anchor="start")
    words = f"own time: without the spans directly inside; backward: {backward[3] - backward[2]} - {inside(backward)} = "
    words += str(own["backward"])
    sheet.text(8, 228, words, 12, anchor="start")
    return sheet
