"""Batch normalisation and its gradients, in numba: each reads its arrays once or twice, and makes no temporary ones. Given.

The sums over a channel are taken picture by picture, then added up in double precision: the same for any number of threads.
"""

import numpy as np

from tinytorch.given.numba_kernels.arrays import ready
from tinytorch.given.numba_kernels.compiling import jit
from tinytorch.given.numba_kernels.threads import spread

IN_ANY_ORDER = {"reassoc", "nsz", "contract"}  # lets sums run in vectors; nan and inf keep their meaning


@jit(fastmath=IN_ANY_ORDER)
def add_up(first, last, a, b, mean, out):
    """Set out[n, c] to the sum of a picture of a, and the sum of its products with b minus the channel's mean."""
    for n in range(first, last):
        for c in range(a.shape[1]):
            total = dot = a.dtype.type(0)
            for i in range(a.shape[2]):
                total += a[n, c, i]
                dot += a[n, c, i] * (b[n, c, i] - mean[c])
            out[n, c, 0], out[n, c, 1] = total, dot


@jit(fastmath=IN_ANY_ORDER)
def add_squares(first, last, x, mean, out):
    """Set out[n, c] to the sum of the squares of a picture minus the channel's mean."""
    for n in range(first, last):
        for c in range(x.shape[1]):
            total = x.dtype.type(0)
            for i in range(x.shape[2]):
                total += (x[n, c, i] - mean[c]) * (x[n, c, i] - mean[c])
            out[n, c] = total


@jit
def combine(first, last, grad, x, mean, shift, slope, scale, out):
    """Set out to (grad - shift - (x - mean) * slope) * scale, with the numbers of each channel."""
    for n in range(first, last):
        for c in range(x.shape[1]):
            for i in range(x.shape[2]):
                out[n, c, i] = (grad[n, c, i] - shift[c] - (x[n, c, i] - mean[c]) * slope[c]) * scale[c]


@jit
def affine(first, last, x, mean, scale, shift, out):
    """Set out to (x - mean) * scale + shift, with the numbers of each channel."""
    for n in range(first, last):
        for c in range(x.shape[1]):
            for i in range(x.shape[2]):
                out[n, c, i] = (x[n, c, i] - mean[c]) * scale[c] + shift[c]


def rows(x):
    """View pictures (N, C, H, W) as rows (N, C, H * W)."""
    return x.reshape(*x.shape[:2], -1)


def channel_norm(x, weight, bias, mean, var, *, eps, training):
    """Shift and scale every channel: the op's kernel. Return None for inputs that it does not cover."""
    arrays = ready(x, weight, bias, mean, var)
    if not arrays:
        return None
    x, weight, bias, mean, var = arrays
    out, scale = np.empty_like(x), weight / np.sqrt(var + x.dtype.type(eps))
    spread(lambda first, last: affine(first, last, rows(x), mean, scale, bias, rows(out)), len(x), numbers=x[0].size)
    return out


def channel_variance(x, mean):
    """Compute the mean squared distance from the mean: the op's kernel. Return None for inputs that it does not cover."""
    arrays = ready(x, mean)
    if not arrays:
        return None
    x, mean = arrays
    sums = np.empty(x.shape[:2])
    spread(lambda first, last: add_squares(first, last, rows(x), mean, sums), len(x), numbers=x[0].size)
    return (sums.sum(axis=0) / (x.size / len(mean))).astype(x.dtype)


def products(grad, x, mean):
    """Return for each channel, in double precision, the sum of grad and the sum of grad * (x - mean)."""
    sums = np.empty((*x.shape[:2], 2))
    spread(lambda first, last: add_up(first, last, rows(grad), rows(x), mean, sums), len(x), numbers=x[0].size)
    return sums.sum(axis=0).T


def channel_norm_weight(grad, x, mean, var, *, eps, training):
    """Compute the gradient of the weight: the op's kernel. Return None for inputs that it does not cover."""
    arrays = ready(grad, x, mean, var)
    if not arrays:
        return None
    grad, x, mean, var = arrays
    return (products(grad, x, mean)[1] / np.sqrt(var + eps)).astype(x.dtype)


def channel_norm_backward(grad, x, weight, mean, var, *, eps, training):
    """Compute the gradient of the input: the op's kernel. Return None for inputs that it does not cover."""
    arrays = ready(grad, x, weight, mean, var)
    if not arrays:
        return None
    grad, x, weight, mean, var = arrays
    out, scale, zeros = np.empty_like(x), (weight / np.sqrt(var + eps)).astype(x.dtype), np.zeros_like(mean)
    if not training:
        spread(lambda first, last: affine(first, last, rows(grad), zeros, scale, zeros, rows(out)), len(x), numbers=x[0].size)
        return out
    total, dot = products(grad, x, mean) / (x.size / len(mean))
    shift, slope = total.astype(x.dtype), (dot / (var + eps)).astype(x.dtype)
    spread(
        lambda first, last: combine(first, last, rows(grad), rows(x), mean, shift, slope, scale, rows(out)),
        len(x),
        numbers=x[0].size,
    )
    return out
