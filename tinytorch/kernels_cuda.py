# Made by tito from modules/11_cuda/cuda.py: edit that file, then run `tito module complete 11`.

# cuda.py, cell 6
"""GPU kernels, registered on ops of earlier modules; the simulator can run them without a GPU."""
import numpy as np

from tinytorch.activations import relu
from tinytorch.given.gpu.backend import cuda
from tinytorch.given.gpu.device_array import DeviceArray
from tinytorch.given.gpu.graphs import stream
from tinytorch.given.gpu.kernels import entrywise, products, reductions
from tinytorch.tensor import add, matmul, reduce_sum

THREADS = 128  # in a block
TILE = 16      # rows and columns of a tile


# cuda.py, cell 8
@cuda.jit
def relu_kernel(x, out):
    """Apply ReLU to one entry: the one at the thread's position.

    Args:
        x: float32 array of shape (n,); it is not changed.
        out: float32 array of shape (n,) to write to. There may be more threads than entries.

    Returns:
        None. Afterwards ``out[i]`` is 0 where ``x[i] <= 0``, and ``x[i]`` elsewhere; nan stays nan.

    Example:
        >>> x, out = np.array([-2, 3, 0.5], np.float32), np.zeros(3, np.float32)
        >>> relu_kernel[2, 2](x, out)
        >>> out
        array([0. , 3. , 0.5], dtype=float32)

    Source:
        NVIDIA, CUDA C++ Programming Guide, section "Thread Hierarchy".
    """
    i = cuda.grid(1)
    if i < x.size:
        out[i] = np.float32(0) if x[i] <= 0 else x[i]


# cuda.py, cell 13
def blocks_for(count, threads):
    """Return the number of blocks that are needed to give every entry a thread.

    Args:
        count: Number of entries, at least 0.
        threads: Threads in a block, at least 1.

    Returns:
        int: the smallest number of blocks with ``blocks * threads >= count``.

    Example:
        >>> blocks_for(10, 4), blocks_for(8, 4)
        (3, 2)

    Source:
        NVIDIA, CUDA C++ Programming Guide, section "Kernels".
    """
    return (count + threads - 1) // threads


# cuda.py, cell 17
@relu.register_kernel("cuda")
def relu_cuda(a):
    """Run relu with a thread for each entry; anything but float32 goes to the given kernel."""
    if a.dtype != np.float32 or not a.size:
        return entrywise.make(relu)(a)
    out = DeviceArray(a.shape, a.dtype)
    relu_kernel[blocks_for(a.size, THREADS), THREADS, stream()](a.flat, out.flat)
    return out


# cuda.py, cell 24
@cuda.jit
def add_row_kernel(x, row, out):
    """Add a row to every row of a table; each thread computes the entry at its position.

    Args:
        x: float32 array of shape (n, m); it is not changed.
        row: float32 array of shape (m,); it is not changed.
        out: float32 array of shape (n, m) to write to. The grid has at least m threads along x,
            and at least n along y.

    Returns:
        None. Afterwards ``out[i, j]`` is ``x[i, j] + row[j]``. Threads that are neighbours along x
        read neighbours of a row, so that a warp moves as few sectors as possible.

    Example:
        >>> x, out = np.array([[1, 2, 3], [4, 5, 6]], np.float32), np.zeros((2, 3), np.float32)
        >>> add_row_kernel[1, (4, 2)](x, np.array([10, 20, 30], np.float32), out)
        >>> out
        array([[11., 22., 33.],
               [14., 25., 36.]], dtype=float32)

    Source:
        NVIDIA, CUDA C++ Best Practices Guide, section "Coalesced Access to Global Memory".
    """
    column, row_number = cuda.grid(2)
    if row_number < x.shape[0] and column < x.shape[1]:
        out[row_number, column] = x[row_number, column] + row[column]


# cuda.py, cell 28
@add.register_kernel("cuda")
def add_cuda(a, b):
    """Add; a row that is added to a table of float32 goes to the kernel above."""
    arrays = [x for x in (a, b) if isinstance(x, DeviceArray) and x.dtype == np.float32 and x.size]
    if len(arrays) < 2 or (a.ndim, b.ndim) != (2, 1) or a.shape[1] != b.size:
        return entrywise.make(add)(a, b)
    out, (rows, columns) = DeviceArray(a.shape, a.dtype), a.shape
    block = 32, 4
    grid = blocks_for(columns, block[0]), blocks_for(rows, block[1])
    add_row_kernel[grid, block, stream()](a.memory, b.memory, out.memory)
    return out


