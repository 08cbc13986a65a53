"""A network of five linear layers on images of CIFAR-10's size."""

from tito.bench.steps import step_case
from tito.bench.training import Task

SIZES = (3072, 1024, 512, 256, 128, 10)


def network(nn):
    """Make the network of the milestone cifar10-mlp."""
    layers = []
    for inputs, outputs in zip(SIZES, SIZES[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


CASE = step_case(
    "cifar10-mlp",
    "A step of the CIFAR-10 MLP, 3072-1024-512-256-128-10, with Adam",
    Task(network, (3072,), "Adam", lr=1e-5),
    (128,),
    by_hand=True,
    rounds=60,
)
