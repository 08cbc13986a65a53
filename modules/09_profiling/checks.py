"""Checks of module 09. NumPy only: nothing here runs the code that it judges, except `observe`. No check looks at a real clock."""

import contextlib
import math
import types

import numpy as np

NOTHING = ("raises", "ValueError")
CONTAINERS = {
    list: "a list",
    tuple: "a tuple",
    np.ndarray: "an array",
    dict: "a dict",
    types.GeneratorType: "a generator",
    float: "a float",
    int: "an int",
    type(None): "None: is the `return` missing?",
}


def whole(describe):
    """Make a `describe_` function say all that is shown of a call: nothing is said of its arrays beside it."""
    return lambda **inputs: (describe(**inputs), "")


def kind_of(value):
    """Say in words what kind of thing a call returned."""
    return CONTAINERS.get(type(value)) or f"a thing of type {type(value).__name__}"


def kinds_of(values):
    """Say in words what some values are: "float", or "float and float64"."""
    return " and ".join(sorted({type(value).__name__ for value in values})) or "nothing"


def numbers(values):
    """Return a list of numbers as an array, so that a message shows the whole of it; anything else as it is."""
    plain = isinstance(values, (list, tuple)) and all(isinstance(x, (int, float, np.number)) for x in values)
    return np.array(values, np.float64) if plain else values


