"""The same tests over every kernel set: each op that has a numba kernel, forwards and backwards, on shapes and memory of all kinds.

The NumPy set is the reference: it is compared with a second opinion in float64, or with itself for what has no number. A kernel
without an entry in OPS or UPDATES fails the first test, which names it.
"""

import contextlib
import functools
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import tinytorch as tt
from tinytorch.given import dispatch, imports
from tinytorch.given.op import InPlace, Op
from tinytorch.tensor import Tensor

pytest.importorskip("numba", reason="numba is not installed, so there is one kernel set only")

ROOT = Path(__file__).parents[2]
KERNELS = ("numpy", "numba")
DTYPES = (np.float32, np.float64)
kernels_cpu = importlib.import_module("tinytorch.kernels_cpu")


def registered():
    """Return all ops for which module 10 registers a numba kernel, by name."""
    found = {}
    for stem in imports.curriculum():
        if (imports.PACKAGE / f"{stem}.py").exists():
            module = importlib.import_module(f"tinytorch.{stem}")
            found.update({one.name: one for one in vars(module).values() if isinstance(one, Op)})
    return {
        name: one
        for name, one in found.items()
        if "numba" in one.kernels and one.kernels["numba"].__module__ == kernels_cpu.__name__
    }


class Entry(NamedTuple):
    """How an op is called: a function of the op, of arrays of one shape, and of a generator; and its settings."""

    inputs: object
    settings: tuple = ({},)


def entries(count):
    """Inputs of a number of arrays of the shape."""
    return lambda make, rng: tuple(make() for _ in range(count))


def table(make):
    """Make scores: a shape of two dimensions."""
    scores = make()
    return scores if scores.ndim == 2 else scores.reshape(1, -1) if scores.size else np.zeros((0, 3), scores.dtype)


def with_labels(make, rng):
    """A table of scores, and a label for each row."""
    scores = table(make)
    return scores, rng.integers(max(1, scores.shape[1]), size=len(scores))


def with_gradient(reduction):
    """What arrives at a loss, a table of scores, and labels."""

    def inputs(make, rng):
        scores, labels = with_labels(make, rng)
        grad = rng.standard_normal(len(scores) if reduction == "none" else ())
        return np.asarray(grad, scores.dtype), scores, labels

    return inputs


ALONG = tuple({"dim": dim} for dim in (-1, 0))
REDUCTIONS = tuple({"reduction": reduction} for reduction in ("mean", "sum", "none"))
OPS = {
    "gelu": [Entry(entries(1), ({}, {"approximate": "tanh"}))],
    "relu_backward": [Entry(entries(2))],
    "softmax": [Entry(entries(1), ALONG)],
    "log_softmax": [Entry(entries(1), ALONG)],
    "cross_entropy": [Entry(with_labels, REDUCTIONS)],
    "cross_entropy_gradient": [Entry(with_gradient(one["reduction"]), (one,)) for one in REDUCTIONS],
}
UPDATES = {  # op -> how many arrays it takes, and settings
    "sgd_update": (3, [dict(lr=0.1)]),
    "momentum_update": (4, [dict(lr=0.1, momentum=0.9), dict(lr=0.1, momentum=0.5, nesterov=True), dict(lr=0.1, momentum=0.0)]),
    "adam_update": (5, [dict(step=3, lr=0.01), dict(step=1, lr=0.1, betas=(0.5, 0.7), eps=0.1)]),
    "adamw_update": (5, [dict(step=2, lr=0.01, weight_decay=0.1)]),
}

# How an array lies in memory: functions from a fresh array of standard normal numbers.
SHAPES = {"row": (7,), "table": (5, 33), "column": (6, 1), "one": (1, 1), "cube": (2, 3, 17), "large": (64, 100)}
MEMORY = {
    "plain": lambda a: a,
    "transposed": lambda a: a.T,
    "every second": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: a[::-1],
    "columns first": np.asfortranarray,
    "read-only": lambda a: frozen(a),
    "within another": lambda a: np.stack([a, a], axis=0)[1],
    "one row, stretched": lambda a: np.broadcast_to(a[:1], a.shape),
    "misplaced by a byte": lambda a: misaligned(a),
}
PLACES = [
    *((shape, "plain") for shape in SHAPES),
    *(("table", memory) for memory in MEMORY if memory != "plain"),
    ("empty", "plain"),
    ("no rows", "plain"),
    ("no dimension", "plain"),
]
EMPTY = {"empty": (3, 0), "no rows": (0, 3), "no dimension": ()}


