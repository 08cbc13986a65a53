"""Checks of module 04. NumPy only: nothing here runs the code that it judges, except `observe`.

The oracles compute in float64, by loops over Python numbers. Where a wrong turn is one of float32, such as an overflow, its
misconception computes in float32 as the learner's code does.
"""

import math
from functools import partial

import numpy as np

ERROR, WRONG_TYPE = ("raises", "ValueError"), ("raises", "TypeError")


def reduced(losses, reduction):
    """Sum or average a list or array of losses, as the exercises spell it."""
    losses = np.asarray(losses, np.float64)
    if reduction not in ("mean", "sum", "none"):
        return ERROR
    total = np.float64(math.fsum(losses.ravel()))
    return {"mean": total / max(losses.size, 1), "sum": total, "none": losses}[reduction]


def with_reduction(oracle, always):
    """Turn an oracle into one that ignores the reduction asked for, known or not."""
    return lambda **inputs: oracle(**{**inputs, "reduction": always})


def swap_mean_and_sum(oracle):
    """Turn an oracle into one that sums where the mean is asked for."""

    def wrong(**inputs):
        return oracle(**{**inputs, "reduction": "sum"} if inputs.get("reduction", "mean") == "mean" else inputs)

    return wrong


def in_float32(function):
    """Let a misconception overflow silently."""

    def quiet(**inputs):
        with np.errstate(all="ignore"):
            return function(**inputs)

    return quiet


# 04.1 mse_loss


def draw_mse_loss(rng):
    """No to four axes, every reduction, some that do not exist, and shapes that broadcast but must not."""
    m, n = rng.sizes(2)
    yield dict(predictions=rng.normal32(), targets=rng.normal32(), reduction=rng.pick("mean", "sum", "none"))
    yield dict(predictions=rng.normal32(n), targets=rng.normal32(n))
    for reduction in rng.mix(["mean", "sum", "none"]):
        shape = rng.sizes(rng.size(1, 4))
        yield dict(predictions=rng.normal32(*shape), targets=rng.normal32(*shape), reduction=reduction)
    yield dict(predictions=rng.normal32(m, n), targets=rng.normal32(m, n), reduction="mean")
    yield dict(predictions=rng.normal32(m, n) * 30, targets=rng.normal32(m, n), reduction="none")
    yield dict(predictions=rng.normal32(n, 1), targets=rng.normal32(n), reduction="mean")
    yield dict(predictions=rng.normal32(n), targets=rng.normal32(m, n), reduction=rng.pick("none", "sum"))
    yield dict(predictions=rng.normal32(m, n), targets=rng.normal32(rng.pick(1, m), 1), reduction="mean")
    yield dict(predictions=rng.normal32(m), targets=rng.normal32(m), reduction=rng.pick("max", "average"))


def entry_losses(loss, first, second, reduction, check=True):
    """Apply a loss of two Python numbers entry by entry, and reduce."""
    if check and first.shape != second.shape:
        return ERROR
    first, second = np.broadcast_arrays(first.astype(np.float64), second.astype(np.float64))
    losses = [loss(p, t) for p, t in zip(first.ravel().tolist(), second.ravel().tolist())]
    return reduced(np.array(losses).reshape(first.shape), reduction)


def oracle_mse_loss(predictions, targets, reduction="mean", loss=lambda p, t: (p - t) ** 2, check=True):
    return entry_losses(loss, predictions, targets, reduction, check)


def mean_of_first_axis(predictions, targets, reduction="mean"):
    if predictions.ndim == 2 and predictions.shape == targets.shape and reduction == "mean":
        return oracle_mse_loss(predictions, targets, "none").mean(axis=0)
    return oracle_mse_loss(predictions, targets, reduction)


def rooted(**inputs):
    expected = oracle_mse_loss(**inputs)
    return expected if isinstance(expected, tuple) else np.sqrt(expected)


misconceptions_mse_loss = {
    "the squares were summed where their mean was asked for": swap_mean_and_sum(oracle_mse_loss),
    "reduction was ignored: always the mean": with_reduction(oracle_mse_loss, "mean"),
    "reduction was ignored: the squares were never reduced": with_reduction(oracle_mse_loss, "none"),
    "the differences were not squared, so those of both signs cancel": partial(oracle_mse_loss, loss=lambda p, t: p - t),
    "the differences lost their sign, but were not squared": partial(oracle_mse_loss, loss=lambda p, t: abs(p - t)),
    "half the square: textbooks put a factor 1/2 here, this loss (and PyTorch's) has none": partial(
        oracle_mse_loss, loss=lambda p, t: (p - t) ** 2 / 2
    ),
    "predictions and targets were squared one by one: (p - t) ** 2 is not p ** 2 - t ** 2": partial(
        oracle_mse_loss, loss=lambda p, t: p * p - t * t
    ),
    "the sum was divided by the number of rows: the mean is that of all entries": lambda predictions, targets, reduction="mean": (
        oracle_mse_loss(predictions, targets, "sum") / len(predictions)
        if reduction == "mean" and predictions.shape == targets.shape and predictions.ndim
        else oracle_mse_loss(predictions, targets, reduction)
    ),
    "the root was taken: that is another loss, the RMSE": rooted,
    "shapes that differ were let through, and each prediction met each target": partial(oracle_mse_loss, check=False),
    "the mean ran along the first axis only": mean_of_first_axis,
}


# 04.2 logsumexp


