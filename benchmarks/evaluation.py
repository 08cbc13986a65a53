"""Measure how long 10,000 digits take to evaluate, beside PyTorch, on one thread.

    python benchmarks/evaluation.py

The networks are those of ggml's `mnist-eval`: fc, 784-500-10, and cnn, two convolutions of 8 and 16 channels and a linear layer.
All variants have the same weights and the same batches, the 1,000 test digits that come with the course ten times over, and must
give the same logits before anything is timed. They take turns in one process, in a new random order every round; a time is the
median of the turns, in CPU time.

PyTorch is measured in several settings, and the ratio is to the fastest of them: of its default time for cnn, two thirds are
`max_pool2d`, which also finds the positions of the maxima unless a traced network is optimised for inference. The results are in
`benchmarks/results/evaluation.json`.
"""

import argparse
import contextlib
import json
import os
from datetime import date
from pathlib import Path

for library in (
    "OMP",
    "MKL",
    "OPENBLAS",
):  # before they start: else PyTorch's cnn takes two to three times as long
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "evaluation.json"
COUNT = 10_000
SHAPES = {
    "fc": [(500, 784), (10, 500)],
    "cnn": [(8, 1, 3, 3), (16, 8, 3, 3), (10, 784)],
}
MOST = {"fc": 1.0, "cnn": 0.9}  # of PyTorch's time, for our numba kernels


def main():
    """Measure both networks, print a table, and record it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--batches", type=int, nargs="+", default=[100, 500, 1000], help="digits in a batch (%(default)s)")
    options.add_argument("--rounds", type=int, default=15, help="turns of each variant (%(default)s)")
    options.add_argument("--seconds", type=float, default=60, help="time for each network and batch (%(default)s)")
    options.add_argument("--results", type=Path, default=RESULTS, help="file to write (%(default)s)")
    options = options.parse_args()

    from tito import machine

    record = {"date": date.today().isoformat(), "machine": machine.describe(), "libraries": machine.libraries(), "digits": COUNT}
    record["cases"] = [measured(name, batch, options) for name in SHAPES for batch in options.batches]
    options.results.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print("wrote", options.results)


def measured(name, batch, options):
    """Measure a network with batches of one size; return and print its times in microseconds a digit."""
    times = measure(name, batch, options.rounds, options.seconds)
    print(f"{name}, batch {batch}: ratio {ratio(times):.2f}")
    for variant, (low, median, high) in sorted(times.items(), key=lambda pair: pair[1][1]):
        print(f"  {variant:24} {median:7.2f} us a digit ({low:.2f} to {high:.2f})", flush=True)
    return {"network": name, "batch": batch, "ratio": round(ratio(times), 3), "microseconds": times}


def measure(name, batch, rounds=15, seconds=60):
    """Return the quartiles of each variant's times, in microseconds of CPU time a digit.

    Args:
        name: Name of the network.
        batch: Digits in a batch.
        rounds: Turns of each variant.
        seconds: Time after which no new round starts.
    """
    import torch
    from threadpoolctl import threadpool_limits

    from tinytorch.datasets import mnist_5k
    from tito.bench import measuring
    from tito.models import network

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    arrays = {}
    for number, shape in enumerate(SHAPES[name]):
        arrays[f"{3 * number}.weight"] = (rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        arrays[f"{3 * number}.bias"] = rng.standard_normal(shape[0]).astype(np.float32)
    layers = network.plan({key: array.shape for key, array in arrays.items()})
    model = network.Network(arrays, layers, network.UNIT, "", {})
    images = network.inputs(model, np.tile(mnist_5k().test_images, (10, 1, 1)))  # digits: how long a pool takes depends on them
    variants = {**ours(model, images, batch), **theirs(torch, model, images, batch)}
    with threadpool_limits(1):
        require_the_same(variants)
        samples = measuring.measure(variants, rounds, seconds)
    quartiles = {key: np.percentile([cpu for cpu, _ in taken], [25, 50, 75]) for key, taken in samples.items()}
    return {key: [round(float(value), 3) for value in 1e6 * values / COUNT] for key, values in quartiles.items()}


def ratio(times):
    """Return our time with numba over that of the fastest PyTorch."""
    return times["tinytorch numba"][1] / min(values[1] for key, values in times.items() if key.startswith("PyTorch"))


def ours(model, images, batch):
    """Return our variants: both kernel sets."""
    import tinytorch
    from tinytorch.tensor import Tensor
    from tito.models import network

    built, parts = network.built(model), [Tensor(images[i : i + batch]) for i in range(0, COUNT, batch)]

    @contextlib.contextmanager
    def context(kernels):
        with tinytorch.use(kernels), tinytorch.no_grad():
            yield

    return {
        f"tinytorch {kernels}": variant(lambda part: built(part).data, parts, lambda kernels=kernels: context(kernels))
        for kernels in ("numpy", "numba")
    }


def theirs(torch, model, images, batch):
    """Return PyTorch's variants: as it is, with the memory format for images, without oneDNN, and traced and frozen."""
    built, last = sequential(torch, model), torch.channels_last
    parts = torch.tensor(images).split(batch)
    made = {"PyTorch": (built, parts, torch.inference_mode)}
    made["PyTorch traced"] = (traced(torch, built, parts[0]), parts, torch.inference_mode)
    if any(layer["kind"] == "conv2d" for layer in model.layers):
        by_channel = sequential(torch, model).to(memory_format=last)
        formatted = [part.to(memory_format=last) for part in parts]
        made["PyTorch channels_last"] = (by_channel, formatted, torch.inference_mode)
        made["PyTorch without oneDNN"] = (built, parts, lambda: without_onednn(torch))
    return {name: variant(lambda part, run=run: run(part).numpy(), parts, how) for name, (run, parts, how) in made.items()}


@contextlib.contextmanager
def without_onednn(torch):
    """Let PyTorch use its own convolutions."""
    with torch.inference_mode(), torch.backends.mkldnn.flags(enabled=False):
        yield


def traced(torch, built, part):
    """Return a network that PyTorch traced, froze and optimised for this batch."""
    with torch.no_grad():
        return torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(built, part)))


def sequential(torch, model):
    """Return a network made of PyTorch's layers, with the same weights."""
    made = []
    for layer in model.layers:
        weight, kind = model.arrays.get(layer.get("weight")), layer["kind"]
        if kind == "conv2d":
            made.append(torch.nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], padding=layer["padding"]))
        elif kind == "linear":
            made.append(torch.nn.Linear(weight.shape[1], weight.shape[0]))
        elif kind == "max_pool2d":
            made.append(torch.nn.MaxPool2d(layer["size"]))
        else:
            made.append({"relu": torch.nn.ReLU, "flatten": torch.nn.Flatten}[kind]())
        if weight is not None:
            made[-1].load_state_dict({part: torch.from_numpy(model.arrays[layer[part]]) for part in ("weight", "bias")})
    return torch.nn.Sequential(*made).eval()


def variant(run, parts, context):
    """Return a variant that evaluates all batches in a step; its check is the logits of the first."""
    from tito.bench.variants import Variant

    def step(number):
        for part in parts:
            run(part)

    return Variant(step, lambda: run(parts[0]), context)


def require_the_same(variants):
    """Raise if two variants compute other logits."""
    first = None
    for name, made in variants.items():
        with made.context():
            logits = np.array(made.check())
        first = logits if first is None else first
        np.testing.assert_allclose(logits, first, rtol=1e-4, atol=1e-4, err_msg=name)


if __name__ == "__main__":
    main()
