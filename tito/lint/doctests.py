"""The examples in docstrings run, both in exported and in given files."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tito.checks.runner import ONE_THREAD
from tito.lint import run_doctests
from tito.lint.problem import Problem
from tito.notebooks.export import origin_of

PATIENCE = 60  # seconds for all examples together


def run(course):
    """Every example gives the output it shows, with the files that all modules export."""
    if not course.present:
        return
    last = course.present[-1]
    with course.package(last, course.text(last)) as folder:
        for module in course.present:
            (folder / "tinytorch" / module.exports).write_text(course.text(module), encoding="utf-8")
        result = outcome(folder)
        for failure in result["failures"]:
            yield locate(course, folder, failure)
    if not result["examples"]:
        yield Problem("tinytorch", "no example was run: nothing was checked")


def outcome(folder):
    """Run all examples of a package in a separate process, and return the results."""
    command = [sys.executable, "-P", "-X", "utf8", run_doctests.__file__, str(folder)]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
            check=False,
            env={**os.environ, **ONE_THREAD},
        )
    except subprocess.TimeoutExpired:
        return {"examples": 0, "failures": [{"file": "tinytorch", "line": 1, "text": f"no end within {PATIENCE} s"}]}
    if done.returncode:
        return {"examples": 0, "failures": [{"file": "tinytorch", "line": 1, "text": done.stderr.strip()[-500:]}]}
    return json.loads(done.stdout)


def locate(course, folder, failure):
    """Turn a failure into a problem, which names the source's cell if a module exports the file."""
    path = Path(folder) / failure["file"]
    origin = origin_of(path, failure["line"], course.root) if path.is_file() else None
    return Problem(failure["file"], failure["text"] + (f" ({origin})" if origin else ""), failure["line"])
