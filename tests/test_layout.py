"""The layout of the code: ruff formats it and ruff's lint has nothing to say, so that nobody argues about either."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def ruff(*words):
    done = subprocess.run([sys.executable, "-m", "ruff", *words], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, f"ruff {' '.join(words)}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}"


@pytest.mark.parametrize("words", [["check"], ["format", "--check"]], ids=" ".join)
def test_the_code_is_as_ruff_has_it(words):
    ruff(*words, ".")


def test_the_given_folders_of_the_package_are_formatted():
    # A pattern cannot leave out the exported files alone, so the configuration leaves out the whole package.
    folders = [f"tinytorch/{path.name}" for path in sorted((ROOT / "tinytorch").iterdir()) if path.is_dir()]
    ruff("format", "--check", "--config", "format.exclude=['*_methods.py']", *folders)
