"""The check of 09.6 bound."""

import math
import types

from .shared import kind_of, whole


def draw_bound(rng):
    """Intensities on both sides of the roof's edge and on it; nothing to do, nothing to move; any object with the two rates."""
    scale = 2.0 ** int(rng.integers(28, 34))
    edge = float(2 ** int(rng.integers(2, 5)))
    bare = int(rng.integers(6))  # the case whose machine has the two rates and nothing else
    rates = dict(peak=64 * scale, memory=64 * scale / edge, cache=32 * scale)
    for number, intensity in enumerate((0.5, 5 * edge, edge, 1.2 * edge, edge / 3, 0.9 * edge)):
        moved = float(rng.integers(1, 100)) * scale / 1024
        yield dict(flops=intensity * moved, moved=moved, whole=number != bare, **rates)
    yield dict(flops=0.0, moved=scale / 64, whole=True, **rates)
    yield dict(flops=0, moved=0, whole=True, **rates)
    yield dict(flops=scale / 8, moved=0.0, whole=True, **rates)


@whole
def describe_bound(flops, moved, peak, memory, cache, whole):
    """Write the call as a learner would."""
    name, more = ("Machine", f", cache={cache:.4g}, threads=1, blas=''") if whole else ("SimpleNamespace", "")
    return f"bound({flops:.4g}, {moved:.4g}, {name}(flops={peak:.4g}, memory={memory:.4g}{more}))"


def observe_bound(module, flops, moved, peak, memory, cache, whole):
    rates = dict(flops=peak, memory=memory)
    machine = module.Machine(**rates, cache=cache, threads=1, blas="") if whole else types.SimpleNamespace(**rates)
    answer = module.bound(flops, moved, machine)
    pair = answer if isinstance(answer, (list, tuple)) and len(answer) == 2 else (answer, "none")
    return {"returned": kind_of(answer), "seconds": pair[0], "limit": pair[1]}


def oracle_bound(flops, moved, peak, memory, cache, whole, which=max, ties="compute", words=("compute", "memory"), unit=1.0):
    compute, traffic = flops / peak, moved / memory
    limit = words[0] if compute > traffic else words[1] if compute < traffic else ties
    return {"seconds": unit * which(compute, traffic), "limit": limit, "returned": "a tuple"}


def with_cache(flops, moved, peak, memory, cache, whole):
    """The rate of the cache stands for that of the memory, which not every machine has."""
    return oracle_bound(flops, moved, peak, cache, cache, whole) if whole else ("raises", "AttributeError")


def by_rates(flops, moved, peak, memory, cache, whole):
    compute, traffic = flops * peak, moved * memory
    return {"seconds": max(compute, traffic), "limit": "compute" if compute >= traffic else "memory", "returned": "a tuple"}


def attainable(flops, moved, peak, memory, cache, whole):
    """Return the rate that the roofline gives, in place of the time."""
    intensity = flops / moved if moved else math.inf
    return {
        "seconds": min(peak, intensity * memory),
        "limit": "compute" if intensity * memory >= peak else "memory",
        "returned": "a tuple",
    }


def by_intensity(which):
    """Make the oracle of a bound that divides by the bytes, or by what comes of them."""

    def oracle(**inputs):
        if inputs["moved"] == 0 or (inputs["flops"] == 0 and which == "both"):
            return ("raises", "ZeroDivisionError")
        return oracle_bound(**inputs)

    return oracle


def by_counts(flops, moved, peak, memory, cache, whole):
    """The larger of the two counts decides."""
    right = oracle_bound(flops, moved, peak, memory, cache, whole)
    return right | {"limit": "compute" if flops >= moved else "memory"}


misconceptions_bound = {
    "the smaller of the two times: the processor waits for the longer one": lambda **inputs: oracle_bound(**inputs, which=min),
    "the two times were added: arithmetic and traffic go on at once": lambda **inputs: oracle_bound(
        **inputs, which=lambda a, b: a + b
    ),
    "always the time of the arithmetic: where the bytes take longer, theirs counts": lambda **inputs: oracle_bound(
        **inputs, which=lambda a, b: a
    ),
    "the rate of the cache was taken for that of the memory": with_cache,
    "the counts were multiplied by the rates: seconds are a count divided by a rate": by_rates,
    "this is a rate, the FLOPs in a second: how many seconds it takes is asked for": attainable,
    "FLOPs and bytes may be 0, and then their quotient cannot be divided by: take the longer of the two times": by_intensity(
        "both"
    ),
    "the bytes may be 0, and were divided by: take the longer of the two times": by_intensity("bytes"),
    "the two words are exchanged": lambda **inputs: oracle_bound(**inputs, words=("memory", "compute"), ties="memory"),
    "the two words are exchanged, but not where both take as long": lambda **inputs: oracle_bound(
        **inputs, words=("memory", "compute")
    ),
    "where both take as long it is compute, by agreement": lambda **inputs: oracle_bound(**inputs, ties="memory"),
    "the word goes with the larger count: it goes with the longer time": by_counts,
    "the time is in microseconds: seconds are asked for": lambda **inputs: oracle_bound(**inputs, unit=1e6),
    "a list was returned where a tuple is asked for": lambda **inputs: oracle_bound(**inputs) | {"returned": "a list"},
    "the word stands first: the seconds do": lambda **inputs: (
        lambda right: right | {"seconds": right["limit"], "limit": right["seconds"]}
    )(oracle_bound(**inputs)),
}
