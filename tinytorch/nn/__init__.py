"""PyTorch's `nn`: your layers, containers and losses under PyTorch's names, and given ones made of them. Given.

`import tinytorch.nn as nn`, then `nn.Linear`, `nn.functional.relu`, `nn.init.kaiming_uniform_`. Every name is found when it is
first used: in `more/nn`, or in the file that a module exports.
"""

from tinytorch.given import names
from tinytorch.nn import functional, init, utils

__getattr__, __dir__ = names.namespace("tinytorch.nn", ["more/nn"], lambda: ["layers", "losses", "cnn"])
