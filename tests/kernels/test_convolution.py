"""The given numba kernels of ReLU and of module 12's ops: they give what the NumPy set gives, whatever the settings and the memory."""

import os
import platform
import subprocess
import sys
import threading

import numpy as np
import pytest

import tinytorch as tt
from tinytorch import cnn
from tinytorch.activations import relu
from tinytorch.autograd import gradcheck
from tinytorch.given import dispatch
from tinytorch.given.dispatch import select_kernel
from tinytorch.tensor import Tensor

numba = pytest.importorskip("numba", reason="numba is not installed, so there are no such kernels")

from tinytorch.given.numba_kernels import (  # noqa: E402
    convolution as given,
    correlation,
    threads,
    tiles,
)

DTYPES = (np.float32, np.float64)
ONE = dict(stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1)


@pytest.fixture(autouse=True)
def with_numba():
    with tt.use("numba"):
        dispatch.fallbacks.clear()
        yield


def both(op, *arrays, **settings):
    """Return what the numba kernel gives, and what NumPy gives."""
    kernel = select_kernel(op, *arrays)
    assert kernel is not op.forward
    return kernel(*arrays, **settings), op.forward(*arrays, **settings)


def assert_same(op, *arrays, fallbacks=0, **settings):
    """Assert that kernel and NumPy agree, in dtype, shape and numbers, but for rounding."""
    found, wanted = both(op, *arrays, **settings)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    assert found.flags.c_contiguous  # or the optimizer's kernel would not cover a gradient
    size = np.abs(wanted[np.isfinite(wanted)]).max(initial=1e-30)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=size * 30 * np.finfo(wanted.dtype).eps, err_msg=str(settings))
    assert sum(dispatch.fallbacks.values()) == fallbacks


def assert_same_convolution(x, weight, **settings):
    """Assert that kernel and NumPy agree on a convolution and on its two gradients."""
    assert_same(cnn.convolution, x, weight, **settings)
    out = cnn.convolution.forward(x, weight, **settings)
    grad = np.random.default_rng(1).standard_normal(out.shape).astype(out.dtype)
    assert_same(cnn.conv2d_input, weight, grad, input_size=x.shape, **settings)
    assert_same(cnn.conv2d_weight, x, grad, weight_size=weight.shape, **settings)


def draw(rng, dtype, images, channels, out, size, kernel, groups=1):
    """Draw pictures and weights."""
    return (
        rng.standard_normal((images, channels * groups, *size)).astype(dtype),
        rng.standard_normal((out * groups, channels, *kernel)).astype(dtype),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_settings(dtype):
    rng = np.random.default_rng(0)
    for _ in range(60):
        kernel, stride, dilation = (tuple(rng.integers(1, top, 2).tolist()) for top in (5, 4, 4))
        padding, groups = tuple(rng.integers(0, 4, 2).tolist()), int(rng.choice([1, 1, 2, 3]))
        least = [max(1, d * (k - 1) + 1 - 2 * p) for d, k, p in zip(dilation, kernel, padding)]
        size = tuple(int(rng.integers(n, n + 20)) for n in least)
        images = int(rng.choice([1, 2, 5, 19, 33]))  # alone, and in blocks of up to 16 with some left over
        arrays = draw(rng, dtype, images, *rng.integers(1, (5, 20)).tolist(), size, kernel, groups)
        assert_same_convolution(*arrays, stride=stride, padding=padding, dilation=dilation, groups=groups)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape",
    [
        (3, 6, (28, 28), (5, 5), 2),
        (6, 16, (14, 14), (5, 5), 0),  # LeNet-5
        (32, 64, (13, 13), (3, 3), 0),
        (64, 128, (8, 8), (3, 3), 1),  # short rows
        (2, 7, (40, 17), (3, 3), 1),
        (5, 24, (5, 16), (1, 1), 0),  # rows of whole vectors; an odd number of channels
        (16, 40, (7, 7), (7, 7), 0),
        (17, 50, (3, 9), (3, 2), 0),  # one place; vectors of channels that are not full
    ],
    ids=str,
)
def test_shapes_that_take_different_ways(shape, dtype):
    channels, out, size, kernel, padding = shape
    arrays = draw(np.random.default_rng(0), dtype, 21, channels, out, size, kernel)
    assert_same_convolution(*arrays, **{**ONE, "padding": (padding, padding)})


