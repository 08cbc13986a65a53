"""Large products: each thread computes 8 x 8 entries and keeps them in registers. Given.

In `tiles.py` a thread reads two numbers from shared memory for one product. Here it reads 16 and makes 64 products of them, so
arithmetic, not memory, is the limit. A block of 256 threads does a tile of 128 x 128 entries, in steps of 8 along the sum. While
it multiplies one step, the numbers of the next are on their way into registers.

Two things decide whether numba makes fast code of it. An index that may be negative is checked by numba at each use, so indices
are masked (``& 15``) or made unsigned. And a loop with a large body is not unrolled, so the loop along the sum is written out:
the source of the kernel is made by `source`, and `linecache` shows it in tracebacks and to the simulator.

After Simon Boehm, How to Optimize a CUDA Matmul Kernel, 2022, kernels 5 to 7.
"""

import functools
import linecache

import numpy as np

from tinytorch.given.gpu.backend import cuda
from tinytorch.given.gpu.device_array import DeviceArray
from tinytorch.given.gpu.graphs import stream
from tinytorch.given.gpu.kernels.launching import rounded_up

SIDE, STEP, THREADS = 128, 8, 256
FIRST = {False: "row_a * k + p_a", True: "p_a * n + row_a"}  # where entry (row, p) is: stored by rows, or transposed
SECOND = {False: "p_b * m + column_b", True: "column_b * k + p_b"}
KINDS = {"a @ b": (False, False), "a @ b.T": (False, True), "a.T @ b": (True, False)}

HEAD = """def product(a, b, out, n, m, k):
    tile_a = cuda.shared.array((8, 132), float32, 16)
    tile_b = cuda.shared.array((8, 132), float32, 16)
    sums = cuda.local.array((8, 8), float32)
    left = cuda.local.array(8, float32)
    right = cuda.local.array(8, float32)
    next_a = cuda.local.array(4, float32)
    next_b = cuda.local.array(4, float32)
    tid = cuda.threadIdx.x & 255
    tx = tid & 15
    ty = tid >> 4
    top = cuda.blockIdx.y * 128
    side = cuda.blockIdx.x * 128
    for i in range(8):
        for j in range(8):
            sums[i, j] = float32(0)
"""
LOAD = """    for part in range(4):
        entry = tid + 256 * part
        row_a, p_a = top + {place_a}, {start} + {step_a}
        next_a[part] = float32(0)
        if row_a < n and p_a < k:
            next_a[part] = a[uint64({first})]
        column_b, p_b = side + {place_b}, {start} + {step_b}
        next_b[part] = float32(0)
        if column_b < m and p_b < k:
            next_b[part] = b[uint64({second})]
"""
STORE = """        for part in range(4):
            entry = tid + 256 * part
            tile_a[{step_a}, {place_a}] = next_a[part]
            tile_b[{step_b}, {place_b}] = next_b[part]
        cuda.syncthreads()
"""
MULTIPLY = """        for i in range(4):
            left[i] = tile_a[{p}, ty * 4 + i]
            left[4 + i] = tile_a[{p}, 64 + ty * 4 + i]
            right[i] = tile_b[{p}, tx * 4 + i]
            right[4 + i] = tile_b[{p}, 64 + tx * 4 + i]
        for i in range(8):
            for j in range(8):
                sums[i, j] += left[i] * right[j]
"""
TAIL = """        cuda.syncthreads()
    for i in range(8):
        row = top + (i >> 2) * 64 + ty * 4 + (i & 3)
        for j in range(8):
            column = side + (j >> 2) * 64 + tx * 4 + (j & 3)
            if row < n and column < m:
                out[uint64(row * m + column)] = sums[i, j]
"""
ACROSS, DOWN = ("entry & 127", "(entry >> 7)"), ("entry >> 3", "(entry & 7)")  # threads beside each other read neighbours


def source(kind):
    """Return the source of the kernel of a kind of product.

    Args:
        kind: One of `KINDS`.

    Example:
        >>> source("a @ b").count("sums[i, j] += left[i] * right[j]")
        8
    """
    first, second = KINDS[kind]
    (place_a, step_a), (place_b, step_b) = (ACROSS if first else DOWN), (DOWN if second else ACROSS)
    names = dict(place_a=f"({place_a})", step_a=step_a, place_b=f"({place_b})", step_b=step_b)
    load = LOAD.format(first=FIRST[first], second=SECOND[second], start="{start}", **names)
    again = load.format(start="(start + 8)").replace("\n    ", "\n            ").rstrip(" ")
    loop = "    for start in range(0, k, 8):\n" + STORE.format(**names)
    loop += "        if start + 8 < k:\n        " + again
    return HEAD + load.format(start="0") + loop + "".join(MULTIPLY.format(p=p) for p in range(STEP)) + TAIL


@functools.cache
def kernel_of(kind):
    """Return the kernel of a kind of product, for float32."""
    text, file = source(kind), f"<{kind}, 8 x 8 in registers>"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    names = {"cuda": cuda, "float32": np.float32, "uint64": np.uint64}
    exec(compile(text, file, "exec"), names)
    return cuda.jit(launch_bounds=(THREADS, 2))(names["product"])  # so few registers that two blocks share a multiprocessor


def covers(n, m, dtype):
    """Say whether a product is large enough to fill tiles of this size, and of float32."""
    return dtype == np.float32 and n >= SIDE and m >= SIDE


def multiply(kind, a, b, sizes):
    """Multiply two matrices.

    Args:
        kind: One of `KINDS`: how they are stored.
        a, b: `DeviceArray`, the factors.
        sizes: Rows, columns, and the length of the sum.

    Returns:
        `DeviceArray` of shape (rows, columns).
    """
    n, m, k = sizes
    out = DeviceArray((n, m), np.float32)
    kernel_of(kind)[(rounded_up(m, SIDE), rounded_up(n, SIDE)), THREADS, stream()](a.flat, b.flat, out.flat, n, m, k)
    return out
