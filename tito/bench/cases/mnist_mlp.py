"""A network of two linear layers on images of MNIST's size."""

from tito.bench.steps import step_case
from tito.bench.training import Task


def network(nn):
    """Make the network of the milestone mnist-mlp."""
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))


CASE = step_case(
    "mnist-mlp",
    "A step of the MNIST MLP, 784-256-10, with SGD",
    Task(network, (784,), "SGD", lr=0.01),
    (128,),
    by_hand=True,
    memory=False,
    rounds=400,
)
