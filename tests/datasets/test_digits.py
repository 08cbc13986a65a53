"""The stand-in: 8x8 digits that never pass for MNIST."""

import sys

import numpy as np
import pytest

from tinytorch.datasets import MNIST, DataError, digits


def test_digits_look_like_the_others_and_say_what_they_are():
    pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "tinytorch-course[digits]"')
    data = digits()
    assert [array.shape for array in data] == [(1500, 8, 8), (1500,), (297, 8, 8), (297,)]
    assert {array.dtype for array in data} == {np.dtype(np.uint8)}
    assert data.train_images.min() == 0 and data.train_images.max() == 255
    assert set(data.train_labels) == set(data.test_labels) == set(range(10))
    assert "not MNIST" in data.name and "not MNIST" in repr(data) and not isinstance(data, MNIST)


def test_pixels_are_scaled_in_proportion():
    sklearn_datasets = pytest.importorskip("sklearn.datasets", reason="needs scikit-learn")
    original = sklearn_datasets.load_digits().images
    np.testing.assert_allclose(digits().test_images / 255 * 16, original[1500:], atol=16 / 255 / 2)


def test_without_scikit_learn_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(DataError) as caught:
        digits()
    assert 'pip install "tinytorch-course[digits]"' in str(caught.value)
