# Made by tito from modules/10_kernels/kernels.py: edit that file, then run `tito module complete 10`.

# kernels.py, cell 8
"""Kernels for the CPU: loops that numba compiles, registered on the ops of earlier modules."""
import functools
import math

import numpy as np

from tinytorch import losses
from tinytorch.activations import gelu, log_softmax, relu, softmax
from tinytorch.autograd import probability_minus_truth, share, softmax_rule
from tinytorch.given.numba_kernels import compiled_for, fall_back, fixed, jit, prange
from tinytorch.given.numba_kernels.arithmetic import erf32, exp32, largest
from tinytorch.losses import check_labels, cross_entropy, reduce_losses
from tinytorch.given.op import op
from tinytorch.optim import adam_update, adamw_update, momentum_update, sgd_update

REORDER = {"reassoc", "contract", "nsz"}  # sums in any order, as in NumPy; nan and inf stay right


# kernels.py, cell 10
@jit(fastmath=REORDER)
def gelu_loop(a, out):
    """Apply the exact GELU to every entry, in one pass.

    Args:
        a: float32 array of shape (n,); it is not changed.
        out: float32 array of shape (n,) to write to.

    Returns:
        None. Afterwards ``out[i]`` is ``x / 2 * (1 + erf(x / sqrt(2)))`` for ``x = a[i]``; `erf32`
        is the error function of one number.

    Example:
        >>> a, out = np.array([-1.0, 0.0, 2.0], np.float32), np.zeros(3, np.float32)
        >>> gelu_loop.py_func(a, out)
        >>> out.round(4)
        array([-0.1587,  0.    ,  1.9545], dtype=float32)

    Source:
        Hendrycks and Gimpel, Gaussian Error Linear Units, 2016, section 2.
    """
    half, one, scale = np.float32(0.5), np.float32(1), np.float32(math.sqrt(0.5))
    for i in range(a.size):
        out[i] = half * a[i] * (one + erf32(scale * a[i]))


# kernels.py, cell 17
def covers(*arrays):
    """Return whether compiled loops can run on some arrays.

    Args:
        arrays: NumPy arrays of any shapes and dtypes, or Python numbers.

    Returns:
        True if every argument is a NumPy array of float32 with at least one entry, in one piece of
        memory and in the order of its indices (``flags.carray``); otherwise False.

    Example:
        >>> a = np.ones((2, 3), np.float32)
        >>> covers(a), covers(a, a.T), covers(a, 2.0)
        (True, False, False)

    Source:
        NumPy reference, "numpy.ndarray.flags".
    """
    return all(isinstance(a, np.ndarray) and a.dtype == np.float32 and a.flags.carray and a.size > 0
               for a in arrays)


# kernels.py, cell 22
@jit(fastmath=REORDER)
def gelu_tanh_loop(a, out):
    """Apply the GELU with tanh to every entry, in one pass."""
    scale, cubic = np.float32(-2 * math.sqrt(2 / math.pi)), np.float32(0.044715)
    for i in range(a.size):
        x = a[i]
        out[i] = x / (np.float32(1) + exp32(scale * (x + cubic * x * x * x)))


# kernels.py, cell 23
def by_entries(loop, *arrays):
    """Run a loop over all entries of arrays of the same shape, and return its result."""
    out = np.empty_like(arrays[0])
    loop(*(array.reshape(-1) for array in (*arrays, out)))
    return out


# kernels.py, cell 24
@gelu.register_kernel("numba")
def gelu_numba(a, *, approximate="none"):
    """Run gelu in one pass, if a loop covers the array."""
    loop = {"none": gelu_loop, "tanh": gelu_tanh_loop}.get(approximate)
    if loop is None or not covers(a):
        return fall_back(gelu, a, approximate=approximate)
    return by_entries(loop, a)


# kernels.py, cell 27
@jit
def relu_backward_loop(grad, out, result):
    """Keep a gradient where the output of ReLU is above 0, in one pass."""
    for i in range(grad.size):
        result[i] = np.float32(0) if out[i] <= 0 else grad[i]  # nan passes


