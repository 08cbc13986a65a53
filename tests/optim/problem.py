"""One problem for every optimizer: 50 steps on gradients that are drawn, in float64."""

import numpy as np

STEPS = 50
SHAPES = ((3, 4), (5,))
SETTINGS = {
    "sgd": ("SGD", dict(lr=0.05)),
    "momentum": ("SGD", dict(lr=0.05, momentum=0.9)),
    "nesterov": ("SGD", dict(lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.1)),
    "adam": ("Adam", dict(lr=0.01)),
    "adam_decay": ("Adam", dict(lr=0.02, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.2)),
    "adamw": ("AdamW", dict(lr=0.02, weight_decay=0.3)),
}
SCHEDULES = {
    "step": ("StepLR", dict(step_size=7, gamma=0.5)),
    "cosine": ("CosineAnnealingLR", dict(T_max=50, eta_min=0.001)),
}


def start():
    """Return the parameters' first values."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape) for shape in SHAPES]


def gradients(step, params):
    """Return the gradients of a step: a pull towards 1 and a draw."""
    rng = np.random.default_rng([1, step])
    return [0.3 * (param - 1) + rng.standard_normal(param.shape) for param in params]