def draw_logsumexp(rng):
    """Every axis of one to four, both ends of float32's exponentials and of float32 in one array, single entries, axes of size 1."""
    m, n = rng.sizes(2, 3, 7)
    yield dict(x=rng.normal32(m, n), dim=1)
    yield dict(x=rng.normal32(m, n), dim=0, keepdim=True)
    yield dict(x=rng.normal32(n, m), dim=rng.pick(0, 1, -1, -2), keepdim=False)
    ndim = rng.size(1, 4)
    yield dict(x=rng.normal32(*rng.sizes(ndim)) * 5, dim=rng.axis(ndim), keepdim=rng.pick(True, False))
    yield dict(x=rng.normal32(*rng.sizes(3)) * 5, dim=-2, keepdim=False)
    far = np.float32([[1000], [-1000]]) - np.float32([0, 150, 2, 0])
    yield dict(x=rng.normal32(2, 4) + far[rng.permutation(2)], dim=1)
    yield dict(x=rng.normal32(m, 2) + np.float32(rng.mix([60, -300])), dim=0, keepdim=True)
    yield dict(x=rng.permuted(np.float32([[1.5e38, -1.5e38, 0, 1], [-1e38, -1e38, -1.5e38, -1e38]]), axis=1), dim=1)
    yield dict(x=rng.normal32(n), dim=rng.pick(0, -1))
    yield dict(x=rng.normal32(n, 1), dim=-1, keepdim=True)
    yield dict(x=rng.normal32(1, m), dim=1)
    yield dict(x=rng.normal32(m, 1, n), dim=rng.pick(0, -3))


def observe_logsumexp(logsumexp, x, dim, **settings):
    with np.errstate(all="ignore"):
        return logsumexp.forward(x, dim=dim, **settings)


def along(function, x, dim, keepdim=False):
    """Apply a function of a list of Python floats to every row along one axis."""
    out = np.apply_along_axis(lambda row: function(row.tolist()), dim, x.astype(np.float64))
    return np.expand_dims(out, dim) if keepdim else out


def log_sum(row):
    """Compute ``log(sum(exp(row)))`` of a list of Python floats."""
    top = max(row)
    return top + math.log(math.fsum(math.exp(value - top) for value in row))


def oracle_logsumexp(x, dim, keepdim=False, function=log_sum):
    return along(function, x, dim, keepdim)


def logsumexp_float32(x, dim, keepdim=False, taken_out=lambda x, dim: 0):
    """The exercise in float32, with something else taken out before the exponentials than the largest of each row."""
    shift = np.asarray(taken_out(x, dim), np.float32)
    out = shift + np.log(np.exp(x - shift).sum(axis=dim, keepdims=True))
    return out if keepdim else out.squeeze(axis=dim)


def one_axis_lost(x, dim, keepdim=False, of_largest=True):
    """The largest entry keeps its axis, or not, whatever keepdim says; the sum does as it says."""
    sums = np.exp(x - x.max(axis=dim, keepdims=True)).sum(axis=dim, keepdims=keepdim)
    return x.max(axis=dim, keepdims=of_largest) + np.log(sums)


misconceptions_logsumexp = {
    "the largest entry was not taken out: its exponential overflows, and those of very negative entries vanish": in_float32(
        logsumexp_float32
    ),
    "far below what was taken out every exponential vanishes: take out each row's own largest entry, whatever its sign": in_float32(
        partial(logsumexp_float32, taken_out=lambda x, dim: x.max())
    ),
    "the largest entry was taken out, but not added again": partial(
        oracle_logsumexp, function=lambda row: log_sum(row) - max(row)
    ),
    "the logarithm is missing": partial(oracle_logsumexp, function=lambda row: max(row) + math.exp(log_sum(row) - max(row))),
    "the exponentials were averaged, not summed": partial(
        oracle_logsumexp, function=lambda row: log_sum(row) - math.log(len(row))
    ),
    "this is the largest entry alone": partial(oracle_logsumexp, function=max),
    "the smallest entry was taken out, so the largest still overflows": in_float32(
        partial(logsumexp_float32, taken_out=lambda x, dim: x.min(axis=dim, keepdims=True))
    ),
    "one of the largest and the sum kept its axis and the other lost it: together they stretch": (
        in_float32(partial(one_axis_lost, of_largest=True)),
        in_float32(partial(one_axis_lost, of_largest=False)),
    ),
    "squeeze() removes all axes of size 1; squeeze(axis=dim) only this one": lambda x, dim, keepdim=False: (
        oracle_logsumexp(x, dim, True) if keepdim else oracle_logsumexp(x, dim, True).squeeze()
    ),
    "keepdim was ignored: the axis is always gone": lambda x, dim, keepdim=False: oracle_logsumexp(x, dim),
    "keepdim was ignored: the axis always stays": lambda x, dim, keepdim=False: oracle_logsumexp(x, dim, True),
    "the sum ran along another axis than dim": lambda x, dim, keepdim=False: oracle_logsumexp(x, (dim + 1) % x.ndim, keepdim),
}


# 04.3 cross_entropy


def draw_cross_entropy(rng):
    """Every reduction, more than ten classes, a batch of one, scores too large for an exponential, and labels that must be refused."""
    (n, c), many = rng.sizes(2, 3, 8), rng.size(11, 14)
    yield dict(logits=rng.normal32(n, c), labels=rng.integers(c, size=n))
    yield dict(logits=rng.normal32(c, many) * 3, labels=rng.integers(many, size=c), reduction="sum")
    yield dict(logits=rng.normal32(n, c), labels=rng.integers(c, size=n).astype(np.uint8), reduction="none")
    yield dict(logits=rng.normal32(1, c), labels=rng.integers(c, size=1))
    yield dict(logits=rng.normal32(n, c), labels=rng.integers(c, size=n), reduction=rng.pick("mean", "sum", "none"))
    large = np.float32([[900, -40, 3, 880], [-700, -950, -710, -705], [0, 250, 20, 30]])
    yield dict(logits=large + rng.normal32(3, 4), labels=np.array([3, 1, 0]), reduction="none")
    wrong = rng.integers(c, size=n)
    wrong[rng.integers(n)] = rng.pick(-1, -c)
    yield dict(logits=rng.normal32(n, c), labels=wrong)
    yield dict(logits=rng.normal32(n, c), labels=np.where(np.arange(n) == rng.integers(n), c, 0))
    yield dict(logits=rng.normal32(n, c), labels=rng.integers(c, size=(n, 1)))
    yield dict(logits=rng.normal32(n, c), labels=rng.integers(c, size=n).astype(np.float32))
    yield dict(logits=rng.normal32(n, c), labels=rng.integers(c, size=n), reduction=rng.pick("average", "max"))


