"""Learner code runs apart: whatever it does, each exercise gets its verdict, and nothing of it stays behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from tito.checks import checking, layout, learner_process, runner

Exercise = namedtuple("Exercise", "id name")
FIXTURES = Path(__file__).parent / "fixtures_checking"
CHECKS = FIXTURES / "checks.py"
NAMES = checking.load(CHECKS).module.NAMES


def exercises(*names):
    return [Exercise(f"01.{NAMES.index(name) + 1}" if name in NAMES else "01.90", name) for name in names]


def check(package_parent, *names, **limits):
    """Return the verdicts by name."""
    found = runner.check(package_parent, "tinytorch.tensor", CHECKS, exercises(*names), **limits)
    return {verdict.name: verdict for verdict in found}


def rows(verdict):
    return dict(verdict.failure.rows)


@pytest.fixture
def package(tmp_path):
    """Write a package whose tensor.py is the fixture's, with other text at its end."""

    def written(text):
        shutil.copytree(FIXTURES / "tinytorch", tmp_path / "tinytorch", ignore=shutil.ignore_patterns("__pycache__"))
        with (tmp_path / "tinytorch" / "tensor.py").open("a", encoding="utf-8") as file:
            file.write(f"\n\n# tensor.ipynb, cell 50\n{text}\n")
        return tmp_path

    return written


@pytest.fixture(scope="module")
def everything():
    """The verdicts on all exercises of the fixture package, run together."""
    return check(FIXTURES, *NAMES, "divide", timeout=2, memory=4 * runner.GIB)


@pytest.mark.parametrize(
    "name, status",
    {
        "right": "passed",
        "wrong": "failed",
        "stub": "unwritten",
        "needs_stub": "unwritten",
        "raises": "error",
        "hangs": "timeout",
        "exits": "error",
        "quits": "error",
        "returns_none": "failed",
        "returns_tensor": "failed",
        "changes": "failed",
        "float64": "failed",
        "prints": "passed",
        "recurses": "error",
        "last": "passed",
        "absent": "missing",
        "divide": "failed",
    }.items(),
)
def test_each_exercise_gets_its_own_verdict(everything, name, status):
    assert everything[name].status == status


@pytest.mark.parametrize(
    "name, label, words",
    [
        ("wrong", "differs", "10 of 10 values"),
        ("needs_stub", "", "needs 01.3 stub, which is not written yet"),
        ("raises", "at", "tensor.ipynb, cell 13 (def raises), line 4"),
        ("raises", "raised", "IndexError: tuple index out of range"),
        ("hangs", "got nothing", "it did not finish in 2 s: is there a loop that never ends?"),
        ("hangs", "called", "hangs(a, b)"),
        ("hangs", "at", "tensor.ipynb, cell 15 (def hangs), line 4"),
        ("exits", "got nothing", "it ended the process: exit status 3"),
        ("quits", "raised", "SystemExit: no more"),
        ("returns_none", "got", "None: is the `return` missing?"),
        ("returns_tensor", "got", "a Tensor, as an op gives it"),
        ("changes", "changed", "the input a: work on a copy"),
        ("float64", "got", "float64"),
        ("recurses", "raised", "RecursionError: maximum recursion depth exceeded"),
        ("recurses", "at", "tensor.ipynb, cell 31 (def recurses), line 4"),
        ("absent", "", "is not defined in tinytorch.tensor"),
        ("divide", "raised", "ValueError: cannot divide by 0"),
    ],
)
def test_and_says_why(everything, name, label, words):
    assert rows(everything[name])[label].startswith(words)


def test_prints_are_kept_apart_and_belong_to_their_exercise(everything):
    assert everything["prints"].printed == "here is (2, 3)\nhere is (4, 1, 2, 3)\n" * 4
    assert not everything["last"].printed


def test_the_misconception_is_named(everything):
    assert everything["wrong"].failure.looks_like == "a and b were multiplied entry by entry, not row by column"


