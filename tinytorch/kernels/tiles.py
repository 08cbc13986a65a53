"""The two innermost loops of convolution, which keep two dozen vectors of sums in a core's registers. Given.

numba turns loops over numbers into vector instructions by itself, but it does not keep a block of sums in registers. So these
two loops are written in LLVM's own language, vector by vector; numba puts them into the functions that call them.
"""
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from tinytorch.kernels.compiling import jit

FEATURES = binding.get_host_cpu_features()
WIDTH = 64 if FEATURES.get("avx512f") else 32 if FEATURES.get("avx") else 16  # bytes of a vector register
FEW = bool(FEATURES.get("sse2")) and WIDTH < 64  # 16 vector registers; others have 32
INDEX = ir.IntType(64)


def lanes(dtype):
    """Return how many numbers of a numba dtype a vector register holds."""
    return WIDTH * 8 // dtype.bitwidth


class Vectors:
    """Builds instructions on vectors of one dtype."""

    def __init__(self, builder, dtype):
        self.builder, self.lanes, self.size = builder, lanes(dtype), dtype.bitwidth // 8
        self.number = ir.FloatType() if self.size == 4 else ir.DoubleType()
        self.vector = ir.VectorType(self.number, self.lanes)

    def sums(self, count):
        """Make variables that start at 0; LLVM keeps them in registers."""
        return [cgutils.alloca_once_value(self.builder, ir.Constant(self.vector, None)) for _ in range(count)]

    def place(self, pointer, index):
        """Point to the vector that starts at a number's index."""
        return self.builder.bitcast(self.builder.gep(pointer, [index]), self.vector.as_pointer())

    def load(self, pointer, index):
        """Read the vector that starts at a number's index."""
        return self.builder.load(self.place(pointer, index), align=self.size)

    def spread(self, pointer, index):
        """Read one number into all lanes."""
        number = self.builder.load(self.builder.gep(pointer, [index]))
        alone = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), number, ir.IntType(32)(0))
        return self.builder.shuffle_vector(alone, alone, ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), None))

    def add_product(self, sum_, a, b):
        """Add the product of two vectors to a variable, rounding once where the CPU can."""
        product = self.builder.fmul(a, b, flags=["contract"])
        self.builder.store(self.builder.fadd(self.builder.load(sum_), product, flags=["contract"]), sum_)

    def total(self, sum_):
        """Add up the lanes of a variable."""
        kind = ir.FunctionType(self.number, [self.number, self.vector])
        name = f"llvm.vector.reduce.fadd.v{self.lanes}f{8 * self.size}"
        reduce = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(reduce, [ir.Constant(self.number, 0.0), self.builder.load(sum_)], fastmath=["reassoc"])


def unpack(context, builder, signature, args):
    """Return pointers to the numbers of arrays, and other arguments as they are."""
    return [context.make_array(kind)(context, builder, arg).data if isinstance(kind, types.Array) else arg
            for kind, arg in zip(signature.args, args)]


def make_weigh(rows, columns):
    """Make the loop of the forward pass and of the input's gradient, for `rows` channels and `columns` vectors of pixels.

    Called as ``weigh(x, at, offsets, weights, out, to, pitch)``, it sets, for each channel m and the pixels p from 0 up to
    what the vectors hold, ``out[to + m * pitch + p]`` to the sum over k of ``weights[k, m] * x[at + offsets[k] + p]``.
    """
    @intrinsic
    def weigh(typing, x, at, offsets, weights, out, to, pitch):
        def generate(context, builder, signature, args):
            x, at, offsets, weights, out, to, pitch = unpack(context, builder, signature, args)
            vectors = Vectors(builder, signature.args[0].dtype)
            taps = context.make_array(signature.args[2])(context, builder, args[2]).nitems
            sums = vectors.sums(rows * columns)
            with cgutils.for_range(builder, taps) as loop:
                start = builder.add(at, builder.load(builder.gep(offsets, [loop.index])))
                pixels = [vectors.load(x, builder.add(start, INDEX(j * vectors.lanes))) for j in range(columns)]
                for m in range(rows):
                    weight = vectors.spread(weights, builder.add(builder.mul(loop.index, INDEX(rows)), INDEX(m)))
                    for j in range(columns):
                        vectors.add_product(sums[m * columns + j], weight, pixels[j])
            for m in range(rows):
                for j in range(columns):
                    index = builder.add(builder.add(to, builder.mul(pitch, INDEX(m))), INDEX(j * vectors.lanes))
                    builder.store(builder.load(sums[m * columns + j]), vectors.place(out, index), align=vectors.size)
            return context.get_dummy_value()
        return types.void(x, types.intp, offsets, weights, out, types.intp, types.intp), generate
    return weigh


