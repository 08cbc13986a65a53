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
# # Activations
#
# A layer of a network computes weighted sums. Two layers compute weighted sums of weighted sums, which are again weighted sums. So
# however many layers you stack, they can do no more than one. Depth pays off only with an **activation** between the layers: a
# function with a bend in it, applied to every number. In this module you write the six activations that nearly every network uses,
# so that their results are right for numbers of any size. At the end, a small network with an activation separates points that no
# line can separate.

# %%
from tito import notebook
check = notebook("02")

import matplotlib.pyplot as plt
import numpy as np
rng = np.random.default_rng(0)

# %% [markdown]
# ## Ten layers that are one
#
# First test that claim. Four points pass through two layers, a `(2, 5)` and a `(5, 3)` matrix. The product of the two matrices is
# one matrix, and it does the same to every point.

# %%
points = rng.standard_normal((4, 2))
first, second = rng.standard_normal((2, 5)), rng.standard_normal((5, 3))
two_layers = (points @ first) @ second
one_layer = points @ (first @ second)          # (2, 5) @ (5, 3): a single (2, 3) matrix
print("largest difference:", np.abs(two_layers - one_layer).max())

# %% [markdown]
# ## ReLU
#
# The cheapest activation keeps positive numbers and replaces the others by 0. It is called the rectified linear unit, ReLU. Use it
# unless you have a reason not to: it needs one comparison per number and cannot overflow.

# %%
figure, axis = plt.subplots(figsize=(3.2, 2.2))
axis.plot([-3, 0, 3], [0, 0, 3])
axis.set(title="relu(a)", xlabel="a")
axis.grid(alpha=0.3)

# %%
#| export
"""Activations: the functions between the layers, each safe for entries of any size."""
import math

import numpy as np

from tinytorch.given.op import op

# %% [markdown]
# Write ReLU as an op, like those of module 01: arrays in, array out. One case needs care: `nan`, the value that marks a failed
# computation. It must stay `nan`, so that a network that has diverged does not look healthy.

# %% exercise="02.1" minutes=10 points=1
#| export
@op
def relu(a):
    """Replace every negative entry by 0.

    Args:
        a: Array of any shape, integers or floats. It is not changed.

    Returns:
        Array of the same shape and dtype. Every entry is the larger of 0 and the entry of ``a``;
        nan stays nan.

    Example:
        >>> relu.forward(np.array([[-2, 3, 0], [1, -1, 4]]))
        array([[0, 3, 0],
               [1, 0, 4]])

    Source:
        Nair and Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines, 2010.
    """
    ### BEGIN SOLUTION
    return np.maximum(a, 0)
    ### END SOLUTION

# %% check="02.1"
check("02.1")

# %% [markdown] hint="02.1"
# Python's `max` compares two things and returns one of them. You need one comparison per entry. NumPy has a function that takes two
# arrays, or an array and a number, and makes all the comparisons.

# %% [markdown] hint="02.1"
# Does only the case with inf and nan fail? A mask times the array gives `-inf * 0`, which is nan. And `np.where` over `a > 0`
# turns nan into 0, because every comparison with nan is False. NumPy's entry-by-entry maximum keeps nan.

# %% [markdown]
# One bend does little, but bends add up. Below, six ReLUs follow a sine. Each is shifted to where it starts, and weighted by how much
# it bends the line. With enough ReLUs, a single hidden layer follows any continuous curve on an interval as closely as you like.

# %%
x = np.linspace(0, 2 * np.pi, 200)
knots = np.linspace(0, 2 * np.pi, 7)
slopes = np.diff(np.sin(knots)) / np.diff(knots)         # of the six straight pieces
bends = np.diff(slopes, prepend=0)                       # how much each knot changes the slope
figure, axis = plt.subplots(figsize=(5, 2.4))
axis.plot(x, np.sin(x), label="sine")
six_relus = sum(bend * relu.forward(x - knot) for bend, knot in zip(bends, knots))
axis.plot(x, six_relus, label="six ReLUs")
axis.legend();

# %% [markdown]
# ## Sigmoid
#
# A network that answers yes or no should return a probability, but its last layer returns any number. The **sigmoid** maps all numbers
# into the range from 0 to 1. There are two ways to write it:
#
# $$\sigma(a) = \frac{1}{1 + e^{-a}} = \frac{e^a}{1 + e^a}$$
#
# The largest float32 is about 3.4e38, and $e^{89}$ is larger than that. See what both forms do far from 0.

