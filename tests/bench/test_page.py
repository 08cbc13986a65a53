"""The book's page is what the committed records give, to the byte."""
import json
from pathlib import Path

import pytest

from tito.bench import page
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
    (tmp_path / page.PAGE).write_text(page.text(tmp_path), encoding="utf-8")
    return tmp_path


def problems(root):
    return [str(problem) for problem in named("measurements").problems(Course(root))]


def test_the_committed_page_is_what_the_committed_records_give():
    committed = ROOT / page.PAGE
    assert page.text(ROOT) == (committed.read_text(encoding="utf-8") if committed.is_file() else None)


def test_the_page_says_in_its_first_line_what_it_is_made_of(clone):
    first = (clone / page.PAGE).read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("<!-- Made by `tito dev export` from benchmarks/results/cpu.json:")


def test_the_page_names_machine_blas_versions_and_every_figure(clone, record):
    text = (clone / page.PAGE).read_text(encoding="utf-8")
    for word in ("AMD EPYC 9V74", "openblas 0.3.31.188.0 SkylakeX", "PyTorch 2.13.0+cpu, AVX512", "2026-11-21", "slower path on AMD",
                 "| PyTorch channels_last fused | 1242 |", "10.54", "Not measured: needs module 12."):
        assert word in text, word
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.count("|") == rows[start].count("|") for start, line in enumerate(rows[1:], 0) if line.startswith("| ---"))


def test_a_page_out_of_step_is_a_problem(clone, record):
    assert problems(clone) == []
    record["cases"][0]["threads"]["1"]["ratios"]["PyTorch"] = 0.5
    (clone / "benchmarks" / "results" / "cpu.json").write_text(json.dumps(record), encoding="utf-8")
    problem, = problems(clone)
    line = next(number for number, text in enumerate(page.text(clone).split("\n"), 1) if text.startswith("| PyTorch |"))
    assert problem.startswith(f"book/benchmarks.md:{line}: is not what the records in benchmarks/results give")
    (clone / page.PAGE).write_text(page.text(clone), encoding="utf-8")
    assert problems(clone) == []


def test_other_records_follow_and_none_makes_no_page(clone, record):
    record["machine"]["processor"] = "Intel(R) Xeon(R) Processor (GenuineIntel, family 6, model 143)"
    (clone / "benchmarks" / "results" / "cpu-a.json").write_text(json.dumps(record), encoding="utf-8")
    headings = [line for line in page.text(clone).splitlines() if line.startswith("## ")]
    assert headings == ["## AMD EPYC 9V74 80-Core Processor, 2 cores, 2026-11-21", "## Intel(R) Xeon(R) Processor, 2 cores, 2026-11-21"]
    for path in page.records(clone):
        path.unlink()
    assert page.text(clone) is None
