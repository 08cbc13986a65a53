"""Checks of module 02. NumPy only: nothing here runs the code that it judges, except `observe`.

Whatever overflows, divides by zero or computes inf - inf in learner code is an error here, not a warning.
"""

import math
from functools import partial

import numpy as np

OVERFLOW = ("raises", "FloatingPointError", "overflow")
INVALID = ("raises", "FloatingPointError", "invalid")  # inf - inf, 0 * inf, 0 / 0


def invalid(operation):
    """An exception about an operation with no result, such as "add"."""
    return (*INVALID[:2], f"invalid value encountered in {operation}")


LARGEST = math.log(np.finfo(np.float32).max)  # about 88.7: the exponential of more than this is no float32


def some(rng, scale=1.0):
    """Draw float32 entries of one to four axes."""
    return np.float32(scale) * rng.normal32(*rng.sizes(rng.size(1, 4)))


def forward(op, a, **options):
    """Run an op; what overflows or is no number is an error."""
    with np.errstate(over="raise", invalid="raise"):
        return op.forward(a, **options)


def labelled(a, out, keeps_integers=False):
    """An oracle's answer: integers where they are kept, and of float32 what float32 can hold: 0 for the smallest numbers."""
    keeps = keeps_integers and a.dtype.kind == "i"
    with np.errstate(over="ignore"):
        return np.asarray(out).astype(a.dtype) if keeps or a.dtype == np.float32 and np.asarray(out).dtype.kind == "f" else out


def entrywise(function, a, keeps_integers=False):
    """Apply a function of one Python number to every entry."""
    values = [function(x) for x in a.astype(np.float64).ravel().tolist()]
    return labelled(a, np.array(values, np.float64).reshape(a.shape), keeps_integers)


def overflows(a, largest=LARGEST):
    """Whether the float32 exponential of some entry is infinite."""
    return a.dtype == np.float32 and a.size > 0 and bool(np.nanmax(a) > largest)


# 02.1 relu


def draw_relu(rng):
    """Plain entries of one to four axes; integers; and what is not finite."""
    yield dict(a=some(rng))
    yield dict(a=rng.normal32(*rng.sizes(2)))
    yield dict(a=np.float32(rng.mix([-np.inf, -2.5, 0.0, 0.25, np.inf, np.nan])))
    yield dict(a=np.array(rng.mix([-7, -1, 0, 3, 12])))
    yield dict(a=rng.integers(-9, 10, rng.sizes(2)))
    yield dict(a=rng.standard_normal(rng.sizes(rng.size(2, 4))) * 100)


def observe_relu(relu, a):
    return forward(relu, a)


def oracle_relu(a, negative=lambda x: 0.0):
    return entrywise(lambda x: negative(x) if x < 0 else x, a, keeps_integers=True)


def relu_by_mask(a):
    return invalid("multiply") if np.isneginf(a.astype(np.float64)).any() else oracle_relu(a)


def relu_by_halves(a):
    """Half of a and its absolute value together."""
    return invalid("add") if np.isneginf(a.astype(np.float64)).any() else oracle_relu(a)


def relu_by_python_max(a):
    return oracle_relu(a) if a.size == 1 else ("raises", "ValueError")


misconceptions_relu = {
    "negative entries lost their sign instead of becoming 0": lambda a: oracle_relu(a, negative=lambda x: -x),
    "the positive entries became 0 and the negative ones stayed": lambda a: labelled(a, np.minimum(a, 0), True),
    "the result is where a is positive, as True and False, not the entries themselves": lambda a: a > 0,
    "only the positive entries are left, but the shape must stay": lambda a: labelled(a, a[a > 0], True),
    "nan became 0: a comparison with nan is always False, and np.fmax prefers the number": lambda a: entrywise(
        lambda x: x if x > 0 else 0.0, a, True
    ),
    "the array was multiplied by a mask, and minus infinity times 0 is nan": relu_by_mask,
    "an entry and its absolute value were added, and minus infinity plus infinity is nan": relu_by_halves,
    "Python's max compares two whole things, not entry by entry": relu_by_python_max,
    "the loop runs over the first axis: over numbers only where that is the only one": lambda a: np.array([max(0, x) for x in a]),
}


