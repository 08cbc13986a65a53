"""What `import tinytorch.x` says when x is not written yet, and where an error lies in your notebook. Given."""
import functools
import importlib
import sys
import types
from pathlib import Path

PACKAGE = Path(__file__).parent
MANIFEST = PACKAGE.parent / "modules" / "curriculum.toml"
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


class ExportFinder:
    """Explain an import of what no module has exported yet; leave every other import alone."""

    def find_spec(self, name, path=None, target=None):
        """Raise for what is not exported; find nothing, so that the usual finders go on."""
        package, _, stem = name.partition(".")
        reason = why_absent(stem) if package == "tinytorch" else None
        if reason:
            raise ImportError(reason, name=name)


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


def add_note(error):
    """Add to an exception the notebook, cell and line of the innermost line of your own code that it went through.

    Args:
        error: The exception; its ``__notes__`` grow by one line at most.
    """
    try:
        from tito.notebooks.export import origin_of
    except ImportError:  # the package also runs where tito is not installed
        return
    lines, place = error.__traceback__, None
    while lines:
        file = Path(lines.tb_frame.f_code.co_filename)
        place = (origin_of(file, lines.tb_lineno) if file.parent == PACKAGE else None) or place
        lines = lines.tb_next
    if place and place not in getattr(error, "__notes__", ()):
        error.add_note(place)


class Submodule(types.ModuleType):
    """A module that can be called where it holds a function of its own name, as PyTorch has ``torch.tensor(data)``."""

    def __call__(self, *args, **options):
        return vars(self)[self.__name__.rpartition(".")[2]](*args, **options)


class Package(types.ModuleType):
    """The package itself: `tinytorch.tensor` is the file that module 01 exports and, called, its function."""

    def __setattr__(self, name, value):
        if isinstance(value, types.ModuleType) and callable(vars(value).get(name)):
            value.__class__ = Submodule
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
