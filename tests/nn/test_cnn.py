"""Module 12's functions, layers and networks: edges, errors, states and sizes; nothing here needs PyTorch."""

import numpy as np
import pytest

import tinytorch.nn as nn
import tinytorch.nn.functional as F
from tinytorch import cnn
from tinytorch.autograd import grad, no_grad
from tinytorch.data import DataLoader, TensorDataset
from tinytorch.given import safetensors
from tinytorch.layers import Tanh
from tinytorch.optim import Adam
from tinytorch.tensor import Tensor
from tinytorch.training import Trainer

SETTINGS = dict(stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1)


def normal(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def pictures(*shape, **options):
    return Tensor(normal(*shape, **options), requires_grad=True)


@pytest.mark.parametrize("name", ["Conv2d", "MaxPool2d", "AvgPool2d", "BatchNorm2d", "LeNet5", "ConvNet"])
def test_layers_are_found_under_pytorch_s_names(name):
    assert issubclass(getattr(nn, name), getattr(cnn, name))


@pytest.mark.parametrize("name", ["conv2d", "unfold", "fold"])
def test_functions_are_found_under_pytorch_s_names(name):
    assert getattr(F, name) is getattr(cnn, name)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(3, 4, 3, padding=1),
        nn.MaxPool2d(2),
        nn.AvgPool2d(3, 1, 1),
        nn.BatchNorm2d(3).eval(),
        nn.Conv2d(3, 6, (2, 3), stride=2, groups=3, bias=False),
    ],
)
def test_an_empty_batch_goes_forwards_and_back(layer):
    x = pictures(0, 3, 6, 8)
    out = layer(x)
    assert len(out.shape) == 4 and out.shape[0] == 0
    out.sum().backward()
    assert x.grad.shape == (0, 3, 6, 8)
    assert all((parameter.grad.data == 0).all() for parameter in layer.parameters())


def test_one_picture_alone_is_a_batch_of_one():
    x = pictures(3, 6, 8)
    for layer in (nn.Conv2d(3, 4, 2, padding="same"), nn.MaxPool2d(2), nn.AvgPool2d(2)):
        np.testing.assert_array_equal(layer(x).data, layer(Tensor(x.data[None])).data[0])


def test_nan_goes_through_what_sees_it_and_nothing_else():
    x = normal(1, 1, 6, 6)
    x[0, 0, 2, 3] = np.nan
    assert np.isnan(F.max_pool2d(Tensor(x), 2).data).sum() == np.isnan(F.avg_pool2d(Tensor(x), 2).data).sum() == 1
    assert np.isnan(F.conv2d(Tensor(x), Tensor(normal(1, 1, 3, 3))).data).sum() == 9
    assert np.isnan(nn.BatchNorm2d(1)(Tensor(x)).data).all(), "in training, through the mean"


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x: F.conv2d(x, Tensor(normal(4, 2, 3, 3))), r"for 3 channels, got one for 2: weight \(4, 2, 3, 3\)"),
        (
            lambda x: F.conv2d(x, Tensor(normal(4, 3, 7, 3))),
            r"no larger than the padded image: it covers \(7, 3\) pixels, the image has \(6, 8\)",
        ),
        (lambda x: F.conv2d(x, Tensor(normal(4, 3, 4, 3)), dilation=2), r"covers \(7, 5\) pixels, the image has \(6, 8\)"),
        (lambda x: F.conv2d(x, Tensor(normal(4, 1, 3, 3)), groups=2), "groups that divide its channels: 3 in, 4 out, groups 2"),
        (lambda x: F.conv2d(x, Tensor(normal(4, 3, 3, 3)), padding="same", stride=2), 'stride 1 for padding="same"'),
        (lambda x: F.conv2d(x, Tensor(normal(4, 3, 3, 3)), padding="full"), "'full'"),
        (
            lambda x: F.conv2d(x, Tensor(normal(4, 3, 3, 3)), stride=0),
            r"a stride of 1 or more, one number or a pair, got \(0, 0\)",
        ),
        (lambda x: F.conv2d(x, Tensor(normal(4, 3, 3, 3)), padding=(1, 1, 1)), r"a padding of 0 or more, one number or a pair"),
        (lambda x: F.conv2d(x, Tensor(normal(4, 27))), r"a weight of shape \(O, C / groups, KH, KW\), got \(4, 27\)"),
        (lambda x: F.conv2d(x[0, 0], Tensor(normal(4, 3, 3, 3))), r"images of shape \(N, C, H, W\)"),
        (lambda x: nn.Conv2d(3, 4, 3, groups=2), "groups that divide its channels: 3 in, 4 out, groups 2"),
        (lambda x: F.max_pool2d(x, 7), r"max_pool2d needs a kernel no larger"),
        (lambda x: F.avg_pool2d(x, 2, padding=2), r"padding of at most half the kernel's size \(2, 2\), got \(2, 2\)"),
        (lambda x: nn.BatchNorm2d(4)(x), r"images of shape \(N, 4, H, W\), got \(2, 3, 6, 8\)"),
        (lambda x: nn.BatchNorm2d(3)(x[:1, :, :1, :1]), r"more than one value per channel .* \(1, 3, 1, 1\): .*eval\(\)"),
    ],
)
def test_what_does_not_fit_says_what_was_given_and_what_is_needed(call, message):
    with pytest.raises(ValueError, match=message):
        call(pictures(2, 3, 6, 8))


