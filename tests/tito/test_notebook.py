"""`check` in a notebook says what the terminal says, about what the kernel holds."""

import itertools
import json
import linecache
import os
import re
import shutil
import sys
import time
from collections import namedtuple
from pathlib import Path

import nbformat
import numpy as np
import pytest

from tito import workspace
from tito.checks import checking, layout, notebook, runner
from tito.checks.notebook import Checker, CheckFailed, View
from tito.curriculum import Curriculum

Exercise = namedtuple("Exercise", "id name")
FIXTURES = Path(__file__).parent / "fixtures_checking"
REPOSITORY = Path(__file__).parents[2]
MANIFEST = '[[module]]\nnumber = "01"\nname = "tensor"\ntitle = "Tensor"\nexports = "tensor.py"\nrequires = []\n'
HEADER = "# Made by tito from modules/01_x/{}.ipynb: edit that file, then run `tito module complete 01`."
SETUP = "#| export\nimport numpy as np\nfrom collections import namedtuple\nOp = namedtuple('Op', 'forward')"
RIGHT = "#| export\n@Op\ndef right(a, b):\n    return a @ b"
WRONG = "#| export\n@Op\ndef wrong(a, b):\n    return a[..., :, :1] * b[..., :1, :]"
RAISES = "#| export\n@Op\ndef raises(a, b):\n    # one comment\n    return a.shape[7]"
STUB = "#| export\n@Op\ndef stub(a, b):\n    raise NotImplementedError('01.3 stub')"
NEEDS = "#| export\n@Op\ndef needs_stub(a, b):\n    return stub.forward(a, b)"
DIVIDE = "#| export\ndef divide(a, b):\n    return a / b"


class Course:
    """A workspace with a saved notebook, and a kernel that has run some of its cells."""

    def __init__(self, root, cells):
        self.names, self.root = {"__name__": "__main__"}, root
        self.path = root / "modules" / "01_tensor" / "tensor.ipynb"
        self.path.parent.mkdir(parents=True)
        (root / "modules" / "curriculum.toml").write_text(MANIFEST, encoding="utf-8")
        self.save(cells)
        self.space = workspace.Workspace(root)
        for number, text in enumerate(cells):
            self.run(text, number)
        self.check = Checker(self.space, Curriculum.load(root / "modules" / "curriculum.toml").module("01"), self.names)

    def save(self, cells):
        cells = [{"cell_type": "code", "source": text, "metadata": {}, "outputs": [], "execution_count": None} for text in cells]
        text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
        self.path.write_text(text, encoding="utf-8")

    def run(self, text, number=99):
        """Run a cell as a kernel does: under a file name that stands in linecache only."""
        file = f"/tmp/ipykernel_1/{number}.py"
        linecache.cache[file] = (len(text), None, text.splitlines(True), file)
        exec(compile(text, file, "exec"), self.names)


@pytest.fixture
def course(tmp_path, monkeypatch):
    source = "".join(
        f'# %% exercise="01.{number}" minutes=5 points=1\ndef {name}(a, b):\n    pass\n\n'
        for number, name in enumerate("right wrong stub needs_stub raises divide absent".split(), 1)
    )
    (tmp_path / "source.py").write_text(source, encoding="utf-8")
    monkeypatch.setattr(workspace, "course_checks", lambda module: FIXTURES / "checks.py")
    monkeypatch.setattr(workspace, "course_source", lambda module: tmp_path / "source.py")
    homes = itertools.count()
    return lambda *cells: Course(tmp_path / str(next(homes)), [SETUP, *cells])


def failure(check, *exercise):
    with pytest.raises(CheckFailed) as error:
        check(*exercise)
    return error.value


def test_a_right_answer_prints_one_line(course, capsys):
    check = course(RIGHT).check
    for name in ("01.1", "right"):
        assert check(name) is None
        assert capsys.readouterr().out == "01.1 right  passed 8 of 8 cases\n"


def test_a_wrong_answer_shows_the_report_and_no_traceback(course, capsys):
    error = failure(course(RIGHT, WRONG).check, "01.2")
    lines = str(error).splitlines()
    assert error._render_traceback_() == ["not passed: the report is above"]
    assert lines[0] == "01.2 wrong  not passed: 0 of 8 cases pass"
    assert "  looks like        a and b were multiplied entry by entry, not row by column" in lines
    assert lines[-1] == "  Next: edit the cell, or `tito module hint 01.2`"
    assert not capsys.readouterr().out and "Traceback" not in str(error)


