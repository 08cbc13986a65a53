"""The milestone of LeNet-5: its networks and recipes, what it reports, and how it goes on."""

import importlib
import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from tinytorch.datasets import CIFAR10, MNIST
from tinytorch.tensor import Tensor

PROMISED = {
    "test_accuracy",
    "test_accuracy_error",
    "test_loss",
    "dataset",
    "model",
    "examples",
    "frozen_filters",
    "epochs",
    "batch_size",
    "lr",
    "seed",
    "threads",
    "cpu_seconds",
    "seconds",
    "steps",
    "step_ms_median",
    "peak_memory_mb",
    "blas",
    "kernels",
    "fallbacks",
    "network",
    "data",
    "history",
}
COLOURS = ("--data", "cifar10", "--batch-size", "50", "--lr", "0.003")


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2] / "milestones")
    return importlib.import_module("lenet5")


@pytest.fixture
def coloured(milestone, cifar10):
    """Return a function that trains on the stand-in for CIFAR-10."""
    return lambda *arguments, **variables: milestone("lenet5.py", "--data-dir", str(cifar10), *COLOURS, *arguments, **variables)


def made_up(kind, shape):
    images = np.random.default_rng(0).integers(0, 256, (300, *shape), dtype=np.uint8)
    labels = (np.arange(300) % 10).astype(np.uint8)
    return kind(images, labels, images[:50], labels[:50])


@pytest.mark.parametrize(
    ("model", "data", "count"),
    [
        ("lenet5", "mnist", 61_706),
        ("lenet5", "cifar10", 62_006),
        ("tutorial", "mnist", 34_826),
        ("mnist-cnn", "mnist", 9_098),
        ("tutorial", "cifar10", 42_442),
    ],
)
def test_networks_have_the_published_sizes(script, model, data, count):
    network = script.network(np.random.default_rng(0), model, data)
    assert sum(one.numel() for one in network.parameters()) == count
    shape = (2, 1, 28, 28) if data == "mnist" else (2, 3, 32, 32)
    assert network(Tensor(np.zeros(shape, np.float32))).shape == (2, 10)
    again = script.network(np.random.default_rng(0), model, data)
    assert all(np.array_equal(one.data, other.data) for one, other in zip(network.parameters(), again.parameters())), (
        "a seed fixes the weights"
    )


def test_every_choice_has_a_recipe(script):
    assert set(script.RECIPES) == {(model, data) for model in script.NAMES for data in ("mnist", "cifar10")} - {
        ("mnist-cnn", "cifar10")
    }
    found = script.read_options(["--data", "cifar10", "--epochs", "3"])
    recipe = script.RECIPES["lenet5", "cifar10"]
    assert (found.epochs, found.lr, found.batch_size) == (3, recipe.lr, 128)
    assert recipe.flip and not script.RECIPES["lenet5", "mnist"].flip, "a mirrored digit is another one, or none"


@pytest.mark.parametrize(("name", "data"), [("mnist", made_up(MNIST, (28, 28))), ("cifar10", made_up(CIFAR10, (3, 32, 32)))])
@pytest.mark.parametrize("examples", [None, 100])
def test_training_validation_and_test_examples_are_apart(script, name, data, examples):
    options = SimpleNamespace(batch_size=50, threads=1, device="cpu")
    recipe, scale = replace(script.RECIPES["lenet5", name], flip=False, shift=0), script.PIXELS[name]
    training, validation, tests = script.loaders(data, recipe, scale, options, np.random.default_rng(0), examples)
    seen, held = ({image.tobytes() for batch in loader for image in batch[0].data} for loader in (training, validation))
    assert (len(seen), len(held)) == (examples or 270, 30) and not seen & held
    assert sum(len(labels) for _, labels in tests) == 50
    images, _ = next(iter(tests))
    shown = script.rebuild(np.random.default_rng(0), {"dataset": name, "model": "lenet5"})[1](data.test_images)
    assert images.dtype == np.float32 and np.array_equal(images.data, shown.data), "a verdict sees the pictures as the run did"


