"""PyTorch's optimizers besides those of module 06, as names of `tinytorch.optim`. Given."""

import numpy as np

from tinytorch.optim import Optimizer, decayed, momentum_update, sgd_update


class RMSprop(Optimizer):
    """Divide each step by the root of a running mean of the squared gradients.

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate.
        alpha: The fraction of the running mean that is kept.
        eps: Is added to the root.
        weight_decay: The fraction of each weight that is added to its gradient.
        momentum: The fraction of the velocity that is kept.
        centered: Whether to take the root of the variance instead: the square of the mean gradient is subtracted.

    Example:
        >>> from tinytorch.layers import Parameter
        >>> from tinytorch.tensor import Tensor
        >>> w = Parameter([1.0])
        >>> w.grad = Tensor([4.0])
        >>> RMSprop([w], lr=0.1).step()
        >>> w
        tensor([0.], requires_grad=True)
    """

    kept = ("square_avg", "grad_avg", "momentum_buffer")

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):
        super().__init__(
            params, dict(lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum, centered=centered)
        )

    def update(self, param, grad, state, group):
        """Take one step for one parameter's array."""
        grad = decayed(param, grad, state, group["weight_decay"])
        scratch, square, mean = state["scratch"], state["square_avg"], state["grad_avg"]
        np.square(grad, out=scratch)
        running_mean(square, scratch, group["alpha"])
        if group["centered"]:
            np.copyto(scratch, grad)
            running_mean(mean, scratch, group["alpha"])
        np.square(mean, out=scratch)  # 0 if it is not centered
        np.subtract(square, scratch, out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += group["eps"]
        np.divide(grad, scratch, out=scratch)
        if group["momentum"]:
            momentum_update(
                param, scratch, state["momentum_buffer"], state["scratch_grad"], lr=group["lr"], momentum=group["momentum"]
            )
        else:
            sgd_update(param, scratch, state["scratch_grad"], lr=group["lr"])


def running_mean(mean, values, kept):
    """Add new values to a running mean, in place; the values are overwritten."""
    values *= 1 - kept
    mean *= kept
    mean += values


class Adagrad(Optimizer):
    """Divide each step by the root of the sum of all squared gradients so far.

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate.
        lr_decay: How fast the learning rate falls: it is divided by 1 + lr_decay times the number of steps before.
        weight_decay: The fraction of each weight that is added to its gradient.
        initial_accumulator_value: What the sum starts with.
        eps: Is added to the root.

    Example:
        >>> from tinytorch.layers import Parameter
        >>> from tinytorch.tensor import Tensor
        >>> w = Parameter([1.0])
        >>> w.grad = Tensor([4.0])
        >>> Adagrad([w], lr=0.5).step()
        >>> w
        tensor([0.5], requires_grad=True)
    """

    kept = ("sum",)

    def __init__(self, params, lr=1e-2, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10):
        super().__init__(
            params,
            dict(
                lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay, initial_accumulator_value=initial_accumulator_value
            ),
        )

    def update(self, param, grad, state, group):
        """Take one step for one parameter's array."""
        grad = decayed(param, grad, state, group["weight_decay"])
        scratch, total = state["scratch"], state["sum"]
        if state["step"] == 1:
            total += group["initial_accumulator_value"]
        np.square(grad, out=scratch)
        total += scratch
        np.sqrt(total, out=scratch)
        scratch += group["eps"]
        np.divide(grad, scratch, out=scratch)
        sgd_update(param, scratch, state["scratch_grad"], lr=group["lr"] / (1 + (state["step"] - 1) * group["lr_decay"]))
