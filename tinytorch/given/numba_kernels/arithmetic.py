"""Functions of float32 that compiled loops run on many numbers at once; `math.exp` takes one at a time. Given."""

import math

import numpy as np

from tinytorch.given.numba_kernels import jitable


@jitable
def exp32(x):
    """Return the exponential of a float32, with a relative error of 1e-7; below -86 it is 0.

    It is ``2**n * exp(r)`` with an integer n and a small r. The series for r is summed to ``r**7 / 7!``.

    Args:
        x: float32.

    Returns:
        float32; nan stays nan.

    Example:
        >>> exp32(np.float32(1))
        np.float32(2.7182817)

    Source:
        Cody and Waite, Software Manual for the Elementary Functions, 1980, chapter 6.
    """
    low, high = np.float32(-86), np.float32(88.72)
    c = min(max(low, x), high)
    n = np.floor(c * np.float32(1 / math.log(2)) + np.float32(0.5))
    r = c - n * np.float32(0.693359375) + n * np.float32(2.1219444e-4)  # ln 2 in two parts: n times the first is exact
    p = np.float32(1 / 5040)
    for k in (720, 120, 24, 6, 2, 1, 1):
        p = p * r + np.float32(1 / k)
    bits = np.int32(np.int32(n) + np.int32(126) << np.int32(23))  # the bits of 2**(n - 1): 2**128 is too large
    y = (p + p) * bits.view(np.float32)
    y = np.float32(0) if x < low else y
    y = np.float32(np.inf) if x > high else y
    return y if x == x else x


@jitable
def erf32(x):
    """Return the error function of a float32, to within 6e-7, by the formula of `erf` in module 02.

    Args:
        x: float32.

    Returns:
        float32.

    Example:
        >>> round(float(erf32(np.float32(0.5))), 4)
        0.5205

    Source:
        Hastings, Approximations for Digital Computers, 1955; Abramowitz and Stegun, 7.1.26.
    """
    t = np.float32(1) / (np.float32(1) + np.float32(0.3275911) * abs(x))
    tail = np.float32(0)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail = (tail + np.float32(factor)) * t
    return np.copysign(np.float32(1) - tail * exp32(-x * x), x)


@jitable
def ordered(bits):
    """Turn the bits of a float32 into an int32 that sorts the same way, or back: the order of negative ones is reversed."""
    return np.int32(bits ^ (bits >> np.int32(31) & np.int32(0x7FFFFFFF)))


@jitable
def largest(row):
    """Return the largest entry of a row.

    Because of nan, floats must be compared one by one. Integers can be compared in any order, so the loop takes many at once.

    Args:
        row: Contiguous float32 array of shape (n,), with n at least 1.

    Returns:
        float32; nan if the row holds a nan whose sign is not negative.

    Example:
        >>> largest(np.array([-3, 2, -1], np.float32))
        np.float32(2.0)
    """
    bits = row.view(np.int32)
    highest = ordered(bits[0])
    for j in range(1, bits.size):
        highest = np.int32(max(highest, ordered(bits[j])))
    return np.int32(ordered(highest)).view(np.float32)
