"""Load the 5,000 MNIST images that come with the course."""

from pathlib import Path

from tinytorch.datasets.download_progress import note
from tinytorch.datasets.errors import DownloadFailed
from tinytorch.datasets.idx import read_idx
from tinytorch.datasets.images import MNIST5k
from tinytorch.datasets.load_mnist import mnist

FOLDER = Path(__file__).with_name("mnist_5k")
FILES = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "test-images-idx3-ubyte.gz", "test-labels-idx1-ubyte.gz")


def mnist_5k():
    """Return the MNIST images that come with the course; no network is needed.

    Returns:
        Images, uint8 (4000, 28, 28) and (1000, 28, 28), and labels, uint8 (4000,) and (1000,): the same number of each class,
        in random order.

    Example:
        >>> mnist_5k()
        <5,000 MNIST images: 4000 training and 1000 test images of (28, 28)>

    Source: see `mnist_5k/LICENSE.md`, beside the files.
    """
    return MNIST5k(*(read_idx(FOLDER / name) for name in FILES))


def mnist_or_5k(data_dir=None):
    """Return MNIST if it is found or can be downloaded, else the images that come with the course.

    In the second case a line on stderr says so. What the user names is never replaced: a data_dir without the files, or
    a $TINYTORCH_DATA that is not a folder, is an error.

    Args:
        data_dir: as for `mnist`.

    Returns:
        As `mnist` or as `mnist_5k`.

    Raises:
        MissingData: if data_dir is given and lacks the files, or $TINYTORCH_DATA is not a folder.
        CorruptFile: if one of the user's files is not the published one.

    Example:
        >>> mnist_or_5k(data_dir="no/such/folder")                              # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        tinytorch.datasets.errors.MissingData: MNIST needs train-images-idx3-ubyte, ...
    """
    try:
        return mnist(data_dir)
    except DownloadFailed:
        note("MNIST is not on this machine and cannot be downloaded now: using the 5,000 MNIST images that come with the course.")
        return mnist_5k()
