"""Kernels that move entries: an array on the device has one order, so what is a view in NumPy is a copy here. Given.

Which entry goes where is a matter of an offset and a stride for each axis. NumPy knows both for every view, so `strides_of`
asks it, with an array that has a shape and no memory.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tinytorch.given.gpu.backend import cuda
from tinytorch.given.gpu.device_array import DeviceArray, upload
from tinytorch.given.gpu.kernels.launching import run

AXES = 6


@cuda.jit(device=True)
def place(i, offset, sizes, strides):
    """Return where the i-th entry of a view is in the array that it shows."""
    for k in range(AXES):
        axis = AXES - 1 - k
        offset += i % sizes[axis] * strides[axis]
        i //= sizes[axis]
    return offset


@cuda.jit
def gather(a, out, offset, sizes, strides):
    """Write one after the other the entries of a view."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        out[i] = a[place(i, offset, sizes, strides)]


@cuda.jit
def scatter(a, out, offset, sizes, strides):
    """Write an array's entries to the places of a view."""
    for i in range(cuda.grid(1), a.size, cuda.gridsize(1)):
        out[place(i, offset, sizes, strides)] = a[i]


@cuda.jit
def convert(a, out):
    """Write every entry as another type."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        out[i] = a[i]


@cuda.jit
def convert_to_bool(a, out):
    """Write whether every entry is not 0."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        out[i] = a[i] != 0


@cuda.jit
def fill(out, value):
    """Write a number everywhere."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        out[i] = value


@cuda.jit
def take_rows(a, index, out, width):
    """Write the rows that an index names, one below the other."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        out[i] = a[index[i // width] * width + i % width]


