"""`nn`: layers besides those that you write: embedding, normalisation, attention. Given, made of your ops."""

from tinytorch.layers import Linear, Module, Parameter, normal_
from tinytorch.more.functional import layers as F
from tinytorch.tensor import ones, zeros


class Embedding(Module):
    """A table that holds a learned vector for each of V integers.

    Args:
        num_embeddings: V, the number of rows.
        embedding_dim: Length of a row.
        padding_idx: Row that is 0 and stays 0.
        max_norm, norm_type, scale_grad_by_freq, sparse: Further arguments of PyTorch's; only their defaults are supported here.
        rng: Generator to draw from; None for the default one.

    Its parameter ``weight`` has shape (V, embedding_dim), drawn from the standard normal distribution.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> Embedding(5, 3)(Tensor([[0, 4]])).shape
        (1, 2, 3)
    """

    def __init__(
        self,
        num_embeddings,
        embedding_dim,
        padding_idx=None,
        max_norm=None,
        norm_type=2.0,
        scale_grad_by_freq=False,
        sparse=False,
        rng=None,
    ):
        if max_norm is not None or scale_grad_by_freq or sparse:
            raise NotImplementedError("Embedding takes no max_norm, scale_grad_by_freq or sparse here: leave them out")
        self.padding_idx = padding_idx
        weight = normal_(zeros(num_embeddings, embedding_dim), rng=rng)
        if padding_idx is not None:
            weight[padding_idx] = 0.0
        self.weight = Parameter(weight)

    @classmethod
    def from_pretrained(cls, embeddings, freeze=True, padding_idx=None):
        """Make a table of existing rows; a frozen table receives no gradient."""
        layer = cls(*embeddings.shape, padding_idx)
        layer.weight = Parameter(embeddings, not freeze)
        return layer

    num_embeddings = property(lambda self: self.weight.shape[0])
    embedding_dim = property(lambda self: self.weight.shape[1])

    def forward(self, input):
        return F.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self):
        """Return the settings, for `print`."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class LayerNorm(Module):
    """`layer_norm` with a weight and a bias.

    Args:
        normalized_shape: Tuple of the sizes of the last axes, or one number.
        eps: Is added to the variance.
        elementwise_affine: Whether there are a weight and a bias.
        bias: Whether there is a bias besides the weight.

    Example:
        >>> LayerNorm(4)
        LayerNorm((4,), eps=1e-05, elementwise_affine=True)
    """

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, bias=True):
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter(ones(*self.normalized_shape)) if elementwise_affine else None
        self.bias = Parameter(zeros(*self.normalized_shape)) if elementwise_affine and bias else None

    def forward(self, input):
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class RMSNorm(Module):
    """`rms_norm` with a weight.

    Args:
        normalized_shape: Tuple of the sizes of the last axes, or one number.
        eps: Is added to the mean square; None for the smallest step of the dtype.
        elementwise_affine: Whether there is a weight.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> RMSNorm(2)(Tensor([[3.0, -3.0]]))
        tensor([[ 1., -1.]], from=mul)
    """

    def __init__(self, normalized_shape, eps=None, elementwise_affine=True):
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter(ones(*self.normalized_shape)) if elementwise_affine else None

    def forward(self, input):
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self):
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """`group_norm` with a weight and a bias for each channel.

    Args:
        num_groups: Number of groups that the channels are divided into.
        num_channels: Number of channels.
        eps: Is added to the variance.
        affine: Whether there are a weight and a bias.

    Example:
        >>> GroupNorm(1, 2)
        GroupNorm(1, 2, eps=1e-05, affine=True)
    """

    def __init__(self, num_groups, num_channels, eps=1e-5, affine=True):
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self.weight = Parameter(ones(num_channels)) if affine else None
        self.bias = Parameter(zeros(num_channels)) if affine else None

    def forward(self, input):
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


class Unflatten(Module):
    """Turn one axis into several.

    Args:
        dim: The axis.
        unflattened_size: The sizes of the new axes.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> Unflatten(1, (2, 3))(Tensor([[1, 2, 3, 4, 5, 6]])).shape
        (1, 2, 3)
    """

    def __init__(self, dim, unflattened_size):
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input):
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self):
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Bilinear(Module):
    """Multiply two inputs with a weight between them: ``x1 @ weight[o] @ x2 + bias[o]``.

    Args:
        in1_features, in2_features: Lengths of the inputs.
        out_features: Number of outputs.
        bias: Whether there is a bias.
        rng: Generator to draw from; None for the default one.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> Bilinear(2, 3, 4)(Tensor([[1.0, 2.0]]), Tensor([[1.0, 2.0, 3.0]])).shape
        (1, 4)
    """

    def __init__(self, in1_features, in2_features, out_features, bias=True, rng=None):
        bound = in1_features**-0.5
        self.weight = Parameter((zeros(out_features, in1_features, in2_features)).uniform_(-bound, bound, generator=rng))
        self.bias = Parameter(zeros(out_features).uniform_(-bound, bound, generator=rng)) if bias else None

    def forward(self, input1, input2):
        out = ((input1.unsqueeze(-2).unsqueeze(-2) @ self.weight).squeeze(-2) * input2.unsqueeze(-2)).sum(-1)
        return out if self.bias is None else out + self.bias


class MultiheadAttention(Module):
    """Attention in several heads: project queries, keys and values, attend in each head, and project the results.

    Args:
        embed_dim: Length of a vector.
        num_heads: Number of heads; they share the vector evenly.
        dropout: Probability that an attention weight becomes 0, in training.
        bias: Whether the projections have a bias.
        batch_first: Whether the batch is the first axis; by default it is the second.
        rng: Generator to draw from; None for the default one.

    Its parameters have PyTorch's names and shapes: ``in_proj_weight`` (3 * embed_dim, embed_dim), ``in_proj_bias``, ``out_proj``.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> x = Tensor([[[1.0, 2.0], [3.0, 4.0]]])
        >>> out, shares = MultiheadAttention(2, 1, batch_first=True)(x, x, x)
        >>> out.shape, shares.shape
        ((1, 2, 2), (1, 2, 2))
    """

    def __init__(self, embed_dim, num_heads, dropout=0.0, bias=True, batch_first=False, rng=None):
        if embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention cannot divide {embed_dim} numbers among {num_heads} heads")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        bound = (6 / (4 * embed_dim)) ** 0.5
        self.in_proj_weight = Parameter(zeros(3 * embed_dim, embed_dim).uniform_(-bound, bound, generator=rng))
        self.in_proj_bias = Parameter(zeros(3 * embed_dim)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, rng=rng)
        if bias:
            self.out_proj.bias.detach().zero_()

    def forward(
        self,
        query,
        key,
        value,
        key_padding_mask=None,
        need_weights=True,
        attn_mask=None,
        average_attn_weights=True,
        is_causal=False,
    ):
        """Return the projected results of the heads, and the attention weights or None.

        Args:
            query, key, value: Tensors of shape (L, N, embed_dim), or (N, L, embed_dim) if the batch is first, or (L, embed_dim).
            key_padding_mask: bool tensor of shape (N, S), True for keys to ignore.
            need_weights: Whether to return the attention weights.
            attn_mask: bool tensor of shape (L, S), True where a query must not look; or floats to add to the scores.
            average_attn_weights: Whether to average the attention weights over the heads.
            is_causal: Says that ``attn_mask`` is causal; the mask is still required.
        """
        if query.ndim == 2:
            out, shares = self.forward(
                *(x.unsqueeze(0 if self.batch_first else 1) for x in (query, key, value)),
                key_padding_mask,
                need_weights,
                attn_mask,
                average_attn_weights,
                is_causal,
            )
            return out.squeeze(0 if self.batch_first else 1), None if shares is None else shares.squeeze(0)
        inputs = [x if self.batch_first else x.transpose(0, 1) for x in (query, key, value)]
        weights = self.in_proj_weight.chunk(3)
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        q, k, v = (self._heads(x @ w.mT if b is None else x @ w.mT + b) for x, w, b in zip(inputs, weights, biases))
        scores = q @ k.mT * (self.embed_dim // self.num_heads) ** -0.5
        for mask in (attn_mask, None if key_padding_mask is None else key_padding_mask.unsqueeze(1).unsqueeze(1)):
            if mask is not None:
                scores = scores.masked_fill(mask, float("-inf")) if mask.dtype == bool else scores + mask
        shares = scores.softmax(-1)
        kept = F.dropout(shares, self.dropout, self.training)
        out = (kept @ v).transpose(1, 2).flatten(2)
        out = self.out_proj(out)
        shares = (shares.mean(1) if average_attn_weights else shares) if need_weights else None
        return (out if self.batch_first else out.transpose(0, 1)), shares

    def _heads(self, x):
        """Return (N, L, embed_dim) as (N, heads, L, embed_dim / heads)."""
        return x.reshape(*x.shape[:2], self.num_heads, -1).transpose(1, 2)
