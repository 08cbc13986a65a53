"""Every op that the package exports: its rules against slopes measured by nudging, twice, and against PyTorch's gradients.

A new op has its gradient rule and its cost beside it, and a line in CASES here: the guard below names what was forgotten.
"""

import importlib
import math
from typing import NamedTuple

import numpy as np
import pytest

from tinytorch.activations import erf, gelu, leaky_relu, log_softmax, relu, sigmoid, softmax, tanh
from tinytorch.autograd import grad, linear_weight, probability_minus_truth, put_back
from tinytorch.cnn import (
    average_pooling,
    average_pooling_backward,
    batch_norm,
    channel_norm,
    channel_norm_backward,
    channel_norm_weight,
    channel_sum,
    channel_variance,
    conv2d_input,
    conv2d_weight,
    convolution,
    fold,
    max_pooling,
    max_pooling_backward,
    max_pooling_pick,
    unfold,
)
from tinytorch.given import imports
from tinytorch.given.op import InPlace, Op, ops
from tinytorch.given.operator_ops import remainder
from tinytorch.given.pytorch_ops import retained, scatter_sum, scatter_to
from tinytorch.layers import linear
from tinytorch.losses import binary_cross_entropy_with_logits, cross_entropy, logsumexp, mse_loss, nll_loss
from tinytorch.tensor import (
    Tensor,
    absolute,
    add,
    cast,
    cat,
    div,
    exp,
    expand,
    getitem,
    log,
    matmul,
    mean,
    mul,
    neg,
    permute,
    power,
    reduce_max,
    reduce_min,
    reduce_sum,
    reshape,
    sqrt,
    sub,
    transpose,
    where,
)

NOT_DIFFERENTIABLE = {"argmax", "argmin", "equal", "greater", "greater_equal", "sign"}
NOT_DIFFERENTIABLE |= {"floor_divide", "not_equal", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "within"}
IN_MODULE_10 = {"relu_backward", "cross_entropy_gradient"}
MOVERS = {
    "cast",
    "cat",
    "expand",
    "getitem",
    "permute",
    "put_back",
    "reshape",
    "retained",
    "scatter_to",
    "transpose",
    "nll_loss",
    "unfold",
    "max_pooling_pick",
}
LABELS = np.array([2, 0, 2, 1])
MASK = np.random.default_rng(7).random((3, 4)) < 0.5
ROWS = np.array([2, 0, 2])  # an index that takes one row twice


class Case(NamedTuple):
    """A function of tensors made with one op, the shapes of its inputs, and the same in PyTorch; + marks positive inputs."""

    op: Op
    ours: object
    shapes: tuple
    theirs: object

    def arrays(self, dtype):
        """Draw the inputs: no two alike, none near the corner at 0."""
        rng, drawn = np.random.default_rng(0), []
        for shape in self.shapes:
            positive, shape = shape[:1] == ("+",), tuple(n for n in shape if n != "+")
            array = rng.standard_normal(shape)
            array += np.where(array < 0, -0.1, 0.1)
            drawn.append(np.asarray(np.abs(array) + 0.4 if positive else array, dtype))
        return drawn


def binary(op, theirs, second=()):
    """An op of two inputs: equal shapes, either one stretched, both, a number on either side, the same tensor twice."""
    shapes = [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (2, 1, 4)), ((), (2, 3)), ((2, 3), (1,))]
    yield from (Case(op, op, (first, (*second, *other)), theirs) for first, other in shapes)
    yield Case(op, lambda a: op(a, 1.7), ((2, 3),), lambda t, a: theirs(t, a, 1.7))
    yield Case(op, lambda a: op(-1.3, a), ((*second, 2, 3),), lambda t, a: theirs(t, -1.3, a))
    yield Case(op, lambda a: op(a, a), ((*second, 2, 3),), lambda t, a: theirs(t, a, a))


