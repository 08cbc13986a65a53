"""Nothing is left behind: whatever ends tito, its processes end and its temporary folders go."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

posix = pytest.mark.skipif(os.name != "posix", reason="signals and process groups are POSIX's")
ROOT = Path(__file__).resolve().parents[2]
ENDINGS = [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP", "SIGKILL")]
SECONDS = 10
HOLDS = """
import subprocess, sys, time
from tito import leftovers
leftovers.end_in_order()
with leftovers.folder(parent=sys.argv[1]) as folder:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    with leftovers.process(child, group=True):
        (folder / "file").write_text("x")
        print(child.pid, flush=True)
        time.sleep(60)
"""


def alive(number):
    """Say whether a process runs; one that has ended and waits for its parent to hear of it does not."""
    try:
        os.kill(number, 0)
        return Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def wait_until(condition, seconds=SECONDS):
    """Wait for something to be so, and say whether it is."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def below(number):
    """Return the processes that a process has started, and those that they have."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, encoding="utf-8", check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found, waiting = [], [number]
    while waiting:
        parent = waiting.pop()
        children = [child for child, of in pairs if of == parent]
        found += children
        waiting += children
    return found


@posix
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_process_and_a_folder_end_with_the_one_that_made_them(tmp_path, ending):
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT) as process:
        child = int(process.stdout.readline())
        assert alive(child) and list(tmp_path.iterdir())
        process.send_signal(ending)
    assert wait_until(lambda: not alive(child)) and wait_until(lambda: not list(tmp_path.iterdir()))


def test_in_the_usual_case_they_go_at_the_end_of_their_block(tmp_path):
    from tito import leftovers

    with leftovers.folder("x-", tmp_path) as folder:
        (folder / "file").write_text("x", encoding="utf-8")
        assert folder.parent == tmp_path.resolve() and folder.name.startswith("x-")
    assert not list(tmp_path.iterdir())
    done = leftovers.run([sys.executable, "-c", "print('here')"], stdout=subprocess.PIPE, encoding="utf-8")
    assert (done.returncode, done.stdout) == (0, "here\n")


@posix
@pytest.mark.parametrize("ending", ENDINGS)
def test_milestone_run_ends_its_training(tmp_path, ending):
    words = ["milestone", "run", "mnist-mlp", "--data", "mnist-5k", "--epochs", "100000", "--no-figures"]
    command = [sys.executable, "-m", "tito", *words, "--checkpoint", str(tmp_path / "run")]
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment, encoding="utf-8") as process:
        assert next(line for line in process.stdout if not line.startswith("reading ")).startswith("epoch 1/")
        started = below(process.pid)
        assert started
        process.send_signal(ending)
        process.stdout.close()
    assert wait_until(lambda: not any(map(alive, started)))
    assert not list((tmp_path / "temporary").iterdir())


@posix
@pytest.mark.parametrize("ending", ENDINGS)
def test_module_test_ends_the_learners_code(workspace, replace, tmp_path, ending):
    """The code hangs where no other thread of its process can run: a regular expression that takes years."""
    root = workspace("solved")
    shutil.copy(ROOT / "tinytorch" / "tensor.py", root / "tinytorch")  # module 02 needs it
    body = "return np.maximum(a, 0)"
    replace(
        root / "modules" / "02_activations" / "activations.ipynb", body, f"import re; re.match('(a+)+$', 'a' * 64 + 'b'); {body}"
    )
    (tmp_path / "temporary").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary"), "TINYTORCH_WORKSPACE": str(root)}
    command = [sys.executable, "-m", "tito", "module", "test", "02.1", "--timeout", "600"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=root, env=environment) as process:
        assert wait_until(lambda: len(below(process.pid)) >= 2, 60), "the keeper, and the learner's process"
        time.sleep(3)
        started = below(process.pid)
        process.send_signal(ending)
    assert wait_until(lambda: not any(map(alive, started)))
    assert wait_until(lambda: not list((tmp_path / "temporary").iterdir()))
