"""`tito bench --device cuda`: kernels and a training step on a GPU, beside PyTorch and CuPy, timed by the device's own events.

Run as ``python -m tito.bench.gpu FILE`` in a process of its own, started in the workspace. TF32 is off in PyTorch, because our
kernels compute in float32. Without a GPU the record says why nothing was measured.
"""

import importlib
import json
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np

from tito import machine
from tito.bench import table
from tito.bench.measuring import turns

ROUNDS, CALLS = 20, 10  # of each variant, in turn; calls between two events
SIZES = {"relu": 2**26, "adam": 10**7, "cross_entropy": (65536, 1000), "matmul": 4096, "mnist_mlp": (128, 256)}
SMALL = {"relu": 100, "adam": 100, "cross_entropy": (4, 10), "matmul": 20, "mnist_mlp": (2, 4)}  # for the tests, in the simulator


def ours(name, size):
    """Return a function that does a case's work once, on our package."""
    import tinytorch
    from tinytorch import losses, optim

    rng = np.random.default_rng(0)

    def there(*shape):
        return tinytorch.Tensor(rng.standard_normal(shape, np.float32)).to("cuda")

    if name == "relu":
        x = there(size)
        return lambda: x.relu()
    if name == "matmul":
        a, b = there(size, size), there(size, size)
        return lambda: a @ b
    if name == "adam":
        arrays = [there(size).abs().data for _ in range(5)]
        return lambda: optim.adam_update(*arrays, step=10, lr=1e-3)
    if name == "cross_entropy":
        logits, labels = there(*size).requires_grad_(), tinytorch.Tensor(rng.integers(0, size[1], size[0])).to("cuda")
        return lambda: losses.cross_entropy(logits, labels).backward()
    batch, neurons = size
    model = losses.mlp(784, neurons, 10, rng=rng).to("cuda")
    images, labels = there(batch, 784), tinytorch.Tensor(rng.integers(0, 10, batch)).to("cuda")
    return training_step(model, optim.SGD(model.parameters(), lr=0.1), losses.cross_entropy, images, labels)


def training_step(model, optimizer, criterion, images, labels):
    """Return a function that trains on one batch; ours and PyTorch's read the same."""

    def step():
        optimizer.zero_grad()
        criterion(model(images), labels).backward()
        optimizer.step()

    return step


def captured(name, size):
    """Return our training step, captured: its launches are made by graphs."""
    import tinytorch

    if name != "mnist_mlp":
        raise NotImplementedError("only a training step is captured")
    step = tinytorch.capture(ours(name, size))
    for _ in range(3):
        step()
    return step


def pytorch(name, size):
    """Return a function that does a case's work once, in PyTorch."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False

    def there(*shape):
        return torch.randn(*shape, device="cuda")

    if name == "relu":
        x = there(size)
        return lambda: torch.relu(x)
    if name == "matmul":
        a, b = there(size, size), there(size, size)
        return lambda: a @ b
    if name == "adam":
        x = there(size).requires_grad_()
        x.grad = there(size)
        return torch.optim.Adam([x], lr=1e-3, fused=True).step
    if name == "cross_entropy":
        logits, labels = there(*size).requires_grad_(), torch.randint(0, size[1], size[:1], device="cuda")
        return lambda: torch.nn.functional.cross_entropy(logits, labels).backward()
    batch, neurons = size
    model = torch.nn.Sequential(torch.nn.Linear(784, neurons), torch.nn.ReLU(), torch.nn.Linear(neurons, 10)).cuda()
    images, labels = there(batch, 784), torch.randint(0, 10, (batch,), device="cuda")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return training_step(model, optimizer, torch.nn.functional.cross_entropy, images, labels)


def pytorch_graph(name, size):
    """Return PyTorch's work of a case, captured as a CUDA graph."""
    import torch

    step, stream = pytorch(name, size), torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def cupy(name, size):
    """Return a function that does a case's work once, in CuPy, which has arrays and products."""
    import cupy

    if name not in ("relu", "matmul"):
        raise NotImplementedError("CuPy trains no networks")
    x = cupy.random.standard_normal(size if name == "relu" else (size, size), dtype=cupy.float32)
    return (lambda: cupy.maximum(x, 0)) if name == "relu" else (lambda: x @ x)


VARIANTS = {"tinytorch": ours, "captured": captured, "PyTorch": pytorch, "PyTorch graph": pytorch_graph, "CuPy": cupy}


