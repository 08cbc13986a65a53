"""PyTorch's `optim.lr_scheduler`: the schedules of module 06, and more of them. Given.

`from tinytorch.optim.lr_scheduler import StepLR, OneCycleLR`. A schedule is a function of the count, `rate(count, lr)`.
"""

import math
from bisect import bisect_right

from tinytorch.given import names
from tinytorch.given.callbacks import Callback
from tinytorch.optim import LRScheduler, cosine_decay

__path__ = []  # then `from tinytorch.optim.lr_scheduler import x` can name the nearest x
__getattr__, __dir__ = names.namespace("tinytorch.optim.lr_scheduler", ["more/optim/lr_scheduler.py"], lambda: ["optim"])


class ExponentialLR(LRScheduler):
    """Multiply the learning rate by ``gamma`` at every count."""

    def __init__(self, optimizer, gamma, last_epoch=-1):
        self.rate = lambda count, lr: lr * gamma**count
        super().__init__(optimizer, last_epoch)


class MultiStepLR(LRScheduler):
    """Multiply the learning rate by ``gamma`` at each count in ``milestones``."""

    def __init__(self, optimizer, milestones, gamma=0.1, last_epoch=-1):
        milestones = sorted(milestones)
        self.rate = lambda count, lr: lr * gamma ** bisect_right(milestones, count)
        super().__init__(optimizer, last_epoch)


class ConstantLR(LRScheduler):
    """Multiply the learning rate by ``factor`` for the first ``total_iters`` counts, then leave it alone."""

    def __init__(self, optimizer, factor=1 / 3, total_iters=5, last_epoch=-1):
        self.rate = lambda count, lr: lr * factor if count < total_iters else lr
        super().__init__(optimizer, last_epoch)


class LinearLR(LRScheduler):
    """Multiply the learning rate by a factor that goes from ``start_factor`` to ``end_factor`` along a line."""

    def __init__(self, optimizer, start_factor=1 / 3, end_factor=1.0, total_iters=5, last_epoch=-1):
        self.rate = lambda count, lr: lr * line(start_factor, end_factor, min(count, total_iters) / total_iters)
        super().__init__(optimizer, last_epoch)


class PolynomialLR(LRScheduler):
    """Lower the learning rate to 0 after ``total_iters`` counts, along a power of the fraction that is left."""

    def __init__(self, optimizer, total_iters=5, power=1.0, last_epoch=-1):
        self.rate = lambda count, lr: lr * (1 - min(count, total_iters) / total_iters) ** power
        super().__init__(optimizer, last_epoch)


class CosineAnnealingWarmRestarts(LRScheduler):
    """Lower the learning rate along half a cosine, again and again: for ``T_0`` counts, then ``T_0 * T_mult``, and so on."""

    def __init__(self, optimizer, T_0, T_mult=1, eta_min=0.0, last_epoch=-1):
        if T_0 < 1 or T_mult < 1:
            raise ValueError(f"T_0 and T_mult need whole numbers above 0, got {T_0} and {T_mult}")
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, count, lr):
        """Return the learning rate at a count."""
        length = self.T_0
        while count >= length:
            count, length = count - length, length * self.T_mult
        return cosine_decay(count, lr, length, self.eta_min)


