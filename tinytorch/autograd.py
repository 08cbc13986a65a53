# Made by tito from modules/05_autograd/autograd.py: edit that file, then run `tito module complete 05`.

# autograd.py, cell 5
"""Autograd: a gradient rule for every op, and the backward walk that applies them."""
import math
from contextlib import contextmanager

import numpy as np

from tinytorch.activations import (erf, gelu, leaky_relu, log_softmax, relu, sigmoid, softmax,
                                   tanh)
from tinytorch.given.walk import as_they_were, by_columns, first_gradient, unshared
from tinytorch.layers import linear
from tinytorch.losses import (binary_cross_entropy_with_logits, cross_entropy, logsumexp, mse_loss,
                              nll_loss)
from tinytorch.given.gradient_check import GradcheckError, in_float64, numeric_gradient
from tinytorch.given.history import Origin
from tinytorch.given.op import op, register
from tinytorch.given.state import state
from tinytorch.tensor import (Tensor, absolute, add, argmax, argmin, cast, cat, div, equal, exp,
                              expand, getitem, greater, greater_equal, log, matmul, mean, mul, neg,
                              permute, power, reduce_max, reduce_min, reduce_sum, reshape, sqrt,
                              sub, transpose, where)

add.register_vjp(lambda grad, out, a, b: grad, lambda grad, out, a, b: grad)
sub.register_vjp(lambda grad, out, a, b: grad, lambda grad, out, a, b: -grad)


# autograd.py, cell 7
def mul_rule(grad, out, a, b):
    """Turn the gradient of ``a * b`` into the gradient of ``a``.

    Args:
        grad: Tensor of the shape of ``out``: the gradient of the loss with respect to ``out``.
        out: Tensor, the product.
        a: Tensor or number, the factor whose gradient you compute.
        b: Tensor or number, the other factor.

    Returns:
        Tensor of the shape of ``out``. Every entry is the matching entry of ``grad`` times the
        derivative of the product there with respect to its first factor.

    Example:
        >>> a, b = Tensor([3.0, 2.0]), Tensor([2.0, 4.0])
        >>> mul_rule(Tensor([10.0, 20.0]), a * b, a, b)
        tensor([20., 80.])

    Source:
        Baydin et al., Automatic differentiation in machine learning: a survey, 2018, section 3.2.
    """
    return grad * b


# autograd.py, cell 11
@op
def sign(a):
    """Return 1 for a positive entry, -1 for a negative one, and 0 for 0 and for nan."""
    return np.where(a == a, np.sign(a), 0)  # only nan differs from itself


def base_rule(grad, out, a, b):
    """Return the gradient of the base of a power; for exponent 0 it is always 0."""
    if not isinstance(b, Tensor):
        return grad * (b * power(a, b - 1)) if b else where(False, grad, 0.0)
    flat = equal(b, 0)
    return where(flat, 0.0, grad * (b * power(where(flat, 1.0, a), b - 1)))


def exponent_rule(grad, out, a, b):
    """Return the gradient of the exponent; for base 0 it is 0, unless the power is infinite."""
    flat = equal(a, 0) * greater_equal(b, 0)
    return grad * (out * log(where(flat, 1.0, where(True, a, out))))


mul.register_vjp(mul_rule, lambda grad, out, a, b: mul_rule(grad, out, b, a))
div.register_vjp(lambda grad, out, a, b: grad / b, lambda grad, out, a, b: -grad * out / b)
power.register_vjp(base_rule, exponent_rule)
neg.register_vjp(lambda grad, out, a: -grad)
exp.register_vjp(lambda grad, out, a: grad * out)
log.register_vjp(lambda grad, out, a: grad / a)
sqrt.register_vjp(lambda grad, out, a: grad / (out * 2))
absolute.register_vjp(lambda grad, out, a: grad * sign(a))
where.register_vjp(None, lambda grad, out, condition, a, b: where(condition, grad, 0.0),
                   lambda grad, out, condition, a, b: where(condition, 0.0, grad))
