"""Finite differences, to check every gradient rule against. Given."""

import numpy as np

from tinytorch.given.op import part


class GradcheckError(RuntimeError):
    """A gradient that differs from the finite differences, described by its worst entry.

    Args:
        function: The function that was checked.
        argument: Position of the input whose gradient is wrong.
        analytic: Array, the gradient.
        numeric: Array of the same shape, the finite differences.
        error: Array of the same shape, the relative errors.
        tolerance: The largest relative error that passes.
    """

    def __init__(self, function, argument, analytic, numeric, error, tolerance):
        index = np.unravel_index(np.argmax(error), np.shape(error))
        self.name, self.argument, self.index = getattr(function, "__name__", repr(function)), argument, tuple(map(int, index))
        super().__init__(
            f"the gradient of {self.name} is wrong for argument {argument}, worst at index {list(self.index)}:\n"
            f"  analytic {analytic[index]:.6g}, numeric {numeric[index]:.6g}, relative error {short(error[index])}, "
            f"expected below {short(tolerance)}"
        )


def short(number):
    """Return a small number as text: 2.5e-7."""
    return f"{number:.1e}".replace("e-0", "e-").replace("e+00", "").replace(".0e", "e")


def in_float64(inputs):
    """Return the inputs of a function, with floating-point tensors and arrays replaced by leaves of float64.

    Args:
        inputs: Tuple of inputs, or a single one; inputs that hold no floats are left as they are.

    Returns:
        List of the inputs.

    Raises:
        TypeError: None of them holds floats, so there is no gradient to check.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> in_float64((Tensor([0.5]), 3))
        [tensor([0.5], dtype=float64, requires_grad=True), 3]
    """
    inputs = list(inputs) if isinstance(inputs, (tuple, list)) else [inputs]
    arrays = [x.detach().numpy() if isinstance(x, part("Tensor")) else x for x in inputs]
    floats = [isinstance(array, np.ndarray) and array.dtype.kind == "f" for array in arrays]
    if not any(floats):
        raise TypeError("there is no gradient to check: pass a tuple of inputs of which at least one is a tensor of floats")
    return [
        part("Tensor")(array.astype(np.float64), requires_grad=True) if known else x
        for x, array, known in zip(inputs, arrays, floats)
    ]


def numeric_gradient(function, inputs, argument, upstream, eps):
    """Measure the gradient of ``(upstream * function(*inputs)).sum()`` by nudging one input, entry by entry.

    Args:
        function: Function of tensors that returns a tensor.
        inputs: List of its inputs.
        argument: Position of the input to nudge.
        upstream: Tensor with the shape of the function's result.
        eps: Size of the nudge.

    Returns:
        Array of the shape of that input.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> numeric_gradient(lambda x: x * x, [Tensor(np.array([3.0, 4.0]))], 0, Tensor([1.0, 10.0]), 1e-5).round(6)
        array([ 6., 80.])
    """
    values = inputs[argument].detach().numpy()
    gradient = np.zeros_like(values)
    for index in np.ndindex(values.shape):
        up, down = (nudged(function, inputs, argument, index, size) for size in (eps, -eps))
        gradient[index] = ((up - down) * upstream.data).sum() / (2 * eps)
    return gradient


def nudged(function, inputs, argument, index, size):
    """Return a function's result, as an array, when one entry of one input changes by a small amount."""
    values = inputs[argument].detach().numpy().copy()
    values[index] += size
    return function(*inputs[:argument], part("Tensor")(values), *inputs[argument + 1 :]).detach().numpy()
