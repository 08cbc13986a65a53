"""Checks of module 03. NumPy only: nothing here runs the code that it judges, except `observe`.

Modules cannot be sent to the process that runs learner code, so what a tree is made of is sent as text.
"""
import math

import numpy as np


def normal(rng, *shape):
    """Draw float32 numbers of both signs."""
    return rng.standard_normal(shape, np.float32)


def numbers(module, result):
    """Return a tensor's array; of anything else, what it is."""
    return np.array(result.data) if isinstance(result, module.Tensor) else f"{type(result).__name__}, not a Tensor"


# 03.1 linear


def draw_linear(rng):
    """Batches of one and two axes, a single example, no bias, as many inputs as outputs, one neuron, features that do not fit."""
    yield dict(x=normal(rng, 4, 3), weight=normal(rng, 5, 3), bias=normal(rng, 5))
    yield dict(x=normal(rng, 2, 3, 4), weight=normal(rng, 6, 4), bias=normal(rng, 6))
    yield dict(x=normal(rng, 2, 3), weight=normal(rng, 3, 3), bias=normal(rng, 3))
    yield dict(x=normal(rng, 5, 2), weight=normal(rng, 7, 2))
    yield dict(x=normal(rng, 3), weight=normal(rng, 4, 3), bias=normal(rng, 4))
    yield dict(x=normal(rng, 6, 3), weight=normal(rng, 1, 3), bias=normal(rng, 1))
    yield dict(x=rng.standard_normal((2, 3)), weight=rng.standard_normal((4, 3)), bias=rng.standard_normal(4))
    yield dict(x=normal(rng, 2, 5), weight=normal(rng, 3, 4), bias=normal(rng, 3))


def observe_linear(linear, **inputs):
    return linear.forward(**inputs)


def oracle_linear(x, weight, bias=None):
    if x.shape[-1] != weight.shape[-1]:
        return ("raises", "ValueError", str(x.shape))
    values = np.einsum("...k,jk->...j", x.astype(np.float64), weight.astype(np.float64))
    return values if bias is None else values + bias


misconceptions_linear = {
    "the weight is not transposed: its rows are the neurons": lambda x, weight, bias=None:
        x.astype(np.float64) @ weight + (0 if bias is None else bias),
    "the bias is left out": lambda x, weight, bias=None: oracle_linear(x, weight),
    "the bias is subtracted": lambda x, weight, bias=None: oracle_linear(x, weight, None if bias is None else -bias),
    "the bias is added also where there is none": lambda x, weight, bias=None:
        ("raises", "TypeError") if bias is None else oracle_linear(x, weight, bias),
    "`if bias` asks a whole array whether it is true; `bias is None` asks whether there is one": lambda x, weight, bias=None:
        oracle_linear(x, weight, bias) if bias is None or bias.size == 1 else ("raises", "ValueError", "truth value"),
    "the error does not show the shape of x: `matmul.forward` shows it": lambda x, weight, bias=None:
        oracle_linear(x, weight, bias) if x.shape[-1] == weight.shape[-1] else ("raises", "ValueError", "different from"),
}


# 03.2 Tree


def draw_Tree(rng):
    """A flat tree, branches in four levels, things that are not parameters, a list, nothing at all, a prefix."""
    names = [str(name) for name in rng.permutation(["weight", "bias", "scale", "gain", "alpha", "zeta"])]
    a, b, c, d, e, f = names
    for tree, prefix in [
            (f"{a} = Parameter, {b} = Parameter", ""),
            (f"{a} = Parameter, net = Tree, net.{b} = Parameter, net.{c} = Parameter, {d} = Parameter", ""),
            (f"x = Tree, x.y = Tree, x.y.z = Tree, x.y.z.{e} = Parameter, x.y.z.{a} = Parameter, {c} = Parameter", ""),
            (f"name = text, {a} = Tensor, size = number, 0 = Tree, 0.{b} = Parameter, {c} = None, 0.{f} = Tensor", ""),
            (f"rows = list of Trees, {d} = Parameter, last = Tree, last.{e} = Parameter, empty = Tree", ""),
            (f"{b} = Parameter, 0 = Tree, 0.1 = Tree, 0.1.{c} = Parameter, 0.{a} = Parameter", "net"),
            ("empty = Tree", "net")]:
        yield dict(tree=tree, prefix=prefix)


