"""Evaluating 10,000 digits on one thread beside PyTorch, in turn, in CPU time: `-m bench`."""

import statistics
import time

import numpy as np
import pytest

import tinytorch
from tinytorch.given.state import state
from tinytorch.tensor import Tensor
from tito.models import network

pytestmark = pytest.mark.bench
BATCH, COUNT, TURNS = 500, 10_000, 9
SHAPES = {
    "fc": ([(500, 784), (10, 500)], 1.0),
    "cnn": ([(8, 1, 3, 3), (16, 8, 3, 3), (10, 784)], 0.9),
}


def layers_of(torch, model):
    made = []
    for layer in model.layers:
        weight = model.arrays.get(layer.get("weight"))
        kinds = {"relu": torch.nn.ReLU, "flatten": torch.nn.Flatten}
        if layer["kind"] == "conv2d":
            made.append(torch.nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], padding=layer["padding"]))
        elif layer["kind"] == "linear":
            made.append(torch.nn.Linear(weight.shape[1], weight.shape[0]))
        elif layer["kind"] == "max_pool2d":
            made.append(torch.nn.MaxPool2d(2))
        else:
            made.append(kinds[layer["kind"]]())
    return torch.nn.Sequential(*made).eval()


@pytest.mark.parametrize("name", SHAPES)
def test_evaluation_takes_no_longer_than_pytorch_s(name):
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    shapes, most = SHAPES[name]
    rng = np.random.default_rng(0)
    arrays = {}
    for number, shape in enumerate(shapes):
        arrays[f"{3 * number}.weight"] = (rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        arrays[f"{3 * number}.bias"] = rng.standard_normal(shape[0]).astype(np.float32)
    layers = network.plan({name: array.shape for name, array in arrays.items()})
    ours = network.built(network.Network(arrays, layers, network.UNIT, "", {}))
    theirs = layers_of(torch, network.Network(arrays, layers, network.UNIT, "", {}))
    images = rng.random((COUNT, 1, 28, 28), np.float32)
    tensors = torch.tensor(images)
    times = {"ours": [], "pytorch": []}
    state.recording = False
    try:
        with tinytorch.use("numba"), torch.no_grad():
            for turn in range(TURNS + 1):
                began = time.process_time()
                for i in range(0, COUNT, BATCH):
                    ours(Tensor(images[i : i + BATCH]))
                middle = time.process_time()
                for i in range(0, COUNT, BATCH):
                    theirs(tensors[i : i + BATCH])
                if turn:
                    times["ours"].append(middle - began)
                    times["pytorch"].append(time.process_time() - middle)
    finally:
        state.recording = True
    micro = {who: 1e6 * statistics.median(all_times) / COUNT for who, all_times in times.items()}
    print(f"{name}: {micro['ours']:.2f} and {micro['pytorch']:.2f} us a digit, ratio {micro['ours'] / micro['pytorch']:.2f}")
    assert micro["ours"] <= most * micro["pytorch"]
