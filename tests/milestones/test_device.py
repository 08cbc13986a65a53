"""`--device cuda`: each milestone trains on the device, here in the simulator, with small networks and few examples."""

import importlib
import os
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

MILESTONES = Path(__file__).resolve().parents[2] / "milestones"


@pytest.fixture
def train(monkeypatch, tmp_path):
    """Return a function that runs a milestone's `main` here, on a small data set, and returns its weights as they were saved."""
    monkeypatch.syspath_prepend(MILESTONES)

    def run(name, data, network, *arguments):
        script = importlib.import_module(name)
        for where, made in data.items():
            monkeypatch.setattr(script, where, lambda *_, made=made: made)
        if network:
            monkeypatch.setattr(script, "network", network)
        folder = tmp_path / name / arguments[arguments.index("--device") + 1]
        common = ("--epochs", "1", "--batch-size", "6", "--no-figures", "--checkpoint", str(folder))
        monkeypatch.setattr(sys, "argv", [name, *common, *arguments])
        with mock.patch.dict(os.environ):  # a milestone sets numba's threads for its own process
            script.main()
        weights, about = importlib.import_module("common.saving").load(folder / "weights.safetensors")
        return weights

    return run


def small(kind, shape, count=20):
    """Return a data set of a few pictures of noise."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (count, *shape), dtype=np.uint8), (np.arange(count) % 10).astype(np.uint8)
    return kind(images, labels, images[:2], labels[:2])


def cases():
    from tinytorch.cnn import Conv2d, ConvNet, MaxPool2d
    from tinytorch.datasets import CIFAR10, MNIST
    from tinytorch.layers import Flatten, Linear, ReLU, Sequential

    digits, colours = small(MNIST, (28, 28)), small(CIFAR10, (3, 32, 32))

    def lenet(rng, *_):
        layers = Conv2d(1, 2, 5, stride=3, rng=rng), MaxPool2d(2), ReLU(), Conv2d(2, 3, 3, rng=rng), ReLU(), Flatten()
        return Sequential(*layers, Linear(12, 10, rng=rng))

    def convnet(rng, *_):
        return Sequential(MaxPool2d(4), ConvNet(widths=(2, 3), size=8, rng=rng))

    def wide(rng, *_):
        return Sequential(MaxPool2d(8), Flatten(), Linear(48, 5, rng=rng), ReLU(), Linear(5, 10, rng=rng))

    return {
        "mnist_mlp": ({"read_digits": digits}, None, ("--hidden", "4", "--data", "mnist-5k")),
        "lenet5": ({"read_digits": digits}, lenet, ("--data", "mnist-5k")),
        "cifar10_mlp": ({"cifar10": colours}, wide, ()),
        "cifar10_cnn": ({"cifar10": colours}, convnet, ()),
    }


@pytest.mark.parametrize("name", ["mnist_mlp", "lenet5", "cifar10_mlp", "cifar10_cnn"])
def test_a_milestone_on_the_device_ends_with_the_weights_of_the_cpu(name, train, simulated):
    data, network, arguments = cases()[name]
    expected = train(name, data, network, *arguments, "--device", "cpu")
    found = train(name, data, network, *arguments, "--device", "cuda")
    assert found.keys() == expected.keys()
    for path in expected:
        np.testing.assert_allclose(found[path], expected[path], rtol=1e-4, atol=1e-5, err_msg=path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist_mlp", "lenet5", "cifar10_mlp"])
def test_captured_on_the_device_it_ends_with_the_same_weights(name, train, simulated):
    """Seven steps: one as it is, two recorded, three replayed, and a last one of another size."""
    data, network, arguments = cases()[name]
    runs = [
        train(name, data, network, *arguments, "--batch-size", "3", "--device", "cuda", *more) for more in ((), ("--capture",))
    ]
    assert all(np.array_equal(array, runs[1][path]) for path, array in runs[0].items())


def test_without_a_gpu_the_milestone_says_what_to_do(milestone):
    said, status, _ = milestone("mnist_mlp.py", "--device", "cuda", "--data", "mnist-5k", TINYTORCH_CUDA="")
    said = " ".join(said.split())
    assert status == 2 and "--device cuda: there is no device 'cuda' here" in said and "TINYTORCH_CUDA=simulator" in said


def test_gradients_by_hand_are_for_the_cpu(milestone):
    said, status, _ = milestone("mnist_mlp.py", "--device", "cuda", "--gradients", "manual")
    assert status == 2 and "only autograd computes gradients" in said
