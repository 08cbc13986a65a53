"""The process that runs mutants one after another, each in a freshly imported package.

Run as `python mutant_process.py FOLDER` on a job folder as `tito.checks.learner_process` describes it, with one extra file:

    mutants.json    parts (the texts of the module's exported cells), mutants ({id: [part, its text, exercise, name]}) and
                    cases ({exercise: [{argument: encoded value}]})

A separate worker for each mutant would spend most of its time importing NumPy.
"""

import contextlib
import importlib
import importlib.machinery
import json
import linecache
import os
import sys
from pathlib import Path

if __package__:
    from tito.checks import learner_process, wire
else:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "checks"))
    import learner_process
    import wire

    del sys.path[0]


class Loader(learner_process.SourceLoader):
    """Compile each file once, except the mutated module, whose text changes from mutant to mutant."""

    kept = {}
    mutated = None, ""  # the module's name, and its current text

    def get_code(self, fullname):
        name, text = self.mutated
        if fullname == name:
            linecache.cache[self.path] = len(text), None, text.splitlines(keepends=True), self.path  # for who reads the source
            return self.source_to_code(text.encode("utf-8"), self.path)
        if fullname not in self.kept:
            self.kept[fullname] = super().get_code(fullname)
        return self.kept[fullname]


class Finder(learner_process.PackageFinder):
    """Find the package to test, with the mutated module in it."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] != "tinytorch":
            return None
        folder = path[0] if path else self.package_parent
        return importlib.machinery.FileFinder(folder, (Loader, [".py"])).find_spec(name)


def fresh(module, text):
    """Reimport the package with `text` as its module, and return the module."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "tinytorch"]:
        del sys.modules[name]
    Loader.mutated = module, text
    return importlib.import_module(module)


def observe(job, task, observers, mutant):
    """Return the result of one mutant, as a worker does; a mutant that cannot be imported defines nothing."""
    index, text, exercise, name = task["mutants"][mutant]
    parts = [*task["parts"][:index], text, *task["parts"][index + 1 :]]
    try:
        namespace = fresh(job["module"], "\n\n\n".join(parts) + "\n")
    except BaseException:
        return {"missing": True}

    def place(file, names):
        return "your cell" if file == namespace.__file__ else None

    result = learner_process.observe_exercise(name, namespace, observers, task["cases"][exercise], place)
    first = 1 + sum(part.count("\n") + 3 for part in parts[:index])
    for error in filter(None, (case["error"] for case in result.get("cases", ()))):
        error["frames"] = [[cell, line - first + 1] for cell, line in error["frames"] if 0 <= line - first <= text.count("\n")]
    return result


def run(folder):
    """Run the job in a folder."""
    job, task = wire.read(folder / "job.json"), json.loads((folder / "mutants.json").read_text(encoding="utf-8"))
    observers = learner_process.load_observers(folder / "observers.py")
    observers["COMPILE"] = task["compile"]  # compiling is slow, and most mistakes show in Python as well
    learner_process.limit_memory(job["memory"])
    sys.meta_path.insert(0, Finder(job["package_parent"]))
    with contextlib.suppress(BaseException):  # import numba and the like before the clock runs
        importlib.import_module(job["module"])
    outbox, printed = learner_process.Outbox(folder / "answers"), learner_process.Printed()
    sys.stdout = sys.stderr = printed
    outbox.give("started")
    outbox.give("import", {"error": None, "printed": ""})
    for mutant in job["exercises"]:
        outbox.give(f"ready-{mutant['id']}", 0.0)
        outbox.give(f"result-{mutant['id']}", {**observe(job, task, observers, mutant["id"]), "printed": ""})
        printed.take()


if __name__ == "__main__":
    run(Path(sys.argv[1]).resolve())
    os._exit(0)
