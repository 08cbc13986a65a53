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
#
# To the first layer of an MLP a picture is a list of numbers. Shuffle the pixels of all pictures in the same way, and it learns as
# well as before: it does not know which pixels are neighbours, and what it learns about the upper left corner does not help it
# anywhere else. In this module you write layers that do better: **convolution**, which looks for the same small pattern
# everywhere, and **pooling**, which forgets its exact place. They are ops like those of module 01, with rules like those of
# module 05. At the end you build LeNet-5, the network that read the digits on bank cheques in 1998.
#
# The examples are the digits of module 08, but larger, each at a random place in a picture of 28 by 28 pixels.

# %%
from tito import notebook
check = notebook("12")

import time

import matplotlib.pyplot as plt
import numpy as np
from tinytorch.autograd import gradcheck
from tinytorch.data import DataLoader, TensorDataset
from tinytorch.drawing.training import feature_maps
from tinytorch.losses import cross_entropy
from tinytorch.optim import Adam
from tinytorch.tensor import randn
from tinytorch.training import evaluate, train_epoch
rng = np.random.default_rng(0)

FONT = "75557 26227 71747 71717 55711 74717 74757 71122 75757 75717".split()
glyphs = np.array([[[int(row) >> 2 - x & 1 for x in range(3)] for row in rows] for rows in FONT])
glyphs = glyphs.repeat(3, axis=1).repeat(3, axis=2).astype(np.float32)           # (10, 15, 9)

def draw_digits(count, reach=6, noise=0.3):
    """Return float32 pictures (count, 1, 28, 28), up to `reach` pixels off centre, and labels."""
    labels = rng.integers(0, 10, count)
    pictures = rng.normal(0, noise, (count, 1, 28, 28)).astype(np.float32)
    for picture, label in zip(pictures, labels):
        down, right = rng.integers(-reach, reach + 1, 2) + (6, 9)
        picture[0, down:down + 15, right:right + 9] += glyphs[label]
    return pictures, labels

images, _ = draw_digits(8)
plt.imshow(np.hstack(images[:, 0]), cmap="gray");

# %%
#| export
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

# %% [markdown]
# ## A template that moves
#
# A neuron of module 03 is a template as large as the picture. Take one of 5 by 5 pixels instead, a **kernel** (not the functions
# of modules 10 and 11, which have the same name), and ask at every place in the picture how much the 5 by 5 pixels there look
# like it. The answers form a new picture, a **feature map**:
#
# $$\mathrm{out}_{y,x} = \sum_i \sum_j \mathrm{picture}_{y s + i,\; x s + j}\,\cdot\,\mathrm{kernel}_{i,j}$$
#
# The **stride** $s$ is how far the kernel moves from one place to the next. In mathematics a convolution flips the kernel before it
# slides; networks skip that, because the kernel is learned anyway. Write it with loops first: you will measure what they cost.
#
# The picture and the kernel need not be square. Pixels left over at the right and at the bottom, where no whole window fits, are
# ignored. How many places are there for a kernel of 3 rows in a picture of 8 rows, with stride 2?

