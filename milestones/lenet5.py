"""Train LeNet-5, the network that read digits in 1998 with two convolutions and three linear layers.

LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition, 1998,
reported 0.95 % errors on MNIST, and 0.8 % with distorted training digits. Here ReLU replaces tanh,
max-pooling replaces averages, the last layer is linear, and the digits are shifted a little.

`--data cifar10` trains it on small colour images instead, `--model tutorial` the network of
tinygrad's tutorial, which has more filters and one linear layer, `--model mnist-cnn` that of ggml's
example `mnist-eval`, which reads it after `tito model export --to gguf`. It runs on your framework;
with `--kernels numba` some of its ops run in kernels that are given.
"""

from common.ending import run  # first: Ctrl-C during the other imports takes one line

import numpy as np

from common import Run, complete, parser, reading, tested
from common.digits import add_data, read_digits
from common.filters import freeze_filters, of_filters
from common.recipe import PIXELS, Recipe, loaders, planes, train
from tinytorch.cnn import Conv2d, LeNet5, MaxPool2d
from tinytorch.data import Normalize
from tinytorch.datasets import cifar10
from tinytorch.layers import Dropout, Flatten, Linear, ReLU, Sequential
from tinytorch.losses import cross_entropy
from tinytorch.optim import Adam
from tinytorch.tensor import Tensor
from tinytorch.training import evaluate

RECIPES = {
    ("lenet5", "mnist"): Recipe(epochs=10, lr=4e-3, weight_decay=0.01, shift=2),
    ("lenet5", "cifar10"): Recipe(epochs=20, lr=4e-3, weight_decay=0.01, flip=True, shift=2),
    ("tutorial", "mnist"): Recipe(epochs=10, lr=2e-3, optimizer=Adam, shift=1),
    ("mnist-cnn", "mnist"): Recipe(epochs=5, lr=4e-3, weight_decay=0.01, shift=1),
    ("tutorial", "cifar10"): Recipe(epochs=20, lr=2e-3, optimizer=Adam, flip=True, shift=2),
}
NAMES = {
    "lenet5": "LeNet-5",
    "tutorial": "conv 32, pool, conv 64, pool, dropout, linear",
    "mnist-cnn": "conv 8, pool, conv 16, pool, linear",
}
UNIT = Normalize((0.0,), (1.0,))  # pixels from 0 to 1, as ggml feeds them


def read_options(arguments=None):
    """Read the command line; the recipe of this network and data supplies what it leaves out."""
    options = add_data(of_filters(parser(__doc__, "lenet5", RECIPES)), more=["cifar10"])
    options.add_argument("--model", choices=NAMES, default="lenet5", help="network (%(default)s)")
    chosen = options.parse_args(arguments)
    if chosen.model == "mnist-cnn" and kind_of(chosen.data) != "mnist":
        options.error("--model mnist-cnn reads digits: leave out --data cifar10")
    return complete(chosen, RECIPES[chosen.model, kind_of(chosen.data)])


def kind_of(data):
    """Return the kind of a data set's images: those of CIFAR-10, or else those of MNIST."""
    return "cifar10" if data == "cifar10" else "mnist"


def network(rng, model="lenet5", data="mnist"):
    """Make the untrained network."""
    channels, padding, side = (1, 2, 5) if kind_of(data) == "mnist" else (3, 0, 6)
    if model == "mnist-cnn":
        convolutions = Conv2d(1, 8, 3, padding=1, rng=rng), Conv2d(8, 16, 3, padding=1, rng=rng)
        stages = [layer for convolution in convolutions for layer in (convolution, MaxPool2d(2), ReLU())]
        return Sequential(*stages, Flatten(), Linear(784, 10, rng=rng))
    if model == "lenet5":
        return LeNet5(channels, padding=padding, rng=rng)  # it needs 32 x 32 pixels
    return Sequential(
        Conv2d(channels, 32, 3, rng=rng),
        ReLU(),
        MaxPool2d(2),
        Conv2d(32, 64, 3, rng=rng),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Dropout(0.5, rng=rng),
        Linear(64 * side * side, 10, rng=rng),
    )


def rebuild(rng, choices):
    """Return the untrained network and the transform of its inputs, for `tito milestone grade`."""
    scale = pixels(choices["model"], choices["dataset"])
    return (network(rng, choices["model"], choices["dataset"]), lambda images: Tensor(scale(planes(images), None)))


def pixels(model, data):
    """Return the transform of a network's pixels."""
    return UNIT if model == "mnist-cnn" else PIXELS[kind_of(data)]


def main():
    """Train, show the progress, and report the result on the test images, which no choice depended on."""
    options = read_options()
    kind, scale = kind_of(options.data), pixels(options.model, options.data)
    recipe = RECIPES[options.model, kind]
    data = reading(cifar10, options.data_dir) if kind == "cifar10" else reading(read_digits, options)
    rng = np.random.default_rng(options.seed)
    model = network(rng, options.model, options.data)
    if options.frozen_filters:
        freeze_filters(model)
    session = Run(
        options, dataset=options.data, model=options.model, examples=options.examples, frozen_filters=options.frozen_filters
    )
    training, validation, tests = loaders(data, recipe, scale, options, rng, options.examples)
    train(session, model, recipe, training, validation)
    result = tested(evaluate, model, tests, cross_entropy)
    graded = options.data != "mnist-5k" and options.model != "mnist-cnn"
    session.finish(model, result, data, tests, NAMES[options.model], graded=graded)


if __name__ == "__main__":
    run(main)