class OneCycleLR(LRScheduler):
    """Raise the learning rate to ``max_lr`` and lower it to almost nothing, one step of training a count.

    Args:
        optimizer: The optimizer.
        max_lr: The highest learning rate, or a list of one for each group.
        total_steps: How many steps there are; or give ``epochs`` and ``steps_per_epoch``.
        pct_start: The fraction of the steps in which the learning rate rises.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        cycle_momentum: Whether the momentum (of Adam, the first beta) goes the other way: down to ``base_momentum`` and up to
            ``max_momentum`` again.
        div_factor: The first learning rate is ``max_lr`` divided by it.
        final_div_factor: The last learning rate is the first one divided by it.
        three_phase: Only False is supported here.
        last_epoch: The count to continue after; -1 at the start.
    """

    def __init__(
        self,
        optimizer,
        max_lr,
        total_steps=None,
        epochs=None,
        steps_per_epoch=None,
        pct_start=0.3,
        anneal_strategy="cos",
        cycle_momentum=True,
        base_momentum=0.85,
        max_momentum=0.95,
        div_factor=25.0,
        final_div_factor=1e4,
        three_phase=False,
        last_epoch=-1,
    ):
        if three_phase:
            raise NotImplementedError("OneCycleLR has three_phase=False here: chain three schedules with SequentialLR")
        if total_steps is None and (epochs is None or steps_per_epoch is None):
            raise ValueError("OneCycleLR needs total_steps, or epochs and steps_per_epoch")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f'anneal_strategy is "cos" or "linear", got {anneal_strategy!r}')
        if cycle_momentum and optimizer.defaults.keys().isdisjoint(("momentum", "betas")):
            raise ValueError(f"{type(optimizer).__name__} has no momentum: give OneCycleLR cycle_momentum=False")
        self.total_steps = total_steps or epochs * steps_per_epoch
        self.between = line if anneal_strategy == "linear" else lambda start, end, part: cosine_decay(part, start, 1, end)
        self.turn = pct_start * self.total_steps - 1
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        self.momenta = (max_momentum, base_momentum) if cycle_momentum else None
        highest = list(max_lr) if isinstance(max_lr, (list, tuple)) else [max_lr] * len(optimizer.param_groups)
        for group, lr in zip(optimizer.param_groups, highest, strict=True):
            if last_epoch == -1:
                group["lr"] = group["initial_lr"] = lr / div_factor
        super().__init__(optimizer, last_epoch)

    def cycle(self, count, start, top, end):
        """Return the value at a count of a curve from ``start`` to ``top`` and then to ``end``."""
        if count > self.total_steps:
            raise ValueError(f"OneCycleLR has {self.total_steps} steps in all, and this is one more")
        if count <= self.turn:
            return self.between(start, top, count / self.turn)
        return self.between(top, end, (count - self.turn) / (self.total_steps - 1 - self.turn))

    def rate(self, count, lr):
        """Return the learning rate at a count."""
        return self.cycle(count, lr, lr * self.div_factor, lr / self.final_div_factor)

    def step(self):
        """Count one step, and set the learning rate and the momentum."""
        super().step()
        if self.momenta:
            high, low = self.momenta
            momentum = self.cycle(self.last_epoch, high, low, high)
            for group in self.optimizer.param_groups:
                group.update({"betas": (momentum, *group["betas"][1:])} if "betas" in group else {"momentum": momentum})


def line(start, end, part):
    """Return the number at a fraction, from 0 to 1, of the way from one number to another."""
    return start + (end - start) * part


class ChainedScheduler:
    """Several schedules at once: each changes the learning rate that the others have set.

    Args:
        schedulers: List of schedules of one optimizer.
        optimizer: That optimizer; it need not be given.
    """

    def __init__(self, schedulers, optimizer=None):
        self.schedulers, self.optimizer = list(schedulers), schedulers[0].optimizer

    def step(self):
        """Count one step in every schedule."""
        for scheduler in self.schedulers:
            scheduler.step()

    def get_last_lr(self):
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self):
        return {"schedulers": [scheduler.state_dict() for scheduler in self.schedulers]}

    def load_state_dict(self, saved):
        """Restore what `state_dict` returned."""
        for scheduler, state in zip(self.schedulers, saved["schedulers"], strict=True):
            scheduler.load_state_dict(state)


class SequentialLR(ChainedScheduler):
    """Several schedules one after the other: the next begins, at its count 0, at each of the milestones.

    Args:
        optimizer: The optimizer.
        schedulers: List of its schedules.
        milestones: List of counts, one fewer than there are schedules.
    """

    def __init__(self, optimizer, schedulers, milestones, last_epoch=-1):
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR needs one milestone fewer than schedulers, got {len(milestones)} and {len(schedulers)}"
            )
        super().__init__(schedulers)
        self.milestones, self.last_epoch = list(milestones), last_epoch
        for scheduler in schedulers:
            scheduler.last_epoch = -1  # it took a step when it was made
        self.step()

    def step(self):
        """Count one step in the schedule whose turn it is."""
        self.last_epoch += 1
        scheduler = self.schedulers[bisect_right(self.milestones, self.last_epoch)]
        if scheduler.last_epoch == -1:  # it starts from the initial learning rate
            scheduler.rates = scheduler.base_lrs
            for group in self.optimizer.param_groups:
                group["lr"] = group["initial_lr"]
        scheduler.step()

    def state_dict(self):
        return {"last_epoch": self.last_epoch, **super().state_dict()}

    def load_state_dict(self, saved):
        """Restore what `state_dict` returned."""
        super().load_state_dict(saved)
        self.last_epoch = saved["last_epoch"]


