# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Optimizers
#
# `loss.backward()` gives every parameter a gradient, which points uphill. An **optimizer** takes the step downhill, thousands of times.
# The length and the exact direction of the steps decide whether training takes a minute or an hour, or fails. In this module you
# write the update rules that most networks are trained with, the schedules that shorten the steps over time, and the clipping that
# keeps one bad batch from undoing the training.

# %%
from tito import notebook
check = notebook("06")

import matplotlib.pyplot as plt
import numpy as np
from tinytorch.tensor import Tensor
rng = np.random.default_rng(0)

# %% [markdown]
# ## A valley to walk in
#
# You can draw a loss with two parameters but not one with a million; the difficulty is the same. The loss below is a valley that is
# 25 times steeper across than along. Your autograd computes the slope at any point, and an update rule turns slopes into a path.

# %%
def valley(w):
    return 0.5 * (w[0] ** 2 + 25 * w[1] ** 2)

def walk(update, start=(-9.0, 1.6), steps=40):
    """Return the path of a rule; `update(point, slope)` changes the point in place."""
    point, path = Tensor(np.array(start), requires_grad=True), [start]
    for _ in range(steps):
        valley(point).backward()
        update(point.data, point.grad.data)
        point.grad = None
        path.append(tuple(point.data))
    return np.array(path)

# %%
def draw(paths):
    x, y = np.meshgrid(np.linspace(-10, 4, 80), np.linspace(-2.2, 2.2, 60))
    size = (4.2 * len(paths), 2.6)
    figure, axes = plt.subplots(1, len(paths), figsize=size, layout="constrained")
    for axis, (title, path) in zip(np.atleast_1d(axes), paths.items()):
        axis.contour(x, y, 0.5 * (x ** 2 + 25 * y ** 2), levels=12, colors="lightgray")
        axis.plot(*path.T, ".-", markersize=4)
        axis.set_title(f"{title}: ends at ({path[-1, 0]:.2f}, {path[-1, 1]:.2f})", fontsize=9)

# %% [markdown]
# ## Stochastic gradient descent
#
# The oldest rule takes a step against the gradient:
#
# $$w \leftarrow w - \mathrm{lr}\cdot g$$
#
# Change the array of a parameter **in place**. Then everything that uses this array, such as the layer, gets the new numbers, and you
# need no new memory. Do not change the gradient, because other code may still need it.

# %%
#| export
"""Optimizers, learning-rate schedules and gradient clipping, with PyTorch's names and defaults."""
import math

import numpy as np

from tinytorch.given.constructing import PyTorchArguments
from tinytorch.given.history import tick
from tinytorch.given.op import in_place
from tinytorch.given.parameters import checked_group, parameter_groups, takes_parameters
from tinytorch.given.resuming import optimizer_problems
from tinytorch.given.state import live

# %% [markdown]
# `np.multiply(grad, lr, out=scratch)` writes a product into an existing array, so a step needs no new array at all. You may write
# to `scratch`, which has the parameter's shape. The decorator `@in_place` makes an op that takes arrays and changes them. As with
# `@op`, you can register other kernels for it later.

# %% exercise="06.1" minutes=15 points=2
#| export
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
    ### BEGIN SOLUTION
    np.multiply(grad, lr, out=scratch)
    param -= scratch
    ### END SOLUTION

# %% check="06.1"
check("06.1")

# %% [markdown] hint="06.1"
# `param = param - ...` binds the name to a new array, and the caller's array does not change. Which operator changes the array itself?

# %% [markdown] hint="06.1"
# Two lines. Put the product into `scratch`, as in the text above. Then subtract `scratch` from `param` with `-=`.

# %% [markdown] question="06.1"
# Across the valley, the slope is 25 times as steep as along it. Up to which learning rate does the path stay in the valley?
# **Predict** what happens with 0.03, with 0.079 and with 0.081. The cell runs the first two.

# %%
def descend(lr):
    return walk(lambda point, slope: sgd_update(point, slope, np.empty(2), lr=lr))

draw({"lr 0.03": descend(0.03), "lr 0.079": descend(0.079)})

# %% [markdown]
# ## Momentum
#
# With the small rate, the path crawls along the valley. With the large rate, it bounces from wall to wall. A ball would do better,
# because it keeps some of its velocity. Across the valley, the pushes from both walls cancel; along it, they add up:
#
# $$v \leftarrow \mu v + g \qquad w \leftarrow w - \mathrm{lr}\cdot v$$
#
# **Nesterov's** variant looks ahead and steps by $g + \mu v$, with the new $v$. The velocity starts at 0, so after one step it is the
# gradient.

# %% exercise="06.2" minutes=20 points=2
#| export
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
    ### BEGIN SOLUTION
    velocity *= momentum
    velocity += grad
    if nesterov:
        np.multiply(velocity, momentum, out=scratch)
        scratch += grad
        scratch *= lr
    else:
        np.multiply(velocity, lr, out=scratch)
    param -= scratch
    ### END SOLUTION

