"""An Adam step on its own, for all parameters of the CIFAR-10 MLP."""

import numpy as np

from tito.bench.cases.cifar10_mlp import network
from tito.bench.peers import ours, pytorch
from tito.bench.training import fill
from tito.bench.variants import Case, Variant


def variant(package, **options):
    """Return a step with fixed gradients as a variant; its check is how far the parameters move in two steps."""
    model, rng = network(package.nn), np.random.default_rng(2)
    fill(model.parameters(), package.tensor)
    parameters = list(model.parameters())
    for parameter in parameters:
        parameter.grad = package.tensor(rng.standard_normal(tuple(parameter.shape), np.float32))
    optimizer = package.optim.Adam(parameters, lr=1e-4, **options)

    def arrays():
        return [np.asarray(parameter.detach()).copy() for parameter in parameters]

    def check():
        before = arrays()
        optimizer.step()
        optimizer.step()
        return [float(np.abs(now - then).sum()) for now, then in zip(arrays(), before)]

    return Variant(lambda number: optimizer.step(), check, package.context)


def candidates(size, threads, kernels):
    """Yield the candidates."""
    yield from ours.candidates(variant, kernels, ("tinytorch",))
    yield from pytorch.candidates(variant, threads)


CASE = Case(
    "adam", "A step of Adam for the 3,837,066 parameters of the CIFAR-10 MLP", ("float32",), candidates, ("06",), rounds=60
)
