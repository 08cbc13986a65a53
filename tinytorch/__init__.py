"""TinyTorch: a deep-learning framework that you write, module by module. Given.

The files beside this one are yours: each is exported from the notebook of one module. The folders are given. `given` lies below
your files and knows nothing of them; `nn`, `utils`, `more`, `datasets` and `drawing` build on them.

Names are found when they are first used: `tinytorch.Tensor` comes from `tinytorch/tensor.py`, which module 01 exports,
and so on. What no module has exported yet raises an error that names the module to write.
"""

import importlib
import sys

import numpy

from tinytorch.given import imports, names

__version__ = "0.1.0"
imports.install()
sys.modules[__name__].__class__ = names.Package

# Linux's malloc gives free memory back whenever there are a few megabytes of it, and faults it in again, page by page, at
# the next step of training: a quarter of the step of a small network. Once it has freed an array of 32 MB, it keeps as much.
numpy.empty(2**25 - 2**16, numpy.uint8)

_given = {  # name -> its file in `given`
    "CaptureError": "capture.recording",
    "device": "device",
    "fallbacks": "dispatch",
    "manual_seed": "random",
    "use": "dispatch",
}
_find, _names = names.namespace(
    "tinytorch",
    ["given/creation.py", "given/joining.py", "given/capture/__init__.py", "more/top"],
    imports.curriculum,
    methods=True,
)


def __getattr__(name):
    if name in _given:
        return getattr(importlib.import_module(f"tinytorch.given.{_given[name]}"), name)
    return importlib.import_module(f"tinytorch.{name}") if name in imports.submodules() else _find(name)


def __dir__():
    return sorted({*globals(), *_given, *(name for name in imports.submodules() if not imports.why_absent(name)), *_names()})
