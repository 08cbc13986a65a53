# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Autograd
#
# In module 04 you computed the gradients of one network by hand. A third layer, another loss or a weight that is used twice would
# need new code. In this module the framework computes the gradients itself. Each op gets a **rule** for each of its inputs; you
# write the most important rules. Then you write one **walk** that works for every network. At the end, the walk reproduces the
# gradients you derived by hand. It also computes the derivative of a derivative, which you would not want to derive by hand.
#
# ## What a result remembers
#
# `apply` (exercise 01.10) gives every result an `origin`, which holds the op, the inputs and the settings. Follow the origins back
# from a loss and you get a **graph**. The function that draws it is given.

# %%
from tito import notebook
check = notebook("05")

import matplotlib.pyplot as plt
import numpy as np
from tinytorch.losses import mlp, mlp_gradients
rng = np.random.default_rng(0)

# %%
from tinytorch.drawing.graph import draw
from tinytorch.tensor import Tensor
x, w, b = (Tensor(number, requires_grad=True) for number in (2.0, -1.5, 0.5))
error = x * w + b - 1.0
loss = error * error
draw(loss, x=x, w=w, b=b, error=error, loss=loss)

# %% [markdown]
# Read from left to right, the drawing shows how the loss was computed. Read from right to left, it shows how to find every gradient.
# Start at the right with 1, the gradient of the loss with respect to itself. Each op turns the gradient of its result into the
# gradients of its inputs, and passes them on to the left. One walk from right to left computes the gradients of all inputs,
# whether there are three of them or three million.
#
# ## A rule for each op
#
# An op passes a gradient back with a **rule** for each input:
#
# | the rule receives | |
# |---|---|
# | `grad` | the gradient of the loss with respect to the op's result; it arrives from the right |
# | `out` | the result itself |
# | `a`, `b`, ... | the inputs |
# | `axis`, `dim`, ... | the settings, with their defaults filled in |
#
# The rule returns the gradient of the loss with respect to its input. Apart from the settings, and inputs that are plain numbers,
# all of these are tensors, and a rule computes only with ops. So a rule runs on every device that the op runs on, and you can
# differentiate the rule itself later. The rules of `add` and `sub` pass the gradient on, with the opposite sign for `b` in `a - b`.
# You register them with `register_vjp`: a VJP, for vector-Jacobian product, is the usual name for such a rule.

# %%
#| export
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

# %% [markdown]
# Now a product. You can measure what to expect, as in module 04: nudge one factor, and see how much the product changes. In a
# network the product is not the last step, so multiply this rate of change by the gradient that arrives from the right. That is the
# chain rule, and every gradient rule applies it. Write the rule for the first factor. The second factor uses the same function,
# with the factors swapped.

# %% exercise="05.1" minutes=5 points=1
#| export
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
    ### BEGIN SOLUTION
    return grad * b
    ### END SOLUTION

# %% check="05.1"
check("05.1")

# %% [markdown] hint="05.1"
# Three times two is six. Make the three larger by 0.01. By how much does the product grow? Divide that by 0.01. Which of the
# four arguments has that value?

# %% [markdown] hint="05.1"
# The derivative alone is right only if the product is the loss. You also need the gradient that arrives from the right.

# %%
#| export
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

# %% [markdown]
# ## The matrix product
#
# The cell above registered rules for many ops, one for each input, and changed nothing in the modules that define the ops. You
# will see more such cells below. In exercise 04.7 you found the gradients of a layer. They were matrix products, and the shapes told
# you which factors to transpose. Here is the general case, `a @ b`. For every $j$, entry $(i, k)$ of `a` is multiplied by entry
# $(k, j)$ of `b`, and the product is part of entry $(i, j)$ of the result. So the gradient of entry $(i, k)$ is a sum over $j$:
#
# $$\frac{\partial\,\text{loss}}{\partial A_{ik}} = \sum_j G_{ij}\,B_{kj}
#   \qquad G\;(n, m),\; A\;(n, k),\; B\;(k, m)$$

# %% exercise="05.2" minutes=10 points=2
#| export
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
    ### BEGIN SOLUTION
    return grad @ b.mT
    ### END SOLUTION

# %% check="05.2"
check("05.2")

# %% [markdown] hint="05.2"
# Write down the shapes of `grad`, `b` and the result: (n, m), (k, m), (n, k). Which size is summed away, and where does it have
# to be in a matrix product?

# %% [markdown] hint="05.2"
# `b.mT` swaps the last two axes, and works on batches too. The matrix product of two tensors is `@`.

