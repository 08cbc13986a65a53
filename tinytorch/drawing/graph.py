"""A drawing of where a tensor came from, as SVG. Given."""

import html
from pathlib import Path

from tinytorch.tensor import Tensor

WIDTH, HEIGHT, ACROSS, DOWN, MARGIN = 104, 46, 44, 16, 10  # of a box, between boxes, around all; in pixels
MOST = 200  # boxes; a larger graph is unreadable
COLOURS = {"leaf": ("#dceafc", "#2f6db3"), "constant": ("#f1f1f1", "#8a8a8a"), "result": ("#ffffff", "#333333")}
STYLE = (
    "text{font:12px sans-serif;text-anchor:middle;fill:#222}.small{font-size:10px;fill:#555}"
    ".grad{font-size:10px;fill:#b3261e}path{fill:none;stroke:#777;stroke-width:1.2}"
)


class Drawing(str):
    """SVG text that a notebook shows as a picture."""

    def _repr_svg_(self):
        return str(self)

    def save(self, path):
        """Write the picture to a file.

        Args:
            path: Name of the file, such as ``"graph.svg"``.
        """
        Path(path).write_text(self, encoding="utf-8")


def draw(root, gradients=None, **names):
    """Draw the graph of a tensor: what it was computed from on the left, the tensor itself on the right.

    Blue boxes are leaves that want a gradient, grey ones constants. A red line is a gradient.

    Args:
        root: The tensor.
        gradients: Dict from tensors to gradients to write into their boxes; the others show their own ``grad``.
        names: Tensors, by the name to show in their box.

    Returns:
        `Drawing`: a notebook shows it; ``.save("graph.svg")`` writes a file.

    Raises:
        ValueError: The graph has too many boxes to read.

    Example:
        >>> x = Tensor([1.0, 2.0], requires_grad=True)
        >>> draw((x * 3).sum(), x=x).count("<rect")
        5
    """
    boxes = find_boxes(root)
    place(boxes)
    label(boxes, gradients or {}, names)
    width, height = (
        f"{max(ends) + MARGIN:.0f}" for ends in ([box.x + WIDTH for box in boxes], [box.y + HEIGHT for box in boxes])
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'style="max-width:100%;height:auto"><style>{STYLE}</style><rect width="100%" height="100%" fill="#ffffff"/>'
    )
    edges = [edge(box, position) for box in boxes for position in range(len(box.sources))]
    return Drawing("\n".join([head, *edges, *map(picture, boxes), "</svg>"]))


class Box:
    """A tensor or a number, the boxes that it was computed from, its place and its text."""

    def __init__(self, value):
        self.value, self.sources, self.targets = value, None, []
        self.column, self.x, self.y = 0, 0.0, 0.0
        self.lines = []

    @property
    def origin(self):
        return self.value.origin if isinstance(self.value, Tensor) else None


def find_boxes(root):
    """Return the boxes of a tensor's graph, each after its sources."""
    known, finished, stack = {}, [], [Box(root)]
    known[root] = stack[0]
    while stack:
        box = stack[-1]
        if box.sources is None:
            box.sources = [box_of(value, known) for value in (box.origin and box.origin.inputs or ()) if value is not None]
            stack += [source for source in reversed(box.sources) if source.sources is None]
        else:
            stack.pop()
            if box not in finished:
                finished.append(box)
                for source in box.sources:
                    source.targets.append(box)
        if len(finished) > MOST or len(stack) > MOST:
            raise ValueError(f"the graph has more than {MOST} boxes, too many to read: draw an earlier tensor of it")
    return finished


def box_of(value, known):
    """Return the one box of a tensor; a number gets a box wherever it is used."""
    return known.setdefault(value, Box(value)) if isinstance(value, Tensor) else Box(value)


def place(boxes):
    """Put every box to the right of its sources, and near the height of its neighbours."""
    for box in boxes:
        box.column = max((source.column + 1 for source in box.sources), default=0)
    for box in boxes:
        if box.targets and not box.sources:
            box.column = min(target.column for target in box.targets) - 1
    columns = {}
    for box in boxes:
        box.y = len(columns.setdefault(box.column, [])) * (HEIGHT + DOWN)
        columns[box.column].append(box)
    for sweep in range(6):
        for _, row in sorted(columns.items(), reverse=sweep % 2 == 0):
            spread(row, [middle(box.sources if sweep % 2 else box.targets, box.y) for box in row])
    top = min(box.y for box in boxes)
    for box in boxes:
        box.x, box.y = MARGIN + box.column * (WIDTH + ACROSS), MARGIN + box.y - top


def middle(neighbours, otherwise):
    """Return the mean height of some boxes."""
    return sum(box.y for box in neighbours) / len(neighbours) if neighbours else otherwise


def spread(row, wanted):
    """Put the boxes of one column as near to the heights they want as they can be without overlapping."""
    order = sorted(range(len(row)), key=lambda index: wanted[index])
    heights = []
    for index in order:
        heights.append(max(wanted[index], heights[-1] + HEIGHT + DOWN if heights else wanted[index]))
    shift = (sum(heights) - sum(wanted)) / len(row)
    for index, height in zip(order, heights):
        row[index].y = height - shift


def label(boxes, gradients, names):
    """Write into each box its name or its op, its number or shape, and its gradient."""
    titles = {tensor: name for name, tensor in names.items()}
    for box in boxes:
        tensor = box.value if isinstance(box.value, Tensor) else None
        title = " = ".join(filter(None, [titles.get(tensor), box.origin and box.origin.op.name]))
        grad = gradients.get(tensor, tensor is not None and tensor.grad)
        box.lines = [(title, ""), (number_or_shape(box.value), "small" if title else "")]
        box.lines += [(f"grad {number_or_shape(grad)}", "grad")] if isinstance(grad, Tensor) else []


def number_or_shape(value):
    """Return a single number with four digits, the shape of anything larger."""
    array = value.detach().numpy() if isinstance(value, Tensor) else value
    if isinstance(array, (int, float)) or array.size == 1:
        return f"{float(array if isinstance(array, (int, float)) else array.item()):.4g}"
    return str(array.shape)


def edge(box, position):
    """Return the line from a box's source to it; several sources arrive one below the other."""
    source = box.sources[position]
    x0, y0 = source.x + WIDTH, source.y + HEIGHT / 2
    x1, y1 = box.x, box.y + HEIGHT * (position + 1) / (len(box.sources) + 1)
    bend = max(ACROSS, (x1 - x0) / 2) * 0.6
    return (
        f'<path d="M{x0:.1f},{y0:.1f} C{x0 + bend:.1f},{y0:.1f} {x1 - bend:.1f},{y1:.1f} {x1:.1f},{y1:.1f} '
        'm-6,-3.5 l6,3.5 l-6,3.5"/>'
    )


def picture(box):
    """Return the box itself, with its lines of text."""
    fill, line = COLOURS[kind(box)]
    lines = [(text, style) for text, style in box.lines if text]
    left, top = box.x + WIDTH / 2, box.y + HEIGHT / 2 + 4.5 - 7 * (len(lines) - 1)
    texts = "".join(
        f'<text class="{style}" x="{left:.1f}" y="{top + 14 * row:.1f}">{html.escape(text)}</text>'
        for row, (text, style) in enumerate(lines)
    )
    return (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{fill}" stroke="{line}"/>{texts}'
    )


def kind(box):
    """Say what kind of value a box shows."""
    if box.origin:
        return "result"
    return "leaf" if isinstance(box.value, Tensor) and box.value.requires_grad else "constant"
