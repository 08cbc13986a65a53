"""Spread work over threads. Given.

Kernels are compiled so that other Python threads may run meanwhile. So threads of Python's are all that it takes, and there is
no pool of numba's, OpenMP's or BLAS's to get along with, and a process may fork.
"""
import functools
import os
from concurrent.futures import ThreadPoolExecutor

import numba


def spread(work, count, parts=None):
    """Cut a range into parts, and do them in as many threads as numba is set to use.

    Args:
        work: Function ``work(part, first, last)`` of a part's number and its range.
        count: Length of the whole range.
        parts: Into how many parts it is cut; as many as threads by default. Which thread does which changes no result.

    Example:
        >>> spread(lambda part, first, last: print(part, first, last), 5, 2)
        0 0 2
        1 2 5
    """
    threads = numba.get_num_threads()
    parts = min(parts or threads, count)
    threads = min(threads, parts)
    bounds = [count * part // parts for part in range(parts + 1)]
    run = map if threads == 1 else pool(threads, os.getpid()).map
    for _ in run(work, range(parts), bounds[:-1], bounds[1:]):
        pass


@functools.cache
def pool(threads, process):
    """Return this process's pool of a number of threads; a forked process has none of its parent's."""
    return ThreadPoolExecutor(threads, thread_name_prefix="kernel")
