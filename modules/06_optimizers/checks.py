"""Checks of module 06. NumPy only: nothing here runs the code that it judges, except `observe`."""

import importlib
import math

import numpy as np


def a_shape(rng, rank):
    """Draw a shape of which no two sizes are equal."""
    return tuple(int(n) for n in rng.permutation([2, 3, 4, 5, 6])[:rank])


def arrays(rng, count, *shape, dtype=np.float32):
    """Draw arrays of one shape with both signs; single numbers of one sign, or a sum near 0 would be nothing but rounding."""
    drawn = [np.array(rng.standard_normal(shape), dtype) for _ in range(count)]
    return drawn if shape else [np.array(abs(array) + dtype(0.5)) for array in drawn]


def parameters(rng, shape, dtype=np.float32):
    """Draw an array of numbers of both signs that some steps do not bring near 0, where rounding would look like a mistake."""
    return np.array(rng.choice([-1, 1], shape) * rng.uniform(5, 7, shape), dtype)


def wide(*values):
    return [np.asarray(value, np.float64) for value in values]


# 06.1 sgd_update


def draw_sgd_update(rng):
    """Vectors, a matrix, more dimensions and none; float64 as well."""
    for rank in (1, 2, 3, 0):
        shape = a_shape(rng, rank)
        yield dict(param=parameters(rng, shape), grad=arrays(rng, 1, *shape)[0], lr=float(rng.choice([0.05, 0.2, 0.5, 1.5])))
    shape = a_shape(rng, 2)
    yield dict(param=parameters(rng, shape, np.float64), grad=arrays(rng, 1, *shape, dtype=np.float64)[0], lr=0.3)


def observe_sgd_update(sgd_update, param, grad, lr):
    param, given = param.copy("K"), grad.copy("K")
    sgd_update(param, given, np.full_like(param, np.nan), lr=lr)
    return {"param": param, "grad afterwards": given}


def oracle_sgd_update(param, grad, lr, sign=-1.0):
    w, g = wide(param, grad)
    return {"param": w + sign * lr * g, "grad afterwards": g}


def sgd_turn(rule, **changes):
    """Make a wrong turn of what param becomes, a function of the parameter, the gradient and the rate."""

    def turn(param, grad, lr):
        w, g = wide(param, grad)
        return {"param": rule(w, g, lr), "grad afterwards": g}

    return turn


misconceptions_sgd_update = {
    "param was bound to a new array: the caller's array did not change. Write into it, as -= does": sgd_turn(lambda w, g, lr: w),
    "the step went uphill: the gradient was added": sgd_turn(lambda w, g, lr: w + lr * g),
    "the learning rate was left out": sgd_turn(lambda w, g, lr: w - g),
    "divided by the learning rate; it is a factor": sgd_turn(lambda w, g, lr: w - g / lr),
    "the step was written over the parameter; it is taken off it": sgd_turn(lambda w, g, lr: lr * g),
    "the step was written over the parameter, and uphill": sgd_turn(lambda w, g, lr: -lr * g),
    "every entry took the step of the mean gradient; each has its own": sgd_turn(lambda w, g, lr: w - lr * g.mean()),
    "the parameter was shrunk as well: the learning rate multiplies the gradient alone": sgd_turn(lambda w, g, lr: lr * (w - g)),
    "scratch was read before it was written to: what it holds at first is left from another step": sgd_turn(
        lambda w, g, lr: w * math.nan
    ),
    "the gradient was changed in place: somebody may still want to look at it": lambda param, grad, lr: {
        **oracle_sgd_update(param, grad, lr),
        "grad afterwards": grad * np.float64(lr),
    },
}


# 06.2 momentum_update


def draw_momentum_update(rng):
    """Two steps from a velocity that is not 0, with and without looking ahead, once without any momentum."""
    for rank, nesterov in ((1, False), (2, True), (3, False), (1, True), (0, False)):
        shape, dtype = a_shape(rng, rank), np.float64 if rank == 3 else np.float32
        velocity, first, second = arrays(rng, 3, *shape, dtype=dtype)
        yield dict(
            param=parameters(rng, shape, dtype),
            velocity=velocity,
            grads=[first, second],
            lr=float(rng.choice([0.1, 0.2, 0.6, 1.5])),
            momentum=0.0 if rank == 3 else float(rng.choice([0.5, 0.7, 0.8, 0.95])),
            nesterov=nesterov,
        )


describe_momentum_update = (
    "momentum_update(param, grad, velocity, scratch, lr={lr}, momentum={momentum}, nesterov={nesterov}) for each of {grads}"
)


def observe_momentum_update(momentum_update, param, velocity, grads, lr, momentum, nesterov):
    param, velocity, grads = param.copy("K"), velocity.copy("K"), [grad.copy("K") for grad in grads]
    seen, settings = {}, dict(nesterov=True) if nesterov else {}
    for step, grad in enumerate(grads, 1):
        momentum_update(param, grad, velocity, np.full_like(param, np.nan), lr=lr, momentum=momentum, **settings)
        seen |= {f"velocity after step {step}": velocity.copy(), f"param after step {step}": param.copy()}
    return {**seen, "the gradients afterwards": grads}


