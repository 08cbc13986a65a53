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
# To the first layer of an MLP, an image is a list of numbers. If you shuffle the pixels of all images in the same way, the MLP learns
# as well as before. It has no notion of which pixels are neighbours, and what it learns about the upper left corner does not help it
# anywhere else. In this module you write layers that do better: **convolution**, which looks for the same small pattern
# everywhere, and **pooling**, which discards the pattern's exact place. They are ops like those of module 01, with rules like those
# of module 05. At the end you build LeNet-5, the network that read the digits on bank cheques in 1998.
#
# The examples are the digits of module 08, but larger, each at a random place in an image of 28 by 28 pixels.

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
    """Return float32 images (count, 1, 28, 28), up to `reach` pixels off centre, and labels."""
    labels = rng.integers(0, 10, count)
    images = rng.normal(0, noise, (count, 1, 28, 28)).astype(np.float32)
    for image, label in zip(images, labels):
        down, right = rng.integers(-reach, reach + 1, 2) + (6, 9)
        image[0, down:down + 15, right:right + 9] += glyphs[label]
    return images, labels

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
# A neuron of module 03 is a template as large as the image. Take a template of 5 by 5 pixels instead. It is called a **kernel**,
# like the functions of modules 10 and 11, but has nothing to do with them. At every place in the image, compute how much the 5 by 5
# pixels there look like the kernel. The outputs form a new image, a **feature map**:
#
# $$\mathrm{out}_{y,x} = \sum_i \sum_j \mathrm{image}_{y s + i,\; x s + j}\,\cdot\,\mathrm{kernel}_{i,j}$$
#
# The **stride** $s$ is how far the kernel moves from one place to the next. In mathematics, a convolution flips the kernel first.
# Networks skip that, because the kernel is learned anyway. Write the convolution with loops first; you will measure what loops cost.
#
# The image and the kernel need not be square. Ignore pixels at the right and at the bottom where no whole window fits. How many
# places are there for a kernel of 3 rows in an image of 8 rows, with stride 2?

# %% exercise="12.1" minutes=15 points=2
#| export
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
# Four loops: over the rows and columns of the output, and, for each of its entries, over the rows and columns of the kernel.
# `np.ndindex(shape)` gives all pairs of indices in one loop.

# %%
left = np.repeat([[-1, 0, 1]], 3, axis=0)
clean = np.pad(glyphs[4], ((6, 7), (9, 10)))
figure, axes = plt.subplots(1, 3, figsize=(6, 2))
for axis, image in zip(axes, [clean, convolve(clean, left), convolve(clean, left.T)]):
    axis.imshow(image, cmap="gray")

# %%
kernels = rng.standard_normal((6, 1, 5, 5), np.float32)     # as many as in LeNet-5's first layer
begin = time.perf_counter()
maps = [convolve(np.pad(images[0, 0], 2), kernel[0]) for kernel in kernels]
seconds_by_loops = time.perf_counter() - begin
print(f"{1e3 * seconds_by_loops:.0f} ms an image, {1e3 * seconds_by_loops:.0f} min for 60,000")

# %% [markdown]
# ## All windows at once, without a copy
#
# Two kernels, written by hand, find two kinds of edges anywhere in the image. But the last line shows how long loops would take for
# one forward pass of LeNet-5's first layer over the 60,000 MNIST training images. The version that you write next takes less than a
# thousandth of that time.
#
# An array is a block of memory and a way to walk through it: its **strides** are the number of bytes to the next row and to the next
# column. With other strides, NumPy reads the same memory differently. So you can get all windows of an image as a view. With stride 1,
# a step to the next window and a step to the next pixel within a window both move one pixel through the memory.
#
# `as_strided(x, shape, strides)` checks nothing: with a wrong shape, it shows memory outside the array. So work out the shape first.
# `places`, given in `tinytorch/given/image_sizes.py`, computes the output size that you worked out in 12.1, for both axes. A
# **dilation** of 2 spreads the kernel out, so that it looks at every second pixel.
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
    ### BEGIN SOLUTION
    down, across = x.strides[2:]
    steps = (dilation[0] * down, dilation[1] * across, stride[0] * down, stride[1] * across)
    shape = (*kernel_size, *places(x.shape[2:], kernel_size, stride, dilation))
    return as_strided(x, (*x.shape[:2], *shape), (*x.strides[:2], *steps))
    ### END SOLUTION

# %% check="12.2"
check("12.2")

# %% [markdown] hint="12.2"
# The first two axes keep their sizes and strides. The other four come from the last two axes of `x`. For each of these four, how
# many rows or columns of the image do you move with one step along the axis?

# %% [markdown] hint="12.2"
# `x.strides[2]` is the number of bytes from one row to the next. One step along `y` moves `stride[0]` rows, and one step along `i`
# moves `dilation[0]` rows. The same is true of columns, with `x` and `j`.