describe_Tree = "named_parameters(prefix={prefix}) of a tree"


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
        inner = module.Tree()
        inner.weight = module.Parameter([0.5])
        setattr(node, name, {"Parameter": module.Parameter([float(number)]), "Tensor": module.Tensor([0.5]), "text": "text",
                             "Tree": module.Tree(), "number": 3.5, "None": None, "list of Trees": [inner, inner]}[kind])
    return root


def observe_Tree(module, tree, prefix):
    """The paths in order, and which parameter each of them names."""
    pairs = list(build(module, tree).named_parameters(prefix) if prefix else build(module, tree).named_parameters())
    odd = [pair for pair in pairs if not isinstance(pair, tuple) or len(pair) != 2]
    if odd:
        return f"a {type(odd[0]).__name__} where a pair (path, parameter) was needed"
    return {"paths": [path for path, _ in pairs],
            "numbers": [value.data.item() if isinstance(value, module.Tensor) else type(value).__name__ for _, value in pairs]}


def walk(tree, prefix="", kinds=("Parameter",), separator=".", deepest=9):
    """List (path, number) of the parameters, a node's entries before those of what was assigned after it."""
    parts = [(path.split("."), kind, number) for number, (path, kind) in enumerate(assignments(tree))]
    order = {tuple(way): number for way, _, number in parts}
    parts.sort(key=lambda part: [order[tuple(part[0][:length])] for length in range(1, len(part[0]) + 1)])
    return [(separator.join([prefix] * bool(prefix) + way), float(number) if kind == "Parameter" else 0.5)
            for way, kind, number in parts if kind in kinds and len(way) <= deepest]


def listed(pairs):
    return {"paths": [path for path, _ in pairs], "numbers": [number for _, number in pairs]}


def oracle_Tree(tree, prefix, **options):
    return listed(walk(tree, prefix, **options))


def with_lists(tree, prefix):
    """The trees in a list counted as trees."""
    found = "rows = Tree, rows.0 = Tree, rows.0.weight = Tensor, rows.1 = Tree, rows.1.weight = Tensor"
    kinds = ("Parameter", "Tensor") if "rows" in tree else ("Parameter",)
    return oracle_Tree(tree.replace("rows = list of Trees", found), prefix, kinds=kinds)


def by_depth(tree, prefix, sign):
    return listed(sorted(walk(tree, prefix), key=lambda pair: sign * pair[0].count(".")))


misconceptions_Tree = {
    "only the tree's own parameters: the trees below it are not asked": lambda tree, prefix:
        oracle_Tree(tree, prefix, deepest=1),
    "only two levels: a child must ask its own children too": lambda tree, prefix: oracle_Tree(tree, prefix, deepest=2),
    "the paths lack the names on the way: hand the path to the child as its prefix": lambda tree, prefix:
        listed([(path.split(".")[-1] if "." in path.removeprefix(prefix + ".") else path, n) for path, n in walk(tree, prefix)]),
    "the paths hold only the last two names: hand the whole path to the child, not its name alone": lambda tree, prefix:
        listed([(".".join(path.split(".")[-2:]), number) for path, number in walk(tree, prefix)]),
    "the dot between the names is missing": lambda tree, prefix: oracle_Tree(tree, prefix, separator=""),
    "a dot stands in front although the prefix is empty": lambda tree, prefix:
        listed([(path if prefix else f".{path}", number) for path, number in walk(tree, prefix)]),
    "the prefix given by the caller is ignored": lambda tree, prefix: oracle_Tree(tree, ""),
    "tensors that are no parameters are listed too": lambda tree, prefix:
        oracle_Tree(tree, prefix, kinds=("Parameter", "Tensor")),
    "trees in a list are listed too: PyTorch passes them over": with_lists,
    "a tree's own parameters come first: keep the order in which the attributes were assigned": lambda tree, prefix:
        by_depth(tree, prefix, 1),
    "a tree's own parameters come last: keep the order in which the attributes were assigned": lambda tree, prefix:
        by_depth(tree, prefix, -1),
    "sorted by path: keep the order in which the attributes were assigned": lambda tree, prefix:
        listed(sorted(walk(tree, prefix), key=lambda pair: pair[0])),
}


# 03.3 Stateful


A_BUFFER = "inner.scale is a buffer"


