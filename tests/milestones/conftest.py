"""Running a milestone as a user does: a script in a process of its own, on the repository's package."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(tmp_path):
    """Return the variables of a process without a data set of the machine's, and without the network: a proxy where nobody listens."""
    here = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
        "XDG_CACHE_HOME": str(tmp_path),
        "LOCALAPPDATA": str(tmp_path),
        "HOME": str(tmp_path),
        "https_proxy": "http://127.0.0.1:9",
    }
    here.pop("TINYTORCH_DATA", None)
    return here


@pytest.fixture(scope="session")
def numba(tmp_path_factory):
    """Return the variables of a process that keeps what numba compiles for the next test."""
    pytest.importorskip("numba", reason="the kernel set needs numba: pip install tinytorch-course[kernels]")
    return {"NUMBA_CACHE_DIR": str(tmp_path_factory.mktemp("compiled"))}


@pytest.fixture
def command(tmp_path):
    """Return a function of a script and its arguments that returns the command line; the run is kept in `tmp_path/run`."""

    def words(script, *arguments):
        figures = [] if "--figures" in arguments else ["--no-figures"]
        chosen = [one for one in arguments if one != "--figures"]
        return [
            sys.executable,
            str(ROOT / "milestones" / script),
            "--metrics-json",
            str(tmp_path / "metrics.json"),
            "--checkpoint",
            str(tmp_path / "run"),
            *figures,
            *chosen,
        ]

    return words


@pytest.fixture
def milestone(tmp_path, environment, command):
    """Return a function that runs a milestone's script: what it said, its exit status, and its metrics or None."""

    def run(script, *arguments, **variables):
        metrics = tmp_path / "metrics.json"
        metrics.unlink(missing_ok=True)
        done = subprocess.run(
            command(script, *arguments),
            cwd=tmp_path,
            env={**environment, **variables},
            encoding="utf-8",
            capture_output=True,
            timeout=600,
        )
        found = json.loads(metrics.read_text(encoding="utf-8")) if metrics.exists() else None
        return done.stdout + done.stderr, done.returncode, found

    return run


@pytest.fixture
def kill(tmp_path, environment, command):
    """Return a function that starts a milestone's script, and kills it in the middle of the epoch after the one given."""

    def run(script, *arguments, after):
        with subprocess.Popen(
            command(script, *arguments),
            cwd=tmp_path,
            env=environment,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            for line in process.stdout:
                if line.startswith(f"epoch {after}/"):
                    break
            else:
                pytest.fail(f"epoch {after} never ended")
            process.kill()  # SIGKILL where there are signals
        assert process.returncode != 0

    return run


@pytest.fixture(scope="session")
def cifar10(tmp_path_factory):
    """Return a folder with a stand-in for CIFAR-10: its format and sizes, but ten colours with noise, and five equal batches."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    colours = rng.integers(60, 196, (10, 3, 1))
    labels = rng.integers(0, 10, 10_000).astype(np.uint8)
    for name in ("data_batch_1.bin", "test_batch.bin"):
        pixels = colours[labels] + rng.integers(-60, 60, (10_000, 3, 1024), dtype=np.int16)
        records = np.concatenate([labels[:, None], pixels.reshape(10_000, -1).astype(np.uint8)], axis=1)
        (folder / name).write_bytes(records.tobytes())
    for number in range(2, 6):
        shutil.copyfile(folder / "data_batch_1.bin", folder / f"data_batch_{number}.bin")
    return folder


@pytest.fixture
def package(tmp_path):
    """Return a function that copies the package with one piece of one file replaced, and returns the folder that holds it."""

    def changed(file, old, new):
        shutil.copytree(ROOT / "tinytorch", tmp_path / "tinytorch", ignore=shutil.ignore_patterns("__pycache__"))
        (tmp_path / "modules").mkdir()
        shutil.copy(ROOT / "modules" / "curriculum.toml", tmp_path / "modules")
        path = tmp_path / "tinytorch" / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1 or not old, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new) if old else text, encoding="utf-8")
        return tmp_path

    return changed
