"""Find, download, check and read the course's data sets.

`mnist()`, `digits()` and `cifar10()` return four NumPy arrays: training images and labels, test images
and labels, all uint8, untouched. What cannot be found or trusted raises a `DataError` that says what to do.
"""
from tinytorch.datasets.errors import CorruptFile, DataError, DownloadFailed, MissingData
from tinytorch.datasets.idx import read_idx
from tinytorch.datasets.images import CIFAR10, MNIST, Digits, ImageSet
from tinytorch.datasets.load_cifar10 import cifar10
from tinytorch.datasets.load_digits import digits
from tinytorch.datasets.load_mnist import mnist
from tinytorch.given.cache import cache_dir
