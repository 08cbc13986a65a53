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
# # Profiling
#
# Your network learns. How fast does it learn, where does the time go, and could it be faster? Guesses about speed are usually
# wrong. In this module you build the tools to find out: a timer you can trust, a count of the work in an op, a measurement of what the
# machine can do, and a profile that times every op of a training step.
#
# Throughout this module, **predict, then measure**. Before each measurement there is a line for your prediction. Write a number there,
# even a bad guess. You learn from a measurement when it differs from what you expected.

# %%
from tito import notebook
check = notebook("09")

import itertools
import time
import numpy as np
from tinytorch.given import machine
rng = np.random.default_rng(0)
print(f"{machine.blas()}, {machine.threads()} threads on {machine.cores()} cores")
machine.limit_threads(1);

# %%
#| export
"""Profiling: the work of an op, the time it takes, and the limits of the machine."""
import contextlib
import time
from typing import NamedTuple

import numpy as np

from tinytorch.given import machine
from tinytorch.activations import (erf, gelu, leaky_relu, log_softmax, relu, sigmoid, softmax,
                                   tanh)
from tinytorch.autograd import linear_weight, probability_minus_truth, sign
from tinytorch.layers import linear
from tinytorch.losses import (binary_cross_entropy_with_logits, cross_entropy, logsumexp,
                              mse_loss)
from tinytorch.given.machine import peak_memory
from tinytorch.given.state import watchers
from tinytorch.optim import adam_update, momentum_update, sgd_update
from tinytorch.tensor import (absolute, add, argmax, argmin, div, equal, exp, getitem, greater,
                              greater_equal, log, matmul, mean, mul, neg, power, reduce_max,
                              reduce_min, reduce_sum, sqrt, sub, where)
from tinytorch.given.profiling import Watch, held

# %% [markdown]
# The printed line shows the matrix library and its threads. Quote it with every timing: the same matrix product takes up to twice as
# long with the library's kernels for an older processor, and about half as long with a second thread, if a core is free. You cannot
# compare times without knowing this.
#
# From here on, this notebook uses one thread unless it says otherwise. One thread never waits for another, so its times are steady.
#
# ## A timer that can be trusted
#
# Here is the same product, timed ten times in a row, in microseconds.

# %%
a, b = rng.standard_normal((2, 256, 256), np.float32)
for attempt in range(10):
    began = time.perf_counter()
    a @ b
    print(f"{1e6 * (time.perf_counter() - began):.0f}", end=" ")

# %% [markdown]
# The first calls are slower, because the data is not in the cache yet, memory for the result has to be allocated, and code has to be
# loaded. So a timer **warms up** first, with calls it does not count. The other calls differ because other programs use the machine
# too. So a timer measures **many** calls, one by one, and reports how much their times spread.
#
# The clock is an argument. `time.perf_counter` counts wall time, and `time.process_time` counts the time that the processor worked
# for your program. The checks pass a clock of their own, which they set by hand.

# %% exercise="09.1" minutes=20 points=3
#| export
def measure(function, repeats=30, warm_up=3, clock=time.perf_counter):
    """Time a function, call by call.

    Args:
        function: Function without arguments.
        repeats: Number of timed calls.
        warm_up: Number of calls before the timed ones, without reading the clock.
        clock: Function without arguments that returns the time in seconds.

    Returns:
        List of ``repeats`` floats, in the order of the calls: the seconds between reading the clock
        directly before the call and reading it directly after.

    Raises:
        ValueError: ``repeats`` is less than 1.

    Example:
        >>> ticks = iter([0.0, 1.0, 10.0, 12.5])
        >>> measure(lambda: None, repeats=2, clock=lambda: next(ticks))
        [1.0, 2.5]

    Source:
        Georges, Buytaert and Eeckhout, Statistically rigorous Java performance evaluation, 2007.
    """
    ### BEGIN SOLUTION
    if repeats < 1:
        raise ValueError(f"a measurement needs at least 1 repeat, got {repeats}")
    for _ in range(warm_up):
        function()
    times = []
    for _ in range(repeats):
        began = clock()
        function()
        times.append(clock() - began)
    return times
    ### END SOLUTION

