# Made by tito from modules/06_optimizers/optimizers.py: edit that file, then run `tito module complete 06`.

# optimizers.py, cell 7
"""Optimizers, learning-rate schedules and gradient clipping, with PyTorch's names and defaults."""
import math

import numpy as np

from tinytorch.given.constructing import PyTorchArguments
from tinytorch.given.history import tick
from tinytorch.given.op import in_place
from tinytorch.given.parameters import checked_group, parameter_groups, takes_parameters
from tinytorch.given.resuming import optimizer_problems
from tinytorch.given.state import live


# optimizers.py, cell 9
@in_place
def sgd_update(param, grad, scratch, *, lr):
    """Take one step of gradient descent, in place.

    Args:
        param: Array of any shape; it is changed.
        grad: Array of its shape, the gradient; it is not changed.
        scratch: Array of its shape to write to.
        lr: Learning rate.

    Returns:
        None. ``lr`` times the entry of ``grad`` is subtracted from every entry of ``param``.

    Example:
        >>> param = np.array([1.0, 2.0])
        >>> sgd_update(param, np.array([10.0, -10.0]), np.empty(2), lr=0.1)
        >>> param
        array([0., 3.])

    Source:
        Robbins and Monro, A Stochastic Approximation Method, 1951.
    """
    np.multiply(grad, lr, out=scratch)
    param -= scratch


# optimizers.py, cell 16
@in_place
def momentum_update(param, grad, velocity, scratch, *, lr, momentum, nesterov=False):
    """Take one step of gradient descent with momentum, in place.

    Args:
        param: Array of any shape; it is changed.
        grad: Array of its shape, the gradient; it is not changed.
        velocity: Array of its shape; it is changed. All 0 before the first step.
        scratch: Array of its shape to write to.
        lr: Learning rate.
        momentum: The fraction of the velocity that is kept, from 0 to below 1.
        nesterov: Whether the step is ``lr * (grad + momentum * velocity)`` instead of
            ``lr * velocity``, with the new velocity.

    Returns:
        None. ``velocity`` becomes ``momentum * velocity + grad``, then ``param`` takes the step.

    Example:
        >>> param, velocity = np.array([1.0]), np.array([2.0])
        >>> momentum_update(param, np.array([1.0]), velocity, np.empty(1), lr=0.1, momentum=0.5)
        >>> velocity, param
        (array([2.]), array([0.8]))

    Source:
        Sutskever et al., On the Importance of Initialization and Momentum in Deep Learning, 2013,
        section 2.
    """
    velocity *= momentum
    velocity += grad
    if nesterov:
        np.multiply(velocity, momentum, out=scratch)
        scratch += grad
        scratch *= lr
    else:
        np.multiply(velocity, lr, out=scratch)
    param -= scratch


# optimizers.py, cell 24
@in_place
def adam_update(param, grad, mean, square, scratch, *, step, lr, betas=(0.9, 0.999), eps=1e-8):
    """Take one step of Adam, in place.

    Args:
        param: Array of any shape; it is changed.
        grad: Array of its shape, the gradient; it is not changed.
        mean: Array of its shape, the running mean of the gradients; it is changed.
        square: Array of its shape, the running mean of their squares; it is changed.
        scratch: Array of its shape to write to.
        step: Number of this step, from 1.
        lr: Learning rate.
        betas: The fractions of the two running means that are kept.
        eps: Added to the root, so that it never divides by 0.

    Returns:
        None. The means are updated with ``grad``, then ``param`` takes the step of the formula
        above.

    Example:
        >>> param, mean, square = np.array([1.0]), np.zeros(1), np.zeros(1)
        >>> adam_update(param, np.array([4.0]), mean, square, np.empty(1), step=1, lr=0.1)
        >>> param.round(6)
        array([0.9])

    Source:
        Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015, algorithm 1.
    """
    beta1, beta2 = betas
    np.multiply(grad, 1 - beta1, out=scratch)
    mean *= beta1
    mean += scratch
    np.multiply(grad, grad, out=scratch)
    scratch *= 1 - beta2
    square *= beta2
    square += scratch
    np.sqrt(square, out=scratch)
    scratch /= math.sqrt(1 - beta2 ** step)
    scratch += eps
    np.divide(mean, scratch, out=scratch)
    scratch *= lr / (1 - beta1 ** step)
    param -= scratch