# 02.2 sigmoid


def draw_sigmoid(rng):
    """Moderate entries of one to four axes, very negative ones, very positive ones; float64 and integers."""
    yield dict(a=some(rng, 3))
    yield dict(a=np.float32(rng.mix([-1000, -89, -85, -60, -30, -1.5, 0, 2, 30])))
    yield dict(a=np.float32(rng.mix([0.5, 3, 120, 200, 1000, -2])))
    yield dict(a=rng.standard_normal(rng.sizes(3)))
    yield dict(a=np.float64(rng.mix([-700, -200, -90.5, 3, 1000])))
    yield dict(a=np.array(rng.mix([-4, 0, 3, 7, 1])))


def observe_sigmoid(sigmoid, a):
    return forward(sigmoid, a)


def logistic(x):
    """1 / (1 + exp(-x)) for one number, by the form that does not overflow."""
    return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))


def oracle_sigmoid(a):
    return entrywise(logistic, a)


def cancelled_sigmoid(a):
    """1 - 1 / (1 + exp(a)): nothing is left of a share below the last digit of 1."""
    last = 6e-8 if a.dtype == np.float32 else 1.1e-16
    return entrywise(lambda x: logistic(x) if logistic(x) > last else 0.0, a)


def cut_sigmoid(at, above=False):
    """The exponent stays within `at`, for very negative entries or for both ends."""
    return lambda a: entrywise(lambda x: logistic(max(min(x, at) if above else x, -at)), a)


misconceptions_sigmoid = {
    "1 / (1 + exp(-a)) overflows for very negative entries": lambda a: OVERFLOW if overflows(-a) else oracle_sigmoid(a),
    "exp(a) / (1 + exp(a)) overflows for very positive entries": lambda a: OVERFLOW if overflows(a) else oracle_sigmoid(a),
    "np.where computes both forms before it picks: the one not picked overflows": lambda a: (
        OVERFLOW if overflows(np.abs(a)) else oracle_sigmoid(a)
    ),
    "the overflow was silenced, and 1 / inf is 0: a value that float32 can hold is lost": lambda a: entrywise(
        lambda x: 0.0 if -x > LARGEST and a.dtype == np.float32 else logistic(x), a
    ),
    "the sign is turned around: large entries give 0": lambda a: oracle_sigmoid(-a),
    "negative entries give what their positive counterparts give: the sign got lost with the absolute value": lambda a: (
        oracle_sigmoid(np.abs(a))
    ),
    "tiny values came out as 0: 1 - s and 1 + tanh leave no digits of them, because both numbers are near 1 (cancellation)": (
        cancelled_sigmoid
    ),
    "the exponent was cut off: entries beyond the cut all give the same value": tuple(
        cut_sigmoid(float(at)) for at in (10, 15, 16, 20, 25, 30, 36, 40, 50, 60, 64, 70, 80, 88)
    ),
    "the result was given the dtype of integer entries, which cut the fractions off": lambda a: (
        (1 / (1 + np.exp(-1.0 * a))).astype(a.dtype) if a.dtype.kind == "i" else oracle_sigmoid(a)
    ),
    "math.exp takes one number, not an array": lambda a: 1 / (1 + math.exp(-a)),
}
atol_sigmoid = 0.0  # a value of 9e-14 has digits to get right


# 02.3 tanh


def draw_tanh(rng):
    """Moderate entries of one to four axes, small, tiny and huge ones; float64 and integers."""
    yield dict(a=some(rng))
    yield dict(a=np.float32(rng.pick(-1, 1) * 10 ** rng.uniform(-6, -1, 9)))
    yield dict(a=np.float32(1e-9) * rng.normal32(*rng.sizes(rng.size(1, 2))))
    yield dict(a=np.float32(rng.mix([-300, -40, 0.3, 12, 120, 500, -1.5])))
    yield dict(a=rng.standard_normal(rng.sizes(3)))
    yield dict(a=np.array(rng.mix([-4, 0, 1, 2, 25])))


def observe_tanh(tanh, a):
    return forward(tanh, a)


def hyperbolic(x):
    """tanh of one number, by a form that neither overflows nor cancels."""
    e = math.expm1(-2 * abs(x))
    return math.copysign(-e / (2 + e), x)


