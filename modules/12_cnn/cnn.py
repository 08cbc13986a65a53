# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Convolutional networks

# %%
from tito import notebook
check = notebook("12")

import matplotlib.pyplot as plt
import numpy as np
rng = np.random.default_rng(0)

# %%
#| export
"""Convolutional networks: convolution, pooling and batch normalisation, their rules and layers."""
import math

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tinytorch.autograd import no_grad, put_back
from tinytorch.layers import (Buffer, Flatten, Linear, Module, Parameter, ReLU, Sequential,
                              kaiming_uniform_, uniform_)
from tinytorch.op import op
from tinytorch.tensor import Tensor, mean, ones, sqrt, zeros

# %% exercise="12.1" minutes=15 points=2
#| export
def convolve(picture, kernel, stride=1):
    """Slide a kernel over a picture, and take the sum of products at every place.

    Args:
        picture: Array of shape (H, W).
        kernel: Array of shape (KH, KW), no larger than the picture.
        stride: By how many pixels the kernel moves, down as well as to the right.

    Returns:
        Array of float32 with as many rows and columns as there are places for the kernel. Entry
        (y, x) is the sum over i and j of
        ``picture[y * stride + i, x * stride + j] * kernel[i, j]``.

    Example:
        >>> picture = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
        >>> convolve(picture, np.array([[1, -1]]))
        array([[-1., -1.],
               [-1., -1.],
               [-1., -1.]], dtype=float32)
    """
    ### BEGIN SOLUTION
    (height, width), (rows, columns) = picture.shape, kernel.shape
    shape = (height - rows) // stride + 1, (width - columns) // stride + 1
    out = np.zeros(shape, np.float32)
    for y, x in np.ndindex(shape):
        for i, j in np.ndindex(kernel.shape):
            out[y, x] += picture[y * stride + i, x * stride + j] * kernel[i, j]
    return out
    ### END SOLUTION

# %% check="12.1"
check("12.1")

