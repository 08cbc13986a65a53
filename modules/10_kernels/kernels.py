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
# # CPU kernels
#
# Your profile from module 09 showed two things. Matrix products run nearly as fast as the machine can go. Everything else waits for
# memory, because NumPy goes through an array once for each operation. In this module you write loops instead, and **numba**
# compiles them to machine code. A loop can read a number once, do everything that the op needs, and write the result. So it goes
# through memory only once. You register such **kernels** on your ops. Then `tinytorch.use("numba")` runs them, and no earlier file
# changes.
#
# At the end you try the same with the matrix product, and learn when to leave the work to a library.

# %%
from tito import notebook
check = notebook("10")

import numpy as np
import tinytorch
from tinytorch.activations import gelu
rng = np.random.default_rng(0)

# %% [markdown]
# ## Twenty-three times through memory
#
# `gelu` from module 02 is one formula. NumPy makes a new array at each of its steps: divide, take the absolute value, multiply, add,
# and so on, 23 times in all. `np.exp` is one of the 23. How many microseconds do all of them, `np.exp` alone, and a copy take for
# 131,072 numbers?

# %%
from tinytorch.profiler import benchmark

def us(function):
    """Return the median time of a call, in microseconds."""
    return 1e6 * benchmark(function).median

a = (3 * rng.standard_normal(2**17)).astype(np.float32)
print(f"gelu {us(lambda: gelu.forward(a)):.0f} us, np.exp {us(lambda: np.exp(a)):.0f} us, "
      f"a copy {us(a.copy):.0f} us")

# %% [markdown]
# ## A loop, compiled
#
# Doubling the same numbers in a Python loop takes a twentieth of a second. For each `a[i] * 2`, Python looks up the types of `a` and
# `2`, and what `*` means for them. numba looks up the types once, at the **first call**, and compiles the loop for them. So the first
# call is slow; the decorator alone compiles nothing. `jit` is given, in `tinytorch/given/numba_kernels/`. It is `numba.njit`, and it
# keeps the machine code in your cache folder, so that the next process can reuse it. If that folder is not writable, the code is
# kept in memory only. (numba is an extra of this course: `pip install "tinytorch-course[kernels]"`. Without numba,
# `tinytorch.use("numba")` warns, and NumPy's kernels run.)

# %%
from tinytorch.given.numba_kernels import compile_seconds, jit

@jit
def double_loop(numbers, doubled):
    for i in range(numbers.size):
        doubled[i] = numbers[i] * np.float32(2)

out = np.empty_like(a)
double_loop(a, out)
print(f"compiled in {compile_seconds['double_loop']:.2f} s (0.00 if it was in the cache)")
print(f"the loop {us(lambda: double_loop(a, out)):.0f} us, the same loop in Python "
      f"{us(lambda: double_loop.py_func(a[:1000], out)) * a.size / 1000:.0f} us")

# %% [markdown]
# Three things are different in a compiled loop:
#
# - **Types are fixed.** A Python `2.0` is a float64, and a float32 times a float64 is a float64, at half the speed. So write constants
#   as `np.float32(2)`. The checks look at numba's types. They reject a loop in which a number such as `2.0` or `math.sqrt(0.5)` makes
#   the arithmetic on the entries float64. They accept two things that are float64 too: a whole number in a formula, such as the 1 in
#   `1 + x`, and a sum that starts at `0` or `0.0`, unless the entries are then computed with it. Write `np.float32(1)` there as well:
#   with a plain 1, the loop of 10.1 takes 1.4 times as long.
# - **Indices are not checked.** `a[a.size]` raises no error: it reads the memory after the array, and `out[out.size] = 1` overwrites
#   it. So the checks first run your loop as Python, where a wrong index raises an `IndexError`. (`double_loop.py_func` is the
#   function as you wrote it.) They compile the loop only if the Python run is right.
# - **Only arrays and numbers.** You cannot use lists or tensors. Memory is allocated outside, and the loop writes into `out`.
#
# The processor computes with 8 or 16 float32 numbers at once, and the compiler makes use of this if the loop allows it. A call of
# `math.exp` prevents it. The given functions `exp32`, `erf32` and `largest` do not, because they are written in plain arithmetic, in
# `tinytorch/given/numba_kernels/arithmetic.py`.

