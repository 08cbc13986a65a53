"""Copies of a notebook to go back to: those that tito keeps, and the one that Jupyter keeps beside it."""

import glob
import json
import re
from datetime import datetime


def copies(path):
    """Return the copies of a notebook that can be read and differ from it, the last saved first.

    Args:
        path: `pathlib.Path` of the notebook in a workspace; the file may be damaged or missing.
    """
    path = path.absolute()
    now = path.read_bytes() if path.is_file() else None
    kept = root(path) / ".tito" / "backups" / "modules" / path.parent.name
    every = [
        *kept.glob(f"{glob.escape(path.stem)}.*{path.suffix}"),
        *path.parent.glob(f".ipynb_checkpoints/{glob.escape(path.stem)}-checkpoint{path.suffix}"),
    ]
    different = [copy for copy in every if is_readable(copy) and copy.read_bytes() != now]
    return sorted(different, key=lambda copy: (copy.stat().st_mtime, copy.name), reverse=True)


def is_readable(copy):
    """Return whether a file is text and, if it is a notebook in JSON, whether it has cells."""
    try:
        text = copy.read_text(encoding="utf-8-sig")
        return bool(json.loads(text)["cells"] if copy.suffix == ".ipynb" else text.strip())
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return False


def way_back(path):
    """Return how to restore a lost notebook, as a sentence and as a command; both are empty outside a workspace."""
    if not re.match(r"\d\d_", path.absolute().parent.name):
        return "", ""
    reset = f"tito module reset {path.absolute().parent.name[:2]}"
    for copy in copies(path):
        saved = datetime.fromtimestamp(copy.stat().st_mtime)
        label = copy.relative_to(root(path)).as_posix()
        return (
            f"the last copy of it is {label}, saved {saved:%Y-%m-%d %H:%M}: `{reset} --restore` brings it back",
            f"{reset} --restore",
        )
    return f"`{reset}` writes a new one, and keeps a copy of this one", reset


def root(path):
    """Return the workspace of a notebook."""
    return path.absolute().parents[2]
