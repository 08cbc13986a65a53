"""Write a file so that a kill at any moment leaves either the old file or the new one."""

import contextlib
import glob
import os
import time
from pathlib import Path

from tito.notebooks.parts import compiled

LEFT = 60  # seconds after which a file that was to be renamed has nobody any more who would


def write_atomically(path, text):
    """Write a text so that a kill at any moment leaves either the old file or the new one.

    A Python file is compiled first; a file that already holds the text is left alone; permissions are kept. The folder is made
    if it is not there.
    """
    if Path(path).suffix == ".py":
        compiled(text)
    replace_atomically(path, text.encode("utf-8"))


def replace_atomically(path, data):
    """Write bytes as `write_atomically` writes a text, whatever they are."""
    path = Path(os.path.realpath(path))
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary_for(path) as temporary:
        _write_through(temporary, data)
        if path.exists():
            os.chmod(temporary, path.stat().st_mode & 0o7777)
        os.replace(temporary, path)
        _forget_compiled(path)


@contextlib.contextmanager
def temporary_for(path):
    """Give the name of a file beside another, to write to and then rename; what an earlier kill left of such files goes.

    Args:
        path: `pathlib.Path` of the file to be.
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT:
                left.unlink()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _forget_compiled(path):
    """Remove what Python compiled from the old text: it cannot tell a new text of the same size and second from it."""
    for old in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        old.unlink(missing_ok=True)


def _write_through(path, data):
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
