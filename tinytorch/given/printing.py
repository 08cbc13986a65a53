"""How a tensor is printed. Given."""

import numpy as np

LONG = 100  # a tensor of more entries is shortened


def describe(tensor, values):
    """Return what `print` shows: the numbers, shortened if there are many, and whatever differs from the defaults.

    Args:
        tensor: The tensor.
        values: Its numbers as a NumPy array.

    Returns:
        Text such as ``tensor([1., 2.], requires_grad=True)``.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> Tensor([1.0, 2.5], requires_grad=True) * 2
        tensor([2., 5.], from=mul)
    """
    notes = [np.array2string(values, precision=4, separator=", ", threshold=LONG, edgeitems=3, prefix="tensor(")]
    if values.size > LONG:
        notes.append(f"shape={tensor.shape}")
    if values.dtype not in (np.float32, np.int64, np.bool_):
        notes.append(f"dtype={values.dtype}")
    if tensor.device != "cpu":
        notes.append(f"device={tensor.device!r}")
    if tensor.requires_grad:
        notes.append(f"from={tensor.origin.op.name}" if tensor.origin else "requires_grad=True")
    return f"tensor({', '.join(notes)})"
