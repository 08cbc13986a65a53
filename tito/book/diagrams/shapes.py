"""What diagrams share: an array's entries as boxes, and brackets."""

from tito.book.svg import INK, LINE, SOFT

CELL = 34  # side of an entry, in pixels


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


def bracket(sheet, left, right, y, words, colour=INK, size=12):
    """Add a bracket below a stretch, with words below it."""
    sheet.line((left, y), (left, y + 7), (right, y + 7), (right, y), colour=colour)
    sheet.text((left + right) / 2, y + 22, words, size, colour=colour)
