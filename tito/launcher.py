"""Where `import tinytorch` goes: find the workspace, and become its package.

What a workspace is, and which one an import takes, is said here and nowhere else. The installed module `tinytorch.py`
(`tito/tinytorch.py` here) calls `launch`, so that no solved `tinytorch` lies on any path.
"""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

VARIABLE = "TINYTORCH_WORKSPACE"
MARKERS = ("tinytorch/__init__.py", "modules/curriculum.toml")


def launch():
    """Put the workspace's package in place of the module `tinytorch` that is being imported.

    Raises:
        ImportError: no workspace, or TINYTORCH_WORKSPACE names a folder that is none.
    """
    workspace = find_workspace()
    if workspace is None:
        raise no_workspace()
    become(workspace)


def find_workspace():
    """Return the workspace that `import tinytorch` takes, or None.

    Returns:
        Path: the folder that the environment names, else the nearest one above the script, else above the current folder.

    Raises:
        ImportError: TINYTORCH_WORKSPACE names a folder that is no workspace.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return named_workspace(Path(named).resolve())
    for folders in (*map(below_tools, scripts()), upward(os.getcwd())):
        for folder in folders:
            if is_workspace(folder):
                return folder
    return None


def is_workspace(folder):
    """Say whether a folder is a workspace: it holds both markers, and is not the course that an installed tito carries."""
    return all(os.path.isfile(folder / marker) for marker in MARKERS) and not is_tito(folder.parent)


def is_tito(folder):
    """Say whether a folder is the package tito."""
    return folder.name == "tito" and os.path.isfile(folder / "launcher.py")


def named_workspace(folder):
    """Return the folder that the environment names, which must be a workspace: a typing error must not fall back to another."""
    if is_workspace(folder):
        return folder
    raise ImportError(
        f"{VARIABLE} is {folder}, which is no workspace: it needs {' and '.join(MARKERS)}.\n"
        f"Set {VARIABLE} to the folder that `tito init` wrote, or unset it."
    )


def scripts():
    """Return the files that may be the running script; a spawned process knows its own only by sys.argv."""
    files = getattr(sys.modules.get("__main__"), "__file__", None), (sys.argv or [None])[0]
    return [file for file in dict.fromkeys(files) if file and os.path.isfile(file)]


def upward(path):
    """Return a path and the folders above it, nearest first."""
    path = Path(path).resolve()
    return [path, *path.parents]


def below_tools(script):
    """Yield the folders above a script, ending at an environment or at tito.

    pytest, a Jupyter kernel and tito are scripts too. Their place says where they were installed, often inside a clone
    (`.venv`), and nothing about whose package the learner means.
    """
    environment = Path(sys.prefix).resolve()
    for folder in upward(script):
        yield folder
        if folder == environment or is_tito(folder) or os.path.isfile(folder / "pyvenv.cfg"):
            return


def become(workspace):
    """Load a workspace's package under the name `tinytorch`."""
    init = workspace / "tinytorch" / "__init__.py"
    spec = spec_from_file_location("tinytorch", init, submodule_search_locations=[str(init.parent)])
    package = sys.modules["tinytorch"] = module_from_spec(spec)
    spec.loader.exec_module(package)


def no_workspace():
    """Return the ImportError that says where a workspace was looked for."""
    searched = "\n".join(f"  {path}" for path in dict.fromkeys([*scripts(), os.getcwd()]))
    return ImportError(
        "tinytorch is the package that you write, and no workspace was found in or above\n"
        f"{searched}\nRun `tito init DIR` and work in DIR, or set {VARIABLE} to your workspace.",
        name="tinytorch",
    )
