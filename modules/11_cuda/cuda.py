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
# # CUDA kernels
#
# A CPU runs a few threads, each of them fast. A GPU runs tens of thousands, each of them slow, and has much faster memory. In
# this module you write **kernels** for the GPU: functions that describe what *one* thread does. You launch a kernel with as many
# threads as there are numbers, and register it on your ops. Then ops on tensors that you moved with `x.to("cuda")` run your kernels,
# and no earlier file changes.
#
# You need no GPU. Without one, kernels that you launch run in a **simulator**. Ops use the simulator too once you call
# `tinytorch.cuda.simulate()`. It is written in Python and runs one thread after the other. It detects what a GPU hides, such as two
# threads that write to the same place. It cannot tell you how fast a kernel is. Instead, you count what decides the speed: how many
# memory transactions there are, and how many cycles are lost to waiting. The course's own kernels compile for GPUs from 2018 on, but
# have not been run on one yet.

# %%
from tito import notebook
check = notebook("11")

import numpy as np
import tinytorch
from tinytorch.given.gpu import drawing
from tinytorch.given.gpu.backend import choose, cuda
from tinytorch.given.gpu.simulator import watch
rng = np.random.default_rng(0)
print("kernels run on:", choose().name, "because", choose().why)

# %% [markdown]
# ## One thread for each number
#
# The threads of a launch form a **grid** of **blocks**. `kernel[blocks, threads](...)` starts `blocks * threads` threads, and all of
# them run the same function. Each thread works out which entry is its own: `cuda.blockIdx.x` is the number of its block,
# `cuda.threadIdx.x` its number within the block, and `cuda.blockDim.x` the size of a block. Here each thread writes these numbers.

# %%
@cuda.jit
def who(block, thread, position):
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    block[i], thread[i], position[i] = cuda.blockIdx.x, cuda.threadIdx.x, i

block, thread, position = np.zeros((3, 8), np.int64)
who[2, 4](block, thread, position)
print("block   ", block)
print("thread  ", thread)
print("position", position)

# %% [markdown]
# `cuda.grid(1)` computes that position for you. The number of threads is a multiple of the block size, but the number of entries
# usually is not. For example, 10 entries need 3 blocks of 4 threads, and threads 10 and 11 have no entry. On a GPU they would read
# and overwrite the memory behind the array, without an error. So every kernel has a **guard**: `if i < x.size`.
#
# A Python float is a float64, and an int mixed with float32 becomes one. A consumer GPU computes in float64 at a sixty-fourth of the
# speed. So write constants as `np.float32(0)`; the check rejects float64.

# %%
#| export
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

# %% [markdown]
# The first kernel is ReLU. It has no loop, because every entry has a thread of its own.

# %% exercise="11.1" minutes=20 points=2
#| export
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
    ### BEGIN SOLUTION
    i = cuda.grid(1)
    if i < x.size:
        out[i] = np.float32(0) if x[i] <= 0 else x[i]
    ### END SOLUTION

# %% check="11.1"
check("11.1")

# %% [markdown] hint="11.1"
# You need no loop. Find the thread's position, check whether there is an entry at that position, and write that one entry.

# %% [markdown] hint="11.1"
# `max` does not always keep nan. A comparison is predictable: `nan <= 0` is False. Use it in `a if condition else b`.

# %% [markdown]
# The caller chooses the number of blocks. There must be a thread for every entry.

# %% exercise="11.2" minutes=5 points=1
#| export
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
    ### BEGIN SOLUTION
    return (count + threads - 1) // threads
    ### END SOLUTION

# %% check="11.2"
check("11.2")

# %% [markdown] hint="11.2"
# Floor division rounds down. What do you have to add to `count` so that it rounds up, but 8 entries still need 2 blocks of 4?

# %% [markdown]
# To use your kernel in an op, register a Python function for the device `"cuda"`. The function gets arrays that are already on the
# device, launches the kernel and returns a new array there. The attribute `flat` is an array's memory as one row. Nothing is copied
# between the GPU and the CPU unless you ask for it, because a copy takes longer than most kernels. A tensor moves when you call
# `.to("cuda")` or `.cpu()`, and an op on tensors from different devices raises an error.
#
# A launch may name a third thing, its **stream**: launches of one stream run one after the other. `stream()` returns the default
# stream, or the one that `tinytorch.capture` records.