@cuda.jit
def put_rows(a, index, out, width):
    """Write rows to where an index says."""
    for i in range(cuda.grid(1), a.size, cuda.gridsize(1)):
        out[index[i // width] * width + i % width] = a[i]


@cuda.jit
def add_rows(a, index, out, width):
    """Add rows to where an index says; the same row may be named twice."""
    for i in range(cuda.grid(1), a.size, cuda.gridsize(1)):
        cuda.atomic.add(out, index[i // width] * width + i % width, a[i])


def strides_of(shape, view):
    """Return the shape, the offset and the strides of a view, counted in entries.

    Args:
        shape: Shape of the array.
        view: Function of a NumPy array that returns a view of it.

    Example:
        >>> strides_of((4, 3), lambda a: a[1:].T)
        ((3, 3), 3, (1, 3))
    """
    steps = np.empty(shape, np.int8).strides if 0 in shape else [int(np.prod(shape[k + 1 :])) for k in range(len(shape))]
    whole = as_strided(np.empty(1, np.int8), shape, steps)
    part = view(whole)
    start, first = (array.__array_interface__["data"][0] for array in (part, whole))
    return part.shape, start - first, part.strides


def filled_up(numbers, rest):
    """Return a tuple of `AXES` numbers, with ``rest`` in front."""
    if len(numbers) > AXES:
        raise ValueError(f"a move on cuda takes at most {AXES} axes, got {len(numbers)}: move the tensor with .cpu() first")
    return (rest,) * (AXES - len(numbers)) + tuple(map(int, numbers))


def moved(a, view):
    """Return a copy of a view.

    Args:
        a: `DeviceArray`.
        view: Function of a NumPy array that returns a view of it.
    """
    shape, offset, strides = strides_of(a.shape, view)
    out = DeviceArray(shape, a.dtype)
    run(gather, out.size, a, out, offset, filled_up(shape, 1), filled_up(strides, 0))
    return out


def spread(a, shape):
    """Return an array stretched to a shape that it broadcasts to; the array itself if it has that shape."""
    return a if a.shape == tuple(shape) else moved(a, lambda a: np.broadcast_to(a, shape))


def is_plain(index):
    """Say whether an index makes a view: whole numbers, slices, an ellipsis, new axes."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None or part is Ellipsis or isinstance(part, (int, np.integer, slice)) and not isinstance(part, bool)
        for part in parts
    )


def as_view(index):
    """Return a plain index as one that makes a view even of one entry."""
    parts = index if isinstance(index, tuple) else (index,)
    return parts if any(part is Ellipsis for part in parts) else (*parts, ...)


def rows(index, count):
    """Return an index of rows as an array on the device.

    Raises:
        TypeError: It is none.
        IndexError: It names a row that is not there.
    """
    array = index[0] if isinstance(index, tuple) and len(index) == 1 else index
    if not isinstance(array, (np.ndarray, DeviceArray)) or array.dtype.kind not in "iu":
        raise TypeError(
            "on cuda an index is made of whole numbers and slices, or is one array of row numbers: "
            "move the tensor with .cpu() first"
        )
    if isinstance(array, DeviceArray):
        return array
    if array.size and not -count <= array.min() <= array.max() < count:
        raise IndexError(f"there are {count} rows, and the index goes from {array.min()} to {array.max()}")
    return upload(np.where(array < 0, array + count, array))


def getitem(a, *, index):
    """Take a part: slices and whole numbers, or the rows that an array of whole numbers names."""
    if is_plain(index):
        return moved(a, lambda a: a[as_view(index)])
    index = rows(index, a.shape[0])
    out = DeviceArray(index.shape + a.shape[1:], a.dtype)
    run(take_rows, out.size, a, index, out, out.size // max(index.size, 1))
    return out


def put_back(a, *, index, shape):
    """Return zeros of a shape, with the entries of ``a`` added at the index."""
    out = DeviceArray(shape, a.dtype)
    run(fill, out.size, out, a.dtype.type(0))
    if is_plain(index):
        put(out, index=index, value=a)
    else:
        run(add_rows, a.size, a, rows(index, shape[0]), out, a.size // max(np.size(index), 1) if a.size else 1)
    return out


def put(out, *, index, value):
    """Overwrite entries of an array on the device.

    Args:
        out: `DeviceArray`; it is changed.
        index: What is overwritten: slices and whole numbers, or an array of row numbers.
        value: A number, a NumPy array, which is copied to the device, or an array there.
    """
    if not isinstance(value, (np.ndarray, DeviceArray)) and index is Ellipsis:
        run(fill, out.size, out, out.dtype.type(value))
        return
    value = value if isinstance(value, DeviceArray) else upload(np.asarray(value, out.dtype))
    value = value.astype(out.dtype, copy=False)
    if is_plain(index):
        shape, offset, strides = strides_of(out.shape, lambda a: a[as_view(index)])
        value = spread(value, shape)
        run(scatter, value.size, value, out, offset, filled_up(shape, 1), filled_up(strides, 0))
    else:
        index = rows(index, out.shape[0])
        value = spread(value, index.shape + out.shape[1:])
        run(put_rows, value.size, value, index, out, value.size // max(index.size, 1))


def cast(a, *, dtype):
    """Return every entry as another dtype."""
    out = DeviceArray(a.shape, dtype)
    run(convert_to_bool if out.dtype == bool else convert, out.size, a, out)
    return out


def reshape(a, *, shape):
    """Return the same entries, in the same memory, with another shape."""
    try:
        return a.reshape(tuple(shape))
    except ValueError:
        raise ValueError(f"{a.size} entries, of shape {a.shape}, cannot be read as shape {tuple(shape)}") from None


def transpose(a, *, dim0, dim1):
    """Swap two axes."""
    return moved(a, lambda a: a.swapaxes(dim0, dim1))


def permute(a, *, dims):
    """Put the axes into another order."""
    return moved(a, lambda a: np.transpose(a, dims))


def expand(a, *, shape):
    """Stretch an array to a shape that it broadcasts to."""
    own = (1,) * (len(shape) - a.ndim) + a.shape
    sizes = tuple(have if want == -1 else want for want, have in zip(shape, own))
    try:
        return spread(a, sizes)
    except ValueError:
        raise ValueError(f"shape {a.shape} cannot be stretched to {sizes}: sizes of 1 grow, and no others") from None


def cat(*arrays, dim=0):
    """Join arrays along an axis."""
    shapes = [array.shape for array in arrays]
    others = {shape[: dim % len(shape)] + shape[dim % len(shape) + 1 :] for shape in shapes}
    if len(others) != 1:
        raise ValueError(f"cat needs all axes but dim {dim} to agree: {', '.join(map(str, shapes)) or 'none'}")
    axis = dim % len(shapes[0])
    size = sum(shape[axis] for shape in shapes)
    out = DeviceArray((*shapes[0][:axis], size, *shapes[0][axis + 1 :]), np.result_type(*[array.dtype for array in arrays]))
    start = 0
    for array in arrays:
        put(out, index=(slice(None),) * axis + (slice(start, start + array.shape[axis]),), value=array)
        start += array.shape[axis]
    return out
