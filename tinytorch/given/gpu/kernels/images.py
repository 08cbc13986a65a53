"""The kernels of convolutions, pooling and normalisation by channel. Given.

The three products of a convolution are tiled products (`tiles.py`) whose functions find the pixel. With ``geometry`` they get the
sizes that they need: (height and width of the result, of the kernels, of the pictures, stride, padding, dilation, channels and
kernels of a group).
"""

import functools
import math

import numpy as np

from tinytorch.given.gpu.backend import cuda
from tinytorch.given.gpu.device_array import DeviceArray
from tinytorch.given.gpu.kernels import tiles
from tinytorch.given.gpu.kernels.launching import run
from tinytorch.given.gpu.kernels.moves import permute
from tinytorch.given.gpu.kernels.reductions import mean, reduce_sum

ZERO = np.float32(0)


# The result of a convolution: kernels times pixels. Row i is a kernel, column j a place in a picture, step p a kernel's entry.


def kernel_entry(w, i, p, z, g):
    """Return entry p of kernel i."""
    return w[z * g[13] + i, p]


def pixel(x, p, j, z, g):
    """Return the pixel that meets a kernel's entry p at place j; 0 in the border."""
    n, place = j // (g[0] * g[1]), j % (g[0] * g[1])
    c, entry = p // (g[2] * g[3]), p % (g[2] * g[3])
    down = place // g[1] * g[6] + entry // g[3] * g[10] - g[8]
    across = place % g[1] * g[7] + entry % g[3] * g[11] - g[9]
    if 0 <= down < g[4] and 0 <= across < g[5]:
        return x[n, z * g[12] + c, down, across]
    return ZERO


# The gradient of the pictures: row i is a channel, column j a pixel, step p an entry of all kernels of that channel.


def turned_entry(w, i, p, z, g):
    """Return the entry of a kernel that channel i sees."""
    o, entry = p // (g[2] * g[3]), p % (g[2] * g[3])
    return w[z * g[13] + o, i * g[2] * g[3] + entry]


def gradient_there(grad, p, j, z, g):
    """Return the gradient of the place at which pixel j meets entry p; 0 if there is none."""
    n, place = j // (g[4] * g[5]), j % (g[4] * g[5])
    o, entry = p // (g[2] * g[3]), p % (g[2] * g[3])
    down = place // g[5] + g[8] - entry // g[3] * g[10]
    across = place % g[5] + g[9] - entry % g[3] * g[11]
    if down % g[6] == 0 and across % g[7] == 0:
        down //= g[6]
        across //= g[7]
        if 0 <= down < g[0] and 0 <= across < g[1]:
            return grad[n, z * g[13] + o, down, across]
    return ZERO


# The gradient of the kernels: row i is a kernel, column j one of its entries, step p a place in all pictures.


