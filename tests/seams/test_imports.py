"""`import tinytorch` stays quick: what an ordinary program does not need is imported when something first asks for it."""

import subprocess
import sys

import pytest

from tinytorch.given.imports import PACKAGE

FILES = sorted(file.stem for file in PACKAGE.glob("[a-z]*.py") if not file.stem.startswith("kernels"))  # those import numba
RARE = {  # of the standard library: needed by errors, by downloads, by one command, or not at all
    *("argparse", "asyncio", "csv", "difflib", "doctest", "email", "hashlib", "http", "multiprocessing", "pdb", "pickletools"),
    *("platform", "pydoc", "random", "shutil", "socket", "ssl", "statistics", "subprocess", "tempfile", "tomllib", "tracemalloc"),
    *("unittest", "urllib.request", "xml", "zipfile"),
}
AFTER_NUMPY = """
import sys, numpy
before = set(sys.modules)
{imports}
print(*sorted(set(sys.modules) - before))
"""


def imported_by(*modules):
    """Return the names of the modules that a new process imports with these, besides those of NumPy."""
    code = AFTER_NUMPY.format(imports="\n".join(f"import {module}" for module in modules))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=PACKAGE.parent, check=True)
    return set(run.stdout.split())


def test_the_package_alone_imports_what_finds_its_names():
    ours = {name for name in imported_by("tinytorch") if name.startswith("tinytorch")}
    assert ours == {"tinytorch", *(f"tinytorch.given{part}" for part in ("", ".built", ".imports", ".names"))}


@pytest.mark.parametrize(
    "modules", [["tinytorch"], ["tinytorch", *(f"tinytorch.{file}" for file in FILES)]], ids=["alone", "all"]
)
def test_no_import_is_heavy(modules):
    names = imported_by(*modules)
    assert len(modules) == 1 or "tinytorch.training" in names
    assert not names & RARE, "import these where they are used"
    others = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"numpy", "tinytorch", "tito"}
    assert not others, "these are no part of Python: import them where they are used"
    assert not {"numpy.random", "numpy.testing", "numpy.ma"} & names, "NumPy leaves these out until they are used: so do we"
