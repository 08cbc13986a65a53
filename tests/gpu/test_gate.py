"""The compile gate: every kernel as machine code for an old and a new GPU, without a GPU. `pytest -m gate` runs it.

No number is a float64, no register is spilled, no thread has a stack, and few enough registers are used.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.gate,
    pytest.mark.skipif(importlib.util.find_spec("numba_cuda") is None, reason='needs pip install "tinytorch-course[gate]"'),
]
TARGETS = ("sm_75", "sm_90")
REGISTERS = 64  # of a thread: 1024 threads then share the 65,536 of a multiprocessor
LARGE_ANGLES = ("sin", "cos")  # the library's own path for angles beyond 100,000 computes in float64
BUDGET = {"convolution": 80, "8 x 8 in registers": 128}  # three blocks of 256 threads then share them, or two


@pytest.fixture(scope="module")
def compiled():
    """Return what the assembler said of each kernel for each target."""
    words = [sys.executable, str(Path(__file__).with_name("gate.py")), *TARGETS]
    done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_every_kernel_compiles(compiled):
    assert not [found for found in compiled if "error" in found]
    assert len(compiled) > 100


@pytest.mark.parametrize("what", ["f64", "stack", "spilled"])
def test_no_kernel_has(compiled, what):
    bad = {(found["kernel"], found["target"]): found[what] for found in compiled if found.get(what)}
    assert not {
        kernel: count for kernel, count in bad.items() if (what, kernel[0]) not in [("f64", name) for name in LARGE_ANGLES]
    }


def test_registers_are_within_the_budget(compiled):
    over = {
        (found["kernel"], found["target"]): found["registers"]
        for found in compiled
        if found.get("registers", 0) > BUDGET.get(found["kernel"].partition(",")[0], REGISTERS)
    }
    assert not over
