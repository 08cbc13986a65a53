"""The whole state of a training as a tree, and how it is taken up again: the same numbers, or a reason why not. Given."""

import types

import numpy as np

from tinytorch.given.random import generator


def weights(model):
    """Return copies of a network's parameters: a dict from path to array."""
    return {path: np.copy(tensor.numpy()) for path, tensor in model.state_dict().items()}


def generators_in(owner, path, visited=()):
    """Yield path and generator for each that a loader, a dataset or a network holds, itself or within.

    Args:
        owner: The loader, dataset or network, or anything that one of these holds.
        path: What stands before the attributes' names, with a dot between.
        visited: Ids of the objects on the way here, so that a circle of references ends.

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
    """Return a dict of all generators that a training draws from; one that several share is there once.

    Args:
        named: Dict of those that nobody would find.
        owners: Loaders, datasets and networks, which are searched.
    """
    found = [pair for name, owner in owners.items() for pair in generators_in(owner, name)]
    first = {}
    for name, one in [("default", generator()), *named.items(), *found]:
        first.setdefault(id(one), (name, one))
    return dict(first.values())


def disagreements(part, saved, ours):
    """Yield the names under which two dicts differ, and how."""
    for name in sorted(saved.keys() | ours.keys()):
        there, here = saved.get(name, "missing"), ours.get(name, "missing")
        if there != here:
            yield f"{part}.{name}: {there} in the checkpoint, {here} here"


def optimizer_shapes(optimizer, saved):
    """Return two dicts from name to shape: of the arrays that a saved state holds, and as this optimizer needs them."""
    shapes = [param.shape for param in optimizer.params()]
    there = {f"{i}.{name}": array.shape for i, kept in saved["state"].items() for name, array in kept.items() if name != "step"}
    here = {f"{i}.{name}": shapes[int(i)] for i in saved["state"] if int(i) < len(shapes) for name in optimizer.kept}
    return there, here


class Resumable:
    """A training whose state is a tree of dicts, lists, arrays, numbers and words; `Trainer` has the attributes."""

    def remembering(self):
        """Return the callbacks that have a state, by class and position."""
        named = {f"{type(one).__name__}-{i}": one for i, one in enumerate(self.callbacks)}
        return {name: one for name, one in named.items() if one.state_dict()}

    def state_dict(self):
        """Return the whole state."""
        return {
            "epoch": self.epoch,
            "stopped": self.stopped,
            "history": self.history,
            "settings": self.settings,
            "model": weights(self.model),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict() if self.scheduler else {},
            "callbacks": {name: one.state_dict() for name, one in self.remembering().items()},
            "generators": {name: one.bit_generator.state for name, one in self.generators.items()},
        }

    def load_state_dict(self, saved):
        """Take up what `state_dict` returned.

        Raises:
            ValueError: It does not fit. The message names all that differs, and nothing has been changed.
        """
        problems = list(self.problems(saved))
        if problems:
            raise ValueError("\n  ".join(["the checkpoint does not fit this training:", *problems]))
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        if self.scheduler:
            self.scheduler.load_state_dict(saved["scheduler"])
        for name, callback in self.remembering().items():
            callback.load_state_dict(saved["callbacks"][name])
        for name, one in self.generators.items():
            one.bit_generator.state = saved["generators"][name]
        self.epoch, self.stopped, self.history = saved["epoch"], saved["stopped"], list(saved["history"])

    def problems(self, saved):
        """Yield what keeps a saved state from fitting: names, shapes and settings that differ."""
        yield from disagreements("settings", saved["settings"], self.settings)
        shapes = ({path: array.shape for path, array in one.items()} for one in (saved["model"], weights(self.model)))
        yield from disagreements("model", *shapes)
        yield from disagreements("optimizer.state", *optimizer_shapes(self.optimizer, saved["optimizer"]))
        ours = self.state_dict()
        groups = ([len(group["params"]) for group in one["optimizer"]["param_groups"]] for one in (saved, ours))
        yield from disagreements("optimizer", *({"group sizes": sizes} for sizes in groups))
        for part in ("scheduler", "callbacks", "generators"):
            yield from disagreements(part, dict.fromkeys(saved[part], "there"), dict.fromkeys(ours[part], "there"))
