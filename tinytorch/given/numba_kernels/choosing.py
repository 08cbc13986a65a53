"""Which of two functions is faster on this machine: measured once, and kept. Given."""

import contextlib
import functools
import json
import re
import time
from pathlib import Path

import numba
import numpy as np
from llvmlite import binding

from tinytorch.given import machine
from tinytorch.given.files import write_atomically
from tinytorch.given.numba_kernels.compiling import code_folder

ROUNDS = 25  # of which the fastest counts


@functools.cache
def is_faster(function, other, *example):
    """Say whether a function is faster than another on this processor and with this matrix library, on one thread each.

    The answer is kept with the compiled code. The two add in different orders, so if one ran today and the other tomorrow,
    the last digits of all results would change.

    Args:
        function: Function of arrays.
        other: Another function of the same arrays.
        example: Shapes of arrays to try them on, and their dtype.

    Returns:
        Bool.
    """
    names = function.__module__, function.__name__, *example, binding.get_host_cpu_name(), machine.blas()
    path = code_folder() and Path(code_folder(), re.sub(r"[^\w.]+", "-", " ".join(map(str, names))) + ".json")
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):  # there is no file yet, or it is damaged
        if path:
            return bool(json.loads(path.read_text(encoding="utf-8"))["faster"])
    seconds = compare(function, other, *example)
    faster = seconds[function.__name__] < seconds[other.__name__]
    with contextlib.suppress(OSError):  # the disk is full or, on Windows, another process is reading the file
        if path:
            write_atomically(path, json.dumps({"faster": faster, "seconds": seconds}).encode())
    return faster


def compare(function, other, *example):
    """Return the shortest time of each of two functions in seconds, by name."""
    *shapes, dtype = example
    arrays = [np.random.default_rng(0).standard_normal(shape).astype(dtype) for shape in shapes]
    timings, threads = {function: [], other: []}, numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        with machine.limit_threads(1):
            for _ in range(ROUNDS):
                for candidate, seconds in timings.items():
                    start = time.perf_counter()
                    candidate(*arrays)
                    seconds.append(time.perf_counter() - start)
    finally:
        numba.set_num_threads(threads)
    return {candidate.__name__: min(seconds) for candidate, seconds in timings.items()}
