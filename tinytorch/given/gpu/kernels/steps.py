"""The kernels of optimizers: one pass over the memory of a parameter, in place. Given.

What all entries share is computed once, in Python's float64, and rounded to the parameter's type at the end.
"""

import math

from tinytorch.given.gpu.backend import cuda
from tinytorch.given.gpu.kernels.launching import run


@cuda.jit
def sgd(param, grad, lr):
    """Take a step of gradient descent."""
    for i in range(cuda.grid(1), param.size, cuda.gridsize(1)):
        param[i] -= lr * grad[i]


@cuda.jit
def with_momentum(param, grad, velocity, lr, kept, nesterov):
    """Take a step of gradient descent with momentum."""
    for i in range(cuda.grid(1), param.size, cuda.gridsize(1)):
        slope = grad[i]
        speed = kept * velocity[i] + slope
        velocity[i] = speed
        param[i] -= lr * (slope + kept * speed if nesterov else speed)


@cuda.jit
def adam(param, grad, mean, square, beta1, beta2, rest1, rest2, rate, root, eps, shrink):
    """Take a step of Adam or AdamW."""
    for i in range(cuda.grid(1), param.size, cuda.gridsize(1)):
        slope = grad[i]
        new_mean = beta1 * mean[i] + rest1 * slope
        new_square = beta2 * square[i] + rest2 * slope * slope
        mean[i] = new_mean
        square[i] = new_square
        param[i] = shrink * param[i] - rate * new_mean / (root * math.sqrt(new_square) + eps)


@cuda.jit
def scale(param, factor):
    """Multiply every entry."""
    for i in range(cuda.grid(1), param.size, cuda.gridsize(1)):
        param[i] *= factor


def sgd_update(param, grad, scratch, *, lr):
    """Take a step of gradient descent."""
    run(sgd, param.size, param, grad, param.dtype.type(lr))


def momentum_update(param, grad, velocity, scratch, *, lr, momentum, nesterov=False):
    """Take a step of gradient descent with momentum."""
    numbers = (param.dtype.type(number) for number in (lr, momentum))
    run(with_momentum, param.size, param, grad, velocity, *numbers, bool(nesterov))


def adam_update(param, grad, mean, square, scratch, *, step, lr, betas=(0.9, 0.999), eps=1e-8, shrink=1.0):
    """Take a step of Adam."""
    beta1, beta2 = betas
    rate, root = lr / (1 - beta1**step), 1 / math.sqrt(1 - beta2**step)
    numbers = (param.dtype.type(number) for number in (beta1, beta2, 1 - beta1, 1 - beta2, rate, root, eps, shrink))
    run(adam, param.size, param, grad, mean, square, *numbers)


def adamw_update(param, grad, mean, square, scratch, *, weight_decay, lr, **settings):
    """Shrink the weights and take a step of Adam, in the same pass."""
    adam_update(param, grad, mean, square, scratch, lr=lr, shrink=1 - lr * weight_decay, **settings)


def decay_weights(param, *, lr, weight_decay):
    """Make every weight smaller by the same part of itself."""
    run(scale, param.size, param, param.dtype.type(1 - lr * weight_decay))
