"""How good a network is, and how certain that number is.

`mnist_mlp.py` runs after module 04 and measures with this. The other milestones use your own `evaluate` from module 08.
"""

import math
from typing import NamedTuple

import numpy as np

from tinytorch.losses import cross_entropy
from tinytorch.tensor import Tensor


class Result(NamedTuple):
    """How a network did on a data set; each error is the standard error of the mean before it."""

    accuracy: float
    accuracy_error: float
    loss: float
    loss_error: float


def predict(model, batches):
    """Run a network on all batches.

    Args:
        model: Network from images to logits (N, C).
        batches: Iterable of pairs of tensors: images, and labels (N,).

    Returns:
        Two arrays, the logits and the labels of all examples.
    """
    pairs = [(model(images).detach().numpy(), labels.numpy()) for images, labels in batches]
    return tuple(np.concatenate(parts) for parts in zip(*pairs))


def evaluate(model, batches):
    """Measure a network.

    Args:
        model: Network from images to logits (N, C).
        batches: Iterable of pairs of tensors: images, and labels (N,).

    Returns:
        `Result` over all examples; the accuracy is a fraction.
    """
    logits, labels = predict(model, batches)
    losses = cross_entropy(Tensor(logits), Tensor(labels), reduction="none").data
    return Result(*mean_and_error(logits.argmax(axis=1) == labels), *mean_and_error(losses))


def mean_and_error(values):
    """Return the mean of an array and its standard error."""
    values = values.astype(np.float64)
    return float(values.mean()), float(values.std() / math.sqrt(len(values)))
