"""Similarity: planted copies rank above honest pairs, and code that everybody has weighs nothing."""

import itertools
import random

from tito.grading import similarity

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
