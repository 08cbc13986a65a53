"""Train a convolutional network with batch normalisation on CIFAR-10.

Three times a convolution, BatchNorm (Ioffe and Szegedy, 2015), a pool and ReLU, then one linear
layer: the recipe `small`. The recipe `large` has a fourth convolution, and more epochs. Everything
that runs is your own.
"""
import numpy as np
from common import Run, parser, positive, run
from common.drawing import Pictures
from common.following import Following
from common.options import complete, of_filters
from common.pictures import Recipe, descent, freeze_filters, loaders

from tinytorch.cnn import ConvNet
from tinytorch.data import Normalize
from tinytorch.datasets import cifar10
from tinytorch.losses import cross_entropy
from tinytorch.tensor import Tensor
from tinytorch.training import Trainer, evaluate

# Mean and standard deviation of the training pixels of each colour, as fractions of 255.
PIXELS = Normalize([0.49, 0.48, 0.45], [0.25, 0.24, 0.26])
RECIPES = {
    "small": Recipe(epochs=12, lr=5e-3, weight_decay=0.05, flip=True, shift=3),
    "large": Recipe(epochs=30, lr=5e-3, weight_decay=0.05, flip=True, shift=3),
}
WIDTHS = {"small": [32, 64, 128], "large": [32, 64, 128, 256]}


def read_options(arguments=None):
    """Read the command line; what it leaves out, the recipe decides."""
    options = of_filters(parser(__doc__, "cifar10-cnn", epochs=None, batch_size=None, lr=None))
    options.add_argument("--recipe", choices=RECIPES, default="small", help="(%(default)s)")
    options.add_argument("--widths", type=positive, nargs="+", metavar="N",
                         help="filters of each convolution, at most five (the recipe's)")
    found = options.parse_args(arguments)
    found.widths = found.widths or WIDTHS[found.recipe]
    if len(found.widths) > 5:
        options.error(f"argument --widths: {len(found.widths)} pools leave nothing of 32 pixels")
    return complete(found, RECIPES[found.recipe])


def network(rng, widths):
    """Make the untrained network."""
    return ConvNet(3, 10, widths=tuple(widths), rng=rng)


def rebuild(rng, choices):
    """Return the untrained network and the transform of its inputs: `tito milestone grade` asks."""
    return network(rng, choices["widths"]), lambda images: Tensor(PIXELS(images, None))


def main():
    """Train, show how it goes, and say how it went on pictures that nothing was chosen by."""
    options = read_options()
    recipe = RECIPES[options.recipe]
    data, rng = cifar10(options.data_dir), np.random.default_rng(options.seed)
    model = network(rng, options.widths)
    if options.frozen_filters:
        freeze_filters(model)
    training, validation, tests = loaders(data, recipe, PIXELS, options, rng)
    optimizer, scheduler = descent(recipe, model, options.lr, options.epochs * len(training))
    session = Run(options, recipe=options.recipe, widths=options.widths,
                  examples=options.examples, frozen_filters=options.frozen_filters)
    following = Following(session, len(training))
    trainer = Trainer(model, cross_entropy, optimizer, scheduler, [following], session.checkpoint,
                      schedule="step", settings=session.settings())
    following.fit(trainer, training, validation)
    session.finish(model, evaluate(model, tests, cross_entropy),
                   Pictures(data.test_images, data.classes, tests), data="CIFAR-10",
                   network=f"conv {'-'.join(map(str, options.widths))} with BatchNorm, linear",
                   gradients="autograd")


if __name__ == "__main__":
    run(main)
