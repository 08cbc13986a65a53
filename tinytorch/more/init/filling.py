"""`nn.init`: initialisation rules besides those of module 03. Given."""

import math

import numpy as np

from tinytorch import layers as yours
from tinytorch.given.random import generator as chosen


def constant_(tensor, val):
    """Fill a tensor with a number, and return it.

    Example:
        >>> from tinytorch.tensor import zeros
        >>> constant_(zeros(2), 0.5)
        tensor([0.5, 0.5])
    """
    return yours.overwrite(tensor, val)


def zeros_(tensor):
    """Fill a tensor with zeros, and return it.

    Example:
        >>> from tinytorch.tensor import ones
        >>> zeros_(ones(2))
        tensor([0., 0.])
    """
    return yours.overwrite(tensor, 0.0)


def ones_(tensor):
    """Fill a tensor with ones, and return it.

    Example:
        >>> from tinytorch.tensor import zeros
        >>> ones_(zeros(2))
        tensor([1., 1.])
    """
    return yours.overwrite(tensor, 1.0)


def eye_(tensor):
    """Write ones on the diagonal of a matrix, zeros elsewhere, and return it.

    Example:
        >>> from tinytorch.tensor import zeros
        >>> eye_(zeros(2, 2))
        tensor([[1., 0.],
                [0., 1.]])
    """
    return yours.overwrite(tensor, np.eye(*tensor.shape, dtype=tensor.dtype))


def uniform_(tensor, a=0.0, b=1.0, generator=None, rng=None):
    """Fill a tensor with draws from the uniform distribution on ``a`` to ``b``, and return it.

    Example:
        >>> from tinytorch.tensor import zeros
        >>> bool((uniform_(zeros(9), 2.0, 3.0) >= 2).all())
        True
    """
    return yours.uniform_(tensor, a, b, chosen(generator or rng))


def normal_(tensor, mean=0.0, std=1.0, generator=None, rng=None):
    """Fill a tensor with draws from a normal distribution, and return it.

    Example:
        >>> from tinytorch.tensor import zeros
        >>> normal_(zeros(2), 5.0, 0.0)
        tensor([5., 5.])
    """
    return yours.normal_(tensor, mean, std, chosen(generator or rng))


def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
    """Fill a tensor with draws from a normal distribution, redrawn until they are from ``a`` to ``b``, and return it.

    Example:
        >>> from tinytorch.tensor import zeros
        >>> bool((trunc_normal_(zeros(99)).abs() <= 2).all())
        True
    """
    rng = chosen(generator)
    values = rng.normal(mean, std, tensor.shape)
    while (outside := (values < a) | (values > b)).any():
        values[outside] = rng.normal(mean, std, outside.sum())
    return yours.overwrite(tensor, values.astype(tensor.dtype))


def xavier_normal_(tensor, gain=1.0, generator=None):
    """Fill a weight with draws of standard deviation ``gain * sqrt(2 / (fan_in + fan_out))``, and return it.

    Example:
        >>> from tinytorch.tensor import zeros
        >>> xavier_normal_(zeros(3, 2)).shape
        (3, 2)
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(yours.fans(tensor))), generator)


def orthogonal_(tensor, gain=1, generator=None):
    """Fill a matrix so that its rows (or columns, if fewer) are orthogonal and have length ``gain``, and return it.

    Example:
        >>> from tinytorch.tensor import zeros
        >>> weight = orthogonal_(zeros(2, 2))
        >>> (weight @ weight.T).abs().sum().round(decimals=3)
        tensor(2.)
    """
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    draws = chosen(generator).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draws)
    q = q * np.sign(np.diag(r))
    return yours.overwrite(tensor, (gain * (q if rows >= columns else q.T)).reshape(tensor.shape).astype(tensor.dtype))
