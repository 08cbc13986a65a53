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
# # Losses
#
# A network turns an image into ten scores. A **loss** compares those scores with the true class, and returns one number that measures
# how wrong they are. Training makes that number smaller, step by step. In this module you write three losses, and work out by hand
# which way every weight has to move. At the end a network learns to read digits with your code.
#
# ## One number for how wrong
#
# Suppose a network predicts a temperature. Subtract the true temperature and square the difference. Too warm and too cold count the
# same, and twice as wrong costs four times as much. The mean over all predictions is the **mean squared error**. In the figure below,
# each difference is the side of a square, and the loss is the mean area.

# %%
from tito import notebook
check = notebook("04")

import matplotlib.pyplot as plt
import numpy as np
rng = np.random.default_rng(0)

# %%
x = np.array([0.2, 0.9, 1.7, 2.4, 3.1, 3.8], np.float32)
targets = np.array([0.4, 1.6, 0.8, 2.3, 1.6, 2.9], np.float32)
predictions = 0.5 + 0.5 * x
areas = [float(guess - right) ** 2 for guess, right in zip(predictions, targets)]
figure, axis = plt.subplots(figsize=(4, 3))
axis.plot(x, predictions, "k-", x, targets, "o")
for left, guess, right in zip(x, predictions, targets):
    side = abs(guess - right)
    axis.add_patch(plt.Rectangle((left, min(guess, right)), side, side, alpha=0.3))
axis.set_aspect("equal")
print("areas", np.round(areas, 3), "mean", round(sum(areas) / len(areas), 3))

# %%
#| export
"""Losses, and the gradients of a two-layer network by hand."""
import numpy as np

from tinytorch.activations import log_softmax
from tinytorch.layers import Linear, Module, ReLU, Sequential
from tinytorch.given.infinities import zero_for_infinity
from tinytorch.given.op import op
from tinytorch.tensor import Tensor, unwrap

REDUCTIONS = {"mean": np.mean, "sum": np.sum, "none": lambda losses: losses}


