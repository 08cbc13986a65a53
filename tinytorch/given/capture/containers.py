"""Tuples, lists, dicts and dataclasses of tensors: what a step takes and returns, and what functions are called with. Given."""

import copy

import numpy as np

from tinytorch.given.capture.places import PLAIN
from tinytorch.given.op import part


def items_of(x):
    """Return what a container holds, as a list; None for anything else.

    Example:
        >>> items_of({"x": 1, "y": (2, 3)}), items_of(4)
        ([1, (2, 3)], None)
    """
    if isinstance(x, (tuple, list)):
        return [*x]
    if isinstance(x, dict):
        return [*x.values()]
    if getattr(type(x), "__dataclass_fields__", None) is None:  # `fields_of` asks it too, but while a step is watched calls cost
        return None
    names = fields_of(x)
    return None if names is None else [getattr(x, name) for name in names]


def fields_of(x):
    """Return the names of a dataclass's fields if they hold tensors, like a batch; None for anything else.

    A dataclass that also holds other objects, such as a model, is an object like any other.
    """
    names = getattr(type(x), "__dataclass_fields__", None)
    if names is None:
        return None
    arrays = np.ndarray, part("Tensor")
    values = [getattr(x, name, None) for name in names]
    known = all(isinstance(value, (*arrays, *PLAIN, tuple, list, dict)) for value in values)
    return [*names] if known and any(isinstance(value, arrays) for value in values) else None


def builder(x):
    """Return a function that makes a container like another one from a list of other items.

    Example:
        >>> builder({"x": 1, "y": (2, 3)})([4, 5])
        {'x': 4, 'y': 5}
    """
    if isinstance(x, (tuple, list)):
        kind = type(x)
        is_named = isinstance(x, tuple) and getattr(x, "_fields", None) is not None  # it is made of one argument a field
        return (lambda items: kind(*items)) if is_named else kind
    if type(x) is dict:
        return lambda items: dict(zip(x, items))

    def build(items):
        made = copy.copy(x)
        if isinstance(x, dict):  # such as a defaultdict
            made.update(zip(x, items))
        else:
            for name, item in zip(fields_of(x), items):
                object.__setattr__(made, name, item)  # it may be a frozen one
        return made

    return build


def nested(function, x):
    """Apply a function to every leaf of nested containers, and return containers like these.

    Example:
        >>> nested(abs, {"x": [-1, 2], "y": -3})
        {'x': [1, 2], 'y': 3}
    """
    items = items_of(x)
    return function(x) if items is None else builder(x)([nested(function, item) for item in items])


def leaves(x):
    """Yield every leaf of nested containers.

    Example:
        >>> [*leaves({"x": [1, 2], "y": 3})]
        [1, 2, 3]
    """
    items = items_of(x)
    if items is None:
        yield x
    else:
        for item in items:
            yield from leaves(item)