relu_backward = op(losses.relu_backward)
relu_backward.register_vjp(lambda again, result, grad, out: relu_backward(again, out), None)
relu_backward.register_cost(lambda result, grad, out: 2 * result.size)
relu.register_vjp(lambda grad, out, a: relu_backward(grad, out))


# kernels.py, cell 28
@relu_backward.register_kernel("numba")
def relu_backward_numba(grad, out):
    """Run relu_backward in one pass, if the loop covers the arrays."""
    if covers(grad, out) and grad.shape == out.shape:
        return by_entries(relu_backward_loop, grad, out)
    return fall_back(relu_backward, grad, out)


# kernels.py, cell 30
@jit(fastmath=REORDER)
def softmax_rows(a, out):
    """Turn every row of scores into probabilities that sum to 1.

    Args:
        a: float32 array of shape (n, m), with n and m at least 1; it is not changed.
        out: float32 array of shape (n, m) to write to.

    Returns:
        None. Afterwards ``out[i, j]`` is ``exp(a[i, j] - top)`` divided by the sum over k of
        ``exp(a[i, k] - top)``, where top is the largest entry of row i. `largest` and `exp32`
        compute with one row and one number.

    Example:
        >>> a, out = np.array([[9, 9], [0, np.log(3)]], np.float32), np.zeros((2, 2), np.float32)
        >>> softmax_rows.py_func(a, out)
        >>> out.round(4)
        array([[0.5 , 0.5 ],
               [0.25, 0.75]], dtype=float32)

    Source:
        Milakov and Gimelshein, Online normalizer calculation for softmax, 2018, algorithm 2.
    """
    for i in range(a.shape[0]):
        top, total = largest(a[i]), np.float32(0)
        for j in range(a.shape[1]):
            out[i, j] = exp32(a[i, j] - top)
            total += out[i, j]
        for j in range(a.shape[1]):
            out[i, j] /= total


# kernels.py, cell 34
@jit(fastmath=REORDER)
def log_softmax_rows(a, out):
    """Take the logarithm of every row's softmax: score, minus the largest, minus a logarithm."""
    for i in range(a.shape[0]):
        top, total = largest(a[i]), np.float32(0)
        for j in range(a.shape[1]):
            total += exp32(a[i, j] - top)
        log_total = np.float32(math.log(total))
        for j in range(a.shape[1]):
            out[i, j] = a[i, j] - top - log_total


# kernels.py, cell 35
def by_rows(op, loop, a, dim):
    """Run a loop over the rows of an array, if it covers the array and ``dim`` is the last axis."""
    if not (covers(a) and a.ndim > 0 and dim in (-1, a.ndim - 1)):
        return fall_back(op, a, dim=dim)
    out, width = np.empty_like(a), a.shape[-1]
    loop(a.reshape(-1, width), out.reshape(-1, width))
    return out


# kernels.py, cell 36
@softmax.register_kernel("numba")
def softmax_numba(a, *, dim=-1): return by_rows(softmax, softmax_rows, a, dim)


@log_softmax.register_kernel("numba")
def log_softmax_numba(a, *, dim=-1): return by_rows(log_softmax, log_softmax_rows, a, dim)


# kernels.py, cell 39
@jit(fastmath=REORDER)
def loss_rows(logits, labels, losses):
    """Compute the cross-entropy of every row of scores.

    Args:
        logits: float32 array of shape (n, m), with n and m at least 1; it is not changed.
        labels: int64 array of shape (n,): the true class of each row, from 0 to m - 1.
        losses: float32 array of shape (n,) to write to.

    Returns:
        None. Afterwards ``losses[i]`` is the logarithm of the sum over j of
        ``exp(logits[i, j] - top)``, plus top, minus ``logits[i, labels[i]]``, where top is the
        largest entry of row i. The result is right for scores of any size.

    Example:
        >>> logits, losses = np.array([[0, 0], [999, 0]], np.float32), np.zeros(2, np.float32)
        >>> loss_rows.py_func(logits, np.array([0, 1]), losses)
        >>> losses.round(4)
        array([6.931e-01, 9.990e+02], dtype=float32)

    Source:
        Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.2.2.3.
    """
    for i in range(logits.shape[0]):
        top, total = largest(logits[i]), np.float32(0)
        for j in range(logits.shape[1]):
            total += exp32(logits[i, j] - top)
        losses[i] = math.log(total) + top - logits[i, labels[i]]


