"""Cases that measure a training step: a `Task` in all packages."""

from functools import partial

from tito.bench import training
from tito.bench.peers import ours, pytorch, tiny
from tito.bench.variants import Case


def step_case(name, title, task, batch_sizes, *, by_hand=False, convolutions=False, memory=True, rounds=100):
    """Return the case of a network's training step.

    Args:
        name: What `tito bench NAME` calls it.
        title: What is measured.
        task: The `Task`.
        batch_sizes: Numbers of images in a step; one size of the case each.
        by_hand: Whether module 04's functions can compute the gradients too: the network has only linear layers and ReLU.
        convolutions: Whether the network has layers of module 12.
        memory: Whether peak memory is measured too.
        rounds: Turns of each variant.
    """

    def candidates(size, threads, kernels):
        make = partial(training.variant, task=task, batch_size=batch_sizes[size])
        yield from ours.candidates(make, kernels, ours.WAYS if by_hand else ("tinytorch", "captured"))
        yield from pytorch.candidates(make, threads, channels_last=convolutions)
        yield tiny.candidate(partial(tiny.training, task, batch_sizes[size]))

    requires = ("06", "12") if convolutions else ("06",)
    sizes = tuple(f"batch {batch_size}" for batch_size in batch_sizes)
    return Case(name, title, sizes, candidates, requires, rounds, given_kernels=convolutions, memory=memory, profiled=True)
