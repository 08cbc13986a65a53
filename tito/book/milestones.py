"""The page of milestones, made from records: what each needs, its command, what it reached, which technique was worth what."""

import json

from tito.book import results
from tito.workspace import is_to_come

HEAD = """# Milestones

A milestone is a script of about 100 lines that trains a network on your package. It shows a progress bar with loss, accuracy and
the time left, saves the weights, draws figures, and resumes with `--resume` after an interruption. Then `tito milestone grade`
loads the saved weights, tests them on images that were not used in training, compares your gradients with finite differences, and
checks that training changed every layer.

```sh
tito milestone list
```

All accuracies below are measured on test images that were not used for any choice; ± is one standard error. The CPU time is that
of the median run.
"""
USUAL = {  # what the commands do without options; tests compare it with the scripts
    "mnist-mlp": {"gradients": "autograd", "epochs": 5},
    "cifar10-mlp": {"recipe": "best", "kernels": "numpy"},
    "lenet5": {"dataset": "mnist", "model": "lenet5", "kernels": "numpy"},
    "cifar10-cnn": {"recipe": "small", "kernels": "numpy"},
}
RESUME = """
## Every milestone's options

| option | what it does |
|---|---|
| `--epochs 2` | number of passes over the data; `--help` shows the recipe's own number |
| `--kernels numba` | runs the kernels of module 10, and given ones, instead of NumPy |
| `--threads 2` | number of threads of the matrix library and of kernels |
| `--seed 1` | different initial weights and batches |
| `--resume` | continues after the last complete epoch, with the same numbers |
| `--metrics-json FILE` | also writes the final table to a file |
"""


def page(course, curriculum):
    """Return the page in Markdown.

    Args:
        course: `pathlib.Path` of the clone.
        curriculum: The `Curriculum`.
    """
    parts = [HEAD]
    for milestone in curriculum.milestones:
        if (course / "milestones" / milestone.script).is_file():
            parts += section(course, curriculum, milestone)
    return "\n".join([*parts, RESUME])


def section(course, curriculum, milestone):
    """Yield the paragraphs on one milestone."""
    links = [
        f"{module.number} {module.title}" if is_to_come(module) else f"[{module.number} {module.title}](modules/{module.folder})"
        for module in map(curriculum.module, milestone.requires)
    ]
    yield f"## {milestone.title}\n"
    floor = f" A grade needs {milestone.floor:g} % on the test images." if milestone.floor else ""
    yield f"`{milestone.name}`, ready after module {', '.join(links)}.{floor}\n"
    yield f"```sh\ntito milestone run {milestone.name}\ntito milestone grade {milestone.name}\n```\n"
    groups = results.of(course, milestone)
    if groups:
        rows = [[results.settings(group, USUAL.get(milestone.name, {})), *results.row(group)] for group, _ in groups]
        where = sorted({results.machine(record) for _, record in groups})
        notes = list(dict.fromkeys(note for _, record in groups for note in record["notes"]))
        yield results.table(["options", *results.HEAD], rows) + "\n"
        yield "Measured: " + "; ".join([*where, *notes]) + ".\n"
    yield from frozen(course, milestone)
    if milestone.data == "cifar10" and "08" in milestone.requires:
        yield from ablation(course)


def frozen(course, milestone):
    """Yield what the network reaches if its filters stay as chance made them."""
    if milestone.frozen:
        yield (
            f"With filters that are never trained (`--frozen-filters`) the same network reaches {milestone.frozen:g} %. The "
            "grade therefore asks for filters that moved, and for more than that.\n"
        )


def ablation(course):
    """Yield the table of what each technique adds."""
    path = course / results.ABLATION
    if not path.is_file():
        return
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
    rows = [
        [run["technique"], f"{100 * run['accuracy']:.1f} ± {100 * run['accuracy_error']:.1f}", f"{run['cpu_seconds']:.0f} s"]
        for run in runs
    ]
    yield "### What each technique adds\n"
    yield (
        f"Accuracy on 5,000 validation images after {runs[0]['epochs']} epochs, one seed; ± is one standard error of the "
        "counting. Each row adds one technique to the row above.\n"
    )
    yield results.table(["technique", "accuracy, %", "CPU time"], rows) + "\n"
    yield "```sh\npython benchmarks/cifar10_ablation.py\n```\n"
