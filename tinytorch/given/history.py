"""What a tensor remembers: the op that made it, and when its memory was last written to. Given."""

from typing import Any, NamedTuple

from tinytorch.given.op import Op
from tinytorch.given.state import state

ticks = [0]  # how many in-place writes there have been, over all tensors


class Origin(NamedTuple):
    """Where a tensor came from: the op, its inputs as given, its settings, and how many in-place writes came before."""

    op: Op
    inputs: tuple
    params: dict[str, Any]
    time: int


def tick(tensor):
    """Count an in-place write, and record the count on the tensor and all views of its memory.

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
    """Let a tensor that shares an input's memory share its record of the last write: a write to one counts for both.

    Args:
        view: Tensor made from the inputs, in new memory or in theirs.
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
    """Record on a result where it came from, if a gradient may have to flow back through it later.

    That is the case when recording is on, some input requires a gradient, and the result is a floating-point tensor.

    Args:
        out: Tensor that the op returned; its ``requires_grad`` and ``origin`` are set.
        op: The op that ran.
        inputs: Tuple of its inputs, tensors and numbers, before they were unwrapped.
        params: Dict of the settings that were given; the others get their defaults.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> (Tensor([1.0], requires_grad=True) * 2).origin.op.name
        'mul'
    """
    if getattr(out.data, "base", None) is not None:  # a device's arrays may have none
        follow(out, *inputs)
    if not state.recording or out.data.dtype.kind != "f":
        return
    kind = type(out)
    for x in inputs:
        if isinstance(x, kind) and x.requires_grad:
            out.requires_grad, out.origin = True, Origin(op, inputs, {**op.defaults, **params}, ticks[0])
            return