# %% check="09.1"
check("09.1")

# %% [markdown] hint="09.1"
# Two loops, one after the other. The first only calls the function. The second reads the clock twice for each call.

# %% [markdown] hint="09.1"
# Keep the time before a call in a variable. Append the time after the call, minus that variable.

# %% [markdown]
# ## One number, and how sure it is
#
# Thirty times are too many to print, and their mean is a bad summary: if the machine does something else for 50 ms once, the mean is
# ruined. The **median** hardly changes. For the spread, use the **quartiles**: half of all times are between the first and the third.

# %% exercise="09.2" minutes=10 points=2
#| export
def quartiles(values):
    """Return the points that divide some values, sorted, into four parts of equal size.

    Args:
        values: List or array of shape (n,): finite floats in any order. It is not changed.

    Returns:
        Tuple of three Python floats: the quartiles for q = 1/4, 1/2 (the median) and 3/4. With the
        values sorted, ``v[0] <= v[1] <= ...``, each is at position ``p = q * (n - 1)``: it is
        ``v[p]`` if p is whole, and otherwise on the straight line between the values at the
        positions below and above.

    Raises:
        ValueError: There is no value.

    Example:
        >>> quartiles([5.0, 1.0, 2.0, 100.0, 3.0])
        (2.0, 3.0, 5.0)
        >>> quartiles([1.0, 2.0])
        (1.25, 1.5, 1.75)

    Source:
        Hyndman and Fan, Sample quantiles in statistical packages, 1996, definition 7.
    """
    ### BEGIN SOLUTION
    if len(values) == 0:
        raise ValueError("quartiles need at least one value, got none")
    return tuple(np.quantile(values, (0.25, 0.5, 0.75)).tolist())
    ### END SOLUTION

# %% check="09.2"
check("09.2")

# %% [markdown] hint="09.2"
# By hand: sort a copy, and split `q * (n - 1)` into a whole part and a fraction. Go that fraction of the way from one value to the
# next. The last value has no next one.

# %% [markdown] hint="09.2"
# NumPy has a function that does all of this, for several q at once. Look for quantiles. `.tolist()` makes Python floats.

# %%
#| export
class Timing(NamedTuple):
    """The result of a measurement: the quartiles in seconds, and the settings they depend on."""

    low: float
    median: float
    high: float
    repeats: int
    threads: int
    blas: str

    def __repr__(self):
        low, median, high = (f"{1e6 * seconds:,.1f}" for seconds in self[:3])
        return f"{median} us ({low} to {high}), threads: {self.threads}, {self.blas}"


def benchmark(function, repeats=30, warm_up=3, clock=time.perf_counter):
    """Time a function with `measure`, and return a `Timing`."""
    times = measure(function, repeats, warm_up, clock)
    return Timing(*quartiles(times), repeats, machine.threads(), machine.blas())


def versus(predicted, measured, unit=""):
    """Return a sentence that compares a measurement with its prediction, if there is one."""
    if not predicted:
        return f"measured {measured:,.3g} {unit}; nothing was predicted"
    return (f"predicted {predicted:,.3g} {unit}, measured {measured:,.3g} {unit}: "
            f"{measured / predicted:.2g} x as much")

# %% [markdown]
# Make a first prediction. A `float64` number has twice the bytes of a `float32` number. How many **times as long** does the product of
# two `float64` matrices take? And the product of a `float32` and a `float64` matrix, which happens by accident? Write a number, then
# run the cell.

# %%
predicted = None   # your prediction: how many times as long as float32

narrow = benchmark(lambda: a @ b)
print("float32 ", narrow)
for name, x in {"float64 ": a.astype(np.float64), "mixed   ": a}.items():
    wide = benchmark(lambda: x @ b.astype(np.float64))
    print(name, wide)
    print("        ", versus(predicted, wide.median / narrow.median, "times"))

# %% [markdown] question="09.1"
# Wall time is how long you wait. Processor time is how long all threads together work for you. **Predict** both for two threads, as
# multiples of the times for one thread. Then run the cell. Which of the two would you quote to someone who waits for the result, and
# which to someone who pays for the machine?

