"""No kernel reads or writes outside its arrays, and none runs on shapes that do not fit.

Every array is framed by guard values, those that a kernel makes as well. A call must leave all guards as they are, and give the
same with other guards. A kernel without an entry in CALLS fails the first test, which names it.
"""

import contextlib
import importlib
import itertools

import numpy as np
import pytest

import tinytorch as tt
from tinytorch.given import imports
from tinytorch.given.dispatch import select_kernel
from tinytorch.given.op import InPlace, ops

numba_kernels = pytest.importorskip("tinytorch.given.numba_kernels", reason="numba is not installed")
pytest.importorskip("numba", reason="numba is not installed, so there is one kernel set only")
for stem in imports.curriculum():
    if (imports.PACKAGE / f"{stem}.py").exists():
        importlib.import_module(f"tinytorch.{stem}")

FRAME = 64  # guards on each side of an array
PLAIN = dict(stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1)
ODD = dict(stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=3)
POOLED = [
    dict(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0)),
    dict(kernel_size=(3, 2), stride=(2, 1), padding=(1, 1)),
    dict(kernel_size=(2, 3), stride=(3, 2), padding=(0, 1)),
]
CONVOLVED = [  # pictures, kernels, gradient, settings
    ((3, 3, 9, 11), (5, 3, 3, 2), (3, 5, 7, 10), PLAIN),
    ((17, 6, 7, 8), (6, 2, 3, 3), (17, 6, 4, 8), ODD),
    ((2, 1, 12, 33), (7, 1, 5, 5), (2, 7, 8, 29), PLAIN),
    ((1, 20, 3, 3), (19, 20, 3, 3), (1, 19, 1, 1), PLAIN),
]
CHANNELS = [((3, 5, 4, 7), (5,)), ((1, 17, 1, 3), (17,)), ((9, 1, 2, 2), (1,))]