# optimizers.py, cell 32
@in_place
def decay_weights(param, *, lr, weight_decay):
    """Shrink a parameter in place, independently of its gradient, as AdamW does.

    Args:
        param: Array of any shape; it is changed.
        lr: Learning rate.
        weight_decay: Decay for each unit of the learning rate.

    Returns:
        None. Every entry of ``param`` is reduced by ``lr * weight_decay`` times itself.

    Example:
        >>> param = np.array([10.0, -20.0])
        >>> decay_weights(param, lr=0.1, weight_decay=0.5)
        >>> param
        array([  9.5, -19. ])

    Source:
        Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019, algorithm 2.
    """
    param *= 1 - lr * weight_decay


# optimizers.py, cell 37
class Optimizer(metaclass=PyTorchArguments):
    """What all optimizers share: the loop over parameters, and a state that can be saved.

    A subclass lists the arrays that its rule keeps for each parameter, and defines `update`.

    Args:
        params: Iterable of parameters, or of groups: ``[{"params": [...], "lr": 0.01}, ...]``.
        defaults: Dict of the settings that a group does not specify.

    Raises:
        TypeError: ``params`` is not a list of parameters. The message says what to write.
        ValueError: There is no parameter, one occurs twice, or a setting makes no sense.
    """

    kept = ()  # names of the arrays that the rule keeps from step to step

    def __init__(self, params, defaults):
        self.defaults, self.param_groups, self.state = defaults, [], {}
        for group in parameter_groups(params, type(self).__name__):
            self.add_param_group(group)

    def add_param_group(self, group):
        """Add a group of parameters: a dict such as ``{"params": [...], "lr": 0.01}``."""
        self.param_groups.append(checked_group(group, self))

    def params(self):
        """Return the parameters of all groups, in order."""
        return [param for group in self.param_groups for param in group["params"]]

    def zero_grad(self, set_to_none=True):
        """Set all gradients to None, or fill them with 0 instead."""
        for param in self.params():
            if set_to_none or param.grad is None:
                param.grad = None
            else:
                param.grad = param.grad.detach().zero_()

    def step(self, closure=None):
        """Change every parameter that has a gradient, by the rule of this optimizer.

        Args:
            closure: Function that computes the loss and its gradients first, if given.

        Returns:
            What the closure returned, or None.
        """
        loss = closure() if closure else None
        for group in map(live, self.param_groups):
            for param in group["params"]:
                if param.grad is not None:
                    state = live(self.memory(param))
                    state["step"] += 1
                    self.update(param.data, param.grad.data, state, group)
                    tick(param)
        return loss

    def memory(self, param):
        """Return the state of a parameter; the first call makes it, with arrays of 0."""
        if param not in self.state:
            names = (*self.kept, "scratch", "scratch_grad")
            arrays = {name: np.zeros_like(param.data) for name in names}
            self.state[param] = {"step": 0, **arrays}
        return self.state[param]

    def state_dict(self):
        """Return the settings, and the state of each parameter by the parameter's position."""
        positions = {param: position for position, param in enumerate(self.params())}
        state = {positions[param]: {"step": kept["step"],
                                    **{name: np.copy(kept[name]) for name in self.kept}}
                 for param, kept in self.state.items()}
        groups = [{**group, "params": [positions[param] for param in group["params"]]}
                  for group in self.param_groups]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, saved):
        """Load what `state_dict` returned, for the same parameters in the same order.

        Raises:
            ValueError: The state does not fit. The message says why, and nothing has been changed.
        """
        problems = list(optimizer_problems(self, saved))
        if problems:
            raise ValueError("\n  ".join(["the state does not fit this optimizer:", *problems]))
        for group, loaded in zip(self.param_groups, saved["param_groups"]):
            for name in loaded.keys() - {"params"}:  # files store tuples as lists
                value = loaded[name]
                group[name] = tuple(value) if isinstance(value, list) else value
        self.state.clear()
        for position, kept in saved["state"].items():
            state = self.memory(self.params()[int(position)])
            state["step"] = int(kept["step"])
            for name in self.kept:
                state[name][...] = kept[name]


# optimizers.py, cell 38
def decayed(param, grad, state, weight_decay):
    """Return the gradient plus weight decay, in an array that is kept for this sum."""
    if not weight_decay:
        return grad
    np.multiply(param, weight_decay, out=state["scratch_grad"])
    state["scratch_grad"] += grad
    return state["scratch_grad"]