def test_the_gradient_of_pictures_is_not_computed_where_nobody_wants_it(monkeypatch):
    called = []
    monkeypatch.setattr(cnn.conv2d_input, "forward", lambda *inputs, **settings: called.append(1))
    layer = nn.Conv2d(1, 2, 3)
    layer(Tensor(normal(2, 1, 5, 5))).sum().backward()
    assert layer.weight.grad is not None and not called


def test_a_convolution_without_a_bias_has_two_inputs_and_with_none_it_is_the_same():
    x, weight, bias = pictures(2, 3, 5, 6), pictures(4, 3, 2, 2), pictures(4)
    assert F.conv2d(x, weight, bias).origin.inputs == (x, weight, bias) and F.conv2d(x, weight).origin.inputs == (x, weight)
    out = cnn.convolution(x, weight, None, **SETTINGS)
    np.testing.assert_array_equal(out.data, F.conv2d(x, weight).data)
    np.testing.assert_allclose(F.conv2d(x, weight, bias).data, out.data + bias.data[:, None, None], rtol=1e-6)
    for one, other in zip(grad(out.sum(), (x, weight)), grad(F.conv2d(x, weight, bias).sum(), (x, weight))):
        np.testing.assert_array_equal(one.data, other.data)


def test_the_sum_of_a_channel_of_many_numbers_is_right_to_float32():
    x = normal(64, 2, 32, 32) + np.float32(1)
    np.testing.assert_allclose(cnn.channel_sum(Tensor(x)).data, x.sum(axis=(0, 2, 3), dtype=np.float64), rtol=2e-6)


