"""How a network is measured."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from tinytorch.tensor import Tensor

LOGITS = np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 1.0], [0.0, 0.5], [1.0, 4.0]], np.float32)
LABELS = np.array([0, 0, 0, 1, 1])  # the network is right in all but the second
LOSSES = np.log1p(np.exp([-2.0, 1.0, -2.0, -0.5, -3.0]))  # of the other class's lead


@pytest.fixture
def evaluate(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2] / "milestones")
    return importlib.import_module("common.evaluation").evaluate


@pytest.mark.parametrize("size", [5, 2])
def test_every_example_counts_once_however_they_are_batched(evaluate, size):
    batches = [(Tensor(LOGITS[i : i + size]), Tensor(LABELS[i : i + size])) for i in range(0, 5, size)]
    found = evaluate(lambda images: images, batches)
    assert found.accuracy == pytest.approx(0.8)
    assert found.accuracy_error == pytest.approx((0.8 * 0.2 / 5) ** 0.5)
    assert found.loss == pytest.approx(LOSSES.mean(), rel=1e-6)
    assert found.loss_error == pytest.approx(LOSSES.std() / 5**0.5, rel=1e-6)
