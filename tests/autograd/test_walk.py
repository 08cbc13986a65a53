"""The walk back: sums, order, memory, what is freed, what is refused."""

import gc
import threading
import time
import tracemalloc
import weakref

import numpy as np
import pytest

from tinytorch.activations import relu
from tinytorch.autograd import enable_grad, grad, no_grad, topological_order
from tinytorch.given.op import Op
from tinytorch.given.state import state
from tinytorch.layers import Linear
from tinytorch.losses import cross_entropy, mlp
from tinytorch.tensor import Tensor, matmul


def leaf(*values):
    return Tensor(np.array(values, np.float32), requires_grad=True)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def count_rules(monkeypatch, op):
    """Count how often each rule of an op runs."""
    calls = [0] * len(op.rules)

    def counted(position, rule):
        def run(*args, **params):
            calls[position] += 1
            return rule(*args, **params)

        return run

    monkeypatch.setattr(op, "rules", tuple(counted(i, rule) for i, rule in enumerate(op.rules)))
    return calls


# Sums and order


def test_a_tensor_used_twice_receives_the_sum():
    x = leaf(3.0)
    y = x * x
    (y * x + y).backward(Tensor([1.0]))
    assert x.grad.item() == 3 * 9 + 2 * 3


def test_a_diamond_of_depth_60_takes_one_visit_a_tensor(monkeypatch):
    x = y = Tensor(1.0, requires_grad=True)
    for _ in range(60):
        y = y + y
    calls = count_rules(monkeypatch, y.origin.op)
    y.backward()
    assert x.grad.item() == 2.0**60 and calls == [60, 60]


def test_a_chain_of_100_000_ops_in_linear_time():
    def seconds(length):
        x = y = Tensor(1.0, requires_grad=True)
        for _ in range(length):
            y = y + 1.0
        began = time.process_time()
        y.backward()
        assert x.grad.item() == 1.0
        return time.process_time() - began

    gc.collect()
    short = min(seconds(10_000) for _ in range(3))
    assert seconds(100_000) < 40 * short


def test_a_chain_of_100_000_ops_that_is_kept_dies_without_overflowing_the_stack():
    y = Tensor(1.0, requires_grad=True)
    for _ in range(100_000):
        y = y + 1.0
    y.backward(retain_graph=True)
    last = weakref.ref(y.origin.inputs[0])
    del y
    assert last() is None


def test_the_walk_gives_memory_back_as_it_goes():
    def chain():
        y = Tensor(normal(10_000), requires_grad=True)  # 40 kB
        for _ in range(200):
            y = (y * 1.01).exp() * 0.1  # two of them kept by each round
        return y.sum()

    tracemalloc.start()
    try:
        loss = chain()
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        loss.backward()
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held > 15e6 and left < 1e6 and peak < held + 1e6


def test_two_roots_where_one_lies_above_the_other():
    x = leaf(2.0)
    y = x * 3
    z = y * y
    assert [g.item() for g in grad([z, y], [x, y])] == [2 * 6 * 3 + 3, 2 * 6 + 1]


def test_the_order_lists_every_tensor_once_and_no_leaf():
    x = leaf(1.0)
    y = x * 2
    z = y + y * y
    order = topological_order(z)
    assert order[0] is y and order[-1] is z and len(order) == 3


# Leaves


def test_only_leaves_keep_a_gradient():
    x = leaf(1.0, 2.0)
    y = x * 2
    y.sum().backward()
    assert y.grad is None and x.grad.data.tolist() == [2.0, 2.0]


def test_gradients_add_up_over_calls_and_the_old_one_stays_as_it_was():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert first.data.tolist() == [2.0, 4.0] and x.grad.data.tolist() == [5.0, 7.0]


def test_a_leaf_may_be_the_root():
    x = leaf(5.0)
    x.backward()
    assert x.grad.data.tolist() == [1.0]


def test_no_gradient_is_computed_for_an_input_that_wants_none(monkeypatch):
    calls = count_rules(monkeypatch, matmul)
    weight = Tensor(normal(4, 2), requires_grad=True)
    (Tensor(normal(3, 4)) @ weight).sum().backward()
    assert calls == [0, 1]


def test_integers_and_truth_values_never_get_one():
    x = leaf(0.5, -0.5)
    picked = x[Tensor(np.array([1, 1, 0]))] * (x > 0)[Tensor(np.array([0, 0, 0]))]
    picked.sum().backward()
    assert x.grad.data.tolist() == [1.0, 2.0]
    assert not (x > 0).requires_grad and not x.argmax().requires_grad


