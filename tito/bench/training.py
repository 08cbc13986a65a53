"""Training steps. The same lines run on the learner's package and on PyTorch, because the names are the same."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import NamedTuple

import numpy as np

from tito.bench.variants import Variant

CHECKED = 3  # steps on one batch whose losses must agree; tinygrad replays its compiled kernels from the third on
BATCHES = 16  # batches drawn once and used in turn: loading data is not measured


class Package(NamedTuple):
    """A framework, as the cases use it.

    Args:
        framework: The package itself; its `nn` and `optim` are looked up when needed.
        tensor: Function that makes a tensor from an array.
        gradients: Function of model, images and labels that fills in the gradients and returns the loss.
        layout: Function that converts a model or a batch of images to the memory format.
        context: Context manager that a step runs in.
        capture: Function that returns a faster form of a step of images and labels, such as one that records and replays it.
    """

    framework: object
    tensor: Callable
    gradients: Callable
    layout: Callable = lambda it: it
    context: Callable = nullcontext
    capture: Callable = lambda step: step

    nn = property(lambda self: self.framework.nn)
    optim = property(lambda self: self.framework.optim)


class Task(NamedTuple):
    """A network to train.

    Args:
        network: Function of a package's `nn` that makes it.
        image: Shape of one image.
        optimizer: Name of the optimizer.
        lr: Learning rate: small enough that hundreds of steps do not memorise the few batches. After that, gradients
            would become denormal numbers, which are slow on the processor.
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
    """Return arrays of these shapes, the same for every package, within PyTorch's bounds for each weight's fan-in."""
    rng, weights = np.random.default_rng(1), []
    for shape in map(tuple, shapes):
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else fan_in  # noqa: F821  a bias follows its weight
        weights.append(rng.uniform(-1, 1, shape).astype(np.float32) / np.float32(np.sqrt(fan_in)))
    return weights


def fill(parameters, tensor):
    """Overwrite the parameters of a model with the initial weights."""
    parameters = list(parameters)
    for parameter, values in zip(parameters, initial_weights([parameter.shape for parameter in parameters])):
        parameter.detach().copy_(tensor(values))


def variant(package, task, batch_size, **options):
    """Return the training step of a package.

    Args:
        package: The `Package`.
        task: The `Task`.
        batch_size: Number of images in a step.
        options: Further options of the optimizer.

    Returns:
        `Variant`. Its check is the losses of a few steps on one batch: each loss shows whether the step before moved
        the weights the same way. Dropout is random, so it is on only after the check.
    """
    model = task.network(package.nn)
    fill(model.parameters(), package.tensor)
    model = package.layout(model)
    optimizer = getattr(package.optim, task.optimizer)(model.parameters(), lr=task.lr, **options)
    given = [(package.layout(package.tensor(images)), package.tensor(labels)) for images, labels in batches(task, batch_size)]

    def whole_step(images, labels):
        optimizer.zero_grad()
        loss = package.gradients(model, images, labels)
        optimizer.step()
        return loss

    run = package.capture(whole_step)

    def step(number):
        return run(*given[number % BATCHES]).item()

    def check():
        model.eval()
        losses = [step(0) for _ in range(CHECKED)]
        model.train()
        return losses

    return Variant(step, check, package.context)