# %%
large = rng.standard_normal((1024, 1024), np.float32)
for count in (1, 2):
    with machine.limit_threads(count):
        for name, clock in (("wall", time.perf_counter), ("processor", time.process_time)):
            seconds = benchmark(lambda: large @ large, repeats=10, clock=clock).median
            print(f"threads: {count}, {name:9} {1e3 * seconds:6.1f} ms")

# %% [markdown]
# ## How much there is to do
#
# A time alone does not tell you whether it is good. You also need to know how much work there was. One half of the work is
# arithmetic, counted in **FLOPs**: floating-point operations. Each addition, multiplication, division, comparison, `exp` and `log`
# counts as one. (That is a convention: an `exp` costs the processor about as much as ten multiplications.)
#
# You need not count operations one by one: the op's formula and the shapes are enough. Entry $(i, j)$ of `a @ b` is
# $a_{i0} b_{0j} + a_{i1} b_{1j} + \dots$, and the other entries look the same. Each step adds a product to the sum so far, and the
# first step adds a product to 0. So for every multiplication there is one addition.

# %% exercise="09.3" minutes=10 points=2
#| export
def matmul_flops(out, a, b):
    """Count the FLOPs of a matrix product.

    Args:
        out: Array of shape (..., n, m), the product.
        a: Array of shape (..., n, k).
        b: Array of shape (..., k, m). Batch dimensions of ``a`` and ``b`` broadcast.

    Returns:
        Python int: the multiplications and additions of this loop, two in each iteration::

            for every entry of out:
                total = 0
                for i in range(k):
                    total = total + a's entry * b's entry

    Example:
        >>> a, b = np.ones((2, 3)), np.ones((3, 4))
        >>> matmul_flops(a @ b, a, b)
        48

    Source:
        Golub and Van Loan, Matrix Computations, 2013, section 1.1.
    """
    ### BEGIN SOLUTION
    return 2 * out.size * a.shape[-1]
    ### END SOLUTION

# %% check="09.3"
check("09.3")

# %% [markdown] hint="09.3"
# How often does the inner line run for one entry, and how many entries are there? In a batch, all matrices count: `out` has them.

# %% [markdown] hint="09.3"
# `out.size` is the number of entries. The length of the inner loop is the last axis of `a`.

# %% [markdown]
# Now an op with several steps. For a row of $n$ numbers, your softmax from 02.5 finds the largest, subtracts it from each number, takes
# $n$ exponentials, adds them up, and divides each by the sum. Finding the largest of $n$ numbers takes $n - 1$ comparisons, and adding
# $n$ numbers takes $n - 1$ additions, because the first number costs nothing.

# %% exercise="09.4" minutes=15 points=3
#| export
def softmax_flops(out, a, dim):
    """Count the FLOPs of a softmax along one axis.

    Args:
        out: Array of any shape, the softmax.
        a: Array of that shape, the scores.
        dim: The axis along the rows; negative ones count from the end.

    Returns:
        Python int: the sum over all rows, each of n numbers, of ``n - 1`` comparisons, n
        subtractions, n exponentials, ``n - 1`` additions and n divisions.

    Example:
        >>> softmax_flops(np.ones((4, 10)), np.ones((4, 10)), dim=1)
        192

    Source:
        Blanchard, Higham and Higham, Accurately computing the log-sum-exp and softmax functions,
        2021, section 2.
    """
    ### BEGIN SOLUTION
    rows = a.size // a.shape[dim]
    return 5 * a.size - 2 * rows
    ### END SOLUTION

# %% check="09.4"
check("09.4")

# %% [markdown] hint="09.4"
# Add up the cost of one row of n numbers: a multiple of n, minus a small number. How many rows are there?

# %% [markdown] hint="09.4"
# Each row has `a.shape[dim]` numbers, and together they are `a.size`.

# %% [markdown]
# You **register** the cost of an op, like its rules and kernels, and nothing you wrote before changes. The counts for the other ops
# are given, rounded to whole steps for each entry of an op's largest array.