@pytest.mark.skipif(
    learner_process.resource is None or sys.platform == "darwin", reason="this system cannot limit a process's memory"
)
def test_memory_is_limited(package):
    parent = package("@op\ndef hungry(a, b):\n    np.empty(3 * 2**27)\n    return a @ b")  # 3 GiB, never touched
    assert check(parent, "hungry", memory=8 * runner.GIB)["hungry"].status == "passed"
    assert rows(check(parent, "hungry", memory=2 * runner.GIB)["hungry"])["raised"].startswith("MemoryError")


@pytest.mark.bench
def test_ten_exercises_take_less_than_a_second_and_a_half():
    names = ["right", "wrong", "raises", "prints", "last", "returns_none", "returns_tensor", "changes", "float64", "divide"]
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        check(FIXTURES, *names)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 1.5


def test_no_exercises_are_no_success():
    with pytest.raises(ValueError, match="nothing would be checked"):
        check(FIXTURES)


def test_grading_seeds_draw_other_cases():
    found = runner.check(FIXTURES, "tinytorch.tensor", CHECKS, exercises("right"), seeds=(11, 12, 13))
    assert (found[0].status, found[0].total) == ("passed", 12)


@pytest.mark.parametrize(
    "text, status, words",
    [
        ("while True: pass", "timeout", "importing tinytorch.tensor did not finish in 1 s: is there a loop"),
        ("os._exit(0)", "error", "importing tinytorch.tensor ended the process: exit status 0"),
        ("sys.exit()", "error", "importing tinytorch.tensor failed"),
        ("right +", "error", "importing tinytorch.tensor failed"),
        ("1 / 0", "error", "importing tinytorch.tensor failed"),
        ("stub.forward(1, 2)", "unwritten", "needs 01.3 stub"),
    ],
)
def test_a_module_that_cannot_be_imported(package, text, status, words):
    found = check(package(text), "right", "last", timeout=1)
    for verdict in found.values():
        assert verdict.status == status and verdict.failure.rows[0][1].startswith(words)
        assert status == "unwritten" or verdict.failure.shared


@pytest.mark.parametrize("text, raised", [("right +", "SyntaxError"), ("1 / 0", "ZeroDivisionError")])
def test_an_import_error_has_its_place(package, text, raised):
    found = rows(check(package(text), "right")["right"])
    assert found["raised"].startswith(raised) and found["at"] == f"tensor.ipynb, cell 50 ({text}), line 2"


def test_an_exception_in_an_earlier_module_names_the_line_that_led_there_too(package):
    parent = package("")
    (parent / "tinytorch" / "layers.py").write_text(
        "# Made by tito from modules/03_layers/layers.ipynb: edit that file, then run `tito module complete 03`.\n"
        "# layers.ipynb, cell 5\nfrom tinytorch.tensor import raises\n\ndef last(a, b):\n    return raises.forward(a, b)\n",
        encoding="utf-8",
    )
    (found,) = runner.check(parent, "tinytorch.layers", CHECKS, exercises("last"))
    assert rows(found)["at"] == (
        "tensor.ipynb, cell 13 (def raises), line 4, called from layers.ipynb, cell 5 (def last), line 5"
    )


FORGE = """
outbox = sys.modules["__main__"].Outbox
give = outbox.give
outbox.give = lambda self, name, data=None: os.write(self.file.fileno(), {line!r}) if name == {name!r} else give(self, name, data)
"""
PIPE = """
place = os.path.join(os.path.dirname(os.getcwd()), "answers")
os.mkfifo(place + ".pipe")
os.replace(place + ".pipe", place)  # at once: no moment without a file
"""


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        "null",
        '{"cases": 3}',
        '{"cases": [3]}',
        '{"cases": [{"value": {"list": 3}, "error": null}]}',
        '{"cases": [{"value": 1, "error": {"type": 1}, "changed": []}]}',
        '{"cases": [{"value": 1, "error": {"type": 1, "message": 2, "frames": [[1]]}, "changed": []}]}',
        '{"cases": []}',
        "[" * 10000,
    ],
    ids=lambda text: text[:30],
)
def test_a_forged_answer_that_is_no_answer_fails(package, text):
    parent = package(FORGE.format(name="result-01.16", line=f"result-01.16 {text}\n".encode()))
    found = check(parent, "right", "last")
    assert found["right"].status == "passed" and found["last"].status in ("error", "missing")


