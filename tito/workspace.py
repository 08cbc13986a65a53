"""Where everything lies: the course, the learner's workspace, and the copies that are kept of what they wrote."""

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
    """No workspace lies at or above the place where one was looked for."""

    remedy = "tito init DIR"


class OlderWorkspace(WorkspaceError):
    """The workspace was written by an older course than the one that is installed."""

    remedy = "tito update"

    def __init__(self):
        super().__init__("an older course wrote this workspace: `tito update` brings it along and keeps what you wrote")


class NoNotebook(WorkspaceError):
    """A module's notebook is not there."""

    def __init__(self, message, remedy):
        self.remedy = f"{remedy}, which writes it afresh"
        super().__init__(f"{message}: `{remedy}` writes the notebook afresh")


def course_dir():
    """Return the folder of the course: data inside the installed package, or the clone that tito runs from."""
    here = Path(__file__).resolve().parent
    packaged = here / "course"
    return packaged if (packaged / MANIFEST).is_file() else here.parent


def course_source(module):
    """Return the module's source with its reference solutions."""
    return course_dir() / "modules" / module.folder / f"{module.name}.py"


def course_checks(module):
    """Return the module's checks."""
    return course_source(module).with_name("checks.py")


def is_to_come(module):
    """Say whether the course holds no source for this module yet."""
    return not course_source(module).is_file()


def is_given(inside):
    """Say whether a file of the package is given; the files at its top are the learner's.

    Args:
        inside: Path of the file within the package.
    """
    inside = Path(inside)
    return len(inside.parts) > 1 or inside.name == "__init__.py"


def given_files(package):
    """List the given Python files of a package, sorted."""
    return sorted(path for path in package.rglob("*.py") if is_given(path.relative_to(package)))


def copy_package(source, target, exports=()):
    """Copy a package: what is given, and of the learner's files those that are named.

    Args:
        source: Folder of the package.
        target: Folder to copy it to, which does not exist yet.
        exports: Names of the learner's files to copy, such as ``tensor.py``.
    """

    def left_out(folder, names):
        top = Path(folder) == Path(source)
        learners = {name for name in names if top and name.endswith(".py") and not is_given(name)}
        return {"__pycache__"} | (learners - set(exports))

    shutil.copytree(source, target, ignore=left_out)


# An idle thread of OpenBLAS stays awake for 2**26 ticks of the clock, 20 ms and more, on a core that a kernel could use.
# With 2**20, steps of convolutional networks are shorter on several threads, and others as long as before.
BESIDE_BLAS = {"OPENBLAS_THREAD_TIMEOUT": "20"}


@dataclass(frozen=True)
class Workspace:
    """A folder that holds the learner's notebooks and the package made from them."""

    root: Path

    @property
    def is_clone(self):
        """A clone of the course is a workspace too, and nothing in it may be reset into stubs."""
        return (self.root / "tito" / "workspace.py").is_file()

    @cached_property
    def curriculum(self):
        return Curriculum.load(self.root / MANIFEST)

    @property
    def package(self):
        return self.root / "tinytorch"

    def environment(self):
        """Return the variables of a process that runs the package; what is set by hand stays as it is."""
        return {**BESIDE_BLAS, **os.environ, launcher.VARIABLE: str(self.root)}

    def folder(self, module):
        """Return the folder of the module's notebook."""
        return self.root / "modules" / module.folder

    def notebook(self, module):
        """Return the learner's notebook, `.ipynb` or `.py`.

        Raises:
            WorkspaceError: There is none, or there are both and tito cannot know which is meant.
        """
        candidates = [self.folder(module) / f"{module.name}{suffix}" for suffix in (".ipynb", ".py")]
        found = [path for path in candidates if path.is_file()]
        if len(found) == 1:
            return found[0]
        names = [self.label(path) for path in candidates]
        if found:
            raise WorkspaceError(f"both {names[0]} and {names[1]} are there: move the one that you do not work in away")
        raise NoNotebook(f"neither {names[0]} nor {names[1]} is there", f"tito module start {module.number}")

    def has_notebook(self, module):
        """Say whether the module's notebook is there, in either format."""
        return any((self.folder(module) / f"{module.name}{suffix}").is_file() for suffix in (".ipynb", ".py"))

    def exported(self, module):
        """Return the file of the package that the module's notebook fills."""
        return self.package / module.exports

    def label(self, path):
        """Return `path` as messages and exported files name it: from the root, with forward slashes."""
        path = Path(path)
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def backup(self, path):
        """Copy a file to `.tito/backups` under the present date and time, and return the copy."""
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
    """Two copies within one second are two copies."""
    copy, count = folder / f"{path.stem}.{stamp}{path.suffix}", 2
    while copy.exists():
        copy, count = folder / f"{path.stem}.{stamp}-{count}{path.suffix}", count + 1
    return copy


def find(start=None):
    """Find the workspace at or above `start`, else `$TINYTORCH_WORKSPACE`, else the current folder.

    Raises:
        NoWorkspace: There is none; the message says where it was looked for.
    """
    named = os.environ.get(launcher.VARIABLE) if start is None else None
    try:
        folders = [launcher.named_workspace(Path(named).resolve())] if named else launcher.upward(start or os.getcwd())
    except ImportError as error:
        raise NoWorkspace(str(error)) from None
    for folder in folders:
        if launcher.is_workspace(folder):
            return Workspace(folder)
    raise NoWorkspace(f"no workspace lies at or above {folders[0]}: `tito init DIR` writes one, then work inside it")
