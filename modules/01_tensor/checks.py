"""Checks of module 01. NumPy only: nothing here runs the code that it judges, except `observe`."""
import itertools

import numpy as np


def normal(rng, *shape):
    """Draw float32 numbers of both signs."""
    return rng.standard_normal(shape, np.float32)


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


# 01.1 broadcast_shape

def draw_broadcast_shape(rng):
    """Draw equal, stretched, missing and empty sizes, and pairs that do not fit in front, in the middle and at the end."""
    k, m, n = (int(i) for i in 2 + rng.permutation(6)[:3])
    pairs = [((k, m, n), (m, 1)), ((n,), (k, m, 1)), ((), (m, n)), ((k, 1, n), (1, m, 1)), ((m, 1), (m, 0)), ((0, 3), (1, 1)),
             ((m, n), (m, n)), ((m, n), (m,)), ((k, m, n), (k, n, n)), ((m, 0), (m, 2)), ((k, m), (n, 1))]
    for a, b in pairs:
        yield dict(a=a, b=b)


def pair_sizes(a, b):
    """Pair the sizes from the right; a missing one is 1."""
    return list(itertools.zip_longest(reversed(a), reversed(b), fillvalue=1))[::-1]


def oracle_broadcast_shape(a, b):
    pairs = pair_sizes(a, b)
    if any(m != n and m != 1 and n != 1 for m, n in pairs):
        return refusal(a, b)
    return tuple(n if m == 1 else m for m, n in pairs)


def from_the_left(a, b):
    return oracle_broadcast_shape(a[::-1], b[::-1]) if len(a) == len(b) else \
        tuple(n if m == 1 else m for m, n in itertools.zip_longest(a, b, fillvalue=1))


def largest_size(a, b):
    expected = oracle_broadcast_shape(a, b)
    return expected if is_refusal(expected) else tuple(max(pair) for pair in pair_sizes(a, b))


misconceptions_broadcast_shape = {
    "the sizes were paired from the left, not from the right": from_the_left,
    "of two sizes the larger one was taken: an empty axis has size 0, and 0 against 1 gives 0": largest_size,
    "sizes that do not fit were let through": lambda a, b: tuple(n if m == 1 else m for m, n in pair_sizes(a, b)),
    "the missing sizes in front were left out of the result":
        lambda a, b: oracle_broadcast_shape(a, b) if len(a) == len(b) or is_refusal(oracle_broadcast_shape(a, b))
        else oracle_broadcast_shape(a, b)[-min(len(a), len(b)) or len(a) + len(b):],
    "the error does not show both shapes": without_shapes(oracle_broadcast_shape),
}


# 01.2 mul

def draw_mul(rng):
    yield dict(a=normal(rng, 2, 3), b=normal(rng, 2, 3))
    yield dict(a=normal(rng, 3, 3), b=normal(rng, 3, 3))
    yield dict(a=normal(rng, 4, 1), b=normal(rng, 5))
    yield dict(a=rng.integers(-9, 9, (2, 3)), b=-3)


def oracle_mul(a, b):
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    return np.array([x * y for x, y in zip(a.flat, b.flat)]).reshape(a.shape)


misconceptions_mul = {
    "the arrays were added, not multiplied": lambda a, b: np.asarray(a, np.float64) + b,
    "rows were multiplied by columns, as the matrix product does; here entry meets entry":
        lambda a, b: a @ b if np.shape(a) == np.shape(b) == (3, 3) else oracle_mul(a, b),
}


# 01.3 matmul

def draw_matmul(rng):
    """Draw two plain cases, a batch that must broadcast, a square one, and sizes that do not fit."""
    yield dict(a=normal(rng, 2, 3), b=normal(rng, 3, 5))
    yield dict(a=normal(rng, 7, 4), b=normal(rng, 4, 1))
    yield dict(a=normal(rng, 4, 1, 2, 3), b=normal(rng, 6, 3, 5))
    yield dict(a=normal(rng, 3, 3), b=normal(rng, 3, 3))
    yield dict(a=normal(rng, 2, 3), b=normal(rng, 4, 5))
    yield dict(a=normal(rng, 2, 5), b=normal(rng, 3, 5))


