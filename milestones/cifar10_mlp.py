"""Train a network of linear layers on CIFAR-10: small colour pictures of ten kinds of things.

Three recipes: `baseline`, a plain network; `seed`, a larger one shown slightly changed pictures;
`best`, the same network with AdamW, warm-up and a cosine. Everything that runs is your own.
"""
from typing import NamedTuple

import numpy as np
from common import Run, evaluate, parser, run
from common.drawing import Pictures
from common.following import FirstBatches, Following
from common.options import complete

from tinytorch.data import (Compose, DataLoader, Normalize, RandomBrightness, RandomHorizontalFlip,
                            RandomShift, Subset, TensorDataset, split_indices)
from tinytorch.datasets import cifar10
from tinytorch.layers import Flatten, Linear, ReLU, Sequential, kaiming_normal_
from tinytorch.losses import cross_entropy
from tinytorch.optim import SGD, Adam, AdamW, LambdaLR, warmup_cosine
from tinytorch.tensor import Tensor
from tinytorch.training import Trainer

VALIDATION = 2000  # examples that the network is not trained on: whoever chooses, chooses by them


class Recipe(NamedTuple):
    """All that a training is made of, but for chance."""

    hidden: tuple
    epochs: int
    batch_size: int
    optimizer: type
    lr: float
    weight_decay: float = 0.0
    batches: int | None = None  # in an epoch; None for as many as the examples fill
    gain: float | None = None  # factor on He's initial weights; None for the layers' own
    spread: tuple = (0.5, 0.25)  # what the pixels, from 0 to 1, are centred at and divided by
    flip: bool = False
    shift: int = 0  # at most, in pixels
    brightness: float = 0.0  # change at most, of pixels that are centred and divided
    drops: tuple = ()  # epochs after which the learning rate falls to 0.8 of what it was
    warm_up: int = 0  # steps until the learning rate is reached; then it falls along a cosine


LARGE = (1024, 512, 256, 128)
RECIPES = {
    "baseline": Recipe((256, 64), epochs=5, batch_size=64, optimizer=SGD, lr=0.01, spread=(0, 1)),
    "seed": Recipe(LARGE, epochs=26, batch_size=64, batches=500, optimizer=Adam, lr=3e-4, gain=0.5,
                   flip=True, shift=2, brightness=0.4, drops=(12, 20)),
    "best": Recipe(LARGE, epochs=40, batch_size=256, optimizer=AdamW, lr=1.5e-3, weight_decay=0.05,
                   gain=0.7, flip=True, shift=3, warm_up=300),
}


def read_options(arguments=None):
    """Read the command line; what it leaves out, the recipe decides."""
    options = parser(__doc__, "cifar10-mlp", epochs=None, batch_size=None, lr=None)
    options.add_argument("--recipe", choices=RECIPES, default="best", help="(%(default)s)")
    found = options.parse_args(arguments)
    return complete(found, RECIPES[found.recipe])


def network(rng, recipe="best"):
    """Make the untrained network of a recipe."""
    sizes, gain = (3072, *RECIPES[recipe].hidden, 10), RECIPES[recipe].gain
    layers = [Flatten()]
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        layer = Linear(fan_in, fan_out, rng=rng)
        if gain is not None:
            kaiming_normal_(layer.weight, nonlinearity="relu", rng=rng).data *= gain
            layer.bias.data[...] = 0
        layers += [layer, ReLU()]
    return Sequential(*layers[:-1])


def inputs(recipe="best"):
    """Return the transform that makes numbers of a recipe's pixels."""
    centre, divisor = RECIPES[recipe].spread
    return Normalize([centre] * 3, [divisor] * 3)


def rebuild(rng, choices):
    """Return the untrained network and the transform of its inputs: `tito milestone grade` asks."""
    scale = inputs(choices["recipe"])
    return network(rng, choices["recipe"]), lambda images: Tensor(scale(images, None))


def changes(recipe):
    """Return the transform of a batch to train on: the pictures a little different, as numbers."""
    found = RECIPES[recipe]
    return Compose([*[RandomHorizontalFlip()] * found.flip,
                    *[RandomShift(found.shift)] * (found.shift > 0), inputs(recipe),
                    *[RandomBrightness(found.brightness)] * (found.brightness > 0)])


def loaders(data, options, order, chance):
    """Return loaders of the training, the validation and the test examples.

    Args:
        data: CIFAR-10.
        options: The command line.
        order: Generator that draws the validation split, and the order of the batches.
        chance: Generator that draws the changes to pictures.
    """
    count, plain = len(data.train_labels), inputs(options.recipe)
    held = min(VALIDATION, count // 10)
    kept, held_out = split_indices(count, [count - held, held], order)
    changed = TensorDataset(data.train_images, data.train_labels, transform=changes(options.recipe),
                            rng=chance)
    training = FirstBatches(Subset(changed, kept), options.batch_size, shuffle=True,
                            generator=order, prefetch=2 if options.threads > 1 else 0,
                            count=RECIPES[options.recipe].batches)
    unchanged = TensorDataset(data.train_images, data.train_labels, transform=plain)
    tests = TensorDataset(data.test_images, data.test_labels, transform=plain)
    return training, DataLoader(Subset(unchanged, held_out), 1000), DataLoader(tests, 1000)


def descent(recipe, model, lr, steps):
    """Return a recipe's optimizer, the schedule of its learning rate, and what that counts.

    Args:
        recipe: The `Recipe`.
        model: The network.
        lr: Learning rate.
        steps: How many steps there will be in all.
    """
    decay = {"weight_decay": recipe.weight_decay} if recipe.weight_decay else {}
    optimizer = recipe.optimizer(model.parameters(), lr=lr, **decay)
    if recipe.warm_up:
        factor = warmup_cosine(min(recipe.warm_up, steps // 10), steps)
        return optimizer, LambdaLR(optimizer, factor), "step"
    return optimizer, LambdaLR(optimizer, lambda epoch: 0.8 ** sum(
        epoch >= drop for drop in recipe.drops)), "epoch"


def main():
    """Train, show how it goes, and say how it went on pictures that nothing was chosen by."""
    options = read_options()
    recipe, data = RECIPES[options.recipe], cifar10(options.data_dir)
    rng = np.random.default_rng(options.seed)
    model = network(rng, options.recipe)
    training, validation, tests = loaders(data, options, *rng.spawn(2))
    steps = options.epochs * len(training)
    optimizer, scheduler, counted = descent(recipe, model, options.lr, steps)
    session = Run(options, recipe=options.recipe)
    following = Following(session, len(training))
    trainer = Trainer(model, cross_entropy, optimizer, scheduler, [following], session.checkpoint,
                      schedule=counted, settings=session.settings())
    following.fit(trainer, training, validation)
    sizes = "-".join(str(size) for size in (3072, *recipe.hidden, 10))
    session.finish(model, evaluate(model, tests), Pictures(data.test_images, data.classes, tests),
                   data="CIFAR-10", network=sizes, gradients="autograd")


if __name__ == "__main__":
    run(main)
