"""Convolution and the gradient of its input, in numba, for every setting that the ops have. Given.

`grid` says how an image is laid out, in memory that fits a core's cache, and `tiles` computes the sums. Vectors hold the pixels
of a row, or channels, or one pixel of several images, whatever is the least work. All three add in the same order, so an image
gets the same numbers alone and in a batch. The images are spread over threads.
"""

import functools
import math

import numpy as np

from tinytorch.given.numba_kernels.arrays import readable, ready, whole, widen
from tinytorch.given.numba_kernels.compiling import jit
from tinytorch.given.numba_kernels.grid import SPARE, Phase, cover, cover_rows, grid_of, meetings, phases, spaced, taps
from tinytorch.given.numba_kernels.moves import copy, transpose
from tinytorch.given.numba_kernels.tiles import HEADS, ROWS, TALL, gather, meet, weigh
from tinytorch.given.numba_kernels.vectors import WIDTH
from tinytorch.given.numba_kernels.work import Later, Now, prepare
from tinytorch.given.op import ops

LONGEST = 64  # the most numbers in a vector, which may read past the last pixel
TURN = 24  # products that take about as long as transposing one number of an image or of the result


@jit(cache=False)
def lay(image, layout, out):
    """Copy an image (C, H, W) to where the layout has its pixels; what is between them stays."""
    (channels, height, width), (top, left), numbers = image.shape, layout.padding, image.reshape(image.size)
    (tall, wide), (rows, columns) = layout.stride, layout.phase
    if tall == wide == 1 and layout.plane == height * width:  # there is no border
        copy(numbers, 0, out, layout.front, numbers.size)
        return
    for c in range(channels):
        start = layout.front + c * layout.plane
        for y in range(height):
            row, rest = (y + top, 0) if tall == 1 else divmod(y + top, tall)
            to = start + rest * wide * rows * columns + row * columns
            if wide == 1:
                copy(numbers, (c * height + y) * width, out, to + left, width)
            else:
                for x in range(width):
                    column, rest = divmod(x + left, wide)
                    out[to + rest * rows * columns + column] = image[c, y, x]


@jit(cache=False)
def pick(sums, columns, image, corner, stride, count):
    """Copy the sums that belong to pixels of an image (H, W) out of a long row of sums."""
    pixels = image.reshape(image.size)
    for i in range(count[0]):
        start = (corner[0] + i * stride[0]) * image.shape[1] + corner[1]
        if stride[1] == 1:
            copy(sums, i * columns, pixels, start, count[1])
        else:
            for j in range(count[1]):
                pixels[start + j * stride[1]] = sums[i * columns + j]


@functools.lru_cache(1024)
def blocks_of(groups, channels, taps, most):
    """Cut channels into blocks of at most ``most``: return for each its group, first channel, height, and its weights' start."""
    blocks, start = [], 0
    for group in range(groups):
        for first in range(0, channels, most):
            height = min(most, channels - first)
            blocks.append((group, first, height, start))
            start += taps * (height + height % 2)
    return np.array(blocks)


@jit
def arrange(rows, blocks, weights):
    """Arrange weights (groups, channels, taps) in blocks, the channels of one tap side by side; zeros make their number even."""
    weights[:] = 0
    for b in range(len(blocks)):
        group, first, height, start = blocks[b]
        even = height + height % 2
        for k in range(rows.shape[2]):
            for m in range(height):
                weights[start + k * even + m] = rows[group, first + m, k]


def pack(work, rows, most):
    """Add the step that arranges weights in blocks of at most ``most`` channels; return the weights and the blocks."""
    groups, channels, taps = rows.shape
    weights, blocks = work.scratch(groups * (channels + 1) * taps, rows.dtype), blocks_of(groups, channels, taps, most)
    work.run(arrange, rows, blocks, weights)
    return weights, blocks


def one_more(work, bias, dtype):
    """Add the step that copies the biases and repeats one at the end, where a block of an odd height reads; return the copy."""

    def fill(bias, out):
        out[:-1], out[-1] = bias, bias[0]

    out = work.scratch(len(bias) + 1, dtype)
    work.run(fill, bias, out)
    return out


