"""Submissions in containers of podman and docker.

Without `-m container` a program that only looks like podman takes the place of the real one: it refuses to run without the options
that confine a container, and then runs the command as it is. `pytest -m container` runs these tests, and the attacks marked
`every_sandbox`, in real containers; it needs podman or docker, and the image of `tito grade sandbox --build`.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tito.checks import checking
from tito.grading import container, judge, sandbox, tether

ENGINES = [pytest.param(name, marks=pytest.mark.container) for name in ("podman", "docker")]
REQUIRED = [
    *("--rm", "--interactive", "--pull=never", "--network=none", "--ipc=none", "--read-only", "--cap-drop=ALL"),
    *("--user=65534:65534", "--security-opt=no-new-privileges", "--memory=", "--memory-swap=", "--pids-limit=40"),
    *(f"--tmpfs=/tmp:size={2**26},mode=1777", f"--ulimit=fsize={2**24}:{2**24}", "--ulimit=cpu=300:300", "--log-driver=none"),
]
FAKE = """#!{python}
import os, sys
words = sys.argv[1:]
if words[0] != "run":
    sys.exit({answers}.get(words[0], 0))
lacking = [option for option in {required} if option not in (*words, *[word.split("=")[0] + "=" for word in words])]
if lacking or any("SECRET" in word for word in (*words, *os.environ, *os.environ.values())):
    sys.exit(f"refused: {lacking}")
if {limits} and "def together" in words[-1]:
    sys.exit("processes: not all")  # as if what is too much were stopped
shown, hidden = next(word for word in words if word.startswith("--volume=")).removeprefix("--volume=").split(":")[:2]
environment = dict(word.removeprefix("--env=").split("=", 1) for word in words if word.startswith("--env="))
after = words[words.index({image!r}) + 1 :]
command = [word.replace(hidden, shown, 1) if word.startswith(hidden) else word for word in after]
command = [sys.executable if word == "python3" else word for word in command]
os.execve(sys.executable, [sys.executable, *command], {{**environment, "HOME": {home!r}}})
"""


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Return a function that makes a program `podman`: whether it limits anything, and the statuses that its commands end with."""
    if os.name == "nt":
        pytest.skip("it is a script that starts with #!")

    def make(limits=True, **answers):
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        about = {
            "python": sys.executable,
            "answers": answers,
            "required": REQUIRED,
            "image": container.image(),
            "limits": limits,
        }
        (tmp_path / "podman").write_text(FAKE.format(**about, home=str(home), lacking="{lacking}"), encoding="utf-8")
        (tmp_path / "podman").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return make


def test_a_submission_is_marked_in_a_container(fake, module, submission, monkeypatch):
    fake()
    monkeypatch.setenv("TOKEN", "SECRET")
    assert sandbox.problem("podman") is None
    options = sandbox.options("podman")
    assert judge.judge(module, submission(), checking.SEEDS, **options).points == sum(
        mark.exercise.points for mark in judge.judge(module, submission("open"), checking.SEEDS, **options).marks
    )


@pytest.mark.parametrize("option", ["--network=none", "--cap-drop=ALL", "--read-only"])
def test_the_program_that_looks_like_podman_refuses_an_open_container(fake, monkeypatch, option):
    fake()
    real = container.Engine.command_prefix
    monkeypatch.setattr(
        container.Engine, "command_prefix", lambda self, limits: [word for word in real(self, limits) if word != option]
    )
    assert option in sandbox.problem("podman")


def test_each_reason_is_told_with_what_to_do(fake, tmp_path, monkeypatch, grade, classroom, module, submission):
    submission(path=classroom.path("submitted", module, "alice") / "tensor.ipynb")
    monkeypatch.setenv("PATH", str(tmp_path))
    said = grade("autograde", "01", "--course", classroom.folder).output
    assert "apt install bubblewrap" in said and "podman      not installed" in said and "docker      not installed" in said
    fake(info=1)
    assert sandbox.problem("podman") == "does not answer: it printed nothing"
    fake(limits=False)
    assert sandbox.problem("podman") == "does not limit the processes and memory of a submission here"
    fake(image=1)
    said = grade("autograde", "01", "--course", classroom.folder, "--sandbox", "podman")
    assert said.exit_code == 2 and "`tito grade sandbox --build podman`" in " ".join(said.output.split())
    assert max(map(len, said.output.splitlines())) <= 80
    assert "bubblewrap" not in said.output, "another one is not asked for"
    said = grade("autograde", "01", "--course", classroom.folder, "--sandbox", "podmann")
    assert said.exit_code == 2 and "bubblewrap, podman, docker" in said.output


