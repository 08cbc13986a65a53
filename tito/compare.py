"""Compare what learner code returned with what was expected, and put the difference into words."""
import math
from dataclasses import dataclass

import numpy as np

from tito.wire import Other

RTOL, ATOL = 1e-4, 1e-5
SMALL = 6  # arrays of so many values are shown whole


@dataclass(frozen=True)
class Mismatch:
    """The first difference between two values, as rows of a label and a text."""

    kind: str  # type, shape, dtype or values
    rows: tuple[tuple[str, str], ...]


def compare(expected, got, inputs=None, rtol=RTOL, atol=ATOL):
    """Compare a value with the expected one; containers entry by entry.

    Args:
        expected: Arrays, numbers, strings, bools, None, or lists, tuples and dicts of them.
        got: Value to judge. A list may stand for a tuple; float arrays are compared as they are, and a float64 array is
            refused where every floating-point input is float32.
        inputs: Dict of the inputs of the call.
        rtol: Relative tolerance.
        atol: Absolute tolerance, for values of size 1; it shrinks where all expected values are smaller.

    Returns:
        None if they agree, otherwise the first `Mismatch`.

    Example:
        >>> compare(np.ones(2), np.zeros((2, 1))).rows
        (('expected', 'shape (2,)'), ('got', 'shape (2, 1)'))
    """
    return _Comparison(rtol, atol, float32_only(inputs)).any(expected, got, "result")


def float32_only(value):
    """Say whether a value holds floating-point arrays, all of them float32."""
    kinds = {array.dtype.name for array in arrays_in(value) if array.dtype.kind == "f"}
    return kinds == {"float32"}


def arrays_in(value):
    """Yield the arrays within a value."""
    if isinstance(value, (np.ndarray, np.generic)):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from arrays_in(item)


class _Comparison:
    """One comparison, with its tolerances."""

    def __init__(self, rtol, atol, refuse_float64):
        self.rtol, self.atol, self.refuse_float64 = rtol, atol, refuse_float64

    def any(self, expected, got, path):
        if isinstance(expected, dict):
            return self.dicts(expected, got, path)
        if is_raised(expected) or is_raised(got):
            same = is_raised(expected) and is_raised(got) and expected[1] == got[1]
            return None if same else _differ("type", path, _raised(expected), _raised(got))
        if isinstance(expected, (list, tuple)):
            return self.sequences(expected, got, path)
        if is_numeric(expected) and is_numeric(got):
            return self.numbers(expected, got, path)
        same = type(expected) is type(got) and expected == got
        return None if same else _differ("type", path, describe(expected), describe(got, isinstance(expected, np.ndarray)))

    def dicts(self, expected, got, path):
        if not isinstance(got, dict):
            return _differ("type", path, describe(expected), describe(got))
        if set(expected) != set(got):
            return _differ("type", path, f"keys {_names(expected)}", f"keys {_names(got)}")
        found = (self.any(expected[key], got[key], f"{path}[{key!r}]") for key in expected)
        return next(filter(None, found), None)

    def sequences(self, expected, got, path):
        if not isinstance(got, (list, tuple)) or len(expected) != len(got):
            return _differ("type", path, describe(expected), describe(got))
        pairs = enumerate(zip(expected, got))
        found = (self.any(one, other, f"{path}[{index}]") for index, (one, other) in pairs)
        return next(filter(None, found), None)

    def numbers(self, expected, got, path):
        if isinstance(expected, np.ndarray) and expected.ndim and not isinstance(got, np.ndarray):
            return _differ("shape", path, describe(expected), describe(got))
        if np.shape(expected) != np.shape(got):
            return _differ("shape", path, _shape(expected), _shape(got))
        if isinstance(expected, bool) and np.asarray(got).dtype.kind != "b":
            return _differ("type", path, repr(expected), describe(got))
        if self.refuse_float64 and isinstance(got, (np.ndarray, np.generic)) and got.dtype == np.float64:
            return _differ("dtype", path, "float32, like the inputs",
                           "float64: a float64 array or number took part in the computation")
        return self.values(np.asarray(expected), np.asarray(got), path)

    def values(self, expected, got, path):
        wrong = ~self.close(expected, got)
        count = int(wrong.sum())
        if not count:
            return None
        if expected.ndim == 0:
            return _differ("values", path, *_pair(expected[()], got[()]))
        total = expected.size
        differs = f"{count} of {total} value{'s' * (total != 1)}"
        if total <= SMALL:
            return _differ("values", path, *_pair(expected, got), differs)
        where = worst(expected, got, wrong)
        index = ", ".join(map(str, where))
        return _differ("values", path, *_pair(expected[where], got[where]), f"{differs}, most at [{index}]")

    def close(self, expected, got):
        """Return where two arrays of numbers agree: whole numbers exactly, others within the tolerance."""
        if expected.dtype.kind in "biu" and got.dtype.kind in "biu":
            return np.asarray(expected == got)
        expected, got = expected.astype(np.float64), got.astype(np.float64)
        atol = self.atol * scale(expected)
        return np.asarray(np.isclose(got, expected, rtol=self.rtol, atol=atol, equal_nan=True))


def scale(expected):
    """Return how large the expected values are, as far as that makes the absolute tolerance smaller."""
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


def is_numeric(value):
    """Say whether a value is a number, a bool, or an array of them."""
    return isinstance(value, (np.ndarray, np.generic, bool, int, float))


def is_raised(value):
    """Say whether an observation stands for an exception: ("raises", "ValueError")."""
    return isinstance(value, (tuple, list)) and len(value) == 2 and isinstance(value[0], str) and value[0] == "raises"


def describe(value, array_needed=False):
    """Say in a few words what a value is."""
    if value is None:
        return "None: is the `return` missing?" if array_needed else "None"
    if isinstance(value, Other):
        return f"{article(value.type)} where an array was needed" if array_needed else article(value.type)
    if isinstance(value, np.ndarray):
        return f"an array {value.shape} {value.dtype}"
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, dict):
        return f"a dict of {len(value)}"
    if isinstance(value, (float, np.floating)):
        return format_number(value, 4)
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 200 else text[:197] + "..."


def article(noun):
    """Return a noun with its indefinite article."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def format_number(value, digits):
    """Return a number in so many significant digits, and no more than it needs."""
    if isinstance(value, (bool, np.bool_, int, np.integer)):
        return str(value)
    return "-0" if value == 0 and math.copysign(1, value) < 0 else f"{float(value):.{digits}g}"


def format_array(value, digits):
    """Return a small array as nested lists."""
    if np.ndim(value) == 0:
        return format_number(value, digits)
    return "[" + ", ".join(format_array(item, digits) for item in value) + "]"


def _pair(expected, got):
    """Return both as text, in as many digits as it takes to tell them apart."""
    for digits in (4, 6, 9, 17):
        texts = format_array(expected, digits), format_array(got, digits)
        if texts[0] != texts[1]:
            break
    return texts


def _shape(value):
    if isinstance(value, np.ndarray) and value.ndim:
        return f"shape {value.shape}"
    return "a single number"


def _raised(value):
    return value[1] if is_raised(value) else describe(value)


def _names(keys):
    return ", ".join(str(key) for key in list(keys)[:12]) + (", ..." if len(keys) > 12 else "")


def _differ(kind, path, expected, got, differs=None):
    rows = [("in", path)] if path != "result" else []
    rows += [("differs", differs)] if differs else []
    return Mismatch(kind, (*rows, ("expected", expected), ("got", got)))
