"""The check of 05.9 walk."""

from functools import partial

import numpy as np

from .graphs import build, ladder, parts, passed_back, reached, reused, signed, sums, tangle, told, values_of, vector, wanting, weights
from .shared import normal
from .topological_order import preorder, preorder_last


def draw_walk(rng):
    """Reused tensors, one input twice, roots above others and apart, kept and freed graphs, watched and shared gradients."""
    any_graph = tangle(rng)
    shared = [
        ["x", "leaf", [], normal(rng, 2)],
        ["w", "leaf", [], normal(rng, 2)],
        ["s", "add", ["x", "w"], None],
        ["t", "mix", ["s", "x"], weights(rng, 2)],
        ["y", "add", ["s", "t"], None],
    ]
    apart = [
        ["x", "leaf", [], normal(rng, 2)],
        ["w", "leaf", [], normal(rng, 2)],
        ["p", "mix", ["x"], weights(rng, 1)],
        ["q", "mix", ["w"], weights(rng, 1)],
    ]
    for graph, roots, keep_graph, watched, remembered in [
        (reused(rng), "y", False, [], False),
        (ladder(rng), "e", False, [], False),
        (reused(rng), "y", True, ["e"], False),
        (reused(rng), "yf", False, ["y", "f"], False),
        (reused(rng), rng.choice(["yx", "xy"]), False, [], False),
        (reused(rng)[:1], "x", False, [], False),
        (signed(rng), "y", False, ["s"], True),
        (any_graph, any_graph[-1][0], False, [any_graph[4][0]], True),
        (shared, "y", False, ["t", "y"], False),
        (shared, "y", True, [], True),
        (apart, "pq", False, [], False),
        (apart, rng.choice(["pq", "qp"]), False, ["p"], True),
    ]:
        start = {root: normal(rng, len(graph[0][3])) for root in roots}
        yield dict(graph=graph, start=start, keep_graph=keep_graph, watched=watched, remembered=remembered)


def describe_walk(graph, start, keep_graph, watched, remembered):
    names = ", ".join(f"{name}: {'g' if len(start) == 1 else f'g_{name}'}" for name in start)
    more = "\nand gradients require grad: the walk is remembered, as create_graph=True asks" if remembered else ""
    watch = f"{{{', '.join(watched)}}}" if watched else "()"
    return (
        f"walk({{{names}}}, keep_graph={keep_graph}, watched={watch}), where\n{told(graph)}{more}",
        "; ".join(f"{'g' if len(start) == 1 else f'g_{name}'} = {vector(grad)}" for name, grad in start.items()),
    )


WALKED = (
    "tensors left in the dict",
    "gradients",
    "gradients that remember where they came from",
    "tensors freed",
    "tensors cut off from their op",
    "gradients that were given, afterwards",
)


def observe_walk(module, graph, start, keep_graph, watched, remembered):
    tensors = build(module, graph)
    begin = {name: module.Tensor(grad.copy(), requires_grad=remembered) for name, grad in start.items()}
    gradients = {tensors[name]: grad for name, grad in begin.items()}
    module.walk(gradients, keep_graph, {tensors[name] for name in watched})
    names = {id(tensor): name for name, tensor in tensors.items()}
    left = {names.get(id(tensor), "another tensor"): grad for tensor, grad in gradients.items()}
    freed = [name for name, tensor in tensors.items() if tensor.origin is not None and tensor.origin.inputs is None]
    return dict(
        zip(
            WALKED,
            (
                sorted(left),
                {f"of {name}": np.array(left[name].data) for name in sorted(left)},
                sorted(name for name, grad in left.items() if grad.requires_grad),
                freed,
                [name for name, kind, inputs, _ in graph if inputs and tensors[name].origin is None],
                {f"of {name}": np.array(grad.data) for name, grad in begin.items()},
            ),
        )
    )


def left_over(graph, start, keep_graph, watched, remembered, gradients=None, freed=None, extra=(), graphs=True, given=None):
    """What a walk leaves: the gradients of leaves and of what is watched, and a freed graph."""
    gradients = passed_back(graph, start) if gradients is None else gradients
    leaves = [node[0] for node in graph if node[1] == "leaf"]
    freed = reached(graph, start)[::-1] if freed is None and not keep_graph else freed or []
    left = {name: grad for name, grad in sorted(gradients.items()) if name in (*leaves, *watched, *extra)}
    first = {name: np.asarray(grad, np.float64) for name, grad in (given or start).items()}
    return dict(
        zip(
            WALKED,
            (
                list(left),
                {f"of {name}": grad for name, grad in left.items()},
                list(left) if remembered and graphs else [],
                freed,
                [],
                {f"of {name}": grad for name, grad in first.items()},
            ),
        )
    )


