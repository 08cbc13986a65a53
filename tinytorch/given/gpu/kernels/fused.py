"""Kernels that show one idea each: two passes over memory as one, and a tile that turns rows into columns. Given.

Module 11 explains them. Their blocks have (32, 8) threads, and a block does a tile of 32 x 32 entries.
"""

import numpy as np

from tinytorch.given.gpu.backend import cuda

ZERO = np.float32(0)
SIDE, PADDED, ROWS = 32, 33, 8  # of a tile; the same with one more; rows that a block reads at a time


@cuda.jit
def bias_relu(x, bias, out):
    """Add a row to all rows and apply ReLU, in one pass instead of two."""
    column, row = cuda.grid(2)
    if row < x.shape[0] and column < x.shape[1]:
        value = x[row, column] + bias[column]
        out[row, column] = ZERO if value <= 0 else value


@cuda.jit
def transpose_naive(x, out):
    """Transpose: reads rows, writes columns, and moves a sector for each number written."""
    column, top = cuda.blockIdx.x * SIDE + cuda.threadIdx.x, cuda.blockIdx.y * SIDE
    for row in range(top + cuda.threadIdx.y, min(top + SIDE, x.shape[0]), ROWS):
        if column < x.shape[1]:
            out[column, row] = x[row, column]


@cuda.jit
def transpose_tiled(x, out):
    """Transpose through a tile: reads rows and writes rows; but a column of the tile is in one bank."""
    tile = cuda.shared.array((SIDE, SIDE), np.float32)
    ty, tx = cuda.threadIdx.y, cuda.threadIdx.x
    left, top = cuda.blockIdx.x * SIDE, cuda.blockIdx.y * SIDE
    for k in range(ty, SIDE, ROWS):
        if top + k < x.shape[0] and left + tx < x.shape[1]:
            tile[k, tx] = x[top + k, left + tx]
    cuda.syncthreads()
    for k in range(ty, SIDE, ROWS):
        if left + k < x.shape[1] and top + tx < x.shape[0]:
            out[left + k, top + tx] = tile[tx, k]


@cuda.jit
def transpose_padded(x, out):
    """Transpose through a tile with one more column: a column of it is spread over all banks."""
    tile = cuda.shared.array((SIDE, PADDED), np.float32)
    ty, tx = cuda.threadIdx.y, cuda.threadIdx.x
    left, top = cuda.blockIdx.x * SIDE, cuda.blockIdx.y * SIDE
    for k in range(ty, SIDE, ROWS):
        if top + k < x.shape[0] and left + tx < x.shape[1]:
            tile[k, tx] = x[top + k, left + tx]
    cuda.syncthreads()
    for k in range(ty, SIDE, ROWS):
        if left + k < x.shape[1] and top + tx < x.shape[0]:
            out[left + k, top + tx] = tile[tx, k]
