"""Measure what each technique of the CIFAR-10 recipe gains, on a validation split; the test set is not touched.

    python benchmarks/cifar10_ablation.py --seeds 0 1

Every row adds one technique to the row above, from plain gradient descent to the recipe `best`, on the same network and for
the same few epochs. Results are added to `benchmarks/results/cifar10_ablation.json` row by row, so a stopped run can continue;
`cifar10_ablation.md` is the table made from it. With so few epochs, techniques that need many (changed pictures, weight decay)
gain less here than in a full training run.
"""

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from threadpoolctl import threadpool_limits

from tinytorch.datasets import cifar10
from tinytorch.given.machine import blas
from tinytorch.losses import cross_entropy
from tinytorch.optim import SGD, AdamW
from tinytorch.training import Trainer, evaluate

sys.path.insert(0, str(Path(__file__).parents[1] / "milestones"))
import cifar10_mlp

from common.recipe import descent, loaders

RESULTS = Path(__file__).parent / "results" / "cifar10_ablation.json"
VALIDATION = 5000
BEST = replace(cifar10_mlp.RECIPES["best"], validation=VALIDATION)
PLAIN = replace(
    BEST, optimizer=SGD, lr=0.01, weight_decay=0.0, gain=None, spread=(0, 1), flip=False, shift=0, schedule=cifar10_mlp.constant
)
LADDER = {
    "SGD 0.01, pixels from 0 to 1": {},
    "+ pixels from -2 to 2": {"spread": BEST.spread},
    "+ He's initial weights x 0.7": {"gain": BEST.gain},
    "+ AdamW 3e-4": {"optimizer": AdamW, "lr": 3e-4, "weight_decay": 0.01},  # AdamW's own
    "+ half of the pictures flipped": {"flip": True},
    "+ shifts up to 3 pixels": {"shift": BEST.shift},
    "+ warm-up, cosine, 1.5e-3": {"schedule": BEST.schedule, "lr": BEST.lr},
    "+ weight decay 0.05": {"weight_decay": BEST.weight_decay},
}


def rungs():
    """Yield the name and the recipe of every row."""
    recipe = PLAIN
    for name, change in LADDER.items():
        recipe = replace(recipe, **change)
        yield name, recipe


def measure(data, recipe, seed, epochs):
    """Train with a recipe, and return the results on the validation split."""
    rng = np.random.default_rng(seed)
    model = cifar10_mlp.network(rng, recipe)
    options = SimpleNamespace(epochs=epochs, batch_size=recipe.batch_size, lr=recipe.lr, threads=1, device="cpu")
    training, validation, _ = loaders(data, recipe, cifar10_mlp.scale(recipe), options, rng)
    optimizer, scheduler = descent(recipe, model, options, len(training))
    began = time.process_time()
    history = Trainer(model, cross_entropy, optimizer, scheduler, schedule="step").fit(training, epochs=epochs)
    cpu = time.process_time() - began
    result = evaluate(model, validation, cross_entropy)
    return {
        "seed": seed,
        "epochs": epochs,
        "accuracy": result.accuracy,
        "accuracy_error": result.accuracy_error,
        "loss": result.loss,
        "train_loss": history[-1]["train_loss"],
        "cpu_seconds": cpu,
    }


def table(results):
    """Return the Markdown table of all that has been measured."""
    first = results["runs"][0]
    lines = [
        f"Validation accuracy on {VALIDATION:,} examples after {first['epochs']} epochs; each row adds one technique to "
        "the row above. ± is one standard error, over examples and seeds together; rows share examples and seeds, "
        "so differences between rows are more certain than that.",
        "",
        "| technique | accuracy (%) | seeds | CPU seconds |",
        "|---|---|---|---|",
    ]
    for name in LADDER:
        runs = [run for run in results["runs"] if run["technique"] == name]
        if runs:
            accuracy, seconds = (np.mean([run[key] for run in runs]) for key in ("accuracy", "cpu_seconds"))
            error = np.sqrt(np.mean([run["accuracy_error"] ** 2 for run in runs]) + spread(runs))
            lines.append(f"| {name} | {100 * accuracy:.1f} ± {100 * error:.1f} | {len(runs)} | {seconds:.0f} |")
    return "\n".join(lines) + "\n"


def spread(runs):
    """Return the variance of the mean accuracy that different seeds cause; 0 for one."""
    return np.var([run["accuracy"] for run in runs], ddof=1) / len(runs) if len(runs) > 1 else 0.0


def main():
    """Measure what is missing, and write the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--epochs", type=int, default=8, help="epochs of each run (%(default)s)")
    options.add_argument("--seeds", type=int, nargs="+", default=[0], help="seeds to run (0)")
    options.add_argument("--data-dir")
    options.add_argument("--results", type=Path, default=RESULTS, help="file to add to (%(default)s)")
    options = options.parse_args()
    threadpool_limits(1)
    data, path = cifar10(options.data_dir), options.results
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"runs": []}
    done = {(run["technique"], run["seed"], run["epochs"]) for run in results["runs"]}
    for seed in options.seeds:
        for name, recipe in rungs():
            if (name, seed, options.epochs) in done:
                continue
            run = {"technique": name, **measure(data, recipe, seed, options.epochs)}
            print(f"{name:32} seed {seed}  {100 * run['accuracy']:.2f} %  {run['cpu_seconds']:.0f} s", flush=True)
            results["runs"].append(run)
            results["machine"] = {
                "blas": blas(),
                "cores": os.cpu_count(),
                "python": platform.python_version(),
                "numpy": np.__version__,
                "date": date.today().isoformat(),
            }
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
            path.with_suffix(".md").write_text(table(results), encoding="utf-8")


if __name__ == "__main__":
    main()
