"""What a timing depends on besides the code: the matrix library, its kernels for this processor, its threads. Given."""
import os
import tracemalloc

import numpy as np


def pools():
    """Return threadpoolctl's table of the matrix libraries in this process, NumPy's own first.

    SciPy, where something imports it, brings a second one, with threads of its own.
    """
    from threadpoolctl import threadpool_info

    found = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return sorted(found, key=lambda pool: "numpy" not in pool["filepath"])


def blas():
    """Return name, version and kernels of NumPy's matrix library: the same code is twice as fast with other kernels.

    Returns:
        Text such as ``openblas 0.3.31 SkylakeX``.

    Example:
        >>> len(blas()) > 0
        True
    """
    found = pools()
    if not found:  # Apple's Accelerate, for one, cannot be asked or limited
        return np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    version = ".".join((found[0]["version"] or "").split(".")[:3])
    return " ".join(filter(None, [found[0]["internal_api"], version, found[0].get("architecture")]))


def threads():
    """Return how many threads NumPy's matrix products use now; the number of cores where the library cannot be asked."""
    found = pools()
    return found[0]["num_threads"] if found else os.cpu_count() or 1


def limit_threads(count):
    """Let matrix products use ``count`` threads during a ``with`` block.

    Args:
        count: Number of threads.

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
    """Call a function, and return the most memory that it held at a time, beyond what was held before.

    Args:
        work: Function without arguments. It runs slower than usual: never time it here.

    Returns:
        Python int, in bytes: what Python and NumPy asked for.

    Example:
        >>> 8_000_000 <= peak_memory(lambda: np.ones(1_000_000)) < 8_010_000
        True
    """
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