def reduce_losses(losses, reduction):
    """Reduce many losses to their ``"mean"`` or ``"sum"``; ``"none"`` keeps them all."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is one of {', '.join(REDUCTIONS)}, got {reduction!r}")
    return REDUCTIONS[reduction](losses)


def check_shapes(name, predictions, targets):
    """Raise an error if shapes differ: broadcasting would pair each prediction with all targets."""
    if np.shape(predictions) != np.shape(targets):
        raise ValueError(f"{name} needs predictions and targets of one shape, got "
                         f"{np.shape(predictions)} and {np.shape(targets)}: reshape one of them")


def check_labels(scores, labels):
    """Raise an error unless there is one label, a valid class, for each row of scores.

    Args:
        scores: Array of shape (N, C).
        labels: Array of shape (N,), whole numbers from 0 to C - 1.

    Raises:
        ValueError: The shapes do not fit, or a label is out of range.
        TypeError: The labels are not whole numbers.

    Example:
        >>> check_labels(np.zeros((2, 3)), np.array([1, 3]))
        Traceback (most recent call last):
        ...
        ValueError: labels name classes 0 to 2 here, got 3
    """
    if scores.ndim != 2 or labels.shape != scores.shape[:1]:
        raise ValueError("scores need shape (N, C) and labels shape (N,), "
                         f"got {scores.shape} and {labels.shape}")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels need to be whole numbers, got {labels.dtype}: convert them")
    classes = scores.shape[1]
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        wrong = labels[(labels < 0) | (labels >= classes)][0]
        raise ValueError(f"labels name classes 0 to {classes - 1} here, got {wrong}")

# %% [markdown]
# The cell above is given. `reduce_losses` turns many losses into one number. The mean is the default, so that the loss does not grow
# with the batch; `"none"` keeps one loss for each example. `check_shapes` catches a silent bug: predictions of shape `(4, 1)` minus
# targets of shape `(4,)` broadcast to `(4, 4)`. Then every prediction is compared with every target, and the loss is wrong without
# any error. (`check_labels` is for exercise 04.3.)
#
# Your op receives arrays. It checks their shapes, computes an array of losses and passes this array to `reduce_losses`.

# %% exercise="04.1" minutes=10 points=1
#| export
@op
def mse_loss(predictions, targets, *, reduction="mean"):
    """Square every difference between prediction and target, and reduce the squares.

    Args:
        predictions: Array of any shape.
        targets: Array of the same shape.
        reduction: How to reduce the squares: ``"mean"``, ``"sum"``, or ``"none"`` to keep them.

    Returns:
        One number, or with ``"none"`` an array of the inputs' shape.

    Raises:
        ValueError: The shapes differ, even if they broadcast; `check_shapes` raises the error.

    Example:
        >>> mse_loss.forward(np.array([1.0, 5.0]), np.array([3.0, 5.0]))
        np.float64(2.0)

    Source:
        Legendre, Nouvelles méthodes pour la détermination des orbites des comètes, 1805.
    """
    ### BEGIN SOLUTION
    check_shapes("mse_loss", predictions, targets)
    difference = predictions - targets
    return reduce_losses(difference * difference, reduction)
    ### END SOLUTION

# %% check="04.1"
check("04.1")

# %% [markdown] hint="04.1"
# Three steps, one line each: check the shapes, compute an array of squares, reduce it. Two of the steps are calls of given functions.

# %% [markdown] hint="04.1"
# If only some cases fail, look for what they have in common. Do you pass `reduction` on? Do you check the shapes before anything
# broadcasts?

# %% [markdown]
# ## Which class?
#
# There is no distance between the digits 3 and 8, because they are classes. The network gives each class a score, called a **logit**,
# and softmax (module 02) turns the scores into probabilities. The loss depends only on the probability of the true class $y$: it is
# $-\log p_y$. A sure and right prediction costs almost nothing. A sure and wrong prediction costs without limit. Softmax divides
# $e^{z_y}$ by the sum over all classes, and the logarithm of a fraction is a difference, so you need not compute a probability:
#
# $$-\log p_y = -\log \frac{e^{z_y}}{\sum_j e^{z_j}} = \underbrace{\log \sum_j e^{z_j}}_{\text{log-sum-exp}} - z_y$$

# %%
p = np.linspace(0.005, 1, 200)
figure, axis = plt.subplots(figsize=(4.5, 3))
axis.plot(p, -np.log(p))
for chance, note in {0.9: "nearly sure", 0.1: "one of ten", 0.01: "wrong, and sure of it"}.items():
    axis.plot(chance, -np.log(chance), "ko")
    axis.text(chance + 0.03, 0.08 - np.log(chance), f"{note}: {-np.log(chance):.2f}")
axis.set(xlabel="probability of the true class", ylabel="loss", xlim=(-0.02, 1.45))

with np.errstate(over="ignore"):
    for scores in np.array([[1, 2, 3], [11, 12, 13], [101, 102, 103]], np.float32):
        print("log-sum-exp of", scores, "as it is written:", np.log(np.exp(scores).sum()))

# %% [markdown]
# Log-sum-exp is a smooth maximum, a little above the largest score. Computed as written, it fails, because the largest float32 is
# about $e^{88}$. The first two lines suggest a solution: adding 10 to all scores added 10 to the result. So subtract the largest
# score $m$ first, and add it back at the end. Then no exponent is above 0, and the sum is at least 1:
#
# $$\log \sum_j e^{z_j} = m + \log \sum_j e^{z_j - m}$$

# %% exercise="04.2" minutes=15 points=2
#| export
@op
def logsumexp(x, *, dim, keepdim=False):
    """Take the logarithm of a sum of exponentials along an axis, without overflow.

    Args:
        x: Array of one dimension or more.
        dim: The axis to sum along; negative ones count from the end.
        keepdim: Whether that axis stays, with size 1.

    Returns:
        Array without axis ``dim``, or with size 1 in its place: ``log(sum over j of
        exp(x[..., j, ...]))``. Every finite input gives a finite result, however large.

    Example:
        >>> logsumexp.forward(np.array([[0.0, 0.0], [1000.0, 0.0]]), dim=1).round(4)
        array([6.931e-01, 1.000e+03])

    Source:
        Blanchard, Higham and Higham, Accurately computing the log-sum-exp and softmax functions,
        2021, section 1.
    """
    ### BEGIN SOLUTION
    largest = zero_for_infinity(x.max(axis=dim, keepdims=True)) if x.size else 0
    out = largest + np.log(np.exp(x - largest).sum(axis=dim, keepdims=True))
    return out if keepdim else out.squeeze(axis=dim)
    ### END SOLUTION

# %% check="04.2"
check("04.2")

# %% [markdown] hint="04.2"
# Each row (or column, depending on `dim`) has its own largest score. For the subtraction, the axis has to stay, with size 1. Which
# setting of `max` does that?

# %% [markdown] hint="04.2"
# Keep the axis in every step, then drop it at the end if `keepdim` is False: `squeeze` removes an axis of size 1.

# %% [markdown]
# Now the loss: log-sum-exp minus the score of the true class. You have all the pieces; `logsumexp.forward` works on arrays. To
# pick one entry from each row, index with two arrays: `z[[0, 1], [2, 1]]` is entry 2 of row 0 and entry 1 of row 1.
#
# Indexing accepts labels that make no sense. Label -1 picks the last class. Labels of shape `(N, 1)` pick N scores for each row.
# Labels that start at 1 fail only when the last class occurs. The given `check_labels` raises an error for such labels, so call it
# first.

# %% exercise="04.3" minutes=20 points=3
#| export
@op
def cross_entropy(logits, labels, *, reduction="mean"):
    """Measure how little probability the scores give to the true class.

    Args:
        logits: Array of shape (N, C), a row of scores for each example; any finite values.
        labels: Array of shape (N,), the true class of each example, whole numbers from 0 to C - 1.
        reduction: How to reduce the N losses: ``"mean"``, ``"sum"``, or ``"none"`` to keep them.

    Returns:
        One number, or with ``"none"`` an array of shape (N,). The loss of example n is
        ``-log(exp(logits[n, labels[n]]) / sum over j of exp(logits[n, j]))``.

    Raises:
        ValueError: The shapes do not fit, or a label is out of range; `check_labels` raises the
            error.
        TypeError: The labels are not whole numbers.

    Example:
        >>> cross_entropy.forward(np.zeros((5, 10)), np.array([3, 1, 4, 1, 5])).round(4)
        np.float64(2.3026)

    Source:
        Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.2.2.3.
    """
    ### BEGIN SOLUTION
    check_labels(logits, labels)
    right = logits[np.arange(len(labels)), labels]
    return reduce_losses(logsumexp.forward(logits, dim=1) - right, reduction)
    ### END SOLUTION

# %% check="04.3"
check("04.3")

# %% [markdown] hint="04.3"
# Four steps. Check the labels. Compute the log-sum-exp of every row. Pick the score of the true class from every row. Reduce the
# differences. Both middle steps give an array of shape (N,).

# %% [markdown] hint="04.3"
# To pick one score from each row, you need the row numbers 0 to N - 1 together with the labels, as in the text above. A slice `:`
# would pick whole columns instead.

# %% [markdown] hint="04.3"
# If large scores fail, an `exp` or a `log` runs outside your `logsumexp`. If the mean is wrong but the sum is right, look at what you
# divide by: N examples, not N times C scores.

# %% [markdown] question="04.1"
# The next cell makes a network with random weights, which has learned nothing, and gives it random images with ten classes.
# **Predict** its loss before you run the cell. What do you check first if one of your networks starts at a loss of 7?

# %%
untrained = Sequential(Linear(784, 256, rng=rng), ReLU(), Linear(256, 10, rng=rng))
images = Tensor(rng.standard_normal((500, 784), np.float32))
classes = Tensor(rng.integers(10, size=500))
print("untrained:", cross_entropy(untrained(images), classes).item(), " ln 10 =", np.log(10))

# %% [markdown]
# ## Yes or no?
#
# Does this image show a cat? One score $z$ is enough: sigmoid (module 02) turns it into the probability of yes. With target $t = 1$
# for yes and 0 for no, the loss is $-t \log \sigma(z) - (1 - t) \log (1 - \sigma(z))$. Computed as written, in float32, it fails
# where it matters most: on predictions that are sure and wrong.

# %%
z = np.linspace(-30, 30, 400, dtype=np.float32)
with np.errstate(divide="ignore"):
    naive = -np.log(1 - 1 / (1 + np.exp(-z)))       # the target is 0: no
figure, axis = plt.subplots(figsize=(4.5, 2.6))
axis.plot(z, np.maximum(z, 0), "--", color="gray", label="what it should approach")
axis.plot(z, naive, label="as it is written")
axis.set(xlabel="score z; the target is no", ylabel="loss")
axis.legend()
print("largest finite loss:", naive[np.isfinite(naive)].max(), "  at z = 20:", naive[z >= 20][0])

# %% [markdown]
# Near $z = 17$ the sigmoid rounds to 1, and the logarithm of 0 is infinite. You know the solution. A yes-or-no question has two
# classes, and *no* always has the score 0. Log-sum-exp of the scores 0 and $z$, minus the score of the true class, is
#
# $$\log (e^0 + e^z) - t z = \underbrace{\max(0, z)}_{\text{the largest}} + \log (1 + e^{-|z|}) - t z$$
#
# because after you subtract the largest score, one exponent is 0 and the other is $-|z|$. `np.log1p(x)` is $\log(1 + x)$, and is
# accurate for small $x$ too.

# %% exercise="04.4" minutes=15 points=2
#| export
@op
def binary_cross_entropy_with_logits(logits, targets, *, reduction="mean"):
    """Measure how wrong the scores of yes-or-no questions are: the cross-entropy of each.

    Args:
        logits: Array of any shape, one score for each question; any finite values.
        targets: Array of the same shape, 1 for yes and 0 for no; a number in between is the
            probability of yes.
        reduction: How to reduce the losses: ``"mean"``, ``"sum"``, or ``"none"`` to keep them.

    Returns:
        One number, or with ``"none"`` an array of the inputs' shape. For logit z and target t the
        loss is ``-t * log(sigmoid(z)) - (1 - t) * log(1 - sigmoid(z))``, finite and exact for
        large z of both signs.

    Raises:
        ValueError: The shapes differ, even if they broadcast.

    Example:
        >>> binary_cross_entropy_with_logits.forward(np.array([100.0, -3.0]), np.zeros(2)).round(4)
        np.float64(50.0243)

    Source:
        Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.2.2.2.
    """
    ### BEGIN SOLUTION
    check_shapes("binary_cross_entropy_with_logits", logits, targets)
    smooth_maximum = np.maximum(logits, 0) + np.log1p(np.exp(-np.abs(logits)))
    return reduce_losses(smooth_maximum - targets * logits, reduction)
    ### END SOLUTION

# %% check="04.4"
check("04.4")

# %% [markdown] hint="04.4"
# The right-hand side of the formula has three terms. Each is one NumPy expression on whole arrays; you need neither the sigmoid nor an
# `if`.

# %% [markdown] hint="04.4"
# `np.maximum` compares entry by entry with a number. Watch the signs: the exponent is never above 0, and the last term is
# subtracted.

# %% [markdown]
# ## How many are right?
#
# Training needs the loss. People want to know the **accuracy**: the fraction of examples whose highest score is that of the true
# class. No gradient ever flows through the accuracy, so it is not an op but a plain function that returns a Python number. The
# function takes tensors or arrays; `unwrap(x)` (module 01) gives you the array of either.

# %% exercise="04.5" minutes=10 points=1
#| export
def accuracy(logits, labels):
    """Return the fraction of examples whose largest score is that of the true class.

    Args:
        logits: Tensor or array of shape (N, C).
        labels: Tensor or array of shape (N,), whole numbers from 0 to C - 1.

    Returns:
        Python float, from 0 to 1. If scores are equal, the first counts as the largest.

    Raises:
        ValueError: The shapes do not fit, or a label is out of range.

    Example:
        >>> accuracy(np.array([[1.0, 2.0], [9.0, 0.0], [4.0, 5.0]]), np.array([1, 0, 0])) == 2 / 3
        True

    Source:
        Goodfellow, Bengio and Courville, Deep Learning, 2016, section 5.1.2.
    """
    ### BEGIN SOLUTION
    logits, labels = unwrap(logits), unwrap(labels)
    check_labels(logits, labels)
    return float((logits.argmax(axis=1) == labels).mean())
    ### END SOLUTION

# %% check="04.5"
check("04.5")

# %% [markdown] hint="04.5"
# Which axis holds the classes? The position of the largest score along that axis is the network's prediction for each example.

# %% [markdown] hint="04.5"
# Comparing two arrays gives True and False, and their mean is the fraction of True. Turn it into a Python number at the end.

# %%
# Forty points on a line belong to two classes. A bias moves the border between the classes.
points, classes = rng.normal(np.repeat([-1.0, 1.0], 20), 0.9), np.repeat([0, 1], 20)

def loss_at(bias):
    return cross_entropy.forward(np.stack([np.zeros(40), 2 * points + bias], axis=1), classes)

def accuracy_at(bias):
    return accuracy(np.stack([np.zeros(40), 2 * points + bias], axis=1), classes)

biases = np.linspace(-6, 6, 300)
figure, axes = plt.subplots(1, 2, figsize=(7, 2.5))
axes[0].plot(biases, [loss_at(bias) for bias in biases])
axes[1].plot(biases, [accuracy_at(bias) for bias in biases])
for axis, title in zip(axes, ("cross-entropy", "accuracy")):
    axis.set(title=title, xlabel="bias")

# %% [markdown] question="04.2"
# Suppose the bias is learned. Start on each curve at bias 4 and take a tiny step to the left. What does each curve tell you about which
# way to go? Why do you train a network on a loss and not on its accuracy?

# %% [markdown]
# ## Which way is down
#
# The **gradient** of the loss with respect to a number is how steeply the loss rises when that number grows. To make the loss
# smaller, step the other way. You can measure a gradient with **finite differences**: nudge the number up and down, and see how the
# loss changes. For an array, nudge every entry on its own. The gradient has the array's shape.

# %%
def numeric_gradient(function, x, step=1e-5):
    """Measure the gradient of function(x), a number, by nudging each entry of the array x."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (function(up) - function(down)) / (2 * step)
    return gradient