def observe_matmul(matmul, a, b):
    return matmul.forward(a, b)


def oracle_matmul(a, b):
    if a.shape[-1] != b.shape[-2]:
        return refusal(a.shape, b.shape)
    return np.einsum("...ik,...kj->...ij", a.astype(np.float64), b.astype(np.float64))


misconceptions_matmul = {
    "the batch dimensions were not broadcast: only the first matrix of b was used":
        lambda a, b: oracle_matmul(a, b[:1] if b.ndim > 2 else b),
    "a and b were multiplied entry by entry, not row by column":
        lambda a, b: a * b if a.shape == b.shape else oracle_matmul(a, b),
    "the operands changed places: b @ a, where a @ b was asked for":
        lambda a, b: oracle_matmul(b, a) if a.shape == b.shape else oracle_matmul(a, b),
    "the error does not show the shapes of both operands": without_shapes(oracle_matmul),
}


# 01.4 reduce_sum and 01.5 mean

def draw_reduce_sum(rng):
    yield dict(a=normal(rng, 3, 5), axis=None, keepdims=False)
    yield dict(a=normal(rng, 3, 5), axis=1, keepdims=False)
    yield dict(a=normal(rng, 2, 3, 4), axis=(0, -1), keepdims=True)
    yield dict(a=rng.integers(-9, 9, (4, 3)), axis=0, keepdims=True)
    yield dict(a=normal(rng, 2, 3), axis=None, keepdims=True)
    yield dict(a=rng.random((7, 3)) < 0.6, axis=-1, keepdims=False)
    yield dict(a=normal(rng, 0, 3), axis=0, keepdims=False)
    yield dict(a=normal(rng, 4, 2))


def reduced_axes(a, axis):
    return tuple(range(a.ndim)) if axis is None else tuple(i % a.ndim for i in np.atleast_1d(axis))


def oracle_reduce_sum(a, axis=None, keepdims=False):
    axes = reduced_axes(a, axis)
    out = np.zeros([1 if i in axes else n for i, n in enumerate(a.shape)])
    for index in np.ndindex(a.shape):
        out[tuple(0 if i in axes else j for i, j in enumerate(index))] += float(a[index])
    return out if keepdims else out.reshape([n for i, n in enumerate(out.shape) if i not in axes])


def along_the_other_axis(oracle):
    def wrong(a, axis=None, keepdims=False):
        return oracle(a, 1 - axis % 2, keepdims) if a.ndim == 2 and isinstance(axis, int) and a.size else oracle(a, axis, keepdims)
    return wrong


misconceptions_reduce_sum = {
    "axis was ignored: everything was summed": lambda a, axis=None, keepdims=False: oracle_reduce_sum(a, None, keepdims),
    "keepdims was ignored: the axes that were summed are gone":
        lambda a, axis=None, keepdims=False: oracle_reduce_sum(a, axis),
    "the sum ran along the other axis": along_the_other_axis(oracle_reduce_sum),
    "True and True gave True: the Trues are to be counted":
        lambda a, axis=None, keepdims=False: np.any(a, axis=axis, keepdims=keepdims) if a.dtype == bool
        else oracle_reduce_sum(a, axis, keepdims),
}


def draw_mean(rng):
    return (case for case in draw_reduce_sum(rng) if case["a"].size)


def oracle_mean(a, axis=None, keepdims=False):
    count = 1
    for i in reduced_axes(a, axis):
        count *= a.shape[i]
    return oracle_reduce_sum(a, axis, keepdims) / count


