"""Tensors on the device: moving, memory, errors that name both devices, and training that equals the CPU's."""

import gc
import re

import numpy as np
import pytest

import tinytorch as tt
from tinytorch.autograd import linear_weight
from tinytorch.cnn import ConvNet, LeNet5
from tinytorch.given.gpu import pool
from tinytorch.given.gpu.device_array import DeviceArray
from tinytorch.given.gpu.kernels import fused, registers
from tinytorch.given.gpu.simulator import Launch, watch
from tinytorch.layers import Dropout, Linear, ReLU, Sequential
from tinytorch.losses import cross_entropy, mlp
from tinytorch.optim import SGD, Adam, AdamW, clip_grad_norm_
from tinytorch.tensor import Tensor

pytestmark = pytest.mark.usefixtures("cuda")
KINDS = (np.float32, np.float64, np.int64, np.int32, np.uint8, bool)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


# Moving.


@pytest.mark.parametrize("dtype", KINDS, ids=lambda dtype: np.dtype(dtype).name)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)], ids=str)
def test_a_tensor_goes_there_and_comes_back(dtype, shape):
    array = np.asarray(10 * numbers(*shape)).astype(dtype)
    there = Tensor(array).to("cuda")
    assert (there.device, there.shape, there.dtype) == ("cuda", shape, np.dtype(dtype))
    back = there.cpu()
    assert back.device == "cpu" and back.dtype == np.dtype(dtype) and (back.data == array).all()
    assert there.to("cuda") is there and there.cuda() is there


def test_a_view_is_copied_as_it_looks():
    array = numbers(4, 6)
    for view in (array.T, array[::2], array[:, 1], array[::-1]):
        assert (Tensor(view).to("cuda").cpu().data == view).all()


def test_the_gpu_is_available_only_where_there_is_one():
    assert not tt.cuda.is_available() and tt.cuda.device_count() == 0
    assert tt.cuda.get_device_name().startswith("simulator (")


def test_printing_shows_numbers_and_device():
    assert repr(Tensor([1.0, 2.5]).to("cuda")) == "tensor([1. , 2.5], device=device(type='cuda'))"


def test_two_devices_are_an_error_that_names_both():
    with pytest.raises(ValueError, match=r"different devices \(cpu, cuda\): move one with .to\(device\) first"):
        Tensor([1.0]) + Tensor([1.0]).to("cuda")
    model, x = Linear(2, 2).to("cuda"), Tensor([[1.0, 2.0]])
    with pytest.raises(ValueError, match=r"different devices \(cpu, cuda\)"):
        model(x)


@pytest.mark.parametrize(
    "use", [np.asarray, np.sin, np.concatenate, np.sort, lambda a: np.add(a, np.ones(2)), lambda a: a + np.ones(2)]
)
def test_numpy_never_gets_the_numbers_silently(use):
    there = Tensor([1.0, 2.0]).to("cuda").data
    with pytest.raises((TypeError, ValueError), match=r"\.cpu\(\)|different devices"):
        use(there)


def test_a_missing_kernel_says_what_to_write():
    with pytest.raises(
        NotImplementedError, match=re.escape("op 'cumsum' has no cuda kernel: write one with @cumsum.register_kernel('cuda')")
    ):
        Tensor([1.0, 2.0]).to("cuda").cumsum(0)


@pytest.mark.parametrize("index", [True, [0.5], np.array([True, False])], ids=str)
def test_an_index_that_is_not_covered_says_so(index):
    with pytest.raises(TypeError, match="on cuda an index is made of whole numbers and slices"):
        Tensor([1.0, 2.0]).to("cuda")[index]


def test_a_row_number_out_of_range_is_an_error():
    with pytest.raises(IndexError, match="there are 2 rows, and the index goes from 0 to 2"):
        Tensor([1.0, 2.0]).to("cuda")[np.array([0, 2])]


def test_a_data_set_stays_on_the_device_and_batches_are_gathered_there():
    images, labels = numbers(10, 2, 3), np.arange(10)
    there, its_labels = Tensor(images).to("cuda"), Tensor(labels).to("cuda")
    chosen = np.array([7, 0, -1, 7])
    for index in (chosen, Tensor(chosen % 10).to("cuda")):
        assert (there[index].cpu().data == images[chosen]).all() and its_labels[index].tolist() == labels[chosen].tolist()


def test_writes_in_place():
    x, host = Tensor(numbers(4, 3)).to("cuda"), numbers(4, 3)
    x[1] = 5.0
    x[2:, 1] = Tensor([7.0, 8.0]).to("cuda")
    x[np.array([0, 3])] = numbers(2, 3, seed=1)
    x *= 2
    host[1], host[2:, 1], host[[0, 3]] = 5, [7, 8], numbers(2, 3, seed=1)
    assert (x.cpu().data == host * 2).all()
    x.zero_()
    assert not x.cpu().data.any()


# Memory.


