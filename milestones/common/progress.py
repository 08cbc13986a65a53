"""How a run shows its progress: a bar in a terminal, a line for each epoch elsewhere."""
import os
import sys
import time
from contextlib import contextmanager

EVERY = 20  # steps between two updates of the bar, so that showing costs next to nothing


@contextmanager
def progress(epochs, steps):
    """Show the progress of a run.

    Args:
        epochs: How many epochs there will be.
        steps: How many steps each has.

    Returns:
        Context manager around an object with ``step(loss)`` and ``epoch(number, loss, accuracy)``.
    """
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        yield Lines(epochs)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("epoch {task.fields[number]}/{task.fields[epochs]}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
               TextColumn("loss {task.fields[loss]:.4f}"), TextColumn("test accuracy {task.fields[accuracy]}"),
               TimeRemainingColumn())
    with Progress(*columns, refresh_per_second=5) as bars:
        fields = {"number": 1, "epochs": epochs, "loss": float("nan"), "accuracy": "-"}
        yield Bar(bars, bars.add_task("", total=epochs * steps, **fields))


class Bar:
    """A bar with the loss of the last step, the accuracy after the last epoch, and the time left."""

    def __init__(self, bars, task):
        self.bars, self.task, self.done = bars, task, 0

    def step(self, loss):
        self.done += 1
        if self.done % EVERY == 0:
            self.bars.update(self.task, completed=self.done, loss=loss)

    def epoch(self, number, loss, accuracy):
        number = min(number + 1, self.bars.tasks[self.task].fields["epochs"])
        self.bars.update(self.task, completed=self.done, number=number, accuracy=f"{100 * accuracy:.2f} %")


class Lines:
    """A line for each epoch."""

    def __init__(self, epochs):
        self.epochs, self.began = epochs, time.perf_counter()

    def step(self, loss):
        pass

    def epoch(self, number, loss, accuracy):
        seconds = time.perf_counter() - self.began
        left = seconds / number * (self.epochs - number)
        print(f"epoch {number}/{self.epochs}  loss {loss:.4f}  test accuracy {100 * accuracy:.2f} %  "
              f"{seconds:.1f} s, {left:.0f} s left", flush=True)
