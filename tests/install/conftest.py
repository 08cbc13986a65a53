"""Environments that hold the course as a wheel and as an editable install, made once a session and without the network."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ["pyproject.toml", "README.md", "LICENSE", ".gitignore", "tito", "tinytorch", "modules", "milestones"]
OURS = ("PYTHON", "PYTEST", "TINYTORCH", "VIRTUAL_ENV", "UV_", "IPYTHON", "JUPYTER")


@dataclass
class Environment:
    """A virtual environment and the variables that its programs see."""

    folder: Path
    variables: dict

    @property
    def python(self):
        return str(self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))

    @property
    def site(self):
        return Path(sysconfig.get_path("purelib", "venv", {"base": str(self.folder), "platbase": str(self.folder)}))

    def run(self, *arguments, cwd, **variables):
        """Run its Python and return what it printed, both streams together, and its exit status."""
        done = subprocess.run(
            [self.python, *map(str, arguments)],
            cwd=cwd,
            env=self.variables | variables,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
        )
        return done.stdout, done.returncode

    def install(self, *what, installer="pip"):
        """Install with pip or uv, without the network."""
        commands = {
            "pip": [sys.executable, "-m", "pip", "--python", self.python, "install"],
            "uv": ["uv", "pip", "install", "--python", self.python],
        }
        offline = ["--no-deps", "--no-index", "--no-build-isolation", "--quiet"]
        subprocess.run([*commands[installer], *offline, *map(str, what)], check=True, env=self.variables)


@pytest.fixture(scope="session")
def make_environment():
    """Make an empty environment that borrows the packages of the running one, after its own."""

    def make(folder):
        venv.create(folder, symlinks=os.name != "nt")
        variables = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        environment = Environment(folder, variables)
        borrowed = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
        (environment.site / "zz_borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
        return environment

    return make


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """Build a wheel or an sdist with the hatchling of the running environment."""

    def build(target, source):
        folder = tmp_path_factory.mktemp(target)
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)],
            cwd=source,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return next(folder.iterdir())

    return build


@pytest.fixture(scope="session")
def clone(tmp_path_factory):
    """A copy of this repository, which tests may write into."""
    folder = tmp_path_factory.mktemp("clone")
    for name in SHIPPED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def wheel(clone, build):
    """The wheel, built from the clone."""
    return build("wheel", clone)


@pytest.fixture(scope="session")
def from_wheel(wheel, make_environment, tmp_path_factory):
    """An environment with the wheel installed, away from any clone."""
    environment = make_environment(tmp_path_factory.mktemp("environment") / "venv")
    environment.install(wheel)
    return environment


@pytest.fixture(scope="session")
def from_clone(clone, make_environment):
    """An environment with an editable install, inside the clone as `uv sync` makes it: the hard case."""
    environment = make_environment(clone / ".venv")
    environment.install("-e", clone)
    return environment


@pytest.fixture(scope="session", params=["wheel", "editable"])
def environment(request):
    """Each kind of install in turn."""
    return request.getfixturevalue({"wheel": "from_wheel", "editable": "from_clone"}[request.param])


@pytest.fixture(scope="session")
def workspace(tmp_path_factory):
    """The least that is a learner's workspace, away from any clone."""
    folder = tmp_path_factory.mktemp("learner") / "workspace"
    (folder / "tinytorch").mkdir(parents=True)
    (folder / "tinytorch/__init__.py").touch()
    (folder / "modules/01_tensor").mkdir(parents=True)
    (folder / "modules/curriculum.toml").touch()
    return folder
