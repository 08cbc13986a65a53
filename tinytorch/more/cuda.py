"""PyTorch's `cuda`: whether there is a GPU that the package can use. Given; module 11 registers the GPU."""

from tinytorch.given import device
from tinytorch.given.random import manual_seed


def is_available():
    """Say whether tensors can be moved to a GPU: whether a module has registered one.

    Example:
        >>> is_available()
        False
    """
    return "cuda" in device.registered()


def device_count():
    """Return how many GPUs there are.

    Example:
        >>> device_count()
        0
    """
    return int(is_available())


def manual_seed_all(seed):
    """Seed the default generator; there is one for all devices.

    Example:
        >>> manual_seed_all(0)
    """
    manual_seed(seed)


def synchronize(device=None):
    """Do nothing: an op is done when its call returns.

    Example:
        >>> synchronize()
    """


def empty_cache():
    """Do nothing: free memory is not cached.

    Example:
        >>> empty_cache()
    """
