"""The same layers and losses here and in PyTorch: names, values, gradients, and weights that go over in a file."""

import inspect

import numpy as np
import pytest

import tinytorch
import tinytorch.nn as ours
from tinytorch.given import safetensors

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with (extra `bench`)")
theirs = torch.nn

LAYERS = {  # how a package `nn` makes it, and the shape of what goes in
    "Linear": (lambda nn: nn.Linear(5, 3), (4, 5)),
    "Linear, without a bias, on a row": (lambda nn: nn.Linear(5, 3, bias=False), (5,)),
    "Linear, on a batch of rows": (lambda nn: nn.Linear(5, 3), (2, 4, 5)),
    "Sequential": (lambda nn: nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 2))), (3, 5)),
    "Dropout": (lambda nn: nn.Dropout(0.5).eval(), (3, 5)),
    "Dropout, of everything": (lambda nn: nn.Dropout(1.0), (3, 5)),
    "Flatten": (lambda nn: nn.Flatten(), (2, 3, 4)),
    "Flatten, some axes": (lambda nn: nn.Flatten(0, 1), (2, 3, 4)),
    "ReLU": (lambda nn: nn.ReLU(), (3, 5)),
    "LeakyReLU": (lambda nn: nn.LeakyReLU(0.2), (3, 5)),
    "Sigmoid": (lambda nn: nn.Sigmoid(), (3, 5)),
    "Tanh": (lambda nn: nn.Tanh(), (3, 5)),
    "GELU": (lambda nn: nn.GELU(), (3, 5)),
    "GELU, by tanh": (lambda nn: nn.GELU(approximate="tanh"), (3, 5)),
    "Softmax": (lambda nn: nn.Softmax(dim=1), (3, 5)),
    "LogSoftmax": (lambda nn: nn.LogSoftmax(dim=0), (3, 5)),
    "Conv2d": (lambda nn: nn.Conv2d(3, 4, (3, 2), stride=2, padding=1), (2, 3, 7, 6)),
    "Conv2d, in groups, apart": (lambda nn: nn.Conv2d(4, 6, 3, dilation=2, groups=2, bias=False), (2, 4, 8, 7)),
    "MaxPool2d": (lambda nn: nn.MaxPool2d(3, stride=2, padding=1), (2, 3, 7, 6)),
    "AvgPool2d": (lambda nn: nn.AvgPool2d(2), (2, 3, 6, 4)),
    "BatchNorm2d": (lambda nn: nn.BatchNorm2d(3), (4, 3, 5, 2)),
    "BatchNorm2d, in use": (lambda nn: nn.BatchNorm2d(3).eval(), (4, 3, 5, 2)),
}
LOSSES = {  # from the numbers of a batch: predictions (4, 3) that require a gradient, and targets
    "MSELoss": lambda rng: rng.standard_normal((4, 3)),
    "CrossEntropyLoss": lambda rng: rng.integers(3, size=4),
    "NLLLoss": lambda rng: rng.integers(3, size=4),
    "BCEWithLogitsLoss": lambda rng: rng.random((4, 3)),
}
NO_CASE = {
    "Module",
    "Parameter",
    "Buffer",
    "Loss",
    "Stateful",
    "Tree",  # what layers are made of
    "LeNet5",
    "ConvNet",
}  # whole networks of layers that have a case each
DTYPES = {"float32": 1e-5, "float64": 1e-10}  # and how far a number may be off, beside 1 or itself


def exported(package_file):
    """Return the names of the layers or losses that a module exports."""
    module = getattr(tinytorch, package_file)
    return {
        name
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, ours.Module) and value.__module__ == module.__name__
    }


def close(mine, other, dtype):
    other = other.detach().numpy()
    assert mine.data.dtype == other.dtype == dtype
    assert mine.shape == other.shape
    np.testing.assert_allclose(mine.data, other, rtol=DTYPES[dtype], atol=DTYPES[dtype])


def twins(make, dtype):
    """Return a layer of ours and one of PyTorch's that has its weights, handed over as bytes of safetensors."""
    from safetensors.torch import load

    mine, other = make(ours), make(theirs).to(getattr(torch, dtype))
    mine.to(np.dtype(dtype))
    state, state_of_other = mine.state_dict(), other.state_dict()
    assert [(name, tuple(value.shape)) for name, value in state.items()] == [
        (name, tuple(value.shape)) for name, value in state_of_other.items()
    ]
    other.load_state_dict(load(safetensors.dump({name: value.data for name, value in state.items()})), strict=True)
    return mine, other


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_gives_the_same_values_and_gradients(name, dtype):
    make, shape = LAYERS[name]
    mine, other = twins(make, dtype)
    x = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    inputs, inputs_of_other = tinytorch.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    out, out_of_other = mine(inputs), other(inputs_of_other)
    close(out, out_of_other, dtype)
    upstream = np.random.default_rng(2).standard_normal(out.shape).astype(dtype)
    out.backward(tinytorch.Tensor(upstream))
    out_of_other.backward(torch.from_numpy(upstream))
    close(inputs.grad, inputs_of_other.grad, dtype)
    for parameter, its_twin in zip(mine.parameters(), other.parameters(), strict=True):
        close(parameter.grad, its_twin.grad, dtype)
    for (name, value), value_of_other in zip(mine.state_dict().items(), other.state_dict().values(), strict=True):
        np.testing.assert_allclose(value.data, value_of_other.numpy(), rtol=DTYPES[dtype], err_msg=name)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_gives_the_same_value_and_gradient(name, reduction, dtype):
    rng = np.random.default_rng(3)
    x, targets = rng.standard_normal((4, 3)).astype(dtype), LOSSES[name](rng)
    targets = targets.astype(dtype) if targets.dtype.kind == "f" else targets
    mine, other = (getattr(nn, name)(reduction=reduction) for nn in (ours, theirs))
    inputs, inputs_of_other = tinytorch.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    out, out_of_other = mine(inputs, tinytorch.Tensor(targets)), other(inputs_of_other, torch.from_numpy(targets))
    close(out, out_of_other, dtype)
    out.sum().backward()
    out_of_other.sum().backward()
    close(inputs.grad, inputs_of_other.grad, dtype)


def test_weights_of_pytorch_are_read(tmp_path):
    from safetensors.torch import save_file

    torch.manual_seed(0)
    other = theirs.Sequential(theirs.Linear(5, 4), theirs.ReLU(), theirs.Linear(4, 2))
    save_file(other.state_dict(), tmp_path / "weights.safetensors")
    mine = ours.Sequential(ours.Linear(5, 4), ours.ReLU(), ours.Linear(4, 2))
    mine.load_state_dict(safetensors.load_file(tmp_path / "weights.safetensors")[0])
    x = np.random.default_rng(4).standard_normal((3, 5)).astype(np.float32)
    close(mine(tinytorch.Tensor(x)), other(torch.from_numpy(x)), "float32")


@pytest.mark.parametrize("file", ["layers", "losses", "cnn"])
def test_every_layer_and_loss_has_a_case(file):
    cases = {name.partition(",")[0] for name in [*LAYERS, *LOSSES]}
    assert exported(file) <= cases | NO_CASE
