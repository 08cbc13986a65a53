"""Kernels that compute each entry from the entries at the same place. Given.

A formula is a function of numbers. `one`, `two` and `three` make kernels of it: a thread computes one entry, then the one as
many places further as there are threads, and so on (a grid-stride loop). Numbers are made with the type of what is already
there, so that float32 stays float32.
"""

import math

import numpy as np

from tinytorch.given.gpu.backend import cuda
from tinytorch.given.gpu.device_array import DeviceArray, upload
from tinytorch.given.gpu.kernels.launching import run
from tinytorch.given.gpu.kernels.moves import spread

ZERO, ONE, HALF = np.float32(0), np.float32(1), np.float32(0.5)
ROOT_HALF, ROOT_2_PI, CUBIC = np.float32(math.sqrt(0.5)), np.float32(math.sqrt(2 / math.pi)), np.float32(0.044715)


def one(formula):
    """Make a kernel of a formula of one number."""
    compute = cuda.jit(device=True)(formula)

    @cuda.jit
    def entries(a, out):
        for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
            out[i] = compute(a[i])

    return entries


def two(formula):
    """Make kernels of a formula of two numbers: for two arrays, an array and a number, a number and an array."""
    compute = cuda.jit(device=True)(formula)

    @cuda.jit
    def entries(a, b, out):
        for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
            out[i] = compute(a[i], b[i])

    @cuda.jit
    def number_last(a, b, out):
        for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
            out[i] = compute(a[i], b)

    @cuda.jit
    def number_first(a, b, out):
        for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
            out[i] = compute(a, b[i])

    return entries, number_last, number_first


def kind_of(op, arrays):
    """Return the dtype of an op's result: that of its own forward function for a few numbers of the same types."""
    few = [np.ones((1,) * array.ndim, array.dtype) if isinstance(array, DeviceArray) else array for array in arrays]
    return np.asarray(op.forward(*few)).dtype


def shape_of(arrays):
    """Return the shape that arrays broadcast to."""
    return np.broadcast_shapes(*[array.shape for array in arrays if isinstance(array, DeviceArray)])


def number(value, dtype):
    """Return a Python number with a type: that of the array beside it, if that can hold it; else float32."""
    if isinstance(value, np.generic):
        value = value.item()
    if dtype.kind == "f" or isinstance(value, int):
        return (dtype.type if dtype.kind != "b" else np.int64)(value)
    return np.float32(value)


def run_one(kernel, op):
    """Return the op's kernel, made of a kernel of one number."""

    def entries(a):
        out = DeviceArray(a.shape, kind_of(op, [a]))
        run(kernel, out.size, a, out)
        return out

    return entries


def run_two(kernels, op, dtype=None):
    """Return the op's kernel, made of kernels of two numbers; shapes broadcast.

    Args:
        kernels: What `two` made.
        op: The op.
        dtype: NumPy dtype of the result; None for the one that the op's own function gives.
    """
    entries, number_last, number_first = kernels

    def broadcast(a, b):
        out = DeviceArray(shape_of([a, b]), dtype or kind_of(op, [a, b]))
        if not isinstance(a, DeviceArray):
            run(number_first, out.size, number(a, b.dtype), spread(b, out.shape), out)
        elif not isinstance(b, DeviceArray):
            run(number_last, out.size, spread(a, out.shape), number(b, a.dtype), out)
        else:
            run(entries, out.size, spread(a, out.shape), spread(b, out.shape), out)
        return out

    return broadcast


def run_three(kernel, op):
    """Return the kernel of `where`: three arrays or numbers."""

    def broadcast(*inputs):
        out = DeviceArray(shape_of(inputs), kind_of(op, inputs))
        full = [value if isinstance(value, DeviceArray) else upload(np.asarray(value)) for value in inputs]
        run(kernel, out.size, *[spread(value, out.shape) for value in full], out)
        return out

    return broadcast


# Formulas.


def neg(a):
    return -a


def exp(a):
    return math.exp(a)