def test_forged_passes_gain_nothing_when_the_values_are_wrong(package):
    parent = package(
        "np.allclose = np.array_equal = np.isclose = lambda *a, **k: True\n"
        "@op\ndef last(a, b):\n    return a[..., :, :1] * b[..., :1, :]"
    )
    assert check(parent, "last")["last"].status == "failed"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_in_the_place_of_the_answers_holds_nobody_up(package):
    found = check(package(f"@op\ndef last(a, b):\n    exec({PIPE!r})"), "last")["last"]
    assert found.status == "error" and "not a regular file" in found.failure.rows[-1][1]


def test_an_answer_beyond_all_bounds_is_not_read(package):
    parent = package("@op\ndef last(a, b):\n    with open('../answers', 'ab') as file: file.write(bytes(2**25))\n    os._exit(0)")
    found = check(parent, "right", "last", "divide")
    assert found["last"].status == "error" and "larger than" in found["last"].failure.rows[-1][1]
    assert found["right"].status == "passed"


@pytest.mark.parametrize("change", ["truncate(0)", "write(b'\\n' * 1000)", "write(b'now x\\nnow\\n \\n\\xff\\n')"])
def test_whoever_spoils_the_answers_loses_them(package, change):
    parent = package(
        f"@op\ndef last(a, b):\n    with open(os.path.join('..', 'answers'), 'r+b') as file: file.{change}\n    os._exit(0)"
    )
    assert check(parent, "last", "right", timeout=1)["last"].status == "error"


def test_no_answer_lies_in_the_job_folder(package, tmp_path):
    loot = tmp_path / "loot"
    parent = package(f"import shutil\nshutil.copytree(os.path.dirname(os.getcwd()), {str(loot)!r})")
    assert check(parent, "right", "divide")["right"].status == "passed"
    found = {path.name: path.read_text(encoding="utf-8") for path in loot.iterdir() if path.is_file()}
    assert set(found) == {
        "job.json",
        "cases.json",
        "observers.py",
        "learner_process.py",
        "wire.py",
        "answers",
        "go",
        "stderr.txt",
    }
    assert "def observe_divide" in found["observers.py"] and "divide" in found["job.json"]
    for text in (found["observers.py"], found["cases.json"], found["job.json"]):
        assert not any(word in text for word in ("einsum", "oracle", "misconceptions", "rounded down"))


def test_observing_functions_keep_their_helpers_and_their_line_numbers():
    text = runner.observers_source(CHECKS.read_text(encoding="utf-8"))
    names = worker_names(text)
    assert {"np", "parts", "observe_divide"} <= set(names) and "draw" not in names
    assert (
        names["observe_divide"].__code__.co_firstlineno
        == CHECKS.read_text(encoding="utf-8").split("\n").index("def observe_divide(module, a, b):") + 1
    )
    assert text.count("\n") == CHECKS.read_text(encoding="utf-8").count("\n")


def test_observing_functions_keep_constants_decorators_and_classes():
    text = runner.observers_source(
        "import math\nLIMIT = 3\nother = 4\ndef twice(f): return f\nclass Helper:\n    size = LIMIT\n"
        "@twice\ndef observe_f(f): return Helper\nobserve_g = observe_f\ndef oracle_f(): return LIMIT\n"
    )
    assert set(worker_names(text)) == {"math", "LIMIT", "twice", "Helper", "observe_f", "observe_g"}


def worker_names(text):
    names = {}
    exec(text, names)
    del names["__builtins__"]
    return names


