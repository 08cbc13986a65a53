"""PyTorch's `cuda`: whether there is a GPU, how its memory is used, and the simulator that stands in for one. Given."""

from tinytorch.given import device
from tinytorch.given.gpu import backend, starting
from tinytorch.given.random import manual_seed

simulate = starting.simulate


def is_available():
    """Say whether there is a GPU that kernels can run on; the simulator is none.

    Example:
        >>> is_available() == (backend.choose().gpu is not None)
        True
    """
    return backend.choose().gpu is not None


def device_count():
    """Return how many GPUs there are that kernels can run on: at most one is used.

    Example:
        >>> device_count() == int(is_available())
        True
    """
    return int(is_available())


def get_device_name(device=None):
    """Return the name of the GPU, or what runs the kernels instead, and why.

    Example:
        >>> isinstance(get_device_name(), str)
        True
    """
    chosen = backend.choose()
    return chosen.gpu or f"simulator ({chosen.why})"


def manual_seed_all(seed):
    """Seed the default generator; there is one for all devices.

    Example:
        >>> manual_seed_all(0)
    """
    manual_seed(seed)


def memory_stats():
    """Return what the device's memory is used for, in bytes, and how many blocks were reused and new.

    Example:
        >>> sorted(memory_stats())
        ['allocated', 'new', 'peak', 'reserved', 'reused']
    """
    return (
        dict(_pool().stats)
        if "cuda" in device.registered()
        else dict.fromkeys(("allocated", "peak", "reserved", "reused", "new"), 0)
    )


def memory_allocated(device=None):
    """Return how many bytes of the device the arrays hold now.

    Example:
        >>> memory_allocated() >= 0
        True
    """
    return memory_stats()["allocated"]


def max_memory_allocated(device=None):
    """Return the most bytes that arrays held since the start, or since `reset_peak_memory_stats`.

    Example:
        >>> max_memory_allocated() >= memory_allocated()
        True
    """
    return memory_stats()["peak"]


def memory_reserved(device=None):
    """Return how many bytes the device has given; what is free of them is kept for the next arrays.

    Example:
        >>> memory_reserved() >= 0
        True
    """
    return memory_stats()["reserved"]


def reset_peak_memory_stats(device=None):
    """Begin a new measurement of the peak.

    Example:
        >>> reset_peak_memory_stats()
    """
    if "cuda" in _device().registered():
        _pool().stats["peak"] = _pool().stats["allocated"]


def synchronize(device=None):
    """Wait until the device has done everything.

    Example:
        >>> synchronize()
    """
    if "cuda" in _device().registered():
        from tinytorch.given.gpu import pool

        pool.device().synchronize()


def empty_cache():
    """Give the memory that no array holds back to the device.

    Example:
        >>> empty_cache()
    """
    if "cuda" in device.registered():
        _pool().empty()


def _pool():
    """Return the pool of the device's memory."""
    from tinytorch.given.gpu import pool

    return pool.pool


def _device():
    """Return the register of devices, where an argument has its name."""
    return device
