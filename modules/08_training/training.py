# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Training
#
# Tensors, layers, losses, gradients, optimizers, data: you have all the parts. In this module you write the training loop that uses
# them, and then three things that make the loop trustworthy: a measurement with its standard error, a rule for when to stop, and a
# file from which training continues after a power cut.

# %%
from tito import notebook
check = notebook("08")

import matplotlib.pyplot as plt
import numpy as np
from tinytorch.data import shift
rng = np.random.default_rng(0)

# %% [markdown]
# ## Something to learn
#
# The data are the ten digits of a pocket calculator on 12 by 12 pixels, shifted and covered with noise. They are hard enough for
# mistakes, and small enough to train on in a second. Each octal digit below is a row of three pixels.

# %%
FONT = "75557 26227 71747 71717 55711 74717 74757 71122 75757 75717".split()
glyphs = np.array([[[int(row) >> 2 - x & 1 for x in range(3)] for row in rows] for rows in FONT])
centred = np.zeros((10, 1, 12, 12))
centred[:, 0, 1:11, 3:9] = 160 * glyphs.repeat(2, axis=1).repeat(2, axis=2)

def draw_digits(count):
    """Return uint8 images (count, 1, 12, 12) and their labels."""
    labels = rng.integers(0, 10, count)
    places = rng.integers(-1, 2, count), rng.integers(-3, 4, count)
    pixels = shift(centred[labels], *places) + rng.normal(40, 55, (count, 1, 12, 12))
    return np.clip(pixels, 0, 255).astype(np.uint8), labels

images, labels = draw_digits(2000)
figure, axes = plt.subplots(1, 8, figsize=(7, 1), layout="constrained")
for axis, image in zip(axes, images):
    axis.imshow(image[0], cmap="gray")
    axis.axis("off")

# %%
from tinytorch.data import DataLoader, Normalize, TensorDataset, random_split
from tinytorch.layers import Dropout, Flatten, Linear, ReLU, Sequential
from tinytorch.losses import cross_entropy, mse_loss

dataset = TensorDataset(images, labels, transform=Normalize([0.27], [0.27]))
training, validation = random_split(dataset, [1000, 1000], rng=rng)

def loaders(seed=0):
    order = np.random.default_rng(seed)
    return (DataLoader(training, batch_size=64, shuffle=True, generator=order),
            DataLoader(validation, batch_size=300))

def network(seed=0):
    start = np.random.default_rng(seed)
    return Sequential(Flatten(), Linear(144, 64, rng=start), ReLU(), Dropout(0.2, rng=start),
                      Linear(64, 10, rng=start))

# %% [markdown]
# ## The loop
#
# One **epoch** uses every training example once. For each batch there are five steps: clear the old gradients, run the network,
# compute the loss, run backward, and let the optimizer take a step. Some layers, such as dropout, work differently in training, so
# put the network into training mode first. Nearly all of deep learning is this loop, run a million times.

# %%
#| export
"""Training: the loop, standard errors, when to stop, and checkpoints to resume from."""
import copy
import functools
import inspect
import json
import math
import os
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinytorch.autograd import no_grad
from tinytorch.given.callbacks import BestWeights, Callback, PrintEpochs
from tinytorch.given import safetensors
from tinytorch.given.resuming import all_generators, restore, state_of
from tinytorch.optim import clip_grad_norm_
from tinytorch.tensor import Tensor

# %% [markdown]
# The last batch is usually smaller than the others. Its loss is a mean over fewer examples, so it must have a smaller weight in the mean
# of the epoch. You want the mean over **examples**.

