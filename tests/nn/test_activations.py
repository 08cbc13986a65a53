"""The activations against PyTorch's answers (2.13.0, float64, seven digits), and through tensors."""

import numpy as np
import pytest

from tinytorch import activations
from tinytorch.tensor import Tensor

INPUT = [-30.0, -3.0, -0.5, 0.0, 0.25, 2.0, 12.0]
PYTORCH = {
    "relu": [0.0, 0.0, 0.0, 0.0, 0.25, 2.0, 12.0],
    "sigmoid": [9.357623e-14, 0.04742587, 0.3775407, 0.5, 0.5621765, 0.8807971, 0.9999939],
    "tanh": [-1.0, -0.9950548, -0.4621172, 0.0, 0.2449187, 0.9640276, 1.0],
    "gelu": [0.0, -0.004049694, -0.1542688, 0.0, 0.1496766, 1.9545, 12.0],
    "gelu tanh": [0.0, -0.003637392, -0.154286, 0.0, 0.1496754, 1.954598, 12.0],
    "softmax": [5.749157e-19, 3.058829e-07, 3.726417e-06, 6.143822e-06, 7.888824e-06, 4.539705e-05, 0.9999365],
    "log_softmax": [-42.00006, -15.00006, -12.50006, -12.00006, -11.75006, -10.00006, -6.346401e-05],
    "leaky_relu": [-0.3, -0.03, -0.005, 0.0, 0.25, 2.0, 12.0],
    "erf": [-1.0, -0.9999779, -0.5204999, 0.0, 0.2763264, 0.9953223, 1.0],
}


@pytest.mark.parametrize("name", PYTORCH)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_are_pytorch_s(name, dtype):
    op, _, approximate = name.partition(" ")
    options = {"approximate": approximate} if approximate else {}
    out = getattr(activations, op)(Tensor(np.array(INPUT, dtype)), **options)
    assert out.dtype == dtype
    np.testing.assert_allclose(out.data, PYTORCH[name], rtol=1e-6, atol=1e-6 if dtype == np.float32 else 1e-9)


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "gelu", "softmax", "log_softmax", "leaky_relu"])
def test_numbers_nan_and_empty_arrays_pass(name):
    op = getattr(activations, name)
    assert np.isnan(op(Tensor([float("nan")])).item())
    assert op(Tensor(np.zeros((0, 3), np.float32))).shape == (0, 3)


def test_the_graph_remembers_settings_and_their_defaults():
    x = Tensor([1.0, 2.0], requires_grad=True)
    assert activations.softmax(x).origin.params == {"dim": -1}
    assert activations.gelu(x, approximate="tanh").origin.params == {"approximate": "tanh"}


def test_erf_is_as_accurate_as_it_says():
    import math

    x = np.linspace(-6, 6, 20_001)
    exact = np.array([math.erf(number) for number in x])
    assert np.abs(activations.erf.forward(x.astype(np.float32)) - exact).max() < 6e-7
    assert np.abs(activations.erf.forward(x) - exact).max() == 0