# %% [markdown]
# For the right operand the same reasoning gives `a.mT @ grad`. The given rule also stores this gradient in the memory order of `b`.
# A weight that was transposed before the product is stored column by column, and subtracting a row-by-row gradient from it would be
# many times slower.
#
# The rules of `linear` are those you found in 04.7, for any number of batch dimensions. The weight's gradient is computed by an op
# that has rules too. You will see more ops that exist only to compute a gradient. The bias is added to every row of the result, so
# its gradient is the sum of the gradients of all rows. That comes up again below, with broadcasting.

# %%
#| export
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

# %% [markdown]
# ## Sums
#
# Every entry of an array counts once in its sum, so every entry receives the gradient of that sum. The difficulty is the shape.
# Summed along axis 1, `(2, 3)` becomes `(2,)`, which does not line up with `(2, 3)`. The shape `(2, 1)` does line up, and
# `kept_shape((2, 3), 1)`, given above, returns it. `kept_shape` also accepts `axis=None` and tuples of axes.

# %% exercise="05.3" minutes=10 points=2
#| export
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
    ### BEGIN SOLUTION
    return grad.reshape(kept_shape(a.shape, axis)).expand(a.shape)
    ### END SOLUTION

# %% check="05.3"
check("05.3")

# %% [markdown] hint="05.3"
# Two steps. Give `grad` the shape in which the summed axes have size 1, whether or not `keepdims` kept them. Then stretch those
# axes to the sizes they have in `a`.

# %% [markdown] hint="05.3"
# You wrote both steps in module 01, and tensors have them as methods: `reshape` and `expand`.

# %%
#| export
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

# %%
#| export
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

# %% [markdown]
# ## The gradients of stretched entries add up
#
# A bias of shape `(3,)` is added to each of 5 examples. Each entry is used five times, and each use sends back a gradient, so the
# gradient that arrives has shape `(5, 3)`, not `(3,)`. The gradient of an entry that is used several times is the sum of the
# gradients that come back. So sum over every axis that broadcasting added in front, and drop it. Also sum over every axis of
# size 1 that broadcasting stretched, but keep it. You have seen the reverse: the gradient of a sum is an expansion. Here the gradient
# of an expansion is a sum.
#
# The rules of `a + b`, `a * b` and `expand` above ignore this. Instead, one function corrects the shape for all ops. Write it now.

# %% exercise="05.4" minutes=15 points=3
#| export
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
    ### BEGIN SOLUTION
    new = grad.ndim - len(shape)
    if new:
        grad = grad.sum(tuple(range(new)))
    ones = tuple(i for i, n in enumerate(shape) if n == 1)  # if not stretched, summing is harmless
    return grad.sum(ones, keepdim=True) if ones else grad
    ### END SOLUTION

# %% check="05.4"
check("05.4")

# %% [markdown] hint="05.4"
# Write `shape` below the shape of `grad`, lined up from the right as in exercise 01.1. An axis on the left with nothing below it
# was added; a 1 below something larger was stretched.

# %% [markdown] hint="05.4"
# The added axes are the first `grad.ndim - len(shape)` axes. Sum over them first. Then `grad.shape` and `shape` have the same
# length, and you can go through both together.

# %% [markdown] hint="05.4"
# `sum` takes a tuple of axes. The added axes must go, and the stretched ones must stay with size 1. So you need two sums, one of
# them with `keepdim`. If nothing was stretched, there is nothing to sum.

# %% [markdown]
# ## ReLU
#
# ReLU passes a gradient on where its input was positive, as in exercise 04.8. Now write this with ops on tensors. Comparing a
# tensor with a number is an op too. Where the input was 0, the gradient is 0.

# %% exercise="05.5" minutes=5 points=1
#| export
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
    ### BEGIN SOLUTION
    return grad * (out != 0)  # true for nan, too: its gradient passes, as in PyTorch
    ### END SOLUTION

# %% check="05.5"
check("05.5")

# %% [markdown] hint="05.5"
# The sign of `grad` does not matter. A negative gradient is passed on like any other.

# %% [markdown] hint="05.5"
# You can compare either `out` or `a` with 0. `where` is an op too. In a product, True and False count as 1 and 0.

# %% [markdown]
# ## Softmax
#
# In a softmax, every probability depends on every score. If you raise one score, all other probabilities fall, because the
# probabilities $p$ sum to 1. The next cell nudges each score and draws how much every probability changes.

