"""What a record looks like in a terminal of 80 columns."""

from io import StringIO

from tito.bench import bounds
from tito.console import plain, to_ascii, wrap

WIDTH = 80
CLOCKS = {"cpu": "CPU", "wall": "wall"}
MEMORY = "Peak memory of a process, in MB (what came after the imports)"
NOT_INSTALLED = "is not installed"
WAITED = 1.1  # wall time by CPU time on one thread: beyond it, others had the core


def words(threads):
    """Return a number of threads in words."""
    return "1 thread" if str(threads) == "1" else f"{threads} threads"


def heading(entry):
    """Return what a table is about."""
    return f"{entry['title']}: {entry['size']}" if entry.get("size") else entry["title"]


def amount(ms):
    """Return a time in milliseconds, three digits of it."""
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


def spread(one):
    """Return half of what lies between the quartiles, in percent of the median."""
    return f"±{50 * (one['high'] - one['low']) / one['median']:.0f}%" if one["median"] else ""


def cells(result, name):
    """Return the three cells of a variant for one number of threads: time, spread, ratio."""
    found = result["variants"].get(name)
    if found is None:
        return ["", "", ""]
    clock = found[f"{result['clock']}_ms"]
    ratio = result["ratios"].get(name)
    return [amount(clock["median"]), spread(clock), f"{ratio:.2f}" if ratio is not None else ""]


def names(entry):
    """List the variants of an entry, in the order of its cases."""
    found = [name for result in entry["threads"].values() for name in result["variants"]]
    return list(dict.fromkeys(found))


def times(entry):
    """Return the lines of the table of one case in one size; more than two numbers of threads need a second table."""
    lines, threads = ["", heading(entry)], list(entry["threads"])
    for pair in (threads[start : start + 2] for start in range(0, len(threads), 2)):
        results = [entry["threads"][one] for one in pair]
        columns = [("", "left")]
        for one, result in zip(pair, results):
            columns += [(f"{words(one)}\n{CLOCKS[result['clock']]} ms", "right"), ("", "right"), ("\nratio", "right")]
        lines += render(columns, [[name, *(cell for result in results for cell in cells(result, name))] for name in names(entry)])
    said = [*notes(entry), *(f"{words(one)}, {line}" for one, result in entry["threads"].items() for line in limits(result))]
    return lines + [f"  {part}" for note in said for part in wrap(note, WIDTH - 2).split("\n")]


def notes(entry):
    """Return the lines below a table: speeds, what numba gains, who had to wait, who is absent."""
    found = []
    for threads, result in entry["threads"].items():
        found += [f"{words(threads)}, {said}" for said in (*speeds(result, entry.get("flop")), *gains(result), *waits(result))]
    absent = {
        name: reason for result in entry["threads"].values() for name, reason in result["absent"].items() if not missing(reason)
    }
    return found + [f"without {name}: {reason}" for name, reason in absent.items()]


def missing(reason):
    """Say whether somebody is absent because it is not installed, which is said once, above all tables."""
    return reason.endswith(NOT_INSTALLED)


def speeds(result, flop):
    """Yield how many floating-point operations each variant does in a second, where their number is known."""
    clock = f"{result['clock']}_ms"
    found = [f"{name} {flop / one[clock]['median'] / 1e6:.0f}" for name, one in result["variants"].items()] if flop else []
    if found:
        yield f"GFLOP/s: {', '.join(found)}"


def gains(result):
    """Yield how much faster numba is than NumPy."""
    clock = f"{result['clock']}_ms"
    medians = {name: one[clock]["median"] for name, one in result["variants"].items()}
    for way in ("tinytorch", "by hand"):
        if {f"{way} numpy", f"{way} numba"} <= set(medians):
            yield f"{way}: numba is {medians[f'{way} numpy'] / medians[f'{way} numba']:.2f} x as fast as numpy"


def limits(result):
    """Yield how little a step could take on this machine, and what it took instead; or why that is not known."""
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
    waited = [one["wall_ms"]["median"] / one["cpu_ms"]["median"] for one in result["variants"].values()]
    if result["clock"] == "cpu" and waited and max(waited) > WAITED:
        yield f"a busy machine: wall time up to {max(waited):.1f} x CPU time"


def memory(entries):
    """Return the lines of the table of peak memory."""
    columns = [("", "left"), *((f"{entry['case']}\n{entry['size']}", "right") for entry in entries)]
    return ["", MEMORY, *render(columns, memory_rows(entries))]


def memory_rows(entries):
    """Return the rows of the table of peak memory: a variant's name, and a peak for each case."""
    fullest = sorted(entries, key=lambda entry: -len(entry["variants"]))  # its order is that of all
    found = dict.fromkeys(name for entry in fullest for name in entry["variants"])
    return [[name, *(peak(entry["variants"].get(name)) for entry in entries)] for name in found]


def peak(one):
    """Return a peak of memory, and what of it came after the imports, as a cell."""
    if not one or one["absent"] or not one["peak_mb"]:
        return ""
    return f"{one['peak_mb']:.0f}" + (f" (+{one['peak_mb'] - one['imported_mb']:.0f})" if one["imported_mb"] else "")


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
            *(cell for clock in ("cpu_ms", "wall_ms") for cell in (amount(one[clock]["median"]), spread(one[clock]))),
            f"{one['peak_mb']:.0f}" if one["peak_mb"] else "",
        ]
        for name, one in entry["variants"].items()
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
        table.add_row(*(to_ascii(cell) if plain() else cell for cell in row))  # before columns get their width
    paper = Console(file=StringIO(), width=WIDTH, color_system=None)
    paper.print(table)
    return [line.rstrip() for line in paper.file.getvalue().splitlines()]
