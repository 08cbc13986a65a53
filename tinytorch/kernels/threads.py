"""Spread work over threads. Given.

Kernels are compiled so that other Python threads may run meanwhile. So threads of Python's are all that it takes, and there is
no pool of numba's, OpenMP's or BLAS's to get along with, and a process may fork.
"""
import functools
import os
from concurrent.futures import ThreadPoolExecutor

import numba


def spread(work, count, least=1):
    """Cut a range into parts, and do each in a thread: in as many as numba is set to use.

    Args:
        work: Function ``work(first, last)`` of a part of the range. How it is cut must not change the results.
        count: Length of the whole range.
        least: How long a part is at least, if there are several.

    Example:
        >>> spread(print, 5, least=3)
        0 5
    """
    threads = max(1, min(numba.get_num_threads(), count // least))
    bounds = [count * part // threads for part in range(threads + 1)]
    run = map if threads == 1 else pool(threads, os.getpid()).map
    for _ in run(work, bounds[:-1], bounds[1:]):
        pass


@functools.cache
def pool(threads, process):
    """Return this process's pool of a number of threads; a forked process has none of its parent's."""
    return ThreadPoolExecutor(threads, thread_name_prefix="kernel")
