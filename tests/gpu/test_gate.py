"""The compile gate: every kernel as machine code for an old and a new GPU, without a GPU. `pytest -m gate` runs it.

No number is a float64, no register is spilled, no thread has a stack, and few enough registers are used.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tinytorch.given.gpu import backend

pytestmark = pytest.mark.gate
TARGETS = ("sm_75", "sm_90")
REGISTERS = 64  # of a thread: 1024 threads then share the 65,536 of a multiprocessor
LARGE_ANGLES = {("f64", "sin"), ("f64", "cos")}  # the library's own path for angles beyond 100,000 computes in float64
# 20 bytes, on GPUs of 2018 only; more than 128 registers a thread would leave room for one block instead of two.
SPILLS = {("numba-cuda-mlir", "8 x 8 in registers, a.T @ b", "sm_75")}
BUDGET = {"convolution": 80, "8 x 8 in registers": 128}  # three blocks of 256 threads then share them, or two


@pytest.fixture(scope="module", params=backend.PACKAGES)
def compiled(request):
    """Return what the assembler said of each kernel for each target, from one of the two compilers."""
    if backend.version(request.param) is None:
        pytest.skip('needs pip install "tinytorch-course[gate]"')
    words = [sys.executable, str(Path(__file__).with_name("gate.py")), *TARGETS, f"package={request.param}"]
    done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr[-2000:]
    return request.param, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_every_kernel_compiles(compiled):
    _, reports = compiled
    assert not [report for report in reports if "error" in report]
    assert len(reports) > 200


@pytest.mark.parametrize("what", ["f64", "stack", "spilled"])
def test_no_kernel_has(compiled, what):
    package, reports = compiled
    bad = {(report["kernel"], report["target"]): report[what] for report in reports if report.get(what)}
    known = {place for place in bad if (what, place[0]) in LARGE_ANGLES or (package, *place) in SPILLS}
    assert not {place: count for place, count in bad.items() if place not in known}


def test_registers_are_within_the_budget(compiled):
    _, reports = compiled
    over = {
        (report["kernel"], report["target"]): report["registers"]
        for report in reports
        if report.get("registers", 0) > BUDGET.get(report["kernel"].partition(",")[0], REGISTERS)
    }
    assert not over
