"""LeNet-5, with ReLU and max-pooling, on images of MNIST's size."""

from tito.bench.steps import step_case
from tito.bench.training import Task


def network(nn):
    """Make LeNet-5: two convolutions and three linear layers, 61,706 parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


CASE = step_case(
    "lenet5",
    "A step of LeNet-5 on 28 x 28 pixels, with Adam",
    Task(network, (1, 28, 28), "Adam", lr=1e-4),
    (64, 128),
    convolutions=True,
    rounds=60,
)