# None: the input has no gradient, because the result is constant except where it jumps
sign.register_vjp(None)
greater.register_vjp(None, None)
greater_equal.register_vjp(None, None)
equal.register_vjp(None, None)
argmax.register_vjp(None)
argmin.register_vjp(None)


# autograd.py, cell 13
def matmul_rule(grad, out, a, b):
    """Turn the gradient of ``a @ b`` into the gradient of ``a``.

    Args:
        grad: Tensor of shape (..., n, m).
        out: Tensor of shape (..., n, m), the product.
        a: Tensor of shape (..., n, k).
        b: Tensor of shape (..., k, m).

    Returns:
        Tensor of shape (..., n, k). Entry (i, k) is the sum over j of
        ``grad[..., i, j] * b[..., k, j]``. It has the batch dimensions of ``out``.

    Example:
        >>> a, b = Tensor([[1.0, 2.0]]), Tensor([[3.0, 4.0, 0.0], [5.0, 6.0, 1.0]])
        >>> matmul_rule(Tensor([[1.0, 10.0, 0.0]]), a @ b, a, b)
        tensor([[43., 65.]])

    Source:
        Giles, Collected matrix derivative results for algorithmic differentiation, 2008, 2.2.2.
    """
    return grad @ b.mT


# autograd.py, cell 18
def matmul_right_rule(grad, out, a, b):
    """Turn the gradient of ``a @ b`` into that of ``b``, in the memory order of ``b``."""
    return (grad.mT @ a).mT if by_columns(b) else a.mT @ grad


@op
def linear_weight(grad, x):
    """Sum grad[i] * x[j] over all examples: the gradient of a linear layer's weight."""
    examples = math.prod(x.shape[:-1])
    return grad.reshape(examples, grad.shape[-1]).T @ x.reshape(examples, x.shape[-1])


def bias_rule(grad, out, x, weight, bias=None):
    """Turn the gradient of a linear layer into that of its bias: the sum over all examples."""
    return reduce_sum(grad, axis=tuple(range(grad.ndim - 1)), keepdims=False)


linear_weight.register_shapes("... o", "... i")
matmul.register_vjp(matmul_rule, matmul_right_rule)
linear.register_vjp(lambda grad, out, x, weight, bias=None: grad @ weight,
                    lambda grad, out, x, weight, bias=None: linear_weight(grad, x),
                    bias_rule)
linear_weight.register_vjp(lambda grad, out, g, x: linear(x, grad),
                           lambda grad, out, g, x: g @ grad)


def kept_shape(shape, axis):
    """Return a shape with size 1 in place of the axes that a reduction removes."""
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    removed = {i % max(len(shape), 1) for i in axes}  # shape () is treated as having one axis
    return tuple(1 if i in removed else n for i, n in enumerate(shape))


# autograd.py, cell 20
def reduce_sum_rule(grad, out, a, axis, keepdims):
    """Turn the gradient of a sum into the gradient of what was summed.

    Args:
        grad: Tensor of the shape of ``out``.
        out: Tensor, the sum.
        a: Tensor that was summed.
        axis: The axis or tuple of axes that was summed along, or None for all.
        keepdims: Whether ``out`` kept those axes, with size 1.

    Returns:
        Tensor of the shape of ``a``. Each entry of ``a`` is part of one sum; its gradient is the
        entry of ``grad`` for that sum, whatever its own value is.

    Example:
        >>> a = Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        >>> reduce_sum_rule(Tensor([10.0, 20.0]), a.sum(1), a, axis=1, keepdims=False)
        tensor([[10., 10., 10.],
                [20., 20., 20.]])

    Source:
        Griewank and Walther, Evaluating Derivatives, 2008, section 3.2.
    """
    return grad.reshape(kept_shape(a.shape, axis)).expand(a.shape)


# autograd.py, cell 24
def mean_rule(grad, out, a, axis, keepdims):
    """Return the gradient of what was averaged: that of a sum, divided by the count."""
    count = math.prod(a.shape) / max(math.prod(out.shape), 1)
    return reduce_sum_rule(grad / count, out, a, axis, keepdims)


