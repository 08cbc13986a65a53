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
# `loss.backward()` tells every parameter which way is uphill. An **optimizer** takes the step downhill, thousands of times. The length
# and the exact direction of the steps decide whether training takes a minute or an hour, or fails. In this module you write the rules
# that most networks are trained with, the schedules that shorten the steps over time, and the clipping that keeps one bad batch from
# ruining everything.

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
# You can draw two parameters but not a million; the difficulty is the same. This valley is 25 times steeper across than along. Your
# autograd gives the slope at any point, and a rule turns slopes into a path.

# %%
def valley(w):
    return 0.5 * (w[0] ** 2 + 25 * w[1] ** 2)

def walk(update, start=(-9.0, 1.6), steps=40):
    """Return the points that a rule visits; `update(point, slope)` changes the point in place."""
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
# Change the array of a parameter **in place**. Everything that holds it, such as the layer or the checkpoint, sees the new numbers, and
# no new memory is needed. Do not change the gradient: other code may still need it.

# %%
#| export
"""Optimizers, learning-rate schedules and gradient clipping, with PyTorch's names and defaults."""
import math

import numpy as np

from tinytorch.given.history import tick
from tinytorch.given.op import in_place

# %% [markdown]
# `np.multiply(grad, lr, out=scratch)` writes a product into an existing array. With it, a step needs no new array at all: you may write
# to `scratch`, which has the parameter's shape. The decorator `@in_place` makes an op that takes arrays and changes them; as with
# `@op`, other kernels can be registered for it later.

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
# Two lines: put the product into `scratch`, as in the text above; then subtract it from `param` with `-=`.

# %% [markdown] question="06.1"
# Across the valley the slope is 25 times as steep as along it. Up to which learning rate does the walk stay inside? **Predict** what
# 0.03 and 0.079 do, and what would happen at 0.081, then run the cell.

# %%
def descend(lr):
    return walk(lambda point, slope: sgd_update(point, slope, np.empty(2), lr=lr))

draw({"lr 0.03": descend(0.03), "lr 0.079": descend(0.079)})

# %% [markdown]
# ## Momentum
#
# The small rate crawls along the valley, the large one bounces from wall to wall. A ball would do better: it keeps some of its velocity.
# Across the valley, the pushes from both walls cancel; along it, they add up:
#
# $$v \leftarrow \mu v + g \qquad w \leftarrow w - \mathrm{lr}\cdot v$$
#
# **Nesterov's** variant looks ahead and steps by $g + \mu v$, with the new $v$. Before the first step there is no velocity: it
# starts at 0, so after one step it is the gradient.

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
# The rest is the step of 06.1, with another array in place of the gradient: the velocity, or for Nesterov a sum that you build in
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
# Momentum still uses one learning rate for all. **Adam** gives every single parameter its own: it divides by the usual size of that
# parameter's gradients. It keeps two running means, of the gradient and of its square:
#
# $$m \leftarrow \beta_1 m + (1-\beta_1)\,g \qquad s \leftarrow \beta_2 s + (1-\beta_2)\,g^2$$
#
# Both start at 0 and are too small at first, by the factors $1-\beta_1^t$ and $1-\beta_2^t$ after $t$ steps. Adam divides by these
# factors:
#
# $$w \leftarrow w - \mathrm{lr}\cdot\frac{m / (1-\beta_1^t)}{\sqrt{s / (1-\beta_2^t)} + \epsilon}$$

# %%
g, m = 1.0, 0.0
for step in range(1, 6):
    m = 0.9 * m + 0.1 * g
    print(f"step {step}: mean of ones is {m:.3f}, corrected {m / (1 - 0.9 ** step):.3f}")

# %% [markdown]
# Write it without a new array. One trap shows in the fifth digit: `1 - np.float32(0.999)` is 0.000999987, off by 1.3 in 100,000. The
# betas are Python floats; do not convert them. And $\epsilon$ is added **after** the root.

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
# Three parts, one after the other: the running mean, the running mean of squares, the step. `scratch` is free again after each part.

# %% [markdown] hint="06.3"
# For the running means: scale the old mean with `*=`, put the scaled gradient (or its square) into `scratch`, add it with `+=`.