# %%
a = np.array([-200, -2, 0, 2, 200], np.float32)
print(1 / (1 + np.exp(-a)))
print(np.exp(a) / (1 + np.exp(a)))

# %% [markdown]
# The first form overflows on the left, and is right there only by luck, because 1 / inf is 0. The second form gives `nan` on the
# right. Each form works where the other fails, because the exponential of a negative number never overflows. Write a sigmoid that
# never takes the exponential of a large positive number. The check treats NumPy's overflow warnings as errors.

# %% exercise="02.2" minutes=25 points=3
#| export
@op
def sigmoid(a):
    """Map every entry into the range from 0 to 1, without overflow.

    Args:
        a: Array of any shape.

    Returns:
        Array of the same shape. Every entry is ``1 / (1 + exp(-x))`` for the entry x of ``a``,
        correct to at least four digits even if it is tiny: 9.4e-14 for x = -30, not 0. float32
        stays float32.

    Example:
        >>> sigmoid.forward(np.array([-1000.0, 0.0, 1000.0]))
        array([0. , 0.5, 1. ])
    """
    ### BEGIN SOLUTION
    small = np.exp(-np.abs(a))  # at most 1: cannot overflow
    return np.where(a >= 0, 1, small) / (1 + small)
    ### END SOLUTION

# %% check="02.2"
check("02.2")

# %% [markdown] hint="02.2"
# `np.where(a >= 0, one form, the other form)` picks the right values, but Python computes both forms in full before that, so the
# warning stays. What could you put into the exponential so that no entry is positive?

# %% [markdown] hint="02.2"
# Compare the two forms for a = 2 and for a = -2. Both need the same exponential, the one of -2, and both divide by 1 plus that
# exponential. Only the numerator differs.

# %% [markdown] hint="02.2"
# Three steps. Take the exponential of minus the absolute value. Depending on the sign of `a`, choose 1 or that exponential as the
# numerator. Divide by 1 plus the exponential.

# %% [markdown]
# ## Tanh
#
# The hyperbolic tangent is a sigmoid stretched to the range from -1 to 1. Its outputs are centred on 0, and the next layer learns
# more easily from such outputs than from outputs that are all positive. Again there are two ways to write it:
#
# $$\tanh a = \frac{e^a - e^{-a}}{e^a + e^{-a}} = 2\,\sigma(2a) - 1$$
#
# And again neither is safe. Before you run the cell, think about where each one fails.

# %%
a = np.array([1e-9, 0.5, 100], np.float32)
print("quotient   ", (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a)))
print("by sigmoid ", 2 * sigmoid.forward(2 * a) - 1)
print("correct    ", np.array([math.tanh(number) for number in a]))

# %% [markdown]
# The quotient overflows for large numbers. Both forms lose small numbers: float32 keeps seven digits, so 0.5 + 0.0000000005 is 0.5,
# and the subtraction leaves 0. That is **cancellation**, and nothing you do after the subtraction brings the digits back. When you
# meet a formula like this, look for a library function that avoids the problem. NumPy has one for tanh, so you need not write it.

# %% exercise="02.3" minutes=10 points=1
#| export
@op
def tanh(a):
    """Map every entry into the range from -1 to 1, correct to four digits for any entry.

    Args:
        a: Array of any shape.

    Returns:
        Array of the same shape. Every entry is ``(exp(x) - exp(-x)) / (exp(x) + exp(-x))`` for the
        entry x of ``a``. float32 stays float32.

    Example:
        >>> tanh.forward(np.array([-1000.0, 0.0, 1e-12]))
        array([-1.e+00,  0.e+00,  1.e-12])
    """
    ### BEGIN SOLUTION
    return np.tanh(a)
    ### END SOLUTION

# %% check="02.3"
check("02.3")

# %% [markdown] hint="02.3"
# NumPy's page "Mathematical functions" has a group of hyperbolic functions.

# %% [markdown] hint="02.3"
# It is one line, and NumPy's function has the name of this op. The point is that two correct formulas gave wrong numbers.

# %% [markdown]
# ## Where a curve is flat, nothing is learned
#
# Training depends on a question about every number in the network: how would the result change if this number were a little larger?
# That rate of change is a slope. On the flat parts of a curve, the slope is close to 0. A unit there is called **saturated**, and
# hardly learns. You can measure a slope with two points that are close together.

