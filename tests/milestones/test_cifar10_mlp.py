"""The CIFAR-10 milestone, on a stand-in of ten colours: its recipes, what it reports, and how it goes on."""

import os
from pathlib import Path

import pytest

PROMISED = {
    "test_accuracy",
    "test_accuracy_error",
    "test_loss",
    "recipe",
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


@pytest.fixture
def coloured(milestone, cifar10):
    """Return a function that trains on the stand-in; the default takes a second an epoch."""

    def run(*arguments, recipe="baseline", size="1000"):
        return milestone("cifar10_mlp.py", "--data-dir", str(cifar10), "--recipe", recipe, "--batch-size", size, *arguments)

    return run


def test_learns_the_colours_and_reports(coloured):
    said, status, metrics = coloured("--epochs", "3", "--lr", "0.1")
    assert status == 0, said
    assert metrics.keys() >= PROMISED
    assert metrics["test_accuracy"] > 0.3, "chance is 0.1"
    assert (metrics["recipe"], metrics["network"], metrics["data"]) == ("baseline", "3072-256-64-10", "CIFAR-10")
    assert metrics["steps"] == 3 * 48, "2,000 of the 50,000 examples are kept for validation"
    assert all(0 < one["validation_accuracy"] <= 1 for one in metrics["history"])
    assert "validation accuracy" in said and "test accuracy" in said.split("epoch 3/3")[1].split("\n", 1)[1]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["seed", "best"])
def test_the_larger_recipes_train(coloured, recipe):
    said, status, metrics = coloured("--epochs", "1", "--lr", "1e-3", recipe=recipe, size="4000")
    assert status == 0, said
    assert metrics["network"] == "3072-1024-512-256-128-10"
    assert metrics["steps"] == 12
    assert metrics["test_accuracy"] > 0.2, "chance is 0.1"


@pytest.mark.slow  # half a minute; the other milestones' are quicker, and run with every commit
def test_goes_on_after_a_kill_with_the_same_figures(coloured, kill, cifar10):
    arguments = ("--epochs", "4", "--lr", "0.05")
    whole = coloured(*arguments)[2]
    kill("cifar10_mlp.py", "--data-dir", str(cifar10), "--recipe", "baseline", "--batch-size", "1000", *arguments, after=2)
    said, status, resumed = coloured(*arguments, "--resume")
    assert status == 0, said
    assert "epoch 1/4" not in said and "epoch 4/4" in said
    for name in ("test_accuracy", "test_loss", "steps"):
        assert resumed[name] == whole[name], name
    for name in ("train_loss", "validation_loss", "lr"):
        assert [one[name] for one in resumed["history"]] == [one[name] for one in whole["history"]], name


@pytest.mark.slow
def test_prefetching_changes_no_figure(coloured):
    one, two = (coloured("--epochs", "1", "--threads", threads)[2] for threads in ("1", "2"))
    assert one["test_loss"] == pytest.approx(two["test_loss"], rel=1e-3)


def test_does_not_go_on_with_another_recipe(coloured):
    coloured("--epochs", "1")
    said, status, metrics = coloured("--epochs", "1", "--resume", "--seed", "1")
    assert (status, metrics) == (2, None)
    assert "seed" in said and "without --resume" in said and "Traceback" not in said


def test_without_data_says_what_to_do(milestone, tmp_path):
    said, status, metrics = milestone("cifar10_mlp.py", "--data-dir", str(tmp_path / "nothing"))
    assert (status, metrics) == (2, None)
    assert "CIFAR-10" in said and "Traceback" not in said


@pytest.mark.parametrize("arguments", [["--recipe", "bset"], ["--epochs", "0"]])
def test_refuses_what_makes_no_sense(milestone, arguments):
    said, status, metrics = milestone("cifar10_mlp.py", *arguments)
    assert (status, metrics) == (2, None)
    assert arguments[1] in said


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "least"), [("baseline", 0.35), ("seed", 0.572), ("best", 0.585)])
def test_sees_small_pictures(milestone, recipe, least):
    folder = os.environ.get("TINYTORCH_DATA")
    if not folder or not (Path(folder) / "cifar-10-batches-bin").is_dir():
        pytest.skip("needs CIFAR-10: set TINYTORCH_DATA to the folder that holds cifar-10-batches-bin/")
    said, status, metrics = milestone("cifar10_mlp.py", "--data-dir", folder, "--recipe", recipe, "--threads", "2")
    assert status == 0, said
    assert metrics["test_accuracy"] >= least
