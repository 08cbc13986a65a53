"""The random generator passed to `draw`: NumPy's, with methods for shapes, axes and settings.

A learner could hard-code what never changes, so every seed draws sizes, ranks, axes and settings, not only numbers.
"""

import numpy as np


class Draws(np.random.Generator):
    """NumPy's generator with a few more methods.

    Args:
        seed: A whole number.
    """

    def __init__(self, seed):
        super().__init__(np.random.PCG64(seed))

    def normal32(self, *shape):
        """Draw normally distributed float32 numbers."""
        return self.standard_normal(shape, np.float32)

    def size(self, low=2, high=6):
        """Draw one size, both ends included."""
        return int(self.integers(low, high + 1))

    def sizes(self, count, low=2, high=7):
        """Draw different sizes, so that no axis can be mistaken for another.

        Args:
            count: How many; at most ``high - low + 1``.
            low: The smallest.
            high: The largest.

        Returns:
            Tuple of ints.
        """
        return tuple(int(size) for size in low + self.permutation(high - low + 1)[:count])

    def axis(self, ndim):
        """Draw an axis, counted from the front or from the back."""
        return int(self.integers(-ndim, ndim))

    def pick(self, *options):
        """Draw one of several values of any type."""
        return options[self.integers(len(options))]

    def mix(self, values):
        """Return values in random order, as a list."""
        return [values[index] for index in self.permutation(len(values))]
