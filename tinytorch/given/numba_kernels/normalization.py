"""Batch normalisation and its gradients, in numba: each reads its arrays once or twice, and makes no temporary ones. Given.

The sums over a channel are taken picture by picture, then added up in double precision: the same for any number of threads.
"""

import numpy as np

from tinytorch.given.numba_kernels.arrays import readable, ready
from tinytorch.given.numba_kernels.compiling import jit
from tinytorch.given.numba_kernels.work import Now, prepare

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


def set_scale(weight, var, eps, out):
    """Set out to what each channel is multiplied by."""
    out[...] = weight / np.sqrt(var + eps)


def channel_norm(x, weight, bias, mean, var, **settings):
    """Shift and scale every channel: the op's kernel. Return None for inputs that it does not cover."""
    return run(add_channel_norm, x, weight, bias, mean, var, like=0, **settings)


def prepare_channel_norm(out, scratch, *arrays, **settings):
    """Prepare the kernel: see `Op.register_prepared`."""
    return prepare_if_readable(add_channel_norm, out, scratch, *arrays, **settings)


def add_channel_norm(work, out, x, weight, bias, mean, var, *, eps, training):
    """Add the steps that shift and scale every channel."""
    scale = work.scratch(weight.shape, x.dtype)
    work.run(set_scale, weight, var, eps, scale)
    work.loop(affine, len(x), rows(x), mean, scale, bias, rows(out), numbers=x[0].size)


def channel_variance(x, mean):
    """Compute the mean squared distance from the mean: the op's kernel. Return None for inputs that it does not cover."""
    return run(add_channel_variance, x, mean, like=1)


def prepare_channel_variance(out, scratch, *arrays):
    """Prepare the kernel: see `Op.register_prepared`."""
    return prepare_if_readable(add_channel_variance, out, scratch, *arrays)


def add_channel_variance(work, out, x, mean):
    """Add the steps that compute the mean squared distance from the mean."""
    sums, count = work.scratch(x.shape[:2], np.float64), x.size / len(mean)

    def finish(sums, out):
        out[...] = sums.sum(axis=0) / count

    work.loop(add_squares, len(x), rows(x), mean, sums, numbers=x[0].size)
    work.run(finish, sums, out)


def add_products(work, grad, x, mean):
    """Add the step that computes, for each picture and channel, the sum of grad and of grad * (x - mean); return the sums."""
    sums = work.scratch((*x.shape[:2], 2), np.float64)
    work.loop(add_up, len(x), rows(grad), rows(x), mean, sums, numbers=x[0].size)
    return sums


def channel_norm_weight(grad, x, mean, var, **settings):
    """Compute the gradient of the weight: the op's kernel. Return None for inputs that it does not cover."""
    return run(add_channel_norm_weight, grad, x, mean, var, like=2, **settings)


def prepare_channel_norm_weight(out, scratch, *arrays, **settings):
    """Prepare the kernel: see `Op.register_prepared`."""
    return prepare_if_readable(add_channel_norm_weight, out, scratch, *arrays, **settings)


def add_channel_norm_weight(work, out, grad, x, mean, var, *, eps, training):
    """Add the steps that compute the gradient of the weight."""

    def finish(sums, var, out):
        out[...] = sums[..., 1].sum(axis=0) / np.sqrt(var + eps)

    work.run(finish, add_products(work, grad, x, mean), var, out)


def channel_norm_backward(grad, x, weight, mean, var, **settings):
    """Compute the gradient of the input: the op's kernel. Return None for inputs that it does not cover."""
    return run(add_channel_norm_backward, grad, x, weight, mean, var, like=1, **settings)


def prepare_channel_norm_backward(out, scratch, *arrays, **settings):
    """Prepare the kernel: see `Op.register_prepared`."""
    return prepare_if_readable(add_channel_norm_backward, out, scratch, *arrays, **settings)


def add_channel_norm_backward(work, out, grad, x, weight, mean, var, *, eps, training):
    """Add the steps that compute the gradient of the input."""
    scale, shift, slope = (work.scratch(mean.shape, x.dtype) for _ in range(3))
    work.run(set_scale, weight, var, eps, scale)
    if not training:
        zeros = np.zeros_like(mean)
        work.loop(affine, len(x), rows(grad), zeros, scale, zeros, rows(out), numbers=x[0].size)
        return
    count = x.size / len(mean)

    def share(sums, var):
        total, dot = sums.sum(axis=0).T / count
        shift[...], slope[...] = total, dot / (var + eps)

    work.run(share, add_products(work, grad, x, mean), var)
    work.loop(combine, len(x), rows(grad), rows(x), mean, shift, slope, scale, rows(out), numbers=x[0].size)


def run(add_steps, *arrays, like, **settings):
    """Run a kernel's steps, and return their result, an array like one of the inputs; None if these are not covered."""
    arrays = ready(*arrays)
    if not arrays:
        return None
    out = np.empty_like(arrays[like])
    add_steps(Now(), out, *arrays, **settings)
    return out


def prepare_if_readable(add_steps, out, scratch, *arrays, **settings):
    """Prepare a kernel, if it can read the arrays as they are."""
    if readable(out, *arrays) and out.size:
        return prepare(add_steps, out, scratch, *arrays, **settings)
