"""Find, download, check and read the course's data sets.

`mnist()`, `mnist_5k()` and `cifar10()` return four NumPy arrays: training images and labels, test images
and labels, all uint8, unchanged. `mnist_5k()` comes with the course. If data is missing or damaged, a `DataError`
says what to do.
"""

from tinytorch.datasets.errors import CorruptFile, DataError, DownloadFailed, MissingData
from tinytorch.datasets.idx import read_idx
from tinytorch.datasets.images import CIFAR10, MNIST, ImageSet, MNIST5k
from tinytorch.datasets.load_cifar10 import cifar10
from tinytorch.datasets.load_mnist import mnist
from tinytorch.datasets.load_mnist_5k import mnist_5k, mnist_or_5k
from tinytorch.given.cache import cache_dir
