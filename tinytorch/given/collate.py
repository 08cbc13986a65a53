"""Put examples of any structure together into a batch: PyTorch's `default_collate`. Given."""

from collections.abc import Mapping, Sequence

import numpy as np

from tinytorch.given.joining import stack
from tinytorch.given.op import part


def default_collate(examples):
    """Put examples together into a batch, part by part.

    Args:
        examples: List of examples of one kind: tensors, arrays, numbers or texts, or tuples, lists or dicts of these, to any
            depth.

    Returns:
        The structure of an example, with a batch in place of each part: tensors and arrays are stacked, numbers become a
        tensor, texts a list. Tuples come back as lists, as in PyTorch.

    Raises:
        TypeError: A part is of another kind. The message names it.
        RuntimeError: The examples have parts of different shapes, or different numbers of parts.

    Example:
        >>> default_collate([{"x": np.zeros(3), "name": "a"}, {"x": np.ones(3), "name": "b"}])
        {'x': tensor([[0., 0., 0.],
                [1., 1., 1.]], dtype=float64), 'name': ['a', 'b']}
        >>> default_collate([(1, 0.5), (2, 1.5)])
        [tensor([1, 2]), tensor([0.5, 1.5], dtype=float64)]
    """
    first, tensor = examples[0], part("Tensor")
    if isinstance(first, tensor):
        same([x.shape for x in examples], "tensors of one shape")
        return stack(examples)
    if isinstance(first, (np.ndarray, np.generic)) and first.dtype.kind in "biufc":
        same([np.shape(x) for x in examples], "arrays of one shape")
        return tensor(np.stack(examples))
    if isinstance(first, float):
        return tensor(np.array(examples, np.float64))
    if isinstance(first, int):
        return tensor(examples)
    if isinstance(first, (str, bytes)):
        return list(examples)
    if isinstance(first, Mapping):
        return {key: default_collate([example[key] for example in examples]) for key in first}
    if isinstance(first, Sequence):
        same([len(example) for example in examples], "the same number of parts")
        parts = [default_collate(column) for column in zip(*examples)]
        return type(first)(*parts) if getattr(first, "_fields", None) else parts
    raise TypeError(
        "a batch is made of tensors, arrays, numbers, texts, tuples, lists and dicts, "
        f"got {kind_of(first)}: write the DataLoader's collate_fn, a function of a list of examples"
    )


def same(sizes, needed):
    """Refuse examples that differ in size."""
    for place, size in enumerate(sizes):
        if size != sizes[0]:
            raise RuntimeError(
                f"the examples of a batch need {needed}, got {sizes[0]} in the first and {size} in number {place}: "
                "pad or cut them in a collate_fn, a function of a list of examples"
            )


def kind_of(value):
    """Return the name of a value's type, or the dtype of an array."""
    return f"an array of {value.dtype}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
