# Made by tito from modules/01_tensor/tensor.py: edit that file, then run `tito module complete 01`.

# tensor.py, cell 7
def broadcast_shape(a, b):
    """Return the shape that two shapes broadcast to.

    Both are read from the right; a missing size counts as 1. Two sizes fit when they are equal or
    one of them is 1, and the result has the one that is not 1.

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
from collections import namedtuple

import numpy as np

from tinytorch.given.device import device_of, move, numbers
from tinytorch.given.printing import describe
from tinytorch.given.dispatch import select_kernel
from tinytorch.given.history import follow, record, tick
from tinytorch.given.op import op, part, register
from tinytorch.given.state import state
from tinytorch.given.random import generator


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
    """Divide entry by entry; integers give fractions."""
    return np.true_divide(a, b)


@op
def power(a, b):
    """Raise entry by entry: ``a ** b``."""
    return a ** b


@op
def neg(a):
    """Change the sign of every entry."""
    return -a


@op
def exp(a):
    """Raise e to every entry."""
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
        a: Array of any shape.
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
    return total / (a.size / total.size)


# tensor.py, cell 42
@op
def reshape(a, *, shape):
    """Read the same numbers, in the same order, with another shape.

    Args:
        a: Array of any shape.
        shape: Tuple of ints. At most one may be -1: it becomes the size that fits.

    Returns:
        Array of that shape; its last axis varies fastest, as in ``a``.

    Raises:
        ValueError: The shape is for another number of entries. The message contains both shapes.

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
    """Return the position of the largest entry along one axis, the first of equal ones."""
    return np.argmax(a, axis=axis, keepdims=keepdims)


@op
def permute(a, *, dims):
    """Put the axes into another order: axis ``dims[i]`` of ``a`` becomes axis i."""
    return np.transpose(a, dims)


@op
def getitem(a, *, index):
    """Take a part: slices, integers, integer arrays and masks, as NumPy does."""
    return a[index]


@op
def cast(a, *, dtype):
    """Convert every entry to another dtype."""
    return a.astype(dtype)


# tensor.py, cell 53
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
        ValueError: ``a`` does not broadcast to the shape. The message contains both shapes.

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


# tensor.py, cell 58
@op
def cat(*arrays, dim=0):
    """Join arrays along an existing axis.

    Args:
        arrays: Arrays whose shapes are equal except for the size of axis ``dim``.
        dim: The axis to join along; negative ones count from the end.

    Returns:
        Array whose axis ``dim`` is as long as all of theirs together, with their entries in the
        order given.

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


# tensor.py, cell 62
def as_array(data, dtype=None):
    """Return an array: float32 for floats, int64 for ints; an array keeps its dtype and memory."""
    data = data.data if isinstance(data, Tensor) else data
    array = numbers(data, dtype) if device_of(data) == "cpu" else data
    narrow = array.dtype == np.float64 and dtype is None and not isinstance(data, np.ndarray)
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
    """Make a tensor from a kernel's result; float64 only if an input was, or by a cast."""
    out = np.asarray(out) if isinstance(out, np.generic) else out
    if out.dtype != np.float64:
        return Tensor(out)
    kinds = {str(getattr(a, "dtype", "")) for a in arrays}
    return Tensor(out if "float64" in kinds or kinds == {"float32"} else out.astype(np.float32))


