"""What a tensor can do: operators and methods with PyTorch's names, each of which calls one of your ops by name. Given."""
import math
import operator

import numpy as np

from tinytorch.given import operator_ops  # noqa: F401, it registers the ops
from tinytorch.given.device import destination, device_of, move
from tinytorch.given.history import follow, tick
from tinytorch.given.op import ops, part
from tinytorch.given.printing import describe
from tinytorch.given.pytorch_methods import Entries, PyTorchMethods
from tinytorch.given.state import state

ORDER = "biuf"  # kinds of dtype; a result may be written into a tensor of the same kind or of a later one


def sizes(shape):
    """Return a shape given as ``f(2, 3)`` or as ``f((2, 3))``, as a tuple.

    Example:
        >>> sizes((2, 3)), sizes(([2, 3],))
        ((2, 3), (2, 3))
    """
    return tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else tuple(shape)


def axis_of(dim, ndim):
    """Return an axis counted from the front; a tensor without axes counts as having one, as in PyTorch.

    Args:
        dim: The axis; negative ones count from the end.
        ndim: How many axes there are.

    Raises:
        IndexError: There is no such axis.

    Example:
        >>> axis_of(-1, 3), axis_of(0, 0)
        (2, 0)
        >>> axis_of(3, 2)
        Traceback (most recent call last):
        ...
        IndexError: dim needs a number from -2 to 1, got 3
    """
    count = max(ndim, 1)
    if not -count <= dim < count:
        raise IndexError(f"dim needs a number from {-count} to {count - 1}, got {dim}")
    return dim % count


def every_axis(dim, ndim):
    """Return axes as `axes` does, and all of them for none; at nan, the gradient along axes is nan, as in PyTorch."""
    dim = axes(dim)
    return tuple(range(ndim)) if dim is None or dim == () else dim


def axes(dim):
    """Return axes given as a list as a tuple, and anything else as it is."""
    return tuple(dim) if isinstance(dim, list) else dim


def plain_index(index):
    """Replace every tensor and list in an index by its array; an empty list picks nothing."""
    if isinstance(index, tuple):
        return tuple(map(plain_index, index))
    if isinstance(index, list):
        index = np.array([getattr(i, "data", i) for i in index] if index else [], None if index else np.int64)
        return index if index.size else index.astype(np.int64)
    return index.data if isinstance(index, part("Tensor")) else index


