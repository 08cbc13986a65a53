"""Checks of the fixture package: every exercise should be a matrix product, except those named below."""
import numpy as np

STRIDED = False  # the tests count the cases that are drawn

NAMES = ("right wrong stub needs_stub raises hangs exits quits returns_none returns_tensor changes float64 prints "
         "recurses hungry last absent").split()


def draw(rng):
    yield dict(a=rng.standard_normal((2, 3), np.float32), b=rng.standard_normal((3, 5), np.float32))
    yield dict(a=rng.standard_normal((4, 1, 2, 3), np.float32), b=rng.standard_normal((6, 3, 5), np.float32))


def oracle(a, b):
    return np.einsum("...ik,...kj->...ij", a.astype(np.float64), b.astype(np.float64))


misconceptions = {
    "the batch dimensions were not broadcast: only the first matrix of b was used":
        lambda a, b: oracle(a, b[:1] if b.ndim > 2 else b),
    "a and b were multiplied entry by entry, not row by column":
        lambda a, b: a[..., :, :1] * b[..., :1, :],
}

for _name in NAMES:
    globals()[f"draw_{_name}"] = draw
    globals()[f"oracle_{_name}"] = oracle
    globals()[f"misconceptions_{_name}"] = misconceptions


# divide: an exception is the expected outcome, and the observer takes the whole module

def draw_divide(rng):
    yield dict(a=float(rng.standard_normal()), b=2)
    yield dict(a=3, b=0)


def parts(result):
    return {"quotient": result, "kind of result": type(result).__name__}


def observe_divide(module, a, b):
    return parts(module.divide(a, b))


def oracle_divide(a, b):
    return ("raises", "ValueError", str(a)) if b == 0 else {"quotient": a / b, "kind of result": "float"}


misconceptions_divide = {
    "the error does not show the number that was to be divided":
        lambda a, b: ("raises", "ValueError") if b == 0 else oracle_divide(a, b),
    "the quotient was rounded down": lambda a, b: {**oracle_divide(a, b), "quotient": a // b} if b else oracle_divide(a, b),
}
describe_divide = "divide({a}, {b})"
