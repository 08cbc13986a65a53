# Made by tito from modules/06_optimizers/optimizers.py: edit that file, then run `tito module complete 06`.

# optimizers.py, cell 7
"""Optimizers, learning-rate schedules and gradient clipping, with PyTorch's names and defaults."""
import math

import numpy as np

from tinytorch.given.history import tick
from tinytorch.given.op import in_place


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
        momentum: The share of the velocity that is kept, from 0 to below 1.
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
        betas: The shares of the two running means that are kept.
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
class Groups:
    """Parameters in groups, each with settings of its own.

    Args:
        params: Parameters, or dicts such as ``{"params": [...], "lr": 0.01}``.
        defaults: Dict of the settings that a group does not give.

    Raises:
        ValueError: There is no parameter, one stands twice, or a setting is unknown or negative.
    """

    def __init__(self, params, defaults):
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        groups = [{**defaults, **group, "params": list(group["params"])} for group in groups]
        self.param_groups = [self.checked(group, defaults) for group in groups]
        distinct = {id(param) for param in self.params()}
        if not distinct or len(distinct) != len(self.params()):
            raise ValueError("an optimizer needs parameters, and each of them once, "
                             f"got {len(self.params())}, {len(distinct)} of them distinct")

    def checked(self, group, defaults):
        """Return the group; refuse a setting that cannot be meant."""
        for name in group.keys() - {"params"}:
            if name not in defaults:
                raise ValueError(f"no setting {name!r}: there are {', '.join(defaults)}")
            if isinstance(group[name], (int, float)) and group[name] < 0:
                raise ValueError(f"{name} needs a number of at least 0, got {group[name]}")
        return group

    def params(self):
        """Return the parameters of all groups, in order."""
        return [param for group in self.param_groups for param in group["params"]]


# optimizers.py, cell 38
class Steps(Groups):
    """The walk over all parameters that have a gradient, and what a rule keeps for each of them."""

    kept = ()  # names of the arrays that the rule keeps from step to step

    def __init__(self, params, defaults):
        super().__init__(params, defaults)
        self.state = {}

    def zero_grad(self):
        """Forget all gradients."""
        for param in self.params():
            param.grad = None

    def step(self):
        """Change every parameter that has a gradient, by the rule of this optimizer."""
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is not None:
                    kept = self.memory(param)
                    kept["step"] += 1
                    self.update(param.data, param.grad.data, kept, group)
                    tick(param)

    def memory(self, param):
        """Return what is kept for a parameter; it is made, all 0, at the first call."""
        if id(param) not in self.state:
            names = (*self.kept, "scratch", "scratch_grad")
            arrays = {name: np.zeros_like(param.data) for name in names}
            self.state[id(param)] = {"step": 0, **arrays}
        return self.state[id(param)]


# optimizers.py, cell 39
class Optimizer(Steps):
    """What all optimizers share: groups, steps, and a state that can be saved."""

    def state_dict(self):
        """Return the settings, and what is kept for each parameter, by its position among all."""
        positions = {id(param): position for position, param in enumerate(self.params())}
        state = {positions[key]: {name: np.copy(kept[name]) for name in ("step", *self.kept)}
                 for key, kept in self.state.items()}
        groups = [{**group, "params": [positions[id(param)] for param in group["params"]]}
                  for group in self.param_groups]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, saved):
        """Take up what `state_dict` returned, for the same parameters in the same order."""
        ours, theirs = ([len(group["params"]) for group in groups]
                        for groups in (self.param_groups, saved["param_groups"]))
        if ours != theirs:
            raise ValueError(f"the saved groups hold {theirs} parameters, these {ours}")
        for group, loaded in zip(self.param_groups, saved["param_groups"]):
            group.update({name: value for name, value in loaded.items() if name != "params"})
        self.state.clear()
        for position, kept in saved["state"].items():
            param = self.params()[int(position)]
            self.memory(param)["step"] = int(kept["step"])
            for name in self.kept:
                self.memory(param)[name][...] = kept[name]


# optimizers.py, cell 40
class SGD(Optimizer):
    """Descend along the gradient, with momentum if wanted.

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate.
        momentum: Which part of the velocity is kept.
        weight_decay: What part of each weight is added to its gradient.
        nesterov: Whether to look ahead; it needs a momentum.
    """

    kept = ("momentum_buffer",)

    def __init__(self, params, lr=1e-3, momentum=0.0, weight_decay=0.0, nesterov=False):
        if nesterov and not momentum:
            raise ValueError("nesterov=True needs a momentum above 0")
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay,
                                      nesterov=nesterov))

    def update(self, param, grad, kept, group):
        """Take one step for one parameter's array."""
        grad = decayed(param, grad, kept, group["weight_decay"])
        if group["momentum"]:
            momentum_update(param, grad, kept["momentum_buffer"], kept["scratch"], lr=group["lr"],
                            momentum=group["momentum"], nesterov=group["nesterov"])
        else:
            sgd_update(param, grad, kept["scratch"], lr=group["lr"])


