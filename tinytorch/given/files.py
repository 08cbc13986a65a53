"""Write a file so that a reader never sees half of it, and the error of a file that cannot be read. Given."""

import os
from pathlib import Path


class BadFile(ValueError):
    """Report a file that is damaged, or is not what it should be."""


def write_atomically(path, data):
    """Write bytes to a file; at every moment a reader sees the whole old file or the whole new one.

    Args:
        path: Path of the file; missing folders are made.
        data: The bytes.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_atomically(Path(folder) / "runs" / "state.bin", b"new")
        ...     (Path(folder) / "runs" / "state.bin").read_bytes()
        b'new'

    Source:
        POSIX.1-2017, "rename": it replaces a file in one step.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # otherwise a power cut could leave an empty file
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
