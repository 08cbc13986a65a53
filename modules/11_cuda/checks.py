"""Checks of module 11. NumPy only: nothing here runs the code that it judges, except `observe`.

A kernel runs in the simulator, whether there is a GPU or not: it sees what is out of bounds, races, unwritten memory and float64,
and it counts what values do not show: how often an entry is read, how many sectors a warp moves, bank conflicts, barriers. The
arrays to be written on hold a number that is no result, and sizes are no multiples of the block.
"""

import importlib
import itertools

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
KERNEL, ARITHMETIC, WRITTEN, WORK = "it is a kernel", "the arithmetic", "entries of out", "the work"
READS, SECTORS = "how often each entry of {} is read", "sectors moved for {}"
BARRIERS, BANKS = "barriers in a block", "cycles lost to bank conflicts"
ALL_WRITTEN, SHARED_OUT = "all written", "shared among the threads"


ENDLESS = {}  # kernels with a loop that did not end, and the error: to wait for it once is enough


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
    if kernel in ENDLESS:
        raise ENDLESS[kernel]
    try:
        report = watch(kernel, grid, block, *copies.values())
    except Exception as error:
        if type(error).__name__ == "EndlessLoop":
            ENDLESS[kernel] = error
        raise
    report.check()
    *read, out = copies
    seen = {
        KERNEL: "yes" if hasattr(kernel, "py_func") else NO_DECORATOR,
        **{f"{name} afterwards, which is only to be read": copies[name] for name in read},
        WRITTEN: unwritten(copies[out]),
        out: copies[out],
    }
    wide = report.float64()
    return seen | {ARITHMETIC: wide[0] if wide else "float32 alone"}, report


def expected(out, read, arithmetic="float32 alone"):
    """Give a result the form of what `watched` sees."""
    kept = {f"{name} afterwards, which is only to be read": array for name, array in read.items()}
    return {KERNEL: "yes", **kept, WRITTEN: unwritten(out), "out": out, ARITHMETIC: arithmetic}


def unwritten(out):
    """Say which entries of an array hold what they held before the launch."""
    places = [", ".join(str(int(i)) for i in place) for place in np.argwhere(out == FILLED)]
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"out[{places[0]}]{more} not written by any thread" if places else ALL_WRITTEN


def most_entries(report, kind, space="global"):
    """Return how many different entries of a kind of memory the busiest thread reads, or writes."""
    entries = {}
    for block, thread, _, _, array, offset, of_kind, _ in report.accesses:
        if of_kind == kind and array.space == space:
            entries.setdefault((block, thread), set()).add((id(array), offset))
    return max(map(len, entries.values()), default=0)


def shared_out(most, limit, what):
    """Say whether work is shared among the threads, given the most that one of them does, and the limit."""
    return SHARED_OUT if most <= limit else f"one thread {what} {most} entries: the grid has other threads for them"


def at_most(number, limit):
    return f"at most {limit}" if number <= limit else str(number)


def conflicts(report):
    """Say how many turns were lost to bank conflicts, and in which line the worst one is."""
    worst = [(group[0].line, ways(group)) for group in report.by_warp("shared")]
    lost = sum(turns - 1 for _, turns in worst)
    if not lost:
        return "none"
    line, turns = max(worst, key=lambda pair: pair[1])
    return f"{lost}: in {report.text(line)} a warp needs {turns} entries of one bank at once, a multiple of 32 apart"


