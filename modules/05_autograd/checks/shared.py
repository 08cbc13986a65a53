"""What the checks of module 05 share: draws, and how the rules 05.1 to 05.7 are observed.

NumPy only: nothing in this folder runs the code that it judges, except `observe`. What is seen of a rule is its gradient, and whether
a gradient of it could be taken.
"""

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


INSTEAD_OF_CHANGING_AN_INPUT = "make a new tensor, with ops: the one that arrived may belong to another tensor, too"
NONE = "forgotten: computed with bare arrays, or detached"
PARTLY = "remembered for grad, forgotten for the other arguments: they were detached"


def observed(module, rule, grad, *values, follows=False, **settings):
    """Run a rule on tensors; only the gradient that arrives requires a gradient.

    If the result depends on the other arguments, too, it follows that it has a gradient where only they require one.
    """
    tensors = [module.Tensor(value) if isinstance(value, np.ndarray) else value for value in values]
    arriving = module.Tensor(grad, requires_grad=True)
    result = rule(arriving, *tensors, **settings)
    if not isinstance(result, module.Tensor):
        known = result is None or isinstance(result, (np.ndarray, float, int))
        return found(result if known else f"a {type(result).__name__}", NONE)
    graph = "remembered" if comes_from(result, arriving) else NONE
    if follows and graph == "remembered":
        others = [module.Tensor(value, requires_grad=value.dtype.kind == "f") for value in values]
        again = rule(module.Tensor(grad), *others, **settings)
        graph = "remembered" if any(comes_from(again, one) for one in others) else PARTLY
    return found(np.array(result.data), graph)


def comes_from(result, source):
    """Say whether a tensor is another one, or remembers that it was computed from it."""
    return id(source) in ancestry(result)


def ancestry(tensor):
    """Return the tensor and all that it remembers to be computed from, as a dict by id."""
    met, waiting = {}, [tensor]
    while waiting:
        one = waiting.pop()
        origin = getattr(one, "origin", None)
        waiting += (origin.inputs or ()) if origin and id(one) not in met else ()
        met[id(one)] = one
    return met


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