def draw_Stateful(rng):
    """What fits, as tensors and as arrays; what lacks, exceeds or has another shape, alone and together; not strict; a buffer."""
    rows, columns, length = (int(size) for size in 2 + rng.permutation(4)[:3])
    weight, bias, scale = f"weight ({rows}, {columns})", f"inner.bias ({length},)", "inner.scale (1,)"
    turned, long = f"weight ({columns}, {rows})", f"inner.scale ({rows},)"
    tree = f"{weight}; {bias}; {scale}"
    for state, strict, values in [
            (f"{scale}; {weight}; {bias}", True, "tensors"), (tree, True, "arrays"), (f"{weight}; {scale}", True, "tensors"),
            (f"{tree}; other (2,)", True, "tensors"), (f"{turned}; {bias}; {scale}", True, "tensors"),
            (f"{weight}; inner.bias (1,); {scale}", True, "arrays"),
            (f"{turned}; {bias}; offset (4,); extra (2,)", True, "tensors"),
            (f"other (2,); {bias}; {scale}", False, "tensors"), (f"{weight}; {bias}; {long}", False, "tensors"),
            ("other (2,)", True, "tensors"), ("other (2,)", False, "arrays"), (tree, True, f"tensors, {A_BUFFER}"),
            (f"{scale}; {bias}; extra (3,)", False, f"arrays, {A_BUFFER}"), (f"{weight}; {bias}", True, f"tensors, {A_BUFFER}")]:
        yield dict(tree=tree, state=state, strict=strict, values=values)


describe_Stateful = "load_state_dict(state, strict={strict}), the state as {values}"


def entries(text, sign):
    """Make a dict from path to array of a text like "weight (3, 2); bias (3,)"."""
    found = {}
    for number, part in enumerate(text.split("; "), 1):
        path, shape = part.split(" (")
        shape = tuple(int(size) for size in shape.strip(",)").split(","))
        found[path] = sign * (10 * number + np.arange(np.prod(shape), dtype=np.float32).reshape(shape))
    return found


def observe_Stateful(module, tree, state, strict, values):
    """How loading ended, what it said, and what the parameters hold that were there before it."""
    net = module.Stateful()
    net.weight, net.inner = None, module.Stateful()
    for path, array in entries(tree, -1).items():
        kind = module.Buffer if path in A_BUFFER and A_BUFFER in values else module.Parameter
        setattr(net.inner if "." in path else net, path.split(".")[-1], kind(array))
    before, memory = (net.weight, net.inner.bias, net.inner.scale), (net.weight.data, net.inner.bias.data, net.inner.scale.data)
    given = {path: array if "arrays" in values else module.Tensor(array) for path, array in entries(state, 1).items()}
    try:
        keys = net.load_state_dict(given, strict) if not strict else net.load_state_dict(given)
        ended = returning(*map(list, keys)) if isinstance(keys, tuple) and len(keys) == 2 else f"loaded, returned {keys!r}"
    except NotImplementedError:
        raise
    except RuntimeError as error:
        named = [path for path in {**entries(tree, 1), **given} if path in str(error)]
        if not named:
            raise
        ended = raising(named)
    kept = all(one is other for one, other in zip(before, (net.weight, net.inner.bias, net.inner.scale)))
    return {"ended": ended, "the same parameters as before": kept, **dict(zip(entries(tree, 1), map(np.array, memory)))}


def returning(missing, unexpected):
    return f"loaded, returned missing {sorted(missing)} and unexpected {sorted(unexpected)}"


def raising(paths):
    return f"RuntimeError about {', '.join(sorted(paths))}"


def oracle_Stateful(tree, state, strict, values, **others):
    own, given = entries(tree, -1), entries(state, 1)
    missing, unexpected, wrong = complaints(own, given)
    refused = wrong + (missing + unexpected) * strict
    if refused:
        return {"ended": raising(refused), "the same parameters as before": True} | own
    loaded = {path: given.get(path, array) for path, array in own.items()}
    return {"ended": returning(missing, unexpected), "the same parameters as before": True} | loaded | others


def complaints(own, given):
    """Return the paths that are missing, those that are unexpected, and those of another shape."""
    wrong = [path for path in own if path in given and own[path].shape != given[path].shape]
    return [path for path in own if path not in given], [path for path in given if path not in own], wrong


def first_complaint(tree, state, strict, values):
    """Only the first kind of complaint is raised."""
    expected, groups = oracle_Stateful(tree, state, strict, values), complaints(entries(tree, -1), entries(state, 1))
    some = [group for group in (groups if strict else groups[2:]) if group]
    return expected | ({"ended": raising(some[0])} if some else {})


