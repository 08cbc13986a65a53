"""Load CIFAR-10 from its binary version, which needs no pickle."""

import os

import numpy as np

from tinytorch.datasets.download import fetch, preparing, publish
from tinytorch.datasets.errors import CorruptFile, MissingData
from tinytorch.datasets.idx import decompressed
from tinytorch.datasets.images import CIFAR10
from tinytorch.datasets.locate import cache_folder, find_given, search
from tinytorch.datasets.wanted import Wanted

URLS = ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",)  # its only publisher
ARCHIVE_SIZE = 170_052_171
ARCHIVE_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"

FOLDER = "cifar-10-batches-bin"
NAMES = (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin")
WANTED = Wanted(f"CIFAR-10 needs {', '.join(NAMES)} of its binary version.", NAMES, (FOLDER, "."))
CACHED = WANTED._replace(layouts=(FOLDER,))
RECORDS, RECORD = 10_000, 1 + 3 * 32 * 32  # in a file; bytes of one: a label, then the red, green and blue planes


def cifar10(data_dir=None, download=True):
    """Return CIFAR-10 from data_dir, else $TINYTORCH_DATA, else the user's cache, else its publisher.

    Of a folder that you unpacked yourself, the sizes and labels are checked, not the pixels.

    Args:
        data_dir: a folder with the six .bin files in it or in `cifar-10-batches-bin/`. If it is given, no other
            place is searched and nothing is downloaded.
        download: whether the archive may be downloaded into the cache (170 MB).

    Returns:
        Images, uint8 (50000, 3, 32, 32) and (10000, 3, 32, 32), and labels, uint8 (50000,) and (10000,).

    Raises:
        MissingData: if the files cannot be found; the message lists the places searched and what to do.
        CorruptFile: if a file has the wrong size or a label above 9; the file is left as it is.

    Example:
        >>> cifar10(data_dir="no/such/folder")                                  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        tinytorch.datasets.errors.MissingData: CIFAR-10 needs data_batch_1.bin, ...

    Source: Krizhevsky, The CIFAR-10 dataset, "Binary version", 2009.
    """
    given, looked = find_given(WANTED, data_dir)
    try:
        paths = given or _find_cached(download, looked)
    except MissingData as error:
        raise type(error)(WANTED.unavailable(looked, str(error))) from None
    *training, test = (paths[name] for name in NAMES)
    try:
        return CIFAR10(*_read_all(training), *_read_all([test]))
    except CorruptFile as error:
        advice = "put a good copy in its place" if given else "remove it, and the next run downloads it"
        raise CorruptFile(error.path, f"{error.reason}. It was left as it is: {advice}") from None


def _read_all(paths):
    """Read the images, (N, 3, 32, 32), and the labels, (N,), of several files."""
    images, labels = np.empty((len(paths), RECORDS, 3, 32, 32), np.uint8), np.empty((len(paths), RECORDS), np.uint8)
    for i, path in enumerate(paths):
        records = _read(path)
        labels[i], images[i] = records[:, 0], records[:, 1:].reshape(-1, 3, 32, 32)
    return images.reshape(-1, 3, 32, 32), labels.reshape(-1)


def _read(path):
    """Read the records of one file, (10000, 3073), and check that they can be CIFAR-10."""
    needed = RECORDS * RECORD
    raw = decompressed(path, lambda head, path: needed)
    if len(raw) != needed:
        what = "truncated" if len(raw) < needed else "bytes after the end"
        raise CorruptFile(path, f"{what}: {RECORDS} records of {RECORD} bytes are {needed}; {len(raw)} are there")
    records = np.frombuffer(raw, np.uint8).reshape(RECORDS, RECORD)
    wrong = np.flatnonzero(records[:, 0] >= len(CIFAR10.classes))
    if wrong.size:
        raise CorruptFile(path, f"not CIFAR-10: record {wrong[0]} has label {records[wrong[0], 0]}; labels are 0 to 9")
    return records


def _find_cached(download, looked):
    """Find the files in the cache, downloading and unpacking the archive first if they are not there."""
    cache = cache_folder()
    paths, searched = search(cache, CACHED)
    if paths:
        return paths
    looked += searched
    if not download:
        raise MissingData("Not downloaded: download=False.")
    with preparing(cache / FOLDER, cache / FOLDER / ".lock"):
        paths, _ = search(cache, CACHED)  # another process may have downloaded them meanwhile
        return paths or _unpack(_download_archive(cache), cache / FOLDER)


def _download_archive(cache):
    """Download the archive into the cache, and return its path."""
    archive = cache / URLS[0].rpartition("/")[2]
    fetch(archive, URLS, _check_archive, limit=ARCHIVE_SIZE)
    return archive


def _check_archive(path):
    """Raise CorruptFile unless the archive is the published one."""
    import hashlib

    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != ARCHIVE_SHA256:
        raise CorruptFile(path, f"not the published archive: SHA-256 {digest[:16]}..., needed {ARCHIVE_SHA256[:16]}...")


def _unpack(archive, folder):
    """Write the six files into folder, each completely or not at all, and delete the archive."""
    import tarfile

    with tarfile.open(archive, "r:gz") as tar:
        for name in NAMES:  # by name: whatever else the archive holds is not written
            part = folder / f"{name}.{os.urandom(4).hex()}.part"  # unique, even without locks
            part.write_bytes(tar.extractfile(f"{FOLDER}/{name}").read())
            publish(part, folder / name)
    archive.unlink()
    return {name: folder / name for name in NAMES}