# %%
#| export
def register_costs(steps, *ops, moves=None):
    """Register the number of operations per entry of an op's result, or of its input if larger.

    For an op that changes an array in place, ``moves`` is how often that array's size is moved.
    """
    for op in ops:
        op.register_cost(lambda out, first, *inputs, **settings:
                         steps * max(np.size(out), np.size(first)),
                         moves and (lambda out, param, *inputs, **settings: moves * param.nbytes))


register_costs(1, add, sub, mul, div, power, neg, exp, log, sqrt, absolute, greater, greater_equal,
               equal, where, sign, relu, tanh, erf, reduce_sum, reduce_max, reduce_min, argmax,
               argmin, mean)
register_costs(2, leaky_relu)
register_costs(3, mse_loss)
register_costs(4, sigmoid, logsumexp, cross_entropy)
register_costs(5, gelu, log_softmax, probability_minus_truth)
register_costs(9, binary_cross_entropy_with_logits)
register_costs(2, sgd_update, moves=3)
register_costs(4, momentum_update, moves=5)
register_costs(13, adam_update, moves=7)
matmul.register_cost(matmul_flops)
linear_weight.register_cost(lambda out, grad, x: 2 * x.size * grad.shape[-1])
linear.register_cost(lambda out, x, weight, bias=None:
                     matmul_flops(out, x, weight) + (0 if bias is None else out.size))
softmax.register_cost(softmax_flops)
getitem.register_cost(None, lambda out, a, index: bytes_moved(out, a) and 2 * held(out))

# %% [markdown]
# ## How much there is to move
#
# The other half of the work is memory traffic: before a number can be multiplied, it has to come from memory, and the result has to go
# back. Any kernel reads each input **at least once** and writes its result once. This minimum is called the bytes of an op.
#
# Two cases need care. A view, such as a transpose, moves nothing, because it is the same memory. And a number that is stretched along
# an axis is in memory only once, however often it is read. The given function `held(array)` counts the bytes that are really in
# memory.

# %% exercise="09.5" minutes=15 points=3
#| export
def bytes_moved(out, *inputs):
    """Return the minimum number of bytes that an op has to read and write.

    Args:
        out: Array of any shape, the result.
        inputs: Arrays of any shapes and dtypes, and Python numbers.

    Returns:
        Python int: the sum of `held` for every array among the inputs and for ``out``. Python
        numbers count 0. If ``out`` may share memory with an input, as their addresses tell, it is a
        view, and nothing moves: the result is 0.

    Example:
        >>> a = np.ones((2, 3), np.float32)
        >>> bytes_moved(a * 2, a, 2), bytes_moved(a.T, a)
        (48, 0)

    Source:
        Williams, Waterman and Patterson, Roofline: an insightful visual performance model, 2009.
    """
    ### BEGIN SOLUTION
    arrays = [x for x in inputs if isinstance(x, np.ndarray)]
    if any(np.may_share_memory(out, x) for x in arrays):
        return 0
    return sum(held(x) for x in (out, *arrays))
    ### END SOLUTION

# %% check="09.5"
check("09.5")

# %% [markdown] hint="09.5"
# First make a list of the inputs that are arrays: `isinstance(x, np.ndarray)` tells them from numbers.

# %% [markdown] hint="09.5"
# `np.may_share_memory(out, x)` tells you whether two arrays may use the same memory. One such input is enough. The sum is over the
# arrays **and** the result.

# %% [markdown]
# FLOPs divided by bytes is the **arithmetic intensity**: how much work is done for each byte moved. Everything below depends on it.
# Predict the intensity of the first matrix product of the MNIST network, with a batch of 128, and of the relu after it. Is it closer
# to 0.1, 1, 10, or 100?

# %%
x, w = rng.standard_normal((128, 784), np.float32), rng.standard_normal((784, 256), np.float32)
predicted = {"matmul": None, "relu": None}   # your predictions: FLOPs for each byte

for op, inputs in ((matmul, (x, w)), (relu, (x @ w,))):
    out = op.forward(*inputs)
    flops, moved = op.flops(out, *inputs), bytes_moved(out, *inputs)
    print(f"{op.name:7} {flops:,} FLOPs, {moved:,} bytes")
    print("       ", versus(predicted[op.name], flops / moved, "FLOPs/byte"))

