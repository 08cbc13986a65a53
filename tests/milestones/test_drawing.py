"""The figures of networks with convolutions: filters, and what they make of one picture."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from tinytorch.cnn import AvgPool2d, BatchNorm2d, Conv2d, LeNet5, MaxPool2d
from tinytorch.drawing.training import feature_maps, filters
from tinytorch.layers import Dropout, Flatten, Linear, Sequential
from tinytorch.tensor import Tensor

IMAGE = Tensor(np.random.default_rng(0).standard_normal((1, 1, 28, 28), np.float32))


@pytest.fixture
def drawing(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2] / "milestones")
    return importlib.import_module("common.run_charts")


def test_what_leaves_each_convolution_and_pool_is_seen(drawing):
    model = Sequential(Sequential(Conv2d(1, 3, 5), MaxPool2d(2)), Conv2d(3, 4, 3), AvgPool2d(2), Flatten(), Linear(100, 2))
    found = drawing.seen(model, IMAGE)
    assert list(found) == [("0.0", "Conv2d"), ("0.1", "MaxPool2d"), ("1", "Conv2d"), ("2", "AvgPool2d")]
    assert [values.shape for values in found.values()] == [(3, 24, 24), (3, 12, 12), (4, 10, 10), (4, 5, 5)]
    assert np.array_equal(found["0.1", "MaxPool2d"], model[0](IMAGE).data[0])


def test_watching_leaves_the_network_as_it_was(drawing):
    model = LeNet5()
    before = [set(vars(layer)) for layer in model.modules()]
    drawing.seen(model, IMAGE)
    with pytest.raises(ValueError):
        drawing.seen(model, Tensor(np.zeros((1, 2, 28, 28), np.float32)))
    assert [set(vars(layer)) for layer in model.modules()] == before


def test_a_network_at_rest_predicts_each_picture_by_itself(drawing):
    model = Sequential(Conv2d(1, 3, 5), BatchNorm2d(3), Dropout(0.5), Flatten())
    drawing.rest(model)
    both = Tensor(np.concatenate([IMAGE.data, 5 * IMAGE.data]))
    assert np.allclose(model(IMAGE).data, model(both).data[:1], atol=1e-6)
    assert not model(IMAGE).requires_grad, "no graph is kept"


@pytest.mark.parametrize("shape", [(6, 1, 5, 5), (32, 3, 3, 3), (5, 4, 3, 3), (40, 1, 5, 5)])
def test_each_filter_is_a_picture(shape):
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    weight = np.random.default_rng(0).standard_normal(shape, np.float32)
    pictures = [np.asarray(axis.images[0].get_array()) for axis in filters(weight).axes if axis.images]
    longest = weight[np.linalg.norm(weight.reshape(len(weight), -1), axis=1).argmax()]
    assert len(pictures) == min(len(weight), 32)
    assert pictures[0].shape == (*shape[2:], *(3,) * (shape[1] == 3))
    if shape[1] == 3:
        assert pictures[0] == pytest.approx((longest.transpose(1, 2, 0) / np.abs(longest).max() + 1) / 2)
    else:
        assert pictures[0] == pytest.approx(longest.mean(axis=0))


def test_a_row_of_maps_for_each_layer():
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    rng = np.random.default_rng(0)
    maps = {"conv": rng.standard_normal((6, 8, 9)), "pool": np.zeros((20, 4, 4))}
    figure = feature_maps(rng.integers(0, 256, (8, 9)).astype(np.uint8), maps, columns=16)
    drawn = [axis for axis in figure.axes if axis.images]
    assert len(drawn) == 1 + 6 + 16
    assert [text.get_text() for axis in drawn for text in axis.texts] == [
        "conv: 6 maps of 8x9",
        "pool: the first 16 of 20 maps of 4x4",
    ]
    assert np.array_equal(drawn[1].images[0].get_array(), maps["conv"][0])
    top = np.abs(maps["conv"]).max()
    assert all(axis.images[0].get_clim() == (-top, top) for axis in drawn[1:7]), "a layer's maps share one scale, and white is 0"
