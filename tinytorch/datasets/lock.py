"""Let one process at a time write to a place: the cache, or the folder of a run."""

import atexit
import os
import time
from contextlib import contextmanager

PAUSE = 0.1  # seconds between two attempts


@contextmanager
def exclusive(path, waiting):
    """Hold the lock of a file while the `with` block runs.

    The system releases the lock when the process ends, however it ends: a killed download blocks no one.

    Args:
        path: the lock file. It is not removed: otherwise two processes could lock two files of the same name.
        waiting: called once if another process holds the lock.

    Returns:
        A context manager; it gives True, or False if the system or the file system has no locks.

    Example:
        >>> from pathlib import Path
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, exclusive(Path(folder, "a.lock"), lambda: None):
        ...     print("alone")
        alone
    """
    with open(path, "ab") as file:
        yield _acquire(file, waiting)  # closing the file releases the lock


def hold(path):
    """Take the lock of a file until this process ends, and remove the file then.

    Args:
        path: the lock file, which is created.

    Returns:
        The open file, which holds the lock until it is closed; None if another process has it.

    Example:
        >>> from pathlib import Path
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, hold(Path(folder, "a.lock")):
        ...     print(hold(Path(folder, "a.lock")))
        None
    """
    file, lock = open(path, "ab"), _system_lock()
    try:
        if lock:
            lock(file.fileno())
    except (BlockingIOError, PermissionError):
        file.close()
        return None
    except OSError:  # a network folder without locks
        pass
    if not path.exists() or not os.path.samestat(os.fstat(file.fileno()), path.stat()):
        file.close()  # its holder removed it in between: lock the file that is there now
        return hold(path)
    atexit.register(_remove, path)
    return file


def _remove(path):
    """Remove a lock file; Windows refuses while it is open, and then the empty file stays."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass


def _acquire(file, waiting):
    """Wait for the lock of an open file; return False if there are no locks here."""
    lock, told = _system_lock(), False
    while lock is not None:
        try:
            lock(file.fileno())
            return True
        except (BlockingIOError, PermissionError):  # held: the first is what fcntl raises, the second msvcrt
            if not told:
                waiting()
            told = True
            time.sleep(PAUSE)
        except OSError:  # a network folder without locks
            break
    return False


def _system_lock():
    """Return the function that locks a file descriptor or fails at once, or None."""
    try:
        import fcntl

        return lambda descriptor: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        pass
    try:
        import msvcrt

        return lambda descriptor: msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except ImportError:
        return None
