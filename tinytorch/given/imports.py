"""What an import from the package says when there is nothing to import, and which cell an error came from. Given."""

import functools
import importlib
import importlib.util
import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
MANIFEST = PACKAGE.parent / "modules" / "curriculum.toml"
DEFINITION = r"(?:async +)?(?:def|class) +\w+"
CELL = r"# \S+\.(py|ipynb), cell \d+$"
_written = {"now": None}  # number of the module whose notebook runs in this process


@functools.cache
def curriculum():
    """Return the modules of curriculum.toml: a dict from exported name, such as ``"optim"``, to its table, in order."""
    import tomllib

    tables = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["module"] if MANIFEST.exists() else []
    return {table["exports"].removesuffix(".py"): table for table in tables}


def writing(number):
    """Record that a module's notebook runs here: its own names, and later ones, must not come from the package.

    Args:
        number: The module's number, such as ``"03"``; None when no notebook runs here.
    """
    _written["now"] = number


def prerequisites(number):
    """Return the numbers of all modules that a module builds on, without its own.

    Args:
        number: The module's number, such as ``"03"``.

    Returns:
        A set of numbers.
    """
    requires = {table["number"]: table["requires"] for table in curriculum().values()}
    return {number for direct in requires.get(number, []) for number in {direct, *prerequisites(direct)}}


def why_absent(stem):
    """Say why an exported module cannot be imported now.

    Args:
        stem: Its name in the package, such as ``"optim"``.

    Returns:
        A sentence that names the module and the next command; None when it may be imported.
    """
    now, exported = _written["now"], (PACKAGE / f"{stem}.py").exists()
    if now is None and (exported or (PACKAGE / stem / "__init__.py").exists()):
        return None  # before the curriculum is read, which takes a while
    if stem not in curriculum():
        return None
    table = curriculum()[stem]
    built = f"tinytorch.{stem} is built in module {table['number']} ({table['name']})"
    if now == table["number"]:
        return f"{built}, and you are writing it here: use the names of this notebook"
    if now is not None and table["number"] not in prerequisites(now):
        return f"{built}, which module {now} does not build on"
    return None if exported else f"{built}: run `tito module start {table['number']}`"


def more_of(stem):
    """Return the folder that holds PyTorch's further names for an exported file, such as `more/optim`."""
    return PACKAGE / "more" / stem


def why_no_module(name):
    """Say why a full name cannot be imported as a module; `from tinytorch.nn import X` asks for one when there is no X.

    Args:
        name: Such as ``"tinytorch.nn.Conv3d"``.

    Returns:
        The message with which the package refuses the name.
    """
    package, _, last = name.rpartition(".")
    try:
        getattr(sys.modules[package], last)
    except AttributeError as error:
        return str(error)
    return f"{name} is not a module: write `from {package} import {last}`"


@functools.cache
def submodules():
    """Return the names that are modules of the package: the exported files, the folders, and the files in `more`."""
    files = [*PACKAGE.glob("[a-z]*/__init__.py"), *(PACKAGE / "more").glob("[a-z]*.py")]
    return {*curriculum(), *(file.parent.name if file.stem == "__init__" else file.stem for file in files)}


class ExportFinder:
    """Explain why an import fails, and find the submodules that belong to exported files."""

    def find_spec(self, name, path=None, target=None):
        """Find a file of the package; raise an error for a file that is not exported yet or does not exist."""
        package, _, stem = name.partition(".")
        if package != "tinytorch" or not stem:
            return None
        reason = None if "." in stem else why_absent(stem)
        if reason:
            raise ImportError(reason, name=name)
        others = [finder for finder in sys.meta_path if not isinstance(finder, type(self))]  # tito's reads the file again
        spec = next(filter(None, (finder.find_spec(name, path) for finder in others)), None)
        if spec is None and (PACKAGE / "more" / f"{stem}.py").exists():  # such as tinytorch.cuda
            return importlib.util.spec_from_file_location(name, PACKAGE / "more" / f"{stem}.py")
        if spec is None:
            raise ImportError(why_no_module(name), name=name)
        if spec.submodule_search_locations is None and "." not in stem and more_of(stem).is_dir():
            spec.submodule_search_locations = [str(more_of(stem))]  # `import tinytorch.optim.lr_scheduler` looks there
        return spec


def origin_of(path, line):
    """Name the place in your notebook that a line of an exported file came from.

    Args:
        path: `pathlib.Path` of the file.
        line: Number of the line, from 1.

    Returns:
        Text such as ``tensor.ipynb, cell 4 (def mul), line 3``; None for a line that came from no cell.
    """
    lines = path.read_text(encoding="utf-8").split("\n")
    for number in range(line, 0, -1):
        # The export replaces the first line of each cell by this comment, so the other lines keep their distance from it.
        if re.match(CELL, lines[number - 1]):
            return f"{lines[number - 1][2:]}{title(lines[number:])}, line {line - number + 1}"
    return None


def title(lines):
    """Return the first definition among the lines below a cell's comment, in brackets: an editor finds the cell by it."""
    for line in lines:
        definition = re.match(DEFINITION, line)
        if definition:
            return f" ({definition[0]})"
        if re.match(CELL, line):
            break
    return ""


def add_note(error):
    """Add to an exception the notebook, cell and line of the innermost line of your code that it passed through.

    Args:
        error: The exception; its ``__notes__`` grow by one line at most.
    """
    lines, place = error.__traceback__, None
    while lines:
        file = Path(lines.tb_frame.f_code.co_filename)
        place = (origin_of(file, lines.tb_lineno) if file.parent == PACKAGE else None) or place
        lines = lines.tb_next
    if place and place not in getattr(error, "__notes__", ()):
        error.add_note(place)


def install():
    """Start explaining imports and uncaught exceptions in this process; calling it again changes nothing."""
    if any(type(finder).__name__ == "ExportFinder" for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, ExportFinder())
    show = sys.excepthook

    def excepthook(kind, error, traceback):
        add_note(error)
        show(kind, error, traceback)

    sys.excepthook = excepthook
