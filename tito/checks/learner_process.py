"""The process that runs learner code: it calls it and returns raw values. It judges nothing, and has no answers to compare with.

Run as `python learner_process.py FOLDER`. It needs NumPy, `wire.py` beside it and the job folder, and nothing else of tito, so
that it runs in a sandbox that shows only this folder. The folder contains:

    job.json        package_parent (the folder of `tinytorch`; relative to the job folder, or absolute), module
                    (`tinytorch.tensor`), memory (bytes, or null), timeout (seconds for one exercise), exercises
                    ([{id, name}]) still to be observed
    cases.json      {id: [{argument: encoded value}]}; a docstring's example is {">>>": [its statements]}
    observers.py    the `observe_` and `prepare_` functions of checks.py, without the oracles

The worker appends lines of a name and JSON data to a file `answers` in it:

    started         NumPy is imported; learner code runs once the file `go` exists, so that it cannot delete this line
                    before it is read
    import          the learner's module is imported, or why it is not
    ready-ID        compiling for an exercise is done, and the seconds it took: its time limit starts here
    now             the number, from 0, of the case that is called next
    at              where the code is when most of its time is used up
    result-ID       what one exercise returned, what it printed, and which functions of NumPy and Python are replaced by now

In a sandbox this is the only file of the folder that must be writable.
"""

import builtins
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path

import numpy as np

if __package__:
    from tito.checks import wire
else:
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import wire

    del sys.path[0]

try:
    import resource
except ImportError:  # Windows
    resource = None

PRINTED = 20_000  # characters kept of what an exercise prints
FRAMES = 10  # stack frames kept of an exception
EXAMPLE = ">>>"  # the key of a docstring's example, which no argument can have
CHECKS = "checks.py"
MOST_REPLACED = 20  # names told
PRINT_OPTIONS = np.get_printoptions()  # as they were before learner code could change them


class Printed(io.TextIOBase):
    """Keep the beginning of what learner code prints, so that an endless loop of prints does no harm."""

    def __init__(self):
        self.text = ""

    def writable(self):
        return True

    def write(self, text):
        self.text += text[: PRINTED - len(self.text)]
        return len(text)

    def take(self):
        """Return the text, and start over."""
        text, self.text = self.text, ""
        return text


class Outbox:
    """The file that this process writes its answers to."""

    def __init__(self, path):
        self.file = path.open("ab")

    def give(self, name, data=None):
        """Append a line."""
        self.file.write(f"{name} {json.dumps(data)}\n".encode())
        self.file.flush()


class SourceLoader(importlib.machinery.SourceFileLoader):
    """Always compile the source: Python's cache misses an edit within the same second that keeps the size."""

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class PackageFinder(importlib.abc.MetaPathFinder):
    """Find `tinytorch` in the job's folder, before any other package of that name."""

    def __init__(self, package_parent):
        self.package_parent = str(package_parent)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] != "tinytorch":
            return None
        folder = path[0] if path else self.package_parent
        return importlib.machinery.FileFinder(folder, (SourceLoader, [".py"])).find_spec(name)


def observer(exercise, observers, target):
    """Return the function of the inputs that observes an exercise.

    Args:
        exercise: The exercise's name, such as "matmul".
        observers: Dict that may hold `observe_matmul`; without it, an op is called through its forward function.
        target: The learner's object, or their module if the first parameter of `observe_matmul` is called module.
    """
    observe = observers.get(f"observe_{exercise}")
    if observe is not None:
        return lambda **inputs: observe(target, **inputs)
    return target.forward if type(target).__name__ == "Op" else target


def wants_module(exercise, observers):
    """Return whether the exercise's observer takes the learner's whole module."""
    observe = observers.get(f"observe_{exercise}")
    return observe is not None and observe.__code__.co_varnames[:1] == ("module",)