def frozen(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def misaligned(a):
    memory = np.zeros(a.nbytes + 1, np.uint8)
    view = memory[1:].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


def maker(place, dtype, rng, special=False):
    """Return a function that draws an array of a shape, lying in memory as its name says."""
    shape, memory = place

    def make():
        a = np.asarray(2 * rng.standard_normal(SHAPES.get(shape, EMPTY.get(shape))), dtype)
        if special and a.size > 4:
            a.flat[[0, a.size // 2, a.size - 1]] = np.nan, np.inf, -np.inf
        return MEMORY[memory](a)

    return make


def outcome(function):
    """Return what a call gives: an array, or the type and the words of the exception that it raises."""
    with np.errstate(all="ignore"):
        try:
            return function()
        except Exception as error:
            return f"{type(error).__name__}: {error}"


def close(got, expected, dtype):
    """Refuse what differs by more than rounding, in shape or in dtype; nan and inf must stand in the same places."""
    if isinstance(expected, str) or isinstance(got, str):
        assert got == expected
        return
    assert got.dtype == expected.dtype and got.shape == expected.shape
    loose = dict(rtol=2e-5, atol=2e-6) if dtype == np.float32 else dict(rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(got, expected, **loose)


CALLS = [(name, entry, settings) for name, found in OPS.items() for entry in found for settings in entry.settings]
every_call = pytest.mark.parametrize("name, entry, settings", CALLS, ids=[f"{name}-{settings}" for name, _, settings in CALLS])
every_place = pytest.mark.parametrize("place", PLACES, ids="-".join)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])
every_set = pytest.mark.parametrize("kernels", KERNELS)


def test_every_numba_kernel_is_tested_here():
    unknown = registered().keys() - OPS.keys() - UPDATES.keys()
    assert not unknown, f"write an entry for {', '.join(sorted(unknown))}"
    assert registered().keys() == OPS.keys() | UPDATES.keys()


def run(kernels, name, arrays, settings):
    """Call an op as a user does."""
    with tt.use(kernels):
        return outcome(lambda: registered()[name](*arrays, **settings).data)


def reference(name, arrays, settings):
    """Call an op's NumPy form, in float64 where numbers are finite: a second opinion on float32."""
    op = registered()[name]
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in map(np.asarray, arrays)]
    expected = outcome(lambda: np.asarray(op.forward(*wide, **settings)))
    narrow = any(np.asarray(a).dtype == np.float32 for a in arrays)
    return expected if isinstance(expected, str) or not narrow else expected.astype(np.float32)


@every_set
@every_call
@every_dtype
@every_place
def test_forward(kernels, name, entry, settings, dtype, place):
    rng = np.random.default_rng(0)
    arrays = entry.inputs(maker(place, dtype, rng), rng)
    before = [a.copy() for a in arrays]
    close(run(kernels, name, arrays, settings), reference(name, arrays, settings), dtype)
    assert all(np.array_equal(a, b) for a, b in zip(arrays, before)), "an input was changed"


@every_call
@every_dtype
@pytest.mark.parametrize("place", [("table", "plain"), ("table", "transposed"), ("row", "plain")], ids="-".join)
def test_nan_and_inf(name, entry, settings, dtype, place):
    rng = np.random.default_rng(1)
    arrays = entry.inputs(maker(place, dtype, rng, special=True), rng)
    close(run("numba", name, arrays, settings), run("numpy", name, arrays, settings), dtype)


@every_call
@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 65, 129])
def test_awkward_widths(name, entry, settings, size):
    """Vectors of 8 or 16 leave a rest: every width around them."""
    rng = np.random.default_rng(size)
    arrays = entry.inputs(lambda: 300 * rng.standard_normal((3, size), np.float32) - 500, rng)  # a wrong maximum overflows
    got = run("numba", name, arrays, settings)
    np.testing.assert_allclose(
        got, reference(name, arrays, settings), rtol=2e-5, atol=3e-4
    )  # a float32 near 1000 has no more digits