# %% exercise="12.1" minutes=15 points=2
#| export
def convolve(picture, kernel, stride=1):
    """Slide a kernel over a picture and take the sum of products at every place.

    Args:
        picture: Array of shape (H, W).
        kernel: Array of shape (KH, KW), no larger than the picture.
        stride: How many pixels the kernel moves at a time, both down and to the right.

    Returns:
        Array of float32, with as many rows and columns as there are places where the whole kernel
        fits into the picture. Entry (y, x) is the sum over i and j of
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

# %% [markdown] hint="12.1"
# Find the size first. The first window starts at row 0, the next one `stride` rows below it. The last possible start is row `H - KH`.
# How many starts are there from 0 to that row?

# %% [markdown] hint="12.1"
# Four loops: over the rows and columns of the answer, and for each of its entries over the rows and columns of the kernel.
# `np.ndindex(shape)` gives all pairs of indices in one loop.

# %%
left = np.repeat([[-1, 0, 1]], 3, axis=0)
clean = np.pad(glyphs[4], ((6, 7), (9, 10)))
figure, axes = plt.subplots(1, 3, figsize=(6, 2))
for axis, picture in zip(axes, [clean, convolve(clean, left), convolve(clean, left.T)]):
    axis.imshow(picture, cmap="gray")

# %%
kernels = rng.standard_normal((6, 1, 5, 5), np.float32)     # as many as in LeNet-5's first layer
begin = time.perf_counter()
maps = [convolve(np.pad(images[0, 0], 2), kernel[0]) for kernel in kernels]
seconds_by_loops = time.perf_counter() - begin
print(f"{1e3 * seconds_by_loops:.0f} ms a picture, {1e3 * seconds_by_loops:.0f} min for 60,000")

# %% [markdown]
# ## All windows at once, without a copy
#
# Two kernels, written by hand, find two kinds of edges, wherever they are. But the last line shows how long loops would take for
# one forward pass of LeNet-5's first layer over MNIST's 60,000 training pictures. What follows takes less than a thousandth of
# that.
#
# An array is a piece of memory and a way to walk through it: its **strides** are the number of bytes to the next row and to the next
# column. Give NumPy other strides, and the same memory looks different. The windows of a picture are such a view: a step to
# the next window and a step to the next pixel within a window both move one pixel through the memory.
#
# `as_strided(x, shape, strides)` does what you say without checking: with a wrong shape it shows memory outside the array. So
# work out the shape first; `places`, given in `tinytorch/given/image_sizes.py`, computes the output size that you worked out in
# 12.1, for both axes. A **dilation** of 2 spreads the kernel out, so that it looks at every second pixel.
#
# ```
# >>> row = np.arange(6, dtype=np.float32)             # 4 bytes from each entry to the next
# >>> as_strided(row, shape=(3, 4), strides=(4, 4))    # entry (i, x) is row[i + x]
# array([[0., 1., 2., 3.],
#        [1., 2., 3., 4.],
#        [2., 3., 4., 5.]], dtype=float32)
# ```

# %% exercise="12.2" minutes=25 points=3
#| export
def windows(x, kernel_size, stride=(1, 1), dilation=(1, 1)):
    """Return a view of all the windows that a kernel visits in some pictures, without a copy.

    Args:
        x: Array of shape (N, C, H, W), with any strides.
        kernel_size: Pair (KH, KW).
        stride: Pair: the distance from one window to the next, down and across.
        dilation: Pair: the distance from one entry of a window to the next, down and across.

    Returns:
        Writable view of ``x``, of shape (N, C, KH, KW, H', W'), where (H', W') is
        ``places((H, W), kernel_size, stride, dilation)``. Entry
        ``[n, c, i, j, y, x]`` is the entry of picture n, channel c, at row
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
    ### BEGIN SOLUTION
    down, across = x.strides[2:]
    steps = (dilation[0] * down, dilation[1] * across, stride[0] * down, stride[1] * across)
    shape = (*kernel_size, *places(x.shape[2:], kernel_size, stride, dilation))
    return as_strided(x, (*x.shape[:2], *shape), (*x.strides[:2], *steps))
    ### END SOLUTION

# %% check="12.2"
check("12.2")

# %% [markdown] hint="12.2"
# The first two axes keep their sizes and strides. The other four come from the last two: for each of the four, by how many rows
# or columns of the picture does one step along that axis move you?

# %% [markdown] hint="12.2"
# `x.strides[2]` is the number of bytes from one row to the next. One step along `y` moves `stride[0]` rows, one step along `i` moves
# `dilation[0]` rows. The same holds with columns for `x` and `j`.

# %% [markdown] hint="12.2"
# `as_strided(x, shape, strides)` takes six numbers each: (N, C, KH, KW, H', W'), and the bytes for one step along each of them.

# %% [markdown]
# ## Convolution is a matrix product
#
# Write every window as a column of a matrix, and every kernel as a row. A feature map is then a row times this matrix, and six
# feature maps are six rows times it, a matrix times a matrix: exactly what BLAS is fast at. Laying out the columns is called
# **unfold**, as in PyTorch. It takes KH · KW times the memory of the picture; this is the copy that the view postponed.
#
# A picture has **channels**: three for colours, or one for each kernel of the layer before. A kernel looks at all of them, so it
# has shape (C, KH, KW), and a column has C · KH · KW entries.

# %%
#| export
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

# %% [markdown]
# The columns of a whole batch do not fit into the processor's cache, and moving them through main memory takes longer than computing
# with them. So work in **slabs** of a few pictures: `slabs(N, size)`, given, yields slices of the batch; `size` is the number of
# entries in one picture's columns. Without slabs you get the same numbers, only more slowly.
#
# With **groups**, kernels see only some of the channels: with two groups, the first half of the kernels sees the first half of the
# channels. A product of stacks of matrices does all groups at once: `(groups, O/groups, k) @ (n, groups, k, L)`, with k entries
# in a kernel, L windows in a picture and n pictures in a slab.
#
# A kernel may have a bias, like a neuron. It is added to the whole map: `column(bias)`, given, turns (O,) into (O, 1, 1).