# %%
def slope(function, x, step=1e-4):
    return (function(x + step) - function(x - step)) / (2 * step)

x = np.linspace(-6, 6, 200)
figure, axes = plt.subplots(1, 3, figsize=(8, 2.3), sharex=True, layout="constrained")
for axis, activation in zip(axes, [relu, sigmoid, tanh]):
    axis.plot(x, activation.forward(x), label="value")
    axis.plot(x, slope(activation.forward, x), "--", label="slope")
    axis.set(title=activation.name, ylim=(-1.1, 1.5))
axes[0].legend();

# %% [markdown]
# The sigmoid is steepest at 0, and even there its slope is only 1/4. In a deep network the slopes of all layers are multiplied.

# %%
def ten_times(activation, x):
    for _ in range(10):
        x = activation.forward(x)
    return x

for activation in [sigmoid, tanh, relu]:
    slope_of_ten = slope(lambda x: ten_times(activation, x), 0.5)
    print(f"{activation.name:8} slope through ten of them, at 0.5: {slope_of_ten:.1e}")

# %% [markdown] question="02.1"
# Training changes a weight in proportion to such a slope. What does the number for the sigmoid tell you about the first layer of a
# network with ten layers? Which of the three activations does not have this problem at 0.5? And what happens to that one at -0.5?

# %% [markdown]
# ## GELU
#
# ReLU is a gate that is open or shut. The **Gaussian error linear unit**, GELU, opens its gate gradually: it multiplies each number
# by the probability that a draw from the normal distribution is below it. Transformers use GELU between their layers. Its
# definition lets you compute it with random draws alone:

# %%
x = np.linspace(-4, 4, 200)
draws = rng.standard_normal(10_000)
gate = (draws < x[:, None]).mean(axis=1)       # fraction of the draws below each x
figure, axes = plt.subplots(1, 2, figsize=(7, 2.3), layout="constrained")
axes[0].plot(x, gate)
axes[0].set_title("gate: fraction of draws below x")
axes[1].plot(x, x * gate, x, relu.forward(x), "--")
axes[1].set_title("x times gate, and relu (dashed)");

# %% [markdown]
# The exact probability is $\Phi(x) = \tfrac12\bigl(1 + \mathrm{erf}(x / \sqrt 2)\bigr)$ with Gauss's **error function**. NumPy
# does not have it, and Python's `math.erf` takes one number at a time: a hundred thousand numbers take 10 ms. So the error function
# is given as an op. For float32 it uses a formula from 1955, which is about as exact as float32 itself; for float64, `math.erf`.

# %%
#| export
@op
def erf(a):
    """Take the error function of every entry, accurate to 6e-7 in float32, fully in float64.

    Args:
        a: Array of any shape.

    Returns:
        Array of the same shape: ``2 / sqrt(pi)`` times the integral of ``exp(-t * t)`` from 0 to
        the entry.

    Example:
        >>> erf.forward(np.array([-3.0, 0.0, 0.5])).round(4)
        array([-1.    ,  0.    ,  0.5205])

    Source:
        Hastings, Approximations for Digital Computers, 1955; Abramowitz and Stegun, 7.1.26.
    """
    a = np.asarray(a)
    if a.dtype != np.float32:
        return np.vectorize(math.erf, otypes=[np.float64])(a)
    t = 1 / (1 + 0.3275911 * np.abs(a))
    tail = 0  # becomes 0.25 t - 0.28 t**2 + ... + 1.06 t**5
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail = (tail + factor) * t
    return np.copysign(1 - tail * np.exp(-a * a), a)

# %% [markdown]
# Many published models were trained with an approximation by tanh instead, and a model has to run with the form it was trained with.
# PyTorch has both forms, and its keyword `approximate` selects one. Write both:
#
# $$\texttt{"none"}:\; x\,\Phi(x) \qquad
#   \texttt{"tanh"}:\; \tfrac12\,x\,\Bigl(1 + \tanh\bigl(\sqrt{2/\pi}\,(x + 0.044715\,x^3)\bigr)\Bigr)$$

