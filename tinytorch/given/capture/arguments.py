"""What a captured step is called with, and what it returns. Given."""

import itertools

import numpy as np

from tinytorch.given.capture.arrays import layout_of
from tinytorch.given.capture.containers import builder, fields_of, items_of, leaves, nested
from tinytorch.given.capture.places import PLAIN
from tinytorch.given.capture.traced import Traced, bare
from tinytorch.given.op import part


def is_input(x):
    """Say whether an argument of a step is copied to a buffer at each call: an array, or a tensor that is no parameter."""
    return isinstance(x, np.ndarray) or isinstance(x, part("Tensor")) and not x.requires_grad


def described(items, arrays):
    """Describe arguments so that those of one kind compare equal; collect the arrays that a replay copies.

    Args:
        items: Iterable of tensors, arrays, numbers and other objects, also in containers.
        arrays: List that the arrays are appended to.

    Returns:
        List of what can be keys of a dict, one for each item.
    """
    tensor, kinds = part("Tensor"), []
    for x in items:
        if isinstance(x, tensor) and not x.requires_grad or isinstance(x, np.ndarray):
            array = x if isinstance(x, np.ndarray) else x.data
            arrays.append(array)
            kinds += type(x), array.shape, array.dtype, layout_of(array)
        elif isinstance(x, (tuple, list)):
            kinds.append((type(x), *described(x, arrays)))
        elif isinstance(x, dict):
            kinds.append((type(x), *x, *described(x.values(), arrays)))
        elif isinstance(x, (float, complex, slice)):  # -0.0 == 0.0, and a slice is no key in Python 3.11
            kinds += type(x), repr(x)
        elif isinstance(x, np.generic):
            kinds += x.dtype, x.tobytes()
        elif isinstance(x, PLAIN):
            kinds += type(x), x
        elif fields_of(x):
            kinds.append((type(x), *described(items_of(x), arrays)))
        else:
            kinds += type(x), id(x)
    return kinds


def repeated(arguments, arrays):
    """Return which arguments are the same tensor, as in ``step(x, x)``: a step may ask whether one is the other.

    Args:
        arguments: The arguments, in containers.
        arrays: The arrays of those that are copied to buffers.

    Returns:
        The position of the first argument that is the same, for each; None if all are different.
    """
    if len({*map(id, arrays)}) == len(arrays):
        return None
    inputs = [id(x) for x in leaves(arguments) if is_input(x)]
    return tuple(map(inputs.index, inputs))


def filled(x, arrays):
    """Return arguments with the next arrays in place of theirs; what was the same tensor is the same again."""
    made = {}

    def fill(leaf):
        if not is_input(leaf):
            return leaf
        array = next(arrays)
        fresh = Traced(array) if isinstance(leaf, np.ndarray) else part("Tensor")(array)
        return made.setdefault(id(leaf), fresh)

    return nested(fill, x)


def contents(x):
    """Yield what the containers and tensors among arguments hold: the same objects, if nothing was exchanged."""
    items = items_of(x)
    if items is not None:
        yield from [*items, *(x if isinstance(x, dict) else ())]
        for item in items:
            yield from contents(item)
    elif is_input(x):
        yield bare(x if isinstance(x, np.ndarray) else x.data)


def returned(result, makers):
    """Return a function of arrays that makes what a step returned, with other numbers.

    Args:
        result: Tensors, arrays and others, in containers.
        makers: List of a function for each tensor and array: from the array with its numbers to what is returned for it.
    """
    count = itertools.count()

    def remake(x):
        items = items_of(x)
        if items is not None:
            build, parts = builder(x), [remake(item) for item in items]
            return lambda arrays: build([part(arrays) for part in parts])
        if isinstance(x, (np.ndarray, part("Tensor"))):
            number = next(count)
            make = makers[number]
            return lambda arrays: make(arrays[number])
        return lambda arrays: x

    return remake(result)
