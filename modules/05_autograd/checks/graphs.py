"""Graphs, for 05.8, 05.9 and 05.11.

They cannot be sent to the process that runs learner code, so they are sent as lists: each tensor's name, its kind, the names of what
it is computed from and their weights. `build` makes tensors of them there, of ops of its own, so that one exercise does not depend on
the rules that another asks for; `values_of` and `passed_back` compute with them in float64.
"""

import numpy as np

from .shared import normal


def build(module, graph, visits=None):
    """Make tensors of a graph that was sent as a list.

    Args:
        module: The learner's module.
        graph: List of [name, kind, inputs, more]. A "leaf" or "constant" has an array as more; a "mix" is the sum of its
            inputs times the numbers in more; "add", "square", "total", "sign" and "interrupted" are what they say.
        visits: Counter of how often a rule is asked for.

    Returns:
        Dict from name to tensor, in the order of the list.
    """
    kinds, tensors = make_ops(module, visits), {}
    for name, kind, inputs, more in graph:
        if kind in ("leaf", "constant"):
            tensors[name] = module.Tensor(np.array(more), requires_grad=kind == "leaf")
        else:
            settings = {"weights": tuple(more)} if kind == "mix" else {}
            tensors[name] = kinds[kind](*[tensors[one] for one in inputs], **settings)
    return tensors


class TooOften(Exception):
    """Tensors are visited so often that there is no end in sight."""


class Visits:
    """How often the tensors of a graph are visited, and how often is too often."""

    def __init__(self, most):
        self.count, self.most = 0, most

    def add(self):
        """Count one, and stop where there is no end in sight."""
        self.count += 1
        if self.count > self.most:
            raise TooOften


def make_ops(module, visits=None):
    """Make ops whose rules use nothing that the learner writes in this module, but the product of module 01."""
    times = module.mul

    class Op(type(module.add)):
        def rule(self, argument):
            if visits:
                visits.add()
            return super().rule(argument)

    def mix(*arrays, weights):
        return sum(np.float32(weight) * array for weight, array in zip(weights, arrays))

    def interrupt(grad, out, a):
        raise KeyboardInterrupt("on purpose")

    ops = {
        "mix": Op(mix),
        "square": Op(lambda a: a * a),
        "total": Op(lambda a: np.asarray(a.sum())),
        "add": Op(lambda a, b: a + b),
        "sign": Op(lambda a: np.sign(a)),
        "interrupted": Op(lambda a: a + 0),
    }
    ops["mix"].register_vjp(each=lambda grad, out, *inputs, weights, argument: times(grad, weights[argument]))
    ops["square"].register_vjp(lambda grad, out, a: times(times(grad, a), 2.0))
    ops["total"].register_vjp(lambda grad, out, a: times(grad, module.Tensor(np.ones(a.shape, a.dtype))))
    ops["add"].register_vjp(lambda grad, out, a, b: grad, lambda grad, out, a, b: grad)
    ops["sign"].register_vjp(None)
    ops["interrupted"].register_vjp(interrupt)
    return ops


def values_of(graph):
    """Compute every tensor of a graph, in float64."""
    values = {}
    for name, kind, inputs, more in graph:
        arrays = [values[one] for one in inputs]
        values[name] = {
            "leaf": lambda: np.array(more, np.float64),
            "constant": lambda: np.array(more, np.float64),
            "mix": lambda: sum(weight * array for weight, array in zip(more, arrays)),
            "square": lambda: arrays[0] ** 2,
            "total": lambda: arrays[0].sum(),
            "sign": lambda: np.sign(arrays[0]),
            "interrupted": lambda: arrays[0],
            "add": lambda: arrays[0] + arrays[1],
        }[kind]()
    return values


def wanting(graph):
    """Return the names of the tensors that a gradient may flow to."""
    names = set()
    for name, kind, inputs, _ in graph:
        if kind == "leaf" or names & set(inputs):
            names.add(name)
    return names


def parts(node, grad, values):
    """List what one tensor hands on: a name and a gradient for each of its inputs."""
    _, kind, inputs, more = node
    slopes = {
        "mix": lambda i: more[i],
        "square": lambda i: 2 * values[inputs[0]],
        "total": lambda i: np.ones(values[inputs[0]].shape),
        "add": lambda i: 1.0,
    }
    return [(one, grad * slopes[kind](i)) for i, one in enumerate(inputs)] if kind in slopes else []


