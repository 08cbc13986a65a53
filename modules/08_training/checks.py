"""Checks of module 08. NumPy only: nothing here runs the code that it judges, except `observe`."""

import gc
import importlib
import io
import math
import sys
import tempfile
import warnings
import weakref
from pathlib import Path

import numpy as np

NOTHING = ("raises", "ValueError")


def number(value):
    """Return a number as a Python float; a thing of another kind by the name of its type."""
    if isinstance(value, str):
        return value
    return float(value) if isinstance(value, (int, float, np.generic)) else None if value is None else f"a {type(value).__name__}"


def kind(value):
    """Name the type of what was returned."""
    return "nothing" if value is None else type(value).__name__


# 08.1 train_epoch: a network with a layer inside it and a parameter that is frozen, and the optimizer of module 06, watched


def describe_train_epoch(inputs, clip_norm, reported, **more):
    words = f"{f', clip_norm={clip_norm:g}' if clip_norm is not None else ''}{', after_step=note' * reported}"
    return f"train_epoch(model, loader, criterion, optimizer{words})", f"{batches(inputs)}; optimizer SGD, lr={more['lr']:.4g}"


def batches(inputs):
    """Say how many examples the batches of a loader hold."""
    sizes = [str(len(x)) for x in inputs]
    if len(sizes) < 2:
        return f"an iterator of one batch of {sizes[0]}" if sizes else "a loader without a batch"
    return f"an iterator of batches of {', '.join(sizes[:-1])} and {sizes[-1]}"


def draw_train_epoch(rng):
    """Batches of one size and of several, with a report and without, clipped by much, by nothing, to nothing, or not at all."""
    small, large = int(rng.integers(2, 4)), int(rng.integers(4, 6))
    for sizes, clip_norm, reported in (
        ([large, large, 1], None, True),
        ([small, large], 0.5, False),
        ([small, large, small], 1e6, True),
        ([1], None, False),
        ([large, 1], 0.25, True),
        ([small, 1], 0.0, False),
        ([], None, True),
    ):
        yield dict(
            inputs=[rng.standard_normal((n, 3), np.float32) for n in sizes],
            labels=[rng.standard_normal(n).astype(np.float32) for n in sizes],
            weight=rng.standard_normal(3).astype(np.float32),
            bias=rng.standard_normal(1).astype(np.float32) + np.float32(1),
            frozen=rng.standard_normal(1).astype(np.float32),
            stale=rng.standard_normal(3).astype(np.float32),
            lr=float(rng.uniform(0.05, 0.2)),
            clip_norm=clip_norm,
            reported=reported,
        )


def observe_train_epoch(module, inputs, labels, weight, bias, frozen, stale, lr, clip_norm, reported):
    """Train a network that has old gradients and is in evaluation mode, and note what each step gets."""
    layers, optim = (importlib.import_module(f"tinytorch.{name}") for name in ("layers", "optim"))
    modes, steps, reports, losses = [], [], [], []

    class Inner(layers.Module):
        def __init__(self):
            self.weight = layers.Parameter(weight.copy())

        def forward(self, x):
            modes.append(bool(self.training))
            return (x * self.weight).sum(1)

    class Model(layers.Module):
        def __init__(self):
            self.inner = Inner()
            self.bias = layers.Parameter(bias.copy())
            self.frozen = layers.Parameter(frozen.copy(), requires_grad=False)

        def forward(self, x):
            return self.inner(x) + self.bias + self.frozen

    class Optimizer(optim.SGD):
        def step(self):
            for name, parameter in (("weight", model.inner.weight), ("bias", model.bias)):
                steps.append((name, "none" if parameter.grad is None else np.array(parameter.grad.data)))
            super().step()

    def criterion(outputs, targets):
        loss = ((outputs - 2 * targets) ** 2).mean()  # not the same the other way round
        losses.append(weakref.ref(loss))
        return loss

    def note(loss):
        reports.append((kind(loss), number(loss), model.inner.weight.data.copy()))

    model = Model()
    model.eval()
    optimizer = Optimizer(model.parameters(), lr=lr)
    model.inner.weight.grad = module.Tensor(stale.copy())
    settings = {**({} if clip_norm is None else {"clip_norm": clip_norm}), **({"after_step": note} if reported else {})}
    batches = [(module.Tensor(x), module.Tensor(y)) for x, y in zip(inputs, labels)]
    kept = []

    def alive():
        return sum(loss() is not None for loss in losses[:-1])  # the last one may still have its name

    def loader():
        for batch in batches:
            if alive():
                gc.collect()  # what only refers to itself is not kept
            kept.append(alive())
            yield batch

    loss = module.train_epoch(model, loader(), criterion, optimizer, **settings)
    return epoch_seen(modes, steps, loss, reports, max(kept, default=0))


def epoch_seen(modes, steps, loss, reports, kept=0):
    """Write down what came of an epoch."""
    kinds = ", ".join(dict.fromkeys(one for one, _, _ in reports)) or "none"
    return {
        "in training mode": modes,
        "how often the optimizer stepped": len(steps) // 2,
        "at the steps": {f"gradient of {name}, step {i // 2 + 1}": grad for i, (name, grad) in enumerate(steps)},
        "loss returned": number(loss),
        "its type": kind(loss),
        "losses of earlier batches kept as tensors": kept,
        "how often after_step was called": len(reports),
        "what after_step gets": kinds,
        "at the calls of after_step": {
            f"{name}, call {i}": value
            for i, (_, loss, w) in enumerate(reports, 1)
            for name, value in (("loss", loss), ("weight", w))
        },
    }


def norm_of(*grads):
    return math.sqrt(sum(float((grad * grad).sum()) for grad in grads))


def clipped_together(grads, most):
    norm = norm_of(*grads)
    return [grad * most / norm if norm > most else grad for grad in grads]


def clipped_apart(grads, most):
    return [grad * most / norm_of(grad) if norm_of(grad) > most else grad for grad in grads]


