"""Layer by layer and loss by loss, here and in PyTorch: names, values, gradients, second derivatives, weights that go over in a file."""

import inspect
import io
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with (extra `bench`)")
sys.path.insert(0, str(Path(__file__).parent))

import structured  # noqa: E402

import tinytorch  # noqa: E402
import tinytorch.nn as ours  # noqa: E402
from tinytorch.given import safetensors  # noqa: E402

pytestmark = pytest.mark.pytorch
theirs = torch.nn
DTYPES = {"float32": 2e-5, "float64": 1e-9}  # and how far a number may be off, beside 1 or itself
LOSSES = {  # name -> settings to try; the reductions are tried with each of them
    "MSELoss": [{}],
    "L1Loss": [{}],
    "SmoothL1Loss": [{}, {"beta": 0.5}],
    "HuberLoss": [{}, {"delta": 0.5}],
    "CrossEntropyLoss": [{}, {"label_smoothing": 0.1}, {"ignore_index": 1}, {"weight": [0.2, 1.0, 3.0]},
                         {"weight": [0.2, 1.0, 3.0], "ignore_index": 1, "label_smoothing": 0.1}],
    "NLLLoss": [{}, {"weight": [0.2, 1.0, 3.0]}, {"ignore_index": 1}],
    "BCEWithLogitsLoss": [{}, {"pos_weight": [0.2, 1.0, 3.0]}, {"weight": [0.2, 1.0, 3.0]}],
    "BCELoss": [{}, {"weight": [0.2, 1.0, 3.0]}],
    "KLDivLoss": [{}, {"log_target": True}],
}  # fmt: skip
CLASSES = ("CrossEntropyLoss", "NLLLoss")


def close(mine, other, dtype, tolerance=1):
    other = other.detach().numpy()
    assert mine.data.dtype == other.dtype and mine.shape == other.shape
    np.testing.assert_allclose(mine.data, other, rtol=tolerance * DTYPES[dtype], atol=tolerance * DTYPES[dtype])


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
@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize("name", structured.LAYERS)
def test_a_layer_gives_the_same_values_gradients_and_second_derivatives(name, kernels, dtype):
    make, shape = structured.LAYERS[name]
    with tinytorch.use(kernels):
        mine, other = twins(make, dtype)
        rng = np.random.default_rng(1)
        x = rng.integers(0, 5, (4, 3)) if shape is None else rng.standard_normal(shape).astype(dtype)
        inputs, inputs_of_other = tinytorch.tensor(x), torch.tensor(x)
        if shape is not None:
            inputs.requires_grad_(), inputs_of_other.requires_grad_()
        out, out_of_other = mine(inputs), other(inputs_of_other)
        close(out, out_of_other, dtype)
        wanted = [*([inputs] if shape else []), *mine.parameters()]
        wanted_of_other = [*([inputs_of_other] if shape else []), *other.parameters()]
        upstream = np.random.default_rng(2).standard_normal(out.shape).astype(dtype)
        if wanted:
            first = tinytorch.grad((out * tinytorch.Tensor(upstream)).sum(), wanted, create_graph=True, materialize_grads=True)
            first_of_other = torch.autograd.grad(
                (out_of_other * torch.from_numpy(upstream)).sum(), wanted_of_other, create_graph=True, materialize_grads=True
            )
            for a, b in zip(first, first_of_other, strict=True):
                close(a, b, dtype, 10)
            second, second_of_other = (sum((g * g).sum() for g in grads) for grads in (first, first_of_other))
            if second_of_other.requires_grad:
                again = tinytorch.grad(second, wanted, allow_unused=True) if second.requires_grad else [None] * len(wanted)
                try:
                    again_of_other = torch.autograd.grad(second_of_other, wanted_of_other, allow_unused=True)
                except RuntimeError as error:  # PyTorch has none of Hardsigmoid
                    assert "is not implemented" in str(error)
                    again = again_of_other = []
                for a, b in zip(again, again_of_other, strict=True):
                    a = tinytorch.Tensor(np.zeros(b.shape, dtype)) if a is None and b is not None else a
                    b = torch.zeros(a.shape, dtype=getattr(torch, dtype)) if b is None and a is not None else b
                    if a is not None:
                        close(a, b, dtype, 100)
        for (name, value), value_of_other in zip(mine.state_dict().items(), other.state_dict().values(), strict=True):
            np.testing.assert_allclose(value.data, value_of_other.numpy(), rtol=DTYPES[dtype], err_msg=name)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "settings"), [(name, settings) for name, tried in LOSSES.items() for settings in tried])
