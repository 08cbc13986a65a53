"""The check of 05.11 backward."""

import numpy as np

from .graphs import build, passed_back, reached, told, values_of, vector, weights
from .shared import ancestry, normal


def draw_backward(rng):
    """One call and two, with a gradient and without, kept, freed and remembered graphs, a leaf, and calls that must fail."""
    n = int(rng.integers(2, 5))
    curve = [
        ["x", "leaf", [], normal(rng, n)],
        ["k", "constant", [], normal(rng, n)],
        ["w", "leaf", [], normal(rng, n)],
        ["s", "add", ["x", "w"], None],
        ["q", "square", ["s"], None],
        ["m", "mix", ["q", "x", "k"], weights(rng, 3)],
        ["y", "total", ["m"], None],
    ]
    stopped = [*curve[:4], ["i", "interrupted", ["s"], None]]
    plain = dict(gradient=None, retain_graph=None, create_graph=False)
    given, number = dict(plain, gradient=normal(rng, n)), dict(plain, gradient=np.array(rng.uniform(2, 3), np.float32))
    keep, again = dict(plain, retain_graph=True), dict(plain, create_graph=True)
    for graph, calls in [
        (curve, [["y", plain]]),
        (curve, [["m", given]]),
        (curve, [["y", number]]),
        (curve[:4], [["s", given]]),
        (curve[:1], [["x", given], ["x", given]]),
        (curve, [["y", keep], ["y", plain]]),
        (curve, [["y", plain], ["y", plain]]),
        (curve, [["y", again], ["m", given]]),
        (curve, [["y", again], ["m", dict(given, create_graph=True)]]),
        (curve, [["m", plain]]),
        (curve, [["y", dict(again, retain_graph=False)], ["y", plain]]),
        (stopped, [["i", dict(given, create_graph=True)], ["i", given]]),
    ]:
        yield dict(graph=graph, calls=calls)


def describe_backward(graph, calls):
    lines = []
    for name, settings in calls:
        words = ["g"] if settings["gradient"] is not None else []
        words += [
            f"{key}={settings[key]}"
            for key in ("retain_graph", "create_graph")
            if settings[key] not in (None, False) or key == "retain_graph" and settings[key] is False
        ]
        lines.append(f"{name}.backward({', '.join(words)})")
    grads = [settings["gradient"] for _, settings in calls if settings["gradient"] is not None]
    call = "\n".join([*lines, "where", told(graph)])
    return call, f"g = {vector(grads[0])}" if grads else ""


def observe_backward(module, graph, calls):
    tensors, seen, switch = build(module, graph), {}, module.state.recording
    for number, (name, settings) in enumerate(calls, 1):
        gradient = None if settings["gradient"] is None else module.Tensor(settings["gradient"].copy())
        # What becomes of a graph that an old gradient has is free, unless this call is to remember, too.
        asked = [one for one, tensor in tensors.items() if tensor.grad is None or settings["create_graph"]]
        before = {one: (tensor.grad, len(ancestry(tensor.grad))) for one, tensor in tensors.items()}
        raised = "nothing"
        try:
            module.backward(tensors[name], gradient, settings["retain_graph"], settings["create_graph"])
        except NotImplementedError:
            raise
        except (RuntimeError, KeyboardInterrupt) as error:
            if isinstance(error, KeyboardInterrupt) and "on purpose" not in str(error):
                raise
            raised = type(error).__name__
        recording, module.state.recording = module.state.recording, switch
        grads = {one: tensor.grad for one, tensor in tensors.items()}
        arrays = {one: None if grad is None else np.array(grad.data) for one, grad in grads.items()}
        with_graph = [one for one in asked if has_new_graph(grads[one], *before[one])]
        seen |= after_call(number, raised, arrays, with_graph, sharing({**grads, "the gradient given": gradient}), recording)
    return seen


def has_new_graph(grad, old, ancestors):
    """Say whether a gradient remembers where it came from; one that was there before and was added to has to remember more."""
    if grad is None or not grad.requires_grad:
        return False
    return len(ancestry(grad)) > (ancestors if grad is old else 1)


def sharing(grads):
    """Name the pairs of gradients that share their memory."""
    present = {name: grad.data for name, grad in grads.items() if grad is not None}
    return [
        f"{one} and {other}"
        for i, one in enumerate(present)
        for other in list(present)[i + 1 :]
        if np.shares_memory(present[one], present[other])
    ]


def after_call(number, raised, grads, with_graph, shared, recording):
    """Write down what is there after a call; what an interrupted one leaves in grad is free."""
    grads = {name: "None" if grad is None or raised == "KeyboardInterrupt" else grad for name, grad in grads.items()}
    return {
        f"call {number} raises": raised,
        **{f"{name}.grad after call {number}": grad for name, grad in grads.items()},
        f"gradients with a graph after call {number}": with_graph,
        f"gradients that share memory after call {number}": shared,
        f"ops are remembered after call {number}": recording,
    }