# %% [markdown]
# ## What the machine can do
#
# A processor has a peak rate of arithmetic, and only a large matrix product comes close to it. The memory has a peak rate of bytes,
# and a plain copy comes close to it. Here the **fastest** run counts, not the median, because you are looking for a limit. The copy
# is measured twice: with arrays too large for any cache, and with arrays that fit into one.

# %%
#| export
class Machine(NamedTuple):
    """The highest rates measured on a machine, each per second."""

    flops: float   # floating-point operations, in a product of large float32 matrices
    memory: float  # bytes read and written, in a copy too large for any cache
    cache: float   # bytes read and written, in a copy of 256 kB
    threads: int
    blas: str


def measure_machine(repeats=10):
    """Measure this machine with the current number of BLAS threads; this takes about 1 s."""
    products, copies = [], []
    for size in (384, 1024):
        a, b = np.ones((2, size, size), np.float32)
        products.append(2 * size**3 / min(measure(lambda: np.matmul(a, b), repeats)))
    for count in (2**24, 2**16):
        source, target = np.ones((2, count), np.float32)
        seconds = min(measure(lambda: np.copyto(target, source), 3 * repeats))
        copies.append(2 * source.nbytes / seconds)
    return Machine(max(products), *copies, machine.threads(), machine.blas())

# %%
predicted = Machine(None, None, None, 1, "")   # your predictions: GFLOP/s, GB/s, GB/s

here = measure_machine()
for name, unit in zip(here._fields, ("GFLOP/s", "GB/s", "GB/s")):
    print(f"{name:6}", versus(getattr(predicted, name), getattr(here, name) / 1e9, unit))

# %% [markdown]
# An op needs time for its arithmetic and time for its bytes. A processor does both at once, so the slower of the two decides. With
# intensity $I$, arithmetic rate $F$ and byte rate $B$, the maximum FLOPs per second are
#
# $$\text{attainable} = \min(F,\; I \cdot B)$$
#
# Plotted against $I$, this is called a **roofline**. It has a slope, where the **memory** is the limit, and then a flat roof, where the
# **arithmetic** is the limit. They meet at $I = F / B$.

# %% exercise="09.6" minutes=15 points=2
#| export
def bound(flops, moved, machine):
    """Return the least time an op can take on a machine, and what limits it.

    Args:
        flops: Number of floating-point operations of the op.
        moved: Number of bytes that it moves.
        machine: `Machine`, or anything with ``flops`` and ``memory``, both per second.

    Returns:
        Tuple of a float and a string. The float is the seconds for the FLOPs at the machine's rate,
        or for the bytes at the rate of its memory, whichever is more. The string is ``"compute"``
        if the FLOPs take longer, or as long, and ``"memory"`` if the bytes do.

    Example:
        >>> bound(1e9, 1e6, Machine(flops=1e11, memory=1e10, cache=5e10, threads=1, blas=""))
        (0.01, 'compute')

    Source:
        Williams, Waterman and Patterson, Roofline: an insightful visual performance model, 2009.
    """
    ### BEGIN SOLUTION
    compute, memory = flops / machine.flops, moved / machine.memory
    return max(compute, memory), "compute" if compute >= memory else "memory"
    ### END SOLUTION

# %% check="09.6"
check("09.6")

# %% [markdown] hint="09.6"
# A rate is an amount per second, so an amount divided by its rate is in seconds. You get two times. Which one decides?

# %% [markdown]
# Now make predictions with it. How close does each op come to its bound: 100 %, 50 %, 10 %?

# %%
predicted = {"matmul": None, "relu": None, "softmax": None}   # your predictions: % of the bound

for op, inputs in ((matmul, (x, w)), (relu, (x @ w,)), (softmax, (x @ w,))):
    out = op.forward(*inputs)
    flops, moved = op.flops(out, *inputs, **op.defaults), bytes_moved(out, *inputs)
    least, limit = bound(flops, moved, here)
    seconds = benchmark(lambda: op.forward(*inputs), repeats=50).median
    print(f"{op.name:7} {1e6 * seconds:6.1f} us, limit: {limit:7} ",
          versus(predicted[op.name], 100 * least / seconds, "%"))
