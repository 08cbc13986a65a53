"""The check of 05.2 matmul_rule."""

import numpy as np

from .shared import BARE, NONE, found, in_float64, normal, observed, sizes, without_graph
from .unbroadcast import oracle_unbroadcast


def draw_matmul_rule(rng):
    """Flat, tall and square matrices, a batch, a batch of squares, a batch against one matrix, and one matrix against a batch."""
    n, k, m, one, two = sizes(rng, 5)
    yield dict(grad=normal(rng, 2, m), a=normal(rng, 2, 3), b=normal(rng, 3, m))
    yield dict(grad=normal(rng, n, 1), a=normal(rng, n, k), b=normal(rng, k, 1))
    yield dict(grad=normal(rng, 3, 3), a=normal(rng, 3, 3), b=normal(rng, 3, 3))
    yield dict(grad=normal(rng, k, n, n), a=normal(rng, k, n, n), b=normal(rng, n, n))
    yield dict(grad=normal(rng, one, two, n, m), a=normal(rng, one, 1, n, k), b=normal(rng, two, k, m))
    yield dict(grad=normal(rng, two, one, k, m), a=normal(rng, two, one, k, n), b=normal(rng, two, 1, n, m))
    yield dict(grad=normal(rng, one, n, m), a=normal(rng, one, n, k), b=normal(rng, k, m))
    yield dict(grad=normal(rng, two, n, k), a=normal(rng, n, m), b=normal(rng, two, m, k))


def product(x, y):
    """Multiply matrices; where they do not fit, say so in the words of module 01."""
    if x.shape[-1] != y.shape[-2]:
        raise ValueError("matmul needs inner sizes to agree")
    return x @ y


def observe_matmul_rule(module, grad, a, b):
    return observed(module, module.matmul_rule, grad, a @ b, a, b, follows=True)


@in_float64
def oracle_matmul_rule(grad, a, b):
    return found(np.einsum("...ij,...kj->...ik", grad, b))


misconceptions_matmul_rule = {
    "b is not transposed": in_float64(lambda grad, a, b: found(product(grad, b))),
    "this is the gradient of b: a, transposed, times grad": in_float64(lambda grad, a, b: found(product(a.mT, grad))),
    "the factors are in the wrong order: grad is first": in_float64(lambda grad, a, b: found(product(b.mT, grad))),
    "the factors are in the wrong order, and b is not transposed: grad is first": in_float64(
        lambda grad, a, b: found(product(b, grad))
    ),
    "grad was transposed; it is b that is": in_float64(lambda grad, a, b: found(product(grad.mT, b))),
    "both were transposed; it is b alone that is": in_float64(lambda grad, a, b: found(product(grad.mT, b.mT))),
    "all axes of b were turned round (or the batch was taken for rows): only the last two change places": in_float64(
        lambda grad, a, b: found(product(grad, b.T))
    ),
    "summed over the batch: the result has the batch dimensions of out, unbroadcast comes later": in_float64(
        lambda grad, a, b: found((product(grad, b.mT)).sum(axis=tuple(range(grad.ndim - 2))))
    ),
    "brought to the shape of a: the result has the batch dimensions of out, unbroadcast comes later": in_float64(
        lambda grad, a, b: oracle_unbroadcast(grad=product(grad, b.mT), shape=a.shape)
    ),
    "multiplied entry by entry; it is a matrix product": in_float64(lambda grad, a, b: found(grad * b)),
    "the operands changed places: this is the transpose of the gradient": in_float64(
        lambda grad, a, b: found(product(b, grad.mT))
    ),
    "what arrives from the right is missing: ones were sent back instead": in_float64(
        lambda grad, a, b: found(product(np.ones_like(grad), b.mT), NONE)
    ),
    "a stands where b belongs": in_float64(lambda grad, a, b: found(product(grad, a.mT))),
    BARE: without_graph(oracle_matmul_rule),
}
