"""The default source of random numbers. Given.

Every function that draws random numbers takes ``rng``, a ``numpy.random.Generator``. Without one it uses the default
generator kept here, which starts from seed 0 in every process, so a run gives the same numbers unless you ask otherwise.
"""

import functools

import numpy as np

from tinytorch.given.state import watched, watchers


@functools.cache
def default():
    """Return the default generator; it is made on first use, because importing ``numpy.random`` takes a while."""
    return np.random.default_rng(0)


def generator(rng=None):
    """Return the generator to draw from.

    Args:
        rng: A ``numpy.random.Generator``, or None for the default one.

    Returns:
        The generator.

    Raises:
        TypeError: ``rng`` is something else, such as a seed.

    Example:
        >>> generator(7)
        Traceback (most recent call last):
        ...
        TypeError: rng needs a numpy.random.Generator, got int: pass np.random.default_rng(7)
    """
    rng = default() if rng is None else rng
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng needs a numpy.random.Generator, got {type(rng).__name__}: pass np.random.default_rng({rng})")
    return watched("random", rng) if watchers else rng


def manual_seed(seed):
    """Seed the default generator.

    Args:
        seed: A whole number; the same one gives the same draws.

    Returns:
        The default generator.

    Example:
        >>> manual_seed(0).integers(10) == np.random.default_rng(0).integers(10)
        np.True_
    """
    default().bit_generator.state = np.random.default_rng(seed).bit_generator.state
    return default()
