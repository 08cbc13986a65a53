"""The kernels of matrix products: `matmul`, and what linear layers need, where one factor is stored transposed. Given."""

import functools
import math

import numpy as np

from tinytorch.given.gpu.backend import cuda
from tinytorch.given.gpu.kernels import registers, tiles
from tinytorch.given.gpu.kernels.launching import run
from tinytorch.given.gpu.kernels.moves import spread


def rows_of_first(a, i, p, z, geometry):
    return a[z % a.shape[0], i, p]


def columns_of_first(a, i, p, z, geometry):
    return a[z % a.shape[0], p, i]


def rows_of_second(b, p, j, z, geometry):
    return b[z % b.shape[0], p, j]


def columns_of_second(b, p, j, z, geometry):
    return b[z % b.shape[0], j, p]


KINDS = {  # how the factors are stored -> their functions, and whether threads load across
    "a @ b": (rows_of_first, rows_of_second, False, False),
    "a @ b.T": (rows_of_first, columns_of_second, False, True),
    "a.T @ b": (columns_of_first, rows_of_second, True, False),
}


@functools.cache
def kernel_of(kind, dtype):
    """Return the kernel of a kind of product for a dtype."""
    first, second, *across = KINDS[kind]
    return tiles.make(first, second, dtype, *across)


@cuda.jit
def add_bias(out, bias):
    """Add a row to every row."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        out[i] += bias[i % bias.size]


def product(kind, a, b):
    """Multiply two arrays of shape (batch, rows, columns), stored as ``kind`` says; a batch of one serves all."""
    n, k = (a.shape[1:] if kind != "a.T @ b" else a.shape[:0:-1])[:2]
    m = b.shape[1] if kind == "a @ b.T" else b.shape[2]
    dtype = tiles.common(a, b)
    a, b = a.astype(dtype, copy=False), b.astype(dtype, copy=False)
    if a.shape[0] == b.shape[0] == 1 and k and registers.covers(n, m, dtype):
        return registers.multiply(kind, a, b, (n, m, k)).reshape((1, n, m))
    batch = max(a.shape[0], b.shape[0]) if a.shape[0] and b.shape[0] else 0
    return tiles.multiply(kernel_of(kind, dtype), a.memory, b.memory, (n, m, k), (), dtype, batch)


def matmul(a, b):
    """Multiply matrices, or batches of matrices."""
    left, right = a.shape[-1], b.shape[-2]
    if left != right:
        raise ValueError(f"matmul needs inner sizes to agree: {a.shape} @ {b.shape}: {left} != {right}")
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    kind = np.result_type(a.dtype, b.dtype)
    a, b = (x if math.prod(x.shape[:-2]) in (1, math.prod(batch)) else spread(x, (*batch, *x.shape[-2:])) for x in (a, b))
    out = product("a @ b", *(x.reshape((math.prod(x.shape[:-2]), *x.shape[-2:])) for x in (a, b)))
    return out.reshape((*batch, a.shape[-2], b.shape[-1])).astype(kind, copy=False)


def as_rows(x):
    """Return an array as one matrix, in a batch of one."""
    return x.reshape((1, math.prod(x.shape[:-1]), x.shape[-1]))


def linear(x, weight, bias=None):
    """Multiply rows with the rows of a weight, and add a bias."""
    out = product("a @ b.T", as_rows(x), weight.reshape((1, *weight.shape)))
    if bias is not None:
        run(add_bias, out.size, out, bias)
    return out.reshape((*x.shape[:-1], weight.shape[0]))


def linear_weight(grad, x):
    """Sum the products of gradients and inputs over all rows: the gradient of a linear layer's weight."""
    return product("a.T @ b", as_rows(grad), as_rows(x)).reshape((grad.shape[-1], x.shape[-1]))