def share(grad, count, reduction):
    """Return the gradient of each of ``count`` losses, given that of their mean or sum."""
    return grad * (1 / max(count, 1)) if reduction == "mean" else grad


def extreme_rule(grad, out, a, axis, keepdims):
    """Return the gradient of a maximum or minimum: it goes to the extreme entry; ties split it."""
    shape = kept_shape(a.shape, axis)
    extreme = equal(a, out.reshape(shape))
    if axis is None:  # over all entries, PyTorch gives the gradient to a nan
        extreme = extreme | equal(a != a, out != out) & (a != a)
    return grad.reshape(shape) / reduce_sum(extreme, axis=axis, keepdims=True) * extreme


def cat_rule(grad, out, *arrays, dim, argument):
    """Return the part of the gradient that belongs to one of the joined arrays."""
    start = sum(array.shape[dim] for array in arrays[:argument])
    part = slice(start, start + arrays[argument].shape[dim])
    return grad[(slice(None),) * (dim % grad.ndim) + (part,)]


reduce_sum.register_vjp(reduce_sum_rule)
mean.register_vjp(mean_rule)
reduce_max.register_vjp(extreme_rule)
reduce_min.register_vjp(extreme_rule)
cat.register_vjp(each=cat_rule)


# autograd.py, cell 25
@op
def put_back(a, *, index, shape):
    """Put entries back where `getitem` took them, in an array of zeros; repeated ones add up."""
    out = np.zeros(shape, a.dtype)
    parts = [np.asarray(i) for i in (index if isinstance(index, tuple) else (index,))
             if isinstance(i, (list, np.ndarray))]
    if all(part.dtype == bool for part in parts):
        out[index] = a
    else:
        np.add.at(out, index, a)
    return out


put_back.register_vjp(lambda grad, out, a, index, shape: getitem(grad, index=index))
getitem.register_vjp(lambda grad, out, a, index: put_back(grad, index=index, shape=a.shape))
reshape.register_vjp(lambda grad, out, a, shape: grad.reshape(a.shape))
transpose.register_vjp(lambda grad, out, a, dim0, dim1: grad.transpose(dim0, dim1))
permute.register_vjp(lambda grad, out, a, dims:
                     grad.permute(*np.argsort([i % a.ndim for i in dims]).tolist()))
expand.register_vjp(lambda grad, out, a, shape: grad)
cast.register_vjp(lambda grad, out, a, dtype: grad)


# autograd.py, cell 27
def unbroadcast(grad, shape):
    """Sum a gradient over the axes along which broadcasting stretched a shape.

    Args:
        grad: Tensor, of a shape that ``shape`` broadcasts to.
        shape: Tuple of ints, the shape to return to.

    Returns:
        Tensor of shape ``shape``. Every entry is the sum of the entries of ``grad`` that
        broadcasting made from it; shapes are matched from the right.

    Example:
        >>> grad = Tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
        >>> unbroadcast(grad, (3,)), unbroadcast(grad, (2, 1))
        (tensor([11., 22., 33.]), tensor([[ 6.],
                [60.]]))

    Source:
        Maclaurin, Duvenaud and Adams, Autograd: effortless gradients in NumPy, 2015.
    """
    new = grad.ndim - len(shape)
    if new:
        grad = grad.sum(tuple(range(new)))
    ones = tuple(i for i, n in enumerate(shape) if n == 1)  # if not stretched, summing is harmless
    return grad.sum(ones, keepdim=True) if ones else grad


# autograd.py, cell 33
def relu_rule(grad, out, a):
    """Turn the gradient of ``relu(a)`` into the gradient of ``a``.

    Args:
        grad: Tensor of any shape, of finite numbers.
        out: Tensor of that shape, the result of ReLU.
        a: Tensor of that shape, its input.

    Returns:
        Tensor of that shape: the entry of ``grad`` where the input was above 0, and 0 elsewhere.

    Example:
        >>> a = Tensor([2.0, -1.0, 0.0])
        >>> relu_rule(Tensor([5.0, 6.0, 7.0]), relu(a), a)
        tensor([5., 0., 0.])

    Source:
        Glorot, Bordes and Bengio, Deep sparse rectifier neural networks, 2011.
    """
    return grad * (out != 0)  # true for nan, too: its gradient passes, as in PyTorch


