"""Save and restore the whole state of a training run: resuming gives the same numbers, or says why it cannot. Given."""

import types

import numpy as np

from tinytorch.given.random import generator


def weights(model):
    """Return copies of a network's parameters: a dict from path to array."""
    return {path: np.copy(tensor.numpy()) for path, tensor in model.state_dict().items()}


def generators_in(owner, path, visited=()):
    """Yield a path and a generator for each generator that a loader, a dataset or a network holds, at any depth.

    Args:
        owner: The loader, dataset or network, or anything that one of these holds.
        path: What to put before the attributes' names, with a dot between.
        visited: Ids of the objects on the way here, so that a reference cycle ends.

    Example:
        >>> from tinytorch.layers import Dropout, Sequential
        >>> [path for path, _ in generators_in(Sequential(Dropout(rng=np.random.default_rng(0))), "model")]
        ['model.0.rng']
    """
    if isinstance(owner, np.random.Generator):
        yield path, owner
    elif id(owner) not in visited and not isinstance(owner, (type, types.ModuleType, types.FunctionType)):
        for name, value in getattr(owner, "__dict__", {}).items():
            yield from generators_in(value, f"{path}.{name}", (*visited, id(owner)))


def all_generators(named, **owners):
    """Return a dict of all generators that a training run draws from; a shared one appears once.

    Args:
        named: Dict of generators that the search does not reach.
        owners: Loaders, datasets and networks to search.
    """
    pairs = [pair for name, owner in owners.items() for pair in generators_in(owner, name)]
    first = {}
    for name, rng in [("default", generator()), *named.items(), *pairs]:
        first.setdefault(id(rng), (name, rng))
    return dict(first.values())


def disagreements(part, saved, ours):
    """Yield a line for each name where two dicts differ."""
    for name in sorted(saved.keys() | ours.keys()):
        there, here = saved.get(name, "missing"), ours.get(name, "missing")
        if there != here:
            yield f"{part}.{name}: {there} in the checkpoint, {here} here"


def optimizer_problems(optimizer, saved):
    """Yield why a saved state does not fit an optimizer: the sizes of groups, or the arrays' names and shapes.

    Args:
        optimizer: The `Optimizer`.
        saved: What the `state_dict` of another optimizer returned.

    Example:
        >>> from tinytorch.optim import SGD
        >>> from tinytorch.tensor import Tensor
        >>> w, b = Tensor([1.0], requires_grad=True), Tensor([0.0], requires_grad=True)
        >>> list(optimizer_problems(SGD([w]), SGD([w, b]).state_dict()))
        ['optimizer.group sizes: [2] in the checkpoint, [1] here']
    """
    sizes = ([len(group["params"]) for group in groups] for groups in (saved["param_groups"], optimizer.param_groups))
    yield from disagreements("optimizer", *({"group sizes": counts} for counts in sizes))
    shapes = [param.shape for param in optimizer.params()]
    there = {
        f"{i}.{name}": np.shape(array) for i, kept in saved["state"].items() for name, array in kept.items() if name != "step"
    }
    here = {f"{i}.{name}": shapes[int(i)] for i in saved["state"] if int(i) < len(shapes) for name in optimizer.kept}
    yield from disagreements("optimizer.state", there, here)


def with_state(callbacks):
    """Return the callbacks that have a state, by class and position."""
    named = {f"{type(callback).__name__}-{i}": callback for i, callback in enumerate(callbacks)}
    return {name: callback for name, callback in named.items() if callback.state_dict()}


def state_of(trainer):
    """Return the whole state of a training run: a tree of dicts, lists, arrays, numbers and strings.

    Args:
        trainer: The `Trainer`.
    """
    return {
        "epoch": trainer.epoch,
        "stopped": trainer.stopped,
        "history": trainer.history,
        "settings": trainer.settings,
        "model": weights(trainer.model),
        "optimizer": trainer.optimizer.state_dict(),
        "scheduler": trainer.scheduler.state_dict() if trainer.scheduler else {},
        "callbacks": {name: callback.state_dict() for name, callback in with_state(trainer.callbacks).items()},
        "generators": {name: rng.bit_generator.state for name, rng in trainer.generators.items()},
    }


def restore(trainer, saved):
    """Restore a trainer from what `state_of` returned.

    Args:
        trainer: The `Trainer`.
        saved: The state.

    Raises:
        ValueError: The state does not fit. The message lists every difference, and the trainer is unchanged.
    """
    try:
        problems = list(training_problems(trainer, saved))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"the checkpoint is damaged: {described(error)}") from error
    if problems:
        raise ValueError("\n  ".join(["the checkpoint does not fit this training:", *problems]))
    before = state_of(trainer)
    try:
        put(trainer, saved)
    except Exception as error:  # whatever the parts raise about a damaged state, none of it may stay
        put(trainer, before)
        raise ValueError(f"the checkpoint is damaged: {described(error)}; the training is unchanged") from error


def described(error):
    """Return an error in one line: its class and what it says."""
    return f"{type(error).__name__}: {error}".split("\n")[0]


def put(trainer, saved):
    """Put every part of a saved state into its place."""
    trainer.model.load_state_dict(saved["model"])
    trainer.optimizer.load_state_dict(saved["optimizer"])
    if trainer.scheduler:
        trainer.scheduler.load_state_dict(saved["scheduler"])
    for name, callback in with_state(trainer.callbacks).items():
        callback.load_state_dict(saved["callbacks"][name])
    for name, rng in trainer.generators.items():
        rng.bit_generator.state = saved["generators"][name]
    trainer.epoch, trainer.stopped, trainer.history = saved["epoch"], saved["stopped"], list(saved["history"])


def training_problems(trainer, saved):
    """Yield why a saved state does not fit a trainer: names, shapes and settings that differ."""
    yield from disagreements("settings", saved["settings"], trainer.settings)
    shapes = ({path: array.shape for path, array in arrays.items()} for arrays in (saved["model"], weights(trainer.model)))
    yield from disagreements("model", *shapes)
    yield from optimizer_problems(trainer.optimizer, saved["optimizer"])
    ours = state_of(trainer)
    for part in ("scheduler", "callbacks", "generators"):
        there, here = (state[part].keys() - {"last_lr"} for state in (saved, ours))  # older checkpoints have no last_lr
        yield from disagreements(part, dict.fromkeys(there, "there"), dict.fromkeys(here, "there"))