start = 4.0
slope = numeric_gradient(loss_at, np.array(start))
figure, axis = plt.subplots(figsize=(4.5, 2.6))
axis.plot(biases, [loss_at(bias) for bias in biases])
axis.plot([start - 2, start + 2], loss_at(start) + slope * np.array([-2, 2]), "--", color="gray")
bias = start
for _ in range(8):
    axis.plot(bias, loss_at(bias), "ko", markersize=4)
    bias = bias - 2.0 * numeric_gradient(loss_at, np.array(bias))
axis.set(xlabel="bias", ylabel="loss", title=f"slope {slope:.2f} at bias 4; eight steps down")
figure.tight_layout()

# %% [markdown]
# Measuring is reliable but slow. A network for digits has 203,530 parameters, and each needs two runs of the network, so one step
# takes minutes. With formulas derived by hand, all gradients together take only about as long as two runs. So derive the gradients,
# and use `numeric_gradient` to check them. Check in float64, because the difference of two nearly equal float32 numbers has few
# digits left.
#
# ## Back through the loss
#
# Differentiate $\log \sum_j e^{z_j} - z_y$ with respect to each score. The first term gives $e^{z_j} / \sum_k e^{z_k}$, which is the
# softmax. The second term gives -1 at the true class and 0 elsewhere. So the gradient is **probability minus truth**, and the mean
# over $N$ examples divides it by $N$:
#
# $$\frac{\partial\,\text{loss}}{\partial z_{nj}} = \frac{p_{nj} - [j = y_n]}{N}$$