# kernels.py, cell 44
@jit(fastmath=REORDER)
def gradient_rows(logits, labels, scale, grad):
    """Compute the gradient of the cross-entropy of every row of scores.

    Args:
        logits: float32 array of shape (n, m), with n and m at least 1; it is not changed.
        labels: int64 array of shape (n,): the true class of each row, from 0 to m - 1.
        scale: float32 array of shape (n,), the gradient that arrives at the loss of each row.
        grad: float32 array of shape (n, m) to write to.

    Returns:
        None. Afterwards ``grad[i, j]`` is ``scale[i] * (p[i, j] - (1 if j == labels[i] else 0))``,
        where p is the softmax of row i.

    Example:
        >>> logits, grad = np.zeros((1, 4), np.float32), np.zeros((1, 4), np.float32)
        >>> gradient_rows.py_func(logits, np.array([2]), np.array([10], np.float32), grad)
        >>> grad
        array([[ 2.5,  2.5, -7.5,  2.5]], dtype=float32)

    Source:
        Bridle, Training stochastic model recognition algorithms as networks, 1989.
    """
    for i in range(logits.shape[0]):
        top, total = largest(logits[i]), np.float32(0)
        for j in range(logits.shape[1]):
            grad[i, j] = exp32(logits[i, j] - top)
            total += grad[i, j]
        factor = scale[i] / total
        for j in range(logits.shape[1]):
            grad[i, j] *= factor
        grad[i, labels[i]] -= scale[i]


# kernels.py, cell 48
@jit
def outside(labels, classes):
    """Return whether a label is not a valid class."""
    wrong = 0
    for label in labels:
        wrong += label < 0 or label >= classes
    return wrong > 0


# kernels.py, cell 49
def label_rows(logits, labels):
    """Return checked labels in the form that loops take; None if the loops do not cover them."""
    if not (covers(logits) and isinstance(labels, np.ndarray) and labels.dtype.kind in "iu"
            and logits.ndim == 2 and labels.shape == logits.shape[:1]):
        return None
    fit = labels.dtype == np.int64 and labels.flags.carray
    rows = labels if fit else labels.astype(np.int64)
    if outside(rows, logits.shape[1]):
        check_labels(logits, labels)
    return rows


# kernels.py, cell 50
@cross_entropy.register_kernel("numba")
def cross_entropy_numba(logits, labels, *, reduction="mean"):
    """Run cross_entropy row by row, if the loop covers the arrays."""
    rows = label_rows(logits, labels)
    if rows is None:
        return fall_back(cross_entropy, logits, labels, reduction=reduction)
    losses = np.empty(len(rows), np.float32)
    loss_rows(logits, rows, losses)
    total = np.add.reduce(losses)
    if total != total:  # nan; for an infinite score, the loop gives nan where NumPy gives inf
        return fall_back(cross_entropy, logits, labels, reduction=reduction)
    if reduction == "mean":
        return total / np.float32(losses.size)  # np.mean takes three times as long
    return reduce_losses(losses, reduction)


# kernels.py, cell 51
@op
def cross_entropy_gradient(grad, logits, labels, *, reduction):
    """Turn the gradient of the cross-entropy into that of the logits; see `cross_entropy_rule`."""
    out = probability_minus_truth.forward(logits, labels)
    out *= grad / len(logits) if reduction == "mean" else np.reshape(grad, (-1, 1))
    return out