def momentum_turn(
    velocity_rule=lambda v, g, lr, momentum: momentum * v + g, move=None, kept=lambda before, v: v, grads_after=None
):
    """Make the rule of momentum, or a wrong turn.

    Args:
        velocity_rule: What the velocity becomes, a function of the velocity, the gradient, the rate and the momentum.
        move: What param loses, a function of the velocity before and after, the gradient, the rate, the momentum and nesterov.
        kept: What the caller's velocity holds then, a function of the velocity before and after.
        grads_after: What becomes of a gradient, a function of it, the rate and the momentum.
    """
    move = move or (lambda old, v, g, lr, momentum, nesterov: lr * (g + momentum * v if nesterov else v))

    def turn(param, velocity, grads, lr, momentum, nesterov):
        w, v = wide(param, velocity)
        seen = {}
        for step, g in enumerate(wide(*grads), 1):
            new = velocity_rule(v, g, lr, momentum)
            w = w - move(v, new, g, lr, momentum, nesterov)
            v = kept(v, new)
            seen |= {f"velocity after step {step}": v, f"param after step {step}": w}
        after = [grads_after(g, lr, momentum) if grads_after else g for g in wide(*grads)]
        return {**seen, "the gradients afterwards": after}

    return turn


def param_stays(**inputs):
    """Leave the parameter as it is."""
    expected, param = oracle_momentum_update(**inputs), np.asarray(inputs["param"], np.float64)
    return {key: param if key.startswith("param") else value for key, value in expected.items()}


oracle_momentum_update = momentum_turn()
misconceptions_momentum_update = {
    "velocity was bound to a new array: the caller's array did not change, and the next step begins from it again": momentum_turn(
        kept=lambda before, v: before
    ),
    "param was bound to a new array: the caller's array did not change. Write into it, as -= does": param_stays,
    "the step used the velocity of before; it is changed first": momentum_turn(
        move=lambda old, v, g, lr, momentum, nesterov: lr * (g + momentum * old if nesterov else old)
    ),
    "the learning rate went into the velocity: the velocity is kept without it": momentum_turn(
        lambda v, g, lr, momentum: momentum * v + lr * g,
        lambda old, v, g, lr, momentum, nesterov: lr * g + momentum * v if nesterov else v,
    ),
    "the learning rate went into the velocity, and into the step as well": momentum_turn(
        lambda v, g, lr, momentum: momentum * v + lr * g
    ),
    "the gradient was scaled by 1 - momentum: that is a running mean, not a velocity": momentum_turn(
        lambda v, g, lr, momentum: momentum * v + (1 - momentum) * g
    ),
    "with nesterov the step was the one without: nesterov was ignored, or the velocity of before was used in it": momentum_turn(
        move=lambda old, v, g, lr, momentum, nesterov: lr * v
    ),
    "the step of nesterov was taken in any case": momentum_turn(
        move=lambda old, v, g, lr, momentum, nesterov: lr * (g + momentum * v)
    ),
    "the velocity was moved twice: for nesterov only the step looks further ahead": lambda nesterov, **inputs: momentum_turn(
        lambda v, g, lr, momentum: momentum * (momentum * v + g) + g if nesterov else momentum * v + g,
        lambda old, v, g, lr, momentum, nesterov: lr * v,
    )(nesterov=nesterov, **inputs),
    "for nesterov, the gradient is missing in the step: it is lr * (grad + momentum * velocity)": momentum_turn(
        move=lambda old, v, g, lr, momentum, nesterov: lr * momentum * v if nesterov else lr * v
    ),
    "for nesterov, the velocity counts whole: it is lr * (grad + momentum * velocity)": momentum_turn(
        move=lambda old, v, g, lr, momentum, nesterov: lr * (g + v) if nesterov else lr * v
    ),
    "the velocity of the step before was forgotten": momentum_turn(lambda v, g, lr, momentum: g),
    "the velocity was kept whole: it is multiplied by momentum first": momentum_turn(lambda v, g, lr, momentum: v + g),
    "the gradient was multiplied by momentum as well; only the velocity is": momentum_turn(
        lambda v, g, lr, momentum: momentum * (v + g)
    ),
    "the velocity points downhill here; it adds up the gradients, and param loses it": momentum_turn(
        lambda v, g, lr, momentum: momentum * v - g,
        lambda old, v, g, lr, momentum, nesterov: lr * (g - momentum * v) if nesterov else -lr * v,
    ),
    "the step went uphill": momentum_turn(
        move=lambda old, v, g, lr, momentum, nesterov: -lr * (g + momentum * v if nesterov else v)
    ),
    "the learning rate was left out": momentum_turn(
        move=lambda old, v, g, lr, momentum, nesterov: g + momentum * v if nesterov else v
    ),
    "the step used the gradient alone; it is the velocity that moves the parameter": momentum_turn(
        move=lambda old, v, g, lr, momentum, nesterov: lr * g
    ),
    "scratch was read before it was written to: what it holds at first is left from another step": momentum_turn(
        move=lambda old, v, g, lr, momentum, nesterov: v * math.nan
    ),
    "the gradient was changed in place: somebody may still want to look at it": momentum_turn(
        grads_after=lambda g, lr, momentum: lr * g
    ),
}


