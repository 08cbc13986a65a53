"""The check of 03.2 Tree."""




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
        (f"{a} = Gain, 0 = Branch, 0.{b} = Parameter, 0.{c} = Gain, 0.1 = Branch, 0.1.{d} = Parameter", rng.pick("", prefix)),
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
        "Branch": "Branch(), of a class made of Tree",
        "Gain": "Gain(...), of a class made of Parameter",
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
    kinds = {name: type(name, (getattr(module, base),), {}) for name, base in (("Branch", "Tree"), ("Gain", "Parameter"))}
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
                "Gain": kinds["Gain"]([float(number)]),
                "Branch": kinds["Branch"](),
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


OF_A_TREE = "Parameter", "frozen Parameter", "Gain", "shared"


def walk(tree, prefix="", kinds=OF_A_TREE, separator=".", deepest=9):
    """List (path, number) of the parameters, a node's entries before those of what was assigned after it."""
    numbers = {path: number for number, (path, _) in enumerate(assignments(tree))}
    ways = [(path.split("."), kind, numbers[path]) for path, kind in in_order(tree, kinds)]
    return [
        (separator.join([prefix] * bool(prefix) + way), held(kind, number)) for way, kind, number in ways if len(way) <= deepest
    ]


def in_order(tree, kinds=OF_A_TREE):
    """List (path, kind) of some attributes as a walk through the tree meets them."""
    order = {path: number for number, (path, _) in enumerate(assignments(tree))}

    def places(pair):
        way = pair[0].split(".")
        return [order[".".join(way[:length])] for length in range(1, len(way) + 1)]

    return [(path, kind) for path, kind in sorted(assignments(tree), key=places) if kind in kinds]


def held(kind, number):
    """Return the number that the parameter of an attribute holds; the one that is shared was assigned first."""
    return 0.0 if kind == "shared" else 0.5 if kind in ("Tensor", "Buffer") else float(number)


def listed(pairs):
    return {
        "paths": [path for path, _ in pairs],
        "parameters": [number for _, number in pairs],
        "a second call": "gives the same",
    }


def oracle_Tree(tree, prefix, **options):
    return listed(walk(tree, prefix, **options))


EVERY = (*OF_A_TREE, "Tensor", "Buffer")


def exactly(tree, prefix, *others):
    """List what is left without some kinds, and without what is below them."""
    out = [path for path, kind in assignments(tree) if kind in others]
    pairs = zip(walk(tree, prefix), in_order(tree))
    return [pair for pair, (path, _) in pairs if not any(path == one or path.startswith(f"{one}.") for one in out)]


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
        tree, prefix, kinds=("Parameter", "Gain", "shared")
    ),
    "the type was compared: ask with isinstance, because a class may be made of Parameter, or of Tree": (
        lambda tree, prefix: listed(exactly(tree, prefix, "Branch", "Gain")),
        lambda tree, prefix: listed(exactly(tree, prefix, "Branch")),
        lambda tree, prefix: listed(exactly(tree, prefix, "Gain")),
    ),
    "a parameter that several attributes hold is listed once: each of them has its path": lambda tree, prefix: oracle_Tree(
        tree, prefix, kinds=OF_A_TREE[:3]
    ),
    "a parameter that several attributes of a tree hold is listed once: each of them has its path": lambda tree, prefix: listed(
        [pair for pair, (path, kind) in zip(walk(tree, prefix), in_order(tree)) if kind != "shared" or "." in path]
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