# %% exercise="12.3" minutes=25 points=4
#| export
@op
def convolution(x, weight, bias=None, *, stride, padding, dilation, groups):
    """Slide kernels over the pictures of a batch.

    Args:
        x: Array of shape (N, C, H, W).
        weight: Array of shape (O, C / groups, KH, KW): O kernels.
        bias: Array of shape (O,), or None for no bias.
        stride, padding, dilation: Pairs, for height and width; the padding is a border of zeros,
            the same above and below, and the same left and right.
        groups: Number of groups into which channels and kernels are divided, in order.

    Returns:
        Array of shape (N, O, H', W'). Entry ``[n, o, y, x]`` is the sum over c, i and j of
        ``weight[o, c, i, j]`` times the entry of the padded picture n in channel c of kernel o's
        group, at row ``y * stride[0] + i * dilation[0]`` and column
        ``x * stride[1] + j * dilation[1]``; plus ``bias[o]``.

    Example:
        >>> x, weight = np.arange(9.0).reshape(1, 1, 3, 3), np.array([[[[1.0, 0.0], [0.0, 10.0]]]])
        >>> settings = dict(stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1)
        >>> convolution.forward(x, weight, **settings)
        array([[[[40., 51.],
                 [73., 84.]]]])

    Source:
        Chellapilla, Puri and Simard, High performance convolutional neural networks, 2006.
    """
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% check="12.3"
check("12.3")

# %% [markdown] hint="12.3"
# Start with one group and without slabs: unfold `x` with the kernel's size; turn every kernel into a row, `(O, C * KH * KW)`;
# multiply; reshape the result to four axes. `@` multiplies each matrix of a stack.

# %% [markdown] hint="12.3"
# `places` returns H' and W'; it takes the padding too. The kernels of one group are next to each other in `weight`, and its
# channels in the columns, so a `reshape` with one more axis, `groups`, separates the groups.

# %% [markdown] hint="12.3"
# With slabs: `out = np.empty(...)` for the whole batch; in the loop, unfold `x[slab]` and write the product to `out[slab]`.

# %%
layer = dict(stride=(1, 1), padding=(2, 2), dilation=(1, 1), groups=1)
batch = draw_digits(256)[0]
begin = time.perf_counter()
maps = convolution.forward(batch, kernels, **layer)
seconds = (time.perf_counter() - begin) / len(batch)
print(f"one picture {1e6 * seconds:.0f} us: {seconds_by_loops / seconds:,.0f} times as fast")

# %% [markdown] question="12.1"
# Both versions multiply and add the same 117,600 pairs of numbers for a picture. Where did the loops spend their time? So what would
# you look at first in a program of your own that is too slow?

# %% [markdown]
# ## The gradient of the kernels
#
# A kernel's entry is multiplied by one pixel of every window, and the product goes into that window's answer. So the gradient of
# the entry is the sum, over all windows of all pictures, of that pixel times the gradient of the answer ($s$ is the stride, $d$
# the dilation):
#
# $$\frac{\partial\,\text{loss}}{\partial K_{o,c,i,j}} = \sum_n \sum_y \sum_x G_{n,o,y,x}\; X_{n,c,\;y s + i d,\;x s + j d}$$
#
# These are matrix products again, with the columns of `unfold`: which axis has to be summed away?

# %% exercise="12.4" minutes=15 points=3
#| export
@op
def conv2d_weight(x, grad, *, weight_size, stride, padding, dilation, groups):
    """Turn the gradient of a convolution into that of its kernels.

    Args:
        x: Array of shape (N, C, H, W), the pictures.
        grad: Array of shape (N, O, H', W'), the gradient of the convolution's result.
        weight_size: Shape (O, C / groups, KH, KW) of the kernels.
        stride, padding, dilation, groups: The settings of the convolution.

    Returns:
        Array of shape ``weight_size``. Entry ``[o, c, i, j]`` is the sum over n, y and x of
        ``grad[n, o, y, x]`` times the entry of the padded picture that kernel o's entry
        ``[c, i, j]`` was multiplied by at place (y, x).

    Example:
        >>> x, grad = np.arange(4.0).reshape(1, 1, 2, 2), np.array([[[[1.0], [10.0]]]])
        >>> settings = dict(stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1)
        >>> conv2d_weight.forward(x, grad, weight_size=(1, 1, 1, 2), **settings)
        array([[[[20., 31.]]]])

    Source:
        Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, section 4.
    """
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% check="12.4"
check("12.4")

# %% [markdown] hint="12.4"
# Write down three shapes: grad as (O, L), the columns as (k, L), the answer as (O, k). That is exercise 05.2 again.

# %% [markdown] hint="12.4"
# Each picture gives such a product. All pictures use the same kernels, so add the products up. Separate the groups as in 12.3.

