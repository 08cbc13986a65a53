"""Ops that PyTorch has and no module writes, each with its gradient rule. Given; `pytorch_methods.py` offers them as methods."""

import numpy as np

from tinytorch.given.joining import stack
from tinytorch.given.op import op, ops
from tinytorch.given.state import asked


def _zero(grad):
    """Return a gradient of zeros, as PyTorch does for a function that is flat between its jumps."""
    return grad * 0.0


@op
def sin(a):
    """Take the sine of every entry, in radians."""
    return np.sin(a)


@op
def cos(a):
    """Take the cosine of every entry, in radians."""
    return np.cos(a)


@op
def log1p(a):
    """Take the natural logarithm of 1 plus every entry, exact near 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log1p(a)


@op
def expm1(a):
    """Raise e to the power of every entry and subtract 1, exact near 0."""
    with np.errstate(over="ignore"):
        return np.expm1(a)


@op
def arctan(a):
    """Take the angle whose tangent is the entry, in radians."""
    return np.arctan(a)


@op
def arcsin(a):
    """Take the angle whose sine is the entry, in radians."""
    with np.errstate(invalid="ignore"):
        return np.arcsin(a)


sin.register_vjp(lambda grad, out, a: grad * ops["cos"](a))
cos.register_vjp(lambda grad, out, a: -grad * ops["sin"](a))
log1p.register_vjp(lambda grad, out, a: grad / (a + 1))
expm1.register_vjp(lambda grad, out, a: grad * (out + 1))
arctan.register_vjp(lambda grad, out, a: grad / (a * a + 1))
arcsin.register_vjp(lambda grad, out, a: grad / ops["sqrt"](1 - a * a))
for _floating in (sin, cos, log1p, expm1, arctan, arcsin):
    _floating.register_floats()


@op
def floor(a):
    """Round every entry down."""
    return a if a.dtype.kind in "biu" else np.floor(a)


@op
def ceil(a):
    """Round every entry up."""
    return a if a.dtype.kind in "biu" else np.ceil(a)


@op
def trunc(a):
    """Round every entry towards 0."""
    return a if a.dtype.kind in "biu" else np.trunc(a)


@op
def round_to(a, *, decimals=0):
    """Round every entry to a number of decimals; halves are rounded to the even neighbour."""
    return np.round(a, decimals)


@op
def signs(a):
    """Return 1 for a positive entry, -1 for a negative one, and 0 for 0."""
    return a if a.dtype == bool else np.where(np.isnan(a), 0, np.sign(a)).astype(a.dtype)


for _flat in (floor, ceil, trunc, signs):
    _flat.register_vjp(lambda grad, out, a: _zero(grad))
round_to.register_vjp(lambda grad, out, a, decimals: _zero(grad))


@op
def fmod(a, b):
    """Return the remainder of ``a`` divided by ``b``; it has the sign of ``a``."""
    if np.result_type(a, b).kind in "iu" and not np.all(b):
        raise ZeroDivisionError("a whole number cannot be divided by 0: convert it first with x.float()")
    return np.fmod(a, b)


fmod.register_vjp(lambda grad, out, a, b: grad, lambda grad, out, a, b: -grad * ((a - out) / b))


@op
def maximum(a, b):
    """Take the larger of two entries, or nan if one is nan."""
    return np.maximum(a, b)


@op
def minimum(a, b):
    """Take the smaller of two entries, or nan if one is nan."""
    return np.minimum(a, b)


def _share(grad, chosen, other, lost):
    """Pass a gradient to an entry unless it lost; pass half of it if both are equal."""
    return ops["where"](ops["equal"](chosen, other), grad * 0.5, ops["where"](lost, _zero(grad), grad))


def _of_larger(grad, a, b):
    """Pass the gradient of a maximum to ``a``; nan receives it too."""
    return _share(grad, a, b, ops["greater"](b, a))


def _of_smaller(grad, a, b):
    """Pass the gradient of a minimum to ``a``; nan receives it too."""
    return _share(grad, a, b, ops["greater"](a, b))


maximum.register_vjp(lambda grad, out, a, b: _of_larger(grad, a, b), lambda grad, out, a, b: _of_larger(grad, b, a))
minimum.register_vjp(lambda grad, out, a, b: _of_smaller(grad, a, b), lambda grad, out, a, b: _of_smaller(grad, b, a))


@op
def clamped(a, *, min=None, max=None):
    """Limit every entry to two bounds, one of which may be missing; nan stays nan."""
    if min is None and max is None:
        raise ValueError("clamp needs min, max or both")
    out = a if min is None else np.maximum(a, min)
    return out if max is None else np.minimum(out, max)


@op
def within(a, *, min=None, max=None):
    """Say which entries are between two bounds, the bounds included."""
    return (True if min is None else a >= min) & (True if max is None else a <= max) & np.ones(a.shape, bool)


within.register_vjp(None)
clamped.register_vjp(lambda grad, out, a, min, max: ops["where"](ops["within"](a, min=min, max=max), grad, 0.0))


@op
def prod(a, *, dim=None, keepdim=False):
    """Multiply along an axis, or all entries; small integers become int64."""
    return np.prod(a, axis=dim, keepdims=keepdim, dtype=a.dtype if a.dtype.kind == "f" else np.int64)


def _product_of_others(a, dim):
    """Return for each entry the product of all others along an axis, even if one is 0; gradients flow through it."""
    rows = a.unbind(dim)
    before, after = [rows[0].new_ones(rows[0].shape)], [rows[0].new_ones(rows[0].shape)]
    for first, last in zip(rows, reversed(rows)):
        before.append(before[-1] * first)
        after.append(after[-1] * last)
    return stack([left * right for left, right in zip(before, reversed(after[:-1]))], dim=dim)


def _has_zero(array):
    return (array == 0).any()


def _prod_rule(grad, out, a, dim, keepdim):
    """Return the gradient times the product of all other entries, for each entry."""
    flat = a.reshape(-1) if dim is None else a
    axis = 0 if dim is None else dim
    whole = out.reshape(1) if dim is None else out if keepdim else out.unsqueeze(dim)
    grad = grad.reshape(whole.shape)
    if asked(_has_zero, a.data):  # then dividing the product by an entry does not give that of the others
        return (grad * _product_of_others(flat, axis)).reshape(a.shape)
    return (grad * (whole / flat)).reshape(a.shape)


prod.register_vjp(_prod_rule)


@op
def cumsum(a, *, dim):
    """Sum along an axis up to and including each entry; small integers become int64."""
    return np.cumsum(np.atleast_1d(a), axis=dim, dtype=a.dtype if a.dtype.kind == "f" else np.int64).reshape(a.shape)


@op
def cumprod(a, *, dim):
    """Multiply along an axis up to and including each entry; small integers become int64."""
    return np.cumprod(np.atleast_1d(a), axis=dim, dtype=a.dtype if a.dtype.kind == "f" else np.int64).reshape(a.shape)


def _from_the_end(x, dim):
    """Sum along an axis from each entry to the end."""
    return x.flip(dim).cumsum(dim).flip(dim) if x.ndim else x


def _cumprod_rule(grad, out, a, dim):
    """Turn the gradient of `cumprod` into that of its input, which must not contain 0."""
    if asked(_has_zero, a.data):
        raise NotImplementedError("cumprod has no gradient here where an entry is 0: multiply step by step instead")
    return _from_the_end(grad * out, dim) / a


cumsum.register_vjp(lambda grad, out, a, dim: _from_the_end(grad, dim))
cumprod.register_vjp(_cumprod_rule)


@op
def scatter_to(a, values, *, index):
    """Return a copy of ``a`` with other entries at an index."""
    out = a.copy()
    out[index] = values
    return out


@op
def scatter_sum(a, values, *, index):
    """Return a copy of ``a`` with values added to the entries at an index; an entry named twice receives both."""
    out = a.copy()
    np.add.at(out, index, values)
    return out


scatter_to.register_vjp(
    lambda grad, out, a, values, index: scatter_to(grad, 0.0, index=index),
    lambda grad, out, a, values, index: ops["getitem"](grad, index=index),
)
scatter_sum.register_vjp(
    lambda grad, out, a, values, index: grad, lambda grad, out, a, values, index: ops["getitem"](grad, index=index)
)


@op
def retained(a):
    """Pass a tensor on; in the backward walk its gradient is kept, for `retain_grad`."""
    return a


def _retain(grad, out, a):
    """Keep a gradient on the tensor that it is for, and pass it on."""
    out.grad = grad.clone() if out.grad is None else out.grad + grad
    return grad


retained.register_vjp(_retain)
for _counted in (
    *(sin, cos, log1p, expm1, arctan, arcsin, floor, ceil, trunc, round_to, signs),
    *(fmod, maximum, minimum, prod, cumsum, cumprod),
):  # one operation for each entry of the result, or of the input where that is larger
    _counted.register_cost(lambda out, first, *others, **settings: max(np.size(out), np.size(first)))
for _bounded in (clamped, within):  # one comparison for each bound
    _bounded.register_cost(lambda out, a, min, max: a.size * ((min is not None) + (max is not None)))
scatter_sum.register_cost(lambda out, a, values, index: np.size(values))
