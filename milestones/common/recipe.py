"""What milestones that learn from images share: a recipe, and training with it."""

from collections.abc import Callable
from dataclasses import dataclass

from common.captured import captured_epochs
from common.run_callback import FirstBatches, Following, OnDevice
from tinytorch.data import (
    Compose,
    DataLoader,
    Normalize,
    RandomBrightness,
    RandomHorizontalFlip,
    RandomShift,
    Subset,
    TensorDataset,
    split_indices,
)
from tinytorch.datasets import CIFAR10, MNIST
from tinytorch.losses import cross_entropy
from tinytorch.optim import AdamW, LambdaLR, warmup_cosine
from tinytorch.training import Trainer

PIXELS = {"mnist": Normalize(*MNIST.pixels), "cifar10": Normalize(*CIFAR10.pixels)}


def warm_up_for_a_fifth(steps, epoch):
    """Raise the learning rate for a fifth of all steps; then lower it along a cosine."""
    return warmup_cosine(max(1, round(0.2 * steps)), steps)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that defines a training run, except the network and random numbers."""

    epochs: int
    lr: float
    batch_size: int = 128
    batches: int | None = None  # batches in an epoch; None for all
    optimizer: type = AdamW
    weight_decay: float = 0.0
    schedule: Callable = (
        warm_up_for_a_fifth  # function of the total steps and an epoch's steps; returns the function for `LambdaLR`
    )
    flip: bool = False
    shift: int = 0  # at most, in pixels
    brightness: float = 0.0  # the largest change, in scaled pixels
    validation: int = 2000  # examples kept out of training: choose settings by their accuracy
    measured: int = 500  # examples in a batch of validation or test


def planes(images):
    """Return images (N, height, width) or (N, channels, height, width) as (N, channels, height, width)."""
    return images.reshape(len(images), -1, *images.shape[-2:])


def changes(recipe, scale):
    """Return the transform of a training batch: change the images a little, and scale the pixels."""
    return Compose(
        [
            *[RandomHorizontalFlip()] * recipe.flip,
            *[RandomShift(recipe.shift)] * (recipe.shift > 0),
            scale,
            *[RandomBrightness(recipe.brightness)] * (recipe.brightness > 0),
        ]
    )


def loaders(data, recipe, scale, options, rng, examples=None):
    """Return loaders of the training, the validation and the test examples.

    Args:
        data: The data set.
        recipe: The `Recipe`.
        scale: Transform that scales the pixels.
        options: The command line.
        rng: Generator; the order of batches and the changes to images each get their own, spawned from it.
        examples: How many examples to train on; None for all.
    """
    order, chance = rng.spawn(2)
    images, labels = planes(data.train_images), data.train_labels
    held = min(recipe.validation, len(labels) // 10)
    kept, held_out = split_indices(len(labels), [len(labels) - held, held], order)
    changed = TensorDataset(images, labels, transform=changes(recipe, scale), rng=chance)
    training = FirstBatches(
        Subset(changed, kept[:examples]),
        options.batch_size,
        shuffle=True,
        generator=order,
        prefetch=2 if options.threads > 1 else 0,
        count=recipe.batches,
    )
    unchanged = TensorDataset(images, labels, transform=scale)
    tests = TensorDataset(planes(data.test_images), data.test_labels, transform=scale)
    three = training, DataLoader(Subset(unchanged, held_out), recipe.measured), DataLoader(tests, recipe.measured)
    return three if options.device == "cpu" else tuple(OnDevice(loader, options.device) for loader in three)


def descent(recipe, model, options, epoch):
    """Return a recipe's optimizer, and the schedule of its learning rate in steps.

    Args:
        recipe: The `Recipe`.
        model: The network; parameters that require no gradient are left alone.
        options: The command line.
        epoch: Number of steps in an epoch.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = recipe.optimizer(trained, lr=options.lr, weight_decay=recipe.weight_decay)
    return optimizer, LambdaLR(optimizer, recipe.schedule(options.epochs * epoch, epoch))


def train(session, model, recipe, training, validation):
    """Train a network with a recipe; show the progress, and save the state after each epoch.

    Args:
        session: The `Run`.
        model: The network.
        recipe: The `Recipe`.
        training: Loader of the training examples.
        validation: Loader of the validation examples.
    """
    model.to(session.options.device)
    optimizer, scheduler = descent(recipe, model, session.options, len(training))
    following = Following(session, len(training))
    trainer = Trainer(
        model, cross_entropy, optimizer, scheduler, [following], session.checkpoint, schedule="step", settings=session.settings()
    )
    if session.options.capture:
        trainer.train_epoch = captured_epochs()
    following.fit(trainer, training, validation)
