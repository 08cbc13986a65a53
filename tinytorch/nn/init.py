"""PyTorch's `nn.init`: the rules by which parameters begin. Given.

`import tinytorch.nn as nn`, then `nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")`.
"""
from tinytorch.given import names

__path__ = []  # `from tinytorch.nn.init import x` then says what there is instead of x
__getattr__, __dir__ = names.namespace("tinytorch.nn.init", ["more/init"], lambda: ["layers"])
