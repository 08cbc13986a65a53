"""Show a record in a terminal of 80 columns."""

from io import StringIO

from tito.bench import bounds
from tito.console import plain, to_ascii, wrap

WIDTH = 80
CLOCKS = {"cpu": "CPU", "wall": "wall"}
MEMORY = "Peak memory of a process, in MB (of which after the imports)"
NOT_INSTALLED = "is not installed"
WAITED = 1.1  # wall time divided by CPU time on one thread: above it, other processes used the core


def words(threads):
    """Return a number of threads in words."""
    return "1 thread" if str(threads) == "1" else f"{threads} threads"


def heading(entry):
    """Return the heading of a table."""
    return f"{entry['title']}: {entry['size']}" if entry.get("size") else entry["title"]


def amount(ms):
    """Format a time in milliseconds with three significant digits."""
    return (
        f"{ms:.0f}"
        if ms >= 1000
        else f"{ms:.3g}"
        if ms >= 100
        else f"{ms:.1f}"
        if ms >= 10
        else f"{ms:.2f}"
        if ms >= 1
        else f"{ms:.3f}"
    )


def spread(times):
    """Return half the distance between the quartiles, in percent of the median."""
    return f"±{50 * (times['high'] - times['low']) / times['median']:.0f}%" if times["median"] else ""


def cells(result, name):
    """Return the three cells of a variant for one number of threads: time, spread, ratio."""
    variant = result["variants"].get(name)
    if variant is None:
        return ["", "", ""]
    times = variant[f"{result['clock']}_ms"]
    ratio = result["ratios"].get(name)
    return [amount(times["median"]), spread(times), f"{ratio:.2f}" if ratio is not None else ""]


def names(entry):
    """List the variants of an entry, in the order of its cases."""
    return list(dict.fromkeys(name for result in entry["threads"].values() for name in result["variants"]))


def times(entry):
    """Return the lines of the table of one case at one size; more than two numbers of threads need a second table."""
    lines, counts = ["", heading(entry)], list(entry["threads"])
    for pair in (counts[start : start + 2] for start in range(0, len(counts), 2)):
        results = [entry["threads"][threads] for threads in pair]
        columns = [("", "left")]
        for threads, result in zip(pair, results):
            columns += [(f"{words(threads)}\n{CLOCKS[result['clock']]} ms", "right"), ("", "right"), ("\nratio", "right")]
        lines += render(columns, [[name, *(cell for result in results for cell in cells(result, name))] for name in names(entry)])
    said = notes(entry)
    said += [f"{words(threads)}, {line}" for threads, result in entry["threads"].items() for line in limits(result)]
    return lines + [f"  {part}" for note in said for part in wrap(note, WIDTH - 2).split("\n")]


def notes(entry):
    """Return the lines below a table: speeds, the gain from numba, waiting times, absent variants."""
    said = []
    for threads, result in entry["threads"].items():
        said += [f"{words(threads)}, {line}" for line in (*speeds(result, entry.get("flop")), *gains(result), *waits(result))]
    absent = {
        name: reason for result in entry["threads"].values() for name, reason in result["absent"].items() if not missing(reason)
    }
    return said + [f"without {name}: {reason}" for name, reason in absent.items()]


def missing(reason):
    """Return whether a variant is absent because a package is not installed, which is printed once, above all tables."""
    return reason.endswith(NOT_INSTALLED)


def speeds(result, flop):
    """Yield the floating-point operations per second of each variant, if their number is known."""
    clock = f"{result['clock']}_ms"
    rates = [f"{name} {flop / times[clock]['median'] / 1e6:.0f}" for name, times in result["variants"].items()] if flop else []
    if rates:
        yield f"GFLOP/s: {', '.join(rates)}"


def gains(result):
    """Yield how much faster numba is than NumPy."""
    clock = f"{result['clock']}_ms"
    medians = {name: times[clock]["median"] for name, times in result["variants"].items()}
    for way in ("tinytorch", "by hand"):
        if {f"{way} numpy", f"{way} numba"} <= set(medians):
            yield f"{way}: numba is {medians[f'{way} numpy'] / medians[f'{way} numba']:.2f} x as fast as numpy"


def limits(result):
    """Yield the least time a step could take on this machine and where its time went, or why that is unknown."""
    if "failed" in result.get("roofline", {}):
        yield f"no roofline: {result['roofline']['failed']}"
    step, peer = bounds.fastest(result), bounds.peer(result)
    if step:
        whole, name = (peer, "PyTorch's") if peer else (step.ms, "our")
        parts = [f"{part / whole:.2f}" for part in (step.products, step.others, step.outside)]
        by_peer = f", {step.roof / peer:.2f} of PyTorch's" if peer else ""
        yield f"at the machine's roofs: {amount(step.roof)} ms, {step.roof / step.ms:.2f} of ours{by_peer}"
        yield f"{step.kernels}: products {parts[0]}, other ops {parts[1]}, rest {parts[2]} of {name} step"


def waits(result):
    """Yield a warning when variants had to wait for a core."""
    waited = [times["wall_ms"]["median"] / times["cpu_ms"]["median"] for times in result["variants"].values()]
    if result["clock"] == "cpu" and waited and max(waited) > WAITED:
        yield f"a busy machine: wall time up to {max(waited):.1f} x CPU time"


def memory(entries):
    """Return the lines of the table of peak memory."""
    columns = [("", "left"), *((f"{entry['case']}\n{entry['size']}", "right") for entry in entries)]
    return ["", MEMORY, *render(columns, memory_rows(entries))]


def memory_rows(entries):
    """Return the rows of the table of peak memory: a variant's name and its peak in each case."""
    fullest = sorted(entries, key=lambda entry: -len(entry["variants"]))  # the longest list sets the order
    names = dict.fromkeys(name for entry in fullest for name in entry["variants"])
    return [[name, *(peak(entry["variants"].get(name)) for entry in entries)] for name in names]


def peak(usage):
    """Return a cell with the peak memory, and how much of it came after the imports."""
    if not usage or usage["absent"] or not usage["peak_mb"]:
        return ""
    added = f" (+{usage['peak_mb'] - usage['imported_mb']:.0f})" if usage["imported_mb"] else ""
    return f"{usage['peak_mb']:.0f}{added}"


def imports(entry):
    """Return the lines of the table of imports."""
    columns = [("", "left"), ("CPU ms", "right"), ("", "right"), ("wall ms", "right"), ("", "right"), ("peak MB", "right")]
    absent = [wrap(f"  without {name}: {reason}") for name, reason in entry["absent"].items() if not missing(reason)]
    return ["", entry["title"], *render(columns, import_rows(entry)), *absent]


def import_rows(entry):
    """Return the rows of the table of imports: a name, two times with their spread, and memory."""
    return [
        [
            name,
            *(cell for clock in ("cpu_ms", "wall_ms") for cell in (amount(times[clock]["median"]), spread(times[clock]))),
            f"{times['peak_mb']:.0f}" if times["peak_mb"] else "",
        ]
        for name, times in entry["variants"].items()
    ]


def render(columns, rows):
    """Return the lines of a table."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=0)
    for name, side in columns:
        table.add_column(name, justify=side, no_wrap=True)
    for row in rows:
        table.add_row(*(to_ascii(cell) if plain() else cell for cell in row))  # before rich sets the columns' widths
    paper = Console(file=StringIO(), width=WIDTH, color_system=None)
    paper.print(table)
    return [line.rstrip() for line in paper.file.getvalue().splitlines()]
