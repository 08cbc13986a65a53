"""Checks of module 03. NumPy only: nothing here runs the code that it judges, except `observe`.

Modules cannot be sent to the process that runs learner code, so what a tree is made of is sent as text.
"""

import math
from functools import partial

import numpy as np


def numbers(module, result):
    """Return a tensor's array; of anything else, what it is."""
    return np.array(result.data) if isinstance(result, module.Tensor) else f"{type(result).__name__}, not a Tensor"


def remembers(result, *sources):
    """Say whether a result remembers what it was computed from: in the origin of it, or of what it came from, is each source."""
    met, waiting = {}, [result]
    while waiting:
        tensor = waiting.pop()
        origin = getattr(tensor, "origin", None)
        waiting += origin.inputs if origin and id(tensor) not in met else ()
        met[id(tensor)] = tensor
    return all(id(source) in met for source in sources)


def drawn_by_default(module, draw):
    """Draw twice with the default generator in the same state, and say whether the numbers are the same."""
    default = module.generator().bit_generator
    before = default.state
    first = draw()
    default.state = before
    return bool(np.array_equal(first, draw()))


# 03.1 linear


def draw_linear(rng):
    """Batches of no to three axes, no bias, as many inputs as outputs, as many examples, one neuron, one input, features that do not fit."""
    k, n, b, c = rng.sizes(4)
    yield dict(x=rng.normal32(b, k), weight=rng.normal32(n, k), bias=rng.normal32(n))
    yield dict(x=rng.normal32(c, b, k), weight=rng.normal32(n, k), bias=rng.normal32(n))
    yield dict(x=rng.normal32(b, k), weight=rng.normal32(k, k), bias=rng.normal32(k))
    yield dict(x=rng.normal32(n, k), weight=rng.normal32(n, k), bias=rng.normal32(n))
    yield dict(x=rng.normal32(b, k), weight=rng.normal32(n, k))
    yield dict(x=rng.normal32(k), weight=rng.normal32(n, k), bias=rng.normal32(n))
    yield dict(x=rng.normal32(b, k), weight=rng.normal32(1, k), bias=rng.normal32(1))
    batch = rng.sizes(rng.size(0, 3))
    yield dict(x=rng.normal32(*batch, c), weight=rng.normal32(b, c), bias=rng.normal32(b))
    yield dict(x=rng.normal32(b, 1), weight=rng.normal32(n, 1), bias=rng.normal32(n))
    yield dict(x=rng.normal32(b, 1), weight=rng.normal32(n, c), bias=rng.normal32(n))
    features, needed = rng.pick((k, 2 * k), (2 * k, k))
    yield dict(x=rng.normal32(b, 2, features), weight=rng.normal32(n, needed), bias=rng.normal32(n))


def observe_linear(linear, **inputs):
    return linear.forward(**inputs)


def oracle_linear(x, weight, bias=None):
    if x.shape[-1] != weight.shape[-1]:
        return ("raises", "ValueError", str(x.shape))
    values = np.einsum("...k,jk->...j", x.astype(np.float64), weight.astype(np.float64))
    return values if bias is None else values + bias


def rows_of_one_batch(x, weight, bias=None, least=1):
    """Every axis before the last went into one, if there are as many axes."""
    expected = oracle_linear(x, weight, bias)
    return expected.reshape(-1, len(weight)) if isinstance(expected, np.ndarray) and x.ndim >= least else expected


def size_that_divides(x, weight, bias=None):
    """The numbers of x were cut into rows as long as those of the weight, wherever they can be."""
    rows = x.size / weight.shape[1] / math.prod(x.shape[:-1])
    if x.size % weight.shape[1]:
        return ("raises", "ValueError")
    cut = oracle_linear(x.reshape(-1, weight.shape[1]), weight, bias)
    return cut.reshape(*x.shape[:-1], -1) if rows >= 1 else ("raises", "ValueError")


misconceptions_linear = {
    "the numbers of x were cut into rows of another length: the size of its last axis has to be that of the weight's": size_that_divides,
    "the weight is not transposed: its rows are the neurons": lambda x, weight, bias=None: (
        x.astype(np.float64) @ weight + (0 if bias is None else bias)
    ),
    "the axes of the batch were joined into one, and did not come back: all axes but the last stay": (
        rows_of_one_batch,
        partial(rows_of_one_batch, least=2),
    ),
    "the bias is left out": lambda x, weight, bias=None: oracle_linear(x, weight),
    "the bias is a column, which lines up with the examples; it belongs to the outputs": lambda x, weight, bias=None: (
        oracle_linear(x, weight) if bias is None else oracle_linear(x, weight) + bias[:, None]
    ),
    "one example came back as a batch of one: np.atleast_2d, or x[None], adds an axis": lambda x, weight, bias=None: (
        oracle_linear(np.atleast_2d(x), weight, bias)
    ),
    "the bias is subtracted": lambda x, weight, bias=None: oracle_linear(x, weight, None if bias is None else -bias),
    "the bias is added also where there is none": lambda x, weight, bias=None: (
        ("raises", "TypeError") if bias is None else oracle_linear(x, weight, bias)
    ),
    "`if bias` asks a whole array whether it is true; `bias is None` asks whether there is one": lambda x, weight, bias=None: (
        oracle_linear(x, weight, bias) if bias is None or bias.size == 1 else ("raises", "ValueError", "truth value")
    ),
    "the error does not show the shape of x: `matmul.forward` shows it": lambda x, weight, bias=None: (
        oracle_linear(x, weight, bias) if x.shape[-1] == weight.shape[-1] else ("raises", "ValueError", "different from")
    ),
    "the error shows another shape than that of x: the batch was put into one axis before": lambda x, weight, bias=None: (
        oracle_linear(x.reshape(-1, x.shape[-1]) if x.ndim > 2 and x.shape[-1] != weight.shape[-1] else x, weight, bias)
    ),
}


# 03.2 Tree


def draw_Tree(rng):
    """Flat trees, branches in four levels and at random, twelve, what is no parameter, a list, a shared one, nothing, a prefix."""
    a, b, c, d, e, f = rng.mix(["weight", "bias", "scale", "gain", "alpha", "_zeta"])
    prefix = rng.pick("net", "model", "a.b")
    for tree, start in [
        (f"{a} = Parameter, {b} = Parameter", ""),
        (f"{a} = Parameter, net = Tree, net.{b} = Parameter, net.{c} = Parameter, {d} = Parameter", ""),
        (f"x = Tree, x.y = Tree, x.y.z = Tree, x.y.z.{e} = Parameter, x.y.z.{a} = Parameter, {c} = Parameter", ""),
        (f"name = text, {a} = Tensor, seen = Buffer, size = number, 0 = Tree, 0.{b} = Parameter, {c} = None, 0.{f} = Tensor", ""),
        (f"{c} = Parameter, more = list of Parameters, {a} = Parameter", ""),
        (f"rows = list of Trees, {d} = Parameter, last = Tree, last.{e} = Parameter, empty = Tree", ""),
        (f"{a} = Parameter, 0 = Tree, 0.{b} = Parameter, 0.{c} = shared, {d} = shared, {e} = Parameter", ""),
        (f"{a} = frozen Parameter, {d} = Parameter, 0 = Tree, 0.{b} = frozen Parameter", ""),
        (", ".join(f"{i} = Tree, {i}.{f} = Parameter" for i in range(12)), ""),
        (branches(rng, [a, b, c, d]), ""),
        (branches(rng, [c, e, f, b]), prefix),
        (f"{b} = Parameter, 0 = Tree, 0.1 = Tree, 0.1.{c} = Parameter, 0.{a} = Parameter", prefix),
        ("empty = Tree", prefix),
    ]:
        yield dict(tree=tree, prefix=start)


