"""PyTorch's `nn.utils`: what trainings do to gradients. Given.

`from tinytorch.nn.utils import clip_grad_norm_`; module 06 exports it.
"""
from tinytorch.given import imports


def __getattr__(name):
    return imports.lookup(name, ["optim"])
