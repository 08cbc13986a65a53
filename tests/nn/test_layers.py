"""What module 03 gives around the exercises: modes, moving, printing, taking apart, copying."""

import copy

import numpy as np
import pytest

from tinytorch.layers import Dropout, Flatten, Linear, Module, Parameter, ReLU, Sequential, Softmax
from tinytorch.tensor import Tensor


@pytest.fixture
def net():
    return Sequential(Flatten(), Linear(6, 4), Sequential(ReLU(), Dropout(0.5)), Linear(4, 3, bias=False), Softmax(dim=1))


def images(count=5):
    return Tensor(np.random.default_rng(1).standard_normal((count, 2, 3), np.float32))


def test_it_prints_as_pytorch_prints_it(net):
    assert (
        repr(net)
        == """\
Sequential(
  (0): Flatten(start_dim=1, end_dim=-1)
  (1): Linear(in_features=6, out_features=4, bias=True)
  (2): Sequential(
    (0): ReLU()
    (1): Dropout(p=0.5)
  )
  (3): Linear(in_features=4, out_features=3, bias=False)
  (4): Softmax(dim=1)
)"""
    )


def test_train_and_eval_reach_every_module_and_return_the_tree(net):
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    assert net.train() is net
    assert all(module.training for module in net.modules())
    assert net[:1].eval() is not net and net.training, "a slice is a row of its own"


def test_dropout_is_at_work_in_training_only(net):
    answers = [net(images()).data for _ in range(2)]
    assert not np.array_equal(*answers)
    net.eval()
    np.testing.assert_array_equal(*[net(images()).data for _ in range(2)])


def test_a_row_can_be_taken_apart(net):
    flatten, first, inner, last, softmax = net
    assert (net[0], net[1], net[-1]) == (flatten, first, softmax)
    assert len(net) == 5 and len(net[1:3]) == 2 and list(net[1:3]) == [first, inner]
    np.testing.assert_allclose(net.eval()(images()).data, net[2:](net[:2](images())).data)


def test_a_parameter_that_is_used_twice_counts_once():
    first, second = Linear(3, 3, bias=False), Linear(3, 3, bias=False)
    second.weight = first.weight
    tied = Sequential(first, second)
    assert list(tied.state_dict()) == ["0.weight", "1.weight"]
    assert [parameter is first.weight for parameter in tied.parameters()] == [True]


def test_zero_grad_forgets_every_gradient(net):
    for parameter in net.parameters():
        parameter.grad = Tensor(np.ones(parameter.shape, np.float32))
    net.zero_grad()
    assert [parameter.grad for parameter in net.parameters()] == [None, None, None]


def test_to_converts_in_place_and_takes_gradients_along(net):
    before = list(net.parameters())
    before[0].grad = Tensor(np.ones(before[0].shape, np.float32))
    assert net.to(np.float16) is net
    assert all(one is other for one, other in zip(net.parameters(), before, strict=True))
    assert {parameter.dtype.name for parameter in before} == {before[0].grad.dtype.name} == {"float16"}
    assert all(isinstance(parameter, Parameter) and parameter.requires_grad for parameter in before)


def test_to_a_device_that_is_not_there_says_so(net):
    with pytest.raises(ValueError, match="no device 'cuda' here"):
        net.to("cuda")


def test_a_copy_shares_nothing(net):
    twin = copy.deepcopy(net)
    twin[1].weight.data[...] = 7
    assert not (net[1].weight.data == 7).any()
    twin.load_state_dict(net.state_dict())
    np.testing.assert_array_equal(twin.eval()(images()).data, net.eval()(images()).data)


def test_a_state_dict_shares_memory_and_wants_no_gradient(net):
    state = net.state_dict()
    assert np.shares_memory(state["1.weight"].data, net[1].weight.data)
    assert not any(tensor.requires_grad for tensor in state.values())


def test_a_module_without_forward_says_what_to_define():
    class Empty(Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty has no method forward"):
        Empty()(1)


def test_the_output_requires_a_gradient_and_its_input_does_not(net):
    assert net(images()).requires_grad and not images().requires_grad


def test_frozen_parameters_want_no_gradient():
    layer = Linear(3, 2)
    for parameter in layer.parameters():
        parameter.requires_grad_(False)
    assert isinstance(layer.weight, Parameter) and not layer(Tensor([1.0, 2.0, 3.0])).requires_grad
