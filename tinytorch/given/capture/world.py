"""What a step can reach in Python: modules, optimizers, counters, lists. Given.

A replay runs no Python of the step. So what the step would change there is refused, and a tape is only played while everything
the step could read is as it was when the step was recorded.
"""

import array
import dis
import operator
import os
import random
import sys
import sysconfig
import types
import warnings
import weakref
import zlib
from collections import deque
from collections.abc import Mapping
from contextvars import ContextVar
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from tinytorch.given.capture.arrays import owner_of
from tinytorch.given.device import is_array
from tinytorch.given.op import Op, part

PACKAGE = str(Path(__file__).parents[2]) + os.sep
LIBRARIES = (PACKAGE, "<frozen", *(sysconfig.get_path(kind) + os.sep for kind in ("stdlib", "purelib", "platlib")))
INSTALLED = tuple({sysconfig.get_path(kind) + os.sep for kind in ("purelib", "platlib")})
APART = "numpy", "scipy", "numba", "llvmlite", "matplotlib", "PIL", "pytest", "_pytest", "IPython", "ipykernel", "tqdm"
PLAIN = int, float, complex, bool, str, bytes, type(None), type(Ellipsis), np.dtype, range, slice
MOST = 1000  # entries of a list that are looked into; whether they are still the same ones is asked of all
SMALL = 2**16  # bytes: of a larger array, a checksum is kept instead of the numbers
LARGE = 2**24  # bytes: a larger array is left alone if no code of the user's names it, because it may be a data set
FEW = 16  # numbers of an array that Python is likely to read one by one
BY_NAME = "getattr", "vars", "__dict__", "attrgetter"  # code with these may read an attribute that it does not name


def reachable(*roots):
    """Find what can be reached from some objects: through attributes, containers, and the names that functions read.

    Args:
        roots: The objects, each with its name for messages.

    Returns:
        A `World`.
    """
    world, todo = World(), [(name, value) for name, value in roots]
    seen = set()
    while todo:
        name, value = todo.pop()
        if isinstance(value, PLAIN) or id(value) in seen:
            continue
        seen.add(id(value))
        world.alive.append(value)
        todo.extend(world.enter(name, value))
    world.read_arrays()
    world.of_tensors = [getattr(tensor, name) for _, tensor in world.tensors for name in ("data", "requires_grad")]
    return world


class Captured:
    """The base of `capture`: of a captured step, only its ``step`` is looked into, because its tapes are no part of that."""


