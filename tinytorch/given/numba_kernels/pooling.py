"""Max-pooling and its gradient, in numba. Given.

Windows of 2 by 2 that do not overlap, which most networks use, have their own loops, which run as vector instructions.
"""

import functools

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from tinytorch.given.numba_kernels.arrays import readable, ready
from tinytorch.given.numba_kernels.compiling import jit
from tinytorch.given.numba_kernels.moves import SHORT
from tinytorch.given.numba_kernels.threads import prepared, spread
from tinytorch.given.numba_kernels.vectors import Vectors, unpack


@jit(cache=False)
def beats(value, largest):
    """Say whether a value becomes the maximum: it is larger, or nan."""
    return (value > largest) | (value != value)  # not `or`, which would jump


@jit(cache=False)
def window(y, x, settings, size):
    """Return the rows and columns of the picture that a window covers: the first, and one past the last."""
    (rows, columns), (down, across), (top, left) = settings
    y, x = y * down - top, x * across - left
    return max(y, 0), min(y + rows, size[0]), max(x, 0), min(x + columns, size[1])


def vectors_beat(builder, a, b):
    """Say lane by lane what `beats` says of numbers."""
    return builder.or_(builder.fcmp_ordered(">", a, b), builder.fcmp_unordered("uno", a, a))


