# Made by tito from modules/12_cnn/cnn.py: edit that file, then run `tito module complete 12`.

# cnn.py, cell 3
"""Convolutional networks: convolution, pooling, batch normalisation; their rules and layers."""
import math
from functools import partial

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tinytorch.given.image_sizes import (check_convolution, check_convolution_back, check_groups,
                                         check_normal, check_pooling, check_pooling_back,
                                         check_statistics, column, finite, grown, margins, padded,
                                         pair, places, pooling, slabs, trimmed, values_per_channel)
from tinytorch.given.op import op
from tinytorch.layers import (Buffer, Flatten, Linear, Module, Parameter, ReLU, Sequential,
                              kaiming_uniform_, uniform_)
from tinytorch.tensor import Tensor, ones, sqrt, zeros


# cnn.py, cell 5
def convolve(picture, kernel, stride=1):
    """Slide a kernel over an image and take the sum of products at every place.

    Args:
        picture: Array of shape (H, W), the image.
        kernel: Array of shape (KH, KW), no larger than the image.
        stride: How many pixels the kernel moves at a time, both down and to the right.

    Returns:
        Array of float32, with as many rows and columns as there are places where the whole kernel
        fits into the image. Entry (y, x) is the sum over i and j of
        ``picture[y * stride + i, x * stride + j] * kernel[i, j]``.

    Example:
        >>> picture = np.array([[1, 2, 4], [4, 5, 7], [7, 8, 9]])
        >>> convolve(picture, np.array([[1, -1]]))
        array([[-1., -2.],
               [-1., -2.],
               [-1., -1.]], dtype=float32)

    Source:
        LeCun et al., Gradient-based learning applied to document recognition, 1998, section II.A.
    """
    (height, width), (rows, columns) = picture.shape, kernel.shape
    shape = (height - rows) // stride + 1, (width - columns) // stride + 1
    out = np.zeros(shape, np.float32)
    for y, x in np.ndindex(shape):
        for i, j in np.ndindex(kernel.shape):
            out[y, x] += picture[y * stride + i, x * stride + j] * kernel[i, j]
    return out


# cnn.py, cell 12
def windows(x, kernel_size, stride=(1, 1), dilation=(1, 1)):
    """Return a view of all the windows that a kernel visits in a batch of images, without a copy.

    Args:
        x: Array of shape (N, C, H, W), with any strides.
        kernel_size: Pair (KH, KW).
        stride: Pair: the distance from one window to the next, down and across.
        dilation: Pair: the distance from one entry of a window to the next, down and across.

    Returns:
        Writable view of ``x``, of shape (N, C, KH, KW, H', W'), where (H', W') is
        ``places((H, W), kernel_size, stride, dilation)``. Entry
        ``[n, c, i, j, y, x]`` is the entry of image n, channel c, at row
        ``y * stride[0] + i * dilation[0]`` and column ``x * stride[1] + j * dilation[1]``.

    Example:
        >>> view = windows(np.arange(12).reshape(1, 1, 3, 4), (2, 2))
        >>> view.shape
        (1, 1, 2, 2, 2, 3)
        >>> view[0, 0, :, :, 1, 2]
        array([[ 6,  7],
               [10, 11]])

    Source:
        NumPy manual, "numpy.lib.stride_tricks.as_strided".
    """
    down, across = x.strides[2:]
    steps = (dilation[0] * down, dilation[1] * across, stride[0] * down, stride[1] * across)
    shape = (*kernel_size, *places(x.shape[2:], kernel_size, stride, dilation))
    return as_strided(x, (*x.shape[:2], *shape), (*x.strides[:2], *steps))


# cnn.py, cell 18
@op
def unfold(x, *, kernel_size, dilation=1, padding=0, stride=1):
    """Lay out every window as a column.

    Args:
        x: Array of shape (N, C, H, W).
        kernel_size, dilation, padding, stride: A number, or a pair for height and width.

    Returns:
        Array of shape (N, C * KH * KW, L), where L is the number of windows.

    Example:
        >>> unfold.forward(np.arange(4.0).reshape(1, 1, 2, 2), kernel_size=(1, 2))
        array([[[0., 2.],
                [1., 3.]]])
    """
    view = windows(padded(x, pair(padding)), pair(kernel_size), pair(stride), pair(dilation))
    n, c, rows, columns, down, across = view.shape
    return view.reshape(n, c * rows * columns, down * across)


