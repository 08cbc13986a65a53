"""What ops say that they cost: every op with arithmetic says so, and module 12's need no edit of module 09."""

import numpy as np
import pytest

from tinytorch.autograd import linear_weight
from tinytorch.given.op import Op
from tinytorch.given.profiling import held
from tinytorch.layers import linear
from tinytorch.profiler import bytes_moved, profile
from tinytorch.tensor import Tensor, expand, getitem, matmul, reduce_sum, reshape, where


def row_of(function, *inputs, **settings):
    """Return the one row of a profile around one call."""
    with profile() as p:
        function(*inputs, **settings)
    (row,) = [row for row in p.key_averages() if row.calls]
    return row


def numbers(*shape):
    return np.ones(shape, np.float32)


@pytest.mark.parametrize(
    ("op", "inputs", "settings", "flops", "moved"),
    [
        (matmul, (numbers(2, 3, 4), numbers(4, 5)), {}, 2 * 2 * 3 * 5 * 4, 4 * (24 + 20 + 30)),
        (linear, (numbers(2, 4), numbers(5, 4), numbers(5)), {}, 2 * 2 * 5 * 4 + 2 * 5, 4 * (8 + 20 + 5 + 10)),
        (linear, (numbers(2, 4), numbers(5, 4), None), {}, 2 * 2 * 5 * 4, 4 * (8 + 20 + 10)),
        (linear_weight, (numbers(2, 3, 5), numbers(2, 3, 4)), {}, 2 * 6 * 5 * 4, 4 * (30 + 24 + 20)),
        (reduce_sum, (numbers(6, 5),), {"axis": 1}, 30, 4 * (30 + 6)),
        (where, (np.ones((3, 2), bool), numbers(3, 2), 0.0), {}, 6, 6 + 24 + 24),
        (getitem, (numbers(9, 4),), {"index": np.array([1, 1, 8])}, 0, 2 * 4 * 12),
        (getitem, (numbers(9, 4),), {"index": slice(1, 3)}, 0, 0),
        (reshape, (numbers(9, 4),), {"shape": (4, 9)}, 0, 0),
        (expand, (numbers(1, 4),), {"shape": (9, 4)}, 0, 0),
    ],
)
def test_counts(op, inputs, settings, flops, moved):
    row = row_of(op, *inputs, **settings)
    assert (row.flops, row.moved) == (flops, moved)


def test_a_stretched_number_counts_once():
    row = row_of(lambda: Tensor(np.broadcast_to(numbers(1), (100,))) + Tensor(numbers(100)))
    assert row.moved == 4 + 400 + 400


@pytest.mark.parametrize(("shape", "stretched"), [((1, 3), (5, 3)), ((2, 1), (2, 7)), ((), (4, 4)), ((0, 1), (0, 3))])
def test_held_is_the_memory_behind_an_array(shape, stretched):
    small = np.ones(shape, np.float64)
    assert held(np.broadcast_to(small, stretched)) == small.nbytes == held(small)


def test_an_op_registers_its_cost_wherever_it_is_written():
    """As a convolution of module 12 will, which does not know module 09."""
    smooth = Op(lambda x, weight, *, stride=1: (x * weight)[::stride])
    smooth.register_cost(lambda out, x, weight, stride: 7 * out.size * stride, lambda out, x, weight, stride: 5)
    row = row_of(smooth, numbers(6), numbers(6), stride=2)
    assert (row.flops, row.moved) == (42, 5)
    assert row_of(smooth, numbers(6), numbers(6)).flops == 42, "defaults of settings are filled in"


def test_bytes_of_one_number():
    assert bytes_moved(np.float32(1.0), numbers(3)) == 16


def test_a_convolution_and_both_its_gradients_take_as_many_flops():
    cnn = pytest.importorskip("tinytorch.cnn", reason="module 12 is not exported", exc_type=ImportError)
    rng = np.random.default_rng(0)
    x = Tensor(rng.standard_normal((2, 6, 9, 8), np.float32), requires_grad=True)
    weight = Tensor(rng.standard_normal((4, 3, 3, 2), np.float32), requires_grad=True)
    with profile() as p:
        cnn.conv2d(x, weight, padding=1, groups=2).sum().backward()
    found = [row for row in p.key_averages() if row.op in ("convolution", "conv2d_input", "conv2d_weight")]
    each = 2 * (2 * 4 * 9 * 9) * (3 * 3 * 2)  # for every entry of the result, a product and an addition for every weight
    assert [row.flops for row in found] == [each] * 3
    with profile() as p:
        cnn.max_pool2d(x.detach(), 3)
    assert [row.flops for row in p.key_averages() if row.op == "max_pooling"] == [2 * 6 * 3 * 2 * 9]