def make_match(rows, columns):
    """Make the loop of the weight's gradient, for `rows` output channels and `columns` taps.

    Called as ``match(g, at, length, x, offsets, images, g_step, x_step, out, to, width)``, it adds, for each channel m and
    tap k, to ``out[to + m * width + k]`` the sum over the images n and the pixels p, which fill whole vectors, of
    ``g[at + m * length + n * g_step + p] * x[offsets[k] + n * x_step + p]``.
    """
    @intrinsic
    def match(typing, g, at, length, x, offsets, images, g_step, x_step, out, to, width):
        def generate(context, builder, signature, args):
            g, at, length, x, offsets, images, g_step, x_step, out, to, width = unpack(context, builder, signature, args)
            vectors = Vectors(builder, signature.args[0].dtype)
            sums = vectors.sums(rows * columns)
            heads = [builder.add(at, builder.mul(length, INDEX(m))) for m in range(rows)]
            taps = [builder.load(builder.gep(offsets, [INDEX(k)])) for k in range(columns)]
            with cgutils.for_range(builder, images) as image:
                of_g, of_x = builder.mul(image.index, g_step), builder.mul(image.index, x_step)
                with cgutils.for_range_slice(builder, INDEX(0), length, INDEX(vectors.lanes), inc=True) as (p, _):
                    left = [vectors.load(g, builder.add(builder.add(head, of_g), p)) for head in heads]
                    for k, tap in enumerate(taps):
                        right = vectors.load(x, builder.add(builder.add(tap, of_x), p))
                        for m in range(rows):
                            vectors.add_product(sums[m * columns + k], left[m], right)
            for m in range(rows):
                for k in range(columns):
                    place = builder.gep(out, [builder.add(builder.add(to, builder.mul(width, INDEX(m))), INDEX(k))])
                    builder.store(builder.fadd(builder.load(place), vectors.total(sums[m * columns + k])), place)
            return context.get_dummy_value()
        long = types.intp
        return types.void(g, long, long, x, offsets, long, long, long, out, long, long), generate
    return match


def make_block(rows):
    """Make the function that weighs the taps of any number of pixels, for `rows` channels.

    Called as ``block(x, at, offsets, weights, out, length, pitch)``, it does what `make_weigh` says from ``to = 0`` on, for at
    least ``length`` pixels.
    """
    wide, narrow = make_weigh(rows, COLUMNS), make_weigh(rows, 1)

    @jit(cache=False)
    def block(x, at, offsets, weights, out, length, pitch):
        step, p = WIDTH // x.itemsize, 0
        while p + (COLUMNS - 1) * step < length:
            wide(x, at + p, offsets, weights, out, p, pitch)
            p += COLUMNS * step
        while p < length:
            narrow(x, at + p, offsets, weights, out, p, pitch)
            p += step
    return block


COLUMNS = 3  # vectors of pixels at once
ROWS = 4 if FEW else 8  # channels at once: 12 or 24 sums, and registers to spare for a product's factors
TAPS = 5  # taps at once, and
HEIGHT = 2 if FEW else 4  # channels at once: 10 or 20 sums
TILE = COLUMNS * 64 + 64  # numbers that a tile may reach beyond the last pixel
weigh_2, weigh_4, weigh_6, weigh_8 = map(make_block, (2, 4, 6, 8))
match_2, match_4 = make_match(2, TAPS), make_match(4, TAPS)


@jit(cache=False)
def weigh(rows, x, at, offsets, weights, out, length, pitch):
    """Weigh the taps for an even number of channels, at most `ROWS`."""
    if rows == 8:
        weigh_8(x, at, offsets, weights, out, length, pitch)
    elif rows == 6:
        weigh_6(x, at, offsets, weights, out, length, pitch)
    elif rows == 4:
        weigh_4(x, at, offsets, weights, out, length, pitch)
    else:
        weigh_2(x, at, offsets, weights, out, length, pitch)


@jit(cache=False)
def match(rows, g, at, length, x, offsets, images, g_step, x_step, out, to, width):
    """Match channels, at most `HEIGHT`, with `TAPS` taps."""
    if rows > 2:
        match_4(g, at, length, x, offsets, images, g_step, x_step, out, to, width)
    else:
        match_2(g, at, length, x, offsets, images, g_step, x_step, out, to, width)
