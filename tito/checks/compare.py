"""Compare what learner code returned with what was expected, and say where they differ most."""
from dataclasses import dataclass

import numpy as np

from tito.checks.wire import Other
from tito.checks.wording import SMALL, describe, pair, repr_flat

RTOL, ATOL = 1e-4, 1e-5


@dataclass(frozen=True)
class Mismatch:
    """The first difference between two values, as rows of a label and a text."""

    kind: str  # type, shape, dtype, values or changed
    rows: tuple[tuple[str, str], ...]


def compare(expected, got, inputs=None, rtol=RTOL, atol=ATOL):
    """Compare a value with the expected one; containers entry by entry.

    Args:
        expected: Arrays, numbers, strings, bools, None, or lists, tuples and dicts of them.
        got: Value to judge. A list may stand for a tuple. Whole numbers must be equal, others close; a float64 array is
            refused where every floating-point input is float32.
        inputs: Dict of the inputs of the call.
        rtol: Relative tolerance.
        atol: Absolute tolerance for values of size 1; it shrinks where all expected values are smaller.

    Returns:
        None if they agree, otherwise the first `Mismatch`.

    Example:
        >>> compare(np.ones(2), np.zeros((2, 1))).rows
        (('expected', 'shape (2,)'), ('got', 'shape (2, 1)'))
    """
    return _Comparison(rtol, atol, float32_only(inputs)).any(expected, got, "")


def float32_only(value):
    """Say whether a value holds floating-point arrays, all of them float32."""
    return {array.dtype.name for array in arrays_in(value) if array.dtype.kind == "f"} == {"float32"}


def arrays_in(value):
    """Yield the arrays within a value."""
    if isinstance(value, (np.ndarray, np.generic)):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from arrays_in(item)


def is_raised(value):
    """Say whether a value stands for an exception: ("raises", "ValueError", *what its message holds)."""
    return (isinstance(value, (tuple, list)) and len(value) >= 2 and all(isinstance(part, str) for part in value)
            and value[0] == "raises")


def raises_alike(expected, got):
    """Say whether an exception is of the expected type and its message holds all that it should."""
    return is_raised(got) and expected[1] == got[1] and all(part in " ".join(got[2:]) for part in expected[2:])


def is_numeric(value):
    """Say whether a value is a number, a bool, or an array of them."""
    return isinstance(value, (np.ndarray, np.generic, bool, int, float))


class _Comparison:
    """One comparison, with its tolerances. A path says where within the value it has come to."""

    def __init__(self, rtol, atol, refuse_float64):
        self.rtol, self.atol, self.refuse_float64 = rtol, atol, refuse_float64

    def any(self, expected, got, path):
        if is_raised(expected) or is_raised(got):
            same = is_raised(expected) and raises_alike(expected, got)
            return None if same else _type_differs(path, expected, got)
        if isinstance(expected, dict):
            return self.dicts(expected, got, path)
        if isinstance(expected, (list, tuple)):
            return self.sequences(expected, got, path)
        if is_numeric(expected) and is_numeric(got):
            return self.numbers(expected, got, path)
        same = type(expected) is type(got) and expected == got
        return None if same else _type_differs(path, expected, got)

    def dicts(self, expected, got, path):
        if not isinstance(got, dict):
            return _type_differs(path, expected, got)
        if set(expected) != set(got):
            return _differ("type", path, f"keys {_names(expected)}", f"keys {_names(got)}")
        found = (self.any(expected[key], got[key], _entry(path, key)) for key in expected)
        return next(filter(None, found), None)

    def sequences(self, expected, got, path):
        if not isinstance(got, (list, tuple)) or len(expected) != len(got):
            return _type_differs(path, expected, got)
        pairs = enumerate(zip(expected, got))
        found = (self.any(one, other, _entry(path, index)) for index, (one, other) in pairs)
        mismatch = next(filter(None, found), None)
        if mismatch and repr_flat(expected) and repr_flat(got):
            return _differ(mismatch.kind, path, repr_flat(expected), repr_flat(got))
        return mismatch

    def numbers(self, expected, got, path):
        if np.ndim(expected) and not isinstance(got, np.ndarray):
            return _type_differs(path, expected, got)
        if np.shape(expected) != np.shape(got):
            return _differ("shape", path, _shape(expected), _shape(got))
        if isinstance(expected, bool) and np.asarray(got).dtype.kind != "b":
            return _type_differs(path, expected, got)
        if self.refuse_float64 and isinstance(got, (np.ndarray, np.generic)) and got.dtype == np.float64:
            cause = "float64: something in the computation is float64"
            return _differ("dtype", path, "float32, like the inputs", cause)
        return self.values(np.asarray(expected), np.asarray(got), path)

    def values(self, expected, got, path):
        wrong = ~self.close(expected, got)
        count, total = int(wrong.sum()), expected.size
        if not count:
            return None
        if expected.ndim == 0:
            return _differ("values", path, *pair(expected[()], got[()]))
        differs = f"{count} of {total} value{'s' * (total != 1)}"
        if total <= SMALL:
            return _differ("values", path, *pair(expected, got), differs)
        where = worst(expected, got, wrong)
        return _differ("values", path, *pair(expected[where], got[where]), f"{differs}, most at {list(where)}")

    def close(self, expected, got):
        """Return where two arrays of numbers agree."""
        if expected.dtype.kind in "biu" and got.dtype.kind in "biu":
            return np.asarray(expected == got)
        expected, got = expected.astype(np.float64), got.astype(np.float64)
        atol = self.atol * scale(expected)
        return np.asarray(np.isclose(got, expected, rtol=self.rtol, atol=atol, equal_nan=True))


