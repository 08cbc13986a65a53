"""Compare what learner code returned with the expected value, and report the largest difference."""

from dataclasses import dataclass, replace

import numpy as np

from tito.checks import wording
from tito.checks.wording import is_raised, repr_flat

RTOL, ATOL = 1e-4, 1e-5
FINE = 1e-9  # relative and absolute: what is computed in float64 all the way
FLOATS = "float32", "float64"


@dataclass(frozen=True)
class Mismatch:
    """The first difference between two values, as rows of a label and a text; for a dtype, also the likely cause."""

    kind: str  # type, shape, dtype, values or changed
    rows: tuple[tuple[str, str], ...]
    cause: str | None = None


def compare(expected, got, inputs=None, rtol=RTOL, atol=ATOL, dtypes=True, plain=False):
    """Compare a value with the expected one, containers item by item.

    Args:
        expected: Arrays, numbers, strings, bools, None, or lists, tuples and dicts of them.
        got: Value to judge. Integers must be equal, other numbers close. If all floating-point inputs have one precision,
            floating-point results must have it too; where integers are expected, the dtype must be an integer.
        inputs: Dict of the inputs of the call.
        rtol: Relative tolerance; if it is the usual one, float64 inputs must give `FINE` results, unless dtypes do not count.
        atol: Absolute tolerance for values of size 1; it shrinks if all expected values are smaller.
        dtypes: Compare dtypes too.
        plain: A number of NumPy's is no answer where one of Python's is expected.

    Returns:
        None if they agree, otherwise the first `Mismatch`.

    Example:
        >>> compare(np.ones(2), np.zeros((2, 1))).rows
        (('expected', 'shape (2,)'), ('got', 'shape (2, 1)'))
    """
    floats = precision(inputs)
    mismatch = _Comparison(rtol, atol, floats, dtypes, plain).any(expected, got, "")
    if mismatch or floats != "float64" or not (dtypes and rtol == RTOL):
        return mismatch
    mismatch = _Comparison(FINE, min(atol, FINE), floats, dtypes, plain).any(expected, got, "")
    return mismatch and replace(mismatch, cause=wording.FEW_DIGITS)


def precision(value):
    """Return the common dtype of all floating-point arrays in a value: "float32" or "float64"; None if there is none."""
    kinds = {array.dtype.name for array in arrays_in(value) if array.dtype.kind == "f"}
    return kinds.pop() if len(kinds) == 1 and kinds <= set(FLOATS) else None


def arrays_in(value):
    """Yield the arrays in a value."""
    if isinstance(value, (np.ndarray, np.generic)):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from arrays_in(item)


def raises_alike(expected, got):
    """Return whether an exception has the expected type and its message the expected parts, ignoring white space."""
    message = "".join(" ".join(got[2:]).split()) if is_raised(got) else ""
    return is_raised(got) and expected[1] == got[1] and all("".join(part.split()) in message for part in expected[2:])


def is_numeric(value):
    """Return whether a value is a number, a bool, or an array of them."""
    return isinstance(value, (np.ndarray, np.generic, bool, int, float))


