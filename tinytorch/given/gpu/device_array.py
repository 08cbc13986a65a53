"""An array in the memory of the device. Given.

It has what a tensor asks of its ``data``: a shape, a dtype, operators, and what those of NumPy's functions do for which
there are kernels. It never becomes a NumPy array unasked: `download` copies it, and everything else refuses.
"""

import operator
import weakref
from functools import reduce

import numpy as np

from tinytorch.given.dispatch import select_kernel
from tinytorch.given.gpu import pool
from tinytorch.given.op import InPlace, ops
from tinytorch.given.state import watched, watchers

UFUNCS = {  # NumPy's function -> the op whose kernel computes it
    np.add: "add",
    np.subtract: "sub",
    np.multiply: "mul",
    np.true_divide: "div",
    np.power: "power",
    np.negative: "neg",
    np.exp: "exp",
    np.log: "log",
    np.sqrt: "sqrt",
    np.absolute: "absolute",
    np.sign: "sign",
    np.greater: "greater",
    np.greater_equal: "greater_equal",
    np.equal: "equal",
    np.not_equal: "not_equal",
}
ELSEWHERE = "move it with .cpu() first"


class DeviceArray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array on the device: its entries follow one another in the order of their indices.

    Args:
        shape: Tuple of ints.
        dtype: NumPy dtype.
        root: The array whose memory this one reads with another shape; None for memory of its own.
    """

    def __init__(self, shape, dtype, root=None):
        self.shape, self.dtype = tuple(map(int, shape)), np.dtype(dtype)
        self.ndim, self.size = len(self.shape), reduce(operator.mul, self.shape, 1)
        self.base = None if root is None else root if root.base is None else root.base
        if root is None:
            self.block = pool.pool.take(self.size * self.dtype.itemsize)
            weakref.finalize(self, pool.pool.give_back, self.block).atexit = False
        else:
            self.block = root.block

    nbytes = property(lambda self: self.size * self.dtype.itemsize)
    itemsize = property(lambda self: self.dtype.itemsize)
    memory = property(lambda self: self.as_shape(*self.shape), doc="What kernels take: an array of the backend's.")
    flat = property(lambda self: self.as_shape(self.size), doc="The same memory as one row.")
    T = property(lambda self: self.run("permute", dims=tuple(reversed(range(self.ndim)))))
    mT = property(lambda self: self.run("transpose", dim0=-2, dim1=-1))

    @property
    def __cuda_array_interface__(self):
        """How other libraries, and kernels of your own, find the memory on a GPU."""
        return self.memory.__cuda_array_interface__

    @property
    def strides(self):
        """The distances from one entry to the next along each axis, in bytes."""
        sizes = [self.itemsize]
        for size in reversed(self.shape[1:]):
            sizes.append(sizes[-1] * size)
        return tuple(reversed(sizes[: self.ndim]))

    def as_shape(self, *shape):
        """Return the memory as kernels take it, with a shape of as many entries."""
        return self.block.view(shape, self.dtype)

    def run(self, name, *others, **settings):
        """Run the kernel of an op on this array."""
        return select_kernel(ops[name], self, *others)(self, *others, **settings)

    # What tensors ask of their data.

    def reshape(self, *shape):
        """Return the same memory with another shape."""
        shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        shape = np.empty(self.shape, np.void).reshape(shape).shape if -1 in shape else tuple(shape)
        if reduce(operator.mul, shape, 1) != self.size:
            raise ValueError(f"cannot reshape array of size {self.size} into shape {shape}")
        return DeviceArray(shape, self.dtype, root=self)

    def astype(self, dtype, copy=True):
        """Return the entries converted to a dtype."""
        return self.run("cast", dtype=np.dtype(dtype)) if copy or self.dtype != dtype else self

    def item(self):
        """Return the one entry as a Python number; it waits for the device."""
        return download(self).item()

    def tolist(self):
        """Return the entries as nested lists of Python numbers."""
        return download(self).tolist()

    def copy(self):
        """Return a copy, on the device."""
        return self.run("cast", dtype=self.dtype)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, index):
        return DeviceArray(self.shape, self.dtype, root=self) if index is Ellipsis else self.run("getitem", index=index)

    def __setitem__(self, index, value):
        put(self, index=index, value=value)

    def __repr__(self):
        return f"DeviceArray(shape={self.shape}, dtype={self.dtype})"

    # NumPy's functions.

    def __array__(self, *_, **__):
        raise TypeError(f"this array is on cuda, and NumPy's are on the cpu: {ELSEWHERE}")

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        if method != "__call__" or options or ufunc not in UFUNCS:
            raise TypeError(f"np.{ufunc.__name__} has no kernel for an array on cuda: {ELSEWHERE}")
        op = ops[UFUNCS[ufunc]]
        result = select_kernel(op, *inputs)(*inputs)
        if out is None:
            return result
        out[0][...] = result
        return out[0]

    def __array_function__(self, function, types, arguments, options):
        if function not in FUNCTIONS:
            raise TypeError(f"np.{function.__name__} has no kernel for an array on cuda: {ELSEWHERE}")
        return FUNCTIONS[function](*arguments, **options)


@InPlace
def put(array, *, index, value):
    """Overwrite entries of an array, in place; the value may be on the host."""
    array[index] = value


def filled(value):
    """Return a function that makes an array like another one, full of a number."""

    def like(array, dtype=None):
        out = DeviceArray(array.shape, array.dtype if dtype is None else dtype)
        out[...] = value
        return out

    return like


def upload(array):
    """Copy a NumPy array to the device.

    Args:
        array: The array, of any shape.

    Returns:
        `DeviceArray`.
    """
    return (watched("upload", uploaded) if watchers else uploaded)(array)


def uploaded(array):
    """Return a copy of a NumPy array on the device."""
    out = DeviceArray(array.shape, array.dtype)
    send(array, out)
    return out


def send(array, out):
    """Copy a NumPy array to one on the device, of the same shape and dtype."""
    if out.size:
        pool.device().upload(np.ascontiguousarray(array).reshape(-1), out.flat)


def download(array):
    """Copy an array from the device.

    Args:
        array: The `DeviceArray`.

    Returns:
        NumPy array.
    """
    return (watched("download", downloaded) if watchers else downloaded)(array)


def downloaded(array):
    """Return a copy of a device's array in NumPy's memory."""
    return pool.device().download(array.flat).reshape(array.shape) if array.size else np.empty(array.shape, array.dtype)


FUNCTIONS = {  # those that module 06 and others call on a tensor's array
    np.zeros_like: filled(0),
    np.ones_like: filled(1),
    np.empty_like: lambda array, dtype=None: DeviceArray(array.shape, dtype or array.dtype),
    np.copy: lambda array: download(array),  # an optimizer's state is saved from there
    np.vdot: lambda a, b: download((a * b).run("reduce_sum", axis=None, keepdims=False))[()],
    np.shape: lambda array: array.shape,
    np.where: lambda condition, a, b: select_kernel(ops["where"], condition, a, b)(condition, a, b),
}
