"""Calls that no op sees: what a step asks of the computer, and what it puts out. Given.

While a step is recorded, Python reports each call to `Watch`. A replay makes none of these calls: a clock that the step reads
would stop, and a line that it logs would be missing. So such a call is refused if the user's own code makes it, directly or
by way of a library.
"""

import builtins
import contextlib
import datetime
import io
import logging
import os
import sys
import time
import types

from tinytorch.given.capture.recording import CaptureError
from tinytorch.given.capture.sources import LIBRARIES, PACKAGE, where

APART = "importlib", "warnings", "linecache", "numba", "llvmlite"  # these use files and clocks for themselves
CLOCKS = "time", "perf_counter", "monotonic", "process_time", "thread_time", "localtime", "gmtime", "strftime", "ctime"
CLOCKS = {getattr(time, name) for name in (*CLOCKS, *(f"{name}_ns" for name in CLOCKS[:4]))}
DATES = "now", "utcnow", "today"
FILES = (
    "open",
    "stat",
    "lstat",
    "listdir",
    "scandir",
    "access",
    "urandom",
    "fromfile",
    "_path_exists",
    "_path_isfile",
    "_path_isdir",
)
READS = "read", "read1", "readline", "readlines", "readinto", "seek"
WRITES = "write", "writelines", "truncate"
CODE = {eval, exec, globals}
SEEN = {  # modules whose objects do not change, or are watched in `world`
    "builtins", "collections", "itertools", "functools", "operator", "_operator", "re", "datetime", "decimal", "_decimal",
    "array", "numpy", "_ctypes", "ctypes", "_random", "random", "_thread", "_contextvars", "contextvars", "types", "struct",
    "_struct", "_io", "io",
}  # fmt: skip
ENVIRONMENT = {function.__code__ for function in vars(type(os.environ)).values() if isinstance(function, types.FunctionType)}
TEXTS = {
    "clock": "reads the clock ({}), and a replay would keep the time of the recording: read it outside of the captured step",
    "file": "uses a file ({}), and a replay would not do that again: do it outside of the captured step, and pass what it reads "
    "as an argument",
    "output": "prints or writes text ({}), which a replay would not do: return the tensor from the step and print it outside",
    "input": "waits for input ({}), which a replay would not do: ask outside of the captured step",
    "code": "calls {}, and what that reads cannot be seen, so a replay would keep it: write the names themselves",
    "effect": "calls {}, and a replay would not do that: do it outside of the captured step, with what the step returns",
    "environment": "uses the environment ({}), and a replay would keep what was in it: read it into a variable outside of the "
    "captured step; what is in a variable may change",
}


class Watch:
    """What Python reports calls to, in the thread that records a step.

    Args:
        world: The `world.World` that learns which code has run, and of which dicts a method was called.
    """

    def __init__(self, world):
        self.world = world

    def __call__(self, frame, event, called):
        """Take the report of one call; the name and the arguments are Python's."""
        if event == "call":
            self.world.ran.add(frame.f_code)
            self.python_call(frame)
        elif event == "c_call":
            self.c_call(frame, called)
        elif event == "c_return" and called is builtins.print and is_for_user(frame):  # not on stdout: `Silent` refuses that
            refuse("output", "print")

    def c_call(self, frame, called):
        """Refuse a call of a function in C that a replay would not make, and note of which dicts a method is called."""
        thing, kind = called.__self__, kind_of(called)
        if type(thing) is dict and not frame.f_code.co_filename.startswith(PACKAGE):
            self.world.asked.add(id(thing))
        direct = kind in ("clock", "code")  # libraries have reasons of their own for these
        if kind and (is_own(frame) if direct else is_for_user(frame)):
            refuse(kind, called.__name__)
        if not kind and id(thing) in self.world.names and is_own(frame) and is_unknown(called):
            refuse("effect", f"{type(thing).__name__}.{called.__name__}")

    def python_call(self, frame):
        """Refuse a call of a function of Python's library that a replay would not make."""
        code, caller = frame.f_code, frame.f_back
        if code is logging.Handler.handle.__code__ and is_for_user(caller):
            refuse("output", "logging")
        if code in ENVIRONMENT:
            while caller is not None and module_of(caller) in ("os", "collections", "_collections_abc"):
                caller = caller.f_back
            if caller is not None and is_own(caller):
                refuse("environment", "os.environ")
        if code.co_name in WRITES and is_own(caller) and isinstance(frame.f_locals.get("self"), io.IOBase):
            refuse("output", code.co_name)


@contextlib.contextmanager
def watching(world):
    """Watch the calls of this thread; a profiler that is on has the place already, and then they are not watched."""
    taken = sys.getprofile() is not None
    if not taken:
        sys.setprofile(Watch(world))
    try:
        yield
    finally:
        if not taken:
            sys.setprofile(None)


def kind_of(called):
    """Return what kind of call of a function in C a replay cannot leave out; None for most functions."""
    name, owner = called.__name__, called.__self__
    if name in WRITES or name in READS:
        return isinstance(owner, io.IOBase) and ("output" if name in WRITES else "file")
    if name in DATES:
        return isinstance(owner, type) and issubclass(owner, datetime.date) and "clock"
    if name in FILES:
        return called.__module__ in ("io", "_io", "posix", "nt", "numpy") and "file"
    if called is builtins.input:
        return "input"
    return "clock" if called in CLOCKS else "code" if called in CODE else None


def is_unknown(called):
    """Say whether capture cannot see what a method changes: one of a library in C, such as a queue's or a database's."""
    kinds = [kind for kind in type(called.__self__).__mro__ if called.__name__ in vars(kind)]
    return bool(kinds) and kinds[0].__module__.split(".")[0] not in SEEN


def is_own(frame):
    """Say whether a frame runs code that is neither the package's nor a library's."""
    return not frame.f_code.co_filename.startswith(LIBRARIES)


def module_of(frame):
    """Return the outermost name of the module whose code a frame runs."""
    return frame.f_globals.get("__name__", "").split(".")[0]


def is_for_user(frame):
    """Say whether code of the user's makes a call, also by way of libraries, but not by way of the package."""
    while frame is not None and not is_own(frame):
        if frame.f_code.co_filename.startswith((PACKAGE, "<frozen importlib")) or module_of(frame) in APART:
            return False
        frame = frame.f_back
    return frame is not None


def refuse(kind, name):
    """Refuse a call."""
    raise CaptureError(f"{where()} {TEXTS[kind].format(name)}")
