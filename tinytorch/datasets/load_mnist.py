"""Load MNIST as it was published."""

from tinytorch.datasets.images import MNIST
from tinytorch.datasets.published import Published, load
from tinytorch.datasets.wanted import Wanted

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
FILES = (
    Published("train-images-idx3-ubyte", (60_000, 28, 28), "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    Published("train-labels-idx1-ubyte", (60_000,), "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    Published("t10k-images-idx3-ubyte", (10_000, 28, 28), "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    Published("t10k-labels-idx1-ubyte", (10_000,), "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
)
NAMES = [file.name for file in FILES]
WANTED = Wanted(
    f"MNIST needs {', '.join(NAMES)} (each with or without .gz).",
    NAMES,
    ("mnist", ".", "MNIST/raw"),  # the last is where torchvision keeps it
    "or train on --data mnist-5k (mnist_5k() in Python): the 5,000 MNIST images that come with the course",
)


def mnist(data_dir=None, download=True):
    """Return MNIST from data_dir, else $TINYTORCH_DATA, else the user's cache, else a mirror.

    Args:
        data_dir: a folder with the four IDX files, gzip or not, in it, in `mnist/` or in `MNIST/raw/`. If it is
            given, no other place is searched and nothing is downloaded.
        download: whether missing files may be downloaded into the cache (11 MB).

    Returns:
        Images, uint8 (60000, 28, 28) and (10000, 28, 28), and labels, uint8 (60000,) and (10000,).

    Raises:
        MissingData: if the files cannot be found; the message lists the places searched and what to do.
        CorruptFile: if one of the user's files is not the published one; the file is left as it is.

    Example:
        >>> mnist(data_dir="no/such/folder")                                    # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        tinytorch.datasets.errors.MissingData: MNIST needs train-images-idx3-ubyte, ...

    Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits, 1998.
    """
    return MNIST(*load(FILES, MIRRORS, WANTED, data_dir, download))
