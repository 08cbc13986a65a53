"""The check of 05.3 reduce_sum_rule."""

from functools import partial

import numpy as np

from .shared import BARE, NONE, found, in_float64, normal, observed, sizes, without_graph


def draw_reduce_sum_rule(rng):
    """Every kind of axis, kept or not; a square, where a sum along the wrong axis lines up; axes of size 1, and none; values that are not finite."""
    n, m, k = sizes(rng, 3)
    for shape, axis, keepdims in [
        ((2, 3), 1, False),
        ((n, n), 1, False),
        ((n, n), 0, False),
        ((m, k), 0, True),
        ((n, m), None, False),
        ((n, m, k), (0, -1), False),
        ((n, m, k), (-2, 2), False),
        ((m, n, 2, k), (2, 0), False),
        ((n, m, n), int(rng.choice([1, -2])), True),
        ((k,), 0, False),
        ((m, n), None, True),
        ((k, n, m), (1, 2), True),
        ((m, k, n), int(rng.choice([0, 1])), False),
        ((n, k, m), int(rng.choice([-1, -2, -3])), False),
        ((n, 1, m), int(rng.choice([0, 1, 2])), False),
        ((n, m, k), (int(rng.choice([1, -1])),), False),
        ((), None, False),
    ]:
        a = normal(rng, *shape)
        if shape == (m, n):  # the gradient does not depend on the values
            a[0, :2] = np.inf, np.nan
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


def put_back_by_comparing(grad, a, axis, keepdims, several=False):
    """Insert an axis, or several, where its number is met on the way from the front: one below 0 never is."""
    if isinstance(axis, int) and not keepdims or several and isinstance(axis, tuple):
        grad = grad.reshape([1 if i in np.atleast_1d(axis) else n for i, n in enumerate(a.shape)])
    return found(np.array(np.broadcast_to(grad, a.shape)))


def put_back_as_given(grad, a, axis, keepdims):
    """Insert the axes in the order of their numbers, those below 0 first."""
    if not keepdims:
        for i in range(a.ndim) if axis is None else sorted(np.atleast_1d(axis).tolist()):
            grad = np.expand_dims(grad, i)
    return found(np.array(np.broadcast_to(grad, a.shape)))


misconceptions_reduce_sum_rule = {
    "several axes were put back one by one, and an axis below 0 is at another place then: kept_shape knows them": in_float64(
        put_back_as_given
    ),
    "the axis was put back although it had been kept (keepdims), or there are several (or None, all)": in_float64(
        put_back_anyway
    ),
    "one axis was put back, but there may be several, or None for all: kept_shape knows them": in_float64(put_back_if_gone),
    "an axis may be below 0, and there may be several: kept_shape knows them": (
        in_float64(put_back_by_comparing),
        in_float64(partial(put_back_by_comparing, several=True)),
    ),
    "keepdims was not asked: the axis is put back where it has been kept": in_float64(put_back_always),
    "the summed axes are missing: grad lines up with the last axes as it is": (
        in_float64(lambda grad, a, axis, keepdims: found(np.array(np.broadcast_to(grad, a.shape)))),
        in_float64(lambda grad, a, axis, keepdims: found(grad * np.ones(a.shape))),
    ),
    "not stretched: the gradient still has one entry for each sum": lambda grad, a, axis, keepdims: found(
        lined_up(grad, a, axis)
    ),
    "grad is handed on as it came": lambda grad, a, axis, keepdims: found(grad),
    "a * 0 was added, for its shape: it is nan where a is infinite or nan, and the gradient does not depend on the values of a": (
        in_float64(lambda a, **inputs: found(oracle_reduce_sum_rule(a=a, **inputs)["gradient"] + a * 0))
    ),
    "divided by how many were summed: that is the rule of a mean": in_float64(shared_out),
    "what arrives from the right is missing: every entry is 1": lambda grad, a, axis, keepdims: found(np.ones(a.shape), NONE),
    "multiplied by a: the derivative of a sum with respect to each entry is 1": in_float64(
        lambda grad, a, axis, keepdims: found(lined_up(grad, a, axis) * a)
    ),
    BARE: without_graph(oracle_reduce_sum_rule),
}
