"""A profile of ops: what it sees, that its rows add up, and that it leaves nothing behind."""

import itertools
import threading

import numpy as np
import pytest

import tinytorch as tt
from tinytorch.given import dispatch, op as op_seam
from tinytorch.given.dispatch import select_kernel
from tinytorch.given.op import Op
from tinytorch.given.profiling import Row, shortened
from tinytorch.given.state import state, watchers
from tinytorch.layers import Linear, ReLU, Sequential
from tinytorch.losses import cross_entropy
from tinytorch.optim import SGD, Adam
from tinytorch.profiler import profile, record_function
from tinytorch.tensor import Tensor, add, matmul, mul


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    monkeypatch.setattr(mul, "kernels", {})
    yield
    assert watchers == []
    state.kernels = "numpy"


def ticking():
    """Return a clock that is one second later at every look."""
    ticks = itertools.count(1000.0)
    return lambda: next(ticks)


def network():
    rng = np.random.default_rng(0)
    model = Sequential(Linear(20, 12, rng=rng), ReLU(), Linear(12, 5, rng=rng))
    return model, Tensor(rng.standard_normal((8, 20), np.float32)), Tensor(rng.integers(0, 5, 8))


def train(optimizer=SGD, **settings):
    model, images, labels = network()
    optimizer = optimizer(model.parameters(), lr=0.1, **settings)
    cross_entropy(model(images), labels).backward()
    optimizer.step()


def rows(p):
    return {(row.name, row.kernels): row for row in p.key_averages()}


def test_it_is_found_in_the_package():
    assert tt.profile is profile
    assert tt.record_function is record_function


@pytest.mark.parametrize("clock", [ticking, None])
def test_the_rows_add_up_to_the_length_of_the_block(clock):
    with profile(clock=clock()) if clock else profile() as p:
        train()
        with record_function("data"):
            Tensor([1.0]) + 2.0
    found = p.key_averages()
    assert sum(row.seconds for row in found) == pytest.approx(p.ended - p.began, rel=1e-9)
    assert all(row.seconds >= 0 for row in found)
    assert [row.name for row in found[-2:]] == ["Python between the ops", "the profile's own notes"]


def test_with_a_clock_that_ticks_each_kernel_takes_the_one_tick_between_two_looks():
    with profile(clock=ticking()) as p:
        Tensor([1.0]) + 2.0
        Tensor([1.0]) * 2.0
        Tensor([1.0]) * 3.0
    assert {row.name: (row.calls, row.seconds) for row in p.key_averages() if row.calls} == {"mul": (2, 2.0), "add": (1, 1.0)}


def test_a_training_step_has_the_flops_that_its_shapes_say():
    with profile() as p:
        train()
    products = [row for row in p.key_averages() if row.op in ("linear", "linear_weight", "matmul")]
    first, second, biases = 2 * 8 * 20 * 12, 2 * 8 * 12 * 5, 8 * 12 + 8 * 5
    assert {row.name: row.flops for row in products} == {
        "linear": first + second + biases,
        "linear backward: linear_weight": first + second,
        "linear backward: matmul": second,
    }


def test_ops_of_the_walk_back_are_named_as_such():
    with profile() as p:
        train()
    found = {row.name for row in p.key_averages()}
    assert {"relu", "cross_entropy", "linear backward: matmul", "linear backward: reduce_sum", "sgd_update"} <= found
    for op in ("relu", "cross_entropy"):  # what their rules call changes with module 10
        assert any(name.startswith(f"{op} backward: ") for name in found)
    forwards = {name for name in found if ": " not in name}
    assert forwards == {"linear", "relu", "cross_entropy", "sgd_update", "Python between the ops", "the profile's own notes"}


def test_what_the_walk_itself_calls_between_rules_is_named_after_it():
    x, scale = Tensor(np.ones((3, 2)), requires_grad=True), Tensor(np.ones(2), requires_grad=True)
    with profile() as p:
        (x * scale + x).sum().backward()
    assert {"backward: reduce_sum", "backward: add"} <= {row.name for row in p.key_averages()}, (
        "to unbroadcast, and where gradients meet"
    )


def test_the_walk_is_the_whole_of_what_it_calls():
    with profile() as p:
        train()
    (log,) = p.logs.values()
    (walk,) = [one for one in log.spans if one.name == "backward"]
    inside = [one for one in log.spans if one.depth > walk.depth and walk.began <= one.began]
    assert inside and all(one.ended <= walk.ended for one in inside if one.name != "sgd_update")
    assert {one.name for one in inside} >= {"linear backward", "relu backward"}


