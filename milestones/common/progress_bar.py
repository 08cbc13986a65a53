"""How a run shows its progress: a bar in a terminal, a line for each epoch elsewhere."""

import os
import sys
import time
from contextlib import contextmanager

EVERY = 20  # steps between two updates of the bar, so that showing costs next to nothing


@contextmanager
def progress(epochs, steps, begun=0, examples="test"):
    """Show the progress of a run.

    Args:
        epochs: How many epochs there will be.
        steps: How many steps each has.
        begun: How many epochs are over already.
        examples: Which ones the accuracy is measured on.

    Returns:
        Context manager around a `Bar` or around `Lines`.
    """
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        yield Lines(epochs, begun, examples)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("epoch {task.fields[number]}/{task.fields[epochs]}"),
        BarColumn(),
        TextColumn("loss {task.fields[loss]}"),
        TextColumn(f"{examples} accuracy {{task.fields[accuracy]}}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, refresh_per_second=5) as bars:
        task = bars.add_task(
            "", total=epochs * steps, completed=begun * steps, number=begun + 1, epochs=epochs, loss="-", accuracy="-"
        )
        yield Bar(bars, epochs, task, begun * steps)


class Bar:
    """The loss of the last step, the accuracy after the last epoch, and the time left."""

    def __init__(self, bars, epochs, task, done):
        self.bars, self.epochs, self.task, self.done = bars, epochs, task, done

    def step(self, loss):
        """Count a step, and show its loss now and then."""
        self.done += 1
        if self.done % EVERY == 0:
            self.bars.update(self.task, completed=self.done, loss=f"{loss:.4f}")

    def epoch(self, number, loss, accuracy):
        """Show how an epoch ended."""
        self.bars.update(
            self.task,
            completed=self.done,
            number=min(number + 1, self.epochs),
            loss=f"{loss:.4f}",
            accuracy=f"{100 * accuracy:.2f} %",
        )


class Lines:
    """A line after each epoch, in plain ASCII."""

    def __init__(self, epochs, begun, examples):
        self.epochs, self.begun, self.examples = epochs, begun, examples
        self.began = time.perf_counter()

    def step(self, loss):
        """Show nothing."""

    def epoch(self, number, loss, accuracy):
        """Print how an epoch ended."""
        seconds = time.perf_counter() - self.began
        left = seconds / (number - self.begun) * (self.epochs - number)
        print(
            f"epoch {number}/{self.epochs}  loss {loss:.4f}  {self.examples} accuracy "
            f"{100 * accuracy:.2f} %  {seconds:.1f} s, {left:.0f} s left",
            flush=True,
        )
