"""Write a file so that a kill at any moment leaves either the old file or the new one; copy folders."""

import contextlib
import glob
import os
import shutil
import tempfile
import time
from pathlib import Path

LEFT = 60  # seconds after which a temporary file counts as abandoned


def why_not_written(path, ending):
    """Return why a file cannot be written, to be said before the work whose result it is for; None if it can.

    Args:
        path: `pathlib.Path` that the user has named. Its folder is made if needed.
        ending: What the files end in that are written, such as ".json": anything else that has something in it is kept, such as a
            notebook, a Makefile or a device.
    """
    if path.is_dir():
        return f"{path} is a folder: name a file in it"
    if path.exists() and not (path.is_file() and (path.suffix == ending or path.stat().st_size == 0)):
        return f"{path} exists already and is no {ending} file: name another one"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        return f"cannot write {path}: {error.strerror}"
    return None


def check_output(path, ending, option):
    """Refuse the file of an option, before the work whose result it is for, if it cannot be written; see `why_not_written`."""
    from typer import BadParameter

    problem = why_not_written(path, ending) if path else None
    if problem:
        raise BadParameter(problem, param_hint=option)


def copy_folder(source, target, ignore=lambda folder, names: ()):
    """Copy the files of a folder without their permissions: what comes from a read-only place can be changed.

    Args:
        source: The folder.
        target: The folder to make.
        ignore: Function of a folder and the names in it that returns the names to leave out.
    """
    for folder, folders, files in os.walk(source, followlinks=True):
        left_out = set(ignore(folder, folders + files))
        folders[:] = [name for name in folders if name not in left_out]
        new = Path(target, os.path.relpath(folder, source))
        new.mkdir(parents=True)
        for name in files:
            if name not in left_out:
                shutil.copyfile(Path(folder, name), new / name)


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

    An error names the other file, which is the one that the user knows.

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
    except OSError as error:
        if str(error.filename) != str(temporary):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with contextlib.suppress(OSError):  # on a file system that is read-only
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
