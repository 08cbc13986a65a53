"""Arrays that write down what NumPy does with them, while a step is recorded. Given.

While a step is recorded, `Tensor.data` is a `Traced` array: it looks like the array itself, but every ufunc, function and method
of NumPy that works on it also becomes an entry of the tape. So the raw NumPy of a loss, of dropout or of an optimizer is replayed
too. A number that leaves the array for Python, as in ``if x.data.max() > 0``, would be frozen by the tape: it is refused. So is a
plain array of its numbers, such as ``np.asarray(x.data)``: nobody would see what becomes of it.
"""

import contextlib
import sys
import threading

import numpy as np

from tinytorch.given.capture.containers import nested
from tinytorch.given.op import part

current = threading.local()  # current.recorder records what this thread does

# Functions of arrays that return no numbers of theirs.
ABOUT = (
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.common_type, np.min_scalar_type, np.may_share_memory,
    np.shares_memory, np.iscomplexobj, np.isrealobj, np.isscalar,
)  # fmt: skip
ALLOCATE = np.empty_like, np.zeros_like, np.ones_like  # these read the layout, not the numbers
CHANGE = np.copyto, np.put, np.place, np.putmask, np.put_along_axis, np.fill_diagonal  # these write to their first argument
# What an array says about itself; views of it; methods and operators that NumPy makes of ufuncs; methods whose result may be new
# memory, methods that write, and methods that hand numbers to Python.
FACTS = "shape dtype ndim size strides nbytes itemsize flags device".split()
VIEWS = "T mT real imag".split()
BINARY = "add sub mul matmul truediv floordiv mod pow lshift rshift and or xor".split()
OPERATORS = ["neg", "pos", "abs", "invert", "lt", "le", "eq", "ne", "gt", "ge", *BINARY, *(f"r{name}" for name in BINARY)]
UFUNCS = ["sum", "prod", "max", "min", "any", "all", "mean", "clip", *(f"__{name}__" for name in OPERATORS)]
IN_PLACE = [f"__i{name}__" for name in BINARY]
RESULTS = """copy astype flatten ravel reshape take argmax argmin argsort argpartition cumsum cumprod dot repeat searchsorted
choose compress trace round byteswap var std conj conjugate transpose swapaxes squeeze diagonal view
__getitem__ __copy__ __deepcopy__""".split()
WRITES = "fill sort partition put __setitem__".split()
READS = """item tolist tobytes tofile dump dumps nonzero __bool__ __float__ __int__ __index__ __complex__ __repr__ __str__
__format__ __contains__ __reduce__ __reduce_ex__""".split()


class Moving:
    """The base of live numbers; ``now`` is the number at the moment of recording."""

    __slots__ = ("now",)


def of_ufunc(self, ufunc, method, *inputs, out=None, **settings):
    """Run a ufunc for a traced array, and write that down: NumPy calls it instead of the ufunc."""
    recorder = current.recorder
    function = ufunc if method == "__call__" else getattr(ufunc, method)
    if settings.get("where") is True:  # everywhere: arrays' own methods say so, and it costs a replay time
        del settings["where"]
    if method == "at":
        return recorder.write(function, inputs, settings)
    if out is None:
        return recorder.run(function, inputs, settings, takes_out=True)
    if len(out) > 1:
        raise TypeError(f"{ufunc.__name__} with several outputs cannot be recorded")
    recorder.write(function, inputs, {**settings, "out": out[0]})
    return out[0]


class Inner(np.ndarray):
    """An array whose operators NumPy makes of ufuncs: it decides that ``x ** 2`` is a square, and calls `of_ufunc` with it."""

    __array_ufunc__ = of_ufunc


