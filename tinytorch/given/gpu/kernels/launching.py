"""How many blocks and threads a kernel gets. Given."""

from tinytorch.given.gpu.device_array import DeviceArray
from tinytorch.given.gpu.graphs import stream

THREADS, BLOCKS = 256, 2048  # in a block; in a grid, whose threads then go on to further entries


def rounded_up(count, size):
    """Return how many pieces of a size hold a count.

    Example:
        >>> rounded_up(10, 4), rounded_up(8, 4)
        (3, 2)
    """
    return (count + size - 1) // size


def over(count):
    """Return the grid and the block for a number of entries that threads share by a grid-stride loop.

    Example:
        >>> over(10), over(300), over(10_000_000)
        ((1, 32), (2, 256), (2048, 256))
    """
    count = max(count, 1)
    threads = min(THREADS, 32 * rounded_up(count, 32))
    return min(BLOCKS, rounded_up(count, threads)), threads


def run(kernel, count, *arguments):
    """Launch a kernel over a number of entries; over none, do nothing.

    Args:
        kernel: A kernel with a grid-stride loop.
        count: How many entries there are.
        arguments: What it takes; of a `DeviceArray`, its memory as one row.
    """
    if count:
        kernel[*over(count), stream()](*[value.flat if isinstance(value, DeviceArray) else value for value in arguments])