def test_the_first_that_works_is_used(monkeypatch):
    works = {"bubblewrap": "no", "podman": None, "docker": None}
    monkeypatch.setattr(sandbox, "problem", works.get)
    assert sandbox.choose() == "podman" and sandbox.choose("docker") == "docker"
    with pytest.raises(sandbox.NoSandbox, match="bubblewrap  no"):
        sandbox.choose("bubblewrap")


def test_the_image_is_made_of_what_is_installed_and_nothing_else_downloads(fake, grade, tmp_path, monkeypatch):
    fake(build=3)
    said = grade("sandbox", "--build", "podman")
    assert (
        said.exit_code == 1 and "FROM docker.io/library/python:" in said.output and "podman did not make the image" in said.output
    )
    import numpy

    assert f"numpy=={numpy.__version__}" in said.output and f"numpy{numpy.__version__}" in container.image()
    assert "FROM mine" in grade("sandbox", "--build", "podman", "--base", "mine").output
    fake()
    said = grade("sandbox")
    assert "podman      leaks" in said.output, "the program that looks like podman confines nothing"
    assert said.exit_code == 1
    assert "--pull=never" in sandbox.options("podman")["command_prefix"]


# Process 1 of a container.


def tethered(script, tmp_path, **options):
    """Start a script as a container does, without a container."""
    environment = {**os.environ, "HOME": str(tmp_path)}
    words = [sys.executable, tether.__file__, sys.executable, "-c", script]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, **options)


linux = pytest.mark.skipif(sys.platform != "linux", reason="containers run on Linux")


@linux
@pytest.mark.parametrize("script, status", [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 137)])
def test_process_1_ends_as_its_command_does(tmp_path, script, status):
    process = tethered(f"import sys; sys.stderr.write('x' * 10_000 + 'last words'); sys.stderr.flush()\n{script}", tmp_path)
    said = process.stderr.read()
    assert process.wait(timeout=30) == status and said.endswith(b"last words") and len(said) == tether.SHOWN
    process.stdin.close()


@linux
def test_process_1_ends_with_its_input(tmp_path):
    process = tethered("import time; time.sleep(600)", tmp_path)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    process.stdin.close()
    assert process.wait(timeout=10) == 137
    process.stderr.close()


NAMESPACES = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
child = os.fork()
if not child:
    os._exit(libc.unshare(0x10000000) != 0)
made = ["unshare"] if os.wait()[1] == 0 else []
child = libc.syscall({clone}, 0x10000011, 0, 0, 0, 0)
if not child:
    os._exit(0)
sys.stderr.write(str(made + ["clone"] * (child > 0)))
"""


def without_lock(folder):
    """Write process 1 without its lock, and return its file."""
    text = Path(tether.__file__).read_text(encoding="utf-8")
    assert "    lock()\n" in text
    file = folder / "tether.py"
    file.write_text(text.replace("    lock()\n", "", 1), encoding="utf-8")
    return str(file)


@linux
def test_process_1_gives_its_command_no_namespace_of_users(tmp_path, monkeypatch):
    """In one it would have all rights, and podman's own filter of system calls lets it make one."""
    if os.uname().machine not in tether.MACHINES:
        pytest.skip(f"there is no filter for {os.uname().machine}")
    script = NAMESPACES.format(clone=tether.MACHINES[os.uname().machine][1])
    with tethered(script, tmp_path) as process:
        assert process.stderr.read() == b"[]"
    monkeypatch.setattr(tether, "__file__", without_lock(tmp_path))
    with tethered(script, tmp_path) as process:
        said = process.stderr.read()
    if said == b"[]":
        pytest.skip("this system gives nobody a namespace of users, so the filter has nothing to stop")
    assert said == b"['unshare', 'clone']"


HOLD = """
import os, subprocess, sys
with open("/tmp/tether.py", "w") as file:
    file.write({tether!r})
command = "import os; os.close(os.open(f'/proc/{{os.getppid()}}/fd/0', os.O_WRONLY)); os.close(os.open(f'/proc/{{os.getppid()}}/mem', os.O_RDWR)); os.write(2, b'opened')"
process = subprocess.Popen([sys.executable, "/tmp/tether.py", sys.executable, "-c", command], stdin=subprocess.PIPE)
process.wait()
"""


def test_a_submission_cannot_keep_process_1_alive(box, tmp_path):
    """Code of the same user could hold its input open, or change its memory, and outlive tito. Tried in bubblewrap."""
    closed = Path(tether.__file__).read_text(encoding="utf-8")
    assert "PermissionError" in sandbox.trial(box, HOLD.format(tether=closed))[1]
    open_ = Path(without_lock(tmp_path)).read_text(encoding="utf-8")
    assert sandbox.trial(box, HOLD.format(tether=open_))[1] == "opened"


# Real containers.


def running(engine):
    words = [engine, "ps", "--quiet", "--no-trunc", f"--filter=label={container.LABEL}"]
    return subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout.decode().split()