def observe_cross_entropy(cross_entropy, **inputs):
    with np.errstate(all="ignore"):
        return cross_entropy.forward(inputs.pop("logits"), inputs.pop("labels"), **inputs)


def refusal(scores, labels):
    """Return the error that labels deserve, None for good ones."""
    if scores.ndim != 2 or labels.shape != scores.shape[:1]:
        return ERROR
    if labels.dtype.kind == "f":
        return WRONG_TYPE
    return None if all(0 <= label < scores.shape[1] for label in labels.tolist()) else ERROR


def oracle_cross_entropy(logits, labels, reduction="mean", loss=lambda row, y: log_sum(row) - row[y]):
    return refusal(logits, labels) or reduced(
        [loss(row, y) for row, y in zip(logits.astype(np.float64).tolist(), labels.tolist())], reduction
    )


def unchecked_labels(logits, labels, reduction="mean"):
    """What indexing makes of labels that nobody checked."""
    losses = along(log_sum, logits, 1)
    try:
        losses = losses - logits[np.arange(len(labels)), labels].astype(np.float64)
    except IndexError:
        return ("raises", "IndexError")
    return reduced(losses, reduction)


def valid_labels_only(function):
    """Leave labels that must be refused to the oracle."""

    def wrong(logits, labels, reduction="mean"):
        with np.errstate(all="ignore"):
            return refusal(logits, labels) or reduced(function(logits, labels), reduction)

    return wrong


def picked(scores, labels):
    return np.array([row[label] for row, label in zip(scores, labels)])


def softmax_float32(logits, axis=1, largest=True):
    exponentials = np.exp(logits - (logits.max(axis=axis, keepdims=True) if largest else 0))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


SMALL = 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-20, 1e-30


def with_probabilities_above(small):
    """No probability is below a small number: it was cut off there, or that number was added."""
    return partial(oracle_cross_entropy, loss=lambda row, y: -math.log(max(math.exp(row[y] - log_sum(row)), small)))


misconceptions_cross_entropy = {
    "the losses were summed where their mean was asked for": swap_mean_and_sum(oracle_cross_entropy),
    "reduction was ignored: always the mean": with_reduction(oracle_cross_entropy, "mean"),
    "the probability was computed first: a small one rounds to 0, and the logarithm of 0 is infinite": valid_labels_only(
        lambda logits, labels: -np.log(picked(softmax_float32(logits), labels))
    ),
    "the probability was kept above a small number, so that no loss is large: large scores have to give large losses": tuple(
        map(with_probabilities_above, SMALL)
    ),
    "the exponentials overflow: no score was taken out of them": valid_labels_only(
        lambda logits, labels: -np.log(picked(softmax_float32(logits, largest=False), labels))
    ),
    "the softmax ran down the batch; each example competes among its own classes": valid_labels_only(
        lambda logits, labels: along(log_sum, logits, 0)[labels] - picked(logits, labels)
    ),
    "log-sum-exp is missing: this is minus the score of the right class": partial(
        oracle_cross_entropy, loss=lambda row, y: -row[y]
    ),
    "the score of the right class was not subtracted": partial(oracle_cross_entropy, loss=lambda row, y: log_sum(row)),
    "the sign is turned: a loss is never below 0": partial(oracle_cross_entropy, loss=lambda row, y: row[y] - log_sum(row)),
    "the mean is divided by the number of classes once more: average over N examples, not over N times C scores": lambda logits, labels, reduction="mean": (
        oracle_cross_entropy(
            logits, labels, reduction, lambda row, y: (log_sum(row) - row[y]) / (len(row) if reduction == "mean" else 1)
        )
    ),
    "labels were not checked: -1 picks the last class, and a column of labels picks N scores in each row": unchecked_labels,
    "labels with a fraction were made whole numbers before they were checked: check_labels raises the TypeError": lambda logits, labels, **settings: (
        oracle_cross_entropy(logits, labels.astype(np.int64), **settings)
    ),
    "np.take reads the scores as one long row: each label picks in its own row": valid_labels_only(
        lambda logits, labels: along(log_sum, logits, 1) - np.take(logits.astype(np.float64), labels)
    ),
    "whole columns were picked, not one score from each row": valid_labels_only(
        lambda logits, labels: along(log_sum, logits, 1) - logits.astype(np.float64)[:, labels]
    ),
}


# 04.4 binary_cross_entropy_with_logits


