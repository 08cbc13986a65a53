"""The milestone with batch normalisation, on a stand-in of ten colours: what it reports, and how it goes on."""

import importlib
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

SMALL = ("--widths", "4", "6", "8", "--batch-size", "50", "--examples", "500", "--lr", "0.01")


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2] / "milestones")
    return importlib.import_module("cifar10_cnn")


@pytest.fixture
def coloured(milestone, cifar10):
    """Return a function that trains a small network on the stand-in."""
    return lambda *arguments, **variables: milestone(
        "cifar10_cnn.py", "--data-dir", str(cifar10), *SMALL, *arguments, **variables
    )


@pytest.mark.parametrize(("recipe", "count"), [("small", 113_962), ("large", 399_146)])
def test_the_networks_have_the_sizes_that_are_quoted(script, recipe, count):
    options = script.read_options(["--recipe", recipe])
    network = script.rebuild(np.random.default_rng(0), {"widths": options.widths})[0]
    assert sum(one.numel() for one in network.parameters()) == count
    kept = set(network.state_dict()) - {name for name, _ in network.named_parameters()}
    assert len(kept) == 3 * len(options.widths), "three vectors or numbers for each BatchNorm"
    assert (options.epochs, options.lr) == (script.RECIPES[recipe].epochs, script.RECIPES[recipe].lr)


def test_learns_the_colours_and_reports(coloured):
    said, status, metrics = coloured("--epochs", "3")
    assert status == 0, said
    assert metrics["test_accuracy"] > 0.3, "chance is 0.1"
    assert (metrics["widths"], metrics["data"], metrics["steps"], metrics["fallbacks"]) == ([4, 6, 8], "CIFAR-10", 30, {})
    assert "conv 4-6-8 with BatchNorm, linear" in said
    assert all(0 < one["validation_accuracy"] <= 1 for one in metrics["history"])


def test_goes_on_after_a_kill_with_the_same_figures(coloured, kill, cifar10, tmp_path):
    arguments = ("--epochs", "4")
    whole = coloured(*arguments)[2]
    weights = load_file(tmp_path / "run" / "weights.safetensors")
    kill("cifar10_cnn.py", "--data-dir", str(cifar10), *SMALL, *arguments, after=2)
    said, status, resumed = coloured(*arguments, "--resume")
    assert status == 0, said
    assert "epoch 1/4" not in said and "epoch 4/4" in said
    for name in ("test_accuracy", "test_loss", "steps"):
        assert resumed[name] == whole[name], name
    again = load_file(tmp_path / "run" / "weights.safetensors")
    assert again.keys() == weights.keys() and any("running_var" in name for name in weights)
    assert all(np.array_equal(array, again[name]) for name, array in weights.items()), "running statistics, too"


def test_prefetching_changes_no_figure(coloured):
    one, two = (coloured("--epochs", "1", "--threads", threads)[2] for threads in ("1", "2"))
    assert one["test_loss"] == pytest.approx(two["test_loss"], rel=1e-3)


def test_does_not_go_on_with_another_network(coloured):
    coloured("--epochs", "1")
    said, status, metrics = coloured("--epochs", "1", "--widths", "4", "6", "9", "--resume")
    assert (status, metrics) == (2, None)
    assert "widths" in said and "without --resume" in said and "Traceback" not in said


def test_frozen_filters_stay_and_the_rest_is_trained(script, coloured, tmp_path):
    said, status, _ = coloured("--epochs", "1", "--frozen-filters")
    assert status == 0, said
    weights = load_file(tmp_path / "run" / "weights.safetensors")
    before = script.network(np.random.default_rng(0), [4, 6, 8]).state_dict()
    same = {name for name, array in weights.items() if np.array_equal(array, before[name].data)}
    assert same == {name for name, array in weights.items() if array.ndim == 4}


def test_draws_filters_and_what_they_see(coloured, tmp_path):
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    said, status, _ = coloured("--epochs", "1", "--figures")
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


@pytest.mark.slow  # LeNet-5's runs with every commit
def test_numba_trains_to_the_same_figures(coloured, numba):
    numpys, numbas = (coloured("--epochs", "2", "--kernels", kernels, **numba)[2] for kernels in ("numpy", "numba"))
    assert numbas["kernels"] == "numba"
    assert (
        not {"convolution", "conv2d_input", "conv2d_weight", "max_pooling", "max_pooling_backward"} & numbas["fallbacks"].keys()
    )
    assert numbas["history"][0]["train_loss"] == pytest.approx(numpys["history"][0]["train_loss"], rel=1e-4)
    assert numbas["test_loss"] == pytest.approx(numpys["test_loss"], rel=2e-2)


def test_without_data_says_what_to_do(milestone, tmp_path):
    said, status, metrics = milestone("cifar10_cnn.py", "--data-dir", str(tmp_path / "nothing"))
    assert (status, metrics) == (2, None)
    assert "CIFAR-10" in said and "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("--widths 0", "0 is not a whole number above 0"),
        ("--widths 1 1 1 1 1 1", "6 pools leave nothing"),
        ("--epochs 0", "0 is not a whole number above 0"),
        ("--recipe best", "'best'"),
    ],
)
def test_refuses_what_makes_no_sense(milestone, arguments, reason):
    said, status, metrics = milestone("cifar10_cnn.py", *arguments.split())
    assert (status, metrics) == (2, None)
    assert reason in said


@pytest.mark.slow
def test_reaches_its_floor(milestone):
    folder = os.environ.get("TINYTORCH_DATA")
    if not folder or not (Path(folder) / "cifar-10-batches-bin").is_dir():
        pytest.skip("needs CIFAR-10: set TINYTORCH_DATA to the folder that holds cifar-10-batches-bin/")
    said, status, metrics = milestone("cifar10_cnn.py", "--data-dir", folder, "--kernels", "numba", "--threads", "2")
    assert status == 0, said
    assert metrics["test_accuracy"] >= 0.78