misconceptions_mean = {
    "the sum was not divided": lambda a, axis=None, keepdims=False: oracle_reduce_sum(a, axis, keepdims),
    "the sum was divided by all entries, not by those that went into each sum":
        lambda a, axis=None, keepdims=False: oracle_reduce_sum(a, axis, keepdims) / a.size,
    "the sum was divided by the length of the first axis":
        lambda a, axis=None, keepdims=False: oracle_reduce_sum(a, axis, keepdims) / len(a),
    "keepdims was ignored: the axes that were averaged are gone":
        lambda a, axis=None, keepdims=False: oracle_mean(a, axis),
    "the mean ran along the other axis": along_the_other_axis(oracle_mean),
}


# 01.6 reshape

def draw_reshape(rng):
    yield dict(a=normal(rng, 2, 6), shape=(3, 4))
    yield dict(a=normal(rng, 3, 4), shape=(2, -1))
    yield dict(a=normal(rng, 4, 3, 2).transpose(2, 0, 1), shape=(-1, 3))
    yield dict(a=normal(rng, 5), shape=(1, 5, 1))
    yield dict(a=normal(rng, 2, 3), shape=(4, 2))
    yield dict(a=normal(rng, 2, 3), shape=(4, -1))


def observe_reshape(reshape, a, shape):
    return reshape.forward(a, shape=shape)


