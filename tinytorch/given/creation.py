"""PyTorch's functions that make tensors, with all their arguments. Given.

Random numbers come from ``generator``, or from the default one that `manual_seed` seeds. They are NumPy's, not PyTorch's.
"""

import numpy as np

from tinytorch.given.joining import stack  # noqa: F401, module 01 imports it from here
from tinytorch.given.op import part
from tinytorch.given.random import generator as chosen
from tinytorch.given.tensor_methods import sizes


def _finished(array, dtype=None, device=None, requires_grad=False):
    """Make a tensor of an array, with the dtype and on the device that the caller asks for.

    Args:
        array: The array; it is not copied if it has the dtype already.
        dtype: NumPy dtype, or None for the array's own.
        device: Name of the device, or None for the CPU.
        requires_grad: Whether gradients flow to it.

    Returns:
        Tensor of the array's shape.
    """
    out = part("Tensor")(array if dtype is None else np.asarray(array).astype(dtype, copy=False))
    out = out if device is None else out.to(device)
    return out.requires_grad_() if requires_grad else out


def _size_of(size, shape):
    """Return a shape given as ``f(2, 3)``, as ``f((2, 3))`` or as ``f(size=(2, 3))``, as a tuple.

    Example:
        >>> _size_of(None, (2, 3)), _size_of((2, 3), ())
        ((2, 3), (2, 3))
    """
    return tuple(int(n) for n in sizes(shape if size is None else (size if isinstance(size, (tuple, list)) else (size,))))


def zeros(*shape, size=None, dtype=None, device=None, requires_grad=False):
    """Make a tensor of zeros.

    Args:
        shape: The sizes, one by one or as one tuple, which may also be given as ``size``.
        size: The same, by name.
        dtype: NumPy dtype; float32 by default.
        device: Name of the device.
        requires_grad: Whether gradients flow to it.

    Returns:
        Tensor of that shape.

    Example:
        >>> zeros(2, 3).shape, zeros((4,), dtype=np.int64)
        ((2, 3), tensor([0, 0, 0, 0]))
    """
    return _finished(np.zeros(_size_of(size, shape), dtype or np.float32), None, device, requires_grad)


def ones(*shape, size=None, dtype=None, device=None, requires_grad=False):
    """Make a tensor of ones; the arguments are those of `zeros`.

    Example:
        >>> ones(3)
        tensor([1., 1., 1.])
    """
    return _finished(np.ones(_size_of(size, shape), dtype or np.float32), None, device, requires_grad)


def empty(*shape, size=None, dtype=None, device=None, requires_grad=False):
    """Make a tensor to fill later; here it holds zeros. The arguments are those of `zeros`.

    Example:
        >>> empty(2).zero_()
        tensor([0., 0.])
    """
    return zeros(*shape, size=size, dtype=dtype, device=device, requires_grad=requires_grad)


def full(size, fill_value, *, dtype=None, device=None, requires_grad=False):
    """Make a tensor filled with one number.

    Args:
        size: Tuple of sizes.
        fill_value: The number; without ``dtype`` it decides the dtype: int64, float32 or bool.
        dtype: NumPy dtype.
        device: Name of the device.
        requires_grad: Whether gradients flow to it.

    Returns:
        Tensor of that shape.

    Example:
        >>> full((2,), 7), full((2,), 0.5)
        (tensor([7, 7]), tensor([0.5, 0.5]))
    """
    value = part("Tensor")(fill_value).data
    return _finished(np.full(_size_of(None, (size,)), value, dtype or value.dtype), None, device, requires_grad)


def zeros_like(input, *, dtype=None, device=None, requires_grad=False):
    """Make zeros of a tensor's shape, and of its dtype and device unless others are given.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> zeros_like(Tensor([1, 2]))
        tensor([0, 0])
    """
    return _like(zeros, input, dtype, device, requires_grad)


def ones_like(input, *, dtype=None, device=None, requires_grad=False):
    """Make ones of a tensor's shape, and of its dtype and device unless others are given.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> ones_like(Tensor([[0.5]]))
        tensor([[1.]])
    """
    return _like(ones, input, dtype, device, requires_grad)


def empty_like(input, *, dtype=None, device=None, requires_grad=False):
    """Make a tensor to fill later, of a tensor's shape; here it holds zeros.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> empty_like(Tensor([1.0, 2.0])).shape
        (2,)
    """
    return _like(zeros, input, dtype, device, requires_grad)


def full_like(input, fill_value, *, dtype=None, device=None, requires_grad=False):
    """Make a tensor filled with one number, with a tensor's shape, dtype and device.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> full_like(Tensor([1, 2]), 7)
        tensor([7, 7])
    """
    return _like(lambda *size, **options: full(size, fill_value, **options), input, dtype, device, requires_grad)