def epoch_turn(
    zeroed="before",
    weights=len,
    clip=clipped_together,
    mode=True,
    inner=None,
    stepped=True,
    turned=False,
    late=True,
    losses=None,
    empty=NOTHING,
    kind="float",
    report=lambda loss: loss,
    report_kind="float",
    reports=True,
    kept=0,
    again=False,
):
    """Make an epoch, or a wrong turn, with a gradient worked out by hand.

    Args:
        zeroed: When gradients are set back: before the gradient, after the step, after the gradient, once before all, or never.
        weights: How often a batch's loss counts, a function of its labels.
        clip: What clipping makes of the gradients.
        mode: The mode during training.
        stepped: Which batches are stepped on, a function of their number and of how many there are; True for all.
        turned: Whether labels and outputs changed places in the criterion.
        late: Whether reports come after the step.
        losses: What is returned, a function of the losses and of the numbers of examples; by default their mean.
        empty: What comes of a loader without batches.
        kind: Type of what is returned.
        report: What a report says of the loss.
        report_kind: And the type of it.
        reports: Whether there are any.
        kept: Whether the tensors of all losses are kept.
        again: Whether the network runs again after the step, for the loss.
    """

    def turn(inputs, labels, weight, bias, frozen, stale, lr, clip_norm, reported):
        if not inputs:
            return empty
        w, b, c = (array.astype(np.float64) for array in (weight, bias, frozen))
        grads, steps, notes, all_losses = [stale.astype(np.float64), np.zeros(1)], [], [], []
        for i, (x, y) in enumerate(zip(inputs, labels)):
            x, y = x.astype(np.float64), y.astype(np.float64)
            out = x @ w + b + c
            error, slope = (y - 2 * out, -2) if turned else (out - 2 * y, 1)
            if not again:
                all_losses.append(float(np.mean(error**2)))
            new = [slope * 2 * error @ x / len(y), slope * 2 * error.sum(keepdims=True) / len(y)]
            fresh = zeroed == "before" or (zeroed == "once" and i == 0)
            grads = new if fresh else [old + one for old, one in zip(grads, new)]
            if clip and clip_norm is not None:
                grads = clip(grads, clip_norm)
            old_w = w
            if stepped is True or stepped(i, len(inputs)):
                steps += zip(("weight", "bias"), ("none", "none") if zeroed == "between" else grads)
                w, b = (w, b) if zeroed == "between" else (w - lr * grads[0], b - lr * grads[1])
            if again:
                all_losses.append(float(np.mean((x @ w + b + c - 2 * y) ** 2)))
            if zeroed == "after":
                grads = [0 * grad for grad in grads]
            notes.append((report_kind, report(all_losses[-1]), w if late else old_w))
        sizes = [weights(y) for y in labels]
        loss = losses(all_losses, sizes) if losses else sum(one * size for one, size in zip(all_losses, sizes)) / sum(sizes)
        seen = epoch_seen(
            [mode] * len(inputs) * (2 if again else 1),
            steps,
            loss,
            notes if reported and reports else [],
            kept * max(0, len(inputs) - 2),
        )
        return seen | {"its type": kind}

    return turn


oracle_train_epoch = epoch_turn()
misconceptions_train_epoch = {
    "the gradients were not zeroed: each step got those of the batches before it, too": epoch_turn(zeroed="never"),
    "the gradients were zeroed once, before the loop: each batch needs that": epoch_turn(zeroed="once"),
    "the loss was computed after the step, with another run of the network: the loss before the step is asked for": epoch_turn(
        again=True
    ),
    "the losses were added up as tensors, which keep all that led to them: loss.item() is a number": epoch_turn(kept=1),
    "the first batch added to gradients of before: zero them before backward, not after the step": epoch_turn(zeroed="after"),
    "the gradients were zeroed between backward and step: nothing was left to step with": epoch_turn(zeroed="between"),
    "the loss is the mean of the batch means: a small last batch counts as much as a full one": epoch_turn(
        weights=lambda labels: 1
    ),
    "the loss of the last batch was returned; it is the mean over all examples": epoch_turn(
        losses=lambda losses, sizes: losses[-1]
    ),
    "the sum of the losses was returned; it is the mean over all examples": epoch_turn(losses=lambda losses, sizes: sum(losses)),
    "the losses, each times its examples, were divided by the number of batches; there are more examples": epoch_turn(
        losses=lambda losses, sizes: sum(one * size for one, size in zip(losses, sizes)) / len(sizes)
    ),
    "the losses were divided by the number of examples, but do not count by them": epoch_turn(
        losses=lambda losses, sizes: sum(losses) / sum(sizes)
    ),
    "nothing was returned: it is the mean loss": epoch_turn(losses=lambda losses, sizes: None, kind="nothing"),
    "the network was not told that it is being trained, by model.train(): dropout would rest": epoch_turn(mode=False),
    "the gradients were not clipped before the step": epoch_turn(clip=None),
    "clip_norm=0 was taken for none: 0 is false, so ask `clip_norm is not None`": lambda clip_norm, **more: oracle_train_epoch(
        clip_norm=clip_norm or None, **more
    ),
    "each gradient was clipped by itself; clip_grad_norm_ takes all together": epoch_turn(clip=clipped_apart),
    "the optimizer never stepped": epoch_turn(stepped=lambda i, count: False),
    "the optimizer stepped once, at the end, on the sum of all gradients; it steps for each batch": epoch_turn(
        stepped=lambda i, count: i == count - 1, zeroed="never", clip=None
    ),
    "the optimizer stepped once, at the end; it steps for each batch": epoch_turn(
        stepped=lambda i, count: i == count - 1, late=False
    ),
    "criterion got the labels first; it takes the network's output first": epoch_turn(turned=True),
    "after_step was called before the step": epoch_turn(late=False),
    "after_step was not called": epoch_turn(reports=False),
    "after_step got a tensor; a Python float is asked for": epoch_turn(report=lambda loss: "a Tensor", report_kind="Tensor"),
    "after_step got a NumPy array; a Python float is asked for": epoch_turn(
        report=lambda loss: "a ndarray", report_kind="ndarray"
    ),
    "after_step got nothing to go by: it is called with the batch's loss": lambda inputs, reported, **more: (
        ("raises", "TypeError", "missing 1 required positional argument")
        if reported and inputs
        else oracle_train_epoch(inputs=inputs, reported=reported, **more)
    ),
    "after_step was called although none was given": lambda inputs, reported, **more: (
        ("raises", "TypeError", "not callable")
        if not reported and inputs
        else oracle_train_epoch(inputs=inputs, reported=reported, **more)
    ),
    "gradients were clipped although clip_norm is None: ask first whether it was given": lambda inputs, clip_norm, **more: (
        ("raises", "ValueError", "max_norm needs a number", "None")
        if clip_norm is None and inputs
        else oracle_train_epoch(inputs=inputs, clip_norm=clip_norm, **more)
    ),
    "the mean loss is a tensor; a Python float is asked for": epoch_turn(losses=lambda losses, sizes: "a Tensor", kind="Tensor"),
    "len() was asked of the loader, which may be any iterable: count the batches or examples yourself": lambda **inputs: (
        "raises",
        "TypeError",
        "has no len()",
    ),
    "a loader without a batch was divided by 0: ask first whether there was one": epoch_turn(
        empty=("raises", "ZeroDivisionError")
    ),
    "a loader without a batch left a name without a value: ask first whether there was one": epoch_turn(
        empty=("raises", "UnboundLocalError")
    ),
    "a loader without a batch was let through: it is to raise ValueError": epoch_turn(empty=epoch_seen([], [], 0.0, [])),
    "a loader without a batch was let through, with a loss of nan: it is to raise ValueError": epoch_turn(
        empty=epoch_seen([], [], math.nan, [])
    ),
}


# 08.2 mean_and_error