# %% exercise="08.1" minutes=30 points=4
#| export
def train_epoch(model, loader, criterion, optimizer, *, clip_norm=None, after_step=None):
    """Train a network on every batch of a loader, once.

    Args:
        model: The network; its method ``train()`` switches it to training mode.
        loader: Iterable of pairs of tensors: inputs of shape (N, ...) and labels of shape (N,).
        criterion: Function of the network's output and the labels; it returns the batch's mean
            loss, a tensor of one number.
        optimizer: The optimizer. It steps once for each batch, with the gradients of that batch.
        clip_norm: If given, `clip_grad_norm_` shortens the gradients to this length before the
            step.
        after_step: If given, a function called after each step with the batch's loss, a Python
            float.

    Returns:
        Python float, the mean loss over all examples: each batch's loss counts N times. The losses
        are those before each step, in training mode.

    Raises:
        ValueError: The loader has no batches.

    Example:
        >>> from tinytorch.layers import Linear
        >>> from tinytorch.losses import cross_entropy
        >>> from tinytorch.optim import SGD
        >>> model, batch = Linear(2, 3), (Tensor([[1.0, 2.0]]), Tensor([0]))
        >>> optimizer = SGD(model.parameters(), lr=0.1)
        >>> first = train_epoch(model, [batch], cross_entropy, optimizer)
        >>> train_epoch(model, [batch], cross_entropy, optimizer) < first
        True

    Source:
        Goodfellow, Bengio and Courville, Deep Learning, 2016, algorithm 8.1.
    """
    ### BEGIN SOLUTION
    model.train()
    total, count = 0.0, 0
    for inputs, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        if clip_norm is not None:
            clip_grad_norm_(model.parameters(), clip_norm)
        optimizer.step()
        total, count = total + loss.item() * len(labels), count + len(labels)
        if after_step is not None:
            after_step(loss.item())
    if count == 0:
        raise ValueError("the loader has no batch: nothing to train on")
    return total / count
    ### END SOLUTION

# %% check="08.1"
check("08.1")

# %% [markdown] hint="08.1"
# `backward` **adds** to existing gradients. When do you have to clear them, so that each step uses only the gradients of its own batch,
# and none from before the call?

# %% [markdown] hint="08.1"
# The order is always the same: `zero_grad`, the network, the criterion, `backward`, the clipping, `step`, `after_step`.

# %% [markdown] hint="08.1"
# For the mean, keep two numbers: the sum of loss times batch size, and the number of examples. `loss.item()` is a Python number,
# `len(labels)` the size of the batch.

# %%
from tinytorch.optim import Adam

model, (train_loader, _) = network(), loaders()
optimizer = Adam(model.parameters(), lr=0.003)
for epoch in range(1, 6):
    print(epoch, round(train_epoch(model, train_loader, cross_entropy, optimizer), 3))

# %% [markdown]
# ## How sure can you be?
#
# "97.8 %" on a test set is a measurement, and a different test set would have given a different number. How different? For the mean of
# $n$ values, this is the **standard error**: their sample standard deviation divided by $\sqrt n$,
#
# $$\mathrm{error} = \frac{s}{\sqrt n} \qquad s = \sqrt{\frac{1}{n - 1}\sum_i (x_i - \bar x)^2}$$
#
# Accuracy needs no formula of its own: it is the mean of ones and zeros, and the same expression gives $\sqrt{a (1 - a) / (n - 1)}$.

# %% exercise="08.2" minutes=15 points=2
#| export
def mean_and_error(values):
    """Return the mean of some values and its standard error.

    Args:
        values: Array of shape (n,): numbers, or truth values, which count as 1 and 0.

    Returns:
        Pair of Python floats, computed in float64: the mean, and the sample standard deviation
        (with a sum of squares divided by n - 1) over the root of n. The error of a single value is
        nan, without a warning.

    Raises:
        ValueError: There is no value.

    Example:
        >>> mean, error = mean_and_error(np.array([True, True, True, False, True]))
        >>> round(mean, 3), round(error, 3)
        (0.8, 0.2)

    Source:
        Student, The probable error of a mean, 1908.
    """
    ### BEGIN SOLUTION
    values = np.asarray(values, np.float64)
    if len(values) == 0:
        raise ValueError("a mean needs at least one value, got none")
    error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return float(values.mean()), float(error)
    ### END SOLUTION

# %% check="08.2"
check("08.2")

# %% [markdown] hint="08.2"
# NumPy's `std` divides by n unless you tell it otherwise. Look for the argument that makes it divide by n - 1.

# %% [markdown] hint="08.2"
# Convert first: truth values and float32 become float64. Then handle no value and one value separately, and `float(...)` both results.