def test_gradients_have_the_dtype_of_their_leaf():
    wide, narrow = Tensor(np.array([1.0, 2.0]), requires_grad=True), leaf(3.0, 4.0)
    (wide * narrow).sum().backward()
    assert wide.grad.dtype == np.float64 and narrow.grad.dtype == np.float32
    numbers = Tensor(np.array([2, 3]))
    x = leaf(1.0, 1.0)
    (x * numbers).mean().backward()
    assert x.grad.dtype == np.float32 and x.grad.data.tolist() == [1.0, 1.5]


def test_the_gradient_of_a_weight_lies_in_memory_as_the_weight_does():
    layer, weight = Linear(5, 3), Tensor(normal(5, 3), requires_grad=True)
    (layer(Tensor(normal(4, 5))) + Tensor(normal(4, 5)) @ weight).sum().backward()
    assert layer.weight.grad.data.flags.c_contiguous and weight.grad.data.flags.c_contiguous


def test_detach_cuts_and_shares_its_memory():
    x = leaf(2.0)
    y = x * 3
    (x * y.detach()).sum().backward()
    assert x.grad.item() == 6.0 and np.shares_memory(y.data, y.detach().data)


# Memory of gradients


SHARING = {
    "sum of two": lambda a, b: (a + b).sum(),
    "both transposed": lambda a, b: (a.mT + b.mT).sum() * 2,
    "difference": lambda a, b: ((a - 1) + (b + 1)).mean(),
    "reshaped": lambda a, b: (a.reshape(4) + b.reshape(4)).sum(),
    "one of them twice": lambda a, b: (a + a + b).sum(),
    "cloned": lambda a, b: (a.clone() + b.clone()).sum(),
    "stretched": lambda a, b: (a.expand(3, 2, 2) + b).sum(),
    "parts": lambda a, b: (a[:] + b[::1]).sum(),
}


@pytest.mark.parametrize("name", SHARING)
def test_no_two_gradients_share_memory_and_all_can_be_written(name):
    a, b = Tensor(normal(2, 2), requires_grad=True), Tensor(normal(2, 2), requires_grad=True)
    loss = SHARING[name](a, b)
    loss.backward(retain_graph=True)
    for one, other in [(a.grad, b.grad), grad(loss, [b, a])]:
        before = other.data.copy()
        one.zero_()
        assert np.array_equal(other.data, before) and before.any()


def test_the_gradient_handed_in_is_not_the_leaf_s():
    x, given = leaf(1.0, 2.0), Tensor([3.0, 4.0])
    (x + 0).backward(given)
    x.grad.zero_()
    assert given.data.tolist() == [3.0, 4.0]


# Freed and kept graphs


def test_a_second_backward_through_a_freed_graph_says_so():
    x = leaf(1.0)
    y = (x * 2).exp()
    y.backward()
    with pytest.raises(RuntimeError, match=r"an earlier backward\(\) used this graph and freed it, at exp: .*retain_graph=True"):
        y.backward()
    assert not y.is_leaf and repr(y).endswith("from=exp)")


def test_two_losses_with_a_common_part_need_retain_graph():
    x = leaf(1.0)
    shared = x * 2
    shared.exp().backward()
    with pytest.raises(RuntimeError, match="freed it, at mul"):
        shared.sum().backward()