def pooled(shape, settings):
    size = zip(shape[2:], *settings.values())
    return (*shape[:2], *((n + 2 * p - k) // s + 1 for n, k, s, p in size))


PICTURES = [(3, 2, 8, 10), (2, 3, 7, 9), (1, 1, 6, 33), (5, 4, 4, 4)]
UPDATES = {
    "sgd_update": [dict(lr=0.1)],
    "momentum_update": [dict(lr=0.1, momentum=0.9), dict(lr=0.1, momentum=0.5, nesterov=True)],
    "adam_update": [dict(step=2, lr=0.1)],
    "adamw_update": [dict(step=2, lr=0.1, weight_decay=0.1)],
    "decay_weights": [dict(lr=0.1, weight_decay=0.1)],
}
ROWS = [(3, 17), (1, 1), (5, 64), (2, 33)]
CALLS = {  # op -> list of the shapes of its inputs and its settings; the second input of a loss is labels
    "relu": [((shape,), {}) for shape in (*ROWS, (7,), (2, 3, 5))],
    "gelu": [((shape,), dict(approximate=form)) for shape in ROWS for form in ("none", "tanh")],
    "softmax": [((shape,), {}) for shape in ROWS],
    "log_softmax": [((shape,), {}) for shape in ROWS],
    "relu_backward": [((shape, shape), {}) for shape in ROWS],
    "cross_entropy": [((shape, shape[:1]), dict(reduction="mean")) for shape in ROWS],
    "cross_entropy_gradient": [(((), shape, shape[:1]), dict(reduction="mean")) for shape in ROWS]
    + [((shape[:1], shape, shape[:1]), dict(reduction="none")) for shape in ROWS],
    "linear": [(((n, i), (o, i), (o,)), {}) for n, i, o in [(5, 3, 4), (66, 256, 131), (130, 784, 64)]],
    "linear_weight": [(((n, o), (n, i)), {}) for n, i, o in [(5, 3, 4), (67, 256, 131), (128, 784, 65)]],
    "convolution": [((x, w, w[:1]), settings) for x, w, _, settings in CONVOLVED],
    "conv2d_input": [((w, g), dict(input_size=x, **settings)) for x, w, g, settings in CONVOLVED],
    "conv2d_weight": [((x, g), dict(weight_size=w, **settings)) for x, w, g, settings in CONVOLVED],
    "max_pooling": [((x,), settings) for x in PICTURES for settings in POOLED],
    "max_pooling_backward": [((pooled(x, settings), x), settings) for x in PICTURES for settings in POOLED],
    "channel_variance": [((x, c), {}) for x, c in CHANNELS],
    "channel_norm": [((x, c, c, c, c), dict(eps=0.1, training=True)) for x, c in CHANNELS],
    "channel_norm_weight": [((x, x, c, c), dict(eps=0.1, training=True)) for x, c in CHANNELS],
    "channel_norm_backward": [((x, x, c, c, c), dict(eps=0.1, training=mode)) for x, c in CHANNELS for mode in (True, False)],
    **{
        name: [((shape,) * ops[name].most, settings) for shape in [(1,), (7,), (5, 33)] for settings in several]
        for name, several in UPDATES.items()
    },
}
LABELS = {"cross_entropy": 1, "cross_entropy_gradient": 2}  # which input is labels


def with_kernels():
    """Name all ops that have a kernel beside their forward, and all that write in place."""
    return {
        name
        for name, op in ops.items()
        if op.__module__.startswith("tinytorch.")
        and ("numba" in op.kernels or name in numba_kernels.HOME or isinstance(op, InPlace))
    }


def test_every_kernel_is_called_here():
    assert with_kernels() == CALLS.keys()


class Frames:
    """Makes arrays in the middle of guards of one value, and knows whether all guards are as they were."""

    def __init__(self, guard):
        self.guard, self.buffers = guard, []

    def empty(self, shape, dtype=np.float64):
        shape = tuple(shape) if np.iterable(shape) else (int(shape),)
        dtype, size = np.dtype(dtype), int(np.prod(shape))
        if dtype.kind != "f":
            return np.ndarray(shape, dtype)
        buffer = np.full(size + 2 * FRAME, self.guard, dtype)
        self.buffers.append((buffer, size))
        return buffer[FRAME : FRAME + size].reshape(shape)

    def framed(self, array):
        out = self.empty(array.shape, array.dtype)
        out[...] = array
        return out

    def zeros(self, shape, dtype=np.float64):
        out = self.empty(shape, dtype)
        out[...] = 0
        return out

    def intact(self):
        for buffer, size in self.buffers:
            before, after = buffer[:FRAME], buffer[FRAME + size :]
            yield from (
                np.array_equal(part, np.full(FRAME, self.guard, buffer.dtype), equal_nan=True) for part in (before, after)
            )

    @contextlib.contextmanager
    def making_all_arrays(self, monkeypatch):
        """Give guards to the arrays that a kernel makes, too."""
        with monkeypatch.context() as patch:
            patch.setattr(np, "empty", self.empty)
            patch.setattr(np, "zeros", self.zeros)
            patch.setattr(np, "empty_like", lambda a: self.empty(a.shape, a.dtype))
            patch.setattr(np, "zeros_like", lambda a: self.zeros(a.shape, a.dtype))
            yield


def draw(name, shapes, dtype):
    """Draw the inputs of an op: positive numbers where roots are taken, and labels where it needs them."""
    rng, arrays = np.random.default_rng(0), []
    for position, shape in enumerate(shapes):
        labels = LABELS.get(name) == position
        classes = shapes[position - 1][-1] if labels and shapes[position - 1] else 1
        array = rng.integers(max(classes, 1), size=shape) if labels else np.abs(rng.standard_normal(shape)) + 0.1
        arrays.append(np.asarray(array) if labels else np.asarray(array, dtype))
    return arrays


def run(kernels, name, arrays, settings, guard, monkeypatch):
    """Call a kernel on framed arrays, and return all numbers that it leaves: the result, and what it wrote in place."""
    op, frames = ops[name], Frames(guard)
    inputs, spare = ([a if a.dtype.kind != "f" else frames.framed(a) for a in arrays] for _ in range(2))
    with tt.use(kernels), np.errstate(all="ignore"):
        kernel = select_kernel(op, *inputs)
        kernel(*spare, **settings)  # compiles: numba does not know the np.zeros that the next line puts in place
        with frames.making_all_arrays(monkeypatch):
            out = kernel(*inputs, **settings)
    assert all(frames.intact()), f"{name} with {kernels} has written outside of an array"
    return [np.array(each) for each in ([] if out is None else [out]) + inputs]


PARTS = [(name, shapes, settings) for name, several in CALLS.items() for shapes, settings in several]


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", CALLS)
def test_guards_are_neither_read_nor_written(kernels, dtype, name, monkeypatch):
    for shapes, settings in CALLS[name]:
        arrays = draw(name, shapes, dtype)
        results = [run(kernels, name, arrays, settings, guard, monkeypatch) for guard in (np.nan, 1e30, -7.0)]
        for other in results[1:]:
            for a, b in zip(results[0], other, strict=True):
                np.testing.assert_array_equal(a, b, err_msg=f"{name} of {shapes} with {kernels} has read a guard")


def wrong(shapes):
    """Yield the shapes with one axis of one input longer, shorter, one or missing."""
    for position, shape in enumerate(shapes):
        for axis, size in itertools.product(range(len(shape)), (1, 2, 999)):
            changed = shape[:axis] + ((size if size < 999 else shape[axis] + 1),) + shape[axis + 1 :]
            if changed != shape:
                yield (*shapes[:position], changed, *shapes[position + 1 :])
        if shape:
            yield (*shapes[:position], shape[1:], *shapes[position + 1 :])


def outcome(kernels, name, arrays, settings, guard, monkeypatch):
    try:
        return run(kernels, name, arrays, settings, guard, monkeypatch)
    except (ValueError, IndexError, TypeError, ZeroDivisionError) as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("name", CALLS)
def test_shapes_that_do_not_fit_are_refused_by_both_sets_alike(name, monkeypatch):
    refused = 0
    for shapes, settings in CALLS[name][:4]:
        for other in wrong(shapes):
            arrays = draw(name, other, np.float32)
            ours, again = (outcome("numba", name, arrays, settings, guard, monkeypatch) for guard in (np.nan, 3.0))
            numpys = outcome("numpy", name, arrays, settings, np.nan, monkeypatch)
            refused += isinstance(numpys, str)
            if isinstance(numpys, str) or isinstance(ours, str):
                assert ours == numpys, f"{name} of {other}"
            else:
                for a, b, c in zip(ours, again, numpys, strict=True):
                    np.testing.assert_array_equal(a, b, err_msg=f"{name} of {other} has read a guard")
                    np.testing.assert_allclose(a, c, rtol=1e-4, atol=1e-5, err_msg=f"{name} of {other}")
    assert refused or ops[name].most == 1


@pytest.mark.parametrize("reach", [-1, 1], ids=["before", "behind"])
@pytest.mark.parametrize("write", [True, False], ids=["writes", "reads"])
def test_a_kernel_that_goes_one_too_far_is_caught(reach, write, monkeypatch):
    def runaway(param, grad, scratch, *, lr):
        memory = param.base
        place = FRAME + (param.size if reach > 0 else -1)
        if write:
            memory[place] = 0
        else:
            param += memory[place]

    monkeypatch.setitem(ops["sgd_update"].kernels, "numba", runaway)
    with pytest.raises(AssertionError, match="written" if write else "read"):
        test_guards_are_neither_read_nor_written("numba", np.float32, "sgd_update", monkeypatch)
