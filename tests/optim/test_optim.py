"""Optimizers and schedules: PyTorch's numbers, nothing allocated, and a state that goes on where it stopped."""

import importlib.util
import json
import math
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import tinytorch as tt
from tinytorch import optim
from tinytorch.layers import Linear, Parameter
from tinytorch.optim import lr_scheduler
from tinytorch.tensor import Tensor


def load(name):
    spec = importlib.util.spec_from_file_location(f"optim_{name}", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


problem = load("fifty_steps")
RECORDED = json.loads(Path(__file__).with_name("recorded.json").read_text(encoding="utf-8"))
every_rule = pytest.mark.parametrize("key", problem.SETTINGS)
every_schedule = pytest.mark.parametrize("key", problem.SCHEDULES)
every_set = pytest.mark.parametrize("kernels", ["numpy", "numba"])
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def parameters(dtype=np.float64):
    return [Parameter(value.astype(dtype)) for value in problem.start()]


def advance(optimizer, first, last):
    for step in range(first, last):
        params = optimizer.params()
        for param, grad in zip(params, problem.gradients(step, [param.data for param in params])):
            param.grad = Tensor(grad.astype(param.dtype))
        optimizer.step()


def make(key, params):
    name, settings = problem.SETTINGS[key]
    return getattr(optim, name)(params, **settings)


def two_groups():
    first, second = parameters()
    return optim.SGD([{"params": [first]}, {"params": [second], "lr": 0.05}], lr=0.4, momentum=0.9)


def flat(params):
    return np.concatenate([param.data.ravel() for param in params])


@every_set
@every_dtype
@every_rule
def test_fifty_steps_give_the_recorded_numbers_of_pytorch(key, dtype, kernels):
    if kernels == "numba":
        pytest.importorskip("numba")
    params = parameters(dtype)
    with tt.use(kernels):
        advance(make(key, params), 0, problem.STEPS)
    tolerance = dict(rtol=1e-6) if dtype == np.float64 else dict(rtol=1e-3, atol=2e-5)
    np.testing.assert_allclose(flat(params), RECORDED[key], **tolerance)


@pytest.mark.parametrize("number", [int, np.int64, np.float32, np.float64, np.array, Tensor, bool])
@every_set
@every_dtype
def test_a_setting_may_be_any_kind_of_number(number, dtype, kernels):
    if kernels == "numba":
        pytest.importorskip("numba")
    for kind, settings in (
        ("SGD", {}),
        ("SGD", {"momentum": 0.5}),
        ("Adam", {}),
        ("AdamW", {}),
        ("RMSprop", {}),
        ("Adagrad", {}),
    ):
        given, plain = parameters(dtype), parameters(dtype)
        with tt.use(kernels):
            advance(getattr(optim, kind)(given, lr=number(1), weight_decay=number(1), **settings), 0, 3)
            advance(getattr(optim, kind)(plain, lr=1.0, weight_decay=1.0, **settings), 0, 3)
        assert np.array_equal(flat(given), flat(plain)) and given[0].dtype == dtype


@every_schedule
def test_schedules_give_the_recorded_rates_of_pytorch(key):
    seen = problem.rates(problem.SCHEDULES[key], lr_scheduler, two_groups())
    np.testing.assert_allclose(seen, RECORDED[key], rtol=1e-9, atol=1e-15)


def test_the_record_is_what_the_installed_pytorch_does():
    pytest.importorskip("torch", reason="PyTorch is not installed: the recorded numbers stand in for it")
    record = load("record")
    for key, setting in problem.SETTINGS.items():
        np.testing.assert_allclose(record.optimize(*setting), RECORDED[key], rtol=1e-6)
    for key, make_schedule in problem.SCHEDULES.items():
        np.testing.assert_allclose(record.schedule(make_schedule), RECORDED[key], rtol=1e-9, atol=1e-15)


@every_rule
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


@every_rule
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


W, V = Parameter([1.0, 2.0, 3.0]), Parameter([4.0])


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
@pytest.mark.parametrize(
    "given, error, message",
    [
        (W, TypeError, r"one tensor of shape \(3,\): write {}\(\[w\], ...\)"),
        (np.ones(3), TypeError, r"an array of shape \(3,\).*Parameter\(array\)"),
        (Linear(2, 3), TypeError, r"a Linear: write {}\(model.parameters\(\), ...\)"),
        ({"params": [W]}, TypeError, r"one dict: write {}\(\[\{{'params': ...\}}\], ...\)"),
        ({W, V}, TypeError, "a list of parameters, got a set"),
        ("weight", TypeError, "a list of parameters, got a str"),
        (None, TypeError, "a list of parameters, got a NoneType"),
        ([], ValueError, "got an empty list"),
        (lambda: iter([]), ValueError, "got an empty list"),
        ([W, np.ones(3)], TypeError, "got a ndarray among them: only tensors have gradients"),
        ([W, 1.0], TypeError, "got a float among them"),
        ([W, [V]], TypeError, "got a list among them"),
        (Linear(2, 3).named_parameters, TypeError, r"write model.parameters\(\), not named_parameters"),
        ([W, V * 2], ValueError, r"the result of 'mul', of shape \(1,\)"),
        ([W, W], ValueError, "each parameter once"),
        ([{"params": [W]}, {"params": [V, W]}], ValueError, "each parameter once"),
        ([{"lr": 0.1}], ValueError, "a group of {} is a dict with 'params'"),
        ([{"params": [W]}, [V]], ValueError, "a group of {} is a dict with 'params'"),
        ([{"params": [W], "lt": 1.0}], ValueError, "{} has no setting 'lt': there are lr, "),
        ([{"params": [W], "lr": -0.5}], ValueError, "lr needs a number of at least 0, got -0.5"),
    ],
)
def test_what_is_no_list_of_parameters_is_refused(kind, given, error, message):
    given = given() if callable(given) and not isinstance(given, Linear) else given
    with pytest.raises(error, match=message.format(kind)):
        getattr(optim, kind)(given, lr=0.1)


NUMBERS = dict(SGD="lr momentum dampening weight_decay", Adam="lr eps weight_decay", AdamW="lr eps weight_decay",
               RMSprop="lr alpha eps weight_decay momentum", Adagrad="lr lr_decay weight_decay initial_accumulator_value eps")  # fmt: skip


@pytest.mark.parametrize("kind, setting", [(kind, name) for kind, names in NUMBERS.items() for name in names.split()])
@pytest.mark.parametrize("value", [-1e-9, -1, math.nan, -math.inf, "0.1", None])
def test_a_setting_that_makes_no_sense_is_refused_with_its_value(kind, setting, value):
    with pytest.raises(ValueError, match=f"{setting} needs a number of at least 0, got {value!r}"):
        getattr(optim, kind)([W], **{setting: value})


@pytest.mark.parametrize("betas", [(1.0, 0.9), (0.9, 1.0), (-0.1, 0.9), (0.9, -1e-9), (0.9, math.nan), (0.9,), 0.9, ("a", 0.9)])
@pytest.mark.parametrize("kind", ["Adam", "AdamW"])
def test_betas_lie_from_0_to_below_1(kind, betas):
    with pytest.raises(
        ValueError,
        match=r"betas needs two numbers from 0 to below 1, got \(?" + str(betas).strip("(").split(",")[0].split(")")[0],
    ):
        getattr(optim, kind)([W], betas=betas)


@pytest.mark.parametrize("settings", [dict(nesterov=True), dict(nesterov=True, momentum=0.9, dampening=0.1)])
def test_nesterov_needs_a_momentum_and_no_dampening(settings):
    with pytest.raises(ValueError, match="nesterov=True needs a momentum above 0, and dampening=0"):
        optim.SGD([W], **settings)


def test_a_group_may_hold_one_parameter_and_any_iterable():
    optimizer = optim.SGD([{"params": W, "lr": 0.5}, {"params": iter([V])}], lr=0.1)
    assert [group["params"] for group in optimizer.param_groups] == [[W], [V]]


def test_a_group_can_be_added_and_is_trained_saved_and_refused_like_the_others():
    first, second = parameters()
    optimizer = optim.SGD([first], lr=0.1, momentum=0.9)
    optimizer.add_param_group({"params": second, "lr": 0.5})
    before = second.data.copy()
    second.grad = Tensor(np.ones_like(second.data))
    optimizer.step()
    np.testing.assert_allclose(before - second.data, 0.5)
    assert [group["params"] for group in optimizer.state_dict()["param_groups"]] == [[0], [1]]
    with pytest.raises(ValueError, match="each parameter once"):
        optimizer.add_param_group({"params": [first]})
    assert len(optimizer.param_groups) == 2


@every_rule
def test_frozen_parameters_and_those_of_whole_numbers_stay_as_they_are(key):
    trained, frozen, whole = Parameter([1.0, 2.0]), Parameter([3.0], requires_grad=False), Tensor([4, 5])
    optimizer = make(key, [trained, frozen, whole])
    for _ in range(2):
        optimizer.zero_grad()
        (trained * trained * frozen).sum().backward()
        optimizer.step()
    assert frozen.tolist() == [3.0] and whole.tolist() == [4, 5] and trained.tolist() != [1.0, 2.0]
    assert list(optimizer.state_dict()["state"]) == [0]


def test_zero_grad_forgets_or_fills_with_0():
    for set_to_none in (True, False):
        W.grad, V.grad = Tensor([1.0, 2.0, 3.0]), None
        optim.SGD([W, V]).zero_grad(set_to_none=set_to_none)
        assert V.grad is None
        assert W.grad is None if set_to_none else W.grad.tolist() == [0.0, 0.0, 0.0]


def test_a_step_runs_its_closure_first_and_returns_its_loss():
    param = Parameter([2.0])
    optimizer = optim.SGD([param], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (param * param).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 4.0
    assert param.tolist() == [1.0]


def test_what_is_kept_is_found_by_the_parameter_itself():
    param = Parameter([2.0])
    optimizer = optim.Adam([param])
    param.grad = Tensor([1.0])
    optimizer.step()
    assert optimizer.state[param]["step"] == 1 and optimizer.state[param]["exp_avg"].tolist() == pytest.approx([0.1])


@every_rule
def test_a_loaded_state_replaces_what_was_kept(key):
    params = parameters()
    optimizer = make(key, params)
    fresh = optimizer.state_dict()
    advance(optimizer, 0, 3)
    optimizer.load_state_dict(fresh)
    assert optimizer.state_dict()["state"] == {}


@every_rule
def test_a_state_goes_through_a_file_and_back(key, tmp_path):
    from tinytorch.training import load_checkpoint, save_checkpoint

    first, second = parameters(), parameters()
    optimizer, other = make(key, first), make(key, second)
    advance(optimizer, 0, 5)
    save_checkpoint(tmp_path / "state", optimizer.state_dict())
    other.load_state_dict(load_checkpoint(tmp_path / "state"))
    for param, values in zip(second, first):
        param.data[...] = values.data
    assert other.param_groups[0].keys() == optimizer.param_groups[0].keys()
    assert all(other.param_groups[0][name] == value for name, value in optimizer.param_groups[0].items() if name != "params")
    advance(optimizer, 5, 9)
    advance(other, 5, 9)
    assert flat(first).tolist() == flat(second).tolist()


@pytest.mark.parametrize(
    "other, message",
    [
        (lambda p: make("adam", p[:1]), r"group sizes: \[1\] in the checkpoint, \[2\] here"),
        (lambda p: make("momentum", p), r"state.0.momentum_buffer: \(3, 4\) in the checkpoint, missing here"),
        (lambda p: make("adam", p[::-1]), r"state.0.exp_avg: \(5,\) in the checkpoint, \(3, 4\) here"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(other, message):
    ours, theirs = make("adam", parameters()), other(parameters())
    advance(ours, 0, 2)
    advance(theirs, 0, 3)
    before = json.dumps(ours.state_dict(), default=lambda array: array.tolist())
    with pytest.raises(ValueError, match=message):
        ours.load_state_dict(theirs.state_dict())
    assert json.dumps(ours.state_dict(), default=lambda array: array.tolist()) == before


@pytest.mark.parametrize(
    "key", [key for key in problem.SCHEDULES if key not in ("two_at_once", "changed_by_hand", "after_another")]
)
def test_every_schedule_resumes_on_a_restored_optimizer(key):
    make_schedule, whole = problem.SCHEDULES[key], two_groups()
    straight = make_schedule(lr_scheduler, whole)
    for _ in range(17):
        straight.step()
    saved = json.loads(json.dumps([whole.state_dict()["param_groups"], straight.state_dict()]))
    restored = two_groups()
    resumed = make_schedule(lr_scheduler, restored)
    restored.load_state_dict({"state": {}, "param_groups": saved[0]})
    resumed.load_state_dict(saved[1])
    for _ in range(17, 40):
        for scheduler in (straight, resumed):
            scheduler.step()
        assert resumed.get_last_lr() == straight.get_last_lr()
        assert [group["momentum"] for group in restored.param_groups] == [group["momentum"] for group in whole.param_groups]


@pytest.mark.parametrize(
    "key",
    [
        key
        for key in problem.SCHEDULES
        if "restart" in key or key in "step cosine lambda exponential milestones constant linear polynomial one_cycle".split()
    ],
)
def test_a_schedule_goes_on_after_the_last_epoch_of_a_restored_optimizer(key):
    class Later:
        """The module of schedules, each made to go on after count 12."""

        def __getattr__(self, name):
            return partial(getattr(lr_scheduler, name), last_epoch=12)

    whole, restored = two_groups(), two_groups()
    straight = problem.SCHEDULES[key](lr_scheduler, whole)
    for _ in range(12):
        straight.step()
    restored.load_state_dict(whole.state_dict())
    resumed = problem.SCHEDULES[key](Later(), restored)  # its first step is the one to count 13
    for _ in range(20):
        straight.step()
        assert resumed.get_last_lr() == straight.get_last_lr()
        resumed.step()


def test_going_on_after_an_epoch_needs_an_optimizer_with_a_past():
    with pytest.raises(KeyError, match="last_epoch=3 continues an earlier schedule.*load its state first, or set initial_lr"):
        optim.StepLR(optim.SGD([W]), 2, last_epoch=3)
    scheduler = optim.StepLR(optim.SGD([{"params": [W], "initial_lr": 0.8, "lr": 0.4}], lr=1), 2, 0.5, last_epoch=3)
    assert scheduler.get_last_lr() == [0.2]


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda o: optim.StepLR(o, 0), "step_size needs a number above 0, got 0"),
        (lambda o: optim.CosineAnnealingLR(o, T_max=0), "T_max needs a number above 0, got 0"),
        (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 0), "above 0, got 0 and 1"),
        (lambda o: lr_scheduler.OneCycleLR(o, 0.1), "needs total_steps, or epochs and steps_per_epoch"),
        (lambda o: lr_scheduler.OneCycleLR(o, 0.1, 9, anneal_strategy="cosine"), '"cos" or "linear", got \'cosine\''),
        (lambda o: lr_scheduler.OneCycleLR(o, [0.1], 9), "zip"),
        (lambda o: lr_scheduler.OneCycleLR(optim.Adagrad([V]), 0.1, 9), "Adagrad has no momentum: give OneCycleLR cycle_momentum=False"),
        (lambda o: stepped(lr_scheduler.OneCycleLR(o, 0.1, 9), 10), "9 steps in all"),
        (lambda o: lr_scheduler.SequentialLR(o, [optim.StepLR(o, 1)], [3]), "one milestone fewer than schedulers, got 1 and 1"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=1.0), "factor needs a number below 1, got 1.0"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, "most"), "got 'most' and 'rel'"),
    ],
)  # fmt: skip
def test_a_schedule_that_makes_no_sense_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build(two_groups())


