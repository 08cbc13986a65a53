"""What tito promises a learner: their own file is checked, nothing of theirs is overwritten, nothing passes unchecked."""

import errno
import json
import os
import re

import pytest
import typer
from typer.testing import CliRunner

from tito import diagnosis, nearest
from tito.app import app
from tito.workspace import Workspace

NOTEBOOK = "modules/01_tensor/tensor.ipynb"
PACKAGE = "tinytorch/tensor.py"


def test_an_open_notebook_is_not_written_yet_and_fails(workspace, tito):
    folder = workspace()
    done = tito("module", "test", "01", cwd=folder)
    assert done.returncode == 1
    assert "0 passed, 0 failed, 10 not written yet" in done.stdout
    assert "Next: write broadcast_shape" in done.stdout
    assert tito("module", "complete", "01", cwd=folder).returncode == 1
    assert not (folder / PACKAGE).exists()


def test_a_notebook_without_cells_fails_and_names_what_is_missing(workspace, tito, edit):
    folder = workspace("solved")
    edit(folder / NOTEBOOK, lambda text, cell: None)
    done = tito("module", "complete", "01", cwd=folder)
    assert done.returncode == 1
    assert "exercise 01.3 matmul is missing" in done.stdout
    assert not (folder / PACKAGE).exists()


@pytest.mark.parametrize("template, notebook", [("solved", NOTEBOOK), ("solved_py", "modules/01_tensor/tensor.py")])
def test_complete_leaves_a_right_notebook_as_it_is_byte_for_byte(workspace, tito, template, notebook):
    folder = workspace(template)
    before = (folder / notebook).read_bytes()
    done = tito("module", "complete", "01", cwd=folder)
    assert done.returncode == 0, done.stdout
    assert (folder / notebook).read_bytes() == before
    assert (folder / PACKAGE).read_text(encoding="utf-8").startswith(f"# Made by tito from {notebook}: edit that file")


def test_sabotage_is_named_leaves_the_export_and_does_not_touch_the_notebook(workspace, tito, replace):
    folder = workspace("solved")
    assert tito("module", "complete", "01", cwd=folder).returncode == 0
    exported = (folder / PACKAGE).read_bytes()
    replace(folder / NOTEBOOK, "return a * b", "return a + b")
    sabotaged = (folder / NOTEBOOK).read_bytes()
    for command in ("test", "complete"):
        done = tito("module", command, "01", cwd=folder)
        assert done.returncode == 1
        assert "01.2 mul" in done.stdout
        assert "looks like        the arrays were added, not multiplied" in done.stdout
        assert (folder / PACKAGE).read_bytes() == exported
        assert (folder / NOTEBOOK).read_bytes() == sabotaged


def test_a_renamed_exercise_is_recognised(workspace, tito, replace):
    folder = workspace("solved")
    replace(folder / NOTEBOOK, "def transpose(a, *", "def transposed(a, *")
    done = tito("module", "complete", "01", cwd=folder)
    assert done.returncode == 1
    assert "exercise 01.7 transpose is missing: no cell defines it; `transposed` looks like it" in " ".join(done.stdout.split())


def test_given_code_that_was_changed_is_named_and_allowed(workspace, tito, replace):
    folder = workspace("solved")
    assert "Given code that you changed" not in tito("module", "test", "01", cwd=folder).stdout
    replace(folder / NOTEBOOK, "def unwrap(x):", "def unwrap(x, unused=None):")
    replace(folder / NOTEBOOK, "Return what a kernel works on", "Say it in other words")
    done = tito("module", "complete", "01", cwd=folder)
    assert done.returncode == 0
    assert "Given code that you changed: unwrap.\n" in done.stdout


def test_a_notebook_whose_check_cells_are_gone_is_still_checked(workspace, tito, edit, replace):
    folder = workspace("solved")
    edit(folder / NOTEBOOK, lambda text, cell: None if text.startswith("check(") else text)
    replace(folder / NOTEBOOK, "a.swapaxes(dim0, dim1)", "a.T")
    done = tito("module", "test", "01", cwd=folder)
    assert done.returncode == 1
    assert "all axes were turned around" in done.stdout
    assert "9 passed, 1 failed" in done.stdout


def test_replacing_check_and_numpy_in_the_notebook_gains_nothing(workspace, tito, edit):
    folder = workspace("open")

    def cheat(text, cell):
        return "check = lambda *_: print('passed')\n" + text if text.startswith("from tito") else text

    edit(folder / NOTEBOOK, cheat)
    assert tito("module", "test", "01", cwd=folder).returncode == 1


