"""Time a training step of the MNIST MLP by hand, by autograd and in PyTorch: one thread each, interleaved.

    python benchmarks/mnist_step.py --json benchmarks/results/mnist_step.json

All draw the same batches, go forwards and backwards through 784-256-10, and take an SGD step. With
`--inputs bytes` the pictures are standardised batch by batch, as the milestone does; with
`--inputs floats` that is done once, before the clock runs, which leaves the network alone. What
counts is the ratio of the medians of CPU time, beside the processor architecture that each matrix
library was built for: whatever else the machine does, it does to all.
"""
import argparse
import json
import os
import platform
import statistics
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from tinytorch.losses import mlp
from tinytorch.tensor import Tensor

sys.path.insert(0, str(Path(__file__).parents[1] / "milestones"))
from common.gradients import GRADIENTS, train_step  # noqa: E402
from common.machine import blas  # noqa: E402
from mnist_mlp import PIXELS, standardise  # noqa: E402

WARM_UP = 20
LR = 0.01
MEAN, STD = PIXELS["MNIST"]


def our_step(gradients, images, labels):
    """Return a function of a batch's indices that takes one step on the course's package."""
    model = mlp(784, 256, 10, rng=np.random.default_rng(0))

    def step(batch):
        inputs = images[batch]
        inputs = standardise(inputs, MEAN, STD) if inputs.dtype == np.uint8 else Tensor(inputs)
        return train_step(gradients, model, inputs, Tensor(labels[batch]), LR)

    return step


def torch_step(images, labels):
    """Return a function of a batch's indices that takes one step in PyTorch."""
    nn = torch.nn
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    optimizer, criterion = torch.optim.SGD(model.parameters(), lr=LR), nn.CrossEntropyLoss()
    images, labels = torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64))

    def step(batch):
        batch = torch.from_numpy(batch)
        inputs = images[batch]
        if inputs.dtype == torch.uint8:
            inputs = inputs.float().mul_(1 / (255 * STD)).sub_(MEAN / STD)
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels[batch])
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def medians(steps, batches):
    """Return the median CPU time of each step function, in milliseconds, all taking turns."""
    times = {name: [] for name in steps}
    for batch in batches:
        for name, step in steps.items():
            began = time.process_time_ns()
            step(batch)
            times[name].append((time.process_time_ns() - began) / 1e6)
    return {name: statistics.median(values[WARM_UP:]) for name, values in times.items()}


def read_options():
    """Read the command line."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--steps", type=int, default=400, help="of each (%(default)s)")
    options.add_argument("--batch-size", type=int, default=128, help="(%(default)s)")
    options.add_argument("--inputs", choices=["bytes", "floats"], default="bytes")
    options.add_argument("--json", metavar="FILE", type=Path, help="write the figures to a file")
    return options.parse_args()


def main():
    """Measure, and print or write the figures."""
    options = read_options()
    threadpool_limits(1)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(60_000, 784), dtype=np.uint8)
    labels = rng.integers(10, size=60_000, dtype=np.uint8)
    if options.inputs == "floats":
        images = standardise(images, MEAN, STD).data
    batches = rng.integers(60_000, size=(WARM_UP + options.steps, options.batch_size))
    steps = {kind: our_step(gradients, images, labels) for kind, gradients in GRADIENTS.items()}
    times = medians({**steps, "pytorch": torch_step(images, labels)}, batches)
    figures = {"ms": times, "autograd_to_manual": times["autograd"] / times["manual"],
               "autograd_to_pytorch": times["autograd"] / times["pytorch"],
               "steps": options.steps, "batch_size": options.batch_size, "inputs": options.inputs,
               **circumstances()}
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    show(figures)


def circumstances():
    """Return what else decides a timing."""
    return {"blas": blas(), "pytorch": torch.__version__,
            "pytorch_cpu": torch.backends.cpu.get_cpu_capability(), "numpy": np.__version__,
            "python": platform.python_version(), "machine": processor(), "cores": os.cpu_count(),
            "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
            "date": date.today().isoformat()}


def processor():
    """Return the processor's name, as far as the system tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def show(figures):
    """Print the figures."""
    print(f"a step of {figures['batch_size']} from {figures['inputs']}: CPU time, one thread each, "
          f"median of {figures['steps']}")
    for kind, ms in figures["ms"].items():
        by = f"{figures['pytorch']} {figures['pytorch_cpu']}" if kind == "pytorch" else figures["blas"]
        print(f"  {kind:9} {ms:.3f} ms   {by}")
    print(f"  autograd / manual {figures['autograd_to_manual']:.3f}, and "
          f"{1000 * (figures['ms']['autograd'] - figures['ms']['manual']):.0f} us more;  "
          f"autograd / pytorch {figures['autograd_to_pytorch']:.3f}")


if __name__ == "__main__":
    main()
