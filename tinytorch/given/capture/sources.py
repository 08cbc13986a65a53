"""Whose code something is, and where it runs: for what a step may read, and for messages. Given."""

import os
import sys
import sysconfig
import types
from pathlib import Path

PACKAGE = str(Path(__file__).parents[2]) + os.sep
LIBRARIES = (PACKAGE, "<frozen", *(sysconfig.get_path(kind) + os.sep for kind in ("stdlib", "purelib", "platlib")))
INSTALLED = tuple({sysconfig.get_path(kind) + os.sep for kind in ("purelib", "platlib")})
APART = "numpy", "scipy", "numba", "llvmlite", "matplotlib", "PIL", "pytest", "_pytest", "IPython", "ipykernel", "tqdm"


def is_users(x):
    """Say whether a class or a module is the user's, perhaps installed: neither the package's, nor Python's or NumPy's."""
    module = x if isinstance(x, types.ModuleType) else sys.modules.get(x.__module__)
    known = module is None or module.__name__ in sys.builtin_module_names
    return not known and is_users_file(getattr(module, "__file__", None) or "")


def is_users_file(file):
    """Say whether a file is the user's, perhaps installed: neither the package's, nor Python's or of a library in `APART`."""
    folder = next((folder for folder in INSTALLED if file.startswith(folder)), None)
    if file.startswith(PACKAGE):
        return False
    if folder is not None:
        return Path(file.removeprefix(folder)).parts[0] not in APART
    return not file.startswith(LIBRARIES)


def users(function):
    """Say whether a function was written outside of the package."""
    return not function.__code__.co_filename.startswith(PACKAGE)


def codes(code):
    """Yield the code of a function, and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def where():
    """Return the line of the user's that runs now, as ``file:line``; without one, the innermost line of an exported module."""
    frame, own = sys._getframe(1), None
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith(LIBRARIES):
            return f"{Path(name).name}:{frame.f_lineno}"
        if own is None and Path(name).parent == Path(PACKAGE):
            own = f"{Path(name).name}:{frame.f_lineno}"
        frame = frame.f_back
    return own or "the step"


def within(asked):
    """Return which layer or function of the package runs now, as ``, in BatchNorm1d``; nothing if the user's own code does.

    Args:
        asked: What the user's code may have called itself, such as ``item``.
    """
    frame, function = sys._getframe(1), asked
    while frame is not None and frame.f_code.co_filename.startswith(LIBRARIES):
        function = frame.f_code.co_name
        if function == "forward" and "self" in frame.f_locals:
            return f", in {type(frame.f_locals['self']).__name__}"
        frame = frame.f_back
    return "" if function.startswith("_") or function == asked else f", in {function}"
