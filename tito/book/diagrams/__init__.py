"""The book's diagrams, drawn where a reader would draw one: numbers are computed, so that none is wrong.

Each is at most 520 pixels wide, so that its words can be read on a phone.
"""

import re

from tito.book.diagrams import arrays, data, gpu, measuring

FOLDER = "diagrams"

ALL = {
    drawing.__name__.replace("_", "-"): drawing
    for drawing in (
        arrays.broadcasting,
        arrays.walk_back,
        arrays.im2col,
        arrays.memory_order,
        arrays.fusing,
        arrays.blocked,
        data.idx_file,
        data.parts,
        data.batches,
        measuring.timings,
        measuring.roofline,
        measuring.spans,
        gpu.threads_and_blocks,
        gpu.two_axes,
        gpu.adding_in_pairs,
        gpu.tiles,
    )
}

# A module, and a line with which a paragraph of it begins: the diagram that the page shows below that cell.
PLACES = {
    ("01_tensor", "## Broadcasting"): "broadcasting",
    ("05_autograd", "## The walk"): "walk-back",
    ("07_data", "## A file is bytes"): "idx-file",
    ("07_data", "## Parts that must not mix"): "parts",
    ("07_data", "## Batches"): "batches",
    ("09_profiling", "## One number, and how sure it is"): "timings",
    ("09_profiling", "## What the machine can do"): "roofline",
    ("09_profiling", "## A watch on every op"): "spans",
    ("10_kernels", "## Twenty-three times through memory"): "fusing",
    ("10_kernels", "## Rows"): "memory-order",
    ("10_kernels", "The reordered loop reads"): "blocked",
    ("11_cuda", "## One thread for each number"): "threads-and-blocks",
    ("11_cuda", "A table has two axes"): "two-axes",
    ("11_cuda", "## Working together"): "adding-in-pairs",
    ("11_cuda", "## A tile at a time"): "tiles",
    ("12_cnn", "## Convolution is a matrix product"): "im2col",
}


def in_place(name, text):
    """Return the Markdown of the diagram that belongs below a module's cell, or None.

    Args:
        name: The module's folder.
        text: The text of a cell.
    """
    for (module, beginning), drawing in PLACES.items():
        if module == name and re.search(rf"^{re.escape(beginning)}", text, re.MULTILINE):
            return figure(drawing, "../")
    return None


def figure(name, up=""):
    """Return a diagram as Markdown, for a page that is in a folder if `up` is "../"."""
    return f"![{ALL[name]().title}]({up}{FOLDER}/{name}.svg)"


def files():
    """Return all diagrams as SVG, by path within the book."""
    return {f"{FOLDER}/{name}.svg": str(drawing()) for name, drawing in ALL.items()}
