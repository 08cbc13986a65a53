"""Find a data set's files: in the folder that the caller names, in $TINYTORCH_DATA, in the user's cache."""

import os
from pathlib import Path

from tinytorch.datasets.errors import DownloadFailed, MissingData
from tinytorch.datasets.wanted import VARIABLE
from tinytorch.given.cache import cache_dir


def search(root, wanted):
    """Look for a folder that has all the files.

    Args:
        root: where to start.
        wanted: the files, and the folders to try.

    Returns:
        The path of each name, or None; and a line for each folder that did not have them all.

    Example:
        >>> from tinytorch.datasets.wanted import Wanted
        >>> search(Path("folder"), Wanted("It needs labels.", ["labels"], ["."]))[1]
        ['folder: no such folder']
    """
    looked = []
    for folder in (root / layout for layout in wanted.layouts):
        paths = {name: path for name in wanted.names if (path := spelled(folder, name))}
        if len(paths) == len(wanted.names):
            return paths, looked
        looked.append(f"{folder}: {_what_lacks(folder, paths, wanted.names)}")
    return None, looked


def spelled(folder, name):
    """Return the file with a name, in any spelling that copies of it have.

    Args:
        folder: where to look.
        name: the published name, without `.gz`.

    Returns:
        The path of the first spelling that is a file, or None.

    Example:
        >>> spelled(Path("no/such/folder"), "train-labels-idx1-ubyte") is None
        True
    """
    dotted = name.replace("-idx", ".idx")  # the spelling in copies that other tools unpacked
    paths = (folder / (stem + ending) for stem in (name, dotted) for ending in (".gz", ""))
    return next((path for path in paths if path.is_file()), None)


def _what_lacks(folder, paths, names):
    """Say in a few words what the folder lacks."""
    if not folder.is_dir():
        return "no such folder"
    if not paths:
        return "none of these files"
    return "lacks " + ", ".join(name for name in names if name not in paths)


def find_given(wanted, data_dir):
    """Look where the user says the data is: only in data_dir if it is given, else in $TINYTORCH_DATA.

    Args:
        wanted: the files, and the folders to try.
        data_dir: the folder that the caller named, or None.

    Returns:
        The path of each name, or None; and a line for each folder that was tried.

    Raises:
        MissingData: if data_dir lacks the files, or $TINYTORCH_DATA is not a folder.

    Example:
        >>> from tinytorch.datasets.wanted import Wanted
        >>> find_given(Wanted("It needs labels.", ["labels"], ["."]), "no/such/folder")     # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        tinytorch.datasets.errors.MissingData: It needs labels.
        ...
    """
    given = os.environ.get(VARIABLE) or None if data_dir is None else data_dir
    if given is None:
        return None, [f"${VARIABLE}: not set"]
    root = Path(os.path.expanduser(given)).absolute()  # a ~name that no user has stays as it is
    if data_dir is None and not root.is_dir():
        raise MissingData(f"${VARIABLE} names {given}, which is not a folder: correct the variable, or unset it.")
    paths, looked = search(root, wanted)
    if data_dir is not None and paths is None:
        raise MissingData(wanted.unavailable(looked, "Not downloaded: with --data-dir, no other place is tried."))
    return paths, looked


def cache_folder():
    """Return the folder that downloads are kept in; it may not exist yet.

    Raises:
        DownloadFailed: if no home folder is known, as for some users of a container.

    Example:
        >>> cache_folder().name
        'tinytorch'
    """
    try:
        return cache_dir()
    except RuntimeError:
        raise DownloadFailed("There is no home folder to keep downloads in: set HOME (USERPROFILE on Windows).") from None
