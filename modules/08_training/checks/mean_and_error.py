"""The check of 08.2 mean_and_error."""

import math
import warnings

import numpy as np

from .shared import NOTHING, kind, number


def draw_mean_and_error(rng):
    """Few values and many, one, none, large ones close together, all alike; several dtypes, some of which hold no sum; truth values."""
    yield dict(values=np.round(rng.standard_normal(4) * 3 - 1, 2))
    for count, dtype in (
        (int(rng.integers(5, 9)), np.float32),
        (2, np.float64),
        (40, np.float32),
        (1, np.float64),
        (0, np.float32),
    ):
        yield dict(values=(rng.standard_normal(count) * 3 - 1).astype(dtype))
    above = rng.permutation(40) < rng.integers(17, 24)
    yield dict(values=np.float32(2**25) + 4 * above.astype(np.float32))  # neighbours in float32, so that the mean is none
    hits = np.zeros(12, bool)
    hits[rng.permutation(12)[:9]] = True
    yield dict(values=hits)
    yield dict(values=np.ones(int(rng.integers(3, 7)), bool))
    yield dict(values=np.full(int(rng.integers(6, 12)), 0.1))  # the mean is off by a little, and no square root may fail
    yield dict(values=rng.integers(130, 256, 6).astype(np.uint8))
    yield dict(values=rng.integers(30_000, 60_000, 5).astype(np.float16))


def describe_mean_and_error(values):
    shown = ", ".join(f"{value:.10g}" for value in values[:6].tolist())
    more = f", ... {len(values)} in all" if len(values) > 6 else ""
    return "mean_and_error(values)", f"values = [{shown}{more}] {values.dtype}"


rtol_mean_and_error = 1e-6


def observe_mean_and_error(mean_and_error, values):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        result = mean_and_error(values)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        result = f"one {kind(result)}", None
    return pair_seen(*result, [str(one.message) for one in warned])


def pair_seen(mean, error, warned=()):
    """Write down a mean and an error: the numbers, their types, and what was warned of."""
    return {
        "mean": number(mean),
        "error": number(error),
        "type of the mean": kind(mean),
        "type of the error": kind(error),
        "warnings": list(warned),
    }


def mean_turn(mean=np.mean, error=None, empty=NOTHING, alone=None, scale=1.0, types=float):
    """Make a mean and its error, or a wrong turn.

    Args:
        mean: Function of the values, in float64.
        error: Function of them and of how many there are.
        empty: What comes of no values.
        alone: What comes of one; by default a mean and nan.
        scale: Factor of both.
        types: Type of both.
    """

    def right(values, n):
        return math.sqrt(math.fsum((x - math.fsum(values) / n) ** 2 for x in values) / (n - 1)) / math.sqrt(n)

    def turn(values):
        n, values = len(values), [float(value) for value in values]
        if not n:
            return empty
        if n == 1:
            return alone(values) if alone else pair_seen(types(scale * mean(values)), types(math.nan))
        return pair_seen(types(scale * mean(values)), types(scale * (error or right)(values, n)))

    return turn


def spread(values, less=1):
    return float(np.std(values, ddof=less))


def narrow(divide):
    """Make an oracle that computes in the dtype of the values, up to a division; what NumPy warns of is free."""

    def wrong(values):
        if len(values) < 2:
            return oracle_mean_and_error(values)
        with np.errstate(all="ignore"):
            error = divide(np.std(values, ddof=1), math.sqrt(len(values)))
        return {"mean": float(np.mean(values)), "error": float(error)}

    wrong.partial = True
    return wrong


def from_squares(variance):
    """Make the oracles of a variance that is a difference of large numbers, one for each thing that comes of a negative one.

    Args:
        variance: Function of the values, an array of float64, and of how many there are.
    """

    def turn(negative):
        def wrong(values):
            n, values = len(values), values.astype(np.float64)
            if n < 2:
                return oracle_mean_and_error(values)
            square = float(variance(values, n)) / n
            error = math.sqrt(square) if square >= 0 else negative
            return {"mean": float(np.mean(values)), "error": error} if isinstance(error, float) else error

        wrong.partial = True
        return wrong

    return tuple(turn(negative) for negative in (math.nan, 0.0, ("raises", "ValueError")))


