"""Which CUDA runs the kernels: numba-cuda-mlir, else numba-cuda, else the simulator. Given.

Every kernel imports `cuda` from here, and nothing else does. The first of these that works on this machine is taken:

1. **numba-cuda-mlir**, NVIDIA's successor of numba-cuda.
2. **numba-cuda**, which only gets fixes; with NumPy 2.5 it needs a function that NumPy has dropped.
3. **The simulator** (`simulator.py`), in Python: it needs no GPU, and is for learning and for tests.

The environment variable ``TINYTORCH_CUDA`` asks for one of them by name, such as ``TINYTORCH_CUDA=simulator``.
"""

import functools
import importlib
import importlib.metadata
import os
from typing import NamedTuple

import numpy as np

PACKAGES = {"numba-cuda-mlir": "numba_cuda_mlir", "numba-cuda": "numba"}
ASKED = "TINYTORCH_CUDA"


class Backend(NamedTuple):
    """What was chosen, and why."""

    name: str  # "numba-cuda-mlir", "numba-cuda" or "simulator"
    why: str
    gpu: str | None  # name of the GPU; None in the simulator


def version(package):
    """Return the version of an installed package, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def import_cuda(package):
    """Import the `cuda` of a package of numba's.

    Args:
        package: ``"numba-cuda-mlir"`` or ``"numba-cuda"``.
    """
    if package == "numba-cuda" and getattr(np, "row_stack", None) is None:
        np.row_stack = np.vstack  # NumPy 2.5 has dropped it, and numba-cuda 0.30 still asks for it
    return importlib.import_module(f"{PACKAGES[package]}.cuda")


def gpu_of(package):
    """Return the name of the GPU that a package finds.

    Args:
        package: ``"numba-cuda-mlir"`` or ``"numba-cuda"``.

    Raises:
        RuntimeError: It is not installed, or finds no GPU; the message says why.
    """
    if version(package) is None:
        raise RuntimeError(f"{package} is not installed")
    cuda = import_cuda(package)
    if not cuda.is_available():
        raise RuntimeError(f"{package} {version(package)} finds no GPU{reason(cuda)}")
    device = cuda.get_current_device()
    name = device.name.decode() if isinstance(device.name, bytes) else str(device.name)
    return f"{name}, compute capability {'.'.join(map(str, device.compute_capability))}"


def reason(cuda):
    """Return what the driver says when there is no GPU, as the end of a sentence."""
    try:
        cuda.get_current_device()
    except Exception as error:  # each package has its own
        first = str(error).strip().splitlines()
        return f" ({first[0]})" if first else ""
    return ""


@functools.cache
def choose():
    """Return the `Backend` of this process; the first call decides.

    Raises:
        ValueError: ``TINYTORCH_CUDA`` names none.
        RuntimeError: It names one that does not work here.

    Example:
        >>> choose().name in ("numba-cuda-mlir", "numba-cuda", "simulator")
        True
    """
    asked = os.environ.get(ASKED)
    if asked not in (None, "", "simulator", *PACKAGES):
        raise ValueError(f"{ASKED} is one of {', '.join([*PACKAGES, 'simulator'])}, got {asked!r}")
    if asked == "simulator":
        return Backend("simulator", f"{ASKED} asks for it", None)
    reasons = []
    for package in [asked] if asked else PACKAGES:
        try:
            gpu = gpu_of(package)
            return Backend(package, f"{package} {version(package)} runs on {gpu}", gpu)
        except Exception as error:  # a broken installation or driver can raise anything
            reasons.append(str(error) or type(error).__name__)
    if asked:
        raise RuntimeError(f"{ASKED} asks for {asked}, which does not work here: {reasons[0]}")
    return Backend("simulator", "; ".join(reasons), None)


@functools.cache
def chosen_cuda():
    """Return the `cuda` of the chosen backend."""
    name = choose().name
    return importlib.import_module("tinytorch.given.gpu.simulator").cuda if name == "simulator" else import_cuda(name)


def __getattr__(name):
    """Return the `cuda` of the chosen backend; choosing imports packages, so it waits until a kernel asks."""
    if name == "cuda":
        return chosen_cuda()
    raise AttributeError(f"tinytorch.given.gpu.backend has no {name!r}")
