"""The check of 05.5 relu_rule."""

import numpy as np

from .shared import BARE, NONE, found, in_float64, normal, observed, sizes, with_zeros, without_graph


def draw_relu_rule(rng):
    """Inputs of both signs, among them exact zeros, tiny and infinite ones, a single one, and gradients of both signs."""
    n, m, k = sizes(rng, 3, low=3)
    for shape in [(5,), (n, m), (m, 2, k), (n,)]:
        yield dict(grad=normal(rng, *shape) + np.float32(0.1), a=with_zeros(rng, *shape))
    yield dict(grad=normal(rng, 5) + np.float32(0.1), a=np.float32(rng.mix([-1e-9, 1e-12, 0, 1e-7, -2])))
    yield dict(grad=normal(rng, 4) + np.float32(0.1), a=np.float32(rng.mix([np.inf, -np.inf, 1e-30, 1e30])))
    yield dict(grad=normal(rng), a=normal(rng))


def observe_relu_rule(module, grad, a):
    return observed(module, module.relu_rule, grad, np.maximum(a, 0), a)


@in_float64
def oracle_relu_rule(grad, a):
    return found(np.array([g if x > 0 else 0.0 for g, x in zip(grad.ravel(), a.ravel())]).reshape(a.shape))


misconceptions_relu_rule = {
    "the gradient passes where the input is 0: greater than, not greater or equal": in_float64(
        lambda grad, a: found(grad * (a >= 0))
    ),
    "out is never below 0, so out >= 0 holds everywhere": in_float64(lambda grad, a: found(grad)),
    "what arrives from the right is missing: this is the mask alone": in_float64(lambda grad, a: found(a > 0, NONE)),
    "the sign of grad decided; it is the sign of the input": in_float64(lambda grad, a: found(grad * (grad > 0))),
    "multiplied by the result of ReLU: the slope there is 1": in_float64(lambda grad, a: found(grad * np.maximum(a, 0))),
    "multiplied by the input: the slope is 1 or 0": in_float64(lambda grad, a: found(grad * a)),
    "the gradient passes where the input is below 0": in_float64(lambda grad, a: found(grad * (a < 0))),
    "this is ReLU itself, without what arrives: the slope is 1 where the input is above 0": in_float64(
        lambda grad, a: found(np.maximum(a, 0), NONE)
    ),
    "grad times the sign of the input: where the input is below 0, nothing goes back": in_float64(
        lambda grad, a: found(grad * np.sign(a))
    ),
    "a whole tensor was asked whether it is above 0: a mask (a > 0) answers for each entry": lambda grad, a: (
        ("raises", "RuntimeError", "one number") if a.size > 1 else oracle_relu_rule(grad=grad, a=a)
    ),
    BARE: without_graph(oracle_relu_rule),
}
