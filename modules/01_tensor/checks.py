"""Checks of module 01. NumPy only: nothing here runs the code that it judges, except `observe`."""

import itertools
import math

import numpy as np


def refusal(*shapes):
    """Return what stands for a ValueError whose message holds the shapes."""
    return ("raises", "ValueError", *(str(tuple(shape)) for shape in shapes))


def is_refusal(value):
    """Say whether a value stands for an exception."""
    return isinstance(value, tuple) and value[:1] == ("raises",)


def without_shapes(oracle):
    """Turn an oracle into one whose error message lacks the shapes."""

    def wrong(**inputs):
        expected = oracle(**inputs)
        return ("raises", "ValueError") if is_refusal(expected) else expected

    return wrong


def only_the_first_shape(oracle):
    """Turn an oracle into one whose error message holds one shape."""

    def wrong(**inputs):
        expected = oracle(**inputs)
        return expected[:3] if is_refusal(expected) else expected

    return wrong


def whole(rng, *shape):
    """Draw integers of both signs."""
    return rng.integers(-9, 10, shape)


def exact(a):
    """Return numbers to compute with: whole ones as they are, True and False as 1 and 0, others in float64."""
    a = np.asarray(a)
    return a.astype(np.int64) if a.dtype.kind in "biu" else a.astype(np.float64)


# 01.1 broadcast_shape


def draw_broadcast_shape(rng):
    """Draw equal, stretched, missing and empty sizes, no sizes, and pairs that do not fit in front, in the middle and at the end."""
    j, k, m, n = rng.sizes(4, 2, 9)
    fit = [
        ((k, m, n), (m, 1)),
        ((n,), (k, m, 1)),
        ((), (m, n)),
        ((k, 1, n), (1, m, 1)),
        ((m, 1), (m, 0)),
        ((0, n), (1, 1)),
        ((m, n), (m, n)),
        ((j, 1, m, 1), (k, 1, n)),
        ((1,) * rng.size(1, 4), (n,)),
        ((0, n), (0, 1)),
        ((), ()),
    ]
    odd = [
        ((m, n), (m,)),
        ((k, m, n), (k, n, n)),
        ((m, 0), (m, 2)),
        ((k, m), (n, 1)),
        ((j, k, m), (j, 1, n)),
        ((j, m), (k, 1, n, m)),
    ]
    for a, b in rng.mix(fit) + rng.mix(odd):
        yield dict(a=a, b=b) if rng.pick(True, False) else dict(a=b, b=a)


def pair_sizes(a, b):
    """Pair the sizes from the right; a missing one is 1."""
    return list(itertools.zip_longest(reversed(a), reversed(b), fillvalue=1))[::-1]


def oracle_broadcast_shape(a, b):
    pairs = pair_sizes(a, b)
    if any(m != n and m != 1 and n != 1 for m, n in pairs):
        return refusal(a, b)
    return tuple(n if m == 1 else m for m, n in pairs)


def from_the_left(a, b):
    return (
        oracle_broadcast_shape(a[::-1], b[::-1])
        if len(a) == len(b)
        else tuple(n if m == 1 else m for m, n in itertools.zip_longest(a, b, fillvalue=1))
    )


def from_the_left_strictly(a, b):
    pairs = list(itertools.zip_longest(a, b, fillvalue=1))
    refused = any(m != n and 1 not in (m, n) for m, n in pairs)
    return ("raises", "ValueError") if refused else tuple(n if m == 1 else m for m, n in pairs)


def only_what_both_have(a, b):
    pairs = list(zip(a, b))
    return refusal(a, b) if any(m != n and 1 not in (m, n) for m, n in pairs) else tuple(n if m == 1 else m for m, n in pairs)


def stretches_only_one(kept):
    """Refuse a 1 in the shape that stays as it is; `kept` returns it first, and the other one after it."""

    def wrong(a, b):
        pairs = zip(*map(reversed, kept(a, b)))
        return ("raises", "ValueError") if any(m == 1 != n for m, n in pairs) else oracle_broadcast_shape(a, b)

    return wrong


def turned_round(a, b):
    expected = oracle_broadcast_shape(a, b)
    return expected if is_refusal(expected) else expected[::-1]


def as_a_list(a, b):
    expected = oracle_broadcast_shape(a, b)
    return expected if is_refusal(expected) else list(expected)


def largest_size(a, b):
    expected = oracle_broadcast_shape(a, b)
    return expected if is_refusal(expected) else tuple(max(pair) for pair in pair_sizes(a, b))


misconceptions_broadcast_shape = {
    "the sizes are paired from the left, not from the right": from_the_left,
    "the sizes are paired from the left; shapes are matched from the right": from_the_left_strictly,
    "the sizes are paired from the left, and only while both shapes have one": only_what_both_have,
    "the result is turned round: its sizes stand in the order in which they were found, from the right": turned_round,
    "a list is returned where a tuple is asked for: a shape never equals a list": as_a_list,
    "of two sizes the larger one is taken: an empty axis has size 0, and 0 against 1 gives 0": largest_size,
    "a size of 1 was stretched in one of the shapes only: it may be in either": (
        stretches_only_one(lambda a, b: (a, b) if len(a) >= len(b) else (b, a)),
        stretches_only_one(lambda a, b: (a, b)),
        stretches_only_one(lambda a, b: (b, a)),
    ),
    "a size of 0 was refused: 0 against 1 gives 0, and 0 against 0 fits": lambda a, b: (
        ("raises", "ValueError") if any(sorted(pair) == [0, 1] for pair in pair_sizes(a, b)) else oracle_broadcast_shape(a, b)
    ),
    "sizes that do not fit are let through": lambda a, b: tuple(n if m == 1 else m for m, n in pair_sizes(a, b)),
    "the missing sizes in front are left out of the result": lambda a, b: (
        oracle_broadcast_shape(a, b)
        if len(a) == len(b) or is_refusal(oracle_broadcast_shape(a, b))
        else oracle_broadcast_shape(a, b)[-min(len(a), len(b)) or len(a) + len(b) :]
    ),
    "the error does not show both shapes": without_shapes(oracle_broadcast_shape),
}


