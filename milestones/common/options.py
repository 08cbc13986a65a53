"""The options that all milestones have."""

import argparse
import math
import tempfile
import textwrap
from pathlib import Path

from tito.files import why_not_written

RUNS = Path(__file__).resolve().parents[2] / "runs"


def reader(convert, fits, wanted):
    """Return a function that reads a number from text, or says what is needed.

    Args:
        convert: ``int`` or ``float``.
        fits: Function that says whether a number is allowed.
        wanted: The allowed numbers, in words.
    """

    def read(text):
        try:
            number = convert(text)
        except ValueError:
            number = None
        if number is None or not fits(number):
            raise argparse.ArgumentTypeError(f"{text} is not {wanted}")
        return number

    return read


positive = reader(int, lambda number: number > 0, "a whole number above 0")
seed = reader(int, lambda number: number >= 0, "a whole number of at least 0")
rate = reader(float, lambda number: 0 < number < math.inf, "a finite number above 0")


def parser(description, name, recipes):
    """Return a parser of the common options; a milestone adds its own.

    Args:
        description: Text for ``--help``.
        name: Name of the milestone.
        recipes: Dict from a name to an object with the defaults of ``--epochs``, ``--batch-size`` and ``--lr``; `complete`
            fills them in.
    """
    paragraphs = [textwrap.fill(paragraph, 80) for paragraph in description.split("\n\n")]
    options = argparse.ArgumentParser(description="\n\n".join(paragraphs), formatter_class=argparse.RawDescriptionHelpFormatter)
    options.set_defaults(milestone=name)
    add = options.add_argument
    add("--epochs", type=positive, metavar="N", help=f"passes over the data ({shown(recipes, 'epochs')})")
    add("--batch-size", type=positive, metavar="N", help=f"examples in a step ({shown(recipes, 'batch_size')})")
    add("--lr", type=rate, metavar="X", help=f"learning rate ({shown(recipes, 'lr')})")
    add("--seed", type=seed, metavar="N", default=0, help="seed of weights and batches (%(default)s)")
    add("--kernels", choices=["numpy", "numba"], default="numpy", help="kernel set (%(default)s)")
    add("--device", choices=["cpu", "cuda"], default="cpu", help="where the network and its batches live (%(default)s)")
    add("--capture", action="store_true", help="record a training step, and replay it")
    add("--threads", type=positive, metavar="N", default=1, help="threads of the matrix library and of kernels (%(default)s)")
    add("--data-dir", metavar="DIR", help="folder with the data (default: $TINYTORCH_DATA, the cache, or a download)")
    add("--metrics-json", metavar="FILE", type=writable, help="also write the closing table to a file")
    add(
        "--checkpoint",
        metavar="DIR",
        type=Path,
        default=RUNS / name,
        help=f"folder for the run's checkpoint, weights and figures (runs/{name})",
    )
    add("--resume", action="store_true", help="continue after the last complete epoch saved there")
    add("--no-figures", action="store_true", help="draw nothing")
    return options


def complete(options, recipe):
    """Fill in the recipe's values where the command line gives none, and return the options; also note the recipe's epochs."""
    options.usual_epochs = recipe.epochs
    for name in ("epochs", "batch_size", "lr"):
        if getattr(options, name) is None:
            setattr(options, name, getattr(recipe, name))
    return options


def shown(recipes, setting):
    """Return a setting's default for the help: one number, or one for each recipe."""
    numbers = {name if isinstance(name, str) else " on ".join(name): getattr(recipe, setting) for name, recipe in recipes.items()}
    if len(set(numbers.values())) == 1:
        return next(iter(numbers.values()))
    return ", ".join(f"{number:g} for {name}" for name, number in numbers.items())


def claim(folder):
    """Make a folder, and raise OSError if files cannot be written there."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def writable(text):
    """Read the path of a file, and check before the run that it can be written."""
    path = Path(text)
    problem = why_not_written(path, ".json")
    if problem:
        raise argparse.ArgumentTypeError(problem)
    return path