def branches(rng, names, path="", depth=3):
    """Draw a tree in which parameters and branches take turns."""
    parts = []
    for name in rng.mix(names):
        if depth and rng.random() < 0.5:
            parts += [f"{path}{name} = Tree", branches(rng, names[:2], f"{path}{name}.", depth - 1)]
        else:
            parts.append(f"{path}{name} = Parameter")
    return ", ".join(parts)


def describe_Tree(tree, prefix):
    made = {
        "Parameter": "Parameter(...)",
        "Tensor": "Tensor(...)",
        "Buffer": "Buffer(...)",
        "Tree": "Tree()",
        "number": "3.5",
        "text": "'text'",
        "frozen Parameter": "Parameter(...), with requires_grad = False",
        "list of Trees": "[Tree(), Tree()]",
        "list of Parameters": "[Parameter(...)]",
        "shared": f"net.{assignments(tree)[0][0]}",
        "None": "None",
    }
    lines = [f"net.{path} = {made[kind]}" for path, kind in assignments(tree)]
    return "\n".join([*lines, f"net.named_parameters(prefix={prefix!r})" if prefix else "net.named_parameters()"])


def assignments(tree):
    """List what a text says: (path, kind), in order."""
    return [tuple(part.split(" = ")) for part in tree.split(", ")]


def build(module, tree):
    """Make a tree; the parameter assigned as the n-th thing holds the number n."""
    root = module.Tree()
    for number, (path, kind) in enumerate(assignments(tree)):
        *way, name = path.split(".")
        node = root
        for step in way:
            node = getattr(node, step)
        inner, frozen = module.Tree(), module.Parameter([float(number)])
        inner.weight = module.Parameter([0.5])
        frozen.requires_grad = False
        setattr(
            node,
            name,
            {
                "Parameter": module.Parameter([float(number)]),
                "Tensor": module.Tensor([0.5]),
                "Buffer": module.Buffer([0.5]),
                "text": "text",
                "Tree": module.Tree(),
                "number": 3.5,
                "None": None,
                "list of Trees": [inner, inner],
                "list of Parameters": [module.Parameter([0.5])],
                "frozen Parameter": frozen,
                "shared": vars(root).get(assignments(tree)[0][0]),
            }[kind],
        )
    return root


def observe_Tree(module, tree, prefix):
    """The paths in order, and which parameter each of them names: the n-th attribute holds the number n."""
    root, settings = build(module, tree), {"prefix": prefix} if prefix else {}
    result = root.named_parameters(**settings)
    if hasattr(result, "__iter__") and iter(result) is not result:
        return f"a {type(result).__name__} is returned, where an iterator is needed: with `yield` the method gives one"
    pairs = list(result)
    odd = [pair for pair in pairs if not isinstance(pair, tuple) or len(pair) != 2]
    if odd:
        return f"it yields a {type(odd[0]).__name__} where a pair (path, parameter) is needed"
    again = list(root.named_parameters(**settings))
    same = len(again) == len(pairs) and all(p == q and x is y for (p, x), (q, y) in zip(again, pairs))
    return {
        "paths": [path for path, _ in pairs],
        "parameters": [value.data.item() if isinstance(value, module.Tensor) else type(value).__name__ for _, value in pairs],
        "a second call": "gives the same" if same else "gives others",
    }


OF_A_TREE = "Parameter", "frozen Parameter", "shared"


def walk(tree, prefix="", kinds=OF_A_TREE, separator=".", deepest=9):
    """List (path, number) of the parameters, a node's entries before those of what was assigned after it."""
    parts = [(path.split("."), kind, number) for number, (path, kind) in enumerate(assignments(tree))]
    order = {tuple(way): number for way, _, number in parts}
    parts.sort(key=lambda part: [order[tuple(part[0][:length])] for length in range(1, len(part[0]) + 1)])
    return [
        (separator.join([prefix] * bool(prefix) + way), held(kind, number))
        for way, kind, number in parts
        if kind in kinds and len(way) <= deepest
    ]


def held(kind, number):
    """Return the number that the parameter of an attribute holds; the one that is shared was assigned first."""
    return 0.0 if kind == "shared" else float(number) if "Parameter" in kind else 0.5


def listed(pairs):
    return {
        "paths": [path for path, _ in pairs],
        "parameters": [number for _, number in pairs],
        "a second call": "gives the same",
    }


def oracle_Tree(tree, prefix, **options):
    return listed(walk(tree, prefix, **options))


EVERY = (*OF_A_TREE, "Tensor", "Buffer")


def with_lists(tree, prefix):
    """The trees in a list counted as trees."""
    found = "rows = Tree, rows.0 = Tree, rows.0.weight = Tensor, rows.1 = Tree, rows.1.weight = Tensor"
    kinds = EVERY if "rows" in tree else OF_A_TREE
    return oracle_Tree(tree.replace("rows = list of Trees", found), prefix, kinds=kinds)


def by_depth(tree, prefix, sign):
    return listed(sorted(walk(tree, prefix), key=lambda pair: sign * pair[0].removeprefix(prefix).count(".")))


def own_ones(tree, prefix, sign):
    """A tree's own parameters before (or after) those of its branches, at every level."""

    def order(pair):
        way = pair[0].removeprefix(f"{prefix}.").split(".") if prefix else pair[0].split(".")
        return [(sign * (length < len(way)), position.get(".".join(way[:length]), 0)) for length in range(1, len(way) + 1)]

    position = {path: number for number, (path, _) in enumerate(assignments(tree))}
    return listed(sorted(walk(tree, prefix), key=order))


def generators(tree, prefix):
    """A branch's generator itself is yielded."""
    has_branches = any(kind == "Tree" for _, kind in assignments(tree))
    return "it yields a generator where a pair (path, parameter) is needed" if has_branches else oracle_Tree(tree, prefix)


def without_prefix(tree, prefix):
    return listed([(path.removeprefix(f"{prefix}.") if prefix else path, number) for path, number in walk(tree, prefix)])


