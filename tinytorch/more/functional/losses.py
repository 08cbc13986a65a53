"""`nn.functional`: losses with all of PyTorch's settings. Given, made of your ops; without those settings they are yours."""

import math
from functools import partial

from tinytorch import losses as yours
from tinytorch.given.state import asked
from tinytorch.tensor import Tensor


def _reduced(losses, reduction, weights=None):
    """Return the mean of losses, their sum, or the losses themselves.

    Args:
        losses: Tensor.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weights: Tensor or number to divide the sum by for the mean; None for the number of losses.
    """
    if reduction not in yours.REDUCTIONS:
        raise ValueError(f"reduction is one of {', '.join(yours.REDUCTIONS)}, got {reduction!r}")
    if reduction == "sum":
        return losses.sum()
    if reduction != "mean":
        return losses
    if weights is None:
        return losses.mean()
    if not isinstance(weights, Tensor):
        return losses.sum() / weights
    nothing = weights == 0  # every class was ignored: nan, and gradients of 0
    return (losses.sum() / weights.masked_fill(nothing, 1.0)).masked_fill(nothing, math.nan)


def _same(name, input, target, reduction):
    """Raise an error if the shapes differ, or the reduction is unknown."""
    yours.check_shapes(name, input.data, target.data)
    if reduction not in yours.REDUCTIONS:
        raise ValueError(f"reduction is one of {', '.join(yours.REDUCTIONS)}, got {reduction!r}")


def _old(size_average, reduce):
    """Raise an error for the two settings that `reduction` replaces."""
    if size_average is not None or reduce is not None:
        raise TypeError('size_average and reduce are gone: write reduction="mean", "sum" or "none"')


def cross_entropy(
    input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean", label_smoothing=0.0
):
    """Return the negative log-probability of the right class, from scores.

    Args:
        input: Tensor of scores, of shape (N, C), (C,), or (N, C, d1, ...).
        target: The right classes, whole numbers of the shape of ``input`` without C; or the probabilities of all classes, of the
            shape of ``input``.
        weight: Tensor of shape (C,): the weight of each class.
        size_average, reduce: Removed; use ``reduction``.
        ignore_index: Class that is left out of the loss.
        reduction: ``"mean"``, weighted if there are weights, ``"sum"`` or ``"none"``.
        label_smoothing: The part of the target, from 0 to 1, that is spread evenly over all classes.

    Returns:
        Tensor of one number, or with ``"none"`` of the shape of the classes.

    Raises:
        ValueError: Shapes do not fit, a class is out of range, or a setting is invalid.

    Example:
        >>> logits, labels = Tensor([[0.0, 0.0], [0.0, 0.0]]), Tensor([0, -100])
        >>> cross_entropy(logits, labels)
        tensor(0.6931)
        >>> cross_entropy(logits, Tensor([[0.5, 0.5], [1.0, 0.0]]), reduction="none")
        tensor([0.6931, 0.6931])
    """
    _old(size_average, reduce)
    target = target if isinstance(target, Tensor) else Tensor(target)
    classes = target.dtype.kind != "f"
    plain = weight is None and label_smoothing == 0 and classes and input.ndim == 2
    if plain and not asked(lambda labels: (labels == ignore_index).any(), target.data):
        return yours.cross_entropy(input, target, reduction=reduction)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing needs a number from 0 to 1, got {label_smoothing}")
    axis = 1 if input.ndim > 1 else 0
    log_probabilities = input.log_softmax(axis)
    if classes:
        return _of_classes(log_probabilities, target, weight, ignore_index, reduction, label_smoothing, axis)
    yours.check_shapes("cross_entropy", input.data, target.data)
    target = target * (1 - label_smoothing) + label_smoothing / input.shape[axis]
    scaled = log_probabilities * target
    losses = -(scaled if weight is None else scaled * _along(weight, axis, input.ndim)).sum(axis)
    return _reduced(losses, reduction, losses.numel() if reduction == "mean" else None)


def _along(weight, axis, ndim):
    """Return a vector laid out along one axis of many."""
    return weight.reshape(*(-1 if i == axis else 1 for i in range(ndim)))


