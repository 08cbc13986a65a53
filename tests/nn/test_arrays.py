"""A tensor and NumPy: what shares memory, and what does not."""

import numpy as np
import pytest

from tinytorch.tensor import Tensor


def test_an_array_made_of_a_tensor_is_a_copy():
    x = Tensor(np.zeros(3, np.float32))
    for copy in (np.array(x), np.array(x, copy=True), np.array(x, np.float64)):
        copy[0] = 5
        assert x.tolist() == [0, 0, 0]


def test_a_view_of_a_tensor_shares_its_memory():
    x = Tensor(np.zeros(3, np.float32))
    np.asarray(x)[0] = 5
    assert x.tolist() == [5, 0, 0]
    with pytest.raises(ValueError):
        np.array(x, np.float64, copy=False)


def test_a_tensor_that_requires_grad_is_no_array():
    with pytest.raises(RuntimeError, match="detach"):
        np.asarray(Tensor([1.0], requires_grad=True))


@pytest.mark.parametrize("data", [[[1, 2], [3]], "ab", [["a"]], None, [{}]])
def test_what_is_no_rows_of_numbers_is_shown(data):
    with pytest.raises(TypeError, match="numbers in equal rows") as caught:
        Tensor(data)
    assert str(data) in str(caught.value)
