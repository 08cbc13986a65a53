"""The check of 03.3 Stateful."""

import math

import numpy as np


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
        f"net holds {tree}; the second is frozen\nthe state dict holds {state}, as {values}\n"
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
        held[path].requires_grad = isinstance(held[path], module.Parameter) and number != 2  # the second one is frozen
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
    trained = [path for path, tensor in before.items() if tensor.requires_grad]
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
        "requires_grad": "as it was" if trained == [path for path in before if before[path].requires_grad] else "changed",
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


KEPT = {"the parameters": "the same objects as before", "the state dict given": "as it was", "requires_grad": "as it was"}


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


def unfrozen(tree, state, strict, values):
    """What was loaded requires a gradient: the frozen parameter too, and the buffer."""
    expected, own = oracle_Stateful(tree, state, strict, values), list(entries(tree, -1))
    without = own[1:3] if A_BUFFER in values else own[1:2]
    changed = not expected["how it ended"].startswith("Runtime") and any(path in entries(state, 1) for path in without)
    return expected | ({"requires_grad": "changed"} if changed else {})


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
    "requires_grad was changed: loading overwrites numbers, and nothing else": unfrozen,
    "the state dict that was given was emptied: it belongs to the caller": emptied,
    "missing_keys and unexpected_keys are sets: lists are asked for": in_sets,
    "missing_keys is a set: a list is asked for": lambda **inputs: in_sets(**inputs, names=("missing_keys",)),
    "unexpected_keys is a set: a list is asked for": lambda **inputs: in_sets(**inputs, names=("unexpected_keys",)),
    "the message does not say which path has another shape": shapes_not_named,
    "a buffer that is not saved was asked for: state_dict() leaves it out": lambda tree, state, strict, values: (
        ("raises", "RuntimeError", "steps_seen") if NOT_SAVED in values else oracle_Stateful(tree, state, strict, values)
    ),
    "a KeyError is raised: RuntimeError is asked for": another_error,
    "missing and unexpected paths are returned in the wrong order": lambda tree, state, strict, values: oracle_Stateful(
        tree, state, strict, values, **{"how it ended": returning(*complaints(entries(tree, -1), entries(state, 1))[1::-1])}
    ),
}