# %%
scores, step = np.array([2.0, 1.0, 0.0, -1.0, 1.5]), 1e-5
changes = [(softmax.forward(scores + nudge) - softmax.forward(scores - nudge)) / (2 * step)
           for nudge in step * np.eye(5)]
plt.matshow(np.transpose(changes), cmap="RdBu", vmin=-0.25, vmax=0.25)
plt.gca().set(title="change of probability i (row) per unit of score j (column)")
print("sum of each column:", np.sum(changes, axis=1).round(6))

# %% [markdown]
# Probability $i$ changes by $p_i\,([i = j] - p_j)$ per unit of score $j$, where $[i = j]$ is 1 if $i$ equals $j$ and 0 otherwise.
# Multiply this by the gradient $G_i$ that arrives at probability $i$, add up over $i$, and you have the rule:
#
# $$\frac{\partial\,\text{loss}}{\partial a_j} = \sum_i G_i\, p_i\,([i = j] - p_j) = p_j \Bigl(G_j - \sum_i G_i\, p_i\Bigr)$$
#
# The columns of the figure sum to 0. So if the same gradient arrives at every probability, the result is 0 for any scores. A test
# that sends ones back through a softmax proves very little, because many wrong rules return 0 too. The checks here never do that.

# %% exercise="05.6" minutes=15 points=3
#| export
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
    ### BEGIN SOLUTION
    return out * (grad - (grad * out).sum(dim, keepdim=True))
    ### END SOLUTION

# %% check="05.6"
check("05.6")

# %% [markdown] hint="05.6"
# Read the right side of the formula from the inside out: a product entry by entry, a sum along `dim`, a difference, a product.
# You do not need a matrix.

# %% [markdown] hint="05.6"
# The sum has to line up with `grad` again. Which setting of `sum` keeps the summed axis?

# %%
#| export
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

# %% [markdown]
# ## Losses
#
# The gradient of the cross-entropy is probability minus truth (exercise 04.6). It is given above as an op, because every training
# step needs it. What is new is how the loss's gradient reaches each example. With reduction `"mean"`, N examples share the one
# gradient that arrives. With `"sum"`, each example receives all of it. With `"none"`, each example has a gradient of its own.
# `share(grad, count, reduction)`, given above, handles the first two.

# %% exercise="05.7" minutes=15 points=3
#| export
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
    ### BEGIN SOLUTION
    each = share(grad, len(logits), reduction)
    if reduction == "none":
        each = each.reshape(-1, 1)
    return each * probability_minus_truth(logits, labels)
    ### END SOLUTION

# %% check="05.7"
check("05.7")

# %% [markdown] hint="05.7"
# How many share the gradient of a mean? The examples, not the scores: N, not N times C.

# %% [markdown] hint="05.7"
# With `"none"`, gradient n multiplies row n. A tensor of shape (N,) lines up with the columns of (N, C); which shape lines up
# with its rows?

# %%
#| export
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

# %% [markdown]
# ## In which order?
#
# Every op has its rules. Now comes the walk. Look at the first drawing again: `error` is used twice, so it receives two gradients
# and passes on their sum. If you walk on from `error` after the first gradient, you pass on too little. A tensor has to wait until
# you have visited everything that was computed from it.
#
# A **topological order** lists every tensor after the tensors it was computed from. Walk through it from the end, and you reach
# every tensor at the right time. The usual way to find such an order is a depth-first search that lists a tensor once all its inputs
# are listed. Python stops recursion at about a thousand levels, and graphs can be deeper, so keep a list of what is left to do
# instead. `wanted_inputs(tensor)`, given above, lists the inputs to visit. Leave out the leaves, because they have no inputs and
# pass nothing on. To know whether you have met a tensor before, use a **set**: `in` on a list compares with `==`, and `==` compares
# the entries of tensors.

# %% exercise="05.8" minutes=20 points=4
#| export
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
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% check="05.8"
check("05.8")

# %% [markdown] hint="05.8"
# A tensor comes off the to-do list twice. The first time, its inputs have to be done before it. The second time, they are done and
# you can list the tensor. How do you tell the two times apart?

# %% [markdown] hint="05.8"
# Put pairs on the stack: a tensor, and whether its inputs are already listed. When you meet a tensor for the first time, put it back
# with True, and its inputs on top of it with False.

# %% [markdown] hint="05.8"
# A tensor that is used twice is put on the stack twice. Keep a set of the tensors you have met, so that you list none twice. Add a
# tensor to the set when it comes off the stack, not when it goes on.

# %%
#| export
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

