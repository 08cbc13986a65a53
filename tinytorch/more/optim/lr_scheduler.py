"""PyTorch's `optim.lr_scheduler`: the schedules of module 06. Given.

`from tinytorch.optim.lr_scheduler import StepLR, CosineAnnealingLR`.
"""

from tinytorch.given import imports


def __getattr__(name):
    return imports.lookup(name, ["optim"])
