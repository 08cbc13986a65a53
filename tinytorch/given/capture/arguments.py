"""What a captured step is called with, and what it returns. Given."""

import numpy as np

from tinytorch.given.capture.arrays import layout_of
from tinytorch.given.capture.places import PLAIN
from tinytorch.given.capture.traced import Traced, bare, is_named
from tinytorch.given.op import part


def is_input(x):
    """Say whether an argument of a step is copied to a buffer at each call: an array, or a tensor that is no parameter."""
    return isinstance(x, np.ndarray) or isinstance(x, part("Tensor")) and not x.requires_grad


def described(items, arrays):
    """Describe arguments so that those of one kind compare equal; collect the arrays that a replay copies.

    Args:
        items: Iterable of tensors, arrays, numbers and other objects, also in tuples, lists and dicts.
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
            kinds.append((dict, *x, *described(x.values(), arrays)))
        else:
            kinds += type(x), repr(x) if isinstance(x, float) else x if isinstance(x, PLAIN) else id(x)  # -0.0 == 0.0
    return kinds


def filled(x, arrays):
    """Return arguments with the next arrays in place of theirs."""
    if isinstance(x, (tuple, list)):
        items = [filled(item, arrays) for item in x]
        return type(x)(*items) if is_named(x) else type(x)(items)
    if isinstance(x, dict):
        return {key: filled(value, arrays) for key, value in x.items()}
    if is_input(x):
        return Traced(next(arrays)) if isinstance(x, np.ndarray) else part("Tensor")(next(arrays))
    return x


def contents(x):
    """Yield what the containers and tensors among arguments hold: the same objects, if nothing was exchanged."""
    if isinstance(x, (tuple, list)):
        yield from x
        for item in x:
            yield from contents(item)
    elif isinstance(x, dict):
        yield from contents([*x.keys(), *x.values()])
    elif is_input(x):
        yield bare(x if isinstance(x, np.ndarray) else x.data)


class Result:
    """The place of an array in what a step returns.

    Args:
        make: Function from the array to what is returned: a new tensor, array or number, which no replay changes.
    """

    def __init__(self, make):
        self.make = make


def template(result):
    """Return what a step returned, with a `Result` in place of each tensor and array.

    Args:
        result: Tensors, arrays and others, in tuples, lists and dicts.
    """
    if isinstance(result, (tuple, list)):
        return type(result)(*map(template, result)) if is_named(result) else type(result)(map(template, result))
    if isinstance(result, dict):
        return {key: template(value) for key, value in result.items()}
    if isinstance(result, np.ndarray):
        return Result(np.ndarray.copy if result.ndim else np.ndarray.item)
    tensor = part("Tensor")
    return Result(lambda array: tensor(array.copy())) if isinstance(result, tensor) else result


def returned(result, arrays):
    """Return a function that makes what the step returns.

    Args:
        result: The `template`.
        arrays: Iterator over the arrays that hold the numbers.
    """
    if isinstance(result, (tuple, list)):
        makers = [returned(item, arrays) for item in result]
        if is_named(result):
            return lambda: type(result)(*(make() for make in makers))
        return lambda: type(result)(make() for make in makers)
    if isinstance(result, dict):
        makers = {key: returned(value, arrays) for key, value in result.items()}
        return lambda: {key: make() for key, make in makers.items()}
    if isinstance(result, Result):
        array, make = next(arrays), result.make
        return lambda: make(array)
    return lambda: result
