"""PyTorch's `nn`: your layers, containers and losses under the names that you know. Given.

`import tinytorch.nn as nn`, then `nn.Linear`, `nn.functional.relu`, `nn.init.kaiming_uniform_`. Nothing is defined here:
every name is found, when it is first used, in the file that a module exports.
"""
from tinytorch.given import imports
from tinytorch.nn import functional, init, utils


def __getattr__(name):
    return imports.lookup(name, ["layers", "losses", "cnn"])
