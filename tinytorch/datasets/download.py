"""Download a file so that it appears in its place only when it is complete and correct."""

import os
from contextlib import contextmanager

from tinytorch.datasets.download_progress import note
from tinytorch.datasets.errors import CorruptFile, DownloadFailed, paragraph
from tinytorch.datasets.lock import exclusive
from tinytorch.datasets.transfer import Interrupted, Patience, size, transfer

TIMEOUT = 30.0  # seconds without a byte after which a server counts as stalled
ANSWER = 5.0  # seconds for a server's first answer; several mirrors share them
ATTEMPTS = 5  # connections to one mirror, if each of them brings new bytes


def fetch(target, urls, check, limit, timeout=TIMEOUT):
    """Put a file that passes a check in its place, from the first mirror that has it.

    The bytes are collected in `target.part`, where a later call continues; only a file that passes gets its final name.

    Args:
        target: the file to make; its folder is made too.
        urls: addresses of the same file, tried in order.
        check: called with a path; raises CorruptFile if the file there is not the one wanted.
        limit: the most bytes that the file can have.
        timeout: seconds without a byte after which a server counts as stalled.

    Raises:
        DownloadFailed: if no mirror gives the file, with each one's reason, or if it cannot be written.

    Example:
        >>> from pathlib import Path
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fetch(Path(folder, "labels.gz"), [], Path.read_bytes, limit=10)     # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        tinytorch.datasets.errors.DownloadFailed: Tried to download ...labels.gz from
          no mirror is known
    """
    with preparing(target.parent, target.parent / ".lock") as alone:
        if not _passes(target, check):  # another process may have downloaded it meanwhile
            note(f"downloading {target}")
            patience = Patience(min(timeout, ANSWER / max(len(urls), 1)), timeout)
            _fetch_alone(target, alone, urls, check, limit, patience)


@contextmanager
def preparing(folder, lock):
    """Make a folder and hold a lock while the `with` block fills it.

    Args:
        folder: the folder.
        lock: the lock file; its folder exists or is the one that is made.

    Returns:
        A context manager; it gives True if this process certainly holds the lock.

    Raises:
        DownloadFailed: in place of every OSError in the block, which can only come from the disk.

    Example:
        >>> from pathlib import Path
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     with preparing(Path(file.name, "mnist"), Path(file.name, "lock")):      # doctest: +ELLIPSIS
        ...         pass
        Traceback (most recent call last):
        ...
        tinytorch.datasets.errors.DownloadFailed: Cannot write to ...
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with exclusive(lock, lambda: note(f"another process is downloading into {folder}: waiting for it")) as alone:
            yield alone
    except OSError as error:
        raise DownloadFailed(f"Cannot write to {folder}: {error.strerror or error}.") from error


def publish(part, target):
    """Give a finished file its name, in one step, once its bytes are on the disk.

    Args:
        part: the finished file.
        target: its name; a file of that name is replaced.
    """
    with open(part, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(part, target)


def _fetch_alone(target, alone, urls, check, limit, patience):
    """Download into a file that only this process writes, then publish it."""
    # Without a lock, another process may be writing target.part: use a unique name.
    part = target.with_name(target.name + ("" if alone else f".{os.urandom(4).hex()}") + ".part")
    try:
        if not _passes(part, check):  # it passes if we were killed between the last byte and the rename
            _from_any(urls, part, check, limit, patience)
        publish(part, target)
    finally:
        if not alone:
            part.unlink(missing_ok=True)


def _from_any(urls, part, check, limit, patience):
    """Fill part from the first mirror that can."""
    failures = []
    for url in urls:
        try:
            return _from_mirror(url, part, check, limit, patience)
        except Interrupted as error:
            failures.append(f"{url}: {error}")
            note(f"  {failures[-1]}")
    name = part.name.removesuffix(".part")
    raise DownloadFailed(paragraph(f"Tried to download {name} from", failures or ["no mirror is known"]))


def _from_mirror(url, part, check, limit, patience):
    """Fill part from one mirror; connect again if the connection brought new bytes."""
    for _ in range(ATTEMPTS):
        before = size(part)
        try:
            kept = transfer(url, part, limit, patience)
            check(part)
            return
        except Interrupted:
            if size(part) > limit:
                part.unlink()
            if size(part) <= before:
                raise
        except CorruptFile as error:
            part.unlink()
            if not kept:
                raise Interrupted(f"sent a wrong file: {error.reason}") from None
            # The bytes kept from before may be wrong, not this mirror: try once more from the start.
    raise Interrupted(f"broke off {ATTEMPTS} times")


def _passes(path, check):
    """Return whether a file is there and is the one wanted."""
    try:
        check(path)
    except (FileNotFoundError, CorruptFile):
        return False
    return True
