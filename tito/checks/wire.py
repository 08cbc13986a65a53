"""Values as JSON, to pass between the trusted side and the process that runs learner code.

It needs only NumPy, so that it also runs in a sandbox, copied beside `learner_process.py`. Decoding is strict, because the other
side may be hostile: a whitelist of dtypes, limits on size and depth, no pickle.
"""

import base64
import json
import math
import os
import stat
from dataclasses import dataclass

import numpy as np

LIMIT = 16 * 2**20  # bytes of one file, and of all arrays in one value together
KEYS = 1000  # of one dict: many keys with the same hash would take a time that grows with the square of their number
DEPTH = 20  # containers within containers
DTYPES = frozenset("bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split())


class WireError(ValueError):
    """The received data is not a value made by `encode`."""


@dataclass(frozen=True)
class Other:
    """A value that is not data, such as a Tensor: this side knows only the name of its type."""

    type: str


def encode(value, depth=DEPTH):
    """Return a value as JSON data; what is not data, or is too large, becomes an `Other`.

    Args:
        value: Array, number, string, bytes, bool, None, or a list, tuple or dict of them.
        depth: Levels of containers that are still allowed.

    Returns:
        JSON data. Scalars are kept as they are; everything else is a dict of one key, which names its kind.

    Example:
        >>> encode((1, None))
        {'tuple': [1, None]}
    """
    if depth == 0 and isinstance(value, (dict, list, tuple)):
        return {"other": "value nested too deeply"}
    if isinstance(value, (np.ndarray, np.generic)):
        return _encode_array(value)
    if value is None or type(value) in (bool, str):
        return value
    if type(value) in (int, float):
        return _encode_number(value)
    if isinstance(value, (bytes, bytearray)) and len(value) <= LIMIT:
        return {"bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, dict):
        return {"dict": [[encode(key, depth - 1), encode(item, depth - 1)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        return {"tuple" if isinstance(value, tuple) else "list": [encode(item, depth - 1) for item in value]}
    return {"other": value.type if isinstance(value, Other) else type(value).__name__}


def _encode_number(value):
    if isinstance(value, int):
        return value if abs(value) < 2**63 else {"other": "int of more than 64 bits"}
    return value if math.isfinite(value) else {"float": repr(value)}


def _encode_array(value):
    if value.dtype.kind == "U" and value.ndim == 0:
        return str(value)
    if value.dtype.name not in DTYPES:
        return {"other": f"array of dtype {value.dtype.name}"}
    if value.nbytes > LIMIT:
        return {"other": f"array of shape {value.shape}, too large to compare"}
    data = np.asarray(value).astype(value.dtype.newbyteorder("<"), copy=False).tobytes()
    body = [value.dtype.name, list(value.shape), base64.b64encode(data).decode("ascii")]
    if not isinstance(value, np.ndarray):
        return {"scalar": body}
    return {"array" if value.flags.c_contiguous else "strided": body}


def strided(value):
    """Return a copy of an array that is not contiguous: its axes are reversed in memory, or there are gaps between entries."""
    reversed_axes = value.T.copy().T
    if not reversed_axes.flags.c_contiguous:
        return reversed_axes
    room = np.zeros((*value.shape, 2), value.dtype)
    room[..., 0] = value
    return room[..., 0]


def decode(data):
    """Return the value from the JSON data that `encode` made.

    Args:
        data: JSON data.

    Returns:
        The value; arrays are fresh and writable, and contiguous only if the encoded ones were.

    Raises:
        WireError: The data has another form, or is too large or too deep.

    Example:
        >>> decode({"tuple": [1, None]})
        (1, None)
    """
    return _Decoder().decode(data, DEPTH)


class _Decoder:
    """Decode one value, and count the bytes of its arrays."""

    def __init__(self):
        self.left = LIMIT

    def decode(self, data, depth):
        if depth < 0:
            raise WireError("nested too deeply")
        if type(data) is int and abs(data) >= 2**63:
            raise WireError("an int of more than 64 bits")
        if data is None or type(data) in (bool, int, float, str):
            return data
        if type(data) is not dict or len(data) != 1:
            raise WireError(f"no encoded value is a {type(data).__name__} of this form")
        ((kind, body),) = data.items()
        method = getattr(self, f"_{kind}", None) if kind in KINDS else None
        if method is None:
            raise WireError("unknown kind of value")
        return method(body, depth)

    def _items(self, body, depth):
        if type(body) is not list:
            raise WireError("items are needed")
        return [self.decode(item, depth - 1) for item in body]

    def _list(self, body, depth):
        return self._items(body, depth)

    def _tuple(self, body, depth):
        return tuple(self._items(body, depth))

    def _dict(self, body, depth):
        if type(body) is not list or not all(type(pair) is list and len(pair) == 2 for pair in body):
            raise WireError("a dict is a list of pairs")
        if len(body) > KEYS:
            raise WireError(f"a dict of more than {KEYS} keys")
        try:
            return {self.decode(key, depth - 1): self.decode(item, depth - 1) for key, item in body}
        except TypeError as error:
            raise WireError("a key of a dict must be hashable") from error

    def _float(self, body, depth):
        if body not in ("nan", "inf", "-inf"):
            raise WireError("not a float")
        return float(body)

    def _other(self, body, depth):
        if type(body) is not str:
            raise WireError("the name of a type is a string")
        return Other(body[:100])

    def _bytes(self, body, depth):
        if type(body) is not str:
            raise WireError("base64 text is needed")
        self.left -= len(body) * 3 // 4
        if self.left < 0:
            raise WireError(f"larger than {LIMIT} bytes")
        try:
            return base64.b64decode(body, validate=True)
        except ValueError as error:
            raise WireError("not base64") from error

    def _array(self, body, depth):
        if type(body) is not list or len(body) != 3:
            raise WireError("an array is dtype, shape and data")
        dtype, shape, text = body
        if type(dtype) is not str or dtype not in DTYPES:
            raise WireError("dtype not allowed")
        if type(shape) is not list or len(shape) > 16 or not all(type(size) is int and size >= 0 for size in shape):
            raise WireError("a shape is a short list of sizes")
        data, dtype = self._bytes(text, depth), np.dtype(dtype)
        if len(data) != math.prod(shape) * dtype.itemsize:
            raise WireError("shape and data differ in size")
        try:
            return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype).reshape(shape)
        except ValueError as error:  # sizes whose product is 0, each beyond what NumPy can hold
            raise WireError("not a shape") from error

    def _strided(self, body, depth):
        array = self._array(body, depth)
        if not array.ndim:
            raise WireError("an array without axes is contiguous")
        return strided(array)

    def _scalar(self, body, depth):
        array = self._array(body, depth)
        if array.ndim:
            raise WireError("a scalar has no axes")
        return array[()]


KINDS = frozenset(("list", "tuple", "dict", "float", "other", "bytes", "array", "strided", "scalar"))


def write(path, data):
    """Write JSON data to a file atomically.

    Args:
        path: `pathlib.Path` of the file.
        data: JSON data.
    """
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps(data), encoding="utf-8")
    os.replace(draft, path)


def read(path):
    """Return the JSON data of a file that the other side wrote.

    Args:
        path: `pathlib.Path` of the file.

    Returns:
        JSON data.

    Raises:
        WireError: The file is missing, too large, or not JSON.
    """
    return parse(read_bytes(path))


def parse(data):
    """Return the JSON data of bytes that the other side wrote.

    Raises:
        WireError: They are not JSON.
    """
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse)
    except WireError:
        raise
    except (ValueError, RecursionError) as error:
        raise WireError(f"it is not JSON: {type(error).__name__}") from error


def read_bytes(path):
    """Return the contents of a file that the other side wrote.

    Args:
        path: `pathlib.Path` of the file.

    Raises:
        WireError: The file is missing, too large, or not a regular file.
    """
    data = read_from(path, 0)
    if len(data) > LIMIT:
        raise WireError(f"{path.name} is larger than {LIMIT} bytes")
    return data


def read_from(path, start):
    """Return the contents of a file that the other side wrote from byte `start` on, at most `LIMIT` + 1 bytes.

    Raises:
        WireError: The file is missing, or not a regular file: opening a pipe would block forever.
    """
    flags = sum(getattr(os, name, 0) for name in ("O_RDONLY", "O_NONBLOCK", "O_NOFOLLOW", "O_BINARY"))
    try:
        with open(os.open(path, flags), "rb") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                file.seek(start)
                return file.read(LIMIT + 1)
    except OSError as error:
        raise WireError(f"{path.name} cannot be read: {type(error).__name__}") from error
    raise WireError(f"{path.name} is not a regular file")


def _refuse(text):
    raise WireError(f"{text} is not JSON")