# 01.2 mul


def draw_mul(rng):
    """Draw equal shapes, a square, three axes, shapes that stretch on either side, numbers, integers, also with fractions."""
    k, m, n = rng.sizes(3)
    yield dict(a=rng.normal32(m, n), b=rng.normal32(m, n))
    yield dict(a=rng.normal32(n, n), b=rng.normal32(n, n))
    yield dict(a=rng.normal32(m, 1), b=rng.normal32(n))
    yield dict(a=rng.normal32(n), b=rng.normal32(k, m, 1))
    yield dict(a=rng.normal32(k, m, n), b=rng.normal32(*rng.pick((k, m, n), (k, 1, n), (m, n), ())))
    yield dict(a=whole(rng, m, n), b=whole(rng, n))
    yield dict(a=whole(rng, *rng.sizes(rng.size(1, 3))), b=rng.size(2, 5))
    yield dict(a=whole(rng, m, n), b=rng.standard_normal((m, n)))
    yield dict(a=-1.5, b=rng.standard_normal(rng.sizes(rng.size(1, 3))))
    yield dict(a=rng.standard_normal(m), b=rng.pick(2.5, -0.5, 3))


def oracle_mul(a, b):
    a, b = np.broadcast_arrays(exact(a), exact(b))
    return np.array([x * y for x, y in zip(a.flat, b.flat)]).reshape(a.shape)


misconceptions_mul = {
    "the arrays were added, not multiplied": lambda a, b: exact(a) + exact(b),
    "`@` is the matrix product, rows by columns; here entry meets entry": lambda a, b: a @ b,
    "the inputs were paired along their first axis: shapes are to broadcast": lambda a, b: np.array(
        [x * y for x, y in zip(a, b)]
    ),
}


# 01.3 matmul


def draw_matmul(rng):
    """Draw matrices, batches that broadcast, that meet a matrix or each other, whole numbers, a square, inner sizes of 1 and 0, misfits."""
    k, m, n, b, c = rng.sizes(5, 2, 8)
    yield dict(a=rng.normal32(n, k), b=rng.normal32(k, m))
    yield dict(a=rng.normal32(n, k), b=rng.normal32(k, 1))
    yield dict(a=rng.normal32(n, 1), b=rng.normal32(1, m))
    yield dict(a=rng.normal32(n, 0), b=rng.normal32(0, m))
    yield dict(a=rng.normal32(c, 1, n, k), b=rng.normal32(b, k, m))
    yield dict(a=rng.normal32(b, n, k), b=rng.normal32(k, m))
    yield dict(a=rng.normal32(n, k), b=rng.normal32(b, k, m))
    yield dict(a=rng.normal32(b, n, k), b=rng.normal32(b, k, m))
    yield dict(a=rng.normal32(1, n, k), b=rng.normal32(c, k, m))
    yield dict(a=rng.normal32(n, n), b=rng.normal32(n, n))
    yield dict(a=whole(rng, n, k), b=whole(rng, k, m))
    yield dict(a=rng.normal32(n, k), b=rng.normal32(m, b))
    yield dict(a=rng.normal32(n, k), b=rng.normal32(m, k))
    yield dict(a=rng.normal32(n, 1), b=rng.normal32(m, k))
    yield dict(a=rng.normal32(b, n, k), b=rng.normal32(b, m, k))


def oracle_matmul(a, b):
    if a.shape[-1] != b.shape[-2]:
        return refusal(a.shape, b.shape)
    return np.einsum("...ik,...kj->...ij", exact(a), exact(b))


def zipped(a, b):
    if a.ndim == 3 and a.shape[-1] == b.shape[-2]:
        return np.stack([x @ y for x, y in zip(exact(a), exact(b))])
    return oracle_matmul(a, b)


misconceptions_matmul = {
    "the batch dimensions were not broadcast: only the first matrix of b was used": lambda a, b: oracle_matmul(
        a, b[:1] if b.ndim > 2 else b
    ),
    "a and b were multiplied entry by entry, not row by column": lambda a, b: (
        a * b if a.shape == b.shape else oracle_matmul(a, b)
    ),
    "`*` multiplies entry by entry; here rows meet columns": lambda a, b: a * b,
    "the operands changed places: b @ a, where a @ b was asked for": lambda a, b: (
        oracle_matmul(b, a) if a.shape == b.shape else oracle_matmul(a, b)
    ),
    "np.dot pairs every matrix of one batch with every matrix of the other; batches are to broadcast": lambda a, b: (
        np.dot(exact(a), exact(b)) if a.shape[-1] == b.shape[-2] else refusal(a.shape, b.shape)
    ),
    "batches were zipped: they do not broadcast then, and a b without a batch is taken row by row": zipped,
    "an inner size of 1 was stretched, as np.einsum and `*` do: the inner sizes have to be equal": lambda a, b: (
        np.einsum("...ik,...kj->...ij", exact(a), exact(b)) if 1 in (a.shape[-1], b.shape[-2]) else oracle_matmul(a, b)
    ),
    "each matrix of a was multiplied by the whole batch of b: batches are to broadcast": lambda a, b: (
        np.stack([oracle_matmul(x, b) for x in a]) if a.ndim > 2 and a.shape[-1] == b.shape[-2] else oracle_matmul(a, b)
    ),
    "the inner sizes are a.shape[-1] and b.shape[-2]: b.shape[0] and a.shape[1] are others where there is a batch": (
        lambda a, b: refusal(a.shape, b.shape) if a.shape[-1] != b.shape[0] else oracle_matmul(a, b),
        lambda a, b: refusal(a.shape, b.shape) if a.shape[1] != b.shape[0] else oracle_matmul(a, b),
        lambda a, b: refusal(a.shape, b.shape) if a.shape[1] != b.shape[-2] else oracle_matmul(a, b),
    ),
    "the error does not show the shapes of both operands": without_shapes(oracle_matmul),
}


