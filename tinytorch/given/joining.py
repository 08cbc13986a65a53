"""PyTorch's functions of several tensors, such as cat, stack, where and einsum. Given, made of your ops."""

import math

import numpy as np

from tinytorch.given.op import ops, part


def _several(name, tensors):
    """Return the tensors given as one list, as PyTorch takes them, or one by one.

    Args:
        name: The function's name, for the message.
        tensors: Tuple of what was given.

    Raises:
        TypeError: One of them is not a tensor.
    """
    tensors = tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    for x in tensors:
        if not isinstance(x, part("Tensor")):
            raise TypeError(f"{name} needs tensors, got {type(x).__name__}: write {name}([a, b], dim=0)")
    return tensors


def cat(*given, tensors=None, dim=0):
    """Join tensors along an existing axis.

    Args:
        given: A list of tensors, or tensors one by one; only the size of axis ``dim`` may differ.
        tensors: The same list, by PyTorch's name for it.
        dim: The axis, which may also follow a list.

    Returns:
        Tensor whose axis ``dim`` is as long as theirs together.

    Raises:
        ValueError: Another axis differs, or there is nothing to join.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> a, b = Tensor([[1, 2]]), Tensor([[3, 4]])
        >>> cat([a, b]), cat([a, b], dim=1)
        (tensor([[1, 2],
                [3, 4]]), tensor([[1, 2, 3, 4]]))
    """
    given, dim = _listed(given, tensors, dim)
    return ops["cat"](*_several("cat", given), dim=dim)


def _listed(given, tensors, dim):
    """Return tensors given one by one, as ``f([a, b], 1)`` or as ``f(tensors=[a, b])``, and the axis."""
    if tensors is not None:
        return (tensors,), dim
    if len(given) == 2 and isinstance(given[0], (list, tuple)):
        return given[:1], given[1]
    return given, dim


concat = concatenate = cat


def stack(*given, tensors=None, dim=0):
    """Join tensors of one shape along a new axis.

    Args:
        given: A list of tensors, or tensors one by one.
        tensors: The same list, by PyTorch's name for it.
        dim: Position of the new axis, -1 for the end; it may also follow a list.

    Returns:
        Tensor with one axis more.

    Raises:
        ValueError: The shapes differ.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> stack([Tensor([1, 2]), Tensor([3, 4])], dim=1)
        tensor([[1, 3],
                [2, 4]])
    """
    given, dim = _listed(given, tensors, dim)
    tensors = _several("stack", given)
    if len({x.shape for x in tensors}) != 1:
        raise ValueError(f"stack needs tensors of one shape, got {', '.join(str(x.shape) for x in tensors) or 'none'}")
    return ops["cat"](*(x.unsqueeze(dim) for x in tensors), dim=dim)


def hstack(tensors):
    """Join tensors side by side: along axis 1, vectors along their only axis.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> hstack([Tensor([1, 2]), Tensor([3])])
        tensor([1, 2, 3])
    """
    tensors = [x.reshape(1) if x.ndim == 0 else x for x in _several("hstack", (tensors,))]
    return cat(tensors, dim=0 if tensors[0].ndim == 1 else 1)


def vstack(tensors):
    """Join tensors one above the other; a vector counts as a row.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> vstack([Tensor([1, 2]), Tensor([3, 4])]).shape
        (2, 2)
    """
    return cat([x.reshape(1, -1) if x.ndim < 2 else x for x in _several("vstack", (tensors,))])


def where(condition, input=None, other=None):
    """Take the entry of ``input`` where the condition is True, of ``other`` elsewhere; shapes broadcast.

    Args:
        condition: bool tensor.
        input, other: Tensors or numbers. Without both, the result is the indices where the condition is True.

    Returns:
        Tensor of the broadcast shape; or a tuple of int64 tensors, one for each axis.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> x = Tensor([1.0, -2.0])
        >>> where(x > 0, x, 0.0), where(x > 0)
        (tensor([1., 0.]), (tensor([0]),))
    """
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    if input is None or other is None:
        raise TypeError("where needs a condition alone, or a condition and two choices: where(condition, a, b)")
    if not isinstance(condition, part("Tensor")) or condition.dtype != bool:
        raise TypeError("where needs a condition of bools: write where(x > 0, a, b)")
    return ops["where"](condition, input, other)