# %%
#| export
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

# %% [markdown]
# Now write the loop for GELU, with one read and one write for each number:
#
# $$\mathrm{gelu}(x) = \tfrac12\,x\,\bigl(1 + \mathrm{erf}(x / \sqrt 2)\bigr)$$

# %% exercise="10.1" minutes=20 points=2
#| export
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
    ### BEGIN SOLUTION
    half, one, scale = np.float32(0.5), np.float32(1), np.float32(math.sqrt(0.5))
    for i in range(a.size):
        out[i] = half * a[i] * (one + erf32(scale * a[i]))
    ### END SOLUTION

# %% check="10.1"
check("10.1")

# %% [markdown] hint="10.1"
# `for i in range(a.size)`, and inside it one assignment to `out[i]`. Compute with the number `a[i]`; you need no array operation.

# %% [markdown] hint="10.1"
# Dividing by the root of 2 is the same as multiplying by `np.float32(math.sqrt(0.5))`. Define such constants before the loop, each as
# an `np.float32`, and the whole loop stays in float32.

# %% [markdown] question="10.1"
# **Predict** how many times as fast as NumPy's 23 passes your loop is. (`np.exp` alone took about a seventh of their time.) And how
# much slower is a loop with float64 constants? Run the cell. The second loop is like yours, but with plain `0.5`, `1` and
# `math.sqrt(0.5)`.

# %%
@jit(fastmath=REORDER)
def gelu_in_float64(numbers, out):
    for i in range(numbers.size):
        out[i] = 0.5 * numbers[i] * (1 + erf32(numbers[i] * math.sqrt(0.5)))

numpy_time = us(lambda: gelu.forward(a))
for loop in (gelu_loop, gelu_in_float64):
    loop(a, out)
    print(f"{loop.__name__}: {numpy_time / us(lambda: loop(a, out)):.1f} times as fast as NumPy, "
          f"apart by {abs(out - gelu.forward(a)).max():.0e}")

# %% [markdown]
# ## Right for everything, fast for the common case
#
# A kernel replaces its op. The op accepts float64, integers, transposed views, or every second entry of an array. Your loop accepts
# only float32 numbers that are next to each other in memory. So a kernel first checks whether its loop **covers** the array. If not,
# it calls the op's own forward function, which is slower but always right.
#
# An array has the attributes you need: `a.dtype`, `a.size`, and `a.flags.carray`, which is True if the array is writable and in one
# piece of memory, in the order of its indices. (For a read-only array, numba would compile a second version.)

# %% exercise="10.2" minutes=10 points=2
#| export
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
    ### BEGIN SOLUTION
    return all(isinstance(a, np.ndarray) and a.dtype == np.float32 and a.flags.carray and a.size > 0
               for a in arrays)
    ### END SOLUTION

# %% check="10.2"
check("10.2")

# %% [markdown] hint="10.2"
# Four conditions for each array, and every array has to meet all four. A Python number has no `dtype`: which condition has to come
# first?

# %% [markdown] hint="10.2"
# `isinstance(a, np.ndarray)` has to come first, because `and` stops at the first condition that fails. `all(...)` of a generator is
# True if everything that the generator yields is true.

# %% [markdown]
# With both parts written, you can register the kernel. It has the signature of the op's forward function. `reshape(-1)` turns any
# shape into a row without copying. The form with tanh, which GPT-2 uses, gets a loop of its own. Since
# $\tanh u = 1 - 2 / (1 + e^{2u})$, this form is $x / (1 + e^{-2u})$.

# %%
#| export
@jit(fastmath=REORDER)
def gelu_tanh_loop(a, out):
    """Apply the GELU with tanh to every entry, in one pass."""
    scale, cubic = np.float32(-2 * math.sqrt(2 / math.pi)), np.float32(0.044715)
    for i in range(a.size):
        x = a[i]
        out[i] = x / (np.float32(1) + exp32(scale * (x + cubic * x * x * x)))

# %%
#| export
def by_entries(loop, *arrays):
    """Run a loop over all entries of arrays of the same shape, and return its result."""
    out = np.empty_like(arrays[0])
    loop(*(array.reshape(-1) for array in (*arrays, out)))
    return out