def until(holds, seconds=60.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("box", ENGINES, indirect=True)
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGKILL"])
def test_no_container_outlives_tito_by_ten_seconds(box, nbgrader, classroom, module, submission, name):
    for student in ("s0", "s1"):
        path = classroom.path("submitted", module, student) / "tensor.ipynb"
        submission(change=lambda text: text.replace("return a * b", "while True: pass"), path=path)
    words = ["grade", "autograde", "01", "--course", classroom.folder, "--workers", "2", "--timeout", "100", "--sandbox", box]
    process = subprocess.Popen(
        [sys.executable, "-m", "tito", *map(str, words)], stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        assert until(lambda: len(running(box)) >= 2), "the submissions do not run"
        time.sleep(2)  # into the endless loops
        process.send_signal(getattr(signal, name))
        assert until(lambda: not running(box), 10), "containers are left"
    finally:
        process.kill()
        process.wait()


def opened(monkeypatch, *changes):
    """Change words of the command that starts containers: pairs of a word and what takes its place, or None."""
    real = container.Engine.command_prefix

    def changed(self, limits):
        words = real(self, limits)
        for old, new in changes:
            assert old in words, old
            words = [new if word == old else word for word in words]
        return [word for word in words if word is not None]

    monkeypatch.setattr(container.Engine, "command_prefix", changed)


@pytest.mark.parametrize("box", ENGINES, indirect=True)
def test_a_container_without_process_1_outlives_the_program_that_started_it(box, monkeypatch):
    opened(monkeypatch, ("-I", None), (f"{container.JOB}/tether.py", None), ("--entrypoint=python3", "--entrypoint="))
    reading, holding = os.pipe()
    with sandbox.started(box, "import time; time.sleep(600)", sandbox.Limits(), reading):
        assert until(lambda: running(box))
    os.close(reading)
    os.close(holding)
    time.sleep(2)
    left = running(box)
    subprocess.run([box, "rm", "--force", *left], stdout=subprocess.DEVNULL, check=bool(left))
    assert left and until(lambda: not running(box), 20)


CONNECT = "import socket; socket.create_connection(('127.0.0.1', {port}), timeout=2).sendall(b'hello'); print('through')"
WRITE = "open('/var/tmp/x', 'w').write('x'); print('written')"
RIGHTS = "import os; os.setuid(0); print('root', open('/proc/self/status').read())"
FORKS = "import os, time\nfor _ in range(45):\n    if not os.fork(): time.sleep(1); os._exit(0)\nprint('all started')"
LARGE = "open('/tmp/x', 'wb').write(bytes(2**20 * 17)); print('written')"
QUEUE = "import os; os.open('/dev/mqueue/x', os.O_CREAT | os.O_RDWR); print('made')"
PROXY = "import os; print([value for name, value in os.environ.items() if 'proxy' in name.lower() and value])"
SIZE = 2**24
OPENED = {
    "network": (CONNECT, "through", [("--network=none", "--network=host")]),
    "read-only": (WRITE, "written", [("--read-only", None)]),
    "user": (RIGHTS, "root", [("--user=65534:65534", "--user=0:0")]),
    "processes": (FORKS, "all started", [("--pids-limit=40", "--pids-limit=400")]),
    "files": (LARGE, "written", [(f"--ulimit=fsize={SIZE}:{SIZE}", None)]),
    "queues": (QUEUE, "made", [("--ulimit=msgqueue=0:0", None)]),
}


@pytest.mark.parametrize("box", ENGINES, indirect=True)
@pytest.mark.parametrize("script, says, changes", OPENED.values(), ids=OPENED)
def test_each_lock_of_a_container_stops_something(box, monkeypatch, script, says, changes):
    """Each attack fails in a container, and succeeds with one option less."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        script = script.replace("{port}", str(server.getsockname()[1]))
        assert says not in sandbox.trial(box, script)[1].splitlines()
        opened(monkeypatch, *changes)
        said = sandbox.trial(box, script)[1]
        assert any(line.startswith(says) for line in said.splitlines()), said


@pytest.mark.container
def test_dockers_own_configuration_does_not_reach_a_submission(tmp_path, monkeypatch):
    """It may hold the password of a proxy, and docker hands it to every container that does not say otherwise."""
    if problem := sandbox.problem("docker"):
        pytest.skip(f"no sandbox here: {problem}")
    proxy = {"proxies": {"default": {"httpProxy": "http://me:s3cret@proxy:3128", "allProxy": "http://me:s3cret@proxy:3128"}}}
    (tmp_path / "config.json").write_text(json.dumps(proxy), encoding="utf-8")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert sandbox.trial("docker", PROXY)[1].strip() == "[]"
    monkeypatch.setattr(container, "PROXIES", [])
    assert "s3cret" in sandbox.trial("docker", PROXY)[1]
