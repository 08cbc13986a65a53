"""How an op is called: inputs and settings by place or by name, as in PyTorch, and an input that may be missing."""

import numpy as np
import pytest

import tinytorch.nn.functional as F
from tinytorch.activations import softmax
from tinytorch.drawing.graph import draw
from tinytorch.given.op import Op
from tinytorch.layers import linear
from tinytorch.tensor import Tensor, cat

X, WEIGHT, BIAS = Tensor([[1.0, 2.0]]), Tensor([[3.0, 4.0]], requires_grad=True), Tensor([5.0], requires_grad=True)


def test_settings_may_be_given_by_place():
    np.testing.assert_array_equal(F.softmax(X, 0).data, [[1.0, 1.0]])
    np.testing.assert_array_equal(F.softmax(X, 0).data, F.softmax(X, dim=0).data)


@pytest.mark.parametrize("out", [lambda: linear(X, WEIGHT, bias=BIAS), lambda: linear(bias=BIAS, weight=WEIGHT, x=X)])
def test_inputs_may_be_given_by_name_and_gradients_find_them(out):
    out = out()
    assert out.item() == 16.0 and out.origin.inputs == (X, WEIGHT, BIAS)
    BIAS.grad = None
    out.backward()
    assert BIAS.grad.data.tolist() == [1.0]


def test_the_settings_that_a_rule_receives_are_complete_however_they_were_given():
    scale = Op(lambda a, b, *, shift=0.0, times=1.0: (a * b + shift) * times)
    out = scale(WEIGHT, 2.0, 3.0)
    assert out.data.tolist() == [[9.0, 11.0]] and out.origin.params == {"shift": 3.0, "times": 1.0}


@pytest.mark.parametrize("bias", [(), (None,)])
def test_an_input_may_be_missing(bias):
    out = linear(X, WEIGHT, *bias)
    WEIGHT.grad = None
    out.backward(retain_graph=True)
    assert out.item() == 11.0 and WEIGHT.grad.data.tolist() == [[1.0, 2.0]]
    assert draw(out).count("<rect") == 4  # the background, two inputs and the result: nothing is drawn for None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: softmax(X, 1, 2), r"softmax\(a, \*, dim=-1\) takes at most 2 arguments, got 3"),
        (lambda: linear(X, bias=BIAS), "missing a required argument: 'weight'"),
        (lambda: softmax(X, 1, dim=1), "multiple values for keyword argument 'dim'"),
        (lambda: softmax(X, axis=1), "unexpected keyword argument 'axis'"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_an_op_of_any_number_of_inputs_takes_its_settings_by_name():
    assert cat(X, X, dim=0).shape == (2, 2) and Op(lambda *arrays, dim=0: arrays[-1])(X, X, X, X).shape == (1, 2)