def python_int(value):
    """Return an int as it is; of any other number say what it is."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)) or type(value) is int:
        return value
    return (
        f"{value.item() if isinstance(value, np.generic) else value}, of type {type(value).__name__}: a Python int is asked for"
    )


def shape(array):
    return tuple(array.shape)


def filled(size):
    """Return an array of any size that takes no memory: one number, stretched."""
    return np.broadcast_to(np.float32(1), size)


# 09.1 measure: a clock that stands still until the function is called

OTHER_TIMES = "by another clock than the one given"


def draw_measure(rng):
    """Every setting by itself and with others; the defaults; no repeats, and fewer than none; a function that fails."""
    settings = [
        (4, 2),
        (1, 0),
        (int(rng.integers(2, 7)), int(rng.integers(1, 4))),
        (3, int(rng.integers(3, 6))),
        (None, None),
        (int(rng.integers(2, 5)), 0),
        (0, 1),
        (-int(rng.integers(1, 4)), 0),
    ]
    for repeats, warm_up in settings:
        calls = (30 if repeats is None else max(repeats, 0)) + (3 if warm_up is None else warm_up)
        seconds = [int(x) for x in rng.permutation(np.arange(1, calls + 21))[: calls + 20] % 9 + 1]
        yield dict(repeats=repeats, warm_up=warm_up, zero=int(rng.integers(1, 100)), seconds=seconds)
    for fails in (0, 2):  # in the warm-up, and after it
        yield dict(repeats=3, warm_up=2, zero=1, seconds=[int(x) for x in rng.integers(1, 9, 5)], fails=fails)


@whole
def describe_measure(repeats, warm_up, zero, seconds, fails=None):
    """Write the call as a learner would."""
    given = "".join(f", {name}={value}" for name, value in (("repeats", repeats), ("warm_up", warm_up)) if value is not None)
    calls = (30 if repeats is None else max(repeats, 0)) + (3 if warm_up is None else warm_up)
    shown = ", ".join(map(str, seconds[: min(calls, 8)])) + ", ..." * (calls > 8)
    failing = "" if fails is None else f"; call {fails + 1} raises ArithmeticError"
    return f"measure(function, clock=clock{given})\ncalls of function take {shown or 'no'} s{failing}"


def observe_measure(measure, repeats, warm_up, zero, seconds, fails=None):
    """Measure a function whose every call moves the clock; note in which order it is called and the clock is read."""
    now, events = [float(zero)], []

    def work():
        number = events.count("call")
        events.append("call")
        if number == fails:
            raise ArithmeticError("on purpose")
        now[0] += seconds[number % len(seconds)]

    def clock():
        events.append("clock")
        return now[0]

    settings = {name: value for name, value in (("repeats", repeats), ("warm_up", warm_up)) if value is not None}
    times = measure(work, **settings, clock=clock)
    other = "clock" not in events and "call" in events and isinstance(times, list) and times
    return {
        "calls, and looks at the clock": " ".join(events) or "none",
        "returned": kind_of(times),
        "the times": OTHER_TIMES if other else numbers(times),
    }


def oracle_measure(
    repeats,
    warm_up,
    zero,
    seconds,
    fails=None,
    looks="each",
    unseen=True,
    kept=slice(None),
    change=list,
    other_clock=False,
    swallows=False,
):
    """Time calls.

    Args:
        looks: When the clock is read: at "each", "once" before all, "between" the calls, or "around" all of them together.
        unseen: Whether the warm-up runs without a look at the clock; "never" if it does not run at all.
        kept: Which times are returned.
        change: What is done to them.
        other_clock: Whether another clock was read.
        swallows: Whether an exception of the function ends there.
    """
    repeats, warm_up = 30 if repeats is None else repeats, 3 if warm_up is None else warm_up
    if repeats < 1:
        return NOTHING
    if fails is not None and not swallows:
        return ("raises", "ArithmeticError", "on purpose")
    seconds = [0 if i == fails else x for i, x in enumerate(seconds)]
    first = 0 if unseen == "never" or not unseen else warm_up
    count = repeats + warm_up if not unseen else repeats
    times = [float(x) for x in seconds[first : first + count]]
    timed = {
        "each": ["clock", "call", "clock"] * count,
        "once": ["clock"] + ["call", "clock"] * count,
        "between": ["clock"] + ["call", "clock"] * count,
        "around": ["clock"] + ["call"] * count + ["clock"],
    }[looks]
    if looks == "once":
        times = [math.fsum(times[: i + 1]) for i in range(count)]
    events = ["call"] * first + [event for event in timed if event == "call" or not other_clock]
    times = change(times[kept]) if times[kept] else []
    return {
        "calls, and looks at the clock": " ".join(events),
        "returned": "a list",
        "the times": OTHER_TIMES if other_clock else np.array(times),
    }


def mean_of(times):
    return [math.fsum(times) / len(times)] * len(times)


def dropped(**inputs):
    """The warm-up was timed like the rest, and its times left out."""
    warm_up = 3 if inputs["warm_up"] is None else inputs["warm_up"]
    return oracle_measure(**inputs, unseen=False, kept=slice(warm_up, None))


def part_of_repeats(repeats, warm_up, **inputs):
    """The warm-up calls were taken from the repeats."""
    repeats, warm_up = 30 if repeats is None else repeats, 3 if warm_up is None else warm_up
    if repeats < 1:
        return NOTHING
    timed = max(0, repeats - warm_up)
    right = oracle_measure(max(timed, 1), min(warm_up, repeats), **inputs)
    return (
        right
        if timed
        else {"calls, and looks at the clock": " ".join(["call"] * repeats), "the times": np.array([]), "returned": "a list"}
    )


def left_out_of_repeats(repeats, warm_up, **inputs):
    """All repeats were timed, and the first ones left out."""
    return oracle_measure(repeats, 0, **inputs, kept=slice(3 if warm_up is None else warm_up, None))


def accepted(below):
    """Make the oracle of a function that accepts some numbers of repeats for which there is nothing to measure."""

    def oracle(**inputs):
        repeats = inputs["repeats"]
        if repeats is None or repeats >= 1 or not below(repeats):
            return oracle_measure(**inputs)
        return {
            "calls, and looks at the clock": " ".join(["call"] * inputs["warm_up"]) or "none",
            "the times": np.array([]),
            "returned": "a list",
        }

    return oracle


misconceptions_measure = {
    "the warm-up calls were timed, too, and their times returned": lambda **inputs: oracle_measure(**inputs, unseen=False),
    "the warm-up calls were timed and then left out: they run without a look at the clock": dropped,
    "there was no warm-up": lambda **inputs: oracle_measure(**inputs, unseen="never"),
    "the warm-up was taken out of the repeats: it comes before them": part_of_repeats,
    "the warm-up was taken from the repeats, and left out: it comes before them": left_out_of_repeats,
    "warm_up is ignored: always three calls": lambda warm_up, **inputs: oracle_measure(warm_up=3, **inputs),
    "one look at the clock ends a call and begins the next one: each call has two looks of its own": lambda **inputs: (
        oracle_measure(**inputs, looks="between")
    ),
    "the clock was read once before all calls: the times add up": lambda **inputs: oracle_measure(**inputs, looks="once"),
    "all calls were timed together, and the time divided: each call is timed by itself": lambda **inputs: oracle_measure(
        **inputs, looks="around", change=mean_of
    ),
    "every time is the mean of all: one call's own time is wanted": lambda **inputs: oracle_measure(**inputs, change=mean_of),
    "the times were sorted: they stand in the order of the calls": lambda **inputs: oracle_measure(**inputs, change=sorted),
    "the times stand in the reverse order of the calls": lambda **inputs: oracle_measure(
        **inputs, change=lambda times: times[::-1]
    ),
    "the times are negative: what the clock said before was to be taken off what it said afterwards": lambda **inputs: (
        oracle_measure(**inputs, change=lambda times: [-x for x in times])
    ),
    "the clock that was given was not read, but another": lambda **inputs: oracle_measure(**inputs, other_clock=True),
    "an exception of the function was swallowed: it is to reach the caller, as any does that you do not catch": lambda **inputs: (
        oracle_measure(**inputs, swallows=True)
    ),
    "0 repeats, or fewer, were accepted": accepted(lambda repeats: True),
    "0 repeats are refused, fewer than 0 are not": accepted(lambda repeats: repeats < 0),
}


# 09.2 quartiles


def draw_quartiles(rng):
    """Arrays and lists; positions between two values and on one; a few equal ones; one that is far off; whole numbers of several dtypes; none."""
    for count in (4, 3, 2, int(rng.integers(6, 9)), 1, 12, int(rng.integers(13, 20))):
        values = rng.permutation(np.cumsum(rng.integers(1, 30, count)) / 16) - 3
        yield dict(values=values if rng.integers(2) else values.tolist())
    values = rng.uniform(1.0, 2.0, 9)
    values[rng.integers(9)] = 1000.0
    yield dict(values=values)
    yield dict(values=np.array([2.5, 0.5, 2.5, 1.5])[rng.permutation(4)])
    yield dict(values=[int(x) for x in rng.integers(-9, 9, 5)])
    yield dict(values=rng.permutation(np.arange(130, 250, 7))[:6].astype(np.uint8))  # the sum of two is more than 255
    yield dict(values=rng.integers(-99, 99, 7))
    yield dict(values=[float(rng.integers(1, 9)) / 4])
    yield dict(values=[])
    yield dict(values=np.zeros(0))


@whole
def describe_quartiles(values):
    """Write the call as a learner would."""
    shown = "[" + ", ".join(f"{x:.5g}" for x in values) + "]"
    if not isinstance(values, np.ndarray):
        return f"quartiles({shown})"
    dtype = "" if values.dtype in (np.float64, np.int64) else f", np.{values.dtype}"
    return f"quartiles(np.array({shown}{dtype}))"


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


def narrow_mean(values):
    """Take the mean of the two middle ones by their sum, in the dtype of the values."""
    right = oracle_quartiles(values)
    if not isinstance(values, np.ndarray) or values.dtype != np.uint8 or len(values) % 2:
        return right
    middle = np.sort(values)[len(values) // 2 - 1 :][:2]
    return right | three([right["quartiles"][0], float(np.add(*middle)) / 2, right["quartiles"][2]])


misconceptions_quartiles = {
    "two values were added in their own dtype, and 200 + 100 is 44 in uint8: make them floats first": narrow_mean,
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


# 09.3 matmul_flops


def draw_matmul_flops(rng):
    """One matrix and batches of either side, axes of 1, and last a product so large that only its sizes tell how large."""
    n, k, m = (int(x) for x in rng.permutation([3, 5, 7]))
    some, more = (int(x) for x in rng.permutation([2, 4, 6])[:2])
    for before_a, before_b, sizes in (
        ((), (), (n, k, m)),
        ((), (), (4, 1, n)),
        ((some,), (some,), (k, m, n)),
        ((more, 1), (3,), (2, n, 5)),
        ((), (more,), (m, 2, 3)),
        ((some,), (), (n, 8, k)),
        ((1,), (), (m, n, 1)),
        ((), (), (2**15, 2**14 + n, 2**13)),
    ):
        a, b = (*before_a, sizes[0], sizes[1]), (*before_b, sizes[1], sizes[2])
        yield dict(out=(*np.broadcast_shapes(before_a, before_b), sizes[0], sizes[2]), a=a, b=b)


@whole
def describe_matmul_flops(out, a, b):
    """Write the call as a learner would."""
    return f"matmul_flops(out, a, b), where a {a} @ b {b} gives out {out}"


def observe_matmul_flops(matmul_flops, out, a, b):
    return python_int(matmul_flops(filled(out), filled(a), filled(b)))


def oracle_matmul_flops(out, a, b, each=2, less=0, k=None):
    return math.prod(out) * (each * (a[-1] if k is None else k) - less)


def overflowed(count):
    """Return a whole number as 32 bits have it."""
    return (count + 2**31) % 2**32 - 2**31


misconceptions_matmul_flops = {
    "each multiplication brings an addition with it: these are half of them": lambda **inputs: oracle_matmul_flops(
        **inputs, each=1
    ),
    "the first addition of each entry was left out: the loop adds to 0, and that counts": lambda **inputs: oracle_matmul_flops(
        **inputs, less=1
    ),
    "the matrices of a batch were counted once, not each": lambda out, a, b: 2 * a[-2] * a[-1] * b[-1],
    "the batch of b was left out: out has all matrices": lambda out, a, b: 2 * math.prod(a) * b[-1],
    "the batch of a was left out: out has all matrices": lambda out, a, b: 2 * math.prod(b) * a[-2],
    "k is not b.shape[0], which is the batch where there is one: it is a.shape[-1]": lambda out, a, b: oracle_matmul_flops(
        out, a, b, k=b[0]
    ),
    "k is not a.shape[1], which is another axis in a batch: it is a.shape[-1]": lambda out, a, b: oracle_matmul_flops(
        out, a, b, k=a[1]
    ),
    "k is not a.shape[0]: it is the last axis of a": lambda out, a, b: oracle_matmul_flops(out, a, b, k=a[0]),
    "the length of the inner loop is missing: these are two for each entry of out": lambda out, a, b: 2 * math.prod(out),
    "the number of entries of a times that of b: each entry of a meets only the m entries of one row of b": lambda out, a, b: (
        2 * math.prod(a) * math.prod(b)
    ),
    "the count overflowed in 32 bits: Python's int has no limit": lambda **inputs: overflowed(oracle_matmul_flops(**inputs)),
    "a NumPy integer was returned, as np.prod gives it: a Python int is asked for": lambda **inputs: (
        f"{oracle_matmul_flops(**inputs)}, of type int64: a Python int is asked for"
    ),
    "a float was returned: a Python int is asked for": lambda **inputs: (
        f"{float(oracle_matmul_flops(**inputs))}, of type float: a Python int is asked for"
    ),
}


# 09.4 softmax_flops


def draw_softmax_flops(rng):
    """Every axis, counted from either end; one row, one number a row, and last more rows than 32 bits can count steps for."""
    sizes = [int(x) for x in rng.permutation([2, 3, 5])]
    last = int(rng.integers(3))
    for size, dim in (
        (sizes[:2], 1),
        (sizes[1:], 0),
        (sizes, 1),
        (sizes, -1),
        (sizes, -3),
        (sizes, last),
        ([7], 0),
        ([4, 1], 1),
        ([*sizes, 4], -2),
        ([2**16, 2**14], 1),
    ):
        yield dict(a=tuple(size), dim=dim)


@whole
def describe_softmax_flops(a, dim):
    """Write the call as a learner would."""
    return f"softmax_flops(out, a, dim={dim}), out and a of shape {a}"


def observe_softmax_flops(softmax_flops, a, dim):
    return python_int(softmax_flops(filled(a), filled(a), dim))


def oracle_softmax_flops(a, dim, terms=5, less=2, rows=None):
    """Count the terms of n, and the rows' 1 less of some of them."""
    n = a[dim]
    return (math.prod(a) // n if rows is None else rows) * (terms * n - less)


misconceptions_softmax_flops = {
    "the largest and the sum of n numbers take n - 1 steps, not n": lambda **inputs: oracle_softmax_flops(**inputs, less=0),
    "dim is ignored: always the last axis": lambda a, dim: oracle_softmax_flops(a, -1),
    "dim is ignored: always the first axis": lambda a, dim: oracle_softmax_flops(a, 0),
    "the n - 1 comparisons, or the n - 1 additions, were left out": lambda **inputs: oracle_softmax_flops(
        **inputs, terms=4, less=1
    ),
    "both the n - 1 comparisons and the n - 1 additions were left out": lambda **inputs: oracle_softmax_flops(
        **inputs, terms=3, less=0
    ),
    "one of three was left out: the subtractions, the exponentials or the divisions, n each": lambda **inputs: (
        oracle_softmax_flops(**inputs, terms=4)
    ),
    "one 1 was taken off for each row: there are two, one for the largest and one for the sum": lambda **inputs: (
        oracle_softmax_flops(**inputs, less=1)
    ),
    "one largest and one sum for the whole array, not for each row": lambda a, dim: 5 * math.prod(a) - 2,
    "this is one row: there are as many as the other axes, multiplied": lambda a, dim: oracle_softmax_flops(a, dim, rows=1),
    "the number of rows is not a.shape[0]: it is all axes but dim, multiplied": lambda a, dim: oracle_softmax_flops(
        a, dim, rows=a[0]
    ),
    "n and the number of rows changed places": lambda a, dim: a[dim] * (5 * (math.prod(a) // a[dim]) - 2),
    "the count overflowed in 32 bits: Python's int has no limit": lambda **inputs: overflowed(oracle_softmax_flops(**inputs)),
    "a NumPy integer was returned, as np.prod gives it: a Python int is asked for": lambda **inputs: (
        f"{oracle_softmax_flops(**inputs)}, of type int64: a Python int is asked for"
    ),
    "a float was returned: `/` gives one, `//` does not": lambda **inputs: (
        f"{float(oracle_softmax_flops(**inputs))}, of type float: a Python int is asked for"
    ),
}


# 09.5 bytes_moved

AGAIN = "the first input once more"
RESULTS = {  # how the result lies in memory -> how a learner would write it
    "its own": "out = {out}, an array of its own",
    "transposed": "out = {x}.T",
    "slice": "out = {x}[1:]",
    "same": "out = {x}, changed in place",
    "of a view": "{x} = larger[1:]; out = {x}.T",
    "of another": "out = temporary.T, where temporary is no input",
}


def draw_bytes_moved(rng):
    """Dtypes, numbers, inputs stretched; results that are views of the first, of the last, of a view; and of what is no input."""

    def array(*size, dtype=np.float32):
        return (10 * rng.standard_normal(size)).astype(dtype)

    n, m = int(rng.integers(2, 6)), int(rng.integers(6, 9))
    plain = dict(result="its own", of=0, stretch=None)
    yield dict(inputs=[array(n, m), array(m, 3)], out=array(n, 3), **plain)
    yield dict(inputs=[array(n, m), 2.5], out=array(n, m), **plain)
    yield dict(inputs=[3, array(n, m, dtype=bool), array(n, m), 0], out=array(n, m), **plain)
    yield dict(inputs=[array(n, m, dtype=np.float64), array(n, dtype=np.int64)], out=array(dtype=np.float64), **plain)
    yield dict(inputs=[array(n, m)], out=array(n, m, dtype=bool), **plain)
    yield dict(inputs=[array(n, m)], out=None, result="transposed", of=0, stretch=None)
    yield dict(inputs=[array(n, m), array(m)], out=None, result="slice", of=1, stretch=None)
    yield dict(inputs=[2.0, array(n, m), array(1)], out=None, result="same", of=1, stretch=None)
    yield dict(inputs=[array(n, m)], out=None, result="of a view", of=0, stretch=None)
    yield dict(inputs=[array(n, m), array(n, m)], out=array(m, n), result="of another", of=0, stretch=None)
    yield dict(inputs=[array(n, m), array(n, 1)], out=array(n, m), result="its own", of=0, stretch=(1, (n, m)))
    yield dict(inputs=[array(n, m), 2, AGAIN], out=array(n, m), **plain)


@whole
def describe_bytes_moved(inputs, out, result, of, stretch):
    """Write the call as a learner would, with what the arrays are."""
    names = [chr(ord("a") + i) if isinstance(x, np.ndarray) else "a" if x == AGAIN else repr(x) for i, x in enumerate(inputs)]
    known = [f"{name} {x.shape} {x.dtype}" for name, x in zip(names, inputs) if isinstance(x, np.ndarray)]
    if stretch:
        known[stretch[0]] += f" stretched to {stretch[1]}"
    words = RESULTS[result].format(x=names[of], out=f"{out.shape} {out.dtype}" if out is not None else "")
    return f"bytes_moved(out, {', '.join(names)})\n{'; '.join(known)}\n{words}"


def observe_bytes_moved(module, inputs, out, result, of, stretch):
    """Call it with arrays that lie in memory as no wire can carry them."""
    given = [np.array(x) if isinstance(x, np.ndarray) else x for x in inputs]  # with memory of its own, so that base is None
    given = [given[0] if isinstance(x, str) else x for x in given]
    if stretch:
        given[stretch[0]] = np.broadcast_to(given[stretch[0]], stretch[1])
    if result == "of a view":
        given[of] = np.concatenate([given[of][:1], given[of]])[1:]
    source = given[of]
    out = np.array(out) if out is not None else source
    out = {
        "transposed": lambda: source.T,
        "slice": lambda: source[1:],
        "of a view": lambda: source.T,
        "of another": lambda: np.array(out.T).T,
    }.get(result, lambda: out)()
    return python_int(module.bytes_moved(out, *given))


def oracle_bytes_moved(
    inputs, out, result, of, stretch, written=True, size=None, number=0, views="all", stretched=False, read=True, twice=True
):
    """Count bytes.

    Args:
        written: Whether the result counts; ``read``: whether the inputs do.
        size: Bytes of an entry, if not as many as its dtype has.
        number: Bytes of a Python number.
        views: Which views count nothing: "all", "none", those of the "first" input, any with a "base" (as out.base says), what
            is the "same" array, and what has an input as its "bottom".
        stretched: Whether a stretched array counts as often as it is read.
        twice: Whether an array counts as often as it is given.
    """
    inputs = [x if not isinstance(x, str) else inputs[0] for x in inputs if twice or not isinstance(x, str)]
    arrays = [x for x in inputs if isinstance(x, np.ndarray)]
    shapes = [x.shape for x in arrays]
    if stretch and stretched:
        shapes[stretch[0]] = stretch[1]
    total = sum(math.prod(one) * (size or x.dtype.itemsize) for one, x in zip(shapes, arrays)) if read else 0
    total += number * (len(inputs) - len(arrays))
    nothing = {
        "all": ("transposed", "slice", "same", "of a view"),
        "none": (),
        "base": ("transposed", "slice", "of a view", "of another"),
        "first": ("transposed", "slice", "same", "of a view") if isinstance(inputs[0], np.ndarray) and of == 0 else (),
        "same": ("same",),
        "bottom": ("transposed", "slice"),
    }[views]
    if result in nothing:
        return 0
    if out is None:
        out = inputs[of][1:] if result == "slice" else inputs[of]
    return total + (out.size * (size or out.dtype.itemsize) if written else 0)


misconceptions_bytes_moved = {
    "the result was left out: it has to be written": lambda **inputs: oracle_bytes_moved(**inputs, written=False),
    "the inputs were left out: they have to be read": lambda **inputs: oracle_bytes_moved(**inputs, read=False),
    "these are entries, not bytes": lambda **inputs: oracle_bytes_moved(**inputs, size=1, stretched=True),
    "every entry counts 4 bytes, whatever its dtype: held knows the dtype": lambda **inputs: oracle_bytes_moved(
        **inputs, size=4, stretched=True
    ),
    "every entry counts 8 bytes, whatever its dtype: held knows the dtype": lambda **inputs: oracle_bytes_moved(
        **inputs, size=8, stretched=True
    ),
    "an array that is given twice, as in a * a, counts once: every input counts": lambda **inputs: oracle_bytes_moved(
        **inputs, twice=False
    ),
    "a Python number counts 8 bytes: it is not in memory": lambda **inputs: oracle_bytes_moved(**inputs, number=8),
    "a Python number counts 4 bytes: it is not in memory": lambda **inputs: oracle_bytes_moved(**inputs, number=4),
    "a Python number is no array, and has none of an array's attributes: leave it out first": lambda **inputs: (
        oracle_bytes_moved(**inputs)
        if all(isinstance(x, (np.ndarray, str)) for x in inputs["inputs"])
        else ("raises", "AttributeError")
    ),
    "views count as if their entries had been moved": lambda **inputs: oracle_bytes_moved(**inputs, views="none"),
    "only the first input was asked whether the result is a view of it": lambda **inputs: oracle_bytes_moved(
        **inputs, views="first"
    ),
    "out.base says only that out is a view of something, which may be no input: np.may_share_memory(out, x) asks about an input": lambda **inputs: (
        oracle_bytes_moved(**inputs, views="base")
    ),
    "a view is another object than its input: np.may_share_memory(out, x) asks about the memory": lambda **inputs: (
        oracle_bytes_moved(**inputs, views="same")
    ),
    "out.base is the array at the bottom, not the input that is a view itself: np.may_share_memory(out, x) asks about the memory": lambda **inputs: (
        oracle_bytes_moved(**inputs, views="bottom")
    ),
    "a view moves nothing, not even its input: 0 in all": lambda **inputs: oracle_bytes_moved(
        **inputs, views="none", written=(inputs["result"] in ("its own", "of another"))
    ),
    "a NumPy integer was returned, as np.sum gives it: a Python int is asked for": lambda **inputs: (
        f"{count}, of type int64: a Python int is asked for" if (count := oracle_bytes_moved(**inputs)) else 0
    ),
    "a stretched number counts as often as it is read (nbytes): held counts it once": lambda **inputs: oracle_bytes_moved(
        **inputs, stretched=True
    ),
}


# 09.6 bound


def draw_bound(rng):
    """Intensities on both sides of the roof's edge and on it; nothing to do, nothing to move; any object with the two rates."""
    scale = 2.0 ** int(rng.integers(28, 34))
    edge = float(2 ** int(rng.integers(2, 5)))
    bare = int(rng.integers(6))  # the case whose machine has the two rates and nothing else
    rates = dict(peak=64 * scale, memory=64 * scale / edge, cache=32 * scale)
    for number, intensity in enumerate((0.5, 5 * edge, edge, 1.2 * edge, edge / 3, 0.9 * edge)):
        moved = float(rng.integers(1, 100)) * scale / 1024
        yield dict(flops=intensity * moved, moved=moved, whole=number != bare, **rates)
    yield dict(flops=0.0, moved=scale / 64, whole=True, **rates)
    yield dict(flops=0, moved=0, whole=True, **rates)
    yield dict(flops=scale / 8, moved=0.0, whole=True, **rates)


@whole
def describe_bound(flops, moved, peak, memory, cache, whole):
    """Write the call as a learner would."""
    name, more = ("Machine", f", cache={cache:.4g}, threads=1, blas=''") if whole else ("SimpleNamespace", "")
    return f"bound({flops:.4g}, {moved:.4g}, {name}(flops={peak:.4g}, memory={memory:.4g}{more}))"


def observe_bound(module, flops, moved, peak, memory, cache, whole):
    rates = dict(flops=peak, memory=memory)
    machine = module.Machine(**rates, cache=cache, threads=1, blas="") if whole else types.SimpleNamespace(**rates)
    answer = module.bound(flops, moved, machine)
    pair = answer if isinstance(answer, (list, tuple)) and len(answer) == 2 else (answer, "none")
    return {"returned": kind_of(answer), "seconds": pair[0], "limit": pair[1]}


def oracle_bound(flops, moved, peak, memory, cache, whole, which=max, ties="compute", words=("compute", "memory"), unit=1.0):
    compute, traffic = flops / peak, moved / memory
    limit = words[0] if compute > traffic else words[1] if compute < traffic else ties
    return {"seconds": unit * which(compute, traffic), "limit": limit, "returned": "a tuple"}


def with_cache(flops, moved, peak, memory, cache, whole):
    """The rate of the cache stands for that of the memory, which not every machine has."""
    return oracle_bound(flops, moved, peak, cache, cache, whole) if whole else ("raises", "AttributeError")


def by_rates(flops, moved, peak, memory, cache, whole):
    compute, traffic = flops * peak, moved * memory
    return {"seconds": max(compute, traffic), "limit": "compute" if compute >= traffic else "memory", "returned": "a tuple"}


def attainable(flops, moved, peak, memory, cache, whole):
    """Return the rate that the roofline gives, in place of the time."""
    intensity = flops / moved if moved else math.inf
    return {
        "seconds": min(peak, intensity * memory),
        "limit": "compute" if intensity * memory >= peak else "memory",
        "returned": "a tuple",
    }


def by_intensity(which):
    """Make the oracle of a bound that divides by the bytes, or by what comes of them."""

    def oracle(**inputs):
        if inputs["moved"] == 0 or (inputs["flops"] == 0 and which == "both"):
            return ("raises", "ZeroDivisionError")
        return oracle_bound(**inputs)

    return oracle


def by_counts(flops, moved, peak, memory, cache, whole):
    """The larger of the two counts decides."""
    right = oracle_bound(flops, moved, peak, memory, cache, whole)
    return right | {"limit": "compute" if flops >= moved else "memory"}


misconceptions_bound = {
    "the smaller of the two times: the processor waits for the longer one": lambda **inputs: oracle_bound(**inputs, which=min),
    "the two times were added: arithmetic and traffic go on at once": lambda **inputs: oracle_bound(
        **inputs, which=lambda a, b: a + b
    ),
    "always the time of the arithmetic: where the bytes take longer, theirs counts": lambda **inputs: oracle_bound(
        **inputs, which=lambda a, b: a
    ),
    "the rate of the cache was taken for that of the memory": with_cache,
    "the counts were multiplied by the rates: seconds are a count divided by a rate": by_rates,
    "this is a rate, the FLOPs in a second: how many seconds it takes is asked for": attainable,
    "FLOPs and bytes may be 0, and then their quotient cannot be divided by: take the longer of the two times": by_intensity(
        "both"
    ),
    "the bytes may be 0, and were divided by: take the longer of the two times": by_intensity("bytes"),
    "the two words are exchanged": lambda **inputs: oracle_bound(**inputs, words=("memory", "compute"), ties="memory"),
    "the two words are exchanged, but not where both take as long": lambda **inputs: oracle_bound(
        **inputs, words=("memory", "compute")
    ),
    "where both take as long it is compute, by agreement": lambda **inputs: oracle_bound(**inputs, ties="memory"),
    "the word goes with the larger count: it goes with the longer time": by_counts,
    "the time is in microseconds: seconds are asked for": lambda **inputs: oracle_bound(**inputs, unit=1e6),
    "a list was returned where a tuple is asked for": lambda **inputs: oracle_bound(**inputs) | {"returned": "a list"},
    "the word stands first: the seconds do": lambda **inputs: (
        lambda right: right | {"seconds": right["limit"], "limit": right["seconds"]}
    )(oracle_bound(**inputs)),
}


# 09.7 span: blocks within blocks, each with work before and after the inner ones, on a clock that only work moves

OTHER_CLOCK = "not a time of log.clock()"
ENDS = {"no error": None, "ArithmeticError": ArithmeticError, "KeyboardInterrupt": KeyboardInterrupt, "SystemExit": SystemExit}


def block(name, before, inner=(), after=0.0, end="no error"):
    """Describe a with block: seconds of work before and after the inner blocks, and the error that it ends with."""
    return dict(name=name, before=before, inner=list(inner), after=after, end=end)


def draw_span(rng):
    """Blocks alone, in a row, in each other; errors out of the inner and the outer one; Ctrl-C, which is no Exception."""

    def work():
        return float(rng.integers(1, 64)) / 8

    names = [str(one) for one in rng.permutation(["add", "mul", "exp", "sum", "log"])]
    row = [block(name, work(), (), work()) for name in names[: int(rng.integers(2, 4))]]
    deep = block("a", work(), [block("b", work(), [block("c", work(), (), work())], work())], work())
    failing = block("fails", work(), end="ArithmeticError")
    stopped = block("stopped", work(), end="KeyboardInterrupt")
    yield dict(zero=work(), blocks=[block(names[0], work())])
    yield dict(zero=work(), blocks=[block("step", work(), row, work()), block("last", work(), (), work())])
    yield dict(zero=work(), blocks=[deep])
    yield dict(zero=work(), blocks=[failing, block("next", work())])
    yield dict(zero=work(), blocks=[block("outer", work(), [failing, block("skipped", work())], work()), block("next", work())])
    yield dict(zero=work(), blocks=[block("outer", work(), [block(names[1], work()), stopped], work()), block("next", work())])
    yield dict(zero=work(), blocks=[block("ends", work(), end="SystemExit")])


@whole
def describe_span(zero, blocks):
    """Write the blocks as code."""
    lines = []

    def write(one, indent):
        lines.append(f'{indent}with span(log, "{one["name"]}", details):')
        lines.append(f"{indent}    work for {one['before']:g} s")
        for inner in one["inner"]:
            write(inner, indent + "    ")
        if one["end"] != "no error":
            lines.append(f"{indent}    raise {one['end']}")
        elif one["after"]:
            lines.append(f"{indent}    work for {one['after']:g} s")

    for one in blocks:
        write(one, "")
    return "\n".join(lines)


def observe_span(module, zero, blocks):
    """Run the blocks, and note the depth inside of each; an error ends all blocks that it passes."""
    now, depths, errors, kept, looks = [zero], {}, [], [], []

    def clock():
        looks.append(now[0])
        return now[0]

    log = module.Log(clock=clock)

    def run(one):
        details = {"kind": one["name"]}
        with module.span(log, one["name"], details):
            kept.append(details)
            depths[one["name"]] = log.depth
            now[0] += one["before"]
            if one["end"] != "no error":
                raise ENDS[one["end"]](one["name"])
            for other in one["inner"]:
                run(other)
            now[0] += one["after"]
        now[0] += 1.0

    for one in blocks:
        try:
            run(one)
            errors.append("no error")
        except (ArithmeticError, KeyboardInterrupt, SystemExit) as error:
            errors.append(type(error).__name__)
    spans = log.spans
    return {
        "log.depth within the block": depths,
        "log.depth after all blocks": log.depth,
        "names in log.spans": [one.name for one in spans],
        "span": {
            one.name: {
                "began": one.began if looks else OTHER_CLOCK,
                "ended": one.ended if looks else OTHER_CLOCK,
                "depth": one.depth,
                "details": details_seen(one.details, kept, one.name),
            }
            for one in spans
        },
        "what came out of the outermost blocks": errors,
    }


def details_seen(details, kept, name):
    """Say whether a span has the dict that it was given, as it was given."""
    if not any(details is one for one in kept):
        return "another object"
    return "the dict given" if details == {"kind": name} else "the dict given, with other entries"


def oracle_span(
    zero,
    blocks,
    lost=(),
    stuck=(),
    inner_depth=False,
    swallowed=(),
    still=False,
    begun_first=False,
    lasting=False,
    details="the dict given",
    absolute=False,
    noted_last=False,
    other_clock=False,
    order=list,
    marked=(),
):
    """Run the blocks.

    Args:
        lost: The ends of a block after which there is no span; ``stuck``: after which the depth stays; ``swallowed``: which do
            not come out.
        inner_depth: Whether the depth noted is that within the block.
        still: Whether the depth never changes.
        begun_first: Whether spans stand in the order in which they began.
        lasting: Whether the end that is noted is how long it took.
        details: What a span has of the details.
        absolute: Whether the depth is put to 0 after each block.
        noted_last: Whether the depth noted is one less than the log's at the end of the block.
        other_clock: Whether another clock was read.
        order: What was done to the order of the spans.
        marked: The ends of a block that were written into the details.
    """
    state = dict(now=zero, depth=0)
    names, spans, depths, errors = [], {}, {}, []

    def run(one):
        began, depth = state["now"], state["depth"]
        state["depth"] += not still
        depths[one["name"]] = state["depth"]
        place = len(names)
        end = work(one)
        if end not in lost:
            names.insert(place if begun_first else len(names), one["name"])
            times = {"began": began, "ended": state["now"] - (began if lasting else 0)}
            noted = state["depth"] - 1 if noted_last else depth + inner_depth
            spans[one["name"]] = {
                **(dict.fromkeys(times, OTHER_CLOCK) if other_clock else times),
                "depth": noted,
                "details": "the dict given, with other entries" if end in marked else details,
            }
        if end not in stuck:
            state["depth"] = 0 if absolute else depth
        end = "no error" if end in swallowed else end
        state["now"] += 1.0 if end == "no error" else 0.0
        return end

    def work(one):
        state["now"] += one["before"]
        if one["end"] != "no error":
            return one["end"]
        for other in one["inner"]:
            end = run(other)
            if end != "no error":
                return end
        state["now"] += one["after"]
        return "no error"

    for one in blocks:
        errors.append(run(one))
    return {
        "log.depth within the block": depths,
        "log.depth after all blocks": state["depth"],
        "names in log.spans": order(names),
        "span": spans,
        "what came out of the outermost blocks": errors,
    }


ANY = tuple(name for name in ENDS if name != "no error")
BEYOND = ("KeyboardInterrupt", "SystemExit")  # what `except Exception` lets pass
misconceptions_span = {
    "a block that raises left no span, and the log stayed too deep: the end belongs into `finally`": lambda **inputs: oracle_span(
        **inputs, lost=ANY, stuck=ANY
    ),
    "a block that raises left no span": lambda **inputs: oracle_span(**inputs, lost=ANY),
    "after an error the log stayed too deep": lambda **inputs: oracle_span(**inputs, stuck=ANY),
    "`except Exception` misses Ctrl-C (KeyboardInterrupt) and SystemExit: there the span is lost and the log stays too deep; `finally` "
    "runs at any end": lambda **inputs: oracle_span(**inputs, lost=BEYOND, stuck=BEYOND),
    "`except Exception` misses Ctrl-C (KeyboardInterrupt) and SystemExit: there the log stays too deep; `finally` runs at any end": lambda **inputs: (
        oracle_span(**inputs, stuck=BEYOND)
    ),
    "`except Exception` misses Ctrl-C (KeyboardInterrupt) and SystemExit: there the span is lost; `finally` runs at any end": lambda **inputs: (
        oracle_span(**inputs, lost=BEYOND)
    ),
    "the spans stand in the reverse order: each is appended at the end of the list": lambda **inputs: oracle_span(
        **inputs, order=lambda names: names[::-1]
    ),
    "the log's depth was not put back": lambda **inputs: oracle_span(**inputs, stuck=(*ANY, "no error")),
    "the log's depth was not put back after a block, and the span's depth was taken from it at the end": lambda **inputs: (
        oracle_span(**inputs, stuck=(*ANY, "no error"), noted_last=True)
    ),
    "log.clock() was not read, but another clock": lambda **inputs: oracle_span(**inputs, other_clock=True),
    "the log's depth was put to 0 after each block: it has to be what it was before": lambda **inputs: oracle_span(
        **inputs, absolute=True
    ),
    "the error was swallowed: it has to go on": lambda **inputs: oracle_span(**inputs, swallowed=ANY),
    "the error was swallowed, all but Ctrl-C and SystemExit: it has to go on": lambda **inputs: oracle_span(
        **inputs, swallowed=("ArithmeticError",)
    ),
    "the depth noted is that within the block; the outermost span has depth 0": lambda **inputs: oracle_span(
        **inputs, inner_depth=True
    ),
    "the log's depth did not change: spans within spans look like neighbours": lambda **inputs: oracle_span(**inputs, still=True),
    "the span was appended at the beginning: the list is in the order in which they end": lambda **inputs: oracle_span(
        **inputs, begun_first=True
    ),
    "`ended` holds how long the block took: it is the time of its end": lambda **inputs: oracle_span(**inputs, lasting=True),
    "the error was written into the details: the span keeps them as they are": lambda **inputs: oracle_span(**inputs, marked=ANY),
    "the details were copied: the span keeps the dict that it was given": lambda **inputs: oracle_span(
        **inputs, details="another object"
    ),
}


# 09.8 self_times


def grow(rng, began, depth, levels, unit=8):
    """Yield the spans of a random tree in the order in which they end, as tuples; the last one is its root."""
    now = began + float(rng.integers(0, 5)) / unit
    spans = []
    for _ in range(int(rng.integers(1, 4)) if levels else 0):
        spans += grow(rng, now, depth + 1, levels - 1, unit)
        now = spans[-1][2] + float(rng.integers(0, 5)) / unit
    return [*spans, ("op", began, now + float(rng.integers(1, 9)) / unit, depth)]


def named(spans):
    """Give every span a name of its own: a letter for its depth and a number."""
    return [(f"{'abcdefg'[depth]}{i}", began, ended, depth) for i, (_, began, ended, depth) in enumerate(spans)]


def draw_self_times(rng):
    """No span, one, trees, trees side by side, of spans with one name, and a tree within spans that are not over."""
    yield dict(spans=[])
    yield dict(spans=[("a0", 1.0, float(rng.integers(10, 30)) / 8, 0)])
    for trees, levels in ((1, 1), (2, 1), (1, 2), (3, 2), (2, 3)):
        spans, now = [], float(rng.integers(1, 9))
        for _ in range(trees):
            spans += grow(rng, now, 0, levels)
            now = spans[-1][2]
        yield dict(spans=named(spans))
    yield dict(spans=grow(rng, 0.0, 0, 2))
    yield dict(spans=named([(name, began, ended, depth + 2) for name, began, ended, depth in grow(rng, 0.0, 0, 2)]))


def places(spans):
    """Name spans by their place in the list and their name, which others may have, too."""
    return [f"spans[{i}], {one[0]}" for i, one in enumerate(spans)]


def listed(spans, most=9):
    """Return spans as text, a line for each."""
    lines = [f'Span("{name}", {began:g}, {ended:g}, depth={depth})' for name, began, ended, depth, *_ in spans]
    return "\n".join(lines if len(lines) <= most else [*lines[: most - 1], f"... and {len(lines) - most + 1} more"])


@whole
def describe_self_times(spans):
    """Write the call as a learner would."""
    return f"self_times(spans), where spans holds\n{listed(spans)}" if spans else "self_times([])"


def observe_self_times(module, spans):
    given = [module.Span(*one, {}) for one in spans]
    before = list(given)
    answer = module.self_times(given)
    times = answer if isinstance(answer, (list, tuple)) else []
    return {
        "returned": kind_of(answer),
        "number of self times": len(times),
        "self time of": dict(zip(places(spans), times)),
        "the spans given": "unchanged" if given == before else "changed",
    }


def oracle_self_times(spans, inner="children", since=True, wholes=True, most=None, through=True):
    """Take off what is inside.

    Args:
        inner: What counts as inside: the "children", "all" that is deeper, or "none".
        since: Whether to stop at an earlier span that is not deeper.
        wholes: Whether whole durations are taken off, not self times.
        most: How many are taken off at most.
        through: Whether the walk back goes on behind spans that are deeper than the children.
    """
    own = []
    for i, (_, began, ended, depth) in enumerate(spans):
        left, j, count = ended - began, i - 1, 0
        while j >= 0 and (spans[j][3] > depth or not since) and (through or spans[j][3] == depth + 1):
            counts = spans[j][3] == depth + 1 if inner == "children" else spans[j][3] > depth
            if counts and inner != "none" and (most is None or count < most):
                left -= spans[j][2] - spans[j][1] if wholes else own[j]
                count += 1
            j -= 1
        own.append(left)
    return {
        "number of self times": len(spans),
        "self time of": dict(zip(places(spans), own)),
        "returned": "a list",
        "the spans given": "unchanged",
    }


def reversed_times(spans):
    """The list was filled from its end."""
    right = oracle_self_times(spans)
    return right | {"self time of": dict(zip(right["self time of"], list(right["self time of"].values())[::-1]))}


def by_name(spans):
    """Keep the sums under the names of the spans, which others may have, too: the last of a name counts for all of them."""
    right = oracle_self_times(spans)
    times = list(right["self time of"].values())
    last = {one[0]: own for one, own in zip(spans, times)}
    return right | {"self time of": dict(zip(places(spans), [last[one[0]] for one in spans]))}


misconceptions_self_times = {
    "the times were kept under the names of the spans: several spans may have one name": by_name,
    "these are whole durations: what lies inside was not taken off": lambda **inputs: oracle_self_times(**inputs, inner="none"),
    "spans within the inner spans were taken off, too: they are part of those already": lambda **inputs: oracle_self_times(
        **inputs, inner="all"
    ),
    "all earlier spans one deeper were taken off, those inside of another span, too": lambda **inputs: oracle_self_times(
        **inputs, since=False
    ),
    "the self times of the inner spans were taken off: their whole durations are": lambda **inputs: oracle_self_times(
        **inputs, wholes=False
    ),
    "only the last span directly inside was taken off": lambda **inputs: oracle_self_times(**inputs, most=1),
    "the walk back ended at a span that is deeper still: it ends at one that is not deeper": lambda **inputs: oracle_self_times(
        **inputs, through=False
    ),
    "the times stand in the reverse order of the spans": reversed_times,
}


# 09.9 trace_events


def draw_trace_events(rng):
    """Trees alone and side by side, with and without details, at times that are no whole microseconds; one name for all; no span."""
    for trees, thread in ((1, int(rng.integers(1, 9))), (2, 0), (1, int(rng.integers(9, 99))), (3, 1)):
        zero = float(rng.integers(1, 100))
        spans = []
        for _ in range(trees):
            spans += grow(rng, (spans[-1][2] if spans else zero) + float(rng.integers(1, 9)) / 2**12, 0, 1, 2**12)
        spans = spans if thread == 0 else named(spans)
        spans = [(*one, {"flops": int(rng.integers(1, 100)), "kind": "kernel"} if i % 2 else {}) for i, one in enumerate(spans)]
        yield dict(spans=spans, zero=zero, thread=thread)
    yield dict(spans=[], zero=0.0, thread=1)


@whole
def describe_trace_events(spans, zero, thread):
    """Write the call as a learner would."""
    if not spans:
        return f"trace_events([], zero={zero:g}, thread={thread})"
    lines = [f'Span("{name}", {began!r}, {ended!r}, {depth}, {details})' for name, began, ended, depth, details in spans[:6]]
    more = [f"... and {len(spans) - 6} more"] if len(spans) > 6 else []
    return "\n".join([f"trace_events(spans, zero={zero:g}, thread={thread}), where spans holds", *lines, *more])


def observe_trace_events(module, spans, zero, thread):
    given = [module.Span(*one) for one in spans]
    before = list(given)
    answer = module.trace_events(given, zero, thread)
    changed = "turned round" if given == before[::-1] else "emptied" if not given else "changed"
    return with_order(answer, "unchanged" if given == before else changed)


def with_order(events, given="unchanged", returned=None):
    """Give events the form in which they are compared: their order first, then each under its name."""
    returned = returned or kind_of(events)
    events = events if isinstance(events, (list, tuple)) else []
    order = [one.get("name", "an event without a name") if isinstance(one, dict) else kind_of(one) for one in events]
    return {
        "returned": returned,
        "names of the events, in order": order,
        "event": {f"{i}, {name}": one for i, (name, one) in enumerate(zip(order, events))},
        "the list of spans given": given,
    }


def oracle_trace_events(
    spans,
    zero,
    thread,
    unit=1e6,
    start=True,
    end=False,
    order=lambda spans: spans[::-1],
    swapped=False,
    rounded=False,
    drop=(),
    given="unchanged",
    **other,
):
    events = []
    for name, began, ended, _, details in order(spans):
        ts, dur = (began - (zero if start else 0.0)) * unit, (ended - ((zero if start else 0.0) if end else began)) * unit
        ts, dur = (int(ts), int(dur)) if rounded else (ts, dur)
        event = {
            "name": name,
            "ph": "X",
            "ts": ts,
            "dur": dur,
            "pid": thread if swapped else 0,
            "tid": 0 if swapped else thread,
            "args": details,
        } | other
        events.append({key: value for key, value in event.items() if key not in drop})
    return with_order(events, given if len(spans) > 1 else "unchanged", "a list")


def scaled_key(key):
    """Make the oracle of events in which one of the two times is in seconds."""

    def oracle(**inputs):
        right = oracle_trace_events(**inputs)
        return right | {"event": {name: {**event, key: event[key] / 1e6} for name, event in right["event"].items()}}

    return oracle


misconceptions_trace_events = {
    "ts is in seconds: microseconds are wanted": scaled_key("ts"),
    "dur is in seconds: microseconds are wanted": scaled_key("dur"),
    "the times are in seconds: microseconds are wanted": lambda **inputs: oracle_trace_events(**inputs, unit=1.0),
    "the times are in milliseconds: microseconds are wanted": lambda **inputs: oracle_trace_events(**inputs, unit=1e3),
    "the times are in nanoseconds: microseconds are wanted": lambda **inputs: oracle_trace_events(**inputs, unit=1e9),
    "the times were rounded to whole microseconds: short ops lose theirs": lambda **inputs: oracle_trace_events(
        **inputs, rounded=True
    ),
    "zero was ignored: times count from it": lambda **inputs: oracle_trace_events(**inputs, start=False),
    "dur is when it ended: how long it took is wanted": lambda **inputs: oracle_trace_events(**inputs, end=True),
    "the spans are in the order in which they ended: the outer one has to stand first": lambda **inputs: oracle_trace_events(
        **inputs, order=list
    ),
    "the spans were sorted by their beginning: the last one of the list stands first": lambda **inputs: oracle_trace_events(
        **inputs, order=lambda spans: sorted(spans, key=lambda one: one[1])
    ),
    "the spans were sorted by their depth: the last one of the list stands first": lambda **inputs: oracle_trace_events(
        **inputs, order=lambda spans: sorted(spans, key=lambda one: one[3])
    ),
    "the list that was given was turned round: it belongs to the log": lambda **inputs: oracle_trace_events(
        **inputs, given="turned round"
    ),
    "the list that was given is empty afterwards: it belongs to the log": lambda **inputs: (
        oracle_trace_events(**inputs) | {"the list of spans given": "emptied" if inputs["spans"] else "unchanged"}
    ),
    "pid and tid are exchanged": lambda **inputs: oracle_trace_events(**inputs, swapped=True),
    'ph is "X", for a complete event; "B" is only its beginning': lambda **inputs: oracle_trace_events(**inputs, ph="B"),
    "args is empty: it holds the span's details": lambda **inputs: oracle_trace_events(**inputs, args={}),
    "the key args is missing: it holds the span's details": lambda **inputs: oracle_trace_events(**inputs, drop=("args",)),
}
rtol_trace_events = 1e-9  # a million, to the last digit
