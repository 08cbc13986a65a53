"""PyTorch's `torch.utils`: its `data`. Given."""

from tinytorch.utils import data
