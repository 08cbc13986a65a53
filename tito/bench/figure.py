"""What the book shows of a step that was profiled: a roofline, a small table, and what they say in words."""

from types import SimpleNamespace

from tito.bench import bounds
from tito.bench.table import amount

FOLDER = "rooflines"  # beside the page
READING = """
Below the times of a training step stands a picture of ours on one thread: each dot is an op, the larger the longer it took. The
flat roof is the fastest product of large matrices that NumPy's matrix library does on the machine; the sloped ones are copies, in
memory (solid) and within the cache (dashed). *At the roofs* is the time that the ops would take if each did its arithmetic at the
flat roof or moved its bytes at the cache's, whichever takes longer. At the cache's, because an op often finds there what the op
before has written: so it is a bound from below, and data that come from memory cannot reach it. *Outside of ops* is what is left
of the timed step: Python, autograd, taking memory and giving it back.
"""


def path(record, entry):
    """Return where a picture is kept, seen from the page.

    Args:
        record: Name of the record, such as `cpu`.
        entry: The case.
    """
    return f"{FOLDER}/{record}-{entry['case']}-{entry['size'].replace(' ', '-')}.svg"


def profiled(entry):
    """Return the result of a case whose steps were profiled, which are those on one thread; None where none was."""
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
        image: Path of the picture, seen from the page.
    """
    step, profile = bounds.fastest(result), result["roofline"]
    yield f"![Roofline: the ops of our step with the {step.kernels} kernels, below what the machine can do at most]({image})"
    yield table(result)
    yield " ".join([*limits(step, bounds.peer(result), profile), *gains(step, bounds.steps(result)), *dotless(step, profile)])


def table(result):
    """Return where the time goes with each kernel set, and at the roofs, in Markdown."""
    found, step, peer = bounds.steps(result), bounds.fastest(result), bounds.peer(result)
    columns = [[amount(one.products), amount(one.others), amount(one.outside), amount(one.ms), one.ms] for one in found.values()]
    columns.append([amount(step.products_roof), amount(step.others_roof), "", amount(step.roof), step.roof])
    names = [f"products: {listed(step.heavy)}", "other ops", "outside of ops", "the step"]
    rows = [[name, *cells] for name, *cells in zip(names, *columns)]
    if peer:
        rows.append(["ratio", *(f"{column[-1] / peer:.2f}" for column in columns)])
    head = ["1 thread, ms", *(f"tinytorch {name}" for name in found), f"{step.kernels} at the roofs"]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---", *["---:"] * len(columns)], *rows))


def limits(step, peer, profile):
    """Yield what the roofs bound, and what products alone take."""
    rates = f"{profile['machine']['flops'] / 1e9:.0f} GFLOP/s or {profile['machine']['cache'] / 1e9:.0f} GB/s"
    by_peer = f" and {step.roof / peer:.2f} of the fastest PyTorch's" if peer else ""
    least = f"{amount(step.roof)} ms: {step.roof / step.ms:.2f} of what it takes{by_peer}"
    yield f"With each op at its roof, {rates}, the step would take {least}."
    flops = sum(row["flops"] for row in profile["kernels"][step.kernels] if row["op"] in step.heavy)
    if peer and flops:
        yield (
            f"The products alone, at the {flops / step.products / 1e6:.0f} GFLOP/s that they reach in it, take "
            f"{step.products / peer:.2f} of PyTorch's step; at the roof they would take {step.products_roof / peer:.2f}."
        )


def gains(step, found):
    """Yield how much faster than NumPy's a kernel set makes the step, and could make it."""
    if step.kernels != "numpy" and "numpy" in found:
        ms = found["numpy"].ms
        faster, at_most = f"{ms / step.ms:.2f} x", f"{ms / step.roof:.1f} x"
        yield f"With {step.kernels} it is {faster} as fast as with numpy; at the roofs it would be {at_most}."


def dotless(step, profile):
    """Yield which ops have no dot because they do no arithmetic, if they take more than a fiftieth of the step."""
    found = [
        f"`{row['op']}` ({amount(row['ms'])} ms)"
        for row in profile["kernels"][step.kernels]
        if not row["flops"] and row["ms"] > step.ms / 50
    ]
    if found:
        yield f"What does no arithmetic has no dot: {', '.join(found)}."


def listed(names):
    """Return names of ops in a row."""
    return ", ".join(f"`{name}`" for name in names)
