"""The gradient of a convolution's weight, in numba, for every setting that the op has. Given.

It is a correlation: the sum over all windows of the pixel at an entry of the window, times each channel's gradient there.
Vectors hold channels or, if channels would not fill them, one pixel of several images. Every part of the images has its own
sums, and the number of parts does not depend on the threads, so the result does not either.
"""

import math

import numpy as np

from tinytorch.given.numba_kernels.arrays import ready, whole, widened
from tinytorch.given.numba_kernels.compiling import jit
from tinytorch.given.numba_kernels.convolution import lay
from tinytorch.given.numba_kernels.grid import SPARE, grid_of, spaced, taps
from tinytorch.given.numba_kernels.moves import transpose
from tinytorch.given.numba_kernels.threads import spread
from tinytorch.given.numba_kernels.tiles import PAIRED, gather, pair_2
from tinytorch.given.numba_kernels.vectors import WIDTH

MANY = 32  # from this many windows on, fetching and storing the sums of a block of images pays
NEAR = 2**14  # bytes of sums that fit a core's first cache beside everything else


@jit(cache=False)
def lay_together(numbers, at, shape, layout, lanes, out):
    """Copy as many images as a vector has numbers to where the layout, of one phase, has their pixels: side by side."""
    (_, channels, height, width), (top, left), columns = shape, layout.padding, layout.phase[1]
    for c in range(channels):
        for y in range(height):
            to = c * layout.plane + (y + top) * columns + left
            transpose(numbers, at + (c * height + y) * width, channels * height * width, (lanes, width), out, to * lanes, lanes)


@jit
def correlate(first, last, x, grad, layout, offsets, places, taps, out):
    """Add the sums over the images of parts first to last to `out` (parts, groups, taps, channels), the last two rounded up."""
    (groups, _, pitch), area = out.shape[1:], grad.shape[2] * grad.shape[3]
    channels = grad.shape[1] // groups
    step, slopes = x.shape[1] // groups * layout.plane, grad.reshape(grad.size)
    pixels = np.zeros(x.shape[1] * layout.plane, x.dtype)
    factors = np.zeros(area * pitch, x.dtype)
    for part in range(first, last):
        for n in range(len(x) * part // len(out), len(x) * (part + 1) // len(out)):
            lay(x[n], layout, pixels)
            for g in range(groups):
                transpose(slopes, (n * grad.shape[1] + g * channels) * area, area, (channels, area), factors, 0, pitch)
                sums = out[part, g].reshape(out[part, g].size)
                gather(pixels, g * step, offsets, taps, places, factors, sums, pitch, sums, pitch)


@jit
def correlate_together(first, last, x, grad, layout, offsets, places, out):
    """Do the same for as many images at once as a vector has numbers: `out` (parts, groups, channels, taps, images)."""
    (_, channels, height, width), (_, groups, even, taps, lanes) = x.shape, out.shape
    size, area, step = channels * height * width, grad.shape[2] * grad.shape[3], channels // groups * layout.plane
    numbers, slopes, each = x.reshape(x.size), grad.reshape(grad.size), grad.shape[1] // groups
    pixels = np.zeros(channels * layout.plane * lanes, x.dtype)
    turned = np.zeros((grad.shape[1] + 1) * area * lanes, x.dtype)
    for part in range(first, last):
        sums = out[part].reshape(out[part].size)
        for block in range(len(x) // lanes * part // len(out), len(x) // lanes * (part + 1) // len(out)):
            lay_together(numbers, block * lanes * size, x.shape, layout, lanes, pixels)
            start, pitch = block * lanes * grad.shape[1] * area, grad.shape[1] * area
            transpose(slopes, start, pitch, (lanes, pitch), turned, 0, lanes)
            for g in range(groups):
                for m in range(0, each, 2):
                    for k in range(0, taps, PAIRED):
                        to = (g * even + m) * taps + k
                        pair_2(pixels, g * step, offsets, k, places, turned, (g * each + m) * area, area, sums, to, taps)


def conv2d_weight(x, grad, *, weight_size, stride, padding, dilation, groups):
    """Compute the gradient of the weight: the op's kernel. Return None for inputs that it does not cover."""
    arrays = ready(x, grad)
    if not arrays:
        return None
    x, grad = arrays
    grid, lanes = grid_of(x.shape[2:], weight_size[2:], stride, padding, dilation), WIDTH // x.itemsize
    channels, count = weight_size[0] // groups, math.prod(weight_size[1:])
    source = (
        grid.layout_of_input(),
        widened(taps(grid, weight_size[1]), count + SPARE),
        spaced(grid.places, grid.phase[1])[:-SPARE],
    )
    blocks = len(x) // lanes if together_is_faster(grid, channels, count, lanes) else 0
    products = grad.size * count
    gradient, done = np.zeros((groups, channels, count), x.dtype), blocks * lanes
    if blocks:
        shape = groups, channels + channels % 2, -(-count // PAIRED) * PAIRED, lanes
        work = lambda first, last, out: correlate_together(first, last, x, grad, *source, out)
        gradient += sum_parts(work, blocks, shape, x.dtype, products).sum(axis=-1)[:, :channels, :count]
    if done < len(x):
        shape = groups, count + SPARE, whole(channels, x.itemsize)
        work = lambda first, last, out: correlate(first, last, x[done:], grad[done:], *source, count, out)
        gradient += sum_parts(work, len(x) - done, shape, x.dtype, products)[:, :count, :channels].swapaxes(1, 2)
    return gradient.reshape(weight_size)


def together_is_faster(grid, channels, count, lanes):
    """Say whether to take several images at once: channels would not fill vectors, and fetching the sums is worth it."""
    many = math.prod(grid.places) >= MANY or channels * count * WIDTH <= NEAR
    return channels % lanes and grid.stride == (1, 1) and many


def sum_parts(work, count, shape, dtype, products):
    """Compute sums of a shape over parts of all images or blocks, and add them up; the parts do not depend on the threads."""
    parts = np.zeros((min(count, 16, 1 + 2**20 // math.prod(shape)), *shape), dtype)
    spread(lambda first, last: work(first, last, parts), len(parts), numbers=0, products=products // len(parts))
    return parts.sum(axis=0)