class SGD(Optimizer):
    """Step against the gradient, optionally with momentum.

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate.
        momentum: Fraction of the velocity that is kept.
        dampening: Fraction of the gradient that is not added to the velocity, after the first step.
        weight_decay: Fraction of each weight that is added to its gradient.
        nesterov: Whether to look ahead; this needs a momentum, and no dampening.
    """

    kept = ("momentum_buffer",)

    def __init__(self, params, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0,
                 nesterov=False):
        if nesterov and (not momentum or dampening):
            raise ValueError("nesterov=True needs a momentum above 0, and dampening=0")
        super().__init__(params, dict(lr=lr, momentum=momentum, dampening=dampening,
                                      weight_decay=weight_decay, nesterov=nesterov))

    def update(self, param, grad, state, group):
        """Take one step for one parameter's array."""
        grad = decayed(param, grad, state, group["weight_decay"])
        if not group["momentum"]:
            sgd_update(param, grad, state["scratch"], lr=group["lr"])
            return
        if group["dampening"] and state["step"] > 1:
            grad = np.multiply(grad, 1 - group["dampening"], out=state["scratch_grad"])
        momentum_update(param, grad, state["momentum_buffer"], state["scratch"], lr=group["lr"],
                        momentum=group["momentum"], nesterov=group["nesterov"])


# optimizers.py, cell 39
class Adam(Optimizer):
    """Take a step of its own size for every parameter.

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate.
        betas: Fractions of the two running means that are kept.
        eps: Added to the root.
        weight_decay: Fraction of each weight that is added to its gradient.
    """

    kept = ("exp_avg", "exp_avg_sq")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    def update(self, param, grad, state, group):
        """Take one step for one parameter's array."""
        grad = decayed(param, grad, state, group["weight_decay"])
        adam_update(param, grad, state["exp_avg"], state["exp_avg_sq"], state["scratch"],
                    step=state["step"], lr=group["lr"], betas=group["betas"], eps=group["eps"])


@in_place
def adamw_update(param, grad, mean, square, scratch, *, weight_decay, **settings):
    """Shrink an array, then take Adam's step, in place, with the settings of both."""
    decay_weights(param, lr=settings["lr"], weight_decay=weight_decay)
    adam_update(param, grad, mean, square, scratch, **settings)