# cuda.py, cell 34
@cuda.jit
def block_sum_kernel(x, out):
    """Sum the entries of each block of `THREADS` threads; each block writes one number.

    Args:
        x: float32 array of shape (n,); it is not changed. Each entry is read once.
        out: float32 array of shape (blocks,) to write to.

    Returns:
        None. Afterwards ``out[b]`` is the sum of ``x[i]`` over those positions i of block b's
        threads for which ``i < n``, or 0 if there are none. The threads add in pairs, in shared
        memory, with at most 8 barriers, no race and no bank conflict.

    Example:
        >>> x, out = np.arange(200, dtype=np.float32), np.zeros(2, np.float32)
        >>> block_sum_kernel[2, THREADS](x, out)
        >>> out
        array([ 8128., 11772.], dtype=float32)

    Source:
        Harris, Optimizing Parallel Reduction in CUDA, NVIDIA, 2007.
    """
    partial = cuda.shared.array(THREADS, np.float32)
    t, i = cuda.threadIdx.x, cuda.grid(1)
    partial[t] = x[i] if i < x.size else np.float32(0)
    cuda.syncthreads()
    half = THREADS // 2
    while half > 0:
        if t < half:
            partial[t] += partial[t + half]
        cuda.syncthreads()
        half //= 2
    if t == 0:
        out[cuda.blockIdx.x] = partial[0]


# cuda.py, cell 39
def sum_all(a):
    """Sum all entries: sum blocks, then the sums of blocks, until one number is left."""
    while a.size > 1:
        out = DeviceArray((blocks_for(a.size, THREADS),), a.dtype)
        block_sum_kernel[out.size, THREADS, stream()](a.flat, out.flat)
        a = out
    return a


@reduce_sum.register_kernel("cuda")
def reduce_sum_cuda(a, *, axis=None, keepdims=False):
    """Sum along axes; a sum of all entries of a float32 array uses the kernel above."""
    if axis is not None or a.dtype != np.float32 or a.size < 2:
        return reductions.reduce_sum(a, axis=axis, keepdims=keepdims)
    return sum_all(a).reshape((1,) * a.ndim if keepdims else ())


# cuda.py, cell 44
@cuda.jit
def matmul_kernel(a, b, out):
    """Multiply two matrices with tiles in shared memory: each thread computes one entry.

    Args:
        a: float32 array of shape (n, k); it is not changed.
        b: float32 array of shape (k, m); it is not changed.
        out: float32 array of shape (n, m) to write to. A block has (TILE, TILE) threads; the grid
            has at least m threads along x and n along y.

    Returns:
        None. Afterwards ``out[i, j]`` is the sum over p of ``a[i, p] * b[p, j]``, for every n, k
        and m of at least 1. Each block reads the entries of ``a`` and ``b`` that it needs only
        once, and passes two barriers for each step of `TILE` products. The threads share the loads,
        and each writes its entry once. Neighbours along x read and write neighbours of a row; there
        is no race and no bank conflict.

    Example:
        >>> a, b = np.array([[1, 2]], np.float32), np.array([[3, 4], [5, 6]], np.float32)
        >>> out = np.zeros((1, 2), np.float32)
        >>> matmul_kernel[1, (TILE, TILE)](a, b, out)
        >>> out
        array([[13., 16.]], dtype=float32)

    Source:
        NVIDIA, CUDA C++ Programming Guide, section "Shared Memory".
    """
    tile_a = cuda.shared.array((TILE, TILE), np.float32)
    tile_b = cuda.shared.array((TILE, TILE), np.float32)
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    j, i = cuda.grid(2)
    (n, k), m = a.shape, b.shape[1]
    total = np.float32(0)
    for start in range(0, k, TILE):
        inside = i < n and start + tx < k
        tile_a[ty, tx] = a[i, start + tx] if inside else np.float32(0)
        inside = start + ty < k and j < m
        tile_b[ty, tx] = b[start + ty, j] if inside else np.float32(0)
        cuda.syncthreads()
        for p in range(TILE):
            total += tile_a[ty, p] * tile_b[p, tx]
        cuda.syncthreads()
    if i < n and j < m:
        out[i, j] = total


# cuda.py, cell 49
@matmul.register_kernel("cuda")
def matmul_cuda(a, b):
    """Multiply; a product of two float32 matrices uses the kernel above."""
    plain = a.ndim == b.ndim == 2 and a.dtype == b.dtype == np.float32
    if not plain or a.shape[1] != b.shape[0] or not a.size or not b.size:
        return products.matmul(a, b)
    out = DeviceArray((a.shape[0], b.shape[1]), a.dtype)
    grid = blocks_for(b.shape[1], TILE), blocks_for(a.shape[0], TILE)
    matmul_kernel[grid, (TILE, TILE), stream()](a.memory, b.memory, out.memory)
    return out
