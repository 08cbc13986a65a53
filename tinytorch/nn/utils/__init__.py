"""PyTorch's `nn.utils`: functions of gradients and parameters that training uses. Given.

`from tinytorch.nn.utils import clip_grad_norm_`; module 06 exports it.
"""

from tinytorch.given import names

__getattr__, __dir__ = names.namespace("tinytorch.nn.utils", ["more/nn_utils"], lambda: ["optim"])
