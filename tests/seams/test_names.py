"""PyTorch's names at the top of the package."""

import numpy as np

import tinytorch as tt


def test_tensor_is_a_function_although_a_file_has_its_name():
    x = tt.tensor([[1.0, 2.0]], requires_grad=True)
    assert isinstance(x, tt.Tensor) and x.requires_grad and x.shape == (1, 2)
    from tinytorch.tensor import Tensor

    assert Tensor is tt.Tensor
    assert tt.tensor([1]).tolist() == [1]


def test_methods_are_functions_too():
    x = tt.tensor([[1.0, 5.0], [3.0, 2.0]])
    assert tt.sum(x, dim=0).tolist() == [4.0, 7.0]
    assert tt.max(x, dim=1).indices.tolist() == [1, 0]
    assert tt.matmul(x, tt.tensor([1.0, 0.0])).tolist() == [1.0, 3.0]


def test_dtypes_and_factories():
    assert tt.zeros(2, 3).dtype == tt.float32 == np.float32
    assert tt.arange(3).dtype == tt.int64
    tt.manual_seed(3)
    first = tt.randn(4).tolist()
    tt.manual_seed(3)
    assert tt.randn(4).tolist() == first


def test_an_op_of_a_script_s_own_does_not_become_a_method():
    from tinytorch.given.op import Op, op, ops

    theirs = ops["exp"]

    @op
    def exp(a):
        return a * 0 + 7

    assert exp(tt.tensor([1.0])).tolist() == [7.0]
    assert Op(theirs.forward) is not ops["exp"] is theirs
    assert tt.tensor([0.0]).exp().tolist() == [1.0]


def test_a_cell_that_is_run_again_replaces_its_op():
    from tinytorch.given.op import op, ops

    for factor in (2, 3):

        @op
        def multiplied(a):
            return a * factor

    assert ops.pop("multiplied") is multiplied and multiplied.forward(1) == 3