def draw_binary_cross_entropy_with_logits(rng):
    """Targets between 0 and 1, every reduction, scores that saturate, huge and tiny losses, and shapes that must not broadcast."""
    m, n = rng.sizes(2)
    yield dict(logits=rng.normal32(), targets=np.asarray(rng.random(), np.float32), reduction=rng.pick("mean", "sum", "none"))
    yield dict(logits=rng.normal32(n) * 3, targets=rng.random(n, np.float32))
    for reduction in rng.mix(["sum", "mean", "none"]):
        shape = rng.sizes(rng.size(1, 4))
        yield dict(logits=rng.normal32(*shape), targets=np.float32(rng.random(shape) < 0.4), reduction=reduction)
    yield dict(logits=rng.normal32(m, n), targets=rng.random((m, n), np.float32), reduction=rng.pick("sum", "none"))
    order = rng.permutation(6)
    yield dict(
        logits=np.float32([-200, 120, 30, -25, 95, -110])[order].reshape(2, 3) + rng.normal32(2, 3),
        targets=np.float32([1, 0, 0, 1, 1, 0])[order].reshape(2, 3),
        reduction="none",
    )
    far = rng.mix([(1e30, 0.0), (-1e30, 1.0), (3e4, 0.25), (-3e4, 0.75), (2e30, 1.0)])
    yield dict(logits=np.float32([z for z, _ in far]), targets=np.float32([t for _, t in far]), reduction="none")
    yield dict(logits=np.float32([-12, -14, -13]) + rng.normal32(3) / 4, targets=np.zeros(3, np.float32), reduction="none")
    yield dict(logits=rng.normal32(n, 1), targets=rng.random(n, np.float32))
    one, other = rng.pick(((n, 1), (1, m)), ((m, n), (m, 1)), ((1, n), (m, n)))
    yield dict(logits=rng.normal32(*one), targets=rng.random(other, np.float32), reduction=rng.pick("sum", "none"))
    yield dict(logits=rng.normal32(1), targets=np.float32([0.25]))


def observe_binary_cross_entropy_with_logits(binary_cross_entropy_with_logits, **inputs):
    with np.errstate(all="ignore"):
        return binary_cross_entropy_with_logits.forward(inputs.pop("logits"), inputs.pop("targets"), **inputs)


def yes_or_no(z, t):
    """The loss of one score, as log-sum-exp of the scores 0 and z."""
    return (1 - t) * log_sum([0.0, z]) + t * log_sum([-z, 0.0])


def oracle_binary_cross_entropy_with_logits(logits, targets, reduction="mean", loss=yes_or_no, check=True):
    return entry_losses(loss, logits, targets, reduction, check)


def bce_float32(smooth_maximum=None, loss=None):
    """The exercise in float32, with another log-sum-exp or another formula altogether."""

    def wrong(logits, targets, reduction="mean"):
        if logits.shape != targets.shape:
            return ERROR
        losses = loss(logits, targets) if loss else smooth_maximum(logits) - targets * logits
        return reduced(losses, reduction)

    return in_float32(wrong)


def by_sigmoid(z, t):
    sigmoid = 1 / (1 + np.exp(-z))
    return -t * np.log(sigmoid) - (1 - t) * np.log(1 - sigmoid)


def by_clipped_sigmoid(z, t, small):
    sigmoid = np.clip(1 / (1 + np.exp(-np.clip(z, -80, 80))), small, 1 - small)
    return -t * np.log(sigmoid) - (1 - t) * np.log(1 - sigmoid)


def another_yes_or_no(loss, check=True):
    return partial(oracle_binary_cross_entropy_with_logits, loss=loss, check=check)


misconceptions_binary_cross_entropy_with_logits = {
    "the sigmoid rounds to 0 or 1, and the logarithm of 0 is infinite": bce_float32(loss=by_sigmoid),
    "the exponential overflows: the larger of 0 and z was not taken out": bce_float32(lambda z: np.log1p(np.exp(z))),
    "log(1 + x) loses a small x: np.log1p(x) keeps it": bce_float32(lambda z: np.maximum(z, 0) + np.log(1 + np.exp(-np.abs(z)))),
    "yes and no were exchanged": another_yes_or_no(lambda z, t: yes_or_no(z, 1 - t)),
    "t * z was added, but the score of the right class is subtracted": another_yes_or_no(lambda z, t: yes_or_no(z, 0) + t * z),
    "the score of the right class was not subtracted": another_yes_or_no(lambda z, t: yes_or_no(z, 0)),
    "the larger of 0 and z was taken out, but not added again": another_yes_or_no(lambda z, t: yes_or_no(-abs(z), 0) - t * z),
    "only the yes was counted: the term for no is missing": another_yes_or_no(lambda z, t: t * yes_or_no(z, 1)),
    "targets between 0 and 1 were taken for yes or for no: a target may be a share": (
        another_yes_or_no(lambda z, t: yes_or_no(z, float(t == 1))),
        another_yes_or_no(lambda z, t: yes_or_no(z, float(t > 0.5))),
        another_yes_or_no(lambda z, t: yes_or_no(z, float(t > 0))),
    ),
    "the probability was cut off near 0 and 1, so that no loss is large: large scores have to give large losses": tuple(
        bce_float32(loss=partial(by_clipped_sigmoid, small=small)) for small in SMALL
    ),
    "the losses were summed where their mean was asked for": swap_mean_and_sum(oracle_binary_cross_entropy_with_logits),
    "reduction was ignored: always the mean": with_reduction(oracle_binary_cross_entropy_with_logits, "mean"),
    "shapes that differ were let through, and each score met each target": another_yes_or_no(yes_or_no, check=False),
}


# 04.5 accuracy