def test_updates_in_place_have_rows():
    with profile() as p:
        train(Adam)
    row = rows(p)["adam_update", "numpy"]
    entries = 20 * 12 + 12 + 12 * 5 + 5
    assert (row.calls, row.flops, row.moved) == (4, 13 * entries, 7 * 4 * entries)


def test_kernel_sets_have_rows_of_their_own_and_fallbacks_are_counted():
    mul.register_kernel("numba")(lambda a, b: a * b)
    x = Tensor([1.0, 2.0])
    with profile() as p:
        x * 2.0
        with tt.use("numba"):
            x * 3.0
            x + 1.0
            x + 2.0
    found = rows(p)
    assert found["mul", "numpy"].calls == found["mul", "numba"].calls == 1
    assert (found["add", "numpy"].calls, found["add", "numpy"].fallbacks) == (2, 2)
    assert found["mul", "numpy"].fallbacks == 0
    table = p.key_averages().table()
    assert "numpy *" in table and "* 2 calls fell back" in table


def test_a_kernel_that_does_not_cover_its_inputs_counts_as_a_fallback():
    @mul.register_kernel("numba")
    def only_float32(a, b):
        if a.dtype == np.float32:
            return a * b
        dispatch.fallbacks["mul"] += 1
        return mul.forward(a, b)

    with tt.use("numba"), profile() as p:
        Tensor([1.0]) * 2.0
        Tensor([1]) * 2
    found = rows(p)
    assert (found["mul", "numba"].calls, found["mul", "numba"].fallbacks) == (1, 0)
    assert (found["mul", "numpy"].calls, found["mul", "numpy"].fallbacks) == (1, 1)


def test_without_fallbacks_the_table_says_nothing_of_them():
    with profile() as p:
        Tensor([1.0]) + 1.0
    assert "*" not in str(p)


def test_profiles_within_profiles_both_see_the_ops():
    with profile() as outer:
        Tensor([1.0]) + 1.0
        with profile() as inner:
            Tensor([1.0]) * 2.0
        Tensor([1.0]) * 3.0
    assert [row.name for row in inner.key_averages() if row.calls] == ["mul"]
    assert {row.name: row.calls for row in outer.key_averages() if row.calls} == {"add": 1, "mul": 2}


def test_a_profile_that_is_entered_again_begins_anew():
    p = profile()
    for _ in range(2):
        with p:
            Tensor([1.0]) + 1.0
    assert rows(p)["add", "numpy"].calls == 1


def test_an_error_in_the_block_goes_on_and_leaves_everything_clean():
    with pytest.raises(ZeroDivisionError), profile() as p:
        Tensor([1.0]) + 1.0
        raise ZeroDivisionError
    assert watchers == []
    assert rows(p)["add", "numpy"].calls == 1
    assert select_kernel(add, np.ones(1)) is add.forward


def test_an_error_in_a_kernel_leaves_a_span_and_the_depth_of_before():
    with profile() as p:
        with record_function("tried"), pytest.raises(ValueError, match="inner sizes"):
            matmul(np.ones((2, 3)), np.ones((2, 3)))
        Tensor([1.0]) + 1.0
    assert p.log().depth == 0
    found = rows(p)
    assert (found["matmul", "numpy"].calls, found["matmul", "numpy"].flops) == (1, 0)
    assert sum(row.seconds for row in p.key_averages()) == pytest.approx(p.ended - p.began, rel=1e-9)


def test_an_error_on_the_way_back_leaves_everything_clean():
    flip = Op(lambda a: -a)
    flip.register_vjp(lambda grad, out, a: 1 / 0)
    with pytest.raises(ZeroDivisionError), profile() as p:
        flip(Tensor([1.0], requires_grad=True)).sum().backward()
    assert p.log().depth == 0
    assert [row.name for row in p.key_averages() if "<lambda>" in row.name] == ["<lambda>"]