@jit
def convolve(first, last, images, source, packed, bias, result, out):
    """Sum shifted copies of the images from first to last, and pick the pixels of the result."""
    (layout, offsets, at), (weights, blocks), (starts, ends, corner, stride, count) = source, packed, result
    groups, numbers, area = blocks[-1, 0] + 1, out.reshape(out.size), out.shape[2] * out.shape[3]
    step, each = images.shape[1] // groups * layout.plane, out.shape[1] // groups
    pixels = np.zeros(layout.front + images.shape[1] * layout.plane + LONGEST, images.dtype)
    sums, pitch = np.empty(ROWS * (starts[-1] + LONGEST), images.dtype), starts[-1] + LONGEST
    for n in range(first, last):
        lay(images[n], layout, pixels)
        for b in range(len(blocks)):
            group, channel, height, start = blocks[b]
            c, at_group, even = group * each + channel, group * step + at, height + height % 2
            if len(ends) and height == even:
                to = (n * out.shape[1] + c) * area
                weigh(even, pixels, at_group, offsets, weights[start:], bias[c:], starts, ends, numbers, to, area)
            else:
                weigh(even, pixels, at_group, offsets, weights[start:], bias[c:], starts, starts, sums, 0, pitch)
                for m in range(height):
                    pick(sums[m * pitch :], layout.phase[1], out[n, c + m], corner, stride, count)


@jit
def convolve_short(first, last, images, source, factors, bias, places, out):
    """Do the same with vectors of channels, transposed at the end: where vectors of pixels would overlap or hold few of them."""
    (layout, offsets, at), (groups, _, pitch), (_, channels, height, width) = source, factors.shape, out.shape
    step, area, each = images.shape[1] // groups * layout.plane, height * width, channels // groups
    pixels = np.zeros(layout.front + images.shape[1] * layout.plane, images.dtype)
    sums, numbers = np.empty((area + SPARE) * pitch, images.dtype), out.reshape(out.size)
    for n in range(first, last):
        lay(images[n], layout, pixels)
        for g in range(groups):
            gather(pixels, g * step + at, places, area, offsets, factors[g].reshape(factors[g].size), bias[g], 0, sums, pitch)
            transpose(sums, 0, pitch, (area, each), numbers, (n * channels + g * each) * area, area)


