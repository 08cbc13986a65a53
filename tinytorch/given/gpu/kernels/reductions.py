"""Kernels that reduce: sums, means, extremes, along any axes. Given.

Neighbouring axes are one axis, so an array is read as (outer, reduced, inner). If ``inner`` is 1, a warp shares a row: each lane
goes through every 32nd entry, and five shuffles combine the lanes. Else a thread goes down a column, and the threads beside it
read the columns beside. Sums are added in an order that is always the same.
"""

import math

import numpy as np

from tinytorch.given.gpu.backend import cuda
from tinytorch.given.gpu.device_array import DeviceArray
from tinytorch.given.gpu.graphs import stream
from tinytorch.given.gpu.kernels.launching import rounded_up, run

WARP, FULL = 32, 0xFFFFFFFF
LONG = 4096  # a longer row is shared by several warps


def add(a, b):
    return a + b


def larger(a, b):
    return a if a > b or a != a else b  # nan wins


def smaller(a, b):
    return a if a < b or a != a else b


def make(combine_two):
    """Make the two kernels of a reduction of a function that combines two numbers."""
    combine = cuda.jit(device=True)(combine_two)

    @cuda.jit
    def along_rows(a, out, start, width, pieces):
        lane = cuda.threadIdx.x % WARP
        task = cuda.grid(1) // WARP
        if task < out.size:
            row, piece = task // pieces, task % pieces
            total = start
            for j in range(piece * WARP + lane, width, WARP * pieces):
                total = combine(total, a[row * width + j])
            for halvings in range(5):
                total = combine(total, cuda.shfl_xor_sync(FULL, total, 16 >> halvings))
            if lane == 0:
                out[task] = total

    @cuda.jit
    def down_columns(a, out, start, width, inner):
        for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
            total = start
            first = i // inner * width * inner + i % inner
            for j in range(width):
                total = combine(total, a[first + j * inner])
            out[i] = total

    return along_rows, down_columns


KERNELS = {"sum": make(add), "max": make(larger), "min": make(smaller)}


@cuda.jit
def position_of_best(a, out, width, inner, largest):
    """Write the position of the largest or the smallest entry of each column, the first of equal ones; nan wins."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        first = i // inner * width * inner + i % inner
        best, place = a[first], 0
        for j in range(1, width):
            value = a[first + j * inner]
            wins = value > best if largest else value < best
            if best == best and (wins or value != value):
                best, place = value, j
        out[i] = place


def groups_of(axis, ndim):
    """Return the axes to reduce, as groups of neighbours, the last group first.

    Example:
        >>> groups_of((0, 2, 3), 4), groups_of(None, 2), groups_of(-1, 3)
        ([[2, 3], [0]], [[0, 1]], [[2]])
    """
    axes = range(ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    groups = []
    for number in sorted({number % ndim for number in axes}, reverse=True):
        if groups and groups[-1][0] == number + 1:
            groups[-1].insert(0, number)
        else:
            groups.append([number])
    return groups


def reduced(name, a, start, axis, keepdims):
    """Reduce an array.

    Args:
        name: ``"sum"``, ``"max"`` or ``"min"``.
        a: `DeviceArray`.
        start: What a reduction of no entries gives.
        axis: One axis, a tuple of axes, or None for all.
        keepdims: Whether the axes stay, with size 1.
    """
    along_rows, down_columns = KERNELS[name]
    shape = list(a.shape)
    for group in groups_of(axis, a.ndim):
        outer, width = math.prod(shape[: group[0]]), math.prod(shape[group[0] : group[-1] + 1])
        inner = math.prod(shape[group[-1] + 1 :])
        shape[group[0] : group[-1] + 1] = [1] * len(group)
        if inner > 1:
            out = DeviceArray(shape, a.dtype)
            run(down_columns, out.size, a, out, start, width, inner)
            a = out
            continue
        pieces = min(rounded_up(width, LONG), LONG) or 1
        for count in {pieces: None, 1: None}:
            out = DeviceArray(shape if count == 1 else (outer, count), a.dtype)
            run_warps(along_rows, out.size, a.flat, out.flat, start, width, count)
            a, width = out, count
    kept = (
        shape if keepdims else [size for k, size in enumerate(shape) if not any(k in group for group in groups_of(axis, a.ndim))]
    )
    return a.reshape(tuple(kept))


def run_warps(kernel, count, *arguments):
    """Launch a kernel in which a warp does one task."""
    if count:
        threads = min(256, WARP * count)
        kernel[rounded_up(count * WARP, threads), threads, stream()](*arguments)


def reduce_sum(a, *, axis=None, keepdims=False):
    """Sum along axes; truth values count as 1 and 0."""
    a = a.astype(np.int64) if a.dtype.kind == "b" else a
    return reduced("sum", a, a.dtype.type(0), axis, keepdims)


def mean(a, *, axis=None, keepdims=False):
    """Average along axes."""
    a = a if a.dtype.kind == "f" else a.astype(np.float32)
    total = reduce_sum(a, axis=axis, keepdims=keepdims)
    return total * a.dtype.type(max(total.size, 1) / a.size if a.size else 0)


def extreme(name, a, axis, keepdims):
    """Return the largest or the smallest entry along axes."""
    if not a.size:
        raise ValueError(f"there is no {name} of no entries")
    limits = np.finfo(a.dtype) if a.dtype.kind == "f" else np.iinfo(a.dtype) if a.dtype.kind in "iu" else None
    if limits is None:
        raise TypeError("the extremes of truth values are not computed on cuda: convert them with .long() first")
    ends = (-np.inf, np.inf) if a.dtype.kind == "f" else (limits.min, limits.max)
    return reduced(name, a, a.dtype.type(ends[name == "min"]), axis, keepdims)


def reduce_max(a, *, axis=None, keepdims=False):
    """Take the largest entry along axes."""
    return extreme("max", a, axis, keepdims)


def reduce_min(a, *, axis=None, keepdims=False):
    """Take the smallest entry along axes."""
    return extreme("min", a, axis, keepdims)


def position(a, axis, keepdims, largest):
    """Return the position of an extreme along one axis, or among all entries."""
    flat = a if axis is not None else a.reshape((a.size,))
    number = 0 if axis is None else axis % a.ndim
    shape = [1 if k == number else size for k, size in enumerate(flat.shape)]
    out = DeviceArray(shape, np.int64)
    run(position_of_best, out.size, flat, out, flat.shape[number], math.prod(flat.shape[number + 1 :]), largest)
    if axis is None:
        return out.reshape((1,) * a.ndim if keepdims else ())
    return out if keepdims else out.reshape(tuple(size for k, size in enumerate(shape) if k != number))


def argmax(a, *, axis=None, keepdims=False):
    """Return the position of the largest entry along one axis."""
    return position(a, axis, keepdims, True)


def argmin(a, *, axis=None, keepdims=False):
    """Return the position of the smallest entry along one axis."""
    return position(a, axis, keepdims, False)
