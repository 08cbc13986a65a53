"""What the backward walk needs besides the rules: the first gradient, and care with shared memory. Given."""

import functools

import numpy as np

from tinytorch.given.device import move
from tinytorch.given.history import ticks
from tinytorch.given.op import ops, part


def first_gradient(root, gradient=None):
    """Return the gradient that the walk starts with.

    Args:
        root: Tensor that the walk starts at.
        gradient: Tensor or array of its shape; None means 1, for a ``root`` of one number.

    Returns:
        Tensor with the shape and dtype of ``root``; it shares no memory with ``gradient``.

    Raises:
        RuntimeError: The tensor has no graph; it has more than one entry and no gradient is given; or the shapes differ.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> first_gradient(Tensor([0.5], requires_grad=True))
        tensor([1.])
    """
    if not root.requires_grad:
        raise RuntimeError(
            "backward() of a tensor without a graph: nothing it was computed from requires a gradient, "
            "or it was computed under no_grad()"
        )
    if gradient is None and root.numel() != 1:
        raise RuntimeError(
            f"backward() without a gradient needs a tensor of one number, got shape {root.shape}: "
            "reduce it, for example with .sum(), or pass a gradient of that shape"
        )
    if gradient is None:
        return type(root)(move(np.array(1, root.dtype, ndmin=root.ndim), root.device))
    gradient = gradient if isinstance(gradient, part("Tensor")) else part("Tensor")(gradient)
    if gradient.shape != root.shape:
        raise RuntimeError(f"backward() needs a gradient of the tensor's shape {root.shape}, got {gradient.shape}")
    return ops["cast"](gradient, dtype=root.dtype)


@functools.cache
def stand_in(tensor_class):
    """Return the class of stand-ins for tensors that were changed in place.

    A stand-in has a tensor's shape, and raises an error when its numbers are read.

    Args:
        tensor_class: The class `Tensor`, which module 01 writes.
    """

    class Changed(tensor_class):
        """A stand-in: the tensor, and the message of the RuntimeError."""

        __slots__ = ("tensor", "complaint")

        def __init__(self, tensor, complaint):
            self.tensor, self.complaint = tensor, complaint

        @property
        def data(self):
            """Raise the error: the numbers have changed."""
            raise RuntimeError(self.complaint)

        shape = property(lambda self: self.tensor.shape)
        ndim = property(lambda self: self.tensor.ndim)
        dtype = property(lambda self: self.tensor.dtype)

    return Changed


def as_they_were(out):
    """Return what a gradient rule may read, with stand-ins for tensors that were changed in place since the op ran.

    A rule that does not read a tensor's numbers still works: after ``y = x + 1``, you may overwrite x.

    Args:
        out: Tensor that has an origin.

    Returns:
        Tuple of what a rule receives after the gradient: the tensor, and the inputs of its op as they were given.
    """
    op, inputs, _, time = out.origin
    values = out, *inputs
    if time == ticks[0]:  # nothing has been written to since
        return values
    names = ["the result", *(f"argument {i}" for i in range(len(inputs)))]
    tensor_class = part("Tensor")
    return tuple(
        stand_in(tensor_class)(x, complaint(op, name, x)) if isinstance(x, tensor_class) and x.version > time else x
        for x, name in zip(values, names)
    )


def complaint(op, name, tensor):
    """Say which tensor a gradient needs, and that it was changed."""
    return (
        f"backward() needs {name} of {op.name}, shape {tensor.shape}, as it was when {op.name} ran, but it has been "
        "changed in place since: call backward() before the change, or make a new tensor (x = x + 1)"
    )


def by_columns(x):
    """Say whether a matrix is stored column by column, as a transposed weight is.

    Args:
        x: Tensor or array of two dimensions or more.

    Returns:
        Bool.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> weight = Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        >>> by_columns(weight), by_columns(weight.mT)
        (False, True)
    """
    strides = (x.tensor if isinstance(x, stand_in(part("Tensor"))) else x).data.strides
    return strides[-2] < strides[-1]


def unshared(gradients):
    """Return gradients that share no memory with each other and can be written to.

    The rules of ``a + b`` return the same gradient for both inputs. Changing one in place must leave the other alone.

    Args:
        gradients: Dict from tensors to their gradients.

    Returns:
        Dict from the same tensors to gradients, copied where needed.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> a, b, grad = Tensor([0.0]), Tensor([0.0]), Tensor([1.0])
        >>> [own is grad for own in unshared({a: grad, b: grad}).values()]
        [True, False]
    """
    taken, result = set(), {}
    for tensor, grad in gradients.items():
        array = grad.data
        base = getattr(array, "base", None)  # a device's arrays may have neither base nor flags
        memory = id(array if base is None else base)
        own = memory not in taken and (not isinstance(array, np.ndarray) or array.flags.writeable)
        result[tensor] = grad if own else grad.clone()
        taken.add(memory)
    return result