# autograd.py, cell 40
def softmax_rule(grad, out, a, dim):
    """Turn the gradient of ``softmax(a)`` into the gradient of ``a``.

    Args:
        grad: Tensor of any shape.
        out: Tensor of that shape, the probabilities.
        a: Tensor of that shape, the scores.
        dim: The axis along which the probabilities sum to 1.

    Returns:
        Tensor of that shape. Along ``dim``, entry j is ``out[j]`` times the difference between
        ``grad[j]`` and the sum over i of ``grad[i] * out[i]``.

    Example:
        >>> a = Tensor([[0.0, 0.0]])
        >>> softmax_rule(Tensor([[1.0, 3.0]]), softmax(a, dim=1), a, dim=1)
        tensor([[-0.5,  0.5]])

    Source:
        Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.2.2.3.
    """
    return out * (grad - (grad * out).sum(dim, keepdim=True))


# autograd.py, cell 44
def gelu_rule(grad, out, a, approximate):
    """Turn the gradient of ``gelu(a)`` into that of ``a``, for either form."""
    if approximate == "none":
        density = exp(a * a * -0.5) / math.sqrt(2 * math.pi)
        return grad * ((erf(a / math.sqrt(2)) + 1) * 0.5 + a * density)
    scale, cubic = math.sqrt(2 / math.pi), 0.044715
    bend = tanh((a + a * a * a * cubic) * scale)
    slope = (1 - bend * bend) * (a * a * (3 * cubic) + 1) * scale
    return grad * ((bend + 1) * 0.5 + a * 0.5 * slope)


relu.register_vjp(relu_rule)
leaky_relu.register_vjp(lambda grad, out, a, negative_slope:
                        where(greater(a, 0), grad, grad * negative_slope))
sigmoid.register_vjp(lambda grad, out, a: grad * (out * (1 - out)))
tanh.register_vjp(lambda grad, out, a: grad * (1 - out * out))
erf.register_vjp(lambda grad, out, a: grad * (exp(-a * a) * (2 / math.sqrt(math.pi))))
gelu.register_vjp(gelu_rule)
softmax.register_vjp(softmax_rule)
log_softmax.register_vjp(lambda grad, out, a, dim: grad - exp(out) * grad.sum(dim, keepdim=True))


@op
def probability_minus_truth(logits, labels):
    """Return softmax(logits), minus 1 at each row's true class: the result of 04.6, times N."""
    out = softmax.forward(logits, dim=1)
    out[np.arange(len(labels)), labels] -= 1
    return out


probability_minus_truth.register_shapes("n c", "n")
probability_minus_truth.register_vjp(lambda grad, out, logits, labels:
                                     softmax_rule(grad, softmax(logits, dim=1), logits, 1), None)


# autograd.py, cell 46
def cross_entropy_rule(grad, out, logits, labels, reduction):
    """Turn the gradient of the cross-entropy into the gradient of the logits.

    Args:
        grad: Tensor of the shape of ``out``.
        out: Tensor, the loss: one number, or with reduction ``"none"`` of shape (N,).
        logits: Tensor of shape (N, C).
        labels: Tensor of shape (N,), whole numbers from 0 to C - 1.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        Tensor of shape (N, C). Entry (n, j) is the gradient that arrives at the loss of example n,
        times ``p[n, j] - (1 if j == labels[n] else 0)``, where p is the softmax of each row.

    Example:
        >>> logits, labels = Tensor([[0.0, 0.0], [0.0, 0.0]]), Tensor([0, 1])
        >>> loss = cross_entropy(logits, labels)
        >>> cross_entropy_rule(Tensor(4.0), loss, logits, labels, reduction="mean")
        tensor([[-1.,  1.],
                [ 1., -1.]])

    Source:
        Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.4.
    """
    each = share(grad, len(logits), reduction)
    if reduction == "none":
        each = each.reshape(-1, 1)
    return each * probability_minus_truth(logits, labels)


