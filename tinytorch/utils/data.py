"""PyTorch's names for what module 07 exports: `from tinytorch.utils.data import DataLoader`. Given."""

from tinytorch.given.imports import lookup


def __getattr__(name):
    return lookup(name, ["data"])
