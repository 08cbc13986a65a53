"""Softmax-cross-entropy with its gradient, for scores of ten classes and of a thousand."""

from functools import partial

import numpy as np

from tito.bench.peers import ours, pytorch, tiny
from tito.bench.variants import Case, Variant

SHAPES = ((128, 10), (1024, 1000))


def inputs(shape):
    """Return scores (N, C) and labels (N,)."""
    rng = np.random.default_rng(0)
    return rng.standard_normal(shape, np.float32), rng.integers(shape[1], size=shape[0])


def variant(package, shape, **options):
    """Return loss and gradient as a variant; its check is the loss and two numbers from the gradient."""
    scores, labels = map(package.tensor, inputs(shape))
    scores.requires_grad = True

    def step(number):
        scores.grad = None
        return package.gradients(lambda it: it, scores, labels)

    def check():
        loss = step(0)
        grad = np.asarray(scores.grad)
        return [loss.item(), float(np.abs(grad).sum()), float(grad[0, 0])]

    return Variant(step, check, package.context)


def by_hand(package, shape):
    """Return loss and gradient, computed by the functions of module 04, as a variant."""
    from tinytorch.losses import cross_entropy, cross_entropy_backward

    scores, labels = inputs(shape)
    given = package.tensor(scores), package.tensor(labels)

    def step(number):
        return cross_entropy(*given), cross_entropy_backward(scores, labels)

    def check():
        loss, grad = step(0)
        return [loss.item(), float(np.abs(grad).sum()), float(grad[0, 0])]

    return Variant(step, check, package.context)


def candidates(size, threads, kernels):
    """Yield the candidates."""
    make = partial(variant, shape=SHAPES[size])
    yield from ours.candidates(make, kernels, ("tinytorch",))
    yield from ours.candidates(partial(by_hand, shape=SHAPES[size]), kernels, ("by hand",))
    yield from pytorch.candidates(make, threads, fused=False)
    yield tiny.candidate(lambda: tiny.cross_entropy(*inputs(SHAPES[size])))


CASE = Case("cross-entropy", "Softmax-cross-entropy and its gradient", tuple(map(str, SHAPES)), candidates, ("05",), rounds=200)
