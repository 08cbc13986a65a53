"""Write a new workspace: stripped notebooks, the package's given files, the milestones, and a README."""

import shutil
from pathlib import Path

from tito import leftovers, workspace
from tito.curriculum import Curriculum
from tito.files import copy_folder
from tito.notebooks import source, strip
from tito.update import origin

README = """\
# My TinyTorch

You write a deep-learning framework here, module by module, and then train networks with it.

    tito                       where you are, and the next command
    tito module start 01       shows the first notebook and its exercises
    tito module test 01        checks your exercises
    tito module hint 01.3      a hint; the next call prints the next one
    tito module complete 01    exports your code to `tinytorch/`

`modules/` contains your notebooks, and `tinytorch/` your framework. The files at the top of `tinytorch/` are made from your
notebooks. Its folders are given, which means that the course supplies them. The scripts in `milestones/` train networks with your
framework. `.tito/backups/` keeps copies of everything that tito replaces.
"""


def write(folder, format="ipynb", solved=False):
    """Write a workspace.

    Args:
        folder: A folder that does not exist yet, or is empty.
        format: ``"ipynb"`` or ``"py"``.
        solved: Whether the notebooks contain the reference solutions.

    Returns:
        List of the modules that the course has so far.
    """
    folder = Path(folder).absolute()
    if folder.exists():  # it stays the same folder: somebody may be in it
        with leftovers.folder(".new-", folder) as draft:
            written = fill(draft / folder.name, format, solved)
            for path in sorted((draft / folder.name).iterdir(), key=lambda path: path.name == "modules"):
                path.rename(folder / path.name)  # what makes it a workspace comes last
        return written
    folder.parent.mkdir(parents=True, exist_ok=True)
    with leftovers.folder(f".{folder.name}-", folder.parent) as draft:
        written = fill(draft / folder.name, format, solved)
        (draft / folder.name).rename(folder)  # whole or not at all
    return written


def fill(folder, format, solved):
    """Write everything into a folder that does not exist yet; return the modules written."""
    course = workspace.course_dir()
    curriculum = Curriculum.load(course / workspace.MANIFEST)
    workspace.copy_package(course / "tinytorch", folder / "tinytorch")
    copy_folder(course / "milestones", folder / "milestones", shutil.ignore_patterns("__pycache__"))
    (folder / "modules").mkdir()
    shutil.copyfile(course / workspace.MANIFEST, folder / workspace.MANIFEST)
    (folder / "README.md").write_text(README, encoding="utf-8")
    (folder / ".gitignore").write_text("__pycache__/\n.ipynb_checkpoints/\n.tito/\nruns/\n", encoding="utf-8")
    here = [module for module in curriculum.modules if not workspace.is_to_come(module)]
    space = workspace.Workspace(folder)
    for module in here:
        write_notebook(space, module, format)
    origin.keep(space)
    for module in here if solved else ():  # after the record, in which solutions are not given: an update keeps them
        write_notebook(space, module, format, solved)
    return here


def write_notebook(space, module, format, solved=False):
    """Write one module's notebook into a workspace.

    Args:
        space: The workspace.
        module: The module.
        format: ``"ipynb"`` or ``"py"``.
        solved: Whether it contains the reference solutions.

    Returns:
        Its path.
    """
    cells = strip.learner_cells(source.read(workspace.course_source(module)), solved)
    path = space.folder(module) / f"{module.name}.{format}"
    path.parent.mkdir(parents=True, exist_ok=True)
    strip.write(cells, path, format)
    return path
