"""The scripts that turn runs into results: the ladder of techniques, its table, and the means over seeds."""

import importlib
import json
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ablation(monkeypatch):
    for folder in ("milestones", "benchmarks"):
        monkeypatch.syspath_prepend(ROOT / folder)
    return importlib.import_module("cifar10_ablation")


def test_the_ladder_ends_at_the_best_recipe_one_technique_at_a_time(ablation):
    names, recipes = zip(*ablation.rungs())
    assert recipes[-1] == ablation.BEST
    steps = [sum(a != b for a, b in zip(astuple(one), astuple(next))) for one, next in zip(recipes, recipes[1:])]
    assert max(steps) <= 3 and min(steps) == 1, (
        "an optimizer comes with its learning rate and decay, a schedule with its learning rate"
    )


def test_the_table_has_the_mean_and_its_error(ablation):
    runs = [
        {"technique": name, "accuracy": accuracy, "accuracy_error": 0.007, "cpu_seconds": seconds, "epochs": 8}
        for name, accuracy, seconds in (
            ("+ weight decay 0.05", 0.50, 60),
            ("+ weight decay 0.05", 0.52, 80),
            ("SGD 0.01, pixels from 0 to 1", 0.3, 50),
        )
    ]
    rows = ablation.table({"runs": runs}).splitlines()[4:]
    assert rows == ["| SGD 0.01, pixels from 0 to 1 | 30.0 ± 0.7 | 1 | 50 |", "| + weight decay 0.05 | 51.0 ± 1.2 | 2 | 70 |"]


def test_runs_that_differ_in_their_seed_alone_are_a_group(tmp_path):
    kept = dict.fromkeys(
        (
            "threads",
            "test_accuracy_error",
            "test_loss",
            "test_loss_error",
            "seconds",
            "cpu_seconds",
            "steps",
            "step_ms_median",
            "peak_memory_mb",
            "blas",
            "kernels",
        ),
        1,
    )
    for number, (recipe, accuracy) in enumerate([("best", 0.60), ("best", 0.62), ("seed", 0.58)]):
        run = {**kept, "recipe": recipe, "gradients": "autograd", "epochs": 3, "seed": number, "test_accuracy": accuracy}
        (tmp_path / f"{number}.json").write_text(json.dumps(run), encoding="utf-8")
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "collect.py"),
        "out.json",
        "0.json",
        "1.json",
        "2.json",
        "--note",
        "a busy machine",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [(one["recipe"], len(one["runs"])) for one in found["groups"]] == [("best", 2), ("seed", 1)]
    assert found["groups"][0]["test_accuracy_mean"] == pytest.approx(0.61)
    assert found["groups"][0]["test_accuracy_mean_error"] == pytest.approx(0.01)
    assert found["groups"][0]["test_accuracy_least"] == 0.60
    assert found["notes"] == ["a busy machine"]


def test_baselines_of_frozen_filters_are_not_run_twice(tmp_path, monkeypatch):
    for folder in ("milestones", "benchmarks"):
        monkeypatch.syspath_prepend(ROOT / folder)
    frozen = importlib.import_module("frozen_filters")
    for words in frozen.RUNS.values():
        script, *options = words.split()
        importlib.import_module(Path(script).stem).read_options([*options, "--frozen-filters"])  # or argparse ends this process
    run = {name: 1 for name in importlib.import_module("collect").KEPT}
    for seed, accuracy in ((0, 0.6), (1, 0.61)):
        path = tmp_path / f"lenet5-mnist-{seed}" / "metrics.json"
        path.parent.mkdir()
        path.write_text(
            json.dumps(
                {
                    **run,
                    "milestone": "lenet5",
                    "model": "lenet5",
                    "frozen_filters": True,
                    "gradients": "autograd",
                    "epochs": 3,
                    "seed": seed,
                    "test_accuracy": accuracy,
                }
            ),
            encoding="utf-8",
        )
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "frozen_filters.py"),
        "--only",
        "lenet5-mnist",
        "--seeds",
        "0",
        "1",
        "--runs",
        str(tmp_path),
        "--results",
        str(tmp_path / "out.json"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    assert "lenet5 with frozen filters 2 runs of 3 epochs: mean 60.50 %" in done.stdout
    (found,) = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["groups"]
    assert found["frozen_filters"] is True and found["test_accuracy_mean"] == pytest.approx(0.605)
