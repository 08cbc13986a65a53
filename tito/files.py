"""Write a file so that a kill at any moment leaves either the old file or the new one."""

import os
from pathlib import Path

from tito.notebooks.parts import compiled


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
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write_through(temporary, data)
        if path.exists():
            os.chmod(temporary, path.stat().st_mode & 0o7777)
        os.replace(temporary, path)
        _forget_compiled(path)
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
