"""The book's page of measurements, made of the records that are kept in `benchmarks/results`."""
import json

from tito.bench import table
from tito.bench.report import about

PAGE = "book/benchmarks.md"
RECORDS = "benchmarks/results"
FIRST = "cpu.json"
MADE = "<!-- Made by `tito dev export` from {records}: run `tito bench --json {first}` to measure anew. -->"
INTRODUCTION = """
# Measured beside PyTorch

The framework of this course, made of the reference solutions, beside PyTorch and tinygrad on the CPU: the same networks with the
same weights, the same batches, the same optimizers. Before anything is timed, all have to arrive at the same loss, twice, with a
step between. Then they take turns, in an order that is drawn anew for every round, in one process for each table; a turn begins
with a step that is not timed. A time is the median of the turns, the figure behind it half of what lies between the quartiles.
**The ratio is a time divided by that of the fastest PyTorch in the table, which has 1.00: below 1 is faster.** On one thread it
compares CPU time, on several wall time.

`numpy` and `numba` are our kernel sets, `by hand` finds gradients with the functions of module 04 instead of autograd, `fused` is
PyTorch's optimizer with `fused=True`, and `channels_last` its memory format for images. `tito bench` measures your own package in
this way, on your own machine.
"""


def text(root):
    """Return the page.

    Args:
        root: `pathlib.Path` of the clone.

    Returns:
        Markdown; None when there is no record.
    """
    paths = records(root)
    if not paths:
        return None
    names = [path.relative_to(root).as_posix() for path in paths]
    parts = [MADE.format(records=", ".join(names), first=names[0]), INTRODUCTION.strip()]
    for path in paths:
        parts += section(json.loads(path.read_text(encoding="utf-8")))
    return "\n\n".join(parts) + "\n"


def records(root):
    """Return the paths of the records, the one with each library's own choice of kernels first."""
    return sorted((root / RECORDS).glob("cpu*.json"), key=lambda path: (path.name != FIRST, path.name))


def section(record):
    """Yield the paragraphs on one machine."""
    here = record["machine"]
    yield f"## {here['processor'].partition(' (')[0]}, {here['cores']} cores, {record['date']}"
    yield "\n".join(f"- {line}" for line in about(record))
    for entry in record["cases"]:
        yield f"### {table.heading(entry)}"
        yield times(entry) if entry["threads"] else f"Not measured: {'needs module ' + ', '.join(entry['needs']) if 'needs' in entry else 'failed'}."
        if entry["threads"] and table.notes(entry):
            yield "\n".join(f"- {line}" for line in table.notes(entry))
    if "imports" in record:
        yield f"### {record['imports']['title']}"
        yield imports(record["imports"])
    if record.get("memory"):
        yield f"### {table.MEMORY}"
        yield memory(record["memory"])


def times(entry):
    """Return a case's table."""
    head = [""]
    for threads, result in entry["threads"].items():
        head += [f"{table.words(threads)}, {table.CLOCKS[result['clock']]} ms", "", "ratio"]
    rows = [[name, *(cell for result in entry["threads"].values() for cell in table.cells(result, name))] for name in table.names(entry)]
    return markdown(head, rows)


def imports(entry):
    """Return the table of imports."""
    return markdown(["", "CPU ms", "", "wall ms", "", "peak MB"], table.import_rows(entry))


def memory(entries):
    """Return the table of peak memory."""
    return markdown(["", *(f"{entry['case']}, {entry['size']}" for entry in entries)], table.memory_rows(entries))


def markdown(head, rows):
    """Return a table in Markdown, numbers to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