def half_written(tree, state, strict, values):
    """What fits has been written although the rest does not."""
    own, given = entries(tree, -1), entries(state, 1)
    fits = {path: given[path] for path in own if path in given and own[path].shape == given[path].shape}
    return oracle_Stateful(tree, state, strict, values) | own | fits


def shapes_unchecked(tree, state, strict, values):
    """NumPy stretches what broadcasts, without a word, and refuses the rest in its own words."""
    own, given = entries(tree, -1), entries(state, 1)
    missing, unexpected, _ = complaints(own, given)
    if strict and missing + unexpected:
        return oracle_Stateful(tree, state, strict, values) | {"ended": raising(missing + unexpected)}
    new = {path: np.broadcast_to(given.get(path, array), array.shape) for path, array in own.items()}
    return {"ended": returning(missing, unexpected), "the same parameters as before": True} | new


def buffers_forgotten(tree, state, strict, values):
    """The parameters alone were taken for what there is: the buffer is unexpected, and stays as it was."""
    if A_BUFFER not in values:
        return oracle_Stateful(tree, state, strict, values)
    parameters = tree.rpartition("; ")[0]
    return oracle_Stateful(parameters, state, strict, values) | {"inner.scale": entries(tree, -1)["inner.scale"]}


misconceptions_Stateful = {
    "shapes are not compared: one number is stretched over a whole bias, and NumPy refuses others in its own words":
        shapes_unchecked,
    "missing and unexpected paths are ignored although strict is True": lambda tree, state, strict, values:
        oracle_Stateful(tree, state, False, values),
    "strict=False is ignored": lambda tree, state, strict, values: oracle_Stateful(tree, state, True, values),
    "the message holds the first kind of problem only: whoever mends it meets the next": first_complaint,
    "parameters were overwritten before the error was raised: half of the network is another one now": half_written,
    "the parameters were replaced by new ones: whoever holds the old ones, such as an optimizer, has lost them":
        lambda tree, state, strict, values: oracle_Stateful(
            tree, state, strict, values, **entries(tree, -1), **{"the same parameters as before": False}),
    "the parameters were given other arrays: what is to be overwritten is the memory they have":
        lambda tree, state, strict, values: oracle_Stateful(tree, state, strict, values, **entries(tree, -1)),
    "buffers are left out: state_dict() holds them as well as the parameters": buffers_forgotten,
    "nothing is returned: LoadedKeys of the missing and the unexpected paths is asked for":
        lambda tree, state, strict, values: oracle_Stateful(tree, state, strict, values, ended="loaded, returned None"),
    "missing and unexpected paths are returned in the wrong order":
        lambda tree, state, strict, values: oracle_Stateful(
            tree, state, strict, values, ended=returning(*complaints(entries(tree, -1), entries(state, 1))[1::-1])),
}


# 03.4 kaiming_uniform_


def draw_kaiming_uniform_(rng):
    """Wide and tall weights, a convolution's weight, every setting, a mode that there is not; over 10,000 numbers each."""
    few, many = int(rng.integers(35, 45)), int(rng.integers(300, 400))
    yield dict(shape=(many, few))
    yield dict(shape=(few, many), a=math.sqrt(5))
    yield dict(shape=(many, few), mode="fan_out")
    yield dict(shape=(few, 20, 3, 5), nonlinearity="relu")
    yield dict(shape=(many, few), a=2, mode="fan_in", nonlinearity="tanh")
    yield dict(shape=(many, 8, 2, 3), mode="fan_out", nonlinearity="linear")
    yield dict(shape=(many, few), mode="fan_both")


def observe_kaiming_uniform_(module, shape, **options):
    """How far the numbers reach and how they are spread, and whether the tensor itself was filled, by the rng given."""
    tensor = module.Parameter(np.full(shape, 7, np.float32))
    memory = tensor.data
    out = module.kaiming_uniform_(tensor, rng=np.random.default_rng(3), **options)
    again, other, default = (module.Tensor(np.zeros(shape, np.float32)) for _ in range(3))
    module.kaiming_uniform_(again, rng=np.random.default_rng(3), **options)
    module.kaiming_uniform_(other, rng=np.random.default_rng(4), **options)
    module.kaiming_uniform_(default, **options)
    return {"the tensor itself is returned": out is tensor,
            "the tensor's own memory is filled": tensor.data is memory and not (memory == 7).any(),
            "largest": float(memory.max()), "smallest": float(memory.min()), "standard deviation": float(memory.std()),
            "dtype": str(tensor.data.dtype),
            "the same rng gives the same": bool((again.data == memory).all()),
            "another rng gives others": bool((other.data == memory).mean() < 0.01 and (default.data == memory).mean() < 0.01)}


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
    return {"the tensor itself is returned": True, "the tensor's own memory is filled": True, "dtype": "float32",
            "the same rng gives the same": True, "another rng gives others": True} | spread | others


