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
# # Tensor
#
# Every number in a neural network is in a tensor: the pixels that go in, the weights that are learned, the gradients that change them. In
# this module you write the operations on tensors, and the one function that runs them all. Every later module builds on what you
# write here, and so does the network that reads handwritten digits in module 04.
#
# You write functions on NumPy arrays. The module ends with a class that wraps them, so that `a + b` and `x @ w` call your code. That
# class is **given**: the course supplies it, and you don't have to write it. Most modules mix exercises and given code.
#
# ## Arrays and their shapes
#
# A NumPy array is a block of memory and a **shape**, which tells NumPy how to read it. A batch of two tiny grey images, three pixels
# high and four wide, has shape `(2, 3, 4)`: image, row, column. The first axis is the batch, here and in every module.

# %%
from tito import notebook
check = notebook("01")

import matplotlib.pyplot as plt
import numpy as np
rng = np.random.default_rng(0)

# %%
images = rng.random((2, 3, 4), dtype=np.float32)
print(images.shape, images.dtype, images.nbytes, "bytes")
figure, axes = plt.subplots(1, 2, figsize=(5, 2))
for axis, image in zip(axes, images):
    axis.imshow(image, cmap="gray", vmin=0, vmax=1)

# %% [markdown]
# That is four bytes per number. This framework computes in **float32** and converts Python floats to it. float64 costs twice the
# memory and, on a CPU, about twice the time, and a network rarely learns any better with it. Integer labels stay integers.
#
# ## Broadcasting
#
# To make every image brighter, you add one number to all 24 pixels. To correct each column, you add four numbers to each of the
# six rows. NumPy stretches the smaller array without copying it. The rule reads both shapes **from the right**: two sizes fit
# when they are equal or one of them is 1, and missing sizes on the left count as 1.

# %%
per_column = np.array([0.0, 0.1, 0.2, 0.3], np.float32)   # (4,) against (2, 3, 4)
per_row = np.array([[0.0], [0.5], [1.0]], np.float32)     # (3, 1) against (2, 3, 4)
print((images + per_column).shape, (images + per_row).shape)
figure, axes = plt.subplots(1, 3, figsize=(7, 2))
shown = {"per column (4,)": per_column[None, :], "per row (3, 1)": per_row,
         "their sum (3, 4)": per_column + per_row}
for axis, (title, values) in zip(axes, shown.items()):
    axis.imshow(np.broadcast_to(values, (3, 4)), cmap="gray", vmin=0, vmax=1.3)
    axis.set_title(title)

# %% [markdown]
# Many shape errors come from this rule. If you can work it out by hand, you understand those errors at a glance. So write it once,
# without NumPy's help.

# %% exercise="01.1" minutes=15 points=2
#| export
def broadcast_shape(a, b):
    """Return the shape that two shapes broadcast to.

    Both shapes are read from the right; a missing size counts as 1. Two sizes fit when they are
    equal, or when one of them is 1. Then the result has the other size.

    Args:
        a: Tuple of ints, the first shape.
        b: Tuple of ints, the second shape.

    Returns:
        Tuple of ints, as long as the longer of the two.

    Raises:
        ValueError: Two sizes do not fit. The message contains both shapes.

    Example:
        >>> broadcast_shape((2, 3, 4), (3, 1))
        (2, 3, 4)
        >>> broadcast_shape((5, 1), (7,))
        (5, 7)

    Source:
        NumPy user guide, "Broadcasting".
    """
    ### BEGIN SOLUTION
    ndim = max(len(a), len(b))
    left, right = (1,) * (ndim - len(a)) + tuple(a), (1,) * (ndim - len(b)) + tuple(b)
    for m, n in zip(left, right):
        if m != n and 1 not in (m, n):
            raise ValueError(f"shapes {a} and {b} do not broadcast: {m} against {n}")
    return tuple(n if m == 1 else m for m, n in zip(left, right))
    ### END SOLUTION

# %% check="01.1"
check("01.1")

# %% [markdown] hint="01.1"
# Two shapes of different length are awkward to compare. Make them the same length first: which number can you put in front of the shorter
# one without changing the result?

