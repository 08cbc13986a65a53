"""`tito bench`: the learner's package and its peers, side by side."""

from pathlib import Path

import typer


def bench(
    names: list[str] = typer.Argument(None, metavar="[CASE]...", help="lenet5, import; all by default."),
    case: list[str] = typer.Option(None, "--case", help="The same as an option; may be given again."),
    threads: list[int] = typer.Option(
        None, "--threads", min=1, help="A number of threads; may be given again. By default 1 and 2."
    ),
    steps: int = typer.Option(None, "--steps", min=1, help="How many turns each variant has, instead of what the case says."),
    seconds: float = typer.Option(
        8, "--seconds", min=0, help="How long each table's turns go on at most, for each number of threads."
    ),
    json: Path = typer.Option(None, "--json", metavar="FILE", help="Write all that was measured to a file."),
    show_cases: bool = typer.Option(False, "--list", help="List the cases."),
):
    """Time your package beside PyTorch and tinygrad.

    All do the same work, with the same weights, in turn.
    The ratio is a variant's median time divided by that of the fastest PyTorch: below 1 is faster. On one thread CPU time
    counts, on several wall time. A training step on one thread is profiled, too, op by op: below its table stands how little
    its ops could take on this machine, each at the rate of a large matrix product or of a copy within the cache.
    """
    from functools import partial

    from tito import console, standing, workspace
    from tito.bench import terminal
    from tito.bench.recording import Bench

    if show_cases:
        terminal.list_cases()
        return
    wanted = terminal.chosen([*(names or ()), *(case or ())])
    space = workspace.find()
    usable = [one.module.number for one in standing.standings(space) if one.usable]
    bench = Bench(space, usable, tuple(threads or (1, 2)), steps, seconds)
    record = terminal.measure(bench, wanted, partial(terminal.write, json) if json else lambda record: None)
    if json:
        console.say()
        console.say(f"written to {json}")
    console.next_step("tito bench --json FILE keeps these figures" if not json else "tito")
    raise typer.Exit(1 if any("failed" in entry for entry in record["cases"]) else 0)
