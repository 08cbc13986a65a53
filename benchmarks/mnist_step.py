"""Time a training step of the MNIST MLP here and in PyTorch, one thread each, interleaved in one process.

    python benchmarks/mnist_step.py --steps 400

Both draw the same batches from the same bytes, standardise them, go forwards and backwards through 784-256-10, and take
an SGD step. CPU time, median over the steps; the ratio of the medians is what counts, because the two share whatever else
the machine does.
"""
import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from tinytorch.losses import mlp, mlp_gradients
from tinytorch.tensor import Tensor

sys.path.insert(0, str(Path(__file__).parents[1] / "milestones"))
from common.machine import blas  # noqa: E402
from mnist_mlp import PIXELS, standardise, train_step  # noqa: E402

WARM_UP = 20


def our_step(images, labels, lr):
    """Return a function of a batch's indices that takes one step on the course's package."""
    model = mlp(784, 256, 10, rng=np.random.default_rng(0))

    def step(batch):
        return train_step(mlp_gradients, model, standardise(images[batch], *PIXELS["MNIST"]), Tensor(labels[batch]), lr)

    return step


def torch_step(images, labels, lr):
    """Return a function of a batch's indices that takes one step in PyTorch."""
    model = torch.nn.Sequential(torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    criterion = torch.nn.CrossEntropyLoss()
    images, labels = torch.from_numpy(images.reshape(len(images), -1)), torch.from_numpy(labels.astype(np.int64))
    mean, std = PIXELS["MNIST"]

    def step(batch):
        batch = torch.from_numpy(batch)
        rows = images[batch].float().mul_(1 / (255 * std)).sub_(mean / std)
        optimizer.zero_grad()
        loss = criterion(model(rows), labels[batch])
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def cpu_milliseconds(step, batch):
    """Return the CPU time of one step."""
    began = time.process_time_ns()
    step(batch)
    return (time.process_time_ns() - began) / 1e6


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--steps", type=int, default=400, help="of each (%(default)s)")
    options.add_argument("--batch-size", type=int, default=128, help="examples in a step (%(default)s)")
    options.add_argument("--json", metavar="FILE", type=Path, help="write the figures to a file, too")
    options = options.parse_args()
    threadpool_limits(1)
    torch.set_num_threads(1)

    rng = np.random.default_rng(0)
    images, labels = rng.integers(256, size=(60_000, 28, 28), dtype=np.uint8), rng.integers(10, size=60_000, dtype=np.uint8)
    steps = {"tinytorch": our_step(images, labels, 0.01), "pytorch": torch_step(images, labels, 0.01)}
    times = {name: [] for name in steps}
    for _ in range(WARM_UP + options.steps):
        batch = rng.integers(len(images), size=options.batch_size)
        for name, step in steps.items():
            times[name].append(cpu_milliseconds(step, batch))
    medians = {name: statistics.median(values[WARM_UP:]) for name, values in times.items()}
    figures = {**{f"{name}_ms": value for name, value in medians.items()}, "ratio": medians["tinytorch"] / medians["pytorch"],
               "steps": options.steps, "batch_size": options.batch_size, "blas": blas(), "torch": torch.__version__}
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(f"a step of {options.batch_size}, CPU time, one thread, median of {options.steps}")
    print(f"  tinytorch  {medians['tinytorch']:.3f} ms   BLAS {figures['blas']}")
    print(f"  pytorch    {medians['pytorch']:.3f} ms   torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
    print(f"  ratio      {figures['ratio']:.3f}")


if __name__ == "__main__":
    main()
