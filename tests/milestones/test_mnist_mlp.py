"""The MNIST milestone: what it learns, what it reports, and what it says when it cannot run."""

import os
import re
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROMISED = {"test_accuracy", "test_loss", "epochs", "seed", "cpu_seconds", "step_ms_median", "threads", "blas", "kernels"}


@pytest.fixture
def digits(milestone):
    return lambda *arguments, **variables: milestone("mnist_mlp.py", "--data", "mnist-5k", *arguments, **variables)


def test_learns_the_digits(digits):
    said, status, metrics = digits()
    assert status == 0, said
    assert metrics["test_accuracy"] > 0.91, "chance is 0.1; the recipe of the 5,000 images reached 0.934 to 0.944"
    assert metrics["test_loss"] < 0.5, "ln 10 is 2.3"
    assert metrics["test_accuracy_error"] == pytest.approx(
        (metrics["test_accuracy"] * (1 - metrics["test_accuracy"]) / 1000) ** 0.5
    )


def test_reports_what_others_rely_on(digits):
    said, _, metrics = digits("--epochs", "2", "--seed", "3", "--batch-size", "100")
    assert metrics.keys() >= PROMISED
    assert (metrics["epochs"], metrics["seed"], metrics["threads"], metrics["kernels"]) == (2, 3, 1, "numpy")
    assert metrics["steps"] == 80
    assert metrics["fallbacks"] == {}
    assert metrics["blas"] in said
    assert 0 < metrics["step_ms_median"] / 1000 * 25 < 2 * metrics["seconds"]


def test_says_that_these_are_not_all_of_mnist(digits):
    said, _, metrics = digits("--epochs", "1")
    assert re.search(r"data +5,000 MNIST images", said)
    assert metrics["data"] == "5,000 MNIST images"


def test_without_mnist_and_without_a_network_it_trains_on_the_pictures_that_come_along(milestone):
    began = time.monotonic()
    said, status, metrics = milestone("mnist_mlp.py", "--epochs", "1")
    assert status == 0, said
    assert metrics["data"] == "5,000 MNIST images" and metrics["dataset"] == "mnist-5k"
    assert said.count("using the 5,000 MNIST images that come with the course") == 1
    assert time.monotonic() - began < 60


def test_asking_for_mnist_means_all_of_it(milestone):
    said, status, metrics = milestone("mnist_mlp.py", "--data", "mnist")
    assert (status, metrics) == (2, None)
    assert "Tried to download" in said and "--data mnist-5k" in said


def test_a_seed_fixes_every_number(digits):
    losses = [digits("--epochs", "2", "--seed", seed)[2]["test_loss"] for seed in ("1", "1", "2")]
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]


def test_counts_what_a_kernel_set_lacks(digits):
    said, _, metrics = digits("--epochs", "1", "--kernels", "numba", "--hidden", "30")
    assert metrics["kernels"] == "numba"
    assert metrics["fallbacks"]["linear"] >= metrics["steps"], "30 numbers are no whole vectors: the loop leaves the last layer"
    assert f"linear ({metrics['fallbacks']['linear']} times)" in " ".join(said.split())