class _Comparison:
    """One comparison, with its tolerances. `path` is the current place within the value."""

    def __init__(self, rtol, atol, floats, dtypes, plain):
        self.rtol, self.atol, self.floats, self.dtypes, self.plain = rtol, atol, floats, dtypes, plain

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
        mismatches = (self.any(expected[key], got[key], _entry(path, key)) for key in expected if key in got)
        mismatch = next(filter(None, mismatches), None)
        if mismatch is None and set(expected) != set(got):
            return Mismatch("type", wording.keys_differ(path, expected, got))
        return mismatch

    def sequences(self, expected, got, path):
        if type(expected) is not type(got) or len(expected) != len(got):
            return _type_differs(path, expected, got)
        pairs = enumerate(zip(expected, got))
        mismatches = (self.any(wanted, given, _entry(path, index)) for index, (wanted, given) in pairs)
        mismatch = next(filter(None, mismatches), None)
        if mismatch and repr_flat(expected) and repr_flat(got):
            return Mismatch(mismatch.kind, wording.differ(path, repr_flat(expected), repr_flat(got)))
        return mismatch

    def numbers(self, expected, got, path):
        if np.ndim(expected) and not isinstance(got, np.ndarray):
            return _type_differs(path, expected, got)
        if np.shape(expected) != np.shape(got):
            return Mismatch("shape", wording.shapes_differ(path, expected, got))
        if isinstance(expected, bool) and np.asarray(got).dtype.kind != "b":
            return _type_differs(path, expected, got)
        if self.plain and type(expected) in (int, float) and isinstance(got, np.generic):
            return Mismatch("type", wording.numbers_differ(path, expected, got), wording.NUMPY_NUMBER)
        return self.dtype(expected, got, path) or self.values(np.asarray(expected), np.asarray(got), path)

    def dtype(self, expected, got, path):
        """Return the mismatch of an array or NumPy scalar with the wrong dtype, or None."""
        if not self.dtypes or not isinstance(got, (np.ndarray, np.generic)):
            return None
        asked, given = self.promised(expected), got.dtype.name
        kept = given == asked if asked in FLOATS else asked is None or got.dtype.kind in "iu"
        if kept:
            return None
        rows = wording.dtypes_differ(path, asked, given, from_inputs=asked in FLOATS)
        return Mismatch("dtype", rows, wording.DTYPE_CAUSES.get((asked, given)))

    def promised(self, expected):
        """Return the dtype that a result must have: "float32", "float64" or "integers"; None if any is fine."""
        kind = np.asarray(expected).dtype.kind
        if kind == "f":
            return self.floats
        return "integers" if kind in "iu" and isinstance(expected, np.ndarray) else None

    def values(self, expected, got, path):
        wrong = ~self.close(expected, got)
        if not wrong.any():
            return None
        cause = (
            wording.CANCELLED
            if self.floats == "float32"
            and expected.dtype.kind == got.dtype.kind == "f"
            and has_cancelled(expected[wrong], got[wrong])
            else None
        )
        return Mismatch("values", wording.values_differ(path, expected, got, wrong), cause)

    def close(self, expected, got):
        """Return a boolean array: where two arrays of numbers agree."""
        if expected.dtype.kind in "biu" and got.dtype.kind in "biu":
            return np.asarray(expected == got)
        with np.errstate(invalid="ignore"):  # random bits as float32 may be a signalling nan
            expected, got = expected.astype(np.float64), got.astype(np.float64)
        atol = self.atol * scale(expected)
        return np.asarray(np.isclose(got, expected, rtol=self.rtol, atol=atol, equal_nan=True))


def has_cancelled(expected, got):
    """Return whether small numbers are off by the rounding of a number near 1 in float32: 1 was taken off one, or added to it."""
    small = (np.abs(expected) > 1e-6) & (np.abs(expected) < 1e-2) & (got != 0)
    with np.errstate(invalid="ignore"):  # inf - inf is not near
        return bool(np.all(small & (np.abs(got - expected) < 2.0**-22)))


def scale(expected):
    """Return the factor of the absolute tolerance: the largest expected value, between a thousandth and 1.

    If all expected values are 0, or the rounding error of a 0, the factor is 1.
    """
    finite = np.abs(expected[np.isfinite(expected)])
    peak = finite.max() if finite.size else 0.0
    return 1.0 if peak < 1e-7 else min(max(peak, 1e-3), 1.0)


def _entry(path, key):
    """Return the path of an item; the keys of a dict of observations are used as they are."""
    if not path:
        return key if isinstance(key, str) else f"result[{key!r}]"
    return f"{path}[{key!r}]"


def _type_differs(path, expected, got):
    return Mismatch("type", wording.types_differ(path, expected, got))
