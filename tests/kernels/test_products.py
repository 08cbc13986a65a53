"""The given numba kernels of linear layers: they give what the matrix library gives, and run where they were measured to be faster."""

import json
import threading

import numpy as np
import pytest

import tinytorch as tt
from tinytorch.autograd import gradcheck, linear_weight
from tinytorch.given import dispatch, machine
from tinytorch.layers import linear
from tinytorch.tensor import Tensor

numba = pytest.importorskip("numba", reason="numba is not installed, so there are no such kernels")

from tinytorch.given.numba_kernels import choosing, products, tiles  # noqa: E402
from tinytorch.given.numba_kernels.vectors import WIDTH  # noqa: E402

DTYPES = (np.float32, np.float64)
SHAPES = [
    (4, 64, 4),
    (5, 128, 6),
    (63, 1024, 10),
    (67, 1040, 9),
    (130, 3072, 33),
    (300, 2064, 5),
    (128, 784, 256),
    (1000, 64, 7),
    (8, 16, 18),
    (31, 80, 40),
    (200, 112, 101),
]


def draw(n, length, neurons, dtype):
    """Return inputs, weight, bias, and a gradient of the layer's results."""
    rng = np.random.default_rng(n)
    return [rng.standard_normal(shape).astype(dtype) for shape in ((n, length), (neurons, length), (neurons,), (n, neurons))]


def product(a, b):
    """Multiply in float64, or in longer floats where there are any."""
    return a.astype(np.longdouble) @ b.astype(np.longdouble)


def assert_close(found, wanted, terms):
    """Assert that a sum of so many products is right, but for rounding."""
    assert found.shape == wanted.shape and found.flags.c_contiguous
    np.testing.assert_allclose(found.astype(np.longdouble), wanted, rtol=0, atol=4 * terms * float(np.finfo(found.dtype).eps))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_loops_of_a_linear_layer(shape, dtype):
    x, weight, bias, grad = given = draw(*shape, dtype)
    kept = [array.copy() for array in given]
    out = products.layer_by_loop(x, weight, bias)
    assert_close(out, product(x, weight.T) + bias, shape[1])
    assert out.dtype == dtype and all(np.array_equal(a, b) for a, b in zip(given, kept))
    if len(weight) >= tiles.HEADS[0]:
        found = products.gradient_by_loop(grad, x)
        assert_close(found, product(grad.T, x), shape[0])
        assert found.dtype == dtype and all(np.array_equal(a, b) for a, b in zip(given, kept))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_stays_in_its_row(value):
    x, weight, bias, grad = draw(9, 64, 12, np.float32)
    x[6, 63] = value
    found = products.layer_by_loop(x, weight, bias)
    assert not np.isfinite(found[6]).any() and np.isfinite(np.delete(found, 6, axis=0)).all()
    found = products.gradient_by_loop(grad, x)
    assert not np.isfinite(found[:, 63]).any() and np.isfinite(found[:, :63]).all()


@pytest.fixture
def chosen(monkeypatch):
    """The loop counts as faster, and for any size."""
    monkeypatch.setattr(products, "is_faster", lambda *question: True)
    monkeypatch.setattr(products, "worth_a_try", lambda rows, *sizes: (64, 84, 120) if rows else None)
    monkeypatch.setattr(products, "LONG", 1)
    dispatch.fallbacks.clear()
    with tt.use("numba"):
        yield


def test_the_ops_run_the_loops_with_and_without_bias_and_for_more_axes(chosen):
    x, weight, bias, grad = draw(24, 64, 12, np.float32)
    weight_, bias_, deep = Tensor(weight), Tensor(bias), x.reshape(2, 3, 4, 64)
    assert_close(linear(Tensor(x), weight_, bias_).data, product(x, weight.T) + bias, 64)
    assert_close(linear(Tensor(x), weight_).data, product(x, weight.T), 64)
    assert_close(linear(Tensor(deep), weight_, bias_).data, (product(x, weight.T) + bias).reshape(2, 3, 4, 12), 64)
    assert_close(linear_weight(Tensor(grad), Tensor(x)).data, product(grad.T, x), 24)
    assert_close(linear_weight(Tensor(grad.reshape(2, 3, 4, 12)), Tensor(deep)).data, product(grad.T, x), 24)
    assert gradcheck(linear, (Tensor(x[:5]), weight_, bias_))
    assert not dispatch.fallbacks.keys() & {"linear", "linear_weight"}


