"""Convolution, pooling and batch normalisation beside PyTorch's, over a grid of sizes and settings, forwards and back."""

import numpy as np
import pytest

import tinytorch.nn as nn
import tinytorch.nn.functional as F
from tinytorch.tensor import Tensor

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with (extra `bench`)")
DTYPES = {"float32": 1e-5, "float64": 1e-10}  # and how far a number may be off, beside 1 or itself


def beside(ours, theirs, arrays, dtype, seed=0):
    """Run both on the same arrays, send the same gradient back, and compare what comes out and what arrives at each array."""
    arrays = [np.asarray(array, dtype) for array in arrays]
    mine = [Tensor(array, requires_grad=True) for array in arrays]
    others = [torch.tensor(array, requires_grad=True) for array in arrays]
    out, expected = ours(*mine), theirs(*others)
    upstream = np.random.default_rng(seed).standard_normal(expected.shape).astype(dtype)
    out.backward(Tensor(upstream))
    expected.backward(torch.from_numpy(upstream))
    for one, other in [(out, expected.detach()), *((x.grad, y.grad) for x, y in zip(mine, others))]:
        assert one.data.dtype == np.dtype(dtype) and one.shape == tuple(other.shape)
        np.testing.assert_allclose(one.data, other.numpy(), rtol=DTYPES[dtype], atol=DTYPES[dtype])


def drawn(rng, low, high):
    return tuple(int(number) for number in rng.integers(low, high, 2))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("seed", range(12))
