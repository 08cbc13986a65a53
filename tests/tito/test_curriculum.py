"""The manifest: the course's graph, and the names that people type."""

from pathlib import Path

import pytest

from tito import workspace
from tito.curriculum import CurriculumError, UnknownName, load

FIXTURE = Path(__file__).parent / "fixtures" / "modules" / "curriculum.toml"
ROW = '[[module]]\nnumber = "{}"\nname = "{}"\ntitle = "T"\nexports = "{}.py"\nrequires = {}\n'


@pytest.fixture
def course():
    return load(workspace.course_dir() / "modules" / "curriculum.toml")


def manifest(tmp_path, *rows):
    path = tmp_path / "curriculum.toml"
    path.write_text("".join(ROW.format(*row) for row in rows), encoding="utf-8")
    return path


def test_the_course_has_twelve_modules_and_the_files_of_the_design(course):
    assert [module.number for module in course.modules] == [f"{number:02d}" for number in range(1, 13)]
    assert [module.exports for module in course.modules] == (
        "tensor.py activations.py layers.py losses.py autograd.py optim.py data.py training.py profiler.py "
        "kernels_cpu.py kernels_cuda.py cnn.py"
    ).split()
    assert course.module("06").package_name == "optim"
    assert course.module("06").folder == "06_optimizers"


def test_profiling_and_kernels_are_a_branch_that_convolutions_do_not_need(course):
    assert [module.number for module in course.prerequisites(course.module("12"))] == [f"{n:02d}" for n in range(1, 9)]
    assert [module.number for module in course.prerequisites(course.module("11"))] == [f"{n:02d}" for n in range(1, 11)]
    assert course.prerequisites(course.module("01")) == []


def test_milestones_stand_where_the_design_puts_them(course):
    assert {milestone.name: milestone.requires for milestone in course.milestones} == {
        "mnist-mlp": ("04",),
        "cifar10-mlp": ("08",),
        "lenet5": ("12",),
        "cifar10-cnn": ("12",),
    }
    assert [module.number for module in course.prerequisites(course.milestone("mnist_mlp"))] == ["01", "02", "03", "04"]


def test_prerequisites_follow_the_graph_and_not_the_numbers():
    course = load(FIXTURE)
    assert [module.name for module in course.prerequisites(course.module("04"))] == ["shapes", "colours"]


@pytest.mark.parametrize("text", ["03", "3", "layers", "03_layers", "3_layers", " Layers "])
def test_a_module_goes_by_number_name_and_folder(course, text):
    assert course.module(text).folder == "03_layers"


@pytest.mark.parametrize(
    "text, number, exercise",
    [
        ("03.2", "03", "03.2"),
        ("3.2", "03", "03.2"),
        ("3.02", "03", "03.2"),
        ("layers.2", "03", "03.2"),
        ("12.10", "12", "12.10"),
        ("12", "12", None),
        ("layers", "03", None),
    ],
)
def test_a_target_is_a_module_or_one_of_its_exercises(course, text, number, exercise):
    module, found = course.target(text)
    assert (module.number, found) == (number, exercise)


@pytest.mark.parametrize("text, nearest", [("layrs", "layers"), ("tensors", "tensor"), ("optimiser", "optimizers")])
def test_an_unknown_name_gets_the_nearest(course, text, nearest):
    with pytest.raises(UnknownName, match=f"no module '{text}': did you mean {nearest}"):
        course.module(text)


def test_a_name_far_from_all_gets_the_list(course):
    with pytest.raises(UnknownName, match="there are 01 tensor, 02 activations") as caught:
        course.module("99")
    assert caught.value.nearest is None


@pytest.mark.parametrize("text", ["01.3", "1.3", "tensor.3", "01_tensor.3", " Tensor.3 "])
def test_an_exercise_is_no_module_but_names_one(course, text):
    with pytest.raises(UnknownName, match="names an exercise of module 01 tensor") as caught:
        course.module(text)
    assert caught.value.nearest == "01"


@pytest.mark.parametrize("text", ["", ".", "3.", "03.x", "03.2.1", "-3", "003"])
def test_what_is_no_target_is_unknown(course, text):
    with pytest.raises(UnknownName):
        course.target(text)


def test_an_unknown_milestone_gets_the_nearest(course):
    with pytest.raises(UnknownName, match="no milestone 'lenet': did you mean lenet5"):
        course.milestone("lenet")


@pytest.mark.parametrize(
    "rows, reason",
    [
        ([("01", "a", "a", '["02"]'), ("02", "b", "b", "[]")], "01 a requires 02, which must come before it"),
        ([("01", "a", "a", '["01"]')], "01 a requires 01"),
        ([("01", "a", "a", "[]"), ("01", "b", "b", "[]")], "number 01 occurs twice"),
        ([("01", "a", "a", "[]"), ("02", "a", "b", "[]")], "name a occurs twice"),
        ([("01", "a", "a", "[]"), ("02", "b", "a", "[]")], "exports a.py occurs twice"),
        ([("1", "a", "a", "[]")], "must be two digits"),
    ],
)
def test_a_manifest_that_is_no_graph_is_refused(tmp_path, rows, reason):
    with pytest.raises(CurriculumError, match=reason):
        load(manifest(tmp_path, *rows))


@pytest.mark.parametrize("text", ["[[module]", "[[module]]\nnumber = '01'\n", "\udcff"])
def test_a_manifest_that_cannot_be_read_names_the_file(tmp_path, text):
    path = tmp_path / "curriculum.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CurriculumError, match="curriculum.toml"):
        load(path)


def test_a_missing_manifest_names_the_file(tmp_path):
    with pytest.raises(CurriculumError, match="curriculum.toml"):
        load(tmp_path / "curriculum.toml")
