"""Submissions that attack the judge: they earn nothing, cost no more than they must, and see nothing of this machine."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tito import workspace
from tito.grading import judge, sandbox


def lost(found):
    return {mark.exercise.id for mark in found.marks if not mark.passed}


def around(name, attack):
    """Return a cell that does something at each call of an exercise, and then what is right."""
    body = "\n".join(f"    {line}" for line in attack.strip().split("\n"))
    return (
        f"import os, sys\n_right = {name}.forward\n\n\ndef _attack():\n{body}\n\n\n"
        f"def _wrapped(*arrays, **options):\n    _attack()\n    return _right(*arrays, **options)\n\n\n"
        f"_wrapped.__wrapped__ = _right  # its signature is the right one\n{name}.forward = _wrapped"
    )


def at_import(attack):
    """Return a cell that does something when the module is imported."""
    body = "\n".join(f"    {line}" for line in attack.strip().split("\n"))
    return f"import os, sys\n\n\ndef _attack():\n{body}\n\n\n_done = _attack()"


def said(found, exercise):
    """Return what an exercise raised, as its feedback shows it."""
    (mark,) = [mark for mark in found.marks if mark.exercise.id == exercise]
    return dict(mark.verdict.failure.rows)["raised"]


# What must gain nothing. The submission is wrong in all exercises, and tries to look right.

FORGED = """
import glob, json
value = {"cases": [{"value": None, "error": None, "changed": []}] * 100, "printed": ""}
for folder in sys.argv[1:]:
    for number in range(1, 11):
        with open(os.path.join(folder, f"result-01.{number}.json"), "w") as file:
            json.dump(value, file)
os.replace = lambda *paths: None
"""
WORKER = """
worker, frame = None, sys._getframe()
while frame:
    worker, frame = frame.f_globals, frame.f_back
worker["observe_exercise"] = lambda name, namespace, observers, cases, place, announce: {
    "cases": [{"value": case.get("a"), "error": None, "changed": []} for case in cases]}
"""
COMPARISONS = """
import numpy as np, json, builtins
np.allclose = np.array_equal = np.isclose = lambda *values, **options: True
np.testing.assert_allclose = np.testing.assert_array_equal = lambda *values, **options: None
np.ndarray.__class__, builtins.isinstance = type, lambda *values: True
json.dumps = lambda value, **options: '{"cases": []}'
"""


@pytest.mark.parametrize(
    "attack",
    [
        COMPARISONS,
        FORGED,
        WORKER,
        "raise SystemExit",
        "raise SystemExit(0)",
        "os._exit(0)",
        "os.kill(0, 9)",
        "sys.displayhook(5)\nraise KeyboardInterrupt",
        "os.closerange(0, 256)",
        "import signal\nos.kill(1, signal.SIGKILL)",
        "sys.modules['tinytorch.tensor'] = type('Yes', (), {'__getattr__': lambda self, name: self, '__call__': lambda self, *a, **k: self})()",
    ],
)
def test_nothing_that_a_wrong_submission_does_earns_a_point(confined, module, submission, attack):
    path = submission("open", at_import(attack))
    found = judge.judge(module, path, timeout=4, **confined)
    assert found.reason is None and found.points == 0


# What must cost no more than the exercise that does it.

LOOP = "while True:\n    pass"
FORKS = """
for _ in range(50):
    try:
        if os.fork() == 0:
            import time
            os.setsid()
            time.sleep(600)
            os._exit(0)
    except OSError:
        break
"""


@pytest.mark.parametrize(
    "attack, costs",
    [
        ("os._exit(0)", {"01.9"}),
        ("sys.exit(1)", {"01.9"}),
        ("os.kill(os.getpid(), 11)", {"01.9"}),
        ("os.kill(-1, 9)", {"01.9"}),
        (LOOP, {"01.9"}),
        ("os.closerange(0, 256)", None),
        ("bytearray(8 * 2**30)", {"01.9"}),
        (FORKS, set()),
        ("for _ in range(100): print('x' * 2**20)", set()),
        ("for _ in range(100): os.write(2, b'x' * 2**20)", None),
        ("with open('/tmp/big', 'wb') as file:\n    for _ in range(100): file.write(bytes(2**20))", {"01.9"}),
        ("with open(sys.argv[1] + '/answers', 'ab') as file:\n    for _ in range(100): file.write(bytes(2**20))", {"01.9"}),
    ],
    ids=[
        "exit",
        "sys.exit",
        "crash",
        "kill everything",
        "loop",
        "close all",
        "8 GB",
        "50 forks",
        "print 100 MB",
        "stderr 100 MB",
        "write 100 MB",
        "answer 100 MB",
    ],
)
def test_harm_is_confined_to_the_exercise_that_does_it(confined, module, submission, attack, costs, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    started = time.monotonic()
    found = judge.judge(module, submission(code=around("cat", attack)), timeout=4, **confined)
    assert lost(found) == costs if costs is not None else lost(found) <= {"01.9"}
    assert time.monotonic() - started < 30
    assert not survivors(str(tmp_path).encode())


def survivors(folder):
    """Return the processes whose commands name a folder; a moment is given to those that are ending."""
    for _ in range(20):
        found = [path.parent.name for path in Path("/proc").glob("[0-9]*/cmdline") if folder in content(path)]
        if not found:
            return []
        time.sleep(0.05)
    return found


def content(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


# What must not be seen. The submission looks, and tells what it found by raising it.

LOOK = """
import json
seen = []
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/usr/share", "/usr/lib")]
    seen += [os.path.join(folder, name) for name in files
             if name in ("checks.py", "curriculum.toml", "gradebook.db", "shadow", "tensor.ipynb", "judge.py", "checking.py")]
