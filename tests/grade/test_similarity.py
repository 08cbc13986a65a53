"""Similarity: planted copies rank above honest pairs, and code that everybody has weighs nothing."""

import ast
import itertools
import random
import re
from pathlib import Path

from tito import workspace
from tito.grading import similarity
from tito.notebooks import source
from tito.notebooks.export import export_text

HONEST = [  # written independently: the same functions, in different ways
    "def relu(a):\n    return np.maximum(a, 0)\n\n\ndef softmax(a):\n    shifted = a - a.max(axis=-1, keepdims=True)\n    powers = np.exp(shifted)\n    return powers / powers.sum(axis=-1, keepdims=True)",
    "def relu(a):\n    return np.where(a > 0, a, np.zeros_like(a))\n\n\ndef softmax(a):\n    e = np.exp(a - np.amax(a, -1)[..., None])\n    total = np.sum(e, -1)[..., None]\n    return np.divide(e, total)",
    "def relu(a):\n    out = a.copy()\n    out[out < 0] = 0\n    return out\n\n\ndef softmax(a):\n    largest = np.max(a, axis=-1, keepdims=True)\n    return np.exp(a - largest) / np.sum(np.exp(a - largest), axis=-1, keepdims=True)",
    "def relu(a):\n    return a * (a > 0)\n\n\ndef softmax(a):\n    logits = a - a.max(-1, keepdims=True)\n    return np.exp(logits - np.log(np.exp(logits).sum(-1, keepdims=True)))",
    "def relu(a):\n    return (a + np.abs(a)) / 2\n\n\ndef softmax(a):\n    if a.ndim == 0:\n        return np.ones_like(a)\n    b = np.exp(a - a.max(axis=a.ndim - 1, keepdims=True))\n    b /= b.sum(axis=b.ndim - 1, keepdims=True)\n    return b",
    "def relu(a):\n    mask = a >= 0\n    return np.multiply(a, mask, dtype=a.dtype)\n\n\ndef softmax(a):\n    rows = a.reshape(-1, a.shape[-1])\n    done = [np.exp(row - row.max()) / np.exp(row - row.max()).sum() for row in rows]\n    return np.stack(done).reshape(a.shape)",
]  # fmt: skip
COURSE = "import numpy as np\n\n\ndef relu(a):\n    return np.clip(a, 0, None)\n\n\ndef softmax(a):\n    return a\n\n\ndef given(a, b):\n    return (a + b) * (a - b) + a * b - a / b"
GIVEN = "\n\n\ndef given(a, b):\n    return (a + b) * (a - b) + a * b - a / b"


def disguised(text, how):
    """Return a copy with other names, another order of functions, another layout."""
    for old, new in (("shifted", "q"), ("powers", "w"), ("out", "result"), ("total", "z"), ("largest", "m"), ("logits", "l"), ("rows", "lines"), ("done", "parts")) if "rename" in how else ():  # fmt: skip
        text = text.replace(old, new)
    if "reorder" in how:
        text = "\n\n\n".join(reversed(text.split("\n\n\n")))
    if "reformat" in how:
        text = (
            text.replace("    ", "        ").replace(" - ", "-").replace("\n        return", "\n        # mine\n        return")
        )
    return text


def ranked(submissions):
    known = similarity.known_names(COURSE)
    ours = similarity.pieces(COURSE, known)
    pieces = {name: similarity.pieces(text + GIVEN, known) for name, text in submissions.items()}
    return similarity.pairs(
        {name: {piece: size for piece, size in some.items() if piece not in ours} for name, some in pieces.items()}
    )


def test_planted_copies_rank_above_every_honest_pair():
    honest = {f"honest {number}": text for number, text in enumerate(HONEST)}
    copies = {"copy 0": disguised(HONEST[0], "rename reorder"), "copy 2": disguised(HONEST[2], "rename reformat"), "copy 5": disguised(HONEST[5], "rename reorder reformat")}  # fmt: skip
    everybody = list({**honest, **copies}.items())
    random.Random(0).shuffle(everybody)
    found = [{one, other} for _, one, other, _ in ranked(dict(everybody))]
    assert sorted(map(sorted, found[:3])) == [["copy 0", "honest 0"], ["copy 2", "honest 2"], ["copy 5", "honest 5"]]


