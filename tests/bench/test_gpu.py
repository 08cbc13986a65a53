"""`tito bench --device cuda`: without a GPU it says why it measures nothing; its cases run, here in the simulator and small."""

import os

import pytest

from tinytorch.given.gpu import backend
from tito.bench import gpu


def test_without_a_gpu_it_is_skipped_with_the_reason(simulated):
    made = gpu.record()
    assert made["skipped"].startswith("there is no GPU: ") and "cases" not in made and made["gpu"] is None
    assert gpu.lines(made) == [f"skipped: {made['skipped']}"]


def test_every_case_runs_on_our_package(simulated):
    made = gpu.record(gpu.SMALL, gpu.WallEvent, rounds=1, calls=1)
    assert [entry["case"] for entry in made["cases"]] == list(gpu.SIZES)
    for entry in made["cases"]:
        assert entry["ms"]["tinytorch"]["median"] > 0, entry["absent"]
        assert not {"PyTorch", "CuPy"} & entry["ms"].keys(), "there is no GPU for them"
    assert [entry["case"] for entry in made["cases"] if "captured" in entry["ms"]] == ["mnist_mlp"]
    assert any("tinytorch" in line for line in gpu.lines(made))


def test_a_call_is_the_time_between_two_events_divided_by_the_calls():
    moments = iter([1.0, 7.0])

    class Event:
        def record(self):
            self.now = next(moments)

        def synchronize(self):
            assert self.now == 7.0

        def until(self, other):
            return other.now - self.now

    calls = []
    assert gpu.timed(lambda: calls.append(0), Event, calls=3) == 2.0 and len(calls) == 3


def test_the_command_says_that_there_is_no_gpu(capsys):
    from tito import workspace
    from tito.bench import terminal

    if os.environ.get(backend.ASKED) or backend.choose().gpu:
        pytest.skip("there is a GPU here, or something was asked for")
    terminal.on_gpu(workspace.find(), "cuda", None)
    assert "skipped: there is no GPU" in capsys.readouterr().out.replace("\n", " ")
