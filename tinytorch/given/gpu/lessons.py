"""Kernels that are right and slow, for module 11 to look at. Given."""

import numpy as np

from tinytorch.given.gpu.backend import cuda

THREADS = 128


@cuda.jit
def add_row_exchanged(x, row, out):
    """Add a row to all rows; the threads of a warp go down a column."""
    i, j = cuda.grid(2)
    if i < x.shape[0] and j < x.shape[1]:
        out[i, j] = x[i, j] + row[j]


@cuda.jit
def sum_of_neighbours(x, out):
    """Sum the entries of a block in pairs of neighbours, then of neighbours' neighbours."""
    numbers = cuda.shared.array(THREADS, np.float32)
    t = cuda.threadIdx.x
    numbers[t] = x[cuda.grid(1)]
    cuda.syncthreads()
    step = 1
    while step < THREADS:
        if 2 * step * t < THREADS:
            numbers[2 * step * t] += numbers[2 * step * t + step]
        cuda.syncthreads()
        step *= 2
    if not t:
        out[cuda.blockIdx.x] = numbers[t]


@cuda.jit
def matmul_without_tiles(a, b, out):
    """Multiply two matrices; each thread fetches a row and a column for itself."""
    column, row = cuda.grid(2)
    if row < a.shape[0] and column < b.shape[1]:
        entry = np.float32(0)
        for p in range(a.shape[1]):
            entry += a[row, p] * b[p, column]
        out[row, column] = entry


@cuda.jit
def step_in_float64(param, mean):
    """Take a step with a number of Python's, which is a float64."""
    position = cuda.grid(1)
    if position < param.size:
        param[position] -= 0.9 * mean[position]
