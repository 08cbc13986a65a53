"""Our own steps are profiled after all have had their turns: each kernel set, op by op, with the counts of module 09."""

import sys
from collections import namedtuple

import pytest

from tito.bench import case_process, measuring, step_profile, training
from tito.bench.cases import mnist_mlp
from tito.bench.peers import ours
from tito.bench.training import Task
from tito.bench.variants import Candidate

TASK = Task(mnist_mlp.network, (784,), "SGD", lr=0.01)
Row = namedtuple("Row", "seconds calls flops moved")


def variant(kernels="numpy"):
    return training.variant(ours.package(kernels), TASK, batch_size=8)


@pytest.fixture
def quick(monkeypatch):
    """Let the machine's rates be known at once."""
    from tinytorch import profiler

    monkeypatch.setattr(profiler, "measure_machine", lambda: profiler.Machine(1e11, 1e10, 5e10, 1, ""))


def test_rows_are_of_one_step_with_the_median_of_the_times():
    steps = [
        {("matmul", "numpy"): [Row(seconds, 2, 100, 40), Row(0.001, 1, 50, 20)], ("relu", "numba"): [Row(0.5, 1, 8, 16)]}
        for seconds in (0.001, 0.002, 0.009)
    ]
    assert step_profile.rows(steps) == [
        {"op": "relu", "kernels": "numba", "calls": 1, "ms": 500.0, "flops": 8, "bytes": 16},
        {"op": "matmul", "kernels": "numpy", "calls": 3, "ms": 3.0, "flops": 150, "bytes": 60},
    ]


def test_an_op_that_few_steps_have_takes_no_time():
    steps = [{}, {("mul", "numpy"): [Row(0.5, 1, 8, 16)]}, {}]
    assert step_profile.rows(steps) == [{"op": "mul", "kernels": "numpy", "calls": 1, "ms": 0.0, "flops": 8, "bytes": 16}]


def test_the_rows_hold_every_product_of_the_step():
    found = step_profile.rows([step_profile.ops(variant(), 0)])
    products = sum(row["flops"] for row in found if row["op"].startswith(("linear", "matmul")))
    arithmetic = 2 * 8 * (2 * 784 * 256 + 3 * 256 * 10)  # no gradient of the images
    assert arithmetic <= products <= 1.01 * arithmetic
    update = next(row for row in found if row["op"] == "sgd_update")
    assert (update["calls"], update["kernels"]) == (4, "numpy") and update["bytes"] == 3 * 4 * 203_530
    assert all(row["ms"] > 0 for row in found) and found == sorted(found, key=lambda row: -row["ms"])


def test_an_op_has_one_row_whichever_rule_called_it_and_a_mark_has_none():
    from tinytorch.profiler import record_function

    made = variant()

    def step(number):
        with record_function("the step"):
            return made.step(number)

    names = [row["op"] for row in step_profile.rows([step_profile.ops(made._replace(step=step), 0)])]
    assert "linear" in names and len(set(names)) == len(names), names
    assert not [name for name in names if " " in name], "no rule, no mark, no Python between the ops"


def test_each_kernel_set_is_profiled_under_its_name_and_nobody_else(quick):
    pytest.importorskip("numba", reason="the extra `kernels` is not installed")

    def never(number):
        raise AssertionError("a peer has no profile")

    peer = variant()._replace(step=never)
    found = step_profile.measure(
        {"tinytorch numpy": variant(), "tinytorch numba": variant("numba"), "by hand numpy": peer, "PyTorch": peer}
    )
    assert found["machine"] == {"flops": 1e11, "memory": 1e10, "cache": 5e10} and list(found["kernels"]) == ["numpy", "numba"]
    used = {name: {row["op"]: row["kernels"] for row in rows} for name, rows in found["kernels"].items()}
    assert set(used["numpy"].values()) == {"numpy"} and used["numba"]["sgd_update"] == "numba"
    assert used["numba"]["linear"] == "numpy", "a product is the library's"


def test_a_step_that_is_not_profiled_comes_before_each_and_time_runs_out(quick):
    steps = []
    recorded = variant()._replace(step=lambda number: steps.append(number))
    step_profile.measure({"tinytorch numpy": recorded}, seconds=0)
    assert steps == [number for number in range(measuring.LEAST) for _ in range(2)]
    del steps[:]
    step_profile.measure({"tinytorch numpy": recorded})
    assert len(steps) == 2 * step_profile.TURNS


@pytest.fixture
def times(monkeypatch):
    """Return a function that lets the worker measure our step alone, and returns what it answers."""
    monkeypatch.setattr(case_process, "candidates", lambda job: {"tinytorch numpy": Candidate("tinytorch numpy", variant)})
    return lambda **job: case_process.times({"threads": 1, "rounds": 1, "seconds": 0, "profiled": True, **job})


def test_the_worker_profiles_on_one_thread_what_it_is_asked_to(times, quick):
    answer = times()
    assert set(answer["roofline"]) == {"machine", "kernels"} and answer["variants"]["tinytorch numpy"]["samples"] == 1
    assert "roofline" not in times(threads=2) and "roofline" not in times(profiled=False)


def test_the_times_are_taken_before_the_profile(times, quick, monkeypatch):
    order, measure, profile = [], measuring.measure, step_profile.measure
    monkeypatch.setattr(measuring, "measure", lambda *given: order.append("times") or measure(*given))
    monkeypatch.setattr(step_profile, "measure", lambda *given: order.append("profile") or profile(*given))
    times()
    assert order == ["times", "profile"]


def test_a_package_without_module_09_is_timed_all_the_same(times, monkeypatch):
    monkeypatch.setitem(sys.modules, "tinytorch.profiler", None)
    answer = times()
    assert answer["roofline"] == {"failed": "import of tinytorch.profiler halted; None in sys.modules"}
    assert answer["variants"]["tinytorch numpy"]["samples"] == 1


def test_a_profile_that_fails_is_named_and_the_times_stay(times, monkeypatch):
    from tinytorch import profiler

    def broken():
        raise ZeroDivisionError("no time\nat all")

    monkeypatch.setattr(profiler, "measure_machine", broken)
    answer = times()
    assert answer["roofline"] == {"failed": "ZeroDivisionError: no time at all"} and "tinytorch numpy" in answer["variants"]
