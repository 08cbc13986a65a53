"""What the walk costs beside gradients by hand: medians of CPU time, all variants taking turns.

Measured on a quiet machine: 1.07 x the step by hand. The bounds leave room for a busy one, and are still below what the usual
mistakes cost: a gradient in the wrong memory order 1.31 x, the gradient of the pictures 1.48 x.
"""

import statistics
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import tinytorch as tt
from tinytorch.given import dispatch, shapes
from tinytorch.losses import cross_entropy, mlp, mlp_gradients
from tinytorch.optim import SGD
from tinytorch.tensor import Tensor

pytestmark = pytest.mark.bench
STEPS, WARM_UP = 400, 40
images = Tensor(np.random.default_rng(0).standard_normal((128, 784), np.float32))
labels = Tensor(np.random.default_rng(1).integers(10, size=128))


def our_step(gradients):
    """Return a function that takes one SGD step of the MNIST MLP 784-256-10, batch 128."""
    model = mlp(784, 256, 10, rng=np.random.default_rng(2))

    def step():
        gradients(model)
        for parameter in model.parameters():
            parameter.grad.data *= np.float32(0.1)
            parameter.data -= parameter.grad.data
            parameter.grad = None

    return step


def torch_step(torch):
    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.from_numpy(images.data), torch.from_numpy(labels.data)

    def step():
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step


def medians(**steps):
    """Return the median CPU time of each step in microseconds."""
    times = {name: [] for name in steps}
    with threadpool_limits(1):
        for _ in range(WARM_UP + STEPS):
            for name, step in steps.items():
                began = time.process_time_ns()
                step()
                times[name].append((time.process_time_ns() - began) / 1e3)
    found = {name: statistics.median(values[WARM_UP:]) for name, values in times.items()}
    blas = [f"{info['internal_api']} {info.get('architecture', '')}" for info in threadpool_info() if info["user_api"] == "blas"]
    print({name: round(value) for name, value in found.items()}, "us a step;", *blas)
    return found


def test_the_walk_costs_little_more_than_gradients_by_hand():
    found = medians(
        manual=our_step(lambda model: mlp_gradients(model, images, labels)),
        autograd=our_step(lambda model: cross_entropy(model(images), labels).backward()),
    )
    assert found["autograd"] < 1.25 * found["manual"]


def test_a_step_is_not_slower_than_pytorch_s():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    found = medians(torch=torch_step(torch), autograd=our_step(lambda model: cross_entropy(model(images), labels).backward()))
    assert found["autograd"] < 1.3 * found["torch"]


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
def test_the_checks_of_shapes_take_at_most_a_hundredth_of_a_step(monkeypatch, kernels):
    """Measured on a quiet machine: 0.2 % with either kernel set."""
    model = mlp(784, 256, 10, rng=np.random.default_rng(2))
    optimizer = SGD(list(model.parameters()), lr=0.1)

    def step():
        optimizer.zero_grad()
        cross_entropy(model(images), labels).backward()
        optimizer.step()

    with tt.use(kernels):
        step()  # compiles
        calls = []
        with monkeypatch.context() as patch:
            patch.setattr(dispatch, "check_inputs", lambda *inputs: calls.append(inputs))
            step()
        assert calls
        times = medians(step=step, checks=lambda: [shapes.check_inputs(*inputs) for inputs in calls])
    assert times["checks"] < 0.01 * times["step"]


def test_a_node_costs_a_few_microseconds():
    def seconds(length):
        y = Tensor(np.ones(1, np.float32), requires_grad=True)
        for _ in range(length):
            y = y + 1.0
        began = time.process_time()
        y.backward()
        return time.process_time() - began

    node = min(seconds(2000) for _ in range(5)) / 2000
    print(f"{1e6 * node:.2f} us a node")
    assert node < 8e-6
