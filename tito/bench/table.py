"""What a record looks like in a terminal of 80 columns."""
from io import StringIO

WIDTH = 80


def words(threads):
    """Return a number of threads in words."""
    return "1 thread" if str(threads) == "1" else f"{threads} threads"


def heading(entry):
    """Return what a table is about."""
    return f"{entry['title']}: {entry['size']}" if entry.get("size") else entry["title"]


def amount(ms):
    """Return a time in milliseconds, three digits of it."""
    return f"{ms:.0f}" if ms >= 1000 else f"{ms:.3g}" if ms >= 100 else f"{ms:.1f}" if ms >= 10 else f"{ms:.2f}" if ms >= 1 else f"{ms:.3f}"


def spread(one):
    """Return half of what lies between the quartiles, in percent of the median."""
    return f"±{50 * (one['high'] - one['low']) / one['median']:.0f} %" if one["median"] else ""


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
    """Return the lines of the table of one case in one size."""
    columns = [("", "left")]
    for threads, result in entry["threads"].items():
        columns += [(f"{words(threads)}\n{result['clock']} ms", "right"), ("", "right"), ("ratio", "right")]
    rows = [[name, *(cell for result in entry["threads"].values() for cell in cells(result, name))] for name in names(entry)]
    return render(heading(entry), columns, rows) + notes(entry)


def notes(entry):
    """Return the lines below a table: who is fastest of PyTorch, what numba gains, who waited, who is absent."""
    found = []
    for threads, result in entry["threads"].items():
        found += [f"{words(threads)}: {'; '.join(said)}"] if (said := [*gains(result), *waits(result)]) else []
    absent = {name: reason for result in entry["threads"].values() for name, reason in result["absent"].items()}
    return [f"  {line}" for line in found] + [f"  left out: {name}: {reason}" for name, reason in absent.items()]


def gains(result):
    """Yield which PyTorch the ratios are to, and how much faster numba is than NumPy."""
    if result["fastest_pytorch"]:
        yield f"ratio to {result['fastest_pytorch']}"
    clock = f"{result['clock']}_ms"
    medians = {name: one[clock]["median"] for name, one in result["variants"].items()}
    if {"tinytorch numpy", "tinytorch numba"} <= set(medians):
        yield f"numba is {medians['tinytorch numpy'] / medians['tinytorch numba']:.2f} x as fast as numpy"


def waits(result):
    """Yield a warning when variants had to wait for a core."""
    if result["clock"] == "cpu":
        waited = [one["wall_ms"]["median"] / one["cpu_ms"]["median"] for one in result["variants"].values()]
        if waited and max(waited) > 1.1:
            yield "the machine was busy: wall time was up to " f"{max(waited):.1f} x CPU time"


def memory(entries):
    """Return the lines of the table of peak memory."""
    columns = [("peak of a process, MB", "left"), *((entry["case"], "right") for entry in entries)]
    found = dict.fromkeys(name for entry in entries for name in entry["variants"])
    rows = [[name, *(peak(entry["variants"].get(name)) for entry in entries)] for name in found]
    return render("Memory, after a few steps", columns, rows)


def peak(one):
    """Return a peak of memory, as a cell."""
    return f"{one['peak_mb']:.0f}" if one and not one["absent"] and one["peak_mb"] else ""


def imports(entry):
    """Return the lines of the table of imports."""
    columns = [("", "left"), ("CPU ms", "right"), ("", "right"), ("wall ms", "right"), ("", "right"), ("peak MB", "right")]
    rows = [[name, *(cell for clock in ("cpu_ms", "wall_ms") for cell in (amount(one[clock]["median"]), spread(one[clock]))),
             f"{one['peak_mb']:.0f}" if one["peak_mb"] else ""] for name, one in entry["variants"].items()]
    return render(entry["title"], columns, rows)


def render(title, columns, rows):
    """Return the lines of a table."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, title=title, title_justify="left", title_style="bold")
    for name, side in columns:
        table.add_column(name, justify=side, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console(file=StringIO(), width=WIDTH, color_system=None)
    console.print(table)
    return ["", *(line.rstrip() for line in console.file.getvalue().splitlines())]