def kaiming_or(shape, settings, **others):
    """The right answer with some entries changed; where the right answer is an error, that error."""
    expected = oracle_kaiming_uniform_(shape, **settings)
    return expected | others if isinstance(expected, dict) else expected


def kaiming_elsewhere(shape, **settings):
    return kaiming_or(shape, settings, **{"the tensor itself is returned": False, "the tensor's own memory is filled": False,
                                          "largest": 7.0, "smallest": 7.0, "standard deviation": 0.0,
                                          "the same rng gives the same": False})


def kaiming_unchecked(shape, settings, mode):
    """An unknown mode is taken for one of the two."""
    return oracle_kaiming_uniform_(shape, **settings | ({"mode": mode} if settings.get("mode") == "fan_both" else {}))


misconceptions_kaiming_uniform_ = {
    "fan-in and fan-out are exchanged": lambda shape, **settings: oracle_kaiming_uniform_(
        shape, **settings | {"mode": {"fan_out": "fan_in"}.get(settings.get("mode"), settings.get("mode", "fan_out"))
                             if settings.get("mode") != "fan_in" else "fan_out"}),
    "mode is ignored: always the fan-in": lambda shape, mode="fan_in", **settings: oracle_kaiming_uniform_(shape, **settings),
    "nonlinearity is ignored": lambda shape, nonlinearity="", **settings: oracle_kaiming_uniform_(shape, **settings),
    "a is ignored": lambda shape, a=0, **settings: oracle_kaiming_uniform_(shape, **settings),
    "the bound is the standard deviation: a factor of the square root of 3 is missing":
        lambda shape, **settings: oracle_kaiming_uniform_(shape, **settings, three=1.0),
    "the gain is missing": lambda shape, mode="fan_in", **settings:
        oracle_kaiming_uniform_(shape, mode=mode, nonlinearity="linear"),
    "only positive numbers: the range begins at minus the bound": lambda shape, **settings: oracle_kaiming_uniform_(
        shape, **settings, low=0.0),
    "another tensor was filled and returned; the one given stayed as it was": kaiming_elsewhere,
    "the tensor is filled but not returned": lambda shape, **settings: kaiming_or(
        shape, settings, **{"the tensor itself is returned": False}),
    "the rng given is not used": lambda shape, **settings: kaiming_or(shape, settings, **{"the same rng gives the same": False}),
    "every call draws the same numbers": lambda shape, **settings: kaiming_or(
        shape, settings, **{"another rng gives others": False}),
    "an unknown mode is taken for fan_in": lambda shape, **settings: kaiming_unchecked(shape, settings, "fan_in"),
    "an unknown mode is taken for fan_out": lambda shape, **settings: kaiming_unchecked(shape, settings, "fan_out"),
    "the error does not show which mode was given": lambda shape, **settings:
        ("raises", "ValueError") if settings.get("mode") == "fan_both" else oracle_kaiming_uniform_(shape, **settings),
}
rtol_kaiming_uniform_ = 0.02


# 03.5 Linear


def draw_Linear(rng):
    """With and without a bias, more inputs than neurons and fewer, batches of one and two axes, one example, many neurons."""
    for inputs, neurons, bias, batch in [(3, 5, True, (4,)), (6, 2, True, (2, 3)), (4, 4, True, ()), (2, 7, False, (5,)),
                                         (40, 900, True, (1,))]:
        yield dict(in_features=inputs, out_features=neurons, bias=bias, x=normal(rng, *batch, inputs),
                   new_weight=normal(rng, neurons, inputs), new_bias=normal(rng, neurons) if bias else None)


describe_Linear = "Linear({in_features}, {out_features}, bias={bias})(x), its parameters overwritten"