misconceptions_Tree = {
    "only the tree's own parameters: the trees below it are not asked": lambda tree, prefix: oracle_Tree(tree, prefix, deepest=1),
    "only the tree's own parameters, without the prefix: the trees below it are not asked": lambda tree, prefix: oracle_Tree(
        tree, "", deepest=1
    ),
    "only two levels: a child must ask its own children too": lambda tree, prefix: oracle_Tree(tree, prefix, deepest=2),
    "a generator is yielded: `yield from` hands on what it yields": generators,
    "the paths lack the names on the way: hand the path to the child as its prefix": lambda tree, prefix: listed(
        [(path.split(".")[-1] if "." in path.removeprefix(prefix + ".") else path, n) for path, n in walk(tree, prefix)]
    ),
    "the paths are the last names only: hand the path to the child as its prefix, and put the prefix in front": lambda tree, prefix: (
        listed([(path.split(".")[-1], number) for path, number in walk(tree, prefix)])
    ),
    "the paths hold only the last two names: hand the whole path to the child, not its name alone": lambda tree, prefix: listed(
        [
            (".".join(path.split(".")[-2:]) if path.count(".") > prefix.count(".") + bool(prefix) else path, number)
            for path, number in walk(tree, prefix)
        ]
    ),
    "the dot between the names is missing": lambda tree, prefix: oracle_Tree(tree, prefix, separator=""),
    "two dots stand between the names: a child was handed a path that ends with a dot, and added one": lambda tree, prefix: (
        listed([(".".join([prefix] * bool(prefix) + [path]), number) for path, number in walk(tree, separator="..")])
    ),
    "a dot stands in front although the prefix is empty": lambda tree, prefix: listed(
        [(path if prefix else f".{path}", number) for path, number in walk(tree, prefix)]
    ),
    "the prefix given by the caller is ignored": without_prefix,
    "tensors that are no parameters are listed too": lambda tree, prefix: oracle_Tree(tree, prefix, kinds=EVERY),
    "parameters that are frozen are left out: they are parameters all the same": lambda tree, prefix: oracle_Tree(
        tree, prefix, kinds=("Parameter", "shared")
    ),
    "a parameter that several attributes hold is listed once: each of them has its path": lambda tree, prefix: oracle_Tree(
        tree, prefix, kinds=OF_A_TREE[:2]
    ),
    "trees in a list are listed too: PyTorch passes them over": with_lists,
    "a tree's own parameters come first: keep the order in which the attributes were assigned": lambda tree, prefix: own_ones(
        tree, prefix, 1
    ),
    "a tree's own parameters come last: keep the order in which the attributes were assigned": lambda tree, prefix: own_ones(
        tree, prefix, -1
    ),
    "sorted by depth: keep the order in which the attributes were assigned": lambda tree, prefix: by_depth(tree, prefix, 1),
    "sorted by path: keep the order in which the attributes were assigned": lambda tree, prefix: listed(
        sorted(walk(tree, prefix), key=lambda pair: pair[0])
    ),
}


# 03.3 Stateful


A_BUFFER = ", the last of its own a buffer"
NOT_SAVED = ", beside a buffer that is not saved"


def draw_Stateful(rng):
    """What fits, as tensors and as arrays; what lacks, exceeds or has another shape, alone and together; not strict; a buffer."""
    rows, columns, length = rng.sizes(3, 2, 6)
    one, two, three, other = rng.mix(["weight", "bias", "scale", "gain", "alpha", "offset"])[:4]
    deep = rng.pick("inner.", "inner.first.", "a.b.c.")
    weight, bias, scale = f"{one} ({rows}, {columns})", f"inner.{two} ({length},)", f"{deep}{three} (1,)"
    if rng.pick(True, False):
        weight = f"{one} ({rows}, {columns}, 3)"
    turned, long = f"{one} ({columns}, {rows})", f"{deep}{three} ({rows},)"
    tree = f"{weight}; {bias}; {scale}"
    for state, strict, values in [
        (f"{scale}; {weight}; {bias}", True, "tensors"),
        (tree, True, "arrays"),
        (f"{weight}; {scale}", True, "tensors"),
        (f"{tree}; {other} (2,)", True, "tensors"),
        (f"{turned}; {bias}; {scale}", True, "tensors"),
        (f"{weight}; inner.{two} (1,); {scale}", True, "arrays"),
        (f"{weight}; {bias}; {deep}{three} ()", rng.pick(True, False), "arrays"),
        (f"{turned}; {bias}; {other} (4,); extra (2,)", True, "tensors"),
        (f"{other} (2,); {bias}; {scale}", False, "tensors"),
        (f"{weight}; {bias}; {long}", False, "tensors"),
        (f"{other} (2,)", True, "tensors"),
        (f"{other} (2,)", False, "arrays"),
        (tree, True, f"tensors{A_BUFFER}"),
        (f"{scale}; {bias}; extra (3,)", False, f"arrays{A_BUFFER}"),
        (f"{weight}; {bias}", True, f"tensors{A_BUFFER}"),
        (tree, True, f"tensors{NOT_SAVED}"),
    ]:
        yield dict(tree=tree, state=state, strict=strict, values=values)


def describe_Stateful(tree, state, strict, values):
    return (
        f"net holds {tree}\nthe state dict holds {state}, as {values}\n"
        f"net.load_state_dict(state_dict{'' if strict else ', strict=False'})"
    )


def entries(text, sign):
    """Make a dict from path to array of a text like "weight (3, 2); bias (3,)"."""
    found = {}
    for number, part in enumerate(text.split("; "), 1):
        path, shape = part.split(" (")
        shape = tuple(int(size) for size in shape.strip(")").split(",") if size)
        found[path] = np.asarray(sign * (10 * number + np.arange(math.prod(shape), dtype=np.float32).reshape(shape)))
    return found


def planted(module, tree, values):
    """Make a network that holds what a text says, and return it with what it holds by path."""
    net, held = module.Stateful(), {}
    for number, (path, array) in enumerate(entries(tree, -1).items(), 1):
        *way, name = path.split(".")
        node = net
        for step in way:
            if not hasattr(node, step):
                setattr(node, step, module.Stateful())
            node = getattr(node, step)
        held[path] = (module.Buffer if number == 3 and A_BUFFER in values else module.Parameter)(array)
        setattr(node, name, held[path])
    if NOT_SAVED in values:
        net.steps_seen = module.Buffer(np.zeros(2, np.float32), persistent=False)
    return net, held


def at_path(net, path):
    for step in path.split("."):
        net = getattr(net, step)
    return net


def observe_Stateful(module, tree, state, strict, values):
    """How loading ended, what it said, and what the parameters hold that were there before it."""
    net, before = planted(module, tree, values)
    memory = {path: tensor.data for path, tensor in before.items()}
    given = {path: array if "arrays" in values else module.Tensor(array) for path, array in entries(state, 1).items()}
    kept_by_caller = dict(given)
    try:
        keys = net.load_state_dict(given, strict=False) if not strict else net.load_state_dict(given)
        ended = returned(keys)
    except NotImplementedError:
        raise
    except RuntimeError as error:
        named = [path for path in {**entries(tree, 1), **given} if path in str(error)]
        if not named:
            raise
        ended = raising(named)
    same = all(at_path(net, path) is tensor for path, tensor in before.items())
    untouched = list(given) == list(kept_by_caller) and all(given[path] is one for path, one in kept_by_caller.items())
    return {
        "how it ended": ended,
        "the parameters": "the same objects as before" if same else "new ones",
        "the state dict given": "as it was" if untouched else "changed",
        **afterwards(memory),
    }