# %%
#| export
def pair(value):
    """Return (value, value) of one number, and a pair as it is."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def places(size, kernel_size, stride=(1, 1), dilation=(1, 1)):
    """Return at how many places, down and across, a kernel fits into a picture."""
    return tuple((n - d * (k - 1) - 1) // s + 1
                 for n, k, s, d in zip(size, kernel_size, stride, dilation))


def padded(x, padding, value=0):
    """Return an array (N, C, H, W) with a border of a value around every picture."""
    (n, c, h, w), (ph, pw) = x.shape, padding
    if ph == pw == 0:
        return x
    out = np.full((n, c, h + 2 * ph, w + 2 * pw), value, x.dtype)
    out[:, :, ph:ph + h, pw:pw + w] = x
    return out


def trimmed(x, padding):
    """Return the pictures without their border: a view."""
    (ph, pw), (h, w) = padding, x.shape[2:]
    return x[:, :, ph:h - ph, pw:w - pw]

# %% exercise="12.2" minutes=25 points=3
#| export
def windows(x, kernel_size, stride=(1, 1), dilation=(1, 1)):
    """Show an array as all the windows that a kernel meets in it, without a copy.

    Args:
        x: Array of shape (N, C, H, W).
        kernel_size: Pair (KH, KW).
        stride: Pair: how far it is from one window to the next, down and across.
        dilation: Pair: how far it is from one entry of a window to the next, down and across.

    Returns:
        Array of shape (N, C, KH, KW, H', W'), a view of the memory of ``x``; H' and W' are
        ``places((H, W), kernel_size, stride, dilation)``. Entry ``[n, c, i, j, y, x]`` is the
        entry of the picture at row ``y * stride[0] + i * dilation[0]`` and column
        ``x * stride[1] + j * dilation[1]``.

    Example:
        >>> x = np.arange(12).reshape(1, 1, 3, 4)
        >>> view = windows(x, (2, 2))
        >>> view.shape
        (1, 1, 2, 2, 2, 3)
        >>> view[0, 0, :, :, 1, 2]
        array([[ 6,  7],
               [10, 11]])
    """
    ### BEGIN SOLUTION
    down, across = x.strides[2:]
    steps = (dilation[0] * down, dilation[1] * across, stride[0] * down, stride[1] * across)
    shape = (*kernel_size, *places(x.shape[2:], kernel_size, stride, dilation))
    return as_strided(x, (*x.shape[:2], *shape), (*x.strides[:2], *steps))
    ### END SOLUTION

# %% check="12.2"
check("12.2")

# %%
#| export
@op
def unfold(x, *, kernel_size, dilation=1, padding=0, stride=1):
    """Lay out every window as a column.

    Args:
        x: Array of shape (N, C, H, W).
        kernel_size, dilation, padding, stride: One number or a pair each, as in `conv2d`.

    Returns:
        Array of shape (N, C * KH * KW, L), where L is the number of windows.
    """
    view = windows(padded(x, pair(padding)), pair(kernel_size), pair(stride), pair(dilation))
    n, c, rows, columns, down, across = view.shape
    return view.reshape(n, c * rows * columns, down * across)


def slabs(count, size):
    """Yield slices of a batch, each with as many images of ``size`` entries as a cache holds."""
    step = max(1, 2**18 // max(1, size))
    for start in range(0, count, step):
        yield slice(start, start + step)

# %% exercise="12.3" minutes=20 points=3
#| export
@op
def convolution(x, weight, *, stride, padding, dilation, groups):
    """Convolve."""
    ### BEGIN SOLUTION
    settings = dict(kernel_size=weight.shape[2:], dilation=dilation, padding=padding, stride=stride)
    size = [n + 2 * p for n, p in zip(x.shape[2:], padding)]
    down, across = places(size, weight.shape[2:], stride, dilation)
    rows = weight.reshape(groups, len(weight) // groups, -1)
    out = np.empty((len(x), *rows.shape[:2], down * across), np.result_type(x, weight))
    for slab in slabs(len(x), rows.shape[2] * groups * down * across):
        columns = unfold.forward(x[slab], **settings)
        columns = columns.reshape(len(columns), groups, -1, down * across)
        np.matmul(rows, columns, out=out[slab])
    return out.reshape(len(x), len(weight), down, across)
    ### END SOLUTION

# %% check="12.3"
check("12.3")

# %% exercise="12.4" minutes=15 points=2
#| export
@op
def conv2d_weight(x, grad, *, weight_size, stride, padding, dilation, groups):
    """Weight gradient."""
    ### BEGIN SOLUTION
    settings = dict(kernel_size=weight_size[2:], dilation=dilation, padding=padding, stride=stride)
    n, o, down, across = grad.shape
    grad = grad.reshape(n, groups, o // groups, down * across)
    total = np.zeros((groups, o // groups, math.prod(weight_size[1:])), np.result_type(x, grad))
    for slab in slabs(n, total.shape[2] * groups * down * across):
        columns = unfold.forward(x[slab], **settings)
        columns = columns.reshape(len(columns), groups, -1, down * across)
        total += (grad[slab] @ columns.mT).sum(axis=0)
    return total.reshape(weight_size)
    ### END SOLUTION

# %% check="12.4"
check("12.4")

# %% exercise="12.5" minutes=25 points=3
#| export
@op
def fold(columns, *, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Fold."""
    ### BEGIN SOLUTION
    kernel_size, stride, padding = pair(kernel_size), pair(stride), pair(padding)
    n, c = len(columns), columns.shape[1] // math.prod(kernel_size)
    size = [length + 2 * p for length, p in zip(pair(output_size), padding)]
    out = np.zeros((n, c, *size), columns.dtype)
    view = windows(out, kernel_size, stride, pair(dilation))
    columns = columns.reshape(view.shape)
    for i, j in np.ndindex(kernel_size):
        view[:, :, i, j] += columns[:, :, i, j]
    return trimmed(out, padding)
    ### END SOLUTION

# %% check="12.5"
check("12.5")