def backward_turn(
    adds=True,
    begin=None,
    keeps=None,
    graphs=None,
    everywhere=False,
    shares=False,
    stays=False,
    root=True,
    always_one=False,
    sums_forget=False,
):
    """Make the right backward, or a wrong turn.

    Args:
        adds: Whether a second gradient is added to the first.
        begin: The gradient to begin with, whatever was given.
        keeps: Whether the graph is kept, a function of the settings.
        graphs: Whether gradients have a graph, a function of the settings.
        everywhere: Whether tensors that are no leaves receive a grad, too.
        shares: Whether gradients that came from a sum share their memory.
        stays: Whether ops are remembered or not afterwards as they were during the walk; "raised" for after exceptions only.
        root: Whether a root that is a leaf receives a gradient.
        always_one: Whether a tensor of several entries begins with ones instead of raising.
        sums_forget: Whether a gradient that was added to another has no graph.
    """
    keeps = keeps or (lambda s: s["create_graph"] if s["retain_graph"] is None else s["retain_graph"])
    graphs = graphs or (lambda s: s["create_graph"])

    def turn(graph, calls):
        kinds, values = {node[0]: node[1] for node in graph}, values_of(graph)
        grad, seen, freed, shared = dict.fromkeys(kinds), {}, set(), []
        for number, (name, settings) in enumerate(calls, 1):
            recording = graphs(settings) if stays is True else True
            names = reached(graph, [name])
            interrupted = any(kinds[one] == "interrupted" for one in names)
            if freed & set(names) or settings["gradient"] is None and values[name].size > 1 and not always_one or interrupted:
                recording = graphs(settings) if stays else True
                raised = "KeyboardInterrupt" if interrupted else "RuntimeError"
                seen |= after_call(number, raised, dict(grad), [], shared, recording)
                continue
            start = np.ones(values[name].shape) if settings["gradient"] is None or begin is not None else settings["gradient"]
            arrived = passed_back(graph, {name: start})
            arrived = {
                one: arrived[one]
                for one in kinds
                if one in arrived and (everywhere or kinds[one] == "leaf") and (root or one != name)
            }
            # Of the parts, those that came back through the square depend on an input, and so have a graph.
            curved = {"x", "w", "s"} if "q" in names else set()
            curved -= {one for one in curved if sums_forget and grad[one] is not None}
            asked = [one for one in arrived if grad[one] is None or settings["create_graph"]]
            grad |= {one: grad[one] + part if adds and grad[one] is not None else part for one, part in arrived.items()}
            freed |= set() if keeps(settings) else set(names)
            shared = ["x and w"] if shares and "s" in names and "q" not in names else []
            seen |= after_call(
                number, "nothing", dict(grad), [one for one in asked if one in curved and graphs(settings)], shared, recording
            )
        return seen

    return turn


oracle_backward = backward_turn()
misconceptions_backward = {
    "a second backward() replaces the gradients: it adds to them": backward_turn(adds=False),
    "the gradient that was given is ignored: it began with ones": backward_turn(begin=1.0),
    "a leaf that backward was called on got no gradient: it is one of the leaves": backward_turn(root=False),
    "a tensor of several entries began with ones; without a gradient it is to raise RuntimeError (first_gradient)": backward_turn(
        always_one=True
    ),
    "retain_graph is ignored: the graph is always freed": backward_turn(keeps=lambda s: False),
    "the graph is never freed": backward_turn(keeps=lambda s: True),
    "retain_graph=None frees the graph also with create_graph: then it stays": backward_turn(
        keeps=lambda s: bool(s["retain_graph"])
    ),
    "with create_graph the graph stays even where retain_graph=False asks for it to be freed": backward_turn(
        keeps=lambda s: bool(s["create_graph"] or s["retain_graph"])
    ),
    "retain_graph is ignored: the graph is kept where create_graph is on, and freed otherwise": backward_turn(
        keeps=lambda s: s["create_graph"]
    ),
    "retain_graph is turned around": backward_turn(
        keeps=lambda s: not (s["create_graph"] if s["retain_graph"] is None else s["retain_graph"])
    ),
    "the ops of the walk are always remembered: the gradients carry a graph that nobody asked for": backward_turn(
        graphs=lambda s: True
    ),
    "create_graph is ignored: the ops of the walk are not remembered": backward_turn(graphs=lambda s: False),
    "create_graph is turned around: the ops of the walk are remembered where they should not be": backward_turn(
        graphs=lambda s: not s["create_graph"]
    ),
    "the sum of two gradients does not remember where it came from: with create_graph it is an op of the walk, too": backward_turn(
        sums_forget=True
    ),
    "tensors that are no leaves received a grad, too": backward_turn(everywhere=True),
    "two leaves hold the same memory: who changes one gradient changes the other (unshared)": backward_turn(shares=True),
    "ops are remembered, or not, after the walk as they were during it": backward_turn(stays=True),
    "after an exception ops are remembered, or not, as during the walk: `with recording(...)` puts the switch back": backward_turn(
        stays="raised"
    ),
}
