"""The figures of a run, as files beside its weights."""
from typing import NamedTuple

import numpy as np

from common.evaluation import predict
from tinytorch import figures


class Pictures(NamedTuple):
    """What figures are drawn of: test images (bytes), names of classes, and batches as the network sees them."""

    images: np.ndarray
    classes: tuple
    batches: list


def draw(folder, history, model, pictures):
    """Draw the epochs, the mistakes and what the first layer looks for, if matplotlib is there.

    Args:
        folder: `pathlib.Path` of the folder to draw into.
        history: List of a dict of numbers for each epoch.
        model: The network.
        pictures: `Pictures` of the test data.

    Returns:
        What the closing table says of it.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return "not drawn: pip install matplotlib"
    folder.mkdir(parents=True, exist_ok=True)
    logits, labels = predict(model, pictures.batches)
    counts = np.zeros((len(pictures.classes),) * 2, int)
    np.add.at(counts, (labels, logits.argmax(axis=1)), 1)
    first = next(model.parameters())
    drawn = {
        "curves": figures.curves([{**one, "validation_accuracy": accuracy(one)} for one in history]),
        "confusion": figures.confusion(counts, pictures.classes),
        "filters": figures.filters(first, pictures.images.shape[1:]),
        "mistakes": figures.mistakes(pictures.images, labels, logits, pictures.classes),
    }
    for name, figure in drawn.items():
        figure.savefig(folder / f"{name}.png", dpi=120)
    return f"{', '.join(drawn)} (.png), beside the weights"


def accuracy(record):
    """Return the accuracy that was measured after an epoch."""
    return record.get("validation_accuracy", record.get("test_accuracy"))