def broadcast_tensors(*tensors):
    """Stretch tensors to the shape that they broadcast to.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> [x.shape for x in broadcast_tensors(Tensor([1, 2]), Tensor([[1], [2]]))]
        [(2, 2), (2, 2)]
    """
    shape = _broadcast(*tensors)
    return tuple(x.expand(*shape) for x in tensors)


def _broadcast(*tensors):
    """Return the shape that tensors broadcast to."""
    try:
        return np.broadcast_shapes(*(x.shape for x in tensors))
    except ValueError:
        raise ValueError(f"shapes {', '.join(str(x.shape) for x in tensors)} do not broadcast") from None


def meshgrid(*tensors, indexing="ij"):
    """Spread vectors over a grid: the i-th result varies along axis i.

    Args:
        tensors: Vectors, one by one or as one list.
        indexing: ``"ij"``; with ``"xy"`` the first two axes change places.

    Returns:
        Tuple of tensors of one shape.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> meshgrid(Tensor([1, 2]), Tensor([3, 4, 5]))[0]
        tensor([[1, 1, 1],
                [2, 2, 2]])
    """
    tensors = _several("meshgrid", tensors)
    if indexing not in ("ij", "xy"):
        raise ValueError(f'meshgrid needs indexing="ij" or indexing="xy", got {indexing!r}')
    shaped = [x.reshape(*(-1 if i == axis else 1 for i in range(len(tensors)))) for axis, x in enumerate(tensors)]
    grid = broadcast_tensors(*shaped)
    return tuple(x.transpose(0, 1) for x in grid) if indexing == "xy" and len(grid) > 1 else grid


def einsum(equation, *operands):
    """Multiply tensors and sum over the letters that the result does not have.

    Args:
        equation: Such as ``"bij,bjk->bik"``: a letter for each axis. Without an arrow, the result has those that occur once, in
            alphabetical order. Dots mean the leading axes.
        operands: Tensors, one by one or as one list.

    Returns:
        Tensor with an axis for each letter of the result.

    Raises:
        ValueError: The letters do not fit the shapes.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> a, b = Tensor([[1.0, 2.0]]), Tensor([[3.0], [4.0]])
        >>> einsum("ij,jk->ik", a, b)
        tensor([[11.]])
    """
    operands = _several("einsum", operands)
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    inputs = inputs.split(",")
    if len(inputs) != len(operands):
        raise ValueError(f"einsum {equation!r} names {len(inputs)} tensors, got {len(operands)}")
    dots = max([x.ndim - len(letters.replace("...", "")) for letters, x in zip(inputs, operands) if "..." in letters], default=0)
    front = "".join(chr(ord("0") + i) for i in range(dots))  # digits name the axes that dots mean
    inputs = [_named(letters, x, front, equation) for letters, x in zip(inputs, operands)]
    everything = "".join(inputs)
    if not arrow:
        output = "..." * bool(front) + "".join(sorted(c for c in set(everything) if everything.count(c) == 1 and c.isalpha()))
    output = output.replace("...", front)
    if not set(output) <= set(everything) or len(set(output)) < len(output):
        raise ValueError(f"einsum {equation!r} names an axis of the result that no tensor has, or one twice")
    order = [*output, *sorted(set(everything) - set(output))]
    return _product_of(inputs, operands, order, len(output))


def _named(letters, x, front, equation):
    """Return the letters of a tensor's axes, with the dots written out."""
    own = x.ndim - len(letters.replace("...", ""))
    letters = letters.replace("...", front[len(front) - own :] if own else "")
    if len(letters) != x.ndim:
        raise ValueError(f"einsum {equation!r} has {len(letters)} letters for a tensor of shape {x.shape}")
    return letters


def _product_of(inputs, operands, order, kept):
    """Multiply tensors whose axes have letters, in the order of all letters, and sum over those after the first ``kept``."""
    aligned = [_on_axes(letters, x, order) for letters, x in zip(inputs, operands)]
    out = aligned[0]
    if len(aligned) == 2:
        return _product_of_two(*aligned, kept)
    for x in aligned[1:]:
        out = out * x
    summed = tuple(range(kept, out.ndim))
    return out.sum(summed) if summed else out