# %%
#| export
@gelu.register_kernel("numba")
def gelu_numba(a, *, approximate="none"):
    """Run gelu in one pass, if a loop covers the array."""
    loop = {"none": gelu_loop, "tanh": gelu_tanh_loop}.get(approximate)
    if loop is None or not covers(a):
        return fall_back(gelu, a, approximate=approximate)
    return by_entries(loop, a)

# %%
from tinytorch.tensor import Tensor

for kernels in ("numpy", "numba"):
    with tinytorch.use(kernels):
        print(kernels, f"{us(lambda: gelu(Tensor(a))):.0f} us, and in float64:",
              gelu(Tensor([-1.0, 2.0], dtype=np.float64)).tolist())
print("fell back to NumPy, by op:", dict(tinytorch.fallbacks))

# %% [markdown]
# Ops without a numba kernel fall back to NumPy, and `fallbacks` counts them. That is often fine: `+` and `exp` are one pass already.
# ReLU's gradient is not, because `grad * (out > 0)` first makes an array of truth values. You need not change module 05 to improve
# it. The next cell makes your `relu_backward` from module 04 an op, gives it a loop, and registers a new rule for ReLU.

# %%
#| export
@jit
def relu_backward_loop(grad, out, result):
    """Keep a gradient where the output of ReLU is above 0, in one pass."""
    for i in range(grad.size):
        result[i] = np.float32(0) if out[i] <= 0 else grad[i]  # nan passes


relu_backward = op(losses.relu_backward)
relu_backward.register_vjp(lambda again, result, grad, out: relu_backward(again, out), None)
relu_backward.register_cost(lambda result, grad, out: 2 * result.size)
relu.register_vjp(lambda grad, out, a: relu_backward(grad, out))

# %%
#| export
@relu_backward.register_kernel("numba")
def relu_backward_numba(grad, out):
    """Run relu_backward in one pass, if the loop covers the arrays."""
    if covers(grad, out) and grad.shape == out.shape:
        return by_entries(relu_backward_loop, grad, out)
    return fall_back(relu_backward, grad, out)

# %% [markdown]
# ## Rows
#
# A softmax computes three things for each row: its largest score, the exponentials with their sum, and the quotients. NumPy goes through
# the whole table for each of the three. A loop finishes one row, which fits into the nearest cache, before it starts the next.
#
# `largest(row)` is given. A plain loop with `max` would be the slowest part. If one number is nan, comparing floats in a different
# order can give a different result, so the compiler has to compare them one by one. `largest` compares their bits as integers.

# %% exercise="10.3" minutes=25 points=3
#| export
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
    ### BEGIN SOLUTION
    for i in range(a.shape[0]):
        top, total = largest(a[i]), np.float32(0)
        for j in range(a.shape[1]):
            out[i, j] = exp32(a[i, j] - top)
            total += out[i, j]
        for j in range(a.shape[1]):
            out[i, j] /= total
    ### END SOLUTION

# %% check="10.3"
check("10.3")

# %% [markdown] hint="10.3"
# One loop over rows, and inside it two loops over columns. The first computes the exponentials and adds them up, the second divides.
# `a[i]` is row i.

# %% [markdown] hint="10.3"
# What is the sum at the start of each row? Start with `np.float32(0)`, because a Python `0.0` would make the sum a float64.

# %%
#| export
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

# %%
#| export
def by_rows(op, loop, a, dim):
    """Run a loop over the rows of an array, if it covers the array and ``dim`` is the last axis."""
    if not (covers(a) and a.ndim > 0 and dim in (-1, a.ndim - 1)):
        return fall_back(op, a, dim=dim)
    out, width = np.empty_like(a), a.shape[-1]
    loop(a.reshape(-1, width), out.reshape(-1, width))
    return out

# %%
#| export
@softmax.register_kernel("numba")
def softmax_numba(a, *, dim=-1): return by_rows(softmax, softmax_rows, a, dim)


@log_softmax.register_kernel("numba")
def log_softmax_numba(a, *, dim=-1): return by_rows(log_softmax, log_softmax_rows, a, dim)

# %%
for shape in [(128, 10), (1024, 1000)]:
    scores = rng.standard_normal(shape).astype(np.float32)
    times = [us(lambda: f(scores)) for f in (softmax.forward, softmax_numba)]
    print(shape, "softmax: numpy {:.0f} us, numba {:.0f} us".format(*times))

