"""A class in a folder of its own, submissions to mark, and tito run as an instructor runs it."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest
from typer.testing import CliRunner

from tito import workspace
from tito.app import app
from tito.grading import judge, sandbox
from tito.notebooks import source, strip

COURSE = workspace.Workspace(workspace.course_dir())
TENSOR = COURSE.curriculum.module("01")


@pytest.fixture(scope="session")
def module():
    return TENSOR


@pytest.fixture(scope="session")
def reference():
    """The source of module 01, with its solutions."""
    return source.read(workspace.course_source(TENSOR))


@pytest.fixture(scope="session")
def nbgrader():
    if find_spec("nbgrader") is None:
        pytest.skip("nbgrader is not installed: the extra `grade` brings it")


def pytest_generate_tests(metafunc):
    """Run the tests marked `every_sandbox` in each: in podman and docker with `pytest -m container`."""
    if metafunc.definition.get_closest_marker("every_sandbox"):
        names = [pytest.param(name, marks=[pytest.mark.container] * (name != "bubblewrap")) for name in sandbox.SANDBOXES]
        metafunc.parametrize("box", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def box(request):
    """The name of the sandbox that submissions run in."""
    name = getattr(request, "param", "bubblewrap")
    problem = sandbox.problem(name)
    if problem:
        pytest.skip(f"no sandbox here: {problem}")
    return name


@pytest.fixture(scope="session")
def confined(box, module):
    """The options that run submissions in the sandbox, and the seeds of a class."""
    options = sandbox.options(box)
    return {**options, "seeds": judge.draw_seeds(module, **options)}


@pytest.fixture(scope="session")
def notebooks(reference, tmp_path_factory):
    """The learner's notebook of module 01 as text: `open` as released, `solved` with the reference solutions."""
    texts = {}
    for name in ("open", "solved"):
        path = tmp_path_factory.mktemp(name) / TENSOR.folder / "tensor.ipynb"
        path.parent.mkdir()
        strip.write(strip.learner_cells(reference, solved=name == "solved"), path)
        texts[name] = path.read_text(encoding="utf-8")
    return texts


@pytest.fixture
def submission(notebooks, tmp_path):
    """Return a function that writes a submission: a notebook, changed, with one more exported cell at its end."""

    def write(name="solved", code="", change=lambda text: text, path=tmp_path / "tensor.ipynb"):
        document = json.loads(change(notebooks[name]))
        cell = {
            "cell_type": "code",
            "id": "more",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": f"#| export\n{code}",
        }
        document["cells"] += [cell] if code else []
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def tito():
    """Return a function that runs tito and gives back the finished process."""

    def run(*words, cwd, python=("-m", "tito")):
        environment = {name: value for name, value in os.environ.items() if name != "TINYTORCH_WORKSPACE"}
        return subprocess.run(
            [sys.executable, *python, *map(str, words)],
            cwd=cwd,
            env=environment,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def grade():
    """Return a function that runs a command of `tito grade` in this process, which spares the import of nbgrader."""

    def run(*words):
        done = CliRunner().invoke(app, ["grade", *map(str, words)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return run


@pytest.fixture(scope="session")
def released_class(nbgrader, tito, tmp_path_factory):
    """A class to which module 01 was released, to be copied."""
    folder = tmp_path_factory.mktemp("released")
    done = tito("grade", "release", "01", "--course", folder / "class", cwd=folder)
    assert done.returncode == 0, done.stdout
    return folder / "class"


@pytest.fixture
def classroom(released_class, tmp_path):
    """A class to which module 01 was released."""
    from tito.grading.gradebook import Classroom

    return Classroom(shutil.copytree(released_class, tmp_path / "class"))
