# Made by tito from modules/01_tensor/tensor.py: edit that file, then run `tito module complete 01`.

# tensor.py, cell 7
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
    ndim = max(len(a), len(b))
    left, right = (1,) * (ndim - len(a)) + tuple(a), (1,) * (ndim - len(b)) + tuple(b)
    for m, n in zip(left, right):
        if m != n and 1 not in (m, n):
            raise ValueError(f"shapes {a} and {b} do not broadcast: {m} against {n}")
    return tuple(n if m == 1 else m for m, n in zip(left, right))


# tensor.py, cell 13
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


# tensor.py, cell 15
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
    return a * b


# tensor.py, cell 20
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


# tensor.py, cell 21
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


# tensor.py, cell 25
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
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"matmul needs inner sizes to agree: {a.shape} @ {b.shape}: "
                         f"{a.shape[-1]} != {b.shape[-2]}")
    return a @ b


# tensor.py, cell 32
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
    return a.sum(axis=axis, keepdims=keepdims)


# tensor.py, cell 37
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
    total = reduce_sum.forward(a, axis=axis, keepdims=keepdims)
    return total / (a.size / max(total.size, 1))  # an empty batch gives an empty result


# tensor.py, cell 42
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
    try:
        return a.reshape(shape)
    except ValueError:
        raise ValueError(f"reshape cannot read shape {a.shape} as shape {tuple(shape)}") from None


# tensor.py, cell 47
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
    return a.swapaxes(dim0, dim1)


# tensor.py, cell 51
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


# tensor.py, cell 52
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


# tensor.py, cell 54
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
    new = len(shape) - a.ndim
    target = tuple(a.shape[i - new] if size == -1 and i >= new else size
                   for i, size in enumerate(shape))
    if -1 in target or broadcast_shape(a.shape, target) != target:
        raise ValueError(f"expand cannot stretch shape {a.shape} to {target}: only sizes of 1 grow")
    return np.broadcast_to(a, target)


# tensor.py, cell 59
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
    try:
        return np.concatenate(arrays, axis=dim)
    except ValueError:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(f"cat needs all axes but dim {dim} to agree: {shapes or 'none'}") from None


# tensor.py, cell 63
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


# tensor.py, cell 65
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
    arrays = [unwrap(x) for x in inputs]
    kernel = select_kernel(op, *arrays)
    out = wrap(kernel(*arrays, **params), arrays)
    record(out, op, inputs, params)
    return out


# tensor.py, cell 70
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