# %% [markdown] question="08.1"
# Two networks reach 97.8 % and 98.1 % on the same 10,000 test images. **Predict** the standard error of each, in percent, and how many
# images you need to halve it. Then run the cell. Is the second network really better?

# %%
for count in (100, 1000, 10_000, 40_000):
    hits = np.arange(count) < 0.978 * count
    mean, error = mean_and_error(hits)
    print(f"{count:6} images: {100 * mean:.1f} +- {100 * error:.2f} %")

# %% [markdown]
# ## What does the network predict?
#
# To measure a network, run it without training it: in evaluation mode, where dropout is off, and inside `no_grad`, so that nothing is
# kept for a backward pass. Then restore the mode. If you leave a network in evaluation mode, it goes on training without dropout, and
# no error tells you.

# %% exercise="08.3" minutes=20 points=3
#| export
def predict(model, loader):
    """Run a network on every batch of a loader, without gradients and in evaluation mode.

    Args:
        model: The network. Its attribute ``training`` holds its mode; ``eval()`` switches to
            evaluation mode, ``train(mode)`` back to the previous mode.
        loader: Iterable of pairs of tensors: inputs of shape (N, ...) and labels of shape (N,).

    Returns:
        Pair of NumPy arrays, the batches one below the other: the network's outputs, of shape
        (all N together, C), and the labels. Afterwards the network is in its previous mode.

    Example:
        >>> from tinytorch.layers import Dropout
        >>> batch = Tensor([[1.0, 2.0]]), Tensor([0])
        >>> predict(Dropout(0.5), [batch, batch])
        (array([[1., 2.],
               [1., 2.]], dtype=float32), array([0, 0]))
    """
    ### BEGIN SOLUTION
    before = model.training
    model.eval()
    outputs, targets = [], []
    try:
        with no_grad():
            for inputs, labels in loader:
                outputs.append(model(inputs).numpy())
                targets.append(labels.numpy())
    finally:
        model.train(before)
    return np.concatenate(outputs), np.concatenate(targets)
    ### END SOLUTION

# %% check="08.3"
check("08.3")

# %% [markdown] hint="08.3"
# Three things around a loop: save the mode, change it, restore it. The mode may have been evaluation mode already.

# %% [markdown] hint="08.3"
# The block of `no_grad` goes around the loop. Collect `.numpy()` of each output and of each batch of labels in two lists;
# `np.concatenate` joins a list of arrays along the first axis. `try` and `finally` restore the mode even after an error.

# %% [markdown]
# Once you have the outputs, a measurement is one line. The given function `evaluate` gets one loss per example from the criterion, so
# that it can compute a standard error of the loss too.

# %%
#| export
class Result(NamedTuple):
    """The result of a network; each error is the standard error of the mean before it."""

    accuracy: float
    accuracy_error: float
    loss: float
    loss_error: float


def with_reduction(criterion, reduction):
    """Return a copy of a criterion with another reduction, ``"mean"`` or ``"none"``."""
    if getattr(criterion, "reduction", None) is not None:
        criterion = copy.copy(criterion)
        criterion.reduction = reduction
        return criterion
    if "reduction" in inspect.signature(criterion).parameters:
        return functools.partial(criterion, reduction=reduction)
    if reduction == "mean":
        return criterion

    def one_by_one(outputs, targets):
        pairs = ((outputs[i:i + 1], targets[i:i + 1]) for i in range(len(targets)))
        return Tensor([criterion(*pair).item() for pair in pairs])

    return one_by_one


def evaluate(model, loader, criterion):
    """Measure a network.

    Args:
        model: Network from inputs to logits (N, C).
        loader: Iterable of pairs of tensors: inputs, and labels (N,).
        criterion: Function of logits and labels, such as `cross_entropy`, or one of the losses that
            are classes. Examples whose label is its ``ignore_index`` do not count.

    Returns:
        `Result` over all examples. The accuracy is a fraction, or nan if the targets are not labels
        of classes. The loss is the criterion's mean.
    """
    outputs, labels = predict(model, loader)
    accuracy = math.nan, math.nan
    if labels.dtype.kind in "iu" and outputs.ndim == labels.ndim + 1:
        counts = labels != getattr(criterion, "ignore_index", None)
        outputs, labels = outputs[counts], labels[counts]
        accuracy = mean_and_error(outputs.argmax(axis=1) == labels)
    loss, losses = (with_reduction(criterion, reduction)(Tensor(outputs), Tensor(labels)).numpy()
                    for reduction in ("mean", "none"))
    mean, error = mean_and_error(losses.reshape(len(labels), -1).mean(axis=1))
    # With class weights, the criterion's mean is not the mean of the examples' losses.
    return Result(*accuracy, float(loss), error * float(loss) / mean if mean else error)

