"""The page of a training step, kernel by kernel: what `tinytorch.capture` wrote down, as a table.

Run as ``python -m tito.book.tape`` it records the steps and prints them as JSON. A row is an op as a whole, with the kernels of
numba: the functions of NumPy that an op calls, or a rule's, one after the other, would be the answer of an exercise.
"""

import importlib.util
import json
import os
import subprocess
import sys

HEAD = """# A training step, kernel by kernel

`tinytorch.capture` writes down every kernel of a training step, and later plays what it wrote: it calls the same functions on the
same memory, and skips the Python between them. What it wrote is called the tape. It is also a complete description of a training
step. Read one from top to bottom: the forward pass, the backward pass in the opposite order, then the optimizer.

These are the tapes of two networks with the numba kernels. A row is an op: the shapes of its arrays, and the bytes that it reads
and writes. Views of an array, such as a reshape, have no row, because nothing runs. `count` is the optimizer's step number, which
goes up. Results go to the arena, one piece of memory in which arrays that are needed at different times share bytes.

To see the tape of your own step, call by call, with the time that each takes, print `step.tape()`:

```python
@tinytorch.capture
def step(images, labels):
    optimizer.zero_grad()
    loss = cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss

for images, labels in loader:
    step(images, labels)
print(step.tape())
```
"""
TITLES = {
    "mlp": "The MNIST MLP, 784-256-10, with SGD and a batch of 128",
    "lenet5": "LeNet-5 with Adam and a batch of 64",
}


def pages(course):
    """Return the page by path; none if the package or numba is not there.

    Args:
        course: `pathlib.Path` of the clone.
    """
    if (
        importlib.util.find_spec("numba") is None
        or not (course / "tinytorch" / "given" / "capture").is_dir()
        or not (course / "tinytorch" / "cnn.py").is_file()
    ):
        return {}
    words = [sys.executable, "-m", "tito.book.tape"]
    env = {**os.environ, "TINYTORCH_WORKSPACE": str(course), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(words, cwd=course, env=env, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise RuntimeError(f"the steps of the page about tapes were not recorded:\n{done.stderr[-2000:]}")
    parts = [HEAD, *(section(TITLES[name], tape) for name, tape in json.loads(done.stdout).items())]
    return {"tape.md": "\n".join(parts)}


def section(title, tape):
    """Return the heading and the table of a tape."""
    rows = ["| op | reads | result | bytes |", "|---|---|---|---:|"]
    rows += [f"| `{op}` | {reads} | {result} | {nbytes:,} |" for op, reads, result, nbytes in tape["rows"]]
    memory = f"The arena has {tape['arena']:,} bytes; all results together have {tape['results']:,}."
    return "\n".join([f"## {title}\n", memory + "\n", *rows, ""])


def tape_of(network, optimizer, shape):
    """Record a step on pictures of noise, and return its tape as numbers and text.

    Args:
        network: The model.
        optimizer: Its optimizer.
        shape: Shape of a batch of pictures.
    """
    import numpy as np

    import tinytorch
    from tinytorch.losses import cross_entropy

    @tinytorch.capture
    def step(images, labels):
        optimizer.zero_grad()
        loss = cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    rng = np.random.default_rng(0)
    for _ in range(3):
        step(tinytorch.Tensor(rng.standard_normal(shape, np.float32)), tinytorch.Tensor(rng.integers(0, 10, shape[0])))
    table, rows = step.tape(), []
    for each in table.entries:
        reads = ", ".join("x".join(map(str, shape)) or "one number" for shape in each["shapes"])
        rows.append((each["name"], reads, each["result"], each["bytes"]))
    return {"rows": rows, "arena": table.arena, "results": table.results}


def main():
    """Record both steps, and print them."""
    import numpy as np

    import tinytorch
    from tinytorch.cnn import LeNet5
    from tinytorch.losses import mlp
    from tinytorch.optim import SGD, Adam

    tinytorch.use("numba")
    rng = np.random.default_rng(0)
    linear, convolutions = mlp(784, 256, 10, rng=rng), LeNet5(1, padding=2, rng=rng)
    tapes = {
        "mlp": tape_of(linear, SGD(linear.parameters(), lr=0.1), (128, 784)),
        "lenet5": tape_of(convolutions, Adam(convolutions.parameters(), lr=1e-3), (64, 1, 28, 28)),
    }
    print(json.dumps(tapes))


if __name__ == "__main__":
    main()