def draw_mean_and_error(rng):
    """Few values and many, one, none, large ones close together, all alike; several dtypes, some of which hold no sum; truth values."""
    yield dict(values=np.round(rng.standard_normal(4) * 3 - 1, 2))
    for count, dtype in (
        (int(rng.integers(5, 9)), np.float32),
        (2, np.float64),
        (40, np.float32),
        (1, np.float64),
        (0, np.float32),
    ):
        yield dict(values=(rng.standard_normal(count) * 3 - 1).astype(dtype))
    above = rng.permutation(40) < rng.integers(17, 24)
    yield dict(values=np.float32(2**25) + 4 * above.astype(np.float32))  # neighbours in float32, so that the mean is none
    hits = np.zeros(12, bool)
    hits[rng.permutation(12)[:9]] = True
    yield dict(values=hits)
    yield dict(values=np.ones(int(rng.integers(3, 7)), bool))
    yield dict(values=np.full(int(rng.integers(6, 12)), 0.1))  # the mean is off by a little, and no square root may fail
    yield dict(values=rng.integers(130, 256, 6).astype(np.uint8))
    yield dict(values=rng.integers(30_000, 60_000, 5).astype(np.float16))


rtol_mean_and_error = 1e-6


def observe_mean_and_error(mean_and_error, values):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        result = mean_and_error(values)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        result = f"one {kind(result)}", None
    return pair_seen(*result, [str(one.message) for one in warned])


def pair_seen(mean, error, warned=()):
    """Write down a mean and an error: the numbers, their types, and what was warned of."""
    return {
        "mean": number(mean),
        "error": number(error),
        "type of the mean": kind(mean),
        "type of the error": kind(error),
        "warnings": list(warned),
    }


def mean_turn(mean=np.mean, error=None, empty=NOTHING, alone=None, scale=1.0, types=float):
    """Make a mean and its error, or a wrong turn.

    Args:
        mean: Function of the values, in float64.
        error: Function of them and of how many there are.
        empty: What comes of no values.
        alone: What comes of one; by default a mean and nan.
        scale: Factor of both.
        types: Type of both.
    """

    def right(values, n):
        return math.sqrt(math.fsum((x - math.fsum(values) / n) ** 2 for x in values) / (n - 1)) / math.sqrt(n)

    def turn(values):
        n, values = len(values), [float(value) for value in values]
        if not n:
            return empty
        if n == 1:
            return alone(values) if alone else pair_seen(types(scale * mean(values)), types(math.nan))
        return pair_seen(types(scale * mean(values)), types(scale * (error or right)(values, n)))

    return turn


def spread(values, less=1):
    return float(np.std(values, ddof=less))


def narrow(values):
    """Compute in the dtype of the values."""
    if len(values) < 2:
        return oracle_mean_and_error(values)
    with np.errstate(all="ignore"):
        return pair_seen(float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values))))


def by_squares(values, n):
    """The mean of the squares, less the square of the mean."""
    values = np.array(values)
    return math.sqrt(max(0.0, (np.mean(values**2) - np.mean(values) ** 2) * n / (n - 1) / n))


oracle_mean_and_error = mean_turn(lambda values: math.fsum(values) / len(values))
misconceptions_mean_and_error = {
    "the sum of squares was divided by n, not by n - 1": mean_turn(error=lambda values, n: spread(values, 0) / math.sqrt(n)),
    "divided by the root of n - 1; n - 1 belongs into the deviation, n under the root": mean_turn(
        error=lambda values, n: spread(values) / math.sqrt(n - 1)
    ),
    "the error is the spread of single values: it was not divided by the root of n": mean_turn(
        error=lambda values, n: spread(values)
    ),
    "the error is the spread of single values, and its sum of squares was divided by n": mean_turn(
        error=lambda values, n: spread(values, 0)
    ),
    "the error was divided by n, not by its root": mean_turn(error=lambda values, n: spread(values) / n),
    "the root of the variance is missing": mean_turn(error=lambda values, n: spread(values) ** 2 / math.sqrt(n)),
    "the variance was divided by n, and its root not taken": mean_turn(error=lambda values, n: spread(values) ** 2 / n),
    "both are in percent: leave them as fractions": mean_turn(scale=100.0),
    "computed in the dtype of the values; float64 is asked for": narrow,
    "two large numbers were subtracted, the mean of the squares and the square of the mean: take the mean off first": mean_turn(
        error=by_squares
    ),
    "the median is not the mean": mean_turn(mean=np.median),
    "numbers of NumPy were returned; Python floats are asked for": mean_turn(types=np.float64),
    "numbers of NumPy were returned, but for the error of one value; Python floats are asked for": mean_turn(
        types=np.float64, alone=lambda values: pair_seen(np.float64(values[0]), math.nan)
    ),
    "one value has an error of nan, without a division by 0": mean_turn(alone=lambda values: ("raises", "ZeroDivisionError")),
    "one value has an error of nan, not of 0": mean_turn(alone=lambda values: pair_seen(values[0], 0.0)),
    "one value has an error of nan, without NumPy's warnings": mean_turn(
        alone=lambda values: pair_seen(
            values[0], math.nan, ["Degrees of freedom <= 0 for slice", "invalid value encountered in scalar divide"]
        )
    ),
    "no values were divided by 0: ask first whether there are any, and raise ValueError": mean_turn(
        empty=("raises", "ZeroDivisionError")
    ),
    "no values were let through: they are to raise ValueError": mean_turn(empty=pair_seen(math.nan, math.nan)),
    "no values were let through, with NumPy's warnings: they are to raise ValueError": mean_turn(
        empty=pair_seen(math.nan, math.nan, ["Mean of empty slice.", "invalid value encountered in scalar divide"])
    ),
}


# 08.3 predict


def describe_predict(inputs, labels, weight, training, ends):
    last = "" if ends == "normally" else f"; the last batch ends {ends}"
    return (
        "predict(model, loader)",
        f"model = Sequential(layer), model.training = {training}; {batches(inputs)}, {weight.shape[1]} classes{last}",
    )


def draw_predict(rng):
    """Batches of one size and of several, from either mode, to their end or to an exception or Ctrl-C, of network or loader."""
    for sizes, training, ends in (
        ([2, 2], True, "normally"),
        ([3, 3, 1], False, "normally"),
        ([1], True, "normally"),
        ([4, 2, 2], True, "with a KeyError"),
        ([2, 3], True, "with KeyboardInterrupt"),
        ([3, 2], False, "with a KeyError"),
        ([2, 2], True, "with a KeyError in the loader"),
    ):
        classes, dtype = int(rng.integers(2, 6)), rng.pick(np.int64, np.uint8)
        yield dict(
            inputs=[rng.standard_normal((n, 3), np.float32) for n in sizes],
            labels=[rng.integers(0, classes, n).astype(dtype) for n in sizes],
            weight=rng.standard_normal((3, classes), np.float32),
            training=training,
            ends=ends,
        )


