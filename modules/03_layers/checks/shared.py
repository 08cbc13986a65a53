"""What the checks of module 03 share: a result as data, where it came from, and the default generator.

NumPy only: nothing in this folder runs the code that it judges, except `observe`. Modules cannot be sent to the process that runs
learner code, so what a tree is made of is sent as text.
"""

import numpy as np


def numbers(module, result):
    """Return a tensor's array; of anything else, what it is."""
    return np.array(result.data) if isinstance(result, module.Tensor) else f"{type(result).__name__}, not a Tensor"


def remembers(result, *sources):
    """Say whether a result remembers what it was computed from: in the origin of it, or of what it came from, is each source."""
    met, waiting = {}, [result]
    while waiting:
        tensor = waiting.pop()
        origin = getattr(tensor, "origin", None)
        waiting += origin.inputs if origin and id(tensor) not in met else ()
        met[id(tensor)] = tensor
    return all(id(source) in met for source in sources)


def drawn_by_default(module, draw):
    """Draw twice with the default generator in the same state, and say whether the numbers are the same."""
    default = module.generator().bit_generator
    before = default.state
    first = draw()
    default.state = before
    return bool(np.array_equal(first, draw()))