def oracle_tanh(a):
    return entrywise(hyperbolic, a)


def cancelled(a):
    """What every formula that subtracts numbers near each other makes of tiny float32 entries."""
    tiny = a.dtype == np.float32 and np.abs(a).max() < 1e-7
    return np.zeros_like(a) if tiny else oracle_tanh(a)


def cut_tanh(a, at):
    return entrywise(lambda x: hyperbolic(max(min(x, at), -at)), a)


misconceptions_tanh = {
    "tiny entries came out as 0: the formula subtracts 1 from a number near 1, which has no digits left (cancellation)": cancelled,
    "the quotient of exponentials overflows for large entries, and loses tiny ones": lambda a: (
        OVERFLOW if overflows(np.abs(a)) else cancelled(a)
    ),
    "that is the sigmoid: its values lie between 0 and 1": oracle_sigmoid,
    "that is the arc tangent: its values go up to 1.57": lambda a: entrywise(math.atan, a),
    "the sign is turned around": lambda a: oracle_tanh(-a),
    "the entries were cut off: beyond the cut all give the same value": tuple(
        partial(cut_tanh, at=float(at)) for at in (1, 2, 3, 4)
    ),
    "math.tanh takes one number; NumPy has one for arrays": lambda a: math.tanh(a),
}
atol_tanh = 0.0  # an entry of 1e-9 has digits to get right


# 02.4 gelu


def draw_gelu(rng):
    """Both forms, the default, entries far from 0, float64 and integers, and a word that means neither."""
    yield dict(a=some(rng, 2))
    yield dict(a=np.float32(rng.mix([-100, -2.3, -0.7, 0, 0.2, 1, 50])), approximate="none")
    yield dict(a=some(rng, 2), approximate="tanh")
    yield dict(a=np.float32(rng.mix([-100, -3.5, -1.2, 0.4, 2.6, 80])), approximate="tanh")
    yield dict(a=2 * rng.standard_normal(rng.sizes(2)), approximate=rng.pick("none", "tanh"))
    yield dict(a=np.array(rng.mix([-3, -1, 0, 2, 5])), approximate=rng.pick("none", "tanh"))
    yield dict(a=some(rng), approximate=rng.pick("sigmoid", "erf", "exact"))
    yield dict(a=some(rng), approximate=rng.pick("tan", "non", ""))


def observe_gelu(gelu, a, **options):
    return forward(gelu, a, **options)


def gelu_exactly(x):
    return x * 0.5 * math.erfc(-x / math.sqrt(2))


def gelu_by_tanh(x, factor=0.044715):
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + factor * x**3)))


def oracle_gelu(a, approximate="none", none=gelu_exactly, tanh=gelu_by_tanh):
    form = {"none": none, "tanh": tanh}.get(approximate)
    return entrywise(form, a) if form else ("raises", "ValueError", approximate)


def gelu_silent(a, approximate="none"):
    return oracle_gelu(a, approximate if approximate in ("none", "tanh") else "tanh")


def gelu_silent_exact(a, approximate="none"):
    return oracle_gelu(a, approximate if approximate in ("none", "tanh") else "none")


def gelu_returns_nothing(a, approximate="none"):
    return oracle_gelu(a, approximate) if approximate in ("none", "tanh") else None


def gelu_nameless(a, approximate="none"):
    return oracle_gelu(a, approximate) if approximate in ("none", "tanh") else ("raises", "ValueError")


