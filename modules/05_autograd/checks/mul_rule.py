"""The check of 05.1 mul_rule."""

import numpy as np

from .shared import BARE, NONE, found, in_float64, normal, observed, sizes, with_zeros, without_graph


def draw_mul_rule(rng):
    """Equal shapes, either factor stretched, single entries, and a number; some factors are 0."""
    n, m, k = sizes(rng, 3)
    yield dict(grad=normal(rng, n), a=with_zeros(rng, n), b=normal(rng, n))
    yield dict(grad=normal(rng, n, m), a=with_zeros(rng, n, m), b=with_zeros(rng, m))
    yield dict(grad=normal(rng, n, k), a=with_zeros(rng, k), b=normal(rng, n, 1))
    yield dict(grad=normal(rng), a=normal(rng), b=normal(rng))
    yield dict(grad=normal(rng, k, n, m), a=normal(rng, k, n, m), b=with_zeros(rng, n, m))
    yield dict(grad=normal(rng, m), a=with_zeros(rng, m), b=float(rng.choice([-2.5, 1.5, 3.0])))


def observe_mul_rule(module, grad, a, b):
    return observed(module, module.mul_rule, grad, a * np.float32(b), a, b, follows=isinstance(b, np.ndarray))


@in_float64
def oracle_mul_rule(grad, a, b):
    other = np.broadcast_to(b, grad.shape)
    return found(np.array([grad[index] * other[index] for index in np.ndindex(grad.shape)]).reshape(grad.shape))


misconceptions_mul_rule = {
    "what arrives from the right is missing: this is the slope of the product alone": in_float64(
        lambda grad, a, b: found(b, NONE)
    ),
    "multiplied by the factor whose gradient is wanted: it is the other one that counts": in_float64(
        lambda grad, a, b: found(grad * a)
    ),
    "multiplied by the product: it is the other factor that counts": in_float64(lambda grad, a, b: found(grad * (a * b))),
    "the product was divided by a again, which is 0 / 0 where a is 0: the slope is b": in_float64(
        lambda grad, a, b: found(grad * (a * b) / a)
    ),
    "the product was divided by a again, without what arrives: the slope is b, and grad belongs to it": in_float64(
        lambda grad, a, b: found(a * b / a, NONE)
    ),
    "added, not multiplied": in_float64(lambda grad, a, b: found(grad + b)),
    "divided by the other factor; it is a product": in_float64(lambda grad, a, b: found(grad / b)),
    "multiplied by both factors: it is the other one alone that counts": in_float64(
        lambda grad, a, b: found(grad * a + grad * b)
    ),
    "the sign is turned": in_float64(lambda grad, a, b: found(-grad * b)),
    "grad is handed on as it came: that is the rule of a sum": in_float64(lambda grad, a, b: found(grad)),
    BARE: without_graph(oracle_mul_rule),
    "computed with bare arrays: a number has no .data, and the gradient does not remember where it came from": lambda grad, a, b: (
        ("raises", "AttributeError") if isinstance(b, float) else without_graph(oracle_mul_rule)(grad=grad, a=a, b=b)
    ),
}