# %%
#| export
@op
def conv2d_input(weight, grad, *, input_size, stride, padding, dilation, groups):
    """Input gradient."""
    n, o, down, across = grad.shape
    settings = dict(output_size=input_size[2:], kernel_size=weight.shape[2:], dilation=dilation,
                    padding=padding, stride=stride)
    rows = weight.reshape(groups, o // groups, -1)
    grad = grad.reshape(n, groups, o // groups, down * across)
    out = np.empty(input_size, np.result_type(weight, grad))
    for slab in slabs(n, rows.shape[2] * groups * down * across):
        columns = rows.mT @ grad[slab]
        columns = columns.reshape(len(columns), -1, down * across)
        out[slab] = fold.forward(columns, **settings)
    return out

# %%
#| export
def unfold_rule(grad, out, x, **settings):
    """Turn the gradient of `unfold` into that of its input."""
    return fold(grad, output_size=x.shape[2:], **settings)


unfold.register_vjp(unfold_rule)
fold.register_vjp(lambda grad, out, columns, output_size, **settings: unfold(grad, **settings))
convolution.register_vjp(
    lambda grad, out, x, weight, **s: conv2d_input(weight, grad, input_size=x.shape, **s),
    lambda grad, out, x, weight, **s: conv2d_weight(x, grad, weight_size=weight.shape, **s))
conv2d_input.register_vjp(
    lambda grad, out, weight, g, input_size, **s:
        conv2d_weight(grad, g, weight_size=weight.shape, **s),
    lambda grad, out, weight, g, input_size, **s: convolution(grad, weight, **s))
conv2d_weight.register_vjp(
    lambda grad, out, x, g, weight_size, **s: conv2d_input(grad, g, input_size=x.shape, **s),
    lambda grad, out, x, g, weight_size, **s: convolution(x, grad, **s))

# %%
#| export
def fits(name, x, kernel_size, stride, padding, dilation=(1, 1)):
    """Raise an error that says why a kernel does not fit on pictures."""
    if x.ndim != 4:
        raise ValueError(f"{name} needs pictures of shape (N, C, H, W), got {x.shape}")
    if min(*kernel_size, *stride, *dilation) < 1 or min(padding) < 0:
        raise ValueError(f"{name} needs a kernel size, a stride and a dilation of at least 1, and a "
                         f"padding of at least 0, got {kernel_size}, {stride}, {dilation}, {padding}")
    size = tuple(n + 2 * p for n, p in zip(x.shape[2:], padding))
    if min(places(size, kernel_size, stride, dilation)) < 1:
        reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel_size, dilation))
        raise ValueError(f"{name} needs a kernel no larger than the padded picture: it reaches over "
                         f"{reach} pixels of {size}")


