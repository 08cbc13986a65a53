"""Copies and transposes of a few numbers at a time, vector by vector. Given."""

from numba import types
from numba.extending import intrinsic

from tinytorch.given.numba_kernels.compiling import jit
from tinytorch.given.numba_kernels.vectors import INDEX, Vectors, unpack

SHORT = 8  # numbers that `move` copies, and the side of the squares that `turn` transposes


@intrinsic
def turn(typing, source, at, pitch, out, to, out_pitch):
    """Transpose a square of `SHORT` by `SHORT` numbers."""

    def generate(context, builder, signature, args):
        source, at, pitch, out, to, out_pitch = unpack(context, builder, signature, args)
        vectors = Vectors(builder, signature.args[0].dtype, SHORT)
        rows = [vectors.load(source, builder.add(at, builder.mul(pitch, INDEX(i)))) for i in range(SHORT)]
        order = [i // 2 + i % 2 * SHORT for i in range(2 * SHORT)]  # one of the first row, one of the second, and so on
        for _ in range(SHORT.bit_length() - 1):
            rows = [
                vectors.shuffle(rows[i], rows[i + SHORT // 2], part)
                for i in range(SHORT // 2)
                for part in (order[:SHORT], order[SHORT:])
            ]
        for i, row in enumerate(rows):
            vectors.store(row, out, builder.add(to, builder.mul(out_pitch, INDEX(i))))
        return context.get_dummy_value()

    return types.void(source, types.intp, types.intp, out, types.intp, types.intp), generate


@jit(cache=False)
def transpose(source, at, pitch, shape, out, to, out_pitch):
    """Transpose a matrix whose rows start at ``source[at]``, a pitch apart, and write it from ``out[to]`` on.

    If it has fewer than `SHORT` rows, the rows that follow in the source are written too if ``out`` has room for them.
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
    """Copy `SHORT` numbers, from ``source[at]`` on, to ``out[to]`` and the numbers after it."""

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
