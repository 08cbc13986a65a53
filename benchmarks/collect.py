"""Collect the metrics that several runs of a milestone wrote with `--metrics-json` into one results file.

    python benchmarks/collect.py benchmarks/results/cifar10_mlp.json best-0.json best-1.json best-2.json seed-0.json

Runs that differ only in seed and threads form a group, with the mean of their accuracies and its standard error.
"""

import argparse
import json
import platform
import statistics
from datetime import date
from pathlib import Path

GROUP = (
    "milestone",
    "dataset",
    "model",
    "recipe",
    "frozen_filters",
    "kernels",
    "gradients",
    "epochs",
    "batch_size",
    "lr",
    "hidden",
)
NAMED = ("dataset", "model", "recipe")
KEPT = (
    "seed",
    "threads",
    "test_accuracy",
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
)


def group(runs):
    """Return a summary of runs that differ only in seed and threads."""
    accuracies = [run["test_accuracy"] for run in runs]
    several = len(runs) > 1
    return {
        **{name: runs[0][name] for name in GROUP if name in runs[0]},
        "test_accuracy_mean": statistics.mean(accuracies),
        "test_accuracy_least": min(accuracies),
        "test_accuracy_mean_error": statistics.stdev(accuracies) / len(runs) ** 0.5 if several else None,
        "runs": [{name: run[name] for name in KEPT} for run in runs],
    }


def main():
    """Read, group, write, and print one line for each group."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("result", type=Path, help="file to write")
    options.add_argument("metrics", type=Path, nargs="+", help="files that runs wrote")
    options.add_argument(
        "--note", action="append", default=[], help="a note to keep with the results, such as the machine's load"
    )
    options = options.parse_args()
    groups = {}
    for path in options.metrics:
        run = json.loads(path.read_text(encoding="utf-8"))
        groups.setdefault(tuple(run.get(name) for name in GROUP), []).append(run)
    summaries = [group(runs) for runs in groups.values()]
    result = {
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "notes": options.note,
        "groups": summaries,
    }
    options.result.parent.mkdir(parents=True, exist_ok=True)
    options.result.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for summary in summaries:
        name = " ".join(summary[part] for part in NAMED if part in summary)
        name += " with frozen filters" * summary.get("frozen_filters", False)
        print(
            f"{name or summary['gradients']:10} {len(summary['runs'])} runs of {summary['epochs']} epochs: "
            f"mean {100 * summary['test_accuracy_mean']:.2f} %, lowest {100 * summary['test_accuracy_least']:.2f} %, "
            f"{statistics.mean(run['cpu_seconds'] for run in summary['runs']):.0f} s of CPU time"
        )


if __name__ == "__main__":
    main()