# tensor.py, cell 64
@register("apply")
def apply(op, *inputs, **params):
    """Run an op on tensors and numbers: unwrap, choose, run, wrap, remember.

    Args:
        op: The op to run.
        inputs: Its inputs: tensors and arrays of any shape, and numbers, in any mixture.
        params: Its settings, such as ``axis=0``.

    Returns:
        Tensor with what the chosen kernel returns for the unwrapped inputs. If an input requires a
        gradient, it requires one too, and its ``origin`` holds the op, the inputs as they were
        given, and the settings.

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


# tensor.py, cell 69
class Operators:
    """What `+ - * / ** @` and comparisons do."""

    __slots__ = ()
    __hash__ = object.__hash__  # == compares entries, so a tensor hashes by identity

    def __add__(self, other): return add(self, other)
    def __sub__(self, other): return sub(self, other)
    def __mul__(self, other): return mul(self, other)
    def __truediv__(self, other): return div(self, other)
    def __pow__(self, other): return power(self, other)
    def __matmul__(self, other): return self.matmul(other)
    def __radd__(self, other): return add(other, self)
    def __rsub__(self, other): return sub(other, self)
    def __rmul__(self, other): return mul(other, self)
    def __rtruediv__(self, other): return div(other, self)
    def __rpow__(self, other): return power(other, self)
    def __rmatmul__(self, other): return Tensor(other).matmul(self)
    def __neg__(self): return neg(self)
    def __gt__(self, other): return greater(self, other)
    def __ge__(self, other): return greater_equal(self, other)
    def __lt__(self, other): return greater(other, self)
    def __le__(self, other): return greater_equal(other, self)
    def __eq__(self, other): return equal(self, other)
    def __ne__(self, other): return equal(equal(self, other), False)


# tensor.py, cell 70
def sizes(shape):
    """Return a shape given as `f(2, 3)` or as `f((2, 3))`, as a tuple."""
    return tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape


def plain_index(index):
    """Replace every tensor in an index by its array."""
    return tuple(unwrap(i) for i in index) if isinstance(index, tuple) else unwrap(index)


class Functions:
    """Entry by entry, and the matrix product for vectors too."""

    __slots__ = ()

    def exp(self): return exp(self)
    def log(self): return log(self)
    def sqrt(self): return sqrt(self)
    def abs(self): return absolute(self)
    def pow(self, exponent): return power(self, exponent)

    def matmul(self, other):
        """Multiply; a vector counts as a row on the left and as a column on the right."""
        other = other if isinstance(other, Tensor) else Tensor(other)
        m, n = self.ndim, other.ndim
        if m == 0 or n == 0:
            raise ValueError(f"matmul needs axes: {self.shape} @ {other.shape}; use * instead")
        out = matmul(self if m > 1 else self.unsqueeze(0), other if n > 1 else other.unsqueeze(1))
        out = out if n > 1 else out.squeeze(-1)
        return out if m > 1 else out.squeeze(-1 if n == 1 else -2)


# tensor.py, cell 71
class Reductions:
    """Sums and means; `dim` and `keepdim` as in PyTorch, or `axis` and `keepdims` as in NumPy."""

    __slots__ = ()

    def sum(self, dim=None, keepdim=False, *, axis=None, keepdims=False):
        return reduce_sum(self, axis=axis if dim is None else dim, keepdims=keepdim or keepdims)

    def mean(self, dim=None, keepdim=False, *, axis=None, keepdims=False):
        return mean(self, axis=axis if dim is None else dim, keepdims=keepdim or keepdims)

    def var(self, dim=None, keepdim=False, *, correction=1):
        """Average the squared distance from the mean; the count is less by `correction`."""
        deviation = self - self.mean(dim, keepdim=True)
        total = (deviation * deviation).sum(dim, keepdim)
        return total / (self.numel() / total.numel() - correction)

    def std(self, dim=None, keepdim=False, **rest): return self.var(dim, keepdim, **rest).sqrt()


Extremes = namedtuple("Extremes", "values indices")  # what max(dim) and min(dim) return


class Order:
    """The largest and the smallest, as in PyTorch: with `dim`, values and indices together."""

    __slots__ = ()

    def amax(self, dim=None, keepdim=False): return reduce_max(self, axis=dim, keepdims=keepdim)
    def amin(self, dim=None, keepdim=False): return -reduce_max(-self, axis=dim, keepdims=keepdim)
    def argmax(self, dim=None, keepdim=False): return argmax(self, axis=dim, keepdims=keepdim)
    def argmin(self, dim=None, keepdim=False): return argmax(-self, axis=dim, keepdims=keepdim)

    def max(self, dim=None, keepdim=False):
        """Return the largest entry of all, or with `dim` the pair of values and indices."""
        values = self.amax(dim, keepdim)
        return values if dim is None else Extremes(values, self.argmax(dim, keepdim))

    def min(self, dim=None, keepdim=False):
        """Return the smallest entry of all, or with `dim` the pair of values and indices."""
        values = self.amin(dim, keepdim)
        return values if dim is None else Extremes(values, self.argmin(dim, keepdim))


# tensor.py, cell 72
class Shapes:
    """The same numbers with another shape."""

    __slots__ = ()

    T = mT = property(lambda self: transpose(self, dim0=-2, dim1=-1))

    def reshape(self, *shape): return reshape(self, shape=sizes(shape))
    def view(self, *shape): return reshape(self, shape=sizes(shape))
    def expand(self, *shape): return expand(self, shape=sizes(shape))
    def transpose(self, dim0, dim1): return transpose(self, dim0=dim0, dim1=dim1)
    def permute(self, *dims): return permute(self, dims=sizes(dims))
    def __len__(self): return len(self.data)
    def __getitem__(self, index): return getitem(self, index=plain_index(index))

    def flatten(self, start_dim=0, end_dim=-1):
        """Make one axis of those from ``start_dim`` to ``end_dim``."""
        first, last = start_dim % max(self.ndim, 1), end_dim % max(self.ndim, 1)
        return self.reshape(*self.shape[:first], -1, *self.shape[last + 1:])

    def unsqueeze(self, dim):
        """Insert an axis of size 1, so that it becomes axis ``dim``."""
        dim = dim % (self.ndim + 1)
        return self.reshape(*self.shape[:dim], 1, *self.shape[dim:])

    def squeeze(self, dim=None):
        """Drop axis ``dim`` if its size is 1; without ``dim``, all such axes."""
        dropped = range(self.ndim) if dim is None else [dim % max(self.ndim, 1)]
        return self.reshape(*(n for i, n in enumerate(self.shape) if n != 1 or i not in dropped))


# tensor.py, cell 73
class Conversions:
    """To Python and NumPy, and to another dtype or device."""

    __slots__ = ()

    def tolist(self): return self.data.tolist()
    def float(self): return self.to(np.float32)
    def double(self): return self.to(np.float64)
    def long(self): return self.to(np.int64)
    def clone(self): return cast(self, dtype=self.dtype)
    def __array__(self, dtype=None, copy=None): return np.array(self.numpy(), dtype, copy=copy)

    def to(self, target):
        """Return this tensor on a device (a name) or with a dtype; itself if it is so already."""
        device = isinstance(target, str)
        if not device and self.dtype.kind == "f" and self.dtype != target:
            return cast(self, dtype=target)
        data = move(self.data, target) if device else np.asarray(self.data, target)
        return self if data is self.data else Tensor(data, self.requires_grad)

    def item(self):
        """Return the one entry as a Python number."""
        if self.numel() != 1:
            raise ValueError(f"item() needs one entry, got shape {self.shape}: use tolist()")
        return self.data.item()

    def numpy(self):
        """Return the array itself, which shares its memory with the tensor."""
        if self.requires_grad:
            raise RuntimeError("numpy() would lose the gradient: call .detach().numpy()")
        return move(self.data, "cpu")

    def __float__(self): return float(self.item())
    def __int__(self): return int(self.item())
    def __bool__(self): return bool(self.item())


# tensor.py, cell 74
class Writes:
    """Changes in place; each is counted, so that a gradient can tell what it has lost."""

    __slots__ = ()

    def write(self, array, index=...):
        """Overwrite entries, all of them by default."""
        if state.recording and (self.requires_grad or getattr(array, "requires_grad", False)):
            raise RuntimeError("a write in place is not remembered, so nothing in it may require "
                               "grad: make a new one (x = x + 1), or use `with no_grad():`")
        self.data[plain_index(index)] = unwrap(array)
        tick(self)
        return self

    def detach(self): return follow(Tensor(self.data[...]), self)
    def __setitem__(self, index, value): self.write(value, index)
    def __iadd__(self, other): return self.write(self + other)
    def __isub__(self, other): return self.write(self - other)
    def __imul__(self, other): return self.write(self * other)
    def __itruediv__(self, other): return self.write(self / other)
    def copy_(self, other): return self.write(other)
    def fill_(self, value): return self.write(value)
    def zero_(self): return self.write(0)


# tensor.py, cell 75
@register("Tensor")
class Tensor(Operators, Functions, Reductions, Order, Shapes, Conversions, Writes):
    """An array that knows where it came from and whether its gradient is wanted.

    Args:
        data: Number, nested list, array or tensor; an array is not copied.
        requires_grad: Whether gradients shall flow to this tensor.
        dtype: NumPy dtype; by default float32 for Python floats, int64 for ints, an array's own.

    Raises:
        TypeError: The data are not numbers in rows of equal length.
        ValueError: A gradient is wanted for integers.

    Example:
        >>> x = Tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> (x @ x.T + 1).sum()
        tensor(56.)
    """

    __slots__ = ("data", "requires_grad", "grad", "origin", "written", "__weakref__")
    __array_ufunc__ = None  # sends array + tensor to Tensor.__radd__

    def __init__(self, data, requires_grad=False, dtype=None):
        self.data = data if type(data) is np.ndarray and dtype is None else as_array(data, dtype)
        self.requires_grad, self.grad, self.origin, self.written = requires_grad, None, None, [0]
        if requires_grad and self.data.dtype.kind != "f":
            raise ValueError(f"only floats can require a gradient, got {self.data.dtype}")

    shape = property(lambda self: self.data.shape)
    ndim = property(lambda self: self.data.ndim)
    dtype = property(lambda self: self.data.dtype)
    device = property(lambda self: device_of(self.data))
    is_leaf = property(lambda self: self.origin is None)
    version = property(lambda self: self.written[0])

    def numel(self): return self.data.size
    def size(self, dim=None): return self.shape if dim is None else self.shape[dim]
    def dim(self): return self.ndim
    def __repr__(self): return describe(self, move(self.data, "cpu"))

    def requires_grad_(self, requires_grad=True):
        """Say whether gradients shall flow to this tensor, and return it."""
        self.requires_grad = Tensor(self.data, requires_grad).requires_grad  # refuses integers
        return self

    def backward(self, gradient=None, retain_graph=None, create_graph=False):
        """Fill the ``grad`` of every tensor below this one that wants it; module 05 writes how."""
        return part("backward")(self, gradient, retain_graph, create_graph)


# tensor.py, cell 76
def tensor(data, *, dtype=None, requires_grad=False):
    """Make a tensor of a copy of the data."""
    return Tensor(np.array(as_array(data, dtype)), requires_grad)


def zeros(*shape, **options): return Tensor(np.zeros(sizes(shape), np.float32), **options)
def ones(*shape, **options): return Tensor(np.ones(sizes(shape), np.float32), **options)
def full(shape, value, **options): return Tensor(np.full(shape, as_array(value)), **options)
def arange(*bounds, **options): return Tensor(as_array(np.arange(*bounds).tolist()), **options)
def zeros_like(like): return Tensor(np.zeros_like(like.data))
def ones_like(like): return Tensor(np.ones_like(like.data))


def randn(*shape, rng=None, **options):
    """Draw from the normal distribution with mean 0 and standard deviation 1."""
    return Tensor(generator(rng).standard_normal(sizes(shape), np.float32), **options)


def rand(*shape, rng=None, **options):
    """Draw evenly from [0, 1)."""
    return Tensor(generator(rng).random(sizes(shape), np.float32), **options)


def stack(tensors, dim=0):
    """Join tensors of one shape along a new axis."""
    return cat(*(x.unsqueeze(dim) for x in tensors), dim=dim)