# 01.4 reduce_sum and 01.5 mean


def draw_reduce_sum(rng):
    """Draw one axis, several, all, with and without keepdims, of none to four; axes of size 1; nan, whole numbers, bytes, True and False."""
    k, m, n = rng.sizes(3)
    yield dict(a=rng.normal32(m, n), axis=None, keepdims=False)
    yield dict(a=rng.normal32(m, n), axis=1, keepdims=False)
    yield dict(a=rng.normal32(m, n), axis=-2, keepdims=rng.pick(True, False))
    yield dict(a=rng.normal32(k, m, n), axis=tuple(rng.mix([0, -1])), keepdims=True)
    yield dict(a=rng.normal32(k, m, n), axis=rng.pick((-1, -2), (-2, -1), (-2, 2)), keepdims=False)
    yield dict(a=rng.normal32(k, m, n, 2), axis=rng.pick((1, 2), (3, 1), (-2, 0), (0, 1, 3)), keepdims=False)
    yield dict(a=rng.normal32(k, m, n), axis=rng.axis(3), keepdims=rng.pick(True, False))
    yield dict(a=whole(rng, m, n), axis=0, keepdims=True)
    yield dict(a=rng.normal32(m, n), axis=None, keepdims=True)
    yield dict(a=rng.random((m, n)) < 0.6, axis=-1, keepdims=False)
    yield dict(a=rng.normal32(m, 1, n), axis=rng.pick(0, 2, -1), keepdims=False)
    yield dict(
        a=np.where(rng.permutation(m * n).reshape(m, n) < 2, np.float32(np.nan), rng.normal32(m, n)), axis=1, keepdims=False
    )
    yield dict(a=rng.integers(100, 256, (m, n)).astype(np.uint8), axis=rng.pick(None, 0, 1), keepdims=False)
    yield dict(a=rng.normal32(), axis=None, keepdims=rng.pick(True, False))
    yield dict(a=rng.normal32(*rng.sizes(rng.size(2, 4))))


def reduced_axes(a, axis):
    return tuple(range(a.ndim)) if axis is None else tuple(int(i) % a.ndim for i in np.atleast_1d(axis))


def oracle_reduce_sum(a, axis=None, keepdims=False):
    a, axes = exact(a), reduced_axes(a, axis)
    out = np.zeros([1 if i in axes else n for i, n in enumerate(a.shape)], a.dtype)
    for index in np.ndindex(a.shape):
        out[tuple(0 if i in axes else j for i, j in enumerate(index))] += a[index]
    return out if keepdims else out.reshape([n for i, n in enumerate(out.shape) if i not in axes])


def along_the_other_axis(oracle):
    def wrong(a, axis=None, keepdims=False):
        return (
            oracle(a, 1 - axis % 2, keepdims) if a.ndim == 2 and isinstance(axis, int) and a.size else oracle(a, axis, keepdims)
        )

    return wrong


def zero_for_none(oracle):
    """`if axis:` takes axis 0 for None."""
    return lambda a, axis=None, keepdims=False: oracle(a, axis or None, keepdims)


def all_without_keepdims(oracle):
    return lambda a, axis=None, keepdims=False: oracle(a, axis, keepdims and axis is not None)


AXIS_0 = "axis 0 was taken for None: 0 counts as False, so ask whether `axis is None`"
ALL_GONE = "with axis=None keepdims was ignored: all axes stay then, with size 1"


def several_refused(oracle):
    return lambda a, axis=None, keepdims=False: ("raises", "TypeError") if isinstance(axis, tuple) else oracle(a, axis, keepdims)


def one_after_the_other(a, axis=None, keepdims=False):
    for one in axis if isinstance(axis, tuple) else (axis,):
        a = oracle_reduce_sum(a, one, keepdims)
    return a


misconceptions_reduce_sum = {
    AXIS_0: zero_for_none(oracle_reduce_sum),
    ALL_GONE: all_without_keepdims(oracle_reduce_sum),
    "axis was ignored: everything was summed": lambda a, axis=None, keepdims=False: oracle_reduce_sum(a, None, keepdims),
    "axis and keepdims were ignored: everything was summed": lambda a, axis=None, keepdims=False: oracle_reduce_sum(a),
    "keepdims was ignored: the axes that were summed are gone": lambda a, axis=None, keepdims=False: oracle_reduce_sum(a, axis),
    "the axes that were summed stay whatever keepdims says": lambda a, axis=None, keepdims=False: oracle_reduce_sum(
        a, axis, True
    ),
    "Python's `sum` adds along the first axis only: axis and keepdims are ignored": lambda a, axis=None, keepdims=False: sum(a),
    "the sum ran along the other axis": along_the_other_axis(oracle_reduce_sum),
    "axis may be a tuple of several axes": several_refused(oracle_reduce_sum),
    "several axes were summed one after the other: each sum moves the axes behind it to other places": one_after_the_other,
    "axis=None asks for all axes, not for the first": lambda a, axis=None, keepdims=False: oracle_reduce_sum(
        a, 0 if axis is None else axis, keepdims
    ),
    "nan was left out: a sum with something that is no number is none": lambda a, axis=None, keepdims=False: oracle_reduce_sum(
        np.nan_to_num(a) if a.dtype.kind == "f" else a, axis, keepdims
    ),
    "that is the mean: a sum is not divided": lambda a, axis=None, keepdims=False: oracle_mean(a, axis, keepdims),
    "True and True gave True: the Trues are to be counted": lambda a, axis=None, keepdims=False: (
        np.any(a, axis=axis, keepdims=keepdims) if a.dtype == bool else oracle_reduce_sum(a, axis, keepdims)
    ),
}


draw_mean = draw_reduce_sum


