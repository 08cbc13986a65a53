"""Checks of the fixture's first module."""
import numpy as np


def draw_area(rng):
    """Several counts, units below and above 1, and a unit that is refused."""
    for count, unit in ((3, 0.5), (5, 3.0), (4, -1.0)):
        count += int(rng.integers(4))
        yield dict(rectangles=rng.standard_normal((count, 2), np.float32), unit=unit)


def oracle_area(rectangles, unit, power=2):
    if unit <= 0:
        return ("raises", "ValueError")
    return np.array([float(width) * float(height) * unit ** power for width, height in rectangles])


misconceptions_area = {
    "the unit counts once; it must count for either side":
        lambda rectangles, unit: oracle_area(rectangles, unit, power=1),
    "the sides were added, not multiplied":
        lambda rectangles, unit: oracle_area(rectangles, unit) if unit <= 0 else rectangles.astype(float).sum(axis=1) * unit ** 2,
}