# autograd.py, cell 50
def nll_rule(grad, out, log_probabilities, labels, reduction):
    """Return the gradient of ``nll_loss``: in each row, only the true class gets one."""
    each = -share(grad, len(labels), reduction).expand(labels.shape)
    index = (np.arange(len(labels)), Tensor(labels).data)
    return put_back(each, index=index, shape=log_probabilities.shape)


def mse_rule(grad, out, predictions, targets, reduction):
    """Turn the gradient of ``mse_loss`` into that of the predictions."""
    return (predictions - targets) * share(grad * 2, math.prod(predictions.shape), reduction)


def bce_rule(grad, out, logits, targets, reduction):
    """Turn the gradient of ``binary_cross_entropy_with_logits`` into that of the logits."""
    return (sigmoid(logits) - targets) * share(grad, math.prod(logits.shape), reduction)


cross_entropy.register_vjp(cross_entropy_rule, None)
nll_loss.register_vjp(nll_rule, None)
mse_loss.register_vjp(mse_rule, lambda grad, out, predictions, targets, reduction:
                      mse_rule(grad, out, targets, predictions, reduction))
binary_cross_entropy_with_logits.register_vjp(bce_rule, lambda grad, out, z, targets, reduction:
                                              -z * share(grad, math.prod(z.shape), reduction))
logsumexp.register_vjp(lambda grad, out, x, dim, keepdim: grad.reshape(kept_shape(x.shape, dim))
                       * exp(x - out.reshape(kept_shape(x.shape, dim))))


def wanted_inputs(tensor):
    """List those inputs of a tensor's op that a gradient flows to; [] for a leaf.

    Raises:
        RuntimeError: An earlier walk freed the graph.
        NotImplementedError: The op has no rule.
    """
    if tensor.origin is None:
        return []
    op, inputs, _, _ = tensor.origin
    if inputs is None:
        raise RuntimeError(f"an earlier backward() used this graph and freed it, at {op.name}: "
                           "pass retain_graph=True to that call, or compute the tensor again")
    return [x for argument, x in enumerate(inputs)
            if isinstance(x, Tensor) and x.requires_grad and op.rule(argument)]


# autograd.py, cell 52
def topological_order(*roots):
    """List the tensors that pass a gradient on, each after those it was computed from.

    Args:
        roots: Tensors that the walk starts at; usually one, the loss, of shape ().

    Returns:
        List of tensors, each once: the roots, and everything that `wanted_inputs` reaches from
        them, except leaves (tensors that no op made). Every tensor comes after its wanted inputs.

    Example:
        >>> x = Tensor(3.0, requires_grad=True)
        >>> y = x * x
        >>> [tensor.item() for tensor in topological_order(y + x * y)]
        [9.0, 27.0, 36.0]

    Source:
        Cormen et al., Introduction to Algorithms, 2009, section 22.4.
    """
    order, seen, stack = [], set(), [(root, False) for root in roots]
    while stack:
        tensor, inputs_listed = stack.pop()
        if inputs_listed:
            order.append(tensor)
        elif tensor not in seen and not tensor.is_leaf:
            seen.add(tensor)
            stack.append((tensor, True))
            stack.extend([(x, False) for x in wanted_inputs(tensor)])
    return order


# autograd.py, cell 57
def input_gradients(out, grad):
    """Return pairs: an input that requires a gradient, and the gradient from its op's rule."""
    op, inputs, params, _ = out.origin
    values, pairs = as_they_were(out), []
    for argument, x in enumerate(inputs):
        rule = op.rule(argument) if isinstance(x, Tensor) and x.requires_grad else None
        if rule:
            part = rule(grad, *values, **params)
            if part.data.shape != x.data.shape or part.data.dtype != x.data.dtype:
                part = fitted(part, x, f"the rule of {op.name} for argument {argument}")
            pairs.append((x, part))
    return pairs