def test_memory_is_given_back_and_used_again():
    gc.collect()
    before = tt.cuda.memory_stats()
    x = Tensor(numbers(1000)).to("cuda")
    assert tt.cuda.memory_allocated() - before["allocated"] == 4096
    del x
    assert tt.cuda.memory_allocated() == before["allocated"]
    new = tt.cuda.memory_stats()["new"]
    x = Tensor(numbers(990)).to("cuda")
    after = tt.cuda.memory_stats()
    assert after["new"] == new and after["reused"] > before["reused"] and after["reserved"] >= after["peak"] >= after["allocated"]
    del x
    tt.cuda.empty_cache()
    assert tt.cuda.memory_reserved() == tt.cuda.memory_allocated()


def test_a_view_keeps_the_memory_alive():
    x = Tensor(numbers(6)).to("cuda")
    y = x.reshape(2, 3)
    del x
    gc.collect()
    Tensor(numbers(6, seed=1)).to("cuda")
    assert (y.cpu().data == numbers(6).reshape(2, 3)).all()


def test_a_write_through_a_view_is_seen_by_backward():
    x = Tensor(numbers(4)).to("cuda").requires_grad_()
    y = x * x
    x.detach().reshape(2, 2).zero_()
    with pytest.raises(RuntimeError, match="changed in place"):
        y.sum().backward()


def test_reused_memory_holds_poison_until_it_is_written():
    Tensor(numbers(100)).to("cuda")
    assert np.isnan(pool.device().download(DeviceArray((100,), np.float32).memory)).all()


@pytest.mark.parametrize("kind", registers.KINDS)
def test_a_large_product_keeps_its_sums_in_registers(kind):
    n, m, k = 129, 128, 9
    first, second = registers.KINDS[kind]
    a, b = numbers(n, k), numbers(k, m, seed=1)
    factors = (Tensor(x).to("cuda").data for x in (a.T if first else a, b.T if second else b))
    out = registers.multiply(kind, *factors, (n, m, k))
    np.testing.assert_allclose(Tensor(out).cpu().data, a @ b, rtol=1e-5, atol=1e-5)
    assert registers.covers(n, m, np.float32) and not registers.covers(127, m, np.float32)


def test_a_long_sum_is_shared_by_blocks_and_added_in_order():
    grad, x = numbers(700, 3), numbers(700, 2, seed=1)
    there = [Tensor(array).to("cuda") for array in (grad, x)]
    runs = [linear_weight(*there).cpu().data for _ in range(2)]
    np.testing.assert_allclose(runs[0], grad.T @ x, rtol=1e-5, atol=1e-5)
    assert (runs[0] == runs[1]).all()


def test_the_kernels_that_show_one_idea_give_what_they_should():
    x, bias = numbers(40, 37), numbers(37, seed=1)
    for kernel in (fused.transpose_naive, fused.transpose_tiled, fused.transpose_padded):
        out = np.full((37, 40), np.nan, np.float32)
        report = watch(kernel, (2, 2), (32, 8), x, out)
        assert (out == x.T).all() and report.faults() == []
    out = np.full_like(x, np.nan)
    assert watch(fused.bias_relu, (2, 5), (32, 8), x, bias, out).faults() == []
    assert (out == np.maximum(x + bias, 0)).all()


FAULTLESS = [  # given kernels, watched as the learner's are: no race, no unwritten memory, no float64
    ("softmax", lambda x: x.softmax(-1)),
    ("log_softmax", lambda x: x.log_softmax(-1)),
    ("logsumexp", lambda x: x.logsumexp(-1)),
    ("sums", lambda x: x.sum(1) + x.sum(0).sum()),
    ("extremes", lambda x: (x.amax(1), x.argmin(1))),
    ("products", lambda x: x @ x.mT),
    ("maps", lambda x: (x.sigmoid() * x.tanh() + x.exp()).sqrt() - x.abs().log() / 2),
]


@pytest.mark.parametrize("name, compute", FAULTLESS, ids=[name for name, _ in FAULTLESS])
def test_given_kernels_have_no_fault(name, compute, monkeypatch):
    reports = []

    def watched(launch, *arguments):
        reports.append(watch(launch.kernel, launch.grid, launch.block, *arguments))

    monkeypatch.setattr(Launch, "__call__", watched)
    compute(Tensor(numbers(5, 37)).to("cuda"))
    assert reports and [fault for report in reports for fault in report.faults()] == []


# Training.


def trained(device, make, shape, optimizer, steps=3, clip=None):
    """Return the losses of some steps, and the parameters after them."""
    rng = np.random.default_rng(0)
    model = make(rng).to(device)
    descent, losses = optimizer(model.parameters()), []
    for _ in range(steps):
        x = Tensor(rng.standard_normal(shape).astype(np.float32)).to(device)
        labels = Tensor(rng.integers(0, 10, shape[0])).to(device)
        descent.zero_grad()
        loss = cross_entropy(model(x), labels)
        loss.backward()
        if clip:
            losses.append(clip_grad_norm_(model.parameters(), clip))
        descent.step()
        losses.append(loss.item())
    return np.array(losses), [parameter.detach().cpu().numpy() for parameter in model.parameters()], model