others = itertools.cycle(rng.standard_normal((400, 128, 256), np.float32))
cold = benchmark(lambda: relu.forward(next(others)), repeats=400).median
print(f"relu    {1e6 * cold:6.1f} us, with other data for each call")

# %% [markdown]
# Softmax is far from its bound, because its five passes move the data ten times instead of once or twice. A kernel that does all five
# steps on one row before it goes to the next would come closer. Keep that in mind for the next module.
#
# If an op is **above** 100 %, nothing is wrong. Its data, 131 kB, came from a cache and not from memory. In a timer's loop, the data
# is always in the cache; in a training step, it may not be. For the last line, relu gets one of 400 arrays in turn. It shows how
# much too good a timing from a loop can be.
#
# ## A watch on every op
#
# So far you called the ops yourself. To profile a whole training step, you have to time every op while it runs, and the ops it calls as
# well. A stretch of time with a name is called a **span**. Spans can be nested. The log counts how many spans are open; the outermost
# span has depth 0.

# %%
#| export
class Span(NamedTuple):
    """A stretch of time: name, beginning, end, depth of nesting, and details."""

    name: str
    began: float
    ended: float
    depth: int
    details: dict


class Log:
    """The spans of one thread, in the order in which they ended."""

    def __init__(self, clock=time.perf_counter):
        self.clock, self.depth, self.spans = clock, 0, []

# %% [markdown]
# As with `no_grad`, write a context manager: the code before `yield` runs at the start of the `with` block, and the code after it runs
# at the end. The block may raise an error, and the log must still be right.

# %% exercise="09.7" minutes=25 points=4
#| export
@contextlib.contextmanager
def span(log, name, details):
    """Append a span to a log at the end of a with block, even if the block raises.

    Args:
        log: `Log`. ``log.clock()`` is the time, ``log.depth`` the number of open spans.
        name: Name of the span.
        details: Dict that the span keeps unchanged.

    Returns:
        Context manager. While the block runs, ``log.depth`` is one more than before. Afterwards it
        has its old value. At the end, one `Span` is appended to ``log.spans``, with the depth from
        before the block, and the times directly before and after it. An error is passed on.

    Example:
        >>> ticks = iter(range(9))
        >>> log = Log(clock=lambda: next(ticks))
        >>> with span(log, "outer", {}):
        ...     with span(log, "inner", {}):
        ...         pass
        >>> [entry[:4] for entry in log.spans]
        [('inner', 1, 2, 1), ('outer', 0, 3, 0)]

    Source:
        Sigelman et al., Dapper, a large-scale distributed systems tracing infrastructure, 2010.
    """
    ### BEGIN SOLUTION
    depth, began = log.depth, log.clock()
    log.depth = depth + 1
    try:
        yield
    finally:
        log.spans.append(Span(name, began, log.clock(), depth, details))
        log.depth = depth
    ### END SOLUTION

# %% check="09.7"
check("09.7")

# %% [markdown] hint="09.7"
# Before the block, save the depth and the time, and increase the log's depth by one. After the block, append the span and restore
# the depth.

# %% [markdown] hint="09.7"
# An error in the block is raised at the `yield`. A `finally` around the `yield` runs either way.

# %% [markdown]
# Take a backward pass of 10 ms in which three ops took 9 ms. Adding up all spans would give 19 ms. To get the right total, add up the
# **self times** instead. The self time of a span is its time without the spans directly inside it.

# %% exercise="09.8" minutes=25 points=4
#| export
def self_times(spans):
    """Return the time of each span without the spans directly inside it.

    Args:
        spans: List of `Span`, of one thread, in the order in which they ended. So the spans inside
            a span come before it. The spans directly inside are one deeper, and come after the last
            earlier span that is not deeper than it.

    Returns:
        List of floats, one for each span, in the same order: its duration, minus the durations of
        the spans directly inside it.

    Example:
        >>> inner, outer = Span("inner", 1.0, 3.0, 1, {}), Span("outer", 0.0, 5.0, 0, {})
        >>> self_times([inner, outer])
        [2.0, 3.0]

    Source:
        Graham, Kessler and McKusick, gprof: a call graph execution profiler, 1982, section 4.
    """
    ### BEGIN SOLUTION
    own, inside = [], {}
    for span in spans:
        duration = span.ended - span.began
        own.append(duration - inside.pop(span.depth + 1, 0.0))
        inside[span.depth] = inside.get(span.depth, 0.0) + duration
    return own
    ### END SOLUTION

