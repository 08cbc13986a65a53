"""ReLU, in numba. Given."""

import numpy as np

from tinytorch.given.numba_kernels.arrays import readable, ready
from tinytorch.given.numba_kernels.compiling import jit
from tinytorch.given.numba_kernels.threads import prepared, spread


@jit
def rectify(a, out):
    """Replace negative numbers by 0; nan stays nan."""
    zero = a.dtype.type(0)
    for i in range(a.size):
        out[i] = zero if a[i] <= zero else a[i]


def relu(a):
    """Replace every negative entry by 0: the op's kernel. Return None for inputs that it does not cover."""
    arrays = ready(np.asarray(a))
    if not arrays:
        return None
    (a,) = arrays
    out = np.empty_like(a)
    entries, results = a.reshape(-1), out.reshape(-1)
    spread(lambda first, last: rectify(entries[first:last], results[first:last]), a.size, numbers=1)
    return out


@jit
def rectify_part(first, last, a, out):
    """Rectify the entries from first to last."""
    rectify(a[first:last], out[first:last])


def prepare_relu(out, scratch, a):
    """Prepare the kernel: see `Op.register_prepared`."""
    return [prepared(rectify_part, a.size, a.reshape(-1), out.reshape(-1), numbers=1)] if readable(a, out) and a.size else None
