"""Read IDX, the format that MNIST is published in.

A file is a header and an array: two zero bytes, a byte for the type, a byte for the number of dimensions,
each dimension as four bytes, then the values, row by row; every number has its high byte first.
"""

import math
from pathlib import Path

import numpy as np

from tinytorch.datasets.errors import CorruptFile

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_AXES, MOST_BYTES = 64, 2**62  # of an array, so that NumPy can hold it
LONGEST_HEADER = 4 + 4 * 255
CHUNK = 1 << 20  # bytes to decompress at once


def read_idx(path):
    """Read the array of an IDX file, compressed by gzip or not.

    Args:
        path: the file; its contents, not its name, say whether it is compressed.

    Returns:
        An array of the file's type and shape, in this machine's byte order.

    Raises:
        CorruptFile: if the file is not gzip or IDX, is truncated, or has bytes after its end.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "labels-idx1-ubyte")
        ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
        ...     read_idx(path)
        array([7, 2, 1], dtype=uint8)

    Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits, "File formats".
    """
    return parse_idx(decompressed(path, promised), path)


def promised(head, path):
    """Return how many bytes an IDX file has, as its header says.

    Args:
        head: its first bytes, the header at least.
        path: its name, for the message if it is malformed.

    Raises:
        CorruptFile: if the header is not IDX's.

    Example:
        >>> promised(bytes([0, 0, 8, 1, 0, 0, 0, 3]), "labels")
        11
    """
    dtype, shape, start = _parse_header(head, path)
    return start + math.prod(shape) * dtype.itemsize


def decompressed(path, size):
    """Read a file's bytes, decompressed if they are gzip's.

    A few bytes of gzip can hold gigabytes of zeros, so that no more than one byte beyond the right size is decompressed.

    Args:
        path: the file.
        size: function of its first bytes, decompressed, and its path that returns how many bytes it should have in all.

    Returns:
        The decompressed bytes.

    Raises:
        CorruptFile: if the file cannot be read, is empty, or is gzip that does not decompress.
        FileNotFoundError: if there is no such file.

    Example:
        >>> import gzip, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "text.gz")
        ...     _ = path.write_bytes(gzip.compress(b"three words here"))
        ...     decompressed(path, lambda head, path: 16)
        b'three words here'
    """
    try:
        raw = Path(path).read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CorruptFile(path, f"cannot be read: {error.strerror}") from None
    if not raw:
        raise CorruptFile(path, "the file is empty")
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    import gzip
    import io
    import zlib

    try:
        with gzip.open(io.BytesIO(raw)) as stream:
            head = stream.read(LONGEST_HEADER)
            return head + b"".join(_chunks(stream, size(head, path) + 1 - len(head)))
    except EOFError:
        raise CorruptFile(path, f"truncated: the file ends after {len(raw)} bytes, inside its gzip stream") from None
    except (OSError, zlib.error) as error:
        raise CorruptFile(path, f"damaged: gzip says {error}") from None


def _chunks(stream, count):
    """Yield the next bytes of a stream, at most `count` of them, in pieces that take little memory."""
    while count > 0 and (chunk := stream.read(min(CHUNK, count))):
        yield chunk
        count -= len(chunk)


def parse_idx(raw, path):
    """Turn the bytes of an IDX file into an array.

    Args:
        raw: the whole file, decompressed.
        path: its name, for the message if it is malformed.

    Returns:
        An array of the file's type and shape, in this machine's byte order.

    Raises:
        CorruptFile: if the bytes are not IDX, are too few, or too many.

    Example:
        >>> parse_idx(bytes([0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 2, 5, 6]), "two-pixels")
        array([[5, 6]], dtype=uint8)
    """
    dtype, shape, start = _parse_header(raw, path)
    present, needed = len(raw) - start, math.prod(shape) * dtype.itemsize
    if present != needed:
        what = "truncated" if present < needed else "bytes after the end"
        raise CorruptFile(path, f"{what}: its header promises {shape} {dtype.name}, {needed} bytes; {present} are there")
    if len(shape) > MOST_AXES or math.prod(max(size, 1) for size in shape) * dtype.itemsize > MOST_BYTES:
        what = f"its header promises {len(shape)} dimensions, {_short(shape)}"
        raise CorruptFile(path, f"damaged: {what}, which is more than an array can have")
    array = np.frombuffer(raw, dtype, offset=start).reshape(shape)
    return np.array(array, dtype.newbyteorder("="))  # a copy: frombuffer's array is read-only


def _parse_header(raw, path):
    """Read the type, the shape, and where the values start."""
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in TYPES or raw[3] == 0:
        page = " (a web page)" if raw.lstrip()[:1] == b"<" else ""
        raise CorruptFile(
            path,
            f"not an IDX file: it starts with {raw[:4]!r}{page}, an IDX file with "
            "two zero bytes, a type and a number of dimensions",
        )
    start = 4 + 4 * raw[3]
    if len(raw) < start:
        raise CorruptFile(path, f"truncated: a header of {raw[3]} dimensions takes {start} bytes, {len(raw)} are there")
    shape = tuple(int(size) for size in np.frombuffer(raw, ">u4", count=raw[3], offset=4))
    return np.dtype(TYPES[raw[2]]), shape, start


def _short(shape):
    """Return a shape as text; of a long one the first sizes."""
    return str(shape) if len(shape) <= 8 else f"({', '.join(map(str, shape[:8]))}, ...)"
