"""Whole networks, captured: the same numbers as without it, the memory, and what `tape()` shows."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import tinytorch
from tinytorch.cnn import LeNet5
from tinytorch.layers import Dropout, Linear, ReLU, Sequential
from tinytorch.losses import cross_entropy
from tinytorch.optim import SGD, Adam, LambdaLR, warmup_cosine
from tinytorch.tensor import Tensor

STEPS = 50


def mnist_mlp(rng):
    """Make the network of the milestone, with dropout."""
    return Sequential(Linear(784, 256, rng=rng), ReLU(), Dropout(0.2, rng=rng), Linear(256, 10, rng=rng))


def lenet5(rng):
    """Make LeNet-5, with dropout before it."""
    return Sequential(Dropout(0.1, rng=rng), LeNet5(1, padding=2, rng=rng))


NETWORKS = {"mnist-mlp": (mnist_mlp, SGD, (128, 784), 0.1), "lenet5": (lenet5, Adam, (32, 1, 28, 28), 2e-3)}


def training(name, use):
    """Return a step of a network, its model, and the schedule of its learning rate."""
    make, optimizer_class, _, lr = NETWORKS[name]
    model = make(np.random.default_rng(0))
    optimizer = optimizer_class(model.parameters(), lr=lr)

    def step(x, y):
        optimizer.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return use(step), model, LambdaLR(optimizer, warmup_cosine(10, STEPS))


def batch(name, rng):
    """Return a batch of random pictures and labels."""
    shape = NETWORKS[name][2]
    return Tensor(rng.standard_normal(shape, np.float32)), Tensor(rng.integers(0, 10, shape[0]))


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize("name", NETWORKS)
def test_fifty_steps_are_equal_bit_for_bit(name, kernels):
    """Batches, the learning rate and dropout change in each step; every loss, weight and gradient is the same."""
    if kernels == "numba":
        pytest.importorskip("numba")
    outcomes = []
    with tinytorch.use(kernels):
        for use in (lambda step: step, tinytorch.capture):
            (step, model, schedule), rng, losses = training(name, use), np.random.default_rng(1), []
            for _ in range(STEPS):
                losses.append(step(*batch(name, rng)).item())
                schedule.step()
            outcomes.append((losses, [x.data.copy() for p in model.parameters() for x in (p, p.grad)]))
    assert [*map(len, step.tapes.values())] == [1], "the step was not replayed"
    assert outcomes[0][0] == outcomes[1][0]
    assert all(map(np.array_equal, outcomes[0][1], outcomes[1][1]))


def peak(function):
    """Return the most bytes that were allocated while a function ran, above those before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        function()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_tape_takes_no_more_memory_than_the_step(name):
    """The arena with its scratch is at most the peak of the step as it is, and recording at most four times that."""
    pytest.importorskip("numba")
    rng = np.random.default_rng(2)
    with tinytorch.use("numba"):
        plain, model, _ = training(name, lambda step: step)
        for _ in range(2):
            plain(*batch(name, rng))
        data = batch(name, rng)
        for p in model.parameters():
            p.grad = None
        eager = peak(lambda: plain(*data))
        run, _, _ = training(name, tinytorch.capture)
        run(*batch(name, rng))
        batches = [batch(name, rng) for _ in range(3)]
        recording = max(peak(lambda b=b: run(*b)) for b in batches[:2])
        replay = peak(lambda: run(*batches[2]))
    (tape,) = [tape for kept in run.tapes.values() for tape in kept]
    print(f"{name}: eager {eager:,}, arena {tape.player.bytes:,}, recording {recording:,}, replay {replay:,}")
    assert tape.player.bytes <= eager
    assert recording <= 4 * eager


def test_the_tape_is_shown_line_by_line():
    """Each line has the kernel, the shape of its result, bytes, microseconds and the code; looking changes nothing."""
    run, model, _ = training("mnist-mlp", tinytorch.capture)
    assert run.tape() is None
    rng = np.random.default_rng(3)
    for _ in range(4):
        run(*batch("mnist-mlp", rng))
    before = [p.data.copy() for p in model.parameters()]
    table = run.tape()
    assert all(np.array_equal(a, p.data) for a, p in zip(before, model.parameters()))
    shown = repr(table)
    names = [line["name"] for line in table.lines]
    assert {"linear", "relu", "cross_entropy", "sgd_update"} <= set(names)
    assert all(line["microseconds"] > 0 for line in table.lines)
    assert "128x256" in shown and "arena" in shown and len(shown.splitlines()) == len(table.lines) + 3


def test_the_milestone_takes_capture(tmp_path):
    """`--capture` trains the same network to the same loss."""
    rows = []
    script = Path(tinytorch.__file__).parents[1] / "milestones" / "mnist_mlp.py"
    for more in ([], ["--capture"]):
        out = tmp_path / f"{len(more)}.json"
        command = [sys.executable, str(script), "--data", "mnist-5k", "--epochs", "1", "--metrics-json", str(out), *more]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        rows.append(out.read_text(encoding="utf-8"))
    losses = [[line for line in row.splitlines() if "loss" in line] for row in rows]
    assert losses[0] and losses[0] == losses[1]


def test_the_readme_keeps_its_promise():
    """The step in the README is recorded by the third call, replays the same numbers, and refuses .item() with its line."""
    text = (Path(tinytorch.__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    code = text.split("## Recording a training step")[1].split("```python\n")[1].split("```")[0]
    losses = []
    for captured in (code, code.replace("@tinytorch.capture\n", "")):
        model = mnist_mlp(np.random.default_rng(0))
        names = dict(tinytorch=tinytorch, cross_entropy=cross_entropy, model=model, optimizer=SGD(model.parameters(), lr=0.1))
        exec(captured, names)
        rng = np.random.default_rng(4)
        losses.append([names["step"](*batch("mnist-mlp", rng)).item() for _ in range(6)])
    assert losses[0] == losses[1]
    exec(code.replace("return loss", "return loss.item()"), names)
    names["step"](*batch("mnist-mlp", rng))
    with pytest.raises(RuntimeError, match=r"<string>:\d+ reads numbers"):
        names["step"](*batch("mnist-mlp", rng))
