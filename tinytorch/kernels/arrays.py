"""Arrays as kernels read them. Given."""
import numpy as np

from tinytorch.kernels.moves import SHORT
from tinytorch.kernels.vectors import WIDTH

FLOATS = np.dtype(np.float32), np.dtype(np.float64)


def ready(*arrays):
    """Return arrays as the kernels read them: of one dtype, contiguous and writable; None if they are not covered."""
    dtype = np.result_type(*arrays)
    if dtype not in FLOATS or not all([array.size for array in arrays]):
        return None
    return [array if array.dtype == dtype and array.flags.carray else np.require(array, dtype, "CW") for array in arrays]


def whole(channels, size):
    """Round channels up to whole vectors of numbers of a size in bytes, or to a short one."""
    lanes = WIDTH // size
    return SHORT if channels <= SHORT < lanes else -(-channels // lanes) * lanes


def widened(array, size):
    """Append zeros to the last axis, up to a size."""
    out = np.zeros((*array.shape[:-1], size), array.dtype)
    out[..., :array.shape[-1]] = array
    return out
