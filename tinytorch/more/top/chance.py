"""PyTorch's names for where chance comes from. Given."""
import numpy as np

from tinytorch.given.random import default


class Generator(np.random.Generator):
    """A source of chance of its own: PyTorch's interface on NumPy's generator.

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
        """Start again from a seed, and return the generator."""
        self.bit_generator.state = np.random.PCG64(seed).state
        self.seed_given = seed
        return self

    def initial_seed(self):
        """Return the seed that it started from."""
        return self.seed_given

    def get_state(self):
        """Return where it is now, for `set_state`."""
        return self.bit_generator.state

    def set_state(self, new_state):
        """Go back to where `get_state` was called."""
        self.bit_generator.state = new_state


def get_rng_state():
    """Return where the default generator is now, for `set_rng_state`.

    Example:
        >>> state = get_rng_state()
        >>> first = default().integers(1000)
        >>> set_rng_state(state)
        >>> default().integers(1000) == first
        np.True_
    """
    return default().bit_generator.state


def set_rng_state(new_state):
    """Put the default generator back to where `get_rng_state` was called.

    Example:
        >>> set_rng_state(get_rng_state())
    """
    default().bit_generator.state = new_state
