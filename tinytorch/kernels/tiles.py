"""The innermost loops of convolution, which keep two dozen vectors of sums in a core's registers. Given.

numba turns loops over numbers into vector instructions by itself, but it does not keep a block of sums in registers. So these
loops are written in LLVM's own language, vector by vector; numba puts them into the functions that call them.
"""
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from tinytorch.kernels.compiling import jit


def host_features():
    """Return what this processor can do, a dict from feature to bool; an empty one where LLVM cannot tell."""
    try:
        return binding.get_host_cpu_features()
    except RuntimeError:
        return {}


FEATURES = host_features()
WIDTH = 64 if FEATURES.get("avx512f") else 32 if FEATURES.get("avx") else 16  # bytes of a vector register
FEW = bool(FEATURES.get("sse2")) and WIDTH < 64  # 16 vector registers; others have 32
INDEX = ir.IntType(64)


class Vectors:
    """Builds instructions on vectors of one dtype."""

    def __init__(self, builder, dtype, lanes=0):
        self.builder, self.size = builder, dtype.bitwidth // 8
        self.lanes = lanes or WIDTH // self.size
        self.number = ir.FloatType() if self.size == 4 else ir.DoubleType()
        self.vector = ir.VectorType(self.number, self.lanes)

    def variable(self, vector):
        """Make a variable that starts as a vector; LLVM keeps it in a register."""
        place = cgutils.alloca_once(self.builder, self.vector)
        self.builder.store(vector, place)
        return place

    def place(self, pointer, index):
        """Point to the vector that starts at a number's index."""
        return self.builder.bitcast(self.builder.gep(pointer, [index]), self.vector.as_pointer())

    def load(self, pointer, index):
        """Read the vector that starts at a number's index."""
        return self.builder.load(self.place(pointer, index), align=self.size)

    def store(self, vector, pointer, index):
        """Write a vector to where a number's index says."""
        self.builder.store(vector, self.place(pointer, index), align=self.size)

    def spread(self, pointer, index):
        """Read one number into all lanes."""
        return self.repeat(self.builder.load(self.builder.gep(pointer, [index])))

    def repeat(self, number):
        """Copy a number into all lanes."""
        alone = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), number, ir.IntType(32)(0))
        return self.shuffle(alone, alone, [0] * self.lanes)

    def shuffle(self, a, b, lanes):
        """Make a vector of lanes of two, which are numbered on."""
        return self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes))

    def add_product(self, sum_, a, b):
        """Add the product of two vectors to a variable, rounding once where the CPU can."""
        product = self.builder.fmul(a, b, flags=["contract"])
        self.builder.store(self.builder.fadd(self.builder.load(sum_), product, flags=["contract"]), sum_)


def unpack(context, builder, signature, args):
    """Return pointers to the numbers of arrays, and other arguments as they are."""
    return [context.make_array(kind)(context, builder, arg).data if isinstance(kind, types.Array) else arg
            for kind, arg in zip(signature.args, args)]