def oracle_reshape(a, shape, order="C"):
    known = 1
    for n in shape:
        known *= n if n != -1 else 1
    target = [n if n != -1 else a.size // known for n in shape]
    if np.prod(target) != a.size:
        return refusal(a.shape, shape)
    return np.array([a[index] for index in np.ndindex(a.shape)]).reshape(target, order=order)


misconceptions_reshape = {
    "the numbers were read column by column: the last axis varies fastest":
        lambda a, shape: oracle_reshape(a, shape, order="F"),
    "the numbers were repeated or cut to fill the shape; a reshape keeps each of them once":
        lambda a, shape: np.resize(a, [abs(n) for n in shape]) if is_refusal(oracle_reshape(a, shape))
        else oracle_reshape(a, shape),
    "the error does not show both shapes": without_shapes(oracle_reshape),
}


# 01.7 transpose

def draw_transpose(rng):
    yield dict(a=normal(rng, 2, 5), dim0=0, dim1=1)
    yield dict(a=normal(rng, 2, 3, 4), dim0=-1, dim1=-2)
    yield dict(a=normal(rng, 2, 3, 4), dim0=0, dim1=2)
    yield dict(a=normal(rng, 3, 2, 4, 5), dim0=1, dim1=-1)


def observe_transpose(transpose, a, dim0, dim1):
    return transpose.forward(a, dim0=dim0, dim1=dim1)


def oracle_transpose(a, dim0, dim1):
    order = list(range(a.ndim))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    out = np.zeros([a.shape[i] for i in order])
    for index in np.ndindex(out.shape):
        source = [0] * a.ndim
        for i, axis in enumerate(order):
            source[axis] = index[i]
        out[index] = a[tuple(source)]
    return out


misconceptions_transpose = {
    "all axes were turned around; only two change places": lambda a, dim0, dim1: a.T,
    "the last two axes were swapped, whatever dim0 and dim1 say": lambda a, dim0, dim1: oracle_transpose(a, -1, -2),
    "the shape is right, but the numbers kept their order: that is a reshape":
        lambda a, dim0, dim1: a.reshape(oracle_transpose(a, dim0, dim1).shape),
    "nothing changed places": lambda a, dim0, dim1: a,
}


# 01.8 expand

def draw_expand(rng):
    yield dict(a=normal(rng, 3, 1), shape=(3, 4))
    yield dict(a=normal(rng, 2, 1, 5), shape=(-1, 3, -1))
    yield dict(a=normal(rng, 1, 5), shape=(4, 2, -1, 5))
    yield dict(a=normal(rng, 3), shape=(2, 3))
    yield dict(a=normal(rng, 3, 2), shape=(3, 4))
    yield dict(a=normal(rng, 4, 3), shape=(1, 3))
    yield dict(a=normal(rng, 2, 3), shape=(3,))
    yield dict(a=normal(rng, 2, 3), shape=(-1, 2, 3))


def observe_expand(expand, a, shape):
    source = a.copy()
    out = expand.forward(source, shape=shape)
    values = np.array(out)
    source += 1  # a view follows its source; a copy does not
    return dict(values=values, memory="its own" if np.array_equal(values, out) else "that of a")


def oracle_expand(a, shape):
    new = len(shape) - a.ndim
    if new < 0 or -1 in shape[:new]:
        return refusal(a.shape)
    target = [n if n != -1 else a.shape[i - new] for i, n in enumerate(shape)]
    if any(n != 1 and n != target[i + new] for i, n in enumerate(a.shape)):
        return refusal(a.shape)
    out = np.zeros(target)
    for index in np.ndindex(out.shape):
        out[index] = a[tuple(j if n != 1 else 0 for j, n in zip(index[new:], a.shape))]
    return dict(values=out, memory="that of a")


def tiled(a, shape):
    expected = oracle_expand(a, shape)
    return expected if is_refusal(expected) else {**expected, "memory": "its own"}


def minus_one_from_the_left(a, shape):
    guess = [a.shape[min(i, a.ndim - 1)] if n == -1 else n for i, n in enumerate(shape)]
    return oracle_expand(a, guess)


misconceptions_expand = {
    "the numbers were copied: expand reads the same memory again": tiled,
    "-1 took the size at the same place from the left; axes are matched from the right": minus_one_from_the_left,
    "a shape was stretched that does not fit, or shrunk":
        lambda a, shape: ("raises", "ValueError") if is_refusal(oracle_expand(a, shape)) else oracle_expand(a, shape),
}


# 01.9 cat

def draw_cat(rng):
    yield dict(arrays=[normal(rng, 1, 3), normal(rng, 2, 3)], dim=0)
    yield dict(arrays=[normal(rng, 2, 1), normal(rng, 2, 4), normal(rng, 2, 2)], dim=-1)
    yield dict(arrays=[normal(rng, 3, 3), normal(rng, 3, 3)], dim=1)
    yield dict(arrays=[normal(rng, 2, 3, 2), normal(rng, 2, 1, 2)], dim=1)
    yield dict(arrays=[normal(rng, 2, 5), normal(rng, 3, 5)])
    yield dict(arrays=[normal(rng, 2, 3), normal(rng, 2, 4)], dim=0)


def observe_cat(cat, arrays, **dim):
    return cat.forward(*arrays, **dim)


def oracle_cat(arrays, dim=0):
    dim = dim % arrays[0].ndim
    if len({array.shape[:dim] + array.shape[dim + 1:] for array in arrays}) > 1:
        return refusal(*(array.shape for array in arrays))
    return np.moveaxis(np.array([row for array in arrays for row in np.moveaxis(array, dim, 0)], np.float64), 0, dim)


misconceptions_cat = {
    "dim was ignored: the arrays were joined along axis 0":
        lambda arrays, dim=0: oracle_cat(arrays) if dim and not is_refusal(oracle_cat(arrays)) else oracle_cat(arrays, dim),
    "the arrays came in the opposite order": lambda arrays, dim=0: oracle_cat(arrays[::-1], dim),
    "the error does not show the shapes of all arrays": without_shapes(oracle_cat),
}


# 01.10 apply

def draw_apply(rng):
    yield dict(a=normal(rng, 2, 3), b=normal(rng, 3), name="mul", wants=(True, False), params={})
    yield dict(a=normal(rng, 2, 3), b=2.5, name="sub", wants=(False, False), params={})
    yield dict(a=normal(rng, 4), b=-3, name="sub", wants=(True, False), params={})
    yield dict(a=normal(rng, 2, 3), b=normal(rng, 3, 2), name="matmul", wants=(False, True), params={})
    yield dict(a=normal(rng, 2, 5), b=None, name="reduce_sum", wants=(True, False), params=dict(axis=1))
    yield dict(a=rng.integers(-9, 9, 5), b=None, name="mean", wants=(False, False), params={})
    yield dict(a=normal(rng, 3).astype(np.float64), b=0.1, name="mul", wants=(False, False), params={})


def observe_apply(module, a, b, name, wants, params):
    """Run an op once with NumPy's kernel and once with another set's, and read every label of the result."""
    op = getattr(module, name)
    inputs = [module.Tensor(a, wants[0])]
    if b is not None:
        inputs.append(module.Tensor(b, wants[1]) if isinstance(b, np.ndarray) else b)
    out = module.apply(op, *inputs, **params)
    labels = "no origin" if out.origin is None else dict(
        op=out.origin.op.name, params=sorted((k, str(v)) for k, v in out.origin.params.items()),
        same_inputs=all(x is y for x, y in zip(out.origin.inputs, inputs)))
    return dict(values=out.data, dtype=str(out.data.dtype), type=type(out).__name__, requires_grad=bool(out.requires_grad),
                origin=labels, with_another_kernel=second_kernel(module, op, inputs, params),
                on_another_device=second_device(module, op, inputs, params))


def second_kernel(module, op, inputs, params):
    """Register a kernel that doubles the forward's result, which rounds nothing, for an op made here, and run it."""
    other = type(op)(op.forward)
    other.register_kernel("probe")(lambda *arrays, **params: op.forward(*arrays, **params) * 2)
    state = module.select_kernel.__globals__["state"]
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
        there = [module.Tensor(x.data.view(Probe)) if isinstance(x, module.Tensor) else x for x in inputs]
        return np.array(module.apply(other, *there, **params).data / 2)
    finally:
        del devices["probe"]


def oracle_apply(a, b, name, wants, params):
    forwards = dict(mul=lambda: oracle_mul(a, b), sub=lambda: oracle_mul(a, 1.0) - b, matmul=lambda: oracle_matmul(a, b),
                    reduce_sum=lambda: oracle_reduce_sum(a, **params), mean=lambda: oracle_mean(a, **params))
    values = forwards[name]()
    settings = dict(axis=None, keepdims=False, **{}) if name in ("reduce_sum", "mean") else {}
    origin = dict(op=name, params=sorted((k, str(v)) for k, v in {**settings, **params}.items()), same_inputs=True)
    dtype = "float64" if a.dtype == np.float64 else "float32"
    return dict(values=values, dtype=dtype, type="Tensor", requires_grad=any(wants), origin=origin if any(wants) else "no origin",
                with_another_kernel=values, on_another_device=values)


def changed(**changes):
    """Make a wrong turn: the right result with some labels replaced."""
    return lambda **inputs: {**oracle_apply(**inputs), **{key: value(**inputs) for key, value in changes.items()}}


def forgets_settings(a, b, name, wants, params):
    return oracle_apply(a, b, name, wants, {})


def misses_copies(a, b, name, wants, params):
    expected = oracle_apply(a, b, name, wants, params)
    origin = expected["origin"]
    return {**expected, "origin": origin if isinstance(origin, str) else {**origin, "same_inputs": False}}


misconceptions_apply = {
    "the result was not recorded: it does not know that a gradient is wanted":
        changed(requires_grad=lambda **_: False, origin=lambda **_: "no origin"),
    "every result was recorded, although no input wants a gradient":
        changed(requires_grad=lambda **_: True, origin=lambda **inputs: oracle_apply(**{**inputs, "wants": (True, True)})["origin"]),
    "the settings did not reach the kernel": forgets_settings,
    "record got the bare arrays; it needs the inputs as they were given": misses_copies,
    "op.forward ran whatever kernels are in use, and wherever the data lives: select_kernel chooses":
        changed(with_another_kernel=lambda **inputs: oracle_apply(**inputs)["values"] / 2,
                on_another_device=lambda **inputs: oracle_apply(**inputs)["values"] / 2),
    "select_kernel was not given the arrays, so it cannot see on which device they live":
        changed(on_another_device=lambda **inputs: oracle_apply(**inputs)["values"] / 2),
}
