"""Convolution and the gradient of its input, in numba, for every setting that the ops have. Given.

`grid` says how an image is laid out, in memory that fits a core's cache, and `tiles` computes the sums. Vectors hold the pixels
of a row; channels, if rows are short; or one pixel of several images, if that is the least work. All three add in the same
order, so an image gets the same numbers alone and in a batch. The images are spread over threads.
"""

import math

import numpy as np

from tinytorch.given.numba_kernels.arrays import ready, whole, widened
from tinytorch.given.numba_kernels.compiling import jit
from tinytorch.given.numba_kernels.grid import SPARE, Phase, cover, cover_rows, grid_of, meetings, phases, spaced, taps
from tinytorch.given.numba_kernels.moves import copy, transpose
from tinytorch.given.numba_kernels.threads import spread
from tinytorch.given.numba_kernels.tiles import ROWS, TALL, gather, meet, weigh
from tinytorch.given.numba_kernels.vectors import WIDTH

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
        for y in range(height):
            row, rest = divmod(y + top, tall)
            start = layout.front + c * layout.plane + rest * wide * rows * columns + row * columns
            if wide == 1:
                copy(numbers, (c * height + y) * width, out, start + left, width)
            else:
                for x in range(width):
                    column, rest = divmod(x + left, wide)
                    out[start + rest * rows * columns + column] = image[c, y, x]


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


@jit
def pack(rows, most):
    """Arrange weights (groups, channels, taps) in blocks of at most ``most`` channels, the channels of one tap side by side.

    Return the weights, and for each block: its group, its first channel, how many channels it has, and where it starts.
    """
    groups, channels, count = rows.shape
    weights = np.zeros(groups * (channels + 1) * count, rows.dtype)
    blocks = np.empty((groups * ((channels + most - 1) // most), 4), np.int64)
    start = b = 0
    for g in range(groups):
        for o in range(0, channels, most):
            height = min(most, channels - o)
            even = height + height % 2
            blocks[b] = g, o, height, start
            for k in range(count):
                for m in range(height):
                    weights[start + k * even + m] = rows[g, o + m, k]
            start += count * even
            b += 1
    return weights, blocks


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
    """Do the same for rows too short for vectors of pixels: with vectors of channels, transposed at the end."""
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


def convolution(x, weight, bias=None, *, stride, padding, dilation, groups):
    """Convolve: the op's kernel. Return None for inputs that it does not cover."""
    arrays = ready(x, weight)
    if not arrays:
        return None
    x, weight = arrays
    bias = np.zeros(len(weight), x.dtype) if bias is None else np.require(bias, x.dtype, "CW")
    grid = grid_of(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    out = np.empty((len(x), len(weight), *grid.places), x.dtype)
    source, rows = (grid.layout_of_input(), taps(grid, weight.shape[1]), 0), weight.reshape(groups, len(weight) // groups, -1)
    whole = Phase(0, grid.places, (0, 0), np.arange(math.prod(grid.kernel)))
    done = run_together(x, rows, bias, grid, [whole], False, out)
    if done < len(x):
        run(x[done:], source, rows, bias, grid, whole, (1, 1), out[done:])
    return out


def conv2d_input(weight, grad, *, input_size, stride, padding, dilation, groups):
    """Compute the gradient of the input: the op's kernel. Return None for inputs that it does not cover."""
    arrays = ready(weight, grad)
    if not arrays or not np.isfinite(weight).all():  # the 0 between the entries of grad, times inf, must not count
        return None
    weight, grad = arrays
    grid = grid_of(input_size[2:], weight.shape[2:], stride, padding, dilation)
    layout = grid.layout_of_output()
    rows = weight.reshape(groups, -1, weight.shape[1], grid.kernel[0] * grid.kernel[1]).transpose(0, 2, 1, 3)
    planes, bias = np.arange(rows.shape[2])[:, None] * layout.plane, np.zeros(input_size[1], weight.dtype)
    out = np.empty(input_size, weight.dtype) if grid.stride == (1, 1) else np.zeros(input_size, weight.dtype)
    done = run_together(grad, rows.reshape(groups, rows.shape[1], -1), bias, grid, phases(grid), True, out)
    for phase in phases(grid) if done < len(grad) else ():
        source = layout, (planes - phase.shifts).ravel(), layout.front + phase.first
        weights = rows[..., phase.entries].reshape(groups, rows.shape[1], -1)
        run(grad[done:], source, weights, bias, grid, phase, grid.stride, out[done:])
    return out


def run_together(images, rows, bias, grid, parts, back, out):
    """Convolve images in blocks of as many as a vector has numbers, if that is less work, and return how many are done.

    Nothing is computed between rows or for the border, but images and results have to be transposed. The work has to be clearly
    less than that of all phases otherwise, because a block of images takes more of the cache than one image.
    """
    lanes, (down, across) = WIDTH // out.itemsize, meetings(grid, back)
    blocks, each = len(images) // lanes, images.shape[1] * max(rows.shape[1], 4)
    alone = sum(len(cover(phase.count, grid.phase[1], lanes)[0]) * lanes * len(phase.entries) for phase in parts) * each
    together = len(down.pairs) * len(across.pairs) // 4 * each + TURN * (images[0].size + out[0].size)
    if not blocks or together > 0.85 * alone or not np.isfinite(rows).all():  # the 0 of the border, times inf, must count
        return 0
    packed, bias = (pack(rows, TALL), math.prod(grid.kernel)), np.append(bias, bias[:1])
    work = lambda first, last: convolve_together(first, last, images, *packed, bias, down, across, out)
    spread(work, blocks, numbers=0, products=lanes * together)
    return blocks * lanes


def run(images, source, rows, bias, grid, phase, stride, out):
    """Choose the kernel for weights (groups, channels, taps), and spread it over threads."""
    lanes, columns = WIDTH // out.itemsize, grid.phase[1]
    if stride == (1, 1) and phase.count[1] < lanes <= rows.shape[1]:
        factors = widened(rows.swapaxes(1, 2), whole(rows.shape[1], out.itemsize))
        bias = widened(bias.reshape(len(rows), -1), factors.shape[2])
        places = spaced(phase.count, columns)
        work = lambda first, last: convolve_short(first, last, images, source, factors, bias, places, out)
    else:
        packed, bias = pack(rows, ROWS), np.append(bias, bias[:1])
        direct = stride == (1, 1) and phase.count[1] >= lanes
        starts, ends = (cover_rows if direct else cover)(phase.count, columns, lanes)
        result = starts, ends, phase.corner, stride, phase.count
        work = lambda first, last: convolve(first, last, images, source, packed, bias, result, out)
    spread(work, len(images), numbers=images[0].size + out[0].size, products=math.prod(phase.count) * rows.size)
