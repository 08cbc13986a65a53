"""The check of 05.8 topological_order."""

from .graphs import TooOften, Visits, build, ladder, passed_back, reached, reused, signed, sums, tangle, told, wanting, weights


def draw_topological_order(rng):
    """Reused tensors, constants, several roots, a leaf, an op without a rule, a long chain, and a ladder of many paths."""
    z, a = ["z", "mix", ["f"], weights(rng, 1)], ["a", "mix", ["x", "k"], weights(rng, 2)]
    any_graph = tangle(rng)
    for graph, roots, deep in [
        (reused(rng), ["y"], 0),
        (ladder(rng), ["e"], 0),
        (any_graph, [any_graph[-1][0]], 0),
        ([*reused(rng), z], ["e", "z", "y"], 0),
        (signed(rng), ["y"], 0),
        (reused(rng)[:1], ["x"], 0),
        ([*reused(rng)[:2], a], ["a"], int(rng.integers(1500, 2500))),
        (sums(rng), ["y40"], 0),
    ]:
        yield dict(graph=graph, roots=roots, deep=deep)


def describe_topological_order(graph, roots, deep):
    call = f"topological_order({', '.join(roots)})"
    if len(graph) > 20:
        return f"{call} of a ladder of sums:\nx requires grad\ny1 = x + x\ny2 = y1 + y1\n... up to y40", ""
    if deep:
        return f"topological_order of the last tensor, where\n{told(graph)}\nand {deep} more are made, each of the one before", ""
    return f"{call}, where\n{told(graph)}", ""


def deepened(graph, deep):
    """Add a chain of tensors to the last one of a graph."""
    chain = [graph[-1][0], *(f"chain {i}" for i in range(deep))]
    return [*graph, *([name, "mix", [before], [1.0]] for before, name in zip(chain, chain[1:]))]


def observe_topological_order(module, graph, roots, deep):
    graph = deepened(graph, deep)
    visits = Visits(50 * len(graph) ** 2)
    tensors = build(module, graph, visits)
    names = {id(tensor): name for name, tensor in tensors.items()}
    try:
        result = module.topological_order(*(tensors[root] for root in ([graph[-1][0]] if deep else roots)))
    except TooOften:
        return summary(graph, [], OFTEN)
    if not isinstance(result, list):
        return {
            **dict.fromkeys(summary(graph, [])),
            "returned": f"a {type(result).__name__}" if result is not None else "nothing",
        }
    return summary(graph, [names.get(id(tensor), "another tensor") for tensor in result])


FEW, OFTEN = "a few times", "again for every path that leads to it: twice as often with every tensor that is used twice"


def summary(graph, listed, visits=FEW):
    """Write down what an order lists, each name as often as it stands there, and which tensors are before what they need."""
    kinds, places = {node[0]: node[1] for node in graph}, {}
    for place, name in enumerate(listed):
        places.setdefault(name, place)
    early = [
        f"{name} before {one}"
        for name, _, inputs, _ in graph
        for one in dict.fromkeys(inputs)
        if name in places and one in places and kinds[one] not in ("leaf", "constant") and places[one] > places[name]
    ]
    chain = [name for name in listed if name.startswith("chain")]
    own = sorted(name for name in listed if not name.startswith("chain"))
    return {
        "returned": "a list",
        "each tensor is visited": visits,
        "tensors in the list": own,
        "of the chain": f"{len(chain)}" if len(set(chain)) == len(chain) else "some of them twice",
        "in the wrong order": [*early[:5], *(["..."] if len(early) > 5 else [])],
    }


def oracle_topological_order(graph, roots, deep):
    graph = deepened(graph, deep)
    return summary(graph, reached(graph, [graph[-1][0]] if deep else roots)[::-1])


def order_turn(visit, often=False, chain=None, ends=("sign",)):
    """Make a wrong turn.

    Args:
        visit: Function of the inputs to visit of each name, of the roots and of the kinds that gives the order.
        often: Whether it visits a tensor again for every path.
        chain: What comes of a long chain; by default what is right.
        ends: Kinds of tensors behind which it looks for nothing.
    """

    def wrong(graph, roots, deep):
        if deep:
            return chain or oracle_topological_order(graph=graph, roots=roots, deep=deep)
        if often and len(graph) > 20:
            return summary(graph, [], OFTEN)
        kinds, wanted = {node[0]: node[1] for node in graph}, wanting(graph)
        below = {name: [one for one in inputs if one in wanted and kind not in ends] for name, kind, inputs, _ in graph}
        return summary(graph, [name for name in visit(below, roots, kinds) if kinds[name] != "leaf"])

    return wrong


def preorder(below, roots, kinds):
    """A search in depth that lists a tensor when it meets it; turned around at the end."""
    order, stack = [], list(reversed(roots))
    while stack:
        name = stack.pop()
        if name not in order:
            order.append(name)
            stack += reversed(below[name])
    return order[::-1]


def preorder_last(below, roots, kinds):
    """The same, from the last root and the last input."""
    order, stack = [], list(roots)
    while stack:
        name = stack.pop()
        if name not in order:
            order.append(name)
            stack += below[name]
    return order[::-1]


def breadth(below, roots, kinds):
    """A search in breadth, turned around."""
    order = list(dict.fromkeys(roots))
    for name in order:
        order += [one for one in dict.fromkeys(below[name]) if one not in order]
    return order[::-1]


