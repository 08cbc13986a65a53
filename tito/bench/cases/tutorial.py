"""The convolutional network of tinygrad's MNIST tutorial."""

from tito.bench.steps import step_case
from tito.bench.training import Task


def network(nn):
    """Make the network: two convolutions and a linear layer."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(1600, 10),
    )


TASK = Task(network, (1, 28, 28), "Adam", lr=1e-4)
CASE = step_case(
    "tutorial", "A step of the network of tinygrad's MNIST tutorial, with Adam", TASK, (128,), convolutions=True, rounds=30
)