def counted(a, axis):
    """Return the lengths of the axes that are averaged."""
    return [a.shape[i] for i in reduced_axes(a, axis)]


def oracle_mean(a, axis=None, keepdims=False):
    with np.errstate(invalid="ignore"):  # of no entries
        return oracle_reduce_sum(a, axis, keepdims) / np.prod(counted(a, axis))


misconceptions_mean = {
    "the sum was not divided": lambda a, axis=None, keepdims=False: oracle_reduce_sum(a, axis, keepdims) * 1.0,
    "the sum was divided by all entries, not by those that went into each sum": lambda a, axis=None, keepdims=False: (
        oracle_reduce_sum(a, axis, keepdims) / a.size
    ),
    "the sum was divided by the length of the first axis": lambda a, axis=None, keepdims=False: (
        oracle_reduce_sum(a, axis, keepdims) / len(a)
    ),
    "the lengths of several axes were added: how many entries they hold is their product": lambda a, axis=None, keepdims=False: (
        oracle_reduce_sum(a, axis, keepdims) / (sum(counted(a, axis)) if isinstance(axis, tuple) else np.prod(counted(a, axis)))
    ),
    "`//` drops the fraction": lambda a, axis=None, keepdims=False: (
        oracle_reduce_sum(a, axis, keepdims) // np.prod(counted(a, axis))
    ),
    "axis may be a tuple of several axes: a.shape[axis] takes one number": lambda a, axis=None, keepdims=False: (
        oracle_reduce_sum(a, axis, keepdims) / (a.size if axis is None else a.shape[axis])
    ),
    "an axis below 0 was not counted from the end, and nothing was divided by its length": lambda a, axis=None, keepdims=False: (
        oracle_reduce_sum(a, axis, keepdims)
        / math.prod(n for i, n in enumerate(a.shape) if axis is None or i in np.atleast_1d(axis))
    ),
    AXIS_0: zero_for_none(oracle_mean),
    ALL_GONE: all_without_keepdims(oracle_mean),
    "keepdims was ignored: the axes that were averaged are gone": lambda a, axis=None, keepdims=False: oracle_mean(a, axis),
    "the axes that were averaged stay whatever keepdims says": lambda a, axis=None, keepdims=False: oracle_mean(a, axis, True),
    "the mean ran along the other axis": along_the_other_axis(oracle_mean),
}


# 01.6 reshape


def draw_reshape(rng):
    """Draw more axes and fewer, a -1 in any place and none, rows that do not lie in a row, whole numbers, and what does not fit."""
    k, m, n = rng.sizes(3)
    yield dict(a=rng.normal32(m, k * n), shape=(m * k, n))
    yield dict(a=rng.normal32(m, k * n), shape=rng.pick((-1, n), (k, -1), (m, k, -1), (m, -1, n)))
    yield dict(a=rng.normal32(n, m, k).transpose(2, 0, 1), shape=(-1, m))
    yield dict(a=rng.normal32(k, m, n), shape=rng.pick((-1,), (k * m * n,), (k, -1)))
    yield dict(a=rng.normal32(n), shape=(1, n, 1))
    yield dict(a=rng.normal32(), shape=rng.pick((1, 1), (-1,), (1, -1)))
    yield dict(a=whole(rng, k * m), shape=(k, m))
    yield dict(a=rng.normal32(m, n), shape=(m + 1, n))
    yield dict(a=rng.normal32(m, 2 * n), shape=(2 * m * n + 1, -1))
    yield dict(a=rng.normal32(m, n), shape=rng.pick((0, n), (m, 0)))


