"""Write a file so that a kill at any moment leaves either the old file or the new one."""

import contextlib
import glob
import os
import time
from pathlib import Path

LEFT = 60  # seconds after which a temporary file counts as abandoned


def is_anothers(path, ending):
    """Say whether a file that is to be written would replace one of another kind, such as a notebook.

    Args:
        path: `pathlib.Path` that the user has named.
        ending: What the files end in that are written, such as ".json".
    """
    return path.is_dir() or path.exists() and path.suffix not in ("", ending)


def write_atomically(path, text):
    """Write a text so that a kill at any moment leaves either the old file or the new one.

    A Python file is compiled first; a file that already has this text is left alone; permissions are kept. The folder is created
    if needed.
    """
    if Path(path).suffix == ".py":
        from tito.notebooks.parts import compiled

        compiled(text)
    replace_atomically(path, text.encode("utf-8"))


def replace_atomically(path, data):
    """Write bytes atomically, like `write_atomically`, but without compiling."""
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
    """Yield the path of a temporary file beside another, to write and then rename; remove abandoned ones.

    Args:
        path: `pathlib.Path` of the final file.
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
    """Remove the compiled old text: Python does not notice a new text with the same size and time in seconds."""
    for old in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        old.unlink(missing_ok=True)


def _write_through(path, data):
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
