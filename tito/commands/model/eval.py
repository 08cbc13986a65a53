"""`tito model eval`: how good a network is."""

from pathlib import Path

import typer

from tito.commands.model.options import Pixels


def evaluate(
    file: Path = typer.Argument(help="A safetensors or GGUF file, such as runs/lenet5/weights.safetensors."),
    pixels: Pixels = typer.Option(None, help="How pixels enter: standard, or unit (0 to 1). By default what the file says."),
    data: str = typer.Option("auto", help="auto, mnist or mnist-5k, as for a milestone."),
    data_dir: Path = typer.Option(None, help="Folder of the data, as for a milestone."),
    kernels: str = typer.Option("numpy", help="Kernel set, numpy or numba."),
    threads: int = typer.Option(1, min=1, help="Threads of the matrix library and of kernels."),
    batch: int = typer.Option(500, min=1, help="Digits in a batch."),
    seed: int = typer.Option(None, min=0, help="Seed of the digit that is shown; a new one each time by default."),
):
    """Measure a network on the test digits, with your package: accuracy, loss, their errors, and the time of a digit."""
    from tito import machine
    from tito.commands.model import ask

    for given, known in ((data, ("auto", "mnist", "mnist-5k")), (kernels, ("numpy", "numba"))):
        if given not in known:
            raise typer.BadParameter(f"{given!r} is none of {', '.join(known)}")
    named = dict(data=data, data_dir=data_dir, kernels=kernels, threads=machine.threads(threads), batch=batch, seed=seed)
    ask("evaluate", path=file, pixels=pixels and pixels.value, **named)
