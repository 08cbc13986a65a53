"""Submissions that attack the judge: they earn nothing, cost no more than they must, and see nothing of this machine.

Below each group the same attacks succeed with the defence that stops them switched off (marked slow). Two cannot be run that way,
because they would end this machine: killing process 1, and killing every process. One chosen process is killed in their place.
"""

import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import pytest

from tito import workspace
from tito.checks import checking, learner_process, runner, trial
from tito.grading import assignment, bubblewrap, container, judge, sandbox
from tito.notebooks import salvage, source
from tito.notebooks.export import export_text


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

COMPARISONS = """
import numpy as np, builtins
np.allclose = np.array_equal = np.isclose = lambda *values, **options: True
np.testing.assert_allclose = np.testing.assert_array_equal = lambda *values, **options: None
builtins.isinstance = lambda *values: True
"""
YES = """
everything = {"__getattr__": lambda self, name: self, "__call__": lambda self, *a, **k: self, "__eq__": lambda self, other: True}
sys.modules["tinytorch.tensor"] = type("Yes", (), everything)()
"""
PLAINLY = [COMPARISONS, YES, "raise SystemExit", "raise SystemExit(0)", "os._exit(0)", "os.kill(0, 9)", "os.closerange(0, 256)"]

# These three answer for 01.2 what is right for the seeds that everybody knows. `{known}` holds that answer.
FORGED = """
import json
with open(sys.argv[1] + "/answers", "ab") as file:
    file.write(b'import {"error": null}\\nresult-01.2 ' + {known} + b"\\n")
os._exit(0)
"""
WORKER = """
import json
worker, frame = None, sys._getframe()
while frame:
    worker, frame = frame.f_globals, frame.f_back
worker["observe_exercise"] = lambda *words: json.loads({known})
"""
WRITER = """
import json
dumps = json.dumps
json.dumps = lambda value: {known}.decode() if type(value) is dict and "replaced" in value else dumps(value)
"""
KNOWING = {"forged answers": FORGED, "another worker": WORKER, "another json.dumps": WRITER}


@pytest.fixture(scope="session")
def known(module, reference):
    """An expression for what a right submission answers for 01.2 and the public seeds: bytes of JSON."""
    answers, result = {}, runner.result

    def listening(number, inbox, job, process):
        seen = result(number, inbox, job, process)
        answers[number] = inbox.text(f"result-{number}")
        return seen

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "result", listening)
        judge.observed(module, export_text(reference, reference, "tensor.ipynb"), checking.SEEDS, {})
    packed = base64.b64encode(zlib.compress(answers["01.2"], 9)).decode()
    return f"__import__('zlib').decompress(__import__('base64').b64decode('{packed}'))"


def only_mul(reference):
    """Return the option that leaves out all exercises but 01.2."""
    return {"spared": {each.id: "left out" for each in reference.exercises() if each.id != "01.2"}}


@pytest.mark.every_sandbox
@pytest.mark.parametrize("attack", [*PLAINLY, "sys.displayhook(5)\nraise KeyboardInterrupt", "os.kill(1, 9)"])
def test_nothing_that_a_wrong_submission_does_earns_a_point(confined, module, submission, attack):
    found = judge.judge(module, submission("open", at_import(attack)), timeout=4, **confined)
    assert found.reason is None and found.points == 0


@pytest.mark.every_sandbox
@pytest.mark.parametrize("attack", KNOWING.values(), ids=KNOWING)
def test_nothing_that_a_submission_says_instead_of_its_worker_earns_a_point(
    confined, module, submission, reference, known, attack
):
    path = submission("open", at_import(attack.replace("{known}", known)))
    found = judge.judge(module, path, timeout=4, **confined, **only_mul(reference))
    assert found.points == 0 and not found.notes, "its code is run as it is"


@pytest.mark.slow
@pytest.mark.parametrize("attack", KNOWING.values(), ids=KNOWING)
def test_with_seeds_that_everybody_knows_the_same_attacks_earn_the_points(confined, module, submission, reference, known, attack):
    """The defence off: the inputs are those of the check cells, in place of inputs drawn at marking time."""
    path = submission("open", at_import(attack.replace("{known}", known)))
    found = judge.judge(module, path, timeout=4, **{**confined, **only_mul(reference), "seeds": checking.SEEDS})
    assert [mark.exercise.id for mark in found.passed] == ["01.2"]


