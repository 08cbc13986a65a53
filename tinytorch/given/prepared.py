"""Functions of NumPy, prepared for many runs on the same arrays: without what they do before they compute. Given."""

import importlib
from functools import partial

import numpy as np

from tinytorch.given.state import state

FEW = 2**14  # numbers; of more, NumPy adds up as fast


def prepare_product(a, b, out):
    """Return a call that writes ``a @ b`` to an array.

    For two plain matrices, `np.dot` calls the matrix library as `np.matmul` does, and takes half as long until it does.

    Args:
        a, b: Arrays, two matrices or stacks of matrices.
        out: Array for the result.

    Example:
        >>> out = np.zeros((2, 2))
        >>> prepare_product(np.ones((2, 3)), np.ones((3, 2)), out)()
        array([[3., 3.],
               [3., 3.]])
    """
    plain = all(x.ndim == 2 and min(x.shape) > 1 and x.dtype == out.dtype and x.flags.forc for x in (a, b, out))
    if plain and out.flags.carray and out.dtype.char in "fd":
        return partial(np.dot, a, b, out)
    return partial(np.matmul, a, b, out=out)


def prepare_mean(a, out):
    """Return a call that writes the mean of all numbers to an array: `np.mean` takes four times as long for few of them.

    Args:
        a: Array.
        out: Array of no dimensions for the result.

    Example:
        >>> out = np.zeros(())
        >>> prepare_mean(np.array([1.0, 2.0]), out)()
        >>> out
        array(1.5)
    """
    if a.dtype.char not in "fd" or not 0 < a.size < 2**24:  # more than that, a float cannot count
        return lambda: np.copyto(out, np.mean(a))
    add, count = partial(np.add.reduce, a, None), a.dtype.type(a.size)

    def call():
        out[()] = add() / count

    return call


def prepare_sum(inputs, settings, out):
    """Return a call that sums the rows of a matrix, under numba's kernels; None for other sums.

    NumPy adds row after row, too, so that the numbers are the same; for few of them it takes a microsecond until it begins.

    Args:
        inputs, settings: What `np.add.reduce` is called with.
        out: Array for the result.
    """
    rows = inputs[0]
    plain = rows.ndim == 2 and 1 < rows.shape[1] and 0 < rows.size <= FEW and rows.flags.carray and rows.dtype.char == "f"
    if state.kernels != "numba" or not plain or len(inputs) > 1 or settings.get("axis", 0) not in (0, (0,)):
        return None
    if out.dtype != rows.dtype or not out.flags.carray or settings.keys() - {"axis", "dtype", "keepdims"}:
        return None
    loops = importlib.import_module("tinytorch.given.numba_kernels.rows")
    return loops.fixed(loops.sum_rows, rows, out.reshape(-1))