# %% check="06.2"
check("06.2")

# %% [markdown] hint="06.2"
# Change the velocity first, in two steps, both in place: scale it, then add to it.

# %% [markdown] hint="06.2"
# The rest is like the step of 06.1, but with the velocity instead of the gradient. For Nesterov, use a sum that you build in
# `scratch`.

# %%
velocity = np.zeros(2)

def roll(point, slope):
    momentum_update(point, slope, velocity, np.empty(2), lr=0.03, momentum=0.8)

rolling = walk(roll)
draw({"plain, lr 0.03": descend(0.03), "momentum 0.8, lr 0.03": rolling})

# %% [markdown]
# ## Adam
#
# Momentum still uses one learning rate for all parameters. **Adam** gives every single parameter a step size of its own: it divides by
# the usual size of that parameter's gradients. It keeps two running means, of the gradient and of its square:
#
# $$m \leftarrow \beta_1 m + (1-\beta_1)\,g \qquad s \leftarrow \beta_2 s + (1-\beta_2)\,g^2$$
#
# Both means start at 0, so they are too small at first, by the factors $1-\beta_1^t$ and $1-\beta_2^t$ after $t$ steps. Adam divides
# by these factors:
#
# $$w \leftarrow w - \mathrm{lr}\cdot\frac{m / (1-\beta_1^t)}{\sqrt{s / (1-\beta_2^t)} + \epsilon}$$

# %%
g, m = 1.0, 0.0
for step in range(1, 6):
    m = 0.9 * m + 0.1 * g
    print(f"step {step}: mean of ones is {m:.3f}, corrected {m / (1 - 0.9 ** step):.3f}")

# %% [markdown]
# Write Adam without a new array. Beware of a trap that shows in the fifth digit: `1 - np.float32(0.999)` is 0.000999987, off by 1.3 in
# 100,000. The betas are Python floats, so do not convert them. And add $\epsilon$ **after** the root.

# %% exercise="06.3" minutes=30 points=4
#| export
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
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% check="06.3"
check("06.3")

# %% [markdown] hint="06.3"
# Three parts, one after the other: the running mean, the running mean of squares, the step. You can use `scratch` in each part.

# %% [markdown] hint="06.3"
# For the running means: scale the old mean with `*=`, put the scaled gradient (or its square) into `scratch`, add it with `+=`.

# %% [markdown] hint="06.3"
# For the step, put the root of `square` into `scratch`, divide it by the root of the correction, and add eps. Divide the mean by
# `scratch`, with `out=scratch`. Then scale and subtract. The corrections are Python numbers, so `beta ** step` is cheap.

# %% [markdown] question="06.2"
# In its first step, Adam moves every parameter by almost exactly `lr`, for any gradient. Put $t = 1$ into the formulas and explain
# why. What does that mean for the path below, where one slope is 25 times as steep as the other?

# %%
mean, square, count = np.zeros(2), np.zeros(2), iter(range(1, 100))

def stride(point, slope):
    adam_update(point, slope, mean, square, np.empty(2), step=next(count), lr=0.5)

draw({"momentum 0.8, lr 0.03": rolling, "Adam, lr 0.5": walk(stride)})

# %% [markdown]
# ## Weight decay, twice
#
# Large weights can be a sign that a network memorised its examples. **Weight decay** pulls all weights towards 0. In gradient descent,
# it makes no difference whether you add `decay * w` to the gradient or shrink the weight itself. In Adam it does make a difference: the
# sum is divided by the root, so weights with large gradients hardly decay. **AdamW** shrinks the weight itself, before the step, and
# leaves the gradient alone.

# %% exercise="06.4" minutes=10 points=1
#| export
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
    ### BEGIN SOLUTION
    param *= 1 - lr * weight_decay
    ### END SOLUTION

# %% check="06.4"
check("06.4")

# %% [markdown] hint="06.4"
# A number that is reduced by a tenth keeps nine tenths. Multiply by the fraction that is kept.

# %% [markdown] hint="06.4"
# One line, in place. `param` is the only array, so you need no scratch.

# %% [markdown]
# ## The classes around the rules
#
# The rest is bookkeeping, and it is given: groups of parameters with their own settings, the arrays that a rule keeps from step to step,
# and a `state_dict` with all of this, so that you can stop training and continue later. Names and defaults are PyTorch's.

# %%
#| export
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

# %%
#| export
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

# %%
#| export
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

# %% [markdown]
# ## Clipping
#
# One odd batch can have a gradient a thousand times as long as usual, and one step with it can undo an hour of training. **Clipping** by
# the norm treats all gradients together as one long vector. If this vector is longer than allowed, all gradients are scaled by the same
# factor, so the direction stays. The decorator `@takes_parameters` is given: it turns one tensor, or a generator such as
# `model.parameters()`, into a list for your code.

