"""Diagrams of data: a file, parts of a data set, batches."""

import struct

import numpy as np

from tito.book.diagrams.shapes import bracket, grid
from tito.book.svg import BLUE, GREEN, ORANGE, SOFT, Drawing


def idx_file():
    """Draw the bytes of an IDX file with two pictures of 2 by 3 pixels."""
    pixels = np.array([0, 50, 100, 150, 200, 250, 5, 4, 3, 2, 1, 0], np.uint8)
    header = np.frombuffer(bytes([0, 0, 8, 3]) + struct.pack(">III", 2, 2, 3), np.uint8)
    title = (
        f"An IDX file, byte by byte. The header: {' '.join(map(str, header[:4]))}, which is two zeros, the type 8 and 3 axes; "
        "then the sizes 2, 2 and 3, each as four bytes with the most significant first. Then the pixels: six bytes of picture 0, "
        "six of picture 1, row by row."
    )
    sheet = Drawing(520, 300, title)
    cell = 31
    sheet.text(10, 18, "header", 13, anchor="start", bold=True)
    grid(sheet, 10, 26, header.reshape(1, -1), lambda i, j: SOFT if j < 4 else ORANGE, cell=cell)
    for at, words in ((0, "0, 0, type, axes"), (1, "2 pictures"), (2, "of 2 rows"), (3, "of 3 columns")):
        bracket(sheet, 14 + 4 * at * cell, 6 + 4 * (at + 1) * cell, 62, words)
    sheet.text(10, 126, "pixels, the last axis fastest", 13, anchor="start", bold=True)
    colours = (BLUE, GREEN)
    grid(sheet, 10, 134, pixels.reshape(1, -1), lambda i, j: colours[j // 6], cell=cell, size=12)
    for number in range(2):
        middle = 10 + (6 * number + 3) * cell
        sheet.line((middle, 168), (middle, 196), arrow=True)
        sheet.text(middle + 54, 204 + cell, f"picture {number}", 12.5, anchor="start", colour=colours[number])
        picture = pixels[6 * number : 6 * number + 6].reshape(2, 3)
        grid(sheet, middle - 1.5 * cell, 200, picture, colours[number], cell=cell, size=12)
    sheet.text(10, 290, "16 bytes of header + 2 · 2 · 3 = 12 bytes of pixels: 28 bytes", 12.5, anchor="start")
    return sheet


def parts():
    """Draw a sorted data set, its random order, and the three parts that the order is cut into."""
    labels = np.repeat([0, 1, 2], 4)
    order = np.random.default_rng(7).permutation(12)
    lengths, names = (7, 2, 3), ("training", "validation", "test")
    uses = ("changes weights", "makes choices", "one last number")
    colours = (BLUE, ORANGE, GREEN)
    title = (
        f"Three parts: the labels of a sorted file, {' '.join(map(str, labels))}. In a random order they are "
        f"{' '.join(map(str, labels[order]))}. The first 7 are for training, the next 2 for validation, the last 3 for the test, "
        "and no example is in two parts. Cut as the file is sorted, the test would consist of 2s, and training would see none."
    )
    sheet = Drawing(520, 246, title)
    cell = 40
    sheet.text(10, 18, "labels in the file: sorted", 13, anchor="start")
    grid(sheet, 10, 26, labels.reshape(1, -1), SOFT, cell=cell)
    sheet.line((250, 72), (250, 98), arrow=True)
    sheet.text(262, 90, "a random order, drawn once", 12.5, anchor="start")
    left = 0
    for length, name, use, colour in zip(lengths, names, uses, colours):
        grid(sheet, 10 + left * cell, 104, labels[order][left : left + length].reshape(1, -1), colour, cell=cell)
        bracket(sheet, 14 + left * cell, 6 + (left + length) * cell, 150, name, colour, size=13)
        sheet.text(10 + (left + length / 2) * cell, 190, use, 11.5)
        left += length
    sheet.text(10, 232, "Sorted, the last three would be 2s, and training would see none.", 12.5, anchor="start", colour=SOFT)
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