STEPS = {
    "MNIST MLP, SGD": (lambda rng: mlp(784, 8, 10, rng=rng), (2, 784), lambda p: SGD(p, lr=0.1)),
    "momentum and decay": (
        lambda rng: mlp(20, 8, 10, rng=rng),
        (2, 20),
        lambda p: SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1),
    ),
    "nesterov": (lambda rng: mlp(20, 8, 10, rng=rng), (2, 20), lambda p: SGD(p, lr=0.1, momentum=0.9, nesterov=True)),
    "dampening": (lambda rng: mlp(20, 8, 10, rng=rng), (2, 20), lambda p: SGD(p, lr=0.1, momentum=0.9, dampening=0.5)),
    "Adam and decay": (lambda rng: mlp(20, 8, 10, rng=rng), (2, 20), lambda p: Adam(p, lr=0.01, weight_decay=0.1)),
    "CIFAR-10 MLP, AdamW, dropout": (
        lambda rng: Sequential(Linear(48, 9, rng=rng), ReLU(), Dropout(0.5, rng=rng), Linear(9, 10, rng=rng)),
        (2, 48),
        lambda p: AdamW(p, lr=0.01),
    ),
    "CIFAR-10 CNN": (lambda rng: ConvNet(widths=(2, 3), size=8, rng=rng), (2, 3, 8, 8), lambda p: AdamW(p, lr=0.001)),
}


def narrow_lenet(rng):
    """LeNet-5's layers, with its convolutions as they are and fewer units."""
    whole = list(LeNet5(rng=rng))
    return Sequential(*whole[:7], Linear(400, 6, rng=rng), ReLU(), Linear(6, 10, rng=rng))


@pytest.mark.parametrize("name", STEPS)
def test_a_few_steps_equal_those_of_the_cpu(name):
    losses, parameters, _ = trained("cpu", *STEPS[name])
    there, theirs, model = trained("cuda", *STEPS[name])
    assert all(parameter.device == "cuda" for parameter in model.parameters())
    np.testing.assert_allclose(there, losses, rtol=1e-5)
    for one, other in zip(theirs, parameters, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_lenet5_equals_the_cpu_s():
    case = narrow_lenet, (1, 1, 28, 28), lambda p: AdamW(p, lr=0.001)
    losses, parameters, _ = trained("cpu", *case, steps=2)
    there, theirs, _ = trained("cuda", *case, steps=2)
    np.testing.assert_allclose(there, losses, rtol=1e-5)
    for one, other in zip(theirs, parameters, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_the_whole_lenet5_equals_the_cpu_s():
    case = (lambda rng: LeNet5(rng=rng)), (2, 1, 28, 28), lambda p: AdamW(p, lr=0.001)
    losses, parameters, _ = trained("cpu", *case)
    there, theirs, _ = trained("cuda", *case)
    np.testing.assert_allclose(there, losses, rtol=1e-5)
    for one, other in zip(theirs, parameters, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_clipping_and_an_optimizer_s_state():
    case = STEPS["Adam and decay"]
    losses, parameters, _ = trained("cpu", *case, clip=0.1)
    there, theirs, model = trained("cuda", *case, clip=0.1)
    np.testing.assert_allclose(there, losses, rtol=1e-5)
    np.testing.assert_allclose(theirs[0], parameters[0], rtol=1e-5, atol=1e-6)
    descent = Adam(model.parameters())
    model.zero_grad()
    cross_entropy(model(Tensor(numbers(2, 20)).to("cuda")), Tensor([1, 2]).to("cuda")).backward()
    descent.step()
    saved = descent.state_dict()
    assert all(isinstance(kept["exp_avg"], np.ndarray) for kept in saved["state"].values())
    again = Adam(model.parameters())
    again.load_state_dict(saved)
    assert (again.state_dict()["state"][0]["exp_avg"] == saved["state"][0]["exp_avg"]).all()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_the_rules_that_module_10_registers_have_kernels_too(reduction):
    pytest.importorskip("numba", reason="module 10 needs numba")
    from tinytorch.kernels_cpu import cross_entropy_gradient, relu_backward

    logits, labels, grad = numbers(4, 3), np.array([2, 0, 1, 1]), numbers(4, seed=1) if reduction == "none" else numbers(1)[0]
    inputs = [Tensor(np.asarray(array)) for array in (grad, logits, labels)]
    expected = cross_entropy_gradient(*inputs, reduction=reduction).data
    found = cross_entropy_gradient(*(x.to("cuda") for x in inputs), reduction=reduction)
    np.testing.assert_allclose(found.cpu().data, expected, rtol=1e-5, atol=1e-6)
    x = Tensor(logits)
    assert (relu_backward(x.to("cuda"), x.to("cuda")).cpu().data == relu_backward(x, x).data).all()


def test_a_wrong_label_is_not_a_quiet_number():
    loss = cross_entropy(Tensor(numbers(2, 3)).to("cuda"), Tensor([1, 3]).to("cuda"))
    assert np.isnan(loss.item())