def test_the_path_that_was_tested_and_when_it_was_saved_are_printed(workspace, tito):
    done = tito("module", "test", "01.2", cwd=workspace("solved"))
    assert done.returncode == 0
    assert done.stdout.startswith(f"{NOTEBOOK}, saved 20")
    assert "1 passed, 0 failed, 0 not written yet" in done.stdout


def test_two_notebooks_of_one_module_are_refused(workspace, tito):
    folder = workspace("solved")
    (folder / "modules/01_tensor/tensor.py").write_text("# %%\n", encoding="utf-8")
    done = tito("module", "test", "01", cwd=folder)
    assert done.returncode == 2
    assert "tensor.ipynb and modules/01_tensor/tensor.py" in done.stdout
    space = Workspace(folder)
    assert diagnosis.notebook(space, space.curriculum.module("01")).remedy == "move one of them out of modules/01_tensor"


def test_a_loop_that_never_ends_ends_with_a_message_and_the_rest_is_checked(workspace, tito, replace):
    folder = workspace("solved")
    replace(folder / NOTEBOOK, "return a * b", "while True: pass")
    done = tito("module", "test", "01", "--timeout", "1", cwd=folder)
    assert done.returncode == 1
    assert "did not finish in 1 s: is there a loop that never ends?" in done.stdout
    assert re.search(r"matmul +passed (\d+) of \1 cases", done.stdout)


def test_what_python_compiled_from_the_old_export_is_not_used(workspace, tito, replace):
    """`*` to `+` keeps the size, and may fall into the same second: the one thing by which Python knows a stale file."""
    import os
    import subprocess
    import sys

    folder = workspace("solved")
    code = [sys.executable, "-c", "from tinytorch.tensor import mul; print(mul.forward(3, 4))"]
    results = []
    for new in ("a * b", "b * a"):
        replace(folder / NOTEBOOK, "return a * b", f"return {new}")
        assert tito("module", "complete", "01", cwd=folder).returncode == 0
        os.utime(folder / PACKAGE, (1_700_000_000, 1_700_000_000))
        results.append(sorted(path.name for path in (folder / "tinytorch/__pycache__").glob("tensor.*.pyc")))
        assert subprocess.run(code, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=True).stdout == "12\n"
    assert results == [[], []]


def test_an_error_names_the_cell_and_the_line(workspace, tito, replace):
    folder = workspace("solved")
    replace(folder / NOTEBOOK, "return a * b", "return a * undefined")
    done = tito("module", "test", "01.2", cwd=folder)
    assert done.returncode == 1
    cells = json.loads((folder / NOTEBOOK).read_text(encoding="utf-8"))["cells"]
    index = next(i for i, cell in enumerate(cells, 1) if "undefined" in "".join(cell["source"]))
    line = next(i for i, text in enumerate("".join(cells[index - 1]["source"]).split("\n"), 1) if "undefined" in text)
    assert "NameError: name 'undefined' is not defined" in done.stdout
    assert f"tensor.ipynb, cell {index} (def mul), line {line}" in done.stdout


def test_an_exception_in_the_package_carries_a_note_with_cell_and_line(workspace, tito):
    import subprocess
    import sys

    folder = workspace("solved")
    assert tito("module", "complete", "01", cwd=folder).returncode == 0
    script = folder / "two_shapes.py"
    script.write_text("from tinytorch.tensor import Tensor\nTensor([[1.0]]) @ Tensor([[1.0], [2.0]])\n", encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, encoding="utf-8", check=False)
    cells = json.loads((folder / NOTEBOOK).read_text(encoding="utf-8"))["cells"]
    index = next(i for i, cell in enumerate(cells, 1) if 'raise ValueError(f"matmul' in "".join(cell["source"]))
    line = next(
        i for i, text in enumerate("".join(cells[index - 1]["source"]).split("\n"), 1) if 'raise ValueError(f"matmul' in text
    )
    assert done.stderr.rstrip().endswith(f"tensor.ipynb, cell {index} (def matmul), line {line}"), done.stderr


def test_borrowing_is_marked_and_never_counts_as_done(workspace, tito):
    folder = workspace("open")
    notebook = (folder / NOTEBOOK).read_bytes()
    assert tito("module", "complete", "01", "--borrow", cwd=folder).returncode == 0
    assert (folder / NOTEBOOK).read_bytes() == notebook
    assert (folder / PACKAGE).read_text(encoding="utf-8").startswith("# Borrowed by tito")
    assert "01 tensor       borrowed" in tito(cwd=folder).stdout
    (folder / ".tito" / "progress.json").unlink(missing_ok=True)
    assert "01 tensor       borrowed" in tito(cwd=folder).stdout