def depth_first(below, roots, kinds, once=True):
    """The right order, or one that lists a tensor for every use."""
    order = []

    def visit(name):
        if not once or name not in order:
            for one in below[name]:
                visit(one)
            order.append(name)

    for root in roots:
        visit(root)
    return order


def marked_early(below, roots, kinds):
    """Mark a tensor when it goes on the stack: it may be listed from a place that is too late for others."""
    order, stack, seen = [], [(root, False) for root in roots], set(roots)
    while stack:
        name, done = stack.pop()
        if done:
            order.append(name)
            continue
        stack.append((name, True))
        for one in below[name]:
            if one not in seen:
                seen.add(one)
                stack.append((one, False))
    return order


def with_leaves(graph, roots, deep):
    expected, whole = oracle_topological_order(graph=graph, roots=roots, deep=deep), deepened(graph, deep)
    kinds = {node[0]: node[1] for node in whole}
    leaves = [
        name for name in passed_back(whole, {root: 1.0 for root in ([whole[-1][0]] if deep else roots)}) if kinds[name] == "leaf"
    ]
    return {**expected, "tensors in the list": sorted([*expected["tensors in the list"], *leaves])}


def fails(several, chain, often=False):
    """Make a turn that raises: with several tensors, and for a long chain."""

    def turn(graph, roots, deep):
        kind = chain if deep else several if len(reached(graph, roots)) > 1 else None
        if often and len(graph) > 20:
            return summary(graph, [], OFTEN)
        return ("raises", kind) if kind else oracle_topological_order(graph=graph, roots=roots, deep=deep)

    return turn


def turned_around(graph, roots, deep):
    graph = deepened(graph, deep)
    return summary(graph, reached(graph, [graph[-1][0]] if deep else roots))


def changed(**entries):
    """Make a turn that differs in some entries."""
    return lambda **inputs: {
        **oracle_topological_order(**inputs),
        **{name.replace("_", " "): value for name, value in entries.items()},
    }


def without_ends(graph, roots, deep):
    """Leave out what has no inputs to visit, though an op made it."""
    expected = oracle_topological_order(graph=graph, roots=roots, deep=deep)
    return {**expected, "tensors in the list": [name for name in expected["tensors in the list"] if name != "s"]}


def without_roots(graph, roots, deep):
    if deep:
        expected = oracle_topological_order(graph=graph, roots=roots, deep=deep)
        return {**expected, "of the chain": f"{deep - 1}"}
    return summary(graph, [name for name in reached(graph, roots)[::-1] if name not in roots])


misconceptions_topological_order = {
    "a tensor was listed when it was met, not once all of its inputs were": order_turn(preorder),
    "a tensor was listed when it was met, not once all of its inputs were, from the last root on": order_turn(preorder_last),
    "ordered by the distance from the root: a tensor that is also used further down comes too early": order_turn(breadth),
    "a tensor was marked when it went on the stack; mark it when it comes off, or what needs it may be listed first": order_turn(
        marked_early
    ),
    "listed once for every use: a tensor that was met before is not listed again": order_turn(
        lambda below, roots, kinds: depth_first(below, roots, kinds, once=False), often=True
    ),
    "listed once for every use, and by a function that calls itself: Python stops at a thousand levels": order_turn(
        lambda below, roots, kinds: depth_first(below, roots, kinds, once=False), often=True, chain=("raises", "RecursionError")
    ),
    "tensors were visited once for every path that leads to them: that takes twice as long with every tensor that is used twice": order_turn(
        depth_first, often=True
    ),
    "tensors were visited once for every path that leads to them, by a function that calls itself: Python stops at a thousand levels": order_turn(
        depth_first, often=True, chain=("raises", "RecursionError")
    ),
    "turned around: a tensor comes after what it is computed from, the root last": turned_around,
    "leaves are listed too": with_leaves,
    "tensors behind an op without a gradient rule are listed too: follow what wanted_inputs lists": order_turn(depth_first, ends=()),
    "a tensor that an op made was taken for a leaf because its op passes no gradient on: a leaf is what no op has made": without_ends,
    "the roots are missing: they pass a gradient on, too": without_roots,
    "only the first input of each tensor was followed": order_turn(
        lambda below, roots, kinds: depth_first({name: some[:1] for name, some in below.items()}, roots, kinds)
    ),
    "only the last input of each tensor was followed": order_turn(
        lambda below, roots, kinds: depth_first({name: some[-1:] for name, some in below.items()}, roots, kinds)
    ),
    "only the first root was followed": order_turn(lambda below, roots, kinds: depth_first(below, roots[:1], kinds)),
    "nothing was returned: it is the list": lambda **inputs: {
        **dict.fromkeys(oracle_topological_order(**inputs)),
        "returned": "nothing",
    },
    "the function calls itself for every input: Python stops at a thousand levels": fails(None, "RecursionError"),
    "`in` asks a list with ==, which compares entries: ask a set whether it holds a tensor": fails(
        "RuntimeError", "RuntimeError"
    ),
    "`in` asks a list with ==, which compares entries: ask a set; and a function that calls itself stops at a thousand levels": fails(
        "RuntimeError", "RecursionError"
    ),
}
