"""tito under bad conditions: killed, without a terminal, with an ASCII terminal, on a system that is not POSIX."""

import errno
import os
import random
import signal
import subprocess
import sys
import time

import pytest

NOTEBOOK = "modules/01_tensor/tensor.ipynb"
PACKAGE = "tinytorch/tensor.py"

HIDE = """\
import os, sys
for name in ("resource", "fcntl", "pwd", "grp", "termios"):
    sys.modules[name] = None
for name in ("fork", "forkpty", "killpg", "setsid"):
    if hasattr(os, name):
        delattr(os, name)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_a_kill_at_any_moment_leaves_old_or_new_and_never_half(workspace, tito, replace):
    folder = workspace("solved")
    assert tito("module", "complete", "01", cwd=folder).returncode == 0
    versions = {(folder / PACKAGE).read_bytes()}
    replace(folder / NOTEBOOK, "return a * b", "return b * a")
    notebook = (folder / NOTEBOOK).read_bytes()
    chance = random.Random(0)
    for _ in range(25):
        process = subprocess.Popen(
            [sys.executable, "-m", "tito", "module", "complete", "01"],
            cwd=folder,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0.05, 0.9))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        text = (folder / PACKAGE).read_bytes()
        compile(text, PACKAGE, "exec")
        versions.add(text)
        assert (folder / NOTEBOOK).read_bytes() == notebook
        assert tito(cwd=folder).returncode == 0
    assert tito("module", "complete", "01", cwd=folder).returncode == 0
    versions.add((folder / PACKAGE).read_bytes())
    assert len(versions) == 2, "the old text and the new one, nothing between"


def test_the_map_starts_in_under_three_tenths_of_a_second(workspace, tito):
    folder = workspace("solved")
    tito(cwd=folder)
    code = (
        "import os, sys, time; sys.argv = ['tito']; from tito.cli import main; main(); "
        "print(time.process_time(), file=sys.stderr)"
    )
    seconds = [
        float(
            subprocess.run(
                [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, encoding="utf-8", check=True
            ).stderr
        )
        for _ in range(5)
    ]
    assert sorted(seconds)[2] < 0.3


def test_the_package_costs_little_beyond_numpy(workspace, tito):
    folder = workspace("solved")
    code = "import time, numpy; start = time.process_time(); import tinytorch; print(time.process_time() - start)"
    seconds = [
        float(
            subprocess.run(
                [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, encoding="utf-8", check=True
            ).stdout
        )
        for _ in range(5)
    ]
    assert sorted(seconds)[2] < 0.03


COMMANDS = [
    (),
    ("--help",),
    ("doctor",),
    ("module", "test", "01"),
    ("module", "start", "01"),
    ("module", "hint", "01.3"),
    ("milestone", "list"),
    ("module", "complete", "01"),
    ("module", "test", "9x"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_piped_output_is_ascii_in_80_columns_without_escapes(workspace, tito, words):
    done = tito(*words, cwd=workspace("open"))
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout
    unbreakable = 40  # a path cannot be wrapped, and must stay whole to be copied
    assert [line for line in done.stdout.splitlines() if len(line) > 80 and max(map(len, line.split())) < unbreakable] == []


@pytest.mark.parametrize("encoding", ["ascii", pytest.param("cp1252", marks=pytest.mark.slow)])
def test_a_terminal_without_unicode_is_no_obstacle(workspace, tito, encoding):
    folder = workspace("open")
    for words in COMMANDS:
        done = tito(*words, cwd=folder, env={"PYTHONIOENCODING": encoding})
        assert done.stdout
        assert "UnicodeEncodeError" not in done.stderr


@pytest.mark.parametrize("words", [(), ("module", "test", "01")])
def test_every_output_ends_with_the_next_command(workspace, tito, words):
    last = tito(*words, cwd=workspace("open")).stdout.rstrip().splitlines()[-1]
    assert last.startswith("Next: ")


def test_it_works_where_posix_is_missing(workspace, tito, tmp_path):
    """As on Windows: no resource, no fcntl, no fork; and every text file is opened with its encoding named."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(HIDE, encoding="utf-8")
    strict = ("-X", "warn_default_encoding", "-W", "error::EncodingWarning")
    folder = workspace("solved")
    for words in ((), ("module", "test", "01"), ("module", "complete", "01"), ("module", "reset", "01", "--yes"), ("doctor",)):
        done = tito(*words, cwd=folder, env={"PYTHONPATH": str(site)}, python=strict)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "EncodingWarning" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="pipes break differently elsewhere")
def test_a_reader_that_goes_away_is_no_error(workspace):
    folder = workspace("open")
    for words in ((), ("module", "test", "9x"), ("module", "start", "01")):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [sys.executable, "-m", "tito", *words],
            cwd=folder,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            check=False,
        )
        os.close(writer)
        assert done.stderr == ""


@pytest.mark.parametrize("code", ["ENOSPC", "EROFS", "EACCES"])
def test_what_the_system_refuses_is_one_sentence_and_not_a_traceback(workspace, tito, code, tmp_path):
    """A full disk, a file system that is read-only, somebody else's folder."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        f"""\
import errno, os
def replace(source, target, real=os.replace, **options):
    if str(target).endswith("tensor.py"):
        raise OSError(errno.{code}, os.strerror(errno.{code}), str(target))
    real(source, target, **options)
os.replace = replace
""",
        encoding="utf-8",
    )
    folder = workspace("solved")
    done = tito("module", "complete", "01", cwd=folder, env={"PYTHONPATH": str(site)})
    assert done.returncode == 2
    assert "Traceback" not in done.stdout + done.stderr
    assert os.strerror(getattr(errno, code)) in done.stdout and "tensor.py" in done.stdout
    assert not (folder / PACKAGE).exists()
