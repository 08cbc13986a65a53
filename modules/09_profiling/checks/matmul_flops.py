"""The check of 09.3 matmul_flops."""

import math

import numpy as np

from .shared import filled, overflowed, python_int, whole


def draw_matmul_flops(rng):
    """One matrix and batches of either side, axes of 1, and last a product so large that only its sizes tell how large."""
    n, k, m = (int(x) for x in rng.permutation([3, 5, 7]))
    some, more = (int(x) for x in rng.permutation([2, 4, 6])[:2])
    for before_a, before_b, sizes in (
        ((), (), (n, k, m)),
        ((), (), (4, 1, n)),
        ((some,), (some,), (k, m, n)),
        ((more, 1), (3,), (2, n, 5)),
        ((), (more,), (m, 2, 3)),
        ((some,), (), (n, 8, k)),
        ((1,), (), (m, n, 1)),
        ((), (), (2**15, 2**14 + n, 2**13)),
    ):
        a, b = (*before_a, sizes[0], sizes[1]), (*before_b, sizes[1], sizes[2])
        yield dict(out=(*np.broadcast_shapes(before_a, before_b), sizes[0], sizes[2]), a=a, b=b)


@whole
def describe_matmul_flops(out, a, b):
    """Write the call as a learner would."""
    return f"matmul_flops(out, a, b), where a {a} @ b {b} gives out {out}"


def observe_matmul_flops(matmul_flops, out, a, b):
    return python_int(matmul_flops(filled(out), filled(a), filled(b)))


def oracle_matmul_flops(out, a, b, each=2, less=0, k=None):
    return math.prod(out) * (each * (a[-1] if k is None else k) - less)


misconceptions_matmul_flops = {
    "each multiplication brings an addition with it: these are half of them": lambda **inputs: oracle_matmul_flops(
        **inputs, each=1
    ),
    "the first addition of each entry was left out: the loop adds to 0, and that counts": lambda **inputs: oracle_matmul_flops(
        **inputs, less=1
    ),
    "the matrices of a batch were counted once, not each": lambda out, a, b: 2 * a[-2] * a[-1] * b[-1],
    "the batch of b was left out: out has all matrices": lambda out, a, b: 2 * math.prod(a) * b[-1],
    "the batch of a was left out: out has all matrices": lambda out, a, b: 2 * math.prod(b) * a[-2],
    "k is not b.shape[0], which is the batch where there is one: it is a.shape[-1]": lambda out, a, b: oracle_matmul_flops(
        out, a, b, k=b[0]
    ),
    "k is not a.shape[1], which is another axis in a batch: it is a.shape[-1]": lambda out, a, b: oracle_matmul_flops(
        out, a, b, k=a[1]
    ),
    "k is not a.shape[0]: it is the last axis of a": lambda out, a, b: oracle_matmul_flops(out, a, b, k=a[0]),
    "the length of the inner loop is missing: these are two for each entry of out": lambda out, a, b: 2 * math.prod(out),
    "the number of entries of a times that of b: each entry of a meets only the m entries of one row of b": lambda out, a, b: (
        2 * math.prod(a) * math.prod(b)
    ),
    "the count overflowed in 32 bits: Python's int has no limit": lambda **inputs: overflowed(oracle_matmul_flops(**inputs)),
    "a NumPy integer was returned, as np.prod gives it: a Python int is asked for": lambda **inputs: (
        f"{oracle_matmul_flops(**inputs)}, of type int64: a Python int is asked for"
    ),
    "a float was returned: a Python int is asked for": lambda **inputs: (
        f"{float(oracle_matmul_flops(**inputs))}, of type float: a Python int is asked for"
    ),
}