def test_the_bias_is_added():
    rng = np.random.default_rng(0)
    for size, images in (((20, 20), 2), ((6, 6), 2), ((6, 6), 18)):
        for groups in (1, 2):
            arrays = draw(rng, np.float32, images, 20, 17, size, (3, 3), groups)
            bias = rng.standard_normal(17 * groups).astype(np.float32)
            for one in (bias, bias.astype(np.float64), np.repeat(bias, 2)[::2], np.broadcast_to(bias[:1], bias.shape)):
                assert_same(cnn.convolution, *arrays, one, **{**ONE, "groups": groups})
            assert_same(cnn.convolution, *arrays, None, **{**ONE, "groups": groups})


def test_images_that_are_convolved_together_get_what_they_get_alone(monkeypatch):
    taken, together = [], given.convolve_together
    monkeypatch.setattr(
        given, "convolve_together", lambda first, last, *rest: taken.append(last - first) or together(first, last, *rest)
    )
    monkeypatch.setattr(numba, "get_num_threads", lambda: 1)
    lanes = tiles.WIDTH // 4
    for channels, out, size, kernel, padding in ((6, 16, 14, 5, 0), (16, 40, 5, 5, 0), (3, 8, 64, 3, 1)):
        x, weight = draw(np.random.default_rng(0), np.float32, 2 * lanes + 3, channels, out, (size, size), (kernel, kernel))
        settings = {**ONE, "padding": (padding, padding)}
        grad = cnn.convolution.forward(x, weight, **settings)
        run = select_kernel(cnn.conv2d_input, grad)
        alone = [run(weight, one[None], input_size=(1, *x.shape[1:]), **settings)[0] for one in grad]
        assert not taken
        np.testing.assert_array_equal(run(weight, grad, input_size=x.shape, **settings), alone)
        assert taken == ([2] if size < 64 else []), "two blocks at once where rows are short"
        taken.clear()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_weight_s_gradient_takes_images_together_where_channels_do_not_fill_vectors(dtype, monkeypatch):
    taken, together = [], correlation.correlate_together
    monkeypatch.setattr(correlation, "correlate_together", lambda *rest: taken.append(together(*rest)))
    lanes = tiles.WIDTH // np.dtype(dtype).itemsize
    for channels, out, size, kernel, groups, settings in (
        (1, 1, (7, 9), (3, 2), 9, {}),
        (2, 3, (12, 7), (3, 3), 2, {"padding": (2, 1), "dilation": (2, 1)}),  # odd channels
        (1, 5, (5, 5), (5, 5), 1, {}),
        (3, lanes + 1, (8, 8), (1, 1), 1, {"padding": (0, 3)}),  # one window; a vector and one
    ):
        for images in (lanes, 2 * lanes + 3):
            x, weight = draw(np.random.default_rng(0), dtype, images, channels, out, size, kernel, groups)
            assert_same_convolution(x, weight, **{**ONE, **settings, "groups": groups})
            assert taken, "at least one block"
            taken.clear()
    for images, out, size, stride in ((lanes - 1, 3, 9, 1), (lanes, lanes, 9, 1), (lanes, 3, 9, 2), (lanes, lanes + 1, 4, 1)):
        x, weight = draw(np.random.default_rng(0), dtype, images, 40, out, (size, size), (3, 3))
        assert_same_convolution(x, weight, **{**ONE, "stride": (stride, stride)})
    assert not taken, "too few images, full vectors, two phases, many sums of few windows"


@pytest.mark.parametrize("dtype", DTYPES)
def test_relu(dtype):
    rng = np.random.default_rng(0)
    for shape in ((40, 3, 30, 20), (70001,), (5, 3), ()):
        x = rng.standard_normal(shape).astype(dtype)
        x[rng.random(shape) < 0.1] = np.nan
        x[rng.random(shape) < 0.1] = -np.inf
        for array in (x, *(views(x) if x.ndim == 4 else ())):
            assert_same(relu, array)
    assert_same(relu, rng.standard_normal(50000).astype(np.float16), fallbacks=1)
    assert_same(relu, np.zeros((0, 2), dtype), fallbacks=2)


