"""Checks of module 10. NumPy only: nothing here runs the code that it judges, except `observe`.

A kernel is called as Python first: compiled code does not look at indices, and one that is wrong reads and writes what belongs
to others. What passed as Python is compiled as well, in one case of each draw, because Python is more than numba understands.
"""
import math
import sys

import numpy as np

FLOAT64 = False  # a kernel is compiled for float32

COMPILE = True     # False while mutants are run
MACHINE_CODE = {}  # Python function -> the same, compiled


def floats(rng, *shape):
    """Draw float32 numbers of both signs."""
    return 2 * rng.standard_normal(shape, np.float32)


def wide(*values):
    return [np.asarray(value, np.float64) for value in values]


def ran(kernel, compiled, *arrays, out):
    """Run a kernel as Python, and compiled if asked, on copies of its arguments.

    Args:
        kernel: What `jit` made.
        compiled: Whether to compile it, too.
        arrays: Its arguments.
        out: Positions of those that it writes to.

    Returns:
        Dict: what it left in them as Python, what it left there compiled (None if it was not), whether it returned something,
        and the other arguments, which it must not change.
    """
    function = getattr(kernel, "py_func", kernel)
    copies = [np.copy(array) if isinstance(array, np.ndarray) else array for array in arrays]
    with np.errstate(all="ignore"):
        returned = function(*copies)
    seen = {"out": [copies[i] for i in out], "compiled": None, "returned": "nothing" if returned is None else "something",
            "kept": [array for i, array in enumerate(copies) if i not in out and isinstance(array, np.ndarray)]}
    if compiled and not COMPILE:
        seen["compiled"] = seen["out"]
    elif compiled:
        if function not in MACHINE_CODE:
            MACHINE_CODE[function] = sys.modules["numba"].njit(error_model="numpy")(function)
        again = [np.copy(array) if isinstance(array, np.ndarray) else array for array in arrays]
        try:
            MACHINE_CODE[function](*again)
        except Exception as error:
            raise TypeError(f"it runs as Python, but numba cannot compile it: {error}") from None
        seen["compiled"] = [again[i] for i in out]
    return seen


def left(compiled, out, *kept):
    """Give results the form of what `ran` returns."""
    return {"out": out, "compiled": out if compiled else None, "returned": "nothing", "kept": list(kept)}


# 10.1 gelu_loop

def draw_gelu_loop(rng):
    for number, size in enumerate((7, 1, 12)):
        yield dict(a=floats(rng, size), compiled=number == 0)
    yield dict(a=np.array([0, -0.5, 8, -8, 100, -100, np.nan, np.inf], np.float32) + 0 * floats(rng, 8), compiled=False)


def observe_gelu_loop(gelu_loop, a, compiled):
    return ran(gelu_loop, compiled, a, np.full_like(a, 77), out=[1])


def oracle_gelu_loop(a, compiled, half=0.5, scale=math.sqrt(0.5), function=math.erf, gate=True):
    with np.errstate(all="ignore"):
        values = [float(x) * (half * (1 + function(scale * x)) if gate else 1) for x in a.astype(np.float64)]
    return left(compiled, [np.array(values)], a)


misconceptions_gelu_loop = {
    "the one half is missing": lambda **inputs: oracle_gelu_loop(**inputs, half=1.0),
    "the error function was taken of x itself, not of x over the root of 2": lambda **inputs: oracle_gelu_loop(**inputs, scale=1.0),
    "the root was multiplied by, not divided by": lambda **inputs: oracle_gelu_loop(**inputs, scale=math.sqrt(2)),
    "this is the probability alone: multiply it by x":
        lambda a, compiled: left(compiled, [np.array([0.5 * (1 + math.erf(x / math.sqrt(2))) for x in a.astype(np.float64)])], a),
    "the last entry was not written: range(n) ends at n - 1": lambda a, compiled: left(
        compiled, [np.append(oracle_gelu_loop(a, compiled)["out"][0][:-1], 77.0)], a),
}


# 10.2 covers