def test_is_plain_where_nothing_else_can_be_shown(digits):
    said, status, _ = digits("--epochs", "1", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert status == 0, said
    assert said.isascii()
    assert re.search(r"test accuracy +\d\d\.\d\d \+- \d\.\d\d %", said)
    assert all(len(line) <= 80 or line.startswith("  weights ") for line in said.splitlines()), "a path is never cut"


def test_by_hand_and_by_autograd_are_the_same_training(digits):
    by = {kind: digits("--epochs", "3", "--gradients", kind)[2] for kind in ("manual", "autograd")}
    assert by["autograd"]["gradients"] == "autograd"
    assert by["autograd"]["test_loss"] == pytest.approx(by["manual"]["test_loss"], rel=1e-4)
    assert [one["train_loss"] for one in by["autograd"]["history"]] == pytest.approx(
        [one["train_loss"] for one in by["manual"]["history"]], rel=1e-4
    )


def test_without_pytorch_says_what_to_install(digits, tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('no torch')", encoding="utf-8")
    blocked = os.pathsep.join([str(tmp_path), str(ROOT)])
    said, status, metrics = digits("--gradients", "pytorch", PYTHONPATH=blocked)
    assert (status, metrics) == (2, None)
    assert "tinytorch-course[bench]" in said and "Traceback" not in said
    said, status, metrics = digits("--compare", "--epochs", "1", PYTHONPATH=blocked)
    assert status == 0, said
    assert [one["gradients"] for one in metrics["runs"]] == ["manual", "autograd"]
    assert "tinytorch-course[bench]" in said


def test_compares_all_in_one_table(digits, tmp_path):
    pytest.importorskip("torch", reason="the comparison's third row needs PyTorch: pip install tinytorch-course[bench]")
    said, status, metrics = digits("--compare", "--epochs", "2")
    assert status == 0, said
    runs = metrics["runs"]
    assert [one["gradients"] for one in runs] == ["manual", "autograd", "pytorch"]
    assert runs[0]["largest_difference"] == 0 and 0 < runs[2]["largest_difference"] < 1e-3
    assert [one["test_loss"] for one in runs] == pytest.approx([runs[0]["test_loss"]] * 3, rel=1e-3)
    assert len(re.findall(r"^  (?:manual|autograd|pytorch) .* \d+\.\d{3}  \d\.\de[+-]\d\d$", said, re.M)) == 3
    assert not (tmp_path / "run").exists(), "a comparison keeps no weights"


@pytest.mark.slow  # LeNet-5's is quicker, and runs with every commit
def test_goes_on_after_a_kill_with_the_same_figures(digits, kill):
    arguments = ("--epochs", "40", "--hidden", "300")
    whole = digits(*arguments)[2]
    kill("mnist_mlp.py", "--data", "mnist-5k", *arguments, after=5)
    said, status, resumed = digits(*arguments, "--resume")
    assert status == 0, said
    assert "epoch 1/40" not in said and "epoch 40/40" in said
    for name in ("test_accuracy", "test_loss", "steps"):
        assert resumed[name] == whole[name], name
    assert [one["train_loss"] for one in resumed["history"]] == [one["train_loss"] for one in whole["history"]]


def test_does_not_go_on_with_other_options(digits):
    digits("--epochs", "2")
    said, status, metrics = digits("--epochs", "2", "--lr", "0.2", "--resume")
    assert (status, metrics) == (2, None)
    assert "lr was 0.1, and is 0.2 now" in said


def test_does_not_go_on_from_a_torn_file(digits, tmp_path):
    digits("--epochs", "2")
    path = tmp_path / "run" / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    said, status, metrics = digits("--epochs", "2", "--resume")
    assert (status, metrics) == (2, None)
    assert "checkpoint.safetensors" in said and "without --resume" in said


def test_draws_beside_the_weights(digits, tmp_path):
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    said, status, _ = digits("--epochs", "2", "--figures")
    assert status == 0, said
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "checkpoint.safetensors",
        "weights.safetensors",
        "curves.png",
        "confusion.png",
        "filters.png",
        "mistakes.png",
    }


def test_without_data_says_what_to_do(milestone, tmp_path):
    said, status, metrics = milestone("mnist_mlp.py", "--data-dir", str(tmp_path / "nothing"))
    assert (status, metrics) == (2, None)
    assert "--data-dir" in said and "--data mnist-5k" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["--epochs", "0"],
        ["--hidden", "-3"],
        ["--data", "cifar10"],
        ["--lr", "nan"],
        ["--lr", "-1"],
        ["--metrics-json", __file__ + "/metrics.json"],
    ],
)
def test_refuses_what_makes_no_sense(milestone, arguments):
    said, status, metrics = milestone("mnist_mlp.py", *arguments)
    assert (status, metrics) == (2, None)
    assert arguments[1] in said


def test_reads_handwritten_digits(milestone):
    folder = os.environ.get("TINYTORCH_DATA")
    if not folder or not (Path(folder) / "mnist").is_dir():
        pytest.skip("needs MNIST: set TINYTORCH_DATA to the folder that holds mnist/")
    said, status, metrics = milestone("mnist_mlp.py", "--data-dir", folder, "--epochs", "5", "--seed", "1")
    assert status == 0, said
    assert metrics["data"] == "MNIST"
    assert metrics["test_accuracy"] >= 0.970


@pytest.mark.slow
def test_autograd_reads_handwritten_digits(milestone):
    folder = os.environ.get("TINYTORCH_DATA")
    if not folder or not (Path(folder) / "mnist").is_dir():
        pytest.skip("needs MNIST: set TINYTORCH_DATA to the folder that holds mnist/")
    said, status, metrics = milestone("mnist_mlp.py", "--data-dir", folder, "--gradients", "autograd", "--epochs", "15")
    assert status == 0, said
    assert metrics["test_accuracy"] >= 0.975