def make_pick(lanes):
    """Make the loop body that takes the maxima of `lanes / 2` windows of 2 by 2.

    Called as ``pick(upper, lower, at, row)``, it takes the windows from column ``2 * at`` of two rows on.
    """

    @intrinsic
    def pick(typing, upper, lower, at, row):
        def generate(context, builder, signature, args):
            upper, lower, at, row = unpack(context, builder, signature, args)
            vectors, halves = (Vectors(builder, signature.args[0].dtype, count) for count in (lanes, lanes // 2))

            def larger(a, b):
                return builder.select(vectors_beat(builder, b, a), b, a)

            def of_a_row(numbers):
                both = vectors.load(numbers, builder.add(at, at))
                return larger(*(vectors.shuffle(both, both, list(range(start, lanes, 2))) for start in (0, 1)))

            halves.store(larger(of_a_row(upper), of_a_row(lower)), row, at)
            return context.get_dummy_value()

        return types.void(upper, lower, types.intp, row), generate

    return pick


pick_4, pick_8 = make_pick(SHORT), make_pick(2 * SHORT)


@jit
def pool(first, last, pictures, settings, out):
    """Take the maximum of every window of the pictures (M, H, W) from first to last."""
    for n in range(first, last):
        for y in range(out.shape[1]):
            if settings == ((2, 2), (2, 2), (0, 0)) and out.shape[2] >= SHORT // 2:
                upper, lower, row = pictures[n, 2 * y], pictures[n, 2 * y + 1], out[n, y]
                step = SHORT if len(row) >= SHORT else SHORT // 2
                for x in range(0, len(row), step):  # the last step may overlap the one before it
                    if step == SHORT:
                        pick_8(upper, lower, min(x, len(row) - step), row)
                    else:
                        pick_4(upper, lower, min(x, len(row) - step), row)
            else:
                for x in range(out.shape[2]):
                    top, bottom, left, right = window(y, x, settings, pictures.shape[1:])
                    largest = pictures.dtype.type(-np.inf)
                    for i in range(top, bottom):
                        for j in range(left, right):
                            if beats(pictures[n, i, j], largest):
                                largest = pictures[n, i, j]
                    out[n, y, x] = largest


def make_settle(lanes):
    """Make the loop body that passes the gradients of `lanes / 2` windows of 2 by 2 to their maxima.

    Called as ``settle(upper, lower, grad, at, out, to, pitch)``, it takes the windows from column ``2 * at`` of two rows on. The
    numbers of each row of a window are compared first, then the winners of the rows: the result is the same as that of one number
    after another.
    """

    @intrinsic
    def settle(typing, upper, lower, grad, at, out, to, pitch):
        def generate(context, builder, signature, args):
            upper, lower, grad, at, out, to, pitch = unpack(context, builder, signature, args)
            vectors, halves = (Vectors(builder, signature.args[0].dtype, count) for count in (lanes, lanes // 2))
            beats, double = functools.partial(vectors_beat, builder), builder.add(at, at)
            value, zero = halves.load(grad, at), ir.Constant(halves.vector, None)
            rows = [vectors.load(row, double) for row in (upper, lower)]
            pairs = [[vectors.shuffle(row, row, list(range(side, lanes, 2))) for side in (0, 1)] for row in rows]
            right_wins = [beats(right, left) for left, right in pairs]
            best = [builder.select(wins, right, left) for wins, (left, right) in zip(right_wins, pairs)]
            lower_wins = beats(best[1], best[0])
            for place, row_wins, right in zip((to, builder.add(to, pitch)), (builder.not_(lower_wins), lower_wins), right_wins):
                passed = builder.select(row_wins, value, zero)
                sides = builder.select(right, zero, passed), builder.select(right, passed, zero)
                both = vectors.shuffle(*sides, [i // 2 + i % 2 * (lanes // 2) for i in range(lanes)])
                vectors.store(both, out, builder.add(place, double))
            return context.get_dummy_value()

        long = types.intp
        return types.void(upper, lower, grad, long, out, long, long), generate

    return settle


settle_4, settle_8 = make_settle(SHORT), make_settle(2 * SHORT)


@jit
def unpool(first, last, grad, pictures, settings, out):
    """Pass the gradient of every window to its maximum: the first in row-major order, or the last nan."""
    numbers = out.reshape(out.size)
    for n in range(first, last):
        for y in range(grad.shape[1]):
            row = grad[n, y]
            if settings == ((2, 2), (2, 2), (0, 0)) and len(row) >= SHORT // 2:
                upper, lower, to = pictures[n, 2 * y], pictures[n, 2 * y + 1], (n * out.shape[1] + 2 * y) * out.shape[2]
                step = SHORT if len(row) >= SHORT else SHORT // 2
                for x in range(0, len(row), step):
                    if step == SHORT:
                        settle_8(upper, lower, row, min(x, len(row) - step), numbers, to, out.shape[2])
                    else:
                        settle_4(upper, lower, row, min(x, len(row) - step), numbers, to, out.shape[2])
            else:
                for x in range(grad.shape[2]):
                    top, bottom, left, right = window(y, x, settings, pictures.shape[1:])
                    place, largest = (top, left), pictures[n, top, left]
                    for i in range(top, bottom):
                        for j in range(left, right):
                            if beats(pictures[n, i, j], largest):
                                place, largest = (i, j), pictures[n, i, j]
                    out[n, place[0], place[1]] += grad[n, y, x]


def max_pooling(x, *, kernel_size, stride, padding):
    """Take the maximum of every window: the op's kernel. Return None for inputs that it does not cover."""
    arrays = ready(x)
    if not arrays:
        return None
    pictures, settings = arrays[0].reshape(-1, *x.shape[2:]), (kernel_size, stride, padding)
    size = [(n + 2 * p - k) // s + 1 for n, k, s, p in zip(x.shape[2:], *settings)]
    out = np.empty((len(pictures), *size), x.dtype)
    spread(lambda first, last: pool(first, last, pictures, settings, out), len(out), numbers=pictures[0].size)
    return out.reshape(*x.shape[:2], *size)


def writes_all(shape, settings):
    """Say whether `unpool` writes every entry of the result, so that it need not be filled with zeros first."""
    return settings == ((2, 2), (2, 2), (0, 0)) and shape[2] % 2 == shape[3] % 2 == 0 and shape[3] >= SHORT


def max_pooling_backward(grad, x, *, kernel_size, stride, padding):
    """Pass the gradient back to the maxima: the op's kernel. Return None for inputs that it does not cover."""
    arrays = ready(grad, x)
    if not arrays:
        return None
    grad, pictures = (array.reshape(-1, *array.shape[2:]) for array in arrays)
    settings = kernel_size, stride, padding
    out = (np.empty if writes_all(x.shape, settings) else np.zeros)(pictures.shape, grad.dtype)
    spread(lambda first, last: unpool(first, last, grad, pictures, settings, out), len(out), numbers=2 * pictures[0].size)
    return out.reshape(x.shape)


def prepare_max_pooling(out, scratch, x, *, kernel_size, stride, padding):
    """Prepare the kernel: see `Op.register_prepared`."""
    if not readable(x, out) or not x.size:
        return None
    pictures, results = x.reshape(-1, *x.shape[2:]), out.reshape(-1, *out.shape[2:])
    settings = kernel_size, stride, padding
    return [prepared(pool, len(results), pictures, settings, results, numbers=pictures[0].size)]


def prepare_max_pooling_backward(out, scratch, grad, x, *, kernel_size, stride, padding):
    """Prepare the kernel: see `Op.register_prepared`."""
    if not readable(grad, x, out) or not grad.size:
        return None
    slopes, pictures, results = (array.reshape(-1, *array.shape[2:]) for array in (grad, x, out))
    settings = kernel_size, stride, padding
    call = prepared(unpool, len(results), slopes, pictures, settings, results, numbers=2 * pictures[0].size)
    return [call] if writes_all(x.shape, settings) else [functools.partial(results.fill, 0), call]
