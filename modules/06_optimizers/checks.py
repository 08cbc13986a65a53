"""Checks of module 06. NumPy only: nothing here runs the code that it judges, except `observe`."""
import math

import numpy as np


def arrays(rng, count, *shape, dtype=np.float32):
    """Draw arrays of one shape with both signs."""
    return [rng.standard_normal(shape).astype(dtype) for _ in range(count)]


def wide(*values):
    return [np.asarray(value, np.float64) for value in values]


def same_memory(update, param, *rest, **settings):
    """Run an update in place and say what came of it: the result must be None, and no array may be replaced."""
    result = update(param, *rest, **settings)
    return "nothing" if result is None else "something"


# 06.1 sgd_update

def draw_sgd_update(rng):
    for shape, lr in (((5,), 0.1), ((3, 4), 0.5), ((2, 1, 3), 1.0), ((), 0.25)):
        param, grad = arrays(rng, 2, *shape)
        yield dict(param=np.array(param), grad=np.array(grad), lr=lr)


def observe_sgd_update(sgd_update, param, grad, lr):
    param, given = param.copy(), grad.copy()
    returned = same_memory(sgd_update, param, given, np.full_like(param, np.nan), lr=lr)
    return dict(param=param, grad=given, returned=returned)


def oracle_sgd_update(param, grad, lr, sign=-1.0):
    w, g = wide(param, grad)
    return dict(param=w + sign * lr * g, grad=g, returned="nothing")


misconceptions_sgd_update = {
    "param was bound to a new array: the caller's array did not change":
        lambda param, grad, lr: {**oracle_sgd_update(param, grad, lr), "param": param},
    "the step went uphill: the gradient was added": lambda param, grad, lr: oracle_sgd_update(param, grad, lr, 1.0),
    "the learning rate was left out": lambda param, grad, lr: oracle_sgd_update(param, grad, 1.0),
    "the gradient was changed in place: somebody may still want to look at it":
        lambda param, grad, lr: {**oracle_sgd_update(param, grad, lr), "grad": grad * np.float64(lr)},
}


# 06.2 momentum_update

def draw_momentum_update(rng):
    for shape, lr, momentum, nesterov in (((4,), 0.1, 0.9, False), ((3, 2), 0.5, 0.5, True), ((2, 3), 0.2, 0.7, False), ((5,), 1.5, 0.8, True)):
        param, velocity, first, second = arrays(rng, 4, *shape)
        yield dict(param=param, velocity=velocity, grads=[first, second], lr=lr, momentum=momentum, nesterov=nesterov)


def observe_momentum_update(momentum_update, param, velocity, grads, lr, momentum, nesterov):
    param, velocity, grads = param.copy(), velocity.copy(), [grad.copy() for grad in grads]
    for grad in grads:
        returned = same_memory(momentum_update, param, grad, velocity, np.full_like(param, np.nan), lr=lr, momentum=momentum,
                               **(dict(nesterov=True) if nesterov else {}))
    return dict(param=param, velocity=velocity, grads=grads, returned=returned)


def oracle_momentum_update(param, velocity, grads, lr, momentum, nesterov, damp=1.0, carry=True):
    w, v = wide(param, velocity)
    for grad in wide(*grads):
        v = momentum * v + damp * grad if carry else grad + 0 * v
        w = w - lr * (grad + momentum * v if nesterov else v)
    return dict(param=w, velocity=v, grads=wide(*grads), returned="nothing")


def old_velocity(param, velocity, grads, lr, momentum, nesterov):
    w, v = wide(param, velocity)
    for grad in wide(*grads):
        w = w - lr * (grad + momentum * v if nesterov else v)
        v = momentum * v + grad
    return dict(param=w, velocity=v, grads=wide(*grads), returned="nothing")


