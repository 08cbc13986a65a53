"""Small JSON files in a workspace's folder `.tito`, each of which may be missing or damaged."""

import functools
import json

from tito.files import write_atomically


def read(space, name):
    """Return the contents of a file in `.tito`: a dict, empty if the file is missing or damaged.

    Args:
        space: The workspace.
        name: The file's name, with folders separated by slashes.
    """
    try:
        contents = json.loads((space.root / ".tito" / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return contents if isinstance(contents, dict) else {}


def write(space, name, contents):
    """Write a file in `.tito`; if that fails, say so and go on, because a record must not hide the answer that it is about.

    Args:
        space: The workspace.
        name: As for `read`.
        contents: A dict of JSON data.
    """
    try:
        write_atomically(place(space, *name.split("/")), json.dumps(contents, indent=1, sort_keys=True) + "\n")
    except OSError as error:
        say_not_recorded(space.root / ".tito", error.strerror or str(error))


@functools.cache
def say_not_recorded(folder, reason):
    """Say, once in a process, that a folder does not take records."""
    from tito.console import say

    say(f"note: your progress is not recorded: cannot write in {folder}: {reason}", style="yellow")


def place(space, *names):
    """Return a writable path in `.tito`: make its folders, and move aside anything in their place.

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
    """Rename whatever is in the way: tito did not write it, so it may be of value to the user."""
    count = 1
    while (other := path.with_name(f"{path.name}.damaged-{count}")).exists():
        count += 1
    path.rename(other)
