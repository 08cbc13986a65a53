"""`nn.functional`: what layers compute, besides what you write. Given, made of your ops."""

import math
from functools import partial

import numpy as np

from tinytorch import layers as yours
from tinytorch.given.joining import cat
from tinytorch.given.state import asked
from tinytorch.tensor import Tensor


def dropout(input, p=0.5, training=True, inplace=False, rng=None):
    """Replace each entry by 0 with probability p, and divide the others by 1 - p.

    Args:
        input: Tensor of any shape.
        p: Probability, from 0 to 1, that an entry becomes 0.
        training: Whether to do so; else the input is returned as it is.
        inplace: Whether to overwrite the input; it saves no memory here, and does not happen if a gradient is needed.
        rng: Generator to draw from; None for the default one.

    Returns:
        Tensor of the same shape.

    Example:
        >>> dropout(Tensor([3.0, -2.0]), training=False)
        tensor([ 3., -2.])
    """
    out = yours.dropout(input, p, training, rng)
    return input.copy_(out) if inplace and not out.requires_grad and out is not input else out


def one_hot(tensor, num_classes=-1):
    """Return for each class number a row of zeros with a 1 at that position.

    Args:
        tensor: Tensor of whole numbers, of any shape.
        num_classes: How many classes there are; -1 for one more than the largest number.

    Returns:
        int64 tensor with one axis more.

    Raises:
        ValueError: A number is negative, or not below ``num_classes``.

    Example:
        >>> one_hot(Tensor([0, 2]))
        tensor([[1, 0, 0],
                [0, 0, 1]])
    """
    if tensor.dtype != np.int64:
        raise TypeError(f"one_hot needs int64, got {tensor.dtype}: write .long()")
    if num_classes == -1 and not tensor.numel():
        raise ValueError("one_hot cannot count the classes of an empty tensor: pass num_classes")
    classes = int(tensor.data.max()) + 1 if num_classes == -1 else num_classes
    asked(partial(_check_numbers, name="one_hot", what="classes", count=classes, error=ValueError), tensor.data)
    return Tensor((tensor.data[..., None] == np.arange(classes)).astype(np.int64))


def _check_numbers(numbers, name, what, count, error):
    """Raise an error unless all numbers are from 0 to below a count."""
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < count:
        raise error(f"{name} needs {what} from 0 to {count - 1}, got {numbers.min()} to {numbers.max()}")


def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    """Return the table's row for each integer.

    Args:
        input: Tensor of whole numbers, of any shape.
        weight: Tensor of shape (V, D), the table.
        padding_idx: Row that receives no gradient.
        max_norm, norm_type, scale_grad_by_freq, sparse: Further arguments of PyTorch's, which are not supported here.

    Returns:
        Tensor of the shape of ``input`` followed by D.

    Raises:
        IndexError: A number is not from 0 to V - 1.

    Example:
        >>> embedding(Tensor([1, 0]), Tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([[3., 4.],
                [1., 2.]])
    """
    if max_norm is not None or scale_grad_by_freq or sparse:
        raise NotImplementedError("embedding takes no max_norm, scale_grad_by_freq or sparse here: leave them out")
    if input.dtype.kind not in "iu":
        raise TypeError(f"embedding needs whole numbers, got {input.dtype}: write .long()")
    count = len(weight)
    asked(partial(_check_numbers, name="embedding", what="numbers", count=count, error=IndexError), input.data)
    rows = weight[input]
    if padding_idx is None:
        return rows
    return rows.detach().where((input == padding_idx % count).unsqueeze(-1), rows)


def pad(input, pad, mode="constant", value=None):
    """Add a border to the last axes.

    Args:
        input: Tensor of any shape.
        pad: Numbers in pairs, before and after, for the last axis first; negative ones cut off.
        mode: ``"constant"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.
        value: What a constant border is filled with; None for 0.

    Returns:
        Tensor in which those axes are longer, or shorter.

    Example:
        >>> pad(Tensor([[1.0, 2.0]]), (1, 0, 0, 1))
        tensor([[0., 1., 2.],
                [0., 0., 0.]])
    """
    if mode not in ("constant", "reflect", "replicate", "circular"):
        raise ValueError(f'pad needs mode="constant", "reflect", "replicate" or "circular", got {mode!r}')
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ValueError(f"pad needs up to {input.ndim} pairs for shape {input.shape}, got {tuple(pad)}")
    for i, (before, after) in enumerate(zip(pad[::2], pad[1::2])):
        input = _bordered(input, input.ndim - 1 - i, before, after, mode, 0 if value is None else value)
    return input