def observe_predict(module, inputs, labels, weight, training, ends):
    """Run a network that doubles its outputs in training, and note the modes of the layer inside it."""
    layers = importlib.import_module("tinytorch.layers")
    modes, graphs = [], []

    class Inner(layers.Module):
        def __init__(self):
            self.weight = layers.Parameter(weight.copy())

        def forward(self, x):
            out = (x @ self.weight) * (2.0 if self.training else 1.0)
            modes.append(bool(self.training))
            graphs.append(out.requires_grad)
            if ends in ("with a KeyError", "with KeyboardInterrupt") and len(modes) == len(inputs):
                raise {"with a KeyError": KeyError, "with KeyboardInterrupt": KeyboardInterrupt}[ends]("on purpose")
            return out

    def loader():
        for i, (x, y) in enumerate(zip(inputs, labels), 1):
            if ends == "with a KeyError in the loader" and i == len(inputs):
                raise KeyError("on purpose")
            yield module.Tensor(x), module.Tensor(y)

    model = layers.Sequential(Inner())
    model.train(training)
    result, ended = None, "normally"
    try:
        result = module.predict(model, loader())
    except (KeyError, KeyboardInterrupt) as error:
        if "on purpose" not in str(error):
            raise
        ended = ends
    finally:
        gradients, module.no_grad.__globals__["state"].recording = (model[0].weight * 1.0).requires_grad, True
    pair = result if isinstance(result, (tuple, list)) and len(result) == 2 else (None, None)
    return predicted(
        modes, graphs, [arrays_only(part) for part in pair], ended, (bool(model.training), bool(model[0].training)), gradients
    )


def predicted(modes, graphs, pair, ended, afterwards, gradients):
    """Write down what came of a prediction."""
    outputs, labels = pair
    modes, graphs = (modes, graphs) if ended == "normally" else ([], [])  # how much runs before that is free
    return {
        "training mode, batch by batch": modes,
        "whether the output requires grad, batch by batch": graphs,
        "outputs": outputs,
        "labels": labels,
        "it ended": ended,
        "model.training afterwards": afterwards[0],
        "model[0].training afterwards": afterwards[1],
        "whether new tensors remember a graph afterwards": gradients,
    }


def arrays_only(value):
    """Return an array, and for anything else the name of its type."""
    return value if isinstance(value, np.ndarray) or value is None else f"a {type(value).__name__}, no NumPy array"


def predict_turn(
    during=lambda training: False,
    remembered=False,
    after=lambda training, ends: training,
    joined=None,
    output=None,
    gradients=lambda ends: True,
    label=None,
):
    """Make a prediction, or a wrong turn.

    Args:
        during: The mode during it, a function of the mode before.
        remembered: Whether graphs are.
        after: The mode afterwards, a function of the mode before and of how the last batch ends.
        joined: What becomes of a list of outputs, or of labels, one for each batch; by default they are joined.
        output: What becomes of the outputs of a batch.
        gradients: Whether gradients are on afterwards.
        label: What is returned for the labels, of what they should be.
    """
    join = joined or np.concatenate

    def turn(inputs, labels, weight, training, ends):
        scale, w = 2.0 if during(training) else 1.0, weight.astype(np.float64)
        outputs = [scale * np.einsum("ij,jk->ik", x.astype(np.float64), w) for x in inputs]
        whole = ends == "normally"
        pair = (join([output(out) if output else out for out in outputs]), join(labels)) if whole else (None, None)
        pair = (pair[0], label(pair[1])) if label and whole else pair
        return predicted(
            [during(training)] * len(inputs),
            [remembered] * len(inputs),
            pair,
            ends,
            (after(training, ends),) * 2,
            gradients(ends),
        )

    return turn


def stacked(arrays):
    """What np.array makes of a list of batches."""
    return np.array(arrays)


def normally(ends):
    return ends == "normally"


oracle_predict = predict_turn()
misconceptions_predict = {
    "the network stayed in training mode, so dropout is at work: model.eval() switches all layers, model.training = False none of them": predict_turn(
        during=lambda training: training
    ),
    "the network was left in evaluation mode": predict_turn(after=lambda training, ends: False),
    "the network was put into training mode afterwards, though it had not been": predict_turn(after=lambda training, ends: True),
    "an exception leaves the network in evaluation mode: put the mode back in any case (try, finally)": predict_turn(
        after=lambda training, ends: training and normally(ends)
    ),
    "Ctrl-C leaves the network in evaluation mode: `except Exception` misses it, `finally` does not": predict_turn(
        after=lambda training, ends: training and ends != "with KeyboardInterrupt"
    ),
    "a graph was remembered for a backward pass that never comes": predict_turn(remembered=True),
    "an exception leaves gradients off: `with no_grad():` puts them back": predict_turn(gradients=normally),
    "only the last batch was returned": predict_turn(joined=lambda arrays: arrays[-1]),
    "only the first batch was returned": predict_turn(joined=lambda arrays: arrays[0]),
    "lists of batches were returned; they are to be joined (np.concatenate)": predict_turn(
        joined=lambda arrays: "a list, no NumPy array"
    ),
    "batches were stacked into one array; they are to be joined (np.concatenate)": predict_turn(joined=stacked),
    "batches were joined side by side; they belong below each other": predict_turn(
        joined=lambda arrays: np.concatenate(arrays, axis=-1)
    ),
    "classes were returned; the outputs are asked for, shape (N, C)": predict_turn(output=lambda out: out.argmax(axis=1)),
    "the outputs were changed, by exp; they are asked for as they are": predict_turn(output=np.exp),
    "probabilities were returned; the outputs are asked for as they are": predict_turn(
        output=lambda out: np.exp(out) / np.exp(out).sum(axis=1, keepdims=True)
    ),
    "tensors were returned; NumPy arrays are asked for": predict_turn(joined=lambda arrays: "a Tensor, no NumPy array"),
    "the loader was gone through twice; an iterator is empty the second time: keep what the first pass gives": lambda ends, **inputs: (
        ("raises", "ValueError", "at least one array") if ends == "normally" else oracle_predict(ends=ends, **inputs)
    ),
}


# 08.4 confusion_matrix


def draw_confusion_matrix(rng):
    """Four examples of two classes, then more, and classes that never occur; labels of several dtypes, also too narrow for more."""
    yield dict(labels=rng.permutation([0, 1, 1, 1]), predictions=rng.permutation([0, 0, 1, 1]), classes=2)
    for count, classes, dtype in (
        (int(rng.integers(25, 35)), 3, np.int64),
        (int(rng.integers(20, 30)), int(rng.integers(4, 7)), np.int32),
        (6, 4, np.int64),
        (40, int(rng.integers(11, 14)), np.int64),
        (50, int(rng.integers(17, 21)), np.uint8),  # 17 * 17 is more than 255
    ):
        labels = rng.integers(0, classes, count)
        slips = (labels + rng.integers(0, 2, count) * rng.integers(0, classes, count)) % classes
        yield dict(labels=labels.astype(dtype), predictions=np.where(labels == 0, 1, slips), classes=classes)
    often = rng.permutation(np.append(np.ones(int(rng.integers(258, 300)), np.int64), [0, 0]))  # more than uint8 holds
    yield dict(labels=often, predictions=rng.permutation(often), classes=2)
    rare = int(rng.integers(1, 3))
    yield dict(labels=np.array([rare, 3, rare]), predictions=np.array([3, rare, rare]), classes=6)


