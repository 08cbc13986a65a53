"""The kernels of losses that are computed entry by entry. Given."""

import math

import numpy as np

from tinytorch.given.gpu.backend import cuda
from tinytorch.given.gpu.device_array import DeviceArray
from tinytorch.given.gpu.kernels.launching import run
from tinytorch.given.gpu.kernels.rows import reduce_losses

ZERO = np.float32(0)


@cuda.jit
def squared_differences(a, b, out):
    """Write the square of the difference of two entries."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        difference = a[i] - b[i]
        out[i] = difference * difference


@cuda.jit
def yes_or_no(logits, targets, out):
    """Write the binary cross-entropy of a score; it is exact for large scores of both signs."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        out[i] = max(logits[i], ZERO) + math.log1p(math.exp(-abs(logits[i]))) - targets[i] * logits[i]


def entry_by_entry(name, kernel, predictions, targets, reduction):
    """Run a kernel of two arrays of one shape, and reduce the losses."""
    if predictions.shape != targets.shape:
        raise ValueError(
            f"{name} needs predictions and targets of one shape, got {predictions.shape} and {targets.shape}: reshape one of them"
        )
    losses = DeviceArray(predictions.shape, np.result_type(predictions.dtype, targets.dtype))
    run(kernel, losses.size, predictions, targets, losses)
    return reduce_losses(losses, reduction)


def mse_loss(predictions, targets, *, reduction="mean"):
    """Take the mean squared error."""
    return entry_by_entry("mse_loss", squared_differences, predictions, targets, reduction)


def binary_cross_entropy_with_logits(logits, targets, *, reduction="mean"):
    """Take the cross-entropy of yes-or-no scores and targets."""
    return entry_by_entry("binary_cross_entropy_with_logits", yes_or_no, logits, targets, reduction)