# %%
train_loader, validation_loader = loaders()
for name, loader in (("training", train_loader), ("validation", validation_loader)):
    result = evaluate(model, loader, cross_entropy)
    print(f"{name:10} accuracy {100 * result.accuracy:.1f} +- {100 * result.accuracy_error:.1f} %, "
          f"loss {result.loss:.3f} +- {result.loss_error:.3f}")

# %% [markdown]
# ## Which mistakes?
#
# One number hides what goes wrong. A **confusion matrix** counts each pair of classes: the number in row $i$, column $j$ is how often an
# image of class $i$ was classified as class $j$. On the diagonal are the correct predictions.

# %% exercise="08.4" minutes=15 points=2
#| export
def confusion_matrix(labels, predictions, classes):
    """Count how often each class was predicted for each true class.

    Args:
        labels: Array of shape (N,): the true classes, whole numbers from 0 to ``classes`` - 1.
        predictions: Array of shape (N,): the predicted classes.
        classes: Number of classes, C.

    Returns:
        int array of shape (C, C). Entry (i, j) is the number of n with ``labels[n] == i`` and
        ``predictions[n] == j``.

    Example:
        >>> confusion_matrix(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), classes=2)
        array([[1, 1],
               [0, 2]])

    Source:
        Townsend, Theoretical analysis of an alphabetic confusion matrix, 1971.
    """
    ### BEGIN SOLUTION
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return counts
    ### END SOLUTION

# %% check="08.4"
check("08.4")

# %% [markdown] hint="08.4"
# `counts[labels, predictions] += 1` adds 1 to each pair **once**, however often the pair occurs: NumPy reads all entries, adds, then
# writes. A loop works, and so does a function that adds for every occurrence.

# %% [markdown] hint="08.4"
# Use `np.add.at`, which is made for this, or number the pairs from 0 to C * C - 1 and count them with `np.bincount` and its argument
# `minlength`.

# %%
from tinytorch.drawing.training import confusion, curves, filters, mistakes

logits, truth = predict(model, validation_loader)
counts = confusion_matrix(truth, logits.argmax(axis=1), 10)
confusion(counts, "0123456789")

# %% [markdown] question="08.2"
# Which two digits does the network confuse most, and in how many strokes do they differ? Is the matrix symmetric, and does it have to
# be?

# %%
validation_images = np.stack([dataset.arrays[0][i] for i in validation.indices])
mistakes(validation_images, truth, logits, "0123456789")

# %% [markdown]
# ## When to stop
#
# The loss on the training set keeps falling. On the **validation** set, which the network does not train on, the loss falls, levels
# off, and rises again when the network begins to memorise its examples. **Early stopping** stops after `patience` epochs without an
# improvement, and keeps the weights of the best epoch. An improvement of no more than `min_delta` is noise and does not count. Here
# `patience` is 2:
#
# | validation loss | 0.9 | 0.7 | 0.8 | 0.6 | 0.65 | 0.61 |
# |---|---|---|---|---|---|---|
# | epochs waited | 0 | 0 | 1 | 0 | 1 | 2: stop |

