"""The page of performance shows what was recorded, and each chart says its numbers in words."""

import json
import re

from tito import workspace
from tito.bench import table
from tito.book import performance

ROOT = workspace.course_dir()


def test_each_recorded_step_has_a_chart_with_the_tables_ratios():
    made = performance.pages(ROOT)
    text = made.pop("performance.md")
    charts = {name: drawn for name, drawn in made.items() if "evaluation" not in name}
    records = [json.loads(path.read_text(encoding="utf-8")) for path in performance.records(ROOT)]
    entries = [entry for record in records for entry in record["cases"] if performance.ratios(entry)]
    assert len(entries) == len(charts) > 5
    for entry, (name, drawn) in zip(entries, charts.items()):
        assert f"]({name})" in text and not re.search(r"[ (),]", name)
        result = entry["threads"]["1"]
        for variant, ratio in performance.ratios(entry):
            assert f"{ratio:.2f}" == table.cells(result, variant)[-1]
            assert f"{variant} {ratio:.2f}" in drawn and f">{ratio:.2f}<" in drawn.replace("▸ ", "")
        assert [ratio for _, ratio in performance.ratios(entry)].count(1.0) >= 1


def test_a_course_without_records_has_no_such_page(tmp_path):
    assert performance.pages(tmp_path) == {}


def test_evaluation_is_shown_beside_the_fastest_pytorch():
    parts, charts = performance.evaluation(ROOT)
    record = json.loads((ROOT / performance.EVALUATION).read_text(encoding="utf-8"))
    shown = {case["network"]: case for case in record["cases"] if case["batch"] == 500}
    assert shown.keys() == {"fc", "cnn"} and len(charts) == 2
    for network, case in shown.items():
        drawn = charts[f"charts/chart-evaluation-{network}.svg"]
        assert (
            f"tinytorch numba {case['ratio']:.2f}" in drawn
            and case["ratio"] < 1
            and f"chart-evaluation-{network}.svg" in "".join(parts)
        )