def fitted(part, x, rule):
    """Return a gradient in the shape and dtype of its input."""
    own = unbroadcast(part, x.shape) if part.ndim >= x.ndim else part
    if own.shape != x.shape:
        raise RuntimeError(f"{rule} gave shape {part.shape}, where the input has {x.shape}")
    return own if own.dtype == x.dtype else cast(own, dtype=x.dtype)


def free(tensor):
    """Drop the record of a tensor's inputs; keep which op made it."""
    tensor.origin = Origin(tensor.origin.op, None, None, None)


# autograd.py, cell 59
def walk(gradients, keep_graph=False, watched=()):
    """Walk back from some tensors to the leaves, and collect the leaves' gradients in a dict.

    Args:
        gradients: Dict. Its keys are the tensors to start at, its values their gradients, of the
            same shapes. Afterwards the keys are the leaves that were reached and the watched
            tensors. The gradient of each is a sum: all the gradients that `input_gradients` returns
            for that tensor (one for each use in an op), plus what the dict held for it at the
            start, if anything.
        keep_graph: Whether to keep the graph for another walk; otherwise every tensor on the way is
            freed after its inputs have received their gradients.
        watched: Set of tensors on the way whose gradients stay in the dict too.

    Example:
        >>> x = Tensor(3.0, requires_grad=True)
        >>> gradients = {x * x: Tensor(1.0)}
        >>> walk(gradients)
        >>> len(gradients), gradients[x].item()
        (1, 6.0)

    Source:
        Griewank, Who invented the reverse mode of differentiation?, 2012.
    """
    order = topological_order(*gradients)
    while order:
        tensor = order.pop()
        grad = gradients[tensor] if tensor in watched else gradients.pop(tensor)
        for x, part in input_gradients(tensor, grad):
            gradients[x] = gradients[x] + part if x in gradients else part
        if not keep_graph:
            free(tensor)


# autograd.py, cell 67
@contextmanager
def recording(on):
    """Turn the recording of ops on or off for a ``with`` block.

    Args:
        on: The value of ``state.recording`` inside the block, True or False.

    Returns:
        Context manager. At the end of the block, even if it ends with an exception,
        ``state.recording`` is what it was before the block.

    Example:
        >>> x = Tensor(3.0, requires_grad=True)
        >>> with recording(False):
        ...     y = x * x
        >>> y.requires_grad, (x * x).requires_grad
        (False, True)

    Source:
        PyTorch documentation, "Autograd mechanics", "Locally disabling gradient computation".
    """
    before, state.recording = state.recording, on
    try:
        yield
    finally:
        state.recording = before


# autograd.py, cell 71
def no_grad(function=None):
    """Do not record ops inside ``with no_grad():`` or inside a function decorated with it."""
    return recording(False)(function) if function else recording(False)