def oracle_reshape(a, shape):
    known = 1
    for n in shape:
        known *= n if n != -1 else 1
    target = [n if n != -1 else a.size // known for n in shape]
    if np.prod(target) != a.size:
        return refusal(a.shape, shape)
    return np.array([a[index] for index in np.ndindex(a.shape)]).reshape(target)


misconceptions_reshape = {
    "the numbers were read column by column: the last axis varies fastest": lambda a, shape: (
        oracle_reshape(a, shape) if is_refusal(oracle_reshape(a, shape)) else np.reshape(a, shape, order="F")
    ),
    "the numbers were read as they lie in memory: a transposed array is read row after row, too": lambda a, shape: (
        oracle_reshape(a, shape) if is_refusal(oracle_reshape(a, shape)) else np.reshape(a, shape, order="A")
    ),
    "the numbers were repeated or cut to fill the shape; a reshape keeps each of them once": lambda a, shape: (
        np.resize(a, shape) if -1 in shape or is_refusal(oracle_reshape(a, shape)) else oracle_reshape(a, shape)
    ),
    "the sizes were compared before the -1 was worked out": lambda a, shape: (
        refusal(a.shape, shape) if np.prod(shape) != a.size else oracle_reshape(a, shape)
    ),
    "a size of 0 was taken for -1: it asks for no entries": lambda a, shape: oracle_reshape(a, tuple(n or -1 for n in shape)),
    "the error shows one shape: it needs the one asked for as well": only_the_first_shape(oracle_reshape),
    "the error does not show both shapes": without_shapes(oracle_reshape),
}


# 01.7 transpose


def draw_transpose(rng):
    """Draw two axes of two to five, counted from either end, one of them twice, and whole numbers."""
    sizes = rng.sizes(5, 2, 6)
    yield dict(a=rng.normal32(*sizes[:2]), dim0=0, dim1=1)
    yield dict(a=rng.normal32(*sizes[:3]), dim0=-1, dim1=-2)
    yield dict(a=rng.normal32(*sizes[1:4]), dim0=0, dim1=2)
    yield dict(a=whole(rng, *sizes[1:3]), dim0=-1, dim1=0)
    for ndim in (3, 4, 5):
        first, second = rng.permutation(ndim)[:2]
        yield dict(a=rng.normal32(*sizes[:ndim]), dim0=int(first) - rng.pick(0, ndim), dim1=int(second) - rng.pick(0, ndim))
    yield dict(a=rng.normal32(*sizes[:4]), dim0=0, dim1=rng.pick(3, -1))
    yield dict(a=rng.normal32(*sizes[:3]), dim0=1, dim1=-2)


def oracle_transpose(a, dim0, dim1):
    order = list(range(a.ndim))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    out = np.zeros([a.shape[i] for i in order], a.dtype)
    for index in np.ndindex(out.shape):
        source = [0] * a.ndim
        for i, axis in enumerate(order):
            source[axis] = index[i]
        out[index] = a[tuple(source)]
    return out


misconceptions_transpose = {
    "all axes were turned around; only two change places": lambda a, dim0, dim1: a.T,
    "the last two axes were swapped, whatever dim0 and dim1 say": lambda a, dim0, dim1: oracle_transpose(a, -1, -2),
    "one axis was moved, and those between shifted; only two axes change places": lambda a, dim0, dim1: np.moveaxis(
        a, dim0, dim1
    ),
    "np.transpose takes the new order of all axes, not the two that change places": lambda a, dim0, dim1: np.transpose(
        a, (dim0, dim1)
    ),
    "the shape is right, but the numbers kept their order: that is a reshape": lambda a, dim0, dim1: a.reshape(
        oracle_transpose(a, dim0, dim1).shape
    ),
    "nothing changed places": lambda a, dim0, dim1: a,
}


# 01.8 expand


def draw_expand(rng):
    """Draw stretched, kept, new and empty axes, no axes, a -1 in any place, whole numbers, and what does not fit or would shrink."""
    k, m, n = rng.sizes(3)
    yield dict(a=rng.normal32(m, 1), shape=(m, n))
    yield dict(a=rng.normal32(k, 1, n), shape=(-1, m, -1))
    yield dict(a=rng.normal32(1, n), shape=(k, m, -1, n))
    yield dict(a=rng.normal32(m), shape=(k, m))
    yield dict(a=rng.normal32(), shape=rng.pick((m,), (k, n)))
    yield dict(a=rng.normal32(m, n), shape=rng.pick((m, n), (-1, n), (m, -1)))
    yield dict(a=rng.normal32(1, m, 1), shape=rng.pick((n, k, -1, 3), (k, m, n), (k, -1, -1), (-1, m, n)))
    yield dict(a=whole(rng, n, 1), shape=(k, -1, m))
    yield dict(a=rng.normal32(1, m, 1), shape=rng.pick((0, m, n), (k, -1, 0), (0, -1, -1)))
    yield dict(a=rng.normal32(m, n), shape=(m, n + 1))
    yield dict(a=rng.normal32(m, n), shape=(1, n))
    yield dict(a=rng.normal32(m, n), shape=(n,))
    yield dict(a=rng.normal32(m, n), shape=(-1, m, n))


def observe_expand(expand, a, shape):
    source = a.copy()
    out = expand.forward(source, shape=shape)
    values = np.array(out)
    source += 1  # a view follows its source; a copy does not
    return {"numbers": values, "memory": "a copy's" if values.size and np.array_equal(values, out) else "that of a"}


def oracle_expand(a, shape):
    new = len(shape) - a.ndim
    asked = () if -1 in shape else (shape,)  # as it was given, or with every -1 worked out
    if new < 0 or -1 in shape[:new]:
        return refusal(a.shape, *asked)
    target = [n if n != -1 else a.shape[i - new] for i, n in enumerate(shape)]
    if any(n != 1 and n != target[i + new] for i, n in enumerate(a.shape)):
        return refusal(a.shape, *asked)
    out = np.zeros(target, a.dtype)
    for index in np.ndindex(out.shape):
        out[index] = a[tuple(j if n != 1 else 0 for j, n in zip(index[new:], a.shape))]
    return {"numbers": out, "memory": "that of a"}


def tiled(a, shape):
    expected = oracle_expand(a, shape)
    return expected if is_refusal(expected) or not expected["numbers"].size else {**expected, "memory": "a copy's"}


def with_target(target):
    """Make a wrong turn that works out another shape to expand to; its error shows that one, or the one that was given."""

    def wrong(a, shape):
        expected = oracle_expand(a, target(a, shape))
        return ("raises", "ValueError") if is_refusal(expected) else expected

    return wrong


def own_axis(n, i, new):
    return n == -1 and i >= new


def any_axis(n, i, new):
    return n == -1


def filled(a, shape, is_free=own_axis):
    """Put the size that `a` has there in the place of what is free."""
    new = len(shape) - a.ndim
    return tuple(a.shape[i - new] if is_free(n, i, new) else n for i, n in enumerate(shape))


def stretched_both(is_free):
    """Make a wrong turn that stretches the target, too, to what both shapes broadcast to."""

    def wrong(a, shape):
        both = oracle_broadcast_shape(a.shape, filled(a, shape, is_free))
        return ("raises", "ValueError") if is_refusal(both) or -1 in both else oracle_expand(a, both)

    return wrong


misconceptions_expand = {
    "the numbers were copied: expand reads the same memory again": tiled,
    "-1 took the size at the same place from the left; axes are matched from the right": with_target(
        lambda a, shape: tuple(a.shape[i] if n == -1 else n for i, n in enumerate(shape))  # there may be none
    ),
    "a -1 in a new axis took a size from the end of the shape of `a`, by an index below 0: it has no size to keep there": with_target(
        lambda a, shape: filled(a, shape, any_axis)
    ),
    "a -1 in a new axis became 1: there is no size to keep there": with_target(
        lambda a, shape: tuple(1 if n == -1 and i < len(shape) - a.ndim else n for i, n in enumerate(filled(a, shape)))
    ),
    "a size of 0 was taken for -1: it asks for an empty axis": with_target(
        lambda a, shape: filled(a, shape, is_free=lambda n, i, new: n < 1 and i >= new)
    ),
    "the shape asked for was stretched as well: only `a` may grow": (
        stretched_both(own_axis),
        stretched_both(any_axis),
    ),
    "the error shows the shape of `a` only: it needs the one asked for as well": only_the_first_shape(oracle_expand),
    "the error does not show both shapes": without_shapes(oracle_expand),
}


# 01.9 cat


def draw_cat(rng):
    """Draw one to four arrays of one to four axes, joined along any of them from either end; empty ones, none, and what does not fit."""
    j, k, m, n = rng.sizes(4)
    yield dict(arrays=[rng.normal32(k, n), rng.normal32(m, n)], dim=0)
    yield dict(arrays=[rng.normal32(m, size) for size in (k, j, n)], dim=-1)
    yield dict(arrays=[rng.normal32(n, n), rng.normal32(n, n)], dim=1)
    yield dict(arrays=[rng.normal32(k, m, n), rng.normal32(k, j, n)], dim=rng.pick(1, -2))
    yield dict(arrays=[rng.normal32(size, n) for size in (m, k)])
    yield dict(arrays=[whole(rng, m, n), whole(rng, k, n)], dim=rng.pick(0, -2))
    yield dict(arrays=[whole(rng, m), rng.standard_normal(n)], dim=0)
    ndim, count = rng.size(1, 4), rng.size(1, 4)
    shape, dim = list(rng.sizes(ndim)), rng.axis(ndim)
    yield dict(
        arrays=[rng.normal32(*(rng.size() if i == dim % ndim else size for i, size in enumerate(shape))) for _ in range(count)],
        dim=dim,
    )
    yield dict(arrays=[rng.normal32(0, n), *rng.pick([], [rng.normal32(m, n)]), rng.normal32(0, n)], dim=0)
    yield dict(arrays=[rng.normal32(m, n), rng.normal32(m, k)], dim=0)
    yield dict(arrays=rng.mix([rng.normal32(m, n), rng.normal32(0, k)]), dim=0)
    yield dict(arrays=[rng.normal32(j, m, n), rng.normal32(j, m, n), rng.normal32(j, k, n)], dim=-1)
    yield dict(arrays=[rng.normal32(m, n), rng.normal32(k, j), rng.normal32(k, n)], dim=rng.pick(0, -2))
    yield dict(arrays=[rng.normal32(j, n), rng.normal32(m, n), rng.normal32(n, k)], dim=0)
    yield dict(arrays=rng.mix([rng.normal32(m, n), rng.normal32(n)]), dim=0)
    yield dict(arrays=[], dim=0)


def describe_cat(arrays, **dim):
    settings = [f"arrays[{index}]" for index in range(len(arrays))] + [f"{name}={value}" for name, value in dim.items()]
    return f"cat.forward({', '.join(settings)})"


def observe_cat(cat, arrays, **dim):
    return cat.forward(*arrays, **dim)


def oracle_cat(arrays, dim=0):
    if not arrays:
        return refusal()
    dim = dim % arrays[0].ndim
    if len({array.shape[:dim] + array.shape[dim + 1 :] for array in arrays}) > 1:
        return refusal(*(array.shape for array in arrays))
    dtype = np.result_type(*map(exact, arrays))
    rows = [row for array in arrays for row in np.moveaxis(exact(array), dim, 0)]
    rest = np.delete(arrays[0].shape, dim)
    return np.moveaxis(np.array(rows, dtype).reshape(len(rows), *rest), 0, dim)


def sliced_at_minus_one(arrays, dim=0):
    """Leave out an axis by slices: shape[:-1] + shape[0:] leaves out nothing."""
    rest = {array.shape[:dim] + array.shape[dim + 1 :] for array in arrays}
    return refusal(*(array.shape for array in arrays)) if len(rest) != 1 else oracle_cat(arrays, dim)


def two_shapes(which):
    """Turn the oracle into one whose error message holds two shapes only."""

    def wrong(arrays, dim=0):
        expected = oracle_cat(arrays, dim)
        return expected[:2] + which(arrays, expected[2:]) if is_refusal(expected) and arrays else expected

    return wrong


def of_the_first_that_do_not_fit(arrays, shapes):
    odd = (shape for array, shape in zip(arrays, shapes) if is_refusal(oracle_cat([arrays[0], array])))
    return shapes[0], next(odd, shapes[0])


def by_vstack_and_hstack(arrays, dim=0):
    return np.vstack(arrays) if dim == 0 else np.hstack(arrays)


def dtype_of_the_first(arrays, dim=0):
    expected = oracle_cat(arrays, dim)
    return expected if is_refusal(expected) else expected.astype(exact(arrays[0]).dtype)


misconceptions_cat = {
    "dim was ignored: the arrays were joined along axis 0": lambda arrays, dim=0: oracle_cat(arrays),
    "the arrays came in the opposite order": lambda arrays, dim=0: oracle_cat(arrays[::-1], dim),
    "only the first two arrays were joined": lambda arrays, dim=0: oracle_cat(arrays[:2], dim),
    "a new axis was made, as np.stack does: cat joins along an axis that is there": lambda arrays, dim=0: np.stack(arrays, dim),
    "dim=-1 was used in a slice: dim + 1 is 0 there, and the axis is not left out": sliced_at_minus_one,
    "the result took the dtype of the first array, which cut off fractions": dtype_of_the_first,
    "np.vstack and np.hstack know rows and columns alone: np.concatenate takes any axis": by_vstack_and_hstack,
    "nothing was joined without an error": lambda arrays, dim=0: None if not arrays else oracle_cat(arrays, dim),
    "without arrays there is no first one: ask whether there is any": lambda arrays, dim=0: (
        oracle_cat(arrays, dim) if arrays else ("raises", "IndexError")
    ),
    "the error shows two of the shapes: it needs those of all arrays": (
        two_shapes(lambda arrays, shapes: shapes[:2]),
        two_shapes(of_the_first_that_do_not_fit),
    ),
    "the error does not show the shapes of all arrays": without_shapes(oracle_cat),
}


# 01.10 apply


def draw_apply(rng):
    """Draw ops of one to three inputs, with and without settings; tensors, arrays and numbers; whole numbers and float64."""
    k, m, n = rng.sizes(3)
    plain = dict(b=None, params={})
    yield dict(a=rng.normal32(m, n), b=rng.normal32(n), name="mul", wants=(True, False), params={})
    yield dict(a=rng.normal32(m, n), b=2.5, name="sub", wants=(False, False), params={})
    yield dict(a=rng.normal32(rng.size(3, 6)), b=-3, name="sub", wants=(True, False), params={})
    yield dict(a=rng.normal32(m, n), b=rng.normal32(n, k), name="matmul", wants=(False, True), params={})
    yield dict(a=rng.normal32(m, n), b=None, name="reduce_sum", wants=(True, False), params=dict(axis=rng.pick(0, 1)))
    yield {**plain, "a": whole(rng, n), "name": "mean", "wants": (False, False)}
    yield dict(a=whole(rng, m, n), b=None, name="mean", wants=(False, False), params=dict(axis=0))
    yield dict(a=whole(rng, m, n), b=2.5, name="mul", wants=(False, False), params={})
    yield dict(a=whole(rng, n), b=3, name="mul", wants=(False, False), params={})
    yield dict(a=rng.standard_normal(m), b=0.1, name="mul", wants=(False, False), params={})
    yield dict(
        a=rng.normal32(m, n),
        b=None,
        name="mean",
        wants=(rng.pick(True, False), False),
        params=dict(axis=rng.axis(2), keepdims=True),
    )
    yield dict(a=rng.random((m, n)) < 0.5, b=rng.normal32(m, n), c=0.5, name="where", wants=(False, True), params={})
    yield dict(a=rng.normal32(m, n), b=rng.normal32(n), name="mul", wants=(False, False), params={}, bare="ab")
    yield dict(a=rng.normal32(m, n), b=rng.normal32(n, k), name="matmul", wants=(True, False), params={}, bare="b")
    yield dict(a=rng.normal32(m, n), b=None, name="reduce_sum", wants=(False, False), params=dict(axis=rng.axis(2)), bare="a")


def describe_apply(a, b, name, wants, params, c=None, bare=""):
    named = [key if key in bare else f"Tensor({key})" for key, x in (("a", a), ("b", b)) if isinstance(x, np.ndarray)]
    numbers = [str(x) for x in (b, c) if x is not None and not isinstance(x, np.ndarray)]
    return f"out = apply({', '.join([name, *named, *numbers, *(f'{key}={value}' for key, value in params.items())])})"


def observe_apply(module, a, b, name, wants, params, c=None, bare=""):
    """Run an op once with NumPy's kernel and once with another set's, and read every label of the result."""
    op = getattr(module, name)
    tensors = {key: module.Tensor(x, want) for key, x, want in zip("ab", (a, b), wants) if isinstance(x, np.ndarray)}
    inputs = [x if key in bare else tensors.get(key, x) for key, x in zip("abc", (a, b, c)) if x is not None]
    out, wrapped = wraps_seen(module, lambda: module.apply(op, *inputs, **params))
    if not isinstance(out, module.Tensor):
        return {"out": "None" if out is None else type(out).__name__}
    origin = (
        "None"
        if out.origin is None
        else dict(
            op=out.origin.op.name,
            settings=sorted((k, str(v)) for k, v in out.origin.params.items()),
            inputs="those given" if same_things(out.origin.inputs, inputs) else "others",
        )
    )
    return {
        "out": type(out).__name__,
        "out.data": out.data,
        "out.dtype": str(out.data.dtype),
        "out.requires_grad": bool(out.requires_grad),
        "out.origin": origin,
        "wrap is given": wrapped,
        "with another kernel set": second_kernel(module, op, inputs, params),
        "on another device": second_device(module, op, inputs, params),
    }


def same_things(some, others):
    """Say whether two sequences hold the same objects."""
    return len(some) == len(others) and all(x is y for x, y in zip(some, others))


def wraps_seen(module, call):
    """Call, and say whether what `wrap` is given beside the result are tensors."""
    wrap, seen = module.wrap, []

    def watching(out, arrays):
        seen.extend(arrays)
        return wrap(out, seen[-len(arrays) :])

    module.wrap = watching
    try:
        out = call()
    finally:
        module.wrap = wrap
    return out, "tensors" if any(isinstance(one, module.Tensor) for one in seen) else "arrays and numbers"


def second_kernel(module, op, inputs, params):
    """Register a kernel that doubles the forward's result, which rounds nothing, for an op made here, and run it."""
    other = type(op)(op.forward)
    other.register_kernel("probe")(lambda *arrays, **params: op.forward(*arrays, **params) * 2)
    state = module.select_kernel.__globals__["state"]
    module.apply(other, *inputs, **params)  # the choice is made again at each call
    before, state.kernels = state.kernels, "probe"
    try:
        return module.apply(other, *inputs, **params).data / 2
    finally:
        state.kernels = before


class Probe(np.ndarray):
    """An array that lives on a device of its own."""


def second_device(module, op, inputs, params):
    """Do the same with data on a device made here: where the data lives decides which kernel runs."""
    other, devices = type(op)(op.forward), module.device_of.__globals__["_devices"]
    other.register_kernel("probe")(lambda *arrays, **params: op.forward(*arrays, **params) * 2)
    devices["probe"] = (Probe, lambda array: array.view(Probe), np.array)
    try:
        there = [x.view(Probe) if isinstance(x, np.ndarray) else x for x in inputs]
        there = [module.Tensor(x.data.view(Probe)) if isinstance(x, module.Tensor) else x for x in there]
        return np.array(module.apply(other, *there, **params).data / 2)
    finally:
        del devices["probe"]


def oracle_apply(a, b, name, wants, params, c=None, bare=""):
    forwards = dict(
        where=lambda: np.array([y if x else c for x, y in zip(a.flat, b.flat)]).reshape(a.shape),
        mul=lambda: oracle_mul(a, b),
        sub=lambda: oracle_mul(a, 1.0) - b,
        matmul=lambda: oracle_matmul(a, b),
        reduce_sum=lambda: oracle_reduce_sum(a, **params),
        mean=lambda: oracle_mean(a, **params),
    )
    values = forwards[name]()
    settings = dict(axis=None, keepdims=False) if name in ("reduce_sum", "mean") else {}
    origin = dict(op=name, settings=sorted((k, str(v)) for k, v in {**settings, **params}.items()), inputs="those given")
    dtype = "int64" if values.dtype.kind == "i" else "float64" if a.dtype == np.float64 else "float32"
    return {
        "out": "Tensor",
        "out.data": values,
        "out.dtype": dtype,
        "out.requires_grad": any(wants),
        "out.origin": origin if any(wants) else "None",
        "wrap is given": "arrays and numbers",
        "with another kernel set": values / 1.0,
        "on another device": values / 1.0,
    }


def changed(**changes):
    """Make a wrong turn: the right result with some labels replaced; `_` stands for what no name may hold."""
    keys = {
        "requires_grad": "out.requires_grad",
        "origin": "out.origin",
        "wrap": "wrap is given",
        "dtype": "out.dtype",
        "kernel": "with another kernel set",
        "device": "on another device",
    }
    return lambda **inputs: {**oracle_apply(**inputs), **{keys[key]: value(**inputs) for key, value in changes.items()}}


def forgets_settings(**inputs):
    return oracle_apply(**{**inputs, "params": {}})


def kernel_without_settings(**inputs):
    """The settings are remembered, but the kernel does not get them."""
    return {**forgets_settings(**inputs), "out.origin": oracle_apply(**inputs)["out.origin"]}


def origin_with(**entries):
    """Make a wrong turn in what is remembered."""

    def wrong(**inputs):
        origin = oracle_apply(**inputs)["out.origin"]
        return origin if isinstance(origin, str) else {**origin, **{key: value(**inputs) for key, value in entries.items()}}

    return changed(origin=wrong)


def default_settings(name, **_):
    return sorted(dict(axis="None", keepdims="False").items()) if name in ("reduce_sum", "mean") else []


def nothing_returned(**inputs):
    return {"out": "None"}


def all_want(a, b, wants, c=None, **_):
    """Say whether every input wants a gradient; a number wants none."""
    return wants[0] and (b is None or wants[1]) and c is None


def tensors_alone(b, c=None, bare="", **_):
    """Say whether record was given all inputs, if those that are no tensors were left out."""
    return "others" if bare or c is not None or b is not None and not isinstance(b, np.ndarray) else "those given"


def first_wants(**inputs):
    return oracle_apply(**inputs) if inputs["wants"][0] else oracle_apply(**{**inputs, "wants": (False, False)})


def data_of_anything(**inputs):
    """`.data` was read from whatever has one; a memoryview has a shape, but neither `*` nor methods."""
    error = {"ab": "TypeError", "a": "AttributeError"}.get(inputs.get("bare"))
    return ("raises", error) if error else oracle_apply(**inputs)


def float64_kept(**inputs):
    """What NumPy makes of whole numbers in arrays stays as it is."""
    expected = oracle_apply(**inputs)
    wide = inputs["a"].dtype.kind == "i" and expected["out.data"].dtype.kind == "f" and expected["out.data"].ndim
    return "float64" if wide else expected["out.dtype"]


misconceptions_apply = {
    "nothing was returned: `record` returns None; return the tensor that `wrap` made": nothing_returned,
    "recorded only where every input wants a gradient: one that does is enough": changed(
        requires_grad=all_want, origin=lambda **inputs: oracle_apply(**inputs)["out.origin"] if all_want(**inputs) else "None"
    ),
    "record was given the tensors among the inputs: it needs all of them, numbers too": origin_with(inputs=tensors_alone),
    "only the first input was asked whether it wants a gradient: any of them may": (
        first_wants,
        lambda **inputs: ("raises", "AttributeError") if "a" in inputs.get("bare", "") else first_wants(**inputs),
    ),
    "a bare array has a `.data` as well, its raw memory: `unwrap` knows what each input is": data_of_anything,
    "the result was not recorded, or record was given the arrays: it needs the inputs as they were given": changed(
        requires_grad=lambda **_: False, origin=lambda **_: "None"
    ),
    "every result was recorded, although no input wants a gradient": changed(
        requires_grad=lambda **_: True, origin=lambda **inputs: oracle_apply(**{**inputs, "wants": (True, True)})["out.origin"]
    ),
    "every result requires a gradient now: only one of an input that does": changed(requires_grad=lambda **_: True),
    "the settings did not reach the kernel": kernel_without_settings,
    "the settings did not reach the kernel, and were not remembered": forgets_settings,
    "the settings were not remembered: record needs them": origin_with(settings=default_settings),
    "record got the bare arrays; it needs the inputs as they were given": origin_with(inputs=lambda **_: "others"),
    "wrap was given the inputs: it looks at the dtypes of the arrays": changed(wrap=lambda **_: "tensors"),
    "the kernel's result was not wrapped: what NumPy makes of whole numbers in float64 stays float64": changed(
        dtype=float64_kept
    ),
    "op(...) runs apply again, without end: it is the kernel that has to run": lambda **_: ("raises", "RecursionError"),
    "op.forward ran whatever kernels are in use, and wherever the data lives: select_kernel chooses": changed(
        kernel=lambda **inputs: oracle_apply(**inputs)["out.data"] / 2,
        device=lambda **inputs: oracle_apply(**inputs)["out.data"] / 2,
    ),
    "select_kernel was not given the arrays, so it cannot see on which device they live": changed(
        device=lambda **inputs: oracle_apply(**inputs)["out.data"] / 2
    ),
}