def afterwards(memory):
    """Name what each path holds after the call."""
    return {f"{path} afterwards": np.array(one) for path, one in memory.items()}


def returned(keys):
    """Say what was returned: two lists of paths, or something else."""
    if not isinstance(keys, tuple) or len(keys) != 2:
        return f"returned {keys!r}"
    odd = [
        f"{name} is a {type(one).__name__}"
        for name, one in zip(("missing_keys", "unexpected_keys"), keys)
        if type(one) is not list
    ]
    return ", ".join(odd) or returning(*keys)


def returning(missing, unexpected):
    return f"returned missing_keys={sorted(missing)}, unexpected_keys={sorted(unexpected)}"


def raising(paths):
    return f"RuntimeError that names {', '.join(sorted(paths))}"


KEPT = {"the parameters": "the same objects as before", "the state dict given": "as it was"}


def oracle_Stateful(tree, state, strict, values, **others):
    own, given = entries(tree, -1), entries(state, 1)
    missing, unexpected, wrong = complaints(own, given)
    refused = wrong + (missing + unexpected) * strict
    if refused:
        return {"how it ended": raising(refused)} | KEPT | afterwards(own)
    loaded = {path: given.get(path, array) for path, array in own.items()}
    return {"how it ended": returning(missing, unexpected)} | KEPT | afterwards(loaded) | others


def emptied(tree, state, strict, values):
    """What was loaded was taken out of the dict."""
    expected, own = oracle_Stateful(tree, state, strict, values), entries(tree, -1)
    popped = not expected["how it ended"].startswith("Runtime") and any(path in own for path in entries(state, 1))
    return expected | ({"the state dict given": "changed"} if popped else {})


def in_sets(tree, state, strict, values, names=("missing_keys", "unexpected_keys")):
    return oracle_Stateful(tree, state, strict, values, **{"how it ended": ", ".join(f"{name} is a set" for name in names)})


def nothing_checked(tree, state, strict, values):
    """Every path of the dict is set, whatever it is for, as a new parameter."""
    return oracle_Stateful(tree, state, strict, values) | {"the parameters": "new ones"}


def complaints(own, given):
    """Return the paths that are missing, those that are unexpected, and those of another shape."""
    wrong = [path for path in own if path in given and own[path].shape != given[path].shape]
    return [path for path in own if path not in given], [path for path in given if path not in own], wrong


def raised_first(*kinds):
    """Make a wrong turn that raises the first kind of complaint alone; a kind is one of the three or several together."""

    def wrong(tree, state, strict, values):
        missing, unexpected, shapes = complaints(entries(tree, -1), entries(state, 1))
        of = {"missing": missing * strict, "unexpected": unexpected * strict, "shape": shapes}
        some = [paths for kind in kinds if (paths := [path for name in kind.split() for path in of[name]])]
        return oracle_Stateful(tree, state, strict, values) | ({"how it ended": raising(some[0])} if some else {})

    return wrong


def half_written(tree, state, strict, values):
    """What fits has been written although the rest does not."""
    own, given = entries(tree, -1), entries(state, 1)
    fits = {path: given[path] for path in own if path in given and own[path].shape == given[path].shape}
    return oracle_Stateful(tree, state, strict, values) | afterwards(own | fits)


def written_up_to_the_first(tree, state, strict, values, order=list):
    """Paths are checked and written one after the other: those before the first wrong shape are written."""
    own, given = entries(tree, -1), entries(state, 1)
    missing, unexpected, shapes = complaints(own, given)
    if not shapes or strict and missing + unexpected:
        return oracle_Stateful(tree, state, strict, values)
    paths = order(path for path in own if path in given)
    fits = paths[: paths.index(next(path for path in paths if path in shapes))]
    return oracle_Stateful(tree, state, strict, values) | afterwards(own | {path: given[path] for path in fits})


def in_the_order_of_the_state(tree, state, strict, values):
    places = list(entries(state, 1))
    return written_up_to_the_first(tree, state, strict, values, lambda paths: sorted(paths, key=places.index))


def sizes_for_shapes(tree, state, strict, values):
    """What holds as many numbers was read in the shape that is here."""
    own, given = entries(tree, -1), entries(state, 1)
    fits = {
        path: new.reshape(own[path].shape) if path in own and own[path].size == new.size else new for path, new in given.items()
    }
    text = "; ".join(f"{path} {array.shape}" for path, array in fits.items())
    expected = oracle_Stateful(tree, text, strict, values)
    refused = expected["how it ended"].startswith("Runtime")
    return expected if refused else expected | afterwards({path: fits.get(path, array) for path, array in own.items()})


def only_if_strict(written):
    """Make a wrong turn: without strict, a wrong shape is passed over, or written as NumPy does."""

    def wrong(tree, state, strict, values):
        own, given = entries(tree, -1), entries(state, 1)
        missing, unexpected, shapes = complaints(own, given)
        if strict or not shapes:
            return oracle_Stateful(tree, state, strict, values)
        return {"how it ended": returning(missing, unexpected)} | KEPT | afterwards(written(own, given, shapes))

    return wrong


def shapes_unchecked(tree, state, strict, values):
    """NumPy stretches what broadcasts, without a word, and refuses the rest in its own words."""
    own, given = entries(tree, -1), entries(state, 1)
    missing, unexpected, _ = complaints(own, given)
    if strict and missing + unexpected:
        return oracle_Stateful(tree, state, strict, values) | {"how it ended": raising(missing + unexpected)}
    new = {path: np.broadcast_to(given.get(path, array), array.shape) for path, array in own.items()}
    return {"how it ended": returning(missing, unexpected)} | KEPT | afterwards(new)


def buffers_forgotten(tree, state, strict, values):
    """The parameters alone were taken for what there is: the buffer is unexpected, and stays as it was."""
    if A_BUFFER not in values:
        return oracle_Stateful(tree, state, strict, values)
    parameters, _, buffer = tree.rpartition("; ")
    path = buffer.split(" (")[0]
    return oracle_Stateful(parameters, state, strict, values) | afterwards({path: entries(tree, -1)[path]})


def shapes_not_named(tree, state, strict, values):
    """The paths of what has another shape are not in the message."""
    missing, unexpected, wrong = complaints(entries(tree, -1), entries(state, 1))
    named, expected = (missing + unexpected) * strict, oracle_Stateful(tree, state, strict, values)
    if not wrong:
        return expected
    return expected | {"how it ended": raising(named)} if named else ("raises", "RuntimeError")


def another_error(tree, state, strict, values):
    expected = oracle_Stateful(tree, state, strict, values)
    return ("raises", "KeyError") if expected["how it ended"].startswith("Runtime") else expected