# %% [markdown]
# ## The gradient of the pictures
#
# A pixel is in several windows, in up to 25 for a kernel of 5 by 5. Its gradient is the sum of the gradients that come back from
# them: exercise 05.4, for windows. The reverse of `unfold` is called `fold`: each entry of a column goes back to the pixel it was
# copied from, and is added to what has arrived there. If you unfold ones and fold the result, every pixel holds the number of
# windows it is in.
#
# Your `windows` helps here too. It shows the windows of an array of zeros, and because it is a view, adding to
# `windows(zeros, ...)[:, :, i, j]` adds to the array. For one pair (i, j) no pixel occurs twice; for all pairs at once, many do.

# %% exercise="12.5" minutes=20 points=3
#| export
@op
def fold(columns, *, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Send every entry of a column back to its pixel, and add up the entries at each pixel.

    Args:
        columns: Array of shape (N, C * KH * KW, L), as `unfold` returns it.
        output_size: Pair (H, W), the size of the pictures that were unfolded.
        kernel_size, dilation, padding, stride: The settings of `unfold`: a number or a pair each.

    Returns:
        Array of shape (N, C, H, W). Every entry is the sum of all entries of ``columns`` to which
        `unfold`, with the same settings, copies the pixel at that place. Entries that belong to the
        border are dropped.

    Example:
        >>> columns = unfold.forward(np.ones((1, 1, 3, 3)), kernel_size=2)
        >>> fold.forward(columns, output_size=3, kernel_size=2)
        array([[[[1., 2., 1.],
                 [2., 4., 2.],
                 [1., 2., 1.]]]])

    Source:
        PyTorch documentation, "Fold", section "torch.nn".
    """
    ### BEGIN SOLUTION
    kernel_size, padding = pair(kernel_size), pair(padding)
    channels = columns.shape[1] // math.prod(kernel_size)
    size = [length + 2 * p for length, p in zip(pair(output_size), padding)]
    out = np.zeros((len(columns), channels, *size), columns.dtype)
    view = windows(out, kernel_size, pair(stride), pair(dilation))
    columns = columns.reshape(view.shape)
    for i, j in np.ndindex(kernel_size):
        view[:, :, i, j] += columns[:, :, i, j]
    return trimmed(out, padding)
    ### END SOLUTION

# %% check="12.5"
check("12.5")

# %% [markdown] hint="12.5"
# Four steps: zeros of the padded size; their windows; a loop that adds; then remove the border. `trimmed(x, padding)`, given, returns
# the picture without it.

# %% [markdown] hint="12.5"
# `columns.reshape(view.shape)` gives the columns the axes (N, C, KH, KW, H', W') of the windows. Then entry (i, j) of all windows
# is `[:, :, i, j]` in both.

# %% [markdown]
# To get the gradient of the pictures, multiply the gradients of the answers by the transposed kernels. That gives a gradient for
# every entry of every column, and `fold` sends those back to the pixels. The function that does this, `conv2d_input`, is given.
# It completes the rules: `convolution`, `conv2d_weight` and `conv2d_input` each get their gradients from the other two. So you
# can differentiate a convolution as often as you like.
#
# A bias is added at every place of its map in every picture: its gradient is the sum over a channel. After the rules come
# conveniences: settings as numbers or pairs, and errors that say what does not fit. The layer's weights start like PyTorch's: a
# convolution's fan-in is the number of entries in a kernel.

# %%
#| export
@op
def conv2d_input(weight, grad, *, input_size, stride, padding, dilation, groups):
    """Turn the gradient of a convolution into that of the pictures, of shape ``input_size``."""
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

# %%
#| export
# Shapes are compared with each other and with the settings before any kernel runs.
convolution.register_shapes(check=check_convolution)
conv2d_input.register_shapes(check=lambda weight, grad, input_size, **settings:
                             check_convolution_back(input_size, weight, grad, **settings))
conv2d_weight.register_shapes(check=lambda x, grad, weight_size, **settings:
                              check_convolution_back(x, weight_size, grad, **settings))
unfold.register_shapes("n c h w")
fold.register_shapes("n k l")
channel_sum.register_shapes("n c h w")

# %%
#| export
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
    """Convolve pictures with kernels, and add each kernel's bias, as PyTorch does.

    Args:
        input: Tensor of shape (N, C, H, W), or (C, H, W) for one picture.
        weight: Tensor of shape (O, C / groups, KH, KW).
        bias: Tensor of shape (O,), or None for none.
        stride, padding, dilation: A number, or a pair for height and width. The padding may be
            ``"valid"``, which is none, or ``"same"``, which keeps the size of the picture.
        groups: Into how many groups channels and kernels are divided.

    Returns:
        Tensor of shape (N, O, H', W'), or (O, H', W').

    Raises:
        ValueError: Something does not fit; the message says what.

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


# %%
#| export
class Conv2d(Module):
    """A layer of kernels, each looking for its pattern everywhere: PyTorch's Conv2d.

    Args:
        in_channels, out_channels: How many channels come in, and how many kernels there are.
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
        said = (f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
                f"stride={self.stride}")
        for name, usual in (("padding", (0, 0)), ("dilation", (1, 1)), ("groups", 1)):
            value = getattr(self, name)
            said += f", {name}={value}" if value != usual else ""
        return said if self.bias is not None else f"{said}, bias=False"

# %%
pictures, weight = randn(2, 4, 6, 5, rng=rng), randn(6, 2, 3, 2, rng=rng)
print(gradcheck(lambda x, w: conv2d(x, w, stride=2, padding=1, groups=2), (pictures, weight)))
for one in (Conv2d(1, 6, 5, padding=2), Linear(28 * 28, 6 * 28 * 28)):
    print(f"{sum(parameter.numel() for parameter in one.parameters()):9,} numbers: {one}")

# %% [markdown]
# ## Pooling
#
# The exact place of a stroke differs from writer to writer. **Max pooling** keeps the largest answer of every window of 2 by 2,
# so a pattern can move a little without changing the result, and the next layer has a quarter of the work and sees twice as far.
# Windows may overlap, and the picture may have a border, which must never win: it counts as $-\infty$.
#
# Your `windows` shows all entries of all windows. For speed, make one NumPy call for each entry (i, j) of the kernel, on all windows
# at once: that is many times as fast as one call that goes through small windows.

# %% exercise="12.6" minutes=10 points=2
#| export
@op
def max_pooling(x, *, kernel_size, stride, padding):
    """Take the largest entry of every window.

    Args:
        x: Array of floats of shape (N, C, H, W).
        kernel_size, stride: Pairs, for height and width.
        padding: Pair: the width of the border, which counts as minus infinity.

    Returns:
        Array of shape (N, C, H', W'). Entry ``[n, c, y, x]`` is the largest entry of picture n,
        channel c, in the KH rows that start at ``y * stride[0] - padding[0]`` and the KW columns
        that start at ``x * stride[1] - padding[1]``, or nan if one of these is nan.

    Example:
        >>> x = np.array([[[[1.0, 2.0, -5.0, -6.0], [4.0, 3.0, -8.0, -7.0]]]])
        >>> max_pooling.forward(x, kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))
        array([[[[ 4., -5.]]]])

    Source:
        Zhou and Chellappa, Computation of optical flow using a neural network, 1988.
    """
    ### BEGIN SOLUTION
    view = windows(padded(x, padding, -np.inf), kernel_size, stride)
    out = view[:, :, 0, 0].copy()
    for i, j in np.ndindex(kernel_size):
        np.maximum(out, view[:, :, i, j], out=out)
    return out
    ### END SOLUTION

# %% check="12.6"
check("12.6")

# %% [markdown] hint="12.6"
# `padded(x, padding, value)`, given, puts a border of a value around every picture. Entry (i, j) of all windows is
# `windows(...)[:, :, i, j]`; start with a copy of one of them, and keep taking the larger of two.

# %% [markdown]
# A window's gradient goes to the entry that was its maximum, and to no other: a small change of the others would not change the
# result. After a ReLU, equal maxima are common, all of them 0. PyTorch gives the gradient to the **first** of them, row by row;
# giving it to each would multiply it. Where windows overlap, an entry can win in several, and its gradients add up.

# %% exercise="12.7" minutes=20 points=3
#| export
@op
def max_pooling_backward(grad, x, *, kernel_size, stride, padding):
    """Turn the gradient of max pooling into that of its input.

    Args:
        grad: Array of shape (N, C, H', W'), the gradient of the pooled pictures.
        x: Array of shape (N, C, H, W), the pictures.
        kernel_size, stride, padding: As in `max_pooling`.

    Returns:
        Array of the shape of ``x``. Every entry is the sum of ``grad`` over the windows in which
        it is the first of the largest entries, counted row by row from the top left.

    Example:
        >>> x, grad = np.array([[[[1.0, 5.0], [5.0, 5.0]]]]), np.array([[[[3.0]]]])
        >>> max_pooling_backward.forward(grad, x, kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))
        array([[[[0., 3.],
                 [0., 0.]]]])

    Source:
        PyTorch documentation, "MaxPool2d", section "torch.nn".
    """
    ### BEGIN SOLUTION
    x = padded(finite(x), padding, -np.inf)
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
    ### END SOLUTION

# %% check="12.7"
check("12.7")

# %% [markdown] hint="12.7"
# Two loops over (i, j), one after the other. The first finds the number of every window's winner, 0 for (0, 0), 1 for (0, 1) and so
# on. The second sends the gradient there: `grad * (winner == number)` is 0 for all windows with another winner.

# %% [markdown] hint="12.7"
# In the first loop keep two arrays: the largest entry so far, and its number. Which comparison makes the first of two equal entries
# win, `>` or `>=`?

# %% [markdown] hint="12.7"
# The second loop is that of `fold`: take the windows of an array of zeros as large as the padded picture, use `+=` for each
# (i, j), and remove the border at the end. Slabs make it faster, and you may leave them out.

# %%
#| export
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
    """Return the gradient of the mean: every entry of a window gets an equal share."""
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

# %%
#| export
max_pooling.register_vjp(lambda grad, out, x, **s: max_pooling_backward(grad, x, **s))
max_pooling_backward.register_vjp(lambda grad, out, g, x, **s: max_pooling_pick(grad, x, **s), None)
max_pooling_pick.register_vjp(lambda grad, out, v, x, **s: max_pooling_backward(grad, x, **s), None)
average_pooling.register_vjp(
    lambda grad, out, x, **s: average_pooling_backward(grad, input_size=x.shape, **s))
average_pooling_backward.register_vjp(
    lambda grad, out, g, input_size, **s: average_pooling(grad, **s))

# %%
#| export
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

# %%
#| export
def pool(op, input, kernel_size, stride, padding):
    """Run the op of a pooling; a single picture (C, H, W) works too."""
    pictures = input.unsqueeze(0) if input.ndim == 3 else input
    out = op(pictures, **pooling(kernel_size, stride, padding))
    return out[0] if input.ndim == 3 else out


def max_pool2d(input, kernel_size, stride=None, padding=0):
    """Take the largest entry of every window of a tensor of pictures, as PyTorch does."""
    return pool(max_pooling, input, kernel_size, stride, padding)


def avg_pool2d(input, kernel_size, stride=None, padding=0):
    """Take the mean of every window of a tensor of pictures, as PyTorch does."""
    return pool(average_pooling, input, kernel_size, stride, padding)


class MaxPool2d(Module):
    """`max_pool2d` as a module."""

    def __init__(self, kernel_size, stride=None, padding=0):
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def forward(self, x): return max_pool2d(x, self.kernel_size, self.stride, self.padding)

    def extra_repr(self):
        """Return the settings, and those of PyTorch that are fixed here."""
        return (f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
                "dilation=1, ceil_mode=False")


class AvgPool2d(MaxPool2d):
    """`avg_pool2d` as a module."""

    def forward(self, x): return avg_pool2d(x, self.kernel_size, self.stride, self.padding)
    def extra_repr(self): return super().extra_repr().removesuffix(", dilation=1, ceil_mode=False")

# %%
shown = draw_digits(200, noise=0)[0]
shown, moved = Tensor(shown), Tensor(np.roll(shown, 1, axis=3))
for size in (28, 14, 7):
    apart = (shown - moved).abs().sum() / (shown + moved).sum()
    print(f"{size:2} by {size:2}: moved by a pixel, {1 - apart.item():.0%} stays the same")
    shown, moved = max_pool2d(shown, 2), max_pool2d(moved, 2)

# %% [markdown]
# ## Batch normalisation
#
# In module 03 you chose how large weights are at the start, so that numbers keep their size through many layers. Training then changes
# the weights, and every layer has to learn from inputs that keep changing. **Batch normalisation** measures each channel instead,
# over all pictures of a batch and all their pixels, and scales it to mean 0 and variance 1. Then each channel gets a weight and a
# bias of its own, which training can use to undo the scaling:
#
# $$\mathrm{out} = \frac{x - \mathrm{mean}_c}{\sqrt{\mathrm{var}_c + \varepsilon}} \cdot \mathrm{weight}_c + \mathrm{bias}_c$$
#
# First the formula, for a mean and a variance that you are given. An array of shape (C,) would line up with the last axis of the
# pictures, but it belongs to the second: `column(vector)`, given, turns it into (C, 1, 1).

# %% exercise="12.8" minutes=10 points=2
#| export
@op
def channel_norm(x, weight, bias, mean, var, *, eps, training):
    """Shift and scale every channel.

    Args:
        x: Array of shape (N, C, H, W).
        weight, bias, mean, var: Arrays of shape (C,).
        eps: Added to the variance, so that nothing is divided by 0.
        training: Whether mean and variance are those of ``x``; only the rules use it.

    Returns:
        Array of shape (N, C, H, W). Entry ``[n, c, y, x]`` is the difference of the input's entry
        and ``mean[c]``, divided by the square root of ``var[c] + eps``, times ``weight[c]``, plus
        ``bias[c]``.

    Example:
        >>> x, c = np.array([[[[1.0, 3.0]]]]), np.array([2.0])
        >>> channel_norm.forward(x, 10 * c, c, mean=c, var=c - 1, eps=0.0, training=False)
        array([[[[-18.,  22.]]]])

    Source:
        Ioffe and Szegedy, Batch normalization, 2015, algorithm 1.
    """
    ### BEGIN SOLUTION
    out = x - column(mean)
    out *= column(weight / np.sqrt(var + eps))
    out += column(bias)
    return out
    ### END SOLUTION

# %% check="12.8"
check("12.8")

# %% [markdown] hint="12.8"
# `column(mean)` has shape (C, 1, 1) and lines up with the second axis of (N, C, H, W). Use it for everything of shape (C,).

# %%
#| export
CHANNEL = (0, 2, 3)  # the axes that belong to one channel: pictures, rows and columns


@op
def channel_variance(x, mean):
    """Return the mean square distance of every channel's entries from its mean, of shape (C,)."""
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

