"""A kernel set is loaded when it is first used, whatever is there and in whatever order; kernels are compiled once for a user."""

import errno
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import tinytorch as tt
from tinytorch.given import dispatch
from tinytorch.given.op import Op
from tinytorch.given.state import state

pytest.importorskip("numba", reason="numba is not installed: only a warning would be left to test")

from tinytorch.given.numba_kernels import compile_seconds, compiling, jit

PACKAGE = Path(tt.__file__).parent
WITHOUT = "import sys; sys.modules['numba'] = None; "  # makes `import numba` fail, as where it is not installed
POOL = "cnn.max_pool2d(tt.ones(1, 1, 8, 8), 2)"


def python(code, *options, folder=PACKAGE.parent, **variables):
    """Run code in a process of its own, with what a folder holds, and return what it printed."""
    done = subprocess.run(
        [sys.executable, *options, "-c", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), **variables},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def workspace(tmp_path):
    """A copy of the package, which a test may change."""
    shutil.copytree(PACKAGE, tmp_path / "tinytorch", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PACKAGE.parent / "modules", tmp_path / "modules", ignore=shutil.ignore_patterns("*_*"))
    return tmp_path


def test_importing_the_package_imports_no_numba():
    assert python(
        "import sys, tinytorch as tt; from tinytorch import cnn, nn, optim; "
        "print('numba' in sys.modules, 'tinytorch.given.numba_kernels' in sys.modules)"
    ).split() == ["False", "False"]


def test_use_compiles_nothing():
    assert python(
        "import tinytorch as tt; tt.use('numba'); from tinytorch.given.numba_kernels import compile_seconds; "
        "print(sum(compile_seconds.values()))"
    ).split() == ["0"]


def test_an_op_finds_its_kernel_before_and_after_the_set_is_chosen():
    report = f"{POOL}; print(list(cnn.max_pooling.kernels), tt.fallbacks['max_pooling'])"
    for first, second in (("tt.use('numba')", "from tinytorch import cnn"), ("from tinytorch import cnn", "tt.use('numba')")):
        assert python(f"import tinytorch as tt; {first}; {second}; {report}").strip() == "['numba'] 0"


def test_an_op_of_a_notebook_finds_the_kernel_of_its_name():
    def max_pooling(x, *, kernel_size, stride, padding):
        raise AssertionError("the NumPy forward ran")

    mine = Op(max_pooling)
    with tt.use("numba"):
        out = mine(tt.ones(1, 1, 4, 4), kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))
    assert out.shape == (1, 1, 2, 2)


def test_a_kernel_that_is_registered_wins_over_a_given_one():
    mine = Op(lambda x: x)
    mine.name = "max_pooling"
    mine.register_kernel("numba")(lambda x: x + 1)
    with tt.use("numba"):
        assert mine(tt.ones(2)).tolist() == [2, 2]


def test_what_a_kernel_does_not_cover_runs_on_numpy_and_is_counted():
    mine = Op(lambda x, **settings: x * 2)
    mine.name = "max_pooling"
    dispatch.fallbacks.clear()
    with tt.use("numba"):
        out = mine(tt.Tensor(np.ones((1, 1, 2, 2), np.int64)), kernel_size=(1, 1), stride=(1, 1), padding=(0, 0))
    assert out.tolist() == [[[[2, 2], [2, 2]]]] and dispatch.fallbacks["max_pooling"] == 1


def test_without_numba_a_warning_and_the_numpy_set():
    said = python(
        WITHOUT + "import tinytorch as tt\nfrom tinytorch import cnn\nfrom tinytorch.given.state import state\n"
        f"for _ in range(3):\n    with tt.use('numba'): print(state.kernels, {POOL}.shape)",
        "-W",
        "default",
    )
    assert said.count("numpy (1, 1, 4, 4)") == 3
    assert said.count("RuntimeWarning: numba is not installed, so the NumPy kernels run") == 1
    assert "pip install 'tinytorch-course[kernels]'" in said


def test_without_numba_jit_says_what_to_do():
    said = python(
        WITHOUT + "from tinytorch.given.numba_kernels import jit\ntry: jit(len)\nexcept ImportError as error: print(error)"
    )
    assert said.strip() == "numba is not installed: run `pip install 'tinytorch-course[kernels]'`"


def test_an_unknown_set_is_an_error_that_lists_the_sets():
    for name in ("numb", "cuda", None):
        with pytest.raises(ValueError, match=f"there is no kernel set {name!r}: the sets are numpy, numba"):
            tt.use(name)
    assert state.kernels == "numpy"