def test_borrowing_keeps_a_copy_of_what_was_exported(workspace, tito):
    folder = workspace("solved")
    assert tito("module", "complete", "01", cwd=folder).returncode == 0
    mine = (folder / PACKAGE).read_bytes()
    assert tito("module", "complete", "01", "--borrow", cwd=folder).returncode == 0
    assert [path.read_bytes() for path in (folder / ".tito/backups/tinytorch").iterdir()] == [mine]


def test_reset_keeps_a_dated_copy(workspace, tito):
    folder = workspace("solved")
    mine = (folder / NOTEBOOK).read_bytes()
    assert tito("module", "reset", "01", "--yes", cwd=folder).returncode == 0
    assert b"raise NotImplementedError" in (folder / NOTEBOOK).read_bytes()
    assert [path.read_bytes() for path in (folder / ".tito/backups/modules/01_tensor").iterdir()] == [mine]


def test_reset_asks_and_does_nothing_without_an_answer(workspace, tito):
    folder = workspace("solved")
    mine = (folder / NOTEBOOK).read_bytes()
    assert tito("module", "reset", "01", cwd=folder).returncode == 1
    assert (folder / NOTEBOOK).read_bytes() == mine


def test_hints_come_one_at_a_time_and_say_how_many_there_are(workspace, tito):
    folder = workspace()
    first, second = (tito("module", "hint", "01.1", cwd=folder).stdout for _ in range(2))
    assert first.startswith("01.1, hint 1 of 3") and second.startswith("01.1, hint 2 of 3")
    assert first != second
    assert tito("module", "hint", "01.1", "--again", cwd=folder).stdout == first
    assert "return a * b" in tito("module", "hint", "01.2", "--solution", cwd=folder).stdout


@pytest.mark.parametrize("state", ["", "{", "[]", '{"01": 3}', '{"01": {"passed": 5}}'])
def test_a_damaged_state_file_is_rebuilt(workspace, tito, state):
    folder = workspace("solved")
    assert tito("module", "complete", "01", cwd=folder).returncode == 0
    (folder / ".tito" / "progress.json").write_text(state, encoding="utf-8")
    shown = tito(cwd=folder)
    assert shown.returncode == 0
    assert "01 tensor       done" in shown.stdout


def test_an_edit_after_completion_is_seen(workspace, tito, replace):
    folder = workspace("solved")
    assert tito("module", "complete", "01", cwd=folder).returncode == 0
    replace(folder / NOTEBOOK, "return a * b", "return b * a")
    assert "changed since it was completed" in tito(cwd=folder).stdout
    assert tito("module", "test", "01", cwd=folder).returncode == 0
    assert "changed since it was completed" in tito(cwd=folder).stdout, "a test does not export"
    assert tito("module", "complete", "01", cwd=folder).returncode == 0
    assert "01 tensor       done" in tito(cwd=folder).stdout


def test_a_workspace_holds_no_answers_and_no_exported_file(workspace):
    folder = workspace()

    def text(folder):
        return "".join(path.read_text(encoding="utf-8") for path in (folder / "modules").rglob("*") if path.is_file())

    answer = "a.swapaxes(dim0, dim1)"
    assert answer in text(workspace("solved")) and answer not in text(folder)
    assert "SOLUTION" not in text(folder)
    assert not (folder / PACKAGE).exists()


def test_init_fills_the_folder_in_which_one_is(tmp_path, tito):
    """`mkdir mine; cd mine; tito init .`: the shell stays in it, so it has to be the same folder."""
    folder = tmp_path / "mine"
    folder.mkdir()
    inode = folder.stat().st_ino
    done = tito("init", ".", cwd=folder)
    assert done.returncode == 0 and folder.stat().st_ino == inode, done.stderr
    assert tito("module", "start", "01", cwd=folder).returncode == 0
    assert not [path for path in folder.iterdir() if path.name.startswith(".new-")]


def test_init_refuses_a_folder_that_holds_something(tmp_path, tito):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.txt").write_text("mine", encoding="utf-8")
    done = tito("init", "mine", cwd=tmp_path)
    assert done.returncode == 2
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["work.txt"]


