"""Run a module's solved notebook in its own workspace, and keep its outputs until something they depend on changes."""

import hashlib
import json
import os
import sys
from importlib import metadata
from pathlib import Path

from tito import leftovers, scaffold, workspace
from tito.book import BookError, figures
from tito.checks import files as check_files
from tito.files import write_atomically
from tito.notebooks import cards, source, titles
from tito.notebooks.export import export_text
from tito.notebooks.problems import place

TIMEOUT = 300  # seconds for each cell
KERNEL_OPTIONS = [
    "--log-level=ERROR",
    "--InlineBackend.figure_formats={'retina'}",  # sharp on every screen
    "--IPKernelApp.extra_extensions=['tito.book.figures']",  # and for dark pages, with a description
]
LIBRARIES = ("numpy", "matplotlib", "ipykernel", "ipython")


def outputs(module, curriculum, cache):
    """Return the outputs of each cell of the solved notebook.

    Args:
        module: The module.
        curriculum: The curriculum that it belongs to.
        cache: Folder that keeps outputs from build to build.

    Returns:
        A list with a list of nbformat outputs for each cell.

    Raises:
        BookError: A cell failed; the message names it.
    """
    known = kept(cache, module, curriculum)
    if known is not None:
        return known
    made, path = run(module, curriculum), kept_in(cache, module, curriculum)
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob(f"{module.folder}-*.json"):
        old.unlink()
    write_atomically(path, json.dumps(made))
    return made


def kept(cache, module, curriculum):
    """Return a module's outputs from an earlier build, or None if there are none that can be read."""
    try:
        return json.loads(kept_in(cache, module, curriculum).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def kept_in(cache, module, curriculum):
    """Return the path of the cache file for a module's current outputs."""
    return Path(cache) / f"{module.folder}-{fingerprint(module, curriculum)}.json"


def fingerprint(module, curriculum):
    """Hash all that a module's outputs depend on: its source and checks, its prerequisites, tito, the libraries, the data."""
    given = workspace.given_files(workspace.course_dir() / "tinytorch")
    modules = [*curriculum.prerequisites(module), module]
    files = [
        *given,
        *map(workspace.course_source, modules),
        *check_files.of(workspace.course_checks(module)),
        Path(figures.__file__),
        *sorted(Path(workspace.__file__).parent.glob("*.py")),
    ]
    surroundings = [sys.version, KERNEL_OPTIONS, os.environ.get("TINYTORCH_DATA"), *map(_version, LIBRARIES)]
    digest = hashlib.sha256(repr(surroundings).encode("utf-8"))
    for path in files:
        digest.update(repr((path.name, path.read_bytes() if path.is_file() else None)).encode("utf-8"))
    return digest.hexdigest()[:32]


def run(module, curriculum):
    """Run a module's solved notebook on what its prerequisites export, and return each cell's outputs."""
    absent = [str(needed) for needed in curriculum.prerequisites(module) if workspace.is_to_come(needed)]
    if absent:
        raise BookError(f"module {module} cannot run: it needs {', '.join(absent)}, not written yet (or use --no-execute)")
    with leftovers.folder("tito-book-") as folder:
        space = workspace.Workspace(folder / "workspace")
        scaffold.write(space.root, solved=True)
        for needed in curriculum.prerequisites(module):
            export(space, needed)
        cells = execute(space.notebook(module), space.environment())
    own = [cell for cell in cells if cell["source"] != cards.ANSWER]  # a page has no cells to write answers in
    return [[output for output in cell.get("outputs", ()) if output.get("name") != "stderr"] for cell in own]


def export(space, module):
    """Export a module into the package of a solved workspace."""
    path = space.notebook(module)
    text = export_text(source.read(path), source.read(workspace.course_source(module)), space.label(path))
    write_atomically(space.exported(module), text)


def execute(path, environment):
    """Run a notebook in a fresh kernel of this interpreter, in the notebook's folder.

    Returns:
        The cells, with outputs.

    Raises:
        BookError: A cell failed, or took too long.
    """
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.read(path, as_version=4)
    # With no folders to search, `python3` is this interpreter, no matter which kernels are installed.
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    client = NotebookClient(
        notebook, km=manager, timeout=TIMEOUT, resources={"metadata": {"path": str(path.parent)}}, extra_arguments=KERNEL_OPTIONS
    )
    try:
        return client.execute(env=environment, cleanup_kc=True).cells
    except CellExecutionError as error:
        reason = f"{error.ename}: {error.evalue}"
    except (CellTimeoutError, DeadKernelError) as error:
        reason = str(error)
    raise BookError(f"{place(path, _reached(notebook))} fails although it is solved: {reason}")


def _reached(notebook):
    """Return the label of the last cell that started."""
    started = [
        titles.label(number, cell.source)
        for number, cell in enumerate(notebook.cells, 1)
        if "iopub.execute_input" in cell.metadata.get("execution", {})
    ]
    return started[-1] if started else None


def _version(library):
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None
