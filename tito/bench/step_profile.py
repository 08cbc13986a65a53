"""Our own step, op by op, and the limits of the machine, by the learner's module 09: after the turns, in the same process."""

import statistics
import time
from collections import defaultdict

from tito.bench import measuring

WAY = "tinytorch "  # prefix of the variants made of ops only
TURNS = 20  # profiled steps of each kernel set
SECONDS = 2  # no new round starts after this time, once `measuring.LEAST` rounds are done
RATES = ("flops", "memory", "cache")  # of the machine: of a matrix product, and the bytes of a large and of a small copy


def measure(variants, seconds=SECONDS):
    """Profile the steps of the learner's package, with the kernel sets in turn.

    Args:
        variants: Dict from name to `Variant`.
        seconds: Time after which no new round starts.

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
    """Profile one step, after an unprofiled one; return a dict from (op, kernel set) to the profile's rows."""
    from tinytorch.profiler import profile

    clock = time.process_time if measuring.clock(1) == "cpu" else time.perf_counter  # as in the turns
    with variant.context():
        variant.step(number)
        with profile(clock) as watched:
            variant.step(number)
    ops = defaultdict(list)
    for row in watched.key_averages():
        if row.calls and row.kernels:
            ops[row.op, row.kernels].append(row)
    return ops


def rows(steps):
    """Return a row for each op and kernel set: its calls, FLOPs and bytes in a step, and its median time.

    Args:
        steps: List of what `ops` returned.
    """
    result = []
    for op, kernels in dict.fromkeys(key for step in steps for key in step):
        of_steps = [step.get((op, kernels), []) for step in steps]
        calls, flops, moved = (
            max(sum(getattr(row, field) for row in step) for step in of_steps) for field in ("calls", "flops", "moved")
        )
        ms = 1e3 * statistics.median(sum(row.seconds for row in step) for step in of_steps)
        result.append({"op": op, "kernels": kernels, "calls": calls, "ms": round(ms, 4), "flops": flops, "bytes": moved})
    return sorted(result, key=lambda row: -row["ms"])
