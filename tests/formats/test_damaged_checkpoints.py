"""A damaged checkpoint is refused in our own words, and leaves the training as it was."""

import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from tinytorch.data import DataLoader, TensorDataset
from tinytorch.given import safetensors
from tinytorch.layers import Dropout, Linear, Sequential
from tinytorch.losses import cross_entropy
from tinytorch.optim import AdamW, StepLR
from tinytorch.tensor import Tensor
from tinytorch.training import EarlyStopping, Trainer, load_checkpoint

sys.path.insert(0, str(Path(__file__).parent))
from damaging import damaged


def training(path, seed=0):
    rng = np.random.default_rng(seed)
    model = Sequential(Linear(3, 4, rng=rng), Dropout(0.1, rng=rng), Linear(4, 2, rng=rng))
    optimizer = AdamW(model.parameters(), lr=0.01)
    trainer = Trainer(model, cross_entropy, optimizer, StepLR(optimizer, 2), [EarlyStopping()], path, settings={"seed": 0})
    images, labels = rng.standard_normal((20, 3)).astype(np.float32), rng.integers(0, 2, 20)
    return trainer, DataLoader(TensorDataset(images, labels), 5, shuffle=True, generator=rng)


def numbers(trainer):
    """Return the weights and moments of a training as one array."""
    state = trainer.optimizer.state_dict()["state"]
    moments = [value for kept in state.values() for value in kept.values()]
    return np.concatenate([np.ravel(array) for array in [*trainer.model.state_dict().values(), *moments]])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "checkpoint.safetensors"
    trainer, loader = training(path)
    trainer.fit(loader, loader, epochs=2)
    return path.read_bytes()


@pytest.fixture
def refused(tmp_path):
    """Return a function that resumes a training from bytes; it returns why they are refused, or "" if they are taken.

    After a refusal nothing of them is left in the training.
    """
    trainer, loader = training(None, seed=7)
    trainer.fit(loader, loader, epochs=1)
    path = tmp_path / "checkpoint.safetensors"

    def resume(data):
        before, epoch = numbers(trainer), trainer.epoch
        path.write_bytes(data)
        try:
            trainer.load_state_dict(load_checkpoint(path))
        except ValueError as error:
            assert type(error).__name__ in ("ValueError", "BadFile"), error
            np.testing.assert_array_equal(numbers(trainer), before)
            assert trainer.epoch == epoch
            return str(error)
        return ""

    return resume


def test_a_whole_one_is_taken(whole, refused):
    assert refused(whole) == ""


@pytest.mark.parametrize("count", [150, pytest.param(10_000, marks=pytest.mark.fuzz)])
def test_a_damaged_one_is_refused_whole(count, whole, refused):
    rng = np.random.default_rng(count)
    silent = [n for n in range(count) if (data := damaged(whole, rng)) != whole and not refused(data)]
    assert silent == []


def test_a_flipped_bit_in_the_arrays_is_refused(whole, refused):
    assert "checksum" in refused(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])


def replaced(whole, old, new):
    """Return the checkpoint with a part of its JSON replaced, and a checksum that fits."""
    arrays, texts = safetensors.parse(whole)
    assert old in texts["state"]
    return safetensors.dump(arrays, {"state": texts["state"].replace(old, new, 1)})


CHANGES = {
    "not JSON": ('"epoch": 2', '"epoch": '),
    "an array that is not there": ('{"array": "model.0.weight"}', '{"array": "model.9.weight"}'),
    "no arrays": ('"model": {', '"other": {'),
    "a list for a dict": ('"optimizer": {', '"optimizer": [], "was": {'),
    "a word for a number": ('"best": ', '"best": "low", "was": '),
    "a generator of another kind": ('"bit_generator": "PCG64"', '"bit_generator": "MT19937"'),
    "no history": ('"history": [', '"history": 3, "was": ['),
    "no epoch": ('"epoch": 2, "stopped"', '"was": 2, "stopped"'),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_state_that_does_not_fit_is_refused_whole(change, whole, refused):
    said = refused(replaced(whole, *CHANGES[change]))
    if change != "a word for a number":  # the word is read when the next epoch ends
        assert "damaged" in said or "does not fit" in said


def test_a_file_of_tensors_of_another_program_is_no_checkpoint(refused):
    assert "no training state" in refused(safetensors.dump({"a": np.zeros(3)}))
    assert "no checksum" in refused(save({"a": np.zeros(3)}))


def test_load_refuses_a_damaged_tree(tmp_path):
    import tinytorch as tt

    (tmp_path / "tree").write_bytes(safetensors.dump({}, {"tinytorch.save": '{"tensor": "gone"}'}))
    with pytest.raises(ValueError, match="tree is damaged"):
        tt.load(tmp_path / "tree")
    tt.save({"a": Tensor([1.0])}, tmp_path / "tree")
    assert tt.load(tmp_path / "tree")["a"].item() == 1.0