misconceptions_Stateful = {
    "shapes are not compared: one number is stretched over a whole bias, and NumPy refuses others in its own words": shapes_unchecked,
    "missing and unexpected paths are ignored although strict is True": lambda tree, state, strict, values: oracle_Stateful(
        tree, state, False, values
    ),
    "strict=False is ignored": lambda tree, state, strict, values: oracle_Stateful(tree, state, True, values),
    "the message holds the first kind of problem only: one who repairs that meets the next": (
        raised_first("missing", "unexpected", "shape"),
        raised_first("missing unexpected", "shape"),
        raised_first("shape", "missing unexpected"),
        raised_first("shape", "missing", "unexpected"),
        raised_first("unexpected", "missing", "shape"),
    ),
    "parameters were overwritten before the error was raised: half of the network is another one now": (
        half_written,
        written_up_to_the_first,
        in_the_order_of_the_state,
    ),
    "the numbers of entries are compared, not the shapes": sizes_for_shapes,
    "strict=False lets wrong shapes through: they are errors either way": (
        only_if_strict(lambda own, given, shapes: own | {p: given[p] for p in own if p in given and p not in shapes}),
        only_if_strict(lambda own, given, shapes: own | {p: np.broadcast_to(given[p], own[p].shape) for p in own if p in given}),
    ),
    "the parameters were replaced by new ones: an optimizer that holds the old ones no longer changes the layer": lambda tree, state, strict, values: (
        oracle_Stateful(tree, state, strict, values, **afterwards(entries(tree, -1)), **{"the parameters": "new ones"})
    ),
    "the parameters were given other arrays: what is to be overwritten is the memory they have": lambda tree, state, strict, values: (
        oracle_Stateful(tree, state, strict, values, **afterwards(entries(tree, -1)))
    ),
    "buffers are left out: state_dict() holds them as well as the parameters": buffers_forgotten,
    "nothing is returned: LoadedKeys of the missing and the unexpected paths is asked for": lambda tree, state, strict, values: (
        oracle_Stateful(tree, state, strict, values, **{"how it ended": "returned None"})
    ),
    "the state dict that was given was emptied: it belongs to the caller": emptied,
    "missing_keys and unexpected_keys are sets: lists are asked for": in_sets,
    "missing_keys is a set: a list is asked for": lambda **inputs: in_sets(**inputs, names=("missing_keys",)),
    "unexpected_keys is a set: a list is asked for": lambda **inputs: in_sets(**inputs, names=("unexpected_keys",)),
    "the message does not say which path has another shape": shapes_not_named,
    "a KeyError is raised: RuntimeError is asked for": another_error,
    "missing and unexpected paths are returned in the wrong order": lambda tree, state, strict, values: oracle_Stateful(
        tree, state, strict, values, **{"how it ended": returning(*complaints(entries(tree, -1), entries(state, 1))[1::-1])}
    ),
}


# 03.4 kaiming_uniform_


def draw_kaiming_uniform_(rng):
    """Wide and tall weights, one input, a convolution's weight, every setting, a mode that there is not; over 10,000 numbers each."""
    few, many = rng.size(35, 45), rng.size(300, 400)
    yield dict(shape=(many, few))
    yield dict(shape=(few, many), a=math.sqrt(5))
    yield dict(shape=(many, few), mode="fan_out")
    yield dict(shape=(rng.size(10_000, 11_000), 1), nonlinearity=rng.pick("tanh", "relu"))
    yield dict(shape=(few, 20, *rng.pick((3, 5), (2, 4), (5, 3))), nonlinearity="relu")
    yield dict(shape=(many, few), a=rng.pick(1, 2, 3), mode="fan_in", nonlinearity=rng.pick("tanh", "sigmoid"))
    yield dict(shape=(many, few), a=rng.pick(1, 2, 3), nonlinearity="leaky_relu")
    yield dict(shape=(many, 8, *rng.pick((2, 3), (3, 2))), mode="fan_out", nonlinearity="linear")
    yield dict(shape=(many, few), mode=rng.pick("fan_both", "fan", "in"))


def observe_kaiming_uniform_(module, shape, **options):
    """How far the numbers reach and how they are spread, and whether the tensor itself was filled, by the rng given."""
    tensor = module.Parameter(np.full(shape, 7, np.float32))
    memory = tensor.data
    out = module.kaiming_uniform_(tensor, rng=np.random.default_rng(3), **options)
    again, other = (filled(module, shape, rng=np.random.default_rng(seed), **options) for seed in (3, 4))
    default = filled(module, shape, **options)
    mode = {"mode": options.get("mode", "fan_in")}
    no_slope, of_relu = (
        filled(module, shape, rng=np.random.default_rng(3), **mode, **kind) for kind in ({"a": 0}, {"nonlinearity": "relu"})
    )
    return {
        "the tensor itself is returned": out is tensor,
        "the tensor's own memory is filled": tensor.data is memory and not (memory == 7).any(),
        "largest": float(memory.max()),
        "smallest": float(memory.min()),
        "standard deviation": float(memory.std()),
        "dtype": str(tensor.data.dtype),
        "every number is drawn for itself": len(np.unique(memory)) > 0.9 * memory.size or len(np.unique(memory)) == 1,
        "without rng the default generator draws": drawn_by_default(module, lambda: filled(module, shape, **options)),
        "the same rng gives the same": bool((again == memory).all()),
        "another rng gives others": bool((other == memory).mean() < 0.01 and (default == memory).mean() < 0.01),
        "a=0 gives what ReLU gives": bool(np.allclose(no_slope, of_relu, rtol=1e-6, atol=0) or (again != memory).any()),
    }


def filled(module, shape, **options):
    """Fill new memory, and return it."""
    memory = np.zeros(shape, np.float32)
    module.kaiming_uniform_(module.Tensor(memory), **options)
    return memory


GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2)}


def oracle_kaiming_uniform_(shape, a=0, mode="fan_in", nonlinearity="leaky_relu", three=3.0, low=-1.0, **others):
    """Spread evenly between -b and b; out of some 10,000 draws the largest is b to a fraction of a percent."""
    area = shape[2] * shape[3] if len(shape) == 4 else 1
    fan = {"fan_in": shape[1] * area, "fan_out": shape[0] * area}.get(mode)
    if fan is None:
        return ("raises", "ValueError", mode)
    gain = GAINS.get(nonlinearity) or math.sqrt(2 / (1 + a * a))
    bound = gain * math.sqrt(three / fan)
    spread = {"largest": bound, "smallest": low * bound, "standard deviation": (1 - low) * bound / math.sqrt(12)}
    return (
        {
            "the tensor itself is returned": True,
            "the tensor's own memory is filled": True,
            "dtype": "float32",
            "every number is drawn for itself": True,
            "a=0 gives what ReLU gives": True,
            "without rng the default generator draws": True,
            "the same rng gives the same": True,
            "another rng gives others": True,
        }
        | spread
        | others
    )


def kaiming_or(shape, settings, **others):
    """The right answer with some entries changed; where the right answer is an error, that error."""
    expected = oracle_kaiming_uniform_(shape, **settings)
    return expected | others if isinstance(expected, dict) else expected


def kaiming_elsewhere(shape, **settings):
    return kaiming_or(
        shape,
        settings,
        **{
            "the tensor itself is returned": False,
            "the tensor's own memory is filled": False,
            "largest": 7.0,
            "smallest": 7.0,
            "standard deviation": 0.0,
            "the same rng gives the same": False,
        },
    )


