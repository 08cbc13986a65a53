"""Ordinary training scripts run under PyTorch and under this package, after changing imports only, with equal losses."""

import re
import types
from pathlib import Path

import numpy as np
import pytest

import tinytorch

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with (extra `bench`)")
pytestmark = pytest.mark.pytorch

torch.set_num_threads(1)
SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.py"))


def with_imports_of(framework, path):
    """Run a script's definitions with ``torch`` replaced, in its import lines, by a framework."""
    text = path.read_text(encoding="utf-8")
    if framework != "torch":
        text = re.sub(r"^from torch\b", f"from {framework}", text, flags=re.M)
        text = re.sub(r"^import torch\.(\S+) as (\w+)$", rf"import {framework}.\1 as \2", text, flags=re.M)
        text = re.sub(r"^import torch$", f"import {framework} as torch", text, flags=re.M)
    module = types.ModuleType(path.stem)
    exec(compile(text, str(path), "exec"), vars(module))
    return module


def weights(model):
    """Return the weights of a model, or of a dict of tensors, as arrays."""
    state = model if isinstance(model, dict) else model.state_dict()
    return {name: np.array(tensor.detach().numpy()) for name, tensor in state.items()}


def losses_of_both(path):
    theirs, ours = (with_imports_of(framework, path) for framework in ("torch", "tinytorch"))
    torch.manual_seed(0)
    model = theirs.make_model()
    twin, same = ours.make_model(), weights(model)
    assert {name: array.shape for name, array in weights(twin).items()} == {name: array.shape for name, array in same.items()}
    if isinstance(twin, dict):
        twin = {name: tinytorch.tensor(array) for name, array in same.items()}
    else:
        twin.load_state_dict({name: tinytorch.tensor(array) for name, array in same.items()})
    return theirs.train(model), ours.train(twin)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_gives_the_same_losses(path):
    theirs, ours = losses_of_both(path)
    assert len(theirs) == len(ours) > 10
    assert theirs[0] != theirs[-1]
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_a_planted_fault_is_found(monkeypatch):
    from tinytorch.activations import relu

    monkeypatch.setattr(relu, "forward", lambda a: np.maximum(a, np.float32(0.05)))
    theirs, ours = losses_of_both(Path(__file__).parent / "scripts" / "mlp.py")
    assert np.abs(np.subtract(theirs, ours)).max() > 1e-3


def test_there_are_six_scripts():
    assert len(SCRIPTS) >= 6
