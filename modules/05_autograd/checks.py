"""Checks of module 05. NumPy only: nothing here runs the code that it judges, except `observe`.

Graphs cannot be sent to the process that runs learner code, so they are sent as lists: each tensor's name, its kind, the
names of what it is computed from and their weights. `build` makes tensors of them there, of ops of its own, so that one
exercise does not depend on the rules that another asks for; `values_of` and `passed_back` compute with them in float64.
"""
import numpy as np


def normal(rng, *shape):
    """Draw float32 numbers of both signs."""
    return rng.standard_normal(shape, np.float32)


def with_zeros(rng, *shape):
    """Draw float32 numbers of both signs, and 0 in two places or more."""
    array = normal(rng, *shape)
    array.reshape(-1)[rng.permutation(array.size)[:max(2, array.size // 4)]] = 0
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
        return found(result if isinstance(result, (np.ndarray, float, int)) else type(result).__name__, NONE)
    return found(np.array(result.data), "remembered" if result.requires_grad else NONE)


def found(gradient, graph="remembered"):
    """Give a gradient the form of an observation."""
    return {"gradient": gradient, "where the gradient came from": graph}


def without_graph(oracle):
    """Turn an oracle into one whose gradient does not remember where it came from."""
    return lambda **inputs: found(oracle(**inputs)["gradient"], NONE)


BARE = "computed with bare arrays, or detached: the gradient does not remember where it came from, so it cannot be differentiated again"


def in_float64(function):
    """Let an oracle compute in float64."""
    def wide(**inputs):
        with np.errstate(all="ignore"):
            return compute(**inputs)

    def compute(**inputs):
        return function(**{name: value.astype(np.float64) if isinstance(value, np.ndarray) and value.dtype == np.float32 else value
                           for name, value in inputs.items()})
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
    "what arrives from the right is missing: this is the slope of the product alone":
        in_float64(lambda grad, a, b: found(b, NONE)),
    "multiplied by the factor whose gradient is wanted: it is the other one that counts":
        in_float64(lambda grad, a, b: found(grad * a)),
    "multiplied by the product: it is the other factor that counts": in_float64(lambda grad, a, b: found(grad * (a * b))),
    "the product was divided by a again, which is 0 / 0 where a is 0: the slope is b": in_float64(lambda grad, a, b: found(grad * (a * b) / a)),
    "the product was divided by a again, without what arrives: the slope is b, and grad belongs to it":
        in_float64(lambda grad, a, b: found(a * b / a, NONE)),
    "added, not multiplied": in_float64(lambda grad, a, b: found(grad + b)),
    "divided by the other factor; it is a product": in_float64(lambda grad, a, b: found(grad / b)),
    "multiplied by both factors: it is the other one alone that counts": in_float64(lambda grad, a, b: found(grad * a + grad * b)),
    "the sign is turned": in_float64(lambda grad, a, b: found(-grad * b)),
    "grad is handed on as it came: that is the rule of a sum": in_float64(lambda grad, a, b: found(grad)),
    BARE: without_graph(oracle_mul_rule),
    "computed with bare arrays: a number has no .data, and the gradient does not remember where it came from": lambda grad, a, b:
        ("raises", "AttributeError") if isinstance(b, float) else without_graph(oracle_mul_rule)(grad=grad, a=a, b=b),
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
    yield dict(grad=normal(rng, one, n, m), a=normal(rng, one, n, k), b=normal(rng, k, m))


def observe_matmul_rule(module, grad, a, b):
    return observed(module, module.matmul_rule, grad, a @ b, a, b)


@in_float64
def oracle_matmul_rule(grad, a, b):
    return found(np.einsum("...ij,...kj->...ik", grad, b))


misconceptions_matmul_rule = {
    "b is not transposed": in_float64(lambda grad, a, b: found(grad @ b)),
    "this is the gradient of b: a, transposed, times grad": in_float64(lambda grad, a, b: found(a.mT @ grad)),
    "the factors are in the wrong order: grad is first": in_float64(lambda grad, a, b: found(b.mT @ grad)),
    "the factors are in the wrong order, and b is not transposed: grad is first": in_float64(lambda grad, a, b: found(b @ grad)),
    "grad was transposed; it is b that is": in_float64(lambda grad, a, b: found(grad.mT @ b)),
    "both were transposed; it is b alone that is": in_float64(lambda grad, a, b: found(grad.mT @ b.mT)),
    "all axes of b were turned round (or the batch was taken for rows): only the last two change places": in_float64(
        lambda grad, a, b: found(grad @ b.T)),
    "summed over the batch: the result has the batch dimensions of out, unbroadcast comes later": in_float64(
        lambda grad, a, b: found((grad @ b.mT).sum(axis=tuple(range(grad.ndim - 2))))),
    "brought to the shape of a: the result has the batch dimensions of out, unbroadcast comes later": in_float64(
        lambda grad, a, b: oracle_unbroadcast(grad=grad @ b.mT, shape=a.shape)),
    "multiplied entry by entry; it is a matrix product": in_float64(lambda grad, a, b: found(grad * b)),
    "the operands changed places: this is the transpose of the gradient": in_float64(lambda grad, a, b: found(b @ grad.mT)),
    "what arrives from the right is missing: ones were sent back instead":
        in_float64(lambda grad, a, b: found(np.ones_like(grad) @ b.mT, NONE)),
    "a stands where b belongs": in_float64(lambda grad, a, b: found(grad @ a.mT)),
    BARE: without_graph(oracle_matmul_rule),
}


# 05.3 reduce_sum_rule


def draw_reduce_sum_rule(rng):
    """Every kind of axis, kept or not; a square, where a sum along the wrong axis lines up."""
    n, m, k = sizes(rng, 3)
    for shape, axis, keepdims in [((2, 3), 1, False), ((n, n), 1, False), ((n, n), 0, False), ((m, k), 0, True), ((n, m), None, False),
                                  ((n, m, k), (0, -1), False), ((n, m, n), int(rng.choice([1, -2])), True), ((k,), 0, False),
                                  ((m, n), None, True), ((k, n, m), (1, 2), True), ((m, k, n), int(rng.choice([0, 1])), False)]:
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


def put_back_if_gone(grad, a, axis, keepdims):
    """Insert the axis that was summed, one, if it was not kept."""
    if not isinstance(axis, int) and not keepdims:
        return "raises", "TypeError"
    return found(np.array(np.broadcast_to(grad if keepdims else np.expand_dims(grad, axis), a.shape)))


misconceptions_reduce_sum_rule = {
    "the axis was put back although it had been kept (keepdims), or there are several (or None, all)": in_float64(put_back_anyway),
    "one axis was put back, but there may be several, or None for all: kept_shape knows them": in_float64(put_back_if_gone),
    "keepdims was not asked: the axis is put back where it has been kept": in_float64(
        lambda grad, a, axis, keepdims: found(np.array(np.broadcast_to(grad.reshape([1 if i in axes_of(a, axis) else n for i, n in enumerate(a.shape)])
                                                                       if not keepdims else np.expand_dims(grad, axes_of(a, axis)), a.shape)))),
    "the summed axes are missing: grad lines up with the last axes as it is":
        in_float64(lambda grad, a, axis, keepdims: found(np.array(np.broadcast_to(grad, a.shape)))),
    "not stretched: the gradient still has one entry for each sum": lambda grad, a, axis, keepdims: found(lined_up(grad, a, axis)),
    "grad is handed on as it came": lambda grad, a, axis, keepdims: found(grad),
    "divided by how many were summed: that is the rule of a mean": in_float64(shared_out),
    "what arrives from the right is missing: every entry is 1": lambda grad, a, axis, keepdims: found(np.ones(a.shape), NONE),
    "multiplied by a: the derivative of a sum with respect to each entry is 1": in_float64(
        lambda grad, a, axis, keepdims: found(lined_up(grad, a, axis) * a)),
    BARE: without_graph(oracle_reduce_sum_rule),
}


# 05.4 unbroadcast


def draw_unbroadcast(rng):
    """Axes added in front, stretched, both, neither; a square, where the wrong axis has the right size."""
    n, m, k, j = sizes(rng, 4)
    for large, small in [((2, 3), (3,)), ((2, 3), (2, 1)), ((n, n), (n,)), ((n, n), (n, 1)), ((n, m, k), (m, 1)), ((m, k), ()),
                         ((n, m), (n, m)), ((n, 1), (n, 1)), ((k, m, n), (1, 1, n)), ((n, 1, m), (1, 1)), ((m, n, k), (m, 1, k)),
                         ((j, n, m, k), (1, m, 1)), ((n, n, n), (1, n)), ((k,), (1,)), ((m, n), (1, 1))]:
        yield dict(grad=normal(rng, *large), shape=small)


def observe_unbroadcast(module, grad, shape):
    result = module.unbroadcast(module.Tensor(grad, requires_grad=True), shape)
    if not isinstance(result, module.Tensor):
        return found(type(result).__name__, NONE)
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
    return found(grad.ravel()[:int(np.prod(shape, dtype=int))].reshape(shape))


misconceptions_unbroadcast = {
    "the shapes were matched from the left: sum the axes in front first": in_float64(from_the_left),
    "the gradient of one place was taken; those of all places add up": in_float64(reshaped),
    "only the axes in front were summed; those of size 1 that were stretched were not": in_float64(only_added),
    "only the stretched axes were summed; those that were added in front were not": in_float64(only_stretched),
    "the axes of size 1 are gone: they have to stay (keepdim)": in_float64(all_vanish),
    "the axes of size 1 are gone, stretched or not: they have to stay (keepdim)": in_float64(
        lambda grad, shape: found(oracle_unbroadcast(grad=grad, shape=shape)["gradient"].reshape([n for n in shape if n != 1]))),
    "the axes that were stretched were averaged; what comes back from several places adds up": in_float64(
        lambda grad, shape: found(grad.sum(axis=tuple(range(grad.ndim - len(shape)))).mean(
            axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True))),
    "the axes in front were averaged; what comes back from several places adds up": in_float64(
        lambda grad, shape: found(oracle_unbroadcast(grad=grad, shape=shape)["gradient"] / np.prod(grad.shape[:grad.ndim - len(shape)]))),
    "summed over the last axes: shapes are matched from the right, so the added axes are the first ones": in_float64(last_axes_summed),
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
    "the gradient passes where the input is 0: greater than, not greater or equal":
        in_float64(lambda grad, a: found(grad * (a >= 0))),
    "out is never below 0, so out >= 0 holds everywhere": in_float64(lambda grad, a: found(grad)),
    "what arrives from the right is missing: this is the mask alone": in_float64(lambda grad, a: found(a > 0, NONE)),
    "the sign of grad decided; it is the sign of the input": in_float64(lambda grad, a: found(grad * (grad > 0))),
    "multiplied by the result of ReLU: the slope there is 1": in_float64(lambda grad, a: found(grad * np.maximum(a, 0))),
    "multiplied by the input: the slope is 1 or 0": in_float64(lambda grad, a: found(grad * a)),
    "the gradient passes where the input is below 0": in_float64(lambda grad, a: found(grad * (a < 0))),
    "this is ReLU itself, without what arrives: the slope is 1 where the input is above 0": in_float64(lambda grad, a: found(np.maximum(a, 0), NONE)),
    "grad times the sign of the input: where the input is below 0, nothing goes back": in_float64(lambda grad, a: found(grad * np.sign(a))),
    "a whole tensor was asked whether it is above 0: a mask (a > 0) answers for each entry": lambda grad, a: ("raises", "ValueError"),
    BARE: without_graph(oracle_relu_rule),
}


# 05.6 softmax_rule


def draw_softmax_rule(rng):
    """Every axis, a square, where a sum without keepdim lines up with the wrong axis, and one dimension."""
    n, m, k = sizes(rng, 3)
    for shape, dim in [((2, 3), -1), ((n, n), 1), ((n, n), 0), ((m, k), 0), ((n, m, k), int(rng.choice([1, -2]))), ((m,), 0), ((k, n, m), int(rng.choice([0, 2])))]:
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
    "the sum runs over everything; each row (or column, as dim says) has its own": softmax_turn(lambda g, s, dim: s * (g - (g * s).sum())),
    "every share was taken to depend on its own score alone: that is the rule of the sigmoid":
        softmax_turn(lambda g, s, dim: g * s * (1 - s)),
    "the factor out is missing in front": softmax_turn(lambda g, s, dim: g - (g * s).sum(dim, keepdims=True)),
    "the weighted gradients were averaged; they are summed": softmax_turn(lambda g, s, dim: s * (g - (g * s).mean(dim, keepdims=True))),
    "the gradients were weighted by the scores a; it is the shares out":
        in_float64(lambda grad, a, dim: found(shares(a, dim) * (grad - (grad * a).sum(dim, keepdims=True)))),
    "the shares were multiplied by the sum alone, and that taken off grad":
        softmax_turn(lambda g, s, dim: g - s * (g * s).sum(dim, keepdims=True)),
    "this is the rule of log_softmax: grad, less the shares times the sum of grad": softmax_turn(lambda g, s, dim: g - s * g.sum(dim, keepdims=True)),
    "the sign is turned": softmax_turn(lambda g, s, dim: -s * (g - (g * s).sum(dim, keepdims=True))),
    "the sum is missing": softmax_turn(lambda g, s, dim: s * g),
    "the sum is over out alone: it has to be weighted by grad": softmax_turn(lambda g, s, dim: s * (g - s.sum(dim, keepdims=True))),
    "the sum is over grad alone: it has to be weighted by out": softmax_turn(lambda g, s, dim: s * (g - g.sum(dim, keepdims=True))),
    "the sum lost its axis and lines up with another one: keepdim is missing": softmax_turn(lambda g, s, dim: s * (g - (g * s).sum(dim))),
    "the sum is added, not subtracted": softmax_turn(lambda g, s, dim: s * (g + (g * s).sum(dim, keepdims=True))),
    "a stands where out belongs": in_float64(lambda grad, a, dim: found(a * (grad - (grad * a).sum(dim, keepdims=True)))),
    "what arrives from the right was taken to be ones: then nothing goes back at all":
        in_float64(lambda grad, a, dim: found(np.zeros(a.shape), NONE)),
    BARE: without_graph(oracle_softmax_rule),
}


# 05.7 cross_entropy_rule


def draw_cross_entropy_rule(rng):
    """Every reduction, as many classes as examples, and gradients other than 1."""
    a, b, c = sizes(rng, 3)
    for (n, c), reduction in [((2, 3), "mean"), ((a, b), "sum"), ((b, c), "none"), ((a, a), "none"), ((c, a), "mean"), ((1, b), "none")]:
        grad = normal(rng, n) if reduction == "none" else np.float32(rng.uniform(1.5, 3) * rng.choice([-1, 1])).reshape(())
        yield dict(grad=grad, logits=2 * normal(rng, n, c), labels=rng.integers(c, size=n), reduction=reduction)


def observe_cross_entropy_rule(module, grad, logits, labels, reduction):
    losses = -np.log(shares(logits, 1))[np.arange(len(labels)), labels]
    out = losses if reduction == "none" else np.asarray({"mean": np.mean, "sum": np.sum}[reduction](losses))
    return observed(module, module.cross_entropy_rule, grad, out, logits, labels, reduction=reduction)


def cross_entropy_turn(truth=1.0, count=lambda logits, reduction: len(logits) if reduction == "mean" else 1, of=None,
                       after=lambda gradient, reduction: gradient, graph="remembered"):
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
    "grad is missing, what arrives at the loss, and the mean was not divided": cross_entropy_turn(of=lambda each, logits: 1.0, graph=NONE),
    "the mean was not divided by the number of examples": cross_entropy_turn(count=lambda logits, reduction: 1),
    "divided by the number of examples whatever the reduction": cross_entropy_turn(count=lambda logits, reduction: len(logits)),
    "the mean was divided by the number of scores; it is shared among examples":
        cross_entropy_turn(count=lambda logits, reduction: logits.size if reduction == "mean" else 1),
    "the gradients of the examples lined up with the classes: give them the shape (N, 1)":
        cross_entropy_turn(of=lambda each, logits: each),
    "what arrives multiplied as it is: the gradient of a mean is shared among the N examples, and with \"none\" gradient n belongs to row n":
        cross_entropy_turn(count=lambda logits, reduction: 1, of=lambda each, logits: each),
    "the gradients of the examples were averaged: each example has its own": cross_entropy_turn(of=lambda each, logits: each.mean()),
    "divided by the number of classes; a mean is shared among the N examples":
        cross_entropy_turn(count=lambda logits, reduction: logits.shape[1] if reduction == "mean" else 1),
    "the sum was divided and the mean was not": cross_entropy_turn(count=lambda logits, reduction: len(logits) if reduction == "sum" else 1),
    "divided by the number of examples whatever the reduction, and with \"none\" gradient n belongs to row n":
        cross_entropy_turn(count=lambda logits, reduction: len(logits), of=lambda each, logits: each),
    "grad is missing, what arrives at the loss": cross_entropy_turn(
        of=lambda each, logits: 1.0, after=lambda gradient, reduction: gradient / (len(gradient) if reduction == "mean" else 1), graph=NONE),
    "the truth was not subtracted: these are the probabilities": cross_entropy_turn(truth=0.0),
    "the sign is turned": in_float64(lambda grad, **inputs: found(-oracle_cross_entropy_rule(grad=grad, **inputs)["gradient"])),
    "the gradients of the examples were added up: each example has its own":
        cross_entropy_turn(of=lambda each, logits: each.sum()),
    BARE: without_graph(oracle_cross_entropy_rule),
}


# Graphs, for 05.8, 05.9 and 05.11


def build(module, graph):
    """Make tensors of a graph that was sent as a list.

    Args:
        module: The learner's module.
        graph: List of [name, kind, inputs, more]. A "leaf" or "constant" has an array as more; a "mix" is the sum of its
            inputs times the numbers in more; "add", "square" and "total" are what they say.

    Returns:
        Dict from name to tensor, in the order of the list.
    """
    kinds, tensors = make_ops(module), {}
    for name, kind, inputs, more in graph:
        if kind in ("leaf", "constant"):
            tensors[name] = module.Tensor(np.array(more), requires_grad=kind == "leaf")
        else:
            settings = {"weights": tuple(more)} if kind == "mix" else {}
            tensors[name] = kinds[kind](*[tensors[one] for one in inputs], **settings)
    return tensors


def make_ops(module):
    """Make ops whose rules use nothing that the learner writes in this module, but the product of module 01."""
    Op, times = type(module.add), module.mul

    def mix(*arrays, weights):
        return sum(np.float32(weight) * array for weight, array in zip(weights, arrays))

    ops = {"mix": Op(mix), "square": Op(lambda a: a * a), "total": Op(lambda a: np.asarray(a.sum())), "add": Op(lambda a, b: a + b)}
    ops["mix"].register_vjp(each=lambda grad, out, *inputs, weights, argument: times(grad, weights[argument]))
    ops["square"].register_vjp(lambda grad, out, a: times(times(grad, a), 2.0))
    ops["total"].register_vjp(lambda grad, out, a: times(grad, module.Tensor(np.ones(a.shape, np.float32))))
    ops["add"].register_vjp(lambda grad, out, a, b: grad, lambda grad, out, a, b: grad)
    return ops


def values_of(graph):
    """Compute every tensor of a graph, in float64."""
    values = {}
    for name, kind, inputs, more in graph:
        arrays = [values[one] for one in inputs]
        values[name] = {"leaf": lambda: np.array(more, np.float64), "constant": lambda: np.array(more, np.float64),
                        "mix": lambda: sum(weight * array for weight, array in zip(more, arrays)),
                        "square": lambda: arrays[0] ** 2, "total": lambda: arrays[0].sum(),
                        "add": lambda: arrays[0] + arrays[1]}[kind]()
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
    slopes = {"mix": lambda i: more[i], "square": lambda i: 2 * values[inputs[0]], "total": lambda i: np.ones(values[inputs[0]].shape),
              "add": lambda i: 1.0}
    return [(one, grad * slopes[kind](i)) for i, one in enumerate(inputs)]


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


def drawn(graph):
    """Write a graph in one line: what each tensor is computed from."""
    return " ".join(f"{name}({' '.join(inputs)})" for name, _, inputs, _ in graph if inputs)


def undrawn(function):
    """Let a function of a graph be called with its line as well."""
    return lambda drawn, **inputs: function(**inputs)


def weights(rng, count):
    return [float(weight) for weight in rng.choice([-3, -2, -1, 1, 2, 3], count) + rng.choice([0.0, 0.5], count)]


def reused(rng):
    """Draw a graph in which `e` is used twice and each tensor but a leaf needs the one before it: one order is right."""
    return [["x", "leaf", [], normal(rng, 2)], ["k", "constant", [], normal(rng, 2)], ["w", "leaf", [], normal(rng, 2)],
            ["e", "mix", ["x", "k", "w"], weights(rng, 3)], ["f", "mix", ["e", "x"], weights(rng, 2)],
            ["y", "mix", ["e", "f"], weights(rng, 2)]]


def ladder(rng):
    """Draw a graph in which every tensor is used by the next one and by the one after that."""
    graph = [["x", "leaf", [], normal(rng, 3)], ["a", "mix", ["x", "x"], weights(rng, 2)]]
    for name, before, above in [("b", "a", "x"), ("c", "b", "a"), ("d", "c", "b"), ("e", "d", "c")]:
        graph.append([name, "mix", [above, before], weights(rng, 2)])
    return graph


# 05.8 topological_order


def draw_topological_order(rng):
    """Reused tensors, constants, several roots, a root that is a leaf, and a chain deeper than functions may call themselves."""
    z, a = ["z", "mix", ["f"], weights(rng, 1)], ["a", "mix", ["x", "k"], weights(rng, 2)]
    for graph, roots, deep in [(reused(rng), ["y"], 0), (ladder(rng), ["e"], 0), ([*reused(rng), z], ["e", "z", "y"], 0),
                               (reused(rng)[:1], ["x"], 0), ([*reused(rng)[:2], a], ["a"], 2000)]:
        yield dict(drawn=drawn(graph), graph=graph, roots=roots, deep=deep)


describe_topological_order = "topological_order of {roots} in {drawn}, {deep} more on top"


def deepened(graph, deep):
    """Add a chain of tensors to the last one of a graph."""
    chain = [graph[-1][0], *(f"chain {i}" for i in range(deep))]
    return [*graph, *([name, "mix", [before], [1.0]] for before, name in zip(chain, chain[1:]))]


def observe_topological_order(module, drawn, graph, roots, deep):
    graph = deepened(graph, deep)
    tensors = build(module, graph)
    names = {id(tensor): name for name, tensor in tensors.items()}
    result = module.topological_order(*(tensors[root] for root in ([graph[-1][0]] if deep else roots)))
    return summary(graph, [names.get(id(tensor), "a stranger") for tensor in result])


def summary(graph, listed):
    """Say what an order lists, each name with how often, and which tensors stand before one that they are computed from."""
    places, kinds = {name: listed.index(name) for name in set(listed)}, {node[0]: node[1] for node in graph}
    early = [name for name, _, inputs, _ in graph for one in inputs
             if name in places and kinds[one] != "constant" and places.get(one, -1) > places[name]]
    counts = {}
    for name in listed:
        word = "chain" if name.startswith("chain") else name
        counts[word] = counts.get(word, 0) + 1
    return {"listed": dict(sorted(counts.items())), "before what they are computed from": early}


@undrawn
def oracle_topological_order(graph, roots, deep):
    graph = deepened(graph, deep)
    return summary(graph, reached(graph, [graph[-1][0]] if deep else roots)[::-1])


def order_turn(visit):
    """Make a wrong turn of a function of the inputs to visit of each name, and the roots; chains are left to the oracle."""
    def wrong(graph, roots, deep):
        if deep:
            return oracle_topological_order(drawn="", graph=graph, roots=roots, deep=deep)
        kinds, wanted = {node[0]: node[1] for node in graph}, wanting(graph)
        below = {name: [one for one in inputs if one in wanted] for name, _, inputs, _ in graph}
        return summary(graph, [name for name in visit(below, roots, kinds) if kinds[name] != "leaf"])
    return undrawn(wrong)


def preorder(below, roots, kinds):
    """A search in depth that lists a tensor when it meets it; turned around at the end."""
    order, stack = [], list(reversed(roots))
    while stack:
        name = stack.pop()
        if name not in order:
            order.append(name)
            stack += reversed(below[name])
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


@undrawn
def with_leaves(graph, roots, deep):
    expected = oracle_topological_order(drawn="", graph=graph, roots=roots, deep=deep)
    leaves = {name: 1 for name in passed_back(deepened(graph, deep), {root: 1.0 for root in roots})
              if dict((node[0], node[1]) for node in graph).get(name) == "leaf"}
    return {**expected, "listed": dict(sorted({**expected["listed"], **leaves}.items()))}


def fails(several, chain):
    """Make a turn that raises: with several tensors, and for a long chain."""
    def turn(graph, roots, deep, **drawn):
        kind = chain if deep else several if len(reached(graph, roots)) > 1 else None
        return ("raises", kind) if kind else oracle_topological_order(drawn="", graph=graph, roots=roots, deep=deep)
    return turn


@undrawn
def turned_around(graph, roots, deep):
    graph = deepened(graph, deep)
    return summary(graph, reached(graph, [graph[-1][0]] if deep else roots))


misconceptions_topological_order = {
    "a tensor is listed when it is met: it has to wait until its inputs are listed": order_turn(preorder),
    "ordered by the distance from the root: a tensor that is also used further down comes too early": order_turn(breadth),
    "listed once for every use: a tensor that was met before is not listed again":
        order_turn(lambda below, roots, kinds: depth_first(below, roots, kinds, once=False)),
    "turned around: a tensor comes after what it is computed from, the root last": turned_around,
    "leaves are listed too": with_leaves,
    "only the first input of each tensor was followed":
        order_turn(lambda below, roots, kinds: depth_first({name: some[:1] for name, some in below.items()}, roots, kinds)),
    "only the first root was followed": order_turn(lambda below, roots, kinds: depth_first(below, roots[:1], kinds)),
    "the function calls itself for every input: Python stops at a thousand levels": fails(None, "RecursionError"),
    "`in` asks a list with ==, which compares entries: ask a set whether it holds a tensor": fails("ValueError", "ValueError"),
    "`in` asks a list with ==, which compares entries: ask a set; and a function that calls itself stops at a thousand levels":
        fails("ValueError", "RecursionError"),
}


# 05.9 walk


def draw_walk(rng):
    """Reused tensors, one input twice, several roots, a root above another, kept and freed graphs, watched tensors."""
    for graph, roots, keep_graph, watched in [(reused(rng), "y", False, []), (ladder(rng), "e", False, []), (reused(rng), "y", True, ["e"]),
                                              (reused(rng), "yf", False, ["y", "f"]), (reused(rng)[:1], "x", False, [])]:
        start = {root: normal(rng, len(graph[0][3])) for root in roots}
        yield dict(drawn=drawn(graph), graph=graph, start=start, keep_graph=keep_graph, watched=watched)


describe_walk = "walk(start, {keep_graph}, {watched}) in {drawn}"


def observe_walk(module, drawn, graph, start, keep_graph, watched):
    tensors = build(module, graph)
    gradients = {tensors[name]: module.Tensor(grad) for name, grad in start.items()}
    module.walk(gradients, keep_graph, {tensors[name] for name in watched})
    names = {id(tensor): name for name, tensor in tensors.items()}
    freed = [name for name, tensor in tensors.items() if tensor.origin is not None and tensor.origin.inputs is None]
    return {"gradients": {names[id(tensor)]: np.array(grad.data) for tensor, grad in sorted(
                gradients.items(), key=lambda item: names[id(item[0])])},
            "freed": freed, "cut off": [name for name, kind, inputs, _ in graph if inputs and tensors[name].origin is None]}


def left_over(graph, start, keep_graph, watched, gradients=None, freed=None):
    """What a walk leaves: the gradients of leaves and of what is watched, and a freed graph."""
    gradients = passed_back(graph, start) if gradients is None else gradients
    leaves = [node[0] for node in graph if node[1] == "leaf"]
    freed = (not keep_graph) if freed is None else freed
    return {"gradients": {name: grad for name, grad in sorted(gradients.items()) if name in (*leaves, *watched)},
            "freed": reached(graph, start)[::-1] if freed else [], "cut off": []}


@undrawn
def oracle_walk(graph, start, keep_graph, watched):
    return left_over(graph, start, keep_graph, watched)


def join_turn(join):
    """Make a wrong turn of what becomes of a second gradient."""
    return undrawn(lambda graph, start, **more: left_over(graph, start, **more, gradients=passed_back(graph, start, join)))


@undrawn
def too_early(graph, start, keep_graph, watched):
    """Walk in the order in which tensors are met: what arrives later stays where it is."""
    below = {node[0]: [one for one in node[2] if one in wanting(graph)] for node in graph}
    order = preorder(below, list(start), None)[::-1]
    nodes, values, gradients, done = {node[0]: node for node in graph}, values_of(graph), dict(start), {}
    for name in order:
        if nodes[name][1] == "leaf":
            continue
        grad = done[name] = gradients.pop(name)
        for one, part in parts(nodes[name], grad, values):
            if one in wanting(graph):
                gradients[one] = gradients[one] + part if one in gradients else part
    kept = {name: done[name] for name in watched if name in done}
    result = left_over(graph, start, keep_graph, watched)
    return {**result, "gradients": dict(sorted({**kept, **gradients}.items()))}


@undrawn
def everything_kept(graph, start, keep_graph, watched):
    return {**left_over(graph, start, keep_graph, watched), "gradients": dict(sorted(passed_back(graph, start).items()))}


misconceptions_walk = {
    "a gradient that arrives replaces the one that is there: what comes from several places adds up":
        join_turn(lambda before, part: part),
    "the first gradient to arrive stays, and later ones are lost: what comes from several places adds up":
        join_turn(lambda before, part: before),
    "a tensor passed its gradient on before all of it had arrived": too_early,
    "the graph is never freed": undrawn(lambda **inputs: left_over(**inputs, freed=False)),
    "the graph is freed although it is to be kept": undrawn(lambda **inputs: left_over(**inputs, freed=True)),
    "the graph is freed when it is to be kept, and kept when it is to be freed":
        undrawn(lambda **inputs: left_over(**inputs, freed=inputs["keep_graph"])),
    "no gradient was taken out of the dict: only those of leaves and of watched tensors stay": everything_kept,
    "watched is ignored: those gradients were taken out of the dict":
        undrawn(lambda watched, **inputs: left_over(watched=[], **inputs)),
}


# 05.10 recording


def draw_recording(rng):
    """On and off, from on and from off, one block within another, with and without an exception."""
    for before, on, inner, fails in [(True, False, None, False), (True, False, None, True), (False, False, None, False),
                                     (False, True, None, True), (True, False, True, False), (False, True, False, True)]:
        yield dict(x=normal(rng, 2), before=before, on=on, inner=inner, fails=fails)


def observe_recording(module, x, before, on, inner, fails):
    saved, seen = module.state.recording, {}
    module.state.recording = before
    try:
        with module.recording(on):
            seen["inside"] = remembered(module, x)
            if inner is not None:
                with module.recording(inner):
                    seen["in a block inside of it"] = remembered(module, x)
                seen["after that"] = remembered(module, x)
            if fails:
                raise KeyError("on purpose")
        seen["ends"] = "normally"
    except KeyError:
        seen["ends"] = "with the exception"
    finally:
        seen["afterwards"], module.state.recording = remembered(module, x), saved
    return seen


def remembered(module, x):
    """Say whether ops are remembered now."""
    return (module.Tensor(x, requires_grad=True) + 1.0).requires_grad


def recording_turn(set_to=lambda on: on, back=lambda before, fails: before, swallows=False):
    """Make the right switch, or a wrong turn.

    Args:
        set_to: What a block sets, for what it was asked to set.
        back: What is put back at the end of a block, for what was there and whether an exception ends it; None for nothing.
        swallows: Whether exceptions end with the block.
    """
    def switch(x, before, on, inner, fails):
        now = set_to(on)
        seen = {"inside": now}
        if inner is not None:
            seen["in a block inside of it"] = now = set_to(inner)
            restored = back(set_to(on), False)
            seen["after that"] = now = now if restored is None else restored
        restored = back(before, fails)
        seen["ends"] = "with the exception" if fails and not swallows else "normally"
        return {**seen, "afterwards": now if restored is None else restored}
    return switch


oracle_recording = recording_turn()
misconceptions_recording = {
    "an exception leaves it switched: put back what was there in any case (try, finally)":
        recording_turn(back=lambda before, fails: None if fails else before),
    "True is put back, whatever was there before": recording_turn(back=lambda before, fails: True),
    "it is never put back": recording_turn(back=lambda before, fails: None),
    "on is ignored: ops are not remembered": recording_turn(set_to=lambda on: False),
    "on is turned around": recording_turn(set_to=lambda on: not on),
    "the exception ends with the block: whoever calls has to see it": recording_turn(swallows=True),
}


# 05.11 backward


def draw_backward(rng):
    """One call and two, with a gradient and without, kept, freed and remembered graphs, and calls that must fail."""
    curve = [["x", "leaf", [], normal(rng, 3)], ["w", "leaf", [], normal(rng, 3)], ["s", "add", ["x", "w"], None],
             ["q", "square", ["s"], None], ["m", "mix", ["q", "x"], weights(rng, 2)], ["y", "total", ["m"], None]]
    plain = dict(gradient=None, retain_graph=None, create_graph=False)
    given = dict(plain, gradient=normal(rng, 3))
    keep, again = dict(plain, retain_graph=True), dict(plain, create_graph=True)
    for script, graph, calls in [
            ("y()", curve, [["y", plain]]), ("m(gradient)", curve, [["m", given]]), ("s(gradient)", curve[:3], [["s", given]]),
            ("y(retain_graph=True), y()", curve, [["y", keep], ["y", plain]]), ("y(), y()", curve, [["y", plain], ["y", plain]]),
            ("y(create_graph=True), m(gradient)", curve, [["y", again], ["m", given]]), ("m()", curve, [["m", plain]]),
            ("y(create_graph, retain_graph=False), y()", curve, [["y", dict(again, retain_graph=False)], ["y", plain]])]:
        yield dict(drawn=drawn(graph), script=script, graph=graph, calls=calls)


describe_backward = "backward: {script} in {drawn}"


def observe_backward(module, drawn, script, graph, calls):
    tensors, seen = build(module, graph), []
    for name, settings in calls:
        gradient = settings["gradient"]
        settings = {**settings, "gradient": None if gradient is None else module.Tensor(gradient)}
        try:
            module.backward(tensors[name], **settings)
            seen.append(after_call(module, tensors))
        except NotImplementedError:
            raise
        except RuntimeError:
            seen.append({"raises": "RuntimeError", "ops are remembered afterwards": module.state.recording})
    return {f"call {number}": one for number, one in enumerate(seen, 1)}


def after_call(module, tensors):
    """Read the gradients, whether they have graphs, whether they share memory, and the switch."""
    grads = {name: tensor.grad for name, tensor in tensors.items() if tensor.grad is not None}
    shared = [f"{one} and {other}" for one in grads for other in grads
              if one < other and np.shares_memory(grads[one].data, grads[other].data)]
    return {"grad": {name: np.array(grad.data) for name, grad in grads.items()},
            "with a graph": [name for name, grad in grads.items() if grad.requires_grad],
            "share memory": shared, "ops are remembered afterwards": module.state.recording}


def backward_turn(adds=True, begin=None, keeps=None, graphs=None, everywhere=False, shares=False, stays=False):
    """Make the right backward, or a wrong turn.

    Args:
        adds: Whether a second gradient is added to the first.
        begin: The gradient to begin with, whatever was given.
        keeps: Whether the graph is kept, a function of the settings.
        graphs: Whether gradients have a graph, a function of the settings.
        everywhere: Whether tensors that are no leaves receive a grad, too.
        shares: Whether gradients that came from a sum share their memory.
        stays: Whether ops are remembered or not afterwards as they were during the walk.
    """
    keeps = keeps or (lambda s: s["create_graph"] if s["retain_graph"] is None else s["retain_graph"])
    graphs = graphs or (lambda s: s["create_graph"])

    def turn(graph, calls, **texts):
        kinds, values = {node[0]: node[1] for node in graph}, values_of(graph)
        grad, seen, freed, with_graph, recording = {}, {}, set(), set(), True
        for number, (root, settings) in enumerate(calls, 1):
            recording = graphs(settings) if stays else True
            names = reached(graph, [root])
            if freed & set(names) or settings["gradient"] is None and values[root].size > 1:
                seen[f"call {number}"] = {"raises": "RuntimeError", "ops are remembered afterwards": recording}
                continue
            start = np.ones(values[root].shape) if settings["gradient"] is None or begin is not None else settings["gradient"]
            arrived = passed_back(graph, {root: start})
            arrived = {name: arrived[name] for name in kinds if name in arrived and (everywhere or kinds[name] == "leaf")}
            # Of the parts, those that came back through the square depend on an input, and so have a graph.
            curved = {"x", "w", "s"} if "q" in names else set()
            grad |= {name: grad[name] + part if adds and name in grad else part for name, part in arrived.items()}
            with_graph = (curved | (with_graph if adds else set())) & set(arrived) if graphs(settings) else with_graph - set(arrived)
            freed |= set() if keeps(settings) else set(names)
            seen[f"call {number}"] = {
                "grad": dict(grad), "with a graph": [name for name in grad if name in with_graph],
                "share memory": ["w and x"] if shares and "m" not in names else [], "ops are remembered afterwards": recording}
        return seen
    return turn


oracle_backward = backward_turn()
misconceptions_backward = {
    "a second backward() replaces the gradients: it adds to them": backward_turn(adds=False),
    "the gradient that was given is ignored: it began with ones": backward_turn(begin=1.0),
    "retain_graph is ignored: the graph is always freed": backward_turn(keeps=lambda s: False),
    "the graph is never freed": backward_turn(keeps=lambda s: True),
    "retain_graph=None frees the graph also with create_graph: then it stays": backward_turn(keeps=lambda s: bool(s["retain_graph"])),
    "with create_graph the graph stays even where retain_graph=False asks for it to be freed":
        backward_turn(keeps=lambda s: bool(s["create_graph"] or s["retain_graph"])),
    "the ops of the walk are always remembered: the gradients carry a graph that nobody asked for": backward_turn(graphs=lambda s: True),
    "create_graph is ignored: the ops of the walk are not remembered": backward_turn(graphs=lambda s: False),
    "tensors that are no leaves received a grad, too": backward_turn(everywhere=True),
    "two leaves hold the same memory: who changes one gradient changes the other": backward_turn(shares=True),
    "ops are remembered, or not, after the walk as they were during it": backward_turn(stays=True),
}


# 05.12 gradcheck

RIGHT, LARGE, SMALL, SECOND = "a * b", "1e9 * a * b", "1e-7 * a * b, wrong for a", "a * b, wrong for b"
TINY, HIDDEN, UNDEFINED = "a * b, wrong by 0.001 %", "a * b, right for ones", "a * b, nan for a"
LATE, UNUSED = "a * b, wrong in one entry", "a + 0 * b, without a rule for b"
WRONG_AT = {RIGHT: None, LARGE: None, UNUSED: None, SECOND: 1, SMALL: 0, TINY: 0, HIDDEN: 0, UNDEFINED: 0, LATE: 0}
describe_gradcheck = "gradcheck({function}, (a, b, labels, 2))"


def draw_gradcheck(rng):
    """Right functions and wrong ones: in either argument, by little, where values are tiny or huge, where ones would hide it."""
    for function in WRONG_AT:
        yield dict(function=function, a=normal(rng, 2, 3), b=normal(rng, 3))
    yield dict(function=RIGHT, a=rng.standard_normal((4, 3)), b=rng.standard_normal(1))
    yield dict(function=HIDDEN, a=rng.standard_normal((2, 5)), b=rng.standard_normal((2, 1)))


def planted(module, function):
    """Make an op of two tensors, and of two inputs without a gradient; the mistake that its name tells is in its rules."""
    scale = {LARGE: 1e9, SMALL: 1e-7}.get(function, 1.0)
    op = type(module.add)((lambda a, b, c, d: a + 0 * b) if function == UNUSED else lambda a, b, c, d: scale * (a * b))
    op.name = op.__name__ = function
    first = {SMALL: lambda grad, out, a, b, c, d: grad * b * (2 * scale), TINY: lambda grad, out, a, b, c, d: grad * b * 1.00001,
             HIDDEN: lambda grad, out, a, b, c, d: grad * b + (grad - grad.mean()), UNUSED: lambda grad, out, a, b, c, d: grad,
             UNDEFINED: lambda grad, out, a, b, c, d: grad * float("nan"),
             LATE: lambda grad, out, a, b, c, d: grad * b * module.Tensor(but_for_the_last(a.shape))}
    second = {SECOND: lambda grad, out, a, b, c, d: grad * a * a, UNUSED: None}
    op.register_vjp(first.get(function, lambda grad, out, a, b, c, d: grad * b * scale),
                    second.get(function, lambda grad, out, a, b, c, d: grad * a * scale), None, None)
    return op


def but_for_the_last(shape):
    """Return ones, and 1.5 as the last entry."""
    array = np.ones(shape)
    array[tuple(-1 for _ in shape)] = 1.5
    return array


def observe_gradcheck(module, function, a, b):
    try:
        labels = module.Tensor(np.arange(3))
        result = module.gradcheck(planted(module, function), (module.Tensor(a), module.Tensor(b), labels, 2))
    except module.GradcheckError as error:
        entry = f", index {list(error.index)}" if function == LATE else ""
        return f"GradcheckError: argument {error.argument}{entry}"
    return result if isinstance(result, (bool, int, float, str, type(None))) else type(result).__name__


def oracle_gradcheck(function, a, b, **changes):
    """Say what becomes of a function: True, or the argument of which the gradient is wrong.

    Args:
        function: Its name.
        a: First input.
        b: Second input.
        changes: What a wrong turn makes of some of the functions.
    """
    argument = WRONG_AT[function]
    if argument is None:
        return True
    return f"GradcheckError: argument {argument}" + (f", index {[n - 1 for n in a.shape]}" if function == LATE else "")


def verdicts(changes, others=None):
    """Make a wrong turn that judges some functions differently, and those that are right by ``others``."""
    def turn(function, a, b):
        right = oracle_gradcheck(function, a, b)
        return changes[function] if function in changes else others if right is True and others is not None else right
    return turn


def single_precision(function, a, b):
    narrow = a.dtype == np.float32 and WRONG_AT[function] is None or function == SECOND
    return "GradcheckError: argument 0" if narrow else oracle_gradcheck(function, a, b)


FREED = ("raises", "RuntimeError", "freed")
misconceptions_gradcheck = {
    "it began with ones, and some mistakes give the right answer for ones: begin with random numbers": verdicts({HIDDEN: True}),
    "the error is absolute: a large gradient that is right fails, and a small one that is wrong passes":
        verdicts({LARGE: "GradcheckError: argument 0", SMALL: True}),
    "errors were divided by the gradient alone: where both numbers are 0, that is 0 / 0":
        verdicts({UNUSED: "GradcheckError: argument 1"}),
    "only the first argument was checked": verdicts({SECOND: True}),
    "nan passed: no comparison with nan is true, so ask whether all errors are small": verdicts({UNDEFINED: True}),
    "an error of 0.001 % passed: the tolerance is a tenth of that": verdicts({TINY: True}),
    "measured in float32: nudging by 0.00001 leaves it two or three digits": single_precision,
    "grad and numeric_gradient were given different upstream gradients": verdicts({SECOND: "GradcheckError: argument 0"},
                                                                                "GradcheckError: argument 0"),
    "the graph was freed by the walk for the first argument": verdicts({SECOND: FREED}, FREED),
    "an input that no gradient reaches has a gradient of zeros: materialize_grads=True":
        verdicts({UNUSED: ("raises", "RuntimeError", "no output depends")}),
    "nothing was returned: a function that passes gives True": lambda function, a, b:
        None if WRONG_AT[function] is None else oracle_gradcheck(function, a, b),
}
