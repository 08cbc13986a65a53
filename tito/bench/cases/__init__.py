"""The cases, one per file, in the order of the record."""

from tito.bench.cases import adam, capture, cifar10_cnn, cifar10_mlp, cross_entropy, lenet5, matmul, mnist_mlp, tutorial

MODULES = mnist_mlp, capture, cifar10_mlp, lenet5, cifar10_cnn, tutorial, cross_entropy, adam, matmul
CASES = tuple(module.CASE for module in MODULES)


def find(name):
    """Return the case of this name."""
    return next(case for case in CASES if case.name == name)