# %% [markdown] hint="06.3"
# For the step: put the root of `square` into `scratch`; divide by the root of the correction; add eps; divide the mean by `scratch`,
# with `out=scratch`; scale; subtract. The corrections are Python numbers: `beta ** step` is cheap.

# %% [markdown] question="06.2"
# In its first step Adam moves every parameter by almost exactly `lr`, whatever the gradient. Put $t = 1$ into the formulas and explain
# why. What does that mean for the walk below, where one slope is 25 times the other?

# %%
mean, square, count = np.zeros(2), np.zeros(2), iter(range(1, 100))

def stride(point, slope):
    adam_update(point, slope, mean, square, np.empty(2), step=next(count), lr=0.5)

draw({"momentum 0.8, lr 0.03": rolling, "Adam, lr 0.5": walk(stride)})

# %% [markdown]
# ## Weight decay, twice
#
# Large weights are a sign that a network learned by heart. **Weight decay** pulls all of them towards 0. In gradient descent it makes no
# difference whether you add `decay * w` to the gradient or shrink the weight itself. In Adam it does: whatever you add to the gradient
# is divided by the root, so weights with large gradients hardly decay. **AdamW** shrinks the weight itself, before the step, and leaves
# the gradient alone.

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
# A number that loses a tenth of itself keeps nine tenths. Multiply by what is kept.

# %% [markdown] hint="06.4"
# One line, in place: `param` is the only array, so you need no scratch.

# %% [markdown]
# ## The classes around the rules
#
# The rest is bookkeeping, and it is given: groups of parameters with their own settings, the arrays that a rule keeps from step to step,
# and a `state_dict` that holds all of it, so that training can stop and go on later. Names and defaults are PyTorch's.

# %%
#| export
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

# %%
#| export
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

# %%
#| export
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

# %%
#| export
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

# %%
#| export
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

# %% [markdown]
# ## Clipping
#
# One odd batch can have a gradient a thousand times as long as usual, and one step with it can undo an hour of training. **Clipping** by
# the norm treats all gradients together as one long vector. If it is longer than allowed, all of them are scaled by the same factor:
# the direction stays.

# %% exercise="06.5" minutes=20 points=2
#| export
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
# `parameters` may be a generator, which can be walked only once, and you need the gradients twice. Collect them first.

# %% [markdown] hint="06.5"
# There is one length for all: add up the squares of every entry of every gradient, and take the root once at the end. Scale only if it
# is too long; a short vector must not become longer.

# %% [markdown]
# ## Schedules
#
# Long steps are good for getting close, short ones for arriving. A **schedule** changes the learning rate during training. You will meet
# two most often: a step schedule multiplies the rate by a factor every few epochs, and a cosine lowers it smoothly from its full height
# to its end. Write both as plain functions of the number of epochs or steps so far.

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
# How many times has it changed after `count` epochs? Try 0, 1, 2 and 3 with a `step_size` of 2.

# %% [markdown] hint="06.6"
# Integer division counts the changes; each of them is one more factor.

# %% [markdown]
# The schedule is at `lr` for count 0, halfway down in the middle, and at `eta_min` at the end. Half a turn takes the cosine from 1 to -1;
# you need it to go from 1 to 0, and then between two learning rates.

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
# `math.cos` takes radians: half a turn is pi. What fraction of it have you done after `count` of `T_max`?

# %% [markdown] hint="06.7"
# `1 + cos` goes from 2 to 0. Halve it, multiply by the distance between the two rates, and add the lower one.

# %%
#| export
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

# %%
#| export
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

# %% [markdown] question="06.3"
# The third schedule starts low, although long steps get further. In Adam's first steps the running means hold almost nothing: what does
# the correction do to a parameter whose first gradients happen to be tiny, and how does a **warm-up** help?

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
# Now put everything together: two interleaved spirals, which no line separates, a network from module 03, the loss from module 04, the
# gradients from module 05, and three of your optimizers with the same start.

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
# Same network, same data, same gradients: the rule decides. Save the notebook, then run
#
# ```
# tito module complete 06
# ```
#
# What is missing is data of a real size, in batches. That is module 07.