def observe_confusion_matrix(confusion_matrix, labels, predictions, classes):
    counts = confusion_matrix(labels, predictions, classes)
    known = isinstance(counts, np.ndarray)
    kinds = {"i": "whole numbers", "u": "whole numbers", "f": "floats", "b": "truth values"}
    return {
        "counts": counts if known else f"a {kind(counts)}, no array",
        "they are": kinds.get(counts.dtype.kind, "others") if known else "none",
    }


def matrix_turn(
    place=lambda label, prediction: (label, prediction),
    once=False,
    which=lambda label, prediction: True,
    final=None,
    kind="whole numbers",
):
    """Make the matrix, or a wrong turn.

    Args:
        place: Where a pair counts.
        once: Whether it counts no more than once.
        which: Which pairs count.
        final: What becomes of the counts.
        kind: Kind of number.
    """

    def turn(labels, predictions, classes):
        counts = np.zeros((classes, classes), np.int64)
        for label, prediction in zip(labels, predictions):
            if which(label, prediction):
                row, column = place(label, prediction)
                counts[row, column] = 1 if once else counts[row, column] + 1
        return {"counts": final(counts) if final else counts, "they are": kind}

    return turn


def own_range(labels, predictions, classes):
    """What np.histogram2d makes of numbers whose range it is not told."""
    return {"counts": np.histogram2d(labels, predictions, bins=classes)[0], "they are": "whole numbers"}


def wrapped(labels, predictions, classes):
    """Number the pairs in the dtype of the labels, which may be too narrow for that."""
    if labels.dtype.itemsize == 8:
        return oracle_confusion_matrix(labels=labels, predictions=predictions, classes=classes)
    numbers = (labels * labels.dtype.type(classes)).astype(np.int64) + predictions
    return {
        "counts": np.bincount(numbers, minlength=classes**2)[: classes**2].reshape(classes, classes),
        "they are": "whole numbers",
    }


def own_size(labels, predictions, classes):
    """As many classes as occur."""
    if not len(labels):
        return "raises", "ValueError"
    size = int(max(labels.max(), predictions.max())) + 1
    return {
        "counts": oracle_confusion_matrix(labels=labels, predictions=predictions, classes=size)["counts"],
        "they are": "whole numbers",
    }


oracle_confusion_matrix = matrix_turn()
misconceptions_confusion_matrix = {
    "rows and columns changed places: a row is a true class": matrix_turn(lambda label, prediction: (prediction, label)),
    "each pair was counted once, however often it occurs: `counts[labels, predictions] += 1` adds once to each place": matrix_turn(
        once=True
    ),
    "the rows were divided by their sums: counts are asked for": matrix_turn(
        final=lambda counts: counts / np.maximum(1, counts.sum(axis=1, keepdims=True)), kind="floats"
    ),
    "the counts were divided by how many there are: counts are asked for": matrix_turn(
        final=lambda counts: counts / max(1, counts.sum()), kind="floats"
    ),
    "the counts were kept in uint8, which holds no more than 255": matrix_turn(final=lambda counts: counts % 256),
    "only right predictions were counted": matrix_turn(which=lambda label, prediction: label == prediction),
    "only wrong predictions were counted": matrix_turn(which=lambda label, prediction: label != prediction),
    "the counts are floats; whole numbers are asked for: np.zeros makes floats unless it is told a dtype": matrix_turn(
        kind="floats"
    ),
    "the bins run from the least to the greatest label that occurs, not from 0 to classes - 1": own_range,
    "labels * classes went beyond what the dtype of the labels holds, as uint8 does above 255: make them int64 first": wrapped,
    "as many classes were counted as occur; classes says how many there are": own_size,
    "the counts began at 1": matrix_turn(final=lambda counts: counts + 1),
    "each pair was counted in both orders": matrix_turn(final=lambda counts: counts + counts.T),
}


# 08.5 Patience


def describe_Patience(losses, patience, min_delta):
    words = f"{patience}, min_delta={min_delta:g}" if min_delta else f"{patience}"
    return f"waiting = Patience({words})\nfor loss in {', '.join(f'{loss:g}' for loss in losses)}: waiting.step(loss)", ""


def draw_Patience(rng):
    """Ups and downs, a loss that is exactly min_delta better, nan and inf in between and at first, a slow slide; no patience."""
    for patience, min_delta in ((2, 0.0), (1, 0.1), (3, 0.25), (rng.size(2, 4), 0.0)):
        drop = rng.uniform(0.3, 1.0, 9)
        losses = [float(x) for x in np.round(3 - np.cumsum(drop * rng.choice([1, 1, -1, -0.2], 9)) / 2, 2)]
        yield dict(losses=[*losses, 9.0, 9.5, 9.25, 9.75], patience=patience, min_delta=min_delta)
    yield dict(losses=[0.75, 0.5, 0.25, 0.5, 0.375, 0.25, float(rng.integers(1, 9))], patience=2, min_delta=0.25)
    yield dict(losses=[1.0, math.nan, 0.5, math.nan, math.nan, float(rng.integers(1, 9))], patience=2, min_delta=0.0)
    yield dict(losses=[math.nan, 2.0, float(rng.integers(3, 9)), 1.0], patience=3, min_delta=0.0)
    yield dict(losses=[math.inf, 2.0, math.inf, float(rng.integers(3, 9)), -math.inf], patience=2, min_delta=0.0)
    yield dict(losses=[float(rng.integers(3, 9)), 1.0, 1.0], patience=0, min_delta=0.0)
    yield dict(losses=[1.0, 0.95, 0.9, 0.85, 0.8, -float(rng.integers(1, 9))], patience=2, min_delta=0.125)


def after(losses, improved, best, waited, over):
    """Name what is known after some steps."""
    when = f"after the losses {', '.join(f'{loss:g}' for loss in losses[-6:])}" if losses else "at the beginning"
    when = when.replace("losses ", "losses ..., ") if len(losses) > 6 else when
    first = {f"step returned, {when}": improved} if losses else {}
    return {**first, f"best {when}": best, f"waited {when}": waited, f"over {when}": over}


