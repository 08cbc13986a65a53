"""Run the examples of a package's docstrings, as a script: `python -P run_doctests.py FOLDER_OF_TINYTORCH`.

It prints JSON: how many examples ran, and a file, line and text for each that failed. It imports nothing from tito.
"""

import doctest
import importlib
import json
import sys
import traceback
from pathlib import Path


def names(folder):
    """List the modules of the package below a folder."""
    files = sorted((folder / "tinytorch").rglob("*.py"))
    dotted = (".".join(path.relative_to(folder).with_suffix("").parts) for path in files)
    return [name.removesuffix(".__init__") for name in dotted]


def examine(name, failures):
    """Run one module's examples, add its failures to the list, and return the number of examples."""
    try:
        module = importlib.import_module(name)
        return sum(run(test, module, failures) for test in doctest.DocTestFinder(exclude_empty=True).find(module, name))
    except Exception as error:
        failures.append({"file": name.replace(".", "/") + ".py", "line": 1, "text": f"cannot be imported: {last_line(error)}"})
        return 0


def run(test, module, failures):
    """Run the examples of one docstring, up to the first failure."""
    runner = Collector(module, failures)
    return runner.run(test, out=lambda text: None).attempted


class Collector(doctest.DocTestRunner):
    """Collect failures as data."""

    def __init__(self, module, failures):
        super().__init__(optionflags=doctest.FAIL_FAST | doctest.ELLIPSIS)
        self.file, self.reported = "/".join(Path(module.__file__).parts[-len(module.__name__.split(".")) :]), failures
        if Path(module.__file__).name == "__init__.py":
            self.file = "/".join([*module.__name__.split("."), "__init__.py"])

    def add(self, test, example, text):
        line = (test.lineno or 0) + example.lineno + 1
        self.reported.append({"file": self.file, "line": line, "text": f"{example.source.strip()!r} {text}"})

    def report_failure(self, out, test, example, got):
        self.add(test, example, f"gives {got.strip()!r}, not {example.want.strip()!r}")

    def report_unexpected_exception(self, out, test, example, error):
        self.add(test, example, f"raises {last_line(error[1])}")


def last_line(error):
    """Return the last line of an exception's traceback."""
    return traceback.format_exception_only(error)[-1].strip()


if __name__ == "__main__":
    parent = Path(sys.argv[1]).resolve()
    sys.path.insert(0, str(parent))
    failures = []
    examples = sum(examine(name, failures) for name in names(parent))
    json.dump({"examples": examples, "failures": failures}, sys.stdout)