class AdamW(Adam):
    """Shrink the weights themselves, apart from Adam's step; the arguments are Adam's."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, lr, betas, eps, weight_decay)

    def update(self, param, grad, state, group):
        """Shrink one parameter's array, then take Adam's step."""
        adamw_update(param, grad, state["exp_avg"], state["exp_avg_sq"], state["scratch"],
                     step=state["step"], lr=group["lr"], betas=group["betas"], eps=group["eps"],
                     weight_decay=group["weight_decay"])


# optimizers.py, cell 41
@takes_parameters
def clip_grad_norm_(parameters, max_norm):
    """Scale all gradients in place so that, as one vector, they are no longer than allowed.

    Args:
        parameters: List of tensors of any shape; those without a gradient are skipped.
        max_norm: The maximum length, at least 0.

    Returns:
        The length before clipping, a Python float: the root of the sum of the squares of all
        entries of all gradients.

    Raises:
        ValueError: The length is not a finite number (squares of float32 may overflow). The
            gradients are not changed.

    Example:
        >>> from tinytorch.tensor import Tensor
        >>> w = Tensor([1.0, 1.0], requires_grad=True)
        >>> w.grad = Tensor([3.0, 4.0])
        >>> clip_grad_norm_([w], max_norm=1.0), w.grad
        (5.0, tensor([0.6, 0.8]))

    Source:
        Pascanu et al., On the Difficulty of Training Recurrent Neural Networks, 2013, algorithm 1.
    """
    grads = [param.grad.data for param in parameters if param.grad is not None]
    norm = math.sqrt(sum(float(np.vdot(grad, grad)) for grad in grads))
    if not math.isfinite(norm):
        raise ValueError(f"the gradients have the length {norm}: which batch broke them?")
    if norm > max_norm:
        for grad in grads:
            grad *= max_norm / norm
    return norm


# optimizers.py, cell 46
def step_decay(count, lr, step_size, gamma=0.1):
    """Return the learning rate of a step schedule.

    Args:
        count: Number of epochs (or steps) completed, from 0.
        lr: Learning rate at the start.
        step_size: Number of epochs (or steps) between changes.
        gamma: Factor at each change.

    Returns:
        ``lr`` for the first ``step_size`` counts, then ``lr * gamma`` for the same number, and so
        on.

    Example:
        >>> [step_decay(count, 1.0, step_size=2, gamma=0.5) for count in range(6)]
        [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """
    return lr * gamma ** (count // step_size)


# optimizers.py, cell 51
def cosine_decay(count, lr, T_max, eta_min=0.0):
    """Return the learning rate of a cosine schedule.

    Args:
        count: Number of epochs (or steps) completed, from 0 to ``T_max``.
        lr: Learning rate at count 0.
        T_max: The count at which the schedule ends.
        eta_min: Learning rate at the end.

    Returns:
        ``eta_min`` plus ``lr - eta_min`` times a half cosine, which falls from 1 at count 0 to 0 at
        ``T_max``.

    Example:
        >>> [round(cosine_decay(count, 1.0, T_max=4, eta_min=0.2), 3) for count in range(5)]
        [1.0, 0.883, 0.6, 0.317, 0.2]

    Source:
        Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017, eq. 5.
    """
    return eta_min + (lr - eta_min) * (1 + math.cos(math.pi * count / T_max)) / 2


# optimizers.py, cell 55
class LRScheduler:
    """A schedule tied to an optimizer: each `step` sets the learning rate of every group.

    A subclass has `rate(count, lr)`: the learning rate at a count, if it starts at ``lr``.
    Each group keeps its starting rate as ``initial_lr``.

    Args:
        optimizer: The optimizer; the schedule starts at the current ``lr`` of its groups.
        last_epoch: The count to continue after, for a restored optimizer; -1 at the start.
    """

    def __init__(self, optimizer, last_epoch=-1):
        self.optimizer, self.last_epoch = optimizer, last_epoch
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(f"last_epoch={last_epoch} continues an earlier schedule, but the "
                               "optimizer has none: load its state first, or set initial_lr")
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.rates = self.base_lrs if last_epoch == -1 else self.rates_at(last_epoch)
        self.step()

    def rates_at(self, count):
        """Return the learning rate of each group at a count, if nothing else changes it."""
        return [self.rate(count, lr) for lr in self.base_lrs]

    def step(self):
        """Advance by one count."""
        self.last_epoch += 1
        before, self.rates = self.rates, self.rates_at(self.last_epoch)
        for group, old, new in zip(self.optimizer.param_groups, before, self.rates):
            # If you or another schedule changed the rate in the meantime, keep that change.
            group["lr"] = new if group["lr"] == old or old == 0 else group["lr"] * new / old

    def get_last_lr(self): return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self):
        """Return the count, the starting rates, and the current learning rates."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs),
                "last_lr": self.get_last_lr()}

    def load_state_dict(self, saved):
        """Continue from where `state_dict` was taken."""
        self.last_epoch, self.base_lrs = saved["last_epoch"], list(saved["base_lrs"])
        self.rates = self.rates_at(self.last_epoch)
        for group, lr in zip(self.optimizer.param_groups, saved.get("last_lr", self.rates)):
            group["lr"] = lr


# optimizers.py, cell 56
class StepLR(LRScheduler):
    """Multiply the learning rate by ``gamma`` every ``step_size`` counts."""

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        if step_size < 1:
            raise ValueError(f"step_size needs a number above 0, got {step_size}")
        self.rate = lambda count, lr: step_decay(count, lr, step_size, gamma)
        super().__init__(optimizer, last_epoch)


class CosineAnnealingLR(LRScheduler):
    """Lower the learning rate along half a cosine, to ``eta_min`` after ``T_max`` counts."""

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1):
        if T_max <= 0:
            raise ValueError(f"T_max needs a number above 0, got {T_max}")
        self.rate = lambda count, lr: cosine_decay(count, lr, T_max, eta_min)
        super().__init__(optimizer, last_epoch)


class LambdaLR(LRScheduler):
    """Multiply the starting learning rate by ``lr_lambda(count)``."""

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        self.rate = lambda count, lr: lr * lr_lambda(count)
        super().__init__(optimizer, last_epoch)


def warmup_cosine(warmup, total):
    """Return a function for `LambdaLR`: up linearly for ``warmup`` counts, then down a cosine."""
    def factor(count):
        if count < warmup:
            return (count + 1) / warmup
        return cosine_decay(count - warmup, 1.0, max(1, total - warmup))
    return factor
