"""Named arrays in the GGUF format of ggml, and what its example `mnist-eval` needs to find in a file. Given.

A file is the word GGUF, a version, two counts, settings (a key, a type and a value each), a table of the arrays, and their
bytes, each array at a multiple of 32. Sizes are written with the last axis first, as ggml counts them.
"""

import math
import struct

import numpy as np

from tinytorch.given.files import BadFile
from tinytorch.given.safetensors import check_shape

MAGIC, VERSION, ALIGNMENT = b"GGUF", 3, 32
STRING, ARRAY = 8, 9
SCALARS = dict(enumerate(("<B", "<b", "<H", "<h", "<I", "<i", "<f", "<?"))) | {10: "<Q", 11: "<q", 12: "<d"}
DTYPES = {0: "<f4", 1: "<f2", 24: "<i1", 25: "<i2", 26: "<i4", 27: "<i8", 28: "<f8"}
NUMBERS = {np.dtype(text): number for number, text in DTYPES.items()}
MOST_AXES = 4
# What mnist-eval reads, by the value of general.architecture. It takes pixels from 0 to 1, and the columns of the CNN's
# dense layer in the order row, column, channel.
PEERS = {
    "mnist-fc": {"fc1.weight": (500, 784), "fc1.bias": (500,), "fc2.weight": (10, 500), "fc2.bias": (10,)},
    "mnist-cnn": {
        "conv1.kernel": (8, 1, 3, 3),
        "conv1.bias": (8, 1, 1),
        "conv2.kernel": (16, 8, 3, 3),
        "conv2.bias": (16, 1, 1),
        "dense.weight": (10, 784),
        "dense.bias": (10,),
    },
}


def dump(arrays, architecture):
    """Return the bytes of a GGUF file that `mnist-eval` can load.

    Args:
        arrays: Dict from name to float32 array: those of `PEERS`.
        architecture: ``"mnist-fc"`` or ``"mnist-cnn"``.

    Raises:
        ValueError: A name, a shape or a dtype is another one, or a number is not finite: mnist-eval would crash, or guess.

    Example:
        >>> arrays = {name: np.zeros(shape, np.float32) for name, shape in PEERS["mnist-fc"].items()}
        >>> dump(arrays, "mnist-fc")[:8]
        b'GGUF\\x03\\x00\\x00\\x00'
    """
    check(arrays, architecture)
    table, body = b"", b""
    for name, array in arrays.items():
        sizes = array.shape[::-1]
        table += text(name) + struct.pack(f"<I{len(sizes)}QIQ", len(sizes), *sizes, NUMBERS[array.dtype], len(body))
        body += padded(array.tobytes())
    settings = text("general.architecture") + struct.pack("<I", STRING) + text(architecture)
    return padded(MAGIC + struct.pack("<IQQ", VERSION, len(arrays), 1) + settings + table) + body


def check(arrays, architecture):
    """Raise ValueError unless these are the arrays of an architecture of `PEERS`."""
    if architecture not in PEERS:
        raise ValueError(f"mnist-eval reads only {' and '.join(PEERS)}, not {architecture}")
    wanted = PEERS[architecture]
    for name in {**wanted, **arrays}:
        have = arrays[name].shape if name in arrays else "missing"
        if have != wanted.get(name):
            raise ValueError(f"{architecture} needs {name} {wanted.get(name, 'to be absent')}, got {have}")
        if arrays[name].dtype != np.float32 or not np.isfinite(arrays[name]).all():
            raise ValueError(f"{architecture} needs finite float32 numbers in {name}, got {arrays[name].dtype}")