# %%
#| export
def channel_norm_backward_rule(grad, out, g, x, weight, mean, var, **given):
    """Turn the gradient of `channel_norm_backward` into that of the pictures x."""
    if not given["training"]:
        return x * 0
    one, count = weight * 0 + 1, x.numel() / len(mean)
    inverse = 1 / sqrt(channel_variance(x, mean) + given["eps"])  # var, with its way back to x
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

# %% [markdown]
# The rules of `channel_norm` are given above. In training they take into account that the mean and the variance come from `x` too: an
# entry changes its own result, and, through the mean and the variance, the results of all other entries of its channel.
#
# When you use the network, you show it one picture, and the answer must not depend on other pictures. So training keeps **running
# statistics**: every batch moves them a fraction `momentum` of the way to what it measured. In evaluation they replace the
# batch's own statistics.
#
# One detail decides whether your numbers match PyTorch's. You normalise by the variance of the batch: the sum of squared
# distances from the mean, divided by `count`, the number of entries of the channel. But the running variance estimates the
# variance over all pictures. On average the variance of a batch is (count - 1) / count of that. Module 08 divided by n - 1 for
# the same reason.
#
# Given: `x.mean(CHANNEL)`, `channel_variance(x, mean)`, and `values_per_channel(x)`, which is the count. The running statistics
# are tensors; overwrite them with `copy_`.