oracle_walk = left_over


def join_turn(join):
    """Make a wrong turn of what becomes of a second gradient."""
    return lambda graph, start, **more: left_over(graph, start, **more, gradients=passed_back(graph, start, join))


def walked_by(order_of):
    """Make a wrong turn that passes gradients on in another order: what arrives later stays where it is."""

    def turn(graph, start, keep_graph, watched, remembered):
        below = {node[0]: [one for one in node[2] if one in wanting(graph) and node[1] != "sign"] for node in graph}
        nodes, values, gradients, done = {node[0]: node for node in graph}, values_of(graph), dict(start), {}
        for name in order_of(below, list(start)):
            if nodes[name][1] == "leaf":
                continue
            grad = done[name] = gradients.pop(name)
            for one, part in parts(nodes[name], grad, values):
                if one in wanting(graph):
                    gradients[one] = gradients[one] + part if one in gradients else part
        kept = {name: done[name] for name in watched if name in done}
        return left_over(graph, start, keep_graph, watched, remembered, gradients={**kept, **gradients}, extra=gradients)

    return turn


def met_first(below, roots):
    return preorder(below, roots, None)[::-1]


def met_last(below, roots):
    return preorder_last(below, roots, None)[::-1]


def from_one_root(place):
    """Make a turn that walks from one of the roots."""

    def turn(graph, start, keep_graph, watched, remembered):
        names = reached(graph, [list(start)[place]])
        gradients = passed_back(graph, start, order=names)
        freed = [] if keep_graph else names[::-1]
        others = [name for name in start if name not in names]
        return left_over(graph, start, keep_graph, watched, remembered, gradients=gradients, freed=freed, extra=others)

    return turn


def each_apart(graph, start, keep_graph, watched, remembered):
    """Walk from one root after the other."""
    names = [name for root in start for name in reached(graph, [root])]
    if len(names) > len(set(names)) and not keep_graph:
        return "raises", "RuntimeError"
    return left_over(graph, start, keep_graph, watched, remembered)


def summed_in_place(graph, start, keep_graph, watched, remembered, through_data=False):
    """Add to the gradient that is there, in place, though others hold it, too."""
    if remembered and not through_data:
        return "raises", "RuntimeError"
    nodes, values = {node[0]: node for node in graph}, values_of(graph)
    given = {name: np.array(grad, np.float64) for name, grad in start.items()}
    gradients = dict(given)
    for name in reached(graph, start):
        grad = gradients[name]
        for one, part in parts(nodes[name], grad, values):
            part = grad if nodes[name][1] == "add" else part
            if one in gradients:
                gradients[one] += part
            elif one in wanting(graph):
                gradients[one] = part
    return left_over(graph, start, keep_graph, watched, remembered, gradients=gradients, given=given)


def copied_and_summed(graph, start, keep_graph, watched, remembered):
    """The same, after a copy of those given."""
    expected = summed_in_place(graph, start, keep_graph, watched, remembered)
    return (
        {**expected, WALKED[-1]: {f"of {name}": np.array(grad, np.float64) for name, grad in start.items()}}
        if isinstance(expected, dict)
        else expected
    )


def passed_on_for_every_use(graph, start, keep_graph, watched, remembered):
    """Follow a list of what is still to do, in which a tensor stands once for every use."""
    nodes, values, gradients, freed, todo = {node[0]: node for node in graph}, values_of(graph), dict(start), [], list(start)
    while todo:
        name = todo.pop()
        if nodes[name][1] in ("leaf", "constant"):
            continue
        if name not in gradients or name in freed:
            return "raises", "TypeError" if name in gradients else "KeyError"
        grad = gradients[name] if name in watched else gradients.pop(name)
        for one, part in parts(nodes[name], grad, values):
            if one in wanting(graph):
                gradients[one] = gradients[one] + part if one in gradients else part
                todo.append(one)
        freed += [] if keep_graph else [name]
    return left_over(graph, start, keep_graph, watched, remembered, gradients=gradients, extra=gradients)


def not_the_watched(**inputs):
    freed = [name for name in reached(inputs["graph"], inputs["start"])[::-1] if name not in inputs["watched"]]
    return left_over(**inputs, freed=[] if inputs["keep_graph"] else freed)


