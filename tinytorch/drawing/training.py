"""Figures of a training run, as matplotlib objects: a notebook shows them, `savefig` writes them to a file. Given."""

import numpy as np

from tinytorch.tensor import unwrap


def figure(rows=1, columns=1, size=(4, 2.8), **options):
    """Return a new figure and its axes, an array (rows, columns); `size` is in inches."""
    from matplotlib.figure import Figure  # without pyplot: no window, no state, and only when something is drawn

    new = Figure(figsize=size, layout="constrained")
    return new, new.subplots(rows, columns, squeeze=False, **options)


def curves(history):
    """Draw the loss and the accuracy of each epoch, one line for each set of examples; a band shows the standard error.

    Args:
        history: List of a trainer's records; the names in them say which examples were measured, such as ``test_accuracy``.

    Returns:
        Figure.
    """
    new, ((losses, accuracies),) = figure(columns=2, size=(8, 2.8))
    for name, color in (("train", "C0"), ("validation", "C1"), ("test", "C2")):
        label = {"train": "training"}.get(name, name)
        curve(losses, history, f"{name}_loss", color, label=label)
        curve(accuracies, history, f"{name}_accuracy", color, label=label, scale=100)
    losses.set(xlabel="epoch", ylabel="loss")
    accuracies.set(xlabel="epoch", ylabel="accuracy (%)")
    for axis in (losses, accuracies):
        whole_epochs(axis, history)
        if axis.get_legend_handles_labels()[0]:
            axis.legend()
    return new


def whole_epochs(axis, history):
    """Show only whole numbers on the axis of epochs, with room on each side of a single epoch."""
    from matplotlib.ticker import MaxNLocator

    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if len(history) == 1:
        axis.set_xlim(history[0]["epoch"] - 1, history[0]["epoch"] + 1)
        axis.set_xticks([history[0]["epoch"]])


def curve(axis, history, name, color, label=None, scale=1):
    """Draw one measure of all records that hold it, with a band of one standard error on each side."""
    rows = [(record["epoch"], record[name], record.get(f"{name}_error", 0)) for record in history if name in record]
    if not rows:
        return
    epochs, values, errors = np.array(rows, float).T * [[1], [scale], [scale]]
    axis.plot(epochs, values, "o-" if len(epochs) == 1 else ".-", color=color, label=label)
    if len(epochs) == 1:
        axis.errorbar(epochs, values, errors, color=color, capsize=4)
    axis.fill_between(epochs, values - errors, values + errors, color=color, alpha=0.2, linewidth=0)


def confusion(counts, classes):
    """Draw a confusion matrix; the mistakes are shaded, the diagonal is not.

    Args:
        counts: int array of shape (C, C); rows are true classes, columns predicted ones.
        classes: Names of the C classes.

    Returns:
        Figure.
    """
    inches = 1.2 + 0.36 * len(classes)
    new, ((axis,),) = figure(size=(inches, inches))
    mistakes = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    axis.imshow(mistakes, cmap="Oranges")
    for row, column in np.ndindex(counts.shape):
        right = row == column
        dark = mistakes[row, column] > 0.6 * max(1, mistakes.max())
        axis.text(
            column,
            row,
            f"{counts[row, column]}",
            ha="center",
            va="center",
            fontsize=7,
            color="white" if dark else "black",
            weight="bold" if right else "normal",
        )
    upright = {} if max(map(len, classes)) < 3 else {"rotation": 60, "ha": "right", "rotation_mode": "anchor"}
    axis.set_xticks(range(len(classes)), classes, **upright)
    axis.set_yticks(range(len(classes)), classes)
    axis.set(xlabel="predicted", ylabel="true")
    return new