def observe_Linear(module, in_features, out_features, bias, x, new_weight, new_bias):
    """The parameters that a new layer has and how they are spread, and what it computes after others were written in."""
    make = [module.Linear(in_features, out_features, **({} if bias else {"bias": False}), rng=np.random.default_rng(seed))
            for seed in (5, 5, 6)]
    layer, *others = [{path: parameter.data for path, parameter in one.named_parameters()} for one in make]
    seen = {"parameters": {path: f"{array.shape} {array.dtype}" for path, array in layer.items()},
            "the same rng gives the same": all((array == others[0][path]).all() for path, array in layer.items()),
            "another rng gives others": not any((array == others[1][path]).any() for path, array in layer.items())}
    if out_features > 100:
        for path, array in layer.items():
            ends = [round(float(end) * math.sqrt(in_features), 1) for end in (array.max(), array.min())]
            seen |= dict(zip([f"{end} {path} times sqrt(in_features)" for end in ("largest", "smallest")], ends))
    make[0].weight.data[...] = new_weight
    if make[0].bias is not None:
        make[0].bias.data[...] = 0 if new_bias is None else new_bias
    out = make[0](module.Tensor(x))
    return seen | {"output": numbers(module, out), "bias is None": make[0].bias is None,
                   "requires_grad": bool(getattr(out, "requires_grad", False))}


def oracle_Linear(in_features, out_features, bias, x, new_weight, new_bias, of_weight=1.0, of_bias=1.0, **others):
    parameters = {"weight": f"{(out_features, in_features)} float32"} | ({"bias": f"{(out_features,)} float32"} if bias else {})
    seen = {"parameters": parameters, "the same rng gives the same": True, "another rng gives others": True,
            "output": oracle_linear(x, new_weight, new_bias), "bias is None": not bias, "requires_grad": True}
    if out_features > 100:
        for path, bound in {"weight": round(of_weight, 1), "bias": round(of_bias, 1)}.items():
            seen |= {f"largest {path} times sqrt(in_features)": bound, f"smallest {path} times sqrt(in_features)": -bound}
    return seen | others


def linear_of_tensors(**inputs):
    expected = oracle_Linear(**inputs) | {"parameters": {}, "requires_grad": False}
    return {key: value for key, value in expected.items() if not key.startswith(("largest", "smallest"))}


misconceptions_Linear = {
    "the weight has shape (in_features, out_features): its rows must be the neurons": lambda **inputs:
        oracle_Linear(**inputs) if inputs["in_features"] == inputs["out_features"] else ("raises", "ValueError"),
    "forward multiplies by the weight as it is, not transposed": lambda **inputs:
        oracle_Linear(**inputs, output=inputs["x"].astype(np.float64) @ inputs["new_weight"] + inputs["new_bias"])
        if inputs["in_features"] == inputs["out_features"] else ("raises", "ValueError", "inner sizes"),
    "bias=False is ignored": lambda **inputs: oracle_Linear(**inputs, **{"bias is None": False, "parameters": {
        "weight": f"{inputs['new_weight'].shape} float32", "bias": f"{(inputs['out_features'],)} float32"}}),
    "weight and bias are plain tensors: the tree finds parameters only": linear_of_tensors,
    "the bias begins at 0": lambda **inputs:
        oracle_Linear(**inputs, of_bias=0.0, **{"another rng gives others": not inputs["bias"]}),
    "the rng given is not handed on to the bias's draw": lambda **inputs:
        oracle_Linear(**inputs, **{"the same rng gives the same": not inputs["bias"]}),
    "the rng given is not handed on": lambda **inputs: oracle_Linear(**inputs, **{"the same rng gives the same": False}),
    "the weight's bound is that of kaiming_uniform_ with a=0, not with a=sqrt(5)": lambda **inputs:
        oracle_Linear(**inputs, of_weight=math.sqrt(6)),
    "the bias's bound is computed from the number of neurons, not of inputs": lambda **inputs:
        oracle_Linear(**inputs, of_bias=math.sqrt(inputs["in_features"] / inputs["out_features"])),
    "the bias is not added": lambda **inputs: oracle_Linear(**inputs, output=oracle_linear(inputs["x"], inputs["new_weight"])),
    "the result does not remember its weight: compute with the parameters, not with their arrays": lambda **inputs:
        oracle_Linear(**inputs, requires_grad=False),
}


# 03.6 dropout


def draw_dropout(rng):
    """Several probabilities, the default, both ends, no training, more axes, and probabilities that there are not."""
    yield dict(x=normal(rng, 90, 80), p=0.3)
    yield dict(x=normal(rng, 90, 80))
    yield dict(x=normal(rng, 20, 6, 60), p=0.8, training=True)
    yield dict(x=rng.standard_normal((70, 90)), p=0.1)
    yield dict(x=normal(rng, 50, 30), p=0.4, training=False)
    yield dict(x=normal(rng, 40, 5), p=0.0)
    yield dict(x=normal(rng, 40, 5), p=1.0)
    yield dict(x=normal(rng, 2, 3), p=1.5)
    yield dict(x=normal(rng, 2, 3), p=-0.1)