# %% exercise="02.4" minutes=25 points=2
#| export
@op
def gelu(a, *, approximate="none"):
    """Multiply every entry by the probability that a standard normal draw is below it.

    Args:
        a: Array of any shape.
        approximate: ``"none"`` for the exact form, ``"tanh"`` for the approximation. Both formulas
            are above.

    Returns:
        Array of the same shape. float32 stays float32.

    Raises:
        ValueError: ``approximate`` is something else. The message contains it.

    Example:
        >>> gelu.forward(np.array([-1.0, 0.0, 2.0])).round(4)
        array([-0.1587,  0.    ,  1.9545])

    Source:
        Hendrycks and Gimpel, Gaussian Error Linear Units, 2016, section 2.
    """
    ### BEGIN SOLUTION
    if approximate == "none":
        return 0.5 * a * (1 + erf.forward(a / math.sqrt(2)))
    if approximate == "tanh":
        return 0.5 * a * (1 + np.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a * a * a)))
    raise ValueError(f'gelu needs approximate="none" or approximate="tanh", got {approximate!r}')
    ### END SOLUTION

# %% check="02.4"
check("02.4")

# %% [markdown] hint="02.4"
# On arrays, the error function is `erf.forward`. Both forms start the same way, with half the array times (1 + something); only the
# something differs.

# %% [markdown] hint="02.4"
# Does the check report float64? `np.sqrt(2)` is not a Python number but a NumPy float64, and it turns a float32 array into
# float64. `math.sqrt` gives a Python number, which does not change the array's dtype.

# %% [markdown] hint="02.4"
# Test `approximate` for each of the two words, and return the result there. After both tests, raise the error.

# %% [markdown]
# The two forms differ by less than 0.0005, but you can see the difference when you check a published model. And unlike ReLU, both
# forms dip below 0 before they flatten, so a unit that is slightly negative still has a slope to learn from.

# %%
x = np.linspace(-4, 4, 200)
figure, axes = plt.subplots(1, 2, figsize=(7, 2.3), layout="constrained")
axes[0].plot(x, gelu.forward(x), x, slope(gelu.forward, x), "--")
axes[0].set_title("gelu and its slope (dashed)")
axes[1].plot(x, gelu.forward(x, approximate="tanh") - gelu.forward(x))
axes[1].set_title('approximate="tanh" minus exact');

# %% [markdown]
# ## Softmax: from scores to probabilities
#
# Which of ten digits is it? The last layer returns ten **scores**, which can be any numbers. You want ten probabilities: positive
# numbers that sum to 1. The **softmax** takes the exponential of every score, which is positive, and divides it by their sum:
#
# $$\mathrm{softmax}(a)_i = \frac{e^{a_i}}{\sum_j e^{a_j}}$$

# %%
scores = np.array([2.0, 1.0, -1.0, 1.5])
powers = np.exp(scores)
figure, axes = plt.subplots(1, 3, figsize=(7, 2), layout="constrained")
steps = {"scores": scores, "exponentials": powers, "probabilities": powers / powers.sum()}
for axis, (title, heights) in zip(axes, steps.items()):
    axis.bar(range(4), heights)
    axis.set_title(title)

# %% [markdown]
# A score of 100 would overflow again. A property of the formula helps. If you add the same number to all scores, all exponentials grow
# by the same factor, and the division removes this factor. So you can shift the scores so that no exponential is larger than 1. One
# row of a batch must not affect another, so every row needs its own shift.
#
# The probabilities sum to 1 along one axis. PyTorch calls an axis a `dim`, and so does this course.

# %% exercise="02.5" minutes=30 points=3
#| export
@op
def softmax(a, *, dim=-1):
    """Turn scores into probabilities that sum to 1 along an axis, without overflow.

    Args:
        a: Array of scores, of one dimension or more. A score of -inf gets probability 0. The array
            is not changed.
        dim: The axis along which the probabilities sum to 1; negative ones count from the end.

    Returns:
        Array of the same shape. With ``dim=-1``, entry ``[..., i]`` is ``exp(a[..., i])`` divided
        by the sum over j of ``exp(a[..., j])``. float32 stays float32.

    Example:
        >>> softmax.forward(np.array([[1000.0, 1000.0], [0.0, np.log(3)]]))
        array([[0.5 , 0.5 ],
               [0.25, 0.75]])

    Source:
        Bridle, Training Stochastic Model Recognition Algorithms as Networks, 1989.
    """
    ### BEGIN SOLUTION
    largest = a.max(axis=dim, keepdims=True) if a.size else 0  # an empty array has no maximum
    powers = np.exp(a - largest)
    powers /= powers.sum(axis=dim, keepdims=True)
    return powers
    ### END SOLUTION

# %% check="02.5"
check("02.5")

