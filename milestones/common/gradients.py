"""How the gradients are computed: three ways to take the same step of plain gradient descent."""

import importlib

import tinytorch
from common.training_run import Misused
from tinytorch.losses import cross_entropy, mlp_gradients


def by_hand(model, images, labels):
    """Fill the gradients as you derived them in module 04, and return the loss."""
    return mlp_gradients(model, images, labels)


def by_walk(model, images, labels):
    """Fill the gradients with the walk of module 05, and return the loss."""
    loss = cross_entropy(model(images), labels)
    for parameter in model.parameters():
        parameter.grad = None  # only now: the new gradients reuse memory that is still in the cache
    loss.backward()
    return loss


GRADIENTS = {"manual": by_hand, "autograd": by_walk}


def default_gradients():
    """Return the default way to compute the gradients: your walk, once module 05 is exported."""
    try:
        importlib.import_module("tinytorch.autograd")
    except ImportError:
        return "manual"
    return "autograd"


def train_step(gradients, model, images, labels, lr):
    """Take one step downhill.

    Args:
        gradients: Function of model, images and labels that fills the ``grad`` of every parameter
            and returns the loss.
        model: The network.
        images: Tensor (N, pixels).
        labels: Tensor (N,).
        lr: Learning rate.

    Returns:
        The loss before the step, a tensor of one number.
    """
    loss = gradients(model, images, labels)
    for parameter in model.parameters():
        parameter.grad.data *= lr  # in place: a new array of this size costs more than the product
        parameter.data -= parameter.grad.data
    return loss


def stepper(kind, model, lr, threads, capture=False):
    """Return a function of images and labels that takes a step and returns the loss before it.

    Args:
        kind: ``"manual"``, ``"autograd"`` or ``"pytorch"``.
        model: The network, `tinytorch.losses.mlp`.
        lr: Learning rate.
        threads: How many threads PyTorch may use.
        capture: Whether our own step is recorded, and then replayed.
    """
    if kind == "pytorch":
        return torch_stepper(model, lr, threads)

    def step(images, labels):
        return train_step(GRADIENTS[kind], model, images, labels, lr)

    run = tinytorch.capture(step) if capture else step
    return lambda images, labels: run(images, labels).item()


def torch_stepper(model, lr, threads):
    """Return a step in PyTorch, on the memory of our own network's weights."""
    try:
        import torch
    except ImportError as error:
        raise Misused('--gradients pytorch needs PyTorch: pip install "tinytorch-course[bench]"') from error
    torch.set_num_threads(threads)
    first, _, second = model
    layers = [torch.nn.Linear(layer.in_features, layer.out_features) for layer in (first, second)]
    twin = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1])
    for theirs, ours in zip(twin.parameters(), model.parameters()):
        theirs.data = torch.from_numpy(ours.data)  # shared memory: a change to one is a change to both
    optimizer, criterion = torch.optim.SGD(twin.parameters(), lr=lr), torch.nn.CrossEntropyLoss()

    def step(images, labels):
        optimizer.zero_grad()
        loss = criterion(twin(torch.from_numpy(images.data)), torch.from_numpy(labels.data).long())
        loss.backward()
        optimizer.step()
        return loss.item()

    return step