# 06.3 adam_update


def draw_adam_update(rng):
    """Three steps from the first and from a later one, with PyTorch's settings and with others; an entry without gradients; float64."""
    for rank, betas, eps, first in (
        (1, (0.9, 0.999), 1e-8, 1),
        (2, (0.8, 0.9), 1e-2, int(rng.integers(3, 9))),
        (3, (float(rng.choice([0.5, 0.6])), 0.7), 1e-8, 1),
        (0, (0.9, 0.99), 1e-3, 2),
        (2, (0.9, 0.999), 1e-8, 1),
    ):
        dtype = np.float64 if rank == 3 else np.float32
        shape = a_shape(rng, rank)
        mean, *grads = arrays(rng, 4, *shape, dtype=dtype)
        square = np.array(abs(mean) + 0.5, dtype)
        if first == 1:
            mean, square = np.zeros_like(mean), np.zeros_like(square)
            for grad in grads:
                grad.flat[0] = 0
        yield dict(
            param=parameters(rng, shape, dtype),
            mean=mean,
            square=square,
            grads=grads,
            first=first,
            lr=float(rng.choice([0.05, 0.2, 0.5])),
            beta1=betas[0],
            beta2=betas[1],
            eps=eps,
        )


rtol_adam_update, atol_adam_update = 5e-6, 4e-6  # 1 - float32(0.999) is off by a hundred thousandth: that has to show
describe_adam_update = (
    "adam_update(param, grad, mean, square, scratch, step={first}, lr={lr}, betas=({beta1}, {beta2}), "
    "eps={eps}), and two more steps"
)


def observe_adam_update(adam_update, param, mean, square, grads, first, lr, beta1, beta2, eps):
    param, mean, square, grads = *(array.copy("K") for array in (param, mean, square)), [grad.copy("K") for grad in grads]
    seen, settings = {}, {} if (beta1, beta2, eps) == (0.9, 0.999, 1e-8) else dict(betas=(beta1, beta2), eps=eps)
    for step, grad in enumerate(grads, first):
        adam_update(param, grad, mean, square, np.full_like(param, np.nan), step=step, lr=lr, **settings)
        seen |= {
            f"mean after step {step}": mean.copy(),
            f"square after step {step}": square.copy(),
            f"param after step {step}": param.copy(),
        }
    return {**seen, "the gradients afterwards": grads}


def adam_turn(
    mean=lambda m, g, b: b * m + (1 - b) * g,
    square=lambda s, g, b: b * s + (1 - b) * g * g,
    corrections=None,
    below=lambda s, eps, by: np.sqrt(s) + eps,
    above=lambda m, g: m,
    sign=-1.0,
    kept=lambda old, new, corrected: new,
    kept_square=None,
    rate=lambda lr: lr,
    stays=(),
):
    """Make Adam's rule, or a wrong turn.

    Args:
        mean: What the running mean becomes, a function of it, the gradient and its beta.
        square: What the running mean of the squares becomes, likewise.
        corrections: What the two are divided by, a function of the betas and the step.
        below: What the step is divided by, a function of the corrected square, eps, and what corrected it.
        above: What is divided, a function of the corrected mean and the gradient.
        sign: Whether param loses (-1) or gains (1) the step.
        kept: What the next step begins with, of what the mean was, is, and is when corrected.
        kept_square: The same for the mean of the squares; None for ``kept``.
        rate: What the step is multiplied by, a function of the learning rate.
        stays: Names of the arrays that do not change.
    """
    corrections = corrections or (lambda betas, t: (1 - betas[0] ** t, 1 - betas[1] ** t))

    def turn(**inputs):
        w, m, s = wide(inputs["param"], inputs["mean"], inputs["square"])
        seen, betas, first = {}, (inputs["beta1"], inputs["beta2"]), inputs["first"]
        for t, g in enumerate(wide(*inputs["grads"]), first):
            new = mean(m, g, betas[0]), square(s, g, betas[1])
            with np.errstate(all="ignore"):
                by = corrections(betas, t)
                corrected = new[0] / by[0], new[1] / by[1]
                step = rate(inputs["lr"]) * above(corrected[0], g) / below(corrected[1], inputs["eps"], by[1])
            m, s = kept(m, new[0], corrected[0]), (kept_square or kept)(s, new[1], corrected[1])
            w, m, s = (
                {"param": w, "mean": m, "square": s}[name] if name not in stays else wide(inputs[name])[0]
                for name in ("param", "mean", "square")
            )
            w = w if "param" in stays else w + sign * step
            seen |= {f"mean after step {t}": m, f"square after step {t}": s, f"param after step {t}": w}
        return {**seen, "the gradients afterwards": wide(*inputs["grads"])}

    return turn