class World:
    """The containers that a step can reach, and what they held.

    Attributes:
        tensors: List of (name, tensor).
        generators: List of (name, random generator).
        places: List of (name, container, its keys, the values held, whether these are all keys).
        moving: List of (name, function that returns a state, the state held): iterators, and generators of Python's own numbers.
        contents: List of (name, array or other memory, function that returns what is in it, what that was).
        mentioned: Set of the names in the code of functions.
        ran: Set of the code that has run since.
    """

    def __init__(self):
        self.alive, self.tensors, self.generators, self.arrays, self.places, self.functions = [], [], [], [], [], []
        self.moving, self.contents, self.mentioned, self.ran = [], [], set(), set()
        self.watch("random", partial(state_of, random.random.__self__))
        self.watch("numpy.random", partial(state_of, np.random.rand.__self__))
        self.loose = set()  # pairs of a dict's id and a key, of numbers that each replay computes again

    def enter(self, name, value):
        """Note an object, and return the named objects that it leads to."""
        if isinstance(value, part("Tensor")):
            self.tensors.append((name, value))
            return []
        if is_array(value):
            self.arrays.append((name, value))
            if not isinstance(value, np.ndarray):  # on a device
                return []
            objects = value.flat if value.dtype == object else ()
            own = self.hold(name, getattr(value, "__dict__", {}), name + ".{}")  # such as a mask
            return [*own, *((f"{name}[{i}]", item) for i, item in enumerate(islice(objects, MOST)))]
        if isinstance(value, (bytearray, array.array, memoryview)):
            self.contents.append((name, value, partial(bytes, value), bytes(value)))
            return []
        if isinstance(value, np.random.Generator):
            self.generators.append((name, value))
            return []
        if isinstance(value, types.FunctionType):
            return self.enter_function(name, value)
        if isinstance(value, Captured):
            more = [key for key in vars(value) if key not in value.own]
            return [(name, value.step), *self.hold(name, Attributes(value, more), name + ".{}")]
        if isinstance(value, types.MethodType):
            return [(name, value.__func__), (name, value.__self__)]
        if isinstance(value, partial):
            return [(name, value.func), (name, value.args), (name, value.keywords)]
        if isinstance(value, ContextVar):
            return self.hold(name, Variable(value), "{}", [name])
        if isinstance(value, (dict, types.MappingProxyType)):
            return self.hold(name, value, name.replace("{", "").replace("}", "") + "[{}]")
        if isinstance(value, (list, tuple, set, frozenset, deque)):
            return self.hold_list(name, value)
        if isinstance(value, types.BuiltinFunctionType):  # such as the method of a generator
            return [] if isinstance(value.__self__, types.ModuleType) else [(name, value.__self__)]
        if isinstance(value, type):
            return self.enter_class(name, value) + self.enter_class(name, type(value))
        if isinstance(value, weakref.ref):
            return [(name, value())]
        if isinstance(value, (types.ModuleType, np.ufunc, types.MemberDescriptorType, types.GetSetDescriptorType)):
            return []
        if isinstance(value, Op):
            functions = value.forward, *value.kernels.values(), *value.rules, value.rule_of_each
            return [(name, getattr(function, "py_func", function)) for function in functions if function is not None]
        if state_of(value) is not None:
            self.watch(name, partial(state_of, value))
        attributes = [plain for plain in (getattr(value, "__dict__", None), Attributes(value, slots_of(value))) if plain]
        own = [found for plain in attributes for found in self.hold(name, plain, name + ".{}")]
        return own + self.enter_class(name, type(value))

    def enter_class(self, name, kind):
        """Note what a class of the user's has: numbers and others that its objects share, and methods."""
        found = []
        for each in filter(is_users, kind.__mro__):
            plain = {key: x for key, x in vars(each).items() if not is_dunder(key) or function_of(x)}
            self.hold(name, OfClass(each, list(plain)), name + ".{}")
            found += [(f"{name}.{key}", function_of(x) or x) for key, x in plain.items()]
        return found

    def hold(self, name, plain, form, keys=None):
        """Hold the values of a dict, or of some of its keys."""
        chosen = list(plain if keys is None else keys)
        self.places.append((form, plain, chosen, [plain.get(key) for key in chosen], keys is None))
        return [(form.format(shown(key)), plain.get(key)) for key in chosen]

    def hold_list(self, name, value):
        """Hold the entries of a list or a set; a tuple cannot change, but leads to others."""
        if not isinstance(value, tuple):
            self.places.append((f"{name}[{{}}]", value, None, [*value], True))
        return [(f"{name}[{i}]", item) for i, item in enumerate(islice(value, MOST))]

    def watch(self, name, read):
        """Note something whose state the step may not change."""
        self.moving.append((name, read, read()))

    def moved(self):
        """Yield the name of what has changed its state."""
        for name, read, held in self.moving:
            now = read()
            if len(now) != len(held) or differ(now, held):
                yield name

    def enter_function(self, name, function):
        """Note what a function of the user's reads: its closure, its defaults, and the global names in its code."""
        if not users(function):
            return []
        self.functions.append(function)
        self.hold(
            name, Attributes(function, ["__code__", "__defaults__"]), name + ".{}"
        )  # a cell that runs again may replace them
        code, cells = function.__code__, function.__closure__ or ()
        names = dict.fromkeys(key for each in codes(code) for key in each.co_names)
        self.mentioned.update(names)
        there = [key for key in names if key in function.__globals__]
        found = self.hold(name, function.__globals__, "{}", there)
        found += self.hold_modules(names, {key: meant(function, key) for key in names})
        for key, cell in zip(code.co_freevars, cells):
            try:
                found.append((key, cell.cell_contents))
            except ValueError:  # not assigned yet
                continue
            self.places.append((key, cell, None, [cell.cell_contents], False))
        defaults = *(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()
        return [*found, *self.hold(name, vars(function), name + ".{}"), *((name, default) for default in defaults)]

    def hold_modules(self, names, modules):
        """Hold what code reads from modules of the user's, and from the modules in these.

        Args:
            names: The names in the code.
            modules: Dict from the modules' names to what these names mean; what is no module of the user's is left out.
        """
        found, seen = [], set()
        while modules:
            inner = {}
            for key, module in modules.items():
                if isinstance(module, types.ModuleType) and is_users(module) and id(module) not in seen:
                    seen.add(id(module))
                    every = [each for each in vars(module) if not is_dunder(each)]
                    read = every if any(each in names for each in BY_NAME) else [each for each in names if each in vars(module)]
                    found += self.hold(key, Attributes(module, read), key + ".{}")
                    inner |= {f"{key}.{each}": vars(module)[each] for each in read}
            modules = inner
        return found

    def read_arrays(self):
        """Note what is in the arrays: code of the user's may write to them, and no op would see that."""
        is_named = by_names(self.mentioned, self.mentioned)
        for name, value in self.arrays:
            if isinstance(value, np.ndarray) and (value.nbytes <= LARGE or is_named(name)):
                read = value.tobytes if value.nbytes <= SMALL else partial(checksum, value)
                self.contents.append((name, value, read, read()))

    def readable(self):
        """Return a function that says whether code which has run may have read what has a name, in Python.

        Code of the package reads its own arrays by ops, which are written down; it may take single numbers out of short ones.
        """
        if not self.ran:
            return lambda name, value: True
        users = [code for code in self.ran if is_users_file(code.co_filename)]
        names = {name for code in users for name in code.co_names}
        by_users = by_names(names | {name for code in users for name in code.co_freevars}, names)
        by_all = by_names({name for code in self.ran for name in (*code.co_names, *code.co_freevars)}, names)
        return lambda name, value: by_users(name) or getattr(value, "size", FEW + 1) <= FEW and by_all(name)

    def rewritten(self, seen, owner=None):
        """Yield the name of each plain array whose numbers have changed, and of other memory.

        Args:
            seen: The ids of the owners of memory that ops write to.
            owner: The memory that is asked about; None for all.
        """
        for name, value, read, held in self.contents:
            if not is_within(value, seen) and (owner is None or is_within(value, [id(owner)])) and read() != held:
                yield name

    def restore(self):
        """Put the numbers back into the arrays of which they are kept."""
        for _, value, _, held in self.contents:
            if isinstance(value, np.ndarray) and value.flags.writeable and isinstance(held, bytes) and not value.dtype.hasobject:
                value[...] = np.frombuffer(held, value.dtype).reshape(value.shape)

    def changes(self):
        """Yield each place that no longer holds what it held, and its name; numbers that are computed again do not count."""
        for form, container, keys, held, _ in self.places:
            owner = id(container.owner if isinstance(container, (Attributes, Variable)) else container)
            if isinstance(container, types.CellType):
                if differ([container.cell_contents], held):
                    yield (owner, None), form
            elif keys is None:
                now = [*container]
                if len(now) != len(held) or differ(now, held):
                    yield (owner, None), form.removesuffix("[{}]")
            else:
                changed = [key for key, value in zip(keys, held) if differ([container.get(key)], [value])]
                for key in [*changed, *(container.keys() - set(keys) if form != "{}" else ())]:
                    if (id(container), key) not in self.loose:
                        yield (owner, key), form.format(shown(key))

    def holds(self):
        """Say whether everything is as it was; objects that are only equal to those of before are held from now on."""
        now = [getattr(tensor, name) for _, tensor in self.tensors for name in ("data", "requires_grad")]
        if not all(map(operator.is_, now, self.of_tensors)) or next(self.changes(), None) is not None:
            return False
        self.refresh()
        return True

    def refresh(self):
        """Hold the objects of now: they are equal to those of before, so that the next look is quick."""
        for i, (form, container, keys, held, whole) in enumerate(self.places):
            if isinstance(container, types.CellType):
                held = [container.cell_contents]
            else:
                held = [*container] if keys is None else [container.get(key) for key in keys]
            self.places[i] = form, container, keys, held, whole

    def questions(self, name):
        """Yield questions that are all answered with yes while everything is as it was, as Python's source.

        Args:
            name: Function that returns a name for an object, for use in the source.
        """
        for _, container, keys, held, whole in self.places:
            if isinstance(container, types.CellType):
                yield f"{name(container)}.cell_contents is {name(held[0])}"
            elif isinstance(container, OfClass):
                owner = name(container.owner)
                yield from (f"{owner}.__dict__.get({key!r}) is {name(value)}" for key, value in zip(keys, held))
            elif isinstance(container, Attributes):
                owner = name(container.owner)
                yield from (f"getattr({owner}, {key!r}, None) is {name(value)}" for key, value in zip(keys, held))
            elif keys is None:
                yield f"{name(holds_the_same)}({name(container)}, {name(held)})"
            else:
                if whole:
                    yield f"len({name(container)}) == {len(keys)}"
                for key, value in zip(keys, held):
                    if (id(container), key) not in self.loose:
                        yield f"{name(container)}[{repr(key) if type(key) is str else name(key)}] is {name(value)}"
        for _, tensor in self.tensors:
            yield f"{name(tensor)}.data is {name(tensor.data)} and {name(tensor)}.requires_grad is {tensor.requires_grad}"

    def line_of(self, name, does="STORE"):
        """Return where a function of the user's assigns to a name, as ``file:line``; None if nothing is found.

        Args:
            name: The name, or a path such as ``model.count``.
            does: What the line does to the name: ``"STORE"`` or ``"LOAD"``.
        """
        last = name.replace("]", "").replace("'", "").split(".")[-1].split("[")[-1] or name
        known = last, name, name.split("[")[0].split(".")[-1]
        found = [line for line, step in self.instructions() if step.opname.startswith(does) and step.argval in known]
        return found[0] if found else None

    def line_called(self, owner):
        """Return where a function of the user's last names an object: there, it may call a method that changes it."""
        attribute = owner.rpartition(".")[2]
        lines = [line for line, step in self.instructions() if step.opname.startswith("LOAD") and step.argval == attribute]
        return lines[-1] if lines else None

    def line_into(self, name):
        """Return where a function of the user's may write into an object: a line that names it and stores an entry, if any."""
        stores = {line for line, step in self.instructions() if step.opname in ("STORE_SUBSCR", "STORE_SLICE", "DELETE_SUBSCR")}
        known = name.split("[")[0].split(".")[-1], name.rpartition(".")[2]
        lines = [line for line, step in self.instructions() if step.opname.startswith("LOAD") and step.argval in known]
        store = self.line_of(name, "STORE_ATTR")  # as in ``self.mean *= 0.9``
        return next((line for line in lines if line in stores), store or (lines[-1] if lines else None))

    def instructions(self):
        """Yield what the functions of the user's do, each with its line, as ``file:line``."""
        for function in self.functions:
            for code in codes(function.__code__) if function.__code__ in self.ran or not self.ran else ():
                line = code.co_firstlineno
                for step in dis.get_instructions(code):
                    line = (
                        step.starts_line or line if not isinstance(step.starts_line, bool) else getattr(step, "line_number", line)
                    )
                    yield f"{Path(code.co_filename).name}:{line}", step


def holds_the_same(container, held):
    """Say whether a list or a set holds the very objects that it held."""
    return len(container) == len(held) and all(map(operator.is_, container, held))


def by_names(named, others):
    """Return a function that says whether code may reach what has a name such as ``step.mean[0]``: it names the attribute.

    Args:
        named: Set of the names in the code.
        others: Set of the names in that code which may ask for an attribute in another way.
    """
    all_of_them = not others.isdisjoint(BY_NAME)

    def reaches(name):
        owner, _, attribute = name.split("[")[0].rpartition(".")
        return all_of_them or not owner or attribute in named

    return reaches


def is_within(value, owners):
    """Say whether something is an array in memory of some owners, which are given by their ids."""
    return isinstance(value, np.ndarray) and id(owner_of(value)) in owners


def checksum(values):
    """Return what tells the numbers of an array from others, in a few bytes."""
    flat = np.ascontiguousarray(values).reshape(-1)
    return values.shape, values.dtype, zlib.crc32(flat.tobytes() if flat.dtype.hasobject else flat.view(np.uint8))


def slots_of(x):
    """Return the names that an object's class lists in ``__slots__``."""
    kinds = [vars(kind).get("__slots__", ()) for kind in type(x).__mro__]
    names = [name for slots in kinds for name in ([slots] if isinstance(slots, str) else slots)]
    return [name for name in names if not name.startswith("__")]


class Attributes(Mapping):
    """Some attributes of an object that are in no dict of its own, as a dict would have them.

    Args:
        owner: The object, the class or the module.
        names: List of the attributes' names.
    """

    def __init__(self, owner, names):
        self.owner, self.names = owner, names

    def __getitem__(self, name):
        return getattr(self.owner, name, None)

    def __iter__(self):
        return iter(self.names)

    def __len__(self):
        return len(self.names)


class OfClass(Attributes):
    """What a class itself has, methods and properties as they are."""

    def __getitem__(self, name):
        return vars(self.owner).get(name)


class Variable(Mapping):
    """A context variable, as a dict with one value, whatever the key.

    Args:
        owner: The `contextvars.ContextVar`.
    """

    def __init__(self, owner):
        self.owner = owner

    def __getitem__(self, key):
        return self.owner.get(None)

    def __iter__(self):
        return iter([self.owner.name])

    def __len__(self):
        return 1


def state_of(x):
    """Return what changes in an iterator when it goes on, or in a random generator when it is drawn from, as a list.

    Returns:
        List of numbers and objects; None if the object is neither.
    """
    if isinstance(x, random.Random):
        return [x.getstate()]
    if isinstance(x, np.random.RandomState):
        return list(x.get_state()[2:])  # the position among the numbers that are ready
    if getattr(type(x), "__next__", None) is None:
        return None
    if isinstance(x, types.GeneratorType):
        return [x.gi_frame.f_lasti, *x.gi_frame.f_locals.values()] if x.gi_frame else [None]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python 3.14 takes this from some iterators
            parts = list(flattened(x.__reduce_ex__(2)))  # the form before 2 makes another object of some, which closes files
    except Exception:  # it has none; a count shows its number
        parts = []
    return [repr(x), *parts]


def flattened(x):
    """Yield what tuples and lists hold, and the state of iterators among that."""
    if isinstance(x, (tuple, list)):
        for item in x[:MOST]:
            yield from flattened(item)
    else:
        yield from state_of(x) or [x]


def shown(key):
    """Return the key of a dict as it appears in a name: a tensor as its shape."""
    return f"parameter {key.shape}" if isinstance(key, part("Tensor")) else str(key)


def differ(values, others):
    """Say whether two lists of objects differ: numbers and text by value, anything else by identity."""
    for a, b in zip(values, others):
        if a is not b and not (type(a) is type(b) and isinstance(a, (*PLAIN, tuple, np.generic)) and same_values(a, b)):
            return True
    return False


def same_values(a, b):
    """Compare numbers, text and tuples of them; nan is equal to itself, and 0.0 is not -0.0."""
    if isinstance(a, tuple):
        return len(a) == len(b) and not differ(a, b)
    if isinstance(a, np.generic):
        return a.dtype == b.dtype and a.tobytes() == b.tobytes()
    return repr(a) == repr(b) if isinstance(a, (float, complex)) else a == b


def is_dunder(name):
    """Say whether a name is one that Python itself gives a meaning."""
    return name.startswith("__") and name.endswith("__")


def function_of(x):
    """Return the function that a method, a property or another such attribute of a class calls; None if there is none."""
    for attribute in ("__func__", "fget", "func"):  # of static and class methods, of properties, of cached ones
        function = getattr(x, attribute, None)
        if isinstance(function, types.FunctionType):
            return function
    return x if isinstance(x, types.FunctionType) else None


def meant(function, name):
    """Return what a name in a function means: a global, or a module that the function imports when it runs."""
    package = function.__globals__.get("__package__")
    return function.__globals__.get(name, sys.modules.get(name, sys.modules.get(f"{package}.{name}")))


def is_users(x):
    """Say whether a class or a module is the user's, perhaps installed: neither the package's, nor Python's or NumPy's."""
    module = x if isinstance(x, types.ModuleType) else sys.modules.get(x.__module__)
    known = module is None or module.__name__ in sys.builtin_module_names
    return not known and is_users_file(getattr(module, "__file__", None) or "")


def is_users_file(file):
    """Say whether a file is the user's, perhaps installed: neither the package's, nor Python's or of a library in `APART`."""
    folder = next((folder for folder in INSTALLED if file.startswith(folder)), None)
    if file.startswith(PACKAGE):
        return False
    if folder is not None:
        return Path(file.removeprefix(folder)).parts[0] not in APART
    return not file.startswith(LIBRARIES)


def users(function):
    """Say whether a function was written outside of the package."""
    return not function.__code__.co_filename.startswith(PACKAGE)


def codes(code):
    """Yield the code of a function, and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def where():
    """Return the line of the user's that runs now, as ``file:line``; without one, the innermost line of an exported module."""
    frame, own = sys._getframe(1), None
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith(LIBRARIES):
            return f"{Path(name).name}:{frame.f_lineno}"
        if own is None and Path(name).parent == Path(PACKAGE):
            own = f"{Path(name).name}:{frame.f_lineno}"
        frame = frame.f_back
    return own or "the step"


def in_layer():
    """Return which layer of the package runs now, as ``, in BatchNorm1d``; nothing if the user's own code runs."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(LIBRARIES):
        if frame.f_code.co_name == "forward" and "self" in frame.f_locals:
            return f", in {type(frame.f_locals['self']).__name__}"
        frame = frame.f_back
    return ""
