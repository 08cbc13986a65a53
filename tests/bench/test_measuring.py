"""Times are of variants that take turns, each turn with a call that is not timed."""

import contextlib
import time

import numpy as np
import pytest

from tito.bench import measuring
from tito.bench.variants import Variant


class Recorder:
    """Variants that write down what happens to them, and take as long as they are told."""

    def __init__(self, **seconds):
        self.events = []
        self.variants = {name: self.variant(name, duration) for name, duration in seconds.items()}

    def variant(self, name, duration):
        @contextlib.contextmanager
        def context():
            self.events.append((name, "enter"))
            yield
            self.events.append((name, "leave"))

        def step(number):
            self.events.append((name, number))
            end = time.perf_counter() + duration
            while time.perf_counter() < end:
                pass

        return Variant(step, list, context)

    def turns(self):
        """Return the names in the order in which they had their turns."""
        return [name for name, what in self.events if what == "enter"]


def test_every_round_has_all_names_once_in_an_order_of_its_own():
    found = list(measuring.turns(["a", "b", "c"], 40))
    rounds = [[name for number, name in found if number == one] for one in range(40)]
    assert all(sorted(names) == ["a", "b", "c"] for names in rounds)
    assert len(set(map(tuple, rounds))) == 6, "each follows each: nobody always finds the caches as the same one left them"
    assert found == list(measuring.turns(["a", "b", "c"], 40)), "a run repeats"


def test_variants_take_turns_in_their_context_after_a_call_that_does_not_count(monkeypatch):
    monkeypatch.setattr(measuring, "SAMPLE", 0)
    recorder = Recorder(a=0.001, b=0.001)
    samples = measuring.measure(recorder.variants, rounds=4)
    turns = recorder.turns()
    assert [sorted(turns[i : i + 2]) for i in range(0, len(turns), 2)] == [["a", "b"]] * (3 + 4), "pilots, then the rounds"
    assert {name: len(taken) for name, taken in samples.items()} == {"a": 4, "b": 4}
    name, number = recorder.events[0][0], 0
    assert recorder.events[:4] == [(name, "enter"), (name, number), (name, number), (name, "leave")], (
        "one call to warm up, one timed"
    )


def test_all_variants_get_the_same_number_in_a_round(monkeypatch):
    monkeypatch.setattr(measuring, "SAMPLE", 0)
    recorder = Recorder(a=0.001, b=0.001)
    measuring.measure(recorder.variants, rounds=3)
    numbers = {name: [what for one, what in recorder.events if one == name and isinstance(what, int)] for name in "ab"}
    assert sorted(set(numbers["a"])) == sorted(set(numbers["b"])) == [0, 1, 2]


def test_short_work_is_timed_many_times_at_once(monkeypatch):
    asked = []

    def sample(variant, number, calls=1):
        asked.append((variant, calls))
        return {"short": (1e-4, 1e-4), "long": (3e-4, 3e-4)}[variant]

    monkeypatch.setattr(measuring, "sample", sample)
    monkeypatch.setattr(measuring, "SAMPLE", 5e-4)
    measuring.measure({"short": "short", "long": "long"}, rounds=1)
    assert sorted(asked[2:]) == [("long", 2), ("short", 5)], "calls that last as long as a sample at least"


def test_a_pilot_that_was_interrupted_does_not_decide(monkeypatch):
    times = iter([5.0, 1e-4, 2.0] + [1e-4] * 10)
    monkeypatch.setattr(measuring, "sample", lambda *given: (0.0, next(times)))
    assert len(measuring.measure({"a": None}, rounds=10)["a"]) == 10


def test_time_counts_a_single_call():
    recorder = Recorder(a=0.0002)
    cpu, wall = measuring.sample(recorder.variants["a"], 7, calls=50)
    assert 0.0002 <= wall < 0.005 and 0 < cpu < 0.005
    assert [what for _, what in recorder.events[1:-1]] == [7, *range(7, 57)], (
        "each call of a turn has a batch of its own, as in training"
    )


def test_one_that_is_much_slower_has_fewer_turns():
    samples = measuring.measure(Recorder(quick=0.0005, slow=0.004).variants, rounds=10)
    assert len(samples["quick"]) == 10 and len(samples["slow"]) == 2


def test_time_runs_out_between_rounds_but_not_before_the_least(monkeypatch):
    samples = measuring.measure(Recorder(a=0.001, b=0.001).variants, rounds=1000, seconds=0)
    assert {len(taken) for taken in samples.values()} == {measuring.LEAST}
    assert len(measuring.measure(Recorder(a=0.001).variants, rounds=1000, seconds=0.1)["a"]) < 100


@pytest.mark.parametrize("threads, resolution, clock", [(1, 1e-9, "cpu"), (2, 1e-9, "wall"), (1, 0.0156, "wall")])
def test_cpu_time_compares_on_one_thread_where_the_system_counts_it_finely(threads, resolution, clock, monkeypatch):
    class Info:
        pass

    Info.resolution = resolution
    monkeypatch.setattr(time, "get_clock_info", lambda name: Info)
    assert measuring.clock(threads) == clock


def test_a_summary_has_medians_and_quartiles_in_milliseconds():
    samples = [(value, 10 * value) for value in (0.001, 0.002, 0.003, 0.004, 0.1)]
    found = measuring.summary(samples)
    assert found["samples"] == 5
    assert found["cpu_ms"] == pytest.approx({"median": 3, "low": 2, "high": 4})
    assert found["wall_ms"]["median"] == pytest.approx(30)
    assert isinstance(found["cpu_ms"]["median"], float) and not isinstance(found["cpu_ms"]["median"], np.floating)
