"""Find a `tinytorch` that is not the learner's, but comes before the launcher on the import path."""

from importlib.util import find_spec
from pathlib import Path

from tito import launcher


def stray() -> Path | None:
    """Find the file that `import tinytorch` imports instead of the workspace's package.

    Returns:
        The stray file, or None if the import leads to the workspace or to the launcher.

    Raises:
        ImportError: TINYTORCH_WORKSPACE names a folder that is not a workspace.
    """
    workspace = launcher.find_workspace()
    spec = find_spec("tinytorch")
    if spec is None or spec.origin is None:
        return None
    origin = Path(spec.origin).resolve()
    if is_launcher(origin) or (workspace and origin == workspace / "tinytorch" / "__init__.py"):
        return None
    return origin


def is_launcher(file: Path) -> bool:
    """Return whether a file is the installed `tinytorch.py`."""
    return file.name == "tinytorch.py" and "from tito.launcher import launch" in file.read_text(encoding="utf-8")
