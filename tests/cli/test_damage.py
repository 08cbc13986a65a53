"""The folder `.tito` may be lost or damaged in any way: what it held is rebuilt, and nobody sees a traceback."""

import contextlib
import errno
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tito import cli, files, hints, records, scaffold, standing
from tito.app import app
from tito.commands.overview import overview
from tito.files import copy_folder, why_not_written
from tito.notebooks import source
from tito.notebooks.export import export_text
from tito.workspace import Workspace, course_source


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def as_file(path):
    """Put a file where a folder was, or was to be."""
    if path.exists():
        remove(path)
    path.write_text("x", encoding="utf-8")


def as_folder(path):
    """Put a folder with a file in it where a file was, or was to be."""
    if path.exists():
        remove(path)
    path.mkdir()
    (path / "x").write_text("x", encoding="utf-8")


def holding(data):
    """Return a function that writes bytes to a file."""
    return lambda path: path.write_bytes(data)


DAMAGE = {
    "no folder": ("", remove),
    "a file for the folder": ("", as_file),
    "a folder for the results": ("progress.json", as_folder),
    "empty results": ("progress.json", holding(b"")),
    "null results": ("progress.json", holding(b"null")),
    "results cut off": ("progress.json", holding(b'{"01": {"passed": [')),
    "results not text": ("progress.json", holding(b"\xff\xfe\x00")),
    "results nested deeply": ("progress.json", holding(b"[" * 100_000)),
    "results of other types": ("progress.json", holding(b'{"01": {"passed": [null, 5], "notebook": []}, "02": null, "x": 1}')),
    "passed is a number": ("progress.json", holding(b'{"01": {"passed": 5}}')),
    "a folder for the hints": ("hints.json", as_folder),
    "null hints": ("hints.json", holding(b"null")),
    "hints of other types": ("hints.json", holding(b'{"01.1": "many", "01.2": -7}')),
    "a hint beyond the last": ("hints.json", holding(b'{"01.1": 1e99}')),
    "a file for the borrowed": ("borrowed", as_file),
    "a file for the backups": ("backups", as_file),
    "a folder for a milestone's evidence": ("milestones", as_file),
}


@pytest.fixture
def done(workspace, monkeypatch):
    """Return a workspace whose module 01 is done, as tito would have left it; commands run in it."""
    folder = workspace("solved")
    monkeypatch.chdir(folder)
    space = Workspace(folder)
    module = space.curriculum.module("01")
    notebook = space.notebook(module)
    text = export_text(source.read(notebook), source.read(course_source(module)), space.label(notebook))
    space.exported(module).write_text(text, encoding="utf-8")
    standing.record(space, module, ["01.1", "01.2"])
    hints.remember(space, "01.1", 1)
    return folder


@pytest.mark.parametrize("damage", DAMAGE)
def test_whatever_happens_to_it_is_rebuilt(done, damage, capsys):
    name, harm = DAMAGE[damage]
    (done / ".tito" / "borrowed").mkdir()
    harm(done / ".tito" / name if name else done / ".tito")
    overview()
    for words in (["module", "hint", "01.1"], ["module", "reset", "02", "--yes"], ["module", "complete", "02", "--borrow"]):
        ran = CliRunner().invoke(app, words)
        assert ran.exit_code == 0 and not ran.exception, f"{words}: {ran.exception}"
    capsys.readouterr()
    overview()
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert any({"01", "tensor", "done"} <= set(line) for line in said)
    assert any({"02", "activations", "borrowed"} <= set(line) for line in said)
    assert json.loads((done / ".tito" / "progress.json").read_text(encoding="utf-8"))["01"]
    assert (done / ".tito" / "borrowed" / "02_activations").is_file()
    assert list((done / ".tito" / "backups" / "modules" / "02_activations").glob("activations.*.ipynb"))


@pytest.mark.parametrize(
    ("words", "status", "answer"),
    [
        ([], 0, "01 tensor       done"),
        (["module", "hint", "01.1"], 0, "hint 2 of"),
        (["module", "test", "02"], 1, "not written yet"),
        (["module", "start", "02"], 0, "02 Activations"),
        (["milestone", "list"], 0, "needs 12"),
    ],
)
def test_a_record_that_cannot_be_written_hides_no_answer(done, monkeypatch, capsys, words, status, answer):
    def replace(source, target, real=os.replace):
        if ".tito" in Path(target).parts:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        real(source, target)

    (done / ".tito" / "progress.json").unlink()
    scaffold.write_notebook(Workspace(done), Workspace(done).curriculum.module("02"), "ipynb")  # unwritten
    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(sys, "argv", ["tito", *words])
    records.say_not_recorded.cache_clear()
    with pytest.raises(SystemExit) if words else contextlib.nullcontext() as ended:
        cli.main()
    said = capsys.readouterr().out
    assert (ended.value.code if words else 0) == status
    assert answer in said and "Next: " in said
    assert said.count("your progress is not recorded") == 1


def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path, monkeypatch):
    def refuse(path, *arguments):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(files, "_write_through", refuse)
    with pytest.raises(PermissionError) as raised:
        files.replace_atomically(tmp_path / "tensor.py", b"")
    assert raised.value.filename == str(tmp_path / "tensor.py")


