"""Records without measurements, and tito run without the packages that it is compared with."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ABSENT = 'raise ModuleNotFoundError("No module named {name!r}", name="{name}")\n'


@pytest.fixture
def tito(tmp_path):
    """Return a function that runs tito, in a process that lacks the packages named."""

    def run(*words, without=(), cwd=ROOT):
        shutil.rmtree(tmp_path / "absent", ignore_errors=True)
        (tmp_path / "absent").mkdir()
        for name in without:
            (tmp_path / "absent" / f"{name}.py").write_text(ABSENT.format(name=name), encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if name not in ("TINYTORCH_WORKSPACE", "NO_COLOR")}
        return subprocess.run(
            [sys.executable, "-m", "tito", *map(str, words)],
            cwd=cwd,
            encoding="utf-8",
            capture_output=True,
            timeout=300,
            env={**environment, "PYTHONPATH": str(tmp_path / "absent"), "PYTHONIOENCODING": "utf-8"},
            check=False,
        )

    return run


@pytest.fixture
def bench(tito, tmp_path):
    """Return a function that measures cases, and returns the record and what was printed."""

    def run(*words, **options):
        done = tito("bench", *words, "--json", tmp_path / "record.json", **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads((tmp_path / "record.json").read_text(encoding="utf-8")), done.stdout

    return run


def clocked(median, wall=None, width=0.02):
    """Return what a record holds of a variant."""

    def around(middle):
        return {"median": middle, "low": middle * (1 - width), "high": middle * (1 + width)}

    return {
        "check": [2.3, 2.2],
        "first_s": 0.5,
        "fallbacks": [],
        "samples": 9,
        "cpu_ms": around(median),
        "wall_ms": around(wall or median),
    }


def profiled(op, ms, flops, moved, kernels="numpy"):
    """Return what a record holds of an op in a profile."""
    return {"op": op, "kernels": kernels, "calls": 2, "ms": ms, "flops": flops, "bytes": moved}


@pytest.fixture
def profile():
    """What a record holds of the steps that were profiled: products of 1e9 FLOPs, and an update of 1e7 bytes."""
    rows = [profiled("matmul", 600.0, 6e8, 1e6), profiled("linear", 300.0, 4e8, 1e6), profiled("adam_update", 200.0, 3e6, 1e7)]
    faster = [*rows[:2], profiled("adam_update", 50.0, 3e6, 1e7, "numba"), profiled("pooling", 30.0, 0, 1e6, "numba")]
    return {"machine": {"flops": 2e9, "memory": 2e8, "cache": 1e9}, "kernels": {"numpy": rows, "numba": faster}}


@pytest.fixture
def record(profile):
    """A record whose lines are as long as lines become."""
    names = (
        "tinytorch numpy",
        "tinytorch numba",
        "by hand numpy",
        "by hand numba",
        "PyTorch",
        "PyTorch fused",
        "PyTorch channels_last",
        "PyTorch channels_last fused",
    )
    variants = {name: clocked(1234.5 + number, 9999.4, width=3.0) for number, name in enumerate(names)}
    ratios = {name: 10.54 for name in names}
    long = "ValueError: the shapes do not fit, and this is told at length, with all numbers: (128, 784) and (785, 256); layers.ipynb, cell 9"
    result = {
        "clock": "cpu",
        "variants": variants,
        "absent": {"tinygrad": long, "torch": "torch is not installed"},
        "fastest_pytorch": "PyTorch channels_last fused",
        "ratios": ratios,
    }
    entry = {
        "case": "cifar10-mlp",
        "title": "A step of the CIFAR-10 MLP, 3072-1024-512-256-128-10, with Adam",
        "size": "batch 128",
        "threads": {"1": {**result, "roofline": profile}, "2": {**result, "clock": "wall"}, "4": {**result, "clock": "wall"}},
    }
    memory = [
        {
            "case": case,
            "title": "",
            "size": "batch 128",
            "variants": {name: {"peak_mb": 1234.5, "imported_mb": 538.2, "absent": None} for name in names},
        }
        for case in ("cifar10-mlp", "lenet5", "tutorial")
    ]
    imports = {
        "case": "import",
        "title": "Imports",
        "absent": {"tinygrad": long},
        "variants": {
            name: {**clocked(3034.7, 7084.4), "peak_mb": 538.2} for name in ("numpy", "tinytorch, all modules", "PyTorch")
        },
    }
    libraries = {
        "numpy": {"version": "2.4.6", "blas": "openblas", "blas_version": "0.3.31.188.0", "architecture": "SkylakeX"},
        "torch": {"version": "2.13.0+cpu", "cpu_capability": "AVX512", "mkl": True, "libraries": []},
        "numba": {"version": "0.68.1"},
    }
    machine = {
        "processor": "AMD EPYC 9V74 80-Core Processor (AuthenticAMD, family 25, model 17)",
        "cores": 2,
        "system": "Linux",
        "python": "3.11.7",
        "load": 0.05,
        "settings": {"OPENBLAS_CORETYPE": "Haswell"},
    }
    return {
        "schema": 1,
        "date": "2026-11-21",
        "machine": machine,
        "libraries": libraries,
        "threads": [1, 2, 4],
        "cases": [entry, {"case": "lenet5", "title": "A step of LeNet-5", "needs": ["12"], "threads": {}}],
        "imports": imports,
        "memory": memory,
        "load_after": 1.0,
    }