def ways(group):
    """Return how many turns a warp's access to shared memory takes: the most different words of one bank."""
    words = {access[5] // 4 for access in group}  # by the offset in bytes
    banks = [word % 32 for word in words]
    return max(map(banks.count, set(banks))) if len(set(banks)) < len(banks) else 1


def partial(function):
    """Mark a misconception that says something of some observations only, and nothing of the others."""
    function.partial = True
    return function


def raises(*words):
    """Make a misconception that goes wrong in every case."""
    return lambda **inputs: ("raises", *words)


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
    return seen | {WORK: shared_out(most_entries(report, "write"), 1, "writes")}


def relu(x):
    return np.where(x <= 0, 0.0, x.astype(np.float64))


def oracle_relu_kernel(x, grid, block):
    return of_map(relu)(x, grid, block)


def of_map(function, written=lambda x: np.ones(x.shape, bool)):
    """Make the oracle of a kernel that applies a function to an array, and writes some of the entries."""

    def oracle(x, grid, block):
        with np.errstate(all="ignore"):
            out = np.where(written(x), function(x), FILLED)
        return expected(out, dict(x=x)) | {WORK: SHARED_OUT}

    return oracle


def unless_covered(*words):
    """Make the oracle of a kernel that goes wrong where there are more threads than entries."""
    return lambda x, grid, block: (
        ("raises", *[word.format(last=x.size - 1) for word in words])
        if grid * block > x.size
        else oracle_relu_kernel(x, grid, block)
    )


def one_block(x, grid, block):
    """Go wrong where there are several blocks: they write to the same entries."""
    return ("raises", "Race", "global memory", "blocks run in no order") if grid > 1 else oracle_relu_kernel(x, grid, block)


@partial
def of_fixed_block(x, grid, block):
    """Take every block for one of THREADS threads, as `THREADS * blockIdx.x + threadIdx.x` does."""
    out = np.where(np.arange(x.size) % THREADS < block, relu(x), FILLED)
    return {WRITTEN: unwritten(out), "out": out}


misconceptions_relu_kernel = {
    "the guard is missing, or lets too many through: a position has an entry if it is less than x.size": unless_covered(
        "OutOfBounds", "out of bounds"
    ),
    "threads of different blocks have the same position: it is blockIdx.x * blockDim.x + threadIdx.x, or cuda.grid(1)": one_block,
    "the position was computed with THREADS: a block has blockDim.x threads": of_fixed_block,
    "all threads went through all entries: each has one, that of its position": raises(
        "Race", "out[0] is written by thread (0, 0, 0)", "thread (1, 0, 0)", "no barrier"
    ),
    "the threads that are left over all write the last entry: they are to write nothing": unless_covered(
        "Race", "out[{last}] is written"
    ),
    "one thread goes through several entries: each has one, that of its position": partial(
        lambda x, grid, block: {"out": relu(x), WORK: shared_out(min(block, x.size), 1, "writes")}
    ),
    "one thread goes through all entries: each has one, that of its position": partial(
        lambda x, grid, block: {"out": relu(x), WORK: shared_out(x.size, 1, "writes")}
    ),
    "the entry was multiplied by 0 or 1: infinity times 0 is nan": of_map(lambda x: x.astype(np.float64) * (x > 0)),
    "nan became 0: nan is not below 0, and stays": of_map(lambda x: np.where(x > 0, x.astype(np.float64), 0.0)),
    "negative entries were kept, and positive ones became 0": of_map(lambda x: np.where(x >= 0, 0.0, x.astype(np.float64))),
    "this is the absolute value": of_map(lambda x: np.abs(x.astype(np.float64))),
    "the result was added to what `out` held: it may hold anything": of_map(lambda x: FILLED + relu(x)),
    "nothing was written to `out`: `out = ...` gives the name to something else, `out[i] = ...` writes": of_map(
        relu, lambda x: np.zeros(x.shape, bool)
    ),
    "entry 0 was left out: the guard lets a position through if it is less than the size": of_map(
        relu, lambda x: np.arange(x.size) > 0
    ),
    "the last entry was left out: positions go to size - 1": of_map(relu, lambda x: np.arange(x.size) < x.size - 1),
    "zeros were not written: `out` may hold anything": of_map(relu, lambda x: ~(x <= 0)),
}


# 11.2 blocks_for


def draw_blocks_for(rng):
    """Multiples of the block, one more, one less, none, one, and large numbers."""
    threads = int(rng.integers(3, 9))
    for count in (5 * threads, 5 * threads + 1, 5 * threads - 1, 0, 1, threads):
        yield dict(count=count, threads=threads)
    many = int(rng.integers(2**47, 2**48))
    for count in (256 * many + 1, 256 * many):
        yield dict(count=count, threads=256)
    few = int(rng.integers(2, 99))
    yield dict(count=few, threads=1)
    for threads in (1024, 100 * few + 3, 10**9 + few):
        yield dict(count=few * threads + 1, threads=threads)


describe_blocks_for = "blocks_for({count}, {threads})"


def observe_blocks_for(blocks_for, count, threads):
    """Return the number; if it is no int, what it is: a launch takes no other."""
    number = blocks_for(count, threads)
    if isinstance(number, (float, np.floating)):
        return f"{number}, of type {type(number).__name__}: an int is asked for"
    return number


def oracle_blocks_for(count, threads):
    return -(-count // threads)


misconceptions_blocks_for = {
    "rounded down: the entries left over have no thread": lambda count, threads: count // threads,
    "one block too many where the block divides the count": lambda count, threads: count // threads + 1,
    "a float was returned, as np.ceil gives it: an int is asked for": lambda count, threads: (
        f"{np.ceil(count / threads)}, of type float64: an int is asked for"
    ),
    "computed with float numbers, which are not exact for large counts": lambda count, threads: int(np.ceil(count / threads)),
    "less than 1 was added before rounding down: an entry that is alone in its block gets none": lambda count, threads: int(
        count / threads + 0.999
    ),
    "THREADS was used: the size of a block is the argument `threads`": lambda count, threads: -(-count // THREADS),
    "a half was added, and round() goes to the even number at a half: divide whole numbers, rounding up": lambda count, threads: (
        round(count / threads + 0.5)
    ),
    "one block for no entries: 0 are enough": lambda count, threads: max(1, -(-count // threads)),
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
        ((9 + a, 32), (2, 4), (16, 4)),
        ((1, b), (1, 1), (16, 2)),
        ((b, 1), (1, 4), (2, 4)),
    ):
        yield dict(x=floats(rng, n, m), row=floats(rng, m), grid=grid, block=block)


@whole
def describe_add_row_kernel(x, row, grid, block):
    return f"add_row_kernel[{tuple(grid)}, {tuple(block)}](x, row, out)\n{shown(x=x, row=row)}"


def observe_add_row_kernel(add_row_kernel, x, row, grid, block):
    seen, report = watched(add_row_kernel, tuple(grid), tuple(block), dict(x=x, row=row, out=np.full_like(x, FILLED)))
    seen |= {WORK: shared_out(most_entries(report, "write"), 1, "writes"), READS.format("x"): report.counts("x", "read")}
    limit = sectors_of_rows(x.shape, grid, block)
    return seen | {
        SECTORS.format("x"): at_most(report.sectors("x")[0], limit),
        SECTORS.format("out"): at_most(report.sectors("out", "write")[0], limit),
    }


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


def places_of_warps(shape, grid, block, exchanged=False):
    """Return the entries (row, column) of a table that each warp has, with x as the column, or exchanged."""
    (n, m), warps = shape, positions(grid, block)
    places = [[(p, q) if exchanged else (q, p) for p, q in warp] for warp in warps]
    return [[(i, j) for i, j in some if i < n and j < m] for some in places]


def sectors_of_rows(shape, grid, block, exchanged=False):
    """Return how many sectors of a table are moved if each warp accesses its entries once."""
    return sum(sectors([i * shape[1] + j for i, j in places]) for places in places_of_warps(shape, grid, block, exchanged))


def oracle_add_row_kernel(x, row, grid, block, exchanged=False, function=np.add, missing=None):
    """Compute sums and count sectors, with x as the column, or exchanged."""
    out, reads = np.full(x.shape, FILLED), np.zeros(x.shape, int)
    for places in places_of_warps(x.shape, grid, block, exchanged):
        for i, j in places:
            if missing is None or not missing(i, j, *x.shape):
                out[i, j] = function(float(x[i, j]), float(row[j]))
                reads[i, j] += 1
    moved = at_most(sectors_of_rows(x.shape, grid, block, exchanged), sectors_of_rows(x.shape, grid, block))
    counts = {WORK: SHARED_OUT, READS.format("x"): reads, SECTORS.format("x"): moved, SECTORS.format("out"): moved}
    return expected(out, dict(x=x, row=row)) | counts


def by_one_thread(size):
    """Make the oracle of a kernel that is right, but one thread goes through several entries."""
    return partial(lambda x, row, grid, block: {"out": x.astype(np.float64) + row, WORK: shared_out(size(*x.shape), 1, "writes")})


def of_block_size(size):
    """Make the oracle of a kernel that computes positions with another size of the block: a function of the true one."""

    @partial
    def oracle(x, row, grid, block):
        axes = [np.add.outer(size(*block)[axis] * np.arange(grid[axis]), np.arange(block[axis])).ravel() for axis in (0, 1)]
        columns, rows = [axis[axis < length] for axis, length in zip(axes, x.shape[::-1])]
        if any(len(set(axis.tolist())) < len(axis) for axis in (columns, rows)):
            return ("raises", "Race", "blocks run in no order")
        out = np.full(x.shape, FILLED)
        out[np.ix_(rows, columns)] = (x.astype(np.float64) + row)[np.ix_(rows, columns)]
        return {WRITTEN: unwritten(out), "out": out}

    return oracle


@partial
def wrong_entry_of_row(x, row, grid, block):
    """Add the entry of the row that has the number of the table's row."""
    if len(x) > len(row):
        return ("raises", "OutOfBounds", "uses row[")
    return {"out": x.astype(np.float64) + row[: len(x), None]}


def beyond(condition):
    """Make the oracle of a kernel that goes out of bounds under a condition on table, grid and block."""
    return lambda x, row, grid, block: (
        ("raises", "OutOfBounds", "out of bounds")
        if condition(*x.shape, *grid, *block)
        else oracle_add_row_kernel(x, row, grid, block)
    )


def sent_to(place):
    """Make the oracle of a kernel whose threads have entries by a rule: a function of row, column, and the table's shape.

    The first entry that two of them write is the race that is reported; one that is still beyond the table has no entry.
    """

    def oracle(x, row, grid, block):
        writers = {}
        for p, q in itertools.chain.from_iterable(positions(grid, block)):
            i, j = place(q, p, *x.shape)
            if i < len(x) and j < len(row):
                writers[i, j] = writers.get((i, j), 0) + 1
        raced = next((entry for entry, count in writers.items() if count > 1), None)
        if raced is None:
            return oracle_add_row_kernel(x, row, grid, block)
        return "raises", "Race", "global memory", f"out[{raced[0]}, {raced[1]}] is written"

    return oracle


misconceptions_add_row_kernel = {
    "`out` is indexed in another order than x: both are [row, column]": raises("OutOfBounds", "uses out["),
    "row[i] was added: the entry that belongs to column j is row[j]": wrong_entry_of_row,
    "each thread went through a whole row, so that several wrote the same entry: the grid is the loop": raises(
        "Race", "out[0, 0] is written by thread (0, 0, 0)", "by thread (1, 0, 0)", "no barrier"
    ),
    "threads that differ in y have the same position: the grid has two axes, and cuda.grid(2) gives both": raises(
        "Race", "out[0, 0] is written by thread (0, 0, 0)", "by thread (0, 1, 0)", "no barrier"
    ),
    "threads of different blocks have the same position: cuda.grid(2) counts with the block's number and size": lambda x, row, grid, block: (
        ("raises", "Race", "blocks run in no order") if grid[0] * grid[1] > 1 else oracle_add_row_kernel(x, row, grid, block)
    ),
    "the row was computed with blockDim.x: along y a block has blockDim.y threads": of_block_size(lambda x, y: (x, x)),
    "the column was computed with blockDim.y: along x a block has blockDim.x threads": of_block_size(lambda x, y: (y, y)),
    "positions are computed for blocks of 32 by 4: blockDim says how large they are": of_block_size(lambda x, y: (32, 4)),
    "one thread goes through a whole row, and others do nothing: each has one entry": by_one_thread(lambda n, m: m),
    "one thread goes through a whole column, and others do nothing: each has one entry": by_one_thread(lambda n, m: n),
    "one thread goes through the whole table, and the others do nothing: each has one entry": by_one_thread(lambda n, m: n * m),
    "nothing was written to `out`": lambda **inputs: oracle_add_row_kernel(**inputs, missing=lambda i, j, n, m: True),
    "the last row was left out": lambda **inputs: oracle_add_row_kernel(**inputs, missing=lambda i, j, n, m: i == n - 1),
    "the last column was left out": lambda **inputs: oracle_add_row_kernel(**inputs, missing=lambda i, j, n, m: j == m - 1),
    "x and y are exchanged: the threads of a warp go down a column, and each moves a sector of its own": lambda **inputs: (
        oracle_add_row_kernel(**inputs, exchanged=True)
    ),
    "the guard for the rows is missing: y may go beyond them": beyond(lambda n, m, gx, gy, bx, by: gy * by > n),
    "the guard for the columns is missing: x may go beyond them": beyond(lambda n, m, gx, gy, bx, by: gx * bx > m),
    "the guard is missing, or looks at one axis only": beyond(lambda n, m, gx, gy, bx, by: gx * bx > m or gy * by > n),
    "threads beyond the table were sent to its last row or column, and write there a second time: a thread without an entry does nothing": (
        sent_to(lambda i, j, n, m: (min(i, n - 1), min(j, m - 1))),
        sent_to(lambda i, j, n, m: (i, min(j, m - 1))),
        sent_to(lambda i, j, n, m: (min(i, n - 1), j)),
    ),
    "the guard looks at the position as one number: a thread beyond the last column gets an entry of the next row, which has a thread": lambda x, row, grid, block: (
        ("raises", "Race", "global memory")
        if grid[0] * block[0] > x.shape[1] and len(x) > 1
        else oracle_add_row_kernel(x, row, grid, block)
    ),
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
MOST_AT_ONCE = 8  # numbers that a thread may add between two barriers
ATOMIC = "atomic additions, one after the other: the threads are to add in pairs"
SERIAL = "one thread adds many numbers: the threads are to add in pairs"


def observe_block_sum_kernel(block_sum_kernel, x, grid):
    seen, report = watched(block_sum_kernel, grid, THREADS, dict(x=x, out=np.full(grid, FILLED, np.float32)))
    return seen | {
        WORK: additions(report),
        READS.format("x"): report.counts("x", "read"),
        BARRIERS: at_most(report.most_barriers(), MOST_BARRIERS),
        BANKS: conflicts(report),
    }


def at_most(number, limit):
    return f"at most {limit}" if number <= limit else str(number)


def additions(report):
    """Say whether the threads add in pairs: none reads much between two waits. Or whether atomic additions do the work."""
    reads = {}
    for access in report.accesses:
        if access.kind == "atomic":
            return ATOMIC
        if access.kind == "read":
            key = access.block, access.thread, access.phase, access.warp_phase
            reads[key] = reads.get(key, 0) + 1
    return SHARED_OUT if max(reads.values(), default=0) <= MOST_AT_ONCE else SERIAL


def oracle_block_sum_kernel(x, grid, function=lambda part, x, b: part.sum(), work=SHARED_OUT):
    """Sum block by block."""
    parts = [x[b * THREADS : (b + 1) * THREADS].astype(np.float64) for b in range(grid)]
    out = np.array([function(part, x, b) for b, part in enumerate(parts)])
    return expected(out, dict(x=x)) | {
        WORK: work,
        READS.format("x"): np.ones(x.shape, int),
        BARRIERS: f"at most {MOST_BARRIERS}",
        BANKS: "none",
    }


def of_parts(function):
    """Make the oracle of a kernel that writes something else for a block."""
    return lambda x, grid: oracle_block_sum_kernel(x, grid, function)


def not_full(*words):
    """Make the oracle of a kernel that goes wrong where some threads have no entry."""
    return lambda x, grid: ("raises", *words) if x.size < grid * THREADS else oracle_block_sum_kernel(x, grid)


def some_blocks(*words):
    """Make the oracle of a kernel that goes wrong where there are several blocks."""
    return lambda x, grid: ("raises", *words) if grid > 1 else oracle_block_sum_kernel(x, grid)


@partial
def last_again(x, grid):
    """Let the threads without an entry add the last one again."""
    parts = [x[np.minimum(np.arange(b * THREADS, (b + 1) * THREADS), x.size - 1)].astype(np.float64) for b in range(grid)]
    return {"out": np.array([part.sum() for part in parts])}


misconceptions_block_sum_kernel = {
    "the threads beyond `half` add as well, while others read what they write: only threads with t < half add": raises(
        "Race", "shared memory", "[0] is written by thread (0, 0, 0)", f"read by thread ({THREADS // 2}, 0, 0)"
    ),
    "threads read what others may not have written yet: a barrier is missing, or threads beyond `half` add as well": raises(
        "Race", "shared memory"
    ),
    "the barrier is inside the branch of the threads that add: the others never come to it": raises(
        "DivergentBarrier", "divergent barrier"
    ),
    "a thread without an entry returns before the barrier, where the others wait for it: it is to put 0 and go on": not_full(
        "DivergentBarrier", "divergent barrier", "has ended"
    ),
    "an array of cuda.local belongs to one thread: the threads share what cuda.shared.array makes": raises(
        "Unwritten", "unwritten memory", "local memory"
    ),
    "threads without an entry left their place in shared memory unwritten: it is to be 0": not_full(
        "Unwritten", "unwritten memory", "shared memory"
    ),
    "an entry beyond the shared array was added: `half` begins at THREADS // 2, and only threads with t < half add": raises(
        "OutOfBounds", f"[{THREADS}]", "shared array"
    ),
    "the guard is missing: there may be more threads than entries": not_full("OutOfBounds", "x["),
    "`out` has an entry for each block: its place is the block's number": some_blocks("OutOfBounds", "uses out["),
    "each thread adds its entry to `out`, where they overwrite each other's sums: they share partial sums in shared memory": lambda x, grid: (
        ("raises", "Race", "global memory", "no barrier")
        if x.size > 1
        else oracle_block_sum_kernel(x, grid, lambda part, x, b: FILLED + part.sum())
    ),
    "several threads of a block write to `out`: one of them does, when the sum is complete": raises(
        "Race", "global memory", "no barrier"
    ),
    "a block without entries wrote nothing: its sum is 0": of_parts(lambda part, x, b: part.sum() if part.size else FILLED),
    "a thread without an entry put 1 into shared memory: adding 0 changes nothing": of_parts(
        lambda part, x, b: part.sum() + THREADS - part.size
    ),
    "a thread without an entry put the last one into shared memory again: it is to put 0": last_again,
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
    "all blocks write to the same place: out[cuda.blockIdx.x] is each block's own": some_blocks(
        "Race", "global memory", "blocks run in no order"
    ),
}


# 11.5 matmul_kernel


def draw_matmul_kernel(rng):
    """Less than a tile, and more, along each axis in turn; the sum also with one whole tile. A watched thread is slow."""
    few = int(rng.integers(2, 5))
    for n, k, m in ((few, 16 + few, 3), (16 + few, 5, 2), (2, TILE, 18)):
        yield dict(a=floats(rng, n, k), b=floats(rng, k, m))


@whole
def describe_matmul_kernel(a, b):
    grid = blocks(b.shape[1], TILE), blocks(len(a), TILE)
    return f"matmul_kernel[{grid}, (TILE, TILE)](a, b, out)\n{shown(a=a, b=b)}"


WRITES = "how often each entry of out is written"


def observe_matmul_kernel(matmul_kernel, a, b):
    (n, k), m = a.shape, b.shape[1]
    grid, steps = (blocks(m, TILE), blocks(n, TILE)), blocks(k, TILE)
    arguments = dict(a=a, b=b, out=np.full((n, m), FILLED, np.float32))
    seen, report = watched(matmul_kernel, grid, (TILE, TILE), arguments)
    return seen | {
        WORK: tiles_shared_out(report, steps),
        READS.format("a"): report.counts("a", "read"),
        READS.format("b"): report.counts("b", "read"),
        WRITES: report.counts("out", "write"),
        BARRIERS: at_most(report.most_barriers(), 2 * steps),
        BANKS: conflicts(report),
        SECTORS.format("a"): at_most(report.sectors("a")[0], tile_sectors(n, k) * grid[0]),
        SECTORS.format("b"): at_most(report.sectors("b")[0], tile_sectors(k, m) * grid[1]),
    }


def tiles_shared_out(report, steps):
    """Say whether the threads of a block share the loads of the tiles, and the products."""
    loads, products = most_entries(report, "read"), most_entries(report, "read", "shared")
    if loads > 4 * steps:  # one of each tile in a step, or two
        return f"one thread loads {loads} entries of a and b: in a step each loads one for each tile"
    if products > 4 * TILE:  # a row of one tile and a column of the other, or two of each
        return f"one thread reads {products} entries of shared memory: each computes one entry of out"
    return SHARED_OUT


def tile_sectors(rows, columns):
    """Return the sectors that are moved when each warp, two rows of a tile, reads along the rows of a matrix."""
    moved = 0
    for top in range(0, rows, TILE):
        for left in range(0, columns, TILE):
            for row in range(top, min(top + TILE, rows), 2):
                pair = range(row, min(row + 2, rows))
                moved += sectors([i * columns + j for i in pair for j in range(left, min(left + TILE, columns))])
    return moved


def oracle_matmul_kernel(a, b):
    """Multiply, and count what tiles read."""
    (n, k), m = a.shape, b.shape[1]
    return expected(a.astype(np.float64) @ b, dict(a=a, b=b)) | {
        WORK: SHARED_OUT,
        READS.format("a"): np.full(a.shape, blocks(m, TILE)),
        READS.format("b"): np.full(b.shape, blocks(n, TILE)),
        WRITES: np.ones((n, m), int),
        BARRIERS: f"at most {2 * blocks(k, TILE)}",
        BANKS: "none",
        SECTORS.format("a"): f"at most {tile_sectors(n, k) * blocks(m, TILE)}",
        SECTORS.format("b"): f"at most {tile_sectors(k, m) * blocks(n, TILE)}",
    }


def values(function):
    """Make the oracle of a kernel that writes other values: a function of both matrices in float64."""
    return partial(lambda a, b: {"out": function(a.astype(np.float64), b.astype(np.float64))})


def of_terms(keep):
    """Make the oracle of a kernel that leaves out some terms of each sum: `keep` says which of their numbers stay."""
    return values(lambda a, b: a[:, keep(np.arange(len(b)), len(b))] @ b[keep(np.arange(len(b)), len(b))])


def of_tiles(combine):
    """Make the oracle of a kernel that combines tiles, filled up with 0, in another way than by multiplying them."""

    def product(a, b):
        (n, k), m = a.shape, b.shape[1]
        a, b = np.pad(a, ((0, -n % TILE), (0, -k % TILE))), np.pad(b, ((0, -k % TILE), (0, -m % TILE)))
        out = np.zeros((len(a), b.shape[1]))
        for i, j, p in np.ndindex(len(a) // TILE, b.shape[1] // TILE, len(b) // TILE):
            rows, columns, terms = (slice(TILE * start, TILE * (start + 1)) for start in (i, j, p))
            out[rows, columns] += combine(a[rows, terms], b[terms, columns])
        return out[:n, :m]

    return values(product)


@partial
def axes_exchanged(a, b):
    """Take the pair of `cuda.grid(2)` for (row, column), with tiles that are loaded by (y, x): all threads get one sum."""
    (n, k), m = a.shape, b.shape[1]
    out = np.full((n, m), FILLED)
    for x, y in np.ndindex(blocks(m, TILE), blocks(n, TILE)):
        terms = [(x * TILE + p % TILE, p, y * TILE + p % TILE) for p in range(k)]
        total = sum(float(a[i, p]) * float(b[p, j]) for i, p, j in terms if i < n and j < m)
        out[x * TILE : (x + 1) * TILE, y * TILE : (y + 1) * TILE] = total
    return {"out": out}


def running_sums(a, b):
    """Add the sum so far to `out` in each step."""
    ends = [TILE * (step + 1) for step in range(blocks(len(b), TILE))]
    return FILLED + sum(a[:, :end] @ b[:end] for end in ends)


def several(axis, error):
    """Make the oracle of a kernel that goes wrong where more than one tile is along an axis."""
    return lambda a, b: error if blocks((*a.shape, b.shape[1])[axis], TILE) > 1 else oracle_matmul_kernel(a, b)


def uneven(*words):
    """Make the oracle of a kernel that goes wrong where a tile goes beyond a matrix."""
    return lambda a, b: ("raises", *words) if any(size % TILE for size in (*a.shape, *b.shape)) else oracle_matmul_kernel(a, b)


def repeated(name):
    """Make the misconception of loads that repeat the last entries of a matrix beyond the end of the sum."""

    @partial
    def oracle(a, b):
        reads = oracle_matmul_kernel(a, b)[READS.format(name)]
        again = 1 + -len(b) % TILE
        if name == "a":
            reads[:, -1] *= again
        else:
            reads[-1] *= again
        return {READS.format(name): reads}

    return oracle


SHARED_RACE = ("raises", "Race", "shared memory")


def waiting(count):
    """Make the oracle of a kernel with more barriers than it needs: a function of k says how many a thread passes."""
    return partial(lambda a, b: {"out": a.astype(np.float64) @ b, BARRIERS: at_most(count(len(b)), 2 * blocks(len(b), TILE))})


misconceptions_matmul_kernel = {
    "more barriers than two in a step: one after loading the tiles, one after the products": (
        waiting(lambda k: 2 * blocks(k, TILE) + 1),
        waiting(lambda k: 3 * blocks(k, TILE)),
        waiting(lambda k: 4 * blocks(k, TILE)),
    ),
    "one step too many where k is a multiple of TILE: (k + TILE - 1) // TILE steps": waiting(lambda k: 2 * (k // TILE + 1)),
    "the barrier between loading the tiles and multiplying is missing": raises(*SHARED_RACE[1:]),
    "the barrier after multiplying is missing: the next step overwrites tiles that others still read": several(1, SHARED_RACE),
    "a thread beyond the result returns, or skips a barrier: the others wait for it for ever": uneven(
        "DivergentBarrier", "divergent barrier"
    ),
    "the guard of the last write is missing": uneven("OutOfBounds", "uses out["),
    "an array of cuda.local belongs to one thread: the threads share what cuda.shared.array makes": raises(
        "Unwritten", "unwritten memory", "local memory"
    ),
    "places beyond a matrix were left unwritten in the tile: they are to be 0": uneven(
        "Unwritten", "unwritten memory", "shared memory"
    ),
    "the guard of the loads is missing: a tile may go beyond a matrix": uneven("OutOfBounds", "out of bounds"),
    "places beyond a matrix hold 1 in the tiles: they are to be 0": values(lambda a, b: a @ b + -len(b) % TILE),
    "what is left of the sum after the last whole tile was left out": of_terms(lambda p, k: p < k - k % TILE),
    "the last of the TILE products in each step was left out": of_terms(lambda p, k: p % TILE < TILE - 1),
    "the first of the TILE products in each step was left out": of_terms(lambda p, k: p % TILE > 0),
    "the tiles are not used: each thread fetches a row and a column for itself": partial(
        lambda a, b: {
            "out": a.astype(np.float64) @ b,
            READS.format("a"): np.full(a.shape, b.shape[1]),
            READS.format("b"): np.full(b.shape, len(a)),
        }
    ),
    "the sum begins again in each step: only the last tile counts": of_terms(lambda p, k: p >= (k - 1) // TILE * TILE),
    "each product replaced the sum: it is added to it": of_terms(lambda p, k: p == blocks(k, TILE) * TILE - 1),
    "only the first tile was multiplied, or only whole ones: the steps go along all of k, the columns of a": of_terms(
        lambda p, k: p < TILE
    ),
    "a place beyond k holds the last row of b, or the last column of a, once more: it is to be 0": (
        repeated("a"),
        repeated("b"),
    ),
    "the tile of b is stored with its rows and columns exchanged, and not read so": of_tiles(lambda a, b: a @ b.T),
    "the tile of a is stored with its rows and columns exchanged, and not read so": of_tiles(lambda a, b: a.T @ b),
    "cuda.grid(2) is the pair (x, y): x gives the column, y the row": axes_exchanged,
    "the sum so far was added to `out` in each step: it is written once, when it is complete": values(running_sums),
    "the result was added to what `out` held: it may hold anything": values(lambda a, b: FILLED + a @ b),
    "nothing was written to `out`": values(lambda a, b: np.full((len(a), b.shape[1]), FILLED)),
}