def kaiming_unchecked(shape, settings, mode):
    """An unknown mode is taken for one of the two."""
    return oracle_kaiming_uniform_(
        shape, **settings | ({"mode": mode} if settings.get("mode") not in (None, "fan_in", "fan_out") else {})
    )


misconceptions_kaiming_uniform_ = {
    "fan-in and fan-out are exchanged": lambda shape, **settings: oracle_kaiming_uniform_(
        shape,
        **settings
        | {
            "mode": {"fan_out": "fan_in"}.get(settings.get("mode"), settings.get("mode", "fan_out"))
            if settings.get("mode") != "fan_in"
            else "fan_out"
        },
    ),
    "mode is ignored: always the fan-in": lambda shape, mode="fan_in", **settings: oracle_kaiming_uniform_(shape, **settings),
    "nonlinearity is ignored": lambda shape, nonlinearity="", **settings: oracle_kaiming_uniform_(shape, **settings),
    "a is ignored": (
        lambda shape, a=0, **settings: oracle_kaiming_uniform_(shape, **settings),
        lambda shape, a=0, **settings: kaiming_or(shape, settings, **{"a=0 gives what ReLU gives": False}),
    ),
    "the bound is the standard deviation: a factor of the square root of 3 is missing": lambda shape, **settings: (
        oracle_kaiming_uniform_(shape, **settings, three=1.0)
    ),
    "the 2 of ReLU counts twice: it is in the gain already, so the bound is the gain times sqrt(3 / fan)": lambda shape, **settings: (
        oracle_kaiming_uniform_(shape, **settings, three=6.0)
    ),
    "the kernel's height and width are missing in the fan: fans(tensor) counts them": lambda shape, **settings: (
        oracle_kaiming_uniform_(shape[:2], **settings)
    ),
    "the gain is always that of ReLU: nonlinearity and a are ignored": lambda shape, mode="fan_in", **settings: (
        oracle_kaiming_uniform_(shape, mode=mode, nonlinearity="relu")
    ),
    "the gain is missing": lambda shape, mode="fan_in", **settings: oracle_kaiming_uniform_(
        shape, mode=mode, nonlinearity="linear"
    ),
    "only positive numbers: the range begins at minus the bound": lambda shape, **settings: oracle_kaiming_uniform_(
        shape, **settings, low=0.0
    ),
    "another tensor was filled and returned; the one given stayed as it was": kaiming_elsewhere,
    "the tensor is filled but not returned": lambda shape, **settings: kaiming_or(
        shape, settings, **{"the tensor itself is returned": False}
    ),
    "the rng given is not used": lambda shape, **settings: kaiming_or(shape, settings, **{"the same rng gives the same": False}),
    "every call draws the same numbers": lambda shape, **settings: kaiming_or(
        shape, settings, **{"another rng gives others": False}
    ),
    "a slope of 0 was taken for none, as `a or ...` does: 0 counts as False, and the gain has a default slope of 0.01": lambda shape, **settings: (
        kaiming_or(shape, settings, **{"a=0 gives what ReLU gives": False})
    ),
    "numbers were drawn for one row or one column, and stretched over the others: every entry has its own": lambda shape, **settings: (
        kaiming_or(shape, settings, **{"every number is drawn for itself": False})
    ),
    "without rng a new generator drew: rng=None asks for the default one, which generator(rng) gives": lambda shape, **settings: (
        kaiming_or(shape, settings, **{"without rng the default generator draws": False})
    ),
    "an unknown mode is taken for fan_in": lambda shape, **settings: kaiming_unchecked(shape, settings, "fan_in"),
    "an unknown mode is taken for fan_out": lambda shape, **settings: kaiming_unchecked(shape, settings, "fan_out"),
    "a KeyError is raised: ValueError is asked for": lambda shape, **settings: (
        ("raises", "KeyError")
        if settings.get("mode") not in (None, "fan_in", "fan_out")
        else oracle_kaiming_uniform_(shape, **settings)
    ),
    "the error does not show which mode was given": lambda shape, **settings: (
        ("raises", "ValueError")
        if settings.get("mode") not in (None, "fan_in", "fan_out")
        else oracle_kaiming_uniform_(shape, **settings)
    ),
}
rtol_kaiming_uniform_ = 0.02
atol_kaiming_uniform_ = 1e-3  # the smallest of 10,000 numbers from 0 on is nearly 0


# 03.5 Linear


def draw_Linear(rng):
    """With and without a bias, more inputs than neurons and fewer, batches of no to three axes, many neurons."""
    k, n, b, c = rng.sizes(4)
    for inputs, neurons, bias, batch in [
        (k, n, True, (b,)),
        (n, k, True, (b, c)),
        (c, c, True, ()),
        (b, n, False, (k,)),
        (rng.size(2, 9), rng.size(2, 9), rng.pick(True, False), rng.sizes(rng.size(0, 3))),
        (rng.size(30, 50), rng.size(300, 400), True, (1,)),
    ]:
        yield dict(
            in_features=inputs,
            out_features=neurons,
            bias=bias,
            x=rng.normal32(*batch, inputs),
            new_weight=rng.normal32(neurons, inputs),
            new_bias=rng.normal32(neurons) if bias else None,
        )


float64_Linear = False  # its parameters are float32


def describe_Linear(in_features, out_features, bias, x, **_):
    new = "new_weight and new_bias" if bias else "new_weight"
    return (
        f"net = Linear({in_features}, {out_features}{'' if bias else ', bias=False'})\nnet(x), after {new} were written into it"
    )


def observe_Linear(module, in_features, out_features, bias, x, new_weight, new_bias):
    """The parameters that a new layer has and how they are spread, and what it computes after others were written in."""
    make = [
        module.Linear(in_features, out_features, **({} if bias else {"bias": False}), rng=np.random.default_rng(seed))
        for seed in (5, 5, 6)
    ]
    plain = module.Linear(in_features, out_features, bias=False, rng=np.random.default_rng(5))
    layer, *others = [{path: parameter.data for path, parameter in one.named_parameters()} for one in make]
    seen = {
        "parameters": "; ".join(f"{path} {array.shape} {array.dtype}" for path, array in layer.items()),
        "bias is None": make[0].bias is None,
        "the same rng gives the same": all((array == others[0][path]).all() for path, array in layer.items()),
        "another rng gives others": not any((array == others[1][path]).any() for path, array in layer.items()),
        "the weight is drawn": "first" if np.array_equal(plain.weight.data, make[0].weight.data) else "after the bias",
        "without rng the default generator draws": drawn_by_default(
            module, lambda: module.Linear(in_features, out_features, bias).weight.data
        ),
    }
    if out_features > 100:
        for path, array in layer.items():
            ends = [round(float(end) * math.sqrt(in_features), 1) for end in (array.max(), array.min())]
            seen |= dict(zip([f"{end} {path} times sqrt(in_features)" for end in ("largest", "smallest")], ends))
    if make[0].weight.shape != new_weight.shape:
        return seen  # its shape has been told
    make[0].weight.data[...] = new_weight
    if make[0].bias is not None:
        make[0].bias.data[...] = 0 if new_bias is None else new_bias
    out = make[0](module.Tensor(x))
    kept = [make[0].weight] if make[0].bias is None else [make[0].weight, make[0].bias]
    seen |= {"output": numbers(module, out), REMEMBERED: remembers(out, *kept)}
    make[0].weight = module.Parameter(new_weight * 2)
    if bias:
        make[0].bias = module.Parameter(new_bias * 2)
    return seen | {ANOTHER: numbers(module, make[0](module.Tensor(x)))}


