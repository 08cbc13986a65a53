"""Eager PyTorch on the CPU: with its defaults, with a fused optimizer, and with images in channels_last memory format."""

from tito.bench.training import Package
from tito.bench.variants import Candidate


def package(threads, channels_last=False):
    """Return PyTorch, limited to a number of threads."""
    import torch

    torch.set_num_threads(threads)

    def layout(it):
        images = not isinstance(it, torch.Tensor) or it.dim() == 4
        return it.to(memory_format=torch.channels_last) if channels_last and images else it

    return Package(torch, torch.from_numpy, by_walk, layout)


def candidates(make, threads, channels_last=False, fused=True):
    """Yield PyTorch's candidates.

    Args:
        make: Function of a `Package` and options of the optimizer that returns the `Variant`.
        threads: How many threads it may use.
        channels_last: Whether to try the memory format channels_last as well.
        fused: Whether to try a fused optimizer as well.
    """
    for last in (False, True)[: 1 + channels_last]:
        for options in ({}, {"fused": True})[: 1 + fused]:
            name = " ".join(["PyTorch", *["channels_last"] * last, *options])
            yield Candidate(name, lambda last=last, options=options: make(package(threads, last), **options), ("torch",))


def by_walk(model, images, labels):
    """Fill in the gradients with autograd, and return the loss."""
    from torch.nn.functional import cross_entropy

    loss = cross_entropy(model(images), labels)
    loss.backward()
    return loss