def rand_like(input, *, dtype=None, device=None, requires_grad=False, generator=None):
    """Draw from the uniform distribution on [0, 1), with a tensor's shape, dtype and device.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> rand_like(Tensor([[1.0, 2.0]])).shape
        (1, 2)
    """
    return _like(lambda *size, **options: rand(*size, generator=generator, **options), input, dtype, device, requires_grad)


def randn_like(input, *, dtype=None, device=None, requires_grad=False, generator=None):
    """Draw from the normal distribution, with a tensor's shape, dtype and device.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> randn_like(Tensor([[1.0, 2.0]])).shape
        (1, 2)
    """
    return _like(lambda *size, **options: randn(*size, generator=generator, **options), input, dtype, device, requires_grad)


def _like(make, input, dtype, device, requires_grad):
    """Call a function that makes tensors with a tensor's shape, and with its dtype and device unless others are given."""
    return make(*input.shape, dtype=dtype or input.dtype, device=device or input.device, requires_grad=requires_grad)


def eye(n, m=None, *, dtype=None, device=None, requires_grad=False):
    """Make a matrix of n rows and m columns with ones on the diagonal; it is square by default.

    Example:
        >>> eye(2)
        tensor([[1., 0.],
                [0., 1.]])
    """
    return _finished(np.eye(n, m, dtype=dtype or np.float32), None, device, requires_grad)


def arange(start, end=None, step=1, *, dtype=None, device=None, requires_grad=False):
    """Count from ``start`` to just before ``end`` in steps; with one number, from 0 to just before it.

    Args:
        start, end, step: Numbers. If all are whole, the result is int64, else float32.
        dtype: NumPy dtype, to choose another one.
        device: Name of the device.
        requires_grad: Whether gradients flow to it.

    Returns:
        Tensor of shape (ceil((end - start) / step),).

    Raises:
        ValueError: The step leads away from the end, or is 0.

    Example:
        >>> arange(3), arange(1, 2, 0.5)
        (tensor([0, 1, 2]), tensor([1. , 1.5]))
    """
    start, end = (0, start) if end is None else (start, end)
    start, end, step = (n.item() if isinstance(n, part("Tensor")) else n for n in (start, end, step))
    if step == 0 or (end - start) / step < 0:
        raise ValueError(f"arange cannot go from {start} to {end} in steps of {step}")
    whole = all(isinstance(n, (int, np.integer)) for n in (start, end, step))
    return _finished(np.arange(start, end, step), dtype or (np.int64 if whole else np.float32), device, requires_grad)


def linspace(start, end, steps, *, dtype=None, device=None, requires_grad=False):
    """Return evenly spaced numbers from ``start`` to ``end``, both included.

    Example:
        >>> linspace(0, 1, 5)
        tensor([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    return _finished(np.linspace(start, end, steps), dtype or np.float32, device, requires_grad)


def logspace(start, end, steps, base=10.0, *, dtype=None, device=None, requires_grad=False):
    """Return ``base`` to the power of each number of `linspace`.

    Example:
        >>> logspace(0, 2, 3)
        tensor([  1.,  10., 100.])
    """
    return _finished(np.logspace(start, end, steps, base=base), dtype or np.float32, device, requires_grad)


def tensor(data, *, dtype=None, device=None, requires_grad=False):
    """Make a tensor of a copy of the data.

    Args:
        data: Number, nested list, array or tensor.
        dtype: NumPy dtype; float32 for Python floats, int64 for ints, an array's own.
        device: Name of the device.
        requires_grad: Whether gradients flow to it.

    Returns:
        Tensor, which shares no memory with the data.

    Example:
        >>> tensor([[1, 2]], dtype=np.float32)
        tensor([[1., 2.]])
    """
    return _finished(part("Tensor")(data).data.copy(), dtype, device, requires_grad)


def as_tensor(data, dtype=None, device=None):
    """Make a tensor on the memory of the data if dtype and device allow it; a tensor is returned as it is.

    Example:
        >>> array = np.zeros(2, np.float32)
        >>> as_tensor(array).fill_(3)
        tensor([3., 3.])
        >>> array
        array([3., 3.], dtype=float32)
    """
    if isinstance(data, part("Tensor")):
        out = data if dtype is None or dtype == data.dtype else data.to(dtype)
        return out if device is None else out.to(device)
    return _finished(part("Tensor")(data).data, dtype, device)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False):
    """Make a tensor on the memory of the data, or of a copy if ``copy`` is True.

    Example:
        >>> asarray([1.0, 2.0], copy=True)
        tensor([1., 2.])
    """
    out = tensor(obj, dtype=dtype, device=device) if copy else as_tensor(obj, dtype, device)
    return out.requires_grad_() if requires_grad else out


def from_numpy(ndarray):
    """Make a tensor on the memory of an array.

    Args:
        ndarray: NumPy array of numbers.

    Returns:
        Tensor of the same shape and dtype; a write to one changes both.

    Raises:
        TypeError: It is not an array.

    Example:
        >>> from_numpy(np.array([1.0, 2.0])).dtype
        dtype('float64')
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy needs a NumPy array, got {type(ndarray).__name__}: use tinytorch.tensor(...)")
    return part("Tensor")(ndarray)