def for_grad(again, out, grad, logits, labels, reduction):
    """Return the gradient of the gradient that arrived."""
    rows = (again * probability_minus_truth(logits, labels)).sum(1)
    return rows if reduction == "none" else share(rows.sum(), len(logits), reduction)


def for_logits(again, out, grad, logits, labels, reduction):
    """Return the second derivative: that of the softmax."""
    each = share(grad, len(logits), reduction).reshape(-1, 1)
    return softmax_rule(again * each, softmax(logits, dim=1), logits, 1)


cross_entropy_gradient.register_shapes(None, "n c", "n")
cross_entropy_gradient.register_vjp(for_grad, for_logits, None)
cross_entropy_gradient.register_cost(lambda out, *arrays, reduction: 6 * out.size)
cross_entropy.register_vjp(lambda grad, out, logits, labels, reduction:
                           cross_entropy_gradient(grad, logits, labels, reduction=reduction), None)


@cross_entropy_gradient.register_kernel("numba")
def cross_entropy_gradient_numba(grad, logits, labels, *, reduction):
    """Run cross_entropy_gradient row by row, if the loop covers the arrays."""
    rows = label_rows(logits, labels)
    if rows is None:
        return fall_back(cross_entropy_gradient, grad, logits, labels, reduction=reduction)
    scale, out = np.empty(len(labels), np.float32), np.empty_like(logits)
    scale[...] = grad / len(labels) if reduction == "mean" else grad
    gradient_rows(logits, rows, scale, out)
    return out


# kernels.py, cell 54
@jit(fastmath=REORDER)
def adam_loop(param, grad, mean, square, beta1, beta2, rest1, rest2, rate, root, eps, shrink):
    """Take one step of Adam or AdamW, in place and in one pass.

    Args:
        param: float32 array of shape (n,); it is changed.
        grad: float32 array of shape (n,), the gradient; it is not changed.
        mean: float32 array of shape (n,), the running mean of the gradients; it is changed.
        square: float32 array of shape (n,), the running mean of their squares; it is changed.
        beta1: float32, the fraction of ``mean`` that is kept.
        beta2: float32, the fraction of ``square`` that is kept.
        rest1: float32, ``1 - beta1``, computed before rounding.
        rest2: float32, ``1 - beta2``, computed before rounding.
        rate: float32, the learning rate, corrected for a mean that starts at 0.
        root: float32, the factor that corrects ``sqrt(square)`` in the same way.
        eps: float32, added to that product.
        shrink: float32, the factor on ``param`` before its step.

    Returns:
        None. ``mean[i]`` becomes ``beta1 * mean[i] + rest1 * grad[i]``, ``square[i]`` becomes
        ``beta2 * square[i] + rest2 * grad[i] ** 2``, and then ``param[i]`` becomes
        ``shrink * param[i] - rate * mean[i] / (root * sqrt(square[i]) + eps)``.

    Example:
        >>> param, grad, mean, square = np.array([[1], [4], [0], [0]], np.float32)
        >>> numbers = 0.9, 0.999, 0.1, 0.001, 1.0, 31.6227766, 1e-8, 1.0
        >>> adam_loop.py_func(param, grad, mean, square, *numbers)
        >>> param.round(6)
        array([0.9], dtype=float32)

    Source:
        Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015, algorithm 1.
    """
    for i in range(param.size):
        g = grad[i]
        m, s = beta1 * mean[i] + rest1 * g, beta2 * square[i] + rest2 * g * g
        mean[i], square[i] = m, s
        param[i] = shrink * param[i] - rate * m / (root * np.sqrt(s) + eps)


# kernels.py, cell 58
def adam_numbers(*, step, lr, betas=(0.9, 0.999), eps=1e-8):
    """Return a step's numbers: betas, rests, rate, root, eps; rounded to float32 at the end."""
    beta1, beta2 = betas
    rate, root = lr / (1 - beta1 ** step), 1 / math.sqrt(1 - beta2 ** step)
    return [np.float32(x) for x in (beta1, beta2, 1 - beta1, 1 - beta2, rate, root, eps)]