# %% [markdown] hint="01.1"
# For one pair of sizes there are three cases: equal, one of them is 1, neither. Beware of `max`: an empty axis has size 0, and
# 0 against 1 gives 0.

# %% [markdown] hint="01.1"
# Build two tuples of the same length and go through both with `zip`. Raise an error for a pair that does not fit. From every other
# pair, take the size that is not 1.

# %% [markdown]
# ## An operation that can grow
#
# The framework needs more from an addition than its result. Module 05 adds a gradient, module 10 a faster version (a **kernel**), and
# module 11 a kernel for the GPU. None of them changes this file. So a function on arrays is wrapped in an **op**: a small object
# that starts with your function as its `forward` and lets later modules register the rest. The class `Op` is given, in
# `tinytorch/given/op.py`. Have a look. PyTorch's `torch.library` works the same way.

# %%
#| export
"""Tensors, the operations on them, and `apply`, through which every operation runs."""
import numpy as np

from tinytorch.given.creation import (arange, full, ones, ones_like, rand, randn, stack, tensor,
                                      zeros, zeros_like)
from tinytorch.given.device import device_of, numbers
from tinytorch.given.dispatch import select_kernel
from tinytorch.given.history import record
from tinytorch.given.op import op, register
from tinytorch.given.tensor_methods import TensorMethods


@op
def add(a, b):
    """Add entry by entry; the shapes broadcast."""
    return a + b


@op
def sub(a, b):
    """Subtract entry by entry; the shapes broadcast."""
    return a - b

# %% [markdown]
# The decorator `@op` turns the function into an op; `add.forward` is still the plain function. With `forward` you can try an op
# before the rest of the framework exists, and the checks of this module use it too. Now write one of your own.

# %% exercise="01.2" minutes=3 points=1
#| export
@op
def mul(a, b):
    """Multiply entry by entry; the shapes broadcast.

    Args:
        a: Array of any shape, or a number.
        b: Array whose shape broadcasts with it, or a number.

    Returns:
        Array of the broadcast shape. Every entry is the product of an entry of ``a`` and the
        matching entry of ``b``.

    Example:
        >>> mul.forward(np.array([[1, 2], [3, 4]]), np.array([10, 100]))
        array([[ 10, 200],
               [ 30, 400]])
    """
    ### BEGIN SOLUTION
    return a * b
    ### END SOLUTION

# %% check="01.2"
check("01.2")

# %% [markdown] hint="01.2"
# The two ops above show you how. Only the operator is different.

# %% [markdown] hint="01.2"
# NumPy has two products, `*` and `@`. One works entry by entry; the other is the subject of exercise 01.3.

# %% [markdown]
# Division, powers, the exponential and other ops follow the same pattern, so they are given. Comparisons return arrays of True and
# False, and `where` uses such arrays to choose between two others.

# %%
#| export
@op
def div(a, b):
    """Divide entry by entry; integers give floats, and dividing by 0 gives inf or nan silently."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.true_divide(a, b)


@op
def power(a, b):
    """Raise ``a`` to the power ``b``, entry by entry: ``a ** b``."""
    return a ** b


@op
def neg(a):
    """Change the sign of every entry."""
    return -a


@op
def exp(a):
    """Raise e to the power of every entry."""
    return np.exp(a)


@op
def log(a):
    """Take the natural logarithm; 0 gives -inf and a negative number nan, without a warning."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(a)


@op
def sqrt(a):
    """Take the square root of every entry."""
    return np.sqrt(a)


@op
def absolute(a):
    """Drop the sign of every entry."""
    return np.abs(a)


div.register_floats()  # whole numbers become float32 before they reach the function
exp.register_floats()
log.register_floats()
sqrt.register_floats()

# %%
#| export
@op
def greater(a, b):
    """Compare entry by entry: ``a > b``."""
    return np.greater(a, b)


@op
def greater_equal(a, b):
    """Compare entry by entry: ``a >= b``."""
    return np.greater_equal(a, b)


