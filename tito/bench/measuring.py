"""Times of variants that take turns in one process: what the rest of the machine does to one, it does to all."""

import math
import time

import numpy as np

PILOTS = 3  # rounds before those that count: kernels are compiled, memory is taken from the system
SAMPLE = 2e-2  # seconds that a sample lasts at least, of as many calls as that takes: in training, a step follows a step
SECONDS = 8  # after which no round begins any more, once there are LEAST
LEAST = 3
SLOW = 5  # a variant that takes so many times as long as the fastest has its turn in every fifth round only


def clock(threads):
    """Say what compares best: CPU time on one thread, which a busy machine spoils least; wall time on several."""
    return "cpu" if threads == 1 and time.get_clock_info("process_time").resolution < 1e-4 else "wall"


def turns(names, rounds, rng=None):
    """Yield the number of each round and a name, all names in every round, in an order that is drawn for each."""
    rng = rng or np.random.default_rng(0)
    for number in range(rounds):
        for chosen in rng.permutation(len(names)):
            yield number, names[chosen]


def sample(variant, number, calls=1):
    """Give a variant its turn, and return the CPU time and the wall time of one call, in seconds.

    A call before the clock runs brings its data back into the caches, and lets the threads of the variant before come to
    rest: OpenMP's wait busily for a while.
    """
    with variant.context():
        variant.step(number)
        wall, cpu = time.perf_counter_ns(), time.process_time_ns()
        for index in range(calls):
            variant.step(number + index)
        cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
    return cpu / calls / 1e9, wall / calls / 1e9


def measure(variants, rounds, seconds=SECONDS):
    """Return the samples of each variant.

    Args:
        variants: Dict from name to `Variant`.
        rounds: How many rounds there are at most.
        seconds: After how long no further round begins.

    Returns:
        Dict from name to a list of pairs, CPU time and wall time, in seconds.
    """
    names, end = list(variants), time.perf_counter() + seconds
    pilot = dict.fromkeys(names, math.inf)
    for number, name in turns(names, min(PILOTS, rounds)):
        pilot[name] = min(pilot[name], sample(variants[name], number)[1])
    calls = {name: max(1, math.ceil(SAMPLE / max(wall, 1e-9))) for name, wall in pilot.items()}
    every = {name: SLOW if wall > SLOW * min(pilot.values()) else 1 for name, wall in pilot.items()}
    samples, reached = {name: [] for name in names}, 0
    for number, name in turns(names, rounds):
        if number != reached and number >= LEAST and time.perf_counter() > end:
            break
        reached = number
        if number % every[name] == 0:
            samples[name].append(sample(variants[name], number, calls[name]))
    return samples


def summary(samples):
    """Return median and quartiles of CPU and wall time, in milliseconds, of a list of samples."""
    found = {"samples": len(samples)}
    for name, values in zip(("cpu_ms", "wall_ms"), zip(*samples)):
        low, median, high = np.percentile(values, [25, 50, 75]) * 1e3
        found[name] = {"median": float(median), "low": float(low), "high": float(high)}
    return found
