"""The check of 09.4 softmax_flops."""

import math

from .shared import filled, overflowed, python_int, whole


def draw_softmax_flops(rng):
    """Every axis, counted from either end; one row, one number a row, and last more rows than 32 bits can count steps for."""
    sizes = [int(x) for x in rng.permutation([2, 3, 5])]
    last = int(rng.integers(3))
    for size, dim in (
        (sizes[:2], 1),
        (sizes[1:], 0),
        (sizes, 1),
        (sizes, -1),
        (sizes, -3),
        (sizes, last),
        ([7], 0),
        ([4, 1], 1),
        ([*sizes, 4], -2),
        ([2**16, 2**14], 1),
    ):
        yield dict(a=tuple(size), dim=dim)


@whole
def describe_softmax_flops(a, dim):
    """Write the call as a learner would."""
    return f"softmax_flops(out, a, dim={dim}), out and a of shape {a}"


def observe_softmax_flops(softmax_flops, a, dim):
    return python_int(softmax_flops(filled(a), filled(a), dim))


def oracle_softmax_flops(a, dim, terms=5, less=2, rows=None):
    """Count the terms of n, and the rows' 1 less of some of them."""
    n = a[dim]
    return (math.prod(a) // n if rows is None else rows) * (terms * n - less)


def by_parts_of_the_shape(a, dim):
    """Multiply the sizes before dim and those after it; for -1, a.shape[dim + 1:] is the whole shape."""
    return oracle_softmax_flops(a, dim, rows=math.prod(a[:dim]) * math.prod(a[dim + 1 :]))


def of_a_matrix(a, dim):
    """Take the one other axis of a matrix, which there may be none of, or more."""
    return oracle_softmax_flops(a, dim, rows=a[1 - dim]) if 1 - dim < len(a) else ("raises", "IndexError")


misconceptions_softmax_flops = {
    "a.shape[dim + 1:] is the whole shape where dim is -1: there are a.size // a.shape[dim] rows, whatever dim is": by_parts_of_the_shape,
    "a.shape[1 - dim] is the number of rows of a matrix alone: it is all axes but dim, multiplied": of_a_matrix,
    "the largest and the sum of n numbers take n - 1 steps, not n": lambda **inputs: oracle_softmax_flops(**inputs, less=0),
    "dim is ignored: always the last axis": lambda a, dim: oracle_softmax_flops(a, -1),
    "dim is ignored: always the first axis": lambda a, dim: oracle_softmax_flops(a, 0),
    "the n - 1 comparisons, or the n - 1 additions, were left out": lambda **inputs: oracle_softmax_flops(
        **inputs, terms=4, less=1
    ),
    "both the n - 1 comparisons and the n - 1 additions were left out": lambda **inputs: oracle_softmax_flops(
        **inputs, terms=3, less=0
    ),
    "one of three was left out: the subtractions, the exponentials or the divisions, n each": lambda **inputs: (
        oracle_softmax_flops(**inputs, terms=4)
    ),
    "one 1 was taken off for each row: there are two, one for the largest and one for the sum": lambda **inputs: (
        oracle_softmax_flops(**inputs, less=1)
    ),
    "one largest and one sum for the whole array, not for each row": lambda a, dim: 5 * math.prod(a) - 2,
    "this is one row: there are as many as the other axes, multiplied": lambda a, dim: oracle_softmax_flops(a, dim, rows=1),
    "the number of rows is not a.shape[0]: it is all axes but dim, multiplied": lambda a, dim: oracle_softmax_flops(
        a, dim, rows=a[0]
    ),
    "n and the number of rows changed places": lambda a, dim: a[dim] * (5 * (math.prod(a) // a[dim]) - 2),
    "the count overflowed in 32 bits: Python's int has no limit": lambda **inputs: overflowed(oracle_softmax_flops(**inputs)),
    "a NumPy integer was returned, as np.prod gives it: a Python int is asked for": lambda **inputs: (
        f"{oracle_softmax_flops(**inputs)}, of type int64: a Python int is asked for"
    ),
    "a float was returned: `/` gives one, `//` does not": lambda **inputs: (
        f"{float(oracle_softmax_flops(**inputs))}, of type float: a Python int is asked for"
    ),
}