# %% exercise="08.5" minutes=20 points=3
#| export
class Patience:
    """Wait for a loss to improve, for a limited number of epochs.

    Args:
        patience: Number of epochs in a row without an improvement after which waiting is over.
        min_delta: A loss is an improvement if it is lower than the best one by **more** than this.

    Its attributes are ``patience``, ``min_delta``, ``best`` (the lowest loss that counted; infinity
    at the start) and ``waited`` (the number of epochs since then).

    Example:
        >>> waiting = Patience(patience=2)
        >>> [waiting.step(loss) for loss in (0.9, 0.7, 0.8, 0.75)]
        [True, True, False, False]
        >>> waiting.best, waiting.waited, waiting.over
        (0.7, 2, True)

    Source:
        Prechelt, Early Stopping - But When?, 1998.
    """

    def __init__(self, patience, min_delta=0.0):
        ### BEGIN SOLUTION
        self.patience, self.min_delta = patience, min_delta
        self.best, self.waited = math.inf, 0
        ### END SOLUTION

    def step(self, loss):
        """Compare the loss of an epoch with the best one.

        Args:
            loss: One number, the loss.

        Returns:
            bool, whether the loss is an improvement. If so, it becomes ``best`` and ``waited``
            becomes 0; if not, ``waited`` grows by one. A loss of nan is no improvement.
        """
        ### BEGIN SOLUTION
        improved = loss < self.best - self.min_delta
        if improved:
            self.best, self.waited = loss, 0
        else:
            self.waited += 1
        return improved
        ### END SOLUTION

    @property
    def over(self):
        """Return whether ``waited`` has reached ``patience``.

        Returns:
            bool.
        """
        ### BEGIN SOLUTION
        return self.waited >= self.patience
        ### END SOLUTION

# %% check="08.5"
check("08.5")

# %% [markdown] hint="08.5"
# Compare with the best loss so far, not with the last: a loss that creeps down after a jump up is no improvement.

# %% [markdown] hint="08.5"
# One comparison decides: is the loss below `best - min_delta`? If so, two attributes change; if not, only one.

# %% [markdown]
# ## What a checkpoint must contain
#
# The weights are not enough. You also need Adam's running means, the count of the schedule, and the state of every generator that draws
# an order or a dropout mask. If one of them is missing, training continues with different numbers than without the break. Together
# they form a tree of dicts and lists, with arrays, numbers and strings at its leaves.

# %%
layer = Linear(2, 1)
optimizer = Adam(layer.parameters(), lr=0.01)
train_epoch(layer, [(Tensor([[1.0, 2.0]]), Tensor([[3.0]]))], mse_loss, optimizer)
{"epoch": 7, "optimizer": optimizer.state_dict(),
 "order": np.random.default_rng(0).bit_generator.state}

# %% [markdown]
# Arrays go into **safetensors**, a format with names, shapes and bytes that cannot run code; the rest goes into JSON. So split the tree.
# Each array gets a name, made of the keys that lead to it, and a note with that name takes the array's place.

# %% exercise="08.6" minutes=25 points=3
#| export
def split_arrays(tree, name=""):
    """Take the arrays out of a tree and leave a note in place of each.

    Args:
        tree: Dict, list or tuple, array of any shape, or anything else, such as a number or None.
            The values of dicts and the entries of lists are trees again. It is not changed.
        name: Keys that lead to this tree, joined by dots; "" at the root.

    Returns:
        Pair of the tree without arrays and a dict from name to array. In the tree,
        ``{"array": name}`` replaces each array, tuples become lists, and the rest is unchanged. An
        array's name is made of the keys of dicts and positions in lists that lead to it from the
        root, joined by dots.

    Example:
        >>> rest, arrays = split_arrays({"lr": 0.1, "state": [{"mean": np.zeros(2)}]})
        >>> rest
        {'lr': 0.1, 'state': [{'mean': {'array': 'state.0.mean'}}]}
        >>> arrays
        {'state.0.mean': array([0., 0.])}
    """
    ### BEGIN SOLUTION
    if isinstance(tree, np.ndarray):
        return {"array": name}, {name: tree}
    if not isinstance(tree, (dict, list, tuple)):
        return tree, {}
    rest, arrays = {}, {}
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        rest[key], below = split_arrays(value, f"{name}.{key}" if name else str(key))
        arrays.update(below)
    return rest if isinstance(tree, dict) else list(rest.values()), arrays
    ### END SOLUTION

# %% check="08.6"
check("08.6")