def margins(padding, kernel_size, stride, dilation):
    """Return the padding before and the rest after, as pairs, for padding of any kind."""
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding != "same":
        return pair(padding), (0, 0)
    if stride != (1, 1):
        raise ValueError(f'padding="same" needs stride 1, got {stride}')
    total = [d * (k - 1) for k, d in zip(kernel_size, dilation)]
    return tuple(n // 2 for n in total), tuple(n % 2 for n in total)


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Conv2d."""
    stride, dilation, kernel_size = pair(stride), pair(dilation), weight.shape[2:]
    padding, extra = margins(padding, kernel_size, stride, dilation)
    if input.ndim == 3:
        return conv2d(input[None], weight, bias, stride, padding, dilation, groups)[0]
    if any(extra):
        shape = (*input.shape[:2], *(n + more for n, more in zip(input.shape[2:], extra)))
        index = (slice(None), slice(None), *(slice(n) for n in input.shape[2:]))
        input = put_back(input, index=index, shape=shape)
    fits("conv2d", input, kernel_size, stride, padding, dilation)
    out = convolution(input, weight, stride=stride, padding=padding, dilation=dilation,
                      groups=groups)
    return out if bias is None else out + bias.reshape(-1, 1, 1)

# %% exercise="12.6" minutes=10 points=2
#| export
@op
def max_pooling(x, *, kernel_size, stride, padding):
    """Max pooling."""
    ### BEGIN SOLUTION
    view = windows(padded(x, padding, -np.inf), kernel_size, stride)
    out = view[:, :, 0, 0].copy()
    for i, j in np.ndindex(kernel_size):
        np.maximum(out, view[:, :, i, j], out=out)
    return out
    ### END SOLUTION

# %% check="12.6"
check("12.6")

# %% exercise="12.7" minutes=20 points=3
#| export
@op
def max_pooling_backward(grad, x, *, kernel_size, stride, padding):
    """Max pooling backward."""
    ### BEGIN SOLUTION
    view = windows(padded(x, padding, -np.inf), kernel_size, stride)
    largest, winner = view[:, :, 0, 0].copy(), np.zeros(grad.shape, np.int16)
    for place, (i, j) in enumerate(np.ndindex(kernel_size)):
        better = (view[:, :, i, j] > largest) | np.isnan(view[:, :, i, j])
        np.copyto(winner, place, where=better)
        np.maximum(largest, view[:, :, i, j], out=largest)
    out = np.zeros((*x.shape[:2], *(n + 2 * p for n, p in zip(x.shape[2:], padding))), grad.dtype)
    view = windows(out, kernel_size, stride)
    for place, (i, j) in enumerate(np.ndindex(kernel_size)):
        view[:, :, i, j] += grad * (winner == place)
    return trimmed(out, padding)
    ### END SOLUTION

# %% check="12.7"
check("12.7")

# %%
#| export
@op
def max_pooling_pick(values, x, *, kernel_size, stride, padding):
    """Return, of each window, the entry of ``values`` at the place of the maximum of ``x``."""
    def entries(a, border):
        view = windows(padded(a, padding, border), kernel_size, stride)
        return view.reshape(*a.shape[:2], math.prod(kernel_size), *view.shape[4:])
    places = entries(x, -np.inf).argmax(axis=2)[:, :, None]
    return np.take_along_axis(entries(values, 0), places, axis=2)[:, :, 0]


@op
def average_pooling(x, *, kernel_size, stride, padding):
    """Return the mean of every window; the border counts as zeros."""
    view = windows(padded(x, padding), kernel_size, stride)
    out = np.zeros(view[:, :, 0, 0].shape, x.dtype)
    for i, j in np.ndindex(kernel_size):
        out += view[:, :, i, j]
    return out / math.prod(kernel_size)


@op
def average_pooling_backward(grad, *, input_size, kernel_size, stride, padding):
    """Give every entry of a window its share of the gradient of the mean."""
    size = [n + 2 * p for n, p in zip(input_size[2:], padding)]
    out = np.zeros((*input_size[:2], *size), grad.dtype)
    view, part = windows(out, kernel_size, stride), grad / math.prod(kernel_size)
    for i, j in np.ndindex(kernel_size):
        view[:, :, i, j] += part
    return trimmed(out, padding)

# %%
#| export
max_pooling.register_vjp(lambda grad, out, x, **s: max_pooling_backward(grad, x, **s))
max_pooling_backward.register_vjp(
    lambda grad, out, g, x, **s: max_pooling_pick(grad, x, **s), None)
max_pooling_pick.register_vjp(
    lambda grad, out, values, x, **s: max_pooling_backward(grad, x, **s), None)
average_pooling.register_vjp(
    lambda grad, out, x, **s: average_pooling_backward(grad, input_size=x.shape, **s))
average_pooling_backward.register_vjp(
    lambda grad, out, g, input_size, **s: average_pooling(grad, **s))


def pooled(name, op, input, kernel_size, stride, padding):
    """Check the settings of a pooling, and run its op."""
    kernel_size, padding = pair(kernel_size), pair(padding)
    stride = kernel_size if stride is None else pair(stride)
    if input.ndim == 3:
        return pooled(name, op, input[None], kernel_size, stride, padding)[0]
    fits(name, input, kernel_size, stride, padding)
    if any(2 * p > k for k, p in zip(kernel_size, padding)):
        raise ValueError(f"{name} needs a padding of at most half the kernel: "
                         f"got padding {padding} for {kernel_size}")
    return op(input, kernel_size=kernel_size, stride=stride, padding=padding)


def max_pool2d(input, kernel_size, stride=None, padding=0):
    """Max pool."""
    return pooled("max_pool2d", max_pooling, input, kernel_size, stride, padding)


def avg_pool2d(input, kernel_size, stride=None, padding=0):
    """Avg pool."""
    return pooled("avg_pool2d", average_pooling, input, kernel_size, stride, padding)

# %% exercise="12.8" minutes=15 points=2
#| export
@op
def channel_norm(x, weight, bias, mean, var, *, eps, training):
    """Channel norm."""
    ### BEGIN SOLUTION
    scale = weight / np.sqrt(var + eps)
    out = x - mean[:, None, None]
    out *= scale[:, None, None]
    out += bias[:, None, None]
    return out
    ### END SOLUTION

# %% check="12.8"
check("12.8")

# %%
#| export
CHANNEL = (0, 2, 3)  # the axes that one channel's statistics are taken over


@op
def channel_variance(x, mean):
    """Return the variance of every channel, divided by the count, given its mean."""
    centred = x - mean[:, None, None]
    return np.einsum("nchw,nchw->c", centred, centred) / (x.size / len(mean))


@op
def channel_norm_weight(grad, x, mean, var, *, eps, training):
    """Return the gradient of the weight of `channel_norm`."""
    return np.einsum("nchw,nchw->c", grad, x - mean[:, None, None]) / np.sqrt(var + eps)


@op
def channel_norm_backward(grad, x, weight, mean, var, *, eps, training):
    """Return the gradient of the input of `channel_norm`."""
    scale = (weight / np.sqrt(var + eps))[:, None, None]
    if not training:
        return grad * scale
    count, centred = x.size / len(mean), x - mean[:, None, None]
    slope = np.einsum("nchw,nchw->c", grad, centred) / (count * (var + eps))
    centred *= slope[:, None, None]
    out = grad - grad.mean(axis=CHANNEL)[:, None, None]
    out -= centred
    out *= scale
    return out

# %%
#| export
def column(vector): return vector.reshape(-1, 1, 1)


def channel_norm_backward_rule(grad, out, g, x, weight, mean, var, eps, training):
    """Turn the gradient of `channel_norm_backward` into that of x, which it depends on."""
    settings, statistics = dict(eps=eps, training=training), (mean, var)
    if not training:
        return x * 0
    one, inverse, count = weight * 0 + 1, 1 / sqrt(var + eps), x.numel() / len(mean)
    hat = channel_norm(x, one, one * 0, *statistics, **settings)
    p, q = (channel_norm_weight(a, x, *statistics, **settings) / count for a in (grad, g))
    both = (grad * g).mean(CHANNEL) - grad.mean(CHANNEL) * g.mean(CHANNEL)
    flat = hat * column((both - p * q) * inverse)
    for factor, a in ((q, grad), (p, g)):
        flat = flat + column(factor) * channel_norm_backward(a, x, one, *statistics, **settings)
    return -flat * column(weight * inverse)


channel_variance.register_vjp(
    lambda grad, out, x, mean: (x - column(mean)) * column(grad * (2 * len(mean) / x.numel())), None)
channel_norm.register_vjp(
    lambda grad, out, x, weight, bias, *rest, **s:
        channel_norm_backward(grad, x, weight, *rest, **s),
    lambda grad, out, x, weight, bias, *rest, **s: channel_norm_weight(grad, x, *rest, **s),
    lambda grad, out, *rest, **s: grad.sum(CHANNEL), None, None)
channel_norm_weight.register_vjp(
    lambda grad, out, g, x, *rest, **s: channel_norm(x, grad, grad * 0, *rest, **s),
    lambda grad, out, g, x, *rest, **s: channel_norm_backward(g, x, grad, *rest, **s), None, None)
channel_norm_backward.register_vjp(
    lambda grad, out, g, x, weight, *rest, **s: channel_norm_backward(grad, x, weight, *rest, **s),
    channel_norm_backward_rule,
    lambda grad, out, g, x, weight, *rest, **s:
        (grad * channel_norm_backward(g, x, weight * 0 + 1, *rest, **s)).sum(CHANNEL), None, None)

# %% exercise="12.9" minutes=20 points=4
#| export
def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False,
               momentum=0.1, eps=1e-5):
    """Batch norm."""
    ### BEGIN SOLUTION
    mean, var = running_mean, running_var
    if training or mean is None:
        x = input.detach()
        mean = x.mean(CHANNEL)
        var = channel_variance(x, mean)
    if training and running_mean is not None:
        count = input.numel() / len(mean)
        running_mean.copy_(running_mean * (1 - momentum) + mean * momentum)
        running_var.copy_(running_var * (1 - momentum) + var * (momentum * count / (count - 1)))
    weight = Tensor(np.ones_like(mean.data)) if weight is None else weight
    bias = Tensor(np.zeros_like(mean.data)) if bias is None else bias
    return channel_norm(input, weight, bias, mean, var, eps=eps,
                        training=training or running_mean is None)
    ### END SOLUTION

# %% check="12.9"
check("12.9")

# %%
#| export
class Conv2d(Module):
    """Conv2d."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1,
                 groups=1, bias=True, rng=None):
        weight = zeros(out_channels, in_channels // groups, *pair(kernel_size))
        self.weight = Parameter(kaiming_uniform_(weight, a=math.sqrt(5), rng=rng))
        bound = 1 / math.sqrt(math.prod(weight.shape[1:]))
        self.bias = Parameter(uniform_(zeros(out_channels), -bound, bound, rng)) if bias else None
        self.stride, self.dilation, self.groups = pair(stride), pair(dilation), groups
        self.padding = padding if isinstance(padding, str) else pair(padding)

    def forward(self, x):
        return conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation,
                      self.groups)

    in_channels = property(lambda self: self.weight.shape[1] * self.groups)
    out_channels = property(lambda self: self.weight.shape[0])
    kernel_size = property(lambda self: self.weight.shape[2:])

    def extra_repr(self):
        said = (f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
                f"stride={self.stride}")
        for name, usual in (("padding", (0, 0)), ("dilation", (1, 1)), ("groups", 1)):
            value = getattr(self, name)
            said += f", {name}={value}" if value != usual else ""
        return said if self.bias is not None else f"{said}, bias=False"