@pytest.mark.parametrize(
    "op, inputs, settings",
    [
        (cnn.convolution, [(2, 3, 6, 7), (4, 3, 3, 2)], SETTINGS),
        (cnn.convolution, [(2, 3, 6, 7), (4, 3, 3, 2), (4,)], SETTINGS),
        (cnn.conv2d_weight, [(2, 3, 6, 7), (2, 4, 4, 6)], SETTINGS | dict(weight_size=(4, 3, 3, 2))),
        (cnn.conv2d_input, [(4, 3, 3, 2), (2, 4, 4, 6)], SETTINGS | dict(input_size=(2, 3, 6, 7))),
        (cnn.max_pooling, [(2, 3, 6, 8)], dict(kernel_size=(2, 2), stride=(2, 2), padding=(1, 1))),
        (cnn.max_pooling_backward, [(2, 3, 3, 4), (2, 3, 6, 8)], dict(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))),
        (cnn.average_pooling, [(2, 3, 6, 8)], dict(kernel_size=(3, 2), stride=(2, 2), padding=(1, 1))),
        (cnn.channel_norm, [(2, 3, 6, 8), (3,), (3,), (3,), (3,)], dict(eps=10.0, training=True)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_order_in_memory_changes_nothing_and_inputs_stay_as_they_are(op, inputs, settings):
    arrays = [normal(*shape, seed=seed) for seed, shape in enumerate(inputs)]
    by_columns = [np.asfortranarray(array) for array in arrays]
    expected = op.forward(*arrays, **settings)
    np.testing.assert_allclose(op.forward(*by_columns, **settings), expected, rtol=1e-5, atol=1e-6)
    for seed, (array, shape) in enumerate(zip(arrays, inputs)):
        np.testing.assert_array_equal(array, normal(*shape, seed=seed))


def test_slabs_hold_every_picture_once():
    for count in (0, 1, 2, 7):
        covered = [number for slab in cnn.slabs(count, 100_000) for number in range(count)[slab]]
        assert covered == list(range(count))
    assert [slab.stop for slab in cnn.slabs(2, 10**9)] == [1, 2], "a picture too large for the cache is a slab by itself"


def test_max_pooling_after_relu_or_before_it_is_the_same_also_on_the_way_back():
    x, other = pictures(2, 3, 8, 8), pictures(2, 3, 8, 8)
    one, two = F.relu(F.max_pool2d(x, 2)), F.max_pool2d(F.relu(other), 2)
    np.testing.assert_array_equal(one.data, two.data)
    upstream = Tensor(normal(*one.shape, seed=1))
    one.backward(upstream), two.backward(upstream)
    np.testing.assert_array_equal(x.grad.data, other.grad.data)


# Batch normalisation and its buffers


def test_buffers_are_saved_and_moved_but_neither_trained_nor_counted():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    assert [name for name, _ in net.named_buffers()] == ["1.running_mean", "1.running_var", "1.num_batches_tracked"]
    assert len(list(net.parameters())) == 4 and len(net.state_dict()) == 7
    net.to(np.float64)
    assert {str(tensor.dtype) for tensor in net.state_dict().values()} == {"float64", "int64"}
    assert net[1].num_batches_tracked.dtype == np.int64


def test_a_state_goes_through_a_file(tmp_path):
    net, twin = (nn.ConvNet(1, 3, (2, 4), 8, rng=np.random.default_rng(seed)) for seed in (0, 1))
    for seed in range(3):
        net(Tensor(normal(4, 1, 8, 8, seed=seed)))
    saved = safetensors.dump({name: tensor.data for name, tensor in net.state_dict().items()})
    (tmp_path / "net.safetensors").write_bytes(saved)
    running = twin[1].running_mean
    assert twin.load_state_dict(safetensors.load_file(tmp_path / "net.safetensors")[0]) == ([], [])
    assert twin[1].running_mean is running and twin[1].num_batches_tracked.item() == 3
    x = Tensor(normal(2, 1, 8, 8, seed=9))
    np.testing.assert_array_equal(net.eval()(x).data, twin.eval()(x).data)


def test_a_training_that_was_stopped_goes_on_with_the_same_statistics(tmp_path):
    """Three epochs at once, and two and one more in new objects: the same numbers to the last bit, the running ones too."""
    x, labels = normal(24, 1, 8, 8), np.arange(24) % 3

    def train(epochs, name):
        net = nn.ConvNet(1, 3, (2, 4), 8, rng=np.random.default_rng(0))
        loader = DataLoader(TensorDataset(x, labels), batch_size=8, shuffle=True, generator=np.random.default_rng(1))
        trainer = Trainer(net, F.cross_entropy, Adam(net.parameters(), lr=0.01), checkpoint=tmp_path / name)
        trainer.fit(loader, epochs=epochs, resume=True)
        return net.state_dict()

    train(2, "parts.safetensors")
    for (name, one), two in zip(train(3, "whole.safetensors").items(), train(3, "parts.safetensors").values()):
        np.testing.assert_array_equal(one.data, two.data, err_msg=name)


def test_evaluation_does_not_depend_on_the_other_pictures_and_leaves_the_statistics():
    layer, x = nn.BatchNorm2d(3), normal(5, 3, 4, 4)
    layer(Tensor(x))
    layer.eval()
    before = {name: tensor.data.copy() for name, tensor in layer.state_dict().items()}
    np.testing.assert_allclose(layer(Tensor(x)).data[:1], layer(Tensor(x[:1])).data, rtol=1e-6)
    assert all(np.array_equal(before[name], tensor.data) for name, tensor in layer.state_dict().items())


def test_training_without_a_graph_still_moves_the_statistics():
    layer = nn.BatchNorm2d(2)
    with no_grad():
        layer(Tensor(normal(4, 2, 3, 3)))
    assert layer.num_batches_tracked.item() == 1 and (layer.running_mean.data != 0).all()


def test_without_momentum_the_mean_over_all_batches_is_kept():
    layer, batches = nn.BatchNorm2d(2, momentum=None), [normal(4, 2, 3, 3, seed=seed) for seed in range(5)]
    for batch in batches:
        layer(Tensor(batch))
    np.testing.assert_allclose(layer.running_mean.data, np.mean(batches, axis=(0, 1, 3, 4)), rtol=1e-5, atol=1e-6)


def test_a_channel_of_one_value_only_stays_finite():
    x = Tensor(np.full((4, 2, 3, 3), 7, np.float32), requires_grad=True)
    out = nn.BatchNorm2d(2)(x)
    out.backward(Tensor(normal(4, 2, 3, 3)))
    assert (out.data == 0).all() and np.isfinite(x.grad.data).all()


# Networks


def test_layers_print_as_pytorch_prints_them():
    assert repr(nn.Conv2d(4, 6, (3, 2), stride=2, padding="same", dilation=2, groups=2, bias=False)) == (
        "Conv2d(4, 6, kernel_size=(3, 2), stride=(2, 2), padding=same, dilation=(2, 2), groups=2, bias=False)"
    )
    assert repr(nn.MaxPool2d(2)) == "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"
    assert repr(nn.AvgPool2d(3, 2, 1)) == "AvgPool2d(kernel_size=3, stride=2, padding=1)"
    assert repr(nn.BatchNorm2d(8)) == "BatchNorm2d(8, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)"


@pytest.mark.parametrize(
    "network, shape, parameters",
    [
        (lambda rng: nn.LeNet5(rng=rng), (1, 28, 28), 61_706),
        (lambda rng: nn.LeNet5(3, padding=0, rng=rng), (3, 32, 32), 62_006),
        (lambda rng: nn.LeNet5(activation=Tanh, pool=nn.AvgPool2d, rng=rng), (1, 28, 28), 61_706),
        (lambda rng: nn.ConvNet(rng=rng), (3, 32, 32), 113_962),
        (lambda rng: nn.ConvNet(1, 10, size=28, rng=rng), (1, 28, 28), 104_426),
    ],
)
def test_networks_have_the_sizes_they_should_and_repeat_from_a_seed(network, shape, parameters):
    one, two = (network(np.random.default_rng(3)) for _ in range(2))
    assert sum(parameter.numel() for parameter in one.parameters()) == parameters
    x = Tensor(normal(2, *shape))
    assert one(x).shape == (2, 10)
    np.testing.assert_array_equal(one(x).data, two(x).data)


def test_weights_begin_within_pytorch_s_bound():
    layer = nn.Conv2d(8, 50, (3, 5), groups=2, rng=np.random.default_rng(0))
    bound = 1 / np.sqrt(4 * 3 * 5)
    for parameter in layer.parameters():
        assert 0.9 * bound < abs(parameter.data).max() <= bound and parameter.dtype == np.float32


def test_every_layer_of_lenet_gets_a_gradient_and_a_step_makes_the_loss_smaller():
    net, x, labels = nn.LeNet5(rng=np.random.default_rng(1)), Tensor(normal(16, 1, 28, 28)), Tensor(np.arange(16) % 10)
    losses = []
    for _ in range(5):
        loss = F.cross_entropy(net(x), labels)
        net.zero_grad()
        loss.backward()
        assert all((parameter.grad.data != 0).any() for parameter in net.parameters())
        for parameter in net.parameters():
            parameter.detach().copy_(parameter.detach() - 0.1 * parameter.grad)
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_a_gradient_of_a_gradient_goes_through_a_whole_network():
    net, x = nn.ConvNet(1, 3, (2, 3), 8, rng=np.random.default_rng(0)).to(np.float64), pictures(3, 1, 8, 8, dtype=np.float64)
    loss = F.cross_entropy(net(x), Tensor([0, 2, 1]))
    (slope,) = grad(loss, x, create_graph=True)
    (slope * slope).sum().backward()
    assert np.isfinite(x.grad.data).all() and (x.grad.data != 0).any()
