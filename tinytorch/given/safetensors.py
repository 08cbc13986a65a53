"""Named arrays in the safetensors format: names, shapes, dtypes and bytes, and no code that could run. Given.

A file is the length of its header in eight bytes, the header, which is JSON, and the arrays' bytes. A file may come from
anywhere, so that nothing in it is believed before it is checked.
"""

import json
import math

import numpy as np

from tinytorch.given.files import BadFile

CHECKSUM = "sha256"  # the header's text with the digest of everything else
KINDS = {"F": "f", "I": "i", "U": "u"}
DTYPES = {"BOOL": np.dtype("?")} | {
    f"{kind}{bits}": np.dtype(f"<{KINDS[kind]}{bits // 8}")
    for kind, widths in {"F": (16, 32, 64), "I": (8, 16, 32, 64), "U": (8, 16, 32, 64)}.items()
    for bits in widths
}
MOST_AXES, MOST_BYTES = 32, 2**62  # of one array, so that NumPy can hold it


def dump(arrays, metadata=None):
    """Return the bytes of a safetensors file, with a checksum among the texts of its header.

    Args:
        arrays: Dict from name to NumPy array.
        metadata: Dict of texts for the file's header.

    Example:
        >>> dump({"weight": np.zeros((2, 3), np.float32)})[8:39]
        b'{"__metadata__":{"sha256":"\\\\"c2'
    """
    from safetensors.numpy import save

    arrays, texts = {name: np.asarray(array, order="C") for name, array in arrays.items()}, metadata or {}
    return save(arrays, {**texts, CHECKSUM: json.dumps(checksum(arrays, texts))})


def checksum(arrays, metadata):
    """Return the SHA-256 of all names, shapes, dtypes, values and texts, in hexadecimal digits.

    Args:
        arrays: Dict from name to NumPy array.
        metadata: Dict of texts.
    """
    import hashlib

    digest = hashlib.sha256(json.dumps(sorted(metadata.items())).encode())
    for name, array in sorted(arrays.items()):
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def load_file(path, checked=False):
    """Read a safetensors file.

    Args:
        path: The file.
        checked: Whether it must have a checksum, which other programs do not write.

    Returns:
        Pair of dicts: the arrays by name, and the texts of the header.

    Raises:
        ValueError: The file is damaged or is not a safetensors file. The message names it.
    """
    with open(path, "rb") as file:
        return parse(file.read(), path, checked)


def parse(data, name="this", checked=False):
    """Read the bytes of a safetensors file.

    Args:
        data: The bytes.
        name: The file's name, for messages.
        checked: Whether it must have a checksum.

    Returns:
        Pair of dicts: the arrays by name, and the texts of the header.

    Raises:
        ValueError: They are no such file, or damaged.

    Example:
        >>> parse(dump({"weight": np.zeros(2)}, {"epoch": "3"}))
        ({'weight': array([0., 0.])}, {'epoch': '3'})
    """
    try:
        entries, texts, start = header(data)
        arrays = {key: array_at(data, start, key, entry) for key, entry in tiles(entries, len(data) - start)}
        written = texts.pop(CHECKSUM, None)
        if written is None and checked:
            raise BadFile("it has no checksum: another program wrote it, or it is damaged")
        if written is not None and written != json.dumps(checksum(arrays, texts)):
            raise BadFile("its checksum does not fit its contents: some bytes have changed since it was written")
    except BadFile as error:
        raise BadFile(f"{name} is not a whole safetensors file: {error}") from None
    return arrays, texts


def header(data):
    """Return the entries of a header, its texts, and where the arrays begin."""
    start = 8 + int.from_bytes(data[:8], "little")
    if len(data) < max(start, 8):
        raise BadFile(f"it is cut short: its header ends at byte {start}, and there are {len(data)}")
    try:
        entries = json.loads(data[8:start].decode("utf-8"), object_pairs_hook=distinct)
    except (ValueError, RecursionError):
        raise BadFile("its header is not JSON, or names something twice") from None
    if not isinstance(entries, dict):
        raise BadFile("its header is not a JSON object")
    texts = entries.pop("__metadata__", {})
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise BadFile("its metadata are not texts")
    return entries, texts, start


def distinct(pairs):
    """Return pairs as a dict; ValueError if a key comes twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key comes twice")
    return made


def tiles(entries, size):
    """Return names and entries in the order of their bytes, which must follow each other from 0 to the end."""
    for name, entry in entries.items():
        fields = entry if isinstance(entry, dict) else {}
        if not (counts(fields.get("shape")) and counts(fields.get("data_offsets")) and len(fields["data_offsets"]) == 2):
            raise BadFile(f"{name!r} needs a shape and two offsets, whole numbers of at least 0")
    ordered, end = sorted(entries.items(), key=lambda pair: pair[1]["data_offsets"]), 0
    for name, entry in ordered:
        first, last = entry["data_offsets"]
        if first != end or not first <= last <= size:
            raise BadFile(f"{name!r} has bytes {first} to {last}, which overlap, leave a gap, or end after byte {size}")
        end = last
    if end != size:
        raise BadFile(f"{size - end} bytes after its arrays belong to none")
    return ordered


def counts(values):
    """Return whether this is a list of whole numbers of at least 0."""
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)


def array_at(data, start, name, entry):
    """Return an array of a file: a copy, in this machine's byte order."""
    dtype, shape, (first, last) = entry.get("dtype"), entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise BadFile(f"{name!r} has dtype {dtype!r}; known are {', '.join(DTYPES)}")
    check_shape(name, shape)
    if math.prod(shape) * DTYPES[dtype].itemsize != last - first:
        raise BadFile(f"{name!r} of shape {tuple(shape)} and dtype {dtype} does not fill {last - first} bytes")
    values = np.frombuffer(data, DTYPES[dtype], math.prod(shape), start + first)
    return np.array(values.reshape(shape), DTYPES[dtype].newbyteorder("="))


def check_shape(name, shape):
    """Raise `BadFile` if NumPy cannot hold an array of this shape, even if one of its sizes is 0."""
    if len(shape) > MOST_AXES or math.prod(max(size, 1) for size in shape) * 8 > MOST_BYTES:
        raise BadFile(f"{name!r} has {len(shape)} axes, or more numbers than an array can have")
