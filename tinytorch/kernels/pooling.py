"""Max-pooling and its gradient, in numba. Given.

Windows of 2 by 2 that do not overlap, which most networks have, get a loop of their own that becomes vector instructions.
"""
import numpy as np

from tinytorch.kernels.compiling import jit
from tinytorch.kernels.convolution import ready
from tinytorch.kernels.threads import spread


@jit(cache=False)
def beats(value, largest):
    """Say whether a value comes to be the maximum: it is larger, or nan."""
    return value > largest or value != value


@jit(cache=False)
def window(y, x, settings, size):
    """Return the rows and columns of the picture that a window meets: first, and one past the last."""
    (rows, columns), (down, across), (top, left) = settings
    y, x = y * down - top, x * across - left
    return max(y, 0), min(y + rows, size[0]), max(x, 0), min(x + columns, size[1])


@jit
def pool(first, last, pictures, settings, out):
    """Take the maximum of every window of the pictures (M, H, W) from first to last."""
    for n in range(first, last):
        for y in range(out.shape[1]):
            if settings == ((2, 2), (2, 2), (0, 0)):
                upper, lower, row = pictures[n, 2 * y], pictures[n, 2 * y + 1], out[n, y]
                for x in range(len(row)):
                    largest = upper[2 * x]
                    for value in (upper[2 * x + 1], lower[2 * x], lower[2 * x + 1]):
                        largest = value if beats(value, largest) else largest
                    row[x] = largest
            else:
                for x in range(out.shape[2]):
                    top, bottom, left, right = window(y, x, settings, pictures.shape[1:])
                    largest = pictures.dtype.type(-np.inf)
                    for i in range(top, bottom):
                        for j in range(left, right):
                            if beats(pictures[n, i, j], largest):
                                largest = pictures[n, i, j]
                    out[n, y, x] = largest


@jit
def unpool(first, last, grad, pictures, settings, out):
    """Give the gradient of every window to its maximum: the first in row-major order, or the last nan."""
    for n in range(first, last):
        for y in range(grad.shape[1]):
            if settings == ((2, 2), (2, 2), (0, 0)):
                unpool_row(pictures[n, 2 * y], pictures[n, 2 * y + 1], grad[n, y], out[n, 2 * y], out[n, 2 * y + 1])
            else:
                for x in range(grad.shape[2]):
                    top, bottom, left, right = window(y, x, settings, pictures.shape[1:])
                    place, largest = (top, left), pictures[n, top, left]
                    for i in range(top, bottom):
                        for j in range(left, right):
                            if beats(pictures[n, i, j], largest):
                                place, largest = (i, j), pictures[n, i, j]
                    out[n, place[0], place[1]] += grad[n, y, x]


@jit(cache=False)
def unpool_row(upper, lower, grad, out_upper, out_lower):
    """Write the gradient of two rows whose windows are 2 by 2."""
    zero = grad.dtype.type(0)
    for x in range(len(grad)):
        a, b, c, d = upper[2 * x], upper[2 * x + 1], lower[2 * x], lower[2 * x + 1]
        right = beats(b, a)
        above, below = (b if right else a), (d if beats(d, c) else c)
        down = beats(below, above)
        value, right = grad[x], beats(d, c) if down else right
        out_upper[2 * x] = zero if down or right else value
        out_upper[2 * x + 1] = value if right and not down else zero
        out_lower[2 * x] = value if down and not right else zero
        out_lower[2 * x + 1] = value if down and right else zero


def max_pooling(x, *, kernel_size, stride, padding):
    """Take the maximum of every window: the kernel of that op. Return None for what it does not cover."""
    arrays = ready(x)
    if not arrays:
        return None
    pictures, settings = arrays[0].reshape(-1, *x.shape[2:]), (kernel_size, stride, padding)
    size = [(n + 2 * p - k) // s + 1 for n, k, s, p in zip(x.shape[2:], *settings)]
    out = np.empty((len(pictures), *size), x.dtype)
    spread(lambda part, first, last: pool(first, last, pictures, settings, out), len(out))
    return out.reshape(*x.shape[:2], *size)


def max_pooling_backward(grad, x, *, kernel_size, stride, padding):
    """Give the gradient back to the maxima: the kernel of that op. Return None for what it does not cover."""
    arrays = ready(grad, x)
    if not arrays:
        return None
    grad, pictures = (array.reshape(-1, *array.shape[2:]) for array in arrays)
    settings = kernel_size, stride, padding
    whole = all(n % 2 == 0 for n in x.shape[2:]) and settings == ((2, 2), (2, 2), (0, 0))
    out = (np.empty if whole else np.zeros)(pictures.shape, grad.dtype)
    spread(lambda part, first, last: unpool(first, last, grad, pictures, settings, out), len(out))
    return out.reshape(x.shape)
