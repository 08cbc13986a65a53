"""What bounds a step: where its time goes with a kernel set, and how little its ops could take on this machine.

An op cannot be done sooner than its arithmetic at the rate of a large matrix product, or its bytes at the rate of a copy within
the cache, whichever takes longer. The rate of the memory would be no bound: what an op reads lies in a cache when the op before
has written it there, and many an op is faster than the memory.
"""

from typing import NamedTuple


class Step(NamedTuple):
    """A step with one kernel set, in milliseconds.

    Args:
        kernels: Name of the kernel set.
        ms: The whole step, as it was timed in turn with the others.
        heavy: Its ops whose arithmetic takes longer than their bytes, by name, the one that took longest first.
        products: What these took.
        products_roof: What they would take at the roof.
        others: What the other ops took.
        others_roof: What they would take at the roof.
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
    """Return the steps that were profiled, by kernel set; none in a record from before there were profiles."""
    profile, clock = result.get("roofline", {}), f"{result['clock']}_ms"
    return {
        kernels: step(kernels, result["variants"][f"tinytorch {kernels}"][clock]["median"], rows, profile["machine"])
        for kernels, rows in profile.get("kernels", {}).items()
    }


def step(kernels, ms, rows, machine):
    """Divide a step into ops whose arithmetic takes longer than their bytes, and others."""
    limits = [limit(row, machine) for row in rows]
    heavy, light = (
        [(row, roof) for row, (roof, bound) in zip(rows, limits) if bound == word] for word in ("arithmetic", "bytes")
    )
    took = [sum(row["ms"] for row, _ in part) for part in (heavy, light)]
    roofs = [sum(roof for _, roof in part) for part in (heavy, light)]
    names = tuple(dict.fromkeys(row["op"] for row, _ in heavy))
    return Step(kernels, ms, names, took[0], roofs[0], took[1], roofs[1])


def limit(row, machine):
    """Return how many milliseconds an op takes at least, and for what: its arithmetic or its bytes."""
    arithmetic, moved = 1e3 * row["flops"] / machine["flops"], 1e3 * row["bytes"] / machine["cache"]
    return max(arithmetic, moved), "arithmetic" if arithmetic > moved else "bytes"


def fastest(result):
    """Return the step of the fastest kernel set, None where none was profiled."""
    return min(steps(result).values(), key=lambda step: step.ms, default=None)


def peer(result):
    """Return the time of the fastest PyTorch in milliseconds, None without one."""
    name = result["fastest_pytorch"]
    return name and result["variants"][name][f"{result['clock']}_ms"]["median"]
