"""PyTorch's `save` and `load`, on safetensors files: names, numbers and shapes, and no code that could run. Given.

A dict of tensors becomes a plain safetensors file, which other programs can read. In any other tree of dicts, lists and
tuples, the tensors are kept under the path to them, and the rest as JSON in the file's header.
"""

import json
import os

import numpy as np

from tinytorch.given import safetensors
from tinytorch.given.files import BadFile, write_atomically
from tinytorch.tensor import Tensor

_TREE = "tinytorch.save"  # where the header of a file keeps the tree
_PLAIN = (str, int, float, bool, type(None))


def save(obj, f, **options):
    """Write a tree of dicts, lists, tuples, tensors, arrays, numbers and text to a file.

    Args:
        obj: The tree, such as ``model.state_dict()`` or ``{"epoch": 3, "model": model.state_dict()}``.
        f: Path of the file, or a file open for writing bytes. It is a safetensors file whatever its name ends with.
        options: Further arguments of PyTorch's; they make no difference here.

    Raises:
        TypeError: The tree holds something else, such as a whole model. The message says what to write.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> save({"epoch": 3, "weights": [Tensor([1.0, 2.0])]}, file)
        >>> load(io.BytesIO(file.getvalue()))
        {'epoch': 3, 'weights': [tensor([1., 2.])]}
    """
    arrays = {}
    tree = _without_arrays(obj, "", arrays)
    plain = isinstance(obj, dict) and all(isinstance(value, Tensor) for value in obj.values()) and all(map(_is_name, obj))
    data = safetensors.dump(arrays, None if plain else {_TREE: json.dumps(tree)})
    if isinstance(f, (str, os.PathLike)):
        write_atomically(f, data)
    else:
        f.write(data)


def _is_name(key):
    """Say whether a key of a dict can name a tensor in a file."""
    return isinstance(key, str) and key != "__metadata__"


def _without_arrays(value, path, arrays):
    """Return a tree as JSON data, and put its arrays into a dict, by their paths.

    Args:
        value: The tree, or a part of it.
        path: The keys that lead to it, joined by dots.
        arrays: Dict that receives the arrays.
    """
    if isinstance(value, (Tensor, np.ndarray)):
        name = path if path and path not in arrays and _is_name(path) else f"{path}#{len(arrays)}"
        arrays[name] = value.detach().to("cpu").data if isinstance(value, Tensor) else value
        return {"tensor" if isinstance(value, Tensor) else "array": name}
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) in _PLAIN:
        return value
    if isinstance(value, np.dtype):
        return {"dtype": str(value)}
    inner = f"{path}." if path else ""
    if isinstance(value, dict):
        entries = [[_key(key, path), _without_arrays(entry, f"{inner}{key}", arrays)] for key, entry in value.items()]
        return {"dict": entries}
    if isinstance(value, (list, tuple)):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_without_arrays(entry, f"{inner}{i}", arrays) for i, entry in enumerate(value)]}
    raise TypeError(_refusal(value, path))


def _key(key, path):
    """Return the key of a dict; raise an error unless it is text or a number."""
    if type(key) not in _PLAIN:
        raise TypeError(f"save takes dicts whose keys are text or numbers, got {key!r} in {path or 'the tree'}")
    return key


def _refusal(value, path):
    """Say why something cannot be saved, and what to save instead."""
    place = f" at {path}" if path else ""
    what = f"save keeps tensors, numbers, text, and dicts and lists of them, not {type(value).__name__}{place}"
    return f"{what}: write save(it.state_dict(), path), and load_state_dict later" if getattr(value, "state_dict", None) else what


def load(f, map_location=None, **options):
    """Read what `save` wrote, or any safetensors file.

    Args:
        f: Path of the file, or a file open for reading bytes.
        map_location: Name of the device that tensors go to; the CPU by default.
        options: Further arguments of PyTorch's, such as ``weights_only=True``; weights are all that is loaded here anyway.

    Returns:
        The tree; of any other safetensors file, a dict from name to tensor.

    Raises:
        ValueError: It is not a safetensors file but, for example, one of PyTorch's own. The message says how to convert it.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> save({"weight": Tensor([1.0])}, file)
        >>> load(io.BytesIO(file.getvalue()), map_location="cpu")
        {'weight': tensor([1.])}
    """
    path, data = (f, None) if isinstance(f, (str, os.PathLike)) else ("the file", f.read())
    _refuse_pickle(path, data)
    arrays, header = safetensors.load_file(path) if data is None else safetensors.parse(data)
    device = str(map_location) if map_location is not None and not callable(map_location) else "cpu"
    if _TREE not in header:
        return {name: Tensor(array).to(device) for name, array in arrays.items()}
    try:
        return _with_arrays(json.loads(header[_TREE]), arrays, device)
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        raise BadFile(f"{path} is damaged: its header describes no tree of tensors") from error


def _refuse_pickle(path, data):
    """Raise an error for a file that PyTorch's own `save` wrote, or that is a pickle."""
    if data is None:
        with open(path, "rb") as file:
            data = file.read(4)
    if data[:2] in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        raise ValueError(
            f"{path} is a pickle, as PyTorch's torch.save writes it: it may run code when it is opened, so it is not read here. "
            "Convert it where PyTorch is: safetensors.torch.save_file(torch.load(path, weights_only=True), 'weights.safetensors')"
        )


def _with_arrays(value, arrays, device):
    """Return the tree that a file's header describes, with its arrays."""
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        return Tensor(arrays[content]).to(device)
    if kind == "array":
        return arrays[content]
    if kind == "dtype":
        return np.dtype(content)
    if kind == "dict":
        return {key: _with_arrays(entry, arrays, device) for key, entry in content}
    entries = [_with_arrays(entry, arrays, device) for entry in content]
    return entries if kind == "list" else tuple(entries)
