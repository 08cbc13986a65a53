"""The check of 09.1 measure: a clock that stands still until the function is called."""

import math

import numpy as np

from .shared import NOTHING, kind_of, numbers, whole

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
