"""Checks of module 11. NumPy only: nothing here runs the code that it judges, except `observe`.

A kernel runs in the simulator, whether there is a GPU or not: it sees what is out of bounds, races, unwritten memory and float64,
and it counts what values do not show: how often an entry is read, how many sectors a warp moves, bank conflicts, barriers. The
arrays to be written on hold a number that is no result, and sizes are no multiples of the block.
"""

import importlib

import numpy as np

FLOAT64 = False  # a kernel is compiled for float32
FILLED = 77.0  # what an array holds that is to be written on
THREADS, TILE = 128, 16
WARP, SECTOR, PER_SECTOR = 32, 32, 8  # threads; bytes; float32 numbers


def whole(describe):
    """Make a `describe_` function say all that is shown of a call: nothing is said of its arrays beside it."""
    return lambda **inputs: (describe(**inputs), "")


def floats(rng, *shape):
    """Draw float32 numbers of both signs."""
    return 2 * rng.standard_normal(shape, np.float32)


def shown(**arrays):
    """Return arrays as text, a line for each: short rows whole, of the others their shape."""
    return "\n".join(
        f"{name} = [{', '.join(f'{x:.4g}' for x in array)}]"
        if array.ndim == 1 and array.size <= 10
        else f"{name} {array.shape} float32"
        for name, array in arrays.items()
    )


STRIDED = False  # what a kernel gets lives on the device, where arrays are contiguous
NO_DECORATOR = "no: the line `@cuda.jit` above the function is missing"
KERNEL, ARITHMETIC, READS, SECTORS = (
    "it is a kernel",
    "the arithmetic",
    "how often each entry of {} is read",
    "sectors moved for {}",
)
BARRIERS, BANKS = "barriers in a block", "turns lost to bank conflicts"


def watched(kernel, grid, block, arguments):
    """Run a kernel in the simulator, on copies of its arguments.

    Args:
        kernel: What `cuda.jit` made.
        grid, block: Sizes of the launch.
        arguments: Dict of its arguments by name, in their order; the last one is written on.

    Returns:
        Pair of what is seen of every kernel, and the simulator's report.
    """
    watch = importlib.import_module("tinytorch.given.gpu.simulator").watch
    copies = {name: np.copy(array) for name, array in arguments.items()}
    report = watch(kernel, grid, block, *copies.values())
    report.check()
    *read, out = copies
    seen = {
        KERNEL: "yes" if hasattr(kernel, "py_func") else NO_DECORATOR,
        **{f"{name} afterwards, which is only to be read": copies[name] for name in read},
        out: copies[out],
    }
    wide = report.float64()
    return seen | {ARITHMETIC: wide[0] if wide else "float32 alone"}, report


def expected(out, read, arithmetic="float32 alone"):
    """Give a result the form of what `watched` sees."""
    kept = {f"{name} afterwards, which is only to be read": array for name, array in read.items()}
    return {KERNEL: "yes", **kept, "out": out, ARITHMETIC: arithmetic}


