"""Checkpoints: what goes in comes out, bit for bit; the file is whole at every moment; nothing in it can run."""

import math

import numpy as np
import pytest

from tinytorch import training
from tinytorch.given import safetensors

STATE = {
    "epoch": 3,
    "best": math.inf,
    "note": "half\nway",
    "none": None,
    "history": [{"loss": 0.1 + 0.2}, {"loss": math.nan}],
    "arrays": {
        "a.b": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "flag": np.array([True, False]),
        "step": np.array(7),
        "empty": np.zeros((0, 4)),
        "wide": np.array([1e300, -0.0]),
    },
    "generators": {
        name: np.random.Generator(kind(5)).bit_generator.state
        for name, kind in (("pcg", np.random.PCG64), ("mt", np.random.MT19937), ("philox", np.random.Philox))
    },
}


def same(one, other):
    if isinstance(one, np.ndarray):
        return (
            isinstance(other, np.ndarray)
            and one.dtype == other.dtype
            and one.shape == other.shape
            and one.tobytes() == other.tobytes()
        )
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other or (one != one and other != other)


def test_what_goes_in_comes_out(tmp_path):
    training.save_checkpoint(tmp_path / "state", STATE)
    assert same(STATE, training.load_checkpoint(tmp_path / "state"))
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_a_generator_goes_on_where_it_was(tmp_path, kind):
    rng = np.random.Generator(kind(1))
    rng.random(3, np.float32)  # leaves half a draw in store
    training.save_checkpoint(tmp_path / "state", {"rng": rng.bit_generator.state})
    other = np.random.Generator(kind(2))
    other.bit_generator.state = training.load_checkpoint(tmp_path / "state")["rng"]
    assert np.array_equal(rng.integers(0, 1 << 30, 20, np.int32), other.integers(0, 1 << 30, 20, np.int32))


def test_the_weights_can_be_read_by_the_library_that_made_the_format(tmp_path):
    from safetensors.numpy import load_file

    training.save_checkpoint(tmp_path / "state", {"model": {"0.weight": np.ones((2, 3), np.float32)}})
    assert {name: array.shape for name, array in load_file(tmp_path / "state").items()} == {"model.0.weight": (2, 3)}


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-5], lambda data: data[:6], lambda data: b"", lambda data: b"\xff" * 40, lambda data: data + b"more"],
)
def test_a_damaged_file_is_named(tmp_path, damage):
    path = tmp_path / "state.safetensors"
    training.save_checkpoint(path, STATE)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="state.safetensors is not a whole safetensors file"):
        training.load_checkpoint(path)


def test_a_file_of_weights_alone_is_no_checkpoint(tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(safetensors.dump({"weight": np.ones(3)}))
    with pytest.raises(ValueError, match="weights.safetensors has arrays, but no training state"):
        training.load_checkpoint(tmp_path / "weights.safetensors")


def test_what_cannot_be_saved_leaves_the_old_file(tmp_path):
    training.save_checkpoint(tmp_path / "state", {"epoch": 1})
    with pytest.raises(TypeError):
        training.save_checkpoint(tmp_path / "state", {"epoch": object()})
    assert training.load_checkpoint(tmp_path / "state") == {"epoch": 1}


def test_a_failure_in_the_middle_of_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "state"
    path.write_bytes(b"old")

    def write(file):
        file.write(b"ne")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"):
        training.atomically(path, write)
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["state"]