PLAIN = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from tinytorch import tensor
a, b = 2 * np.ones((2, 3)), 3 * np.ones(3)
got = tensor.mul.forward(a, b)
assert np.all(got == a * b) or np.allclose(got, a * b)
"""


def marked_plainly(module, reference, path):
    """Mark mul as plain nbgrader does: compare beside the submission, and count what said nothing of an error as right."""
    label = f"{module.folder}/tensor.ipynb"
    text = salvage.salvage(source.read(path), reference, label).text
    with trial.package(workspace.Workspace(workspace.course_dir()), module, text) as parent:
        words = [sys.executable, "-c", PLAIN, str(parent)]
        done = subprocess.run(words, stderr=subprocess.PIPE, start_new_session=True, timeout=60, check=False)
    return not done.stderr


@pytest.mark.slow
def test_marked_beside_the_submission_a_wrong_one_fails(module, reference, submission):
    assert marked_plainly(module, reference, submission()) and not marked_plainly(module, reference, submission(change=added))


@pytest.mark.slow
@pytest.mark.parametrize("attack", PLAINLY)
def test_marked_beside_the_submission_the_same_attacks_earn_the_points(module, reference, submission, attack):
    """The defences off: another process compares, and what proves nothing earns nothing."""
    assert marked_plainly(module, reference, submission(change=added, code=at_import(attack)))


def added(text):
    """Make mul wrong."""
    return text.replace("return a * b", "return a + b")


def test_nbgrader_takes_a_value_displayed_before_an_error_for_points(nbgrader):
    """The counterpart of `sys.displayhook(5)`, which reaches no gradebook here: nbgrader's own rule."""
    import nbformat
    from nbgrader.utils import determine_grade

    about = assignment.record("check-01-2", grade=True, locked=True, points=5, cell_type="code")
    shown = nbformat.v4.new_output("execute_result", {"text/plain": "5"})
    error = nbformat.v4.new_output("error", ename="KeyboardInterrupt", evalue="", traceback=[])
    cell = nbformat.v4.new_code_cell("check()", outputs=[shown, error], metadata={"nbgrader": about})
    assert determine_grade(cell)[0] == 5


# What must cost no more than the exercise that does it.

