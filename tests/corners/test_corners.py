"""What PyTorch gives at every corner of `corner_calls.py` is what both kernel sets give; its answers are recorded, so that none is needed."""

import contextlib
import importlib.util
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import tinytorch as tt
from tinytorch.tensor import Tensor

sys.path.insert(0, str(Path(__file__).parent))
import corner_calls

ON_PURPOSE = {  # what differs, and why
    "x//-3 of uint8": "a Python number that the dtype cannot hold is refused, where PyTorch wraps it around",
    "x%-3 of uint8": "the same",
    "x**2 of bool": "NumPy's power of bool is int8; PyTorch's is int64",
    "x.mT of 0-d": "a single number has no axes to swap; PyTorch lets it pass and says that it will not for long",
    "x**0.5 at the ends, 33": "the gradient at -inf is 0, as of C's pow; PyTorch takes a root there",
}
CALLS = list(corner_calls.calls())
RECORD = json.loads(corner_calls.RECORDED.read_text(encoding="utf-8"))
GROUPS = sorted({name.rpartition(" of ")[2] if " of " in name else "the ends" for name, *_ in CALLS})
SETS = ["numpy", *(["numba"] if importlib.util.find_spec("numba") else [])]


def make(array, requires_grad):
    return Tensor(array, requires_grad=requires_grad)


def agree(got, wanted):
    """Compare two outcomes: numbers to five digits; where PyTorch has no gradient rule, ours does not count."""
    if wanted[0] == "error" or got[0] in ("error", "python"):
        return got[0] == wanted[0] and (got[0] == "error" or got == wanted)
    pairs = [(a, b) for a, b in zip(got[2:], wanted[2:]) if not isinstance(b, str)]
    same = got[:2] == wanted[:2] and (len(got) == len(wanted) or isinstance(wanted[-1], str))
    return same and all(np.shape(a) == np.shape(b) and close(a, b) for a, b in pairs)


def close(a, b):
    return np.allclose(np.asarray(a, np.float64), np.asarray(b, np.float64), rtol=1e-5, atol=1e-6, equal_nan=True)


def differences(outcomes, group):
    """List the calls of a group whose outcome is another than PyTorch's; what PyTorch does not do for whole numbers is free."""
    for name, expression, values, dtype in CALLS:
        if name.endswith(f" of {group}") or (group == "the ends" and " of " not in name):
            wanted, free = RECORD[name], "float" not in dtype
            if name not in ON_PURPOSE and not (wanted[0] == "error" and free and "=" not in expression.replace("==", "")):
                got = outcomes(name, expression, values, dtype)
                if not agree(got, wanted):
                    yield f"{name}: PyTorch gives {wanted}, got {got}"


@pytest.mark.parametrize("kernels", SETS)
@pytest.mark.parametrize("group", GROUPS)
def test_corners_are_pytorch_s(kernels, group):
    with tt.use(kernels), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = list(differences(lambda name, *call: corner_calls.outcome(tt, make, *call), group))
    assert not found, "\n".join(found)


def test_the_record_is_complete_and_what_differs_on_purpose_still_does():
    assert RECORD.keys() == {name for name, *_ in CALLS}, "run `python tests/corners/corner_calls.py`, which needs PyTorch"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        same = [
            name for name, *call in CALLS if name in ON_PURPOSE and agree(corner_calls.outcome(tt, make, *call), RECORD[name])
        ]
    assert not same, f"no longer different: take {same} from the table"


def test_the_record_is_what_the_installed_pytorch_gives():
    pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = corner_calls.pytorch()
    changed = [name for name in RECORD if not agree(theirs[name], RECORD[name])]
    assert not changed, f"PyTorch has changed its mind: {changed[:10]}"


def test_a_wrong_result_would_be_found(monkeypatch):
    from tinytorch.tensor import reduce_min

    monkeypatch.setattr(reduce_min, "forward", lambda a, axis=None, keepdims=False: -np.max(-a, axis=axis, keepdims=keepdims))
    with contextlib.suppress(AssertionError):
        test_corners_are_pytorch_s("numpy", "uint8")
        pytest.fail("the smallest of unsigned numbers is not -max(-a)")


DTYPES = "bool uint8 int8 int16 int32 int64 float16 float32 float64".split()


@pytest.mark.parametrize("into", DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_conversion_gives_the_dtype_that_was_asked_for(dtype, into):
    before = Tensor(np.array([0, 1, 1], dtype))
    assert before.to(np.dtype(into)).dtype == np.dtype(into)
    assert before.to(np.dtype(into)).tolist() == np.array([0, 1, 1], dtype).astype(into).tolist()


def test_a_conversion_to_float64_keeps_every_digit_and_the_gradient():
    assert Tensor(np.array([2**53 - 1])).double().tolist() == [2.0**53 - 1]
    x = Tensor(np.ones(3, np.float16), requires_grad=True)
    (x.double() * 2).sum().backward()
    assert x.grad.dtype == np.float16 and x.grad.tolist() == [2.0, 2.0, 2.0]