def scale(expected):
    """Return the factor of the absolute tolerance: it follows the largest expected value down to a thousandth.

    Where all expected values are 0, or are the rounding noise of a 0, there is no size to follow.
    """
    finite = np.abs(expected[np.isfinite(expected)])
    peak = finite.max() if finite.size else 0.0
    return 1.0 if peak < 1e-7 else min(max(peak, 1e-3), 1.0)


def worst(expected, got, wrong):
    """Return the index, a tuple, of the largest difference among the wrong values; nan counts as the largest."""
    with np.errstate(all="ignore"):
        difference = np.abs(expected.astype(np.float64) - got.astype(np.float64))
    difference = np.where(np.isnan(difference), np.inf, difference)
    flat = int(np.where(wrong, difference, -1.0).argmax())
    return tuple(int(i) for i in np.unravel_index(flat, expected.shape))


def _entry(path, key):
    """A dict of observations names its parts itself: its keys stand bare."""
    if not path:
        return key if isinstance(key, str) else f"result[{key!r}]"
    return f"{path}[{key!r}]"


def _shape(value):
    return f"shape {value.shape}" if np.ndim(value) else "a single number"


def _names(keys):
    return (", ".join(str(key) for key in list(keys)[:12]) or "none") + (", ..." if len(keys) > 12 else "")


def _type_differs(path, expected, got):
    return _differ("type", path, needed(expected), _in_its_place(expected, got, whole=not path))


def _in_its_place(expected, got, whole):
    """Say what came where something of another type was expected; `whole` if the call itself returned it."""
    if is_raised(got):
        return ": ".join(got[1:3])
    if is_raised(expected) and isinstance(got, dict):  # made by an observer, so the learner never saw it
        return "no exception"
    if is_numeric(expected) and isinstance(got, Other) and got.type == "Tensor":
        return "a Tensor, as an op gives it; its `.forward` gives the bare array"
    array_needed = isinstance(expected, np.ndarray) and not isinstance(got, np.ndarray)
    return describe(got, array_needed, something_needed=whole and expected is not None and not is_raised(expected))


def needed(expected):
    """Say in a few words what a call should have come to. Oracles compute in float64, and that is not asked for."""
    if isinstance(expected, np.ndarray):
        return f"an array {expected.shape}" if expected.ndim else "a single number"
    if is_raised(expected):
        holds = " and ".join(expected[2:])
        return f"{expected[1]} whose message holds {holds}" if holds else expected[1]
    return describe(expected)


def _differ(kind, path, expected, got, differs=None):
    rows = [("in", path)] if path else []
    rows += [("differs", differs)] if differs else []
    return Mismatch(kind, (*rows, ("expected", expected), ("got", got)))
