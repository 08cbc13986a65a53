"""Arrays as a simulated thread sees them: every index is checked, and what is watched is written down. Given."""

import sys
from operator import index as whole_number
from typing import NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


class OutOfBounds(IndexError):
    """A thread went beyond an array; on a GPU it would read or overwrite what belongs to others."""


class Unsupported(TypeError):
    """A kernel uses something of Python's or NumPy's that a thread of a GPU cannot do."""


class Access(NamedTuple):
    """One access of one thread to one entry of an array."""

    block: tuple  # (x, y, z)
    thread: int  # number of the thread in its block
    phase: int  # how many barriers the block had passed
    warp_phase: int  # how many times the thread's warp had waited for itself
    array: object  # the `KernelArray`
    offset: int  # of the entry within the array, in bytes
    kind: str  # "read", "write" or "atomic"
    site: tuple  # the instruction, by function, line and column: two accesses on one line are two sites

    @property
    def line(self):
        """The line in the file."""
        return self.site[1]


class KernelArray(NDArrayOperatorsMixin):
    """An array in a kernel. Operators on the whole of it are refused, by `__array_ufunc__`.

    Args:
        array: NumPy array with the numbers.
        name: What the kernel calls it.
        space: ``"global"``, ``"shared"`` or ``"local"``.
        run: The `Run` of the kernel.
    """

    __hash__ = object.__hash__
    __slots__ = (
        "array",
        "name",
        "space",
        "run",
        "shape",
        "ndim",
        "size",
        "dtype",
        "start",
        "root",
        "quick",
        "rows",
        "columns",
        "limits",
    )

    def __init__(self, array, name, space, run, root=None):
        self.array, self.name, self.space, self.run = array, name, space, run
        self.shape, self.ndim, self.size, self.dtype = run.sizes(array.shape), array.ndim, array.size, array.dtype
        self.root = root or self  # a row is a part of its table
        self.start = array.__array_interface__["data"][0]
        self.limits = np.iinfo(self.dtype) if self.dtype.kind in "iu" else None
        self.quick = run.report is None and self.ndim == 2
        self.rows, self.columns = self.shape if self.quick else (0, 0)

    def checked(self, index):
        """Return an index as a tuple of ints, if there is such an entry.

        Raises:
            OutOfBounds: There is none. The message names the block and the thread.
            Unsupported: A part of the index is not a whole number.
        """
        index = index if type(index) is tuple else (index,)
        try:
            index = tuple(map(whole_number, index))
        except TypeError:
            raise self.no_entry(index) from None
        for number, size in zip(index, self.array.shape):
            if not 0 <= number < size:
                break
        else:
            if len(index) <= self.ndim:
                return index
        used = f"{self.name}[{', '.join(map(shown, index))}]"
        more = f" has {self.ndim} axes" if len(index) > self.ndim else f" has shape {tuple(map(int, self.array.shape))}"
        raise OutOfBounds(f"out of bounds: {self.run.who()} uses {used}, and {self.space} array {self.name}{more}")

    def __getitem__(self, index):
        if self.quick and type(index) is tuple and len(index) == 2:  # most of the time goes by here
            i, j = index
            if 0 <= i < self.rows and 0 <= j < self.columns:
                return self.array[index]
        index = self.checked(index)
        if len(index) < self.ndim:
            return KernelArray(self.array[index], self.name, self.space, self.run, self.root)
        if self.run.report:
            self.note(index, "read")
        return self.array[index]

    def __setitem__(self, index, value):
        index = self.checked(index)
        if len(index) < self.ndim:
            raise self.not_whole(f"{self.name}[{', '.join(map(shown, index))}] = ...")
        if self.run.report:
            self.note(index, "write", value)
        if self.limits and not self.limits.min <= value <= self.limits.max:
            used = f"{self.name}[{', '.join(map(shown, index))}]"
            raise OverflowError(f"{value} does not fit into {used}, which is {self.dtype}")
        self.array[index] = value

    def note(self, index, kind, value=None, up=2):
        """Write an access down."""
        frame = sys._getframe(up)
        sites = SITES.get(id(frame.f_code)) or sites_of(frame.f_code)
        site = sites[1][frame.f_lasti // 2]
        offset = self.start - self.root.start
        for number, stride in zip(index, self.array.strides):
            offset += number * stride
        self.run.report.note(self.run, self.root, offset, kind, site, value)

    def __len__(self):
        return self.shape[0]

    def no_entry(self, index):
        """Return the error about an index that is not made of whole numbers."""
        used = f"{self.name}[{', '.join(map(shown, index))}]"
        if any(isinstance(number, (float, np.floating)) for number in index):
            return Unsupported(f"{used}: an index has to be a whole number, and `/` gives a float; `//` gives a whole number")
        return self.not_whole(used)

    def not_whole(self, used):
        """Return the error about a part of an array, or all of it, where a thread works on single entries."""
        entry = f"{self.name}[{', '.join('ijk'[: self.root.ndim])}]"
        return Unsupported(f"{used} is about many entries at once: a thread reads and writes single ones, such as {entry}")

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        raise self.not_whole(f"`{ufunc.__name__}` of the array {self.name}")

    def __getattr__(self, name):
        raise AttributeError(
            f"{self.name}.{name}: in a kernel an array has entries, shape, ndim, size and dtype, and none of NumPy's methods"
        )


def shown(number):
    """Return a part of an index as the source has it."""
    if isinstance(number, slice):
        return ":".join("" if end is None else str(end) for end in (number.start, number.stop))
    return str(number)


SITES = {}  # by the id of a code object, since its hash takes long: the object, so that it stays, and what `sites_of` returns


def sites_of(code):
    """Return a code object with the place in the source of each of its instructions: the function's name, line and column."""
    SITES[id(code)] = code, [(code.co_name, line, column) for line, _, column, _ in code.co_positions()]
    return SITES[id(code)]


def poisoned(shape, dtype):
    """Return an array whose memory holds what nobody wrote: nan for floats, a number that stands out for integers.

    Args:
        shape: Tuple of ints, or an int.
        dtype: NumPy dtype.

    Example:
        >>> poisoned(2, np.dtype(np.float32)), poisoned(1, np.dtype(np.int32))
        (array([nan, nan], dtype=float32), array([-1431655766], dtype=int32))
    """
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return np.full(shape, np.nan, dtype)
    bytes_ = np.full((int(np.prod(shape)), dtype.itemsize), 0xAA if dtype.kind != "b" else 1, np.uint8)
    return bytes_.view(dtype).reshape(shape)
