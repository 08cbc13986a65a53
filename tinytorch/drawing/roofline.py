"""A roofline: how fast each op ran, compared with the most that the machine can do; as SVG. Given.

Across: arithmetic intensity, the FLOPs for each byte. Up: FLOPs a second. Both scales are logarithmic.
The sloped roofs show how many bytes a second the machine can move, the flat roof how many FLOPs a second it can do.
"""

import html
import math

from tinytorch.drawing.graph import Drawing
from tinytorch.given.profiling import shortened

LEFT, TOP, WIDTH, HEIGHT = 64, 16, 400, 316  # of the plot; in pixels
LEGEND, LINE, MOST = 490, 22, 12  # where the list begins, the height of its lines, and how many dots there are at most
RIGHT, BOTTOM = 800, 384  # of the whole drawing
STYLE = (
    "text{font:12px sans-serif;fill:#222}.small{font-size:10px;fill:#555}.mid{text-anchor:middle}.end{text-anchor:end}"
    ".roof{stroke:#333;stroke-width:1.6;fill:none}.cache{stroke:#333;stroke-width:1.2;stroke-dasharray:5 4;fill:none}"
    ".grid{stroke:#e4e4e4}.dot{fill:#2f6db3;fill-opacity:.75;stroke:#fff}.tie{stroke:#777;stroke-width:.8}"
    ".number{font-size:10px;text-anchor:middle}"
)
AWAY, DIGIT = (7, 17, 28), 6  # distances of a number from its dot, nearest first; and the room that it needs
ANGLES = [math.pi * step / 8 for step in range(16)]
UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def draw(rows, machine):
    """Draw the roofline of a machine, with ops on it: the larger the dot, the longer the op took in total.

    Args:
        rows: Objects with ``name``, ``kernels``, ``seconds``, ``flops`` and ``moved`` (bytes), such as a profile's rows. Rows
            without FLOPs are left out. Of the others the twelve slowest are drawn, if they took at least a hundredth of the
            slowest one's time.
        machine: Object with ``flops`` (a second), ``memory`` and ``cache`` (bytes a second), such as `measure_machine` returns.

    Returns:
        `Drawing`: a notebook shows it; ``.save("roofline.svg")`` writes a file.

    Raises:
        ValueError: No row has FLOPs, bytes and a time.

    Example:
        >>> from types import SimpleNamespace as Some
        >>> op = Some(name="matmul", kernels="numpy", seconds=0.1, flops=1e9, moved=1e8)
        >>> draw([op], Some(flops=1e11, memory=1e10, cache=5e10)).count('class="dot"')
        1
    """
    rows = sorted((row for row in rows if min(row.flops, row.moved, row.seconds) > 0), key=lambda row: -row.seconds)
    if not rows:
        raise ValueError("a roofline needs ops with FLOPs, bytes and a time: none of these has all three")
    plot = Plot([row for row in rows[:MOST] if row.seconds >= rows[0].seconds / 100], machine)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{RIGHT}" height="{BOTTOM}" viewBox="0 0 {RIGHT} {BOTTOM}" '
        f'style="max-width:100%;height:auto"><style>{STYLE}</style><rect width="100%" height="100%" fill="#ffffff"/>'
    )
    return Drawing("\n".join([head, *plot.grid(), *plot.roofs(), *plot.dots(), *plot.legend(), "</svg>"]))


