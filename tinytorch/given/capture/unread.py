"""What a step can reach but does not read: a list of losses that its user fills between the calls, for example. Given.

It does not count whether that is as it was. Code reads an attribute by its name, and Python has reported all code that ran.
"""

import dis
import functools
import operator
from pathlib import Path

from tinytorch.given.capture.sources import INSTALLED, PACKAGE, is_users, is_users_file

ANY = {"getattr", "vars", "__dict__", "__getattribute__", "attrgetter", "format", "format_map", "dumps"}  # read any attribute
HARMLESS = {"contextlib", "functools", "enum", "typing", "importlib"}  # of Python's: with functions, classes and modules only
THREADS = "threading"  # where code of this module runs, other threads may run code that is not reported
OWN = str(Path(__file__).parent)


def forget_unread(world):
    """Forget the attributes of the user's objects that no code which ran names, and what only these lead to.

    Args:
        world: The `world.World` of a step that has run.
    """
    if not world.ran or may_read_any(world):
        return
    ran = [code for code in world.ran if not code.co_filename.startswith(OWN)]  # what records the step is no part of it
    named = set().union(*map(attributes_in, ran))
    for owner, place in world.own:
        for value in place.forget(named):
            world.leads[owner].remove(id(value))
    reached = reached_by(world.leads, world.roots)
    world.places = [place for place, holder in zip(world.places, world.holders) if holder in reached]
    world.holders = [holder for holder in world.holders if holder in reached]


def reached_by(leads, roots):
    """Return the ids that can be reached from some ids.

    Example:
        >>> sorted(reached_by({1: [2, 3], 3: [1], 4: [5]}, [1]))
        [1, 2, 3]
    """
    reached, todo = set(), [*roots]
    while todo:
        each = todo.pop()
        if each not in reached:
            reached.add(each)
            todo.extend(leads.get(each, ()))
    return reached


def has_users_attributes(x):
    """Say whether an object's classes are all the user's: code of the package lists attributes of a module, and names none."""
    return all(map(is_users, type(x).__mro__[:-1]))


def may_read_any(world):
    """Say whether code that ran may have read an attribute without its name in the code."""
    if any(id(function) in world.names for function in (getattr, vars, operator.attrgetter)):  # under another name
        return True
    return any(isinstance(x, operator.attrgetter) for x in world.alive) or any(map(reads_any, world.ran))


def reads_any(code):
    """Say whether code may read an attribute of the user's objects that it does not name."""
    path, names_any = code.co_filename, not ANY.isdisjoint(code.co_names)
    if is_users_file(path):
        return names_any
    if path.startswith((PACKAGE, "<frozen", *INSTALLED)):
        return False
    module = Path(path).stem, Path(path).parent.name
    return module[0] == THREADS or names_any and HARMLESS.isdisjoint(module)


@functools.lru_cache(2**14)
def attributes_in(code):
    """Return the names of the attributes that code reads, and all its strings, which may be names: a set.

    What the package or a library reads of its globals is left out, such as ``np.log``: no object of the user's is among those.
    """
    names, of_global, users = set(texts_in(code.co_consts)), False, is_users_file(code.co_filename)
    for step in dis.get_instructions(code):
        if step.opname.endswith(("_ATTR", "_METHOD")) and (users or not of_global):
            names.add(step.argval)
        of_global = step.opname == "LOAD_GLOBAL"
    return names


def texts_in(constants):
    """Return the strings among the constants of code, those in tuples too.

    Example:
        >>> sorted(texts_in(("loss", 1, ("x", ("y",)))))
        ['loss', 'x', 'y']
    """
    inner = [texts_in(each) for each in constants if isinstance(each, (tuple, frozenset))]
    return {each for each in constants if isinstance(each, str)}.union(*inner)
