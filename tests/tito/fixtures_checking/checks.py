"""Checks for the fixture package: every exercise should be a matrix product."""
import numpy as np

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