@op
def equal(a, b):
    """Compare entry by entry: ``a == b``."""
    return np.equal(a, b)


@op
def where(condition, a, b):
    """Take the entry of ``a`` where the condition holds, of ``b`` elsewhere."""
    return np.where(condition, a, b)

# %% [markdown]
# ## The matrix product
#
# A layer with 784 inputs and 256 outputs is one matrix product: every output is a weighted sum of all inputs. Training spends
# most of its time in this one operation, here and in a data centre. You write it now, give it a gradient in module 05, and find
# out in module 10 why NumPy does it so much faster than a loop.
#
# The inner size is summed away:
#
# $$C_{ij} = \sum_k A_{ik}\,B_{kj} \qquad (n, k)\;@\;(k, m) \to (n, m)$$

# %%
a = np.arange(6).reshape(2, 3)           # two examples, three features
b = np.array([[1, 0], [0, 1], [1, 1]])   # three features, two outputs
[[sum(int(a[i, k] * b[k, j]) for k in range(3)) for j in range(2)] for i in range(2)]

# %% [markdown]
# Write `matmul` for arrays of two dimensions or more. Any leading dimensions are a batch, and broadcast against each other. If the
# inner sizes differ, raise an error with both shapes. You will be glad of that message when a network fails at two in the morning.

# %% exercise="01.3" minutes=10 points=2
#| export
@op
def matmul(a, b):
    """Multiply matrices, or batches of matrices.

    Args:
        a: Array of shape (..., n, k).
        b: Array of shape (..., k, m). Batch dimensions broadcast.

    Returns:
        Array of shape (..., n, m). Entry (i, j) is the sum over k of
        ``a[..., i, k] * b[..., k, j]``.

    Raises:
        ValueError: The inner sizes differ. The message contains both shapes.

    Example:
        >>> matmul.forward(np.ones((2, 3)), np.ones((3, 4))).shape
        (2, 4)
    """
    ### BEGIN SOLUTION
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"matmul needs inner sizes to agree: {a.shape} @ {b.shape}: "
                         f"{a.shape[-1]} != {b.shape[-2]}")
    return a @ b
    ### END SOLUTION

# %% check="01.3"
check("01.3")

# %% [markdown] hint="01.3"
# Write down the shapes of one case and cross out the pair that is summed away. What is left is the shape of the result.

# %% [markdown] hint="01.3"
# NumPy has an operator for this, and it already broadcasts the batch. Your part is the error for sizes that do not fit. Before
# you multiply, compare the size of the last axis of `a` with that of the second-to-last axis of `b`.

# %% [markdown] question="01.1"
# `(128, 784) @ (784, 256)` takes 128 · 784 · 256 multiplications and the same number of additions. **Predict**: how long does
# that take at 50 billion operations a second, a typical speed for one core? Then run the cell.

# %%
x, w = rng.standard_normal((128, 784), np.float32), rng.standard_normal((784, 256), np.float32)
# %timeit matmul.forward(x, w)

# %% [markdown]
# ## Four ops in a row
#
# Exercises 01.4 to 01.7 are thin wrappers around NumPy, one to four lines each. Only `transpose` follows PyTorch instead, and calls
# its axes `dim0` and `dim1`. If you know NumPy, write all four, then run their four checks. If one fails, read the text above it.
#
# A loss is one number made from thousands. A **reduction** sums (or averages) along some axes and removes those axes. With
# `keepdims` they stay, with size 1, so that the result broadcasts against the original array. Summed along axis 1, images of shape
# `(2, 3, 4)` give `(2, 4)`, or `(2, 1, 4)` with `keepdims`. Summed along axes 1 and 2, they give one number per image.

# %% exercise="01.4" minutes=3 points=2
#| export
@op
def reduce_sum(a, *, axis=None, keepdims=False):
    """Sum along axes.

    Args:
        a: Array of any shape.
        axis: The axis to sum along, a tuple of axes, or None for all of them. Negative ones count
            from the end.
        keepdims: Whether to keep the summed axes, with size 1.

    Returns:
        Array without those axes, or with size 1 in their place. True counts as 1; float32 stays
        float32.

    Example:
        >>> reduce_sum.forward(np.array([[1, 2, 3], [4, 5, 6]]), axis=1)
        array([ 6, 15])
    """
    ### BEGIN SOLUTION
    return a.sum(axis=axis, keepdims=keepdims)
    ### END SOLUTION