def draw_covers(rng):
    a = floats(rng, 3, 4)
    for shape in ((3, 4), (5,), (), (2, 1, 3)):
        yield dict(kind="whole", arrays=[floats(rng, *shape)])
    yield dict(kind="float64", arrays=[a.astype(np.float64)])
    yield dict(kind="integers", arrays=[rng.integers(9, size=(2, 3), dtype=np.int32)])
    yield dict(kind="truth values", arrays=[a > 0])
    yield dict(kind="transposed", arrays=[a])
    yield dict(kind="every second column", arrays=[a])
    yield dict(kind="read-only", arrays=[a])
    yield dict(kind="empty", arrays=[floats(rng, 0, 3)])
    yield dict(kind="with a number", arrays=[a, 2.5])
    yield dict(kind="with a list", arrays=[a, [1.5, 2.0]])
    yield dict(kind="number first", arrays=[2.5, a])
    yield dict(kind="two", arrays=[a, floats(rng, 7)])
    yield dict(kind="two, the second float64", arrays=[a, a.astype(np.float64)])
    yield dict(kind="two, the first float64", arrays=[a.astype(np.float64), a])


def as_named(kind, arrays):
    """Make of arrays what their name says: strides and flags do not survive the way to the process that runs learner code."""
    arrays = [np.array(one) if isinstance(one, (np.ndarray, np.generic)) else one for one in arrays]
    first = arrays[0]
    if kind == "transposed":
        return [first.T]
    if kind == "every second column":
        return [first[:, ::2]]
    if kind == "read-only":
        first.flags.writeable = False
        return [first]
    return arrays


def observe_covers(covers, kind, arrays):
    answer = covers(*as_named(kind, arrays))
    return bool(answer) if isinstance(answer, (bool, np.bool_)) else answer


def oracle_covers(kind, arrays):
    return kind in ("whole", "two")


misconceptions_covers = {
    "the dtype was not looked at": lambda kind, arrays: oracle_covers(kind, arrays) or "float64" in kind or kind in (
        "integers", "truth values"),
    "float64 counts as covered; the loops are for float32": lambda kind, arrays: oracle_covers(kind, arrays) or "float64" in kind,
    "how the array lies in memory was not looked at": lambda kind, arrays: oracle_covers(kind, arrays) or kind in (
        "transposed", "every second column", "read-only"),
    "an array that may not be written to counts as covered": lambda kind, arrays: oracle_covers(kind, arrays) or kind == "read-only",
    "an array without entries counts as covered": lambda kind, arrays: oracle_covers(kind, arrays) or kind == "empty",
    "only the first array was looked at": lambda kind, arrays: oracle_covers(kind, arrays) or kind in (
        "with a number", "with a list", "two, the second float64"),
    "one array that fits was taken to be enough": lambda kind, arrays: oracle_covers(kind, arrays) or kind in (
        "with a number", "with a list", "number first", "two, the second float64", "two, the first float64"),
}


# 10.3 softmax_rows

def tables(rng):
    """Draw tables of scores: wide, high, of one column, of one row, with large scores, and with infinite ones."""
    for number, shape in enumerate(((3, 5), (6, 2), (4, 1), (1, 7))):
        yield dict(a=floats(rng, *shape), compiled=number == 0)
    yield dict(a=floats(rng, 3, 4) * 200 - 500, compiled=False)
    a = floats(rng, 4, 3)
    a[1, 2], a[2, 0], a[3, 1] = -np.inf, np.nan, -300
    yield dict(a=a, compiled=False)


draw_softmax_rows = tables


def observe_softmax_rows(softmax_rows, a, compiled):
    return ran(softmax_rows, compiled, a, np.full_like(a, 77), out=[1])


def exponentials(a, axis=1):
    return np.exp(a - np.max(a, axis=axis, keepdims=True))


def narrow_exp(a):
    """Take exponentials as float32 has them."""
    with np.errstate(all="ignore"):
        return np.exp(np.asarray(a, np.float32)).astype(np.float64)


def of_rows(function):
    """Make an oracle of a function of a float64 table."""
    def oracle(a, compiled):
        with np.errstate(all="ignore"):
            return left(compiled, [function(a.astype(np.float64))], a)
    return oracle


def running(a):
    """Divide each row by a sum that began with the rows above."""
    powers = exponentials(a)
    return powers / np.cumsum(powers.sum(axis=1))[:, None]


