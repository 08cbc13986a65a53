"""Arrays that write down what NumPy does with them, while a step is recorded. Given.

While a step is recorded, `Tensor.data` is a `Traced` array: the same memory, but every ufunc, function and method of NumPy that
works on it also becomes an entry of the tape. So the raw NumPy of a loss, of dropout or of an optimizer is replayed too. A number
that leaves the array for Python, as in ``if x.data.max() > 0``, would be frozen by the tape: it is refused.
"""

import contextlib
import threading

import numpy as np

from tinytorch.given.op import part

current = threading.local()  # current.recorder records what this thread does

# Functions of arrays that return no numbers of theirs.
ABOUT = (
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.common_type, np.min_scalar_type, np.may_share_memory,
    np.shares_memory, np.iscomplexobj, np.isrealobj, np.isscalar,
)  # fmt: skip
ALLOCATE = np.empty_like, np.zeros_like, np.ones_like  # these read the layout, not the numbers
CHANGE = np.copyto, np.put, np.place, np.putmask, np.put_along_axis, np.fill_diagonal  # these write to their first argument
# Methods whose result may be new memory, methods that write, and methods that hand numbers to Python.
RESULTS = """copy astype flatten ravel reshape take argmax argmin argsort argpartition cumsum cumprod dot repeat searchsorted
choose compress trace round byteswap __getitem__ __copy__ __deepcopy__""".split()
WRITES = "fill sort partition put __setitem__".split()
READS = """item tolist tobytes tofile dump dumps nonzero __bool__ __float__ __int__ __index__ __complex__ __repr__ __str__
__format__ __contains__ __reduce__ __reduce_ex__""".split()


class Moving:
    """The base of live numbers; ``now`` is the number at the moment of recording."""

    __slots__ = ("now",)


class Traced(np.ndarray):
    """An array that writes down what is done with it."""

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **settings):
        recorder = current.recorder
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        if method == "at":
            return recorder.write(function, inputs, settings)
        if out is None:
            return recorder.run(function, inputs, settings, takes_out=True)
        if len(out) > 1:
            raise TypeError(f"{ufunc.__name__} with several outputs cannot be recorded")
        recorder.write(function, inputs, {**settings, "out": out[0]})
        return out[0]

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

    def __iter__(self):
        return map(self.__getitem__, range(len(self)))


def recorded(name):
    """Return a method that runs ndarray's and writes that down."""
    function = getattr(np.ndarray, name)

    def run(self, *inputs, **settings):
        return current.recorder.run(function, (self, *inputs), settings)

    return run


def writing(name):
    """Return a method that runs ndarray's, which changes the array, and writes that down."""
    function = getattr(np.ndarray, name)

    def run(self, *inputs, **settings):
        current.recorder.write(function, (self, *inputs), settings)

    return run


def reading(name):
    """Return a method that hands numbers to Python, which no tape can do."""
    function = getattr(np.ndarray, name)

    def run(self, *inputs, **settings):
        return current.recorder.read(name, self, function(bare(self), *inputs, **settings))

    return run


for kind, names in ((recorded, RESULTS), (writing, WRITES), (reading, READS)):
    for each in names:
        setattr(Traced, each, kind(each))


def is_named(x):
    """Return whether a tuple is a named one, which is made of one argument a field."""
    return isinstance(x, tuple) and getattr(x, "_fields", None) is not None


def bare(x):
    """Return plain arrays in place of traced ones, and plain numbers in place of live ones, in tuples, lists and dicts too."""
    if isinstance(x, Traced):
        return x.view(np.ndarray)
    if isinstance(x, (tuple, list)):
        items = [bare(item) for item in x]
        return items if isinstance(x, list) else type(x)(*items) if is_named(x) else tuple(items)
    if isinstance(x, dict):
        return {key: bare(value) for key, value in x.items()}
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
        return array.view(Traced) if recorder.is_mine() and type(array) is np.ndarray else array

    def put(self, array):
        if not isinstance(array, Traced) or not is_same(array, slot.__get__(self)):  # ``x.data *= 2`` puts back what it took
            slot.__set__(self, bare(array))

    tensor_class.data, current.recorder = property(get, put), recorder
    try:
        yield
    finally:
        tensor_class.data, current.recorder = slot, None