def draw_accuracy(rng):
    """Arrays and tensors, together and one of each, more examples than classes and fewer, equal scores, labels that must be refused."""
    n, c, many = rng.size(7, 9), rng.size(3, 5), rng.size(11, 14)
    scores = rng.normal32(n, c)
    labels = scores.argmax(axis=1)
    wrong = rng.permutation(n)[: rng.size(2, 3)]
    labels[wrong] = (labels[wrong] + 1) % c
    yield dict(logits=scores, labels=labels, tensors=False)
    yield dict(logits=scores, labels=labels, tensors="logits")
    yield dict(logits=scores, labels=labels, tensors="labels")
    yield dict(logits=scores[:, ::-1] * 10, labels=labels, tensors=True)
    equal = np.float32([[0.5, 2.0, 2.0], [-1.0, -1.0, -3.0], [1.0, 0.0, 1.0]])
    yield dict(logits=equal, labels=np.array([1, 0, 0], np.uint8), tensors=False)
    yield dict(logits=equal, labels=np.array([2, 1, 2]), tensors=rng.pick(True, False))
    yield dict(logits=rng.normal32(1, c) - 5, labels=np.array([rng.integers(c)]), tensors=True)
    yield dict(logits=rng.normal32(c, many), labels=rng.integers(many, size=c), tensors=rng.pick(True, False))
    yield dict(logits=scores, labels=labels[:, None], tensors=False)
    yield dict(logits=scores, labels=labels - 1 - labels.min(), tensors=True)
    yield dict(logits=scores, labels=labels + c - labels.max(), tensors=rng.pick(True, False))


def describe_accuracy(logits, labels, tensors):
    return f"accuracy({', '.join(f'Tensor({name})' if name in wrapped(tensors) else name for name in ('logits', 'labels'))})"


def wrapped(tensors):
    """Name the inputs that are tensors: both for True, none for False, else the one named."""
    return {True: ("logits", "labels"), False: ()}.get(tensors, (tensors,))


def observe_accuracy(module, logits, labels, tensors):
    given = {"logits": logits, "labels": labels}
    given |= {name: module.Tensor(given[name]) for name in wrapped(tensors)}
    share = module.accuracy(given["logits"], given["labels"])
    return f"{type(share).__name__}, not a Python float" if isinstance(share, module.Tensor) else share


def oracle_accuracy(logits, labels, tensors=False, hit=lambda row, y: row.index(max(row)) == y, scale=lambda n: 1 / n):
    if refusal(logits, labels):
        return refusal(logits, labels)
    hits = sum(hit(row, y) for row, y in zip(logits.tolist(), labels.tolist()))
    return hits * scale(len(labels))


def number_of_another_type(logits, labels, tensors):
    return "Tensor, not a Python float" if tensors and not refusal(logits, labels) else oracle_accuracy(logits, labels)


def unchecked_accuracy(logits, labels, tensors):
    return float((logits.argmax(axis=1) == labels).mean())


misconceptions_accuracy = {
    "this is how many are right, not their share": partial(oracle_accuracy, scale=lambda n: 1.0),
    "the share is in percent, not a fraction from 0 to 1": partial(oracle_accuracy, scale=lambda n: 100 / n),
    "this is the share of wrong answers": partial(oracle_accuracy, hit=lambda row, y: row.index(max(row)) != y),
    "the smallest score was taken for the answer": partial(oracle_accuracy, hit=lambda row, y: row.index(min(row)) == y),
    "among equal scores the last was taken, not the first": partial(
        oracle_accuracy, hit=lambda row, y: len(row) - 1 - row[::-1].index(max(row)) == y
    ),
    "among equal scores every label counted as right; only the first is the answer": partial(
        oracle_accuracy, hit=lambda row, y: row[y] == max(row)
    ),
    "argmax ran over all scores together: one answer for each row is wanted": lambda logits, labels, tensors: (
        refusal(logits, labels) or float((logits.argmax() == labels).mean())
    ),
    "the share was not made a Python float": number_of_another_type,
    "labels were not checked, and matched nothing or broadcast": unchecked_accuracy,
}


# 04.6 cross_entropy_backward


def draw_cross_entropy_backward(rng):
    """More examples than classes, fewer, and one; repeated labels; scores too large for an exponential."""
    n, c, many = rng.size(5, 8), rng.size(2, 4), rng.size(11, 14)
    yield dict(logits=rng.normal32(n, c), labels=rng.integers(c, size=n))
    yield dict(logits=rng.normal32(c, many) * 2, labels=rng.integers(many, size=c).astype(np.uint8))
    yield dict(logits=rng.normal32(1, n), labels=rng.integers(n, size=1))
    large = np.float32([[90, -40, 3, 88.5], [-700, -950, -698, -697]])
    yield dict(logits=large + rng.normal32(2, 4), labels=np.array([0, 2]))


def observe_cross_entropy_backward(cross_entropy_backward, logits, labels):
    with np.errstate(all="ignore"):
        return cross_entropy_backward(logits, labels)


def oracle_cross_entropy_backward(logits, labels, truth=1.0, scale=lambda n, c: 1 / n):
    grad = np.zeros(logits.shape)
    for n, (row, y) in enumerate(zip(logits.astype(np.float64).tolist(), labels.tolist())):
        for j, score in enumerate(row):
            grad[n, j] = (math.exp(score - log_sum(row)) - (truth if j == y else 0)) * scale(*logits.shape)
    return grad


def another_softmax(**settings):
    """The exercise in float32, with another softmax."""

    def wrong(logits, labels):
        truth = np.arange(logits.shape[1]) == labels[:, None]
        return (softmax_float32(logits, **settings) - truth.astype(np.float32)) / np.float32(len(labels))

    return in_float32(wrong)


def truth_in_whole_columns(logits, labels):
    grad = oracle_cross_entropy_backward(logits, labels, truth=0)
    grad[:, sorted(set(labels.tolist()))] -= 1 / len(labels)
    return grad


def truth_not_divided(logits, labels):
    return oracle_cross_entropy_backward(logits, labels, truth=float(len(labels)))


def only_right_class(logits, labels):
    grad = oracle_cross_entropy_backward(logits, labels)
    return np.where(np.arange(logits.shape[1]) == labels[:, None], grad, 0)