# %% check="09.8"
check("09.8")

# %% [markdown] hint="09.8"
# Go through the list once. When a span ends, all spans directly inside it have already ended, one level deeper. What do you need to
# keep from those spans, and when can you drop it?

# %% [markdown] hint="09.8"
# Keep a dict from depth to the sum of durations at that depth. For each span, take the sum from one level deeper out of the dict. Then
# add the span's own whole duration at its own level.

# %% [markdown]
# ## When, not only how long
#
# Sums lose the order. A **trace** keeps it: every span is a bar on a timeline. A trace viewer runs in the browser. The format is plain
# JSON: one event for each span, with times in microseconds.

# %% exercise="09.9" minutes=15 points=3
#| export
def trace_events(spans, zero, thread):
    """Return spans as events of Chrome's trace format.

    Args:
        spans: List of `Span`, of one thread, in the order in which they ended.
        zero: The time, in seconds, at which the trace starts.
        thread: Number of the thread.

    Returns:
        List of dicts, one for each span, the last one first, so that a span comes before those
        inside it. Keys: ``name``; ``ph``, which is ``"X"``, a complete event; ``ts``, its start,
        counted from ``zero``; ``dur``, its duration; ``pid``, 0; ``tid``, the thread; ``args``,
        the span's details. Both times are in microseconds.

    Example:
        >>> (event,) = trace_events([Span("add", 2.0, 2.5, 0, {})], zero=1.0, thread=3)
        >>> event["name"], event["ts"], event["dur"], event["tid"]
        ('add', 1000000.0, 500000.0, 3)

    Source:
        Duca and Sinclair, "Trace Event Format", 2016, section "Complete Events".
    """
    ### BEGIN SOLUTION
    return [{"name": one.name, "ph": "X", "ts": 1e6 * (one.began - zero),
             "dur": 1e6 * (one.ended - one.began), "pid": 0, "tid": thread, "args": one.details}
            for one in reversed(spans)]
    ### END SOLUTION

# %% check="09.9"
check("09.9")

# %% [markdown] hint="09.9"
# A list of dicts with seven keys, in a comprehension or a loop. `reversed(spans)` goes through a list from its end.

# %% [markdown]
# ## The profile
#
# The rest is given, in `tinytorch/given/profiling.py`. While a `with profile()` block runs, `select_kernel` passes every kernel to the
# profile, which puts your span around it. The profile does the same for every gradient rule and for the backward pass, so it can show
# which op ran for which. In `relu backward: mul`, the rule of relu called `mul`. A `backward: add` ran between the rules, where two
# gradients of one tensor were added. To add a span for something that is not an op, such as loading data, use `record_function`.
#
# Profiling costs time too. The time to note FLOPs and bytes has its own row, and without a profile nothing is put around an op. If
# other programs are busy, their time is in your rows; `profile(clock=time.process_time)` counts only your program's work. (Not on
# Windows, where that clock ticks only 64 times a second.)

# %%
#| export
class profile(Watch):
    """Time every op that runs within a with block, in all threads.

    Example:
        >>> with profile() as p:
        ...     product = matmul(np.ones((2, 3)), np.ones((3, 4)))
        >>> [(row.name, row.calls, row.flops, row.moved) for row in p.key_averages()][0]
        ('matmul', 1, 48, 208)
    """

    new_log, span = Log, staticmethod(span)
    self_times, trace_events = staticmethod(self_times), staticmethod(trace_events)
    bytes_moved = staticmethod(bytes_moved)


@contextlib.contextmanager
def record_function(name):
    """Give the code in a with block a name of its own in the profiles that are running."""
    with contextlib.ExitStack() as stack:
        for watcher in watchers:
            stack.enter_context(span(watcher.log(), name, {"kind": "mark"}))
        yield

