"""The book's diagrams, drawn where a reader would draw one: numbers are computed, so that none is wrong.

Each is at most 520 pixels wide, so that its words can be read on a phone.
"""

import re

import numpy as np

from tito.book.svg import BLUE, GREEN, INK, LINE, ORANGE, RED, SOFT, Drawing

CELL = 34  # side of an entry, in pixels
FOLDER = "diagrams"


def grid(sheet, x, y, values, colour, cell=CELL, ghost=lambda i, j: False, size=13):
    """Add an array's entries as boxes; those for which `ghost` is true are not in memory."""
    rows, columns = values.shape
    for i in range(rows):
        for j in range(columns):
            tint = colour(i, j) if callable(colour) else colour
            faint = ghost(i, j)
            sheet.box(
                x + cell * j, y + cell * i, cell, cell, LINE if faint else tint, filled=not faint, weight=0.7 if faint else 1.2
            )
            if values[i, j] != "":
                sheet.text(
                    x + cell * (j + 0.5), y + cell * (i + 0.5) + size / 2.8, values[i, j], size, colour=SOFT if faint else INK
                )


def broadcasting():
    """Draw a column plus a row: each is stretched to the other's size."""
    column, row = np.array([[0], [10], [20]]), np.array([[1, 2, 3, 4]])
    total = column + row
    title = (
        "Broadcasting: a column of shape (3, 1), 0, 10, 20, and a row of shape (4,), 1, 2, 3, 4, are each "
        "repeated to shape (3, 4), "
        "without copies. Their sum is the table 1 2 3 4, 11 12 13 14, 21 22 23 24."
    )
    sheet = Drawing(520, 300, title)
    wide = CELL * 4
    for x, values, colour, ghost, words in (
        (10, np.broadcast_to(column, total.shape), ORANGE, lambda i, j: j > 0, "(3, 1)"),
        (10 + wide + 48, np.broadcast_to(row, total.shape), BLUE, lambda i, j: i > 0, "(4,)"),
    ):
        grid(sheet, x, 34, values, colour, ghost=ghost)
        sheet.text(x + wide / 2, 20, f"shape {words}", 14)
    sheet.text(10 + wide + 24, 34 + 1.5 * CELL + 7, "+", 22)
    sheet.text(10, 34 + 3 * CELL + 20, "grey: read again, not copied", 12, anchor="start", colour=SOFT)
    x = 10 + wide + 48
    sheet.text(x - 24, 178 + 1.5 * CELL + 7, "=", 22)
    grid(sheet, x, 178, total, GREEN)
    sheet.text(x + wide + 12, 178 + 1.5 * CELL + 5, "shape (3, 4)", 14, anchor="start")
    return sheet


def walk_back():
    """Draw how a gradient walks back through x * w + x, where x is used twice."""
    x, w = 3.0, 2.0
    product, result = x * w, x * w + x
    gradients = {"w": x, "x": w + 1.0}
    title = (
        f"The walk back. Forward: x = {x:g} and w = {w:g} give x·w = {product:g}, and adding x gives "
        f"{result:g}. Backward, the gradient 1 of the "
        f"result arrives at add, which passes 1 to the product and 1 to x. mul passes {x:g} to w and {w:g} to "
        f"x. x gets the sum, {w:g} + 1 = "
        f"{gradients['x']:g}."
    )
    sheet = Drawing(520, 250, title)
    places = {"x": (60, 60), "w": (60, 170), "mul": (230, 170), "add": (390, 60)}
    texts = {"x": f"x = {x:g}", "w": f"w = {w:g}", "mul": f"mul: {product:g}", "add": f"add: {result:g}"}
    for name, (cx, cy) in places.items():
        sheet.box(cx - 45, cy - 18, 90, 36, BLUE if name in "xw" else SOFT, radius=8)
        sheet.text(cx, cy + 5, texts[name], 14, mono=True)
    for start, end in ((("x"), "add"), ("x", "mul"), ("w", "mul"), ("mul", "add")):
        (x0, y0), (x1, y1) = places[start], places[end]
        sheet.line((x0 + 45, y0), (x1 - 47, y1), arrow=True)
    for cx, cy, words in (
        (455, 50, "1"),
        (245, 50, "1"),
        (335, 135, "1"),
        (148, 162, f"{x:g}"),
        (172, 105, f"{w:g}"),
    ):
        sheet.text(cx, cy, f"◂ {words}", 15, colour=RED, bold=True)
    sheet.text(60, 32, f"grad {w:g} + 1 = {gradients['x']:g}", 13, colour=RED)
    sheet.text(60, 210, f"grad {gradients['w']:g}", 13, colour=RED)
    sheet.text(10, 240, "black: forward.   red ◂: gradients; where two meet, they are added", 12, anchor="start")
    return sheet


