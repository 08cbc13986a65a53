"""Three stages of convolution and batch normalisation on images of CIFAR-10's size."""

from tito.bench.steps import step_case
from tito.bench.training import Task

WIDTHS = (32, 64, 128)


def network(nn):
    """Make the network of the milestone cifar10-cnn: 113,962 parameters."""
    layers, before = [], 3
    for width in WIDTHS:
        layers += [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.MaxPool2d(2), nn.ReLU()]
        before = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * 4 * 4, 10))


CASE = step_case(
    "cifar10-cnn",
    "A step of the CIFAR-10 CNN, with batch norm and Adam",
    Task(network, (3, 32, 32), "Adam", lr=1e-3),
    (128,),
    convolutions=True,
    rounds=30,
)