oracle_adam_update = adam_turn()


def gradients_changed(**inputs):
    """Square the gradients in place, after all else."""
    return {**oracle_adam_update(**inputs), "the gradients afterwards": [g * g for g in wide(*inputs["grads"])]}


misconceptions_adam_update = {
    "mean was bound to a new array: the caller's array did not change. Write into it, as *= and += do": adam_turn(
        stays=("mean",)
    ),
    "square was bound to a new array: the caller's array did not change. Write into it, as *= and += do": adam_turn(
        stays=("square",)
    ),
    "mean and square were bound to new arrays: the caller's arrays did not change. Write into them, as *= and += do": adam_turn(
        stays=("mean", "square")
    ),
    "param was bound to a new array: the caller's array did not change. Write into it, as -= does": adam_turn(stays=("param",)),
    "the running means were not corrected for beginning at 0": adam_turn(corrections=lambda betas, t: (1.0, 1.0)),
    "the running mean of the squares was not corrected for beginning at 0": adam_turn(
        corrections=lambda betas, t: (1 - betas[0] ** t, 1.0)
    ),
    "the running mean of the gradients was not corrected for beginning at 0": adam_turn(
        corrections=lambda betas, t: (1.0, 1 - betas[1] ** t)
    ),
    "the correction is one step ahead: step counts from 1 already": adam_turn(
        corrections=lambda betas, t: (1 - betas[0] ** (t + 1), 1 - betas[1] ** (t + 1))
    ),
    "the correction is that of the first step in every step: the power step is missing": adam_turn(
        corrections=lambda betas, t: (1 - betas[0], 1 - betas[1])
    ),
    "the correction ignored betas: 0.9 and 0.999 stood in its place": adam_turn(
        corrections=lambda betas, t: (1 - 0.9**t, 1 - 0.999**t)
    ),
    "the correction multiplies beta by step; it is a power": adam_turn(
        corrections=lambda betas, t: (1 - betas[0] * t, 1 - betas[1] * t)
    ),
    "the running means themselves were corrected: the next step starts from them as they are": adam_turn(
        kept=lambda old, new, right: right
    ),
    "the running mean of the gradients itself was corrected: the next step starts from it as it is": adam_turn(
        kept=lambda old, new, right: right, kept_square=lambda old, new, right: new
    ),
    "the running mean of the squares itself was corrected: the next step starts from it as it is": adam_turn(
        kept_square=lambda old, new, right: right
    ),
    "eps was added before the root; it is added to the root": adam_turn(below=lambda s, eps, by: np.sqrt(s + eps)),
    "eps was added before the correction; it is added to the root of the corrected square": adam_turn(
        below=lambda s, eps, by: np.sqrt(s) + eps / np.sqrt(by)
    ),
    "eps was left out": adam_turn(below=lambda s, eps, by: np.sqrt(s)),
    "the root was left out": adam_turn(below=lambda s, eps, by: s + eps),
    "the second mean took up the gradient, not its square": adam_turn(square=lambda s, g, b: b * s + (1 - b) * g),
    "the gradient was weighted by beta1, and the running mean by 1 - beta1: they changed places": adam_turn(
        mean=lambda m, g, b: (1 - b) * m + b * g
    ),
    "beta and 1 - beta changed places in both means": adam_turn(
        mean=lambda m, g, b: (1 - b) * m + b * g, square=lambda s, g, b: (1 - b) * s + b * g * g
    ),
    "the gradient went into the mean whole: it is weighted by 1 - beta1": adam_turn(mean=lambda m, g, b: b * m + g),
    "the square went into its mean whole: it is weighted by 1 - beta2": adam_turn(square=lambda s, g, b: b * s + g * g),
    "beta1 and beta2 changed places": lambda **inputs: adam_turn()(
        **{**inputs, "beta1": inputs["beta2"], "beta2": inputs["beta1"]}
    ),
    "betas was ignored: 0.9 and 0.999 stood in its place": lambda **inputs: adam_turn()(
        **{**inputs, "beta1": 0.9, "beta2": 0.999}
    ),
    "the step used the gradient itself, not its running mean": adam_turn(above=lambda m, g: g),
    "the step went uphill": adam_turn(sign=1.0),
    "the learning rate was left out": adam_turn(rate=lambda lr: 1.0),
    "1 - beta2 was computed in float32, which leaves four digits: subtract Python's numbers first": adam_turn(
        square=lambda s, g, b: b * s + float(1 - np.float32(b)) * g * g
    ),
    "scratch was read before it was written to: what it holds at first is left from another step": adam_turn(
        above=lambda m, g: m * math.nan
    ),
    "the gradient was changed in place: somebody may still want to look at it": gradients_changed,
}


# 06.4 decay_weights


def draw_decay_weights(rng):
    """Vectors, a matrix, more dimensions and none; once so much that the sign turns."""
    for rank in (1, 2, 3, 0):
        param = arrays(rng, 1, *a_shape(rng, rank), dtype=np.float64 if rank == 3 else np.float32)[0]
        yield dict(param=param, lr=float(rng.choice([0.1, 0.5, 2.0])), weight_decay=float(rng.choice([0.05, 0.1, 0.3])))
    yield dict(param=arrays(rng, 1, *a_shape(rng, 1))[0], lr=2.0, weight_decay=0.75)


