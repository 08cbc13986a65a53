"""How a run shows its progress: a bar in a terminal, a line for each epoch elsewhere."""

import os
import sys
import time
from contextlib import contextmanager
from functools import partial

EVERY = 0.1  # seconds between two updates of the bar, so that it costs almost no time


@contextmanager
def progress(epochs, steps, begun=0, examples="test"):
    """Show the progress of a run.

    Args:
        epochs: Number of epochs in total.
        steps: Number of steps in an epoch.
        begun: Number of epochs that are already done.
        examples: Which examples the accuracy is measured on.

    Returns:
        Context manager around a `Bar` or around `Lines`.
    """
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        yield Lines(epochs, begun, examples)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("epoch {task.fields[number]}/{task.fields[epochs]}"),
        BarColumn(20),
        TextColumn("loss {task.fields[loss]}"),
        TextColumn("{task.fields[doing]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, refresh_per_second=10, transient=True) as bars:
        task = bars.add_task(
            "", total=epochs * steps, completed=begun * steps, number=begun + 1, epochs=epochs, loss="-", doing="training"
        )
        yield Bar(bars, task, Lines(epochs, begun, examples, partial(bars.console.print, highlight=False)), steps, begun * steps)


class Bar:
    """The loss of the last step and the time left, below a line for each finished epoch."""

    def __init__(self, bars, task, lines, steps, done):
        self.bars, self.task, self.lines, self.steps, self.done = bars, task, lines, steps, done
        self.shown = 0.0

    def step(self, loss):
        """Count a step, and update the bar if the last update is a while ago or the epoch ends."""
        self.done += 1
        over = self.done % self.steps == 0
        if over or time.perf_counter() - self.shown > EVERY:
            self.shown = time.perf_counter()
            self.bars.update(self.task, completed=self.done, loss=f"{loss:.4f}", doing="measuring" if over else "training")

    def epoch(self, number, loss, accuracy):
        """Print the epoch's line, and show the next epoch."""
        self.lines.epoch(number, loss, accuracy)
        self.bars.update(self.task, completed=self.done, number=min(number + 1, self.lines.epochs), doing="training")


class Lines:
    """A line after each epoch, in plain ASCII.

    Args:
        epochs: Number of epochs in total.
        begun: Number of epochs that are already done.
        examples: Which examples the accuracy is measured on.
        write: Function that prints a line.
    """

    def __init__(self, epochs, begun, examples, write=print):
        self.epochs, self.begun, self.examples, self.write = epochs, begun, examples, write
        self.began = time.perf_counter()

    def step(self, loss):
        """Show nothing."""

    def epoch(self, number, loss, accuracy):
        """Print how an epoch ended."""
        seconds = time.perf_counter() - self.began
        left = seconds / (number - self.begun) * (self.epochs - number)
        self.write(
            f"epoch {number}/{self.epochs}  loss {loss:.4f}  {self.examples} accuracy "
            f"{100 * accuracy:.2f} %  {seconds:.1f} s, {left:.0f} s left"
        )
        sys.stdout.flush()