# %% [markdown]
# ## The loss and its gradient
#
# The cross-entropy needs no quotient, only the logarithm of the sum and the score of the true class $y$:
#
# $$\text{loss}_i = \log \sum_j e^{z_{ij} - \text{top}_i} + \text{top}_i - z_{i y_i}$$
#
# NumPy writes a table of exponentials to memory and reads it again. A loop writes one number per row. Labels are used as indices, and
# compiled code does not check indices. So the kernel that is registered below calls `check_labels` before it runs your loop.

# %% exercise="10.4" minutes=20 points=3
#| export
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
    ### BEGIN SOLUTION
    for i in range(logits.shape[0]):
        top, total = largest(logits[i]), np.float32(0)
        for j in range(logits.shape[1]):
            total += exp32(logits[i, j] - top)
        losses[i] = math.log(total) + top - logits[i, labels[i]]
    ### END SOLUTION

# %% check="10.4"
check("10.4")

# %% [markdown] hint="10.4"
# This starts like 10.3, but you keep no exponentials. Add them up, and write one number per row.

# %% [markdown] hint="10.4"
# After the inner loop come three terms: `math.log` of the sum, plus the largest score, minus the score at `[i, labels[i]]`.

# %% [markdown]
# The gradient is probability minus truth: the softmax of each row, minus 1 at the true class, all times the gradient that arrives at
# the row's loss. Module 05 needs three ops for that, and two of them go through the table. Yours needs one pass.
#
# A test for the label inside the loop would prevent the compiler from computing 16 numbers at once. So write the whole row first, and
# then change the one entry at the label.

# %% exercise="10.5" minutes=20 points=3
#| export
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
    ### BEGIN SOLUTION
    for i in range(logits.shape[0]):
        top, total = largest(logits[i]), np.float32(0)
        for j in range(logits.shape[1]):
            grad[i, j] = exp32(logits[i, j] - top)
            total += grad[i, j]
        factor = scale[i] / total
        for j in range(logits.shape[1]):
            grad[i, j] *= factor
        grad[i, labels[i]] -= scale[i]
    ### END SOLUTION

# %% check="10.5"
check("10.5")

# %% [markdown] hint="10.5"
# Take your softmax, multiply by a factor in the second loop over columns, and add one more line after that loop, once per row.

# %% [markdown] hint="10.5"
# If only the entries at the labels are wrong, scale the 1 that you subtract too.

# %%
#| export
@jit
def outside(labels, classes):
    """Return whether a label is not a valid class."""
    wrong = 0
    for label in labels:
        wrong += label < 0 or label >= classes
    return wrong > 0

# %%
#| export
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

# %%
#| export
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

# %%
#| export
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

# %%
def forth_and_back(scores, labels):
    scores = Tensor(scores, requires_grad=True)
    cross_entropy(scores, labels).backward()
    return scores.grad

for shape in [(128, 10), (1024, 1000)]:
    scores = rng.standard_normal(shape).astype(np.float32)
    labels = rng.integers(shape[1], size=shape[0])
    for kernels in ("numpy", "numba"):
        with tinytorch.use(kernels):
            print(shape, kernels, f"{us(lambda: forth_and_back(scores, labels)):.0f} us")

# %% [markdown]
# ## Adam
#
# Your `adam_update` from module 06 allocates nothing, and still goes through memory 13 times. It reads or writes 30 arrays in all. The
# formula needs only 7: it reads the parameter, the gradient and both means, and writes all but the gradient. The 3.8 million
# parameters of the CIFAR-10 network fit into no cache, so the number of bytes decides.
#
# Numbers that are the same for all parameters are computed once per step, in Python's float64, and rounded to float32 at the end. You
# must not compute $1 - \beta_2$ in the loop: with $\beta_2$ rounded to float32, it is off by 1.3 in 100,000. So the loop receives
# `rest1` and `rest2`. `shrink` makes the weights smaller before the step, as AdamW does; for Adam it is 1.
#
# Read each number once, into a local variable: `g = grad[i]`. Two arrays may share memory, so after every write to one array the
# compiler would have to read the others again. Here that alone costs a factor of 1.7.