misconceptions_gelu = {
    "approximate is ignored: always the exact form": lambda a, approximate="none": oracle_gelu(a, "none"),
    "approximate is ignored: always the tanh form": lambda a, approximate="none": oracle_gelu(a, "tanh"),
    "the two forms are exchanged, or the default is the wrong one": lambda a, approximate="none": oracle_gelu(
        a, approximate, none=gelu_by_tanh, tanh=gelu_exactly
    ),
    "erf is taken of x, not of x divided by the square root of 2": lambda a, approximate="none": oracle_gelu(
        a, approximate, none=lambda x: 0.5 * x * math.erfc(-x)
    ),
    "erf(x) was divided by the square root of 2: it is x that is divided, before erf": lambda a, approximate="none": oracle_gelu(
        a, approximate, none=lambda x: 0.5 * x * (1 + math.erf(x) / math.sqrt(2))
    ),
    "that is the probability alone: it is still to be multiplied by x": lambda a, approximate="none": oracle_gelu(
        a, approximate, lambda x: 0.5 * math.erfc(-x / math.sqrt(2)), lambda x: gelu_by_tanh(x) / x if x else 0.5
    ),
    "everything is twice as large: the one half is missing": lambda a, approximate="none": oracle_gelu(
        a, approximate, lambda x: 2 * gelu_exactly(x), lambda x: 2 * gelu_by_tanh(x)
    ),
    "x times sigmoid(1.702 x) is a third, coarser form": lambda a, approximate="none": oracle_gelu(
        a, approximate, none=lambda x: x * logistic(1.702 * x)
    ),
    "x is squared in the tanh form, not cubed": lambda a, approximate="none": oracle_gelu(
        a, approximate, tanh=lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x)))
    ),
    "the root multiplies x alone: it belongs to the whole sum of x and 0.044715 x cubed": lambda a, approximate="none": (
        oracle_gelu(a, approximate, tanh=lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * x + 0.044715 * x**3)))
    ),
    "the constant of the tanh form is the root of 2 / pi, not of 2 * pi": lambda a, approximate="none": oracle_gelu(
        a, approximate, tanh=lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 * math.pi) * (x + 0.044715 * x**3)))
    ),
    "an assert gives an AssertionError; a ValueError is asked for": lambda a, approximate="none": (
        oracle_gelu(a, approximate) if approximate in ("none", "tanh") else ("raises", "AssertionError")
    ),
    "an unknown approximate silently gives the tanh form": gelu_silent,
    "an unknown approximate silently gives the exact form": gelu_silent_exact,
    "an unknown approximate silently gives None": gelu_returns_nothing,
    "the error does not show which approximate was given": gelu_nameless,
}


# 02.5 softmax


def draw_softmax(rng):
    """The default axis and others of one to four, of size 1, entries that overflow, rows and scores far apart, a mask of -inf, integers."""
    m, n = rng.sizes(2, 3, 7)
    yield dict(a=2 * rng.normal32(m, n))
    yield dict(a=2 * rng.normal32(m, n), dim=0)
    yield dict(a=rng.normal32(*rng.sizes(3)), dim=1)
    yield dict(a=rng.normal32(*rng.sizes(3)), dim=-2)
    ndim = rng.size(1, 4)
    yield dict(a=rng.normal32(*rng.sizes(ndim)), dim=rng.axis(ndim))
    yield dict(a=rng.normal32(m, 1, n), dim=rng.pick(1, 0, -3))
    yield dict(a=1000 + rng.normal32(m, n))
    yield dict(a=60 + rng.normal32(n, m))
    yield dict(a=np.float32([[40], [-160], [0]]) + rng.normal32(3, n), dim=rng.pick(1, -1))
    yield dict(a=np.float32([40, -160, 0]) + rng.normal32(n, 3), dim=rng.pick(0, -2))
    yield dict(a=rng.permuted(np.float32([[0, -86, -25, -50], [-45, 0, -83.5, 1]]), axis=1))
    yield dict(a=np.float32(np.where(rng.permutation(n) < 2, -np.inf, rng.normal32(m, n))))
    yield dict(a=rng.standard_normal((2, n)), dim=0)
    yield dict(a=np.array(rng.mix([-3, 0, 2, 5])))


def observe_softmax(softmax, a, **options):
    return forward(softmax, a, **options)


def along(function, a, dim):
    """Apply a function of a list of numbers along an axis."""
    values = np.apply_along_axis(lambda row: function(row.tolist()), dim, a.astype(np.float64)) if a.size else a
    return labelled(a, values)


def shares(row):
    """The shares of one row, by a loop, in float64."""
    largest = max(row)
    powers = [math.exp(x - largest) for x in row]
    return [power / math.fsum(powers) for power in powers]


def oracle_softmax(a, dim=-1):
    return along(shares, a, dim)


def softmax_of_everything(a, dim=-1):
    return labelled(a, np.reshape(shares(a.astype(np.float64).ravel().tolist()), a.shape) if a.size else a)


