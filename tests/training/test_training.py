"""The loop, its measures, early stopping, callbacks and figures."""

import functools
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from tinytorch import training
from tinytorch.data import DataLoader, TensorDataset
from tinytorch.datasets import mnist_5k
from tinytorch.drawing.training import confusion, curves, filters, mistakes
from tinytorch.given.callbacks import Callback, PrintEpochs
from tinytorch.layers import Flatten, Linear, Module, Sequential
from tinytorch.losses import CrossEntropyLoss, MSELoss, cross_entropy, mse_loss
from tinytorch.optim import SGD
from tinytorch.tensor import Tensor

sys.path.insert(0, str(Path(__file__).parent))
import problem


def test_the_error_of_an_accuracy_is_the_binomial_one():
    hits = np.arange(1000) % 7 > 0
    mean, error = training.mean_and_error(hits)
    assert mean == hits.mean()
    assert error == pytest.approx(math.sqrt(mean * (1 - mean) / 999), rel=1e-12)


def test_the_error_says_how_far_means_of_other_samples_lie():
    draws = np.random.default_rng(0).exponential(2.0, (2000, 50))
    spread = draws.mean(axis=1).std()
    typical = np.median([training.mean_and_error(row)[1] for row in draws])
    assert typical == pytest.approx(spread, rel=0.1)


@pytest.mark.parametrize("criterion", [cross_entropy, CrossEntropyLoss(), CrossEntropyLoss(reduction="sum")])
def test_a_measure_does_not_depend_on_the_batches(criterion):
    rng = np.random.default_rng(1)
    data = TensorDataset(rng.standard_normal((23, 6), np.float32), rng.integers(0, 4, 23))
    model = Linear(6, 4, rng=rng)
    results = [training.evaluate(model, DataLoader(data, batch_size=size), criterion) for size in (1, 5, 23)]
    logits = data.arrays[0] @ model.weight.data.T + model.bias.data
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(23), data.arrays[1]]
    expected = (*training.mean_and_error(logits.argmax(axis=1) == data.arrays[1]), *training.mean_and_error(losses))
    for result in results:
        assert result == pytest.approx(expected, rel=1e-5)


class Weighted(Module):
    """A loss with a weight for each class, and a label that does not count, as PyTorch's cross-entropy."""

    def __init__(self, weight, ignore_index=-100, reduction="mean"):
        self.weight, self.ignore_index, self.reduction = weight, ignore_index, reduction

    def forward(self, logits, labels):
        counts = (labels.data != self.ignore_index) * self.weight[np.maximum(labels.data, 0)]
        losses = cross_entropy(logits, Tensor(np.maximum(labels.data, 0)), reduction="none") * counts.astype(np.float32)
        return losses if self.reduction == "none" else losses.sum() / (counts.sum().item() if self.reduction == "mean" else 1)


class Wrapped(Module):
    """A learner's own loss, which knows nothing of a reduction."""

    def __init__(self, inner):
        self.inner = inner

    def forward(self, outputs, targets):
        return self.inner(outputs, targets) * 2.0


WEIGHTS = np.array([0.5, 3.0, 1.25, 0.0])  # their sum over the examples is not the number of examples
SMOOTH = CrossEntropyLoss(label_smoothing=0.3)
# Each criterion, and the same one, taking the mean, as a function.
CRITERIA = {
    "smooth": (SMOOTH, SMOOTH),
    "smooth sum": (CrossEntropyLoss(reduction="sum", label_smoothing=0.3), SMOOTH),
    "smooth none": (CrossEntropyLoss(reduction="none", label_smoothing=0.3), SMOOTH),
    "partial": (functools.partial(cross_entropy, reduction="sum"), cross_entropy),
    "weighted": (Weighted(WEIGHTS), Weighted(WEIGHTS)),
    "weighted sum": (Weighted(WEIGHTS, reduction="sum"), Weighted(WEIGHTS)),
    "wrapped": (Wrapped(SMOOTH), Wrapped(SMOOTH)),
    "lambda": (
        lambda outputs, labels: cross_entropy(outputs, labels) * 3,
        lambda outputs, labels: cross_entropy(outputs, labels) * 3,
    ),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CRITERIA)