@jit
def convolve_together(first, last, images, packed, taps, bias, down, across, out):
    """Do the same for blocks of as many images as a vector has numbers, from block first to last."""
    (weights, blocks), lanes, channels = packed, WIDTH // images.itemsize, out.shape[1]
    groups, plane, area = blocks[-1, 0] + 1, images.shape[2] * images.shape[3], out.shape[2] * out.shape[3]
    each, size = images.shape[1] // groups, images.shape[1] * plane
    pixels, sums = np.empty(size * lanes, images.dtype), np.empty((channels + 1) * area * lanes, images.dtype)
    numbers, results = images.reshape(images.size), out.reshape(out.size)
    for block in range(first, last):
        transpose(numbers, block * lanes * size, size, (lanes, size), pixels, 0, lanes)
        for b in range(len(blocks)):
            group, channel, height, start = blocks[b]
            c = group * (channels // groups) + channel
            for y in range(out.shape[2]):
                rows = down.pairs[down.starts[y] : down.starts[y + 1]]
                for x in range(out.shape[3]):
                    columns, to = across.pairs[across.starts[x] : across.starts[x + 1]], c * area + y * out.shape[3] + x
                    meet(
                        height + height % 2,
                        pixels,
                        group * each * plane,
                        plane,
                        each,
                        rows,
                        columns,
                        weights[start:],
                        taps,
                        bias[c:],
                        sums,
                        to,
                        area,
                    )
        transpose(sums, 0, lanes, (channels * area, lanes), results, block * lanes * channels * area, channels * area)


def convolution(x, weight, bias=None, **settings):
    """Convolve: the op's kernel. Return None for inputs that it does not cover."""
    arrays = ready(x, weight)
    if not arrays:
        return None
    x, weight = arrays
    grid = grid_of(x.shape[2:], weight.shape[2:], settings["stride"], settings["padding"], settings["dilation"])
    out = np.empty((len(x), len(weight), *grid.places), x.dtype)
    add_convolution(Now(), out, x, weight, bias, **settings)
    return out


def prepare_convolution(out, scratch, x, weight, bias=None, **settings):
    """Prepare the kernel: see `Op.register_prepared`."""
    if readable(x, weight, out) and x.size and weight.size:
        return prepare(add_convolution, out, scratch, x, weight, bias, **settings)


def add_convolution(work, out, x, weight, bias, *, stride, padding, dilation, groups):
    """Add the steps of a convolution."""
    bias = np.zeros(len(weight), x.dtype) if bias is None else bias
    grid = grid_of(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    source, rows = (grid.layout_of_input(), taps(grid, weight.shape[1]), 0), weight.reshape(groups, len(weight) // groups, -1)
    phase = Phase(0, grid.places, (0, 0), np.arange(math.prod(grid.kernel)))
    done = worth_together(x, rows, grid, [phase], False, out)

    def alone(work, done=0):
        if done < len(x):
            add_images(work, x[done:], source, rows, bias, grid, phase, (1, 1), out[done:])

    def together(work):
        add_blocks(work, x[:done], rows, bias, grid, False, out)
        alone(work, done)

    if done:  # in blocks, the 0 of the border is not multiplied; times inf, it must count
        work.choose(lambda: np.isfinite(rows).all(), together, alone)
    else:
        alone(work)


def conv2d_input(weight, grad, *, input_size, **settings):
    """Compute the gradient of the input: the op's kernel. Return None for inputs that it does not cover."""
    arrays = ready(weight, grad)
    if not arrays or not np.isfinite(weight).all():  # the 0 between the entries of grad, times inf, must not count
        return None
    weight, grad = arrays
    out = (np.empty if settings["stride"] == (1, 1) else np.zeros)(input_size, weight.dtype)
    add_input_gradient(Now(), out, weight, grad, **settings)
    return out


def prepare_conv2d_input(out, scratch, weight, grad, *, input_size, **settings):
    """Prepare the kernel: see `Op.register_prepared`."""
    if not readable(weight, grad, out) or not weight.size or not grad.size:
        return None

    def finite(work):
        if settings["stride"] != (1, 1):
            work.run(out.fill, 0)
        add_input_gradient(work, out, weight, grad, **settings)

    def otherwise():
        out[...] = ops["conv2d_input"].kernels["numba"](weight, grad, input_size=input_size, **settings)

    work = Later(scratch)
    work.choose(lambda: np.isfinite(weight).all(), finite, lambda work: work.run(otherwise))
    return work.calls


def add_input_gradient(work, out, weight, grad, *, stride, padding, dilation, groups):
    """Add the steps of the input's gradient to an array of zeros; with a stride of 1, of anything."""
    grid = grid_of(out.shape[2:], weight.shape[2:], stride, padding, dilation)
    layout, count = grid.layout_of_output(), math.prod(grid.kernel)
    turned = weight.reshape(groups, -1, weight.shape[1], count).transpose(0, 2, 1, 3)
    rows = work.scratch(turned.shape, weight.dtype)
    work.run(np.copyto, rows, turned)
    planes, bias = np.arange(rows.shape[2])[:, None] * layout.plane, np.zeros(out.shape[1], weight.dtype)
    flat = rows.reshape(groups, rows.shape[1], -1)
    done = worth_together(grad, flat, grid, phases(grid), True, out)
    if done:
        add_blocks(work, grad[:done], flat, bias, grid, True, out)
    for phase in phases(grid) if done < len(grad) else ():
        source = layout, (planes - phase.shifts).ravel(), layout.front + phase.first
        weights = rows
        if len(phase.entries) < count:
            weights = work.scratch((*rows.shape[:3], len(phase.entries)), weight.dtype)
            work.run(np.take, rows, phase.entries, -1, weights)
        weights = weights.reshape(groups, rows.shape[1], -1)
        add_images(work, grad[done:], source, weights, bias, grid, phase, grid.stride, out[done:])


def worth_together(images, rows, grid, parts, back, out):
    """Return how many images to convolve in blocks of as many as a vector has numbers: 0 if that is more work.

    Nothing is computed between rows or for the border, but images and results have to be transposed. The work has to be clearly
    less than that of all phases otherwise: there, a number that was read is used more often.
    """
    lanes, (groups, channels, _), stride = WIDTH // out.itemsize, rows.shape, grid.stride if back else (1, 1)
    read = images.shape[1] // groups
    alone = sum(min(products_alone(grid, phase, channels, read * len(phase.entries), stride, out)) for phase in parts)
    return 0 if products_together(images, rows, grid, back, out) > 0.75 * groups * alone else len(images) // lanes * lanes


def products_alone(grid, phase, channels, taps, stride, out):
    """Return about how many products a group of an image takes with vectors of pixels, and with vectors of channels.

    The latter have to be transposed, and without a stride they are the pixels of an image, one after another.
    """
    area, pitch = math.prod(phase.count), whole(channels, out.itemsize)
    pixels = len(cover_of(grid, phase, stride, out)[0]) * (WIDTH // out.itemsize) * max(channels + channels % 2, 4) * taps
    return pixels, -(-area // HEADS[0]) * HEADS[0] * pitch * (taps + TURN) if stride == (1, 1) else math.inf


def cover_of(grid, phase, stride, out):
    """Return the starts of vectors that cover a phase's pixels and where they go, or an empty array if they have to be picked."""
    lanes = WIDTH // out.itemsize
    direct = stride == (1, 1) and phase.count[1] >= lanes
    return (cover_rows if direct else cover)(phase.count, grid.phase[1], lanes)


def products_together(images, rows, grid, back, out):
    """Return about how many products a block of images takes for each image; moving a number counts, too."""
    (down, across), each = meetings(grid, back), images.shape[1] * max(rows.shape[1], 4)
    return len(down.pairs) * len(across.pairs) // 4 * each + TURN * (images[0].size + out[0].size)


def add_blocks(work, images, rows, bias, grid, back, out):
    """Add the steps that convolve images in blocks of as many as a vector has numbers."""
    lanes, (down, across) = WIDTH // out.itemsize, meetings(grid, back)
    inputs = images, pack(work, rows, TALL), math.prod(grid.kernel), one_more(work, bias, out.dtype), down, across, out
    products = lanes * products_together(images, rows, grid, back, out)
    work.loop(convolve_together, len(images) // lanes, *inputs, numbers=0, products=products)


def add_images(work, images, source, rows, bias, grid, phase, stride, out):
    """Add the steps that convolve images one by one, with weights (groups, channels, taps): choose the kernel."""
    size = dict(numbers=images[0].size + out[0].size, products=math.prod(phase.count) * rows.size)
    pixels, channels = products_alone(grid, phase, *rows.shape[1:], stride, out)
    if channels < pixels:
        pitch, places = whole(rows.shape[1], out.itemsize), spaced(phase.count, grid.phase[1])
        factors = work.scratch((len(rows), rows.shape[2], pitch), out.dtype)
        base = work.scratch((len(rows), pitch), out.dtype)
        work.run(widen, rows.swapaxes(1, 2), factors)
        work.run(widen, bias.reshape(len(rows), -1), base)
        work.loop(convolve_short, len(images), images, source, factors, base, places, out, **size)
    else:
        result = *cover_of(grid, phase, stride, out), phase.corner, stride, phase.count
        work.loop(
            convolve, len(images), images, source, pack(work, rows, ROWS), one_more(work, bias, out.dtype), result, out, **size
        )
