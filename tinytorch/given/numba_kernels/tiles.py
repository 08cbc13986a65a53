"""The innermost loops of convolution, which keep two dozen vectors of sums in a core's registers. Given.

numba turns loops over numbers into vector instructions by itself, but it does not keep a block of sums in registers. So these
loops are written in LLVM's own language, vector by vector; numba inlines them into the functions that call them.
"""

import functools
from functools import partial

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from tinytorch.given.numba_kernels.compiling import jit
from tinytorch.given.numba_kernels.moves import SHORT
from tinytorch.given.numba_kernels.vectors import FEW, INDEX, WIDTH, Vectors, unpack


def each_pair(read_left, read_right):
    """Yield each pair of factors with their places; the fewer of them are read first and stay in registers.

    Args:
        read_left: List of functions that make the instructions which read a factor.
        read_right: The same for the other factors.
    """
    few, many = sorted([read_left, read_right], key=len)
    kept = [read() for read in few]
    for k, read in enumerate(many):
        other = read()
        for i, one in enumerate(kept):
            yield (i, k, one, other) if few is read_left else (k, i, other, one)


def make_weigh(rows, columns):
    """Make the loop of the forward pass and of the input's gradient, for `rows` channels and `columns` vectors of pixels.

    Called as ``weigh(x, at, offsets, weights, bias, starts, ends, first, out, to, pitch)``, it takes the vectors that start at
    ``starts[first]`` and at the next ones. For each channel m, the number of a vector's pixel p is the sum over k of
    ``weights[k * rows + m] * x[at + offsets[k] + p]``, plus ``bias[m]``. The vectors go to ``out[to + m * pitch + ends[first]]``,
    and so on.
    """

    @intrinsic
    def weigh(typing, x, at, offsets, weights, bias, starts, ends, first, out, to, pitch):
        def generate(context, builder, signature, args):
            x, at, offsets, weights, bias, starts, ends, first, out, to, pitch = unpack(context, builder, signature, args)
            vectors = Vectors(builder, signature.args[0].dtype)
            taps = context.make_array(signature.args[2])(context, builder, args[2]).nitems
            places = [builder.add(first, INDEX(j)) for j in range(columns)]
            heads = [builder.gep(x, [builder.add(at, builder.load(builder.gep(starts, [place])))]) for place in places]
            sums = [vectors.variable(vectors.spread(bias, INDEX(m))) for m in range(rows) for j in range(columns)]
            with cgutils.for_range(builder, taps) as loop:
                offset = builder.load(builder.gep(offsets, [loop.index]))
                first_weight = builder.mul(loop.index, INDEX(rows))
                read_weights = [partial(vectors.spread, weights, builder.add(first_weight, INDEX(m))) for m in range(rows)]
                read_pixels = [partial(vectors.load, head, offset) for head in heads]
                for m, j, weight, pixels in each_pair(read_weights, read_pixels):
                    vectors.add_product(sums[m * columns + j], weight, pixels)
            for m in range(rows):
                row = builder.gep(out, [builder.add(to, builder.mul(pitch, INDEX(m)))])
                for j, place in enumerate(places):
                    vectors.store(builder.load(sums[m * columns + j]), row, builder.load(builder.gep(ends, [place])))
            return context.get_dummy_value()

        long = types.intp
        return types.void(x, long, offsets, weights, bias, starts, ends, long, out, long, long), generate

    return weigh


def make_gather(rows, columns, lanes=0):
    """Make the loop of the weight's gradient, and of the others where rows of pixels are short: vectors hold channels.

    Called as ``gather(x, at, heads, first, steps, factors, base, base_pitch, out, to, pitch)``, it takes `rows` entries of
    heads from the first on, and `columns` vectors of channels. For each head h and channel c, ``out[h * pitch + to + c]`` is
    set to ``base[h * base_pitch + to + c]`` plus the sum over the steps t of
    ``x[at + heads[h] + steps[t]] * factors[t * pitch + to + c]``.
    """

    @intrinsic
    def gather(typing, x, at, heads, first, steps, factors, base, base_pitch, out, to, pitch):
        def generate(context, builder, signature, args):
            x, at, heads, first, steps, factors, base, base_pitch, out, to, pitch = unpack(context, builder, signature, args)
            vectors = Vectors(builder, signature.args[0].dtype, lanes)
            count = context.make_array(signature.args[4])(context, builder, args[4]).nitems
            numbers = [builder.add(first, INDEX(m)) for m in range(rows)]
            starts = [builder.gep(x, [builder.add(at, builder.load(builder.gep(heads, [number])))]) for number in numbers]
            across = [builder.add(to, INDEX(j * vectors.lanes)) for j in range(columns)]
            sums = [
                vectors.variable(vectors.load(base, builder.add(builder.mul(number, base_pitch), place)))
                for number in numbers
                for place in across
            ]
            with cgutils.for_range(builder, count) as loop:
                step = builder.load(builder.gep(steps, [loop.index]))
                row = builder.gep(factors, [builder.mul(loop.index, pitch)])
                read_left = [partial(vectors.spread, start, step) for start in starts]
                read_right = [partial(vectors.load, row, place) for place in across]
                for m, j, left, right in each_pair(read_left, read_right):
                    vectors.add_product(sums[m * columns + j], left, right)
            for m, number in enumerate(numbers):
                row = builder.gep(out, [builder.mul(number, pitch)])
                for j, place in enumerate(across):
                    vectors.store(builder.load(sums[m * columns + j]), row, place)
            return context.get_dummy_value()

        long = types.intp
        return types.void(x, long, heads, long, steps, factors, base, long, out, long, long), generate

    return gather