def im2col():
    """Draw a picture's windows as rows of a table, times a filter: a convolution as one product."""
    picture = np.arange(1, 17).reshape(4, 4)
    windows = np.lib.stride_tricks.sliding_window_view(picture, (3, 3)).reshape(4, 9)
    colours = (ORANGE, BLUE, GREEN, RED)
    title = (
        "Im2col: a 4 by 4 picture with the numbers 1 to 16 has four windows of 3 by 3. Each window becomes a "
        "row of nine numbers; the first "
        "is 1 2 3 5 6 7 9 10 11. This table of shape (4, 9), times the filter as a column of nine, gives the four outputs."
    )
    sheet = Drawing(520, 336, title)
    grid(sheet, 10, 30, picture, SOFT, cell=30)
    sheet.text(70, 20, "picture (4, 4)", 13)
    sheet.box(10, 30, 90, 90, ORANGE, filled=False, weight=3)
    sheet.box(42, 32, 88, 88, BLUE, filled=False, weight=3)
    sheet.line((150, 90), (196, 90), arrow=True)
    sheet.text(250, 20, "filter (3, 3)", 13)
    grid(sheet, 210, 30, np.array([["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]]), SOFT, cell=27)
    sheet.text(305, 65, "slides over four places:", 12.5, anchor="start")
    sheet.text(305, 83, "each window becomes a row", 12.5, anchor="start")
    grid(sheet, 10, 182, windows, lambda i, j: colours[i], cell=30, size=12)
    sheet.text(145, 172, "windows as rows (4, 9)", 13)
    sheet.text(300, 246, "@", 18)
    grid(sheet, 322, 164, np.array([list("abcdefghi")]).T, SOFT, cell=17, size=11)
    sheet.text(331, 332, "(9,)", 12)
    sheet.text(368, 246, "=", 18)
    grid(sheet, 390, 212, np.array([["·", "·"], ["·", "·"]]), lambda i, j: colours[2 * i + j], cell=30)
    sheet.text(420, 202, "output (2, 2)", 13)
    return sheet


def memory_order():
    """Draw a table and its memory: a row is one stretch, a column is one entry from each stretch."""
    table = np.arange(12).reshape(3, 4)
    title = (
        "Memory order: a table of 3 rows and 4 columns, entries 0 to 11. In memory its rows follow each "
        "other, 0 to 11. The entries of row 1, "
        "4 to 7, are neighbours, one step apart; those of column 1, namely 1, 5 and 9, are four steps apart."
    )
    sheet = Drawing(520, 262, title)
    colour = lambda i, j: BLUE if i == 1 else ORANGE if j == 1 else SOFT
    grid(sheet, 180, 26, table, colour)
    sheet.text(248, 16, "table (3, 4)", 13)
    sheet.text(170, 26 + 1.5 * CELL + 5, "row 1", 13, anchor="end", colour=BLUE)
    sheet.text(180 + 1.5 * CELL, 26 + 3 * CELL + 17, "column 1", 13, colour=ORANGE)
    memory = table.reshape(1, 12)
    grid(sheet, 14, 180, memory, lambda i, j: colour(j // 4, j % 4), cell=41)
    sheet.text(14, 170, "memory", 13, anchor="start")
    x = [14 + 41 * (at + 0.5) for at in range(12)]
    for at in (1, 5):
        sheet.line((x[at], 223), (x[at], 236), (x[at + 4], 236), (x[at + 4], 224), colour=ORANGE, arrow=True)
    sheet.text(x[5], 254, "a column: every fourth entry", 13, colour=ORANGE)
    sheet.text(x[9] + 10, 254, "a row: neighbours", 13, colour=BLUE)
    return sheet


def threads_and_blocks():
    """Draw 11 entries, served by three blocks of four threads; the last thread has nothing to do."""
    count, width = 11, 4
    blocks = -(-count // width)
    title = (
        f"Threads and blocks: an array of {count} entries and {blocks} blocks of {width} threads. Thread t of "
        f"block b computes entry "
        f"b times {width} plus t. Thread 3 of block 2 would compute entry 11, which does not exist: the guard if i < n stops it."
    )
    sheet = Drawing(520, 232, title)
    cell = 40
    for b in range(blocks):
        x = 10 + b * (width * cell + 8)
        sheet.box(x, 24, width * cell, 66, BLUE, radius=6)
        sheet.text(x + width * cell / 2, 42, f"block {b}", 13, bold=True)
        for t in range(width):
            i, at = b * width + t, x + (t + 0.5) * cell
            idle = i >= count
            fill, line = ("#f1f1f1", RED) if idle else ("#ffffff", BLUE)
            sheet.raw(f'<circle cx="{at:g}" cy="68" r="14" fill="{fill}" stroke="{line}"/>')
            sheet.text(at, 73, t, 13)
            sheet.line((at, 92), (at, 128), colour=RED if idle else LINE, arrow=not idle, dashed=idle)
            if not idle:
                sheet.box(at - cell / 2 + 1, 130, cell - 2, 34, GREEN)
                sheet.text(at, 152, i, 13)
            else:
                sheet.text(at, 152, "none", 12, colour=RED)
    sheet.text(10, 16, "threads", 13, anchor="start")
    sheet.text(10, 186, "entries of the array", 13, anchor="start")
    sheet.text(10, 216, f"i = block · {width} + thread;   if i < {count}: out[i] = ...", 14, anchor="start", mono=True)
    return sheet


def batches():
    """Draw how an epoch deals a shuffled data set into batches."""
    rng = np.random.default_rng(1)
    order = rng.permutation(10)
    title = (
        "An epoch: ten examples, 0 to 9, are shuffled to the order "
        + " ".join(map(str, order))
        + " and dealt into batches of 4, 4 and 2. "
        "Every example occurs once."
    )
    sheet = Drawing(520, 216, title)
    grid(sheet, 14, 30, np.arange(10).reshape(1, 10), SOFT, cell=48)
    sheet.text(14, 20, "data set: ten examples", 13, anchor="start")
    sheet.line((254, 84), (254, 108), arrow=True)
    sheet.text(264, 101, "a new order for each epoch", 13, anchor="start")
    colours = (BLUE, ORANGE, GREEN)
    grid(sheet, 14, 116, order.reshape(1, 10), lambda i, j: colours[j // 4], cell=48)
    for number, (start, end) in enumerate(((0, 4), (4, 8), (8, 10))):
        sheet.line((18 + 48 * start, 170), (18 + 48 * start, 178), (10 + 48 * end, 178), (10 + 48 * end, 170))
        sheet.text(14 + 24 * (start + end), 200, f"batch {number}", 13, colour=colours[number])
    return sheet


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


ALL = {
    drawing.__name__.replace("_", "-"): drawing
    for drawing in (broadcasting, walk_back, im2col, memory_order, threads_and_blocks, batches, roofline)
}


PLACES = {  # module and heading -> the diagram that its page shows there
    ("01_tensor", "Broadcasting"): "broadcasting",
    ("05_autograd", "The walk"): "walk-back",
    ("07_data", "Batches"): "batches",
    ("09_profiling", "What the machine can do"): "roofline",
    ("10_kernels", "Twenty-three times through memory"): "memory-order",
    ("12_cnn", "Convolution is a matrix product"): "im2col",
}


def in_place(name, text):
    """Return the Markdown of the diagram that belongs below a module's heading, or None.

    Args:
        name: The module's folder.
        text: The text of a cell.
    """
    for (module, heading), drawing in PLACES.items():
        if module == name and re.search(rf"^## {re.escape(heading)}$", text, re.MULTILINE):
            return figure(drawing, "../")
    return None


def figure(name, up=""):
    """Return a diagram as Markdown, for a page that is in a folder if `up` is "../"."""
    return f"![{ALL[name]().title}]({up}{FOLDER}/{name}.svg)"


def files():
    """Return all diagrams as SVG, by path within the book."""
    return {f"{FOLDER}/{name}.svg": str(drawing()) for name, drawing in ALL.items()}