def rate_in_velocity(param, velocity, grads, lr, momentum, nesterov):
    w, v = wide(param, velocity)
    for grad in wide(*grads):
        v = momentum * v + lr * grad
        w = w - (lr * grad + momentum * v if nesterov else v)
    return dict(param=w, velocity=v, grads=wide(*grads), returned="nothing")


misconceptions_momentum_update = {
    "the step used the velocity of before; it is changed first": old_velocity,
    "the learning rate went into the velocity: the velocity is kept without it": rate_in_velocity,
    "the gradient was scaled by 1 - momentum: that is a running mean, not a velocity":
        lambda **inputs: oracle_momentum_update(**inputs, damp=1 - inputs["momentum"]),
    "nesterov was ignored": lambda **inputs: oracle_momentum_update(**{**inputs, "nesterov": False}),
    "the velocity of the step before was forgotten": lambda **inputs: oracle_momentum_update(**inputs, carry=False),
}


# 06.3 adam_update

def draw_adam_update(rng):
    for shape, lr, betas, eps, first in (((5,), 0.1, (0.9, 0.999), 1e-8, 1), ((3, 2), 0.5, (0.8, 0.9), 1e-2, 3), ((2, 4), 0.01, (0.5, 0.7), 1e-8, 1)):
        param, mean, *grads = arrays(rng, 5, *shape)
        square = np.abs(arrays(rng, 1, *shape)[0])
        if first == 1:
            mean, square = np.zeros_like(mean), np.zeros_like(square)
        yield dict(param=param, mean=mean, square=square, grads=grads, first=first, lr=lr, betas=betas, eps=eps)
    grads = arrays(rng, 2, 4, dtype=np.float64)
    yield dict(param=grads[0] * 3, mean=np.zeros(4), square=np.zeros(4), grads=[grads[1]], first=1, lr=0.001, betas=(0.9, 0.999), eps=1e-8)


rtol_adam_update = 2e-5


def observe_adam_update(adam_update, param, mean, square, grads, first, lr, betas, eps):
    param, mean, square, grads = param.copy(), mean.copy(), square.copy(), [grad.copy() for grad in grads]
    defaults = betas == (0.9, 0.999) and eps == 1e-8
    for step, grad in enumerate(grads, first):
        returned = same_memory(adam_update, param, grad, mean, square, np.full_like(param, np.nan), step=step, lr=lr,
                               **({} if defaults else dict(betas=betas, eps=eps)))
    return dict(param=param, mean=mean, square=square, grads=grads, returned=returned)


def oracle_adam_update(param, mean, square, grads, first, lr, betas, eps, correct=True, eps_inside=False, root=True, squared=True):
    w, m, s = wide(param, mean, square)
    for t, g in enumerate(wide(*grads), first):
        m = betas[0] * m + (1 - betas[0]) * g
        s = betas[1] * s + (1 - betas[1]) * (g * g if squared else g)
        m_hat, s_hat = (m / (1 - betas[0] ** t), s / (1 - betas[1] ** t)) if correct else (m, s)
        with np.errstate(invalid="ignore"):
            below = np.sqrt(s_hat + eps) if eps_inside else (np.sqrt(s_hat) if root else s_hat) + eps
        w = w - lr * m_hat / below
    return dict(param=w, mean=m, square=s, grads=wide(*grads), returned="nothing")


def without_momentum(param, mean, square, grads, first, lr, betas, eps):
    expected = oracle_adam_update(param, mean, square, grads, first, lr, betas, eps)
    w, s = wide(param, square)
    for t, g in enumerate(wide(*grads), first):
        s = betas[1] * s + (1 - betas[1]) * g * g
        w = w - lr * g / (np.sqrt(s / (1 - betas[1] ** t)) + eps)
    return {**expected, "param": w}


misconceptions_adam_update = {
    "the running means were not corrected for beginning at 0": lambda **inputs: oracle_adam_update(**inputs, correct=False),
    "eps was added before the root; it is added to the root": lambda **inputs: oracle_adam_update(**inputs, eps_inside=True),
    "the root was left out": lambda **inputs: oracle_adam_update(**inputs, root=False),
    "the second mean took up the gradient, not its square": lambda **inputs: oracle_adam_update(**inputs, squared=False),
    "the step used the gradient itself, not its running mean": without_momentum,
}


