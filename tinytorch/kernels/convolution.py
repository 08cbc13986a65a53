"""Convolution and its two gradients, in numba, for every setting that the ops have. Given.

Each image is laid out as `grid` says, in memory that a core's cache holds, and `tiles` does the sums. The images are spread
over threads.
"""
import math

import numpy as np

from tinytorch.kernels.compiling import jit
from tinytorch.kernels.grid import grid_of, phases, taps
from tinytorch.kernels.threads import spread
from tinytorch.kernels.tiles import HEIGHT, ROWS, TAPS, TILE, WIDTH, match, weigh

ROOM = 2**17  # numbers that the layouts of a few images may take together: half a megabyte


@jit(cache=False)
def lay(image, layout, out):
    """Copy an image (C, H, W) to where the layout has its pixels; what lies between them stays."""
    (tall, wide), (rows, columns), (top, left) = layout.stride, layout.phase, layout.padding
    for c in range(image.shape[0]):
        for y in range(image.shape[1]):
            row, rest = divmod(y + top, tall)
            start = layout.front + c * layout.plane + rest * wide * rows * columns + row * columns
            if wide == 1:
                line = out[start + left:start + left + image.shape[2]]
                for x in range(image.shape[2]):
                    line[x] = image[c, y, x]
            else:
                for x in range(image.shape[2]):
                    column, rest = divmod(x + left, wide)
                    out[start + rest * rows * columns + column] = image[c, y, x]


@jit(cache=False)
def pick(sums, columns, bias, image, corner, stride, count):
    """Copy from a long row of sums what belongs to pixels of an image (H, W), and add a bias."""
    for i in range(count[0]):
        line, pixels = sums[i * columns:i * columns + count[1]], image[corner[0] + i * stride[0], corner[1]:]
        if stride[1] == 1:
            pixels = pixels[:count[1]]
            for j in range(count[1]):
                pixels[j] = line[j] + bias
        else:
            for j in range(count[1]):
                pixels[j * stride[1]] = line[j] + bias


