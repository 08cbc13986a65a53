"""A small network, whose step is mostly Python: what `tinytorch.capture` is for."""

from tito.bench.steps import step_case
from tito.bench.training import Task


def network(nn):
    """Make a network of two small linear layers."""
    return nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))


CASE = step_case(
    "capture",
    "A step of 784-32-10, captured and not, with SGD",
    Task(network, (784,), "SGD", lr=0.01),
    (8,),
    by_hand=True,
    memory=False,
    rounds=1000,
)
