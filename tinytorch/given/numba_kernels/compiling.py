"""Compile kernels with numba: once for each user, with a message if it takes long, and with the time counted. Given."""

import contextlib
import functools
import hashlib
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from tinytorch.given.cache import cache_dir

PATIENCE = 1.0  # seconds of compiling before a line says so
compile_seconds = Counter()  # kernel -> seconds spent compiling it in this process; a kernel from the cache takes none
_lock = threading.Lock()


def jit(function=None, **options):
    """Compile the decorated function with numba when it is first called, and keep the machine code for later processes.

    This is `numba.njit` with fixed options. The code is kept in the user's cache folder; it stays in memory if that folder
    cannot be written, or if the function comes from a temporary file. Division by 0 gives inf or nan, as in NumPy. Other
    threads can run meanwhile. The time is counted in `compile_seconds`, and a long compilation prints a line at a terminal.

    Args:
        function: The function, of arrays and numbers.
        options: Options of `numba.njit`, such as ``parallel=True``, or ``cache=False`` to compile in every process.

    Returns:
        The compiled function: a numba dispatcher, which other compiled functions may call.

    Raises:
        ImportError: numba is not installed. The message says what to do.

    Example:
        >>> @jit                                                        # doctest: +SKIP
        ... def total(x):
        ...     result = 0.0
        ...     for value in x:
        ...         result += value
        ...     return result
    """
    if function is None:
        return functools.partial(jit, **options)
    numba = watched_numba()
    cache = options.pop("cache", True)
    compiled = numba.njit(**{"error_model": "numpy", "nogil": True, **options})(function)
    folder = cache and (numba.config.CACHE_DIR or stays(function) and code_folder())
    with _lock, contextlib.suppress(RuntimeError):  # the function has no file, for example because exec made it
        if folder and numba.config.DISABLE_JIT == 0:
            previous, numba.config.CACHE_DIR = numba.config.CACHE_DIR, folder
            try:
                compiled.enable_caching()
                compiled._cache._guard_against_spurious_io_errors = without_harm
            finally:
                numba.config.CACHE_DIR = previous
    return compiled


def compiled_for(loop, *inputs):
    """Return the machine code of a compiled function for inputs of these types; it does not look at its inputs' types again.

    A replay calls it many times with the same arrays, and looking takes 0.2 us. Inputs of other types are not noticed.

    Args:
        loop: What `jit` returned.
        inputs: Arrays and numbers such as it will be called with.

    Returns:
        Function with the same arguments.
    """
    numba = watched_numba()
    return loop if numba.config.DISABLE_JIT else loop.compile(tuple(map(numba.typeof, inputs)))


def fixed(loop, *inputs):
    """Return a call of a compiled function on arrays and numbers that stay the same."""
    return functools.partial(compiled_for(loop, *inputs), *inputs)


def without_harm():
    """Return a context for loading and saving code: numba would raise an error if a file is damaged, or the disk full."""
    return contextlib.suppress(Exception)


def stays(function):
    """Say whether a function's file is permanent: checks write and run code in the folder for temporary files."""
    path = Path(function.__code__.co_filename).resolve()
    return not (path.exists() and path.is_relative_to(Path(tempfile.gettempdir()).resolve()))


@functools.cache
def code_folder():
    """Return the folder that compiled code is kept in, or None if it cannot be written.

    numba compiles a kernel again if the kernel's own file changes, but not if a file changes that it calls into. So the
    folder's name depends on the contents of all files in this folder.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    try:
        folder = cache_dir() / "numba" / digest.hexdigest()[:12]
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except (OSError, RuntimeError):  # RuntimeError: there is no home folder
        return None
    return str(folder)


@functools.cache
def watched_numba():
    """Import numba, and start timing what it compiles."""
    try:
        import numba
        from numba.core import event
    except ImportError as error:
        raise ImportError("numba is not installed: run `pip install 'tinytorch-course[kernels]'`", name="numba") from error

    class Watch(event.Listener):
        """Counts the seconds of each compilation that is not part of another, and announces a long one."""

        def on_start(self, happening):
            current.depth += 1
            if current.depth == 1:
                current.start = time.perf_counter()
                current.line = threading.Timer(PATIENCE, say, [happening.data["dispatcher"].__name__])
                current.line.daemon = True
                current.line.start()

        def on_end(self, happening):
            current.depth -= 1
            if current.depth == 0:
                current.line.cancel()
                compile_seconds[happening.data["dispatcher"].__name__] += time.perf_counter() - current.start

    event.register("numba:compile", Watch())
    return numba


class Current(threading.local):
    """What this thread is compiling."""

    depth = 0


current = Current()


def say(name):
    """Say that a kernel is being compiled, at a terminal or in a notebook."""
    if sys.stderr.isatty() or "ipykernel" in sys.modules:
        again = "once; the result is kept" if code_folder() else "the result cannot be kept: there is no cache folder to write"
        print(f"compiling {name} with numba ({again}) ...", file=sys.stderr, flush=True)
