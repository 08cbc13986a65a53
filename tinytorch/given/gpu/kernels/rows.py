"""Kernels in which a warp does one row: softmax, and the cross-entropy with its gradient. Given.

Three passes over a row, as in module 10: the largest score, the sum of the exponentials, and the result. The lanes of a warp
share each pass, and shuffles combine what they found, so that no shared memory and no barrier is needed.
"""

import math

import numpy as np

from tinytorch.given.gpu.backend import cuda
from tinytorch.given.gpu.device_array import DeviceArray
from tinytorch.given.gpu.kernels.moves import transpose
from tinytorch.given.gpu.kernels.reductions import FULL, WARP, reduce_sum, run_warps

ONE, NAN = np.float32(1), np.float32(math.nan)


@cuda.jit(device=True)
def warp_max(value):
    """Return the largest value of a warp's lanes."""
    for halvings in range(5):
        other = cuda.shfl_xor_sync(FULL, value, 16 >> halvings)
        value = value if value > other or value != value else other
    return value


@cuda.jit(device=True)
def warp_sum(value):
    """Return the sum of a warp's lanes."""
    for halvings in range(5):
        value += cuda.shfl_xor_sync(FULL, value, 16 >> halvings)
    return value


@cuda.jit(device=True)
def row_max(a, row, lane):
    """Return the largest entry of a row; nan wins."""
    top = a[row, 0]
    for j in range(lane, a.shape[1], WARP):
        value = a[row, j]
        top = top if top > value or top != top else value
    return warp_max(top)


@cuda.jit(device=True)
def sum_of_exp(a, row, lane, top):
    """Return the sum of the exponentials of a row, each divided by that of ``top``."""
    total = top - top  # 0, in the type of the scores; nan where that is what comes out
    for j in range(lane, a.shape[1], WARP):
        total += math.exp(a[row, j] - top)
    return warp_sum(total)


@cuda.jit
def softmax_rows(a, out):
    """Turn every row of scores into shares that sum to 1."""
    row, lane = cuda.grid(1) // WARP, cuda.threadIdx.x % WARP
    if row < a.shape[0]:
        top = row_max(a, row, lane)
        total = sum_of_exp(a, row, lane, top)
        for j in range(lane, a.shape[1], WARP):
            out[row, j] = math.exp(a[row, j] - top) / total


@cuda.jit
def log_softmax_rows(a, out):
    """Take the logarithm of every row's softmax."""
    row, lane = cuda.grid(1) // WARP, cuda.threadIdx.x % WARP
    if row < a.shape[0]:
        top = row_max(a, row, lane)
        rest = math.log(sum_of_exp(a, row, lane, top))
        for j in range(lane, a.shape[1], WARP):
            out[row, j] = a[row, j] - top - rest


@cuda.jit
def logsumexp_rows(a, out):
    """Write the logarithm of the sum of every row's exponentials."""
    row, lane = cuda.grid(1) // WARP, cuda.threadIdx.x % WARP
    if row < a.shape[0]:
        top = row_max(a, row, lane)
        if top - top != 0:  # infinite: inf - inf would be nan
            if lane == 0:
                out[row] = top
        else:
            total = sum_of_exp(a, row, lane, top)
            if lane == 0:
                out[row] = top + math.log(total)


@cuda.jit
def loss_rows(logits, labels, out):
    """Write the cross-entropy of every row; nan where the label is no class."""
    row, lane = cuda.grid(1) // WARP, cuda.threadIdx.x % WARP
    if row < logits.shape[0]:
        top = row_max(logits, row, lane)
        total = sum_of_exp(logits, row, lane, top)
        label = labels[row]
        if lane == 0:
            if 0 <= label < logits.shape[1]:
                out[row] = top + math.log(total) - logits[row, label]
            else:
                out[row] = NAN


@cuda.jit
def grad_rows(logits, labels, out):
    """Write every row's softmax, less 1 at the label: the gradient of the cross-entropy."""
    row, lane = cuda.grid(1) // WARP, cuda.threadIdx.x % WARP
    if row < logits.shape[0]:
        top = row_max(logits, row, lane)
        total = sum_of_exp(logits, row, lane, top)
        label = labels[row]
        for j in range(lane, logits.shape[1], WARP):
            share = math.exp(logits[row, j] - top) / total
            out[row, j] = share - ONE if j == label else share


def by_rows(kernel, a, dim):
    """Run a kernel over the rows along an axis."""
    if dim % a.ndim != a.ndim - 1:
        return transpose(by_rows(kernel, transpose(a, dim0=dim, dim1=-1), -1), dim0=dim, dim1=-1)
    out = DeviceArray(a.shape, a.dtype)
    if a.size:
        width = a.shape[-1]
        run_warps(kernel, a.size // width, a.as_shape(a.size // width, width), out.as_shape(a.size // width, width))
    return out


def softmax(a, *, dim=-1):
    """Turn scores along an axis into shares that sum to 1."""
    return by_rows(softmax_rows, a, dim)


def log_softmax(a, *, dim=-1):
    """Take the logarithm of the softmax along an axis."""
    return by_rows(log_softmax_rows, a, dim)


def logsumexp(x, *, dim, keepdim=False):
    """Take the logarithm of the sum of exponentials along an axis."""
    dim = dim % x.ndim
    shape = [1 if axis == dim else size for axis, size in enumerate(x.shape)]
    last = x if dim == x.ndim - 1 else transpose(x, dim0=dim, dim1=-1)
    out = DeviceArray(last.shape[:-1], x.dtype)
    run_warps(logsumexp_rows, out.size, last.as_shape(out.size, x.shape[dim]), out.flat)
    if dim != x.ndim - 1:
        out = transpose(out.reshape((*last.shape[:-1], 1)), dim0=dim, dim1=-1)
    return out.reshape(tuple(shape) if keepdim else tuple(size for axis, size in enumerate(shape) if axis != dim))


def check_labels(scores, labels):
    """Raise an error if scores and labels do not fit; a label out of range is seen on the device only, and makes nan."""
    if scores.ndim != 2 or labels.shape != scores.shape[:1]:
        raise ValueError(f"scores need shape (N, C) and labels shape (N,), got {scores.shape} and {labels.shape}")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels need to be whole numbers, got {labels.dtype}: convert them")


def cross_entropy(logits, labels, *, reduction="mean"):
    """Take the cross-entropy of scores and labels."""
    check_labels(logits, labels)
    losses = DeviceArray(labels.shape, logits.dtype)
    run_warps(loss_rows, losses.size, logits.memory, labels.memory, losses.memory)
    return reduce_losses(losses, reduction)


def reduce_losses(losses, reduction):
    """Reduce losses: ``"mean"``, ``"sum"``, or ``"none"`` to keep them."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction is one of mean, sum, none, got {reduction!r}")
    total = losses if reduction == "none" else reduce_sum(losses)
    return total * losses.dtype.type(1 / max(losses.size, 1)) if reduction == "mean" else total


def probability_minus_truth(logits, labels):
    """Return the softmax of each row, less 1 at the label."""
    check_labels(logits, labels)
    out = DeviceArray(logits.shape, logits.dtype)
    run_warps(grad_rows, len(logits), logits.memory, labels.memory, out.memory)
    return out


def cross_entropy_gradient(grad, logits, labels, *, reduction):
    """Turn the gradient of the cross-entropy into that of the scores: the op of module 10."""
    each = grad * grad.dtype.type(1 / max(len(logits), 1)) if reduction == "mean" else grad.reshape((-1, 1))
    return probability_minus_truth(logits, labels) * each
