"""Checks of module 05. NumPy only: nothing here runs the code that it judges, except `observe`.

Graphs cannot be sent to the process that runs learner code, so they are sent as lists: each tensor's name, its kind, the
names of what it is computed from and their weights. `build` makes tensors of them there, of ops of its own, so that one
exercise does not depend on the rules that another asks for; `values_of` and `passed_back` compute with them in float64.
"""

from functools import partial

import numpy as np


def normal(rng, *shape):
    """Draw float32 numbers of both signs."""
    return rng.standard_normal(shape, np.float32)


def with_zeros(rng, *shape):
    """Draw float32 numbers of both signs, and 0 in two places or more."""
    array = normal(rng, *shape)
    array.reshape(-1)[rng.permutation(array.size)[: max(2, array.size // 4)]] = 0
    return array


def sizes(rng, count, low=2):
    """Draw sizes that all differ."""
    return tuple(int(n) for n in low + rng.permutation(5)[:count])


# Rules, 05.1 to 05.7. Their observations are the gradient, and whether a gradient of it could be taken.

NONE = "forgotten: computed with bare arrays, or detached"


def observed(module, rule, grad, *values, **settings):
    """Run a rule on tensors; only the gradient that arrives requires a gradient."""
    tensors = [module.Tensor(value) if isinstance(value, np.ndarray) else value for value in values]
    result = rule(module.Tensor(grad, requires_grad=True), *tensors, **settings)
    if not isinstance(result, module.Tensor):
        known = result is None or isinstance(result, (np.ndarray, float, int))
        return found(result if known else f"a {type(result).__name__}", NONE)
    return found(np.array(result.data), "remembered" if result.requires_grad else NONE)


def found(gradient, graph="remembered"):
    """Give a gradient the form of an observation."""
    return {"gradient": gradient, "where the gradient came from": graph}


def without_graph(oracle):
    """Turn an oracle into one whose gradient does not remember where it came from."""
    return lambda **inputs: found(oracle(**inputs)["gradient"], NONE)


BARE = (
    "computed with bare arrays, or detached: the gradient does not remember where it came from, "
    "so it cannot be differentiated again"
)


def in_float64(function):
    """Let an oracle compute in float64."""

    def wide(**inputs):
        with np.errstate(all="ignore"):
            return compute(**inputs)

    def compute(**inputs):
        return function(
            **{
                name: value.astype(np.float64) if isinstance(value, np.ndarray) and value.dtype == np.float32 else value
                for name, value in inputs.items()
            }
        )

    return wide


# 05.1 mul_rule


def draw_mul_rule(rng):
    """Equal shapes, either factor stretched, and a number; some factors are 0."""
    n, m, k = sizes(rng, 3)
    yield dict(grad=normal(rng, n), a=with_zeros(rng, n), b=normal(rng, n))
    yield dict(grad=normal(rng, n, m), a=with_zeros(rng, n, m), b=with_zeros(rng, m))
    yield dict(grad=normal(rng, n, k), a=with_zeros(rng, k), b=normal(rng, n, 1))
    yield dict(grad=normal(rng, k, n, m), a=normal(rng, k, n, m), b=with_zeros(rng, n, m))
    yield dict(grad=normal(rng, m), a=with_zeros(rng, m), b=float(rng.choice([-2.5, 1.5, 3.0])))


def observe_mul_rule(module, grad, a, b):
    return observed(module, module.mul_rule, grad, a * np.float32(b), a, b)


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


# 05.2 matmul_rule


def draw_matmul_rule(rng):
    """Flat, tall and square matrices, a batch, a batch of squares, and a batch against one matrix."""
    n, k, m, one, two = sizes(rng, 5)
    yield dict(grad=normal(rng, 2, m), a=normal(rng, 2, 3), b=normal(rng, 3, m))
    yield dict(grad=normal(rng, n, 1), a=normal(rng, n, k), b=normal(rng, k, 1))
    yield dict(grad=normal(rng, 3, 3), a=normal(rng, 3, 3), b=normal(rng, 3, 3))
    yield dict(grad=normal(rng, k, n, n), a=normal(rng, k, n, n), b=normal(rng, n, n))
    yield dict(grad=normal(rng, one, two, n, m), a=normal(rng, one, 1, n, k), b=normal(rng, two, k, m))
    yield dict(grad=normal(rng, two, one, k, m), a=normal(rng, two, one, k, n), b=normal(rng, two, 1, n, m))
    yield dict(grad=normal(rng, one, n, m), a=normal(rng, one, n, k), b=normal(rng, k, m))


def product(x, y):
    """Multiply matrices; where they do not fit, say so in the words of module 01."""
    if x.shape[-1] != y.shape[-2]:
        raise ValueError("matmul needs inner sizes to agree")
    return x @ y


def observe_matmul_rule(module, grad, a, b):
    return observed(module, module.matmul_rule, grad, a @ b, a, b)


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


# 05.3 reduce_sum_rule


def draw_reduce_sum_rule(rng):
    """Every kind of axis, kept or not; a square, where a sum along the wrong axis lines up."""
    n, m, k = sizes(rng, 3)
    for shape, axis, keepdims in [
        ((2, 3), 1, False),
        ((n, n), 1, False),
        ((n, n), 0, False),
        ((m, k), 0, True),
        ((n, m), None, False),
        ((n, m, k), (0, -1), False),
        ((m, n, 2, k), (2, 0), False),
        ((n, m, n), int(rng.choice([1, -2])), True),
        ((k,), 0, False),
        ((m, n), None, True),
        ((k, n, m), (1, 2), True),
        ((m, k, n), int(rng.choice([0, 1])), False),
        ((n, k, m), int(rng.choice([-1, -2, -3])), False),
    ]:
        a = normal(rng, *shape)
        yield dict(grad=normal(rng, *a.sum(axis=axis, keepdims=keepdims).shape), a=a, axis=axis, keepdims=keepdims)


def observe_reduce_sum_rule(module, grad, a, axis, keepdims):
    out = np.sum(a, axis=axis, keepdims=keepdims)
    return observed(module, module.reduce_sum_rule, grad, np.asarray(out), a, axis=axis, keepdims=keepdims)


def axes_of(a, axis):
    """List the axes that a reduction removes, counted from the front."""
    return list(range(a.ndim)) if axis is None else [i % a.ndim for i in np.atleast_1d(axis)]


def lined_up(grad, a, axis):
    """Give grad size 1 along the axes that were summed."""
    return grad.reshape([1 if i in axes_of(a, axis) else n for i, n in enumerate(a.shape)])


@in_float64
def oracle_reduce_sum_rule(grad, a, axis, keepdims):
    kept, gradient = lined_up(grad, a, axis), np.zeros(a.shape)
    for index in np.ndindex(a.shape):
        gradient[index] = kept[tuple(0 if i in axes_of(a, axis) else j for i, j in enumerate(index))]
    return found(gradient)


def shared_out(grad, a, axis, keepdims):
    """The rule of a mean."""
    right = oracle_reduce_sum_rule(grad=grad, a=a, axis=axis, keepdims=keepdims)["gradient"]
    return found(right * grad.size / a.size)


def put_back_anyway(grad, a, axis, keepdims):
    """Insert the axis that was summed, whether it was kept or not."""
    if not isinstance(axis, int):
        return "raises", "TypeError"
    return found(np.array(np.broadcast_to(np.expand_dims(grad, axis), a.shape)))


def put_back_always(grad, a, axis, keepdims):
    """Insert all axes that were summed, whether they were kept or not."""
    return found(np.array(np.broadcast_to(np.expand_dims(grad, axes_of(a, axis)), a.shape)))


def put_back_if_gone(grad, a, axis, keepdims):
    """Insert the axis that was summed, one, if it was not kept."""
    if not isinstance(axis, int) and not keepdims:
        return "raises", "TypeError"
    return found(np.array(np.broadcast_to(grad if keepdims else np.expand_dims(grad, axis), a.shape)))


def put_back_by_comparing(grad, a, axis, keepdims):
    """Insert an axis where its number is met on the way from the front: one below 0 never is."""
    if isinstance(axis, int) and not keepdims:
        grad = grad.reshape([1 if i == axis else n for i, n in enumerate(a.shape)])
    return found(np.array(np.broadcast_to(grad, a.shape)))


misconceptions_reduce_sum_rule = {
    "the axis was put back although it had been kept (keepdims), or there are several (or None, all)": in_float64(
        put_back_anyway
    ),
    "one axis was put back, but there may be several, or None for all: kept_shape knows them": in_float64(put_back_if_gone),
    "an axis may be below 0, and there may be several: kept_shape knows them": in_float64(put_back_by_comparing),
    "keepdims was not asked: the axis is put back where it has been kept": in_float64(put_back_always),
    "the summed axes are missing: grad lines up with the last axes as it is": in_float64(
        lambda grad, a, axis, keepdims: found(np.array(np.broadcast_to(grad, a.shape)))
    ),
    "not stretched: the gradient still has one entry for each sum": lambda grad, a, axis, keepdims: found(
        lined_up(grad, a, axis)
    ),
    "grad is handed on as it came": lambda grad, a, axis, keepdims: found(grad),
    "divided by how many were summed: that is the rule of a mean": in_float64(shared_out),
    "what arrives from the right is missing: every entry is 1": lambda grad, a, axis, keepdims: found(np.ones(a.shape), NONE),
    "multiplied by a: the derivative of a sum with respect to each entry is 1": in_float64(
        lambda grad, a, axis, keepdims: found(lined_up(grad, a, axis) * a)
    ),
    BARE: without_graph(oracle_reduce_sum_rule),
}


# 05.4 unbroadcast


def draw_unbroadcast(rng):
    """Axes added in front, stretched, both, neither; a square, where the wrong axis has the right size."""
    n, m, k, j = sizes(rng, 4)
    for large, small in [
        ((2, 3), (3,)),
        ((2, 3), (2, 1)),
        ((n, n), (n,)),
        ((n, n), (n, 1)),
        ((n, m, k), (m, 1)),
        ((m, k), ()),
        ((n, m), (n, m)),
        ((n, 1), (n, 1)),
        ((k, m, n), (1, 1, n)),
        ((n, 1, m), (1, 1)),
        ((m, n, k), (m, 1, k)),
        ((j, n, m, k), (1, m, 1)),
        ((n, n, n), (1, n)),
        ((k,), (1,)),
        ((m, n), (1, 1)),
    ]:
        yield dict(grad=normal(rng, *large), shape=small)


def observe_unbroadcast(module, grad, shape):
    result = module.unbroadcast(module.Tensor(grad, requires_grad=True), shape)
    if not isinstance(result, module.Tensor):
        return found(None if result is None else f"a {type(result).__name__}", NONE)
    return found(np.array(result.data), "remembered" if result.requires_grad else NONE)


@in_float64
def oracle_unbroadcast(grad, shape):
    gradient, new = np.zeros(shape), grad.ndim - len(shape)
    for index in np.ndindex(grad.shape):
        gradient[tuple(i if n != 1 else 0 for i, n in zip(index[new:], shape))] += grad[index]
    return found(gradient)


def stretched(grad, shape):
    """List the axes of size 1, counted from the back, that grad has more of."""
    return [i for i in range(-len(shape), 0) if shape[i] == 1 and grad.shape[i] != 1]


def only_added(grad, shape):
    return found(grad.sum(axis=tuple(range(grad.ndim - len(shape)))))


def only_stretched(grad, shape):
    return found(grad.sum(axis=tuple(stretched(grad, shape)), keepdims=True))


def all_vanish(grad, shape):
    """Every summed axis is gone."""
    return found(grad.sum(axis=(*range(grad.ndim - len(shape)), *stretched(grad, shape))))


def last_axes_summed(grad, shape):
    """The added axes were taken for the last ones."""
    grad = grad.sum(axis=tuple(range(len(shape), grad.ndim)))
    return found(grad.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1 and grad.shape[i] != 1), keepdims=True))


def averaged(grad, shape):
    right = oracle_unbroadcast(grad=grad, shape=shape)["gradient"]
    return found(right * right.size / grad.size)


def all_ones_summed(grad, shape):
    """The first axes are summed over, as many as were added, and then every axis, if one is 1."""
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    return found(grad.sum(keepdims=True) if 1 in shape else grad)


def from_the_left(grad, shape):
    """Match the sizes from the left, before the axes in front are gone."""
    grad = grad.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1 and grad.shape[i] != 1), keepdims=True)
    return found(grad.sum(axis=tuple(range(grad.ndim - len(shape)))))