@every_call
def test_integers_and_numbers_get_the_same_answer_or_the_same_error(name, entry, settings):
    rng = np.random.default_rng(2)
    arrays = entry.inputs(lambda: rng.integers(-3, 3, (2, 5)), rng)
    ours, numpys = (run(kernels, name, arrays, settings) for kernels in ("numba", "numpy"))
    close(ours, numpys, np.float32)  # of whole numbers, softmax and its kin compute in float32


@pytest.mark.parametrize("shapes", [((5, 3), (3,)), ((4, 1), (4, 6)), ((), (7,)), ((2, 3), (3, 2))])
def test_shapes_that_broadcast_or_do_not(shapes):
    grad, out = (np.random.default_rng(9).standard_normal(shape).astype(np.float32) for shape in shapes)
    close(
        run("numba", "relu_backward", (grad, np.asarray(out)), {}),
        run("numpy", "relu_backward", (grad, np.asarray(out)), {}),
        np.float32,
    )


def gradients(kernels, name, arrays, settings):
    """Return the gradients of all inputs of floats, and, of those of the first, the gradients again."""
    from tinytorch.autograd import grad

    with tt.use(kernels), np.errstate(all="ignore"):
        inputs = [Tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
        wanted = [x for x in inputs if x.requires_grad]
        out = registered()[name](*inputs, **settings)
        upstream = Tensor(np.cos(np.arange(out.data.size)).reshape(out.shape).astype(out.data.dtype))
        first = grad(out, wanted, upstream, create_graph=True, allow_unused=True)
        present = [g for g in first if g is not None]
        weights = [Tensor(np.sin(np.arange(g.data.size)).reshape(g.shape).astype(g.data.dtype)) for g in present]
        total = sum(((g * w).sum() for g, w in zip(present, weights)), Tensor(0.0, dtype=arrays[0].dtype))
        second = grad(total, wanted, allow_unused=True, materialize_grads=True) if total.requires_grad else ()
        return [None if g is None else g.data for g in (*first, *second)]


@every_set
@every_call
@every_dtype
@pytest.mark.parametrize("place", [place for place in PLACES if place[0] not in EMPTY], ids="-".join)
def test_backward_twice(kernels, name, entry, settings, dtype, place):
    rng = np.random.default_rng(3)
    arrays = entry.inputs(maker(place, dtype, rng), rng)
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays]
    expected = gradients("numpy", name, wide, settings)
    got = gradients(kernels, name, arrays, settings)
    assert len(got) == len(expected)
    for ours, theirs in zip(got, expected):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert ours.dtype == dtype
            loose = dict(rtol=1e-4, atol=1e-5) if dtype == np.float32 else dict(rtol=1e-9, atol=1e-10)
            np.testing.assert_allclose(ours, theirs, **loose)


@pytest.mark.parametrize("name", ["cross_entropy_gradient", "relu_backward"])
def test_new_ops_pass_gradcheck(name):
    """Their rules are new in module 10, so no other test nudges them."""
    from tinytorch.autograd import gradcheck

    rng, op = np.random.default_rng(4), registered()[name]
    if name == "relu_backward":
        assert gradcheck(lambda grad: op(grad, Tensor(np.array([1.0, -2.0, 3.0]))), (Tensor(rng.standard_normal(3)),))
        return
    labels = np.array([2, 0, 3])
    for reduction in ("mean", "sum", "none"):
        grad = Tensor(rng.standard_normal(3) if reduction == "none" else np.array(1.7))
        assert gradcheck(
            lambda grad, scores: op(grad, scores, Tensor(labels), reduction=reduction),
            (grad, Tensor(rng.standard_normal((3, 4)))),
        )


