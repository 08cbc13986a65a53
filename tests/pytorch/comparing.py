"""One call in both frameworks, and in what the results differ."""

import warnings

import numpy as np
import torch
from grid import TOLERANCE, laid_out

import tinytorch
from tinytorch.autograd import grad

KINDS = ("refuses", "takes", "kind", "shape", "dtype", "values", "gradient")


class Array:
    """An array that becomes a tensor of either framework.

    Args:
        array: The array.
        differentiable: Whether its gradient is to be compared, if it holds floats.
        memory: How ours lies in memory, one of `MEMORIES`.
    """

    def __init__(self, array, differentiable=True, memory="rows"):
        self.array, self.memory = array, memory
        self.wanted = differentiable and array.dtype in (np.float32, np.float64)

    def ours(self):
        return tinytorch.Tensor(laid_out(self.array.copy(), self.memory), self.wanted)

    def theirs(self):
        out = torch.from_numpy(np.array(laid_out(self.array, self.memory), order="C"))
        return out.requires_grad_() if self.wanted else out


def made(value, side, leaves):
    """Return an argument as one framework takes it, and note the tensors whose gradients are wanted."""
    if isinstance(value, Array):
        tensor = getattr(value, side)()
        if value.wanted:
            leaves.append(tensor)
        return tensor
    if isinstance(value, (list, tuple)):
        return type(value)(made(entry, side, leaves) for entry in value)
    if isinstance(value, np.dtype):
        return value if side == "ours" else getattr(torch, str(value))
    return value


def outcome(function, args, options, side):
    """Call a function, and return what it returned, or the exception, and the tensors whose gradients are wanted."""
    leaves = []
    args, options = made(args, side, leaves), {name: made(value, side, leaves) for name, value in options.items()}
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return function(*args, **options), leaves
    except Exception as error:  # whatever it raises is a refusal
        return error, leaves


def flat(result):
    """Return a result as a list: of a tuple, all its entries."""
    if isinstance(result, (list, tuple)) and not isinstance(result, torch.Size):
        return [entry for part in result for entry in flat(part)]
    return [result]


def array_of(value):
    """Return an entry of a result as an array, or None if it is nothing of that kind."""
    if isinstance(value, tinytorch.Tensor):
        return value.data
    if isinstance(value, torch.Tensor):
        return value.numpy(force=True)
    return np.asarray(value) if isinstance(value, (bool, int, float, str)) else None


def close(mine, other):
    """Say whether two arrays of one shape hold the same numbers, within what their dtype can tell apart."""
    if mine.dtype.kind not in "fc" or other.dtype.kind not in "fc":
        return bool(np.array_equal(mine, other))
    tolerance = max(TOLERANCE.get(str(mine.dtype), 3e-5), TOLERANCE.get(str(other.dtype), 3e-5))
    with np.errstate(all="ignore"):
        return bool(np.allclose(mine.astype(np.float64), other.astype(np.float64), tolerance, tolerance, equal_nan=True))


def difference(ours, theirs, args, options=None):
    """Return in what two functions differ for the same arguments.

    Args:
        ours, theirs: The functions.
        args: Tuple of arguments, with `Array` for tensors.
        options: Dict of arguments by name.

    Returns:
        Pair of a kind of `KINDS` and what was seen, or None.
    """
    options = options or {}
    (mine, leaves), (other, their_leaves) = outcome(ours, args, options, "ours"), outcome(theirs, args, options, "theirs")
    if isinstance(other, Exception):
        return None if isinstance(mine, Exception) else ("takes", f"PyTorch: {type(other).__name__}: {str(other)[:90]}")
    if isinstance(mine, Exception):
        return "refuses", f"{type(mine).__name__}: {str(mine)[:120]}"
    seen = of_results(flat(mine), flat(other))
    return seen or of_gradients(flat(mine), flat(other), leaves, their_leaves)


def of_results(mine, other):
    """Return in what two lists of results differ, or None."""
    if len(mine) != len(other):
        return "kind", f"{len(mine)} results, PyTorch {len(other)}"
    for a, b in zip(map(array_of, mine), map(array_of, other)):
        if a is None or b is None:
            if (a is None) != (b is None):
                return "kind", f"{a!r}, PyTorch {b!r}"
            continue
        if a.shape != b.shape:
            return "shape", f"{a.shape}, PyTorch {b.shape}"
        if a.dtype != b.dtype:
            return "dtype", f"{a.dtype}, PyTorch {b.dtype}"
        if not close(a, b):
            return "values", f"{str(a.reshape(-1)[:6])}, PyTorch {str(b.reshape(-1)[:6])}"
    return None


def of_gradients(mine, other, leaves, their_leaves):
    """Return in what the gradients of the first result that has any differ, or None."""
    for a, b in zip(mine, other):
        if not isinstance(b, torch.Tensor) or not b.requires_grad:
            continue
        upstream = np.linspace(-1, 2, b.numel()).reshape(b.shape).astype(str(b.dtype).removeprefix("torch."))
        try:
            theirs = torch.autograd.grad(b, their_leaves, torch.from_numpy(upstream), allow_unused=True)
        except RuntimeError:  # PyTorch has none
            return None
        try:
            with np.errstate(all="ignore"):
                ours = grad(a, leaves, tinytorch.Tensor(upstream), allow_unused=True)
        except Exception as error:  # no gradient at all
            return "gradient", f"{type(error).__name__}: {str(error)[:120]}"
        for g, h in zip(ours, theirs):
            g, h = (0.0 if x is None else array_of(x) for x in (g, h))  # no gradient is one of zeros
            g, h = np.broadcast_arrays(g, h)
            if not close(np.asarray(g, np.float64).astype(upstream.dtype), np.asarray(h, np.float64).astype(upstream.dtype)):
                return "gradient", f"{str(g.reshape(-1)[:6])}, PyTorch {str(h.reshape(-1)[:6])}"
        return None
    return None
