"""`tito bench`: compare the speed of the learner's package with PyTorch and tinygrad."""

from pathlib import Path

import typer


def bench(
    names: list[str] = typer.Argument(None, metavar="[CASE]...", help="Cases, such as lenet5 or import; default: all."),
    case: list[str] = typer.Option(None, "--case", help="A case, as an option; may be repeated."),
    threads: list[int] = typer.Option(None, "--threads", min=1, help="Number of threads; may be repeated. Default: 1 and 2."),
    steps: int = typer.Option(None, "--steps", min=1, help="Timed runs of each variant. Default: the case's own number."),
    seconds: float = typer.Option(8, "--seconds", min=0, help="Maximum time of each table, for each number of threads."),
    device: str = typer.Option("cpu", "--device", help="cpu, or cuda: kernels and a step on a GPU, next to PyTorch and CuPy."),
    json: Path = typer.Option(None, "--json", metavar="FILE", help="Write all measurements to a file."),
    show_cases: bool = typer.Option(False, "--list", help="List the cases."),
):
    """Compare the speed of your package with PyTorch and tinygrad.

    All of them do the same work, with the same weights, in turn.
    The ratio is a variant's median time divided by that of the fastest PyTorch, so below 1 is faster. On one thread CPU time
    counts, on several threads wall time. A training step on one thread is also profiled op by op. Below its table is the least
    time its ops could take on this machine, at the rate of a large matrix product or of a copy within the cache.
    """
    from functools import partial

    from tito import console, machine, standing, workspace
    from tito.bench import terminal
    from tito.bench.recording import Bench
    from tito.files import check_output

    if show_cases:
        terminal.list_cases()
        return
    check_output(json, ".json", "--json")
    if device != "cpu":
        terminal.on_gpu(workspace.find(), device, json)
        return
    wanted = terminal.chosen([*(names or ()), *(case or ())])
    space = workspace.find()
    usable = [each.module.number for each in standing.standings(space) if each.usable]
    counts = dict.fromkeys(map(machine.threads, threads or (1, 2)))  # each once
    bench = Bench(space, usable, tuple(counts), steps, seconds)
    record = terminal.measure(bench, wanted, partial(terminal.write, json) if json else lambda record: None)
    if json:
        console.say()
        console.say(f"written to {json}")
    console.next_step("tito bench --json FILE saves these figures" if not json else "tito")
    raise typer.Exit(1 if any("failed" in entry for entry in record["cases"]) else 0)