def test_the_choice_is_a_thread_s_own():
    seen = []

    def work():
        seen.append(state.kernels)
        with tt.use("numba"):
            seen.append(state.kernels)

    threads = [threading.Thread(target=work) for _ in range(4)]
    with tt.use("numba"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(seen) == ["numba"] * 4 + ["numpy"] * 4


def test_module_12_may_come_before_module_10(workspace):
    (workspace / "tinytorch" / "kernels_cpu.py").unlink(missing_ok=True)
    said = python(
        f"import tinytorch as tt; from tinytorch import cnn; tt.use('numba'); {POOL}; print(tt.__file__, cnn.max_pooling)",
        folder=workspace,
    )
    assert str(workspace) in said and "numpy, numba" in said


def test_an_error_in_module_10_s_file_is_not_swallowed(workspace):
    (workspace / "tinytorch" / "kernels_cpu.py").write_text("import no_such_package\n", encoding="utf-8")
    said = python("import tinytorch as tt\ntry: tt.use('numba')\nexcept ImportError as error: print(error)", folder=workspace)
    assert "No module named 'no_such_package'" in said


SQUARE = """
from tinytorch.given.numba_kernels import jit, compile_seconds

@jit
def square(x):
    return x * x

print(square(3), sorted(compile_seconds))
"""


@pytest.fixture
def mine(workspace):
    """A workspace with a kernel."""
    (workspace / "mine.py").write_text(SQUARE, encoding="utf-8")
    return workspace


def cache_in(path):
    """Return the variables that say, on one system or another, where a user's cache is, and that temporary files are elsewhere."""
    elsewhere = path.parent / "temporary"
    elsewhere.mkdir(exist_ok=True)
    return {
        **dict.fromkeys(("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"), str(path)),
        **dict.fromkeys(("TMPDIR", "TEMP"), str(elsewhere)),
    }


def test_machine_code_is_kept_for_the_next_process(mine):
    variables = cache_in(mine / "cache")
    assert [python("import mine", folder=mine, **variables).strip() for _ in range(2)] == ["9 ['square']", "9 []"]
    assert list((mine / "cache").rglob("*.nbc"))


def test_machine_code_of_other_kernels_is_not_used(mine):
    variables = cache_in(mine / "cache")
    python("import mine", folder=mine, **variables)
    with (mine / "tinytorch" / "given" / "numba_kernels" / "tiles.py").open("a", encoding="utf-8") as file:
        file.write("# a change\n")
    assert python("import mine", folder=mine, **variables).strip() == "9 ['square']"


def test_machine_code_of_temporary_files_is_not_kept(mine):
    variables = cache_in(mine / "cache") | {"TMPDIR": str(mine), "TEMP": str(mine)}
    assert [python("import mine", folder=mine, **variables).strip() for _ in range(2)] == ["9 ['square']"] * 2


def test_a_folder_that_cannot_be_written_does_no_harm(mine):
    (mine / "file").touch()
    for _ in range(2):
        assert python("import mine", folder=mine, **cache_in(mine / "file")).strip() == "9 ['square']"
    assert not list(mine.rglob("*.nb?"))


def test_a_cache_that_is_full_or_damaged_hides_no_result(monkeypatch, tmp_path):
    def compiled():
        @jit
        def thrice(x):
            return 3 * x

        return thrice

    def full(*paths):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(compiling.watched_numba().config, "CACHE_DIR", str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        assert compiled()(2) == 6 and not list(tmp_path.rglob("*.nb?"))
    assert compiled()(2) == 6
    (index,) = tmp_path.rglob("*.nbi")
    index.write_bytes(b"damaged")
    assert compiled()(2) == 6


@pytest.fixture
def terminal(monkeypatch, capsys):
    """Let standard error be a terminal on which whatever compiles takes long."""
    monkeypatch.setattr(compiling, "PATIENCE", 0.0)
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda self: True, raising=False)
    return capsys


def test_a_long_compilation_is_told_at_a_terminal_once_and_counted(terminal):
    @jit(cache=False)
    def outer(x):
        return inner(x) + 1

    @jit(cache=False)
    def inner(x):
        return x * 2

    compile_seconds.clear()
    assert [outer(1), outer(2)] == [3, 5]
    said = terminal.readouterr().err
    assert said.count("compiling outer with numba") == 1 and "inner" not in said
    assert list(compile_seconds) == ["outer"] and 0 < compile_seconds["outer"] < 60


def test_nothing_is_told_where_nobody_reads_along(terminal, monkeypatch):
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda self: False, raising=False)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)  # other tests import it; in a notebook somebody does read along

    @jit(cache=False)
    def alone(x):
        return x

    alone(1)
    assert "compiling" not in terminal.readouterr().err


def test_a_function_without_a_file_is_compiled_in_memory():
    names = {}
    exec("def twice(x): return 2 * x", names)
    assert jit(names["twice"])(4) == 8
