"""The book's page of measurements and its pictures, made from the records in `benchmarks/results`."""

import json
from pathlib import PurePosixPath

from tito.bench import figure, measuring, table
from tito.bench.terminal import about, settings
from tito.workspace import BESIDE_BLAS

FOLDER = "book"
PAGE = f"{FOLDER}/benchmarks.md"
RECORDS = "benchmarks/results"
FIRST, CAPTURED = "cpu.json", "capture.json"
MADE = "<!-- Made by `tito dev export` from {records}: run `tito bench --json {first}` to measure again. -->"
DRAWN = "<!-- Made by `tito dev export` from {record}. -->"
INTRODUCTION = """
# Compared with PyTorch

This page compares the framework of this course, built from the reference solutions, with PyTorch and tinygrad on the CPU. All
variants use the same networks, weights, batches and optimizers. Before the timing starts, they must reach the same loss three
times, with a step in between. Then they take turns in one process per table, in a new random order every round. A turn begins
with a step that is not timed, and lasts at least {sample:.0f} milliseconds, because training steps follow each other without a
pause. A time is the median of the turns, and the number after it is half the distance between the quartiles. **The ratio is a
time divided by that of the fastest PyTorch in the table, so below 1 is faster.** It compares CPU time on one thread, and wall
time on several threads.

On several threads, OpenBLAS threads go to sleep `2**{timeout}` clock ticks after their last product, as in `tito milestone run`.
With OpenBLAS's default, `2**26`, they would keep the cores busy for 20 milliseconds, while the kernels' threads wait. The
variable `OPENBLAS_THREAD_TIMEOUT` sets this; set it before Python starts.

`numpy` and `numba` are our kernel sets. `by hand` computes gradients with the functions of module 04 instead of autograd. `fused`
is PyTorch's optimizer with `fused=True`, and `channels_last` is its memory format for images. `captured` records our step once
and replays it, with `tinytorch.capture`. `tito bench` measures your own package in the same way, on your own machine.
"""


def files(root):
    """Return the page and its pictures.

    Args:
        root: `pathlib.Path` of the clone.

    Returns:
        Dict from path within the clone to text; empty when there is no record.
    """
    by_name = {path.relative_to(root).as_posix(): json.loads(path.read_text(encoding="utf-8")) for path in records(root)}
    pictures = {
        f"{FOLDER}/{figure.path(stem(name), entry)}": f"{DRAWN.format(record=name)}\n{figure.picture(result)}\n"
        for name, record in by_name.items()
        for entry, result in profiled(record)
    }
    return {PAGE: text(by_name), **pictures} if by_name else {}


def text(by_name):
    """Return the page in Markdown.

    Args:
        by_name: Dict from the name of a record's file to the record.
    """
    names = list(by_name)
    how = INTRODUCTION.strip().format(sample=1e3 * measuring.SAMPLE, timeout=BESIDE_BLAS["OPENBLAS_THREAD_TIMEOUT"])
    parts = [MADE.format(records=", ".join(names), first=names[0]), how]
    parts += [figure.READING.strip()] * any(map(profiled, by_name.values()))
    for name, record in by_name.items():
        parts += section(stem(name), record)
    return "\n\n".join(parts) + "\n"


def stem(name):
    """Return the name of a record: `cpu` for `benchmarks/results/cpu.json`."""
    return PurePosixPath(name).stem


def profiled(record):
    """List the profiled cases of a record, each with the result that holds the profiles."""
    return [(entry, result) for entry in record["cases"] if (result := figure.profiled(entry))]


def committed(root):
    """List the page and the pictures that exist, as paths within the clone."""
    paths = [root / PAGE, *sorted((root / FOLDER / figure.FOLDER).glob("*.svg"))]
    return [path.relative_to(root).as_posix() for path in paths if path.is_file()]


def records(root):
    """Return the paths of the records; first the one in which each library chose its own kernels, last that of captured steps."""
    whole = sorted((root / RECORDS).glob("cpu*.json"), key=lambda path: (path.name != FIRST, path.name))
    return [*whole, *(root / RECORDS).glob(CAPTURED)]


def section(name, record):
    """Yield the paragraphs on one machine."""
    here = record["machine"]
    yield "## " + ", ".join([here["processor"].partition(" (")[0], f"{here['cores']} cores", record["date"], *settings(here)])
    yield "\n".join(f"- {line}" for line in about(record))
    for entry in record["cases"]:
        yield f"### {table.heading(entry)}"
        yield (
            times(entry)
            if entry["threads"]
            else f"Not measured: {'needs module ' + ', '.join(entry['needs']) if 'needs' in entry else 'failed'}."
        )
        if entry["threads"] and table.notes(entry):
            yield "\n".join(f"- {line}" for line in table.notes(entry))
        if result := figure.profiled(entry):
            yield from figure.paragraphs(result, figure.path(name, entry))
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
    rows = [
        [name, *(cell for result in entry["threads"].values() for cell in table.cells(result, name))]
        for name in table.names(entry)
    ]
    return markdown(head, rows)


def imports(entry):
    """Return the table of imports."""
    return markdown(["", "CPU ms", "", "wall ms", "", "peak MB"], table.import_rows(entry))


def memory(entries):
    """Return the table of peak memory."""
    return markdown(["", *(f"{entry['case']}, {entry['size']}" for entry in entries)], table.memory_rows(entries))


def markdown(head, rows):
    """Return a Markdown table with numbers aligned right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