@adam_update.register_kernel("numba")
def adam_numba(param, grad, mean, square, scratch, *, shrink=1.0, **settings):
    """Take Adam's step in one pass, if the loop covers the arrays."""
    if not covers(param, grad, mean, square):
        param *= shrink
        return fall_back(adam_update, param, grad, mean, square, scratch, **settings)
    rows = [array.reshape(-1) for array in (param, grad, mean, square)]
    adam_loop(*rows, *adam_numbers(**settings), np.float32(shrink))


@adamw_update.register_kernel("numba")
def adamw_numba(*arrays, weight_decay, lr, **settings):
    """Shrink the weights and take Adam's step, in the same pass."""
    adam_numba(*arrays, shrink=1 - lr * weight_decay, lr=lr, **settings)


# kernels.py, cell 59
@jit(fastmath=REORDER)
def sgd_loop(param, grad, lr):
    """Take one step of gradient descent, in one pass."""
    for i in range(param.size):
        param[i] -= lr * grad[i]


@sgd_update.register_kernel("numba")
def sgd_numba(param, grad, scratch, *, lr):
    """Take the step in one pass, if the loop covers the arrays."""
    if not covers(param, grad):
        return fall_back(sgd_update, param, grad, scratch, lr=lr)
    sgd_loop(param.reshape(-1), grad.reshape(-1), np.float32(lr))


@jit(fastmath=REORDER)
def momentum_loop(param, grad, velocity, lr, momentum, nesterov):
    """Take one step of gradient descent with momentum, in one pass."""
    for i in range(param.size):
        g = grad[i]
        v = velocity[i] = momentum * velocity[i] + g
        param[i] -= lr * (g + momentum * v if nesterov else v)


@momentum_update.register_kernel("numba")
def momentum_numba(param, grad, velocity, scratch, *, lr, momentum, nesterov=False):
    """Take the step in one pass, if the loop covers the arrays."""
    if not covers(param, grad, velocity):
        return fall_back(momentum_update, param, grad, velocity, scratch, lr=lr,
                         momentum=momentum, nesterov=nesterov)
    rows = [array.reshape(-1) for array in (param, grad, velocity)]
    momentum_loop(*rows, np.float32(lr), np.float32(momentum), nesterov)


# kernels.py, cell 60
# `tinytorch.capture` replays a step: each kernel fixes its arrays once, then only loops run.
def rows_of(*arrays): return [array.reshape(-1) for array in arrays]


@relu_backward.register_prepared("numba")
def prepare_relu_backward(result, scratch, grad, out):
    """Fix the arrays of the loop."""
    if covers(grad, out, result):
        return [fixed(relu_backward_loop, *rows_of(grad, out, result))]


@cross_entropy.register_prepared("numba")
def prepare_cross_entropy(out, scratch, logits, labels, *, reduction):
    """Fix the arrays of the two passes; the mean is taken of the second one's result."""
    if reduction != "mean" or not plain_labels(logits, labels):
        return None
    losses, count = scratch((len(labels),), np.float32), np.float32(len(labels))

    def take_mean():
        total = np.add.reduce(losses)
        out[...] = total / count if total == total else cross_entropy.forward(logits, labels)

    return [label_check(logits, labels), fixed(loss_rows, logits, labels, losses), take_mean]


@cross_entropy_gradient.register_prepared("numba")
def prepare_cross_entropy_gradient(out, scratch, grad, logits, labels, *, reduction):
    """Fix the arrays of both loops."""
    if not plain_labels(logits, labels):
        return None
    scale, count = scratch((len(labels),), np.float32), len(labels)

    def share_grad():
        scale[...] = grad[()] / count if reduction == "mean" else grad

    return [label_check(logits, labels), share_grad,
            fixed(gradient_rows, logits, labels, scale, out)]


def label_check(logits, labels):
    """Return a call that raises an error for invalid labels, before loops read out of bounds."""
    wrong = fixed(outside, labels, logits.shape[1])

    def call():
        if wrong():
            check_labels(logits, labels)

    return call


