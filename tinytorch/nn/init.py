"""PyTorch's `nn.init`: the rules by which parameters begin. Given.

`import tinytorch.nn as nn`, then `nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")`.
"""
from tinytorch.given import imports


def __getattr__(name):
    return imports.lookup(name, ["layers"])
