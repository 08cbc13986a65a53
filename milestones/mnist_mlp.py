"""Train a network on handwritten digits: 784 pixels, 256 hidden units with ReLU, 10 classes.

It runs on your own tensors, layers and loss. The gradients are those that you worked out by hand in
module 04, or those that module 05 computes. `--compare` trains the same network both ways, and in
PyTorch if that is installed.
"""

from common.ending import run  # first: Ctrl-C during the other imports takes one line

from typing import NamedTuple

import numpy as np

from common import Misused, closing_table, complete, evaluate, parser, positive, reading, saving, tested
from common.digits import add_data, read_digits
from common.gradients import GRADIENTS, default_gradients, stepper
from common.loop import Loop
from tinytorch.datasets import MNIST
from tinytorch.losses import mlp
from tinytorch.tensor import Tensor
from tito.console import next_step

# Mean and standard deviation of the training pixels, as fractions of the brightest value, 255.
((MEAN,), (STD,)) = MNIST.pixels


class Recipe(NamedTuple):
    """How to train on a data set, unless the command line says otherwise."""

    epochs: int
    batch_size: int
    lr: float


RECIPES = {"mnist": Recipe(epochs=5, batch_size=128, lr=0.1), "mnist-5k": Recipe(epochs=10, batch_size=64, lr=0.1)}


def read_options():
    """Read the command line."""
    options = add_data(parser(__doc__, "mnist-mlp", RECIPES))
    options.add_argument("--hidden", type=positive, default=256, metavar="N", help="hidden units (%(default)s)")
    options.add_argument(
        "--gradients",
        choices=[*GRADIENTS, "pytorch"],
        default=default_gradients(),
        help="how to compute the gradients (%(default)s; manual until module 05 is exported)",
    )
    options.add_argument("--compare", action="store_true", help="train with each of these in turn; no weights are kept")
    chosen = options.parse_args()
    if (chosen.compare or chosen.gradients == "autograd") and default_gradients() != "autograd":
        option = "--compare" if chosen.compare else "--gradients"
        options.error(f"argument {option}: module 05 computes gradients, and is not exported yet: tito module start 05")
    if chosen.compare and chosen.resume:
        options.error("argument --resume: --compare keeps no weights to continue with")
    if chosen.device != "cpu" and (chosen.compare or chosen.gradients != "autograd"):
        options.error(
            f"argument --device: with {chosen.device}, only autograd computes gradients: the others are written in NumPy"
        )
    if chosen.capture and (chosen.compare or chosen.gradients != "autograd"):
        options.error("argument --capture: only a step of autograd can be recorded: the others read their numbers in NumPy")
    return chosen


def network(rng, hidden=256):
    """Make the untrained network."""
    return mlp(784, hidden, 10, rng=rng)


def standardise(images):
    """Turn bytes (N, height, width) into a tensor (N, pixels) of numbers around 0."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows *= 1 / (255 * STD)
    rows -= MEAN / STD
    return Tensor(rows)


def rebuild(rng, choices):
    """Return the untrained network and the transform of its inputs, for `tito milestone grade`."""
    return network(rng), standardise


def batches_of(data, device="cpu", size=1000):
    """Return the test data as pairs of tensors on a device."""
    parts = [slice(i, i + size) for i in range(0, len(data.test_labels), size)]
    return [(standardise(data.test_images[part]).to(device), Tensor(data.test_labels[part]).to(device)) for part in parts]


def train(session, data, kind):
    """Train a network from the run's seed.

    Args:
        session: The `Loop`.
        data: The data set.
        kind: How to compute the gradients.

    Returns:
        The network, and its `Result` on the test data.
    """
    options, examples = session.options, len(data.train_labels)
    rng = np.random.default_rng(options.seed)
    model = network(rng, options.hidden).to(options.device)
    batch = batch_of(data, options.device)
    step = stepper(kind, model, options.lr, options.threads, options.capture)
    tests = batches_of(data, options.device)
    for _ in session.epochs(model, rng, examples):
        for chosen in session.batches(examples, rng):
            session.loss = step(*batch(chosen))
        session.accuracy = evaluate(model, tests).accuracy
    return model, tested(evaluate, model, tests)


def batch_of(data, device):
    """Return a function of indices that returns a training batch; for a GPU, the whole data set lives there."""
    if device == "cpu":
        return lambda chosen: (standardise(data.train_images[chosen]), Tensor(data.train_labels[chosen]))
    images, labels = standardise(data.train_images).to(device), Tensor(data.train_labels).to(device)
    return lambda chosen: (images[chosen], labels[chosen])


def is_milestone(options):
    """Say whether this is the network, and the training, that `tito milestone grade` knows."""
    return (options.data, options.hidden) == ("mnist", 256) and options.gradients in GRADIENTS


def compare(options, data):
    """Train with each kind of gradients from the same seed, and print one table."""
    rows, weights = [], []
    for kind in (*GRADIENTS, "pytorch"):
        print(f"{kind}:", flush=True)
        session = Loop(options, keep=False, dataset=options.data, hidden=options.hidden, gradients=kind)
        try:
            model, result = train(session, data, kind)
        except Misused as error:
            print(error)
            continue
        rows.append(session.metrics(result))
        weights.append([parameter.data for parameter in model.parameters()])
        apart = max(np.abs(ours - first).max() for ours, first in zip(weights[-1], weights[0]))
        rows[-1]["largest_difference"] = float(apart)
    closing_table.compare(rows)
    if options.metrics_json:
        saving.write_json(options.metrics_json, {"data": data.name, "runs": rows})
    next_step(f"tito milestone run {options.milestone}")


def main():
    """Train, show the progress, and report the result."""
    options = read_options()
    data = reading(read_digits, options)
    complete(options, RECIPES[options.data])
    if options.compare:
        compare(options, data)
        return
    session = Loop(options, dataset=options.data, hidden=options.hidden, gradients=options.gradients)
    model, result = train(session, data, options.gradients)
    session.finish(
        model,
        result,
        data,
        batches_of(data),
        f"784-{options.hidden}-10",
        options.gradients,
        graded=is_milestone(options),
    )


if __name__ == "__main__":
    run(main)
