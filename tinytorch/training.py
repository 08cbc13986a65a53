# Made by tito from modules/08_training/training.py: edit that file, then run `tito module complete 08`.

# training.py, cell 7
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


# training.py, cell 9
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


# training.py, cell 16
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
    values = np.asarray(values, np.float64)
    if len(values) == 0:
        raise ValueError("a mean needs at least one value, got none")
    error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return float(values.mean()), float(error)


# training.py, cell 23
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


# training.py, cell 28
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


# training.py, cell 31
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
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return counts


# training.py, cell 39
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
        self.patience, self.min_delta = patience, min_delta
        self.best, self.waited = math.inf, 0

    def step(self, loss):
        """Compare the loss of an epoch with the best one.

        Args:
            loss: One number, the loss.

        Returns:
            bool, whether the loss is an improvement. If so, it becomes ``best`` and ``waited``
            becomes 0; if not, ``waited`` grows by one. A loss of nan is no improvement.
        """
        improved = loss < self.best - self.min_delta
        if improved:
            self.best, self.waited = loss, 0
        else:
            self.waited += 1
        return improved

    @property
    def over(self):
        """Return whether ``waited`` has reached ``patience``.

        Returns:
            bool.
        """
        return self.waited >= self.patience


# training.py, cell 46
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
    if isinstance(tree, np.ndarray):
        return {"array": name}, {name: tree}
    if not isinstance(tree, (dict, list, tuple)):
        return tree, {}
    rest, arrays = {}, {}
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        rest[key], below = split_arrays(value, f"{name}.{key}" if name else str(key))
        arrays.update(below)
    return rest if isinstance(tree, dict) else list(rest.values()), arrays


# training.py, cell 52
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
    unfinished = path.with_name(f"{path.name}.{os.urandom(8).hex()}.tmp")
    try:
        with unfinished.open("wb") as file:
            write(file)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


# training.py, cell 56
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


# training.py, cell 58
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


# training.py, cell 60
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