def observe_dropout(module, x, **options):
    """What became of the entries, how many are gone, and whether chance decides each time and each place anew."""
    rng = np.random.default_rng(2)
    with np.errstate(divide="raise", invalid="raise"):
        out = module.dropout(module.Tensor(x, requires_grad=True), rng=rng, **options)
        later = module.dropout(module.Tensor(x), rng=rng, **options)
        again = module.dropout(module.Tensor(x), rng=np.random.default_rng(2), **options)
        default = [module.dropout(module.Tensor(x), **options) for _ in range(2)]
    values = numbers(module, out)
    divisor = np.where(x == 0, 1, x)  # a 0 that was drawn says nothing about its factor
    factors = values / divisor if isinstance(values, np.ndarray) and values.shape == x.shape else np.full((2, 2), np.nan)
    gone = (factors == 0).reshape(len(factors), -1)
    alike = {"all rows alike": bool((gone == gone[0]).all()), "all columns alike": bool((gone.T == gone.T[0]).all())}
    return {"shape and dtype": f"{values.shape} {values.dtype}" if isinstance(values, np.ndarray) else values, **alike,
            "share of zeros": None if any(alike.values()) else round(float(gone.mean()), 1),
            "the others are x times": sorted({round(float(factor), 3) for factor in factors[factors != 0]}),
            "a second call gives the same": bool((later.data == values).all()),
            "the same rng gives the same": bool((again.data == values).all()),
            "two calls without rng give the same": bool((default[0].data == default[1].data).all()),
            "requires_grad": bool(out.requires_grad)}


def oracle_dropout(x, p=0.5, training=True, **others):
    if not 0 <= p <= 1:
        return ("raises", "ValueError", str(p))
    p = p if training else 0.0
    fixed = p in (0.0, 1.0)
    return {"shape and dtype": f"{x.shape} {x.dtype}", "all rows alike": fixed, "all columns alike": fixed,
            "share of zeros": None if fixed else p,
            "the others are x times": [] if p == 1 else [round(1 / (1 - p), 3)], "a second call gives the same": fixed,
            "the same rng gives the same": True, "two calls without rng give the same": fixed, "requires_grad": True} | others


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
    "what is kept is not divided by 1 - p": lambda x, p=0.5, training=True:
        dropout_or(x, p, training, **{"the others are x times": [1.0]}),
    "what is kept is divided by p, not by 1 - p": lambda x, p=0.5, training=True:
        dropout_or(x, p, training, **{"the others are x times": [round(1 / (p or 1), 3)]}),
    "what is kept is multiplied by 1 - p, not divided": lambda x, p=0.5, training=True:
        dropout_or(x, p, training, **{"the others are x times": [round(1 - p, 3)]}),
    "p is taken for the probability to stay: it is the probability to become 0": keeps_p,
    "the wrong entries become 0: the comparison with p is turned around": lambda x, p=0.5, training=True:
        dropout_or(x, p, training, **{"share of zeros": round(1 - p, 3)}),
    "training=False is ignored": lambda x, p=0.5, training=True: oracle_dropout(x, p),
    "one draw decides for a whole column": lambda x, p=0.5, training=True:
        dropout_or(x, p, training, **{"all rows alike": True, "share of zeros": None}),
    "one draw decides for a whole row": lambda x, p=0.5, training=True:
        dropout_or(x, p, training, **{"all columns alike": True, "share of zeros": None}),
    "the rng given is not used": lambda x, p=0.5, training=True:
        dropout_or(x, p, training, **{"the same rng gives the same": False}),
    "every call draws the same mask": lambda x, p=0.5, training=True: dropout_or(
        x, p, training, **{"a second call gives the same": True, "two calls without rng give the same": True}),
    "computed with arrays: the result does not remember where it came from": lambda x, p=0.5, training=True:
        oracle_dropout(x, p, training, **({"requires_grad": False} if training and p else {})),
    "with p = 1 something is divided by 0": lambda x, p=0.5, training=True:
        ("raises", "ZeroDivisionError") if training and p == 1 else oracle_dropout(x, p, training),
    "the mask is float64, and made the result float64": lambda x, p=0.5, training=True:
        oracle_dropout(x, p, training, **({"shape and dtype": f"{x.shape} float64"} if training and p else {})),
    "the error does not show which p was given": lambda x, p=0.5, training=True:
        oracle_dropout(x, p, training) if 0 <= p <= 1 else ("raises", "ValueError"),
    "a p that is no probability is accepted": dropout_unchecked,
}


