"""Train a network of linear layers on CIFAR-10: small colour images of ten kinds of things.

Three recipes: `baseline`, a plain network; `seed`, a larger one trained on slightly changed images;
`best`, the same network with AdamW, warm-up and a cosine schedule. It runs on your framework; with `--kernels numba`
some of its ops run in kernels that are given.
"""

from common.ending import run  # first: Ctrl-C during the other imports takes one line

from dataclasses import dataclass

import numpy as np

from common import Run, complete, parser, reading, recipe, tested
from common.recipe import loaders, train
from tinytorch.data import Normalize
from tinytorch.datasets import cifar10
from tinytorch.layers import Flatten, Linear, ReLU, Sequential, kaiming_normal_
from tinytorch.losses import cross_entropy
from tinytorch.optim import SGD, Adam, warmup_cosine
from tinytorch.tensor import Tensor
from tinytorch.training import evaluate


@dataclass(frozen=True, kw_only=True)
class Recipe(recipe.Recipe):
    """Everything that defines a network and its training, except random numbers."""

    hidden: tuple = (1024, 512, 256, 128)
    gain: float | None = None  # factor on He's initial weights; None for the layers' own
    spread: tuple = (0.5, 0.25)  # subtracted from the pixels, which are from 0 to 1; then they are divided by the second
    measured: int = 1000


def constant(steps, epoch):
    """Leave the learning rate as it is."""
    return lambda step: 1.0


def two_drops(steps, epoch):
    """Lower the learning rate to 0.8 of what it was after 12 epochs, and again after 20."""
    return lambda step: 0.8 ** sum(step >= drop * epoch for drop in (12, 20))


def short_warm_up(steps, epoch):
    """Raise the learning rate for 300 steps, or a tenth of all; then lower it along a cosine."""
    return warmup_cosine(min(300, steps // 10), steps)


RECIPES = {
    "baseline": Recipe(hidden=(256, 64), spread=(0, 1), epochs=5, batch_size=64, optimizer=SGD, lr=0.01, schedule=constant),
    "seed": Recipe(
        gain=0.5,
        epochs=26,
        batch_size=64,
        batches=500,
        optimizer=Adam,
        lr=3e-4,
        schedule=two_drops,
        flip=True,
        shift=2,
        brightness=0.4,
    ),
    "best": Recipe(gain=0.7, epochs=40, batch_size=256, lr=1.5e-3, weight_decay=0.05, schedule=short_warm_up, flip=True, shift=3),
}


def read_options(arguments=None):
    """Read the command line; the recipe supplies what it leaves out."""
    options = parser(__doc__, "cifar10-mlp", RECIPES)
    options.add_argument("--recipe", choices=RECIPES, default="best", help="network and training (%(default)s)")
    chosen = options.parse_args(arguments)
    return complete(chosen, RECIPES[chosen.recipe])


def network(rng, recipe):
    """Make the untrained network of a `Recipe`."""
    sizes = 3072, *recipe.hidden, 10
    layers = [Flatten()]
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        layer = Linear(fan_in, fan_out, rng=rng)
        if recipe.gain is not None:
            kaiming_normal_(layer.weight, nonlinearity="relu", rng=rng).data *= recipe.gain
            layer.bias.data[...] = 0
        layers += [layer, ReLU()]
    return Sequential(*layers[:-1])


def scale(recipe):
    """Return the transform that scales pixels as a `Recipe` says."""
    centre, divisor = recipe.spread
    return Normalize([centre] * 3, [divisor] * 3)


def rebuild(rng, choices):
    """Return the untrained network and the transform of its inputs, for `tito milestone grade`."""
    recipe = RECIPES[choices["recipe"]]
    return network(rng, recipe), lambda images: Tensor(scale(recipe)(images, None))


def main():
    """Train, show the progress, and report the result on the test images, which no choice depended on."""
    options = read_options()
    recipe, data = RECIPES[options.recipe], reading(cifar10, options.data_dir)
    rng = np.random.default_rng(options.seed)
    model = network(rng, recipe)
    session = Run(options, recipe=options.recipe)
    training, validation, tests = loaders(data, recipe, scale(recipe), options, rng)
    train(session, model, recipe, training, validation)
    session.finish(
        model,
        tested(evaluate, model, tests, cross_entropy),
        data,
        tests,
        "-".join(str(size) for size in (3072, *recipe.hidden, 10)),
    )


if __name__ == "__main__":
    run(main)