@pytest.mark.parametrize(
    ("name", "data", "mirrored"), [("mnist", made_up(MNIST, (28, 28)), False), ("cifar10", made_up(CIFAR10, (3, 32, 32)), True)]
)
def test_pictures_to_train_on_are_shifted_and_digits_never_mirrored(script, name, data, mirrored):
    options, recipe, scale = (
        SimpleNamespace(batch_size=40, threads=1, device="cpu"),
        script.RECIPES["lenet5", name],
        script.PIXELS[name],
    )
    images, _ = next(iter(script.loaders(data, recipe, scale, options, np.random.default_rng(0))[0]))
    inner, found = slice(8, 18), []
    plain = scale(script.planes(data.train_images), None)
    for way in (plain, plain[..., ::-1]):
        moved = [np.roll(way, (down, right), axis=(2, 3))[..., inner, inner] for down in range(-2, 3) for right in range(-2, 3)]
        apart = [
            np.abs(one - images.data[:, None, ..., inner, inner]).max(axis=(2, 3, 4)).min(axis=1) for one in moved
        ]  # from the nearest
        found.append(np.array(apart) < 1e-5)
    straight, mirror = (one.any(axis=0) for one in found)
    assert (straight | mirror).all() and recipe.shift == 2
    assert 10 < mirror.sum() < 30 if mirrored else not mirror.any()
    assert (found[0].any(axis=1) | found[1].any(axis=1)).sum() > 15, "of 25 shifts"


def test_pixels_lie_around_0(script):
    for name, scale in script.PIXELS.items():
        ends = [scale(np.full((1, len(scale.mean), 1, 1), value, np.uint8), None) for value in (0, 255)]
        assert -2.1 < ends[0].min() and ends[0].max() < -0.4 and 1.8 < ends[1].min() and ends[1].max() < 2.9, name


def test_the_learning_rate_rises_for_a_fifth_and_falls_to_nothing(script):
    rates = [script.RECIPES["lenet5", "mnist"].schedule(1000, 100)(step) for step in range(1000)]
    assert np.argmax(rates) in (199, 200) and max(rates) == 1
    assert rates[0] < 0.01 and rates[-1] < 0.001


@pytest.mark.parametrize("model", ["lenet5", "tutorial"])
def test_learns_the_colours_and_reports(coloured, model):
    said, status, metrics = coloured("--model", model, "--epochs", "2", "--examples", "1000")
    assert status == 0, said
    assert metrics.keys() >= PROMISED
    assert metrics["test_accuracy"] > 0.3, "chance is 0.1"
    assert (metrics["dataset"], metrics["data"], metrics["model"], metrics["examples"]) == ("cifar10", "CIFAR-10", model, 1000)
    assert metrics["steps"] == 2 * 20 and metrics["fallbacks"] == {}
    assert all(0 < one["validation_accuracy"] <= 1 for one in metrics["history"])
    assert "validation accuracy" in said and "test accuracy" in said.split("epoch 2/2")[1].split("\n", 1)[1]


@pytest.mark.parametrize("model", ["lenet5", pytest.param("tutorial", marks=pytest.mark.slow)])
def test_goes_on_after_a_kill_with_the_same_figures(coloured, kill, cifar10, model):
    arguments = ("--model", model, "--epochs", "4", "--examples", "300")
    whole = coloured(*arguments)[2]
    kill("lenet5.py", "--data-dir", str(cifar10), *COLOURS, *arguments, after=2)
    said, status, resumed = coloured(*arguments, "--resume")
    assert status == 0, said
    assert "epoch 1/4" not in said and "epoch 4/4" in said
    for name in ("test_accuracy", "test_loss", "steps"):
        assert resumed[name] == whole[name], name
    for name in ("train_loss", "validation_loss", "lr"):
        assert [one[name] for one in resumed["history"]] == [one[name] for one in whole["history"]], name


@pytest.mark.parametrize("other", [("--examples", "200"), ("--examples", "100", "--frozen-filters")])
def test_does_not_go_on_with_other_choices(coloured, other):
    coloured("--epochs", "1", "--examples", "100")
    said, status, metrics = coloured("--epochs", "1", "--resume", *other)
    assert (status, metrics) == (2, None)
    assert other[-1].strip("-").replace("-", "_") in said or "examples" in said
    assert "without --resume" in said and "Traceback" not in said