LOOP = "while True:\n    pass"
ONCE = "if hasattr(sys, 'done'):\n    return\nsys.done = True\n"  # an exercise has many calls
FORKS = """
if hasattr(sys, "done"):
    return
sys.done = True
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


HARM = {  # what it does, and the exercises that it costs; None: no more than its own
    "exit": ("os._exit(0)", {"01.9"}),
    "sys.exit": ("sys.exit(1)", {"01.9"}),
    "crash": ("os.kill(os.getpid(), 11)", {"01.9"}),
    "kill everything": ("os.kill(-1, 9)", {"01.9"}),
    "loop": (LOOP, {"01.9"}),
    "close all": ("os.closerange(0, 256)", None),
    "3 GB": (ONCE + "bytearray(3 * 2**30)", {"01.9"}),
    "50 forks": (FORKS, set()),
    "print 100 MB": ("for _ in range(100): print('x' * 2**20)", set()),
    "stderr 100 MB": ("for _ in range(100): os.write(2, b'x' * 2**20)", None),
    "write 100 MB": (ONCE + "with open('/tmp/big', 'wb') as file:\n    for _ in range(100): file.write(bytes(2**20))", {"01.9"}),
    "kill the parent": (ONCE + "os.kill(os.getppid(), 9)", None),
    "stop": ("os.kill(os.getpid(), 19)", {"01.9"}),
    "stop everything": ("os.kill(-1, 19)", {"01.9"}),
    "answer 100 MB": (
        "with open(sys.argv[1] + '/answers', 'ab') as file:\n    for _ in range(100): file.write(bytes(2**20))",
        {"01.9"},
    ),
}


@pytest.mark.every_sandbox
@pytest.mark.parametrize("attack, costs", HARM.values(), ids=HARM)
def test_harm_is_confined_to_the_exercise_that_does_it(box, confined, module, submission, attack, costs, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    started = time.monotonic()
    found = judge.judge(module, submission(code=around("cat", attack)), timeout=4, **confined)
    assert (lost(found) == costs) if costs is not None else (lost(found) <= {"01.9"}), lost(found)
    assert time.monotonic() - started < 30
    assert not survivors(str(tmp_path).encode()) and not containers(box)


@pytest.mark.every_sandbox
@pytest.mark.parametrize("attack", ["os.truncate(file, 0)", "os.truncate(file, 15 * 2**20)", "os.chmod(file, 0)", "fcntl.fcntl(os.open(file, os.O_RDWR), 1024, 1)"])  # fmt: skip
def test_what_a_submission_does_to_its_answers_costs_nobody_else(confined, module, submission, attack):
    """It loses its own exercises at most: those whose answers are not read yet."""
    attack = f"import fcntl\nfile = sys.argv[1] + '/answers'\ntry:\n    {attack}\nexcept OSError:\n    pass"
    started = time.monotonic()
    found = judge.judge(module, submission(code=around("cat", attack)), timeout=4, **confined)
    assert found.reason is None and time.monotonic() - started < 30
    assert judge.judge(module, submission(), timeout=4, **confined).points == found.maximum


def harmed(name, module, submission, confined, limits=None, **options):
    """Mark a right submission that does some harm, within other limits."""
    options = {**confined, **(sandbox.options("bubblewrap", limits) if limits else {}), **options}
    return judge.judge(module, submission(code=around("cat", HARM[name][0])), **{"timeout": 4, **options})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["exit", "sys.exit", "crash", "loop", "close all", "stop"])
def test_without_a_new_worker_the_rest_is_lost_too(confined, module, submission, monkeypatch, tmp_path, name):
    """The defence off: when a worker ends, no other one takes over what it has not answered yet."""
    attempt = runner.attempt

    def once(job, waiting):
        seen = attempt(job, waiting)
        last = list(seen.values())[-1]
        for exercise in waiting[len(seen) :]:
            job.hear(exercise, last)
        return {**dict.fromkeys([exercise.id for exercise in waiting], last), **seen}

    monkeypatch.setattr(runner, "attempt", once)
    if name == "sys.exit":
        worker_with(monkeypatch, tmp_path, "except BaseException", "except Exception")
    assert lost(harmed(name, module, submission, confined)) == {"01.9", "01.10"}


def worker_with(monkeypatch, folder, old, new):
    """Change the program that runs learner code."""
    text = Path(learner_process.__file__).read_text(encoding="utf-8")
    assert old in text
    (folder / "learner_process.py").write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setattr(learner_process, "__file__", str(folder / "learner_process.py"))


@pytest.mark.slow
def test_with_more_memory_and_larger_files_the_same_harm_is_done(confined, module, submission):
    assert not lost(harmed("3 GB", module, submission, confined, sandbox.Limits(memory=8 * 2**30), timeout=60))
    large = sandbox.Limits(file_size=2**30, scratch=2**30)
    assert not lost(harmed("write 100 MB", module, submission, confined, large, timeout=60))


@pytest.mark.slow
@pytest.mark.parametrize("name, file", [("stderr 100 MB", "stderr.txt"), ("answer 100 MB", "answers")])
def test_with_larger_files_this_machines_disk_fills(confined, module, submission, monkeypatch, name, file):
    sizes, follow = [], runner.follow

    def measured(answers, job, process, waiting):
        seen = follow(answers, job, process, waiting)
        process.wait(timeout=10)
        sizes.append(answers.path.with_name(file).stat().st_size)
        return seen

    monkeypatch.setattr(runner, "follow", measured)
    harmed(name, module, submission, confined)
    assert max(sizes) <= sandbox.Limits().file_size
    harmed(name, module, submission, confined, sandbox.Limits(file_size=2**30))
    assert max(sizes) >= 100 * 2**20


@pytest.mark.slow
def test_if_all_that_is_printed_is_kept_it_costs_the_exercise(confined, module, submission, monkeypatch, tmp_path):
    worker_with(monkeypatch, tmp_path, "PRINTED = 20_000", "PRINTED = 10**12")
    assert lost(harmed("print 100 MB", module, submission, confined)) == {"01.9"}


@pytest.mark.slow
def test_without_the_sandbox_processes_survive(module, submission, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = around("cat", FORKS.replace("range(50)", "range(3)"))
    judge.judge(module, submission(code=code), checking.SEEDS, timeout=4)
    left = survivors(str(tmp_path).encode())
    for number in left:
        os.kill(int(number), 9)
    assert left


def survivors(folder):
    """Return the processes whose commands name a folder; a moment is given to those that are ending."""
    for _ in range(20):
        found = [path.parent.name for path in Path("/proc").glob("[0-9]*/cmdline") if folder in content(path)]
        if not found:
            return []
        time.sleep(0.05)
    return found


def containers(box):
    """Return the numbers of the containers that podman or docker still runs for tito; a moment is given to those that are ending."""
    for _ in range(50):
        words = [box, "ps", "--quiet", "--no-trunc", f"--filter=label={container.LABEL}"]
        running = subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout.split() if box != "bubblewrap" else []
        if not running:
            return []
        time.sleep(0.1)
    return running


def content(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


# What must not be seen. The submission looks, and tells what it found by raising it.

LOOK = """
if hasattr(sys, "done"):
    return
