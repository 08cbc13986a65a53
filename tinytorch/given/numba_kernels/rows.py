"""Rows that are added to each other, in numba: what stands beside a product in a linear layer and its gradient. Given."""

import numpy as np

from tinytorch.given.numba_kernels.compiling import fixed, jit  # noqa: F401, others prepare these loops with `fixed`

START = np.add.reduce(np.array([-0.0], np.float32))  # what NumPy adds the first row to: 0, and in older versions nothing


@jit
def add_to_rows(table, row):
    """Add a row to every row of a table, in place."""
    for i in range(table.shape[0]):
        for j in range(table.shape[1]):
            table[i, j] += row[j]


@jit
def sum_rows(table, out):
    """Write the sum of all rows of a table, added one after the other, as NumPy does."""
    for j in range(table.shape[1]):
        out[j] = START + table[0, j]
    for i in range(1, table.shape[0]):
        for j in range(table.shape[1]):
            out[j] += table[i, j]
