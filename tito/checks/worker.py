"""The process that runs learner code: it calls, and returns raw values. It judges nothing and knows no answer.

Run as `python worker.py FOLDER`. Needs NumPy, `wire.py` beside it and what the job folder holds; nothing else of tito, so
that it runs in a sandbox that shows it this one folder. The folder holds:

    job.json        package_parent (the folder that holds `tinytorch`; relative to the job folder, or absolute), module
                    (`tinytorch.tensor`), memory (bytes, or null), exercises ([{id, name}]): those still to be observed
    cases.json      {id: [{argument: encoded value}]}
    observers.py    the `observe_` functions of checks.py, without the oracles

and the worker appends to one more file there, `answers`, lines of a name and JSON data:

    started         NumPy is imported; learner code comes next, as soon as a file `go` is there: until this line has been
                    read, nobody may be able to take it back
    import          the learner's module is imported, or why it is not
    now             the case that is called next: a number from 0
    result-ID       what one exercise returned

In a sandbox that is the one file of the folder that need be writable: whatever learner code does to it, it stays one file.
"""
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import json
import os
import sys
import time
import traceback
from pathlib import Path

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

PRINTED = 20_000  # characters that are kept of what an exercise prints
FRAMES = 10       # places that are kept of where an exception passed


class Printed(io.TextIOBase):
    """Keeps the beginning of what learner code prints, so that a loop of prints fills no disk."""

    def __init__(self):
        self.text = ""

    def writable(self):
        return True

    def write(self, text):
        self.text += text[:PRINTED - len(self.text)]
        return len(text)

    def take(self):
        """Return the text, and begin afresh."""
        text, self.text = self.text, ""
        return text


class Answers:
    """The file in which the worker answers."""

    def __init__(self, path):
        self.file = path.open("ab")

    def give(self, name, data=None):
        """Append a line."""
        self.file.write(f"{name} {json.dumps(data)}\n".encode())
        self.file.flush()


class SourceLoader(importlib.machinery.SourceFileLoader):
    """Always compiles the source: a cached file of the same second and size, one sign changed, would pass for it."""

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class PackageFinder(importlib.abc.MetaPathFinder):
    """Finds `tinytorch` in the folder that the job names, before any other of that name."""

    def __init__(self, package_parent):
        self.package_parent = str(package_parent)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] != "tinytorch":
            return None
        folder = path[0] if path else self.package_parent
        return importlib.machinery.FileFinder(folder, (SourceLoader, [".py"])).find_spec(name)


def observer(exercise, observers, target):
    """Return the function of the inputs that an exercise is observed through.

    Args:
        exercise: The exercise's name, such as "matmul".
        observers: Dict that may hold `observe_matmul`; without it, an op is called through its forward function.
        target: The learner's object, or, if the first parameter of `observe_matmul` is called module, their module.
    """
    observe = observers.get(f"observe_{exercise}")
    if observe is not None:
        return lambda **inputs: observe(target, **inputs)
    return target.forward if type(target).__name__ == "Op" else target


def wants_module(exercise, observers):
    """Say whether the exercise's observer takes the learner's whole module."""
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


def describe(error, place):
    """Return an exception as JSON data: its type, its message, and the learner's lines that it passed."""
    frames = [[place(frame.f_code.co_filename, frame.f_globals), line]
              for frame, line in traceback.walk_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append([place(error.filename, None), error.lineno])
    try:
        message = str(error)[:2000]
    except Exception:
        message = "(the exception's own message cannot be shown)"
    return {"type": type(error).__name__, "message": message,
            "frames": [frame for frame in frames if frame[0]][-FRAMES:]}


def observe_exercise(exercise, namespace, observers, cases, place, announce=lambda index: None):
    """Call learner code for all cases of one exercise.

    Args:
        exercise: The exercise's name.
        namespace: The learner's module, or a view of their notebook's names.
        observers: Dict of the observing functions.
        cases: List of dicts from argument to encoded value.
        place: Function of a file and of the names of its code: the learner's file as messages name it, or None.
        announce: Function that is told the index of each case before it is called.

    Returns:
        Dict of JSON data: a list of the cases' records; {"missing": True} if nothing has the exercise's name.
    """
    if not hasattr(namespace, exercise):
        return {"missing": True}
    target = namespace if wants_module(exercise, observers) else getattr(namespace, exercise)
    call = observer(exercise, observers, target)
    records = []
    for index, inputs in enumerate(cases):
        announce(index)
        records.append(observe_case(call, inputs, place))
    return {"cases": records}


def limit_memory(size):
    """Let an allocation of too much fail in this process, where the system can do that."""
    if size and resource:
        try:
            resource.setrlimit(resource.RLIMIT_AS, (size, size))
        except (ValueError, OSError):  # macOS
            pass


def wait_for(path, patience=60):
    """Wait until a file is there; end the process if nobody puts it there."""
    deadline = time.monotonic() + patience
    while not path.exists():
        if time.monotonic() > deadline:
            sys.exit(f"{path.name} did not come")
        time.sleep(0.001)


def import_learner(module, package_parent):
    """Import the learner's module from the folder named, and from nowhere else."""
    sys.meta_path.insert(0, PackageFinder(package_parent))
    package = importlib.import_module("tinytorch")
    found, wanted = Path(package.__file__).resolve(), package_parent / "tinytorch"
    if found.parent != wanted:
        raise ImportError(f"import tinytorch resolves elsewhere: {found}, not {wanted}")
    return importlib.import_module(module)


def load_observers(path):
    """Return the names that a file of observing functions defines."""
    names = {"__name__": "observers"}
    exec(compile(path.read_text(encoding="utf-8"), "checks.py", "exec"), names)
    return names


def run(folder):
    """Do the job that a folder describes."""
    job, cases = wire.read(folder / "job.json"), wire.read(folder / "cases.json")
    package_parent = (folder / job["package_parent"]).resolve()
    observers = load_observers(folder / "observers.py")

    def place(file, names):
        file = Path(file)
        return file.relative_to(package_parent).as_posix() if file.is_relative_to(package_parent) else None

    limit_memory(job["memory"])
    answers, printed = Answers(folder / "answers"), Printed()
    answers.give("started")
    wait_for(folder / "go")
    sys.stdout = sys.stderr = printed
    try:
        namespace = import_learner(job["module"], package_parent)
    except BaseException as error:
        answers.give("import", {"error": describe(error, place), "printed": printed.take()})
        return
    answers.give("import", {"error": None, "printed": printed.take()})
    for exercise in job["exercises"]:
        result = observe_exercise(exercise["name"], namespace, observers, cases[exercise["id"]], place,
                                  lambda index: answers.give("now", index))
        answers.give(f"result-{exercise['id']}", {**result, "printed": printed.take()})


if __name__ == "__main__":
    run(Path(sys.argv[1]).resolve())
    os._exit(0)  # without waiting for threads that learner code may have left behind