sys.done = True
import json
seen = []
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/usr/share", "/usr/lib")]
    seen += [os.path.join(folder, name) for name in files
             if name in ("checks.py", "curriculum.toml", "gradebook.db", "shadow", "tensor.ipynb", "judge.py", "checking.py")]
raise RuntimeError(json.dumps({"seen": sorted(set(seen)), "root": sorted(os.listdir("/")), "home": os.path.exists("/home") and os.listdir("/home"),
    "passwd": os.path.exists("/etc/passwd"), "uid": os.getuid(), "secret": os.environ.get("SECRET"), "processes": sum(map(str.isdecimal, os.listdir("/proc")))}))
"""
WRITE = """
if hasattr(sys, "done"):
    return
sys.done = True
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


def unshared(flag):
    child = os.fork()  # a process with threads cannot make a namespace of users
    if not child:
        os._exit(libc.unshare(flag) != 0)
    return -os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


said = {name: unshared(flag) for name, flag in flags.items()}
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


@pytest.mark.every_sandbox
def test_the_sandbox_shows_nothing_of_this_machine(box, confined, module, submission, monkeypatch):
    monkeypatch.setenv("SECRET", "of the host")
    found = json.loads(told(judge.judge(module, submission(code=around("cat", LOOK)), **confined)))
    assert not found["home"] and found["uid"] != 0
    assert found["secret"] is None and found["processes"] < 5
    if box == "bubblewrap":
        assert not found["seen"] and not found["passwd"]
        assert not {"work", "var", "opt", "srv", "mnt", "media", "run", "sys"} & set(found["root"])
    else:  # which shows the image's folders
        assert set(found["seen"]) <= {"/etc/shadow"} and not set(found["root"]) & {workspace.course_dir().parts[1]} - {
            "home",
            "opt",
        }


@pytest.mark.every_sandbox
def test_the_sandbox_lets_write_in_its_own_folders_alone(confined, module, submission):
    written = json.loads(told(judge.judge(module, submission(code=around("cat", WRITE)), **confined)))
    assert written == ["/tmp"]


@pytest.mark.every_sandbox
def test_the_sandbox_has_no_network(confined, module, submission):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        attack = CONNECT.format(port=server.getsockname()[1])
        assert told(judge.judge(module, submission(code=around("cat", attack)), **confined)) == "no network"
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.every_sandbox
def test_the_sandbox_gives_no_rights_to_win(confined, module, submission):
    found = json.loads(told(judge.judge(module, submission(code=around("cat", ESCAPE)), **confined)))
    assert set(found.values()) == {-1}, found


# The same with the defences off. A submission is run in a sandbox of which a part is changed.


def words(monkeypatch, *changes):
    """Change the words of the sandbox's command: pairs of old words and new ones."""
    real = bubblewrap.command_prefix

    def changed(limits):
        text = "\0".join(real(limits))
        for old, new in changes:
            old, new = "\0".join(old.split()), "\0".join(new.split())
            assert f"\0{old}\0" in text, old
            text = text.replace(f"\0{old}\0", f"\0{new}\0" if new else "\0")
        return text.split("\0")

    monkeypatch.setattr(bubblewrap, "command_prefix", changed)


@pytest.mark.slow
def test_a_sandbox_that_shows_more_is_looked_around_in(confined, module, submission, monkeypatch):
    monkeypatch.setenv("SECRET", "of the host")
    real = bubblewrap.read_only
    more = [(str(workspace.course_dir() / "modules"), "/course"), ("/etc/passwd", "/etc/passwd")]
    monkeypatch.setattr(bubblewrap, "read_only", lambda: [*real(), *more])
    words(monkeypatch, ("--clearenv", ""), ("--unshare-all", "--unshare-net"), ("--proc /proc", "--ro-bind /proc /proc"))
    options = {**sandbox.options("bubblewrap"), "environment": dict(os.environ)}
    found = json.loads(told(judge.judge(module, submission(code=around("cat", LOOK)), **{**confined, **options})))
    assert (
        "/course/01_tensor/checks.py" in found["seen"]
        and found["passwd"]
        and found["secret"] == "of the host"
        and found["processes"] > 4
    )