# %%
#| export
@relu.register_kernel("cuda")
def relu_cuda(a):
    """Run relu with a thread for each entry; anything but float32 goes to the given kernel."""
    if a.dtype != np.float32 or not a.size:
        return entrywise.make(relu)(a)
    out = DeviceArray(a.shape, a.dtype)
    relu_kernel[blocks_for(a.size, THREADS), THREADS, stream()](a.flat, out.flat)
    return out

# %%
if not tinytorch.cuda.is_available():
    tinytorch.cuda.simulate()           # explicit, so nobody gets the slow simulator by accident
x = tinytorch.randn(2, 3)
print(x.to("cuda").relu())
try:
    x + x.to("cuda")
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# ## Neighbours read neighbours
#
# The threads of a block run in groups of 32, called **warps**, and the threads of a warp run in step. When they read, the memory does
# not send single numbers, but **sectors** of 32 bytes, which is eight float32 numbers. If the 32 threads read 32 neighbouring
# numbers, four sectors are enough. If each thread reads from a different row, 32 sectors are moved, and seven eighths of what they
# hold is thrown away. `watch` runs a kernel in the simulator and counts the sectors.

# %%
@cuda.jit
def copy_kernel(a, out, step):
    position = cuda.grid(1)
    if position < out.size:
        out[position] = a[position * step % a.size]

a = rng.standard_normal(1024, np.float32)
for step in (1, 2, 8):
    moved, needed = watch(copy_kernel, 4, 32, a, np.empty(128, np.float32), step).sectors("a")
    print(f"step {step}: {moved} sectors of 32 bytes are moved, {needed} would do")

# %% [markdown] question="11.1"
# The next cell draws which entries the first warp reads with a step of 2. **Predict** the drawing before you run the cell. What
# fraction of the moved data is used? And does a step of 16 move more than a step of 8?

# %%
drawing.draw_sectors(watch(copy_kernel, 4, 32, a, np.empty(128, np.float32), 2), "a")

# %% [markdown]
# A table has two axes, and a grid may have two axes too: `kernel[(2, 3), (32, 4)]` starts 2 blocks across and 3 down, with 32
# threads across and 4 down in each block. `cuda.grid(2)` returns the position as the pair **(x, y)**. The threads of a warp are
# neighbours along **x**, and the entries of a table are neighbours along a **row**. So x has to be the column. The pair is (column,
# row), the reverse of the order in an index.
#
# Write the kernel that a linear layer needs for its bias. It adds a row to each row of a table.

# %% exercise="11.3" minutes=30 points=3
#| export
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
    ### BEGIN SOLUTION
    column, row_number = cuda.grid(2)
    if row_number < x.shape[0] and column < x.shape[1]:
        out[row_number, column] = x[row_number, column] + row[column]
    ### END SOLUTION

# %% check="11.3"
check("11.3")

# %% [markdown] hint="11.3"
# The guard has two conditions now, one for each axis. `x.shape` is (n, m): rows first.

# %% [markdown] hint="11.3"
# In `column, i = cuda.grid(2)`, the first number is the position along x, which is the column.

# %%
#| export
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

# %% [markdown] question="11.2"
# The same kernel with x and y exchanged gives the same numbers. **Predict** by what factor the number of sectors grows for a
# table of 64 by 64 that is read by blocks of 32 by 4 threads.

# %%
from tinytorch.given.gpu.lessons import add_row_exchanged

table, bias = rng.standard_normal((64, 64), np.float32), rng.standard_normal(64, np.float32)
for kernel in (add_row_kernel, add_row_exchanged):
    report = watch(kernel, (2, 16), (32, 4), table, bias, np.empty_like(table))
    print(kernel.__name__, report.sectors("x"))

# %% [markdown]
# ## Working together
#
# A sum needs all numbers, but each thread has only one. The threads of a block can work together. They have **shared memory**, a
# small array on the chip, and a **barrier**, `cuda.syncthreads()`, at which each thread waits for all others. To sum 8 numbers, four
# threads each add the number 4 places further on to their own. Then two threads add the number 2 places further on, and then one
# thread adds the last number.
#
# ```
# 3 1 4 1 5 9 2 6      thread t < 4 adds entry t + 4
# 8 10 6 7             thread t < 2 adds entry t + 2
# 14 17                thread t < 1 adds entry t + 1
# 31
# ```
#
# Between two steps all threads have to wait. Otherwise one may add a number that is not complete yet, which is called a **race**. On
# a GPU, a race may do no harm a thousand times. The simulator detects it from the order of accesses, even if the result is right.
# **All** threads of the block must reach the barrier. If you put it inside `if t < half:`, the threads that reach it wait for ever.