# %%
scores, right = np.array([[1.0, 2.5, 0.5, 1.5]]), 3
measured = numeric_gradient(lambda z: cross_entropy.forward(z, np.array([right])), scores)[0]
probabilities = [np.exp(score) / sum(np.exp(other) for other in scores[0]) for score in scores[0]]
figure, axes = plt.subplots(1, 3, figsize=(7, 2), sharey=True)
bars = {"probability": probabilities, "truth": np.eye(4)[right], "measured gradient": measured}
for axis, (title, values) in zip(axes, bars.items()):
    axis.bar(range(4), values)
    axis.set_title(title)
    axis.axhline(0, color="black", linewidth=0.8)

# %% [markdown]
# Write this gradient for the mean over a batch. For the probabilities, use the softmax of module 02, or your log-sum-exp: a
# probability is $e^{z_j - \text{log-sum-exp}}$.

# %% exercise="04.6" minutes=20 points=3
#| export
def cross_entropy_backward(logits, labels):
    """Return the gradient of the mean cross-entropy with respect to the logits.

    Args:
        logits: Array of shape (N, C); it is not changed.
        labels: Array of shape (N,), whole numbers from 0 to C - 1.

    Returns:
        Array of shape (N, C): ``(p[n, j] - (1 if j == labels[n] else 0)) / N``, where p is the
        softmax of each row. float32 stays float32.

    Example:
        >>> cross_entropy_backward(np.zeros((1, 4)), np.array([2]))
        array([[ 0.25,  0.25, -0.75,  0.25]])

    Source:
        Bridle, Training stochastic model recognition algorithms as networks, NIPS 1989.
    """
    ### BEGIN SOLUTION
    grad = np.exp(logits - logsumexp.forward(logits, dim=1, keepdim=True))
    grad[np.arange(len(labels)), labels] -= 1
    grad /= len(labels)
    return grad
    ### END SOLUTION