def observe_case(call, inputs, place):
    """Call learner code once.

    Args:
        call: Function of the inputs.
        inputs: Dict from argument to encoded value; the call gets copies.
        place: Function of a file and of the names of its code: the learner's file as messages name it, or None.

    Returns:
        Dict of JSON data: the value or the error, and which inputs the call changed in place.
    """
    copies = {name: wire.decode(data) for name, data in inputs.items()}
    record = {"value": None, "error": None}
    try:
        record["value"] = wire.encode(call(**copies))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: it must not end the checks of the other exercises
        record["error"] = describe(error, place)
    record["changed"] = [name for name, value in copies.items() if wire.encode(value) != inputs[name]]
    return record


def observe_example(statements, names, place):
    """Run the statements of a docstring's example, and record the output of each.

    The output is the value as Python's prompt shows it, or what is printed if there is no value.

    Args:
        statements: List of source texts.
        names: Dict of the names that they may use; it is not changed.
        place: As in `observe_case`.

    Returns:
        Dict of JSON data as from `observe_case`: the value is a list of texts, up to the statement that raised.
    """
    names, texts = {**names, "__name__": "example"}, []
    record = {"value": None, "error": None, "changed": []}
    try:
        for statement in statements:
            printed, shown = Printed(), Printed()
            with np.printoptions(**PRINT_OPTIONS), contextlib.redirect_stdout(printed), displaying_in(shown):
                exec(compile(statement, EXAMPLE, "single", dont_inherit=True), names)
            texts.append(shown.text or printed.text * ("print" in statement))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        record["error"] = describe(error, place)
    record["value"] = wire.encode(texts)
    return record


@contextlib.contextmanager
def displaying_in(file):
    """Write the values of expressions to a file as Python's prompt shows them, also in a notebook."""

    def display(value):
        if value is not None:
            file.write(repr(value) + "\n")

    before, sys.displayhook = sys.displayhook, display
    try:
        yield
    finally:
        sys.displayhook = before


def describe(error, place):
    """Return an exception as JSON data: type, message, the learner's lines in its traceback, and the check's line."""
    frames = stack(traceback.walk_tb(error.__traceback__), place)
    if isinstance(error, SyntaxError) and error.filename:
        frames.append([place(error.filename, None), error.lineno])
    try:
        message = str(error)[:2000]
    except Exception:
        message = "(the exception's own message cannot be shown)"
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if Path(frame.f_code.co_filename).name == CHECKS]
    return {
        "type": type(error).__name__,
        "message": message,
        "check_line": lines[-1] if lines else None,
        "frames": [frame for frame in frames if frame[0]][-FRAMES:],
    }


def stack(frames, place):
    """Return [place, line] for each frame; the place is None if it is not the learner's code."""
    return [[place(frame.f_code.co_filename, frame.f_globals), line] for frame, line in frames]


def observe_exercise(exercise, namespace, observers, cases, place, announce=lambda name, data: None):
    """Call learner code for all cases of one exercise.

    Args:
        exercise: The exercise's name.
        namespace: The learner's module, or a view of their notebook's names.
        observers: Dict of the `observe_` functions, and of `prepare_` functions, which compile first.
        cases: List of dicts from argument to encoded value, or of a docstring's examples.
        place: Function of a file and of the names of its code: the learner's file as messages name it, or None.
        announce: Function called with "ready" and the seconds that preparing took, and with "now" and the index of each
            case before it runs.

    Returns:
        Dict of JSON data: a list of the cases' records; {"missing": True} if the exercise's name is not defined.
    """
    if not hasattr(namespace, exercise):
        return {"missing": True}
    target = namespace if wants_module(exercise, observers) else getattr(namespace, exercise)
    call = observer(exercise, observers, target)
    seconds = prepare(observers.get(f"prepare_{exercise}"), target, cases)
    announce("ready", seconds)
    records = []
    for index, inputs in enumerate(cases):
        announce("now", index)
        if EXAMPLE in inputs:
            records.append(observe_example(inputs[EXAMPLE], vars(namespace), place))
        else:
            records.append(observe_case(call, inputs, place))
    return {"cases": records, "prepared": seconds}


def prepare(function, target, cases):
    """Compile what an exercise's cases will run, and return the seconds it took.

    Errors are ignored here: the cases will raise them again.
    """
    if function is None:
        return 0.0
    began = time.perf_counter()
    inputs = [{name: wire.decode(data) for name, data in case.items()} for case in cases if EXAMPLE not in case]
    try:
        function(target, inputs)
    except KeyboardInterrupt:
        raise
    except BaseException:
        pass
    return round(time.perf_counter() - began, 3)


