"""PyTorch's tensor methods besides those of `tensor_methods.py`. Given, made of ops: gradients flow through them."""
import math
from collections import namedtuple

import numpy as np

from tinytorch.given import pytorch_ops  # noqa: F401, it registers the ops
from tinytorch.given.history import Origin
from tinytorch.given.op import ops, part
from tinytorch.given.random import generator as chosen
from tinytorch.given.state import asked

Entries = namedtuple("Entries", "values indices")  # what sort, topk, max(dim) and others return: entries, and where they are


def _floats(x):
    """Return a tensor as floats: integers become float32."""
    return x if x.dtype.kind == "f" else x.to(np.dtype("float32"))


def _axis(dim, ndim):
    """Return an axis counted from the front."""
    from tinytorch.given.tensor_methods import axis_of

    return axis_of(dim, ndim)


def _sizes(shape):
    """Return a shape given as ``f(2, 3)`` or as ``f((2, 3))``."""
    return tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape


def _tensor(array):
    """Make a tensor of an array, or of a NumPy number."""
    return part("Tensor")(np.asarray(array))


def _beside(index, dim):
    """Return an index of arrays that takes the places in ``index`` along one axis, and each entry's own place along the others.

    Args:
        index: int array.
        dim: The axis.
    """
    places = list(np.ix_(*map(range, index.shape)))
    places[dim] = index
    return tuple(places)


def _loaded(name):
    """Return an op of module 02 or 04; import the module if that has not happened yet."""
    import importlib

    if name not in ops:
        importlib.import_module(f"tinytorch.{'losses' if name == 'logsumexp' else 'activations'}")
    return ops[name]


_OPS_OF = {  # NumPy's function -> the op that an operator between an array and a tensor calls
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "power": "power", "floor_divide": "floor_divide",
    "remainder": "remainder",
}


