"""Measure how accurate convolutional networks get with random, frozen filters; `tito milestone grade` compares with that.

    python benchmarks/frozen_filters.py --seeds 0 1 2 --kernels numba --threads 2

Every run is a milestone's own recipe with `--frozen-filters`: BatchNorm and linear layers are trained, convolutions are not.
Finished runs are not repeated. The results are in `benchmarks/results/frozen_filters.json`, and their means in
`modules/curriculum.toml`.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "frozen_filters.json"
RUNS = {
    "lenet5-mnist": "lenet5.py --data mnist --model lenet5",
    "lenet5-cifar10": "lenet5.py --data cifar10 --model lenet5",
    "tutorial-mnist": "lenet5.py --data mnist --model tutorial",
    "tutorial-cifar10": "lenet5.py --data cifar10 --model tutorial",
    "cifar10-cnn": "cifar10_cnn.py --recipe small",
}


def main():
    """Run what has not been run, and collect."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS), help="networks to train (all)")
    options.add_argument("--seeds", type=int, nargs="+", default=[0], help="seeds to run (0)")
    options.add_argument("--runs", type=Path, default=ROOT / "runs" / "frozen", help="folder for the runs (runs/frozen)")
    options.add_argument("--results", type=Path, default=RESULTS, help="file to write (%(default)s)")
    options, passed_on = options.parse_known_args()
    for name in options.only:
        for seed in options.seeds:
            train(options.runs / f"{name}-{seed}", [*RUNS[name].split(), "--seed", str(seed), *passed_on])
    metrics = sorted(options.runs.glob("*/metrics.json"))
    note = "trained with --frozen-filters by benchmarks/frozen_filters.py"
    subprocess.run([sys.executable, ROOT / "benchmarks" / "collect.py", options.results, *metrics, "--note", note], check=True)


def train(folder, words):
    """Train one network, unless its metrics exist already."""
    if not (folder / "metrics.json").exists():
        print(" ".join(words), flush=True)
        subprocess.run(
            [
                sys.executable,
                ROOT / "milestones" / words[0],
                *words[1:],
                "--frozen-filters",
                "--no-figures",
                "--checkpoint",
                folder,
                "--metrics-json",
                folder / "metrics.json",
            ],
            check=True,
        )


if __name__ == "__main__":
    main()