def functions():
    """Return what can be called in NumPy and in Python itself by its full name, to see later what was replaced."""
    modules = (np, np.linalg, np.random, builtins)
    return {f"{module.__name__}.{name}": value for module in modules for name, value in vars(module).items() if callable(value)}


def replaced(before):
    """Return the names of functions that are no longer those of before."""
    now = functions()
    return [name for name, value in before.items() if now.get(name) is not value][:MOST_REPLACED]


def limit_memory(size):
    """Limit the memory of this process, where the system supports it."""
    if size and resource:
        try:
            resource.setrlimit(resource.RLIMIT_AS, (size, size))
        except (ValueError, OSError):  # macOS
            pass


def wait_for(path, patience=60):
    """Wait until a file exists; exit after a timeout."""
    deadline = time.monotonic() + patience
    while not path.exists():
        if time.monotonic() > deadline:
            sys.exit(f"{path.name} did not appear")
        time.sleep(0.001)


def import_learner(module, package_parent):
    """Import the learner's module from this folder only."""
    sys.meta_path.insert(0, PackageFinder(package_parent))
    package = importlib.import_module("tinytorch")
    imported, wanted = Path(package.__file__).resolve(), package_parent / "tinytorch"
    if imported.parent != wanted:
        raise ImportError(f"import tinytorch resolves elsewhere: {imported}, not {wanted}")
    return importlib.import_module(module)


def load_observers(path):
    """Run a file of observing functions, and return the names that it defines."""
    names = {"__name__": "observers"}
    exec(compile(path.read_text(encoding="utf-8"), "checks.py", "exec"), names)
    return names


def run(folder):
    """Run the job in a folder."""
    job, cases = wire.read(folder / "job.json"), wire.read(folder / "cases.json")
    package_parent = (folder / job["package_parent"]).resolve()
    observers = load_observers(folder / "observers.py")

    def place(file, names):
        file = Path(file)
        return file.relative_to(package_parent).as_posix() if file.is_relative_to(package_parent) else None

    limit_memory(job["memory"])
    outbox, printed, before = Outbox(folder / "answers"), Printed(), functions()
    outbox.give("started")
    wait_for(folder / "go")
    sys.stdout = sys.stderr = printed
    try:
        namespace = import_learner(job["module"], package_parent)
    except BaseException as error:
        outbox.give("import", {"error": describe(error, place), "printed": printed.take()})
        return
    outbox.give("import", {"error": None, "printed": printed.take()})
    for exercise in job["exercises"]:
        with watched(outbox, place, 0.8 * job["timeout"]) as announce:
            result = observe_exercise(
                exercise["name"],
                namespace,
                observers,
                cases[exercise["id"]],
                place,
                lambda name, data: announce(name, data, exercise["id"]),
            )
        told = {"printed": printed.take(), "replaced": replaced(before)}
        outbox.give(f"result-{exercise['id']}", {**result, **told})


@contextlib.contextmanager
def watched(outbox, place, seconds):
    """Report where the code is if it still runs when most of its time is used up, to locate an endless loop.

    Yields:
        Function that announces something about an exercise; the time starts at "ready".
    """
    thread = threading.get_ident()

    def report():
        frame, frames = sys._current_frames().get(thread), []
        while frame is not None:
            frames.insert(0, (frame, frame.f_lineno))
            frame = frame.f_back
        outbox.give("at", [frame for frame in stack(frames, place) if frame[0]][-FRAMES:])

    watch = threading.Timer(seconds, report)
    watch.daemon = True

    def announce(name, data, exercise):
        if name != "ready":
            outbox.give(name, data)
            return
        outbox.give(f"ready-{exercise}", data)
        with contextlib.suppress(RuntimeError):  # no thread can start here
            watch.start()

    try:
        yield announce
    finally:
        watch.cancel()


if __name__ == "__main__":
    run(Path(sys.argv[1]).resolve())
    os._exit(0)  # without waiting for threads that learner code may have left behind