def gradient_of_kernel(grad, i, p, z, g):
    """Return the gradient of kernel i at place p."""
    n, place = p // (g[0] * g[1]), p % (g[0] * g[1])
    return grad[n, z * g[13] + i, place // g[1], place % g[1]]


def pixel_met(x, p, j, z, g):
    """Return the pixel that entry j meets at place p; 0 in the border."""
    n, place = p // (g[0] * g[1]), p % (g[0] * g[1])
    c, entry = j // (g[2] * g[3]), j % (g[2] * g[3])
    down = place // g[1] * g[6] + entry // g[3] * g[10] - g[8]
    across = place % g[1] * g[7] + entry % g[3] * g[11] - g[9]
    if 0 <= down < g[4] and 0 <= across < g[5]:
        return x[n, z * g[12] + c, down, across]
    return ZERO


KINDS = {
    "result": (kernel_entry, pixel, False, False),
    "pictures": (turned_entry, gradient_there, False, False),
    "kernels": (gradient_of_kernel, pixel_met, False, True),
}


@functools.cache
def kernel_of(kind, dtype):
    """Return the kernel of one of a convolution's three products for a dtype."""
    first, second, *across = KINDS[kind]
    return tiles.make(first, second, dtype, *across)


def geometry(places, weight_size, input_size, stride, padding, dilation, groups):
    """Return the sizes that the functions above need, as a tuple of whole numbers."""
    sizes = (*places, *weight_size[2:], *input_size[2:], *stride, *padding, *dilation, weight_size[1], weight_size[0] // groups)
    return tuple(int(size) for size in sizes)


def places_of(size, kernel_size, stride, padding, dilation):
    """Return how many places a kernel has in a picture, down and across."""
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(size, kernel_size, stride, padding, dilation))


def convolution(x, weight, bias=None, *, stride, padding, dilation, groups):
    """Slide kernels over the pictures of a batch."""
    dtype, (count, _, *size) = tiles.common(x, weight), x.shape
    x, weight = x.astype(dtype, copy=False), weight.astype(dtype, copy=False)
    places = places_of(size, weight.shape[2:], stride, padding, dilation)
    g = geometry(places, weight.shape, x.shape, stride, padding, dilation, groups)
    sizes = weight.shape[0] // groups, count * math.prod(places), math.prod(weight.shape[1:])
    rows = weight.as_shape(weight.shape[0], sizes[2])
    out = tiles.multiply(kernel_of("result", dtype), rows, x.memory, sizes, g, dtype, groups)
    out = permute(out.reshape((weight.shape[0], count, *places)), dims=(1, 0, 2, 3))
    if bias is not None:
        run(add_to_channels, out.size, out, bias, math.prod(places))
    return out


def conv2d_input(weight, grad, *, input_size, stride, padding, dilation, groups):
    """Turn the gradient of a convolution into that of the pictures."""
    dtype, (count, channels, *size) = tiles.common(weight, grad), input_size
    grad, weight = grad.astype(dtype, copy=False), weight.astype(dtype, copy=False)
    g = geometry(grad.shape[2:], weight.shape, input_size, stride, padding, dilation, groups)
    area = math.prod(weight.shape[2:])
    sizes = channels // groups, count * math.prod(size), weight.shape[0] // groups * area
    rows = weight.as_shape(weight.shape[0], weight.shape[1] * area)
    out = tiles.multiply(kernel_of("pictures", dtype), rows, grad.memory, sizes, g, dtype, groups)
    return permute(out.reshape((channels, count, *size)), dims=(1, 0, 2, 3))


def conv2d_weight(x, grad, *, weight_size, stride, padding, dilation, groups):
    """Turn the gradient of a convolution into that of its kernels."""
    dtype = tiles.common(x, grad)
    x, grad = x.astype(dtype, copy=False), grad.astype(dtype, copy=False)
    g = geometry(grad.shape[2:], weight_size, x.shape, stride, padding, dilation, groups)
    sizes = weight_size[0] // groups, math.prod(weight_size[1:]), len(x) * math.prod(grad.shape[2:])
    return tiles.multiply(kernel_of("kernels", dtype), grad.memory, x.memory, sizes, g, dtype, groups).reshape(weight_size)


# Pooling: a thread computes one window, or what reaches one pixel.


@cuda.jit
def add_to_channels(out, bias, area):
    """Add a number to every entry of a channel."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        out[i] += bias[i // area % bias.size]


@cuda.jit
def max_windows(x, out, winner, height, width, down, across, kernel, stride, padding):
    """Write the largest entry of every window, and its place in the picture: of equal ones the first; nan wins."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        picture, place = i // (down * across), i % (down * across)
        top, left = place // across * stride[0] - padding[0], place % across * stride[1] - padding[1]
        best, chosen = x[picture * height * width], -1
        for row in range(max(top, 0), min(top + kernel[0], height)):
            for column in range(max(left, 0), min(left + kernel[1], width)):
                value = x[picture * height * width + row * width + column]
                if chosen < 0 or value > best or (value != value and best == best):
                    best, chosen = value, row * width + column
        out[i] = best
        winner[i] = chosen


@cuda.jit
def send_back(grad, winner, out, height, width, down, across, kernel, stride, padding):
    """Write, for every pixel, the sum of the gradients of the windows that it wins: no two threads write to one place."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        picture, place = i // (height * width), i % (height * width)
        row, column = place // width + padding[0], place % width + padding[1]
        total = grad[0] - grad[0]
        for y in range(max(0, (row - kernel[0] + stride[0]) // stride[0]), min(down, row // stride[0] + 1)):
            for x in range(max(0, (column - kernel[1] + stride[1]) // stride[1]), min(across, column // stride[1] + 1)):
                window = picture * down * across + y * across + x
                if winner[window] == place:
                    total += grad[window]
        out[i] = total


def pooled(x, kernel_size, stride, padding):
    """Return the largest entry of every window, and where in its picture it is."""
    places = places_of(x.shape[2:], kernel_size, stride, padding, (1, 1))
    out, winner = (DeviceArray((*x.shape[:2], *places), dtype) for dtype in (x.dtype, np.int32))
    settings = [tuple(map(int, setting)) for setting in (kernel_size, stride, padding)]
    run(max_windows, out.size, x, out, winner, *x.shape[2:], *places, *settings)
    return out, winner


def max_pooling(x, *, kernel_size, stride, padding):
    """Take the largest entry of every window."""
    return pooled(x, kernel_size, stride, padding)[0]


def max_pooling_backward(grad, x, *, kernel_size, stride, padding):
    """Turn the gradient of max pooling into that of its input."""
    _, winner = pooled(x, kernel_size, stride, padding)
    out = DeviceArray(x.shape, grad.dtype)
    settings = [tuple(map(int, setting)) for setting in (kernel_size, stride, padding)]
    if grad.size:
        run(send_back, out.size, grad, winner, out, *x.shape[2:], *grad.shape[2:], *settings)
    return out


# Normalisation: sums over channels are reductions; what is computed for each entry is one kernel.

CHANNEL = (0, 2, 3)


@cuda.jit
def normalise(x, weight, bias, mean, var, out, eps, area):
    """Shift and scale every channel."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        c = i // area % mean.size
        out[i] = (x[i] - mean[c]) * (weight[c] / math.sqrt(var[c] + eps)) + bias[c]


@cuda.jit
def apart_times(x, mean, other, out, area):
    """Write the distance of every entry from its channel's mean, times the entry of another array."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        out[i] = (x[i] - mean[i // area % mean.size]) * other[i]


@cuda.jit
def apart_squared(x, mean, out, area):
    """Write the square of the distance of every entry from its channel's mean."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        apart = x[i] - mean[i // area % mean.size]
        out[i] = apart * apart


@cuda.jit
def divided_by_deviation(total, var, out, eps):
    """Divide a number of every channel by its standard deviation."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        out[i] = total[i] / math.sqrt(var[i] + eps)


@cuda.jit
def back_to_input(grad, x, weight, mean, var, share, together, out, eps, area, training):
    """Turn the gradient of `normalise` into that of its input."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        c = i // area % mean.size
        own = grad[i]
        if training:
            own -= share[c] + (x[i] - mean[c]) * together[c] / (var[c] + eps)
        out[i] = own * (weight[c] / math.sqrt(var[c] + eps))


def area_of(x):
    """Return how many entries of a channel follow one another."""
    return math.prod(x.shape[2:])


def channel_sum(x):
    """Return the sum of every channel's entries."""
    return reduce_sum(x, axis=CHANNEL)


def channel_norm(x, weight, bias, mean, var, *, eps, training):
    """Shift and scale every channel."""
    out = DeviceArray(x.shape, x.dtype)
    run(normalise, out.size, x, weight, bias, mean, var, out, x.dtype.type(eps), area_of(x))
    return out


def channel_variance(x, mean):
    """Return the mean square distance of every channel's entries from its mean."""
    squares = DeviceArray(x.shape, x.dtype)
    run(apart_squared, squares.size, x, mean, squares, area_of(x))
    return channel_sum(squares) * x.dtype.type(len(mean) / x.size)


def products_with_distance(grad, x, mean):
    """Return, for every channel, the sum of the gradient times the distance from the mean."""
    products = DeviceArray(x.shape, x.dtype)
    run(apart_times, products.size, x, mean, grad, products, area_of(x))
    return channel_sum(products)


def channel_norm_weight(grad, x, mean, var, *, eps, training):
    """Turn the gradient of `channel_norm` into that of its weight."""
    out = DeviceArray(mean.shape, x.dtype)
    run(divided_by_deviation, out.size, products_with_distance(grad, x, mean), var, out, x.dtype.type(eps))
    return out


def channel_norm_backward(grad, x, weight, mean, var, *, eps, training):
    """Turn the gradient of `channel_norm` into that of its input."""
    out, share, together = DeviceArray(x.shape, x.dtype), mean, mean
    if training:
        share = mean_of_channels(grad)
        together = products_with_distance(grad, x, mean) * x.dtype.type(len(mean) / x.size)
    run(back_to_input, out.size, grad, x, weight, mean, var, share, together, out, x.dtype.type(eps), area_of(x), training)
    return out


def mean_of_channels(grad):
    """Return the mean of every channel's entries."""
    return mean(grad, axis=CHANNEL)
