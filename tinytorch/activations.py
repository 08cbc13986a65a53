# Made by tito from modules/02_activations/activations.py: edit that file, then run `tito module complete 02`.

# activations.py, cell 7
"""Activations: the functions between the layers, each safe for entries of any size."""
import math

import numpy as np

from tinytorch.given.op import op


# activations.py, cell 9
@op
def relu(a):
    """Replace every negative entry by 0.

    Args:
        a: Array of any shape, integers or floats. It is not changed.

    Returns:
        Array of the same shape and dtype. Every entry is the larger of 0 and the entry of ``a``;
        nan stays nan.

    Example:
        >>> relu.forward(np.array([[-2, 3, 0], [1, -1, 4]]))
        array([[0, 3, 0],
               [1, 0, 4]])

    Source:
        Nair and Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines, 2010.
    """
    return np.maximum(a, 0)


# activations.py, cell 18
@op
def sigmoid(a):
    """Map every entry into the range from 0 to 1, without overflow.

    Args:
        a: Array of any shape.

    Returns:
        Array of the same shape. Every entry is ``1 / (1 + exp(-x))`` for the entry x of ``a``,
        correct to at least four digits even if it is tiny: 9.4e-14 for x = -30, not 0. float32
        stays float32.

    Example:
        >>> sigmoid.forward(np.array([-1000.0, 0.0, 1000.0]))
        array([0. , 0.5, 1. ])
    """
    small = np.exp(-np.abs(a))  # at most 1: cannot overflow
    return np.where(a >= 0, 1, small) / (1 + small)


# activations.py, cell 26
@op
def tanh(a):
    """Map every entry into the range from -1 to 1, correct to four digits for any entry.

    Args:
        a: Array of any shape.

    Returns:
        Array of the same shape. Every entry is ``(exp(x) - exp(-x)) / (exp(x) + exp(-x))`` for the
        entry x of ``a``. float32 stays float32.

    Example:
        >>> tanh.forward(np.array([-1000.0, 0.0, 1e-12]))
        array([-1.e+00,  0.e+00,  1.e-12])
    """
    return np.tanh(a)


# activations.py, cell 38
@op
def erf(a):
    """Take the error function of every entry, accurate to 6e-7 in float32, fully in float64.

    Args:
        a: Array of any shape.

    Returns:
        Array of the same shape: ``2 / sqrt(pi)`` times the integral of ``exp(-t * t)`` from 0 to
        the entry.

    Example:
        >>> erf.forward(np.array([-3.0, 0.0, 0.5])).round(4)
        array([-1.    ,  0.    ,  0.5205])

    Source:
        Hastings, Approximations for Digital Computers, 1955; Abramowitz and Stegun, 7.1.26.
    """
    a = np.asarray(a)
    if a.dtype != np.float32:
        return np.vectorize(math.erf, otypes=[np.float64])(a)
    t = 1 / (1 + 0.3275911 * np.abs(a))
    tail = 0  # becomes 0.25 t - 0.28 t**2 + ... + 1.06 t**5
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail = (tail + factor) * t
    return np.copysign(1 - tail * np.exp(-a * a), a)


# activations.py, cell 40
@op
def gelu(a, *, approximate="none"):
    """Multiply every entry by the probability that a standard normal draw is below it.

    Args:
        a: Array of any shape.
        approximate: ``"none"`` for the exact form, ``"tanh"`` for the approximation. Both formulas
            are above.

    Returns:
        Array of the same shape. float32 stays float32.

    Raises:
        ValueError: ``approximate`` is something else. The message contains it.

    Example:
        >>> gelu.forward(np.array([-1.0, 0.0, 2.0])).round(4)
        array([-0.1587,  0.    ,  1.9545])

    Source:
        Hendrycks and Gimpel, Gaussian Error Linear Units, 2016, section 2.
    """
    if approximate == "none":
        return 0.5 * a * (1 + erf.forward(a / math.sqrt(2)))
    if approximate == "tanh":
        return 0.5 * a * (1 + np.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a * a * a)))
    raise ValueError(f'gelu needs approximate="none" or approximate="tanh", got {approximate!r}')


# activations.py, cell 50
@op
def softmax(a, *, dim=-1):
    """Turn scores into probabilities that sum to 1 along an axis, without overflow.

    Args:
        a: Array of scores, of one dimension or more. A score of -inf gets probability 0. The array
            is not changed.
        dim: The axis along which the probabilities sum to 1; negative ones count from the end.

    Returns:
        Array of the same shape. With ``dim=-1``, entry ``[..., i]`` is ``exp(a[..., i])`` divided
        by the sum over j of ``exp(a[..., j])``. float32 stays float32.

    Example:
        >>> softmax.forward(np.array([[1000.0, 1000.0], [0.0, np.log(3)]]))
        array([[0.5 , 0.5 ],
               [0.25, 0.75]])

    Source:
        Bridle, Training Stochastic Model Recognition Algorithms as Networks, 1989.
    """
    largest = a.max(axis=dim, keepdims=True) if a.size else 0  # an empty array has no maximum
    powers = np.exp(a - largest)
    powers /= powers.sum(axis=dim, keepdims=True)
    return powers


# activations.py, cell 61
@op
def log_softmax(a, *, dim=-1):
    """Take the logarithm of the softmax along an axis, even where a probability rounds to 0.

    Args:
        a: Array of scores, of one dimension or more. It is not changed.
        dim: The axis along which the probabilities sum to 1; negative ones count from the end.

    Returns:
        Array of the same shape, no entry above 0. With ``dim=-1``, entry ``[..., i]`` is
        ``a[..., i]`` minus the logarithm of the sum over j of ``exp(a[..., j])``. float32 stays
        float32.

    Example:
        >>> log_softmax.forward(np.array([0.0, -5000.0]))
        array([    0., -5000.])
    """
    shifted = a - (a.max(axis=dim, keepdims=True) if a.size else 0)
    return shifted - np.log(np.exp(shifted).sum(axis=dim, keepdims=True))


# activations.py, cell 66
@op
def leaky_relu(a, *, negative_slope=0.01):
    """Multiply every negative entry by a small slope, and keep the others.

    Args:
        a: Array of any shape. It is not changed.
        negative_slope: What negative entries are multiplied by.

    Returns:
        Array of the same shape. float32 stays float32, and nan stays nan.

    Example:
        >>> leaky_relu.forward(np.array([-100.0, 0.0, 3.0]))
        array([-1.,  0.,  3.])

    Source:
        Maas, Hannun and Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models, 2013.
    """
    return np.where(a < 0, a * negative_slope, a)


# activations.py, cell 71
sigmoid.register_floats()
tanh.register_floats()
erf.register_floats()
gelu.register_floats()
softmax.register_floats()
log_softmax.register_floats()
leaky_relu.register_floats()