class TensorMethods(PyTorchMethods):
    """The base of your class `Tensor`. Every method is one line on ops: ``ops["add"]`` is the op that you call `add`.

    Your class stores the array (``data``), whether a gradient is wanted, the gradient, and where the tensor came from.
    """

    __slots__ = ()
    __hash__ = object.__hash__  # == compares entries, so a tensor hashes by identity

    # Properties.

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

    def __format__(self, spec):
        return format(self.item(), spec) if spec and self.ndim == 0 else object.__format__(self, spec)

    @property
    def grad(self):
        """The gradient of the last `backward`, or None."""
        return self._grad

    @grad.setter
    def grad(self, gradient):
        """Refuse what cannot be a gradient of this tensor: another shape, another dtype, or no tensor."""
        if gradient is not None:
            if not isinstance(gradient, TensorMethods):
                raise TypeError(f"grad needs a tensor or None, got {type(gradient).__name__}")
            ours, theirs = self.data, gradient.data
            if theirs.shape != ours.shape:
                raise RuntimeError(f"grad needs the shape of its tensor {ours.shape}, got {theirs.shape}")
            if theirs.dtype != ours.dtype:
                raise RuntimeError(f"grad needs the dtype of its tensor {ours.dtype}, got {theirs.dtype}")
        self._grad = gradient

    def requires_grad_(self, requires_grad=True):
        """Say whether gradients should flow to this tensor, and return it."""
        self.requires_grad = part("Tensor")(self.data, requires_grad).requires_grad  # refuses integers
        return self

    def backward(self, gradient=None, retain_graph=None, create_graph=False):
        """Fill the ``grad`` of every tensor that this one was computed from and that requires it; module 05 writes how."""
        return part("backward")(self, gradient, retain_graph, create_graph)

    # Entry by entry.

    def __add__(self, other): return ops["add"](self, other)
    def __sub__(self, other): return ops["sub"](self, other)
    def __mul__(self, other): return ops["mul"](self, other)
    def __truediv__(self, other): return ops["div"](self, other)
    def __pow__(self, other): return ops["power"](self, other)
    def __floordiv__(self, other): return ops["floor_divide"](self, other)
    def __mod__(self, other): return ops["remainder"](self, other)
    def __and__(self, other): return ops["bitwise_and"](self, other)
    def __or__(self, other): return ops["bitwise_or"](self, other)
    def __xor__(self, other): return ops["bitwise_xor"](self, other)
    def __radd__(self, other): return ops["add"](other, self)
    def __rsub__(self, other): return ops["sub"](other, self)
    def __rmul__(self, other): return ops["mul"](other, self)
    def __rtruediv__(self, other): return ops["div"](other, self)
    def __rpow__(self, other): return ops["power"](other, self)
    def __rfloordiv__(self, other): return ops["floor_divide"](other, self)
    def __rmod__(self, other): return ops["remainder"](other, self)
    def __rand__(self, other): return ops["bitwise_and"](other, self)
    def __ror__(self, other): return ops["bitwise_or"](other, self)
    def __rxor__(self, other): return ops["bitwise_xor"](other, self)
    def __neg__(self): return ops["neg"](self)
    def __pos__(self): return self
    def __abs__(self): return ops["absolute"](self)
    def __invert__(self): return ops["bitwise_not"](self)
    def __gt__(self, other): return ops["greater"](self, other)
    def __ge__(self, other): return ops["greater_equal"](self, other)
    def __lt__(self, other): return ops["greater"](other, self)
    def __le__(self, other): return ops["greater_equal"](other, self)
    def __eq__(self, other): return ops["equal"](self, other)
    def __ne__(self, other): return ops["not_equal"](self, other)

    def exp(self): return ops["exp"](self)
    def log(self): return ops["log"](self)
    def sqrt(self): return ops["sqrt"](self)
    def abs(self): return ops["absolute"](self)
    def pow(self, exponent): return ops["power"](self, exponent)

    # The matrix product.

    def __matmul__(self, other): return self.matmul(other)
    def __rmatmul__(self, other): return part("Tensor")(other).matmul(self)

    def matmul(self, other):
        """Multiply; a vector counts as a row on the left and as a column on the right."""
        other = other if isinstance(other, part("Tensor")) else part("Tensor")(other)
        m, n = self.ndim, other.ndim
        if m == 0 or n == 0:
            raise ValueError(f"matmul needs axes: {self.shape} @ {other.shape}; use * instead")
        out = ops["matmul"](self if m > 1 else self.unsqueeze(0), other if n > 1 else other.unsqueeze(1))
        out = out if n > 1 else out.squeeze(-1)
        return out if m > 1 else out.squeeze(-1 if n == 1 else -2)

    # Reductions: `dim` and `keepdim` as in PyTorch, or `axis` and `keepdims` as in NumPy.

    def sum(self, dim=None, keepdim=False, *, dtype=None, axis=None, keepdims=False):
        """Add up; integers of any size add up to int64."""
        whole = self.to(dtype) if dtype is not None else self if self.dtype.kind in "f" else self.to(np.int64)
        return ops["reduce_sum"](whole, axis=axes(axis if dim is None else dim), keepdims=keepdim or keepdims)

    def mean(self, dim=None, keepdim=False, *, dtype=None, axis=None, keepdims=False):
        """Average, of all entries or along axes, computed in a dtype if one is given."""
        x = self if dtype is None else self.to(dtype)
        return ops["mean"](x, axis=axes(axis if dim is None else dim), keepdims=keepdim or keepdims)

    def var(self, dim=None, unbiased=True, keepdim=False, *, correction=None):
        """Add up the squared distances from the mean, and divide by the count minus `correction` (1 if unbiased)."""
        if isinstance(dim, bool):  # var(False), as PyTorch allows
            dim, unbiased = None, dim
        deviation = self - self.mean(dim, keepdim=True)
        total = (deviation * deviation).sum(dim, keepdim)
        count = self.numel() // max(total.numel(), 1)
        return total / max(count - (int(unbiased) if correction is None else correction), 0)

    def std(self, dim=None, unbiased=True, keepdim=False, *, correction=None):
        """Take the root of the variance; where all entries are equal, its gradient is 0."""
        variance = self.var(dim, unbiased, keepdim, correction=correction)
        flat = variance == 0
        return ops["where"](flat, 0.0, ops["where"](flat, 1.0, variance).sqrt())

    # The largest and the smallest, as in PyTorch: with `dim`, values and indices together.

    def amax(self, dim=(), keepdim=False): return ops["reduce_max"](self, axis=every_axis(dim, self.ndim), keepdims=keepdim)
    def amin(self, dim=(), keepdim=False): return ops["reduce_min"](self, axis=every_axis(dim, self.ndim), keepdims=keepdim)
    def argmax(self, dim=None, keepdim=False): return ops["argmax"](self, axis=dim, keepdims=keepdim)
    def argmin(self, dim=None, keepdim=False): return ops["argmin"](self, axis=dim, keepdims=keepdim)

    def max(self, dim=None, keepdim=False, *, other=None):
        """Return the largest entry, with `dim` the pair of values and indices, or with a tensor the larger of two entries."""
        if other is not None or isinstance(dim, part("Tensor")):
            return self.maximum(dim if other is None else other)
        return ops["reduce_max"](self) if dim is None else self._extremes(self.argmax(dim, keepdim=True), dim, keepdim)

    def min(self, dim=None, keepdim=False, *, other=None):
        """Return the smallest entry, with `dim` the pair of values and indices, or with a tensor the smaller of two entries."""
        if other is not None or isinstance(dim, part("Tensor")):
            return self.minimum(dim if other is None else other)
        return ops["reduce_min"](self) if dim is None else self._extremes(self.argmin(dim, keepdim=True), dim, keepdim)

    def _extremes(self, indices, dim, keepdim):
        """Return the entries at some indices along an axis, and the indices: of equal entries, one counts."""
        values = self
        if self.ndim:
            dim = axis_of(dim, self.ndim)
            places = list(np.ix_(*map(range, indices.shape)))
            places[dim] = indices.data
            values = ops["getitem"](self, index=tuple(places))
        return Entries(values, indices) if keepdim else Entries(values.squeeze(dim), indices.squeeze(dim))

    # The same numbers with another shape.

    mT = property(lambda self: ops["transpose"](self, dim0=-2, dim1=-1))
    T = property(lambda self: self.mT if self.ndim == 2 else self.permute(*reversed(range(self.ndim))))


    def reshape(self, *sizes_given, shape=None):
        return ops["reshape"](self, shape=sizes(sizes_given if shape is None else (shape,)))

    def view(self, *shape): return ops["reshape"](self, shape=sizes(shape))
    def expand(self, *shape): return ops["expand"](self, shape=sizes(shape))
    def permute(self, *dims): return ops["permute"](self, dims=sizes(dims))
    def transpose(self, dim0, dim1): return ops["transpose"](self, dim0=dim0, dim1=dim1)
    def __getitem__(self, index): return ops["getitem"](self, index=plain_index(index))

    def flatten(self, start_dim=0, end_dim=-1):
        """Make one axis of those from ``start_dim`` to ``end_dim``."""
        first, last = axis_of(start_dim, self.ndim), axis_of(end_dim, self.ndim)
        if first > last:
            raise ValueError(f"flatten needs start_dim to come before end_dim, got {start_dim} and {end_dim}")
        return self.reshape(*self.shape[:first], math.prod(self.shape[first:last + 1]), *self.shape[last + 1:])

    def unsqueeze(self, dim):
        """Insert an axis of size 1, so that it becomes axis ``dim``."""
        dim = axis_of(dim, self.ndim + 1)
        return self.reshape(*self.shape[:dim], 1, *self.shape[dim:])

    def squeeze(self, dim=None):
        """Drop axis ``dim``, or those of a tuple, if its size is 1; without ``dim``, all such axes."""
        dims = range(self.ndim) if dim is None else dim if isinstance(dim, tuple) else (dim,)
        dropped = {axis_of(i, self.ndim) for i in dims}
        return self.reshape(*(n for i, n in enumerate(self.shape) if n != 1 or i not in dropped))

    # Iteration.

    def __len__(self):
        if self.ndim == 0:
            raise TypeError("a tensor of one number without axes has no length")
        return len(self.data)

    def __iter__(self):
        if self.ndim == 0:
            raise TypeError("a tensor of one number without axes cannot be iterated over: take .item()")
        return map(self.__getitem__, range(len(self)))

    def __contains__(self, value):
        return bool((self == value).data.any())

    # To Python and NumPy, and to another dtype or device.

    def tolist(self): return self.data.tolist()
    def float(self): return self.to(np.float32)
    def double(self): return self.to(np.float64)
    def long(self): return self.to(np.int64)
    def clone(self): return ops["cast"](self, dtype=self.dtype)
    def detach(self): return follow(part("Tensor")(self.data[...]), self)
    def __array__(self, dtype=None, copy=None): return np.array(self.numpy(), dtype, copy=copy)

    def to(self, *targets, device=None, dtype=None, non_blocking=False, copy=False):
        """Return this tensor on a device and with a dtype, given in any order or by name; itself if nothing has to change."""
        device, dtype = destination(*targets, device=device, dtype=dtype)
        out = self
        if dtype is not None and dtype != self.dtype:
            whole = dtype == np.float64 and isinstance(self.data, np.ndarray) and self.data.dtype.kind != "f"
            # A float64 that an op makes of whole numbers becomes float32, as in 1 / 3; here it is asked for.
            out = part("Tensor")(self.data.astype(dtype)) if whole else ops["cast"](self, dtype=dtype)
        if device is not None and (data := move(out.data, device)) is not out.data:
            out = part("Tensor")(data, out.requires_grad)
        return self.clone() if copy and out is self else out

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
    def __index__(self): return operator.index(self.item())

    def __bool__(self):
        if self.numel() != 1:
            raise RuntimeError(f"if, and, or, not need one number, got shape {self.shape}: use (x == y).data.all() or .any()")
        return bool(self.item())

    # Changes in place; each is counted, so that backward() can tell when a value that it needs is gone.

    def write(self, array, index=...):
        """Overwrite entries, all of them by default."""
        if state.recording and (self.requires_grad or getattr(array, "requires_grad", False)):
            raise RuntimeError("a write in place is not remembered, so nothing in it may require grad: "
                               "make a new one (x = x + 1), or use `with no_grad():`")
        self.data[plain_index(index)] = array.data if isinstance(array, part("Tensor")) else array
        tick(self)
        return self

    def _update(self, result):
        """Overwrite all entries with an operator's result; fractions do not become integers silently."""
        if ORDER.index(result.dtype.kind.replace("u", "i")) > ORDER.index(self.dtype.kind.replace("u", "i")):
            raise RuntimeError(f"an operator in place cannot write {result.dtype} into a tensor of {self.dtype}: "
                               "make a new one (x = x * 0.5), or convert it first with x.float()")
        if result.shape != self.shape:
            raise RuntimeError(f"an operator in place cannot change the shape {self.shape} to {result.shape}")
        return self.write(result)

    def __iadd__(self, other): return self._update(self + other)
    def __isub__(self, other): return self._update(self - other)
    def __imul__(self, other): return self._update(self * other)
    def __itruediv__(self, other): return self._update(self / other)
    def __ifloordiv__(self, other): return self._update(self // other)
    def __imod__(self, other): return self._update(self % other)
    def __ipow__(self, other): return self._update(self ** other)
    def __iand__(self, other): return self._update(self & other)
    def __ior__(self, other): return self._update(self | other)
    def __ixor__(self, other): return self._update(self ^ other)
    def __setitem__(self, index, value): self.write(value, index)
    def copy_(self, other): return self.write(other)
    def fill_(self, value): return self.write(value)
    def zero_(self): return self.write(0)
