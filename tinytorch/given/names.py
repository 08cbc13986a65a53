"""Which names `tinytorch`, `tinytorch.nn` and the others offer: given ones, those that modules build, and neither. Given.

A name is looked up first in the given files of a package, then in the files that modules export. If a module builds it and has
not exported it yet, an ImportError names the module. Any other name raises an AttributeError, so that `hasattr` works, and
`from tinytorch import name` raises an ImportError with the same message.
"""

import functools
import importlib
import inspect
import re
import types

from tinytorch.given import built, imports

DEFINITION = r"(?m)^(?:(?:def|class) ([A-Za-z]\w*)|([A-Za-z]\w*(?: = [A-Za-z]\w*)*) = (?!=))"
INSTEAD = {  # PyTorch's names without a counterpart here, and what to write
    "compile": 'leave the call out, and choose fast kernels with tinytorch.use("numba")',
    "jit": 'leave it out, and choose fast kernels with tinytorch.use("numba")',
    "amp": "leave autocast and the scaler out: float32 is what runs here",
    "autocast": "leave it out: float32 is what runs here",
    "bfloat16": "use float32",
    "complex64": "numbers are real here",
    "onnx": "save weights with tinytorch.save(model.state_dict(), path)",
    "DataParallel": "use the model itself: there is one device here",
    "multiprocessing": "use Python's own multiprocessing",
}


@functools.cache
def definitions(path):
    """Return the names that a Python file defines at the top level, in order.

    Args:
        path: `pathlib.Path` of the file.

    Returns:
        Tuple of names; names that start with an underscore are left out.
    """
    groups = re.findall(DEFINITION, path.read_text(encoding="utf-8"))
    return tuple(name for groups in groups for text in groups for name in text.split(" = ") if name)


@functools.cache
def given_in(*folders):
    """Return where each given name comes from: a dict from the name to the module that defines it.

    Args:
        folders: Folders and files of the package, such as ``"more/nn"``; a missing one has no names.
    """
    homes = {}
    for folder in folders:
        path = imports.PACKAGE / folder
        for file in [path] if path.is_file() else sorted(path.glob("*.py")):
            module = ".".join(["tinytorch", *file.relative_to(imports.PACKAGE).with_suffix("").parts])
            homes |= {name: module.removesuffix(".__init__") for name in definitions(file)}
    return homes


def built_by(stem):
    """Return the names that a module builds: those of its exported file, or before that those of the course's."""
    path = imports.PACKAGE / f"{stem}.py"
    return definitions(path) if path.exists() else built.NAMES.get(stem, ())


def why_not(package, name, offered):
    """Say that a package has no such name, and what to write instead.

    Args:
        package: Its full name, such as ``"tinytorch.nn"``.
        name: The name that was looked up.
        offered: The names that the package has.

    Example:
        >>> why_not("tinytorch.nn", "Conv3d", ["Conv2d", "Linear"])
        "tinytorch.nn has no 'Conv3d': the nearest name is 'Conv2d'"
    """
    import difflib  # for an error alone

    if name in INSTEAD:
        return f"{package} has no {name!r}: {INSTEAD[name]}"
    lower = {other.lower(): other for other in offered}
    nearest = difflib.get_close_matches(name, offered, 1) or difflib.get_close_matches(name.lower(), lower, 1)
    nearest = [lower.get(other, other) for other in nearest]
    return f"{package} has no {name!r}" + (f": the nearest name is {nearest[0]!r}" if nearest else "")