class ReduceLROnPlateau(Callback):
    """Multiply the learning rate by ``factor`` when a measure has not improved for more than ``patience`` epochs.

    In a loop of your own, call ``step(loss)`` after each epoch. A `Trainer` takes it among its ``callbacks``: it then follows the
    validation loss, or without validation the training loss.

    Args:
        optimizer: The optimizer.
        mode: Whether the measure improves downwards, ``"min"``, or upwards, ``"max"``.
        factor: What the learning rate is multiplied by, below 1.
        patience: How many epochs without improvement are tolerated.
        threshold: Smallest change that counts as an improvement.
        threshold_mode: Whether the threshold is a fraction of the best measure, ``"rel"``, or a difference, ``"abs"``.
        cooldown: How many epochs to wait after a change before epochs count again.
        min_lr: The lowest learning rate, or a list of one for each group.
        eps: Changes of the learning rate up to this size are skipped.
    """

    def __init__(
        self,
        optimizer,
        mode="min",
        factor=0.1,
        patience=10,
        threshold=1e-4,
        threshold_mode="rel",
        cooldown=0,
        min_lr=0.0,
        eps=1e-8,
    ):
        if factor >= 1:
            raise ValueError(f"factor needs a number below 1, got {factor}")
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(f'mode is "min" or "max", threshold_mode "rel" or "abs", got {mode!r} and {threshold_mode!r}')
        self.optimizer, self.factor, self.patience, self.cooldown, self.eps = optimizer, factor, patience, cooldown, eps
        self.sign, self.threshold, self.relative = 1 if mode == "min" else -1, threshold, threshold_mode == "rel"
        self.min_lrs = list(min_lr) if isinstance(min_lr, (list, tuple)) else [min_lr] * len(optimizer.param_groups)
        self.best, self.num_bad_epochs, self.cooling, self.last_epoch = self.sign * math.inf, 0, 0, 0

    def step(self, metrics=None):
        """Record the measure of an epoch.

        Args:
            metrics: The measure, a number or a tensor of one.

        Raises:
            TypeError: There is no measure.
        """
        if metrics is None:
            raise TypeError(
                "ReduceLROnPlateau.step needs the measure of the epoch, such as step(loss): "
                "give it to a Trainer as one of its callbacks, not as its scheduler"
            )
        self.last_epoch += 1
        value, margin = float(metrics), self.sign * self.threshold
        limit = self.best * (1 - margin) if self.relative else self.best - margin
        if self.sign * value < self.sign * limit:
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooling:
            self.cooling, self.num_bad_epochs = self.cooling - 1, 0
        if self.num_bad_epochs > self.patience:
            self.reduce()
            self.cooling, self.num_bad_epochs = self.cooldown, 0

    def epoch_end(self, trainer, record):
        """Record the loss of a trainer's epoch."""
        self.step(record.get("validation_loss", record["train_loss"]))

    def reduce(self):
        """Lower the learning rates."""
        for group, lowest in zip(self.optimizer.param_groups, self.min_lrs):
            lr = max(group["lr"] * self.factor, lowest)
            if group["lr"] - lr > self.eps:
                group["lr"] = lr

    def get_last_lr(self):
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self):
        """Return the best measure so far, and how many epochs have been worse since."""
        return {"best": self.best, "num_bad_epochs": self.num_bad_epochs, "cooling": self.cooling, "last_epoch": self.last_epoch}

    def load_state_dict(self, saved):
        """Restore what `state_dict` returned."""
        self.best, self.num_bad_epochs, self.cooling, self.last_epoch = (
            saved[name] for name in ("best", "num_bad_epochs", "cooling", "last_epoch")
        )