def test_a_graph_is_kept_when_asked():
    x = leaf(3.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 18.0


def test_create_graph_keeps_it_and_differentiates_again():
    x = leaf(2.0)
    (slope,) = grad(x**3, x, create_graph=True)
    (curvature,) = grad(slope, x, create_graph=True)
    assert (slope.item(), curvature.item(), grad(curvature, x)[0].item()) == (12.0, 12.0, 6.0)


def test_gradients_without_create_graph_have_no_graph():
    x = leaf(2.0)
    (x**3).backward()
    assert not x.grad.requires_grad and x.grad.origin is None


# What is refused


def test_backward_without_a_graph_is_refused():
    for y in (Tensor([1.0]), Tensor([1.0]) * 2, Tensor(np.array([3]))):
        with pytest.raises(RuntimeError, match="without a graph"):
            y.backward()
    with no_grad():
        y = leaf(1.0) * 2
    with pytest.raises(RuntimeError, match="no_grad"):
        y.backward()


def test_more_than_one_number_needs_a_gradient_of_its_shape():
    y = leaf(1.0, 2.0) * 2
    with pytest.raises(RuntimeError, match=r"needs a tensor of one number, got shape \(2,\)"):
        y.backward()
    with pytest.raises(RuntimeError, match=r"shape \(2,\), got \(3,\)"):
        y.backward(Tensor([1.0, 1.0, 1.0]))
    y.backward(np.array([1.0, -1.0]))  # an array will do


def test_a_missing_rule_is_named_before_anything_has_changed():
    silent = Op(lambda a: a * 1)
    silent.name = "silent"
    x = leaf(1.0)
    y = x * 2
    loss = (silent(y) + y).sum()
    with pytest.raises(
        NotImplementedError, match="op 'silent' has no gradient rule for argument 0: write one with silent.register_vjp"
    ):
        loss.backward()
    assert x.grad is None
    y.backward(Tensor([1.0]))
    assert x.grad.item() == 2.0


@pytest.mark.parametrize("wrong", [(2, 3), (3,), (3, 3), (3, 1)])
def test_a_rule_that_gives_the_wrong_shape_is_named(wrong):
    crooked = Op(lambda a: a * 1)
    crooked.name = "crooked"
    crooked.register_vjp(lambda grad, out, a: Tensor(np.ones(wrong)))
    with pytest.raises(RuntimeError, match=r"the rule of crooked for argument 0 gave shape .*, where the input has \(3, 2\)"):
        crooked(Tensor(normal(3, 2), requires_grad=True)).sum().backward()


# Nothing is held


def test_a_training_step_leaves_nothing_to_the_cycle_collector():
    model, images, labels = mlp(20, 8, 5), Tensor(normal(6, 20)), Tensor(np.arange(6) % 5)

    def step():
        loss = cross_entropy(model(images), labels)
        held = weakref.ref(loss.origin.inputs[0])
        loss.backward()
        return held

    step()
    gc.collect()
    gc.disable()
    try:
        held = [step() for _ in range(3)]
        assert [one() for one in held] == [None] * 3 and gc.collect() == 0
    finally:
        gc.enable()


def test_a_graph_that_nobody_walks_dies_at_once():
    gc.disable()
    try:
        middle = leaf(1.0) * 2
        held, end = weakref.ref(middle), middle.exp()
        del middle
        assert held() is not None and end.requires_grad
        del end
        assert held() is None
    finally:
        gc.enable()


def test_a_second_derivative_by_grad_leaves_nothing_either():
    gc.collect()
    gc.disable()
    try:
        x = leaf(0.3, 0.7)
        (slope,) = grad(relu(x * x).sum(), x, create_graph=True)
        held = weakref.ref(slope)
        grad(slope.sum(), x)
        del slope
        assert held() is None and gc.collect() == 0
    finally:
        gc.enable()


# no_grad, enable_grad


def test_no_grad_is_a_context_and_a_decorator_with_and_without_brackets():
    x = leaf(1.0)

    @no_grad()
    def bracketed(a):
        return a * 2

    @no_grad
    def bare(a):
        """Double."""
        with enable_grad():
            inner = a * 2
        return a * 2, inner

    with no_grad():
        inside = x * 2
    assert not inside.requires_grad and not bracketed(x).requires_grad
    assert [y.requires_grad for y in bare(x)] == [False, True] and bare.__doc__ == "Double."
    assert (x * 2).requires_grad


def test_the_switch_returns_after_an_exception_and_belongs_to_the_thread():
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert state.recording
    seen = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append((leaf(1.0) * 2).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


def test_a_failing_walk_leaves_the_switch_as_it_was():
    bad = Op(lambda a: a * 1)
    bad.register_vjp(lambda grad, out, a: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bad(leaf(1.0)).backward()
    assert state.recording


# grad


def test_grad_returns_gradients_and_stores_none():
    x, w = leaf(1.0, 2.0), leaf(3.0, -1.0)
    h = x * w
    (dh, dx) = grad((h * h).sum(), [h, x])
    assert dh.data.tolist() == [6.0, -4.0] and dx.data.tolist() == [18.0, 4.0]
    assert x.grad is None and w.grad is None and h.grad is None


def test_grad_begins_with_what_it_is_given():
    x = leaf(1.0, 2.0)
    (dx,) = grad([x * 2, x * x], x, [Tensor([1.0, 10.0]), Tensor([0.0, 1.0])])
    assert dx.data.tolist() == [2.0, 24.0]


def test_grad_of_what_is_not_used():
    x, other = leaf(1.0), leaf(2.0, 3.0)
    with pytest.raises(RuntimeError, match="no output depends on one of the inputs"):
        grad(x * 2, [x, other])
    assert grad(x * 2, [x, other], allow_unused=True)[1] is None
    assert grad(x * 2, [x, other], materialize_grads=True)[1].data.tolist() == [0.0, 0.0]
