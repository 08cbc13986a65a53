"""Layers are made with PyTorch's arguments, too: taken where they change nothing, and otherwise refused with what to write."""

import inspect
from collections import OrderedDict

import numpy as np
import pytest

import tinytorch
import tinytorch.nn as nn
import tinytorch.optim as optim
from tinytorch.given import constructing

MADE = {  # a layer of each kind that has parameters, or PyTorch arguments of its own
    "Linear": (3, 2),
    "Conv2d": (1, 2, 3),
    "BatchNorm1d": (3,),
    "BatchNorm2d": (3,),
    "LayerNorm": (3,),
    "GroupNorm": (1, 3),
    "RMSNorm": (3,),
    "Embedding": (5, 3),
    "Bilinear": (2, 3, 4),
    "MultiheadAttention": (4, 2),
    "Dropout": (0.5,),
}


def weights():
    return [tinytorch.ones(3, requires_grad=True)]


@pytest.mark.parametrize("name", MADE)
def test_a_layer_takes_a_device_and_a_dtype(name):
    layer = getattr(nn, name)(*MADE[name], device="cpu", dtype=tinytorch.float64)
    assert all(tensor.dtype == np.float64 for tensor in layer.parameters()), name
    assert all(tensor.dtype == np.float32 for tensor in getattr(nn, name)(*MADE[name], device=None).parameters())
    with pytest.raises(ValueError, match="there is no device 'cuda' here|no kind of device"):
        nn.Linear(3, 2, device="cuda")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: nn.Conv2d(1, 2, 3, padding_mode="reflect"), "Conv2d has no padding_mode='reflect' here: pad first, with F.pad"),
        (lambda: nn.BatchNorm2d(3, bias=False), "BatchNorm2d has no bias=False here: set the layer's bias to None"),
        (lambda: nn.MultiheadAttention(4, 2, kdim=3), "MultiheadAttention has no kdim=3 here: bring the keys to embed_dim"),
        (lambda: nn.Embedding(3, 2, _freeze=True), "use Embedding.from_pretrained"),
        (lambda: optim.SGD(weights(), lr=0.1, maximize=True), "SGD has no maximize=True here: minimize the negative"),
        (lambda: optim.AdamW(weights(), amsgrad=True), "AdamW has no amsgrad=True here: module 06 builds Adam"),
        (lambda: optim.Adam(weights(), decoupled_weight_decay=True), "use AdamW"),
        (lambda: nn.utils.clip_grad_norm_([], 1.0, norm_type=1), "clip_grad_norm_ has norm_type=2 here"),
        (lambda: nn.MaxPool2d(2, ceil_mode=True), "MaxPool2d has dilation=1"),
    ],
)
def test_what_a_layer_cannot_do_is_refused_with_what_to_write(make, says):
    with pytest.raises(NotImplementedError) as refused:
        make()
    assert says in str(refused.value)


def test_what_changes_nothing_is_taken():
    assert nn.Dropout(0.5, inplace=True).p == 0.5 and nn.ReLU(inplace=True) and nn.Conv2d(1, 2, 3, padding_mode="zeros")
    assert nn.BatchNorm1d(3, bias=True).bias is not None


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad])
def test_an_optimizer_takes_pytorchs_choice_among_implementations(make):
    plain, chosen = weights(), weights()
    for params, options in ((plain, {}), (chosen, {"foreach": True, "fused": False, "capturable": False, "maximize": False})):
        optimizer = make(params, lr=0.1, **options)
        params[0].sum().backward()
        optimizer.step()
    assert plain[0].tolist() == chosen[0].tolist() != weights()[0].tolist()
    with pytest.raises(TypeError, match="unexpected keyword argument 'momentun'"):
        make(plain, momentun=0.9)


def test_an_argument_that_nobody_has_is_python_s_own_error():
    with pytest.raises(TypeError, match="unexpected keyword argument 'out_feature'"):
        nn.Linear(3, out_feature=2)
    for name in ("inplace", "padding_mode"):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
            nn.Linear(3, 2, **{name: "zeros"})


def test_a_class_of_one_s_own_takes_what_it_says():
    class Net(nn.Module):
        def __init__(self, size, device=None):
            super().__init__()
            self.inner, self.device = nn.Linear(size, size, device=device), device

    assert Net(3, device="cpu").device == "cpu" and list(inspect.signature(Net).parameters) == ["size", "device"]
    with pytest.raises(TypeError, match="unexpected keyword argument 'dtype'"):
        Net(3, dtype=tinytorch.float64)


def test_layers_with_names_make_a_row():
    layers = OrderedDict(first=nn.Linear(3, 4), act=nn.ReLU(), last=nn.Linear(4, 2))
    row = nn.Sequential(layers)
    assert list(row.state_dict()) == ["first.weight", "first.bias", "last.weight", "last.bias"]
    assert row.first is layers["first"] and row[2] is layers["last"] and len(row) == 3
    x = tinytorch.ones(2, 3)
    assert row(x).tolist() == layers["last"](layers["act"](layers["first"](x))).tolist()
    with pytest.raises(TypeError, match="Sequential needs modules, got 3"):
        nn.Sequential(OrderedDict(first=3))


def test_the_signature_of_a_class_is_that_of_its_constructor():
    assert list(inspect.signature(nn.Linear).parameters) == ["in_features", "out_features", "bias", "rng"]
    assert isinstance(nn.Linear, constructing.Layer) and "Layer" not in repr(nn.Linear(2, 2))