def enable_grad(function=None):
    """Record ops inside ``with enable_grad():``, even within a block of `no_grad`."""
    return recording(True)(function) if function else recording(True)


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False,
         allow_unused=False, materialize_grads=False):
    """Return the gradients of outputs with respect to inputs, and leave every ``grad`` unchanged.

    Args:
        outputs: Tensor, or list of tensors, to start at.
        inputs: Tensor, or list of tensors, to return the gradients of; they need not be leaves.
        grad_outputs: The gradients to start with, one for each output; None for 1.
        retain_graph: As in `backward`.
        create_graph: As in `backward`.
        allow_unused: Whether an input that no output depends on gets None instead of an error.
        materialize_grads: Whether such an input gets a gradient of zeros.

    Returns:
        Tuple of tensors, one for each input.

    Raises:
        RuntimeError: No output depends on one of the inputs. Also raised wherever `backward` raises
            it.

    Example:
        >>> x = Tensor(3.0, requires_grad=True)
        >>> (slope,) = grad(x * x, x, create_graph=True)
        >>> slope.item(), grad(slope, x)
        (6.0, (tensor(2.),))
    """
    outputs, inputs, begin = ([x] if x is None or isinstance(x, Tensor) else list(x)
                              for x in (outputs, inputs, grad_outputs))
    begin = begin * len(outputs) if grad_outputs is None else begin
    with recording(create_graph):
        gradients = {}
        for root, first in zip(outputs, begin, strict=True):
            first = first_gradient(root, first)
            gradients[root] = gradients[root] + first if root in gradients else first
        walk(gradients, create_graph if retain_graph is None else retain_graph, set(inputs))
        gradients = unshared({x: gradients[x] for x in inputs if x in gradients})
    if len(gradients) < len(set(inputs)) and not (allow_unused or materialize_grads):
        raise RuntimeError("no output depends on one of the inputs: pass allow_unused=True to get "
                           "None for it, or materialize_grads=True to get zeros")
    absent = (lambda x: Tensor(np.zeros_like(x.data))) if materialize_grads else lambda x: None
    return tuple(gradients[x] if x in gradients else absent(x) for x in inputs)


# autograd.py, cell 73
@register("backward")
def backward(root, gradient=None, retain_graph=None, create_graph=False):
    """For every leaf that a tensor was computed from, add the gradient to the leaf's ``grad``.

    Args:
        root: Tensor to start at.
        gradient: Tensor of the shape of ``root``, the gradient to start with; None means 1, if
            ``root`` is one number.
        retain_graph: Whether to keep the graph for another walk; None for the value of
            ``create_graph``.
        create_graph: Whether the ops of the walk are recorded, so that gradients have gradients.

    Raises:
        RuntimeError: The tensor has no graph, or has more than one entry although ``gradient`` is
            None (`first_gradient` raises both), or an earlier walk freed the graph.

    Example:
        >>> x = Tensor([3.0, -1.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> (x * 10).sum().backward()
        >>> x.grad
        tensor([16.,  8.])

    Source:
        Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, 1986.
    """
    keep_graph = create_graph if retain_graph is None else retain_graph
    with recording(create_graph):
        gradients = {root: first_gradient(root, gradient)}
        walk(gradients, keep_graph)
        for leaf, part in unshared(gradients).items():
            leaf.grad = part if leaf.grad is None else leaf.grad + part


# autograd.py, cell 81
def gradcheck(function, inputs, *, eps=1e-5, tolerance=1e-6):
    """Compare the gradients of a function with finite differences.

    The relative error of two numbers is their distance, divided by the larger of their absolute
    values, or by 0.001 if both absolute values are smaller than 0.001.

    Args:
        function: Op, or function of tensors that returns a tensor.
        inputs: Tuple of its inputs, or its only input, of any shapes. The floating-point ones are
            checked, in float64.
        eps: Size of the nudge.
        tolerance: The largest relative error that passes.

    Returns:
        True if every entry of every gradient passes.

    Raises:
        GradcheckError: An entry does not pass; nan never passes. The error is raised for the first
            argument that has such an entry.

    Example:
        >>> gradcheck(mul, (Tensor([1.0, 2.0, 3.0]), Tensor(-0.5)))
        True

    Source:
        Nocedal and Wright, Numerical Optimization, 2006, section 8.1.
    """
    inputs = in_float64(inputs)
    out = function(*inputs)
    upstream = Tensor(np.random.default_rng(0).standard_normal(out.shape))
    for argument, x in enumerate(inputs):
        if isinstance(x, Tensor) and x.requires_grad:
            (gradient,) = grad(out, x, upstream, retain_graph=True, materialize_grads=True)
            numeric = numeric_gradient(function, inputs, argument, upstream, eps)
            size = np.maximum(abs(gradient.data), abs(numeric)).clip(min=1e-3)
            error = abs(gradient.data - numeric) / size
            if not (error <= tolerance).all():
                raise GradcheckError(function, argument, gradient.data, numeric, error, tolerance)
    return True
