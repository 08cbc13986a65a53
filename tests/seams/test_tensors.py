"""What a tensor refuses, and what it lets pass, as PyTorch does."""

import datetime

import numpy as np
import pytest

import tinytorch as tt
from tinytorch import nn
from tinytorch.autograd import grad, no_grad
from tinytorch.nn import functional as F
from tinytorch.tensor import Tensor

REFUSED = [  # data, dtype
    ("3.5", np.float32),
    (["1", "2"], np.int64),
    (np.array(["1", "2"]), None),
    (np.array(["1", "2"]), np.float32),
    (b"12", None),
    (datetime.date(2026, 1, 1), None),
    (np.array(["2026-01-01"], "datetime64[D]"), None),
    (np.array(["2026-01-01"], "datetime64[D]"), np.int64),
    (np.array([3], "timedelta64[s]"), None),
    ([[1, 2], [3]], None),
    ([[1, 2], 3], np.float32),
    (np.array([1, None]), None),
    (None, None),
    (1j, None),
    (np.array([1j]), None),
    ({"a": 1}, None),
    ([object()], None),
]


@pytest.mark.parametrize(
    "data, dtype", REFUSED, ids=[f"{str(data)[:20]} {number}" for number, (data, dtype) in enumerate(REFUSED)]
)
def test_what_is_no_number_is_refused(data, dtype):
    for make in (Tensor, tt.tensor):
        with pytest.raises(TypeError, match="numbers in equal rows"):
            make(data, dtype=dtype)


@pytest.mark.parametrize(
    "wrong", [Tensor([1.0]), Tensor(1.0), Tensor(np.ones((2, 1), np.float32)), Tensor(np.ones((3, 2), np.float32))]
)
def test_a_gradient_of_another_shape_is_refused_when_it_is_assigned(wrong):
    x = Tensor(np.ones((2, 3), np.float32), requires_grad=True)
    with pytest.raises(RuntimeError, match=r"\(2, 3\)") as error:
        x.grad = wrong
    assert str(wrong.shape) in str(error.value) and x.grad is None


def test_a_gradient_is_a_tensor_of_its_tensor_s_dtype():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match="ndarray"):
        x.grad = np.ones(2, np.float32)
    with pytest.raises(RuntimeError, match="float64"):
        x.grad = Tensor(np.ones(2))
    x.grad = Tensor([3.0, 4.0])
    x.grad = None
    assert x.grad is None


def test_an_update_with_a_gradient_of_another_shape_is_refused_by_both_sets():
    from tinytorch import optim

    for kernels in ("numpy", "numba"):
        for make in (optim.SGD, optim.Adam, optim.AdamW, lambda p: optim.SGD(p, momentum=0.9)):
            p = Tensor(np.ones(64, np.float32), requires_grad=True)
            optimizer = make([p])
            p.grad = Tensor(np.ones(64, np.float32))
            p.grad.data = np.ones(1, np.float32)  # around the door
            with tt.use(kernels), pytest.raises(ValueError, match=r"one shape, got param \(64,\), grad \(1,\)"):
                optimizer.step()
            assert (p.data == 1).all()


def test_operators_in_place_do_not_lose_fractions_or_change_shapes():
    x = tt.tensor([1, 2])
    for change in ("x += 0.5", "x *= 0.5", "x /= 2", "x **= 0.5", "x -= y"):
        with pytest.raises(RuntimeError, match="float32 into a tensor of int64"):
            exec(change, {"x": x, "y": tt.tensor([0.5, 0.5])})
    flags = tt.tensor([True, False])
    with pytest.raises(RuntimeError, match="int64 into a tensor of bool"):
        flags += 1
    small = Tensor(np.array([250], np.uint8))
    small += 3
    assert small.tolist() == [253] and small.dtype == np.uint8
    one = tt.ones(1)
    with pytest.raises(RuntimeError, match=r"\(1,\) to \(3,\)"):
        one += tt.ones(3)
    with no_grad():
        x //= 2
        x %= 2
        x **= 2
        x |= 4
        x ^= 1
        x &= 5
    assert x.tolist() == [5, 4]