def make_weigh(rows, columns):
    """Make the loop of the forward pass and of the input's gradient, for `rows` channels and `columns` vectors of pixels.

    Called as ``weigh(x, at, offsets, weights, bias, starts, ends, first, out, to, pitch)``, it takes the vectors that start at
    ``starts[first]`` and at the next ones. For each channel m, the number of a vector's pixel p is the sum over k of
    ``weights[k * rows + m] * x[at + offsets[k] + p]``, and ``bias[m]``. The vectors go to ``out[to + m * pitch + ends[first]]``,
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
                pixels = [vectors.load(head, offset) for head in heads]
                for m in range(rows):
                    weight = vectors.spread(weights, builder.add(builder.mul(loop.index, INDEX(rows)), INDEX(m)))
                    for j in range(columns):
                        vectors.add_product(sums[m * columns + j], weight, pixels[j])
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
    set to ``base[h * base_pitch + to + c]`` and the sum over the steps t of
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
            sums = [vectors.variable(vectors.load(base, builder.add(builder.mul(number, base_pitch), place)))
                    for number in numbers for place in across]
            with cgutils.for_range(builder, count) as loop:
                step = builder.load(builder.gep(steps, [loop.index]))
                row = builder.gep(factors, [builder.mul(loop.index, pitch)])
                right = [vectors.load(row, place) for place in across]
                for m, start in enumerate(starts):
                    left = vectors.spread(start, step)
                    for j in range(columns):
                        vectors.add_product(sums[m * columns + j], left, right[j])
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

    Called as ``meet(x, at, plane, channels, down, across, weights, taps, bias, out, to, pitch)``, it multiplies only what meets:
    for each channel c, and each pixel and entry of ``down``, and of ``across``, their sums are a vector of ``x``, from ``at`` and
    ``c * plane`` on, and a weight in ``weights``, from ``c * taps`` on, of each of the channels. Sums begin with ``bias``, and go
    to the vectors ``out[to + m * pitch]``.
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


@intrinsic
def turn(typing, source, at, pitch, out, to, out_pitch):
    """Transpose `SHORT` rows of as many numbers."""
    def generate(context, builder, signature, args):
        source, at, pitch, out, to, out_pitch = unpack(context, builder, signature, args)
        vectors = Vectors(builder, signature.args[0].dtype, SHORT)
        rows = [vectors.load(source, builder.add(at, builder.mul(pitch, INDEX(i)))) for i in range(SHORT)]
        order = [i // 2 + i % 2 * SHORT for i in range(2 * SHORT)]  # one of the first row, one of the second, and so on
        for _ in range(SHORT.bit_length() - 1):
            rows = [vectors.shuffle(rows[i], rows[i + SHORT // 2], part)
                    for i in range(SHORT // 2) for part in (order[:SHORT], order[SHORT:])]
        for i, row in enumerate(rows):
            vectors.store(row, out, builder.add(to, builder.mul(out_pitch, INDEX(i))))
        return context.get_dummy_value()
    return types.void(source, types.intp, types.intp, out, types.intp, types.intp), generate


@jit(cache=False)
def transpose(source, at, pitch, shape, out, to, out_pitch):
    """Transpose a matrix of a shape, whose rows start at ``source[at]`` and every pitch numbers, to ``out[to]`` on.

    Of fewer rows than `SHORT`, those that follow in the source are written, too, if ``out`` has room beside them for so many.
    """
    rows, columns = shape
    if columns < SHORT or rows < SHORT and (out_pitch < SHORT or at + SHORT * pitch > len(source)):
        for i in range(rows):
            for j in range(columns):
                out[to + j * out_pitch + i] = source[at + i * pitch + j]
    else:
        for i in range(0, rows, SHORT):
            i = max(0, min(i, rows - SHORT))
            for j in range(0, columns, SHORT):
                j = min(j, columns - SHORT)
                turn(source, at + i * pitch + j, pitch, out, to + j * out_pitch + i, out_pitch)


@intrinsic
def move(typing, source, at, out, to):
    """Copy `SHORT` numbers from ``source[at]`` on to ``out[to]`` on."""
    def generate(context, builder, signature, args):
        source, at, out, to = unpack(context, builder, signature, args)
        vectors = Vectors(builder, signature.args[0].dtype, SHORT)
        vectors.store(vectors.load(source, at), out, to)
        return context.get_dummy_value()
    return types.void(source, types.intp, out, types.intp), generate


@jit(cache=False)
def copy(source, at, out, to, count):
    """Copy a row of numbers; the last few are copied twice rather than one by one."""
    if count < SHORT:
        for i in range(count):
            out[to + i] = source[at + i]
    else:
        for i in range(0, count - SHORT, SHORT):
            move(source, at + i, out, to + i)
        move(source, at + count - SHORT, out, to + count - SHORT)


def make_block(rows):
    """Make the function that weighs the taps of any number of pixels, for `rows` channels."""
    wide, narrow = make_weigh(rows, COLUMNS), make_weigh(rows, 1)

    @jit(cache=False)
    def block(x, at, offsets, weights, bias, starts, ends, out, to, pitch):
        even = len(starts) // COLUMNS * COLUMNS
        for first in range(0, even, COLUMNS):
            wide(x, at, offsets, weights, bias, starts, ends, first, out, to, pitch)
        for first in range(even, len(starts)):
            narrow(x, at, offsets, weights, bias, starts, ends, first, out, to, pitch)
    return block


SHORT = 8  # numbers that `move` moves, and side of the squares of `turn`
COLUMNS = 3  # vectors of pixels at once
ROWS = 4 if FEW else 8  # channels at once: 12 or 24 sums, and registers to spare for a product's factors
weigh_2, weigh_4, weigh_6, weigh_8 = map(make_block, (2, 4, 6, 8))
TALL = 8  # channels at once for one pixel
meet_2, meet_4, meet_6, meet_8 = map(make_meet, (2, 4, 6, 8))
HEADS = (6, 6, 4, 3) if FEW else (9, 9, 8, 6)  # with 1 to 4 vectors of channels, so many heads at once
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
def gather(x, at, heads, count, steps, factors, base, base_pitch, out, pitch):
    """Gather for a number of heads, rounded up, and all channels: as many as the pitch, which is whole vectors."""
    lanes = WIDTH // x.itemsize
    if pitch < lanes:
        for first in range(0, count, HEADS[0]):
            gather_half(x, at, heads, first, steps, factors, base, base_pitch, out, 0, pitch)
    for to in range(0, pitch // lanes * lanes, 4 * lanes):
        if pitch - to >= 4 * lanes:
            for first in range(0, count, HEADS[3]):
                gather_4(x, at, heads, first, steps, factors, base, base_pitch, out, to, pitch)
        elif pitch - to == 3 * lanes:
            for first in range(0, count, HEADS[2]):
                gather_3(x, at, heads, first, steps, factors, base, base_pitch, out, to, pitch)
        elif pitch - to == 2 * lanes:
            for first in range(0, count, HEADS[1]):
                gather_2(x, at, heads, first, steps, factors, base, base_pitch, out, to, pitch)
        else:
            for first in range(0, count, HEADS[0]):
                gather_1(x, at, heads, first, steps, factors, base, base_pitch, out, to, pitch)