# %%
@cuda.jit
def reversed_without_barrier(x, out):
    partial = cuda.shared.array(64, np.float32)
    t = cuda.threadIdx.x
    partial[t] = x[t]
    out[t] = partial[63 - t]              # another thread writes this: is it there yet?

print(watch(reversed_without_barrier, 1, 64, a[:64], np.empty(64, np.float32)))

# %% [markdown]
# Shared memory is not initialised; in the simulator it starts as nan. Its size must be a constant, here `THREADS`, which is also the
# size of a block. A thread without an entry must still reach the barriers, so let it put 0 into shared memory.

# %% exercise="11.4" minutes=45 points=4
#| export
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
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% check="11.4"
check("11.4")

# %% [markdown] hint="11.4"
# Four parts. Put your entry, or 0, into shared memory. Wait. Halve the number of adding threads until one is left, and wait after
# each step. Let thread 0 write the result.

# %% [markdown] hint="11.4"
# In the loop, put only the addition inside `if t < half:`. The barrier comes after it, for all threads.

# %% [markdown] hint="11.4"
# `half` begins at `THREADS // 2` and is halved after each step, until it is 0. Thread t adds entry `t + half` to entry t.

# %%
#| export
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

# %% [markdown] question="11.3"
# Why does thread t add entry `t + half`, and not its neighbour `t + 1`? Shared memory has 32 **banks**: entry i is in bank
# i % 32, and a bank serves one entry at a time. `sum_of_neighbours`, in `tinytorch/given/gpu/lessons.py`, pairs neighbours.
# **Predict** which of the two kernels has to wait for banks, and in which step it waits longest. The drawing shows the access with
# the longest wait.

# %%
from tinytorch.given.gpu.lessons import sum_of_neighbours

reports = [watch(kernel, 2, THREADS, a[:256], np.empty(2, np.float32))
           for kernel in (block_sum_kernel, sum_of_neighbours)]
print(*reports, sep="\n")
drawing.draw_banks(reports[1], "numbers", "write")

# %%
drawing.draw_timeline(reports[0])

# %% [markdown]
# ## A tile at a time
#
# In a product of two matrices of n by n, every entry is needed n times. If each thread fetches a row and a column for itself, the
# memory sends every entry n times. With shared memory, a block fetches a **tile** of each matrix once, and all its threads use it:
#
# ```
#             b: tiles of one column of tiles
#               [ B0 ]        for each of the steps p = 0, 1, 2, ...
#               [ B1 ]          every thread loads one entry of tile A and one of tile B
#               [ B2 ]          all wait
# a: [A0 A1 A2] [out ]          every thread adds 16 products to its own sum
#                               all wait, before the tiles are overwritten
# ```
#
# A block has `TILE` by `TILE` threads, and each computes one entry of `out`. Sizes need not be multiples of 16: where a tile
# extends beyond the matrix, it holds 0, which adds nothing.

# %% exercise="11.5" minutes=60 points=6
#| export
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
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% check="11.5"
check("11.5")

# %% [markdown] hint="11.5"
# Begin with the loop over steps: `start` goes from 0 to k by `TILE`. The four lines in the drawing above are the body of the loop.
# Guard each load separately, and the final write, but never the loop, because all threads must reach the barriers.

# %% [markdown] hint="11.5"
# Thread (tx, ty) loads `a[i, start + tx]` into `tile_a[ty, tx]` and `b[start + ty, j]` into `tile_b[ty, tx]`. Here i and j are the
# row and the column of the thread's entry of `out`.

# %% [markdown] hint="11.5"
# Each thread then adds `tile_a[ty, p] * tile_b[p, tx]` for p from 0 to `TILE - 1`. It needs a barrier before, so that the tiles are
# complete, and one after, so that no thread overwrites what another is still reading.

# %%
#| export
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

# %% [markdown] question="11.4"
# The next cell multiplies two matrices of 32 by 32, with tiles and without. **Predict** how many times each entry of `a` is read in
# each case. How many times would it be with tiles of 32 by 32?

# %%
from tinytorch.given.gpu.lessons import matmul_without_tiles

left, right = rng.standard_normal((2, 32, 32)).astype(np.float32)
for kernel in (matmul_without_tiles, matmul_kernel):
    report = watch(kernel, (2, 2), (16, 16), left, right, np.empty_like(left))
    print(f"{kernel.__name__}: each entry of a is read {report.counts('a', 'read').max()} times;"
          f" sectors moved: {report.sectors('a')[0] + report.sectors('b')[0]}")