oracle_mean_and_error = mean_turn(lambda values: math.fsum(values) / len(values))
misconceptions_mean_and_error = {
    "the sum of squares was divided by n, not by n - 1": mean_turn(error=lambda values, n: spread(values, 0) / math.sqrt(n)),
    "divided by the root of n - 1; n - 1 belongs into the deviation, n under the root": mean_turn(
        error=lambda values, n: spread(values) / math.sqrt(n - 1)
    ),
    "the error is the spread of single values: it was not divided by the root of n": mean_turn(
        error=lambda values, n: spread(values)
    ),
    "the error is the spread of single values, and its sum of squares was divided by n": mean_turn(
        error=lambda values, n: spread(values, 0)
    ),
    "the error was divided by n, not by its root": mean_turn(error=lambda values, n: spread(values) / n),
    "the root of the variance is missing": mean_turn(error=lambda values, n: spread(values) ** 2 / math.sqrt(n)),
    "the variance was divided by n, and its root not taken": mean_turn(error=lambda values, n: spread(values) ** 2 / n),
    "both are in percent: leave them as fractions": mean_turn(scale=100.0),
    "computed in the dtype of the values: convert them to float64 before the mean and the deviation": (
        narrow(lambda spread, root: float(spread / root)),
        narrow(lambda spread, root: float(spread) / root),
    ),
    "the square of the mean was taken off the mean of the squares: with a large mean nearly all digits cancel; take the mean off first, then square": from_squares(
        lambda values, n: (np.mean(values**2) - np.mean(values) ** 2) * n / (n - 1)
    ),
    "n * mean ** 2 was taken off the sum of the squares: with a large mean nearly all digits cancel; take the mean off first, then square": (
        *from_squares(lambda values, n: (np.sum(values**2) - n * np.mean(values) ** 2) / (n - 1)),
        *from_squares(lambda values, n: (sum(values**2) - n * np.mean(values) ** 2) / (n - 1)),
        *from_squares(lambda values, n: (np.sum(values**2) - np.sum(values) ** 2 / n) / (n - 1)),
        *from_squares(lambda values, n: (sum(values**2) - np.sum(values) ** 2 / n) / (n - 1)),
    ),
    "the median is not the mean": mean_turn(mean=np.median),
    "numbers of NumPy were returned; Python floats are asked for": mean_turn(types=np.float64),
    "numbers of NumPy were returned, but for the error of one value; Python floats are asked for": mean_turn(
        types=np.float64, alone=lambda values: pair_seen(np.float64(values[0]), math.nan)
    ),
    "one value has an error of nan, without a division by 0": mean_turn(alone=lambda values: ("raises", "ZeroDivisionError")),
    "one value has an error of nan, not of 0": mean_turn(alone=lambda values: pair_seen(values[0], 0.0)),
    "one value has an error of nan, without NumPy's warnings, which np.errstate does not turn off: treat it separately": tuple(
        mean_turn(alone=lambda values, told=told: pair_seen(values[0], math.nan, told))
        for told in (
            ["Degrees of freedom <= 0 for slice", "invalid value encountered in scalar divide"],
            ["Degrees of freedom <= 0 for slice"],
        )
    ),
    "no values were divided by 0: ask first whether there are any, and raise ValueError": mean_turn(
        empty=("raises", "ZeroDivisionError")
    ),
    "no values were let through: they are to raise ValueError": mean_turn(empty=pair_seen(math.nan, math.nan)),
    "no values were let through, with NumPy's warnings: they are to raise ValueError": mean_turn(
        empty=pair_seen(math.nan, math.nan, ["Mean of empty slice.", "invalid value encountered in scalar divide"])
    ),
}
