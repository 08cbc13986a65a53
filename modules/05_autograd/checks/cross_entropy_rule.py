"""The check of 05.7 cross_entropy_rule."""

import numpy as np

from .shared import BARE, NONE, found, in_float64, normal, observed, sizes, without_graph
from .softmax_rule import shares


def draw_cross_entropy_rule(rng):
    """Every reduction, as many classes as examples, more than ten, and gradients other than 1."""
    i, j, k = sizes(rng, 3)
    shapes = [((2, 3), "mean"), ((i, 13), "sum"), ((j, k), "none"), ((i, i), "none"), ((k, i), "mean"), ((1, j), "none")]
    for (n, c), reduction in shapes:
        grad = normal(rng, n) if reduction == "none" else np.array(rng.uniform(1.5, 3) * rng.choice([-1, 1]), np.float32)
        yield dict(grad=grad, logits=2 * normal(rng, n, c), labels=rng.integers(c, size=n), reduction=reduction)


def observe_cross_entropy_rule(module, grad, logits, labels, reduction):
    losses = -np.log(shares(logits, 1))[np.arange(len(labels)), labels]
    out = losses if reduction == "none" else np.asarray({"mean": np.mean, "sum": np.sum}[reduction](losses))
    return observed(module, module.cross_entropy_rule, grad, out, logits, labels, reduction=reduction, follows=True)


def cross_entropy_turn(
    truth=1.0,
    count=lambda logits, reduction: len(logits) if reduction == "mean" else 1,
    of=None,
    after=lambda gradient, reduction: gradient,
    graph="remembered",
):
    """Make the rule of cross-entropy, or a wrong turn.

    Args:
        truth: What is subtracted at the right class.
        count: What the gradient is divided by.
        of: What stands for the gradient of each example, a function of grad divided by the count and of the logits.
        after: What becomes of the gradient at the end.
        graph: Whether it remembers where it came from.
    """

    def rule(grad, logits, labels, reduction):
        gradient = shares(logits, 1)
        for row, label in enumerate(labels):
            gradient[row, label] -= truth
        each = grad / count(logits, reduction)
        return found(after(gradient * (of(each, logits) if of else each.reshape(-1, 1)), reduction), graph)

    return in_float64(rule)


oracle_cross_entropy_rule = cross_entropy_turn()
misconceptions_cross_entropy_rule = {
    "grad is missing, what arrives at the loss, and the mean was not divided": cross_entropy_turn(
        of=lambda each, logits: 1.0, graph=NONE
    ),
    "the mean was not divided by the number of examples": cross_entropy_turn(count=lambda logits, reduction: 1),
    "divided by the number of examples whatever the reduction": cross_entropy_turn(count=lambda logits, reduction: len(logits)),
    "the mean was divided by the number of scores; it is shared among examples": cross_entropy_turn(
        count=lambda logits, reduction: logits.size if reduction == "mean" else 1
    ),
    "the gradients of the examples lined up with the classes: give them the shape (N, 1)": cross_entropy_turn(
        of=lambda each, logits: each
    ),
    'what arrives multiplied as it is: the gradient of a mean is shared among the N examples, and with "none" gradient n belongs to row n': cross_entropy_turn(
        count=lambda logits, reduction: 1, of=lambda each, logits: each
    ),
    "the gradients of the examples were averaged: each example has its own": cross_entropy_turn(
        of=lambda each, logits: each.mean()
    ),
    "divided by the number of classes; a mean is shared among the N examples": cross_entropy_turn(
        count=lambda logits, reduction: logits.shape[1] if reduction == "mean" else 1
    ),
    "the sum was divided and the mean was not": cross_entropy_turn(
        count=lambda logits, reduction: len(logits) if reduction == "sum" else 1
    ),
    'divided by the number of examples whatever the reduction, and with "none" gradient n belongs to row n': cross_entropy_turn(
        count=lambda logits, reduction: len(logits), of=lambda each, logits: each
    ),
    "grad is missing, what arrives at the loss": cross_entropy_turn(
        of=lambda each, logits: 1.0,
        after=lambda gradient, reduction: gradient / (len(gradient) if reduction == "mean" else 1),
        graph=NONE,
    ),
    "the truth was not subtracted: these are the probabilities": cross_entropy_turn(truth=0.0),
    "the sign is turned": in_float64(lambda grad, **inputs: found(-oracle_cross_entropy_rule(grad=grad, **inputs)["gradient"])),
    "the gradients of the examples were added up: each example has its own": cross_entropy_turn(
        of=lambda each, logits: each.sum()
    ),
    BARE: without_graph(oracle_cross_entropy_rule),
}
