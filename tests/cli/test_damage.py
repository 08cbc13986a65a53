"""The folder `.tito` may be lost or damaged in any way: what it held is rebuilt, and nobody sees a traceback."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from tito import hints, standing
from tito.app import app
from tito.commands.overview import overview
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
