"""What milestones say to those who run them: before, after, and when something is missing."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tito import machine, standing, workspace
from tito.commands.milestone.list import list_milestones

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_NUMBA = """
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = classmethod(lambda cls, name, *more: None if name.split(".")[0] == "numba" else find(name, *more))
"""
ENDING = """
import subprocess, sys
from tito.commands.milestone.run import ending
slow = "try: print('ready', flush=True); __import__('time').sleep(60)\\nexcept KeyboardInterrupt: __import__('time').sleep(1); print('saved', flush=True); raise SystemExit(7)"
sys.exit(ending(subprocess.Popen([sys.executable, "-c", slow])))
"""


@pytest.fixture
def digits(milestone):
    return lambda *arguments, **variables: milestone("mnist_mlp.py", "--data", "mnist-5k", *arguments, **variables)


def hear():
    """Let a process hear Ctrl-C even if this one, started in the background of a shell, does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def words(said):
    """Return what was said, with each line's end and indent one space."""
    return " ".join(said.split())


@pytest.mark.parametrize("script", ["mnist_mlp.py", "cifar10_mlp.py", "lenet5.py", "cifar10_cnn.py"])
def test_the_help_fits_and_explains_every_option(milestone, script):
    said, status, _ = milestone(script, "--help", COLUMNS="80")
    assert status == 0 and max(map(len, said.splitlines())) <= 80
    assert not re.search(r"^  --[\w-]+ \S+\n +\(", said, re.M), "help that is a default alone"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--epochs five", "argument --epochs: five is not a whole number above 0"),
        ("--seed -1", "argument --seed: -1 is not a whole number of at least 0"),
        ("--lr fast", "argument --lr: fast is not a finite number above 0"),
        (f"--data mnist-5k --checkpoint {__file__}/run", "Name another one: --checkpoint DIR"),
        ("--data-dir nowhere", "What to do name the folder that has the files"),
    ],
)
def test_what_cannot_be_is_said_before_the_training(milestone, arguments, said):
    found, status, metrics = milestone("mnist_mlp.py", *arguments.split(), COLUMNS="80")
    assert (status, metrics) == (2, None)
    assert said in words(found) and "epoch 1/" not in found and "Traceback" not in found
    assert all(len(line) <= 80 or "/" in line for line in found.splitlines()), "a path is never cut"


def test_a_folder_that_cannot_be_written_to_is_refused_before_a_trainers_first_step(milestone, cifar10):
    said, status, _ = milestone(
        "cifar10_mlp.py", "--data-dir", str(cifar10), "--recipe", "baseline", "--checkpoint", f"{__file__}/run"
    )
    assert status == 2 and "--checkpoint DIR" in words(said) and "Traceback" not in said


def test_a_loss_that_is_no_number_ends_the_run_with_advice(milestone, cifar10):
    said, status, metrics = milestone("cifar10_mlp.py", "--data-dir", str(cifar10), "--recipe", "baseline", "--lr", "1e30")
    assert (status, metrics) == (1, None)
    assert "lower the learning rate" in words(said) and "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--lr 1e38", "the loss is nan in epoch 1: lower the learning rate, --lr"),
        ("--hidden 99999999999", "not enough memory here: "),
    ],
)
def test_what_the_training_cannot_do_is_said_in_words(digits, arguments, said):
    found, status, metrics = digits("--epochs", "1", *arguments.split(), PYTHONWARNINGS="ignore")
    assert (status, metrics) == (1, None) and said in words(found) and "Traceback" not in found


