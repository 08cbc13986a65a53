"""The numba kernels of ReLU, linear layers and the ops of module 12, and `jit`, which compiles a kernel. Given.

An op finds its kernel here by its name when it first runs under `tt.use("numba")`. numba is imported on first use.
"""

import functools
import importlib

from tinytorch.given.dispatch import fallbacks
from tinytorch.given.numba_kernels.compiling import compile_seconds, compiled_for, fixed, jit, watched_numba

HOME = {  # op -> the file of this folder that holds its kernel, a function of the same name
    "relu": "activations",
    "linear": "products",
    "linear_weight": "products",
    "convolution": "convolution",
    "conv2d_input": "convolution",
    "conv2d_weight": "correlation",
    "max_pooling": "pooling",
    "max_pooling_backward": "pooling",
    "channel_norm": "normalization",
    "channel_norm_backward": "normalization",
    "channel_norm_weight": "normalization",
    "channel_variance": "normalization",
}


def find(op):
    """Register the kernel that is given for an op, if there is one.

    Args:
        op: The op; its kernel has the same name.

    Returns:
        The kernel, or None.

    Example:
        >>> from tinytorch.tensor import add
        >>> find(add) is None
        True
    """
    if op.name not in HOME:
        return None
    home = importlib.import_module(f"tinytorch.given.numba_kernels.{HOME[op.name]}")
    kernel, prepare = getattr(home, op.name), vars(home).get(f"prepare_{op.name}")

    @functools.wraps(kernel)
    def run(*arrays, **settings):
        out = kernel(*arrays, **settings)
        return fall_back(op, *arrays, **settings) if out is None else out  # None: not covered

    op.register_kernel("numba")(run)
    if prepare:
        op.register_prepared("numba")(prepare)
    return run


def fall_back(op, *arrays, **settings):
    """Run an op's own forward function, because its kernel does not cover these arrays, and count the fallback.

    Args:
        op: The op.
        arrays: Its inputs.
        settings: Its settings.

    Returns:
        What its forward function returns.

    Example:
        >>> import numpy as np
        >>> from tinytorch.tensor import add
        >>> fall_back(add, np.ones(1), 2.0), fallbacks["add"] > 0
        (array([3.]), True)
    """
    fallbacks[op.name] += 1
    return op.forward(*arrays, **settings)


def __getattr__(name):
    """Import from numba, on first use, what a kernel needs besides `jit`; raise an error if numba is not installed.

    That is ``prange``, a range whose iterations run on several threads, and ``jitable``, which marks a function that kernels
    may call: compiled inside them, plain Python elsewhere.
    """
    if name not in ("prange", "jitable"):
        raise AttributeError(f"tinytorch.given.numba_kernels has no {name!r}")
    numba = watched_numba()
    return numba.prange if name == "prange" else numba.extending.register_jitable
