"""A workspace for the playground: the exported package, and no notebooks."""

import shutil

from tito import workspace


def exported(root):
    """Make the workspace in a folder that exists, and return it."""
    clone = workspace.course_dir()
    files = [path.name for path in (clone / "tinytorch").glob("*.py")]
    workspace.copy_package(clone / "tinytorch", root / "tinytorch", exports=files)
    (root / "modules").mkdir()
    shutil.copy(clone / "modules" / "curriculum.toml", root / "modules")
    return workspace.Workspace(root)