class Plot:
    """The two scales, and what is drawn on them."""

    def __init__(self, rows, machine):
        self.rows, self.machine = rows, machine
        ridges = [machine.flops / machine.memory, machine.flops / machine.cache]
        self.across = whole_decades([row.flops / row.moved for row in rows] + ridges)
        self.up = whole_decades([row.flops / row.seconds for row in rows] + [machine.flops, machine.flops * 1.5])

    def x(self, intensity):
        """Return the position of an intensity, in pixels from the left."""
        low, high = self.across
        return LEFT + WIDTH * (math.log10(intensity) - low) / (high - low)

    def y(self, rate):
        """Return the position of a number of FLOPs a second, in pixels from the top."""
        low, high = self.up
        return TOP + HEIGHT * (high - math.log10(rate)) / (high - low)

    def grid(self):
        """Return a line and a number for every power of ten."""
        for power in range(self.across[0], self.across[1] + 1):
            x = self.x(10.0**power)
            yield line("grid", (x, TOP), (x, TOP + HEIGHT))
            yield text(x, TOP + HEIGHT + 15, f"{10.0**power:g}", "small mid")
        for power in range(self.up[0], self.up[1] + 1):
            y = self.y(10.0**power)
            yield line("grid", (LEFT, y), (LEFT + WIDTH, y))
            yield text(LEFT - 6, y + 3.5, short(10.0**power), "small end")
        yield text(LEFT + WIDTH / 2, TOP + HEIGHT + 36, "FLOPs for each byte", "mid")
        yield text(0, 0, "FLOPs a second", "mid", f'transform="translate(14,{TOP + HEIGHT / 2:.0f}) rotate(-90)"')

    def roofs(self):
        """Return the flat roof, and a sloped one for the memory and one for the cache."""
        top = self.machine.flops
        yield text(self.x(top / self.machine.cache) + 4, self.y(top) - 6, f"matrix product {short(top)}FLOP/s", "small")
        for kind, rate, name in (("cache", self.machine.cache, "cache"), ("roof", self.machine.memory, "memory")):
            points = self.corners(rate)
            yield f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'
            yield self.along(points[0], points[1], f"{name} {short(rate)}B/s", *((12, 0.7) if kind == "roof" else (-5, 0.5)))

    def corners(self, rate):
        """Return where a roof begins, where it becomes flat, and where it ends."""
        start, top = max(10.0 ** self.across[0], 10.0 ** self.up[0] / rate), self.machine.flops
        return [(self.x(i), self.y(min(top, i * rate))) for i in (start, top / rate, 10.0 ** self.across[1])]

    def marked(self):
        """Return points close to each other on the roofs and on the words above the flat one, to keep numbers away from them."""
        start, ridge, end = self.corners(self.machine.cache)
        words = (ridge[0], ridge[1] - 9), (min(ridge[0] + 150, end[0]), end[1] - 9)
        sides = (start, ridge), (ridge, end), self.corners(self.machine.memory)[:2], words
        return [(a[0] + (b[0] - a[0]) * part / 40, a[1] + (b[1] - a[1]) * part / 40) for a, b in sides for part in range(41)]

    def along(self, start, end, words, away, part):
        """Return words along a sloped roof, above it or below."""
        (x0, y0), (x1, y1) = start, end
        x, y = x0 + (x1 - x0) * part, y0 + (y1 - y0) * part
        angle = math.degrees(math.atan2(y1 - y0, x1 - x0))
        return text(0, away, words, "small mid", f'transform="translate({x:.1f},{y:.1f}) rotate({angle:.1f})"')

    def dots(self):
        """Return a dot for each op, then the numbers: beside their dots or, where dots are crowded, joined to them by a line."""
        longest = self.rows[0].seconds
        dots = [
            (self.x(row.flops / row.moved), self.y(row.flops / row.seconds), 3.5 + 6.5 * math.sqrt(row.seconds / longest))
            for row in self.rows
        ]
        yield from (f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}"/>' for x, y, size in dots)
        taken = [*dots, *((x, y, 0) for x, y in self.marked())]
        for number, (x, y, size) in enumerate(dots, 1):
            others = taken[: number - 1] + taken[number:]
            place, away = beside(x, y, size, others)
            if away > AWAY[0]:
                part = 1 - DIGIT / (size + away)
                yield line("tie", (x, y), (x + (place[0] - x) * part, y + (place[1] - y) * part))
            yield text(place[0], place[1] + 3.5, str(number), "number")
            taken.append((*place, DIGIT))

    def legend(self):
        """Return the list of ops: number, name, FLOPs and bytes a second."""
        yield text(RIGHT - 62, TOP + 8, "FLOP/s", "small end")
        yield text(RIGHT - 10, TOP + 8, "B/s", "small end")
        for number, row in enumerate(self.rows, 1):
            y = TOP + 8 + LINE * number
            yield text(LEGEND + 14, y, str(number), "number")
            yield text(
                LEGEND + 26, y, shortened(f"{row.name} {row.kernels if row.kernels != 'numpy' else ''}".strip(), most=30), "small"
            )
            yield text(RIGHT - 62, y, short(row.flops / row.seconds), "small end")
            yield text(RIGHT - 10, y, short(row.moved / row.seconds), "small end")


def whole_decades(values):
    """Return the powers of ten around some positive numbers, at least one apart."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def beside(x, y, size, taken):
    """Return a place near a dot, inside the plot and clear of what is taken, and its distance from the dot's edge.

    Args:
        x: Where the dot is, from the left.
        y: The same from the top.
        size: Its radius.
        taken: Other things, as (x, y, radius).
    """
    candidates = []
    for away in AWAY:
        around = [(x + (size + away) * math.cos(angle), y - (size + away) * math.sin(angle)) for angle in ANGLES]
        inside = [place for place in around if LEFT + 6 < place[0] < LEFT + WIDTH - 6 and TOP + 6 < place[1] < TOP + HEIGHT - 6]
        for place in inside:
            room = min((math.dist(place, other[:2]) - other[2] for other in taken), default=DIGIT)
            candidates.append((round(min(room, DIGIT + 2), 3), -away, place))  # a cosine's last digits vary
    room, away, place = max(candidates, key=lambda candidate: candidate[:2], default=(0, -AWAY[0], (x, y)))
    return place, -away


def short(value):
    """Return a number with its thousands as a letter: 12.3 G."""
    unit, letter = next(((unit, letter) for unit, letter in UNITS if value >= unit), (1, ""))
    return f"{value / unit:.3g} {letter}"


def line(kind, start, end):
    """Return a line."""
    return f'<line class="{kind}" x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"/>'


def text(x, y, words, style, more=""):
    """Return a line of text."""
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" {more}>{html.escape(words)}</text>'.replace(" >", ">")
