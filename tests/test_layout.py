"""The layout of the code: ruff formats it and ruff's lint has nothing to say, so that nobody argues about either."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def ruff(*words):
    done = subprocess.run([sys.executable, "-m", "ruff", *words], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, f"ruff {' '.join(words)}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}"


@pytest.mark.parametrize("words", [["check"], ["format", "--check"]], ids=" ".join)
def test_the_code_is_as_ruff_has_it(words):
    ruff(*words, ".")


def test_the_citation_has_the_version_of_the_package():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", sorted((ROOT / "tinytorch").glob("**/[a-z]*.py")), ids=lambda file: file.stem)
def test_ruff_formats_the_given_files_and_leaves_the_exported_ones_as_they_are(file):
    command = [sys.executable, "-m", "ruff", "format", "--force-exclude", "--stdin-filename", str(file), "-"]
    text = subprocess.run(command, cwd=ROOT, input="x  =  1\n", capture_output=True, encoding="utf-8", check=True).stdout
    exported = file.parent == ROOT / "tinytorch" or file.name.endswith("_methods.py")  # there, methods of one line stay so
    assert text == ("x  =  1\n" if exported else "x = 1\n")


def test_no_function_of_the_package_is_annotated():
    # Docstrings say what goes in and comes out, with shapes and units. Only the fields of a tuple have types, which Python needs.
    for file in (ROOT / "tinytorch").glob("**/*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                assert not node.returns, f"{file}:{node.lineno}"
            assert not isinstance(node, ast.arg) or not node.annotation, f"{file}:{node.lineno}"


def test_no_two_helpers_of_tests_share_a_name():
    # A test puts its folder on the path to import them: of two with one name, all tests of a run would get the first.
    helpers = [path for path in (ROOT / "tests").glob("*/*.py") if not path.name.startswith(("test_", "conftest", "__"))]
    names = [path.name for path in helpers]
    assert sorted({name for name in names if names.count(name) > 1}) == []
