"""Places in Python that hold what a step reads: attributes, keys of dicts, entries of lists, variables. Given.

A place remembers what it held when the step was recorded. It says what has changed since, and which questions find that out.
"""

import operator
from collections.abc import Mapping
from itertools import compress

import numpy as np

from tinytorch.given.op import part

PLAIN = int, float, complex, bool, str, bytes, type(None), type(Ellipsis), np.dtype, range, slice
ABSENT = type("Absent", (), {"__slots__": ()})()  # what a place holds that does not exist yet


class Keys:
    """Some or all keys of a dict, or of what can be read like one.

    Args:
        form: Name of an entry, with ``{}`` in place of the key.
        holder: The dict.
        keys: The keys whose values count; all by default.
        whole: Whether a new key counts as a change.
        owner: The object that the dict belongs to; the dict itself by default.
    """

    def __init__(self, form, holder, keys=None, whole=None, owner=None):
        self.form, self.holder, self.owner = form, holder, holder if owner is None else owner
        self.keys = list(holder if keys is None else keys)
        self.known = set(holder) if (keys is None if whole is None else whole) else None
        self.refresh()

    def now(self):
        """Return the objects that it holds now."""
        return [self.holder.get(key, ABSENT) for key in self.keys]

    def refresh(self):
        """Hold the objects of now."""
        self.held = self.now()

    def forget(self, named):
        """Leave out the entries whose keys are not among some names, nor names of Python's own; return what they held."""
        stays = [key in named or str(key).startswith("__") for key in self.keys]
        left = [held for held, stay in zip(self.held, stays) if not stay]
        self.keys, self.held = [[*compress(each, stays)] for each in (self.keys, self.held)]
        return left

    def named(self):
        """Return the pairs of a name and what has that name."""
        return [(self.form.format(shown(key)), value) for key, value in zip(self.keys, self.held) if value is not ABSENT]

    def changes(self):
        """Yield the key and the name of each entry that differs, and of new ones."""
        changed = [key for key, now, held in zip(self.keys, self.now(), self.held) if differ([now], [held])]
        new = () if self.known is None else self.holder.keys() - self.known
        yield from ((key, self.form.format(shown(key))) for key in (*changed, *new))

    def questions(self, name, loose):
        """Yield Python's source of what is true while nothing has changed.

        Args:
            name: Function that returns a name for an object, for use in the source.
            loose: Set of pairs of an owner's id and a key, which do not count.
        """
        holder = name(self.holder)
        if self.known is not None:
            yield f"len({holder}) == {len(self.known)}" if self.known else f"not {holder}"
        for key, value in zip(self.keys, self.held):
            source = repr(key) if type(key) is str else name(key)
            if value is ABSENT:
                yield f"{source} not in {holder}"
            elif (id(self.owner), key) not in loose:
                yield f"{holder}[{source}] is {name(value)}"


class Attributes(Keys):
    """Some attributes of an object that are in no dict.

    Args:
        name: The object's name.
        owner: The object.
        names: The attributes' names.
    """

    def __init__(self, name, owner, names):
        super().__init__(name + ".{}", AttributeView(owner), names, owner=owner)

    def questions(self, name, loose):
        """Yield Python's source of what is true while nothing has changed."""
        yield from (
            f"getattr({name(self.owner)}, {k!r}, {name(ABSENT)}) is {name(held)}" for k, held in zip(self.keys, self.held)
        )


class AttributeView(Mapping):
    """The attributes of an object, read like a dict."""

    def __init__(self, owner):
        self.owner = owner

    def __getitem__(self, name):
        return getattr(self.owner, name, ABSENT)

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0


class Entries:
    """The entries of a list, a set or a deque.

    Args:
        name: The list's name.
        owner: The list.
    """

    def __init__(self, name, owner):
        self.name, self.owner = name, owner
        self.refresh()

    def refresh(self):
        """Hold the objects of now."""
        self.held = [*self.owner]

    def changes(self):
        """Yield the name of the list, if it differs; the key is None."""
        now = [*self.owner]
        if len(now) != len(self.held) or differ(now, self.held):
            yield None, self.name

    def questions(self, name, loose):
        """Yield Python's source of what is true while nothing has changed."""
        yield f"{name(holds_the_same)}({name(self.owner)}, {name(self.held)})" if self.held else f"not {name(self.owner)}"


class Single:
    """One value that a function returns: what is in a variable of a closure, or in a context variable.

    Args:
        name: The variable's name.
        owner: The cell or the context variable.
        read: Function that returns its value.
    """

    def __init__(self, name, owner, read):
        self.name, self.owner, self.read = name, owner, read
        self.refresh()

    def refresh(self):
        """Hold the object of now."""
        self.held = self.read()

    def changes(self):
        """Yield the name of the variable, if its value differs; the key is None."""
        if differ([self.read()], [self.held]):
            yield None, self.name

    def questions(self, name, loose):
        """Yield Python's source of what is true while nothing has changed."""
        yield f"{name(self.read)}() is {name(self.held)}"


class Cell(Single):
    """A variable that a function finds in the function around it."""

    def __init__(self, name, cell):
        super().__init__(name, cell, lambda: content_of(cell))

    def questions(self, name, loose):
        """Yield Python's source of what is true while nothing has changed."""
        if self.held is ABSENT:
            return super().questions(name, loose)
        return iter([f"{name(self.owner)}.cell_contents is {name(self.held)}"])


def content_of(cell):
    """Return what is in the variable of a closure."""
    try:
        return cell.cell_contents
    except ValueError:  # nothing has been assigned yet
        return ABSENT


def holds_the_same(container, held):
    """Say whether a list or a set holds the very objects that it held."""
    return len(container) == len(held) and all(map(operator.is_, container, held))


def shown(key):
    """Return the key of a dict as it appears in a name: a tensor as its shape."""
    return f"parameter {key.shape}" if isinstance(key, part("Tensor")) else str(key)


def differ(values, others):
    """Say whether two lists of objects differ: numbers and text by value, anything else by identity."""
    for a, b in zip(values, others):
        if a is not b and not (type(a) is type(b) and isinstance(a, (*PLAIN, tuple, np.generic)) and same_values(a, b)):
            return True
    return False


def same_values(a, b):
    """Compare numbers, text and tuples of them; nan is equal to itself, and 0.0 is not -0.0."""
    if isinstance(a, tuple):
        return len(a) == len(b) and not differ(a, b)
    if isinstance(a, np.generic):
        return a.dtype == b.dtype and a.tobytes() == b.tobytes()
    return repr(a) == repr(b) if isinstance(a, (float, complex)) else a == b