def log(a):
    return math.log(a)


def sqrt(a):
    return math.sqrt(a)


def absolute(a):
    return abs(a)


def sign(a):
    return a if a == 0 or a != a else a / abs(a)


def relu(a):
    return a if a > 0 or a != a else ZERO  # nan stays nan


def sigmoid(a):
    """Return a number between 0 and 1."""
    small = math.exp(-abs(a))  # at most 1: it cannot overflow
    return (ONE if a >= 0 else small) / (ONE + small)


def tanh(a):
    return math.tanh(a)


def erf(a):
    return math.erf(a)


def gelu(a):
    return HALF * a * (ONE + math.erf(a * ROOT_HALF))


def gelu_tanh(a):
    return HALF * a * (ONE + math.tanh(ROOT_2_PI * (a + CUBIC * a * a * a)))


def leaky_relu(a, slope):
    return a * slope if a < 0 else a


def sin(a):
    return math.sin(a)


def cos(a):
    return math.cos(a)


def arcsin(a):
    return math.asin(a)


def arctan(a):
    return math.atan(a)


def expm1(a):
    return math.expm1(a)


def log1p(a):
    return math.log1p(a)


def add(a, b):
    return a + b


def sub(a, b):
    return a - b


def mul(a, b):
    return b * a


def div(a, b):
    return a / b


def power(a, b):
    return a**b


def greater(a, b):
    return a > b


def greater_equal(a, b):
    return a >= b


def equal(a, b):
    return a == b


def not_equal(a, b):
    return a != b


def maximum(a, b):
    return a if a > b or a != a else b  # nan wins


def minimum(a, b):
    return a if a < b or a != a else b


def floor_divide(a, b):
    return a // b


def remainder(a, b):
    return a % b


def bitwise_and(a, b):
    return a & b


def bitwise_or(a, b):
    return a | b


def bitwise_xor(a, b):
    return a ^ b


def bitwise_not(a):
    return ~a


def logical_not(a):
    return not a


def relu_backward(grad, out):
    return ZERO if out <= 0 else grad  # nan passes


ONES = (neg, exp, log, sqrt, absolute, sign, relu, sigmoid, tanh, erf, sin, cos, arcsin, arctan, expm1, log1p, bitwise_not)
TWOS = (
    add,
    sub,
    mul,
    div,
    power,
    greater,
    greater_equal,
    equal,
    not_equal,
    maximum,
    minimum,
    floor_divide,
    remainder,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    relu_backward,
)


@cuda.jit
def choose(condition, a, b, out):
    """Take an entry of one array where a condition holds, of the other elsewhere."""
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        out[i] = a[i] if condition[i] else b[i]


KERNELS = {formula.__name__: one(formula) for formula in ONES} | {formula.__name__: two(formula) for formula in TWOS}
GELU = {"none": one(gelu), "tanh": one(gelu_tanh)}
LEAKY_RELU = two(leaky_relu)
NOT = one(logical_not)


def make(op):
    """Return the kernel of an op that computes entry by entry."""
    if op.name == "where":
        return run_three(choose, op)
    if op.name == "gelu":
        return run_gelu(op)
    if op.name == "leaky_relu":
        return lambda a, *, negative_slope=0.01: run_two(LEAKY_RELU, op, a.dtype)(a, negative_slope)
    if op.name == "bitwise_not":
        return lambda a: run_one(NOT if a.dtype == bool else KERNELS["bitwise_not"], op)(a)
    kernel = KERNELS[op.name]
    return run_two(kernel, op) if isinstance(kernel, tuple) else run_one(kernel, op)


def run_gelu(op):
    """Return the kernel of `gelu`, which has two forms."""

    def either(a, *, approximate="none"):
        if approximate not in GELU:
            raise ValueError(f"gelu has the forms none and tanh, got approximate={approximate!r}")
        return run_one(GELU[approximate], op)(a)

    return either


NAMES = (*KERNELS, "where", "gelu", "leaky_relu")