# %% check="04.6"
check("04.6")

# %% [markdown] hint="04.6"
# Start with the probabilities of every row, an array of shape (N, C). In each row, one entry changes: the one at the label.

# %% [markdown] hint="04.6"
# Row numbers and labels, which picked entries in 04.3, also work on the left of `-=`. The probabilities are a new array, so you can
# change them in place.

# %% [markdown] hint="04.6"
# If every value is N times too large, you have not divided by N. If rows are right only when N is 1, check the axis of the softmax.

# %%
logits, labels = rng.standard_normal((3, 4)), np.array([2, 0, 2])
analytic = cross_entropy_backward(logits, labels)
numeric = numeric_gradient(lambda z: cross_entropy.forward(z, labels), logits)
print("by formula:", analytic.round(4), "measured:", numeric.round(4), sep="\n")
print("largest difference:", np.abs(analytic - numeric).max())

# %% [markdown] question="04.3"
# The two gradients agree to about ten digits. With a wrong formula they would differ in the first or second digit. Now add up each
# row. What does that sum tell you about adding the same number to all scores?

# %% [markdown]
# ## Back through a linear layer
#
# The loss is at the end of a chain: images, linear, ReLU, linear, loss. You go through this chain backwards. Each function receives
# `grad`, the gradient of the loss with respect to its **output**, and returns the gradient with respect to its **input**, which is the
# `grad` of the function before it. That is the chain rule, one link at a time.
#
# A linear layer returns $y_{no} = \sum_i x_{ni} W_{oi} + b_o$. Look at where each number is used:
#
# - Weight $W_{oi}$ is multiplied by $x_{ni}$ in every example $n$, as part of $y_{no}$.
# - Bias $b_o$ is added to $y_{no}$ in every example $n$.
# - Input $x_{ni}$ is multiplied by $W_{oi}$ for every output $o$.
#
# If a number is used in several places, its gradient is the sum of the gradients that come back from those places. Here are two
# examples, three inputs and two outputs, and a made-up `grad` of the outputs:

# %%
x, grad = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]]), np.array([[1.0, -1.0], [2.0, 0.5]])
weight, bias = np.array([[0.1, 0.2, 0.3], [-0.4, 0.5, 0.6]]), np.array([0.01, 0.02])