def test_a_measure_keeps_the_settings_of_the_criterion(name, dtype):
    criterion, mean = CRITERIA[name]
    before = dict(vars(criterion)) if isinstance(criterion, Module) else None
    rng = np.random.default_rng(1)
    data = TensorDataset(rng.standard_normal((23, 6)).astype(dtype), rng.integers(0, 4, 23))
    model = Linear(6, 4, rng=rng).to(dtype)
    result = training.evaluate(model, DataLoader(data, batch_size=7), criterion)
    outputs, labels = Tensor(data.arrays[0] @ model.weight.data.T + model.bias.data), Tensor(data.arrays[1])
    assert result.loss == pytest.approx(mean(outputs, labels).item(), rel=1e-6)
    if "weighted" not in name:
        each = [mean(outputs[i : i + 1], labels[i : i + 1]).item() for i in range(23)]
        assert result.loss_error == pytest.approx(training.mean_and_error(each)[1], rel=1e-5)
    assert before is None or vars(criterion) == before, "the criterion itself is left alone"
    trainer = training.Trainer(model, criterion, SGD(model.parameters(), lr=0.0))
    if "none" not in name:
        record = trainer.fit(DataLoader(data, batch_size=23), DataLoader(data, batch_size=5))[0]
        assert record["validation_loss"] == pytest.approx(result.loss, rel=1e-6)


def test_examples_with_the_label_that_does_not_count_do_not_count():
    rng = np.random.default_rng(1)
    inputs, labels = rng.standard_normal((30, 6), np.float32), rng.integers(0, 4, 30)
    model, criterion = Linear(6, 4, rng=rng), Weighted(np.ones(4), ignore_index=-1)
    every, some = labels.copy(), np.arange(30) % 3 > 0
    every[~some] = -1
    whole, part = (
        training.evaluate(model, DataLoader(TensorDataset(*arrays), batch_size=8), criterion)
        for arrays in ((inputs, every), (inputs[some], labels[some]))
    )
    assert whole == pytest.approx(part, rel=1e-6)


@pytest.mark.parametrize("criterion", [MSELoss(), mse_loss, lambda outputs, targets: mse_loss(outputs, targets)])
@pytest.mark.parametrize("width", [1, 3])
def test_targets_that_are_no_labels_have_a_loss_and_no_accuracy(criterion, width):
    rng = np.random.default_rng(1)
    inputs, targets = rng.standard_normal((20, 6), np.float32), rng.standard_normal((20, width), np.float32)
    model = Linear(6, width, rng=rng)
    result = training.evaluate(model, DataLoader(TensorDataset(inputs, targets), batch_size=8), criterion)
    each = ((inputs @ model.weight.data.T + model.bias.data - targets) ** 2).mean(axis=1)
    assert math.isnan(result.accuracy) and math.isnan(result.accuracy_error)
    assert result[2:] == pytest.approx(training.mean_and_error(each), rel=1e-5)


def test_evaluation_leaves_no_trace():
    model = problem.network()
    _, loader = problem.loaders()
    before = {path: tensor.data.copy() for path, tensor in model.state_dict().items()}
    training.evaluate(model, loader, cross_entropy)
    assert model.training and all(module.training for module in model.modules())
    assert all(param.grad is None for param in model.parameters())
    assert all(np.array_equal(before[path], tensor.data) for path, tensor in model.state_dict().items())


def test_confusion_counts_every_pair_of_a_label_and_a_guess():
    """The labels are those of MNIST's pictures; a guess is the digit whose average picture is nearest."""
    data = mnist_5k()
    pixels, labels = data.test_images.reshape(-1, 784).astype(np.float64), data.test_labels
    averages = np.stack([data.train_images[data.train_labels == digit].mean(axis=0).ravel() for digit in range(10)])
    guesses = ((pixels[:, None] - averages) ** 2).sum(axis=2).argmin(axis=1)
    pairs = list(zip(labels.tolist(), guesses.tolist()))
    expected = [[pairs.count((label, guess)) for guess in range(10)] for label in range(10)]
    counts = training.confusion_matrix(labels, guesses, 10)
    assert np.array_equal(counts, expected) and counts.sum() == 1000 and 700 < counts.trace() < 900