def observe_decay_weights(decay_weights, param, lr, weight_decay):
    param = param.copy("K")
    decay_weights(param, lr=lr, weight_decay=weight_decay)
    return {"param": param}


def decay_turn(rule):
    """Make the rule of a decay, or a wrong turn: what param becomes, of the parameter, the rate and the decay."""
    return lambda param, lr, weight_decay: {"param": rule(np.asarray(param, np.float64), lr, weight_decay)}


oracle_decay_weights = decay_turn(lambda w, lr, decay: w - lr * decay * w)
misconceptions_decay_weights = {
    "param was bound to a new array: the caller's array did not change. Write into it, as *= does": decay_turn(
        lambda w, lr, decay: w
    ),
    "the learning rate was left out": decay_turn(lambda w, lr, decay: w - decay * w),
    "weight_decay was left out": decay_turn(lambda w, lr, decay: w - lr * w),
    "the weights grew": decay_turn(lambda w, lr, decay: w + lr * decay * w),
    "the same amount was taken off every weight; each loses a part of itself": decay_turn(lambda w, lr, decay: w - lr * decay),
    "each weight lost the same amount, by its sign; each loses a part of itself": decay_turn(
        lambda w, lr, decay: w - lr * decay * np.sign(w)
    ),
    "the factor was kept from falling below 0: what is taken off may be more than there is": decay_turn(
        lambda w, lr, decay: w * max(0.0, 1 - lr * decay)
    ),
    "the weights became what they should lose": decay_turn(lambda w, lr, decay: lr * decay * w),
    "multiplied by exp(-lr * weight_decay): each weight loses lr * weight_decay times itself": decay_turn(
        lambda w, lr, decay: w * math.exp(-lr * decay)
    ),
    "divided by the factor, which makes the weights larger": decay_turn(lambda w, lr, decay: w / (1 - lr * decay)),
}


# 06.5 clip_grad_norm_


def draw_clip_grad_norm_(rng):
    """Long and short gradients, of one parameter and of twelve, and no length allowed; some have none, or one not finite, or 0."""
    for count, longer in ((2, 3.0), (12, 4.0), (3, 0.3), (1, 2.0)):
        grads = [grad for rank in rng.integers(1, 4, count) for grad in arrays(rng, 1, *a_shape(rng, int(rank)))]
        norm = math.sqrt(sum(float(x) ** 2 for grad in grads for x in grad.flat))
        grads.insert(int(rng.integers(0, count)), None)
        yield dict(grads=grads, max_norm=round(norm / longer, 3))
    yield dict(grads=arrays(rng, 2, *a_shape(rng, 2)), max_norm=0.0)
    for bad in (np.inf, np.nan):
        broken = arrays(rng, 1, 4)[0]
        broken[int(rng.integers(4))] = bad
        yield dict(grads=[*arrays(rng, 1, 2), broken], max_norm=1.0)
    yield dict(grads=[np.zeros(a_shape(rng, 2), np.float32)], max_norm=1.0)
    yield dict(grads=[None, None], max_norm=1.0)


def describe_clip_grad_norm_(grads, max_norm):
    shapes = ["none" if grad is None else f"zeros {grad.shape}" if not grad.any() else written(grad) for grad in grads]
    more = f", ...: {len(shapes)} in all" if len(shapes) > 4 else ""
    return (
        f"clip_grad_norm_((parameter for parameter in some), max_norm={max_norm})",
        f"their gradients: {', '.join(shapes[:4])}{more}",
    )


def written(array):
    """Write an array: its numbers, if there are few."""
    return f"[{', '.join(f'{x:.4g}' for x in array)}]" if array.ndim == 1 and array.size < 5 else f"shape {array.shape}"


rtol_clip_grad_norm_ = 1e-5  # PyTorch divides by the length plus 0.000001


def observe_clip_grad_norm_(module, grads, max_norm):
    """Clip the gradients of real parameters that come from a generator, which can be walked once."""
    Tensor = importlib.import_module("tinytorch.tensor").Tensor
    parameters = []
    for grad in grads:
        zeros = np.zeros(3, np.float32) if grad is None else np.zeros_like(grad)
        parameter = Tensor(zeros, requires_grad=True)
        parameter.grad = None if grad is None else Tensor(grad.copy("K"))
        parameters.append(parameter)
    held = [parameter.grad for parameter in parameters if parameter.grad is not None]
    returned, raised = None, "nothing"
    try:
        returned = module.clip_grad_norm_((parameter for parameter in parameters), max_norm)
    except NotImplementedError:
        raise
    except (ValueError, RuntimeError, FloatingPointError, AssertionError) as error:
        if all(grad is None or np.isfinite(grad).all() for grad in grads):
            raise
        raised = type(error).__name__
    return {
        "raised": raised,
        "returned": number(returned),
        "its type": "nothing" if returned is None else type(returned).__name__,
        "gradients afterwards": [np.array(parameter.grad.data) for parameter in parameters if parameter.grad is not None],
        "the tensors that were the gradients": [np.array(grad.data) for grad in held],
    }