def text(value):
    """Return a string as GGUF writes it: its length and its bytes."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def padded(data):
    """Return bytes filled with zeros up to a multiple of 32."""
    return data + bytes(-len(data) % ALIGNMENT)


def load_file(path):
    """Read a GGUF file.

    Args:
        path: The file.

    Returns:
        Pair of dicts: the arrays by name, and the settings.

    Raises:
        ValueError: The file is damaged, is not a GGUF file, or holds quantised numbers. The message names it.
    """
    with open(path, "rb") as file:
        return parse(file.read(), path)


def parse(data, name="this"):
    """Read the bytes of a GGUF file.

    Args:
        data: The bytes.
        name: The file's name, for messages.

    Returns:
        Pair of dicts: the arrays by name, and the settings.

    Raises:
        ValueError: They are no such file, or damaged.

    Example:
        >>> arrays = {key: np.ones(shape, np.float32) for key, shape in PEERS["mnist-cnn"].items()}
        >>> back, settings = parse(dump(arrays, "mnist-cnn"))
        >>> back["dense.weight"].shape, settings
        ((10, 784), {'general.architecture': 'mnist-cnn'})
    """
    try:
        return Reader(data).read()
    except BadFile as error:
        raise BadFile(f"{name} is not a whole GGUF file: {error}") from None


class Reader:
    """Read the parts of a GGUF file from its front; every count is compared with the bytes that are left before it is used.

    Args:
        data: The bytes.
    """

    def __init__(self, data):
        self.data, self.place = data, 0

    def take(self, count):
        """Return the next bytes."""
        if count > len(self.data) - self.place:
            raise BadFile(f"it is cut short: {count} bytes are due at byte {self.place}, and there are {len(self.data)} in all")
        self.place += count
        return self.data[self.place - count : self.place]

    def number(self, form):
        """Return the next number, in a format of `struct`."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def string(self):
        """Return the next string."""
        try:
            return self.take(self.number("<Q")).decode("utf-8")
        except UnicodeDecodeError:
            raise BadFile(f"the text that ends at byte {self.place} is not UTF-8") from None

    def value(self, kind, depth=0):
        """Return the next setting's value."""
        if kind == STRING:
            return self.string()
        if kind == ARRAY and depth < 4:
            inner, count = self.number("<I"), self.number("<Q")
            self.room_for(count)
            return [self.value(inner, depth + 1) for _ in range(count)]
        if kind not in SCALARS:
            raise BadFile(f"no value has the type {kind}")
        return self.number(SCALARS[kind])

    def room_for(self, count):
        """Raise `BadFile` if there are more things to come than bytes."""
        if count > len(self.data) - self.place:
            raise BadFile(f"it announces {count} entries at byte {self.place}, and ends at byte {len(self.data)}")

    def read(self):
        """Return the arrays by name, and the settings."""
        if self.take(4) != MAGIC:
            raise BadFile("it does not begin with GGUF")
        version = self.number("<I")
        if version not in (2, VERSION):
            raise BadFile(f"it has version {version}; known are 2 and {VERSION}")
        tensors, settings = self.number("<Q"), self.number("<Q")
        self.room_for(tensors + settings)
        settings = self.named(settings, lambda: self.value(self.number("<I")))
        table = self.named(tensors, self.entry)
        alignment = settings.get("general.alignment", ALIGNMENT)
        if type(alignment) is not int or not 0 < alignment <= 2**16:
            raise BadFile(f"general.alignment is {alignment!r}")
        start = -(-self.place // alignment) * alignment
        self.apart(table, start)
        return {name: self.array(name, start, *entry) for name, entry in table.items()}, settings

    def named(self, count, read):
        """Return a dict of the next named things; no name may come twice."""
        made = {}
        for _ in range(count):
            name = self.string()
            if name in made:
                raise BadFile(f"{name!r} comes twice")
            made[name] = read()
        return made

    def entry(self):
        """Return an array's shape, dtype and place."""
        axes = self.number("<I")
        if axes > MOST_AXES:
            raise BadFile(f"an array has {axes} axes; ggml's have at most {MOST_AXES}")
        shape = tuple(self.number("<Q") for _ in range(axes))[::-1]
        check_shape("an array", shape)
        kind = self.number("<I")
        if kind not in DTYPES:
            raise BadFile(f"an array has the type {kind}; known are {', '.join(map(str, DTYPES))} (quantised ones are not)")
        return shape, np.dtype(DTYPES[kind]), self.number("<Q")

    def apart(self, table, start):
        """Raise `BadFile` if an array ends after the file, or two share bytes."""
        spans = sorted(
            (offset, offset + math.prod(shape) * dtype.itemsize, name) for name, (shape, dtype, offset) in table.items()
        )
        for (first, last, name), after in zip(spans, [*(span[0] for span in spans[1:]), len(self.data) - start]):
            if last > after:
                raise BadFile(f"{name!r} has bytes {first} to {last}, and the next array, or the end, is at {after}")

    def array(self, name, start, shape, dtype, offset):
        """Return an array: a copy, in this machine's byte order."""
        values = np.frombuffer(self.data, dtype, math.prod(shape), start + offset)
        return np.array(values.reshape(shape), dtype.newbyteorder("="))