# %% [markdown] hint="08.6"
# Write a function that calls itself. There are three kinds of tree. For an array, return its note and a dict with one entry. For dicts
# and lists, call the function for each value. Return anything else as it is, with an empty dict.

# %% [markdown] hint="08.6"
# A list is like a dict with the keys 0, 1, 2, ... For a list, `enumerate` gives the same pairs as `items` does for a dict. Build a new
# dict from the results of the calls. If the input was a list, turn the values of this dict into a list at the end.

# %% [markdown] hint="08.6"
# The name of a child is name, dot, key. But at the root there is no name yet, and no dot. A dict's method `update` adds all entries of
# another dict.

# %% [markdown]
# ## All or nothing
#
# The power can fail while you write a checkpoint. If you open the old file for writing, there is a moment with neither the old state
# nor the new one. So write a **second** file next to the first. When the second file is complete, `os.replace` gives it the name of the
# first in a single step of the file system. Before this step, the name means the old file; after it, the new one. Any name will do for
# the second file, such as `state.bin.tmp`. If two runs may save to the same path at once, they need different ones:
# `os.urandom(8).hex()` gives 16 random hexadecimal digits.

# %% exercise="08.7" minutes=15 points=2
#| export
def atomically(path, write):
    """Write a file so that its name always means the complete old file or the complete new one.

    Args:
        path: ``pathlib.Path`` of the file, which may exist already.
        write: Function that takes a file, open for writing bytes, and writes the whole contents.

    Returns:
        None. While ``write`` runs, the bytes go to a temporary file in the same folder. If
        ``write`` raises an error, the temporary file is removed, the old one is unchanged, and the
        error is passed on.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "state.bin"
        ...     atomically(path, lambda file: file.write(b"new"))
        ...     path.read_bytes()
        b'new'

    Source:
        POSIX.1-2017, "rename": it replaces a file in one step.
    """
    ### BEGIN SOLUTION
    unfinished = path.with_name(f"{path.name}.{os.urandom(8).hex()}.tmp")
    try:
        with unfinished.open("wb") as file:
            write(file)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    ### END SOLUTION

# %% check="08.7"
check("08.7")

# %% [markdown] hint="08.7"
# `path.with_name(...)` is the path of another file in the same folder. Open that file, pass it to `write`, close it, and only then
# rename it with `os.replace`.

# %% [markdown] hint="08.7"
# Use `try` and `finally`. After a failure, the temporary file still exists and must be removed. After a success, it no longer exists.
# `unlink(missing_ok=True)` works in both cases.

# %%
#| export
def save_checkpoint(path, state):
    """Write a tree of dicts, lists, arrays, numbers and strings to one file, all or nothing.

    Args:
        path: The file, in safetensors format. Everything but the arrays is JSON in its header.
        state: The tree. After loading, keys that are whole numbers are strings, tuples are lists.
    """
    rest, arrays = split_arrays(state)
    data = safetensors.dump(arrays, {"state": json.dumps(rest)})

    def write(file):
        file.write(data)
        file.flush()
        os.fsync(file.fileno())  # otherwise a power cut could leave an empty file with the new name

    atomically(Path(path), write)


def load_checkpoint(path):
    """Return the tree that `save_checkpoint` wrote; raise ValueError if the file has none."""
    arrays, metadata = safetensors.load_file(path, checked=True)
    if "state" not in metadata:
        raise ValueError(f"{path} has arrays, but no training state")
    try:
        return join_arrays(json.loads(metadata["state"]), arrays)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: its state does not match its arrays") from error


def join_arrays(rest, arrays):
    """Put arrays back into the places that `split_arrays` took them from."""
    if isinstance(rest, dict) and rest.keys() == {"array"}:
        return arrays[rest["array"]]
    if isinstance(rest, dict):
        return {key: join_arrays(value, arrays) for key, value in rest.items()}
    return [join_arrays(value, arrays) for value in rest] if isinstance(rest, list) else rest

# %% [markdown]
# ## The trainer
#
# The rest is given and puts the parts together. After every step and every epoch, the trainer calls its **callbacks**. Early stopping
# is one of them, and uses your `Patience`.