def test_init_refuses_a_folder_inside_a_workspace(workspace, tito):
    folder = workspace()
    done = tito("init", "inner", cwd=folder)
    assert done.returncode == 2
    assert "would be inside the workspace" in " ".join(done.stderr.split())
    assert not (folder / "inner").exists()


def test_doctor_says_when_nothing_can_be_written(workspace, monkeypatch):
    from tito import diagnosis

    monkeypatch.chdir(workspace())
    assert all(found.fine for found in diagnosis.place())

    def refuse(dir):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(diagnosis.tempfile, "TemporaryFile", refuse)
    bad = [found.text for found in diagnosis.place() if not found.fine]
    assert len(bad) == 2 and all("Read-only file system" in text for text in bad)


def test_outside_a_workspace_every_command_says_what_to_do(tmp_path, tito):
    for words in ((), ("module", "test", "01"), ("milestone", "list")):
        done = tito(*words, cwd=tmp_path)
        assert done.returncode == 2
        assert "`tito init DIR`" in done.stdout
        assert done.stdout.rstrip().endswith("Next: tito init DIR")


@pytest.mark.parametrize(
    "words",
    [
        ("module", "test", "tensr"),
        ("milestone", "run", "mnist-mpl"),
        ("modul",),
        ("init",),
        ("module", "test", "01.77"),
        ("module", "hint", "01"),
        ("module", "test", "01", "--timeout", "-3"),
        ("module", "reset", "01", "--yes", "--format", "txt"),
    ],
)
def test_misuse_ends_with_2(workspace, tito, words):
    done = tito(*words, cwd=workspace())
    assert done.returncode == 2
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "words, command",
    [
        (("milestone", "run", "mnist-mlp"), "tito module start 01"),
        (("module", "test", "03.77"), "tito module start 03"),
        (("module", "hint", "3.77"), "tito module start 03"),
        (("module", "start", "12"), "tito module start 01"),
        (("module", "complete", "01"), "tito module test 01.1"),
        (("module", "test", "03"), "tito module start 01, or tito module complete 01 --borrow"),
        (("module", "complete", "02"), "tito module start 01, or tito module complete 01 --borrow"),
        ((), "tito module start 01"),
    ],
)
def test_the_next_command_is_the_one_that_helps(workspace, tito, words, command):
    assert tito(*words, cwd=workspace()).stdout.rstrip().endswith(f"Next: {command}")


def test_unknown_names_get_the_nearest(workspace, tito):
    said = tito("module", "test", "tensr.2", "--all", cwd=workspace()).stdout
    assert "did you mean tensor?" in said and said.endswith("Next: tito module test tensor.2 --all\n")


def test_an_exercise_where_a_module_is_needed_is_said_to_be_one(workspace, tito):
    done = tito("module", "complete", "1.3", "--borrow", cwd=workspace())
    assert done.returncode == 2 and "1.3 names an exercise of module 01 tensor" in " ".join(done.stdout.split())
    assert done.stdout.endswith("Next: tito module complete 01 --borrow\n")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("test 1", "module test 1"),
        ("check", "module test"),
        ("module check 3", "module test 3"),
        ("export 3", "module complete 3"),
        ("hint 1.2", "module hint 1.2"),
        ("modules", "module"),
        ("modul test 3", "module test 3"),
        ("module completed 3", "module complete 3"),
        ("module 3", "module test 3"),
        ("layers.2", "module test layers.2"),
        ("lenet5 --epochs 3", "milestone run lenet5 --epochs 3"),
        ("milestone lenet5", "milestone run lenet5"),
        ("grade lenet5", "milestone grade lenet5"),
        ("docter", "doctor"),
        ("status", ""),
        ("module help", "module --help"),
        ("model my.safetensors", "model show my.safetensors"),
    ],
)
def test_a_word_that_is_no_command_gets_the_command_line_that_was_meant(words, meant):
    done = CliRunner().invoke(app, words.split())
    assert done.exit_code == 2
    assert f"did you mean `{f'tito {meant}'.strip()}`" in done.stderr


def test_a_word_that_is_near_no_command_gets_the_list():
    for words, group in ((["xyzzy"], "tito"), (["dev", "xyzzy"], "tito dev")):
        said = CliRunner().invoke(app, words).stderr
        assert f"no command `{group} xyzzy`: `{group} --help` lists them" in said


def test_every_word_that_is_natural_leads_to_a_command():
    leaves = [" ".join(path) for path in nearest.commands(typer.main.get_command(app))]
    assert {meant for meant in nearest.MEANT.values() if meant} <= set(leaves)


