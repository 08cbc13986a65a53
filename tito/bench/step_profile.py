"""Our own step, op by op, and what the machine does at most, with the learner's module 09: after the turns, in their process."""

import statistics
import time
from collections import defaultdict

from tito.bench import measuring

WAY = "tinytorch "  # what the names of the variants begin with whose every part is an op
TURNS = 20  # steps of each kernel set that are profiled
SECONDS = 2  # after which no round begins any more, once there are as many as are always measured
RATES = ("flops", "memory", "cache")  # of the machine: in a matrix product, and bytes in a large and in a small copy


def measure(variants, seconds=SECONDS):
    """Profile the steps of the variants that run on the learner's package, one kernel set after the other, in turns.

    Args:
        variants: Dict from name to `Variant`.
        seconds: After how long no further round begins.

    Returns:
        Dict: under "machine" its rates, under "kernels" the rows of a step by the name of the kernel set.
    """
    from tinytorch.profiler import measure_machine

    ours = {name.removeprefix(WAY): variant for name, variant in variants.items() if name.startswith(WAY)}
    seen, end = {name: [] for name in ours}, time.perf_counter() + seconds
    for number, name in measuring.turns(list(ours), TURNS):
        if len(seen[name]) < measuring.LEAST or time.perf_counter() < end:
            seen[name].append(ops(ours[name], number))
    machine = measure_machine()
    return {
        "machine": {rate: float(getattr(machine, rate)) for rate in RATES},
        "kernels": {name: rows(steps) for name, steps in seen.items()},
    }


def ops(variant, number):
    """Profile one step, after one that is not, and return its ops: a dict from op and kernel set to their profile's rows."""
    from tinytorch.profiler import profile

    clock = time.process_time if measuring.clock(1) == "cpu" else time.perf_counter  # that of the turns
    with variant.context():
        variant.step(number)
        with profile(clock) as watched:
            variant.step(number)
    found = defaultdict(list)
    for row in watched.key_averages():
        if row.calls and row.kernels:
            found[row.op, row.kernels].append(row)
    return found


def rows(steps):
    """Return a row for each op and kernel set: what a step has of it, the median of the times.

    Args:
        steps: List of what `ops` returned.
    """
    found = []
    for op, kernels in dict.fromkeys(key for step in steps for key in step):
        of_steps = [step.get((op, kernels), []) for step in steps]
        calls, flops, moved = (
            max(sum(getattr(row, field) for row in one) for one in of_steps) for field in ("calls", "flops", "moved")
        )
        ms = 1e3 * statistics.median(sum(row.seconds for row in one) for one in of_steps)
        found.append({"op": op, "kernels": kernels, "calls": calls, "ms": round(ms, 4), "flops": flops, "bytes": moved})
    return sorted(found, key=lambda row: -row["ms"])
