"""How many blocks and threads a kernel gets. Given."""

import math

from tinytorch.given.gpu.device_array import DeviceArray

THREADS, BLOCKS = 256, 2048  # in a block; in a grid, whose threads then go on to further entries


def over(count):
    """Return the grid and the block for a number of entries that threads share by a grid-stride loop.

    Example:
        >>> over(10), over(300), over(10_000_000)
        ((1, 32), (2, 256), (2048, 256))
    """
    threads = min(THREADS, 32 * math.ceil(max(count, 1) / 32))
    return min(BLOCKS, math.ceil(max(count, 1) / threads)), threads


def run(kernel, count, *arguments):
    """Launch a kernel over a number of entries; over none, do nothing.

    Args:
        kernel: A kernel with a grid-stride loop.
        count: How many entries there are.
        arguments: What it takes; of a `DeviceArray`, its memory as one row.
    """
    if count:
        kernel[over(count)](*[value.flat if isinstance(value, DeviceArray) else value for value in arguments])