# %% [markdown] hint="12.2"
# In `as_strided(x, shape, strides)`, both tuples have six numbers: the sizes (N, C, KH, KW, H', W'), and the bytes for one step along
# each of these axes.

# %% [markdown]
# ## Convolution is a matrix product
#
# Write every window as a column of a matrix, and every kernel as a row. Then a feature map is a row times this matrix, and six
# feature maps are six rows times the matrix. That is a matrix product, and BLAS computes it fast. Laying out the columns is called
# **unfold**, as in PyTorch. With stride 1 it takes about KH · KW times the memory of the image, because it copies what the view
# did not.
#
# An image has **channels**: three for colours, or one for each kernel of the layer before. A kernel looks at all channels, so it
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
# with them. So work in **slabs** of a few images. The given function `slabs(N, size)` yields slices of the batch, where `size` is the
# number of entries in one image's columns. Without slabs you get the same numbers, only more slowly.
#
# With **groups**, each kernel sees only some of the channels. With two groups, for example, the first half of the kernels sees the
# first half of the channels, and the second half sees the rest. A product of stacks of matrices handles all groups at once:
# `(groups, O/groups, k) @ (n, groups, k, L)`, with k entries in a kernel, L windows in an image and n images in a slab.
#
# A kernel may have a bias, like a neuron. The bias is added to the whole feature map. The given function `column(bias)` turns (O,)
# into (O, 1, 1).

# %% exercise="12.3" minutes=25 points=4
#| export
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
# Start with one group and without slabs. Unfold `x` with the kernel's size, turn every kernel into a row, `(O, C * KH * KW)`,
# multiply, and reshape the result to four axes. `@` multiplies each matrix of a stack.

# %% [markdown] hint="12.3"
# `places` returns H' and W'; it takes the padding too. A group's kernels are adjacent in `weight`, and its channels are adjacent in
# the columns, so one `reshape` that adds a `groups` axis separates the groups.

# %% [markdown] hint="12.3"
# With slabs, make `out = np.empty(...)` for the whole batch. In the loop, unfold `x[slab]` and write the product to `out[slab]`.

# %%
layer = dict(stride=(1, 1), padding=(2, 2), dilation=(1, 1), groups=1)
batch = draw_digits(256)[0]
begin = time.perf_counter()
maps = convolution.forward(batch, kernels, **layer)
seconds = (time.perf_counter() - begin) / len(batch)
print(f"{1e6 * seconds:.0f} us an image, {seconds_by_loops / seconds:,.0f} times as fast as loops")

# %% [markdown] question="12.1"
# Both versions multiply and add the same 117,600 pairs of numbers for an image. Where did the loops spend their time? So where would
# you look first if a program of your own is too slow?

# %% [markdown]
# ## The gradient of the kernels
#
# Each entry of a kernel is multiplied by one pixel of every window, and the product is part of that window's output. So the gradient
# of the entry is the sum, over all windows of all images, of that pixel times the gradient of the output. With stride $s$ and
# dilation $d$:
#
# $$\frac{\partial\,\text{loss}}{\partial K_{o,c,i,j}} = \sum_n \sum_y \sum_x G_{n,o,y,x}\; X_{n,c,\;y s + i d,\;x s + j d}$$
#
# These are matrix products again, with the columns of `unfold`. Which axis has to be summed away?

# %% exercise="12.4" minutes=15 points=3
#| export
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
# Write down three shapes: grad as (O, L), the columns as (k, L), the result as (O, k). That is exercise 05.2 again.

# %% [markdown] hint="12.4"
# Each image gives one such product. All images use the same kernels, so add the products up. Separate the groups as in 12.3.

# %% [markdown]
# ## The gradient of the images
#
# A pixel is in several windows: in up to 25 for a kernel of 5 by 5. Its gradient is the sum of the gradients that come back from
# these windows, as in exercise 05.4. The reverse of `unfold` is called `fold`. It adds each entry of a column to the pixel that the
# entry was copied from. If you unfold ones and fold the result, every pixel holds the number of windows it is in.
#
# Your `windows` helps here too. Make an array of zeros and a view of its windows. Adding to `windows(zeros, ...)[:, :, i, j]`
# then adds to the array itself. For one pair (i, j), no pixel occurs twice; for all pairs at once, many pixels do.

# %% exercise="12.5" minutes=20 points=3
#| export
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
# Four steps: make zeros of the padded size, take their windows, add in a loop, and remove the border. The given function
# `trimmed(x, padding)` returns the image without its border.

# %% [markdown] hint="12.5"
# `columns.reshape(view.shape)` gives the columns the axes (N, C, KH, KW, H', W') of the windows. Then entry (i, j) of all windows
# is `[:, :, i, j]` in both.