# 06.4 decay_weights

def draw_decay_weights(rng):
    for shape, lr, weight_decay in (((5,), 0.1, 0.5), ((2, 3), 0.5, 0.3), ((3, 1), 2.0, 0.1)):
        yield dict(param=arrays(rng, 1, *shape)[0], lr=lr, weight_decay=weight_decay)


def observe_decay_weights(decay_weights, param, lr, weight_decay):
    param = param.copy()
    returned = same_memory(decay_weights, param, lr=lr, weight_decay=weight_decay)
    return dict(param=param, returned=returned)


def oracle_decay_weights(param, lr, weight_decay):
    return dict(param=np.asarray(param, np.float64) - lr * weight_decay * np.asarray(param, np.float64), returned="nothing")


misconceptions_decay_weights = {
    "the learning rate was left out": lambda param, lr, weight_decay: oracle_decay_weights(param, 1.0, weight_decay),
    "the weights grew": lambda param, lr, weight_decay: oracle_decay_weights(param, -lr, weight_decay),
    "the same amount was taken off every weight; each loses a part of itself":
        lambda param, lr, weight_decay: dict(param=param - np.float64(lr * weight_decay), returned="nothing"),
    "the weights became what they should lose":
        lambda param, lr, weight_decay: dict(param=lr * weight_decay * np.asarray(param, np.float64), returned="nothing"),
}


# 06.5 clip_grad_norm_

def draw_clip_grad_norm_(rng):
    for scale, max_norm in ((3.0, 1.0), (0.05, 1.0), (2.0, 2.5)):
        grads = [grad * np.float32(scale) for grad in (*arrays(rng, 1, 3, 2), *arrays(rng, 1, 5))]
        yield dict(grads=[grads[0], None, grads[1]], max_norm=max_norm)
    broken = arrays(rng, 1, 4)[0]
    broken[1] = np.inf
    yield dict(grads=[broken, arrays(rng, 1, 2)[0]], max_norm=1.0)


def observe_clip_grad_norm_(module, grads, max_norm):
    """Clip the gradients of parameters that come from a generator, which can be walked once."""
    tensors = []
    for grad in grads:
        tensor = type("Holder", (), {})()
        tensor.grad = None if grad is None else type("Holder", (), {})()
        if grad is not None:
            tensor.grad.data = grad.copy()
        tensors.append(tensor)
    held = [tensor.grad.data for tensor in tensors if tensor.grad is not None]
    try:
        norm = module.clip_grad_norm_((tensor for tensor in tensors), max_norm)
    except ValueError:
        return dict(norm="ValueError", grads=held)
    return dict(norm=norm, type=type(norm).__name__, grads=held)


def oracle_clip_grad_norm_(grads, max_norm, apart=False, always=False, lengths=False):
    present = [np.asarray(grad, np.float64) for grad in grads if grad is not None]
    squares = [sum(float(x) ** 2 for x in grad.flat) for grad in present]
    norm = sum(math.sqrt(square) for square in squares) if lengths else math.sqrt(sum(squares))
    if not math.isfinite(norm):
        return dict(norm="ValueError", grads=present)
    factors = [max_norm / math.sqrt(square) if apart and math.sqrt(square) > max_norm else 1.0 for square in squares] if apart \
        else [max_norm / norm if norm > max_norm or always else 1.0] * len(present)
    return dict(norm=norm, type="float", grads=[factor * grad for factor, grad in zip(factors, present)])


