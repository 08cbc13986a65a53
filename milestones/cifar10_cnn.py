"""Train a convolutional network with batch normalisation on CIFAR-10.

The recipe `small` is three blocks of convolution, BatchNorm (Ioffe and Szegedy, 2015), pooling and
ReLU, then one linear layer. The recipe `large` has a fourth block and more epochs. It runs on your
framework; with `--kernels numba` some of its ops run in kernels that are given.
"""

from common.ending import run  # first: Ctrl-C during the other imports takes one line

import numpy as np

from common import Run, complete, parser, positive, reading, tested
from common.filters import freeze_filters, of_filters
from common.recipe import PIXELS, Recipe, loaders, train
from tinytorch.cnn import ConvNet
from tinytorch.datasets import cifar10
from tinytorch.losses import cross_entropy
from tinytorch.tensor import Tensor
from tinytorch.training import evaluate

RECIPES = {
    "small": Recipe(epochs=12, lr=5e-3, weight_decay=0.05, flip=True, shift=3),
    "large": Recipe(epochs=30, lr=5e-3, weight_decay=0.05, flip=True, shift=3),
}
WIDTHS = {"small": [32, 64, 128], "large": [32, 64, 128, 256]}


def read_options(arguments=None):
    """Read the command line; the recipe supplies what it leaves out."""
    options = of_filters(parser(__doc__, "cifar10-cnn", RECIPES))
    options.add_argument("--recipe", choices=RECIPES, default="small", help="network and training (%(default)s)")
    options.add_argument(
        "--widths", type=positive, nargs="+", metavar="N", help="filters of each convolution, at most five (the recipe's)"
    )
    chosen = options.parse_args(arguments)
    chosen.widths = chosen.widths or WIDTHS[chosen.recipe]
    if len(chosen.widths) > 5:
        options.error(f"argument --widths: {len(chosen.widths)} pools leave nothing of 32 pixels")
    return complete(chosen, RECIPES[chosen.recipe])


def network(rng, widths):
    """Make the untrained network."""
    return ConvNet(3, 10, widths=tuple(widths), rng=rng)


def rebuild(rng, choices):
    """Return the untrained network and the transform of its inputs, for `tito milestone grade`."""
    return network(rng, choices["widths"]), lambda images: Tensor(PIXELS["cifar10"](images, None))


def main():
    """Train, show the progress, and report the result on the test images, which no choice depended on."""
    options = read_options()
    recipe, data = RECIPES[options.recipe], reading(cifar10, options.data_dir)
    rng = np.random.default_rng(options.seed)
    model = network(rng, options.widths)
    if options.frozen_filters:
        freeze_filters(model)
    session = Run(
        options, recipe=options.recipe, widths=options.widths, examples=options.examples, frozen_filters=options.frozen_filters
    )
    training, validation, tests = loaders(data, recipe, PIXELS["cifar10"], options, rng, options.examples)
    train(session, model, recipe, training, validation)
    session.finish(
        model,
        tested(evaluate, model, tests, cross_entropy),
        data,
        tests,
        f"conv {'-'.join(map(str, options.widths))} with BatchNorm, linear",
    )


if __name__ == "__main__":
    run(main)
