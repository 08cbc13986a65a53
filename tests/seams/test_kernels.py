"""The seam of modules 10 and 11: kernels are registered on an op, and `use` or the device chooses."""

import numpy as np
import pytest

import tinytorch as tt
from tinytorch.given import device, dispatch
from tinytorch.given.state import state
from tinytorch.tensor import Tensor, add, mul


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    monkeypatch.setattr(mul, "kernels", {})
    monkeypatch.setattr(device, "_devices", {})
    dispatch.fallbacks.clear()
    yield
    state.kernels = "numpy"


@pytest.fixture
def calls():
    """Count the calls of a second kernel of `mul`, registered as numba's would be."""
    seen = []

    @mul.register_kernel("numba")
    def mul_fast(a, b):
        seen.append((a, b))
        return a * b

    return seen


def test_use_chooses_the_kernel_set_for_a_block(calls):
    x = Tensor([1.0, 2.0])
    with tt.use("numba"):
        inside = (x * 3).tolist()
    outside = (x * 3).tolist()
    assert inside == outside == [3.0, 6.0]
    assert len(calls) == 1


def test_use_chooses_for_good_as_a_statement(calls):
    tt.use("numba")
    Tensor([1.0]) * 2
    tt.use("numpy")
    Tensor([1.0]) * 2
    assert len(calls) == 1


def test_the_set_is_restored_after_an_error(calls):
    with pytest.raises(ZeroDivisionError), tt.use("numba"):
        raise ZeroDivisionError
    assert state.kernels == "numpy"


def test_a_missing_kernel_falls_back_to_numpy_and_is_counted(calls):
    with tt.use("numba"):
        out = Tensor([1.0]) + Tensor([2.0]) * 2
    assert out.tolist() == [5.0]
    assert dict(tt.fallbacks) == {"add": 1}


class Elsewhere:
    """An array that lives on another device, as a GPU's would."""

    def __init__(self, values):
        self.values, self.dtype, self.shape, self.ndim, self.size = values, values.dtype, values.shape, values.ndim, values.size


@pytest.fixture
def far():
    device.register_device("far", Elsewhere, Elsewhere, lambda array: array.values)


def test_to_moves_there_and_back(far):
    x = Tensor([1.0, 2.0], requires_grad=True)
    there = x.to("far")
    assert (there.device, there.requires_grad, x.device) == ("far", True, "cpu")
    assert there.to("cpu").tolist() == [1.0, 2.0]
    assert x.to("cpu") is x


def test_a_missing_device_kernel_is_an_error_that_says_what_to_register(far):
    with pytest.raises(NotImplementedError, match=r"op 'add' has no far kernel: write one with @add.register_kernel\('far'\)"):
        Tensor([1.0]).to("far") + 1.0
    assert "far" not in add.kernels


def test_a_device_kernel_runs_where_the_data_live(far):
    mul.register_kernel("far")(lambda a, b: Elsewhere(a.values * b))
    out = Tensor([1.0, 2.0]).to("far") * 3.0
    assert out.device == "far"
    assert out.to("cpu").tolist() == [3.0, 6.0]


def test_data_never_move_silently(far):
    mul.register_kernel("far")(lambda a, b: a)
    with pytest.raises(ValueError, match=r"different devices \(cpu, far\): move one with .to\(device\)"):
        Tensor([1.0]).to("far") * Tensor(np.ones(1, np.float32))


def test_without_a_gpu_cuda_says_what_was_looked_for_and_what_to_do():
    if tt.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(ValueError, match=r"no device 'cuda' here, only cpu: .*numba-cuda.*tinytorch.cuda.simulate\(\)"):
        Tensor([1.0]).to("cuda")


def test_a_device_of_another_kind_is_not_there():
    with pytest.raises(ValueError, match="there is no kind of device 'gpu' here: there are cpu and cuda|no device 'gpu' here"):
        Tensor([1.0]).to("gpu")