def views(x):
    """Yield arrays of the same numbers that are not contiguous, or not writable."""
    yield np.asfortranarray(x)
    yield np.repeat(x, 2, axis=3)[..., ::2]
    yield x[::-1].copy()[::-1]
    fixed = x.copy()
    fixed.flags.writeable = False
    yield fixed


def test_memory_of_any_kind():
    x, weight = draw(np.random.default_rng(0), np.float32, 3, 4, 6, (9, 18), (3, 3))
    for other, turned in zip(views(x), views(weight)):
        assert_same_convolution(other, turned, **ONE)
    grad = np.broadcast_to(np.float32(0.5), (3, 6, 7, 16))
    assert_same(cnn.conv2d_weight, x, grad, weight_size=weight.shape, **ONE)


@pytest.mark.parametrize("shape", [(0, 3, 8, 8), (2, 0, 8, 8)], ids=["no images", "no channels"])
def test_empty_arrays_are_numpy_s(shape):
    x, weight = np.zeros(shape, np.float32), np.zeros((4, shape[1], 3, 3), np.float32)
    assert_same(cnn.convolution, x, weight, fallbacks=1, **ONE)
    assert_same(cnn.conv2d_weight, x, np.zeros((len(x), 4, 6, 6), np.float32), fallbacks=2, weight_size=weight.shape, **ONE)
    assert_same(cnn.max_pooling, x, fallbacks=3, kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))


def test_two_dtypes_give_the_wider_and_others_are_numpy_s():
    x, weight = draw(np.random.default_rng(0), np.float32, 2, 3, 4, (7, 7), (3, 3))
    assert_same(cnn.convolution, x, weight.astype(np.float64), **ONE)
    assert_same(cnn.convolution, x.astype(np.float16), weight.astype(np.float16), fallbacks=1, **ONE)