def loss_of(x, weight, bias):
    return (grad * (x @ weight.T + bias)).sum()

print("weight[1, 2], by hand:", sum(grad[n, 1] * x[n, 2] for n in range(2)))
print("measured:", numeric_gradient(lambda values: loss_of(x, values, bias), weight), sep="\n")

# %% [markdown]
# The loss here is the sum of `grad * output`, because the gradient of this sum with respect to the outputs is `grad`. Every sum above
# runs over one shared index, as in a matrix product. Work out the operands and transposes from the shapes.
#
# The first layer's inputs are pixels, which training does not change. Their gradient would cost as much as that of the layer's
# weights, so `needs_input_grad=False` leaves it out.

# %% exercise="04.7" minutes=25 points=4
#| export
def linear_backward(grad, x, weight, *, needs_input_grad=True):
    """Return the gradients of a linear layer's input, weight and bias.

    Args:
        grad: Array of shape (N, out_features), the gradient of the loss with respect to the
            layer's output.
        x: Array of shape (N, in_features), the layer's input.
        weight: Array of shape (out_features, in_features).
        needs_input_grad: Whether to compute the gradient of ``x``.

    Returns:
        Tuple of three gradients. That of ``x`` has shape (N, in_features) and is the sum over o of
        ``grad[n, o] * weight[o, i]``, or None if not needed. That of the weight has shape
        (out_features, in_features) and is the sum over n of ``grad[n, o] * x[n, i]``. That of the
        bias has shape (out_features,) and is the sum over n of ``grad[n, o]``.

    Example:
        >>> grad, x = np.array([[1.0], [2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]])
        >>> linear_backward(grad, x, np.ones((1, 2)), needs_input_grad=False)
        (None, array([[13., 16.]]), array([3.]))

    Source:
        Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, 1986.
    """
    ### BEGIN SOLUTION
    grad_x = grad @ weight if needs_input_grad else None
    return grad_x, grad.T @ x, grad.sum(axis=0)
    ### END SOLUTION

# %% check="04.7"
check("04.7")

# %% [markdown] hint="04.7"
# Write down the shapes of `grad`, of `x` and of the result. The size that is missing from the result is summed away, so it has to be
# the inner size of the product.

# %% [markdown] hint="04.7"
# For the weight, N is summed away. N is the first size of both `grad` and `x`, but the inner sizes of `a @ b` are the last size of
# `a` and the first of `b`. Which of `grad` and `x` do you have to transpose to get (out, in)?

# %% [markdown] hint="04.7"
# The bias needs no product: every example sends back its row of `grad`, and you add up the rows. The input needs no transpose: (N, out)
# and (out, in) already fit.

# %%
measured = (numeric_gradient(lambda values: loss_of(values, weight, bias), x),
            numeric_gradient(lambda values: loss_of(x, values, bias), weight),
            numeric_gradient(lambda values: loss_of(x, weight, values), bias))
for by_hand, judge in zip(linear_backward(grad, x, weight), measured):
    print(by_hand.shape, "largest difference:", np.abs(by_hand - judge).max())

# %% [markdown]
# ## Back through ReLU
#
# Where ReLU (module 02) let a number through, the gradient comes back unchanged. Where ReLU returned 0, changing the input does not
# change the output, so the gradient is 0. At 0 itself the curve has a corner, and by convention the gradient is 0 there too.

# %%
x = np.linspace(-2, 2, 41)
figure, axes = plt.subplots(1, 2, figsize=(6, 2), sharex=True, sharey=True)
axes[0].plot(x, np.maximum(x, 0))
axes[1].plot(x, numeric_gradient(lambda v: np.maximum(v, 0).sum(), x), ".")
for axis, title in zip(axes, ("ReLU", "its gradient, measured")):
    axis.set_title(title)

# %% [markdown]
# The measured value at the corner is one half, between the slopes of the two sides. To find out on which side an input was, your
# function needs only ReLU's output: where the output is positive, the input was positive.

# %% exercise="04.8" minutes=10 points=1
#| export
def relu_backward(grad, out):
    """Return the gradient of ReLU's input.

    Args:
        grad: Array of any shape, the gradient of the loss with respect to ReLU's output; it is not
            changed.
        out: Array of the same shape, ReLU's output. (Its input would work too.)

    Returns:
        Array of that shape: ``grad`` where ``out`` is above 0, and 0 elsewhere, even if ``grad`` is
        infinite or nan there. float32 stays float32.

    Example:
        >>> relu_backward(np.array([5.0, -6.0, 7.0]), np.array([2.0, 0.5, 0.0]))
        array([ 5., -6.,  0.])

    Source:
        Nair and Hinton, Rectified linear units improve restricted Boltzmann machines, ICML 2010.
    """
    ### BEGIN SOLUTION
    return np.where(out <= 0, 0, grad)  # nan is not below 0: its gradient passes, as in PyTorch
    ### END SOLUTION

