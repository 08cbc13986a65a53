"""What a step can reach in Python: modules, optimizers, counters, lists. Given.

A replay runs no Python of the step. So what the step would change there is refused, and a tape is only played while everything
the step could read is as it was when the step was recorded. A recording makes a `World`: it starts at the step and follows
attributes, containers, and the names that functions read.
"""

import array
import dis
import random
import sys
import types
import weakref
import zlib
from collections import deque
from contextvars import ContextVar
from functools import partial
from itertools import islice

import numpy as np

from tinytorch.given.capture.arrays import owner_of
from tinytorch.given.capture.iterators import state_of
from tinytorch.given.capture.lines import Lines
from tinytorch.given.capture.places import ABSENT, PLAIN, Attributes, Cell, Entries, Keys, Single, differ
from tinytorch.given.capture.sources import codes, is_users, is_users_file, users
from tinytorch.given.capture.unread import has_users_attributes, texts_in
from tinytorch.given.device import is_array
from tinytorch.given.op import Op, part

MOST = 1000  # entries of a list that are looked into; whether they are still the same ones is asked of all
SMALL = 2**16  # bytes: of a larger array, a checksum is kept instead of the numbers
LARGE = 2**24  # bytes: a larger array is left alone if no code of the user's names it, because it may be a data set
FEW = 16  # numbers of an array that Python is likely to read one by one
BY_NAME = "getattr", "vars", "__dict__", "attrgetter"  # code with these may read an attribute that it does not name
ALL_KEYS = {"dict", "itemgetter"}  # code with these may read a key of a dict that it does not name
UNPACKS = {dis.opmap.get(name) for name in ("DICT_MERGE", "DICT_UPDATE")}  # so may code with ``**settings``


def reachable(*roots):
    """Find what can be reached from some objects: through attributes, containers, and the names that functions read.

    Args:
        roots: The objects, each with its name for messages.

    Returns:
        A `World`.
    """
    world, todo = World(), [*roots]
    world.roots = [id(value) for _, value in roots]
    while todo:
        name, value = todo.pop()
        if isinstance(value, str):
            world.texts.add(value)
        if isinstance(value, PLAIN):
            continue
        names = world.names.setdefault(id(value), [])
        names.append(name)
        if len(names) == 1:
            world.alive.append(value)
            found = world.enter(name, value)
            world.leads[id(value)] = [id(each) for _, each in found]
            world.holders += [id(value)] * (len(world.places) - len(world.holders))
            todo.extend(found)
    world.read_arrays()
    world.of_tensors = world.facts_of_tensors()
    return world


class Captured:
    """The base of `capture`: of a captured step, only its ``step`` is looked into, because its tapes are no part of that."""


