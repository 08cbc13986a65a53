"""Checks in several files count as one file, in the order that their imports ask for."""

import graphlib
from pathlib import Path

import pytest

from tito.checks import checking, files, runner
from tito.lint import checks
from tito.lint.course import Course

FIXTURE = Path(__file__).parent / "fixtures_checking" / "checks.py"
ROOT = Path(__file__).parents[2]
SHAPES = "def area(sides):\n    return sides[0] * sides[1]\n"
ROOMS = """import math

from .shapes import (
    area,
)


def draw_room(rng):
    yield dict(sides=rng.sizes(2))


def observe_room(room, sides):
    return room(sides) + 0 * area(sides)


def oracle_room(sides):
    return area(sides) / math.pi


misconceptions_room = {"half": lambda sides: area(sides) / 2}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "rooms.py").write_text(ROOMS, encoding="utf-8")
    (tmp_path / "checks" / "shapes.py").write_text(SHAPES, encoding="utf-8")
    return tmp_path / "checks"


def test_a_file_comes_after_those_that_it_imports_from(folder):
    assert [file.name for file in files.of(folder)] == ["shapes.py", "rooms.py"]
    assert files.of(FIXTURE) == [FIXTURE]
    (folder / "shapes.py").write_text(f"from .rooms import draw_room\n{SHAPES}", encoding="utf-8")
    with pytest.raises(graphlib.CycleError):
        files.of(folder)


def test_the_folder_is_taken_where_there_is_one(folder):
    source = folder.with_name("rooms.py")
    assert files.beside(source) == folder
    assert files.beside(source.parent / "elsewhere" / "rooms.py").name == "checks.py"


def test_several_files_are_loaded_as_one(folder):
    check = checking.load(folder).check("room")
    drawn = checking.cases(check)
    assert drawn[0].expected == pytest.approx(drawn[0].inputs["sides"][0] * drawn[0].inputs["sides"][1] / 3.14159265)
    assert checking.blind_spots(check, drawn) == {}


def test_a_mistake_is_reported_in_the_file_that_it_is_in(folder):
    (folder / "rooms.py").write_text(ROOMS.replace("area(sides) / math.pi", "1 / 0"), encoding="utf-8")
    with pytest.raises(checking.CheckBroken) as error:
        checking.cases(checking.load(folder).check("room"))[0].expected
    assert error.value.__cause__.__traceback__.tb_next.tb_next.tb_frame.f_code.co_filename == str(folder / "rooms.py")


def test_the_learners_process_gets_what_is_observed_and_no_oracle(folder):
    observers = runner.observers_source(files.joined(folder))
    assert "def observe_room" in observers and "def area" in observers
    assert "oracle" not in observers and "draw_room" not in observers and "from ." not in observers
    numbered = observers.split("\n").index("    return room(sides) + 0 * area(sides)")
    assert checking.load(folder).lines[numbered] == "    return room(sides) + 0 * area(sides)"


@pytest.mark.parametrize(
    ("file", "before", "after", "reason"),
    [
        ("rooms", "    area,\n", "    area,\n    volume,\n", "rooms.py:3: imports volume, which shapes.py does not define"),
        ("rooms", "misconceptions_room", "area = 1\nmisconceptions_room", "area is defined in shapes.py as well"),
        ("shapes", "def area", "import scipy\n\n\ndef area", "shapes.py:1: imports scipy"),
    ],
)
def test_a_name_has_one_home_and_is_imported_from_there(folder, file, before, after, reason):
    class Rooms(Course):
        def checks_path(self, module):
            return folder

    course = Rooms(ROOT, ("05",))
    assert list(checks.imports(course, course.modules[0])) == []
    path = folder / f"{file}.py"
    path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    course = Rooms(ROOT, ("05",))
    assert any(reason in str(problem) for problem in checks.imports(course, course.modules[0]))
