"""What the book shows of a profiled step: a roofline, a small table, and what they mean in words."""

from types import SimpleNamespace

from tito.bench import bounds
from tito.bench.table import amount

FOLDER = "rooflines"  # beside the page
READING = """
Below the times of a training step is a roofline plot of our step on one thread. Each dot is an op; a larger dot took longer. The
flat roof is the fastest large matrix product that NumPy's matrix library reaches on the machine; the sloped roofs are copies in
memory (solid) and within the cache (dashed). *At the roofs* is the time the ops would take if each did its arithmetic at the flat
roof or moved its bytes at the cache's roof, whichever takes longer. The cache's roof is used because an op often reads what the
previous op left in the cache. So this is a lower bound, which data that come from memory cannot reach. *Outside of ops* is the
rest of the timed step: Python, autograd, allocating and freeing memory.
"""


def path(record, entry):
    """Return the path of a picture, relative to the page.

    Args:
        record: Name of the record, such as `cpu`.
        entry: The case.
    """
    return f"{FOLDER}/{record}-{entry['case']}-{entry['size'].replace(' ', '-')}.svg"


def profiled(entry):
    """Return the result whose steps were profiled (the one on one thread), or None."""
    return next((result for result in entry["threads"].values() if bounds.steps(result)), None)


def picture(result):
    """Return the roofline of the fastest kernel set as SVG."""
    from tinytorch.drawing import roofline
    from tinytorch.given.profiling import Row

    profile = result["roofline"]
    rows = [
        Row(row["op"], row["ms"] / 1e3, row["flops"], row["bytes"], row["calls"], row["kernels"])
        for row in profile["kernels"][bounds.fastest(result).kernels]
    ]
    return str(roofline.draw(rows, SimpleNamespace(**profile["machine"])))


def paragraphs(result, image):
    """Yield the picture, the table, and the words.

    Args:
        result: A result with profiles.
        image: Path of the picture, relative to the page.
    """
    step, profile = bounds.fastest(result), result["roofline"]
    yield f"![Roofline: the ops of our step with the {step.kernels} kernels, below the limits of the machine]({image})"
    yield table(result)
    yield " ".join([*limits(step, bounds.peer(result), profile), *gains(step, bounds.steps(result)), *dotless(step, profile)])


def table(result):
    """Return a Markdown table of where the time goes with each kernel set and at the roofs."""
    by_kernels, step, peer = bounds.steps(result), bounds.fastest(result), bounds.peer(result)
    columns = [
        [amount(each.products), amount(each.others), amount(each.outside), amount(each.ms), each.ms]
        for each in by_kernels.values()
    ]
    columns.append([amount(step.products_roof), amount(step.others_roof), "", amount(step.roof), step.roof])
    names = [f"products: {listed(step.heavy)}", "other ops", "outside of ops", "the step"]
    rows = [[name, *cells] for name, *cells in zip(names, *columns)]
    if peer:
        rows.append(["ratio", *(f"{column[-1] / peer:.2f}" for column in columns)])
    head = ["1 thread, ms", *(f"tinytorch {name}" for name in by_kernels), f"{step.kernels} at the roofs"]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---", *["---:"] * len(columns)], *rows))


def limits(step, peer, profile):
    """Yield the time at the roofs, and the share of the products alone."""
    rates = f"{profile['machine']['flops'] / 1e9:.0f} GFLOP/s or {profile['machine']['cache'] / 1e9:.0f} GB/s"
    by_peer = f" and {step.roof / peer:.2f} of the fastest PyTorch's" if peer else ""
    least = f"{amount(step.roof)} ms: {step.roof / step.ms:.2f} of what it takes{by_peer}"
    yield f"With each op at its roof, {rates}, the step would take {least}."
    flops = sum(row["flops"] for row in profile["kernels"][step.kernels] if row["op"] in step.heavy)
    if peer and flops:
        yield (
            f"The products alone, which reach {flops / step.products / 1e6:.0f} GFLOP/s in it, take "
            f"{step.products / peer:.2f} of PyTorch's step; at the roof they would take {step.products_roof / peer:.2f}."
        )


def gains(step, by_kernels):
    """Yield how much faster than NumPy the kernel set is, and how much faster it could be."""
    if step.kernels != "numpy" and "numpy" in by_kernels:
        ms = by_kernels["numpy"].ms
        faster, at_most = f"{ms / step.ms:.2f} x", f"{ms / step.roof:.1f} x"
        yield f"With {step.kernels} it is {faster} as fast as with numpy; at the roofs it would be {at_most}."


def dotless(step, profile):
    """Yield the ops without a dot, which do no arithmetic, if they take more than a fiftieth of the step."""
    ops = [
        f"`{row['op']}` ({amount(row['ms'])} ms)"
        for row in profile["kernels"][step.kernels]
        if not row["flops"] and row["ms"] > step.ms / 50
    ]
    if ops:
        yield f"Ops that do no arithmetic have no dot: {', '.join(ops)}."


def listed(names):
    """Join names of ops with commas."""
    return ", ".join(f"`{name}`" for name in names)
