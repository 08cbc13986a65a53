"""The check of 03.7 Sequential."""

from functools import partial

import numpy as np

from .shared import numbers


def draw_Sequential(rng):
    """Rows of steps whose order matters, twelve, a row in a row, one layer twice, an empty row, and things that are no modules."""
    x = rng.normal32(*rng.sizes(rng.size(1, 2)))
    yield dict(steps=["times 2", "plus 3"], x=x)
    yield dict(steps=["plus 3", "times -2", "plus 0.5"], x=x)
    yield dict(steps=["times 3", "(plus 1, times 0.5)", "plus -4"], x=x)
    yield dict(steps=[f"plus {number}" for number in range(11)], x=x)
    yield dict(steps=some_steps(rng, 12), x=x)
    yield dict(steps=[*some_steps(rng, rng.size(1, 3)), f"({', '.join(some_steps(rng, rng.size(1, 4)))})"], x=x)
    yield dict(steps=["times 2", "plus 3", *rng.pick([], ["times 0.5"]), "again"], x=x)
    yield dict(steps=[], x=x)
    yield dict(steps=["a list"], x=x)
    yield dict(steps=[*some_steps(rng, rng.size(1, 2)), "a text"], x=x)
    yield dict(steps=["plus 1", "a function"], x=x)
    yield dict(steps=["a class", "times 2"], x=x)
    yield dict(steps=[*some_steps(rng, rng.size(1, 3)), "a tree"], x=x)


def some_steps(rng, count):
    """Draw steps that no other order gives the same result as."""
    return [f"{rng.pick('times', 'plus')} {rng.pick(-2, -0.5, 0.5, 1.5, 3)}" for _ in range(count)]


def describe_Sequential(steps, x):
    first = [f"layer = {written(steps[0])}"] if "again" in steps else []
    row = ", ".join("layer" if first and step in (steps[0], "again") else written(step) for step in nested(steps))
    return "\n".join([*first, f"net = Sequential({row})", "net(x), at once and after each change"])


def written(step):
    """Write a step as a module: Times(2) multiplies by a parameter 2."""
    if isinstance(step, list):
        return f"Sequential({', '.join(map(written, step))})"
    kind, number = step.split()
    odd = {"function": "relu", "class": "Times", "tree": "Tree()", "list": "[Times(2), Plus(3)]", "text": "'relu'"}
    return odd[number] if kind == "a" else f"{kind.capitalize()}({number})"


def relu(x):
    """Stands among the layers although it is no module."""
    return x


def observe_Sequential(module, steps, x):
    """What a row computes, before and after `eval`, the paths of its parameters, and whether `eval` reaches its layers."""

    class Times(module.Module):
        def __init__(self, number=1.0):
            self.number = module.Parameter([number])

        def forward(self, x):
            return x * self.number

    class Plus(Times):
        def forward(self, x):
            return x + self.number

    def layer(step):
        if step.startswith("("):
            return module.Sequential(*map(layer, step.strip("()").split(", ")))
        kind, number = step.split()
        if kind == "a":
            some = [Times(2.0), Plus(3.0)]
            return {"function": relu, "class": Times, "tree": module.Tree(), "list": some, "text": "relu"}[number]
        return {"times": Times, "plus": Plus}[kind](float(number))

    layers = [layer(step) for step in steps if step != "again"]
    layers += layers[:1] * ("again" in steps)
    net = module.Sequential(*layers)
    if any(step.startswith("a ") for step in steps):
        return "no exception: it was accepted"
    held = list(net.children())
    others = len(held) == len(layers) and any(one is not given for one, given in zip(held, layers))
    seen = {
        "paths": [path for path, _ in net.named_parameters()],
        "the layers of net are": "copies" if others else "those given",
        "net(x)": numbers(module, net(module.Tensor(x))),
    }
    evaluating = net.eval()
    seen |= {
        "net(x) after net.eval()": numbers(module, evaluating(module.Tensor(x))),
        "layers in training after net.eval()": sum(one.training for one in evaluating.modules()),
    }
    longer = net.append(Plus(5.0)) if hasattr(net, "append") else lambda x: Plus(5.0)(net(x))  # it may have been deleted
    return seen | {APPENDED: numbers(module, longer(module.Tensor(x)))}


APPENDED = "net(x) after net.append(Plus(5))"


def appended(steps):
    return [*steps, "plus 5"]


def nested(steps):
    """The steps with every inner row as a list."""
    return [step.strip("()").split(", ") if step.startswith("(") else step for step in steps]


def spelled(steps):
    """Write the first step in the place of "again"."""
    return [steps[0] if step == "again" else step for step in steps]