class World:
    """The places that a step can reach, and what they held.

    Attributes:
        alive: List of the objects, so that no other object gets the id of one.
        names: Dict from an object's id to the names under which it can be reached.
        tensors: List of (name, tensor).
        generators: List of (name, random generator).
        leads: Dict from an object's id to the ids of the objects that it leads to.
        roots: List of the ids of the objects that the search began with.
        places: List of places, as in `places`.
        holders: List of the ids of the objects that the places belong to.
        own: List of (id, place with the attributes) of the objects whose classes are the user's alone.
        moving: List of (name, function that returns a state, the state held): iterators, and generators of Python's own numbers.
        arrays: List of (name, array).
        contents: List of (name, array or other memory, function that returns what is in it, what that was).
        functions: List of the functions of the user's.
        texts: Set of the strings that can be reached: they may be keys that code asks for.
        ran: Set of the code that has run since.
        asked: Set of the ids of dicts of which code outside of the package has called a method since, such as ``items``.
        loose: Set of pairs of a dict's id and a key: of numbers that each replay computes again.
    """

    def __init__(self):
        self.alive, self.names, self.tensors, self.generators, self.arrays, self.places = [], {}, [], [], [], []
        self.moving, self.contents, self.functions, self.ran = [], [], [], set()
        self.asked, self.texts, self.loose = set(), set(), set()
        self.leads, self.roots, self.holders, self.own = {}, [], [], []
        self.lines = Lines(self.functions, self.ran)
        self.watch("random", random.random.__self__)
        self.watch("numpy.random", np.random.rand.__self__)

    # What each kind of object leads to.

    def enter(self, name, value):
        """Note an object, and return the named objects that it leads to."""
        if isinstance(value, part("Tensor")):
            self.tensors.append((name, value))
            return []
        if is_array(value):
            return self.enter_array(name, value)
        for kinds, follow in PASSED:
            if isinstance(value, kinds):
                return [(name, each) for each in follow(value)]
        enter = next((enter for kinds, enter in ENTERED if isinstance(value, kinds)), World.enter_object)
        found = enter(self, name, value)
        is_object = getattr(value, "__dict__", None) is not None  # one of a subclass, with attributes and methods of its own
        return [*found, *self.enter_object(name, value)] if isinstance(value, CONTAINERS) and is_object else found

    def enter_array(self, name, value):
        """Note an array; one of NumPy's may hold objects, and have attributes such as a mask."""
        self.arrays.append((name, value))
        if not isinstance(value, np.ndarray):  # on a device
            return []
        objects = value.flat if value.dtype == object else ()
        return [*self.hold_attributes(name, value), *((f"{name}[{i}]", item) for i, item in enumerate(islice(objects, MOST)))]

    def enter_memory(self, name, value):
        """Note memory that is no array of NumPy's."""
        read = partial(bytes_of, value)
        self.contents.append((name, value, read, read()))
        return []

    def enter_partial(self, name, value):
        """Note a function with some arguments filled in."""
        return [(name, value.func), (name, value.args), (name, value.keywords)]

    def enter_generator(self, name, value):
        """Note a random generator of NumPy's."""
        self.generators.append((name, value))
        return []

    def enter_captured(self, name, value):
        """Note a captured step, and the attributes that its user gave it."""
        more = [key for key in vars(value) if key not in value.own]
        return [(name, value.step), *self.hold(Keys(name + ".{}", vars(value), more, whole=True))]

    def enter_variable(self, name, value):
        """Note a context variable."""
        place = Single(name, value, partial(value.get, ABSENT))
        self.places.append(place)
        return [(name, place.held)]

    def enter_dict(self, name, value):
        """Note a dict."""
        return self.hold(Keys(name.replace("{", "").replace("}", "") + "[{}]", value))

    def enter_list(self, name, value):
        """Note a list, a set or a deque; a tuple cannot change, but leads to others."""
        if not isinstance(value, tuple):
            self.places.append(Entries(name, value))
        return [(f"{name}[{i}]", item) for i, item in enumerate(islice(value, MOST))]

    def enter_type(self, name, value):
        """Note a class, and its own class."""
        return self.enter_class(name, value) + self.enter_class(name, type(value))

    def enter_object(self, name, value):
        """Note an object of any other class: its attributes, and what its class has."""
        if state_of(value) is not None:
            self.watch(name, value)
        if bytes_of(value) is not None:  # such as a number of ctypes
            self.enter_memory(name, value)
        found = self.hold_attributes(name, value)
        if isinstance(value, types.GeneratorType) and value.gi_frame:
            found += [(f"{name}.{key}", each) for key, each in value.gi_frame.f_locals.items()]
        apart = slots_of(value) + ["__class__"] * is_users(type(value))
        if apart:
            found += self.hold(Attributes(name, value, apart))
        return found + self.enter_class(name, type(value))

    def enter_class(self, name, kind):
        """Note what a class of the user's has: numbers and others that its objects share, and methods."""
        found = []
        for each in filter(is_users, kind.__mro__):
            plain = {key: x for key, x in vars(each).items() if not is_dunder(key) or function_of(x)}
            self.hold(Keys(name + ".{}", vars(each), list(plain), whole=True, owner=each))
            found += [(f"{name}.{key}", function_of(x) or x) for key, x in plain.items()]
        return found

    def enter_function(self, name, function):
        """Note what a function of the user's reads: its closure, its defaults, and the global names in its code."""
        if not users(function):
            return []
        self.functions.append(function)
        self.places.append(Attributes(name, function, ["__code__", "__defaults__"]))  # a cell that runs again sets them
        names = dict.fromkeys(key for code in codes(function.__code__) for key in code.co_names)
        there, wanted = function.__globals__, global_names(function)
        found = self.hold(Keys("{}", there, [key for key in names if key in there or key in wanted]))
        found += self.hold_modules(names, {key: meant(function, key) for key in names})
        for key, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            place = Cell(key, cell)
            self.places.append(place)
            found.append((key, place.held))
        defaults = *(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()
        return [*found, *self.hold(Keys(name + ".{}", vars(function))), *((name, default) for default in defaults)]

    def hold(self, place):
        """Add a place with keys, and return the named objects that it leads to."""
        self.places.append(place)
        return place.named()

    def hold_attributes(self, name, value):
        """Hold the attributes of an object, if it keeps them in a dict."""
        attributes = getattr(value, "__dict__", None)
        if attributes is None:
            return []
        place = Keys(name + ".{}", attributes)
        if has_users_attributes(value):
            self.own.append((id(value), place))
        return self.hold(place)

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
                    found += self.hold(Keys(key + ".{}", vars(module), read))
                    inner |= {f"{key}.{each}": vars(module)[each] for each in read}
            modules = inner
        return found

    def watch(self, name, thing):
        """Note something whose state the step may not change."""
        read = partial(state_of, thing)
        self.moving.append((name, read, read()))

    # Arrays.

    def read_arrays(self):
        """Note what is in the arrays: code of the user's may write to them, and no op would see that."""
        is_named = by_names([code for function in self.functions for code in codes(function.__code__)])
        for name, value in self.arrays:
            if isinstance(value, np.ndarray) and (value.nbytes <= LARGE or is_named(*self.names[id(value)])):
                read = value.tobytes if value.nbytes <= SMALL else partial(checksum, value)
                self.contents.append((name, value, read, read()))

    def readable(self):
        """Return a function that says whether code which has run may have read an array, in Python.

        Code of the package reads its own arrays by ops, which are written down; it may take single numbers out of short ones.
        """
        if not self.ran:
            return lambda array: True
        by_users = by_names(self.users_codes())
        by_all = by_names(self.ran, self.users_codes())

        def is_readable(array):
            names = self.names[id(array)]
            return by_users(*names) or getattr(array, "size", FEW + 1) <= FEW and by_all(*names)

        return is_readable

    def users_codes(self):
        """Return the user's code that has run; all that can be reached, if nobody watched."""
        ran = self.ran or {code for function in self.functions for code in codes(function.__code__)}
        return [code for code in ran if is_users_file(code.co_filename)]

    def reading(self):
        """Return a function that says whether the user's code that has run may have read a number without a `live` dict.

        The function takes a dict's id and a key. A dict that is not known has been made in this run, and the next one knows it.
        """
        ran = self.users_codes()
        reaches, gets_copies = by_names(ran), any("state_dict" in code.co_names for code in ran)
        keys = self.texts.union(*(texts_in(code.co_consts) for code in ran))
        functions = [[*codes(code)] for code in ran]  # each with those inside it: a ``dict()`` anywhere else says nothing
        takers = [by_names(function) for function in functions if any(map(takes_all_keys, function))]

        def may_read(plain, key):
            names = self.names.get(plain)
            if names is None or plain in self.asked:
                return names is not None
            if key in keys:
                return gets_copies or reaches(*names)
            return any(takes(*names) for takes in takers)

        return may_read

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

    # Whether everything is as it was.

    def moved(self):
        """Yield the name of what has changed its state."""
        for name, read, held in self.moving:
            now = read()
            if len(now) != len(held) or differ(now, held):
                yield name

    def changes(self):
        """Yield each place that no longer holds what it held, and its name; numbers that are computed again do not count.

        Yields:
            Pairs: the place, which is an object's id and a key, and the name.
        """
        for place in self.places:
            for key, name in place.changes():
                if (id(place.owner), key) not in self.loose:
                    yield (id(place.owner), key), name

    def facts_of_tensors(self):
        """Return the arrays of the tensors, and whether they need gradients."""
        return [getattr(tensor, name) for _, tensor in self.tensors for name in ("data", "requires_grad")]

    def changed(self):
        """Return the name of something that is no longer as it was; None if everything is."""
        now = self.facts_of_tensors()
        tensors = (self.tensors[i // 2][0] for i, held in enumerate(self.of_tensors) if now[i] is not held)
        return next(tensors, None) or next((name for _, name in self.changes()), None)

    def holds(self):
        """Say whether everything is as it was; objects that are only equal to those of before are held from now on."""
        if self.changed() is not None:
            return False
        self.refresh()
        return True

    def refresh(self):
        """Hold the objects of now: they are equal to those of before, so that the next look is quick."""
        for place in self.places:
            place.refresh()

    def questions(self, name):
        """Yield questions that are all answered with yes while everything is as it was, as Python's source.

        Args:
            name: Function that returns a name for an object, for use in the source.
        """
        for place in self.places:
            yield from place.questions(name, self.loose)
        for _, tensor in self.tensors:
            yield f"{name(tensor)}.data is {name(tensor.data)} and {name(tensor)}.requires_grad is {tensor.requires_grad}"


PASSED = (  # objects that hold nothing themselves, and what they lead to
    (types.MethodType, lambda x: [x.__func__, x.__self__]),
    (types.BuiltinFunctionType, lambda x: [] if isinstance(x.__self__, types.ModuleType) else [x.__self__]),
    (weakref.ref, lambda x: [x()]),
    (Op, lambda x: [getattr(function, "py_func", function) for function in functions_of(x)]),
    ((types.ModuleType, np.ufunc, types.MemberDescriptorType, types.GetSetDescriptorType), lambda x: []),
)
ENTERED = (  # objects that hold something; any other is `World.enter_object`'s
    ((bytearray, array.array, memoryview), World.enter_memory),
    (partial, World.enter_partial),
    (np.random.Generator, World.enter_generator),
    (types.FunctionType, World.enter_function),
    (Captured, World.enter_captured),
    (ContextVar, World.enter_variable),
    ((dict, types.MappingProxyType), World.enter_dict),
    ((list, tuple, set, frozenset, deque), World.enter_list),
    (type, World.enter_type),
)
CONTAINERS = dict, list, tuple, set, frozenset, deque, bytearray, array.array, partial


def bytes_of(x):
    """Return the bytes of an object's memory; None if it lends none to others."""
    try:
        return memoryview(x).tobytes()
    except (TypeError, ValueError, BufferError):
        return None


def functions_of(op):
    """Return the functions that are registered on an op."""
    return [each for each in (op.forward, *op.kernels.values(), *op.rules, op.rule_of_each) if each is not None]


def by_names(code, asking=None):
    """Return a function that says whether code may reach what has names such as ``step.mean[0]``: it names the attribute.

    Args:
        code: Collection of code objects.
        asking: The code objects among them that may ask for an attribute in another way; all by default.
    """
    named = {name for each in code for name in (*each.co_names, *each.co_freevars)}
    all_of_them = any(not set(BY_NAME).isdisjoint(each.co_names) for each in (code if asking is None else asking))

    def reaches(*names):
        paths = [name.split("[")[0].rpartition(".") for name in names]
        return all_of_them or any(not owner or attribute in named for owner, _, attribute in paths)

    return reaches


def takes_all_keys(code):
    """Say whether code may read what a dict has under keys that it does not name."""
    return not ALL_KEYS.isdisjoint(code.co_names) or not UNPACKS.isdisjoint(code.co_code[::2])


def is_within(value, owners):
    """Say whether something is an array in memory of some owners, which are given by their ids."""
    return isinstance(value, np.ndarray) and id(owner_of(value)) in owners


def checksum(values):
    """Return what tells the numbers of an array from others, in a few bytes."""
    flat = np.ascontiguousarray(values).reshape(-1)
    return values.shape, values.dtype, zlib.crc32(flat.tobytes() if flat.dtype.hasobject else flat.view(np.uint8))


def slots_of(x):
    """Return the names that an object's class lists in ``__slots__``, as its attributes are called."""
    slots = [(kind.__name__.lstrip("_"), vars(kind).get("__slots__", ())) for kind in type(x).__mro__]
    names = [(kind, name) for kind, names in slots for name in ([names] if isinstance(names, str) else names)]
    return [f"_{kind}{name}" if name.startswith("__") else name for kind, name in names if not is_dunder(name)]


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


def global_names(function):
    """Return the names that a function looks up among the globals, also those that are not there, such as ``len``."""
    steps = [step for code in codes(function.__code__) for step in dis.get_instructions(code)]
    return {step.argval for step in steps if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
