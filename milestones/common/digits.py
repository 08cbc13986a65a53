"""The handwritten digits that milestones learn from: all of MNIST, or the MNIST images that come with the course."""

from tinytorch.datasets import MNIST, mnist, mnist_5k, mnist_or_5k

DATA = {"auto": mnist_or_5k, "mnist": mnist, "mnist-5k": lambda data_dir: mnist_5k()}


def add_data(options, more=()):
    """Add the option that chooses the images, and return the parser.

    Args:
        options: The parser.
        more: Names of further data sets for the milestone.
    """
    options.add_argument(
        "--data",
        choices=[*DATA, *more],
        default="auto",
        help="images to learn from; auto is mnist if it is found or can be downloaded, else mnist-5k, the 5,000 images "
        "that come with the course (%(default)s)",
    )
    return options


def read_digits(options):
    """Return the images that the command line asks for; replace `auto` by the data set that it chose."""
    data = DATA[options.data](options.data_dir)
    options.data = "mnist" if isinstance(data, MNIST) else "mnist-5k"
    return data
