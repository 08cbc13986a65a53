"""Where the pixels of an image are stored while it is convolved: row after row, so an entry of the kernel is a shift. Given.

Store a padded image of Q columns row by row. Then the entry of a window at row i and column j is i * Q + j numbers after the
window's first entry, for every window: a convolution is a sum of shifted copies of one long row. The numbers between the last
window of a row and the first window of the next are computed too, and dropped.

With a stride, the pixels whose rows and columns leave the same remainder when divided by it form an image of their own, a phase.
From one window to the next is one step in each phase.

If several images are convolved at once, their pixels are stored side by side and no work is wasted: `meetings` lists which
pixels meet which entries of the kernel.
"""

import functools
from typing import NamedTuple

import numpy as np

SPARE = 16  # places that may be computed and dropped, because several are computed at once


class Layout(NamedTuple):
    """Where the entry (c, y, x) of an image is stored; pairs are (down, across)."""

    stride: tuple  # how many phases there are
    padding: tuple  # rows and columns of border before the first entry
    phase: tuple  # rows and columns of a phase
    plane: int  # numbers from one channel to the next
    front: int  # numbers before the first channel's border


class Grid(NamedTuple):
    """A convolution's settings, and the numbers that follow from them. Pairs are (down, across)."""

    size: tuple  # of an image, without its border
    kernel: tuple
    stride: tuple
    padding: tuple
    dilation: tuple
    phase: tuple  # rows and columns of a phase
    places: tuple  # at how many places the kernel fits
    reach: int  # numbers from the first entry of a window to the last, in a phase

    def layout_of_input(self):
        """Lay out what is convolved."""
        plane = self.stride[0] * self.stride[1] * self.phase[0] * self.phase[1]
        return Layout(self.stride, self.padding, self.phase, plane, 0)

    def layout_of_output(self):
        """Lay out the gradient of a convolution's result: each entry where the first entry of its window is in a phase."""
        return Layout((1, 1), (0, 0), self.phase, self.reach + self.phase[0] * self.phase[1], self.reach)