def timed(step, events, calls=CALLS):
    """Return the milliseconds of a call, by two events of the device.

    Args:
        step: The function to call.
        events: Function that returns an event with ``record()``, ``synchronize()`` and ``until(other)``, in milliseconds.
        calls: Calls between the two events.
    """
    begin, end = events(), events()
    begin.record()
    for _ in range(calls):
        step()
    end.record()
    end.synchronize()
    return begin.until(end) / calls


class NumbaEvent:
    """An event of numba's CUDA; other libraries' kernels run in the same default stream."""

    def __init__(self):
        from tinytorch.given.gpu.backend import cuda

        self.cuda, self.event = cuda, cuda.event()

    def record(self):
        """Mark the moment at which the device has done everything so far."""
        self.event.record()

    def synchronize(self):
        """Wait for that moment."""
        self.event.synchronize()

    def until(self, other):
        """Return the milliseconds to another event."""
        return self.cuda.event_elapsed_time(self.event, other.event)


class WallEvent:
    """A moment of the wall clock, where there is no device with events: for the tests."""

    def record(self):
        """Mark now."""
        self.seconds = time.perf_counter()

    def synchronize(self):
        """Do nothing."""

    def until(self, other):
        """Return the milliseconds to another event."""
        return 1000 * (other.seconds - self.seconds)


def measure(name, size, events, rounds=ROUNDS, calls=CALLS):
    """Time all variants of a case in turn.

    Returns:
        Dict: the case, its size, the milliseconds of each variant (median and quartiles), and why others are absent.
    """
    steps, absent = {}, {}
    for variant, make in VARIANTS.items():
        try:
            steps[variant] = make(name, size)
            steps[variant]()  # kernels are compiled
        except Exception as error:  # a peer that is not there, or that cannot do this
            missing = isinstance(error, ImportError) and error.name in ("torch", "cupy")
            absent[variant] = f"{error.name} {table.NOT_INSTALLED}" if missing else f"{type(error).__name__}: {error}"
    samples = {variant: [] for variant in steps}
    for _, variant in turns(list(steps), rounds) if steps else ():
        samples[variant].append(timed(steps[variant], events, calls))
    quartiles = {variant: [float(ms) for ms in np.percentile(values, [50, 25, 75])] for variant, values in samples.items()}
    milliseconds = {variant: dict(zip(("median", "low", "high"), values)) for variant, values in quartiles.items()}
    return {"case": name, "size": size, "ms": milliseconds, "absent": absent}


def versions(packages=("numba-cuda-mlir", "numba-cuda", "numba", "torch", "cupy", "numpy")):
    """Return the versions of those packages that are installed."""
    from tinytorch.given.gpu.backend import version

    return {package: version(package) for package in packages if version(package)}


def driver():
    """Return the version of the driver, or None if it does not say."""
    path = Path("/proc/driver/nvidia/version")
    return path.read_text(encoding="utf-8").splitlines()[0] if path.exists() else None


def record(sizes=None, events=NumbaEvent, **settings):
    """Return the record of a run: date, GPU, driver, versions and cases; or why there is none, as ``skipped``."""
    from tinytorch.given.gpu import backend, starting

    chosen = backend.choose()
    header = {"date": date.today().isoformat(), "machine": machine.describe(), "backend": chosen.name, "gpu": chosen.gpu}
    if chosen.gpu is None and sizes is None:
        return {**header, "skipped": f"there is no GPU: {chosen.why}"}
    starting.start()
    cases = [measure(name, size, events, **settings) for name, size in (sizes or SIZES).items()]
    return {**header, "driver": driver(), "versions": versions(), "cases": cases}


def lines(made):
    """Return a record as lines of text."""
    if "skipped" in made:
        return [f"skipped: {made['skipped']}"]
    text = [f"{made['gpu'] or made['backend']}, driver {made['driver']}"]
    for entry in made["cases"]:
        text.append(f"{entry['case']} {entry['size']}")
        text += [f"  {name:15}{ms['median']:10.4f} ms  ({ms['low']:.4f} to {ms['high']:.4f})" for name, ms in entry["ms"].items()]
        text += [f"  {name:15}{reason}" for name, reason in entry["absent"].items()]
    return text


if __name__ == "__main__":
    importlib.import_module("tinytorch")
    Path(sys.argv[1]).write_text(json.dumps(record()), encoding="utf-8")