def truth(value):
    """Return a truth value as Python's; a thing of another kind by what it is."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if callable(value):
        return "a method: is the line @property missing?"
    return "None: is the `return` missing?" if value is None else f"a {type(value).__name__}"


def observe_Patience(Patience, losses, patience, min_delta):
    waiting = Patience(patience, min_delta) if min_delta else Patience(patience)
    seen = {"patience": waiting.patience, "min_delta": number(waiting.min_delta)}
    another = Patience(patience + 1, 0.5)  # what it does is none of the other's business
    another.step(-1e9)
    seen |= after([], None, number(waiting.best), waiting.waited, truth(waiting.over))
    for i, loss in enumerate(losses, 1):
        improved = truth(waiting.step(loss))
        seen |= after(losses[:i], improved, number(waiting.best), waiting.waited, truth(waiting.over))
    waiting.best, waiting.waited = 0.5, patience
    return seen | restored(truth(waiting.over), truth(waiting.step(0.25)), number(waiting.best), waiting.waited)


def restored(over, improved, best, waited):
    """Name what is known after `best` and `waited` were set, as a checkpoint does it."""
    when = "after waiting.best, waiting.waited = 0.5, waiting.patience"
    step = f"{when}; waiting.step(0.25)"
    return {f"over {when}": over, f"step returned, {step}": improved, f"best {step}": best, f"waited {step}": waited}


def patience_turn(
    improves=lambda loss, best, last, delta: loss < best - delta,
    over=lambda waited, patience: waited >= patience,
    reset=lambda waited: 0,
    best_of=lambda loss, best, improved: loss if improved else best,
    returned=lambda improved: improved,
    waits=1,
    first=0,
    start=math.inf,
    over_is=None,
    follows=True,
):
    """Make the waiting, or a wrong turn.

    Args:
        improves: Whether a loss counts, a function of it, the best one, the last one and min_delta.
        over: Whether waiting is over, a function of how long it went on and the patience.
        reset: What an improvement makes of the epochs waited.
        best_of: What is the best loss then, a function of the loss, the best one, and whether it counted.
        returned: What is returned for an improvement or none.
        waits: What an epoch without one adds.
        first: How long it has waited at the beginning.
        start: The best loss at the beginning.
        over_is: What stands for the property, if it is none.
        follows: Whether what is set from outside counts.
    """

    def turn(losses, patience, min_delta):
        best, last, waited = start, math.inf, first
        seen = {"patience": patience, "min_delta": min_delta, **after([], None, best, waited, over_is or over(waited, patience))}
        for i, loss in enumerate(losses, 1):
            improved = improves(loss, best, last, min_delta)
            waited = reset(waited) if improved else waited + waits
            best, last = best_of(loss, best, improved), loss
            seen |= after(losses[:i], returned(improved), best, waited, over_is or over(waited, patience))
        best, last, waited = (0.5, last, patience) if follows else (best, last, waited)
        is_over, improved = over_is or over(waited, patience), improves(0.25, best, last, min_delta)
        waited = reset(waited) if improved else waited + waits
        best = best_of(0.25, best, improved)
        return seen | restored(is_over, returned(improved), best, waited)

    return turn


oracle_Patience = patience_turn()
misconceptions_Patience = {
    "it was over one epoch too late: patience epochs have been waited, not one more": patience_turn(
        over=lambda waited, patience: waited > patience
    ),
    "it was over one epoch too early": patience_turn(over=lambda waited, patience: waited >= patience - 1),
    "it was over at exactly patience epochs only; after more it is over too": patience_turn(
        over=lambda waited, patience: waited == patience
    ),
    "over is turned around": patience_turn(over=lambda waited, patience: waited < patience),
    "the loss was compared with the last one, not with the best": patience_turn(
        lambda loss, best, last, delta: loss < last - delta
    ),
    "min_delta was ignored": patience_turn(lambda loss, best, last, delta: loss < best),
    "min_delta was added: a loss that is worse counted": patience_turn(lambda loss, best, last, delta: loss < best + delta),
    "a loss of exactly best - min_delta counted; it must be below": patience_turn(
        lambda loss, best, last, delta: loss <= best - delta
    ),
    "a loss of nan counted as an improvement: no comparison with nan is true, so ask for what is better, not for what is worse": patience_turn(
        lambda loss, best, last, delta: not loss >= best - delta
    ),
    "higher counted as better; it is a loss": patience_turn(lambda loss, best, last, delta: loss > best + delta, start=-math.inf),
    "higher counted as better; it is a loss, and nothing is above infinity": patience_turn(
        lambda loss, best, last, delta: loss > best + delta
    ),
    "an improvement did not set the count back to 0": patience_turn(reset=lambda waited: waited),
    "the epochs in a row were counted from 1 after an improvement; it is 0 then": patience_turn(reset=lambda waited: 1),
    "an epoch without an improvement was not counted": patience_turn(waits=0),
    "a loss that was better by less than min_delta became the best one: a slow slide would go unnoticed": patience_turn(
        best_of=lambda loss, best, improved: loss if improved or loss < best else best
    ),
    "every loss became the best one": patience_turn(best_of=lambda loss, best, improved: loss),
    "the best loss was never taken up": patience_turn(best_of=lambda loss, best, improved: best),
    "min_delta was taken off the best loss that is kept": lambda losses, patience, min_delta: patience_turn(
        best_of=lambda loss, best, improved: loss - min_delta if improved else best
    )(losses=losses, patience=patience, min_delta=min_delta),
    "step returned nothing: it says whether the loss was an improvement": patience_turn(
        returned=lambda improved: "None: is the `return` missing?"
    ),
    "step returned the opposite: True is for an improvement": patience_turn(returned=lambda improved: not improved),
    "what is kept beside `best` and `waited` does not follow them: a checkpoint sets the two, and step and over go by them": patience_turn(
        follows=False
    ),
    "over is a method here; the line @property makes it an attribute": patience_turn(
        over_is="a method: is the line @property missing?"
    ),
}


# 08.6 split_arrays


def draw_split_arrays(rng):
    """A dict, then dicts in dicts with keys that are no text, lists and tuples, a name to begin with, an array alone, and none."""

    def array(*shape, dtype=np.float32):
        return np.array(10 * rng.standard_normal(shape), dtype)

    lr = float(np.round(rng.uniform(0.1, 1), 2))
    yield dict(tree={"lr": lr, "mean": array(3)}, name="")
    yield dict(tree={"a": {"w": array(2)}, "b": {"w": array(3, dtype=np.float64)}, "epoch": int(rng.integers(9))}, name="")
    state = {0: {"step": np.array(3)}, 1: {"mean": array(2, 3), "n": array(4, dtype=np.int64)}, "betas": (0.9, lr)}
    yield dict(tree={"adam": state}, name="")
    yield dict(
        tree=[array(2), {"scale": array(1, 2), "word": "cosine"}, [None, True, array()], (array(2), (array(1), lr))], name=""
    )
    yield dict(tree={"0.weight": array(3, 2), "0.bias": array(2)}, name="model")
    yield dict(tree={"mean": array(0), "deep": [{"square": array(2, 0)}]}, name="")
    yield dict(tree=array(5), name="alone")
    yield dict(tree=rng.pick(None, lr, "adam"), name="")
    yield dict(tree={"epoch": 7, "note": "none", "empty": {}, "list": []}, name="")


def describe_split_arrays(tree, name):
    return f"split_arrays({written(tree)}{f', name={name!r}' if name else ''})", ""


def observe_split_arrays(split_arrays, tree, name):
    result = split_arrays(tree, name) if name else split_arrays(tree)
    if not isinstance(result, (tuple, list)) or len(result) != 2 or not isinstance(result[1], dict):
        return {"returned": f"a {kind(result)}", **dict.fromkeys(PARTS)}
    return parts_seen(*result)


PARTS = "names of the arrays", "the tree without arrays", "the arrays", "dtypes of the arrays"


def parts_seen(rest, arrays):
    """Write down a tree, and the arrays taken out of it."""
    found = {str(name): array for name, array in sorted(arrays.items(), key=lambda item: str(item[0]))}
    kinds = {name: str(array.dtype) if isinstance(array, np.ndarray) else f"a {kind(array)}" for name, array in found.items()}
    return {"returned": "a tree and a dict", **dict(zip(PARTS, (list(found), written(rest), found, kinds)))}


def written(tree):
    """Write a tree in one line; the order of a dict's keys says nothing."""
    if isinstance(tree, dict):
        return "{" + ", ".join(sorted(f"{key!r}: {written(value)}" for key, value in tree.items())) + "}"
    if isinstance(tree, (list, tuple)):
        inner = ", ".join(map(written, tree))
        return f"[{inner}]" if isinstance(tree, list) else f"({inner}{',' * (len(tree) == 1)})"
    return f"array {tree.shape}" if isinstance(tree, np.ndarray) else repr(tree)