def test_a_tensor_of_one_number_is_an_index_a_number_and_text():
    three = tt.tensor(3)
    assert list(range(three)) == [0, 1, 2] and "abcd"[three] == "d" and [7, 8, 9, 10][three] == 10
    assert f"{tt.tensor(2.5):.3f}" == "2.500" and f"{three:04d}" == "0003" and f"{three}" == "tensor(3)"
    assert f"{tt.tensor([1.0])}" == "tensor([1.])"
    with pytest.raises(TypeError):
        f"{tt.tensor([1.0]):.3f}"
    with pytest.raises(TypeError):
        range(tt.tensor(3.0))
    assert tt.tensor([[0.5]]) and not tt.tensor(0)
    for many in (tt.ones(2), tt.ones(0)):
        with pytest.raises(RuntimeError, match="one number"):
            bool(many)
    assert 2.0 in tt.tensor([[1.0, 2.0]]) and 3 not in tt.tensor([[1.0, 2.0]]) and 1 not in tt.ones(0)


def test_a_tensor_without_axes_is_no_list():
    for use in (len, list, iter):
        with pytest.raises(TypeError, match="without axes"):
            use(tt.tensor(1.0))
    assert [row.tolist() for row in tt.ones(2, 1)] == [[1.0], [1.0]] and list(tt.ones(0, 3)) == []


@pytest.mark.parametrize(
    "index, shape", [([], (0, 3)), (([], 1), (0,)), ([[]], (1, 0, 3)), ((slice(None), []), (2, 0)), (None, (1, 2, 3))]
)
def test_an_empty_list_picks_nothing(index, shape):
    x = Tensor(np.ones((2, 3), np.float32), requires_grad=True)
    out = x[index]
    assert out.shape == shape
    out.sum().backward()
    assert x.grad.shape == (2, 3) and x.grad.data.any() == (out.numel() > 0)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.squeeze(2),
        lambda x: x.squeeze(-3),
        lambda x: x.unsqueeze(3),
        lambda x: x.unsqueeze(-4),
        lambda x: x.flatten(2),
    ],
)
def test_axes_that_do_not_exist_are_refused(call):
    with pytest.raises(IndexError, match="dim needs a number from"):
        call(tt.ones(2, 3))


def test_a_root_that_is_given_twice_counts_twice():
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    assert grad([y, y], x)[0].tolist() == [4.0, 8.0]
    y, z = (x * x).sum(), x.sum()
    assert grad([y, z, y], x, [Tensor(1.0), Tensor(1.0), Tensor(10.0)])[0].tolist() == [23.0, 45.0]


def test_layers_of_no_inputs_and_batches_of_no_examples():
    layer = nn.Linear(0, 3)
    assert layer.bias.tolist() == [0.0, 0.0, 0.0] and layer(tt.ones(2, 0)).tolist() == [[0.0] * 3] * 2
    layer(tt.ones(2, 0)).sum().backward()
    assert layer.weight.grad.shape == (3, 0) and layer.bias.grad.tolist() == [2.0] * 3
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 5), nn.Softmax(dim=1))
    for kernels in ("numpy", "numba"):
        with tt.use(kernels):
            x = Tensor(np.zeros((0, 1, 8, 8), np.float32), requires_grad=True)
            out = network(x)
            assert out.shape == (0, 5)
            out.sum().backward()
            assert x.grad.shape == (0, 1, 8, 8)


@pytest.mark.parametrize("training", [True, False])
def test_statistics_and_biases_need_one_number_for_each_channel(training):
    x = Tensor(np.random.default_rng(0).standard_normal((2, 3, 4, 4)).astype(np.float32))
    three, wrong = tt.ones(3), tt.ones(1)
    for kernels in ("numpy", "numba"):
        with tt.use(kernels):
            for given in ((wrong, three), (three, wrong), (three, three, wrong, three), (three, three, three, wrong)):
                with pytest.raises(ValueError, match=r"\(1,\)"):
                    F.batch_norm(x, *given, training=training)
            with pytest.raises(ValueError, match=r"running_mean of shape \(1,\)"):
                F.batch_norm(x[:, :1], tt.ones(3), tt.ones(3), training=training)
            with pytest.raises(ValueError, match=r"bias of shape \(6,\)"):
                F.conv2d(x, tt.ones(6, 3, 2, 2), wrong)
