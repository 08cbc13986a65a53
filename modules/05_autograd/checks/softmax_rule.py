"""The check of 05.6 softmax_rule."""

import numpy as np

from .shared import BARE, NONE, found, in_float64, normal, observed, sizes, without_graph


def draw_softmax_rule(rng):
    """Every axis, a square, where a sum without keepdim lines up with the wrong axis, one dimension, an axis of size 1, shares of 0."""
    n, m, k = sizes(rng, 3)
    for shape, dim in [
        ((2, 3), -1),
        ((n, n), 1),
        ((n, n), 0),
        ((m, k), 0),
        ((n, m, k), int(rng.choice([1, -2]))),
        ((m,), 0),
        ((k, n, m), int(rng.choice([0, 2]))),
        ((m, 1, n), int(rng.choice([1, 2]))),
        ((n, 3), 1),
    ]:
        spread = 200 if shape == (n, 3) else 2
        yield dict(grad=normal(rng, *shape), a=np.float32(spread) * normal(rng, *shape), dim=dim)


def shares(a, dim):
    powers = np.exp(a - a.max(axis=dim, keepdims=True))
    return powers / powers.sum(axis=dim, keepdims=True)


def observe_softmax_rule(module, grad, a, dim):
    return observed(module, module.softmax_rule, grad, shares(a, dim), a, dim=dim, follows=True)


@in_float64
def oracle_softmax_rule(grad, a, dim):
    out, grad = np.moveaxis(shares(a, dim), dim, -1), np.moveaxis(grad, dim, -1)
    slopes = np.einsum("...i,ij->...ij", out, np.eye(out.shape[-1])) - np.einsum("...i,...j->...ij", out, out)
    return found(np.moveaxis(np.einsum("...i,...ij->...j", grad, slopes), -1, dim))


def softmax_turn(rule):
    """Make a wrong turn of a function of grad, the shares and dim."""
    return in_float64(lambda grad, a, dim: found(rule(grad, shares(a, dim), dim)))


misconceptions_softmax_rule = {
    "dim is ignored: the sum runs along the last axis": softmax_turn(lambda g, s, dim: s * (g - (g * s).sum(-1, keepdims=True))),
    "the sum runs over everything; each row (or column, as dim says) has its own": softmax_turn(
        lambda g, s, dim: s * (g - (g * s).sum())
    ),
    "every share was taken to depend on its own score alone: that is the rule of the sigmoid": softmax_turn(
        lambda g, s, dim: g * s * (1 - s)
    ),
    "the factor out is missing in front": softmax_turn(lambda g, s, dim: g - (g * s).sum(dim, keepdims=True)),
    "the weighted gradients were averaged; they are summed": softmax_turn(
        lambda g, s, dim: s * (g - (g * s).mean(dim, keepdims=True))
    ),
    "the gradients were weighted by the scores a; it is the shares out": in_float64(
        lambda grad, a, dim: found(shares(a, dim) * (grad - (grad * a).sum(dim, keepdims=True)))
    ),
    "the shares were multiplied by the sum alone, and that taken off grad": softmax_turn(
        lambda g, s, dim: g - s * (g * s).sum(dim, keepdims=True)
    ),
    "this is the rule of log_softmax: grad, less the shares times the sum of grad": softmax_turn(
        lambda g, s, dim: g - s * g.sum(dim, keepdims=True)
    ),
    "the sign is turned": softmax_turn(lambda g, s, dim: -s * (g - (g * s).sum(dim, keepdims=True))),
    "the sum is missing": softmax_turn(lambda g, s, dim: s * g),
    "the sum is over out alone: it has to be weighted by grad": softmax_turn(
        lambda g, s, dim: s * (g - s.sum(dim, keepdims=True))
    ),
    "the sum is over grad alone: it has to be weighted by out": softmax_turn(
        lambda g, s, dim: s * (g - g.sum(dim, keepdims=True))
    ),
    "the sum lost its axis and lines up with another one: keepdim is missing": softmax_turn(
        lambda g, s, dim: s * (g - (g * s).sum(dim))
    ),
    "the sum is added, not subtracted": softmax_turn(lambda g, s, dim: s * (g + (g * s).sum(dim, keepdims=True))),
    "a stands where out belongs": in_float64(lambda grad, a, dim: found(a * (grad - (grad * a).sum(dim, keepdims=True)))),
    "what arrives from the right was taken to be ones: then nothing goes back at all": in_float64(
        lambda grad, a, dim: found(np.zeros(a.shape), NONE)
    ),
    BARE: without_graph(oracle_softmax_rule),
}