# %% [markdown] hint="02.5"
# Which number do you subtract from a row so that its largest exponential is exactly 1? Then no exponential can overflow, and the
# sum is at least 1, so that you never divide by 0.

# %% [markdown] hint="02.5"
# A maximum along an axis drops the axis: (2, 3) becomes (2,), which no longer lines up with the rows. In module 01 you used a setting
# that keeps the axis, with size 1. You need it twice.

# %% [markdown] hint="02.5"
# Three steps: subtract the largest entry along `dim`, take exponentials, divide by their sum along `dim`. Pass `dim` to NumPy as
# `axis`.

# %% [markdown]
# Two properties are worth testing in every softmax: the probabilities sum to 1, and shifting all scores changes nothing. But scaling
# the scores does change the probabilities.

# %%
scores = np.array([2.0, 1.0, -1.0, 1.5])
probabilities = softmax.forward(scores)
print("sum", probabilities.sum())
print("shifted by 1000:", softmax.forward(scores + 1000) - probabilities)
figure, axes = plt.subplots(1, 3, figsize=(7, 2), sharey=True, layout="constrained")
for axis, scale in zip(axes, [0.2, 1, 5]):
    axis.bar(range(4), softmax.forward(scale * scores))
    axis.set_title(f"scores times {scale}")

# %% [markdown] question="02.2"
# Large scores make the probabilities extreme, and small scores make them even. In a language model you can choose the scale: it is 1
# divided by the **temperature**. What do you expect the model's text to look like at temperature 0.1, and at 10?

# %% [markdown]
# ## The logarithm of a probability
#
# To measure how wrong a network is, you take the logarithm of the probability that it gave to the true class. You do this in
# module 04. Small probabilities matter most there, and for small probabilities the obvious way fails:

# %%
scores = np.array([[0, -3, -120]], np.float32)
probabilities = softmax.forward(scores)
with np.errstate(divide="ignore"):
    print("probabilities", probabilities, " their logarithms", np.log(probabilities))

# %% [markdown]
# The third probability is about $10^{-52}$, which float32 rounds to 0, and the logarithm of 0 is -inf. But the correct result, about
# -120, is an ordinary number. Take the logarithm on paper first, with $m$ the largest score along the axis:
#
# $$\log \frac{e^{a_i - m}}{\sum_j e^{a_j - m}} = (a_i - m) - \log \sum_j e^{a_j - m}$$

# %% exercise="02.6" minutes=25 points=3
#| export
@op
def log_softmax(a, *, dim=-1):
    """Take the logarithm of the softmax along an axis, even where a probability rounds to 0.

    Args:
        a: Array of scores, of one dimension or more. It is not changed.
        dim: The axis along which the probabilities sum to 1; negative ones count from the end.

    Returns:
        Array of the same shape, no entry above 0. With ``dim=-1``, entry ``[..., i]`` is
        ``a[..., i]`` minus the logarithm of the sum over j of ``exp(a[..., j])``. float32 stays
        float32.

    Example:
        >>> log_softmax.forward(np.array([0.0, -5000.0]))
        array([    0., -5000.])
    """
    ### BEGIN SOLUTION
    shifted = a - (a.max(axis=dim, keepdims=True) if a.size else 0)
    return shifted - np.log(np.exp(shifted).sum(axis=dim, keepdims=True))
    ### END SOLUTION

# %% check="02.6"
check("02.6")

# %% [markdown] hint="02.6"
# Do not call `softmax` here: what it rounded to 0 is lost. The formula on the right needs no probabilities.

# %% [markdown] hint="02.6"
# The formula uses `a - m` twice: once directly, once inside the exponential. Give it a name. The sum inside the logarithm is at
# least 1, so the logarithm is never -inf.

# %% [markdown]
# ## For those who want more: a unit that cannot die
#
# If the input of a ReLU is negative for every example, its slope is 0 for every example. Its weights never change again: the unit is
# **dead**. The leaky ReLU lets a small part of the negative side through.

# %% exercise="02.7" minutes=10 points=1 extension=true
#| export
@op
def leaky_relu(a, *, negative_slope=0.01):
    """Multiply every negative entry by a small slope, and keep the others.

    Args:
        a: Array of any shape. It is not changed.
        negative_slope: What negative entries are multiplied by.

    Returns:
        Array of the same shape. float32 stays float32, and nan stays nan.

    Example:
        >>> leaky_relu.forward(np.array([-100.0, 0.0, 3.0]))
        array([-1.,  0.,  3.])

    Source:
        Maas, Hannun and Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models, 2013.
    """
    ### BEGIN SOLUTION
    return np.where(a < 0, a * negative_slope, a)
    ### END SOLUTION