@pytest.mark.parametrize(
    "labels, error",
    [
        (np.array([0, 1, 5]), ValueError),
        (np.array([0, -1, 2]), ValueError),
        (np.array([0, 1]), ValueError),
        (np.array([[0], [1], [2]]), ValueError),
        (np.array([0.0, 1.0, 2.0]), TypeError),
        (np.array([[0, 1, 2]] * 3), ValueError),
    ],
)
def test_labels_that_mean_nothing_are_refused_before_a_loop_reads_there(labels, error):
    scores = np.ones((3, 4), np.float32)
    said = []
    for kernels in KERNELS:
        with tt.use(kernels), pytest.raises(error) as caught:
            registered()["cross_entropy"](Tensor(scores), Tensor(labels))
        said.append(str(caught.value))
    assert said[0] == said[1]


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64, ">i8"])
def test_labels_of_every_whole_kind(kind):
    scores, labels = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32), np.array([2, 0, 1, 1]).astype(kind)
    dispatch.fallbacks.clear()
    with tt.use("numba"):
        got = registered()["cross_entropy"](Tensor(scores), Tensor(labels)).item()
    assert not dispatch.fallbacks, "MNIST's labels are uint8"
    assert got == pytest.approx(registered()["cross_entropy"].forward(scores, labels.astype(np.int64)), rel=1e-6)


@pytest.mark.parametrize(
    "name, count, settings", [(name, count, one) for name, (count, several) in UPDATES.items() for one in several]
)
@every_dtype
@pytest.mark.parametrize(
    "place", [place for place in PLACES if place[1] not in ("read-only", "one row, stretched")], ids="-".join
)
def test_updates_in_place(name, count, settings, dtype, place):
    make = maker(place, dtype, np.random.default_rng(5))
    arrays = [make() for _ in range(count)]
    if name.startswith("adam"):
        arrays[3] = np.abs(arrays[3])
    ours, numpys = ([lay_out(a) for a in arrays] for _ in KERNELS)
    op = registered()[name]
    assert isinstance(op, InPlace)
    held = [id(a) for a in ours]
    with tt.use("numba"):
        assert op(*ours, **settings) is None
    op.forward(*numpys, **settings)
    assert held == [id(a) for a in ours]
    for got, expected in list(zip(ours, numpys))[:-1]:  # the last one is scratch
        loose = dict(rtol=1e-5, atol=1e-6) if dtype == np.float32 else dict(rtol=1e-12, atol=0)
        np.testing.assert_allclose(got, expected, **loose)


def lay_out(a):
    """Copy an array with its strides."""
    copy = np.lib.stride_tricks.as_strided(np.zeros_like(a, order="K"), a.shape) if a.flags.carray else None
    if copy is None:
        base = np.zeros(2 * a.size * a.itemsize + 64, np.uint8)
        copy = base[1 : 1 + a.nbytes].view(a.dtype).reshape(a.shape) if not a.flags.aligned else np.empty_like(a, order="K")
    copy[...] = a
    return copy


def test_adam_keeps_its_numbers_for_a_hundred_steps():
    """1 - beta of a beta rounded to float32 is off by 1.3e-5, and so would the mean of squares be."""
    rng = np.random.default_rng(6)
    start, grads = rng.standard_normal(50), rng.standard_normal((100, 50))
    narrow, wide = ([np.array(start, dtype), *(np.zeros(50, dtype) for _ in range(3))] for dtype in DTYPES)
    op = registered()["adam_update"]
    for step, grad in enumerate(grads, 1):
        with tt.use("numba"):
            op(narrow[0], grad.astype(np.float32), *narrow[1:], step=step, lr=0.001)
        op.forward(wide[0], grad.astype(np.float32).astype(np.float64), *wide[1:], step=step, lr=0.001)
    np.testing.assert_allclose(narrow[2], wide[2], rtol=3e-6)
    np.testing.assert_allclose(narrow[0], wide[0], rtol=1e-5, atol=1e-6)