def stepped(scheduler, count):
    for _ in range(count):
        scheduler.step()


def test_one_cycle_moves_the_first_beta_of_adam():
    optimizer = optim.Adam([V], betas=(0.5, 0.99))
    scheduler, seen = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=11), []
    for _ in range(10):
        seen.append(optimizer.param_groups[0]["betas"])
        scheduler.step()
    assert seen[0] == (0.95, 0.99) and min(seen)[0] == pytest.approx(0.85, abs=0.02) and seen[-1][0] > 0.9


def clip(given, max_norm=1.0):
    return optim.clip_grad_norm_(given, max_norm)


@every_dtype
@pytest.mark.parametrize("wrap", [lambda w: w, lambda w: [w], lambda w: (w,), lambda w: iter([w]), lambda w: {w}.__iter__()])
def test_clipping_takes_one_tensor_or_any_iterable(wrap, dtype):
    w = Parameter(np.ones((2, 1), dtype))
    w.grad = Tensor(np.array([[3.0], [4.0]], dtype))
    assert clip(wrap(w)) == pytest.approx(5.0) and w.grad.dtype == dtype
    np.testing.assert_allclose(w.grad.data, [[0.6], [0.8]], rtol=1e-6)


@pytest.mark.parametrize(
    "given, max_norm, error, message",
    [
        (np.ones(3), 1, TypeError, "clip_grad_norm_ needs a list of parameters, got an array of shape"),
        (Linear(2, 3), 1, TypeError, r"write clip_grad_norm_\(model.parameters\(\), ...\)"),
        ([W, np.ones(3)], 1, TypeError, "got a ndarray among them"),
        ([("weight", W)], 1, TypeError, "not named_parameters"),
        ([W], -1.0, ValueError, "max_norm needs a number of at least 0, got -1.0"),
        ([W], math.nan, ValueError, "max_norm needs a number of at least 0, got nan"),
        ([W], "1", ValueError, "max_norm needs a number of at least 0, got '1'"),
    ],
)
def test_what_cannot_be_clipped_is_refused(given, max_norm, error, message):
    with pytest.raises(error, match=message):
        clip(given, max_norm)


def test_clipping_to_0_leaves_nothing_and_to_infinity_everything():
    W.grad = Tensor([3.0, 0.0, 4.0])
    assert clip([W], math.inf) == 5.0 and W.grad.tolist() == [3.0, 0.0, 4.0]
    assert clip([W], 0) == 5.0 and W.grad.tolist() == [0.0, 0.0, 0.0]


def test_given_names_reach_optim_and_its_schedules_every_way():
    import tinytorch.optim.lr_scheduler as by_import
    from tinytorch.optim import Adagrad, RMSprop
    from tinytorch.optim.lr_scheduler import LambdaLR, OneCycleLR

    assert (optim.RMSprop, optim.Adagrad, optim.LambdaLR) == (RMSprop, Adagrad, LambdaLR)
    assert optim.lr_scheduler is by_import and by_import.OneCycleLR is OneCycleLR
    assert not hasattr(optim, "NoSuch") and not hasattr(by_import, "NoSuch")


def test_warm_up_rises_to_the_whole_rate_and_falls_to_nothing():
    factor = optim.warmup_cosine(4, 20)
    values = [factor(count) for count in range(21)]
    assert values[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert all(a >= b for a, b in zip(values[4:], values[5:]))
    assert abs(values[-1]) < 1e-12
