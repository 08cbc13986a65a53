"""The check of 08.6 split_arrays."""

import numpy as np

from .shared import kind


def draw_split_arrays(rng):
    """A dict, then dicts in dicts with keys that are no text, lists and tuples, a name to begin with, an array alone, and none."""

    def array(*shape, dtype=np.float32):
        return np.array(10 * rng.standard_normal(shape), dtype)

    lr = float(np.round(rng.uniform(0.1, 1), 2))
    yield dict(tree={"lr": lr, "mean": array(3)}, name="")
    yield dict(tree={"a": {"w": array(2)}, "b": {"w": array(3, dtype=np.float64)}, "epoch": int(rng.integers(9))}, name="")
    state = {0: {"step": np.array(3)}, 1: {"mean": array(2, 3), "n": array(4, dtype=np.int64)}, "betas": (0.9, lr)}
    yield dict(tree={"adam": state}, name="")
    yield dict(
        tree=[array(2), {"scale": array(1, 2), "word": "cosine"}, [None, True, array()], (array(2), (array(1), lr))], name=""
    )
    yield dict(tree={"0.weight": array(3, 2), "0.bias": array(2)}, name="model")
    yield dict(tree={"mean": array(0), "deep": [{"square": array(2, 0)}]}, name="")
    yield dict(tree=array(5), name="alone")
    yield dict(tree=rng.pick(None, lr, "adam"), name="")
    yield dict(tree={"loss": np.float64(lr), "best": [np.float32(2), array(2)]}, name="")
    yield dict(tree={"epoch": 7, "note": "none", "empty": {}, "list": []}, name="")


def describe_split_arrays(tree, name):
    return f"split_arrays({written(tree)}{f', name={name!r}' if name else ''})", ""


def observe_split_arrays(split_arrays, tree, name):
    result = split_arrays(tree, name) if name else split_arrays(tree)
    if not isinstance(result, (tuple, list)) or len(result) != 2 or not isinstance(result[1], dict):
        return {"returned": f"a {kind(result)}", **dict.fromkeys(PARTS)}
    return parts_seen(*result)


PARTS = "names of the arrays", "the tree without arrays", "the arrays", "dtypes of the arrays"


def parts_seen(rest, arrays):
    """Write down a tree, and the arrays taken out of it."""
    found = {str(name): array for name, array in sorted(arrays.items(), key=lambda item: str(item[0]))}
    kinds = {name: str(array.dtype) if isinstance(array, np.ndarray) else f"a {kind(array)}" for name, array in found.items()}
    return {"returned": "a tree and a dict", **dict(zip(PARTS, (list(found), written(rest), found, kinds)))}


def written(tree):
    """Write a tree in one line; the order of a dict's keys says nothing."""
    if isinstance(tree, dict):
        return "{" + ", ".join(sorted(f"{key!r}: {written(value)}" for key, value in tree.items())) + "}"
    if isinstance(tree, (list, tuple)):
        inner = ", ".join(map(written, tree))
        return f"[{inner}]" if isinstance(tree, list) else f"({inner}{',' * (len(tree) == 1)})"
    return f"array {tree.shape}" if isinstance(tree, np.ndarray) else repr(tree)


def split_turn(
    label=lambda path: ".".join(map(str, path)),
    note=lambda name: {"array": name},
    tuples=list,
    keys=lambda key: key,
    taken=lambda node: True,
    dropped=False,
    prefix=True,
    inside=(dict, list, tuple),
    astype=None,
    last=False,
    arrays_are=np.ndarray,
):
    """Make the walk through a tree, or a wrong turn.

    Args:
        label: The name of an array, of the keys on the way to it.
        note: What stands in its place, a function of its name.
        tuples: What becomes of a tuple.
        keys: What becomes of a key.
        taken: Which arrays are taken out.
        dropped: Whether nothing stands in an array's place.
        prefix: Whether the name that the call gave counts.
        inside: Kinds of containers that are looked into.
        astype: The dtype that arrays become.
        last: Whether only the arrays of the last branch are kept.
        arrays_are: What is taken for an array.
    """

    def walk(node, path):
        if isinstance(node, arrays_are):
            if not taken(node):
                return node, {}
            name = label(path)
            return note(name), {name: node.astype(astype) if astype else node}
        if not isinstance(node, inside):
            return node, {}
        items = node.items() if isinstance(node, dict) else enumerate(node)
        parts = {keys(key): walk(value, [*path, key]) for key, value in items if not (dropped and isinstance(value, np.ndarray))}
        arrays = {}
        for _, found in parts.values():
            arrays = found if last else arrays | found
        rest = {key: rest for key, (rest, _) in parts.items()}
        return rest if isinstance(node, dict) else (tuples if isinstance(node, tuple) else list)(rest.values()), arrays

    return lambda tree, name: parts_seen(*walk(tree, [name] if name and prefix else []))


oracle_split_arrays = split_turn()
def first_key_as_it_is(path):
    """Join keys to a name, of which the first is no text yet: 0 is then lost, because it is false."""
    name = ""
    for key in path:
        name = f"{name}.{key}" if name else key
    return name


misconceptions_split_arrays = {
    "the first key of a name was left as it is, a number in a list: a name is a text, str(key)": split_turn(first_key_as_it_is),
    "the names begin with a dot: at the root there is nothing before the key": lambda tree, name: split_turn(
        (lambda path: ".".join(map(str, ["", *path]))) if not name else (lambda path: ".".join(map(str, path)))
    )(tree=tree, name=name),
    "an array's name is its last key alone: two arrays may share it, and one is lost": split_turn(lambda path: str(path[-1])),
    "the keys were joined by something else; it is a dot": split_turn(lambda path: "/".join(map(str, path))),
    "the keys were joined by something else, _; it is a dot": split_turn(lambda path: "_".join(map(str, path))),
    "the keys were joined without a dot": split_turn(lambda path: "".join(map(str, path))),
    "no note was left in the place of an array": split_turn(dropped=True),
    'the place of an array holds None; a note belongs there: {"array": name}': split_turn(note=lambda name: None),
    'the place of an array holds its name alone; a note belongs there: {"array": name}': split_turn(note=lambda name: name),
    "the arrays were left in the tree, too": lambda tree, name: {
        **oracle_split_arrays(tree=tree, name=name),
        "the tree without arrays": written(tree),
    },
    "tuples stayed tuples: JSON has lists": split_turn(tuples=tuple),
    "tuples were not looked into: their entries are trees, too": split_turn(inside=(dict, list)),
    "lists and tuples were not looked into: their entries are trees, too": split_turn(inside=(dict,)),
    "the keys that are no text became text; the tree stays as it was": split_turn(keys=str),
    "the prefix that the call gave was left out": split_turn(prefix=False),
    "only the arrays found last are in the dict: update it, so that those of before stay": split_turn(last=True),
    "an array of shape () was left in the tree": split_turn(taken=lambda node: node.ndim),
    "a number of NumPy's was taken for an array: it is no np.ndarray, and stays in the tree": split_turn(
        arrays_are=(np.ndarray, np.generic)
    ),
    "the arrays became float32; they are to stay as they are": split_turn(astype=np.float32),
    "the arrays became float64; they are to stay as they are": split_turn(astype=np.float64),
}