def split_turn(
    label=lambda path: ".".join(map(str, path)),
    note=lambda name: {"array": name},
    tuples=list,
    keys=lambda key: key,
    taken=lambda node: True,
    dropped=False,
    prefix=True,
    inside=(dict, list, tuple),
    astype=None,
    last=False,
):
    """Make the walk through a tree, or a wrong turn.

    Args:
        label: The name of an array, of the keys on the way to it.
        note: What stands in its place, a function of its name.
        tuples: What becomes of a tuple.
        keys: What becomes of a key.
        taken: Which arrays are taken out.
        dropped: Whether nothing stands in an array's place.
        prefix: Whether the name that the call gave counts.
        inside: Kinds of containers that are looked into.
        astype: The dtype that arrays become.
        last: Whether only the arrays of the last branch are kept.
    """

    def walk(node, path):
        if isinstance(node, np.ndarray):
            if not taken(node):
                return node, {}
            name = label(path)
            return note(name), {name: node.astype(astype) if astype else node}
        if not isinstance(node, inside):
            return node, {}
        items = node.items() if isinstance(node, dict) else enumerate(node)
        parts = {keys(key): walk(value, [*path, key]) for key, value in items if not (dropped and isinstance(value, np.ndarray))}
        arrays = {}
        for _, found in parts.values():
            arrays = found if last else arrays | found
        rest = {key: rest for key, (rest, _) in parts.items()}
        return rest if isinstance(node, dict) else (tuples if isinstance(node, tuple) else list)(rest.values()), arrays

    return lambda tree, name: parts_seen(*walk(tree, [name] if name and prefix else []))


oracle_split_arrays = split_turn()
misconceptions_split_arrays = {
    "the names begin with a dot: at the root there is nothing before the key": lambda tree, name: split_turn(
        (lambda path: ".".join(map(str, ["", *path]))) if not name else (lambda path: ".".join(map(str, path)))
    )(tree=tree, name=name),
    "an array's name is its last key alone: two arrays may share it, and one is lost": split_turn(lambda path: str(path[-1])),
    "the keys were joined by something else; it is a dot": split_turn(lambda path: "/".join(map(str, path))),
    "the keys were joined by something else, _; it is a dot": split_turn(lambda path: "_".join(map(str, path))),
    "the keys were joined without a dot": split_turn(lambda path: "".join(map(str, path))),
    "no note was left in the place of an array": split_turn(dropped=True),
    'the place of an array holds None; a note belongs there: {"array": name}': split_turn(note=lambda name: None),
    'the place of an array holds its name alone; a note belongs there: {"array": name}': split_turn(note=lambda name: name),
    "the arrays were left in the tree, too": lambda tree, name: {
        **oracle_split_arrays(tree=tree, name=name),
        "the tree without arrays": written(tree),
    },
    "tuples stayed tuples: JSON has lists": split_turn(tuples=tuple),
    "tuples were not looked into: their entries are trees, too": split_turn(inside=(dict, list)),
    "lists and tuples were not looked into: their entries are trees, too": split_turn(inside=(dict,)),
    "the keys that are no text became text; the tree stays as it was": split_turn(keys=str),
    "the prefix that the call gave was left out": split_turn(prefix=False),
    "only the arrays found last are in the dict: update it, so that those of before stay": split_turn(last=True),
    "an array of shape () was left in the tree": split_turn(taken=lambda node: node.ndim),
    "the arrays became float32; they are to stay as they are": split_turn(astype=np.float32),
    "the arrays became float64; they are to stay as they are": split_turn(astype=np.float64),
}


# 08.7 atomically


def describe_atomically(name, before, ends, parts):
    there = "a file is there already" if before == "a file" else "no file is there yet"
    return f"atomically(path, write), where {there} and write ends {ends}", ""


def draw_atomically(rng):
    """A file that is there or is not; writing that ends well, with an exception, or with Ctrl-C."""
    for before, ends in (
        ("a file", "normally"),
        ("none", "normally"),
        ("a file", "with an OSError"),
        ("none", "with an OSError"),
        ("a file", "with KeyboardInterrupt"),
    ):
        yield dict(
            name=f"state-{rng.integers(1000)}.bin",
            before=before,
            ends=ends,
            parts=[[int(i) for i in rng.integers(0, 256, 4)] for _ in range(3)],
        )


def observe_atomically(atomically, name, before, parts, ends):
    """Write in three parts, end there or go on, and look at the file after every line that runs."""
    old, new = bytes([7, 7, 7]), b"".join(map(bytes, parts))
    with tempfile.TemporaryDirectory() as folder:
        path, moments, names, seen = Path(folder) / name, [], [], {"the bytes go to": "nothing: write was not called"}
        if before == "a file":
            path.write_bytes(old)

        def look(*_):
            state = meaning(path, old, new)
            if moments[-1:] != [state]:
                moments.append(state)
            return look

        def write(file):
            seen["the bytes go to"] = target(file, path)
            names.append(beside(path))
            for part in parts[:2]:
                file.write(bytes(part))
            if ends != "normally":
                raise {"with an OSError": OSError, "with KeyboardInterrupt": KeyboardInterrupt}[ends]("no space left")
            file.write(bytes(parts[2]))

        try:
            returned, ended = watched(look, atomically, path, write), "normally"
        except (OSError, KeyboardInterrupt) as error:
            if str(error) != "no space left":
                raise
            returned, ended = None, "with KeyboardInterrupt" if isinstance(error, KeyboardInterrupt) else "with an OSError"
        look()
        left = beside(path)
        if ends == "normally":
            atomically(path, lambda file: names.append(beside(path) - left))
    shared = len(names) == 2 and names[0] & names[1]
    return {
        **seen,
        "what the name means, one moment after the other": moments,
        "it ended": ended,
        "files left beside it": len(left),
        "returned": kind(returned),
        "name of the temporary file": SAME_NAME if shared else NEW_NAME,
    }