# %% check="04.8"
check("04.8")

# %% [markdown] hint="04.8"
# The sign of `out` decides, not the sign of `grad`. A negative gradient passes like any other.

# %% [markdown] hint="04.8"
# `np.where(condition, a, b)` takes the entry of `a` where the condition holds, and that of `b` elsewhere. In a product, True and
# False count as 1 and 0, but infinity times 0 is nan.

# %% [markdown]
# ## The network and its losses as objects
#
# The next cells are given. They define classes for the losses, as in PyTorch: you make an object once and call it like a layer. They
# also define `nll_loss`, the second half of `cross_entropy`, for networks that end in log_softmax, and `mlp`, the network of this
# module.

# %%
#| export
@op
def nll_loss(log_probabilities, labels, *, reduction="mean"):
    """Take the negative log-probability of the true class, from the result of log_softmax."""
    check_labels(log_probabilities, labels)
    return reduce_losses(-log_probabilities[np.arange(len(labels)), labels], reduction)


# Whole numbers become float32 before they reach the function; with labels, only the scores do.
logsumexp.register_floats()
cross_entropy.register_floats(1)
nll_loss.register_floats(1)
mse_loss.register_floats()
binary_cross_entropy_with_logits.register_floats()


class Loss(Module):
    """A loss with a reduction: ``"mean"``, ``"sum"`` or ``"none"``."""

    def __init__(self, reduction="mean"):
        self.reduction = reduction


class MSELoss(Loss):
    """The mean squared error of predictions and targets of the same shape."""

    def forward(self, predictions, targets):
        return mse_loss(predictions, targets, reduction=self.reduction)

# %%
#| export
class CrossEntropyLoss(Loss):
    """The cross-entropy of logits (N, C) and labels (N,).

    With ``label_smoothing`` s, the true class has weight 1 - s, and s is spread over all classes.
    """

    def __init__(self, reduction="mean", label_smoothing=0.0):
        super().__init__(reduction)
        self.label_smoothing = label_smoothing

    def forward(self, logits, labels):
        s = self.label_smoothing
        if s == 0:
            return cross_entropy(logits, labels, reduction=self.reduction)
        losses = cross_entropy(logits, labels, reduction="none") * (1 - s)
        losses = losses - log_softmax(logits, dim=1).mean(1) * s
        return losses if self.reduction == "none" else getattr(losses, self.reduction)()


class NLLLoss(Loss):
    """The negative log-probability of labels (N,) under log-probabilities (N, C)."""

    def forward(self, log_probabilities, labels):
        return nll_loss(log_probabilities, labels, reduction=self.reduction)


class BCEWithLogitsLoss(Loss):
    """The cross-entropy of yes-or-no scores and targets of the same shape."""

    def forward(self, logits, targets):
        return binary_cross_entropy_with_logits(logits, targets, reduction=self.reduction)


def mlp(in_features, hidden_features, out_features, rng=None):
    """Make a network of two linear layers with a ReLU between them."""
    first = Linear(in_features, hidden_features, rng=rng)
    return Sequential(first, ReLU(), Linear(hidden_features, out_features, rng=rng))

# %% [markdown]
# ## The whole network, by hand
#
# Now go through the whole network: forward through the layers, then backward through your functions in reverse order. Every step back
# needs a value that the forward pass computed, so keep these values.
#
# | forward | | backward | needs |
# |---|---|---|---|
# | `first(images)` | ↓ ↑ | `linear_backward`, without the input's gradient | the images |
# | `activation(...)` | ↓ ↑ | `relu_backward` | the output of ReLU |
# | `second(...)` | ↓ ↑ | `linear_backward` | the output of ReLU, which is its input |
# | `cross_entropy(..., labels)` | ↓ ↑ | `cross_entropy_backward` | the logits |
#
# `first, activation, second = model` takes the network apart. The layers take tensors, but your backward functions take arrays. The
# array of a tensor `x` is `x.data`. Store each gradient in its parameter's `grad`, as a tensor.

# %% exercise="04.9" minutes=25 points=4
#| export
def mlp_gradients(model, images, labels):
    """Run a network made by `mlp` on a batch, and compute each parameter's gradient by hand.

    Args:
        model: The network.
        images: Tensor of shape (N, in_features).
        labels: Tensor of shape (N,), whole numbers.

    Returns:
        Tensor with one number, the mean cross-entropy. Its gradient with respect to each parameter
        is in that parameter's ``grad``, as a tensor. An old gradient is replaced.

    Example:
        >>> model = mlp(3, 4, 2)
        >>> images, labels = Tensor([[0.5, 2.0, -1.0], [1.0, 0.0, 3.0]]), Tensor([1, 0])
        >>> loss = mlp_gradients(model, images, labels)
        >>> [parameter.grad.shape for parameter in model.parameters()]
        [(4, 3), (4,), (2, 4), (2,)]

    Source:
        Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, 1986.
    """
    ### BEGIN SOLUTION
    first, activation, second = model
    hidden = activation(first(images))  # (N, hidden_features)
    logits = second(hidden)  # (N, out_features)
    loss = cross_entropy(logits, labels)

    grad = cross_entropy_backward(logits.data, labels.data)
    grad, weight, bias = linear_backward(grad, hidden.data, second.weight.data)
    second.weight.grad, second.bias.grad = Tensor(weight), Tensor(bias)
    grad = relu_backward(grad, hidden.data)
    _, weight, bias = linear_backward(grad, images.data, first.weight.data, needs_input_grad=False)
    first.weight.grad, first.bias.grad = Tensor(weight), Tensor(bias)
    return loss
    ### END SOLUTION