def test_a_step_with_numba_allocates_nothing():
    import tracemalloc

    from tinytorch.layers import Parameter
    from tinytorch.optim import SGD, Adam, AdamW

    for make in (Adam, AdamW, lambda params: SGD(params, momentum=0.9), SGD):
        param = Parameter(np.ones((1000, 100), np.float32))
        param.grad = Tensor(np.ones((1000, 100), np.float32))
        optimizer = make([param])
        with tt.use("numba"):
            optimizer.step()
            tracemalloc.start()
            for _ in range(3):
                optimizer.step()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < 20_000, "an array of the parameter's size has 400,000 bytes"


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
def test_a_plain_number_may_arrive_as_the_gradient_of_the_loss(kernels):
    logits, labels = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32), np.array([2, 0, 1, 1])
    op = registered()["cross_entropy_gradient"]
    with tt.use(kernels):
        for reduction in ("mean", "sum"):
            number, array = (op(grad, logits, labels, reduction=reduction).data for grad in (2.0, np.array(2, np.float32)))
            assert np.array_equal(number, array)


def test_what_a_loop_does_not_cover_is_counted():
    dispatch.fallbacks.clear()
    with tt.use("numba"):
        registered()["gelu"](Tensor(np.ones(3)))
        registered()["gelu"](Tensor(np.ones(3, np.float32)))
    assert dispatch.fallbacks["gelu"] == 1


def trained(kernels, optimizer):
    """Train a small network for 30 steps, and return its losses and its weights."""
    from tinytorch import losses, optim
    from tinytorch.layers import Linear, ReLU, Sequential

    rng = np.random.default_rng(7)
    model = Sequential(Linear(20, 33, rng=rng), ReLU(), Linear(33, 7, rng=rng))
    steps, seen = getattr(optim, optimizer)(model.parameters(), lr=0.01), []
    pictures, labels = rng.standard_normal((30, 16, 20), np.float32), rng.integers(7, size=(30, 16))
    with tt.use(kernels):
        for batch, right in zip(pictures, labels):
            steps.zero_grad()
            loss = losses.cross_entropy(model(Tensor(batch)), Tensor(right))
            loss.backward()
            steps.step()
            seen.append(loss.item())
    return seen, np.concatenate([p.data.ravel() for p in model.parameters()])


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW"])
def test_a_short_training_is_the_same_with_either_set(optimizer):
    (our_losses, ours), (their_losses, theirs) = trained("numba", optimizer), trained("numpy", optimizer)
    np.testing.assert_allclose(our_losses, their_losses, rtol=2e-4)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 2), (64, 4, 3), (65, 7, 16), (130, 9, 31)])
def test_the_blocked_product_is_a_product(shape):
    n, k, m = shape
    rng = np.random.default_rng(8)
    a, b = rng.standard_normal((n, k), np.float32), rng.standard_normal((k, m), np.float32)
    out = np.full((n, m), np.nan, np.float32)
    kernels_cpu.matmul_blocked(a, b, out)
    np.testing.assert_allclose(out, a.astype(np.float64) @ b, rtol=1e-4, atol=1e-5)


def test_exp32_is_exact_to_a_few_units_everywhere():
    from tinytorch.given.numba_kernels import jit
    from tinytorch.given.numba_kernels.arithmetic import exp32

    @jit
    def loop(a, out):
        for i in range(a.size):
            out[i] = exp32(a[i])

    a = np.linspace(-86, 88.7, 200_003).astype(np.float32)
    out = np.empty_like(a)
    loop(a, out)
    np.testing.assert_allclose(out, np.exp(a.astype(np.float64)), rtol=2e-7)
    special = np.array([-np.inf, -200, 0, 200, np.inf, np.nan], np.float32)
    loop(special, special_out := np.empty_like(special))
    assert special_out.tolist()[:5] == [0, 0, 1, np.inf, np.inf] and np.isnan(special_out[5])