# optimizers.py, cell 41
def decayed(param, grad, kept, weight_decay):
    """Return the gradient with the weight's share added, in an array that is kept for it."""
    if not weight_decay:
        return grad
    np.multiply(param, weight_decay, out=kept["scratch_grad"])
    kept["scratch_grad"] += grad
    return kept["scratch_grad"]


class Adam(Optimizer):
    """Take a step of its own size for every parameter.

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate.
        betas: Which parts of the running means are kept.
        eps: What is added to the root.
        weight_decay: What part of each weight is added to its gradient.
    """

    kept = ("exp_avg", "exp_avg_sq")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    def update(self, param, grad, kept, group):
        """Take one step for one parameter's array."""
        grad = decayed(param, grad, kept, group["weight_decay"])
        adam_update(param, grad, kept["exp_avg"], kept["exp_avg_sq"], kept["scratch"],
                    step=kept["step"], lr=group["lr"], betas=group["betas"], eps=group["eps"])


@in_place
def adamw_update(param, grad, mean, square, scratch, *, weight_decay, **settings):
    """Shrink an array, then take Adam's step, in place; the settings are those of both."""
    decay_weights(param, lr=settings["lr"], weight_decay=weight_decay)
    adam_update(param, grad, mean, square, scratch, **settings)


class AdamW(Adam):
    """Shrink the weights themselves, apart from Adam's step; the arguments are Adam's."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, lr, betas, eps, weight_decay)

    def update(self, param, grad, kept, group):
        """Shrink one parameter's array, then take Adam's step."""
        adamw_update(param, grad, kept["exp_avg"], kept["exp_avg_sq"], kept["scratch"],
                     step=kept["step"], lr=group["lr"], betas=group["betas"], eps=group["eps"],
                     weight_decay=group["weight_decay"])


# optimizers.py, cell 43
def clip_grad_norm_(parameters, max_norm):
    """Scale all gradients in place so that, as one vector, they are no longer than allowed.

    Args:
        parameters: Iterable of tensors of any shape; those without a gradient are skipped.
        max_norm: The length allowed.

    Returns:
        The length before clipping, a Python float: the root of the sum of the squares of all
        entries of all gradients.

    Raises:
        ValueError: The length is not a finite number. The gradients are not changed.

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


# optimizers.py, cell 48
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


# optimizers.py, cell 53
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


# optimizers.py, cell 57
class LRScheduler:
    """A schedule tied to an optimizer: each `step` sets the learning rate of every group.

    Args:
        optimizer: The optimizer; what its groups have as ``lr`` now is where the schedule begins.
        last_epoch: The count to begin after; -1 at the start.
    """

    def __init__(self, optimizer, last_epoch=-1):
        self.optimizer, self.last_epoch = optimizer, last_epoch
        self.base_lrs = [group["lr"] for group in optimizer.param_groups]
        self.step()

    def step(self):
        """Go one count further."""
        self.last_epoch += 1
        for group, lr in zip(self.optimizer.param_groups, self.base_lrs):
            group["lr"] = self.rate(self.last_epoch, lr)

    def get_last_lr(self): return [group["lr"] for group in self.optimizer.param_groups]
    def state_dict(self): return {"last_epoch": self.last_epoch, "base_lrs": self.base_lrs}

    def load_state_dict(self, saved):
        """Go on from where `state_dict` was taken."""
        self.base_lrs, self.last_epoch = list(saved["base_lrs"]), saved["last_epoch"] - 1
        self.step()


# optimizers.py, cell 58
class StepLR(LRScheduler):
    """Multiply the learning rate by ``gamma`` every ``step_size`` counts."""

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        self.rate = lambda count, lr: step_decay(count, lr, step_size, gamma)
        super().__init__(optimizer, last_epoch)


class CosineAnnealingLR(LRScheduler):
    """Lower the learning rate along half a cosine, to ``eta_min`` after ``T_max`` counts."""

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1):
        self.rate = lambda count, lr: cosine_decay(count, lr, T_max, eta_min)
        super().__init__(optimizer, last_epoch)


class LambdaLR(LRScheduler):
    """Multiply the first learning rate by ``lr_lambda(count)``."""

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        self.rate = lambda count, lr: lr * lr_lambda(count)
        super().__init__(optimizer, last_epoch)


def warmup_cosine(warmup, total):
    """Return a factor for `LambdaLR`: up a line for ``warmup`` counts, then down a cosine."""
    def factor(count):
        if count < warmup:
            return (count + 1) / warmup
        return cosine_decay(count - warmup, 1.0, max(1, total - warmup))
    return factor