# %% [markdown]
# To get the gradient of the images, multiply the gradient of the output by the transposed kernels. That gives a gradient for every
# entry of every column, and `fold` sends those back to the pixels. The function `conv2d_input`, which does this, is given. With it
# the rules are complete: `convolution`, `conv2d_weight` and `conv2d_input` each get their gradients from the other two. So you can
# differentiate a convolution as often as you like.
#
# A bias is added at every place of its feature map in every image, so its gradient is the sum over a channel. After the rules comes
# `conv2d`, which accepts settings as numbers or pairs and raises an error if sizes do not fit. The layer's weights start like
# PyTorch's: a convolution's fan-in is the number of entries in a kernel.

# %%
#| export
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


# %%
#| export
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

# %%
x, weight = randn(2, 4, 6, 5, rng=rng), randn(6, 2, 3, 2, rng=rng)
print(gradcheck(lambda x, w: conv2d(x, w, stride=2, padding=1, groups=2), (x, weight)))
for module in (Conv2d(1, 6, 5, padding=2), Linear(28 * 28, 6 * 28 * 28)):
    print(f"{sum(parameter.numel() for parameter in module.parameters()):9,} numbers: {module}")

# %% [markdown]
# ## Pooling
#
# The exact place of a stroke differs from writer to writer. **Max pooling** keeps the largest value of every window of 2 by 2. So a
# pattern can move a little without changing the result, and the next layer has a quarter of the work and sees twice as far.
# Windows may overlap. The image may have a border, which must never be the maximum, so it counts as $-\infty$.
#
# Your `windows` gives you all entries of all windows. For speed, make one NumPy call for each entry (i, j) of the kernel, on all
# windows at once. That is many times faster than one call that goes through small windows.

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
# The given function `padded(x, padding, value)` puts a border of that value around every image. Entry (i, j) of all windows is
# `windows(...)[:, :, i, j]`. Start with a copy of one such array, and take the maximum with each of the others in turn.

# %% [markdown]
# A window's gradient goes only to the entry that was its maximum, because a small change of the other entries would not change the
# result. After a ReLU, equal maxima are common, all of them 0. PyTorch gives the gradient to the **first** maximum, row by row;
# giving it to every maximum would multiply it. If windows overlap, an entry can be the maximum of several, and its gradients add up.

# %% exercise="12.7" minutes=20 points=3
#| export
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
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% check="12.7"
check("12.7")

# %% [markdown] hint="12.7"
# Two loops over (i, j), one after the other. The first finds the number of every window's winner: 0 for (0, 0), 1 for (0, 1) and so
# on. The second sends the gradient to the winner: `grad * (winner == number)` is 0 for all windows with another winner.

# %% [markdown] hint="12.7"
# In the first loop, keep two arrays: the largest entry so far, and its number. Which comparison makes the first of two equal entries
# win, `>` or `>=`?

# %% [markdown] hint="12.7"
# The second loop is like the one in `fold`: take the windows of an array of zeros as large as the padded image, use `+=` for each
# (i, j), and remove the border at the end. Slabs make this faster, but you may leave them out.

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

# %%
digits = draw_digits(200, noise=0)[0]
digits, moved = Tensor(digits), Tensor(np.roll(digits, 1, axis=3))
for size in (28, 14, 7):
    change = (digits - moved).abs().sum() / (digits + moved).sum()
    print(f"{size:2} by {size:2}: moved by a pixel, {1 - change.item():.0%} stays the same")
    digits, moved = max_pool2d(digits, 2), max_pool2d(moved, 2)

# %% [markdown]
# ## Batch normalisation
#
# In module 03 you chose how large weights are at the start, so that numbers keep their size through many layers. Training then changes
# the weights, and every layer has to learn from inputs that keep changing. **Batch normalisation** computes the mean and variance of
# each channel, over all images of a batch and all their pixels, and scales the channel to mean 0 and variance 1. Then each channel
# gets a weight and a bias of its own, which training can use to undo the scaling:
#
# $$\mathrm{out} = \frac{x - \mathrm{mean}_c}{\sqrt{\mathrm{var}_c + \varepsilon}} \cdot \mathrm{weight}_c + \mathrm{bias}_c$$
#
# First write the formula, with the mean and the variance as arguments. An array of shape (C,) would line up with the last axis of the
# images, but it belongs to the second. The given function `column(vector)` turns it into (C, 1, 1).

# %% exercise="12.8" minutes=10 points=2
#| export
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

# %%
#| export
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

