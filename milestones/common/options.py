"""The options that all milestones have."""
import argparse
from pathlib import Path


def parser(description, epochs, batch_size, lr):
    """Return a parser of the common options; a milestone adds its own.

    Args:
        description: Text for ``--help``.
        epochs: Default of ``--epochs``.
        batch_size: Default of ``--batch-size``.
        lr: Default of ``--lr``.
    """
    options = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = options.add_argument
    add("--epochs", type=positive, default=epochs, help="passes over the data (%(default)s)")
    add("--batch-size", type=positive, default=batch_size, help="examples in a step (%(default)s)")
    add("--lr", type=float, default=lr, help="learning rate (%(default)s)")
    add("--seed", type=int, default=0, help="of weights and batches (%(default)s)")
    add("--kernels", choices=["numpy", "numba"], default="numpy", help="kernel set (%(default)s)")
    add("--threads", type=positive, default=1, help="of the matrix library (%(default)s)")
    add("--data-dir", metavar="DIR",
        help="folder of the data (else $TINYTORCH_DATA, the cache, a download)")
    add("--metrics-json", metavar="FILE", type=Path, help="write the closing table to a file, too")
    return options


def positive(text):
    """Read a whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not above 0")
    return number
