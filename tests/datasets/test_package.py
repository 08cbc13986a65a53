"""The package as a whole: it imports cheaply, and its examples are true."""

import doctest
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import tinytorch.datasets

HOME = Path(tinytorch.datasets.__file__).parents[2]
MODULES = sorted(module.name for module in pkgutil.iter_modules(tinytorch.datasets.__path__))
HEAVY = {"urllib.request", "http.client", "ssl", "socket", "gzip", "tarfile", "hashlib", "tempfile", "rich", "sklearn"}


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(f"tinytorch.datasets.{name}")
    result = doctest.testmod(module)
    assert result.attempted > 0 and result.failed == 0


def test_import_loads_nothing_that_a_download_needs():
    code = (
        "import numpy, sys, json, tinytorch; before = set(sys.modules); import tinytorch.datasets;"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    command = [sys.executable, "-X", "warn_default_encoding", "-W", "error::EncodingWarning", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env={**os.environ, "PYTHONPATH": str(HOME)})
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert "tinytorch.datasets.load_mnist" in loaded and not loaded & HEAVY
