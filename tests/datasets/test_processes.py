"""Several processes, and processes that are killed, on one cache."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tinytorch.datasets
from tinytorch.datasets.download import fetch

HOME = Path(tinytorch.datasets.__file__).parents[2]
CHILD = """
import hashlib, sys
from pathlib import Path
url, target, digest, locks = sys.argv[1:]
if locks == "without locks":
    sys.modules["fcntl"] = sys.modules["msvcrt"] = None
from tinytorch.datasets.download import fetch
from tinytorch.datasets.errors import CorruptFile

def check(path):
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        raise CorruptFile(path, "not the file that was wanted")

fetch(Path(target), [url], check, limit=1_000_000)
"""


@pytest.fixture
def child(body):
    """Start a process that downloads the file; what still runs at the end is killed."""
    started = []

    def start(url, target, locks="with locks"):
        arguments = [sys.executable, "-c", CHILD, url, target, hashlib.sha256(body).hexdigest(), locks]
        process = subprocess.Popen(
            [str(argument) for argument in arguments],
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": str(HOME)},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "waited 10 s in vain"
        time.sleep(0.01)


def test_a_killed_download_leaves_no_file_and_is_resumed(mirror, child, body, check, tmp_path):
    target, part = tmp_path / "file.gz", tmp_path / "file.gz.part"
    url = mirror.serve("/a", mirror.stalling(body, 150_000), mirror.whole(body))
    process = child(url, target)
    wait_until(lambda: part.exists() and part.stat().st_size > 100_000)
    process.kill()
    process.wait()
    assert not target.exists()
    kept = part.stat().st_size
    assert kept > 100_000 and part.read_bytes() == body[:kept]
    fetch(target, [url], check, limit=1_000_000)  # returns, so the lock of the dead process is free
    assert target.read_bytes() == body
    assert mirror.ranges == [None, f"bytes={kept}-"]


def test_two_processes_download_once(mirror, child, body, tmp_path):
    target = tmp_path / "file.gz"
    url = mirror.serve("/a", mirror.pausing(body, 150_000))
    first = child(url, target)
    wait_until(lambda: mirror.ranges)
    second = child(url, target)
    assert "another process is downloading" in second.stderr.readline()
    mirror.released.set()
    errors = [process.communicate(timeout=10)[1] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), errors
    assert target.read_bytes() == body and mirror.ranges == [None]


def test_two_processes_without_locks_do_not_corrupt_each_other(mirror, child, body, tmp_path):
    target = tmp_path / "cache" / "file.gz"
    url = mirror.serve("/a", mirror.pausing(body, 150_000))
    both = [child(url, target, "without locks") for _ in range(2)]
    wait_until(lambda: len(mirror.ranges) == 2)
    mirror.released.set()
    errors = [process.communicate(timeout=10)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    assert target.read_bytes() == body and mirror.ranges == [None, None]
    assert {path.name for path in target.parent.iterdir()} == {"file.gz", ".lock"}
