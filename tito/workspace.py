"""Where everything is: the course, the learner's workspace, and the backups of what they wrote."""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from tito import launcher
from tito.curriculum import Curriculum

MANIFEST = Path("modules") / "curriculum.toml"


class WorkspaceError(Exception):
    """Something in the workspace is missing or ambiguous; the message says what to do."""


class NoWorkspace(WorkspaceError):
    """There is no workspace at or above the starting folder."""

    remedy = "tito init DIR"


class OlderWorkspace(WorkspaceError):
    """The workspace was written by an older course than the installed one."""

    remedy = "tito update"

    def __init__(self):
        super().__init__("an older course wrote this workspace: `tito update` updates it and keeps what you wrote")


class NoNotebook(WorkspaceError):
    """A module's notebook is missing."""

    def __init__(self, message, way, remedy):
        self.remedy = remedy
        super().__init__(f"{message}: {way}")


def course_dir():
    """Return the folder of the course: data inside the installed package, or the clone that tito runs from."""
    here = Path(__file__).resolve().parent
    packaged = here / "course"
    return packaged if (packaged / MANIFEST).is_file() else here.parent


def course_source(module):
    """Return the module's source with its reference solutions."""
    return course_dir() / "modules" / module.folder / f"{module.name}.py"


def course_checks(module):
    """Return the path of the module's checks: a file, or a folder of files."""
    from tito.checks import files

    return files.beside(course_source(module))


def is_to_come(module):
    """Return whether the course has no source for this module yet."""
    return not course_source(module).is_file()


def check_released(module):
    """Raise a `WorkspaceError` if the course has no source for this module yet."""
    if is_to_come(module):
        raise WorkspaceError(f"module {module} is not in this release yet")


def is_given(inside):
    """Return whether a file of the package is given; the files at its top level are the learner's.

    Args:
        inside: Path of the file within the package.
    """
    inside = Path(inside)
    return len(inside.parts) > 1 or inside.name == "__init__.py"


def given_files(package):
    """List the given Python files of a package, sorted."""
    return sorted(path for path in package.rglob("*.py") if is_given(path.relative_to(package)))


def copy_package(source, target, exports=()):
    """Copy a package: the given files, and the learner's files in `exports`.

    Args:
        source: Folder of the package.
        target: Folder to copy it to, which does not exist yet.
        exports: Names of the learner's files to copy, such as ``tensor.py``.
    """

    from tito.files import copy_folder

    def left_out(folder, names):
        top = Path(folder) == Path(source)
        learners = {name for name in names if top and name.endswith(".py") and not is_given(name)}
        return {"__pycache__"} | (learners - set(exports))

    copy_folder(source, target, left_out)


# An idle OpenBLAS thread spins for 2**26 clock ticks (20 ms or more) on a core that a kernel could use. With 2**20, steps of
# convolutional networks are faster on several threads, and other steps take as long as before.
BESIDE_BLAS = {"OPENBLAS_THREAD_TIMEOUT": "20"}


@dataclass(frozen=True)
class Workspace:
    """A folder with the learner's notebooks and the package made from them."""

    root: Path

    @property
    def is_clone(self):
        """Whether this is a clone of the course, which is a workspace too, but must not be reset to stubs."""
        return (self.root / "tito" / "workspace.py").is_file()

    @cached_property
    def curriculum(self):
        return Curriculum.load(self.root / MANIFEST)

    @property
    def package(self):
        return self.root / "tinytorch"

    def environment(self):
        """Return the environment of a process that runs the package; variables that are already set are kept."""
        return {**BESIDE_BLAS, **os.environ, launcher.VARIABLE: str(self.root)}

    def folder(self, module):
        """Return the folder of the module's notebook."""
        return self.root / "modules" / module.folder

    def notebook(self, module):
        """Return the learner's notebook, `.ipynb` or `.py`.

        Raises:
            WorkspaceError: There is none, or both formats exist and tito cannot know which is meant.
        """
        candidates = [self.folder(module) / f"{module.name}{suffix}" for suffix in (".ipynb", ".py")]
        existing = [path for path in candidates if path.is_file()]
        if len(existing) == 1:
            return existing[0]
        names = [self.label(path) for path in candidates]
        if existing:
            raise WorkspaceError(f"both {names[0]} and {names[1]} exist: move away the one that you do not work in")
        from tito.notebooks.copies import copies, way_back

        missing, command = f"neither {names[0]} nor {names[1]} exists", f"tito module start {module.number}"
        lost = next((path for path in candidates if copies(path)), None)
        if lost:
            raise NoNotebook(missing, *way_back(lost))
        raise NoNotebook(missing, f"`{command}` writes a new notebook", f"{command}, which writes a new one")

    def has_notebook(self, module):
        """Return whether the module's notebook exists, in either format."""
        return any((self.folder(module) / f"{module.name}{suffix}").is_file() for suffix in (".ipynb", ".py"))

    def exported(self, module):
        """Return the file of the package that the module's notebook fills."""
        return self.package / module.exports

    def label(self, path):
        """Return `path` as shown in messages and exported files: relative to the root, with forward slashes."""
        path = Path(path)
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def backup(self, path):
        """Copy a file to `.tito/backups` with the current date and time in its name, and return the copy."""
        from tito import records
        from tito.files import temporary_for

        path = Path(path)
        inside = path.relative_to(self.root) if path.is_relative_to(self.root) else Path(path.name)
        folder = records.place(self, "backups", *inside.parts).parent
        copy = _free_name(folder, path, datetime.now().strftime("%Y-%m-%d_%H-%M-%S"))
        with temporary_for(copy) as temporary:
            shutil.copy2(path, temporary)
            os.replace(temporary, copy)
        return copy


def _free_name(folder, path, stamp):
    """Return an unused name for a backup: there may be several in one second."""
    copy, count = folder / f"{path.stem}.{stamp}{path.suffix}", 2
    while copy.exists():
        copy, count = folder / f"{path.stem}.{stamp}-{count}{path.suffix}", count + 1
    return copy


def find(start=None):
    """Find the workspace at or above `start`, else `$TINYTORCH_WORKSPACE`, else the current folder.

    Raises:
        NoWorkspace: There is none; the message says where it was searched for.
    """
    named = os.environ.get(launcher.VARIABLE) if start is None else None
    try:
        folders = [launcher.named_workspace(Path(named).resolve())] if named else launcher.upward(start or os.getcwd())
    except ImportError as error:
        raise NoWorkspace(str(error)) from None
    for folder in folders:
        if launcher.is_workspace(folder):
            return Workspace(folder)
    raise NoWorkspace(f"there is no workspace at or above {folders[0]}: `tito init DIR` writes one, then work inside it")