def _bordered(x, dim, before, after, mode, value):
    """Add a border before and after the entries of one axis, or cut entries off."""
    size = x.shape[dim]
    if size + before + after < 0:
        raise ValueError(f"pad cannot take {-before - after} off the {size} entries of axis {dim}")
    if mode == "constant":
        x = x.narrow(dim, max(-before, 0), size + min(before, 0) + min(after, 0))
        borders = [np.full((*x.shape[:dim], max(n, 0), *x.shape[dim + 1 :]), value, x.dtype) for n in (before, after)]
        parts = [Tensor(borders[0]), x, Tensor(borders[1])]
        parts = [part for part in parts if part.shape[dim]] or [x]
        return parts[0] if len(parts) == 1 else cat(parts, dim=dim)
    places = np.arange(-before, size + after)
    limit = size - 1 if mode == "reflect" else size
    if mode != "replicate" and max(before, after) > limit:
        raise ValueError(f'pad with mode="{mode}" takes at most {limit} on axis {dim}, got {before} and {after}')
    if mode == "replicate":
        places = places.clip(0, size - 1)
    elif mode == "circular":
        places = places % size
    else:
        places = size - 1 - abs(size - 1 - abs(places))
    return x.index_select(dim, Tensor(places))


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Normalise the last axes of every example to mean 0 and variance 1.

    Args:
        input: Tensor whose last axes have the sizes ``normalized_shape``.
        normalized_shape: Tuple of sizes, or one number.
        weight, bias: Tensors of that shape, to multiply by and to add; None for none.
        eps: Is added to the variance.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: The last axes have other sizes.

    Example:
        >>> layer_norm(Tensor([[1.0, 3.0]]), (2,))
        tensor([[-1.,  1.]])
    """
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if input.shape[-len(shape) :] != shape:
        raise ValueError(f"layer_norm needs last axes of {shape}, got an input of shape {input.shape}")
    return _scaled(_normal(input, tuple(range(-len(shape), 0)), eps), weight, bias)


def _normal(x, axes, eps):
    """Shift and scale along axes to mean 0 and variance 1."""
    apart = x - x.mean(axes, keepdim=True)
    return apart / ((apart * apart).mean(axes, keepdim=True) + eps).sqrt()


def _scaled(x, weight, bias):
    """Multiply by a weight and add a bias, unless they are None."""
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """Divide the last axes of every example by the root of their mean square.

    Args:
        input: Tensor whose last axes have the sizes ``normalized_shape``.
        normalized_shape: Tuple of sizes, or one number.
        weight: Tensor of that shape to multiply by.
        eps: Is added to the mean square; None for the smallest step of the dtype.

    Example:
        >>> rms_norm(Tensor([[3.0, -3.0]]), 2)
        tensor([[ 1., -1.]])
    """
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if input.shape[-len(shape) :] != shape:
        raise ValueError(f"rms_norm needs last axes of {shape}, got an input of shape {input.shape}")
    eps = np.finfo(input.dtype).eps.item() if eps is None else eps
    return _scaled(input / ((input * input).mean(tuple(range(-len(shape), 0)), keepdim=True) + eps).sqrt(), weight, None)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    """Normalise every group of channels of every example to mean 0 and variance 1.

    Args:
        input: Tensor of shape (N, C, ...).
        num_groups: Number of groups that the channels are divided into.
        weight, bias: Tensors of shape (C,), or None.
        eps: Is added to the variance.

    Example:
        >>> group_norm(Tensor([[[1.0], [3.0]]]), 1).reshape(2)
        tensor([-1.,  1.])
    """
    channels = input.shape[1]
    if channels % num_groups:
        raise ValueError(f"group_norm cannot divide {channels} channels into {num_groups} groups")
    out = _normal(input.reshape(len(input), num_groups, -1), (-1,), eps).reshape(*input.shape)
    return _scaled(out, *(None if p is None else _column(p, input.ndim) for p in (weight, bias)))


def _column(vector, ndim):
    """Reshape a vector so that it runs along axis 1 of ``ndim`` axes."""
    return vector.reshape(1, -1, *(1,) * (ndim - 2))


def instance_norm(
    input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5
):
    """Normalise every channel of every example to mean 0 and variance 1, by its own statistics.

    Example:
        >>> instance_norm(Tensor([[[1.0, 3.0]]])).reshape(2)
        tensor([-1.,  1.])
    """
    if running_mean is not None or not use_input_stats:
        raise NotImplementedError("instance_norm keeps no running statistics here: leave them out")
    return group_norm(input, input.shape[1], weight, bias, eps)


def normalize(input, p=2.0, dim=1, eps=1e-12):
    """Divide vectors along an axis by their norm.

    Example:
        >>> normalize(Tensor([[3.0, 4.0]]))
        tensor([[0.6, 0.8]])
    """
    return input / input.norm(p, dim, keepdim=True).clamp(min=eps)


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """Return the norm of the difference of vectors along the last axis.

    Example:
        >>> pairwise_distance(Tensor([[0.0, 0.0]]), Tensor([[3.0, 4.0]]))
        tensor([5.])
    """
    return (x1 - x2 + eps).norm(p, -1, keepdim)


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    """Mix values by how well each query fits each key.

    Args:
        query: Tensor of shape (..., L, E).
        key: Tensor of shape (..., S, E).
        value: Tensor of shape (..., S, V).
        attn_mask: bool tensor that broadcasts to (..., L, S), True where a query may look; or floats to add to the scores.
        dropout_p: Probability that a weight becomes 0; it applies whenever it is above 0.
        is_causal: Whether query i sees only the keys up to i; then there must be no mask.
        scale: Factor on the scores; None for ``1 / sqrt(E)``.
        enable_gqa: Whether several query heads share one head of keys and values.

    Returns:
        Tensor of shape (..., L, V): the sum of values, weighted by the softmax of ``scale * query @ key.T``.

    Raises:
        ValueError: There is a mask and ``is_causal`` is set.

    Example:
        >>> x = Tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> scaled_dot_product_attention(x, x, x, is_causal=True)[0]
        tensor([1., 0.])
    """
    if is_causal and attn_mask is not None:
        raise ValueError("scaled_dot_product_attention takes a mask or is_causal=True, not both")
    if enable_gqa:
        key, value = (x.repeat_interleave(query.shape[-3] // x.shape[-3], -3) for x in (key, value))
    scores = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        attn_mask = Tensor(np.tril(np.ones(scores.shape[-2:], bool)))
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == bool else scores + attn_mask
    weights = scores.softmax(-1)
    return (yours.dropout(weights, dropout_p) if dropout_p else weights) @ value