class PyTorchMethods:
    """Methods of a tensor with PyTorch's names and arguments."""

    __slots__ = ()

    # Together with arrays.

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **settings):
        """Handle NumPy functions of tensors: ``array + tensor`` is an op, ``array += tensor`` writes into the array itself."""
        if method != "__call__":
            return NotImplemented
        if out is None and ufunc.__name__ in _OPS_OF:
            return ops[_OPS_OF[ufunc.__name__]](*inputs)
        if out is None and ufunc.__name__ == "matmul":
            return inputs[0] @ inputs[1] if inputs[0] is self else part("Tensor")(inputs[0]) @ self
        arrays = [x.numpy() if isinstance(x, part("Tensor")) else x for x in inputs]
        result = ufunc(*arrays, **settings) if out is None else ufunc(*arrays, out=out, **settings)
        return result if out is not None else part("Tensor")(np.asarray(result))

    # Where it came from.

    @property
    def grad_fn(self):
        """The tensor's origin: its op, inputs and settings; None for a leaf."""
        return self.origin

    def retain_grad(self):
        """Keep the gradient of this tensor in ``grad``, although it is not a leaf."""
        if not self.requires_grad:
            raise RuntimeError("retain_grad() needs a tensor that requires a gradient")
        if self.origin is None or self.origin.op is ops["retained"]:
            return
        before = part("Tensor")(self.data)
        before.requires_grad, before.origin, before.written = True, self.origin, self.written
        self.origin = Origin(ops["retained"], (before,), {}, self.origin.time)

    def register_hook(self, hook):
        """Raise an error: here you change gradients after `backward`."""
        raise NotImplementedError("tensors have no hooks here: read or change .grad after backward(), or use retain_grad()")

    # Entry by entry.

    def sin(self): return ops["sin"](self)
    def cos(self): return ops["cos"](self)
    def tan(self): return self.sin() / self.cos()
    def asin(self): return ops["arcsin"](self)
    def acos(self): return math.pi / 2 - ops["arcsin"](self)
    def atan(self): return ops["arctan"](self)
    def sinh(self): return (_floats(self).exp() - (-_floats(self)).exp()) * 0.5
    def cosh(self): return (_floats(self).exp() + (-_floats(self)).exp()) * 0.5
    def log1p(self): return ops["log1p"](self)
    def expm1(self): return ops["expm1"](self)
    def log2(self): return _floats(self).log() / math.log(2)
    def log10(self): return _floats(self).log() / math.log(10)
    def exp2(self): return 2.0 ** _floats(self)
    def rsqrt(self): return 1 / _floats(self).sqrt()
    def reciprocal(self): return 1 / _floats(self)
    def square(self): return self ** 2
    def neg(self): return -self
    def negative(self): return -self
    def absolute(self): return self.abs()
    def sign(self): return ops["signs"](self)
    def sgn(self): return ops["signs"](self)
    def floor(self): return ops["floor"](self)
    def ceil(self): return ops["ceil"](self)
    def trunc(self): return ops["trunc"](self)
    def fix(self): return ops["trunc"](self)
    def frac(self): return self - ops["trunc"](self)
    def round(self, *, decimals=0): return ops["round_to"](self, decimals=decimals)
    def erf(self): return _loaded("erf")(_floats(self))
    def relu(self): return _loaded("relu")(self)
    def sigmoid(self): return _loaded("sigmoid")(_floats(self))
    def tanh(self): return _loaded("tanh")(_floats(self))
    def softmax(self, dim, dtype=None): return _loaded("softmax")(_floats(self) if dtype is None else self.to(dtype), dim=dim)
    def log_softmax(self, dim, dtype=None):
        return _loaded("log_softmax")(_floats(self) if dtype is None else self.to(dtype), dim=dim)


    def logsumexp(self, dim, keepdim=False):
        """Take the logarithm of the sum of exponentials along one axis, or several."""
        if isinstance(dim, (tuple, list)):
            rest = [i for i in range(self.ndim) if i not in {_axis(d, self.ndim) for d in dim}]
            axes = [_axis(d, self.ndim) for d in dim]
            out = self.permute(*rest, *axes).reshape(*(self.shape[i] for i in rest), -1).logsumexp(-1)
            return out.reshape(*(1 if i in axes else n for i, n in enumerate(self.shape))) if keepdim else out
        return _loaded("logsumexp")(_floats(self), dim=dim, keepdim=keepdim)

    def add(self, other, *, alpha=1): return self + (other if alpha == 1 else other * alpha)
    def sub(self, other, *, alpha=1): return self - (other if alpha == 1 else other * alpha)
    def subtract(self, other, *, alpha=1): return self.sub(other, alpha=alpha)
    def mul(self, other): return self * other
    def multiply(self, other): return self * other
    def true_divide(self, other): return self / other
    def floor_divide(self, other): return self // other
    def remainder(self, other): return self % other
    def fmod(self, other): return ops["fmod"](self, other)

    def div(self, other, *, rounding_mode=None):
        """Divide; ``rounding_mode`` may be ``"floor"`` or ``"trunc"``."""
        if rounding_mode not in (None, "floor", "trunc"):
            raise ValueError(f'div needs rounding_mode=None, "floor" or "trunc", got {rounding_mode!r}')
        if rounding_mode == "floor":
            return self // other
        return self / other if rounding_mode is None else (self / other).trunc().to((self // other).dtype)

    def divide(self, other, *, rounding_mode=None): return self.div(other, rounding_mode=rounding_mode)
    def lerp(self, end, weight): return self + (end - self) * weight
    def addcmul(self, tensor1, tensor2, *, value=1): return self + tensor1 * tensor2 * value
    def addcdiv(self, tensor1, tensor2, *, value=1): return self + tensor1 / tensor2 * value

    # Comparisons.

    def eq(self, other): return self == other
    def ne(self, other): return self != other
    def lt(self, other): return self < other
    def le(self, other): return self <= other
    def gt(self, other): return self > other
    def ge(self, other): return self >= other
    def greater(self, other): return self > other
    def less(self, other): return self < other
    def isnan(self): return self != self
    def isinf(self): return self.abs() == math.inf
    def isfinite(self): return (self == self) & ~self.isinf()
    def logical_not(self): return self == 0
    def logical_and(self, other): return (self != 0) & (other != 0)
    def logical_or(self, other): return (self != 0) | (other != 0)
    def logical_xor(self, other): return (self != 0) ^ (other != 0)
    def bitwise_and(self, other): return self & other
    def bitwise_or(self, other): return self | other
    def bitwise_xor(self, other): return self ^ other
    def bitwise_not(self): return ~self
    def maximum(self, other): return ops["maximum"](self, other)
    def minimum(self, other): return ops["minimum"](self, other)
    def equal(self, other): return self.shape == other.shape and bool((self == other).data.all())

    def isclose(self, other, rtol=1e-5, atol=1e-8, equal_nan=False):
        """Say where two tensors differ by at most ``atol + rtol * |other|``."""
        return _tensor(np.isclose(self.data, getattr(other, "data", other), rtol, atol, equal_nan))

    def allclose(self, other, rtol=1e-5, atol=1e-8, equal_nan=False):
        """Say whether all entries are close, as `isclose` has it: a Python bool."""
        return bool(self.isclose(other, rtol, atol, equal_nan).data.all())

    def clamp(self, min=None, max=None):
        """Limit every entry to ``min`` and ``max``: numbers or tensors, one of which may be missing."""
        if isinstance(min, part("Tensor")) or isinstance(max, part("Tensor")):
            out = self if min is None else self.maximum(min)
            return out if max is None else out.minimum(max)
        return ops["clamped"](self, min=min, max=max)

    def clip(self, min=None, max=None): return self.clamp(min, max)
    def clamp_min(self, min): return self.clamp(min=min)
    def clamp_max(self, max): return self.clamp(max=max)
    def nan_to_num(self, nan=0.0, posinf=None, neginf=None):
        """Replace nan and infinities; by default infinities become the largest numbers of the dtype."""
        return self.where(self.isfinite(), _tensor(np.nan_to_num(self.data, True, nan, posinf, neginf)))

    # Reductions.

    def any(self, dim=None, keepdim=False): return _tensor(np.any(self.data, dim, keepdims=keepdim))
    def all(self, dim=None, keepdim=False): return _tensor(np.all(self.data, dim, keepdims=keepdim))
    def prod(self, dim=None, keepdim=False, *, dtype=None):
        return ops["prod"](self if dtype is None else self.to(dtype), dim=dim, keepdim=keepdim)

    def cumsum(self, dim, *, dtype=None):
        return ops["cumsum"](self if dtype is None else self.to(dtype), dim=_axis(dim, self.ndim))

    def cumprod(self, dim, *, dtype=None):
        return ops["cumprod"](self if dtype is None else self.to(dtype), dim=_axis(dim, self.ndim))

    def count_nonzero(self, dim=None): return (self != 0).sum(dim)

    def nansum(self, dim=None, keepdim=False):
        return (self.masked_fill(self.isnan(), 0.0) if self.dtype.kind == "f" else self).sum(dim, keepdim)

    def aminmax(self, *, dim=None, keepdim=False): return self.amin(dim, keepdim), self.amax(dim, keepdim)

    def norm(self, p="fro", dim=None, keepdim=False):
        """Return the p-th root of the sum of |x| ** p, of all entries or along axes; p is 2 by default."""
        if p in ("fro", 2, None):
            total = (self * self).sum(dim, keepdim)
            flat = total == 0  # the root has no slope there, and the norm's gradient is 0
            return ops["where"](flat, 0.0, ops["where"](flat, 1.0, total).sqrt())
        if p in (math.inf, -math.inf):
            return self.abs().amax(dim, keepdim) if p > 0 else self.abs().amin(dim, keepdim)
        if p == 0:
            return (self != 0).sum(dim, keepdim).to(self.dtype)
        return self.abs().sum(dim, keepdim) if p == 1 else (self.abs() ** p).sum(dim, keepdim) ** (1 / p)

    def median(self, dim=None, keepdim=False):
        """Return the lower median of all entries, or along an axis the pair of values and indices."""
        if dim is None and self.numel() == 0:
            return self.sum() * math.nan
        if dim is None:
            return self.reshape(-1).kthvalue((self.numel() + 1) // 2)[0]
        return self.kthvalue(((self.shape[dim] if self.ndim else 1) + 1) // 2, dim, keepdim)

    def kthvalue(self, k, dim=-1, keepdim=False):
        """Return the k-th smallest entries along an axis, k from 1, and their indices."""
        values, indices = self.sort(dim)
        if self.ndim == 0:
            return Entries(values, indices)
        values, indices = (x.narrow(dim, k - 1, 1) for x in (values, indices))
        return Entries(values, indices) if keepdim else Entries(values.squeeze(dim), indices.squeeze(dim))

    # Sorting and counting.

    def argsort(self, dim=-1, descending=False, stable=False):
        """Return the positions that sort the entries along an axis; equal entries keep their order."""
        if self.ndim == 0:
            return _tensor(np.zeros((), np.int64))
        if not descending:
            return _tensor(np.argsort(self.data, dim, kind="stable"))
        backwards = np.argsort(np.flip(self.data, dim), dim, kind="stable")
        return _tensor(np.ascontiguousarray(self.data.shape[dim] - 1 - np.flip(backwards, dim)))

    def sort(self, dim=-1, descending=False, stable=False):
        """Return the entries in order along an axis, and their positions: ``values`` and ``indices``."""
        indices = self.argsort(dim, descending)
        return Entries(self.gather(dim, indices), indices)

    def topk(self, k, dim=-1, largest=True, sorted=True):
        """Return the k largest (or smallest) entries along an axis, and their positions."""
        size = self.shape[dim] if self.ndim else 1
        if not 0 <= k <= size:
            raise ValueError(f"topk needs k from 0 to {size} along dim {dim}, got {k}")
        indices = self.argsort(dim, descending=largest)
        indices = indices.narrow(dim, 0, k) if self.ndim else indices
        return Entries(self.gather(dim, indices), indices)

    def unique(self, sorted=True, return_inverse=False, return_counts=False, dim=None):
        """Return the distinct entries in order, and on request where each entry went and how often each occurs."""
        out = np.unique(self.data, return_inverse=return_inverse, return_counts=return_counts, axis=dim, equal_nan=False)
        if not return_inverse and not return_counts:
            return _tensor(out)
        out = list(out)
        if return_inverse:
            out[1] = out[1].reshape(self.shape if dim is None else -1)
        return tuple(map(_tensor, out))

    def bincount(self, weights=None, minlength=0):
        """Count how often each integer occurs, from 0 on."""
        return _tensor(np.bincount(self.data, None if weights is None else weights.data, minlength))

    # Indexing, reading and writing.

    def nonzero(self, *, as_tuple=False):
        """Return the places of the entries that are not 0: a row each, or with ``as_tuple`` a tensor for each axis."""
        places = np.nonzero(np.atleast_1d(self.data))
        if as_tuple:
            return tuple(map(_tensor, places))
        return _tensor(np.stack(places, 1) if self.ndim else np.zeros((len(places[0]), 0), np.int64))

    def gather(self, dim, index):
        """Take the entries at ``index`` along an axis: ``out[i][j] = self[index[i][j]][j]`` for dim 0."""
        if self.ndim == 0 or index.ndim == 0:
            return self if index.ndim == self.ndim else self.reshape(-1)[index.data]
        dim = _axis(dim, self.ndim)
        self._fits(index, dim, "gather")
        return ops["getitem"](self, index=_beside(index.data, dim))

    def _fits(self, index, dim, name):
        """Raise an error if an index has another number of axes, is larger than the tensor, or does not hold integers."""
        if index.dtype.kind not in "iu":
            raise TypeError(f"{name} needs an index of whole numbers, got {index.dtype}")
        if index.ndim != self.ndim or any(m > n for i, (m, n) in enumerate(zip(index.shape, self.shape)) if i != dim):
            raise ValueError(f"{name} needs an index that fits into {self.shape} except along dim {dim}, got {index.shape}")
        if asked(lambda numbers: ((numbers < 0) | (numbers >= self.shape[dim])).any(), index.data):
            raise IndexError(f"{name} needs positions from 0 to {self.shape[dim] - 1} along dim {dim}")

    def scatter(self, dim, index, src=None, *, value=None, reduce=None):
        """Return a copy in which the places in ``index`` hold the entries of ``src``, or a number."""
        if reduce is not None:
            raise NotImplementedError("scatter has no reduce= here: use scatter_add, or multiply")
        return self._scattered("scatter_to", dim, index, src if value is None else value, "scatter")

    def scatter_add(self, dim, index, src):
        """Return a copy with the entries of ``src`` added at the places in ``index``."""
        return self._scattered("scatter_sum", dim, index, src, "scatter_add")

    def _scattered(self, op, dim, index, src, name):
        """Run an op that writes entries at the places in an index along an axis."""
        dim = _axis(dim, self.ndim)
        self._fits(index, dim, name)
        if isinstance(src, part("Tensor")):
            src = src[tuple(slice(0, n) for n in index.shape)]
        return ops[op](self, src, index=_beside(index.data, dim))

    def index_select(self, dim, index):
        """Take the slices at a vector of positions along an axis."""
        return self[(slice(None),) * _axis(dim, self.ndim) + (index.reshape(-1),)]

    def index_add(self, dim, index, source, *, alpha=1):
        """Return a copy with slices added at a vector of positions."""
        place = (slice(None),) * _axis(dim, self.ndim) + (index.data,)
        return ops["scatter_sum"](self, source * alpha, index=place)

    def take_along_dim(self, indices, dim=None):
        """Take the entries at ``indices`` along an axis; without ``dim``, of the flattened tensor."""
        return self.reshape(-1)[indices.reshape(-1)] if dim is None else self.gather(dim, indices)

    def take(self, index): return self.reshape(-1)[index]

    def masked_select(self, mask):
        """Return the entries for which a mask is true, as one row; mask and tensor broadcast."""
        shape = np.broadcast_shapes(self.shape, mask.shape)
        return self.expand(*shape)[mask.expand(*shape)]


    def masked_fill(self, mask, value):
        """Return a copy with a number wherever the mask, of bools, is True."""
        if mask.dtype != bool:
            raise TypeError(f"masked_fill needs a mask of bools, got {mask.dtype}: write mask == 0, or mask.bool()")
        out = ops["where"](mask, value, self)
        return out if out.dtype == self.dtype else out.to(self.dtype)

    def where(self, condition, other): return ops["where"](condition, self, other)

    # Matrices.

    def tril(self, diagonal=0): return self._part(np.tril, diagonal)
    def triu(self, diagonal=0): return self._part(np.triu, diagonal)

    def _part(self, half, diagonal):
        """Return the matrix, or batch of them, with zeros beyond a diagonal."""
        if self.ndim < 2:
            raise ValueError(f"tril and triu need a matrix, or a batch of them, got shape {self.shape}")
        kept = half(np.ones(self.shape[-2:], bool), diagonal)
        return self.masked_fill(_tensor(~kept), self.dtype.type(0).item())

    def diagonal(self, offset=0, dim1=0, dim2=1):
        """Return the entries of a diagonal, as the last axis."""
        first, second = _axis(dim1, self.ndim), _axis(dim2, self.ndim)
        rest = [i for i in range(self.ndim) if i not in (first, second)]
        x = self.permute(*rest, first, second)
        rows, columns = x.shape[-2:]
        count = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
        i = np.arange(count)
        return x[(..., i + max(-offset, 0), i + max(offset, 0))]

    def diag(self, diagonal=0):
        """Return a matrix with the vector on a diagonal, or the diagonal of a matrix."""
        if self.ndim not in (1, 2):
            raise ValueError(f"diag needs a vector or a matrix, got shape {self.shape}: use diagonal()")
        if self.ndim == 2:
            return self.diagonal(diagonal)
        size, i = len(self) + abs(diagonal), np.arange(len(self))
        empty = _tensor(np.zeros((size, size), self.dtype))
        return ops["scatter_to"](empty, self, index=(i + max(-diagonal, 0), i + max(diagonal, 0)))

    def trace(self): return self._flat("trace", 2).diagonal().sum()
    def t(self): return self.transpose(0, 1) if self._flat("t", 0, 1, 2).ndim == 2 else self
    def mm(self, mat2): return self._product("mm", mat2, 2, 2)
    def bmm(self, mat2): return self._product("bmm", mat2, 3, 3)
    def mv(self, vec): return self._product("mv", vec, 2, 1)
    def dot(self, tensor): return self._product("dot", tensor, 1, 1)
    def inner(self, other): return self @ other if other.ndim == 1 else self @ other.mT if self.ndim else self * other
    def outer(self, vec2): return self.unsqueeze(1) * vec2
    def addmm(self, mat1, mat2, *, beta=1, alpha=1): return self * beta + mat1.mm(mat2) * alpha
    def addmv(self, mat, vec, *, beta=1, alpha=1): return self * beta + mat.mv(vec) * alpha
    def baddbmm(self, batch1, batch2, *, beta=1, alpha=1): return self * beta + batch1.bmm(batch2) * alpha

    def _flat(self, name, *counts):
        """Return the tensor if its number of axes is one of the counts."""
        if self.ndim not in counts:
            raise ValueError(f"{name} needs at most {counts[-1]} axes, got shape {self.shape}: use mT or diagonal()")
        return self

    def _product(self, name, other, mine, theirs):
        """Multiply if both have the number of axes that the method needs."""
        if self.ndim != mine or other.ndim != theirs or name == "bmm" and len(self) != len(other):
            raise ValueError(f"{name} needs tensors of {mine} and {theirs} axes that fit, got {self.shape} and {other.shape}: "
                             "use matmul, which takes all")
        return self @ other

    # Shapes.

    def contiguous(self, memory_format=None): return self if self.is_contiguous() else self.clone()
    def is_contiguous(self, memory_format=None): return self.data.flags.c_contiguous
    def stride(self, dim=None):
        """Return the step in memory from one entry to the next, in entries: along each axis, or along one."""
        steps = tuple(n // self.data.itemsize for n in self.data.strides)
        return steps if dim is None else steps[dim]

    def view_as(self, other): return self.reshape(*other.shape)
    def reshape_as(self, other): return self.reshape(*other.shape)
    def expand_as(self, other): return self.expand(*other.shape)
    def swapaxes(self, axis0, axis1): return self.transpose(axis0, axis1)
    def swapdims(self, dim0, dim1): return self.transpose(dim0, dim1)
    def ravel(self): return self.reshape(-1)
    def select(self, dim, index): return self[(slice(None),) * _axis(dim, self.ndim) + (index,)]
    def unbind(self, dim=0): return tuple(self.select(dim, i) for i in range(self.shape[dim]))

    def movedim(self, source, destination):
        """Move axes to other places; the rest keep their order."""
        source, destination = (x if isinstance(x, (tuple, list)) else (x,) for x in (source, destination))
        source, destination = ([_axis(d, self.ndim) for d in x] for x in (source, destination))
        order = [i for i in range(self.ndim) if i not in source]
        for place, axis in sorted(zip(destination, source)):
            order.insert(place, axis)
        return self.permute(*order)

    def moveaxis(self, source, destination): return self.movedim(source, destination)

    def narrow(self, dim, start, length):
        """Take ``length`` entries along an axis, from ``start`` on."""
        size = self.shape[_axis(dim, self.ndim)]
        start = start + size if start < 0 else start
        if not 0 <= start <= start + length <= size:
            raise ValueError(f"narrow needs a part of the {size} entries along dim {dim}, got {start} to {start + length}")
        return self[(slice(None),) * _axis(dim, self.ndim) + (slice(start, start + length),)]

    def split(self, split_size_or_sections, dim=0):
        """Cut an axis into parts of one size, the last perhaps smaller, or into parts of the sizes listed."""
        size, parts = self.shape[_axis(dim, self.ndim)], split_size_or_sections
        if isinstance(parts, int):
            parts = [min(parts, size - start) for start in range(0, size, parts)] or [0]
        if sum(parts) != size:
            raise ValueError(f"split needs parts that sum to {size} along dim {dim}, got {list(parts)}")
        starts = np.cumsum([0, *parts]).tolist()
        return tuple(self.narrow(dim, start, length) for start, length in zip(starts, parts))

    def chunk(self, chunks, dim=0): return self.split(max(-(-self.shape[dim] // chunks), 1), dim)

    def unflatten(self, dim, sizes):
        """Turn one axis into several."""
        dim = _axis(dim, self.ndim)
        return self.reshape(*self.shape[:dim], *_filled(sizes, self.shape[dim]), *self.shape[dim + 1:])

    def repeat(self, *repeats):
        """Repeat the tensor a number of times along each axis; more numbers than axes add axes in front."""
        repeats = _sizes(repeats)
        if len(repeats) < self.ndim:
            raise ValueError(f"repeat needs a number for each axis of {self.shape}, got {repeats}")
        shape = (1,) * (len(repeats) - self.ndim) + self.shape
        x = self.reshape(*(n for size in shape for n in (1, size)))
        x = x.expand(*(n for pair in zip(repeats, shape) for n in pair))
        return x.reshape(*(times * size for times, size in zip(repeats, shape)))

    def tile(self, *dims):
        """Repeat the tensor, like `repeat`; missing numbers count as 1."""
        dims = _sizes(dims)
        return self.repeat(*(1,) * (self.ndim - len(dims)), *dims)

    def repeat_interleave(self, repeats, dim=None):
        """Repeat every entry along an axis, each right after itself."""
        if dim is None:
            return self.reshape(-1).repeat_interleave(repeats, 0)
        counts = repeats.data if isinstance(repeats, part("Tensor")) else repeats
        return self.index_select(dim, _tensor(np.repeat(np.arange(self.shape[dim]), counts)))

    def flip(self, *dims):
        """Reverse the order along axes."""
        axes = [_axis(d, self.ndim) for d in _sizes(dims)]
        index = tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(self.ndim))
        return self[index] if axes else self.clone()

    def fliplr(self): return self.flip(1)
    def flipud(self): return self.flip(0)

    def roll(self, shifts, dims=None):
        """Shift along axes; entries that leave at the end come in at the start."""
        if dims is None:
            return self.reshape(-1).roll(shifts, 0).reshape(*self.shape)
        x = self
        for shift, dim in zip(*((d,) if isinstance(d, int) else d for d in (shifts, dims))):
            x = x.index_select(dim, _tensor(np.roll(np.arange(x.shape[dim]), shift)))
        return x

    # Other dtypes and devices.

    def int(self): return self.to(np.dtype("int32"))
    def short(self): return self.to(np.dtype("int16"))
    def half(self): return self.to(np.dtype("float16"))
    def bool(self): return self != 0
    def byte(self): return self.to(np.dtype("uint8"))
    def char(self): return self.to(np.dtype("int8"))
    def cpu(self): return self.to("cpu")
    def cuda(self, device=None): return self.to("cuda")
    def type_as(self, other): return self.to(other.dtype)
    def is_floating_point(self): return self.dtype.kind == "f"
    def element_size(self): return self.data.itemsize
    def nelement(self): return self.data.size
    def ndimension(self): return self.ndim

    is_cuda = property(lambda self: self.device != "cpu")
    itemsize = property(lambda self: self.data.itemsize)
    nbytes = property(lambda self: self.data.nbytes)
    H = property(lambda self: self.mT)

    def type(self, dtype=None):
        """Return the tensor with another dtype; without one, the name of its kind, such as ``"torch.FloatTensor"``."""
        names = {"float32": "Float", "float64": "Double", "float16": "Half", "int64": "Long", "int32": "Int", "int16": "Short",
                 "int8": "Char", "uint8": "Byte", "bool": "Bool"}
        return f"torch.{names[str(self.dtype)]}Tensor" if dtype is None else self.to(dtype)

    def new_zeros(self, *size, dtype=None): return _tensor(np.zeros(_sizes(size), dtype or self.dtype)).to(self.device)
    def new_ones(self, *size, dtype=None): return _tensor(np.ones(_sizes(size), dtype or self.dtype)).to(self.device)
    def new_empty(self, *size, dtype=None): return self.new_zeros(*size, dtype=dtype)

    def new_full(self, size, fill_value, *, dtype=None):
        return _tensor(np.full(size, fill_value, dtype or self.dtype)).to(self.device)

    def new_tensor(self, data, *, dtype=None): return _tensor(np.array(data, dtype or self.dtype)).to(self.device)

    # In place: PyTorch's names that end with an underscore.

    def add_(self, other, *, alpha=1): return self._update(self.add(other, alpha=alpha))
    def sub_(self, other, *, alpha=1): return self._update(self.sub(other, alpha=alpha))
    def mul_(self, other): return self._update(self * other)
    def div_(self, other, *, rounding_mode=None): return self._update(self.div(other, rounding_mode=rounding_mode))
    def pow_(self, exponent): return self._update(self ** exponent)
    def neg_(self): return self._update(-self)
    def abs_(self): return self._update(self.abs())
    def exp_(self): return self._update(self.exp())
    def log_(self): return self._update(self.log())
    def sqrt_(self): return self._update(self.sqrt())
    def rsqrt_(self): return self._update(self.rsqrt())
    def square_(self): return self._update(self.square())
    def reciprocal_(self): return self._update(self.reciprocal())
    def floor_(self): return self._update(self.floor())
    def ceil_(self): return self._update(self.ceil())
    def round_(self): return self._update(self.round())
    def relu_(self): return self._update(self.relu())
    def sigmoid_(self): return self._update(self.sigmoid())
    def tanh_(self): return self._update(self.tanh())
    def clamp_(self, min=None, max=None): return self._update(self.clamp(min, max))
    def clip_(self, min=None, max=None): return self._update(self.clamp(min, max))
    def clamp_min_(self, min): return self._update(self.clamp(min=min))
    def clamp_max_(self, max): return self._update(self.clamp(max=max))
    def lerp_(self, end, weight): return self._update(self.lerp(end, weight))
    def addcmul_(self, tensor1, tensor2, *, value=1): return self._update(self.addcmul(tensor1, tensor2, value=value))
    def addcdiv_(self, tensor1, tensor2, *, value=1): return self._update(self.addcdiv(tensor1, tensor2, value=value))
    def masked_fill_(self, mask, value): return self._update(self.masked_fill(mask, value))
    def scatter_(self, dim, index, src=None, *, value=None): return self._update(self.scatter(dim, index, src, value=value))
    def scatter_add_(self, dim, index, src): return self._update(self.scatter_add(dim, index, src))
    def index_add_(self, dim, index, source, *, alpha=1): return self._update(self.index_add(dim, index, source, alpha=alpha))
    def tril_(self, diagonal=0): return self._update(self.tril(diagonal))
    def triu_(self, diagonal=0): return self._update(self.triu(diagonal))

    def fill_diagonal_(self, fill_value):
        """Write a number on the diagonal."""
        i = np.arange(min(self.shape))
        return self.write(fill_value, (i, i))

    def normal_(self, mean=0.0, std=1.0, *, generator=None):
        """Overwrite all entries with draws from a normal distribution."""
        return self.write(chosen(generator).standard_normal(self.shape, np.float32) * std + mean)

    def uniform_(self, a=0.0, b=1.0, *, generator=None):
        """Overwrite all entries with draws from the uniform distribution on ``a`` to ``b``."""
        return self.write(chosen(generator).random(self.shape, np.float32) * (b - a) + a)

    def bernoulli_(self, p=0.5, *, generator=None):
        """Overwrite all entries with 1, with probability ``p``, or 0."""
        return self.write(chosen(generator).random(self.shape) < p)

    def random_(self, low=0, high=None, *, generator=None):
        """Overwrite all entries with whole numbers from ``low`` to just before ``high``."""
        return self.write(chosen(generator).integers(*((0, low) if high is None else (low, high)), self.shape))

    def multinomial(self, num_samples, replacement=False, *, generator=None):
        """Draw positions, each with a probability in proportion to its entry."""
        from tinytorch.given import creation

        return creation.multinomial(self, num_samples, replacement, generator=generator)


def _filled(sizes, total):
    """Return sizes with -1 replaced by the size that makes their product the total."""
    known = math.prod(n for n in sizes if n != -1)
    return tuple(total // max(known, 1) if n == -1 else n for n in sizes)
