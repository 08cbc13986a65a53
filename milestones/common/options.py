"""The options that all milestones have."""
import argparse
import math
import tempfile
from pathlib import Path

RUNS = Path(__file__).resolve().parents[2] / "runs"


def parser(description, name, epochs, batch_size, lr):
    """Return a parser of the common options; a milestone adds its own.

    Args:
        description: Text for ``--help``.
        name: Name of the milestone.
        epochs: Default of ``--epochs``; None if it depends on other options, as the next two.
        batch_size: Default of ``--batch-size``.
        lr: Default of ``--lr``.
    """
    options = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.set_defaults(milestone=name)
    add = options.add_argument
    add("--epochs", type=positive, default=epochs, help=f"passes over the data ({shown(epochs)})")
    add("--batch-size", type=positive, default=batch_size,
        help=f"examples in a step ({shown(batch_size)})")
    add("--lr", type=rate, default=lr, help=f"learning rate ({shown(lr)})")
    add("--seed", type=int, default=0, help="of weights and batches (%(default)s)")
    add("--kernels", choices=["numpy", "numba"], default="numpy", help="kernel set (%(default)s)")
    add("--threads", type=positive, default=1, help="of the matrix library and of kernels (%(default)s)")
    add("--data-dir", metavar="DIR",
        help="folder of the data (else $TINYTORCH_DATA, the cache, a download)")
    add("--metrics-json", metavar="FILE", type=writable, help="write the closing table to a file, too")
    add("--checkpoint", metavar="DIR", type=Path, default=RUNS / name,
        help=f"folder that keeps the run: state, weights, figures (runs/{name})")
    add("--resume", action="store_true", help="go on after the last whole epoch kept there")
    add("--no-figures", action="store_true", help="draw nothing")
    return options


def of_filters(options):
    """Add the options that milestones with convolutions share, and return the parser."""
    options.add_argument("--examples", type=positive, metavar="N",
                         help="train on so many examples, chosen by chance (all)")
    options.add_argument("--frozen-filters", action="store_true",
                         help="leave the filters as chance made them, to see what training them is worth")
    return options


def complete(options, recipe):
    """Fill in what the command line leaves to the recipe, and return the options."""
    for name in ("epochs", "batch_size", "lr"):
        if getattr(options, name) is None:
            setattr(options, name, getattr(recipe, name))
    return options


def shown(default):
    """Return what the help says of a default."""
    return "the recipe's" if default is None else default


def positive(text):
    """Read a whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not above 0")
    return number


def rate(text):
    """Read a finite number above 0."""
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a finite number above 0")
    return number


def writable(text):
    """Read the path of a file, and find out before the run whether its folder can be written to."""
    path = Path(text)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot write {path}: {error.strerror}") from error
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a folder: name a file in it")
    return path