ANOTHER = "output with other parameters assigned, of twice the size"
REMEMBERED = "the output remembers the layer's parameters"


def oracle_Linear(in_features, out_features, bias, x, new_weight, new_bias, of_weight=1.0, of_bias=1.0, **others):
    shapes = {"weight": (out_features, in_features)} | ({"bias": (out_features,)} if bias else {})
    seen = {
        "parameters": with_dtypes(shapes),
        "bias is None": not bias,
        "the same rng gives the same": True,
        "another rng gives others": True,
        "the weight is drawn": "first",
        "without rng the default generator draws": True,
    }
    if out_features > 100:
        for path, bound in {"weight": round(of_weight, 1), "bias": round(of_bias, 1)}.items():
            seen |= {f"largest {path} times sqrt(in_features)": bound, f"smallest {path} times sqrt(in_features)": -bound}
    outputs = {"output": oracle_linear(x, new_weight, new_bias), REMEMBERED: True}
    return seen | outputs | {ANOTHER: outputs["output"] * 2} | others


def with_dtypes(shapes):
    """List parameters as the observer does."""
    return "; ".join(f"{path} {shape} float32" for path, shape in shapes.items())


def linear_turned(**inputs):
    """The weight's shape is (in_features, out_features)."""
    expected, shape = oracle_Linear(**inputs), (inputs["in_features"], inputs["out_features"])
    if shape[0] == shape[1]:
        return expected | not_turned(**inputs)
    parameters = expected["parameters"].replace(str(shape[::-1]), str(shape))
    return {
        key: value
        for key, value in (expected | {"parameters": parameters}).items()
        if not key.startswith("output") and key != REMEMBERED
    }


def bias_first(drawn, in_features, out_features, bias, **inputs):
    """The bias is the first attribute; where the weight is drawn does not follow from that."""
    expected = oracle_Linear(in_features=in_features, out_features=out_features, bias=bias, **inputs)
    shapes = {"bias": (out_features,), "weight": (out_features, in_features)}
    return expected | {"parameters": with_dtypes(shapes), "the weight is drawn": drawn} if bias else expected


def not_turned(x, new_weight, new_bias, **_):
    """The outputs of a square weight that is not transposed."""
    output = x.astype(np.float64) @ new_weight + new_bias
    return {"output": output, ANOTHER: 2 * output}


def with_the_old(x, new_weight, new_bias, **_):
    """What was read from the attributes when the layer was made goes on."""
    return {ANOTHER: oracle_linear(x, new_weight, new_bias)}


def linear_of_tensors(**inputs):
    expected = oracle_Linear(**inputs) | {"parameters": "", REMEMBERED: False}
    return {key: value for key, value in expected.items() if not key.startswith(("largest", "smallest"))}


misconceptions_Linear = {
    "the weight has shape (in_features, out_features): its rows must be the neurons": linear_turned,
    "the bias is drawn before the weight: a seed then gives another layer than it should": (
        lambda **inputs: oracle_Linear(**inputs, **{"the weight is drawn": "after the bias" if inputs["bias"] else "first"}),
        partial(bias_first, "after the bias"),
    ),
    "without a bias there is no attribute bias: it is None then": lambda **inputs: (
        oracle_Linear(**inputs) if inputs["bias"] else ("raises", "AttributeError", "bias")
    ),
    "the bound is 1 / in_features: the root is missing": lambda **inputs: oracle_Linear(
        **inputs, of_weight=1 / math.sqrt(inputs["in_features"]), of_bias=1 / math.sqrt(inputs["in_features"])
    ),
    "every layer draws from a generator of its own, always the same: the one given is to be used": lambda **inputs: oracle_Linear(
        **inputs, **{"another rng gives others": False}
    ),
    "forward multiplies by the weight as it is, not transposed": lambda **inputs: (
        oracle_Linear(**inputs, **not_turned(**inputs))
        if inputs["in_features"] == inputs["out_features"]
        else ("raises", "ValueError")
    ),
    "the bias is added also where there is none": lambda **inputs: (
        oracle_Linear(**inputs) if inputs["bias"] else ("raises", "TypeError", "NoneType")
    ),
    "weight and bias were also kept in another place, which goes on with the old ones: read self.weight and self.bias in forward": (
        lambda **inputs: oracle_Linear(**inputs, **with_the_old(**inputs))
    ),
    "bias=False is ignored": lambda **inputs: oracle_Linear(
        **inputs,
        **{
            "bias is None": False,
            "parameters": with_dtypes({"weight": inputs["new_weight"].shape, "bias": (inputs["out_features"],)}),
        },
    ),
    "weight and bias are plain tensors: the tree finds parameters only": linear_of_tensors,
    "the bias begins at 0": lambda **inputs: oracle_Linear(
        **inputs, of_bias=0.0, **{"another rng gives others": not inputs["bias"]}
    ),
    "the rng given is not handed on to the bias's draw": lambda **inputs: oracle_Linear(
        **inputs, **{"the same rng gives the same": not inputs["bias"]}
    ),
    "the rng given is not handed on": lambda **inputs: oracle_Linear(**inputs, **{"the same rng gives the same": False}),
    "the weight's bound is that of kaiming_uniform_ with a=0, not with a=sqrt(5)": lambda **inputs: oracle_Linear(
        **inputs, of_weight=math.sqrt(6)
    ),
    "the weight's bound is computed from the number of neurons, not of inputs": lambda **inputs: oracle_Linear(
        **inputs, of_weight=math.sqrt(inputs["in_features"] / inputs["out_features"])
    ),
    "the bias's bound is computed from the number of neurons, not of inputs": lambda **inputs: oracle_Linear(
        **inputs, of_bias=math.sqrt(inputs["in_features"] / inputs["out_features"])
    ),
    "the bias is not added": lambda **inputs: oracle_Linear(
        **inputs,
        **{key: factor * oracle_linear(inputs["x"], inputs["new_weight"]) for key, factor in (("output", 1), (ANOTHER, 2))},
    ),
    "the result does not remember its weight: compute with the parameters, not with their arrays": lambda **inputs: oracle_Linear(
        **inputs, **{REMEMBERED: False}
    ),
    "the bias was assigned before the weight: parameters are listed in that order, and the weight comes first": partial(
        bias_first, "first"
    ),
    "without rng a new generator drew: rng=None asks for the default one": lambda **inputs: oracle_Linear(
        **inputs, **{"without rng the default generator draws": False}
    ),
}


# 03.6 dropout