def plain_labels(logits, labels):
    """Return whether the loops cover the logits, and the labels are contiguous int64."""
    return covers(logits) and labels.dtype == np.int64 and labels.flags.carray


@sgd_update.register_prepared("numba")
def prepare_sgd(scratch, param, grad, work):
    """Fix the arrays; the learning rate is fixed again whenever it changes."""
    if covers(param, grad):
        rows = rows_of(param, grad)
        loop = compiled_for(sgd_loop, *rows, np.float32(0))
        return lambda lr: functools.partial(loop, *rows, np.float32(lr))


@momentum_update.register_prepared("numba")
def prepare_momentum(scratch, param, grad, velocity, work):
    """Fix the arrays; the settings are fixed again whenever one of them changes."""
    if covers(param, grad, velocity):
        rows, zero = rows_of(param, grad, velocity), np.float32(0)
        loop = compiled_for(momentum_loop, *rows, zero, zero, False)
        return lambda lr, momentum, nesterov=False: functools.partial(
            loop, *rows, np.float32(lr), np.float32(momentum), nesterov)


@adam_update.register_prepared("numba")
def prepare_adam(scratch, *arrays):
    """Fix the arrays; the settings are fixed again in each step, which they count."""
    if covers(*arrays[:4]):
        rows = rows_of(*arrays[:4])
        loop = compiled_for(adam_loop, *rows, *[np.float32(0)] * 8)
        return lambda **settings: functools.partial(
            loop, *rows, *adam_numbers(**settings), np.float32(1))


@adamw_update.register_prepared("numba")
def prepare_adamw(scratch, *arrays):
    """Fix the arrays; the settings are fixed again in each step, which they count."""
    if covers(*arrays[:4]):
        rows = rows_of(*arrays[:4])
        loop = compiled_for(adam_loop, *rows, *[np.float32(0)] * 8)
        return lambda *, lr, weight_decay, **settings: functools.partial(
            loop, *rows, *adam_numbers(lr=lr, **settings), np.float32(1 - lr * weight_decay))


# kernels.py, cell 66
@jit(parallel=True, fastmath=REORDER)
def matmul_blocked(a, b, out):
    """Multiply two matrices, four rows of ``b`` at a time, with blocks of rows shared by threads.

    Args:
        a: float32 array of shape (n, k); it is not changed.
        b: float32 array of shape (k, m); it is not changed.
        out: float32 array of shape (n, m) to write to. Its old entries do not matter.

    Returns:
        None. Afterwards ``out[i, j]`` is the sum over p of ``a[i, p] * b[p, j]``, for every n, k
        and m of at least 1. Each iteration of a `prange` computes 64 whole rows of ``out``, and the
        last one computes the rows that are left. It sets them to 0. For p in steps of 4, for each
        row i and every j, it adds the four products of p to p + 3 at once. Then it adds the
        products left over from k. No two iterations write to the same entry.

    Example:
        >>> a, b = np.array([[1, 2]], np.float32), np.array([[3, 4], [5, 6]], np.float32)
        >>> out = np.zeros((1, 2), np.float32)
        >>> matmul_blocked.py_func(a, b, out)
        >>> out
        array([[13., 16.]], dtype=float32)

    Source:
        Lam, Rothberg and Wolf, Cache Performance of Blocked Algorithms, 1991, section 1.
    """
    n, k = a.shape
    whole = k - k % 4
    for block in prange((n + 63) // 64):
        rows = range(64 * block, min(n, 64 * block + 64))
        for i in rows:
            out[i] = 0
        for p in range(0, whole, 4):
            for i in rows:
                for j in range(b.shape[1]):
                    out[i, j] += (a[i, p] * b[p, j] + a[i, p + 1] * b[p + 1, j]
                                  + a[i, p + 2] * b[p + 2, j] + a[i, p + 3] * b[p + 3, j])
        for i in rows:
            for p in range(whole, k):
                for j in range(b.shape[1]):
                    out[i, j] += a[i, p] * b[p, j]