def test_other_threads_have_spans_of_their_own():
    started, done = threading.Event(), threading.Event()

    def work():
        Tensor([1.0]) * 2.0
        started.set()
        done.wait(10)
        Tensor([1.0]) * 2.0

    with profile() as p:
        thread = threading.Thread(target=work)
        thread.start()
        assert started.wait(10)
        Tensor([1.0]) + 1.0
        done.set()
        thread.join()
    found = rows(p)
    assert (found["mul", "numpy"].calls, found["add", "numpy"].calls) == (2, 1)
    assert all(log.depth == 0 for log in p.logs.values())
    ours = sum(row.seconds for row in p.key_averages() if row.name != "mul")
    assert ours == pytest.approx(p.ended - p.began, rel=1e-9)


def test_nothing_is_put_around_an_op_when_nobody_watches():
    with profile():
        assert select_kernel(add, np.ones(1)) is not add.forward
        assert add.rule(0) is not add.rules[0]
        assert op_seam.part("backward") is not op_seam._parts["backward"]
    assert select_kernel(add, np.ones(1)) is add.forward
    assert add.rule(0) is add.rules[0]
    assert op_seam.part("backward") is op_seam._parts["backward"]
    mul.register_kernel("numba")(kernel := lambda a, b: a * b)
    with tt.use("numba"):
        assert select_kernel(mul, np.ones(1)) is kernel


def test_a_profile_changes_no_number():
    def gradients():
        model, images, labels = network()
        cross_entropy(model(images), labels).backward()
        return [parameter.grad.data for parameter in model.parameters()]

    with profile():
        watched = gradients()
    for ours, theirs in zip(watched, gradients()):
        assert np.array_equal(ours, theirs)


def test_an_op_without_a_cost_has_a_time_and_no_rate():
    unknown = Op(lambda a: a + 1)
    with profile(clock=ticking()) as p:
        unknown(Tensor([1.0, 2.0]))
    (row,) = [row for row in p.key_averages() if row.calls]
    assert (row.flops, row.moved, row.seconds) == (0, 16, 1.0)
    assert row.cells(10.0)[5] == ""


def test_a_mark_takes_what_no_op_inside_of_it_takes():
    with profile(clock=ticking()) as p:
        with record_function("data"):
            Tensor([1.0]) + 1.0
    mark = rows(p)["data", ""]
    assert (mark.calls, mark.seconds) == (1, 2.0)  # from its begin to the first look that the op takes, and after its last
    found = {row.name: row.seconds for row in p.key_averages()}
    assert found == {"data": 2.0, "add": 1.0, "the profile's own notes": 2.0, "Python between the ops": 2.0}


def test_a_mark_without_a_profile_does_nothing():
    with pytest.raises(KeyError), record_function("data"):
        raise KeyError


def test_the_table_has_at_most_80_columns_and_shows_what_it_leaves_out():
    with profile() as p:
        train(SGD, momentum=0.9)
        with record_function("a name that is far too long for the column that it has to stand in, and then some"):
            pass
    table = p.key_averages().table(row_limit=None)
    assert max(map(len, table.splitlines())) <= 80
    short = p.key_averages().table(row_limit=2).splitlines()
    count = sum(row.calls > 0 for row in p.key_averages())
    assert f"{count - 2} more" in short[4]
    assert [line.split("  ")[0] for line in short[5:7]] == ["Python between the ops", "the profile's own notes"]
    assert short[-1].startswith("in all")


def test_an_empty_profile_prints():
    with profile() as p:
        pass
    assert "in all" in repr(p)
    assert "in all" in repr(profile())


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("matmul", "matmul"),
        ("cross_entropy backward: probability_minus_truth", "cross_...: probability_minus_truth"),
        ("x" * 40, "x" * 0 + "..." + "x" * 31),
    ],
)
def test_long_names_keep_the_op_that_ran(name, short):
    assert shortened(name) == short
    assert len(shortened(name)) <= 34


def test_rates_are_those_of_the_op_s_own_time():
    row = Row("matmul", 0.5, flops=2e9, moved=1e9, calls=3, kernels="numpy")
    assert row.cells(1.0) == ["matmul", "numpy", "3", "500.00", "50.0", "4.0", "2.0"]


def test_what_the_profile_takes_around_each_span_is_noted():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with profile(clock=ticking()) as p:
        (x * x).sum().backward()
    spans = [one for one in p.log().spans if one.name != "note"]
    assert {one.details["kind"] for one in spans} == {"kernel", "rule", "walk"}
    *_, notes = p.key_averages()
    assert notes.seconds == 2 * len(spans)  # a tick before each span, and one after it