def blocks(count, threads):
    return -(-count // threads)


# 11.1 relu_kernel


def draw_relu_kernel(rng):
    """No multiple of the block, one, fewer than a block, a block too many; one entry; nan, infinities and zeros."""
    few = int(rng.integers(5, 9))
    for size, threads, spare in (
        (3 * few - 2, few, 0),
        (2 * few, few, 0),
        (3, 32, 0),
        (40 + int(rng.integers(1, 20)), 32, 1),
        (1, 4, 2),
    ):
        yield dict(x=floats(rng, size), grid=blocks(size, threads) + spare, block=threads)
    special = np.array([np.nan, np.inf, -np.inf, 0, -1e-30, 3], np.float32)
    yield dict(x=special[rng.permutation(6)], grid=2, block=4)


@whole
def describe_relu_kernel(x, grid, block):
    return f"relu_kernel[{grid}, {block}](x, out)\n{shown(x=x)}"


def observe_relu_kernel(relu_kernel, x, grid, block):
    seen, report = watched(relu_kernel, grid, block, dict(x=x, out=np.full_like(x, FILLED)))
    return seen | {"how often each entry of out is written": report.counts("out", "write")}


def relu(x):
    return np.where(x <= 0, 0.0, x.astype(np.float64))


def oracle_relu_kernel(x, grid, block):
    return of_map(relu)(x, grid, block)


def of_map(function, writes=lambda x, grid, block: np.ones(x.shape, int)):
    """Make the oracle of a kernel that applies a function to an array."""

    def oracle(x, grid, block):
        with np.errstate(all="ignore"):
            times = writes(x, grid, block)
            out = np.where(times > 0, function(x), FILLED)
        return expected(out, dict(x=x)) | {"how often each entry of out is written": times}

    return oracle


def unless_covered(error="OutOfBounds"):
    """Make the oracle of a kernel without a guard: it goes wrong where there are more threads than entries."""
    return lambda x, grid, block: (
        ("raises", error, "out of bounds") if grid * block > x.size else oracle_relu_kernel(x, grid, block)
    )


def first_block(x, grid, block):
    """Write each entry that the first block's threads reach, once for every block."""
    return np.where(np.arange(x.size) < block, grid, 0)


def racing_if(condition):
    """Make the oracle of a kernel of which several threads write to one entry under a condition."""
    return lambda x, grid, block: (
        ("raises", "Race", "global memory")
        if condition(x, grid, block)
        else of_map(relu, lambda *_: first_block(x, grid, block))(x, grid, block)
    )


misconceptions_relu_kernel = {
    "the guard is missing: there may be more threads than entries": unless_covered(),
    "the position is the thread's number within its block: blockIdx.x is missing": racing_if(lambda x, grid, block: grid > 1),
    "all threads went through all entries: each has one, that of its position": lambda x, grid, block: (
        "raises",
        "Race",
        "global memory",
    ),
    "nan became 0: nan is not below 0, and stays": of_map(lambda x: np.where(x > 0, x.astype(np.float64), 0.0)),
    "negative entries were kept, and positive ones became 0": of_map(lambda x: np.where(x >= 0, 0.0, x.astype(np.float64))),
    "this is the absolute value": of_map(lambda x: np.abs(x.astype(np.float64))),
    "the result was added to what `out` held: it may hold anything": of_map(lambda x: FILLED + relu(x)),
    "nothing was written to `out`: `out = ...` gives the name to something else, `out[i] = ...` writes": of_map(
        relu, lambda x, grid, block: np.zeros(x.shape, int)
    ),
    "entry 0 was left out: the guard lets a position through if it is less than the size": of_map(
        relu, lambda x, grid, block: (np.arange(x.size) > 0).astype(int)
    ),
    "the last entry was left out: positions go to size - 1": of_map(
        relu, lambda x, grid, block: (np.arange(x.size) < x.size - 1).astype(int)
    ),
    "zeros were not written: `out` may hold anything": of_map(relu, lambda x, grid, block: (~(x <= 0)).astype(int)),
}


# 11.2 blocks_for


def draw_blocks_for(rng):
    """Multiples of the block, one more, one less, none, one, and large numbers."""
    threads = int(rng.integers(3, 9))
    for count in (5 * threads, 5 * threads + 1, 5 * threads - 1, 0, 1, threads):
        yield dict(count=count, threads=threads)
    yield dict(count=256 * int(rng.integers(2**47, 2**48)) + 1, threads=256)
    yield dict(count=int(rng.integers(2, 99)), threads=1)


describe_blocks_for = "blocks_for({count}, {threads})"


def oracle_blocks_for(count, threads):
    return -(-count // threads)


misconceptions_blocks_for = {
    "rounded down: the entries left over have no thread": lambda count, threads: count // threads,
    "one block too many where the block divides the count": lambda count, threads: count // threads + 1,
    "computed with float numbers, which are not exact for large counts": lambda count, threads: int(np.ceil(count / threads)),
    "at least one block even for no entries": lambda count, threads: max(1, -(-count // threads)),
    "rounded to the nearest: half a block is left out": lambda count, threads: int(round(count / threads)),
}


# 11.3 add_row_kernel


def draw_add_row_kernel(rng):
    """Tables wide and high, a grid that covers them in both directions, blocks of several shapes, one row, one column."""
    a, b = int(rng.integers(3, 7)), int(rng.integers(9, 14))
    for (n, m), grid, block in (
        ((a, b), (blocks(b, 8), blocks(a, 2)), (8, 2)),
        ((b, a), (blocks(a, 4), blocks(b, 4)), (4, 4)),
        ((18, 21), (1, 8), (32, 4)),
        ((33 + a, 40), (3, 16), (16, 4)),
        ((1, b), (1, 1), (16, 2)),
        ((b, 1), (1, 4), (2, 4)),
    ):
        yield dict(x=floats(rng, n, m), row=floats(rng, m), grid=grid, block=block)


@whole
def describe_add_row_kernel(x, row, grid, block):
    return f"add_row_kernel[{tuple(grid)}, {tuple(block)}](x, row, out)\n{shown(x=x, row=row)}"


def observe_add_row_kernel(add_row_kernel, x, row, grid, block):
    seen, report = watched(add_row_kernel, tuple(grid), tuple(block), dict(x=x, row=row, out=np.full_like(x, FILLED)))
    reads = {READS.format("x"): report.counts("x", "read")}
    return seen | reads | {SECTORS.format("x"): report.sectors("x")[0], SECTORS.format("out"): report.sectors("out")[0]}


def positions(grid, block):
    """Return the positions (x, y) of all threads, warp by warp: a list of arrays of shape (32 or fewer, 2)."""
    warps = []
    for y in range(grid[1]):
        for x in range(grid[0]):
            threads = [(x * block[0] + tx, y * block[1] + ty) for ty in range(block[1]) for tx in range(block[0])]
            warps += [threads[i : i + WARP] for i in range(0, len(threads), WARP)]
    return warps


def sectors(places):
    """Return how many sectors hold some entries, given their numbers in memory."""
    return len({place // PER_SECTOR for place in places})


def oracle_add_row_kernel(x, row, grid, block, exchanged=False, function=np.add, missing=None):
    """Compute sums and count sectors, with x as the column, or exchanged."""
    n, m = x.shape
    out, reads, moved = np.full(x.shape, FILLED), np.zeros(x.shape, int), 0
    for warp in positions(grid, block):
        places = [(p, q) if exchanged else (q, p) for p, q in warp]
        places = [(i, j) for i, j in places if i < n and j < m and (missing is None or not missing(i, j, n, m))]
        for i, j in places:
            out[i, j] = function(float(x[i, j]), float(row[j]))
            reads[i, j] += 1
        moved += sectors([i * m + j for i, j in places])
    counts = {READS.format("x"): reads, SECTORS.format("x"): moved, SECTORS.format("out"): moved}
    return expected(out, dict(x=x, row=row)) | counts


def beyond(condition):
    """Make the oracle of a kernel that goes out of bounds under a condition on table, grid and block."""
    return lambda x, row, grid, block: (
        ("raises", "OutOfBounds", "out of bounds")
        if condition(*x.shape, *grid, *block)
        else oracle_add_row_kernel(x, row, grid, block)
    )


misconceptions_add_row_kernel = {
    "x and y are exchanged: the threads of a warp go down a column, and each moves a sector of its own": lambda **inputs: (
        oracle_add_row_kernel(**inputs, exchanged=True)
    ),
    "the guard is missing, or looks at one axis only": beyond(lambda n, m, gx, gy, bx, by: gx * bx > m or gy * by > n),
    "the guard for the rows is missing: y may go beyond them": beyond(lambda n, m, gx, gy, bx, by: gy * by > n),
    "the guard for the columns is missing: x may go beyond them": beyond(lambda n, m, gx, gy, bx, by: gx * bx > m),
    "the guard compares x with the number of rows, and y with the number of columns": lambda x, row, grid, block: swapped_guard(
        x, row, grid, block
    ),
    "the row was not added": lambda **inputs: oracle_add_row_kernel(**inputs, function=lambda a, b: a),
    "the row was subtracted": lambda **inputs: oracle_add_row_kernel(**inputs, function=lambda a, b: a - b),
    "the row was multiplied with, not added": lambda **inputs: oracle_add_row_kernel(**inputs, function=lambda a, b: a * b),
    "the result was added to what `out` held: it may hold anything": lambda **inputs: oracle_add_row_kernel(
        **inputs, function=lambda a, b: FILLED + a + b
    ),
    "the last row and the last column were left out": lambda **inputs: oracle_add_row_kernel(
        **inputs, missing=lambda i, j, n, m: i == n - 1 or j == m - 1
    ),
}


def swapped_guard(x, row, grid, block):
    """Let a thread through if x is less than n and y less than m."""
    n, m = x.shape
    through = [(p, q) for warp in positions(grid, block) for p, q in warp if p < n and q < m]
    if any(q >= n or p >= m for p, q in through):
        return ("raises", "OutOfBounds", "out of bounds")
    return oracle_add_row_kernel(x, row, grid, block, missing=lambda i, j, n, m: j >= n or i >= m)


# 11.4 block_sum_kernel


def draw_block_sum_kernel(rng):
    """A block that is not full, full blocks, a block without entries, one entry."""
    for size, grid in (
        (THREADS + int(rng.integers(5, 120)), 2),
        (int(rng.integers(3, 60)), 1),
        (2 * THREADS, 2),
        (THREADS - 1, 2),
        (1, 1),
    ):
        yield dict(x=floats(rng, size) + np.float32(0.5), grid=grid)


@whole
def describe_block_sum_kernel(x, grid):
    return f"block_sum_kernel[{grid}, THREADS](x, out)\n{shown(x=x)}"


MOST_BARRIERS = 8
ATOMIC = "all, one after the other: the threads are to add in pairs, without atomic additions"


def observe_block_sum_kernel(block_sum_kernel, x, grid):
    seen, report = watched(block_sum_kernel, grid, THREADS, dict(x=x, out=np.full(grid, FILLED, np.float32)))
    return seen | {
        READS.format("x"): report.counts("x", "read"),
        "most additions of one thread": most_additions(report),
        BARRIERS: at_most(report.most_barriers(), MOST_BARRIERS),
        BANKS: report.bank_conflicts(),
    }


def at_most(number, limit):
    return f"at most {limit}" if number <= limit else str(number)


def most_additions(report):
    """Say whether one thread reads much of shared memory: then it adds alone; or whether atomic additions do the work."""
    reads = {}
    for access in report.accesses:
        if access.kind == "atomic":
            return ATOMIC
        if access.kind == "read" and access.array.space == "shared":
            key = access.block, access.thread
            reads[key] = reads.get(key, 0) + 1
    return "few" if max(reads.values(), default=0) <= 4 * MOST_BARRIERS else "all: the threads are to add in pairs"


def oracle_block_sum_kernel(x, grid, function=lambda part, x, b: part.sum(), reads=1, additions="few"):
    """Sum block by block."""
    parts = [x[b * THREADS : (b + 1) * THREADS].astype(np.float64) for b in range(grid)]
    out = np.array([function(part, x, b) for b, part in enumerate(parts)])
    return expected(out, dict(x=x)) | {
        READS.format("x"): np.full(x.shape, reads),
        "most additions of one thread": additions,
        BARRIERS: f"at most {MOST_BARRIERS}",
        BANKS: 0,
    }


def of_parts(function):
    """Make the oracle of a kernel that writes something else for a block."""
    return lambda x, grid: oracle_block_sum_kernel(x, grid, function)


def always(kind, *words):
    return lambda x, grid: ("raises", kind, *words)


misconceptions_block_sum_kernel = {
    "a barrier is missing: threads read what others may not have written yet": always("Race", "shared memory"),
    "the barrier is inside the branch of the threads that add: the others never come to it": always(
        "DivergentBarrier", "divergent barrier"
    ),
    "threads without an entry left their place in shared memory unwritten: it is to be 0": lambda x, grid: (
        ("raises", "Unwritten", "unwritten memory") if x.size < grid * THREADS else oracle_block_sum_kernel(x, grid)
    ),
    "the guard is missing: there may be more threads than entries": lambda x, grid: (
        ("raises", "OutOfBounds", "x[") if x.size < grid * THREADS else oracle_block_sum_kernel(x, grid)
    ),
    "only the first entry of the block was written: nothing was added": of_parts(
        lambda part, x, b: part[0] if part.size else 0.0
    ),
    "the last step is missing: the loop ends one step too soon": of_parts(lambda part, x, b: part[::2].sum()),
    "the first step is missing: only half of the threads' entries were added": of_parts(
        lambda part, x, b: part[: THREADS // 2].sum()
    ),
    "each block sums the entries of the first block": of_parts(lambda part, x, b: x[:THREADS].astype(np.float64).sum()),
    "the sum was added to what `out` held: it may hold anything": of_parts(lambda part, x, b: FILLED + part.sum()),
    "nothing was written to `out`": of_parts(lambda part, x, b: FILLED),
    "this is the mean, not the sum": of_parts(lambda part, x, b: part.sum() / max(part.size, 1)),
    "this is the largest entry, not the sum": of_parts(lambda part, x, b: max(part.max(initial=-np.inf), 0.0)),
    "one thread adds everything: the threads are to add in pairs": lambda x, grid: oracle_block_sum_kernel(
        x, grid, additions="all: the threads are to add in pairs"
    ),
    "the additions are atomic: they wait for each other, and the threads are to add in pairs": lambda x, grid: (
        oracle_block_sum_kernel(x, grid, additions=ATOMIC)
    ),
    "all blocks write to the same place: out[cuda.blockIdx.x] is each block's own": lambda x, grid: (
        ("raises", "Race", "global memory") if grid > 1 else oracle_block_sum_kernel(x, grid)
    ),
}


# 11.5 matmul_kernel


def draw_matmul_kernel(rng):
    """Less than a tile, one, and more along each axis in turn: a watched thread is slow."""
    few = int(rng.integers(2, 5))
    for n, k, m in ((few, 16 + few, 3), (16 + few, 5, 2), (2, few, 18)):
        yield dict(a=floats(rng, n, k), b=floats(rng, k, m))


@whole
def describe_matmul_kernel(a, b):
    grid = blocks(b.shape[1], TILE), blocks(len(a), TILE)
    return f"matmul_kernel[{grid}, (TILE, TILE)](a, b, out)\n{shown(a=a, b=b)}"


def observe_matmul_kernel(matmul_kernel, a, b):
    grid = blocks(b.shape[1], TILE), blocks(len(a), TILE)
    out = np.full((len(a), b.shape[1]), FILLED, np.float32)
    seen, report = watched(matmul_kernel, grid, (TILE, TILE), dict(a=a, b=b, out=out))
    steps = blocks(a.shape[1], TILE)
    return seen | {
        READS.format("a"): report.counts("a", "read"),
        READS.format("b"): report.counts("b", "read"),
        BARRIERS: at_most(report.most_barriers(), 2 * steps),
        BANKS: report.bank_conflicts(),
        SECTORS.format("a"): report.sectors("a")[0],
        SECTORS.format("b"): report.sectors("b")[0],
    }


def tile_sectors(rows, columns, times, ends=None):
    """Return the sectors that blocks move when a warp, two rows of a tile, reads along the rows of a matrix.

    Args:
        rows, columns: Shape of the matrix.
        times: How many blocks read each tile.
        ends: Rows and columns that are read; None for all.
    """
    high, wide = ends or (rows, columns)
    moved = 0
    for top in range(0, high, TILE):
        for left in range(0, wide, TILE):
            for row in range(top, min(top + TILE, high), 2):
                pair = range(row, min(row + 2, high))
                moved += sectors([i * columns + j for i in pair for j in range(left, min(left + TILE, wide))])
    return moved * times


def sectors_without_tiles(n, k, m):
    """Return the sectors moved for both factors if each thread goes along a row and down a column by itself."""
    moved_a = moved_b = 0
    for top in range(0, n, 2):
        for left in range(0, m, TILE):
            for p in range(k):
                moved_a += sectors([i * k + p for i in range(top, min(top + 2, n))])
                moved_b += sectors([p * m + j for j in range(left, min(left + TILE, m))])
    return moved_a, moved_b


def oracle_matmul_kernel(a, b, terms=None, function=None, whole_tiles=False, naive=False, begin=0.0):
    """Multiply, and count what tiles read."""
    (n, k), m = a.shape, b.shape[1]
    across, down = blocks(m, TILE), blocks(n, TILE)
    wide, tall = a.astype(np.float64), b.astype(np.float64)
    if whole_tiles:
        terms = k - k % TILE
    out = begin + wide[:, :terms] @ tall[:terms]
    reads_a = np.full(a.shape, m if naive else across)
    reads_b = np.full(b.shape, n if naive else down)
    if terms is not None:
        reads_a[:, terms:], reads_b[terms:] = 0, 0
    if function is not None:
        out = function(wide, tall)
    end = k if terms is None else min(terms, k)
    moved = tile_sectors(n, k, across, (n, end)), tile_sectors(k, m, down, (end, m))
    moved = sectors_without_tiles(n, k, m) if naive else moved
    return expected(out, dict(a=a, b=b)) | {
        READS.format("a"): reads_a,
        READS.format("b"): reads_b,
        BARRIERS: f"at most {2 * blocks(k, TILE)}",
        BANKS: 0,
        SECTORS.format("a"): moved[0],
        SECTORS.format("b"): moved[1],
    }


def several(axis, error):
    """Make the oracle of a kernel that goes wrong where more than one tile lies along an axis."""
    return lambda a, b: error if blocks((*a.shape, b.shape[1])[axis], TILE) > 1 else oracle_matmul_kernel(a, b)


def uneven(condition, error):
    return lambda a, b: error if condition(*a.shape, b.shape[1]) else oracle_matmul_kernel(a, b)


SHARED_RACE = ("raises", "Race", "shared memory")
misconceptions_matmul_kernel = {
    "the barrier between loading the tiles and multiplying is missing": lambda a, b: SHARED_RACE,
    "the barrier after multiplying is missing: the next step overwrites tiles that others still read": several(1, SHARED_RACE),
    "a thread beyond the result returns, or skips the loop: the others wait for it at the barrier for ever": uneven(
        lambda n, k, m: n % TILE or m % TILE, ("raises", "DivergentBarrier", "divergent barrier")
    ),
    "the guard of the last write is missing": uneven(
        lambda n, k, m: n % TILE or m % TILE, ("raises", "OutOfBounds", "uses out[")
    ),
    "places beyond a matrix were left unwritten in the tile: they are to be 0": uneven(
        lambda n, k, m: n % TILE or k % TILE or m % TILE, ("raises", "Unwritten", "unwritten memory")
    ),
    "the guard of the loads is missing: a tile may go beyond a matrix": uneven(
        lambda n, k, m: n % TILE or k % TILE or m % TILE, ("raises", "OutOfBounds", "out of bounds")
    ),
    "what is left of the sum after the last whole tile was left out": lambda a, b: oracle_matmul_kernel(a, b, whole_tiles=True),
    "the tiles are not used: each thread fetches a row and a column for itself": lambda a, b: oracle_matmul_kernel(
        a, b, naive=True
    ),
    "the sum begins again in each step: only the last tile counts": lambda a, b: oracle_matmul_kernel(
        a, b, function=lambda x, y: x[:, (x.shape[1] - 1) // TILE * TILE :] @ y[(x.shape[1] - 1) // TILE * TILE :]
    ),
    "only the first tile was multiplied": lambda a, b: oracle_matmul_kernel(a, b, terms=TILE),
    "the result was added to what `out` held: it may hold anything": lambda a, b: oracle_matmul_kernel(a, b, begin=FILLED),
    "nothing was written to `out`": lambda a, b: oracle_matmul_kernel(
        a, b, function=lambda x, y: np.full((len(x), y.shape[1]), FILLED)
    ),
}
