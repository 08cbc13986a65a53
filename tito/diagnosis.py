"""The examinations of `tito doctor`: each reports a result and, if something is wrong, what to do."""

import importlib.metadata
import importlib.util
import platform
import sys
import tempfile
from dataclasses import dataclass

from tito import launcher, machine, stray, workspace
from tito.curriculum import CurriculumError

EXTRAS = {
    "jupyterlab": ("notebook", "opens the notebooks"),
    "matplotlib": ("notebook", "draws their figures"),
    "numba": ("kernels", "module 10"),
    "nbgrader": ("grade", "grades a class"),
    "torch": ("bench", "comparisons"),
}


@dataclass(frozen=True)
class Finding:
    """The result of one examination; `remedy` says how to fix a problem, which may be `optional`."""

    fine: bool
    text: str
    remedy: str = ""
    optional: bool = False


def examine():
    """Yield the findings, the most basic first."""
    yield Finding(True, f"Python {platform.python_version()} on {platform.system()}, {sys.executable}")
    yield Finding(True, f"tinytorch-course {version('tinytorch-course')}, NumPy {version('numpy')}, BLAS {blas()}")
    yield imports()
    yield from place()
    for name, (extra, purpose) in EXTRAS.items():
        there = importlib.util.find_spec(name) is not None
        yield Finding(
            there,
            f"{name} {version(name) if there else 'is not installed'} ({purpose})",
            f'pip install "tinytorch-course[{extra}]"',
            optional=True,
        )
    yield from gpu()
    if importlib.util.find_spec("nbgrader"):
        yield confinement()


def confinement():
    """Try the sandbox that runs submissions, with code that tries to get out of it; only an instructor needs it."""
    from tito.grading import sandbox

    try:
        name = sandbox.choose()
    except sandbox.NoSandbox as error:
        return Finding(False, f"no sandbox for submissions:\n{error}", "only to grade a class: see above", optional=True)
    leaks = sandbox.probe(name)
    if leaks:
        return Finding(False, f"{name}, the sandbox for submissions, leaks: {leaks}", "do not grade in it", optional=True)
    return Finding(True, f"{name} holds: submissions get no network, files, environment or root")


def gpu():
    """Say who runs the kernels of module 11, and why; a workspace without the file says nothing."""
    file = course_backend()
    if file is None:
        return
    spec = importlib.util.spec_from_file_location("tito_gpu_backend", file)
    backend = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(backend)
    try:
        chosen = backend.choose()
    except (ValueError, RuntimeError) as error:
        yield Finding(False, f"CUDA: {error}", f"unset {backend.ASKED}, or ask for simulator", optional=True)
        return
    yield Finding(True, "\n       ".join([f"CUDA: {chosen.name}", *chosen.why.split("; ")]))


def course_backend():
    """Return the file that chooses who runs CUDA kernels, of the workspace or else of the course; None if there is none."""
    try:
        package = workspace.find().package
    except workspace.NoWorkspace:
        package = workspace.course_dir() / "tinytorch"
    file = package / "given" / "gpu" / "backend.py"
    return file if file.exists() else None


def version(distribution):
    """Return the installed version of a distribution."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed: it runs from a folder)"


def blas():
    """Name the library behind the matrix product, its processor kernels and its threads."""
    import numpy

    about = machine.numpy(numpy)
    return (
        f"{about['blas']} ({about['architecture'] or 'unknown'}), {about['threads']} threads"
        if "threads" in about
        else about["blas"]
    )


def imports():
    """Examine which package `import tinytorch` imports."""
    try:
        file = stray.stray()
        target = launcher.find_workspace()
    except ImportError as error:
        return Finding(False, str(error), "unset TINYTORCH_WORKSPACE, or set it to the folder that `tito init` wrote")
    if file:
        return Finding(
            False,
            f"import tinytorch imports {file}, which is not your workspace's package",
            f"uninstall it, or remove {file.parent.parent} from PYTHONPATH",
        )
    return Finding(True, f"import tinytorch imports {target / 'tinytorch' if target else 'nothing here: there is no workspace'}")


def place():
    """Examine the workspace: its manifest, its notebooks, its given files."""
    try:
        space = workspace.find()
        modules = space.curriculum.modules
    except (workspace.NoWorkspace, CurriculumError) as error:
        yield Finding(False, str(error), "cd into your workspace, or run `tito init DIR`")
        return
    yield Finding(True, f"workspace {space.root}" + (" (a clone of the course)" if space.is_clone else ""))
    yield from writing(space)
    for module in modules:
        if not workspace.is_to_come(module):
            yield notebook(space, module)
    yield from age(space)


def writing(space):
    """Check that tito can write to its folders."""
    for folder in (space.root, space.package):
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            yield Finding(
                False, f"cannot write in {folder}: {error.strerror}", "change the folder's permissions, or move the workspace"
            )


def notebook(space, module):
    """Examine a module's notebook."""
    from tito.notebooks import source
    from tito.notebooks.problems import SourceError

    try:
        path = space.notebook(module)
        source.read(path)
    except workspace.WorkspaceError as error:
        return Finding(False, str(error), getattr(error, "remedy", f"move one of them out of modules/{module.folder}"))
    except SourceError as error:
        fix = f"fix the file, or tito module reset {module.number} (it keeps a copy)"
        return Finding(False, str(error), getattr(error, "remedy", fix))
    return Finding(True, f"module {module}: {space.label(path)}")


def age(space):
    """Check whether an older course wrote the workspace; if not, compare its given files with the course's."""
    from tito.update import files

    if space.is_clone:
        return
    if files.is_unfinished(space):
        yield Finding(False, "an update of this workspace was interrupted", "tito update")
    plan = files.plan(space)
    if plan.is_older:
        count = len(plan.changes)
        yield Finding(False, f"an older course wrote this workspace: {count} files are out of date", "tito update")
    else:
        yield from given(space)


def given(space):
    """Compare the package's given files with the course's."""
    course = workspace.course_dir()
    for file in workspace.given_files(course / "tinytorch"):
        inside = file.relative_to(course / "tinytorch")
        mine = space.package / inside
        if mine.is_file() and mine.read_bytes() == file.read_bytes():
            continue
        state = "differs from the course's" if mine.is_file() else "is missing"
        yield Finding(False, f"given file tinytorch/{inside.as_posix()} {state}", "tito update", optional=mine.is_file())