def number(value):
    """Return a number as one; a thing of another kind by the name of its type."""
    return float(value) if isinstance(value, (int, float, np.generic)) else None if value is None else type(value).__name__


def clip_turn(
    length=None, factors=None, returned=lambda norm, max_norm: norm, refuses=True, broken=None, kind="float", held=False
):
    """Make the rule of clipping, or a wrong turn.

    Args:
        length: The length, a function of a list of arrays.
        factors: What each gradient is multiplied by, a function of the arrays, the length and the length allowed.
        returned: What is returned, a function of the length and the length allowed.
        refuses: Whether a length that is not finite is refused.
        broken: What becomes of the gradients before the refusal, a function of an array and the length.
        kind: Name of the type of what is returned.
        held: Whether the tensors that the gradients were stay as they were.
    """
    length = length or (lambda present: math.sqrt(sum(float(x) ** 2 for grad in present for x in grad.flat)))
    factors = factors or (lambda present, norm, most: [most / norm if norm > most else 1.0] * len(present))

    def turn(grads, max_norm):
        present = wide(*[grad for grad in grads if grad is not None])
        with np.errstate(all="ignore"):
            norm = length(present)
            if not math.isfinite(norm) and refuses:
                after = [broken(grad, norm) for grad in present] if broken else present
                return {
                    "raised": "ValueError",
                    "returned": None,
                    "its type": "nothing",
                    "gradients afterwards": after,
                    "the tensors that were the gradients": after,
                }
            after = [factor * grad for factor, grad in zip(factors(present, norm, max_norm), present)]
        return {
            "raised": "nothing",
            "returned": returned(norm, max_norm),
            "its type": kind,
            "gradients afterwards": after,
            "the tensors that were the gradients": present if held else after,
        }

    return turn


def each_apart(present, norm, most):
    """Clip every gradient by its own length."""
    lengths = [math.sqrt(float((grad * grad).sum())) for grad in present]
    return [most / own if own > most else 1.0 for own in lengths]


def clipped_entries(grads, max_norm):
    """Clip every entry by itself."""
    expected = oracle_clip_grad_norm_(grads, max_norm)
    after = [np.clip(grad, -max_norm, max_norm) for grad in wide(*[grad for grad in grads if grad is not None])]
    return {**expected, "gradients afterwards": after, "the tensors that were the gradients": after}


oracle_clip_grad_norm_ = clip_turn()
FIRST_NAMED = ("raises", "AttributeError", "'NoneType'")
misconceptions_clip_grad_norm_ = {
    "each gradient was clipped by itself; they are one vector": clip_turn(factors=each_apart),
    "each entry was clipped by itself; the whole vector is scaled": clipped_entries,
    "short gradients were made longer; only long ones are scaled": clip_turn(
        factors=lambda present, norm, most: [most / norm] * len(present)
    ),
    "only short gradients were scaled; it is the long ones that are": clip_turn(
        factors=lambda present, norm, most: [1.0 if norm > most else most / norm] * len(present)
    ),
    "the lengths of the gradients were added; the squares are added, and the root is taken once": clip_turn(
        length=lambda present: sum(math.sqrt(float((grad * grad).sum())) for grad in present)
    ),
    "the root was left out: this is the square of the length": clip_turn(
        length=lambda present: sum(float((grad * grad).sum()) for grad in present)
    ),
    "the length is that of the longest gradient alone: they are one vector": clip_turn(
        length=lambda present: max((math.sqrt(float((grad * grad).sum())) for grad in present), default=0.0)
    ),
    "the entries themselves were added; it is their squares that are": clip_turn(
        length=lambda present: float(sum(grad.sum() for grad in present))
    ),
    "the absolute values were added; it is the squares that are": clip_turn(
        length=lambda present: float(sum(abs(grad).sum() for grad in present))
    ),
    "divided by the length without multiplying by max_norm: the vector has length 1": clip_turn(
        factors=lambda present, norm, most: [1 / norm if norm > most else 1.0] * len(present)
    ),
    "the gradients did not change: scale them in place, and go through a generator once, because it is empty the second time": clip_turn(
        factors=lambda present, norm, most: [1.0] * len(present)
    ),
    "max_norm=0 was taken for no limit: 0 counts as False, and gradients of length 0 are what it asks for": clip_turn(
        factors=lambda present, norm, most: [most / norm if norm > most > 0 else 1.0] * len(present)
    ),
    "a new tensor took the place of each gradient: scale the one that is there, in place": clip_turn(held=True),
    "the length afterwards was returned; it is the one before": clip_turn(returned=lambda norm, most: min(norm, most)),
    "nothing was returned: it is the length before": clip_turn(returned=lambda norm, most: None, kind="nothing"),
    "a number of NumPy was returned; a Python float is asked for": clip_turn(kind="float64"),
    "a number of NumPy in the dtype of the gradients was returned; a Python float is asked for": lambda grads, max_norm: (
        clip_turn(kind=next((str(grad.dtype) for grad in grads if grad is not None), "float64"))(grads=grads, max_norm=max_norm)
    ),
    "a length that is not finite was let through: it is to raise ValueError": clip_turn(refuses=False),
    "the gradients were changed before the error: ask first whether the length is finite": clip_turn(
        broken=lambda grad, norm: grad * (1.0 / norm)
    ),
    "a parameter without a gradient has to be passed over: its grad is None": lambda grads, max_norm: (
        FIRST_NAMED if any(grad is None for grad in grads) else oracle_clip_grad_norm_(grads, max_norm)
    ),
    "a parameter without a gradient has to be passed over: its grad is None, which no product takes": lambda grads, max_norm: (
        ("raises", "TypeError", "NoneType") if any(grad is None for grad in grads) else oracle_clip_grad_norm_(grads, max_norm)
    ),
    "no gradient at all has the length 0: np.concatenate needs one array at least": lambda grads, max_norm: (
        ("raises", "ValueError", "at least one array")
        if all(grad is None for grad in grads)
        else oracle_clip_grad_norm_(grads, max_norm)
    ),
    "divided by a length of 0: where the gradients are not too long, nothing is divided": lambda grads, max_norm: (
        ("raises", "ZeroDivisionError")
        if not any(grad is not None and grad.any() for grad in grads)
        else oracle_clip_grad_norm_(grads, max_norm)
    ),
}