def test_a_loss_gives_the_same_value_and_gradient(name, settings, reduction, dtype):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((6, 3)).astype(dtype)
    x = 1 / (1 + np.exp(-x)) if name == "BCELoss" else x
    targets = rng.integers(3, size=6) if name in CLASSES else rng.random((6, 3)).astype(dtype)
    mine, other = (
        getattr(nn, name)(reduction=reduction, **{key: framework.tensor(value) if isinstance(value, list) else value for key, value in settings.items()})
        for nn, framework in ((ours, tinytorch), (theirs, torch))
    )  # fmt: skip
    mine.to(np.dtype(dtype)), other.to(getattr(torch, dtype))
    inputs, inputs_of_other = tinytorch.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    out, out_of_other = mine(inputs, tinytorch.Tensor(targets)), other(inputs_of_other, torch.from_numpy(targets))
    close(out, out_of_other, dtype)
    out.sum().backward()
    out_of_other.sum().backward()
    close(inputs.grad, inputs_of_other.grad, dtype)


@pytest.mark.parametrize("batch_first", [False, True])
def test_attention_in_heads(batch_first):
    def make(nn):
        return nn.MultiheadAttention(6, 2, batch_first=batch_first)

    mine, other = twins(make, "float64")
    rng = np.random.default_rng(5)
    arrays = [rng.standard_normal(shape) for shape in ((4, 3, 6), (5, 3, 6), (5, 3, 6))]
    arrays = [array.transpose(1, 0, 2).copy() for array in arrays] if batch_first else arrays
    mask, hidden = np.triu(np.ones((4, 5), bool), 2), np.zeros((3, 5), bool)
    hidden[:, -1] = True
    inputs, inputs_of_other = [tinytorch.Tensor(a, True) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    out, shares = mine(*inputs, attn_mask=tinytorch.Tensor(mask), key_padding_mask=tinytorch.Tensor(hidden))
    out_of_other, shares_of_other = other(*inputs_of_other, attn_mask=torch.tensor(mask), key_padding_mask=torch.tensor(hidden))
    close(out, out_of_other, "float64")
    close(shares, shares_of_other, "float64")
    out.sum().backward(), out_of_other.sum().backward()
    for a, b in zip([*inputs, *mine.parameters()], [*inputs_of_other, *other.parameters()], strict=True):
        close(a.grad, b.grad, "float64", 10)


def test_layers_of_two_inputs():
    rng = np.random.default_rng(6)
    a, b = rng.standard_normal((4, 3)), rng.standard_normal((4, 5))
    for make, first, second in ((lambda nn: nn.Bilinear(3, 5, 2), a, b), (lambda nn: nn.CosineSimilarity(), a, a[::-1].copy())):
        mine, other = twins(make, "float64")
        close(
            mine(tinytorch.Tensor(first), tinytorch.Tensor(second)), other(torch.tensor(first), torch.tensor(second)), "float64"
        )


def test_weights_of_pytorch_are_read(tmp_path):
    from safetensors.torch import save_file

    torch.manual_seed(0)
    other = theirs.Sequential(theirs.Linear(5, 4), theirs.ReLU(), theirs.Linear(4, 2))
    save_file(other.state_dict(), tmp_path / "weights.safetensors")
    mine = ours.Sequential(ours.Linear(5, 4), ours.ReLU(), ours.Linear(4, 2))
    mine.load_state_dict(tinytorch.load(tmp_path / "weights.safetensors"))
    x = np.random.default_rng(4).standard_normal((3, 5)).astype(np.float32)
    close(mine(tinytorch.Tensor(x)), other(torch.from_numpy(x)), "float32")


def test_a_file_of_pytorch_s_own_is_refused(tmp_path):
    torch.save({"weight": torch.ones(2)}, tmp_path / "weights.pt")
    with pytest.raises(ValueError, match="is a pickle"):
        tinytorch.load(tmp_path / "weights.pt")
    file = io.BytesIO()
    torch.save({"weight": torch.ones(2)}, file)
    with pytest.raises(ValueError, match="is a pickle"):
        tinytorch.load(io.BytesIO(file.getvalue()))


def test_every_layer_and_loss_has_a_case():
    cases = {name.partition(",")[0].partition(" of")[0] for name in [*structured.LAYERS, *LOSSES]}
    apart = {name for names in structured.OTHERS.values() for name in names.split()}
    classes = {
        name for name in dir(ours) if inspect.isclass(getattr(ours, name)) and issubclass(getattr(ours, name), ours.Module)
    }
    assert classes - apart - cases == set()