def reduction(op, theirs):
    """A reduction along every kind of axis, and of a tensor that is used again beside it."""
    for axis, keepdims in [(None, False), (1, False), ((0, 2), True), (-1, True), ((0, -1), False)]:
        yield Case(
            op,
            lambda a, axis=axis, keepdims=keepdims: op(a, axis=axis, keepdims=keepdims),
            ((2, 3, 4),),
            lambda t, a, axis=axis, keepdims=keepdims: theirs(t, a, axis, keepdims),
        )
    yield Case(op, lambda a: op(a, axis=0) * a, ((3, 4),), lambda t, a: theirs(t, a, 0, False) * a)


def unary(op, theirs, *sign):
    """An op of one input, alone and with its input used again."""
    yield Case(op, op, ((*sign, 3, 4),), theirs)
    yield Case(op, lambda a: op(a) * a, ((*sign, 5),), lambda t, a: theirs(t, a) * a)


def along(op, theirs):
    """An op along one axis."""
    for dim in (-1, 0, 1):
        yield Case(op, lambda a, dim=dim: op(a, dim=dim), ((2, 3, 4),), lambda t, a, dim=dim: theirs(t, a, dim))


def loss(op, theirs, *shapes, fixed=()):
    """A loss with every reduction."""
    for kind in ("mean", "sum", "none"):
        yield Case(
            op,
            lambda *x, kind=kind: op(*x, *fixed, reduction=kind),
            shapes,
            lambda t, *x, kind=kind: theirs(t, *x, *map(t.from_numpy, fixed), reduction=kind),
        )


def joined(op, *shapes, dim):
    return Case(op, lambda *x: op(*x, dim=dim), shapes, lambda t, *x: t.cat(x, dim=dim))


def part(index, shape=(3, 4)):
    return Case(getitem, lambda a: getitem(a, index=index), (shape,), lambda t, a: a[index])


PLACED = dict(stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2)  # from (2, 4, 5, 6) by (4, 2, 3, 2) to (2, 4, 3, 4)
POOLED = dict(kernel_size=(3, 2), stride=(2, 2), padding=(1, 0))  # from (2, 3, 5, 6) to (2, 3, 3, 3)
HIGH = np.random.default_rng(8).permutation(180).reshape(2, 3, 5, 6) / 20.0  # no two alike, so that nudging changes no maximum


def pooled_back(t, grad, at, of):
    """PyTorch's way back through a pooling."""
    x = at.clone().requires_grad_()
    return t.autograd.grad(of(x), x, grad, create_graph=True)[0]


def normalised(t, x, *more, training=True):
    """PyTorch's batch normalisation, by the batch's own statistics or by given ones."""
    mean, var = (None, None) if training else (t.full((3,), 0.25, dtype=x.dtype), t.full((3,), 2.0, dtype=x.dtype))
    return t.nn.functional.batch_norm(x, mean, var, *more, training=training, eps=0.1)


def by_channel(of, training=True):
    """Call an op of batch normalisation with the statistics of x, or with given ones."""

    def call(*inputs):
        x = inputs[0] if of is channel_norm else inputs[1]
        mean = x.detach().mean((0, 2, 3)) if training else Tensor(np.full(3, 0.25, x.dtype))
        var = channel_variance(x.detach(), mean) if training else Tensor(np.full(3, 2.0, x.dtype))
        return of(*inputs, mean, var, eps=0.1, training=training)

    return call


def norm_back(t, grad, x, weight, argument=0, training=True):
    """PyTorch's way back through batch normalisation, to the pictures or to the weight."""
    x = x if x.requires_grad else x.clone().requires_grad_()
    weight = weight if weight.requires_grad else weight.clone().requires_grad_()
    return t.autograd.grad(normalised(t, x, weight, training=training), (x, weight), grad, create_graph=True)[argument]