def _of_classes(log_probabilities, target, weight, ignore_index, reduction, label_smoothing, axis):
    """Return the cross-entropy for classes given by number, with every setting."""
    kept, safe = _checked(log_probabilities, target, ignore_index, axis)
    counts = _counts(safe, kept, weight, log_probabilities)
    losses = -log_probabilities.gather(axis, safe.unsqueeze(axis)).squeeze(axis) * counts
    total = counts.sum()
    if label_smoothing:
        scaled = log_probabilities if weight is None else log_probabilities * _along(weight, axis, log_probabilities.ndim)
        even = -scaled.sum(axis) * kept.to(log_probabilities.dtype) / log_probabilities.shape[axis]
        losses = losses * (1 - label_smoothing) + even * label_smoothing
    return _reduced(losses, reduction, total)


def _counts(safe, kept, weight, like):
    """Return what each example counts: its class's weight, 1 without weights, and 0 if it is ignored."""
    counts = kept.to(like.dtype)
    return counts if weight is None else counts * weight.detach()[safe.data]


def _checked(scores, target, ignore_index, axis):
    """Return which classes count, and the classes with 0 in place of those that are ignored; refuse what does not fit."""
    wanted = scores.shape[:axis] + scores.shape[axis + 1 :]
    if target.shape != wanted:
        raise ValueError(f"scores of shape {scores.shape} need classes of shape {wanted}, got {target.shape}")
    if target.dtype.kind not in "iu":
        raise TypeError(f"classes need to be whole numbers, got {target.dtype}: convert them with .long()")
    kept = target != ignore_index
    safe = target.masked_fill(~kept, 0)
    asked(partial(_check_classes, count=scores.shape[axis], ignore_index=ignore_index), target.data)
    return kept, safe


def _check_classes(classes, count, ignore_index):
    """Raise an error for a class that does not exist and is not ignored."""
    wrong = classes[((classes < 0) | (classes >= count)) & (classes != ignore_index)]
    if wrong.size:
        raise ValueError(f"classes are 0 to {count - 1} here, got {wrong[0]}")


def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """Take the negative log-probability of the right class, from what log_softmax returns.

    Args:
        input: Tensor of log-probabilities, of shape (N, C), (C,), or (N, C, d1, ...).
        target: The right classes, whole numbers of that shape without C.
        weight, size_average, ignore_index, reduce, reduction: As in `cross_entropy`.

    Returns:
        Tensor of one number, or with ``"none"`` of the shape of the classes.

    Example:
        >>> nll_loss(Tensor([[-1.0, -2.0]]), Tensor([1]))
        tensor(2.)
    """
    _old(size_average, reduce)
    return _of_classes(input, target, weight, ignore_index, reduction, 0.0, 1 if input.ndim > 1 else 0)


def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """Square every difference between prediction and target.

    Args:
        input, target: Tensors of one shape.
        size_average, reduce: Removed; use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: Tensor, the weight of each square.

    Returns:
        Tensor of one number, or with ``"none"`` of the inputs' shape.

    Example:
        >>> mse_loss(Tensor([1.0, 5.0]), Tensor([3.0, 5.0]))
        tensor(2.)
    """
    _old(size_average, reduce)
    if weight is None:
        return yours.mse_loss(input, target, reduction=reduction)
    return _weighted(yours.mse_loss(input, target, reduction="none"), weight, reduction)


def _weighted(losses, weight, reduction):
    """Reduce losses that have weights, which divide the mean; None for losses without."""
    return (
        _reduced(losses, reduction)
        if weight is None
        else _reduced(losses * weight, reduction, weight.expand(*losses.shape).sum())
    )


def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """Take the absolute value of every difference; the arguments are those of `mse_loss`.

    Example:
        >>> l1_loss(Tensor([1.0, 5.0]), Tensor([3.0, 5.0]))
        tensor(1.)
    """
    _old(size_average, reduce)
    _same("l1_loss", input, target, reduction)
    return _weighted((input - target).abs(), weight, reduction)


def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """Return half the square of small differences; beyond ``delta`` continue as a straight line. ``weight`` is as in `mse_loss`.

    Example:
        >>> huber_loss(Tensor([0.5, 5.0]), Tensor([0.0, 0.0]), reduction="none")
        tensor([0.125, 4.5  ])
    """
    _same("huber_loss", input, target, reduction)
    if delta <= 0:
        raise ValueError(f"huber_loss needs a delta above 0, got {delta}")
    difference = (input - target).abs()
    small = difference.clamp(max=delta)
    return _weighted(small * small * 0.5 + (difference - small) * delta, weight, reduction)


def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """Return `huber_loss` divided by ``beta``; with beta 0 it is `l1_loss`.

    Example:
        >>> smooth_l1_loss(Tensor([0.5, 5.0]), Tensor([0.0, 0.0]), reduction="none")
        tensor([0.125, 4.5  ])
    """
    _old(size_average, reduce)
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return huber_loss(input, target, reduction, beta) / beta