def powers_of_rows(a, dim):
    """The exponentials, each row shifted by its own largest entry."""
    values = a.astype(np.float64)
    return np.exp(values - values.max(axis=dim, keepdims=True))


def softmax_unshifted(a, dim=-1):
    """Overflow, or 0 / 0 where a whole row is far below 0."""
    with_no_share = a.size and a.dtype == np.float32 and bool((a.max(axis=dim) < -104).any())
    return OVERFLOW if overflows(a) else INVALID if with_no_share else oracle_softmax(a, dim)


def softmax_with_one_shift(a, dim=-1):
    """The largest entry of all: what lies far below it is 0 / 0; of nothing there is no largest entry."""
    if not a.size:
        return ("raises", "ValueError")
    too_far = a.dtype == np.float32 and bool((a.max(axis=dim) - a.max() < -104).any())
    return INVALID if too_far else oracle_softmax(a, dim)


def softmax_with_the_largest_added(a, dim=-1):
    """Overflow where twice the largest score is too much, 0 / 0 where twice that of a row is far below 0."""
    if not a.size:
        return oracle_softmax(a, dim)
    sums = a + a.max(axis=dim, keepdims=True)
    lost = a.dtype == np.float32 and bool((sums.max(axis=dim) < -104).any())
    return OVERFLOW if overflows(sums) else INVALID if lost else oracle_softmax(a, dim)


def largest_along_the_last(a, dim=-1):
    """Each entry is shifted by the largest of its last axis, and divided by the sum along dim."""
    if not a.size:
        return oracle_softmax(a, dim)
    values = a.astype(np.float64)
    shifted = values - values.max(axis=-1, keepdims=True)
    if a.dtype == np.float32 and (shifted.max(axis=dim) < -104).any():
        return INVALID
    powers = np.exp(shifted)
    return powers / powers.sum(axis=dim, keepdims=True)


def softmax_cut_off(a, dim=-1, at=80.0):
    return along(lambda row: shares([min(max(x, -at), at) for x in row]), a, dim)


def softmax_with_a_floor(a, dim=-1, at=-80.0):
    """No score is further than that below the largest of its row."""
    values = a.astype(np.float64)
    return along(shares, labelled(a, np.maximum(values - values.max(axis=dim, keepdims=True), at)), dim)


def softmax_without_keepdims(a, dim=-1):
    powers = powers_of_rows(a, dim)
    return labelled(a, powers / powers.sum(axis=dim))


atol_softmax = 0.0  # a probability of 1e-37 has digits to get right, and that of -inf is exactly 0
misconceptions_softmax = {
    "exponentials of the scores as they are overflow, and vanish where all scores of a row are far below 0": softmax_unshifted,
    "rows far below what was subtracted became 0 / 0: subtract each row's own largest entry, whatever its sign": softmax_with_one_shift,
    "the largest score was added; taking it off is what keeps the exponentials small": softmax_with_the_largest_added,
    "the largest entry of the whole array was subtracted unless dim is the last: each row along dim has its own": lambda a, dim=-1: (
        oracle_softmax(a, dim) if dim in (-1, a.ndim - 1) else softmax_with_one_shift(a, dim)
    ),
    "the largest entry was taken along the last axis, the sum along dim": largest_along_the_last,
    "the scores were cut off: beyond the cut all of them are equal": tuple(
        partial(softmax_cut_off, at=float(at)) for at in (20, 30, 50, 60, 80, 88)
    ),
    "scores far below the largest were kept from falling further: what is beyond the floor all gets the same, and -inf more than 0": tuple(
        partial(softmax_with_a_floor, at=-float(at)) for at in (20, 30, 50, 60, 70, 80)
    ),
    "dim is missing in the sum: all entries together sum to 1": lambda a, dim=-1: labelled(
        a, powers_of_rows(a, dim) / powers_of_rows(a, dim).sum()
    ),
    "dim is missing in the largest entry and in the sum: all entries together sum to 1": softmax_of_everything,
    "dim is ignored: always the last axis": lambda a, dim=-1: oracle_softmax(a, -1),
    "the default is the first axis, but it must be the last": lambda a, dim=0: oracle_softmax(a, dim),
    "the sum lost its axis and lines up with another one: keepdims is missing": softmax_without_keepdims,
    "the sum lost its axis, and got it back at the end: keepdims keeps it where it was": lambda a, dim=-1: labelled(
        a, powers_of_rows(a, dim) / powers_of_rows(a, dim).sum(axis=dim)[..., None]
    ),
    "the exponentials are not divided by their sum": lambda a, dim=-1: labelled(a, powers_of_rows(a, dim)),
    "divided by the largest exponential instead of their sum, or the scores by their sum: take exponentials first": lambda a, dim=-1: (
        along(lambda row: [x / sum(row) for x in row], a, dim)
    ),
}


