"""One problem for every optimizer and every schedule: 50 steps on gradients that are drawn, the same for us and for PyTorch."""

import math

import numpy as np

STEPS = 50
SHAPES = ((3, 4), (5,))
SETTINGS = {
    "sgd": ("SGD", dict(lr=0.05)),
    "sgd_whole_number": ("SGD", dict(lr=1, weight_decay=1)),
    "momentum": ("SGD", dict(lr=0.05, momentum=0.9)),
    "dampening": ("SGD", dict(lr=0.05, momentum=0.9, dampening=0.3, weight_decay=0.1)),
    "nesterov": ("SGD", dict(lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.1)),
    "adam": ("Adam", dict(lr=0.01)),
    "adam_decay": ("Adam", dict(lr=0.02, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.2)),
    "adam_no_beta": ("Adam", dict(lr=0.02, betas=(0.0, 0.5))),
    "adamw": ("AdamW", dict(lr=0.02, weight_decay=0.3)),
    "rmsprop": ("RMSprop", dict(lr=0.02)),
    "rmsprop_all": ("RMSprop", dict(lr=0.01, alpha=0.9, eps=1e-3, weight_decay=0.2, momentum=0.7, centered=True)),
    "adagrad": ("Adagrad", dict(lr=0.1)),
    "adagrad_all": ("Adagrad", dict(lr=0.1, lr_decay=0.05, weight_decay=0.2, initial_accumulator_value=0.5, eps=1e-3)),
}

# Each makes a schedule of an optimizer, from a framework's module `lr_scheduler`. The optimizer has two groups.
SCHEDULES = {
    "step": lambda s, o: s.StepLR(o, step_size=7, gamma=0.5),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, T_max=50, eta_min=0.001),
    "cosine_and_up_again": lambda s, o: s.CosineAnnealingLR(o, T_max=20),
    "lambda": lambda s, o: s.LambdaLR(o, lambda count: 1 / (1 + count)),
    "lambda_from_nothing": lambda s, o: s.LambdaLR(o, lambda count: count / 10),
    "exponential": lambda s, o: s.ExponentialLR(o, gamma=0.9),
    "milestones": lambda s, o: s.MultiStepLR(o, milestones=[30, 5, 5, 12], gamma=0.3),
    "constant": lambda s, o: s.ConstantLR(o, factor=0.25, total_iters=8),
    "linear": lambda s, o: s.LinearLR(o, start_factor=0.1, end_factor=0.7, total_iters=12),
    "polynomial": lambda s, o: s.PolynomialLR(o, total_iters=30, power=2.0),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, T_0=10, eta_min=0.01),
    "longer_restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, T_0=4, T_mult=2),
    "one_cycle": lambda s, o: s.OneCycleLR(o, max_lr=0.5, total_steps=60),
    "one_cycle_lines": lambda s, o: s.OneCycleLR(o, max_lr=[0.5, 0.2], epochs=5, steps_per_epoch=11, anneal_strategy="linear"),
    "one_after_the_other": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=6), s.CosineAnnealingLR(o, 20), s.StepLR(o, 5)], milestones=[6, 26]
    ),
    "chained": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, total_iters=9), s.ExponentialLR(o, 0.95)]),
    "two_at_once": lambda s, o: Both(s.ExponentialLR(o, 0.97), s.MultiStepLR(o, [10, 20], 0.5)),
    "changed_by_hand": lambda s, o: ByHand(s.StepLR(o, 8, 0.5), o),
    "after_another": lambda s, o: After(s, o),
    "plateau": lambda s, o: Measured(s.ReduceLROnPlateau(o, factor=0.5, patience=1, cooldown=3, min_lr=0.001)),
    "plateau_up": lambda s, o: Measured(s.ReduceLROnPlateau(o, "max", 0.3, 1, threshold=0.05, threshold_mode="abs")),
}


class Both:
    """Two schedules of one optimizer, stepped by the training itself."""

    def __init__(self, *schedules):
        self.schedules = schedules

    def step(self):
        for schedule in self.schedules:
            schedule.step()


class ByHand:
    """A schedule, and a learning rate that somebody changes after 13 steps."""

    def __init__(self, schedule, optimizer):
        self.schedule, self.optimizer, self.left = schedule, optimizer, 13

    def step(self):
        self.left -= 1
        for group in self.optimizer.param_groups if self.left == 0 else ():
            group["lr"] *= 3
        self.schedule.step()


class After:
    """A second schedule, made when the first has ended."""

    def __init__(self, module, optimizer):
        self.module, self.optimizer, self.left = module, optimizer, 15
        self.schedule = module.StepLR(optimizer, 4, 0.5)

    def step(self):
        self.left -= 1
        if self.left == 0:
            self.schedule = self.module.CosineAnnealingLR(self.optimizer, 40)
        self.schedule.step()


class Measured:
    """A schedule that follows a measure which falls, and rises now and then."""

    def __init__(self, schedule):
        self.schedule, self.count, self.get_last_lr = schedule, 0, schedule.get_last_lr

    def step(self):
        self.count += 1
        self.schedule.step(math.exp(-self.count / 9) + 0.3 * math.sin(self.count))

    def state_dict(self):
        return {"count": self.count, "schedule": self.schedule.state_dict()}

    def load_state_dict(self, saved):
        self.count = saved["count"]
        self.schedule.load_state_dict(saved["schedule"])


def start():
    """Return the parameters' first values."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape) for shape in SHAPES]


def gradients(step, params):
    """Return the gradients of a step: a pull towards 1 and a draw."""
    rng = np.random.default_rng([1, step])
    return [0.3 * (param - 1) + rng.standard_normal(param.shape) for param in params]


def rates(make, schedules, optimizer):
    """Return the learning rates and the momenta of both groups at every count.

    Args:
        make: One of `SCHEDULES`.
        schedules: The framework's module `lr_scheduler`.
        optimizer: The framework's SGD, of two groups, with momentum.
    """
    scheduler, seen = make(schedules, optimizer), []
    for _ in range(STEPS):
        seen.append([group[name] for group in optimizer.param_groups for name in ("lr", "momentum")])
        optimizer.step()
        scheduler.step()
    return seen