# %% check="04.9"
check("04.9")

# %% [markdown] hint="04.9"
# Read the table down the left side, then up the right side. Give names to the values you keep: the backward pass needs the output of
# ReLU twice and the logits once.

# %% [markdown] hint="04.9"
# On the way back, use one variable `grad` and replace it at every step: the gradient of a function's input is the `grad` of the next
# function.

# %% [markdown] hint="04.9"
# `linear_backward` returns three gradients. The first is the next `grad`. Turn the other two into tensors, and store them in the
# `grad` of the layer's weight and of its bias. For the first layer, the first gradient is None.

# %%
# Check all of it: nudge every weight of a small network in float64, and compare the gradients.
small = mlp(6, 5, 4, rng=rng)
for parameter in small.parameters():
    parameter.data = parameter.data.astype(np.float64)
images, labels = Tensor(rng.standard_normal((7, 6))), Tensor(rng.integers(4, size=7))
mlp_gradients(small, images, labels)

def loss_with(parameter, values):
    parameter.data = values
    return cross_entropy(small(images), labels).item()

figure, axis = plt.subplots(figsize=(3.2, 3))
for parameter in small.parameters():
    original = parameter.data
    measured = numeric_gradient(lambda values: loss_with(parameter, values), original)
    parameter.data = original
    axis.plot(measured.ravel(), parameter.grad.data.ravel(), ".")
axis.set(xlabel="measured", ylabel="by hand", title="each dot is a parameter")
figure.tight_layout()

# %% [markdown]
# ## It learns
#
# A training step has three parts: draw a batch of images, compute its gradients, and move every parameter a small step downhill. The
# step is the gradient times the **learning rate**, here 0.1. The batches are drawn at random, so this is called **stochastic gradient
# descent**.
#
# The course comes with 5,000 MNIST images: 4,000 to train on, and 1,000 to test the network at the end. Images stay bytes until they
# are needed. `standardised` turns a batch into numbers around 0, using the mean and the standard deviation of the MNIST pixels,
# 0.1307 and 0.3081.

# %%
from tinytorch.datasets import mnist_5k
images, labels, test_images, test_labels = mnist_5k()

def standardised(images):
    """Return images as rows of numbers around 0, with a standard deviation near 1."""
    rows = images.reshape(len(images), -1) / np.float32(255)
    return Tensor((rows - np.float32(0.1307)) / np.float32(0.3081))

# %%
model, losses = mlp(784, 128, 10, rng=rng), []
for step in range(300):
    batch = rng.integers(len(images), size=128)
    loss = mlp_gradients(model, standardised(images[batch]), Tensor(labels[batch]))
    for parameter in model.parameters():
        parameter.data -= 0.1 * parameter.grad.data
    losses.append(loss.item())
print("accuracy on test images:", accuracy(model(standardised(test_images)), test_labels))

# %%
figure, axis = plt.subplots(figsize=(6, 2.2))
axis.plot(losses)
axis.axhline(np.log(10), color="gray", linestyle="--")
axis.text(300, 2.4, "untrained: ln 10", ha="right")
axis.set(xlabel="step", ylabel="loss", ylim=(0, 3))

predictions = model(standardised(test_images[:16])).argmax(dim=1).tolist()
figure, axes = plt.subplots(2, 8, figsize=(6, 2))
for axis, image, prediction, label in zip(axes.flat, test_images, predictions, test_labels):
    axis.imshow(image, cmap="gray")
    axis.set_title(prediction, color="black" if prediction == label else "red", fontsize=9)
    axis.axis("off")

# %% [markdown] question="04.4"
# You worked out the backward pass for this one network. What would you have to write again for a network with a third layer? What
# would a program have to record in the forward pass to work out the backward pass by itself?

# %% [markdown]
# You wrote both the forward and the backward pass of this network. Save the notebook, then run
#
# ```
# tito module complete 04
# tito milestone run mnist-mlp --gradients manual
# ```
#
# The second command uses your `mlp_gradients` to train such a network, with 256 hidden units, on 60,000 handwritten digits. Then it
# reports how many of 10,000 other digits the network reads correctly.