@pytest.mark.slow
def test_a_name_that_the_output_cannot_show_ends_no_run(digits, tmp_path):
    there = ("--epochs", "1", "--batch-size", "5000", "--hidden", "1", "--checkpoint", str(tmp_path / "Übung"))
    said, status, _ = digits(*there, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert status == 0 and "?bung" in said and (tmp_path / "Übung" / "weights.safetensors").exists()


def test_going_on_from_nothing_and_from_the_end_are_told(digits, tmp_path):
    said, status, _ = digits("--epochs", "1", "--resume")
    assert status == 0 and f"there is no checkpoint in {tmp_path / 'run'}: this run starts with the first epoch" in said
    said, status, metrics = digits("--epochs", "1", "--resume")
    assert status == 0 and "no checkpoint" not in said and "epoch 1/1" not in said
    assert "not timed in this process (63 steps in all)" in said and metrics["steps"] == 63


def test_the_next_command_is_one_that_can_be_typed(digits, milestone, cifar10, tmp_path):
    for arguments, more in (((), " --data mnist"), (("--compare",), "")):
        assert digits("--epochs", "1", *arguments)[0].endswith(f"\nNext: tito milestone run mnist-mlp{more}\n"), (
            "5,000 are not graded"
        )
    said = milestone("lenet5.py", "--data", "cifar10", "--data-dir", str(cifar10), "--epochs", "1", "--examples", "100")[0]
    assert said.endswith(f"\nNext: tito milestone grade lenet5 --run {tmp_path / 'run'} --data-dir {cifar10}\n")


def test_without_numba_the_kernels_are_numpys_and_said_to_be(digits, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_NUMBA, encoding="utf-8")
    said, status, metrics = digits("--epochs", "1", "--kernels", "numba", PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert status == 0 and "tinytorch-course[kernels]" in said
    assert metrics["kernels"] == "numpy" and re.search(r"kernels +numpy, no fallbacks", said)


def test_the_peak_of_memory_is_the_runs_own(digits):
    held = np.ones(100_000_000)
    assert digits("--epochs", "1")[2]["peak_memory_mb"] < 500 < held.nbytes / 1e6, "Linux counts the parent's memory in ru_maxrss"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGINT for one process group")
@pytest.mark.parametrize("script", ["mnist_mlp.py", "cifar10_mlp.py"])
def test_ctrl_c_says_how_to_go_on(command, environment, cifar10, tmp_path, script):
    chosen = ["--data", "mnist-5k"] if script == "mnist_mlp.py" else ["--data-dir", str(cifar10), "--recipe", "baseline"]
    with subprocess.Popen(
        command(script, "--epochs", "5000", *chosen),
        cwd=tmp_path,
        env=environment,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=hear,
    ) as process:
        assert next(line for line in process.stdout if not line.startswith("reading ")).startswith("epoch 1/")
        process.send_signal(signal.SIGINT)
        said = process.stdout.read()
    assert process.returncode == 130
    assert said.splitlines()[-1].startswith("stopped: --resume") and "Traceback" not in said


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGINT for one process group")
def test_ctrl_c_leaves_the_script_the_time_to_save():
    with subprocess.Popen(
        [sys.executable, "-c", ENDING],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
        preexec_fn=hear,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGINT)  # an impatient second one, for tito alone
        assert process.stdout.read() == "saved\n"
    assert process.returncode == 7


@pytest.mark.parametrize("verb", ["run", "grade"])
def test_a_bare_command_shows_its_help(verb):
    done = subprocess.run([sys.executable, "-m", "tito", "milestone", verb], cwd=ROOT, encoding="utf-8", capture_output=True)
    assert done.returncode == 2
    assert "tito milestone list" in done.stderr and "Usage" in done.stderr


def test_the_list_tells_what_is_trained_and_what_comes_next(tmp_path, monkeypatch, capsys):
    for path in ("modules/curriculum.toml", "milestones/mnist_mlp.py", "milestones/cifar10_mlp.py"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    kept = tmp_path / "runs" / "mnist-mlp" / "weights.safetensors"
    kept.parent.mkdir(parents=True)
    kept.touch()
    space = workspace.Workspace(tmp_path)
    monkeypatch.setattr(workspace, "find", lambda: space)
    monkeypatch.setattr(
        standing,
        "standings",
        lambda _: [
            SimpleNamespace(module=one, usable=one.number != "12", state="absent" if one.number == "12" else "done", passed=())
            for one in space.curriculum.modules
        ],
    )
    list_milestones()
    *lines, _, following = capsys.readouterr().out.splitlines()
    assert [(name.split()[1], words.strip()) for name, words in zip(lines[::2], lines[1::2])] == [
        ("mnist-mlp", "trained, not graded yet: tito milestone grade mnist-mlp"),
        ("cifar10-mlp", "ready to run"),
        ("lenet5", "needs 12"),
        ("cifar10-cnn", "needs 12"),
    ]
    assert following == "Next: tito milestone run cifar10-mlp"


def test_who_has_written_nothing_is_sent_to_the_first_module(tmp_path):
    tito = [sys.executable, "-m", "tito"]
    here = {**{name: text for name, text in os.environ.items() if name != "TINYTORCH_WORKSPACE"}, "PYTHONPATH": str(ROOT)}
    subprocess.run([*tito, "init", "space"], cwd=tmp_path, env=here, check=True, capture_output=True)
    done = subprocess.run(
        [*tito, "milestone", "run", "cifar10-mlp"], cwd=tmp_path / "space", env=here, encoding="utf-8", capture_output=True
    )
    assert done.returncode == 2 and "Next: tito module start 01" in words(done.stdout)


@pytest.mark.parametrize("script", ["mnist_mlp.py", "cifar10_mlp.py", "lenet5.py", "cifar10_cnn.py"])
def test_ctrl_c_during_the_imports_takes_one_line(milestone, tmp_path, script):
    (tmp_path / "numpy.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    said, status, _ = milestone(script, PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert (said, status) == ("stopped\n", 130)


def test_an_import_that_fails_for_another_reason_shows_where(milestone, tmp_path):
    (tmp_path / "numpy.py").write_text("raise ImportError('no numpy')", encoding="utf-8")
    said, status, _ = milestone("lenet5.py", PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert status == 1 and "Traceback" in said and "no numpy" in said


@pytest.fixture
def before_autograd(package, tmp_path):
    """Return the variables of a process whose package ends with module 04."""
    folder = package("losses.py", "", "")
    for file in ("autograd", "optim", "data", "training", "profiler", "kernels_cpu", "kernels_cuda", "cnn"):
        (folder / "tinytorch" / f"{file}.py").unlink()
    return {"TINYTORCH_WORKSPACE": str(folder), "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), "COLUMNS": "80"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("mnist_mlp.py --compare", "argument --compare: module 05"),
        ("mnist_mlp.py --gradients autograd", "argument --gradients: module 05"),
        ("lenet5.py", "is built in module"),
    ],
)
def test_what_a_missing_module_keeps_from_running_is_refused_before_any_work(milestone, before_autograd, arguments, said):
    found, status, _ = milestone(*arguments.split(), **before_autograd)
    assert status == 2 and said in words(found) and "tito module start" in found
    assert "Traceback" not in found and "reading the images" not in found and "epoch" not in found.split("error:")[-1]


@pytest.mark.slow
def test_a_comparison_has_nothing_to_resume(digits):
    said, status, _ = digits("--compare", "--resume")
    assert status == 2 and "argument --resume: --compare keeps no weights" in words(said) and "epoch 1/" not in said


def test_more_threads_than_cores_are_not_taken_and_said_to_be(digits, tmp_path):
    said, status, metrics = digits("--epochs", "1", "--batch-size", "5000", "--hidden", "1", "--threads", "1000")
    assert str(tmp_path / "run" / "weights.safetensors") in said, "a path is not broken, so that it can be copied"
    assert status == 0 and f"1000 threads are more than the {machine.cores()} core" in said
    assert metrics["threads"] == machine.cores()


def test_two_runs_into_one_folder_are_refused(digits, command, environment, tmp_path):
    with subprocess.Popen(
        command("mnist_mlp.py", "--data", "mnist-5k", "--epochs", "5000"),
        cwd=tmp_path,
        env=environment,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as first:
        assert next(line for line in first.stdout if not line.startswith("reading ")).startswith("epoch 1/")
        said, status, _ = digits("--epochs", "1")
        first.kill()
        first.stdout.read()
    assert status == 2 and "another run is writing into" in words(said) and "--checkpoint DIR" in words(said)
    said, status, _ = digits("--epochs", "1")
    assert status == 0, "a killed run holds nobody up"
    assert not (tmp_path / "run" / ".running").exists()


def test_no_table_takes_the_place_of_a_notebook(milestone, tmp_path):
    (tmp_path / "mine.ipynb").write_text("{}", encoding="utf-8")
    said, status, _ = milestone("mnist_mlp.py", "--metrics-json", str(tmp_path / "mine.ipynb"))
    assert status == 2 and "name another one" in said and (tmp_path / "mine.ipynb").read_text(encoding="utf-8") == "{}"


@pytest.mark.parametrize("more", [("--gradients", "manual"), ("--compare",)])
def test_a_step_by_hand_is_not_recorded(milestone, more):
    said, status, _ = milestone("mnist_mlp.py", "--data", "mnist-5k", "--capture", *more)
    assert status == 2 and "argument --capture" in said and "Traceback" not in said