# %% [markdown] question="09.2"
# The next cell takes ten training steps with the MNIST network 784-256-10, a batch of 128 and one thread. **Predict** three fractions of
# the time: matrix products, all other ops, and Python between the ops. Which single op is the slowest, and does the first layer's
# input get a gradient? Then run the cell, and find the op you did not think of.

# %%
from tinytorch.layers import Linear, ReLU, Sequential
from tinytorch.drawing.roofline import draw
from tinytorch.optim import SGD
from tinytorch.tensor import Tensor

model = Sequential(Linear(784, 256, rng=rng), ReLU(), Linear(256, 10, rng=rng))
optimizer, images = SGD(model.parameters(), lr=0.1), Tensor(x)
digits = Tensor(rng.integers(0, 10, 128))

def step():
    optimizer.zero_grad()
    cross_entropy(model(images), digits).backward()
    with record_function("optimizer"):
        optimizer.step()

unprofiled = benchmark(step)
with profile() as p:
    for _ in range(10): step()
p

# %%
products = sum(row.seconds for row in p.key_averages()
               if row.op in ("linear", "linear_weight", "matmul"))
flops = sum(row.flops for row in p.key_averages()) / 10
print(f"matrix products: {100 * products / (p.ended - p.began):.0f} % of the time")
print(f"a step is {flops / 1e6:.0f} MFLOP; without the profile it takes")
print(unprofiled)
draw(p.key_averages(), here)

# %% [markdown]
# Each dot is one of your ops; the larger the dot, the longer the op took. The dashed roof is for the cache. The products are close to
# the flat roof, so there is little to gain; the authors of your matrix library have spent years on them. All other ops are far to the
# left, where arithmetic is not the limit. They get faster only if they move less data: do several steps while the numbers are in a
# cache or a register. And together they take only a small part of the time of this network. Ask in this order: **what fraction of the
# time, which limit, how far from it**.
#
# The trace shows the same ten steps in order, in a viewer called Perfetto. W and S zoom, A and D move, and a click on a bar shows the
# op's shapes, FLOPs and rates. (The page reads the file in your browser and does not upload it.) A thread that prefetches batches gets
# a line of its own if it runs an op or uses `record_function`.

# %%
import tempfile
from pathlib import Path

trace = Path(tempfile.gettempdir()) / "step.json"
p.export_chrome_trace(trace)
print(f"{trace.stat().st_size / 1000:.0f} kB. Open https://ui.perfetto.dev and drag in:", trace)

# %% [markdown] question="09.3"
# Look at one step in the trace. Where are the gaps, and what runs in them? (The profile's own work has no bars, so it is in the
# gaps too; its row in the table shows how long it took.) **Predict** the fraction of time for Python between the ops with a batch of
# 8 instead of 128, then run the cell. What would you do about it: write faster kernels, or something else?

# %%
batch = 8
images, digits = Tensor(x[:batch]), Tensor(rng.integers(0, 10, batch))
with profile() as small:
    for _ in range(10): step()
print(small.key_averages().table(row_limit=6))

# %% [markdown]
# ## Memory
#
# Memory can run out too. `tracemalloc` records every array that NumPy allocates. (It also makes everything slower, so never use it
# while you measure times.) Predict how many megabytes a forward pass needs at its peak, when autograd keeps every result for the
# backward pass, and when it does not.

# %%
from tinytorch.autograd import no_grad

predicted = {"with a graph": None, "no_grad": None}   # your predictions, in MB
deep = Sequential(*[layer for _ in range(8) for layer in (Linear(256, 256, rng=rng), ReLU())])
inputs = Tensor(x[:, :256])

peaks = {"with a graph": peak_memory(lambda: deep(inputs))}
with no_grad():
    peaks["no_grad"] = peak_memory(lambda: deep(inputs))
for name, peak in peaks.items():
    print(f"{name:12}", versus(predicted[name], peak / 1e6, "MB"))

# %% [markdown]
# Now you can find out where the time goes, and whether it has to. Save the notebook, then run
#
# ```
# tito module complete 09
# ```
#
# From then on, you can put `with tinytorch.profile() as p:` around any training code. In the next module you write kernels, and a
# profile tells you which of them are worth writing.