# 02.6 log_softmax


def draw_log_softmax(rng):
    """As for softmax, and scores so far apart that a share is 0 in float32, or that one of them is -inf."""
    m, n = rng.sizes(2, 3, 7)
    yield dict(a=2 * rng.normal32(m, n))
    yield dict(a=2 * rng.normal32(m, n), dim=0)
    yield dict(a=rng.normal32(*rng.sizes(3)), dim=1)
    yield dict(a=rng.normal32(*rng.sizes(3)), dim=-2)
    ndim = rng.size(1, 4)
    yield dict(a=rng.normal32(*rng.sizes(ndim)), dim=rng.axis(ndim))
    yield dict(a=rng.normal32(m, 1, n), dim=rng.pick(1, 0, -3))
    yield dict(a=rng.permuted(np.float32([[0, -3, -120, 4], [-700, 2, 1, -150]]), axis=1))
    yield dict(a=1000 + rng.normal32(m, n))
    yield dict(a=60 + rng.normal32(n, m))
    yield dict(a=np.float32([[40], [-160], [0]]) + rng.normal32(3, n), dim=rng.pick(1, -1))
    yield dict(a=np.float32([40, -160, 0]) + rng.normal32(n, 3), dim=rng.pick(0, -2))
    yield dict(a=np.float32(np.where(rng.permutation(n) < 2, -np.inf, rng.normal32(m, n))))
    yield dict(a=rng.standard_normal((2, n)), dim=0)
    yield dict(a=np.array(rng.mix([-3, 0, 2, 5])))


def observe_log_softmax(log_softmax, a, **options):
    return forward(log_softmax, a, **options)


def log_shares(row):
    """The logarithms of the shares of one row, by a loop, in float64."""
    largest = max(row)
    total = math.log(math.fsum(math.exp(x - largest) for x in row))
    return [x - largest - total for x in row]


def oracle_log_softmax(a, dim=-1):
    return along(log_shares, a, dim)


def log_of_softmax(a, dim=-1):
    """-inf wherever the share is below what float32 can hold."""
    if not a.size or a.dtype != np.float32:
        return oracle_log_softmax(a, dim)
    logs = oracle_log_softmax(a, dim)
    return np.where(logs < -103.9, -np.inf, logs)


def log_softmax_of_the_whole(a, dim=-1):
    """The largest entry of the whole array was subtracted; float32 gives 0 far below it."""
    with np.errstate(all="ignore"):
        shifted = a - a.max()
        return labelled(a, shifted - np.log(np.exp(shifted).sum(axis=dim, keepdims=True)))


def log_softmax_overflows(a, dim=-1):
    """log(0) of a whole row far below 0 is -inf, and a - (-inf) is inf."""
    if not a.size or a.dtype != np.float32:
        return oracle_log_softmax(a, dim)
    lost = a.max(axis=dim, keepdims=True) < -104
    return OVERFLOW if overflows(a) else np.where(lost, np.inf, oracle_log_softmax(a, dim))


def log_softmax_shifted_once(a, dim=-1):
    """a - log(sum(exp(a - m))): too large by m."""
    return along(lambda row: [x + max(row) for x in log_shares(row)], a, dim)


def log_softmax_of_everything(a, dim=-1):
    return labelled(a, np.reshape(log_shares(a.astype(np.float64).ravel().tolist()), a.shape) if a.size else a)


def log_softmax_without_keepdims(a, dim=-1):
    shifted = a.astype(np.float64) - a.max(axis=dim, keepdims=True)
    return labelled(a, shifted - np.log(np.exp(shifted).sum(axis=dim)))


