"""What the checks of module 09 share. NumPy only: nothing here runs the code that it judges, except `observe`. No check looks at a real clock."""

import types

import numpy as np

NOTHING = ("raises", "ValueError")
CONTAINERS = {
    list: "a list",
    tuple: "a tuple",
    np.ndarray: "an array",
    dict: "a dict",
    types.GeneratorType: "a generator",
    float: "a float",
    int: "an int",
    type(None): "None: is the `return` missing?",
}


def whole(describe):
    """Make a `describe_` function say all that is shown of a call: nothing is said of its arrays beside it."""
    return lambda **inputs: (describe(**inputs), "")


def kind_of(value):
    """Say in words what kind of thing a call returned."""
    return CONTAINERS.get(type(value)) or f"a thing of type {type(value).__name__}"


def kinds_of(values):
    """Say in words what some values are: "float", or "float and float64"."""
    return " and ".join(sorted({type(value).__name__ for value in values})) or "nothing"


def numbers(values):
    """Return a list of numbers as an array, so that a message shows the whole of it; anything else as it is."""
    plain = isinstance(values, (list, tuple)) and all(isinstance(x, (int, float, np.number)) for x in values)
    return np.array(values, np.float64) if plain else values


def python_int(value):
    """Return an int as it is; of any other number say what it is."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)) or type(value) is int:
        return value
    return (
        f"{value.item() if isinstance(value, np.generic) else value}, of type {type(value).__name__}: a Python int is asked for"
    )


def shape(array):
    return tuple(array.shape)


def filled(size):
    """Return an array of any size that takes no memory: one number, stretched."""
    return np.broadcast_to(np.float32(1), size)


def overflowed(count):
    """Return a whole number as 32 bits have it."""
    return (count + 2**31) % 2**32 - 2**31


def grow(rng, began, depth, levels, unit=8):
    """Yield the spans of a random tree in the order in which they end, as tuples; the last one is its root."""
    now = began + float(rng.integers(0, 5)) / unit
    spans = []
    for _ in range(int(rng.integers(1, 4)) if levels else 0):
        spans += grow(rng, now, depth + 1, levels - 1, unit)
        now = spans[-1][2] + float(rng.integers(0, 5)) / unit
    return [*spans, ("op", began, now + float(rng.integers(1, 9)) / unit, depth)]


def named(spans):
    """Give every span a name of its own: a letter for its depth and a number."""
    return [(f"{'abcdefg'[depth]}{i}", began, ended, depth) for i, (_, began, ended, depth) in enumerate(spans)]


def afterwards(given, before):
    """Say what became of a list that was given, and that is the caller's."""
    if given == before:
        return "unchanged"
    return "turned round" if given == before[::-1] else "changed" if given else "emptied"
