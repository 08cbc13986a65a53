"""The judge: what is right earns its points, what is wrong earns none, and what a submission does besides changes neither."""
import json
import socket
import tempfile
import time
from pathlib import Path

import pytest

from tito import assignment, judge, sandbox

BOTH = {"01.2", "01.10"}  # the exercises that a wrong mul costs: its own, and apply, which is tried with it


def added(text):
    """Make mul wrong."""
    return text.replace("return a * b", "return a + b")


def around(name, attack):
    """Return a cell that does something at each call of an exercise, and then what is right."""
    body = "\n".join(f"    {line}" for line in attack.strip().split("\n"))
    return (f"import os, sys\n_right = {name}.forward\n\n\ndef _attack():\n{body}\n\n\n"
            f"def _wrapped(*arrays, **options):\n    _attack()\n    return _right(*arrays, **options)\n\n\n"
            f"{name}.forward = _wrapped")


def at_import(attack):
    """Return a cell that does something when the module is imported."""
    body = "\n".join(f"    {line}" for line in attack.strip().split("\n"))
    return f"import os, sys\n\n\ndef _attack():\n{body}\n\n\n_done = _attack()"


def lost(found):
    return {mark.exercise.id for mark in found.marks if not mark.passed}


def said(found, exercise):
    """Return what an exercise raised, as its feedback shows it."""
    (mark,) = [mark for mark in found.marks if mark.exercise.id == exercise]
    return dict(mark.verdict.failure.rows)["raised"]


def test_right_wrong_and_unreadable_submissions_reach_the_gradebook(confined, classroom, module, submission, tito, reference):
    submission(path=classroom.path("submitted", module, "alice") / "tensor.ipynb")
    submission(change=added, path=classroom.path("submitted", module, "bob") / "tensor.ipynb")
    submission(path=classroom.path("submitted", module, "carol") / "tensor.ipynb").write_text("{", encoding="utf-8")
    classroom.path("submitted", module, "dave").mkdir(parents=True)
    done = tito("grade", "autograde", "01", "--course", classroom.folder, cwd=classroom.folder.parent)
    assert done.returncode == 0, done.stdout
    points = {one.id: one.points for one in reference.exercises()}
    expected = {"alice": points, "bob": {one: 0 if one in BOTH else worth for one, worth in points.items()},
                "carol": dict.fromkeys(points, 0), "dave": dict.fromkeys(points, 0)}
    assert stored(classroom, module) == {student: {assignment.grade_id(one): worth for one, worth in given.items()}
                                         for student, given in expected.items()}
    total = sum(points.values())
    assert [line.split()[4] for line in done.stdout.splitlines() if line[:5].strip() in expected] == [
        str(total), str(total - points["01.2"] - points["01.10"]), "0", "0"]
    read = {student: (classroom.path("feedback", module, student) / "feedback.txt").read_text(encoding="utf-8") for student in expected}
    assert "the arrays were added, not multiplied" in read["bob"] and "0 of 1  01.2 mul" in read["bob"]
    assert "is not readable JSON" in read["carol"] and "no file" in read["dave"]


def stored(classroom, module):
    """Return the points in the gradebook, by student and cell."""
    with classroom.opened() as gradebook:
        return {entry.student.id: {grade.name: grade.score for notebook in entry.notebooks for grade in notebook.grades}
                for entry in gradebook.assignment_submissions(module.folder)}


def test_marking_again_replaces_the_points_of_that_student_alone(confined, classroom, module, submission, grade):
    for student in ("alice", "bob"):
        submission("open", path=classroom.path("submitted", module, student) / "tensor.ipynb")
    assert grade("autograde", "1", "--course", classroom.folder).exit_code == 0
    for student in ("alice", "bob"):
        submission(path=classroom.path("submitted", module, student) / "tensor.ipynb")
    assert grade("autograde", "1", "--course", classroom.folder, "--student", "alice").exit_code == 0
    totals = {student: sum(cells.values()) for student, cells in stored(classroom, module).items()}
    assert totals == {"alice": sum(classroom.points(module).values()), "bob": 0}


def test_what_is_missing_is_named(classroom, module, submission, grade, tmp_path):
    done = grade("autograde", "01", "--course", classroom.folder)
    assert done.exit_code == 2 and "nothing was handed in" in done.output
    submission(path=classroom.path("submitted", module, "alice") / "tensor.ipynb")
    done = grade("autograde", "01", "--course", classroom.folder, "--student", "../submitted/alice")
    assert done.exit_code == 2 and "nothing was handed in" in done.output


def test_a_class_without_a_release_is_told_so(classroom, module, grade):
    with classroom.opened() as gradebook:
        gradebook.remove_assignment(module.folder)
    done = grade("autograde", "01", "--course", classroom.folder)
    assert done.exit_code == 2 and "Next: tito grade release 01" in done.output


def test_without_a_sandbox_it_takes_a_word(classroom, module, submission, grade, monkeypatch, tmp_path):
    submission(path=classroom.path("submitted", module, "alice") / "tensor.ipynb")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = grade("autograde", "01", "--course", classroom.folder)
    assert done.exit_code == 2 and "bwrap" in done.output and "--unsafe-no-sandbox" in done.output
    assert not stored(classroom, module)
    done = grade("autograde", "01", "--course", classroom.folder, "--unsafe-no-sandbox")
    assert done.exit_code == 0 and "can read and change whatever you can" in done.output
    assert sum(stored(classroom, module)["alice"].values()) == sum(classroom.points(module).values())


