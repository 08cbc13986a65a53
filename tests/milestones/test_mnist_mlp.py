"""The MNIST milestone: what it learns, what it reports, and what it says when it cannot run."""
import os
import re
from pathlib import Path

import pytest

PROMISED = {"test_accuracy", "test_loss", "epochs", "seed", "cpu_seconds", "step_ms_median", "threads", "blas", "kernels"}


@pytest.fixture
def digits(milestone):
    pytest.importorskip("sklearn", reason="the 8x8 digits come with scikit-learn: pip install tinytorch-course[digits]")
    return lambda *arguments, **variables: milestone("mnist_mlp.py", "--data", "digits", *arguments, **variables)


def test_learns_the_digits(digits):
    said, status, metrics = digits("--epochs", "20")
    assert status == 0, said
    assert metrics["test_accuracy"] > 0.88, "chance is 0.1; the same recipe reached 0.91 to 0.93"
    assert metrics["test_loss"] < 0.5, "ln 10 is 2.3"
    assert metrics["test_accuracy_error"] == pytest.approx((metrics["test_accuracy"] * (1 - metrics["test_accuracy"]) / 297) ** 0.5)


def test_reports_what_others_rely_on(digits):
    said, _, metrics = digits("--epochs", "2", "--seed", "3", "--batch-size", "100")
    assert metrics.keys() >= PROMISED
    assert (metrics["epochs"], metrics["seed"], metrics["threads"], metrics["kernels"]) == (2, 3, 1, "numpy")
    assert metrics["steps"] == 30
    assert metrics["fallbacks"] == {}
    assert metrics["blas"] in said
    assert 0 < metrics["step_ms_median"] / 1000 * 25 < 2 * metrics["seconds"]


def test_says_that_the_digits_are_not_mnist(digits):
    said, _, metrics = digits("--epochs", "1")
    assert re.search(r"data +digits \(8x8, not MNIST\)", said)
    assert metrics["data"] == "digits (8x8, not MNIST)"


def test_a_seed_fixes_every_number(digits):
    losses = [digits("--epochs", "2", "--seed", seed)[2]["test_loss"] for seed in ("1", "1", "2")]
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]


def test_counts_what_a_kernel_set_lacks(digits):
    said, _, metrics = digits("--epochs", "1", "--kernels", "numba")
    assert metrics["kernels"] == "numba"
    assert metrics["fallbacks"]["matmul"] >= 2 * metrics["steps"], "two linear layers a step, and no numba kernel for either"
    assert f"matmul ({metrics['fallbacks']['matmul']} times)" in " ".join(said.split())


def test_is_plain_where_nothing_else_can_be_shown(digits):
    said, status, _ = digits("--epochs", "1", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert status == 0, said
    assert said.isascii()
    assert re.search(r"test accuracy +\d\d\.\d\d \+- \d\.\d\d %", said)
    assert max(map(len, said.splitlines())) <= 80


def test_autograd_trains_the_network_that_gradients_by_hand_train(digits):
    (_, _, manual), (_, _, autograd) = (digits("--epochs", "3", "--gradients", kind) for kind in ("manual", "autograd"))
    assert autograd["test_accuracy"] == manual["test_accuracy"]
    assert autograd["test_loss"] == pytest.approx(manual["test_loss"], rel=1e-4)


def test_without_data_says_what_to_do(milestone, tmp_path):
    said, status, metrics = milestone("mnist_mlp.py", "--data-dir", str(tmp_path / "nothing"))
    assert (status, metrics) == (2, None)
    assert "--data-dir" in said and "--data digits" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("arguments", [["--epochs", "0"], ["--hidden", "-3"], ["--data", "cifar10"]])
def test_refuses_what_makes_no_sense(milestone, arguments):
    said, status, metrics = milestone("mnist_mlp.py", *arguments)
    assert (status, metrics) == (2, None)
    assert arguments[1] in said


@pytest.mark.slow
def test_reads_handwritten_digits(milestone):
    folder = os.environ.get("TINYTORCH_DATA")
    if not folder or not (Path(folder) / "mnist").is_dir():
        pytest.skip("needs MNIST: set TINYTORCH_DATA to the folder that holds mnist/")
    said, status, metrics = milestone("mnist_mlp.py", "--data-dir", folder, "--epochs", "5", "--seed", "1")
    assert status == 0, said
    assert metrics["data"] == "MNIST"
    assert metrics["test_accuracy"] >= 0.970
