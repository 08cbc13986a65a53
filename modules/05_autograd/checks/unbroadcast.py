"""The check of 05.4 unbroadcast."""

import numpy as np

from .shared import BARE, NONE, comes_from, found, in_float64, normal, sizes, without_graph


def draw_unbroadcast(rng):
    """Axes added in front, stretched, also to size 0, both, neither; a square, where the wrong axis has the right size."""
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
        ((), ()),
        ((0, n), (1, n)),
        ((m, 0), (m, 1)),
    ]:
        yield dict(grad=normal(rng, *large), shape=small)


def observe_unbroadcast(module, grad, shape):
    given = module.Tensor(grad, requires_grad=True)
    result = module.unbroadcast(given, shape)
    if not isinstance(result, module.Tensor):
        return found(None if result is None else f"a {type(result).__name__}", NONE)
    return found(np.array(result.data), "remembered" if comes_from(result, given) else NONE)


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


def only_grown(grad, shape):
    """Sum what is larger in grad than in the shape; a size of 0 is not."""
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    return found(grad.sum(axis=tuple(i for i, n in enumerate(shape) if grad.shape[i] > n), keepdims=True))


def only_grown_and_reshaped(grad, shape):
    return found(only_grown(grad, shape)["gradient"].reshape(shape))


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
    "a size of 1 may also be stretched to 0: sum every axis whose size is another one than in the shape": (
        in_float64(only_grown),
        in_float64(only_grown_and_reshaped),
    ),
    "the gradient of one place was taken; those of all places add up": in_float64(reshaped),
    "only the axes in front were summed; those of size 1 that were stretched were not": in_float64(only_added),
    "only the stretched axes were summed; those that were added in front were not": in_float64(only_stretched),
    "the axes of size 1 are gone: they have to stay (keepdim)": in_float64(all_vanish),
    "the axes of size 1 are gone, stretched or not: they have to stay (keepdim)": in_float64(
        lambda grad, shape: found(oracle_unbroadcast(grad=grad, shape=shape)["gradient"].reshape([n for n in shape if n != 1]))
    ),
    "the axes that were stretched were averaged; what comes back from several places adds up": in_float64(
        lambda grad, shape: found(
            oracle_unbroadcast(grad=grad, shape=shape)["gradient"]
            / np.prod([grad.shape[i] for i in range(-len(shape), 0) if shape[i] == 1])
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
