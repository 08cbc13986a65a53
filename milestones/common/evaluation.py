"""How good a network is, and how sure one can be of that."""
import math
from typing import NamedTuple

import numpy as np

from tinytorch.losses import cross_entropy


class Result(NamedTuple):
    """How a network did on a data set; each error is the standard error of the mean before it."""

    accuracy: float
    accuracy_error: float
    loss: float
    loss_error: float


def evaluate(model, batches):
    """Measure a network.

    Args:
        model: Network from images to logits (N, C).
        batches: Iterable of pairs of tensors: images, and labels (N,).

    Returns:
        `Result` over all examples; the accuracy is a fraction.
    """
    losses, hits = [], []
    for images, labels in batches:
        logits = model(images)
        losses.append(cross_entropy(logits, labels, reduction="none").data)
        hits.append(logits.data.argmax(axis=1) == labels.data)
    return Result(*mean_and_error(np.concatenate(hits)), *mean_and_error(np.concatenate(losses)))


def mean_and_error(values):
    """Return the mean of an array and its standard error."""
    values = values.astype(np.float64)
    return float(values.mean()), float(values.std() / math.sqrt(len(values)))