# %% check="01.4"
check("01.4")

# %% [markdown] hint="01.4"
# Arrays have a method for this, and it takes both settings. Pass them by name.

# %% [markdown] hint="01.4"
# If only some cases fail, look for the setting that they have in common. Do you pass both settings on?

# %% [markdown]
# A mean is a sum divided by the number of entries that went into it.

# %% exercise="01.5" minutes=5 points=2
#| export
@op
def mean(a, *, axis=None, keepdims=False):
    """Average along axes.

    Args:
        a: Array of any shape, of one entry or more.
        axis: The axis to average along, a tuple of axes, or None for all of them. Negative ones
            count from the end.
        keepdims: Whether to keep those axes, with size 1.

    Returns:
        The result of `reduce_sum`, with every entry divided by the number of entries of ``a`` that
        went into it. float32 stays float32.

    Example:
        >>> mean.forward(np.array([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]]), axis=1)
        array([2., 5.])
    """
    ### BEGIN SOLUTION
    total = reduce_sum.forward(a, axis=axis, keepdims=keepdims)
    return total / (a.size / max(total.size, 1))  # an empty batch gives an empty result
    ### END SOLUTION

# %% check="01.5"
check("01.5")

# %% [markdown] hint="01.5"
# Your `reduce_sum.forward` gives the numerator. For the denominator you need not look at `axis`: compare the number of entries
# before and after the sum.

# %% [markdown] hint="01.5"
# `a.size` is the number of entries of `a`. Divide one size by the other. Dividing an array by a Python number keeps it float32.

# %% [markdown]
# An image of 28 by 28 pixels enters a linear layer as 784 numbers in a row. Nothing is computed: NumPy reads the same memory, row
# after row, with another shape. You may write -1 for one size, and NumPy works it out.

# %% exercise="01.6" minutes=8 points=2
#| export
@op
def reshape(a, *, shape):
    """Read the same numbers, in the same order, with another shape.

    Args:
        a: Array of any shape.
        shape: Tuple of ints. At most one may be -1, which stands for the size that fits.

    Returns:
        Array of that shape; its last axis varies fastest, as in ``a``.

    Raises:
        ValueError: The shape needs a different number of entries. The message contains both shapes.

    Example:
        >>> reshape.forward(np.arange(6), shape=(2, -1))
        array([[0, 1, 2],
               [3, 4, 5]])
    """
    ### BEGIN SOLUTION
    try:
        return a.reshape(shape)
    except ValueError:
        raise ValueError(f"reshape cannot read shape {a.shape} as shape {tuple(shape)}") from None
    ### END SOLUTION

# %% check="01.6"
check("01.6")

# %% [markdown] hint="01.6"
# NumPy reshapes and works out the -1, but its error message contains only one of the shapes. When does NumPy raise it?

# %% [markdown] hint="01.6"
# Catch NumPy's `ValueError` and raise your own, with `a.shape` and `shape` in its message. Or compare the sizes before you reshape;
# then remember the -1.

# %% [markdown]
# A reshape keeps the order of the numbers; a **transpose** changes it. The gradients of a matrix product are themselves matrix
# products with transposed matrices, so module 05 uses this op often.

# %% exercise="01.7" minutes=3 points=1
#| export
@op
def transpose(a, *, dim0, dim1):
    """Swap two axes.

    Args:
        a: Array of two dimensions or more.
        dim0: One axis; negative ones count from the end.
        dim1: The other axis.

    Returns:
        Array in which entry ``[..., i, ..., j, ...]`` is ``a[..., j, ..., i, ...]``; all other axes
        keep their places.

    Example:
        >>> transpose.forward(np.array([[1, 2, 3], [4, 5, 6]]), dim0=0, dim1=1)
        array([[1, 4],
               [2, 5],
               [3, 6]])
    """
    ### BEGIN SOLUTION
    return a.swapaxes(dim0, dim1)
    ### END SOLUTION