# %% check="02.7"
check("02.7")

# %% [markdown] hint="02.7"
# Choose entry by entry with `np.where`. Both choices are computed for all entries, which does no harm here.

# %% [markdown] hint="02.7"
# Taking the larger of the array and its scaled copy works only for slopes below 1. Try a slope of 3.

# %% [markdown]
# If its inputs are integers, such as pixels from 0 to 255, ReLU returns integers. All other activations return floats, so their
# inputs have to become float32 before your function gets them. The next cell registers this.

# %%
#| export
sigmoid.register_floats()
tanh.register_floats()
erf.register_floats()
gelu.register_floats()
softmax.register_floats()
log_softmax.register_floats()
leaky_relu.register_floats()

# %% [markdown]
# ## Two bends separate what no line can
#
# Take two switches, and a lamp that is lit when exactly one of them is on: the **exclusive or**. The four positions of the switches
# are the corners of a square. No straight line has the two lit corners on one side and the two dark ones on the other. A layer with
# two hidden units can do it: both receive $x + y$, and bend it at 0 and at 1. Here the weights are chosen by hand. Training finds
# such weights for you.

# %%
from tinytorch.tensor import Tensor

corners = Tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
lit = np.array([False, True, True, False])
first_weight, first_bias = Tensor([[1.0, 1.0], [1.0, 1.0]]), Tensor([0.0, -1.0])
second_weight, second_bias = Tensor([[1.0], [-2.0]]), Tensor([-0.5])


def hidden(points, activation):
    return activation(points @ first_weight + first_bias)                        # (n, 2)


def probability(points, activation):
    return sigmoid(8 * (hidden(points, activation) @ second_weight + second_bias))   # (n, 1)


print(probability(corners, relu))

# %% [markdown]
# Look at what the hidden layer does to the square. Without a bend, all points end up on one straight line, with the lit corners in
# the middle, and no single cut can separate the middle. ReLU folds that line, and now one cut is enough.

# %%
ticks = np.linspace(-0.5, 1.5, 101, dtype=np.float32)
square = Tensor(np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2))   # 101 x 101 points

figure, axes = plt.subplots(1, 2, figsize=(7, 2.8), sharex=True, sharey=True, layout="constrained")
layers = {"hidden layer without a bend": lambda a: a, "hidden layer with relu": relu}
for axis, (title, activation) in zip(axes, layers.items()):
    axis.plot(*hidden(square, activation).numpy().T, ".", color="lightgray")
    axis.scatter(*hidden(corners, activation).numpy().T, c=lit, cmap="coolwarm", s=80,
                 edgecolor="black", zorder=3)
    axis.axline((0.5, 0), slope=0.5, color="black", linestyle=":")
    axis.set(title=title, xlabel="first hidden unit", ylabel="second")

# %% [markdown]
# In the original square, the cut is the network's **decision boundary**: the points where the probability of a lit lamp is 1/2.

# %%
figure, axes = plt.subplots(1, 3, figsize=(8, 2.8), sharey=True, layout="constrained")
activations = {"no bend": lambda a: a, "relu": relu, "gelu": gelu}
extent = (-0.5, 1.5, -0.5, 1.5)
for axis, (title, activation) in zip(axes, activations.items()):
    values = probability(square, activation).numpy().reshape(101, 101)
    axis.imshow(values, extent=extent, origin="lower", cmap="coolwarm", vmin=0, vmax=1)
    axis.contour(values, levels=[0.5], extent=extent, colors="black")
    axis.scatter(*corners.numpy().T, c=lit, cmap="coolwarm", s=80, edgecolor="black")
    axis.set_title(title)

# %% [markdown] question="02.3"
# With ReLU, the boundary is made of straight pieces. Along which lines does the hidden layer fold the square? And how many pieces
# could the boundary of a network with a hundred hidden units have?

# %% [markdown]
# Your matrix product, your activations and your `apply` computed every colour in these figures. Save the notebook, then run
#
# ```
# tito module complete 02
# ```
#
# This checks your notebook and exports your code to `tinytorch/activations.py`. In module 03 you put the weights into layers.