def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """Return the divergence of log-probabilities from target probabilities: ``target * (log(target) - input)``.

    Args:
        input: Tensor of log-probabilities.
        target: Tensor of probabilities, or of their logarithms with ``log_target``.
        size_average, reduce: Removed; use ``reduction``.
        reduction: ``"batchmean"`` divides the sum by the first axis; the others are those of `mse_loss`.
        log_target: Whether the targets are logarithms.

    Example:
        >>> kl_div(Tensor([[0.5, 0.5]]).log(), Tensor([[1.0, 0.0]]), reduction="batchmean")
        tensor(0.6931)
    """
    _old(size_average, reduce)
    if log_target:
        losses = target.exp() * (target - input)
    else:
        nothing = target == 0  # 0 * log(0) counts as 0
        losses = target * (target.masked_fill(nothing, 1.0).log() - input)
    return losses.sum() / len(input) if reduction == "batchmean" else _reduced(losses, reduction)


def _check_probabilities(values):
    """Raise an error for what is no probability."""
    if values.size and not 0 <= values.min() <= values.max() <= 1:
        raise ValueError("binary_cross_entropy needs probabilities from 0 to 1: use binary_cross_entropy_with_logits for scores")


def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Return the negative log-probability of the right answers to yes-or-no questions; logarithms stop at -100.

    Args:
        input: Tensor of probabilities.
        target: Tensor of its shape: 1 for yes, 0 for no.
        weight: Tensor, the weight of each question.
        size_average, reduce: Removed; use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: The shapes differ, or a probability is not from 0 to 1.

    Example:
        >>> binary_cross_entropy(Tensor([0.5]), Tensor([1.0]))
        tensor(0.6931)
    """
    _old(size_average, reduce)
    _same("binary_cross_entropy", input, target, reduction)
    asked(_check_probabilities, input.data)
    losses = -(target * input.log().clamp(min=-100.0) + (1 - target) * (1 - input).log().clamp(min=-100.0))
    return _reduced(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
):
    """Return the negative log-probability of the right answers to yes-or-no questions, from scores.

    Args:
        input: Tensor of scores.
        target: Tensor of its shape: 1 for yes, 0 for no.
        weight: Tensor, the weight of each question.
        size_average, reduce: Removed; use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: Tensor, the weight of a yes.

    Example:
        >>> binary_cross_entropy_with_logits(Tensor([0.0]), Tensor([1.0]))
        tensor(0.6931)
    """
    _old(size_average, reduce)
    if weight is None and pos_weight is None:
        return yours.binary_cross_entropy_with_logits(input, target, reduction=reduction)
    _same("binary_cross_entropy_with_logits", input, target, reduction)
    rest = (-input.abs()).exp().log1p() + (-input).clamp(min=0.0)  # log(1 + exp(-input))
    scale = 1 if pos_weight is None else target * (pos_weight - 1) + 1
    losses = (1 - target) * input + rest * scale
    return _reduced(losses if weight is None else losses * weight, reduction)


def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """Return the cosine of the angle between vectors along an axis.

    Example:
        >>> cosine_similarity(Tensor([[1.0, 0.0]]), Tensor([[1.0, 1.0]]))
        tensor([0.7071])
    """
    return (x1 * x2).sum(dim) / (x1.norm(dim=dim).clamp(min=eps) * x2.norm(dim=dim).clamp(min=eps))


def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"):
    """Keep the distances of similar pairs (target 1) small, and those of dissimilar ones (-1) above the margin.

    Example:
        >>> hinge_embedding_loss(Tensor([0.5, 0.25]), Tensor([1.0, -1.0]), reduction="none")
        tensor([0.5 , 0.75])
    """
    _old(size_average, reduce)
    return _reduced(input.where(target == 1, (margin - input).clamp(min=0.0)), reduction)


def margin_ranking_loss(input1, input2, target, margin=0.0, size_average=None, reduce=None, reduction="mean"):
    """Require that the first of each pair ranks higher (target 1) or lower (-1), by a margin.

    Example:
        >>> margin_ranking_loss(Tensor([1.0]), Tensor([3.0]), Tensor([1.0]))
        tensor(2.)
    """
    _old(size_average, reduce)
    return _reduced((-target * (input1 - input2) + margin).clamp(min=0.0), reduction)
