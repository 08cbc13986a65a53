"""The check of 08.1 train_epoch: a network with a layer inside it and a frozen parameter, and a watched optimizer with two groups."""

import gc
import importlib
import math
import weakref

import numpy as np

from .shared import NOTHING, batches, kind, number


def describe_train_epoch(inputs, clip_norm, reported, fails=None, **more):
    words = f"{f', clip_norm={clip_norm:g}' if clip_norm is not None else ''}{', after_step=note' * reported}"
    failing = "" if fails is None else f"; call {fails} of note raises ArithmeticError"
    bad = "; one input is nan" * any(np.isnan(x).any() for x in inputs)
    return (
        f"train_epoch(model, loader, criterion, optimizer{words})",
        f"{batches(inputs)}; optimizer SGD, lr={more['lr']:.4g}{bad}{failing}",
    )


def draw_train_epoch(rng):
    """Batches of one size and of several, with a report and without, clipped by much, by nothing, to nothing, or not at all.

    In one case a loss is nan, which counts as well; in the last one the function for reports fails.
    """
    small, large = int(rng.integers(2, 4)), int(rng.integers(4, 6))
    for sizes, clip_norm, reported, more in (
        ([large, large, 1], None, True, {}),
        ([small, large], 0.5, False, {}),
        ([small, large, small], 1e6, True, {}),
        ([1], None, False, {}),
        ([large, 1], 0.25, True, {}),
        ([small, 1], 0.0, False, {}),
        ([], None, True, {}),
        ([small, small, 1], None, True, "nan"),
        ([large, small], None, True, dict(fails=int(rng.integers(1, 3)))),
    ):
        inputs = [rng.standard_normal((n, 3), np.float32) for n in sizes]
        if more == "nan":
            inputs[1][0, 0], more = np.nan, {}
        yield dict(
            inputs=inputs,
            labels=[rng.standard_normal(n).astype(np.float32) for n in sizes],
            weight=rng.standard_normal(3).astype(np.float32),
            bias=rng.standard_normal(1).astype(np.float32) + np.float32(1),
            frozen=rng.standard_normal(1).astype(np.float32),
            stale=rng.standard_normal(3).astype(np.float32),
            lr=float(rng.uniform(0.05, 0.2)),
            clip_norm=clip_norm,
            reported=reported,
            **more,
        )


def observe_train_epoch(module, inputs, labels, weight, bias, frozen, stale, lr, clip_norm, reported, fails=None):
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
        def step(self, closure=None):
            loss = closure() if closure else None
            for name, parameter in (("weight", model.inner.weight), ("bias", model.bias)):
                steps.append((name, "none" if parameter.grad is None else np.array(parameter.grad.data)))
            super().step()
            return loss

    def criterion(outputs, targets):
        loss = ((outputs - 2 * targets) ** 2).mean()  # not the same the other way round
        losses.append((len(kept), weakref.ref(loss)))
        return loss

    def note(loss):
        reports.append((kind(loss), number(loss), model.inner.weight.data.copy()))
        if len(reports) == fails:
            raise ArithmeticError("on purpose")

    model = Model()
    model.eval()
    optimizer = Optimizer([{"params": [model.inner.weight]}, {"params": [model.bias, model.frozen]}], lr=lr)
    model.inner.weight.grad = module.Tensor(stale.copy())
    settings = {**({} if clip_norm is None else {"clip_norm": clip_norm}), **({"after_step": note} if reported else {})}
    batches = [(module.Tensor(x), module.Tensor(y)) for x, y in zip(inputs, labels)]
    kept = []

    def alive():
        return sum(loss() is not None for number, loss in losses if number < len(kept))  # the last batch's may still have a name

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
        "training mode, batch by batch": modes,
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
    swallows=False,
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
        swallows: Whether an exception of after_step ends there.
    """

    def turn(inputs, labels, weight, bias, frozen, stale, lr, clip_norm, reported, fails=None):
        if not inputs:
            return empty
        if fails and reports and not swallows:
            return ("raises", "ArithmeticError", "on purpose")
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
def used_up(inputs, **more):
    """Go through an iterator twice: the second time there is nothing left to train on."""
    return {**epoch_seen([], [], 0.0, []), "its type": "float"} if inputs else NOTHING


misconceptions_train_epoch = {
    "the loader was gone through twice; an iterator is empty the second time: count within the one loop": used_up,
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
    "an exception of after_step was swallowed: it is to reach the caller, who stops the training by it": epoch_turn(swallows=True),
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