def make_meet(rows):
    """Make the loop that takes one pixel of the result in several images at once, for `rows` channels; vectors hold images.

    Called as ``meet(x, at, plane, channels, down, across, weights, taps, bias, out, to, pitch)``, it multiplies only what meets.
    ``down`` and ``across`` hold pairs of a pixel's and an entry's offset. For each channel c and each two pairs, the pixels'
    offsets add up to a vector of ``x``, counted from ``at + c * plane``, and the entries' to a weight of each of the channels,
    counted from ``c * taps``. Sums start with ``bias``, and go to the vectors ``out[to + m * pitch]``.
    """

    @intrinsic
    def meet(typing, x, at, plane, channels, down, across, weights, taps, bias, out, to, pitch):
        def generate(context, builder, signature, args):
            x, at, plane, channels, down, across, weights, taps, bias, out, to, pitch = unpack(context, builder, signature, args)
            vectors = Vectors(builder, signature.args[0].dtype)
            counts = [context.make_array(signature.args[i])(context, builder, args[i]).nitems for i in (4, 5)]
            sums = [vectors.variable(vectors.spread(bias, INDEX(m))) for m in range(rows)]

            def further(pixel, entry, pairs, index):
                steps = [builder.load(builder.gep(pairs, [builder.add(index, INDEX(i))])) for i in range(2)]
                return builder.add(pixel, steps[0]), builder.add(entry, steps[1])

            with cgutils.for_range(builder, channels) as channel:
                first = builder.add(at, builder.mul(channel.index, plane)), builder.mul(channel.index, taps)
                with cgutils.for_range_slice(builder, INDEX(0), counts[0], INDEX(2), INDEX) as (i, _):
                    row = further(*first, down, i)
                    with cgutils.for_range_slice(builder, INDEX(0), counts[1], INDEX(2), INDEX) as (j, _):
                        pixel, entry = further(*row, across, j)
                        images = vectors.load(x, builder.mul(pixel, INDEX(vectors.lanes)))
                        for m in range(rows):
                            weight = vectors.spread(weights, builder.add(builder.mul(entry, INDEX(rows)), INDEX(m)))
                            vectors.add_product(sums[m], weight, images)
            for m in range(rows):
                place = builder.add(to, builder.mul(pitch, INDEX(m)))
                vectors.store(builder.load(sums[m]), out, builder.mul(place, INDEX(vectors.lanes)))
            return context.get_dummy_value()

        long = types.intp
        return types.void(x, long, long, long, down, across, weights, long, bias, out, long, long), generate

    return meet


def make_pair(rows, columns):
    """Make the loop of the weight's gradient that takes several images at once; vectors hold images, and offsets count vectors.

    Called as ``pair(x, at, heads, first, steps, grad, beside, pitch, out, to, out_pitch)``, it takes `rows` channels, and
    `columns` entries of heads from the first on. For each channel m and head h, ``out[to + m * out_pitch + h]`` grows by the sum
    over the steps t of ``x[at + heads[first + h] + steps[t]] * grad[beside + m * pitch + t]``.
    """

    @intrinsic
    def pair(typing, x, at, heads, first, steps, grad, beside, pitch, out, to, out_pitch):
        def generate(context, builder, signature, args):
            x, at, heads, first, steps, grad, beside, pitch, out, to, out_pitch = unpack(context, builder, signature, args)
            vectors = Vectors(builder, signature.args[0].dtype)
            count = context.make_array(signature.args[4])(context, builder, args[4]).nitems

            def number(*vector_places):
                return builder.mul(functools.reduce(builder.add, vector_places), INDEX(vectors.lanes))

            starts = [number(at, builder.load(builder.gep(heads, [builder.add(first, INDEX(h))]))) for h in range(columns)]
            lines = [number(beside, builder.mul(pitch, INDEX(m))) for m in range(rows)]
            ends = [number(to, builder.mul(out_pitch, INDEX(m)), INDEX(h)) for m in range(rows) for h in range(columns)]
            sums = [vectors.variable(vectors.load(out, end)) for end in ends]
            with cgutils.for_range(builder, count) as loop:
                step, index = number(builder.load(builder.gep(steps, [loop.index]))), number(loop.index)
                read_slopes = [lambda line=line: vectors.load(grad, builder.add(line, index)) for line in lines]
                read_pixels = [lambda start=start: vectors.load(x, builder.add(start, step)) for start in starts]
                for m, h, slopes, pixels in each_pair(read_slopes, read_pixels):
                    vectors.add_product(sums[m * columns + h], slopes, pixels)
            for end, total in zip(ends, sums):
                vectors.store(builder.load(total), out, end)
            return context.get_dummy_value()

        long = types.intp
        return types.void(x, long, heads, long, steps, grad, long, long, out, long, long), generate

    return pair