class Losses(Callback):
    """Replace the validation losses, as if the network had reached them."""

    def __init__(self, losses):
        self.losses = iter(losses)

    def epoch_end(self, trainer, record):
        record["validation_loss"] = next(self.losses)


def stopping(losses, **options):
    """Train with validation losses that are given; return the trainer and its early stopping."""
    stopper = training.EarlyStopping(**options)
    one = problem.trainer()
    one.callbacks = [Losses(losses), stopper]
    seen = []

    class Watch(Callback):
        def epoch_end(self, trainer, record):
            seen.append({path: tensor.data.copy() for path, tensor in trainer.model.state_dict().items()})

    one.callbacks.append(Watch())
    one.fit(*problem.loaders(), epochs=len(losses))
    return one, stopper, seen


def test_early_stopping_stops_and_gives_back_the_best_weights():
    one, stopper, seen = stopping([1.0, 0.5, 0.7, 0.6, 0.1], patience=2)
    assert (one.epoch, stopper.best_epoch) == (4, 2)
    assert one.stopped == "validation_loss has not improved since epoch 2"
    assert all(np.array_equal(tensor.data, seen[1][path]) for path, tensor in one.model.state_dict().items())


def test_without_a_stop_the_best_weights_are_given_back_too():
    one, stopper, seen = stopping([1.0, 0.5, 0.7], patience=9)
    assert (one.stopped, stopper.best_epoch) == (None, 2)
    assert all(np.array_equal(tensor.data, seen[1][path]) for path, tensor in one.model.state_dict().items())


def test_an_accuracy_shall_rise():
    stopper = training.EarlyStopping(patience=2, monitor="validation_accuracy")
    one = problem.trainer()
    for epoch, accuracy in enumerate([0.5, 0.7, 0.6, 0.65], 1):
        stopper.epoch_end(one, {"epoch": epoch, "validation_accuracy": accuracy})
    assert (stopper.best_epoch, one.stopped) == (2, "validation_accuracy has not improved since epoch 2")


def test_early_stopping_without_a_validation_set_says_so():
    with pytest.raises(ValueError, match="watches validation_loss, but the records hold epoch.*give fit a validation_loader"):
        problem.trainer().fit(problem.loaders()[0], epochs=1)


def test_callbacks_are_asked_in_order(capsys):
    asked = []

    class Note(Callback):
        def train_begin(self, trainer):
            asked.append("train_begin")

        def step_end(self, trainer, loss):
            asked.append(type(loss).__name__)

        def epoch_end(self, trainer, record):
            asked.append(sorted(record))

        def train_end(self, trainer):
            asked.append("train_end")

    history = problem.trainer(callbacks=[Note(), PrintEpochs()]).fit(*problem.loaders(), epochs=1)
    keys = [
        "epoch",
        "lr",
        "seconds",
        "train_loss",
        "validation_accuracy",
        "validation_accuracy_error",
        "validation_loss",
        "validation_loss_error",
    ]
    assert asked == ["train_begin", *["float"] * 6, keys, "train_end"]
    assert history[0]["lr"] == 0.02
    assert capsys.readouterr().out.startswith("epoch 1  lr 0.02  seconds ")


@pytest.mark.parametrize("schedule, steps", [("epoch", 3), ("step", 18)])
def test_the_schedule_steps_by_epoch_or_by_step(schedule, steps):
    one = problem.trainer()
    one.schedule = schedule
    one.fit(*problem.loaders(), epochs=3)
    assert one.scheduler.last_epoch == steps


def test_a_schedule_of_another_word_is_refused():
    with pytest.raises(ValueError, match='schedule is "epoch" or "step", got \'batch\''):
        training.Trainer(None, None, None, schedule="batch")


