"""What `import tinytorch.x` says when x is not written yet, and where an error lies in your notebook. Given."""
import functools
import importlib
import re
import sys
import types
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
MANIFEST = PACKAGE.parent / "modules" / "curriculum.toml"
CELL = re.compile(r"# \S+\.(py|ipynb), cell \d+$")
_written = {"now": None}  # number of the module whose notebook runs in this process


@functools.cache
def curriculum():
    """Return the modules of curriculum.toml: a dict from exported name, such as ``"optim"``, to its table, in order."""
    import tomllib

    tables = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["module"] if MANIFEST.exists() else []
    return {table["exports"].removesuffix(".py"): table for table in tables}


def writing(number):
    """Say that the notebook of a module runs here: its own names, and later ones, must not come from the package.

    Args:
        number: The module's number, such as ``"03"``; None when no notebook runs here.
    """
    _written["now"] = number


def prerequisites(number):
    """Return the numbers of all modules that a module builds on, itself left out.

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
    if (exported and now is None) or stem not in curriculum():
        return None
    table = curriculum()[stem]
    built = f"tinytorch.{stem} is built in module {table['number']} ({table['name']})"
    if now == table["number"]:
        return f"{built}, and you are writing it here: use the names of this notebook"
    if now is not None and table["number"] not in prerequisites(now):
        return f"{built}, which module {now} does not build on"
    return None if exported else f"{built}: run `tito module start {table['number']}`"


def more_of(stem):
    """Return the folder of the given names that PyTorch has beside those of an exported file, such as `more/optim`."""
    return PACKAGE / "more" / stem


class ExportFinder:
    """Explain an import of what no module has exported yet, and make room for submodules of what has been exported."""

    def find_spec(self, name, path=None, target=None):
        """Find an exported file that has more names in a folder; raise for what is not exported; leave the rest alone."""
        package, _, stem = name.partition(".")
        if package != "tinytorch":
            return None
        reason = why_absent(stem)
        if reason:
            raise ImportError(reason, name=name)
        if stem not in curriculum() or not more_of(stem).is_dir():
            return None
        others = [finder for finder in sys.meta_path if not isinstance(finder, type(self))]  # tito's reads the learner's text anew
        spec = next(filter(None, (finder.find_spec(name, path) for finder in others)))
        spec.submodule_search_locations = [str(more_of(stem))]  # `import tinytorch.optim.lr_scheduler` looks there
        return spec


def lookup(name, stems):
    """Find a public name in the first exported module that has it.

    Args:
        name: The name looked for.
        stems: Names of the exported modules to look in, in order; those not exported yet are passed over.

    Returns:
        What the name stands for.

    Raises:
        ImportError: None of them has it, and some are still to be written. The message lists those.
        AttributeError: All are written, and none has it.
    """
    if name.startswith("__"):
        raise AttributeError(name)
    absent = []
    for stem in stems:
        if why_absent(stem):
            absent.append(f"{curriculum()[stem]['number']} ({stem})")
        elif (PACKAGE / f"{stem}.py").exists():
            module = importlib.import_module(f"tinytorch.{stem}")
            if name in vars(module):
                return vars(module)[name]
    if absent:
        # Not an AttributeError: `from tinytorch import name` would swallow it, and its message with it.
        raise ImportError(f"tinytorch has no {name!r}, so far: these modules are still to be written: {', '.join(absent)}")
    raise AttributeError(f"tinytorch has no {name!r}")


def origin_of(path, line):
    """Name the place in your notebook that a line of an exported file came from.

    Args:
        path: `pathlib.Path` of the file.
        line: Number of the line, from 1.

    Returns:
        Text such as ``tensor.ipynb, cell 4, line 3``; None for a line that came from no cell.
    """
    lines = path.read_text(encoding="utf-8").split("\n")[:line]
    for number in range(len(lines), 0, -1):
        # The export replaces the first line of each cell by this comment, so all others keep their distance from it.
        if CELL.match(lines[number - 1]):
            return f"{lines[number - 1][2:]}, line {line - number + 1}"
    return None


def add_note(error):
    """Add to an exception the notebook, cell and line of the innermost line of your own code that it went through.

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


class Exported(types.ModuleType):
    """An exported file, with the names that are given beside it; called, it is its function of the same name.

    PyTorch has ``torch.tensor(data)`` and ``torch.optim.lr_scheduler``; here `tensor` and `optim` are your files.
    """

    def __call__(self, *args, **options):
        return vars(self)[stem_of(self)](*args, **options)

    def __getattr__(self, name):
        folder = more_of(stem_of(self))
        if not name.startswith("__") and (folder / f"{name}.py").exists():
            return importlib.import_module(f"{self.__name__}.{name}")
        if not name.startswith("__") and (folder / "__init__.py").exists():
            more = importlib.import_module(f"tinytorch.more.{stem_of(self)}")
            if name in vars(more):
                return vars(more)[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


def stem_of(module):
    """Return a module's own name, without its package's."""
    return module.__name__.rpartition(".")[2]


class Package(types.ModuleType):
    """The package itself: `tinytorch.tensor` is the file that module 01 exports and, called, its function."""

    def __setattr__(self, name, value):
        if type(value) is types.ModuleType and name in curriculum():
            value.__class__ = Exported
        super().__setattr__(name, value)


def install():
    """Start explaining imports and uncaught exceptions in this process; calling it again changes nothing."""
    if any(type(finder).__name__ == "ExportFinder" for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, ExportFinder())
    sys.modules["tinytorch"].__class__ = Package
    show = sys.excepthook

    def excepthook(kind, error, traceback):
        add_note(error)
        show(kind, error, traceback)

    sys.excepthook = excepthook
