"""Every case of tests/autograd/test_every_op.py on the device, in the simulator: values and gradients are those of the CPU.

Ops without a CUDA kernel say so, and are listed here: a milestone uses none of them.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tinytorch.given import op as registry
from tinytorch.tensor import Tensor

spec = importlib.util.spec_from_file_location("every_op", Path(__file__).parents[1] / "autograd" / "test_every_op.py")
every_op = importlib.util.module_from_spec(spec)
spec.loader.exec_module(every_op)


def first_of(name):
    """Return the number of an op's first case."""
    return next(number for number, case in enumerate(every_op.CASES) if case.op.name == name)


WITHOUT = {  # ops that have no kernel for the device, or whose rule calls one that has none
    *("floor", "ceil", "trunc", "signs", "round_to", "fmod", "clamped", "prod", "cumsum", "cumprod"),
    *("retained", "scatter_to", "scatter_sum", "nll_loss", "unfold", "fold"),
    *("max_pooling_pick", "max_pooling_backward", "average_pooling", "average_pooling_backward"),
}
INDEXED = [  # by more than rows: several arrays, an array along another axis, or truth values
    every_op.CASES[number]
    for number, case in enumerate(every_op.CASES)
    if case.op.name == "getitem" and number - first_of("getitem") in (7, 8, 9, 10, 11)
]
INDEX = "on cuda an index is made of whole numbers and slices"


def bringing(apply):
    """Return `apply`, with the arrays that a case brings along, such as labels, moved to the device."""

    def bring(op, *inputs, **params):
        arrays = [Tensor(x) if isinstance(x, np.ndarray) else x for x in inputs]
        return apply(op, *[x.to("cuda") if isinstance(x, Tensor) and x.device == "cpu" else x for x in arrays], **params)

    return bring


def run(case, device):
    """Return the result of a case, and the gradients of its inputs."""
    inputs = [Tensor(array).to(device).requires_grad_() for array in case.arrays(np.float32)]
    out = case.ours(*inputs)
    upstream = np.random.default_rng(3).standard_normal(out.shape).astype(np.float32)
    out.backward(Tensor(upstream).to(device))
    return out.detach().cpu().numpy(), *[x.grad.cpu().numpy() for x in inputs]


@pytest.mark.parametrize("case", every_op.CASES, ids=[f"{case.op.name}-{n}" for n, case in enumerate(every_op.CASES)])
def test_the_device_gives_what_the_cpu_gives(case, cuda, monkeypatch):
    expected = run(case, "cpu")
    monkeypatch.setitem(registry._parts, "apply", bringing(registry.part("apply")))
    if case.op.name in WITHOUT:
        with pytest.raises(NotImplementedError, match=r"has no cuda kernel: write one with @\w+.register_kernel\('cuda'\)"):
            run(case, "cuda")
        return
    if case in INDEXED:
        with pytest.raises(TypeError, match=INDEX):
            run(case, "cuda")
        return
    for one, other in zip(run(case, "cuda"), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