# %% exercise="10.6" minutes=25 points=4
#| export
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
    ### BEGIN SOLUTION
    for i in range(param.size):
        g = grad[i]
        m, s = beta1 * mean[i] + rest1 * g, beta2 * square[i] + rest2 * g * g
        mean[i], square[i] = m, s
        param[i] = shrink * param[i] - rate * m / (root * np.sqrt(s) + eps)
    ### END SOLUTION

# %% check="10.6"
check("10.6")

# %% [markdown] hint="10.6"
# One loop, and in it the three formulas under `Returns`, in that order, because the parameter's step uses the new means. Store both new
# means in variables before you write them into their arrays.

# %% [markdown] hint="10.6"
# `np.sqrt` also takes a single number. The square of the gradient is a product, `grad[i] * grad[i]`.

# %%
#| export
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

# %%
#| export
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

# %%
#| export
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


# %% [markdown] question="10.2"
# Your loop moves 7 arrays instead of 30. **Predict** by what factor Adam gets faster for 4 million parameters, and for 10,000, which
# fit into a cache. Which of the two factors is closer to 30 / 7?

# %%
def adam_time(update, count):
    arrays = [np.ones(count, np.float32) for _ in range(5)]
    return us(lambda: update(*arrays, step=10, lr=1e-3))

for count in (10_000, 4_000_000):
    slow, fast = (adam_time(update, count) for update in (adam_update.forward, adam_numba))
    print(f"{count}: numpy {slow:.0f} us, numba {fast:.0f} us, {0.028 * count / fast:.0f} GB/s")

# %% [markdown]
# ## The ladder of the matrix product
#
# If your loops beat NumPy at softmax and Adam, why not at the product that takes most of the time? Climb as high as you can. The first
# rung is the definition, and the second only swaps two loops. Both do the same multiplications. Memory comes in lines of 64 bytes: 16
# neighbouring numbers. How many of the 16 does the first rung use each time it fetches a line of `b`? **Predict** how much faster the
# second rung is before you run the cell.

# %%
@jit(fastmath=REORDER)
def matmul_naive(a, b, out):
    (n, k), m = a.shape, b.shape[1]
    for i in range(n):
        for j in range(m):
            out[i, j] = 0
            for p in range(k):
                out[i, j] += b[p, j] * a[i, p]        # goes down a column of b

@jit(fastmath=REORDER)
def matmul_reordered(a, b, out):
    (n, k), m = a.shape, b.shape[1]
    out[...] = 0
    for i in range(n):
        for p in range(k):
            for j in range(m):
                out[i, j] += b[p, j] * a[i, p]        # goes along a row of b, and of out

left, right = rng.standard_normal((2, 512, 512)).astype(np.float32)
result, rungs = np.empty_like(left), {}

def gflops(function):
    return 2e-9 * 512 ** 3 / benchmark(function, 5, 2).median

for loop in (matmul_naive, matmul_reordered):
    rungs[loop.__name__] = gflops(lambda: loop(left, right, result))
print({name: f"{rate:.1f} GFLOP/s" for name, rate in rungs.items()})

# %% [markdown]
# The reordered loop reads `out[i, j]`, reads `b[p, j]`, multiplies, adds and writes: three memory accesses for one product. The third
# rung takes **four rows of `b` at a time**. It reads and writes `out[i, j]` once for four products. And while the four rows are in the
# cache, it uses them for a **block** of 64 rows of `a`. You also have to handle the rows that are left over from blocks of 4 or 64.
#
# Blocks of rows are independent, so two cores can share them. `prange` is a `range` whose iterations run at the same time, in no
# particular order. It is easy to write, and dangerous: if two iterations write to the same entry, one of the sums is sometimes lost.
# That is a **race**. Divide the rows of `out` among threads, never the terms of a sum. The check records which iteration writes where.

# %% exercise="10.7" minutes=40 points=5
#| export
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
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% check="10.7"
check("10.7")

# %% [markdown] hint="10.7"
# How many blocks of 64 do n rows need, if the last may be smaller? One more than `n // 64`, unless n is a multiple of 64. Add 63
# before you divide, and you get the right number in both cases. The last block ends at n.

# %% [markdown] hint="10.7"
# Only the outermost loop, over blocks of rows, is a `prange`. Its body is a small matrix product: set the rows to 0, then loop over p in
# steps of 4, over rows i, and over columns j.

