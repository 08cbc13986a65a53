"""The seam of module 05: rules and a backward engine are registered, and nothing that exists is touched."""

import numpy as np
import pytest

from tinytorch.activations import tanh
from tinytorch.given import op as op_seam
from tinytorch.given.state import state
from tinytorch.tensor import Tensor, matmul, mul, reduce_sum, sub


def walk(root, gradient=None, retain_graph=None, create_graph=False):
    """A backward engine in its smallest form: enough for a chain of ops, and for a second derivative."""
    before, state.recording = state.recording, create_graph
    try:
        pull(root, gradient if gradient is not None else Tensor(np.ones_like(root.data)))
    finally:
        state.recording = before


def pull(tensor, grad):
    if tensor.origin is None:
        tensor.grad = grad if tensor.grad is None else tensor.grad + grad
        return
    op, inputs, params, _ = tensor.origin
    for argument, x in enumerate(inputs):
        if isinstance(x, Tensor) and x.requires_grad:
            pull(x, op.rule(argument)(grad, tensor, *inputs, **params))


@pytest.fixture(autouse=True)
def engine(monkeypatch):
    monkeypatch.setattr(op_seam, "_parts", dict(op_seam._parts))
    for op in (matmul, tanh, mul, sub, reduce_sum):
        monkeypatch.setattr(op, "rules", op.rules)
        monkeypatch.setattr(op, "rule_of_each", op.rule_of_each)
    op_seam.register("backward")(walk)
    matmul.register_vjp(lambda grad, out, a, b: grad @ b.mT, lambda grad, out, a, b: a.mT @ grad)
    tanh.register_vjp(lambda grad, out, x: grad * (1 - out * out))
    mul.register_vjp(lambda grad, out, a, b: grad * b, lambda grad, out, a, b: grad * a)
    sub.register_vjp(lambda grad, out, a, b: grad, lambda grad, out, a, b: -grad)
    reduce_sum.register_vjp(lambda grad, out, a, axis, keepdims: grad * Tensor(np.ones_like(a.data)))


def test_backward_goes_through_the_registered_engine_and_rules():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((3, 4)), rng.standard_normal((4, 2))
    weight = Tensor(w, requires_grad=True)
    tanh(Tensor(x) @ weight).sum().backward()
    np.testing.assert_allclose(weight.grad.data, x.T @ (1 - np.tanh(x @ w) ** 2), rtol=1e-12)


def test_a_rule_written_with_ops_gives_second_derivatives():
    x = Tensor(np.array([-0.7, 0.2, 1.3]), requires_grad=True)
    tanh(x).sum().backward(create_graph=True)
    first, x.grad = x.grad, None
    first.sum().backward()
    y = np.tanh(x.data)
    np.testing.assert_allclose(first.data, 1 - y**2, rtol=1e-12)
    np.testing.assert_allclose(x.grad.data, -2 * y * (1 - y**2), rtol=1e-12)


def test_rules_see_the_defaults_of_the_settings():
    seen = {}
    reduce_sum.register_vjp(lambda grad, out, a, **params: seen.update(params) or grad * Tensor(np.ones_like(a.data)))
    Tensor([1.0, 2.0], requires_grad=True).sum().backward()
    assert seen == {"axis": None, "keepdims": False}


def test_an_op_without_a_rule_names_what_to_write():
    matmul.register_vjp()
    out = Tensor([[1.0]], requires_grad=True) @ Tensor([[2.0]])
    with pytest.raises(
        NotImplementedError, match=r"op 'matmul' has no gradient rule for argument 0: write one with matmul.register_vjp"
    ):
        out.backward()


def test_registering_again_replaces_the_engine():
    calls = []
    op_seam.register("backward")(lambda root, *args, **settings: calls.append(root))
    loss = Tensor([1.0], requires_grad=True) * 2
    loss.backward()
    assert calls == [loss]


def test_the_last_rule_of_an_op_of_many_inputs_learns_which_it_is_for():
    op = op_seam.Op(lambda *arrays: arrays[0])
    op.register_vjp(each=lambda grad, out, *inputs, argument: argument)
    assert [op.rule(i)(None, None) for i in range(3)] == [0, 1, 2]
