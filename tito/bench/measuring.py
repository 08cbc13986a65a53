"""Time variants in turn in one process, so that other load on the machine affects all of them alike."""

import math
import time

import numpy as np

PILOTS = 3  # warm-up rounds: kernels are compiled and memory is allocated
SAMPLE = 2e-2  # least seconds of a sample, which repeats the call until then: in training, steps follow each other
SECONDS = 8  # no new round starts after this time, once LEAST rounds are done
LEAST = 3
SLOW = 5  # a variant this many times slower than the fastest takes its turn in every fifth round only


def clock(threads):
    """Return the clock to compare by: "cpu" for one thread, least affected by other load; "wall" for several."""
    return "cpu" if threads == 1 and time.get_clock_info("process_time").resolution < 1e-4 else "wall"


def turns(names, rounds, rng=None):
    """Yield (round number, name): every name once per round, in a random order."""
    rng = rng or np.random.default_rng(0)
    for number in range(rounds):
        for index in rng.permutation(len(names)):
            yield number, names[index]


def sample(variant, number, calls=1):
    """Run a variant's turn, and return the CPU time and the wall time of one call, in seconds.

    An untimed call first brings its data back into the caches and gives the previous variant's threads time to stop:
    OpenMP's keep spinning for a while.
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
        rounds: Maximum number of rounds.
        seconds: Time after which no new round starts.

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
    statistics = {"samples": len(samples)}
    for name, values in zip(("cpu_ms", "wall_ms"), zip(*samples)):
        low, median, high = np.percentile(values, [25, 50, 75]) * 1e3
        statistics[name] = {"median": float(median), "low": float(low), "high": float(high)}
    return statistics