oracle_softmax_rows = of_rows(lambda a: exponentials(a) / exponentials(a).sum(axis=1, keepdims=True))
misconceptions_softmax_rows = {
    "the largest entry of the whole table was taken out: a row far below it vanishes":
        of_rows(lambda a: narrow_exp(a - a.max()) / narrow_exp(a - a.max()).sum(axis=1, keepdims=True)),
    "nothing was taken out before the exponentials: they overflow":
        of_rows(lambda a: narrow_exp(a) / narrow_exp(a).sum(axis=1, keepdims=True)),
    "the exponentials were not divided by their sum": of_rows(exponentials),
    "the sum goes on from row to row: it begins at 0 in each": of_rows(running),
    "the columns sum to 1, not the rows": of_rows(lambda a: exponentials(a, 0) / exponentials(a, 0).sum(axis=0)),
    "divided by the mean, not by the sum": of_rows(lambda a: exponentials(a) / exponentials(a).mean(axis=1, keepdims=True)),
}


# 10.4 loss_rows

def draw_loss_rows(rng):
    for number, shape in enumerate(((4, 5), (7, 2), (3, 1), (1, 6))):
        yield dict(logits=floats(rng, *shape), labels=rng.integers(shape[1], size=shape[0]), compiled=number == 0)
    yield dict(logits=floats(rng, 4, 3) * 200 - 500, labels=rng.integers(3, size=4), compiled=False)
    logits = floats(rng, 3, 4)
    logits[0, 1], logits[2, 3] = -np.inf, np.nan
    yield dict(logits=logits, labels=np.array([2, 0, 1]), compiled=False)


def observe_loss_rows(loss_rows, logits, labels, compiled):
    return ran(loss_rows, compiled, logits, labels, np.full(len(labels), 77, np.float32), out=[2])


def of_scores(function):
    """Make an oracle of a function of float64 scores and labels."""
    def oracle(logits, labels, compiled):
        with np.errstate(all="ignore"):
            return left(compiled, [function(logits.astype(np.float64), labels)], logits, labels)
    return oracle


def right_ones(z, labels):
    return np.array([row[label] for row, label in zip(z, labels)])


def log_sum_exp(z):
    return np.log(exponentials(z).sum(axis=1)) + z.max(axis=1)


oracle_loss_rows = of_scores(lambda z, labels: log_sum_exp(z) - right_ones(z, labels))
misconceptions_loss_rows = {
    "what was taken out of the exponentials was not added again":
        of_scores(lambda z, labels: np.log(exponentials(z).sum(axis=1)) - right_ones(z, labels)),
    "the score of the right class was not subtracted": of_scores(lambda z, labels: log_sum_exp(z)),
    "the sign is wrong: a loss is not negative": of_scores(lambda z, labels: right_ones(z, labels) - log_sum_exp(z)),
    "nothing was taken out before the exponentials: they overflow":
        of_scores(lambda z, labels: np.log(narrow_exp(z).sum(axis=1)) - right_ones(z, labels)),
    "the exponentials were averaged, not added up": of_scores(
        lambda z, labels: np.log(exponentials(z).mean(axis=1)) + z.max(axis=1) - right_ones(z, labels)),
    "the largest entry of the whole table was taken out: a row far below it vanishes":
        of_scores(lambda z, labels: np.log(narrow_exp(z - z.max()).sum(axis=1)) + z.max() - right_ones(z, labels)),
    "each loss was divided by the number of rows: the mean comes later":
        of_scores(lambda z, labels: (log_sum_exp(z) - right_ones(z, labels)) / len(z)),
}


# 10.5 gradient_rows

def draw_gradient_rows(rng):
    for number, shape in enumerate(((4, 5), (7, 2), (3, 1), (1, 6))):
        yield dict(logits=floats(rng, *shape), labels=rng.integers(shape[1], size=shape[0]), scale=floats(rng, shape[0]),
                   compiled=number == 0)
    yield dict(logits=floats(rng, 4, 3) * 200 - 500, labels=rng.integers(3, size=4), scale=floats(rng, 4), compiled=False)


def observe_gradient_rows(gradient_rows, logits, labels, scale, compiled):
    return ran(gradient_rows, compiled, logits, labels, scale, np.full_like(logits, 77), out=[3])


def of_gradients(function):
    """Make an oracle of a function of float64 shares, the truth, and the scale as a column."""
    def oracle(logits, labels, scale, compiled):
        with np.errstate(all="ignore"):
            z = logits.astype(np.float64)
            p, truth = exponentials(z) / exponentials(z).sum(axis=1, keepdims=True), np.eye(z.shape[1])[labels]
            return left(compiled, [function(p, truth, scale.astype(np.float64)[:, None], z)], logits, labels, scale)
    return oracle