NEW_NAME, SAME_NAME = "a new one for each call", "the same in two calls one after the other"


def beside(path):
    """Return the names of the other files in the folder of a path."""
    return {other.name for other in path.parent.iterdir() if other != path}


def watched(look, function, *arguments):
    """Call a function, and look after every line that runs and every call of something built in."""
    before = sys.gettrace(), sys.getprofile()
    look()
    sys.settrace(look)
    sys.setprofile(look)
    try:
        return function(*arguments)
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])


GAP, COPY = "neither of both", "neither of both, with another file beside it"


def meaning(path, old, new):
    """Say what a name means now."""
    try:
        content = path.read_bytes()
    except OSError:
        return "no file"
    if content in (old, new):
        return "the old file" if content == old else "the new file"
    return COPY if beside(path) else GAP


def target(file, path):
    """Say where the bytes go."""
    if beside(path):
        return "a temporary file in the same folder"
    if isinstance(file, io.BytesIO):
        return "memory"
    return "the file itself" if str(getattr(file, "name", "")) == str(path) else "a file in another folder"


def atomic_turn(
    well=None,
    badly=None,
    goes="a temporary file in the same folder",
    left=lambda ends: 0,
    swallows=False,
    returned="nothing",
    shared=False,
):
    """Make the writing of a file, or a wrong turn.

    Args:
        well: What the name means, one after the other, where writing ends well: a function of what it means at first.
        badly: The same, where it does not.
        goes: Where the bytes go.
        left: How many files are left beside it, a function of how writing ends.
        swallows: Whether errors end there.
        returned: What is returned.
        shared: Whether two calls give the temporary file the same name.
    """

    def turn(name, before, parts, ends):
        first = "the old file" if before == "a file" else "no file"
        if ends == "normally":
            moments = well(first) if well else [first, "the new file"]
        else:
            moments = badly(first) if badly else [first]
        moments = [state for state, last in zip(moments, [None, *moments]) if state != last]
        return {
            "the bytes go to": goes,
            "what the name means, one moment after the other": moments,
            "it ended": "normally" if swallows else ends,
            "files left beside it": left(ends),
            "returned": returned if swallows or ends == "normally" else "nothing",
            "name of the temporary file": SAME_NAME if shared and ends == "normally" else NEW_NAME,
        }

    return turn


oracle_atomically = atomic_turn()


def with_a_backup(name, before, parts, ends):
    """Give the old file another name, write the file itself, and turn that back after a failure."""
    there, well = before == "a file", ends == "normally"
    moments = (["the old file", "no file", COPY] if there else ["no file", GAP]) + (
        ["the new file"] if well else ["no file", "the old file"] if there else ["no file"]
    )
    return {
        **oracle_atomically(name=name, before=before, parts=parts, ends=ends),
        "what the name means, one moment after the other": moments,
        "the bytes go to": "a temporary file in the same folder" if there else "the file itself",
    }


def but_the_name(wrong):
    """Turn an oracle into one that says nothing of the temporary file's name: that is a mistake of its own."""

    def oracle(**inputs):
        return {key: value for key, value in wrong(**inputs).items() if key != "name of the temporary file"}

    oracle.partial = True
    return oracle


misconceptions_atomically = {
    "the old file was given another name, as a backup, and the file itself opened for writing: for a while there is neither": with_a_backup,
    "the file itself was opened for writing: for a while it was neither old nor new": atomic_turn(
        lambda first: [first, GAP, "the new file"], lambda first: [first, GAP], goes="the file itself"
    ),
    "the file itself was opened for writing, and what was in it put back after an error: for a while it was neither old nor new": atomic_turn(
        lambda first: [first, GAP, "the new file"], lambda first: [first, GAP, first], goes="the file itself"
    ),
    "the old file was removed before the new one had its name: os.replace does it in one step": atomic_turn(
        lambda first: [first, "no file", "the new file"]
    ),
    "the old file was removed first, and is lost where writing fails": atomic_turn(
        lambda first: [first, "no file", "the new file"], lambda first: [first, "no file"]
    ),
    "the file got its name before it was closed: bytes were still waiting to be written": atomic_turn(
        lambda first: [first, GAP, "the new file"]
    ),
    "the bytes were copied from the temporary file into the other, which was neither old nor new meanwhile, and the temporary file stayed": atomic_turn(
        lambda first: [first, COPY, "the new file"], left=lambda ends: 1
    ),
    "the bytes were copied from the temporary file into the other, which was neither old nor new meanwhile: os.replace does it in one step": atomic_turn(
        lambda first: [first, COPY, "the new file"]
    ),
    "the bytes were copied from the temporary file into the other, and the temporary file stayed after a success": atomic_turn(
        lambda first: [first, COPY, "the new file"], left=lambda ends: int(ends == "normally")
    ),
    "the temporary file was left behind after a failure": atomic_turn(left=lambda ends: int(ends != "normally")),
    "after Ctrl-C the temporary file was left behind: `except Exception` misses KeyboardInterrupt": atomic_turn(
        left=lambda ends: int(ends == "with KeyboardInterrupt")
    ),
    "the temporary file never got the file's name": atomic_turn(lambda first: [first], left=lambda ends: 1),
    "the temporary file never got the file's name, and was removed": atomic_turn(lambda first: [first]),
    "the temporary file is in another folder, perhaps on another disk, where no single step leads from": atomic_turn(
        goes="a file in another folder"
    ),
    "the bytes were collected in memory; they are to go to a temporary file beside it while write is at work": atomic_turn(
        goes="memory"
    ),
    "the error did not go on to the caller": atomic_turn(swallows=True),
    "the error did not go on to the caller, and the temporary file was left behind": atomic_turn(
        swallows=True, left=lambda ends: int(ends != "normally")
    ),
    "after a failure the half of a file took the old one's place": atomic_turn(badly=lambda first: [first, GAP]),
}
misconceptions_atomically = {sentence: but_the_name(wrong) for sentence, wrong in misconceptions_atomically.items()}
misconceptions_atomically |= {
    "every call gives the temporary file the same name, and two threads would write into each other's file: a process number or a fixed ending is not enough, os.urandom(8).hex() is": atomic_turn(
        shared=True
    ),
}
