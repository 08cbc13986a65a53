"""tinygrad on the CPU: its layers under PyTorch's names, and steps that its JIT keeps as compiled kernels."""

from types import SimpleNamespace

from tito.bench.training import CHECKED, batches, initial_weights
from tito.bench.variants import Candidate, Variant


def candidate(make):
    """Return the candidate whose variant a function without arguments makes."""
    return Candidate("tinygrad", make, ("tinygrad",))


def layers():
    """Return what a network is made of, in PyTorch's names; `Dropout` heeds what the model says of training."""
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
    """Return the training step of a `Task`; its check is that of the other packages."""
    import numpy as np
    from tinygrad import Tensor, TinyJit
    from tinygrad.helpers import Context
    from tinygrad.nn import optim, state

    model = task.network(layers())
    parameters = state.get_parameters(model.parts)
    for parameter, values in zip(parameters, initial_weights([one.shape for one in parameters])):
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
        (grad,) = loss.gradient(leaf)  # before either is worked out: after that, nothing tells where the loss came from
        return loss.realize(grad), grad

    def check():
        loss, grad = (found.numpy() for found in both(scores, labels))
        return [float(loss), float(np.abs(grad).sum()), float(grad[0, 0])]

    return Variant(lambda number: both(scores, labels)[0].item(), check)