def reshaped(grad, shape):
    """Keep the first entries that fit."""
    return found(grad.ravel()[: int(np.prod(shape, dtype=int))].reshape(shape))


def ones_at_their_places_in_shape(grad, shape):
    """Sum the axes of size 1 where they are in the shape, and not in grad."""
    axes = {*range(grad.ndim - len(shape)), *(i for i, n in enumerate(shape) if n == 1)}
    return found(grad.sum(axis=tuple(axes), keepdims=True).reshape(shape) if axes else grad)


def moved_by_each_sum(grad, shape):
    """Sum one axis after the other, without keepdim."""
    if grad.shape != shape:
        grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
        for i in (i for i, n in enumerate(shape) if n == 1):
            grad = grad.sum(axis=i)
    return found(grad.reshape(shape))


misconceptions_unbroadcast = {
    "the axes of size 1 were summed at the places that they have in shape: in grad they come after the added ones": in_float64(
        ones_at_their_places_in_shape
    ),
    "each sum without keepdim takes its axis away, and the next one is at another place then": in_float64(moved_by_each_sum),
    "the shapes were matched from the left: sum the axes in front first": in_float64(from_the_left),
    "the gradient of one place was taken; those of all places add up": in_float64(reshaped),
    "only the axes in front were summed; those of size 1 that were stretched were not": in_float64(only_added),
    "only the stretched axes were summed; those that were added in front were not": in_float64(only_stretched),
    "the axes of size 1 are gone: they have to stay (keepdim)": in_float64(all_vanish),
    "the axes of size 1 are gone, stretched or not: they have to stay (keepdim)": in_float64(
        lambda grad, shape: found(oracle_unbroadcast(grad=grad, shape=shape)["gradient"].reshape([n for n in shape if n != 1]))
    ),
    "the axes that were stretched were averaged; what comes back from several places adds up": in_float64(
        lambda grad, shape: found(
            grad.sum(axis=tuple(range(grad.ndim - len(shape)))).mean(
                axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True
            )
        )
    ),
    "the axes in front were averaged; what comes back from several places adds up": in_float64(
        lambda grad, shape: found(
            oracle_unbroadcast(grad=grad, shape=shape)["gradient"] / np.prod(grad.shape[: grad.ndim - len(shape)])
        )
    ),
    "summed over the last axes: shapes are matched from the right, so the added axes are the first ones": in_float64(
        last_axes_summed
    ),
    "averaged: what comes back from several places adds up": in_float64(averaged),
    "grad is handed on as it came": lambda grad, shape: found(grad),
    "every axis was summed, as soon as one was stretched": in_float64(all_ones_summed),
    BARE: without_graph(oracle_unbroadcast),
}


# 05.5 relu_rule


def draw_relu_rule(rng):
    """Inputs of both signs, among them exact zeros, and gradients of both signs."""
    n, m, k = sizes(rng, 3, low=3)
    for shape in [(5,), (n, m), (m, 2, k), (n,)]:
        yield dict(grad=normal(rng, *shape) + np.float32(0.1), a=with_zeros(rng, *shape))


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
        "raises",
        "RuntimeError",
        "one number",
    ),
    BARE: without_graph(oracle_relu_rule),
}


# 05.6 softmax_rule


def draw_softmax_rule(rng):
    """Every axis, a square, where a sum without keepdim lines up with the wrong axis, and one dimension."""
    n, m, k = sizes(rng, 3)
    for shape, dim in [
        ((2, 3), -1),
        ((n, n), 1),
        ((n, n), 0),
        ((m, k), 0),
        ((n, m, k), int(rng.choice([1, -2]))),
        ((m,), 0),
        ((k, n, m), int(rng.choice([0, 2]))),
    ]:
        yield dict(grad=normal(rng, *shape), a=2 * normal(rng, *shape), dim=dim)


def shares(a, dim):
    powers = np.exp(a - a.max(axis=dim, keepdims=True))
    return powers / powers.sum(axis=dim, keepdims=True)


def observe_softmax_rule(module, grad, a, dim):
    return observed(module, module.softmax_rule, grad, shares(a, dim), a, dim=dim)


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


# 05.7 cross_entropy_rule


def draw_cross_entropy_rule(rng):
    """Every reduction, as many classes as examples, more than ten, and gradients other than 1."""
    i, j, k = sizes(rng, 3)
    shapes = [((2, 3), "mean"), ((i, 13), "sum"), ((j, k), "none"), ((i, i), "none"), ((k, i), "mean"), ((1, j), "none")]
    for (n, c), reduction in shapes:
        grad = normal(rng, n) if reduction == "none" else np.array(rng.uniform(1.5, 3) * rng.choice([-1, 1]), np.float32)
        yield dict(grad=grad, logits=2 * normal(rng, n, c), labels=rng.integers(c, size=n), reduction=reduction)


def observe_cross_entropy_rule(module, grad, logits, labels, reduction):
    losses = -np.log(shares(logits, 1))[np.arange(len(labels)), labels]
    out = losses if reduction == "none" else np.asarray({"mean": np.mean, "sum": np.sum}[reduction](losses))
    return observed(module, module.cross_entropy_rule, grad, out, logits, labels, reduction=reduction)


def cross_entropy_turn(
    truth=1.0,
    count=lambda logits, reduction: len(logits) if reduction == "mean" else 1,
    of=None,
    after=lambda gradient, reduction: gradient,
    graph="remembered",
):
    """Make the rule of cross-entropy, or a wrong turn.

    Args:
        truth: What is subtracted at the right class.
        count: What the gradient is divided by.
        of: What stands for the gradient of each example, a function of grad divided by the count and of the logits.
        after: What becomes of the gradient at the end.
        graph: Whether it remembers where it came from.
    """

    def rule(grad, logits, labels, reduction):
        gradient = shares(logits, 1)
        for row, label in enumerate(labels):
            gradient[row, label] -= truth
        each = grad / count(logits, reduction)
        return found(after(gradient * (of(each, logits) if of else each.reshape(-1, 1)), reduction), graph)

    return in_float64(rule)