def test_in_a_clone_nothing_is_reset_into_stubs(tito, pytestconfig):
    done = tito("module", "reset", "01", "--yes", cwd=pytestconfig.rootpath)
    assert done.returncode == 2
    assert "this is a clone of the course" in done.stdout


def test_a_given_file_is_kept_although_an_exported_one_has_its_name(workspace):
    folder = workspace()
    assert (folder / "tinytorch" / "utils" / "data.py").exists()
    assert not (folder / "tinytorch" / "data.py").exists()


def test_an_unexpected_error_is_shown_with_its_place_where_a_refusal_is_checked_too(workspace, tito, replace):
    folder = workspace("solved")
    replace(folder / NOTEBOOK, "return tuple(n if m == 1", "raise ValueError('a slip')\n    return tuple(n if m == 1")
    shown = tito("module", "test", "01.1", cwd=folder).stdout
    assert re.search(r"expected {10}\(\d+(, \d+)+\)", shown)
    assert "raised            ValueError: a slip" in shown
    assert "at                tensor.ipynb, cell " in shown


def test_what_an_exercise_prints_is_shown_when_it_alone_is_tested(workspace, tito, replace):
    folder = workspace("solved")
    replace(folder / NOTEBOOK, "return a * b", "print('shapes', np.shape(a))\n    return a + b")
    shown = tito("module", "test", "01.2", cwd=folder).stdout
    called = re.search(r"called +mul\.forward\(a, b\) +a (\(.*?\)) ", shown)[1]
    assert f"  it printed:\n  | shapes {called}\n" in shown
    assert "it printed" not in tito("module", "test", "01", cwd=folder).stdout


def test_a_lost_decorator_is_guessed(workspace, tito, replace):
    folder = workspace("solved")
    replace(folder / NOTEBOOK, "@op\ndef reshape", "def reshape")
    assert "perhaps           the line `@op` above a function is missing" in tito("module", "test", "01.6", cwd=folder).stdout


def test_a_cell_that_keeps_the_module_from_running_is_what_to_edit_next(workspace, tito, replace):
    folder = workspace("solved")
    replace(folder / NOTEBOOK, "import select_kernel", "import select_kernle")
    shown = tito("module", "test", "01", cwd=folder).stdout
    assert "fails when the module is imported: ImportError" in shown and "10 passed" in shown
    assert shown.rstrip().endswith("Next: fix that in the notebook and save it, then tito module test 01")
    assert "tito module hint" not in shown


def test_an_exercise_that_calls_what_is_not_written_yet_is_not_said_to_be_unwritten_itself(workspace, tito, replace):
    folder = workspace("open")
    replace(folder / NOTEBOOK, 'raise NotImplementedError("01.5 mean")', "return reduce_sum(a, axis=axis) / a.size")
    shown = tito("module", "test", "01.5", cwd=folder).stdout
    assert "needs 01.10 apply, which is not written yet" in shown
    assert "Next: write mean" not in shown


def test_a_notebook_that_is_gone_is_written_afresh_by_the_next_command(workspace, tito):
    folder = workspace("open")
    (folder / NOTEBOOK).unlink()
    shown = tito("module", "test", "01", cwd=folder).stdout
    assert shown.rstrip().endswith("Next: tito module start 01, which writes a new one")
    assert tito("module", "start", "01", cwd=folder).returncode == 0 and (folder / NOTEBOOK).is_file()


@pytest.mark.parametrize(
    "words",
    [
        ("start", "13"),
        ("test", "13"),
        ("test", "13", "--watch"),
        ("complete", "13"),
        ("complete", "13", "--borrow"),
        ("reset", "13", "--yes"),
        ("hint", "13.1"),
    ],
)
def test_every_command_says_that_a_module_is_not_in_this_release_yet(workspace, tito, words):
    folder = workspace("open")
    with (folder / "modules" / "curriculum.toml").open("a", encoding="utf-8") as manifest:
        manifest.write('\n[[module]]\nnumber = "13"\nname = "text"\ntitle = "Text"\nexports = "text.py"\nrequires = ["08"]\n')
    done = tito("module", *words, cwd=folder)
    assert done.returncode == 2
    assert "module 13 text is not in this release yet" in done.stdout


def test_a_folder_with_a_space_is_quoted(tmp_path, tito):
    quoted = "'my work'" if os.name == "posix" else '"my work"'
    assert f"Next: cd {quoted}, then" in tito("init", "my work", cwd=tmp_path).stdout
