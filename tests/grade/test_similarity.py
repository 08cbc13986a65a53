"""Similarity: planted copies rank above honest pairs, and code that everybody has weighs nothing."""

import ast
import builtins
import itertools
import random
import re
from pathlib import Path

import pytest

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


# A class of twenty. Six strangers solved the notebook of module 03, each alone with the released notebook: what they wrote in the
# cells of the exercises, without docstrings and given methods. Twelve more wrote five of its functions in their own ways.

FOLDER = Path(__file__).parent
SIX, TWELVE = (
    re.split(r"# ==== \w+\n", (FOLDER / name).read_text(encoding="utf-8"))[1:]
    for name in ("honest_notebooks.txt", "honest_layers.txt")
)
MODULE = workspace.Workspace(workspace.course_dir()).curriculum.module("03")
REFERENCE = source.read(workspace.course_source(MODULE))
COURSES = export_text(REFERENCE, REFERENCE, "layers.ipynb")
KNOWN = similarity.known_names(COURSES)


def said(tree):
    """Return every name that some code uses or makes."""
    return {getattr(node, field) for node in ast.walk(tree) for field in ("id", "attr", "arg", "name") if hasattr(node, field)}


GIVEN_NAMES = said(ast.parse(COURSES)) | set(dir(builtins)) | {"self"}


class Rename(ast.NodeTransformer):
    """Give another name to everything that a student named: variables, helpers, methods, attributes, and imports."""

    def __init__(self, tree):
        nodes = list(ast.walk(tree))
        made = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        made |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        made |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
        self.names = {name: f"q{number}" for number, name in enumerate(sorted(made - GIVEN_NAMES))}

    def visit_Name(self, node):
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_Attribute(self, node):
        node.attr = self.names.get(node.attr, node.attr)
        return self.generic_visit(node)

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
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    if "rename" in how:
        tree = Rename(tree).visit(tree)
    if "reorder" in how:
        for node in functions:
            node.body = swapped(node.body)
        for node in (tree, *ast.walk(tree)):
            if isinstance(node, (ast.Module, ast.ClassDef)):
                node.body = node.body[::-1]
    if "half" in how:
        tree.body = tree.body[::2]
    if "pad" in how:
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.If, ast.For)):
                node.body = [*ast.parse("'My own work.'\nprint('here')\nunused = 0\n").body, *node.body]
    if "typed" in how:
        for node in ast.walk(tree):
            for at, inner in enumerate(node.body if isinstance(node, (ast.FunctionDef, ast.If, ast.For)) else ()):
                if isinstance(inner, ast.Assign) and len(inner.targets) == 1 and isinstance(inner.targets[0], ast.Name):
                    node.body[at] = ast.AnnAssign(inner.targets[0], ast.Name("object"), inner.value, simple=1)
    if "import" in how:
        tree.body[:0] = ast.parse("import numpy as n").body
        return ast.unparse(tree).replace("np.", "n.")
    return ast.unparse(ast.fix_missing_locations(tree))  # which reformats it


def handed_in(texts):
    """Return what the judge keeps of each: the pieces that are not the course's own."""
    ours = similarity.pieces(COURSES, KNOWN)
    pieces = {name: similarity.pieces(text, KNOWN) for name, text in texts.items()}
    return {name: {piece: size for piece, size in some.items() if piece not in ours} for name, some in pieces.items()}


def class_of(texts):
    """Return the pairs of a class, the most alike first, handed in in any order: ({student, student}, likeness)."""
    everybody = list(texts.items())
    random.Random(0).shuffle(everybody)
    assert len(everybody) == 20
    return [({one, other}, likeness) for likeness, one, other, _ in similarity.pairs(handed_in(dict(everybody)))]


def planted_and_honest(pairs):
    """Return the likeness of each planted pair and of each honest one."""
    numbers = [({name.split()[1] for name in pair}, likeness) for pair, likeness in pairs]
    return [each for pair, each in numbers if len(pair) == 1], [each for pair, each in numbers if len(pair) == 2]


WAYS = ["", "rename", "reorder", "rename reorder", "rename pad", "reorder half", "rename half", "rename reorder half pad", "rename typed", "rename import reorder"]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_in_a_class_of_twenty_every_copy_ranks_above_every_honest_pair(way):
    """Each of the six strangers is copied; with them are eight of the twelve."""
    texts = {f"honest {number}": text for number, text in enumerate([*SIX, *TWELVE[:8]])}
    texts |= {f"copy {number}": copied(text, way) for number, text in enumerate(SIX)}
    planted, honest = planted_and_honest(class_of(texts))
    assert len(planted) == 6 and min(planted) > 2 * max(honest), "far above, not by chance"


def test_copies_disguised_in_different_ways_rank_above_the_pairs_of_all_eighteen():
    texts = {f"honest {number}": text for number, text in enumerate([*TWELVE[:8], *SIX[:4]])}
    texts |= {f"copy {number}": copied(text, way) for (number, text), way in zip(enumerate(TWELVE[:8]), WAYS)}
    planted, honest = planted_and_honest(class_of(texts))
    assert len(planted) == 8 and min(planted) > 2 * max(honest)


def test_a_helper_or_an_import_that_is_renamed_is_the_same():
    text = "import numpy as np\n\n\nclass Linear:\n    def forward(self, x):\n        self.sums = self._dot(x)\n        return np.maximum(self.sums, 0)\n\n    def _dot(self, x):\n        return x @ self.weight"
    copy = (
        text.replace("_dot", "product").replace("sums", "kept").replace("np", "n").replace("self.kept = ", "self.kept: float = ")
    )
    assert copy.count("product") == 2 and similarity.pieces(copy, KNOWN) == similarity.pieces(text, KNOWN)
    assert similarity.pieces(text.replace("_dot", "forward"), KNOWN) != similarity.pieces(text, KNOWN), (
        "the course's names are kept"
    )
