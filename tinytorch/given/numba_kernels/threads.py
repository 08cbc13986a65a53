"""Spread work over threads, if it is worth waking them. Given.

Compiled kernels let other Python threads run meanwhile, so plain Python threads are enough. There is no thread pool of numba,
OpenMP or BLAS to get along with, and a process may fork.
"""

import functools
import os
from concurrent.futures import ThreadPoolExecutor

import numba

from tinytorch.given.numba_kernels.compiling import fixed

# About what a core does in 0.2 ms: waking a sleeping thread may take half of that, and waiting for it the other half.
NUMBERS = 2**20  # read, or written
PRODUCTS = 2**23  # of numbers in registers, summed there
TURNS = 4  # parts for each thread, if all are equally fast


def spread(work, count, numbers, products=0):
    """Cut a range into parts, which threads take in turn: as many threads as the work is worth, at most as many as numba uses.

    Args:
        work: Function ``work(first, last)`` of a part of the range. How it is cut must not change the results.
        count: Length of the whole range.
        numbers: About how many numbers each index of the range reads or writes.
        products: About how many products it computes.

    Example:
        >>> spread(print, 5, numbers=1000)
        0 5
    """
    threads = threads_for(count, numbers, products)
    if threads < 2:
        return work(0, count)
    parts = min(TURNS * threads, count)
    todo = [(count * part // parts, count * (part + 1) // parts) for part in range(parts)]
    others = [pool(numba.get_num_threads() - 1, os.getpid()).submit(share, work, todo) for _ in range(threads - 1)]
    share(work, todo)
    for other in others:
        other.result()


def threads_for(count, numbers, products):
    """Return how many threads some work is worth; the arguments are those of `spread`."""
    worth = int(count * (numbers / NUMBERS + products / PRODUCTS))
    return min(worth, count, numba.get_num_threads()) if worth > 1 else 1


def prepared(loop, count, *inputs, numbers, products=0):
    """Return a call that runs a compiled ``loop(first, last, *inputs)`` over a range: alone if that is all it is worth.

    Args:
        loop: The loop.
        count: Length of the whole range.
        inputs: Its other inputs, which are fixed.
        numbers, products: As for `spread`.
    """
    if threads_for(count, numbers, products) < 2:
        return fixed(loop, 0, count, *inputs)
    return functools.partial(spread, lambda first, last: loop(first, last, *inputs), count, numbers, products)


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
    """Return this process's pool of a number of threads; a forked process does not get its parent's."""
    return ThreadPoolExecutor(threads, thread_name_prefix="kernel")
