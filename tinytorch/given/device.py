"""Where data lives. Given; `gpu/starting.py` registers the GPU here when it is first asked for."""

import importlib

import numpy as np

_devices = {}  # name -> (array type, copy to the device, copy to the host)


class device(str):
    """The name of a device, as PyTorch has it: equal to the plain name, with ``type`` and ``index``.

    Args:
        type: For example ``"cpu"`` or ``"cuda:0"``; there is one device of each kind, so the number makes no difference.
        index: The number, if it is not part of the name.

    Raises:
        ValueError: There is no such kind of device.

    Example:
        >>> device("cpu") == "cpu", device("cuda:0").type, device("cuda", 0).index
        (True, 'cuda', 0)
    """

    def __new__(cls, type, index=None):
        if isinstance(type, device):
            return type
        kind, _, number = str(type).partition(":")
        if kind not in ("cpu", "cuda", *_devices):
            raise ValueError(f"there is no kind of device {kind!r} here: there are cpu and cuda")
        name = super().__new__(cls, kind)
        name.type, name.index = kind, int(number) if number else index
        return name

    def __repr__(self):
        return f"device(type={self.type!r}{'' if self.index is None else f', index={self.index}'})"


CPU = device("cpu")


def register_device(name, array_type, upload, download):
    """Register a device, so that ``tensor.to(name)`` works.

    Args:
        name: What users call it, such as ``"cuda"``.
        array_type: Class of the arrays that live there.
        upload: Function from a NumPy array to such an array.
        download: Function from such an array to a NumPy array.
    """
    _devices[name] = (array_type, upload, download)


def registered():
    """Return the names of the registered devices; the CPU needs no registration.

    Example:
        >>> registered()
        []
    """
    return list(_devices)


def device_of(*arrays):
    """Return the device that all arrays are on; Python numbers have none.

    Args:
        arrays: NumPy arrays, arrays of a registered device, or numbers.

    Returns:
        Name of the device; ``"cpu"`` when there are only numbers.

    Raises:
        ValueError: The arrays are on different devices: data never moves silently.

    Example:
        >>> print(device_of(np.zeros(3), 2.0))
        cpu
    """
    if not _devices:
        return CPU
    homes = {home for home in map(_home, arrays) if home}
    if len(homes) > 1:
        raise ValueError(f"the inputs are on different devices ({', '.join(sorted(homes))}): move one with .to(device) first")
    return device(homes.pop()) if homes else CPU


def is_array(x):
    """Say whether something is an array, NumPy's or one on a registered device.

    Example:
        >>> is_array(np.zeros(3)), is_array(2.0)
        (True, False)
    """
    return _home(x) is not None


def _home(array):
    for name, (array_type, _, _) in _devices.items():
        if isinstance(array, array_type):
            return name
    return "cpu" if isinstance(array, np.ndarray) else None


def destination(*targets, device=None, dtype=None):
    """Return the device and the dtype that a call of ``to`` asks for.

    Args:
        targets: A device's name, a dtype, both in any order, or a tensor that has them; True and False are ignored.
        device, dtype: The same, by name.

    Returns:
        Pair of a device's name or None, and a NumPy dtype or None.

    Example:
        >>> destination("cpu", np.float64)
        ('cpu', dtype('float64'))
    """
    for target in targets:
        if isinstance(target, str):
            device = target
        elif getattr(target, "requires_grad", None) is not None:
            device, dtype = target.device, target.dtype
        elif not isinstance(target, (bool, type(None))):
            dtype = target
    return device, None if dtype is None else np.dtype(dtype)


def numbers(data, dtype=None):
    """Make a NumPy array of numbers; an array stays as it is.

    Args:
        data: A number, rows of numbers nested to any depth, or an array.
        dtype: NumPy dtype, or None for the one that fits the numbers.

    Returns:
        The array.

    Raises:
        TypeError: The data hold something other than numbers, or rows of different lengths.

    Example:
        >>> numbers([[1, 2], [3]])
        Traceback (most recent call last):
        ...
        TypeError: a tensor holds numbers in equal rows, not this: [[1, 2], [3]]
    """
    try:
        array = data if isinstance(data, np.ndarray) else np.asarray(data)
    except ValueError:
        array = np.array(None)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"a tensor holds numbers in equal rows, not this: {str(data)[:60]}")
    return array if dtype is None else array.astype(dtype, copy=False)


def move(array, device):
    """Return an array on a device; an array that is there already is returned as it is.

    Args:
        array: A NumPy array or an array of a registered device.
        device: Name of the device to go to.

    Returns:
        The array there.

    Raises:
        ValueError: No such device is registered.

    Example:
        >>> move(np.zeros(3), "gpu")
        Traceback (most recent call last):
        ...
        ValueError: there is no device 'gpu' here, only cpu
    """
    home = device_of(array)
    if device == home:
        return array
    if device == "cuda" and device not in _devices:
        importlib.import_module("tinytorch.given.gpu.starting").start()  # looks for a GPU
    if device != "cpu" and device not in _devices:
        raise ValueError(f"there is no device {str(device)!r} here, only {', '.join(['cpu', *_devices])}")
    host = array if home == "cpu" else _devices[home][2](array)
    return host if device == "cpu" else _devices[device][1](host)
