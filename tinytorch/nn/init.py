"""PyTorch's `nn.init`: how parameters are initialised. Given.

`import tinytorch.nn as nn`, then `nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")`.
"""

from tinytorch.given import names

__path__ = []  # then `from tinytorch.nn.init import x` can name the nearest x
__getattr__, __dir__ = names.namespace("tinytorch.nn.init", ["more/init"], lambda: ["layers"])
