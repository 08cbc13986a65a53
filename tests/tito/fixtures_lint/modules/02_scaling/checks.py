"""Checks of the fixture's second module."""
import numpy as np

FLOAT64 = False  # a scaling keeps its factors in float32


def draw_Scaler(rng):
    for count in (3 + int(rng.integers(4)), 8):
        yield dict(rectangles=rng.standard_normal((count, 2), np.float32), factors=rng.standard_normal(2, np.float32))


def observe_Scaler(Scaler, rectangles, factors):
    return Scaler(factors).forward(rectangles)


def oracle_Scaler(rectangles, factors):
    return np.array([[float(w) * float(factors[0]), float(h) * float(factors[1])] for w, h in rectangles])


misconceptions_Scaler = {
    "the factors were exchanged": lambda rectangles, factors: oracle_Scaler(rectangles, factors[::-1]),
    "the factors were added": lambda rectangles, factors: rectangles.astype(float) + factors,
}

draw_growth = draw_Scaler


def oracle_growth(rectangles, factors):
    return np.full(len(rectangles), float(factors[0]) * float(factors[1]))


misconceptions_growth = {
    "the quotient is turned around": lambda rectangles, factors: 1 / oracle_growth(rectangles, factors),
    "the areas were not divided": lambda rectangles, factors: oracle_growth(rectangles, factors) * rectangles.astype(float).prod(axis=1),
}
