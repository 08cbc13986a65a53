"""TinyTorch: a deep-learning framework that you write, module by module. Given.

The files beside this one are yours: each is exported from the notebook of one module. The folders are given. `given` lies below
your files and knows nothing of them; `nn`, `utils`, `more`, `datasets` and `drawing` build on them.

Names are found when they are first used: `tinytorch.Tensor` comes from `tinytorch/tensor.py`, which module 01 exports,
and so on. What no module has exported yet raises an error that names the module to write.
"""
import importlib
import inspect

import numpy
from numpy import bool_ as bool
from numpy import float32, float64, int32, int64, uint8

from tinytorch.given import imports
from tinytorch.given.dispatch import fallbacks, use
from tinytorch.given.random import manual_seed

__version__ = "0.1.0"
imports.install()

# Linux's malloc gives free memory back whenever there are a few megabytes of it, and faults it in again, page by page, at
# the next step of training: a quarter of the step of a small network. Once it has freed an array of 32 MB, it keeps as much.
numpy.empty(2**25 - 2**16, numpy.uint8)


def __getattr__(name):
    if name in imports.curriculum() or any((imports.PACKAGE / file).exists() for file in (name, f"{name}.py")):
        return importlib.import_module(f"tinytorch.{name}")
    if name.startswith("__"):
        raise AttributeError(name)
    # As in PyTorch, a method of Tensor is a function too: tinytorch.sum(x) is x.sum().
    method = getattr(imports.lookup("Tensor", ["tensor"]), name, None)
    return method if inspect.isfunction(method) else imports.lookup(name, imports.curriculum())