def passed_back(graph, start, join=lambda before, part: before + part, order=None):
    """Walk back through a graph, in float64.

    Args:
        graph: The graph.
        start: Dict from name to the gradient to begin with.
        join: Function of the gradient that is there and the one that arrives.
        order: Names in the order in which they pass on what they have; by default the last made first.

    Returns:
        Dict from the name of every tensor that was reached to the gradient that it had when it passed it on.
    """
    nodes, values, wanted = {node[0]: node for node in graph}, values_of(graph), wanting(graph)
    gradients = {name: np.asarray(grad, np.float64) for name, grad in start.items()}
    for name in [node[0] for node in reversed(graph)] if order is None else order:
        if name in gradients and nodes[name][1] not in ("leaf", "constant"):
            for one, part in parts(nodes[name], gradients[name], values):
                if one in wanted:
                    gradients[one] = join(gradients[one], part) if one in gradients else part
    return gradients


def reached(graph, roots):
    """List the names of the tensors that ops have made and a walk from the roots reaches, the last made first."""
    kinds = {node[0]: node[1] for node in graph}
    names = passed_back(graph, {root: 1.0 for root in roots})
    return [node[0] for node in reversed(graph) if node[0] in names and kinds[node[0]] not in ("leaf", "constant")]


def told(graph):
    """Write a graph as the lines that make it."""
    leaves = [
        f"{', '.join(names)} {one if len(names) == 1 else more}"
        for names, one, more in (
            ([node[0] for node in graph if node[1] == "leaf"], "requires grad", "require grad"),
            ([node[0] for node in graph if node[1] == "constant"], "does not", "do not"),
        )
        if names
    ]
    return "\n".join(
        ["; ".join(leaves), *(f"{name} = {formula(kind, inputs, more)}" for name, kind, inputs, more in graph if inputs)]
    )


def vector(array):
    """Write a vector in few digits."""
    return f"[{', '.join(f'{x:.4g}' for x in array)}]" if np.ndim(array) else f"{array:.4g}"


def formula(kind, inputs, more):
    """Write what a tensor is computed from."""
    if kind == "mix":
        terms = "".join(f" {'-' if weight < 0 else '+'} {abs(weight):g} * {one}" for weight, one in zip(more, inputs))
        return terms[3:] if more[0] > 0 else f"-{terms[3:]}"
    return {
        "add": " + ".join(inputs),
        "square": f"{inputs[0]} * {inputs[0]}",
        "total": f"{inputs[0]}.sum()",
        "sign": f"sign({inputs[0]})",
        "interrupted": f"an op of {inputs[0]} during whose rule somebody presses Ctrl-C",
    }[kind]


def weights(rng, count):
    return [float(weight) for weight in rng.choice([-3, -2, -1, 1, 2, 3], count) + rng.choice([0.0, 0.5], count)]


def reused(rng):
    """Draw a graph in which `e` is used twice and each tensor but a leaf needs the one before it: one order is right."""
    n = int(rng.integers(2, 4))
    return [
        ["x", "leaf", [], normal(rng, n)],
        ["k", "constant", [], normal(rng, n)],
        ["w", "leaf", [], normal(rng, n)],
        ["e", "mix", ["x", "k", "w"], weights(rng, 3)],
        ["f", "mix", ["e", "x"], weights(rng, 2)],
        ["y", "mix", ["e", "f"], weights(rng, 2)],
    ]


def ladder(rng):
    """Draw a graph in which every tensor is used by the next one and by the one after that."""
    graph = [["x", "leaf", [], normal(rng, 3)], ["a", "mix", ["x", "x"], weights(rng, 2)]]
    for name, before, above in [("b", "a", "x"), ("c", "b", "a"), ("d", "c", "b"), ("e", "d", "c")]:
        graph.append([name, "mix", [above, before], weights(rng, 2)])
    return graph


def tangle(rng):
    """Draw a graph whose tensors are computed from any that came before, each with the one made last among its inputs."""
    graph = [["x", "leaf", [], normal(rng, 2)], ["w", "leaf", [], normal(rng, 2)], ["k", "constant", [], normal(rng, 2)]]
    for name in "abcdefgh"[: int(rng.integers(5, 9))]:
        others = [graph[int(i)][0] for i in rng.integers(0, len(graph), int(rng.integers(1, 3)))]
        inputs = [*others, graph[-1][0] if graph[-1][1] == "mix" else "x"]
        inputs = [inputs[int(i)] for i in rng.permutation(len(inputs))]
        graph.append([name, "mix", inputs, weights(rng, len(inputs))])
    return graph


def signed(rng):
    """Draw a graph with a tensor that an op has made which has no gradient to pass on, to one that an op has made, too."""
    x, m = ["x", "leaf", [], normal(rng, 2)], ["m", "mix", ["x"], weights(rng, 1)]
    return [x, m, ["s", "sign", ["m"], None], ["y", "mix", ["s", "x"], weights(rng, 2)]]


def sums(rng, count=40):
    """Draw a ladder: each tensor is the sum of the one before and itself, so that paths double at each."""
    names = ["x", *(f"y{i}" for i in range(1, count + 1))]
    return [["x", "leaf", [], normal(rng, 2)], *([name, "add", [before, before], None] for before, name in zip(names, names[1:]))]