def with_log_probabilities(logits, labels):
    logs = np.array([[score - log_sum(row) for score in row] for row in logits.astype(np.float64).tolist()])
    return (logs - (np.arange(logits.shape[1]) == labels[:, None])) / len(labels)


atol_cross_entropy_backward = 5e-4  # where the network is sure, float32 loses the digits of 1 - p
misconceptions_cross_entropy_backward = {
    "not divided by N: this is the gradient of the sum, not of the mean": partial(
        oracle_cross_entropy_backward, scale=lambda n, c: 1.0
    ),
    "divided by the number of all scores: the mean is over the N examples": partial(
        oracle_cross_entropy_backward, scale=lambda n, c: 1 / (n * c)
    ),
    "divided by the number of classes, not by that of examples": partial(oracle_cross_entropy_backward, scale=lambda n, c: 1 / c),
    "1 was not subtracted at the right class": partial(oracle_cross_entropy_backward, truth=0),
    "1 was added at the right class, not subtracted": partial(oracle_cross_entropy_backward, truth=-1),
    "the sign is turned: this is truth minus probability": partial(oracle_cross_entropy_backward, scale=lambda n, c: -1 / n),
    "the truth was not divided by N, only the probability": truth_not_divided,
    "1 was subtracted from whole columns, not from one entry of each row": truth_in_whole_columns,
    "only the right class got a gradient: every score of the row moves the loss": only_right_class,
    "the softmax ran down the batch, not along the classes": another_softmax(axis=0),
    "the softmax overflows: the largest score was not taken out": another_softmax(largest=False),
    "log-probabilities stand where probabilities belong": with_log_probabilities,
}


# 04.7 linear_backward


def draw_linear_backward(rng):
    """Three different sizes in every order, a batch of one, one feature, as many inputs as outputs, the input's gradient not wanted."""
    wanted, unwanted = {"needs_input_grad": True}, {"needs_input_grad": False}
    n, k, m = rng.sizes(3)
    sizes = [
        (n, k, m, {}),
        (k, m, n, wanted),
        (1, n, m, {}),
        (m, n, k, unwanted),
        (n, 1, m, {}),
        (k, n, 1, unwanted),
        (n, m, m, rng.pick({}, wanted)),
    ]
    for n, inputs, outputs, settings in sizes:
        yield dict(grad=rng.normal32(n, outputs), x=rng.normal32(n, inputs), weight=rng.normal32(outputs, inputs), **settings)


class Watched(np.ndarray):
    """An array that remembers whether anything was computed with it."""

    used = False

    def __array_ufunc__(self, ufunc, method, *inputs, **settings):
        Watched.used = True
        return getattr(ufunc, method)(*map(plain, inputs), **settings)

    def __array_function__(self, function, types, inputs, settings):
        Watched.used = True
        return function(*map(plain, inputs), **settings)


def plain(value):
    return value.view(np.ndarray) if isinstance(value, Watched) else value


def observe_linear_backward(linear_backward, grad, x, weight, **settings):
    """The three gradients, and whether the weight was computed with: it is needed for the input's gradient alone."""
    if settings.get("needs_input_grad", True):
        return told(linear_backward(grad, x, weight, **settings), "computed with")
    Watched.used = False
    result = linear_backward(grad, x, weight.view(Watched), **settings)
    return told(result, "computed with" if Watched.used else "left alone")


GRADIENTS = ("gradient of x", "gradient of weight", "gradient of bias")


def told(result, use):
    """Name the three gradients; anything else than a tuple of three stays as it is."""
    if not isinstance(result, tuple) or len(result) != 3:
        return result
    return {**dict(zip(GRADIENTS, map(plain, result))), "weight is": use}


def three_gradients(grad, x, weight):
    grad, x, weight = (array.astype(np.float64) for array in (grad, x, weight))
    return np.einsum("no,oi->ni", grad, weight), np.einsum("no,ni->oi", grad, x), np.einsum("no->o", grad)


def oracle_linear_backward(grad, x, weight, needs_input_grad=True, wanted=bool, unwanted=None):
    of_x, of_weight, of_bias = three_gradients(grad, x, weight)
    computed = wanted(needs_input_grad)
    use = "computed with" if computed or needs_input_grad else "left alone"
    return told((of_x if computed else unwanted, of_weight, of_bias), use)


def with_gradients(weight=lambda expected, n: expected, bias=lambda grad: grad.sum(axis=0)):
    """Turn the oracle into one with another gradient of the weight or of the bias."""

    def wrong(grad, x, **inputs):
        expected = oracle_linear_backward(grad, x, **inputs)
        return expected | {GRADIENTS[1]: weight(expected[GRADIENTS[1]], len(x)), GRADIENTS[2]: bias(grad.astype(np.float64))}

    return wrong


def reordered(*order):
    def wrong(**inputs):
        expected = oracle_linear_backward(**inputs)
        return expected | {name: expected[GRADIENTS[i]] for name, i in zip(GRADIENTS, order)}

    return wrong


def computed_and_dropped(**inputs):
    return oracle_linear_backward(**inputs) | {"weight is": "computed with"}


def zeros_for_none(**inputs):
    return oracle_linear_backward(**inputs, unwanted=np.zeros(inputs["x"].shape))


def with_weight_turned(grad, x, weight, needs_input_grad=True):
    """grad @ weight.T: an error unless there are as many inputs as outputs."""
    expected = oracle_linear_backward(grad, x, weight, needs_input_grad)
    return expected | {GRADIENTS[0]: grad.astype(np.float64) @ weight.T} if needs_input_grad else expected