oracle_cross_entropy_rule = cross_entropy_turn()
misconceptions_cross_entropy_rule = {
    "grad is missing, what arrives at the loss, and the mean was not divided": cross_entropy_turn(
        of=lambda each, logits: 1.0, graph=NONE
    ),
    "the mean was not divided by the number of examples": cross_entropy_turn(count=lambda logits, reduction: 1),
    "divided by the number of examples whatever the reduction": cross_entropy_turn(count=lambda logits, reduction: len(logits)),
    "the mean was divided by the number of scores; it is shared among examples": cross_entropy_turn(
        count=lambda logits, reduction: logits.size if reduction == "mean" else 1
    ),
    "the gradients of the examples lined up with the classes: give them the shape (N, 1)": cross_entropy_turn(
        of=lambda each, logits: each
    ),
    'what arrives multiplied as it is: the gradient of a mean is shared among the N examples, and with "none" gradient n belongs to row n': cross_entropy_turn(
        count=lambda logits, reduction: 1, of=lambda each, logits: each
    ),
    "the gradients of the examples were averaged: each example has its own": cross_entropy_turn(
        of=lambda each, logits: each.mean()
    ),
    "divided by the number of classes; a mean is shared among the N examples": cross_entropy_turn(
        count=lambda logits, reduction: logits.shape[1] if reduction == "mean" else 1
    ),
    "the sum was divided and the mean was not": cross_entropy_turn(
        count=lambda logits, reduction: len(logits) if reduction == "sum" else 1
    ),
    'divided by the number of examples whatever the reduction, and with "none" gradient n belongs to row n': cross_entropy_turn(
        count=lambda logits, reduction: len(logits), of=lambda each, logits: each
    ),
    "grad is missing, what arrives at the loss": cross_entropy_turn(
        of=lambda each, logits: 1.0,
        after=lambda gradient, reduction: gradient / (len(gradient) if reduction == "mean" else 1),
        graph=NONE,
    ),
    "the truth was not subtracted: these are the probabilities": cross_entropy_turn(truth=0.0),
    "the sign is turned": in_float64(lambda grad, **inputs: found(-oracle_cross_entropy_rule(grad=grad, **inputs)["gradient"])),
    "the gradients of the examples were added up: each example has its own": cross_entropy_turn(
        of=lambda each, logits: each.sum()
    ),
    BARE: without_graph(oracle_cross_entropy_rule),
}


# Graphs, for 05.8, 05.9 and 05.11


def build(module, graph, visits=None):
    """Make tensors of a graph that was sent as a list.

    Args:
        module: The learner's module.
        graph: List of [name, kind, inputs, more]. A "leaf" or "constant" has an array as more; a "mix" is the sum of its
            inputs times the numbers in more; "add", "square", "total", "sign" and "interrupted" are what they say.
        visits: Counter of how often a rule is asked for.

    Returns:
        Dict from name to tensor, in the order of the list.
    """
    kinds, tensors = make_ops(module, visits), {}
    for name, kind, inputs, more in graph:
        if kind in ("leaf", "constant"):
            tensors[name] = module.Tensor(np.array(more), requires_grad=kind == "leaf")
        else:
            settings = {"weights": tuple(more)} if kind == "mix" else {}
            tensors[name] = kinds[kind](*[tensors[one] for one in inputs], **settings)
    return tensors


class TooOften(Exception):
    """Tensors are visited so often that there is no end in sight."""


class Visits:
    """How often the tensors of a graph are visited, and how often is too often."""

    def __init__(self, most):
        self.count, self.most = 0, most

    def add(self):
        """Count one, and stop where there is no end in sight."""
        self.count += 1
        if self.count > self.most:
            raise TooOften


def make_ops(module, visits=None):
    """Make ops whose rules use nothing that the learner writes in this module, but the product of module 01."""
    times = module.mul

    class Op(type(module.add)):
        def rule(self, argument):
            if visits:
                visits.add()
            return super().rule(argument)

    def mix(*arrays, weights):
        return sum(np.float32(weight) * array for weight, array in zip(weights, arrays))

    def interrupt(grad, out, a):
        raise KeyboardInterrupt("on purpose")

    ops = {
        "mix": Op(mix),
        "square": Op(lambda a: a * a),
        "total": Op(lambda a: np.asarray(a.sum())),
        "add": Op(lambda a, b: a + b),
        "sign": Op(lambda a: np.sign(a)),
        "interrupted": Op(lambda a: a + 0),
    }
    ops["mix"].register_vjp(each=lambda grad, out, *inputs, weights, argument: times(grad, weights[argument]))
    ops["square"].register_vjp(lambda grad, out, a: times(times(grad, a), 2.0))
    ops["total"].register_vjp(lambda grad, out, a: times(grad, module.Tensor(np.ones(a.shape, a.dtype))))
    ops["add"].register_vjp(lambda grad, out, a, b: grad, lambda grad, out, a, b: grad)
    ops["sign"].register_vjp(None)
    ops["interrupted"].register_vjp(interrupt)
    return ops


def values_of(graph):
    """Compute every tensor of a graph, in float64."""
    values = {}
    for name, kind, inputs, more in graph:
        arrays = [values[one] for one in inputs]
        values[name] = {
            "leaf": lambda: np.array(more, np.float64),
            "constant": lambda: np.array(more, np.float64),
            "mix": lambda: sum(weight * array for weight, array in zip(more, arrays)),
            "square": lambda: arrays[0] ** 2,
            "total": lambda: arrays[0].sum(),
            "sign": lambda: np.sign(arrays[0]),
            "interrupted": lambda: arrays[0],
            "add": lambda: arrays[0] + arrays[1],
        }[kind]()
    return values


def wanting(graph):
    """Return the names of the tensors that a gradient may flow to."""
    names = set()
    for name, kind, inputs, _ in graph:
        if kind == "leaf" or names & set(inputs):
            names.add(name)
    return names


def parts(node, grad, values):
    """List what one tensor hands on: a name and a gradient for each of its inputs."""
    _, kind, inputs, more = node
    slopes = {
        "mix": lambda i: more[i],
        "square": lambda i: 2 * values[inputs[0]],
        "total": lambda i: np.ones(values[inputs[0]].shape),
        "add": lambda i: 1.0,
    }
    return [(one, grad * slopes[kind](i)) for i, one in enumerate(inputs)] if kind in slopes else []


def passed_back(graph, start, join=lambda before, part: before + part, order=None):
    """Walk back through a graph, in float64.

    Args:
        graph: The graph.
        start: Dict from name to the gradient to begin with.
        join: Function of the gradient that is there and the one that arrives.
        order: Names in the order in which they pass on what they have; by default the last made first.

    Returns:
        Dict from the name of every tensor that was reached to the gradient that it had when it passed it on.
    """
    nodes, values, wanted = {node[0]: node for node in graph}, values_of(graph), wanting(graph)
    gradients = {name: np.asarray(grad, np.float64) for name, grad in start.items()}
    for name in order or [node[0] for node in reversed(graph)]:
        if name in gradients and nodes[name][1] not in ("leaf", "constant"):
            for one, part in parts(nodes[name], gradients[name], values):
                if one in wanted:
                    gradients[one] = join(gradients[one], part) if one in gradients else part
    return gradients


def reached(graph, roots):
    """List the names of the tensors that ops have made and a walk from the roots reaches, the last made first."""
    kinds = {node[0]: node[1] for node in graph}
    names = passed_back(graph, {root: 1.0 for root in roots})
    return [node[0] for node in reversed(graph) if node[0] in names and kinds[node[0]] not in ("leaf", "constant")]


def told(graph):
    """Write a graph as the lines that make it."""
    leaves = [
        f"{', '.join(names)} {one if len(names) == 1 else more}"
        for names, one, more in (
            ([node[0] for node in graph if node[1] == "leaf"], "requires grad", "require grad"),
            ([node[0] for node in graph if node[1] == "constant"], "does not", "do not"),
        )
        if names
    ]
    return "\n".join(
        ["; ".join(leaves), *(f"{name} = {formula(kind, inputs, more)}" for name, kind, inputs, more in graph if inputs)]
    )


def vector(array):
    """Write a vector in few digits."""
    return f"[{', '.join(f'{x:.4g}' for x in array)}]" if np.ndim(array) else f"{array:.4g}"


def formula(kind, inputs, more):
    """Write what a tensor is computed from."""
    if kind == "mix":
        terms = "".join(f" {'-' if weight < 0 else '+'} {abs(weight):g} * {one}" for weight, one in zip(more, inputs))
        return terms[3:] if more[0] > 0 else f"-{terms[3:]}"
    return {
        "add": " + ".join(inputs),
        "square": f"{inputs[0]} * {inputs[0]}",
        "total": f"{inputs[0]}.sum()",
        "sign": f"sign({inputs[0]})",
        "interrupted": f"an op of {inputs[0]} during whose rule somebody presses Ctrl-C",
    }[kind]


def weights(rng, count):
    return [float(weight) for weight in rng.choice([-3, -2, -1, 1, 2, 3], count) + rng.choice([0.0, 0.5], count)]


def reused(rng):
    """Draw a graph in which `e` is used twice and each tensor but a leaf needs the one before it: one order is right."""
    n = int(rng.integers(2, 4))
    return [
        ["x", "leaf", [], normal(rng, n)],
        ["k", "constant", [], normal(rng, n)],
        ["w", "leaf", [], normal(rng, n)],
        ["e", "mix", ["x", "k", "w"], weights(rng, 3)],
        ["f", "mix", ["e", "x"], weights(rng, 2)],
        ["y", "mix", ["e", "f"], weights(rng, 2)],
    ]


def ladder(rng):
    """Draw a graph in which every tensor is used by the next one and by the one after that."""
    graph = [["x", "leaf", [], normal(rng, 3)], ["a", "mix", ["x", "x"], weights(rng, 2)]]
    for name, before, above in [("b", "a", "x"), ("c", "b", "a"), ("d", "c", "b"), ("e", "d", "c")]:
        graph.append([name, "mix", [above, before], weights(rng, 2)])
    return graph


def tangle(rng):
    """Draw a graph whose tensors are computed from any that came before, each with the one made last among its inputs."""
    graph = [["x", "leaf", [], normal(rng, 2)], ["w", "leaf", [], normal(rng, 2)], ["k", "constant", [], normal(rng, 2)]]
    for name in "abcdefgh"[: int(rng.integers(5, 9))]:
        others = [graph[int(i)][0] for i in rng.integers(0, len(graph), int(rng.integers(1, 3)))]
        inputs = [*others, graph[-1][0] if graph[-1][1] == "mix" else "x"]
        inputs = [inputs[int(i)] for i in rng.permutation(len(inputs))]
        graph.append([name, "mix", inputs, weights(rng, len(inputs))])
    return graph


