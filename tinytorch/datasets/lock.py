"""Let one process at a time write to a place in the cache."""
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PAUSE = 0.1     # seconds between two attempts


@contextmanager
def exclusive(path: Path, waiting: Callable[[], None]) -> Iterator[bool]:
    """Hold the lock of a file while the `with` block runs.

    The system lets go of it when the process ends, however it ends: a killed download blocks nobody.

    Args:
        path: the lock file. It stays behind: to remove it would let two processes lock two files of one name.
        waiting: called once if another process holds the lock.

    Returns:
        A context manager; it gives True, or False where the system or the file system has no locks.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, exclusive(Path(folder, "a.lock"), lambda: None):
        ...     print("alone")
        alone
    """
    with open(path, "ab") as file:
        yield _acquire(file, waiting)    # closing the file releases the lock


def _acquire(file: BinaryIO, waiting: Callable[[], None]) -> bool:
    """Wait for the lock of an open file; return False if there is no such thing here."""
    lock, told = _system_lock(), False
    while lock is not None:
        try:
            lock(file.fileno())
            return True
        except (BlockingIOError, PermissionError):      # held: the first is what fcntl raises, the second msvcrt
            if not told:
                waiting()
            told = True
            time.sleep(PAUSE)
        except OSError:                                 # a network folder without locks
            break
    return False


def _system_lock() -> Callable[[int], None] | None:
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
