"""How good a network is on the test digits, how sure that is, and how long a digit takes."""

import math
import time
from typing import NamedTuple

import numpy as np

from tito.models.network import run

BATCH = 500  # as in ggml's mnist-eval, so that the figures can be compared


class Score(NamedTuple):
    """How a network did on digits, and the microseconds that each of them took."""

    accuracy: float
    accuracy_error: float
    loss: float
    loss_error: float
    microseconds: float
    logits: np.ndarray


def score(network, images, labels, batch=BATCH):
    """Run a network on digits.

    The error of the accuracy a is the root of a (1 - a) / (n - 1). The error of the loss is the standard deviation of the
    batches' mean losses over the root of their number. Both are those that ggml's mnist-eval prints.

    Args:
        network: The `Network`.
        images: Digits, uint8, (N, 28, 28).
        labels: Their classes, (N,).
        batch: Digits in a batch.

    Returns:
        `Score`. The time is that of scaling the pixels and of the network, in batches, after a first batch for warm-up.
    """
    run(network, images[:batch], batch)
    began = time.perf_counter()
    logits = run(network, images, batch)
    seconds = time.perf_counter() - began
    return Score(*measures(logits, labels, batch), 1e6 * seconds / len(images), logits)


def measures(logits, labels, batch=BATCH):
    """Return accuracy, its error, loss and its error, in float64; see `score`.

    Args:
        logits: Array of shape (N, C).
        labels: Array of shape (N,).
        batch: Digits in a batch.
    """
    count = len(labels)
    accuracy = float((logits.argmax(axis=1) == labels).mean())
    error = math.sqrt(accuracy * (1 - accuracy) / (count - 1)) if count > 1 else math.nan
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(count), labels]
    means = [losses[i : i + batch].mean() for i in range(0, count, batch)]
    spread = float(np.std(means, ddof=1) / math.sqrt(len(means))) if len(means) > 1 else math.nan
    return accuracy, error, float(losses.mean()), spread


def probabilities(logits):
    """Return the softmax of the logits of one digit, (C,)."""
    powers = np.exp(logits.astype(np.float64) - logits.max())
    return powers / powers.sum()