# %% [markdown] hint="10.7"
# The steps of 4 end at the largest multiple of 4 up to k: subtract the remainder. Add the columns of `a` from there to k one at a
# time, as in `matmul_reordered`.

# %%
import matplotlib.pyplot as plt
import numba
from tinytorch.given.machine import limit_threads

for threads in sorted({1, numba.config.NUMBA_NUM_THREADS}):
    numba.set_num_threads(threads)
    blocked = gflops(lambda: matmul_blocked(left, right, result))
    rungs[f"blocked, threads: {threads}"] = blocked
    with limit_threads(threads):
        rungs[f"BLAS, threads: {threads}"] = gflops(lambda: left @ right)
figure, axis = plt.subplots(figsize=(6, 2.4), layout="constrained")
bars = axis.barh(list(rungs)[::-1], list(rungs.values())[::-1])
axis.bar_label(bars, fmt="%.1f", padding=3)
axis.set(xlabel="GFLOP/s", xlim=(0, 1.15 * max(rungs.values())));

# %% [markdown]
# BLAS wins: on the machine where this was written, one thread of BLAS does 100 GFLOP/s, and one of yours does 65. BLAS copies pieces of
# both matrices into the order in which it reads them. It keeps a tile of the result in the processor's registers from the first
# product to the last. And its innermost loop is written in assembler, for each kind of processor. Your loop cannot control registers,
# so each of its sums goes through the cache. That is why your kernel is not registered on `matmul` or `linear`: you climbed the ladder
# for the view.
#
# One rung is left. A linear layer multiplies rows of its input with rows of its weight, so nothing has to be copied first. The given
# kernel in `tinytorch/given/numba_kernels/products.py` also keeps a tile of sums in registers. It runs for larger layers if it is
# faster than the library on your machine. That is measured once, when the kernel is first needed.
#
# ## Where it helps, and where it does not
#
# The next cell times a training step of two networks from this course, with both kernel sets, on one thread for steady times. The
# first network has one hidden layer and uses SGD. The second is the CIFAR-10 network, with five layers and Adam.

# %%
from tinytorch.layers import Linear, ReLU, Sequential
from tinytorch.optim import SGD, Adam
from tinytorch.profiler import profile

def training_step(sizes, optimizer):
    layers = [part for pair in zip(sizes, sizes[1:]) for part in (Linear(*pair, rng=rng), ReLU())]
    model = Sequential(*layers[:-1])
    inputs = Tensor(rng.standard_normal((128, sizes[0]), np.float32))
    labels, steps = Tensor(rng.integers(10, size=128)), optimizer(model.parameters())

    def step():
        steps.zero_grad()
        cross_entropy(model(inputs), labels).backward()
        steps.step()
    return step

limit_threads(1)
networks = {"MNIST, SGD": training_step((784, 256, 10), SGD),
            "CIFAR-10, Adam": training_step((3072, 1024, 512, 256, 128, 10), Adam)}
for name, step in networks.items():
    times = {}
    for kernels in ("numpy", "numba"):
        with tinytorch.use(kernels):
            times[kernels] = us(step)
    print(f"{name}: numpy {times['numpy']:,.0f} us, numba {times['numba']:,.0f} us, "
          f"{times['numpy'] / times['numba']:.2f} times as fast")

# %% [markdown] question="10.3"
# The next cell shows what fraction of each step is matrix products. Call this fraction $f$. If everything else took no time at all,
# how many times as fast could the step get? (This is **Amdahl's law**.) For which of the two networks were the kernels worth the work?

# %%
for name, step in networks.items():
    with tinytorch.use("numpy"), profile() as p:
        step()
    rows = p.key_averages()
    products = sum(row.seconds for row in rows if row.op in ("linear", "linear_weight", "matmul"))
    fraction = products / sum(row.seconds for row in rows)
    print(f"{name}: products {fraction:.0%}, so at most {1 / fraction:.2f} times as fast")

# %% [markdown]
# You have seen both extremes. If many passes over memory become one, as in Adam, a step gets faster by a quarter or more. A step that
# is mostly matrix products gains little, and each kernel is one more thing that can be wrong. Save the notebook, then run
#
# ```
# tito module complete 10
# ```
#
# From now on `tinytorch.use("numba")`, or `--kernels numba` with a milestone, runs your kernels.