def test_frozen_filters_stay_as_chance_made_them(script, coloured, tmp_path):
    said, status, metrics = coloured("--epochs", "1", "--examples", "200", "--frozen-filters", "--seed", "3")
    assert status == 0, said
    assert metrics["frozen_filters"] is True
    weights = load_file(tmp_path / "run" / "weights.safetensors")
    before = script.network(np.random.default_rng(3), "lenet5", "cifar10").state_dict()
    same = {name.partition(".")[0] for name, array in weights.items() if np.array_equal(array, before[name].data)}
    convolutions = {name.partition(".")[0] for name, array in weights.items() if array.ndim == 4}
    assert len(convolutions) == 2 and same == convolutions


def test_keeps_what_a_verdict_asks_for(coloured, tmp_path):
    coloured("--epochs", "1", "--examples", "100", "--seed", "5")
    with safe_open(tmp_path / "run" / "weights.safetensors", framework="numpy") as file:
        about = {name: json.loads(text) for name, text in file.metadata().items()}
    assert (about["milestone"], about["seed"], about["gradients"]) == ("lenet5", 5, "autograd")
    assert about["choices"]["dataset"] == "cifar10" and about["choices"]["model"] == "lenet5"


@pytest.mark.slow  # the larger network's is quicker, and runs with every commit
def test_draws_filters_and_what_they_see(coloured, tmp_path):
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    said, status, _ = coloured("--epochs", "1", "--examples", "200", "--figures")
    assert status == 0, said
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "checkpoint.safetensors",
        "weights.safetensors",
        "curves.png",
        "confusion.png",
        "filters.png",
        "feature_maps.png",
        "mistakes.png",
    }


def test_numba_trains_to_the_same_figures(coloured, numba):
    arguments = ("--epochs", "2", "--examples", "300")
    numpys, numbas = (coloured(*arguments, "--kernels", kernels, **numba)[2] for kernels in ("numpy", "numba"))
    assert numbas["kernels"] == "numba"
    assert (
        not {"convolution", "conv2d_input", "conv2d_weight", "max_pooling", "max_pooling_backward"} & numbas["fallbacks"].keys()
    )
    assert numbas["history"][0]["train_loss"] == pytest.approx(numpys["history"][0]["train_loss"], rel=1e-4)
    assert numbas["test_loss"] == pytest.approx(numpys["test_loss"], rel=1e-2)


@pytest.mark.parametrize(("data", "said"), [("mnist", "MNIST"), ("cifar10", "CIFAR-10")])
def test_without_data_says_what_to_do(milestone, tmp_path, data, said):
    found, status, metrics = milestone("lenet5.py", "--data", data, "--data-dir", str(tmp_path / "nothing"))
    assert (status, metrics) == (2, None)
    assert said in found and "--data-dir" in found and "Traceback" not in found


@pytest.mark.parametrize("arguments", [["--data", "digits"], ["--model", "lenet"], ["--examples", "0"], ["--epochs", "0"]])
def test_refuses_what_makes_no_sense(milestone, arguments):
    said, status, metrics = milestone("lenet5.py", *arguments)
    assert (status, metrics) == (2, None)
    assert arguments[1] in said


@pytest.fixture
def real():
    """Return the folder of the real data sets."""
    folder = os.environ.get("TINYTORCH_DATA")
    if not folder or not (Path(folder) / "mnist").is_dir():
        pytest.skip("needs MNIST: set TINYTORCH_DATA to the folder that holds mnist/")
    return folder


def test_reads_handwritten_digits(milestone, real):
    said, status, metrics = milestone("lenet5.py", "--data-dir", real, "--epochs", "2", "--examples", "4000", "--seed", "1")
    assert status == 0, said
    assert metrics["data"] == "MNIST"
    assert metrics["test_accuracy"] > 0.85


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "data", "least"), [("lenet5", "mnist", 0.987), ("tutorial", "mnist", 0.987), ("lenet5", "cifar10", 0.64)]
)
def test_reaches_its_floor(milestone, real, model, data, least):
    said, status, metrics = milestone(
        "lenet5.py", "--data-dir", real, "--model", model, "--data", data, "--threads", "2", "--seed", "1"
    )
    assert status == 0, said
    assert metrics["test_accuracy"] >= least