def signed(rng):
    """Draw a graph with a tensor that an op has made which has no gradient to pass on."""
    return [["x", "leaf", [], normal(rng, 2)], ["s", "sign", ["x"], None], ["y", "mix", ["s", "x"], weights(rng, 2)]]


def sums(rng, count=40):
    """Draw a ladder: each tensor is the sum of the one before and itself, so that paths double at each."""
    names = ["x", *(f"y{i}" for i in range(1, count + 1))]
    return [["x", "leaf", [], normal(rng, 2)], *([name, "add", [before, before], None] for before, name in zip(names, names[1:]))]


# 05.8 topological_order


def draw_topological_order(rng):
    """Reused tensors, constants, several roots, a leaf, an op without a rule, a long chain, and a ladder of many paths."""
    z, a = ["z", "mix", ["f"], weights(rng, 1)], ["a", "mix", ["x", "k"], weights(rng, 2)]
    any_graph = tangle(rng)
    for graph, roots, deep in [
        (reused(rng), ["y"], 0),
        (ladder(rng), ["e"], 0),
        (any_graph, [any_graph[-1][0]], 0),
        ([*reused(rng), z], ["e", "z", "y"], 0),
        (signed(rng), ["y"], 0),
        (reused(rng)[:1], ["x"], 0),
        ([*reused(rng)[:2], a], ["a"], int(rng.integers(1500, 2500))),
        (sums(rng), ["y40"], 0),
    ]:
        yield dict(graph=graph, roots=roots, deep=deep)


def describe_topological_order(graph, roots, deep):
    call = f"topological_order({', '.join(roots)})"
    if len(graph) > 20:
        return f"{call} of a ladder of sums:\nx requires grad\ny1 = x + x\ny2 = y1 + y1\n... up to y40", ""
    if deep:
        return f"topological_order of the last tensor, where\n{told(graph)}\nand {deep} more are made, each of the one before", ""
    return f"{call}, where\n{told(graph)}", ""


def deepened(graph, deep):
    """Add a chain of tensors to the last one of a graph."""
    chain = [graph[-1][0], *(f"chain {i}" for i in range(deep))]
    return [*graph, *([name, "mix", [before], [1.0]] for before, name in zip(chain, chain[1:]))]


def observe_topological_order(module, graph, roots, deep):
    graph = deepened(graph, deep)
    visits = Visits(50 * len(graph) ** 2)
    tensors = build(module, graph, visits)
    names = {id(tensor): name for name, tensor in tensors.items()}
    try:
        result = module.topological_order(*(tensors[root] for root in ([graph[-1][0]] if deep else roots)))
    except TooOften:
        return summary(graph, [], OFTEN)
    if not isinstance(result, list):
        return {
            **dict.fromkeys(summary(graph, [])),
            "returned": f"a {type(result).__name__}" if result is not None else "nothing",
        }
    return summary(graph, [names.get(id(tensor), "another tensor") for tensor in result])


FEW, OFTEN = "a few times", "again for every path that leads to it: twice as often with every tensor that is used twice"


def summary(graph, listed, visits=FEW):
    """Write down what an order lists, each name as often as it stands there, and which tensors are before what they need."""
    kinds, places = {node[0]: node[1] for node in graph}, {}
    for place, name in enumerate(listed):
        places.setdefault(name, place)
    early = [
        f"{name} before {one}"
        for name, _, inputs, _ in graph
        for one in dict.fromkeys(inputs)
        if name in places and one in places and kinds[one] not in ("leaf", "constant") and places[one] > places[name]
    ]
    chain = [name for name in listed if name.startswith("chain")]
    own = sorted(name for name in listed if not name.startswith("chain"))
    return {
        "returned": "a list",
        "each tensor is visited": visits,
        "tensors in the list": own,
        "of the chain": f"{len(chain)}" if len(set(chain)) == len(chain) else "some of them twice",
        "in the wrong order": [*early[:5], *(["..."] if len(early) > 5 else [])],
    }


def oracle_topological_order(graph, roots, deep):
    graph = deepened(graph, deep)
    return summary(graph, reached(graph, [graph[-1][0]] if deep else roots)[::-1])


def order_turn(visit, often=False, chain=None):
    """Make a wrong turn.

    Args:
        visit: Function of the inputs to visit of each name, of the roots and of the kinds that gives the order.
        often: Whether it visits a tensor again for every path.
        chain: What comes of a long chain; by default what is right.
    """

    def wrong(graph, roots, deep):
        if deep:
            return chain or oracle_topological_order(graph=graph, roots=roots, deep=deep)
        if often and len(graph) > 20:
            return summary(graph, [], OFTEN)
        kinds, wanted = {node[0]: node[1] for node in graph}, wanting(graph)
        below = {name: [one for one in inputs if one in wanted and kind != "sign"] for name, kind, inputs, _ in graph}
        return summary(graph, [name for name in visit(below, roots, kinds) if kinds[name] != "leaf"])

    return wrong


def preorder(below, roots, kinds):
    """A search in depth that lists a tensor when it meets it; turned around at the end."""
    order, stack = [], list(reversed(roots))
    while stack:
        name = stack.pop()
        if name not in order:
            order.append(name)
            stack += reversed(below[name])
    return order[::-1]


def preorder_last(below, roots, kinds):
    """The same, from the last root and the last input."""
    order, stack = [], list(roots)
    while stack:
        name = stack.pop()
        if name not in order:
            order.append(name)
            stack += below[name]
    return order[::-1]


def breadth(below, roots, kinds):
    """A search in breadth, turned around."""
    order = list(dict.fromkeys(roots))
    for name in order:
        order += [one for one in dict.fromkeys(below[name]) if one not in order]
    return order[::-1]


def depth_first(below, roots, kinds, once=True):
    """The right order, or one that lists a tensor for every use."""
    order = []

    def visit(name):
        if not once or name not in order:
            for one in below[name]:
                visit(one)
            order.append(name)

    for root in roots:
        visit(root)
    return order


def marked_early(below, roots, kinds):
    """Mark a tensor when it goes on the stack: it may be listed from a place that is too late for others."""
    order, stack, seen = [], [(root, False) for root in roots], set(roots)
    while stack:
        name, done = stack.pop()
        if done:
            order.append(name)
            continue
        stack.append((name, True))
        for one in below[name]:
            if one not in seen:
                seen.add(one)
                stack.append((one, False))
    return order


def with_leaves(graph, roots, deep):
    expected, whole = oracle_topological_order(graph=graph, roots=roots, deep=deep), deepened(graph, deep)
    kinds = {node[0]: node[1] for node in whole}
    leaves = [
        name for name in passed_back(whole, {root: 1.0 for root in ([whole[-1][0]] if deep else roots)}) if kinds[name] == "leaf"
    ]
    return {**expected, "tensors in the list": sorted([*expected["tensors in the list"], *leaves])}


def fails(several, chain, often=False):
    """Make a turn that raises: with several tensors, and for a long chain."""

    def turn(graph, roots, deep):
        kind = chain if deep else several if len(reached(graph, roots)) > 1 else None
        if often and len(graph) > 20:
            return summary(graph, [], OFTEN)
        return ("raises", kind) if kind else oracle_topological_order(graph=graph, roots=roots, deep=deep)

    return turn


def turned_around(graph, roots, deep):
    graph = deepened(graph, deep)
    return summary(graph, reached(graph, [graph[-1][0]] if deep else roots))


def changed(**entries):
    """Make a turn that differs in some entries."""
    return lambda **inputs: {
        **oracle_topological_order(**inputs),
        **{name.replace("_", " "): value for name, value in entries.items()},
    }


def without_ends(graph, roots, deep):
    """Leave out what has no inputs to visit, though an op made it."""
    expected = oracle_topological_order(graph=graph, roots=roots, deep=deep)
    return {**expected, "tensors in the list": [name for name in expected["tensors in the list"] if name != "s"]}


def without_roots(graph, roots, deep):
    if deep:
        expected = oracle_topological_order(graph=graph, roots=roots, deep=deep)
        return {**expected, "of the chain": f"{deep - 1}"}
    return summary(graph, [name for name in reached(graph, roots)[::-1] if name not in roots])