def untouched(**inputs):
    """Walk on a copy of the dict."""
    expected, start = left_over(**inputs), {name: np.asarray(grad, np.float64) for name, grad in inputs["start"].items()}
    return {
        **expected,
        "tensors left in the dict": sorted(start),
        "gradients": {f"of {name}": start[name] for name in sorted(start)},
        "gradients that remember where they came from": sorted(start) if inputs["remembered"] else [],
    }


def watched_only(**inputs):
    """Take out leaves as well."""
    gradients = passed_back(inputs["graph"], inputs["start"])
    return left_over(**inputs, gradients={name: gradients[name] for name in inputs["watched"] if name in gradients})


misconceptions_walk = {
    "a gradient that arrives replaces the one that is there: what comes from several places adds up": join_turn(
        lambda before, part: part
    ),
    "the first gradient to arrive stays, and later ones are lost: what comes from several places adds up": join_turn(
        lambda before, part: before
    ),
    "the gradients that arrive were averaged; what comes from several places adds up": join_turn(
        lambda before, part: (before + part) / 2
    ),
    "the gradients that arrive were multiplied; what comes from several places adds up": join_turn(
        lambda before, part: before * part
    ),
    "a tensor was passed on before all parts of its gradient had arrived: go by topological_order, from its end": walked_by(
        met_first
    ),
    "a tensor was passed on before all parts of its gradient had arrived: go by topological_order, from its end, and not by a stack": walked_by(
        met_last
    ),
    "the sum was computed with bare arrays: it does not remember where it came from": lambda **inputs: {
        **left_over(**inputs),
        "gradients that remember where they came from": once_only(**inputs),
    },
    "all gradients are bare arrays, or detached: they do not remember where they came from": lambda **inputs: left_over(
        **inputs, graphs=False
    ),
    "+= writes into a gradient that others hold, too, and is refused where gradients are remembered; make a new sum": summed_in_place,
    "the array of a gradient was added to in place, and others hold it, too: make a new sum": partial(
        summed_in_place, through_data=True
    ),
    "a walk of its own for each tensor in the dict: where two of them meet, the second finds the graph freed": each_apart,
    "only one of the tensors in the dict was started at: gradients come back from all of them": (
        from_one_root(0),
        from_one_root(-1),
    ),
    "+= writes in place, which is refused where gradients are remembered; make a new sum": copied_and_summed,
    "the graph is never freed": lambda **inputs: left_over(**inputs, freed=[]),
    "the graph is freed although it is to be kept": lambda **inputs: left_over(
        **inputs, freed=reached(inputs["graph"], inputs["start"])[::-1]
    ),
    "the graph is freed when it is to be kept, and kept when it is to be freed": lambda **inputs: left_over(
        **inputs, freed=reached(inputs["graph"], inputs["start"])[::-1] if inputs["keep_graph"] else []
    ),
    "watched tensors were not freed: only their gradients stay": not_the_watched,
    "a tensor was freed before its inputs had received their gradients": lambda keep_graph, **inputs: (
        left_over(keep_graph=keep_graph, **inputs)
        if keep_graph or not reached(inputs["graph"], inputs["start"])
        else ("raises", "TypeError")
    ),
    "a tensor was passed on for every use, before all parts of its gradient had arrived: go by topological_order, from its end": passed_on_for_every_use,
    "walked from the front of topological_order: the gradients are at its end": lambda graph, start, **inputs: (
        ("raises", "KeyError") if set(reached(graph, start)[-1:]) - set(start) else left_over(graph, start, **inputs)
    ),
    "no gradient was taken out of the dict: only those of leaves and of watched tensors stay": lambda graph, start, **inputs: (
        left_over(graph, start, **inputs, extra=[node[0] for node in graph])
    ),
    "watched is ignored: those gradients were taken out of the dict": lambda watched, **inputs: left_over(watched=[], **inputs),
    "the gradients of leaves were taken out of the dict, too: they stay": watched_only,
    "the dict that was given did not change: gradients was bound to a copy": untouched,
}


def once_only(graph, start, **inputs):
    """Name the gradients that are no sums."""
    arrivals = {}
    for node in graph:
        if node[0] in reached(graph, start):
            for one in node[2] if node[1] != "sign" else []:
                arrivals[one] = arrivals.get(one, 0) + 1
    sums = {name for name in arrivals if arrivals[name] + (name in start) > 1}
    clean = {}
    for name, kind, inputs_of, _ in reversed(graph):
        above = [clean[node[0]] for node in graph if name in node[2] and node[0] in clean]
        clean[name] = name not in sums and (all(above) if above else True)
    left = left_over(graph, start, **inputs)
    return [name for name in left["gradients that remember where they came from"] if clean[name]]
