"""The check of 08.5 Patience."""

import math

import numpy as np

from .shared import number


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
    "min_delta was taken for a share of the best loss: it is a difference": patience_turn(
        lambda loss, best, last, delta: loss < best * (1 - delta)
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
