"""Numbers that change between steps, such as a learning rate: while a step is recorded, they remember where they come from. Given.

An optimizer reads its settings and its counts from dicts. While a step is recorded, those dicts hand out `Live` numbers. Arithmetic
on them makes live numbers too, and the tape computes them again at each replay. A comparison is remembered, and the tape is only
played while it turns out the same. A live number that becomes a plain one, as in ``math.sqrt(lr)``, is frozen: the tape is recorded
anew when it changes.
"""

import operator
from collections.abc import MutableMapping

from tinytorch.given.capture.traced import Moving, current

ARITHMETIC = "add sub mul truediv floordiv mod pow".split()
COMPARISONS = "lt le gt ge eq ne".split()


class Live(Moving):
    """A number, and how to compute it again.

    Args:
        read: Function that returns the number as it is now.
        sources: Set of pairs of a dict's id and a key: what it is computed from.
        name: What identifies it in two recordings: where it is read, or the operation and the names of what it is computed from.
    """

    __slots__ = ("read", "sources", "name")
    __hash__ = None

    def __init__(self, read, sources, name):
        self.read, self.sources, self.name, self.now = read, sources, name, read()

    def frozen(self):
        """Return the plain number; whoever asked does not know that it changes."""
        current.recorder.freeze(self.sources)
        return self.now

    def __float__(self): return float(self.frozen())
    def __int__(self): return int(self.frozen())
    def __index__(self): return operator.index(self.frozen())
    def __round__(self, digits=None): return round(self.frozen(), digits)
    def __repr__(self): return repr(self.frozen())
    def __bool__(self): return compared(operator.truth, self)
    def __neg__(self): return computed(operator.neg, self)
    def __abs__(self): return computed(abs, self)

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **settings):
        if out is None:
            return current.recorder.run(getattr(ufunc, method), inputs, settings)
        current.recorder.write(getattr(ufunc, method), inputs, {**settings, "out": out[0]})
        return out[0]


def now(x):
    """Return a number as it is at this moment, live or not."""
    return x.read() if isinstance(x, Live) else x


def computed(function, *numbers):
    """Return the live result of a function of numbers, some of them live."""
    sources = frozenset().union(*(x.sources for x in numbers if isinstance(x, Live)))
    name = (function.__name__, *(x.name if isinstance(x, Live) else x for x in numbers))
    return Live(lambda: function(*map(now, numbers)), sources, name)


def compared(function, *numbers):
    """Return the outcome of a comparison; the tape holds as long as it stays the same."""
    live = computed(function, *numbers)
    current.recorder.conditions[live.name] = live.read, live.now
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
    """A dict whose numbers are live, and that writes down which numbers are written to it.

    Args:
        plain: The dict itself.
    """

    def __init__(self, plain):
        self.plain = plain

    def __getitem__(self, key):
        value, plain = self.plain[key], self.plain
        if type(value) not in (int, float):
            return value
        current.recorder.live.add((id(plain), key))
        return Live(lambda: plain[key], frozenset([(id(plain), key)]), ("number", id(plain), key))

    def __setitem__(self, key, value):
        if isinstance(value, Live):
            current.recorder.count(self.plain, key, value)
        self.plain[key] = value.now if isinstance(value, Moving) else value

    def __delitem__(self, key): del self.plain[key]
    def __iter__(self): return iter(self.plain)
    def __len__(self): return len(self.plain)
