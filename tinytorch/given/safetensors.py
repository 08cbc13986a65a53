"""Named arrays in the safetensors format: names, shapes, dtypes and bytes, and no code that could run. Given."""

import numpy as np


def dump(arrays, metadata=None):
    """Return the bytes of a safetensors file.

    Args:
        arrays: Dict from name to NumPy array.
        metadata: Dict of texts for the file's header.

    Example:
        >>> dump({"weight": np.zeros((2, 3), np.float32)})[8:37]
        b'{"weight":{"dtype":"F32","sha'
    """
    from safetensors.numpy import save

    return save({name: np.asarray(array, order="C") for name, array in arrays.items()}, metadata)


def load_file(path):
    """Read a safetensors file.

    Args:
        path: The file.

    Returns:
        Pair of dicts: the arrays by name, and the texts of the header.

    Raises:
        ValueError: The file is damaged or is not a safetensors file. The message names it.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from error


def parse(data):
    """Read the bytes of a safetensors file.

    Args:
        data: The bytes.

    Returns:
        Pair of dicts: the arrays by name, and the texts of the header.

    Raises:
        ValueError: They are no such file, or damaged.

    Example:
        >>> parse(dump({"weight": np.zeros(2)}, {"epoch": "3"}))
        ({'weight': array([0., 0.])}, {'epoch': '3'})
    """
    import json

    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(bytes(data))
    except SafetensorError as error:
        raise ValueError(f"this is not a whole safetensors file: {error}") from error
    length = int.from_bytes(data[:8], "little")
    return arrays, json.loads(data[8 : 8 + length]).get("__metadata__", {})
