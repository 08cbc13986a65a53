"""Training steps. The lines below run on the learner's package and on PyTorch alike, because their names are the same."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import NamedTuple

import numpy as np

from tito.bench.variants import Variant

CHECKED = 3  # steps on one batch whose losses have to agree; tinygrad replays its kept kernels from the third on
BATCHES = 16  # that the steps take in turn, drawn once: loading data is not measured


class Package(NamedTuple):
    """What a framework has to offer.

    Args:
        framework: The package itself: its `nn` and `optim` are asked for when they are needed.
        tensor: Function that makes a tensor of an array.
        gradients: Function of model, images and labels that fills the gradients and returns the loss.
        layout: Function that puts a model or a batch of images into the memory format wanted.
        context: What a step is done in.
    """

    framework: object
    tensor: Callable
    gradients: Callable
    layout: Callable = lambda it: it
    context: Callable = nullcontext

    nn = property(lambda self: self.framework.nn)
    optim = property(lambda self: self.framework.optim)


class Task(NamedTuple):
    """A network to be trained.

    Args:
        network: Function of a package's `nn` that makes it.
        image: Shape of one picture.
        optimizer: Name of the optimizer.
        lr: Learning rate: small enough that hundreds of steps do not learn the few batches by heart, after which
            gradients would be too small for the processor to handle at full speed.
    """

    network: Callable
    image: tuple[int, ...]
    optimizer: str
    lr: float


def batches(task, batch_size):
    """Return the batches, pairs of arrays (N, *image) and (N,), the same for every package."""
    rng = np.random.default_rng(0)
    return [
        (rng.standard_normal((batch_size, *task.image), np.float32), rng.integers(10, size=batch_size)) for _ in range(BATCHES)
    ]


def initial_weights(shapes):
    """Return arrays of these shapes, the same for every package: PyTorch's bounds, by the fan-in of each weight."""
    rng, found = np.random.default_rng(1), []
    for shape in map(tuple, shapes):
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else fan_in  # noqa: F821  a bias follows its weight
        found.append(rng.uniform(-1, 1, shape).astype(np.float32) / np.float32(np.sqrt(fan_in)))
    return found


def fill(parameters, tensor):
    """Overwrite the parameters of a model with the initial weights."""
    parameters = list(parameters)
    for parameter, values in zip(parameters, initial_weights([one.shape for one in parameters])):
        parameter.detach().copy_(tensor(values))


def variant(package, task, batch_size, **options):
    """Return the training step of a package.

    Args:
        package: The `Package`.
        task: The `Task`.
        batch_size: How many pictures a step takes.
        options: Further options of the optimizer.

    Returns:
        `Variant`. Its check is of the losses of a few steps on one batch, each of which tells whether the one before
        moved every weight to the same place; dropout, which is chance, begins after that.
    """
    model = task.network(package.nn)
    fill(model.parameters(), package.tensor)
    model = package.layout(model)
    optimizer = getattr(package.optim, task.optimizer)(model.parameters(), lr=task.lr, **options)
    given = [(package.layout(package.tensor(images)), package.tensor(labels)) for images, labels in batches(task, batch_size)]

    def step(number):
        images, labels = given[number % BATCHES]
        optimizer.zero_grad()
        loss = package.gradients(model, images, labels)
        optimizer.step()
        return loss.item()

    def check():
        model.eval()
        losses = [step(0) for _ in range(CHECKED)]
        model.train()
        return losses

    return Variant(step, check, package.context)