def run_steps(steps, x):
    for step in nested(steps):
        if isinstance(step, list):
            x = run_steps(step, x)
        else:
            kind, number = step.split()
            x = x * float(number) if kind == "times" else x + float(number)
    return x


def paths_of(steps, prefix="", first=0):
    """The paths of the parameters; what is no module has a number too, but no parameter."""
    found = []
    for index, step in enumerate(nested(steps), first):
        if isinstance(step, list):
            found += paths_of(step, f"{prefix}{index}.", first)
        elif not step.startswith("a "):
            found.append(f"{prefix}{index}.number")
    return found


def refused(steps):
    """What the message must hold about the first step that is no module."""
    wrong = [step for step in steps if step.startswith("a ")]
    parts = {"a function": "relu", "a class": "Times", "a tree": "Tree", "a list": "[Times(), Plus()]", "a text": "'relu'"}
    return ("raises", "TypeError", parts[wrong[0]]) if wrong else None


ACCEPTED = "no exception: it was accepted"


def oracle_Sequential(steps, x, **turns):
    return refused(steps) or what_runs(steps, x, **turns)


def what_runs(steps, x, run=list, later=appended, **others):
    """The right answer where everything is a module, or a wrong turn; what is no module is accepted.

    Args:
        steps: The steps.
        x: What the row is called with.
        run: Which steps run, a function of those that are there.
        later: Which steps are there after a layer was appended, a function of those at first.
        others: Further entries.
    """
    if refused(steps):
        return ACCEPTED
    steps = spelled(steps)
    first, then = (run_steps(run(there), x.astype(np.float64)) for there in (steps, later(steps)))
    return {
        "paths": paths_of(steps),
        "the layers of net are": "those given",
        "net(x)": first,
        "net(x) after net.eval()": first,
        "layers in training after net.eval()": 0,
        APPENDED: then,
    } | others


def last_alone(steps):
    """The last layer of a row, and of the rows in it."""
    return [step if step[0] != "(" else f"({step.strip('()').split(', ')[-1]})" for step in steps[-1:]]


def from_one(steps):
    """Numbers from 1 on: `append` replaces the last layer."""
    return [*steps[:-1], "plus 5"]


def backwards(steps):
    return [f"({', '.join(step[::-1])})" if isinstance(step, list) else step for step in nested(steps)[::-1]]


misconceptions_Sequential = {
    "the layers are kept in a list, which the tree does not see": lambda steps, x: oracle_Sequential(
        steps, x, later=list, paths=[]
    ),
    "the layers are kept in a list, and `for layer in self` finds none": lambda steps, x: (
        ACCEPTED if refused(steps) else what_runs([], x)
    ),
    "the layers that were there at first run, or as many: forward has to ask which ones are there now": partial(
        oracle_Sequential, later=list
    ),
    "the layers run in the wrong order": partial(oracle_Sequential, run=backwards),
    "every layer is fed with x itself, and the last one wins": lambda steps, x: (
        oracle_Sequential(steps, x, run=last_alone) if steps else ("raises", "UnboundLocalError")
    ),
    "only the first layer runs: the return stands inside the loop": lambda steps, x: (
        oracle_Sequential(steps, x, run=lambda steps: steps[:1])
        | ({} if steps else dict.fromkeys(("net(x)", "net(x) after net.eval()"), "NoneType, not a Tensor"))
        if not refused(steps)
        else oracle_Sequential(steps, x)
    ),
    "copies of the layers are kept: what trains the ones that were given would not reach them": partial(
        oracle_Sequential, **{"the layers of net are": "copies"}
    ),
    "layers are numbered from 1": lambda steps, x: oracle_Sequential(steps, x, later=from_one, paths=paths_of(steps, first=1)),
    "what is no module is accepted": what_runs,
    "a Tree that is no Module is accepted: it cannot be called": lambda steps, x: (
        ACCEPTED if "a tree" in steps else oracle_Sequential(steps, x)
    ),
    "whatever can be called is accepted, such as a function or a class: ask whether it is a Module": lambda steps, x: (
        ACCEPTED if "a tree" not in steps and refused(steps) else oracle_Sequential(steps, x)
    ),
    "forward runs over all attributes: train() and eval() add one that is no layer": lambda steps, x: (
        oracle_Sequential(steps, x) if refused(steps) else ("raises", "TypeError", "'bool' object is not callable")
    ),
    "an assert gives an AssertionError; a TypeError is asked for": lambda steps, x: (
        ("raises", "AssertionError") if refused(steps) else oracle_Sequential(steps, x)
    ),
    "the error does not show what was given": lambda steps, x: (
        ("raises", "TypeError") if refused(steps) else oracle_Sequential(steps, x)
    ),
}
