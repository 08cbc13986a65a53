"""How long imports take and how much memory a process uses after them, each in a fresh Python, in turn."""

import json
import subprocess
import sys

from tito.bench import measuring, table

NAME, TITLE = "import", "Imports, each in a fresh Python"
ROUNDS = 7
PROGRAM = """
import time
cpu, wall = time.process_time_ns(), time.perf_counter_ns()
{statement}
cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
import json, tito.machine
print(json.dumps([cpu / 1e9, wall / 1e9, tito.machine.peak_memory()]))
"""


def statements(space):
    """Return the import statements, by their name in the table.

    Args:
        space: The workspace.
    """
    written = [
        "tinytorch",
        *(f"tinytorch.{module.package_name}" for module in space.curriculum.modules if space.exported(module).is_file()),
    ]
    plain = [name for name in written if "kernels" not in name]  # the others import numba
    return {
        "numpy": "import numpy",
        "tinytorch": "import tinytorch",
        "tinytorch, all but kernels": f"import {', '.join(plain)}",
        **({"tinytorch and numba": f"import {', '.join(written)}"} if plain != written else {}),
        "PyTorch": "import torch",
        "tinygrad": "import tinygrad",
    }


def why(done, statement):
    """Return why an import failed: the last line it printed, or that the package is not installed."""
    package, said = statement.removeprefix("import "), (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
    return f"{package} {table.NOT_INSTALLED}" if said == f"ModuleNotFoundError: No module named '{package}'" else said


def measure(statements, environment, cwd, rounds=None):
    """Return times, memory, and what could not be imported. The first import of each is not counted: the disk is cold.

    Args:
        statements: Dict from name to statement.
        environment: Variables of the processes.
        cwd: Folder in which they run.
        rounds: How often each is imported.
    """
    samples, memory, absent = {name: [] for name in statements}, {}, {}
    for number, name in measuring.turns(list(statements), 1 + (rounds or ROUNDS)):
        if name in absent:
            continue
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(statement=statements[name])],
            env=environment,
            cwd=cwd,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            absent[name] = why(done, statements[name])
        else:
            *times, memory[name] = json.loads(done.stdout.splitlines()[-1])
            samples[name] += [times] * (number > 0)
    variants = {name: {**measuring.summary(times), "peak_mb": memory[name]} for name, times in samples.items() if times}
    return {"case": NAME, "title": TITLE, "variants": variants, "absent": absent}
