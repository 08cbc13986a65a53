"""Changes in place: what backward needs as it was is named when it is gone; what it does not need may change. As in PyTorch."""

import numpy as np
import pytest

from tinytorch.autograd import no_grad
from tinytorch.tensor import Tensor


def double(tensor):
    """Change a tensor in place, in either framework."""
    tensor *= 2


def write_into(part):
    return lambda a, w: double(part(a))


# name -> (function of a constant and a leaf that gives the result, change of the constant, message or None)
CASES = {
    "a sum needs no input": (lambda a, w: a + w, lambda a, w: double(a), None),
    "a difference needs no input": (lambda a, w: w - a, lambda a, w: double(a), None),
    "a product": (lambda a, w: a * w, lambda a, w: double(a), "argument 0 of mul"),
    "a matrix product": (lambda a, w: a @ w, lambda a, w: double(a), "argument 0 of matmul"),
    "through a transposed view": (lambda a, w: a.mT @ w, lambda a, w: double(a), "argument 0 of matmul"),
    "a view of it was changed": (lambda a, w: a * w, write_into(lambda a: a[0]), "argument 0 of mul"),
    "a reshaped view": (lambda a, w: a * w, write_into(lambda a: a.reshape(9)), "argument 0 of mul"),
    "a detached one": (lambda a, w: a * w, write_into(lambda a: a.detach()), "argument 0 of mul"),
    "an entry": (lambda a, w: a * w, lambda a, w: a.__setitem__(0, 5.0), "argument 0 of mul"),
    "a mean needs shapes alone": (lambda a, w: (w + a).mean(1), lambda a, w: double(a), None),
    "a quotient": (lambda a, w: w / a, lambda a, w: double(a), "argument 1 of div"),
}
LATER = {  # the same for the leaf itself, and for results, changed while ops are not remembered
    "exp needs its result": (lambda w: w.exp(), lambda w, y: double(y), "the result of exp"),
    "exp does not need its input": (lambda w: w.exp(), lambda w, y: double(w), None),
    "log needs its input": (lambda w: w.abs().log(), lambda w, y: double(y), None),
    "a product with itself": (lambda w: w * w, lambda w, y: double(w), "of mul"),
    "a weight that was stepped": (lambda w: (w @ w).sum(), lambda w, y: double(w), "of matmul"),
    "a sum's result": (lambda w: w + 1, lambda w, y: double(y), None),
}


def run(function, change, message, *tensors):
    y = function(*tensors)
    with no_grad():
        change(*tensors, y) if len(tensors) == 1 else change(*tensors)
    if message is None:
        y.sum().backward()
        return
    with pytest.raises(RuntimeError, match=rf"backward\(\) needs .*{message}, shape .* changed in place since"):
        y.sum().backward()


def array(seed):
    return np.random.default_rng(seed).standard_normal((3, 3)).astype(np.float32)


@pytest.mark.parametrize("name", CASES)
def test_a_change_of_what_is_needed_is_named(name):
    run(*CASES[name], Tensor(array(0)), Tensor(array(1), requires_grad=True))


@pytest.mark.parametrize("name", LATER)
def test_a_change_of_leaf_or_result_is_named(name):
    run(*LATER[name], Tensor(array(2), requires_grad=True))


@pytest.mark.parametrize("name", CASES)
def test_pytorch_refuses_the_same(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    function, change, message = CASES[name]
    a, w = torch.tensor(array(0)), torch.tensor(array(1), requires_grad=True)
    y = function(a, w)
    with torch.no_grad():
        change(a, w)
    if message is None:
        y.sum().backward()
    else:
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()


def test_the_gradient_is_right_where_the_change_does_not_matter():
    a, w = Tensor(array(0)), Tensor(array(1), requires_grad=True)
    y = ((a + w) * 3).sum()
    double(a)
    y.backward()
    assert (w.grad.data == 3).all()


def test_changes_before_the_op_do_not_count():
    a, w = Tensor(array(0)), Tensor(array(1), requires_grad=True)
    double(a[1])
    (a * w).sum().backward()
    np.testing.assert_array_equal(w.grad.data, a.data)


def test_the_gradient_of_the_changed_tensor_itself_may_need_nothing_of_it():
    # d(a @ w)/dw needs a, not w: after a step of w the loss of a last layer can still be walked.
    a, w = Tensor(array(0)), Tensor(array(1), requires_grad=True)
    y = (a @ w).sum() + (a @ w.mT).sum()
    with no_grad():
        double(w)
    y.backward()
    np.testing.assert_allclose(w.grad.data, np.outer(a.data.sum(0), np.ones(3)) + np.outer(np.ones(3), a.data.sum(0)), rtol=1e-5)


def test_writing_what_requires_a_gradient_into_a_constant_is_refused():
    a, w = Tensor(array(0)), Tensor(array(1), requires_grad=True)
    total = Tensor(0.0)
    for change in (lambda: a.__setitem__(0, w[0]), lambda: a.__iadd__(w), lambda: total.__iadd__(w.sum())):
        with pytest.raises(RuntimeError, match="make a new one"):
            change()
