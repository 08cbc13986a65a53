"""Spread work over threads, if it is worth waking them. Given.

Kernels are compiled so that other Python threads may run meanwhile. So threads of Python's are all that it takes, and there is
no pool of numba's, OpenMP's or BLAS's to get along with, and a process may fork.
"""
import functools
import os
from concurrent.futures import ThreadPoolExecutor

import numba

# What a core does in a fifth of a millisecond, about: a thread that sleeps may take half of that to wake, and half to be waited for.
NUMBERS = 2**20  # read, or written
PRODUCTS = 2**23  # of those that are summed from the registers
TURNS = 4  # that a thread has, if all are equally fast


def spread(work, count, numbers, products=0):
    """Cut a range into parts, which threads take in turns: as many threads as numba is set to use, and as the work is worth.

    Args:
        work: Function ``work(first, last)`` of a part of the range. How it is cut must not change the results.
        count: Length of the whole range.
        numbers: How many numbers one of the range reads or writes, about.
        products: How many products it takes, about.

    Example:
        >>> spread(print, 5, numbers=1000)
        0 5
    """
    worth = int(count * (numbers / NUMBERS + products / PRODUCTS))
    threads = min(worth, count, numba.get_num_threads()) if worth > 1 else 1
    if threads < 2:
        return work(0, count)
    parts = min(TURNS * threads, count)
    todo = [(count * part // parts, count * (part + 1) // parts) for part in range(parts)]
    others = [pool(numba.get_num_threads() - 1, os.getpid()).submit(share, work, todo) for _ in range(threads - 1)]
    share(work, todo)
    for other in others:
        other.result()


def share(work, todo):
    """Take parts of the work until none is left."""
    while True:
        try:
            part = todo.pop()
        except IndexError:  # another thread may take the last one at any moment
            return
        work(*part)


@functools.cache
def pool(threads, process):
    """Return this process's pool of a number of threads; a forked process has none of its parent's."""
    return ThreadPoolExecutor(threads, thread_name_prefix="kernel")