def test_what_comes_from_a_read_only_folder_can_be_changed(tmp_path):
    source = tmp_path / "source"
    (source / "inner" / "left").mkdir(parents=True)
    (source / "inner" / "a.py").write_text("a", encoding="utf-8")
    (source / "inner" / "a.py").chmod(0o444)
    (source / "inner").chmod(0o555)
    copy_folder(source, tmp_path / "copy", shutil.ignore_patterns("left"))
    assert [path.name for path in (tmp_path / "copy" / "inner").iterdir()] == ["a.py"]
    assert (tmp_path / "copy" / "inner" / "a.py").stat().st_mode & 0o200 and (tmp_path / "copy" / "inner").stat().st_mode & 0o200


def test_a_file_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    mine, again = tmp_path / "Makefile", tmp_path / "again.json"
    mine.write_text("all:\n", encoding="utf-8")
    again.write_text("{}", encoding="utf-8")
    assert why_not_written(again, ".json") is None and why_not_written(tmp_path / "new" / "figures", ".json") is None
    for path in (tmp_path, __file__, f"{__file__}/x.json", mine, os.devnull):
        for words in (["bench", "import", "--json"], ["dev", "mutate", "--json"], ["grade", "export", "03", "--to"]):
            done = CliRunner().invoke(app, [*words, str(path)])
            assert done.exit_code == 2 and f"Invalid value for {words[-1]}" in done.stderr and not done.stdout


def test_what_was_in_the_way_is_kept(workspace, tito):
    folder = workspace("solved")
    as_file(folder / ".tito")
    assert tito("module", "hint", "01.1", cwd=folder).returncode == 0
    assert (folder / ".tito.damaged-1").read_text(encoding="utf-8") == "x"


def test_that_a_module_was_borrowed_is_known_without_the_folder(workspace, tito):
    folder = workspace()
    assert tito("module", "complete", "01", "--borrow", cwd=folder).returncode == 0
    remove(folder / ".tito")
    assert "borrowed" in tito(cwd=folder).stdout


def test_the_backups_are_named_only_where_there_are_some(workspace, tito):
    folder = workspace()
    notebook = folder / "modules" / "01_tensor" / "tensor.ipynb"
    whole = notebook.read_bytes()
    notebook.write_bytes(b"")
    said = " ".join(tito("module", "test", "01", cwd=folder).stdout.split())
    assert "is empty: `tito module reset 01` writes a new one" in said and ".tito/backups" not in said
    notebook.write_bytes(whole)
    assert tito("module", "reset", "01", "--yes", cwd=folder).returncode == 0
    notebook.write_bytes(b"")
    said = " ".join(tito("module", "test", "01", cwd=folder).stdout.split())
    assert "the last copy of it is .tito/backups/modules/01_tensor/tensor." in said


CUT = {
    "empty": lambda data: b"",
    "cut in half": lambda data: data[: len(data) // 2],
    "zeros after a power cut": lambda data: bytes(len(data)),
    "no notebook": lambda data: b"{}",
    "no cells": lambda data: b'{"nbformat": 4}',
    "gone": None,
}


@pytest.mark.parametrize("harm", CUT)
def test_a_lost_notebook_comes_back_with_the_command_that_is_named(workspace, monkeypatch, capsys, harm):
    """Jupyter keeps the copy here; what is damaged is kept as well, and is not taken for a copy to go back to."""
    monkeypatch.chdir(workspace())
    notebook = Path("modules", "01_tensor", "tensor.ipynb")
    whole = notebook.read_bytes()
    checkpoint = notebook.parent / ".ipynb_checkpoints" / "tensor-checkpoint.ipynb"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(whole)
    damaged = CUT[harm] and CUT[harm](whole)
    notebook.unlink() if damaged is None else notebook.write_bytes(damaged)

    def main(*words):
        monkeypatch.setattr(sys, "argv", ["tito", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, capsys.readouterr().out

    status, said = main("module", "test", "01")
    assert status and "the last copy of it is modules/01_tensor/.ipynb_checkpoints/" in " ".join(said.split())
    assert said.endswith("Next: tito module reset 01 --restore\n")
    assert main("module", "reset", "01", "--restore")[0] == 0 and notebook.read_bytes() == whole
    kept = [copy.read_bytes() for copy in Path(".tito").glob("backups/modules/01_tensor/*")]
    assert kept == ([] if damaged is None else [damaged])
    status, said = main("module", "reset", "01", "--restore")
    assert status == 2 and "there is no other copy of" in said and notebook.read_bytes() == whole


def test_a_backup_that_a_kill_left_half_made_goes(workspace, tito):
    import os

    folder = workspace()
    place = folder / ".tito" / "backups" / "modules" / "01_tensor"
    place.mkdir(parents=True)
    half = folder / ".tito" / ".progress.json.1.tmp"
    half.write_text("{", encoding="utf-8")
    os.utime(half, (0, 0))
    assert tito("module", "test", "01", cwd=folder).returncode == 1
    assert not half.exists()
