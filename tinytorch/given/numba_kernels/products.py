"""A linear layer and the gradient of its weight, in numba, where that is faster than the matrix library. Given.

The library copies pieces of both matrices into the order in which it reads them. These two products need no copies. A weight has
a row for each neuron, so both factors of every product come from rows: `dot_tile`, written in LLVM's language like the loops of
convolution, multiplies vectors of factors and keeps the sums of `ROWS` times `COLUMNS` pairs of rows in registers. The weight's
gradient is a sum over the batch, as a convolution's is a sum over pixels: the same loop computes it.
"""

import math
from functools import partial

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from tinytorch.given.numba_kernels.arrays import readable
from tinytorch.given.numba_kernels.choosing import is_faster
from tinytorch.given.numba_kernels.compiling import fixed, jit
from tinytorch.given.numba_kernels.rows import add_to_rows
from tinytorch.given.numba_kernels.threads import spread, threads_for
from tinytorch.given.numba_kernels.tiles import HEADS, gather_1, gather_4
from tinytorch.given.numba_kernels.vectors import FEW, INDEX, WIDTH, Vectors, unpack
from tinytorch.given.prepared import prepare_product

ROWS, COLUMNS = 2 if FEW else 4, 4  # rows of the inputs and of the weight, at once
PART = 2**12  # bytes of a row that are multiplied in one go: this much of `COLUMNS` rows stays in a core's first cache
NEAR = 2**18  # bytes of inputs that stay in its second cache while the whole weight passes by
HIGH = math.lcm(HEADS[0], HEADS[3])  # neurons of the gradient that a thread takes at once: whole tiles, wide or narrow
WORTH = 2**21  # from this many products on, the loop is worth calling
FLAT, SMALL = 32, 2**17  # with so few rows, the library's copies take so long that fewer products are enough
SHARED = 2**26  # the same for several threads: the loop's have to be woken, the library's are awake
LONG = 16  # from this many vectors in a row on, adding up the lanes of a sum at the end pays