def test_convolutions(seed, groups, dtype):
    """Odd and even sizes, kernels with holes, strides that leave pixels over, batches of none to three."""
    rng = np.random.default_rng([seed, groups])
    kernel, dilation, stride, padding = drawn(rng, 1, 5), drawn(rng, 1, 3), drawn(rng, 1, 4), drawn(rng, 0, 3)
    size = [d * (k - 1) + 1 + extra for d, k, extra in zip(dilation, kernel, drawn(rng, 0, 6))]
    c, o = (groups * int(rng.integers(1, 4)) for _ in range(2))
    x, weight = rng.standard_normal((seed % 4, c, *size)), rng.standard_normal((o, c // groups, *kernel))
    arrays = [x, weight, rng.standard_normal(o)] if seed % 3 else [x, weight]
    settings = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)
    beside(lambda *a: F.conv2d(*a, **settings), lambda *a: torch.nn.functional.conv2d(*a, **settings), arrays, dtype)


@pytest.mark.parametrize("kernel", [(3, 3), (2, 2), (4, 3), (1, 2), (5, 2)])
@pytest.mark.parametrize("dilation", [1, (2, 3)])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_padding_by_name(padding, dilation, kernel):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((2, 2, 14, 11)), rng.standard_normal((3, 2, *kernel))]
    beside(
        lambda *a: F.conv2d(*a, padding=padding, dilation=dilation),
        lambda *a: torch.nn.functional.conv2d(*a, padding=padding, dilation=dilation),
        arrays,
        "float32",
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize("seed", range(16))
def test_poolings(seed, name, dtype):
    """Whole numbers, so that many are equal; every fourth time with nan among them."""
    rng = np.random.default_rng(seed)
    kernel = drawn(rng, 1, 5)
    padding, stride = tuple(int(rng.integers(0, k // 2 + 1)) for k in kernel), [None, drawn(rng, 1, 4)][seed % 2]
    x = rng.integers(-4, 3, (seed % 3, 2, *(k + extra for k, extra in zip(kernel, drawn(rng, 0, 7))))).astype(dtype)
    if seed % 4 == 2 and x.size:
        x.reshape(-1)[rng.integers(0, x.size, 4)] = np.nan
    beside(
        lambda a: getattr(F, name)(a, kernel, stride, padding),
        lambda a: getattr(torch.nn.functional, name)(a, kernel, stride, padding),
        [x],
        dtype,
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "options",
    [{}, dict(momentum=0.4, eps=0.1), dict(momentum=None), dict(affine=False), dict(track_running_stats=False)],
    ids=str,
)
def test_batch_normalisation_through_three_batches_and_an_evaluation(options, dtype):
    rng = np.random.default_rng(0)
    mine, other = nn.BatchNorm2d(3, **options).to(np.dtype(dtype)), torch.nn.BatchNorm2d(3, **options).to(getattr(torch, dtype))
    start = {name: rng.uniform(0.5, 2, tensor.shape) for name, tensor in other.state_dict().items() if tensor.ndim}
    assert list(mine.state_dict()) == list(other.state_dict())
    mine.load_state_dict(start, strict=False)
    other.load_state_dict({name: torch.tensor(value) for name, value in start.items()}, strict=False)
    for batch, mode in enumerate((True, True, True, False)):
        mine.train(mode), other.train(mode)
        mine.zero_grad(), other.zero_grad()
        beside(mine, other, [3 * rng.standard_normal((4, 3, 5, 2)) + 1], dtype, seed=batch)
        pairs = [(one, two) for one, two in zip(mine.state_dict().values(), other.state_dict().values(), strict=True)]
        pairs += [(one.grad, two.grad) for one, two in zip(mine.parameters(), other.parameters(), strict=True)]
        for one, two in pairs:
            assert str(one.dtype) == str(two.dtype).removeprefix("torch.")
            np.testing.assert_allclose(one.data, two.numpy(), rtol=DTYPES[dtype], atol=DTYPES[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_of_gradients(dtype):
    """A row of all ops; the gradient of a gradient's length is PyTorch's."""
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((2, 4, 9, 8)), rng.standard_normal((6, 2, 3, 2))
    scale, shift = rng.uniform(0.5, 2, 6), rng.standard_normal(6)

    def run(F, x, weight, scale, shift):
        out = F.conv2d(x, weight, stride=(2, 1), padding=1, groups=2)
        out = F.batch_norm(out, None, None, scale, shift, training=True)
        return (F.avg_pool2d(F.max_pool2d(out, 2, 1, 1), 2) ** 2).sum()

    from tinytorch.autograd import grad

    mine = [Tensor(array.astype(dtype), requires_grad=True) for array in (x, weight, scale, shift)]
    others = [torch.tensor(array.astype(dtype), requires_grad=True) for array in (x, weight, scale, shift)]
    first, expected = (
        grad(run(F, *mine), mine, create_graph=True),
        torch.autograd.grad(run(torch.nn.functional, *others), others, create_graph=True),
    )
    second = grad(sum((one * one).sum() for one in first), mine)
    expected_second = torch.autograd.grad(sum((one * one).sum() for one in expected), others)
    for one, other in [*zip(first, expected), *zip(second, expected_second)]:
        scale = abs(other.detach().numpy()).max()
        np.testing.assert_allclose(one.data / scale, other.detach().numpy() / scale, rtol=0, atol=5 * DTYPES[dtype])


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.Conv2d(4, 6, 3),
        lambda nn: nn.Conv2d(4, 6, (3, 2), 2, 1, 2, 2, False),
        lambda nn: nn.Conv2d(4, 6, 3, padding="same"),
        lambda nn: nn.MaxPool2d(2),
        lambda nn: nn.MaxPool2d((3, 2), 1, (1, 0)),
        lambda nn: nn.AvgPool2d(2),
        lambda nn: nn.AvgPool2d(3, 2, 1),
        lambda nn: nn.BatchNorm2d(5),
        lambda nn: nn.BatchNorm2d(5, 0.1, None, False, False),
    ],
)
def test_layers_print_alike(make):
    theirs = repr(make(torch.nn))
    later = theirs.replace("bias=True, track", "track").replace("bias=False, track", "track")  # BatchNorm2d since PyTorch 2.13
    assert repr(make(nn)) in (theirs, later)


def test_layers_begin_within_the_same_bounds():
    torch.manual_seed(0)
    mine, other = nn.Conv2d(8, 200, (3, 5), groups=2, rng=np.random.default_rng(0)), torch.nn.Conv2d(8, 200, (3, 5), groups=2)
    for one, two in zip(mine.parameters(), other.parameters()):
        assert one.shape == tuple(two.shape)
        np.testing.assert_allclose([abs(one.data).max(), one.data.std()], [two.abs().max().item(), two.std().item()], rtol=0.1)


def test_lenet_takes_the_same_steps():
    """The same weights and batches: after five steps of Adam the losses still agree."""
    from tinytorch.optim import Adam

    layers = torch.nn
    other = layers.Sequential(
        layers.Conv2d(1, 6, 5, padding=2),
        layers.MaxPool2d(2),
        layers.ReLU(),
        layers.Conv2d(6, 16, 5),
        layers.MaxPool2d(2),
        layers.ReLU(),
        layers.Flatten(),
        layers.Linear(400, 120),
        layers.ReLU(),
        layers.Linear(120, 84),
        layers.ReLU(),
        layers.Linear(84, 10),
    )
    mine = nn.LeNet5(rng=np.random.default_rng(0))
    other.load_state_dict({name: torch.tensor(tensor.data) for name, tensor in mine.state_dict().items()})
    adam, its_twin = Adam(mine.parameters(), lr=1e-3), torch.optim.Adam(other.parameters(), lr=1e-3)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x, labels = rng.standard_normal((16, 1, 28, 28), np.float32), rng.integers(0, 10, 16)
        loss, expected = (
            F.cross_entropy(mine(Tensor(x)), Tensor(labels)),
            torch.nn.functional.cross_entropy(other(torch.tensor(x)), torch.tensor(labels)),
        )
        assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
        mine.zero_grad(), its_twin.zero_grad()
        loss.backward(), expected.backward()
        adam.step(), its_twin.step()
