"""A linear layer and the gradient of its weight, in numba, where that is faster than the matrix library. Given.

The library copies pieces of both matrices into the order in which it reads them; with few rows, that takes long. A weight has a
row for each neuron, so both factors of every product come from rows, and need no copy: `dot_tile`, written in LLVM's language
like the loops of convolution, multiplies vectors of factors and keeps the sums of `ROWS` times `COLUMNS` pairs of rows in
registers. The weight's gradient is a sum over the batch, as a convolution's is a sum over pixels: the same loop computes it.
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
from tinytorch.given.numba_kernels.moves import transpose
from tinytorch.given.numba_kernels.rows import add_to_rows
from tinytorch.given.numba_kernels.tiles import HEADS, MOST, at_once, each_pair, gather_some
from tinytorch.given.numba_kernels.vectors import FEW, INDEX, WIDTH, Vectors, unpack
from tinytorch.given.prepared import prepare_product

ROWS, COLUMNS = 3 if FEW else 4, 4  # rows of the inputs and of the weight, at once
PART = 2**12  # bytes of a row that are multiplied in one go: this much of `COLUMNS` rows stays in a core's first cache
NEAR = 2**18  # bytes that stay in its second cache: of inputs while the weight passes by, of slopes while the inputs do
HIGH = math.lcm(*HEADS[:MOST])  # neurons of whole tiles, wide or narrow
LONG = 8  # from this many vectors in a row on, adding up the lanes of a sum at the end pays
MANY = 128  # with more rows, the library's copies are a small part of its work
FEWEST, SHARED = 2**17, 2**21  # products: fewer take no time; from here on, the library shares them out to its threads
LARGE = 2**21  # bytes of a weight that passes by several times
CROWDED = 2**11  # bytes: rows that are a multiple of it apart compete for a few places of the first cache


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
            read_lefts, read_rights = ([partial(vectors.load, row, index) for row in rows] for rows in (lefts, rights))
            for i, j, left, right in each_pair(read_lefts, read_rights):
                vectors.add_product(sums[i][j], left, right)
        results = Vectors(builder, dtype, COLUMNS)
        for i in range(ROWS):
            total = totals(vectors, [builder.load(each) for each in sums[i]])
            start = results.load(base, row(first, base_pitch, i))
            results.store(builder.fadd(total, start), out, row(place, out_pitch, i))
        return context.get_dummy_value()

    long = types.intp
    return types.void(x, long, weight, long, long, long, base, long, long, out, long, long), generate


@jit
def multiply(x, weight, bias, out):
    """Write a linear layer's result for at least a tile of rows; a tile at the edge overlaps the one before it."""
    (rows, length), neurons, part = x.shape, len(weight), PART // x.itemsize
    numbers, weights, results = x.reshape(x.size), weight.reshape(weight.size), out.reshape(out.size)
    block = max(1, NEAR // (min(length, part) * x.itemsize) // ROWS) * ROWS
    kept = np.empty(block * COLUMNS, x.dtype)  # the sums of a block's tiles, between two parts
    for start in range(0, rows, block):
        for j in range(0, neurons, COLUMNS):
            j = min(j, neurons - COLUMNS)
            for k in range(0, length, part):
                for row in range(start, min(start + block, rows), ROWS):
                    i, own = min(row, rows - ROWS), (row - start) * COLUMNS
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
def multiply_batch(grad, x, out):
    """Write the weight's gradient for at least a tile of neurons; a tile at the edge overlaps the one before it."""
    (rows, neurons), length, lanes = grad.shape, x.shape[1], WIDTH // x.itemsize
    slopes, numbers, results = grad.reshape(grad.size), x.reshape(x.size), out.reshape(out.size)
    turned, heads, steps = np.empty(grad.size, x.dtype), np.arange(neurons) * rows, np.arange(rows)
    base, block = np.zeros(length, x.dtype), max(1, NEAR // (rows * x.itemsize) // HIGH) * HIGH
    transpose(slopes, 0, neurons, (rows, neurons), turned, 0, rows)  # the slopes of a neuron side by side
    for start in range(0, neurons, block):
        part, to = (start, min(start + block, neurons), neurons), 0
        while to < length:
            columns = at_once((length - to) // lanes)
            gather_some(columns, turned, 0, heads, part, steps, numbers, base, 0, results, to, length)
            to += columns * lanes


def layer_by_loop(x, weight, bias):
    """Compute a linear layer: arrays of shapes (N, in_features), (out_features, in_features), (out_features,)."""
    out = np.empty((len(x), len(weight)), x.dtype)
    multiply(x, weight, bias, out)
    return out


def layer_by_library(x, weight, bias):
    """Compute the same with the matrix library."""
    return x @ weight.T + bias


def gradient_by_loop(grad, x):
    """Compute the gradient of a linear layer's weight: arrays of shapes (N, out_features), (N, in_features)."""
    out = np.empty((grad.shape[1], x.shape[1]), x.dtype)
    multiply_batch(grad, x, out)
    return out


def gradient_by_library(grad, x):
    """Compute the same with the matrix library."""
    return grad.T @ x


def worth_a_try(rows, neurons, length, dtype):
    """Return the sizes to try on this machine for a layer of these sizes, or None if the library is faster anyway."""
    products = rows * neurons * length
    if rows > MANY or products < FEWEST or neurons * length * dtype.itemsize > LARGE:
        return None
    if products < SHARED:
        return 64, 84, 120
    return (128, 256, 784) if numba.get_num_threads() == 1 else None


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
    if length % lanes or not LONG * lanes <= length <= 2 * PART // x.itemsize or neurons < COLUMNS or x.size < ROWS * length:
        return False
    sizes = worth_a_try(x.size // length, neurons, length, x.dtype)
    return bool(sizes) and is_faster(layer_by_loop, layer_by_library, sizes[::2], sizes[1:], sizes[1:2], x.dtype)


def prepare_linear(out, scratch, x, weight, bias=None):
    """Prepare the kernel, or the library's product: see `Op.register_prepared`."""
    zeros = np.zeros(len(weight), weight.dtype) if bias is None else bias
    if layer_is_faster(x, weight, zeros) and readable(out):
        return [fixed(multiply, x.reshape(-1, x.shape[-1]), weight, zeros, out.reshape(-1, len(weight)))]
    product = prepare_product(x, weight.T, out)
    if bias is None:
        return [product]
    if not readable(out, bias):
        return [product, partial(np.add, out, bias, out)]
    return [product, fixed(add_to_rows, out.reshape(-1, len(bias)), bias)]


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
    if length % lanes or neurons < HEADS[0] or length * x.itemsize % CROWDED == 0:
        return False
    sizes = worth_a_try(x.size // length, neurons, length, x.dtype)
    return bool(sizes) and is_faster(gradient_by_loop, gradient_by_library, sizes[:2], sizes[::2], x.dtype)


def prepare_linear_weight(out, scratch, grad, x):
    """Prepare the kernel, or the library's product: see `Op.register_prepared`."""
    slopes, rows = grad.reshape(-1, grad.shape[-1]), x.reshape(-1, x.shape[-1])
    if not (np.may_share_memory(slopes, grad) and np.may_share_memory(rows, x)):
        return None
    if gradient_is_faster(grad, x) and readable(out):
        return [fixed(multiply_batch, slopes, rows, out)]
    return [prepare_product(slopes.T, rows, out)]