def namespace(package, given=(), stems=tuple, methods=False):
    """Make the functions that look up a package's names, one or all of them.

    Args:
        package: Its full name, such as ``"tinytorch.nn"``.
        given: Folders and files of the package `tinytorch` whose names the package offers, such as ``["more/nn"]``.
        stems: Function that returns the exported files whose names the package offers, such as ``lambda: ["layers"]``.
        methods: Whether a method of Tensor is a function here too, as in PyTorch: ``tinytorch.sum(x)`` is ``x.sum()``.

    Returns:
        The functions `__getattr__` and `__dir__` of the package.

    Example:
        >>> find, _ = namespace("tinytorch.nn", stems=lambda: ["layers"])
        >>> find("Linear").__name__
        'Linear'
        >>> find("Lineal")
        Traceback (most recent call last):
        ...
        AttributeError: tinytorch.nn has no 'Lineal': the nearest name is 'Linear'
    """

    def find(name):
        if name.startswith("__"):
            raise AttributeError(name)
        homes = given_in(*given)
        if name in homes:
            return vars(importlib.import_module(homes[name]))[name]
        if methods and name in tensor_methods():
            return as_function(name)
        absent = [imports.why_absent(stem) for stem in stems() if name in built_by(stem)]
        for stem in stems():
            if name in built_by(stem) and not imports.why_absent(stem):
                return vars(importlib.import_module(f"tinytorch.{stem}"))[name]
        if absent:
            raise ImportError(f"{package} has no {name!r} yet: {absent[0]}")
        raise AttributeError(why_not(package, name, names()))

    def names():
        ready = [name for stem in stems() if not imports.why_absent(stem) for name in built_by(stem)]
        return sorted({*given_in(*given), *(tensor_methods() if methods else ()), *ready})

    return find, names


def tensor_methods():
    """Return the names of Tensor's methods; the given ones if module 01 has not been exported."""
    if imports.why_absent("tensor"):
        from tinytorch.given.tensor_methods import TensorMethods as kind  # not needed by every `import tinytorch`
    else:
        from tinytorch.given.op import part

        kind = part("Tensor")
    return [name for name in dir(kind) if not name.startswith("_") and inspect.isfunction(getattr(kind, name))]


@functools.cache
def as_function(name):
    """Return a method of Tensor as a function of the tensor, which may also be passed by PyTorch's name, ``input``."""
    from tinytorch.given.op import part

    method = getattr(part("Tensor"), name)

    @functools.wraps(method)
    def function(*arguments, **settings):
        if "input" in settings:
            arguments = (settings.pop("input"), *arguments)
        if not arguments or not isinstance(arguments[0], part("Tensor")):
            given = type(arguments[0]).__name__ if arguments else "nothing"
            raise TypeError(f"{name} needs a tensor, got {given}: make one with tinytorch.tensor(...)")
        return method(*arguments, **settings)

    return function


class Exported(types.ModuleType):
    """An exported file with the given names added; calling it calls the function of the same name.

    PyTorch has ``torch.tensor(data)`` and ``torch.optim.lr_scheduler``; here `tensor` and `optim` are your files.
    """

    def __call__(self, *args, **options):
        stem = stem_of(self)
        homes = given_in("given/creation.py")
        home = importlib.import_module(homes[stem]) if stem in homes else self
        return vars(home)[stem](*args, **options)

    def __getattr__(self, name):
        folder = imports.more_of(stem_of(self))
        if not name.startswith("__") and (folder / f"{name}.py").exists():
            return importlib.import_module(f"{self.__name__}.{name}")
        return namespace(self.__name__, [folder.relative_to(imports.PACKAGE)], lambda: [stem_of(self)])[0](name)

    def __dir__(self):
        folder = imports.more_of(stem_of(self))
        submodules = [file.stem for file in folder.glob("[a-z]*.py")]
        return sorted({*vars(self), *given_in(folder.relative_to(imports.PACKAGE)), *submodules})


def stem_of(module):
    """Return a module's own name, without its package's."""
    return module.__name__.rpartition(".")[2]


class Package(types.ModuleType):
    """The package itself: `tinytorch.tensor` is the file that module 01 exports, and calling it calls `tensor`."""

    def __setattr__(self, name, value):
        if type(value) is types.ModuleType and (imports.PACKAGE / f"{name}.py").exists():
            value.__class__ = Exported
        super().__setattr__(name, value)
