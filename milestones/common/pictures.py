"""What milestones that learn from pictures share: a recipe, the loaders, and the descent."""
from typing import NamedTuple

from tinytorch.cnn import Conv2d
from tinytorch.data import (Compose, DataLoader, RandomHorizontalFlip, RandomShift, Subset,
                            TensorDataset, split_indices)
from tinytorch.optim import AdamW, LambdaLR, warmup_cosine

VALIDATION = 2000  # examples that the network is not trained on: whoever chooses, chooses by them


class Recipe(NamedTuple):
    """All that a training is made of, but for the network and chance."""

    epochs: int
    lr: float
    batch_size: int = 128
    optimizer: type = AdamW
    weight_decay: float = 0.0
    warm_up: float = 0.2  # part of all steps until the learning rate is reached; a cosine follows
    flip: bool = False
    shift: int = 0  # at most, in pixels


def planes(images):
    """Return images (N, height, width) or (N, channels, height, width) with their channels."""
    return images.reshape(len(images), -1, *images.shape[-2:])


def loaders(data, recipe, scale, options, rng):
    """Return loaders of the training, the validation and the test examples.

    Args:
        data: The data set.
        recipe: The `Recipe`.
        scale: Transform that makes numbers of pixels.
        options: The command line.
        rng: Generator; the order of batches and the changes to pictures get one each of it.
    """
    order, chance = rng.spawn(2)
    change = Compose([*[RandomHorizontalFlip()] * recipe.flip,
                      *[RandomShift(recipe.shift)] * (recipe.shift > 0), scale])
    images, labels = planes(data.train_images), data.train_labels
    held = min(VALIDATION, len(labels) // 10)
    kept, held_out = split_indices(len(labels), [len(labels) - held, held], order)
    changed = TensorDataset(images, labels, transform=change, rng=chance)
    training = DataLoader(Subset(changed, kept[:options.examples]), options.batch_size,
                          shuffle=True, generator=order, prefetch=2 if options.threads > 1 else 0)
    unchanged = TensorDataset(images, labels, transform=scale)
    tests = TensorDataset(planes(data.test_images), data.test_labels, transform=scale)
    return training, DataLoader(Subset(unchanged, held_out), 500), DataLoader(tests, 500)


def freeze_filters(model):
    """Take the filters of all convolutions out of the training: they stay as they are."""
    for module in model.modules():
        if isinstance(module, Conv2d):
            for parameter in module.parameters():
                parameter.requires_grad = False


def descent(recipe, model, lr, steps):
    """Return a recipe's optimizer, and the schedule of its learning rate, which counts steps.

    Args:
        recipe: The `Recipe`.
        model: The network; parameters that require no gradient are left alone.
        lr: Learning rate.
        steps: How many steps there will be in all.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = recipe.optimizer(trained, lr=lr, weight_decay=recipe.weight_decay)
    warm_up = max(1, round(recipe.warm_up * steps))
    return optimizer, LambdaLR(optimizer, warmup_cosine(warm_up, steps))
