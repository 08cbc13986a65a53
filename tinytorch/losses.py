# Made by tito from modules/04_losses/losses.py: edit that file, then run `tito module complete 04`.

# losses.py, cell 4
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


# losses.py, cell 6
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
    check_shapes("mse_loss", predictions, targets)
    difference = predictions - targets
    return reduce_losses(difference * difference, reduction)


# losses.py, cell 13
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
    largest = zero_for_infinity(x.max(axis=dim, keepdims=True)) if x.size else 0
    out = largest + np.log(np.exp(x - largest).sum(axis=dim, keepdims=True))
    return out if keepdim else out.squeeze(axis=dim)


# losses.py, cell 18
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
    check_labels(logits, labels)
    right = logits[np.arange(len(labels)), labels]
    return reduce_losses(logsumexp.forward(logits, dim=1) - right, reduction)


# losses.py, cell 28
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
    check_shapes("binary_cross_entropy_with_logits", logits, targets)
    smooth_maximum = np.maximum(logits, 0) + np.log1p(np.exp(-np.abs(logits)))
    return reduce_losses(smooth_maximum - targets * logits, reduction)


# losses.py, cell 33
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
    logits, labels = unwrap(logits), unwrap(labels)
    check_labels(logits, labels)
    return float((logits.argmax(axis=1) == labels).mean())


# losses.py, cell 44
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
    grad = np.exp(logits - logsumexp.forward(logits, dim=1, keepdim=True))
    grad[np.arange(len(labels)), labels] -= 1
    grad /= len(labels)
    return grad


# losses.py, cell 54
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
    grad_x = grad @ weight if needs_input_grad else None
    return grad_x, grad.T @ x, grad.sum(axis=0)


# losses.py, cell 63
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
    return np.where(out <= 0, 0, grad)  # nan is not below 0: its gradient passes, as in PyTorch


# losses.py, cell 68
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


# losses.py, cell 69
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


# losses.py, cell 71
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
