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
# # Scaling
#
# What module 01 measures, this one enlarges.

# %%
from tito import notebook
check = notebook("02")

import numpy as np

# %%
#| export
"""Scaling rectangles."""
import numpy as np

from tinytorch.areas import area

# %% [markdown]
# Write a `Scaler`.

# %% exercise="02.1" minutes=60 points=3
#| export
class Scaler:
    """A scaling of rectangles, by one factor for the width and another for the height.

    Args:
        factors: Array of shape (2,).

    Called on an array of shape (n, 2), it returns one of the same shape.

    Example:
        >>> Scaler(np.array([2.0, 3.0])).forward(np.ones((1, 2)))
        array([[2., 3.]])

    Source:
        Euclid, Elements, book VI, 300 BC; Heath's translation, 1908.
    """

    def __init__(self, factors):
        ### BEGIN SOLUTION
        self.factors = np.array(factors, np.float32)
        ### END SOLUTION

    def forward(self, rectangles):
        ### BEGIN SOLUTION
        return rectangles * self.factors
        ### END SOLUTION

# %% check="02.1"
check("02.1")

# %% [markdown] hint="02.1"
# The factors broadcast.

# %% [markdown]
# Write `growth`, if you like.

# %% exercise="02.2" minutes=200 points=1 extension=true
#| export
def growth(rectangles, factors):
    """Divide the areas after scaling by those before.

    Args:
        rectangles: Array of shape (n, 2).
        factors: Array of shape (2,).

    Returns:
        Array of shape (n,).

    Example:
        >>> growth(np.ones((2, 2)), np.array([2.0, 3.0]))
        array([6., 6.])
    """
    ### BEGIN SOLUTION
    scaled = Scaler(factors).forward(rectangles)
    return area(scaled) / area(rectangles)
    ### END SOLUTION

# %% check="02.2"
check("02.2")

# %% [markdown] hint="02.2"
# Use the scaler of the first exercise.