# %% check="01.7"
check("01.7")

# %% [markdown] hint="01.7"
# `.T` reverses all axes, but here only two axes swap places. Write down a shape such as (2, 3, 4) before and after the swap.

# %% [markdown] hint="01.7"
# Look through NumPy's array manipulation routines for one that swaps a pair of axes.

# %%
#| export
@op
def reduce_max(a, *, axis=None, keepdims=False):
    """Take the largest entry along axes."""
    return np.max(a, axis=axis, keepdims=keepdims)


@op
def argmax(a, *, axis=None, keepdims=False):
    """Return the position of the largest entry along an axis (None: of all); the first if tied."""
    return np.argmax(a, axis=axis, keepdims=keepdims)


@op
def reduce_min(a, *, axis=None, keepdims=False):
    """Take the smallest entry along axes."""
    return np.min(a, axis=axis, keepdims=keepdims)


@op
def argmin(a, *, axis=None, keepdims=False):
    """Return the position of the smallest entry along an axis (None: of all); the first if tied."""
    return np.argmin(a, axis=axis, keepdims=keepdims)

# %%
#| export
@op
def permute(a, *, dims):
    """Put the axes into another order: axis ``dims[i]`` of ``a`` becomes axis i."""
    return np.transpose(a, dims)


@op
def getitem(a, *, index):
    """Take a part of an array: slices, integers, integer arrays and masks, as NumPy does."""
    return a[index]


@op
def cast(a, *, dtype):
    """Convert every entry to another dtype."""
    return a.astype(dtype)

# %% [markdown]
# ## Stretching and joining
#
# Broadcasting stretches arrays implicitly, and `expand` does it explicitly. One NumPy call alone is not enough for it. `expand` copies
# nothing: a stretched axis reads the same number again and again.

# %% exercise="01.8" minutes=15 points=1
#| export
@op
def expand(a, *, shape):
    """Stretch an array to a shape that it broadcasts to, without copying.

    Args:
        a: Array of any shape.
        shape: Tuple of ints, at least as long as the shape of ``a``. -1 keeps the size that ``a``
            has there.

    Returns:
        Array of that shape; a stretched axis repeats its one entry.

    Raises:
        ValueError: ``a`` does not broadcast to the shape, or a new axis has -1. The message
            contains both shapes.

    Example:
        >>> expand.forward(np.array([[1], [2]]), shape=(-1, 3))
        array([[1, 1, 1],
               [2, 2, 2]])
    """
    ### BEGIN SOLUTION
    new = len(shape) - a.ndim
    target = tuple(a.shape[i - new] if size == -1 and i >= new else size
                   for i, size in enumerate(shape))
    if -1 in target or broadcast_shape(a.shape, target) != target:
        raise ValueError(f"expand cannot stretch shape {a.shape} to {target}: only sizes of 1 grow")
    return np.broadcast_to(a, target)
    ### END SOLUTION

# %% check="01.8"
check("01.8")

# %% [markdown] hint="01.8"
# First turn every -1 into a size. Axes are matched from the right, so with `new` extra axes in front, axis i of the target is axis
# `i - new` of the array.

# %% [markdown] hint="01.8"
# NumPy can give you a read-only view with any shape that an array broadcasts to. Look for a function with "broadcast" in its
# name. Then write the error: your `broadcast_shape` returns what two shapes broadcast to, and that must be the target.

# %% [markdown]
# `cat` joins arrays along an axis that exists, such as two batches along axis 0. Every other axis must agree.