oracle_gradient_rows = of_gradients(lambda p, truth, scale, z: scale * (p - truth))
misconceptions_gradient_rows = {
    "what arrives at each row was ignored": of_gradients(lambda p, truth, scale, z: p - truth),
    "1 was taken off, whatever arrives: it is scaled, too": of_gradients(lambda p, truth, scale, z: scale * p - truth),
    "the truth was not taken off: this is a softmax": of_gradients(lambda p, truth, scale, z: scale * p),
    "divided by the number of rows as well: scale holds that already": of_gradients(
        lambda p, truth, scale, z: scale * (p - truth) / len(p)),
    "the truth was added, not taken off": of_gradients(lambda p, truth, scale, z: scale * (p + truth)),
    "the exponentials were not divided by their sum": of_gradients(lambda p, truth, scale, z: scale * (exponentials(z) - truth)),
    "nothing was taken out before the exponentials: they overflow": of_gradients(
        lambda p, truth, scale, z: scale * (narrow_exp(z) / narrow_exp(z).sum(axis=1, keepdims=True) - truth)),
}


# 10.6 adam_loop

rtol_adam_loop = 3e-6  # 1 minus a rounded beta is off by 1.3e-5
atol_adam_loop = 1e-6


def draw_adam_loop(rng):
    for number, (size, beta1, beta2, eps, shrink) in enumerate(
            ((6, 0.9, 0.999, 1e-8, 1.0), (1, 0.8, 0.99, 1e-2, 0.9), (9, 0.9, 0.999, 0.5, 0.75))):
        settings = np.array([beta1, beta2, 1 - beta1, 1 - beta2, rng.uniform(0.1, 1), rng.uniform(1, 5), eps, shrink], np.float32)
        first = 0 if number == 0 else 1  # before the first step both means are 0
        yield dict(param=floats(rng, size), grad=floats(rng, size), mean=first * floats(rng, size),
                   square=first * (np.abs(floats(rng, size)) + 1), settings=settings, compiled=number == 0)


def observe_adam_loop(adam_loop, param, grad, mean, square, settings, compiled):
    return ran(adam_loop, compiled, param, grad, mean, square, *settings, out=[0, 2, 3])


def oracle_adam_loop(param, grad, mean, square, settings, compiled, old=False, squared=True, root_of_all=False, eps_inside=False,
                     shrunk=True, rests=None, in_place=True, root=True):
    w, g, m, s = wide(param, grad, mean, square)
    beta1, beta2, rest1, rest2, rate, correction, eps, shrink = settings.astype(np.float64)
    rest1, rest2 = rests(settings) if rests else (rest1, rest2)
    new_m, new_s = beta1 * m + rest1 * g, beta2 * s + rest2 * (g * g if squared else g)
    m, s = (m, s) if old else (new_m, new_s)
    with np.errstate(invalid="ignore"):
        below = correction * (np.sqrt(s + eps) if eps_inside else np.sqrt(s) if root else s) + (0 if eps_inside else eps)
        below = np.sqrt(correction * s) + eps if root_of_all else below
    new_w = (shrink if shrunk else 1.0) * w - rate * m / below
    return left(compiled, [new_w, new_m, new_s] if in_place else [new_w, mean, square], grad)


def rounded_rests(settings):
    """Subtract rounded betas from 1."""
    return 1 - np.float64(settings[0]), 1 - np.float64(settings[1])


misconceptions_adam_loop = {
    "1 - beta was made up in the loop, of a beta that had been rounded: use rest1 and rest2":
        lambda **inputs: oracle_adam_loop(**inputs, rests=rounded_rests),
    "the step used the means of before; they are changed first": lambda **inputs: oracle_adam_loop(**inputs, old=True),
    "the second mean took up the gradient, not its square": lambda **inputs: oracle_adam_loop(**inputs, squared=False),
    "the root was left out": lambda **inputs: oracle_adam_loop(**inputs, root=False),
    "root stands outside of the square root: it was put inside": lambda **inputs: oracle_adam_loop(**inputs, root_of_all=True),
    "eps was added before the root; it is added to the root": lambda **inputs: oracle_adam_loop(**inputs, eps_inside=True),
    "the parameter was not shrunk": lambda **inputs: oracle_adam_loop(**inputs, shrunk=False),
    "the new means were not written: the next step needs them": lambda **inputs: oracle_adam_loop(**inputs, in_place=False),
}


# 10.7 matmul_blocked

SHARED, ALONE = "rounds of prange share the rows", "no prange shares the work"
RACE = "a race: two rounds of prange write to one entry"


