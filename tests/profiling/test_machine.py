"""What is measured of the machine, and of memory."""

import tracemalloc

import numpy as np
import pytest

from tinytorch.given import machine
from tinytorch.profiler import Timing, benchmark, measure, measure_machine, versus


def test_peak_memory_is_the_most_that_was_held_at_a_time():
    def work():
        first = np.ones(1_000_000)
        del first
        second = np.ones(3_000_000)
        return second.sum()

    kept = np.ones(5_000_000)
    assert 24_000_000 <= machine.peak_memory(work) < 24_050_000
    assert kept.size and not tracemalloc.is_tracing()


def test_peak_memory_leaves_a_trace_that_was_running_and_one_that_was_not():
    with pytest.raises(ZeroDivisionError):
        machine.peak_memory(lambda: 1 / 0)
    assert not tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        kept = np.ones(1_000_000)  # neither what is held already, nor an earlier peak, is this one's
        np.ones(5_000_000)
        assert 800_000 <= machine.peak_memory(lambda: np.ones(100_000)) < 820_000
        assert tracemalloc.is_tracing() and kept.size
    finally:
        tracemalloc.stop()


def test_threads_are_limited_for_a_block_and_said():
    if not machine.pools():
        pytest.skip("this matrix library cannot be asked for its threads")
    before = machine.threads()
    with machine.limit_threads(1):
        assert machine.threads() == 1
    assert machine.threads() == before
    assert machine.blas() and machine.cores() >= 1


def test_where_the_library_cannot_be_asked_it_is_named_all_the_same(monkeypatch):
    monkeypatch.setattr(machine, "pools", list)
    assert machine.blas() and machine.threads() >= 1


def test_a_benchmark_says_on_what():
    ticks = iter([0.0, 1e-6, 0.0, 2e-6, 0.0, 9e-6])
    timing = benchmark(lambda: None, repeats=3, warm_up=0, clock=lambda: next(ticks))
    assert timing == Timing(1.5e-6, 2e-6, 5.5e-6, 3, machine.threads(), machine.blas())
    assert repr(timing).startswith("2.0 us (1.5 to 5.5), threads: ")
    assert len(repr(timing)) <= 72


def test_the_measures_of_a_machine_are_rates():
    with machine.limit_threads(1):
        found = measure_machine(repeats=2)
    assert found.threads == 1 or not machine.pools()
    assert 1e8 < found.memory < 1e13 and 1e8 < found.cache < 1e14 and 1e8 < found.flops < 1e14


def test_a_prediction_stands_beside_the_measurement():
    assert versus(2.0, 5.0, "ms") == "predicted 2 ms, measured 5 ms: 2.5 x as much"
    assert versus(None, 5.0, "ms") == "measured 5 ms; nothing was predicted"


def test_no_repeat_is_refused():
    with pytest.raises(ValueError, match="at least 1 repeat, got 0"):
        measure(lambda: None, repeats=0)
