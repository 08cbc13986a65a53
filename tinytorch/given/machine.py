"""What a timing depends on besides the code: the matrix library, its kernels for this processor, its threads. Given."""

import os

import numpy as np


def pools():
    """Return threadpoolctl's table of the matrix libraries in this process, NumPy's own first.

    If something imports SciPy, it brings a second library with its own threads.
    """
    from threadpoolctl import threadpool_info

    libraries = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return sorted(libraries, key=lambda pool: "numpy" not in pool["filepath"])


def blas():
    """Return name, version and kernels of NumPy's matrix library: other kernels can make the same code twice as fast.

    Returns:
        Text such as ``openblas 0.3.31 SkylakeX``.

    Example:
        >>> len(blas()) > 0
        True
    """
    libraries = pools()
    if not libraries:  # Apple's Accelerate, for example, cannot be queried or limited
        return np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    version = ".".join((libraries[0]["version"] or "").split(".")[:3])
    return " ".join(filter(None, [libraries[0]["internal_api"], version, libraries[0].get("architecture")]))


def threads():
    """Return how many threads NumPy's matrix products use now; the number of cores if the library cannot be queried."""
    libraries = pools()
    return libraries[0]["num_threads"] if libraries else os.cpu_count() or 1


def limit_threads(count):
    """Limit matrix products to a number of threads inside a ``with`` block.

    Args:
        count: The number of threads.

    Returns:
        Context manager.

    Example:
        >>> with limit_threads(1):
        ...     threads() == 1 or not pools()
        True
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(count, user_api="blas")


def cores():
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if "sched_getaffinity" in dir(os) else os.cpu_count() or 1


def peak_memory(work):
    """Call a function, and return its peak memory, beyond what was in use before.

    Args:
        work: Function without arguments. It runs slower than usual, so do not time it here.

    Returns:
        Python int, in bytes: what Python and NumPy allocated.

    Example:
        >>> 8_000_000 <= peak_memory(lambda: np.ones(1_000_000)) < 8_010_000
        True
    """
    import tracemalloc

    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not running:
            tracemalloc.stop()
