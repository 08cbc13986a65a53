"""Optimizers and schedules: PyTorch's numbers, nothing allocated, and a state that goes on where it stopped."""

import importlib.util
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tinytorch import optim
from tinytorch.layers import Parameter


def load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


problem = load("problem")
RECORDED = json.loads(Path(__file__).with_name("recorded.json").read_text(encoding="utf-8"))


def parameters():
    return [Parameter(value) for value in problem.start()]


def advance(optimizer, first, last):
    for step in range(first, last):
        params = optimizer.params()
        for param, grad in zip(params, problem.gradients(step, [param.data for param in params])):
            param.grad = type(param)(grad)
        optimizer.step()


def make(key, params):
    name, settings = problem.SETTINGS[key]
    return getattr(optim, name)(params, **settings)


def flat(params):
    return np.concatenate([param.data.ravel() for param in params])


@pytest.mark.parametrize("key", problem.SETTINGS)
def test_fifty_steps_give_the_recorded_numbers_of_pytorch(key):
    params = parameters()
    advance(make(key, params), 0, problem.STEPS)
    np.testing.assert_allclose(flat(params), RECORDED[key], rtol=1e-6)


@pytest.mark.parametrize("key", problem.SCHEDULES)
def test_schedules_give_the_recorded_rates_of_pytorch(key):
    name, settings = problem.SCHEDULES[key]
    optimizer = optim.SGD(parameters(), lr=0.4)
    scheduler, rates = getattr(optim, name)(optimizer, **settings), []
    for _ in range(problem.STEPS):
        rates += scheduler.get_last_lr()
        scheduler.step()
    np.testing.assert_allclose(rates, RECORDED[key], rtol=1e-9)


def test_the_record_is_what_the_installed_pytorch_does():
    pytest.importorskip("torch", reason="PyTorch is not installed: the recorded numbers stand in for it")
    import sys

    sys.path.insert(0, str(Path(__file__).parent))
    try:
        record = load("record")
    finally:
        sys.path.pop(0)
    for key, setting in problem.SETTINGS.items():
        np.testing.assert_allclose(record.optimize(*setting), RECORDED[key], rtol=1e-6)


@pytest.mark.parametrize("key", problem.SETTINGS)
def test_a_saved_state_goes_on_bit_for_bit(key):
    whole, halves = parameters(), parameters()
    advance(make(key, whole), 0, 30)
    first = make(key, halves)
    advance(first, 0, 13)
    saved = first.state_dict()
    second = make(key, halves)
    second.load_state_dict(saved)
    advance(second, 13, 30)
    assert flat(whole).tolist() == flat(halves).tolist()


def test_a_saved_state_is_a_copy():
    params = parameters()
    optimizer = make("adam", params)
    advance(optimizer, 0, 2)
    saved = optimizer.state_dict()
    before = saved["state"][0]["exp_avg"].copy()
    advance(optimizer, 2, 4)
    assert np.array_equal(saved["state"][0]["exp_avg"], before)


@pytest.mark.parametrize("key", problem.SETTINGS)
def test_a_step_allocates_nothing(key):
    param = Parameter(np.ones((1000, 100), np.float32))
    param.grad = Parameter(np.ones((1000, 100), np.float32))
    optimizer, data = make(key, [param]), param.data
    optimizer.step()
    tracemalloc.start()
    for _ in range(3):
        optimizer.step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000, "an array of the parameter's size has 400,000 bytes"
    assert param.data is data


def test_groups_have_settings_of_their_own():
    first, second = parameters()
    optimizer = optim.SGD([{"params": [first], "lr": 0.5}, {"params": [second]}], lr=0.1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.1]
    before = first.data.copy(), second.data.copy()
    first.grad, second.grad = Parameter(np.ones_like(first.data)), Parameter(np.ones_like(second.data))
    optimizer.step()
    np.testing.assert_allclose(before[0] - first.data, 0.5)
    np.testing.assert_allclose(before[1] - second.data, 0.1)


def test_a_parameter_without_a_gradient_stays_as_it_is():
    first, second = parameters()
    second.grad = Parameter(np.ones_like(second.data))
    before = first.data.copy()
    optim.AdamW([first, second], lr=0.1).step()
    assert np.array_equal(first.data, before)


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda p: optim.SGD([]), "needs parameters"),
        (lambda p: optim.SGD([p[0], p[0]]), "each of them once"),
        (lambda p: optim.SGD(p, lr=-1.0), "lr needs a number of at least 0, got -1.0"),
        (lambda p: optim.SGD([{"params": p, "lt": 1.0}]), "no setting 'lt': there are lr, momentum"),
        (lambda p: optim.SGD(p, nesterov=True), "needs a momentum"),
        (lambda p: make("adam", p).load_state_dict(make("adam", p[:1]).state_dict()), r"hold \[1\] parameters, these \[2\]"),
    ],
)
def test_what_cannot_be_meant_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build(parameters())


def test_a_schedule_resumes():
    def scheduler():
        return optim.CosineAnnealingLR(optim.SGD(parameters(), lr=0.4), T_max=10)

    whole, part, rest = scheduler(), scheduler(), scheduler()
    for _ in range(6):
        whole.step()
    for _ in range(3):
        part.step()
    rest.load_state_dict(part.state_dict())
    for _ in range(3):
        rest.step()
    assert rest.get_last_lr() == whole.get_last_lr()


def test_warm_up_rises_to_the_whole_rate_and_falls_to_nothing():
    factor = optim.warmup_cosine(4, 20)
    values = [factor(count) for count in range(21)]
    assert values[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert all(a >= b for a, b in zip(values[4:], values[5:]))
    assert abs(values[-1]) < 1e-12