def log_softmax_of_more(small=None):
    """Add a small number to the shares; by default the smallest of the dtype."""

    def wrong(a, dim=-1):
        shares = oracle_softmax(a, dim).astype(np.float64)
        return labelled(a, np.log(shares + (small or np.finfo(a.dtype if a.dtype.kind == "f" else np.float64).tiny)))

    return wrong


misconceptions_log_softmax = {
    "the logarithm of the shares themselves: a share that float32 rounds to 0 gives -inf": log_of_softmax,
    "the largest entry of the whole array was subtracted: in rows far below it every exponential is 0": log_softmax_of_the_whole,
    "exponentials of the scores as they are overflow, or all become 0": log_softmax_overflows,
    "the largest score is subtracted inside the exponential only, not from the score itself": log_softmax_shifted_once,
    "the logarithm of the sum is added, not subtracted": lambda a, dim=-1: along(
        lambda row: [2 * (x - max(row)) - y for x, y in zip(row, log_shares(row))], a, dim
    ),
    "the logarithm is missing: these are the shares": oracle_softmax,
    "a small number was added before the logarithm: it hides every share below it": tuple(
        log_softmax_of_more(small) for small in (None, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-20, 1e-30, 1e-38)
    ),
    "the sum itself was subtracted: its logarithm is missing": lambda a, dim=-1: along(
        lambda row: [x - max(row) - math.fsum(math.exp(y - max(row)) for y in row) for x in row], a, dim
    ),
    "the largest score was subtracted twice": lambda a, dim=-1: along(
        lambda row: [y - max(row) for y in log_shares(row)], a, dim
    ),
    "one sum over the whole array, not one along dim": log_softmax_of_everything,
    "dim is ignored: always the last axis": lambda a, dim=-1: oracle_log_softmax(a, -1),
    "the default is the first axis, but it must be the last": lambda a, dim=0: oracle_log_softmax(a, dim),
    "the sum lost its axis and lines up with another one: keepdims is missing": log_softmax_without_keepdims,
}


# 02.7 leaky_relu


def draw_leaky_relu(rng):
    """The default slope and others, one of them steeper than 1, one below 0; integers; what is not finite."""
    yield dict(a=some(rng, 100))
    yield dict(a=some(rng), negative_slope=-0.5)
    yield dict(a=some(rng), negative_slope=rng.pick(0.3, 0.125, 0.2))
    yield dict(a=rng.normal32(rng.size(5, 9)), negative_slope=rng.pick(3.0, 1.5))
    yield dict(a=np.float32(rng.mix([-np.inf, -2.5, 0.0, 0.25, np.inf, np.nan])), negative_slope=0.5)
    yield dict(a=rng.standard_normal(rng.sizes(2)), negative_slope=0.1)
    yield dict(a=np.array(rng.mix([-8, -1, 0, 3, 12])), negative_slope=rng.pick(0.25, 0.3))
    yield dict(a=some(rng), negative_slope=0.0)


def observe_leaky_relu(leaky_relu, a, **options):
    return forward(leaky_relu, a, **options)


def oracle_leaky_relu(a, negative_slope=0.01):
    return entrywise(lambda x: x * negative_slope if x < 0 else x, a)


misconceptions_leaky_relu = {
    "the larger of a and its scaled copy: wrong for slopes above 1": lambda a, negative_slope=0.01: entrywise(
        lambda x: x if x != x else max(x, x * negative_slope), a
    ),
    "negative_slope is ignored: always 0.01": lambda a, negative_slope=0.01: oracle_leaky_relu(a),
    "negative entries became 0: that is relu": lambda a, negative_slope=0.01: oracle_leaky_relu(a, 0.0),
    "negative entries came out positive": lambda a, negative_slope=0.01: oracle_leaky_relu(a, -negative_slope),
    "the products were written into an array of integers, which cut off the fractions": lambda a, negative_slope=0.01: (
        np.trunc(oracle_leaky_relu(a, negative_slope)) if a.dtype.kind == "i" else oracle_leaky_relu(a, negative_slope)
    ),
    "nan was scaled away or became a number": lambda a, negative_slope=0.01: entrywise(
        lambda x: 0.0 if x != x else x * negative_slope if x < 0 else x, a
    ),
}
