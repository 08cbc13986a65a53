"""What capture does with arrays, whether they are NumPy's or on a device. Given."""

import numpy as np

from tinytorch.given.device import is_array, move


def on_device(x):
    """Say whether something is an array on a device."""
    return is_array(x) and not isinstance(x, np.ndarray)


def owner_of(array):
    """Return the array that owns the memory of an array."""
    base = array.base
    while base is not None:
        if is_array(base):
            array = base
        base = getattr(base, "base", None)
    return array


def offset_of(array, owner):
    """Return where an array begins in the memory of its owner, in bytes; views on a device share its beginning."""
    if on_device(array) or not array.size:
        return 0
    return array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]


def copy_of(array):
    """Return a copy of an array, on its device."""
    return array.copy() if on_device(array) else np.array(array, order="K")


def buffer_for(array):
    """Return memory for arrays of this shape, dtype and layout: with another layout, a kernel could add in another order."""
    if on_device(array) or array.flags.c_contiguous:
        return copy_of(array)
    reach = [step * (size - 1) for size, step in zip(array.shape, array.strides)]
    below, above = -sum(step for step in reach if step < 0), sum(step for step in reach if step > 0)
    memory = np.zeros(below + above + array.itemsize if array.size else 0, np.uint8)
    return np.ndarray(array.shape, array.dtype, memory, below if array.size else 0, array.strides)


def layout_of(array):
    """Return what tells the layout of an array: True if its entries follow one another, else its strides."""
    return True if on_device(array) or array.flags.c_contiguous else array.strides


def empty_like(array):
    """Return an array of its shape and dtype, on its device, whose entries follow one another."""
    return np.empty_like(array) if on_device(array) else np.empty(array.shape, array.dtype)


def numbers_of(array):
    """Return the numbers of an array as NumPy's: the array itself, or a copy of what is on the device."""
    return move(array, "cpu")


def same(a, b):
    """Say whether two arrays are equal bit for bit."""
    return a.shape == b.shape and a.dtype == b.dtype and numbers_of(a).tobytes() == numbers_of(b).tobytes()
