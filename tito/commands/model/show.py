"""`tito model show`: what is in a file of weights."""

from pathlib import Path

import typer


def show(file: Path = typer.Argument(help="A safetensors or GGUF file, such as runs/lenet5/weights.safetensors.")):
    """List the arrays of a file, and the network that they make."""
    from tito.commands.model import ask

    ask("show", path=file)
