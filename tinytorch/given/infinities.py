"""What keeps infinities from becoming nan: inf - inf is nan. Given."""

import numpy as np


def zero_for_infinity(x):
    """Return an array with 0 in place of inf and -inf; one without infinities is returned as it is.

    Args:
        x: Array of floats, of any shape.

    Returns:
        Array of that shape and dtype.

    Example:
        >>> zero_for_infinity(np.array([np.inf, 2.0, np.nan], np.float32))
        array([ 0.,  2., nan], dtype=float32)
    """
    infinite = np.isinf(x)
    return np.where(infinite, x.dtype.type(0), x) if infinite.any() else x