LANES = WIDTH // 4
NOT_COVERED = {
    "too few examples": lambda x, w, b: (x[: products.ROWS - 1], w, b),
    "too few neurons": lambda x, w, b: (x, w[: products.COLUMNS - 1], b[: products.COLUMNS - 1]),
    "rows that are not whole vectors": lambda x, w, b: (x[:, : LANES - 1].copy(), w[:, : LANES - 1].copy(), b),
    "one example": lambda x, w, b: (x[0], w, b),
    "none": lambda x, w, b: (x[:0], w, b),
    "two kinds of floats": lambda x, w, b: (x.astype(np.float64), w, b),
    "whole numbers": lambda x, w, b: tuple(np.ones_like(a, np.int64) for a in (x, w, b)),
    "float16": lambda x, w, b: tuple(np.ones_like(a, np.float16) for a in (x, w, b)),
    "every second row": lambda x, w, b: (x[::2], w, b),
    "a weight that lies in columns": lambda x, w, b: (x, np.asfortranarray(w), b),
    "a bias that is stretched": lambda x, w, b: (x, w, np.broadcast_to(np.float32(1), b.shape)),
}
NOT_COVERED_BACK = {
    "too few neurons": lambda g, x: (g[:, : tiles.HEADS[0] - 1].copy(), x),
    "rows that are not whole vectors": lambda g, x: (g, x[:, : LANES - 1].copy()),
    "one example": lambda g, x: (g[0], x[0]),
    "none": lambda g, x: (g[:0], x[:0]),
    "rows that crowd": lambda g, x: (g, np.tile(x, products.CROWDED // (4 * WIDTH))),
    "two kinds of floats": lambda g, x: (g.astype(np.float64), x),
    "a gradient that is stretched": lambda g, x: (np.broadcast_to(g[:1], g.shape), x),
}


@pytest.mark.parametrize("why", NOT_COVERED)
def test_what_the_loop_does_not_cover_is_left_to_the_library(why, chosen):
    arrays = NOT_COVERED[why](*draw(24, 4 * LANES, 6, np.float32)[:3])
    assert np.array_equal(linear(*map(Tensor, arrays)).data, linear.forward(*arrays))
    assert dispatch.fallbacks["linear"] == 1


@pytest.mark.parametrize("why", NOT_COVERED_BACK)
def test_gradients_that_the_loop_does_not_cover_are_left_to_the_library(why, chosen):
    x, _, _, grad = draw(24, 4 * LANES, 12, np.float32)
    arrays = NOT_COVERED_BACK[why](grad, x)
    assert np.array_equal(linear_weight(*map(Tensor, arrays)).data, linear_weight.forward(*arrays))
    assert dispatch.fallbacks["linear_weight"] == 1


def test_features_that_do_not_fit_are_refused_as_without_numba(chosen):
    x, weight, bias, _ = draw(24, 64, 6, np.float32)
    for wrong in (x[:, :48].copy(), np.ones((24, 80), np.float32)):
        with pytest.raises(ValueError, match=str(wrong.shape[1])):
            linear(Tensor(wrong), Tensor(weight), Tensor(bias))


def test_batches_that_do_not_fit_are_refused_as_without_numba(chosen):
    x, _, _, grad = draw(24, 64, 12, np.float32)
    for wrong in (x[:20], np.tile(x, (2, 1))):
        with pytest.raises(ValueError, match=str(len(wrong))):
            linear_weight(Tensor(grad), Tensor(wrong))


def test_small_layers_and_machines_whose_library_is_faster_leave_them_alone(monkeypatch):
    def chosen(shape):
        *forth, grad = draw(*shape, np.float32)
        return [found is not None for found in (products.linear(*forth), products.linear_weight(grad, forth[0]))]

    monkeypatch.setattr(numba, "get_num_threads", lambda: 1)
    monkeypatch.setattr(products, "is_faster", lambda *question: True)
    assert chosen((128, 784, 256)) == chosen((8, 784, 32)) == chosen((128, 256, 10)) == [True, True]
    assert chosen((8, 784, 16)) == [False, False], "so few products take no time"
    assert chosen((129, 784, 256)) == [False, False], "many rows"
    assert chosen((128, 784, 1024)) == [False, False], "a large weight"
    assert chosen((128, 7 * LANES, 512)) == [False, True], "short rows"
    assert chosen((128, 1024, 256)) == [True, False], "rows that crowd"
    assert chosen((8, 4096 - LANES, 16)) == [False, True], "long rows"
    monkeypatch.setattr(numba, "get_num_threads", lambda: 2)
    assert chosen((128, 784, 256)) == [False, False], "the library has several threads, too"
    assert chosen((8, 784, 32)) == [True, True], "but not for so few products"
    monkeypatch.setattr(numba, "get_num_threads", lambda: 1)
    monkeypatch.setattr(products, "is_faster", lambda *question: False)
    assert chosen((128, 784, 256)) == chosen((8, 784, 32)) == [False, False]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder for compiled code that holds no answers yet."""
    monkeypatch.setattr(choosing, "code_folder", lambda: str(tmp_path))
    choosing.is_faster.cache_clear()
    yield tmp_path
    choosing.is_faster.cache_clear()


def slow(x):
    threading.Event().wait(2e-3)


def fast(x):
    return x


def test_the_faster_function_is_found_and_the_answer_kept(folder):
    assert choosing.is_faster(fast, slow, (3,), np.dtype(np.float32))
    assert not choosing.is_faster(slow, fast, (3,), np.dtype(np.float32))
    answers = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.iterdir()}
    assert sorted(answer["faster"] for answer in answers.values()) == [False, True]
    assert all(answer["seconds"]["slow"] > 1e-3 > answer["seconds"]["fast"] for answer in answers.values())


def test_a_kept_answer_is_not_asked_for_again(folder, monkeypatch):
    asked = []
    monkeypatch.setattr(choosing, "compare", lambda *question: asked.append(question) or {"fast": 1.0, "slow": 2.0})
    for _ in range(2):
        choosing.is_faster.cache_clear()  # as in another process
        assert choosing.is_faster(fast, slow, (3,), np.dtype(np.float32))
    assert len(asked) == 1
    choosing.is_faster(fast, slow, (3,), np.dtype(np.float64))
    monkeypatch.setattr(choosing.machine, "blas", lambda: "another library")
    choosing.is_faster.cache_clear()
    choosing.is_faster(fast, slow, (3,), np.dtype(np.float32))
    assert len(asked) == 3, "another dtype, another library"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_a_damaged_answer_is_asked_for_again(folder, monkeypatch, damage):
    monkeypatch.setattr(choosing, "compare", lambda *question: {"fast": 1.0, "slow": 2.0})
    choosing.is_faster(fast, slow, (3,), np.dtype(np.float32))
    (file,) = folder.iterdir()
    file.write_bytes(damage)
    choosing.is_faster.cache_clear()
    assert choosing.is_faster(fast, slow, (3,), np.dtype(np.float32))
    assert json.loads(file.read_text(encoding="utf-8"))["faster"]


def test_without_a_folder_the_answer_holds_for_the_process(monkeypatch):
    monkeypatch.setattr(choosing, "code_folder", lambda: None)
    choosing.is_faster.cache_clear()
    assert choosing.is_faster(fast, slow, (3,), np.dtype(np.float32))
    assert choosing.is_faster.cache_info().currsize == 1
    choosing.is_faster.cache_clear()


def test_measuring_leaves_the_threads_as_they_were():
    before = numba.get_num_threads(), machine.threads()
    with pytest.raises(ZeroDivisionError):
        choosing.compare(lambda x: 1 / 0, fast, (3,), np.dtype(np.float32))
    assert (numba.get_num_threads(), machine.threads()) == before
