"""Load MNIST as it was published."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinytorch.datasets.download import fetch
from tinytorch.datasets.errors import CorruptFile, MissingData
from tinytorch.datasets.idx import decompressed, parse_idx
from tinytorch.datasets.images import MNIST
from tinytorch.datasets.locate import find_given, spelled
from tinytorch.datasets.download_progress import note
from tinytorch.datasets.wanted import Wanted
from tinytorch.given.cache import cache_dir

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
SLACK = 1 << 16  # bytes that compression can add to what does not compress


class Published(NamedTuple):
    """Describe one published file. The digest is of the decompressed bytes: mirrors compress them differently."""

    name: str
    shape: tuple[int, ...]
    sha256: str


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
    "or train on --data mnist-5k (mnist_5k() in Python): the 5,000 pictures of MNIST that come with the course",
)


def mnist(data_dir: str | os.PathLike | None = None, download: bool = True) -> MNIST:
    """Return MNIST from data_dir, else $TINYTORCH_DATA, else the user's cache, else a mirror.

    Args:
        data_dir: a folder with the four IDX files, gzip or not, in it, in `mnist/` or in `MNIST/raw/`. If it is
            given, no other place is tried and nothing is downloaded.
        download: whether files that are nowhere may be downloaded into the cache (11 MB).

    Returns:
        Images, uint8 (60000, 28, 28) and (10000, 28, 28), and labels, uint8 (60000,) and (10000,).

    Raises:
        MissingData: if the files are nowhere; the message lists where they were looked for and what to do.
        CorruptFile: if a file of the user's is not the published one; it is left as it is.

    Example:
        >>> mnist(data_dir="no/such/folder")                                    # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        tinytorch.datasets.errors.MissingData: MNIST needs train-images-idx3-ubyte, ...

    Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits, 1998.
    """
    found, looked = find_given(WANTED, data_dir)
    if found:
        return MNIST(*(_load_given(found[file.name], file) for file in FILES))
    try:
        return MNIST(*(_load_cached(file, download, looked) for file in FILES))
    except MissingData as error:
        raise type(error)(WANTED.unavailable(looked, str(error))) from None


def _load_given(path: Path, file: Published) -> np.ndarray:
    """Load a file that is the user's own, which only the user may change."""
    try:
        return _load(path, file)
    except CorruptFile as error:
        raise CorruptFile(
            path,
            f"{error.reason}. It was left as it is: put the published file in its place, "
            "or name another folder by --data-dir or $TINYTORCH_DATA",
        ) from None


def _load_cached(file: Published, download: bool, looked: list[str]) -> np.ndarray:
    """Load one file from the cache, downloading it first if it is absent or was damaged there."""
    folder = cache_dir() / "mnist"
    target = folder / f"{file.name}.gz"
    path = spelled(folder, file.name) or target
    try:
        return _load(path, file)
    except FileNotFoundError:
        looked.append(f"{path}: no such file")
    except CorruptFile as error:
        looked.append(str(error))
        note(f"not used: {error}")
    if not download:
        raise MissingData("Not downloaded: download=False.")
    fetch(
        target,
        [f"{mirror}{target.name}" for mirror in MIRRORS],
        lambda path: _load(path, file),
        limit=int(np.prod(file.shape)) + SLACK,
    )
    return _load(target, file)


def _load(path: Path, file: Published) -> np.ndarray:
    """Read a file and make sure that it is the published one."""
    import hashlib

    raw = decompressed(path)
    array = parse_idx(raw, path)
    if (array.shape, array.dtype) != (file.shape, np.uint8):
        raise CorruptFile(path, f"the wrong file: it holds {array.shape} {array.dtype}, {file.name} holds {file.shape} uint8")
    digest = hashlib.sha256(raw).hexdigest()
    if digest != file.sha256:
        raise CorruptFile(
            path,
            "the wrong contents in the right shape: a damaged copy, or another data set, such as "
            f"Fashion-MNIST (SHA-256 {digest[:12]}..., MNIST's is {file.sha256[:12]}...)",
        )
    return array