CASES = [
    *binary(add, lambda t, a, b: a + b),
    *binary(sub, lambda t, a, b: a - b),
    *binary(mul, lambda t, a, b: a * b),
    *binary(div, lambda t, a, b: a / b, second=("+",)),
    *(Case(power, power, (("+", *a), b), lambda t, a, b: a**b) for a, b in [((3, 4), (4,)), ((2, 1), (3,)), ((), (2, 3))]),
    *(Case(power, lambda a, n=n: power(a, n), ((2, 3),), lambda t, a, n=n: a**n) for n in (3, 2, 1, 0, -1)),
    Case(power, lambda a: power(a, 0.3), (("+", 2, 3),), lambda t, a: a**0.3),
    Case(power, lambda a: power(2.5, a), ((2, 3),), lambda t, a: 2.5**a),
    Case(power, lambda a: power(a, a), (("+", 2, 3),), lambda t, a: a**a),
    *unary(neg, lambda t, a: -a),
    *unary(exp, lambda t, a: a.exp()),
    *unary(absolute, lambda t, a: a.abs()),
    *unary(log, lambda t, a: a.log(), "+"),
    *unary(sqrt, lambda t, a: a.sqrt(), "+"),
    *(
        Case(where, lambda a, b: where(MASK, a, b), shapes, lambda t, a, b: t.where(t.from_numpy(MASK), a, b))
        for shapes in [((3, 4), (3, 4)), ((4,), (3, 1)), ((), (3, 4))]
    ),
    Case(where, lambda a: where(MASK, a, a * 2), ((3, 4),), lambda t, a: t.where(t.from_numpy(MASK), a, a * 2)),
    *(
        Case(matmul, matmul, shapes, lambda t, a, b: a @ b)
        for shapes in [((2, 3), (3, 5)), ((4, 1, 2, 3), (6, 3, 5)), ((2, 3), (4, 3, 2)), ((5, 2, 3), (3, 1))]
    ),
    Case(matmul, lambda a: a @ a, ((3, 3),), lambda t, a: a @ a),
    Case(matmul, lambda a: a @ a.mT, ((2, 3),), lambda t, a: a @ a.mT),
    Case(matmul, lambda a, b: a.mT @ b.mT, ((3, 2), (5, 3)), lambda t, a, b: a.mT @ b.mT),
    *(
        Case(linear, linear, shapes, lambda t, *inputs: t.nn.functional.linear(*inputs))
        for shapes in [
            ((2, 3), (5, 3), (5,)),
            ((2, 3), (5, 3)),
            ((3,), (2, 3), (2,)),
            ((4, 1, 2, 3), (6, 3), (6,)),
            ((0, 3), (2, 3), (2,)),
        ]
    ),
    *(
        Case(linear_weight, linear_weight, shapes, lambda t, g, x: t.einsum("...o,...i->oi", g, x))
        for shapes in [((4, 2), (4, 3)), ((2,), (3,)), ((2, 1, 3, 2), (2, 1, 3, 4)), ((0, 2), (0, 3))]
    ),
    Case(linear, lambda a: linear(a, a, a[0]), ((3, 3),), lambda t, a: t.nn.functional.linear(a, a, a[0])),
    *reduction(reduce_sum, lambda t, a, axis, keep: a.sum(dim=axis, keepdim=keep)),
    *reduction(mean, lambda t, a, axis, keep: a.mean(dim=axis, keepdim=keep)),
    *reduction(reduce_max, lambda t, a, axis, keep: t.amax(a, () if axis is None else axis, keep)),
    *reduction(reduce_min, lambda t, a, axis, keep: t.amin(a, () if axis is None else axis, keep)),
    Case(remainder, lambda a, b: a % b, ((3, 4), ("+", 4)), lambda t, a, b: a - b * t.floor(a / b).detach()),
    Case(remainder, lambda a: a % 0.7, ((3, 4),), lambda t, a: a % 0.7),
    *(
        Case(ops[name], ops[name], ((3, 4),), lambda t, a, like=like: getattr(t, like)(a))
        for name, like in [
            ("sin", "sin"),
            ("cos", "cos"),
            ("expm1", "expm1"),
            ("arctan", "atan"),
            ("floor", "floor"),
            ("ceil", "ceil"),
            ("trunc", "trunc"),
            ("signs", "sign"),
            ("round_to", "round"),
        ]
    ),
    Case(ops["log1p"], ops["log1p"], (("+", 3, 4),), lambda t, a: t.log1p(a)),
    Case(ops["arcsin"], lambda a: ops["arcsin"](a * 0.1), ((3, 4),), lambda t, a: t.asin(a * 0.1)),
    Case(ops["fmod"], ops["fmod"], ((3, 4), ("+", 4)), lambda t, a, b: t.fmod(a, b)),
    Case(ops["maximum"], ops["maximum"], ((3, 4), (4,)), lambda t, a, b: t.maximum(a, b)),
    Case(ops["minimum"], ops["minimum"], ((3, 4), (4,)), lambda t, a, b: t.minimum(a, b)),
    Case(ops["clamped"], lambda a: ops["clamped"](a, min=-0.5, max=0.7), ((3, 4),), lambda t, a: t.clamp(a, -0.5, 0.7)),
    Case(ops["prod"], lambda a: ops["prod"](a, dim=1), ((3, 4),), lambda t, a: t.prod(a, 1)),
    Case(ops["prod"], ops["prod"], ((2, 3),), lambda t, a: t.prod(a)),
    Case(
        ops["prod"], lambda a: ops["prod"](where(MASK, a, 0.0), dim=0), ((3, 4),), lambda t, a: t.prod(a * t.from_numpy(MASK), 0)
    ),
    Case(ops["cumsum"], lambda a: ops["cumsum"](a, dim=1), ((3, 4),), lambda t, a: t.cumsum(a, 1)),
    Case(ops["cumprod"], lambda a: ops["cumprod"](a, dim=1), (("+", 3, 4),), lambda t, a: t.cumprod(a, 1)),
    Case(retained, retained, ((3,),), lambda t, a: a.clone()),
    Case(
        scatter_to,
        lambda a, b: scatter_to(a, b, index=(np.array([0, 2]),)),
        ((3, 4), (2, 4)),
        lambda t, a, b: a.index_copy(0, t.tensor([0, 2]), b),
    ),
    Case(
        scatter_sum,
        lambda a, b: scatter_sum(a, b, index=(ROWS,)),
        ((3, 4), (3, 4)),
        lambda t, a, b: a.index_add(0, t.from_numpy(ROWS), b),
    ),
    Case(reshape, lambda a: reshape(a, shape=(2, -1)), ((3, 4),), lambda t, a: a.reshape(2, -1)),
    Case(transpose, lambda a: transpose(a, dim0=0, dim1=-1), ((2, 3, 4),), lambda t, a: a.transpose(0, -1)),
    Case(permute, lambda a: permute(a, dims=(2, 0, 1)), ((2, 3, 4),), lambda t, a: a.permute(2, 0, 1)),
    Case(permute, lambda a: permute(a, dims=(-1, 0, -2)), ((2, 3, 4),), lambda t, a: a.permute(-1, 0, -2)),
    Case(expand, lambda a: expand(a, shape=(5, -1, 4)), ((3, 1),), lambda t, a: a.expand(5, -1, 4)),
    Case(expand, lambda a: expand(a, shape=(2, 3)) * a, ((3,),), lambda t, a: a.expand(2, 3) * a),
    *map(
        part,
        [
            1,
            -1,
            (1, 2),
            slice(1, None),
            (..., 0),
            (None, 1),
            ROWS,
            (ROWS, ROWS),
            (slice(None), [1, 1, 3]),
            MASK,
            (MASK[:, 0],),
            ([0, 0], slice(1, 3)),
            (slice(None), slice(None, None, 2)),
        ],
    ),
    Case(getitem, lambda a: a[::-1], ((3, 4),), lambda t, a: a.flip(0)),
    Case(getitem, lambda a: a[1] * a[0] + a[:2][1], ((3, 4),), lambda t, a: a[1] * a[0] + a[:2][1]),
    Case(
        put_back,
        lambda a: put_back(a, index=ROWS, shape=(4, 2)),
        ((3, 2),),
        lambda t, a: t.zeros(4, 2, dtype=a.dtype).index_add(0, t.from_numpy(ROWS), a),
    ),
    Case(cast, lambda a: cast(a, dtype=a.dtype), ((3,),), lambda t, a: a.clone()),
    joined(cat, (2, 3), (1, 3), dim=0),
    joined(cat, (2, 1, 2), (2, 3, 2), (2, 2, 2), dim=-2),
    Case(cat, lambda a: cat(a, a * a, a, dim=1), ((2, 3),), lambda t, a: t.cat([a, a * a, a], dim=1)),
    *unary(relu, lambda t, a: t.relu(a)),
    *unary(sigmoid, lambda t, a: t.sigmoid(a)),
    *unary(tanh, lambda t, a: t.tanh(a)),
    *unary(erf, lambda t, a: t.erf(a)),
    *unary(gelu, lambda t, a: t.nn.functional.gelu(a)),
    Case(gelu, lambda a: gelu(a, approximate="tanh"), ((3, 4),), lambda t, a: t.nn.functional.gelu(a, approximate="tanh")),
    *unary(leaky_relu, lambda t, a: t.nn.functional.leaky_relu(a)),
    Case(leaky_relu, lambda a: leaky_relu(a, negative_slope=0.3), ((7,),), lambda t, a: t.nn.functional.leaky_relu(a, 0.3)),
    *along(softmax, lambda t, a, dim: t.softmax(a, dim)),
    *along(log_softmax, lambda t, a, dim: t.log_softmax(a, dim)),
    *along(logsumexp, lambda t, a, dim: t.logsumexp(a, dim)),
    Case(logsumexp, lambda a: logsumexp(a, dim=1, keepdim=True) * a, ((2, 3),), lambda t, a: t.logsumexp(a, 1, keepdim=True) * a),
    *loss(mse_loss, lambda t, *x, **k: t.nn.functional.mse_loss(*x, **k), (3, 4), (3, 4)),
    *loss(cross_entropy, lambda t, *x, **k: t.nn.functional.cross_entropy(*x, **k), (4, 3), fixed=(LABELS,)),
    *loss(nll_loss, lambda t, *x, **k: t.nn.functional.nll_loss(*x, **k), (4, 3), fixed=(LABELS,)),
    *loss(
        binary_cross_entropy_with_logits,
        lambda t, *x, **k: t.nn.functional.binary_cross_entropy_with_logits(*x, **k),
        (3, 2),
        (3, 2),
    ),
    Case(
        probability_minus_truth,
        lambda a: probability_minus_truth(a, LABELS),
        ((4, 3),),
        lambda t, a: t.softmax(a, 1) - t.nn.functional.one_hot(t.from_numpy(LABELS), 3),
    ),
    Case(
        convolution,
        lambda x, w: convolution(x, w, **PLACED),
        ((2, 4, 5, 6), (4, 2, 3, 2)),
        lambda t, x, w: t.nn.functional.conv2d(x, w, **PLACED),
    ),
    Case(
        convolution,
        lambda x, w, b: convolution(x, w, b, **PLACED),
        ((2, 4, 5, 6), (4, 2, 3, 2), (4,)),
        lambda t, x, w, b: t.nn.functional.conv2d(x, w, b, **PLACED),
    ),
    Case(channel_sum, lambda x: channel_sum(x * x), ((2, 3, 2, 4),), lambda t, x: (x * x).sum((0, 2, 3))),
    Case(
        convolution,
        lambda x: convolution(x, x[:, :, :2, :2], stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1),
        ((2, 2, 4, 3),),
        lambda t, x: t.nn.functional.conv2d(x, x[:, :, :2, :2]),
    ),
    Case(
        conv2d_input,
        lambda w, g: conv2d_input(w, g, input_size=(2, 4, 5, 6), **PLACED),
        ((4, 2, 3, 2), (2, 4, 3, 4)),
        lambda t, w, g: t.nn.grad.conv2d_input((2, 4, 5, 6), w, g, **PLACED),
    ),
    Case(
        conv2d_weight,
        lambda x, g: conv2d_weight(x, g, weight_size=(4, 2, 3, 2), **PLACED),
        ((2, 4, 5, 6), (2, 4, 3, 4)),
        lambda t, x, g: t.nn.grad.conv2d_weight(x, (4, 2, 3, 2), g, **PLACED),
    ),
    Case(
        unfold,
        lambda x: unfold(x, kernel_size=(2, 3), padding=(1, 0), stride=2),
        ((2, 2, 4, 5),),
        lambda t, x: t.nn.functional.unfold(x, (2, 3), padding=(1, 0), stride=2),
    ),
    Case(
        fold,
        lambda x: fold(x, output_size=(4, 5), kernel_size=(2, 3), padding=(1, 0), stride=(2, 1)),
        ((2, 12, 9),),
        lambda t, x: t.nn.functional.fold(x, (4, 5), (2, 3), padding=(1, 0), stride=(2, 1)),
    ),
    Case(max_pooling, lambda x: max_pooling(x, **POOLED), ((2, 3, 5, 6),), lambda t, x: t.nn.functional.max_pool2d(x, **POOLED)),
    Case(
        max_pooling_backward,
        lambda g: max_pooling_backward(g, Tensor(HIGH.astype(g.dtype)), **POOLED),
        ((2, 3, 3, 3),),
        lambda t, g: pooled_back(t, g, t.tensor(HIGH, dtype=g.dtype), lambda x: t.nn.functional.max_pool2d(x, **POOLED)),
    ),
    Case(
        max_pooling_pick,
        lambda v: max_pooling_pick(v, Tensor(HIGH.astype(v.dtype)), **POOLED),
        ((2, 3, 5, 6),),
        lambda t, v: (
            v.flatten(2)
            .gather(2, t.nn.functional.max_pool2d(t.tensor(HIGH), **POOLED, return_indices=True)[1].flatten(2))
            .reshape(2, 3, 3, 3)
        ),
    ),
    Case(
        average_pooling,
        lambda x: average_pooling(x, **POOLED),
        ((2, 3, 5, 6),),
        lambda t, x: t.nn.functional.avg_pool2d(x, **POOLED),
    ),
    Case(
        average_pooling_backward,
        lambda g: average_pooling_backward(g, input_size=(2, 3, 5, 6), **POOLED),
        ((2, 3, 3, 3),),
        lambda t, g: pooled_back(t, g, t.zeros(2, 3, 5, 6, dtype=g.dtype), lambda x: t.nn.functional.avg_pool2d(x, **POOLED)),
    ),
    Case(
        channel_variance,
        lambda x: channel_variance(x, Tensor(np.full(3, 0.25, x.dtype))),
        ((2, 3, 2, 4),),
        lambda t, x: ((x - 0.25) ** 2).mean((0, 2, 3)),
    ),
    *(
        Case(
            channel_norm,
            by_channel(channel_norm, mode),
            ((2, 3, 2, 4), (3,), (3,)),
            lambda t, *x, mode=mode: normalised(t, *x, training=mode),
        )
        for mode in (True, False)
    ),
    Case(channel_norm, lambda x: batch_norm(x, None, None, eps=0.1) * x, ((2, 3, 2, 4),), lambda t, x: normalised(t, x) * x),
    *(
        Case(
            channel_norm_weight,
            lambda g, x, mode=mode: by_channel(channel_norm_weight, mode)(g, x),
            ((2, 3, 2, 4), (2, 3, 2, 4)),
            lambda t, g, x, mode=mode: norm_back(t, g, x, t.ones(3, dtype=x.dtype), argument=1, training=mode),
        )
        for mode in (True, False)
    ),
    *(
        Case(
            channel_norm_backward,
            lambda g, x, w, mode=mode: channel_norm_backward(
                g, x, w, *(by_channel(lambda *inputs, **_: inputs[2:], mode)(g, x)), eps=0.1, training=mode
            ),
            ((2, 3, 2, 4), (2, 3, 2, 4), (3,)),
            lambda t, g, x, w, mode=mode: norm_back(t, g, x, w, training=mode) + 0 * x,
        )
        for mode in (True, False)
    ),
]
every_case = pytest.mark.parametrize("case", CASES, ids=[f"{case.op.name}-{number}" for number, case in enumerate(CASES)])