# %% exercise="01.9" minutes=5 points=2
#| export
@op
def cat(*arrays, dim=0):
    """Join arrays along an existing axis.

    Args:
        arrays: Arrays whose shapes are equal except for the size of axis ``dim``.
        dim: The axis to join along; negative ones count from the end.

    Returns:
        Array with the entries of all arrays, in the order given. The size of axis ``dim`` is the
        sum of their sizes along it.

    Raises:
        ValueError: Another axis differs, or there is nothing to join. The message contains all
            shapes.

    Example:
        >>> cat.forward(np.array([[1, 2]]), np.array([[3, 4], [5, 6]]))
        array([[1, 2],
               [3, 4],
               [5, 6]])
    """
    ### BEGIN SOLUTION
    try:
        return np.concatenate(arrays, axis=dim)
    except ValueError:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(f"cat needs all axes but dim {dim} to agree: {shapes or 'none'}") from None
    ### END SOLUTION

# %% check="01.9"
check("01.9")

# %% [markdown] hint="01.9"
# NumPy's function has a longer name, and calls the axis `axis`.

# %% [markdown] hint="01.9"
# Catch NumPy's error and raise your own, which lists the shapes of all `arrays`.

# %%
#| export
def as_array(data, dtype=None):
    """Return an array: float32 for floats, int64 for ints; an array keeps its dtype and memory."""
    data = data.data if isinstance(data, Tensor) else data
    array = numbers(data, dtype) if device_of(data) == "cpu" else data
    narrow = array.dtype == np.float64 and dtype is None and array is not data
    return array.astype(np.float32) if narrow else array


def unwrap(x):
    """Return what a kernel works on: the array of a tensor or a list, or a Python number.

    Example:
        >>> unwrap(np.float64(2.0))
        2.0
    """
    if isinstance(x, Tensor):
        return x.data
    if isinstance(x, np.generic):
        return x.item()  # np.float64(2) would make a float32 array float64; the float 2.0 does not
    return numbers(x) if isinstance(x, (list, tuple)) else x


def wrap(out, arrays):
    """Make a tensor of a result: float64 only if an input is, or if floats were cast to it."""
    out = np.asarray(out) if isinstance(out, np.generic) else out
    if out.dtype != np.float64:
        return Tensor(out)
    kinds = {str(getattr(a, "dtype", "")) for a in arrays}
    floats = "float64" in kinds or kinds in ({"float32"}, {"float16"})
    return Tensor(out if floats else out.astype(np.float32))

# %% [markdown]
# ## apply: one door for every operation
#
# So far your ops take arrays. A **tensor** is an array with three more attributes: `requires_grad` (does it need a gradient?),
# `grad` (that gradient), and `origin` (which op made it, and from what). Module 05 uses them. Here you make sure that every result
# gets its `requires_grad` and `origin`, in the one function that every op call goes through:
#
# | step | what happens | given, in the cell above or imported from `tinytorch/given` |
# |---|---|---|
# | unwrap | a tensor becomes its array, a number stays a number | `unwrap(x)` |
# | choose | what runs depends on the kernels in use and on the device that holds the data | `select_kernel(op, *arrays)` |
# | run | the chosen function gets the arrays and the settings | |
# | wrap | the result becomes a tensor | `wrap(out, arrays)` |
# | remember | the result gets its `requires_grad` and `origin` | `record(out, op, inputs, params)` |

# %% exercise="01.10" minutes=20 points=4
#| export
@register("apply")
def apply(op, *inputs, **params):
    """Run an op on tensors and numbers: unwrap, choose, run, wrap, remember.

    Args:
        op: The op to run.
        inputs: Its inputs: tensors and arrays of any shape, and numbers, in any combination.
        params: Its settings, such as ``axis=0``.

    Returns:
        Tensor with what the chosen kernel returns for the unwrapped inputs. If an input requires a
        gradient, the result requires one too, and its ``origin`` holds the op, the inputs before
        unwrapping, and the settings.

    Example:
        >>> out = apply(mul, Tensor([1.0, 2.0], requires_grad=True), 3)
        >>> out.data, out.origin.op.name, out.origin.inputs[1]
        (array([3., 6.], dtype=float32), 'mul', 3)
    """
    ### BEGIN SOLUTION
    arrays = [unwrap(x) for x in inputs]
    kernel = select_kernel(op, *arrays)
    out = wrap(kernel(*arrays, **params), arrays)
    record(out, op, inputs, params)
    return out
    ### END SOLUTION

