"""Numbers that change between steps, such as a learning rate: a recording remembers where they come from. Given.

An optimizer reads its settings and its counts from dicts. While a step is recorded, those dicts hand out `Live` numbers.
Arithmetic on them makes live numbers too, and the tape computes them again at each replay. A comparison is remembered, and the
tape is only played while it turns out the same. A live number that becomes a plain one, as in ``math.sqrt(lr)``, is frozen: the
tape is recorded again when it changes.
"""

import operator
from collections.abc import MutableMapping

import numpy as np

from tinytorch.given.capture.traced import Moving, Traced, bare, current, is_same

ARITHMETIC = "add sub mul truediv floordiv mod pow".split()
COMPARISONS = "lt le gt ge eq ne".split()


class Live(Moving):
    """A number, and how to compute it again.

    Args:
        read: Function that returns the number as it is now, at this place of the step.
        foresee: Function that returns before the step what the number will be at this place.
        sources: Set of pairs of a dict's id and a key: what it is computed from.
        name: What identifies it in two recordings: where it is read, or the operation and the names of what it is computed from.
    """

    __slots__ = ("read", "foresee", "sources", "name")
    __hash__ = None

    def __init__(self, read, foresee, sources, name):
        self.read, self.foresee, self.sources, self.name, self.now = read, foresee, sources, name, read()

    def frozen(self):
        """Return the plain number; the code that asked does not know that it changes."""
        current.recorder.freeze(self.sources)
        return self.now

    def __float__(self):
        return float(self.frozen())

    def __int__(self):
        return int(self.frozen())

    def __index__(self):
        return operator.index(self.frozen())

    def __round__(self, digits=None):
        return round(self.frozen(), digits)

    def __repr__(self):
        return repr(self.frozen())

    def __bool__(self):
        return compared(operator.truth, self)

    def __neg__(self):
        return computed(operator.neg, self)

    def __abs__(self):
        return computed(abs, self)

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **settings):
        if out is None:
            return current.recorder.run(getattr(ufunc, method), inputs, settings)
        current.recorder.write(getattr(ufunc, method), inputs, {**settings, "out": out[0]})
        return out[0]


def reader(function, moment, numbers):
    """Return a function that computes a function of numbers, each read at a moment: ``"read"`` or ``"foresee"``."""
    if isinstance(numbers[0], Live) and not any(isinstance(x, Live) for x in numbers[1:]):  # such as step + 1
        read, rest = getattr(numbers[0], moment), numbers[1:]
        if len(rest) == 1:
            (second,) = rest
            return lambda: function(read(), second)
        return lambda: function(read(), *rest)
    reads = [getattr(x, moment) if isinstance(x, Live) else lambda x=x: x for x in numbers]
    return lambda: function(*(read() for read in reads))


def computed(function, *numbers):
    """Return the live result of a function of numbers, some of them live."""
    sources = frozenset().union(*(x.sources for x in numbers if isinstance(x, Live)))
    name = (function.__name__, *(x.name if isinstance(x, Live) else x for x in numbers))
    return Live(reader(function, "read", numbers), reader(function, "foresee", numbers), sources, name)


def compared(function, *numbers):
    """Return the outcome of a comparison; the tape holds as long as it stays the same."""
    live = computed(function, *numbers)
    current.recorder.conditions[live.name] = live.foresee, live.now
    return live.now


def define(name, make):
    """Define an operator of live numbers, and its mirror image for a plain number on the left."""
    function = getattr(operator, name)
    setattr(Live, f"__{name}__", lambda self, other: make(function, self, other))
    if name in ARITHMETIC:
        setattr(Live, f"__r{name}__", lambda self, other: make(function, other, self))


for each in ARITHMETIC:
    define(each, computed)
for each in COMPARISONS:
    define(each, compared)


class LiveDict(MutableMapping):
    """A dict whose numbers are live and whose arrays are traced, and that writes down which numbers are written to it.

    Args:
        plain: The dict itself.
    """

    def __init__(self, plain):
        self.plain = plain

    def __getitem__(self, key):
        value, plain = self.plain[key], self.plain
        if type(value) is np.ndarray:
            return Traced(value)
        if type(value) not in (int, float):
            return value
        place, recorder = (id(plain), key), current.recorder
        recorder.live.add(place)
        foresee = recorder.counters[place] if place in recorder.counters else lambda: plain[key]
        return Live(lambda: plain[key], foresee, frozenset([place]), ("number", *place))

    def __setitem__(self, key, value):
        if isinstance(value, Live):
            current.recorder.count(self.plain, key, value)
        if not is_same(value, self.plain.get(key)):  # ``state["mean"] *= 0.9`` puts back what it took
            self.plain[key] = bare(value)

    def __delitem__(self, key):
        del self.plain[key]

    def __iter__(self):
        return iter(self.plain)

    def __len__(self):
        return len(self.plain)
