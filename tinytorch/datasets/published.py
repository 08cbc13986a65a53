"""Load a data set of IDX files as published: from the user's folders or else by download, and always checked."""

import math
from typing import NamedTuple

import numpy as np

from tinytorch.datasets.download import fetch
from tinytorch.datasets.download_progress import note
from tinytorch.datasets.errors import CorruptFile, MissingData
from tinytorch.datasets.idx import LONGEST_HEADER, decompressed, parse_idx
from tinytorch.datasets.locate import cache_folder, find_given, spelled

SLACK = 1 << 16  # bytes that compression can add to incompressible data


class Published(NamedTuple):
    """Describe one published file.

    Args:
        name: its name without `.gz`.
        shape: the shape of its array.
        sha256: the digest of its decompressed bytes, because mirrors compress them differently; or of the `.gz` file, if that
            is what the publisher gives.

    Example:
        >>> Published("labels-idx1-ubyte", (10,), "ab" * 32).shape
        (10,)
    """

    name: str
    shape: tuple
    sha256: str


def load(files, mirrors, wanted, data_dir=None, download=True):
    """Return the arrays of a data set's files.

    Args:
        files: a `Published` for each file.
        mirrors: base URLs of the files, each with a slash at its end.
        wanted: a `Wanted`, which says where to look; its first layout is the folder in the cache.
        data_dir: the folder that the user named, or None.
        download: whether missing files may be downloaded into the cache.

    Returns:
        List of uint8 arrays of the published shapes, in the order of the files.

    Raises:
        MissingData: if the files cannot be found; the message lists the places searched and what to do.
        CorruptFile: if one of the user's files is not the published one; the file is left as it is.

    Example:
        >>> from tinytorch.datasets.wanted import Wanted
        >>> labels = Published("labels-idx1-ubyte", (10,), "ab" * 32)
        >>> load([labels], (), Wanted("It needs labels.", [labels.name], ["few"]), "no/such/folder")    # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        tinytorch.datasets.errors.MissingData: It needs labels.
        ...
    """
    given, looked = find_given(wanted, data_dir)
    if given:
        return [_load_given(given[file.name], file) for file in files]
    try:
        folder = cache_folder() / wanted.layouts[0]
        return [_load_cached(folder, file, mirrors, download, looked) for file in files]
    except MissingData as error:
        raise type(error)(wanted.unavailable(looked, str(error))) from None


def _load_given(path, file):
    """Load one of the user's own files, which only the user may replace."""
    try:
        return read(path, file)
    except CorruptFile as error:
        raise CorruptFile(
            path,
            f"{error.reason}. It was left as it is: put the published file in its place, "
            "or name another folder by --data-dir or $TINYTORCH_DATA",
        ) from None


def _load_cached(folder, file, mirrors, download, looked):
    """Load one file from the cache, downloading it first if it is missing or damaged there."""
    target = folder / f"{file.name}.gz"
    path = spelled(folder, file.name) or target
    try:
        return read(path, file)
    except FileNotFoundError:
        looked.append(f"{path}: no such file")
    except CorruptFile as error:
        looked.append(str(error))
        note(f"not used: {error}")
    if not download:
        raise MissingData("Not downloaded: download=False.")
    fetch(
        target,
        [f"{mirror}{target.name}" for mirror in mirrors],
        lambda path: read(path, file),
        limit=int(np.prod(file.shape)) + SLACK,
    )
    return read(target, file)


def read(path, file):
    """Read a file and check that it is the published one.

    Args:
        path: its `pathlib.Path`.
        file: the `Published`.

    Returns:
        uint8 array of the published shape.

    Raises:
        CorruptFile: if it is a different file.

    Example:
        >>> from pathlib import Path
        >>> read(Path("no/such/file"), Published("labels-idx1-ubyte", (10,), "ab" * 32))      # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        FileNotFoundError: ...
    """
    import hashlib

    raw = decompressed(path, lambda head, path: LONGEST_HEADER + math.prod(file.shape))
    array = parse_idx(raw, path)
    if (array.shape, array.dtype) != (file.shape, np.uint8):
        raise CorruptFile(path, f"the wrong file: it holds {array.shape} {array.dtype}, {file.name} holds {file.shape} uint8")
    digest = hashlib.sha256(raw).hexdigest()
    if file.sha256 not in (digest, hashlib.sha256(path.read_bytes()).hexdigest()):
        raise CorruptFile(
            path,
            "the wrong contents in the right shape: a damaged copy, or another data set of the same "
            f"shapes (SHA-256 {digest[:12]}..., the published one's is {file.sha256[:12]}...)",
        )
    return array