def test_what_everybody_has_weighs_nothing():
    shared = "def relu(a):\n    return np.maximum(np.asarray(a) + 0 * a, 0 * a)"
    submissions = {f"student {number}": shared for number in range(20)}
    assert not any(likeness for likeness, *_ in ranked(submissions))


def test_the_course_itself_weighs_nothing():
    assert not ranked({name: COURSE.split("\n\n\n", 1)[1] for name in "ab"})


def test_names_and_layout_do_not_matter():
    known = similarity.known_names(COURSE)
    for how in itertools.chain(("rename", "reformat"), ("rename reorder reformat",)):
        assert similarity.pieces(disguised(HONEST[0], how), known) == similarity.pieces(HONEST[0], known)


# A class of twenty: module 03 as twelve people wrote it, and eight of them copied.

TWELVE = re.split(r"# ==== \d+\n", Path(__file__).with_name("honest_layers.txt").read_text(encoding="utf-8"))[1:]
KEPT = {"self", "Parameter", "Tree", "Tensor", "LoadedKeys", "np", "math", "x", "weight", "bias", "p", "training", "rng", "state_dict", "strict", "prefix", "tensor", "a", "mode", "nonlinearity"}  # fmt: skip


class Rename(ast.NodeTransformer):
    """Give every name that a function makes for itself another one."""

    def __init__(self, tree):
        made = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        made |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node not in tree.body}
        self.names = {name: f"q{number}" for number, name in enumerate(sorted(made - KEPT))}

    def visit_Name(self, node):
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_FunctionDef(self, node):
        node.name = self.names.get(node.name, node.name)
        return self.generic_visit(node)


def swapped(body):
    """Return statements with neighbours in another order where both only assign to names."""
    body = list(body)
    for at in range(len(body) - 1):
        if all(isinstance(each, ast.Assign) for each in body[at : at + 2]):
            body[at : at + 2] = reversed(body[at : at + 2])
    return body


def copied(text, how):
    """Return a copy of a submission, disguised in several ways."""
    tree = ast.parse(text)
    if "rename" in how:
        tree = Rename(tree).visit(tree)
    if "reorder" in how:
        for function in tree.body:
            function.body = swapped(function.body)
        tree.body.reverse()
    if "half" in how:
        tree.body = tree.body[::2]
    if "pad" in how:
        for function in tree.body:
            notes = ast.parse("'My own work.'\nprint('here')\nunused = 0\n").body
            function.body = [*notes, *function.body]
    return ast.unparse(tree) if how else text  # which reformats it


def handed_in(texts):
    """Return what the judge keeps of each: the pieces that are not the course's own."""
    module = workspace.Workspace(workspace.course_dir()).curriculum.module("03")
    reference = source.read(workspace.course_source(module))
    course = export_text(reference, reference, "layers.ipynb")
    known = similarity.known_names(course)
    ours = similarity.pieces(course, known)
    pieces = {name: similarity.pieces(text, known) for name, text in texts.items()}
    return {name: {piece: size for piece, size in some.items() if piece not in ours} for name, some in pieces.items()}


def test_in_a_class_of_twenty_every_copy_ranks_above_every_honest_pair():
    ways = [
        "reformat",
        "rename",
        "reorder",
        "rename reorder",
        "rename pad",
        "reorder half",
        "rename half",
        "rename reorder half pad",
    ]
    texts = {f"honest {number}": text for number, text in enumerate(TWELVE)}
    texts |= {f"copy {number}": copied(TWELVE[number], how) for number, how in enumerate(ways)}
    everybody = list(texts.items())
    random.Random(0).shuffle(everybody)
    assert len(everybody) == 20
    ranked = [({one, other}, likeness) for likeness, one, other, _ in similarity.pairs(handed_in(dict(everybody)))]
    planted = [{f"copy {number}", f"honest {number}"} for number in range(len(ways))]
    assert sorted(map(sorted, (pair for pair, _ in ranked[: len(ways)]))) == sorted(map(sorted, planted))
    assert ranked[len(ways) - 1][1] > 3 * ranked[len(ways)][1], "far above, not by chance"