@pytest.mark.parametrize("size, images", [((6, 6), 2), ((20, 20), 2), ((6, 6), 17)], ids=["short rows", "long rows", "together"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_nan_and_inf_stay_where_they_belong(value, size, images):
    settings = {**ONE, "padding": (1, 1)}
    clean = draw(np.random.default_rng(0), np.float32, images, 20, 17, size, (3, 3))
    grad = np.random.default_rng(1).standard_normal((images, 17, *size)).astype(np.float32)
    for place in [(1, 2, 3, 5), (0, 0, 0, 0), (1, 2, size[0] - 1, size[1] - 1)]:
        x, weight, slope = clean[0].copy(), clean[1].copy(), grad.copy()
        x[place] = slope[place] = value
        assert_same(cnn.convolution, x, weight, **settings)
        assert_same(cnn.conv2d_input, weight, slope, input_size=x.shape, **settings)
        assert_same(cnn.conv2d_weight, x, grad, weight_size=weight.shape, **settings)
        assert_same(cnn.conv2d_weight, clean[0], slope, weight_size=weight.shape, **settings)
        weight[2, 1, 0, 2] = value
        assert_same(cnn.convolution, clean[0], weight, **settings)
        dispatch.fallbacks.clear()
        assert_same(cnn.conv2d_input, weight, grad, input_size=x.shape, fallbacks=1, **settings)
        dispatch.fallbacks.clear()


@pytest.mark.parametrize("dtype", DTYPES)
def test_max_pooling(dtype):
    rng = np.random.default_rng(0)
    for n in range(80):
        kernel, stride = (tuple(rng.integers(1, 4, 2).tolist()) for _ in range(2))
        padding = tuple(int(rng.integers(0, k // 2 + 1)) for k in kernel)
        if n % 2:
            kernel, stride, padding = (2, 2), (2, 2), (0, 0)
        x = rng.integers(-3, 4, (2, 3, *rng.integers(3, 40, 2))).astype(dtype)  # with ties
        if n % 3 == 1:
            x[rng.random(x.shape) < 0.2] = np.nan
        settings = dict(kernel_size=kernel, stride=stride, padding=padding)
        assert_same(cnn.max_pooling, x, **settings)
        grad = rng.standard_normal(cnn.max_pooling.forward(x, **settings).shape).astype(dtype)
        assert_same(cnn.max_pooling_backward, grad, x, **settings)


@pytest.mark.parametrize("size", [(4, 4), (9, 21)])
def test_windows_of_inf_have_a_maximum_too(size):
    settings = dict(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))
    rng = np.random.default_rng(0)
    x = rng.choice([-np.inf, np.inf, 0.0, -0.0, np.nan], (2, 3, *size)).astype(np.float32)
    assert_same(cnn.max_pooling, x, **settings)
    grad = rng.standard_normal((2, 3, size[0] // 2, size[1] // 2)).astype(np.float32)
    assert_same(cnn.max_pooling_backward, grad, x, **settings)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("training", [True, False])
def test_batch_normalisation(training, dtype):
    rng = np.random.default_rng(0)
    for shape in ((3, 5, 4, 7), (2, 1, 3, 3), (8, 16, 6, 6)):
        x, grad = (rng.standard_normal(shape).astype(dtype) + dtype(2) for _ in range(2))
        weight, bias = (rng.standard_normal(shape[1]).astype(dtype) for _ in range(2))
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
        settings = dict(eps=1e-5, training=training)
        for array in (x, *views(x)):
            assert_same(cnn.channel_variance, array, mean)
            assert_same(cnn.channel_norm, array, weight, bias, mean, var, **settings)
            assert_same(cnn.channel_norm_weight, grad, array, mean, var, **settings)
            assert_same(cnn.channel_norm_backward, grad, array, weight, mean, var, **settings)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_batch_normalisation_of_nan_and_inf(training, value):
    x, grad = np.random.default_rng(0).standard_normal((2, 2, 3, 4, 5)).astype(np.float32)
    x[0, 1, 2, 2] = value
    ones = np.ones(3, np.float32)
    settings = dict(eps=1e-5, training=training)
    assert_same(cnn.channel_norm, x, ones, ones, ones, ones, **settings)
    assert_same(cnn.channel_norm_weight, grad, x, ones, ones, **settings)
    assert_same(cnn.channel_norm_backward, grad, x, ones, ones, ones, **settings)


def test_gradients_agree_with_differences():
    rng = np.random.default_rng(0)
    x, weight, bias = (Tensor(rng.standard_normal(shape)) for shape in ((2, 4, 7, 8), (6, 2, 3, 2), (6,)))
    assert gradcheck(lambda *a: cnn.conv2d(*a, stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2), (x, weight, bias))
    assert gradcheck(lambda a: cnn.max_pool2d(a, 2), (x,))
    assert gradcheck(
        lambda a, w, b: cnn.batch_norm(a, None, None, w, b, training=True), (x[:, :, :2, :2], Tensor([1.0, 2, 3, 4]), bias[:4])
    )
    assert not dispatch.fallbacks.keys() & {"convolution", "conv2d_input", "conv2d_weight", "max_pooling", "channel_norm"}


def every_kernel(seed=0, images=53):
    """Run each kernel once, and return all results."""
    rng, results = np.random.default_rng(seed), []
    for size, padding in (((9, 9), (1, 1)), ((20, 20), (0, 0))):
        x, weight = draw(rng, np.float32, images, 4, 18, size, (3, 3))
        settings = {**ONE, "padding": padding}
        out = select_kernel(cnn.convolution, x)(x, weight, **settings)
        pooled = select_kernel(cnn.max_pooling, out)(out, kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))
        mean = np.zeros(18, np.float32)
        results += [
            out,
            pooled,
            select_kernel(relu, out)(out),
            select_kernel(cnn.channel_variance, out)(out, mean),
            select_kernel(cnn.max_pooling_backward, out)(pooled, out, kernel_size=(2, 2), stride=(2, 2), padding=(0, 0)),
            select_kernel(cnn.conv2d_input, out)(weight, out, input_size=x.shape, **settings),
            select_kernel(cnn.conv2d_weight, out)(x, out, weight_size=weight.shape, **settings),
            select_kernel(cnn.channel_norm_backward, out)(out, out, mean + 1, mean, mean + 1, eps=0.0, training=True),
        ]
    return results


@pytest.fixture
def all_work_is_spread(monkeypatch):
    monkeypatch.setattr(threads, "NUMBERS", 1)
    monkeypatch.setattr(threads, "PRODUCTS", 1)
    monkeypatch.setattr(numba, "get_num_threads", lambda: 2)


def test_any_number_of_threads_gives_the_same_to_the_last_bit(all_work_is_spread, monkeypatch):
    wanted = None
    for number in (1, 2, 3, 20):
        monkeypatch.setattr(numba, "get_num_threads", lambda: number)
        found = every_kernel()
        wanted = wanted or found
        assert all(np.array_equal(a, b) for a, b in zip(found, wanted))


def test_kernels_run_in_several_threads_at_once(all_work_is_spread):
    wanted, found = [every_kernel(seed) for seed in range(4)], [None] * 4

    def work(seed):
        with tt.use("numba"):
            found[seed] = every_kernel(seed)

    at_once = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    assert all(np.array_equal(a, b) for one, other in zip(found, wanted) for a, b in zip(one, other))


def test_threads_are_woken_for_work_that_is_worth_it(monkeypatch):
    monkeypatch.setattr(numba, "get_num_threads", lambda: 3)
    calling, done, begun = threading.get_ident(), [], {True: threading.Event(), False: threading.Event()}

    def work(first, last):
        mine = threading.get_ident() == calling
        done.append((first, last, mine))
        begun[mine].set()
        begun[not mine].wait(30)  # the calling thread and others have both begun before either goes on

    threads.spread(
        lambda *part: done.append((*part, threading.get_ident() == calling)), 100, numbers=2 * threads.NUMBERS // 100 - 1
    )
    assert done == [(0, 100, True)], "too little"
    done.clear()
    threads.spread(work, 100, numbers=threads.NUMBERS, products=threads.PRODUCTS)
    assert sorted({mine for *_, mine in done}) == [False, True]
    assert [n for first, last, _ in sorted(done) for n in range(first, last)] == list(range(100)), "all, and each once"
    assert len(done) == 3 * threads.TURNS


def test_what_goes_wrong_in_a_thread_is_raised(all_work_is_spread):
    def work(first, last):
        if first == 0:
            raise MemoryError("no room for the sums")

    for _ in range(3):
        with pytest.raises(MemoryError, match="no room"):
            threads.spread(work, 8, numbers=1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded")
def test_a_forked_process_has_threads_of_its_own(all_work_is_spread):
    wanted = every_kernel()
    child = os.fork()
    if child == 0:
        os._exit(0 if all(np.array_equal(a, b) for a, b in zip(every_kernel(), wanted)) else 1)
    assert os.waitpid(child, 0)[1] == 0


SMALLER = """
import llvmlite.binding as binding
import pytest
width, registers = {width}, {registers}
features = binding.get_host_cpu_features()
for name in features:
    features[name] &= not name.startswith("avx512") and (width == 32 or not name.startswith(("avx", "fma", "f16c", "vaes", "vpcl")))

class Played(type(features)):
    def get(self, name):
        return registers == 16 if name == "sse2" else super().get(name)

binding.get_host_cpu_features = lambda: Played(features)
from tinytorch.given.numba_kernels import tiles
assert (tiles.WIDTH, tiles.ROWS) == (width, 4 if registers == 16 else 8)
raise SystemExit(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "--import-mode=importlib", {folder!r},
                              "-k", "settings or ways or pooling or together or linear_layer"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("width, registers", [(32, 16), (16, 16), (16, 32)], ids=["AVX2", "SSE", "NEON"])
def test_the_tiles_of_other_processors(width, registers, tmp_path):
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("the instructions of other processors are played on one of x86")
    code = SMALLER.format(width=width, registers=registers, folder=os.path.dirname(__file__))
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        timeout=1200,
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
