"""Draw the pictures of the book's first page from runs of two milestones.

    tito milestone run mnist-mlp --checkpoint runs/mlp --metrics-json runs/mlp.json
    tito milestone run lenet5 --checkpoint runs/lenet --metrics-json runs/lenet.json
    python benchmarks/book_pictures.py runs/mlp runs/lenet

It writes `digits`, `weights` and `curves` into `book/figures`, for light and for dark pages, and `book/_static/card.png`.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "milestones")]

import mnist_mlp
import numpy as np
from safetensors.numpy import load_file

from tinytorch.datasets import mnist
from tinytorch.drawing.training import figure
from tito.book import figures

FOLDER = ROOT / "book" / "figures"
COUNT = 16  # pictures, in two rows


def history(folder):
    """Return the records of a run's epochs."""
    return json.loads(folder.with_suffix(".json").read_text(encoding="utf-8"))["history"]


def network(module, folder):
    """Return a milestone's trained network, and the transform of its inputs."""
    choices = {"dataset": "mnist", "model": "lenet5"}
    model, transform = module.rebuild(np.random.default_rng(0), choices)
    model.load_state_dict(load_file(folder / "weights.safetensors"))
    return model.eval(), transform


def digits(data, model, transform):
    """Draw the first pictures of the test data with the network's answers, wrong ones in red."""
    scores = model(transform(data.test_images[:COUNT])).data
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    new, axes = figure(2, COUNT // 2, size=(8, 2.5))
    for axis, picture, label, share in zip(axes.flat, data.test_images, data.test_labels, shares):
        axis.imshow(picture, cmap="gray")
        axis.set_xticks([])
        axis.set_yticks([])
        answer = int(share.argmax())
        axis.set_xlabel(f"{answer}  {100 * share[answer]:.0f} %", color="black" if answer == label else "red", fontsize=11)
    return new


def weights(model):
    """Draw what the hidden units with the longest weights look for: red where ink counts for it, blue where it counts against."""
    rows = next(model.parameters()).data
    chosen = np.argsort(-np.linalg.norm(rows, axis=1))[:COUNT]
    new, axes = figure(2, COUNT // 2, size=(8, 2.1))
    for axis, row in zip(axes.flat, rows[chosen]):
        axis.imshow(row.reshape(28, 28), cmap="RdBu_r", vmin=-abs(row).max(), vmax=abs(row).max())
        axis.axis("off")
    return new


def curves(runs):
    """Draw the accuracy of each run after each epoch."""
    new, ((axis,),) = figure(size=(6.4, 3))
    for name, records in runs.items():
        measured = "test_accuracy" if "test_accuracy" in records[0] else "validation_accuracy"
        axis.plot([record["epoch"] for record in records], [100 * record[measured] for record in records], ".-", label=name)
    axis.set(xlabel="epoch", ylabel="accuracy (%)")
    axis.grid(alpha=0.3)
    axis.legend()
    return new


def card(data):
    """Draw the picture that a link to the book shows elsewhere, 1200 by 630 pixels."""
    from matplotlib.figure import Figure

    new = Figure(figsize=(12, 6.3), dpi=100, facecolor="#14304f")
    new.text(0.06, 0.76, "TinyTorch", color="white", fontsize=64, weight="bold")
    new.text(0.06, 0.62, "Write a deep-learning framework in twelve notebooks,", color="white", fontsize=25)
    new.text(0.06, 0.54, "and then it really works.", color="white", fontsize=25)
    for at, picture in enumerate(data.test_images[:10]):
        axis = new.add_axes((0.06 + 0.0885 * at, 0.14, 0.08, 0.24))
        axis.imshow(picture, cmap="gray")
        axis.axis("off")
    return new


def save(name, new, alt):
    """Write a figure for light and for dark pages."""
    for shade, shown in (("", new), ("-dark", figures.in_the_dark(new))):
        (FOLDER / f"{name}{shade}.png").write_bytes(figures.png(shown))
    print(f"{name}: {alt}")


def main():
    """Read the runs, draw, write."""
    mlp, lenet = map(Path, sys.argv[1:])
    FOLDER.mkdir(exist_ok=True)
    data = mnist()
    model, transform = network(mnist_mlp, mlp)
    save("digits", digits(data, model, transform), f"the first {COUNT} test pictures")
    save("weights", weights(model), f"{COUNT} hidden units")
    save("curves", curves({"MLP, 784-256-10": history(mlp), "LeNet-5": history(lenet)}), "accuracies")
    card(data).savefig(ROOT / "book" / "_static" / "card.png", dpi=100)


if __name__ == "__main__":
    main()
