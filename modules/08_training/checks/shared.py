"""What the checks of module 08 share. NumPy only: nothing here runs the code that it judges, except `observe`."""

import numpy as np

NOTHING = ("raises", "ValueError")


def number(value):
    """Return a number as a Python float; a thing of another kind by the name of its type."""
    if isinstance(value, str):
        return value
    return float(value) if isinstance(value, (int, float, np.generic)) else None if value is None else f"a {type(value).__name__}"


def kind(value):
    """Name the type of what was returned."""
    return "nothing" if value is None else type(value).__name__


def batches(inputs):
    """Say how many examples the batches of a loader hold."""
    sizes = [str(len(x)) for x in inputs]
    if len(sizes) < 2:
        return f"an iterator of one batch of {sizes[0]}" if sizes else "a loader without a batch"
    return f"an iterator of batches of {', '.join(sizes[:-1])} and {sizes[-1]}"
