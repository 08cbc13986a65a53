"""Diagrams of kernels for a GPU: threads and blocks, two axes, adding in pairs, tiles."""

import numpy as np

from tito.book.diagrams.shapes import grid
from tito.book.svg import BLUE, GREEN, LINE, ORANGE, PALE, RED, SOFT, Drawing


def threads_and_blocks():
    """Draw ten entries, served by three blocks of four threads; the last two threads have nothing to do."""
    count, width = 10, 4
    blocks = -(-count // width)
    title = (
        f"Threads and blocks: an array of {count} entries and {blocks} blocks of {width} threads. Thread t of "
        f"block b computes entry "
        f"b times {width} plus t. Threads 2 and 3 of block 2 would compute entries 10 and 11, which do not exist: the guard "
        f"if i < {count} stops them."
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


def two_axes():
    """Draw a table of 5 rows and 7 columns below a grid of 2 by 2 blocks, each of 4 by 3 threads."""
    rows, columns, width, height = 5, 7, 4, 3
    title = (
        f"A grid with two axes: a table of {rows} rows and {columns} columns, and 2 by 2 blocks of {width} threads along x and "
        f"{height} along y. x is the column, y the row: thread (2, 1) of block (1, 0) is at x = 6, y = 1, entry [1, 6]. The "
        "threads of the last row and of the last column have no entry. Threads along x are neighbours in a warp."
    )
    sheet = Drawing(520, 286, title)
    cell, left, top = 34, 70, 44
    for y in range(2 * height):
        for x in range(2 * width):
            here, chosen = y < rows and x < columns, (x, y) == (6, 1)
            tint = ORANGE if chosen else GREEN if here else LINE
            sheet.box(left + cell * x + 2, top + cell * y + 2, cell - 4, cell - 4, tint, filled=here, weight=2 if chosen else 0.8)
            if not here:
                sheet.text(left + cell * (x + 0.5), top + cell * (y + 0.5) + 4, "-", 12, colour=SOFT)
    for by in range(2):
        for bx in range(2):
            box = (left + cell * width * bx, top + cell * height * by, cell * width, cell * height)
            sheet.box(*box, BLUE, filled=False, weight=2)
    for bx in range(2):
        sheet.text(left + cell * width * (bx + 0.5), 34, f"block ({bx}, 0)", 12, colour=BLUE)
    sheet.line((left, 16), (left + 8 * cell, 16), arrow=True)
    sheet.text(left - 8, 20, "x", 13, anchor="end", mono=True)
    sheet.line((50, top), (50, top + 6 * cell), arrow=True)
    sheet.text(50, top - 8, "y", 13, mono=True)
    words = (
        "table (5, 7)",
        "x: column, y: row",
        "",
        "orange: thread (2, 1)",
        "of block (1, 0)",
        "x = 4 + 2 = 6",
        "y = 0 + 1 = 1",
        "entry [1, 6]",
    )
    for line, text in enumerate(words):
        sheet.text(360, top + 20 + 20 * line, text, 12.5, anchor="start")
    sheet.text(left, 272, "-: no entry, the guard stops the thread", 12.5, anchor="start")
    return sheet


def adding_in_pairs():
    """Draw how four threads add eight numbers in shared memory, with a barrier after each step."""
    steps = [np.array([3, 1, 4, 1, 5, 9, 2, 6])]
    while len(steps[-1]) > 1:
        half = len(steps[-1]) // 2
        steps.append(steps[-1][:half] + steps[-1][half:])
    title = (
        "Adding in pairs, in shared memory. "
        + "; ".join(
            f"in step {number} threads t < {len(after)} add entry t + {len(after)}, which gives {' '.join(map(str, after))}"
            for number, after in enumerate(steps[1:], 1)
        )
        + ". After each step all threads wait at a barrier."
    )
    sheet = Drawing(520, 366, title)
    cell, left, down = 46, 12, 98
    for number, values in enumerate(steps):
        y = 24 + down * number
        shown = np.array([str(value) for value in values] + [""] * (8 - len(values))).reshape(1, -1)
        adding = len(values) // 2
        colour = lambda i, j, adding=adding, last=number == len(steps) - 1: GREEN if last else BLUE if j < adding else ORANGE
        grid(sheet, left, y, shown, colour, cell=cell, ghost=lambda i, j, count=len(values): j >= count, size=14)
        if adding:
            for t in range(adding):
                x = left + cell * (t + 0.5)
                sheet.line((x + cell * adding, y + cell), (x + 6, y + down - 3), colour=ORANGE, arrow=True)
                sheet.line((x, y + cell), (x, y + down - 3), colour=BLUE, arrow=True)
            sheet.text(512, y + 20, f"threads t < {adding}" if adding > 1 else "thread 0", 12, anchor="end")
            sheet.text(512, y + 36, f"add t + {adding}", 12, anchor="end")
            sheet.line((left, y + down - 12), (left + 8 * cell, y + down - 12), colour=RED, dashed=True)
            sheet.text(512, y + down - 8, "all wait", 12, anchor="end", colour=RED)
    sheet.text(12, 14, "shared memory of the block", 12, anchor="start", colour=SOFT)
    return sheet


def tiles():
    """Draw a step of a product with tiles: a tile of each matrix in shared memory, and what one thread reads of them."""
    title = (
        "A product with tiles. The block that computes one tile of out walks along a row of tiles of a, A0 A1 A2, and down a "
        "column of tiles of b, B0 B1 B2. In each step its threads load a tile of each into shared memory. Then a thread "
        "multiplies one row of the tile of a with one column of the tile of b, and adds to its own sum."
    )
    sheet = Drawing(520, 352, title)
    side = 44
    for x, y, chosen, colour in (
        (20, 168, lambda i, j: i == 1, ORANGE),
        (172, 16, lambda i, j: j == 1, BLUE),
        (172, 168, lambda i, j: i == j == 1, GREEN),
    ):
        for i in range(3):
            for j in range(3):
                tint = colour if chosen(i, j) else SOFT
                sheet.box(x + side * j, y + side * i, side, side, tint, weight=1.2 if tint == SOFT else 2, radius=1)
    for p in range(3):
        sheet.text(20 + side * (p + 0.5), 168 + 1.5 * side + 5, f"A{p}", 13, bold=p == 1)
        sheet.text(172 + 1.5 * side, 16 + side * (p + 0.5) + 5, f"B{p}", 13, bold=p == 1)
    sheet.text(86, 318, "a", 14, mono=True)
    sheet.text(160, 88, "b", 14, mono=True)
    sheet.text(238, 318, "out", 14, mono=True)
    sheet.text(172 + 1.5 * side, 168 + 1.5 * side + 5, "block", 12)
    sheet.box(330, 16, 182, 284, SOFT, filled=False, radius=8)
    sheet.text(421, 36, "shared memory", 13, bold=True)
    sheet.text(421, 53, "in step p = 1", 12)
    small = 20
    for name, y, lit, colour in (
        ("B1", 68, lambda i, j: j == 2, BLUE),
        ("A1", 182, lambda i, j: i == 1, ORANGE),
    ):
        for i in range(4):
            for j in range(4):
                weight, fill = (1.6, PALE[colour]) if lit(i, j) else (0.7, "#ffffff")
                place = f'x="{382 + small * j}" y="{y + small * i}" width="{small}" height="{small}"'
                sheet.raw(f'<rect {place} fill="{fill}" stroke="{colour}" stroke-width="{weight}"/>')
        sheet.text(356, y + 46, name, 13, bold=True, colour=colour)
    sheet.text(421, 286, "one thread: row · column", 12)
    sheet.line((172 + 2 * side + 2, 82), (328, 98), colour=BLUE, arrow=True)
    sheet.line((86, 168 + side), (86, 158), (316, 158), (378, 218), colour=ORANGE, arrow=True)
    sheet.text(20, 344, "p = 0, 1, 2: load two tiles, wait, add, wait", 12.5, anchor="start")
    return sheet
