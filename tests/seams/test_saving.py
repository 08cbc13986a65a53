"""`save` and `load`: trees of dicts, lists, tensors and numbers on safetensors; a pickle and a whole model are refused."""

import io
import pickle
import zipfile

import numpy as np
import pytest

import tinytorch as torch
from tinytorch import nn, optim
from tinytorch.given import safetensors


def test_a_training_s_state_comes_back(tmp_path):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm2d(4))
    optimizer = optim.Adam(model[0].parameters())
    model[0](torch.ones(1, 3)).sum().backward()
    optimizer.step()
    state = {"epoch": 3, "lr": 1e-3, "name": "run", "done": False, "none": None, "betas": (0.9, 0.99), "by": {0: [torch.arange(3)]},
             "model": model.state_dict(), "optimizer": optimizer.state_dict()}  # fmt: skip
    torch.save(state, tmp_path / "run.pt")
    loaded = torch.load(tmp_path / "run.pt", map_location="cpu", weights_only=True)
    assert {name: loaded[name] for name in ("epoch", "lr", "name", "done", "none", "betas")} == {
        name: state[name] for name in ("epoch", "lr", "name", "done", "none", "betas")
    }
    assert loaded["by"][0][0].tolist() == [0, 1, 2]
    twin = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm2d(4))
    twin.load_state_dict(loaded["model"])
    for name, tensor in model.state_dict().items():
        np.testing.assert_array_equal(twin.state_dict()[name].data, tensor.data)
    other = optim.Adam(twin[0].parameters())
    other.load_state_dict(loaded["optimizer"])
    assert str(other.state_dict()) == str(optimizer.state_dict())


def test_a_state_dict_is_a_plain_safetensors_file(tmp_path):
    layer = nn.Linear(3, 2)
    torch.save(layer.state_dict(), tmp_path / "weights")
    arrays, header = safetensors.load_file(tmp_path / "weights")
    assert sorted(arrays) == ["bias", "weight"] and header == {}
    assert torch.load(tmp_path / "weights")["weight"].tolist() == layer.weight.tolist()


def test_names_that_meet_are_kept_apart():
    file = io.BytesIO()
    torch.save({"a.b": torch.tensor([1]), "a": {"b": torch.tensor([2])}, "": torch.tensor([3])}, file)
    loaded = torch.load(io.BytesIO(file.getvalue()))
    assert (loaded["a.b"].tolist(), loaded["a"]["b"].tolist(), loaded[""].tolist()) == ([1], [2], [3])


@pytest.mark.parametrize("value", [nn.Linear(2, 2), {"net": nn.Linear(2, 2)}, lambda: 0, {1, 2}, {(1, 2): 3}])
def test_what_is_no_tree_of_tensors_is_refused_and_nothing_is_written(value, tmp_path):
    with pytest.raises(TypeError, match="save"):
        torch.save(value, tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_a_whole_model_is_told_what_to_do():
    with pytest.raises(TypeError, match=r"not Linear at net: write save\(it.state_dict\(\), path\)"):
        torch.save({"net": nn.Linear(2, 2)}, io.BytesIO())


@pytest.mark.parametrize("kind", ["pickle", "zip"])
def test_a_pickle_is_refused_with_what_to_do(kind, tmp_path):
    path = tmp_path / "model.pt"
    if kind == "pickle":
        path.write_bytes(pickle.dumps({"weight": [1.0]}))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps({"weight": [1.0]}))
    with pytest.raises(ValueError, match="is a pickle.*safetensors.torch.save_file"):
        torch.load(path)


def test_a_damaged_file_is_refused(tmp_path):
    torch.save(nn.Linear(3, 2).state_dict(), tmp_path / "weights")
    (tmp_path / "weights").write_bytes((tmp_path / "weights").read_bytes()[:-3])
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        torch.load(tmp_path / "weights")