def python(code, **environment):
    """Run Python on this clone, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_nothing_is_imported_or_compiled_before_a_kernel_runs():
    out, _ = python(
        "import sys, tinytorch as tt\n"
        "import tinytorch.nn, tinytorch.training\n"
        "print('numba' in sys.modules)\n"
        "tt.use('numba')\n"
        "from tinytorch import kernels_cpu as k\n"
        "from tinytorch.given.numba_kernels import compile_seconds\n"
        "print(sum(compile_seconds.values()), [f for f in vars(k).values() if getattr(f, 'signatures', None)])"
    )
    assert out.split("\n")[:2] == ["False", "0 []"]


STEP = (
    "import numpy as np, tinytorch as tt\n"
    "from tinytorch.activations import softmax\n"
    "from tinytorch.given.numba_kernels import compile_seconds\n"
    "tt.use('numba')\n"
    "print(float(softmax(tt.Tensor(np.zeros((2, 4), np.float32))).data[0, 0]), compile_seconds['softmax_rows'] > 0)\n"
)


def test_machine_code_is_kept_for_the_next_process(tmp_path):
    first, second = (python(STEP, NUMBA_CACHE_DIR=str(tmp_path / "code"))[0].split() for _ in range(2))
    assert first == ["0.25", "True"]
    assert second == ["0.25", "False"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no folder that its owner cannot write to by mode")
def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    nowhere = str(tmp_path / "file" / "below")
    out, _ = python(STEP, NUMBA_CACHE_DIR="", XDG_CACHE_HOME=nowhere, HOME=nowhere, TINYTORCH_DATA="")
    assert out.split() == ["0.25", "True"]


def test_without_numba_numpy_runs_and_one_line_says_what_to_install():
    block = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'numba': raise ModuleNotFoundError(\"No module named 'numba'\", name='numba')\n"
        "sys.meta_path.insert(0, Absent())\n"
        "import importlib.util\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, package=None: None if name == 'numba' else found(name, package)\n"
    )
    out, err = python(
        block + "import numpy as np, tinytorch as tt\n"
        "from tinytorch.activations import softmax\nfrom tinytorch.given.state import state\n"
        "tt.use('numba')\n"
        "print(state.kernels, softmax(tt.Tensor([[0.0, 0.0]])).tolist())\n"
        "try: from tinytorch import kernels_cpu\n"
        "except ImportError as error: print(error)\n"
    )
    assert out.splitlines()[0] == "numpy [[0.5, 0.5]]"
    assert "numba is not installed" in out.splitlines()[1] and "tinytorch-course[kernels]" in out.splitlines()[1]
    assert err.count("numba is not installed") == 1 and "tinytorch-course[kernels]" in err


def ratio(first, second, repeats=60):
    """Return how much longer one function takes than another, each in its context: medians of CPU time, the two in turn."""
    import statistics
    import time

    times = ([], [])
    for _ in range(repeats):
        for (context, function), seen in zip((first, second), times):
            with context():
                began = time.process_time()
                function()
                seen.append(time.process_time() - began)
    return statistics.median(times[0][5:]) / statistics.median(times[1][5:])


def in_set(kernels, function):
    """Return the context of a kernel set, and the function to run there: see `ratio`."""
    return functools.partial(tt.use, kernels), function


@pytest.mark.bench
@pytest.mark.parametrize("shape, times", [((128, 10), 1.7), ((1024, 1000), 2.5)])  # of the small one, half is the engine's time
def test_the_loss_and_its_gradient_are_faster(shape, times):
    rng = np.random.default_rng(0)
    scores, labels = rng.standard_normal(shape, np.float32), rng.integers(shape[1], size=shape[0])

    def there_and_back():
        registered_ops["cross_entropy"](Tensor(scores, requires_grad=True), labels).backward()

    registered_ops = registered()
    assert ratio(in_set("numpy", there_and_back), in_set("numba", there_and_back), 200) >= times


@pytest.mark.bench
def test_adam_is_two_and_a_half_times_as_fast():
    op, arrays = registered()["adam_update"], [np.ones(3_840_000, np.float32) for _ in range(5)]
    step = lambda: op(*arrays, step=10, lr=1e-3)
    assert ratio(in_set("numpy", step), in_set("numba", step), 30) >= 2.5


@pytest.mark.bench
def test_adam_is_as_fast_as_pytorchs_fused_one():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    torch.set_num_threads(1)
    param = torch.nn.Parameter(torch.ones(3_840_000))
    param.grad = torch.ones_like(param)
    theirs = torch.optim.Adam([param], fused=True)
    op, arrays = registered()["adam_update"], [np.ones(3_840_000, np.float32) for _ in range(5)]
    assert ratio(in_set("numba", lambda: op(*arrays, step=10, lr=1e-3)), (contextlib.nullcontext, theirs.step), 30) <= 1
