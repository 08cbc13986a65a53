"""PyTorch's names for generators of random numbers. Given."""

import numpy as np

from tinytorch.given.random import default


class Generator(np.random.Generator):
    """A generator of random numbers: PyTorch's interface to NumPy's generator.

    Args:
        device: The CPU; another device has no generator here.

    Example:
        >>> first, second = Generator().manual_seed(7), Generator().manual_seed(7)
        >>> first.integers(1000) == second.integers(1000)
        np.True_
    """

    def __init__(self, device="cpu"):
        super().__init__(np.random.PCG64(0))
        self.seed_given = 0

    device = "cpu"

    def manual_seed(self, seed):
        """Seed the generator, and return it."""
        self.bit_generator.state = np.random.PCG64(seed).state
        self.seed_given = seed
        return self

    def initial_seed(self):
        """Return the seed that was set."""
        return self.seed_given

    def get_state(self):
        """Return the generator's state, for `set_state`."""
        return self.bit_generator.state

    def set_state(self, new_state):
        """Restore a state that `get_state` returned."""
        self.bit_generator.state = new_state


def get_rng_state():
    """Return the default generator's state, for `set_rng_state`.

    Example:
        >>> state = get_rng_state()
        >>> first = default().integers(1000)
        >>> set_rng_state(state)
        >>> default().integers(1000) == first
        np.True_
    """
    return default().bit_generator.state


def set_rng_state(new_state):
    """Restore a state of the default generator that `get_rng_state` returned.

    Example:
        >>> set_rng_state(get_rng_state())
    """
    default().bit_generator.state = new_state