misconceptions_topological_order = {
    "a tensor was listed when it was met, not once all of its inputs were": order_turn(preorder),
    "a tensor was listed when it was met, not once all of its inputs were, from the last root on": order_turn(preorder_last),
    "ordered by the distance from the root: a tensor that is also used further down comes too early": order_turn(breadth),
    "a tensor was marked when it went on the stack; mark it when it comes off, or what needs it may be listed first": order_turn(
        marked_early
    ),
    "listed once for every use: a tensor that was met before is not listed again": order_turn(
        lambda below, roots, kinds: depth_first(below, roots, kinds, once=False), often=True
    ),
    "listed once for every use, and by a function that calls itself: Python stops at a thousand levels": order_turn(
        lambda below, roots, kinds: depth_first(below, roots, kinds, once=False), often=True, chain=("raises", "RecursionError")
    ),
    "tensors were visited once for every path that leads to them: that takes twice as long with every tensor that is used twice": order_turn(
        depth_first, often=True
    ),
    "tensors were visited once for every path that leads to them, by a function that calls itself: Python stops at a thousand levels": order_turn(
        depth_first, often=True, chain=("raises", "RecursionError")
    ),
    "turned around: a tensor comes after what it is computed from, the root last": turned_around,
    "leaves are listed too": with_leaves,
    "a tensor that an op made was taken for a leaf because its op passes no gradient on: a leaf is what no op has made": without_ends,
    "the roots are missing: they pass a gradient on, too": without_roots,
    "only the first input of each tensor was followed": order_turn(
        lambda below, roots, kinds: depth_first({name: some[:1] for name, some in below.items()}, roots, kinds)
    ),
    "only the last input of each tensor was followed": order_turn(
        lambda below, roots, kinds: depth_first({name: some[-1:] for name, some in below.items()}, roots, kinds)
    ),
    "only the first root was followed": order_turn(lambda below, roots, kinds: depth_first(below, roots[:1], kinds)),
    "nothing was returned: it is the list": lambda **inputs: {
        **dict.fromkeys(oracle_topological_order(**inputs)),
        "returned": "nothing",
    },
    "the function calls itself for every input: Python stops at a thousand levels": fails(None, "RecursionError"),
    "`in` asks a list with ==, which compares entries: ask a set whether it holds a tensor": fails(
        "RuntimeError", "RuntimeError"
    ),
    "`in` asks a list with ==, which compares entries: ask a set; and a function that calls itself stops at a thousand levels": fails(
        "RuntimeError", "RecursionError"
    ),
}


# 05.9 walk


def draw_walk(rng):
    """Reused tensors, one input twice, roots above others and apart, kept and freed graphs, watched and shared gradients."""
    any_graph = tangle(rng)
    shared = [
        ["x", "leaf", [], normal(rng, 2)],
        ["w", "leaf", [], normal(rng, 2)],
        ["s", "add", ["x", "w"], None],
        ["t", "mix", ["s", "x"], weights(rng, 2)],
        ["y", "add", ["s", "t"], None],
    ]
    apart = [
        ["x", "leaf", [], normal(rng, 2)],
        ["w", "leaf", [], normal(rng, 2)],
        ["p", "mix", ["x"], weights(rng, 1)],
        ["q", "mix", ["w", "x"], weights(rng, 2)],
    ]
    for graph, roots, keep_graph, watched, remembered in [
        (reused(rng), "y", False, [], False),
        (ladder(rng), "e", False, [], False),
        (reused(rng), "y", True, ["e"], False),
        (reused(rng), "yf", False, ["y", "f"], False),
        (reused(rng)[:1], "x", False, [], False),
        (signed(rng), "y", False, ["s"], True),
        (any_graph, any_graph[-1][0], False, [any_graph[4][0]], True),
        (shared, "y", False, ["t", "y"], False),
        (shared, "y", True, [], True),
        (apart, "pq", False, [], False),
        (apart, rng.choice(["pq", "qp"]), False, ["p"], True),
    ]:
        start = {root: normal(rng, len(graph[0][3])) for root in roots}
        yield dict(graph=graph, start=start, keep_graph=keep_graph, watched=watched, remembered=remembered)


def describe_walk(graph, start, keep_graph, watched, remembered):
    names = ", ".join(f"{name}: {'g' if len(start) == 1 else f'g_{name}'}" for name in start)
    more = "\nand gradients require grad: the walk is remembered, as create_graph=True asks" if remembered else ""
    watch = f"{{{', '.join(watched)}}}" if watched else "()"
    return (
        f"walk({{{names}}}, keep_graph={keep_graph}, watched={watch}), where\n{told(graph)}{more}",
        "; ".join(f"{'g' if len(start) == 1 else f'g_{name}'} = {vector(grad)}" for name, grad in start.items()),
    )


WALKED = (
    "tensors left in the dict",
    "gradients",
    "gradients that remember where they came from",
    "tensors freed",
    "tensors cut off from their op",
    "gradients that were given, afterwards",
)


def observe_walk(module, graph, start, keep_graph, watched, remembered):
    tensors = build(module, graph)
    begin = {name: module.Tensor(grad.copy(), requires_grad=remembered) for name, grad in start.items()}
    gradients = {tensors[name]: grad for name, grad in begin.items()}
    module.walk(gradients, keep_graph, {tensors[name] for name in watched})
    names = {id(tensor): name for name, tensor in tensors.items()}
    left = {names.get(id(tensor), "another tensor"): grad for tensor, grad in gradients.items()}
    freed = [name for name, tensor in tensors.items() if tensor.origin is not None and tensor.origin.inputs is None]
    return dict(
        zip(
            WALKED,
            (
                sorted(left),
                {f"of {name}": np.array(left[name].data) for name in sorted(left)},
                sorted(name for name, grad in left.items() if grad.requires_grad),
                freed,
                [name for name, kind, inputs, _ in graph if inputs and tensors[name].origin is None],
                {f"of {name}": np.array(grad.data) for name, grad in begin.items()},
            ),
        )
    )


def left_over(graph, start, keep_graph, watched, remembered, gradients=None, freed=None, extra=(), graphs=True, given=None):
    """What a walk leaves: the gradients of leaves and of what is watched, and a freed graph."""
    gradients = passed_back(graph, start) if gradients is None else gradients
    leaves = [node[0] for node in graph if node[1] == "leaf"]
    freed = reached(graph, start)[::-1] if freed is None and not keep_graph else freed or []
    left = {name: grad for name, grad in sorted(gradients.items()) if name in (*leaves, *watched, *extra)}
    first = {name: np.asarray(grad, np.float64) for name, grad in (given or start).items()}
    return dict(
        zip(
            WALKED,
            (
                list(left),
                {f"of {name}": grad for name, grad in left.items()},
                list(left) if remembered and graphs else [],
                freed,
                [],
                {f"of {name}": grad for name, grad in first.items()},
            ),
        )
    )


oracle_walk = left_over


def join_turn(join):
    """Make a wrong turn of what becomes of a second gradient."""
    return lambda graph, start, **more: left_over(graph, start, **more, gradients=passed_back(graph, start, join))


def walked_by(order_of):
    """Make a wrong turn that passes gradients on in another order: what arrives later stays where it is."""

    def turn(graph, start, keep_graph, watched, remembered):
        below = {node[0]: [one for one in node[2] if one in wanting(graph) and node[1] != "sign"] for node in graph}
        nodes, values, gradients, done = {node[0]: node for node in graph}, values_of(graph), dict(start), {}
        for name in order_of(below, list(start)):
            if nodes[name][1] == "leaf":
                continue
            grad = done[name] = gradients.pop(name)
            for one, part in parts(nodes[name], grad, values):
                if one in wanting(graph):
                    gradients[one] = gradients[one] + part if one in gradients else part
        kept = {name: done[name] for name in watched if name in done}
        return left_over(graph, start, keep_graph, watched, remembered, gradients={**kept, **gradients}, extra=gradients)

    return turn


def met_first(below, roots):
    return preorder(below, roots, None)[::-1]


def met_last(below, roots):
    return preorder_last(below, roots, None)[::-1]


def from_one_root(place):
    """Make a turn that walks from one of the roots."""

    def turn(graph, start, keep_graph, watched, remembered):
        names = reached(graph, [list(start)[place]])
        gradients = passed_back(graph, start, order=names)
        freed = [] if keep_graph else names[::-1]
        others = [name for name in start if name not in names]
        return left_over(graph, start, keep_graph, watched, remembered, gradients=gradients, freed=freed, extra=others)

    return turn


def summed_in_place(graph, start, keep_graph, watched, remembered, through_data=False):
    """Add to the gradient that is there, in place, though others hold it, too."""
    if remembered and not through_data:
        return "raises", "RuntimeError"
    nodes, values = {node[0]: node for node in graph}, values_of(graph)
    given = {name: np.array(grad, np.float64) for name, grad in start.items()}
    gradients = dict(given)
    for name in reached(graph, start):
        grad = gradients[name]
        for one, part in parts(nodes[name], grad, values):
            part = grad if nodes[name][1] == "add" else part
            if one in gradients:
                gradients[one] += part
            elif one in wanting(graph):
                gradients[one] = part
    return left_over(graph, start, keep_graph, watched, remembered, gradients=gradients, given=given)


def copied_and_summed(graph, start, keep_graph, watched, remembered):
    """The same, after a copy of those given."""
    expected = summed_in_place(graph, start, keep_graph, watched, remembered)
    return (
        {**expected, WALKED[-1]: {f"of {name}": np.array(grad, np.float64) for name, grad in start.items()}}
        if isinstance(expected, dict)
        else expected
    )


def passed_on_for_every_use(graph, start, keep_graph, watched, remembered):
    """Follow a list of what is still to do, in which a tensor stands once for every use."""
    nodes, values, gradients, freed, todo = {node[0]: node for node in graph}, values_of(graph), dict(start), [], list(start)
    while todo:
        name = todo.pop()
        if nodes[name][1] in ("leaf", "constant"):
            continue
        if name not in gradients or name in freed:
            return "raises", "TypeError" if name in gradients else "KeyError"
        grad = gradients[name] if name in watched else gradients.pop(name)
        for one, part in parts(nodes[name], grad, values):
            if one in wanting(graph):
                gradients[one] = gradients[one] + part if one in gradients else part
                todo.append(one)
        freed += [] if keep_graph else [name]
    return left_over(graph, start, keep_graph, watched, remembered, gradients=gradients, extra=gradients)


def not_the_watched(**inputs):
    freed = [name for name in reached(inputs["graph"], inputs["start"])[::-1] if name not in inputs["watched"]]
    return left_over(**inputs, freed=[] if inputs["keep_graph"] else freed)