# cnn.py, cell 20
@op
def convolution(x, weight, bias=None, *, stride, padding, dilation, groups):
    """Slide kernels over the images of a batch.

    Args:
        x: Array of shape (N, C, H, W).
        weight: Array of shape (O, C / groups, KH, KW), the O kernels.
        bias: Array of shape (O,), or None for no bias.
        stride, padding, dilation: Pairs, for height and width. The padding is a border of zeros,
            the same above and below, and the same left and right.
        groups: Number of groups into which channels and kernels are divided, in order.

    Returns:
        Array of shape (N, O, H', W'). Entry ``[n, o, y, x]`` is ``bias[o]`` plus a sum over c,
        i and j: ``weight[o, c, i, j]`` times an entry of the padded image n. That entry is in
        the channel that is number c of kernel o's group, at row
        ``y * stride[0] + i * dilation[0]`` and column ``x * stride[1] + j * dilation[1]``.

    Example:
        >>> x, weight = np.arange(9.0).reshape(1, 1, 3, 3), np.array([[[[1.0, 0.0], [0.0, 10.0]]]])
        >>> settings = dict(stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1)
        >>> convolution.forward(x, weight, **settings)
        array([[[[40., 51.],
                 [73., 84.]]]])

    Source:
        Chellapilla, Puri and Simard, High performance convolutional neural networks, 2006.
    """
    settings = dict(kernel_size=weight.shape[2:], dilation=dilation, padding=padding, stride=stride)
    down, across = places(x.shape[2:], weight.shape[2:], stride, dilation, padding)
    rows = weight.reshape(groups, len(weight) // groups, -1)
    out = np.empty((len(x), *rows.shape[:2], down * across), np.result_type(x, weight))
    for slab in slabs(len(x), groups * rows[0, 0].size * down * across):
        columns = unfold.forward(x[slab], **settings)
        columns = columns.reshape(len(columns), groups, -1, down * across)
        np.matmul(rows, columns, out=out[slab])
    out = out.reshape(len(x), len(weight), down, across)
    if bias is not None:
        out += column(bias)
    return out


# cnn.py, cell 28
@op
def conv2d_weight(x, grad, *, weight_size, stride, padding, dilation, groups):
    """Turn the gradient of a convolution into that of its kernels.

    Args:
        x: Array of shape (N, C, H, W), the images.
        grad: Array of shape (N, O, H', W'), the gradient of the convolution's result.
        weight_size: Shape (O, C / groups, KH, KW) of the kernels.
        stride, padding, dilation, groups: The settings of the convolution.

    Returns:
        Array of shape ``weight_size``. Entry ``[o, c, i, j]`` is the sum over n, y and x of
        ``grad[n, o, y, x]`` times the entry of the padded image that kernel o's entry
        ``[c, i, j]`` was multiplied by at place (y, x).

    Example:
        >>> x, grad = np.arange(4.0).reshape(1, 1, 2, 2), np.array([[[[1.0], [10.0]]]])
        >>> settings = dict(stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1)
        >>> conv2d_weight.forward(x, grad, weight_size=(1, 1, 1, 2), **settings)
        array([[[[20., 31.]]]])

    Source:
        Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, section 4.
    """
    settings = dict(kernel_size=weight_size[2:], dilation=dilation, padding=padding, stride=stride)
    n, kernels, down, across = grad.shape
    grad = grad.reshape(n, groups, kernels // groups, down * across)
    rows = groups, kernels // groups, math.prod(weight_size[1:])
    total = np.zeros(rows, np.result_type(x, grad))
    for slab in slabs(n, groups * rows[2] * down * across):
        columns = unfold.forward(x[slab], **settings)
        columns = columns.reshape(len(columns), groups, -1, down * across)
        total += (grad[slab] @ columns.mT).sum(axis=0)
    return total.reshape(weight_size)


# cnn.py, cell 33
@op
def fold(columns, *, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Send every entry of a column back to its pixel, and add up the entries at each pixel.

    Args:
        columns: Array of shape (N, C * KH * KW, L), as `unfold` returns it.
        output_size: Pair (H, W), the size of the images that were unfolded.
        kernel_size, dilation, padding, stride: The settings of `unfold`, each a number or a pair.

    Returns:
        Array of shape (N, C, H, W). `unfold`, with the same settings, copies each pixel to some
        entries of ``columns``; here the pixel's entry is the sum of those. Entries that belong to
        the border are dropped.

    Example:
        >>> columns = unfold.forward(np.ones((1, 1, 3, 3)), kernel_size=2)
        >>> fold.forward(columns, output_size=3, kernel_size=2)
        array([[[[1., 2., 1.],
                 [2., 4., 2.],
                 [1., 2., 1.]]]])

    Source:
        PyTorch documentation, "Fold", section "torch.nn".
    """
    kernel_size, padding = pair(kernel_size), pair(padding)
    channels = columns.shape[1] // math.prod(kernel_size)
    size = [length + 2 * p for length, p in zip(pair(output_size), padding)]
    out = np.zeros((len(columns), channels, *size), columns.dtype)
    view = windows(out, kernel_size, pair(stride), pair(dilation))
    columns = columns.reshape(view.shape)
    for i, j in np.ndindex(kernel_size):
        view[:, :, i, j] += columns[:, :, i, j]
    return trimmed(out, padding)


# cnn.py, cell 38
@op
def conv2d_input(weight, grad, *, input_size, stride, padding, dilation, groups):
    """Turn the gradient of a convolution into that of the images, of shape ``input_size``."""
    settings = dict(output_size=input_size[2:], kernel_size=weight.shape[2:], dilation=dilation,
                    padding=padding, stride=stride)
    n, kernels, down, across = grad.shape
    rows = weight.reshape(groups, kernels // groups, -1).mT
    grad = grad.reshape(n, groups, kernels // groups, down * across)
    out = np.empty(input_size, np.result_type(weight, grad))
    for slab in slabs(n, groups * rows.shape[1] * down * across):
        columns = (rows @ grad[slab]).reshape(-1, groups * rows.shape[1], down * across)
        out[slab] = fold.forward(columns, **settings)
    return out


@op
def channel_sum(x):
    """Return the sum of every channel's entries, of shape (C,)."""
    return np.einsum("nchw->c", x)


# cnn.py, cell 39
# Shapes are compared with each other and with the settings before any kernel runs.
convolution.register_shapes(check=check_convolution)
conv2d_input.register_shapes(check=lambda weight, grad, input_size, **settings:
                             check_convolution_back(input_size, weight, grad, **settings))
conv2d_weight.register_shapes(check=lambda x, grad, weight_size, **settings:
                              check_convolution_back(x, weight_size, grad, **settings))
unfold.register_shapes("n c h w")
fold.register_shapes("n k l")
channel_sum.register_shapes("n c h w")


# cnn.py, cell 40
convolution.register_vjp(
    lambda grad, out, x, w, *bias, **s: conv2d_input(w, grad, input_size=x.shape, **s),
    lambda grad, out, x, w, *bias, **s: conv2d_weight(x, grad, weight_size=w.shape, **s),
    lambda grad, *_, **s: channel_sum(grad))
channel_sum.register_vjp(lambda grad, out, x: column(grad).expand(x.shape))
conv2d_input.register_vjp(
    lambda grad, out, w, g, input_size, **s: conv2d_weight(grad, g, weight_size=w.shape, **s),
    lambda grad, out, w, g, input_size, **s: convolution(grad, w, **s))
conv2d_weight.register_vjp(
    lambda grad, out, x, g, weight_size, **s: conv2d_input(grad, g, input_size=x.shape, **s),
    lambda grad, out, x, g, weight_size, **s: convolution(x, grad, **s))
unfold.register_vjp(lambda grad, out, x, **s: fold(grad, output_size=x.shape[2:], **s))
fold.register_vjp(lambda grad, out, columns, output_size, **s: unfold(grad, **s))


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolve images with kernels, and add each kernel's bias, as PyTorch does.

    Args:
        input: Tensor of shape (N, C, H, W), or (C, H, W) for one image.
        weight: Tensor of shape (O, C / groups, KH, KW).
        bias: Tensor of shape (O,), or None for no bias.
        stride, padding, dilation: A number, or a pair for height and width. The padding may be
            ``"valid"``, which is none, or ``"same"``, which keeps the size of the image.
        groups: Number of groups into which channels and kernels are divided.

    Returns:
        Tensor of shape (N, O, H', W'), or (O, H', W').

    Raises:
        ValueError: A shape or a setting does not fit; the message says which.

    Example:
        >>> conv2d(ones(2, 3, 8, 8), ones(4, 3, 3, 3), padding=1, stride=2).shape
        (2, 4, 4, 4)
    """
    if input.ndim == 3:
        return conv2d(input.unsqueeze(0), weight, bias, stride, padding, dilation, groups)[0]
    stride, dilation, kernel_size = pair(stride), pair(dilation), weight.shape[2:]
    padding, more = margins(padding, kernel_size, stride, dilation)
    input = grown(input, more)  # for "same" and an even kernel
    inputs = (input, weight) if bias is None else (input, weight, bias)
    return convolution(*inputs, stride=stride, padding=padding, dilation=dilation, groups=groups)


# cnn.py, cell 41
class Conv2d(Module):
    """A layer of kernels, each looking for its pattern everywhere, like PyTorch's Conv2d.

    Args:
        in_channels, out_channels: Number of input channels, and number of kernels.
        kernel_size, stride, padding, dilation, groups: As in `conv2d`.
        bias: Whether each kernel has a bias.
        rng: Generator for the weight, then the bias; None for the default one.

    Example:
        >>> Conv2d(1, 6, 5, padding=2)
        Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1,
                 groups=1, bias=True, rng=None):
        check_groups(in_channels, out_channels, groups)
        weight = zeros(out_channels, in_channels // groups, *pair(kernel_size))
        self.weight = Parameter(kaiming_uniform_(weight, a=math.sqrt(5), rng=rng))
        bound = 1 / math.sqrt(math.prod(weight.shape[1:]))
        self.bias = Parameter(uniform_(zeros(out_channels), -bound, bound, rng)) if bias else None
        self.stride, self.dilation, self.groups = pair(stride), pair(dilation), groups
        self.padding = padding if isinstance(padding, str) else pair(padding)

    in_channels = property(lambda self: self.weight.shape[1] * self.groups)
    out_channels = property(lambda self: self.weight.shape[0])
    kernel_size = property(lambda self: self.weight.shape[2:])

    def forward(self, x):
        return conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation,
                      self.groups)

    def extra_repr(self):
        """Return the settings; padding, dilation, groups and bias only if not the defaults."""
        settings = (f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
                    f"stride={self.stride}")
        for name, default in (("padding", (0, 0)), ("dilation", (1, 1)), ("groups", 1)):
            value = getattr(self, name)
            settings += f", {name}={value}" if value != default else ""
        return settings if self.bias is not None else f"{settings}, bias=False"


# cnn.py, cell 44
@op
def max_pooling(x, *, kernel_size, stride, padding):
    """Take the largest entry of every window.

    Args:
        x: Array of floats of shape (N, C, H, W).
        kernel_size, stride: Pairs, for height and width.
        padding: Pair: the width of the border, which counts as minus infinity.

    Returns:
        Array of shape (N, C, H', W'). Entry ``[n, c, y, x]`` is the largest entry of image n,
        channel c, in the KH rows that start at ``y * stride[0] - padding[0]`` and the KW columns
        that start at ``x * stride[1] - padding[1]``, or nan if one of these is nan.

    Example:
        >>> x = np.array([[[[1.0, 2.0, -5.0, -6.0], [4.0, 3.0, -8.0, -7.0]]]])
        >>> max_pooling.forward(x, kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))
        array([[[[ 4., -5.]]]])

    Source:
        Zhou and Chellappa, Computation of optical flow using a neural network, 1988.
    """
    view = windows(padded(x, padding, -np.inf), kernel_size, stride)
    out = view[:, :, 0, 0].copy()
    for i, j in np.ndindex(kernel_size):
        np.maximum(out, view[:, :, i, j], out=out)
    return out


# cnn.py, cell 48
@op
def max_pooling_backward(grad, x, *, kernel_size, stride, padding):
    """Turn the gradient of max pooling into that of its input.

    Args:
        grad: Array of shape (N, C, H', W'), the gradient of the pooled images.
        x: Array of shape (N, C, H, W), the images, with finite entries.
        kernel_size, stride, padding: As in `max_pooling`.

    Returns:
        Array of the shape of ``x``. Every entry is the sum of ``grad`` over the windows in which
        it is the first of the largest entries, row by row from the top left.

    Example:
        >>> x, grad = np.array([[[[1.0, 5.0], [5.0, 5.0]]]]), np.array([[[[3.0]]]])
        >>> max_pooling_backward.forward(grad, x, kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))
        array([[[[0., 3.],
                 [0., 0.]]]])

    Source:
        PyTorch documentation, "MaxPool2d", section "torch.nn".
    """
    x = padded(finite(x), padding, -np.inf) if any(padding) else x
    out = np.zeros(x.shape, grad.dtype)
    for slab in slabs(len(x), x[:1].size):
        view, target = (windows(a[slab], kernel_size, stride) for a in (x, out))
        largest, winner = view[:, :, 0, 0].copy(), np.zeros(grad[slab].shape, np.uint16)
        for place, (i, j) in enumerate(np.ndindex(kernel_size)):
            entry = view[:, :, i, j].copy()
            better = (entry > largest) | np.isnan(entry)
            np.maximum(winner, better * np.uint16(place), out=winner)  # later places are larger
            np.maximum(largest, entry, out=largest)
        for place, (i, j) in enumerate(np.ndindex(kernel_size)):
            target[:, :, i, j] += grad[slab] * (winner == place)
    return trimmed(out, padding)


# cnn.py, cell 53
@op
def max_pooling_pick(values, x, *, kernel_size, stride, padding):
    """Return, for each window, the entry of ``values`` at the place of the maximum of ``x``."""
    def entries(a, border):
        view = windows(padded(a, padding, border), kernel_size, stride)
        return view.reshape(*a.shape[:2], math.prod(kernel_size), *view.shape[4:])

    winner = entries(finite(x), -np.inf).argmax(axis=2)[:, :, None]
    return np.take_along_axis(entries(values, 0), winner, axis=2)[:, :, 0]


@op
def average_pooling(x, *, kernel_size, stride, padding):
    """Take the mean of every window; the border counts as zeros."""
    view = windows(padded(x, padding), kernel_size, stride)
    return sum(view[:, :, i, j] for i, j in np.ndindex(kernel_size)) / math.prod(kernel_size)


@op
def average_pooling_backward(grad, *, input_size, kernel_size, stride, padding):
    """Return the gradient of the mean: every entry of a window gets the same fraction of it."""
    n, c, down, across = grad.shape
    columns = np.repeat(grad / math.prod(kernel_size), math.prod(kernel_size), axis=1)
    columns = columns.reshape(n, c * math.prod(kernel_size), down * across)
    return fold.forward(columns, output_size=input_size[2:], kernel_size=kernel_size,
                        padding=padding, stride=stride)


max_pooling.register_shapes(check=partial(check_pooling, "max_pool2d"))
max_pooling_backward.register_shapes(check=partial(check_pooling_back, "max_pool2d"))
max_pooling_pick.register_shapes("n c h w", "n c h w")
average_pooling.register_shapes(check=partial(check_pooling, "avg_pool2d"))
average_pooling_backward.register_shapes(check=lambda grad, input_size, **settings:
                                         check_pooling_back("avg_pool2d", grad, input_size,
                                                            **settings))


# cnn.py, cell 54
max_pooling.register_vjp(lambda grad, out, x, **s: max_pooling_backward(grad, x, **s))
max_pooling_backward.register_vjp(lambda grad, out, g, x, **s: max_pooling_pick(grad, x, **s), None)
max_pooling_pick.register_vjp(lambda grad, out, v, x, **s: max_pooling_backward(grad, x, **s), None)
average_pooling.register_vjp(
    lambda grad, out, x, **s: average_pooling_backward(grad, input_size=x.shape, **s))
average_pooling_backward.register_vjp(
    lambda grad, out, g, input_size, **s: average_pooling(grad, **s))


# cnn.py, cell 55
# The number of operations of each op: a profile divides it by the time.
convolution.register_cost(lambda out, x, weight, *bias, **s: 2 * out.size * weight[0].size)
channel_sum.register_cost(lambda out, x: x.size)
conv2d_input.register_cost(lambda out, weight, grad, **s: 2 * grad.size * weight[0].size)
conv2d_weight.register_cost(lambda out, x, grad, **s: 2 * grad.size * out[0].size)
max_pooling.register_cost(lambda out, x, kernel_size, **s: out.size * math.prod(kernel_size))
max_pooling_backward.register_cost(lambda out, grad, x, **s: grad.size)
average_pooling.register_cost(lambda out, x, kernel_size, **s: out.size * math.prod(kernel_size))
average_pooling_backward.register_cost(lambda out, grad, kernel_size, **s:
                                       grad.size * (1 + math.prod(kernel_size)))
fold.register_cost(lambda out, columns, **s: columns.size)


# cnn.py, cell 56
def pool(op, input, kernel_size, stride, padding):
    """Run a pooling op; a single image (C, H, W) works too."""
    images = input.unsqueeze(0) if input.ndim == 3 else input
    out = op(images, **pooling(kernel_size, stride, padding))
    return out[0] if input.ndim == 3 else out


def max_pool2d(input, kernel_size, stride=None, padding=0):
    """Take the largest entry of every window of a tensor of images, as PyTorch does."""
    return pool(max_pooling, input, kernel_size, stride, padding)


def avg_pool2d(input, kernel_size, stride=None, padding=0):
    """Take the mean of every window of a tensor of images, as PyTorch does."""
    return pool(average_pooling, input, kernel_size, stride, padding)


class MaxPool2d(Module):
    """`max_pool2d` as a module."""

    def __init__(self, kernel_size, stride=None, padding=0):
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def forward(self, x): return max_pool2d(x, self.kernel_size, self.stride, self.padding)

    def extra_repr(self):
        """Return the settings, with those that PyTorch lets you change and that are fixed here."""
        return (f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
                "dilation=1, ceil_mode=False")


class AvgPool2d(MaxPool2d):
    """`avg_pool2d` as a module."""

    def forward(self, x): return avg_pool2d(x, self.kernel_size, self.stride, self.padding)
    def extra_repr(self): return super().extra_repr().removesuffix(", dilation=1, ceil_mode=False")


# cnn.py, cell 59
@op
def channel_norm(x, weight, bias, mean, var, *, eps, training):
    """Shift and scale every channel.

    Args:
        x: Array of shape (N, C, H, W).
        weight, bias, mean, var: Arrays of shape (C,).
        eps: Added to the variance, so that nothing is divided by 0.
        training: Whether mean and variance are those of ``x``; only the gradient rules use it.

    Returns:
        Array of shape (N, C, H, W). Entry ``[n, c, y, x]`` is the input's entry minus ``mean[c]``,
        divided by the square root of ``var[c] + eps``, times ``weight[c]``, plus ``bias[c]``.

    Example:
        >>> x, c = np.array([[[[1.0, 3.0]]]]), np.array([2.0])
        >>> channel_norm.forward(x, 10 * c, c, mean=c, var=c - 1, eps=0.0, training=False)
        array([[[[-18.,  22.]]]])

    Source:
        Ioffe and Szegedy, Batch normalization, 2015, algorithm 1.
    """
    out = x - column(mean)
    out *= column(weight / np.sqrt(var + eps))
    out += column(bias)
    return out


# cnn.py, cell 62
CHANNEL = (0, 2, 3)  # the axes that belong to one channel: images, rows and columns


@op
def channel_variance(x, mean):
    """Return the variance of every channel's entries around ``mean``, of shape (C,)."""
    apart = x - column(mean)
    return np.einsum("nchw,nchw->c", apart, apart) / (x.size / len(mean))


@op
def channel_norm_weight(grad, x, mean, var, *, eps, training):
    """Turn the gradient of `channel_norm` into that of its weight."""
    return np.einsum("nchw,nchw->c", grad, x - column(mean)) / np.sqrt(var + eps)


@op
def channel_norm_backward(grad, x, weight, mean, var, *, eps, training):
    """Turn the gradient of `channel_norm` into that of its input."""
    scale = column(weight / np.sqrt(var + eps))
    if not training:
        return grad * scale
    apart, count = x - column(mean), x.size / len(mean)
    apart *= column(np.einsum("nchw,nchw->c", grad, apart) / (count * (var + eps)))
    out = grad - column(grad.mean(axis=CHANNEL))
    out -= apart
    out *= scale
    return out


channel_norm.register_shapes("n c h w", "c", "c", "c", "c")
channel_variance.register_shapes("n c h w", "c")
channel_norm_weight.register_shapes("n c h w", "n c h w", "c", "c")
channel_norm_backward.register_shapes("n c h w", "n c h w", "c", "c", "c")
channel_norm.register_cost(lambda out, x, *arrays, **s: 4 * x.size)
channel_variance.register_cost(lambda out, x, mean: 3 * x.size)
channel_norm_weight.register_cost(lambda out, grad, x, *arrays, **s: 3 * x.size)
channel_norm_backward.register_cost(lambda out, grad, *arrays, training, **s:
                                    (8 if training else 1) * grad.size)
channel_variance.register_vjp(lambda grad, out, x, mean:
                              (x - column(mean)) * column(grad * (2 * len(mean) / x.numel())), None)


# cnn.py, cell 63
def channel_norm_backward_rule(grad, out, g, x, weight, mean, var, **given):
    """Turn the gradient of `channel_norm_backward` into that of the images x."""
    if not given["training"]:
        return x * 0
    one, count = weight * 0 + 1, x.numel() / len(mean)
    # compute the variance again, so that gradients flow from it to x
    inverse = 1 / sqrt(channel_variance(x, mean) + given["eps"])
    normal = channel_norm(x, one, one * 0, mean, var, **given)
    p, q = (channel_norm_weight(a, x, mean, var, **given) / count for a in (grad, g))
    both = (grad * g).mean(CHANNEL) - grad.mean(CHANNEL) * g.mean(CHANNEL)
    total = normal * column((both - p * q) * inverse)
    for factor, a in ((q, grad), (p, g)):
        total = total + column(factor) * channel_norm_backward(a, x, one, mean, var, **given)
    return -total * column(weight * inverse)


channel_norm.register_vjp(
    lambda grad, out, x, w, b, *rest, **s: channel_norm_backward(grad, x, w, *rest, **s),
    lambda grad, out, x, w, b, *rest, **s: channel_norm_weight(grad, x, *rest, **s),
    lambda grad, *_, **s: channel_sum(grad), None, None)
channel_norm_weight.register_vjp(
    lambda grad, out, g, x, *rest, **s: channel_norm(x, grad, grad * 0, *rest, **s),
    lambda grad, out, g, x, *rest, **s: channel_norm_backward(g, x, grad, *rest, **s), None, None)
channel_norm_backward.register_vjp(
    lambda grad, out, g, x, w, *rest, **s: channel_norm_backward(grad, x, w, *rest, **s),
    channel_norm_backward_rule, lambda grad, out, g, x, w, *rest, **s:
        (grad * channel_norm_backward(g, x, w * 0 + 1, *rest, **s)).sum(CHANNEL), None, None)


# cnn.py, cell 65
def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False,
               momentum=0.1, eps=1e-5):
    """Normalise every channel of a batch, as PyTorch does.

    Args:
        input: Tensor of shape (N, C, H, W).
        running_mean, running_var: Tensors of shape (C,), or None for both. With None, the batch's
            own statistics are always used, and none are kept.
        weight, bias: Tensors of shape (C,); None means ones for the weight and zeros for the bias.
        training: True to normalise by the mean and the variance of the batch, and to update the
            running statistics. False to normalise by these, and leave them unchanged.
        momentum: How much a new batch counts: ``(1 - momentum) * running + momentum * measured``,
            where the measured variance is the sum of squared distances from the mean, divided by
            count - 1.
        eps: Added to the variance.

    Returns:
        Tensor of shape (N, C, H, W), computed by `channel_norm`.

    Example:
        >>> x, mean, var = Tensor([[[[1.0, 3.0]]], [[[5.0, 7.0]]]]), zeros(1), ones(1)
        >>> batch_norm(x, mean, var, training=True).data.round(2).reshape(4)
        array([-1.34, -0.45,  0.45,  1.34], dtype=float32)
        >>> mean, var
        (tensor([0.4]), tensor([1.5667]))

    Source:
        Ioffe and Szegedy, Batch normalization, 2015, algorithm 2.
    """
    check_statistics(input, running_mean=running_mean, running_var=running_var)
    mean, var, measured = running_mean, running_var, training or running_mean is None
    if measured:
        x, count = input.detach(), values_per_channel(input)
        mean = x.mean(CHANNEL)
        var = channel_variance(x, mean)
    if training and running_mean is not None:
        running_mean.copy_((1 - momentum) * running_mean + momentum * mean)
        running_var.copy_((1 - momentum) * running_var + momentum * count / (count - 1) * var)
    weight = Tensor(np.ones_like(mean.data)) if weight is None else weight
    bias = Tensor(np.zeros_like(mean.data)) if bias is None else bias
    return channel_norm(input, weight, bias, mean, var, eps=eps, training=measured)


# cnn.py, cell 70
class BatchNorm2d(Module):
    """Batch normalisation with a weight and a bias for each channel, like PyTorch's BatchNorm2d.

    Args:
        num_features: Number of channels.
        eps, momentum: As in `batch_norm`; momentum None keeps the plain mean over all batches.
        affine: Whether the channels have a weight and a bias.
        track_running_stats: Whether to keep running statistics.

    Example:
        >>> layer = BatchNorm2d(3)
        >>> list(layer.state_dict())
        ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']
    """

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True,
                 track_running_stats=True):
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight = Parameter(ones(num_features)) if affine else None
        self.bias = Parameter(zeros(num_features)) if affine else None
        self.running_mean = Buffer(zeros(num_features)) if track_running_stats else None
        self.running_var = Buffer(ones(num_features)) if track_running_stats else None
        self.num_batches_tracked = Buffer(np.array(0)) if track_running_stats else None

    def forward(self, x):
        check_normal(x, self.num_features)
        momentum = self.momentum
        if self.training and self.running_mean is not None:
            self.num_batches_tracked.copy_(self.num_batches_tracked + 1)
            momentum = 1 / self.num_batches_tracked.item() if momentum is None else momentum
        return batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias,
                          self.training, momentum, self.eps)

    def extra_repr(self):
        """Return the settings."""
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
                f"affine={self.weight is not None}, "
                f"track_running_stats={self.running_mean is not None}")