# %% [markdown]
# ## The walk
#
# Keep a dict of the gradients that have arrived so far, and walk through the order from its end. When you reach a tensor, you have
# visited everything computed from it, so its gradient is complete. Take the gradient out of the dict and pass it on.
# `input_gradients(tensor, grad)`, given above, runs the rules and fits their results to the inputs' shapes with your `unbroadcast`.
# **Add** each gradient that arrives to those that arrived before. At the end, the dict holds the gradients of the leaves.
#
# A graph holds every intermediate result, which is most of the memory that training needs. So the walk frees the graph as it goes:
# `free(tensor)`, given above, cuts a visited tensor off from its inputs.

# %% exercise="05.9" minutes=20 points=4
#| export
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
    ### BEGIN SOLUTION
    order = topological_order(*gradients)
    while order:
        tensor = order.pop()
        grad = gradients[tensor] if tensor in watched else gradients.pop(tensor)
        for x, part in input_gradients(tensor, grad):
            gradients[x] = gradients[x] + part if x in gradients else part
        if not keep_graph:
            free(tensor)
    ### END SOLUTION

# %% check="05.9"
check("05.9")

# %% [markdown] hint="05.9"
# Take tensors from the end of the order until it is empty: `order.pop()`. A `for` loop over the reversed order works too, but keeps
# every tensor in memory until it ends.

# %% [markdown] hint="05.9"
# `gradients.pop(tensor)` takes a gradient out of the dict; `gradients[tensor]` leaves it there, which is right for a watched tensor.

# %% [markdown] hint="05.9"
# If an input is used twice, or by two tensors, the dict already holds a gradient for it the second time. Add to that gradient; do
# not replace it. Free a tensor last, after its inputs have their gradients.

# %%
gradients = {loss: Tensor(1.0)}
walk(gradients, keep_graph=True, watched=set(topological_order(loss)))
draw(loss, gradients, x=x, w=w, b=b, error=error, loss=loss)

# %% [markdown] question="05.1"
# `error` is -3.5, and its gradient is -7. Which two gradients arrived there, and why are they equal? What would the gradient of `x`
# be if the second one had overwritten the first?

# %% [markdown]
# ## Without a graph
#
# The walk computes with ops, and every op call is recorded, so the gradients would build a graph of their own. You also want no
# graph when you only use a network. The flag `state.recording` (in `tinytorch/given/state.py`) decides whether ops are recorded.
# Write a **context manager** that sets it: `with recording(False):` turns recording off for a block. Whatever happens in the
# block, even an exception, the context manager restores the previous value, which need not be True. The decorator `@contextmanager`
# turns a generator that yields once into a context manager. The code before the `yield` runs at the start of the block, and the
# code after it runs at the end.

# %% exercise="05.10" minutes=10 points=2
#| export
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
    ### BEGIN SOLUTION
    before, state.recording = state.recording, on
    try:
        yield
    finally:
        state.recording = before
    ### END SOLUTION

# %% check="05.10"
check("05.10")

# %% [markdown] hint="05.10"
# Three steps: save the old value, set the new one, yield. And a fourth, after the block.

# %% [markdown] hint="05.10"
# An exception inside the block is raised at your `yield`. `try` and `finally` make sure that the last step still happens.

# %%
#| export
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

# %% [markdown]
# ## backward
#
# `loss.backward()` is a walk that stores every leaf's gradient in the leaf's `grad`. Only leaves keep a gradient, as in PyTorch,
# because keeping the others would waste memory. Calling backward twice, for two losses or two halves of a batch, **adds up** the
# gradients. That is why PyTorch programs clear them before every step.
#
# Two functions are given in `tinytorch/given/walk.py`. `first_gradient(root, gradient)` checks the gradient that the walk starts
# with, and returns it. `unshared(gradients)` takes the dict of a finished walk, copies gradients that share memory, and returns
# the dict. Without the copies, changing one gradient in place would change another.
# `@register("backward")` makes `loss.backward()` call your function.

# %% exercise="05.11" minutes=15 points=3
#| export
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
    ### BEGIN SOLUTION
    keep_graph = create_graph if retain_graph is None else retain_graph
    with recording(create_graph):
        gradients = {root: first_gradient(root, gradient)}
        walk(gradients, keep_graph)
        for leaf, part in unshared(gradients).items():
            leaf.grad = part if leaf.grad is None else leaf.grad + part
    ### END SOLUTION

# %% check="05.11"
check("05.11")

# %% [markdown] hint="05.11"
# Everything happens inside one block in which ops are recorded or not. Which argument decides that?

