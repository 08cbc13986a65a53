"""Every case of tests/autograd/test_every_op.py, captured with its gradient: a replay gives the numbers of the op itself."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import tinytorch
from tinytorch.tensor import Tensor

spec = importlib.util.spec_from_file_location("every_op", Path(__file__).parents[1] / "autograd" / "test_every_op.py")
every_op = importlib.util.module_from_spec(spec)
spec.loader.exec_module(every_op)


@pytest.mark.parametrize("case", every_op.CASES, ids=[f"{case.op.name}-{n}" for n, case in enumerate(every_op.CASES)])
def test_a_replay_gives_what_the_op_gives(case):
    def step(*inputs):
        inputs = [x.detach().requires_grad_() for x in inputs]
        out = case.ours(*inputs)
        out.backward(out.detach() * 0.5 + 1)
        return out.detach(), *[x.grad for x in inputs]

    captured = tinytorch.capture(step)
    for turn in range(4):
        arrays = [array * np.float32(1 + turn / 8) for array in case.arrays(np.float32)]
        expected = step(*map(Tensor, arrays))
        for one, other in zip(captured(*map(Tensor, arrays)), expected, strict=True):
            assert one.dtype == other.dtype and np.array_equal(one.data, other.data, equal_nan=True)
    assert any(captured.tapes.values()), "it was not replayed"