def test_another_tinytorch_on_the_path_is_not_taken(package, tmp_path, monkeypatch):
    decoy = tmp_path / "decoy"
    (decoy / "tinytorch").mkdir(parents=True)
    (decoy / "tinytorch" / "__init__.py").write_text("raise SystemExit('decoy')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(decoy))
    assert check(FIXTURES, "right")["right"].status == "passed"


def test_a_tinytorch_that_was_there_before_is_refused(tmp_path, monkeypatch):
    decoy = tmp_path / "decoy"
    (decoy / "tinytorch").mkdir(parents=True)
    (decoy / "tinytorch" / "__init__.py").write_text("", encoding="utf-8")
    (decoy / "sitecustomize.py").write_text("import tinytorch", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(decoy))
    found = check(FIXTURES, "right")["right"]
    assert found.status == "error" and "resolves elsewhere" in rows(found)["raised"]


def test_a_changed_sign_is_seen_though_size_and_time_of_the_file_are_the_same(package):
    parent = package("@op\ndef last(a, b):\n    return +(a @ b)")
    tensor = parent / "tinytorch" / "tensor.py"
    script = "import sys; sys.path.insert(0, sys.argv[1]); sys.dont_write_bytecode = False; import tinytorch.tensor"
    subprocess.run([sys.executable, "-P", "-c", script, str(parent)], check=True)
    assert list(parent.rglob("tensor.*.pyc"))
    assert check(parent, "last")["last"].status == "passed"
    stamp = tensor.stat()
    tensor.write_text(tensor.read_text(encoding="utf-8").replace("+(a @ b)", "-(a @ b)"), encoding="utf-8")
    os.utime(tensor, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert check(parent, "last")["last"].status == "failed"


def test_the_package_is_left_as_it_was(package):
    parent = package("with open('made_here.txt', 'w') as file: file.write('x')")
    before = sorted(parent.rglob("*"))
    check(parent, "right")
    assert sorted(parent.rglob("*")) == before


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="processes are found by another way here")
def test_what_learner_code_starts_ends_with_it(package, tmp_path):
    parent = package(
        "import subprocess\nchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))"
    )
    check(parent, "right")
    pid = int((tmp_path / "pid").read_text(encoding="utf-8"))
    for _ in range(100):
        if not alive(pid):
            return
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the child is still running")


def alive(pid):
    """Say whether a process runs; one that nobody has waited for yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


def test_a_loop_of_prints_fills_nothing(package):
    parent = package("@op\ndef last(a, b):\n    for _ in range(100_000): print('x' * 100)\n    return a @ b")
    found = check(parent, "last")["last"]
    assert found.status == "passed" and len(found.printed) == learner_process.PRINTED


def test_output_of_compiled_code_corrupts_nothing(package):
    parent = package("@op\ndef last(a, b):\n    os.write(1, b'{' * 1000)\n    os.write(2, b'x' * 1000)\n    return a @ b")
    assert check(parent, "last")["last"].status == "passed"


def test_reading_the_keyboard_does_not_wait(package):
    found = check(package("@op\ndef last(a, b):\n    return float(input())"), "last")["last"]
    assert rows(found)["raised"].startswith("EOFError")


@pytest.mark.skipif(os.name == "nt", reason="no signals of this kind here")
def test_a_crash_in_compiled_code_is_named(package):
    parent = package("import ctypes\n@op\ndef last(a, b):\n    ctypes.string_at(0)")
    found = check(parent, "last", "right")
    assert rows(found["last"])["got nothing"] == "it ended the process: SIGSEGV, a crash in compiled code"
    assert found["right"].status == "passed"


def test_threads_of_blas_are_one(package):
    parent = package("@op\ndef last(a, b):\n    return a @ b if os.environ['OPENBLAS_NUM_THREADS'] == '1' else None")
    assert check(parent, "last")["last"].status == "passed"


def test_an_exception_that_cannot_be_shown(package):
    parent = package("class Odd(Exception):\n    def __str__(self): raise self\n@op\ndef last(a, b):\n    raise Odd")
    assert rows(check(parent, "last")["last"])["raised"] == "Odd: (the exception's own message cannot be shown)"


def test_a_result_that_is_too_large_is_named(package):
    parent = package("@op\ndef last(a, b):\n    return np.zeros(2**26, np.int8)")
    assert "too large to compare" in rows(check(parent, "last")["last"])["got"]


def test_a_worker_that_does_not_start_is_our_error(tmp_path):
    with pytest.raises(runner.RunnerError, match="(?s)did not start: .*No module named 'numpy'"):
        check(FIXTURES, "right", command_prefix=(sys.executable, "-c", "raise ImportError(\"No module named 'numpy'\")"))


def test_words_before_the_command_name_the_job_folder(tmp_path):
    script = tmp_path / "prefix.py"
    script.write_text(
        "import pathlib, runpy, sys\nassert pathlib.Path(sys.argv[1], 'job.json').is_file()\n"
        "assert pathlib.Path(sys.argv[1], 'package', 'tinytorch', 'tensor.py').is_file()\n"
        "sys.argv = sys.argv[-2:]\nrunpy.run_path(sys.argv[0], run_name='__main__')",
        encoding="utf-8",
    )
    found = check(FIXTURES, "right", "raises", command_prefix=(sys.executable, str(script), "{job}"), copy_package=True)
    assert found["right"].status == "passed" and rows(found["raises"])["at"].startswith("tensor.ipynb, cell 13 ")


def test_a_job_folder_is_prepared_before_its_worker_starts():
    seen = []
    found = check(FIXTURES, "exits", "right", prepare=lambda folder: seen.append((folder / "job.json").is_file()))
    assert found["right"].status == "passed" and seen == [True, True]


BWRAP = [
    "--unshare-all",
    "--unshare-user",
    "--die-with-parent",
    "--clearenv",
    "--uid",
    "65534",
    "--gid",
    "65534",
    "--cap-drop",
    "ALL",
    "--ro-bind",
    "/usr",
    "/usr",
    "--symlink",
    "usr/lib",
    "/lib",
    "--symlink",
    "usr/lib64",
    "/lib64",
    "--symlink",
    "usr/bin",
    "/bin",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "--tmpfs",
    "/tmp",
]


def bwrap():
    """Return the words of a sandbox that shows Python and the job folder, None where there is no bubblewrap that runs."""
    home = sorted({str(Path(sys.base_prefix).resolve()), sys.prefix, str(Path(np.__file__).parents[1])})
    prefix = ["bwrap", *BWRAP, *(word for folder in home for word in ("--ro-bind", folder, folder))]
    try:
        works = subprocess.run([*prefix, sys.executable, "-c", "import numpy"], capture_output=True, check=False).returncode == 0
    except OSError:
        return None
    return [*prefix, "--bind", "{job}", "{job}"] if works else None


def test_in_a_sandbox_that_shows_only_the_job_folder():
    prefix = bwrap()
    if prefix is None:
        pytest.skip("no bubblewrap that can run here")
    found = check(FIXTURES, "right", "hangs", "exits", "last", command_prefix=prefix, copy_package=True, timeout=1)
    assert [verdict.status for verdict in found.values()] == ["passed", "timeout", "error", "passed"]


def test_without_resource_and_process_groups(monkeypatch):
    monkeypatch.setattr(learner_process, "resource", None)
    learner_process.limit_memory(2**30)
    monkeypatch.delattr(os, "killpg", raising=False)
    found = check(FIXTURES, "hangs", "last", timeout=1)
    assert [verdict.status for verdict in found.values()] == ["timeout", "passed"]


def test_a_limit_that_the_system_refuses_is_left_out(monkeypatch):
    class Refusing:
        RLIMIT_AS = 9

        @staticmethod
        def setrlimit(*limit):
            raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(learner_process, "resource", Refusing)
    learner_process.limit_memory(2**30)


def test_reports_of_a_run_fit_eighty_columns(everything):
    for verdict in everything.values():
        text = layout.text(verdict, "modules/01_tensor/tensor.ipynb, cell 23", ascii=True)
        assert max(map(len, text.split("\n"))) <= 80
