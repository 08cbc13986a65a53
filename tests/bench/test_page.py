"""The book's page and its pictures are what the committed records give, to the byte."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tito.bench import page
from tito.files import write_atomically
from tito.lint import named
from tito.lint.course import Course

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path, record):
    """A clone with one record, and the page made of it."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "curriculum.toml").write_text("", encoding="utf-8")
    for folder in ("benchmarks/results", "book"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "benchmarks" / "results" / "cpu.json").write_text(json.dumps(record), encoding="utf-8")
    write(tmp_path)
    return tmp_path


def write(root):
    """Do what `tito dev export` does."""
    for name, text in page.files(root).items():
        write_atomically(root / name, text)


def problems(root):
    return [str(problem) for problem in named("measurements").problems(Course(root))]


def test_the_committed_page_and_pictures_are_what_the_committed_records_give():
    assert page.files(ROOT) == {name: (ROOT / name).read_text(encoding="utf-8") for name in page.committed(ROOT)}


def test_the_page_says_in_its_first_line_what_it_is_made_of(clone):
    first = (clone / page.PAGE).read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("<!-- Made by `tito dev export` from benchmarks/results/cpu.json:")


def test_the_page_names_machine_blas_versions_and_every_figure(clone, record):
    text = (clone / page.PAGE).read_text(encoding="utf-8")
    for word in (
        "AMD EPYC 9V74",
        "openblas 0.3.31.188.0 SkylakeX",
        "PyTorch 2.13.0+cpu, AVX512",
        "2026-11-21",
        "slower on AMD",
        "| PyTorch channels_last fused | 1242 |",
        "10.54",
        "Not measured: needs module 12.",
    ):
        assert word in text, word
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.count("|") == rows[start].count("|") for start, line in enumerate(rows[1:], 0) if line.startswith("| ---"))


def test_a_page_out_of_step_is_a_problem(clone, record):
    assert problems(clone) == []
    record["cases"][0]["threads"]["1"]["ratios"]["PyTorch"] = 0.5
    (clone / "benchmarks" / "results" / "cpu.json").write_text(json.dumps(record), encoding="utf-8")
    (problem,) = problems(clone)
    line = next(
        number for number, text in enumerate(page.files(clone)[page.PAGE].split("\n"), 1) if text.startswith("| PyTorch |")
    )
    assert problem.startswith(f"book/benchmarks.md:{line}: is not what the records in benchmarks/results give")
    write(clone)
    assert problems(clone) == []


def test_a_picture_is_made_of_its_record_and_says_so(clone, record):
    picture = clone / "book" / "rooflines" / "cpu-cifar10-mlp-batch-128.svg"
    text = picture.read_text(encoding="utf-8")
    assert text.startswith("<!-- Made by `tito dev export` from benchmarks/results/cpu.json. -->\n<svg")
    assert [node.tag.rpartition("}")[2] for node in ElementTree.fromstring(text)].count("circle") == 3
    assert f"]({picture.relative_to(clone / 'book').as_posix()})" in (clone / page.PAGE).read_text(encoding="utf-8")
    picture.write_text(text.replace("matmul", "matmal"), encoding="utf-8")
    assert [problem.partition(":")[0] for problem in problems(clone)] == ["book/rooflines/cpu-cifar10-mlp-batch-128.svg"]
    picture.unlink()
    assert problems(clone) == ["book/rooflines/cpu-cifar10-mlp-batch-128.svg: does not exist: `tito dev export` writes it"]


def test_a_picture_of_no_record_is_a_problem(clone):
    (clone / "book" / "rooflines" / "old.svg").write_text("<svg/>", encoding="utf-8")
    assert problems(clone) == ["book/rooflines/old.svg: belongs to no record in benchmarks/results: remove it"]


def test_a_record_without_profiles_makes_a_page_without_pictures(clone, record):
    with_profiles = page.files(clone)[page.PAGE]
    del record["cases"][0]["threads"]["1"]["roofline"]
    (clone / "benchmarks" / "results" / "cpu.json").write_text(json.dumps(record), encoding="utf-8")
    assert list(page.files(clone)) == [page.PAGE]
    without = page.files(clone)[page.PAGE]
    assert "roof" not in without and "At the roofs" in with_profiles
    assert not set(without.split("\n\n")) - set(with_profiles.split("\n\n")), "nothing else changes"


def test_a_record_of_captured_steps_comes_last_with_pictures_of_its_own(clone, record):
    record["date"] = "2026-11-29"
    (clone / "benchmarks" / "results" / "capture.json").write_text(json.dumps(record), encoding="utf-8")
    made = page.files(clone)
    assert [name.split("/")[-1] for name in made if "capture" in name] == ["capture-cifar10-mlp-batch-128.svg"]
    assert "2026-11-29" in [line for line in made[page.PAGE].splitlines() if line.startswith("## ")][-1]


def test_other_records_follow_and_none_makes_no_page(clone, record):
    record["machine"]["processor"] = "Intel(R) Xeon(R) Processor (GenuineIntel, family 6, model 143)"
    (clone / "benchmarks" / "results" / "cpu-a.json").write_text(json.dumps(record), encoding="utf-8")
    del record["machine"]["settings"]["OPENBLAS_CORETYPE"]
    (clone / "benchmarks" / "results" / "cpu-b.json").write_text(json.dumps(record), encoding="utf-8")
    headings = [line for line in page.files(clone)[page.PAGE].splitlines() if line.startswith("## ")]
    assert headings == [
        "## AMD EPYC 9V74 80-Core Processor, 2 cores, 2026-11-21, OPENBLAS_CORETYPE=Haswell",
        "## Intel(R) Xeon(R) Processor, 2 cores, 2026-11-21, OPENBLAS_CORETYPE=Haswell",
        "## Intel(R) Xeon(R) Processor, 2 cores, 2026-11-21",
    ]
    for path in page.records(clone):
        path.unlink()
    assert page.files(clone) == {}
