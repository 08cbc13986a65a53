"""A matrix product: it measures the libraries below NumPy and PyTorch on this processor, not the packages themselves."""

import numpy as np

from tito.bench.peers import ours, pytorch
from tito.bench.variants import Case, Variant

SIZES = (1024,)


def variant(package, size, **options):
    """Return the product of two square matrices as a variant."""
    rng = np.random.default_rng(0)
    a, b = (package.tensor(rng.standard_normal((size, size), np.float32)) for _ in range(2))

    def check():
        product = np.asarray(a @ b)
        return [float(np.abs(product).sum()), float(product[0, 0])]

    return Variant(lambda number: a @ b, check, package.context)


def candidates(size, threads, kernels):
    """Yield the candidates; one kernel set is enough, because all of them leave products to the library."""

    def make(package):
        return variant(package, SIZES[size])

    yield from ours.candidates(make, kernels[:1], ("tinytorch",))
    yield from pytorch.candidates(make, threads, fused=False)


CASE = Case(
    "matmul",
    "A product of square matrices",
    tuple(f"{size} x {size}" for size in SIZES),
    candidates,
    ("01",),
    rounds=40,
    flop=tuple(2 * size**3 for size in SIZES),
)