# %% [markdown]
# ## The other kernels, to read (extension)
#
# Training needs more kernels. They are given, in `tinytorch/given/gpu/kernels/`, and each adds one idea to yours:
#
# | file | kernel | the idea |
# |---|---|---|
# | `entrywise.py` | all maps, such as `add` and `sigmoid` | a **grid-stride loop**: a thread handles entry i, then entry i + (number of threads), and so on, so any grid size works |
# | `steps.py` | SGD, momentum, Adam | **in place**, in one pass; numbers shared by all entries are computed once and passed in as float32 |
# | `reductions.py` | sums along axes | **warp shuffles**: 32 threads in step hand numbers to each other without shared memory and without a barrier |
# | `rows.py` | softmax, cross-entropy and its gradient | a warp handles a row, so one kernel can pass over the row three times |
# | `fused.py` | bias and ReLU in one; a transpose with and without a padded tile | **fusing** saves a pass through memory; one extra column in the tile spreads each column over all 32 banks |
# | `tiles.py` | all products | a function computes where entry (i, p) is read from, so the same kernel also computes convolutions (an **implicit GEMM**); **split-K** divides the sum over p among several blocks |
# | `registers.py` | large products | each thread computes **8 by 8** entries and keeps them in registers; the loop along the sum is unrolled in the source |
# | `images.py` | pooling, normalisation | one thread for each pixel collects what belongs to it, so that nothing is written twice |
#
# Here are two of these ideas in detail. The first is the padded tile. A transpose has to read rows and write columns, and a tile in
# shared memory turns one into the other. Without the extra column, all 32 threads of a warp access the same bank.

# %%
from tinytorch.given.gpu.kernels import fused

square = rng.standard_normal((32, 32), np.float32)
for kernel in (fused.transpose_naive, fused.transpose_tiled, fused.transpose_padded):
    report = watch(kernel, (1, 1), (32, 8), square, np.empty_like(square))
    print(f"{kernel.__name__}: {sum(report.sectors(x)[0] for x in ('x', 'out'))} sectors moved, "
          f"{report.bank_conflicts()} cycles lost to bank conflicts")

# %% [markdown]
# The second is a trap: types. `0.9` is a float64, so `0.9 * mean[i]` is one too, and an optimizer step written this way computes in
# float64. The result looks right, and a GPU does not complain. The simulator reports the line.

# %%
from tinytorch.given.gpu.lessons import step_in_float64

print(watch(step_in_float64, 1, 32, a[:32].copy(), a[:32].copy()))

# %% [markdown]
# ## A network on the device
#
# Now you have everything for training: the parameters, data, gradients and optimizer stay on the device, and only the loss comes back.
# Two networks begin with the same numbers. One trains on the CPU, the other on `cuda`. (In the simulator this takes only a few
# seconds, because the networks are small.)

# %%
from tinytorch.losses import cross_entropy, mlp
from tinytorch.optim import Adam
from tinytorch.tensor import Tensor

images = rng.standard_normal((8, 20)).astype(np.float32)
labels = rng.integers(3, size=8)
losses = {}
for device in ("cpu", "cuda"):
    model = mlp(20, 16, 3, rng=np.random.default_rng(1)).to(device)
    optimizer = Adam(model.parameters(), lr=0.01)
    inputs, targets = Tensor(images).to(device), Tensor(labels).to(device)
    losses[device] = []
    for step in range(5):
        optimizer.zero_grad()
        loss = cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses[device].append(loss.item())
print(np.array([losses["cpu"], losses["cuda"]]).round(6))
print(tinytorch.cuda.memory_stats())

# %% [markdown]
# The last line shows the device's memory statistics. Allocating memory on a GPU takes longer than most kernels, so freed memory is
# kept in a **pool** and reused for the next array of the same size. In the first step all memory is new; after that, nearly all of
# it is reused.
#
# You have written kernels that a GPU can run, and seen what they need. Guards and barriers make them correct; the right types, few
# sectors and no bank conflicts make them fast. Save the notebook, then run
#
# ```
# tito module complete 11
# ```
#
# From now on, ops on tensors that you moved with `.to("cuda")` run your kernels. (Without a GPU, call `tinytorch.cuda.simulate()`
# first.) And a milestone with `--device cuda` trains on the GPU.
