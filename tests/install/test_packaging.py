"""What the wheel, the source archive and an editable install hold, and what the lock names."""

import csv
import re
import shutil
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
COURSE = ["modules/curriculum.toml", "modules/01_tensor/tensor.py", "modules/01_tensor/checks.py", "tinytorch/__init__.py"]


def test_the_wheel_holds_tito_the_course_and_one_module(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"tinytorch.py", "tito/launcher.py", *(f"tito/course/{name}" for name in COURSE)} <= names
    assert {name.split("/")[0] for name in names} == {"tito", "tinytorch.py", "tinytorch_course-0.1.0.dist-info"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".ipynb")]


def test_the_source_archive_builds_the_same_wheel(clone, build, tmp_path):
    with tarfile.open(build("sdist", clone)) as archive:
        archive.extractall(
            tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {})
        )  # 3.11.0 to 3.11.3 have none
    wheels = build("wheel", clone), build("wheel", next(tmp_path.iterdir()))
    from_clone, from_archive = (sorted(zipfile.ZipFile(wheel).namelist()) for wheel in wheels)
    assert from_archive == from_clone


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_an_editable_install_copies_nothing_of_the_course(installer, clone, make_environment, tmp_path):
    if installer == "uv" and not shutil.which("uv"):
        pytest.skip("uv is not on the path")
    environment = make_environment(tmp_path / "venv")
    environment.install("-e", clone, installer=installer)
    record = next(environment.site.glob("tinytorch_course-*.dist-info/RECORD"))
    with record.open(encoding="utf-8", newline="") as rows:
        tops = {Path(row[0]).parts[0] for row in csv.reader(rows)}
    written_by_pip = {"__pycache__", "..", record.parent.name}  # .. leads to the program tito
    assert tops - written_by_pip == {"_tinytorch_course.pth", "tinytorch.py"}
    assert (environment.site / "_tinytorch_course.pth").read_text(encoding="utf-8").splitlines() == [str(clone)]


def test_the_lock_names_no_host_and_every_requirement():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    locked = dict(re.findall(r"^([\w.-]+)==([^ ;]+)", lock, flags=re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = map(Requirement, sum(project["optional-dependencies"].values(), project["dependencies"]))
    for requirement in wanted:
        if requirement.name != project["name"]:
            assert Version(locked[requirement.name]) in requirement.specifier, requirement
