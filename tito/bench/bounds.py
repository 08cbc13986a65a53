"""What limits a step: where its time goes with a kernel set, and the least time its ops could take on this machine.

An op takes at least as long as its arithmetic at the rate of a large matrix product, or its bytes at the rate of a copy within
the cache, whichever is longer. Memory bandwidth would not be a lower bound: an op often reads what the previous op left in the
cache, and so is often faster than the memory.
"""

from typing import NamedTuple


class Step(NamedTuple):
    """A step with one kernel set, in milliseconds.

    Args:
        kernels: Name of the kernel set.
        ms: Time of the whole step, timed in turn with the other variants.
        heavy: Names of the ops whose arithmetic takes longer than moving their bytes, slowest first.
        products: Time those ops took.
        products_roof: Time they would take at the roof.
        others: Time the other ops took.
        others_roof: Time they would take at the roof.
    """

    kernels: str
    ms: float
    heavy: tuple[str, ...]
    products: float
    products_roof: float
    others: float
    others_roof: float

    outside = property(lambda self: max(0.0, self.ms - self.products - self.others))
    roof = property(lambda self: self.products_roof + self.others_roof)


def steps(result):
    """Return the profiled steps by kernel set; an empty dict for a record made before profiles existed."""
    profile, clock = result.get("roofline", {}), f"{result['clock']}_ms"
    return {
        kernels: step(kernels, result["variants"][f"tinytorch {kernels}"][clock]["median"], rows, profile["machine"])
        for kernels, rows in profile.get("kernels", {}).items()
    }


def step(kernels, ms, rows, machine):
    """Split a step into ops limited by arithmetic and ops limited by bytes."""
    limits = [limit(row, machine) for row in rows]
    heavy, light = (
        [(row, roof) for row, (roof, bound) in zip(rows, limits) if bound == word] for word in ("arithmetic", "bytes")
    )
    took = [sum(row["ms"] for row, _ in part) for part in (heavy, light)]
    roofs = [sum(roof for _, roof in part) for part in (heavy, light)]
    names = tuple(dict.fromkeys(row["op"] for row, _ in heavy))
    return Step(kernels, ms, names, took[0], roofs[0], took[1], roofs[1])


def limit(row, machine):
    """Return the fewest milliseconds an op can take, and what limits it: its arithmetic or its bytes."""
    arithmetic, moved = 1e3 * row["flops"] / machine["flops"], 1e3 * row["bytes"] / machine["cache"]
    return max(arithmetic, moved), "arithmetic" if arithmetic > moved else "bytes"


def fastest(result):
    """Return the step of the fastest kernel set, or None if none was profiled."""
    return min(steps(result).values(), key=lambda step: step.ms, default=None)


def peer(result):
    """Return the time of the fastest PyTorch variant in milliseconds, or None without PyTorch."""
    name = result["fastest_pytorch"]
    return name and result["variants"][name][f"{result['clock']}_ms"]["median"]
