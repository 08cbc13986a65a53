# Made by tito from modules/09_profiling/profiling.py: edit that file, then run `tito module complete 09`.

# profiling.py, cell 3
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


# profiling.py, cell 7
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


# profiling.py, cell 12
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
    if len(values) == 0:
        raise ValueError("quartiles need at least one value, got none")
    return tuple(np.quantile(values, (0.25, 0.5, 0.75)).tolist())


# profiling.py, cell 16
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


# profiling.py, cell 22
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
    return 2 * out.size * a.shape[-1]


# profiling.py, cell 27
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
    rows = a.size // a.shape[dim]
    return 5 * a.size - 2 * rows


# profiling.py, cell 32
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


# profiling.py, cell 34
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
    arrays = [x for x in inputs if isinstance(x, np.ndarray)]
    if any(np.may_share_memory(out, x) for x in arrays):
        return 0
    return sum(held(x) for x in (out, *arrays))


# profiling.py, cell 41
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


# profiling.py, cell 44
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
    compute, memory = flops / machine.flops, moved / machine.memory
    return max(compute, memory), "compute" if compute >= memory else "memory"


# profiling.py, cell 50
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


# profiling.py, cell 52
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
    depth, began = log.depth, log.clock()
    log.depth = depth + 1
    try:
        yield
    finally:
        log.spans.append(Span(name, began, log.clock(), depth, details))
        log.depth = depth


# profiling.py, cell 57
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
    own, inside = [], {}
    for span in spans:
        duration = span.ended - span.began
        own.append(duration - inside.pop(span.depth + 1, 0.0))
        inside[span.depth] = inside.get(span.depth, 0.0) + duration
    return own


# profiling.py, cell 62
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
    return [{"name": one.name, "ph": "X", "ts": 1e6 * (one.began - zero),
             "dur": 1e6 * (one.ended - one.began), "pid": 0, "tid": thread, "args": one.details}
            for one in reversed(spans)]


# profiling.py, cell 66
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
