"""The check of 03.6 dropout."""

import numpy as np

from .shared import drawn_by_default, numbers, remembers


def draw_dropout(rng):
    """Several probabilities, the default, both ends, no training, one to three axes, and probabilities that there are not."""
    m, n = rng.size(70, 90), rng.size(91, 110)
    yield dict(x=rng.normal32(m, n), p=rng.pick(0.2, 0.3, 0.7))
    yield dict(x=rng.normal32(n, m))
    yield dict(x=rng.normal32(20, rng.size(5, 8), m), p=0.8, training=True)
    yield dict(x=rng.standard_normal((m, n)), p=rng.pick(0.1, 0.4))
    yield dict(x=rng.normal32(*rng.sizes(rng.size(1, 3), 5, 9)), p=0.4, training=False)
    yield dict(x=rng.normal32(m, 5), p=0.0)
    yield dict(x=rng.normal32(m, 5), p=1.0)
    yield dict(x=rng.normal32(2, 3), p=rng.pick(1.5, 2.0, 1.01))
    yield dict(x=rng.normal32(2, 3), p=rng.pick(-0.1, -1.0))
    yield dict(x=rng.normal32(2, 3), p=rng.pick(-0.5, 1.5), training=False)


def observe_dropout(module, x, **options):
    """What became of the entries, how many are gone, and whether each time and each place is drawn separately."""
    rng, given = np.random.default_rng(2), module.Tensor(x, requires_grad=True)
    with np.errstate(divide="raise", invalid="raise"):
        out = module.dropout(given, rng=rng, **options)
        later = module.dropout(module.Tensor(x), rng=rng, **options)
        again = module.dropout(module.Tensor(x), rng=np.random.default_rng(2), **options)
        default = [module.dropout(module.Tensor(x), **options) for _ in range(2)]
    values = numbers(module, out)
    divisor = np.where(x == 0, 1, x)  # a 0 that was drawn says nothing about its factor
    factors = values / divisor if isinstance(values, np.ndarray) and values.shape == x.shape else np.full((2, 2), np.nan)
    gone = (factors == 0).reshape(len(factors), -1)
    alike = {
        "every row loses the same entries": bool((gone == gone[0]).all()),
        "every column loses the same entries": bool((gone.T == gone.T[0]).all()),
    }
    return {
        "shape and dtype": f"{values.shape} {values.dtype}" if isinstance(values, np.ndarray) else values,
        **alike,
        "share of zeros": None if any(alike.values()) else round(float(gone.mean()), 1),
        "the others are x times": sorted({round(float(factor), 3) for factor in factors[factors != 0]}),
        "a second call gives the same": bool((later.data == values).all()),
        "the same rng gives the same": bool((again.data == values).all()),
        "two calls without rng give the same": bool((default[0].data == default[1].data).all()),
        "without rng the default generator draws": drawn_by_default(
            module, lambda: module.dropout(module.Tensor(x), **options).data
        ),
        "the result remembers x": remembers(out, given),
    }


def assert_for_error(x, p=0.5, training=True):
    return oracle_dropout(x, p, training) if 0 <= p <= 1 else ("raises", "AssertionError")


def oracle_dropout(x, p=0.5, training=True, **others):
    if not 0 <= p <= 1:
        return ("raises", "ValueError", str(p))
    p = p if training else 0.0
    fixed = p in (0.0, 1.0)
    return {
        "shape and dtype": f"{x.shape} {x.dtype}",
        "every row loses the same entries": fixed,
        "every column loses the same entries": fixed,
        "share of zeros": None if fixed else p,
        "the others are x times": [] if p == 1 else [round(1 / (1 - p), 3)],
        "a second call gives the same": fixed,
        "the same rng gives the same": True,
        "two calls without rng give the same": fixed,
        "without rng the default generator draws": True,
        "the result remembers x": True,
    } | others


def dropout_or(x, p, training, **others):
    """The right answer, with some entries changed where chance decides."""
    by_chance = training and 0 < p < 1
    return oracle_dropout(x, p, training, **(others if by_chance else {}))


def keeps_p(x, p=0.5, training=True):
    """p taken as the probability to keep; the entries that are kept are divided by it."""
    if not 0 <= p <= 1 or not training:
        return oracle_dropout(x, p, training)
    return oracle_dropout(x, round(1 - p, 3))


def dropout_unchecked(x, p=0.5, training=True):
    """Every draw is below a p above 1, and none is below a negative p."""
    if 0 <= p <= 1:
        return oracle_dropout(x, p, training)
    return oracle_dropout(x, 1.0) if p > 1 else oracle_dropout(x, 0.0, **{"the others are x times": [round(1 / (1 - p), 3)]})


misconceptions_dropout = {
    "what is kept is not divided by 1 - p": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"the others are x times": [1.0]}
    ),
    "what is kept is divided by p, not by 1 - p": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"the others are x times": [round(1 / (p or 1), 3)]}
    ),
    "what is kept is multiplied by 1 - p, not divided": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"the others are x times": [round(1 - p, 3)]}
    ),
    "p is taken for the probability to stay: it is the probability to become 0": keeps_p,
    "the wrong entries become 0: the comparison with p is turned around": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"share of zeros": round(1 - p, 3)}
    ),
    "training=False is ignored": lambda x, p=0.5, training=True: oracle_dropout(x, p),
    "one draw decides for a whole column": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"every row loses the same entries": True, "share of zeros": None}
    ),
    "one draw decides for a whole row": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"every column loses the same entries": True, "share of zeros": None}
    ),
    "the rng given is not used": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"the same rng gives the same": False}
    ),
    "every call draws the same mask": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"a second call gives the same": True, "two calls without rng give the same": True}
    ),
    "computed with arrays: the result does not remember where it came from": lambda x, p=0.5, training=True: oracle_dropout(
        x, p, training, **({"the result remembers x": False} if training and p else {})
    ),
    "without an rng every call begins with the same seed: generator(rng) goes on with the default one": lambda x, p=0.5, training=True: (
        dropout_or(x, p, training, **{"two calls without rng give the same": True})
    ),
    "without an rng a new generator drew: generator(rng) gives the default one": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"without rng the default generator draws": False}
    ),
    "p is checked in training only: a wrong one is an error either way": lambda x, p=0.5, training=True: (
        oracle_dropout(x, p) if training else oracle_dropout(x, 0.0)
    ),
    "with p = 1 something is divided by 0": lambda x, p=0.5, training=True: (
        ("raises", "ZeroDivisionError") if training and p == 1 else oracle_dropout(x, p, training)
    ),
    "the mask is float64, and made the result float64": lambda x, p=0.5, training=True: oracle_dropout(
        x, p, training, **({"shape and dtype": f"{x.shape} float64"} if training and p else {})
    ),
    "an assert gives an AssertionError; a ValueError is asked for": assert_for_error,
    "the error does not show which p was given": lambda x, p=0.5, training=True: (
        oracle_dropout(x, p, training) if 0 <= p <= 1 else ("raises", "ValueError")
    ),
    "a p that is no probability is accepted": dropout_unchecked,
}
