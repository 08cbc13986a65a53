"""The gradient of a convolution's weight, in numba, for every setting that the op has. Given.

It is a correlation: the sum over all windows of the pixel at an entry of the window, times each channel's gradient there.
Vectors hold channels or, if channels would not fill them, one pixel of several images. Every part of the images has its own
sums, and the number of parts does not depend on the threads, so the result does not either.
"""

import functools
import math

import numpy as np

from tinytorch.given.numba_kernels.arrays import readable, ready, whole
from tinytorch.given.numba_kernels.compiling import jit
from tinytorch.given.numba_kernels.convolution import lay
from tinytorch.given.numba_kernels.grid import SPARE, grid_of, spaced, taps
from tinytorch.given.numba_kernels.moves import transpose
from tinytorch.given.numba_kernels.tiles import PAIRED, gather, pair_2
from tinytorch.given.numba_kernels.vectors import WIDTH
from tinytorch.given.numba_kernels.work import Now, prepare

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


def conv2d_weight(x, grad, *, weight_size, **settings):
    """Compute the gradient of the weight: the op's kernel. Return None for inputs that it does not cover."""
    arrays = ready(x, grad)
    if not arrays:
        return None
    out = np.empty(weight_size, arrays[0].dtype)
    add_weight_gradient(Now(), out, *arrays, **settings)
    return out


def prepare_conv2d_weight(out, scratch, x, grad, *, weight_size, **settings):
    """Prepare the kernel: see `Op.register_prepared`."""
    if readable(x, grad, out) and x.size and grad.size:
        return prepare(add_weight_gradient, out, scratch, x, grad, **settings)


def add_weight_gradient(work, out, x, grad, *, stride, padding, dilation, groups):
    """Add the steps of the weight's gradient."""
    grid, lanes = grid_of(x.shape[2:], out.shape[2:], stride, padding, dilation), WIDTH // x.itemsize
    channels, count = len(out) // groups, math.prod(out.shape[1:])
    source = grid.layout_of_input(), offsets_of(grid, out.shape[1]), spaced(grid.places, grid.phase[1])[:-SPARE]
    blocks = len(x) // lanes if together_is_faster(grid, channels, count, lanes) else 0
    products, gradient, done = grad.size * count, out.reshape(groups, channels, count), blocks * lanes
    if blocks:
        shape = groups, channels + channels % 2, -(-count // PAIRED) * PAIRED, lanes
        sums = add_parts(work, correlate_together, blocks, shape, products, x, grad, *source)
        totals = work.scratch(shape[:-1], x.dtype)
        work.run(np.add.reduce, sums, -1, None, totals)
        work.run(np.copyto, gradient, totals[:, :channels, :count])
    if done < len(x):
        shape = groups, count + SPARE, whole(channels, x.itemsize)
        sums = add_parts(work, correlate, len(x) - done, shape, products, x[done:], grad[done:], *source, count)
        rest = sums[:, :count, :channels].swapaxes(1, 2)
        work.run(*((np.add, gradient, rest, gradient) if done else (np.copyto, gradient, rest)))


@functools.lru_cache(1024)
def offsets_of(grid, channels):
    """Return how far each entry of a window is from the window's place, and some zeros: entries that are computed and dropped."""
    return np.append(taps(grid, channels), np.zeros(SPARE, int))


def together_is_faster(grid, channels, count, lanes):
    """Say whether to take several images at once: channels would not fill vectors, and fetching the sums is worth it."""
    many = math.prod(grid.places) >= MANY or channels * count * WIDTH <= NEAR
    return channels % lanes and grid.stride == (1, 1) and many


def add_parts(work, loop, count, shape, products, *inputs):
    """Add the steps that compute sums of a shape over parts of all images or blocks, and add them up; return the sums.

    The parts do not depend on the threads.
    """
    parts = work.scratch((min(count, 16, 1 + 2**20 // math.prod(shape)), *shape), inputs[0].dtype)
    sums = work.scratch(shape, parts.dtype)
    work.run(parts.fill, 0)
    work.loop(loop, len(parts), *inputs, parts, numbers=0, products=products // len(parts))
    work.run(np.add.reduce, parts, 0, None, sums)
    return sums