def totals(vectors, sums):
    """Add up the lanes of each of some vectors, a power of two of them: return a vector of the totals."""
    block = vectors.lanes
    while len(sums) > 1 or block > 1:
        pairs = list(zip(sums[::2], sums[1::2])) or [sums]
        sums = [halved(vectors, block, pair) for pair in pairs]
        block = max(block // 2, 1)
    return sums[0]


def halved(vectors, block, pair):
    """Add the second half of each block of lanes to its first half, in two vectors, which become one, or in a single one."""
    lanes, a, b = range(sum(each.type.count for each in pair)), pair[0], pair[-1]
    if block == 1:
        return vectors.shuffle(a, b, list(lanes))
    first, second = ([lane for lane in lanes if lane % block // (block // 2) == half] for half in (0, 1))
    return vectors.builder.fadd(vectors.shuffle(a, b, first), vectors.shuffle(a, b, second))


@intrinsic
def dot_tile(typing, x, at, weight, to, pitch, count, base, first, base_pitch, out, place, out_pitch):
    """Multiply `ROWS` rows from ``x[at]`` on by `COLUMNS` rows from ``weight[to]`` on, over ``count`` numbers of each.

    The sum of the pair (i, j) starts with ``base[first + i * base_pitch + j]`` and goes to ``out[place + i * out_pitch + j]``.
    """

    def generate(context, builder, signature, args):
        x, at, weight, to, pitch, count, base, first, base_pitch, out, place, out_pitch = unpack(
            context, builder, signature, args
        )
        vectors, dtype = Vectors(builder, signature.args[0].dtype), signature.args[0].dtype
        row = lambda start, pitch, i: builder.add(start, builder.mul(pitch, INDEX(i)))
        lefts = [builder.gep(x, [row(at, pitch, i)]) for i in range(ROWS)]
        rights = [builder.gep(weight, [row(to, pitch, j)]) for j in range(COLUMNS)]
        sums = [[vectors.variable(ir.Constant(vectors.vector, [0.0] * vectors.lanes)) for _ in rights] for _ in lefts]
        with cgutils.for_range_slice(builder, INDEX(0), count, INDEX(vectors.lanes), INDEX) as (index, _):
            factors = [vectors.load(right, index) for right in rights]
            for i, left in enumerate(lefts):
                numbers = vectors.load(left, index)
                for j, factor in enumerate(factors):
                    vectors.add_product(sums[i][j], numbers, factor)
        results = Vectors(builder, dtype, COLUMNS)
        for i in range(ROWS):
            total = totals(vectors, [builder.load(each) for each in sums[i]])
            start = results.load(base, row(first, base_pitch, i))
            results.store(builder.fadd(total, start), out, row(place, out_pitch, i))
        return context.get_dummy_value()

    long = types.intp
    return types.void(x, long, weight, long, long, long, base, long, long, out, long, long), generate


@jit
def multiply(first, last, x, weight, bias, out):
    """Write rows of a linear layer's result, at least a tile of them; a tile at the edge overlaps the one before it."""
    (neurons, length), part = weight.shape, PART // x.itemsize
    numbers, weights, results = x.reshape(x.size), weight.reshape(weight.size), out.reshape(out.size)
    block = max(1, NEAR // (min(length, part) * x.itemsize) // ROWS) * ROWS
    kept = np.empty(block * COLUMNS, x.dtype)  # the sums of a block's tiles, between two parts
    for start in range(first, last, block):
        for j in range(0, neurons, COLUMNS):
            j = min(j, neurons - COLUMNS)
            for k in range(0, length, part):
                for row in range(start, min(start + block, last), ROWS):
                    i, own = min(row, last - ROWS), (row - start) * COLUMNS
                    base, place, pitch = (kept, own, COLUMNS) if k else (bias, j, 0)
                    to, end, out_pitch = (kept, own, COLUMNS) if k + part < length else (results, i * neurons + j, neurons)
                    dot_tile(
                        numbers,
                        i * length + k,
                        weights,
                        j * length + k,
                        length,
                        min(part, length - k),
                        base,
                        place,
                        pitch,
                        to,
                        end,
                        out_pitch,
                    )


@jit
def multiply_batch(first, last, grad, x, out):
    """Write the weight's gradient for at least two tiles of neurons; a tile at the edge overlaps the one before it."""
    (rows, neurons), length, lanes = grad.shape, x.shape[1], WIDTH // x.itemsize
    slopes, numbers, results = grad.reshape(grad.size), x.reshape(x.size), out.reshape(out.size)
    heads, steps, base = np.arange(neurons), np.arange(rows) * neurons, np.zeros(length, x.dtype)
    even = length // (4 * lanes) * 4 * lanes
    for to in range(0, even, 4 * lanes):
        for neuron in range(first, last, HEADS[3]):
            gather_4(slopes, 0, heads, min(neuron, last - HEADS[3]), steps, numbers, base, 0, results, to, length)
    for to in range(even, length, lanes):
        for neuron in range(first, last, HEADS[0]):
            gather_1(slopes, 0, heads, min(neuron, last - HEADS[0]), steps, numbers, base, 0, results, to, length)


def spread_rows(work, rows, size, products):
    """Spread work on rows over threads, in pieces of ``size`` rows; the last piece also takes the rows left over."""
    pieces = max(1, rows // size)
    spread(
        lambda first, last: work(first * size, rows if last == pieces else last * size),
        pieces,
        numbers=0,
        products=products // pieces,
    )


def layer_by_loop(x, weight, bias):
    """Compute a linear layer: arrays of shapes (N, in_features), (out_features, in_features), (out_features,)."""
    out = np.empty((len(x), len(weight)), x.dtype)
    spread_rows(lambda *part: multiply(*part, x, weight, bias, out), len(x), ROWS, len(x) * weight.size)
    return out


def layer_by_library(x, weight, bias):
    """Compute the same with the matrix library."""
    return x @ weight.T + bias


def gradient_by_loop(grad, x):
    """Compute the gradient of a linear layer's weight: arrays of shapes (N, out_features), (N, in_features)."""
    out = np.empty((grad.shape[1], x.shape[1]), x.dtype)
    spread_rows(lambda *part: multiply_batch(*part, grad, x, out), len(out), HIGH, len(x) * out.size)
    return out


def gradient_by_library(grad, x):
    """Compute the same with the matrix library."""
    return grad.T @ x


def enough(products):
    """Say whether there are enough products for a loop on the threads in use."""
    return products >= WORTH and (products >= SHARED or numba.get_num_threads() == 1)


def linear(x, weight, bias=None):
    """Return every neuron's weighted sum of the inputs: the op's kernel. Return None if the library should do it."""
    bias = np.zeros(len(weight), weight.dtype) if bias is None else bias
    if not layer_is_faster(x, weight, bias):
        return None
    return layer_by_loop(x.reshape(-1, x.shape[-1]), weight, bias).reshape(*x.shape[:-1], len(weight))


def layer_is_faster(x, weight, bias):
    """Say whether the loop can compute a linear layer, and is faster than the library."""
    if not readable(x, weight, bias) or x.ndim < 2 or weight.shape != (bias.size, x.shape[-1]):
        return False
    (neurons, length), lanes = weight.shape, WIDTH // x.itemsize
    if length % lanes or length < LONG * lanes or neurons < COLUMNS or x.size < ROWS * length:
        return False
    if x.size <= FLAT * length and SMALL <= x.size * neurons < WORTH:
        return is_faster(layer_by_loop, layer_by_library, (8, 784), (32, 784), (32,), x.dtype)
    return enough(x.size * neurons) and is_faster(layer_by_loop, layer_by_library, (128, 784), (256, 784), (256,), x.dtype)


def prepare_linear(out, scratch, x, weight, bias=None):
    """Prepare the kernel, or the library's product: see `Op.register_prepared`."""
    zeros = np.zeros(len(weight), weight.dtype) if bias is None else bias
    if layer_is_faster(x, weight, zeros) and readable(out):
        rows, results = x.reshape(-1, x.shape[-1]), out.reshape(-1, len(weight))
        return [prepare_rows(multiply, len(rows), ROWS, len(rows) * weight.size, rows, weight, zeros, results)]
    product = prepare_product(x, weight.T, out)
    if bias is None:
        return [product]
    if not readable(out, bias):
        return [product, partial(np.add, out, bias, out)]
    return [product, fixed(add_to_rows, out.reshape(-1, len(bias)), bias)]


def prepare_rows(loop, rows, size, products, *inputs):
    """Return a call that runs a loop on some rows as `spread_rows` does; the loop's other inputs are fixed."""
    if threads_for(max(1, rows // size), 0, products // max(1, rows // size)) < 2:
        return fixed(loop, 0, rows, *inputs)
    return partial(spread_rows, lambda first, last: loop(first, last, *inputs), rows, size, products)


def linear_weight(grad, x):
    """Sum grad[i] * x[j] over all examples: the op's kernel. Return None if the library should do it."""
    if not gradient_is_faster(grad, x):
        return None
    return gradient_by_loop(grad.reshape(-1, grad.shape[-1]), x.reshape(-1, x.shape[-1]))


def gradient_is_faster(grad, x):
    """Say whether the loop can compute the gradient of a weight, and is faster than the library."""
    if not readable(grad, x) or x.ndim < 2 or grad.shape[:-1] != x.shape[:-1]:
        return False
    (neurons, length), lanes = (grad.shape[-1], x.shape[-1]), WIDTH // x.itemsize
    if length % lanes or neurons < HEADS[0] or not enough(x.size * neurons) or x.size // length * 4 * WIDTH > NEAR:
        return False
    return is_faster(gradient_by_loop, gradient_by_library, (128, 256), (128, 784), x.dtype)


def prepare_linear_weight(out, scratch, grad, x):
    """Prepare the kernel, or the library's product: see `Op.register_prepared`."""
    slopes, rows = grad.reshape(-1, grad.shape[-1]), x.reshape(-1, x.shape[-1])
    if not (np.may_share_memory(slopes, grad) and np.may_share_memory(rows, x)):
        return None
    if gradient_is_faster(grad, x) and readable(out):
        return [prepare_rows(multiply_batch, len(out), HIGH, len(rows) * out.size, slopes, rows, out)]
    return [prepare_product(slopes.T, rows, out)]
