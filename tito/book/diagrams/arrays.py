"""Diagrams of arrays: broadcasting, the walk back, a convolution as a product, memory."""

import numpy as np

from tito.book.diagrams.shapes import CELL, grid
from tito.book.svg import BLUE, GREEN, ORANGE, RED, SOFT, Drawing


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
    sheet.text(10, 240, "grey arrows: forward.   red ◂: gradients; where two meet, they are added", 12, anchor="start")
    return sheet


def im2col():
    """Draw a picture's windows as columns of a matrix, and a kernel as a row: a convolution as one product."""
    picture = np.arange(1, 17).reshape(4, 4)
    windows = np.lib.stride_tricks.sliding_window_view(picture, (3, 3)).reshape(4, 9)
    colours = (ORANGE, BLUE, GREEN, RED)
    title = (
        "Unfold: a 4 by 4 picture with the numbers 1 to 16 has four windows of 3 by 3. Each window becomes a column of nine "
        f"numbers; the first is {' '.join(map(str, windows[0]))}. The kernel as a row of nine, a to i, times this matrix of "
        "shape (9, 4) gives four numbers: the feature map."
    )
    sheet = Drawing(520, 420, title)
    sheet.text(74, 18, "picture (4, 4)", 13)
    grid(sheet, 10, 26, picture, SOFT, cell=32)
    sheet.box(11, 27, 94, 94, ORANGE, filled=False, weight=3)
    sheet.box(44, 29, 93, 90, BLUE, filled=False, weight=3)
    sheet.text(10, 176, "the first two of four windows", 12, anchor="start", colour=SOFT)
    sheet.text(74, 226, "kernel (3, 3)", 13)
    grid(sheet, 32, 234, np.array(list("abcdefghi")).reshape(3, 3), SOFT, cell=28)
    sheet.line((160, 90), (356, 90), arrow=True)
    sheet.text(258, 80, "each window: a column", 12.5)
    sheet.text(440, 18, "unfolded (9, 4)", 13)
    grid(sheet, 370, 26, windows.T, lambda i, j: colours[j], cell=34, size=12)
    sheet.line((136, 300), (162, 350), arrow=True)
    sheet.text(150, 410, "the kernel as a row (1, 9)", 13)
    grid(sheet, 10, 358, np.array([list("abcdefghi")]), SOFT, cell=34)
    sheet.text(342, 382, "@ =", 18)
    grid(sheet, 370, 358, np.array([["·"] * 4]), lambda i, j: colours[j], cell=34)
    sheet.text(440, 410, "feature map (1, 4)", 13)
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


def fusing():
    """Draw three steps of a formula: each as a pass through memory, and all in one loop."""
    title = (
        "Two ways to compute out = abs(a / 2) * 3. NumPy makes an array at each step: it reads a and writes t1, reads t1 and "
        "writes t2, reads t2 and writes out, six passes over arrays in memory. A loop reads an entry of a, does the three steps "
        "while the processor holds it, and writes an entry of out: two passes."
    )
    sheet = Drawing(520, 336, title)
    for top, names, steps, words in (
        (22, ("a", "t1", "t2", "out"), ("/ 2", "abs", "* 3"), "NumPy: an array in memory after each step"),
        (196, ("a", "out"), ("/ 2   abs   * 3",), "a loop: each entry goes through memory once"),
    ):
        sheet.text(10, top, words, 13, anchor="start", bold=True)
        sheet.text(66, top + 30, "memory", 12, anchor="end", colour=SOFT)
        sheet.text(66, top + 100, "processor", 12, anchor="end", colour=SOFT)
        places = np.linspace(104, 480, len(names))
        for name, x in zip(names, places):
            sheet.box(x - 28, top + 12, 56, 28, BLUE if name in ("a", "out") else ORANGE)
            sheet.text(x, top + 31, name, 13, mono=True)
        for step, before, after in zip(steps, places, places[1:]):
            x, half = (before + after) / 2, 7 + 4.5 * len(step)
            sheet.box(x - half, top + 82, 2 * half, 28, GREEN, radius=12)
            sheet.text(x, top + 101, step, 13, mono=True)
            sheet.line((before + 8, top + 41), (x - half / 2, top + 81), arrow=True)
            sheet.line((x + half / 2, top + 82), (after - 8, top + 41), arrow=True)
        passes = 2 * len(steps)
        sheet.text(10, top + 132, f"{passes} passes: {passes // 2} x read, {passes // 2} x write", 12.5, anchor="start")
    return sheet


def blocked():
    """Draw one step of a blocked product: four entries of a row of a, four rows of b, a row of out."""
    title = (
        "A blocked product. Four neighbouring entries in a row of a multiply the four rows of b with the same numbers, and the "
        "sum of the four products is added to the row of out: out is read and written once for four products. The rows of a "
        "block share the four rows of b while the cache holds them. Another block of rows belongs to another thread."
    )
    sheet = Drawing(520, 300, title)
    cell, columns = 16, np.full((8, 8), "")
    four = range(4)
    sheet.text(94, 20, "a", 14, mono=True)
    grid(sheet, 30, 28, columns, lambda i, j: ORANGE if i == 1 and j in four else SOFT, cell=cell)
    sheet.text(262, 20, "b", 14, mono=True)
    grid(sheet, 198, 28, columns, lambda i, j: BLUE if i in four else SOFT, cell=cell)
    sheet.text(444, 20, "out", 14, mono=True)
    grid(sheet, 380, 28, columns, lambda i, j: GREEN if i == 1 else SOFT, cell=cell)
    sheet.text(178, 98, "@", 18)
    sheet.text(349, 98, "+=", 18)
    for x in (24, 374):
        for thread, top in enumerate((28, 92)):
            sheet.line((x, top + 2), (x - 7, top + 2), (x - 7, top + 62), (x, top + 62))
            if x < 100:
                sheet.text(x - 18, top + 38, thread, 12)
    sheet.text(10, 192, "0 and 1: blocks of rows, one for each thread", 12.5, anchor="start")
    for y, colour, words in (
        (216, ORANGE, "4 entries of a row of a"),
        (240, BLUE, "4 rows of b, read again for each row of the block"),
        (264, GREEN, "a row of out: read and written once for 4 products"),
    ):
        sheet.box(10, y, 16, 16, colour)
        sheet.text(36, y + 13, words, 12.5, anchor="start")
    return sheet