def exported_ops():
    """Find all ops of the package by name, but for those of module 10, which have tests of their own."""
    for stem in imports.curriculum():
        if (imports.PACKAGE / f"{stem}.py").exists():
            importlib.import_module(f"tinytorch.{stem}")
    return {
        name: op
        for name, op in ops.items()
        if op.__module__.startswith("tinytorch.") and not isinstance(op, InPlace) and name not in IN_MODULE_10
    }


def lacking(op):
    """Say what was forgotten of an op, each with what to do."""
    name = op.name
    if not op.rules and not op.rule_of_each:
        yield f"a gradient: {name}.register_vjp(rule) beside the op (None for an input that has none)"
    if op.flops is None and name not in MOVERS:
        yield f"a cost: {name}.register_cost(...) beside the op, or a place in MOVERS if it only moves data"
    if name not in {case.op.name for case in CASES} and name not in NOT_DIFFERENTIABLE:
        yield "a case: a line in CASES, or in NOT_DIFFERENTIABLE"


def test_no_op_lacks_its_gradient_its_cost_or_its_case():
    importlib.import_module("tinytorch.profiler")  # the costs of modules 01 to 08
    assert len(exported_ops()) >= 30
    forgotten = [f"{name} of {op.__module__} lacks {what}" for name, op in exported_ops().items() for what in lacking(op)]
    assert not forgotten, "\n".join(forgotten)