@functools.lru_cache(1024)
def grid_of(size, kernel, stride, padding, dilation):
    """Return the grid of a convolution.

    Args:
        size: Pair, rows and columns of an image.
        kernel: Pair, rows and columns of the kernel.
        stride: Pair.
        padding: Pair.
        dilation: Pair.

    Returns:
        A `Grid`.

    Example:
        >>> grid_of((4, 4), (3, 3), (1, 1), (1, 1), (1, 1)).phase
        (6, 6)
    """
    span = [d * (k - 1) for k, d in zip(kernel, dilation)]
    padded = [n + 2 * p for n, p in zip(size, padding)]
    phase = tuple(-(-n // s) for n, s in zip(padded, stride))
    places = tuple((n - r - 1) // s + 1 for n, r, s in zip(padded, span, stride))
    reach = span[0] // stride[0] * phase[1] + span[1] // stride[1]
    return Grid(size, kernel, stride, padding, dilation, phase, places, reach)


@functools.lru_cache(1024)
def taps(grid, channels):
    """Return how far each entry of a window is from the window's place in the first phase.

    Args:
        grid: The `Grid`.
        channels: How many channels a window has.

    Returns:
        Array of integers, (channels * KH * KW,).

    Example:
        >>> taps(grid_of((4, 4), (2, 2), (1, 1), (0, 0), (1, 1)), channels=1)
        array([0, 1, 4, 5])
    """
    channel, i, j = np.indices((channels, *grid.kernel)).reshape(3, -1)
    row, top = np.divmod(i * grid.dilation[0], grid.stride[0])
    column, left = np.divmod(j * grid.dilation[1], grid.stride[1])
    phase = (top * grid.stride[1] + left) * grid.phase[0] * grid.phase[1]
    return channel * grid.layout_of_input().plane + phase + row * grid.phase[1] + column


@functools.lru_cache(1024)
def spaced(places, columns):
    """Return where pixels are stored, and then a few zeros: places that may be computed and dropped.

    Args:
        places: Pair: how many rows and columns of pixels.
        columns: Numbers from one row to the next.

    Returns:
        Array of integers, (places[0] * places[1] + SPARE,).

    Example:
        >>> spaced((2, 3), columns=5)[:6]
        array([0, 1, 2, 5, 6, 7])
    """
    pixels = np.arange(places[0])[:, None] * columns + np.arange(places[1])
    return np.append(pixels.ravel(), np.zeros(SPARE, int))


@functools.lru_cache(1024)
def cover(places, columns, lanes):
    """Return the starts of vectors that cover each pixel once, and as little as possible between the pixels.

    Args:
        places: Pair: how many rows and columns of pixels.
        columns: Numbers from one row to the next.
        lanes: Numbers in a vector.

    Returns:
        Two arrays of integers: the starts in the layout, and an empty one. Vectors may run from one row into the next.

    Example:
        >>> cover((2, 5), columns=7, lanes=4)[0]
        array([0, 4, 8])
    """
    starts, end = [], 0
    for row in range(places[0]):
        while end < row * columns + places[1]:
            starts.append(max(end, row * columns))
            end = starts[-1] + lanes
    return np.array(starts), np.zeros(0, int)


@functools.lru_cache(1024)
def cover_rows(places, columns, lanes):
    """Return the starts of vectors that cover rows of pixels and nothing else, in the layout and in an image without borders.

    Args:
        places: Pair: how many rows and columns of pixels.
        columns: Numbers from one row to the next.
        lanes: Numbers in a vector, at most as many as a row has pixels.

    Returns:
        Two arrays of integers. The last vector of a row ends where the row ends, and overlaps the one before.

    Example:
        >>> cover_rows((2, 5), columns=7, lanes=4)
        (array([0, 1, 7, 8]), array([0, 1, 5, 6]))
    """
    across = np.append(np.arange(0, places[1] - lanes, lanes), places[1] - lanes)
    down = np.arange(places[0])[:, None]
    return (down * columns + across).ravel(), (down * places[1] + across).ravel()


class Meetings(NamedTuple):
    """For each row of a result, which rows of pixels meet which rows of the kernel there; or the same for columns."""

    starts: np.ndarray  # where the pairs of each row of the result begin, and where those of the last one end
    pairs: np.ndarray  # alternately: how far a pixel is from the first one, and an entry of the kernel from its first


@functools.lru_cache(1024)
def meetings(grid, back):
    """Return the meetings of rows, and those of columns.

    Args:
        grid: The `Grid`.
        back: True if the result is the input's gradient and the pixels are the output's gradient; False if it is the output.

    Returns:
        A pair of `Meetings`.

    Example:
        >>> meetings(grid_of((9, 3), (1, 2), (1, 1), (0, 0), (1, 1)), back=True)[1]  # of 3 columns, the second meets two
        Meetings(starts=array([0, 2, 6, 8]), pairs=array([0, 0, 1, 0, 0, 1, 1, 1]))
    """
    size, both = grid.places if back else grid.size, []
    for axis, (pixels, entries) in enumerate([(size[1], grid.kernel[1]), (1, 1)]):
        pixel = np.arange(grid.places[axis])[:, None] * grid.stride[axis] + np.arange(grid.kernel[axis]) * grid.dilation[axis]
        pixel -= grid.padding[axis]
        place, entry = np.nonzero((pixel >= 0) & (pixel < grid.size[axis]))
        pixel = pixel[place, entry]
        source, to, count = (place, pixel, grid.size[axis]) if back else (pixel, place, grid.places[axis])
        order = np.lexsort((entry, to))
        starts = 2 * np.searchsorted(to[order], np.arange(count + 1))
        both.append(Meetings(starts, np.stack([source * pixels, entry * entries], axis=1)[order].ravel()))
    return tuple(both)


class Phase(NamedTuple):
    """One phase of the input's gradient: which pixels it holds, and what they are sums of."""

    first: int  # where its first pixel is that is not border
    count: tuple  # how many rows and columns are not border
    corner: tuple  # that first pixel's row and column in the image
    entries: np.ndarray = None  # which entries of the kernel meet it, as indices of a row of KH * KW
    shifts: np.ndarray = None  # for each such entry: how far the window's place is before the pixel


@functools.lru_cache(1024)
def phases(grid):
    """Return the phases of the input's gradient that hold pixels.

    Args:
        grid: The `Grid`.

    Returns:
        List of `Phase`.

    Example:
        >>> [phase.entries.tolist() for phase in phases(grid_of((4, 4), (1, 3), (1, 2), (0, 0), (1, 1)))]
        [[0, 2], [1]]
    """
    i, j = np.indices(grid.kernel).reshape(2, -1)
    i, j = i * grid.dilation[0], j * grid.dilation[1]
    parts = []
    for rest in np.ndindex(grid.stride):
        first = [max(0, -((r - p) // s)) for r, p, s in zip(rest, grid.padding, grid.stride)]
        corner = tuple(r + f * s - p for r, f, s, p in zip(rest, first, grid.stride, grid.padding))
        count = tuple(-((c - n) // s) for c, n, s in zip(corner, grid.size, grid.stride))
        mine = np.flatnonzero((i % grid.stride[0] == rest[0]) & (j % grid.stride[1] == rest[1]))
        shifts = i[mine] // grid.stride[0] * grid.phase[1] + j[mine] // grid.stride[1]
        if min(count) > 0:
            parts.append(Phase(first[0] * grid.phase[1] + first[1], count, corner, mine, shifts))
    return parts