raise RuntimeError(json.dumps({"seen": seen, "root": sorted(os.listdir("/")), "home": os.path.exists("/home") and os.listdir("/home"),
    "passwd": os.path.exists("/etc/passwd"), "uid": os.getuid(), "environment": sorted(os.environ), "processes": [name for name in os.listdir("/proc") if name.isdecimal()]}))
"""
WRITE = """
import json
written = []
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/usr/share", "/usr/lib")]
    try:
        open(os.path.join(folder, "x"), "w").close()
        written.append(folder)
    except OSError:
        pass
raise RuntimeError(json.dumps(written))
"""
CONNECT = """
import socket
try:
    socket.create_connection(("127.0.0.1", {port}), timeout=1).sendall(b"hello")
except OSError as error:
    raise RuntimeError("no network") from error
"""
ESCAPE = """
import ctypes, json
libc = ctypes.CDLL(None, use_errno=True)
flags = {"user": 0x10000000, "mount": 0x20000, "network": 0x40000000}
said = {name: libc.unshare(flag) for name, flag in flags.items()}
said["mount /tmp"] = libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)
said["setuid"] = libc.setuid(0)
for process in ("self", "1"):
    with open(f"/proc/{process}/status") as status:
        rights = [line.split()[1] for line in status if line.startswith(("CapPrm", "CapEff", "CapBnd"))]
    said[f"rights of {process}"] = -1 if set(rights) == {"0" * 16} else rights
raise RuntimeError(json.dumps(said))
"""


def told(found):
    """Return what the submission told of what it found."""
    text = said(found, "01.9")
    assert text.startswith("RuntimeError: "), text
    return text.removeprefix("RuntimeError: ")


def test_the_sandbox_shows_nothing_of_this_machine(confined, module, submission, monkeypatch):
    monkeypatch.setenv("SECRET", "of the host")
    found = json.loads(told(judge.judge(module, submission(code=around("cat", LOOK)), **confined)))
    assert found["seen"] == [] and not found["home"] and not found["passwd"] and found["uid"] != 0
    assert "SECRET" not in found["environment"] and len(found["processes"]) < 5
    assert not {"work", "var", "opt", "srv", "mnt", "media", "run", "sys"} & set(found["root"])


def test_the_sandbox_lets_write_in_its_own_folders_alone(confined, module, submission):
    written = json.loads(told(judge.judge(module, submission(code=around("cat", WRITE)), **confined)))
    assert written == ["/tmp"]


def test_the_sandbox_has_no_network(confined, module, submission):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        attack = CONNECT.format(port=server.getsockname()[1])
        assert told(judge.judge(module, submission(code=around("cat", attack)), **confined)) == "no network"
        with pytest.raises(TimeoutError):
            server.accept()


def test_the_sandbox_gives_no_rights_to_win(confined, module, submission):
    found = json.loads(told(judge.judge(module, submission(code=around("cat", ESCAPE)), **confined)))
    assert set(found.values()) == {-1}, found


FILL = """
try:
    for number in range({count}):
        with open(f"/tmp/{{number}}", "wb") as file:
            file.write(bytes(2**20 * {size}))
except OSError as error:
    raise RuntimeError(str(error)) from error
"""


@pytest.mark.parametrize("count, size, says", [(1, 17, "File too large"), (8, 10, "No space left on device")])
def test_files_have_a_limit(confined, module, submission, count, size, says):
    attack = FILL.format(count=count, size=size)
    assert says in told(judge.judge(module, submission(code=around("cat", attack)), **confined))


def test_the_limits_bind_root_too(confined, module, submission):
    attack = FORKS.replace("break", "raise RuntimeError('no more than a few')").replace("range(50)", "range(sandbox)")
    attack = attack.replace("sandbox", str(sandbox.Limits().processes + 5))
    assert told(judge.judge(module, submission(code=around("cat", attack)), **confined)) == "no more than a few"


def test_installed_packages_and_the_course_are_covered(confined, monkeypatch, tmp_path):
    """An interpreter with the course installed beside NumPy must not bring the answers into the sandbox."""
    course = Path("/usr/share/doc")
    installed = Path(sys.base_prefix).resolve().glob("lib*/python3*/*-packages")
    packages = next((folder for folder in installed if any(folder.iterdir())), None)
    assert any(course.iterdir()) and packages, "nothing there to cover: choose other folders"
    (tmp_path / "answers").touch()
    sandbox.hand_over(tmp_path)
    script = f"import os; print([os.listdir(folder) for folder in {[str(course), str(packages)]}])"

    def shown():
        words = [word.replace("{job}", str(tmp_path)) for word in sandbox.command_prefix(sandbox.Limits())]
        return subprocess.run([*words, sandbox.python(), "-c", script], capture_output=True, encoding="utf-8", check=True).stdout

    assert not shown().startswith("[[]")
    monkeypatch.setattr(workspace, "course_dir", lambda: course)
    assert shown() == "[[], []]\n"


def test_without_root_one_bubblewrap_does(confined, module, submission, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    options = sandbox.options()
    assert sum(word.endswith("bwrap") for word in options["command_prefix"]) == 1 and sandbox.problem() is None
    found = judge.judge(module, submission(), **{**confined, **options})
    assert found.points == found.maximum > 0