class Traced:
    """An array that writes down what is done with it: in everything else it looks like a plain one.

    It is not an `np.ndarray`: NumPy turns those into plain arrays without asking them.

    Args:
        array: The array.
    """

    __slots__ = ("plain",)
    __class__ = property(lambda self: np.ndarray)  # it is taken for one: isinstance(x.data, np.ndarray)
    __hash__ = None
    __array_ufunc__ = of_ufunc

    def __init__(self, array):
        self.plain = bare(array)

    def __array_function__(self, function, types, inputs, settings):
        recorder = current.recorder
        if function in ABOUT:
            return function(*bare(inputs), **bare(settings))
        if function in ALLOCATE:
            return (
                function(*bare(inputs), **bare(settings)) if recorder.inside is None else recorder.run(function, inputs, settings)
            )
        if function in CHANGE or settings.get("out") is not None:
            recorder.write(function, inputs, settings)
            return settings.get("out")
        return recorder.run(function, inputs, settings)

    def __array__(self, dtype=None, copy=None):
        """Give NumPy a plain array of the same numbers, as in ``np.asarray(x.data)``: only the package may ask for that."""
        asker = sys._getframe(1)
        while asker.f_code.co_name == "__array__":  # a tensor's, which asks its array
            asker = asker.f_back
        current.recorder.expose(asker.f_code.co_filename)
        if copy or dtype not in (None, self.dtype):
            return bare(self.astype(self.dtype if dtype is None else dtype))
        return self.plain

    @property
    def base(self):
        """The array that owns the memory: by it, others find out whether two arrays share theirs."""
        return self.plain if self.plain.base is None else self.plain.base

    def __len__(self):
        return len(self.plain)

    def __iter__(self):
        return map(self.__getitem__, range(len(self)))


def made_of_ufuncs(name):
    """Return a method or operator that runs ndarray's, and writes down the ufuncs that this calls."""
    function = getattr(np.ndarray, name)
    return lambda self, *inputs, **settings: function(self.plain.view(Inner), *inputs, **settings)


def in_place(name):
    """Return an operator that changes the array by a ufunc."""
    function = getattr(np.ndarray, name)

    def run(self, other):
        function(self.plain.view(Inner), other)
        return self

    return run


def recorded(name):
    """Return a method that runs ndarray's and writes that down."""
    function = getattr(np.ndarray, name)
    return lambda self, *inputs, **settings: current.recorder.run(function, (self, *inputs), settings)


def writing(name):
    """Return a method that runs ndarray's, which changes the array, and writes that down."""
    function = getattr(np.ndarray, name)
    return lambda self, *inputs, **settings: current.recorder.write(function, (self, *inputs), settings)


def reading(name):
    """Return a method that hands numbers to Python, which no tape can do."""
    function = getattr(np.ndarray, name)
    return lambda self, *inputs, **settings: current.recorder.read(name, self, function(self.plain, *inputs, **settings))


MAKERS = {made_of_ufuncs: UFUNCS, in_place: IN_PLACE, recorded: RESULTS, writing: WRITES, reading: READS}
for make, names in MAKERS.items():
    for each in names:
        setattr(Traced, each, make(each))
for each in FACTS:
    setattr(Traced, each, property(lambda self, name=each: getattr(self.plain, name)))
for each in VIEWS:
    setattr(Traced, each, property(lambda self, name=each: Traced(getattr(self.plain, name))))
for each in ("data", "ctypes", "flat"):  # doors to the numbers
    setattr(Traced, each, property(lambda self, name=each: current.recorder.expose(name)))


def bare(x):
    """Return plain arrays in place of traced ones, and plain numbers in place of live ones, in containers too."""
    return x.plain if type(x) is Traced else nested(plain_of, x)


def plain_of(x):
    """Return the plain array of a traced one, and the plain number of a live one; anything else as it is."""
    if isinstance(x, (Traced, Inner)):
        return x.plain if type(x) is Traced else x.view(np.ndarray)
    return x.now if isinstance(x, Moving) else x


def is_same(array, plain):
    """Say whether a traced array is a plain one under another name: on the same memory, with the same layout."""
    traced = isinstance(array, Traced) and isinstance(plain, np.ndarray)
    return traced and bare(array).__array_interface__ == plain.__array_interface__


@contextlib.contextmanager
def door(recorder):
    """Let `Tensor.data` hand out traced arrays while this thread records a step.

    It is the one place where a class is changed: a tensor's array is an attribute of the learner's class, and nothing else sees
    who reads it. The attribute is put back when the step ends.
    """
    tensor_class = part("Tensor")
    slot = vars(tensor_class)["data"]

    def get(self):
        array = slot.__get__(self)
        return Traced(array) if recorder.is_mine() and type(array) is np.ndarray else array

    def put(self, array):
        try:
            same = is_same(array, slot.__get__(self))  # ``x.data *= 2`` puts back what it took
        except AttributeError:
            same = False  # the tensor is being made
        if not same:
            slot.__set__(self, bare(array))

    tensor_class.data, current.recorder = property(get, put), recorder
    try:
        yield
    finally:
        tensor_class.data, current.recorder = slot, None
