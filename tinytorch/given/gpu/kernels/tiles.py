"""One tiled product for all that is a matrix product: matrices, transposed ones, convolutions and their gradients. Given.

A block of 16 x 16 threads computes a tile of the result. It goes along the sum in steps of 16: all threads load a tile of each
factor into shared memory, wait, and multiply. What "the entry (i, p) of the first factor" means is a function, so a convolution
is the same kernel as a product: its function finds the pixel that kernel entry p meets at place j, and no column is laid out in
memory (an implicit GEMM: Chetlur et al., cuDNN: Efficient Primitives for Deep Learning, 2014, section 3).

A long sum with a small result would keep few blocks busy. Then several blocks share the sum, each writes a part, and a reduction
adds the parts, always in the same order (split-K).
"""

import numpy as np

from tinytorch.given.gpu.backend import cuda
from tinytorch.given.gpu.device_array import DeviceArray
from tinytorch.given.gpu.graphs import stream
from tinytorch.given.gpu.kernels.launching import rounded_up
from tinytorch.given.gpu.kernels.reductions import reduce_sum

TILE = 16
BUSY = 128  # blocks that keep a GPU busy
SHORT = 256  # a shorter sum is not shared


def make(first, second, dtype, first_across=False, second_across=False):
    """Make a kernel that multiplies two factors, given as functions.

    Args:
        first: Function of the array, the row i, the step p, the batch z and the geometry: the first factor's entry (i, p), which
            is there.
        second: Function of the array, the step p, the column j, z and the geometry: the second factor's entry (p, j).
        dtype: NumPy dtype of the numbers.
        first_across: Whether neighbours in memory have neighbouring i, and not p: then threads load in that order.
        second_across: Whether they have neighbouring p, and not j.
    """
    entry_of_first, entry_of_second = cuda.jit(device=True)(first), cuda.jit(device=True)(second)
    zero, padded = dtype.type(0), TILE + 1  # one more column: a column of a tile is then spread over all banks

    @cuda.jit
    def product(a, b, out, n, m, k, pieces, steps, geometry):
        tile_a = cuda.shared.array((TILE, padded), dtype)
        tile_b = cuda.shared.array((TILE, padded), dtype)
        ty, tx = cuda.threadIdx.y, cuda.threadIdx.x
        row, column = cuda.blockIdx.y * TILE, cuda.blockIdx.x * TILE
        z, piece = cuda.blockIdx.z // pieces, cuda.blockIdx.z % pieces
        has_result = row + ty < n and column + tx < m
        total = zero
        for start in range(piece * steps, min(k, (piece + 1) * steps), TILE):
            i, p = (row + tx, start + ty) if first_across else (row + ty, start + tx)
            entry = zero
            if i < n and p < k:
                entry = entry_of_first(a, i, p, z, geometry)
            if first_across:
                tile_a[tx, ty] = entry
            else:
                tile_a[ty, tx] = entry
            p, j = (start + tx, column + ty) if second_across else (start + ty, column + tx)
            entry = zero
            if p < k and j < m:
                entry = entry_of_second(b, p, j, z, geometry)
            if second_across:
                tile_b[tx, ty] = entry
            else:
                tile_b[ty, tx] = entry
            cuda.syncthreads()
            if has_result:  # at the edge, a warp without results has nothing to add up
                for step in range(TILE):
                    total += tile_a[ty, step] * tile_b[step, tx]
            cuda.syncthreads()
        if has_result:
            out[piece, z, row + ty, column + tx] = total

    return product


def multiply(kernel, a, b, sizes, geometry, dtype, batch=1):
    """Launch a tiled product.

    Args:
        kernel: What `make` made.
        a, b: The factors, as the kernel's functions take them.
        sizes: Rows, columns, and the length of the sum.
        geometry: Tuple of whole numbers for the functions.
        dtype: NumPy dtype of the result.
        batch: How many products.

    Returns:
        `DeviceArray` of shape (batch, rows, columns).
    """
    n, m, k = sizes
    across, down = rounded_up(m, TILE), rounded_up(n, TILE)
    pieces = max(1, min(BUSY // max(across * down * batch, 1), k // SHORT))
    steps = max(TILE, rounded_up(rounded_up(k, pieces), TILE) * TILE)  # of the sum, in a piece
    pieces = max(1, rounded_up(k, steps))
    out = DeviceArray((pieces, batch, n, m), dtype)
    if out.size:
        kernel[(across, down, batch * pieces), (TILE, TILE), stream()](a, b, out.memory, n, m, k, pieces, steps, geometry)
    return reduce_sum(out, axis=0) if pieces > 1 else out.reshape((batch, n, m))


def common(*arrays):
    """Return the dtype of a product of arrays on the device."""
    dtype = np.result_type(*[array.dtype for array in arrays])
    return dtype if dtype.kind == "f" else np.dtype(np.float64 if dtype.itemsize > 4 else np.float32)