# 03.7 Sequential


def draw_Sequential(rng):
    """Rows of steps whose order matters, a row in a row, an empty row, and things that are no modules."""
    yield dict(steps=["times 2", "plus 3"], x=normal(rng, 4))
    yield dict(steps=["plus 3", "times -2", "plus 0.5"], x=normal(rng, 2, 3))
    yield dict(steps=["times 3", "(plus 1, times 0.5)", "plus -4"], x=normal(rng, 5))
    yield dict(steps=[f"plus {number}" for number in range(11)], x=normal(rng, 3))
    yield dict(steps=[], x=normal(rng, 4))
    yield dict(steps=["plus 1", "a function"], x=normal(rng, 4))
    yield dict(steps=["a class", "times 2"], x=normal(rng, 4))


describe_Sequential = "Sequential(*layers)(x) with layers {steps}"


def forgotten(x):
    """Stands among the layers although it is no module."""
    return x


def observe_Sequential(module, steps, x):
    """What a row computes, the paths of its parameters, and whether `eval` reaches its layers."""
    class Times(module.Module):
        def __init__(self, number): self.number = module.Parameter([number])
        def forward(self, x): return x * self.number

    class Plus(Times):
        def forward(self, x): return x + self.number

    def layer(step):
        if step.startswith("("):
            return module.Sequential(*map(layer, step.strip("()").split(", ")))
        kind, number = step.split()
        if kind == "a":
            return {"function": forgotten, "class": Times}[number]
        return {"times": Times, "plus": Plus}[kind](float(number))

    net = module.Sequential(*map(layer, steps))
    return {"output": numbers(module, net(module.Tensor(x))), "paths": [path for path, _ in net.named_parameters()],
            "layers in training after eval": sum(one.training for one in net.eval().modules())}


def nested(steps):
    """The steps with every inner row as a list."""
    return [step.strip("()").split(", ") if step.startswith("(") else step for step in steps]


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
    return ("raises", "TypeError", {"a function": "forgotten", "a class": "Times"}[wrong[0]]) if wrong else None


def oracle_Sequential(steps, x, **others):
    return refused(steps) or what_runs(steps, x, **others)


def what_runs(steps, x, **others):
    """The right answer where everything is a module; what is none is passed over."""
    modules = [step for step in steps if not step.startswith("a ")]
    output = run_steps(modules, x.astype(np.float64))
    return {"output": output, "paths": paths_of(steps), "layers in training after eval": 0} | others


def counted(steps, x, run):
    """The right answer, with the output of other steps run."""
    return oracle_Sequential(steps, x) if refused(steps) else oracle_Sequential(steps, x, output=run_steps(run(steps), x))


def backwards(steps):
    return [f"({', '.join(step[::-1])})" if isinstance(step, list) else step for step in nested(steps)[::-1]]


misconceptions_Sequential = {
    "the layers are kept in a list, which the tree does not see": lambda steps, x: oracle_Sequential(steps, x, paths=[]),
    "the layers are kept in a list, and `for layer in self` finds none": lambda steps, x:
        what_runs(steps, x, paths=[], output=x),
    "the layers run in the wrong order": lambda steps, x: counted(steps, x, backwards),
    "every layer is fed with x itself, and the last one wins": lambda steps, x: counted(
        steps, x, lambda steps: [last if last[0] != "(" else f"({last.strip('()').split(', ')[-1]})" for last in steps[-1:]])
        if steps else ("raises", "UnboundLocalError"),
    "only the first layer runs: the return stands inside the loop": lambda steps, x: counted(steps, x, lambda steps: steps[:1])
        if steps else oracle_Sequential(steps, x, output="NoneType, not a Tensor"),
    "layers are numbered from 1": lambda steps, x: oracle_Sequential(steps, x, paths=paths_of(steps, first=1)),
    "what is no module is passed over in silence": what_runs,
    "the error does not show what was given": lambda steps, x:
        ("raises", "TypeError") if refused(steps) else oracle_Sequential(steps, x),
}
