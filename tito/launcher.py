"""Make `import tinytorch` import the package of the workspace.

Only this file decides what a workspace is and which one an import uses. The installed module `tinytorch.py` (`tito/tinytorch.py`
here) calls `launch`, so that no solved `tinytorch` is on the import path.
"""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

VARIABLE = "TINYTORCH_WORKSPACE"
MARKERS = ("tinytorch/__init__.py", "modules/curriculum.toml")


def launch():
    """Replace the module `tinytorch` that is being imported by the workspace's package.

    Raises:
        ImportError: There is no workspace, or TINYTORCH_WORKSPACE names a folder that is not one.
    """
    workspace = find_workspace()
    if workspace is None:
        raise no_workspace()
    become(workspace)


def find_workspace():
    """Return the workspace that `import tinytorch` uses, or None.

    Returns:
        Path of the folder named in the environment, else the nearest one above the script, else above the current folder.

    Raises:
        ImportError: TINYTORCH_WORKSPACE names a folder that is not a workspace.
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
    """Return whether a folder is a workspace: it has both markers, and is not the course inside an installed tito."""
    return all(os.path.isfile(folder / marker) for marker in MARKERS) and not is_tito(folder.parent)


def is_tito(folder):
    """Return whether a folder is the package tito."""
    return folder.name == "tito" and os.path.isfile(folder / "launcher.py")


def named_workspace(folder):
    """Return the folder named in the environment; raise if it is not a workspace, so that a typo is noticed."""
    if is_workspace(folder):
        return folder
    raise ImportError(
        f"{VARIABLE} is {folder}, which is not a workspace: it needs {' and '.join(MARKERS)}.\n"
        f"Set {VARIABLE} to the folder that `tito init` wrote, or unset it."
    )


def scripts():
    """Return the files that may be the running script; a spawned process knows its own only from sys.argv."""
    files = getattr(sys.modules.get("__main__"), "__file__", None), (sys.argv or [None])[0]
    return [file for file in dict.fromkeys(files) if file and os.path.isfile(file)]


def upward(path):
    """Return a path and the folders above it, nearest first."""
    path = Path(path).resolve()
    return [path, *path.parents]


def below_tools(script):
    """Yield the folders above a script, up to an environment or tito.

    pytest, a Jupyter kernel and tito are scripts too. They are installed somewhere, often inside a clone (`.venv`), which does
    not tell whose package the learner means.
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
    """Return the ImportError that lists where a workspace was searched for."""
    searched = "\n".join(f"  {path}" for path in dict.fromkeys([*scripts(), os.getcwd()]))
    return ImportError(
        "tinytorch is the package that you write, and no workspace was found in or above\n"
        f"{searched}\nRun `tito init DIR` and work in DIR, or set {VARIABLE} to your workspace.",
        name="tinytorch",
    )