# cnn.py, cell 74
class LeNet5(Sequential):
    """The network that read cheques, for images of 28 by 28, or of 32 by 32 without padding.

    Args:
        in_channels: Number of channels of an image.
        classes: Number of scores.
        padding: The border of the first convolution; 2 turns 28 pixels into 32.
        activation, pool: Classes of modules: ``activation()`` and ``pool(2)`` make new ones.
        rng: Generator for every layer that draws weights, in order; None for the default one.

    It is one flat sequence of modules: convolution, pooling and activation, twice; `Flatten`; three
    linear layers with an activation after each but the last. The table above shows the sizes.

    Example:
        >>> sum(parameter.numel() for parameter in LeNet5().parameters())
        61706

    Source:
        LeCun et al., Gradient-based learning applied to document recognition, 1998, section II.B.
    """

    def __init__(self, in_channels=1, classes=10, padding=2, activation=ReLU, pool=MaxPool2d,
                 rng=None):
        super().__init__(
            Conv2d(in_channels, 6, 5, padding=padding, rng=rng), pool(2), activation(),
            Conv2d(6, 16, 5, rng=rng), pool(2), activation(), Flatten(),
            Linear(400, 120, rng=rng), activation(), Linear(120, 84, rng=rng), activation(),
            Linear(84, classes, rng=rng))


# cnn.py, cell 77
class ConvNet(Sequential):
    """Stages of 3 by 3 convolution, batch normalisation, pooling and ReLU, then a linear layer.

    The convolutions have no bias, because the normalisation would subtract it again.

    Args:
        in_channels, classes: Number of channels of an image, and number of scores.
        widths: Number of kernels in each stage.
        size: Height and width of the images; every stage halves it.
        rng: Generator to draw from; None for the default one.

    Example:
        >>> sum(parameter.numel() for parameter in ConvNet().parameters())
        113962
    """

    def __init__(self, in_channels=3, classes=10, widths=(32, 64, 128), size=32, rng=None):
        layers, before = [], in_channels
        for width in widths:
            layers += [Conv2d(before, width, 3, padding=1, bias=False, rng=rng),
                       BatchNorm2d(width), MaxPool2d(2), ReLU()]
            before, size = width, size // 2
        super().__init__(*layers, Flatten(), Linear(before * size * size, classes, rng=rng))
