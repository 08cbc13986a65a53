"""The gradients that module 04 derives by hand, and those of the walk: the same, for every batch of an epoch."""

import numpy as np
import pytest

from tinytorch.autograd import grad
from tinytorch.datasets import mnist_5k
from tinytorch.losses import cross_entropy, mlp, mlp_gradients
from tinytorch.tensor import Tensor

BATCH = 128


@pytest.fixture(scope="module")
def data():
    """The pictures that come with the course; the last batch is smaller than the others."""
    pictures, labels, _, _ = mnist_5k()
    images = pictures.reshape(len(pictures), -1) / np.float32(127.5) - 1
    return images, labels.astype(np.int64)


def test_hand_and_walk_agree_on_every_parameter_for_every_batch_of_an_epoch(data):
    images, labels = data
    model = mlp(784, 128, 10, rng=np.random.default_rng(1))
    names, parameters = zip(*model.named_parameters())
    order, losses = np.random.default_rng(2).permutation(len(images)), []
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        x, y = Tensor(images[batch]), Tensor(labels[batch])
        losses.append(mlp_gradients(model, x, y).item())
        walked = grad(cross_entropy(model(x), y), parameters)
        for name, parameter, gradient in zip(names, parameters, walked):
            np.testing.assert_allclose(
                gradient.data, parameter.grad.data, rtol=0, atol=1e-6, err_msg=f"{name}, batch {len(losses)}"
            )
            assert parameter.grad.data.any()
            parameter.data -= 0.1 * parameter.grad.data
    assert len(losses) == 32 and np.isfinite(losses).all()