# %% [markdown] hint="05.11"
# `walk` takes a dict from the root to its first gradient, and changes that dict. Pass the dict to `unshared`, and loop over what
# it returns.

# %% [markdown] hint="05.11"
# A leaf's `grad` is None until a gradient arrives. If there is one already, make the sum a new tensor, with `+` and not `+=`,
# because other code may still use the old tensor.

# %% [markdown] question="05.2"
# The next cell times three things: a layer's forward pass; forward and backward together; and forward and backward together with
# images that require a gradient. **Predict** the ratios before you run it. Count matrix products: how many run forward, and how many
# backward? How many if the images require no gradient?

# %%
images = Tensor(rng.standard_normal((512, 784), np.float32))
weight = Tensor(rng.standard_normal((784, 784), np.float32), requires_grad=True)
# %timeit -n 5 -r 5 images @ weight
# %timeit -n 5 -r 5 (images @ weight).sum().backward()
images_with_grad = Tensor(images.data, requires_grad=True)
# %timeit -n 5 -r 5 (images_with_grad @ weight).sum().backward()

# %% [markdown]
# ## Trust, but measure
#
# A wrong rule raises no error, and the network may even learn, only less well. So compare every rule with finite differences: nudge
# each input and measure the change, as in module 04. Four things decide whether such a **gradient check** finds mistakes:
#
# - It runs in **float64**, where nudging by 0.00001 leaves enough digits. `in_float64(inputs)` is given.
# - It starts with a **random** gradient, because ones hide mistakes (in a softmax, many of them).
# - It looks at the **relative** error, because an error of 0.001 is small for a gradient of 1000 and large for one of 0.001.
# - It shows **where** a gradient is wrong. The given `GradcheckError` finds the worst entry.
#
# `numeric_gradient`, given in `tinytorch/given/gradient_check.py`, computes finite differences as you did in module 04.
# `grad(out, x, upstream)`, given above, is a walk that starts with `upstream` and returns the gradient of `x` in a tuple, instead of
# storing it. With `materialize_grads=True` it returns zeros if no gradient arrives.

# %% exercise="05.12" minutes=20 points=4
#| export
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
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% check="05.12"
check("05.12")

# %% [markdown] hint="05.12"
# Before the loop, compute the inputs in float64, the result, and one random tensor of its shape. In the loop, for every input that is
# a tensor and requires a gradient, compute two gradients and their relative error.

# %% [markdown] hint="05.12"
# The same graph is walked once for each argument, so it must not be freed. Pass the same `upstream` to `grad` and to
# `numeric_gradient`.

# %% [markdown] hint="05.12"
# The relative error is an array: `np.maximum` takes the larger of two arrays entry by entry. Ask whether all errors are at most
# the tolerance, not whether one is above it: `nan > tolerance` is False, and so is `nan <= tolerance`.

# %%
@op
def cube(a): return a * a * a

cube.register_vjp(lambda grad, out, a: grad * 3 * a)   # the square is missing
try: gradcheck(cube, Tensor([0.5, 2.0, -1.0]))
except GradcheckError as mistake: print(mistake)

# %% [markdown]
# ## Checked against the gradients you derived by hand
#
# Module 04's `mlp_gradients` goes back through one network, line by line, as you wrote it. The walk of this module contains nothing
# specific to that network. Both get the same batch, for a network with 101,770 parameters.
#
# A rule is written with ops, and `create_graph=True` records them. Then a gradient has a graph of its own, and the same walk goes
# back through it. The second cell below draws tanh and its first three derivatives.

# %%
model, labels = mlp(784, 128, 10, rng=rng), Tensor(rng.integers(10, size=64))
images = Tensor(rng.standard_normal((64, 784), np.float32))
mlp_gradients(model, images, labels)
walked = grad(cross_entropy(model(images), labels), list(model.parameters()))
for (name, parameter), ours in zip(model.named_parameters(), walked):
    print(f"{name:10} differs by at most {abs(ours.data - parameter.grad.data).max():.0e}")

# %%
points = Tensor(np.linspace(-4, 4, 200), requires_grad=True)
curve = tanh(points)
for order in range(4):
    plt.plot(points.data, curve.data, label=f"after {order} walks")
    (curve,) = grad(curve.sum(), points, create_graph=True)
plt.legend();

# %% [markdown]
# Each walk gives two hundred slopes at once, because every point of the curve depends only on its own x. Save the notebook, then
# run
#
# ```
# tito module complete 05
# tito milestone run mnist-mlp --gradients autograd
# ```
#
# The second command trains module 04's network again, this time with gradients that your autograd computes.
