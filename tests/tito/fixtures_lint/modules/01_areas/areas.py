# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Areas
#
# A small module that keeps every rule, so that a test can break one at a time.

# %%
from tito import notebook
check = notebook("01")

import numpy as np
rng = np.random.default_rng(0)

# %%
#| export
"""Areas of rectangles."""
import numpy as np


def sides(rectangles):
    """Split rectangles of shape (n, 2) into widths and heights."""
    return rectangles[:, 0], rectangles[:, 1]

# %% [markdown]
# ## The area
#
# A rectangle is a width and a height. Write `area`.

# %% exercise="01.1" minutes=100 points=2
#| export
def area(rectangles, *, unit=1.0):
    """Return the area of every rectangle.

    Args:
        rectangles: Array of shape (n, 2): a width and a height in each row.
        unit: Length of a unit in metres.

    Returns:
        Array of shape (n,): width times height times the square of the unit, in square metres.

    Raises:
        ValueError: The unit is not above 0.

    Example:
        >>> area(np.array([[2.0, 3.0]]), unit=10)
        array([600.])
    """
    ### BEGIN SOLUTION
    if unit <= 0:
        raise ValueError(f"area needs a unit above 0, got {unit}")
    widths, heights = sides(rectangles)
    return widths * heights * unit ** 2
    ### END SOLUTION

# %% check="01.1"
check("01.1")

# %% [markdown] hint="01.1"
# Take the sides apart first; the function above does that.

# %% [markdown] hint="01.1"
# A unit counts twice in an area, once for each side.

# %% [markdown] question="01.1"
# What does the area become when every side doubles? **Predict**, then run the next cell.

# %%
rectangles = rng.standard_normal((3, 2))
area(2 * rectangles) / area(rectangles)