# %% exercise="12.9" minutes=25 points=4
#| export
def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False,
               momentum=0.1, eps=1e-5):
    """Normalise every channel of a batch, as PyTorch does.

    Args:
        input: Tensor of shape (N, C, H, W).
        running_mean, running_var: Tensors of shape (C,), or None for both: then the batch's own
            statistics are always used, and none are kept.
        weight, bias: Tensors of shape (C,); None means ones for the weight and zeros for the bias.
        training: Whether to normalise by the mean and the variance of the batch and to update the
            running statistics; if not, normalise by these and leave them unchanged.
        momentum: How much a new batch counts: ``(1 - momentum) * running + momentum * measured``,
            where the measured variance is the sum of squared distances from the mean, divided by
            count - 1.
        eps: Added to the variance.

    Returns:
        Tensor of shape (N, C, H, W), by `channel_norm`.

    Example:
        >>> x, mean, var = Tensor([[[[1.0, 3.0]]], [[[5.0, 7.0]]]]), zeros(1), ones(1)
        >>> batch_norm(x, mean, var, training=True).data.round(2).reshape(4)
        array([-1.34, -0.45,  0.45,  1.34], dtype=float32)
        >>> mean, var
        (tensor([0.4]), tensor([1.5667]))

    Source:
        Ioffe and Szegedy, Batch normalization, 2015, algorithm 2.
    """
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% check="12.9"
check("12.9")