def test_an_op_that_lacks_everything_is_named():
    assert [what.split(":")[0] for what in lacking(Op(lambda a: a))] == ["a gradient", "a cost", "a case"]


def test_what_has_no_gradient_says_so():
    without = {name for name, op in exported_ops().items() if op.rules and not any(op.rules)}
    assert without == NOT_DIFFERENTIABLE


def slopes(function, arrays, upstream, step=1e-5):
    """Measure the gradients of (upstream * function(*arrays)).sum(), in float64, by nudging."""
    gradients = [np.zeros_like(array) for array in arrays]
    for position, array in enumerate(arrays):
        for index in np.ndindex(array.shape):
            sides = []
            for nudge in (step, -step):
                moved = [one.copy() for one in arrays]
                moved[position][index] += nudge
                sides.append(function(*moved))
            gradients[position][index] = ((sides[0] - sides[1]) * upstream).sum() / (2 * step)
    return gradients


def leaves(arrays):
    return [Tensor(array, requires_grad=True) for array in arrays]


def close(ours, slopes):
    for one, other in zip(ours, slopes, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one.data, other, rtol=1e-6, atol=1e-7)


@every_case
def test_the_rule_gives_the_slope(case):
    arrays, rng = case.arrays(np.float64), np.random.default_rng(1)
    inputs = leaves(arrays)
    out = case.ours(*inputs)
    upstream = rng.standard_normal(out.shape)
    out.backward(Tensor(upstream))
    close([x.grad for x in inputs], slopes(lambda *moved: case.ours(*map(Tensor, moved)).data, arrays, upstream))