misconceptions_linear_backward = {
    "the gradient of the weight is transposed: its shape is that of the weight, (out, in)": with_gradients(
        lambda expected, n: expected.T
    ),
    "the gradient of the weight was reshaped where it has to be transposed": with_gradients(
        lambda expected, n: expected.T.reshape(expected.shape)
    ),
    "the gradient of the weight was averaged over the batch; what went to N places adds up": with_gradients(
        lambda expected, n: expected / n
    ),
    "the gradients of weight and bias were averaged over the batch; the mean is in the loss already": with_gradients(
        lambda expected, n: expected / n, lambda grad: grad.mean(axis=0)
    ),
    "the gradient of the bias was averaged over the batch; what went to N places adds up": with_gradients(
        bias=lambda grad: grad.mean(axis=0)
    ),
    "the gradient of the bias still has the batch axis: every example sends back a row, and the rows add up": with_gradients(
        bias=lambda grad: grad
    ),
    "the gradient of the bias was summed over the outputs, not over the batch": with_gradients(
        bias=lambda grad: grad.sum(axis=1)
    ),
    "the gradient of the bias kept an axis of size 1: its shape is (out,)": with_gradients(
        bias=lambda grad: grad.sum(axis=0, keepdims=True)
    ),
    "the gradient of the bias was summed over everything, to one number": with_gradients(bias=lambda grad: grad.sum()),
    "the order is another: first the input's gradient, then that of the weight, then that of the bias": reordered(1, 2, 0),
    "needs_input_grad was ignored: the gradient of x was not wanted": partial(oracle_linear_backward, wanted=lambda flag: True),
    "the gradient of x is always None": partial(oracle_linear_backward, wanted=lambda flag: False),
    "the gradient of x was computed and thrown away: it is not to be computed if it is not wanted": computed_and_dropped,
    "zeros were returned for a gradient that is not wanted; None says so": zeros_for_none,
    "the weight was transposed: grad (N, out) times weight (out, in) gives (N, in)": with_weight_turned,
    "needs_input_grad was turned around": partial(oracle_linear_backward, wanted=lambda flag: not flag),
}


# 04.8 relu_backward


def draw_relu_backward(rng):
    """Outputs of ReLU, with zeros of both kinds, and inputs of it; single numbers; gradients of both signs, some not finite."""
    shape = rng.sizes(rng.size(1, 3))
    yield dict(grad=rng.normal32(*shape), out=np.maximum(rng.normal32(*shape), 0))
    yield dict(grad=rng.normal32(7), out=np.float32(rng.mix([0.0, 2.5, -0.0, 1e-20, 0.0, 300.0, 0.5])))
    shape = rng.sizes(rng.size(2, 4))
    yield dict(grad=rng.normal32(*shape), out=rng.normal32(*shape))
    yield dict(grad=rng.normal32(), out=np.asarray(rng.pick(0.0, 0.5), np.float32))
    yield dict(grad=rng.normal32(1, 3) * 50, out=np.float32([rng.mix([0.0, 0.25, 0.0])]))
    yield dict(grad=np.float32(rng.mix([np.inf, -np.inf, np.nan, 2.0])), out=np.float32(rng.mix([0.0, 0.0, 0.0, 1.5])))


def oracle_relu_backward(grad, out, passes=lambda g, o: o > 0, slope=lambda g, o: g):
    pairs = zip(grad.astype(np.float64).ravel().tolist(), out.ravel().tolist())
    return np.array([slope(g, o) if passes(g, o) else 0.0 for g, o in pairs]).reshape(grad.shape)


def by_a_mask(grad, out):
    """Infinity times 0 is nan."""
    return np.where(np.isfinite(grad), oracle_relu_backward(grad, out), np.where(out > 0, grad, np.nan))


misconceptions_relu_backward = {
    "grad was multiplied by a mask, and infinity or nan times 0 is nan: np.where picks an entry of one or the other": by_a_mask,
    "0 was let through: where ReLU put a 0, nothing comes back": partial(oracle_relu_backward, passes=lambda g, o: o >= 0),
    "the sign of grad decided, not that of out": (
        partial(oracle_relu_backward, passes=lambda g, o: g > 0),
        partial(oracle_relu_backward, passes=lambda g, o: not g <= 0),  # nan as well
    ),
    "what is below 0 was let through: `out` may be ReLU's input, and only what is above 0 counts": partial(
        oracle_relu_backward, passes=lambda g, o: o != 0
    ),
    "everything was let through": partial(oracle_relu_backward, passes=lambda g, o: True),
    "grad was multiplied by out itself: the slope of ReLU is 1 where it lets through": partial(
        oracle_relu_backward, slope=lambda g, o: g * o
    ),
    "np.sign is -1 below 0: what is handed over may be ReLU's input": partial(
        oracle_relu_backward, passes=lambda g, o: True, slope=lambda g, o: g * ((o > 0) - (o < 0))
    ),
    "grad was multiplied by out itself, also where nothing is let through: the slope of ReLU is 1 or 0": partial(
        oracle_relu_backward, passes=lambda g, o: True, slope=lambda g, o: g * o
    ),
    "this is the slope of ReLU, 1 or 0: grad is missing": partial(oracle_relu_backward, slope=lambda g, o: 1.0),
    "out came back, not grad": partial(oracle_relu_backward, slope=lambda g, o: o),
    "the two sides are exchanged: grad came back where out is 0": partial(oracle_relu_backward, passes=lambda g, o: o <= 0),
}


# 04.9 mlp_gradients

describe_mlp_gradients = "mlp_gradients(model, images, labels)"
PARAMETERS = ("first weight", "first bias", "second weight", "second bias")


