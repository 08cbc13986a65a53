"""The options that all milestones have."""

import argparse
import math
import tempfile
import textwrap
from pathlib import Path

RUNS = Path(__file__).resolve().parents[2] / "runs"


def reader(convert, fits, wanted):
    """Return a function that reads a number from a text, or says what was wanted instead.

    Args:
        convert: ``int`` or ``float``.
        fits: Function of the number: whether it will do.
        wanted: The same in words.
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
seed = reader(int, lambda number: number >= 0, "a whole number from 0 on")
rate = reader(float, lambda number: 0 < number < math.inf, "a finite number above 0")


def parser(description, name, recipes):
    """Return a parser of the common options; a milestone adds its own.

    Args:
        description: Text for ``--help``.
        name: Name of the milestone.
        recipes: Dict from a name to what has the defaults of ``--epochs``, ``--batch-size`` and ``--lr``; `complete` fills
            them in.
    """
    paragraphs = [textwrap.fill(paragraph, 80) for paragraph in description.split("\n\n")]
    options = argparse.ArgumentParser(description="\n\n".join(paragraphs), formatter_class=argparse.RawDescriptionHelpFormatter)
    options.set_defaults(milestone=name)
    add = options.add_argument
    add("--epochs", type=positive, metavar="N", help=f"passes over the data ({shown(recipes, 'epochs')})")
    add("--batch-size", type=positive, metavar="N", help=f"examples in a step ({shown(recipes, 'batch_size')})")
    add("--lr", type=rate, metavar="X", help=f"learning rate ({shown(recipes, 'lr')})")
    add("--seed", type=seed, metavar="N", default=0, help="of weights and batches (%(default)s)")
    add("--kernels", choices=["numpy", "numba"], default="numpy", help="kernel set (%(default)s)")
    add("--threads", type=positive, metavar="N", default=1, help="of the matrix library and of kernels (%(default)s)")
    add("--data-dir", metavar="DIR", help="folder of the data (else $TINYTORCH_DATA, the cache, a download)")
    add("--metrics-json", metavar="FILE", type=writable, help="write the closing table to a file, too")
    add(
        "--checkpoint",
        metavar="DIR",
        type=Path,
        default=RUNS / name,
        help=f"folder that keeps the run: state, weights, figures (runs/{name})",
    )
    add("--resume", action="store_true", help="go on after the last whole epoch kept there")
    add("--no-figures", action="store_true", help="draw nothing")
    return options


def complete(options, recipe):
    """Fill in what the command line leaves to the recipe, and return the options; the recipe's epochs stay beside them."""
    options.usual_epochs = recipe.epochs
    for name in ("epochs", "batch_size", "lr"):
        if getattr(options, name) is None:
            setattr(options, name, getattr(recipe, name))
    return options


def shown(recipes, setting):
    """Return what the help says of a setting's default: one number, or one for each recipe."""
    numbers = {name if isinstance(name, str) else " on ".join(name): getattr(one, setting) for name, one in recipes.items()}
    if len(set(numbers.values())) == 1:
        return next(iter(numbers.values()))
    return ", ".join(f"{number:g} for {name}" for name, number in numbers.items())


def claim(folder):
    """Make a folder, and find out whether files can be written there: OSError if not."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def writable(text):
    """Read the path of a file, and find out before the run whether its folder can be written to."""
    path = Path(text)
    try:
        claim(path.parent)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot write {path}: {error.strerror}") from error
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a folder: name a file in it")
    return path
