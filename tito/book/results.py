"""Tables of what milestones reached, made from the runs recorded in `benchmarks/results`."""

import json
import statistics

RECORDS = "benchmarks/results"
ABLATION = f"{RECORDS}/cifar10_ablation.json"
HEAD = ["test accuracy, %", "runs", "epochs", "CPU time of a run", "kernels"]


def groups(course):
    """List the groups of runs that differ in nothing but the seed, each with the record that it is from.

    Args:
        course: `pathlib.Path` of the clone.
    """
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((course / RECORDS).glob("*.json"))]
    return [(group, record) for record in records for group in record.get("groups", ()) if not group.get("frozen_filters")]


def of(course, milestone):
    """List a milestone's groups: first those of several runs, then the more accurate ones."""
    own = [(group, record) for group, record in groups(course) if group["milestone"] == milestone.name]
    return sorted(own, key=lambda pair: (len(pair[0]["runs"]) < 2, -pair[0]["test_accuracy_mean"]))


def accuracy(group):
    """Return the mean accuracy of a group's runs with its standard error, in percent."""
    runs = group["runs"]
    error = group["test_accuracy_mean_error"] if len(runs) > 1 else runs[0]["test_accuracy_error"]
    return f"{100 * group['test_accuracy_mean']:.2f}\xa0±\xa0{100 * error:.2f}"


def span(seconds):
    """Return a time as seconds or minutes."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def row(group):
    """Return the cells of a group, in the order of `HEAD`."""
    seconds = statistics.median(run["cpu_seconds"] for run in group["runs"])
    return [accuracy(group), str(len(group["runs"])), str(group["epochs"]), span(seconds), group["runs"][0]["kernels"]]


def settings(group, usual):
    """Return what to add to the milestone's command for a group's runs, as code; "as it is" for nothing.

    Args:
        group: The group.
        usual: Dict with the values that need no option.
    """
    flags = {
        "dataset": "data",
        "gradients": "gradients",
        "model": "model",
        "recipe": "recipe",
        "epochs": "epochs",
        "kernels": "kernels",
    }
    given = [f"--{flag} {group[name]}" for name, flag in flags.items() if name in usual and group.get(name) != usual[name]]
    return f"`{' '.join(given)}`" if given else "as it is"


def machine(record):
    """Say on what a record was measured."""
    blas = sorted({run["blas"] for group in record["groups"] for run in group["runs"]})
    processor = next((name for name in ("x86_64", "aarch64", "arm64", "AMD64") if name in record["system"]), "").replace("_", "-")
    return f"{record['date']}, {record['system'].split('-')[0]} {processor}, Python {record['python']}, {', '.join(blas)}"


def best(course, curriculum):
    """Return the first page's table: the best group of each milestone, as Markdown; "" if nothing is recorded."""
    first = [(milestone, *of(course, milestone)[0]) for milestone in curriculum.milestones if of(course, milestone)]
    if not first:
        return ""
    rows = [[f"[{milestone.title}](milestones.md)", *row(group)] for milestone, group, _ in first]
    dates = " and ".join(sorted({record["date"] for _, _, record in first}))
    where = f"Measured on {dates}; ± is one standard error. [The machine, and what to know about the data](milestones.md)"
    return table(["network", *HEAD], rows) + f"\n\n{where}.\n"


def table(head, rows):
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