def draw_dropout(rng):
    """Several probabilities, the default, both ends, no training, one to three axes, and probabilities that there are not."""
    m, n = rng.size(70, 90), rng.size(91, 110)
    yield dict(x=rng.normal32(m, n), p=rng.pick(0.2, 0.3, 0.7))
    yield dict(x=rng.normal32(n, m))
    yield dict(x=rng.normal32(20, rng.size(5, 8), m), p=0.8, training=True)
    yield dict(x=rng.standard_normal((m, n)), p=rng.pick(0.1, 0.4))
    yield dict(x=rng.normal32(*rng.sizes(rng.size(1, 3), 5, 9)), p=0.4, training=False)
    yield dict(x=rng.normal32(m, 5), p=0.0)
    yield dict(x=rng.normal32(m, 5), p=1.0)
    yield dict(x=rng.normal32(2, 3), p=rng.pick(1.5, 2.0, 1.01))
    yield dict(x=rng.normal32(2, 3), p=rng.pick(-0.1, -1.0))
    yield dict(x=rng.normal32(2, 3), p=rng.pick(-0.5, 1.5), training=False)


def observe_dropout(module, x, **options):
    """What became of the entries, how many are gone, and whether each time and each place is drawn separately."""
    rng, given = np.random.default_rng(2), module.Tensor(x, requires_grad=True)
    with np.errstate(divide="raise", invalid="raise"):
        out = module.dropout(given, rng=rng, **options)
        later = module.dropout(module.Tensor(x), rng=rng, **options)
        again = module.dropout(module.Tensor(x), rng=np.random.default_rng(2), **options)
        default = [module.dropout(module.Tensor(x), **options) for _ in range(2)]
    values = numbers(module, out)
    divisor = np.where(x == 0, 1, x)  # a 0 that was drawn says nothing about its factor
    factors = values / divisor if isinstance(values, np.ndarray) and values.shape == x.shape else np.full((2, 2), np.nan)
    gone = (factors == 0).reshape(len(factors), -1)
    alike = {
        "every row loses the same entries": bool((gone == gone[0]).all()),
        "every column loses the same entries": bool((gone.T == gone.T[0]).all()),
    }
    return {
        "shape and dtype": f"{values.shape} {values.dtype}" if isinstance(values, np.ndarray) else values,
        **alike,
        "share of zeros": None if any(alike.values()) else round(float(gone.mean()), 1),
        "the others are x times": sorted({round(float(factor), 3) for factor in factors[factors != 0]}),
        "a second call gives the same": bool((later.data == values).all()),
        "the same rng gives the same": bool((again.data == values).all()),
        "two calls without rng give the same": bool((default[0].data == default[1].data).all()),
        "without rng the default generator draws": drawn_by_default(
            module, lambda: module.dropout(module.Tensor(x), **options).data
        ),
        "the result remembers x": remembers(out, given),
    }


def assert_for_error(x, p=0.5, training=True):
    return oracle_dropout(x, p, training) if 0 <= p <= 1 else ("raises", "AssertionError")


def oracle_dropout(x, p=0.5, training=True, **others):
    if not 0 <= p <= 1:
        return ("raises", "ValueError", str(p))
    p = p if training else 0.0
    fixed = p in (0.0, 1.0)
    return {
        "shape and dtype": f"{x.shape} {x.dtype}",
        "every row loses the same entries": fixed,
        "every column loses the same entries": fixed,
        "share of zeros": None if fixed else p,
        "the others are x times": [] if p == 1 else [round(1 / (1 - p), 3)],
        "a second call gives the same": fixed,
        "the same rng gives the same": True,
        "two calls without rng give the same": fixed,
        "without rng the default generator draws": True,
        "the result remembers x": True,
    } | others


def dropout_or(x, p, training, **others):
    """The right answer, with some entries changed where chance decides."""
    by_chance = training and 0 < p < 1
    return oracle_dropout(x, p, training, **(others if by_chance else {}))


def keeps_p(x, p=0.5, training=True):
    """p taken as the probability to keep; the entries that are kept are divided by it."""
    if not 0 <= p <= 1 or not training:
        return oracle_dropout(x, p, training)
    return oracle_dropout(x, round(1 - p, 3))


def dropout_unchecked(x, p=0.5, training=True):
    """Every draw is below a p above 1, and none is below a negative p."""
    if 0 <= p <= 1:
        return oracle_dropout(x, p, training)
    return oracle_dropout(x, 1.0) if p > 1 else oracle_dropout(x, 0.0, **{"the others are x times": [round(1 / (1 - p), 3)]})


misconceptions_dropout = {
    "what is kept is not divided by 1 - p": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"the others are x times": [1.0]}
    ),
    "what is kept is divided by p, not by 1 - p": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"the others are x times": [round(1 / (p or 1), 3)]}
    ),
    "what is kept is multiplied by 1 - p, not divided": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"the others are x times": [round(1 - p, 3)]}
    ),
    "p is taken for the probability to stay: it is the probability to become 0": keeps_p,
    "the wrong entries become 0: the comparison with p is turned around": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"share of zeros": round(1 - p, 3)}
    ),
    "training=False is ignored": lambda x, p=0.5, training=True: oracle_dropout(x, p),
    "one draw decides for a whole column": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"every row loses the same entries": True, "share of zeros": None}
    ),
    "one draw decides for a whole row": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"every column loses the same entries": True, "share of zeros": None}
    ),
    "the rng given is not used": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"the same rng gives the same": False}
    ),
    "every call draws the same mask": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"a second call gives the same": True, "two calls without rng give the same": True}
    ),
    "computed with arrays: the result does not remember where it came from": lambda x, p=0.5, training=True: oracle_dropout(
        x, p, training, **({"the result remembers x": False} if training and p else {})
    ),
    "without an rng every call begins with the same seed: generator(rng) goes on with the default one": lambda x, p=0.5, training=True: (
        dropout_or(x, p, training, **{"two calls without rng give the same": True})
    ),
    "without an rng a new generator drew: generator(rng) gives the default one": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"without rng the default generator draws": False}
    ),
    "p is checked in training only: a wrong one is an error either way": lambda x, p=0.5, training=True: (
        oracle_dropout(x, p) if training else oracle_dropout(x, 0.0)
    ),
    "with p = 1 something is divided by 0": lambda x, p=0.5, training=True: (
        ("raises", "ZeroDivisionError") if training and p == 1 else oracle_dropout(x, p, training)
    ),
    "the mask is float64, and made the result float64": lambda x, p=0.5, training=True: oracle_dropout(
        x, p, training, **({"shape and dtype": f"{x.shape} float64"} if training and p else {})
    ),
    "an assert gives an AssertionError; a ValueError is asked for": assert_for_error,
    "the error does not show which p was given": lambda x, p=0.5, training=True: (
        oracle_dropout(x, p, training) if 0 <= p <= 1 else ("raises", "ValueError")
    ),
    "a p that is no probability is accepted": dropout_unchecked,
}


# 03.7 Sequential


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
    parts = {"a function": "relu", "a class": "Times", "a tree": "Tree", "a list": "[", "a text": "'relu'"}
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
