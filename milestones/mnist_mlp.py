"""Train a network on handwritten digits: 784 pixels, 256 hidden units with ReLU, 10 classes.

All that runs is your own: tensors, layers, the loss, and the gradients that you worked out by
hand in module 04.
"""
import numpy as np
from common import Run, evaluate, parser, positive, run

from tinytorch.datasets import digits, mnist
from tinytorch.losses import mlp, mlp_gradients
from tinytorch.tensor import Tensor

# Mean and standard deviation of the training pixels, as fractions of the brightest value, 255.
PIXELS = {"MNIST": (0.1307, 0.3081), "digits (8x8, not MNIST)": (0.3052, 0.3749)}
GRADIENTS = {"manual": mlp_gradients}
TO_COME = {"autograd": "module 05 (autograd) builds it", "pytorch": "module 08 (training) adds it"}


def read_options():
    """Read the command line."""
    options = parser(__doc__, epochs=5, batch_size=128, lr=0.1)
    options.add_argument("--hidden", type=positive, default=256, help="hidden units (%(default)s)")
    options.add_argument("--gradients", choices=[*GRADIENTS, *TO_COME], default="manual",
                         help="who works out the gradients (%(default)s)")
    options.add_argument("--data", choices=["mnist", "digits"], default="mnist",
                         help="digits have 8x8 pixels and are not MNIST (%(default)s)")
    found = options.parse_args()
    if found.gradients in TO_COME:
        options.error(f"--gradients {found.gradients} is to come, {TO_COME[found.gradients]}: "
                      "run with --gradients manual")
    return found


def standardise(images, mean, std):
    """Turn bytes (N, height, width) into a tensor (N, pixels) of numbers around 0."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows *= 1 / (255 * std)
    rows -= mean / std
    return Tensor(rows)


def train_step(gradients, model, images, labels, lr):
    """Take one step downhill.

    Args:
        gradients: Function of model, images and labels: it fills the ``grad`` of every parameter
            and returns the loss.
        model: The network.
        images: Tensor (N, pixels).
        labels: Tensor (N,).
        lr: Learning rate.

    Returns:
        The loss before the step, a Python number.
    """
    loss = gradients(model, images, labels)
    for parameter in model.parameters():
        parameter.grad.data *= lr  # in place: a new array of this size costs more than the product
        parameter.data -= parameter.grad.data
    return loss.item()


def main():
    """Train, show how it goes, and say how it went."""
    options = read_options()
    data = mnist(options.data_dir) if options.data == "mnist" else digits()
    pixels, examples = data.train_images[0].size, len(data.train_labels)
    rng = np.random.default_rng(options.seed)
    model = mlp(pixels, options.hidden, 10, rng=rng)
    gradients = GRADIENTS[options.gradients]
    training = Run(options)

    def batch(images, labels):
        return standardise(images, *PIXELS[data.name]), Tensor(labels)

    def tests(size=1000):
        for i in range(0, len(data.test_labels), size):
            yield batch(data.test_images[i:i + size], data.test_labels[i:i + size])

    for _ in training.epochs(examples):
        for chosen in training.batches(examples, rng):
            images, labels = batch(data.train_images[chosen], data.train_labels[chosen])
            training.loss = train_step(gradients, model, images, labels, options.lr)
        result = evaluate(model, tests())
        training.accuracy = result.accuracy

    network = f"{pixels}-{options.hidden}-10"
    training.finish(result, data=data.name, network=network, gradients=options.gradients)


if __name__ == "__main__":
    run(main)