class MaxPool2d(Module):
    """MaxPool2d."""

    def __init__(self, kernel_size, stride=None, padding=0):
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def forward(self, x): return max_pool2d(x, self.kernel_size, self.stride, self.padding)

    def extra_repr(self):
        return (f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
                "dilation=1, ceil_mode=False")


class AvgPool2d(MaxPool2d):
    """AvgPool2d."""

    def forward(self, x): return avg_pool2d(x, self.kernel_size, self.stride, self.padding)
    def extra_repr(self): return super().extra_repr().removesuffix(", dilation=1, ceil_mode=False")


class BatchNorm2d(Module):
    """BatchNorm2d."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True,
                 track_running_stats=True):
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight = Parameter(ones(num_features)) if affine else None
        self.bias = Parameter(zeros(num_features)) if affine else None
        self.running_mean = Buffer(zeros(num_features)) if track_running_stats else None
        self.running_var = Buffer(ones(num_features)) if track_running_stats else None
        self.num_batches_tracked = Buffer(np.array(0)) if track_running_stats else None

    def forward(self, x):
        factor = self.momentum
        if self.training and self.running_mean is not None:
            self.num_batches_tracked.copy_(self.num_batches_tracked + 1)
            factor = 1 / self.num_batches_tracked.item() if factor is None else factor
        return batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias,
                          self.training, factor, self.eps)

    def extra_repr(self):
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
                f"affine={self.weight is not None}, "
                f"track_running_stats={self.running_mean is not None}")

# %% exercise="12.10" minutes=15 points=2
#| export
class LeNet5(Sequential):
    """LeNet5."""

    def __init__(self, in_channels=1, classes=10, padding=2, activation=ReLU, pool=MaxPool2d,
                 rng=None):
        ### BEGIN SOLUTION
        super().__init__(
            Conv2d(in_channels, 6, 5, padding=padding, rng=rng), pool(2), activation(),
            Conv2d(6, 16, 5, rng=rng), pool(2), activation(), Flatten(),
            Linear(400, 120, rng=rng), activation(), Linear(120, 84, rng=rng), activation(),
            Linear(84, classes, rng=rng))
        ### END SOLUTION

# %% check="12.10"
check("12.10")

# %%
#| export
class ConvNet(Sequential):
    """ConvNet."""

    def __init__(self, in_channels=3, classes=10, widths=(32, 64, 128), size=32, rng=None):
        layers = []
        for fan_in, width in zip((in_channels, *widths), widths):
            layers += [Conv2d(fan_in, width, 3, padding=1, bias=False, rng=rng),
                       BatchNorm2d(width), MaxPool2d(2), ReLU()]
            size //= 2
        super().__init__(*layers, Flatten(), Linear(widths[-1] * size**2, classes, rng=rng))
