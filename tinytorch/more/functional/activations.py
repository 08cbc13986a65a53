"""`nn.functional`: activations with all of PyTorch's arguments, and further ones. Given, made of your ops."""

from tinytorch import activations as yours
from tinytorch.tensor import Tensor


def _placed(name, input, out, inplace):
    """Return a result, or write it over the input if ``inplace`` is True and no gradient is needed.

    Args:
        name: The function's name, for the message.
        input: Tensor that the result was made from.
        out: Tensor, the result.
        inplace: Whether to overwrite the input.
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"{name} needs a tensor, got {type(input).__name__}: make one with tinytorch.tensor(...)")
    return input.copy_(out) if inplace and not out.requires_grad else out


def relu(input, inplace=False):
    """Replace every negative entry by 0.

    Args:
        input: Tensor of any shape.
        inplace: Whether to overwrite the input; it saves no memory here, and does not happen if a gradient is needed.

    Returns:
        Tensor of the same shape.

    Example:
        >>> relu(Tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """
    return _placed("relu", input, yours.relu(input), inplace)


def leaky_relu(input, negative_slope=0.01, inplace=False):
    """Multiply every negative entry by a small slope, and keep the others.

    Example:
        >>> leaky_relu(Tensor([-100.0, 2.0]))
        tensor([-1.,  2.])
    """
    return _placed("leaky_relu", input, yours.leaky_relu(input, negative_slope=negative_slope), inplace)


def _implied(dim, ndim):
    """Return the axis that PyTorch takes if none is given: 0 for 0, 1 or 3 axes, else 1."""
    return (0 if ndim in (0, 1, 3) else 1) if dim is None else dim


def softmax(input, dim=None, dtype=None):
    """Turn scores into probabilities that sum to 1 along an axis.

    Args:
        input: Tensor of scores.
        dim: The axis.
        dtype: The dtype to compute in.

    Returns:
        Tensor of the same shape.

    Example:
        >>> softmax(Tensor([[0.0, 0.0]]), dim=1)
        tensor([[0.5, 0.5]])
    """
    return input.softmax(_implied(dim, input.ndim), dtype)


def log_softmax(input, dim=None, dtype=None):
    """Take the logarithm of the softmax along an axis; the arguments are those of `softmax`.

    Example:
        >>> log_softmax(Tensor([[0.0, 0.0]]), dim=1)
        tensor([[-0.6931, -0.6931]])
    """
    return input.log_softmax(_implied(dim, input.ndim), dtype)


def softmin(input, dim=None, dtype=None):
    """Turn scores into probabilities; the lowest score gets the largest.

    Example:
        >>> softmin(Tensor([[0.0, 0.0]]), dim=1)
        tensor([[0.5, 0.5]])
    """
    return softmax(-input, dim, dtype)


def softplus(input, beta=1.0, threshold=20.0):
    """Return a smooth ReLU: ``log(1 + exp(beta * x)) / beta``, and x itself above the threshold.

    Example:
        >>> softplus(Tensor([0.0, 100.0]))
        tensor([  0.6931, 100.    ])
    """
    scaled = input * beta
    linear = scaled > threshold
    return input.where(linear, scaled.masked_fill(linear, 0.0).exp().log1p() / beta)


def logsigmoid(input):
    """Take the logarithm of the sigmoid, without overflow.

    Example:
        >>> logsigmoid(Tensor([0.0, -10.0]))
        tensor([ -0.6931, -10.    ])
    """
    return -softplus(-input)


def silu(input, inplace=False):
    """Multiply every entry by its sigmoid.

    Example:
        >>> silu(Tensor([0.0, 2.0]))
        tensor([0.    , 1.7616])
    """
    return _placed("silu", input, input * yours.sigmoid(input), inplace)


def mish(input, inplace=False):
    """Multiply every entry by the tanh of its softplus.

    Example:
        >>> mish(Tensor([0.0, 2.0]))
        tensor([0.   , 1.944])
    """
    return _placed("mish", input, input * softplus(input).tanh(), inplace)


def elu(input, alpha=1.0, inplace=False):
    """Keep positive entries; a negative one becomes ``alpha * (exp(x) - 1)``.

    Example:
        >>> elu(Tensor([-1.0, 2.0]))
        tensor([-0.6321,  2.    ])
    """
    return _placed("elu", input, input.where(input > 0, input.masked_fill(input > 0, 0.0).expm1() * alpha), inplace)


def selu(input, inplace=False):
    """Scale `elu` so that activations keep mean 0 and variance 1.

    Example:
        >>> selu(Tensor([1.0]))
        tensor([1.0507])
    """
    return _placed("selu", input, elu(input, 1.6732632423543772) * 1.0507009873554805, inplace)


def relu6(input, inplace=False):
    """Limit every entry to the range from 0 to 6.

    Example:
        >>> relu6(Tensor([-1.0, 9.0]))
        tensor([0., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """Limit every entry to two bounds; at the bounds the gradient is 0.

    Example:
        >>> hardtanh(Tensor([-3.0, 0.5]))
        tensor([-1. ,  0.5])
    """
    outside = ~((input > min_val) & (input < max_val))
    out = input.detach().clamp(min_val, max_val).to(input.dtype).where(outside, input)
    return _placed("hardtanh", input, out, inplace)


def softsign(input):
    """Divide every entry by 1 plus its absolute value.

    Example:
        >>> softsign(Tensor([1.0]))
        tensor([0.5])
    """
    return input / (input.abs() + 1)


def hardsigmoid(input, inplace=False):
    """Map entries from -3 to 3 onto 0 to 1 in a straight line.

    Example:
        >>> hardsigmoid(Tensor([0.0, 9.0]))
        tensor([0.5, 1. ])
    """
    return _placed("hardsigmoid", input, hardtanh(input, -3.0, 3.0) / 6 + 0.5, inplace)


def gumbel_softmax(logits, tau=1.0, hard=False, eps=1e-10, dim=-1):
    """Draw from the classes that logits describe, in a way that lets gradients flow.

    Args:
        logits: Tensor of scores.
        tau: Temperature: how soft the draw is.
        hard: Whether each draw is a single class; its gradient is that of the soft draw.
        eps: Makes no difference, as in PyTorch.
        dim: The axis of the classes.

    Example:
        >>> gumbel_softmax(Tensor([[0.0, 0.0]]), hard=True).sum()
        tensor(1.)
    """
    noise = -(-Tensor(logits.data * 0).uniform_(1e-20, 1.0).log()).log()
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    best = (soft == soft.amax(dim, keepdim=True)).to(soft.dtype)
    return best - soft.detach() + soft


def glu(input, dim=-1):
    """Multiply the first half along an axis by the sigmoid of the second.

    Example:
        >>> glu(Tensor([[4.0, 0.0]]))
        tensor([[2.]])
    """
    first, second = input.chunk(2, dim)
    return first * yours.sigmoid(second)
