"""The map of the course on the first page: the manifest's modules as a graph, with hours and what each leaves behind."""

import html
import textwrap

from tito import workspace
from tito.notebooks import source

BOX, HEIGHT, ACROSS, DOWN, EDGE = 238, 140, 20, 34, 3  # width and height of a box, gaps between boxes, margin; in pixels
LETTERS = 26  # of a line in a box
PHONE = 62  # pixels by which a box is wider if there is one column
CSS = "tt-map"


def markup(curriculum):
    """Return the map as HTML: four columns for a wide screen, one for a phone.

    Args:
        curriculum: The `Curriculum`.
    """
    facts = {module.number: Facts(module, curriculum) for module in curriculum.modules}
    wide, narrow = (drawing(curriculum, facts, columns) for columns in (4, 1))
    return f'<div class="{CSS} {CSS}-wide">{wide}</div>\n<div class="{CSS} {CSS}-narrow">{narrow}</div>\n'


class Facts:
    """What a box says of a module."""

    def __init__(self, module, curriculum):
        self.module, self.there = module, not workspace.is_to_come(module)
        exercises = source.read(workspace.course_source(module)).exercises() if self.there else []
        self.core = [exercise for exercise in exercises if not exercise.extension]
        self.minutes = sum(exercise.minutes for exercise in self.core)
        self.milestones = [milestone for milestone in curriculum.milestones if milestone.requires == (module.number,)]

    @property
    def work(self):
        """How long it takes, in words."""
        if not self.there:
            return "not in this release yet"
        hours, minutes = divmod(self.minutes, 60)
        span = " ".join([f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes))
        return f"{span} · {len(self.core)} exercise{'s' * (len(self.core) != 1)}"


def places(modules, columns):
    """Return the left upper corner of each module's box, by number."""
    margin = EDGE if columns > 1 else 22  # one column has arrows beside it
    return {
        module.number: (margin + at % columns * (BOX + ACROSS), EDGE + at // columns * (HEIGHT + DOWN))
        for at, module in enumerate(modules)
    }


def drawing(curriculum, facts, columns):
    """Return the graph as SVG that links to the modules' pages and takes its colours from the page."""
    corners = places(curriculum.modules, columns)
    box = BOX if columns > 1 else BOX + PHONE
    width = max(x for x, _ in corners.values()) + box + EDGE
    height = max(y for _, y in corners.values()) + HEIGHT + EDGE
    label = "Map of the course: each module points to the modules that need it"
    arrows = [
        arrow(corners[needed], corners[module.number], columns, box)
        for module in curriculum.modules
        for needed in module.requires
    ]
    boxes = [card(facts[module.number], *corners[module.number], box) for module in curriculum.modules]
    return "".join(
        [
            f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="group" aria-label="{label}">',
            *arrows,
            *boxes,
            "</svg>",
        ]
    )


def arrow(start, end, columns, box):
    """Return the line from a module to one that needs it: straight to a neighbour, and otherwise between the rows."""
    (x0, y0), (x1, y1) = start, end
    if y0 == y1 and x1 - x0 <= box + ACROSS:
        points = [(x0 + box, y0 + HEIGHT / 2), (x1, y1 + HEIGHT / 2)]
    elif x0 == x1 and y1 - y0 <= HEIGHT + DOWN:
        points = [(x0 + box / 2, y0 + HEIGHT), (x1 + box / 2, y1)]
    elif columns == 1:
        points = [(x0, y0 + HEIGHT / 2), (x0 - 13, y0 + HEIGHT / 2), (x0 - 13, y1 + HEIGHT / 2), (x1, y1 + HEIGHT / 2)]
    else:
        between = y1 - DOWN / 2
        points = [(x0 + box / 2, y0 + HEIGHT), (x0 + box / 2, between), (x1 + box / 2, between), (x1 + box / 2, y1)]
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    return f'<polyline class="{CSS}-edge" points="{path}"/>{head(points[-2], points[-1])}'


def head(before, end):
    """Return the head of an arrow, which ends in a box's side or top."""
    (x0, y0), (x1, y1) = before, end
    across = (x1 > x0) - (x1 < x0)
    corners = [(x1 - 8, y1 - 4.5), (x1 - 8, y1 + 4.5)] if across and y0 == y1 else [(x1 - 4.5, y1 - 8), (x1 + 4.5, y1 - 8)]
    return f'<polygon class="{CSS}-head" points="{x1:g},{y1:g} ' + " ".join(f"{x:g},{y:g}" for x, y in corners) + '"/>'


def card(facts, x, y, width):
    """Return a module's box, a link if the module is there."""
    module = facts.module
    lines = textwrap.wrap(module.leaves, LETTERS + (width - BOX) // 7)[:3]
    spoken = html.escape(f"Module {module.number}, {module.title}: {facts.work}. {module.leaves}")
    texts = [
        text(x + 12, y + 26, f"{module.number}  {module.title}", "title"),
        text(x + 12, y + 47, facts.work, "work"),
        *(text(x + 12, y + 72 + 18 * number, line, "leaves") for number, line in enumerate(lines)),
    ]
    if facts.milestones:
        names = ", ".join(milestone.name for milestone in facts.milestones)
        texts.append(text(x + 12, y + HEIGHT - 10, f"▸ {names}", "milestone"))
    body = f'<rect class="{CSS}-box" x="{x}" y="{y}" width="{width}" height="{HEIGHT}" rx="8"/>' + "".join(texts)
    if not facts.there:
        return f'<g class="{CSS}-to-come" role="img" aria-label="{spoken}">{body}</g>'
    return f'<a href="modules/{module.folder}.html" aria-label="{spoken}">{body}</a>'


def text(x, y, words, kind):
    """Return a line of text."""
    return f'<text x="{x:g}" y="{y:g}" class="{CSS}-{kind}">{html.escape(words)}</text>'