@pytest.mark.parametrize(
    "cell, name", [(WRONG, "wrong"), (RAISES, "raises"), (DIVIDE, "divide"), (STUB, "stub"), (NEEDS, "needs_stub")]
)
def test_the_terminal_says_the_same(course, capsys, cell, name):
    made = course(STUB, cell)
    (made.root / "tinytorch").mkdir()
    (made.root / "tinytorch" / "__init__.py").write_text("", encoding="utf-8")
    header = HEADER.format("tensor")
    parts = [text.replace("#| export", f"# tensor.ipynb, cell {number}") for number, text in enumerate((SETUP, STUB, cell), 1)]
    (made.root / "tinytorch" / "tensor.py").write_text("\n".join([header, *parts]) + "\n", encoding="utf-8")
    exercise = made.check.find(name)
    (verdict,) = runner.check(made.root, "tinytorch.tensor", FIXTURES / "checks.py", [exercise])
    terminal = layout.text(verdict, next_step=layout.IN_NOTEBOOK)
    try:
        made.check(name)
        notebook = capsys.readouterr().out.rstrip("\n")
    except CheckFailed as error:
        notebook = str(error)
    assert notebook == terminal


def test_a_stub_is_said_to_be_one_and_raises_nothing(course, capsys):
    check = course(STUB, NEEDS).check
    check("01.3")
    check("01.4")
    assert capsys.readouterr().out == ("01.3 stub  not written yet\n01.4 needs_stub  needs 01.3 stub, which is not written yet\n")


def test_an_exception_has_the_cell_and_the_line(course):
    assert "at                tensor.ipynb, cell 2 (def raises), line 5" in str(failure(course(RAISES).check, "01.5"))


def test_an_exception_in_a_cell_that_is_not_saved_says_so(course):
    made = course(RAISES)
    made.run(RAISES.replace("one comment", "another comment"))
    assert "at                the cell (def raises), which is not saved, line 5" in str(failure(made.check, "01.5"))


def test_an_exception_in_the_package_has_the_cell_it_came_from(course):
    made = course("")
    file = made.root / "tinytorch" / "layers.py"
    file.parent.mkdir()
    text = f"{HEADER.format('layers')}\n# layers.ipynb, cell 8\ndef helper(a):\n    return a.shape[7]\n"
    file.write_text(text, encoding="utf-8")
    package = {"__name__": "tinytorch.layers"}
    exec(compile(text, str(file), "exec"), package)
    made.names["helper"] = package["helper"]
    made.run("@Op\ndef raises(a, b):\n    return helper(a)")
    made.save([SETUP, "@Op\ndef raises(a, b):\n    return helper(a)"])
    text = " ".join(str(failure(made.check, "01.5")).split())
    assert "at layers.ipynb, cell 8 (def helper), line 3, called from tensor.ipynb, cell 2 (def raises), line 3" in text
    assert "perhaps layers.ipynb is at fault: `tito module test 01.5` finds out, with the course's own in its place" in text
    assert text.endswith("Next: `tito module test 01.5`")


def test_a_name_that_is_not_there(course):
    made = course(RIGHT)
    assert str(failure(made.check, "01.2")) == "01.2 wrong  is not defined: run the cell that defines it first"
    made.save([SETUP, RIGHT, WRONG])
    assert str(failure(made.check, "01.2")).endswith("defines it first, cell 3 (def wrong)")


def test_all_exercises_at_once(course, capsys):
    error = failure(course(RIGHT, WRONG, STUB, NEEDS, RAISES, DIVIDE).check)
    assert capsys.readouterr().out == (
        "01.1 right  passed 8 of 8 cases\n01.3 stub  not written yet\n"
        "01.4 needs_stub  needs 01.3 stub, which is not written yet\n"
    )
    starts = [line.partition("  ")[0] for line in str(error).split("\n") if line.startswith("01.")]
    assert starts == ["01.2 wrong", "01.5 raises", "01.6 divide", "01.7 absent"]


def test_a_module_without_exercises_is_no_success(course):
    made = course(RIGHT)
    made.check.exercises = ()
    assert "nothing was checked" in str(failure(made.check))


def test_an_unknown_exercise_is_answered_with_those_there_are(course):
    text = str(failure(course(RIGHT).check, "01.77"))
    assert (
        text.startswith("module 01 has no exercise '01.77': it has 01.1 right, 01.2 wrong")
        and max(map(len, text.split("\n"))) <= 80
    )


def test_a_loop_that_never_ends_is_interrupted_and_named(course, monkeypatch):
    monkeypatch.setattr(notebook, "LIMIT", 0.5)
    error = failure(course("#| export\n@Op\ndef right(a, b):\n    while True:\n        a = a + 0").check, "right")
    assert "it did not finish in 0.5 s: is there a loop that never ends?" in str(error)
    assert re.search(r"  at +tensor\.ipynb, cell 2 \(def right\), line [45]\n", str(error))


def test_the_observer_of_a_whole_module_sees_the_notebooks_names(course, capsys):
    made = course(DIVIDE.replace("    return", "    if b == 0: raise ValueError(f'{a} / 0')\n    return"))
    made.check("divide")
    assert capsys.readouterr().out == "01.6 divide  passed 4 of 4 cases\n"


def test_a_view_says_what_to_do_about_a_missing_name():
    assert View({"a": 1}).a == 1
    with pytest.raises(AttributeError, match="b is not defined: run the cell that defines it first"):
        View({"a": 1}).b


