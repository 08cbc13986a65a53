"""New tensors, filled or drawn, with PyTorch's names. Given; whatever draws random numbers takes `rng`."""
import numpy as np

from tinytorch.given.op import ops, part
from tinytorch.given.random import generator
from tinytorch.given.tensor_methods import sizes


def tensor(data, *, dtype=None, requires_grad=False):
    """Make a tensor of a copy of the data."""
    made = part("Tensor")(data, dtype=dtype)
    return part("Tensor")(made.data.copy(), requires_grad)


def zeros(*shape, **options): return part("Tensor")(np.zeros(sizes(shape), np.float32), **options)
def ones(*shape, **options): return part("Tensor")(np.ones(sizes(shape), np.float32), **options)
def full(shape, value, **options): return part("Tensor")(np.full(shape, part("Tensor")(value).data), **options)
def arange(*bounds, **options): return part("Tensor")(np.arange(*bounds).tolist(), **options)
def zeros_like(like): return part("Tensor")(np.zeros_like(like.data))
def ones_like(like): return part("Tensor")(np.ones_like(like.data))


def randn(*shape, rng=None, **options):
    """Draw from the normal distribution with mean 0 and standard deviation 1."""
    return part("Tensor")(generator(rng).standard_normal(sizes(shape), np.float32), **options)


def rand(*shape, rng=None, **options):
    """Draw evenly from [0, 1)."""
    return part("Tensor")(generator(rng).random(sizes(shape), np.float32), **options)


def stack(tensors, dim=0):
    """Join tensors of one shape along a new axis."""
    return ops["cat"](*(x.unsqueeze(dim) for x in tensors), dim=dim)
