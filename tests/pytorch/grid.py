"""The grid on which both frameworks are compared: dtypes, shapes, what is in them, and how they lie in memory."""

import itertools
import zlib

import numpy as np

FLOATS = ("float32", "float64")
DTYPES = (*FLOATS, "float16", "int64", "int32", "int16", "int8", "uint8", "bool")
SHAPES = ((), (1,), (5,), (0,), (2, 3), (0, 3), (2, 0, 3), (2, 3, 4))
CONTENTS = ("usual", "special")
MEMORIES = ("rows", "columns", "every second", "backwards", "one for all")
TOLERANCE = {"float16": 4e-3, "float32": 3e-5, "float64": 1e-9}  # beside 1, or beside the number itself


def draw(shape, dtype, content, seed):
    """Return an array; the special ones hold infinities, nan, zeros and equal numbers, or the ends of a range of integers.

    Args:
        shape: Its shape.
        dtype: Name of its dtype.
        content: ``"usual"`` or ``"special"``.
        seed: What the numbers depend on: text, or anything that has one.
    """
    rng, dtype = np.random.default_rng(zlib.crc32(str(seed).encode())), np.dtype(dtype)
    if dtype.kind == "b":
        return np.asarray(rng.random(shape) < 0.5)
    if content == "special":
        info = None if dtype.kind == "f" else np.iinfo(dtype)
        some = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1.0, 1.0, -2.0] if info is None else [info.min, info.max, 0, 1, 1]
        return np.asarray(rng.choice(np.array(some, dtype), shape))
    if dtype.kind == "f":
        return np.asarray(rng.normal(size=shape) * 2, dtype)
    return np.asarray(rng.integers(0 if dtype.kind == "u" else -4, 5, shape), dtype)


def laid_out(array, memory):
    """Return an array of the same entries that lies otherwise in memory.

    Args:
        array: The array; with ``"one for all"`` its first row takes the place of all others.
        memory: One of `MEMORIES`.
    """
    if array.ndim == 0 or memory == "rows":
        return array
    if memory == "columns":
        return np.ascontiguousarray(array.T).T
    if memory == "every second":
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        wide[..., ::2] = array
        return wide[..., ::2]
    if memory == "backwards":
        return np.ascontiguousarray(array[::-1])[::-1]
    return np.broadcast_to(array[:1], array.shape) if len(array) else array


def places():
    """Yield (dtype, shape, content, memory): all dtypes and shapes; special contents and other memory for some of them."""
    for dtype, shape in itertools.product(DTYPES, SHAPES):
        yield dtype, shape, "usual", "rows"
    for dtype in DTYPES[:-1]:
        yield dtype, (2, 5), "special", "rows"
    for dtype, memory in itertools.product(("float32", "int64"), MEMORIES[1:]):
        yield dtype, (2, 3, 4) if memory == "columns" else (2, 3), "usual", memory