# %% exercise="06.5" minutes=20 points=2
#| export
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
    ### BEGIN SOLUTION
    grads = [param.grad.data for param in parameters if param.grad is not None]
    norm = math.sqrt(sum(float(np.vdot(grad, grad)) for grad in grads))
    if not math.isfinite(norm):
        raise ValueError(f"the gradients have the length {norm}: which batch broke them?")
    if norm > max_norm:
        for grad in grads:
            grad *= max_norm / norm
    return norm
    ### END SOLUTION

# %% check="06.5"
check("06.5")

# %% [markdown] hint="06.5"
# You need the gradients twice: for the length, and to scale them. Collect those that are not None first.

# %% [markdown] hint="06.5"
# There is one length for all gradients: add up the squares of all their entries, and take the root once at the end. Scale only if the
# length is too large; a short vector must not become longer.

# %% [markdown]
# ## Schedules
#
# Long steps bring you close to a minimum fast, but you need short ones to reach it. A **schedule** changes the learning rate during
# training. Two are common: a step schedule multiplies the rate by a factor every few epochs, and a cosine schedule lowers it smoothly
# from its start to its end. Write both as plain functions of the number of epochs or steps so far.

# %% exercise="06.6" minutes=15 points=2
#| export
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
    ### BEGIN SOLUTION
    return lr * gamma ** (count // step_size)
    ### END SOLUTION

# %% check="06.6"
check("06.6")

# %% [markdown] hint="06.6"
# How many times has the rate changed after `count` epochs? Try 0, 1, 2 and 3 with a `step_size` of 2.

# %% [markdown] hint="06.6"
# Integer division counts the changes. Each change multiplies the rate by `gamma` once.

# %% [markdown]
# The cosine schedule is at `lr` for count 0, halfway down in the middle, and at `eta_min` at the end. Over half a period, the cosine
# goes from 1 to -1. Shift and scale it so that it goes from 1 to 0, and then from one learning rate to the other.

# %% exercise="06.7" minutes=20 points=2
#| export
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
    ### BEGIN SOLUTION
    return eta_min + (lr - eta_min) * (1 + math.cos(math.pi * count / T_max)) / 2
    ### END SOLUTION

# %% check="06.7"
check("06.7")

# %% [markdown] hint="06.7"
# `math.cos` takes radians, and half a period is pi. What fraction of this is the angle after `count` of `T_max`?

# %% [markdown] hint="06.7"
# `1 + cos` goes from 2 to 0. Halve it, multiply by the distance between the two rates, and add the lower one.

# %%
#| export
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

# %%
#| export
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

# %% [markdown] question="06.3"
# The third schedule below starts low, although long steps get further. In Adam's first steps, the running means are based on very few
# gradients. What does the correction do to a parameter whose first gradients happen to be tiny, and how does a **warm-up** help?

# %%
counts = np.arange(100)
figure, axis = plt.subplots(figsize=(5, 2.4))
axis.plot(counts, [step_decay(count, 1.0, 30, 0.5) for count in counts], label="step")
axis.plot(counts, [cosine_decay(count, 1.0, 100) for count in counts], label="cosine")
axis.plot(counts, [warmup_cosine(10, 100)(count) for count in counts], label="warm-up, then cosine")
axis.set(xlabel="count", ylabel="learning rate")
axis.legend(fontsize=8);

# %% [markdown]
# ## A network learns
#
# Now put everything together. The data are two interleaved spirals, which no line separates. The network is from module 03, the loss
# from module 04, the gradients from module 05. Compare three of your optimizers, all starting from the same weights.

# %%
from tinytorch.layers import Linear, ReLU, Sequential
from tinytorch.losses import cross_entropy

angle = rng.random(400) * 3 * np.pi
turn = np.repeat([0, np.pi], 200)
spirals = np.stack([angle * np.cos(angle + turn), angle * np.sin(angle + turn)], axis=1) / 5
labels = np.repeat([0, 1], 200)

def train(make_optimizer, steps=300):
    start = np.random.default_rng(1)
    model = Sequential(Linear(2, 64, rng=start), ReLU(), Linear(64, 2, rng=start))
    optimizer, losses = make_optimizer(model.parameters()), []
    for _ in range(steps):
        loss = cross_entropy(model(Tensor(spirals.astype(np.float32))), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses

# %%
rules = {"SGD 0.1": lambda p: SGD(p, lr=0.1), "Adam 0.01": lambda p: Adam(p, lr=0.01),
         "momentum 0.9": lambda p: SGD(p, lr=0.1, momentum=0.9)}
figure, axis = plt.subplots(figsize=(5, 2.6))
for name, rule in rules.items():
    losses = train(rule)
    axis.plot(losses, label=f"{name}: {losses[-1]:.3f}")
axis.set(xlabel="step", ylabel="loss", yscale="log")
axis.legend(fontsize=8);

# %% [markdown]
# The network, its first weights and the data are the same each time. Only the update rule makes the difference. Save the notebook,
# then run
#
# ```
# tito module complete 06
# ```
#
# In module 07 you load real data sets, and divide them into batches.