def test_one_submission_that_cannot_be_marked_does_not_hold_up_the_others(monkeypatch, capsys, tmp_path, module):
    from tito.commands.grade import autograde

    class Class:
        def path(self, step, module, student):
            return tmp_path / step / student

        def enter(self, module, student, points):
            entered.append(student)

    entered = []
    judged = judge.Judgement((), seeds=(0,), cells={})
    monkeypatch.setattr(judge, "judge", lambda module, path, timeout: judged if path else 1 / 0)
    assert [autograde.mark(Class(), module, name, path, 1.0, {}) for name, path in (("a", None), ("b", "path"))] == [False, True]
    assert entered == ["b"] and "a                         not marked: ZeroDivisionError" in capsys.readouterr().out


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


@pytest.mark.parametrize("attack", [
    COMPARISONS, FORGED, WORKER, "raise SystemExit", "raise SystemExit(0)", "os._exit(0)", "os.kill(0, 9)",
    "sys.displayhook(5)\nraise KeyboardInterrupt", "os.closerange(0, 256)", "import signal\nos.kill(1, signal.SIGKILL)",
    "sys.modules['tinytorch.tensor'] = type('Yes', (), {'__getattr__': lambda self, name: self, '__call__': lambda self, *a, **k: self})()"])
def test_nothing_that_a_wrong_submission_does_earns_a_point(confined, module, submission, attack):
    path = submission("open", at_import(attack))
    found = judge.judge(module, path, timeout=2, **confined)
    assert found.reason is None and found.points == 0


def test_answers_to_known_inputs_earn_nothing(confined, module, submission):
    """Inputs are drawn anew: a table of the answers for the seeds that everybody has is of no use."""
    draws = ("import numpy as np\n_known = [np.random.default_rng(seed).standard_normal((2, 3)).astype(np.float32)[0, 0] "
             "for seed in (0, 1)]\n_right = mul.forward\n\n\ndef _recited(a, b):\n"
             "    return _right(a, b) if np.shape(a) != (2, 3) or np.ravel(a)[0] in _known or np.size(b) == 1 else a\n\n\n"
             "mul.forward = _recited")
    found = judge.judge(module, submission(code=draws), **confined)
    assert lost(found) == BOTH


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


@pytest.mark.parametrize("attack, costs", [
    ("os._exit(0)", {"01.9"}), ("sys.exit(1)", {"01.9"}), ("os.kill(os.getpid(), 11)", {"01.9"}), ("os.kill(-1, 9)", {"01.9"}),
    (LOOP, {"01.9"}), ("os.closerange(0, 256)", None), ("bytearray(8 * 2**30)", {"01.9"}), (FORKS, set()),
    ("for _ in range(100): print('x' * 2**20)", set()), ("for _ in range(100): os.write(2, b'x' * 2**20)", None),
    ("with open('/tmp/big', 'wb') as file:\n    for _ in range(100): file.write(bytes(2**20))", {"01.9"})],
    ids=["exit", "sys.exit", "crash", "kill everything", "loop", "close all", "8 GB", "50 forks", "print 100 MB", "stderr 100 MB",
         "write 100 MB"])
def test_harm_is_confined_to_the_exercise_that_does_it(confined, module, submission, attack, costs, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    started = time.monotonic()
    found = judge.judge(module, submission(code=around("cat", attack)), timeout=2, **confined)
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
    assert written and all(folder.startswith("/tmp") for folder in written)


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


def test_the_limits_bind_root_too(confined, module, submission):
    attack = FORKS.replace("break", "raise RuntimeError('no more than a few')").replace("range(50)", "range(sandbox)")
    attack = attack.replace("sandbox", str(sandbox.Limits().processes + 5))
    assert told(judge.judge(module, submission(code=around("cat", attack)), **confined)) == "no more than a few"


# What cannot be read.

@pytest.mark.parametrize("text, says", [
    ("", "is empty"), ("{", "not readable JSON"), ("[]", "not a notebook"), ("[" * 100_000, "nested too deeply"), ("\xff", "not")])
def test_a_submission_that_is_no_notebook_earns_nothing_and_says_why(module, tmp_path, text, says):
    path = tmp_path / "tensor.ipynb"
    path.write_text(text, encoding="utf-8")
    found = judge.judge(module, path)
    assert found.points == 0 and says in found.reason and found.maximum > 0
    assert says in judge.feedback(found, module)


@pytest.mark.parametrize("code, says", [
    ("1 +", "is not Python"), ("print(1)", "would run whenever the package is imported"), ("_ = " + "(" * 5000 + ")" * 5000, "not Python"),
    ("_ = " + "-" * 100_000 + "1", ""), ("_ = " + "+".join("1" * 200_000), "")])
def test_code_that_cannot_be_exported_earns_nothing_and_says_why(module, submission, code, says):
    found = judge.judge(module, submission(code=code))
    assert found.points == 0 and found.reason and says in found.reason


def test_a_link_to_another_students_notebook_is_not_followed(module, submission, tmp_path):
    link = tmp_path / "mallory.ipynb"
    link.symlink_to(submission())
    assert "is a link" in judge.judge(module, link).reason


def test_a_notebook_of_many_megabytes_is_not_read(module, tmp_path):
    path = tmp_path / "tensor.ipynb"
    with path.open("wb") as file:
        file.truncate(judge.LARGEST + 1)
    assert "is larger than" in judge.judge(module, path).reason
