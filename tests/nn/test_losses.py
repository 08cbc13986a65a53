"""The losses as objects, beside PyTorch's."""

import numpy as np
import pytest

from tinytorch.losses import CrossEntropyLoss
from tinytorch.tensor import Tensor


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_label_smoothing_shares_a_part_of_the_truth_among_all_classes(reduction):
    rng = np.random.default_rng(0)
    logits, labels = rng.standard_normal((5, 4)), np.array([3, 0, 1, 1, 2])
    truth = np.full((5, 4), 0.2 / 4)
    truth[np.arange(5), labels] += 0.8
    losses = -(truth * (logits - np.log(np.exp(logits).sum(1, keepdims=True)))).sum(1)
    expected = {"mean": losses.mean(), "sum": losses.sum(), "none": losses}[reduction]
    smooth = CrossEntropyLoss(reduction=reduction, label_smoothing=0.2)
    np.testing.assert_allclose(smooth(Tensor(logits), Tensor(labels)).data, expected, rtol=1e-12)


def test_label_smoothing_is_pytorch_s():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    rng = np.random.default_rng(1)
    logits, labels = rng.standard_normal((6, 3)), np.array([0, 2, 1, 1, 2, 0])
    x, y = Tensor(logits, requires_grad=True), torch.tensor(logits, requires_grad=True)
    CrossEntropyLoss(label_smoothing=0.1)(x, Tensor(labels)).backward()
    torch.nn.CrossEntropyLoss(label_smoothing=0.1)(y, torch.from_numpy(labels)).backward()
    np.testing.assert_allclose(x.grad.data, y.grad.numpy(), rtol=1e-12)