def untouched(**inputs):
    """Walk on a copy of the dict."""
    expected, start = left_over(**inputs), {name: np.asarray(grad, np.float64) for name, grad in inputs["start"].items()}
    return {
        **expected,
        "tensors left in the dict": sorted(start),
        "gradients": {f"of {name}": start[name] for name in sorted(start)},
        "gradients that remember where they came from": sorted(start) if inputs["remembered"] else [],
    }


def watched_only(**inputs):
    """Take out leaves as well."""
    gradients = passed_back(inputs["graph"], inputs["start"])
    return left_over(**inputs, gradients={name: gradients[name] for name in inputs["watched"] if name in gradients})


misconceptions_walk = {
    "a gradient that arrives replaces the one that is there: what comes from several places adds up": join_turn(
        lambda before, part: part
    ),
    "the first gradient to arrive stays, and later ones are lost: what comes from several places adds up": join_turn(
        lambda before, part: before
    ),
    "the gradients that arrive were averaged; what comes from several places adds up": join_turn(
        lambda before, part: (before + part) / 2
    ),
    "the gradients that arrive were multiplied; what comes from several places adds up": join_turn(
        lambda before, part: before * part
    ),
    "a tensor was passed on before all parts of its gradient had arrived: go by topological_order, from its end": walked_by(
        met_first
    ),
    "a tensor was passed on before all parts of its gradient had arrived: go by topological_order, from its end, and not by a stack": walked_by(
        met_last
    ),
    "the sum was computed with bare arrays: it does not remember where it came from": lambda **inputs: {
        **left_over(**inputs),
        "gradients that remember where they came from": once_only(**inputs),
    },
    "all gradients are bare arrays, or detached: they do not remember where they came from": lambda **inputs: left_over(
        **inputs, graphs=False
    ),
    "+= writes into a gradient that others hold, too, and is refused where gradients are remembered; make a new sum": summed_in_place,
    "the array of a gradient was added to in place, and others hold it, too: make a new sum": partial(
        summed_in_place, through_data=True
    ),
    "only one of the tensors in the dict was started at: gradients come back from all of them": (
        from_one_root(0),
        from_one_root(-1),
    ),
    "+= writes in place, which is refused where gradients are remembered; make a new sum": copied_and_summed,
    "the graph is never freed": lambda **inputs: left_over(**inputs, freed=[]),
    "the graph is freed although it is to be kept": lambda **inputs: left_over(
        **inputs, freed=reached(inputs["graph"], inputs["start"])[::-1]
    ),
    "the graph is freed when it is to be kept, and kept when it is to be freed": lambda **inputs: left_over(
        **inputs, freed=reached(inputs["graph"], inputs["start"])[::-1] if inputs["keep_graph"] else []
    ),
    "watched tensors were not freed: only their gradients stay": not_the_watched,
    "a tensor was freed before its inputs had received their gradients": lambda keep_graph, **inputs: (
        left_over(keep_graph=keep_graph, **inputs)
        if keep_graph or not reached(inputs["graph"], inputs["start"])
        else ("raises", "TypeError")
    ),
    "a tensor was passed on for every use, before all parts of its gradient had arrived: go by topological_order, from its end": passed_on_for_every_use,
    "walked from the front of topological_order: the gradients are at its end": lambda graph, start, **inputs: (
        ("raises", "KeyError") if set(reached(graph, start)[-1:]) - set(start) else left_over(graph, start, **inputs)
    ),
    "no gradient was taken out of the dict: only those of leaves and of watched tensors stay": lambda graph, start, **inputs: (
        left_over(graph, start, **inputs, extra=[node[0] for node in graph])
    ),
    "watched is ignored: those gradients were taken out of the dict": lambda watched, **inputs: left_over(watched=[], **inputs),
    "the gradients of leaves were taken out of the dict, too: they stay": watched_only,
    "the dict that was given did not change: gradients was bound to a copy": untouched,
}


def once_only(graph, start, **inputs):
    """Name the gradients that are no sums."""
    arrivals = {}
    for node in graph:
        if node[0] in reached(graph, start):
            for one in node[2] if node[1] != "sign" else []:
                arrivals[one] = arrivals.get(one, 0) + 1
    sums = {name for name in arrivals if arrivals[name] + (name in start) > 1}
    clean = {}
    for name, kind, inputs_of, _ in reversed(graph):
        above = [clean[node[0]] for node in graph if name in node[2] and node[0] in clean]
        clean[name] = name not in sums and (all(above) if above else True)
    left = left_over(graph, start, **inputs)
    return [name for name in left["gradients that remember where they came from"] if clean[name]]


# 05.10 recording


def draw_recording(rng):
    """On and off, from on and from off, one block within another, ending normally, with an exception and with Ctrl-C."""
    cases = [
        (True, False, None, "normally"),
        (True, False, None, "with a KeyError"),
        (False, False, None, "normally"),
        (False, True, None, "with a KeyError"),
        (True, False, True, "normally"),
        (False, True, False, "with KeyboardInterrupt"),
        (True, True, False, "with a KeyError"),
        (True, False, None, "with KeyboardInterrupt"),
    ]
    for i in rng.permutation(len(cases)):
        before, on, inner, ends = cases[int(i)]
        yield dict(before=before, on=on, inner=inner, ends=ends)


def describe_recording(before, on, inner, ends):
    block = [] if inner is None else [f"    with recording({inner}): ...", "    ..."]
    last = {
        "normally": [],
        "with a KeyError": ["    raise KeyError"],
        "with KeyboardInterrupt": ["    (somebody presses Ctrl-C)"],
    }[ends]
    return "\n".join([f"state.recording = {before}", f"with recording({on}):", *(block or ["    ..."]), *last])


def observe_recording(module, before, on, inner, ends):
    saved, seen = module.state.recording, {}
    module.state.recording = before
    try:
        with module.recording(on):
            seen["state.recording in the block"] = remembered(module)
            if inner is not None:
                with module.recording(inner):
                    seen["state.recording in the block inside of it"] = remembered(module)
                seen["state.recording after the block inside of it"] = remembered(module)
            if ends != "normally":
                raise {"with a KeyError": KeyError, "with KeyboardInterrupt": KeyboardInterrupt}[ends]("on purpose")
        seen["the block ends"] = "normally"
    except (KeyError, KeyboardInterrupt) as error:
        if "on purpose" not in str(error):
            raise
        seen["the block ends"] = "with a KeyError" if isinstance(error, KeyError) else "with KeyboardInterrupt"
    finally:
        seen["state.recording after the block"], module.state.recording = remembered(module), saved
    return seen


def remembered(module):
    """Say whether ops are remembered now, by an op; and the switch, where the two differ."""
    does = bool((module.Tensor(np.ones(2, np.float32), requires_grad=True) + 1.0).requires_grad)
    return does if module.state.recording is does else f"{module.state.recording!r}"


def recording_turn(set_to=lambda on, before: on, back=lambda before, on, ends: before, swallows=False):
    """Make the right switch, or a wrong turn.

    Args:
        set_to: What a block sets, for what it was asked to set and what was there.
        back: What is put back at the end of a block, for what was there, what was asked for, and how it ends; None for nothing.
        swallows: Whether exceptions end with the block.
    """

    def switch(before, on, inner, ends):
        now = set_to(on, before)
        seen = {"state.recording in the block": now}
        if inner is not None:
            outer, now = now, set_to(inner, now)
            seen["state.recording in the block inside of it"] = now
            restored = back(outer, inner, "normally")
            seen["state.recording after the block inside of it"] = now = now if restored is None else restored
        restored = back(before, on, ends)
        seen["the block ends"] = "normally" if swallows else ends
        return {**seen, "state.recording after the block": now if restored is None else restored}

    return switch


def without_yield(before, on, inner, ends):
    return "raises", "RuntimeError"


oracle_recording = recording_turn()
misconceptions_recording = {
    "an exception leaves it switched: put back what was there in any case (try, finally)": recording_turn(
        back=lambda before, on, ends: before if ends == "normally" else None
    ),
    "Ctrl-C leaves it switched: `except Exception` misses KeyboardInterrupt, `finally` does not": recording_turn(
        back=lambda before, on, ends: None if ends == "with KeyboardInterrupt" else before
    ),
    "True is put back, whatever was there before": recording_turn(back=lambda before, on, ends: True),
    "False is put back, whatever was there before": recording_turn(back=lambda before, on, ends: False),
    "the opposite of `on` was put back; it is what was there before the block": recording_turn(
        back=lambda before, on, ends: not on
    ),
    "the opposite of what was there before was put back": recording_turn(back=lambda before, on, ends: not before),
    "it is never put back": recording_turn(back=lambda before, on, ends: None),
    "state.recording was not set": recording_turn(set_to=lambda on, before: before),
    "on is ignored: ops are not remembered": recording_turn(set_to=lambda on, before: False),
    "on is turned around": recording_turn(set_to=lambda on, before: not on),
    "the exception ends with the block: the caller has to see it": recording_turn(swallows=True),
    "the exception ends with the block, and leaves it switched": recording_turn(
        back=lambda before, on, ends: before if ends == "normally" else None, swallows=True
    ),
    "a generator for @contextmanager yields once: there is no `yield`, or more than one": without_yield,
}


# 05.11 backward


