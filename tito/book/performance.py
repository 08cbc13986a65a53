"""The page of performance at a glance: a bar chart for each training step that was recorded beside PyTorch."""

import json
import re

from tito.bench import table
from tito.bench.page import records, stem
from tito.bench.terminal import settings
from tito.book.svg import BLUE, GREEN, LINE, ORANGE, SOFT, Drawing

HEAD = """# Performance at a glance

The charts show how long a training step takes with this course's framework, relative to the fastest PyTorch on the same machine,
in the same run. 1 is PyTorch's time, and below 1 is faster. The times are CPU times on one thread. All variants did the same work
with the same weights and reached the same losses. [Compared with PyTorch](benchmarks) has every number with its error, results
for two threads, memory use, and how everything was measured.

To measure your own package in the same way, on your own machine:

```sh
tito bench
```
"""
EVALUATION = "benchmarks/results/evaluation.json"
EVALUATED = """## 10,000 digits, evaluated

How long the two networks of ggml's `mnist-eval` take for a digit, on one thread, with batches of {batch}, beside PyTorch in
several settings. `python benchmarks/evaluation.py` measures it. Most of what PyTorch takes for the convolutional network by
default is `max_pool2d`, which also finds where each maximum is; a network that was traced and optimised for inference does not.

"""
LEFT, BAR, GAP, WIDTH = 202, 20, 9, 408  # narrow, so that its words can be read on a phone
MOST = 2.5  # where a bar ends that would be longer, with a mark


def pages(course):
    """Return the page and its charts by path; none if nothing is recorded.

    Args:
        course: `pathlib.Path` of the clone.
    """
    paths = records(course)
    if not paths:
        return {}
    made, parts = {}, [HEAD]
    for path in paths:
        record = json.loads(path.read_text(encoding="utf-8"))
        here = record["machine"]
        parts.append("## " + ", ".join([here["processor"].partition(" (")[0], record["date"], *settings(here)]) + "\n")
        for entry in record["cases"]:
            rows = ratios(entry)
            if rows:
                case = re.sub(r"\W+", "-", f"{stem(path.name)}-{entry['case']}-{entry['size']}").strip("-")
                name = f"charts/chart-{case}.svg"
                drawn = chart(table.heading(entry), rows)
                made[name] = str(drawn)
                parts.append(f"**{table.heading(entry)}**\n\n![{drawn.title}]({name})\n")
    evaluated, charts = evaluation(course)
    return {"performance.md": "\n".join([*parts, *evaluated]), **made, **charts}


def evaluation(course, batch=500):
    """Return the paragraphs on evaluation, and their charts by path; nothing if it was not measured.

    Args:
        course: `pathlib.Path` of the clone.
        batch: Digits in the batches that are shown.
    """
    path = course / EVALUATION
    if not path.is_file():
        return [], {}
    record, parts, made = json.loads(path.read_text(encoding="utf-8")), [EVALUATED.format(batch=batch)], {}
    parts.append(f"{record['machine']['processor'].partition(' (')[0]}, {record['date']}.\n")
    for case in record["cases"]:
        if case["batch"] == batch:
            medians = {name: median for name, (_, median, _) in case["microseconds"].items()}
            fastest = min(time for name, time in medians.items() if name.startswith("PyTorch"))
            rows = sorted(((name, time / fastest) for name, time in medians.items()), key=lambda pair: pair[1])
            heading = f"{case['network']}: the fastest PyTorch takes {fastest:.1f} µs a digit"
            drawn, name = chart(heading, rows), f"charts/chart-evaluation-{case['network']}.svg"
            made[name] = str(drawn)
            parts.append(f"**{heading}**\n\n![{drawn.title}]({name})\n")
    return parts, made


def ratios(entry):
    """Return pairs of a variant and its ratio on one thread, fastest first; none if the case has no PyTorch to compare with."""
    result = entry["threads"].get("1")
    if not result:
        return []
    cells = {name: table.cells(result, name)[-1] for name in table.names(entry)}
    return sorted(
        ((name, float(cell)) for name, cell in cells.items() if cell.replace(".", "").isdigit()), key=lambda pair: pair[1]
    )


def chart(heading, rows):
    """Return a bar chart; a line marks 1.

    Args:
        heading: What was measured.
        rows: Pairs of a name and a ratio.
    """
    told = ", ".join(f"{name} {ratio:.2f}" for name, ratio in rows)
    height = 30 + len(rows) * (BAR + GAP)
    sheet = Drawing(WIDTH, height, f"{heading}. Times, where the fastest PyTorch is 1: {told}.")
    most = min(MOST, max(1.2, *(ratio for _, ratio in rows)))
    scale = (WIDTH - LEFT - 62) / most
    sheet.line((LEFT + scale, 2), (LEFT + scale, height - 20), colour=ORANGE, dashed=True)
    for at, (name, ratio) in enumerate(rows):
        y = 8 + at * (BAR + GAP)
        ours = not name.startswith(("PyTorch", "tinygrad"))
        sheet.text(LEFT - 8, y + 15, name, 13, anchor="end")
        sheet.box(
            LEFT, y, max(2, scale * min(ratio, most)), BAR, GREEN if ours and ratio < 1 else BLUE if ours else SOFT, radius=2
        )
        sheet.text(WIDTH - 6, y + 15, f"{'▸ ' * (ratio > most)}{ratio:.2f}", 13, anchor="end")
    sheet.text(LEFT + scale, height - 6, "1: fastest PyTorch", 12, colour=ORANGE)
    sheet.line((LEFT, 2), (LEFT, height - 20), colour=LINE)
    return sheet
