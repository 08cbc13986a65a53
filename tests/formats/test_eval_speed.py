"""Evaluating 10,000 digits on one thread beside PyTorch, in turn, in CPU time: `-m bench`."""

import importlib.util

import pytest

from tito import workspace

pytestmark = pytest.mark.bench
BATCH = 500  # as in ggml's mnist-eval


@pytest.fixture(scope="module")
def evaluation():
    pytest.importorskip("torch")
    pytest.importorskip("numba")
    path = workspace.course_dir() / "benchmarks" / "evaluation.py"
    spec = importlib.util.spec_from_file_location("evaluation", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["fc", "cnn"])
def test_evaluation_takes_no_longer_than_pytorch_s(evaluation, name):
    times = evaluation.measure(name, BATCH, rounds=9)
    print(name, times)
    assert evaluation.ratio(times) <= evaluation.MOST[name]
