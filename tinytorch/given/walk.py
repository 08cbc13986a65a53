"""What a walk back through a graph needs beside the rules: a beginning, and care for memory that is shared. Given."""
import functools

import numpy as np

from tinytorch.given.device import move
from tinytorch.given.history import ticks
from tinytorch.given.op import ops, part


def first_gradient(root, gradient=None):
    """Return the gradient that a walk begins with.

    Args:
        root: Tensor that the walk begins at.
        gradient: Tensor or array of its shape; None for 1, if ``root`` is one number.

    Returns:
        Tensor of the shape and dtype of ``root``, which shares no memory with what was given.

    Raises:
        RuntimeError: The tensor has no graph, or is more than one number and no gradient was given, or one of another shape.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> first_gradient(Tensor([0.5], requires_grad=True))
        tensor([1.])
    """
    if not root.requires_grad:
        raise RuntimeError("backward() of a tensor without a graph: nothing that it was computed from requires a gradient, "
                           "or it was computed under no_grad()")
    if gradient is None and root.numel() != 1:
        raise RuntimeError(f"backward() begins at one number, and this tensor has shape {root.shape}: "
                           "reduce it, as with .sum(), or pass a gradient of that shape")
    if gradient is None:
        return type(root)(move(np.array(1, root.dtype, ndmin=root.ndim), root.device))
    gradient = gradient if isinstance(gradient, part("Tensor")) else part("Tensor")(gradient)
    if gradient.shape != root.shape:
        raise RuntimeError(f"backward() needs a gradient of the tensor's shape {root.shape}, got {gradient.shape}")
    return ops["cast"](gradient, dtype=root.dtype)


@functools.cache
def stand_in(tensor_class):
    """Return the class of stand-ins for tensors that were changed in place.

    A stand-in has a tensor's shape, and complains when its numbers are read.

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
            """Raise the complaint: the numbers are not what they were."""
            raise RuntimeError(self.complaint)

        shape = property(lambda self: self.tensor.shape)
        ndim = property(lambda self: self.tensor.ndim)
        dtype = property(lambda self: self.tensor.dtype)

    return Changed


def as_they_were(out):
    """Return what a gradient rule may read, with stand-ins for all that was changed in place since the op ran.

    A rule that reads no number of a tensor does not mind its change: after ``y = x + 1``, x may be overwritten.

    Args:
        out: Tensor that has an origin.

    Returns:
        Tuple of what a rule receives after the gradient: the tensor, and the inputs of its op as they were given.
    """
    op, inputs, _, time = out.origin
    values = out, *inputs
    if time == ticks[0]:  # nothing at all has been written to since
        return values
    names = ["the result", *(f"argument {i}" for i in range(len(inputs)))]
    tensor_class = part("Tensor")
    return tuple(stand_in(tensor_class)(x, complaint(op, name, x)) if isinstance(x, tensor_class) and x.version > time else x
                 for x, name in zip(values, names))


def complaint(op, name, tensor):
    """Say which tensor a gradient needs, and what became of it."""
    return (f"backward() needs {name} of {op.name}, shape {tensor.shape}, as it was when {op.name} ran, but it has been "
            "changed in place since: call backward() before the change, or make a new tensor (x = x + 1)")


def by_columns(x):
    """Say whether a matrix lies in memory column after column, as a transposed weight does.

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
    """Return gradients of which no two share memory, and which may be written to.

    The rules of ``a + b`` give both the same gradient. Changing one in place must leave the other alone.

    Args:
        gradients: Dict from tensors to their gradients.

    Returns:
        Dict of the same tensors, with copies where they are needed.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> a, b, grad = Tensor([0.0]), Tensor([0.0]), Tensor([1.0])
        >>> [own is grad for own in unshared({a: grad, b: grad}).values()]
        [True, False]
    """
    taken, result = set(), {}
    for tensor, grad in gradients.items():
        array = grad.data
        known = isinstance(array, np.ndarray)  # arrays of a device need have neither base nor flags
        memory = id(array.base if known and array.base is not None else array)
        own = memory not in taken and (not known or array.flags.writeable)
        result[tensor] = grad if own else grad.clone()
        taken.add(memory)
    return result