def draw_backward(rng):
    """One call and two, with a gradient and without, kept, freed and remembered graphs, within no_grad, a leaf, calls that fail."""
    n = int(rng.integers(2, 5))
    curve = [
        ["x", "leaf", [], normal(rng, n)],
        ["k", "constant", [], normal(rng, n)],
        ["w", "leaf", [], normal(rng, n)],
        ["s", "add", ["x", "w"], None],
        ["q", "square", ["s"], None],
        ["m", "mix", ["q", "x", "k"], weights(rng, 3)],
        ["y", "total", ["m"], None],
    ]
    stopped = [*curve[:4], ["i", "interrupted", ["s"], None]]
    plain = dict(gradient=None, retain_graph=None, create_graph=False)
    given, number = dict(plain, gradient=normal(rng, n)), dict(plain, gradient=np.array(rng.uniform(2, 3), np.float32))
    keep, again = dict(plain, retain_graph=True), dict(plain, create_graph=True)
    for graph, calls in [
        (curve, [["y", plain]]),
        (curve, [["m", given]]),
        (curve, [["y", number]]),
        (curve[:4], [["s", given]]),
        (curve[:1], [["x", given], ["x", given]]),
        (curve, [["y", keep], ["y", plain]]),
        (curve, [["y", plain], ["y", plain]]),
        (curve, [["y", again], ["m", given]]),
        (curve, [["y", again], ["m", dict(given, create_graph=True)]]),
        (curve, [["m", plain]]),
        (curve, [["y", dict(again, retain_graph=False)], ["y", plain]]),
        (stopped, [["i", dict(given, create_graph=True)], ["i", given]]),
        (curve, [["y", dict(again, outside=False)], ["m", dict(given, create_graph=True, outside=False)]]),
    ]:
        yield dict(graph=graph, calls=calls)


def describe_backward(graph, calls):
    lines = []
    for name, settings in calls:
        words = ["g"] if settings["gradient"] is not None else []
        words += [
            f"{key}={settings[key]}"
            for key in ("retain_graph", "create_graph")
            if settings[key] not in (None, False) or key == "retain_graph" and settings[key] is False
        ]
        block = "with no_grad(): " if settings.get("outside") is False else ""
        lines.append(f"{block}{name}.backward({', '.join(words)})")
    grads = [settings["gradient"] for _, settings in calls if settings["gradient"] is not None]
    call = "\n".join([*lines, "where", told(graph)])
    return call, f"g = {vector(grads[0])}" if grads else ""


def observe_backward(module, graph, calls):
    tensors, seen, switch = build(module, graph), {}, module.state.recording
    for number, (name, settings) in enumerate(calls, 1):
        gradient = None if settings["gradient"] is None else module.Tensor(settings["gradient"].copy())
        # What becomes of a graph that an old gradient has is free, unless this call is to remember, too.
        asked = [one for one, tensor in tensors.items() if tensor.grad is None or settings["create_graph"]]
        raised, module.state.recording = "nothing", settings.get("outside", True)
        try:
            module.backward(tensors[name], gradient, settings["retain_graph"], settings["create_graph"])
        except NotImplementedError:
            raise
        except (RuntimeError, KeyboardInterrupt) as error:
            if isinstance(error, KeyboardInterrupt) and "on purpose" not in str(error):
                raise
            raised = type(error).__name__
        recording, module.state.recording = module.state.recording, switch
        grads = {one: tensor.grad for one, tensor in tensors.items()}
        arrays = {one: None if grad is None else np.array(grad.data) for one, grad in grads.items()}
        with_graph = [one for one in asked if grads[one] is not None and grads[one].requires_grad]
        seen |= after_call(number, raised, arrays, with_graph, sharing({**grads, "the gradient given": gradient}), recording)
    return seen


def sharing(grads):
    """Name the pairs of gradients that share their memory."""
    present = {name: grad.data for name, grad in grads.items() if grad is not None}
    return [
        f"{one} and {other}"
        for i, one in enumerate(present)
        for other in list(present)[i + 1 :]
        if np.shares_memory(present[one], present[other])
    ]


def after_call(number, raised, grads, with_graph, shared, recording):
    """Write down what is there after a call; what an interrupted one leaves in grad is free."""
    grads = {name: "None" if grad is None or raised == "KeyboardInterrupt" else grad for name, grad in grads.items()}
    return {
        f"call {number} raises": raised,
        **{f"{name}.grad after call {number}": grad for name, grad in grads.items()},
        f"gradients with a graph after call {number}": with_graph,
        f"gradients that share memory after call {number}": shared,
        f"ops are remembered after call {number}": recording,
    }


def backward_turn(
    adds=True,
    begin=None,
    keeps=None,
    graphs=None,
    everywhere=False,
    shares=False,
    stays=False,
    root=True,
    frees=True,
    always_one=False,
    whole=False,
    sums_outside=False,
):
    """Make the right backward, or a wrong turn.

    Args:
        adds: Whether a second gradient is added to the first.
        begin: The gradient to begin with, whatever was given.
        keeps: Whether the graph is kept, a function of the settings.
        graphs: Whether gradients have a graph, a function of the settings.
        everywhere: Whether tensors that are no leaves receive a grad, too.
        shares: Whether gradients that came from a sum share their memory.
        stays: Whether ops are remembered or not afterwards as they were during the walk; "raised" for after exceptions only.
        root: Whether a root that is a leaf receives a gradient.
        always_one: Whether a tensor of several entries begins with ones instead of raising.
        whole: Whether a grad is overwritten by 0 where nothing arrives.
        sums_outside: Whether gradients are added as ops are remembered outside, and not as create_graph says.
    """
    keeps = keeps or (lambda s: s["create_graph"] if s["retain_graph"] is None else s["retain_graph"])
    graphs = graphs or (lambda s: s["create_graph"])

    def turn(graph, calls):
        kinds, values = {node[0]: node[1] for node in graph}, values_of(graph)
        grad, seen, freed, shared = dict.fromkeys(kinds), {}, set(), []
        for number, (name, settings) in enumerate(calls, 1):
            outside = settings.get("outside", True)
            recording = graphs(settings) if stays is True else outside
            names = reached(graph, [name])
            interrupted = any(kinds[one] == "interrupted" for one in names)
            if freed & set(names) or settings["gradient"] is None and values[name].size > 1 and not always_one or interrupted:
                recording = graphs(settings) if stays else outside
                raised = "KeyboardInterrupt" if interrupted else "RuntimeError"
                seen |= after_call(number, raised, dict(grad), [], shared, recording)
                continue
            start = np.ones(values[name].shape) if settings["gradient"] is None or begin is not None else settings["gradient"]
            arrived = passed_back(graph, {name: start})
            arrived = {
                one: arrived[one]
                for one in kinds
                if one in arrived and (everywhere or kinds[one] == "leaf") and (root or one != name)
            }
            # Of the parts, those that came back through the square depend on an input, and so have a graph.
            curved = {"x", "w", "s"} if "q" in names else set()
            asked = [one for one in arrived if grad[one] is None or settings["create_graph"]]
            curved -= {one for one in arrived if sums_outside and not outside and grad[one] is not None}
            grad |= {one: grad[one] + part if adds and grad[one] is not None else part for one, part in arrived.items()}
            freed |= set() if keeps(settings) else set(names)
            shared = ["x and w"] if shares and "s" in names and "q" not in names else []
            seen |= after_call(
                number, "nothing", dict(grad), [one for one in asked if one in curved and graphs(settings)], shared, recording
            )
        return seen

    return turn


oracle_backward = backward_turn()
misconceptions_backward = {
    "a second backward() replaces the gradients: it adds to them": backward_turn(adds=False),
    "the gradient that was given is ignored: it began with ones": backward_turn(begin=1.0),
    "a leaf that backward was called on got no gradient: it is one of the leaves": backward_turn(root=False),
    "a tensor of several entries began with ones; without a gradient it is to raise RuntimeError (first_gradient)": backward_turn(
        always_one=True
    ),
    "retain_graph is ignored: the graph is always freed": backward_turn(keeps=lambda s: False),
    "the graph is never freed": backward_turn(keeps=lambda s: True),
    "retain_graph=None frees the graph also with create_graph: then it stays": backward_turn(
        keeps=lambda s: bool(s["retain_graph"])
    ),
    "with create_graph the graph stays even where retain_graph=False asks for it to be freed": backward_turn(
        keeps=lambda s: bool(s["create_graph"] or s["retain_graph"])
    ),
    "retain_graph is ignored: the graph is kept where create_graph is on, and freed otherwise": backward_turn(
        keeps=lambda s: s["create_graph"]
    ),
    "retain_graph is turned around": backward_turn(
        keeps=lambda s: not (s["create_graph"] if s["retain_graph"] is None else s["retain_graph"])
    ),
    "the ops of the walk are always remembered: the gradients carry a graph that nobody asked for": backward_turn(
        graphs=lambda s: True
    ),
    "create_graph is ignored: the ops of the walk are not remembered": backward_turn(graphs=lambda s: False),
    "create_graph is turned around: the ops of the walk are remembered where they should not be": backward_turn(
        graphs=lambda s: not s["create_graph"]
    ),
    "a second gradient was added outside of `with recording(...)`: within no_grad the sum has no graph": backward_turn(
        sums_outside=True
    ),
    "tensors that are no leaves received a grad, too": backward_turn(everywhere=True),
    "two leaves hold the same memory: who changes one gradient changes the other (unshared)": backward_turn(shares=True),
    "ops are remembered, or not, after the walk as they were during it": backward_turn(stays=True),
    "after an exception ops are remembered, or not, as during the walk: `with recording(...)` puts the switch back": backward_turn(
        stays="raised"
    ),
}


# 05.12 gradcheck

