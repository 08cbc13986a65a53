"""Where the course and the learner's files lie."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tito import workspace
from tito.workspace import NoWorkspace, Workspace, WorkspaceError, find

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv("TINYTORCH_WORKSPACE", raising=False)


@pytest.fixture
def space(tmp_path):
    root = tmp_path / "course work ü"
    shutil.copytree(FIXTURES / "modules", root / "modules", ignore=shutil.ignore_patterns("*.py"))
    (root / "tinytorch").mkdir()
    (root / "tinytorch" / "__init__.py").touch()
    return Workspace(root)


@pytest.fixture
def shapes(space):
    return space.curriculum.module("shapes")


def test_a_workspace_is_found_upward_from_the_current_folder(space, monkeypatch):
    inside = space.root / "modules" / "01_shapes"
    inside.mkdir(exist_ok=True)
    monkeypatch.chdir(inside)
    assert find() == space
    assert find(space.root / "modules") == space


def test_the_variable_comes_before_the_current_folder_and_not_before_an_argument(space, monkeypatch, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(space.root, other)
    monkeypatch.chdir(other)
    monkeypatch.setenv("TINYTORCH_WORKSPACE", str(space.root))
    assert find() == space
    assert find(other) == Workspace(other)


def test_without_a_workspace_the_message_names_the_place_and_tito_init(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoWorkspace, match="tito init") as caught:
        find()
    assert str(tmp_path) in str(caught.value) and "$TINYTORCH_WORKSPACE" not in str(caught.value)


def test_a_process_that_runs_the_package_knows_where_it_is_and_blas_lets_kernels_have_the_cores(space, monkeypatch):
    monkeypatch.delenv("OPENBLAS_THREAD_TIMEOUT", raising=False)
    assert space.environment() == {**os.environ, "TINYTORCH_WORKSPACE": str(space.root), "OPENBLAS_THREAD_TIMEOUT": "20"}
    monkeypatch.setenv("OPENBLAS_THREAD_TIMEOUT", "7")
    assert space.environment()["OPENBLAS_THREAD_TIMEOUT"] == "7", "what is set by hand stays"


def test_a_variable_that_names_no_workspace_is_an_error_even_inside_one(space, monkeypatch, tmp_path):
    monkeypatch.chdir(space.root)
    monkeypatch.setenv("TINYTORCH_WORKSPACE", str(tmp_path))
    with pytest.raises(NoWorkspace, match="TINYTORCH_WORKSPACE is .* which is not a workspace"):
        find()


@pytest.mark.parametrize("suffix", [".ipynb", ".py"])
def test_the_notebook_is_whichever_of_the_two_is_there(space, shapes, suffix):
    path = space.folder(shapes) / f"shapes{suffix}"
    path.parent.mkdir(exist_ok=True)
    path.write_text("", encoding="utf-8")
    assert space.notebook(shapes) == path
    assert space.label(path) == f"modules/01_shapes/shapes{suffix}"


def test_two_notebooks_are_an_error_that_names_both(space, shapes):
    space.folder(shapes).mkdir(exist_ok=True)
    for suffix in (".ipynb", ".py"):
        (space.folder(shapes) / f"shapes{suffix}").write_text("", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="both modules/01_shapes/shapes.ipynb and modules/01_shapes/shapes.py"):
        space.notebook(shapes)


def test_no_notebook_is_an_error_that_says_how_to_get_one(space, shapes):
    with pytest.raises(WorkspaceError, match="tito module start 01"):
        space.notebook(shapes)


def test_the_package_file_has_the_manifest_s_name(space):
    assert space.exported(space.curriculum.module("02")) == space.root / "tinytorch" / "colour_tools.py"


def test_backups_are_copies_under_their_path_and_never_replace_each_other(space, shapes):
    path = space.folder(shapes) / "shapes.ipynb"
    path.parent.mkdir(exist_ok=True)
    copies = []
    for text in ("first", "second", "third"):
        path.write_text(text, encoding="utf-8")
        copies.append(space.backup(path))
    assert [copy.read_text(encoding="utf-8") for copy in copies] == ["first", "second", "third"]
    assert {copy.parent for copy in copies} == {space.root / ".tito" / "backups" / "modules" / "01_shapes"}
    assert all(copy.suffix == ".ipynb" and ":" not in copy.name for copy in copies)
    assert path.read_text(encoding="utf-8") == "third"


def test_a_file_from_elsewhere_keeps_its_path_as_label_and_its_name_in_backups(space, tmp_path):
    path = tmp_path / "elsewhere.py"
    path.write_text("x", encoding="utf-8")
    assert space.label(path) == str(path)
    assert space.backup(path).parent == space.root / ".tito" / "backups"


def test_the_clone_is_the_course_and_a_workspace():
    root = Path(__file__).resolve().parents[2]
    clone = find(root / "tests")
    assert clone.root == root == workspace.course_dir()
    assert clone.is_clone
    tensor = clone.curriculum.module("01")
    assert clone.notebook(tensor) == workspace.course_source(tensor)
    assert not workspace.is_to_come(tensor)


def test_a_learner_s_workspace_is_no_clone(space):
    assert not space.is_clone


def test_a_module_without_a_folder_is_to_come(space):
    assert workspace.is_to_come(space.curriculum.module("04"))


def test_the_installed_package_finds_the_course_in_itself(tmp_path):
    """A copy of `tito` with the course as data beside its modules, as in the wheel."""
    root = Path(__file__).resolve().parents[2]
    site = tmp_path / "site"
    shutil.copytree(root / "tito", site / "tito", ignore=shutil.ignore_patterns("__pycache__", "course"))
    shutil.copytree(FIXTURES / "modules", site / "tito" / "course" / "modules")
    run = subprocess.run(
        [sys.executable, "-c", "from tito import workspace; print(workspace.course_dir())"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert Path(run.stdout.strip()) == (site / "tito" / "course").resolve()


def test_from_tito_import_notebook_gives_the_function():
    code = "from tito import notebook; from tito import notebook as again; print(callable(notebook), notebook is again)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    assert run.stdout.split() == ["True", "True"]


def test_tito_loads_nothing_until_it_is_asked():
    code = "import sys, tito; print([name for name in sys.modules if name.startswith('tito.') or name == 'numpy'])"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    assert run.stdout.strip() == "[]"
