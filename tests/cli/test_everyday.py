"""What happens to everybody some day: odd names of folders, a full disk, a deleted folder, an output put in the wrong place."""

import errno
import os
import shlex
import shutil
import subprocess
import sys

import pytest

from tito import cli, console

POSIX = pytest.mark.skipif(os.name != "posix", reason="the shell's rules are others on Windows")


@POSIX
@pytest.mark.parametrize("name", ["plain", "a b", "a&b", "it's", "$HOME", 'say "x"', "ü#%é", "-dash"])
def test_the_next_command_can_be_typed_for_any_name_of_a_folder(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    console.next_step("tito", type(tmp_path)(name))
    command = " ".join(capsys.readouterr().out.split()).removeprefix("Next: ").removesuffix(", then tito")
    done = subprocess.run(["sh", "-c", f"{command} && pwd"], cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert done.stdout.strip().endswith(name), (command, shlex.split(command), done.stderr)


@POSIX
def test_a_folder_that_has_been_deleted_is_named_as_the_trouble(tmp_path):
    (tmp_path / "gone").mkdir()
    for words in ("", "doctor", "module start 1", "init new"):
        script = f"cd gone && mkdir -p ../gone && rmdir ../gone && {sys.executable} -m tito {words}"
        done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, encoding="utf-8")
        assert done.returncode == 2 and "has been deleted or moved" in done.stdout, done.stderr
        assert "Traceback" not in done.stderr
        (tmp_path / "gone").mkdir()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "there"),
        FileExistsError(errno.EEXIST, "File exists", "there"),
        IsADirectoryError(errno.EISDIR, "Is a directory", "there"),
        shutil.Error([("from", "to", "[Errno 28] No space left on device: there")]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_system_refuses_is_one_sentence(error, monkeypatch, capsys):
    def refuse():
        raise error

    monkeypatch.setattr(cli, "run", refuse)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().out
    assert ended.value.code == 2 and "there" in said and "run the command again" in said and len(said) < 200


def test_ctrl_c_ends_without_a_traceback(monkeypatch):
    def stop():
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run", stop)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130


@POSIX
@pytest.mark.parametrize("stream", ["<&-", ">&-", "2>&-", "> /dev/full"])
def test_streams_that_are_closed_or_full_end_no_command_with_a_traceback(stream, workspace):
    if "full" in stream and not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m tito module reset 2 {stream}"],
        cwd=workspace(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode and "Traceback" not in done.stderr + done.stdout


def test_no_record_takes_the_place_of_a_notebook(workspace, tito):
    space = workspace()
    notebook = space / "modules" / "02_activations" / "activations.ipynb"
    before = notebook.read_bytes()
    done = tito("bench", "import", "--steps", "1", "--json", notebook.relative_to(space), cwd=space)
    assert done.returncode == 2 and notebook.read_bytes() == before
    assert "name another one" in " ".join(done.stderr.split())


def test_an_exported_file_in_another_encoding_was_changed_like_any_other(workspace, tito):
    space = workspace("solved")
    assert tito("module", "complete", "01", cwd=space).returncode == 0
    (space / "tinytorch" / "tensor.py").write_bytes("# Übung".encode("utf-16"))
    for words in ((), ("doctor",), ("module", "test", "01.1")):
        done = tito(*words, cwd=space)
        assert "Traceback" not in done.stderr, done.stderr
    assert "changed since it was completed" in tito(cwd=space).stdout


def test_no_exercise_may_take_for_ever(workspace, tito):
    done = tito("module", "test", "01.1", "--timeout", "inf", cwd=workspace())
    assert done.returncode == 2 and "--timeout" in done.stderr
