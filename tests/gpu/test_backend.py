"""Which CUDA is chosen, and why: each case with packages that are there or not."""

import sys
import types

import numpy as np
import pytest

from tinytorch.given.gpu import backend


@pytest.fixture
def packages(monkeypatch):
    """Return a function that says which packages of numba's are installed, and whether they find a GPU."""
    monkeypatch.delenv(backend.ASKED, raising=False)
    installed = {}
    monkeypatch.setattr(backend, "version", installed.get)
    backend.choose.cache_clear()
    backend.chosen_cuda.cache_clear()

    def install(package, gpu, error=None):
        def current():
            if error:
                raise RuntimeError(error)
            return types.SimpleNamespace(name=b"NVIDIA Test", compute_capability=(9, 0))

        cuda = types.SimpleNamespace(is_available=lambda: gpu, get_current_device=current)
        installed[package] = "1.2"
        monkeypatch.setitem(sys.modules, f"{backend.PACKAGES[package]}.cuda", cuda)
        return cuda

    yield install
    backend.choose.cache_clear()
    backend.chosen_cuda.cache_clear()


def test_without_packages_the_simulator_runs_and_says_why(packages):
    chosen = backend.choose()
    assert chosen.name == "simulator" and chosen.gpu is None
    assert "numba-cuda-mlir is not installed" in chosen.why and "numba-cuda is not installed" in chosen.why


def test_packages_without_a_gpu_take_the_simulator(packages):
    packages("numba-cuda", gpu=False, error="CUDA_ERROR_NO_DEVICE (100)\nmore")
    chosen = backend.choose()
    assert chosen.name == "simulator" and "numba-cuda 1.2 finds no GPU (CUDA_ERROR_NO_DEVICE (100))" in chosen.why


@pytest.mark.parametrize("package", backend.PACKAGES)
def test_a_package_with_a_gpu_is_taken(packages, package):
    cuda = packages(package, gpu=True)
    chosen = backend.choose()
    assert chosen.name == package and backend.cuda is cuda
    assert chosen.gpu == "NVIDIA Test, compute capability 9.0"


def test_the_successor_comes_first(packages):
    packages("numba-cuda", gpu=True)
    first = packages("numba-cuda-mlir", gpu=True)
    assert backend.cuda is first


def test_numba_cuda_gets_the_function_that_numpy_dropped(packages, monkeypatch):
    monkeypatch.delattr(np, "row_stack", raising=False)
    packages("numba-cuda", gpu=True)
    backend.choose()
    assert np.row_stack is np.vstack


def test_the_variable_asks_for_one(packages, monkeypatch):
    packages("numba-cuda", gpu=True)
    monkeypatch.setenv(backend.ASKED, "simulator")
    assert backend.choose().name == "simulator"


@pytest.mark.parametrize(
    "asked, error, says", [("numba", ValueError, "got 'numba'"), ("numba-cuda-mlir", RuntimeError, "is not installed")]
)
def test_what_cannot_be_had_is_said(packages, monkeypatch, asked, error, says):
    monkeypatch.setenv(backend.ASKED, asked)
    with pytest.raises(error, match=says):
        backend.choose()


def test_doctor_says_who_runs_the_kernels(monkeypatch):
    from tito import diagnosis

    monkeypatch.setenv(backend.ASKED, "simulator")
    (finding,) = diagnosis.gpu()
    assert finding.fine and finding.text.split("\n       ") == ["CUDA: simulator", "TINYTORCH_CUDA asks for it"]
    monkeypatch.setenv(backend.ASKED, "other")
    (finding,) = diagnosis.gpu()
    assert not finding.fine and "got 'other'" in finding.text and finding.optional