# %%
#| export
class EarlyStopping(BestWeights):
    """Stop when a measure has not improved for some epochs, and end with the best epoch's weights.

    Args:
        patience: Number of epochs to wait.
        min_delta: Only a change of more than this counts as an improvement.
        monitor: The entry of the records to watch; accuracies should rise, all others fall.
    """

    def __init__(self, patience=5, min_delta=0.0, monitor="validation_loss"):
        self.waiting, self.monitor = Patience(patience, min_delta), monitor

    def epoch_end(self, trainer, record):
        """Keep the weights of the best epoch so far, or stop."""
        if self.monitor not in record:
            raise ValueError(f"EarlyStopping watches {self.monitor}, but the records hold "
                             f"{', '.join(record)}: give fit a validation_loader")
        value = record[self.monitor]
        if self.waiting.step(-value if "accuracy" in self.monitor else value):
            self.keep(trainer, record["epoch"])
        if self.waiting.over:
            trainer.stopped = f"{self.monitor} has not improved since epoch {self.best_epoch}"

    def state_dict(self):
        """Return the number of epochs waited, and the best weights."""
        return {**super().state_dict(), "best": self.waiting.best, "waited": self.waiting.waited}

    def load_state_dict(self, saved):
        """Continue from where `state_dict` was taken."""
        super().load_state_dict(saved)
        self.waiting.best, self.waiting.waited = saved["best"], saved["waited"]

# %% [markdown]
# The trainer writes the checkpoint at the end of an epoch, never within one. If the process is killed, the epoch starts again with the
# weights **and the generators** from its beginning. Generators are easy to forget, so the trainer looks for them itself, in loaders,
# datasets and layers. You only have to pass those that are elsewhere, for example in a function of yours.

# %%
#| export
class Trainer:
    """Train a network, epoch by epoch, with checkpoints to continue from.

    Args:
        model: The network.
        criterion: Function of logits and labels, or an object of a loss class.
        optimizer: The optimizer of the network's parameters.
        scheduler: Schedule of the learning rate.
        callbacks: `Callback` objects, called in this order.
        checkpoint: File to save the state to, before the first epoch and after each epoch.
        clip_norm: Maximum length of the gradients.
        schedule: Whether the schedule steps after each ``"epoch"`` or after each ``"step"``.
        generators: Dict of generators that are not in the loaders, datasets or layers.
        settings: Dict that is saved, too. Resuming a checkpoint with other settings is an error.
    """

    def __init__(self, model, criterion, optimizer, scheduler=None, callbacks=(), checkpoint=None,
                 clip_norm=None, schedule="epoch", generators=None, settings=None):
        if schedule not in ("epoch", "step"):
            raise ValueError(f'schedule is "epoch" or "step", got {schedule!r}')
        self.model, self.criterion, self.optimizer = model, criterion, optimizer
        self.scheduler, self.schedule, self.callbacks = scheduler, schedule, list(callbacks)
        self.checkpoint, self.clip_norm = checkpoint and Path(checkpoint), clip_norm
        self.named, self.generators = generators or {}, {}
        self.train_epoch = train_epoch  # can be replaced, for example by one that replays steps
        self.settings = json.loads(json.dumps(settings or {}))  # as a file gives them back
        self.epoch, self.stopped, self.interrupted, self.history = 0, None, False, []

    def fit(self, train_loader, validation_loader=None, epochs=1, resume=False):
        """Train up to a total number of epochs, or until a callback stops training.

        Args:
            train_loader: Iterable of pairs of tensors: inputs and labels.
            validation_loader: The same, for a measurement after each epoch.
            epochs: Total number, including those of earlier calls and of a resumed training.
            resume: Whether to continue from the checkpoint file, if it exists.

        Returns:
            The history: for each epoch a dict of numbers.
        """
        if resume and self.checkpoint is None:
            raise ValueError("resume=True needs a checkpoint: Trainer(..., checkpoint=path)")
        self.interrupted = False
        self.generators = all_generators(self.named, train=train_loader, model=self.model,
                                         validation=validation_loader)
        if resume and self.checkpoint.exists():
            self.load_state_dict(load_checkpoint(self.checkpoint))
        self.ask("train_begin")
        self.save()
        try:
            while self.epoch < epochs and not self.stopped:
                self.run_epoch(train_loader, validation_loader)
        except KeyboardInterrupt:
            self.interrupt()
        self.ask("train_end")
        return self.history

    def run_epoch(self, train_loader, validation_loader):
        """Train on every batch once, measure, and save."""
        lr, began = self.optimizer.param_groups[0]["lr"], time.perf_counter()
        loss = self.train_epoch(self.model, train_loader, self.criterion, self.optimizer,
                                clip_norm=self.clip_norm, after_step=self.after_step)
        seconds = time.perf_counter() - began
        record = {"epoch": self.epoch + 1, "lr": lr, "seconds": seconds, "train_loss": loss}
        if validation_loader is not None:
            result = evaluate(self.model, validation_loader, self.criterion)
            record.update({f"validation_{name}": x for name, x in result._asdict().items()})
        if self.scheduler and self.schedule == "epoch":
            self.scheduler.step()
        self.epoch += 1
        self.history.append(record)
        self.ask("epoch_end", record)
        self.save()

    def after_step(self, loss):
        """Raise an error for an infinite or nan loss; step the schedule; call the callbacks."""
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss} in epoch {self.epoch + 1}: lower the "
                                     "learning rate, or clip the gradients with clip_norm")
        if self.scheduler and self.schedule == "step":
            self.scheduler.step()
        self.ask("step_end", loss)

    def ask(self, moment, *details):
        """Call the method with this name of every callback."""
        for callback in self.callbacks:
            getattr(callback, moment)(self, *details)

    def interrupt(self):
        """Go back to the end of the last whole epoch, from the checkpoint file."""
        self.interrupted, epoch = True, self.epoch + 1
        if self.checkpoint is None:
            print(f"stopped in epoch {epoch}: without a checkpoint, the weights stay as they are")
            return
        self.load_state_dict(load_checkpoint(self.checkpoint))
        print(f"stopped in epoch {epoch}: {self.checkpoint} holds the state after epoch "
              f"{self.epoch}, and fit(..., resume=True) continues from there")

    def save(self):
        """Write the current state to the checkpoint file, if there is one."""
        if self.checkpoint is not None:
            save_checkpoint(self.checkpoint, self.state_dict())

    def state_dict(self): return state_of(self)
    def load_state_dict(self, saved): restore(self, saved)