def draw_matmul_blocked(rng):
    for number, (n, k, m) in enumerate(((3, 6, 2), (64, 4, 1), (65, 3, 2), (2, 8, 5), (130, 5, 1), (1, 1, 1), (5, 7, 3))):
        yield dict(a=floats(rng, n, k), b=floats(rng, k, m), compiled=number in (0, 2))


class Rounds:
    """A `prange` that knows which of its rounds is running."""

    def __init__(self):
        self.now, self.count = None, 0

    def __call__(self, *ends):
        for i in range(*ends):
            inner = self.now is not None  # within another prange this one is a range
            if not inner:
                self.now, self.count = i, self.count + 1
            yield i
            if not inner:
                self.now = None


class Shared:
    """An array that notes which round wrote which of its entries."""

    def __init__(self, array, places, writers, rounds):
        self.array, self.places, self.writers, self.rounds = array, places, writers, rounds

    def __getattr__(self, name):
        return getattr(self.array, name)

    def __len__(self):
        return len(self.array)

    def __getitem__(self, key):
        part = self.array[key]
        return Shared(part, self.places[key], self.writers, self.rounds) if isinstance(part, np.ndarray) and part.ndim else part

    def __setitem__(self, key, value):
        if self.rounds.now is not None:
            for place in np.atleast_1d(self.places[key]).flat:
                self.writers.setdefault(int(place), set()).add(self.rounds.now)
        self.array[key] = value.array if isinstance(value, Shared) else value


def races(kernel, a, b, shape):
    """Run a kernel with eyes on its result, and say how its rounds share the work."""
    function = getattr(kernel, "py_func", kernel)
    names, rounds, writers = function.__globals__, Rounds(), {}
    out = np.full(shape, 77, np.float32)
    before = names.get("prange")
    names["prange"] = rounds
    try:
        function(a.copy(), b.copy(), Shared(out, np.arange(out.size).reshape(shape), writers, rounds))
    finally:
        names["prange"] = before
    if any(len(found) > 1 for found in writers.values()):
        return RACE
    return SHARED if rounds.count and len(writers) == out.size else ALONE


def observe_matmul_blocked(matmul_blocked, a, b, compiled):
    shape = (len(a), b.shape[1])
    seen = ran(matmul_blocked, compiled, a, b, np.full(shape, 77, np.float32), out=[2])
    return {**seen, "threads": races(matmul_blocked, a, b, shape)}


def oracle_matmul_blocked(a, b, compiled, terms=None, rows=None, begin=0.0, threads=SHARED):
    """Multiply with the first `terms` of k only, and leave rows from `rows` on as they were."""
    out = begin + a.astype(np.float64)[:, :terms] @ b.astype(np.float64)[:terms]
    out[rows:] = 77 if rows is not None else out[rows:]
    return {**left(compiled, [out], a, b), "threads": threads}


misconceptions_matmul_blocked = {
    "what is left of k after the steps of 4 was left out":
        lambda a, b, compiled: oracle_matmul_blocked(a, b, compiled, terms=a.shape[1] - a.shape[1] % 4),
    "the last step of 4 goes beyond k": lambda a, b, compiled: oracle_matmul_blocked(a, b, compiled) if a.shape[1] % 4 == 0 else (
        "raises", "IndexError"),
    "the last block, of fewer than 64 rows, was left out": lambda a, b, compiled: oracle_matmul_blocked(
        a, b, compiled, rows=len(a) - len(a) % 64, threads=SHARED if len(a) % 64 == 0 else ALONE),
    "the last block goes beyond the rows": lambda a, b, compiled: oracle_matmul_blocked(a, b, compiled) if len(a) % 64 == 0 else (
        "raises", "IndexError"),
    "the result was not set to 0 before the sums": lambda a, b, compiled: oracle_matmul_blocked(a, b, compiled, begin=77.0),
    "the rounds of prange share the terms of the sums, not the rows: that is a race":
        lambda a, b, compiled: oracle_matmul_blocked(a, b, compiled, threads=RACE if a.shape[1] > 1 else SHARED),
    "the rounds of prange share the steps of 4, not the rows: that is a race":
        lambda a, b, compiled: oracle_matmul_blocked(a, b, compiled, threads=(ALONE, SHARED, RACE)[min(2, a.shape[1] // 4)]),
    "the work is not shared: the loop over blocks is a range": lambda a, b, compiled: oracle_matmul_blocked(
        a, b, compiled, threads=ALONE),
}