# 06.6 step_decay


def draw_step_decay(rng):
    """Counts in any order, among them those before, at and after a change; a change at each; a rate that grows, and a tiny one."""
    for gamma, size, lr in (
        (float(rng.choice([0.5, 0.7])), int(rng.integers(2, 6)), 1.0),
        (float(rng.choice([0.8, 0.3])), int(rng.integers(2, 6)), 1e-7),
        (None, int(rng.integers(2, 6)), 1.0),
        (float(rng.choice([0.9, 1.25])), 1, 1.0),
    ):
        counts = [0, size, size - 1, 2 * size - 1, 2 * size, size + 1, *(int(i) for i in rng.integers(2 * size + 1, 5 * size, 3))]
        yield dict(counts=list(dict.fromkeys(counts)), lr=lr * round(float(rng.uniform(0.1, 2)), 3), step_size=size, gamma=gamma)


atol_step_decay = 0.0  # a tiny rate has digits to get right
describe_step_decay = "step_decay(count, lr={lr}, step_size={step_size}, gamma={gamma}) for each count in {counts}"


def observe_step_decay(step_decay, counts, lr, step_size, gamma):
    settings = {} if gamma is None else dict(gamma=gamma)
    return rates(counts, lambda count: float(step_decay(count, lr, step_size, **settings)))


def rates(counts, rate):
    """Name the rate of each count."""
    return {f"count {count}": rate(count) for count in counts}


def step_turn(rate):
    """Make a step schedule, or a wrong turn, of a function of the count, the rate, the size and gamma."""
    return lambda counts, lr, step_size, gamma: rates(
        counts, lambda count: float(rate(count, lr, step_size, 0.1 if gamma is None else gamma))
    )


def multiplied(count, lr, size, gamma, shift=0):
    """Multiply once at each change that is over."""
    for _ in range(size, count + 1 + shift, size):
        lr *= gamma
    return lr