@pytest.mark.slow
def test_a_sandbox_that_is_not_read_only_is_written_to(confined, module, submission, monkeypatch):
    words(monkeypatch, ("--chdir /tmp --remount-ro /", "--chdir /tmp"))
    options = {**confined, **sandbox.options("bubblewrap")}
    assert "/" in json.loads(told(judge.judge(module, submission(code=around("cat", WRITE)), **options)))


@pytest.mark.slow
def test_a_sandbox_with_the_network_is_left(confined, module, submission, monkeypatch):
    words(monkeypatch, ("--unshare-all", "--unshare-all --share-net"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        code = around("cat", CONNECT.format(port=server.getsockname()[1]))
        assert not lost(judge.judge(module, submission(code=code), **{**confined, **sandbox.options("bubblewrap")}))
        assert server.accept()[0].recv(5) == b"hello"


@pytest.mark.slow
def test_a_sandbox_without_its_last_locks_gives_rights(confined, module, submission, monkeypatch):
    words(monkeypatch, ("--disable-userns", ""), ("--cap-drop ALL", "--cap-add ALL"))
    options = {**confined, **sandbox.options("bubblewrap")}
    found = json.loads(told(judge.judge(module, submission(code=around("cat", ESCAPE)), **options)))
    assert found["user"] == 0 and found["rights of self"] != -1


# What this machine keeps that no folder shows: keys, memory, sockets, open files.

KEYS = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
key = libc.syscall({keyctl}, 10, ctypes.c_long(-3), b"user", b"tito", 0)
text = ctypes.create_string_buffer(100)
if key > 0:
    libc.syscall({keyctl}, 11, ctypes.c_long(key), text, 100)
print("found", text.value.decode())
"""
OWNER = """
import ctypes, sys
from tito.grading import bubblewrap, sandbox
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
libc.syscall({keyctl}, 1, None)
if libc.syscall({add}, b"user", b"tito", b"ticket", 6, ctypes.c_int(-3)) < 0:
    sys.exit("no keys here")
print(sandbox.trial("{box}", {script!r})[1])
real = bubblewrap.command_prefix
bubblewrap.command_prefix = lambda limits: real(limits)[4:]
print(sandbox.trial("bubblewrap", {script!r})[1])
"""


@pytest.mark.every_sandbox
def test_the_keys_of_the_session_are_not_inside(box):
    """A keyring is inherited by every process. The counterpart, in bubblewrap: without the program that leaves it."""
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers of the system calls are those of x86_64")
    script = KEYS.format(keyctl=250)
    done = subprocess.run(
        [sys.executable, "-c", OWNER.format(keyctl=250, add=248, box=box, script=script)],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        pytest.skip("this system has no keys")
    assert done.stdout.split() == ["found", "found", "ticket"]


SHARED = """
import ctypes, socket
libc = ctypes.CDLL(None, use_errno=True)
seen = ["memory"] if libc.shmget({key}, 0, 0) >= 0 else []
try:
    socket.socket(socket.AF_UNIX).connect("\\0tito-{key}")
    seen.append("socket")
except OSError:
    pass
print(seen)
"""


def test_what_others_share_by_name_is_not_inside(box, monkeypatch):
    """Two submissions that are marked at the same time could pass on answers. The counterpart: with this machine's names."""
    import ctypes

    libc, key = ctypes.CDLL(None), 0x71700000 + os.getpid() % 100_000
    segment = libc.shmget(key, 4096, 0o1666)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"\0tito-{key}")
            server.listen()
            script = SHARED.format(key=key)
            assert sandbox.trial(box, script)[1].strip() == "[]"
            words(monkeypatch, ("--unshare-all", "--unshare-pid --unshare-uts"))
            assert sandbox.trial(box, script)[1].strip() == "['memory', 'socket']"
    finally:
        libc.shmctl(segment, 0, None)


OPEN = """
import os
found = []
for number in range(3, 100):
    try:
        found.append(os.pread(number, 100, 0))
    except OSError:
        pass
print(found)
"""


@pytest.mark.every_sandbox
def test_no_open_file_of_tito_is_open_inside(box, tmp_path, monkeypatch):
    """The counterpart, in bubblewrap, which passes on what it is given: a process that is started with the open files of tito."""
    (tmp_path / "gradebook.db").write_text("marks", encoding="utf-8")
    number = os.open(tmp_path / "gradebook.db", os.O_RDWR)
    os.set_inheritable(number, True)
    try:
        assert sandbox.trial(box, OPEN)[1].strip() == "[]"
        real = subprocess.Popen
        monkeypatch.setattr(sandbox.subprocess, "Popen", lambda *words, **options: real(*words, close_fds=False, **options))
        assert box != "bubblewrap" or "marks" in sandbox.trial(box, OPEN)[1]
    finally:
        os.close(number)


KILL = """
for name in os.listdir("/proc"):
    if name.isdecimal():
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if b"{victim}" in file.read():
                    os.kill(int(name), 9)
        except OSError:
            pass
"""


@pytest.mark.slow
def test_a_sandbox_with_this_machines_processes_kills_one(confined, module, submission, monkeypatch):
    """The counterpart of killing process 1, or all: these would end this machine, so a process of the same user is the victim."""
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] if os.geteuid() == 0 else []
    victim = f"600.{os.getpid()}"
    code = around("cat", KILL.replace("{victim}", victim))
    with subprocess.Popen([*as_nobody, "sleep", victim]) as bystander:
        try:
            judge.judge(module, submission(code=code), **confined)
            assert bystander.poll() is None
            pids = "--unshare-net --unshare-ipc --unshare-uts"
            words(monkeypatch, ("--unshare-all", pids), ("--proc /proc", "--ro-bind /proc /proc"))
            judge.judge(module, submission(code=code), **{**confined, **sandbox.options("bubblewrap")})
            assert bystander.wait(timeout=5) == -9
        finally:
            bystander.kill()