# %% [markdown]
# The rules of `channel_norm` are given above. In training they take into account that the mean and the variance come from `x` too. An
# entry changes its own result and, through the mean and the variance, the results of all other entries of its channel.
#
# When you use the network on one image, the result must not depend on other images. So training keeps **running statistics**: every
# batch moves them a fraction `momentum` of the way to the batch's own mean and variance. In evaluation, the running statistics
# replace those of the batch.
#
# One detail decides whether your numbers match PyTorch's. You normalise by the variance of the batch: the sum of squared
# distances from the mean, divided by `count`, the number of entries of the channel. But the running variance estimates the variance
# over all images, and the batch's variance is too small for that: on average, by a factor of (count - 1) / count. So the running
# variance gets count / (count - 1) times the batch's variance. Module 08 divided by n - 1 for the same reason.
#
# Use `x.mean(CHANNEL)`, the given `channel_variance(x, mean)`, and the given `values_per_channel(x)`, which is the count. The
# running statistics are tensors; overwrite them with `copy_`.

# %% exercise="12.9" minutes=25 points=4
#| export
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
# There are two questions. Do you normalise by the batch's own mean and variance, or by the running ones? And do you update the
# running ones, if there are any?

# %% [markdown] hint="12.9"
# `input.detach()` is the input without its graph. The mean and the variance need no graph: with `training=True`, the rules of
# `channel_norm` already account for where they come from.

# %% [markdown] hint="12.9"
# `channel_variance` divides by the count. Multiply its result by count / (count - 1) for the running variance, but not for
# normalising.

# %%
#| export
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

# %%
normal = BatchNorm2d(1)
for number in range(3):
    out = normal(Tensor(draw_digits(64)[0]))
    print(f"batch {number}: mean {out.mean().item():.3f}, kept {normal.running_mean.item():.3f}")
print(f"evaluation: mean {normal.eval()(Tensor(draw_digits(64)[0])).mean().item():.3f}")

# %% [markdown] question="12.2"
# The mean of these images is about 0.12. Yet the running mean after three batches is only a fraction of that, and evaluation
# subtracts this small number. Why is it so small? After how many batches would you trust it? And what happens if you forget `eval()`
# and give the network one image at a time?

# %% [markdown]
# ## LeNet-5
#
# You have all the parts. LeNet-5 looks for patterns twice, discards their exact places each time, and ends with an MLP:
#
# | layer | turns (N, 1, 28, 28) into |
# |---|---|
# | convolution: 6 kernels of 5 by 5, `padding` around the image | (N, 6, 28, 28) |
# | pooling 2 by 2, activation | (N, 6, 14, 14) |
# | convolution: 16 kernels of 5 by 5 | (N, 16, 10, 10) |
# | pooling 2 by 2, activation; flattened | (N, 400) |
# | linear, activation; linear, activation; linear | (N, 120), (N, 84), (N, classes) |
#
# Today's networks use ReLU and max pooling. LeNet-5 used tanh and means; your class accepts either. Taking the maximum before or
# after a ReLU gives the same numbers, but if you pool first, ReLU has a quarter of the work. Write the sequence of layers.

# %% exercise="12.10" minutes=15 points=2
#| export
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
# outputs of the last pooling: 16 feature maps of 5 by 5.

# %%
#| export
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

# %% [markdown]
# ## Digits in new places
#
# Now test the claim from the beginning of this module. An MLP and LeNet-5 train on digits up to four pixels off centre. Then you
# test them on digits up to six pixels off.

# %%
def trained(network):
    near = DataLoader(TensorDataset(*draw_digits(3000, reach=4)), batch_size=50, shuffle=True)
    optimizer = Adam(network.parameters(), lr=0.005)
    for _ in range(4):
        train_epoch(network, near, cross_entropy, optimizer)
    return network

# %%
mlp = trained(Sequential(Flatten(), Linear(784, 80), ReLU(), Linear(80, 10)))
lenet = trained(LeNet5())
for reach in (4, 5, 6):
    far = DataLoader(TensorDataset(*draw_digits(500, reach)), batch_size=100)
    accuracies = [evaluate(network, far, cross_entropy).accuracy for network in (mlp, lenet)]
    print("up to {} pixels off: MLP {:.0%}, LeNet-5 {:.0%}".format(reach, *accuracies))

# %%
stages = {"first": lenet[:3], "second": lenet[:6]}
four = Tensor(clean[None, None])
feature_maps(255 * clean, {name: stage(four).data[0] for name, stage in stages.items()})

# %% [markdown] question="12.3"
# The MLP has 63,610 parameters and LeNet-5 has 61,706. So where does the difference in accuracy come from, if not from their size?
# And why does LeNet-5 also get worse when digits are far off centre?

# %% [markdown]
# The figure above shows what the six kernels of the first layer find in a 4 and, below that, what the sixteen kernels of the
# second layer find. Nobody designed these kernels; the network learned them. Save the notebook, then run
#
# ```
# tito module complete 12
# ```
#
# Two milestones use this module: `tito milestone run lenet5`, on handwritten digits, and `tito milestone run cifar10-cnn`.