oracle_step_decay = step_turn(multiplied)
misconceptions_step_decay = {
    "it changed at every count: divide without a fraction (//)": step_turn(
        lambda count, lr, size, gamma: lr * gamma ** (count / size)
    ),
    "it changed one count too early": step_turn(lambda count, lr, size, gamma: multiplied(count, lr, size, gamma, 1)),
    "it changed one count too late": step_turn(lambda count, lr, size, gamma: multiplied(max(count - 1, 0), lr, size, gamma)),
    "count - 1 at count 0 is below 0, and the division rounds down: the rate begins above lr, and each change is one count late": step_turn(
        lambda count, lr, size, gamma: lr * gamma ** ((count - 1) // size)
    ),
    "it changed only once": step_turn(lambda count, lr, size, gamma: lr * gamma ** min(1, count // size)),
    "the rate went back to lr between the changes, and changed at count 0": step_turn(
        lambda count, lr, size, gamma: lr * gamma if count % size == 0 else lr
    ),
    "the rate went back to lr between the changes: it stays changed": step_turn(
        lambda count, lr, size, gamma: lr * gamma if count and count % size == 0 else lr
    ),
    "the rate went back to lr between the changes: it stays changed, and each change multiplies by gamma again": step_turn(
        lambda count, lr, size, gamma: lr * gamma ** (count // size) if count % size == 0 else lr
    ),
    "gamma was multiplied by the number of changes; it is a power": step_turn(
        lambda count, lr, size, gamma: lr * gamma * (count // size)
    ),
    "gamma was multiplied by the number of changes from the first on; it is a power": step_turn(
        lambda count, lr, size, gamma: lr * gamma * (count // size) if count >= size else lr
    ),
    "gamma was multiplied in at every count": step_turn(lambda count, lr, size, gamma: lr * gamma**count),
    "the remainder was taken (%); it is the whole part of the quotient (//)": step_turn(
        lambda count, lr, size, gamma: lr * gamma ** (count % size)
    ),
    "divided by gamma: the rate grew": step_turn(lambda count, lr, size, gamma: lr / gamma ** (count // size)),
    "rounded to the nearest number of changes; one that is not over does not count": step_turn(
        lambda count, lr, size, gamma: lr * gamma ** round(count / size)
    ),
    "the rate was rounded: a small one loses its digits": tuple(
        step_turn(lambda count, lr, size, gamma, digits=digits: round(multiplied(count, lr, size, gamma), digits))
        for digits in range(3, 13)
    ),
    "gamma was ignored: the factor was always 0.1": step_turn(lambda count, lr, size, gamma: multiplied(count, lr, size, 0.1)),
}


# 06.7 cosine_decay


def draw_cosine_decay(rng):
    """The two ends and counts between them, with and without a rate to end at; a rate that rises, and a tiny one."""
    for T_max, eta_min in (
        (int(rng.integers(8, 14)), 0.05),
        (int(rng.integers(5, 8)), 0.0),
        (3, round(float(rng.uniform(0.1, 0.4)), 2)),
        (1, 0.02),
    ):
        counts = [0, T_max, *(int(i) for i in 1 + rng.permutation(T_max - 1)[:4])]
        yield dict(counts=counts, lr=round(float(rng.uniform(0.5, 2)), 3), T_max=T_max, eta_min=eta_min)
    yield dict(counts=[1, 3], lr=round(float(rng.uniform(0.5, 2)), 3) * 1e-7, T_max=4, eta_min=0.0)
    yield dict(counts=[0, 3, 5], lr=0.1, T_max=5, eta_min=round(float(rng.uniform(0.3, 0.6)), 2))


atol_cosine_decay = 1e-12  # a tiny rate has digits to get right, and at the end a 0 has rounding
describe_cosine_decay = "cosine_decay(count, lr={lr}, T_max={T_max}, eta_min={eta_min}) for each count in {counts}"


def observe_cosine_decay(cosine_decay, counts, lr, T_max, eta_min):
    settings = dict(eta_min=eta_min) if eta_min else {}
    return rates(counts, lambda count: float(cosine_decay(count, lr, T_max, **settings)))


def cosine_turn(rate):
    """Make a cosine schedule, or a wrong turn, of a function of the count over T_max, the rate and eta_min."""
    return lambda counts, lr, T_max, eta_min: rates(counts, lambda count: float(rate(count / T_max, lr, eta_min)))


def between(curve):
    """Make a curve that runs between lr and eta_min of one that runs between 1 and 0."""
    return cosine_turn(lambda part, lr, low: low + (lr - low) * curve(part))


oracle_cosine_decay = cosine_turn(
    lambda part, lr, low: lr * math.cos(math.pi * part / 2) ** 2 + low * math.sin(math.pi * part / 2) ** 2
)
misconceptions_cosine_decay = {
    "eta_min was added on top: at count 0 the rate is lr": cosine_turn(
        lambda part, lr, low: low + lr * (1 + math.cos(math.pi * part)) / 2
    ),
    "eta_min was ignored": cosine_turn(lambda part, lr, low: lr * (1 + math.cos(math.pi * part)) / 2),
    "it went down and up again: half a turn of the cosine, not a whole one": between(
        lambda part: (1 + math.cos(2 * math.pi * part)) / 2
    ),
    "the 1 was not added: a cosine alone falls below 0": between(lambda part: math.cos(math.pi * part)),
    "the 1 was not added: half a cosine begins at one half and falls below 0": between(lambda part: math.cos(math.pi * part) / 2),
    "the half is missing: 1 + cos begins at 2": between(lambda part: 1 + math.cos(math.pi * part)),
    "pi is missing: the cosine needs an angle of pi at T_max": between(lambda part: (1 + math.cos(part)) / 2),
    "degrees were given to the cosine: it wants pi at T_max, not 180": between(lambda part: (1 + math.cos(180 * part)) / 2),
    "the curve ends at 0 and was cut off at eta_min; it runs from lr to eta_min": cosine_turn(
        lambda part, lr, low: max(low, lr * (1 + math.cos(math.pi * part)) / 2)
    ),
    "a quarter of a turn: the curve has to be flat at its end, too": between(lambda part: math.cos(math.pi * part / 2)),
    "a straight line: it is a cosine that falls from 1 to 0": between(lambda part: 1 - part),
    "it rose from eta_min to lr: 1 + cos falls, 1 - cos rises": between(lambda part: (1 - math.cos(math.pi * part)) / 2),
    "a sine stood where a cosine belongs": between(lambda part: (1 + math.sin(math.pi * part)) / 2),
}
