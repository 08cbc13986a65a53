"""The check of 08.4 confusion_matrix."""

import numpy as np

from .shared import kind


def draw_confusion_matrix(rng):
    """Four examples of two classes, then more, and classes that never occur; labels of several dtypes; one pair more than 255 times."""
    yield dict(labels=rng.permutation([0, 1, 1, 1]), predictions=rng.permutation([0, 0, 1, 1]), classes=2)
    for count, classes, dtype in (
        (int(rng.integers(25, 35)), 3, np.int64),
        (int(rng.integers(20, 30)), int(rng.integers(4, 7)), np.int32),
        (6, 4, np.int64),
        (40, int(rng.integers(11, 14)), np.int64),
        (30, int(rng.integers(7, 10)), np.uint8),
    ):
        labels = rng.integers(0, classes, count)
        slips = (labels + rng.integers(0, 2, count) * rng.integers(0, classes, count)) % classes
        yield dict(labels=labels.astype(dtype), predictions=np.where(labels == 0, 1, slips), classes=classes)
    often = rng.permutation(np.append(np.ones(int(rng.integers(258, 300)), np.int64), [0, 0]))  # more than uint8 holds
    yield dict(labels=often.astype(np.uint8), predictions=rng.permutation(often), classes=2)
    rare = int(rng.integers(1, 3))
    yield dict(labels=np.array([rare, 3, rare]), predictions=np.array([3, rare, rare]), classes=6)


def observe_confusion_matrix(confusion_matrix, labels, predictions, classes):
    counts = confusion_matrix(labels, predictions, classes)
    known = isinstance(counts, np.ndarray)
    kinds = {"i": "whole numbers", "u": "whole numbers", "f": "floats", "b": "truth values"}
    return {
        "counts": counts if known else f"a {kind(counts)}, no array",
        "they are": kinds.get(counts.dtype.kind, "others") if known else "none",
    }


def matrix_turn(
    place=lambda label, prediction: (label, prediction),
    once=False,
    which=lambda label, prediction: True,
    final=None,
    kind="whole numbers",
):
    """Make the matrix, or a wrong turn.

    Args:
        place: Where a pair counts.
        once: Whether it counts no more than once.
        which: Which pairs count.
        final: What becomes of the counts.
        kind: Kind of number.
    """

    def turn(labels, predictions, classes):
        counts = np.zeros((classes, classes), np.int64)
        for label, prediction in zip(labels, predictions):
            if which(label, prediction):
                row, column = place(label, prediction)
                counts[row, column] = 1 if once else counts[row, column] + 1
        return {"counts": final(counts) if final else counts, "they are": kind}

    return turn


def own_range(labels, predictions, classes):
    """What np.histogram2d makes of numbers whose range it is not told."""
    return {"counts": np.histogram2d(labels, predictions, bins=classes)[0], "they are": "whole numbers"}


def own_size(labels, predictions, classes):
    """As many classes as occur."""
    if not len(labels):
        return "raises", "ValueError"
    size = int(max(labels.max(), predictions.max())) + 1
    return {
        "counts": oracle_confusion_matrix(labels=labels, predictions=predictions, classes=size)["counts"],
        "they are": "whole numbers",
    }


oracle_confusion_matrix = matrix_turn()
misconceptions_confusion_matrix = {
    "rows and columns changed places: a row is a true class": matrix_turn(lambda label, prediction: (prediction, label)),
    "each pair was counted once, however often it occurs: `counts[labels, predictions] += 1` adds once to each place": matrix_turn(
        once=True
    ),
    "the rows were divided by their sums: counts are asked for": matrix_turn(
        final=lambda counts: counts / np.maximum(1, counts.sum(axis=1, keepdims=True)), kind="floats"
    ),
    "the counts were divided by how many there are: counts are asked for": matrix_turn(
        final=lambda counts: counts / max(1, counts.sum()), kind="floats"
    ),
    "the counts were kept in uint8, which holds no more than 255": matrix_turn(final=lambda counts: counts % 256),
    "only right predictions were counted": matrix_turn(which=lambda label, prediction: label == prediction),
    "only wrong predictions were counted": matrix_turn(which=lambda label, prediction: label != prediction),
    "the counts are floats; whole numbers are asked for: np.zeros makes floats unless it is told a dtype": matrix_turn(
        kind="floats"
    ),
    "the bins run from the least to the greatest label that occurs, not from 0 to classes - 1": own_range,
    "as many classes were counted as occur; classes says how many there are": own_size,
    "the counts began at 1": matrix_turn(final=lambda counts: counts + 1),
    "each pair was counted in both orders": matrix_turn(final=lambda counts: counts + counts.T),
}
