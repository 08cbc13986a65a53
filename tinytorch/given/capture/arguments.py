"""What a captured step is called with, and what it returns. Given."""

import numpy as np

from tinytorch.given.capture.traced import Traced
from tinytorch.given.capture.world import PLAIN
from tinytorch.given.op import part


def is_input(x):
    """Say whether an argument of a step is copied to a buffer at each call: an array, or a tensor that is no parameter."""
    return isinstance(x, np.ndarray) or isinstance(x, part("Tensor")) and not x.requires_grad


def described(x, arrays):
    """Describe arguments so that those of one kind compare equal; collect the arrays that a replay copies.

    Args:
        x: Tensors, arrays, numbers and other objects, in tuples, lists and dicts.
        arrays: List that the arrays are appended to.

    Returns:
        Tuple that can be a key of a dict.
    """
    if isinstance(x, (tuple, list)):
        return (type(x), *(described(item, arrays) for item in x))
    if isinstance(x, dict):
        return (dict, *((key, described(value, arrays)) for key, value in x.items()))
    if is_input(x):
        array = x if isinstance(x, np.ndarray) else x.data
        arrays.append(array)
        return type(x), array.shape, array.dtype.str
    return (type(x), x) if isinstance(x, PLAIN) else (type(x), id(x))


def filled(x, arrays):
    """Return arguments with the next arrays in place of theirs."""
    if isinstance(x, (tuple, list)):
        return type(x)(filled(item, arrays) for item in x)
    if isinstance(x, dict):
        return {key: filled(value, arrays) for key, value in x.items()}
    if is_input(x):
        return next(arrays).view(Traced) if isinstance(x, np.ndarray) else part("Tensor")(next(arrays))
    return x


def returned(result, places=None):
    """Return a function that makes what the step returns, as new tensors: those of earlier calls keep their numbers.

    Args:
        result: What the step returned when it was recorded.
        places: Dict from the id of a tensor in it to the array that holds its numbers after a replay; without it, its own.
    """
    if isinstance(result, (tuple, list)):
        makers = [returned(item, places) for item in result]
        return lambda: type(result)(make() for make in makers)
    if isinstance(result, dict):
        makers = {key: returned(item, places) for key, item in result.items()}
        return lambda: {key: make() for key, make in makers.items()}
    if isinstance(result, np.ndarray):
        array = places[id(result)] if places else result.view(np.ndarray)
        return array.copy if array.ndim else array.item
    if isinstance(result, part("Tensor")):
        tensor = part("Tensor")
        array = places[id(result)] if places else result.data
        return lambda: tensor(array.copy())
    return lambda: result