def test_a_loss_that_is_no_number_ends_the_training_and_keeps_the_checkpoint(tmp_path):
    data = TensorDataset(np.full((4, 1, 2, 2), 1e30, np.float32), np.arange(4) % 2)
    model = Sequential(Flatten(), Linear(4, 2, rng=np.random.default_rng(0)))
    one = training.Trainer(model, cross_entropy, SGD(model.parameters(), lr=1e30), checkpoint=tmp_path / "run")
    with pytest.raises(FloatingPointError, match="in epoch 1: lower the learning rate"), np.errstate(all="ignore"):
        one.fit(DataLoader(data, batch_size=2), epochs=2)
    assert np.isfinite(training.load_checkpoint(tmp_path / "run")["model"]["1.weight"]).all()


def test_ctrl_c_without_a_checkpoint_says_what_the_weights_are(capsys):
    class Interrupt(Callback):
        def step_end(self, trainer, loss):
            raise KeyboardInterrupt

    one = problem.trainer(callbacks=[Interrupt()])
    assert one.fit(*problem.loaders(), epochs=2) == []
    assert one.interrupted
    assert "stopped in epoch 1: without a checkpoint" in capsys.readouterr().out


def test_figures_are_written(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib belongs to the extra `notebook`")
    rng = np.random.default_rng(3)
    history = problem.trainer().fit(*problem.loaders(), epochs=2)
    logits, labels = rng.standard_normal((40, 4)), rng.integers(0, 4, 40)
    counts = training.confusion_matrix(labels, logits.argmax(axis=1), 4)
    colour, grey = rng.integers(0, 256, (40, 3, 6, 5), np.uint8), rng.integers(0, 256, (40, 6, 5), np.uint8)
    weight = rng.standard_normal((9, 48), np.float32)
    figures = {
        "curves": curves(history),
        "bare": curves([{"epoch": 1, "train_loss": 2.0}]),
        "none": mistakes(grey, labels, np.eye(4)[labels], "abcd"),
        "confusion": confusion(counts, ["ape", "bear", "cat", "dog"]),
        "grey": mistakes(grey, labels, logits, "abcd"),
        "colour": mistakes(colour, labels, logits, "abcd", count=5),
        "filters": filters(weight, (6, 8)),
        "colours": filters(Tensor(weight, requires_grad=True), (3, 4, 4), count=4),
    }
    for name, figure in figures.items():
        figure.savefig(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    shown = [axis.get_title() for axis in figures["grey"].axes if axis.get_title()]
    wrong = int((logits.argmax(axis=1) != labels).sum())
    assert len(shown) == min(16, wrong)
    given = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    worst = min((i for i in range(40) if logits[i].argmax() != labels[i]), key=lambda i: given[i, labels[i]])
    assert shown[0] == f"{'abcd'[labels[worst]]} as {'abcd'[logits[worst].argmax()]}\n{100 * given[worst].max():.0f} %"
    numbers = [text.get_text() for text in figures["confusion"].axes[0].texts]
    assert numbers == [str(count) for count in counts.ravel()]


def test_drawing_is_imported_only_when_something_is_drawn():
    import subprocess

    code = "import sys, tinytorch.drawing.training, tinytorch.training; sys.exit('matplotlib' in sys.modules or 'safetensors' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, timeout=60).returncode == 0


def test_a_schedule_that_follows_the_loss_is_one_of_the_callbacks():
    from tinytorch.optim.lr_scheduler import ReduceLROnPlateau

    one = problem.trainer()
    one.scheduler = None
    one.callbacks.append(ReduceLROnPlateau(one.optimizer, patience=0, threshold=10.0, threshold_mode="abs"))  # never improves
    one.fit(*problem.loaders(), epochs=3)
    rates = [record["lr"] for record in one.history]
    assert rates[1] == pytest.approx(rates[0]) and rates[2] == pytest.approx(rates[0] / 10)
    one.scheduler, one.callbacks, one.schedule = one.callbacks.pop(), [], "epoch"
    with pytest.raises(TypeError, match="give it to a Trainer as one of its callbacks, not as its scheduler"):
        one.fit(*problem.loaders(), epochs=5)