@every_case
def test_the_rule_has_a_rule(case):
    arrays, rng = case.arrays(np.float64), np.random.default_rng(2)
    upstream = rng.standard_normal(case.ours(*map(Tensor, arrays)).shape)

    def first(*moved):
        inputs = leaves(moved)
        return inputs, grad(case.ours(*inputs), inputs, Tensor(upstream), create_graph=True)

    inputs, gradients = first(*arrays)
    weights = [rng.standard_normal(array.shape) for array in arrays]
    total = sum((gradient * Tensor(weight)).sum() for gradient, weight in zip(gradients, weights))
    if not total.requires_grad:  # a linear function
        second = [Tensor(np.zeros_like(array)) for array in arrays]
    else:
        second = grad(total, inputs, materialize_grads=True)

    def weighted(*moved):
        return sum((gradient.data * weight).sum() for gradient, weight in zip(first(*moved)[1], weights))

    close(second, slopes(weighted, arrays, 1.0))


@every_case
def test_the_gradient_is_pytorch_s(case):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    arrays, rng = case.arrays(np.float32), np.random.default_rng(3)
    inputs, theirs = leaves(arrays), [torch.tensor(array, requires_grad=True) for array in arrays]
    out, expected = case.ours(*inputs), case.theirs(torch, *theirs)
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-5, atol=1e-5)
    upstream = rng.standard_normal(out.shape).astype(np.float32)
    out.backward(Tensor(upstream))
    expected.backward(torch.from_numpy(upstream))
    for one, other in zip(inputs, theirs):
        assert one.grad.dtype == np.float32
        np.testing.assert_allclose(one.grad.data, other.grad.numpy(), rtol=1e-5, atol=1e-5)


