"""Which function runs an op: the device of its arrays decides first, then the kernel set in use. Given."""

import importlib
import importlib.util
import warnings
from collections import Counter

import numpy as np

from tinytorch.given.device import device_of
from tinytorch.given.shapes import check_inputs, with_settings
from tinytorch.given.state import state, watched, watchers

fallbacks = Counter()  # op name -> how often the chosen kernel set lacked it and the NumPy forward ran instead
FLOAT = np.dtype(np.float32)
_given = {}  # kernel set -> function that registers and returns the kernel given for an op, or None


def select_kernel(op, *arrays):
    """Choose the function that runs an op: where the data lives decides first, then the kernel set in use.

    Args:
        op: The op.
        arrays: Its inputs, unwrapped: arrays, or Python numbers, which have no device.

    Returns:
        A function with the signature of ``op.forward``.

    Raises:
        ValueError: The arrays are on different devices, or have shapes that the op does not take.
        NotImplementedError: They are on a device for which the op has no kernel.

    Example:
        >>> from tinytorch.given.op import Op
        >>> select_kernel(Op(lambda a: abs(a)), -3.0)(-3.0)
        3.0
    """
    if op.patterns is not None:
        check_inputs(op, arrays)
    device = device_of(*arrays)
    chosen = state.kernels if device == "cpu" else device
    if chosen == "numpy" and not watchers and not op.adapts:
        return op.forward
    kernel = op.forward if chosen == "numpy" else op.kernels.get(chosen) or given_kernel(op, device, chosen)
    if not watchers:
        return adapted(op, kernel, arrays) if op.adapts else kernel
    used = "numpy" if kernel is op.forward else chosen
    kernel = adapted(op, kernel, arrays) if op.adapts else kernel
    return watched("kernel", kernel, op, used, *(() if used == chosen else (True,)))


def adapted(op, kernel, arrays):
    """Return a kernel that first does what its op registered: check shapes against settings, convert integers to floats."""
    if op.check_settings:
        kernel = with_settings(op, kernel)
    for array in arrays[op.takes_floats] if op.takes_floats else ():
        if getattr(array, "dtype", FLOAT).kind != "f":
            return with_floats(kernel, op.takes_floats)
    return kernel


def given_kernel(op, device, chosen):
    """Return the given kernel of an op that has none registered; without one, the CPU runs the op's forward.

    Raises:
        NotImplementedError: The arrays are on a device for which the op has no kernel.
    """
    kernel = _given[chosen](op) if chosen in _given else None
    if kernel is not None:
        return kernel
    if device != "cpu":
        raise NotImplementedError(
            f"op {op.name!r} has no {device} kernel: write one with "
            f"@{op.name}.register_kernel({str(device)!r}), or move the tensor back with .to('cpu')"
        )
    fallbacks[op.name] += 1
    return op.forward


def with_floats(kernel, inputs):
    """Return a kernel that converts the integers in a slice of its inputs: to float64 if an input is float64, else float32."""

    def run(*arrays, **settings):
        dtype = np.float64 if any(getattr(array, "dtype", None) == np.float64 for array in arrays) else np.float32
        whole = [id(array) for array in arrays[inputs] if getattr(array, "dtype", FLOAT).kind != "f"]
        return kernel(*[array.astype(dtype) if id(array) in whole else array for array in arrays], **settings)

    return run


def load(kernels):
    """Make a kernel set ready: import what registers its kernels. Nothing is compiled until an op runs.

    Args:
        kernels: ``"numpy"``, or ``"numba"``: the kernels of module 10, if exported, and the given ones.

    Returns:
        Name of the set that can run here: ``"numpy"``, with a warning, where numba is not installed.

    Raises:
        ValueError: There is no such set.

    Example:
        >>> load("numpy")
        'numpy'
        >>> load("fast")
        Traceback (most recent call last):
        ...
        ValueError: there is no kernel set 'fast': the sets are numpy, numba
    """
    if kernels not in ("numpy", "numba"):
        raise ValueError(f"there is no kernel set {kernels!r}: the sets are numpy, numba")
    if kernels == "numpy" or kernels in _given:
        return kernels
    if importlib.util.find_spec("numba") is None:
        warnings.warn(
            "numba is not installed, so the NumPy kernels run: to install it, run `pip install 'tinytorch-course[kernels]'`",
            RuntimeWarning,
            stacklevel=3,
        )
        return "numpy"
    give(kernels, importlib.import_module("tinytorch.given.numba_kernels").find, "tinytorch.kernels_cpu")
    return kernels


def give(kernels, find, written):
    """Make the kernels of a set or a device ready: import those that the learner has written, and look for given ones.

    Args:
        kernels: Name of the kernel set, such as ``"numba"``, or of the device, such as ``"cuda"``.
        find: Function that registers and returns the kernel given for an op, or None.
        written: Full name of the file with the learner's kernels; it need not be there yet.
    """
    try:
        importlib.import_module(written)
    except ImportError as error:
        if error.name != written:  # otherwise its module is not written yet
            raise
    _given[kernels] = find


class use:
    """Choose the kernel set that runs on the CPU, from now on or inside a ``with`` block.

    The choice holds for this thread. An op without a kernel in the set runs its NumPy forward and is counted in `fallbacks`.

    Args:
        kernels: ``"numpy"`` or ``"numba"``.

    Raises:
        ValueError: There is no such set.

    Example:
        >>> with use("numpy"):
        ...     state.kernels
        'numpy'
    """

    def __init__(self, kernels):
        self.previous, state.kernels = state.kernels, load(kernels)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        state.kernels = self.previous
