"""Arrays as kernels read them. Given."""

import numpy as np

from tinytorch.given.numba_kernels.moves import SHORT
from tinytorch.given.numba_kernels.vectors import WIDTH

FLOATS = np.dtype(np.float32), np.dtype(np.float64)


def readable(*arrays):
    """Say whether the kernels can read arrays as they are: of one float dtype, contiguous and writeable."""
    return arrays[0].dtype in FLOATS and all([array.flags.carray and array.dtype == arrays[0].dtype for array in arrays])


def ready(*arrays):
    """Return arrays as the kernels read them: of one dtype, contiguous and writable; None if they are not covered."""
    dtype = np.result_type(*arrays)
    if dtype not in FLOATS or not all([array.size for array in arrays]):
        return None
    return [array if array.dtype == dtype and array.flags.carray else np.require(array, dtype, "CW") for array in arrays]


def whole(channels, size):
    """Round a number of channels up to whole vectors of numbers of ``size`` bytes, or to one short vector."""
    lanes = WIDTH // size
    return SHORT if channels <= SHORT < lanes else -(-channels // lanes) * lanes


def widen(array, out):
    """Copy an array to one whose last axis is longer; the rest of it becomes 0."""
    out[..., : array.shape[-1]] = array
    out[..., array.shape[-1] :] = 0