# %% [markdown] hint="12.9"
# There are two questions. Which mean and variance do you normalise by: the batch's own, or the running ones? And do you update the
# running ones, if there are any?

# %% [markdown] hint="12.9"
# `input.detach()` is the input without its graph: mean and variance need none, because with `training` the rules of `channel_norm`
# know that they come from the batch.

# %% [markdown] hint="12.9"
# `channel_variance` divides by the count. Multiply it by count / (count - 1) for the running variance, but not for normalising.

# %%
#| export
class BatchNorm2d(Module):
    """Batch normalisation with a weight and a bias for each channel: PyTorch's BatchNorm2d.

    Args:
        num_features: How many channels.
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
        """Say what was chosen."""
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
                f"affine={self.weight is not None}, "
                f"track_running_stats={self.running_mean is not None}")

# %%
normal = BatchNorm2d(1)
for number in range(3):
    out = normal(Tensor(draw_digits(64)[0]))
    print(f"batch {number}: mean {out.mean().item():.3f}, kept {normal.running_mean.item():.3f}")
print(f"evaluation: mean {normal.eval()(Tensor(draw_digits(64)[0])).mean().item():.3f}")

# %% [markdown] question="12.2"
# The mean of these pictures is about 0.12, yet the running mean after three batches is a fraction of that, and evaluation subtracts
# only that much. Why? After how many batches would you trust it? And what happens if you forget `eval()` and show the network one
# picture at a time?

# %% [markdown]
# ## LeNet-5
#
# You have all the parts. LeNet-5 looks for patterns twice, forgets their exact places each time, and lets an MLP decide:
#
# | layer | turns (N, 1, 28, 28) into |
# |---|---|
# | convolution: 6 kernels of 5 by 5, `padding` around the picture | (N, 6, 28, 28) |
# | pooling 2 by 2, activation | (N, 6, 14, 14) |
# | convolution: 16 kernels of 5 by 5 | (N, 16, 10, 10) |
# | pooling 2 by 2, activation; flattened | (N, 400) |
# | linear, activation; linear, activation; linear | (N, 120), (N, 84), (N, classes) |
#
# Today's networks use ReLU and max pooling where LeNet-5 used tanh and means; yours takes either. Taking the maximum before or after a
# ReLU gives the same numbers; pooling first leaves ReLU a quarter of the work. Write the sequence of layers.

# %% exercise="12.10" minutes=15 points=2
#| export
class LeNet5(Sequential):
    """The network that read cheques, for pictures of 28 by 28, or of 32 by 32 without padding.

    Args:
        in_channels: How many channels a picture has.
        classes: How many scores come out.
        padding: The border of the first convolution; 2 turns 28 pixels into 32.
        activation, pool: Classes of modules: ``activation()`` and ``pool(2)`` make new ones.
        rng: Generator for every layer that draws weights, in order; None for the default one.

    It is one flat sequence of modules: convolution, pooling and activation, twice; `Flatten`; three
    linear layers with an activation after each but the last. The table above has the sizes.

    Example:
        >>> sum(parameter.numel() for parameter in LeNet5().parameters())
        61706

    Source:
        LeCun et al., Gradient-based learning applied to document recognition, 1998, section II.B.
    """

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

# %% [markdown] hint="12.10"
# `super().__init__(...)` is the constructor of `Sequential`, which takes the layers one after another. The first linear layer gets all
# numbers of the last pooling: 16 maps of 5 by 5.

# %%
#| export
class ConvNet(Sequential):
    """Stages of 3 by 3 convolution, batch normalisation, pooling and ReLU; a linear layer decides.

    The convolutions have no bias: the normalisation would subtract it again.

    Args:
        in_channels, classes: How many channels a picture has, and how many scores come out.
        widths: Number of kernels in each stage.
        size: Height and width of the pictures; every stage halves it.
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

