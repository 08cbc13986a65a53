"""Kernels for the tests of the simulator: right ones, and the same with a fault planted."""

import math

import numpy as np

from tinytorch.given.gpu.simulator import cuda

FULL = 0xFFFFFFFF


@cuda.jit
def relu(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = max(x[i], np.float32(0))


@cuda.jit
def relu_without_guard(x, out):
    i = cuda.grid(1)
    out[i] = max(x[i], np.float32(0))


@cuda.jit
def reads_before_itself(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = x[i - 1]


@cuda.jit
def relu_in_float64(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = x[i] * 0.5


@cuda.jit
def hides_float64(x, out):
    i = cuda.grid(1)
    if i < x.size:
        total = 0.0
        total += x[i]
        out[i] = np.float32(total)


@cuda.jit
def block_sum(x, out):
    partial = cuda.shared.array(64, np.float32)
    t, i = cuda.threadIdx.x, cuda.grid(1)
    partial[t] = np.float32(0)
    if i < x.size:
        partial[t] = x[i]
    cuda.syncthreads()
    half = 32
    while half > 0:
        if t < half:
            partial[t] += partial[t + half]
        cuda.syncthreads()
        half //= 2
    if t == 0:
        out[cuda.blockIdx.x] = partial[0]


@cuda.jit
def sum_without_barrier(x, out):
    partial = cuda.shared.array(64, np.float32)
    t = cuda.threadIdx.x
    partial[t] = x[t]
    if t == 0:
        total = np.float32(0)
        for k in range(64):
            total += partial[k]
        out[0] = total


@cuda.jit
def barrier_in_branch(x, out):
    t = cuda.threadIdx.x
    if t < 8:
        cuda.syncthreads()
    out[t] = x[t]


@cuda.jit
def two_different_barriers(x, out):
    t = cuda.threadIdx.x
    if t < 8:
        cuda.syncthreads()
    else:
        cuda.syncthreads()
    out[t] = x[t]


@cuda.jit
def all_blocks_add(x, out):
    i = cuda.grid(1)
    out[0] += x[i]


@cuda.jit
def all_blocks_add_at_once(x, out):
    i = cuda.grid(1)
    cuda.atomic.add(out, 0, x[i])


@cuda.jit
def never_ends(x, out):
    i = cuda.grid(1)
    while i < 1_000_000:
        out[0] = x[0]


@cuda.jit
def reads_unwritten(x, out):
    partial = cuda.shared.array(64, np.float32)
    t = cuda.threadIdx.x
    if t > 0:
        partial[t] = x[t]
    cuda.syncthreads()
    out[t] = partial[t]


@cuda.jit
def copy_rows(x, out):
    column, row = cuda.grid(2)
    if row < x.shape[0] and column < x.shape[1]:
        out[row, column] = x[row, column]


@cuda.jit
def copy_columns(x, out):
    row, column = cuda.grid(2)
    if row < x.shape[0] and column < x.shape[1]:
        out[row, column] = x[row, column]


@cuda.jit
def transpose(x, out):
    tile = cuda.shared.array((32, 32), np.float32)
    column, row = cuda.threadIdx.x, cuda.threadIdx.y
    tile[row, column] = x[row, column]
    cuda.syncthreads()
    out[row, column] = tile[column, row]


@cuda.jit
def transpose_padded(x, out):
    tile = cuda.shared.array((32, 33), np.float32)
    column, row = cuda.threadIdx.x, cuda.threadIdx.y
    tile[row, column] = x[row, column]
    cuda.syncthreads()
    out[row, column] = tile[column, row]


@cuda.jit(device=True)
def warp_sum(value):
    for step in (16, 8, 4, 2, 1):
        value += cuda.shfl_xor_sync(FULL, value, step)
    return value


@cuda.jit
def row_sum_of_exp(x, out):
    row, lane = cuda.blockIdx.x, cuda.threadIdx.x
    total = np.float32(0)
    for j in range(lane, x.shape[1], 32):
        total += math.exp(x[row, j])
    total = warp_sum(total)
    if lane == 0:
        out[row] = total


@cuda.jit
def late_lane(x, out):
    lane = cuda.threadIdx.x
    value = x[lane]
    if lane == 5:
        cuda.syncthreads()
    value += cuda.shfl_down_sync(FULL, value, 16)
    out[lane] = value


@cuda.jit
def shifts_down(x, out):
    lane = cuda.threadIdx.x
    out[lane] = cuda.shfl_down_sync(FULL, x[lane], 3)


@cuda.jit
def votes(x, out):
    lane = cuda.threadIdx.x
    out[lane] = cuda.ballot_sync(FULL, x[lane] > np.float32(0))


@cuda.jit
def two_on_a_line(x, out):
    a, b = cuda.shared.array(4, np.float32), cuda.shared.array(4, np.float32)
    t = cuda.threadIdx.x
    a[t] = x[t]
    b[t] = np.float32(2)
    out[t] = a[t]


@cuda.jit
def in_step(x, out):
    tile = cuda.shared.array(32, np.float32)
    lane = cuda.threadIdx.x
    tile[lane] = x[lane]
    cuda.syncwarp()
    out[lane] = tile[31 - lane]


@cuda.jit
def counts_positive(x, out):
    t = cuda.threadIdx.x
    out[t] = cuda.syncthreads_count(x[t] > np.float32(0))


@cuda.jit
def local_table(x, out):
    row = cuda.local.array(3, np.float32)
    i = cuda.grid(1)
    for k in range(3):
        row[k] = x[i] * np.float32(k)
    out[i] = row[0] + row[1] + row[2]


# What a GPU does not have.


@cuda.jit
def catches(x, out):
    i = cuda.grid(1)
    try:
        out[i] = x[i]
    except IndexError:
        pass


@cuda.jit
def makes_a_list(x, out):
    for i in [0, 1]:
        out[i] = x[i]


@cuda.jit
def sums_a_generator(x, out):
    out[0] = sum(x[i] for i in range(4))


@cuda.jit
def makes_an_array(x, out):
    rest = np.zeros(4, np.float32)
    out[0] = rest[0]


@cuda.jit
def shared_of_the_launch(x, out):
    partial = cuda.shared.array(cuda.blockDim.x, np.float32)
    partial[cuda.threadIdx.x] = x[0]


@cuda.jit
def shared_of_an_argument(x, out):
    partial = cuda.shared.array((x.size, 2), np.float32)
    partial[cuda.threadIdx.x, 0] = x[0]


@cuda.jit
def shared_of_a_counter(x, out):
    size = 4
    size += 1
    partial = cuda.shared.array(size, np.float32)
    partial[cuda.threadIdx.x] = x[0]


SIZE = 4


@cuda.jit
def shared_of_constants(x, out):
    size = 2 * SIZE
    partial = cuda.shared.array(shape=(SIZE, size + 1), dtype=np.float32)
    t = cuda.threadIdx.x
    partial[t, 2 * SIZE] = x[t]
    out[t] = partial[t, size]


@cuda.jit
def all_at_once(x, out):
    out[:] = np.maximum(x, 0)


@cuda.jit
def reads_a_part(x, out):
    out[0] = x[:3]


@cuda.jit
def adds_arrays(x, out):
    out[0] = x + x


@cuda.jit
def writes_a_row(x, table):
    table[cuda.grid(1)] = x[0]


@cuda.jit
def half_an_index(x, out):
    half = 4
    half /= 2
    out[0] = x[half]


@cuda.jit
def has_a_method(x, out):
    out[0] = x.sum()


@cuda.jit
def never_ends_together(x, out):
    half = 4
    while half > 0:
        cuda.syncthreads()


@cuda.jit
def total_of_a_python_number(x, out):
    total = 0.0
    total += x[0]
    out[0] = total


@cuda.jit
def total_of_a_whole_number(x, out):
    total = 0
    total += x[0]
    out[0] = total


@cuda.jit
def shared_in_float64(x, out):
    partial = cuda.shared.array(64, np.float64)
    partial[cuda.threadIdx.x] = x[0]
    out[0] = partial[0]


# More faults.


@cuda.jit
def barriers_by_lane(x, out):
    t = cuda.threadIdx.x
    for _ in range(t % 2 + 1):
        cuda.syncthreads()
    out[t] = x[t]


@cuda.jit
def barrier_after_the_guard(x, out):
    t = cuda.threadIdx.x
    if t >= 20:
        return
    cuda.syncthreads()
    out[t] = x[t]


@cuda.jit
def shuffle_in_branch(x, out):
    t = cuda.threadIdx.x
    value = x[t]
    if t % 32 < 16:
        value += cuda.shfl_down_sync(FULL, value, 8)
    out[t] = value


@cuda.jit
def shuffle_without_its_bit(x, out):
    t = cuda.threadIdx.x
    out[t] = cuda.shfl_down_sync(0xFFFF, x[t], 1)


@cuda.jit
def shuffle_with_two_masks(x, out):
    t = cuda.threadIdx.x
    out[t] = cuda.shfl_down_sync(FULL if t < 16 else 0xFFFF0000, x[t], 1)


@cuda.jit(device=True)
def half_sum(value):
    return value + cuda.shfl_down_sync(0xFFFF, value, 8)


@cuda.jit
def sums_a_half(x, out):
    t = cuda.threadIdx.x
    out[t] = half_sum(x[t])


@cuda.jit
def shared_tiles_too_large(x, out):
    a = cuda.shared.array((64, 128), np.float32)
    b = cuda.shared.array((64, 128), np.float32)
    t = cuda.threadIdx.x
    a[t, 0] = x[t]
    b[t, 0] = x[t]
    out[t] = a[t, 0] + b[t, 0]


@cuda.jit
def histogram(x, out):
    i = cuda.grid(1)
    out[0 if x[i] < np.float32(0) else 1] += np.float32(1)


@cuda.jit
def adds_and_overwrites(x, out):
    i = cuda.grid(1)
    cuda.atomic.add(out, 0, x[i])
    if i == 5:
        out[0] = np.float32(0)


@cuda.jit
def adds_past_the_end(x, out):
    i = cuda.grid(1)
    cuda.atomic.add(out, i, x[i])


@cuda.jit
def local_unwritten(x, out):
    row = cuda.local.array(4, np.float32)
    t = cuda.threadIdx.x
    for k in range(3):
        row[k] = x[t]
    out[t] = row[0] + row[3]


@cuda.jit
def position_too_large(x, out):
    i = cuda.grid(1)
    out[i] = i * 100_000 * 100_000


@cuda.jit
def wraps_around(x, out):
    i = cuda.grid(1)
    out[i] = x[np.uint8(250 + i) % x.size]


@cuda.jit
def below_zero_unsigned(x, out):
    i = cuda.grid(1)
    out[i] = x[np.uint32(i - 1)]


@cuda.jit
def grid_stride_past_the_end(x, out):
    i = cuda.grid(1)
    while i <= out.size:
        out[i] = x[0]
        i += cuda.gridsize(1)


@cuda.jit
def wants_64_threads(x, out):
    tile = cuda.shared.array(64, np.float32)
    t = cuda.threadIdx.x
    tile[t] = x[t]
    cuda.syncthreads()
    out[t] = tile[63 - t]


@cuda.jit
def next_tile_too_early(x, out):
    tile = cuda.shared.array(32, np.float32)
    t = cuda.threadIdx.x
    total = np.float32(0)
    for start in range(0, 64, 32):
        tile[t] = x[start + t]
        cuda.syncthreads()
        total += tile[31 - t]
    out[t] = total


@cuda.jit
def multiplies_by_pi(x, out):
    i = cuda.grid(1)
    out[i] = x[i] * math.pi


@cuda.jit
def divides_by_the_count(x, out):
    i = cuda.grid(1)
    out[i] = x[i] * (1 / x.size)


@cuda.jit
def divides_by_zero(x, out):
    i = cuda.grid(1)
    out[i] = x[10 // (3 - i)]


@cuda.jit
def named_like_a_kernel(x, out):
    i = cuda.grid(1)
    recent = x[i]
    out[i] = recent


recent = named_like_a_kernel  # as a loop over kernels leaves it in a notebook