def test_the_inputs_of_a_case_can_be_tried_out(course):
    check = course(RIGHT).check
    drawn = checking.cases(check.checks.check("right"))
    for number, case in enumerate(drawn, 1):
        assert np.array_equal(check.inputs("01.1", number)["a"], case.inputs["a"])
    assert np.array_equal(check.inputs("right")["b"], drawn[0].inputs["b"])


def test_an_interrupt_stops_the_check_and_an_exit_does_not_stop_the_kernel(course):
    made = course("@Op\ndef wrong(a, b):\n    raise KeyboardInterrupt", "@Op\ndef right(a, b):\n    raise SystemExit(3)")
    with pytest.raises(KeyboardInterrupt):
        made.check("wrong")
    assert "raised            SystemExit: 3" in str(failure(made.check, "right"))


def test_an_earlier_exercise_that_fails_as_well_is_named(course):
    made = course(RIGHT.replace("a @ b", "b @ a"), WRONG, RAISES)
    assert "  start with        01.1 right and 01.2 wrong fail as well" in str(failure(made.check, "raises"))
    assert "start with" not in str(failure(made.check, "right"))


def test_a_second_definition_of_an_exercise_is_noticed(course, capsys):
    course(RIGHT, RIGHT.removeprefix("#| export\n")).check("right")
    assert (
        "right is defined in 2 cells (the first is exported): "
        "the one that you ran last is checked here, and the package gets the exported one"
    ) in capsys.readouterr().out
    again = course(WRONG, WRONG.removeprefix("#| export\n"))
    assert "defined twice     wrong is defined in 2 cells (the first is exported)" in str(failure(again.check, "wrong"))


def test_a_notebook_that_cannot_be_read_costs_the_cell_number_only(course):
    made = course(WRONG)
    made.path.write_text("{", encoding="utf-8")
    assert str(failure(made.check, "01.2")).startswith("01.2 wrong  not passed: 0 of 8 cases pass\n")


def test_a_package_file_that_changed_since_its_import_is_reported(course, capsys, monkeypatch):
    made = course(RIGHT)
    file = made.root / "tinytorch" / "layers.py"
    file.parent.mkdir()
    file.write_text("x = 1\n", encoding="utf-8")
    module = type(sys)("tinytorch.layers")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "tinytorch.layers", module)
    made.check("1.1")
    file.write_text("x = 1\n", encoding="utf-8")
    made.check("01.1")
    assert "has changed" not in capsys.readouterr().out
    file.write_text("x = 2\n", encoding="utf-8")
    made.check("01.1")
    assert capsys.readouterr().out.startswith("tinytorch/layers.py has changed since this kernel imported it: restart")


@pytest.mark.bench
def test_a_check_takes_less_than_a_second(course):
    check = course(RIGHT).check
    started = time.perf_counter()
    check("01.1")
    assert time.perf_counter() - started < 1


def outputs(cell):
    """Return what a cell shows where there is no HTML; the line that stands for a report's traceback is left out."""
    shown = (
        one.get("text", "") or one.get("data", {}).get("text/plain", "") or "\n".join(one.get("traceback", ()))
        for one in cell.outputs
    )
    return "".join(text for text in shown if text != "not passed: the report is above")


@pytest.mark.filterwarnings("ignore::EncodingWarning")  # of jupyter_client
def test_in_a_real_kernel(tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="nbclient runs the kernel, and is not installed")
    shutil.copytree(REPOSITORY / "tinytorch", tmp_path / "tinytorch", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "modules" / "01_tensor").mkdir(parents=True)
    for name in ("curriculum.toml", "01_tensor/tensor.py"):
        shutil.copy(REPOSITORY / "modules" / name, tmp_path / "modules" / name)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(REPOSITORY)]))
    monkeypatch.delenv("TINYTORCH_WORKSPACE", raising=False)
    cells = [
        "from tito import notebook\ncheck = notebook('01')",
        "from tinytorch.given.op import op",
        "check('matmul')",
        "@op\ndef matmul(a, b):\n    raise NotImplementedError('01.3 matmul')",
        "check('matmul')",
        "@op\ndef matmul(a, b):\n    return None",
        "check('matmul')",
        "from tinytorch.tensor import Tensor",
        "import tinytorch.given.op\nwith open(tinytorch.given.op.__file__, 'a') as file: file.write('# edited')",
        "check('matmul')",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(
        notebook,
        allow_errors=True,
        timeout=60,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path / "modules" / "01_tensor")}},
    ).execute()
    ready, _, missing, _, unwritten, _, wrong, forbidden, _, stale = (outputs(cell) for cell in notebook.cells)
    assert not ready
    assert "matmul  is not defined: run the cell that defines it first, cell " in missing
    assert missing.count("matmul  is not defined") == wrong.count("01.3 matmul") == 1, "shown once"
    assert unwritten == "01.3 matmul  not written yet"
    assert wrong.startswith("01.3 matmul  ") and "None: is the `return` missing?" in wrong and wrong.endswith("hint 01.3`")
    assert "you are writing it here" in forbidden
    assert stale.startswith("tinytorch/given/op.py has changed since this kernel imported it")