RIGHT, LARGE, SMALL, SECOND = "a * b", "1e9 * a * b", "1e-7 * a * b, wrong for a", "a * b, wrong for b"
TINY, HIDDEN, UNDEFINED = "a * b, wrong by 0.001 %", "a * b, right for ones", "a * b, nan for a"
LATE, FAINT, ENTRY = "a * b, wrong in one entry", "a * b, wrong by 0.0005 % in one entry", "a * b, wrong in a small entry"
UNUSED, CUBE = "a + 0 * b, without a rule for b", "a * a * a * b"
NOISY, WEAK = "10 + 1e-8 * a * b", "1e-5 * a * b, wrong by 0.03 % for a"
HALF, DOUBLE, BOTH = "a * b, half of it for a", "a * b, twice as much for a", "a * b, wrong for a and b"
WRONG_AT = {
    RIGHT: None,
    LARGE: None,
    UNUSED: None,
    CUBE: None,
    NOISY: None,
    WEAK: 0,
    SECOND: 1,
    SMALL: 0,
    TINY: 0,
    HIDDEN: 0,
    UNDEFINED: 0,
    LATE: 0,
    ENTRY: 0,
    FAINT: 0,
    HALF: 0,
    DOUBLE: 0,
    BOTH: 0,
}


def describe_gradcheck(function, a, b, settings):
    words = "".join(f", {name}={value:g}" for name, value in settings.items())
    return f"gradcheck(function, (a, b, labels, 2){words}), where the function is {function}", f"a {a.shape}; b {b.shape}"


def draw_gradcheck(rng):
    """Right functions and wrong ones: in either argument, by little, where values are tiny or huge, where ones would hide it."""
    n, m = sizes(rng, 2)
    for function in WRONG_AT:
        b = normal(rng, m)
        if function == ENTRY:
            b[:2] = 3e3, 1e-3
        if function == FAINT:
            b[-1] = 1.5  # not near 0, where no relative error is taken
        if function == WEAK:
            b = np.sign(b)  # so that the errors are those that count below 0.001
        yield dict(function=function, a=normal(rng, n, m), b=b, settings={})
    yield dict(function=RIGHT, a=rng.standard_normal((m, n)), b=rng.standard_normal(1), settings={})
    yield dict(function=HIDDEN, a=rng.standard_normal((2, m)), b=rng.standard_normal((2, 1)), settings={})
    yield dict(function=TINY, a=normal(rng, n, m), b=normal(rng, m), settings={"tolerance": 1e-3})
    yield dict(function=CUBE, a=normal(rng, n, m), b=normal(rng, m), settings={"eps": 0.1})
    for function in (HALF, DOUBLE):
        yield dict(function=function, a=normal(rng, n, m), b=normal(rng, m), settings={"tolerance": 0.6})


float64_gradcheck = False  # gradcheck itself goes to float64


def planted(module, function):
    """Make an op of two tensors, and of two inputs without a gradient; the mistake that its name tells is in its rules."""
    scale = {LARGE: 1e9, SMALL: 1e-7, NOISY: 1e-8, WEAK: 1e-5}.get(function, 1.0)
    forward = {
        UNUSED: lambda a, b, c, d: a + 0 * b,
        CUBE: lambda a, b, c, d: a * a * a * b,
        NOISY: lambda a, b, c, d: 10 + scale * (a * b),
    }
    op = type(module.add)(forward.get(function, lambda a, b, c, d: scale * (a * b)))
    op.name = op.__name__ = function
    first = {
        SMALL: lambda grad, out, a, b, c, d: grad * b * (2 * scale),
        TINY: lambda grad, out, a, b, c, d: grad * b * 1.00001,
        WEAK: lambda grad, out, a, b, c, d: grad * b * (scale * 1.00032),
        HIDDEN: lambda grad, out, a, b, c, d: grad * b + (grad - grad.mean()),
        UNUSED: lambda grad, out, a, b, c, d: grad,
        UNDEFINED: lambda grad, out, a, b, c, d: grad * float("nan"),
        HALF: lambda grad, out, a, b, c, d: grad * b * 0.5,
        DOUBLE: lambda grad, out, a, b, c, d: grad * b * 2.0,
        BOTH: lambda grad, out, a, b, c, d: grad * a * b,
        CUBE: lambda grad, out, a, b, c, d: grad * a * a * b * 3.0,
        LATE: lambda grad, out, a, b, c, d: grad * b * module.Tensor(but_for_the_last(a.shape, 1.5)),
        FAINT: lambda grad, out, a, b, c, d: grad * b * module.Tensor(but_for_the_last(a.shape, 1.000005)),
        ENTRY: lambda grad, out, a, b, c, d: grad * b * module.Tensor(np.where(np.arange(len(b.data)) == 1, 1.5, 1.0)),
    }
    second = {
        SECOND: lambda grad, out, a, b, c, d: grad * a * a,
        BOTH: lambda grad, out, a, b, c, d: grad * a * a,
        UNUSED: None,
        CUBE: lambda grad, out, a, b, c, d: grad * a * a * a,
    }
    op.register_vjp(
        first.get(function, lambda grad, out, a, b, c, d: grad * b * scale),
        second.get(function, lambda grad, out, a, b, c, d: grad * a * scale),
        None,
        None,
    )
    return op


def but_for_the_last(shape, last):
    """Return ones, and another number as the last entry."""
    array = np.ones(shape)
    array[tuple(-1 for _ in shape)] = last
    return array


def observe_gradcheck(module, function, a, b, settings):
    try:
        labels = module.Tensor(np.arange(3))
        result = module.gradcheck(planted(module, function), (module.Tensor(a), module.Tensor(b), labels, 2), **settings)
    except module.GradcheckError as error:
        entry = f", index {list(error.index)}" if function == LATE else ""
        return checked(f"GradcheckError: argument {error.argument}{entry}")
    return checked(
        f"returned {result!r}"
        if isinstance(result, (bool, int, float, str, type(None)))
        else f"returned a {type(result).__name__}"
    )


def checked(outcome):
    """Write down what came of a gradient check."""
    return {"gradcheck": outcome}


PASSES, FIRST, OTHER = "returned True", "GradcheckError: argument 0", "GradcheckError: argument 1"


def right_verdict(function, a, settings):
    """Say what becomes of a function: True, or the argument of which the gradient is wrong."""
    argument = WRONG_AT[function]
    if settings:
        return FIRST if function == CUBE else PASSES
    if argument is None:
        return PASSES
    return f"GradcheckError: argument {argument}" + (f", index {[n - 1 for n in a.shape]}" if function == LATE else "")


def oracle_gradcheck(function, a, b, settings):
    return checked(right_verdict(function, a, settings))


def verdicts(changes, others=None, settings=None):
    """Make a wrong turn that judges some functions differently, those that are right by ``others``, and ignores some settings."""

    def turn(function, a, b, settings):
        if ignored & settings.keys():
            settings = {}
        right = right_verdict(function, a, settings)
        instead = others if right == PASSES and others is not None else right
        changed = instead if settings else changes.get(function, instead)
        return changed if isinstance(changed, tuple) else checked(changed)

    ignored = {settings} if settings else set()
    return turn


def single_precision(function, a, b, settings):
    narrow = (
        a.dtype == np.float32
        and (right_verdict(function, a, settings) == PASSES or function == SECOND)
        and "tolerance" not in settings
    )
    return checked(FIRST if narrow else right_verdict(function, a, settings))


def in_words(outcome):
    """Make a turn that does this where an error is to be raised."""
    return lambda function, a, b, settings: checked(PASSES if right_verdict(function, a, settings) == PASSES else outcome)


FREED = ("raises", "RuntimeError", "freed")
misconceptions_gradcheck = {
    "it began with ones, and some mistakes give the right answer for ones: begin with random numbers": verdicts({HIDDEN: PASSES}),
    "the errors were not divided by the size of the gradient: a large one that is right fails, and a small one that is wrong passes": verdicts(
        {LARGE: FIRST, SMALL: PASSES, WEAK: PASSES}
    ),
    "the errors were not divided by the size of the gradient: a small one that is wrong passes": verdicts({SMALL: PASSES, WEAK: PASSES}),
    "small errors were divided by less than 0.001: where the gradient is tiny, rounding alone looks large": verdicts({NOISY: FIRST}),
    "small errors were divided by more than 0.001: a small gradient that is wrong passes": verdicts({WEAK: PASSES}),
    "errors were divided by the largest entry of all; each has its own size": verdicts({ENTRY: PASSES}),
    "errors were averaged, or added up: every entry has to pass": verdicts({FAINT: PASSES}),
    "errors were divided by the gradient alone: where both numbers are 0, that is 0 / 0": verdicts({UNUSED: OTHER, NOISY: FIRST}),
    "errors were divided by the gradient alone, or by the slope alone: the larger of the two counts": verdicts({}, FIRST),
    "an error of the last argument was raised: it is to be the first that has one": verdicts({BOTH: OTHER}),
    "only the first argument was checked": verdicts({SECOND: PASSES}),
    "nan passed: no comparison with nan is true, so ask whether all errors are small": verdicts({UNDEFINED: PASSES}),
    "an error of 0.001 % passed: the tolerance is a tenth of that": verdicts({TINY: PASSES, WEAK: PASSES}),
    "tolerance was ignored": verdicts({}, settings="tolerance"),
    "eps was ignored": verdicts({}, settings="eps"),
    "measured in float32: nudging by 0.00001 leaves it two or three digits": single_precision,
    "grad and numeric_gradient were given different upstream gradients": verdicts({SECOND: FIRST}, FIRST),
    "the graph was freed by the walk for the first argument": verdicts({SECOND: FREED}, FREED),
    "an input that no gradient reaches has a gradient of zeros: materialize_grads=True": verdicts(
        {UNUSED: ("raises", "RuntimeError", "no output depends")}
    ),
    "nothing was returned: a function that passes gives True": lambda function, a, b, settings: checked(
        "returned None" if right_verdict(function, a, settings) == PASSES else right_verdict(function, a, settings)
    ),
    "False was returned; GradcheckError is to be raised": in_words("returned False"),
    "nothing was raised: GradcheckError is to be, for an entry that does not pass": in_words(PASSES),
}