def filters(weight, shape=None, count=32, columns=8):
    """Draw what the neurons or the filters of a first layer look for: each row of its weight as a picture.

    Args:
        weight: Tensor or array of shape (neurons, pixels), or a convolution's, of shape (filters, channels, height, width).
        shape: Shape of a picture: (height, width), or (channels, height, width) with three channels; None for the filters' own.
        count: How many to draw, those with the largest norm first.
        columns: Pictures in a row.

    Returns:
        Figure. In grey pictures blue is negative, red positive, and white 0.
    """
    weight = unwrap(weight)
    rows, shape = weight.reshape(len(weight), -1), shape or weight.shape[1:]
    rows = rows[np.argsort(-np.linalg.norm(rows, axis=1), kind="stable")[:count]]
    new, axes = grid(len(rows), min(columns, len(rows)))
    for axis, row in zip(axes, rows):
        picture, limit = row.reshape(shape), np.abs(row).max() or 1
        if picture.ndim == 3 and len(picture) == 3:
            axis.imshow((picture.transpose(1, 2, 0) / limit + 1) / 2)
        else:
            signed(axis, picture if picture.ndim == 2 else picture.mean(axis=0), limit)
    return new


def signed(axis, picture, limit=None):
    """Draw numbers (height, width): white is 0, red is `limit` or more (None: the largest of all), blue the same below 0."""
    limit = limit or np.abs(picture).max() or 1
    axis.imshow(picture, cmap="RdBu_r", vmin=-limit, vmax=limit)


def feature_maps(image, maps, columns=16):
    """Draw a network's layer outputs for one picture: a row of maps for each layer, below the picture.

    Args:
        image: uint8 array of shape (height, width) or (channels, height, width).
        maps: Dict from a layer's name to its output, a tensor or an array of shape (channels, height, width).
        columns: The most maps to draw for a layer, from the first on.

    Returns:
        Figure. White is 0, red positive, blue negative; each layer has its own scale.
    """
    columns = min(columns, max(len(unwrap(values)) for values in maps.values()))
    new, axes = grid((1 + len(maps)) * columns, columns)
    first, *rest = np.reshape(list(axes), (-1, columns))
    show(first[0], image)
    for row, (name, values) in zip(rest, maps.items()):
        values = unwrap(values)
        some = f"the first {columns} of " * (len(values) > columns)
        words = f"{name}: {some}{len(values)} maps of {values.shape[1]}x{values.shape[2]}"
        row[0].set_title(" ", fontsize=7)  # room for the words, which are wider than a picture and must not widen its column
        row[0].text(0, 1.06, words, fontsize=7, transform=row[0].transAxes).set_in_layout(False)
        for axis, picture in zip(row, values):
            signed(axis, picture, np.abs(values).max())
    return new


def mistakes(images, labels, logits, classes, count=16, columns=8):
    """Draw the worst mistakes: the pictures whose true class got the lowest probability.

    Args:
        images: uint8 array of shape (N, height, width) or (N, channels, height, width).
        labels: int array of shape (N,).
        logits: Array of shape (N, C).
        classes: Names of the C classes.
        count: The most pictures to draw.
        columns: Pictures in a row.

    Returns:
        Figure. Above each picture: its class, the predicted class, and the predicted class's probability.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    predicted, given = logits.argmax(axis=1), logs[np.arange(len(labels)), labels]
    worst = [i for i in np.argsort(given, kind="stable") if predicted[i] != labels[i]][:count]
    new, axes = grid(len(worst), min(columns, max(1, len(worst))), height=1.2)
    for axis, i in zip(axes, worst):
        show(axis, images[i])
        taken = predicted[i]
        axis.set_title(f"{classes[labels[i]]} as {classes[taken]}\n{100 * np.exp(logs[i, taken]):.0f} %", fontsize=7)
    return new


def show(axis, image):
    """Draw a picture of one channel or of three."""
    channels_last = np.atleast_3d(image if image.ndim == 2 else image.transpose(1, 2, 0))
    axis.imshow(channels_last.squeeze(), cmap="gray", vmin=0, vmax=255)


def grid(count, columns, height=1.0):
    """Return a figure with room for some pictures, and an iterator over their axes, which have no frames."""
    rows = max(1, -(-count // columns))
    new, axes = figure(rows, columns, size=(columns, height * rows))
    for axis in axes.flat:
        axis.axis("off")
    return new, axes.flat