def draw_mlp_gradients(rng):
    """Draw networks of four different sizes; one batch is a single image; one network is in float64."""
    sizes = [(*rng.sizes(3, 2, 7), rng.size(3, 9)), (*rng.sizes(3, 2, 7), 1), (*rng.sizes(3, 2, 7), rng.size(3, 9))]
    for inputs, hidden, outputs, n in sizes:
        yield dict(
            images=rng.normal32(n, inputs),
            labels=rng.integers(outputs, size=n),
            first_weight=rng.normal32(hidden, inputs),
            first_bias=rng.normal32(hidden),
            second_weight=rng.normal32(outputs, hidden),
            second_bias=rng.normal32(outputs),
        )
    inputs, hidden, outputs, n = rng.sizes(4)
    yield dict(
        images=rng.standard_normal((n, inputs)),
        labels=rng.integers(outputs, size=n),
        first_weight=rng.standard_normal((hidden, inputs)),
        first_bias=rng.standard_normal(hidden),
        second_weight=rng.standard_normal((outputs, hidden)),
        second_bias=rng.standard_normal(outputs),
    )


def observe_mlp_gradients(module, images, labels, **values):
    """Return the loss and the gradients of a batch, after another batch has left its own in `grad`."""
    model = module.mlp(images.shape[1], len(values["first_bias"]), len(values["second_bias"]))
    parameters = list(model.parameters())
    for parameter, value in zip(parameters, values.values()):
        parameter.data = value
    for batch in (images * 3 + 1, images):
        loss = module.mlp_gradients(model, module.Tensor(batch), module.Tensor(labels))
    seen = {"loss": array_of(loss, module.Tensor)}
    seen.update((name, array_of(parameter.grad, module.Tensor)) for name, parameter in zip(PARAMETERS, parameters))
    kept = all(parameter.data is value for parameter, value in zip(parameters, values.values()))
    return {**seen, "the parameters themselves": "as they were" if kept else "replaced"}


def array_of(value, tensor):
    return value.data if isinstance(value, tensor) else f"{type(value).__name__}, where a tensor was needed"


def oracle_mlp_gradients(
    images,
    labels,
    first_weight,
    first_bias,
    second_weight,
    second_bias,
    mask=lambda received: received > 0,
    second_input=lambda received: np.maximum(received, 0),
    scale=lambda images: 1.0,
):
    """The chain rule in float64, an outer product for each example."""
    images, w1, b1, w2, b2 = (a.astype(np.float64) for a in (images, first_weight, first_bias, second_weight, second_bias))
    grads, losses = [np.zeros(a.shape) for a in (w1, b1, w2, b2)], []
    for x, y in zip(images, labels):
        received = w1 @ x + b1
        row = (w2 @ np.maximum(received, 0) + b2).tolist()
        losses.append(log_sum(row) - row[y])
        grad = np.array([math.exp(score - log_sum(row)) - (j == y) for j, score in enumerate(row)])
        grad *= scale(images) / len(images)
        back = (grad @ w2) * mask(received)
        for total, part in zip(grads, (np.outer(back, x), back, np.outer(grad, second_input(received)), grad)):
            total += part
    found = {"loss": math.fsum(losses) / len(losses), **dict(zip(PARAMETERS, grads))}
    return {**found, "the parameters themselves": "as they were"}


def added_up(**inputs):
    """Add the gradients of the two batches that `observe` runs."""
    earlier, answer = oracle_mlp_gradients(**{**inputs, "images": inputs["images"] * 3 + 1}), oracle_mlp_gradients(**inputs)
    return {**answer, **{name: earlier[name] + answer[name] for name in PARAMETERS}}


def with_parts(change):
    """Turn the oracle into one that changes parts of its answer."""

    def wrong(**inputs):
        answer = oracle_mlp_gradients(**inputs)
        return {**answer, **change(answer, len(inputs["labels"]))}

    return wrong


def exchanged(weight, bias):
    """Return a misconception that gives a layer's gradients to each other's parameters, whose shapes refuse them."""

    def wrong(**inputs):
        return ("raises", "RuntimeError", "grad needs the shape", str(inputs[weight].shape), str(inputs[bias].shape))

    return wrong


NO_TENSOR = "NoneType, where a tensor was needed"

float64_mlp_gradients = False  # a tensor made of a single number is float32
atol_mlp_gradients = 2e-3  # a loss near 0 is a difference of two scores, and has their rounding
misconceptions_mlp_gradients = {
    "the gradient was not taken back through ReLU: `relu_backward` is missing": partial(
        oracle_mlp_gradients, mask=lambda received: 1.0
    ),
    "the second weight was paired with what the first layer returned: its input is what ReLU returned": partial(
        oracle_mlp_gradients, second_input=lambda received: received
    ),
    "the gradients of two calls were added: each call replaces those of the call before": added_up,
    "the gradients stem from the sum of the losses, not from their mean": partial(oracle_mlp_gradients, scale=len),
    "divided by N twice: the gradient of the mean is divided already": partial(
        oracle_mlp_gradients, scale=lambda images: 1 / len(images)
    ),
    "the gradients of weight and bias are exchanged in the first layer": exchanged("first_weight", "first_bias"),
    "the gradients of weight and bias are exchanged in the second layer": exchanged("second_weight", "second_bias"),
    "the loss is the sum, not the mean": with_parts(lambda answer, n: {"loss": answer["loss"] * n}),
    "the first layer got no gradient": with_parts(lambda answer, n: dict.fromkeys(PARAMETERS[:2], NO_TENSOR)),
    "grad was given an array, where a tensor belongs": lambda **inputs: ("raises", "TypeError", "grad needs a tensor", "ndarray"),
    "the loss came back as a number: the caller needs the tensor that cross_entropy returns": with_parts(
        lambda answer, n: {"loss": "float, where a tensor was needed"}
    ),
    "nothing was returned: the caller wants to see the loss": with_parts(lambda answer, n: {"loss": NO_TENSOR}),
}