@jit
def pack(rows):
    """Arrange weights (groups, channels, taps) in blocks of a few channels, the channels of one tap side by side.

    Returns the weights, and for each block: its group, its first channel, how many channels it has, and where it starts.
    """
    groups, channels, count = rows.shape
    weights = np.zeros(groups * (channels + 1) * count, rows.dtype)
    blocks = np.empty((groups * ((channels + ROWS - 1) // ROWS), 4), np.int64)
    start = b = 0
    for g in range(groups):
        for o in range(0, channels, ROWS):
            height = min(ROWS, channels - o)
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
    (layout, offsets, at), (weights, blocks), (length, corner, stride, count) = source, packed, result
    groups, pitch = blocks[-1, 0] + 1, length + TILE
    step, each = images.shape[1] // groups * layout.plane, out.shape[1] // groups
    pixels = np.zeros(layout.front + images.shape[1] * layout.plane + TILE, images.dtype)
    sums = np.empty(ROWS * pitch, images.dtype)
    for n in range(first, last):
        lay(images[n], layout, pixels)
        for b in range(len(blocks)):
            group, channel, height, start = blocks[b]
            weigh(height + height % 2, pixels, group * step + at, offsets, weights[start:], sums, length, pitch)
            for m in range(height):
                c = group * each + channel + m
                pick(sums[m * pitch:], layout.phase[1], bias[c], out[n, c], corner, stride, count)


@jit
def correlate(first, last, x, grad, layouts, offsets, taps, groups, room, out):
    """Add to `out` (groups, channels, taps), both rounded up, the sums over the images from first to last."""
    (of_x, of_grad), channels = layouts, grad.shape[1] // groups
    x_step, grad_step = x.shape[1] * of_x.plane, grad.shape[1] * of_grad.plane
    pixels = np.zeros(room * x_step + TILE, x.dtype)
    slopes = np.zeros(room * grad_step + HEIGHT * of_grad.plane, x.dtype)
    sums = out.reshape(out.size)
    for start in range(first, last, room):
        images = min(room, last - start)
        for n in range(images):
            lay(x[start + n], of_x, pixels[n * x_step:])
            lay(grad[start + n], of_grad, slopes[n * grad_step:])
        for g in range(groups):
            mine = pixels[g * (x.shape[1] // groups) * of_x.plane:]
            for k in range(0, taps, TAPS):
                for o in range(0, channels, HEIGHT):
                    head, to = (g * channels + o) * of_grad.plane, (g * out.shape[1] + o) * out.shape[2] + k
                    match(min(HEIGHT, channels - o), slopes, head, of_grad.plane, mine, offsets[k:],
                          images, grad_step, x_step, sums, to, out.shape[2])


def ready(*arrays):
    """Return arrays as the kernels read them: of one dtype, contiguous and writable; None if they are not covered."""
    dtype = np.result_type(*arrays)
    if dtype not in (np.float32, np.float64) or not all([array.size for array in arrays]):
        return None
    return [np.require(array, dtype, "CW") for array in arrays]


def convolution(x, weight, bias=None, *, stride, padding, dilation, groups):
    """Convolve: the kernel of that op. Return None for what it does not cover."""
    arrays = ready(x, weight, np.zeros(len(weight), x.dtype) if bias is None else bias)
    if not arrays:
        return None
    x, weight, bias = arrays
    grid = grid_of(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    packed = pack(weight.reshape(groups, len(weight) // groups, -1))
    source = grid.layout_of_input(), taps(grid, weight.shape[1]), 0
    result = grid.length(grid.places), (0, 0), (1, 1), grid.places
    out = np.empty((len(x), len(weight), *grid.places), x.dtype)
    spread(lambda part, first, last: convolve(first, last, x, source, packed, bias, result, out), len(x))
    return out


def conv2d_input(weight, grad, *, input_size, stride, padding, dilation, groups):
    """Take the gradient of the input: the kernel of that op. Return None for what it does not cover."""
    arrays = ready(weight, grad)
    if not arrays or not np.isfinite(weight).all():  # the 0 between the entries of grad, times inf, must not count
        return None
    weight, grad = arrays
    grid = grid_of(input_size[2:], weight.shape[2:], stride, padding, dilation)
    layout = grid.layout_of_output(grid.reach + grid.phase[0] * grid.phase[1], grid.reach)
    rows = weight.reshape(groups, -1, weight.shape[1], grid.kernel[0] * grid.kernel[1]).transpose(0, 2, 1, 3)
    planes, bias = np.arange(rows.shape[2])[:, None] * layout.plane, np.zeros(input_size[1], weight.dtype)
    out = np.empty(input_size, weight.dtype) if grid.stride == (1, 1) else np.zeros(input_size, weight.dtype)
    for phase in phases(grid):
        packed = pack(rows[..., phase.entries].reshape(groups, rows.shape[1], -1))
        source = layout, (planes - phase.shifts).ravel(), layout.front + phase.first
        result = grid.length(phase.count), phase.corner, grid.stride, phase.count
        spread(lambda part, first, last: convolve(first, last, grad, source, packed, bias, result, out), len(grad))
    return out


def conv2d_weight(x, grad, *, weight_size, stride, padding, dilation, groups):
    """Take the gradient of the weight: the kernel of that op. Return None for what it does not cover."""
    arrays = ready(x, grad)
    if not arrays:
        return None
    x, grad = arrays
    grid = grid_of(x.shape[2:], weight_size[2:], stride, padding, dilation)
    plane = up(grid.length(grid.places), WIDTH // x.itemsize)
    layouts = grid.layout_of_input(), grid.layout_of_output(plane, 0)
    channels, count = weight_size[0] // groups, math.prod(weight_size[1:])
    room = max(1, min(8, ROOM // (x.shape[1] * layouts[0].plane + weight_size[0] * plane)))
    offsets = np.append(taps(grid, weight_size[1]), np.zeros(TAPS, int))
    shape = groups, up(channels, HEIGHT), up(count, TAPS)
    sums = np.zeros((max(1, min(len(x) // room, 16, 2**20 // math.prod(shape))), *shape), x.dtype)  # the same for any threads
    spread(lambda part, first, last: correlate(first, last, x, grad, layouts, offsets, count, groups, room, sums[part]),
           len(x), len(sums))
    out = sums.sum(axis=0)[:, :channels, :count].reshape(weight_size)
    return out if np.isfinite(out).all() else None  # a 0 between the entries of grad may have met inf


def up(number, step):
    """Round up to a multiple."""
    return -(-number // step) * step