misconceptions_clip_grad_norm_ = {
    "each gradient was clipped by itself; they are one vector": lambda grads, max_norm: oracle_clip_grad_norm_(grads, max_norm, apart=True),
    "short gradients were made longer; only long ones are scaled": lambda grads, max_norm: oracle_clip_grad_norm_(grads, max_norm, always=True),
    "the lengths of the gradients were added; the squares are added, and the root is taken once":
        lambda grads, max_norm: oracle_clip_grad_norm_(grads, max_norm, lengths=True),
    "the gradients did not change": lambda grads, max_norm: {**oracle_clip_grad_norm_(grads, max_norm),
                                                           "grads": oracle_clip_grad_norm_(grads, np.inf)["grads"]},
    "the length afterwards was returned": lambda grads, max_norm: {
        **oracle_clip_grad_norm_(grads, max_norm),
        "norm": min(max_norm, oracle_clip_grad_norm_(grads, max_norm)["norm"])
        if isinstance(oracle_clip_grad_norm_(grads, max_norm)["norm"], float) else "ValueError"},
}


# 06.6 step_decay

def draw_step_decay(rng):
    for step_size, gamma in ((3, 0.5), (1, 0.8), (4, None)):
        yield dict(counts=sorted(int(i) for i in rng.integers(0, 15, 6)) + [step_size - 1, step_size, 2 * step_size],
                   lr=float(rng.uniform(0.1, 2)), step_size=step_size, gamma=gamma)


def observe_step_decay(step_decay, counts, lr, step_size, gamma):
    settings = {} if gamma is None else dict(gamma=gamma)
    return [float(step_decay(count, lr, step_size, **settings)) for count in counts]


def oracle_step_decay(counts, lr, step_size, gamma, shift=0):
    rates = []
    for count in counts:
        rate = lr
        for _ in range(step_size, count + 1 + shift, step_size):
            rate *= 0.1 if gamma is None else gamma
        rates.append(rate)
    return rates


misconceptions_step_decay = {
    "it changed at every count: divide without a fraction":
        lambda counts, lr, step_size, gamma: [lr * (gamma or 0.1) ** (count / step_size) for count in counts],
    "it changed one count too early": lambda counts, lr, step_size, gamma: oracle_step_decay(counts, lr, step_size, gamma, 1),
    "it changed only once": lambda counts, lr, step_size, gamma: [lr * (gamma or 0.1) ** min(1, count // step_size) for count in counts],
}


# 06.7 cosine_decay

def draw_cosine_decay(rng):
    for T_max, eta_min in ((10, 0.05), (7, 0.0), (3, 0.3)):
        counts = [0, T_max, *(int(i) for i in rng.integers(1, T_max, 4))]
        yield dict(counts=counts, lr=float(rng.uniform(0.5, 2)), T_max=T_max, eta_min=eta_min)


def observe_cosine_decay(cosine_decay, counts, lr, T_max, eta_min):
    settings = dict(eta_min=eta_min) if eta_min else {}
    return [float(cosine_decay(count, lr, T_max, **settings)) for count in counts]


def oracle_cosine_decay(counts, lr, T_max, eta_min):
    return [lr * math.cos(math.pi * count / (2 * T_max)) ** 2 + eta_min * math.sin(math.pi * count / (2 * T_max)) ** 2 for count in counts]


misconceptions_cosine_decay = {
    "eta_min was added on top: at count 0 the rate is lr": lambda counts, lr, T_max, eta_min: [
        eta_min + rate for rate in oracle_cosine_decay(counts, lr, T_max, 0.0)],
    "eta_min was ignored": lambda counts, lr, T_max, eta_min: oracle_cosine_decay(counts, lr, T_max, 0.0),
    "it went down and up again: half a turn of the cosine, not a whole one": lambda counts, lr, T_max, eta_min: [
        eta_min + (lr - eta_min) * (1 + math.cos(2 * math.pi * count / T_max)) / 2 for count in counts],
    "the 1 was not added: a cosine alone falls below 0": lambda counts, lr, T_max, eta_min: [
        eta_min + (lr - eta_min) * math.cos(math.pi * count / T_max) for count in counts],
}
