"""The check of 09.2 quartiles."""

import math

import numpy as np

from .shared import NOTHING, kind_of, kinds_of, numbers, whole


def draw_quartiles(rng):
    """Arrays and lists; positions between two values and on one; a few equal ones; one that is far off; whole numbers; none."""
    for count in (4, 3, 2, int(rng.integers(6, 9)), 1, 12, int(rng.integers(13, 20))):
        values = rng.permutation(np.cumsum(rng.integers(1, 30, count)) / 16) - 3
        yield dict(values=values if rng.integers(2) else values.tolist())
    values = rng.uniform(1.0, 2.0, 9)
    values[rng.integers(9)] = 1000.0
    yield dict(values=values)
    yield dict(values=np.array([2.5, 0.5, 2.5, 1.5])[rng.permutation(4)])
    yield dict(values=[int(x) for x in rng.integers(-9, 9, 5)])
    yield dict(values=[float(rng.integers(1, 9)) / 4])
    yield dict(values=[])
    yield dict(values=np.zeros(0))


@whole
def describe_quartiles(values):
    """Write the call as a learner would."""
    shown = "[" + ", ".join(f"{x:.5g}" for x in values) + "]"
    return f"quartiles(np.array({shown}))" if isinstance(values, np.ndarray) else f"quartiles({shown})"


def observe_quartiles(quartiles, values):
    answer = quartiles(values)
    several = isinstance(answer, (list, tuple, np.ndarray))
    return {
        "quartiles": numbers(list(answer)) if several else answer,
        "returned": kind_of(answer),
        "each of type": kinds_of(answer) if several else "nothing",
    }


def three(found):
    return {"quartiles": np.array(found, np.float64), "returned": "a tuple", "each of type": "float"}


def oracle_quartiles(values, sort=True, rest=None, last=1, q=(0.25, 0.5, 0.75), middle=None, order=slice(None)):
    """Return the quartiles.

    Args:
        sort: Whether the values were sorted.
        rest: Function of how far a position is behind the value below it: how far to go to the next one.
        last: What is subtracted from n in the position.
        q: Where the three points are.
        middle: What stands for the middle one: a function of the sorted values.
        order: In which order the three are.
    """
    if len(values) == 0:
        return NOTHING
    ordered = sorted(float(x) for x in values) if sort else [float(x) for x in values]
    found = []
    for one in q:
        position = min(one * (len(ordered) - last), len(ordered) - 1)
        below = math.floor(position)
        above = min(below + 1, len(ordered) - 1)
        share = position - below
        share = rest(share) if rest else share
        found.append(ordered[below] + share * (ordered[above] - ordered[below]))
    if middle:
        found[1] = middle(ordered)
    return three(found[order])


def halves(values, with_median):
    """Take the medians of the lower and of the upper half."""
    if len(values) == 0:
        return NOTHING
    v = sorted(float(x) for x in values)
    n, half = len(v), (len(v) + 1) // 2 if with_median else len(v) // 2
    if not half:
        return ("raises", "IndexError")
    return three([float(np.median(v[:half])), float(np.median(v)), float(np.median(v[n - half :]))])


def nearest(values):
    """Take the value whose position is nearest."""
    v = sorted(float(x) for x in values)
    return three([v[round(q * (len(v) - 1))] for q in (0.25, 0.5, 0.75)]) if v else NOTHING


def exclusive(values):
    """Return what `statistics.quantiles` gives unless told otherwise."""
    if len(values) == 0:
        return NOTHING
    v, n = sorted(float(x) for x in values), len(values)
    if n < 2:
        return three(v * 3)
    found = []
    for i in (1, 2, 3):
        j = min(max(i * (n + 1) // 4, 1), n - 1)
        rest = i * (n + 1) - j * 4
        found.append((v[j - 1] * (4 - rest) + v[j] * rest) / 4)
    return three(found)


misconceptions_quartiles = {
    "the values were not sorted": lambda values: oracle_quartiles(values, sort=False),
    "the middle one is the mean: one slow call pulls it away": lambda values: oracle_quartiles(
        values, middle=lambda ordered: math.fsum(ordered) / len(ordered)
    ),
    "v[n // 4] and the like are near, but no quartiles: the position is q * (n - 1), and may lie between two values": lambda values: (
        oracle_quartiles(values, rest=lambda share: 0.0, last=0)
    ),
    "a position between two values was rounded down": lambda values: oracle_quartiles(values, rest=lambda share: 0.0),
    "a position between two values was rounded up": lambda values: oracle_quartiles(values, rest=math.ceil),
    "a position between two values was rounded to the nearer one": nearest,
    "of the two values around a position the mean was taken: how far to go is the rest of the position": lambda values: (
        oracle_quartiles(values, rest=lambda share: 0.5 if share else 0.0)
    ),
    "the rest of the position was counted from the value above, not from the one below": lambda values: oracle_quartiles(
        values, rest=lambda share: 1 - share if share else 0.0
    ),
    "the position is q * n: it is q * (n - 1)": lambda values: oracle_quartiles(values, last=0),
    "the medians of the two halves were taken: near, but not these quartiles": lambda values: halves(values, False),
    "the medians of the two halves, each with the middle value, were taken: near, but not these quartiles": lambda values: halves(
        values, True
    ),
    "these are the quartiles of another definition, as statistics.quantiles has them unless method is 'inclusive'": exclusive,
    "np.percentile counts in percent: 25, 50 and 75": lambda values: oracle_quartiles(values, q=(0.0025, 0.005, 0.0075)),
    "the smallest and the largest were taken for the quartiles": lambda values: oracle_quartiles(values, q=(0, 0.5, 1)),
    "the median stands first: the order is 1/4, 1/2, 3/4": lambda values: oracle_quartiles(values, q=(0.5, 0.25, 0.75)),
    "the upper quartile stands first": lambda values: oracle_quartiles(values, order=slice(None, None, -1)),
    "the value above the last one was read: where there is none, it is not needed": lambda values: (
        ("raises", "IndexError") if len(values) == 1 else oracle_quartiles(values)
    ),
    "`not values` asks a whole array whether it is true: len(values) == 0 asks whether it is empty": lambda values: (
        oracle_quartiles(values) if isinstance(values, list) or len(values) < 2 else NOTHING
    ),
    "a list was returned where a tuple is asked for": lambda values: (
        oracle_quartiles(values) | {"returned": "a list"} if len(values) else NOTHING
    ),
    "the three are NumPy's numbers: Python floats are asked for": lambda values: (
        oracle_quartiles(values) | {"each of type": "float64"} if len(values) else NOTHING
    ),
    "no values at all were accepted": lambda values: oracle_quartiles(values) if len(values) else three((math.nan,) * 3),
    "no values at all raise an IndexError: say what is missing, in a ValueError": lambda values: (
        oracle_quartiles(values) if len(values) else ("raises", "IndexError")
    ),
}