def _product_of_two(a, b, kept):
    """Multiply two tensors of aligned axes and sum over the last axes, with one matrix product if there is anything to sum.

    There are four kinds of axes: those of both tensors, of the left one and of the right one, and those to sum over.
    """
    shape = _broadcast(a, b)
    both = [i for i in range(kept) if a.shape[i] == b.shape[i]]
    left = [i for i in range(kept) if i not in both and b.shape[i] == 1]
    right = [i for i in range(kept) if i not in both and b.shape[i] != 1]
    inner = list(range(kept, len(shape)))
    if any(a.shape[i] != b.shape[i] for i in inner):
        out = a * b
        return out.sum(tuple(inner)) if inner else out
    sizes = [[shape[i] for i in axes] for axes in (both, left, right, inner)]
    count = [math.prod(part) for part in sizes]
    a = a.permute(*both, *left, *right, *inner).reshape(count[0], count[1], count[3])
    b = b.permute(*both, *left, *right, *inner).reshape(count[0], count[2], count[3])
    out = (a @ b.transpose(-2, -1)).reshape(*sizes[0], *sizes[1], *sizes[2])
    places = [*both, *left, *right]
    return out.permute(*(places.index(i) for i in range(kept))) if kept else out


def _on_axes(letters, x, order):
    """Put a tensor's axes in an order of letters; a missing letter becomes an axis of size 1, a repeated one a diagonal."""
    for letter in set(letters):
        while letters.count(letter) > 1:
            first, second = letters.index(letter), letters.rindex(letter)
            x = x.diagonal(0, first, second)
            letters = letters[:second] + letters[second + 1 :]
            letters = letters.replace(letter, "", 1) + letter
    present = [letter for letter in order if letter in letters]
    x = x.permute(*(letters.index(letter) for letter in present)) if present else x
    return x.reshape(*(x.shape[present.index(letter)] if letter in present else 1 for letter in order))


def tensordot(a, b, dims=2):
    """Multiply, and sum over the last ``dims`` axes of ``a`` and the first of ``b``, or over two lists of axes.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> tensordot(Tensor([[1.0, 2.0]]), Tensor([[3.0], [4.0]]), dims=1)
        tensor([[11.]])
    """
    if isinstance(dims, int):
        dims = range(a.ndim - dims, a.ndim), range(dims)
    mine, theirs = ([axis % x.ndim for axis in axes] for x, axes in zip((a, b), dims))
    letters = "abcdefghijklmnopqrstuvwxyz"
    first = list(letters[: a.ndim])
    second = list(letters[a.ndim : a.ndim + b.ndim])
    for i, j in zip(mine, theirs):
        second[j] = first[i]
    rest = [c for i, c in enumerate(first) if i not in mine] + [c for j, c in enumerate(second) if j not in theirs]
    return einsum(f"{''.join(first)},{''.join(second)}->{''.join(rest)}", a, b)


def cdist(x1, x2, p=2.0, compute_mode=None):
    """Return the distance of every row of one matrix from every row of another.

    Args:
        x1: Tensor of shape (..., N, F).
        x2: Tensor of shape (..., M, F).
        p: Which norm; 2 is the Euclidean distance.
        compute_mode: Makes no difference here.

    Returns:
        Tensor of shape (..., N, M).

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> cdist(Tensor([[0.0, 0.0]]), Tensor([[3.0, 4.0]]))
        tensor([[5.]])
    """
    return (x1.unsqueeze(-2) - x2.unsqueeze(-3)).norm(p, dim=-1)


def cartesian_prod(*tensors):
    """Return all combinations of one entry of each vector, one combination a row.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> cartesian_prod(Tensor([1, 2]), Tensor([3, 4])).tolist()
        [[1, 3], [1, 4], [2, 3], [2, 4]]
    """
    grid = [x.reshape(-1) for x in meshgrid(*tensors)]
    return grid[0] if len(grid) == 1 else stack(grid, dim=1)