def make_block(rows):
    """Make the function that weighs the taps of any number of pixels, for `rows` channels."""
    columns = min(SUMS // rows, 6)
    wide, narrow = make_weigh(rows, columns), make_weigh(rows, 1)

    @jit(cache=False)
    def block(x, at, offsets, weights, bias, starts, ends, out, to, pitch):
        even = len(starts) // columns * columns
        for first in range(0, even, columns):
            wide(x, at, offsets, weights, bias, starts, ends, first, out, to, pitch)
        for first in range(even, len(starts)):
            narrow(x, at, offsets, weights, bias, starts, ends, first, out, to, pitch)

    return block


ROWS = 4 if FEW else 8  # channels at once
SUMS = 12 if FEW else 24  # vectors of sums at once: there are registers to spare for a product's factors
weigh_2, weigh_4, weigh_6, weigh_8 = map(make_block, (2, 4, 6, 8))
TALL = 8  # channels at once for one pixel
meet_2, meet_4, meet_6, meet_8 = map(make_meet, (2, 4, 6, 8))
HEADS = (6, 6, 4, 3) if FEW else (9, 9, 8, 6)  # heads at once, with 1 to 4 vectors of channels
MOST = 3 if FEW else 4  # vectors at once: with 4 and 16 registers, one of the sums would be in memory
PAIRED = 5  # heads at once, for two channels
pair_2 = make_pair(2, PAIRED)
gather_half = make_gather(HEADS[0], 1, SHORT)
gather_1, gather_2, gather_3, gather_4 = [make_gather(HEADS[i], i + 1) for i in range(4)]


@jit(cache=False)
def weigh(rows, x, at, offsets, weights, bias, starts, ends, out, to, pitch):
    """Weigh the taps for an even number of channels, at most `ROWS`."""
    if rows == 8:
        weigh_8(x, at, offsets, weights, bias, starts, ends, out, to, pitch)
    elif rows == 6:
        weigh_6(x, at, offsets, weights, bias, starts, ends, out, to, pitch)
    elif rows == 4:
        weigh_4(x, at, offsets, weights, bias, starts, ends, out, to, pitch)
    else:
        weigh_2(x, at, offsets, weights, bias, starts, ends, out, to, pitch)


@jit(cache=False)
def meet(rows, x, at, plane, channels, down, across, weights, taps, bias, out, to, pitch):
    """Take one pixel of the result, in several images, for an even number of channels, at most `TALL`."""
    if rows == 8:
        meet_8(x, at, plane, channels, down, across, weights, taps, bias, out, to, pitch)
    elif rows == 6:
        meet_6(x, at, plane, channels, down, across, weights, taps, bias, out, to, pitch)
    elif rows == 4:
        meet_4(x, at, plane, channels, down, across, weights, taps, bias, out, to, pitch)
    else:
        meet_2(x, at, plane, channels, down, across, weights, taps, bias, out, to, pitch)


@jit(cache=False)
def at_once(left):
    """Return how many of the vectors of channels that are left to take next: parts of about the same width."""
    parts = -(-left // MOST)
    return -(-left // parts)


@jit(cache=False)
def gather(x, at, heads, count, steps, factors, base, base_pitch, out, pitch):
    """Gather for a number of heads, rounded up, and all channels: as many as the pitch, which is whole vectors."""
    lanes, end = WIDTH // x.itemsize, count + HEADS[0]
    if pitch < lanes:
        for first in range(0, count, HEADS[0]):
            gather_half(x, at, heads, first, steps, factors, base, base_pitch, out, 0, pitch)
    to = 0
    while to + lanes <= pitch:
        columns = at_once((pitch - to) // lanes)
        gather_some(columns, x, at, heads, (0, count, end), steps, factors, base, base_pitch, out, to, pitch)
        to += columns * lanes


@jit(cache=False)
def gather_some(columns, x, at, heads, part, steps, factors, base, base_pitch, out, to, pitch):
    """Gather for this number of vectors, at most `MOST`, and a part of the heads: from the first to the last.

    The last heads that are taken at once may go beyond the last one, up to the part's end; if they would go beyond that, too,
    they begin earlier.
    """
    first, last, end = part
    if columns == 4:
        for head in range(first, last, HEADS[3]):
            gather_4(x, at, heads, min(head, end - HEADS[3]), steps, factors, base, base_pitch, out, to, pitch)
    elif columns == 3:
        for head in range(first, last, HEADS[2]):
            gather_3(x, at, heads, min(head, end - HEADS[2]), steps, factors, base, base_pitch, out, to, pitch)
    elif columns == 2:
        for head in range(first, last, HEADS[1]):
            gather_2(x, at, heads, min(head, end - HEADS[1]), steps, factors, base, base_pitch, out, to, pitch)
    else:
        for head in range(first, last, HEADS[0]):
            gather_1(x, at, heads, min(head, end - HEADS[0]), steps, factors, base, base_pitch, out, to, pitch)