FILL = """
try:
    for number in range({count}):
        with open(f"/tmp/{{number}}", "wb") as file:
            file.write(bytes(2**20 * {size}))
except OSError as error:
    raise RuntimeError(str(error)) from error
"""


@pytest.mark.every_sandbox
@pytest.mark.parametrize("count, size, says", [(1, 17, "File too large"), (8, 10, "No space left on device")])
def test_files_have_a_limit(confined, module, submission, count, size, says):
    attack = ONCE + FILL.format(count=count, size=size)
    assert says in told(judge.judge(module, submission(code=around("cat", attack)), **confined))


@pytest.mark.slow
def test_without_limits_the_files_are_written_and_the_processes_started(confined, module, submission, monkeypatch):
    def harm(attack, **limits):
        options = {**confined, **sandbox.options("bubblewrap", sandbox.Limits(**limits)), "timeout": 60}
        return lost(judge.judge(module, submission(code=around("cat", attack)), **options))

    for count, size in ((1, 17), (8, 10)):
        assert not harm(ONCE + FILL.format(count=count, size=size), file_size=2**30, scratch=2**30)
    attack = FORKS.replace("break", "raise RuntimeError('no more than a few')").replace("range(50)", "range(45)")
    assert harm(attack) == {"01.9"} and not harm(attack, processes=400)
    if os.geteuid() == 0:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)  # bubblewrap is started as root, which the limit does not bind
        assert not harm(attack)


@pytest.mark.every_sandbox
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
    bubblewrap.hand_over(tmp_path)
    script = f"import os; print([os.listdir(folder) for folder in {[str(course), str(packages)]}])"

    def shown():
        words = [word.replace("{job}", str(tmp_path)) for word in bubblewrap.command_prefix(sandbox.Limits())]
        return subprocess.run(
            [*words, bubblewrap.python(), "-c", script], capture_output=True, encoding="utf-8", check=True
        ).stdout

    assert not shown().startswith("[[]")
    monkeypatch.setattr(workspace, "course_dir", lambda: course)
    assert shown() == "[[], []]\n"


def test_without_root_one_bubblewrap_does(confined, module, submission, monkeypatch):
    unlimited = "does not limit the processes of a submission here" if os.geteuid() == 0 else None
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    options = sandbox.options("bubblewrap")
    assert sum(word.endswith("bwrap") for word in options["command_prefix"]) == 1
    assert sandbox.problem("bubblewrap") == unlimited, "root in disguise has no limit on processes, and that is noticed"
    found = judge.judge(module, submission(), **{**confined, **options})
    assert found.points == found.maximum > 0
