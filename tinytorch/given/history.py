"""What a tensor remembers: the op that made it, and when its memory was last written to. Given."""
from typing import Any, NamedTuple

from tinytorch.given.op import Op
from tinytorch.given.state import state

ticks = [0]  # how many writes in place there have been, in all tensors together


class Origin(NamedTuple):
    """Where a tensor came from: the op, its inputs as given, its settings, and how many writes in place came before."""

    op: Op
    inputs: tuple
    params: dict[str, Any]
    time: int


def tick(tensor):
    """Count a write in place, and note the count on the tensor, for all views of its memory.

    Args:
        tensor: Tensor that was written to.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> x, before = Tensor([1.0]), ticks[0]
        >>> tick(x)
        >>> x.version == ticks[0] == before + 1
        True
    """
    ticks[0] += 1
    tensor.written[0] = ticks[0]


def follow(view, *inputs):
    """Let a tensor that shares an input's memory share its note of the last write: a write to either is one to both.

    Args:
        view: Tensor that was made from the inputs, of new memory or of theirs.
        inputs: What it was made from: tensors, arrays and numbers.

    Returns:
        The tensor.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> x = Tensor([1.0, 2.0])
        >>> part = x[:1]
        >>> x.zero_(), part.version == x.version > 0
        (tensor([0., 0.]), True)
    """
    base = view.data.base
    for x in inputs:
        if isinstance(x, type(view)) and (x.data is base or x.data.base is base):
            view.written = x.written
    return view


def record(out, op, inputs, params):
    """Remember on a result where it came from, if a gradient may one day have to flow back through it.

    That is so when recording is on, some input requires a gradient, and the result is a floating-point tensor.

    Args:
        out: Tensor that the op returned; its ``requires_grad`` and ``origin`` are set.
        op: The op that ran.
        inputs: Tuple of its inputs, tensors and numbers, before they were unwrapped.
        params: Dict of its settings; the defaults of the others are filled in.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> (Tensor([1.0], requires_grad=True) * 2).origin.op.name
        'mul'
    """
    if getattr(out.data, "base", None) is not None:  # arrays of a device need not have one
        follow(out, *inputs)
    if not state.recording or out.data.dtype.kind != "f":
        return
    kind = type(out)
    for x in inputs:
        if isinstance(x, kind) and x.requires_grad:
            out.requires_grad, out.origin = True, Origin(op, inputs, {**op.defaults, **params}, ticks[0])
            return
