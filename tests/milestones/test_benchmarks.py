"""The scripts that turn runs into results: the ladder of techniques, its table, and the means over seeds."""
import importlib
import json
import subprocess
import sys
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
    steps = [sum(a != b for a, b in zip(one, next)) for one, next in zip(recipes, recipes[1:])]
    assert max(steps) <= 2 and min(steps) == 1, "an optimizer or a schedule comes with its learning rate"


def test_the_table_has_the_mean_and_its_error(ablation):
    runs = [{"technique": name, "accuracy": accuracy, "accuracy_error": 0.007, "cpu_seconds": seconds, "epochs": 8}
            for name, accuracy, seconds in (("+ weight decay 0.05", 0.50, 60), ("+ weight decay 0.05", 0.52, 80),
                                            ("SGD 0.01, pixels from 0 to 1", 0.3, 50))]
    rows = ablation.table({"runs": runs}).splitlines()[4:]
    assert rows == ["| SGD 0.01, pixels from 0 to 1 | 30.0 ± 0.7 | 1 | 50 |", "| + weight decay 0.05 | 51.0 ± 1.2 | 2 | 70 |"]


def test_runs_that_differ_in_their_seed_alone_are_a_group(tmp_path):
    kept = dict.fromkeys(("threads", "test_accuracy_error", "test_loss", "test_loss_error", "seconds", "cpu_seconds", "steps", "step_ms_median",
                          "peak_memory_mb", "blas", "kernels"), 1)
    for number, (recipe, accuracy) in enumerate([("best", 0.60), ("best", 0.62), ("seed", 0.58)]):
        run = {**kept, "recipe": recipe, "gradients": "autograd", "epochs": 3, "seed": number, "test_accuracy": accuracy}
        (tmp_path / f"{number}.json").write_text(json.dumps(run), encoding="utf-8")
    command = [sys.executable, str(ROOT / "benchmarks" / "collect.py"), "out.json", "0.json", "1.json", "2.json", "--note", "a busy machine"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [(one["recipe"], len(one["runs"])) for one in found["groups"]] == [("best", 2), ("seed", 1)]
    assert found["groups"][0]["test_accuracy_mean"] == pytest.approx(0.61)
    assert found["groups"][0]["test_accuracy_mean_error"] == pytest.approx(0.01)
    assert found["groups"][0]["test_accuracy_least"] == 0.60
    assert found["notes"] == ["a busy machine"]