# %% [markdown] hint="01.10"
# Five steps, five lines, one for each row of the table. The kernel gets arrays, but `record` gets the inputs before unwrapping.

# %% [markdown] hint="01.10"
# You need the list of unwrapped inputs three times: with a star for `select_kernel` and for the kernel, and without one for `wrap`.

# %% [markdown] hint="01.10"
# The settings go to two places: to the kernel as `**params`, and to `record` as a dict. `record` changes its first argument and
# returns nothing.

# %% [markdown]
# ## The class around it
#
# What remains is the class. It is small: it holds the array and those attributes. Everything else that a tensor can do comes from
# the given base class `TensorMethods` in `tinytorch/given/tensor_methods.py`. Its `__add__` looks up the op called `add` and calls
# it, its `sum` calls your `reduce_sum`, and so on, with PyTorch's names, shapes and defaults. Functions that make new tensors, such
# as `zeros` and `randn`, are given in `tinytorch/given/creation.py`.
#
# Writing into a tensor in place saves memory, but destroys values that a gradient may still need. So a tensor counts these writes
# in its attribute `written`. And while ops are recorded, you may not write into a tensor that requires a gradient.

# %%
#| export
@register("Tensor")
class Tensor(TensorMethods):
    """An array with a record of where it came from and whether it needs a gradient.

    Args:
        data: Number, nested list, array or tensor; an array is not copied.
        requires_grad: Whether gradients should flow to this tensor.
        dtype: NumPy dtype. Default: float32 for Python floats, int64 for ints, else unchanged.

    Raises:
        TypeError: The data are not numbers in rows of equal length.
        ValueError: A gradient is required for integers.

    Example:
        >>> x = Tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> (x @ x.T + 1).sum()
        tensor(56.)
    """

    __slots__ = ("data", "requires_grad", "_grad", "origin", "written", "__weakref__")

    def __init__(self, data, requires_grad=False, dtype=None):
        numeric = type(data) is np.ndarray and dtype is None and data.dtype.kind in "biuf"
        self.data = data if numeric else as_array(data, dtype)
        self.requires_grad, self._grad, self.origin, self.written = requires_grad, None, None, [0]
        if requires_grad and self.data.dtype.kind != "f":
            raise ValueError(f"only floats can require a gradient, got {self.data.dtype}")

# %% check="01.10"
check("01.10")

# %%
x = Tensor([[1.0, -2.0, 3.0]], requires_grad=True)
y = (2 * x + 1).sum()
print(x, y, y.origin.op.name, y.item(), sep="\n")

# %% [markdown] question="01.2"
# The origin of `y` is `reduce_sum`, that of its input is `add`, and so on down to `x`. What keeps the tensor `2 * x + 1` in memory?
# What does that mean for the memory that a network with a hundred layers needs?

# %% [markdown]
# ## Blur an image with a matrix product
#
# Now use everything together. To blur an image, replace each pixel with a weighted mean of its neighbours. A matrix does this
# along one axis: its row i holds the weight of each old pixel in new pixel i. Multiplying by this matrix from the left blurs the
# columns; multiplying by its transpose from the right blurs the rows.

# %%
size = 64
row, column = arange(size).reshape(size, 1), arange(size).reshape(1, size)
disc = ((row - 28) ** 2 + (column - 36) ** 2 < 300).float()
weights = (-((row - column) ** 2) / 18.0).exp()
blur = weights / weights.sum(1, keepdim=True)            # every row sums to 1
blurred = blur @ disc @ blur.T
figure, axes = plt.subplots(1, 3, figsize=(7, 2.4))
shown = {"image": disc, "blur": blur, "blur @ image @ blur.T": blurred}
for axis, (title, values) in zip(axes, shown.items()):
    axis.imshow(values, cmap="gray")
    axis.set_title(title, fontsize=9)

# %% [markdown]
# Your `matmul`, your `reduce_sum` and your `apply` computed every one of those pixels. Save the notebook, then run
#
# ```
# tito module complete 01
# ```
#
# This checks your notebook and exports your code to `tinytorch/tensor.py`. From then on, `import tinytorch` imports your framework.