# %% [markdown]
# ## Digits in new places
#
# Now test the promise from the beginning. An MLP and LeNet-5 learn from digits up to four pixels off centre, and are then shown
# digits up to six pixels off.

# %%
def learned(network):
    near = DataLoader(TensorDataset(*draw_digits(3000, reach=4)), batch_size=50, shuffle=True)
    optimizer = Adam(network.parameters(), lr=0.005)
    for _ in range(4):
        train_epoch(network, near, cross_entropy, optimizer)
    return network

# %%
mlp = learned(Sequential(Flatten(), Linear(784, 80), ReLU(), Linear(80, 10)))
lenet = learned(LeNet5())
for reach in (4, 5, 6):
    far = DataLoader(TensorDataset(*draw_digits(500, reach)), batch_size=100)
    shares = [evaluate(one, far, cross_entropy).accuracy for one in (mlp, lenet)]
    print("up to {} pixels off: MLP {:.0%}, LeNet-5 {:.0%}".format(reach, *shares))

# %%
stages = {"first": lenet[:3], "second": lenet[:6]}
shown = Tensor(clean[None, None])
feature_maps(255 * clean, {name: stage(shown).data[0] for name, stage in stages.items()})

# %% [markdown] question="12.3"
# The MLP has 63,610 parameters, LeNet-5 has 61,706. So where does the difference between them come from, if not from their size? And
# why does LeNet-5 also get worse when digits are far off?

# %% [markdown]
# The picture shows what the six kernels of the first layer, learned from labels alone, see in a 4, and under that what the
# sixteen of the second layer see. Save the notebook, then run
#
# ```
# tito module complete 12
# ```
#
# Two milestones use it: `tito milestone run lenet5`, on handwritten digits, and `tito milestone run cifar10-cnn`.
