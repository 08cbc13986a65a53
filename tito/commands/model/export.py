"""`tito model export`: a network as a file for other programs."""

from pathlib import Path

import typer

from tito.commands.model.options import Format, Pixels


def export(
    file: Path = typer.Argument(help="A safetensors or GGUF file, such as runs/lenet5/weights.safetensors."),
    to: Format = typer.Option(..., help="safetensors, gguf (ggml's mnist-eval), onnx, or web (the page)."),
    out: Path = typer.Option(None, help="The file to write; by default beside the one that is read."),
    pixels: Pixels = typer.Option(None, help="How pixels enter: standard, or unit (0 to 1). By default what the file says."),
):
    """Write a network in the format of another program. Its arrays are checked before anything is written."""
    from tito.commands.model import ask

    ask("export", path=file, to=to.value, out=out, pixels=pixels and pixels.value)
