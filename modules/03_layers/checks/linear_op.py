"""The check of 03.1 linear."""

import math
from functools import partial

import numpy as np


def draw_linear(rng):
    """Batches of no to three axes, no bias, as many inputs as outputs, as many examples, one neuron, one input, features that do not fit."""
    k, n, b, c = rng.sizes(4)
    yield dict(x=rng.normal32(b, k), weight=rng.normal32(n, k), bias=rng.normal32(n))
    yield dict(x=rng.normal32(c, b, k), weight=rng.normal32(n, k), bias=rng.normal32(n))
    yield dict(x=rng.normal32(b, k), weight=rng.normal32(k, k), bias=rng.normal32(k))
    yield dict(x=rng.normal32(n, k), weight=rng.normal32(n, k), bias=rng.normal32(n))
    yield dict(x=rng.normal32(b, k), weight=rng.normal32(n, k))
    yield dict(x=rng.normal32(k), weight=rng.normal32(n, k), bias=rng.normal32(n))
    yield dict(x=rng.normal32(b, k), weight=rng.normal32(1, k), bias=rng.normal32(1))
    batch = rng.sizes(rng.size(0, 3))
    yield dict(x=rng.normal32(*batch, c), weight=rng.normal32(b, c), bias=rng.normal32(b))
    yield dict(x=rng.normal32(b, 1), weight=rng.normal32(n, 1), bias=rng.normal32(n))
    yield dict(x=rng.normal32(b, 1), weight=rng.normal32(n, c), bias=rng.normal32(n))
    features, needed = rng.pick((k, 2 * k), (2 * k, k))
    yield dict(x=rng.normal32(b, 2, features), weight=rng.normal32(n, needed), bias=rng.normal32(n))


def observe_linear(linear, **inputs):
    return linear.forward(**inputs)


def oracle_linear(x, weight, bias=None):
    if x.shape[-1] != weight.shape[-1]:
        return ("raises", "ValueError", str(x.shape))
    values = np.einsum("...k,jk->...j", x.astype(np.float64), weight.astype(np.float64))
    return values if bias is None else values + bias


def rows_of_one_batch(x, weight, bias=None, least=1):
    """Every axis before the last went into one, if there are as many axes."""
    expected = oracle_linear(x, weight, bias)
    return expected.reshape(-1, len(weight)) if isinstance(expected, np.ndarray) and x.ndim >= least else expected


def size_that_divides(x, weight, bias=None):
    """The numbers of x were cut into rows as long as those of the weight, wherever they can be."""
    rows = x.size / weight.shape[1] / math.prod(x.shape[:-1])
    if x.size % weight.shape[1]:
        return ("raises", "ValueError")
    cut = oracle_linear(x.reshape(-1, weight.shape[1]), weight, bias)
    return cut.reshape(*x.shape[:-1], -1) if rows >= 1 else ("raises", "ValueError")


misconceptions_linear = {
    "the numbers of x were cut into rows of another length: the size of its last axis has to be that of the weight's": size_that_divides,
    "the weight is not transposed: its rows are the neurons": lambda x, weight, bias=None: (
        x.astype(np.float64) @ weight + (0 if bias is None else bias)
    ),
    "the axes of the batch were joined into one, and did not come back: all axes but the last stay": (
        rows_of_one_batch,
        partial(rows_of_one_batch, least=2),
    ),
    "the bias is left out": lambda x, weight, bias=None: oracle_linear(x, weight),
    "the bias is a column, which lines up with the examples; it belongs to the outputs": lambda x, weight, bias=None: (
        oracle_linear(x, weight) if bias is None else oracle_linear(x, weight) + bias[:, None]
    ),
    "one example came back as a batch of one: np.atleast_2d, or x[None], adds an axis": lambda x, weight, bias=None: (
        oracle_linear(np.atleast_2d(x), weight, bias)
    ),
    "the bias is subtracted": lambda x, weight, bias=None: oracle_linear(x, weight, None if bias is None else -bias),
    "the bias is added also where there is none": lambda x, weight, bias=None: (
        ("raises", "TypeError") if bias is None else oracle_linear(x, weight, bias)
    ),
    "`if bias` asks a whole array whether it is true; `bias is None` asks whether there is one": lambda x, weight, bias=None: (
        oracle_linear(x, weight, bias) if bias is None or bias.size == 1 else ("raises", "ValueError", "truth value")
    ),
    "the error does not show the shape of x: `matmul.forward` shows it": lambda x, weight, bias=None: (
        oracle_linear(x, weight, bias) if x.shape[-1] == weight.shape[-1] else ("raises", "ValueError", "different from")
    ),
    "the error shows another shape than that of x: the batch was put into one axis before": lambda x, weight, bias=None: (
        oracle_linear(x.reshape(-1, x.shape[-1]) if x.ndim > 2 and x.shape[-1] != weight.shape[-1] else x, weight, bias)
    ),
}