# %% [markdown]
# The next cell runs one training. Then it runs the same training again, but stops it after the third epoch and resumes it with new
# objects, as after a restart of the machine. The seeds are the same, and so are the resulting weights, to the last bit.

# %%
import tempfile
from tinytorch.optim import CosineAnnealingLR

folder = Path(tempfile.mkdtemp())

def train(epochs, name, resume=False, callbacks=()):
    model = network()
    optimizer = Adam(model.parameters(), lr=0.01)
    trainer = Trainer(model, cross_entropy, optimizer, CosineAnnealingLR(optimizer, 30),
                      callbacks, checkpoint=folder / f"{name}.safetensors")
    trainer.fit(*loaders(), epochs=epochs, resume=resume)
    return trainer

whole = train(5, "whole", callbacks=[PrintEpochs()])
train(3, "parts")
parts = train(5, "parts", resume=True)
np.array_equal(whole.model[1].weight.data, parts.model[1].weight.data)

# %% [markdown] question="08.3"
# Suppose the generators were missing from the checkpoint. Which of the five epochs would have different numbers, and would you have
# noticed? And what would change if only Adam's running means were missing?

# %%
stopper = EarlyStopping(patience=5)
trainer = train(30, "stopped", callbacks=[stopper])
print(f"{trainer.stopped}; epoch {trainer.epoch} was the last")
curves(trainer.history)

# %%
filters(trainer.model[1].weight, (12, 12), count=16)

# %% [markdown]
# The first layer looks for the parts that digits are made of: spots and strokes, at a different place for each neuron. Save the
# notebook, then run
#
# ```
# tito module complete 08
# ```
#
# Now your framework trains networks. Two milestones use it: `tito milestone run mnist-mlp` and `tito milestone run cifar10-mlp`.