TIES = np.array([[2.0, 5.0, 5.0, 1.0], [3.0, 3.0, 3.0, 3.0]], np.float32)
EDGES = {  # what PyTorch gives at corners and at the ends, where nudging has no answer
    "amax shares among equal ones": (lambda a: reduce_max(a, axis=1), lambda t, a: t.amax(a, 1), TIES),
    "amax of all": (lambda a: a.max(), lambda t, a: a.max(), TIES),
    "relu at 0": (relu, lambda t, a: t.relu(a), np.array([0.0, -0.0, 1.0], np.float32)),
    "leaky_relu at 0": (leaky_relu, lambda t, a: t.nn.functional.leaky_relu(a), np.zeros(2, np.float32)),
    "abs at 0": (absolute, lambda t, a: a.abs(), np.array([0.0, -2.0], np.float32)),
    "0 ** 0": (lambda a: a**0, lambda t, a: a**0, np.zeros(2, np.float32)),
    "0 ** 2": (lambda a: a**2, lambda t, a: a**2, np.zeros(2, np.float32)),
    "0 ** a": (lambda a: power(0.0, a), lambda t, a: t.zeros(()) ** a, np.array([2.0, 0.0, 0.5], np.float32)),
    "sigmoid far out": (sigmoid, lambda t, a: t.sigmoid(a), np.array([-200.0, 200.0], np.float32)),
    "log_softmax far out": (
        lambda a: log_softmax(a, dim=0),
        lambda t, a: t.log_softmax(a, 0),
        np.array([0.0, -300.0], np.float32),
    ),
}


@pytest.mark.parametrize("edge", EDGES)
def test_corners_are_pytorch_s(edge):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    ours, theirs, array = EDGES[edge]
    x, y = Tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)
    out, expected = ours(x), theirs(torch, y)
    upstream = np.random.default_rng(4).standard_normal(out.shape).astype(np.float32)
    out.backward(Tensor(upstream))
    expected.backward(torch.from_numpy(np.asarray(upstream)))
    np.testing.assert_allclose(x.grad.data, y.grad.numpy(), rtol=1e-5, atol=1e-6)


def test_a_rule_of_the_wrong_sign_would_be_found(monkeypatch):
    monkeypatch.setattr(tanh, "rules", (lambda grad, out, a: -grad * (1 - out * out),))
    with pytest.raises(AssertionError):
        test_the_rule_gives_the_slope(next(case for case in CASES if case.op is tanh))


def test_the_error_function_s_constant():
    x = Tensor(np.zeros(1), requires_grad=True)
    erf(x).backward()
    assert x.grad.item() == pytest.approx(2 / math.sqrt(math.pi), rel=1e-12)
