"""tinygrad on the CPU: its layers under PyTorch's names, and steps compiled by its JIT."""

from types import SimpleNamespace

from tito.bench.training import CHECKED, batches, initial_weights
from tito.bench.variants import Candidate, Variant


def candidate(make):
    """Return the candidate for a function without arguments that makes the variant."""
    return Candidate("tinygrad", make, ("tinygrad",))


def layers():
    """Return the layers under PyTorch's names; `Dropout` is skipped unless the model is training."""
    from tinygrad import nn

    class Sequential:
        def __init__(self, *parts):
            self.parts, self.training = parts, False

        def __call__(self, x):
            for part in self.parts:
                x = part(x) if self.training or not isinstance(part, Dropout) else x
            return x

    class Dropout:
        def __init__(self, p):
            self.p = p

        def __call__(self, x):
            return x.dropout(self.p)

    return SimpleNamespace(
        Sequential=Sequential,
        Dropout=Dropout,
        Linear=nn.Linear,
        Conv2d=nn.Conv2d,
        ReLU=lambda: lambda x: x.relu(),
        MaxPool2d=lambda size: lambda x: x.max_pool2d(size),
        Flatten=lambda: lambda x: x.flatten(1),
    )


def training(task, batch_size):
    """Return the training step of a `Task`, with the same check as the other packages."""
    import numpy as np
    from tinygrad import Tensor, TinyJit
    from tinygrad.helpers import Context
    from tinygrad.nn import optim, state

    model = task.network(layers())
    parameters = state.get_parameters(model.parts)
    for parameter, values in zip(parameters, initial_weights([parameter.shape for parameter in parameters])):
        parameter.assign(Tensor(values)).realize()
    optimizer = getattr(optim, task.optimizer)(parameters, lr=task.lr)
    given = [
        (Tensor(images).realize(), Tensor(labels.astype(np.int32)).realize()) for images, labels in batches(task, batch_size)
    ]

    def descend(images, labels):
        optimizer.zero_grad()
        loss = model(images).sparse_categorical_crossentropy(labels).backward()
        return loss.realize(*optimizer.schedule_step())

    def check():
        without_dropout = TinyJit(descend)
        with Context(TRAINING=1):
            losses = [without_dropout(*given[0]).item() for _ in range(CHECKED)]
        model.training = True
        return losses

    kept = TinyJit(descend)

    def step(number):
        with Context(TRAINING=1):
            return kept(*given[number % len(given)]).item()

    return Variant(step, check)


def cross_entropy(scores, labels):
    """Return the loss and its gradient as a variant."""
    import numpy as np
    from tinygrad import Tensor, TinyJit

    scores, labels = Tensor(scores).realize(), Tensor(labels.astype(np.int32)).realize()

    @TinyJit
    def both(scores, labels):
        leaf = scores.detach().contiguous()
        loss = leaf.sparse_categorical_crossentropy(labels)
        (grad,) = loss.gradient(leaf)  # before the loss is realized: after that, tinygrad no longer knows how it was computed
        return loss.realize(grad), grad

    def check():
        loss, grad = (result.numpy() for result in both(scores, labels))
        return [float(loss), float(np.abs(grad).sum()), float(grad[0, 0])]

    return Variant(lambda number: both(scores, labels)[0].item(), check)