def rand(*shape, size=None, generator=None, rng=None, dtype=None, device=None, requires_grad=False):
    """Draw from the uniform distribution on [0, 1).

    Args:
        shape: The sizes, one by one or as one tuple, which may also be given as ``size``.
        size: The same, by name.
        generator: `Generator` to draw from; None for the default one.
        rng: The same, by the course's own name.
        dtype: NumPy dtype of floats; float32 by default.
        device: Name of the device.
        requires_grad: Whether gradients flow to it.

    Returns:
        Tensor of that shape.

    Example:
        >>> rand(2, 3).shape
        (2, 3)
    """
    return _finished(chosen(generator or rng).random(_size_of(size, shape), np.float32), dtype, device, requires_grad)


def randn(*shape, size=None, generator=None, rng=None, dtype=None, device=None, requires_grad=False):
    """Draw from the normal distribution with mean 0 and standard deviation 1; the arguments are those of `rand`.

    Example:
        >>> randn(2, 3).shape
        (2, 3)
    """
    draws = chosen(generator or rng).standard_normal(_size_of(size, shape), np.float32)
    return _finished(draws, dtype, device, requires_grad)


def randint(low, high=None, size=None, *, generator=None, dtype=None, device=None, requires_grad=False):
    """Draw whole numbers from ``low`` to just before ``high``.

    Args:
        low, high: The bounds; ``randint(high, size)`` starts at 0.
        size: Tuple of sizes.
        generator: `Generator` to draw from; None for the default one.
        dtype: NumPy dtype; int64 by default.
        device: Name of the device.
        requires_grad: Whether gradients flow to it, for a dtype of floats.

    Returns:
        Tensor of shape ``size``.

    Example:
        >>> randint(5, (2, 3)).shape, randint(3, 4, (2,))
        ((2, 3), tensor([3, 3]))
    """
    if size is None:
        low, high, size = 0, low, high
    low, high = (0, low) if high is None else (low, high)
    return _finished(chosen(generator).integers(low, high, _size_of(None, (size,))), dtype or np.int64, device, requires_grad)


def randperm(n, *, generator=None, dtype=None, device=None, requires_grad=False):
    """Return the numbers from 0 to n - 1 in random order.

    Example:
        >>> sorted(randperm(4).tolist())
        [0, 1, 2, 3]
    """
    return _finished(chosen(generator).permutation(n), dtype or np.int64, device, requires_grad)


def normal(mean, std=1.0, size=None, *, generator=None):
    """Draw from normal distributions.

    Args:
        mean, std: Numbers, or tensors of one shape.
        size: Tuple of sizes, if both are numbers.
        generator: `Generator` to draw from; None for the default one.

    Returns:
        Tensor of that shape.

    Example:
        >>> normal(5.0, 0.0, (2,))
        tensor([5., 5.])
    """
    shape = next((x.shape for x in (mean, std) if isinstance(x, part("Tensor"))), size)
    return randn(size=() if shape is None else shape, generator=generator) * std + mean


def bernoulli(input, *, generator=None):
    """Draw 1 with the probability that each entry holds, else 0.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> bernoulli(Tensor([0.0, 1.0]))
        tensor([0., 1.])
    """
    draws = chosen(generator).random(input.shape)
    return _finished((draws < input.detach().numpy()).astype(input.dtype))


def multinomial(input, num_samples, replacement=False, *, generator=None):
    """Draw positions, each with a probability in proportion to its entry.

    Args:
        input: Tensor of shape (C,) or (N, C): weights, which need not sum to 1.
        num_samples: How many to draw, from each row.
        replacement: Whether a position may come twice.
        generator: `Generator` to draw from; None for the default one.

    Returns:
        int64 tensor of shape (num_samples,) or (N, num_samples).

    Raises:
        ValueError: A weight is negative or not finite, all are 0, or there are too few positions to draw from.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> multinomial(Tensor([0.0, 3.0, 0.0]), 2, replacement=True)
        tensor([1, 1])
    """
    rng, rows = chosen(generator), np.atleast_2d(input.detach().numpy()).astype(np.float64)
    if not np.isfinite(rows).all() or (rows < 0).any() or (rows.sum(1) == 0).any():
        raise ValueError("multinomial needs weights of at least 0, finite, and in each row one above 0")
    if not replacement and ((rows > 0).sum(1) < num_samples).any():
        raise ValueError(f"multinomial cannot draw {num_samples} of {rows.shape[1]} without replacement: too few are above 0")
    draws = [rng.choice(len(row), num_samples, replacement, row / row.sum()) for row in rows]
    return _finished(np.array(draws, np.int64).reshape(*input.shape[:-1], num_samples))
