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
LEFT, BAR, GAP, WIDTH = 190, 20, 9, 520
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
    return {"performance.md": "\n".join(parts), **made}


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
    sheet = Drawing(WIDTH, height, f"{heading}: time of a step, where the fastest PyTorch is 1: {told}.")
    most = min(MOST, max(1.2, *(ratio for _, ratio in rows)))
    scale = (WIDTH - LEFT - 75) / most
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
