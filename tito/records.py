"""What tito keeps in a workspace's folder `.tito`: small JSON files, each of which may be lost or damaged at any moment."""

import json

from tito.files import write_atomically


def read(space, name):
    """Return what a file of `.tito` says: a dict, empty if the file is missing or damaged.

    Args:
        space: The workspace.
        name: The file's name; folders before it end in a slash.
    """
    try:
        found = json.loads((space.root / ".tito" / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def write(space, name, found):
    """Write a file of `.tito`.

    Args:
        space: The workspace.
        name: As for `read`.
        found: A dict of JSON data.
    """
    write_atomically(place(space, *name.split("/")), json.dumps(found, indent=1, sort_keys=True) + "\n")


def place(space, *names):
    """Return a path in `.tito` that a file can be written to: its folders are made, and what is in their place moves aside.

    Args:
        space: The workspace.
        names: Folders, and the file.
    """
    *folders, file = names
    path = space.root
    for name in (".tito", *folders):
        path /= name
        if (path.exists() or path.is_symlink()) and not path.is_dir():
            move_aside(path)
        path.mkdir(exist_ok=True)
    if (path / file).is_dir():
        move_aside(path / file)
    return path / file


def move_aside(path):
    """Give what is in the way another name: tito did not write it, so it may be worth something to somebody."""
    count = 1
    while (other := path.with_name(f"{path.name}.damaged-{count}")).exists():
        count += 1
    path.rename(other)
